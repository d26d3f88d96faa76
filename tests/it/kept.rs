//! Files that once broke a reader, and monsters that never may: all are read again.
//!
//! The folders below `kept/` have the names of the fuzz targets and hold their inputs, made small. Each folder is read
//! in a process of its own, so that its memory can be told; workbooks and Parquet files by the program's own process
//! for foreign files, with its limits.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use starledger::foreign::Options;
use starledger::ingest::{FileOutcome, Verdict};

use crate::support::workspace::repository;
use readers::{CHOICES, PART};

#[path = "../fuzz/readers.rs"]
mod readers;

const WORKER: &str = "kept::worker";
const JOB: &str = "STARLEDGER_KEPT_JOB";

/// Most memory that reading may take.
const MEMORY_KIB: u64 = 1 << 20;

/// What stands in front of a table of plain form, and of a workbook whose sheet has that name.
const PLAIN: [u8; CHOICES] = [0; CHOICES];

/// The frames of a file, from the process that reads foreign files.
fn by_process(file: &[u8], options: &Options) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("file");
    fs::write(&path, file).expect("a file");
    let ran = Command::new(env!("CARGO_BIN_EXE_starledger"))
        .args(options.arguments())
        .arg(path)
        .env_clear()
        .output()
        .expect("a process");
    ran.stdout
}

fn read(target: &str, input: &[u8]) -> Option<FileOutcome> {
    match target {
        "csv" => readers::csv(input),
        "json_lines" => readers::json_lines(input),
        "decode" => readers::decode(input),
        "xlsx" => readers::xlsx(input, &by_process),
        "sheet" => readers::sheet(input, &by_process),
        "parquet" => readers::parquet(input, &by_process),
        "frames" => readers::frames(input),
        "source_toml" => readers::source_toml(input),
        "detect" => readers::detect(input),
        other => panic!("no target is called {other}"),
    }
}

/// What came of a file: `read`, or the code for which it is set aside; nothing where no table is read.
fn told(outcome: Option<FileOutcome>) -> Option<String> {
    let outcome = outcome?;
    outcome.assert_conserved();
    Some(match outcome.verdict {
        Verdict::Read => "read".to_owned(),
        Verdict::SetAside { reason } => reason.split(':').next().unwrap_or_default().to_owned(),
    })
}

fn kept(target: &str) -> Vec<PathBuf> {
    let folder = repository().join("tests/it/kept").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .map(|entries| entries.map(|entry| entry.expect("an entry").path()).collect())
        .unwrap_or_default();
    files.sort();
    files
}

/// Reads the kept files of a target, and the monsters of its kind.
#[test]
fn worker() {
    let Ok(target) = env::var(JOB) else {
        return;
    };
    let reads_tables = !["decode", "source_toml", "detect"].contains(&target.as_str());
    for path in kept(&target) {
        let name = path.display();
        let came = told(read(&target, &fs::read(&path).expect("a kept file")));
        assert_eq!(came.is_some(), reads_tables, "{name}");
        let is_contained = came.is_some_and(|c| c.starts_with("foreign."));
        // the packages that decode Parquet may give up, which the process holds in; frames may end anyhow
        assert!(
            !is_contained || ["parquet", "frames"].contains(&target.as_str()),
            "{name}"
        );
    }
    for (name, input, expected) in monsters(&target) {
        assert_eq!(told(read(&target, &input)).as_deref(), Some(expected), "{name}");
    }
    let status = fs::read_to_string("/proc/self/status").expect("the state of a process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    writeln!(std::io::stdout(), "peak {}", peak.expect("its peak").trim()).expect("an output");
}

fn replay(target: &str) {
    let ran = Command::new(env::current_exe().expect("this program"))
        .args([WORKER, "--exact", "--nocapture", "--test-threads=1"])
        .env(JOB, target)
        .output()
        .expect("a process");
    let (text, errors) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{target}: {:?}\n{text}\n{errors}", ran.status);
    let peak = text
        .split("peak ")
        .nth(1)
        .and_then(|t| t.split(' ').next())
        .expect("a peak");
    let peak: u64 = peak.parse().expect("KiB");
    assert!(peak < MEMORY_KIB, "{target}: {peak} KiB");
}

#[test]
fn csv() {
    replay("csv");
}

#[test]
fn json_lines() {
    replay("json_lines");
}

#[test]
fn decode() {
    replay("decode");
}

#[test]
fn workbooks() {
    replay("xlsx");
}

#[test]
fn sheets() {
    replay("sheet");
}

#[test]
fn parquet() {
    replay("parquet");
}

#[test]
fn frames() {
    replay("frames");
}

#[test]
fn sources() {
    replay("source_toml");
}

#[test]
fn detect() {
    replay("detect");
}

#[test]
fn every_folder_is_read() {
    let targets = repository().join("tests/fuzz/targets");
    for entry in fs::read_dir(repository().join("tests/it/kept")).expect("the kept files") {
        let name = entry.expect("an entry").file_name();
        let target = targets.join(Path::new(&name).with_extension("rs"));
        assert!(target.is_file(), "{} has no target", name.display());
    }
}

/// Files that are made to be too much: name, input, and what must come of each.
fn monsters(target: &str) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let with = |choices: &[(usize, u8)], file: &[u8]| {
        let mut input = PLAIN.to_vec();
        for (at, byte) in choices {
            input[*at] = *byte;
        }
        input.extend_from_slice(file);
        input
    };
    match target {
        "csv" => vec![
            (
                "an unclosed quote",
                with(&[], &[b"id,day\n\"", " ".repeat(9 << 20).as_bytes()].concat()),
                "header.missing",
            ),
            (
                "one line",
                with(&[], ",".repeat(9 << 20).as_bytes()),
                "header.unreadable",
            ),
            (
                "gzip of 64 MiB of line ends",
                with(&[(7, 8)], &gzip(&[b'\n'; 1 << 20], 64)),
                "archive.bomb",
            ),
        ],
        "json_lines" => vec![("lists in lists", with(&[], "[".repeat(9 << 20).as_bytes()), "read")],
        "xlsx" => vec![
            (
                "100 MB of blanks",
                with(&[], &deflated(&" ".repeat(100_000_000))),
                "xlsx.size",
            ),
            ("a text of 60 MB", with(&[], &deflated(&sheet_of(&long_text()))), "read"),
        ],
        "sheet" => vec![
            ("a cell far away", with(&[], far_cell().as_bytes()), "read"),
            ("a billion laughs", with(&[], laughs().as_bytes()), "xlsx.xml"),
            (
                "elements without an end",
                with(&[], sheet_of(&"<a>".repeat(100_000)).as_bytes()),
                "xlsx.xml",
            ),
            ("strings that are said to be many", with(&[], &many_strings()), "read"),
        ],
        "parquet" => vec![
            (
                "a footer of 2 GiB",
                with(&[], b"PAR1....\xFF\xFF\xFF\x7FPAR1"),
                "parquet.broken",
            ),
            ("lists in lists", with(&[], &nested_footer()), "parquet.broken"),
        ],
        "frames" => vec![
            (
                "a frame of 4 GiB",
                with(&[], b"SLFRAMES\x01R\xFF\xFF\xFF\xFF"),
                "foreign.protocol",
            ),
            ("no end", with(&[], b"SLFRAMES\x01"), "foreign.crash"),
        ],
        _ => Vec::new(),
    }
}

