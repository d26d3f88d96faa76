//! One feed in one run: every row that comes, against every row that holds.
//!
//! Duty: put each row into its state and remember what that does to rows which are stored already. What that means
//! for their parts is done at the end (`finish`). Not its duty: reading files, deciding (`ingest::resolve`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::known::{Outside, first_unknown};
use super::record::{row_digest, shown, text_of, to_json};
use super::state::{At, Conflicting, Deferred, Fate, Flags, Ordering, Regions, Taking, Watch};
use crate::contracts::Contract;
use crate::domain::batch::Cells;
use crate::domain::{Batch, Cell, RowHash};
use crate::ingest::FileCounts;
use crate::ingest::keys::{FreshId, FreshKeys};
use crate::ingest::resolve::{Holds, Verdict, Version, decide};
use crate::ingest::source::{Mode, Order, Source};
use crate::store::StoreError;
use crate::store::manifest::ReleaseFile;
use crate::store::parts::{FeedWriter, Hit, KeyIndex, RowPlace};

use super::super::register::{HeldRow, Quarantined};

/// Rows whose keys are looked at together.
const AT_ONCE: usize = 256;

pub(super) struct Pass<'a> {
    pub(super) contract: &'a Contract,
    /// As rows are stored.
    pub(super) stored: &'a Contract,
    pub(super) ordering: Ordering,
    /// The parent's parts of the feed.
    pub(super) parts: Vec<ReleaseFile>,
    pub(super) index: Rc<KeyIndex>,
    pub(super) outside: Vec<Outside>,
    /// Column that refers to the feed itself, and the column it means.
    pub(super) own: Option<(usize, usize)>,
    /// By partner: its regions, where a source is bound to some.
    pub(super) regions: Option<Regions>,
    pub(super) watch: Option<Watch>,
    /// Order of a stored row by its arrival, where file names say it.
    pub(super) order_of_arrival: BTreeMap<i64, i64>,
    /// Last arrival that the parent has read.
    pub(super) read_before: i64,

    pub(super) writer: FeedWriter,
    pub(super) files: Vec<Taking<'a>>,
    /// First row of each file that rows were taken of, in order.
    pub(super) starts: Vec<(FreshId, usize)>,
    pub(super) fresh: FreshKeys,
    pub(super) places: Vec<RowPlace>,
    /// By fresh row, where a column says the order.
    pub(super) orders: Vec<Option<i64>>,
    pub(super) gone: BTreeMap<At, Fate>,
    pub(super) conflicts: BTreeMap<u128, Option<i64>>,
    pub(super) conflicting: Vec<Conflicting>,
    pub(super) deferred: Vec<Deferred>,
    pub(super) stale: Vec<(usize, Batch)>,
    /// Those of the batch that is being decided about.
    pub(super) stale_rows: Vec<usize>,
    /// Values of the column that the feed itself refers to, where that is no key.
    pub(super) names: HashSet<u128>,
    pub(super) quarantined: Vec<Quarantined>,
    pub(super) held: Vec<HeldRow>,
    pub(super) changes: BTreeMap<i64, FileCounts>,
    pub(super) flags: Flags,
}

/// What the stored rows say to the rows of a chunk.
struct Stored {
    hits: HashMap<(usize, usize), Hit>,
    /// Where the decision needs it: order of a stored row.
    orders: HashMap<(u32, u32), Option<i64>>,
}

