//! The plan: what a run would do, and why.
//!
//! Duty: reasons as values, and the dry run, which is the run without its last step. Not its duty: effects that stay.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::PipelineError;
use super::config::Config;
use super::inbox::{self, Incoming, Look};
use super::refresh::{self, Progress, Summary, Task, periods};
use super::run::{next_run, pending};
use super::silent;
use crate::domain::hash::Hasher;
use crate::domain::{Date, Findings, Instant, Period, Zone};
use crate::edges::clock::Clock;
use crate::edges::files;
use crate::store::landing;
use crate::store::layout::Layout;
use crate::store::lock::WriterLock;
use crate::store::recover::recover;
use crate::store::release::Release;

/// Why a run has something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no release yet.
    FirstRun,
    /// A file with new content.
    NewFile { file_name: String, bytes: u64 },
    /// Rules, contracts, sources, measures or mail settings changed.
    Configuration(&'static str),
    /// Another version of the program.
    Program { was: String },
    /// A period has ended since.
    PeriodEnded(Period),
    /// The days of a red line have ended since: what was held is released.
    RedLineEnded { partner: String, on: Date },
    /// Rows of a feed have waited for longer than its contract allows.
    HeldTooLong { feed: String, rows: usize },
    /// The rows of a source are expected since.
    DeadlinePassed {
        feed: String,
        source: String,
        period: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::FirstRun => f.write_str("there is no release yet"),
            Reason::NewFile { file_name, bytes } => write!(f, "new file {file_name} ({bytes} bytes)"),
            Reason::Configuration(what) => write!(f, "{what} changed"),
            Reason::Program { was } => {
                write!(
                    f,
                    "the last release was made by version {was}, this is {}",
                    env!("CARGO_PKG_VERSION")
                )
            }
            Reason::PeriodEnded(period) => write!(f, "{period} has ended"),
            Reason::RedLineEnded { partner, on } => write!(f, "the red-line days of {partner} ended on {on}"),
            Reason::HeldTooLong { feed, rows } => write!(f, "{rows} rows of {feed} have waited for too long"),
            Reason::DeadlinePassed { feed, source, period } => {
                write!(f, "rows of {feed} from {source} are due for {period}")
            }
        }
    }
}

/// The reasons for a run, most important first; empty when there is nothing to do.
pub fn reasons(
    config: &Config,
    release: Option<&Release>,
    incoming: &[Incoming],
    as_of: Instant,
) -> Result<Vec<Reason>, PipelineError> {
    let files = incoming.iter().map(|i| Reason::NewFile {
        file_name: i.arrival.file_name.clone(),
        bytes: i.arrival.bytes,
    });
    let Some(release) = release else {
        return Ok(std::iter::once(Reason::FirstRun).chain(files).collect());
    };
    let manifest = &release.manifest;
    let mut out: Vec<Reason> = files.collect();
    let parts = [
        (manifest.rules_hash != config.rules.hash(), "the rule book"),
        (manifest.contracts_hash != config.catalogue.digest(), "a contract"),
        (manifest.measures_hash != config.measures_hash, "a measure"),
    ];
    out.extend(
        parts
            .iter()
            .filter(|(changed, _)| *changed)
            .map(|(_, what)| Reason::Configuration(what)),
    );
    if manifest.configuration != config.hash && !parts.iter().any(|(changed, _)| *changed) {
        out.push(Reason::Configuration(
            "the configuration (a source, the mail settings or a comment)",
        ));
    }
    if manifest.code_version != env!("CARGO_PKG_VERSION") {
        out.push(Reason::Program {
            was: manifest.code_version.clone(),
        });
    }
    let then = Instant::parse(&manifest.as_of).map_err(|e| PipelineError::Stage {
        what: "as_of of the manifest",
        detail: e.to_string(),
    })?;
    let before = ended(config, then)?;
    let now = ended(config, as_of)?;
    out.extend(red_lines_ended(release, then, as_of)?);
    out.extend(held_too_long(config, release, as_of)?);
    out.extend(now.difference(&before).copied().map(Reason::PeriodEnded));
    let due = silent::judged_between(release, Zone::UTC.date_of(then), Zone::UTC.date_of(as_of))?;
    out.extend(
        due.into_iter()
            .map(|(feed, source, period)| Reason::DeadlinePassed { feed, source, period }),
    );
    Ok(out)
}

/// Evaluation and earning periods that have ended.
fn ended(config: &Config, as_of: Instant) -> Result<BTreeSet<Period>, PipelineError> {
    let mut ended: BTreeSet<Period> = periods::ended_periods(&config.rules, as_of)?.into_iter().collect();
    ended.extend(periods::ended_earning_periods(&config.rules, as_of)?);
    Ok(ended)
}

