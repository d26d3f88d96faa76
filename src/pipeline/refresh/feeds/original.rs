//! Originals of landing, read into a pass.
//!
//! Duty: the source of an arrival, the bytes checked against their hash, a thread that reads ahead, personal texts kept
//! apart. Rows of a small file are taken only when the whole file is in order; a large file is taken while it is read,
//! and a feed in which one turns out bad is done again without it. Not its duty: deciding about rows.

use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::sync_channel;

use super::pass::Pass;
use super::record::hide_personal;
use super::state::Taking;
use super::{Shared, signed};
use crate::contracts::Contract;
use crate::domain::{Batch, Finding, Place};
use crate::ingest::source::{Mode, Source};
use crate::ingest::{FileOrigin, FileOutcome, Sink, Stopped, Verdict, read_file};
use crate::pipeline::PipelineError;
use crate::pipeline::inbox::Incoming;
use crate::store::StoreError;
use crate::store::private::{self, Class};

use super::super::Refresh;
use super::super::input::{self, Reading};
use super::super::register::Intake;

/// Rows that are held before they are decided about: a file with fewer is taken or set aside whole. Also the rows for
/// which the key indexes are gone through once.
const CHUNK_ROWS: usize = 262_144;

/// Batches between the thread that reads and the one that decides: as many as a chunk has, so that neither waits.
const BATCHES_AHEAD: usize = 20;

/// What came of reading a file.
pub(super) enum Read {
    /// Its rows are in the pass, or it is set aside and none is.
    Taken(Box<FileOutcome>),
    /// It is to be set aside, and rows of it are in the pass.
    Spoiled(Box<FileOutcome>),
}

/// Hands batches to the deciding thread.
struct Ahead(std::sync::mpsc::SyncSender<Batch>);

impl Sink for Ahead {
    fn take(&mut self, batch: Batch) -> Result<(), Stopped> {
        self.0.send(batch).map_err(|_| Stopped)
    }
}

