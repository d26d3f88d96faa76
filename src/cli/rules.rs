//! `rules show`, `rules diff`: what holds, where it comes from, and what differs.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::output::Output;
use super::{CommandResult, Session};
use crate::domain::ids::RegionId;
use crate::domain::{Date, time};
use crate::pipeline::config::{self, Config};
use crate::pipeline::{PipelineError, rulebooks};
use crate::rules::diff::{Change, diff};
use crate::rules::{RULES_FOLDER, ResolvedValue, Rules};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The resolved rules of a region on a day, each with its file and line.
    Show(Shown),
    /// What differs between two days, two regions, or the workspace's rules and other files, in words.
    ///
    /// With --with alone, every region is compared on every day on which a rule changes.
    Diff(Compared),
}

#[derive(Debug, clap::Args)]
pub(super) struct Shown {
    /// Region: a folder of pipelines/rules/.
    #[arg(long)]
    region: String,
    /// Day, such as 2026-07-01.
    #[arg(long)]
    on: String,
}

#[derive(Debug, clap::Args)]
struct Compared {
    /// Region of the rules to begin with.
    #[arg(long, required_unless_present = "with")]
    region: Option<String>,
    /// Region to compare with, where it is another.
    #[arg(long, requires = "region")]
    to_region: Option<String>,
    /// Day of the rules to begin with, such as 2026-01-01.
    #[arg(long, required_unless_present = "with", requires = "region")]
    on: Option<String>,
    /// Day to compare with, where it is another.
    #[arg(long, requires = "on")]
    to: Option<String>,
    /// Rules to compare with: an edition, or a folder of <region>/<first day>.toml, laid over the workspace's.
    #[arg(long, value_name = "FILE|FOLDER")]
    with: Option<PathBuf>,
    /// Whose rules the file of --with holds: global, or a region; its folder says so otherwise.
    #[arg(long = "as", value_name = "REGION", requires = "with")]
    whose: Option<String>,
}

pub(super) fn rules(session: &Session, args: &Args) -> CommandResult {
    match &args.what {
        What::Show(shown) => show(session, shown),
        What::Diff(compared) => compare(session, compared),
    }
}

pub(super) fn show(session: &Session, shown: &Shown) -> CommandResult {
    let config = load(session)?;
    let found = resolved(&config.rules, &region(&shown.region)?, day(&shown.on, "--on")?)?;
    if session.output.json {
        let found = found.iter().map(value_json).collect();
        session.output.value(&Json::Array(found));
    } else {
        session
            .output
            .line(&format!("rules of {} on {}", shown.region, shown.on));
        values(session.output, &found);
    }
    Ok(())
}

fn load(session: &Session) -> Result<Config, PipelineError> {
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    Ok(config)
}

fn region(name: &str) -> Result<RegionId, PipelineError> {
    RegionId::new(name).map_err(|e| PipelineError::Usage(format!("region '{name}' {e}")))
}

fn day(text: &str, option: &str) -> Result<Date, PipelineError> {
    let usage = || PipelineError::Usage(format!("{option} '{text}' is no date such as 2026-07-01"));
    time::parse_date(text).ok_or_else(usage)
}

fn resolved(rules: &Rules, region: &RegionId, on: Date) -> Result<Vec<ResolvedValue>, PipelineError> {
    rules
        .resolved(region, on)
        .map_err(|e| PipelineError::Usage(e.to_string()))
}

/// Values with their origins, within the columns of a terminal.
pub(super) fn values(output: Output, values: &[ResolvedValue]) {
    const LONGEST: usize = 44;
    let length = |text: &str| text.chars().count();
    let widest = values.iter().map(|v| length(&v.path)).max().unwrap_or(0).min(LONGEST);
    for v in values {
        let provenance = v.provenance.as_ref().map_or(String::new(), |p| format!(" ({p})"));
        output.wrapped(
            2,
            &format!("{:widest$}  {}  {}{provenance}", v.path, v.value, origin(v)),
        );
    }
    output.line(&format!("  files are below {RULES_FOLDER}/"));
}

