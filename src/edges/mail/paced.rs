//! A route with a pace: so many messages a minute and no more.
//!
//! Duty: wait before a message that would come too soon after the one before it. Not its duty: limits of a run, and
//! pauses after a refusal (`delivery`). One message is under way at a time, to whatever domain it goes.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::delivery::message::{Outcome, Parcel};

use super::MailRoute;

/// Another route, never asked more than so often a minute.
pub struct Paced {
    route: Box<dyn MailRoute>,
    interval: Duration,
    last: Mutex<Option<Instant>>,
}

impl Paced {
    /// `most` messages a minute, evenly spaced: a server that counts in any window sees no burst.
    #[must_use]
    pub fn new(route: Box<dyn MailRoute>, most: u32) -> Paced {
        Paced {
            route,
            interval: Duration::from_mins(1) / most.max(1),
            last: Mutex::new(None),
        }
    }
}

impl MailRoute for Paced {
    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rest) = last.and_then(|l| self.interval.checked_sub(l.elapsed())) {
            thread::sleep(rest);
        }
        *last = Some(Instant::now());
        self.route.deliver(parcel)
    }
}
