//! The sample as a whole: the same bytes for the same options, files that read back, references that resolve.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::dirt::planted_lines;
use super::feeds::{EMEA_SALES, FEEDS, header};
use super::{Planted, SampleOptions, SampleSink, SampleSummary, State, generate};

/// Values by column name.
pub(super) type Row = BTreeMap<String, String>;
/// Rows by feed.
pub(super) type Feeds = BTreeMap<&'static str, Vec<Row>>;

/// Keeps every file.
#[derive(Default)]
struct Memory(BTreeMap<String, Vec<u8>>);

impl SampleSink for Memory {
    fn file(&mut self, name: &str) -> io::Result<Box<dyn Write + '_>> {
        assert!(!self.0.contains_key(name), "{name} is written twice");
        Ok(Box::new(self.0.entry(name.to_owned()).or_default()))
    }
}

fn made(seed: u64, dirt: bool) -> (BTreeMap<String, Vec<u8>>, SampleSummary) {
    let mut memory = Memory::default();
    let summary = generate(&SampleOptions { scale: 1, seed, dirt }, &mut memory).unwrap();
    (memory.0, summary)
}

/// Rows of a clean file by column name; totals, repeated headers and preambles left out.
fn rows(name: &str, bytes: &[u8], feed: &str) -> Vec<Row> {
    let text = std::str::from_utf8(bytes).unwrap().trim_start_matches('\u{FEFF}');
    if text.starts_with('{') {
        return text.lines().map(json_row).collect();
    }
    let preamble = if name.starts_with("apac/inspections") { 2 } else { 0 };
    let body: String = text.split_inclusive('\n').skip(preamble).collect();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if name.starts_with("emea") { b';' } else { b',' })
        .from_reader(body.as_bytes());
    let ours = |theirs: &str| {
        let renamed = EMEA_SALES.iter().find(|(_, name)| *name == theirs);
        renamed.map_or(theirs, |(ours, _)| *ours).to_owned()
    };
    let names: Vec<String> = reader.headers().unwrap().iter().map(ours).collect();
    assert_eq!(names, header(feed), "{name}");
    let records = reader.records().map(Result::unwrap);
    records
        .filter(|record| record[0] != names[0] && &record[0] != "TOTAL")
        .map(|record| names.iter().cloned().zip(record.iter().map(str::to_owned)).collect())
        .collect()
}

fn json_row(line: &str) -> Row {
    let object: BTreeMap<String, serde_json::Value> = serde_json::from_str(line).unwrap();
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    object.into_iter().map(|(name, value)| (name, text(value))).collect()
}

/// All rows of a clean sample by feed.
pub(super) fn clean() -> Feeds {
    let (files, summary) = made(1, false);
    let mut feeds = Feeds::new();
    for file in &summary.files {
        let read = rows(&file.name, &files[&file.name], file.feed);
        assert_eq!(read.len() as u64, file.rows, "{}", file.name);
        assert_eq!(files[&file.name].len() as u64, file.bytes, "{}", file.name);
        feeds.entry(file.feed).or_default().extend(read);
    }
    feeds
}

pub(super) fn values<'a>(rows: &'a [Row], column: &str) -> BTreeSet<&'a str> {
    rows.iter().map(|row| row[column].as_str()).collect()
}

pub(super) const NOTHING: [&str; 4] = ["", "-", "N/A", "?"];

