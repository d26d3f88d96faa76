//! The journal as CSV for an ERP, with a chart of accounts of its own.
//!
//! Duty: one line for each entry; account codes and cost centres from a chart that finance writes. Must not: know any ERP.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::domain::Period;
use crate::ledger::chain::verify_chain;
use crate::ledger::{Account, Entry, LedgerError};

/// Columns of the file.
pub const COLUMNS: [&str; 18] = [
    "entry_no",
    "transaction_no",
    "posting_on",
    "period",
    "account",
    "cost_centre",
    "debit",
    "credit",
    "currency",
    "partner_id",
    "partner_account",
    "scheme",
    "earning_period",
    "reason",
    "corrects_transaction_no",
    "source",
    "entry_hash",
    "text",
];

/// Codes by our names, as a TOML file says them. What it does not name keeps our name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// By account, such as `rebate_expense = "640100"`.
    #[serde(default)]
    pub accounts: BTreeMap<String, String>,
    /// By scheme; `default` for every other.
    #[serde(default)]
    pub cost_centres: BTreeMap<String, String>,
    /// Vendor or customer number by partner.
    #[serde(default)]
    pub partners: BTreeMap<String, String>,
}

impl Chart {
    /// Reads a chart, or says what is wrong with it.
    pub fn read(text: &str) -> Result<Chart, String> {
        let chart: Chart = toml::from_str(text).map_err(|e| e.to_string())?;
        let known: BTreeSet<&str> = Account::ALL.iter().map(|a| a.as_str()).collect();
        let unknown: Vec<&str> = chart
            .accounts
            .keys()
            .map(String::as_str)
            .filter(|name| !known.contains(name))
            .collect();
        if !unknown.is_empty() {
            let known: Vec<&str> = known.into_iter().collect();
            return Err(format!(
                "[accounts] names {}, which is no account; there are {}",
                unknown.join(", "),
                known.join(", ")
            ));
        }
        let codes = chart
            .accounts
            .values()
            .chain(chart.cost_centres.values())
            .chain(chart.partners.values());
        match codes.into_iter().find(|code| code.trim().is_empty()) {
            Some(_) => Err("a code is blank: write it, or remove its line".to_owned()),
            None => Ok(chart),
        }
    }

    fn account(&self, account: Account) -> &str {
        self.accounts
            .get(account.as_str())
            .map_or(account.as_str(), String::as_str)
    }

    fn cost_centre(&self, scheme: &str) -> &str {
        let found = self.cost_centres.get(scheme).or(self.cost_centres.get("default"));
        found.map_or("", String::as_str)
    }
}

/// The journal of a book, of one posting period where one is named. Refuses a book whose chain is broken.
///
/// Key: `entry_no`. A debit stands in `debit`, a credit in `credit`, both without a sign, in the decimals of the currency.
pub fn export(entries: &[Entry], chart: &Chart, period: Option<Period>) -> Result<String, LedgerError> {
    verify_chain(entries)?;
    let mut csv = csv::Writer::from_writer(Vec::new());
    let failed = |e: &dyn std::fmt::Display| LedgerError::Export(e.to_string());
    csv.write_record(COLUMNS).map_err(|e| failed(&e))?;
    for e in entries.iter().filter(|e| period.is_none_or(|p| e.period == p)) {
        let amount = e.amount.dec().to_string();
        let (debit, credit) = match amount.strip_prefix('-') {
            None => (amount.as_str(), ""),
            Some(credit) => ("", credit),
        };
        let numbers = [e.entry_no.to_string(), e.transaction_no.to_string()];
        let corrects = e.corrects_transaction_no.map_or_else(String::new, |n| n.to_string());
        let (period, earning, on) = (
            e.period.to_string(),
            e.earning_period.to_string(),
            e.posting_on.to_string(),
        );
        let (hash, currency) = (e.entry_hash.to_string(), e.amount.currency().to_string());
        let says = format!("{} {} {}", e.reason, e.scheme, e.earning_period);
        let partner = e.partner.as_str();
        let fields = [
            numbers[0].as_str(),
            numbers[1].as_str(),
            &on,
            &period,
            chart.account(e.account),
            chart.cost_centre(e.scheme.as_str()),
            debit,
            credit,
            &currency,
            partner,
            chart.partners.get(partner).map_or(partner, String::as_str),
            e.scheme.as_str(),
            &earning,
            e.reason.as_str(),
            &corrects,
            &e.source,
            &hash,
            &says,
        ];
        csv.write_record(fields.map(|field| guarded(field).into_owned().into_bytes()))
            .map_err(|e| failed(&e))?;
    }
    let bytes = csv.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}

/// What a spreadsheet would take for a formula stands behind an apostrophe.
fn guarded(field: &str) -> Cow<'_, str> {
    let is_formula = field.starts_with(['=', '+', '@', '\t', '\r']) || (field.starts_with('-') && field.len() > 1);
    if is_formula {
        Cow::Owned(format!("'{field}"))
    } else {
        Cow::Borrowed(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fixture::{book, targets};

    #[test]
    fn a_chart_names_codes_and_what_it_leaves_out_keeps_its_name() {
        let chart = Chart::read(
            "[accounts]\nrebate_expense = \"640100\"\n[cost_centres]\ndefault = \"4711\"\n[partners]\nP1 = \"V-77\"\n",
        )
        .unwrap();
        let entries = book(&[targets(&["P1 bonus 2026-Q3 10.05 EUR"])]);
        let text = export(&entries, &chart, None).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        let hash = |n: usize| entries[n].entry_hash;
        assert_eq!(
            lines[1],
            format!(
                "1,1,2026-10-12,2026-Q4,640100,4711,10.05,,EUR,P1,V-77,bonus,2026-Q3,accrual,,target 10.05 EUR,{},accrual bonus 2026-Q3",
                hash(0)
            )
        );
        assert!(lines[2].contains(",accrued_rebates,4711,,10.05,EUR,"), "{}", lines[2]);
        let other = Period::parse("2026-Q3").unwrap();
        assert_eq!(export(&entries, &chart, Some(other)).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_chart_that_is_wrong_is_refused() {
        let error = Chart::read("[accounts]\nrebates = \"1\"\n").unwrap_err();
        assert!(error.starts_with("[accounts] names rebates, which is no account; there are accrued_rebates"));
        assert!(
            Chart::read("[accounts]\nrebate_expense = \" \"\n")
                .unwrap_err()
                .contains("blank")
        );
        assert!(Chart::read("[account]\n").is_err());
    }

    #[test]
    fn nothing_from_data_is_a_formula() {
        assert_eq!(guarded("=1+1"), "'=1+1");
        assert_eq!(guarded("-cmd"), "'-cmd");
        assert_eq!(guarded("\tx"), "'\tx");
        assert_eq!(guarded("-"), "-");
    }
}
