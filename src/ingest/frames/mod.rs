//! Records of foreign files as a stream of frames, from the process that reads such a file to the one that types it.
//!
//! Duty: the protocol and both its ends: cells as text with their kind, what is wrong with single cells and records,
//! an end that tells whether everything came. Not its duty: processes, workbooks, Parquet, columns of a contract.
//!
//! ```text
//! stream   "SLFRAMES" version:u8 frame*      the last frame is an end or a fault; without one the process died
//! frame    tag:u8 length:u32 payload          numbers are little-endian
//! record   line:u64 hidden:u8 cells:u16 cell*          cell = kind:u8 length:u32 text
//! rejected line:u64 text text text            rule, reason, remedy; text = length:u32 bytes
//! preamble line:u64                           a row above the header
//! end      records:u64 bytes:u64 notes:u16 note*       note = warning:u8 text text text
//! fault    text text text
//! ```
//!
//! The first record is the header, all others have its width or more cells. A fault at the end refuses the file,
//! however many records came before. The reader trusts nothing: a frame that is none is a fault.

mod reader;
mod writer;

use super::limits::MAX_COLUMNS;
use crate::domain::{Finding, Place};

pub use super::fault::{Fault, shown};
pub use reader::Reader;
pub use writer::Writer;

const MAGIC: &[u8; 8] = b"SLFRAMES";

/// Changes with every change of the frames: both ends are the same program, so that another version is a mistake.
const VERSION: u8 = 1;

/// Bytes of a frame around the texts of its cells.
const OVERHEAD_BYTES: usize = 16 + MAX_COLUMNS * 5;

const RECORD: u8 = b'R';
const REJECTED: u8 = b'B';
const PREAMBLE: u8 = b'P';
const END: u8 = b'E';
const FAULT: u8 = b'F';

/// What a cell is, as the file itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Empty,
    /// As typed by a person: the notation of the source applies.
    Text,
    /// `-1234.5`: no exponent, no superfluous zero, whatever marks the source declares.
    Number,
    /// A number in the same form that is not what was once typed or is shown: as an id it is damaged.
    Damaged,
    /// `true` or `false`.
    Bool,
    /// `2026-07-31`.
    Date,
    /// A time without a zone: `2026-07-31T12:30:00`, with 3 or 6 decimals where there are any.
    Local,
    /// `2026-07-31T12:30:00Z`, the same.
    Instant,
    /// An error of a formula; the text is its name.
    Error,
    /// A formula without a result.
    NoResult,
    /// A number shown as a date that is none; the text is the number.
    BadDate,
    /// Not readable as what it claims to be.
    Unreadable,
    /// In a header: a column of floating-point numbers.
    Float,
    /// In a header: a column of lists, maps or structures.
    Nested,
    /// In a header: a column of another type that is not read.
    Opaque,
}

impl Kind {
    const ALL: [Kind; 15] = [
        Kind::Empty,
        Kind::Text,
        Kind::Number,
        Kind::Damaged,
        Kind::Bool,
        Kind::Date,
        Kind::Local,
        Kind::Instant,
        Kind::Error,
        Kind::NoResult,
        Kind::BadDate,
        Kind::Unreadable,
        Kind::Float,
        Kind::Nested,
        Kind::Opaque,
    ];

    /// Whether the text is in the notation of frames: marks and formats that the source declares do not apply.
    pub fn is_native(self) -> bool {
        matches!(
            self,
            Kind::Number | Kind::Damaged | Kind::Bool | Kind::Date | Kind::Local | Kind::Instant
        )
    }
}

/// One cell of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    pub kind: Kind,
    pub text: &'a str,
}

