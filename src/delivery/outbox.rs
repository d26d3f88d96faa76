//! The state machine of one message.
//!
//! Duty: what to do with a message now, and what an outcome makes of it; pure functions of a record and a time. Not
//! its duty: keeping the record (`log`), order (`dispatch`), sending.

use crate::domain::Instant;

use super::message::{Outcome, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryState {
    Queued,
    /// Claimed: bytes may be on their way. Found at a start, it means that a run died here.
    Sending,
    Retry,
    Unknown,
    Sent,
    Failed,
}

impl DeliveryState {
    pub const ALL: [DeliveryState; 6] = [
        DeliveryState::Queued,
        DeliveryState::Sending,
        DeliveryState::Retry,
        DeliveryState::Unknown,
        DeliveryState::Sent,
        DeliveryState::Failed,
    ];

    /// The name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Queued => "queued",
            DeliveryState::Sending => "sending",
            DeliveryState::Retry => "retry",
            DeliveryState::Unknown => "unknown",
            DeliveryState::Sent => "sent",
            DeliveryState::Failed => "failed",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<DeliveryState> {
        DeliveryState::ALL.into_iter().find(|s| s.as_str() == name)
    }

    /// Nothing more will be tried.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, DeliveryState::Sent | DeliveryState::Failed)
    }
}

/// One recipient of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientState {
    Open,
    Accepted,
    /// Refused for good, with the server's code.
    Refused(u16),
}

/// The delivery of one message so far. Recipients are known by their place in the envelope: an address is personal
/// data, and this record is not kept with such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRecord {
    pub message_key: String,
    pub message_id: String,
    pub state: DeliveryState,
    pub recipients: Vec<RecipientState>,
    /// Claims, successful or not.
    pub attempts: u32,
    /// Attempts that counted against the message: transient refusals and unknown outcomes, not a server out of reach.
    pub refusals: u32,
    /// Attempts that may have been accepted without our knowing: each may be one more copy with the same Message-ID.
    pub unknown_outcomes: u32,
    pub last_error: Option<String>,
    pub not_before: Option<Instant>,
    pub claimed_at: Option<Instant>,
    pub sent_at: Option<Instant>,
}

impl DeliveryRecord {
    #[must_use]
    pub fn new(message_key: &str, message_id: &str, recipients: usize) -> DeliveryRecord {
        DeliveryRecord {
            message_key: message_key.to_owned(),
            message_id: message_id.to_owned(),
            state: DeliveryState::Queued,
            recipients: vec![RecipientState::Open; recipients],
            attempts: 0,
            refusals: 0,
            unknown_outcomes: 0,
            last_error: None,
            not_before: None,
            claimed_at: None,
            sent_at: None,
        }
    }

    /// Places of the recipients that are still to be served.
    #[must_use]
    pub fn open(&self) -> Vec<usize> {
        (0..self.recipients.len())
            .filter(|i| self.recipients[*i] == RecipientState::Open)
            .collect()
    }

    fn close(&mut self, state: DeliveryState) {
        self.state = state;
        self.not_before = None;
    }

    fn wait(&mut self, state: DeliveryState, pause: Instant) {
        self.state = state;
        self.not_before = Some(pause);
    }
}

/// When to try again and when to give up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Seconds to wait after the first, second, … attempt; the last one repeats.
    pub pauses_seconds: Vec<u32>,
    /// Refusals after which a message has failed.
    pub max_refusals: u32,
}

