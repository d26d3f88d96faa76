//! Which rejected records are corrected.
//!
//! Duty: decisions of kind `correct` against the records that arrived through the corrections folder. Must not: read
//! files, judge whether a correction was right.
//!
//! A record is corrected when a decision names it and the record that stands for it has arrived and is not rejected
//! itself. The rejected record stays where it is: nothing is lost, and the counts of its file stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::FOLDER;
use super::records::{Correction, RecordId, Rejected, Subject};
use crate::domain::{Digest, Finding, Findings, Place};
use crate::ingest::plain;

/// Where corrected records stand, by feed and hash of the record as delivered.
pub type Places = BTreeMap<(String, Digest), RecordId>;

/// What a run learns from the decisions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Record to decision; those that were corrected before are not among them.
    pub resolved: BTreeMap<RecordId, String>,
    /// Decisions that come to nothing.
    pub findings: Findings,
}

/// Whether a file came through the corrections folder.
pub fn is_correction(file_name: &str) -> bool {
    file_name.strip_prefix(FOLDER).is_some_and(|rest| rest.starts_with('/'))
}

/// Hash and line of each record of a delivered file of corrections; a file that was set aside has none.
pub fn digests(text: &[u8]) -> Vec<(Digest, i64)> {
    let records = plain::records(text).unwrap_or_default();
    let line = |line: u64| i64::try_from(line).unwrap_or(i64::MAX);
    let record = |r: &plain::Record| (Digest::of(&r.raw), line(r.line));
    records.iter().skip(1).map(record).collect()
}

/// Feeds in which a record is open that a decision names: only their corrections need to be looked at.
pub fn feeds_wanted(corrections: &[Correction], rejected: &BTreeMap<RecordId, Rejected>) -> BTreeSet<String> {
    corrections
        .iter()
        .filter_map(|c| named(c, rejected))
        .filter(|record| record.resolved_by.is_none())
        .map(|record| record.feed.clone())
        .collect()
}

/// The record that a decision names, if its raw text is still what it was.
fn named<'a>(correction: &Correction, rejected: &'a BTreeMap<RecordId, Rejected>) -> Option<&'a Rejected> {
    let subject = Subject::parse(&correction.subject)?;
    rejected.get(&subject.id).filter(|r| r.raw_hash == subject.raw_hash)
}

/// Settles decisions, given in the order in which they were taken: the first one that holds counts.
pub fn settle(corrections: &[Correction], rejected: &BTreeMap<RecordId, Rejected>, places: &Places) -> Settled {
    let mut resolved: BTreeMap<RecordId, String> = BTreeMap::new();
    // a correction may have been rejected and corrected again: what it stands for is resolved with it
    loop {
        let before = resolved.len();
        for correction in corrections {
            let Some(record) = named(correction, rejected) else {
                continue;
            };
            let is_open = record.resolved_by.is_none() && !resolved.contains_key(&record.id);
            if is_open && obstacle(correction, record, rejected, &resolved, places).is_none() {
                resolved.insert(record.id, correction.decision_id.clone());
            }
        }
        if resolved.len() == before {
            break;
        }
    }
    let mut findings = Findings::new();
    for correction in corrections {
        let found = match named(correction, rejected) {
            None => Some((
                "correct.subject",
                "the subject is no rejected record".to_owned(),
                "name <arrival>:<line>:<raw_hash> of a row of quarantine; `starledger quarantine replay` writes that",
            )),
            Some(record) if record.resolved_by.is_some() || resolved.contains_key(&record.id) => None,
            Some(record) => obstacle(correction, record, rejected, &resolved, places),
        };
        findings.extend(found.map(|(rule, message, remedy)| {
            let place = Place::file("decisions").column(&correction.decision_id);
            Finding::warning(place, rule, message, remedy)
        }));
    }
    Settled { resolved, findings }
}

