//! Days and times as a workbook counts them.
//!
//! Duty: a day number with its fraction to a date or a local time, exactly. Not its duty: zones, plausible years.
//!
//! In the system of 1900 day 60 is a 29 February that never was and all before it are one day off; in both systems
//! days up to 60 are what a time, a count or a blank becomes when it is shown as a date. They are refused.
//! A fraction counts as the nearest millisecond, from which writers with fifteen digits differ by at most five
//! microseconds; what is farther from every millisecond than ten is no time that anybody typed.

use chrono::{Days, NaiveDateTime, NaiveTime};

use crate::domain::time::parse_date;
use crate::domain::{Date, Instant};
use crate::ingest::frames::Kind;

const DAY_MICROS: u128 = 86_400_000_000;
const MAX_DRIFT_MICROS: u128 = 10;
/// Day of 9999-12-31 in the system of 1900.
const LAST_DAY: u64 = 2_958_465;
const LAST_REFUSED_DAY: u64 = 60;

/// The date, or the local time, of a plain decimal. `None`: it is none.
pub fn read(number: &str, is_1904: bool, shows_time: bool) -> Option<(Kind, String)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut day: u64 = whole.parse().ok()?;
    if day <= LAST_REFUSED_DAY || day > LAST_DAY {
        return None;
    }
    let mut millis = millis(fraction)?;
    if millis == 86_400_000 {
        day += 1;
        millis = 0;
    }
    let first = if is_1904 {
        Date::from_ymd_opt(1904, 1, 1)
    } else {
        Date::from_ymd_opt(1899, 12, 30)
    };
    let date = first?.checked_add_days(Days::new(day))?;
    if millis == 0 && !shows_time {
        return Some((Kind::Date, date.to_string()));
    }
    let time = NaiveTime::from_num_seconds_from_midnight_opt(millis / 1000, millis % 1000 * 1_000_000)?;
    Some((Kind::Local, local(date.and_time(time))))
}

/// The nearest millisecond of the day, if it is near.
fn millis(fraction: &str) -> Option<u32> {
    // a double has no more decimals behind five digits of days
    let digits = fraction.get(..20).unwrap_or(fraction);
    let scale = 10_u128.pow(u32::try_from(digits.len()).ok()?);
    let units: u128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let micros = (units * DAY_MICROS + scale / 2) / scale;
    let millis = (micros + 500) / 1000;
    if micros.abs_diff(millis * 1000) > MAX_DRIFT_MICROS {
        return None;
    }
    u32::try_from(millis).ok()
}

/// A local time as frames write it.
pub fn local(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

/// A date, local time or instant in the notation of ISO 8601, as itself. `None`: it is none.
pub fn iso(text: &str) -> Option<(Kind, String)> {
    if parse_date(text).is_some() {
        return Some((Kind::Date, text.to_owned()));
    }
    if let Ok(instant) = Instant::parse(text) {
        return Some((Kind::Instant, instant.to_string()));
    }
    if text.len() < 19 || !text.is_ascii() || &text[17..19] == "60" {
        return None;
    }
    let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some((Kind::Local, local(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(number: &str, is_1904: bool, shows_time: bool) -> String {
        read(number, is_1904, shows_time).map_or("none".to_owned(), |(_, text)| text)
    }

    #[test]
    fn days_of_both_systems() {
        // 1900-03-01 is day 61; 2024-01-01 is day 45292 of 1900 and, 1462 days less, 43830 of 1904
        assert_eq!(told("61", false, false), "1900-03-01");
        assert_eq!(told("45292", false, false), "2024-01-01");
        assert_eq!(told("43830", true, false), "2024-01-01");
        assert_eq!(told("2958465", false, false), "9999-12-31");
        assert_eq!(read("45292", false, false).unwrap().0, Kind::Date);
        assert_eq!(read("45292", false, true).unwrap().0, Kind::Local);
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for number in [
            "0",
            "0.5",
            "1",
            "59",
            "60",
            "60.9",
            "-1",
            "2958466",
            "99999999999999999999",
            "",
        ] {
            assert_eq!(told(number, false, false), "none", "{number}");
        }
        assert_eq!(told("60", true, false), "none");
    }

    #[test]
    fn fractions_are_times_to_the_millisecond() {
        // half a day; 12:30 = 0.52083333333333333…; 23:59:59.999 = 0.99999998842592592…
        assert_eq!(told("45292.5", false, false), "2024-01-01T12:00:00");
        assert_eq!(told("45292.520833333336", false, true), "2024-01-01T12:30:00");
        assert_eq!(told("45292.5208333333", false, true), "2024-01-01T12:30:00");
        assert_eq!(told("45292.99999998843", false, true), "2024-01-01T23:59:59.999");
        // a double just below midnight
        assert_eq!(told("45291.99999999999", false, true), "2024-01-01T00:00:00");
        assert_eq!(told("45292.0", false, true), "2024-01-01T00:00:00");
        // 12:30 cut to five decimals is 12:29:59.712, which is a whole millisecond; to eight it is 12:29:59.999712
        assert_eq!(told("45292.52083", false, true), "2024-01-01T12:29:59.712");
        assert_eq!(told("45292.52083333", false, true), "none");
    }

    #[test]
    fn iso_texts_are_themselves() {
        assert_eq!(iso("2024-02-29"), Some((Kind::Date, "2024-02-29".into())));
        assert_eq!(
            iso("2024-02-29T12:30:00"),
            Some((Kind::Local, "2024-02-29T12:30:00".into()))
        );
        assert_eq!(
            iso("2024-02-29T12:30:00+02:00"),
            Some((Kind::Instant, "2024-02-29T10:30:00Z".into()))
        );
        for text in [
            "2023-02-29",
            "2024-02-29T24:00:00",
            "2024-02-29T12:30:60",
            "T12:30:00",
            "",
            "täglich um halb eins",
        ] {
            assert_eq!(iso(text), None, "{text}");
        }
    }
}
