//! What lies on the desk: rejected records, waiting rows, files set aside.
//!
//! Duty: the tables of a release as values, and which of them a filter means. Must not: read texts, print.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{KIND, OUTCOME};
use crate::domain::{Digest, Instant, Table};
use crate::pipeline::PipelineError;
use crate::store::release::Release;

/// A record by the file it came in and the line on which it began: `31:22`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId {
    pub arrival: i64,
    pub line: i64,
}

impl RecordId {
    pub fn parse(text: &str) -> Option<RecordId> {
        let (arrival, line) = text.trim().split_once(':')?;
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten()
        };
        Some(RecordId {
            arrival: number(arrival)?,
            line: number(line)?,
        })
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.arrival, self.line)
    }
}

/// What a correction is about: a record, and its raw text as it was when someone corrected it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    pub id: RecordId,
    pub raw_hash: String,
}

impl Subject {
    /// From the subject of a decision, such as `31:22:<64 hex digits>`.
    pub fn parse(text: &str) -> Option<Subject> {
        let (id, raw_hash) = text.rsplit_once(':')?;
        Digest::parse(raw_hash)?;
        Some(Subject {
            id: RecordId::parse(id)?,
            raw_hash: raw_hash.to_owned(),
        })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, self.raw_hash)
    }
}

/// One thing that was wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub column: Option<String>,
    pub rule: String,
    pub reason: String,
    pub remedy: String,
}

/// A rejected record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub id: RecordId,
    pub feed: String,
    pub file_name: String,
    /// In the order in which they were found.
    pub findings: Vec<Found>,
    pub raw_hash: String,
    /// It was a row of the contract by itself: what is wrong lies elsewhere, and its raw text is that row.
    pub typed: bool,
    /// Decision by which it was corrected.
    pub resolved_by: Option<String>,
}

impl Rejected {
    pub fn subject(&self) -> Subject {
        Subject {
            id: self.id,
            raw_hash: self.raw_hash.clone(),
        }
    }

    /// Its key stands with other values elsewhere.
    pub fn is_conflict(&self) -> bool {
        self.findings.iter().any(|f| f.rule == "key.conflict")
    }

    /// Its values are not what is wrong with it, or say little: that it can be read says nothing then.
    pub fn is_whole(&self) -> bool {
        let whole = |rule: &str| ["record.", "json.", "xlsx."].iter().any(|room| rule.starts_with(room));
        self.typed || self.findings.iter().any(|f| whole(&f.rule))
    }
}

/// A record that waits for what it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub id: RecordId,
    pub feed: String,
    pub file_name: String,
    pub missing_table: String,
    pub missing_value: String,
}

/// A file of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    pub feed: String,
    pub source: String,
    pub file_name: String,
    pub file_hash: String,
    /// Why it was set aside.
    pub aside: Option<String>,
}

/// A correction that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    pub decision_id: String,
    pub subject: String,
    /// Of the corrected record as delivered.
    pub corrected: Option<Digest>,
    pub by: String,
    pub role: String,
    pub reason: String,
    pub decided_at: Instant,
}

/// Everything of one release.
#[derive(Debug, Default)]
pub struct Desk {
    pub rejected: BTreeMap<RecordId, Rejected>,
    pub waiting: Vec<Waiting>,
    /// By arrival.
    pub files: BTreeMap<i64, FileEntry>,
    /// By decision.
    pub corrections: BTreeMap<String, Correction>,
    /// Names and hashes of files that were waived.
    pub waived: BTreeSet<String>,
}

impl Desk {
    pub fn open(release: &Release) -> Result<Desk, PipelineError> {
        let decisions = release.read_table("decisions")?;
        Ok(Desk {
            rejected: rejected(&release.read_table("quarantine")?)?,
            waiting: waiting(&release.read_table("held")?)?,
            files: files(&release.read_table("files")?)?,
            corrections: corrections(&decisions)?
                .into_iter()
                .map(|c| (c.decision_id.clone(), c))
                .collect(),
            waived: waived(&decisions)?,
        })
    }

    /// Rejected records that a filter means, by id; those that were corrected only if asked for.
    pub fn select<'a>(&'a self, filter: &'a Filter, resolved: bool) -> impl Iterator<Item = &'a Rejected> {
        self.rejected
            .values()
            .filter(move |r| (resolved || r.resolved_by.is_none()) && filter.means(r))
    }

    /// Files that lie aside: neither delivered anew under their name nor waived.
    pub fn aside(&self) -> Vec<(i64, &FileEntry)> {
        let mut latest: BTreeMap<&str, i64> = BTreeMap::new();
        for (arrival, file) in &self.files {
            latest.insert(&file.file_name, *arrival);
        }
        self.files
            .iter()
            .filter(|(arrival, file)| {
                let waived = self.waived.contains(&file.file_name) || self.waived.contains(&file.file_hash);
                file.aside.is_some() && !waived && latest.get(file.file_name.as_str()) == Some(arrival)
            })
            .map(|(arrival, file)| (*arrival, file))
            .collect()
    }
}

