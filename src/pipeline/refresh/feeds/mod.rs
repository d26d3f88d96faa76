//! Feeds: new files into current rows, with history, quarantine, held rows and the register of files.
//!
//! Duty: which feed is touched by what (files, rows that waited, references that are gone, another contract), one pass
//! for each, its parts staged. A feed that nothing touches is carried as it is. Not its duty: what a row must be
//! (contracts), how one is read (ingest), how parts lie (store).
//!
//! | step | in |
//! |---|---|
//! | the original, read in a thread of its own | `original` |
//! | each row against what holds of its key | `pass`, in the words of `state` |
//! | parts without the rows that are current no more | `finish` |
//! | rows that are current no more, as history | `history` |
//! | rows that a contract or another row contradicts | `refused` |
//! | what rows may refer to | `known` |
//! | personal values, rows as JSON | `record` |

mod finish;
pub(super) mod history;
mod known;
mod original;
mod pass;
mod record;
mod refused;
mod state;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use self::finish::Finished;
use self::history::history_name;
use self::known::{Known, Lost, Outside};
use self::original::Read;
use self::pass::{Pass, order_of_name};
use self::record::{data_columns, stored_contract};
use self::refused::conflict_row;
use self::state::{Flags, Members, Ordering, Regions, Taking, Watch};
use self::waiting::Waiting;
use super::register::{FileLine, Intake, Quarantined};
use super::{PipelineError, Refresh, digest};
use crate::contracts::{Contract, ContractKind, Reference};
use crate::domain::{Finding, Place, batch};
use crate::ingest::keys::FreshKeys;
use crate::ingest::source::{Mode, Order, Source};
use crate::ingest::{FileCounts, FileOutcome, Verdict};
use crate::pipeline::inbox::Incoming;
use crate::store::parts::{FeedWriter, KeyIndex};

/// Counts of one feed in this run, for people.
#[derive(Clone, Debug, Default)]
pub struct FeedCounts {
    pub feed: String,
    pub files: usize,
    /// Records of the files of this run by state.
    pub counts: FileCounts,
    /// Rows of the feed that are current now.
    pub current_rows: u64,
}

/// What the feeds of a run tell each other.
#[derive(Default)]
pub(super) struct Shared {
    known: BTreeMap<(String, String), Rc<Known>>,
    lost: Lost,
    /// Bytes of files read so far.
    done: u64,
}

/// How an attempt at a feed ended.
enum Attempt {
    Done,
    /// A file of which rows were taken already is to be set aside: the feed is done again without it.
    Again(u64, Box<FileOutcome>),
}

