//! The ledger: what is booked.
//!
//! Duty: move the books from what is booked to what should be, in balanced, append-only, hash-chained double entry;
//! settle what is accrued; prove that they are in order. Not its duty: how an amount is earned (incentives), which posting periods are open and which settlement is approved (the caller says so), files.
//!
//! | what is derived                   | from what                                         | in which step     |
//! |-----------------------------------|---------------------------------------------------|-------------------|
//! | entries                           | table `ledger`                                    | `table`           |
//! | head hash                         | entries, from the first                           | `chain`           |
//! | booked amount of each key         | entries on `rebate_expense`                       | `post`, `balance` |
//! | difference of each key            | its target less what is booked                    | `post`            |
//! | accrual, hold, or owed at once    | holds on the posting day; what is settled finally | `post`            |
//! | payments, adjustments, claims     | rows of feeds, by id and hash of content          | `keyed`           |
//! | documents, and what they post     | accruals that are due, what was posted since      | `settle`          |
//! | new entries, numbered and chained | differences, by partner, scheme, period, currency | `post`            |
//! | findings                          | the whole book                                    | `invariants`      |
//!
//! A key is partner × scheme × earning period × currency. Nothing is updated or deleted: what was booked too much is
//! taken back by a later transaction.

pub mod balance;
pub mod books;
pub mod chain;
pub mod documents;
pub mod entry;
pub mod invariants;
pub mod keyed;
pub mod post;
pub mod settle;
pub mod table;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod model;
#[cfg(test)]
mod worked;
#[cfg(test)]
mod worked_settlement;

use thiserror::Error;

pub use books::Books;
pub use chain::{ChainBroken, Head, verify_chain};
pub use documents::{Document, DocumentKind};
pub use entry::{Account, Entry, Key, Reason};
pub use invariants::{INVARIANTS, Invariant, View, check_all};
pub use keyed::{Keyed, post_keyed};
pub use post::{Delta, Hold, Posting, PostingDay, Target, post, post_to};

use crate::domain::ids::PartnerId;
use crate::domain::money::MoneyError;
use crate::domain::{Currency, TableError};

/// Why the books cannot be read or moved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LedgerError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Chain(#[from] ChainBroken),
    #[error("table ledger, entry {entry_no}, column {column}: '{value}' {problem}")]
    Value {
        entry_no: i64,
        column: &'static str,
        value: String,
        problem: String,
    },
    #[error("two targets for {0}: a key has one")]
    TwoTargets(Key),
    #[error("table settlements, {name}, column {column}: '{value}' cannot be")]
    Document {
        name: String,
        column: &'static str,
        value: String,
    },
    #[error("two rows for {reason} {id}: an id has one")]
    TwoRows { reason: Reason, id: String },
    #[error("settlement of partner {partner} in {currency}: {source}")]
    Settled {
        partner: PartnerId,
        currency: Currency,
        source: MoneyError,
    },
    #[error("{key}: {source}")]
    Amount { key: Key, source: MoneyError },
    #[error("the journal cannot be written as records: {0}")]
    Export(String),
    #[error("the ledger is full: entry numbers end at {}", i64::MAX)]
    Full,
}