#[test]
fn the_same_options_give_the_same_bytes_and_other_seeds_others() {
    let (first, summary) = made(1, true);
    assert_eq!(made(1, true), (first.clone(), summary));
    let (other, _) = made(2, true);
    assert_eq!(first.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    assert_ne!(first["emea/sales-2026-Q1.csv"], other["emea/sales-2026-Q1.csv"]);
}

#[test]
fn the_small_set_is_small() {
    let (files, summary) = made(1, true);
    let bytes: usize = files.values().map(Vec::len).sum();
    assert!(bytes < 2_600_000, "{bytes}");
    assert!((8_000..20_000).contains(&summary.rows()), "{}", summary.rows());
}

#[test]
fn every_feed_is_there_and_every_file_reads_back() {
    let feeds = clean();
    // disputes are of settlement documents, and the sample closes no period
    for (feed, _) in FEEDS.iter().filter(|(feed, _)| *feed != "disputes") {
        assert!(feeds.get(*feed).is_some_and(|rows| !rows.is_empty()), "{feed}");
    }
}

#[test]
fn every_reference_resolves() {
    let feeds = clean();
    let references = [
        ("partner_id", "partners", "partner_id"),
        ("parent_partner_id", "partners", "partner_id"),
        ("merged_into", "partners", "partner_id"),
        ("product_id", "products", "product_id"),
        ("domain", "domains", "domain"),
        ("member_of", "domains", "domain"),
        ("engineer_id", "engineers", "engineer_id"),
        ("delivery_id", "deliveries", "delivery_id"),
        ("order_line_id", "sales", "order_line_id"),
        ("original_order_line_id", "sales", "order_line_id"),
        ("subject", "key_events", "event_id"),
    ];
    for (column, table, key) in references {
        let known = values(&feeds[table], key);
        for (feed, rows) in feeds.iter().filter(|(_, rows)| rows[0].contains_key(column)) {
            let unknown: Vec<&str> = values(rows, column)
                .into_iter()
                .filter(|value| !known.contains(value) && !NOTHING.contains(value))
                .collect();
            assert!(unknown.is_empty(), "{feed}.{column}: {unknown:?}");
        }
    }
}

#[test]
fn keys_stand_once() {
    let feeds = clean();
    for (feed, key) in [
        ("deliveries", "delivery_id"),
        ("surveys", "survey_id"),
        ("inspections", "inspection_id"),
        ("spare_parts", "rma_line_id"),
        ("key_events", "event_id"),
        ("enablement", "event_id"),
        ("support", "support_id"),
        ("sales", "order_line_id"),
        ("payments", "payment_id"),
        ("decisions", "decision_id"),
    ] {
        assert_eq!(values(&feeds[feed], key).len(), feeds[feed].len(), "{feed}");
    }
}

#[test]
fn every_domain_has_an_active_certification_and_work() {
    let feeds = clean();
    let domains = values(&feeds["domains"], "domain");
    assert_eq!(domains.len(), 12);
    let active: Vec<_> = feeds["certifications"]
        .iter()
        .filter(|c| c["status"] == "active")
        .cloned()
        .collect();
    assert_eq!(values(&active, "domain"), domains);
    let delivered = values(&feeds["deliveries"], "product_id");
    for product in feeds["products"]
        .iter()
        .filter(|p| p["category"] == "B" && p["product_id"].ends_with("B-100"))
    {
        assert!(
            delivered.contains(product["product_id"].as_str()),
            "{}",
            product["product_id"]
        );
    }
}

#[test]
fn confirmations_come_from_two_persons() {
    let decisions = &clean()["decisions"];
    let confirmed: Vec<_> = decisions
        .iter()
        .filter(|d| d["kind"] == "confirm" && d["outcome"] == "confirmed")
        .collect();
    for event in ["KE-0008-26Q2-1", "KE-0028-26Q1-1", "KE-0028-26Q2-1", "KE-0007-26Q3-1"] {
        let persons: BTreeSet<&str> = confirmed
            .iter()
            .filter(|d| d["subject"] == event)
            .map(|d| d["by"].as_str())
            .collect();
        assert_eq!(persons.len(), 2, "{event}");
    }
    assert!(decisions.iter().all(|d| d["kind"] != "close"));
}

/// The physical line of a file, from 1.
fn line<'a>(files: &'a BTreeMap<String, Vec<u8>>, planted: &Planted) -> &'a [u8] {
    let at = usize::try_from(planted.line).unwrap() - 1;
    files[&planted.file].split(|byte| *byte == b'\n').nth(at).unwrap()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn planted_lines_are_where_the_list_says() {
    for seed in 1..=4 {
        planted_lines_are_there(seed);
    }
}

