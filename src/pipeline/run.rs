//! A run: lock, recover, take in, refresh, publish, deliver.
//!
//! Duty: the order of effects, and what a crash between any two of them means for the next run: nothing. Not its
//! duty: what a refresh derives (`refresh`), who is told how (CLI).

use std::collections::BTreeMap;

use super::PipelineError;
use super::config::Config;
use super::deliver::{self, Choice, Delivered};
use super::inbox::{self, Incoming, Look};
use super::jobs::{Alarm, Job, Step};
use super::plan::{self, Reason};
use super::refresh::{self, Progress, Refreshed, Summary, Task};
use super::silent;
use crate::domain::{Finding, Findings, Instant, Place, Severity};
use crate::edges::clock::Clock;
use crate::store::StoreError;
use crate::store::commit::{Provenance, Published, abandon, point_settled};
use crate::store::landing::{self, RunRecord};
use crate::store::layout::Layout;
use crate::store::lock::WriterLock;
use crate::store::operations::Operations;
use crate::store::recover::recover;
use crate::store::release::Release;

/// How a run ended.
#[derive(Debug)]
pub struct RunReport {
    /// Release that is current now; `None` when a job without refresh ran in an empty workspace.
    pub release: Option<Release>,
    /// Why something was done; empty when there was nothing to do.
    pub reasons: Vec<Reason>,
    /// What the refresh did, if there was one.
    pub summary: Option<Summary>,
    /// Whether the refresh made a new release.
    pub published: bool,
    /// Runs that were done again from their records.
    pub replayed: usize,
    pub delivered: Delivered,
    pub findings: Findings,
    /// What is not in order although everything that could be done was done and published.
    pub verdict: Option<PipelineError>,
}

/// What a run is given.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub layout: &'a Layout,
    pub config: &'a Config,
    pub job: &'a Job,
    pub as_of: Instant,
    pub clock: &'a dyn Clock,
    pub progress: &'a dyn Progress,
}

/// Runs a job once. A run with nothing to do changes no byte.
pub fn run(context: &Context<'_>) -> Result<RunReport, PipelineError> {
    let layout = context.layout;
    let _lock = WriterLock::take(layout, context.clock.now())?;
    let recovered = recover(layout)?;
    for release in recovered.finished {
        tracing::info!(release, "recorded by a run that did not finish: current now");
    }
    for removed in recovered.removed {
        tracing::info!(removed, "left behind by a run that did not finish");
    }
    let mut report = RunReport {
        release: None,
        reasons: Vec::new(),
        summary: None,
        published: false,
        replayed: 0,
        delivered: Delivered::default(),
        findings: Vec::new(),
        verdict: None,
    };
    report.replayed = replay(context)?;
    report.release = Release::current(layout)?;
    for step in &context.job.steps {
        match step {
            Step::Refresh => refresh_step(context, &mut report)?,
            Step::Deliver => {
                if let Some(release) = &report.release {
                    report.delivered = deliver::deliver(
                        layout,
                        &context.config.mail,
                        release,
                        Choice::default(),
                        context.clock,
                        context.progress,
                    )?;
                }
            }
        }
    }
    settle(context)?;
    report.verdict = verdict(context, &report)?;
    Ok(report)
}

/// What a run that came to its end still has to tell by its exit code.
fn verdict(context: &Context<'_>, report: &RunReport) -> Result<Option<PipelineError>, PipelineError> {
    let set_aside = report.summary.as_ref().map_or(&[][..], |s| &s.set_aside);
    let counts = context.job.on_set_aside == Alarm::Fail;
    let set_aside = set_aside.iter().filter(|_| counts).map(|(file, reason)| {
        Finding::error(
            Place::file(file.clone()),
            "file.set-aside",
            format!("the file was set aside whole: {reason}"),
            "correct it and deliver it again; everything else was published",
        )
    });
    let errors = report.findings.iter().filter(|f| f.severity == Severity::Error);
    let mut errors: Findings = set_aside.chain(errors.cloned()).collect();
    if let (Some(release), Alarm::Fail) = (&report.release, context.job.on_silent)
        && context.job.steps.contains(&Step::Refresh)
    {
        errors.extend(silent::silences(release, context.config)?);
    }
    if !errors.is_empty() {
        return Ok(Some(PipelineError::Data(errors)));
    }
    // a message held back alarms in the run that made it, not in every later one
    let held: Findings = report
        .summary
        .iter()
        .flat_map(|s| &s.findings)
        .filter(|f| f.rule == "message.held")
        .cloned()
        .collect();
    if !held.is_empty() {
        return Ok(Some(PipelineError::Held(held)));
    }
    let mail = report.delivered.needs_attention();
    Ok(mail.then(|| PipelineError::Mail(report.delivered.describe())))
}

