//! What feeds ask of the books: payments, adjustments by people, approved claims.
//!
//! Duty: each row of a feed is posted once under its id and the hash of its content. The same content again posts
//! nothing; changed content takes the earlier transaction back and posts anew; a row that is gone is taken back. Not
//! its duty: whether a row is right, and where it posts.

use std::collections::BTreeMap;

use super::LedgerError;
use super::books::{Books, Draft};
use super::entry::{Account, Entry, Key, Reason};
use super::post::PostingDay;
use crate::domain::{Digest, Money};

/// One row of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// Id of the row in its feed; without blanks.
    pub id: String,
    pub key: Key,
    /// An adjustment: positive is in favour of the partner. A payment: positive is paid to the partner. A claim: what is
    /// paid on it out of its fund, never negative.
    pub amount: Money,
    pub at: PostingDay,
    /// Hash of all that the posting rests on.
    pub content: Digest,
}

/// Posts the rows of one feed that are new, changed or gone; `fallback` is where a row that is gone is taken back.
pub fn post_keyed(books: &mut Books, reason: Reason, rows: &[Keyed], fallback: PostingDay) -> Result<(), LedgerError> {
    let mut posted = live(books, reason);
    let mut wanted: BTreeMap<&str, &Keyed> = BTreeMap::new();
    for row in rows {
        if wanted.insert(&row.id, row).is_some() {
            return Err(LedgerError::TwoRows {
                reason,
                id: row.id.clone(),
            });
        }
    }
    for (id, row) in wanted {
        let earlier = posted.remove(id);
        if earlier.is_some_and(|(_, content)| content == row.content) {
            continue;
        }
        if let Some((transaction_no, _)) = earlier {
            books.take_back(transaction_no, row.at, reason, &format!("{reason} {id} {TAKEN_BACK}"))?;
        }
        let postings = match (reason, row.amount.is_negative()) {
            (Reason::Payment, _) => [
                (Account::PartnerPayable, row.amount),
                (Account::SettlementClearing, row.amount.negated()),
            ],
            (Reason::Claim, _) => [
                (Account::PartnerFunds, row.amount),
                (Account::PartnerPayable, row.amount.negated()),
            ],
            (_, false) => [
                (Account::RebateExpense, row.amount),
                (Account::PartnerPayable, row.amount.negated()),
            ],
            (_, true) => [
                (Account::RebateExpense, row.amount),
                (Account::PartnerReceivable, row.amount.negated()),
            ],
        };
        let draft = Draft {
            key: &row.key,
            at: row.at,
            reason,
            corrects: earlier.map(|(transaction_no, _)| transaction_no),
            source: format!("{reason} {id} {}", row.content),
        };
        if !row.amount.is_zero() {
            books.transaction(&draft, &postings)?;
        }
    }
    for (id, (transaction_no, _)) in posted {
        books.take_back(transaction_no, fallback, reason, &format!("{reason} {id} {TAKEN_BACK}"))?;
    }
    Ok(())
}

/// The row of a feed that asked for an entry.
#[must_use]
pub fn row_of(entry: &Entry) -> Option<&str> {
    entry.source.split(' ').nth(1)
}

const TAKEN_BACK: &str = "taken back";

/// Rows of a feed that stand in the books: transaction and hash of the content, by id.
fn live(books: &Books, reason: Reason) -> BTreeMap<String, (i64, Digest)> {
    let mut live = BTreeMap::new();
    for entry in books.entries().iter().filter(|e| e.reason == reason) {
        let mut words = entry.source.splitn(3, ' ');
        let (Some(_), Some(id), Some(content)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        match Digest::parse(content) {
            Some(content) => live.insert(id.to_owned(), (entry.transaction_no, content)),
            None => live.remove(id),
        };
    }
    live
}
