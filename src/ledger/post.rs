//! Posting: from what is booked to what should be.
//!
//! Duty: the signed difference of each key as a balanced transaction; nothing where there is none. Not its duty:
//! changing an entry that is there.

use std::collections::{BTreeMap, BTreeSet};

use super::LedgerError;
use super::chain::{entry_hash, verify_chain};
use super::entry::{Account, Entry, Key};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::money::MoneyError;
use crate::domain::{Date, Digest, Money, Period};

/// What should have been earned to date on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub partner: PartnerId,
    pub scheme: SchemeId,
    pub earning_period: Period,
    pub amount: Money,
}

impl Target {
    #[must_use]
    pub fn key(&self) -> Key {
        Key {
            partner: self.partner.clone(),
            scheme: self.scheme.clone(),
            earning_period: self.earning_period,
            currency: self.amount.currency(),
        }
    }
}

/// Where an earning period posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostingDay {
    /// An open posting period.
    pub period: Period,
    pub day: Date,
}

/// What a partner is credited on a day from `from` to before `until` is kept back, and released by the first posting
/// on a day outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub partner: PartnerId,
    pub from: Date,
    /// Exclusive.
    pub until: Date,
}

/// One key that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    pub key: Key,
    pub booked: Money,
    pub target: Money,
    /// `target − booked`, never zero.
    pub delta: Money,
    pub transaction_no: i64,
}

/// What a posting adds to the book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posting {
    /// To be appended, in this order.
    pub entries: Vec<Entry>,
    /// In the order of their transactions: by partner, scheme, earning period, currency.
    pub deltas: Vec<Delta>,
}

/// Digits that the table of the ledger has for an amount, four of them decimals.
const MAX_DIGITS: u32 = 28;

/// Reason of the first transaction of a key.
pub const ACCRUAL: &str = "accrual";
/// Reason of a later one.
pub const ADJUSTMENT: &str = "adjustment";
/// Reason of a transaction that moves what a hold kept back to the accrual.
pub const HOLD_RELEASED: &str = "hold_released";

/// Posts the difference between `targets` and `book`. A key that was booked and has no target any more has target
/// zero. Refuses a book whose chain is broken.
pub fn post(
    book: &[Entry],
    targets: &[Target],
    posting: &dyn Fn(Period) -> PostingDay,
    holds: &[Hold],
) -> Result<Posting, LedgerError> {
    let mut writer = Writer::after(book)?;
    let positions = positions(book)?;
    let targets = by_key(targets)?;
    let keys: BTreeSet<&Key> = positions.keys().chain(targets.keys()).collect();
    for key in keys {
        let position = positions.get(key).copied().unwrap_or_else(|| Position::new(key));
        let target = targets.get(key).copied().unwrap_or_else(|| Money::zero(key.currency));
        let at = posting(key.earning_period);
        let is_held = holds
            .iter()
            .any(|h| h.partner == key.partner && h.from <= at.day && at.day < h.until);
        writer.move_key(key, position, target, at, is_held)?;
    }
    Ok(writer.posting)
}

/// What the book says of a key.
#[derive(Clone, Copy, Debug)]
struct Position {
    /// Balance of `rebate_expense`.
    booked: Money,
    /// Credit balance of `rebates_on_hold`.
    held: Money,
    last_transaction_no: Option<i64>,
}

impl Position {
    fn new(key: &Key) -> Position {
        let zero = Money::zero(key.currency);
        Position {
            booked: zero,
            held: zero,
            last_transaction_no: None,
        }
    }
}

fn positions(book: &[Entry]) -> Result<BTreeMap<Key, Position>, LedgerError> {
    let mut positions: BTreeMap<Key, Position> = BTreeMap::new();
    for entry in book {
        let key = entry.key();
        let position = positions.entry(key.clone()).or_insert_with_key(Position::new);
        position.last_transaction_no = Some(entry.transaction_no);
        let sum = match entry.account {
            Account::RebateExpense => position.booked.checked_add(entry.amount).map(|m| position.booked = m),
            Account::RebatesOnHold => position.held.checked_sub(entry.amount).map(|m| position.held = m),
            _ => Ok(()),
        };
        sum.map_err(|source| LedgerError::Amount { key, source })?;
    }
    Ok(positions)
}

