//! The refresh: from new arrivals to a staged release, one stage after the other.
//!
//! Duty: the order of the stages and the hand-over between them. What is derived, from what, in which step:
//!
//! | step | derives | from |
//! |---|---|---|
//! | `feeds` | current rows, quarantine, held, files | originals, sources, contracts, the parent's rows |
//! | `periods` | open and closed periods | decisions, the parent's periods, as_of |
//! | `freshness` | silent and thin sources | feeds by business date, contracts, waivers |
//! | `measure` | calendars and measures | feeds, rules |
//! | `programme` | certifications as they hold; findings of the authorisation check; reviews, plans, entitlements | feeds, decisions, measures, scores, rules |
//! | `evaluate` | metrics, scores, cards, key events | measures, feeds, rules, sealed results |
//! | `books` | rebates and ledger | sales measure, scores, rules, the parent's ledger |
//! | `settlement` | payments, adjustments, reversals; documents and statements of periods that close; the next proposal; periods | ledger, feeds, decisions |
//! | `mails` | messages and their bytes | everything above |
//! | `checks` | whether it may be published | what was written, read back |
//!
//! Not its duty: publishing (the caller publishes or throws away), rules, arithmetic.

mod books;
mod checks;
pub(in crate::pipeline) mod claims;
mod corrections;
mod evaluate;
mod feeds;
mod flags;
mod freshness;
pub(in crate::pipeline) mod input;
mod mails;
mod measure;
mod messages;
#[cfg(test)]
mod messages_tests;
pub mod periods;
mod press;
mod programme;
mod readers;
mod register;
pub(in crate::pipeline) mod settlement;
mod statements;

use std::collections::BTreeMap;

use crate::domain::{Digest, Findings, Instant, Period, Table};
use crate::store::commit::Staging;
use crate::store::layout::Layout;
use crate::store::release::Release;

use super::PipelineError;
use super::config::Config;
use super::inbox::Incoming;

pub use books::Delta;
pub(in crate::pipeline) use books::grade_rows;
pub use feeds::FeedCounts;
pub use periods::Timeline;

/// What a refresh is given: an immutable value, so that `plan` and `run` and a rebuild do the same.
#[derive(Debug)]
pub struct Task<'a> {
    pub layout: &'a Layout,
    pub config: &'a Config,
    pub run: u64,
    pub as_of: Instant,
    /// Arrivals that the parent has not read.
    pub incoming: Vec<Incoming>,
    /// Last arrival that is read, also when none is new.
    pub last_arrival: u64,
    pub parent: Option<Release>,
    /// A plan: nothing is written but staging, which is thrown away.
    pub dry: bool,
}

/// A release that could be published.
#[derive(Debug)]
pub struct Refreshed {
    pub staging: Staging,
    pub summary: Summary,
    pub ledger_head: String,
    pub ledger_entries: u64,
    pub checks: Vec<String>,
}

/// What a refresh did, for people.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub feeds: Vec<FeedCounts>,
    pub set_aside: Vec<(String, String)>,
    /// Latest period that was evaluated, with its counts.
    pub evaluated: Option<Evaluated>,
    pub deltas: Vec<Delta>,
    pub closed: Vec<Period>,
    pub messages: usize,
    pub without_recipient: usize,
    pub held_messages: usize,
    pub findings: Findings,
}

/// Counts of one period's cards.
#[derive(Clone, Debug)]
pub struct Evaluated {
    pub period: Period,
    pub rated: usize,
    pub provisional: usize,
    pub not_rated: usize,
    /// Grades A to E.
    pub grades: [usize; 5],
}

/// The refresh under way: what stages share.
struct Refresh<'a> {
    task: &'a Task<'a>,
    staging: Staging,
    summary: Summary,
    progress: &'a dyn Progress,
    /// Personal texts of this run by token: a plan keeps them here and nowhere else.
    personal: BTreeMap<String, String>,
    /// Sources that are silent or thin in periods that are not closed.
    gaps: Vec<freshness::Gap>,
}

/// Is told what is being done.
pub trait Progress {
    fn step(&self, name: &str);
    /// Bytes read of a file, out of all that are new.
    fn bytes(&self, done: u64, total: u64);
    /// Whether someone asked to stop.
    fn interrupted(&self) -> bool;
}

/// Runs all stages into staging.
pub fn refresh<'a>(task: &'a Task<'a>, progress: &'a dyn Progress) -> Result<Refreshed, PipelineError> {
    let rules_hash = task.config.rules.hash();
    let staging = Staging::begin(task.layout, task.run, task.parent.clone(), rules_hash)?;
    let mut refresh = Refresh {
        task,
        staging,
        summary: Summary::default(),
        progress,
        personal: BTreeMap::new(),
        gaps: Vec::new(),
    };
    refresh.step("reading what arrived")?;
    refresh.feeds()?;
    refresh.step("periods")?;
    let mut timeline = refresh.periods()?;
    let acts = refresh.certifications()?;
    refresh.step("measures")?;
    refresh.measures(&timeline)?;
    refresh.authorisation(&timeline)?;
    refresh.discounts(&timeline)?;
    refresh.step("evaluation")?;
    let red_lines = refresh.evaluate(&timeline)?;
    refresh.reviews(&timeline, &acts, &red_lines)?;
    let book = refresh.books(&mut timeline, red_lines)?;
    refresh.step("scorecards")?;
    refresh.mails(&timeline)?;
    refresh.step("checks")?;
    let passed = refresh.checks(&book)?;
    Ok(Refreshed {
        staging: refresh.staging,
        summary: refresh.summary,
        ledger_head: passed.ledger_head,
        ledger_entries: passed.ledger_entries,
        checks: passed.checks,
    })
}

impl Refresh<'_> {
    fn step(&self, name: &str) -> Result<(), PipelineError> {
        if self.progress.interrupted() {
            return Err(PipelineError::Interrupted);
        }
        tracing::debug!(run = self.task.run, "{name}");
        self.progress.step(name);
        Ok(())
    }

    /// Conforms a table to its contract and stages it.
    fn put(&mut self, table: Table) -> Result<(), PipelineError> {
        let contract = self.task.config.contract(table.name());
        let table = crate::contracts::conform(contract, table).map_err(crate::store::StoreError::Contract)?;
        Ok(self.staging.put(contract, &table)?)
    }

    /// A staged table, read back from disk.
    fn table(&self, name: &str) -> Result<Table, PipelineError> {
        let table = self.staging.read_back(name)?;
        if table.columns().is_empty() {
            let names = self
                .task
                .config
                .contract(name)
                .columns
                .iter()
                .map(|c| c.name.clone())
                .collect();
            return Ok(Table::with_columns(name, names));
        }
        Ok(table)
    }

    /// A table of the parent release; without a parent, empty with the contract's columns.
    fn parent_table(&self, name: &str) -> Result<Table, PipelineError> {
        let names = || {
            self.task
                .config
                .contract(name)
                .columns
                .iter()
                .map(|c| c.name.clone())
                .collect()
        };
        let Some(parent) = self.staging.parent() else {
            return Ok(Table::with_columns(name, names()));
        };
        let table = parent.read_table(name)?;
        Ok(if table.columns().is_empty() {
            Table::with_columns(name, names())
        } else {
            table
        })
    }
}

/// Hash of a text, for keys that people do not read.
fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}
