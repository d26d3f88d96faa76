//! Columns of Parquet to cells.
//!
//! Duty: which types are read, and their values as exact texts. Not its duty: files, columns of a contract.

use std::fmt::{Display, Write as _};

use arrow::array::{Array, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DecimalType, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use chrono::{DateTime, Datelike};

use super::serial;
use crate::domain::{Instant, batch};
use crate::ingest::frames::Kind;
use crate::ingest::limits::MAX_FIELD_BYTES;

const DAY_MILLIS: i64 = 86_400_000;

/// Writes the text of a row's cell and returns its kind.
type Cells<'a> = Box<dyn Fn(usize, &mut String) -> Kind + 'a>;

/// The cells of one column of a batch.
pub struct Column<'a> {
    array: &'a dyn Array,
    cells: Cells<'a>,
}

impl<'a> Column<'a> {
    pub fn new(array: &'a dyn Array) -> Column<'a> {
        Column {
            array,
            cells: cells(array),
        }
    }

    pub fn cell(&self, row: usize, text: &mut String) -> Kind {
        text.clear();
        if self.array.is_null(row) {
            return Kind::Empty;
        }
        (self.cells)(row, text)
    }
}

/// What the header says of a column: a text, or why its values are not read.
pub fn kind(data: &DataType) -> Kind {
    match data {
        DataType::Utf8
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Timestamp(..) => Kind::Text,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Float,
        data if data.is_nested() => Kind::Nested,
        _ => Kind::Opaque,
    }
}

fn cells(array: &dyn Array) -> Cells<'_> {
    match array.data_type() {
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            Box::new(move |row, text| string(array.value(row), text))
        }
        DataType::Boolean => {
            let array = array.as_boolean();
            Box::new(move |row, text| put(Kind::Bool, array.value(row), text))
        }
        DataType::Int8 => integers::<Int8Type>(array),
        DataType::Int16 => integers::<Int16Type>(array),
        DataType::Int32 => integers::<Int32Type>(array),
        DataType::Int64 => integers::<Int64Type>(array),
        DataType::UInt8 => integers::<UInt8Type>(array),
        DataType::UInt16 => integers::<UInt16Type>(array),
        DataType::UInt32 => integers::<UInt32Type>(array),
        DataType::UInt64 => integers::<UInt64Type>(array),
        DataType::Decimal32(..) => decimals::<Decimal32Type>(array),
        DataType::Decimal64(..) => decimals::<Decimal64Type>(array),
        DataType::Decimal128(..) => decimals::<Decimal128Type>(array),
        DataType::Decimal256(..) => decimals::<Decimal256Type>(array),
        DataType::Date32 => {
            let array = array.as_primitive::<Date32Type>();
            Box::new(move |row, text| date(Some(array.value(row)), text))
        }
        DataType::Date64 => {
            let array = array.as_primitive::<Date64Type>();
            Box::new(move |row, text| date(day_of(array.value(row)), text))
        }
        DataType::Timestamp(unit, zone) => times(array, *unit, zone.is_some()),
        // never asked for: the header says so of the column
        _ => Box::new(|_, _| Kind::Unreadable),
    }
}

fn put(kind: Kind, value: impl Display, text: &mut String) -> Kind {
    // writing to a String cannot fail
    let _ = write!(text, "{value}");
    kind
}

fn string(value: &str, text: &mut String) -> Kind {
    if value.len() > MAX_FIELD_BYTES {
        return Kind::Unreadable;
    }
    text.push_str(value);
    if value.is_empty() { Kind::Empty } else { Kind::Text }
}

fn integers<T: ArrowPrimitiveType>(array: &dyn Array) -> Cells<'_>
where
    T::Native: Display,
{
    let array = array.as_primitive::<T>();
    Box::new(move |row, text| put(Kind::Number, array.value(row), text))
}

/// Exact, without zeros that end the decimals.
fn decimals<T: DecimalType + ArrowPrimitiveType>(array: &dyn Array) -> Cells<'_> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    Box::new(move |row, text| {
        let value = array.value_as_string(row);
        let shortest = if value.contains('.') {
            value.trim_end_matches('0').trim_end_matches('.')
        } else {
            &value
        };
        text.push_str(if shortest == "-0" { "0" } else { shortest });
        Kind::Number
    })
}

fn day_of(millis: i64) -> Option<i32> {
    (millis % DAY_MILLIS == 0).then(|| i32::try_from(millis / DAY_MILLIS).ok())?
}

fn date(days: Option<i32>, text: &mut String) -> Kind {
    let Some(days) = days else {
        return Kind::Unreadable;
    };
    let date = batch::date(days);
    // a day out of range becomes another one
    if batch::days(date) != days || !(1..=9999).contains(&date.year()) {
        return Kind::Unreadable;
    }
    put(Kind::Date, date, text)
}

fn times(array: &dyn Array, unit: TimeUnit, has_zone: bool) -> Cells<'_> {
    let micros: Box<dyn Fn(usize) -> Option<i64> + '_> = match unit {
        TimeUnit::Second => {
            let array = array.as_primitive::<TimestampSecondType>();
            Box::new(move |row| array.value(row).checked_mul(1_000_000))
        }
        TimeUnit::Millisecond => {
            let array = array.as_primitive::<TimestampMillisecondType>();
            Box::new(move |row| array.value(row).checked_mul(1000))
        }
        TimeUnit::Microsecond => {
            let array = array.as_primitive::<TimestampMicrosecondType>();
            Box::new(move |row| Some(array.value(row)))
        }
        TimeUnit::Nanosecond => {
            let array = array.as_primitive::<TimestampNanosecondType>();
            Box::new(move |row| (array.value(row) % 1000 == 0).then(|| array.value(row) / 1000))
        }
    };
    Box::new(move |row, text| time(micros(row), has_zone, text))
}

fn time(micros: Option<i64>, has_zone: bool, text: &mut String) -> Kind {
    let at = micros.and_then(|m| Some((m, DateTime::from_timestamp_micros(m)?)));
    match at {
        Some((_, at)) if !(1..=9999).contains(&at.year()) => Kind::Unreadable,
        Some((micros, _)) if has_zone => put(Kind::Instant, Instant::from_micros(micros), text),
        Some((_, at)) => put(Kind::Local, serial::local(at.naive_utc()), text),
        None => Kind::Unreadable,
    }
}
