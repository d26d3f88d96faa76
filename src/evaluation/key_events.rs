//! Key events: which count, in which period, and for how many points.
//!
//! Duty: judge every event once; its local day and period, points by level, self-reporting; one row each in
//! `key_event_points`; sums per partner × domain × period (or partner × period) under their caps. Not its duty: the
//! acts on an event (`event_life`), the states that red lines lead to (`red_lines`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event_life::{self, Life, Status};
use super::facts::{Facts, KeyEvent, PartnerPeriod};
use super::fields::Read;
use super::inputs::EvaluationError;
use super::metric::joined;
use super::red_lines::{RedEvent, RedLevel};
use super::sealed::SealedEvents;
use super::shelf::Shelf;
use super::timeline::Timeline;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::time::add_days;
use crate::domain::{Date, Finding, Findings, Instant, Period, Place, Ratio};
use crate::rules::{Check, RuleBook};

/// An event with what follows from it.
#[derive(Clone, Debug)]
pub struct JudgedEvent {
    pub event: KeyEvent,
    pub status: Status,
    /// The period in which it counts; none unless it counts.
    pub period: Option<Period>,
    /// What it is worth, signed, before caps; 0 for a red-line event.
    pub points: Ratio,
    /// Local day of the second confirmation.
    pub confirmed_on: Option<Date>,
    pub reason: String,
    /// Its part in the red lines, if it is such an event and counts.
    pub red: Option<RedEvent>,
}

/// An event and what it is worth, before caps.
pub type Item = (Arc<str>, Ratio);

/// The events of one partner × domain × period, or of a partner's card.
#[derive(Clone, Debug)]
pub struct EventSum {
    pub items: Vec<Item>,
    pub positive: Ratio,
    /// Zero or below.
    pub negative: Ratio,
    pub positive_cap: Ratio,
    pub negative_cap: Ratio,
    /// Each side held to its cap.
    pub total: Ratio,
}

type ByDomain = BTreeMap<Option<DomainId>, Vec<Item>>;

/// All events, judged, by id; with those of closed periods, which stay as they are.
#[derive(Clone, Debug, Default)]
pub struct KeyEvents {
    pub judged: BTreeMap<Arc<str>, JudgedEvent>,
    pub sealed: SealedEvents,
    /// By the domain acted on; none: the card.
    items: BTreeMap<(PartnerId, Period), ByDomain>,
}

impl KeyEvents {
    /// Judges all events of the feed.
    pub(super) fn judge(
        facts: &Facts,
        sealed: SealedEvents,
        timeline: &Timeline,
        shelf: Shelf,
        findings: &mut Findings,
    ) -> Read<KeyEvents> {
        let mut events = KeyEvents {
            sealed,
            ..KeyEvents::default()
        };
        for event in facts.key_events.values() {
            let life = event_life::of(facts.decisions.get(&event.event_id).map_or(&[], Vec::as_slice));
            let judged = judge(facts, timeline, shelf, event, &life)?;
            report(event, &life, &judged, events.sealed.contains(&event.event_id), findings);
            if let (Some(period), false) = (judged.period, events.sealed.contains(&event.event_id)) {
                events.place(
                    facts,
                    event.partner.clone(),
                    event.domain.clone(),
                    period,
                    (&event.event_id, &judged.points),
                );
            }
            events.judged.insert(event.event_id.clone(), judged);
        }
        for row in events.sealed.clone().rows() {
            events.place(
                facts,
                row.partner.clone(),
                row.domain.clone(),
                row.period,
                (&row.event_id, &row.points),
            );
        }
        report_strays(facts, findings);
        Ok(events)
    }

    /// The domains of a partner on which an event acts in a period.
    pub fn domains(&self, partner: &PartnerId, period: Period) -> impl Iterator<Item = &DomainId> {
        self.items
            .get(&(partner.clone(), period))
            .into_iter()
            .flat_map(BTreeMap::keys)
            .flatten()
    }

    /// The events of a domain (none: of the card) in a period, under the caps of the book.
    #[must_use]
    pub fn sum(&self, book: &RuleBook, partner: &PartnerId, domain: Option<&DomainId>, period: Period) -> EventSum {
        let of_period = self.items.get(&(partner.clone(), period));
        sum(
            book,
            of_period
                .and_then(|of| of.get(&domain.cloned()))
                .cloned()
                .unwrap_or_default(),
        )
    }

    /// The red-line events that count.
    #[must_use]
    pub fn red(&self) -> Vec<RedEvent> {
        self.judged.values().filter_map(|event| event.red.clone()).collect()
    }

