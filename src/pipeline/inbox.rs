//! The inbox: which files wait to be taken in.
//!
//! Duty: match the sources' globs, refuse what is no plain file, order candidates by name, so that the same inbox
//! gives the same arrivals. Not its duty: reading what is inside.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::domain::ids::is_invisible;
use crate::domain::{Digest, Finding, Findings, Place};
use crate::edges::files::{self, FileKind};
use crate::ingest::Source;
use crate::store::StoreError;
use crate::store::landing::{self, Arrival, Candidate, Registered};
use crate::store::layout::Layout;

use super::config::Config;

/// A file with its place in the order of arrivals, and where its bytes are.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub arrival: Arrival,
    pub path: PathBuf,
}

/// What waits in the inbox.
#[derive(Debug, Default)]
pub struct Inbox {
    pub candidates: Vec<Candidate>,
    pub findings: Findings,
}

/// Finds the candidates of all sources. A file that two sources claim is an error: the sources must be told apart.
pub fn scan(layout: &Layout, config: &Config) -> Result<Inbox, StoreError> {
    let bases: BTreeSet<String> = config
        .sources
        .iter()
        .flat_map(|s| &s.files)
        .map(|g| fixed_prefix(g))
        .collect();
    let mut entries: BTreeMap<String, FileKind> = BTreeMap::new();
    for base in bases {
        for (name, kind) in files::walk(&layout.workspace().join(&base))? {
            let path = if base.is_empty() {
                name
            } else {
                format!("{base}/{name}")
            };
            entries.insert(path, kind);
        }
    }
    let mut inbox = Inbox::default();
    for (path, kind) in entries {
        match (Source::of_file(&config.sources, &path), refused(&path, kind)) {
            (Ok(None), _) => {}
            // whose it is must be decided first: content is taken in once
            (Err(finding), _) => inbox.findings.push(*finding),
            (Ok(Some(_)), Some(finding)) => inbox.findings.push(finding),
            (Ok(Some(source)), None) => inbox.candidates.push(Candidate {
                file_name: path,
                source: source.name.clone(),
                feed: source.feed.clone(),
            }),
        }
    }
    Ok(inbox)
}

/// The folders of a glob before its first wildcard.
fn fixed_prefix(glob: &str) -> String {
    let parts: Vec<&str> = glob.split('/').collect();
    let fixed = parts[..parts.len() - 1]
        .iter()
        .take_while(|p| !p.contains(['*', '?', '[', '{']));
    fixed.copied().collect::<Vec<_>>().join("/")
}

fn refused(path: &str, kind: FileKind) -> Option<Finding> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hostile = name
        .chars()
        .any(|c| c.is_control() || is_invisible(c) || c == '\u{FFFD}');
    let message = if kind == FileKind::Special {
        "it is a link, a pipe or a device, and no plain file: it is not opened"
    } else if hostile {
        "its name holds control or invisible characters"
    } else {
        return None;
    };
    Some(Finding::warning(
        Place::file(path.escape_debug().to_string()),
        "inbox.refused",
        message,
        "deliver a plain file under a plain name",
    ))
}

/// Takes the candidates in and returns those with new content, with notes about content that is known.
pub fn register(layout: &Layout, candidates: &[Candidate]) -> Result<(Vec<Incoming>, Findings), StoreError> {
    let mut incoming = Vec::new();
    let names: BTreeMap<u64, String> = landing::arrivals(layout)?
        .into_iter()
        .map(|a| (a.arrival, a.file_name))
        .collect();
    let mut notes = Vec::new();
    let mut fresh: BTreeMap<u64, String> = BTreeMap::new();
    for registered in landing::register(layout, candidates)? {
        match registered {
            Registered::New(arrival) => {
                fresh.insert(arrival.arrival, arrival.file_name.clone());
                incoming.push(Incoming {
                    path: layout.original(arrival.sha256),
                    arrival,
                });
            }
            Registered::Known { file_name, arrival } => {
                let first = names.get(&arrival).or_else(|| fresh.get(&arrival));
                notes.extend(known(&file_name, first.map_or("", |n| n.as_str())));
            }
            Registered::Unreadable { file_name, detail } => notes.push(unreadable(&file_name, &detail)),
        }
    }
    Ok((incoming, notes))
}

/// The note for content that is known under another name; the same name again is not worth a word.
fn known(file_name: &str, first: &str) -> Option<Finding> {
    (file_name != first).then(|| {
        Finding::note(
            Place::file(file_name),
            "inbox.known",
            format!("the same content arrived before as {first}: nothing is loaded twice"),
            "",
        )
    })
}

/// One file that cannot be read does not stop the others.
fn unreadable(file_name: &str, detail: &str) -> Finding {
    Finding::error(
        Place::file(file_name),
        "inbox.unreadable",
        format!("the file cannot be read and was passed over: {detail}"),
        "correct its permissions, or take it out of the inbox; the next run takes it in",
    )
}

/// What [`register`] would do, without doing it.
pub fn preview(layout: &Layout, candidates: &[Candidate]) -> Result<(Vec<Incoming>, Findings), StoreError> {
    let mut known_as: BTreeMap<(String, Digest), String> = BTreeMap::new();
    let mut last = 0;
    for arrival in landing::arrivals(layout)? {
        last = arrival.arrival;
        known_as.insert((arrival.feed, arrival.sha256), arrival.file_name);
    }
    let mut incoming = Vec::new();
    let mut notes = Vec::new();
    for candidate in candidates {
        let path = layout.workspace().join(&candidate.file_name);
        let (sha256, bytes) = match files::hash_file(&path) {
            Ok(read) => read,
            Err(e) => {
                notes.push(unreadable(&candidate.file_name, &e.source.to_string()));
                continue;
            }
        };
        let key = (candidate.feed.clone(), sha256);
        if let Some(first) = known_as.get(&key) {
            notes.extend(known(&candidate.file_name, first));
            continue;
        }
        last += 1;
        known_as.insert(key, candidate.file_name.clone());
        let arrival = Arrival {
            arrival: last,
            file_name: candidate.file_name.clone(),
            source: candidate.source.clone(),
            feed: candidate.feed.clone(),
            sha256,
            bytes,
        };
        incoming.push(Incoming { arrival, path });
    }
    Ok((incoming, notes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listing_starts_at_the_fixed_part() {
        assert_eq!(fixed_prefix("sample_data/emea/sales-*.csv"), "sample_data/emea");
        assert_eq!(fixed_prefix("in/**/x.csv"), "in");
        assert_eq!(fixed_prefix("x.csv"), "");
    }

    #[test]
    fn hostile_names_are_refused() {
        assert!(refused("in/a\u{202E}b.csv", FileKind::File).is_some());
        assert!(refused("in/a\nb.csv", FileKind::File).is_some());
        assert!(refused("in/a.csv", FileKind::Special).is_some());
        assert!(refused("in/é.csv", FileKind::File).is_none());
    }
}