impl RetryPolicy {
    fn until(&self, attempts: u32, now: Instant) -> Instant {
        let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let pause = self
            .pauses_seconds
            .get(index)
            .or(self.pauses_seconds.last())
            .copied()
            .unwrap_or(0);
        Instant::from_micros(now.micros().saturating_add(i64::from(pause) * 1_000_000))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Send,
    /// Not before this instant.
    Wait(Instant),
    /// Sent or failed: nothing more.
    Done,
}

/// What to do with a message now.
#[must_use]
pub fn next_action(record: &DeliveryRecord, now: Instant) -> Action {
    match (record.state, record.not_before) {
        (state, _) if state.is_final() => Action::Done,
        (DeliveryState::Retry | DeliveryState::Unknown, Some(at)) if at > now => Action::Wait(at),
        _ => Action::Send,
    }
}

/// The record as it must be durable before the first byte goes out. A claim on a claim means that a run died in
/// between: what it sent, if anything, is unknown, and is counted.
#[must_use]
pub fn claim(record: &DeliveryRecord, now: Instant) -> DeliveryRecord {
    let mut claimed = record.clone();
    if record.state == DeliveryState::Sending {
        claimed.unknown_outcomes += 1;
    }
    claimed.state = DeliveryState::Sending;
    claimed.attempts += 1;
    claimed.claimed_at = Some(now);
    claimed.not_before = None;
    claimed
}

/// What an outcome makes of a claimed record. `now` is the time of the outcome.
#[must_use]
pub fn apply(record: &DeliveryRecord, outcome: &Outcome, policy: &RetryPolicy, now: Instant) -> DeliveryRecord {
    let mut next = record.clone();
    let open = record.open();
    let until = policy.until(record.attempts, now);
    match outcome {
        Outcome::Accepted { refused } => {
            for (position, index) in open.iter().enumerate() {
                if refused.iter().all(|r| r.position != position) {
                    next.recipients[*index] = RecipientState::Accepted;
                }
            }
            next.sent_at = Some(now);
            settle(&mut next, &open, refused, policy, until);
        }
        Outcome::Refused { refused } => settle(&mut next, &open, refused, policy, until),
        Outcome::Permanent { code, text } => {
            next.last_error = Some(with_code(*code, text));
            next.close(DeliveryState::Failed);
        }
        Outcome::Transient { code, text } => {
            next.last_error = Some(with_code(*code, text));
            again(&mut next, DeliveryState::Retry, policy, until);
        }
        Outcome::Unknown { text } => {
            next.last_error = Some(text.clone());
            next.unknown_outcomes += 1;
            again(&mut next, DeliveryState::Unknown, policy, until);
        }
        Outcome::Unreachable { cause, text } => {
            next.last_error = Some(format!("{}: {text}", cause.as_str()));
            next.wait(DeliveryState::Retry, until);
        }
    }
    next
}

/// Recipients refused for good are closed; those refused for now stay open and are tried again.
fn settle(next: &mut DeliveryRecord, open: &[usize], refused: &[Refusal], policy: &RetryPolicy, until: Instant) {
    for refusal in refused.iter().filter(|r| r.is_permanent()) {
        if let Some(index) = open.get(refusal.position) {
            next.recipients[*index] = RecipientState::Refused(refusal.code);
        }
    }
    let texts: Vec<String> = refused.iter().map(|r| with_code(Some(r.code), &r.text)).collect();
    next.last_error = (!texts.is_empty()).then(|| {
        format!(
            "{} of {} recipients refused: {}",
            texts.len(),
            open.len(),
            texts.join("; ")
        )
    });
    if !next.open().is_empty() {
        again(next, DeliveryState::Retry, policy, until);
    } else if next.recipients.contains(&RecipientState::Accepted) {
        next.close(DeliveryState::Sent);
    } else {
        next.close(DeliveryState::Failed);
    }
}

/// Another attempt after a pause, unless the message has been refused too often. What was accepted for some stays sent.
fn again(next: &mut DeliveryRecord, state: DeliveryState, policy: &RetryPolicy, until: Instant) {
    next.refusals += 1;
    if next.refusals < policy.max_refusals {
        next.wait(state, until);
        return;
    }
    let last = next.last_error.take().unwrap_or_default();
    next.last_error = Some(format!("given up after {} refusals: {last}", next.refusals));
    next.close(if next.recipients.contains(&RecipientState::Accepted) {
        DeliveryState::Sent
    } else {
        DeliveryState::Failed
    });
}

fn with_code(code: Option<u16>, text: &str) -> String {
    code.map_or_else(|| text.to_owned(), |code| format!("{code} {text}"))
}
