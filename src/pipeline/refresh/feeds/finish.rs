//! The end of a feed's pass: what its decisions mean for the parts.
//!
//! Duty: rows that refer to their own feed, rows whose reference is gone, keys that a snapshot ended; parts without the
//! rows that are current no more, the history, the quarantine of conflicts. Not its duty: decisions about keys.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::history::{Gone, Removed, STALE, Versions, collect, history_contract, write_history};
use super::pass::Pass;
use super::record::{row_digest, to_json};
use super::refused::{key_hash, refusals};
use super::state::{At, Conflicting, Fate, Ordering};
use crate::domain::Batch;
use crate::ingest::FileCounts;
use crate::ingest::references::{Link, chained};
use crate::pipeline::PipelineError;
use crate::store::StoreError;
use crate::store::commit::Staging;
use crate::store::manifest::ReleaseFile;
use crate::store::parts::{FeedWriter, StoredBatch, read_columns};

use super::super::register::{HeldRow, Quarantined};

/// What a pass did, when its parts are staged.
pub(super) struct Finished {
    pub(super) changes: BTreeMap<i64, FileCounts>,
    pub(super) quarantined: Vec<Quarantined>,
    pub(super) held: Vec<HeldRow>,
    /// Highest order of each key in conflict.
    pub(super) conflicts: BTreeMap<u128, Option<i64>>,
    /// Values of referenced columns that are gone, by column.
    pub(super) lost: BTreeMap<usize, HashSet<u128>>,
    pub(super) flags: super::state::Flags,
}

