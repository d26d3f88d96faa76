//! The tables that scorecards are made from, with the rows of each partner found once.
//!
//! Duty: an index from partner to rows, and reading a fixed list of columns of them in a fixed order, so that what is
//! shown and what is hashed are the same. Not its duty: what the rows mean.

use std::collections::BTreeMap;

use thiserror::Error;

use super::money_ahead::SchemeTerms;
use crate::domain::hash::Hasher;
use crate::domain::ids::{IdError, PartnerId, SchemeId};
use crate::domain::money::MoneyError;
use crate::domain::{Date, Instant, Period, Row, RowRef, Table, TableError};
use crate::rules::{GradeBands, PartsMode};

/// The world is not as it must be; nothing is rendered for this partner.
#[derive(Debug, Error)]
pub enum PublishingError {
    #[error("partner {partner} has no row in partner_scores for {period}: evaluate the period first")]
    NoCard { partner: PartnerId, period: Period },
    #[error("partner {partner} has no document {number} in settlements")]
    NoDocument { number: String, partner: PartnerId },
    #[error("partner {partner} is not in the partners table: deliver the partners feed")]
    NoPartner { partner: PartnerId },
    #[error("partner {partner} has no row in calendar_partner_periods for {period}: rebuild the calendar")]
    NoCalendar { partner: PartnerId, period: Period },
    #[error("table {table} gave a row of '{found}' to the scorecard of {partner}: refused")]
    Foreign {
        table: String,
        partner: PartnerId,
        found: String,
    },
    #[error("table {table}, column {column}: '{found}' is not {expected}")]
    Value {
        table: &'static str,
        column: &'static str,
        found: String,
        expected: &'static str,
    },
    #[error("the ledger of {partner} does not balance in {currency} up to {period}: verify the ledger")]
    Unbalanced {
        partner: PartnerId,
        currency: String,
        period: Period,
    },
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error("the scorecard template failed: {0}")]
    Template(String),
}

/// What scorecards are made from. Tables as in their contracts; `partners` and `domains` are the feeds.
#[derive(Clone, Copy, Debug)]
pub struct PublishingTables<'a> {
    pub partners: &'a Table,
    pub domains: &'a Table,
    pub calendar_partner_periods: &'a Table,
    pub metrics: &'a Table,
    pub scores: &'a Table,
    pub partner_scores: &'a Table,
    pub key_event_points: &'a Table,
    pub rebates: &'a Table,
    pub ledger: &'a Table,
    pub score_changes: &'a Table,
    pub next_steps: &'a Table,
    pub effective_certifications: &'a Table,
    pub engineers: &'a Table,
    pub reviews: &'a Table,
    pub review_criteria: &'a Table,
}

/// What holds for a whole run or a region rather than for one row.
#[derive(Clone, Copy, Debug)]
pub struct Programme<'a> {
    /// Name of the programme, as partners know it.
    pub name: &'a str,
    /// Mail address that questions and objections go to.
    pub contact: &'a str,
    /// The facts that count were known by then.
    pub as_of: Instant,
    /// Days, counted from the day of `as_of`, within which a result can be contested.
    pub contest_days: u32,
    /// Day on which the period was closed; `None` while it is open.
    pub closed_on: Option<Date>,
}

/// What the scorecard takes from the rules of the partner's region.
#[derive(Clone, Copy, Debug)]
pub struct CardTerms<'a> {
    pub grades: &'a GradeBands,
    pub parts_mode: PartsMode,
    pub schemes: &'a BTreeMap<SchemeId, SchemeTerms>,
    /// Last day of the next evaluation period.
    pub next_ends_on: Date,
    /// Day of the next regular review of certifications.
    pub next_review_on: Option<Date>,
}

/// The tables with an index of each partner's rows. Build it once for all partners of a run.
#[derive(Debug)]
pub struct PublishingInputs<'a> {
    pub programme: Programme<'a>,
    pub(super) partners: Indexed<'a>,
    pub(super) domains: &'a Table,
    pub(super) calendar: Indexed<'a>,
    pub(super) metrics: Indexed<'a>,
    pub(super) scores: Indexed<'a>,
    pub(super) partner_scores: Indexed<'a>,
    pub(super) events: Indexed<'a>,
    pub(super) rebates: Indexed<'a>,
    pub(super) ledger: Indexed<'a>,
    pub(super) score_changes: Indexed<'a>,
    pub(super) next_steps: Indexed<'a>,
    pub(super) certifications: Indexed<'a>,
    pub(super) engineers: Indexed<'a>,
    pub(super) reviews: Indexed<'a>,
    pub(super) review_criteria: Indexed<'a>,
}