    /// An event whose domain spans others has no row to act on, so it acts on the card.
    fn place(&mut self, facts: &Facts, p: PartnerId, d: Option<DomainId>, q: Period, item: (&Arc<str>, &Ratio)) {
        let domain = d.filter(|d| !facts.members.contains_key(d));
        let of_period = self.items.entry((p, q)).or_default();
        of_period
            .entry(domain)
            .or_default()
            .push((item.0.clone(), item.1.clone()));
    }
}

/// Sums each side and holds it to its cap.
#[must_use]
pub fn sum(book: &RuleBook, mut items: Vec<Item>) -> EventSum {
    items.sort();
    let side = |negative: bool| Ratio::sum(items.iter().map(|(_, p)| p).filter(|p| p.is_negative() == negative));
    let (positive, negative) = (side(false), side(true));
    let (positive_cap, negative_cap) = (
        book.key_events.positive_cap.clone(),
        book.key_events.negative_cap.clone(),
    );
    let total = &positive.clone().min(positive_cap.clone()) + &negative.clone().max(-negative_cap.clone());
    EventSum {
        items,
        positive,
        negative,
        positive_cap,
        negative_cap,
        total,
    }
}

fn judge(facts: &Facts, timeline: &Timeline, shelf: Shelf, event: &KeyEvent, life: &Life) -> Read<JudgedEvent> {
    let programme = shelf.programme();
    let local = |at: Option<Instant>| -> Read<Option<(&PartnerPeriod, Date)>> {
        let place = at.and_then(|at| Some((facts.partner_at(&event.partner, at, timeline.first)?, at)));
        place
            .map(|(place, at)| Ok((place, shelf.of(place)?.zone.date_of(at))))
            .transpose()
    };
    let period_of = |day| programme.calendar.period_of(day, programme.evaluation_period);
    let confirmed = local(life.confirmed_at)?;
    let confirmed_on = confirmed.map(|(_, day)| day);
    let refusal = match confirmed {
        Some((place, day)) if life.counts_from().is_some() => {
            let on = period_of(day).unwrap_or(place.period);
            refusal(shelf.of_period(place, on)?, event, day)
        }
        _ => None,
    };
    let counts = local(life.counts_from().filter(|_| refusal.is_none()))?;
    let by_calendar = counts.and_then(|(_, day)| period_of(day));
    let period = by_calendar.map(|p| timeline.open_from(p));
    let near = period
        .or(period_of(event.occurred_on))
        .and_then(|p| facts.partner_near(&event.partner, p, timeline.first).map(|at| (at, p)));
    let book = near.map(|(at, p)| shelf.of_period(at, p)).transpose()?;
    let points = book
        .map(|book| points(book, event))
        .transpose()?
        .unwrap_or_else(Ratio::zero);
    let red = match (RedLevel::parse(&event.red_line), counts) {
        (Some(level), Some((place, on))) => {
            let rules = &shelf.of_period(place, period_of(on).unwrap_or(place.period))?.red_lines;
            let (partner, event_id) = (event.partner.clone(), event.event_id.to_string());
            let (freeze_days, hold_days) = (rules.black_freeze_days, rules.yellow_hold_days);
            Some(RedEvent {
                partner,
                on,
                level,
                event_id,
                black: rules.black.clone(),
                yellow: rules.yellow.clone(),
                freeze_days,
                hold_days,
            })
        }
        _ => None,
    };
    let nowhere = life.status == Status::Counted && period.is_none() && refusal.is_none();
    let status = match (&refusal, nowhere) {
        (Some((status, _)), _) => *status,
        (None, true) => Status::Candidate,
        (None, false) => life.status,
    };
    let moved = by_calendar.filter(|p| Some(*p) != period);
    let reason = match refusal {
        Some((_, reason)) => reason,
        None => reason(event, life, status, counts.map(|(_, day)| day), moved, nowhere),
    };
    Ok(JudgedEvent {
        event: event.clone(),
        status,
        period,
        points,
        confirmed_on,
        reason,
        red,
    })
}

/// Why an event that two persons confirmed on a day never counts: the rules of that day do not know it, or it was
/// confirmed too late. Findings of the authorisation check have the codes and levels that the rules gave them.
fn refusal(book: &RuleBook, event: &KeyEvent, confirmed_on: Date) -> Option<(Status, String)> {
    let rules = &book.key_events;
    let late = add_days(event.occurred_on, rules.expires_after_days) < confirmed_on;
    if late {
        let reason = format!(
            "confirmed on {confirmed_on}, more than {} days after it occurred on {}",
            rules.expires_after_days, event.occurred_on
        );
        return Some((Status::Expired, reason));
    }
    if Check::parse(&event.code).is_some() {
        return None;
    }
    let refusal = rules.refusal(&event.code, event.positive, &event.level, &event.red_line);
    refusal.map(|reason| (Status::NotInRules, reason))
}

