//! The books kept while one file is read.
//!
//! Duty: put each record into its state, count what is only worth a note, decide at the end whether the file is set
//! aside. Not its duty: bytes, records, names of columns.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::fault::{Fault, shown};
use super::file::place;
use super::header::Header;
use super::limits::{MAX_COLUMNS, MAX_RAW_BYTES, SHOWN_REJECTS, SMALL_FILE_RECORDS, SMALL_FILE_REJECTS};
use super::outcome::{FileOrigin, FileOutcome, Reject, Skipped, TypedRow, Verdict};
use super::parse::Reading;
use super::source::{Source, data_columns};
use super::states::count;
use crate::contracts::model::{CheckSeverity, RowCheck};
use crate::contracts::{Contract, check};
use crate::domain::table::named_row_hash;
use crate::domain::{Finding, Findings, Row, Value};

/// One file being read.
pub struct Intake<'a> {
    pub source: &'a Source,
    pub contract: &'a Contract,
    pub origin: &'a FileOrigin,
    reading: Reading<'a>,
    constants: Vec<Option<&'a str>>,
    records: i64,
    rows: Vec<TypedRow>,
    rejects: Vec<Reject>,
    skipped: Vec<Skipped>,
    notes: Findings,
    /// By column of the contract.
    trimmed: Vec<u64>,
    /// Values under a name that no column has, by name.
    unknown: BTreeMap<String, u64>,
    normalised: BTreeSet<(String, String)>,
    /// Checks that flag or count: how often, and the first line.
    flagged: BTreeMap<&'a str, (&'a RowCheck, u64, u64)>,
}

