//! Dates, instants and zones.
//!
//! Duty: instants as microseconds of UTC, local days of an IANA zone with the gaps and overlaps of daylight saving
//! decided in one place. Not its duty: asking what time it is (that is `edges::clock`).

use std::fmt;

use chrono::{DateTime, Days, LocalResult, NaiveDateTime, NaiveTime, TimeZone, Utc};
use thiserror::Error;

/// A calendar date without a zone.
pub type Date = chrono::NaiveDate;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TimeError {
    #[error("is not an instant of the form 2026-10-12T06:00:00Z")]
    Grammar,
    #[error("is finer than a microsecond")]
    TooFine,
    #[error("does not exist in {zone}: clocks go forward over it")]
    Gap { zone: String },
    #[error("'{0}' is no IANA time zone")]
    Zone(String),
}

impl Instant {
    #[must_use]
    pub fn from_micros(micros: i64) -> Instant {
        Instant(micros)
    }

    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Parses RFC 3339 with an offset or `Z`.
    pub fn parse(text: &str) -> Result<Instant, TimeError> {
        let bytes = text.as_bytes();
        // RFC 3339 allows a leap second and lower case; files may have neither. The parser takes a typographic minus too.
        let is_other = |b: &[u8]| b[10] != b'T' || b[17..19] == *b"60" || b.ends_with(b"z");
        if !text.is_ascii() || bytes.len() < 20 || is_other(bytes) {
            return Err(TimeError::Grammar);
        }
        let parsed = DateTime::parse_from_rfc3339(text).map_err(|_| TimeError::Grammar)?;
        // it also drops what is finer than a nanosecond
        let mut finer = bytes[20..].iter().take_while(|b| b.is_ascii_digit()).skip(6);
        if bytes[19] == b'.' && finer.any(|b| *b != b'0') {
            return Err(TimeError::TooFine);
        }
        Ok(Instant(parsed.timestamp_micros()))
    }

    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc = self.utc();
        let form = if utc.timestamp_subsec_micros() == 0 {
            "%Y-%m-%dT%H:%M:%SZ"
        } else {
            "%Y-%m-%dT%H:%M:%S%.6fZ"
        };
        write!(f, "{}", utc.format(form))
    }
}

/// An IANA time zone, compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(chrono_tz::Tz);

impl Zone {
    pub const UTC: Zone = Zone(chrono_tz::UTC);

    pub fn parse(name: &str) -> Result<Zone, TimeError> {
        name.parse().map(Zone).map_err(|_| TimeError::Zone(name.to_owned()))
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    #[must_use]
    pub fn tz(self) -> chrono_tz::Tz {
        self.0
    }

    /// The local date on which an instant falls.
    #[must_use]
    pub fn date_of(self, instant: Instant) -> Date {
        instant.utc().with_timezone(&self.0).date_naive()
    }

    /// The first instant of a local day; where midnight falls into a gap, the first instant after the gap.
    #[must_use]
    pub fn start_of(self, date: Date) -> Instant {
        let midnight = date.and_time(NaiveTime::MIN);
        let mut probe = midnight;
        // gaps are whole multiples of a quarter hour and at most a day long (Samoa skipped a date in 2011)
        for _ in 0..=100 {
            match self.0.from_local_datetime(&probe) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => return Instant(at.timestamp_micros()),
                LocalResult::None => probe += chrono::TimeDelta::minutes(15),
            }
        }
        Instant(midnight.and_utc().timestamp_micros())
    }

    /// A naive local time as an instant; a time in a gap is refused, of an overlap the first or the last is taken.
    pub fn resolve(self, local: NaiveDateTime, overlap_takes_first: bool) -> Result<Instant, TimeError> {
        match self.0.from_local_datetime(&local) {
            LocalResult::Single(at) => Ok(Instant(at.timestamp_micros())),
            LocalResult::Ambiguous(first, last) => Ok(Instant(
                if overlap_takes_first { first } else { last }.timestamp_micros(),
            )),
            LocalResult::None => Err(TimeError::Gap {
                zone: self.name().to_owned(),
            }),
        }
    }
}

/// `date + days`, or the last date there is.
#[must_use]
pub fn add_days(date: Date, days: u32) -> Date {
    date.checked_add_days(Days::new(u64::from(days))).unwrap_or(Date::MAX)
}

/// `date − days`, or the first date there is.
#[must_use]
pub fn sub_days(date: Date, days: u32) -> Date {
    date.checked_sub_days(Days::new(u64::from(days))).unwrap_or(Date::MIN)
}

/// Parses `2026-10-12`: four digits, two, two.
#[must_use]
pub fn parse_date(text: &str) -> Option<Date> {
    let b = text.as_bytes();
    let shape = b.len() == 10
        && b.iter().enumerate().all(|(i, c)| {
            if i == 4 || i == 7 {
                *c == b'-'
            } else {
                c.is_ascii_digit()
            }
        });
    if shape {
        Date::parse_from_str(text, "%Y-%m-%d").ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        assert_eq!(
            Instant::parse("2026-10-12T08:00:00+02:00").unwrap().to_string(),
            "2026-10-12T06:00:00Z"
        );
        assert_eq!(
            Instant::parse("2026-10-12T06:00:00.000001Z").unwrap().to_string(),
            "2026-10-12T06:00:00.000001Z"
        );
        for bad in [
            "2026-10-12",
            "2026-10-12T06:00:00",
            "2026-10-12T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2026-02-30T00:00:00Z",
            "2026-10-12 06:00:00Z",
            "2026-10-12T06:00:00+25:00",
            "2026-10-12T06:00:00\u{2212}05:00",
            "2026-10-12T06:00:00.1234567Z",
            "2026-10-12T06:00:00.1234560000001Z",
        ] {
            assert!(Instant::parse(bad).is_err(), "{bad}");
        }
        let zeros = Instant::parse("2026-10-12T06:00:00.1234560000000+00:00").unwrap();
        assert_eq!(zeros.to_string(), "2026-10-12T06:00:00.123456Z");
        let east = Instant::parse("2026-10-12T06:00:00.5+05:45").unwrap();
        assert_eq!(east.to_string(), "2026-10-12T00:15:00.500000Z");
    }

    #[test]
    fn days_start_after_a_gap() {
        let santiago = Zone::parse("America/Santiago").unwrap();
        let day = parse_date("2026-09-06").unwrap();
        assert_eq!(santiago.start_of(day).to_string(), "2026-09-06T04:00:00Z");
        assert_eq!(santiago.date_of(santiago.start_of(day)), day);
    }

    #[test]
    fn gaps_are_refused_and_overlaps_decided() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let at = |t| NaiveDateTime::parse_from_str(t, "%Y-%m-%d %H:%M").unwrap();
        assert!(matches!(
            berlin.resolve(at("2026-03-29 02:30"), true),
            Err(TimeError::Gap { .. })
        ));
        assert_eq!(
            berlin.resolve(at("2026-10-25 02:30"), true).unwrap().to_string(),
            "2026-10-25T00:30:00Z"
        );
        assert_eq!(
            berlin.resolve(at("2026-10-25 02:30"), false).unwrap().to_string(),
            "2026-10-25T01:30:00Z"
        );
    }

    #[test]
    fn dates_are_strict() {
        assert!(parse_date("2024-02-29").is_some());
        for bad in ["2023-02-29", "2100-02-29", "2026-2-3", "01/02/03", "2026-13-01"] {
            assert!(parse_date(bad).is_none(), "{bad}");
        }
    }
}
