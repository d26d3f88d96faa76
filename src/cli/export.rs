//! `export journal`: the books for another tool.

use std::path::PathBuf;

use super::query::current;
use super::{CommandResult, Session};
use crate::edges::files;
use crate::pipeline::journal;
use crate::store::StoreError;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The ledger of the current release as a journal that `hledger check -s` accepts.
    Journal {
        /// File to write; without it the journal is printed.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

pub(super) fn export(session: &Session, args: &Args) -> CommandResult {
    let What::Journal { out } = &args.what;
    let text = journal::journal(&current(session)?)?;
    match out {
        None => session.output.text(&text),
        Some(path) => {
            files::write_atomic(path, text.as_bytes()).map_err(StoreError::from)?;
            session.output.line(&format!("wrote {}", path.display()));
        }
    }
    Ok(())
}
