//! `check`: is the configuration in order?

use serde_json::json;

use super::{CommandResult, Session};
use crate::pipeline::{PipelineError, config};

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn check(session: &Session, _: &Args) -> CommandResult {
    let (config, jobs) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let counts = [
        (
            "contracts",
            config.catalogue.feeds().count() + config.catalogue.outputs().count(),
        ),
        ("regions", config.rules.regions().len()),
        ("sources", config.sources.len()),
        ("measures", config.measures.len()),
        ("jobs", jobs.len()),
    ];
    if session.output.json {
        let counts: serde_json::Map<String, serde_json::Value> =
            counts.iter().map(|(name, n)| ((*name).to_owned(), json!(n))).collect();
        session.output.value(&json!({ "in_order": true, "counts": counts }));
    } else {
        let parts: Vec<String> = counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
        session.output.line(&format!("in order: {}", parts.join(", ")));
    }
    Ok(())
}