/// The present does not go back: a run before the current release would publish less than is known.
pub(super) fn check_as_of(release: Option<&Release>, as_of: Instant) -> Result<(), PipelineError> {
    let Some(release) = release else { return Ok(()) };
    let latest = Instant::parse(&release.manifest.as_of).map_err(|e| PipelineError::Stage {
        what: "as_of of the manifest",
        detail: e.to_string(),
    })?;
    if as_of < latest {
        return Err(PipelineError::Usage(format!(
            "as_of {as_of} is before {latest}, the present of the current release {}; nothing was taken in: give \
             {latest} or later, or correct the clock of this machine",
            release.name()
        )));
    }
    Ok(())
}

fn refresh_step(context: &Context<'_>, report: &mut RunReport) -> Result<(), PipelineError> {
    let layout = context.layout;
    check_as_of(report.release.as_ref(), context.as_of)?;
    report.findings.extend(inbox::take_in(&Look {
        layout,
        config: context.config,
        now: context.clock.now(),
        progress: context.progress,
    })?);
    let incoming = pending(layout, report.release.as_ref())?;
    report.reasons = plan::reasons(context.config, report.release.as_ref(), &incoming, context.as_of)?;
    if report.reasons.is_empty() {
        return Ok(());
    }
    let operations = Operations::open(&layout.operations())?;
    let last_arrival = landing::last_arrival(layout)?;
    let fingerprint = plan::fingerprint(context.config, last_arrival, context.as_of, &report.reasons)?;
    if let Some(release) = &report.release
        && operations.known_unchanged(&fingerprint, release.name())?
    {
        report.reasons.clear();
        return Ok(());
    }
    let why = report
        .reasons
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    let as_of = context.as_of.to_string();
    let id = operations.begin_run(&context.clock.now().to_string(), &context.job.name, &as_of, &why)?;
    let task = Task {
        layout,
        config: context.config,
        run: next_run(report.release.as_ref()),
        as_of: context.as_of,
        incoming,
        last_arrival,
        parent: report.release.clone(),
        dry: false,
    };
    landing::keep_configuration(layout, &context.config.bundle)?;
    let outcome = refresh::refresh(&task, context.progress).and_then(|r| publish(&task, r, None));
    let now = context.clock.now().to_string();
    match outcome {
        Err(e) => {
            give_up(&task);
            // the first error is the one to tell
            note(operations.end_run(id, &now, "failed", None, None, Some(&e.to_string())));
            Err(e)
        }
        Ok((Some(release), summary)) => {
            // published is published, whatever becomes of the history
            note(operations.end_run(id, &now, "published", Some(release.name()), None, None));
            report.release = Some(release);
            report.published = true;
            report.summary = Some(summary);
            Ok(())
        }
        Ok((None, summary)) => {
            let name = report.release.as_ref().map_or("", |r| r.name());
            operations.remember_unchanged(&fingerprint, name)?;
            operations.end_run(id, &now, "unchanged", Some(name), None, None)?;
            report.summary = Some(summary);
            Ok(())
        }
    }
}

/// Removes what a failed refresh staged, so that a full disk has room again.
fn give_up(task: &Task<'_>) {
    note(abandon(task.layout, task.run));
}

/// An error beside the one that is reported, or beside a success.
fn note(result: Result<(), StoreError>) {
    if let Err(e) = result {
        let source = std::error::Error::source(&e).map(ToString::to_string);
        tracing::warn!(error = %e, source, "tidying up after the run");
    }
}

/// Arrivals that a release has not read.
pub(super) fn pending(layout: &Layout, release: Option<&Release>) -> Result<Vec<Incoming>, PipelineError> {
    let read = release.map_or(0, |r| r.manifest.last_arrival);
    Ok(landing::arrivals_after(layout, read)?
        .into_iter()
        .map(|arrival| Incoming {
            path: layout.original(arrival.sha256),
            arrival,
        })
        .collect())
}

pub(super) fn next_run(release: Option<&Release>) -> u64 {
    release.map_or(0, |r| r.manifest.run) + 1
}