/// Why a decision about a known record does not count: rule, message, remedy.
fn obstacle(
    correction: &Correction,
    record: &Rejected,
    rejected: &BTreeMap<RecordId, Rejected>,
    resolved: &BTreeMap<RecordId, String>,
    places: &Places,
) -> Option<(&'static str, String, &'static str)> {
    let place = correction
        .corrected
        .and_then(|hash| places.get(&(record.feed.clone(), hash)));
    let Some(place) = place else {
        return Some((
            "correct.row",
            format!("{} stays open: the corrected record has not arrived", record.id),
            "deliver it through corrections/; subject_hash is the SHA-256 of its line there",
        ));
    };
    let again = rejected.get(place)?;
    let is_open = again.resolved_by.is_none() && !resolved.contains_key(place);
    is_open.then(|| {
        let rules: BTreeSet<&str> = again.findings.iter().map(|f| f.rule.as_str()).collect();
        let rules: Vec<&str> = rules.into_iter().collect();
        (
            "correct.rejected",
            format!(
                "{} stays open: the corrected record {place} was rejected itself ({})",
                record.id,
                rules.join(", ")
            ),
            "look at it with `starledger quarantine show`, and correct it in its turn",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::records::Found;
    use super::*;
    use crate::domain::Instant;

    fn record(id: &str, resolved_by: Option<&str>) -> Rejected {
        Rejected {
            id: RecordId::parse(id).unwrap(),
            feed: "sales".to_owned(),
            file_name: "in/sales.csv".to_owned(),
            findings: vec![Found {
                column: None,
                rule: "value.required".to_owned(),
                reason: "is blank".to_owned(),
                remedy: "deliver a value".to_owned(),
            }],
            raw_hash: Digest::of(id.as_bytes()).to_string(),
            typed: false,
            resolved_by: resolved_by.map(str::to_owned),
        }
    }

    fn decision(id: &str, subject: &Rejected, corrected: &str) -> Correction {
        Correction {
            decision_id: id.to_owned(),
            subject: subject.subject().to_string(),
            corrected: Some(Digest::of(corrected.as_bytes())),
            by: "a".to_owned(),
            role: "b".to_owned(),
            reason: "c".to_owned(),
            decided_at: Instant::from_micros(0),
        }
    }

    fn told(corrections: &[Correction], records: &[Rejected], places: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let rejected = records.iter().map(|r| (r.id, r.clone())).collect();
        let places = places.iter().map(|(text, id)| {
            let digest = Digest::of(text.as_bytes());
            (("sales".to_owned(), digest), RecordId::parse(id).unwrap())
        });
        let settled = settle(corrections, &rejected, &places.collect());
        let resolved = settled.resolved.iter().map(|(id, by)| format!("{id} {by}"));
        (
            resolved.collect(),
            settled.findings.iter().map(|f| f.rule.clone()).collect(),
        )
    }

    #[test]
    fn a_record_is_resolved_when_decision_and_row_have_arrived() {
        let (open, done) = (record("3:7", None), record("3:9", Some("D0")));
        let decisions = [decision("D1", &open, "x"), decision("D2", &done, "y")];
        let records = [open, done];
        let (none, some): (Vec<String>, Vec<String>) = (vec![], vec!["3:7 D1".to_owned()]);
        assert_eq!(
            told(&decisions, &records, &[]),
            (none.clone(), vec!["correct.row".to_owned()])
        );
        assert_eq!(told(&decisions, &records, &[("x", "9:2")]), (some, none));
    }

    #[test]
    fn a_decision_about_nothing_is_a_finding() {
        let known = record("3:7", None);
        let mut other = known.clone();
        other.raw_hash = Digest::of(b"another text").to_string();
        let mut nonsense = decision("D3", &known, "x");
        nonsense.subject = "2026-Q3".to_owned();
        let decisions = [
            decision("D1", &record("4:7", None), "x"),
            decision("D2", &other, "x"),
            nonsense,
        ];
        let (resolved, findings) = told(&decisions, &[known], &[("x", "9:2")]);
        assert_eq!(resolved, Vec::<String>::new());
        assert_eq!(findings, ["correct.subject"; 3]);
    }

    #[test]
    fn a_correction_that_was_rejected_counts_once_it_is_corrected_itself() {
        let (first, second) = (record("3:7", None), record("9:2", None));
        let places = [("x", "9:2"), ("y", "11:2")];
        let once = [decision("D1", &first, "x")];
        let records = [first.clone(), second.clone()];
        assert_eq!(told(&once, &records, &places).1, ["correct.rejected"]);
        let twice = [decision("D1", &first, "x"), decision("D2", &second, "y")];
        let (resolved, findings) = told(&twice, &records, &places);
        assert_eq!(resolved, ["3:7 D1", "9:2 D2"]);
        assert_eq!(findings, Vec::<String>::new());
        // or another decision about the same record holds
        let instead = [decision("D1", &first, "x"), decision("D2", &first, "y")];
        let (resolved, findings) = told(&instead, &records, &places);
        assert_eq!((resolved, findings), (vec!["3:7 D2".to_owned()], vec![]));
    }

    #[test]
    fn records_of_a_delivery_are_known_by_their_lines() {
        let found = digests(b"id,note\n1,\"a\nb\"\n2,c\n");
        let expected = [(Digest::of(b"1,\"a\nb\""), 2), (Digest::of(b"2,c"), 4)];
        assert_eq!(found, expected);
        assert!(is_correction("corrections/sales-1.csv") && !is_correction("corrections.csv"));
    }
}
