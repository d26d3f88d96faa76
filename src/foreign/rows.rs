//! Rows of a sheet to a header and records.
//!
//! Duty: which row is the header, which rows are blank or end the table, what a person should know of merged, hidden
//! and mixed cells. Not its duty: XML, columns of a contract.
//!
//! Blank rows between two records are records of empty cells; behind the last one they are nothing. A value far away
//! from the table refuses the file: it is a stray cell, and filling up to it would cost more than the table.

use std::io::Write;

use super::Stop;
use super::budget::MAX_GAP_ROWS;
use super::cell::{Place, column_name};
use crate::ingest::frames::{Fault, Kind, Note, Record, Writer, shown};
use crate::ingest::limits::MAX_COLUMNS;

/// Columns that a note names.
const MAX_NAMED: usize = 20;

pub struct Rows<'w, O> {
    writer: &'w mut Writer<O>,
    header_row: u64,
    record: Record,
    /// Names of the columns, once the header was seen.
    names: Option<Vec<String>>,
    /// The last row that was written.
    last: u64,
    tallies: Vec<Tally>,
    hidden: Count,
    merged: Count,
    /// First column, and the one behind the last, from 0.
    pub hidden_columns: Vec<(usize, usize)>,
    pub formulas: u64,
}

/// How often, and where first.
#[derive(Debug, Default)]
struct Count {
    times: u64,
    first: u64,
}

impl Count {
    fn add(&mut self, row: u64) {
        self.first = if self.times == 0 { row } else { self.first };
        self.times += 1;
    }
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    dates: u64,
    numbers: u64,
    texts: u64,
    /// Of the texts, those of digits and marks alone.
    digits: u64,
}

