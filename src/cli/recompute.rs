//! `recompute`: a past release, as known then.

use std::path::PathBuf;

use serde_json::json;

use super::progress::Bar;
use super::{CommandResult, Session};
use crate::pipeline::{PipelineError, recompute as recomputing};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Release, or the number of its run; the current one by default.
    release: Option<String>,
    /// Folder for the scratch copy; the system's temporary folder by default.
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

pub(super) fn recompute(session: &Session, args: &Args) -> CommandResult {
    let bar = Bar::new();
    let found = recomputing::recompute(&session.layout, args.release.as_deref(), args.scratch.as_deref(), &bar);
    bar.clear();
    let (made, findings) = found?;
    if !findings.is_empty() {
        return Err(PipelineError::Integrity(findings));
    }
    if session.output.json {
        session.output.value(&json!({
            "same": true, "release": made.release, "as_of": made.as_of, "runs": made.runs, "files": made.files,
            "bytes": made.bytes, "compared_with_files": made.compared_with_files,
        }));
        return Ok(());
    }
    let with = if made.compared_with_files {
        "the published files"
    } else {
        "the record of its run"
    };
    session.output.wrapped(
        0,
        &format!(
            "{} as of {}: the same, byte for byte, as {with} ({} runs done again, {} files, {} bytes)",
            made.release, made.as_of, made.runs, made.files, made.bytes
        ),
    );
    Ok(())
}
