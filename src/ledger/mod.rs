//! The ledger: what is booked.
//!
//! Duty: move the books from what is booked to what should be, in balanced, append-only, hash-chained double entry;
//! prove that they are in order; hand them to other tools. Not its duty: how an amount is earned (incentives), which
//! posting periods are open (the caller says where an earning period posts), files.
//!
//! | what is derived                   | from what                                         | in which step     |
//! |-----------------------------------|---------------------------------------------------|-------------------|
//! | entries                           | table `ledger`                                    | `table`           |
//! | head hash                         | entries, from the first                           | `chain`           |
//! | booked amount of each key         | entries on `rebate_expense`                       | `post`, `balance` |
//! | difference of each key            | its target less what is booked                    | `post`            |
//! | accrual or hold                   | holds on the posting day                          | `post`            |
//! | new entries, numbered and chained | differences, by partner, scheme, period, currency | `post`            |
//! | findings                          | the whole book                                    | `invariants`      |
//! | journal                           | the whole book; its assertions from balances      | `journal`         |
//!
//! A key is partner × scheme × earning period × currency. Nothing is updated or deleted: what was booked too much is
//! taken back by a later transaction.

pub mod balance;
pub mod chain;
pub mod entry;
pub mod invariants;
pub mod journal;
pub mod post;
pub mod table;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod model;
#[cfg(test)]
mod worked;

use thiserror::Error;

pub use chain::{ChainBroken, Head, verify_chain};
pub use entry::{Account, Entry, Key};
pub use invariants::{INVARIANTS, Invariant, View, check_all};
pub use post::{Delta, Hold, Posting, PostingDay, Target, post};

use crate::domain::TableError;
use crate::domain::money::MoneyError;

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
    #[error("{key}: {source}")]
    Amount { key: Key, source: MoneyError },
    #[error("the ledger is full: entry numbers end at {}", i64::MAX)]
    Full,
}
