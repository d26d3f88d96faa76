//! When a job is due.
//!
//! Duty: due slots as a pure function of the cron expression, the zone, the last completed slot and the present. Not
//! its duty: waiting (the ticker of `serve` does) and remembering (the operations database does).

use chrono::{DateTime, TimeDelta};
use croner::Cron;
use croner::parser::{CronParser, Seconds};

use crate::domain::{Instant, Zone};

/// What happens to slots that were missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// Every one, oldest first.
    All,
    /// The latest one stands for all.
    Latest,
    /// None but the one that is due now: a missed slot is past when it is older than `max_age`.
    None,
}

/// Most slots that are caught up at once: a job that was off for years does not run thousands of times.
pub const MAX_CATCH_UP_SLOTS: usize = 400;

/// A parsed schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    zone: Zone,
    catch_up: CatchUp,
    max_age: TimeDelta,
}

impl Schedule {
    /// A schedule from five cron fields and an IANA zone.
    pub fn new(cron: &str, zone: Zone, catch_up: CatchUp, max_age_hours: u32) -> Result<Schedule, String> {
        if cron.split_whitespace().count() != 5 {
            return Err(format!(
                "'{cron}' is no cron expression of five fields: minute, hour, day, month, weekday"
            ));
        }
        let cron = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .build()
            .parse(cron)
            .map_err(|e| format!("'{cron}' is no cron expression: {e}"))?;
        Ok(Schedule {
            cron,
            zone,
            catch_up,
            max_age: TimeDelta::hours(i64::from(max_age_hours)),
        })
    }

    /// The slots to run now, oldest first. `last` is the last completed slot; a job that never ran owes only the
    /// latest. A clock that was set back owes nothing until it has passed the last slot again.
    #[must_use]
    pub fn due(&self, last: Option<Instant>, now: Instant) -> Vec<Instant> {
        let Some(last) = last else {
            return self
                .previous(now)
                .into_iter()
                .filter(|slot| self.fresh(*slot, now))
                .collect();
        };
        let mut slots = Vec::new();
        let mut from = last;
        while let Some(slot) = self.next(from).filter(|s| *s <= now) {
            slots.push(slot);
            from = slot;
            if slots.len() > MAX_CATCH_UP_SLOTS {
                slots.remove(0);
            }
        }
        match self.catch_up {
            CatchUp::All => slots,
            CatchUp::Latest => slots.pop().into_iter().collect(),
            CatchUp::None => slots.pop().into_iter().filter(|slot| self.fresh(*slot, now)).collect(),
        }
    }

    /// The first slot after an instant. A local time that occurs twice is one slot: the first.
    #[must_use]
    pub fn next(&self, after: Instant) -> Option<Instant> {
        let mut from = after.utc().with_timezone(&self.zone.tz());
        for _ in 0..4 {
            let found = self.cron.find_next_occurrence(&from, false).ok()?;
            if !self.repeats(&found) {
                return Some(Instant::from_micros(found.timestamp_micros()));
            }
            from = found;
        }
        None
    }

    fn previous(&self, before: Instant) -> Option<Instant> {
        let mut from = before.utc().with_timezone(&self.zone.tz());
        let mut inclusive = true;
        for _ in 0..4 {
            let found = self.cron.find_previous_occurrence(&from, inclusive).ok()?;
            if !self.repeats(&found) {
                return Some(Instant::from_micros(found.timestamp_micros()));
            }
            from = found;
            inclusive = false;
        }
        None
    }

    /// Whether the local time stood on the clock once before, in the hour that daylight saving repeats. A job that
    /// runs more often than daily runs in both halves.
    fn repeats(&self, at: &DateTime<chrono_tz::Tz>) -> bool {
        use chrono::{LocalResult, TimeZone};
        let hourly = self
            .cron
            .pattern
            .to_string()
            .split_whitespace()
            .nth(1)
            .is_some_and(|hour| hour.starts_with('*'));
        match self.zone.tz().from_local_datetime(&at.naive_local()) {
            LocalResult::Ambiguous(first, _) => !hourly && first != *at,
            _ => false,
        }
    }

    fn fresh(&self, slot: Instant, now: Instant) -> bool {
        now.utc() - slot.utc() <= self.max_age
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn schedule(cron: &str, zone: &str, catch_up: CatchUp) -> Schedule {
        Schedule::new(cron, Zone::parse(zone).unwrap(), catch_up, 48).unwrap()
    }

    #[test]
    fn exactly_one_slot_a_day_through_every_change_of_the_clock() {
        for zone in [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "America/Santiago",
            "Africa/Casablanca",
        ] {
            for cron in ["30 2 * * *", "0 0 * * *", "45 1 * * *"] {
                let schedule = schedule(cron, zone, CatchUp::All);
                let mut days = std::collections::BTreeSet::new();
                let mut slot = at("2025-12-31T12:00:00Z");
                let mut count = 0;
                while slot < at("2036-01-01T12:00:00Z") {
                    slot = schedule.next(slot).unwrap();
                    count += 1;
                    assert!(
                        days.insert(Zone::parse(zone).unwrap().date_of(slot)),
                        "{zone} {cron} twice on {slot}"
                    );
                }
                // 2026-01-01 to 2036-01-01 inclusive or to 2036-01-02: ten years with two or three leap days
                assert!((3652..=3654).contains(&count), "{zone} {cron}: {count}");
            }
        }
    }

    #[test]
    fn missed_slots_by_policy() {
        let now = at("2026-10-12T10:00:00Z");
        let last = Some(at("2026-10-09T06:00:00Z"));
        let due = |c| {
            schedule("0 6 * * *", "UTC", c)
                .due(last, now)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            due(CatchUp::All),
            ["2026-10-10T06:00:00Z", "2026-10-11T06:00:00Z", "2026-10-12T06:00:00Z"]
        );
        assert_eq!(due(CatchUp::Latest), ["2026-10-12T06:00:00Z"]);
        assert_eq!(due(CatchUp::None), ["2026-10-12T06:00:00Z"]);
    }

    #[test]
    fn a_clock_set_back_owes_nothing() {
        let schedule = schedule("0 6 * * *", "UTC", CatchUp::All);
        assert_eq!(
            schedule.due(Some(at("2026-10-12T06:00:00Z")), at("1970-01-02T00:00:00Z")),
            []
        );
        assert_eq!(
            schedule.due(Some(at("2026-10-12T06:00:00Z")), at("2026-10-12T06:30:00Z")),
            []
        );
    }

    #[test]
    fn only_five_fields() {
        assert!(Schedule::new("0 0 6 * * *", Zone::UTC, CatchUp::All, 1).is_err());
        assert!(Schedule::new("61 6 * * *", Zone::UTC, CatchUp::All, 1).is_err());
    }
}
