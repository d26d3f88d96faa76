//! The books kept while one file is read.
//!
//! Duty: put each record into its state, hand rows on, count what is only worth a note, decide at the end whether the
//! file is set aside. Not its duty: bytes, records, names of columns, the words of notes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::across::Across;
use super::fault::{Fault, shown};
use super::file::place;
use super::header::Header;
use super::limits::{
    BATCH_BYTES, BATCH_ROWS, MAX_COLUMNS, NAME_BYTES, SHOWN_REJECTS, SHOWN_VALUES, SMALL_FILE_RECORDS,
    SMALL_FILE_REJECTS,
};
use super::notes::{self, Drifted, Flagged};
use super::outcome::{FileOrigin, FileOutcome, Sink, Verdict};
use super::parse::Reading;
use super::quick::Quick;
use super::rejects::{Faults, Rejects, signed};
use super::source::{Source, data_columns};
use crate::contracts::model::{CheckSeverity, Column, ColumnType, Drift, EXTRA, Format};
use crate::contracts::{Contract, check};
use crate::domain::{Batch, Cell, CellKind, Finding, Findings, Ratio};

/// What a record gives for the columns of the contract.
pub trait Given {
    /// Whether cells may know their type, or why they have no value.
    const IS_FOREIGN: bool = false;

    fn line(&self) -> u64;

    /// As received.
    fn raw(&self) -> Cow<'_, [u8]>;

    /// Bytes of its texts.
    fn size(&self) -> usize;

    fn text(&self, column: usize) -> Option<&str>;

    /// Whether the text is in the notation of its format, for which the source declares nothing.
    fn is_native(&self, _column: usize) -> bool {
        false
    }

    /// Why there is no value to be read.
    fn fault(&self, _column: usize, _contract: &Column) -> Option<Fault> {
        None
    }
}

/// How texts are read: exactly, and fast.
struct Notation<'a> {
    reading: Reading<'a>,
    quick: Vec<Quick>,
}

impl<'a> Notation<'a> {
    fn new(source: &'a Source, contract: &'a Contract) -> Notation<'a> {
        let reading = Reading::new(source, contract);
        let quick = |(i, column)| Quick::new(source, column, reading.is_mapped(i));
        let quick = data_columns(contract).iter().enumerate().map(quick).collect();
        Notation { reading, quick }
    }
}

/// One file being read.
pub struct Intake<'a> {
    pub source: &'a Source,
    pub contract: &'a Contract,
    pub origin: &'a FileOrigin,
    sink: &'a mut dyn Sink,
    columns: &'a [Column],
    notation: Notation<'a>,
    native: Option<Notation<'a>>,
    across: Across<'a>,
    constants: Vec<Option<&'a str>>,
    /// The column that keeps what the contract does not have.
    extra: Option<usize>,
    batch: Batch,
    batch_bytes: usize,
    records: i64,
    rows: i64,
    rejects: Rejects,
    skipped: BTreeMap<&'static str, i64>,
    notes: Findings,
    /// By column of the contract.
    trimmed: Vec<u64>,
    /// By column of the contract.
    composed: Vec<u64>,
    /// Values under a name that no column has, by name.
    unknown: BTreeMap<String, u64>,
    normalised: BTreeSet<(String, String)>,
    /// Checks that flag or count, by id.
    flagged: BTreeMap<&'a str, Flagged<'a>>,
    /// Values that do not fit and yet do not reject, by column.
    drifted: BTreeMap<usize, Drifted>,
    /// Those of the record at hand: column and an example.
    drifting: Vec<(usize, String)>,
}

