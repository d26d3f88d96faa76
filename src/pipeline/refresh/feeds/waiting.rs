//! Rows that wait for what they refer to.
//!
//! Duty: which of them are tried again, which have waited for too long, which go on waiting and since when. Not its
//! duty: deciding about a row that is tried.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use chrono::TimeDelta;

use super::known::Outside;
use super::original::source_of;
use super::pass::Pass;
use super::record::{cell_kinds, from_json};
use super::state::Taking;
use crate::contracts::Contract;
use crate::domain::{Batch, Date, Instant, Row, Zone};
use crate::pipeline::PipelineError;
use crate::store::manifest::ReleaseFile;
use crate::store::parts::KeyIndex;

use super::super::Refresh;
use super::super::register::{HeldRow, Intake, Quarantined, held_feed, held_row};

/// A row of `held`, with its values.
struct Waits {
    arrival: i64,
    line: i64,
    file_name: Arc<str>,
    since: Date,
    row: Row,
    /// As it stands in the table.
    stands: Row,
}

/// The rows of a feed that wait.
#[derive(Default)]
pub(super) struct Waiting {
    again: Vec<Waits>,
    expired: Vec<Waits>,
    stays: Vec<Row>,
    /// Day of the run in which a row was held first, by arrival and line.
    since: BTreeMap<(i64, i64), Date>,
}

impl Waiting {
    /// Sorts the rows that wait. `touched` says that rows of the feed itself come in this run.
    #[expect(clippy::too_many_arguments, reason = "everything a reference can mean")]
    pub(super) fn sort(
        refresh: &Refresh<'_>,
        contract: &Contract,
        stored: &Contract,
        intake: &Intake,
        outside: &[Outside],
        own: Option<(usize, usize)>,
        touched: bool,
        parts: &[ReleaseFile],
        index: &Rc<KeyIndex>,
    ) -> Result<Waiting, PipelineError> {
        let mut waiting = Waiting::default();
        let today = day_of(refresh.task.as_of);
        let empty = Batch::new(&cell_kinds(stored));
        for stands in intake.held.iter().filter(|row| held_feed(row) == Some(&contract.name)) {
            let Some(held) = HeldRow::of_row(stands) else { continue };
            let since = held.since.unwrap_or(today);
            waiting.since.insert((held.held.arrival, held.held.line), since);
            let Some(row) = from_json(stored, &held.held.record) else {
                waiting.stays.push(stands.clone());
                continue;
            };
            let mut one = empty.clone();
            one.push_row(held.held.line, &row);
            let is_own = held.held.missing_table == contract.name;
            let known = if is_own {
                touched || own_is_known(&one, own, stored, parts, index)?
            } else {
                let reference = outside
                    .iter()
                    .find(|o| o.table == held.held.missing_table && o.referenced == held.held.missing_column);
                match reference {
                    // the contract refers to something else now
                    None => true,
                    Some(reference) => {
                        let mut known = true;
                        reference
                            .known
                            .each_unknown(&one, reference.column, |_| known = false)?;
                        known
                    }
                }
            };
            let waits = Waits {
                arrival: held.held.arrival,
                line: held.held.line,
                file_name: held.held.file_name,
                since,
                row,
                stands: stands.clone(),
            };
            let limit = contract.held_days.map(|days| TimeDelta::days(i64::from(days)));
            let expired = limit.is_some_and(|limit| today.signed_duration_since(since) > limit);
            if known {
                waiting.again.push(waits);
            } else if expired {
                waiting.expired.push(waits);
            } else {
                waiting.stays.push(waits.stands);
            }
        }
        Ok(waiting)
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.again.is_empty() && self.expired.is_empty()
    }

    /// Gives the rows to be tried to the pass, and those that waited for too long to quarantine.
    pub(super) fn release<'p>(
        &mut self,
        refresh: &Refresh<'p>,
        contract: &Contract,
        stored: &Contract,
        intake: &Intake,
        pass: &mut Pass<'p>,
    ) -> Result<(), PipelineError> {
        for waits in std::mem::take(&mut self.expired) {
            expire(contract, pass, waits);
        }
        let mut by_arrival: BTreeMap<i64, Vec<Waits>> = BTreeMap::new();
        for waits in std::mem::take(&mut self.again) {
            by_arrival.entry(waits.arrival).or_default().push(waits);
        }
        for (arrival, mut rows) in by_arrival {
            rows.sort_by_key(|w| w.line);
            let name = Arc::clone(&rows[0].file_name);
            let source = intake.register.get(&arrival).map_or("", |line| line.source.as_str());
            let source = source_of(&refresh.task.config.sources, contract, source, &name);
            let Some(taking) = source.and_then(|s| Taking::new(arrival, &name, s, true)) else {
                self.stays.extend(rows.into_iter().map(|w| w.stands));
                continue;
            };
            let mut batch = Batch::new(&cell_kinds(stored));
            for waits in &rows {
                batch.push_row(waits.line, &waits.row);
            }
            let file = pass.files.len();
            pass.files.push(taking);
            pass.take(file, vec![batch])?;
        }
        Ok(())
    }

    /// The rows that wait now: `held` are those of the pass.
    pub(super) fn keep(self, as_of: Instant, contract: &Contract, held: Vec<HeldRow>, intake: &mut Intake) {
        intake.held.retain(|row| held_feed(row) != Some(&contract.name));
        intake.held.extend(self.stays);
        let today = day_of(as_of);
        for one in held {
            let since = self.since.get(&(one.arrival, one.line)).copied().unwrap_or(today);
            intake.held.push(held_row(contract, &one, since));
        }
    }
}

fn day_of(as_of: Instant) -> Date {
    Zone::UTC.date_of(as_of)
}

fn own_is_known(
    one: &Batch,
    own: Option<(usize, usize)>,
    contract: &Contract,
    parts: &[ReleaseFile],
    index: &KeyIndex,
) -> Result<bool, PipelineError> {
    let Some((own, named)) = own else { return Ok(true) };
    let wanted: Vec<u128> = one.cell_hashes(own).into_iter().flatten().collect();
    if contract.key == [named] {
        return Ok(!index.contains(contract, parts, &wanted)?.is_empty());
    }
    // a small feed whose rows name others: it is tried in every run
    Ok(true)
}

fn expire(contract: &Contract, pass: &mut Pass<'_>, waits: Waits) {
    let change = pass.change(waits.arrival);
    change.held -= 1;
    change.quarantined += 1;
    let days = contract.held_days.unwrap_or_default();
    let text = |i: usize| waits.stands[i].to_string();
    pass.quarantined.push(Quarantined {
        arrival: waits.arrival,
        file_name: waits.file_name,
        line: waits.line,
        row_no: 1,
        column: None,
        rule: "reference.expired".to_owned(),
        reason: format!(
            "waited since {} for {} '{}', longer than the {days} days of the contract",
            waits.since,
            text(super::super::register::HELD_MISSING_TABLE),
            text(super::super::register::HELD_MISSING_VALUE),
        ),
        remedy: "deliver what it refers to, and the row again".to_owned(),
        row_hash: Some(super::record::row_digest(contract, &waits.row)),
        raw: super::record::to_json(contract, &waits.row).into_bytes(),
    });
}
