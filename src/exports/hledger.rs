//! The books as a journal in the plain-text accounting format that hledger reads.
//!
//! Duty: one transaction for each of ours, everything declared, and at the end the balances that this program
//! computes itself, so that the outside tool proves both. Not its duty: writing the file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::domain::ids::PartnerId;
use crate::domain::{Currency, Dec, Money};
use crate::ledger::balance::{by_account, by_partner};
use crate::ledger::chain::head;
use crate::ledger::{Account, Entry, LedgerError};

/// The journal of a whole book; the same book gives the same bytes. Refuses a book whose chain is broken.
///
/// Accounts are `<class>:<name>:<partner>`, transaction numbers stand as codes, entry numbers and hashes as tags.
/// Amounts have exactly the decimals of their currency.
pub fn export(entries: &[Entry]) -> Result<String, LedgerError> {
    let head = head(entries)?;
    let mut text = String::new();
    // writing to a string cannot fail
    let _ = writeln!(
        text,
        "; rebate ledger, {} entries, head hash {}",
        head.entries, head.hash
    );
    let _ = writeln!(text, "decimal-mark .\n");
    declare(&mut text, entries);
    for transaction in entries.chunk_by(|a, b| a.transaction_no == b.transaction_no) {
        write_transaction(&mut text, transaction);
    }
    write_assertions(&mut text, entries)?;
    Ok(text)
}

fn declare(text: &mut String, entries: &[Entry]) {
    let currencies: BTreeSet<Currency> = entries.iter().map(|e| e.amount.currency()).collect();
    for currency in currencies {
        let sample = Dec::new(
            1000 * 10_i128.pow(u32::from(currency.minor_digits())),
            currency.minor_digits(),
        );
        // a format needs a decimal mark even where there are no decimals
        let mark = if currency.minor_digits() == 0 { "." } else { "" };
        let _ = writeln!(text, "commodity {sample}{mark} {currency}");
    }
    let accounts: BTreeSet<Account> = entries.iter().map(|e| e.account).collect();
    let partners: BTreeSet<(Account, &PartnerId)> = entries.iter().map(|e| (e.account, &e.partner)).collect();
    let names = accounts.into_iter().map(|a| root(a).to_owned());
    for name in names.chain(partners.into_iter().map(|(a, p)| account(a, p))) {
        let _ = writeln!(text, "account {name}");
    }
}

fn write_transaction(text: &mut String, transaction: &[Entry]) {
    let Some(first) = transaction.first() else { return };
    let (day, number, reason) = (first.posting_on, first.transaction_no, first.reason);
    let _ = writeln!(
        text,
        "\n{day} ({number}) {reason} {} {}",
        escape(first.scheme.as_str()),
        first.earning_period
    );
    for entry in transaction {
        let name = account(entry.account, &entry.partner);
        let _ = writeln!(
            text,
            "    {name}  {}  ; entry:{}, hash:{}",
            entry.amount, entry.entry_no, entry.entry_hash
        );
    }
}

/// One last transaction of zeros that asserts every balance, of each partner's account and of the account as a whole.
fn write_assertions(text: &mut String, entries: &[Entry]) -> Result<(), LedgerError> {
    let Some(day) = entries.iter().map(|e| e.posting_on).max() else {
        return Ok(());
    };
    let _ = writeln!(text, "\n{day} balances");
    for ((of, currency, partner), balance) in by_partner(entries)? {
        let _ = writeln!(
            text,
            "    {}  {} = {balance}",
            account(of, &partner),
            Money::zero(currency)
        );
    }
    for ((of, currency), balance) in by_account(entries)? {
        let _ = writeln!(text, "    {}  {} =* {balance}", root(of), Money::zero(currency));
    }
    Ok(())
}

