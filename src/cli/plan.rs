//! `plan`: what a run would do, and why.

use serde_json::json;

use super::output::json_findings;
use super::progress::Bar;
use super::run::{as_of, find_job, summary_json, summary_text};
use super::{CommandResult, Session};
use crate::edges::clock::SystemClock;
use crate::pipeline::{PipelineError, config, plan as planning};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Job to plan.
    #[arg(default_value = "daily")]
    job: String,
    /// The present to plan for, such as 2026-10-12T06:00:00Z.
    #[arg(long)]
    as_of: Option<String>,
}

pub(super) fn plan(session: &Session, args: &Args) -> CommandResult {
    let (config, jobs) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let job = find_job(&jobs, &args.job)?;
    let as_of = as_of(args.as_of.as_deref(), job, &SystemClock)?;
    let bar = Bar::new();
    let plan = planning::plan(&session.layout, &config, as_of, &SystemClock, &bar);
    bar.clear();
    let plan = plan?;
    if session.output.json {
        session.output.value(&json!({
            "as_of": as_of.to_string(),
            "nothing_to_do": plan.reasons.is_empty() && plan.to_replay == 0,
            "reasons": plan.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "runs_to_do_again": plan.to_replay,
            "summary": plan.summary.as_ref().map(summary_json),
            "findings": json_findings(&plan.findings),
        }));
        return Ok(());
    }
    session.output.findings(&plan.findings);
    if plan.to_replay > 0 {
        session
            .output
            .line(&format!("{} recorded runs would be done again first", plan.to_replay));
    }
    let Some(summary) = &plan.summary else {
        session.output.line("nothing to do");
        return Ok(());
    };
    session
        .output
        .line(&format!("a run as of {as_of} would start because:"));
    let shown = 12;
    for reason in plan.reasons.iter().take(shown) {
        session.output.line(&format!("  {reason}"));
    }
    if plan.reasons.len() > shown {
        session
            .output
            .line(&format!("  … and {} more", plan.reasons.len() - shown));
    }
    session.output.line("and come to:");
    session.output.text(&summary_text(summary, true));
    Ok(())
}
