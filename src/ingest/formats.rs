//! Declared formats of dates and instants.
//!
//! Duty: compile a strftime pattern and read text by it, strictly: every digit where the pattern has one, nothing
//! guessed. Not its duty: which format a source uses, zones.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use crate::domain::Date;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(char),
    Year,
    /// Two digits, or one or two.
    Month {
        padded: bool,
    },
    MonthName,
    Day {
        padded: bool,
    },
    Hour {
        padded: bool,
    },
    Hour12 {
        padded: bool,
    },
    Minute,
    Second,
    /// A point and one to six digits, or nothing.
    Fraction,
    HalfDay,
    Offset,
}

/// A local time, and its offset from UTC in seconds if the text names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub local: NaiveDateTime,
    pub offset: Option<i64>,
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The directives there are, for messages.
pub const DIRECTIVES: &str = "%Y %m %-m %b %d %-d %H %-H %I %-I %p %M %S %.f %z %F %T %%";

impl Pattern {
    /// Compiles a pattern for dates; the error says what is wrong with it.
    pub fn date(text: &str) -> Result<Pattern, String> {
        let pattern = Pattern {
            text: text.to_owned(),
            parts: parts(text)?,
        };
        pattern.needs_date()?;
        if pattern
            .parts
            .iter()
            .any(|p| !matches!(p, Part::Literal(_)) && !is_date(*p))
        {
            return Err(format!("'{text}' has a time of day; a date has none"));
        }
        Ok(pattern)
    }

    /// Compiles a pattern for instants; the error says what is wrong with it.
    pub fn instant(text: &str) -> Result<Pattern, String> {
        let pattern = Pattern {
            text: text.to_owned(),
            parts: parts(text)?,
        };
        pattern.needs_date()?;
        let hour = pattern.count(|p| matches!(p, Part::Hour { .. } | Part::Hour12 { .. }));
        let half = pattern.count(|p| p == Part::HalfDay);
        let twelve = pattern.count(|p| matches!(p, Part::Hour12 { .. }));
        if hour != 1 || pattern.count(|p| p == Part::Minute) != 1 || pattern.count(|p| p == Part::Second) > 1 {
            return Err(format!(
                "'{text}' must have one hour and one minute, and at most one second"
            ));
        }
        if half != twelve {
            return Err(format!("'{text}': %I and %p go together"));
        }
        Ok(pattern)
    }

