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

/// Posts the rows of one feed that are new, changed or gone. What no longer holds is taken back in the posting period that
/// it stands in while that is open, so that no document pays it first and claims it back later; else in `first_open`, the
/// first open one.
pub fn post_keyed(
    books: &mut Books,
    reason: Reason,
    rows: &[Keyed],
    first_open: PostingDay,
) -> Result<(), LedgerError> {
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
            take_back(books, transaction_no, reason, id, first_open)?;
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
        take_back(books, transaction_no, reason, &id, first_open)?;
    }
    Ok(())
}

fn take_back(
    books: &mut Books,
    transaction_no: i64,
    reason: Reason,
    id: &str,
    first_open: PostingDay,
) -> Result<(), LedgerError> {
    let entries = books.entries();
    let first = entries.partition_point(|e| e.transaction_no < transaction_no);
    let at = match entries.get(first) {
        Some(entry) if entry.period > first_open.period => PostingDay {
            period: entry.period,
            day: entry.posting_on,
            ..first_open
        },
        _ => first_open,
    };
    books.take_back(transaction_no, at, reason, &format!("{reason} {id} {TAKEN_BACK}"))
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

#[cfg(test)]
mod tests {
    use super::super::fixture::at;
    use super::*;
    use crate::domain::ids::{PartnerId, SchemeId};
    use crate::domain::{Currency, Dec, Period};

    fn row(amount: &str, at: PostingDay) -> Keyed {
        let euro = Currency::parse("EUR").unwrap();
        Keyed {
            id: "CL-1".to_owned(),
            key: Key {
                partner: PartnerId::new("P1").unwrap(),
                scheme: SchemeId::new("fund").unwrap(),
                earning_period: Period::parse("2026-Q1").unwrap(),
                currency: euro,
            },
            amount: Money::exact(Dec::parse(amount).unwrap(), euro).unwrap(),
            at,
            content: Digest::of(amount.as_bytes()),
        }
    }

    /// Posting period, day and amount of what partners are owed.
    fn owed(books: &Books) -> Vec<String> {
        let payable = books.entries().iter().filter(|e| e.account == Account::PartnerPayable);
        payable
            .map(|e| format!("{} {} {}", e.period, e.posting_on, e.amount.negated()))
            .collect()
    }

    #[test]
    fn what_no_longer_holds_is_taken_back_where_it_stands_while_that_is_open() {
        let mut books = Books::open(Vec::new()).unwrap();
        let (first, second) = (at("2025-Q4", "2025-12-31"), at("2026-Q1", "2026-03-20"));
        let mut post = |rows: &[Keyed], first_open| {
            post_keyed(&mut books, Reason::Claim, rows, first_open).unwrap();
            owed(&books)
        };
        post(&[row("10.00", second)], first);
        // changed, then gone: the first open period, which is another, sees nothing of it
        post(&[row("12.00", at("2026-Q2", "2026-04-02"))], first);
        let all = post(&[], first);
        let open = [
            "2026-Q1 2026-03-20 10.00 EUR",
            "2026-Q1 2026-03-20 -10.00 EUR",
            "2026-Q2 2026-04-02 12.00 EUR",
            "2026-Q2 2026-04-02 -12.00 EUR",
        ];
        assert_eq!(all, open);
        // posted anew, and gone after its period was closed
        post(&[row("10.00", second)], first);
        let all = post(&[], at("2026-Q2", "2026-06-30"));
        assert_eq!(
            all[4..],
            ["2026-Q1 2026-03-20 10.00 EUR", "2026-Q2 2026-06-30 -10.00 EUR"]
        );
    }
}
