//! Parquet files: the one writer and the one reader of small tables.
//!
//! Duty: a contract's types become Parquet types (decimals exact, timestamps in microseconds UTC), the same rows
//! become the same bytes. Not its duty: where files lie.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
};
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::StoreError;
use crate::contracts::{ColumnRole, ColumnType, Contract};
use crate::domain::{Dec, Instant, Row, SharedTexts, Table, Value};

/// Rows to a batch: bounds the memory of a write.
const BATCH_ROWS: usize = 65_536;

/// Rows to a row group: what is encoded waits in memory until its group is full, in every part that is open.
pub(super) const ROW_GROUP_ROWS: usize = 131_072;

/// A column with more distinct values than fit in here is not worth a dictionary: amounts took 6.4 bytes a row with one
/// of 1 MiB and 4.0 with this one, in half the time.
const DICTIONARY_BYTES: usize = 1 << 16;

/// Levels above cost a fifth more time and saved nothing: dictionaries and differences leave little to find.
const ZSTD_LEVEL: i32 = 1;

/// `9999-12-31` and the like are dates; the epoch of Parquet's.
const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();

fn format_error(action: &'static str, path: &Path) -> impl Fn(String) -> StoreError {
    let path = path.display().to_string();
    move |detail| StoreError::Format {
        action,
        path: path.clone(),
        detail,
    }
}

fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Int => DataType::Int64,
        ColumnType::Decimal { precision, scale } => DataType::Decimal128(precision, scale.cast_signed()),
        ColumnType::Bool => DataType::Boolean,
        ColumnType::Date => DataType::Date32,
        ColumnType::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    }
}

/// The Arrow schema of a contract: its columns in order, required ones not nullable.
#[must_use]
pub fn schema(contract: &Contract) -> Schema {
    let fields: Vec<Field> = contract
        .columns
        .iter()
        .map(|c| Field::new(&c.name, data_type(c.kind), !c.required))
        .collect();
    Schema::new(fields)
}

/// How every Parquet file is written. The footer names the contract's version and the rules' hash, nothing that differs
/// between two runs over the same data.
///
/// Encodings are those that the readers of the last years know: a dictionary while it is small, after that differences
/// for whole numbers, decimals and times, and plain texts. Keys and lines never repeat.
pub(super) fn properties(contract: &Contract, rules_hash: &str) -> Result<WriterProperties, String> {
    let metadata = vec![
        KeyValue::new(
            "starledger.contract".to_owned(),
            format!("{} {}", contract.name, contract.version),
        ),
        KeyValue::new("starledger.rules".to_owned(), rules_hash.to_owned()),
    ];
    let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(|e| e.to_string())?;
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by("starledger".to_owned())
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_key_value_metadata(Some(metadata));
    for (number, column) in contract.columns.iter().enumerate() {
        let path = ColumnPath::from(column.name.as_str());
        if is_stored_as_integer(column.kind) {
            builder = builder.set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED);
        }
        let line = column.role == ColumnRole::Lineage && column.name == "source_line";
        if line || contract.key == [number] {
            builder = builder.set_column_dictionary_enabled(path, false);
        }
    }
    Ok(builder.build())
}

fn is_stored_as_integer(kind: ColumnType) -> bool {
    match kind {
        ColumnType::Int | ColumnType::Date | ColumnType::Instant => true,
        // more digits are stored as bytes
        ColumnType::Decimal { precision, .. } => precision <= 18,
        ColumnType::Text | ColumnType::Bool => false,
    }
}

