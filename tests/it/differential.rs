//! Thousands of files with known content, each damaged in a known way: no row is ever silently wrong.
//!
//! A writer of its own says random rows of random contracts in random dialects and damages them; what the program reads
//! is held against a reference reading of the documented grammar, and both against what was meant (`judge`). CI reads
//! the first two thousand files. The whole campaign: `STARLEDGER_FILES=100000 cargo test differential`; one file of it:
//! `STARLEDGER_SEED=4711 cargo test differential`.

mod bytes;
mod cells;
mod dialect;
mod foreign;
mod json;
mod judge;
mod lines;
mod pollute;
pub mod random;
mod reference;
mod regressions;
mod stamp;
mod table;
mod write;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Cursor, Seek, SeekFrom, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use starledger::contracts::Contract;
use starledger::domain::Digest;
use starledger::ingest::{FileOrigin, Input, Source, read_file};

use dialect::{Dialect, Form};
use judge::{Class, Read};
use pollute::{KINDS, Stage};
use random::Random;
use table::Table;
use write::Draft;

/// Files that CI reads.
const SLICE: u64 = 2_000;

/// Files that share a contract.
const FILES_OF_A_CONTRACT: u64 = 8;

/// One of so many files is also read byte by byte.
const BYTE_BY_BYTE: u64 = 8;

#[test]
fn no_row_is_silently_wrong() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    if let Some(seed) = number("STARLEDGER_SEED") {
        let case = case(seed).unwrap_or_else(|wrong| panic!("{wrong}"));
        say(&format!("file {seed}: {:?}, {:?}", case.class, case.kinds));
        return;
    }
    let files = number("STARLEDGER_FILES").unwrap_or(SLICE);
    let begin = Instant::now();
    let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= files {
                        return;
                    }
                    let found = catch_unwind(AssertUnwindSafe(|| case(seed)));
                    let found = found.unwrap_or_else(|panic| Err(said(panic.as_ref())));
                    tally.lock().expect("no panic in between").add(seed, found);
                }
            });
        }
    });
    let tally = tally.into_inner().expect("no panic in between");
    say(&format!("{}, {:.1} s", tally.summary(), begin.elapsed().as_secs_f32()));
    if files > SLICE {
        say(&tally.by_kind());
    }
    assert!(tally.wrong.is_empty(), "{}", tally.report());
    // a test that damages nothing, or whose every file is refused, says nothing
    for class in [Class::Exact, Class::Named, Class::Refused, Class::Different] {
        let share = tally.classes.get(&class).copied().unwrap_or_default();
        assert!(files < SLICE || share * 50 > files, "{class:?}: {share} of {files}");
    }
    for (name, _, _) in KINDS {
        assert!(
            files < SLICE || tally.kinds.contains_key(name),
            "'{name}' was never done"
        );
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    format!(
        "a panic: {}",
        text.or(panic.downcast_ref::<&str>().copied()).unwrap_or_default()
    )
}

fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// What came of all files.
#[derive(Default)]
struct Tally {
    files: u64,
    rows: usize,
    classes: BTreeMap<Class, u64>,
    kinds: BTreeMap<&'static str, BTreeMap<Class, u64>>,
    wrong: BTreeMap<u64, String>,
}

impl Tally {
    fn add(&mut self, seed: u64, found: Result<Case, String>) {
        self.files += 1;
        match found {
            Ok(case) => {
                self.rows += case.rows;
                *self.classes.entry(case.class).or_default() += 1;
                for kind in case.kinds {
                    *self.kinds.entry(kind).or_default().entry(case.class).or_default() += 1;
                }
            }
            Err(wrong) => {
                self.wrong.insert(seed, wrong);
            }
        }
    }

    fn summary(&self) -> String {
        let count = |class| self.classes.get(&class).copied().unwrap_or_default();
        format!(
            "{} files with {} rows: {} exact, {} named, {} refused, {} valid files of another meaning, {} silently wrong",
            self.files,
            self.rows,
            count(Class::Exact),
            count(Class::Named),
            count(Class::Refused),
            count(Class::Different),
            self.wrong.len()
        )
    }

    /// A line for each damage: files by class.
    fn by_kind(&self) -> String {
        let mut text = format!(
            "{:30} {:>8} {:>8} {:>8} {:>9}",
            "damage", "exact", "named", "refused", "different"
        );
        for (kind, classes) in &self.kinds {
            let count = |class| classes.get(&class).copied().unwrap_or_default();
            let [exact, named, refused, different] =
                [Class::Exact, Class::Named, Class::Refused, Class::Different].map(count);
            let _ = write!(text, "\n{kind:30} {exact:>8} {named:>8} {refused:>8} {different:>9}");
        }
        text
    }

