//! Bad input, fault by fault: what becomes of it, and what is said. Tests bear the number of their fault in
//! docs/faults.md, which has a row for each.
//!
//! Duty: small contracts, sources and files, what was read of them in short, and that the list has no gap. Not its
//! duty: runs over a workspace (`arrival`, `versions`, `freshness`).

mod text;
mod values;
mod workbooks;

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use starledger::contracts::{self, Contract};
use starledger::domain::{Batch, Digest, Finding};
use starledger::foreign::{self, Options};
use starledger::ingest::{FileOrigin, FileOutcome, Input, Source, Verdict, read_file};

/// `orders(id, amount, paid_on, note?)` with the key `id`; every record may be rejected.
const ORDERS: &str = r#"apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
schema:
  - name: orders
    description: Orders.
    customProperties:
      - {property: kind, value: fact}
      - {property: businessDate, value: paid_on}
      - {property: partition, value: month}
      - {property: rejectThreshold, value: 1}
    properties:
      - {name: id, description: Key., logicalType: string, physicalType: VARCHAR, required: true, primaryKey: true, primaryKeyPosition: 1, customProperties: [{property: format, value: id}]}
      - {name: amount, description: Amount., logicalType: number, physicalType: "DECIMAL(9,2)", required: true}
      - {name: paid_on, description: Day., logicalType: date, physicalType: DATE, required: true}
      - {name: note, description: Note., logicalType: string, physicalType: VARCHAR}
      - {name: arrival, description: Lineage., logicalType: integer, physicalType: BIGINT, required: true, customProperties: [{property: role, value: lineage}]}
      - {name: source_file, description: Lineage., logicalType: string, physicalType: VARCHAR, required: true, customProperties: [{property: role, value: lineage}]}
      - {name: source_line, description: Lineage., logicalType: integer, physicalType: BIGINT, required: true, customProperties: [{property: role, value: lineage}]}
      - {name: month, description: Partition., logicalType: string, physicalType: VARCHAR, required: true, partitioned: true, customProperties: [{property: role, value: partition}]}
"#;

fn orders() -> Contract {
    contract(ORDERS)
}

/// With another share of records that may be rejected.
fn orders_with_threshold(share: &str) -> Contract {
    contract(&ORDERS.replace("rejectThreshold, value: 1", &format!("rejectThreshold, value: {share}")))
}

/// `one(id, value?)`, the value of a logical and a physical type.
fn one(logical: &str, physical: &str) -> Contract {
    let dropped = ["businessDate", "partition", "name: amount", "name: note"];
    let value =
        format!("      - {{name: value, description: Value., logicalType: {logical}, physicalType: \"{physical}\"}}");
    let mut out = String::new();
    for line in ORDERS.lines().filter(|line| !dropped.iter().any(|d| line.contains(d))) {
        out += if line.contains("name: paid_on") { &value } else { line };
        out.push('\n');
    }
    let out = out.replace("orders", "one").replace("value: fact", "value: reference");
    contract(&out)
}

fn contract(text: &str) -> Contract {
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("  - name: "))
        .expect("a name");
    contracts::read(&format!("{name}.odcs.yaml"), text).unwrap_or_else(|findings| panic!("{findings:#?}\n{text}"))
}

