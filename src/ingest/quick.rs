//! Texts straight to cells, where nothing is unusual.
//!
//! Duty: take what is plainly right, fast; leave everything else to `parse`, which says what is right. What is taken
//! here is the value that `parse` gives: a test compares them. Must not: refuse anything, or say why.

use chrono::Datelike as _;

use super::fixed::{Fixed, two};
use super::formats::Pattern;
use super::limits::{LAST_ZONED_YEAR, PLAUSIBLE_YEARS};
use super::memo::{Memo, Tokens};
use super::source::Source;
use crate::contracts::model::{Column, ColumnType, Format};
use crate::domain::batch::{self, days};
use crate::domain::ids::MAX_ID_BYTES;
use crate::domain::{Cell, Date, Dec, Instant, Zone};

/// Digits that are read here; 64 bits hold one more.
const DIGITS: usize = 18;

const DAY_SECONDS: i64 = 86_400;
const SECOND_MICROS: i64 = 1_000_000;

const POWERS: [i64; DIGITS + 1] = {
    let mut powers = [1; DIGITS + 1];
    let mut i = 1;
    while i <= DIGITS {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// How texts of one column are taken.
pub(super) struct Quick {
    form: Form,
    /// A value map changes texts first.
    is_mapped: bool,
    nullable: bool,
    nulls: Tokens,
    memo: Option<Memo>,
}

enum Form {
    /// Only the exact reading knows.
    Exact,
    Text,
    Id,
    Bool,
    Int {
        marks: Marks,
        least: i64,
        greatest: i64,
    },
    Dec {
        marks: Marks,
        whole: usize,
        scale: usize,
        least: i64,
        greatest: i64,
    },
    Date {
        fixed: Fixed,
        least: i32,
        greatest: i32,
    },
    /// RFC 3339.
    Instant {
        fixed: Fixed,
        bounds: (i64, i64),
    },
    Local {
        fixed: Fixed,
        hours: Hours,
        bounds: (i64, i64),
    },
}

impl Quick {
    pub(super) fn new(source: &Source, column: &Column, is_mapped: bool) -> Quick {
        let form = form(source, column);
        let forgets = matches!(form, Form::Text | Form::Id | Form::Bool) && !is_mapped;
        Quick {
            form,
            is_mapped,
            nullable: !column.required,
            nulls: Tokens::new(&source.null_tokens),
            memo: (!forgets).then(Memo::new),
        }
    }

    /// Adds the cell of a text, if that is plain; returns whether blanks stood around it.
    #[inline]
    pub(super) fn push(&mut self, given: &str, column: &mut batch::Column) -> Option<bool> {
        if self.is_mapped {
            return self.remembered(given, column);
        }
        let bytes = given.as_bytes();
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
            return self.nullable.then(|| column.push_null()).map(|()| false);
        };
        // beyond these only some are blanks
        let is_tight = first.is_ascii_graphic() && last.is_ascii_graphic();
        let text = if is_tight { given } else { given.trim() };
        if text.is_empty() || self.nulls.contains(text) {
            return self
                .nullable
                .then(|| column.push_null())
                .map(|()| text.len() != given.len());
        }
        if self.form.push(text, column) {
            return Some(text.len() != given.len());
        }
        self.remembered(given, column)
    }

    #[inline]
    fn remembered(&mut self, given: &str, column: &mut batch::Column) -> Option<bool> {
        let slot = self.memo.as_mut()?.find(given)?;
        match &slot.value {
            Some(value) => column.push(Cell::from(value)),
            None => column.push_text(given),
        }
        Some(slot.trimmed)
    }

    /// A text that the exact reading found right.
    pub(super) fn remember(&mut self, given: &str, cell: Cell<'_>, trimmed: bool) {
        if let Some(memo) = &mut self.memo {
            if memo.is_useless() {
                self.memo = None;
            } else {
                memo.keep(given, cell, trimmed);
            }
        }
    }
}

fn form(source: &Source, column: &Column) -> Form {
    if !column.allowed.is_empty() || column.pattern.is_some() {
        return Form::Exact;
    }
    let marks = Marks::new(source);
    match (column.kind, column.format) {
        (ColumnType::Text, None) => Form::Text,
        (ColumnType::Text, Some(Format::Id)) => Form::Id,
        (ColumnType::Bool, _) => Form::Bool,
        (ColumnType::Int, _) => match bounds(column, 0) {
            Some((least, greatest)) => Form::Int { marks, least, greatest },
            None => Form::Exact,
        },
        (ColumnType::Decimal { precision, scale }, _) => {
            let digits = usize::from(precision).min(DIGITS);
            let whole = digits.checked_sub(usize::from(scale));
            match (whole, bounds(column, scale)) {
                (Some(whole), Some((least, greatest))) => Form::Dec {
                    marks,
                    whole,
                    scale: usize::from(scale),
                    least,
                    greatest,
                },
                _ => Form::Exact,
            }
        }
        (ColumnType::Date, _) => date_form(source, column).unwrap_or(Form::Exact),
        (ColumnType::Instant, _) => instant_form(source, column).unwrap_or(Form::Exact),
        (ColumnType::Text, Some(_)) => Form::Exact,
    }
}

/// Bounds in units of 10^-scale; `None` where they do not fit.
fn bounds(column: &Column, scale: u8) -> Option<(i64, i64)> {
    let bound = |bound: Option<Dec>, otherwise: i64| {
        bound.map_or(Some(otherwise), |dec| i64::try_from(dec.rescale(scale)?.units()).ok())
    };
    Some((bound(column.minimum, i64::MIN)?, bound(column.maximum, i64::MAX)?))
}

/// First day of the first plausible year, and of the one after the last.
fn plausible_days() -> (i32, i32) {
    let first_of = |year| Date::from_ymd_opt(year, 1, 1).map_or(0, days);
    (first_of(PLAUSIBLE_YEARS.0), first_of(PLAUSIBLE_YEARS.1 + 1))
}

fn date_form(source: &Source, column: &Column) -> Option<Form> {
    let fixed = match source.date_formats.as_slice() {
        [] => Fixed::of(&Pattern::date("%Y-%m-%d").ok()?)?,
        [pattern] => Fixed::of(pattern)?,
        _ => return None,
    };
    let (first, end) = plausible_days();
    let (least, greatest) = bounds(column, 0)?;
    Some(Form::Date {
        fixed,
        least: i32::try_from(least.max(first.into())).ok()?,
        greatest: i32::try_from(greatest.min(i64::from(end) - 1)).ok()?,
    })
}

fn instant_form(source: &Source, column: &Column) -> Option<Form> {
    let (first, end) = plausible_days();
    let micros = |days: i32| i64::from(days) * DAY_SECONDS * SECOND_MICROS;
    let (least, greatest) = bounds(column, 0)?;
    let bounds = (least.max(micros(first)), greatest.min(micros(end) - 1));
    match source.instant_formats.as_slice() {
        [] => {
            let fixed = Fixed::of(&Pattern::instant("%Y-%m-%dT%H:%M:%S").ok()?)?;
            Some(Form::Instant { fixed, bounds })
        }
        [pattern] => Some(Form::Local {
            fixed: Fixed::of(pattern)?,
            hours: Hours::new(source.time_zone?),
            bounds,
        }),
        _ => None,
    }
}

impl Form {
    /// Adds the cell of a text that is neither blank nor null.
    #[inline]
    fn push(&mut self, text: &str, column: &mut batch::Column) -> bool {
        let bytes = text.as_bytes();
        match self {
            Form::Exact => return false,
            Form::Text if memchr::memchr(0, bytes).is_some() => return false,
            Form::Id if !is_plain_id(bytes) => return false,
            Form::Text | Form::Id => column.push_text(text),
            Form::Bool => match text {
                "true" => column.push(Cell::Bool(true)),
                "false" => column.push(Cell::Bool(false)),
                _ => return false,
            },
            Form::Int { marks, least, greatest } => match marks.read(bytes, DIGITS, 0) {
                Some(int) if (*least..=*greatest).contains(&int) => column.push(Cell::Int(int)),
                _ => return false,
            },
            Form::Dec {
                marks,
                whole,
                scale,
                least,
                greatest,
            } => match marks.read(bytes, *whole, *scale) {
                Some(units) if (*least..=*greatest).contains(&units) => column.push_units(units.into()),
                _ => return false,
            },
            Form::Date { fixed, least, greatest } => match fixed.read(bytes) {
                Some((days, _)) if (*least..=*greatest).contains(&days) => column.push_days(days),
                _ => return false,
            },
            Form::Instant { fixed, bounds } => match rfc3339(fixed, bytes) {
                Some(micros) if within(micros, *bounds) => column.push(Cell::Instant(Instant::from_micros(micros))),
                _ => return false,
            },
            Form::Local { fixed, hours, bounds } => match fixed.read(bytes).and_then(|at| hours.micros(at)) {
                Some(micros) if within(micros, *bounds) => column.push(Cell::Instant(Instant::from_micros(micros))),
                _ => return false,
            },
        }
        true
    }
}

fn within(micros: i64, (least, greatest): (i64, i64)) -> bool {
    (least..=greatest).contains(&micros)
}

/// An identifier of printable ASCII.
fn is_plain_id(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_ID_BYTES && bytes.iter().fold(true, |so_far, b| so_far & (b' '..=b'~').contains(b))
}

/// `2026-07-31T12:30:00`, up to six decimals, and `Z` or `+02:00`, as microseconds.
fn rfc3339(fixed: &Fixed, bytes: &[u8]) -> Option<i64> {
    let (head, mut tail) = bytes.split_at_checked(fixed.length)?;
    let (days, seconds) = fixed.read(head)?;
    let mut micros = 0;
    if let [b'.', rest @ ..] = tail {
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=6).contains(&digits) {
            return None;
        }
        for byte in &rest[..digits] {
            micros = micros * 10 + i64::from(byte - b'0');
        }
        micros *= POWERS[6 - digits];
        tail = &rest[digits..];
    }
    let offset = match tail {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (two(tail, 1)?, two(tail, 4)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 3600 + minutes * 60;
            if *sign == b'-' { -offset } else { offset }
        }
        _ => return None,
    };
    let seconds = i64::from(days) * DAY_SECONDS + i64::from(seconds) - i64::from(offset);
    Some(seconds * SECOND_MICROS + micros)
}

