//! Rows of workbooks and Parquet files, as they come from the process that reads them.
//!
//! Duty: records of frames under the rules that hold for delimited text too; cells that know their type are read in the
//! notation of frames. Not its duty: the stream itself (`frames`), the process.

use std::borrow::Cow;
use std::io::Read;

use super::fault::Fault;
use super::file::{Fields, Rules, no_header, place, same_size};
use super::formats::Pattern;
use super::frames::{End, Next, Reader, Record};
use super::header::Header;
use super::intake::Intake;
use super::source::Source;
use crate::contracts::{Column, ColumnType};

/// The source as it reads cells that know their type.
pub(super) fn native(source: &Source) -> Source {
    let times = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M:%S%.f"];
    Source {
        decimal_mark: '.',
        grouping_mark: None,
        date_formats: Vec::new(),
        instant_formats: times.iter().filter_map(|t| Pattern::instant(t).ok()).collect(),
        ..source.clone()
    }
}

impl Fields for Record {
    const IS_FOREIGN: bool = true;

    fn line(&self) -> u64 {
        self.line
    }

    fn raw(&self) -> Cow<'_, [u8]> {
        Cow::Owned(Record::raw(self))
    }

    fn size(&self) -> usize {
        self.cells().map(|cell| cell.text.len()).sum()
    }

    fn width(&self) -> usize {
        Record::width(self)
    }

    fn get(&self, index: usize) -> Option<&str> {
        Record::get(self, index)
    }

    fn fields(&self) -> impl ExactSizeIterator<Item = &str> {
        Record::fields(self)
    }

    fn is_blank(&self) -> bool {
        Record::is_blank(self)
    }

    fn is_hidden(&self) -> bool {
        self.hidden
    }

    fn is_native(&self, index: usize) -> bool {
        self.cell(index).is_some_and(|cell| cell.kind.is_native())
    }

    fn fault(&self, index: usize, column: &Column) -> Option<Fault> {
        let cell = self.cell(index)?;
        let damage = || cell.damage().filter(|_| column.kind == ColumnType::Text);
        cell.fault().or_else(damage)
    }
}

/// Reads all records; the error is a fault of the whole file.
pub(super) fn read(intake: &mut Intake, input: impl Read) -> Result<(), Fault> {
    let mut reader = Reader::new(input);
    let mut record = Record::default();
    let header = loop {
        match reader.next(&mut record)? {
            Next::Preamble => intake.skip("skip.preamble"),
            Next::Record => break header(intake, &record)?,
            Next::Fault(fault) => return Err(Fault::new("header.unreadable", fault.reason, fault.remedy)),
            Next::End(_) => return Err(no_header()),
        }
    };
    let rules = Rules::new(intake, &header);
    loop {
        match reader.next(&mut record)? {
            Next::Record => rules.take(intake, &record)?,
            Next::Fault(fault) => intake.reject(record.line, &[], fault)?,
            Next::Preamble => intake.skip("skip.preamble"),
            Next::End(end) => return ended(intake, end),
        }
    }
}

/// The header, when every column that is taken can be read at all.
fn header(intake: &mut Intake, record: &Record) -> Result<Header, Fault> {
    let header = Header::new(record.fields(), intake.source, intake.contract)?;
    for position in header.positions.iter().flatten() {
        if let Some(fault) = record.cell(*position).and_then(|cell| cell.fault()) {
            return Err(fault);
        }
    }
    intake.note_header(&header, record.line)?;
    Ok(header)
}

fn ended(intake: &mut Intake, end: End) -> Result<(), Fault> {
    for note in end.notes {
        let place = place(intake.origin, None);
        intake.note(note.finding(place));
    }
    same_size(intake, end.bytes)
}

#[cfg(test)]
#[path = "foreign_rows_tests.rs"]
mod tests;
