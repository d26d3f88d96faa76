//! Red lines: states, not points.
//!
//! Duty: count confirmed red-line events of a partner by calendar year, and say on which days it is black (sales earn
//! nothing) or yellow (what becomes payable is held). Not its duty: which events are confirmed and on which local day;
//! the money.

use std::collections::BTreeMap;

use super::inputs::{Freeze, Hold};
use crate::domain::Date;
use crate::domain::ids::PartnerId;
use crate::domain::time::add_days;
use crate::rules::Combination;
use chrono::Datelike;

/// How grave a red-line event is; L1 is the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RedLevel {
    L1,
    L2,
    L3,
}

impl RedLevel {
    #[must_use]
    pub fn parse(name: &str) -> Option<RedLevel> {
        Some(match name {
            "L1" => RedLevel::L1,
            "L2" => RedLevel::L2,
            "L3" => RedLevel::L3,
            _ => return None,
        })
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RedLevel::L1 => "L1",
            RedLevel::L2 => "L2",
            RedLevel::L3 => "L3",
        }
    }
}

/// A red-line event that counts, on the local day of the decision that made it count. Ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RedEvent {
    pub partner: PartnerId,
    pub on: Date,
    pub level: RedLevel,
    pub event_id: String,
    /// Combinations of a calendar year that make black, and yellow, by the rules of its day.
    pub black: Vec<Combination>,
    pub yellow: Vec<Combination>,
    pub freeze_days: u32,
    pub hold_days: u32,
}

/// A partner's state in a period; `until` is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedState {
    None,
    Yellow { until: Date },
    Black { until: Date },
}

impl RedState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RedState::None => "none",
            RedState::Yellow { .. } => "yellow",
            RedState::Black { .. } => "black",
        }
    }

    #[must_use]
    pub fn until(self) -> Option<Date> {
        match self {
            RedState::None => None,
            RedState::Yellow { until } | RedState::Black { until } => Some(until),
        }
    }

    #[must_use]
    pub fn is_black(self) -> bool {
        matches!(self, RedState::Black { .. })
    }
}

/// The days of all partners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedLines {
    pub freezes: Vec<Freeze>,
    pub holds: Vec<Hold>,
}

/// Counts of a calendar year, as they stand after an event.
#[derive(Clone, Copy, Debug, Default)]
struct Year {
    l1: u32,
    l2: u32,
    l3: u32,
}

impl Year {
    fn add(&mut self, level: RedLevel) {
        match level {
            RedLevel::L1 => self.l1 += 1,
            RedLevel::L2 => self.l2 += 1,
            RedLevel::L3 => self.l3 += 1,
        }
    }

    fn of(self, level: &str) -> u32 {
        match level {
            "L1" => self.l1,
            "L2" => self.l2,
            "L3" => self.l3,
            _ => 0,
        }
    }

    /// Whether an event of the level, the last one counted, is one of those that make a state: a combination that its
    /// level is part of holds.
    fn makes(self, combinations: &[Combination], level: RedLevel) -> bool {
        let holds = |c: &Combination| c.iter().all(|(level, events)| self.of(level) >= *events);
        combinations.iter().any(|c| c.contains_key(level.as_str()) && holds(c))
    }
}

impl RedLines {
    /// Counts the events. An event that makes black does not begin a hold as well.
    #[must_use]
    pub fn of(mut events: Vec<RedEvent>) -> RedLines {
        events.sort();
        let mut years: BTreeMap<(&PartnerId, i32), Year> = BTreeMap::new();
        let (mut black, mut yellow) = (Vec::new(), Vec::new());
        for event in &events {
            let year = years.entry((&event.partner, event.on.year())).or_default();
            year.add(event.level);
            if year.makes(&event.black, event.level) {
                black.push((event.partner.clone(), event.on, add_days(event.on, event.freeze_days)));
            } else if year.makes(&event.yellow, event.level) {
                yellow.push((event.partner.clone(), event.on, add_days(event.on, event.hold_days)));
            }
        }
        let freezes = joined(black)
            .into_iter()
            .map(|(partner, from, until)| Freeze { partner, from, until });
        let holds = joined(yellow)
            .into_iter()
            .map(|(partner, from, until)| Hold { partner, from, until });
        RedLines {
            freezes: freezes.collect(),
            holds: holds.collect(),
        }
    }

    /// The state of a partner in the days from `first` to before `end`: the gravest that touches them.
    #[must_use]
    pub fn state(&self, partner: &PartnerId, first: Date, end: Date) -> RedState {
        let touches = |p: &PartnerId, from: Date, until: Date| p == partner && from < end && until > first;
        let black = self
            .freezes
            .iter()
            .filter(|f| touches(&f.partner, f.from, f.until))
            .map(|f| f.until)
            .max();
        let yellow = self
            .holds
            .iter()
            .filter(|h| touches(&h.partner, h.from, h.until))
            .map(|h| h.until)
            .max();
        match (black, yellow) {
            (Some(until), _) => RedState::Black { until },
            (None, Some(until)) => RedState::Yellow { until },
            (None, None) => RedState::None,
        }
    }
}