impl Cell<'_> {
    /// Why the cell has no value. In a header: why nobody can read its column.
    pub fn fault(&self) -> Option<Fault> {
        let fault = |rule, reason: String, remedy: &str| Some(Fault::new(rule, reason, remedy));
        match self.kind {
            Kind::Empty
            | Kind::Text
            | Kind::Number
            | Kind::Damaged
            | Kind::Bool
            | Kind::Date
            | Kind::Local
            | Kind::Instant => None,
            Kind::Error => fault(
                "xlsx.error_cell",
                format!("is the error {} of a formula", shown(self.text)),
                "correct the formula, or put the value in its place",
            ),
            Kind::NoResult => fault(
                "xlsx.no_cached_value",
                "is a formula whose result is not in the file".to_owned(),
                "open the workbook, let it calculate, and save it",
            ),
            Kind::BadDate => fault(
                "xlsx.date_serial",
                format!("{} is shown as a date and is none from 1900-03-01 on", shown(self.text)),
                "type the date anew; leave the cell blank where there is none",
            ),
            Kind::Unreadable => fault(
                "cell.unreadable",
                "is not what its file says it is, or too long".to_owned(),
                "type the value anew",
            ),
            Kind::Float => fault(
                "parquet.float",
                format!("the column {} holds binary floating-point numbers", shown(self.text)),
                "deliver it as decimal with the scale of the contract",
            ),
            Kind::Nested => fault(
                "parquet.nested",
                format!("the column {} holds lists, maps or structures", shown(self.text)),
                "deliver a flat column",
            ),
            Kind::Opaque => fault(
                "parquet.type",
                format!(
                    "the column {} holds what is no text, number, truth value, date or time",
                    shown(self.text)
                ),
                "deliver it as text, decimal, integer, boolean, date or timestamp",
            ),
        }
    }

    /// Why a number is no value of a column of texts.
    pub fn damage(&self) -> Option<Fault> {
        (self.kind == Kind::Damaged).then(|| {
            let reason = format!(
                "{} stands as a number: digits behind the fifteenth or leading zeros may be lost",
                shown(self.text)
            );
            let remedy = "make the column text before the ids are put in, and deliver it again";
            Fault::new("xlsx.number_damaged", reason, remedy)
        })
    }
}

/// One record; reused from record to record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Row of the sheet from 1; number of the record in a file without rows, where the header is 0.
    pub line: u64,
    /// The row is hidden in the workbook.
    pub hidden: bool,
    text: String,
    /// Kind of a cell, and where its text ends.
    cells: Vec<(Kind, usize)>,
}

impl Record {
    pub fn clear(&mut self, line: u64) {
        self.line = line;
        self.hidden = false;
        self.text.clear();
        self.cells.clear();
    }

    pub fn push(&mut self, kind: Kind, text: &str) {
        self.text.push_str(text);
        self.cells.push((kind, self.text.len()));
    }

    /// Adds empty cells up to a width.
    pub fn pad(&mut self, width: usize) {
        if self.cells.len() < width {
            self.cells.resize(width, (Kind::Empty, self.text.len()));
        }
    }

    pub fn width(&self) -> usize {
        self.cells.len()
    }

    pub fn cell(&self, index: usize) -> Option<Cell<'_>> {
        let (kind, end) = *self.cells.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.cells[before].1);
        let text = &self.text[start..end];
        Some(Cell { kind, text })
    }

    pub fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        (0..self.width()).filter_map(|i| self.cell(i))
    }

    /// The texts alone, as a record of delimited text gives them.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.width()).map(|i| self.get(i).unwrap_or_default())
    }

    pub fn get(&self, index: usize) -> Option<&str> {
        self.cell(index).map(|cell| cell.text)
    }

    pub fn is_blank(&self) -> bool {
        self.cells()
            .all(|cell| matches!(cell.kind, Kind::Empty | Kind::Text) && cell.text.trim().is_empty())
    }

    /// The record as a line of CSV, which stands for the bytes that it does not have.
    pub fn raw(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(self.text.len() + self.width());
        for (i, field) in self.fields().enumerate() {
            if i > 0 {
                raw.push(b',');
            }
            if field.contains([',', '"', '\n', '\r']) {
                raw.push(b'"');
                raw.extend_from_slice(field.replace('"', "\"\"").as_bytes());
                raw.push(b'"');
            } else {
                raw.extend_from_slice(field.as_bytes());
            }
        }
        raw
    }
}

/// Why a hidden row is no record, where a source rejects such rows.
pub fn hidden_row() -> Fault {
    Fault::new(
        "xlsx.hidden_row",
        "the row is hidden in the workbook",
        "unhide or delete the row, or declare hidden_rows = \"read\" in the source",
    )
}

/// What a person should know about a file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub is_warning: bool,
    pub rule: String,
    pub message: String,
    pub remedy: String,
}

impl Note {
    pub fn plain(rule: &str, message: impl Into<String>, remedy: &str) -> Note {
        Note {
            is_warning: false,
            rule: rule.to_owned(),
            message: message.into(),
            remedy: remedy.to_owned(),
        }
    }

    pub fn warning(rule: &str, message: impl Into<String>, remedy: &str) -> Note {
        Note {
            is_warning: true,
            ..Note::plain(rule, message, remedy)
        }
    }

    pub fn finding(self, place: Place) -> Finding {
        let make = if self.is_warning {
            Finding::warning
        } else {
            Finding::note
        };
        make(place, &self.rule, self.message, self.remedy)
    }
}

/// How a file ended that was read whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Bytes of the file as it was opened.
    pub bytes: u64,
    pub notes: Vec<Note>,
}

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Record,
    /// A record that is none; its line stands in the record given.
    Fault(Fault),
    /// A row with content above the header; its line stands in the record given.
    Preamble,
    End(End),
}

#[cfg(test)]
mod tests;
