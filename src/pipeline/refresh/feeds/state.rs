//! What a pass knows of rows, files and partners.
//!
//! Duty: the words in which rows are decided about. Must not: decide.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use crate::domain::Batch;
use crate::ingest::keys::{FreshId, KeyMap};
use crate::ingest::source::Source;

/// Where a row lies that this run takes out of the current ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum At {
    /// Part of the parent release, row.
    Stored(u32, u32),
    Fresh(FreshId),
}

/// What becomes of a row that was current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// To the history, current until this arrival.
    Superseded { until: i64 },
    /// To the history: the snapshot of this arrival does not have its key.
    Ended { until: i64 },
    /// To quarantine: its key stands with other values elsewhere.
    Conflict,
    /// A duplicate now: a later delivery says the same.
    Replaced,
    /// Held: what it refers to is gone.
    Orphaned,
    /// To quarantine: the contract does not allow it any more.
    Refused(Vec<Refusal>),
}

/// Why the contract does not allow a row: column, rule, reason, remedy.
pub(super) type Refusal = (Option<String>, String, String, String);

/// A file of which rows are taken.
pub(super) struct Taking<'a> {
    pub(super) arrival: i64,
    pub(super) name: Arc<str>,
    pub(super) source: &'a Source,
    /// By the name of the file, where the source says so.
    pub(super) order: Option<i64>,
    /// Rows that waited: they are counted already.
    pub(super) again: bool,
}

/// How versions of the feed are ordered: as all its sources that supersede declare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ordering {
    Arrival,
    FileName,
    Column(usize),
}

/// A row that refers to its own feed and is decided about when all others are.
pub(super) struct Deferred {
    pub(super) file: usize,
    pub(super) rows: Batch,
}

/// A row in conflict.
pub(super) struct Conflicting {
    pub(super) key: u128,
    pub(super) arrival: i64,
    pub(super) file_name: Arc<str>,
    pub(super) line: i64,
    pub(super) row: crate::domain::Row,
    pub(super) was_current: bool,
}

/// What is told of new facts.
#[derive(Default)]
pub(super) struct Flags {
    /// Rows by file and partner, dated outside its membership.
    pub(super) outside: BTreeMap<(Arc<str>, String), u64>,
    /// Rows dated in closed periods.
    pub(super) closed: u64,
}

/// First and last day on which each partner belongs, as days since 1970-01-01, by the partner's hash.
#[derive(Default)]
pub(super) struct Members {
    days: KeyMap<(i32, i32)>,
    /// On these days every partner belongs.
    all: Option<(i32, i32)>,
}

impl Members {
    pub(super) fn insert(&mut self, partner: u128, joined: i32, left: i32) {
        self.days.insert(partner, (joined, left));
        let (from, to) = self.all.unwrap_or((i32::MIN, i32::MAX));
        self.all = Some((from.max(joined), to.min(left)));
    }

    pub(super) fn all_belong(&self, day: i32) -> bool {
        self.all.is_none_or(|(from, to)| from <= day && day <= to)
    }

    /// A partner that is not known is not outside.
    pub(super) fn is_outside(&self, partner: u128, day: i32) -> bool {
        let days = self.days.get(&partner);
        days.is_some_and(|(joined, left)| day < *joined || day > *left)
    }
}

/// By partner its regions.
pub(super) type Regions = Rc<HashMap<String, BTreeSet<String>>>;

/// What a new fact is looked at for.
pub(super) struct Watch {
    pub(super) date: usize,
    /// Column of the partner, and when each belongs.
    pub(super) members: Option<(usize, Rc<Members>)>,
    pub(super) closed_until: Option<i32>,
}
