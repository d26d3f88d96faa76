//! `run`: a job, once; with `--due` the jobs whose slots are due.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::Datelike as _;
use serde_json::{Value as Json, json};

use super::output::json_findings;
use super::progress::Bar;
use super::{CommandResult, Session};
use crate::domain::{Finding, Grade, Instant, Money, Severity};
use crate::edges::clock::{Clock, SystemClock};
use crate::ingest::FileCounts;
use crate::pipeline::jobs::Job;
use crate::pipeline::refresh::{Progress, Summary};
use crate::pipeline::run::{Context, RunReport, run as run_job};
use crate::pipeline::{PipelineError, config, serve};

/// Most warnings and errors that a summary lists.
const MAX_TOLD: usize = 15;

/// Notes that are told beside warnings and errors: files that wait, and those that are not what they were.
const TOLD_NOTES: [&str; 4] = ["inbox.waiting", "inbox.changing", "inbox.correction", "inbox.again"];

/// Last year that a run may be for: a typing error must not make thousands of periods.
const LAST_YEAR: i32 = 2100;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Job to run: a file of pipelines/ without its ending.
    #[arg(default_value = "daily", conflicts_with = "due")]
    job: String,
    /// The present to run for, such as 2026-10-12T06:00:00Z.
    #[arg(long)]
    as_of: Option<String>,
    /// Run every job that is due by its schedule, each once for each missed slot its catch-up policy asks for.
    #[arg(long, conflicts_with = "as_of")]
    due: bool,
}

pub(super) fn run(session: &Session, args: &Args) -> CommandResult {
    let (config, jobs) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let bar = Bar::new();
    if args.due {
        let ran = serve::run_due(&session.layout, &SystemClock, &bar, &|job, slot, outcome| {
            bar.clear();
            if !session.output.json {
                session.output.line(&format!("job {job}, due {slot}"));
            }
            match outcome {
                Ok(report) => print_report(session, report),
                Err(e) => session.output.error(e),
            }
        });
        bar.clear();
        if ran? == 0 && !session.output.json {
            session.output.line("no job is due");
        }
        return Ok(());
    }
    let job = find_job(&jobs, &args.job)?;
    let as_of = as_of(args.as_of.as_deref(), job, &SystemClock)?;
    let progress: &dyn Progress = &bar;
    let context = Context {
        layout: &session.layout,
        config: &config,
        job,
        as_of,
        clock: &SystemClock,
        progress,
    };
    let report = run_job(&context);
    bar.clear();
    let report = report?;
    print_report(session, &report);
    report.verdict.map_or(Ok(()), Err)
}

pub(super) fn find_job<'a>(jobs: &'a [Job], name: &str) -> Result<&'a Job, PipelineError> {
    jobs.iter().find(|j| j.name == name).ok_or_else(|| {
        let names: Vec<&str> = jobs.iter().map(|j| j.name.as_str()).collect();
        PipelineError::Usage(format!(
            "there is no job '{name}'; pipelines/ has: {}",
            names.join(", ")
        ))
    })
}

/// The present of a run: what was typed, else what the job pins, else the clock.
pub(super) fn as_of(typed: Option<&str>, job: &Job, clock: &dyn Clock) -> Result<Instant, PipelineError> {
    let Some(text) = typed else {
        return Ok(job.as_of.unwrap_or_else(|| clock.now()));
    };
    let as_of = Instant::parse(text).map_err(|e| PipelineError::Usage(format!("--as-of '{text}' {e}")))?;
    if as_of.utc().year() > LAST_YEAR {
        return Err(PipelineError::Usage(format!(
            "--as-of '{text}' lies after {LAST_YEAR}: that is no present"
        )));
    }
    Ok(as_of)
}

fn print_report(session: &Session, report: &RunReport) {
    let layout = &session.layout;
    let release = report.release.as_ref().map_or("", |r| r.name());
    let nothing = report.reasons.is_empty() && report.replayed == 0 && report.delivered.is_nothing();
    if session.output.json {
        session.output.value(&json!({
            "nothing_to_do": nothing,
            "release": release,
            "published": report.published,
            "runs_done_again": report.replayed,
            "reasons": report.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "summary": report.summary.as_ref().map(summary_json),
            "mail": report.delivered.json(),
            "findings": json_findings(&report.findings),
        }));
        return;
    }
    let notes: Vec<_> = report
        .findings
        .iter()
        .filter(|f| f.severity > Severity::Note || TOLD_NOTES.contains(&f.rule.as_str()))
        .cloned()
        .collect();
    session.output.findings(&notes);
    if nothing {
        session
            .output
            .line(&format!("nothing to do; release {release} is current"));
        return;
    }
    if report.replayed > 0 {
        session
            .output
            .line(&format!("{} recorded runs were done again", report.replayed));
    }
    if let Some(summary) = &report.summary {
        session.output.text(&summary_text(summary, false));
    }
    session
        .output
        .line(&format!("mail       {}", report.delivered.describe()));
    let state = if report.published { "published" } else { "unchanged" };
    session.output.line(&format!("release    {release} {state}"));
    session.output.line("\nlook into:");
    let folder =
        |path: std::path::PathBuf, what: &str| session.output.line(&format!("  {:<28} {what}", path.display()));
    folder(layout.current(), "tables as Parquet: <table>/**/*.parquet");
    folder(layout.outbox(), "scorecards as .eml files");
    folder(layout.landing(), "originals and arrivals");
    session
        .output
        .line("  starledger query \"SELECT * FROM partner_scores\"    asks the release in SQL");
}