impl Pass<'_> {
    /// Keys that a snapshot does not have any more. `seen` are those it has, `source_of` the source of each arrival.
    pub(super) fn end_absent(
        &mut self,
        file: usize,
        seen: &HashSet<u128>,
        source_of: &BTreeMap<i64, String>,
    ) -> Result<(), StoreError> {
        let (arrival, source, order) = {
            let taking = &self.files[file];
            (taking.arrival, taking.source.name.clone(), taking.order)
        };
        let ends = |theirs: i64, their_order: Option<i64>| match self.ordering {
            Ordering::FileName => their_order < order,
            Ordering::Arrival | Ordering::Column(_) => theirs < arrival,
        };
        let mut ended = Vec::new();
        for (part, file) in (0_u32..).zip(&self.parts) {
            let mut number = 0_u32;
            for batch in read_columns(&self.index.trusted(file)?, self.stored, &self.contract.key)? {
                let batch = batch?;
                for (row, hash) in batch.rows.hashes(&self.contract.key).iter().enumerate() {
                    let theirs = batch.arrivals[row];
                    let at = At::Stored(part, number);
                    number += 1;
                    let of_source = source_of.get(&theirs).is_some_and(|s| *s == source);
                    let their_order = self.order_of_arrival.get(&theirs).copied();
                    if of_source
                        && !seen.contains(&hash.key)
                        && ends(theirs, their_order)
                        && !self.gone.contains_key(&at)
                    {
                        ended.push(at);
                    }
                }
            }
        }
        let mut forgotten = Vec::new();
        for id in self.fresh.current() {
            let theirs = &self.files[self.file_of(id)];
            let key = self.fresh.key(id);
            if theirs.source.name == source && !seen.contains(&key) && ends(theirs.arrival, theirs.order) {
                ended.push(At::Fresh(id));
                forgotten.push(key);
            }
        }
        for key in forgotten {
            self.fresh.forget(key);
        }
        for at in ended {
            self.gone.insert(at, Fate::Ended { until: arrival });
        }
        Ok(())
    }

    /// Stored rows that refer to values which another feed has lost.
    pub(super) fn orphan(&mut self, column: usize, lost: &HashSet<u128>) -> Result<(), StoreError> {
        for at in self.rows_with(&self.parts, column, lost, At::Stored)? {
            self.gone.entry(at).or_insert(Fate::Orphaned);
        }
        Ok(())
    }

    fn rows_with(
        &self,
        parts: &[ReleaseFile],
        column: usize,
        values: &HashSet<u128>,
        at: impl Fn(u32, u32) -> At,
    ) -> Result<Vec<At>, StoreError> {
        let mut found = Vec::new();
        for (part, file) in (0_u32..).zip(parts) {
            let mut number = 0;
            for batch in read_columns(&self.index.trusted(file)?, self.stored, &[column])? {
                for hash in batch?.rows.cell_hashes(column) {
                    if hash.is_some_and(|h| values.contains(&h)) {
                        found.push(at(part, number));
                    }
                    number += 1;
                }
            }
        }
        Ok(found)
    }

    /// Stored rows that a contract, which is another than before, does not allow.
    pub(super) fn refuse_by_contract(&mut self) -> Result<(), StoreError> {
        for (part, file) in (0_u32..).zip(&self.parts) {
            let mut number = 0_u32;
            for batch in self.index.read(self.stored, file, None)? {
                let rows = batch?.rows;
                for row in 0..rows.rows() {
                    let found = refusals(self.stored, &rows.row(row));
                    if !found.is_empty() {
                        self.gone.insert(At::Stored(part, number), Fate::Refused(found));
                    }
                    number += 1;
                }
            }
        }
        Ok(())
    }

    /// Decides about the rows that refer to rows of this feed.
    pub(super) fn settle_deferred(&mut self) -> Result<(), StoreError> {
        let (Some((own, named)), false) = (self.own, self.deferred.is_empty()) else {
            return Ok(());
        };
        let deferred = std::mem::take(&mut self.deferred);
        let mut links = Vec::new();
        for one in &deferred {
            let (names, refers) = (one.rows.cell_hashes(named), one.rows.cell_hashes(own));
            links.extend(names.into_iter().zip(refers).map(|(name, refers_to)| Link {
                name: name.unwrap_or_default(),
                refers_to: refers_to.unwrap_or_default(),
            }));
        }
        let wanted: Vec<u128> = links.iter().flat_map(|l| [l.refers_to, l.name]).collect();
        let there = self.own_values(named, &wanted)?;
        let kept = chained(&links, &|value| there.contains(&value));
        let mut kept = kept.into_iter();
        let table = self.contract.name.clone();
        let referenced = self.contract.columns[named].name.clone();
        for one in deferred {
            let mut free = Vec::new();
            for row in 0..one.rows.rows() {
                if kept.next().unwrap_or(false) {
                    free.push(row);
                } else {
                    self.hold(one.file, &one.rows, row, (table.clone(), referenced.clone(), own));
                }
            }
            if !free.is_empty() {
                self.settle(one.file, vec![one.rows.select(&free)])?;
            }
        }
        Ok(())
    }

    /// Which of some values the column of the feed itself has, in current rows.
    fn own_values(&self, column: usize, wanted: &[u128]) -> Result<HashSet<u128>, StoreError> {
        if self.contract.key == [column] {
            let mut there: HashSet<u128> = wanted
                .iter()
                .filter(|v| self.fresh.newest(**v).is_some())
                .copied()
                .collect();
            if !self.parts.is_empty() {
                for hit in self.index.lookup(self.stored, &self.parts, wanted)? {
                    if !self.gone.contains_key(&At::Stored(hit.part, hit.row)) {
                        there.insert(wanted[hit.query]);
                    }
                }
            }
            return Ok(there);
        }
        let mut there = self.names.clone();
        for part in &self.parts {
            for batch in read_columns(&self.index.trusted(part)?, self.stored, &[column])? {
                there.extend(batch?.rows.cell_hashes(column).into_iter().flatten());
            }
        }
        Ok(there)
    }

    /// Stages the parts of the feed and of its history. `referenced` are the columns that any feed refers to, `rewrite`
    /// says that the contract changed, so that every part is written anew.
    pub(super) fn finish(
        mut self,
        staging: &mut Staging,
        referenced: &[usize],
        rewrite: bool,
    ) -> Result<Finished, PipelineError> {
        self.settle_deferred()?;
        let fresh = std::mem::replace(&mut self.writer, FeedWriter::closed()).finish()?;
        let fresh_parts: Vec<ReleaseFile> = fresh.iter().map(|p| p.file.clone()).collect();
        let mut lost: BTreeMap<usize, HashSet<u128>> = BTreeMap::new();
        let mut told: HashSet<At> = HashSet::new();
        loop {
            let new = self.newly_lost(&fresh_parts, referenced, &mut told)?;
            let own = self
                .own
                .and_then(|(own, named)| new.get(&named).map(|values| (own, values.clone())));
            for (column, values) in new {
                lost.entry(column).or_default().extend(values);
            }
            let Some((own, values)) = own.filter(|(_, values)| !values.is_empty()) else {
                break;
            };
            let stored = self.rows_with(&self.parts, own, &values, At::Stored)?;
            let ids = self.fresh_ids();
            let written = self.rows_with(&fresh_parts, own, &values, |part, row| {
                At::Fresh(ids.get(&(part, row)).copied().unwrap_or(u32::MAX))
            })?;
            for at in stored.into_iter().chain(written) {
                self.gone.entry(at).or_insert(Fate::Orphaned);
            }
        }
        let removed = self.stage_parts(staging, fresh, rewrite)?;
        self.tell(staging, removed, rewrite)?;
        Ok(Finished {
            changes: self.changes,
            quarantined: self.quarantined,
            held: self.held,
            conflicts: self.conflicts,
            lost,
            flags: self.flags,
        })
    }

    fn fresh_ids(&self) -> HashMap<(u32, u32), u32> {
        (0_u32..)
            .zip(&self.places)
            .map(|(id, place)| ((place.part, place.row), id))
            .collect()
    }

    /// Values of referenced columns that no current row has any more, of rows that were not looked at yet. What is
    /// superseded or ended stays known; what is in conflict, refused or orphaned does not.
    fn newly_lost(
        &self,
        fresh_parts: &[ReleaseFile],
        referenced: &[usize],
        told: &mut HashSet<At>,
    ) -> Result<BTreeMap<usize, HashSet<u128>>, StoreError> {
        let mut by_part: BTreeMap<(bool, u32), Vec<u32>> = BTreeMap::new();
        for (at, fate) in &self.gone {
            let loses = matches!(fate, Fate::Conflict | Fate::Orphaned | Fate::Refused(_));
            if !loses || !told.insert(*at) {
                continue;
            }
            match at {
                At::Stored(part, row) => by_part.entry((false, *part)).or_default().push(*row),
                At::Fresh(id) => {
                    let place = self.places[*id as usize];
                    by_part.entry((true, place.part)).or_default().push(place.row);
                }
            }
        }
        let mut lost: BTreeMap<usize, HashSet<u128>> = BTreeMap::new();
        for ((is_fresh, part), mut rows) in by_part {
            rows.sort_unstable();
            let file = if is_fresh {
                &fresh_parts[part as usize]
            } else {
                &self.parts[part as usize]
            };
            for batch in self.index.read(self.stored, file, Some(&rows))? {
                let batch = batch?;
                for column in referenced {
                    let values = batch.rows.cell_hashes(*column).into_iter().flatten();
                    lost.entry(*column).or_default().extend(values);
                }
            }
        }
        lost.retain(|_, values| !values.is_empty());
        if lost.is_empty() {
            return Ok(lost);
        }
        let columns: Vec<usize> = lost.keys().copied().collect();
        // another row may still have the value
        let gone_stored: HashSet<(u32, u32)> = self
            .gone
            .keys()
            .filter_map(|at| match at {
                At::Stored(part, row) => Some((*part, *row)),
                At::Fresh(_) => None,
            })
            .collect();
        let gone_fresh: HashSet<(u32, u32)> = self
            .gone
            .keys()
            .filter_map(|at| match at {
                At::Fresh(id) => self.places.get(*id as usize).map(|p| (p.part, p.row)),
                At::Stored(..) => None,
            })
            .collect();
        for (parts, gone) in [(&self.parts[..], &gone_stored), (fresh_parts, &gone_fresh)] {
            for (part, file) in (0_u32..).zip(parts) {
                let mut number = 0_u32;
                for batch in read_columns(&self.index.trusted(file)?, self.stored, &columns)? {
                    let batch = batch?;
                    for (column, values) in &mut lost {
                        for (row, hash) in (number..).zip(batch.rows.cell_hashes(*column)) {
                            if let Some(hash) = hash
                                && !gone.contains(&(part, row))
                            {
                                values.remove(&hash);
                            }
                        }
                    }
                    number += u32::try_from(batch.rows.rows()).unwrap_or(u32::MAX);
                }
            }
        }
        Ok(lost)
    }

    /// Carries the parts that stay, adopts the new ones, writes those anew that lose rows.
    fn stage_parts(
        &mut self,
        staging: &mut Staging,
        fresh: Vec<crate::store::parts::FreshPart>,
        rewrite: bool,
    ) -> Result<Gone, PipelineError> {
        let mut stored: BTreeMap<u32, BTreeMap<u32, Fate>> = BTreeMap::new();
        let mut written: BTreeMap<u32, BTreeMap<u32, Fate>> = BTreeMap::new();
        for (at, fate) in std::mem::take(&mut self.gone) {
            match at {
                At::Stored(part, row) => stored.entry(part).or_default().insert(row, fate),
                At::Fresh(id) => {
                    let place = self.places[id as usize];
                    written.entry(place.part).or_default().insert(place.row, fate)
                }
            };
        }
        let mut removed = Gone::default();
        let mut stays = HashSet::new();
        for (number, part) in (0_u32..).zip(self.parts.clone()) {
            let fates = stored.remove(&number).unwrap_or_default();
            if fates.is_empty() && !rewrite {
                stays.insert(part.path.clone());
                continue;
            }
            let rows: Vec<u32> = fates.keys().copied().collect();
            let path = self.index.path_of(&part);
            let (kept, gone) = staging.rewrite_without(self.stored, &path, &rows)?;
            collect(&mut removed, gone, fates);
            for part in kept {
                staging.adopt(part)?;
            }
        }
        staging.carry_files(&self.contract.name, |file| stays.contains(&file.path))?;
        for (number, part) in (0_u32..).zip(fresh) {
            let fates = written.remove(&number).unwrap_or_default();
            if fates.is_empty() {
                staging.adopt(part)?;
                continue;
            }
            let rows: Vec<u32> = fates.keys().copied().collect();
            let path = self.index.path_of(&part.file);
            let (kept, gone) = staging.rewrite_without(self.stored, &path, &rows)?;
            collect(&mut removed, gone, fates);
            staging.discard(part)?;
            for part in kept {
                staging.adopt(part)?;
            }
        }
        staging.compact(self.stored)?;
        if staging.paths(&self.contract.name).is_empty() {
            staging.put_empty(self.stored)?;
        }
        Ok(removed)
    }

    /// Puts removed rows where they belong, and tells conflicts.
    fn tell(&mut self, staging: &mut Staging, gone: Gone, rewrite: bool) -> Result<(), PipelineError> {
        let history = history_contract(self.stored);
        let mut writer = None;
        for (file, rows) in std::mem::take(&mut self.stale) {
            let taking = &self.files[file];
            let versions = Versions {
                until: vec![taking.arrival; rows.rows()],
                outcome: vec![STALE; rows.rows()],
                rows: StoredBatch {
                    arrivals: vec![taking.arrival; rows.rows()],
                    files: vec![Arc::clone(&taking.name); rows.rows()],
                    rows,
                },
            };
            write_history(&mut writer, staging, &history, versions)?;
        }
        for versions in gone.versions {
            for arrival in &versions.rows.arrivals {
                let change = self.change(*arrival);
                change.current -= 1;
                change.superseded += 1;
            }
            write_history(&mut writer, staging, &history, versions)?;
        }
        let empty = Batch::new(&super::record::cell_kinds(self.stored));
        for one in gone.others {
            let change = self.change(one.arrival);
            change.current -= 1;
            match one.fate {
                // these are versions
                Fate::Superseded { .. } | Fate::Ended { .. } => {}
                Fate::Replaced => change.duplicate += 1,
                Fate::Conflict => {
                    change.quarantined += 1;
                    let key = key_hash(&empty, self.contract, &one.row);
                    self.conflicting.push(Conflicting {
                        key,
                        arrival: one.arrival,
                        file_name: one.file_name,
                        line: one.line,
                        row: one.row,
                        was_current: true,
                    });
                }
                Fate::Orphaned => {
                    change.held += 1;
                    self.hold_orphan(&empty, one)?;
                }
                Fate::Refused(found) => {
                    change.quarantined += 1;
                    self.refuse(&one.row, one.arrival, &one.file_name, one.line, found);
                }
            }
        }
        if let Some(writer) = writer {
            for part in writer.finish()? {
                staging.adopt(part)?;
            }
        }
        if rewrite {
            // one schema in all files of a table
            for part in staging.parent_parts(&history.name) {
                let path = self.index.trusted(&part)?;
                for part in staging.rewrite_without(&history, &path, &[])?.0 {
                    staging.adopt(part)?;
                }
            }
        } else {
            staging.carry_files(&history.name, |_| true)?;
        }
        staging.compact(&history)?;
        self.tell_conflicts();
        Ok(())
    }

    fn hold_orphan(&mut self, empty: &Batch, one: Removed) -> Result<(), StoreError> {
        let mut batch = empty.clone();
        batch.push_row(one.line, &one.row);
        let first = super::known::first_unknown(&self.outside, &batch)?;
        let (table, referenced, column) = match (first.get(&0), self.own) {
            (Some(number), _) => {
                let reference = &self.outside[*number];
                (reference.table.clone(), reference.referenced.clone(), reference.column)
            }
            (None, Some((own, named))) => (
                self.contract.name.clone(),
                self.contract.columns[named].name.clone(),
                own,
            ),
            (None, None) => (self.contract.name.clone(), String::new(), 0),
        };
        self.held.push(HeldRow {
            arrival: one.arrival,
            line: one.line,
            file_name: one.file_name,
            row_hash: row_digest(self.contract, &one.row),
            missing_table: table,
            missing_column: referenced,
            missing_value: one.row[column].to_string(),
            record: to_json(self.contract, &one.row),
        });
        Ok(())
    }
}