impl Refresh<'_> {
    /// Reads one arrival into the pass.
    pub(super) fn read_into<'p>(
        &mut self,
        contract: &'p Contract,
        incoming: &Incoming,
        pass: &mut Pass<'p>,
        intake: &Intake,
        shared: &mut Shared,
    ) -> Result<Read, PipelineError>
    where
        Self: 'p,
    {
        let arrival = &incoming.arrival;
        let origin = FileOrigin {
            arrival: signed(arrival.arrival),
            file_name: arrival.file_name.clone(),
            file_hash: arrival.sha256,
            bytes: arrival.bytes,
        };
        let config = self.task.config;
        let Some(source) = source_of(&config.sources, contract, &arrival.source, &arrival.file_name) else {
            let reason = format!("source.unknown: source '{}' is no longer declared", arrival.source);
            return Ok(Read::Taken(Box::new(set_aside(
                contract,
                origin,
                &arrival.source,
                reason,
            ))));
        };
        let Some(taking) = Taking::new(origin.arrival, &origin.file_name, source, false) else {
            let reason = "order.file_name: the name of the file does not say its order by the pattern of the source; \
                          deliver it under a name that does, or correct order.file_name"
                .to_owned();
            return Ok(Read::Taken(Box::new(set_aside(contract, origin, &source.name, reason))));
        };
        let reading = Reading::default();
        let counter = &reading;
        let input = input::open(source, &incoming.path, counter)?;
        let file = pass.files.len();
        pass.files.push(taking);
        let mut texts = BTreeMap::new();
        let mut seen = HashSet::new();
        let mut began = false;
        let total = self.task.incoming.iter().map(|i| i.arrival.bytes).sum::<u64>();
        let progress = self.progress;
        let so_far = shared.done;
        let keys = contract.key.as_slice();
        let outcome = std::thread::scope(|scope| -> Result<FileOutcome, PipelineError> {
            let (sender, receiver) = sync_channel::<Batch>(BATCHES_AHEAD);
            let thread = scope.spawn(move || read_file(source, contract, &origin, input, &mut Ahead(sender)));
            let mut held: Vec<Batch> = Vec::new();
            let mut rows = 0;
            let mut failed = None;
            for mut batch in &receiver {
                if progress.interrupted() {
                    failed = Some(PipelineError::Interrupted);
                    break;
                }
                progress.bytes(total.min(so_far + counter.bytes()), total);
                hide_personal(contract, &mut batch, &mut texts);
                if source.mode == Mode::Snapshot {
                    seen.extend(batch.hashes(keys).into_iter().map(|h| h.key));
                }
                rows += batch.rows();
                held.push(batch);
                // without earlier parts there is nothing to gather rows for, once the file has begun
                if rows >= CHUNK_ROWS || (began && pass.parts.is_empty()) {
                    if !began {
                        pass.reserve(expected_rows(rows, counter.bytes(), arrival.bytes));
                    }
                    began = true;
                    rows = 0;
                    if let Err(e) = pass.take(file, std::mem::take(&mut held)) {
                        failed = Some(e.into());
                        break;
                    }
                }
            }
            drop(receiver);
            let outcome = thread.join().map_err(|_| PipelineError::Stage {
                what: "reading a file",
                detail: format!("the reader of {} panicked", arrival.file_name),
            })?;
            if let Some(e) = failed {
                return Err(e);
            }
            whole(incoming, &reading)?;
            if outcome.verdict == Verdict::Read {
                pass.take(file, held)?;
            }
            Ok(outcome)
        })?;
        shared.done += arrival.bytes;
        let outcome = Box::new(outcome);
        if outcome.verdict != Verdict::Read {
            return Ok(if began {
                Read::Spoiled(outcome)
            } else {
                Read::Taken(outcome)
            });
        }
        if source.mode == Mode::Snapshot {
            self.end_absent(pass, file, &seen, &outcome, intake)?;
        }
        if self.task.dry {
            self.personal.extend(texts);
        } else {
            private::put_texts(self.task.layout, Class::Personal, signed(arrival.arrival), &texts)?;
        }
        Ok(Read::Taken(outcome))
    }

    /// Ends what a snapshot does not name; one with rejected records names fewer keys than there are, and ends nothing.
    fn end_absent(
        &mut self,
        pass: &mut Pass<'_>,
        file: usize,
        seen: &HashSet<u128>,
        outcome: &FileOutcome,
        intake: &Intake,
    ) -> Result<(), PipelineError> {
        if outcome.rejected() > 0 {
            self.summary.findings.push(Finding::warning(
                Place::file(outcome.origin.file_name.as_str()),
                "snapshot.incomplete",
                format!(
                    "{} records of the snapshot were rejected: no key has ended",
                    outcome.rejected()
                ),
                "deliver the snapshot again without mistakes; keys that it does not have end then",
            ));
            return Ok(());
        }
        let source_of: BTreeMap<i64, String> = intake
            .register
            .iter()
            .map(|(arrival, line)| (*arrival, line.source.clone()))
            .collect();
        Ok(pass.end_absent(file, seen, &source_of)?)
    }
}

/// An original that rotted would give other books without a word: nothing of it is used.
fn whole(incoming: &Incoming, reading: &Reading) -> Result<(), PipelineError> {
    let arrival = &incoming.arrival;
    if reading.digest(&incoming.path).map_err(StoreError::from)? == arrival.sha256 {
        return Ok(());
    }
    Err(PipelineError::Integrity(vec![Finding::error(
        Place::file(incoming.path.display().to_string()),
        "landing.changed",
        format!(
            "the original of arrival {} ({}) is not what arrived",
            arrival.arrival, arrival.file_name
        ),
        "restore it from a backup, or deliver the file again under landing's name for it",
    )]))
}

/// Rows of a file, by those among its first bytes: an estimate, and no more than the file could hold.
fn expected_rows(rows: usize, read: u64, bytes: u64) -> usize {
    let all = (rows as u64).saturating_mul(bytes) / read.max(1);
    usize::try_from(all.saturating_add(all / 50).min(bytes)).unwrap_or(rows)
}

/// The source of an arrival; one that was renamed since is found by its files.
pub(super) fn source_of<'s>(
    sources: &'s [Source],
    contract: &Contract,
    name: &str,
    file_name: &str,
) -> Option<&'s Source> {
    sources
        .iter()
        .find(|s| s.name == name && s.feed == contract.name)
        .or_else(|| sources.iter().find(|s| s.feed == contract.name && s.matches(file_name)))
}

fn set_aside(contract: &Contract, origin: FileOrigin, source: &str, reason: String) -> FileOutcome {
    FileOutcome {
        origin,
        feed: contract.name.clone(),
        source: source.to_owned(),
        verdict: Verdict::SetAside { reason },
        records: 0,
        rows: 0,
        rejects: Vec::new(),
        skipped: BTreeMap::new(),
        notes: Vec::new(),
    }
}
