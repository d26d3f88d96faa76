//! Progress: a bar on a terminal, log lines elsewhere.

use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::draws_progress;
use crate::pipeline::refresh::Progress;

/// Draws what a run is doing.
#[derive(Debug)]
pub(super) struct Bar {
    bar: Option<ProgressBar>,
    stop: AtomicBool,
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
            bar,
            stop: AtomicBool::new(false),
        }
    }

    /// Asks the run to stop before its next step.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bar {
    fn step(&self, name: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(name.to_owned()),
            None => tracing::info!(step = name, "progress"),
        }
    }

    fn bytes(&self, done: u64, total: u64) {
        match &self.bar {
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
