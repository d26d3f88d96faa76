//! Feeds: new files into current rows, with quarantine, held rows and the register of files.
//!
//! Duty: read each new file by its source, resolve each feed that is touched, keep personal values out of the
//! release, stage the tables. A feed that nothing touches is carried as it is. Not its duty: what a row must be
//! (contracts) and how one is read (ingest).

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;

use super::register::{FileLine, Intake, conflicts_of, held_place};
use super::stored::{feed_table, hide_personal, stored_contract, stored_rows};
use super::{PipelineError, Refresh, digest};
use crate::contracts::{Contract, Reference};
use crate::domain::{Digest, Finding, Place, Row, Table, Value};
use crate::edges::files;
use crate::ingest::{FileCounts, FileOrigin, FileOutcome, Verdict, read_file, resolve};
use crate::pipeline::inbox::Incoming;
use crate::store::StoreError;
use crate::store::private::{self, Class};

/// Counts of one feed in this run, for people.
#[derive(Clone, Debug, Default)]
pub struct FeedCounts {
    pub feed: String,
    pub files: usize,
    /// Records of the files of this run by state.
    pub counts: FileCounts,
    /// Rows of the feed that are current now.
    pub current_rows: u64,
}

impl Refresh<'_> {
    /// Reads what arrived and stages every feed with `files`, `quarantine`, `held` and `conflicts`.
    pub(super) fn feeds(&mut self) -> Result<(), PipelineError> {
        let mut intake = self.intake_of_parent()?;
        let config = self.task.config;
        let total: u64 = self.task.incoming.iter().map(|i| i.arrival.bytes).sum();
        let mut done = 0;
        for contract in config.catalogue.feeds() {
            let new = self
                .task
                .incoming
                .iter()
                .filter(|i| i.arrival.feed == contract.name)
                .cloned();
            let incoming: Vec<Incoming> = self.aside_again(contract, &intake)?.into_iter().chain(new).collect();
            let mut outcomes = Vec::new();
            for one in &incoming {
                outcomes.push(self.read_one(contract, one, &mut intake)?);
                done = total.min(done + one.arrival.bytes);
                self.progress.bytes(done, total);
            }
            self.feed(contract, outcomes, &mut intake)?;
        }
        self.stage_register(intake)
    }

    fn read_one(
        &mut self,
        contract: &Contract,
        incoming: &Incoming,
        intake: &mut Intake,
    ) -> Result<FileOutcome, PipelineError> {
        let arrival = &incoming.arrival;
        let mut outcome = self.read_original(contract, incoming)?;
        let number = i64::try_from(arrival.arrival).unwrap_or(i64::MAX);
        let (state, reason) = match &outcome.verdict {
            Verdict::Read => ("read", None),
            Verdict::SetAside { reason } => ("set_aside", Some(reason.clone())),
        };
        if let Some(reason) = &reason {
            self.summary.set_aside.push((arrival.file_name.clone(), reason.clone()));
        }
        self.summary.findings.append(&mut outcome.notes);
        let line = FileLine {
            feed: contract.name.clone(),
            source: arrival.source.clone(),
            file_name: arrival.file_name.clone(),
            file_hash: arrival.sha256.to_string(),
            bytes: i64::try_from(arrival.bytes).unwrap_or(i64::MAX),
            state,
            reason,
            counts: FileCounts::of_arrival(number),
        };
        intake.register.insert(number, line);
        let mut texts = BTreeMap::new();
        for row in &mut outcome.rows {
            hide_personal(contract, &mut row.values, &mut texts);
            row.key = contract.key.iter().map(|i| row.values[*i].clone()).collect();
        }
        if self.task.dry {
            self.personal.extend(texts);
        } else {
            private::put_texts(self.task.layout, Class::Personal, number, &texts)?;
        }
        Ok(outcome)
    }

    /// Files that were set aside, to be read again when the configuration changed: a corrected source or contract reads
    /// them rightly, and nothing of them was used so far.
    fn aside_again(&self, contract: &Contract, intake: &Intake) -> Result<Vec<Incoming>, PipelineError> {
        let parent = self.task.parent.as_ref().map(|p| p.manifest.configuration);
        if parent.is_none_or(|configuration| configuration == self.task.config.hash) {
            return Ok(Vec::new());
        }
        let aside: BTreeSet<u64> = intake
            .register
            .iter()
            .filter(|(_, line)| line.feed == contract.name && line.state == "set_aside")
            .filter_map(|(arrival, _)| u64::try_from(*arrival).ok())
            .collect();
        if aside.is_empty() {
            return Ok(Vec::new());
        }
        let arrivals = crate::store::landing::arrivals(self.task.layout)?;
        Ok(arrivals
            .into_iter()
            .filter(|a| aside.contains(&a.arrival))
            .map(|arrival| Incoming {
                path: self.task.layout.original(arrival.sha256),
                arrival,
            })
            .collect())
    }

    fn read_original(&self, contract: &Contract, incoming: &Incoming) -> Result<FileOutcome, PipelineError> {
        let arrival = &incoming.arrival;
        let origin = FileOrigin {
            arrival: i64::try_from(arrival.arrival).unwrap_or(i64::MAX),
            file_name: arrival.file_name.clone(),
            file_hash: arrival.sha256,
            bytes: arrival.bytes,
        };
        // an original that rotted would give other books without a word
        if files::hash_file(&incoming.path).map_err(StoreError::from)?.0 != arrival.sha256 {
            return Err(PipelineError::Integrity(vec![Finding::error(
                Place::file(incoming.path.display().to_string()),
                "landing.changed",
                format!(
                    "the original of arrival {} ({}) is not what arrived",
                    arrival.arrival, arrival.file_name
                ),
                "restore it from a backup, or deliver the file again under landing's name for it",
            )]));
        }
        let file = files::open_plain(&incoming.path).map_err(StoreError::from)?;
        // a source that was renamed since is found by its files
        let sources = &self.task.config.sources;
        let source = sources
            .iter()
            .find(|s| s.name == arrival.source && s.feed == contract.name)
            .or_else(|| {
                sources
                    .iter()
                    .find(|s| s.feed == contract.name && s.matches(&arrival.file_name))
            });
        let Some(source) = source else {
            return Ok(no_source(contract, origin, &arrival.source));
        };
        Ok(read_file(
            source,
            contract,
            &origin,
            BufReader::with_capacity(1 << 18, file),
        ))
    }

    /// Resolves one feed, or carries it where nothing touches it.
    fn feed(
        &mut self,
        contract: &Contract,
        mut outcomes: Vec<FileOutcome>,
        intake: &mut Intake,
    ) -> Result<(), PipelineError> {
        let name = &contract.name;
        let referenced: BTreeSet<&str> = contract
            .columns
            .iter()
            .filter_map(|c| c.reference.as_ref())
            .map(|r| r.table.as_str())
            .collect();
        let waits = intake
            .held
            .iter()
            .filter_map(held_place)
            .any(|(feed, ..)| feed == name.as_str());
        let retry = waits && referenced.iter().any(|t| intake.changed.contains(*t));
        let orphaned = referenced.iter().any(|t| intake.lost_keys.contains(*t));
        let stored = stored_contract(contract);
        let untouched = outcomes.is_empty() && !retry && !orphaned;
        if untouched && self.staging.parent().is_some() && !self.contract_changed(name) {
            self.staging.carry(name, |_| true)?;
            if self.staging.paths(name).is_empty() {
                let empty = Table::with_columns(name, stored.columns.iter().map(|c| c.name.clone()).collect());
                self.staging.put(&stored, &empty)?;
            }
            return Ok(());
        }
        let files_read = outcomes.len();
        // whenever a feed is resolved, what waits is resolved with it
        if waits {
            outcomes.extend(self.read_held_again(contract, intake)?);
        }
        let current = stored_rows(contract, &self.parent_table(name)?)?;
        let had_rows = current.len();
        self.load_references(contract, intake)?;
        let known = &intake.known;
        let lookup = |reference: &Reference, value: &Value| {
            known
                .get(&(reference.table.clone(), reference.column.clone()))
                .is_some_and(|set| set.contains(value))
        };
        let conflicted = conflicts_of(&intake.conflicts, name);
        let new_files: BTreeSet<i64> = outcomes.iter().filter(|o| !o.again).map(|o| o.origin.arrival).collect();
        let resolution = resolve(contract, current, outcomes, &lookup, &conflicted);
        if files_read > 0 || !resolution.removed.is_empty() || resolution.current.len() != had_rows {
            intake.changed.insert(name.clone());
        }
        if !resolution.removed.is_empty() {
            intake.lost_keys.insert(name.clone());
        }
        let mut counts = FileCounts::default();
        for (arrival, change) in &resolution.changes {
            if new_files.contains(arrival) {
                counts += *change;
            }
            if let Some(line) = intake.register.get_mut(arrival) {
                line.counts += *change;
            }
        }
        self.summary.feeds.push(FeedCounts {
            feed: name.clone(),
            files: files_read,
            counts,
            current_rows: resolution.current.len() as u64,
        });
        self.keep_rejected(contract, &resolution, intake)?;
        self.flag(contract, &resolution.current, &new_files)?;
        self.staging.put(&stored, &feed_table(&stored, resolution.current)?)?;
        Ok(())
    }

    fn contract_changed(&self, name: &str) -> bool {
        let version = &self.task.config.contract(name).digest;
        self.task.parent.as_ref().is_some_and(|parent| {
            parent.manifest.contracts_hash != self.task.config.catalogue.digest()
                && parent_contract_digest(self.task, name).is_none_or(|d| d != *version)
        })
    }

    /// Reads the originals of held rows again and keeps those rows; the held table loses them, the resolution says anew
    /// which still wait. A row that the second reading does not give (its source is gone) stays held as it is.
    fn read_held_again(&self, contract: &Contract, intake: &mut Intake) -> Result<Vec<FileOutcome>, PipelineError> {
        let place = |row: &Row| {
            held_place(row)
                .filter(|(feed, ..)| *feed == contract.name)
                .map(|(_, arrival, line)| (arrival, line))
        };
        let mut lines: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        for (arrival, line) in intake.held.iter().filter_map(place) {
            lines.entry(arrival).or_default().insert(line);
        }
        let arrivals = crate::store::landing::arrivals(self.task.layout)?;
        let mut found: BTreeSet<(i64, i64)> = BTreeSet::new();
        let mut out = Vec::new();
        for (number, lines) in lines {
            let Some(arrival) = arrivals.iter().find(|a| i64::try_from(a.arrival) == Ok(number)) else {
                continue;
            };
            let incoming = Incoming {
                path: self.task.layout.original(arrival.sha256),
                arrival: arrival.clone(),
            };
            let mut outcome = self.read_original(contract, &incoming)?;
            outcome.retain_lines(&lines);
            let mut texts = BTreeMap::new();
            for row in &mut outcome.rows {
                hide_personal(contract, &mut row.values, &mut texts);
                row.key = contract.key.iter().map(|i| row.values[*i].clone()).collect();
                found.insert((number, row.line));
            }
            out.push(outcome);
        }
        intake
            .held
            .retain(|row| place(row).is_none_or(|at| !found.contains(&at)));
        Ok(out)
    }

    /// Reads the values of the columns that a feed refers to; its own are looked up by the resolution.
    fn load_references(&self, contract: &Contract, intake: &mut Intake) -> Result<(), PipelineError> {
        for reference in contract.columns.iter().filter_map(|c| c.reference.as_ref()) {
            let key = (reference.table.clone(), reference.column.clone());
            if reference.table == contract.name || intake.known.contains_key(&key) {
                continue;
            }
            let table = self.table(&reference.table)?;
            let column = table.column(&reference.column);
            let values = column
                .map(|i| table.rows.iter().map(|row| row[i].clone()).collect())
                .unwrap_or_default();
            intake.known.insert(key, values);
        }
        Ok(())
    }
}

/// Digest of a contract as the parent run used it.
fn parent_contract_digest(task: &super::Task<'_>, name: &str) -> Option<Digest> {
    let parent = task.parent.as_ref()?;
    let bundle = crate::store::landing::configuration(task.layout, parent.manifest.configuration).ok()?;
    bundle
        .get(&format!("schemas/{name}.odcs.yaml"))
        .map(|text| digest(text))
}

fn no_source(contract: &Contract, origin: FileOrigin, source: &str) -> FileOutcome {
    FileOutcome {
        origin,
        feed: contract.name.clone(),
        source: source.to_owned(),
        verdict: Verdict::SetAside {
            reason: format!("source.unknown: source '{source}' is no longer declared"),
        },
        records: 0,
        rows: Vec::new(),
        rejects: Vec::new(),
        skipped: Vec::new(),
        notes: Vec::new(),
        again: false,
    }
}
