//! Strict records of delimited text.
//!
//! Duty: bytes to records with their physical line and raw text; what is not well-formed is a fault of that one
//! record, and nothing after it is swallowed. Not its duty: headers, widths, types, decoding other than UTF-8.
//!
//! A record ends at LF, CRLF or CR. A quote opens only at the start of a field; inside, a doubled quote is a quote and
//! line breaks are text. Where an escape is declared, it makes a quote or an escape behind it text, inside quotes only;
//! before anything else it is a character like others. Empty lines are no records. A record with a stray or unclosed
//! quote ends at the end of the line on which that quote stands, and reading goes on after it.

use std::io::{self, Read};

use memchr::{memchr, memchr2, memchr3};

use super::decode::Malformed;
use super::fault::Fault;
use super::limits::{MAX_COLUMNS, MAX_FIELD_BYTES, MAX_RECORD_BYTES};
use super::plain_lines::{Marks, plain_line};
use super::window::{Window, count_breaks, without_break};

/// How fields are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    pub delimiter: u8,
    /// `None`: a quote is a character like others.
    pub quote: Option<u8>,
    /// Inside quotes.
    pub escape: Option<u8>,
}

/// Where a text stands: in the record, or among the texts that had to be put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// Mark of a span among the texts put together: records are shorter.
const ASIDE: u32 = 1 << 31;

impl Span {
    #[inline]
    pub(super) fn new(start: usize, end: usize) -> Span {
        // both are below MAX_RECORD_BYTES
        let short = |at: usize| u32::try_from(at).unwrap_or(ASIDE - 1);
        Span {
            start: short(start),
            end: short(end),
        }
    }

    pub(super) fn aside(start: usize, end: usize) -> Span {
        let span = Span::new(start, end);
        Span {
            start: span.start | ASIDE,
            ..span
        }
    }

    #[inline]
    pub(super) fn of<'a>(self, record: &'a str, aside: &'a str) -> &'a str {
        let (text, start) = if self.start & ASIDE == 0 {
            (record, self.start)
        } else {
            (aside, self.start ^ ASIDE)
        };
        &text[start as usize..self.end as usize]
    }
}

/// One record, borrowed until the next is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Physical line, from 1, on which the record begins.
    pub line: u64,
    /// As received, without the line break at the end, at most [`MAX_RECORD_BYTES`].
    pub raw: &'a str,
    aside: &'a str,
    spans: &'a [Span],
}

impl<'a> Record<'a> {
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &'a str> {
        let (raw, aside) = (self.raw, self.aside);
        self.spans.iter().map(move |span| span.of(raw, aside))
    }

    #[inline]
    pub fn get(&self, index: usize) -> Option<&'a str> {
        self.spans.get(index).map(|span| span.of(self.raw, self.aside))
    }

    pub fn width(&self) -> usize {
        self.spans.len()
    }
}

/// What came next: a record of some format, or what should have been one.
#[derive(Debug)]
pub enum Next<'a, R> {
    Record(R),
    /// A record that is none: its line, and its bytes as received.
    Fault(u64, &'a [u8], Fault),
    End,
}

/// Reads records from a window.
pub struct Reader<R> {
    pub window: Window<R>,
    dialect: Dialect,
    marks: Marks,
    malformed: Malformed,
    spans: Vec<Span>,
    /// Fields that are not in the record as they are meant; each ends with a byte that keeps it from the next.
    aside: Vec<u8>,
    given: Given,
}

/// What of the window was given out, and is to be passed over before anything else.
enum Given {
    Nothing,
    Bytes {
        count: usize,
        lines: u64,
    },
    /// So many bytes, and then the rest of their line.
    Line(usize),
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

/// A record found in the window, or given up.
enum Found {
    Record { raw: usize },
    Fault { raw: usize, fault: Fault },
    End,
}

impl<R: Read> Reader<R> {
    pub fn new(window: Window<R>, dialect: Dialect, malformed: Malformed) -> Reader<R> {
        Reader {
            window,
            dialect,
            marks: Marks::new(dialect),
            malformed,
            spans: Vec::new(),
            aside: Vec::new(),
            given: Given::Nothing,
        }
    }

    /// The next record, its fault, or the end. An error is one of the input.
    pub fn next_record(&mut self) -> io::Result<Next<'_, Record<'_>>> {
        match std::mem::replace(&mut self.given, Given::Nothing) {
            Given::Nothing => {}
            Given::Bytes { count, lines } => self.window.pass(count, lines),
            Given::Line(count) => {
                self.window.advance(count);
                self.window.discard_line()?;
            }
        }
        self.window.skip_empty_lines()?;
        let found = self.find()?;
        let line = self.window.line();
        let offset = self.window.offset();
        let bytes = self.window.bytes();
        match found {
            Found::End => Ok(Next::End),
            Found::Fault { raw, fault } => Ok(Next::Fault(line, &bytes[..raw], fault)),
            Found::Record { raw } => {
                let raw = &bytes[..raw];
                // what is put aside is made of whole fields of the record
                match (text_of(raw), std::str::from_utf8(&self.aside)) {
                    (Ok(text), Ok(aside)) => Ok(Next::Record(Record {
                        line,
                        raw: text,
                        aside,
                        spans: &self.spans,
                    })),
                    (bad, _) => {
                        let at = bad.err().unwrap_or_default();
                        Ok(Next::Fault(line, raw, byte_fault(raw, at, offset, &self.malformed)))
                    }
                }
            }
        }
    }

