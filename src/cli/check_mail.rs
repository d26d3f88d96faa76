//! `check-mail`: whether mail could leave now, without sending any.
//!
//! Duty: print the steps. Must not: try them.

use serde_json::{Value as Json, json};

use super::{CommandResult, Session};
use crate::edges::mail;
use crate::pipeline::{PipelineError, config};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Also ask the server whether it takes mail for this address.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
}

pub(super) fn check_mail(session: &Session, args: &Args) -> CommandResult {
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let environment = |name: &str| std::env::var(name).ok();
    let steps = mail::check(
        &config.mail,
        session.layout.workspace(),
        &environment,
        args.to.as_deref(),
    );
    if session.output.json {
        let one =
            |s: &mail::Checked| json!({ "step": s.step, "good": s.is_good, "found": s.found, "remedy": s.remedy });
        session.output.value(&Json::Array(steps.iter().map(one).collect()));
    } else {
        for step in &steps {
            let mark = if step.is_good { "ok" } else { "wrong" };
            session
                .output
                .line(&format!("{mark:<6} {:<15} {}", step.step, step.found));
            if let Some(remedy) = &step.remedy {
                session.output.line(&format!("       {remedy}"));
            }
        }
    }
    match steps.iter().find(|s| !s.is_good) {
        None => Ok(()),
        Some(step) => Err(PipelineError::Mail(format!("{}: {}", step.step, step.found))),
    }
}
