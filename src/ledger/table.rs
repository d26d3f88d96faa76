//! Entries as rows of the table `ledger`.
//!
//! Duty: columns, and reading them back without loss. Not its duty: whether the book is in order.

use super::LedgerError;
use super::entry::{Account, Entry, Reason};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Currency, Digest, Money, Period, RowRef, Table};

const COLUMNS: [&str; 15] = [
    "entry_no",
    "transaction_no",
    "account",
    "amount",
    "currency",
    "partner_id",
    "scheme",
    "earning_period",
    "period",
    "posting_on",
    "reason",
    "corrects_transaction_no",
    "source",
    "previous_hash",
    "entry_hash",
];

/// Decimals of the column `amount`: enough for every currency.
const AMOUNT_PLACES: u8 = 4;

/// Entries as rows, in the order given.
#[must_use]
pub fn to_table(entries: &[Entry]) -> Table {
    let mut table = Table::new("ledger", &COLUMNS);
    for e in entries {
        // 29 digits and at most 4 more decimals stay far below the 38 digits of a decimal
        let amount = e.amount.dec().rescale(AMOUNT_PLACES).unwrap_or_else(|| e.amount.dec());
        table.push(vec![
            e.entry_no.into(),
            e.transaction_no.into(),
            e.account.as_str().into(),
            amount.into(),
            e.amount.currency().code().into(),
            e.partner.as_str().into(),
            e.scheme.as_str().into(),
            e.earning_period.to_string().into(),
            e.period.to_string().into(),
            e.posting_on.into(),
            e.reason.as_str().into(),
            e.corrects_transaction_no.into(),
            e.source.as_str().into(),
            e.previous_hash.into(),
            e.entry_hash.into(),
        ]);
    }
    table
}

/// Rows as entries, by number: the files of a partitioned table come in no order. Two rows of one number both stay,
/// for the chain to find.
pub fn from_table(table: &Table) -> Result<Vec<Entry>, LedgerError> {
    let mut entries = table.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|e| e.entry_no);
    Ok(entries)
}

fn entry(row: RowRef<'_>) -> Result<Entry, LedgerError> {
    let entry_no = row.int("entry_no")?;
    let wrong = |column: &'static str, problem: String| {
        let value = row.get(column).map(ToString::to_string).unwrap_or_default();
        LedgerError::Value {
            entry_no,
            column,
            value,
            problem,
        }
    };
    let period = |column| Period::parse(row.text(column)?).map_err(|_| wrong(column, "is no period".to_owned()));
    let digest =
        |column| Digest::parse(row.text(column)?).ok_or_else(|| wrong(column, "is no SHA-256 digest".to_owned()));
    let currency = Currency::parse(row.text("currency")?)
        .ok_or_else(|| wrong("currency", "is no currency of ISO 4217".to_owned()))?;
    let account = Account::parse(row.text("account")?).ok_or_else(|| wrong("account", "is no account".to_owned()))?;
    let reason = Reason::parse(row.text("reason")?).ok_or_else(|| wrong("reason", "is no reason".to_owned()))?;
    Ok(Entry {
        entry_no,
        transaction_no: row.int("transaction_no")?,
        account,
        amount: Money::exact(row.dec("amount")?, currency)
            .map_err(|e| wrong("amount", format!("is no {currency}: {e}")))?,
        partner: PartnerId::new(row.text("partner_id")?).map_err(|e| wrong("partner_id", e.to_string()))?,
        scheme: SchemeId::new(row.text("scheme")?).map_err(|e| wrong("scheme", e.to_string()))?,
        earning_period: period("earning_period")?,
        period: period("period")?,
        posting_on: row.date("posting_on")?,
        reason,
        corrects_transaction_no: row.opt_int("corrects_transaction_no")?,
        source: row.text("source")?.to_owned(),
        previous_hash: digest("previous_hash")?,
        entry_hash: digest("entry_hash")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{book, targets};
    use super::super::verify_chain;
    use super::*;
    use crate::domain::{Dec, Value};

    fn sample() -> Vec<Entry> {
        let first = targets(&[
            "P1 a 2026-Q3 10.05 EUR",
            "P2 a 2026-FY 20 JPY",
            "P3 a 2026-M07 -1.234 KWD",
        ]);
        book(&[first, targets(&["P1 a 2026-Q3 9.05 EUR"])])
    }

    #[test]
    fn what_is_written_is_read_back_in_any_order() {
        let entries = sample();
        let mut table = to_table(&entries);
        table.rows.reverse();
        let read = from_table(&table).unwrap();
        assert_eq!(read, entries);
        verify_chain(&read).unwrap();
        assert_eq!(
            to_table(&entries)
                .iter()
                .next()
                .unwrap()
                .dec("amount")
                .unwrap()
                .to_string(),
            "10.0500"
        );
    }

    #[test]
    fn what_is_no_entry_is_named() {
        let broken = |column: &str, value: Value| {
            let mut table = to_table(&sample());
            let at = table.column(column).unwrap();
            table.rows[1][at] = value;
            from_table(&table).unwrap_err().to_string()
        };
        assert_eq!(
            broken("currency", "EUX".into()),
            "table ledger, entry 2, column currency: 'EUX' is no currency of ISO 4217"
        );
        assert_eq!(
            broken("account", "cash".into()),
            "table ledger, entry 2, column account: 'cash' is no account"
        );
        let cent = Value::Dec(Dec::parse("-10.0501").unwrap());
        assert!(broken("amount", cent).starts_with("table ledger, entry 2, column amount: '-10.0501' is no EUR: "));
        assert!(broken("entry_hash", "abc".into()).ends_with("'abc' is no SHA-256 digest"));
        assert!(broken("period", "2026".into()).ends_with("column period: '2026' is no period"));
        assert_eq!(
            broken("source", Value::Null),
            "table ledger, column source: expected text, found null ''"
        );
    }
}
