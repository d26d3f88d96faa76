//! Rows of a workbook or a Parquet file, as the process hands them over that takes it apart.
//!
//! Duty: frames to rows of a sample. Not its duty: starting that process.

use std::io::Read;

use super::super::fault::Fault;
use super::super::frames::{Cell as Framed, Kind, Next, Reader, Record};
use super::MAX_ROWS;
use super::records::{Cell, Row};

/// The first rows, the header and what stands above it among them, and whether they are all. An error: no source can
/// read the file.
pub fn read_frames(input: impl Read) -> Result<(Vec<Row>, bool), Fault> {
    let mut reader = Reader::new(input);
    let mut record = Record::default();
    let mut rows = Vec::new();
    while rows.len() < MAX_ROWS {
        match reader.next(&mut record)? {
            Next::Record => rows.push(Row {
                line: record.line,
                cells: record.cells().map(cell).collect(),
                fault: None,
            }),
            Next::Fault(fault) => rows.push(Row::faulty(record.line, fault.reason)),
            Next::Preamble => {}
            Next::End(_) => return Ok((rows, true)),
        }
    }
    Ok((rows, false))
}

fn cell(framed: Framed<'_>) -> Cell {
    Cell {
        text: framed.text.to_owned(),
        native: framed.kind.is_native(),
        local: framed.kind == Kind::Local,
    }
}