    /// Whether text read by it says its own offset.
    pub fn has_offset(&self) -> bool {
        self.parts.contains(&Part::Offset)
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads a date; `None` when the text has another form or is no day of the calendar.
    pub fn read_date(&self, text: &str) -> Option<Date> {
        self.read(text).map(|stamp| stamp.local.date())
    }

    /// Reads a local time; `None` when the text has another form, or is no time of the calendar and the clock.
    pub fn read(&self, text: &str) -> Option<Stamp> {
        let mut rest = text;
        let (mut year, mut month, mut day, mut hour, mut minute, mut second, mut micro) = (0, 0, 0, 0, 0, 0, 0);
        let (mut afternoon, mut offset) = (None, None);
        for part in &self.parts {
            match part {
                Part::Literal(c) => rest = rest.strip_prefix(*c)?,
                Part::Year => year = number(&mut rest, 4, true)?,
                Part::Month { padded } => month = number(&mut rest, 2, *padded)?,
                Part::MonthName => month = month_name(&mut rest)?,
                Part::Day { padded } => day = number(&mut rest, 2, *padded)?,
                Part::Hour { padded } => hour = number(&mut rest, 2, *padded)?,
                Part::Hour12 { padded } => {
                    hour = number(&mut rest, 2, *padded).filter(|h| (1..=12).contains(h))?;
                }
                Part::Minute => minute = number(&mut rest, 2, true)?,
                Part::Second => second = number(&mut rest, 2, true)?,
                Part::Fraction => micro = fraction(&mut rest)?,
                Part::HalfDay => afternoon = Some(half_day(&mut rest)?),
                Part::Offset => offset = Some(offset_of(&mut rest)?),
            }
        }
        if let Some(afternoon) = afternoon {
            hour = hour % 12 + if afternoon { 12 } else { 0 };
        }
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        let local = date.and_hms_micro_opt(hour, minute, second, micro)?;
        rest.is_empty().then_some(Stamp { local, offset })
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn count(&self, of: impl Fn(Part) -> bool) -> usize {
        self.parts.iter().filter(|p| of(**p)).count()
    }

    fn needs_date(&self) -> Result<(), String> {
        let year = self.count(|p| p == Part::Year);
        let month = self.count(|p| matches!(p, Part::Month { .. } | Part::MonthName));
        let day = self.count(|p| matches!(p, Part::Day { .. }));
        if (year, month, day) == (1, 1, 1) {
            return Ok(());
        }
        Err(format!("'{}' must have one year, one month and one day", self.text))
    }
}

impl Stamp {
    /// The local time moved by its offset; `None` without one.
    pub fn utc(self) -> Option<NaiveDateTime> {
        self.local.checked_sub_signed(TimeDelta::seconds(self.offset?))
    }
}

fn is_date(part: Part) -> bool {
    matches!(
        part,
        Part::Year | Part::Month { .. } | Part::MonthName | Part::Day { .. }
    )
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let text = text.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S");
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(Part::Literal(c));
            continue;
        }
        let mut directive: String = chars.next().into_iter().collect();
        if directive == "-" || directive == "." {
            directive.extend(chars.next());
        }
        out.push(part(&directive)?);
    }
    Ok(out)
}

fn part(directive: &str) -> Result<Part, String> {
    let padded = !directive.starts_with('-');
    Ok(match directive {
        "%" => Part::Literal('%'),
        "Y" => Part::Year,
        "m" | "-m" => Part::Month { padded },
        "b" => Part::MonthName,
        "d" | "-d" => Part::Day { padded },
        "H" | "-H" => Part::Hour { padded },
        "I" | "-I" => Part::Hour12 { padded },
        "M" => Part::Minute,
        "S" => Part::Second,
        ".f" => Part::Fraction,
        "p" => Part::HalfDay,
        "z" => Part::Offset,
        "y" => return Err("%y is not read: a year of two digits has no century".to_owned()),
        other => return Err(format!("%{other} is not known; there are {DIRECTIVES}")),
    })
}

/// Takes digits from the front: exactly `width`, or one to `width` without a leading zero.
fn number(rest: &mut &str, width: usize, padded: bool) -> Option<u32> {
    let digits = rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
    let (text, tail) = rest.split_at(digits);
    if digits == 0 || (padded && digits != width) || (!padded && digits > 1 && text.starts_with('0')) {
        return None;
    }
    *rest = tail;
    text.parse().ok()
}

fn month_name(rest: &mut &str) -> Option<u32> {
    let name = rest.get(..3)?;
    let index = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(name))?;
    *rest = &rest[3..];
    u32::try_from(index + 1).ok()
}

/// Microseconds; finer is not read.
fn fraction(rest: &mut &str) -> Option<u32> {
    let Some(tail) = rest.strip_prefix('.') else {
        return Some(0);
    };
    let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=6).contains(&digits) {
        return None;
    }
    let (text, tail) = tail.split_at(digits);
    *rest = tail;
    format!("{text:0<6}").parse().ok()
}

fn half_day(rest: &mut &str) -> Option<bool> {
    let afternoon = match rest.get(..2)?.to_ascii_uppercase().as_str() {
        "AM" => false,
        "PM" => true,
        _ => return None,
    };
    *rest = &rest[2..];
    Some(afternoon)
}

