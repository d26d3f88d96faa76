//! Periods of a fiscal calendar: months, quarters, halves, years.
//!
//! Duty: names such as `2026-Q3`, order, neighbours. Half-open: a period begins on its first day and ends where the
//! next one begins, so that no day is in two and none is left out. Dates come from [`super::FiscalCalendar`].

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

/// The length of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeriodKind {
    Month,
    Quarter,
    Half,
    Year,
}

impl PeriodKind {
    #[must_use]
    pub fn per_year(self) -> u32 {
        match self {
            PeriodKind::Month => 12,
            PeriodKind::Quarter => 4,
            PeriodKind::Half => 2,
            PeriodKind::Year => 1,
        }
    }

    #[must_use]
    pub fn months(self) -> u32 {
        12 / self.per_year()
    }

    /// `month`, `quarter`, `half`, `year`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PeriodKind::Month => "month",
            PeriodKind::Quarter => "quarter",
            PeriodKind::Half => "half",
            PeriodKind::Year => "year",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<PeriodKind> {
        Some(match name {
            "month" => PeriodKind::Month,
            "quarter" => PeriodKind::Quarter,
            "half" => PeriodKind::Half,
            "year" => PeriodKind::Year,
            _ => return None,
        })
    }
}

/// One period: `2026-M07`, `2026-Q3`, `2026-H2`, `2026-FY`, by fiscal year. Ordered by time within a kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    kind: PeriodKind,
    fiscal_year: i32,
    /// From 1.
    index: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is no period: write 2026-M07, 2026-Q3, 2026-H2 or 2026-FY")]
pub struct PeriodError(pub String);

impl fmt::Display for PeriodKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Period {
    /// `None` when the index is not one of the kind's, or the year is not of four digits.
    #[must_use]
    pub fn new(kind: PeriodKind, fiscal_year: i32, index: u32) -> Option<Period> {
        ((1..=kind.per_year()).contains(&index) && (1900..=9999).contains(&fiscal_year)).then_some(Period {
            kind,
            fiscal_year,
            index,
        })
    }

    pub fn parse(text: &str) -> Result<Period, PeriodError> {
        let error = || PeriodError(text.to_owned());
        // digits only: a number's own grammar would allow a sign
        let number = |digits: &str| -> Option<u32> {
            let all = digits.bytes().all(|byte| byte.is_ascii_digit());
            all.then(|| digits.parse().ok()).flatten()
        };
        let (year, rest) = text.split_once('-').ok_or_else(error)?;
        let year = Some(year).filter(|year| year.len() == 4).and_then(number);
        let (kind, index) = match rest.as_bytes() {
            b"FY" => (PeriodKind::Year, Some(1)),
            [b'Q', _] => (PeriodKind::Quarter, number(&rest[1..])),
            [b'H', _] => (PeriodKind::Half, number(&rest[1..])),
            [b'M', _, _] => (PeriodKind::Month, number(&rest[1..])),
            _ => return Err(error()),
        };
        year.and_then(|year| Period::new(kind, i32::try_from(year).ok()?, index?))
            .ok_or_else(error)
    }

    #[must_use]
    pub fn kind(self) -> PeriodKind {
        self.kind
    }

    #[must_use]
    pub fn fiscal_year(self) -> i32 {
        self.fiscal_year
    }

    /// From 1.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// Periods since the first of fiscal year 0: neighbours differ by one.
    fn ordinal(self) -> i64 {
        i64::from(self.fiscal_year) * i64::from(self.kind.per_year()) + i64::from(self.index) - 1
    }

    /// The period `n` later, or earlier when negative.
    #[must_use]
    pub fn plus(self, n: i64) -> Period {
        let per_year = i64::from(self.kind.per_year());
        let ordinal = self.ordinal() + n;
        Period {
            kind: self.kind,
            fiscal_year: i32::try_from(ordinal.div_euclid(per_year)).unwrap_or(i32::MAX),
            index: u32::try_from(ordinal.rem_euclid(per_year)).unwrap_or(0) + 1,
        }
    }

