//! Strict records of JSON Lines: one flat object a line.
//!
//! Duty: bytes to named texts with their line and raw text. Numbers keep their digits as written, strings are
//! unescaped, `null` is absent. Not its duty: which columns there are, types. Empty lines are no records.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::csv::{Next, Span, byte_fault, text_of};
use super::decode::Malformed;
use super::fault::{Fault, shown};
use super::limits::{MAX_COLUMNS, MAX_FIELD_BYTES, MAX_RECORD_BYTES};
use super::window::{Window, without_break};

/// One record, borrowed until the next is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Physical line, from 1.
    pub line: u64,
    /// As received, without the line break.
    pub raw: &'a str,
    texts: &'a Texts,
}

impl<'a> Record<'a> {
    /// Names and texts in the order of the line; `None` is `null`.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&'a str, Option<&'a str>)> {
        let (raw, texts) = (self.raw, self.texts);
        texts.fields.iter().map(move |field| texts.of(raw, *field))
    }

    pub fn get(&self, index: usize) -> Option<(&'a str, Option<&'a str>)> {
        self.texts
            .fields
            .get(index)
            .map(|field| self.texts.of(self.raw, *field))
    }
}

/// Where the texts of a record stand.
#[derive(Debug, Default)]
struct Texts {
    /// As parsed: name, and value in JSON.
    members: Vec<(Span, Span)>,
    fields: Vec<(Span, Option<Span>)>,
    /// Texts that were unescaped.
    aside: String,
    /// Names of the last record whose names were looked at: each stands once.
    distinct: Vec<String>,
}

impl Texts {
    fn of<'a>(&'a self, raw: &'a str, (name, text): (Span, Option<Span>)) -> (&'a str, Option<&'a str>) {
        (name.of(raw, &self.aside), text.map(|t| t.of(raw, &self.aside)))
    }

    /// The first member whose name stood before.
    fn doubled(&mut self, raw: &str) -> Option<usize> {
        let names = self.members.iter().map(|(name, _)| name.of(raw, &self.aside));
        // objects mostly have the same members in the same order
        if names.clone().eq(self.distinct.iter().map(String::as_str)) {
            return None;
        }
        let mut seen = BTreeSet::new();
        let doubled = names.clone().position(|name| !seen.insert(name));
        if doubled.is_none() {
            self.distinct = names.map(str::to_owned).collect();
        }
        doubled
    }

    fn put_aside(&mut self, text: &str) -> Span {
        let begin = self.aside.len();
        self.aside.push_str(text);
        Span::aside(begin, self.aside.len())
    }
}

/// Reads records from a window.
pub struct Reader<R> {
    pub window: Window<R>,
    malformed: Malformed,
    texts: Texts,
    /// Bytes of the window that were given out.
    given: usize,
    /// The rest of the line is passed over before anything else.
    is_cut: bool,
}

impl<R: Read> Reader<R> {
    pub fn new(window: Window<R>, malformed: Malformed) -> Reader<R> {
        Reader {
            window,
            malformed,
            texts: Texts::default(),
            given: 0,
            is_cut: false,
        }
    }

    /// The next record, its fault, or the end. An error is one of the input.
    pub fn next_record(&mut self) -> io::Result<Next<'_, Record<'_>>> {
        self.window.advance(std::mem::take(&mut self.given));
        if std::mem::take(&mut self.is_cut) {
            self.window.discard_line()?;
        }
        self.window.skip_empty_lines()?;
        let line = self.window.line();
        let offset = self.window.offset();
        if self.window.bytes().is_empty() {
            return Ok(Next::End);
        }
        let Some(end) = self.window.line_end(0, MAX_RECORD_BYTES)? else {
            self.is_cut = true;
            let reason = format!("is longer than {MAX_RECORD_BYTES} bytes");
            let fault = Fault::new("record.size", reason, "write one object a line");
            return Ok(Next::Fault(line, &self.window.bytes()[..MAX_RECORD_BYTES], fault));
        };
        self.given = end;
        let bytes = without_break(&self.window.bytes()[..end]);
        let raw = match text_of(bytes) {
            Ok(raw) => raw,
            Err(at) => return Ok(Next::Fault(line, bytes, byte_fault(bytes, at, offset, &self.malformed))),
        };
        match fields(raw, &mut self.texts) {
            Err(fault) => Ok(Next::Fault(line, bytes, fault)),
            Ok(()) => Ok(Next::Record(Record {
                line,
                raw,
                texts: &self.texts,
            })),
        }
    }
}