/// Seconds east of UTC: `Z`, `+02:00` or `+0200`.
fn offset_of(rest: &mut &str) -> Option<i64> {
    if let Some(tail) = rest.strip_prefix('Z') {
        *rest = tail;
        return Some(0);
    }
    let (sign, mut tail) = match rest.strip_prefix('+') {
        Some(tail) => (1, tail),
        None => (-1, rest.strip_prefix('-')?),
    };
    let hours = number(&mut tail, 2, true)?;
    tail = tail.strip_prefix(':').unwrap_or(tail);
    let minutes = number(&mut tail, 2, true)?;
    if hours > 23 || minutes > 59 {
        return None;
    }
    *rest = tail;
    Some(sign * i64::from(hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(pattern: &str, text: &str) -> Option<String> {
        Pattern::date(pattern).unwrap().read_date(text).map(|d| d.to_string())
    }

    fn instant(pattern: &str, text: &str) -> Option<String> {
        Pattern::instant(pattern)
            .unwrap()
            .read(text)
            .map(|s| s.utc().unwrap_or(s.local).to_string())
    }

    #[test]
    fn dates_by_pattern_only() {
        assert_eq!(date("%d.%m.%Y", "03.02.2026").as_deref(), Some("2026-02-03"));
        assert_eq!(date("%m/%d/%Y", "02/03/2026").as_deref(), Some("2026-02-03"));
        assert_eq!(date("%d %b %Y", "03 FEB 2026").as_deref(), Some("2026-02-03"));
        assert_eq!(date("%-d.%-m.%Y", "3.2.2026").as_deref(), Some("2026-02-03"));
        assert_eq!(date("%F", "2024-02-29").as_deref(), Some("2024-02-29"));
        for bad in [
            "3.2.2026",
            "03.02.26",
            "03.02.2026 ",
            "03-02-2026",
            "31.02.2026",
            "29.02.2023",
            "+3.02.2026",
            "０３.02.2026",
            "",
        ] {
            assert_eq!(date("%d.%m.%Y", bad), None, "{bad}");
        }
        assert_eq!(date("%m/%d/%Y", "13/12/2026"), None);
    }

    #[test]
    fn instants_by_pattern_only() {
        assert_eq!(
            instant("%d.%m.%Y %H:%M", "03.02.2026 14:05").as_deref(),
            Some("2026-02-03 14:05:00")
        );
        assert_eq!(
            instant("%FT%T%.f%z", "2026-02-03T14:05:06.25+02:00").as_deref(),
            Some("2026-02-03 12:05:06.250")
        );
        assert_eq!(
            instant("%FT%T%.f%z", "2026-02-03T14:05:06Z").as_deref(),
            Some("2026-02-03 14:05:06")
        );
        assert_eq!(
            instant("%m/%d/%Y %-I:%M %p", "02/03/2026 12:05 am").as_deref(),
            Some("2026-02-03 00:05:00")
        );
        assert_eq!(
            instant("%m/%d/%Y %I:%M %p", "02/03/2026 01:05 PM").as_deref(),
            Some("2026-02-03 13:05:00")
        );
        for bad in [
            "2026-02-03T24:00:00Z",
            "2026-02-03T23:59:60Z",
            "2026-02-03T14:05:06+25:00",
            "2026-02-03T14:05:06.1234567Z",
        ] {
            assert_eq!(instant("%FT%T%.f%z", bad), None, "{bad}");
        }
        assert_eq!(instant("%m/%d/%Y %I:%M %p", "02/03/2026 13:05 PM"), None);
    }

    #[test]
    fn bad_patterns_are_refused() {
        for bad in ["%d.%m.%y", "%d.%m", "%Y-%m-%d %H:%M", "%Y-%m-%d-%d", "%q", "%", ""] {
            assert!(Pattern::date(bad).is_err(), "{bad}");
        }
        for bad in ["%F", "%F %H", "%F %I:%M", "%F %H:%M %p"] {
            assert!(Pattern::instant(bad).is_err(), "{bad}");
        }
    }
}
