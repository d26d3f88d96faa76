//! Feeds: new files into current rows, with quarantine, held rows and the register of files.
//!
//! Duty: read each new file by its source, resolve each feed that is touched, keep personal values out of the
//! release, stage the tables. A feed that nothing touches is carried as it is. Not its duty: what a row must be
//! (contracts) and how one is read (ingest).

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::sync::Arc;

use super::{PipelineError, Refresh, digest};
use crate::contracts::{ColumnRole, ColumnType, Contract, Reference};
use crate::domain::{Date, Digest, Row, RowRef, Table, Value, Zone};
use crate::edges::files;
use crate::ingest::resolve::{Held, Quarantined};
use crate::ingest::{FileCounts, FileOrigin, FileOutcome, Resolution, StoredRow, Verdict, read_file, resolve};
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

/// What the feeds of a run share.
#[derive(Default)]
struct Intake {
    /// By arrival.
    register: BTreeMap<i64, FileLine>,
    quarantine: Vec<Row>,
    held: Vec<Row>,
    conflicts: Vec<Row>,
    /// Feeds whose rows changed in this run, and those that lost a key.
    changed: BTreeSet<String>,
    lost_keys: BTreeSet<String>,
    /// Values of referenced columns, read once.
    known: BTreeMap<(String, String), BTreeSet<Value>>,
}

/// A line of the table `files`.
struct FileLine {
    feed: String,
    source: String,
    file_name: String,
    file_hash: String,
    bytes: i64,
    state: &'static str,
    reason: Option<String>,
    counts: FileCounts,
}

