//! `query`: SQL over the current release.

use super::{CommandResult, Session};
use crate::pipeline::{PipelineError, query as asking};
use crate::store::release::Release;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A statement over the tables of the release and over `runs`, the run history.
    sql: String,
}

pub(super) fn query(session: &Session, args: &Args) -> CommandResult {
    let release = current(session)?;
    session
        .output
        .table(&asking::query(&session.layout, &release, &args.sql)?);
    Ok(())
}

/// The current release, or what to do to get one.
pub(super) fn current(session: &Session) -> Result<Release, PipelineError> {
    Release::current(&session.layout)?.ok_or_else(|| {
        let path = session.layout.workspace().display().to_string();
        PipelineError::Usage(format!("there is no release in {path} yet; `starledger run` makes one"))
    })
}
