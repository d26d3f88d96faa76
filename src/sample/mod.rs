//! The sample programme: invented partners, a year of their facts, and the dirt that real files have.
//!
//! Duty: the bytes of every file of a sample, the same for the same options on every machine, at any scale, in constant
//! memory per file. Not its duty: opening files (the caller's sink does), reading anything back, the clock, floats.
//! What is *absent*: any row that depends on rows before it. Every row is made from counters, so that a survey can name
//! its delivery and a payment its order line without either being held.
//!
//! | what | in |
//! |---|---|
//! | who the partners are, how they behave | `partners`, `personas` |
//! | tables in memory, rows per quarter | `world`, `calendar`, `draw` |
//! | rows of feeds | `reference`, `deliveries`, `parts`, `learning`, `sales`, `events`, `finance` |
//! | bytes | `feeds` (columns), `dialect` (values), `table` (files), `dirt` (what is planted) |

mod calendar;
mod deliveries;
mod dialect;
mod dirt;
mod draw;
mod events;
mod feeds;
mod files;
mod finance;
mod learning;
mod partners;
mod parts;
mod personas;
mod reference;
mod sales;
#[cfg(test)]
mod story_tests;
mod table;
#[cfg(test)]
mod tests;
mod world;

use std::fmt;
use std::io::{self, Write};

pub use files::generate;

/// What sample to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleOptions {
    /// 1 is the small set of some twenty thousand rows; rows grow in proportion, partners with the square root.
    /// 0 counts as 1.
    pub scale: u64,
    /// Another seed gives other facts about the same partners.
    pub seed: u64,
    /// Whether dirt is planted.
    pub dirt: bool,
}

impl Default for SampleOptions {
    fn default() -> SampleOptions {
        SampleOptions {
            scale: 1,
            seed: 1,
            dirt: true,
        }
    }
}

/// Takes the files of a sample, one after another.
pub trait SampleSink {
    /// Opens a new file; `name` is relative, with `/` between folders, such as `emea/sales-2026-Q3.csv`. Only one file
    /// is open at a time, and it is complete when the writer is dropped.
    fn file(&mut self, name: &str) -> io::Result<Box<dyn Write + '_>>;
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleSummary {
    /// In the order they were written; `PLANTED.csv`, which is no feed, is not among them.
    pub files: Vec<FileSummary>,
    /// In the order of files and lines; `PLANTED.csv` holds the same.
    pub planted: Vec<Planted>,
}

impl SampleSummary {
    /// Data rows of all files, planted ones not counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of all files but `PLANTED.csv`.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSummary {
    pub name: String,
    /// The feed it belongs to.
    pub feed: &'static str,
    /// Data rows, planted ones not counted.
    pub rows: u64,
    pub bytes: u64,
}

/// One planted row, or with line 0 a planted file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    pub file: String,
    /// Physical line on which the record begins, from 1, preamble and header counted; 0 for a whole file.
    pub line: u64,
    pub kind: &'static str,
    pub expected: State,
}

/// What ingestion must make of a planted row or file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Read like any other.
    Current,
    /// Identical to what was read before.
    Duplicate,
    Quarantined,
    /// Waits for the row it refers to.
    Held,
    /// Left out by a rule that the source declares.
    Skipped,
    /// A whole file is put aside.
    SetAside,
}

impl State {
    /// The word in `PLANTED.csv`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Current => "current",
            State::Duplicate => "duplicate",
            State::Quarantined => "quarantined",
            State::Held => "held",
            State::Skipped => "skipped",
            State::SetAside => "set_aside",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
