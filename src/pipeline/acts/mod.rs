//! Decisions of people by command: confirmed and appealed events, reviews, improvement plans, claims, settlements, mails.
//!
//! Duty: what was decided so far (in the release, and on its way there), whether a new decision can follow, and the
//! decision as a delivery in the corrections folder. Must not: change a release or landing, or decide what follows from
//! a decision; a run reads it like any other delivery.
//!
//! | step | from | to | in |
//! |---|---|---|---|
//! | known | `decisions` of the release, deliveries that no release has read | acts in the order of time | `known` |
//! | events | key events, findings, acts | where each event stands; what may follow | `events` |
//! | reviews | recommendations, certifications, acts | what may follow | `reviews` |
//! | claims | states of claims, acts | who may approve, reject, withdraw next | `claims` |
//! | settlements | proposal, documents, acts | who may prepare, approve, close, reverse next | `settlements` |
//! | mails | messages of the outbox, acts | what is approved, held, sent again, lifted | `mails` |
//! | deliver | a decision | `corrections/decisions-<hash>.csv` | `deliver` |

pub mod claims;
mod deliver;
pub mod events;
mod known;
pub mod mails;
pub mod reviews;
pub mod settlements;

pub use known::Act;

use crate::domain::time::parse_date;
use crate::domain::{Date, Instant};
use crate::pipeline::PipelineError;

/// Who decides, why, and when.
#[derive(Clone, Debug)]
pub struct Person<'a> {
    pub by: &'a str,
    pub role: &'a str,
    pub reason: &'a str,
    /// The day on which it was decided, where that was not today.
    pub on: Option<Date>,
    pub now: Instant,
}

/// A decision that was delivered: its identifier and file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub decision_id: String,
    pub file: String,
    pub decided_at: Instant,
    pub effective_on: Option<Date>,
}

/// A day as typed.
pub fn day(text: &str) -> Result<Date, PipelineError> {
    parse_date(text).ok_or_else(|| PipelineError::Usage(format!("'{text}' is no day such as 2026-10-05")))
}
