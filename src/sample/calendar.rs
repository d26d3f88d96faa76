//! The sample's days: its quarters, the holidays of its regions, and local moments.
//!
//! Duty: dates as plain arithmetic on days. Not its duty: fiscal calendars and business days (`domain::calendar`).

use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

use super::partners::Region;
use crate::domain::Date;

/// Quarters in order; the fifth holds only what is known of early October 2026.
pub(super) const QUARTERS: [Quarter; 5] = [
    Quarter {
        index: 0,
        label: "2025-Q4",
        short: "25Q4",
        first: (2025, 10, 1),
        days: 92,
    },
    Quarter {
        index: 1,
        label: "2026-Q1",
        short: "26Q1",
        first: (2026, 1, 1),
        days: 90,
    },
    Quarter {
        index: 2,
        label: "2026-Q2",
        short: "26Q2",
        first: (2026, 4, 1),
        days: 91,
    },
    Quarter {
        index: 3,
        label: "2026-Q3",
        short: "26Q3",
        first: (2026, 7, 1),
        days: 92,
    },
    Quarter {
        index: 4,
        label: "2026-Q4",
        short: "26Q4",
        first: (2026, 10, 1),
        days: 9,
    },
];

/// How many quarters have facts of their own.
pub(super) const FULL_QUARTERS: usize = 4;

/// One quarter of the sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quarter {
    pub(super) index: u8,
    /// As in file names and `period` columns.
    pub(super) label: &'static str,
    /// As in identifiers.
    pub(super) short: &'static str,
    first: (i32, u32, u32),
    pub(super) days: i64,
}

impl Quarter {
    pub(super) fn first(&self) -> Date {
        day(self.first.0, self.first.1, self.first.2)
    }

    pub(super) fn end(&self) -> Date {
        plus(self.first(), self.days)
    }
}

/// A day and a minute of it, in the local time of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) day: Date,
    pub(super) minute: i64,
}

impl Moment {
    pub(super) fn new(day: Date, minute: i64) -> Moment {
        Moment { day, minute }
    }

    /// The same moment `minutes` later, carried over midnight.
    pub(super) fn shifted(self, minutes: i64) -> Moment {
        let total = self.minute + minutes;
        Moment {
            day: plus(self.day, total.div_euclid(1440)),
            minute: total.rem_euclid(1440),
        }
    }
}

/// The last day whose facts are known; the sample is looked at on 2026-10-12.
pub(super) fn last_known() -> Date {
    day(2026, 10, 9)
}

pub(super) fn day(year: i32, month: u32, day: u32) -> Date {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

pub(super) fn plus(date: Date, days: i64) -> Date {
    TimeDelta::try_days(days)
        .and_then(|d| date.checked_add_signed(d))
        .unwrap_or(date)
}

pub(super) fn days_between(from: Date, to: Date) -> i64 {
    to.signed_duration_since(from).num_days()
}

/// The day itself, or the Saturday before a Sunday: nobody invoices on a Sunday, and Saturdays have no exchange rate.
pub(super) fn not_sunday(date: Date) -> Date {
    if date.weekday() == Weekday::Sun {
        plus(date, -1)
    } else {
        date
    }
}

pub(super) fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Hours from UTC at a day's noon in Santiago: summer time ends on the first Sunday from 2 April, begins on the first
/// Sunday from 2 September.
pub(super) fn santiago_offset_hours(date: Date) -> i64 {
    let first_sunday_from_the_second = |month| {
        let second = day(date.year(), month, 2);
        plus(second, i64::from((7 - second.weekday().num_days_from_sunday()) % 7))
    };
    if date >= first_sunday_from_the_second(4) && date < first_sunday_from_the_second(9) {
        -4
    } else {
        -3
    }
}

/// Public holidays, July 2025 to December 2026.
pub(super) fn holidays(region: Region) -> &'static [(i32, u32, u32, &'static str)] {
    match region {
        Region::Emea => &[
            (2025, 10, 3, "Tag der Deutschen Einheit"),
            (2025, 12, 25, "1. Weihnachtstag"),
            (2025, 12, 26, "2. Weihnachtstag"),
            (2026, 1, 1, "Neujahr"),
            (2026, 4, 3, "Karfreitag"),
            (2026, 4, 6, "Ostermontag"),
            (2026, 5, 1, "Tag der Arbeit"),
            (2026, 5, 14, "Christi Himmelfahrt"),
            (2026, 5, 25, "Pfingstmontag"),
            (2026, 10, 3, "Tag der Deutschen Einheit"),
            (2026, 12, 25, "1. Weihnachtstag"),
            (2026, 12, 26, "2. Weihnachtstag"),
        ],
        Region::Apac => &[
            (2025, 8, 9, "National Day"),
            (2025, 10, 20, "Deepavali"),
            (2025, 12, 25, "Christmas Day"),
            (2026, 1, 1, "New Year's Day"),
            (2026, 2, 17, "Chinese New Year"),
            (2026, 2, 18, "Chinese New Year, second day"),
            (2026, 4, 3, "Good Friday"),
            (2026, 5, 1, "Labour Day"),
            (2026, 5, 27, "Hari Raya Haji"),
            (2026, 6, 1, "Vesak Day (observed)"),
            (2026, 8, 10, "National Day (observed)"),
            (2026, 11, 9, "Deepavali (observed)"),
            (2026, 12, 25, "Christmas Day"),
        ],
        Region::Latam => &[
            (2025, 7, 16, "Virgen del Carmen"),
            (2025, 8, 15, "Asunción de la Virgen"),
            (2025, 9, 18, "Independencia Nacional"),
            (2025, 9, 19, "Glorias del Ejército"),
            (2025, 10, 31, "Día de las Iglesias Evangélicas"),
            (2025, 12, 8, "Inmaculada Concepción"),
            (2025, 12, 25, "Navidad"),
            (2026, 1, 1, "Año Nuevo"),
            (2026, 4, 3, "Viernes Santo"),
            (2026, 5, 1, "Día del Trabajo"),
            (2026, 5, 21, "Glorias Navales"),
            (2026, 6, 29, "San Pedro y San Pablo"),
            (2026, 7, 16, "Virgen del Carmen"),
            (2026, 9, 18, "Independencia Nacional"),
            (2026, 9, 19, "Glorias del Ejército"),
            (2026, 10, 12, "Encuentro de Dos Mundos"),
            (2026, 12, 8, "Inmaculada Concepción"),
            (2026, 12, 25, "Navidad"),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Zone;

    #[test]
    fn quarters_follow_one_another() {
        for pair in QUARTERS.windows(2) {
            assert_eq!(pair[0].end(), pair[1].first());
        }
    }

    #[test]
    fn the_offset_is_that_of_the_zone() {
        let zone = Zone::parse("America/Santiago").unwrap();
        let mut date = day(2025, 9, 1);
        while date < day(2026, 12, 31) {
            let noon = date.and_hms_opt(12, 0, 0).unwrap();
            let at = zone.resolve(noon, true).unwrap();
            let hours = (noon.and_utc().timestamp_micros() - at.micros()) / 3_600_000_000;
            assert_eq!(hours, santiago_offset_hours(date), "{date}");
            date = plus(date, 1);
        }
    }

    #[test]
    fn moments_carry_over_midnight() {
        let at = Moment::new(day(2026, 1, 1), 300).shifted(-480);
        assert_eq!((at.day, at.minute), (day(2025, 12, 31), 1260));
    }
}
