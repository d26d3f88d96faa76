//! Starledger: service-partner evaluation and rebate settlement over plain files.
//!
//! Rooms in the order of the flow; what is absent from each is what makes it easy to reason about. The README's
//! architecture page has the whole map, and a test checks who imports whom.
//!
//! | room | duty | absent from it |
//! |---|---|---|
//! | `domain` | values: ids, money, periods, scores, findings | files, clocks, rules, floats |
//! | `contracts`, `rules` | what tables and the programme are, as data | facts, files |
//! | `ingest` | files → typed current rows | opening files, guessing |
//! | `foreign` | workbooks and Parquet of others → records, in a process of its own | columns, contracts |
//! | `measures` | exact sums and counts, in SQL | division, rules |
//! | `evaluation` | scores and grades, in exact rationals | SQL, files, the clock |
//! | `incentives` | what is earned, cumulative | what is booked |
//! | `ledger` | what is booked, append-only | how it is earned |
//! | `exports` | the books in the forms of other tools | what is booked, files |
//! | `charts` | values → SVG | which values, words |
//! | `publishing` | what people see | who gets it |
//! | `report` | pages of a period, catalogue of tables | scores, amounts, files |
//! | `delivery` | who gets it, in what state | sockets, files |
//! | `store` | releases, landing, recovery | what tables mean |
//! | `edges` | clock, files, mail | decisions |
//! | `pipeline` | plans, and runs them | arithmetic |
//! | `cli` | the only room that prints | work |
//! | `sample` | sample data of any size | reading anything back |

/// For every binary that links this library.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod domain;

pub mod contracts;
pub mod rules;

pub mod foreign;
pub mod ingest;
pub mod measures;

pub mod evaluation;
pub mod incentives;
pub mod ledger;

pub mod charts;
pub mod delivery;
pub mod exports;
pub mod publishing;
pub mod report;

pub mod edges;
pub mod store;

pub mod pipeline;

pub mod cli;

pub mod sample;
