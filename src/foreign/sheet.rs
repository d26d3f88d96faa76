//! The rows of one sheet of a workbook.
//!
//! Duty: walk over the XML of the sheet once, in its order, and refuse what is out of order or over a budget before it
//! is held. Not its duty: what a row means. The size that a sheet states of itself is never looked at.

use std::io::{Read, Seek, Write};

use super::book::Book;
use super::budget::{MAX_CELLS, MAX_ROWS, MAX_SHEET_COLUMNS};
use super::cell::{Cell, Context, Place};
use super::rows::Rows;
use super::xml::{Element, Node, Xml, ill_formed, is_true};
use super::{Options, Stop};
use crate::ingest::frames::{Fault, Note, Writer};

/// Reads the sheet that the options name.
pub fn read<R, O>(input: R, options: &Options, writer: &mut Writer<O>) -> Result<Vec<Note>, Stop>
where
    R: Read + Seek,
    O: Write,
{
    let mut book = Book::open(input)?;
    let sheet = book.sheet(options.sheet.as_deref())?.clone();
    let context = Context {
        strings: book.strings()?,
        styles: book.styles()?,
        is_1904: book.is_1904,
    };
    let mut notes = book.notes(&sheet);
    let recalculates = book.recalculates;
    let mut walk = Walk {
        context: &context,
        rows: Rows::new(options.header_row, writer),
        cell: Cell::default(),
        row: 0,
        column: 0,
        cells: 0,
    };
    walk.sheet(book.cells(&sheet)?)?;
    notes.extend(walk.rows.finish(recalculates)?);
    Ok(notes)
}

struct Walk<'a, O> {
    context: &'a Context,
    rows: Rows<'a, O>,
    cell: Cell,
    /// The row at hand, from 1.
    row: u64,
    /// The next column of the row, from 0.
    column: usize,
    cells: u64,
}

/// Where in the sheet the walk is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Nowhere,
    Sheet,
    Data,
    Row,
    Cell,
}

impl<O: Write> Walk<'_, O> {
    fn sheet<R: Read>(&mut self, mut xml: Xml<R>) -> Result<(), Stop> {
        let mut at = At::Nowhere;
        loop {
            match xml.next()? {
                Node::Start(element) => match (at, element.name()) {
                    (At::Nowhere, "worksheet") => at = At::Sheet,
                    (At::Nowhere, _) => return Err(ill_formed("the sheet", "it is no table").into()),
                    (At::Sheet, "sheetData") => at = At::Data,
                    (At::Sheet, "col") => self.columns(&element)?,
                    (At::Sheet, "mergeCell") => self.merge(&element)?,
                    (At::Data, "row") => {
                        self.begin_row(&element)?;
                        at = At::Row;
                    }
                    (At::Row, "c") => {
                        self.begin_cell(&element)?;
                        at = At::Cell;
                    }
                    (At::Cell, name) => self.cell.start(name),
                    _ => {}
                },
                Node::Text(text) if at == At::Cell => self.cell.push(&text),
                Node::Text(_) => {}
                Node::End(element) => match (at, element.name()) {
                    (At::Cell, "c") => {
                        self.end_cell()?;
                        at = At::Row;
                    }
                    (At::Cell, name) => self.cell.end(name),
                    (At::Row, "row") => {
                        self.rows.end()?;
                        at = At::Data;
                    }
                    (At::Data, "sheetData") => at = At::Sheet,
                    _ => {}
                },
                Node::Eof => return Ok(()),
            }
        }
    }

    fn begin_row(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        let (mut number, mut is_hidden, mut has_no_height) = (None, false, false);
        element.each_attribute(|name, value| match name {
            "r" => number = Some(value.parse().unwrap_or(0)),
            "hidden" => is_hidden = is_true(value),
            "ht" => has_no_height = is_zero(value),
            _ => {}
        })?;
        let number = number.unwrap_or(self.row + 1);
        if number <= self.row || number > MAX_ROWS {
            return Err(disorder(&format!("row {number} behind row {}", self.row)));
        }
        (self.row, self.column) = (number, 0);
        self.rows.begin(number, is_hidden || has_no_height);
        Ok(())
    }

    fn begin_cell(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        self.cells += 1;
        if self.cells > MAX_CELLS {
            let reason = format!("the sheet has more than {MAX_CELLS} cells");
            return Err(Fault::new("xlsx.cells", reason, "deliver it in parts, or as csv"));
        }
        if let Some(place) = self.cell.begin(element)? {
            if place.row != self.row || place.column < self.column {
                return Err(disorder(&format!("a cell of row {}", self.row)));
            }
            self.column = place.column;
        }
        if self.column >= MAX_SHEET_COLUMNS {
            return Err(disorder(&format!("a cell of row {}", self.row)));
        }
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), Fault> {
        let (rows, column) = (&mut self.rows, self.column);
        self.column += 1;
        rows.formulas += u64::from(self.cell.has_formula);
        self.cell
            .finish(self.context, |kind, text| rows.put(column, kind, text))
    }

    fn columns(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        let (mut first, mut last, mut is_hidden) = (0, 0, false);
        element.each_attribute(|name, value| match name {
            "min" => first = value.parse().unwrap_or(0),
            "max" => last = value.parse().unwrap_or(0),
            "hidden" => is_hidden |= is_true(value),
            "width" => is_hidden |= is_zero(value),
            _ => {}
        })?;
        if is_hidden && first > 0 {
            self.rows.hidden_columns.push((first - 1, last));
        }
        Ok(())
    }

    fn merge(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        let text = element.attribute("ref")?.unwrap_or_default();
        let (first, last) = text.split_once(':').unwrap_or((&text, &text));
        match (Place::parse(first), Place::parse(last)) {
            (Some(first), Some(last)) => self.rows.merge(first, last),
            _ => Err(ill_formed("the sheet", "a merged range is none")),
        }
    }
}

fn is_zero(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b == b'0' || b == b'.')
}

fn disorder(what: &str) -> Fault {
    Fault::new(
        "xlsx.order",
        format!("the cells of the sheet are not in their order: {what}"),
        "open the workbook where it came from, and save it anew",
    )
}
