//! What is told of the files of the inbox.
//!
//! Duty: the words, and how many of a kind. Not its duty: finding anything out.

use std::collections::BTreeMap;

use crate::domain::{Finding, Findings, Place};
use crate::ingest::Source;
use crate::ingest::source::Mode;
use crate::store::landing::Arrival;

/// Most findings of one rule that name their file; the rest is counted.
const MAX_NAMED: usize = 200;

/// Findings, bounded whatever the inbox holds.
#[derive(Debug, Default)]
pub struct Told {
    findings: Findings,
    count: BTreeMap<String, usize>,
}

impl Told {
    pub fn push(&mut self, finding: Finding) {
        let count = self.count.entry(finding.rule.clone()).or_default();
        *count += 1;
        if *count <= MAX_NAMED {
            self.findings.push(finding);
        }
    }

    /// By file, with what was only counted behind each rule's last.
    pub fn finish(mut self) -> Findings {
        self.findings
            .sort_by(|a, b| (&a.place, &a.rule).cmp(&(&b.place, &b.rule)));
        for (rule, count) in self.count {
            let more = count.saturating_sub(MAX_NAMED);
            if let Some(like) = self.findings.iter().find(|f| f.rule == rule && more > 0).cloned() {
                self.findings.push(Finding {
                    place: Place::file("the inbox"),
                    message: format!("{more} more files like those named"),
                    ..like
                });
            }
        }
        self.findings
    }
}

/// A file that is left alone; `path` is as it is shown.
pub fn refused(path: String, why: &str) -> Finding {
    Finding::error(
        Place::file(path),
        "inbox.refused",
        format!("{why}: it is left where it is and was not opened"),
        "deliver a plain file under a plain name, and take this one out of the inbox",
    )
}

pub fn refused_folder(path: String, why: &str) -> Finding {
    Finding::error(
        Place::file(path),
        "inbox.refused",
        format!("{why}: what is in it was not looked at"),
        "put a folder with a plain name in its place; to have it elsewhere, mount it there",
    )
}

/// One file that cannot be read does not stop the others.
pub fn unreadable(path: String, detail: &str) -> Finding {
    Finding::error(
        Place::file(path),
        "inbox.unreadable",
        format!("it cannot be read and was passed over: {detail}"),
        "correct its permissions, or take it out of the inbox; the next run takes it in",
    )
}

pub fn waiting(path: &str, why: &str) -> Finding {
    Finding::note(
        Place::file(path),
        "inbox.waiting",
        format!("the file waits: {why}"),
        "a later run takes it once it is whole; if it is, put its marker beside it or let it stand",
    )
}

pub fn changing(path: &str, how: &str) -> Finding {
    Finding::note(
        Place::file(path),
        "inbox.changing",
        format!("the file waits for the next run: {how}"),
        "write it under another name and rename it, or declare `ready` for its source",
    )
}

/// Content that is known under another name.
pub fn known(path: &str, first: &Arrival) -> Finding {
    Finding::note(
        Place::file(path),
        "inbox.known",
        format!(
            "the same content arrived before as {} (arrival {}): nothing is loaded twice",
            first.file_name, first.arrival
        ),
        "",
    )
}

pub fn restored(path: &str, arrival: u64) -> Finding {
    Finding::warning(
        Place::file(path),
        "inbox.restored",
        format!("the original of arrival {arrival} was missing in landing, and is restored from this file"),
        "find out who removed it; `starledger verify` names what else is missing",
    )
}

/// The same name with other content.
pub fn correction(source: Option<&Source>, path: &str, earlier: u64) -> Finding {
    let (what, remedy) = match source.map_or(Mode::Append, |s| s.mode) {
        Mode::Append => (
            "its source appends: rows with new keys are added, and a key that stands with other values is a conflict"
                .to_owned(),
            "to let later rows replace earlier ones, declare mode = \"upsert\" or \"snapshot\"",
        ),
        Mode::Upsert => (
            format!(
                "its rows supersede those with the same key, ordered by {}",
                source.map_or_else(String::new, |s| s.order.kind())
            ),
            "",
        ),
        Mode::Snapshot => (
            "it replaces what its source said before: keys that it does not name have ended".to_owned(),
            "",
        ),
    };
    Finding::note(
        Place::file(path),
        "inbox.correction",
        format!("arrival {earlier} brought other content under this name: it is a new delivery; {what}"),
        remedy,
    )
}

/// Content that came before and counts again.
pub fn again(path: &str, first: u64) -> Finding {
    Finding::note(
        Place::file(path),
        "inbox.again",
        format!(
            "the same content arrived before as arrival {first}: it is a new delivery all the same, since the \
             deliveries of its source replace one another in turn"
        ),
        "",
    )
}

/// What differs may be invisible, so every letter beyond ASCII is shown by its code point.
pub fn lookalike(paths: &[String]) -> Finding {
    let mut shown = paths.iter().map(|path| path.escape_default().to_string());
    let first = shown.next().unwrap_or_default();
    let others: Vec<String> = shown.map(|path| format!("'{path}'")).collect();
    Finding::warning(
        Place::file(first),
        "inbox.lookalike",
        format!(
            "the name differs from that of {} in case or in the form of its letters only: they are different files",
            others.join(", ")
        ),
        "find out whether they were meant to be one; give each a name of its own",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_files_of_a_kind_are_counted() {
        let mut told = Told::default();
        for i in 0..1000 {
            told.push(waiting(&format!("in/{i:04}.csv"), "it is young"));
        }
        told.push(refused("in/x".to_owned(), "it is a link"));
        let findings = told.finish();
        assert_eq!(findings.len(), MAX_NAMED + 2);
        assert_eq!(
            findings.last().map(|f| f.message.as_str()),
            Some("800 more files like those named")
        );
    }
}
