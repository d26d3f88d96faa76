//! Texts of a file to typed values of a contract, as a source declares.
//!
//! Duty: trimming, value maps, null tokens, strict grammars, plausible dates, then the contract's own rules. Not its
//! duty: records, headers, checks across columns. Nothing is guessed, rounded or repaired.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDateTime};

use super::fault::{Fault, code_point, shown};
use super::formats::Pattern;
use super::limits::{LAST_ZONED_YEAR, PLAUSIBLE_YEARS};
use super::source::{Overlap, Source, data_columns};
use crate::contracts::model::{Column, ColumnType};
use crate::contracts::{Contract, check};
use crate::domain::decimal::DecError;
use crate::domain::table::Value;
use crate::domain::time::{TimeError, parse_date};
use crate::domain::{Cell, Date, Dec, Instant, Zone};

/// How the texts of one source become values of one contract.
pub struct Reading<'a> {
    source: &'a Source,
    columns: &'a [Column],
    maps: Vec<Option<&'a BTreeMap<String, String>>>,
    /// The feed holds personal data, so that a reason shows only values that look like numbers or dates.
    personal: bool,
}

impl<'a> Reading<'a> {
    pub fn new(source: &'a Source, contract: &'a Contract) -> Reading<'a> {
        let columns = data_columns(contract);
        let maps = columns.iter().map(|c| source.values.get(&c.name)).collect();
        Reading {
            source,
            columns,
            maps,
            personal: columns.iter().any(|c| c.personal),
        }
    }

    /// The cell of a delivered column (index in the contract) from its text, and whether blanks stood around it.
    pub fn cell<'t>(&self, index: usize, text: &'t str) -> Result<(Cell<'t>, bool), Fault>
    where
        'a: 't,
    {
        let trimmed = text.trim();
        let mapped = self.maps[index]
            .and_then(|map| map.get(trimmed))
            .map_or(trimmed, String::as_str);
        let cell = self.mapped_cell(index, mapped)?;
        Ok((cell, trimmed.len() != text.len()))
    }

    /// The value of a column from a text that no value map has to change any more.
    pub fn mapped(&self, index: usize, text: &str) -> Result<Value, Fault> {
        self.mapped_cell(index, text).map(Cell::value)
    }

    fn mapped_cell<'t>(&self, index: usize, text: &'t str) -> Result<Cell<'t>, Fault> {
        let column = &self.columns[index];
        if text.is_empty() || self.source.null_tokens.contains(text) {
            if column.required {
                let reason = if text.is_empty() {
                    "is blank".to_owned()
                } else {
                    format!("is the null {}", shown(text))
                };
                return Err(Fault::new(
                    "value.required",
                    reason,
                    "deliver a value: the column must have one",
                ));
            }
            return Ok(Cell::Null);
        }
        let cell = self.typed(column, text)?;
        check::cell(column, cell).map_err(|violation| self.violation(violation, text))?;
        Ok(cell)
    }

    /// Whether a value map of the source changes texts of the column.
    pub(super) fn is_mapped(&self, index: usize) -> bool {
        self.maps[index].is_some()
    }

    /// A violation of the contract as a fault; what it says about a text that may be personal is left out.
    pub fn violation(&self, violation: check::Violation, text: &str) -> Fault {
        let reason = if self.may_show(text) {
            violation.message
        } else {
            "breaks the rule of the contract".to_owned()
        };
        Fault {
            rule: Cow::Owned(format!("value.{}", violation.rule)),
            reason,
            remedy: violation.remedy,
        }
    }

    fn may_show(&self, text: &str) -> bool {
        !self.personal || text.chars().all(|c| c.is_ascii_digit() || ".,:+-/TZ ".contains(c))
    }

    /// A text for a message, if it may be shown.
    pub(super) fn shown(&self, text: &str) -> Cow<'static, str> {
        if self.may_show(text) {
            Cow::Owned(shown(text))
        } else {
            Cow::Borrowed("the value")
        }
    }

    fn typed<'t>(&self, column: &Column, text: &'t str) -> Result<Cell<'t>, Fault> {
        match column.kind {
            ColumnType::Text => Ok(Cell::Text(text)),
            ColumnType::Int => self.integer(text).map(Cell::Int),
            ColumnType::Decimal { precision, scale } => self.decimal(text, precision, scale).map(Cell::Dec),
            ColumnType::Bool => self.boolean(text).map(Cell::Bool),
            ColumnType::Date => self.date(column, text).map(Cell::Date),
            ColumnType::Instant => self.instant(text).map(Cell::Instant),
        }
    }

    fn boolean(&self, text: &str) -> Result<bool, Fault> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Fault::new(
                "boolean.grammar",
                format!("{} is neither true nor false", self.shown(text)),
                "write true or false, or declare a value map in the source",
            )),
        }
    }

    fn integer(&self, text: &str) -> Result<i64, Fault> {
        let grammar = || self.number_fault("integer.grammar", text, "a whole number");
        let plain = self.plain_number(text)?.ok_or_else(grammar)?;
        if plain.contains('.') {
            return Err(grammar());
        }
        plain.parse().map_err(|_| {
            let reason = format!("{} does not fit in 64 bits", self.shown(text));
            Fault::new("integer.size", reason, "correct the value")
        })
    }

    fn decimal(&self, text: &str, precision: u8, scale: u8) -> Result<Dec, Fault> {
        let grammar = || self.number_fault("decimal.grammar", text, "a number");
        let plain = self.plain_number(text)?.ok_or_else(grammar)?;
        Dec::parse_scaled(&plain, precision, scale).map_err(|error| {
            let reason = format!("{} {error}", self.shown(text));
            match error {
                DecError::Grammar => grammar(),
                DecError::TooManyDecimals { .. } => Fault::new(
                    "decimal.scale",
                    reason,
                    "deliver the exact value: it is never rounded here",
                ),
                DecError::TooManyDigits { .. } | DecError::Overflow => {
                    Fault::new("decimal.size", reason, "correct the value")
                }
            }
        })
    }

    fn number_fault(&self, rule: &'static str, text: &str, what: &str) -> Fault {
        let point = self.source.decimal_mark;
        let form = self.source.grouping_mark.map_or(format!("-1234{point}5"), |g| {
            format!("-1{g}234{point}5 or -1234{point}5")
        });
        Fault::new(
            rule,
            format!(
                "{} is not {what} (numbers of this source look like {form})",
                self.shown(text)
            ),
            "correct the value, or declare decimal_mark and grouping_mark in the source",
        )
    }

    /// A number in the declared marks as `-1234.5`; `None` when its form is another.
    fn plain_number<'t>(&self, text: &'t str) -> Result<Option<Cow<'t, str>>, Fault> {
        if let Some(c) = text
            .chars()
            .find(|c| !c.is_ascii() && Some(*c) != self.source.grouping_mark)
        {
            let reason = format!(
                "holds {} '{c}' where only ASCII digits, minus and marks count",
                code_point(c)
            );
            return Err(Fault::new("number.character", reason, "write the number in ASCII"));
        }
        Ok(plain_number(text, self.source.decimal_mark, self.source.grouping_mark))
    }

    fn date(&self, column: &Column, text: &str) -> Result<Date, Fault> {
        let read = if self.source.date_formats.is_empty() {
            parse_date(text)
        } else {
            self.one_of(&self.source.date_formats, text, "date.ambiguous", |p| p.read_date(text))?
        };
        let date = read.ok_or_else(|| {
            let form = forms(&self.source.date_formats, "%Y-%m-%d");
            let reason = format!("{} is no date of the form {form}", self.shown(text));
            Fault::new(
                "date.grammar",
                reason,
                "correct the date, or declare date_formats in the source",
            )
        })?;
        if is_open_end(column, date) {
            Ok(date)
        } else {
            self.plausible(date, text, "date.window").map(|()| date)
        }
    }

    fn instant(&self, text: &str) -> Result<Instant, Fault> {
        let instant = if self.source.instant_formats.is_empty() {
            Instant::parse(text).map_err(|error| {
                let reason = format!("{} {error}", self.shown(text));
                Fault::new(
                    "instant.grammar",
                    reason,
                    "write an offset or Z, or declare instant_formats and time_zone",
                )
            })?
        } else {
            self.declared_instant(text)?
        };
        self.plausible(instant.utc().date_naive(), text, "instant.window")
            .map(|()| instant)
    }

    fn declared_instant(&self, text: &str) -> Result<Instant, Fault> {
        let read = self.one_of(&self.source.instant_formats, text, "instant.ambiguous", |p| {
            p.read(text)
        })?;
        let stamp = read.ok_or_else(|| {
            let form = forms(&self.source.instant_formats, "");
            let reason = format!("{} is no time of the form {form}", self.shown(text));
            Fault::new(
                "instant.grammar",
                reason,
                "correct the time, or declare instant_formats in the source",
            )
        })?;
        match (stamp.utc(), self.source.time_zone) {
            (Some(utc), _) => Ok(Instant::from_micros(utc.and_utc().timestamp_micros())),
            (None, Some(zone)) => self.local(zone, stamp.local, text),
            // a source with a format without offset has a zone: that is checked when it is read
            (None, None) => Err(Fault::new(
                "instant.zone",
                "has no offset",
                "declare time_zone in the source",
            )),
        }
    }

    fn local(&self, zone: Zone, local: NaiveDateTime, text: &str) -> Result<Instant, Fault> {
        if local.year() > LAST_ZONED_YEAR {
            let reason = format!(
                "{} is later than {LAST_ZONED_YEAR}, the last year of which it is known when clocks change",
                self.shown(text)
            );
            return Err(Fault::new(
                "instant.window",
                reason,
                "correct the time, or deliver it with its offset",
            ));
        }
        let resolve = |first| {
            zone.resolve(local, first).map_err(|error: TimeError| {
                let reason = format!("{} {error}", self.shown(text));
                Fault::new("instant.gap", reason, "correct the time, or deliver it with its offset")
            })
        };
        let (first, last) = (resolve(true)?, resolve(false)?);
        match self.source.overlap {
            Some(Overlap::First) => Ok(first),
            Some(Overlap::Last) => Ok(last),
            None if first == last => Ok(first),
            None => {
                let reason = format!(
                    "{} happens twice in {}: clocks go back over it",
                    self.shown(text),
                    zone.name()
                );
                Err(Fault::new(
                    "instant.overlap",
                    reason,
                    "declare overlap in the source, or deliver the offset",
                ))
            }
        }
    }

    /// The value that the formats agree on; `None` when none fits.
    fn one_of<T: PartialEq>(
        &self,
        patterns: &[Pattern],
        text: &str,
        rule: &'static str,
        read: impl Fn(&Pattern) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        let mut found = None;
        for value in patterns.iter().filter_map(read) {
            if found.as_ref().is_some_and(|earlier| *earlier != value) {
                let reason = format!(
                    "{} means different days by different date formats of the source",
                    self.shown(text)
                );
                return Err(Fault::new(rule, reason, "declare one format for each source"));
            }
            found = Some(value);
        }
        Ok(found)
    }

    fn plausible(&self, date: Date, text: &str, rule: &'static str) -> Result<(), Fault> {
        let (first, last) = PLAUSIBLE_YEARS;
        if (first..=last).contains(&date.year()) {
            return Ok(());
        }
        let reason = format!("{} is not from {first} to {last}", self.shown(text));
        Err(Fault::new(
            rule,
            reason,
            "correct the date; leave it blank where there is none",
        ))
    }
}

