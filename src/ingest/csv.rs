//! Strict records of delimited text.
//!
//! Duty: bytes to records with their physical line and raw text; what is not well-formed is a fault of that one
//! record, and nothing after it is swallowed. Not its duty: headers, widths, types, decoding other than UTF-8.
//!
//! A record ends at LF, CRLF or CR. A quote opens only at the start of a field; inside, a doubled quote is a quote and
//! line breaks are text. Empty lines are no records. A record with a stray or unclosed quote ends at the end of the
//! line on which that quote stands, and reading goes on after it.

use std::io::{self, BufRead};

use memchr::{memchr, memchr3};

use super::fault::Fault;
use super::limits::{MAX_COLUMNS, MAX_FIELD_BYTES, MAX_RECORD_BYTES};
use super::window::{Window, count_breaks, without_break};

/// How fields are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    pub delimiter: u8,
    /// `None`: a quote is a character like others.
    pub quote: Option<u8>,
}

/// One record; reused from record to record.
#[derive(Debug, Default)]
pub struct Record {
    /// Physical line, from 1, on which the record begins.
    pub line: u64,
    /// Bytes as received without the line break at the end, at most [`MAX_RECORD_BYTES`].
    pub raw: Vec<u8>,
    text: String,
    ends: Vec<usize>,
}

impl Record {
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.ends.len()).map(|i| &self.text[self.start(i)..self.ends[i]])
    }

    pub fn get(&self, index: usize) -> Option<&str> {
        self.ends.get(index).map(|end| &self.text[self.start(index)..*end])
    }

    pub fn width(&self) -> usize {
        self.ends.len()
    }

    /// Fields stand one byte apart.
    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] + 1 }
    }
}

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Record,
    /// A record that is none; its line and raw text stand in the record given.
    Fault(Fault),
    End,
}

/// Reads records from a window.
pub struct Reader<R> {
    pub window: Window<R>,
    dialect: Dialect,
}

enum Scan {
    /// A whole record of so many bytes with its line break.
    Record(usize),
    /// The record goes on behind the bytes; the position is where its last quote opened, or its last field.
    More(usize),
    /// Not well-formed: the position decides the line at whose end the record is given up.
    Broken(usize, Broken),
}

enum Broken {
    Stray,
    AfterQuote,
    Open,
    Field,
    Columns,
}

impl<R: BufRead> Reader<R> {
    pub fn new(window: Window<R>, dialect: Dialect) -> Reader<R> {
        Reader { window, dialect }
    }

    /// The next record, its fault, or the end. An error is one of the input.
    pub fn next(&mut self, record: &mut Record) -> io::Result<Next> {
        self.window.skip_empty_lines()?;
        record.line = self.window.line();
        loop {
            if self.window.bytes().is_empty() && !self.window.grow()? {
                return Ok(Next::End);
            }
            let held = self.window.bytes();
            let bytes = &held[..held.len().min(MAX_RECORD_BYTES)];
            let whole = self.window.ended() && bytes.len() == held.len();
            match scan(bytes, whole, self.dialect, record) {
                Scan::Record(length) => return Ok(self.finish(length, record)),
                Scan::More(at) if bytes.len() == MAX_RECORD_BYTES => {
                    let reason = format!("is longer than {MAX_RECORD_BYTES} bytes");
                    let fault = Fault::new(
                        "record.size",
                        reason,
                        "split the record, or close the quote that opens in it",
                    );
                    return self.give_up(at, fault, record);
                }
                Scan::More(_) => {
                    self.window.grow()?;
                }
                Scan::Broken(at, broken) => {
                    let line = self.window.line() + count_breaks(&bytes[..at]);
                    return self.give_up(at, broken.fault(line), record);
                }
            }
        }
    }

    fn finish(&mut self, length: usize, record: &mut Record) -> Next {
        let offset = self.window.offset();
        record.raw.clear();
        record
            .raw
            .extend_from_slice(without_break(&self.window.bytes()[..length]));
        self.window.advance(length);
        match byte_fault(&record.raw, offset) {
            Some(fault) => Next::Fault(fault),
            None => Next::Record,
        }
    }

    /// Rejects up to the end of the line that holds position `at`.
    fn give_up(&mut self, at: usize, fault: Fault, record: &mut Record) -> io::Result<Next> {
        record.ends.clear();
        let end = self.window.line_end(at, MAX_RECORD_BYTES)?;
        let held = self.window.bytes();
        record.raw.clear();
        record
            .raw
            .extend_from_slice(without_break(&held[..end.unwrap_or(held.len()).min(MAX_RECORD_BYTES)]));
        if let Some(end) = end {
            self.window.advance(end);
        } else {
            // the lines before it lie within what is held; the rest of this one may not
            self.window.advance(at);
            self.window.discard_line()?;
        }
        Ok(Next::Fault(fault))
    }
}

