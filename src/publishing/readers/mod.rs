//! What the programme's own people read: digest, settlement summary, run report.
//!
//! Duty: letters from the tables of a release, of the partners that a reader may see and of nobody else. Not its duty:
//! who gets them and when (`pipeline`), markup (`letter`).
//!
//! | letter | of | in |
//! |---|---|---|
//! | digest | an evaluation period that has ended | `digest` |
//! | settlement summary | a posting period that was closed | `settlement` |
//! | run report | what a release leaves to look at | `operations` |

mod digest;
mod operations;
mod settlement;

use std::collections::{BTreeMap, BTreeSet};

pub use digest::{Told, digest};
pub use operations::{nothing_left, operations};
pub use settlement::settlement;

use super::inputs::PublishingError;
use super::reader::value;
use crate::domain::{Currency, Date, Money, RowRef, Table, TableError};

/// Which partners a reader may see; both empty: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub regions: BTreeSet<String>,
    pub partners: BTreeSet<String>,
}

impl Scope {
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.regions.is_empty() && self.partners.is_empty()
    }

    #[must_use]
    pub fn takes(&self, partner: &str, region: &str) -> bool {
        self.is_all() || self.regions.contains(region) || self.partners.contains(partner)
    }
}

/// Tables by name, as in their contracts.
pub type Tables = BTreeMap<&'static str, Table>;

/// The tables, seen by a reader.
#[derive(Debug)]
pub struct Seen<'a> {
    tables: &'a Tables,
    scope: &'a Scope,
    /// Name and region of the latest version of each partner.
    partners: BTreeMap<String, (String, String)>,
    domains: BTreeMap<String, String>,
}

impl<'a> Seen<'a> {
    pub fn new(tables: &'a Tables, scope: &'a Scope) -> Result<Seen<'a>, PublishingError> {
        let mut latest: BTreeMap<String, (Date, String, String)> = BTreeMap::new();
        for row in tables["partners"].iter() {
            let (id, from) = (row.text("partner_id")?, row.date("valid_from")?);
            if latest.get(id).is_none_or(|(known, ..)| *known <= from) {
                let (name, region) = (row.text("legal_name")?.to_owned(), row.text("region")?.to_owned());
                latest.insert(id.to_owned(), (from, name, region));
            }
        }
        let mut domains = BTreeMap::new();
        for row in tables["domains"].iter() {
            domains.insert(row.text("domain")?.to_owned(), row.text("name")?.to_owned());
        }
        Ok(Seen {
            tables,
            scope,
            partners: latest
                .into_iter()
                .map(|(id, (_, name, region))| (id, (name, region)))
                .collect(),
            domains,
        })
    }

    /// Whether a partner may be seen.
    #[must_use]
    pub fn takes(&self, partner: &str) -> bool {
        let region = self.partners.get(partner).map_or("", |(_, region)| region);
        self.scope.takes(partner, region)
    }

    /// Partners that may be seen.
    pub fn partners(&self) -> impl Iterator<Item = &str> {
        self.partners.keys().map(String::as_str).filter(|id| self.takes(id))
    }

    /// Rows of a table about partners that may be seen, in the order of the table; none of a table that is not there.
    fn rows(&self, name: &str) -> Result<Vec<RowRef<'a>>, TableError> {
        let Some(table) = self.tables.get(name) else {
            return Ok(Vec::new());
        };
        let mut rows = Vec::new();
        for row in table.iter() {
            if self.takes(row.text("partner_id")?) {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// `Nordlicht Netze GmbH (P-0017)`.
    fn name(&self, partner: &str) -> String {
        match self.partners.get(partner) {
            Some((name, _)) => format!("{name} ({partner})"),
            None => partner.to_owned(),
        }
    }

    fn region(&self, partner: &str) -> &str {
        self.partners.get(partner).map_or("", |(_, region)| region)
    }

    fn domain(&self, id: &str) -> String {
        self.domains.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }
}

/// An amount with its currency in the same row.
fn money(row: RowRef<'_>, table: &'static str, column: &'static str) -> Result<Option<Money>, PublishingError> {
    let (Some(amount), Some(code)) = (row.opt_dec(column)?, row.opt_text("currency")?) else {
        return Ok(None);
    };
    let currency = Currency::parse(code).ok_or_else(|| value(table, "currency", code, "a currency of ISO 4217"))?;
    Ok(Some(Money::exact(amount, currency)?))
}

/// Adds to the sum of a key.
fn add<K: Ord>(sums: &mut BTreeMap<K, Money>, key: K, amount: Money) -> Result<(), PublishingError> {
    let sum = sums.entry(key).or_insert(Money::zero(amount.currency()));
    *sum = sum.checked_add(amount)?;
    Ok(())
}