/// File and line, short.
fn origin(value: &ResolvedValue) -> String {
    let file = value
        .file
        .strip_prefix(RULES_FOLDER)
        .map_or(value.file.as_str(), |f| f.trim_start_matches('/'));
    format!("{file}:{}", value.line)
}

fn value_json(v: &ResolvedValue) -> Json {
    json!({ "key": v.path, "value": v.value, "file": v.file, "line": v.line, "provenance": v.provenance })
}

/// What differs between two books, and which they are.
pub(super) struct Differences {
    before: (RegionId, Date),
    after: (RegionId, Date),
    changes: Vec<Change>,
}

fn compare(session: &Session, args: &Compared) -> CommandResult {
    let config = load(session)?;
    let other = args
        .with
        .as_ref()
        .map(|path| rulebooks::other(&config, path, args.whose.as_deref()))
        .transpose()?;
    let after = other.as_ref().unwrap_or(&config.rules);
    let found = match (&args.region, &args.on) {
        (Some(name), Some(on)) => {
            let before = (region(name)?, day(on, "--on")?);
            let to_region = args.to_region.as_deref().map_or(Ok(before.0.clone()), region)?;
            let to = args.to.as_deref().map_or(Ok(before.1), |to| day(to, "--to"))?;
            let values = resolved(&config.rules, &before.0, before.1)?;
            let changes = diff(&values, &resolved(after, &to_region, to)?);
            vec![Differences {
                before,
                after: (to_region, to),
                changes,
            }]
        }
        (only, _) => {
            let only = only.as_deref().map(region).transpose()?;
            every_change(&config.rules, after, only.as_ref())
        }
    };
    if session.output.json {
        session
            .output
            .value(&Json::Array(found.iter().map(pair_json).collect()));
        return Ok(());
    }
    if found.iter().all(|pair| pair.changes.is_empty()) {
        session.output.line("the rules say the same");
    }
    print(session.output, &found);
    Ok(())
}

/// Prints differences in words, with keys and places.
pub(super) fn print(output: Output, found: &[Differences]) {
    for pair in found.iter().filter(|pair| !pair.changes.is_empty()) {
        output.line(&title(pair));
        for change in &pair.changes {
            output.wrapped(2, &change.to_string());
            let origins: Vec<String> = [&change.before, &change.after]
                .into_iter()
                .flatten()
                .map(origin)
                .collect();
            output.wrapped(6, &format!("{}  {}", change.path, origins.join(" → ")));
        }
    }
}

/// The differences of each region on each day on which its rules change, in one book or the other; those that say the
/// same are left out.
pub(super) fn every_change(before: &Rules, after: &Rules, only: Option<&RegionId>) -> Vec<Differences> {
    let mut out = Vec::new();
    for region in before.regions().into_iter().filter(|r| only.is_none_or(|o| o == r)) {
        let mut days = before.changes(&region);
        days.extend(after.changes(&region));
        days.sort_unstable();
        days.dedup();
        for day in days {
            let (Ok(a), Ok(b)) = (before.resolved(&region, day), after.resolved(&region, day)) else {
                continue;
            };
            let changes = diff(&a, &b);
            if !changes.is_empty() {
                out.push(Differences {
                    before: (region.clone(), day),
                    after: (region.clone(), day),
                    changes,
                });
            }
        }
    }
    out
}

fn title(pair: &Differences) -> String {
    let ((a, from), (b, to)) = (&pair.before, &pair.after);
    match (a == b, from == to) {
        (true, true) => format!("{a}, from {from}"),
        (true, false) => format!("{a}, {from} → {to}"),
        (false, true) => format!("{a} → {b}, on {from}"),
        (false, false) => format!("{a} on {from} → {b} on {to}"),
    }
}

pub(super) fn pair_json(pair: &Differences) -> Json {
    let change = |c: &Change| {
        json!({
            "key": c.path, "words": c.to_string(),
            "before": c.before.as_ref().map(value_json), "after": c.after.as_ref().map(value_json),
        })
    };
    json!({
        "before": { "region": pair.before.0.as_str(), "on": pair.before.1.to_string() },
        "after": { "region": pair.after.0.as_str(), "on": pair.after.1.to_string() },
        "changes": pair.changes.iter().map(change).collect::<Vec<_>>(),
    })
}
