//! A route without a world, for tests.
//!
//! Duty: keep what it accepted, and answer as scripted where a script says so. Not its duty: being like a server in
//! anything but its outcomes; the suite that runs over every route holds it to them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::delivery::message::{Outcome, Parcel};

use super::MailRoute;

/// A message as the fake took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub message_id: String,
    pub to: Vec<String>,
    pub bytes: Vec<u8>,
}

/// What the fake does with the next parcel.
#[derive(Clone, Debug)]
pub enum Script {
    /// Takes it and says so.
    Take,
    /// Takes it and answers this, such as an unknown outcome.
    TakeAndAnswer(Outcome),
    /// Does not take it and answers this.
    Answer(Outcome),
}

#[derive(Debug, Default)]
pub struct FakeRoute {
    script: Mutex<VecDeque<Script>>,
    taken: Mutex<Vec<Taken>>,
}

impl FakeRoute {
    /// Follows the script, then takes everything.
    #[must_use]
    pub fn new(script: impl IntoIterator<Item = Script>) -> FakeRoute {
        FakeRoute {
            script: Mutex::new(script.into_iter().collect()),
            taken: Mutex::default(),
        }
    }

    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self, parcel: &Parcel<'_>, outcome: &Outcome) {
        let refused = match outcome {
            Outcome::Accepted { refused } | Outcome::Refused { refused } => refused.as_slice(),
            _ => &[],
        };
        let served = parcel.envelope.to.iter().enumerate();
        let to = served
            .filter(|(i, _)| refused.iter().all(|r| r.position != *i))
            .map(|(_, a)| a.clone())
            .collect();
        let taken = Taken {
            message_id: parcel.message_id.to_owned(),
            to,
            bytes: parcel.bytes.to_vec(),
        };
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(taken);
    }
}

impl MailRoute for FakeRoute {
    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        let next = self
            .script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
            .unwrap_or(Script::Take);
        match next {
            Script::Answer(outcome) => outcome,
            Script::Take => {
                let outcome = Outcome::Accepted { refused: Vec::new() };
                self.take(parcel, &outcome);
                outcome
            }
            Script::TakeAndAnswer(outcome) => {
                self.take(parcel, &outcome);
                outcome
            }
        }
    }
}