impl<'w, O: Write> Rows<'w, O> {
    pub fn new(header_row: u64, writer: &'w mut Writer<O>) -> Rows<'w, O> {
        Rows {
            writer,
            header_row,
            record: Record::default(),
            names: None,
            last: 0,
            tallies: Vec::new(),
            hidden: Count::default(),
            merged: Count::default(),
            hidden_columns: Vec::new(),
            formulas: 0,
        }
    }

    pub fn begin(&mut self, row: u64, is_hidden: bool) {
        self.record.clear(row);
        self.record.hidden = is_hidden;
    }

    /// Puts a cell into the row; columns come in their order, from 0.
    pub fn put(&mut self, column: usize, kind: Kind, text: &str) -> Result<(), Fault> {
        if kind == Kind::Empty {
            return Ok(());
        }
        if column >= MAX_COLUMNS {
            let reason = format!(
                "the cell {}{} has a value; at most {MAX_COLUMNS} columns are read",
                column_name(column),
                self.record.line
            );
            return Err(stray(reason));
        }
        self.record.pad(column);
        self.record.push(kind, text);
        Ok(())
    }

    pub fn end(&mut self) -> Result<(), Stop> {
        if self.record.is_blank() {
            return Ok(());
        }
        let row = self.record.line;
        if row < self.header_row {
            return Ok(self.writer.preamble(row)?);
        }
        if row == self.header_row {
            self.names = Some(self.record.fields().map(str::to_owned).collect());
            self.tallies = vec![Tally::default(); self.record.width()];
            self.writer.record(&self.record)?;
        } else {
            let Some(width) = self.names.as_ref().map(Vec::len) else {
                return Err(self.no_header().into());
            };
            self.fill_gap(width)?;
            self.tally();
            self.record.pad(width);
            self.writer.record(&self.record)?;
        }
        self.last = row;
        Ok(())
    }

    /// Writes the blank rows above the one at hand.
    fn fill_gap(&mut self, width: usize) -> Result<(), Stop> {
        let row = self.record.line;
        if row - self.last - 1 > MAX_GAP_ROWS {
            let reason = format!(
                "row {row} has values and stands far below row {}, the last before",
                self.last
            );
            return Err(stray(reason).into());
        }
        let mut blank = Record::default();
        for line in self.last + 1..row {
            blank.clear(line);
            blank.pad(width);
            self.writer.record(&blank)?;
        }
        Ok(())
    }

    fn tally(&mut self) {
        if self.record.hidden {
            self.hidden.add(self.record.line);
        }
        for (cell, tally) in self.record.cells().zip(&mut self.tallies) {
            match cell.kind {
                Kind::Date | Kind::Local | Kind::Instant => tally.dates += 1,
                Kind::Number | Kind::Damaged => tally.numbers += 1,
                Kind::Text => {
                    tally.texts += 1;
                    let is_number = cell
                        .text
                        .chars()
                        .all(|c| c.is_ascii_digit() || ".,-' \u{A0}".contains(c));
                    tally.digits += u64::from(is_number);
                }
                _ => {}
            }
        }
    }

    /// A merged range; it comes behind all rows.
    pub fn merge(&mut self, first: Place, last: Place) -> Result<(), Fault> {
        if (first.row..=last.row).contains(&self.header_row) {
            let reason = format!(
                "cells of the header are merged, from {}{} to {}{}",
                column_name(first.column),
                first.row,
                column_name(last.column),
                last.row
            );
            return Err(Fault::new(
                "xlsx.merged_header",
                reason,
                "give each column a cell of its own in one row, or declare header_row in the source",
            ));
        }
        let width = self.names.as_ref().map_or(0, Vec::len);
        if first.row > self.header_row && first.row <= self.last && first.column < width {
            self.merged.add(first.row);
        }
        Ok(())
    }

    /// What a person should know, once all rows were put.
    pub fn finish(self, recalculates: bool) -> Result<Vec<Note>, Fault> {
        let Some(names) = &self.names else {
            return Err(self.no_header());
        };
        let mut notes = Vec::new();
        if self.hidden.times > 0 {
            let Count { times, first } = self.hidden;
            let message = format!("hidden rows with values: {times}, the first is row {first}");
            notes.push(Note::warning(
                "xlsx.hidden_rows",
                message,
                "remove the filter, or delete the rows that are not meant",
            ));
        }
        let is_hidden = |column: &usize| {
            self.hidden_columns
                .iter()
                .any(|(from, to)| (*from..*to).contains(column))
        };
        let hidden = named(names, (0..names.len()).filter(is_hidden));
        if let Some(columns) = hidden {
            let message = format!("hidden columns were read: {columns}");
            notes.push(Note::warning("xlsx.hidden_columns", message, "show or delete them"));
        }
        if self.merged.times > 0 {
            let Count { times, first } = self.merged;
            let message = format!(
                "merged ranges among the records: {times}, the first in row {first}; the value stands in the first \
                 cell, the others are blank"
            );
            notes.push(Note::warning("xlsx.merged", message, "fill in every cell"));
        }
        if self.formulas > 0 {
            let message = format!(
                "cells with formulas: {}; read were the results as they were last calculated",
                self.formulas
            );
            let note = if recalculates { Note::warning } else { Note::plain };
            notes.push(note(
                "xlsx.formulas",
                message,
                if recalculates {
                    "the workbook wants to be calculated anew: open it, and save it"
                } else {
                    "nothing to do, if they are up to date"
                },
            ));
        }
        self.note_mixed(names, &mut notes);
        Ok(notes)
    }

    fn note_mixed(&self, names: &[String], notes: &mut Vec<Note>) {
        let columns = |is_mixed: fn(&Tally) -> bool| {
            let mixed = self.tallies.iter().enumerate().filter(|(_, t)| is_mixed(t));
            named(names, mixed.map(|(i, _)| i))
        };
        if let Some(columns) = columns(|t| t.dates > 0 && t.texts > 0) {
            let message = format!("columns with dates and texts beside one another: {columns}");
            let remedy = "make all of them dates; texts are read by the formats of the source";
            notes.push(Note::warning("xlsx.mixed_dates", message, remedy));
        }
        if let Some(columns) = columns(|t| t.numbers > 0 && t.digits > 0) {
            let message = format!("columns with numbers and numbers stored as text: {columns}");
            let remedy = "make all of them one of the two; texts are read with the marks of the source";
            notes.push(Note::warning("xlsx.mixed_numbers", message, remedy));
        }
    }

    fn no_header(&self) -> Fault {
        Fault::new(
            "file.no_header",
            format!(
                "row {} of the sheet, where its header is expected, is blank",
                self.header_row
            ),
            "declare header_row in the source; with nothing to report, deliver the header alone",
        )
    }
}

/// The names of columns, for a message; `None` when there are none.
fn named(names: &[String], columns: impl Iterator<Item = usize>) -> Option<String> {
    let name = |i: usize| match names.get(i).map(|n| n.trim()) {
        Some(name) if !name.is_empty() => shown(name),
        _ => column_name(i),
    };
    let all: Vec<String> = columns.map(name).collect();
    if all.is_empty() {
        return None;
    }
    let more = if all.len() > MAX_NAMED { " and more" } else { "" };
    Some(format!("{}{more}", all[..all.len().min(MAX_NAMED)].join(", ")))
}

fn stray(reason: String) -> Fault {
    Fault::new(
        "xlsx.far_cell",
        reason,
        "delete what stands beside or below the table, rows and columns whole, and save the workbook",
    )
}
