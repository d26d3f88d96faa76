//! Typed rows between the rooms: small tables in plain Rust.
//!
//! Duty: a value, a row, a table with named columns, and access that says which table and column is wrong. Not its
//! duty: storage (the store writes tables by their contract) and large facts (the measures read those as Parquet).

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::decimal::Dec;
use super::hash::{Digest, Hasher};
use super::ratio::Ratio;
use super::time::{Date, Instant};

/// A typed field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Dec(Dec),
    Text(Arc<str>),
    Date(Date),
    Instant(Instant),
}

impl Value {
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Value {
        Value::Text(text.as_ref().into())
    }

    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) => "integer",
            Value::Dec(_) => "decimal",
            Value::Text(_) => "text",
            Value::Date(_) => "date",
            Value::Instant(_) => "instant",
        }
    }

    /// Adds the canonical form of the value to a hash: a tag, and the printed value (a decimal without trailing zeros).
    pub fn hash_into(&self, hasher: &mut Hasher) {
        let (tag, text) = match self {
            Value::Null => (b"n", String::new()),
            Value::Bool(b) => (b"b", b.to_string()),
            Value::Int(i) => (b"i", i.to_string()),
            Value::Dec(d) => {
                let text = d.to_string();
                let trimmed = if text.contains('.') {
                    text.trim_end_matches('0').trim_end_matches('.')
                } else {
                    &text
                };
                (b"d", trimmed.to_owned())
            }
            Value::Text(t) => {
                hasher.field(b"t").field(t.as_bytes());
                return;
            }
            Value::Date(d) => (b"D", d.to_string()),
            Value::Instant(i) => (b"I", i.micros().to_string()),
        };
        hasher.field(tag).field(text.as_bytes());
    }
}

/// Prints the value as it would stand in a file; null is empty.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => Ok(()),
            Value::Bool(v) => v.fmt(f),
            Value::Int(v) => v.fmt(f),
            Value::Dec(v) => v.fmt(f),
            Value::Text(v) => v.fmt(f),
            Value::Date(v) => v.fmt(f),
            Value::Instant(v) => v.fmt(f),
        }
    }
}

macro_rules! from {
    ($($t:ty => |$v:ident| $e:expr),* $(,)?) => {$(
        impl From<$t> for Value { fn from($v: $t) -> Value { $e } }
    )*};
}
from! {
    bool => |v| Value::Bool(v),
    i64 => |v| Value::Int(v),
    Dec => |v| Value::Dec(v),
    &str => |v| Value::text(v),
    String => |v| Value::text(v),
    Arc<str> => |v| Value::Text(v),
    Date => |v| Value::Date(v),
    Instant => |v| Value::Instant(v),
    Digest => |v| Value::text(v.to_string()),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// Texts of a column as they are read: equal ones share their bytes, as far as it has few different ones.
#[derive(Debug, Default)]
pub struct SharedTexts {
    last: Option<Arc<str>>,
    known: HashSet<Arc<str>>,
}

impl SharedTexts {
    /// Different texts that are looked for; a column with more, such as a key, is not worth more.
    const MOST: usize = 4096;

    pub fn value(&mut self, text: &str) -> Value {
        if let Some(last) = self.last.as_ref().filter(|last| last.as_ref() == text) {
            return Value::Text(last.clone());
        }
        let shared = match self.known.get(text) {
            Some(known) => known.clone(),
            None => {
                let new: Arc<str> = text.into();
                if self.known.len() < Self::MOST {
                    self.known.insert(new.clone());
                }
                new
            }
        };
        self.last = Some(shared.clone());
        Value::Text(shared)
    }
}

/// One row: values in the order of the table's columns.
pub type Row = Vec<Value>;

/// SHA-256 of the canonical form of values: the row hash that lines are cited by.
#[must_use]
pub fn row_hash<'a>(values: impl IntoIterator<Item = &'a Value>) -> Digest {
    let mut hasher = Hasher::new();
    for value in values {
        value.hash_into(&mut hasher);
    }
    hasher.finish()
}

/// SHA-256 over the names and values of the columns that are not null, in the order of the names: a column that a
/// newer contract adds, or another order of columns, leaves the hash of a row as it is.
#[must_use]
pub fn named_row_hash<'a>(fields: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Digest {
    let mut named: Vec<(&str, &Value)> = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
    named.sort_by_key(|(name, _)| *name);
    let mut hasher = Hasher::new();
    for (name, value) in named {
        hasher.field(name.as_bytes());
        value.hash_into(&mut hasher);
    }
    hasher.finish()
}

/// A table in memory: a name, named columns, rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    name: String,
    columns: Arc<[String]>,
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TableError {
    #[error("table {table} has no column '{column}'")]
    NoColumn { table: String, column: String },
    #[error("table {table}, column {column}: expected {expected}, found {found}")]
    Kind {
        table: String,
        column: String,
        expected: &'static str,
        found: String,
    },
}

impl Table {
    #[must_use]
    pub fn new(name: &str, columns: &[&str]) -> Table {
        Table::with_columns(name, columns.iter().map(|c| (*c).to_owned()).collect())
    }

    #[must_use]
    pub fn with_columns(name: &str, columns: Vec<String>) -> Table {
        Table {
            name: name.to_owned(),
            columns: columns.into(),
            rows: Vec::new(),
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == name)
    }

    /// Adds a row.
    ///
    /// # Panics
    /// When the row has another number of values than the table has columns: that is a mistake in this program.
    pub fn push(&mut self, row: Row) {
        assert_eq!(row.len(), self.columns.len(), "row width of table {}", self.name);
        self.rows.push(row);
    }

    pub fn iter(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.rows.iter().map(|row| RowRef {
            table: self,
            row,
            places: None,
        })
    }

