//! Typed columns of many rows: what a file becomes on its way to Parquet.
//!
//! Duty: hold cells without a box for each, take a row back that turns out wrong, hash keys and contents. Must not:
//! parse, check, know a contract or a file format.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

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

/// Which of the rows have a value; nothing is held while all have one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// Empty: every row so far has a value.
    flags: Vec<bool>,
}

impl Validity {
    #[inline]
    fn push(&mut self, rows: usize, valid: bool) {
        if !valid && self.flags.is_empty() {
            self.flags.resize(rows, true);
        }
        if !self.flags.is_empty() || !valid {
            self.flags.push(valid);
        }
    }

    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        self.flags.get(row).copied().unwrap_or(true)
    }

    /// `None` when every row has a value.
    pub fn flags(&self) -> Option<&[bool]> {
        (!self.flags.is_empty()).then_some(&self.flags)
    }
}

/// The cells of one column. A cell without value holds a zero or an empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cells {
    /// Text of row i: `bytes[ends[i - 1]..ends[i]]`, always UTF-8.
    Text {
        ends: Vec<u32>,
        bytes: Vec<u8>,
    },
    Int(Vec<i64>),
    /// Units of 10^-scale.
    Dec {
        scale: u8,
        units: Vec<i128>,
    },
    Bool(Vec<bool>),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Instant(Vec<i64>),
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub cells: Cells,
    pub validity: Validity,
}

/// What a column of a batch holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    Text,
    Int,
    Dec { scale: u8 },
    Bool,
    Date,
    Instant,
}

impl Column {
    pub fn new(kind: CellKind) -> Column {
        let cells = match kind {
            CellKind::Text => Cells::Text {
                ends: Vec::new(),
                bytes: Vec::new(),
            },
            CellKind::Int => Cells::Int(Vec::new()),
            CellKind::Dec { scale } => Cells::Dec {
                scale,
                units: Vec::new(),
            },
            CellKind::Bool => Cells::Bool(Vec::new()),
            CellKind::Date => Cells::Date(Vec::new()),
            CellKind::Instant => Cells::Instant(Vec::new()),
        };
        Column {
            cells,
            validity: Validity::default(),
        }
    }

    pub fn kind(&self) -> CellKind {
        match &self.cells {
            Cells::Text { .. } => CellKind::Text,
            Cells::Int(_) => CellKind::Int,
            Cells::Dec { scale, .. } => CellKind::Dec { scale: *scale },
            Cells::Bool(_) => CellKind::Bool,
            Cells::Date(_) => CellKind::Date,
            Cells::Instant(_) => CellKind::Instant,
        }
    }

