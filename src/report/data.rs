//! The rows of a report.
//!
//! Duty: tables as read, indexed by partner; names; sums of ledger entries. Not its duty: what is shown.

use std::collections::BTreeMap;

use super::{ReportError, Tables};
use crate::domain::{Currency, Dec, Money, Period, RowRef, Table, TableError, Value};

/// All rows of a report.
#[derive(Debug)]
pub struct Data {
    pub period: String,
    tables: Tables,
    empty: Table,
    /// Rows by table and partner.
    by_partner: BTreeMap<&'static str, BTreeMap<String, Vec<usize>>>,
    /// Latest version of each partner.
    names: BTreeMap<String, String>,
    regions: BTreeMap<String, String>,
}

impl Data {
    pub fn new(period: &str, tables: Tables) -> Result<Data, ReportError> {
        let mut by_partner: BTreeMap<&'static str, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
        for (name, table) in &tables {
            let Some(column) = table.column("partner_id") else {
                continue;
            };
            let index = by_partner.entry(name).or_default();
            for (i, row) in table.rows.iter().enumerate() {
                if let Value::Text(id) = &row[column] {
                    index.entry(id.to_string()).or_default().push(i);
                }
            }
        }
        let mut data = Data {
            period: period.to_owned(),
            tables,
            empty: Table::new("nothing", &[]),
            by_partner,
            names: BTreeMap::new(),
            regions: BTreeMap::new(),
        };
        let mut latest: BTreeMap<String, (crate::domain::Date, String)> = BTreeMap::new();
        for row in data.rows("partners") {
            let (id, from) = (row.text("partner_id")?.to_owned(), row.date("valid_from")?);
            let name = row.text("legal_name")?.to_owned();
            if latest.get(&id).is_none_or(|(known, _)| *known <= from) {
                latest.insert(id, (from, name));
            }
        }
        let mut regions = BTreeMap::new();
        for row in data.scores_of_period() {
            regions.insert(row.text("partner_id")?.to_owned(), row.text("region")?.to_owned());
        }
        data.names = latest.into_iter().map(|(id, (_, name))| (id, name)).collect();
        data.regions = regions;
        Ok(data)
    }

    pub fn table(&self, name: &str) -> &Table {
        self.tables.get(name).unwrap_or(&self.empty)
    }

    pub fn rows(&self, name: &str) -> impl Iterator<Item = RowRef<'_>> {
        self.table(name).iter()
    }

    /// Rows of one partner, and of nobody else.
    pub fn of<'d>(&'d self, name: &str, partner_id: &str) -> impl Iterator<Item = RowRef<'d>> + use<'d> {
        let table = self.table(name);
        let found = self.by_partner.get(name).and_then(|index| index.get(partner_id));
        found.into_iter().flatten().filter_map(|i| table.row(*i))
    }

    /// Whether the earning period of a row ends in the period of the report.
    pub fn is_earned_here(&self, row: RowRef<'_>) -> Result<bool, ReportError> {
        Ok(self.holds_end_of(row.text("earning_period")?))
    }

    /// Whether a period, which may be of another length, ends in the period of the report.
    pub fn holds_end_of(&self, period: &str) -> bool {
        let (other, own) = (Period::parse(period), Period::parse(&self.period));
        matches!((other, own), (Ok(other), Ok(own)) if other.ends_in(own))
    }

    /// Cards of the period.
    pub fn scores_of_period(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.rows("partner_scores")
            .filter(|row| row.text("period") == Ok(&self.period))
    }

    pub fn name_of(&self, partner_id: &str) -> String {
        self.names
            .get(partner_id)
            .cloned()
            .unwrap_or_else(|| partner_id.to_owned())
    }

    pub fn region_of(&self, partner_id: &str) -> &str {
        self.regions.get(partner_id).map_or("", String::as_str)
    }

    /// Partners of the period, by id.
    pub fn partners(&self) -> Result<Vec<String>, TableError> {
        let ids: Result<Vec<String>, TableError> = self
            .scores_of_period()
            .map(|row| Ok(row.text("partner_id")?.to_owned()))
            .collect();
        let mut ids = ids?;
        ids.sort();
        ids.dedup();
        Ok(ids)
    }
}

/// A value as text; null is empty.
pub fn text(row: RowRef<'_>, column: &str) -> Result<String, TableError> {
    Ok(row.get(column)?.to_string())
}

/// An amount with its currency in the same row.
pub fn money(row: RowRef<'_>, column: &str) -> Result<Option<Money>, ReportError> {
    let (Some(amount), Some(currency)) = (row.opt_dec(column)?, Currency::parse(row.text("currency")?)) else {
        return Ok(None);
    };
    Ok(Some(Money::exact(amount, currency)?))
}

/// Sums of money by key.
pub type Sums<K> = BTreeMap<K, Money>;

pub fn add<K: Ord>(sums: &mut Sums<K>, key: K, amount: Money) -> Result<(), ReportError> {
    let sum = sums.entry(key).or_insert(Money::zero(amount.currency()));
    *sum = sum.checked_add(amount)?;
    Ok(())
}

/// How often each key comes.
pub fn counted<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, i64> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_insert(0) += 1;
    }
    counts
}

/// A published score in hundredths.
pub fn hundredths(score: Dec) -> i64 {
    score
        .rescale(2)
        .and_then(|dec| i64::try_from(dec.units()).ok())
        .unwrap_or(0)
}
