//! Dates and times by a format, as simply as they can be read.

use super::dialect::month_of;
use super::table::{days, length_of_month};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub day: i64,
    /// Of the day.
    pub second: i64,
    pub micro: i64,
    pub offset: Option<i64>,
}

impl Stamp {
    pub fn micros(self) -> i64 {
        (self.day * 86_400 + self.second) * 1_000_000 + self.micro
    }
}

/// A text by a format.
pub fn stamp(format: &str, text: &str) -> Option<Stamp> {
    let (format, text): (Vec<char>, Vec<char>) = (format.chars().collect(), text.chars().collect());
    let (mut f, mut t) = (0, 0);
    let (mut year, mut month, mut day, mut hour, mut minute, mut second, mut micro) = (0, 0, 0, 0, 0, 0, 0);
    let mut offset = None;
    let digits = |t: &mut usize, least: usize, most: usize| -> Option<i64> {
        let count = text[*t..].iter().take(most).take_while(|c| c.is_ascii_digit()).count();
        let found: String = text[*t..*t + count].iter().collect();
        *t += count;
        if count < least || (least < most && count > 1 && found.starts_with('0')) {
            return None;
        }
        found.parse().ok()
    };
    while f < format.len() {
        if format[f] != '%' {
            if text.get(t) != Some(&format[f]) {
                return None;
            }
            (f, t) = (f + 1, t + 1);
            continue;
        }
        let is_loose = format[f + 1] == '-';
        f += if is_loose || format[f + 1] == '.' { 2 } else { 1 };
        let least = if is_loose { 1 } else { 2 };
        match format[f] {
            'Y' => year = digits(&mut t, 4, 4)?,
            'm' => month = digits(&mut t, least, 2)?,
            'd' => day = digits(&mut t, least, 2)?,
            'H' => hour = digits(&mut t, 2, 2)?,
            'M' => minute = digits(&mut t, 2, 2)?,
            'S' => second = digits(&mut t, 2, 2)?,
            'b' => {
                month = month_of(&text.get(t..t + 3)?.iter().collect::<String>())?;
                t += 3;
            }
            'f' => {
                if text.get(t) == Some(&'.') {
                    let length = text[t + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
                    let found: String = text[t + 1..t + 1 + length].iter().collect();
                    let (part, finer) = found.split_at(found.len().min(6));
                    if part.is_empty() || !finer.is_empty() {
                        return None;
                    }
                    micro = format!("{part:0<6}").parse().ok()?;
                    t += 1 + length;
                }
            }
            _ => {
                let sign = match text.get(t)? {
                    'Z' => 0,
                    '+' => 1,
                    '-' => -1,
                    _ => return None,
                };
                t += 1;
                let mut seconds = 0;
                if sign != 0 {
                    let hours = digits(&mut t, 2, 2)?;
                    t += usize::from(text.get(t) == Some(&':'));
                    let minutes = digits(&mut t, 2, 2)?;
                    if hours > 23 || minutes > 59 {
                        return None;
                    }
                    seconds = sign * (hours * 3600 + minutes * 60);
                }
                offset = Some(seconds);
            }
        }
        f += 1;
    }
    let is_day = (1..=12).contains(&month) && day >= 1 && day <= length_of_month(year, month);
    let is_time = hour < 24 && minute < 60 && second < 60;
    (is_day && is_time && t == text.len()).then(|| Stamp {
        day: days(year, month, day),
        second: hour * 3600 + minute * 60 + second,
        micro,
        offset,
    })
}

/// Zeros behind the sixth digit of a fraction say nothing.
pub fn without_finer_zeros(text: &str) -> String {
    let Some((head, tail)) = text.split_once('.') else {
        return text.to_owned();
    };
    let length = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
    let (fraction, offset) = tail.split_at(length);
    match fraction.split_at_checked(6) {
        Some((kept, finer)) if finer.bytes().all(|b| b == b'0') => format!("{head}.{kept}{offset}"),
        _ => text.to_owned(),
    }
}
