//! `gc`: remove old releases.

use serde_json::json;

use super::{CommandResult, Session};
use crate::edges::clock::{Clock, SystemClock};
use crate::store::gc::{Keep, collect};
use crate::store::lock::WriterLock;
use crate::store::recover::recover;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ancestors of the current release to keep.
    #[arg(long, default_value_t = 30)]
    ancestors: usize,
    /// Keep every release younger than so many days.
    #[arg(long, default_value_t = 7)]
    days: u32,
}

pub(super) fn gc(session: &Session, args: &Args) -> CommandResult {
    let now = SystemClock.now();
    let _lock = WriterLock::take(&session.layout, now)?;
    // a run that died after it was written down has made the current release
    recover(&session.layout)?;
    let removed = collect(
        &session.layout,
        Keep {
            ancestors: args.ancestors,
            days: args.days,
        },
        now,
    )?;
    if session.output.json {
        session.output.value(&json!({ "removed": removed }));
    } else if removed.is_empty() {
        session.output.line("nothing to remove");
    } else {
        removed
            .iter()
            .for_each(|name| session.output.line(&format!("removed {name}")));
    }
    Ok(())
}