impl Refresh<'_> {
    /// Reads what arrived and stages every feed with `files`, `quarantine`, `held` and `conflicts`.
    pub(super) fn feeds(&mut self) -> Result<(), PipelineError> {
        let mut intake = self.intake_of_parent()?;
        let mut shared = Shared::default();
        let index = Rc::new(self.staging.key_index());
        for contract in self.task.config.catalogue.feeds() {
            let new = self
                .task
                .incoming
                .iter()
                .filter(|i| i.arrival.feed == contract.name)
                .cloned();
            let incoming: Vec<Incoming> = self.aside_again(contract, &intake)?.into_iter().chain(new).collect();
            let mut aside = BTreeMap::new();
            while let Attempt::Again(arrival, outcome) =
                self.feed(contract, &incoming, &aside, &mut intake, &mut shared, &index)?
            {
                aside.insert(arrival, *outcome);
            }
        }
        self.settle_corrections(&mut intake)?;
        self.stage_register(intake)
    }

    /// Files that were set aside, to be read again when the configuration changed: a corrected source or contract reads
    /// them rightly, and nothing of them was used so far.
    fn aside_again(&self, contract: &Contract, intake: &Intake) -> Result<Vec<Incoming>, PipelineError> {
        let parent = self.task.parent.as_ref().map(|p| p.manifest.configuration);
        if parent.is_none_or(|configuration| configuration == self.task.config.hash) {
            return Ok(Vec::new());
        }
        let aside: BTreeSet<u64> = intake
            .register
            .iter()
            .filter(|(_, line)| line.feed == contract.name && line.state == "set_aside")
            .filter_map(|(arrival, _)| u64::try_from(*arrival).ok())
            .collect();
        if aside.is_empty() {
            return Ok(Vec::new());
        }
        let arrivals = crate::store::landing::arrivals(self.task.layout)?;
        Ok(arrivals
            .into_iter()
            .filter(|a| aside.contains(&a.arrival))
            .map(|arrival| Incoming {
                path: self.task.layout.original(arrival.sha256),
                arrival,
            })
            .collect())
    }

    /// Takes one feed through a pass, or carries it where nothing touches it.
    fn feed(
        &mut self,
        contract: &Contract,
        incoming: &[Incoming],
        aside: &BTreeMap<u64, FileOutcome>,
        intake: &mut Intake,
        shared: &mut Shared,
        index: &Rc<KeyIndex>,
    ) -> Result<Attempt, PipelineError> {
        let name = &contract.name;
        let stored = stored_contract(contract);
        let parts = self.staging.parent_parts(name);
        let outside = self.outside(contract, shared, index)?;
        let own = own_reference(contract);
        let waiting = Waiting::sort(
            self,
            contract,
            &stored,
            intake,
            &outside,
            own,
            !incoming.is_empty(),
            &parts,
            index,
        )?;
        let lost: Vec<(usize, HashSet<u128>)> = outside
            .iter()
            .filter_map(|o| {
                Some((
                    o.column,
                    shared.lost.get(&(o.table.clone(), o.referenced.clone()))?.clone(),
                ))
            })
            .collect();
        let changed = self.contract_changed(name);
        let untouched = incoming.is_empty() && waiting.is_quiet() && lost.is_empty() && !changed;
        if untouched && self.staging.parent().is_some() {
            self.staging.carry(name, |_| true)?;
            self.staging.carry(&history_name(name), |_| true)?;
            if self.staging.paths(name).is_empty() {
                self.staging.put_empty(&stored)?;
            }
            return Ok(Attempt::Done);
        }
        let mut pass = self.pass(contract, &stored, parts, outside, own, intake, index)?;
        if changed {
            pass.refuse_by_contract()?;
        }
        for (column, values) in &lost {
            pass.orphan(*column, values)?;
        }
        let mut waiting = waiting;
        waiting.release(self, contract, &stored, intake, &mut pass)?;
        let mut read: Vec<(&Incoming, FileOutcome)> = Vec::new();
        for one in incoming {
            if let Some(outcome) = aside.get(&one.arrival.arrival) {
                read.push((one, outcome.clone()));
                continue;
            }
            match self.read_into(contract, one, &mut pass, intake, shared)? {
                Read::Taken(outcome) => read.push((one, *outcome)),
                Read::Spoiled(outcome) => return Ok(Attempt::Again(one.arrival.arrival, outcome)),
            }
        }
        let referenced = self.referenced_columns(contract);
        let finished = pass.finish(&mut self.staging, &referenced, changed)?;
        self.register(contract, read, waiting, finished, intake, shared)?;
        Ok(Attempt::Done)
    }

    /// Writes down what a pass did: files, quarantine, held rows, conflicts, findings.
    fn register(
        &mut self,
        contract: &Contract,
        read: Vec<(&Incoming, FileOutcome)>,
        waiting: Waiting,
        mut finished: Finished,
        intake: &mut Intake,
        shared: &mut Shared,
    ) -> Result<(), PipelineError> {
        let name = &contract.name;
        let files = read.len();
        let mut new_files = BTreeSet::new();
        for (one, outcome) in read {
            let number = signed(one.arrival.arrival);
            new_files.insert(number);
            let change = finished
                .changes
                .entry(number)
                .or_insert_with(|| FileCounts::of_arrival(number));
            change.records += outcome.records - outcome.rows;
            change.skipped += outcome.skipped.values().sum::<i64>();
            change.quarantined += outcome.rejected();
            intake.register.insert(number, self.file_line(contract, one, &outcome));
            self.summary.findings.extend(outcome.notes);
            let file_name: Arc<str> = one.arrival.file_name.as_str().into();
            finished.quarantined.extend(
                outcome
                    .rejects
                    .into_iter()
                    .map(|reject| Quarantined::of_reject(number, &file_name, reject)),
            );
        }
        let mut counts = FileCounts::default();
        for (arrival, change) in &finished.changes {
            if new_files.contains(arrival) {
                counts += *change;
            }
            if let Some(line) = intake.register.get_mut(arrival) {
                line.counts += *change;
            }
        }
        self.summary.feeds.push(FeedCounts {
            feed: name.clone(),
            files,
            counts,
            current_rows: self.staging.rows(name),
        });
        for (column, values) in finished.lost {
            let column = contract.columns[column].name.clone();
            shared.lost.entry((name.clone(), column)).or_default().extend(values);
        }
        self.tell_flags(contract, finished.flags);
        finished.quarantined.sort_by_key(|q| (q.arrival, q.line, q.row_no));
        self.keep_quarantined(contract, &finished.quarantined, intake)?;
        waiting.keep(self.task.as_of, contract, finished.held, intake);
        intake.conflicts.retain(|row| row[0] != name.as_str().into());
        intake.conflicts.extend(
            finished
                .conflicts
                .into_iter()
                .map(|(key, order)| conflict_row(name, key, order)),
        );
        Ok(())
    }

    fn file_line(&mut self, contract: &Contract, one: &Incoming, outcome: &FileOutcome) -> FileLine {
        let arrival = &one.arrival;
        let (state, reason) = match &outcome.verdict {
            Verdict::Read => ("read", None),
            Verdict::SetAside { reason } => ("set_aside", Some(reason.clone())),
        };
        if let Some(reason) = &reason {
            self.summary.set_aside.push((arrival.file_name.clone(), reason.clone()));
        }
        FileLine {
            feed: contract.name.clone(),
            source: arrival.source.clone(),
            file_name: arrival.file_name.clone(),
            file_hash: arrival.sha256.to_string(),
            bytes: signed(arrival.bytes),
            state,
            reason,
            counts: FileCounts::of_arrival(signed(arrival.arrival)),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a pass stands on")]
    fn pass<'p>(
        &self,
        contract: &'p Contract,
        stored: &'p Contract,
        parts: Vec<crate::store::manifest::ReleaseFile>,
        outside: Vec<Outside>,
        own: Option<(usize, usize)>,
        intake: &Intake,
        index: &Rc<KeyIndex>,
    ) -> Result<Pass<'p>, PipelineError> {
        let sources: Vec<&Source> = self
            .task
            .config
            .sources
            .iter()
            .filter(|s| s.feed == contract.name)
            .collect();
        let ordering = ordering(contract, &sources);
        let mut order_of_arrival = BTreeMap::new();
        if ordering == Ordering::FileName {
            for (arrival, line) in &intake.register {
                let source = sources.iter().find(|s| s.name == line.source);
                if let Some(order) = source.and_then(|s| order_of_name(s, &line.file_name)) {
                    order_of_arrival.insert(*arrival, order);
                }
            }
        }
        Ok(Pass {
            contract,
            stored,
            ordering,
            parts,
            index: Rc::clone(index),
            outside,
            own,
            regions: self.regions_of_partners(contract, &sources)?,
            watch: self.watch(contract)?,
            order_of_arrival,
            read_before: signed(self.task.parent.as_ref().map_or(0, |p| p.manifest.last_arrival)),
            writer: FeedWriter::new(&self.staging, stored)?,
            files: Vec::new(),
            starts: Vec::new(),
            fresh: FreshKeys::default(),
            places: Vec::new(),
            orders: Vec::new(),
            gone: BTreeMap::new(),
            conflicts: super::register::conflicts_of(&intake.conflicts, &contract.name),
            conflicting: Vec::new(),
            deferred: Vec::new(),
            stale: Vec::new(),
            stale_rows: Vec::new(),
            names: HashSet::new(),
            quarantined: Vec::new(),
            held: Vec::new(),
            changes: BTreeMap::new(),
            flags: Flags::default(),
        })
    }

    /// The references of a feed to others, each with what is known there.
    fn outside(
        &self,
        contract: &Contract,
        shared: &mut Shared,
        index: &Rc<KeyIndex>,
    ) -> Result<Vec<Outside>, PipelineError> {
        let mut outside = Vec::new();
        for (column, reference) in references(contract) {
            if reference.table == contract.name {
                continue;
            }
            let key = (reference.table.clone(), reference.column.clone());
            let known = match shared.known.get(&key) {
                Some(known) => Rc::clone(known),
                None => {
                    let other = stored_contract(self.task.config.contract(&reference.table));
                    let at = other.columns.iter().position(|c| c.name == reference.column);
                    let parts = self.staging.files_of(&reference.table);
                    let history = self.staging.files_of(&history_name(&reference.table));
                    let known = Rc::new(Known::load(
                        &other,
                        at.unwrap_or_default(),
                        parts,
                        &history,
                        Rc::clone(index),
                    )?);
                    shared.known.insert(key, Rc::clone(&known));
                    known
                }
            };
            outside.push(Outside {
                column,
                table: reference.table.clone(),
                referenced: reference.column.clone(),
                known,
            });
        }
        Ok(outside)
    }

    /// Columns of a feed that any feed refers to.
    fn referenced_columns(&self, contract: &Contract) -> Vec<usize> {
        let mut columns: Vec<usize> = self
            .task
            .config
            .catalogue
            .feeds()
            .flat_map(references)
            .filter(|(_, r)| r.table == contract.name)
            .filter_map(|(_, r)| contract.columns.iter().position(|c| c.name == r.column))
            .collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    fn contract_changed(&self, name: &str) -> bool {
        let version = &self.task.config.contract(name).digest;
        self.task.parent.as_ref().is_some_and(|parent| {
            parent.manifest.contracts_hash != self.task.config.catalogue.digest()
                && parent_contract_digest(self.task, name).is_none_or(|d| d != *version)
        })
    }

    /// By partner its regions, where a source of the feed is bound to some.
    fn regions_of_partners(&self, contract: &Contract, sources: &[&Source]) -> Result<Option<Regions>, PipelineError> {
        let bound = sources
            .iter()
            .any(|s| s.sender.as_ref().is_some_and(|b| !b.regions.is_empty()));
        if !bound || contract.name == "partners" {
            return Ok(None);
        }
        let mut regions: HashMap<String, BTreeSet<String>> = HashMap::new();
        for row in self.table("partners")?.iter() {
            let of = regions.entry(row.text("partner_id")?.to_owned()).or_default();
            of.insert(row.text("region")?.to_owned());
        }
        Ok(Some(Rc::new(regions)))
    }

    /// What new facts are looked at for.
    fn watch(&self, contract: &Contract) -> Result<Option<Watch>, PipelineError> {
        let (ContractKind::Fact, Some(date)) = (contract.kind, contract.business_date) else {
            return Ok(None);
        };
        let partner = references(contract)
            .find(|(_, r)| r.table == "partners" && r.column == "partner_id")
            .map(|(column, _)| column);
        let members = match partner {
            None => None,
            Some(column) => {
                let mut members = Members::default();
                for (partner, (joined, left)) in self.memberships()? {
                    let left = left.map_or(i32::MAX, batch::days);
                    members.insert(batch::text_hash(&partner), batch::days(joined), left);
                }
                Some((column, Rc::new(members)))
            }
        };
        Ok(Some(Watch {
            date,
            members,
            closed_until: self.closed_until()?.map(batch::days),
        }))
    }

    fn tell_flags(&mut self, contract: &Contract, flags: Flags) {
        let Some(date) = contract.business_date else { return };
        for ((file, partner), count) in flags.outside {
            self.summary.findings.push(Finding::warning(
                Place::file(file.as_ref()).column(contract.columns[date].name.as_str()),
                "fact.outside-membership",
                format!("{count} rows of partner {partner} are dated before it joined or after it left; they count"),
                "correct the dates of the partner, or those of the rows",
            ));
        }
        if flags.closed > 0 {
            self.summary.findings.push(Finding::note(
                Place::file(contract.name.as_str()),
                "fact.closed-period",
                format!("{} new rows are dated in closed periods", flags.closed),
                "scores of closed periods stay as they were sealed; money that changes posts in the first open period",
            ));
        }
    }
}