/// What an event is worth: by level and direction; half (as the rules say) of a negative one that the partner
/// reported first; nothing for a red line.
fn points(book: &RuleBook, event: &KeyEvent) -> Read<Ratio> {
    if &*event.red_line != "none" {
        return Ok(Ratio::zero());
    }
    let rules = &book.key_events;
    let (table, name) = if event.positive {
        (&rules.positive_points, "positive_points")
    } else {
        (&rules.negative_points, "negative_points")
    };
    let points = table.get(&*event.level);
    let points = points.ok_or_else(|| EvaluationError::missing(book, format!("key_events.{name}.{}", event.level)))?;
    Ok(match (event.positive, event.self_reported) {
        (true, _) => points.clone(),
        (false, false) => -points.clone(),
        (false, true) => -(points * &rules.self_reported_factor),
    })
}

fn reason(
    event: &KeyEvent,
    life: &Life,
    status: Status,
    day: Option<Date>,
    moved: Option<Period>,
    nowhere: bool,
) -> String {
    if nowhere {
        return "confirmed, and counts nowhere: the partner has no region in any period".to_owned();
    }
    let status = match (status, day) {
        (Status::Counted, Some(day)) if life.ruled_at > life.confirmed_at => {
            format!("confirmed by two persons; its appeal was rejected on {day}")
        }
        (Status::Counted, Some(day)) => format!("confirmed by two persons, the second on {day}"),
        (Status::Counted, None) => "confirmed by two persons".to_owned(),
        (Status::Candidate, _) => format!("confirmed by {} of two persons", life.confirmed_by),
        (Status::Suspended, _) => "an appeal is open".to_owned(),
        (Status::Withdrawn, _) => "withdrawn".to_owned(),
        (Status::Rejected, _) => "confirmation was refused".to_owned(),
        (Status::UpheldAppeal, _) => "its appeal was upheld".to_owned(),
        (Status::Expired, _) => "confirmed too late".to_owned(),
        (Status::NotInRules, _) => "the rules know no such event".to_owned(),
    };
    let moved = moved.map(|period| format!("{period} is closed, so it counts in the first period that is not"));
    let red =
        (&*event.red_line != "none").then(|| format!("a red line ({}) brings a state, no points", event.red_line));
    let own = event.self_reported && !event.positive && red.is_none();
    let own = own.then(|| "reported first by the partner".to_owned());
    joined([Some(status), moved, red, own]).unwrap_or_default()
}

fn report(event: &KeyEvent, life: &Life, judged: &JudgedEvent, sealed: bool, findings: &mut Findings) {
    let place = || Place::file("key_events").column(&*event.event_id);
    for (decision, problem) in &life.unknown {
        findings.push(Finding::warning(
            Place::file("decisions").column(decision),
            "decision-outcome",
            format!(
                "decision {decision} on event {} has an {problem}; it was passed over",
                event.event_id
            ),
            "send it again with an outcome that the kind of decision knows",
        ));
    }
    if judged.status == Status::NotInRules {
        findings.push(Finding::warning(
            place(),
            "event-not-in-rules",
            format!(
                "event {} is confirmed and does not count: {}",
                event.event_id, judged.reason
            ),
            "correct the event, or add the code or level to [key_events.codes] from an edition on",
        ));
    }
    if life.status == Status::Counted && judged.status == Status::Candidate {
        findings.push(Finding::warning(
            place(),
            "event-without-region",
            format!(
                "event {} is confirmed, but partner {} has no region in any period",
                event.event_id, event.partner
            ),
            "add a version of the partner that is valid on the last day of the period",
        ));
    }
    if sealed && life.status != Status::Counted {
        findings.push(Finding::note(
            place(),
            "event-changed-after-close",
            format!(
                "event {} is {} now; the closed period in which it counted stays",
                event.event_id,
                judged.status.as_str()
            ),
            "",
        ));
    }
}

/// Acts on events that nobody reported.
fn report_strays(facts: &Facts, findings: &mut Findings) {
    for (event_id, decisions) in facts
        .decisions
        .iter()
        .filter(|(id, _)| !facts.key_events.contains_key(*id))
    {
        for decision in decisions {
            findings.push(Finding::warning(
                Place::file("decisions").column(&*decision.decision_id),
                "decision-subject",
                format!(
                    "decision {} ({}) is on event {event_id}, which is not known",
                    decision.decision_id, decision.kind
                ),
                "correct the subject, or deliver the event",
            ));
        }
    }
}
