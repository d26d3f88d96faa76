//! A source proposed for a file that nobody has declared yet.
//!
//! Duty: from the first bytes of a file and the contracts to guesses, each with how sure it is, why, and what else
//! fits; to the source that a person confirms; to a trial of it on the sample. Must not: open files, be used by a run,
//! decide what the file leaves open.
//!
//! | step | from | to | in |
//! |---|---|---|---|
//! | open | bytes | packing, format, bytes inside | `container`; `frames` for what another process takes apart |
//! | decode | bytes | encoding, text | `letters` |
//! | split | text | delimiter, quotes, header, records | `dialect`, `split` |
//! | sort out | records | data; preamble, repeated headers, totals, blanks | `records`, `column` |
//! | match | names and values | feed, renames, what is missing | `columns`, `words`, `fit` |
//! | form | values | marks, formats, nulls, codes | `numbers`, `dates`, `codes` |
//! | write | guesses | TOML to confirm | `guess`, `write` |
//! | try | proposal, sample | how many records a run would take | `trial` |

mod codes;
mod column;
mod columns;
mod container;
mod cut;
mod dates;
mod dialect;
mod fit;
mod forms;
mod frames;
mod guess;
mod keys;
mod letters;
mod names;
mod numbers;
mod records;
mod split;
mod trial;
mod words;
mod write;

pub use columns::Ranked;
pub use frames::read_frames;
pub use guess::{Confidence, Guess, Role, Setting};
pub use records::{Cell, Row};
pub use trial::{Rejected, Trial};

use super::decode::Compression;
use super::fault::Fault;
use super::source::Format;
use crate::contracts::Contract;
use columns::{Matching, Vocabulary};
use records::Records;

/// Bytes of the beginning of a file by which it is told: some ten thousand records, and read in a moment.
pub const SAMPLE_BYTES: usize = 8 << 20;

/// Bytes of the end of a file in which totals are looked for.
pub const TAIL_BYTES: usize = 64 << 10;

/// Records that are looked at.
pub const MAX_ROWS: usize = 50_000;

/// Rows above the header of a workbook that are looked at.
const MAX_PREAMBLE_ROWS: usize = 50;

/// What there is of a file.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Its name for people: relative to the workspace where it stands in one.
    pub file: &'a str,
    /// At most [`SAMPLE_BYTES`] from the front.
    pub head: &'a [u8],
    /// At most [`TAIL_BYTES`] from the end; empty where the head reaches it.
    pub tail: &'a [u8],
    /// Size of the file.
    pub bytes: u64,
}

/// What a person said, and what the workspace has.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub contracts: &'a [&'a Contract],
    pub feed: Option<&'a str>,
    pub name: Option<&'a str>,
    /// Names of sources that there are.
    pub taken: &'a [&'a str],
    /// Whether the file stands in the workspace.
    pub in_workspace: bool,
}

/// A proposed source.
#[derive(Clone, Debug)]
pub struct Proposal {
    pub file: String,
    /// The contract that it was held against.
    pub feed: String,
    pub guesses: Vec<Guess>,
    /// All contracts by how well the file fits them, where nobody named the feed.
    pub ranking: Vec<Ranked>,
    pub trial: Option<Trial>,
}

impl Proposal {
    /// The source as a person confirms it.
    #[must_use]
    pub fn toml(&self) -> String {
        write::write(self, write::Form::Proposed)
    }

    /// Guesses that a person has to decide.
    pub fn open(&self) -> impl Iterator<Item = &Guess> {
        self.guesses.iter().filter(|g| g.is_open())
    }
}

/// Records of a workbook or a Parquet file, which another process takes apart.
#[derive(Clone, Debug)]
pub struct Rows {
    pub format: Format,
    pub compression: Compression,
    /// The sheet that was asked for.
    pub sheet: Option<String>,
    /// From the first row on, the header and what stands above it among them.
    pub rows: Vec<Row>,
    /// Whether they reach the end of the file.
    pub whole: bool,
}

/// Whether another process has to take the file apart, and what it is. An error: no source can read such a file.
pub fn foreign(head: &[u8], whole: bool) -> Result<Option<(Format, Compression)>, Fault> {
    let container = container::open(head, whole)?;
    Ok(container.format.map(|format| (format, container.compression)))
}

