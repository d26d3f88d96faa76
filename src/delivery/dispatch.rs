//! One pass over the outbox.
//!
//! Duty: messages in the order of their sequence, each claimed durably before it is handed over and its outcome
//! written after; a message of a partner waits for the earlier ones of the same partner, and for nobody else's. Not
//! its duty: how a message leaves (`send` is handed in), what time it is (`now` is handed in), opening anything.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::domain::Instant;

use super::log::{self, LogError};
use super::message::{Envelope, Outcome, Parcel};
use super::outbox::{Action, DeliveryRecord, DeliveryState, RecipientState, RetryPolicy, apply, claim, next_action};

/// A message of the outbox. What is sent is loaded when it is sent: it is personal data, and need not be there any
/// more for a message that has left.
#[derive(Clone, Debug)]
pub struct Item {
    /// Order of sending; unique.
    pub sequence: u64,
    pub partner_id: String,
    pub message_key: String,
    pub message_id: String,
}

/// What is kept of a message until it has left, and no longer than its retention.
#[derive(Clone, Debug)]
pub struct Content {
    pub envelope: Envelope,
    pub bytes: Vec<u8>,
}

/// Gives the content of a message, or says why it cannot be had.
pub type Load<'a> = dyn Fn(&Item) -> Result<Content, String> + 'a;

#[derive(Clone, Debug)]
pub struct Limits {
    pub policy: RetryPolicy,
    /// Messages handed over in one pass, at most.
    pub max_per_run: usize,
    /// Whether pauses are left out: a person has put right what was wrong.
    pub at_once: bool,
}

/// Faults of the link in a row, whatever the message, after which a pass ends: the server needs a look, and every
/// further attempt would only wait for its time-out.
const MAX_FAULTS_IN_A_ROW: u32 = 3;

/// Messages refused for good in a row after which a pass ends: so many at once are no accident of theirs, and each
/// further one would be lost to the same mistake.
const MAX_REFUSED_IN_A_ROW: u32 = 20;

/// What one pass did, in numbers and in words for an operator; no address stands in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Sent in this pass.
    pub sent: usize,
    /// Sent by an earlier pass: nothing to do.
    pub already_sent: usize,
    /// Refused for good, now or earlier, or without content.
    pub failed: usize,
    /// To be tried again.
    pub waiting: usize,
    /// Not tried for the limit of the pass, or because it ended early.
    pub left: usize,
    /// Attempts of this pass that may have been accepted without our knowing, a died run's among them.
    pub unknown_outcomes: u32,
    /// Recipients refused for good, of messages that others got.
    pub refused_recipients: usize,
    /// Why the pass ended early.
    pub stopped: Option<String>,
    /// Message key and what is wrong, in the order of sending.
    pub problems: Vec<(String, String)>,
    /// Earliest instant at which a waiting message is due.
    pub next_due: Option<Instant>,
}

impl Report {
    /// Whether everything that was to go has gone.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.waiting == 0 && self.left == 0 && self.refused_recipients == 0
    }
}

/// One pass over `items`. `load` is asked for messages that are to be sent now, and for no other; `send` hands a
/// parcel over. An error of the log ends the pass at once: nothing may leave that cannot be recorded.
pub fn dispatch(
    log: &Connection,
    items: &[Item],
    limits: &Limits,
    now: &dyn Fn() -> Instant,
    load: &Load<'_>,
    send: &mut dyn FnMut(&Parcel<'_>) -> Outcome,
) -> Result<Report, LogError> {
    let mut ordered: Vec<&Item> = items.iter().collect();
    ordered.sort_by_key(|item| item.sequence);
    let mut pass = Pass {
        log,
        limits,
        now,
        report: Report::default(),
        blocked: BTreeSet::new(),
        tried: 0,
        faults: 0,
        refused: 0,
    };
    for item in ordered {
        pass.visit(item, load, send)?;
    }
    Ok(pass.report)
}

struct Pass<'a> {
    log: &'a Connection,
    limits: &'a Limits,
    now: &'a dyn Fn() -> Instant,
    report: Report,
    /// Partners with an earlier message that has not left yet.
    blocked: BTreeSet<&'a str>,
    tried: usize,
    faults: u32,
    refused: u32,
}

