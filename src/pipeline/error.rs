//! What can stop a run, and the exit code that says so.

use thiserror::Error;

use crate::domain::{Findings, TableError};
use crate::measures::calendar::CalendarError;
use crate::measures::engine::EngineError;
use crate::store::StoreError;

/// Why a run ended without a new release, or with one that is not in order.
#[derive(Debug, Error)]
pub enum PipelineError {
    #[error("the configuration is not in order: {} findings", .0.len())]
    Config(Findings),
    #[error("the data is not in order: {} findings", .0.len())]
    Data(Findings),
    #[error("integrity: {} findings; the last release that verifies stands", .0.len())]
    Integrity(Findings),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("{0}")]
    Usage(String),
    #[error("{what}: {detail}")]
    Stage { what: &'static str, detail: String },
    #[error("{} messages are held back, the others were queued", .0.len())]
    Held(Findings),
    #[error("some mail could not be delivered: {0}")]
    Mail(String),
    #[error("interrupted: nothing was published; run again")]
    Interrupted,
}

/// Exit codes, as documented for scripts and schedulers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    Done = 0,
    Failure = 1,
    Usage = 2,
    Data = 3,
    Storage = 4,
    Locked = 5,
    Mail = 6,
    Integrity = 7,
}

impl PipelineError {
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            PipelineError::Config(_) | PipelineError::Usage(_) => ExitCode::Usage,
            PipelineError::Data(_) => ExitCode::Data,
            PipelineError::Integrity(_) | PipelineError::Store(StoreError::Integrity(_) | StoreError::Contract(_)) => {
                ExitCode::Integrity
            }
            PipelineError::Store(StoreError::Locked(_)) => ExitCode::Locked,
            PipelineError::Store(_) => ExitCode::Storage,
            PipelineError::Mail(_) | PipelineError::Held(_) => ExitCode::Mail,
            PipelineError::Engine(_) | PipelineError::Stage { .. } | PipelineError::Interrupted => ExitCode::Failure,
        }
    }

    /// Findings to show beside the message.
    #[must_use]
    pub fn findings(&self) -> Findings {
        match self {
            PipelineError::Config(f)
            | PipelineError::Data(f)
            | PipelineError::Integrity(f)
            | PipelineError::Held(f) => f.clone(),
            PipelineError::Store(StoreError::Integrity(f)) => vec![f.as_ref().clone()],
            PipelineError::Store(StoreError::Contract(f)) => f.clone(),
            _ => Vec::new(),
        }
    }

    /// What to do about it, where there is one thing.
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            PipelineError::Store(StoreError::Locked(_)) => {
                Some("wait for it to end, or stop it; the lock is freed by itself")
            }
            PipelineError::Store(StoreError::File(_)) => {
                Some("free space or correct permissions, then run again; the last release stands")
            }
            PipelineError::Engine(_) => Some("`starledger check` holds the measures to the portable subset"),
            _ => None,
        }
    }

    pub(crate) fn stage(what: &'static str) -> impl Fn(String) -> PipelineError {
        move |detail| PipelineError::Stage { what, detail }
    }
}

impl From<TableError> for PipelineError {
    fn from(e: TableError) -> PipelineError {
        PipelineError::Stage {
            what: "a table is not what its contract says",
            detail: e.to_string(),
        }
    }
}

impl From<CalendarError> for PipelineError {
    fn from(e: CalendarError) -> PipelineError {
        PipelineError::Stage {
            what: "the calendars",
            detail: e.to_string(),
        }
    }
}
