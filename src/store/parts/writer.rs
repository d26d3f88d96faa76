//! The rows of a feed on their way into parts.
//!
//! Duty: hand rows to a thread that encodes them, so that the caller's thread can go on; tell where each row is before
//! it is there. Must not: decide which rows are current.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::columns::array;
use super::encode::{FreshPart, PartFile, Target};
use super::read::StoredBatch;
use super::route::{Router, Routes, RowPlace};
use crate::contracts::{ColumnRole, Contract};
use crate::domain::{Batch, RowHash};
use crate::edges::files::FileError;
use crate::store::StoreError;
use crate::store::staging::Staging;

/// Batches that wait to be encoded: enough that neither thread waits for every batch of the other, and few, as each is
/// held in memory.
const WAITING: usize = 4;

/// What the encoding thread is told.
enum Message {
    Rows(Job),
    /// Nothing comes any more. Without this word the writer was dropped, and what it wrote goes.
    Finish,
}

/// A batch and where its rows go.
struct Job {
    rows: Batch,
    hashes: Vec<RowHash>,
    lineage: Lineage,
    routes: Routes,
}

/// Arrival and file of rows: one of all, or one of each.
enum Lineage {
    One(i64, Arc<str>),
    Each(Vec<i64>, Vec<Arc<str>>),
}

type Encoder = JoinHandle<Result<Vec<FreshPart>, StoreError>>;

/// Writes the rows of one table in one run. Dropped before it is finished, it leaves no thread and no file.
pub struct FeedWriter {
    thread: Option<(SyncSender<Message>, Encoder)>,
    router: Option<Router>,
    table: String,
}

impl FeedWriter {
    /// A writer into a staging folder, of rows as `contract` says.
    pub fn new(staging: &Staging, contract: &Contract) -> Result<FeedWriter, StoreError> {
        FeedWriter::routed(staging, contract, Router::new(contract))
    }

    pub(super) fn routed(staging: &Staging, contract: &Contract, router: Router) -> Result<FeedWriter, StoreError> {
        let target = Arc::new(Target::new(staging, contract)?);
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::Builder::new()
            .name(format!("parts of {}", contract.name))
            .spawn(move || encode(&target, &receiver))
            .map_err(|source| {
                StoreError::File(FileError {
                    action: "start a thread that writes to",
                    path: staging.folder().to_owned(),
                    source,
                })
            })?;
        Ok(FeedWriter {
            thread: Some((sender, thread)),
            router: Some(router),
            table: contract.name.clone(),
        })
    }

    /// A writer that nothing can be written to, and that finishes without parts.
    #[must_use]
    pub fn closed() -> FeedWriter {
        FeedWriter {
            thread: None,
            router: None,
            table: String::new(),
        }
    }

    /// Writes rows of one file, in their order, and says where each is. `hashes` has one of each row (any number of them
    /// for a table without a key). An error may be one of rows that were handed over before.
    pub fn write(
        &mut self,
        rows: Batch,
        hashes: &[RowHash],
        arrival: i64,
        file_name: &Arc<str>,
    ) -> Result<Vec<RowPlace>, StoreError> {
        self.write_without(rows, hashes.to_vec(), arrival, file_name, &[])
    }

    /// Writes rows as [`FeedWriter::write`] does, without those whose ascending numbers are given.
    pub fn write_without(
        &mut self,
        rows: Batch,
        hashes: Vec<RowHash>,
        arrival: i64,
        file_name: &Arc<str>,
        without: &[u32],
    ) -> Result<Vec<RowPlace>, StoreError> {
        let lineage = Lineage::One(arrival, Arc::clone(file_name));
        self.hand_over(rows, hashes, lineage, without)
    }

    /// Writes rows of several files, such as were stored before, without those whose ascending numbers are given.
    pub fn write_stored(
        &mut self,
        stored: StoredBatch,
        hashes: Vec<RowHash>,
        without: &[u32],
    ) -> Result<(), StoreError> {
        let lineage = Lineage::Each(stored.arrivals, stored.files);
        self.hand_over(stored.rows, hashes, lineage, without).map(|_| ())
    }

    fn hand_over(
        &mut self,
        rows: Batch,
        hashes: Vec<RowHash>,
        lineage: Lineage,
        without: &[u32],
    ) -> Result<Vec<RowPlace>, StoreError> {
        let (Some(router), Some((sender, _))) = (&mut self.router, &self.thread) else {
            return Err(self.closed_error());
        };
        if rows.rows() == without.len() {
            return Ok(Vec::new());
        }
        let (places, routes) = router.route(&rows, without);
        let job = Job {
            rows,
            hashes,
            lineage,
            routes,
        };
        match sender.send(Message::Rows(job)) {
            Ok(()) => Ok(places),
            // the thread ends early only with an error
            Err(_) => self.end(false).and_then(|_| Err(self.closed_error())),
        }
    }