    fn report(&self) -> String {
        let mut text = self.summary();
        for (seed, wrong) in self.wrong.iter().take(8) {
            let _ = write!(text, "\n\nSTARLEDGER_SEED={seed}\n{wrong}");
        }
        text
    }
}

/// What came of one file.
struct Case {
    class: Class,
    kinds: Vec<&'static str>,
    rows: usize,
}

/// Writes, damages, reads and judges one file; an error says what is silently wrong.
fn case(seed: u64) -> Result<Case, String> {
    let table = Table::new(&mut Random::new(seed / FILES_OF_A_CONTRACT + (1 << 40)));
    let mut random = Random::new(seed);
    let dialect = Dialect::new(&mut random, &table);
    let mut draft = Draft::new(&mut random, &table, dialect);
    match draft.written.form {
        Form::Csv | Form::JsonLines => damage(&mut draft, &mut random),
        Form::Xlsx | Form::Parquet => return foreign::case(&mut draft, &mut random),
    }
    let text = draft.declared.source(&table);
    let source = source(&text, &table.contract);
    let wrong = |what: String| {
        let file = String::from_utf8_lossy(&draft.bytes);
        let file: String = file.chars().take(3000).flat_map(char::escape_debug).collect();
        format!("{:?}: {what}\n{text}\n{}", draft.kinds, file.replace("\\n", "\\n\n"))
    };
    let read = once(&source, &table.contract, &draft.packed, false).map_err(wrong)?;
    if once(
        &source,
        &table.contract,
        &draft.packed,
        seed.is_multiple_of(BYTE_BY_BYTE),
    )
    .map_err(wrong)?
        != read
    {
        return Err(wrong("read twice, and found two things".to_owned()));
    }
    let reference = reference::read(&table, &draft.declared, &draft.bytes);
    // a damaged archive is refused, or holds what was packed
    if !(draft.archive_is_touched && read.refused.is_some()) {
        judge::agrees(&read, &reference).map_err(wrong)?;
    }
    let class = judge::judge(&draft, &read, &reference.unwrap_or_default()).map_err(wrong)?;
    Ok(Case {
        class,
        kinds: draft.kinds,
        rows: draft.rows.len(),
    })
}

/// Writes the file with none to three damages.
fn damage(draft: &mut Draft<'_>, random: &mut Random) {
    let wanted = match random.below(100) {
        0..4 => 0,
        4..75 => 1,
        75..92 => 2,
        _ => 3,
    };
    let mut chosen: Vec<usize> = (0..wanted).map(|_| random.below(KINDS.len())).collect();
    chosen.sort_unstable();
    for stage in [
        Stage::Declared,
        Stage::Cells,
        Stage::Lines,
        Stage::Bytes,
        Stage::Archive,
    ] {
        match stage {
            Stage::Lines => draft.compose(random),
            Stage::Bytes => draft.encode(),
            Stage::Archive => draft.pack(),
            Stage::Declared | Stage::Cells => {}
        }
        for (name, _, damage) in chosen.iter().map(|at| KINDS[*at]).filter(|(_, of, _)| *of == stage) {
            // some need luck to find what they can damage
            if (0..4).any(|_| damage(draft, random)) {
                draft.kinds.push(name);
            }
        }
    }
}

fn source(text: &str, contract: &Contract) -> Source {
    let mut sources = Source::read("rows.toml", text).unwrap_or_else(|findings| panic!("{findings:?}\n{text}"));
    let source = sources.remove(0);
    let findings = source.check(contract);
    assert!(findings.is_empty(), "{findings:?}\n{text}");
    source
}

fn origin(bytes: &[u8]) -> FileOrigin {
    FileOrigin {
        arrival: 1,
        file_name: "rows".to_owned(),
        file_hash: Digest::of(b""),
        bytes: bytes.len() as u64,
    }
}

fn once(source: &Source, contract: &Contract, bytes: &[u8], by_byte: bool) -> Result<Read, String> {
    let bytes = bytes.to_vec();
    let origin = origin(&bytes);
    let input = Cursor::new(bytes);
    let input = if by_byte {
        Input::Bytes(Box::new(ByteByByte(input)))
    } else {
        Input::Bytes(Box::new(input))
    };
    let mut batches = Vec::new();
    let outcome = read_file(source, contract, &origin, input, &mut batches);
    Read::new(&outcome, &batches)
}

/// Gives one byte at a time.
struct ByteByByte(Cursor<Vec<u8>>);

impl io::Read for ByteByByte {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(1);
        io::Read::read(&mut self.0, &mut buffer[..most])
    }
}

impl Seek for ByteByByte {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}
