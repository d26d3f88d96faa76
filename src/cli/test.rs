//! `test`: the worked examples of the metrics, computed.

use serde_json::json;

use super::{CommandResult, Session};
use crate::domain::Findings;
use crate::pipeline::PipelineError;
use crate::pipeline::examples::{self, Outcome};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the examples of this metric, such as satisfaction.
    #[arg(long)]
    metric: Option<String>,
    /// Show every value that was compared, also where it holds.
    #[arg(long)]
    all: bool,
}

pub(super) fn test(session: &Session, args: &Args) -> CommandResult {
    let (outcomes, untested) = examples::run(session.layout.workspace(), args.metric.as_deref())?;
    if outcomes.is_empty() && untested.is_empty() {
        let which = args
            .metric
            .as_deref()
            .map_or_else(String::new, |name| format!(" of '{name}'"));
        return Err(PipelineError::Usage(format!(
            "there are no examples{which} in {}/",
            examples::FOLDER
        )));
    }
    let failed = outcomes.iter().filter(|o| !o.passed()).count();
    if session.output.json {
        let json = json!({
            "examples": outcomes.iter().map(outcome_json).collect::<Vec<_>>(),
            "passed": outcomes.len() - failed,
            "failed": failed,
            "untested": untested.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        session.output.value(&json);
    } else {
        print(session, &outcomes, &untested, args.all);
        session.output.line(&format!(
            "{} of {} examples hold",
            outcomes.len() - failed,
            outcomes.len()
        ));
    }
    if failed == 0 && untested.is_empty() {
        return Ok(());
    }
    Err(PipelineError::Stage {
        what: "test",
        detail: format!("{failed} examples do not hold, {} metrics have none", untested.len()),
    })
}

fn print(session: &Session, outcomes: &[Outcome], untested: &Findings, all: bool) {
    for outcome in outcomes {
        let state = if outcome.passed() { "holds" } else { "FAILS" };
        session
            .output
            .line(&format!("{state}  {}: {}", outcome.metric, outcome.name));
        if !outcome.passed() {
            session
                .output
                .line(&format!("       {}:{}", outcome.file, outcome.line));
        }
        if let Some(problem) = &outcome.problem {
            session.output.line(&format!("       {problem}"));
        }
        for check in outcome.checks.iter().filter(|check| all || !check.holds) {
            let sign = if check.holds { "=" } else { "not" };
            session.output.line(&format!(
                "       {}: {} {sign} {}",
                check.what, check.got, check.expected
            ));
        }
    }
    session.output.findings(untested);
}

fn outcome_json(outcome: &Outcome) -> serde_json::Value {
    json!({
        "metric": outcome.metric,
        "name": outcome.name,
        "file": outcome.file,
        "line": outcome.line,
        "holds": outcome.passed(),
        "problem": outcome.problem,
        "checks": outcome.checks.iter().map(|c| json!({
            "what": c.what, "expected": c.expected, "got": c.got, "holds": c.holds,
        })).collect::<Vec<_>>(),
    })
}