    /// Waits until everything is on disk. The parts are numbered as in the places of their rows.
    pub fn finish(mut self) -> Result<Vec<FreshPart>, StoreError> {
        self.end(true)
    }

    fn end(&mut self, finish: bool) -> Result<Vec<FreshPart>, StoreError> {
        let Some((sender, thread)) = self.thread.take() else {
            return Ok(Vec::new());
        };
        if finish {
            // a thread that is gone says why below
            let _ = sender.send(Message::Finish);
        }
        drop(sender);
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    fn closed_error(&self) -> StoreError {
        StoreError::Format {
            action: "write parts of",
            path: self.table.clone(),
            detail: "its writer has ended".to_owned(),
        }
    }
}

impl Drop for FeedWriter {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            // nobody waits for an answer
            let _ = thread.join();
        }
    }
}

/// Encodes until nothing comes any more. What is not asked for in the end is removed.
fn encode(target: &Arc<Target>, receiver: &Receiver<Message>) -> Result<Vec<FreshPart>, StoreError> {
    let mut parts = Parts {
        target,
        open: BTreeMap::new(),
        complete: BTreeMap::new(),
        begun: 0,
    };
    let result = parts.take_all(receiver);
    match result {
        Ok(true) => Ok(std::mem::take(&mut parts.complete).into_values().collect()),
        Ok(false) => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// The parts of a writer, on its thread.
struct Parts<'t> {
    target: &'t Arc<Target>,
    open: BTreeMap<u32, PartFile>,
    complete: BTreeMap<u32, FreshPart>,
    begun: u32,
}

impl Parts<'_> {
    /// `true`: all rows came, and are on disk.
    fn take_all(&mut self, receiver: &Receiver<Message>) -> Result<bool, StoreError> {
        for message in receiver {
            match message {
                Message::Rows(job) => self.take(job)?,
                Message::Finish => {
                    let open: Vec<u32> = self.open.keys().copied().collect();
                    open.into_iter().try_for_each(|part| self.close(part))?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn take(&mut self, job: Job) -> Result<(), StoreError> {
        for partition in job.routes.begun {
            let part = PartFile::new(self.target, self.begun, partition)?;
            self.open.insert(self.begun, part);
            self.begun += 1;
        }
        let batch = record_batch(self.target, job.rows, job.lineage).map_err(|detail| StoreError::Format {
            action: "write parts of",
            path: self.target.contract.name.clone(),
            detail,
        })?;
        for route in job.routes.taken {
            if let Some(part) = self.open.get_mut(&route.part) {
                part.append(&batch, route.rows, &job.hashes)?;
            }
        }
        job.routes.closed.into_iter().try_for_each(|part| self.close(part))
    }

    fn close(&mut self, number: u32) -> Result<(), StoreError> {
        if let Some(part) = self.open.remove(&number) {
            self.complete.insert(number, part.close()?);
        }
        Ok(())
    }
}

impl Drop for Parts<'_> {
    fn drop(&mut self) {
        for part in self.complete.values() {
            // nobody waits for an answer
            let _ = super::remove(&self.target.folder, &part.file);
        }
    }
}

/// Delivered columns and lineage of some rows, without the column of the partition.
fn record_batch(target: &Target, rows: Batch, lineage: Lineage) -> Result<RecordBatch, String> {
    let count = rows.rows();
    let (mut arrivals, mut names): (Option<ArrayRef>, Option<ArrayRef>) = match lineage {
        Lineage::One(arrival, name) => (
            Some(Arc::new(Int64Array::from(vec![arrival; count]))),
            Some(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
                &name, count,
            )))),
        ),
        Lineage::Each(arrivals, names) => (
            Some(Arc::new(Int64Array::from(arrivals))),
            Some(Arc::new(StringArray::from_iter_values(names))),
        ),
    };
    let mut lines: Option<ArrayRef> = Some(Arc::new(Int64Array::from(rows.lines)));
    let mut delivered = rows.columns.into_iter();
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(target.contract.columns.len());
    for declared in &target.contract.columns {
        let column = match (declared.role, declared.name.as_str()) {
            (ColumnRole::Partition, _) => continue,
            (ColumnRole::Data, _) => match delivered.next() {
                Some(column) => {
                    Some(array(declared.kind, column).map_err(|e| format!("column {}: {e}", declared.name))?)
                }
                None => None,
            },
            (ColumnRole::Lineage, "arrival") => arrivals.take(),
            (ColumnRole::Lineage, "source_file") => names.take(),
            (ColumnRole::Lineage, "source_line") => lines.take(),
            (ColumnRole::Lineage, _) => None,
        };
        arrays.push(column.ok_or_else(|| format!("column {}: no rows have it", declared.name))?);
    }
    RecordBatch::try_new(Arc::clone(&target.routed_schema), arrays).map_err(|e| e.to_string())
}
