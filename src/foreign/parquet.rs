//! Parquet files of others.
//!
//! Duty: types as the file itself declares them, columns that can be read, records in their order. Not its duty: files
//! that this program wrote; those are trusted by hash.

use std::io::{Read, Seek, Write};

use arrow::array::RecordBatchReader;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::Type as PhysicalType;
use parquet::schema::types::SchemaDescriptor;

use super::Stop;
use super::budget::{BATCH_ROWS, MAX_LEAVES};
use super::chunks::Chunks;
use super::column::{Column, kind};
use crate::ingest::decode::fault_of;
use crate::ingest::frames::{Fault, Kind, Note, Record, Writer, shown};
use crate::ingest::limits::MAX_COLUMNS;

/// Reads a file. The header's cells say of each column whether it is read; what is not read is empty below.
pub fn read<R, O>(mut input: R, writer: &mut Writer<O>) -> Result<Vec<Note>, Stop>
where
    R: Read + Seek + Send + 'static,
    O: Write,
{
    check_head(&mut input)?;
    let chunks = Chunks::new(input).map_err(fault_of)?;
    // types follow from the file's own schema, not from what its writer says of them
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(chunks, options).map_err(|error| broken(&error))?;
    let kinds = kinds(&builder)?;
    let names: Vec<String> = builder.schema().fields().iter().map(|f| f.name().clone()).collect();
    let mut record = Record::default();
    for (name, kind) in names.iter().zip(&kinds) {
        record.push(*kind, name);
    }
    writer.record(&record)?;

    let read: Vec<usize> = (0..kinds.len()).filter(|i| kinds[*i] == Kind::Text).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), read.iter().copied());
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    let reader = reader.map_err(|error| broken(&error))?;
    if reader.schema().fields().len() != read.len() {
        return Err(broken(&"its columns are not those of its schema").into());
    }
    let mut text = String::new();
    let mut line = 0;
    for batch in reader {
        let batch = batch.map_err(|error| broken(&error))?;
        let columns: Vec<Column<'_>> = batch.columns().iter().map(|array| Column::new(array)).collect();
        for row in 0..batch.num_rows() {
            line += 1;
            record.clear(line);
            for (index, column) in read.iter().zip(&columns) {
                record.pad(*index);
                let kind = column.cell(row, &mut text);
                record.push(kind, if kind == Kind::Unreadable { "" } else { &text });
            }
            record.pad(kinds.len());
            writer.record(&record)?;
        }
    }
    Ok(Vec::new())
}

/// What each column of the file is.
fn kinds<T>(builder: &parquet::arrow::arrow_reader::ArrowReaderBuilder<T>) -> Result<Vec<Kind>, Fault> {
    let schema = builder.parquet_schema();
    let fields = builder.schema().fields();
    if fields.len() > MAX_COLUMNS || schema.num_columns() > MAX_LEAVES {
        let reason = format!("the file has {} columns, more than {MAX_COLUMNS}", fields.len());
        return Err(Fault::new(
            "record.columns",
            reason,
            "deliver the columns of the contract",
        ));
    }
    let old_times = old_times(schema);
    let kind = |(i, field): (usize, &arrow::datatypes::FieldRef)| {
        // their zone is not known
        if old_times.contains(&i) {
            Kind::Opaque
        } else {
            kind(field.data_type())
        }
    };
    Ok(fields.iter().enumerate().map(kind).collect())
}

/// Columns of timestamps as they were before Parquet had a type for them.
fn old_times(schema: &SchemaDescriptor) -> Vec<usize> {
    let leaves = 0..schema.num_columns();
    let old = leaves.filter(|leaf| schema.column(*leaf).physical_type() == PhysicalType::INT96);
    old.map(|leaf| schema.get_column_root_idx(leaf)).collect()
}

fn check_head<R: Read + Seek>(input: &mut R) -> Result<(), Fault> {
    let mut head = Vec::new();
    input.take(4).read_to_end(&mut head).map_err(fault_of)?;
    match head.as_slice() {
        b"PAR1" => Ok(()),
        b"PARE" => Err(Fault::new(
            "parquet.encrypted",
            "the file is encrypted",
            "deliver it without encryption",
        )),
        _ => Err(Fault::new(
            "file.type",
            "the file is no Parquet file, whatever its name says",
            "declare the format that it has",
        )),
    }
}

fn broken(error: &dyn std::fmt::Display) -> Fault {
    Fault::new(
        "parquet.broken",
        format!(
            "the file is damaged, or of a kind that is not read: {}",
            shown(&error.to_string())
        ),
        "deliver the file again; if it stays so, write it anew",
    )
}
