//! `show rules`, `show path`: what holds, and where the release lies.

use super::query::current;
use super::{CommandResult, Session, rules};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The same as `rules show`.
    Rules(rules::Shown),
    /// The folder of the current release, resolved: for long reads that must not move with `current`.
    Path,
}

pub(super) fn show(session: &Session, args: &Args) -> CommandResult {
    match &args.what {
        What::Path => {
            let release = current(session)?;
            session.output.line(&release.folder().display().to_string());
            Ok(())
        }
        What::Rules(shown) => rules::show(session, shown),
    }
}