impl<'a> Intake<'a> {
    /// `native` is the notation of formats that know their types.
    pub fn new(
        source: &'a Source,
        native: Option<&'a Source>,
        contract: &'a Contract,
        origin: &'a FileOrigin,
        sink: &'a mut dyn Sink,
    ) -> Intake<'a> {
        let columns = data_columns(contract);
        let kinds: Vec<CellKind> = columns.iter().map(|c| cell_kind(c.kind)).collect();
        let is_extra = |c: &Column| contract.drift == Drift::Evolve && c.name == EXTRA;
        Intake {
            source,
            contract,
            origin,
            sink,
            columns,
            notation: Notation::new(source, contract),
            native: native.map(|native| Notation::new(native, contract)),
            across: Across::new(contract, columns),
            constants: columns
                .iter()
                .map(|c| source.constants.get(&c.name).map(String::as_str))
                .collect(),
            extra: columns.iter().position(is_extra),
            batch: Batch::new(&kinds),
            batch_bytes: 0,
            records: 0,
            rows: 0,
            rejects: Rejects::new(),
            skipped: BTreeMap::new(),
            notes: Findings::new(),
            trimmed: vec![0; columns.len()],
            composed: vec![0; columns.len()],
            unknown: BTreeMap::new(),
            normalised: BTreeSet::new(),
            flagged: BTreeMap::new(),
            drifted: BTreeMap::new(),
            drifting: Vec::new(),
        }
    }

    /// Notes a header; an error refuses the file.
    pub fn note_header(&mut self, header: &Header, line: u64) -> Result<(), Fault> {
        let names: Vec<&str> = header.unknown.iter().map(|(_, name)| name.as_str()).collect();
        self.check_frozen(&names)?;
        for name in names {
            self.count_unknown(name, 0);
        }
        let place = place(self.origin, Some(line));
        self.notes.extend(header.notes(&place));
        for (column, position) in self.columns.iter().zip(&header.positions) {
            if position.is_some() && self.source.constants.contains_key(&column.name) {
                self.notes.push(notes::constant(&place, &column.name));
            }
        }
        Ok(())
    }

    /// Refuses the file when it has columns that the contract does not have, and the contract is frozen.
    pub fn check_frozen(&self, unknown: &[&str]) -> Result<(), Fault> {
        if self.contract.drift != Drift::Freeze || unknown.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = unknown.iter().map(|name| shown(name)).collect();
        let reason = format!(
            "the contract is frozen and does not have the columns {}",
            names.join(", ")
        );
        let remedy = "deliver the columns of the contract, rename them in the source, or add them to the contract";
        Err(Fault::new("drift.frozen", reason, remedy))
    }

    pub fn note_normalised(&mut self, written: &str, declared: &str) {
        if self.normalised.len() < MAX_COLUMNS {
            let written = short_name(written).to_owned();
            self.normalised.insert((written, declared.to_owned()));
        }
    }

    pub fn note(&mut self, note: Finding) {
        self.notes.push(note);
    }

    /// Counts values under a name that no column of the contract has.
    pub fn count_unknown(&mut self, name: &str, values: u64) {
        let name = short_name(name);
        if let Some(count) = self.unknown.get_mut(name) {
            *count += values;
        } else if self.unknown.len() < MAX_COLUMNS {
            self.unknown.insert(name.to_owned(), values);
        }
    }

    /// The record is no data by a declared rule.
    pub fn skip(&mut self, rule: &'static str) {
        self.records += 1;
        *self.skipped.entry(rule).or_default() += 1;
    }

    pub fn skip_or_reject(
        &mut self,
        declared: bool,
        rule: &'static str,
        line: u64,
        raw: &[u8],
        fault: Fault,
    ) -> Result<(), Fault> {
        if declared {
            self.skip(rule);
            return Ok(());
        }
        self.reject(line, raw, fault)
    }

    /// The record is wrong as a whole. An error refuses the file.
    pub fn reject(&mut self, line: u64, raw: &[u8], fault: Fault) -> Result<(), Fault> {
        self.reject_all(line, raw, vec![(None, fault)])
    }

    /// Rejects a record for everything that is wrong with it.
    fn reject_all(&mut self, line: u64, raw: &[u8], faults: Faults) -> Result<(), Fault> {
        self.records += 1;
        self.rejects.add(line, raw, faults, self.columns)
    }

    /// Takes a record: a row, or rejected. `unknown` are its values that are not blank, under names that no column has.
    /// An error refuses the file.
    pub fn take<G: Given>(&mut self, given: &G, unknown: &[(&str, &str)]) -> Result<(), Fault> {
        let row = self.batch.rows();
        let mut faults = Faults::new();
        if self.contract.drift == Drift::DiscardRow && !unknown.is_empty() {
            faults.push((None, unknown_values(unknown)));
        }
        let extra = self.extra.and_then(|_| notes::to_json(unknown));
        for i in 0..self.columns.len() {
            let text = match self.constants[i] {
                _ if self.extra == Some(i) => extra.as_deref(),
                Some(text) => Some(text),
                None => given.text(i),
            };
            let text = text.unwrap_or_default();
            if !G::IS_FOREIGN
                && let Some(trimmed) = self.notation.quick[i].push(text, &mut self.batch.columns[i])
            {
                self.trimmed[i] += u64::from(trimmed);
                continue;
            }
            let is_own = self.constants[i].is_none() && self.extra != Some(i);
            let result = match given.fault(i, &self.columns[i]) {
                Some(fault) if is_own => Err(fault),
                _ => self.cell(i, text, is_own && given.is_native(i)),
            };
            if let Err(fault) = result {
                self.misfit(i, given.line(), fault, &mut faults)?;
            }
        }
        if faults.is_empty() && !self.across.money_is_right(&self.batch.columns, row) {
            self.money(row, given, &mut faults)?;
        }
        if faults.is_empty() && !self.across.holds(&self.batch.columns, row) {
            faults = self.checks(row, given.line());
        }
        if !faults.is_empty() {
            for column in &mut self.batch.columns {
                column.truncate(row);
            }
            self.drifting.clear();
            return self.reject_all(given.line(), &given.raw(), faults);
        }
        self.batch.lines.push(signed(given.line()));
        self.records += 1;
        self.rows += 1;
        self.batch_bytes += given.size();
        self.count_drifting(given.line());
        if row + 1 == BATCH_ROWS || self.batch_bytes >= BATCH_BYTES {
            self.hand_on()?;
        }
        Ok(())
    }

    /// Adds the cell of a column.
    fn cell(&mut self, i: usize, text: &str, is_native: bool) -> Result<(), Fault> {
        let notation = match &mut self.native {
            Some(native) if is_native => native,
            _ => &mut self.notation,
        };
        let column = &mut self.batch.columns[i];
        if let Some(trimmed) = notation.quick[i].push(text, column) {
            self.trimmed[i] += u64::from(trimmed);
            return Ok(());
        }
        let contract = &self.columns[i];
        let composed = composed(contract, text);
        let (cell, trimmed) = notation.reading.cell(i, &composed)?;
        column.push(cell);
        self.trimmed[i] += u64::from(trimmed);
        self.composed[i] += u64::from(matches!(composed, Cow::Owned(_)));
        if contract.drift == Drift::Evolve && !check::is_listed(contract, cell) {
            self.drifting
                .push((i, notation.reading.shown(text.trim()).into_owned()));
        } else {
            notation.quick[i].remember(text, cell, trimmed);
        }
        Ok(())
    }

    /// A value does not fit: by the drift of its column.
    fn misfit(&mut self, i: usize, line: u64, fault: Fault, faults: &mut Faults) -> Result<(), Fault> {
        let column = &self.columns[i];
        match column.drift {
            Drift::Freeze => {
                let name = &column.name;
                let reason = format!(
                    "the column '{name}' is frozen, and its value on line {line} does not fit: {} ({})",
                    fault.reason, fault.rule
                );
                return Err(Fault::new("drift.frozen", reason, fault.remedy));
            }
            Drift::DiscardValue if !column.required => {
                self.batch.columns[i].push_null();
                self.drifting.push((i, format!("{} ({})", fault.reason, fault.rule)));
            }
            _ => faults.push((Some(i), fault)),
        }
        Ok(())
    }

    #[inline]
    fn count_drifting(&mut self, line: u64) {
        for (column, example) in self.drifting.drain(..) {
            let drifted = self.drifted.entry(column).or_insert_with(|| Drifted::new(line));
            drifted.count += 1;
            if drifted.examples.len() < SHOWN_VALUES {
                drifted.examples.insert(example);
            }
        }
    }

    /// Amounts with more decimals than their currency has.
    fn money(&mut self, row: usize, given: &impl Given, faults: &mut Faults) -> Result<(), Fault> {
        let get = |i: usize| self.batch.columns.get(i).map_or(Cell::Null, |c| c.get(row));
        for (i, violation) in check::money_decimals(self.contract, get) {
            let text = given.text(i).unwrap_or_default();
            let fault = self.notation.reading.violation(violation, text);
            self.batch.columns[i].truncate(row);
            self.misfit(i, given.line(), fault, faults)?;
        }
        Ok(())
    }

    /// The contract's checks across columns: those that reject are returned, the others counted.
    fn checks(&mut self, row: usize, line: u64) -> Faults {
        let get = |i: usize| self.batch.columns.get(i).map_or(Cell::Null, |c| c.get(row));
        let broken = check::row(self.contract, get);
        let mut faults = Faults::new();
        let is_rejected = broken.iter().any(|c| c.severity == CheckSeverity::Reject);
        for check in broken {
            if check.severity == CheckSeverity::Reject {
                let fault = Fault {
                    rule: Cow::Owned(check.id.clone()),
                    reason: format!("does not hold: {}", check.description),
                    remedy: "correct the record and deliver it again".to_owned(),
                };
                faults.push((None, fault));
            } else if !is_rejected {
                let flagged = self
                    .flagged
                    .entry(&check.id)
                    .or_insert(Flagged { check, count: 0, line });
                flagged.count += 1;
            }
        }
        faults
    }

    /// Hands the rows so far to the sink.
    fn hand_on(&mut self) -> Result<(), Fault> {
        self.batch_bytes = 0;
        let batch = self.batch.take();
        self.sink.take(batch).map_err(|stopped| {
            let remedy = "look at what the run says beside this file, and run again";
            Fault::new("file.stopped", stopped.to_string(), remedy)
        })
    }

    /// The whole file is refused: nothing of it is used, and the notes say why.
    pub fn set_aside(self, fault: &Fault) -> FileOutcome {
        let place = place(self.origin, None);
        let mut notes = vec![Finding::error(place.clone(), &fault.rule, &fault.reason, &fault.remedy)];
        for reject in self.rejects.list.iter().take(SHOWN_REJECTS) {
            let mut place = place.clone();
            place.line = u64::try_from(reject.line).ok();
            place.column.clone_from(&reject.column);
            notes.push(Finding::error(place, &reject.rule, &reject.reason, &reject.remedy));
        }
        FileOutcome {
            verdict: Verdict::SetAside {
                reason: format!("{}: {}", fault.rule, fault.reason),
            },
            notes,
            ..self.empty()
        }
    }

    fn empty(&self) -> FileOutcome {
        FileOutcome {
            origin: self.origin.clone(),
            feed: self.contract.name.clone(),
            source: self.source.name.clone(),
            verdict: Verdict::Read,
            records: 0,
            rows: 0,
            rejects: Vec::new(),
            skipped: BTreeMap::new(),
            notes: Findings::new(),
        }
    }

    /// All records are read.
    pub fn finish(mut self) -> FileOutcome {
        if self.is_over_threshold() {
            let share = self.contract.reject_threshold;
            let reason = format!(
                "{} of {} records are rejected, over the share of {share} that the feed allows",
                self.rejects.records, self.records
            );
            let remedy = "correct the file or its source and deliver it again, or waive it";
            return self.set_aside(&Fault::new("file.rejects", reason, remedy));
        }
        if !self.batch.is_empty()
            && let Err(fault) = self.hand_on()
        {
            return self.set_aside(&fault);
        }
        let notes = self.all_notes();
        FileOutcome {
            records: self.records,
            rows: self.rows,
            notes,
            ..FileOutcome {
                rejects: std::mem::take(&mut self.rejects.list),
                skipped: std::mem::take(&mut self.skipped),
                ..self.empty()
            }
        }
    }

    /// `rejected / records > threshold`, in integers; a small file is allowed one whatever the share.
    fn is_over_threshold(&self) -> bool {
        if self.records < SMALL_FILE_RECORDS && self.rejects.records <= SMALL_FILE_REJECTS {
            return false;
        }
        let allowed = self.contract.reject_threshold.ratio() * Ratio::int(self.records);
        Ratio::int(self.rejects.records) > allowed
    }

    fn all_notes(&mut self) -> Findings {
        let whole = place(self.origin, None);
        let mut notes = std::mem::take(&mut self.notes);
        let preamble = self.skipped.get("skip.preamble").copied().unwrap_or_default();
        if self.records == preamble {
            notes.push(notes::no_rows(&whole));
        }
        for (written, declared) in &self.normalised {
            notes.push(notes::normalised(&whole, written, declared));
        }
        for (name, count) in &self.unknown {
            notes.push(notes::unknown(&whole, self.contract.drift, name, *count));
        }
        for (column, count) in self.columns.iter().zip(&self.trimmed) {
            notes.extend((*count > 0).then(|| notes::trimmed(&whole, &column.name, *count)));
        }
        for (column, count) in self.columns.iter().zip(&self.composed) {
            notes.extend((*count > 0).then(|| notes::composed(&whole, &column.name, *count)));
        }
        for (column, drifted) in &self.drifted {
            notes.push(drifted.note(&whole, &self.columns[*column]));
        }
        notes.extend(self.flagged.values().map(|flagged| flagged.note(&whole)));
        notes
    }
}

/// An identifier with its letters and marks joined, so that é is é however it is written. Other texts stay as they are.
fn composed<'t>(column: &Column, text: &'t str) -> Cow<'t, str> {
    if column.format != Some(Format::Id) || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// What a batch holds of a column.
fn cell_kind(kind: ColumnType) -> CellKind {
    match kind {
        ColumnType::Text => CellKind::Text,
        ColumnType::Int => CellKind::Int,
        ColumnType::Decimal { scale, .. } => CellKind::Dec { scale },
        ColumnType::Bool => CellKind::Bool,
        ColumnType::Date => CellKind::Date,
        ColumnType::Instant => CellKind::Instant,
    }
}

fn unknown_values(unknown: &[(&str, &str)]) -> Fault {
    let names: Vec<String> = unknown.iter().map(|(name, _)| shown(name)).collect();
    let reason = format!(
        "has values in columns that the contract does not have: {}",
        names.join(", ")
    );
    let remedy = "leave the columns out, rename them in the source, or add them to the contract";
    Fault::new("drift.unknown_column", reason, remedy)
}

/// A name as it is counted.
fn short_name(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES)]
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
