//! Strict records of JSON Lines: one flat object a line.
//!
//! Duty: bytes to named texts with their line and raw text. Numbers keep their digits as written, strings are
//! unescaped, `null` is absent. Not its duty: which columns there are, types. Empty lines are no records.

use std::fmt;
use std::io::{self, BufRead};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::csv::{Next, byte_fault};
use super::fault::{Fault, shown};
use super::limits::{MAX_COLUMNS, MAX_FIELD_BYTES, MAX_RECORD_BYTES};
use super::window::{Window, without_break};

/// One record; reused from record to record.
#[derive(Debug, Default)]
pub struct Record {
    /// Physical line, from 1.
    pub line: u64,
    /// Bytes as received without the line break, at most [`MAX_RECORD_BYTES`].
    pub raw: Vec<u8>,
    /// Names and texts in the order of the line; `None` is `null`.
    pub fields: Vec<(String, Option<String>)>,
}

/// Reads records from a window.
pub struct Reader<R> {
    pub window: Window<R>,
}

impl<R: BufRead> Reader<R> {
    pub fn new(window: Window<R>) -> Reader<R> {
        Reader { window }
    }

    /// The next record, its fault, or the end. An error is one of the input.
    pub fn next(&mut self, record: &mut Record) -> io::Result<Next> {
        self.window.skip_empty_lines()?;
        record.line = self.window.line();
        record.fields.clear();
        record.raw.clear();
        let offset = self.window.offset();
        if self.window.bytes().is_empty() {
            return Ok(Next::End);
        }
        let Some(end) = self.window.line_end(0, MAX_RECORD_BYTES)? else {
            record.raw.extend_from_slice(&self.window.bytes()[..MAX_RECORD_BYTES]);
            self.window.discard_line()?;
            let reason = format!("is longer than {MAX_RECORD_BYTES} bytes");
            return Ok(Next::Fault(Fault::new(
                "record.size",
                reason,
                "write one object a line",
            )));
        };
        record.raw.extend_from_slice(without_break(&self.window.bytes()[..end]));
        self.window.advance(end);
        let fault = byte_fault(&record.raw, offset).map_or_else(|| fields(&record.raw, &mut record.fields).err(), Some);
        Ok(fault.map_or(Next::Record, Next::Fault))
    }
}

/// The members of an object in their order, doubles included, values as they stand in the text.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn fields(raw: &[u8], fields: &mut Vec<(String, Option<String>)>) -> Result<(), Fault> {
    let members: Members = serde_json::from_slice(raw).map_err(|error| syntax(&error))?;
    if members.0.len() > MAX_COLUMNS {
        let reason = format!("has more than {MAX_COLUMNS} members");
        return Err(Fault::new("record.columns", reason, "write one flat object a line"));
    }
    for (name, value) in members.0 {
        if fields.iter().any(|(known, _)| *known == name) {
            let reason = format!("the member {} stands twice", shown(&name));
            return Err(Fault::new("json.duplicate_key", reason, "give each member once"));
        }
        let text = text_of(&name, value.get())?;
        fields.push((name, text));
    }
    Ok(())
}

fn text_of(name: &str, raw: &str) -> Result<Option<String>, Fault> {
    if raw.len() > MAX_FIELD_BYTES {
        let reason = format!("the member {} is longer than {MAX_FIELD_BYTES} bytes", shown(name));
        return Err(Fault::new("record.field_size", reason, "shorten the value"));
    }
    match raw.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => serde_json::from_str(raw).map(Some).map_err(|_| {
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
        _ => Ok(Some(raw.to_owned())),
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
    use super::*;

    /// Reads a text; a record is `line: name=value …`, a fault `line! rule`.
    fn read(text: &[u8]) -> Vec<String> {
        let mut reader = Reader::new(Window::new(text));
        let mut record = Record::default();
        let mut out = Vec::new();
        loop {
            match reader.next(&mut record).unwrap() {
                Next::Record => {
                    let show = |(n, v): &(String, Option<String>)| format!("{n}={}", v.as_deref().unwrap_or("NULL"));
                    let fields: Vec<String> = record.fields.iter().map(show).collect();
                    out.push(format!("{}: {}", record.line, fields.join(" ")));
                }
                Next::Fault(fault) => out.push(format!("{}! {}", record.line, fault.rule)),
                Next::End => return out,
            }
        }
    }

    #[test]
    fn values_keep_their_digits() {
        assert_eq!(
            read(br#"{"a":1.10,"b":"x\u00e9\n","c":null,"d":true,"e":-0.0,"f":1e400}"#),
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
        let fault = fields(br#"{"a":secret}"#, &mut Vec::new()).unwrap_err();
        assert_eq!(fault.reason, "is no JSON: expected value (column 6 of the line)");
        assert_eq!(
            fields(br#""secret""#, &mut Vec::new()).unwrap_err().reason,
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