/// Columns that refer to another one, in the order of the contract.
fn references(contract: &Contract) -> impl Iterator<Item = (usize, &Reference)> {
    data_columns(contract)
        .iter()
        .enumerate()
        .filter_map(|(i, c)| Some((i, c.reference.as_ref()?)))
}

/// The column of a feed that refers to the feed itself, and the column it means.
fn own_reference(contract: &Contract) -> Option<(usize, usize)> {
    references(contract)
        .filter(|(_, r)| r.table == contract.name)
        .find_map(|(column, r)| Some((column, contract.columns.iter().position(|c| c.name == r.column)?)))
}

/// The order that the sources of a feed declare; where none supersedes, it decides nothing.
fn ordering(contract: &Contract, sources: &[&Source]) -> Ordering {
    let declared = sources.iter().find(|s| s.mode != Mode::Append).map(|s| &s.order);
    match declared {
        Some(Order::FileName(_)) => Ordering::FileName,
        Some(Order::Column(name)) => contract
            .columns
            .iter()
            .position(|c| c.name == *name)
            .map_or(Ordering::Arrival, Ordering::Column),
        Some(Order::Arrival) | None => Ordering::Arrival,
    }
}

/// Digest of a contract as the parent run used it.
fn parent_contract_digest(task: &super::Task<'_>, name: &str) -> Option<crate::domain::Digest> {
    let parent = task.parent.as_ref()?;
    let bundle = crate::store::landing::configuration(task.layout, parent.manifest.configuration).ok()?;
    bundle
        .get(&format!("schemas/{name}.odcs.yaml"))
        .map(|text| digest(text))
}

/// A number of landing as tables hold it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl<'a> Taking<'a> {
    /// A file of a source; `None` when the source orders files by name and this name says nothing.
    fn new(arrival: i64, file_name: &str, source: &'a Source, again: bool) -> Option<Taking<'a>> {
        let order = match &source.order {
            Order::FileName(_) if source.mode != Mode::Append => Some(order_of_name(source, file_name)?),
            _ => None,
        };
        Some(Taking {
            arrival,
            name: file_name.into(),
            source,
            order,
            again,
        })
    }
}