    /// Months since fiscal year 0 in which it begins and, exclusively, ends.
    fn months(self) -> (i64, i64) {
        let length = i64::from(self.kind.months());
        let first = i64::from(self.fiscal_year) * 12 + i64::from(self.index - 1) * length;
        (first, first + length)
    }

    /// Where it lies against another period of the calendar, which may be of another length: before it, over part of it,
    /// after it.
    #[must_use]
    pub fn place(self, other: Period) -> Ordering {
        let ((first, end), (other_first, other_end)) = (self.months(), other.months());
        if end <= other_first {
            Ordering::Less
        } else if first >= other_end {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }

    /// By the end; of two that end together the shorter one first.
    #[must_use]
    pub fn by_end(self, other: Period) -> Ordering {
        let key = |period: Period| (period.months().1, period.kind);
        key(self).cmp(&key(other))
    }

    /// Whether its last month lies in another period of the calendar, which may be of another length.
    #[must_use]
    pub fn ends_in(self, other: Period) -> bool {
        let (end, (other_first, other_end)) = (self.months().1, other.months());
        other_first < end && end <= other_end
    }

    #[must_use]
    pub fn next(self) -> Period {
        self.plus(1)
    }

    #[must_use]
    pub fn previous(self) -> Period {
        self.plus(-1)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            PeriodKind::Month => write!(f, "{:04}-M{:02}", self.fiscal_year, self.index),
            PeriodKind::Quarter => write!(f, "{:04}-Q{}", self.fiscal_year, self.index),
            PeriodKind::Half => write!(f, "{:04}-H{}", self.fiscal_year, self.index),
            PeriodKind::Year => write!(f, "{:04}-FY", self.fiscal_year),
        }
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_of_other_lengths_lie_before_within_and_after() {
        let p = |t| Period::parse(t).unwrap();
        assert_eq!(p("2026-M07").place(p("2026-Q3")), Ordering::Equal);
        assert_eq!(p("2026-M06").place(p("2026-Q3")), Ordering::Less);
        assert_eq!(p("2026-M10").place(p("2026-Q3")), Ordering::Greater);
        assert_eq!(p("2026-FY").place(p("2026-Q3")), Ordering::Equal);
        assert_eq!(p("2025-FY").place(p("2026-Q1")), Ordering::Less);
        let ends_in = |a, b| p(a).ends_in(p(b));
        assert!(ends_in("2026-M07", "2026-Q3") && ends_in("2026-M09", "2026-Q3") && ends_in("2026-Q3", "2026-Q3"));
        assert!(!ends_in("2026-M06", "2026-Q3") && !ends_in("2026-M10", "2026-Q3"));
        assert!(ends_in("2026-FY", "2026-Q4") && ends_in("2026-FY", "2026-M12") && !ends_in("2026-FY", "2026-Q3"));
        assert!(ends_in("2025-FY", "2025-H2") && !ends_in("2025-FY", "2026-H1"));
    }

    #[test]
    fn names_round_trip() {
        for name in ["2026-M07", "2026-Q3", "2026-H2", "2026-FY"] {
            assert_eq!(Period::parse(name).unwrap().to_string(), name);
        }
        for bad in [
            "2026-Q5", "2026-Q0", "2026-M13", "2026-7", "26-Q1", "2026Q3", "2026-H+1", "2026-M+7", "",
        ] {
            assert!(Period::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn neighbours_cross_the_year() {
        assert_eq!(Period::parse("2025-Q4").unwrap().next().to_string(), "2026-Q1");
        assert_eq!(Period::parse("2026-M01").unwrap().previous().to_string(), "2025-M12");
        assert_eq!(Period::parse("2026-FY").unwrap().plus(-3).to_string(), "2023-FY");
    }
}