/// The summary of a refresh for people.
pub(super) fn summary_text(summary: &Summary, planned: bool) -> String {
    let mut out = String::new();
    let told: Vec<&Finding> = summary
        .findings
        .iter()
        .filter(|f| f.severity > Severity::Note)
        .collect();
    for finding in told.iter().take(MAX_TOLD) {
        let _ = writeln!(out, "{finding}");
    }
    if told.len() > MAX_TOLD {
        let _ = writeln!(out, "… and {} more; --json lists them all", told.len() - MAX_TOLD);
    }
    if !told.is_empty() {
        out.push('\n');
    }
    let mut total = FileCounts::default();
    let mut files = 0;
    for feed in &summary.feeds {
        total += feed.counts;
        files += feed.files;
    }
    let _ = writeln!(out, "files      {files} read, {} set aside", summary.set_aside.len());
    let _ = writeln!(
        out,
        "records    {} read: {} current, {} duplicate, {} quarantined, {} held, {} skipped",
        total.records, total.current, total.duplicate, total.quarantined, total.held, total.skipped
    );
    for (file, reason) in &summary.set_aside {
        let _ = writeln!(out, "set aside  {file}: {reason}");
    }
    if let Some(e) = &summary.evaluated {
        let _ = writeln!(
            out,
            "partners   {}: {} rated, {} provisional, {} not rated",
            e.period, e.rated, e.provisional, e.not_rated
        );
        let grades: Vec<String> = Grade::ALL
            .iter()
            .zip(e.grades)
            .map(|(g, n)| format!("{g} {n}"))
            .collect();
        let _ = writeln!(out, "grades     {}", grades.join("  "));
    }
    let per_currency = money_per_currency(summary);
    if per_currency.is_empty() {
        let _ = writeln!(out, "booked     nothing new");
    }
    for (currency, (amount, keys)) in per_currency {
        let _ = writeln!(out, "booked     {currency} {amount} on {keys} targets");
    }
    if planned {
        for delta in summary.deltas.iter().take(20) {
            let _ = writeln!(
                out,
                "  {} {} {}: {} -> {} ({})",
                delta.partner, delta.scheme, delta.earning_period, delta.booked, delta.target, delta.delta
            );
        }
        if summary.deltas.len() > 20 {
            let _ = writeln!(out, "  … and {} more", summary.deltas.len() - 20);
        }
    }
    for period in &summary.closed {
        let _ = writeln!(out, "closed     {period}");
    }
    let _ = writeln!(
        out,
        "messages   {} new, {} without a recipient, {} held back",
        summary.messages, summary.without_recipient, summary.held_messages
    );
    out
}

fn money_per_currency(summary: &Summary) -> BTreeMap<String, (String, usize)> {
    let mut sums: BTreeMap<String, (Money, usize)> = BTreeMap::new();
    for delta in &summary.deltas {
        let entry = sums
            .entry(delta.delta.currency().to_string())
            .or_insert_with(|| (Money::zero(delta.delta.currency()), 0));
        entry.0 = entry.0.checked_add(delta.delta).unwrap_or(entry.0);
        entry.1 += 1;
    }
    sums.into_iter()
        .map(|(c, (m, n))| (c, (m.dec().to_string(), n)))
        .collect()
}

/// The summary of a refresh for programs.
pub(super) fn summary_json(summary: &Summary) -> Json {
    let counts = |c: &FileCounts| {
        json!({
            "records": c.records, "current": c.current, "superseded": c.superseded, "duplicate": c.duplicate,
            "quarantined": c.quarantined, "held": c.held, "skipped": c.skipped,
        })
    };
    json!({
        "feeds": summary.feeds.iter().map(|f| json!({
            "feed": f.feed, "files": f.files, "counts": counts(&f.counts), "current_rows": f.current_rows,
        })).collect::<Vec<_>>(),
        "set_aside": summary.set_aside.iter().map(|(f, r)| json!({ "file": f, "reason": r })).collect::<Vec<_>>(),
        "evaluated": summary.evaluated.as_ref().map(|e| json!({
            "period": e.period.to_string(), "rated": e.rated, "provisional": e.provisional, "not_rated": e.not_rated,
            "grades": Grade::ALL.iter().zip(e.grades).map(|(g, n)| (g.to_string(), json!(n))).collect::<serde_json::Map<_, _>>(),
        })),
        "booked": money_per_currency(summary).into_iter().map(|(c, (m, n))| json!({ "currency": c, "amount": m, "targets": n })).collect::<Vec<_>>(),
        "deltas": summary.deltas.iter().map(|d| json!({
            "partner": d.partner, "scheme": d.scheme, "earning_period": d.earning_period.to_string(),
            "currency": d.delta.currency().to_string(), "booked": d.booked.dec().to_string(),
            "target": d.target.dec().to_string(), "delta": d.delta.dec().to_string(),
        })).collect::<Vec<_>>(),
        "closed": summary.closed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "messages": { "new": summary.messages, "without_recipient": summary.without_recipient, "held": summary.held_messages },
        "findings": json_findings(&summary.findings),
    })
}
