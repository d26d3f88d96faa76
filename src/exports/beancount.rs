//! The books as a journal that beancount reads.
//!
//! Duty: one transaction for each of ours, accounts opened, and on the day behind the last the balances that this program
//! computes itself, without tolerance. Must not: write the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::domain::time::add_days;
use crate::domain::{Currency, Date};
use crate::ledger::balance::{by_account, by_partner};
use crate::ledger::chain::head;
use crate::ledger::{Account, Entry, LedgerError};

/// The journal of a whole book; the same book gives the same bytes. Refuses a book whose chain is broken.
///
/// Accounts are `<Class>:<Name>:<partner>`; transaction numbers, entry numbers and hashes are metadata.
pub fn export(entries: &[Entry]) -> Result<String, LedgerError> {
    let head = head(entries)?;
    let mut text = String::new();
    // writing to a string cannot fail
    let _ = writeln!(
        text,
        "; rebate ledger, {} entries, head hash {}",
        head.entries, head.hash
    );
    let currencies: BTreeSet<Currency> = entries.iter().map(|e| e.amount.currency()).collect();
    for currency in &currencies {
        let _ = writeln!(text, "option \"operating_currency\" \"{currency}\"");
    }
    let _ = writeln!(text);
    let Some(first) = entries.iter().map(|e| e.posting_on).min() else {
        return Ok(text);
    };
    for account in opened(entries) {
        let _ = writeln!(text, "{first} open {account}");
    }
    for transaction in entries.chunk_by(|a, b| a.transaction_no == b.transaction_no) {
        write_transaction(&mut text, transaction);
    }
    write_balances(&mut text, entries)?;
    Ok(text)
}

fn opened(entries: &[Entry]) -> BTreeSet<String> {
    let of_partner = entries.iter().map(|e| account(e.account, e.partner.as_str()));
    let whole = entries.iter().map(|e| root(e.account).to_owned());
    of_partner.chain(whole).collect()
}

fn write_transaction(text: &mut String, transaction: &[Entry]) {
    let Some(first) = transaction.first() else { return };
    let _ = writeln!(
        text,
        "\n{} * \"{}\" \"{} {} {}\"",
        first.posting_on,
        quoted(first.partner.as_str()),
        first.reason,
        quoted(first.scheme.as_str()),
        first.earning_period
    );
    let _ = writeln!(text, "  transaction_no: {}", first.transaction_no);
    let _ = writeln!(text, "  source: \"{}\"", quoted(&first.source));
    for entry in transaction {
        let name = account(entry.account, entry.partner.as_str());
        let _ = writeln!(text, "  {name}  {}", entry.amount);
        let _ = writeln!(text, "    entry_no: {}", entry.entry_no);
        let _ = writeln!(text, "    entry_hash: \"{}\"", entry.entry_hash);
    }
}

/// A balance holds at the beginning of its day.
fn write_balances(text: &mut String, entries: &[Entry]) -> Result<(), LedgerError> {
    let Some(day) = entries.iter().map(|e| e.posting_on).max().map(|last| add_days(last, 1)) else {
        return Ok(());
    };
    let _ = writeln!(text);
    let mut partners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for ((of, currency, partner), balance) in by_partner(entries)? {
        let line = format!("{} ~ 0 {currency}", balance.dec());
        partners.entry(account(of, partner.as_str())).or_default().push(line);
    }
    let mut assert = |day: Date, account: &str, amount: &str| {
        let _ = writeln!(text, "{day} balance {account}  {amount}");
    };
    for (account, amounts) in &partners {
        amounts.iter().for_each(|amount| assert(day, account, amount));
    }
    for ((of, currency), balance) in by_account(entries)? {
        assert(day, root(of), &format!("{} ~ 0 {currency}", balance.dec()));
    }
    Ok(())
}

fn root(account: Account) -> &'static str {
    match account {
        Account::RebateExpense => "Expenses:Rebates",
        Account::AccruedRebates => "Liabilities:Accrued-Rebates",
        Account::RebatesOnHold => "Liabilities:Rebates-On-Hold",
        Account::PartnerPayable => "Liabilities:Partner-Payable",
        Account::SettlementClearing => "Assets:Settlement-Clearing",
        Account::PartnerReceivable => "Assets:Partner-Receivable",
        Account::PartnerFunds => "Liabilities:Partner-Funds",
    }
}

fn account(account: Account, partner: &str) -> String {
    format!("{}:{}", root(account), component(partner))
}

/// A part of an account's name begins with a capital or a digit and holds letters, digits and hyphens. An id that does not,
/// or that looks like what is written instead, is written as `X-` and its bytes in hex: no two ids become one.
fn component(id: &str) -> String {
    let begins = id
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let holds = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if begins && holds && !id.starts_with("X-") {
        return id.to_owned();
    }
    let mut name = "X-".to_owned();
    for byte in id.bytes() {
        let _ = write!(name, "{byte:02X}");
    }
    name
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fixture::{book, targets};

    #[test]
    fn a_journal_opens_posts_and_asserts() {
        let entries = book(&[targets(&["P1 bonus 2026-Q3 10.05 EUR"])]);
        let text = export(&entries).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for expected in [
            "option \"operating_currency\" \"EUR\"",
            "2026-10-12 open Expenses:Rebates",
            "2026-10-12 open Expenses:Rebates:P1",
            "2026-10-12 * \"P1\" \"accrual bonus 2026-Q3\"",
            "  source: \"target 10.05 EUR\"",
            "  Liabilities:Accrued-Rebates:P1  -10.05 EUR",
            "2026-10-13 balance Expenses:Rebates:P1  10.05 ~ 0 EUR",
            "2026-10-13 balance Liabilities:Accrued-Rebates  -10.05 ~ 0 EUR",
        ] {
            assert!(lines.contains(&expected), "{expected}\n{text}");
        }
        assert!(export(&[]).unwrap().contains("0 entries"));
        let mut broken = entries;
        broken[0].entry_no = 2;
        assert!(matches!(export(&broken), Err(LedgerError::Chain(_))));
    }

    #[test]
    fn an_id_cannot_leave_its_place() {
        assert_eq!(component("EM-0001"), "EM-0001");
        assert_eq!(component("a:b"), "X-613A62");
        assert_eq!(component("X-61"), "X-582D3631");
        assert_eq!(component("é"), "X-C3A9");
        assert_eq!(quoted("a \"b\" \\"), "a \\\"b\\\" \\\\");
    }
}
