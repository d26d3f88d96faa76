//! Parts read back as batches.
//!
//! Duty: the delivered columns by the contract as it is now, with the lineage of each row. Not its duty: whether the
//! bytes are those that were published (`KeyIndex::read` looks first).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::file::metadata::PageIndexPolicy;

use super::columns;
use crate::contracts::{Column, ColumnRole, ColumnType, Contract};
use crate::domain::{Batch, CellKind};
use crate::store::StoreError;

/// Rows to a batch when a part is read.
const BATCH_ROWS: usize = 16_384;

/// The lineage of a row.
const LINEAGE: [&str; 3] = ["arrival", "source_file", "source_line"];

/// Some rows of a part in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredBatch {
    /// Delivered columns; one that the part does not have is null.
    pub rows: Batch,
    pub arrivals: Vec<i64>,
    pub files: Vec<Arc<str>>,
}

/// Batches of a part.
pub struct PartReader {
    reader: Option<ParquetRecordBatchReader>,
    columns: Vec<(String, CellKind)>,
    path: String,
}

/// The kind of a contract's column in a batch.
#[must_use]
pub fn cell_kind(kind: ColumnType) -> CellKind {
    match kind {
        ColumnType::Text => CellKind::Text,
        ColumnType::Int => CellKind::Int,
        ColumnType::Decimal { scale, .. } => CellKind::Dec { scale },
        ColumnType::Bool => CellKind::Bool,
        ColumnType::Date => CellKind::Date,
        ColumnType::Instant => CellKind::Instant,
    }
}

/// The columns that rows of a batch have.
pub(super) fn data_columns(contract: &Contract) -> impl Iterator<Item = &Column> {
    contract.columns.iter().take_while(|c| c.role == ColumnRole::Data)
}

/// Reads a part, or the rows of it whose ascending numbers are given.
pub fn read_part(path: &Path, contract: &Contract, rows: Option<&[u32]>) -> Result<PartReader, StoreError> {
    open(path, contract, rows, None)
}

/// Reads a part with these delivered columns (by number) and the lineage; all other columns are null in its batches. To
/// look through one column of a part costs a fraction of reading it.
pub fn read_columns(path: &Path, contract: &Contract, columns: &[usize]) -> Result<PartReader, StoreError> {
    open(path, contract, None, Some(columns))
}

fn open(
    path: &Path,
    contract: &Contract,
    rows: Option<&[u32]>,
    wanted: Option<&[usize]>,
) -> Result<PartReader, StoreError> {
    let mut out = PartReader {
        reader: None,
        columns: data_columns(contract)
            .map(|c| (c.name.clone(), cell_kind(c.kind)))
            .collect(),
        path: path.display().to_string(),
    };
    if rows.is_some_and(<[u32]>::is_empty) {
        return Ok(out);
    }
    let file = File::open(path).map_err(|e| out.error(e.to_string()))?;
    // the page index tells which pages hold none of the rows
    let policy = if rows.is_some() {
        PageIndexPolicy::Optional
    } else {
        PageIndexPolicy::Skip
    };
    let options = ArrowReaderOptions::new().with_page_index_policy(policy);
    let mut builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .map_err(|e| out.error(e.to_string()))?
        .with_batch_size(BATCH_ROWS);
    if let Some(rows) = rows {
        let total = builder.metadata().file_metadata().num_rows();
        builder = builder.with_row_selection(selection(rows, usize::try_from(total).unwrap_or(usize::MAX)));
    }
    let names: Vec<&str> = match wanted {
        None => out.columns.iter().map(|(name, _)| name.as_str()).collect(),
        Some(wanted) => wanted.iter().map(|i| out.columns[*i].0.as_str()).collect(),
    };
    let read = |name: &str| names.contains(&name) || LINEAGE.contains(&name);
    let fields = builder.schema().fields().iter().enumerate();
    let roots: Vec<usize> = fields.filter(|(_, f)| read(f.name())).map(|(i, _)| i).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    out.reader = Some(
        builder
            .with_projection(mask)
            .build()
            .map_err(|e| out.error(e.to_string()))?,
    );
    Ok(out)
}

/// Selects ascending row numbers.
fn selection(rows: &[u32], total: usize) -> RowSelection {
    let mut selectors: Vec<RowSelector> = Vec::new();
    let mut at = 0;
    for run in rows.chunk_by(|a, b| a + 1 == *b) {
        let first = run[0] as usize;
        selectors.extend((first > at).then(|| RowSelector::skip(first - at)));
        selectors.push(RowSelector::select(run.len()));
        at = first + run.len();
    }
    selectors.extend((total > at).then(|| RowSelector::skip(total - at)));
    selectors.into()
}

impl PartReader {
    fn error(&self, detail: String) -> StoreError {
        StoreError::Format {
            action: "read",
            path: self.path.clone(),
            detail,
        }
    }
}

impl Iterator for PartReader {
    type Item = Result<StoredBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.as_mut()?.next()?;
        let stored = batch.map_err(|e| e.to_string()).and_then(|b| stored(&self.columns, &b));
        Some(stored.map_err(|detail| self.error(detail)))
    }
}

fn stored(columns: &[(String, CellKind)], batch: &RecordBatch) -> Result<StoredBatch, String> {
    let rows = batch.num_rows();
    let lineage = |name: &str| {
        batch
            .column_by_name(name)
            .ok_or_else(|| format!("the column {name} is missing"))
    };
    let numbers = |name: &str| -> Result<Vec<i64>, String> {
        let array = lineage(name)?.as_primitive_opt::<Int64Type>();
        let array = array.ok_or_else(|| format!("the column {name} holds no integers"))?;
        Ok(array.values().to_vec())
    };
    let names = lineage("source_file")?.as_string_opt::<i32>();
    let names = names.ok_or("the column source_file holds no texts")?;
    let mut files: Vec<Arc<str>> = Vec::with_capacity(rows);
    for i in 0..rows {
        let name = names.value(i);
        match files.last() {
            Some(last) if last.as_ref() == name => files.push(Arc::clone(last)),
            _ => files.push(name.into()),
        }
    }
    let cells: Result<Vec<_>, String> = columns
        .iter()
        .map(|(name, kind)| {
            columns::column(*kind, batch.column_by_name(name), rows).map_err(|e| format!("column {name}: {e}"))
        })
        .collect();
    Ok(StoredBatch {
        rows: Batch {
            columns: cells?,
            lines: numbers("source_line")?,
        },
        arrivals: numbers("arrival")?,
        files,
    })
}

impl StoredBatch {
    /// The rows given, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> StoredBatch {
        StoredBatch {
            rows: self.rows.select(rows),
            arrivals: rows.iter().map(|row| self.arrivals[*row]).collect(),
            files: rows.iter().map(|row| Arc::clone(&self.files[*row])).collect(),
        }
    }
}
