//! Progress: a bar on a terminal, log lines elsewhere.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::output::draws_progress;
use crate::edges::files;
use crate::pipeline::refresh::Progress;

/// Draws what a run is doing.
#[derive(Debug)]
pub(super) struct Bar {
    drawn: Option<ProgressBar>,
    stop: AtomicBool,
    /// What is being done, since when.
    step: Mutex<Option<(String, Instant)>>,
}

impl Bar {
    pub(super) fn new() -> Bar {
        let bar = draws_progress().then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template("{spinner} {msg} {bytes}/{total_bytes} {elapsed}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        });
        Bar {
            drawn: bar,
            stop: AtomicBool::new(false),
            step: Mutex::new(None),
        }
    }

    /// Logs how long the step that ends took, and the most memory that the process ever held.
    fn end_step(&self, next: Option<&str>) {
        let next = next.map(|name| (name.to_owned(), Instant::now()));
        let Ok(mut step) = self.step.lock() else { return };
        let ended = std::mem::replace(&mut *step, next);
        if let Some((step, began)) = ended {
            let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(step, millis, peak_mib = peak_mib(), "step done");
        }
    }

    /// Asks the run to stop before its next step.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&self) {
        self.end_step(None);
        if let Some(bar) = &self.drawn {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bar {
    fn step(&self, name: &str) {
        self.end_step(Some(name));
        match &self.drawn {
            Some(bar) => bar.set_message(name.to_owned()),
            None => tracing::info!(step = name, "progress"),
        }
    }

    fn bytes(&self, done: u64, total: u64) {
        match &self.drawn {
            Some(bar) => {
                bar.set_length(total);
                bar.set_position(done);
            }
            None => tracing::debug!(done, total, "bytes read"),
        }
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// Most resident memory so far, as Linux tells it; 0 where nobody does.
fn peak_mib() -> u64 {
    let status = files::read_text(Path::new("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}
