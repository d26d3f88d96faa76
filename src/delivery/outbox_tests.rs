//! The state machine, outcome by outcome.

use super::message::{Cause, Outcome, Refusal};
use super::outbox::*;
use crate::domain::Instant;

fn at(seconds: i64) -> Instant {
    Instant::from_micros(seconds * 1_000_000)
}

fn policy() -> RetryPolicy {
    RetryPolicy {
        pauses_seconds: vec![60, 300],
        max_refusals: 4,
    }
}

/// Claims at each time and applies the outcome; the record after all.
fn run(recipients: usize, outcomes: &[(i64, Outcome)]) -> DeliveryRecord {
    outcomes.iter().fold(
        DeliveryRecord::new("k", "<k@x>", recipients),
        |record, (seconds, outcome)| {
            assert_eq!(next_action(&record, at(*seconds)), Action::Send, "at {seconds}");
            apply(&claim(&record, at(*seconds)), outcome, &policy(), at(*seconds))
        },
    )
}

fn accepted() -> Outcome {
    Outcome::Accepted { refused: vec![] }
}

fn transient() -> Outcome {
    Outcome::Transient {
        code: Some(451),
        text: "busy".into(),
    }
}

fn refusal(position: usize, code: u16) -> Refusal {
    Refusal {
        position,
        code,
        text: "no".into(),
    }
}

#[test]
fn accepted_is_final() {
    let record = run(2, &[(10, accepted())]);
    assert_eq!(
        (record.state, record.attempts, record.sent_at),
        (DeliveryState::Sent, 1, Some(at(10)))
    );
    assert_eq!(next_action(&record, at(11)), Action::Done);
}

#[test]
fn pauses_grow_and_the_last_one_repeats() {
    let record = run(1, &[(0, transient())]);
    assert_eq!(
        (record.state, next_action(&record, at(59))),
        (DeliveryState::Retry, Action::Wait(at(60)))
    );
    let record = run(1, &[(0, transient()), (60, transient())]);
    assert_eq!(next_action(&record, at(61)), Action::Wait(at(360)));
    let record = run(1, &[(0, transient()), (60, transient()), (360, transient())]);
    assert_eq!(next_action(&record, at(361)), Action::Wait(at(660)));
    let record = run(
        1,
        &[
            (0, transient()),
            (60, transient()),
            (360, transient()),
            (660, transient()),
        ],
    );
    assert_eq!(record.state, DeliveryState::Failed);
    assert_eq!(record.last_error.unwrap(), "given up after 4 refusals: 451 busy");
}

#[test]
fn a_server_out_of_reach_is_no_refusal() {
    let down = Outcome::Unreachable {
        cause: Cause::Tls,
        text: "bad certificate".into(),
    };
    let outcomes: Vec<_> = (0..20).map(|i| (i * 300, down.clone())).collect();
    let record = run(1, &outcomes);
    assert_eq!(
        (record.state, record.attempts, record.refusals),
        (DeliveryState::Retry, 20, 0)
    );
    assert_eq!(record.last_error.unwrap(), "TLS: bad certificate");
}

#[test]
fn an_unknown_outcome_is_counted_and_sent_again() {
    let record = run(1, &[(0, Outcome::Unknown { text: "dropped".into() })]);
    assert_eq!((record.state, record.unknown_outcomes), (DeliveryState::Unknown, 1));
    let record = run(1, &[(0, Outcome::Unknown { text: "dropped".into() }), (60, accepted())]);
    assert_eq!(
        (record.state, record.unknown_outcomes, record.attempts),
        (DeliveryState::Sent, 1, 2)
    );
}

#[test]
fn a_run_that_died_after_its_claim_is_an_unknown_outcome() {
    let died = claim(&DeliveryRecord::new("k", "<k@x>", 1), at(0));
    assert_eq!(next_action(&died, at(1)), Action::Send);
    let again = claim(&died, at(1));
    assert_eq!((again.attempts, again.unknown_outcomes), (2, 1));
}

#[test]
fn one_recipient_refused_and_the_others_served() {
    let record = run(
        3,
        &[(
            0,
            Outcome::Accepted {
                refused: vec![refusal(1, 550)],
            },
        )],
    );
    assert_eq!(record.state, DeliveryState::Sent);
    assert_eq!(
        record.recipients,
        [
            RecipientState::Accepted,
            RecipientState::Refused(550),
            RecipientState::Accepted
        ]
    );
    assert_eq!(record.last_error.unwrap(), "1 of 3 recipients refused: 550 no");
}

#[test]
fn a_recipient_refused_for_now_is_tried_alone() {
    let first = Outcome::Accepted {
        refused: vec![refusal(2, 450), refusal(0, 550)],
    };
    let record = run(3, &[(0, first.clone())]);
    assert_eq!((record.state, record.open()), (DeliveryState::Retry, vec![2]));
    let record = run(3, &[(0, first.clone()), (60, accepted())]);
    assert_eq!(
        (record.state, record.recipients[2]),
        (DeliveryState::Sent, RecipientState::Accepted)
    );
    // the second attempt has one recipient only: place 0 of its envelope is place 2 of the message
    let record = run(
        3,
        &[
            (0, first),
            (
                60,
                Outcome::Refused {
                    refused: vec![refusal(0, 550)],
                },
            ),
        ],
    );
    assert_eq!(
        (record.state, record.recipients[2]),
        (DeliveryState::Sent, RecipientState::Refused(550))
    );
}

#[test]
fn all_refused_for_good_is_failed() {
    let record = run(
        2,
        &[(
            0,
            Outcome::Refused {
                refused: vec![refusal(0, 550), refusal(1, 553)],
            },
        )],
    );
    assert_eq!((record.state, record.sent_at), (DeliveryState::Failed, None));
    let record = run(
        1,
        &[(
            0,
            Outcome::Permanent {
                code: Some(552),
                text: "too large".into(),
            },
        )],
    );
    assert_eq!(
        (record.state, record.last_error.as_deref()),
        (DeliveryState::Failed, Some("552 too large"))
    );
}