/// The members of an object in their order, doubles included, values as they stand in the text.
struct Members<'t> {
    raw: &'t str,
    texts: &'t mut Texts,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            let value: &RawValue = map.next_value()?;
            let name = match name {
                Cow::Borrowed(name) => span_in(self.raw, name),
                Cow::Owned(name) => self.texts.put_aside(&name),
            };
            self.texts.members.push((name, span_in(self.raw, value.get())));
        }
        Ok(())
    }
}

/// Where a part of a text stands in it.
fn span_in(whole: &str, part: &str) -> Span {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    Span::new(start, start + part.len())
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

fn fields(raw: &str, texts: &mut Texts) -> Result<(), Fault> {
    texts.members.clear();
    texts.fields.clear();
    texts.aside.clear();
    let mut json = serde_json::Deserializer::from_str(raw);
    let members = Members { raw, texts };
    members
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| syntax(&error))?;
    if texts.members.len() > MAX_COLUMNS {
        let reason = format!("has more than {MAX_COLUMNS} members");
        return Err(Fault::new("record.columns", reason, "write one flat object a line"));
    }
    let doubled = texts.doubled(raw);
    for i in 0..texts.members.len() {
        let (name_span, value) = texts.members[i];
        let name = name_span.of(raw, &texts.aside);
        if doubled == Some(i) {
            let reason = format!("the member {} stands twice", shown(name));
            return Err(Fault::new("json.duplicate_key", reason, "give each member once"));
        }
        let text = text_in(name, value, raw)?.map(|text| match text {
            Text::Plain(span) => span,
            Text::Unescaped(text) => texts.put_aside(&text),
        });
        texts.fields.push((name_span, text));
    }
    Ok(())
}

/// The text of a value.
enum Text {
    Plain(Span),
    Unescaped(String),
}

fn text_in(name: &str, value: Span, raw: &str) -> Result<Option<Text>, Fault> {
    let json = value.of(raw, "");
    if json.len() > MAX_FIELD_BYTES {
        let reason = format!("the member {} is longer than {MAX_FIELD_BYTES} bytes", shown(name));
        return Err(Fault::new("record.field_size", reason, "shorten the value"));
    }
    match json.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') if !json.contains('\\') => Ok(Some(Text::Plain(span_in(raw, &json[1..json.len() - 1])))),
        Some(b'"') => serde_json::from_str(json)
            .map(|text| Some(Text::Unescaped(text)))
            .map_err(|_| {
                let reason = format!("the member {} is no text: it holds half a surrogate pair", shown(name));
                Fault::new(
                    "json.string",
                    reason,
                    "write characters above U+FFFF as pairs, or as UTF-8",
                )
            }),
        Some(b'{' | b'[') => {
            let reason = format!("the member {} is an object or a list", shown(name));
            Err(Fault::new("json.nested", reason, "write one flat object a line"))
        }
        _ => Ok(Some(Text::Plain(value))),
    }
}

