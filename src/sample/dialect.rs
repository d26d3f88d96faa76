//! How a region writes its files, and one row in the making.
//!
//! Duty: values as the bytes of a dialect. Not its duty: what the values are, and where the bytes go (`table`).

use std::fmt;
use std::io::Write as _;

use chrono::Datelike;

use super::calendar::{Moment, santiago_offset_hours};
use super::partners::Region;
use crate::domain::Date;

/// Who writes: the vendor's own systems strictly, each region in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// UTF-8, comma, ISO dates, point, instants in UTC.
    Strict,
    /// Semicolon, decimal comma, thousands points, `31.12.2026`, local times of Berlin, `N/A` and `-` for nothing.
    Emea,
    /// Strict with a byte-order mark, and `yes` and `no`.
    Apac,
    /// JSON Lines in place of CSV, with `yes` and `no`.
    ApacJson,
    /// CRLF, `12/31/2026`, instants with an offset, `?` for nothing.
    Latam,
}

impl Dialect {
    pub(super) fn delimiter(self) -> u8 {
        if self == Dialect::Emea { b';' } else { b',' }
    }

    pub(super) fn line_end(self) -> &'static [u8] {
        if self == Dialect::Latam { b"\r\n" } else { b"\n" }
    }

    pub(super) fn is_json(self) -> bool {
        self == Dialect::ApacJson
    }

    /// Of a region's feed.
    pub(super) fn of(region: Region, feed: &str) -> Dialect {
        match region {
            Region::Emea => Dialect::Emea,
            Region::Apac if feed == "deliveries" => Dialect::ApacJson,
            Region::Apac => Dialect::Apac,
            Region::Latam => Dialect::Latam,
        }
    }
}

/// A row in the making: its bytes without a line end, and where each value stands in them.
#[derive(Debug)]
pub(super) struct Row {
    dialect: Dialect,
    header: &'static [&'static str],
    bytes: Vec<u8>,
    values: Vec<(usize, usize)>,
    /// Sum of the amounts given to `net`, in ten-thousandths.
    net_total: i128,
}

