//! Damaged files: nothing they do gets out of the process that reads them.
//!
//! The files are read in a process of their own with limits, since a file may ask for more memory than there is, and
//! that ends a process. Set `STARLEDGER_MUTANTS` to their number for a longer run.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Int64Array, ListArray, StringArray};
use arrow::datatypes::Int32Type;

use super::fixtures::{PARQUET, WORKBOOK, archive, frames, sheet_with};
use super::{Options, parquet_tests};
use crate::ingest::frames::{Next, Reader, Record};

const WORKER: &str = "foreign::mutants_tests::worker";
/// Runs its arguments with an address space of 2 GiB: most of it is the program itself.
const LIMITED: &str = "ulimit -c 0; ulimit -v 2097152; exec \"$0\" \"$@\"";
const JOB: &str = "STARLEDGER_MUTANTS_JOB";

/// A well-mixed sequence from a seed.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or_default()
    }
}

/// Flips, overwrites, cuts, doubles and removes.
fn mutate(bytes: &mut Vec<u8>, sequence: &mut Sequence) {
    for _ in 0..=sequence.below(4) {
        if bytes.is_empty() {
            return;
        }
        let at = sequence.below(bytes.len());
        let end = (at + 1 + sequence.below(16)).min(bytes.len());
        match sequence.below(8) {
            0..=2 => bytes[at] ^= 1 << sequence.below(8),
            3 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][sequence.below(5)],
            4 => bytes[at..end].fill(0xFF),
            5 => bytes.truncate(at),
            6 => drop(bytes.drain(at..end)),
            _ => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
}

fn parquet_file() -> Vec<u8> {
    let text: StringArray = (0..300)
        .map(|i| (i % 7 != 0).then(|| format!("P-{}", i % 20)))
        .collect();
    let amounts = Decimal128Array::from_iter_values((0..300).map(|i| i * 999)).with_precision_and_scale(18, 4);
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>((0..300).map(|i| Some(vec![Some(i)])));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(text)),
        ("amount", Arc::new(amounts.expect("a scale"))),
        ("n", Arc::new(Int64Array::from_iter_values(0..300))),
        (
            "paid",
            Arc::new((0..300).map(|i| Some(i % 2 == 0)).collect::<BooleanArray>()),
        ),
        ("list", Arc::new(lists)),
    ];
    parquet_tests::file(columns)
}

const ROWS: &str = "<row r='2'><c r='A2' t='s'><v>2</v></c><c r='B2' s='1'><v>45292.5</v></c></row>\
     <row r='3' hidden='1'><c r='A3' t='inlineStr'><is><t>x</t></is></c><c r='B3'><f>1</f><v>1E-5</v></c></row>";

/// A mutant of a kind: of the file's bytes, or of the XML inside a sound archive.
fn mutant(kind: &str, seed: u64) -> (Vec<u8>, Options) {
    let mut sequence = Sequence(seed);
    let merged = "<mergeCells><mergeCell ref='A2:A3'/></mergeCells>";
    match kind {
        "parquet" => {
            let mut bytes = parquet_file();
            mutate(&mut bytes, &mut sequence);
            (bytes, PARQUET)
        }
        "archive" => {
            let mut bytes = sheet_with(ROWS, merged);
            mutate(&mut bytes, &mut sequence);
            (bytes, WORKBOOK)
        }
        _ => {
            let mut parts = super::fixtures::parts(&sheet_with(ROWS, merged));
            let at = 1 + sequence.below(parts.len() - 1);
            mutate(&mut parts[at].1, &mut sequence);
            let parts: Vec<(&str, &[u8])> = parts.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
            (archive(&parts), WORKBOOK)
        }
    }
}

/// Reads the mutants of a job `kind:first:end` and says after each what came of it.
#[test]
fn worker() {
    let Ok(job) = std::env::var(JOB) else {
        return;
    };
    let mut parts = job.split(':');
    let kind = parts.next().expect("a kind");
    let mut number = || parts.next().and_then(|n| n.parse().ok()).expect("a number");
    let (first, end): (u64, u64) = (number(), number());
    std::panic::set_hook(Box::new(|_| {}));
    let mut out = std::io::stdout().lock();
    for seed in first..end {
        let (bytes, options) = mutant(kind, seed);
        let frames = frames(&bytes, &options);
        let mut reader = Reader::new(frames.as_slice());
        let mut record = Record::default();
        let end = loop {
            match reader.next(&mut record) {
                Ok(Next::End(_)) => break "read".to_owned(),
                Ok(_) => {}
                Err(fault) => break fault.rule.into_owned(),
            }
        };
        writeln!(out, "mutant {seed} {end}").expect("an output");
    }
}

fn campaign(kind: &str, default: u64) {
    let count = std::env::var("STARLEDGER_MUTANTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(default);
    let mut counts = std::collections::BTreeMap::new();
    let mut seed = 0;
    while seed < count {
        let ran = Command::new("/bin/sh")
            .args(["-c", LIMITED])
            .arg(std::env::current_exe().expect("this program"))
            .args([WORKER, "--exact", "--nocapture", "--test-threads=1"])
            .env(JOB, format!("{kind}:{seed}:{count}"))
            .output()
            .expect("a process");
        let text = String::from_utf8_lossy(&ran.stdout);
        for line in text.lines().filter_map(|line| line.split("mutant ").nth(1)) {
            let (number, end) = line.split_once(' ').expect("two words");
            assert_eq!(number.parse(), Ok(seed));
            assert_ne!(end, "foreign.protocol", "{kind} {seed}");
            *counts.entry(end.to_owned()).or_insert(0_u64) += 1;
            seed += 1;
        }
        if seed < count {
            let words = String::from_utf8_lossy(&ran.stderr);
            assert!(
                words.contains("memory allocation"),
                "{kind} {seed}: {:?} {words}",
                ran.status
            );
            *counts.entry("out of memory".to_owned()).or_insert(0) += 1;
            seed += 1;
        }
    }
    let _ = writeln!(std::io::stderr(), "{kind}: {counts:?}");
    assert!(counts.len() > 1, "{counts:?}");
}

#[test]
fn mutants_of_archives() {
    campaign("archive", 400);
}

#[test]
fn mutants_of_the_xml_inside() {
    campaign("xml", 400);
}

#[test]
fn mutants_of_parquet() {
    campaign("parquet", 400);
}