/// Marks of numbers.
#[derive(Clone, Copy)]
struct Marks {
    point: u8,
    /// `None` also where it is no ASCII.
    group: Option<u8>,
}

impl Marks {
    fn new(source: &Source) -> Marks {
        let ascii = |c: char| u8::try_from(c).ok().filter(u8::is_ascii);
        Marks {
            point: ascii(source.decimal_mark).unwrap_or(b'.'),
            group: source.grouping_mark.and_then(ascii),
        }
    }

    /// `-?digits(mark digits)?` in units of 10^-scale, with at most so many digits before and behind the mark.
    #[inline]
    fn read(self, text: &[u8], whole: usize, scale: usize) -> Option<i64> {
        let unsigned = text.strip_prefix(b"-").unwrap_or(text);
        let mut units = 0_i64;
        let (mut digits, mut since, mut is_grouped) = (0, 0, false);
        let mut rest = unsigned.iter();
        let has_point = loop {
            match rest.next() {
                Some(byte) if byte.is_ascii_digit() => {
                    digits += 1;
                    if digits > whole {
                        return None;
                    }
                    since += 1;
                    units = units * 10 + i64::from(byte - b'0');
                }
                Some(byte) if *byte == self.point => break true,
                Some(byte) if Some(*byte) == self.group => {
                    let fits = if is_grouped {
                        since == 3
                    } else {
                        (1..=3).contains(&since)
                    };
                    if !fits {
                        return None;
                    }
                    (since, is_grouped) = (0, true);
                }
                Some(_) => return None,
                None => break false,
            }
        };
        let fraction = rest.as_slice();
        if digits == 0 || (is_grouped && since != 3) || (has_point && fraction.is_empty()) || fraction.len() > scale {
            return None;
        }
        for byte in fraction {
            if !byte.is_ascii_digit() {
                return None;
            }
            units = units * 10 + i64::from(byte - b'0');
        }
        units *= POWERS[scale - fraction.len()];
        Some(if unsigned.len() == text.len() { units } else { -units })
    }
}