impl Row {
    pub(super) fn new(dialect: Dialect, header: &'static [&'static str]) -> Row {
        Row {
            dialect,
            header,
            bytes: Vec::with_capacity(512),
            values: Vec::with_capacity(24),
            net_total: 0,
        }
    }

    pub(super) fn header(&self) -> &'static [&'static str] {
        self.header
    }

    pub(super) fn net_total(&self) -> i128 {
        self.net_total
    }

    /// The finished row; it has as many values as the header has names.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.values.clear();
    }

    pub(super) fn finish(&mut self) {
        debug_assert_eq!(
            self.values.len(),
            self.header.len(),
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        if self.dialect.is_json() {
            self.bytes.push(b'}');
        }
    }

    /// The values as they stand in the row, quotes included.
    pub(super) fn raw_values(&self) -> Vec<Vec<u8>> {
        self.values
            .iter()
            .map(|(from, to)| self.bytes[*from..*to].to_vec())
            .collect()
    }

    fn value(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> &mut Row {
        let first = self.values.is_empty();
        if self.dialect.is_json() {
            self.bytes.push(if first { b'{' } else { b',' });
            let name = self.header.get(self.values.len()).copied().unwrap_or_default();
            put(&mut self.bytes, format_args!("\"{name}\":"));
        } else if !first {
            self.bytes.push(self.dialect.delimiter());
        }
        let from = self.bytes.len();
        write(&mut self.bytes);
        self.values.push((from, self.bytes.len()));
        self
    }

    /// Words that need no quoting in CSV: identifiers, codes.
    pub(super) fn code(&mut self, code: fmt::Arguments<'_>) -> &mut Row {
        let json = self.dialect.is_json();
        self.value(|bytes| {
            if json {
                put(bytes, format_args!("\"{code}\""));
            } else {
                put(bytes, code);
            }
        })
    }

    pub(super) fn word(&mut self, word: &str) -> &mut Row {
        if word.is_empty() {
            self.null()
        } else {
            self.code(format_args!("{word}"))
        }
    }

    /// Free text, quoted where the dialect needs it; empty text is nothing.
    pub(super) fn text(&mut self, text: &str) -> &mut Row {
        if text.is_empty() {
            return self.null();
        }
        let dialect = self.dialect;
        self.value(|bytes| quoted(bytes, text, dialect))
    }

    pub(super) fn null(&mut self) -> &mut Row {
        // two words for nothing, by place in the row, so that both occur
        let odd = self.values.len() % 2 == 1;
        let word: &[u8] = match self.dialect {
            Dialect::Strict | Dialect::Apac => b"",
            Dialect::ApacJson => b"null",
            Dialect::Emea if odd => b"-",
            Dialect::Emea => b"N/A",
            Dialect::Latam => b"?",
        };
        self.value(|bytes| bytes.extend_from_slice(word))
    }

    pub(super) fn int(&mut self, number: i64) -> &mut Row {
        self.value(|bytes| put(bytes, format_args!("{number}")))
    }

    /// `number` of units of 10^-`scale`, such as 20 and 4 for 0.0020.
    pub(super) fn decimal(&mut self, number: i64, scale: u32) -> &mut Row {
        let dialect = self.dialect;
        self.value(|bytes| put_decimal(bytes, i128::from(number), scale, dialect, false))
    }

    /// An amount in minor units of its currency, with thousands points where the region writes them.
    pub(super) fn amount(&mut self, minor: i64, digits: u32) -> &mut Row {
        let dialect = self.dialect;
        self.value(|bytes| put_decimal(bytes, i128::from(minor), digits, dialect, true))
    }

    /// An amount that the totals row adds up.
    pub(super) fn net(&mut self, minor: i64, digits: u32) -> &mut Row {
        self.net_total += i128::from(minor) * 10_i128.pow(4_u32.saturating_sub(digits));
        self.amount(minor, digits)
    }

    pub(super) fn boolean(&mut self, yes: bool) -> &mut Row {
        let word = match (self.dialect, yes) {
            (Dialect::Apac, true) => "yes",
            (Dialect::Apac, false) => "no",
            (Dialect::ApacJson, true) => "\"yes\"",
            (Dialect::ApacJson, false) => "\"no\"",
            (_, true) => "true",
            (_, false) => "false",
        };
        self.value(|bytes| bytes.extend_from_slice(word.as_bytes()))
    }

    pub(super) fn date(&mut self, date: Date) -> &mut Row {
        let (y, m, d) = (date.year(), date.month(), date.day());
        match self.dialect {
            Dialect::Emea => self.code(format_args!("{d:02}.{m:02}.{y:04}")),
            Dialect::Latam => self.code(format_args!("{m:02}/{d:02}/{y:04}")),
            _ => self.code(format_args!("{y:04}-{m:02}-{d:02}")),
        }
    }

    pub(super) fn date_or_null(&mut self, date: Option<Date>) -> &mut Row {
        match date {
            Some(date) => self.date(date),
            None => self.null(),
        }
    }

    /// A local moment of the region; strict rows hold UTC already.
    pub(super) fn instant(&mut self, at: Moment) -> &mut Row {
        let at = if matches!(self.dialect, Dialect::Apac | Dialect::ApacJson) {
            at.shifted(-8 * 60)
        } else {
            at
        };
        let (y, mo, d) = (at.day.year(), at.day.month(), at.day.day());
        let (h, m) = (at.minute / 60, at.minute % 60);
        match self.dialect {
            Dialect::Emea => self.code(format_args!("{d:02}.{mo:02}.{y:04} {h:02}:{m:02}")),
            Dialect::Latam => {
                let offset = -santiago_offset_hours(at.day);
                self.code(format_args!("{y:04}-{mo:02}-{d:02}T{h:02}:{m:02}:00-{offset:02}:00"))
            }
            _ => self.code(format_args!("{y:04}-{mo:02}-{d:02}T{h:02}:{m:02}:00Z")),
        }
    }

    pub(super) fn instant_or_null(&mut self, at: Option<Moment>) -> &mut Row {
        match at {
            Some(at) => self.instant(at),
            None => self.null(),
        }
    }
}

fn put(bytes: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // writing to a vector cannot fail
    let _ = bytes.write_fmt(text);
}

fn quoted(bytes: &mut Vec<u8>, text: &str, dialect: Dialect) {
    if dialect.is_json() {
        bytes.push(b'"');
        for c in text.chars() {
            match c {
                '"' => bytes.extend_from_slice(b"\\\""),
                '\\' => bytes.extend_from_slice(b"\\\\"),
                c if c.is_control() => put(bytes, format_args!("\\u{:04x}", c as u32)),
                c => put(bytes, format_args!("{c}")),
            }
        }
        bytes.push(b'"');
        return;
    }
    let delimiter = char::from(dialect.delimiter());
    if text.contains(['"', '\n', '\r', delimiter]) {
        put(bytes, format_args!("\"{}\"", text.replace('"', "\"\"")));
    } else {
        bytes.extend_from_slice(text.as_bytes());
    }
}

/// Writes `number`·10^-`scale` with the marks of a dialect.
pub(super) fn put_decimal(bytes: &mut Vec<u8>, number: i128, scale: u32, dialect: Dialect, grouped: bool) {
    let (decimal_mark, group_mark) = if dialect == Dialect::Emea {
        (b',', Some(b'.'))
    } else {
        (b'.', None)
    };
    if number < 0 {
        bytes.push(b'-');
    }
    let unit = 10_u128.pow(scale);
    let (whole, part) = (number.unsigned_abs() / unit, number.unsigned_abs() % unit);
    match group_mark {
        Some(mark) if grouped && whole >= 1000 => {
            let digits = whole.to_string();
            for (i, digit) in digits.bytes().enumerate() {
                if i > 0 && (digits.len() - i) % 3 == 0 {
                    bytes.push(mark);
                }
                bytes.push(digit);
            }
        }
        _ => put(bytes, format_args!("{whole}")),
    }
    if scale > 0 {
        bytes.push(decimal_mark);
        let width = usize::try_from(scale).unwrap_or(0);
        put(bytes, format_args!("{part:0width$}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::calendar::day;
    use super::*;

    fn written(dialect: Dialect, fill: impl FnOnce(&mut Row)) -> String {
        let mut row = Row::new(dialect, &["a", "b", "c", "d"]);
        fill(&mut row);
        row.finish();
        String::from_utf8(row.bytes().to_vec()).unwrap()
    }

    fn sample(row: &mut Row) {
        let at = Moment::new(day(2026, 7, 1), 7 * 60 + 5);
        row.text("a \"b\"; c,")
            .amount(-123_456_789, 2)
            .instant(at)
            .boolean(true);
    }

    #[test]
    fn every_dialect_writes_in_its_way() {
        assert_eq!(
            written(Dialect::Strict, sample),
            "\"a \"\"b\"\"; c,\",-1234567.89,2026-07-01T07:05:00Z,true"
        );
        assert_eq!(
            written(Dialect::Emea, sample),
            "\"a \"\"b\"\"; c,\";-1.234.567,89;01.07.2026 07:05;true"
        );
        assert_eq!(
            written(Dialect::Apac, sample),
            "\"a \"\"b\"\"; c,\",-1234567.89,2026-06-30T23:05:00Z,yes"
        );
        assert_eq!(
            written(Dialect::ApacJson, sample),
            r#"{"a":"a \"b\"; c,","b":-1234567.89,"c":"2026-06-30T23:05:00Z","d":"yes"}"#
        );
        assert_eq!(
            written(Dialect::Latam, sample),
            "\"a \"\"b\"\"; c,\",-1234567.89,2026-07-01T07:05:00-04:00,true"
        );
    }

    #[test]
    fn nothing_and_small_numbers() {
        let fill = |row: &mut Row| {
            row.null().null().decimal(-20, 4).date(day(2026, 12, 31));
        };
        assert_eq!(written(Dialect::Emea, fill), "N/A;-;-0,0020;31.12.2026");
        assert_eq!(written(Dialect::Latam, fill), "?,?,-0.0020,12/31/2026");
        assert_eq!(written(Dialect::Strict, fill), ",,-0.0020,2026-12-31");
    }
}
