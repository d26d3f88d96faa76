//! Posting: from what is booked to what should be.
//!
//! Duty: the signed difference of each key as a balanced transaction; nothing where there is none. Not its duty:
//! changing an entry that is there.

use std::collections::{BTreeMap, BTreeSet};

use super::LedgerError;
use super::books::{Books, Draft};
use super::entry::{Account, Entry, Key, Reason};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::money::MoneyError;
use crate::domain::{Date, Money, Period};

/// What should have been earned to date on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub partner: PartnerId,
    pub scheme: SchemeId,
    pub earning_period: Period,
    pub amount: Money,
    /// What is earned is set aside for claims, and neither accrued nor settled.
    pub is_fund: bool,
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
    /// The earning period was settled finally: what changes is owed or claimed back at once and never accrued.
    pub is_final: bool,
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

/// Posts the difference between `targets` and `book`. A key that was booked and has no target any more has target
/// zero. Refuses a book whose chain is broken.
pub fn post(
    book: &[Entry],
    targets: &[Target],
    posting: &dyn Fn(Period) -> PostingDay,
    holds: &[Hold],
) -> Result<Posting, LedgerError> {
    let mut books = Books::open(book.to_vec())?;
    let deltas = post_to(&mut books, targets, posting, holds)?;
    let entries = books.added().to_vec();
    Ok(Posting { entries, deltas })
}

/// As [`post`], onto books that go on.
pub fn post_to(
    books: &mut Books,
    targets: &[Target],
    posting: &dyn Fn(Period) -> PostingDay,
    holds: &[Hold],
) -> Result<Vec<Delta>, LedgerError> {
    let positions = positions(books.entries())?;
    let targets = by_key(targets)?;
    let keys: BTreeSet<&Key> = positions.keys().chain(targets.keys()).collect();
    let mut deltas = Vec::new();
    for key in keys {
        let mut position = positions.get(key).copied().unwrap_or_else(|| Position::new(key));
        let (target, is_fund) = targets
            .get(key)
            .copied()
            .unwrap_or_else(|| (Money::zero(key.currency), false));
        // what has been set aside stays so, whatever the scheme has become
        position.is_fund |= is_fund && !position.is_accrued;
        let at = posting(key.earning_period);
        let is_held = holds
            .iter()
            .any(|h| h.partner == key.partner && h.from <= at.day && at.day < h.until);
        deltas.extend(move_key(books, key, position, target, at, is_held)?);
    }
    Ok(deltas)
}

/// What the book says of a key.
#[derive(Clone, Copy, Debug)]
struct Position {
    /// Balance of `rebate_expense`.
    booked: Money,
    /// Credit balance of `rebates_on_hold`.
    held: Money,
    last_transaction_no: Option<i64>,
    /// Its settlement was reversed, and it waits in the accrual to be settled again.
    is_reopened: bool,
    /// It was accrued, or set aside in a fund.
    is_accrued: bool,
    is_fund: bool,
}

impl Position {
    fn new(key: &Key) -> Position {
        let zero = Money::zero(key.currency);
        Position {
            booked: zero,
            held: zero,
            last_transaction_no: None,
            is_reopened: false,
            is_accrued: false,
            is_fund: false,
        }
    }
}

/// Of every key that a target was posted on.
fn positions(book: &[Entry]) -> Result<BTreeMap<Key, Position>, LedgerError> {
    let mut positions: BTreeMap<Key, Position> = BTreeMap::new();
    for entry in book {
        let is_of_target = entry.reason.is_of_target();
        let is_settlement = matches!(entry.reason, Reason::Settlement | Reason::Reversal);
        let concerns_key = is_of_target || is_settlement && entry.account == Account::AccruedRebates;
        if !concerns_key {
            continue;
        }
        let key = entry.key();
        let position = positions.entry(key.clone()).or_insert_with_key(Position::new);
        if is_settlement {
            position.is_reopened = entry.reason == Reason::Reversal;
            continue;
        }
        position.last_transaction_no = Some(entry.transaction_no);
        position.is_accrued |= entry.account == Account::AccruedRebates;
        position.is_fund |= entry.account == Account::PartnerFunds;
        let sum = match entry.account {
            Account::RebateExpense => position.booked.checked_add(entry.amount).map(|m| position.booked = m),
            Account::RebatesOnHold => position.held.checked_sub(entry.amount).map(|m| position.held = m),
            _ => Ok(()),
        };
        sum.map_err(|source| LedgerError::Amount { key, source })?;
    }
    Ok(positions)
}

/// What should be booked on each key, and whether it is set aside.
fn by_key(targets: &[Target]) -> Result<BTreeMap<Key, (Money, bool)>, LedgerError> {
    let mut map = BTreeMap::new();
    for target in targets {
        if map.insert(target.key(), (target.amount, target.is_fund)).is_some() {
            return Err(LedgerError::TwoTargets(target.key()));
        }
    }
    Ok(map)
}

fn move_key(
    books: &mut Books,
    key: &Key,
    mut position: Position,
    target: Money,
    at: PostingDay,
    is_held: bool,
) -> Result<Option<Delta>, LedgerError> {
    let amount = |source: MoneyError| LedgerError::Amount {
        key: key.clone(),
        source,
    };
    let is_final = at.is_final && !position.is_reopened;
    // a credit to the partner, or what is claimed back
    let owed = |amount: Money| match (is_final, amount.is_negative()) {
        _ if position.is_fund => Account::PartnerFunds,
        (false, _) => Account::AccruedRebates,
        (true, false) => Account::PartnerPayable,
        (true, true) => Account::PartnerReceivable,
    };
    let mut draft = Draft {
        key,
        at,
        reason: Reason::HoldReleased,
        corrects: position.last_transaction_no,
        source: format!("target {target}"),
    };
    if !is_held && !position.held.is_zero() {
        let release = [
            (Account::RebatesOnHold, position.held),
            (owed(position.held), position.held.negated()),
        ];
        position.last_transaction_no = Some(books.transaction(&draft, &release)?);
        position.held = Money::zero(key.currency);
    }
    let delta = target.checked_sub(position.booked).map_err(amount)?;
    if delta.is_zero() {
        return Ok(None);
    }
    let (held, rest) = if is_held {
        split(delta, position.held).map_err(amount)?
    } else {
        (Money::zero(key.currency), delta)
    };
    let postings = [
        (Account::RebateExpense, delta),
        (owed(rest), rest.negated()),
        (Account::RebatesOnHold, held.negated()),
    ];
    draft.corrects = position.last_transaction_no;
    draft.reason = if draft.corrects.is_none() {
        Reason::Accrual
    } else {
        Reason::Adjustment
    };
    let transaction_no = books.transaction(&draft, &postings)?;
    Ok(Some(Delta {
        key: key.clone(),
        booked: position.booked,
        target,
        delta,
        transaction_no,
    }))
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