impl<'a> Pass<'a> {
    fn visit(
        &mut self,
        item: &'a Item,
        load: &Load<'_>,
        send: &mut dyn FnMut(&Parcel<'_>) -> Outcome,
    ) -> Result<(), LogError> {
        let known = log::load(self.log, &item.message_key)?;
        let action = known
            .as_ref()
            .map_or(Action::Send, |record| next_action(record, (self.now)()));
        let action = match action {
            Action::Wait(_) if self.limits.at_once => Action::Send,
            action => action,
        };
        match action {
            Action::Done => self.count_done(known.as_ref()),
            Action::Wait(at) => self.hold(item, Some(at)),
            Action::Send if self.blocked.contains(item.partner_id.as_str()) => self.hold(item, None),
            Action::Send if self.report.stopped.is_some() || self.tried >= self.limits.max_per_run => {
                self.report.left += 1;
                self.blocked.insert(&item.partner_id);
            }
            Action::Send => match load(item) {
                Ok(content) => self.send_one(item, &content, send)?,
                // nothing to wait for: later messages of the partner are not held
                Err(why) => {
                    self.report.failed += 1;
                    self.report.problems.push((item.message_key.clone(), why));
                }
            },
        }
        Ok(())
    }

    fn send_one(
        &mut self,
        item: &'a Item,
        content: &Content,
        send: &mut dyn FnMut(&Parcel<'_>) -> Outcome,
    ) -> Result<(), LogError> {
        self.tried += 1;
        let all = &content.envelope.to;
        let record = log::enqueue(self.log, &item.message_key, &item.message_id, all.len())?;
        let envelope = Envelope {
            from: content.envelope.from.clone(),
            to: record.open().into_iter().map(|i| all[i].clone()).collect(),
        };
        let claimed = claim(&record, (self.now)());
        log::advance(self.log, &record, &claimed)?;
        let outcome = send(&Parcel {
            sequence: item.sequence,
            message_key: &item.message_key,
            message_id: &item.message_id,
            envelope: &envelope,
            bytes: &content.bytes,
        });
        let after = apply(&claimed, &outcome, &self.limits.policy, (self.now)());
        log::advance(self.log, &claimed, &after)?;
        self.report.unknown_outcomes += after.unknown_outcomes - record.unknown_outcomes;
        if let Some(error) = &after.last_error {
            self.report.problems.push((item.message_key.clone(), error.clone()));
        }
        match after.state {
            DeliveryState::Sent => self.report.sent += 1,
            DeliveryState::Failed => self.report.failed += 1,
            _ => self.hold(item, after.not_before),
        }
        self.report.refused_recipients += refused(&after);
        self.watch(&outcome);
        Ok(())
    }

    fn count_done(&mut self, record: Option<&DeliveryRecord>) {
        let Some(record) = record else { return };
        if record.state == DeliveryState::Sent {
            self.report.already_sent += 1;
        } else {
            self.report.failed += 1;
            let error = record.last_error.clone().unwrap_or_default();
            self.report.problems.push((record.message_key.clone(), error));
        }
    }

    fn hold(&mut self, item: &'a Item, due: Option<Instant>) {
        self.report.waiting += 1;
        self.blocked.insert(&item.partner_id);
        if let Some(due) = due {
            self.report.next_due = Some(self.report.next_due.map_or(due, |earlier| earlier.min(due)));
        }
    }

    /// Ends the pass when the server, rather than a message, is at fault.
    fn watch(&mut self, outcome: &Outcome) {
        let text = match outcome {
            Outcome::Unreachable { cause, text } => {
                self.report.stopped = Some(format!("{}: {text}", cause.as_str()));
                return;
            }
            Outcome::Unknown { text } | Outcome::Transient { code: None, text } => text,
            Outcome::Permanent { text, .. } => {
                self.faults = 0;
                self.refused += 1;
                if self.refused >= MAX_REFUSED_IN_A_ROW {
                    let why = format!("{MAX_REFUSED_IN_A_ROW} messages in a row were refused for good: {text}");
                    self.report.stopped = Some(why);
                }
                return;
            }
            _ => {
                self.faults = 0;
                self.refused = 0;
                return;
            }
        };
        self.faults += 1;
        if self.faults >= MAX_FAULTS_IN_A_ROW {
            self.report.stopped = Some(format!("{MAX_FAULTS_IN_A_ROW} attempts in a row broke off: {text}"));
        }
    }
}

/// Recipients refused for good of a message that others got.
fn refused(record: &DeliveryRecord) -> usize {
    if record.state != DeliveryState::Sent {
        return 0;
    }
    record
        .recipients
        .iter()
        .filter(|r| matches!(r, RecipientState::Refused(_)))
        .count()
}

#[cfg(test)]
mod tests {
    use super::super::message::{Cause, Refusal};
    use super::*;

    fn items(partners: &[&str]) -> Vec<Item> {
        let item = |(i, partner): (usize, &&str)| Item {
            sequence: i as u64 + 1,
            partner_id: (*partner).to_owned(),
            message_key: format!("k{}", i + 1),
            message_id: format!("<k{}@x>", i + 1),
        };
        // handed in backwards: the order is that of the sequence
        partners.iter().enumerate().map(item).rev().collect()
    }

    fn content(item: &Item) -> Content {
        Content {
            envelope: Envelope {
                from: "f@x.example".into(),
                to: vec!["a@y.example".into(), "b@y.example".into()],
            },
            bytes: item.message_key.clone().into_bytes(),
        }
    }

    struct Desk {
        log: Connection,
        sent: Vec<String>,
    }

    impl Desk {
        fn new() -> Desk {
            let log = Connection::open_in_memory().unwrap();
            log::prepare(&log).unwrap();
            Desk { log, sent: Vec::new() }
        }

        fn pass(&mut self, seconds: i64, items: &[Item], answer: impl Fn(&Parcel<'_>) -> Outcome) -> Report {
            self.pass_loading(seconds, items, &|item| Ok(content(item)), answer)
        }

        fn pass_loading(
            &mut self,
            seconds: i64,
            items: &[Item],
            load: &Load<'_>,
            answer: impl Fn(&Parcel<'_>) -> Outcome,
        ) -> Report {
            let policy = RetryPolicy {
                pauses_seconds: vec![60],
                max_refusals: 5,
            };
            let limits = Limits {
                policy,
                max_per_run: 100,
                at_once: false,
            };
            let sent = &mut self.sent;
            dispatch(
                &self.log,
                items,
                &limits,
                &|| Instant::from_micros(seconds * 1_000_000),
                load,
                &mut |parcel| {
                    sent.push(format!("{}:{}", parcel.message_key, parcel.envelope.to.len()));
                    answer(parcel)
                },
            )
            .unwrap()
        }
    }

    fn accept(_: &Parcel<'_>) -> Outcome {
        Outcome::Accepted { refused: vec![] }
    }

    #[test]
    fn in_order_and_once() {
        let mut desk = Desk::new();
        let items = items(&["A", "B", "A"]);
        let report = desk.pass(0, &items, accept);
        assert_eq!((report.sent, report.is_complete()), (3, true));
        assert_eq!(desk.pass(1, &items, accept).already_sent, 3);
        assert_eq!(desk.sent, ["k1:2", "k2:2", "k3:2"]);
    }

    #[test]
    fn a_waiting_message_holds_its_own_partner_only() {
        let mut desk = Desk::new();
        let items = items(&["A", "B", "A"]);
        let busy = |p: &Parcel<'_>| match p.message_key {
            "k1" => Outcome::Transient {
                code: Some(451),
                text: "busy".into(),
            },
            _ => accept(p),
        };
        let report = desk.pass(0, &items, busy);
        assert_eq!(
            (report.sent, report.waiting, report.next_due),
            (1, 2, Some(Instant::from_micros(60_000_000)))
        );
        assert_eq!(desk.pass(60, &items, accept).sent, 2);
        assert_eq!(desk.sent, ["k1:2", "k2:2", "k1:2", "k3:2"]);
    }

    #[test]
    fn a_server_out_of_reach_ends_the_pass() {
        let mut desk = Desk::new();
        let items = items(&["A", "B", "C"]);
        let down = |_: &Parcel<'_>| Outcome::Unreachable {
            cause: Cause::Connection,
            text: "refused".into(),
        };
        let report = desk.pass(0, &items, down);
        assert_eq!((report.waiting, report.left), (1, 2));
        assert_eq!(report.stopped.unwrap(), "connection: refused");
        assert_eq!(desk.sent, ["k1:2"]);
    }

    #[test]
    fn three_broken_links_in_a_row_end_the_pass() {
        let mut desk = Desk::new();
        let report = desk.pass(0, &items(&["A", "B", "C", "D"]), |_| Outcome::Unknown {
            text: "dropped".into(),
        });
        assert_eq!((report.waiting, report.left, report.unknown_outcomes), (3, 1, 3));
        assert!(report.stopped.is_some());
    }

    #[test]
    fn refused_for_good_in_a_row_ends_the_pass_before_all_are_lost() {
        let mut desk = Desk::new();
        let partners: Vec<String> = (0..30).map(|i| format!("P{i}")).collect();
        let items = items(&partners.iter().map(String::as_str).collect::<Vec<_>>());
        let report = desk.pass(0, &items, |_| Outcome::Permanent {
            code: Some(554),
            text: "not this content".into(),
        });
        assert_eq!((report.failed, report.left), (20, 10));
        assert!(report.stopped.unwrap().contains("20 messages in a row"));
    }

    #[test]
    fn only_open_recipients_are_served_again() {
        let mut desk = Desk::new();
        let items = items(&["A"]);
        let partly = |_: &Parcel<'_>| Outcome::Accepted {
            refused: vec![Refusal {
                position: 1,
                code: 450,
                text: "later".into(),
            }],
        };
        assert_eq!(desk.pass(0, &items, partly).waiting, 1);
        assert_eq!(desk.pass(60, &items, accept).sent, 1);
        assert_eq!(desk.sent, ["k1:2", "k1:1"]);
    }

    fn gone(_: &Item) -> Result<Content, String> {
        Err("its bytes are gone".to_owned())
    }

    #[test]
    fn missing_content_is_a_problem_of_that_message_only() {
        let mut desk = Desk::new();
        let items = items(&["A", "A", "B"]);
        let first_gone = |item: &Item| match item.message_key.as_str() {
            "k1" => gone(item),
            _ => Ok(content(item)),
        };
        let report = desk.pass_loading(0, &items, &first_gone, accept);
        assert_eq!((report.sent, report.failed, report.waiting), (2, 1, 0));
        assert_eq!(report.problems, [("k1".to_owned(), "its bytes are gone".to_owned())]);
        assert_eq!(desk.sent, ["k2:2", "k3:2"]);
        let report = desk.pass(1, &items, accept);
        assert_eq!((report.sent, report.already_sent), (1, 2), "it goes once it is back");
    }

    #[test]
    fn content_is_loaded_for_what_is_sent_now_and_for_nothing_else() {
        let mut desk = Desk::new();
        let items = items(&["A", "B", "B"]);
        let answers = |p: &Parcel<'_>| match p.message_key {
            "k2" => Outcome::Transient {
                code: Some(451),
                text: "busy".into(),
            },
            _ => accept(p),
        };
        desk.pass(0, &items, answers);
        let report = desk.pass_loading(1, &items, &gone, accept);
        assert_eq!((report.already_sent, report.waiting, report.failed), (1, 2, 0));
        assert_eq!(report.problems, []);
    }
}
