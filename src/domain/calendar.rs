//! The fiscal calendar: which days a period has.
//!
//! Duty: first day and end (exclusive) of every period, and the period of a day. Not its duty: zones; a day here is
//! the local day of whoever asks.

use chrono::{Datelike, Months};

use super::period::{Period, PeriodKind};
use super::time::Date;

/// A fiscal year of twelve calendar months. It is named after the calendar year in which it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FiscalCalendar {
    first_month: u32,
}

impl FiscalCalendar {
    /// Fiscal year = calendar year.
    pub const CALENDAR_YEAR: FiscalCalendar = FiscalCalendar { first_month: 1 };

    /// `None` when the month is not 1 to 12.
    #[must_use]
    pub fn starting_in(first_month: u32) -> Option<FiscalCalendar> {
        (1..=12)
            .contains(&first_month)
            .then_some(FiscalCalendar { first_month })
    }

    /// First day of a period.
    #[must_use]
    pub fn first_day(self, period: Period) -> Date {
        let year = if self.first_month == 1 {
            period.fiscal_year()
        } else {
            period.fiscal_year() - 1
        };
        let months = (period.index() - 1) * period.kind().months();
        Date::from_ymd_opt(year, self.first_month, 1)
            .and_then(|d| d.checked_add_months(Months::new(months)))
            .unwrap_or(Date::MAX)
    }

    /// The day after the last day.
    #[must_use]
    pub fn end_day(self, period: Period) -> Date {
        self.first_day(period.next())
    }

    #[must_use]
    pub fn last_day(self, period: Period) -> Date {
        self.end_day(period).pred_opt().unwrap_or(Date::MIN)
    }

    /// The period of a kind that holds a day.
    #[must_use]
    pub fn period_of(self, day: Date, kind: PeriodKind) -> Option<Period> {
        let month0 = i64::from(day.year()) * 12 + i64::from(day.month0()) - i64::from(self.first_month - 1);
        let shift = i64::from(self.first_month != 1);
        let year = i32::try_from(month0.div_euclid(12) + shift).ok()?;
        let index = u32::try_from(month0.rem_euclid(12)).ok()? / kind.months() + 1;
        Period::new(kind, year, index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_date;

    #[test]
    fn no_day_is_left_out_and_none_is_in_two() {
        for first_month in 1..=12 {
            let calendar = FiscalCalendar::starting_in(first_month).unwrap();
            for kind in [
                PeriodKind::Month,
                PeriodKind::Quarter,
                PeriodKind::Half,
                PeriodKind::Year,
            ] {
                let mut day = parse_date("1990-01-01").unwrap();
                while day.year() < 2101 {
                    let period = calendar.period_of(day, kind).unwrap();
                    assert!(
                        calendar.first_day(period) <= day && day < calendar.end_day(period),
                        "{day} {period}"
                    );
                    day = day.checked_add_days(chrono::Days::new(17)).unwrap();
                }
                let mut period = Period::new(kind, 1990, 1).unwrap();
                while period.fiscal_year() < 2101 {
                    assert_eq!(calendar.end_day(period), calendar.first_day(period.next()));
                    assert_eq!(calendar.period_of(calendar.first_day(period), kind), Some(period));
                    assert_eq!(calendar.period_of(calendar.last_day(period), kind), Some(period));
                    period = period.next();
                }
            }
        }
    }

    #[test]
    fn a_fiscal_year_is_named_after_its_end() {
        let april = FiscalCalendar::starting_in(4).unwrap();
        let day = parse_date("2026-03-31").unwrap();
        assert_eq!(
            april.period_of(day, PeriodKind::Quarter).unwrap().to_string(),
            "2026-Q4"
        );
        assert_eq!(
            april.first_day(Period::parse("2027-Q1").unwrap()).to_string(),
            "2026-04-01"
        );
    }
}
