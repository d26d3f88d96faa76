//! `report`: the period as pages that open from disk, and the catalogue of tables.
//!
//! Duty: where it is written to, and what is said of it. Must not: make a page.

use std::path::PathBuf;

use serde_json::json;

use super::query::current;
use super::{CommandResult, Session};
use crate::pipeline::{PipelineError, config, report};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Evaluation period, such as 2026-Q3.
    #[arg(required_unless_present = "catalogue_only")]
    period: Option<String>,
    /// Folder to write to; `report-<period>` in the workspace where absent.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Only the catalogue of tables, from the contracts.
    #[arg(long, conflicts_with = "period")]
    catalogue_only: bool,
}

pub(super) fn report(session: &Session, args: &Args) -> CommandResult {
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let name = match &args.period {
        Some(period) => format!("report-{period}"),
        None => "report-catalogue".to_owned(),
    };
    let folder = args
        .out
        .clone()
        .unwrap_or_else(|| session.layout.workspace().join(name));
    let (written, first) = match &args.period {
        Some(period) => (
            report::write(&current(session)?, &config, period, &folder)?,
            "index.html",
        ),
        None => (report::write_catalogue(&config, &folder)?, "catalogue.html"),
    };
    let first = written.folder.join(first);
    if session.output.json {
        session
            .output
            .value(&json!({ "folder": written.folder.display().to_string(), "pages": written.pages }));
    } else {
        let pages = if written.pages == 1 {
            "1 page".to_owned()
        } else {
            format!("{} pages", written.pages)
        };
        session
            .output
            .line(&format!("wrote      {pages} to {}", written.folder.display()));
        session.output.line(&format!("open       {}", first.display()));
    }
    Ok(())
}
