//! The pipeline: the one place that plans, and the one that runs a plan and has the effects.
//!
//! Duty: order the stages, hand tables from one to the next, keep the release store and the operations database.
//! Not its duty: any rule of the programme (stages), printing (CLI).

pub mod acts;
mod bench;
mod compare;
pub mod config;
pub mod deliver;
pub mod desk;
pub mod detect;
pub mod difference;
pub mod error;
pub mod examples;
pub mod explain;
pub mod exports;
pub mod inbox;
pub mod jobs;
pub mod outbox;
pub mod plan;
pub mod query;
pub mod recompute;
pub mod refresh;
pub mod rulebooks;
pub mod run;
mod sales;
pub mod schedule;
pub mod serve;
mod silent;
pub mod simulate;
pub mod verify;
pub mod what_if;

pub use error::PipelineError;
