//! Reads one file of a source into typed rows, rejects and skipped records.
//!
//! Duty: the order in which the rules of this room meet a record, and when a file is set aside whole. Not its duty:
//! opening files, comparing them with other files. One bad record never stops a file.

use std::borrow::Cow;
use std::io::Read;

use super::csv::{self, Next};
use super::decode::{self, Bytes, Malformed, fault_of};
use super::fault::Fault;
use super::foreign_rows;
use super::head;
use super::header::Header;
use super::intake::{Given, Intake};
use super::json_lines;
use super::members::Members;
use super::outcome::{FileOrigin, FileOutcome, Sink};
use super::source::{Format, HiddenRows, Source, Totals, data_columns};
use super::window::Window;
use crate::contracts::{Column, Contract};
use crate::domain::Place;

/// What a file is read from.
pub enum Input<'a> {
    /// A text as delivered: packed and encoded as the source declares.
    Bytes(Box<dyn Bytes + 'a>),
    /// Records of a workbook or a Parquet file, from the process that reads it: see [`super::frames`].
    Frames(Box<dyn Read + Send + 'a>),
}

/// Reads a file; every record ends in exactly one state, and nothing of a file that cannot be trusted is used. The sink
/// gets the rows while the file is read: when the outcome is `SetAside`, what it took is of no use.
///
/// # Panics
/// When a record was lost or counted twice: that is a mistake in this program.
pub fn read_file(
    source: &Source,
    contract: &Contract,
    origin: &FileOrigin,
    input: Input<'_>,
    sink: &mut dyn Sink,
) -> FileOutcome {
    let native = matches!(input, Input::Frames(_)).then(|| foreign_rows::native(source));
    let mut intake = Intake::new(source, native.as_ref(), contract, origin, sink);
    let read = match input {
        Input::Bytes(bytes) => read_text(&mut intake, bytes),
        Input::Frames(frames) => foreign_rows::read(&mut intake, frames),
    };
    let outcome = match read {
        Ok(()) => intake.finish(),
        Err(fault) => intake.set_aside(&fault),
    };
    outcome.assert_conserved();
    outcome
}

/// Reads all records; the error is a fault of the whole file.
fn read_text<'i>(intake: &mut Intake, input: Box<dyn Bytes + 'i>) -> Result<(), Fault> {
    let source = intake.source;
    let text = decode::text(input, source.compression, source.encoding)?;
    head::check(text.head(), text.mark_bytes(), text.encoding())?;
    same_size(intake, text.delivered_bytes())?;
    let hint = decode::hint(text.head(), text.encoding()).filter(|_| text.mark_bytes() == 0);
    let malformed = text.malformed();
    let window = Window::new(text);
    let read = match source.format {
        Format::Csv => read_csv(intake, window, malformed),
        Format::JsonLines => read_json_lines(intake, window, malformed),
        Format::Xlsx | Format::Parquet => {
            let reason = format!(
                "the source declares {}, and the file came as text",
                source.format.name()
            );
            return Err(Fault::new(
                "file.type",
                reason,
                "report it: such files are read by a process of their own",
            ));
        }
    };
    // a header that nobody can read is often one in another encoding
    read.map_err(|fault| match hint {
        Some(remedy) if fault.rule.starts_with("header.") => Fault { remedy, ..fault },
        _ => fault,
    })
}

/// The file is the one that was landed.
pub(super) fn same_size(intake: &Intake, read: u64) -> Result<(), Fault> {
    let landed = intake.origin.bytes;
    if read == landed {
        return Ok(());
    }
    let reason = format!("{read} bytes were read where {landed} were landed");
    let remedy = "restore the file in landing from where it came";
    Err(Fault::new("file.changed", reason, remedy))
}

fn read_csv<R: Read>(intake: &mut Intake, mut window: Window<R>, malformed: Malformed) -> Result<(), Fault> {
    for _ in 0..intake.source.skip.preamble_lines {
        window.at_least(1).map_err(fault_of)?;
        if !window.bytes().is_empty() {
            intake.skip("skip.preamble");
            window.discard_line().map_err(fault_of)?;
        }
    }
    let mut reader = csv::Reader::new(window, intake.source.dialect, malformed);
    let header = match reader.next_record().map_err(fault_of)? {
        Next::Record(record) => {
            let header = Header::new(record.fields(), intake.source, intake.contract)?;
            intake.note_header(&header, record.line)?;
            header
        }
        Next::Fault(_, _, fault) => return Err(Fault::new("header.unreadable", fault.reason, fault.remedy)),
        Next::End => return Err(no_header()),
    };
    let rules = Rules::new(intake, &header);
    loop {
        match reader.next_record().map_err(fault_of)? {
            Next::Record(record) => rules.take(intake, &record)?,
            Next::Fault(line, raw, fault) => intake.reject(line, raw, fault)?,
            Next::End => return Ok(()),
        }
    }
}

pub(super) fn no_header() -> Fault {
    let remedy = "deliver the header alone where there is nothing to report";
    Fault::new("file.no_header", "the file has bytes and no header", remedy)
}

/// A record under a header.
pub(super) trait Fields {
    /// Whether fields may know their type, or why they have no value.
    const IS_FOREIGN: bool = false;

