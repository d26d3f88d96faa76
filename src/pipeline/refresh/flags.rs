//! What new facts are looked at for: membership of partners, closed periods.
//!
//! Duty: the days on which a partner belongs to the programme, and the end of what is closed. Not its duty: looking at
//! rows (`feeds`), refusing one.

use std::collections::{BTreeMap, HashMap};

use super::{PipelineError, Refresh};
use crate::domain::{Date, Period};

/// Days on which a partner belongs to the programme.
#[derive(Clone, Copy, Debug)]
struct Membership {
    joined_on: Date,
    left_on: Option<Date>,
}

impl Refresh<'_> {
    /// By partner: from the first day it joined, to the day the latest version says it left.
    pub(super) fn memberships(&self) -> Result<HashMap<String, (Date, Option<Date>)>, PipelineError> {
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
            .map(|(partner, (_, member))| (partner, (member.joined_on, member.left_on)))
            .collect())
    }

    /// End (exclusive) of the last period that was closed before this run.
    pub(super) fn closed_until(&self) -> Result<Option<Date>, PipelineError> {
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
