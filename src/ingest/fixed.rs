//! Dates and times whose digits always stand in the same places, as most patterns have them.
//!
//! Duty: read such a text fast, or not at all. Not its duty: what a pattern means, and any other text (`formats`).

use super::formats::{Part, Pattern};

/// Where the digits of a date and a time stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fixed {
    pub length: usize,
    literals: Vec<(usize, u8)>,
    year: usize,
    month: usize,
    day: usize,
    clock: Option<Clock>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Clock {
    hour: usize,
    minute: usize,
    second: Option<usize>,
}

/// By month: days of the year before it, and its own, without a leap day; 0 and the last three are no months.
const MONTHS_OF_YEAR: [(i32, i32); 16] = [
    (0, 0),
    (0, 31),
    (31, 28),
    (59, 31),
    (90, 30),
    (120, 31),
    (151, 30),
    (181, 31),
    (212, 31),
    (243, 30),
    (273, 31),
    (304, 30),
    (334, 31),
    (0, 0),
    (0, 0),
    (0, 0),
];

impl Fixed {
    /// A pattern as fixed places of bytes; `None` where a text may have another length, a fraction, a name, an offset
    /// or half a day.
    pub(super) fn of(pattern: &Pattern) -> Option<Fixed> {
        let mut fixed = Fixed::default();
        for part in pattern.parts() {
            let at = fixed.length;
            match part {
                Part::Literal(c) => fixed.literals.push((at, u8::try_from(*c).ok().filter(u8::is_ascii)?)),
                Part::Year => fixed.year = at,
                Part::Month { padded: true } => fixed.month = at,
                Part::Day { padded: true } => fixed.day = at,
                Part::Hour { padded: true } => fixed.clock.get_or_insert_default().hour = at,
                Part::Minute => fixed.clock.get_or_insert_default().minute = at,
                Part::Second => fixed.clock.get_or_insert_default().second = Some(at),
                _ => return None,
            }
            fixed.length += match part {
                Part::Literal(_) => 1,
                Part::Year => 4,
                _ => 2,
            };
        }
        Some(fixed)
    }

    /// Days since 1970-01-01 and seconds of the day, of a year from 1970 to 2199. `None`: look closer.
    #[inline]
    pub(super) fn read(&self, text: &[u8]) -> Option<(i32, i32)> {
        if text.len() != self.length || self.literals.iter().any(|(at, byte)| text.get(*at) != Some(byte)) {
            return None;
        }
        let year = two(text, self.year)? * 100 + two(text, self.year + 2)?;
        let (month, day) = (two(text, self.month)?, two(text, self.day)?);
        if !(1970..2200).contains(&year) || !(1..=12).contains(&month) {
            return None;
        }
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let (before, length) = MONTHS_OF_YEAR[(month & 15).unsigned_abs() as usize];
        if day < 1 || day > length + i32::from(is_leap && month == 2) {
            return None;
        }
        // leap days of the years before, counted from 1970
        let past = year - 1;
        let leaps = past / 4 - past / 100 + past / 400 - 477;
        let days = (year - 1970) * 365 + leaps + before + i32::from(is_leap && month > 2) + day - 1;
        let Some(clock) = &self.clock else {
            return Some((days, 0));
        };
        let part = |at: Option<usize>| at.map_or(Some(0), |at| two(text, at));
        let (hour, minute, second) = (two(text, clock.hour)?, two(text, clock.minute)?, part(clock.second)?);
        (hour < 24 && minute < 60 && second < 60).then_some((days, (hour * 60 + minute) * 60 + second))
    }
}

/// Two digits.
#[inline]
pub(super) fn two(text: &[u8], at: usize) -> Option<i32> {
    let [a, b] = text
        .get(at..at + 2)?
        .first_chunk::<2>()?
        .map(|byte| byte.wrapping_sub(b'0'));
    (a.max(b) < 10).then(|| i32::from(a) * 10 + i32::from(b))
}