fn gzip(piece: &[u8], times: usize) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..times {
        gzip.write_all(piece).expect("bytes in memory");
    }
    gzip.finish().expect("bytes in memory")
}

/// A workbook with this sheet, packed tightly.
fn deflated(sheet: &str) -> Vec<u8> {
    let mut plain = zip::ZipArchive::new(Cursor::new(readers::workbook(sheet.as_bytes()))).expect("an archive");
    let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..plain.len() {
        let mut part = plain.by_index(at).expect("a part");
        let name = part.name().expect("a name").into_owned();
        packed
            .start_file(name, zip::write::SimpleFileOptions::default())
            .expect("a part");
        std::io::copy(&mut part, &mut packed).expect("bytes in memory");
    }
    packed.finish().expect("an archive").into_inner()
}

const HEADER: &str =
    "<row r='1'><c t='s'><v>0</v></c><c t='s'><v>1</v></c><c t='s'><v>2</v></c><c t='s'><v>3</v></c></row>";

fn sheet_of(rows: &str) -> String {
    format!("<worksheet><sheetData>{HEADER}{rows}</sheetData></worksheet>")
}

fn far_cell() -> String {
    let row = "<row r='2'><c t='inlineStr'><is><t>A</t></is></c><c><v>1</v></c><c t='str'><v>EUR</v></c><c s='1'><v>45292</v></c></row>";
    sheet_of(&format!("{row}<row r='1048576'><c r='XFD1048576'/></row>"))
}

fn long_text() -> String {
    let text = "x".repeat(60_000_000);
    format!("<row r='2'><c t='inlineStr'><is><t>{text}</t></is></c></row>")
}

fn laughs() -> String {
    let mut entities = "<!ENTITY a0 'ha'>".to_owned();
    for level in 1..30 {
        entities += &format!("<!ENTITY a{level} '&a{0};&a{0};'>", level - 1);
    }
    let row = "<row r='2'><c t='inlineStr'><is><t>&a29;</t></is></c></row>";
    format!("<!DOCTYPE x [{entities}]>{}", sheet_of(row))
}

fn many_strings() -> Vec<u8> {
    let strings = "<sst count='4294967295' uniqueCount='4294967295'><si><t>id</t></si><si><t>amount</t></si>\
                   <si><t>currency</t></si><si><t>day</t></si></sst>";
    [sheet_of("").as_bytes(), PART, PART, strings.as_bytes()].concat()
}

/// A footer whose schema is lists within lists, for readers that recurse.
fn nested_footer() -> Vec<u8> {
    let footer = vec![0x29_u8; 100_000];
    let length = u32::try_from(footer.len()).expect("it is short").to_le_bytes();
    [b"PAR1".as_slice(), &footer, &length, b"PAR1"].concat()
}