/// Proposes a source for a text. An error: no source can read such a file.
pub fn text(sample: Sample<'_>, known: Known<'_>) -> Result<Proposal, Fault> {
    let whole = sample.head.len() as u64 == sample.bytes;
    let container = container::open(sample.head, whole)?;
    let mut guesses = vec![container.guess()];
    let letters = letters::read(&container.bytes, container.whole);
    guesses.push(letters.guess.clone());
    let text = cut::whole_lines(&letters.text, container.whole);
    if text.trim().is_empty() {
        let remedy = "name a file with rows: an empty one shows nothing";
        return Err(Fault::new("file.no_header", "the file has bytes and no record", remedy));
    }
    if cut::is_binary(text) {
        let remedy = "deliver csv, json_lines, xlsx or parquet";
        return Err(Fault::new(
            "file.type",
            "the file holds control characters as no text does",
            remedy,
        ));
    }
    let vocabulary = Vocabulary::new(known.contracts);
    let (format, records) = if text.trim_start().starts_with(['{', '[']) {
        (Format::JsonLines, read_json(text, container.whole, &mut guesses)?)
    } else {
        let tail = cut::end_of(sample, &container, letters.encoding);
        (
            Format::Csv,
            read_csv(text, container.whole, &tail, &vocabulary, &mut guesses)?,
        )
    };
    let mut proposal = propose(sample.file, format, &records, guesses, known)?;
    let bytes = cut::for_trial(&container, letters.encoding, sample.bytes);
    proposal.try_text(&bytes, container.compression, whole, sample.head, known);
    Ok(proposal)
}

/// Proposes a source for the rows of a workbook or a Parquet file; see [`Proposal::try_read`] for the trial.
pub fn rows(file: &str, rows: Rows, known: Known<'_>) -> Result<Proposal, Fault> {
    let mut guesses = Vec::new();
    let name = rows.compression.name();
    if rows.compression != Compression::None {
        let evidence = "by the first bytes";
        guesses.push(Guess::key(
            &["compression"],
            Setting::text(name),
            Confidence::Certain,
            evidence,
        ));
    }
    if let Some(sheet) = &rows.sheet {
        let evidence = "you named it";
        guesses.push(Guess::key(
            &["sheet"],
            Setting::text(sheet),
            Confidence::Certain,
            evidence,
        ));
    }
    let vocabulary = Vocabulary::new(known.contracts);
    let first = rows.rows.iter().take(MAX_PREAMBLE_ROWS);
    let names = |row: &Row| row.cells.iter().filter(|c| vocabulary.knows(&c.text)).count();
    let filled = |row: &Row| row.cells.iter().filter(|c| !c.text.trim().is_empty()).count();
    let best = first
        .enumerate()
        .max_by_key(|(i, row)| (names(row), filled(row) > 1, std::cmp::Reverse(*i)));
    let Some((at, header)) = best.map(|(at, row)| (at, row.clone())) else {
        let remedy = "name a file with rows: an empty one shows nothing";
        return Err(Fault::new("file.no_header", "the file has no row", remedy));
    };
    if rows.format == Format::Xlsx && header.line > 1 {
        let evidence = format!("row {} holds {} names of columns", header.line, names(&header));
        let setting = Setting::Count(header.line);
        guesses.push(Guess::key(&["header_row"], setting, Confidence::Likely, evidence));
    }
    let mut rest = rows.rows;
    let records = Records {
        header: header.cells.iter().map(|c| c.text.clone()).collect(),
        rows: rest.split_off(at + 1),
        tail: Vec::new(),
        whole: rows.whole,
    };
    propose(file, rows.format, &records, guesses, known)
}

