//! What a partner could do, or have done for it.
//!
//! Duty: the actions that a partner's derivation gives reason for, and what each changes in the facts. Not its duty:
//! what comes of it (`what_if` evaluates).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Date, Dec, Period, Ratio, Rounding};
use crate::evaluation::derivation::{Card, DomainScore};
use crate::evaluation::explain::number;
use crate::evaluation::facts::{Answers, Certification, Decision, Facts, Inspections};
use crate::evaluation::metric::{Metric, MetricState, Working, counted};
use crate::evaluation::own;
use crate::rules::{MetricId, MetricName, RuleBook};

/// How many more answers are tried.
const MORE_ANSWERS: [i64; 2] = [5, 10];

/// How many more inspections are tried.
const MORE_INSPECTIONS: i64 = 3;

/// Decimals of a sum of scores, as measures have them.
const SCORE_SCALE: u8 = 4;

/// Something that changes a partner's facts in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// `None`: on the card.
    pub domain: Option<DomainId>,
    /// Such as `return the 4 parts that are overdue`.
    pub words: String,
    pub change: Change,
}

/// What it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// So many overdue parts come back before the period ends, the oldest first.
    ReturnParts { quantity: i64 },
    /// So many more answers, satisfied, each of a customer of its own, ordinary, all of it the partner's responsibility.
    SatisfiedAnswers { answers: i64 },
    /// So many more random inspections with this score out of 100.
    Inspections { inspections: i64, score: Dec },
    /// Critical findings that are open for too long are closed.
    CloseCritical,
    /// An appeal against the event is upheld.
    UpholdAppeal { event_id: Arc<str> },
    /// So many deliveries that were late are completed by the time they were due.
    OnTime { deliveries: i64 },
    /// A metric of the programme's own has this value.
    Value { metric: MetricName, value: Ratio },
    /// The domain is certified on all days of the period, with so many stars.
    Certify { stars: i64, first_on: Date, end_on: Date },
}

impl Action {
    /// A name that programs can rely on.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.change {
            Change::ReturnParts { .. } => "return_parts",
            Change::SatisfiedAnswers { .. } => "satisfied_answers",
            Change::Inspections { .. } => "inspections",
            Change::CloseCritical => "close_critical",
            Change::UpholdAppeal { .. } => "uphold_appeal",
            Change::OnTime { .. } => "on_time",
            Change::Value { .. } => "metric_value",
            Change::Certify { .. } => "certify",
        }
    }

    pub(super) fn event(&self) -> Option<Arc<str>> {
        match &self.change {
            Change::UpholdAppeal { event_id } => Some(event_id.clone()),
            _ => None,
        }
    }

    /// Changes the facts as if it had been done.
    pub(in crate::evaluation) fn apply(&self, facts: &mut Facts, partner: &PartnerId, period: Period) {
        let key = |domain: &DomainId| (partner.clone(), domain.clone(), period);
        match (&self.change, &self.domain) {
            (Change::ReturnParts { quantity }, Some(domain)) => {
                let parts = facts.parts.entry(key(domain));
                parts.overdue = (parts.overdue - quantity).max(0);
                parts.long_overdue = (parts.long_overdue - quantity).max(0);
            }
            (Change::SatisfiedAnswers { answers }, Some(domain)) => {
                let rows = facts.satisfaction.entry(key(domain));
                let one = Dec::new(1, 0);
                rows.extend((0..*answers).map(|i| Answers {
                    // no customer's name has a space
                    customer: format!("what if {i}").into(),
                    class: "ordinary".into(),
                    selected_by: "random".into(),
                    answers: 1,
                    share_sum: one,
                    share_square_sum: one,
                    satisfied_share_sum: one,
                    vendor_fault_answers: 0,
                    zero_share_answers: 0,
                }));
                rows.sort();
            }
            (Change::Inspections { inspections, score }, Some(domain)) => {
                let rows = facts.quality.entry(key(domain));
                let sum = &score.ratio() * &Ratio::int(*inspections);
                rows.push(Inspections {
                    selected_by: "random".into(),
                    scored: true,
                    score_max: Dec::new(100, 0),
                    critical: 0,
                    major: 0,
                    minor: 0,
                    inspections: *inspections,
                    score_sum: sum.round(SCORE_SCALE, Rounding::HalfAwayFromZero).unwrap_or(Dec::ZERO),
                });
                rows.sort();
            }
            (Change::CloseCritical, Some(domain)) => {
                facts.open_critical.put(key(domain), None);
            }
            (Change::UpholdAppeal { event_id }, _) => {
                let acts = facts.decisions.entry(event_id.clone()).or_default();
                if let Some(last) = acts.last().cloned() {
                    acts.push(Decision {
                        kind: "appeal".into(),
                        outcome: "upheld".into(),
                        ..last
                    });
                }
            }
            (Change::OnTime { deliveries }, Some(domain)) => {
                let due = facts.due.entry(key(domain));
                due.on_time = (due.on_time + deliveries).min(due.due);
            }
            (Change::Value { metric, value }, Some(domain)) => {
                facts.presumed.insert((key(domain), *metric), value.clone());
            }
            (
                Change::Certify {
                    stars,
                    first_on,
                    end_on,
                },
                Some(domain),
            ) => {
                let of_partner = facts.certifications.entry(partner.clone()).or_default();
                of_partner.entry(domain.clone()).or_default().push(Certification {
                    valid_from: *first_on,
                    valid_to: *end_on,
                    active: true,
                    stars: *stars,
                });
            }
            (_, None) => {}
        }
    }
}

