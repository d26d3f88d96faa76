//! Reads one file of a source into typed rows, rejects and skipped records.
//!
//! Duty: the order in which the rules of this room meet a record, and when a file is set aside whole. Not its duty:
//! opening files, comparing them with other files. One bad record never stops a file.

use std::io::BufRead;

use super::csv::{self, Next};
use super::fault::Fault;
use super::head;
use super::header::{Header, Names};
use super::intake::Intake;
use super::json_lines;
use super::limits::HEAD_BYTES;
use super::outcome::{FileOrigin, FileOutcome};
use super::source::{Format, Source, Totals, data_columns};
use super::window::Window;
use crate::contracts::Contract;
use crate::domain::Place;

/// Reads a file; every record ends in exactly one state, and nothing of a file that cannot be trusted is used.
///
/// # Panics
/// When a record was lost or counted twice: that is a mistake in this program.
pub fn read_file(source: &Source, contract: &Contract, origin: &FileOrigin, input: impl BufRead) -> FileOutcome {
    let mut intake = Intake::new(source, contract, origin);
    let outcome = match read(&mut intake, input) {
        Ok(()) => intake.finish(),
        Err(fault) => intake.set_aside(&fault),
    };
    outcome.assert_conserved();
    outcome
}

/// Reads all records; the error is a fault of the whole file.
fn read<R: BufRead>(intake: &mut Intake, input: R) -> Result<(), Fault> {
    let mut window = Window::new(input);
    window.at_least(HEAD_BYTES).map_err(unreadable)?;
    let head = window.bytes();
    let mark = head::check(&head[..head.len().min(HEAD_BYTES)])?;
    window.advance(mark);
    let read = match intake.source.format {
        Format::Csv => read_csv(intake, window)?,
        Format::JsonLines => read_json_lines(intake, window)?,
    };
    let landed = intake.origin.bytes;
    if read != landed {
        let reason = format!("{read} bytes were read where {landed} were landed");
        return Err(Fault::new(
            "file.changed",
            reason,
            "restore the file in landing from where it came",
        ));
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
fn unreadable(error: std::io::Error) -> Fault {
    let reason = format!("the file could not be read to its end: {error}");
    Fault::new("file.unreadable", reason, "check the disk, and run again")
}

/// Returns the bytes of the file.
fn read_csv<R: BufRead>(intake: &mut Intake, mut window: Window<R>) -> Result<u64, Fault> {
    for _ in 0..intake.source.skip.preamble_lines {
        window.at_least(1).map_err(unreadable)?;
        if !window.bytes().is_empty() {
            intake.skip(window.line(), "skip.preamble");
            window.discard_line().map_err(unreadable)?;
        }
    }
    let mut reader = csv::Reader::new(window, intake.source.dialect);
    let mut record = csv::Record::default();
    let header = match reader.next(&mut record).map_err(unreadable)? {
        Next::Record => Header::new(record.fields(), intake.source, intake.contract)?,
        Next::Fault(fault) => return Err(Fault::new("header.unreadable", fault.reason, fault.remedy)),
        Next::End => {
            let remedy = "deliver the header alone where there is nothing to report";
            return Err(Fault::new("file.no_header", "the file has bytes and no header", remedy));
        }
    };
    intake.note_header(&header, record.line);
    let totals = intake
        .source
        .skip
        .totals
        .as_ref()
        .and_then(|t| Some((t, header.positions[position(intake, t)?]?)));
    loop {
        match reader.next(&mut record).map_err(unreadable)? {
            Next::Record => take_csv(intake, &header, totals, &record),
            Next::Fault(fault) => intake.reject(record.line, &record.raw, fault),
            Next::End => return Ok(reader.window.offset()),
        }
    }
}

fn position(intake: &Intake, totals: &Totals) -> Option<usize> {
    data_columns(intake.contract)
        .iter()
        .position(|c| c.name == totals.column)
}

fn take_csv(intake: &mut Intake, header: &Header, totals: Option<(&Totals, usize)>, record: &csv::Record) {
    let skip = &intake.source.skip;
    let (line, raw) = (record.line, record.raw.as_slice());
    if record.fields().all(|field| field.trim().is_empty()) {
        intake.skip_or_reject(skip.blank_rows, line, raw, "skip.blank", blank());
    } else if header.is_repeated(record.fields()) {
        let fault = Fault::new(
            "record.repeated_header",
            "the record is the header once more",
            "declare skip.repeated_header in the source, or deliver the header once",
        );
        intake.skip_or_reject(skip.repeated_header, line, raw, "skip.header", fault);
    } else if totals.is_some_and(|(t, at)| record.get(at).is_some_and(|f| f.trim().starts_with(&t.starts_with))) {
        intake.skip(line, "skip.totals");
    } else if record.width() != header.width() {
        let reason = format!("has {} fields where the header has {}", record.width(), header.width());
        let remedy = "put fields that hold the delimiter into quotes, and deliver every field";
        intake.reject(line, raw, Fault::new("record.width", reason, remedy));
    } else {
        for (at, name) in &header.unknown {
            intake.count_unknown(name, record.get(*at));
        }
        let texts: Vec<Option<&str>> = header.positions.iter().map(|p| record.get((*p)?)).collect();
        intake.take(line, raw, &texts);
    }
}

fn blank() -> Fault {
    Fault::new(
        "record.blank",
        "every field is blank",
        "declare skip.blank_rows in the source, or remove the record",
    )
}

/// Returns the bytes of the file.
fn read_json_lines<R: BufRead>(intake: &mut Intake, window: Window<R>) -> Result<u64, Fault> {
    let names = Names::new(intake.source, intake.contract);
    let mut reader = json_lines::Reader::new(window);
    let mut record = json_lines::Record::default();
    loop {
        match reader.next(&mut record).map_err(unreadable)? {
            Next::Record => take_json(intake, &names, &record),
            Next::Fault(fault) => intake.reject(record.line, &record.raw, fault),
            Next::End => return Ok(reader.window.offset()),
        }
    }
}

fn take_json(intake: &mut Intake, names: &Names, record: &json_lines::Record) {
    let mut texts: Vec<Option<&str>> = vec![None; data_columns(intake.contract).len()];
    let mut taken = vec![false; texts.len()];
    for (name, text) in &record.fields {
        let Some((column, declared)) = names.find(name) else {
            intake.count_unknown(name, text.as_deref());
            continue;
        };
        if std::mem::replace(&mut taken[column], true) {
            let reason = format!("two members stand for '{}'", data_columns(intake.contract)[column].name);
            let fault = Fault::new("json.duplicate_key", reason, "give each member once, under one name");
            return intake.reject(record.line, &record.raw, fault);
        }
        if let Some(declared) = declared {
            intake.note_normalised(name, declared);
        }
        texts[column] = text.as_deref();
    }
    let totals = intake.source.skip.totals.as_ref();
    let is_total = |t: &Totals| {
        let text = position(intake, t).and_then(|column| texts[column]);
        text.is_some_and(|text| text.trim().starts_with(&t.starts_with))
    };
    if texts.iter().flatten().all(|text| text.trim().is_empty()) {
        let blank_rows = intake.source.skip.blank_rows;
        intake.skip_or_reject(blank_rows, record.line, &record.raw, "skip.blank", blank());
    } else if totals.is_some_and(is_total) {
        intake.skip(record.line, "skip.totals");
    } else {
        intake.take(record.line, &record.raw, &texts);
    }
}

/// The place of a file in messages.
pub fn place(origin: &FileOrigin, line: Option<u64>) -> Place {
    Place {
        file: origin.file_name.clone(),
        line,
        column: None,
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