/// Feeds with rows that have waited for longer than the contract says.
fn held_too_long(config: &Config, release: &Release, as_of: Instant) -> Result<Vec<Reason>, PipelineError> {
    let limited: BTreeMap<&str, i64> = config
        .catalogue
        .feeds()
        .filter_map(|c| Some((c.name.as_str(), i64::from(c.held_days?))))
        .collect();
    if limited.is_empty() {
        return Ok(Vec::new());
    }
    let today = Zone::UTC.date_of(as_of);
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    for row in release.read_table("held")?.iter() {
        let feed = row.text("feed")?;
        // a version that did not keep the day began to count when this one took over
        let Ok(since) = row.date("held_since") else { continue };
        if limited.get(feed).is_some_and(|days| (today - since).num_days() > *days) {
            *rows.entry(feed.to_owned()).or_default() += 1;
        }
    }
    Ok(rows
        .into_iter()
        .map(|(feed, rows)| Reason::HeldTooLong { feed, rows })
        .collect())
}

/// Red lines of the latest cards whose days ended between two presents.
fn red_lines_ended(release: &Release, then: Instant, now: Instant) -> Result<Vec<Reason>, PipelineError> {
    let (then, now) = (Zone::UTC.date_of(then), Zone::UTC.date_of(now));
    let mut ended = BTreeSet::new();
    if now > then {
        for row in release.read_table("partner_scores")?.iter() {
            if let Some(until) = row
                .opt_date("red_line_until")?
                .filter(|until| then < *until && *until <= now)
            {
                ended.insert((row.text("partner_id")?.to_owned(), until));
            }
        }
    }
    Ok(ended
        .into_iter()
        .map(|(partner, on)| Reason::RedLineEnded { partner, on })
        .collect())
}

/// Hash of all that a refresh depends on: inputs, and the present as the reasons it gives.
pub fn fingerprint(
    config: &Config,
    last_arrival: u64,
    as_of: Instant,
    reasons: &[Reason],
) -> Result<String, PipelineError> {
    let mut hasher = Hasher::new();
    hasher.field(config.hash.to_string().as_bytes());
    hasher.field(last_arrival.to_string().as_bytes());
    hasher.field(env!("CARGO_PKG_VERSION").as_bytes());
    for period in ended(config, as_of)? {
        hasher.field(period.to_string().as_bytes());
    }
    // what only a day gives rise to stands in nothing else that is hashed here
    let by_day = |r: &&Reason| {
        matches!(
            r,
            Reason::RedLineEnded { .. } | Reason::HeldTooLong { .. } | Reason::DeadlinePassed { .. }
        )
    };
    for reason in reasons.iter().filter(by_day) {
        hasher.field(reason.to_string().as_bytes());
    }
    Ok(hasher.finish().to_string())
}

/// What a run would do.
#[derive(Debug)]
pub struct Plan {
    pub reasons: Vec<Reason>,
    /// What it would come to; `None` when there is nothing to do.
    pub summary: Option<Summary>,
    /// Recorded runs that would be done again first; their effect is in `summary` of the run itself only.
    pub to_replay: usize,
    pub findings: Findings,
}

/// Does everything a run does and throws it away: nothing arrives, nothing is published, nothing is sent.
pub fn plan(
    layout: &Layout,
    config: &Config,
    as_of: Instant,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<Plan, PipelineError> {
    let _lock = WriterLock::take(layout, clock.now())?;
    recover(layout)?;
    let release = Release::current(layout)?;
    super::run::check_as_of(release.as_ref(), as_of)?;
    let done = release.as_ref().map_or(0, |r| r.manifest.run);
    let to_replay = landing::runs(layout)?.iter().filter(|r| r.run > done).count();
    let now = clock.now();
    let (fresh, findings) = inbox::preview(&Look {
        layout,
        config,
        now,
        progress,
    })?;
    let mut incoming = pending(layout, release.as_ref())?;
    incoming.extend(fresh);
    let reasons = reasons(config, release.as_ref(), &incoming, as_of)?;
    if reasons.is_empty() {
        return Ok(Plan {
            reasons,
            summary: None,
            to_replay,
            findings,
        });
    }
    let last_arrival = incoming.last().map_or_else(
        || release.as_ref().map_or(0, |r| r.manifest.last_arrival),
        |i| i.arrival.arrival,
    );
    let run = next_run(release.as_ref());
    let task = Task {
        layout,
        config,
        run,
        as_of,
        incoming,
        last_arrival,
        parent: release,
        dry: true,
    };
    let refreshed = refresh::refresh(&task, progress)?;
    files::remove_tree_if_there(refreshed.staging.folder()).map_err(crate::store::StoreError::from)?;
    Ok(Plan {
        reasons,
        summary: Some(refreshed.summary),
        to_replay,
        findings,
    })
}
