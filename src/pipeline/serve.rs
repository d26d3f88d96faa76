//! Unattended running: due jobs once (`run --due`), or on a heartbeat until stopped (`serve`).
//!
//! Duty: which slots are due, attempts with pauses, remembering completed slots; a heartbeat from the scheduler. The
//! scheduler is the ticker and nothing more: it forgets missed runs and freezes a zone's offset, so slots are computed.
//! Not its duty: what a job does.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_cron_scheduler::{Job as Tick, JobScheduler};

use super::refresh::Progress;
use super::run::{Context, RunReport, run};
use super::{PipelineError, config};
use crate::domain::Instant;
use crate::edges::clock::Clock;
use crate::store::StoreError;
use crate::store::layout::Layout;
use crate::store::operations::Operations;
use crate::store::release::Release;

/// The heartbeat: every full minute, in the scheduler's cron of six fields.
const HEARTBEAT: &str = "0 * * * * *";

/// Is told how each due slot ended.
pub type Report<'a> = dyn Fn(&str, Instant, &Result<RunReport, PipelineError>) + 'a;

/// Runs every due slot of every job, oldest first within a job, and returns how many there were. The configuration is
/// read anew, so that a changed rule or schedule holds from the next heartbeat on. The last error of a job is returned
/// after all jobs had their turn.
pub fn run_due(
    layout: &Layout,
    clock: &dyn Clock,
    progress: &dyn Progress,
    report: &Report<'_>,
) -> Result<usize, PipelineError> {
    let (config, jobs) = config::load(layout.workspace()).map_err(PipelineError::Config)?;
    let mut count = 0;
    let mut failed = None;
    for job in &jobs {
        let Some(schedule) = &job.schedule else { continue };
        let last = Operations::open(&layout.operations())?.last_slot(&job.name)?;
        let last = last.as_deref().and_then(|text| Instant::parse(text).ok());
        for slot in schedule.due(last, clock.now()) {
            count += 1;
            // a slot that was due before a later run looked at the world runs as of that run
            let seen = Release::current(layout)?.and_then(|r| Instant::parse(&r.manifest.as_of).ok());
            let as_of = job.as_of.unwrap_or(seen.map_or(slot, |seen| seen.max(slot)));
            let context = Context {
                layout,
                config: &config,
                job,
                as_of,
                clock,
                progress,
            };
            let mut outcome = run(&context);
            for _ in 1..job.attempts {
                if !worth_another_try(&outcome) || progress.interrupted() {
                    break;
                }
                std::thread::sleep(Duration::from_secs(job.pause_seconds));
                outcome = run(&context);
            }
            report(&job.name, slot, &outcome);
            let ran = !matches!(
                &outcome,
                Err(PipelineError::Interrupted | PipelineError::Store(StoreError::Locked(_)))
            );
            if ran {
                // also a slot that failed is over: the next one tries again, with everything this one would have done
                Operations::open(&layout.operations())?.complete_slot(&job.name, &slot.to_string())?;
            }
            match outcome {
                Err(e) => failed = Some(e),
                Ok(report) => failed = report.verdict.or(failed),
            }
        }
    }
    failed.map_or(Ok(count), Err)
}

/// Storage and a held lock may be better in a minute; data, rules and integrity will not.
fn worth_another_try(outcome: &Result<RunReport, PipelineError>) -> bool {
    match outcome {
        Err(PipelineError::Store(e)) => !matches!(e, StoreError::Integrity(_) | StoreError::Contract(_)),
        Ok(report) => matches!(report.verdict, Some(PipelineError::Mail(_))),
        Err(_) => false,
    }
}

/// Runs due jobs on every heartbeat until SIGTERM or SIGINT; what is under way ends at its next safe point. `once` does
/// the due jobs of one heartbeat, `stop` asks what is under way to stop.
pub fn serve<F, S>(once: F, stop: S) -> Result<(), PipelineError>
where
    F: Fn() + Send + Sync + 'static,
    S: Fn(),
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|e| PipelineError::Stage {
            what: "the runtime",
            detail: e.to_string(),
        })?;
    runtime.block_on(async move {
        let error = |e: String| PipelineError::Stage {
            what: "the scheduler",
            detail: e,
        };
        let beat = Arc::new(Notify::new());
        let mut scheduler = JobScheduler::new().await.map_err(|e| error(e.to_string()))?;
        let ticker = Arc::clone(&beat);
        let tick = Tick::new(HEARTBEAT, move |_, _| ticker.notify_one()).map_err(|e| error(e.to_string()))?;
        scheduler.add(tick).await.map_err(|e| error(e.to_string()))?;
        scheduler.start().await.map_err(|e| error(e.to_string()))?;
        let mut terminate = signal(SignalKind::terminate()).map_err(|e| error(e.to_string()))?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| error(e.to_string()))?;
        let once = Arc::new(once);
        // what was missed while nothing ran is due at once
        beat.notify_one();
        loop {
            tokio::select! {
                () = beat.notified() => {}
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
            }
            let work = Arc::clone(&once);
            let mut running = tokio::task::spawn_blocking(move || work());
            let stopped = tokio::select! {
                result = &mut running => {
                    if let Err(e) = result {
                        tracing::error!(error = %e, "a job ended without an outcome");
                    }
                    false
                }
                _ = terminate.recv() => true,
                _ = interrupt.recv() => true,
            };
            if stopped {
                stop();
                let _ = running.await;
                break;
            }
        }
        scheduler.shutdown().await.map_err(|e| error(e.to_string()))
    })
}
