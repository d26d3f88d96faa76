//! The house rules as a test: who imports whom, and what is absent from each room.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::workspace::repository;

/// Room → rooms it may import. What is not listed is absent from it.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("contracts", &["domain"]),
    ("rules", &["domain"]),
    ("ingest", &["domain", "contracts"]),
    ("foreign", &["domain", "ingest"]),
    ("measures", &["domain", "contracts", "rules"]),
    ("evaluation", &["domain", "rules"]),
    ("incentives", &["domain", "rules"]),
    ("ledger", &["domain"]),
    ("exports", &["domain", "ledger"]),
    ("charts", &["domain"]),
    ("publishing", &["domain", "rules", "charts"]),
    ("report", &["domain", "charts"]),
    ("delivery", &["domain"]),
    // of delivery the mail edge knows the plain values of `delivery::message` and the retry policy's shape
    ("edges", &["domain", "delivery"]),
    ("store", &["domain", "contracts", "edges"]),
    (
        "pipeline",
        &[
            "domain",
            "contracts",
            "rules",
            "ingest",
            "foreign",
            "measures",
            "evaluation",
            "incentives",
            "ledger",
            "exports",
            "charts",
            "publishing",
            "report",
            "delivery",
            "edges",
            "store",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "rules",
            "ingest",
            "foreign",
            "contracts",
            "evaluation",
            "edges",
            "store",
            "pipeline",
            "sample",
        ],
    ),
    ("sample", &["domain"]),
];

/// Word → rooms in which alone it may stand, and why.
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    (
        "std::fs::",
        &["edges", "store"],
        "files are opened at the edges and in the store",
    ),
    ("std::net::", &["edges"], "nothing but the edges opens a socket"),
    (
        "lettre::",
        &["edges", "delivery"],
        "mail is composed in delivery and sent at the edge",
    ),
    ("SystemTime::now", &["edges"], "only the clock knows what time it is"),
    ("Utc::now", &[], "only the clock knows what time it is"),
    ("Local::now", &[], "nothing depends on the machine's zone"),
    ("polars::prelude", &["measures"], "polars ends at the measures' door"),
    (
        "arrow::",
        &["store", "foreign"],
        "one writer of Parquet, one reader of foreign ones",
    ),
    (
        "parquet::arrow",
        &["store", "foreign"],
        "one writer of Parquet, one reader of foreign ones",
    ),
    (
        "rusqlite",
        &["store", "delivery"],
        "the operations database belongs to the store and the delivery log",
    ),
    ("println!", &[], "the CLI prints through its output"),
    ("thread_rng", &[], "nothing is random"),
    (
        "f64",
        &["measures", "foreign", "exports"],
        "no floats near money or scores; a workbook's numbers are printed as it shows them, and written as it knows them",
    ),
    ("f32", &[], "no floats near money or scores"),
    (
        "HashMap",
        &["ingest", "pipeline", "store", "foreign"],
        "the order of a hash map can leak into a result; where millions of rows are looked up, nothing iterates over one",
    ),
];

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Room and path of every source file, with its text up to its unit tests.
fn rooms() -> Vec<(String, String, String)> {
    let base = repository().join("src");
    let mut files = Vec::new();
    sources(&base, &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let name = path
                .strip_prefix(&base)
                .expect("below src")
                .to_string_lossy()
                .into_owned();
            let room = name
                .split('/')
                .next()
                .expect("a room")
                .trim_end_matches(".rs")
                .to_owned();
            let text = fs::read_to_string(&path).expect("a source");
            let code = until_tests(&text);
            (room, name, code)
        })
        .collect()
}

/// A source without its unit tests, which stand last.
fn until_tests(text: &str) -> String {
    match text
        .match_indices("#[cfg(test)]")
        .find(|(at, _)| text[*at..].contains("\nmod tests {"))
    {
        Some((at, _)) => text[..at].to_owned(),
        None => text.to_owned(),
    }
}

fn is_test(name: &str) -> bool {
    ["test", "fixture", "scenarios", "shelf", "samples", "worked", "model.rs"]
        .iter()
        .any(|word| name.contains(word))
        && name != "rules/model.rs"
        && name != "contracts/model.rs"
}

#[test]
fn rooms_import_only_what_they_may() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = MAY_IMPORT
        .iter()
        .map(|(room, may)| (*room, may.iter().copied().collect()))
        .collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (room, name, code) in rooms() {
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        let may = allowed
            .get(room.as_str())
            .unwrap_or_else(|| panic!("room {room} is not on the map"));
        seen.insert(room.clone());
        for line in code.lines().filter(|l| !l.trim_start().starts_with("//")) {
            for part in line.split("crate::").skip(1) {
                let target: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if target != room && allowed.contains_key(target.as_str()) && !may.contains(target.as_str()) {
                    wrong.push(format!("{name} imports {target}"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(seen.len(), MAY_IMPORT.len(), "a room of the map has gone");
}

#[test]
fn what_is_absent_is_absent() {
    let mut wrong = Vec::new();
    for (room, name, code) in rooms() {
        if is_test(&name) {
            continue;
        }
        for (number, line) in code
            .lines()
            .enumerate()
            .filter(|(_, l)| !l.trim_start().starts_with("//"))
        {
            for (word, only_in, why) in ONLY_IN {
                let stands = line.match_indices(word).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
                });
                if stands && !only_in.contains(&room.as_str()) {
                    wrong.push(format!("{name}:{}: {word}: {why}", number + 1));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_module_opens_with_its_duty() {
    let without: Vec<String> = rooms()
        .into_iter()
        .filter(|(_, _, code)| !code.starts_with("//!"))
        .map(|(_, name, _)| name)
        .collect();
    assert_eq!(without, Vec::<String>::new());
}

#[test]
fn the_readme_shows_every_room() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("the README");
    for (room, _) in MAY_IMPORT {
        assert!(
            readme.contains(&format!("`{room}`")),
            "the architecture page does not show {room}"
        );
    }
}

#[test]
fn no_test_module_is_forgotten() {
    let main = fs::read_to_string(repository().join("tests/it/main.rs")).expect("main.rs");
    for entry in fs::read_dir(repository().join("tests/it")).expect("the tests") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let module = name.trim_end_matches(".rs");
        assert!(
            module == "main" || main.contains(&format!("mod {module};")),
            "{name} is in no binary"
        );
    }
}
