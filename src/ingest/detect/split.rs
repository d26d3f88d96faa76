//! Records of a sample's text, by the readers that a run uses.
//!
//! Duty: the one place of this room that calls them. Not its duty: which dialect is right.

use std::io::Cursor;

use super::super::csv::{self, Dialect, Next};
use super::super::decode::{self, Compression, Encoding, Malformed, Text};
use super::super::json_lines;
use super::super::window::Window;
use super::records::{Cell, Row};

/// A text of the sample as the readers take it.
fn opened(text: &str) -> Option<(Window<Text<'_>>, Malformed)> {
    let bytes = Box::new(Cursor::new(text.as_bytes()));
    let text = decode::text(bytes, Compression::None, Encoding::Utf8).ok()?;
    let malformed = text.malformed();
    Some((Window::new(text), malformed))
}

/// At most so many records of delimited text.
pub fn csv(text: &str, dialect: Dialect, most: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let Some((window, malformed)) = opened(text) else {
        return rows;
    };
    let mut reader = csv::Reader::new(window, dialect, malformed);
    while rows.len() < most {
        let row = match reader.next_record() {
            Ok(Next::Record(record)) => Row {
                line: record.line,
                cells: record.fields().map(Cell::typed).collect(),
                fault: None,
            },
            Ok(Next::Fault(line, _, fault)) => Row::faulty(line, fault.reason),
            // a text in memory cannot fail
            Ok(Next::End) | Err(_) => break,
        };
        rows.push(row);
    }
    rows
}

/// At most so many objects, as rows under the names in the order in which they first stand.
pub fn json_lines(text: &str, most: usize) -> (Vec<String>, Vec<Row>) {
    let (mut names, mut rows): (Vec<String>, Vec<Row>) = (Vec::new(), Vec::new());
    let Some((window, malformed)) = opened(text) else {
        return (names, rows);
    };
    let mut reader = json_lines::Reader::new(window, malformed);
    while rows.len() < most {
        match reader.next_record() {
            Ok(Next::Record(record)) => {
                let mut row = Row {
                    line: record.line,
                    ..Row::default()
                };
                for (name, text) in record.fields() {
                    let at = names.iter().position(|n| n == name).unwrap_or_else(|| {
                        names.push(name.to_owned());
                        names.len() - 1
                    });
                    if row.cells.len() <= at {
                        row.cells.resize(at + 1, Cell::default());
                    }
                    row.cells[at] = Cell::typed(text.unwrap_or_default());
                }
                rows.push(row);
            }
            Ok(Next::Fault(line, _, fault)) => rows.push(Row::faulty(line, fault.reason)),
            Ok(Next::End) | Err(_) => break,
        }
    }
    for row in rows.iter_mut().filter(|r| r.fault.is_none()) {
        row.cells.resize(names.len(), Cell::default());
    }
    (names, rows)
}