impl<'a> PublishingInputs<'a> {
    pub fn new(
        programme: Programme<'a>,
        tables: &PublishingTables<'a>,
    ) -> Result<PublishingInputs<'a>, PublishingError> {
        Ok(PublishingInputs {
            programme,
            partners: Indexed::new(tables.partners)?,
            domains: tables.domains,
            calendar: Indexed::new(tables.calendar_partner_periods)?,
            metrics: Indexed::new(tables.metrics)?,
            scores: Indexed::new(tables.scores)?,
            partner_scores: Indexed::new(tables.partner_scores)?,
            events: Indexed::new(tables.key_event_points)?,
            rebates: Indexed::new(tables.rebates)?,
            ledger: Indexed::new(tables.ledger)?,
            score_changes: Indexed::new(tables.score_changes)?,
            next_steps: Indexed::new(tables.next_steps)?,
            certifications: Indexed::new(tables.effective_certifications)?,
            engineers: Indexed::new(tables.engineers)?,
            reviews: Indexed::new(tables.reviews)?,
            review_criteria: Indexed::new(tables.review_criteria)?,
        })
    }
}

/// A table and where each partner's rows are in it.
#[derive(Debug)]
pub(super) struct Indexed<'a> {
    table: &'a Table,
    /// Places, so that cores can share it.
    by_partner: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Indexed<'a> {
    pub(super) fn new(table: &'a Table) -> Result<Indexed<'a>, TableError> {
        let mut by_partner: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, row) in table.iter().enumerate() {
            by_partner.entry(row.text("partner_id")?).or_default().push(at);
        }
        Ok(Indexed { table, by_partner })
    }

    /// The partner's rows for which `keep` holds, with the named columns only (the first is `partner_id`), sorted.
    pub(super) fn select(
        &self,
        partner: &PartnerId,
        columns: &[&str],
        keep: impl Fn(RowRef<'_>) -> Result<bool, TableError>,
    ) -> Result<Table, TableError> {
        let mut out = Table::new(self.table.name(), columns);
        let places = self.by_partner.get(partner.as_str()).into_iter().flatten();
        for row in places.filter_map(|at| self.table.row(*at)) {
            if keep(row)? {
                let values: Result<Row, TableError> = columns.iter().map(|c| row.get(c).cloned()).collect();
                out.push(values?);
            }
        }
        out.rows.sort();
        Ok(out)
    }
}

/// Refuses a selection that holds a row of anybody else, then adds its rows to the hash of what is shown.
pub(super) fn admit(hasher: &mut Hasher, partner: &PartnerId, selection: &Table) -> Result<(), PublishingError> {
    for row in selection.iter() {
        let found = row.text("partner_id")?;
        if found != partner.as_str() {
            let table = selection.name().to_owned();
            return Err(PublishingError::Foreign {
                table,
                partner: partner.clone(),
                found: found.to_owned(),
            });
        }
    }
    hash_table(hasher, selection);
    Ok(())
}

/// Adds a table to a hash: its name, its columns, and every value in the order of the rows.
pub(super) fn hash_table(hasher: &mut Hasher, table: &Table) {
    hasher.field(table.name().as_bytes());
    for column in table.columns() {
        hasher.field(column.as_bytes());
    }
    hasher.field(table.rows.len().to_string().as_bytes());
    for value in table.rows.iter().flatten() {
        value.hash_into(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_partners() -> Table {
        let mut table = Table::new("scores", &["partner_id", "domain", "secret"]);
        table.push(vec!["P2".into(), "ups".into(), "other".into()]);
        table.push(vec!["P1".into(), "ups".into(), "b".into()]);
        table.push(vec!["P1".into(), "cloud".into(), "a".into()]);
        table
    }

    #[test]
    fn a_selection_holds_one_partner_sorted_and_only_the_named_columns() {
        let table = two_partners();
        let partner = PartnerId::new("P1").unwrap();
        let rows = Indexed::new(&table)
            .unwrap()
            .select(&partner, &["partner_id", "domain"], |_| Ok(true))
            .unwrap();
        let shown: Vec<String> = rows.iter().map(|r| r.text("domain").unwrap().to_owned()).collect();
        assert_eq!(shown, ["cloud", "ups"]);
        assert_eq!(rows.columns(), ["partner_id", "domain"]);
    }

    #[test]
    fn a_foreign_row_is_refused() {
        let partner = PartnerId::new("P1").unwrap();
        let error = admit(&mut Hasher::new(), &partner, &two_partners()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "table scores gave a row of 'P2' to the scorecard of P1: refused"
        );
    }
}
