//! One part, from its first row to the sealed file.
//!
//! Duty: rows in pieces of one size into Parquet, their hashes aside for the key index, both complete at the end. Not its
//! duty: which rows, and when a part ends.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::route::CHUNK_ROWS;
use super::sidecar::{self, Entry};
use super::{fresh_indexes, index_name};
use crate::contracts::{ColumnRole, Contract};
use crate::domain::RowHash;
use crate::edges::files::{self, FileError};
use crate::store::hashed::HashedFile;
use crate::store::manifest::ReleaseFile;
use crate::store::staging::{Staging, folder_of};
use crate::store::{StoreError, parquet as written};

/// Hashes of rows of one part that are held in memory; more are put into a file.
const HELD_HASHES: usize = 16_384;

/// From so many rows on that follow each other, in the mean, they are not picked one by one.
const LONG_RUN: usize = 64;

/// A part of this run, complete on disk and not yet in the release: [`Staging::adopt`] or [`Staging::discard`] it.
#[derive(Clone, Debug)]
#[must_use]
pub struct FreshPart {
    pub file: ReleaseFile,
}

/// What the parts of one writer have in common.
pub(super) struct Target {
    pub(super) folder: PathBuf,
    pub(super) contract: Contract,
    schema: SchemaRef,
    /// Without the column of the partition, which is the same in all rows of a part.
    pub(super) routed_schema: SchemaRef,
    properties: WriterProperties,
    writer: u32,
}

impl Target {
    pub(super) fn new(staging: &Staging, contract: &Contract) -> Result<Target, StoreError> {
        let schema = written::schema(contract);
        let routed = schema.fields().iter().zip(&contract.columns);
        let routed = routed.filter(|(_, c)| c.role != ColumnRole::Partition);
        let routed: Schema = Schema::new(routed.map(|(field, _)| Arc::clone(field)).collect::<Vec<_>>());
        let folder = staging.folder().to_owned();
        let properties = written::properties(contract, staging.rules_hash()).map_err(|detail| StoreError::Format {
            action: "write parts below",
            path: folder.display().to_string(),
            detail,
        })?;
        Ok(Target {
            folder,
            contract: contract.clone(),
            schema: Arc::new(schema),
            routed_schema: Arc::new(routed),
            properties,
            writer: staging.next_writer(),
        })
    }
}

/// A part being written. Dropped before it is complete, it leaves nothing.
pub(super) struct PartFile {
    target: Arc<Target>,
    partition: String,
    /// Rows that do not fill a chunk yet.
    waiting: BatchCoalescer,
    partial: PathBuf,
    /// Opened with the first complete chunk: a part of few rows is written in one go.
    writer: Option<ArrowWriter<HashedFile>>,
    rows: u64,
    hashes: Option<Hashes>,
}

impl PartFile {
    /// `number` is that of the part among those of the writer.
    pub(super) fn new(target: &Arc<Target>, number: u32, partition: String) -> Result<PartFile, StoreError> {
        let folder = target.folder.join(folder_of(&target.contract.name, &partition));
        files::create_scratch_dir_all(&folder)?;
        let name = format!("partial-{}-{number}", target.writer);
        let keys = fresh_indexes(&target.folder);
        let hashes = if target.contract.key.is_empty() {
            None
        } else {
            files::create_scratch_dir_all(&keys)?;
            Some(Hashes {
                held: Vec::new(),
                put_aside: 0,
                path: keys.join(&name),
            })
        };
        Ok(PartFile {
            target: Arc::clone(target),
            partition,
            waiting: BatchCoalescer::new(Arc::clone(&target.routed_schema), CHUNK_ROWS),
            partial: folder.join(name),
            writer: None,
            rows: 0,
            hashes,
        })
    }

    /// Adds rows of a batch without the column of the partition; `None`: all of them.
    pub(super) fn append(
        &mut self,
        batch: &RecordBatch,
        rows: Option<Vec<u32>>,
        hashes: &[RowHash],
    ) -> Result<(), StoreError> {
        self.rows += rows.as_ref().map_or(batch.num_rows(), Vec::len) as u64;
        if let Some(kept) = &mut self.hashes {
            match &rows {
                None => kept.add(hashes.iter().copied())?,
                Some(rows) => kept.add(rows.iter().map(|row| hashes[*row as usize]))?,
            }
        }
        let added = match rows {
            None => self.waiting.push_batch(batch.clone()),
            Some(rows) => self.append_rows(batch, rows),
        };
        added.map_err(|e| self.error(e.to_string()))?;
        self.write_complete()
    }

    /// Adds rows in their order; those that follow each other are copied at once.
    fn append_rows(&mut self, batch: &RecordBatch, rows: Vec<u32>) -> Result<(), ArrowError> {
        let runs = || rows.chunk_by(|row, next| row + 1 == *next);
        if runs().count() * LONG_RUN > rows.len() {
            let rows = UInt32Array::from(rows);
            return self.waiting.push_batch_with_indices(batch.clone(), &rows);
        }
        for run in runs() {
            self.waiting.push_batch(batch.slice(run[0] as usize, run.len()))?;
        }
        Ok(())
    }