    fn line(&self) -> u64;
    fn raw(&self) -> Cow<'_, [u8]>;
    /// Bytes of the texts.
    fn size(&self) -> usize;
    fn width(&self) -> usize;
    fn get(&self, index: usize) -> Option<&str>;
    fn fields(&self) -> impl ExactSizeIterator<Item = &str>;

    fn is_blank(&self) -> bool {
        self.fields().all(|field| field.trim().is_empty())
    }

    /// Whether the row is hidden where it comes from.
    fn is_hidden(&self) -> bool {
        false
    }

    fn is_native(&self, _index: usize) -> bool {
        false
    }

    /// Why a field has no value for a column.
    fn fault(&self, _index: usize, _column: &Column) -> Option<Fault> {
        None
    }
}

impl Fields for csv::Record<'_> {
    fn line(&self) -> u64 {
        self.line
    }

    fn raw(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.raw.as_bytes())
    }

    fn size(&self) -> usize {
        self.raw.len()
    }

    fn width(&self) -> usize {
        csv::Record::width(self)
    }

    #[inline]
    fn get(&self, index: usize) -> Option<&str> {
        csv::Record::get(self, index)
    }

    fn fields(&self) -> impl ExactSizeIterator<Item = &str> {
        csv::Record::fields(self)
    }
}

/// A record by the columns of the contract.
struct ByHeader<'a, F> {
    record: &'a F,
    header: &'a Header,
}

impl<F: Fields> Given for ByHeader<'_, F> {
    const IS_FOREIGN: bool = F::IS_FOREIGN;

    fn line(&self) -> u64 {
        self.record.line()
    }

    fn raw(&self) -> Cow<'_, [u8]> {
        self.record.raw()
    }

    fn size(&self) -> usize {
        self.record.size()
    }

    #[inline]
    fn text(&self, column: usize) -> Option<&str> {
        self.record.get(self.header.positions[column]?)
    }

    fn is_native(&self, column: usize) -> bool {
        self.header.positions[column].is_some_and(|at| self.record.is_native(at))
    }

    fn fault(&self, column: usize, contract: &Column) -> Option<Fault> {
        self.record.fault(self.header.positions[column]?, contract)
    }
}

/// The rules that a record under a header meets, in their order.
pub(super) struct Rules<'a> {
    header: &'a Header,
    totals: Option<(&'a Totals, usize)>,
}

impl<'a> Rules<'a> {
    pub(super) fn new<'i: 'a>(intake: &Intake<'i>, header: &'a Header) -> Rules<'a> {
        let totals = intake.source.skip.totals.as_ref();
        Rules {
            header,
            totals: totals.and_then(|t| Some((t, header.positions[position(intake, t)?]?))),
        }
    }

    /// Takes, skips or rejects a record; an error refuses the file.
    pub(super) fn take(&self, intake: &mut Intake, record: &impl Fields) -> Result<(), Fault> {
        let (header, skip) = (self.header, &intake.source.skip);
        let is_total = |(totals, at): (&Totals, usize)| {
            let text = record.get(at).unwrap_or_default();
            text.trim().starts_with(&totals.starts_with)
        };
        let line = record.line();
        if record.is_blank() {
            return intake.skip_or_reject(skip.blank_rows, "skip.blank", line, &record.raw(), blank());
        }
        if header.is_repeated(record.fields()) {
            let fault = Fault::new(
                "record.repeated_header",
                "the record is the header once more",
                "declare skip.repeated_header in the source, or deliver the header once",
            );
            return intake.skip_or_reject(skip.repeated_header, "skip.header", line, &record.raw(), fault);
        }
        if self.totals.is_some_and(is_total) {
            intake.skip("skip.totals");
            return Ok(());
        }
        if record.is_hidden() && intake.source.hidden_rows == HiddenRows::Reject {
            return intake.reject(line, &record.raw(), super::frames::hidden_row());
        }
        if record.width() != header.width() {
            let reason = format!("has {} fields where the header has {}", record.width(), header.width());
            let remedy = "put fields that hold the delimiter into quotes, and deliver every field";
            return intake.reject(line, &record.raw(), Fault::new("record.width", reason, remedy));
        }
        let given = ByHeader { record, header };
        if header.unknown.is_empty() {
            return intake.take(&given, &[]);
        }
        let mut unknown = Vec::new();
        for (at, name) in &header.unknown {
            let text = record.get(*at).unwrap_or_default().trim();
            if !text.is_empty() {
                intake.count_unknown(name, 1);
                unknown.push((name.trim(), text));
            }
        }
        intake.take(&given, &unknown)
    }
}

pub(super) fn position(intake: &Intake, totals: &Totals) -> Option<usize> {
    data_columns(intake.contract)
        .iter()
        .position(|c| c.name == totals.column)
}

pub(super) fn blank() -> Fault {
    Fault::new(
        "record.blank",
        "every field is blank",
        "declare skip.blank_rows in the source, or remove the record",
    )
}

fn read_json_lines<R: Read>(intake: &mut Intake, window: Window<R>, malformed: Malformed) -> Result<(), Fault> {
    let mut reader = json_lines::Reader::new(window, malformed);
    let mut members = Members::new(intake);
    loop {
        match reader.next_record().map_err(fault_of)? {
            Next::Record(record) => members.take(intake, record)?,
            Next::Fault(line, raw, fault) => intake.reject(line, raw, fault)?,
            Next::End => return Ok(()),
        }
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