impl Pass<'_> {
    pub(super) fn change(&mut self, arrival: i64) -> &mut FileCounts {
        self.changes
            .entry(arrival)
            .or_insert_with(|| FileCounts::of_arrival(arrival))
    }

    /// Takes rows of one file. Personal values are hidden already.
    pub(super) fn take(&mut self, file: usize, chunk: Vec<Batch>) -> Result<(), StoreError> {
        let mut free = Vec::with_capacity(chunk.len());
        for batch in chunk {
            let batch = self.refuse_strangers(file, batch);
            let batch = self.hold_unknown(file, batch)?;
            let batch = self.defer(file, batch);
            if !batch.is_empty() {
                free.push(batch);
            }
        }
        self.settle(file, free)
    }

    /// Rows of partners that the source may not speak for.
    fn refuse_strangers(&mut self, file: usize, batch: Batch) -> Batch {
        let source = self.files[file].source;
        let (Some(sender), Some(partner)) = (
            &source.sender,
            self.contract.columns.iter().position(|c| c.name == "partner_id"),
        ) else {
            return batch;
        };
        let regions = self.regions.clone();
        let may = |partner: &str| {
            let of = regions.as_ref().and_then(|r| r.get(partner));
            sender.partners.contains(partner) || of.is_some_and(|of| !of.is_disjoint(&sender.regions))
        };
        let (kept, refused): (Vec<usize>, Vec<usize>) =
            (0..batch.rows()).partition(|row| text_of(&batch, *row, partner).is_some_and(may));
        if refused.is_empty() {
            return batch;
        }
        for row in refused {
            let who = shown(batch.cell(row, partner));
            self.quarantine(
                file,
                &batch,
                row,
                Some("partner_id"),
                "sender.partner",
                format!("the source '{}' may not speak for partner {who}", source.name),
                "deliver the row by the source of that partner, or declare it in the source's sender",
            );
        }
        batch.select(&kept)
    }

    /// Rows that refer to what another feed does not know.
    fn hold_unknown(&mut self, file: usize, batch: Batch) -> Result<Batch, StoreError> {
        let unknown = first_unknown(&self.outside, &batch)?;
        if unknown.is_empty() {
            return Ok(batch);
        }
        for (row, number) in &unknown {
            let reference = &self.outside[*number];
            let missing = (reference.table.clone(), reference.referenced.clone(), reference.column);
            self.hold(file, &batch, *row, missing);
        }
        let kept: Vec<usize> = (0..batch.rows()).filter(|row| !unknown.contains_key(row)).collect();
        Ok(batch.select(&kept))
    }

    pub(super) fn hold(&mut self, file: usize, batch: &Batch, row: usize, missing: (String, String, usize)) {
        let taking = &self.files[file];
        let (arrival, again) = (taking.arrival, taking.again);
        let values = batch.row(row);
        let held = HeldRow {
            arrival,
            line: batch.lines[row],
            file_name: Arc::clone(&taking.name),
            row_hash: row_digest(self.contract, &values),
            missing_table: missing.0,
            missing_column: missing.1,
            missing_value: values[missing.2].to_string(),
            record: to_json(self.contract, &values),
        };
        self.held.push(held);
        if !again {
            let change = self.change(arrival);
            change.records += 1;
            change.held += 1;
        }
    }

    /// Rows that refer to rows of this feed are decided about at the end.
    fn defer(&mut self, file: usize, batch: Batch) -> Batch {
        let Some((own, _)) = self.own else { return batch };
        let (deferred, free): (Vec<usize>, Vec<usize>) =
            (0..batch.rows()).partition(|row| batch.columns[own].validity.is_valid(*row));
        if deferred.is_empty() {
            return batch;
        }
        self.deferred.push(Deferred {
            file,
            rows: batch.select(&deferred),
        });
        batch.select(&free)
    }

    /// Decides about rows whose references are all known, and writes those that are current.
    pub(super) fn settle(&mut self, file: usize, chunk: Vec<Batch>) -> Result<(), StoreError> {
        let hashes: Vec<Vec<RowHash>> = chunk.iter().map(|b| b.hashes(&self.contract.key)).collect();
        let stored = self.look_up(file, &chunk, &hashes)?;
        let arrival = self.files[file].arrival;
        let mut counts = FileCounts::of_arrival(arrival);
        for (number, (batch, hashes)) in chunk.into_iter().zip(hashes).enumerate() {
            let mut dropped = Vec::new();
            for row in 0..batch.rows() {
                if row % AT_ONCE == 0 {
                    let next = &hashes[row..batch.rows().min(row + AT_ONCE)];
                    self.fresh.warm(next.iter().map(|hash| hash.key));
                }
                let hit = (!stored.hits.is_empty()).then(|| stored.hits.get(&(number, row)).copied());
                if !self.settle_row(
                    file,
                    &batch,
                    row,
                    hashes[row],
                    hit.flatten(),
                    &stored.orders,
                    &mut counts,
                ) {
                    dropped.push(row_number(row));
                }
            }
            if !self.stale_rows.is_empty() {
                self.stale.push((file, batch.select(&self.stale_rows)));
                self.stale_rows.clear();
            }
            self.note_names(&batch, &dropped);
            self.watch(file, &batch, &dropped);
            let taking = &self.files[file];
            let places = self
                .writer
                .write_without(batch, hashes, taking.arrival, &taking.name, &dropped)?;
            self.places.extend(places);
        }
        *self.change(arrival) += counts;
        Ok(())
    }

    /// Makes room for rows that are about to come.
    pub(super) fn reserve(&mut self, rows: usize) {
        self.fresh.reserve(rows);
        self.places.reserve_exact(rows);
    }

    /// Finds the stored rows with the keys of a chunk, in one pass over the indexes.
    fn look_up(&self, file: usize, chunk: &[Batch], hashes: &[Vec<RowHash>]) -> Result<Stored, StoreError> {
        let mut stored = Stored {
            hits: HashMap::new(),
            orders: HashMap::new(),
        };
        if self.parts.is_empty() {
            return Ok(stored);
        }
        let places: Vec<(usize, usize)> = hashes
            .iter()
            .enumerate()
            .flat_map(|(batch, rows)| (0..rows.len()).map(move |row| (batch, row)))
            .collect();
        let keys: Vec<u128> = hashes.iter().flatten().map(|h| h.key).collect();
        for hit in self.index.lookup(self.stored, &self.parts, &keys)? {
            stored.hits.insert(places[hit.query], hit);
        }
        let taking = &self.files[file];
        let later_than_all = self.ordering == Ordering::Arrival && taking.arrival > self.read_before;
        if taking.source.mode == Mode::Append || later_than_all {
            return Ok(stored);
        }
        let mut wanted: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for ((batch, row), hit) in &stored.hits {
            if self.ordering != Ordering::Arrival || hit.content != hashes[*batch][*row].content {
                wanted.entry(hit.part).or_default().push(hit.row);
            }
        }
        debug_assert!(chunk.len() == hashes.len());
        for (part, mut rows) in wanted {
            rows.sort_unstable();
            rows.dedup();
            let mut numbers = rows.iter();
            for batch in self.index.read(self.stored, &self.parts[part as usize], Some(&rows))? {
                let batch = batch?;
                for row in 0..batch.rows.rows() {
                    let order = match self.ordering {
                        Ordering::Arrival => Some(batch.arrivals[row]),
                        Ordering::FileName => self.order_of_arrival.get(&batch.arrivals[row]).copied(),
                        Ordering::Column(column) => order_value(batch.rows.cell(row, column)),
                    };
                    if let Some(number) = numbers.next() {
                        stored.orders.insert((part, *number), order);
                    }
                }
            }
        }
        Ok(stored)
    }

    /// Decides about one row; `true`: it is current and is to be written.
    #[expect(clippy::too_many_arguments, reason = "a row, what holds of it, and the counts")]
    fn settle_row(
        &mut self,
        file: usize,
        batch: &Batch,
        row: usize,
        hash: RowHash,
        hit: Option<Hit>,
        orders: &HashMap<(u32, u32), Option<i64>>,
        change: &mut FileCounts,
    ) -> bool {
        let taking = &self.files[file];
        let (arrival, again, mode) = (taking.arrival, taking.again, taking.source.mode);
        let order = match self.ordering {
            Ordering::Arrival => Some(arrival),
            Ordering::FileName => taking.order,
            Ordering::Column(column) => order_value(batch.cell(row, column)),
        };
        let comes = Version {
            content: hash.content,
            order,
        };
        let (holds, at) = self.holds(hash.key, hit, orders);
        let verdict = decide(mode, self.ordering != Ordering::Arrival, holds, comes);
        if again {
            change.held -= 1;
        } else {
            change.records += 1;
        }
        match verdict {
            Verdict::New | Verdict::Confirms | Verdict::Supersedes => change.current += 1,
            Verdict::Duplicate => change.duplicate += 1,
            Verdict::Stale => change.superseded += 1,
            Verdict::Conflict => change.quarantined += 1,
        }
        let fate = match verdict {
            Verdict::Confirms => Some(Fate::Replaced),
            Verdict::Supersedes => Some(Fate::Superseded { until: arrival }),
            Verdict::Conflict => Some(Fate::Conflict),
            Verdict::New | Verdict::Duplicate | Verdict::Stale => None,
        };
        if let (Some(fate), Some(at)) = (fate, at) {
            self.gone.insert(at, fate);
        }
        match verdict {
            Verdict::New | Verdict::Confirms | Verdict::Supersedes => {
                if !self.conflicts.is_empty() {
                    self.conflicts.remove(&hash.key);
                }
                self.begin(file, hash, order);
                true
            }
            Verdict::Duplicate => false,
            Verdict::Stale => {
                self.stale_rows.push(row);
                false
            }
            Verdict::Conflict => {
                let highest = match holds {
                    Holds::Current(version) => version.order.max(order),
                    Holds::Conflict(highest) => highest.max(order),
                    Holds::Nothing => order,
                };
                self.conflicts.insert(hash.key, highest);
                self.fresh.forget(hash.key);
                let taking = &self.files[file];
                self.conflicting.push(Conflicting {
                    key: hash.key,
                    arrival,
                    file_name: Arc::clone(&taking.name),
                    line: batch.lines[row],
                    row: batch.row(row),
                    was_current: false,
                });
                false
            }
        }
    }

    fn begin(&mut self, file: usize, hash: RowHash, order: Option<i64>) {
        let id = self.fresh.take(hash.key, hash.content);
        if self.starts.last().is_none_or(|(_, last)| *last != file) {
            self.starts.push((id, file));
        }
        if let Ordering::Column(_) = self.ordering {
            self.orders.push(order);
        }
    }

    /// What holds of a key, and where.
    fn holds(&self, key: u128, hit: Option<Hit>, orders: &HashMap<(u32, u32), Option<i64>>) -> (Holds, Option<At>) {
        if !self.conflicts.is_empty()
            && let Some(order) = self.conflicts.get(&key)
        {
            return (Holds::Conflict(*order), None);
        }
        if let Some(id) = self.fresh.newest(key) {
            let version = Version {
                content: self.fresh.content(id),
                order: self.fresh_order(id),
            };
            return (Holds::Current(version), Some(At::Fresh(id)));
        }
        match hit {
            Some(hit) if !self.gone.contains_key(&At::Stored(hit.part, hit.row)) => {
                let order = orders.get(&(hit.part, hit.row)).copied().flatten();
                let version = Version {
                    content: hit.content,
                    order,
                };
                (Holds::Current(version), Some(At::Stored(hit.part, hit.row)))
            }
            _ => (Holds::Nothing, None),
        }
    }

    /// The file that a row of this run came in.
    pub(super) fn file_of(&self, id: FreshId) -> usize {
        let after = self.starts.partition_point(|(first, _)| *first <= id);
        self.starts[after.saturating_sub(1)].1
    }

    pub(super) fn fresh_order(&self, id: FreshId) -> Option<i64> {
        match self.ordering {
            Ordering::Arrival => Some(self.files[self.file_of(id)].arrival),
            Ordering::FileName => self.files[self.file_of(id)].order,
            Ordering::Column(_) => self.orders[id as usize],
        }
    }

    fn note_names(&mut self, batch: &Batch, dropped: &[u32]) {
        let Some((_, column)) = self.own.filter(|(_, column)| self.contract.key != [*column]) else {
            return;
        };
        batch.each_cell_hash(column, |row, name| {
            if dropped.binary_search(&row_number(row)).is_err() {
                self.names.extend(name);
            }
        });
    }

    /// Looks at new facts that a reader of results should know about.
    fn watch(&mut self, file: usize, batch: &Batch, dropped: &[u32]) {
        let Some(watch) = &self.watch else { return };
        let days = days_of(&batch.columns[watch.date].cells);
        let valid = &batch.columns[watch.date].validity;
        let counts = |row| valid.is_valid(row) && dropped.binary_search(&row_number(row)).is_err();
        if let Some(end) = watch.closed_until {
            let closed = days.iter().enumerate().filter(|(row, day)| **day < end && counts(*row));
            self.flags.closed += closed.count() as u64;
        }
        let Some((column, members)) = &watch.members else {
            return;
        };
        if days.iter().all(|day| members.all_belong(*day)) {
            return;
        }
        batch.each_cell_hash(*column, |row, partner| {
            if partner.is_some_and(|p| members.is_outside(p, days[row])) && counts(row) {
                let name = Arc::clone(&self.files[file].name);
                let partner = shown(batch.cell(row, *column));
                *self.flags.outside.entry((name, partner)).or_default() += 1;
            }
        });
    }

    /// A typed row that is not used.
    #[expect(clippy::too_many_arguments, reason = "the columns of the quarantine")]
    fn quarantine(
        &mut self,
        file: usize,
        batch: &Batch,
        row: usize,
        column: Option<&str>,
        rule: &str,
        reason: String,
        remedy: &str,
    ) {
        let taking = &self.files[file];
        let (arrival, again) = (taking.arrival, taking.again);
        let values = batch.row(row);
        self.quarantined.push(Quarantined {
            arrival,
            file_name: Arc::clone(&taking.name),
            line: batch.lines[row],
            row_no: 1,
            column: column.map(ToOwned::to_owned),
            rule: rule.to_owned(),
            reason,
            remedy: remedy.to_owned(),
            row_hash: Some(row_digest(self.contract, &values)),
            raw: to_json(self.contract, &values).into_bytes(),
        });
        let change = self.change(arrival);
        if again {
            change.held -= 1;
        } else {
            change.records += 1;
        }
        change.quarantined += 1;
    }
}

/// The number of a row in its batch.
///
/// # Panics
/// In a batch of more than 4 billion rows.
fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("fewer than 4 billion rows in a batch")
}

/// The order that a cell states: a number, the days of a date, the microseconds of an instant.
pub(super) fn order_value(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Int(number) => Some(number),
        Cell::Date(date) => Some(i64::from(crate::domain::batch::days(date))),
        Cell::Instant(at) => Some(at.micros()),
        _ => None,
    }
}

/// The order that the name of a file states: the digits of what the pattern captures.
pub(super) fn order_of_name(source: &Source, file_name: &str) -> Option<i64> {
    let Order::FileName(pattern) = &source.order else {
        return None;
    };
    let captured = pattern.captures(file_name)?.name("order")?;
    let digits: String = captured.as_str().chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Days since 1970-01-01 of a column of dates, or of instants in UTC.
fn days_of(cells: &Cells) -> std::borrow::Cow<'_, [i32]> {
    match cells {
        Cells::Date(days) => days.into(),
        Cells::Instant(micros) => micros
            .iter()
            .map(|at| i32::try_from(at.div_euclid(86_400_000_000)).unwrap_or_default())
            .collect(),
        _ => Vec::new().into(),
    }
}