/// Writes rows (conforming to the contract: its columns, in its order) and returns the writer.
pub fn write<W: Write + Send>(
    sink: W,
    path: &Path,
    contract: &Contract,
    rows: &[&Row],
    rules_hash: &str,
) -> Result<W, StoreError> {
    let error = format_error("write", path);
    let schema = Arc::new(schema(contract));
    let properties = properties(contract, rules_hash).map_err(&error)?;
    let mut writer = ArrowWriter::try_new(sink, schema.clone(), Some(properties)).map_err(|e| error(e.to_string()))?;
    for chunk in rows.chunks(BATCH_ROWS) {
        let columns: Result<Vec<ArrayRef>, String> = contract
            .columns
            .iter()
            .enumerate()
            .map(|(i, c)| array(c.kind, chunk, i))
            .collect();
        let columns = columns.map_err(&error)?;
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(|e| error(e.to_string()))?;
        writer.write(&batch).map_err(|e| error(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| error(e.to_string()))
}

fn array(kind: ColumnType, rows: &[&Row], column: usize) -> Result<ArrayRef, String> {
    macro_rules! collect {
        ($array:ty, $pattern:pat => $value:expr) => {{
            let values: Result<$array, String> = rows
                .iter()
                .map(|row| match &row[column] {
                    Value::Null => Ok(None),
                    $pattern => Ok(Some($value)),
                    other => Err(format!("column {column}: {} where {kind:?} is expected", other.kind())),
                })
                .collect();
            values?
        }};
    }
    Ok(match kind {
        ColumnType::Text => Arc::new(collect!(StringArray, Value::Text(v) => v.as_ref())),
        ColumnType::Int => Arc::new(collect!(Int64Array, Value::Int(v) => *v)),
        ColumnType::Bool => Arc::new(collect!(BooleanArray, Value::Bool(v) => *v)),
        ColumnType::Date => Arc::new(collect!(Date32Array, Value::Date(v) => days(*v))),
        ColumnType::Instant => {
            Arc::new(collect!(TimestampMicrosecondArray, Value::Instant(v) => v.micros()).with_timezone("UTC"))
        }
        ColumnType::Decimal { precision, scale } => {
            let values: Result<Decimal128Array, String> = rows
                .iter()
                .map(|row| match &row[column] {
                    Value::Null => Ok(None),
                    Value::Dec(v) => v
                        .rescale(scale)
                        .map(|d| Some(d.units()))
                        .ok_or_else(|| format!("column {column}: {v} does not fit {scale} decimals")),
                    other => Err(format!("column {column}: {} where {kind:?} is expected", other.kind())),
                })
                .collect();
            Arc::new(
                values?
                    .with_precision_and_scale(precision, scale.cast_signed())
                    .map_err(|e| e.to_string())?,
            )
        }
    })
}

fn days(date: NaiveDate) -> i32 {
    i32::try_from((date - EPOCH).num_days()).unwrap_or(i32::MAX)
}

/// Reads a whole file into rows, with the columns it has.
pub fn read(path: &Path, table: &str) -> Result<Table, StoreError> {
    let error = format_error("read", path);
    let file = File::open(path).map_err(|e| error(e.to_string()))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| error(e.to_string()))?;
    let names: Vec<String> = builder.schema().fields().iter().map(|f| f.name().clone()).collect();
    let reader = builder
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(|e| error(e.to_string()))?;
    let mut shared: Vec<SharedTexts> = names.iter().map(|_| SharedTexts::default()).collect();
    let mut out = Table::with_columns(table, names);
    for batch in reader {
        let batch = batch.map_err(|e| error(e.to_string()))?;
        append(&mut out, &batch, &mut shared).map_err(&error)?;
    }
    Ok(out)
}

/// The rows of both tables. A column that one of them does not have is null there: files of one table may have been
/// written by contracts of several versions.
pub(super) fn joined(mut first: Table, second: Table) -> Table {
    if first.columns().is_empty() {
        return second;
    }
    if first.columns() == second.columns() {
        first.rows.extend(second.rows);
        return first;
    }
    let mut columns = first.columns().to_vec();
    columns.extend(second.columns().iter().filter(|c| first.column(c).is_none()).cloned());
    let mut out = Table::with_columns(first.name(), columns.clone());
    for table in [&first, &second] {
        let places: Vec<Option<usize>> = columns.iter().map(|c| table.column(c)).collect();
        for row in &table.rows {
            let value = |place: &Option<usize>| place.map_or(Value::Null, |i| row[i].clone());
            out.push(places.iter().map(value).collect());
        }
    }
    out
}

fn append(table: &mut Table, batch: &RecordBatch, shared: &mut [SharedTexts]) -> Result<(), String> {
    let columns: Result<Vec<Vec<Value>>, String> = batch
        .columns()
        .iter()
        .zip(shared)
        .map(|(array, shared)| values(array, shared))
        .collect();
    let mut columns: Vec<_> = columns?.into_iter().map(Vec::into_iter).collect();
    for _ in 0..batch.num_rows() {
        table.push(columns.iter_mut().map(|c| c.next().unwrap_or(Value::Null)).collect());
    }
    Ok(())
}

fn values(array: &ArrayRef, shared: &mut SharedTexts) -> Result<Vec<Value>, String> {
    macro_rules! map {
        ($typed:expr, |$v:ident| $value:expr) => {
            $typed
                .iter()
                .map(|v| v.map_or(Value::Null, |$v| $value))
                .collect()
        };
    }
    Ok(match array.data_type() {
        DataType::Utf8 => map!(array.as_string::<i32>(), |v| shared.value(v)),
        DataType::Int64 => map!(array.as_primitive::<Int64Type>(), |v| Value::Int(v)),
        DataType::Boolean => map!(array.as_boolean(), |v| Value::Bool(v)),
        DataType::Date32 => map!(array.as_primitive::<Date32Type>(), |v| Value::Date(
            EPOCH
                .checked_add_signed(chrono::TimeDelta::days(i64::from(v)))
                .unwrap_or(EPOCH)
        )),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            map!(array.as_primitive::<TimestampMicrosecondType>(), |v| Value::Instant(
                Instant::from_micros(v)
            ))
        }
        DataType::Decimal128(_, scale) => {
            let scale = u8::try_from(*scale).map_err(|_| "a decimal with a negative scale".to_owned())?;
            map!(array.as_primitive::<Decimal128Type>(), |v| Value::Dec(Dec::new(
                v, scale
            )))
        }
        other => return Err(format!("type {other} is none of ours")),
    })
}