/// The actions that a card gives reason for, by domain; those on the card last. Certificates are the caller's: their
/// stars are no fact of the evaluation.
pub(in crate::evaluation) fn of(card: &Card, facts: &Facts, book: &RuleBook) -> Vec<Action> {
    let mut out = Vec::new();
    for score in &card.domains {
        for metric in score.metrics.iter().filter(|m| m.state != MetricState::Incomplete) {
            of_metric(score, metric, book, &mut out);
        }
        of_events(Some(&score.domain), &score.events.items, facts, &mut out);
    }
    of_events(None, &card.events.items, facts, &mut out);
    out
}

fn of_metric(score: &DomainScore, metric: &Metric, book: &RuleBook, out: &mut Vec<Action>) {
    let mut add = |words: String, change: Change| {
        out.push(Action {
            domain: Some(score.domain.clone()),
            words,
            change,
        });
    };
    match &metric.working {
        Working::Parts(working) => {
            let q = &working.quantities;
            if q.overdue > 0 {
                let words = format!("return {} overdue", all_of(q.overdue));
                add(words, Change::ReturnParts { quantity: q.overdue });
            }
            if q.long_overdue > 0 && q.long_overdue < q.overdue {
                let words = format!("return {} overdue for longest", all_of(q.long_overdue));
                let quantity = q.long_overdue;
                add(words, Change::ReturnParts { quantity });
            }
        }
        Working::Satisfaction(_) => {
            for answers in MORE_ANSWERS {
                let words = format!("{answers} more satisfied answers, each of another ordinary customer");
                add(words, Change::SatisfiedAnswers { answers });
            }
        }
        Working::Quality(working) => {
            if working.open_critical > 0 {
                let open = counted(working.open_critical, "critical finding");
                add(format!("close {open} open for too long"), Change::CloseCritical);
            }
            let inspections = MORE_INSPECTIONS;
            let present = metric
                .raw
                .as_ref()
                .and_then(|raw| raw.round(SCORE_SCALE, Rounding::HalfAwayFromZero));
            if let Some(score) = present {
                let mean = number(&score.ratio());
                let words = format!("{inspections} more random inspections at the present mean of {mean}");
                add(words, Change::Inspections { inspections, score });
            }
            let score = Dec::new(100, 0);
            let words = format!("{inspections} more random inspections at 100");
            add(words, Change::Inspections { inspections, score });
        }
        Working::Steps(_) => match metric.id {
            MetricId::ServiceLevel => {
                let on_time = metric.raw.as_ref().map(|raw| raw * &Ratio::int(metric.n));
                let late = on_time.and_then(|on_time| (&Ratio::int(metric.n) - &on_time).round(0, Rounding::Down));
                let late = late.and_then(|late| i64::try_from(late.units()).ok()).unwrap_or(0);
                for deliveries in BTreeSet::from([1, late]).into_iter().filter(|n| (1..=late).contains(n)) {
                    let words = format!("complete {} in time that were late", counted_of(deliveries, late));
                    add(words, Change::OnTime { deliveries });
                }
            }
            MetricId::Own(name) => {
                let (Some(rules), Some(value), Some(points)) = (
                    book.own.get(&name),
                    metric.adjusted.as_ref(),
                    metric.normalised.as_ref(),
                ) else {
                    return;
                };
                for better in own::better_values(&rules.normalise, value, points) {
                    let words = format!("{} at {} instead of {}", rules.title, short(&better), short(value));
                    add(
                        words,
                        Change::Value {
                            metric: name,
                            value: better,
                        },
                    );
                }
            }
            // its criteria are people and trainings, which the review tells one by one
            _ => {}
        },
    }
}

/// `1 of the 7 deliveries`, `the 7 deliveries`.
fn counted_of(n: i64, all: i64) -> String {
    match (n, all) {
        (_, 1) => "the 1 delivery".to_owned(),
        _ if n < all => format!("{n} of the {all} deliveries"),
        _ => format!("the {all} deliveries"),
    }
}

/// To four decimals.
fn short(value: &Ratio) -> String {
    let rounded = value.round(SCORE_SCALE, Rounding::HalfAwayFromZero);
    rounded.map_or_else(|| number(value), |rounded| number(&rounded.ratio()))
}

fn all_of(quantity: i64) -> String {
    if quantity == 1 {
        "the 1 part".to_owned()
    } else {
        format!("the {quantity} parts")
    }
}

/// Negative events that count in the period, and can be appealed against.
fn of_events(domain: Option<&DomainId>, items: &[(Arc<str>, Ratio)], facts: &Facts, out: &mut Vec<Action>) {
    for (event_id, points) in items.iter().filter(|(id, _)| facts.decisions.contains_key(id)) {
        if points.is_negative() {
            out.push(Action {
                domain: domain.cloned(),
                words: format!(
                    "an appeal against event {event_id} ({} points) is upheld",
                    number(points)
                ),
                change: Change::UpholdAppeal {
                    event_id: event_id.clone(),
                },
            });
        }
    }
}