impl Broken {
    fn fault(&self, line: u64) -> Fault {
        let quoting = "put the whole field into quotes and double the quotes inside it";
        match self {
            Broken::Stray => Fault::new(
                "record.quote",
                format!("a quote stands inside a field that does not begin with one (line {line})"),
                quoting,
            ),
            Broken::AfterQuote => Fault::new(
                "record.quote",
                format!("the quote that opened on line {line} is followed, where it closes, by more text"),
                quoting,
            ),
            Broken::Open => Fault::new(
                "record.quote_open",
                format!(
                    "the quote that opened on line {line} is not closed within {MAX_FIELD_BYTES} bytes or the file"
                ),
                "close the quote; reading went on with the line after it",
            ),
            Broken::Field => Fault::new(
                "record.field_size",
                format!("a field on line {line} is longer than {MAX_FIELD_BYTES} bytes"),
                "shorten the field, or check the delimiter and the line ends",
            ),
            Broken::Columns => Fault::new(
                "record.columns",
                format!("line {line} has more than {MAX_COLUMNS} fields"),
                "check the delimiter and the line ends",
            ),
        }
    }
}

/// Bytes that no text may hold: NUL, and what is not UTF-8. `offset` is that of the record in the file.
pub fn byte_fault(raw: &[u8], offset: u64) -> Option<Fault> {
    if let Err(error) = std::str::from_utf8(raw) {
        let at = error.valid_up_to();
        let reason = format!(
            "byte {} of the file (0x{:02X}) is not UTF-8",
            offset + at as u64,
            raw[at]
        );
        return Some(Fault::new("record.encoding", reason, "deliver the file as UTF-8"));
    }
    let at = memchr(0, raw)?;
    let reason = format!("byte {} of the file is NUL", offset + at as u64);
    Some(Fault::new("record.nul", reason, "remove the NUL byte; text holds none"))
}

/// Finds one record at the start of `bytes` and puts its fields into `record`; `whole` says that the file ends with them.
fn scan(bytes: &[u8], whole: bool, dialect: Dialect, record: &mut Record) -> Scan {
    let mut text = std::mem::take(&mut record.text).into_bytes();
    text.clear();
    record.ends.clear();
    let result = scan_fields(bytes, whole, dialect, &mut text, &mut record.ends);
    // fields are kept apart by a byte, so that two halves of a character never meet; what is not UTF-8 is rejected by
    // `byte_fault`, which looks at the raw bytes
    record.text = String::from_utf8(text).unwrap_or_else(|_| {
        record.ends.clear();
        String::new()
    });
    result
}

fn scan_fields(bytes: &[u8], whole: bool, dialect: Dialect, text: &mut Vec<u8>, ends: &mut Vec<usize>) -> Scan {
    let mut position = 0;
    loop {
        if ends.len() == MAX_COLUMNS {
            return Scan::Broken(position, Broken::Columns);
        }
        let field = if dialect.quote.is_some() && bytes.get(position) == dialect.quote.as_ref() {
            quoted(bytes, position, whole, dialect, text)
        } else {
            plain(bytes, position, whole, dialect, text)
        };
        let end = match field {
            Ok(end) => end,
            Err(stop) => return stop,
        };
        ends.push(text.len());
        text.push(b'\n');
        match bytes.get(end) {
            None => return Scan::Record(end),
            Some(byte) if *byte == dialect.delimiter => position = end + 1,
            Some(b'\r') if end + 1 == bytes.len() && !whole => return Scan::More(end),
            Some(_) => return Scan::Record(end + 1 + usize::from(bytes[end..].starts_with(b"\r\n"))),
        }
    }
}

/// A field without quotes from `start`; returns where it ends: at a delimiter, a line break or the end of the file.
fn plain(bytes: &[u8], start: usize, whole: bool, dialect: Dialect, text: &mut Vec<u8>) -> Result<usize, Scan> {
    let found = memchr3(dialect.delimiter, b'\n', b'\r', &bytes[start..]);
    let field = &bytes[start..found.map_or(bytes.len(), |length| start + length)];
    if let Some(quote) = dialect.quote.and_then(|quote| memchr(quote, field)) {
        return Err(Scan::Broken(start + quote, Broken::Stray));
    }
    if field.len() > MAX_FIELD_BYTES {
        return Err(Scan::Broken(start, Broken::Field));
    }
    if found.is_none() && !whole {
        return Err(Scan::More(start));
    }
    text.extend_from_slice(field);
    Ok(start + field.len())
}

/// A field in quotes that opens at `open`; returns where it ends, behind the closing quote.
fn quoted(bytes: &[u8], open: usize, whole: bool, dialect: Dialect, text: &mut Vec<u8>) -> Result<usize, Scan> {
    let quote = bytes[open];
    let mut from = open + 1;
    loop {
        let Some(length) = memchr(quote, &bytes[from..]) else {
            let too_long = bytes.len() - open > MAX_FIELD_BYTES;
            return Err(if whole || too_long {
                Scan::Broken(open, Broken::Open)
            } else {
                Scan::More(open)
            });
        };
        let at = from + length;
        if at - open > MAX_FIELD_BYTES {
            return Err(Scan::Broken(open, Broken::Open));
        }
        text.extend_from_slice(&bytes[from..at]);
        match bytes.get(at + 1) {
            Some(next) if *next == quote => {
                text.push(quote);
                from = at + 2;
            }
            Some(next) if *next == dialect.delimiter || matches!(*next, b'\n' | b'\r') => return Ok(at + 1),
            Some(_) => return Err(Scan::Broken(open, Broken::AfterQuote)),
            None if whole => return Ok(at + 1),
            None => return Err(Scan::More(open)),
        }
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