impl<'a> Intake<'a> {
    pub fn new(source: &'a Source, contract: &'a Contract, origin: &'a FileOrigin) -> Intake<'a> {
        let columns = data_columns(contract);
        Intake {
            source,
            contract,
            origin,
            reading: Reading::new(source, contract),
            constants: columns
                .iter()
                .map(|c| source.constants.get(&c.name).map(String::as_str))
                .collect(),
            records: 0,
            rows: Vec::new(),
            rejects: Vec::new(),
            skipped: Vec::new(),
            notes: Findings::new(),
            trimmed: vec![0; columns.len()],
            unknown: BTreeMap::new(),
            normalised: BTreeSet::new(),
            flagged: BTreeMap::new(),
        }
    }

    pub fn note_header(&mut self, header: &Header, line: u64) {
        let place = place(self.origin, Some(line));
        self.notes.extend(header.notes(&place));
        for (_, name) in &header.unknown {
            self.unknown.insert(name.clone(), 0);
        }
        for (column, position) in data_columns(self.contract).iter().zip(&header.positions) {
            if position.is_some() && self.source.constants.contains_key(&column.name) {
                let message = format!(
                    "the column '{}' is constant in the source; the file's own values are not read",
                    column.name
                );
                let remedy = "remove the constant from the source, or the column from the file";
                self.notes.push(Finding::warning(
                    place.clone().column(&column.name),
                    "header.constant",
                    message,
                    remedy,
                ));
            }
        }
    }

    pub fn note_normalised(&mut self, written: &str, declared: &str) {
        if self.normalised.len() < MAX_COLUMNS {
            self.normalised.insert((written.to_owned(), declared.to_owned()));
        }
    }

    /// Counts a value under a name that no column of the contract has.
    pub fn count_unknown(&mut self, name: &str, text: Option<&str>) {
        let counts = text.is_some_and(|t| !t.trim().is_empty());
        if let Some(count) = self.unknown.get_mut(name) {
            *count += u64::from(counts);
        } else if self.unknown.len() < MAX_COLUMNS {
            self.unknown.insert(name.to_owned(), u64::from(counts));
        }
    }

    /// The record is no data by a declared rule.
    pub fn skip(&mut self, line: u64, rule: &'static str) {
        self.records += 1;
        self.skipped.push(Skipped {
            line: signed(line),
            rule,
        });
    }

    pub fn skip_or_reject(&mut self, declared: bool, line: u64, raw: &[u8], rule: &'static str, fault: Fault) {
        if declared {
            self.skip(line, rule);
        } else {
            self.reject(line, raw, fault);
        }
    }

    /// The record is wrong as a whole.
    pub fn reject(&mut self, line: u64, raw: &[u8], fault: Fault) {
        self.reject_all(line, raw, vec![(None, fault)]);
    }

    /// Rejects a record for everything that is wrong with it.
    fn reject_all(&mut self, line: u64, raw: &[u8], faults: Vec<(Option<usize>, Fault)>) {
        self.records += 1;
        for (row_no, (column, fault)) in (1..).zip(faults) {
            self.rejects.push(Reject {
                line: signed(line),
                row_no,
                column: column.map(|i| self.contract.columns[i].name.clone()),
                rule: fault.rule.into_owned(),
                reason: fault.reason,
                remedy: fault.remedy,
                raw: raw[..raw.len().min(MAX_RAW_BYTES)].to_vec(),
            });
        }
    }

    /// Takes a record by the texts of the delivered columns: a typed row, or rejected.
    pub fn take(&mut self, line: u64, raw: &[u8], texts: &[Option<&str>]) {
        let (values, mut faults) = self.values(texts);
        if faults.is_empty() {
            faults = self.across(&values, texts);
        }
        if faults.is_empty() {
            faults = self.checks(&values, line);
        }
        if !faults.is_empty() {
            return self.reject_all(line, raw, faults);
        }
        self.records += 1;
        let key = self.contract.key.iter().map(|i| values[*i].clone()).collect();
        let names = self.contract.columns.iter().map(|c| c.name.as_str());
        let hash = named_row_hash(names.zip(&values));
        self.rows.push(TypedRow {
            line: signed(line),
            values,
            key,
            hash,
        });
    }

    fn values(&mut self, texts: &[Option<&str>]) -> (Row, Vec<(Option<usize>, Fault)>) {
        let mut values = Row::with_capacity(texts.len());
        let mut faults = Vec::new();
        for (i, text) in texts.iter().enumerate() {
            match self.reading.field(i, self.constants[i].or(*text)) {
                Ok(field) => {
                    self.trimmed[i] += u64::from(field.trimmed);
                    values.push(field.value);
                }
                Err(fault) => faults.push((Some(i), fault)),
            }
        }
        (values, faults)
    }

    /// Amounts with more decimals than their currency has.
    fn across(&self, values: &[Value], texts: &[Option<&str>]) -> Vec<(Option<usize>, Fault)> {
        let violations = check::money_decimals(self.contract, values);
        let fault = |(i, violation): (usize, check::Violation)| {
            (Some(i), self.reading.violation(violation, texts[i].unwrap_or_default()))
        };
        violations.into_iter().map(fault).collect()
    }

    /// The contract's checks across columns: those that reject are returned, the others counted.
    fn checks(&mut self, values: &[Value], line: u64) -> Vec<(Option<usize>, Fault)> {
        let mut faults = Vec::new();
        let broken = check::row(self.contract, values);
        let rejected = broken.iter().any(|c| c.severity == CheckSeverity::Reject);
        for broken in broken {
            if broken.severity == CheckSeverity::Reject {
                let reason = format!("does not hold: {}", broken.description);
                let rule = Cow::Owned(broken.id.clone());
                faults.push((
                    None,
                    Fault {
                        rule,
                        reason,
                        remedy: "correct the record and deliver it again".to_owned(),
                    },
                ));
            } else if !rejected {
                self.flagged.entry(&broken.id).or_insert((broken, 0, line)).1 += 1;
            }
        }
        faults
    }

    /// The whole file is refused: nothing of it is used, and the notes say why.
    pub fn set_aside(self, fault: &Fault) -> FileOutcome {
        let place = place(self.origin, None);
        let mut notes = vec![Finding::error(place.clone(), &fault.rule, &fault.reason, &fault.remedy)];
        for reject in self.rejects.iter().take(SHOWN_REJECTS) {
            let mut place = place.clone();
            place.line = u64::try_from(reject.line).ok();
            place.column.clone_from(&reject.column);
            notes.push(Finding::error(place, &reject.rule, &reject.reason, &reject.remedy));
        }
        let reason = format!("{}: {}", fault.rule, fault.reason);
        FileOutcome {
            verdict: Verdict::SetAside { reason },
            records: 0,
            rows: Vec::new(),
            rejects: Vec::new(),
            skipped: Vec::new(),
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
            rows: Vec::new(),
            rejects: Vec::new(),
            skipped: Vec::new(),
            notes: Findings::new(),
            again: false,
        }
    }

    pub fn finish(mut self) -> FileOutcome {
        let rejected = count(self.rejects.iter().filter(|r| r.row_no == 1).count());
        if self.is_over_threshold(rejected) {
            let share = self.contract.reject_threshold;
            let reason = format!(
                "{rejected} of {} records are rejected, over the share of {share} that the feed allows",
                self.records
            );
            let remedy = "correct the file or its source and deliver it again, or waive it";
            return self.set_aside(&Fault::new("file.rejects", reason, remedy));
        }
        self.note_counts();
        let empty = self.empty();
        FileOutcome {
            records: self.records,
            rows: self.rows,
            rejects: self.rejects,
            skipped: self.skipped,
            notes: self.notes,
            ..empty
        }
    }

    /// `rejected / records > threshold`, in integers; a small file is allowed one whatever the share.
    fn is_over_threshold(&self, rejected: i64) -> bool {
        if self.records < SMALL_FILE_RECORDS && rejected <= SMALL_FILE_REJECTS {
            return false;
        }
        let threshold = self.contract.reject_threshold;
        let allowed = threshold.ratio() * crate::domain::Ratio::int(self.records);
        crate::domain::Ratio::int(rejected) > allowed
    }

    fn note_counts(&mut self) {
        let whole = place(self.origin, None);
        let mut notes = std::mem::take(&mut self.notes);
        if self.skipped.iter().filter(|s| s.rule != "skip.preamble").count() + self.rows.len() + self.rejects.len() == 0
        {
            let remedy = "nothing to do, if there was nothing to report";
            notes.push(Finding::warning(
                whole.clone(),
                "file.no_rows",
                "the file has no records",
                remedy,
            ));
        }
        for (written, declared) in &self.normalised {
            let message = format!("the member {} was read as '{declared}'", shown(written));
            let remedy = "write the name as declared";
            notes.push(Finding::note(
                whole.clone().column(declared),
                "header.normalised",
                message,
                remedy,
            ));
        }
        for (name, count) in &self.unknown {
            let message = format!(
                "the column {} is not in the contract; values not read: {count}",
                shown(name)
            );
            let remedy = "add the column to the contract, rename it in the source, or leave it out";
            notes.push(Finding::warning(whole.clone(), "header.unknown", message, remedy));
        }
        for (column, count) in data_columns(self.contract)
            .iter()
            .zip(&self.trimmed)
            .filter(|(_, count)| **count > 0)
        {
            let message = format!("blanks around values were removed; values: {count}");
            notes.push(Finding::note(
                whole.clone().column(&column.name),
                "value.trimmed",
                message,
                "deliver values without",
            ));
        }
        for (id, (check, count, line)) in &self.flagged {
            let message = format!(
                "rows kept that do not hold: {count}, the first on line {line}; the rule: {}",
                check.description
            );
            let finding = match check.severity {
                CheckSeverity::Warn => Finding::warning,
                _ => Finding::note,
            };
            notes.push(finding(whole.clone(), id, message, "look at these rows".to_owned()));
        }
        self.notes = notes;
    }
}

/// Lines are stored as signed integers.
fn signed(line: u64) -> i64 {
    i64::try_from(line).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
