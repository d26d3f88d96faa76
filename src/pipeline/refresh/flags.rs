//! Flags on new facts: they count, and someone should know.
//!
//! Duty: facts dated outside a partner's membership, and facts dated in closed periods. Not its duty: refusing a row.

use std::collections::{BTreeMap, BTreeSet};

use super::{PipelineError, Refresh};
use crate::contracts::{Contract, ContractKind};
use crate::domain::{Date, Finding, Period, Place, Value, Zone};
use crate::ingest::StoredRow;

/// Days on which a partner belongs to the programme.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    joined_on: Date,
    left_on: Option<Date>,
}

impl Refresh<'_> {
    /// Reports new rows of a fact that a reader of results should know about.
    pub(super) fn flag(
        &mut self,
        contract: &Contract,
        rows: &[StoredRow],
        new_files: &BTreeSet<i64>,
    ) -> Result<(), PipelineError> {
        let partner = contract.columns.iter().position(|c| {
            c.reference
                .as_ref()
                .is_some_and(|r| r.table == "partners" && r.column == "partner_id")
        });
        let (ContractKind::Fact, Some(date)) = (contract.kind, contract.business_date) else {
            return Ok(());
        };
        let new: Vec<&StoredRow> = rows.iter().filter(|r| new_files.contains(&r.arrival)).collect();
        if new.is_empty() {
            return Ok(());
        }
        if let Some(partner) = partner {
            let members = self.memberships()?;
            let mut outside: BTreeMap<(&str, String), u64> = BTreeMap::new();
            for row in &new {
                let (Some(member), Some(day)) =
                    (members.get(&row.values[partner].to_string()), day_of(&row.values[date]))
                else {
                    continue;
                };
                if day < member.joined_on || member.left_on.is_some_and(|left| day > left) {
                    *outside
                        .entry((&row.file_name, row.values[partner].to_string()))
                        .or_default() += 1;
                }
            }
            for ((file, partner), count) in outside {
                self.summary.findings.push(Finding::warning(
                    Place::file(file).column(contract.columns[date].name.as_str()),
                    "fact.outside-membership",
                    format!(
                        "{count} rows of partner {partner} are dated before it joined or after it left; they count"
                    ),
                    "correct the dates of the partner, or those of the rows",
                ));
            }
        }
        if let Some(closed) = self.closed_until()? {
            let late = new
                .iter()
                .filter(|r| day_of(&r.values[date]).is_some_and(|day| day < closed))
                .count();
            if late > 0 {
                self.summary.findings.push(Finding::note(
                    Place::file(contract.name.as_str()),
                    "fact.closed-period",
                    format!("{late} new rows are dated before {closed}, in closed periods"),
                    "scores of closed periods stay as they were sealed; money that changes posts in the first open period",
                ));
            }
        }
        Ok(())
    }

    /// By partner: from the first day it joined, to the day the latest version says it left.
    fn memberships(&self) -> Result<BTreeMap<String, Membership>, PipelineError> {
        let mut out: BTreeMap<String, (Date, Membership)> = BTreeMap::new();
        for row in self.table("partners")?.iter() {
            let (from, joined_on) = (row.date("valid_from")?, row.date("joined_on")?);
            let version = Membership {
                joined_on,
                left_on: row.opt_date("left_on")?,
            };
            let entry = out.entry(row.text("partner_id")?.to_owned()).or_insert((from, version));
            let joined_on = entry.1.joined_on.min(joined_on);
            if from > entry.0 {
                *entry = (from, version);
            }
            entry.1.joined_on = joined_on;
        }
        Ok(out
            .into_iter()
            .map(|(partner, (_, member))| (partner, member))
            .collect())
    }

    /// End (exclusive) of the last period that was closed before this run.
    fn closed_until(&self) -> Result<Option<Date>, PipelineError> {
        let calendar = self.task.config.rules.programme().calendar;
        let mut end = None;
        for row in self
            .parent_table("periods")?
            .iter()
            .filter(|r| r.text("status") == Ok("closed"))
        {
            let period = Period::parse(row.text("period")?).map_err(|e| PipelineError::Stage {
                what: "table periods",
                detail: e.to_string(),
            })?;
            end = end.max(Some(calendar.end_day(period)));
        }
        Ok(end)
    }
}

fn day_of(value: &Value) -> Option<Date> {
    match value {
        Value::Date(day) => Some(*day),
        Value::Instant(at) => Some(Zone::UTC.date_of(*at)),
        _ => None,
    }
}
