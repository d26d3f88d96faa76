//! `serve`: jobs by their schedules, until stopped.

use std::sync::Arc;

use super::progress::Bar;
use super::{CommandResult, Session};
use crate::edges::clock::SystemClock;
use crate::pipeline::{PipelineError, config, serve as serving};

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn serve(session: &Session, _: &Args) -> CommandResult {
    // a configuration that is not in order is told now, not at the first slot
    let (_, jobs) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let scheduled = jobs.iter().filter(|j| j.schedule.is_some()).count();
    if scheduled == 0 {
        return Err(PipelineError::Usage(
            "no job of pipelines/ has a [schedule]: there is nothing to serve".to_owned(),
        ));
    }
    session.output.line(&format!(
        "serving {scheduled} scheduled jobs; stop with Ctrl-C or SIGTERM"
    ));
    let bar = Arc::new(Bar::new());
    let (layout, output, progress) = (session.layout.clone(), session.output, Arc::clone(&bar));
    let once = move || {
        let outcome = serving::run_due(&layout, &SystemClock, progress.as_ref(), &|job, slot, outcome| {
            progress.clear();
            match outcome {
                Ok(report) => {
                    let release = report.release.as_ref().map_or("", |r| r.name());
                    output.line(&format!("{job} due {slot}: done, release {release}"));
                    if let Some(verdict) = &report.verdict {
                        output.error(verdict);
                    }
                }
                Err(e) => {
                    output.line(&format!("{job} due {slot}: failed"));
                    output.error(e);
                }
            }
        });
        if let Err(e) = outcome {
            // what a job came to was told above; a configuration that is not in order is told here
            if matches!(e, PipelineError::Config(_)) {
                output.error(&e);
            } else {
                tracing::error!(error = %e, "due jobs");
            }
        }
    };
    serving::serve(once, || bar.stop())
}