    fn find(&mut self) -> io::Result<Found> {
        loop {
            if self.window.bytes().is_empty() && !self.window.grow()? {
                return Ok(Found::End);
            }
            let held = self.window.bytes();
            let bytes = &held[..held.len().min(MAX_RECORD_BYTES)];
            self.spans.clear();
            self.aside.clear();
            if let Some((raw, length)) = plain_line(bytes, self.marks, &mut self.spans) {
                self.given = Given::Bytes {
                    count: length,
                    lines: 1,
                };
                return Ok(Found::Record { raw });
            }
            self.spans.clear();
            let whole = self.window.ended() && bytes.len() == held.len();
            match scan(bytes, whole, self.dialect, &mut self.aside, &mut self.spans) {
                Scan::Record(length) => {
                    let lines = count_breaks(&bytes[..length]);
                    self.given = Given::Bytes { count: length, lines };
                    let raw = without_break(&bytes[..length]).len();
                    return Ok(Found::Record { raw });
                }
                Scan::More(at) if bytes.len() == MAX_RECORD_BYTES => {
                    let reason = format!("is longer than {MAX_RECORD_BYTES} bytes");
                    let fault = Fault::new(
                        "record.size",
                        reason,
                        "split the record, or close the quote that opens in it",
                    );
                    return self.give_up(at, fault);
                }
                Scan::More(_) => {
                    self.window.grow()?;
                }
                Scan::Broken(at, broken) => {
                    let line = self.window.line() + count_breaks(&bytes[..at]);
                    return self.give_up(at, broken.fault(line));
                }
            }
        }
    }

    /// Rejects up to the end of the line that holds position `at`.
    fn give_up(&mut self, at: usize, fault: Fault) -> io::Result<Found> {
        let end = self.window.line_end(at, MAX_RECORD_BYTES)?;
        let held = self.window.bytes();
        let raw = without_break(&held[..end.unwrap_or(held.len()).min(MAX_RECORD_BYTES)]).len();
        self.given = match end {
            Some(count) => Given::Bytes {
                count,
                lines: count_breaks(&held[..count]),
            },
            // the lines before it lie within what is held; the rest of this one may not
            None => Given::Line(at),
        };
        Ok(Found::Fault { raw, fault })
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

/// A record as text, or the position of the first byte that no text may hold: malformed UTF-8, or else NUL.
pub(super) fn text_of(raw: &[u8]) -> Result<&str, usize> {
    let text = std::str::from_utf8(raw).map_err(|error| error.valid_up_to())?;
    memchr(0, raw).map_or(Ok(text), Err)
}

/// The fault of a record with such a byte; `offset` is that of the record in the text.
pub(super) fn byte_fault(raw: &[u8], at: usize, offset: u64, malformed: &Malformed) -> Fault {
    malformed.fault(offset + at as u64, raw.get(at).copied().unwrap_or_default())
}

/// Finds one record at the start of `bytes`; `whole` says that the file ends with them.
fn scan(bytes: &[u8], whole: bool, dialect: Dialect, aside: &mut Vec<u8>, spans: &mut Vec<Span>) -> Scan {
    let mut position = 0;
    loop {
        if spans.len() == MAX_COLUMNS {
            return Scan::Broken(position, Broken::Columns);
        }
        let field = if dialect.quote.is_some() && bytes.get(position) == dialect.quote.as_ref() {
            quoted(bytes, position, whole, dialect, aside)
        } else {
            plain(bytes, position, whole, dialect)
        };
        let (span, end) = match field {
            Ok(field) => field,
            Err(stop) => return stop,
        };
        spans.push(span);
        match bytes.get(end) {
            None => return Scan::Record(end),
            Some(byte) if *byte == dialect.delimiter => position = end + 1,
            Some(b'\r') if end + 1 == bytes.len() && !whole => return Scan::More(end),
            Some(_) => return Scan::Record(end + 1 + usize::from(bytes[end..].starts_with(b"\r\n"))),
        }
    }
}

/// A field without quotes from `start`, and where it ends: at a delimiter, a line break or the end of the file.
fn plain(bytes: &[u8], start: usize, whole: bool, dialect: Dialect) -> Result<(Span, usize), Scan> {
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
    let end = start + field.len();
    Ok((Span::new(start, end), end))
}

/// A field in quotes that opens at `open`, and where it ends, behind the closing quote.
fn quoted(
    bytes: &[u8],
    open: usize,
    whole: bool,
    dialect: Dialect,
    aside: &mut Vec<u8>,
) -> Result<(Span, usize), Scan> {
    let quote = bytes[open];
    let begin = aside.len();
    // what is put together so far ends here
    let mut kept = open + 1;
    let mut from = open + 1;
    loop {
        let rest = &bytes[from..];
        let found = match dialect.escape {
            Some(escape) => memchr2(quote, escape, rest),
            None => memchr(quote, rest),
        };
        let Some(length) = found else {
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
        let next = bytes.get(at + 1).copied();
        if bytes[at] != quote {
            match next {
                // the escape goes, what it makes text stays
                Some(byte) if byte == quote || Some(byte) == dialect.escape => {
                    aside.extend_from_slice(&bytes[kept..at]);
                    kept = at + 1;
                    from = at + 2;
                }
                None if !whole => return Err(Scan::More(open)),
                _ => from = at + 1,
            }
            continue;
        }
        match next {
            Some(byte) if byte == quote => {
                aside.extend_from_slice(&bytes[kept..at]);
                kept = at + 1;
                from = at + 2;
            }
            Some(byte) if byte != dialect.delimiter && !matches!(byte, b'\n' | b'\r') => {
                return Err(Scan::Broken(open, Broken::AfterQuote));
            }
            None if !whole => return Err(Scan::More(open)),
            _ if kept == open + 1 => return Ok((Span::new(kept, at), at + 1)),
            _ => {
                aside.extend_from_slice(&bytes[kept..at]);
                let end = aside.len();
                aside.push(b'\n');
                return Ok((Span::aside(begin, end), at + 1));
            }
        }
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