/// A contract of the repository.
fn of_schema(name: &str) -> Contract {
    let path = repository().join("schemas").join(format!("{name}.odcs.yaml"));
    contract(&fs::read_to_string(path).expect("a contract"))
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A source of a feed with these keys; `format` is CSV unless they say so.
fn source(feed: &str, keys: &str) -> Source {
    let format = if keys.contains("format =") {
        ""
    } else {
        "format = 'csv'\n"
    };
    let text = format!("[[source]]\nname = 's'\nfeed = '{feed}'\nfiles = ['in/*']\n{format}{keys}\n");
    let mut sources = Source::read("s.toml", &text).unwrap_or_else(|findings| panic!("{findings:#?}\n{text}"));
    sources.remove(0)
}

/// What was read of a file.
struct Found {
    outcome: FileOutcome,
    batches: Vec<Batch>,
}

impl Found {
    /// Each record in the order of lines: `line: values` or `line! rule column`, and `rule: count` of what was
    /// skipped; or why the file is set aside.
    fn told(&self) -> Vec<String> {
        if let Verdict::SetAside { reason } = &self.outcome.verdict {
            assert!(self.outcome.rows == 0 && self.outcome.rejects.is_empty() && self.outcome.records == 0);
            return vec![format!("set aside: {reason}")];
        }
        let mut all: Vec<(i64, String)> = Vec::new();
        for batch in &self.batches {
            for i in 0..batch.rows() {
                let values: Vec<String> = batch.row(i).iter().map(ToString::to_string).collect();
                all.push((batch.lines[i], format!("{}: {}", batch.lines[i], values.join("|"))));
            }
        }
        for reject in &self.outcome.rejects {
            let column = reject.column.as_deref().map(|c| format!(" {c}")).unwrap_or_default();
            all.push((reject.line, format!("{}! {}{column}", reject.line, reject.rule)));
        }
        all.sort();
        let skipped = self
            .outcome
            .skipped
            .iter()
            .map(|(rule, count)| format!("{rule}: {count}"));
        all.into_iter().map(|(_, text)| text).chain(skipped).collect()
    }

    /// Reason and remedy of each rejection: `reason; remedy`.
    fn why(&self) -> Vec<String> {
        let rejects = self.outcome.rejects.iter();
        rejects.map(|r| format!("{}; {}", r.reason, r.remedy)).collect()
    }

    /// Raw text of each rejected record.
    fn raw(&self) -> Vec<String> {
        let rejects = self.outcome.rejects.iter().filter(|r| r.row_no == 1);
        rejects.map(|r| String::from_utf8_lossy(&r.raw).into_owned()).collect()
    }

    /// What a person is told beside: `rule [column]: message; remedy`.
    fn notes(&self) -> Vec<String> {
        let shown = |n: &Finding| {
            let column = n.place.column.as_deref().map(|c| format!(" [{c}]")).unwrap_or_default();
            format!("{}{column}: {}; {}", n.rule, n.message, n.remedy)
        };
        self.outcome.notes.iter().map(shown).collect()
    }

    /// Texts of a column in the order of the rows; a null is blank.
    fn texts(&self, column: usize) -> Vec<String> {
        let of = |batch: &Batch| -> Vec<String> {
            let cells = (0..batch.rows()).map(|row| batch.cell(row, column));
            cells.map(|cell| cell.text().unwrap_or_default().to_owned()).collect()
        };
        self.batches.iter().flat_map(of).collect()
    }

    fn note(&self, rule: &str) -> String {
        let all = self.notes();
        let found: Vec<&String> = all.iter().filter(|n| n.starts_with(rule)).collect();
        assert_eq!(found.len(), 1, "{rule}: {all:?}");
        found[0].clone()
    }
}

/// Reads a file of a source; workbooks and Parquet as the other process would.
fn read(contract: &Contract, keys: &str, bytes: &[u8]) -> Found {
    let source = source(&contract.name, keys);
    let input = match Options::of(&source) {
        Some(options) => {
            let mut frames = Vec::new();
            foreign::read(Cursor::new(bytes.to_vec()), &options, &mut frames).expect("an output in memory");
            Input::Frames(Box::new(Cursor::new(frames)))
        }
        None => Input::Bytes(Box::new(Cursor::new(bytes))),
    };
    read_input(contract, &source, bytes.len() as u64, input)
}

/// Reads a file that was landed with so many bytes.
fn read_input(contract: &Contract, source: &Source, bytes: u64, input: Input<'_>) -> Found {
    let origin = FileOrigin {
        arrival: 1,
        file_name: "in/a".to_owned(),
        file_hash: Digest::of(b""),
        bytes,
    };
    let mut batches = Vec::new();
    let outcome = read_file(source, contract, &origin, input, &mut batches);
    Found { outcome, batches }
}

/// What is told of a text of orders below its header.
fn told(keys: &str, rows: &str) -> Vec<String> {
    lines(keys, rows).told()
}

/// A text of orders below its header.
fn lines(keys: &str, rows: &str) -> Found {
    read(&orders(), keys, format!("id,amount,paid_on,note\n{rows}").as_bytes())
}

/// The values of a column, or the rules that they break: each as a file of its own, of one record.
fn values(contract: &Contract, keys: &str, texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| value(contract, keys, text)).collect()
}

fn value(contract: &Contract, keys: &str, text: &str) -> String {
    let found = read(contract, keys, format!("id,value\nA,\"{text}\"\n").as_bytes());
    let mut told = found.told();
    assert_eq!(told.len(), 1, "{told:?}");
    let told = told.remove(0);
    told.strip_prefix("2: A|").map(str::to_owned).unwrap_or(told)
}

/// Numbers of the faults of bad input.
const FAULTS: std::ops::RangeInclusive<u32> = 25..=83;

/// Faults of values that are read as they should be, and decided by the evaluation: its own tests bear no number.
const BEYOND_READING: [u32; 1] = [74];

/// Names of all test functions of the repository.
fn test_names() -> Vec<String> {
    let mut folders = vec![repository().join("tests/it"), repository().join("src")];
    let mut names = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                names.extend(tests_of(&path));
            }
        }
    }
    names
}

/// Functions behind `#[test]`.
fn tests_of(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a file of the repository");
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line == "#[test]" {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("fn ") {
            if is_test && let Some((name, _)) = rest.split_once('(') {
                names.push(name.to_owned());
            }
            is_test = false;
        }
    }
    names
}

/// By number, the tests that a row of docs/faults.md names.
fn listed() -> BTreeMap<u32, Vec<String>> {
    let text = fs::read_to_string(repository().join("docs/faults.md")).expect("the list");
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let Ok(number) = cells[0].parse() else { continue };
        assert_eq!(cells.len(), 4, "{line}");
        let tests = cells[3].split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert!(rows.insert(number, tests).is_none(), "{number} stands twice");
    }
    rows
}

#[test]
fn every_fault_of_bad_input_is_listed_with_tests_that_exist() {
    let (names, listed) = (test_names(), listed());
    assert!(
        names
            .iter()
            .any(|n| n == "every_fault_of_bad_input_is_listed_with_tests_that_exist")
    );
    assert_eq!(listed.keys().copied().collect::<Vec<_>>(), FAULTS.collect::<Vec<_>>());
    for (number, tests) in &listed {
        assert!(!tests.is_empty(), "fault {number} has no test");
        for test in tests {
            assert!(names.contains(test), "fault {number}: there is no test `{test}`");
        }
        let prefix = format!("fault_{number}_");
        let numbered: Vec<&String> = names.iter().filter(|name| name.starts_with(&prefix)).collect();
        assert!(
            !numbered.is_empty() || BEYOND_READING.contains(number),
            "no test is named {prefix}…"
        );
        for test in numbered {
            assert!(tests.contains(test), "docs/faults.md does not name {test}");
        }
    }
}
