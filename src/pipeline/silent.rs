//! Silent sources of a release: the alarm, and the days on which a source is to be judged anew.
//!
//! Duty: read the table `freshness`. A silence alarms in every run until the rows come, someone waives it, or its
//! period is closed: the run that finds it may be the last one with something to do. Not its duty: judging.

use std::collections::BTreeSet;

use super::PipelineError;
use super::config::Config;
use crate::domain::{Date, Finding, Findings, Period, Place};
use crate::store::release::Release;

/// Silences that nobody waived, in periods that are not closed.
pub(super) fn silences(release: &Release, config: &Config) -> Result<Findings, PipelineError> {
    let mut closed = BTreeSet::new();
    for row in release.read_table("periods")?.iter() {
        if row.text("status")? == "closed" {
            closed.insert(row.text("period")?.to_owned());
        }
    }
    let programme = config.rules.programme();
    let mut out = Findings::new();
    for row in release.read_table("freshness")?.iter() {
        if row.text("state")? != "silent" || row.opt_text("waived_by")?.is_some() {
            continue;
        }
        let (feed, source, name) = (row.text("feed")?, row.text("source")?, row.text("period")?);
        let posting = Period::parse(name).ok().and_then(|p| {
            programme
                .calendar
                .period_of(programme.calendar.last_day(p), programme.posting_period)
        });
        if posting.is_some_and(|p| closed.contains(&p.to_string())) {
            continue;
        }
        out.push(Finding::error(
            Place::file(source).column(name),
            "feed.silent",
            format!("{feed} from {source}: {}", row.opt_text("reason")?.unwrap_or_default()),
            format!("deliver what is missing, or decide to waive feed:{feed}/{source}/{name} with a reason"),
        ));
    }
    Ok(out)
}

/// Sources that are to be judged between two presents: feed, source and period.
pub(super) fn judged_between(
    release: &Release,
    then: Date,
    now: Date,
) -> Result<BTreeSet<(String, String, String)>, PipelineError> {
    let mut out = BTreeSet::new();
    if now > then {
        for row in release.read_table("freshness")?.iter() {
            let deadline = row.date("deadline_on")?;
            if row.text("state")? == "early" && then < deadline && deadline <= now {
                let text = |column: &str| row.text(column).map(ToOwned::to_owned);
                out.insert((text("feed")?, text("source")?, text("period")?));
            }
        }
    }
    Ok(out)
}