fn planted_lines_are_there(seed: u64) {
    let (files, summary) = made(seed, true);
    let in_tables = summary
        .planted
        .iter()
        .filter(|p| p.line > 0 && p.expected != State::Skipped)
        .count();
    assert_eq!(
        in_tables,
        planted_lines(),
        "a file is too short for what should be planted in it"
    );
    for planted in summary.planted.iter().filter(|p| p.line > 0) {
        let bytes = line(&files, planted);
        let found = match planted.kind {
            "time in a daylight-saving overlap" => holds(bytes, b"26.10.2025 02:30"),
            "same row twice in a file" => {
                line(
                    &files,
                    &Planted {
                        line: planted.line - 1,
                        ..planted.clone()
                    },
                ) == bytes
            }
            "same row in two files" => holds(&files["latam/sales-2025-Q4.csv"], bytes),
            "trailing spaces" => bytes.ends_with(b"  "),
            "row of bare delimiters" => bytes == b",".repeat(13),
            "line break in quotes" => holds(bytes, b"\"Call back agreed,"),
            "empty key" => bytes.starts_with(b",LA-"),
            "repeated header" => holds(bytes, b"_id,"),
            "totals row" => bytes.starts_with(b"TOTAL,"),
            _ => holds(bytes, b"X-"),
        };
        assert!(found, "{planted:?}: {}", String::from_utf8_lossy(bytes));
    }
    let listed = String::from_utf8(files["PLANTED.csv"].clone()).unwrap();
    assert_eq!(listed.lines().count(), summary.planted.len() + 1);
    assert!(listed.contains("\nemea/sales-2025-Q4.csv,22,extra column,quarantined\n"));
}

#[test]
fn only_one_file_with_rows_has_too_much_dirt() {
    let (_, summary) = made(1, true);
    for file in summary.files.iter().filter(|file| file.rows > 12) {
        let of_file = |p: &&Planted| p.file == file.name && p.line > 0 && p.expected == State::Quarantined;
        let rejected = summary.planted.iter().filter(of_file).count() as u64;
        assert!(
            rejected * 100 < file.rows * 3,
            "{}: {rejected} of {}",
            file.name,
            file.rows
        );
    }
    let aside = summary.planted.iter().filter(|p| p.expected == State::SetAside);
    assert_eq!(
        aside.map(|p| p.file.as_str()).collect::<Vec<_>>(),
        ["latam/support-2026-Q4.csv", "latam/spare_parts-2026-Q4.csv"]
    );
}

#[test]
fn dirt_touches_only_the_files_it_is_planted_in() {
    let (dirty, summary) = made(1, true);
    let (clean, _) = made(1, false);
    let planted: BTreeSet<&str> = summary.planted.iter().map(|p| p.file.as_str()).collect();
    for (name, bytes) in clean
        .iter()
        .filter(|(name, _)| *name != "PLANTED.csv" && !planted.contains(name.as_str()))
    {
        assert!(dirty[name] == *bytes, "{name}");
    }
    assert_eq!(
        dirty["emea/enablement-2026-Q2.csv"],
        dirty["emea/enablement-2026-Q2_again.csv"]
    );
}

/// Counts, and keeps nothing.
#[derive(Default)]
struct Counting {
    bytes: u64,
    largest_write: usize,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += bytes.len() as u64;
        self.largest_write = self.largest_write.max(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SampleSink for Counting {
    fn file(&mut self, _: &str) -> io::Result<Box<dyn Write + '_>> {
        Ok(Box::new(self))
    }
}

#[test]
fn large_sets_are_written_piece_by_piece() {
    let mut sink = Counting::default();
    let summary = generate(
        &SampleOptions {
            scale: 200,
            seed: 1,
            dirt: true,
        },
        &mut sink,
    )
    .unwrap();
    assert!(summary.rows() > 2_000_000, "{}", summary.rows());
    assert!(sink.bytes > summary.bytes());
    assert!(sink.largest_write <= 1 << 16, "{}", sink.largest_write);
    assert!(summary.planted.len() < 200, "{}", summary.planted.len());
}

#[test]
fn an_error_of_the_sink_comes_back() {
    struct Full;
    impl SampleSink for Full {
        fn file(&mut self, _: &str) -> io::Result<Box<dyn Write + '_>> {
            Err(io::Error::other("disk full"))
        }
    }
    assert_eq!(
        generate(&SampleOptions::default(), &mut Full).unwrap_err().to_string(),
        "disk full"
    );
}

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn columns_are_those_of_the_contracts() {
    for (feed, columns) in FEEDS {
        let text = std::fs::read_to_string(format!("{ROOT}/schemas/{feed}.odcs.yaml")).unwrap();
        let names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("      - name: "))
            .take_while(|name| *name != "arrival")
            .collect();
        assert_eq!(names, columns, "{feed}");
    }
}

#[test]
fn the_committed_sample_is_what_the_generator_makes() {
    for (name, bytes) in made(1, true).0 {
        let committed = std::fs::read(format!("{ROOT}/sample_data/{name}")).unwrap_or_default();
        assert!(
            committed == bytes,
            "sample_data/{name} is not what `starledger sample --out sample_data` writes"
        );
    }
}
