//! Corrections of a run: rejected records that a decision and a record of the corrections folder resolve.
//!
//! Duty: the register, the staged decisions and the originals of corrections, handed to the desk's rule; its answer into
//! `resolved_by`. Not its duty: the rule itself (`desk::settle`), reading the corrected rows (they are rows like others).

use super::register::{Intake, QUARANTINE};
use super::{PipelineError, Refresh};
use crate::domain::{Digest, Table, Value};
use crate::edges::files;
use crate::pipeline::desk::records::{self, RecordId};
use crate::pipeline::desk::settle::{self, Places};
use crate::store::StoreError;

impl Refresh<'_> {
    /// Fills `resolved_by` of rejected records; after all feeds, as both a decision and a record may have just arrived.
    pub(super) fn settle_corrections(&mut self, intake: &mut Intake) -> Result<(), PipelineError> {
        let corrections = records::corrections(&self.table("decisions")?)?;
        if corrections.is_empty() {
            return Ok(());
        }
        let mut table = Table::new("quarantine", &QUARANTINE);
        table.rows.clone_from(&intake.quarantine);
        let rejected = records::rejected(&table)?;
        let mut places = Places::new();
        for feed in settle::feeds_wanted(&corrections, &rejected) {
            self.corrected_places(&feed, intake, &mut places)?;
        }
        let settled = settle::settle(&corrections, &rejected, &places);
        self.summary.findings.extend(settled.findings);
        let resolved_by = table.column("resolved_by").unwrap_or(QUARANTINE.len() - 1);
        for row in &mut intake.quarantine {
            let (Value::Int(arrival), Value::Int(line)) = (&row[0], &row[1]) else {
                continue;
            };
            let id = RecordId {
                arrival: *arrival,
                line: *line,
            };
            if let Some(decision) = settled.resolved.get(&id) {
                row[resolved_by] = decision.as_str().into();
            }
        }
        Ok(())
    }

    /// Where the records of a feed's corrections stand; their files are small, and read from what arrived.
    fn corrected_places(&self, feed: &str, intake: &Intake, places: &mut Places) -> Result<(), PipelineError> {
        for (arrival, file) in &intake.register {
            if file.feed != feed || file.state != "read" || !settle::is_correction(&file.file_name) {
                continue;
            }
            let Some(hash) = Digest::parse(&file.file_hash) else {
                continue;
            };
            // a plan reads what has not arrived
            let new = self.task.incoming.iter().find(|i| i.arrival.sha256 == hash);
            let path = new.map_or_else(|| self.task.layout.original(hash), |i| i.path.clone());
            let text = files::read(&path).map_err(StoreError::from)?;
            for (digest, line) in settle::digests(&text) {
                let id = RecordId {
                    arrival: *arrival,
                    line,
                };
                places.entry((feed.to_owned(), digest)).or_insert(id);
            }
        }
        Ok(())
    }
}