fn by_key(targets: &[Target]) -> Result<BTreeMap<Key, Money>, LedgerError> {
    let mut map = BTreeMap::new();
    for target in targets {
        if map.insert(target.key(), target.amount).is_some() {
            return Err(LedgerError::TwoTargets(target.key()));
        }
    }
    Ok(map)
}

/// Numbers and chains new entries after a book.
struct Writer {
    head: Digest,
    last_entry_no: i64,
    last_transaction_no: i64,
    posting: Posting,
}

/// What the entries of a transaction share.
struct Draft<'a> {
    key: &'a Key,
    at: PostingDay,
    reason: &'a str,
    corrects: Option<i64>,
    source: String,
}

impl Writer {
    fn after(book: &[Entry]) -> Result<Writer, LedgerError> {
        let head = verify_chain(book)?;
        let last_entry_no = book.last().map_or(0, |e| e.entry_no);
        let last_transaction_no = book.iter().map(|e| e.transaction_no).max().unwrap_or(0);
        Ok(Writer {
            head,
            last_entry_no,
            last_transaction_no,
            posting: Posting::default(),
        })
    }

    fn move_key(
        &mut self,
        key: &Key,
        mut position: Position,
        target: Money,
        at: PostingDay,
        is_held: bool,
    ) -> Result<(), LedgerError> {
        let amount = |source: MoneyError| LedgerError::Amount {
            key: key.clone(),
            source,
        };
        let source = format!("target {target}");
        if !is_held && !position.held.is_zero() {
            let release = [
                (Account::RebatesOnHold, position.held),
                (Account::AccruedRebates, position.held.negated()),
            ];
            let corrects = position.last_transaction_no;
            let draft = Draft {
                key,
                at,
                reason: HOLD_RELEASED,
                corrects,
                source: source.clone(),
            };
            position.last_transaction_no = Some(self.transaction(&draft, &release)?);
            position.held = Money::zero(key.currency);
        }
        let delta = target.checked_sub(position.booked).map_err(amount)?;
        if delta.is_zero() {
            return Ok(());
        }
        let (held, accrued) = if is_held {
            split(delta, position.held).map_err(amount)?
        } else {
            (Money::zero(key.currency), delta)
        };
        let postings = [
            (Account::RebateExpense, delta),
            (Account::AccruedRebates, accrued.negated()),
            (Account::RebatesOnHold, held.negated()),
        ];
        let corrects = position.last_transaction_no;
        let reason = if corrects.is_none() { ACCRUAL } else { ADJUSTMENT };
        let transaction_no = self.transaction(
            &Draft {
                key,
                at,
                reason,
                corrects,
                source,
            },
            &postings,
        )?;
        self.posting.deltas.push(Delta {
            key: key.clone(),
            booked: position.booked,
            target,
            delta,
            transaction_no,
        });
        Ok(())
    }

    /// Appends a transaction; postings of zero are left out. Returns its number.
    fn transaction(&mut self, draft: &Draft<'_>, postings: &[(Account, Money)]) -> Result<i64, LedgerError> {
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
            self.last_entry_no = self.last_entry_no.checked_add(1).ok_or(LedgerError::Full)?;
            let mut entry = Entry {
                entry_no: self.last_entry_no,
                transaction_no: self.last_transaction_no,
                account: *account,
                amount: *amount,
                partner: draft.key.partner.clone(),
                scheme: draft.key.scheme.clone(),
                earning_period: draft.key.earning_period,
                period: draft.at.period,
                posting_on: draft.at.day,
                reason: draft.reason.to_owned(),
                corrects_transaction_no: draft.corrects,
                source: draft.source.clone(),
                previous_hash: self.head,
                entry_hash: self.head,
            };
            entry.entry_hash = entry_hash(&entry);
            self.head = entry.entry_hash;
            self.posting.entries.push(entry);
        }
        Ok(self.last_transaction_no)
    }
}

/// Which part of a difference concerns the hold, and which the accrual: more is kept back; less is taken from what is
/// kept back, as far as that goes.
fn split(delta: Money, held: Money) -> Result<(Money, Money), MoneyError> {
    if !delta.is_negative() {
        return Ok((delta, Money::zero(delta.currency())));
    }
    let from_hold = delta.minor_units().max(-held.minor_units());
    let from_hold = Money::from_minor(from_hold, delta.currency())?;
    Ok((from_hold, delta.checked_sub(from_hold)?))
}
