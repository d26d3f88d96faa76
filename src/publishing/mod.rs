//! Publishing: what a partner gets to read.
//!
//! Duty: one frame per partner and period, filtered from the output tables and asserted to hold nobody else's rows;
//! the scorecard as text and HTML, and the hash of the data it shows. Not its duty: computing a score or an amount
//! (every figure is read from a table; the only arithmetic is adding up ledger entries), choosing recipients or
//! sending (`delivery`), files, clocks.
//!
//! | what is derived | from what | where |
//! |---|---|---|
//! | rows of each partner | the output tables | `inputs` |
//! | one partner's frame and its data hash | those rows | `frame`, `reader`, `money`, `ahead` |
//! | what more sales or a better grade would bring | a scheme's terms, its line | `money_ahead` |
//! | words, number and date forms, reasons of other rooms | the catalogue of a language | `texts`, `forms`, `reasons` |
//! | logo, colours, own texts | `[brand]` of the mail settings | `brand`, `palette` |
//! | strings to show | frame and texts | `view`, `view_domains`, `view_ahead`, `view_money` |
//! | old and new | an earlier frame and this one | `corrections` |
//! | charts | the same figures | `view_charts`, `crate::charts` (SVG), `pictures` (PNG) |
//! | subject, text, HTML | strings and templates | `scorecard` |
//! | one settlement document | its rows | `statement` |
//! | its text, HTML, PDF and sheets | that frame and templates | `view_statement`, `typeset` |

pub mod ahead;
pub mod brand;
mod corrections;
mod forms;
pub mod frame;
pub mod inputs;
pub mod letter;
pub mod money;
pub mod money_ahead;
pub mod palette;
pub mod pictures;
mod reader;
pub mod readers;
mod reasons;
pub mod scorecard;
pub mod statement;
pub mod texts;
pub mod typeset;
mod view;
mod view_ahead;
mod view_charts;
mod view_domains;
mod view_money;
mod view_statement;

#[cfg(test)]
pub mod fixture;
#[cfg(test)]
mod scorecard_tests;
#[cfg(test)]
mod statement_tests;

pub use brand::{Brand, Look};
pub use frame::PartnerFrame;
pub use inputs::{PublishingError, PublishingInputs, PublishingTables};
pub use money_ahead::SchemeTerms;
pub use pictures::{Painter, Picture};
pub use scorecard::{Scorecard, render};
pub use statement::{StatementFrame, StatementInputs};
pub use texts::{Catalogues, Texts};
pub use view_statement::{Statement, render_statement};