/// Which records are meant.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub feed: Option<String>,
    pub rule: Option<String>,
    /// The file's name, or its end behind a `/`.
    pub file: Option<String>,
    /// This arrival and later ones.
    pub since_arrival: Option<i64>,
}

impl Filter {
    pub fn means(&self, record: &Rejected) -> bool {
        self.means_file(&record.feed, &record.file_name, record.id.arrival)
            && self
                .rule
                .as_ref()
                .is_none_or(|rule| record.findings.iter().any(|f| f.rule == *rule))
    }

    pub fn means_file(&self, feed: &str, file_name: &str, arrival: i64) -> bool {
        let is_file = |wanted: &String| {
            file_name
                .strip_suffix(wanted.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        self.feed.as_ref().is_none_or(|f| f == feed)
            && self.file.as_ref().is_none_or(is_file)
            && self.since_arrival.is_none_or(|since| arrival >= since)
    }
}

/// Records by id from a table `quarantine`, whose rows stand in the order of their key.
pub fn rejected(table: &Table) -> Result<BTreeMap<RecordId, Rejected>, PipelineError> {
    let mut out: BTreeMap<RecordId, Rejected> = BTreeMap::new();
    let known = table.column("resolved_by").is_some();
    for row in table.iter() {
        let id = RecordId {
            arrival: row.int("arrival")?,
            line: row.int("source_line")?,
        };
        let found = Found {
            column: row.opt_text("column_name")?.map(str::to_owned),
            rule: row.text("rule")?.to_owned(),
            reason: row.text("reason")?.to_owned(),
            remedy: row.text("remedy")?.to_owned(),
        };
        // a release of an earlier version does not know the column
        let resolved_by = if known { row.opt_text("resolved_by")? } else { None };
        if let Some(record) = out.get_mut(&id) {
            record.findings.push(found);
            continue;
        }
        let raw_hash = row.text("raw_hash")?;
        let record = Rejected {
            id,
            feed: row.text("feed")?.to_owned(),
            file_name: row.text("source_file")?.to_owned(),
            findings: vec![found],
            raw_hash: raw_hash.to_owned(),
            // a record that never was a row is known by its raw text
            typed: row.text("row_hash")? != raw_hash,
            resolved_by: resolved_by.map(str::to_owned),
        };
        out.insert(id, record);
    }
    Ok(out)
}

fn waiting(table: &Table) -> Result<Vec<Waiting>, PipelineError> {
    let mut out = Vec::new();
    for row in table.iter() {
        out.push(Waiting {
            id: RecordId {
                arrival: row.int("arrival")?,
                line: row.int("source_line")?,
            },
            feed: row.text("feed")?.to_owned(),
            file_name: row.text("source_file")?.to_owned(),
            missing_table: row.text("missing_table")?.to_owned(),
            missing_value: row.text("missing_value")?.to_owned(),
        });
    }
    Ok(out)
}

fn files(table: &Table) -> Result<BTreeMap<i64, FileEntry>, PipelineError> {
    let mut out = BTreeMap::new();
    for row in table.iter() {
        let aside = row.text("state")? == "set_aside";
        let reason = row.opt_text("reason")?.unwrap_or_default();
        let file = FileEntry {
            feed: row.text("feed")?.to_owned(),
            source: row.text("source")?.to_owned(),
            file_name: row.text("file_name")?.to_owned(),
            file_hash: row.text("file_hash")?.to_owned(),
            aside: aside.then(|| reason.to_owned()),
        };
        out.insert(row.int("arrival")?, file);
    }
    Ok(out)
}

/// Decisions of kind `correct`, in the order in which they were taken.
pub fn corrections(decisions: &Table) -> Result<Vec<Correction>, PipelineError> {
    let mut out = Vec::new();
    for row in decisions.iter() {
        if row.text("kind")? != KIND || row.text("outcome")? != OUTCOME {
            continue;
        }
        out.push(Correction {
            decision_id: row.text("decision_id")?.to_owned(),
            subject: row.text("subject")?.to_owned(),
            corrected: row.opt_text("subject_hash")?.and_then(Digest::parse),
            by: row.text("by")?.to_owned(),
            role: row.text("role")?.to_owned(),
            reason: row.text("reason")?.to_owned(),
            decided_at: row.instant("decided_at")?,
        });
    }
    out.sort_by(|a, b| (a.decided_at, &a.decision_id).cmp(&(b.decided_at, &b.decision_id)));
    Ok(out)
}

fn waived(decisions: &Table) -> Result<BTreeSet<String>, PipelineError> {
    let mut out = BTreeSet::new();
    for row in decisions.iter() {
        if row.text("kind")? == "waive" && row.text("outcome")? == "waived" {
            out.insert(row.text("subject")?.to_owned());
        }
    }
    Ok(out)
}