    pub fn len(&self) -> usize {
        match &self.cells {
            Cells::Text { ends, .. } => ends.len(),
            Cells::Int(v) | Cells::Instant(v) => v.len(),
            Cells::Dec { units, .. } => units.len(),
            Cells::Bool(v) => v.len(),
            Cells::Date(v) => v.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn push_null(&mut self) {
        let rows = self.len();
        self.validity.push(rows, false);
        match &mut self.cells {
            Cells::Text { ends, bytes } => ends.push(end_of(bytes)),
            Cells::Int(v) | Cells::Instant(v) => v.push(0),
            Cells::Dec { units, .. } => units.push(0),
            Cells::Bool(v) => v.push(false),
            Cells::Date(v) => v.push(0),
        }
    }

    /// Adds a cell.
    ///
    /// # Panics
    /// When the cell is of another kind than the column, or has more decimals: that is a mistake in this program.
    pub fn push(&mut self, cell: Cell<'_>) {
        let rows = self.len();
        match (&mut self.cells, cell) {
            (_, Cell::Null) => return self.push_null(),
            (Cells::Text { ends, bytes }, Cell::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(end_of(bytes));
            }
            (Cells::Int(v), Cell::Int(value)) => v.push(value),
            (Cells::Dec { scale, units }, Cell::Dec(dec)) => {
                let dec = dec.rescale(*scale).expect("a decimal that fits its column");
                units.push(dec.units());
            }
            (Cells::Bool(v), Cell::Bool(value)) => v.push(value),
            (Cells::Date(v), Cell::Date(date)) => v.push(days(date)),
            (Cells::Instant(v), Cell::Instant(at)) => v.push(at.micros()),
            (cells, cell) => panic!("{cell:?} in a column {cells:?}"),
        }
        self.validity.push(rows, true);
    }

    /// Adds a text.
    ///
    /// # Panics
    /// When the column holds no texts.
    #[inline]
    pub fn push_text(&mut self, text: &str) {
        let Cells::Text { ends, bytes } = &mut self.cells else {
            panic!("a text in a column {:?}", self.kind());
        };
        self.validity.push(ends.len(), true);
        bytes.extend_from_slice(text.as_bytes());
        ends.push(end_of(bytes));
    }

    /// Adds a decimal by its units at the scale of the column.
    ///
    /// # Panics
    /// When the column holds no decimals.
    #[inline]
    pub fn push_units(&mut self, value: i128) {
        let Cells::Dec { units, .. } = &mut self.cells else {
            panic!("a decimal in a column {:?}", self.kind());
        };
        self.validity.push(units.len(), true);
        units.push(value);
    }

    /// Adds a date by its days since 1970-01-01.
    ///
    /// # Panics
    /// When the column holds no dates.
    #[inline]
    pub fn push_days(&mut self, value: i32) {
        let Cells::Date(days) = &mut self.cells else {
            panic!("a date in a column {:?}", self.kind());
        };
        self.validity.push(days.len(), true);
        days.push(value);
    }

    /// An empty column of the same kind, with room for as much as this one holds.
    fn with_room(&self) -> Column {
        let mut column = Column::new(self.kind());
        match (&mut column.cells, &self.cells) {
            (Cells::Text { ends, bytes }, Cells::Text { ends: e, bytes: b }) => {
                ends.reserve(e.len());
                bytes.reserve(b.len() + b.len() / 16);
            }
            (Cells::Int(v), Cells::Int(n)) | (Cells::Instant(v), Cells::Instant(n)) => v.reserve(n.len()),
            (Cells::Dec { units, .. }, Cells::Dec { units: n, .. }) => units.reserve(n.len()),
            (Cells::Bool(v), Cells::Bool(n)) => v.reserve(n.len()),
            (Cells::Date(v), Cells::Date(n)) => v.reserve(n.len()),
            _ => {}
        }
        column
    }

    /// The bytes of a text cell; `None` for null.
    ///
    /// # Panics
    /// When the column holds no texts.
    #[inline]
    pub fn text_bytes(&self, row: usize) -> Option<&[u8]> {
        let Cells::Text { ends, bytes } = &self.cells else {
            panic!("a text of a column {:?}", self.kind());
        };
        let start = row.checked_sub(1).map_or(0, |before| ends[before] as usize);
        self.validity.is_valid(row).then(|| &bytes[start..ends[row] as usize])
    }

    pub fn get(&self, row: usize) -> Cell<'_> {
        if !self.validity.is_valid(row) {
            return Cell::Null;
        }
        match &self.cells {
            Cells::Text { ends, bytes } => {
                let start = if row == 0 { 0 } else { ends[row - 1] as usize };
                let text = &bytes[start..ends[row] as usize];
                Cell::Text(std::str::from_utf8(text).unwrap_or_default())
            }
            Cells::Int(v) => Cell::Int(v[row]),
            Cells::Dec { scale, units } => Cell::Dec(Dec::new(units[row], *scale)),
            Cells::Bool(v) => Cell::Bool(v[row]),
            Cells::Date(v) => Cell::Date(date(v[row])),
            Cells::Instant(v) => Cell::Instant(Instant::from_micros(v[row])),
        }
    }

    /// Keeps the first rows only.
    pub fn truncate(&mut self, rows: usize) {
        self.validity.flags.truncate(rows);
        match &mut self.cells {
            Cells::Text { ends, bytes } => {
                ends.truncate(rows);
                bytes.truncate(ends.last().map_or(0, |end| *end as usize));
            }
            Cells::Int(v) | Cells::Instant(v) => v.truncate(rows),
            Cells::Dec { units, .. } => units.truncate(rows),
            Cells::Bool(v) => v.truncate(rows),
            Cells::Date(v) => v.truncate(rows),
        }
    }

    /// Adds bytes that identify the cell among those of its column; null and empty differ.
    fn identify(&self, row: usize, out: &mut Vec<u8>) {
        if !self.validity.is_valid(row) {
            return out.push(0);
        }
        match &self.cells {
            Cells::Text { ends, bytes } => {
                let start = if row == 0 { 0 } else { ends[row - 1] };
                out.extend_from_slice(&(ends[row] - start + 1).to_le_bytes());
                out.extend_from_slice(&bytes[start as usize..ends[row] as usize]);
            }
            Cells::Int(v) | Cells::Instant(v) => {
                out.push(1);
                out.extend_from_slice(&v[row].to_le_bytes());
            }
            Cells::Dec { units, .. } => {
                out.push(1);
                out.extend_from_slice(&units[row].to_le_bytes());
            }
            Cells::Bool(v) => out.push(1 + u8::from(v[row])),
            Cells::Date(v) => {
                out.push(1);
                out.extend_from_slice(&v[row].to_le_bytes());
            }
        }
    }
}

/// Hash of a text, as [`Batch::cell_hashes`] has it.
#[must_use]
pub fn text_hash(text: &str) -> u128 {
    let mut column = Column::new(CellKind::Text);
    column.push(Cell::Text(text));
    let mut bytes = Vec::new();
    column.identify(0, &mut bytes);
    xxh3_128(&bytes)
}

fn end_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("less than 4 GiB of text in a batch")
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

