//! Decisions of people by command: confirmed and appealed events, reviews, improvement plans, claims, settlements.
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
//! | deliver | a decision | `corrections/decisions-<hash>.csv` | `deliver` |

pub mod claims;
mod deliver;
pub mod events;
mod known;
pub mod reviews;
pub mod settlements;

pub use known::Act;

use crate::domain::time::parse_date;
use crate::domain::{Date, Instant, Zone};
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::store::layout::Layout;
use crate::store::release::Release;

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

/// All acts of a kind in the order of time, those on their way included.
pub fn of_kind(layout: &Layout, release: &Release, kind: &str) -> Result<Vec<Act>, PipelineError> {
    known::acts(layout, release, &[kind])
}

/// Delivers a decision of a kind on a subject with an outcome, after the earlier ones on it.
pub fn decide(
    layout: &Layout,
    config: &Config,
    person: &Person,
    (kind, subject, outcome): (&str, &str, &str),
    earlier: &[Act],
) -> Result<Delivered, PipelineError> {
    let earlier: Vec<&Act> = earlier.iter().collect();
    let at = deliver::instant(person, Zone::UTC, &earlier)?;
    let decided = deliver::Decided {
        kind,
        subject,
        outcome,
        effective_on: None,
        subject_hash: None,
        amount: None,
    };
    deliver::deliver(layout, config, person, &decided, at)
}

/// A day as typed.
pub fn day(text: &str) -> Result<Date, PipelineError> {
    parse_date(text).ok_or_else(|| PipelineError::Usage(format!("'{text}' is no day such as 2026-10-05")))
}