fn root(account: Account) -> &'static str {
    match account {
        Account::RebateExpense => "expenses:rebates",
        Account::AccruedRebates => "liabilities:accrued-rebates",
        Account::RebatesOnHold => "liabilities:rebates-on-hold",
        Account::PartnerPayable => "liabilities:partner-payable",
        Account::SettlementClearing => "assets:settlement-clearing",
        Account::PartnerReceivable => "assets:partner-receivable",
        Account::PartnerFunds => "liabilities:partner-funds",
    }
}

fn account(account: Account, partner: &PartnerId) -> String {
    format!("{}:{}", root(account), escape(partner.as_str()))
}

/// Keeps letters, digits, `_`, `-` and `.` of ASCII; every other byte becomes `%` and two hex digits. So no id can
/// end a name, open a comment or make a level of accounts, and different ids stay different.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fixture::{book, targets};

    #[test]
    fn a_journal_declares_posts_and_asserts() {
        let first = targets(&["P1 bonus 2026-Q3 10.05 EUR", "P2 bonus 2026-Q3 20 JPY"]);
        let entries = book(&[
            first,
            targets(&["P1 bonus 2026-Q3 7.00 EUR", "P2 bonus 2026-Q3 20 JPY"]),
        ]);
        let hash = |n: usize| entries[n - 1].entry_hash;
        let expected = format!(
            "; rebate ledger, 6 entries, head hash {}
decimal-mark .

commodity 1000.00 EUR
commodity 1000. JPY
account expenses:rebates
account liabilities:accrued-rebates
account expenses:rebates:P1
account expenses:rebates:P2
account liabilities:accrued-rebates:P1
account liabilities:accrued-rebates:P2

2026-10-12 (1) accrual bonus 2026-Q3
    expenses:rebates:P1  10.05 EUR  ; entry:1, hash:{}
    liabilities:accrued-rebates:P1  -10.05 EUR  ; entry:2, hash:{}

2026-10-12 (2) accrual bonus 2026-Q3
    expenses:rebates:P2  20 JPY  ; entry:3, hash:{}
    liabilities:accrued-rebates:P2  -20 JPY  ; entry:4, hash:{}

2026-10-12 (3) adjustment bonus 2026-Q3
    expenses:rebates:P1  -3.05 EUR  ; entry:5, hash:{}
    liabilities:accrued-rebates:P1  3.05 EUR  ; entry:6, hash:{}

2026-10-12 balances
    expenses:rebates:P1  0.00 EUR = 7.00 EUR
    expenses:rebates:P2  0 JPY = 20 JPY
    liabilities:accrued-rebates:P1  0.00 EUR = -7.00 EUR
    liabilities:accrued-rebates:P2  0 JPY = -20 JPY
    expenses:rebates  0.00 EUR =* 7.00 EUR
    expenses:rebates  0 JPY =* 20 JPY
    liabilities:accrued-rebates  0.00 EUR =* -7.00 EUR
    liabilities:accrued-rebates  0 JPY =* -20 JPY
",
            hash(6),
            hash(1),
            hash(2),
            hash(3),
            hash(4),
            hash(5),
            hash(6)
        );
        assert_eq!(export(&entries).unwrap(), expected);
    }

    #[test]
    fn an_id_cannot_leave_its_place() {
        assert_eq!(escape("A:b  ; c"), "A%3Ab%20%20%3B%20c");
        assert_eq!(escape("Café (1)"), "Caf%C3%A9%20%281%29");
        assert_ne!(escape("a:b"), escape("a%3Ab"));
        assert_eq!(escape("P-00_1.x"), "P-00_1.x");
    }

    #[test]
    fn an_empty_book_is_a_journal_and_a_broken_one_is_not() {
        assert!(
            export(&[])
                .unwrap()
                .starts_with("; rebate ledger, 0 entries, head hash 0000")
        );
        let mut entries = book(&[targets(&["P1 bonus 2026-Q3 10.05 EUR"])]);
        entries[0].entry_no = 2;
        assert!(matches!(export(&entries), Err(LedgerError::Chain(_))));
    }
}