fn read_csv(
    text: &str,
    whole: bool,
    tail: &str,
    vocabulary: &Vocabulary,
    guesses: &mut Vec<Guess>,
) -> Result<Records, Fault> {
    let no_header = |why: String| {
        let remedy = "deliver the names of the columns in the first record";
        Fault::new("file.no_header", why, remedy)
    };
    let (shape, more) = dialect::find(text, &|name| vocabulary.knows(name))
        .ok_or_else(|| no_header("no record of the file can be read".to_owned()))?;
    guesses.extend(more);
    guesses.push(cut::line_ends(text));
    if shape.header_line > 1 && !cut::above(text, shape.header_line).trim().is_empty() {
        let lines = shape.header_line - 1;
        let evidence = format!(
            "the first record of {} fields stands on line {}",
            shape.width, shape.header_line
        );
        let confidence = if shape.known > 0 {
            Confidence::Likely
        } else {
            Confidence::Guess
        };
        let path = ["skip", "preamble_lines"];
        guesses.push(Guess::key(&path, Setting::Count(lines), confidence, evidence));
    }
    let mut rows = split::csv(text, shape.dialect, MAX_ROWS + 1);
    let header = rows.iter().position(|r| r.line == shape.header_line);
    let Some(header) = header else {
        return Err(no_header("the header cannot be read".to_owned()));
    };
    let data = rows.split_off(header + 1);
    let header: Vec<String> = rows
        .pop()
        .unwrap_or_default()
        .cells
        .into_iter()
        .map(|c| c.text)
        .collect();
    if let Some(why) = records::not_a_header(&header, shape.known) {
        return Err(no_header(why));
    }
    let whole = whole && data.len() < MAX_ROWS;
    Ok(Records {
        header,
        rows: data,
        tail: split::csv(tail, shape.dialect, MAX_ROWS),
        whole,
    })
}

fn read_json(text: &str, whole: bool, guesses: &mut Vec<Guess>) -> Result<Records, Fault> {
    let (header, rows) = split::json_lines(text, MAX_ROWS);
    let good = rows.iter().filter(|r| r.fault.is_none()).count();
    if good == 0 {
        let reason = "the file begins as JSON, and no line of it is one flat object";
        return Err(Fault::new(
            "file.type",
            reason,
            "deliver JSON Lines: one flat object a line",
        ));
    }
    let evidence = guess::of(good as u64, rows.len() as u64, "lines");
    let told = Guess::told(
        "objects",
        "one a line",
        Confidence::Certain,
        format!("{evidence} are flat objects"),
    );
    guesses.push(told);
    let whole = whole && rows.len() < MAX_ROWS;
    Ok(Records {
        header,
        rows,
        tail: Vec::new(),
        whole,
    })
}

/// The guesses about records, and the whole of them in order.
fn propose(
    file: &str,
    format: Format,
    records: &Records,
    before: Vec<Guess>,
    known: Known<'_>,
) -> Result<Proposal, Fault> {
    let sorted = records::sort(records);
    let ranked = columns::rank(&sorted.columns, known.contracts);
    let (feed, matching) = choose(&ranked, known)?;
    let evidence = match format {
        Format::Csv => "text that is no JSON",
        Format::JsonLines => "the first line is a JSON object",
        Format::Xlsx | Format::Parquet => "by the first bytes",
    };
    let mut guesses = vec![
        names::name(file, known),
        feed,
        names::files(file, known),
        Guess::key(&["format"], Setting::text(format.name()), Confidence::Certain, evidence),
    ];
    guesses.extend(before);
    guesses.extend(forms::guesses(&sorted, matching, format));
    guesses.extend(matching.guesses(&sorted.columns));
    guesses.extend(keys::mode(records, matching));
    guesses.extend(sorted.guesses);
    guesses.push(Guess::told(
        "looked at",
        &format!("{} records of data", guess::grouped(sorted.data)),
        Confidence::Certain,
        if records.whole {
            "the whole file"
        } else {
            "the beginning of the file"
        },
    ));
    Ok(Proposal {
        file: file.to_owned(),
        feed: matching.contract.name.clone(),
        guesses,
        ranking: if known.feed.is_some() {
            Vec::new()
        } else {
            ranked.iter().map(Matching::ranked).collect()
        },
        trial: None,
    })
}

/// The feed that was asked for, or the best.
fn choose<'r, 'c>(ranked: &'r [Matching<'c>], known: Known<'_>) -> Result<(Guess, &'r Matching<'c>), Fault> {
    let Some(name) = known.feed else {
        let none = || Fault::new("detect.feed", "there is no contract of a feed", "add one to schemas/");
        return columns::feed(ranked).zip(ranked.first()).ok_or_else(none);
    };
    let matching = ranked.iter().find(|m| m.contract.name == name).ok_or_else(|| {
        let mut names: Vec<&str> = ranked.iter().map(|m| m.contract.name.as_str()).collect();
        names.sort_unstable();
        let reason = format!("there is no feed '{name}'");
        Fault::new("detect.feed", reason, format!("name one of {}", names.join(", ")))
    })?;
    let guess = Guess::key(&["feed"], Setting::text(name), Confidence::Certain, "you named it");
    Ok((guess, matching))
}

#[cfg(test)]
mod sample_tests;
#[cfg(test)]
mod tests;