/// Spans sorted by partner and first day, with those that meet made one: a further event starts the days anew.
fn joined(spans: Vec<(PartnerId, Date, Date)>) -> Vec<(PartnerId, Date, Date)> {
    let mut joined: Vec<(PartnerId, Date, Date)> = Vec::new();
    for (partner, from, until) in spans {
        match joined.last_mut() {
            Some(last) if last.0 == partner && from <= last.2 => last.2 = last.2.max(until),
            _ => joined.push((partner, from, until)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_date;
    use crate::evaluation::testing::partner;
    use crate::rules::RedLineRules;

    /// Events as `2026-01-10 L2`, of one partner; 90 and 60 days.
    fn lines(events: &[&str]) -> RedLines {
        let rules = RedLineRules::sample();
        let event = |(i, text): (usize, &&str)| RedEvent {
            partner: partner("P1"),
            on: parse_date(&text[..10]).unwrap(),
            level: RedLevel::parse(&text[11..]).unwrap(),
            event_id: format!("E{i}"),
            black: rules.black.clone(),
            yellow: rules.yellow.clone(),
            freeze_days: 90,
            hold_days: 60,
        };
        RedLines::of(events.iter().enumerate().map(event).collect())
    }

    fn spans(lines: &RedLines) -> (Vec<String>, Vec<String>) {
        let span = |from: Date, until: Date| format!("{from}..{until}");
        (
            lines.freezes.iter().map(|f| span(f.from, f.until)).collect(),
            lines.holds.iter().map(|h| span(h.from, h.until)).collect(),
        )
    }

    /// Events → freezes and holds. 90 days from 10 January 2026 end before 10 April; 60 days before 11 March.
    #[test]
    fn the_table_of_states() {
        let cases: [(&[&str], &[&str], &[&str]); 13] = [
            (&["2026-01-10 L1"], &["2026-01-10..2026-04-10"], &[]),
            (&["2026-01-10 L2"], &[], &[]),
            (&["2026-01-10 L3", "2026-01-11 L3"], &[], &[]),
            (&["2026-01-10 L2", "2026-01-10 L3"], &[], &[]),
            (&["2026-01-01 L2", "2026-01-10 L2"], &[], &["2026-01-10..2026-03-11"]),
            (
                &["2026-01-01 L2", "2026-01-02 L3", "2026-01-10 L3"],
                &[],
                &["2026-01-10..2026-03-11"],
            ),
            (
                &["2026-01-01 L3", "2026-01-02 L3", "2026-01-10 L2"],
                &[],
                &["2026-01-10..2026-03-11"],
            ),
            (
                &["2026-01-01 L3", "2026-01-02 L3", "2026-01-10 L3"],
                &[],
                &["2026-01-10..2026-03-11"],
            ),
            // the third L2 makes black; the hold of the second stays as it is
            (
                &["2026-01-01 L2", "2026-01-05 L2", "2026-01-10 L2"],
                &["2026-01-10..2026-04-10"],
                &["2026-01-05..2026-03-06"],
            ),
            // a further qualifying event starts the days anew: from 1 March 90 days, before 30 May
            (&["2026-01-10 L1", "2026-03-01 L1"], &["2026-01-10..2026-05-30"], &[]),
            // an L3 after an L1 does not qualify
            (&["2026-01-10 L1", "2026-03-01 L3"], &["2026-01-10..2026-04-10"], &[]),
            // a new calendar year counts from nothing
            (&["2025-12-30 L2", "2026-01-10 L2"], &[], &[]),
            // a freeze that has ended and a later one are two; 90 days from 10 July end before 8 October
            (
                &["2026-01-10 L1", "2026-07-10 L1"],
                &["2026-01-10..2026-04-10", "2026-07-10..2026-10-08"],
                &[],
            ),
        ];
        for (events, freezes, holds) in cases {
            let (f, h) = spans(&lines(events));
            assert_eq!(
                (f, h),
                (
                    freezes.iter().map(ToString::to_string).collect(),
                    holds.iter().map(ToString::to_string).collect()
                ),
                "{events:?}"
            );
        }
    }

    /// The region's own combinations and days decide: two L3 make black for 180 days, nothing makes yellow.
    #[test]
    fn the_table_is_the_rules() {
        let event = |on: &str| RedEvent {
            partner: partner("P1"),
            on: parse_date(on).unwrap(),
            level: RedLevel::L3,
            event_id: on.to_owned(),
            black: vec![[("L3".to_owned(), 2)].into_iter().collect()],
            yellow: Vec::new(),
            freeze_days: 180,
            hold_days: 60,
        };
        let (freezes, holds) = spans(&RedLines::of(vec![event("2026-01-10"), event("2026-02-01")]));
        assert_eq!((freezes, holds), (vec!["2026-02-01..2026-07-31".to_owned()], vec![]));
    }

    #[test]
    fn a_state_touches_every_period_it_reaches_into() {
        let day = |t| parse_date(t).unwrap();
        let lines = lines(&["2026-01-10 L1"]);
        let state = |first, end| lines.state(&partner("P1"), day(first), day(end));
        assert_eq!(
            state("2026-01-01", "2026-04-01"),
            RedState::Black {
                until: day("2026-04-10")
            }
        );
        assert_eq!(
            state("2026-04-01", "2026-07-01"),
            RedState::Black {
                until: day("2026-04-10")
            }
        );
        assert_eq!(state("2026-04-10", "2026-07-01"), RedState::None);
        assert_eq!(state("2025-10-01", "2026-01-10"), RedState::None);
        assert_eq!(
            lines.state(&partner("P2"), day("2026-01-01"), day("2026-04-01")),
            RedState::None
        );
    }
}
