//! Balances.
//!
//! Duty: sums of entries by account, currency, partner and key. Not its duty: judging them.

use std::collections::BTreeMap;

use super::LedgerError;
use super::entry::{Account, Entry, Key};
use crate::domain::ids::PartnerId;
use crate::domain::{Currency, Money};

/// The sub-ledger: balances by account, currency and partner; debit positive. Accounts once used stay, at zero.
pub fn by_partner(entries: &[Entry]) -> Result<BTreeMap<(Account, Currency, PartnerId), Money>, LedgerError> {
    sums(entries, |e| Some((e.account, e.amount.currency(), e.partner.clone())))
}

/// The ledger: balances by account and currency.
pub fn by_account(entries: &[Entry]) -> Result<BTreeMap<(Account, Currency), Money>, LedgerError> {
    sums(entries, |e| Some((e.account, e.amount.currency())))
}

/// Everything by currency: zero in each, or the books do not balance.
pub fn trial_balance(entries: &[Entry]) -> Result<BTreeMap<Currency, Money>, LedgerError> {
    sums(entries, |e| Some(e.amount.currency()))
}

/// What is booked as earned on each key: what targets moved on `rebate_expense`. Adjustments by people are not earned.
pub fn booked(entries: &[Entry]) -> Result<BTreeMap<Key, Money>, LedgerError> {
    sums(entries, |e| {
        (e.account == Account::RebateExpense && e.reason.is_of_target()).then(|| e.key())
    })
}

/// Sums of entries by a key that tells currencies apart; entries without one are left out.
pub(super) fn sums<K: Ord>(
    entries: &[Entry],
    key: impl Fn(&Entry) -> Option<K>,
) -> Result<BTreeMap<K, Money>, LedgerError> {
    let mut sums = BTreeMap::new();
    for entry in entries {
        let Some(key) = key(entry) else { continue };
        let sum = sums.entry(key).or_insert_with(|| Money::zero(entry.amount.currency()));
        *sum = sum.checked_add(entry.amount).map_err(|source| LedgerError::Amount {
            key: entry.key(),
            source,
        })?;
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{book, targets};
    use super::*;

    #[test]
    fn balances_by_partner_add_up_to_those_by_account() {
        let first = targets(&["P1 a 2026-Q3 10.00 EUR", "P1 b 2026-Q3 5.00 EUR", "P2 a 2026-Q3 20 JPY"]);
        let entries = book(&[first, targets(&["P1 a 2026-Q3 7.00 EUR", "P2 a 2026-Q3 20 JPY"])]);
        let shown: Vec<String> = by_partner(&entries)
            .unwrap()
            .iter()
            .map(|((account, _, p), m)| format!("{account} {p} {m}"))
            .collect();
        let expected = [
            "rebate_expense P1 7.00 EUR",
            "rebate_expense P2 20 JPY",
            "accrued_rebates P1 -7.00 EUR",
            "accrued_rebates P2 -20 JPY",
        ];
        assert_eq!(shown, expected);
        assert!(trial_balance(&entries).unwrap().values().all(|m| m.is_zero()));
        let booked: Vec<String> = booked(&entries)
            .unwrap()
            .iter()
            .map(|(k, m)| format!("{} {m}", k.scheme))
            .collect();
        assert_eq!(booked, ["a 7.00 EUR", "b 0.00 EUR", "a 20 JPY"]);
    }
}