/// Says where, and what the parser missed, without showing the text: it may be personal.
fn syntax(error: &serde_json::Error) -> Fault {
    let what = if error.classify() == serde_json::error::Category::Data {
        "is no object".to_owned()
    } else {
        let text = error.to_string();
        format!("is no JSON: {}", text.split(" at line ").next().unwrap_or_default())
    };
    Fault::new(
        "json.syntax",
        format!("{what} (column {} of the line)", error.column()),
        "write one JSON object a line",
    )
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    /// Reads a text; a record is `line: name=value …`, a fault `line! rule`.
    fn read(text: &[u8]) -> Vec<String> {
        let input = Box::new(io::Cursor::new(text));
        let text = decode::text(input, decode::Compression::None, decode::Encoding::Utf8).unwrap();
        let malformed = text.malformed();
        let mut reader = Reader::new(Window::new(text), malformed);
        let mut out = Vec::new();
        loop {
            match reader.next_record().unwrap() {
                Next::Record(record) => {
                    let show = |(n, v): (&str, Option<&str>)| format!("{n}={}", v.unwrap_or("NULL"));
                    let fields: Vec<String> = record.fields().map(show).collect();
                    out.push(format!("{}: {}", record.line, fields.join(" ")));
                }
                Next::Fault(line, _, fault) => out.push(format!("{line}! {}", fault.rule)),
                Next::End => return out,
            }
        }
    }

    #[test]
    fn values_keep_their_digits() {
        assert_eq!(
            read(br#"{"\u0061":1.10,"b":"x\u00e9\n","c":null,"d":true,"e":-0.0,"f":1e400}"#),
            ["1: a=1.10 b=xé\n c=NULL d=true e=-0.0 f=1e400"]
        );
        assert_eq!(
            read(b"{\"a\":0.1000000000000000055511151231257827}"),
            ["1: a=0.1000000000000000055511151231257827"]
        );
    }

    #[test]
    fn all_line_ends_and_empty_lines() {
        let expected = ["1: a=1", "2: a=2"];
        assert_eq!(read(b"{\"a\":1}\n{\"a\":2}\n"), expected);
        assert_eq!(read(b"{\"a\":1}\r\n{\"a\":2}"), expected);
        assert_eq!(read(b"{\"a\":1}\r{\"a\":2}\r"), expected);
        assert_eq!(read(b"\n{\"a\":1}\n\n{\"a\":2}\n\n"), ["2: a=1", "4: a=2"]);
        assert_eq!(read(b""), Vec::<String>::new());
    }

    #[test]
    fn a_bad_line_is_rejected_and_the_next_is_read() {
        for (bad, rule) in [
            (r#"{"a":1,}"#, "json.syntax"),
            (r#"{"a":1}{"a":2}"#, "json.syntax"),
            (r#"{"a":01}"#, "json.syntax"),
            (r#"{"a":NaN}"#, "json.syntax"),
            ("{'a':1}", "json.syntax"),
            (r#"{"a":1"#, "json.syntax"),
            ("[1]", "json.syntax"),
            ("\"x\"", "json.syntax"),
            ("   ", "json.syntax"),
            (r#"{"a":1,"a":1}"#, "json.duplicate_key"),
            (r#"{"a":{"b":1}}"#, "json.nested"),
            (r#"{"a":[]}"#, "json.nested"),
            (r#"{"a":"\ud800"}"#, "json.string"),
        ] {
            assert_eq!(
                read(format!("{bad}\n{{\"a\":2}}").as_bytes()),
                [format!("1! {rule}"), "2: a=2".to_owned()]
            );
        }
        assert_eq!(read(b"{\"a\":\"\xff\"}\n{\"a\":2}"), ["1! record.encoding", "2: a=2"]);
    }

    #[test]
    fn the_column_is_named_and_the_text_is_not() {
        let fault = fields(r#"{"a":secret}"#, &mut Texts::default()).unwrap_err();
        assert_eq!(fault.reason, "is no JSON: expected value (column 6 of the line)");
        assert_eq!(
            fields(r#""secret""#, &mut Texts::default()).unwrap_err().reason,
            "is no object (column 8 of the line)"
        );
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = format!("{{\"a\":{}{}}}\n{{\"a\":2}}", "[".repeat(100_000), "]".repeat(100_000));
        let found = read(deep.as_bytes());
        assert!(
            matches!(found[0].as_str(), "1! json.nested" | "1! json.syntax"),
            "{}",
            found[0]
        );
        assert_eq!(found[1], "2: a=2");
        let long = format!("{{\"a\":\"{}\"}}\n{{\"a\":2}}", "x".repeat(MAX_RECORD_BYTES));
        assert_eq!(read(long.as_bytes()), ["1! record.size", "2: a=2"]);
        let field = format!("{{\"a\":\"{}\"}}\n{{\"a\":2}}", "x".repeat(MAX_FIELD_BYTES));
        assert_eq!(read(field.as_bytes()), ["1! record.field_size", "2: a=2"]);
    }
}
