//! The cells of one column.
//!
//! Duty: hold cells of one kind without a box for each, give them back, take some of them. Must not: know other columns.

use super::{Cell, Dec, Instant, date, days};

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
    pub(super) fn with_room(&self) -> Column {
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

    /// Adds the cells of these rows of another column of the same kind, in that order. Rows that follow each other are
    /// copied at once.
    pub(super) fn extend(&mut self, from: &Column, rows: &[usize]) {
        if !self.validity.flags.is_empty() || rows.iter().any(|row| !from.validity.is_valid(*row)) {
            self.validity.flags.resize(self.len(), true);
            let more = rows.iter().map(|row| from.validity.is_valid(*row));
            self.validity.flags.extend(more);
        }
        for run in rows.chunk_by(|row, next| row + 1 == *next) {
            let (first, end) = (run[0], run[0] + run.len());
            match (&mut self.cells, &from.cells) {
                (Cells::Text { ends, bytes }, Cells::Text { ends: e, bytes: b }) => {
                    let start = first.checked_sub(1).map_or(0, |before| e[before]);
                    let there = end_of(bytes);
                    bytes.extend_from_slice(&b[start as usize..e[end - 1] as usize]);
                    end_of(bytes);
                    ends.extend(e[first..end].iter().map(|e| e - start + there));
                }
                (Cells::Int(v), Cells::Int(n)) | (Cells::Instant(v), Cells::Instant(n)) => {
                    v.extend_from_slice(&n[first..end]);
                }
                (Cells::Dec { units, .. }, Cells::Dec { units: n, .. }) => units.extend_from_slice(&n[first..end]),
                (Cells::Bool(v), Cells::Bool(n)) => v.extend_from_slice(&n[first..end]),
                (Cells::Date(v), Cells::Date(n)) => v.extend_from_slice(&n[first..end]),
                _ => {}
            }
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
}

fn end_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("less than 4 GiB of text in a batch")
}