/// 9999-12-31 stands for "open" where a column says until when something holds, by the naming rule of contracts.
fn is_open_end(column: &Column, date: Date) -> bool {
    let names_an_end = ["_to", "_until", "expires_on"]
        .iter()
        .any(|end| column.name.ends_with(end));
    names_an_end && (date.year(), date.month(), date.day()) == (9999, 12, 31)
}

fn forms(patterns: &[Pattern], default: &str) -> String {
    if patterns.is_empty() {
        return default.to_owned();
    }
    patterns.iter().map(Pattern::text).collect::<Vec<_>>().join(" or ")
}

/// `-?digits(mark digits)?` with grouping marks only between groups of three, as `-1234.5`; `None` is another form.
fn plain_number(text: &str, decimal_mark: char, grouping_mark: Option<char>) -> Option<Cow<'_, str>> {
    let is_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once(decimal_mark) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    if !fraction.is_none_or(is_digits) {
        return None;
    }
    if is_digits(whole) {
        return Some(if decimal_mark == '.' {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(text.replace(decimal_mark, "."))
        });
    }
    let mut groups = whole.split(grouping_mark?);
    let first = groups.next()?;
    if !(is_digits(first) && first.len() <= 3 && groups.all(|g| is_digits(g) && g.len() == 3)) {
        return None;
    }
    let sign = if unsigned.len() == text.len() { "" } else { "-" };
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    Some(Cow::Owned(
        fraction.map_or(format!("{sign}{digits}"), |f| format!("{sign}{digits}.{f}")),
    ))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