/// Publishes what was refreshed; `None` when it is the parent to the last byte.
fn publish(
    task: &Task<'_>,
    refreshed: Refreshed,
    replay: Option<&RunRecord>,
) -> Result<(Option<Release>, Summary), PipelineError> {
    let config = task.config;
    let provenance = Provenance {
        run: task.run,
        as_of: task.as_of.to_string(),
        last_arrival: task.last_arrival,
        configuration: config.hash,
        rules_hash: config.rules.hash(),
        contracts_hash: config.catalogue.digest(),
        measures_hash: config.measures_hash,
        ledger_head: refreshed.ledger_head,
        ledger_entries: refreshed.ledger_entries,
        checks: refreshed.checks,
    };
    match refreshed.staging.publish(provenance, replay)? {
        Published::Release(release) => Ok((Some(*release), refreshed.summary)),
        Published::Unchanged => Ok((None, refreshed.summary)),
    }
}

/// Does recorded runs again that the warehouse does not hold, as it was deleted: each with the arrivals, the present
/// and the configuration it had. (A run that was killed after it was written down is finished by `recover`.)
fn replay(context: &Context<'_>) -> Result<usize, PipelineError> {
    let layout = context.layout;
    let done = Release::current(layout)?.map_or(0, |r| r.manifest.run);
    let mut replayed = 0;
    for record in landing::runs(layout)?.into_iter().filter(|r| r.run > done) {
        replay_record(layout, Some(context.config), context.progress, &record)?;
        replayed += 1;
    }
    Ok(replayed)
}

/// Does one recorded run again, on what the warehouse of the layout holds. `known` is a configuration that is at hand.
pub(super) fn replay_record(
    layout: &Layout,
    known: Option<&Config>,
    progress: &dyn Progress,
    record: &RunRecord,
) -> Result<(), PipelineError> {
    let kept;
    let config = match known.filter(|known| known.hash == record.configuration) {
        Some(known) => known,
        None => {
            let bundle = landing::configuration(layout, record.configuration)?;
            kept = Config::parse(bundle).map_err(|found| unreadable_bundle(layout, record, found))?;
            &kept
        }
    };
    let as_of = Instant::parse(&record.as_of).map_err(|e| PipelineError::Stage {
        what: "a run record of landing",
        detail: e.to_string(),
    })?;
    let parent = Release::current(layout)?;
    let incoming = pending(layout, parent.as_ref())?;
    let task = Task {
        layout,
        config,
        run: record.run,
        as_of,
        incoming: incoming
            .into_iter()
            .filter(|i| i.arrival.arrival <= record.last_arrival)
            .collect(),
        last_arrival: record.last_arrival,
        parent,
        dry: false,
    };
    tracing::info!(run = record.run, "doing a recorded run again");
    refresh::refresh(&task, progress)
        .and_then(|refreshed| publish(&task, refreshed, Some(record)))
        .inspect_err(|_| give_up(&task))?;
    Ok(())
}

/// The findings of a kept configuration, at the file they are in: the user has another one in `pipelines/`.
fn unreadable_bundle(layout: &Layout, record: &RunRecord, found: Findings) -> PipelineError {
    let place = landing::configuration_path(layout, record.configuration)
        .display()
        .to_string();
    let version = record.code_version.as_deref().unwrap_or("an earlier one");
    let mut findings = vec![Finding::error(
        Place::file(place.clone()),
        "replay.configuration",
        format!(
            "run {} is to be done again with the configuration it had, which this version does not accept",
            record.run
        ),
        format!(
            "run once with the version of the program that made the run ({version}), or restore the warehouse from a \
             backup"
        ),
    )];
    findings.extend(found.into_iter().map(|finding| Finding {
        message: format!("in {} of that time: {}", finding.place, finding.message),
        place: Place::file(place.clone()),
        remedy: String::new(),
        ..finding
    }));
    PipelineError::Config(findings)
}

/// Points `settled/` at the releases that closed periods, from what the current release says: also at start, so that
/// a run that died between the commit and the pointer leaves nothing to do by hand.
fn settle(context: &Context<'_>) -> Result<(), PipelineError> {
    let layout = context.layout;
    let Some(release) = Release::current(layout)? else {
        return Ok(());
    };
    let mut closed = BTreeMap::new();
    let names = crate::store::recover::reachable(layout)?;
    for row in release
        .read_table("periods")?
        .iter()
        .filter(|r| r.text("status") == Ok("closed"))
    {
        let run = row.int("closed_run")?;
        let prefix = format!("r{run:06}-");
        if let Some(name) = names.iter().find(|n| n.starts_with(&prefix)) {
            closed.insert(row.text("period")?.to_owned(), name.clone());
        }
    }
    let calendar = &context.config.rules.programme().calendar_name;
    Ok(point_settled(layout, calendar, &closed)?)
}
