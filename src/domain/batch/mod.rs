//! Typed columns of many rows: what a file becomes on its way to Parquet.
//!
//! Duty: hold cells without a box for each (`column`), take a row back that turns out wrong, hash keys and contents
//! (`hashes`). Must not: parse, check, know a contract or a file format.

mod column;
mod hashes;

pub use self::column::{CellKind, Cells, Column, Validity};
pub use self::hashes::{RowHash, text_hash};
use super::table::{Row, Value};
use super::{Date, Dec, Instant};

/// Days of 1970-01-01 in chrono's count.
const EPOCH_DAYS: i32 = 719_163;

/// One cell, borrowed. The order and equality of cells are those of `Value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    Null,
    Text(&'a str),
    Int(i64),
    Dec(Dec),
    Bool(bool),
    Date(Date),
    Instant(Instant),
}

impl<'a> Cell<'a> {
    pub fn is_null(self) -> bool {
        self == Cell::Null
    }

    pub fn value(self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Text(v) => Value::text(v),
            Cell::Int(v) => Value::Int(v),
            Cell::Dec(v) => Value::Dec(v),
            Cell::Bool(v) => Value::Bool(v),
            Cell::Date(v) => Value::Date(v),
            Cell::Instant(v) => Value::Instant(v),
        }
    }

    /// The text of a text cell.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Cell<'a> {
        match value {
            Value::Null => Cell::Null,
            Value::Text(v) => Cell::Text(v),
            Value::Int(v) => Cell::Int(*v),
            Value::Dec(v) => Cell::Dec(*v),
            Value::Bool(v) => Cell::Bool(*v),
            Value::Date(v) => Cell::Date(*v),
            Value::Instant(v) => Cell::Instant(*v),
        }
    }
}

/// Days since 1970-01-01.
pub fn days(date: Date) -> i32 {
    use chrono::Datelike;
    date.num_days_from_ce() - EPOCH_DAYS
}

/// The date of days since 1970-01-01.
pub fn date(days: i32) -> Date {
    days.checked_add(EPOCH_DAYS)
        .and_then(Date::from_num_days_from_ce_opt)
        .unwrap_or_default()
}

/// Rows of one file, with the line each began on. Columns in the order of the contract's delivered columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub columns: Vec<Column>,
    /// Physical line of the file, from 1, by row.
    pub lines: Vec<i64>,
}

impl Batch {
    pub fn new(kinds: &[CellKind]) -> Batch {
        Batch {
            columns: kinds.iter().map(|kind| Column::new(*kind)).collect(),
            lines: Vec::new(),
        }
    }

    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// An empty batch with the same columns.
    #[must_use]
    pub fn like(&self) -> Batch {
        let kinds: Vec<CellKind> = self.columns.iter().map(Column::kind).collect();
        Batch::new(&kinds)
    }

    /// Takes the rows out; what is left is empty, with room for as many.
    #[must_use]
    pub fn take(&mut self) -> Batch {
        let next = Batch {
            columns: self.columns.iter().map(Column::with_room).collect(),
            lines: Vec::with_capacity(self.lines.len()),
        };
        std::mem::replace(self, next)
    }

    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        self.columns[column].get(row)
    }

    pub fn row(&self, row: usize) -> Row {
        self.columns.iter().map(|c| c.get(row).value()).collect()
    }

    /// Adds a row of values.
    pub fn push_row(&mut self, line: i64, row: &[Value]) {
        for (column, value) in self.columns.iter_mut().zip(row) {
            column.push(Cell::from(value));
        }
        self.lines.push(line);
    }

    /// The rows given, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Batch {
        let mut out = self.like();
        out.extend(self, rows);
        out
    }

    /// Adds rows of another batch with the same columns, in that order.
    pub fn extend(&mut self, other: &Batch, rows: &[usize]) {
        for (column, from) in self.columns.iter_mut().zip(&other.columns) {
            column.extend(from, rows);
        }
        self.lines.extend(rows.iter().map(|row| other.lines[*row]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn batch() -> Batch {
        let mut batch = Batch::new(&[CellKind::Text, CellKind::Dec { scale: 2 }, CellKind::Date]);
        let day = Date::from_ymd_opt(2026, 2, 28);
        batch.push_row(2, &["a".into(), Dec::new(150, 2).into(), day.into()]);
        batch.push_row(3, &[Value::Null, Dec::new(15, 1).into(), Value::Null]);
        batch.push_row(5, &["".into(), Value::Null, day.into()]);
        batch
    }

    #[test]
    fn cells_come_back_as_they_went_in() {
        let batch = batch();
        assert_eq!(batch.row(1), [Value::Null, Dec::new(150, 2).into(), Value::Null]);
        assert_eq!(batch.cell(2, 0), Cell::Text(""));
        assert_eq!(batch.cell(0, 2), Cell::Date(Date::from_ymd_opt(2026, 2, 28).unwrap()));
        let picked = batch.select(&[2, 0]);
        assert_eq!(picked.lines, [5, 2]);
        assert_eq!((picked.row(0), picked.row(1)), (batch.row(2), batch.row(0)));
        let again = batch.select(&[0, 0, 1, 2, 1]);
        let rows: Vec<Row> = (0..5).map(|row| again.row(row)).collect();
        assert_eq!(rows, [0, 0, 1, 2, 1].map(|row| batch.row(row)));
        assert_eq!(batch.select(&[0]).columns[0].validity, Validity::default());
    }

    #[test]
    fn a_row_can_be_taken_back() {
        let mut batch = batch();
        let whole = batch.clone();
        for column in &mut batch.columns {
            column.push_null();
            column.truncate(3);
        }
        assert_eq!(batch.row(2), whole.row(2));
        assert_eq!(batch.select(&[0, 1, 2]), whole.select(&[0, 1, 2]));
    }
}
