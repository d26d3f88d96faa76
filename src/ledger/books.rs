//! Books that grow: the entries of a ledger and what is appended to them.
//!
//! Duty: numbers, hashes and balance of every new transaction. Not its duty: what is posted, and why.

use super::LedgerError;
use super::chain::{entry_hash, verify_chain};
use super::entry::{Account, Entry, Key, Reason};
use super::post::PostingDay;
use crate::domain::money::MoneyError;
use crate::domain::{Digest, Money};

/// Digits that the table of the ledger has for an amount, four of them decimals.
const MAX_DIGITS: u32 = 28;

/// A ledger whose chain was found intact, and what was appended to it since.
#[derive(Clone, Debug)]
pub struct Books {
    entries: Vec<Entry>,
    /// Of the ledger that was opened.
    earlier: usize,
    head: Digest,
    last_transaction_no: i64,
}

/// What the entries of a transaction share.
pub(super) struct Draft<'a> {
    pub(super) key: &'a Key,
    pub(super) at: PostingDay,
    pub(super) reason: Reason,
    pub(super) corrects: Option<i64>,
    pub(super) source: String,
}

impl Books {
    /// Refuses a ledger whose chain is broken.
    pub fn open(entries: Vec<Entry>) -> Result<Books, LedgerError> {
        let head = verify_chain(&entries)?;
        let last_transaction_no = entries.iter().map(|e| e.transaction_no).max().unwrap_or(0);
        Ok(Books {
            earlier: entries.len(),
            entries,
            head,
            last_transaction_no,
        })
    }

    /// All of them, by number.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Those that were appended.
    #[must_use]
    pub fn added(&self) -> &[Entry] {
        &self.entries[self.earlier..]
    }

    /// Hash of the last entry.
    #[must_use]
    pub fn head(&self) -> super::Head {
        super::Head {
            entries: self.entries.last().map_or(0, |e| e.entry_no),
            hash: self.head,
        }
    }

    /// Appends a transaction; postings of zero are left out. Returns its number.
    pub(super) fn transaction(&mut self, draft: &Draft<'_>, postings: &[(Account, Money)]) -> Result<i64, LedgerError> {
        let balance = postings
            .iter()
            .try_fold(Money::zero(draft.key.currency), |sum, (_, m)| sum.checked_add(*m));
        assert!(
            balance.is_ok_and(Money::is_zero),
            "transaction of {} does not balance",
            draft.key
        );
        self.last_transaction_no = self.last_transaction_no.checked_add(1).ok_or(LedgerError::Full)?;
        for (account, amount) in postings.iter().filter(|(_, amount)| !amount.is_zero()) {
            let fits = amount.dec().rescale(4).is_some_and(|d| d.digits() <= MAX_DIGITS);
            if !fits {
                return Err(LedgerError::Amount {
                    key: draft.key.clone(),
                    source: MoneyError::Overflow,
                });
            }
            let last_entry_no = self.entries.last().map_or(0, |e| e.entry_no);
            let mut entry = Entry {
                entry_no: last_entry_no.checked_add(1).ok_or(LedgerError::Full)?,
                transaction_no: self.last_transaction_no,
                account: *account,
                amount: *amount,
                partner: draft.key.partner.clone(),
                scheme: draft.key.scheme.clone(),
                earning_period: draft.key.earning_period,
                period: draft.at.period,
                posting_on: draft.at.day,
                reason: draft.reason,
                corrects_transaction_no: draft.corrects,
                source: draft.source.clone(),
                previous_hash: self.head,
                entry_hash: self.head,
            };
            entry.entry_hash = entry_hash(&entry);
            self.head = entry.entry_hash;
            self.entries.push(entry);
        }
        Ok(self.last_transaction_no)
    }

    /// Takes a transaction back by one with all signs turned.
    pub(super) fn take_back(
        &mut self,
        transaction_no: i64,
        at: PostingDay,
        reason: Reason,
        source: &str,
    ) -> Result<(), LedgerError> {
        let first = self.entries.partition_point(|e| e.transaction_no < transaction_no);
        let of_it = self.entries[first..]
            .iter()
            .take_while(|e| e.transaction_no == transaction_no);
        let postings: Vec<(Account, Money)> = of_it.map(|e| (e.account, e.amount.negated())).collect();
        let Some(key) = self.entries.get(first).map(Entry::key) else {
            return Ok(());
        };
        let draft = Draft {
            key: &key,
            at,
            reason,
            corrects: Some(transaction_no),
            source: source.to_owned(),
        };
        self.transaction(&draft, &postings).map(|_| ())
    }
}
