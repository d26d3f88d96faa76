//! How well the values of a column of the file fit a column of a contract.
//!
//! Duty: a share per thousand, and whether it says anything: every text fits a column of free text. Not its duty:
//! names.

use super::codes;
use super::column::Column;
use super::guess::per_mille;
use super::{dates, numbers};
use crate::contracts::check;
use crate::contracts::model::{Column as Wanted, ColumnType, Format};
use crate::domain::Value;

/// What the values of a column of the file can be; looked at once for all columns of all contracts.
#[derive(Clone, Debug)]
pub struct Looks<'a> {
    texts: Vec<&'a str>,
    integers: u64,
    numbers: u64,
    booleans: u64,
    dates: u64,
    instants: u64,
}

/// How values fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Different values looked at.
    pub values: u64,
    /// Those that fit.
    pub fitting: u64,
    /// Whether few other columns would fit as well: a closed list, a code of a standard, a date, a boolean.
    pub telling: bool,
}

impl<'a> Looks<'a> {
    pub fn new(column: &'a Column) -> Looks<'a> {
        let texts: Vec<&str> = column.some().collect();
        let count = |is: fn(&str) -> bool| texts.iter().filter(|t| is(t)).count() as u64;
        Looks {
            integers: count(numbers::is_integer),
            numbers: count(numbers::is_number),
            booleans: count(codes::is_boolean),
            dates: count(dates::is_date),
            instants: count(dates::is_instant),
            texts,
        }
    }

    /// Holds the values against a column of a contract, marks and formats left open.
    pub fn fit(&self, wanted: &Wanted) -> Fit {
        let fitting = match wanted.kind {
            ColumnType::Int => self.integers,
            ColumnType::Decimal { .. } => self.numbers,
            ColumnType::Bool => self.booleans,
            ColumnType::Date => self.dates,
            ColumnType::Instant => self.instants,
            ColumnType::Text => self.texts.iter().filter(|t| fits(t, wanted)).count() as u64,
        };
        Fit {
            values: self.texts.len() as u64,
            fitting,
            telling: is_telling(wanted),
        }
    }
}

impl Fit {
    /// Per thousand; a column without values fits anything.
    pub fn share(&self) -> u64 {
        if self.values == 0 {
            1000
        } else {
            per_mille(self.fitting, self.values)
        }
    }
}

fn fits(text: &str, wanted: &Wanted) -> bool {
    if !wanted.allowed.is_empty() && wanted.format != Some(Format::List) {
        codes::is_close(text, &wanted.allowed)
    } else {
        // few ids have blanks, and every sentence would be one
        is_allowed(text, wanted) && (wanted.format != Some(Format::Id) || !text.contains(' '))
    }
}

/// Whether a text is a value of a text column by the contract's own rules.
pub fn is_allowed(text: &str, wanted: &Wanted) -> bool {
    check::value(wanted, &Value::text(text)).is_ok()
}

fn is_telling(wanted: &Wanted) -> bool {
    match wanted.kind {
        ColumnType::Bool | ColumnType::Date | ColumnType::Instant => true,
        ColumnType::Int | ColumnType::Decimal { .. } => false,
        ColumnType::Text => {
            !wanted.allowed.is_empty() || wanted.pattern.is_some() || wanted.format.is_some_and(|f| f != Format::Id)
        }
    }
}
