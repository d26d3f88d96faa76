//! Delivery: what leaves, to whom, in what state it is, and that nobody gets another partner's data.
//!
//! Duty: recipients from the contacts, the bytes of a message, the search for foreign data, the state machine of the
//! outbox and its log. Not its duty: opening sockets or files (`edges::mail` does, behind a function that is handed
//! in), telling the time, and what a scorecard says (`publishing`).
//!
//! The outbox is a table, not a loop: a message is claimed in the log before its first byte goes out, and the outcome
//! is written after the last, so that every crash leaves a record that says what may have happened.
//!
//! | state | means | next |
//! |---|---|---|
//! | `queued` | nobody has tried | send |
//! | `sending` | claimed; a crash leaves it so: the outcome is unknown | send again, counted as unknown |
//! | `retry` | refused for now, or the server was out of reach | send after a pause |
//! | `unknown` | the link dropped after the whole message was out | send again after a pause, same Message-ID |
//! | `sent` | accepted for every recipient that can be reached | – |
//! | `failed` | refused for good | – |

pub mod address;
mod body;
pub mod bounce;
pub mod compose;
pub mod dispatch;
pub mod headers;
pub mod isolation;
pub mod log;
pub mod message;
pub mod outbox;
#[cfg(test)]
mod outbox_tests;
pub mod recipients;

pub use body::{Enclosure, Inline};
pub use compose::{ComposeError, Composed, List, Outgoing, compose, compose_listed, message_key, reader_key};
pub use dispatch::{Limits, Report, dispatch};
pub use isolation::{Directory, Leak, visible_text};
pub use message::{Cause, Envelope, Outcome, Parcel, Recipient, Refusal};
pub use outbox::{Action, DeliveryRecord, DeliveryState, RetryPolicy, apply, claim, next_action};
pub use recipients::recipients;