    /// Adds one row of another batch with the same columns.
    pub fn push_from(&mut self, other: &Batch, row: usize) {
        for (column, from) in self.columns.iter_mut().zip(&other.columns) {
            column.push(from.get(row));
        }
        self.lines.push(other.lines[row]);
    }

    /// The rows given, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Batch {
        let mut out = self.like();
        for row in rows {
            out.push_from(self, *row);
        }
        out
    }

    /// Hashes of every row, for a key of these columns.
    pub fn hashes(&self, key: &[usize]) -> Vec<RowHash> {
        let mut bytes = Vec::with_capacity(256);
        (0..self.rows())
            .map(|row| RowHash {
                key: self.hash_key(row, key, &mut bytes),
                content: self.hash_content(row, &mut bytes),
            })
            .collect()
    }

    /// 128 bits that identify the key of a row among the keys of its feed.
    pub fn key_hash(&self, row: usize, key: &[usize]) -> u128 {
        self.hash_key(row, key, &mut Vec::new())
    }

    /// 64 bits that tell whether two rows of one key have the same values.
    pub fn content_hash(&self, row: usize) -> u64 {
        self.hash_content(row, &mut Vec::new())
    }

    fn hash_key(&self, row: usize, key: &[usize], bytes: &mut Vec<u8>) -> u128 {
        bytes.clear();
        for column in key {
            self.columns[*column].identify(row, bytes);
        }
        xxh3_128(bytes)
    }

    /// A column that is null does not count: one that a newer contract adds leaves older hashes as they are.
    fn hash_content(&self, row: usize, bytes: &mut Vec<u8>) -> u64 {
        bytes.clear();
        for (number, column) in (0_u16..).zip(&self.columns) {
            if column.validity.is_valid(row) {
                bytes.extend_from_slice(&number.to_le_bytes());
                column.identify(row, bytes);
            }
        }
        xxh3_64(bytes)
    }

    /// Hash of each cell of a column, that of a key which is this column alone; `None` for null.
    pub fn cell_hashes(&self, column: usize) -> Vec<Option<u128>> {
        let mut bytes = Vec::with_capacity(64);
        let column = &self.columns[column];
        let hash = |row| {
            if !column.validity.is_valid(row) {
                return None;
            }
            bytes.clear();
            column.identify(row, &mut bytes);
            Some(xxh3_128(&bytes))
        };
        (0..self.rows()).map(hash).collect()
    }
}

/// What a row is found and compared by, within its feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowHash {
    /// Identifies the key.
    pub key: u128,
    /// Tells whether two rows of one key have the same values.
    pub content: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
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

    #[test]
    fn hashes_are_of_values() {
        let batch = batch();
        let other = batch.select(&[1, 2]);
        assert_eq!(batch.hashes(&[0])[1..], other.hashes(&[0]));
        let by = |column: usize| batch.hashes(&[column]).iter().map(|h| h.key).collect::<Vec<_>>();
        assert_ne!(by(0)[1], by(0)[2], "null is not empty");
        assert_eq!(by(1)[0], by(1)[1], "1.50 is 1.5");
        assert_eq!(batch.cell_hashes(0), [Some(by(0)[0]), None, Some(by(0)[2])]);
    }
}
