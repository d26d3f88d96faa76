//! Key events and the human acts about them.
//!
//! Duty: one function from a partner and a quarter to its events, each with the decisions it met; rows of
//! `key_events` and `decisions`. Not its duty: what an event costs.

use std::io;

use super::calendar::{FULL_QUARTERS, Moment, QUARTERS, Quarter, day, last_known, plus};
use super::draw::{Draw, Topic};
use super::partners::{Persona, Region};
use super::table::TableFile;
use super::world::{Partner, World};
use crate::domain::Date;

/// One event.
struct Event {
    occurred_on: Date,
    domain: &'static str,
    code: &'static str,
    level: &'static str,
    positive: bool,
    red_line: &'static str,
    self_reported: bool,
    evidence: &'static str,
    acts: Vec<Act>,
}

/// One decision about an event.
struct Act {
    kind: &'static str,
    outcome: &'static str,
    by: &'static str,
    role: &'static str,
    on: Date,
}

const fn act(kind: &'static str, outcome: &'static str, by: &'static str, role: &'static str, on: Date) -> Act {
    Act {
        kind,
        outcome,
        by,
        role,
        on,
    }
}

/// Two different persons agree.
fn confirmed(first_on: Date, second_on: Date) -> Vec<Act> {
    vec![
        act("confirm", "confirmed", "a.ferreira", "service_manager", first_on),
        act("confirm", "confirmed", "j.lindqvist", "quality_manager", second_on),
    ]
}

/// The events of a partner in a quarter: those of its story, then at times a small one.
fn events(world: &World, partner: &Partner, quarter: &Quarter) -> Vec<Event> {
    let mut found = story(partner, quarter);
    let persona = partner.persona();
    let at_times = if persona == Persona::Good { 450 } else { 260 };
    let mut draw = Draw::new(world.seed, Topic::Event, [partner.number, u64::from(quarter.index), 0]);
    let told_elsewhere = matches!(
        persona,
        Persona::BlackLine | Persona::YellowLine | Persona::Appeals | Persona::SelfReports | Persona::Tiny
    );
    if let Some((first, days)) = partner.days_in(quarter)
        && !told_elsewhere
        && draw.chance(at_times)
    {
        found.push(small(partner, first, days, &mut draw));
    }
    found
}

fn small(partner: &Partner, first: Date, days: i64, draw: &mut Draw) -> Event {
    let occurred_on = plus(first, draw.between(0, (days - 22).max(0)));
    let positive = draw.chance(if partner.persona() == Persona::Good { 900 } else { 450 });
    let (code, evidence) = if positive {
        *draw.pick(&[
            ("customer_commendation", "Letter of the customer"),
            ("first_reference_site", "Reference agreement signed"),
            ("knowledge_contribution", "Field guide accepted into the library"),
        ])
    } else {
        *draw.pick(&[
            ("late_escalation", "Ticket escalated after 26 hours, agreed were 4"),
            (
                "missing_handover",
                "Handover documents missing, \"to follow\" for 30 days",
            ),
            ("unplanned_outage", "Two hours of outage at change, no rollback plan"),
        ])
    };
    let second_on = plus(occurred_on, draw.between(8, 14));
    let mut acts = confirmed(plus(occurred_on, draw.between(3, 7)), second_on);
    match draw.below(10) {
        0 => acts.clear(),
        1 => acts = vec![act("confirm", "rejected", "a.ferreira", "service_manager", second_on)],
        2 => acts.truncate(1),
        _ => {}
    }
    let level = if draw.chance(800) { "minor" } else { "major" };
    let (domain, _) = partner.domain(draw);
    let domain = if draw.chance(250) { "" } else { domain };
    Event {
        occurred_on,
        domain,
        code,
        level,
        positive,
        red_line: "none",
        self_reported: false,
        evidence,
        acts,
    }
}

/// A negative event with its whole story told.
fn negative(occurred_on: Date, domain: &'static str, code: &'static str, level: &'static str) -> Event {
    Event {
        occurred_on,
        domain,
        code,
        level,
        positive: false,
        red_line: "none",
        self_reported: false,
        evidence: "Case file of the service office",
        acts: confirmed(plus(occurred_on, 6), plus(occurred_on, 9)),
    }
}