impl Refresh<'_> {
    /// Reads what arrived and stages every feed with `files`, `quarantine`, `held` and `conflicts`.
    pub(super) fn feeds(&mut self) -> Result<(), PipelineError> {
        let mut intake = self.intake_of_parent()?;
        let config = self.task.config;
        let total: u64 = self.task.incoming.iter().map(|i| i.arrival.bytes).sum();
        let mut done = 0;
        for contract in config.catalogue.feeds() {
            let incoming: Vec<&Incoming> = self
                .task
                .incoming
                .iter()
                .filter(|i| i.arrival.feed == contract.name)
                .collect();
            let mut outcomes = Vec::new();
            for one in &incoming {
                outcomes.push(self.read_one(contract, one, &mut intake)?);
                done += one.arrival.bytes;
                self.progress.bytes(done, total);
            }
            self.feed(contract, outcomes, &mut intake)?;
        }
        self.stage_register(intake)
    }

    /// The parent's register, quarantine, held rows and conflicts: what this run adds to.
    fn intake_of_parent(&self) -> Result<Intake, PipelineError> {
        let mut intake = Intake::default();
        for row in self.parent_table("files")?.iter() {
            let counts = FileCounts {
                arrival: row.int("arrival")?,
                records: row.int("records")?,
                current: row.int("current")?,
                superseded: row.int("superseded")?,
                duplicate: row.int("duplicate")?,
                quarantined: row.int("quarantined")?,
                held: row.int("held")?,
                skipped: row.int("skipped")?,
            };
            let line = FileLine {
                feed: row.text("feed")?.to_owned(),
                source: row.text("source")?.to_owned(),
                file_name: row.text("file_name")?.to_owned(),
                file_hash: row.text("file_hash")?.to_owned(),
                bytes: row.int("bytes")?,
                state: if row.text("state")? == "read" {
                    "read"
                } else {
                    "set_aside"
                },
                reason: row.opt_text("reason")?.map(ToOwned::to_owned),
                counts,
            };
            intake.register.insert(counts.arrival, line);
        }
        intake.quarantine = self.parent_table("quarantine")?.rows;
        intake.held = self.parent_table("held")?.rows;
        intake.conflicts = self.parent_table("conflicts")?.rows;
        Ok(intake)
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

    fn read_original(&self, contract: &Contract, incoming: &Incoming) -> Result<FileOutcome, PipelineError> {
        let arrival = &incoming.arrival;
        let origin = FileOrigin {
            arrival: i64::try_from(arrival.arrival).unwrap_or(i64::MAX),
            file_name: arrival.file_name.clone(),
            file_hash: arrival.sha256,
            bytes: arrival.bytes,
        };
        let file = files::open_plain(&incoming.path).map_err(StoreError::from)?;
        let source = self.task.config.sources.iter().find(|s| s.name == arrival.source);
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
        let config = self.task.config;
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
            .any(|row| row_feed(row, config.contract("held")) == *name);
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

    /// Reads the originals of held rows again and keeps those rows; the held table loses them, the resolution says
    /// anew which still wait.
    fn read_held_again(&self, contract: &Contract, intake: &mut Intake) -> Result<Vec<FileOutcome>, PipelineError> {
        let held = self.task.config.contract("held");
        let (feed, arrival, line) = (
            column(held, "feed"),
            column(held, "arrival"),
            column(held, "source_line"),
        );
        let mut lines: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        intake.held.retain(|row| {
            let ours = row[feed] == Value::text(&contract.name);
            if let (true, Value::Int(arrival), Value::Int(line)) = (ours, &row[arrival], &row[line]) {
                lines.entry(*arrival).or_default().insert(*line);
            }
            !ours
        });
        let arrivals = crate::store::landing::arrivals(self.task.layout)?;
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
            }
            out.push(outcome);
        }
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

    /// Adds quarantine, held rows and conflicts of a resolution; raw texts go to the private store.
    fn keep_rejected(
        &self,
        contract: &Contract,
        resolution: &Resolution,
        intake: &mut Intake,
    ) -> Result<(), PipelineError> {
        let mut raw: BTreeMap<i64, BTreeMap<String, String>> = BTreeMap::new();
        for entry in &resolution.quarantined {
            let text = String::from_utf8_lossy(&entry.raw).into_owned();
            let hash = digest(&text);
            intake.quarantine.push(quarantine_row(contract, entry, hash));
            raw.entry(entry.arrival).or_default().insert(hash.to_string(), text);
        }
        if !self.task.dry {
            for (arrival, texts) in raw {
                let mut all = private::texts(self.task.layout, Class::Raw, [arrival])?;
                all.extend(texts);
                private::put_texts(self.task.layout, Class::Raw, arrival, &all)?;
            }
        }
        intake
            .held
            .extend(resolution.held.iter().map(|h| held_row(contract, h)));
        intake.conflicts.retain(|row| row[0] != Value::text(&contract.name));
        intake.conflicts.extend(
            resolution
                .conflicted
                .iter()
                .map(|key| vec![contract.name.as_str().into(), (*key).into()]),
        );
        Ok(())
    }

    fn stage_register(&mut self, intake: Intake) -> Result<(), PipelineError> {
        let mut files = Table::new(
            "files",
            &[
                "arrival",
                "feed",
                "source",
                "file_name",
                "file_hash",
                "bytes",
                "state",
                "reason",
                "records",
                "current",
                "superseded",
                "duplicate",
                "quarantined",
                "held",
                "skipped",
            ],
        );
        for (arrival, line) in intake.register {
            let c = line.counts;
            let mut row: Row = vec![
                arrival.into(),
                line.feed.into(),
                line.source.into(),
                line.file_name.into(),
                line.file_hash.into(),
                line.bytes.into(),
                line.state.into(),
                line.reason.into(),
            ];
            row.extend(
                [
                    c.records,
                    c.current,
                    c.superseded,
                    c.duplicate,
                    c.quarantined,
                    c.held,
                    c.skipped,
                ]
                .map(Value::Int),
            );
            files.push(row);
        }
        self.put(files)?;
        for (name, rows) in [
            ("quarantine", intake.quarantine),
            ("held", intake.held),
            ("conflicts", intake.conflicts),
        ] {
            let contract = self.task.config.contract(name);
            let mut table = Table::with_columns(name, contract.columns.iter().map(|c| c.name.clone()).collect());
            table.rows = rows;
            self.put(table)?;
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

/// The contract as rows are stored: a personal column holds a token instead of its text.
fn stored_contract(contract: &Contract) -> Contract {
    let mut stored = contract.clone();
    for column in stored.columns.iter_mut().filter(|c| c.personal) {
        column.kind = ColumnType::Text;
        column.format = None;
        column.pattern = None;
        column.minimum = None;
        column.maximum = None;
        column.allowed.clear();
    }
    stored
}

/// Replaces personal values by tokens and collects their texts.
fn hide_personal(contract: &Contract, values: &mut Row, texts: &mut BTreeMap<String, String>) {
    for (value, column) in values.iter_mut().zip(&contract.columns) {
        if column.personal && !value.is_null() {
            let text = value.to_string();
            let token = private::token(&text);
            *value = Value::text(&token);
            texts.insert(token, text);
        }
    }
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

fn column(contract: &Contract, name: &str) -> usize {
    contract.columns.iter().position(|c| c.name == name).unwrap_or_default()
}

fn row_feed(row: &Row, contract: &Contract) -> String {
    row[column(contract, "feed")].to_string()
}

fn conflicts_of(rows: &[Row], feed: &str) -> BTreeSet<Digest> {
    rows.iter()
        .filter(|row| row[0] == Value::text(feed))
        .filter_map(|row| Digest::parse(&row[1].to_string()))
        .collect()
}

fn stored_rows(contract: &Contract, table: &Table) -> Result<Vec<StoredRow>, PipelineError> {
    let data: Vec<&str> = contract
        .columns
        .iter()
        .filter(|c| c.role == ColumnRole::Data)
        .map(|c| c.name.as_str())
        .collect();
    // a column that a newer contract added is null in older rows
    let places: Vec<Option<usize>> = data.iter().map(|name| table.column(name)).collect();
    let mut names: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let read = |row: RowRef<'_>| -> Result<StoredRow, PipelineError> {
        let name = row.text("source_file")?;
        let file_name = names.entry(name.to_owned()).or_insert_with(|| name.into()).clone();
        let hash = Digest::parse(row.text("row_hash")?).ok_or_else(|| PipelineError::Stage {
            what: "row_hash",
            detail: "is no digest".to_owned(),
        })?;
        let values = places
            .iter()
            .map(|p| p.map_or(Value::Null, |i| row.values()[i].clone()))
            .collect();
        Ok(StoredRow {
            arrival: row.int("arrival")?,
            file_name,
            line: row.int("source_line")?,
            hash,
            values,
        })
    };
    table.iter().map(read).collect()
}

/// Current rows as the table that is stored: data, lineage, and the month for facts.
fn feed_table(stored: &Contract, rows: Vec<StoredRow>) -> Result<Table, PipelineError> {
    let mut table = Table::with_columns(&stored.name, stored.columns.iter().map(|c| c.name.clone()).collect());
    for row in rows {
        let month = stored.business_date.map(|i| month_of(&row.values[i]));
        let mut values = row.values;
        values.extend([
            row.arrival.into(),
            Value::Text(row.file_name),
            row.line.into(),
            row.hash.into(),
        ]);
        values.extend(month);
        table.push(values);
    }
    crate::contracts::conform(stored, table).map_err(|f| StoreError::Contract(f).into())
}

fn month_of(value: &Value) -> Value {
    let month = |date: Date| Value::text(date.format("%Y-%m").to_string());
    match value {
        Value::Date(date) => month(*date),
        Value::Instant(at) => month(Zone::UTC.date_of(*at)),
        _ => Value::text("none"),
    }
}

fn quarantine_row(contract: &Contract, entry: &Quarantined, raw: Digest) -> Row {
    vec![
        entry.arrival.into(),
        entry.line.into(),
        entry.row_no.into(),
        contract.name.as_str().into(),
        Value::Text(entry.file_name.clone()),
        entry.column.as_deref().into(),
        entry.rule.as_str().into(),
        entry.reason.as_str().into(),
        entry.remedy.as_str().into(),
        // a record that never became a typed row is known by its raw text
        entry.row_hash.unwrap_or(raw).into(),
        raw.into(),
    ]
}

fn held_row(contract: &Contract, held: &Held) -> Row {
    vec![
        held.arrival.into(),
        held.line.into(),
        contract.name.as_str().into(),
        Value::Text(held.file_name.clone()),
        held.row_hash.into(),
        held.missing_table.as_str().into(),
        held.missing_value.to_string().into(),
    ]
}