    /// The row at a place.
    #[must_use]
    pub fn row(&self, at: usize) -> Option<RowRef<'_>> {
        let row = self.rows.get(at)?;
        Some(RowRef {
            table: self,
            row,
            places: None,
        })
    }

    /// One row after the other, by a reader that asks for the columns in about the same order each time.
    pub fn read_rows<E>(&self, mut read: impl FnMut(RowRef) -> Result<(), E>) -> Result<(), E> {
        let places = Places::default();
        self.rows.iter().try_for_each(|row| {
            places.turn.set(0);
            read(RowRef {
                table: self,
                row,
                places: Some(&places),
            })
        })
    }
}

/// One row of a table, read by column name.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    table: &'a Table,
    row: &'a Row,
    places: Option<&'a Places>,
}

/// Where the columns were that a reader asked of the row before, in the order in which it asked: the first place to look.
#[derive(Debug, Default)]
struct Places {
    turn: Cell<usize>,
    found: RefCell<Vec<usize>>,
}

impl Places {
    fn of(&self, columns: &[String], name: &str) -> Option<usize> {
        let (turn, mut found) = (self.turn.get(), self.found.borrow_mut());
        self.turn.set(turn + 1);
        let known = found.get(turn).copied();
        if let Some(place) = known.filter(|place| columns[*place] == name) {
            return Some(place);
        }
        let place = columns.iter().position(|column| column == name)?;
        if turn < found.len() {
            found[turn] = place;
        } else if turn == found.len() {
            found.push(place);
        }
        Some(place)
    }
}

impl<'a> RowRef<'a> {
    #[must_use]
    pub fn values(self) -> &'a Row {
        self.row
    }

    pub fn get(self, column: &str) -> Result<&'a Value, TableError> {
        let place = match self.places {
            Some(places) => places.of(&self.table.columns, column),
            None => self.table.column(column),
        };
        place.map(|i| &self.row[i]).ok_or_else(|| TableError::NoColumn {
            table: self.table.name.clone(),
            column: column.to_owned(),
        })
    }

    fn wrong(self, column: &str, expected: &'static str, found: &Value) -> TableError {
        let found = format!("{} '{found}'", found.kind());
        TableError::Kind {
            table: self.table.name.clone(),
            column: column.to_owned(),
            expected,
            found,
        }
    }
}

macro_rules! getters {
    ($($name:ident $opt:ident $t:ty, $expected:literal, $pattern:pat => $value:expr;)*) => {
        impl<'a> RowRef<'a> {$(
            /// The value of a column; null is `None`, another type is an error.
            pub fn $opt(self, column: &str) -> Result<Option<$t>, TableError> {
                match self.get(column)? {
                    Value::Null => Ok(None),
                    $pattern => Ok(Some($value)),
                    other => Err(self.wrong(column, $expected, other)),
                }
            }

            /// The value of a column that must not be null.
            pub fn $name(self, column: &str) -> Result<$t, TableError> {
                self.$opt(column)?.ok_or_else(|| self.wrong(column, $expected, &Value::Null))
            }
        )*}
    };
}
getters! {
    text opt_text &'a str, "text", Value::Text(v) => v;
    shared opt_shared Arc<str>, "text", Value::Text(v) => v.clone();
    int opt_int i64, "an integer", Value::Int(v) => *v;
    dec opt_dec Dec, "a decimal", Value::Dec(v) => *v;
    bool opt_bool bool, "a boolean", Value::Bool(v) => *v;
    date opt_date Date, "a date", Value::Date(v) => *v;
    instant opt_instant Instant, "an instant", Value::Instant(v) => *v;
}

impl RowRef<'_> {
    /// A decimal or an integer as an exact rational.
    pub fn ratio(self, column: &str) -> Result<Ratio, TableError> {
        match self.get(column)? {
            Value::Dec(v) => Ok(v.ratio()),
            Value::Int(v) => Ok(Ratio::int(*v)),
            other => Err(self.wrong(column, "a number", other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_access_names_table_and_column() {
        let mut table = Table::new("sales", &["order_line_id", "net_amount"]);
        table.push(vec!["L1".into(), Dec::parse("1.50").unwrap().into()]);
        let row = table.iter().next().unwrap();
        assert_eq!(row.text("order_line_id").unwrap(), "L1");
        assert_eq!(
            row.int("net_amount").unwrap_err().to_string(),
            "table sales, column net_amount: expected an integer, found decimal '1.50'"
        );
        assert!(matches!(row.text("nope"), Err(TableError::NoColumn { .. })));
    }

    #[test]
    fn equal_texts_share_their_bytes() {
        let mut shared = SharedTexts::default();
        let [a, b, c] = ["ups", "cloud", "ups"].map(|t| shared.value(t));
        let (Value::Text(first), Value::Text(again)) = (&a, &c) else {
            panic!("{a:?}, {c:?}")
        };
        assert!(Arc::ptr_eq(first, again) && a != b);
    }

    #[test]
    fn row_hash_is_of_the_value() {
        let dec = |t| Value::Dec(Dec::parse(t).unwrap());
        assert_eq!(row_hash(&[dec("1.50")]), row_hash(&[dec("1.5")]));
        assert_ne!(row_hash(&[Value::Null]), row_hash(&[Value::text("")]));
        assert_ne!(row_hash(&[dec("100")]), row_hash(&[dec("1")]));
        let (one, two) = (dec("1"), dec("2"));
        let hash = named_row_hash([("a", &one), ("b", &two)]);
        assert_eq!(hash, named_row_hash([("b", &two), ("c", &Value::Null), ("a", &one)]));
        assert_ne!(hash, named_row_hash([("a", &two), ("b", &one)]));
    }
}