fn story(partner: &Partner, quarter: &Quarter) -> Vec<Event> {
    let domain = partner.work[0].0;
    match (partner.persona(), quarter.index) {
        (Persona::BlackLine, 2) => vec![Event {
            red_line: "L1",
            evidence: "Counterfeit optics installed; laboratory report 26-118",
            ..negative(day(2026, 5, 4), domain, "counterfeit_parts", "severe")
        }],
        (Persona::YellowLine, 1) => {
            vec![Event {
                red_line: "L2",
                ..negative(day(2026, 2, 23), domain, "unapproved_subcontractor", "major")
            }]
        }
        (Persona::YellowLine, 2) => {
            vec![Event {
                red_line: "L2",
                ..negative(day(2026, 6, 8), domain, "unapproved_subcontractor", "major")
            }]
        }
        (Persona::SelfReports, 1) => {
            vec![Event {
                self_reported: true,
                ..negative(day(2026, 2, 9), domain, "unplanned_outage", "major")
            }]
        }
        (Persona::SelfReports, 3) => {
            vec![Event {
                self_reported: true,
                ..negative(day(2026, 7, 27), domain, "safety_incident", "severe")
            }]
        }
        (Persona::Appeals, index) => appealed(domain, index),
        (Persona::CriticalOpen, 2) => vec![negative(day(2026, 5, 18), domain, "unplanned_outage", "minor")],
        _ => vec![],
    }
}

/// One appeal upheld, one rejected, one still open, one event withdrawn.
fn appealed(domain: &'static str, quarter: u8) -> Vec<Event> {
    let (occurred_on, code, level, later) = match quarter {
        0 => (
            day(2025, 11, 3),
            "late_escalation",
            "major",
            vec![
                act("appeal", "filed", "pacifico-nube", "partner", day(2025, 11, 20)),
                act("appeal", "upheld", "m.okafor", "appeals_board", day(2025, 12, 4)),
            ],
        ),
        1 => (
            day(2026, 1, 19),
            "missing_handover",
            "major",
            vec![
                act("appeal", "filed", "pacifico-nube", "partner", day(2026, 2, 10)),
                act("appeal", "rejected", "m.okafor", "appeals_board", day(2026, 4, 14)),
            ],
        ),
        2 => (
            day(2026, 5, 11),
            "unplanned_outage",
            "minor",
            vec![act(
                "withdraw",
                "withdrawn",
                "a.ferreira",
                "service_manager",
                day(2026, 6, 1),
            )],
        ),
        _ => (
            day(2026, 8, 17),
            "late_escalation",
            "major",
            vec![act("appeal", "filed", "pacifico-nube", "partner", day(2026, 9, 21))],
        ),
    };
    let mut event = negative(occurred_on, domain, code, level);
    event.acts.extend(later);
    vec![event]
}

pub(super) fn write_events(
    world: &World,
    region: Region,
    quarter: &Quarter,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    for partner in world.of_region(region) {
        for (event, n) in events(world, partner, quarter).iter().zip(1..) {
            file.push(|row| {
                row.code(format_args!("KE-{:04}-{}-{n}", partner.number, quarter.short))
                    .word(&partner.id);
                row.word(event.domain)
                    .date(event.occurred_on)
                    .word(event.code)
                    .word(event.level);
                row.word(if event.positive { "positive" } else { "negative" })
                    .word(event.red_line);
                row.boolean(event.self_reported).text(event.evidence);
            })?;
        }
    }
    Ok(())
}

/// The decisions about all events; none that closes a period.
pub(super) fn write_decisions(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    for quarter in &QUARTERS[..FULL_QUARTERS] {
        for partner in &world.partners {
            for (event, n) in events(world, partner, quarter).iter().zip(1..) {
                for (act, m) in event.acts.iter().zip(1..).filter(|(act, _)| act.on <= last_known()) {
                    file.push(|row| {
                        row.code(format_args!("DC-{:04}-{}-{n}-{m}", partner.number, quarter.short))
                            .word(act.kind);
                        row.code(format_args!("KE-{:04}-{}-{n}", partner.number, quarter.short))
                            .null();
                        row.word(act.outcome)
                            .null()
                            .null()
                            .null()
                            .text(reason(act))
                            .word(act.by)
                            .word(act.role);
                        row.instant(Moment::new(act.on, 10 * 60 + 15 + 7 * (m % 5)));
                    })?;
                }
            }
        }
    }
    Ok(())
}

fn reason(act: &Act) -> &'static str {
    match (act.kind, act.outcome) {
        ("confirm", "confirmed") => "Evidence checked",
        ("confirm", _) => "Evidence does not bear it out",
        ("appeal", "filed") => "Partner contests the facts",
        ("appeal", "upheld") => "Escalation was made in time by telephone",
        ("appeal", _) => "Nothing new was shown",
        _ => "Recorded for the wrong partner",
    }
}