    fn write_complete(&mut self) -> Result<(), StoreError> {
        while let Some(chunk) = self.waiting.next_completed_batch() {
            self.write(&chunk)?;
        }
        Ok(())
    }

    fn write(&mut self, chunk: &RecordBatch) -> Result<(), StoreError> {
        let chunk = self.with_partition(chunk)?;
        self.writer()?.write(&chunk).map_err(|e| self.error(e.to_string()))
    }

    fn writer(&mut self) -> Result<&mut ArrowWriter<HashedFile>, StoreError> {
        if self.writer.is_none() {
            let file = HashedFile::create(&self.partial)?;
            let (schema, properties) = (Arc::clone(&self.target.schema), self.target.properties.clone());
            let writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(|e| self.error(e.to_string()))?;
            self.writer = Some(writer);
        }
        self.writer.as_mut().ok_or_else(|| StoreError::Format {
            action: "write",
            path: self.partial.display().to_string(),
            detail: "it is not open".to_owned(),
        })
    }

    /// The rows with all columns of the contract.
    fn with_partition(&self, chunk: &RecordBatch) -> Result<RecordBatch, StoreError> {
        let value = self.partition.split_once('=').map_or("", |(_, value)| value);
        let same = || -> ArrayRef {
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
                value,
                chunk.num_rows(),
            )))
        };
        let mut routed = chunk.columns().iter().cloned();
        let columns = self.target.contract.columns.iter();
        let columns: Vec<ArrayRef> = columns
            .filter_map(|c| {
                if c.role == ColumnRole::Partition {
                    Some(same())
                } else {
                    routed.next()
                }
            })
            .collect();
        RecordBatch::try_new(Arc::clone(&self.target.schema), columns).map_err(|e| self.error(e.to_string()))
    }

    /// Completes file and key index.
    pub(super) fn close(mut self) -> Result<FreshPart, StoreError> {
        self.waiting
            .finish_buffered_batch()
            .map_err(|e| self.error(e.to_string()))?;
        self.write_complete()?;
        self.writer()?;
        let writer = self.writer.take();
        let writer = writer.ok_or_else(|| self.error("it is not open".to_owned()))?;
        let mut file = writer.into_inner().map_err(|e| self.error(e.to_string()))?;
        let (sha256, bytes) = file.complete()?;
        let table = &self.target.contract.name;
        let part = ReleaseFile {
            table: table.clone(),
            path: format!(
                "{}/{table}-{}.parquet",
                folder_of(table, &self.partition),
                sha256.short()
            ),
            partition: std::mem::take(&mut self.partition),
            bytes,
            rows: self.rows,
            sha256,
        };
        file.seal(&self.target.folder.join(&part.path))?;
        if let Some(hashes) = self.hashes.take() {
            let index = fresh_indexes(&self.target.folder).join(index_name(part.sha256));
            sidecar::write(&index, &self.target.contract, &hashes.all()?)?;
        }
        Ok(FreshPart { file: part })
    }

    fn error(&self, detail: String) -> StoreError {
        StoreError::Format {
            action: "write",
            path: self.partial.display().to_string(),
            detail,
        }
    }
}

/// Hashes of the rows of a part in their order. Only some are in memory: of ten million rows they are 240 MB.
struct Hashes {
    held: Vec<Entry>,
    /// How many are in the file.
    put_aside: usize,
    path: PathBuf,
}

impl Hashes {
    fn add(&mut self, hashes: impl Iterator<Item = RowHash>) -> Result<(), StoreError> {
        self.held.extend(hashes.map(Entry::from));
        if self.held.len() < HELD_HASHES {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(self.held.len() * Entry::BYTES);
        self.held.iter().for_each(|entry| entry.put(&mut bytes));
        let written = File::options().create(true).append(true).open(&self.path);
        written
            .and_then(|mut f| f.write_all(&bytes))
            .map_err(|e| self.error("write", e))?;
        self.put_aside += self.held.len();
        self.held.clear();
        Ok(())
    }

    fn all(mut self) -> Result<Vec<Entry>, StoreError> {
        if self.put_aside == 0 {
            return Ok(std::mem::take(&mut self.held));
        }
        let mut bytes = Vec::new();
        File::open(&self.path)
            .and_then(|mut f| f.read_to_end(&mut bytes))
            .map_err(|e| self.error("read", e))?;
        let mut all = Vec::with_capacity(self.put_aside + self.held.len());
        all.extend(bytes.chunks_exact(Entry::BYTES).map(Entry::get));
        all.append(&mut self.held);
        Ok(all)
    }

    fn error(&self, action: &'static str, source: std::io::Error) -> StoreError {
        let path = self.path.clone();
        StoreError::File(FileError { action, path, source })
    }
}

impl Drop for Hashes {
    fn drop(&mut self) {
        if self.put_aside > 0 {
            // nobody waits for an answer
            let _ = fs::remove_file(&self.path);
        }
    }
}