/// Offsets of a zone by local hour, where the whole hour has one.
struct Hours {
    zone: Zone,
    /// Hour since 1970-01-01T00:00 and offset in microseconds.
    known: Vec<(i64, i64)>,
}

impl Hours {
    const SLOTS: i64 = 1024;

    fn new(zone: Zone) -> Hours {
        Hours {
            zone,
            known: (0..Hours::SLOTS).map(|_| (i64::MIN, 0)).collect(),
        }
    }

    /// A local time as an instant; `None` near a change of the clocks.
    fn micros(&mut self, (days, seconds): (i32, i32)) -> Option<i64> {
        let local = i64::from(days) * DAY_SECONDS + i64::from(seconds);
        let hour = local.div_euclid(3600);
        let slot = usize::try_from(hour.rem_euclid(Hours::SLOTS)).ok()?;
        if self.known[slot].0 != hour {
            self.known[slot] = (hour, self.offset(hour)?);
        }
        Some(local * SECOND_MICROS - self.known[slot].1)
    }

    /// Local time minus UTC, if the first and the last moment of the hour and of both beside it agree.
    fn offset(&self, hour: i64) -> Option<i64> {
        let offset = |second: i64| {
            let local = chrono::DateTime::from_timestamp(second, 0)?.naive_utc();
            if local.year() > LAST_ZONED_YEAR {
                return None;
            }
            let first = self.zone.resolve(local, true).ok()?;
            let last = self.zone.resolve(local, false).ok()?;
            (first == last).then(|| second * SECOND_MICROS - first.micros())
        };
        let first = offset(hour * 3600)?;
        let moments = [-3600, -1, 3599, 3600, 7199];
        let agrees = moments.iter().all(|by| offset(hour * 3600 + by) == Some(first));
        agrees.then_some(first)
    }
}

#[cfg(test)]
#[path = "quick_tests.rs"]
mod tests;
