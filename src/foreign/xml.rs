//! The XML of a part, one node at a time.
//!
//! Duty: elements, texts with the five entities of XML, depth; no document types, so that nothing expands. Not its
//! duty: what elements mean.

use std::borrow::Cow;
use std::io::{BufReader, ErrorKind, Read};

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesEnd, BytesStart, Event};

use super::budget::MAX_DEPTH;
use crate::ingest::frames::{Fault, shown};

pub struct Xml<R> {
    reader: Reader<BufReader<R>>,
    buffer: Vec<u8>,
    part: String,
    depth: usize,
    seen_root: bool,
}

pub enum Node<'a> {
    Start(Element<'a>),
    End(Ended<'a>),
    Text(Cow<'a, str>),
    Eof,
}

/// The start of an element; an empty one ends at once.
pub struct Element<'a>(BytesStart<'a>);

pub struct Ended<'a>(BytesEnd<'a>);

impl Ended<'_> {
    /// Name without its prefix.
    pub fn name(&self) -> &str {
        local(self.0.name().into_inner())
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

impl Element<'_> {
    /// Name without its prefix.
    pub fn name(&self) -> &str {
        local(self.0.name().into_inner())
    }

    /// Calls with the local name and the raw text of every attribute.
    pub fn each_attribute(&self, mut take: impl FnMut(&str, &str)) -> Result<(), Fault> {
        for attribute in self.0.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| ill_formed(self.name(), &error.to_string()))?;
            let name = attribute.key.into_inner();
            if !name.starts_with("xmlns") {
                take(local(name), &attribute.value);
            }
        }
        Ok(())
    }

    /// Text of an attribute by its local name.
    pub fn attribute(&self, wanted: &str) -> Result<Option<String>, Fault> {
        let mut found = None;
        self.each_attribute(|name, value| {
            if name == wanted && found.is_none() {
                found = Some(unescape(value).map(Cow::into_owned));
            }
        })?;
        found
            .transpose()
            .map_err(|error| ill_formed(self.name(), &error.to_string()))
    }

    /// Whether an attribute says yes.
    pub fn is_set(&self, wanted: &str) -> Result<bool, Fault> {
        let text = self.attribute(wanted)?;
        Ok(text.is_some_and(|t| is_true(&t)))
    }

    /// The namespace that the element declares for itself.
    pub fn namespace(&self) -> String {
        let mut attributes = self.0.attributes();
        let mut found = attributes.with_checks(false).flatten();
        let prefix = self.0.name().into_inner().rsplit_once(':').map(|(prefix, _)| prefix);
        let wanted = prefix.map_or("xmlns".to_owned(), |p| format!("xmlns:{p}"));
        found
            .find(|a| a.key.into_inner() == wanted)
            .map(|a| a.value.into_owned())
            .unwrap_or_default()
    }
}

pub fn is_true(text: &str) -> bool {
    matches!(text, "1" | "true" | "on")
}

impl<R: Read> Xml<R> {
    pub fn new(bytes: R, part: &str) -> Xml<R> {
        let mut reader = Reader::from_reader(BufReader::with_capacity(64 << 10, bytes));
        reader.config_mut().expand_empty_elements = true;
        Xml {
            reader,
            buffer: Vec::new(),
            part: part.to_owned(),
            depth: 0,
            seen_root: false,
        }
    }

    pub fn next(&mut self) -> Result<Node<'_>, Fault> {
        self.buffer.clear();
        let part = &self.part;
        let event = self
            .reader
            .read_event_into(&mut self.buffer)
            .map_err(|error| broken(part, &error))?;
        match event {
            Event::Start(element) => {
                self.depth += 1;
                self.seen_root = true;
                if self.depth > MAX_DEPTH {
                    return Err(ill_formed(part, "its elements stand too deep within one another"));
                }
                Ok(Node::Start(Element(element)))
            }
            Event::End(element) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(Node::End(Ended(element)))
            }
            Event::Text(text) => Ok(Node::Text(text.xml10_content())),
            Event::CData(text) => Ok(Node::Text(text.xml10_content())),
            Event::GeneralRef(reference) => {
                let text = unescape(&format!("&{};", &*reference)).map(Cow::into_owned);
                let text = text.map_err(|error| ill_formed(part, &error.to_string()))?;
                Ok(Node::Text(Cow::Owned(text)))
            }
            Event::DocType(_) => Err(ill_formed(part, "it declares a document type")),
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(name)) if !is_utf8(&name) => Err(ill_formed(part, "it is not in UTF-8")),
                _ => Ok(Node::Text(Cow::Borrowed(""))),
            },
            Event::Comment(_) | Event::PI(_) | Event::Empty(_) => Ok(Node::Text(Cow::Borrowed(""))),
            Event::Eof if self.depth > 0 || !self.seen_root => {
                Err(ill_formed(part, "it ends within an element, or has none"))
            }
            Event::Eof => Ok(Node::Eof),
        }
    }
}

fn is_utf8(name: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"]
        .iter()
        .any(|n| name.eq_ignore_ascii_case(n))
}

fn broken(part: &str, error: &quick_xml::Error) -> Fault {
    let quick_xml::Error::Io(inner) = error else {
        return ill_formed(part, &error.to_string());
    };
    if inner.kind() == ErrorKind::FileTooLarge {
        let reason = format!("{part}: {inner}");
        return Fault::new(
            "xlsx.size",
            reason,
            "open the workbook where it came from, and save it anew",
        );
    }
    Fault::new(
        "archive.damaged",
        format!("{part} cannot be unpacked: {inner}"),
        "deliver the file again; if it stays so, save it anew where it came from",
    )
}

/// Shows what is wrong without the text itself beyond a few characters.
pub fn ill_formed(part: &str, what: &str) -> Fault {
    Fault::new(
        "xlsx.xml",
        format!("{part} is no well-formed part of a workbook: {}", shown(what)),
        "open the workbook where it came from, and save it anew",
    )
}

/// The text of a string of a workbook: `_x000D_` stands for the character of that number.
pub fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest
            .get(at + 2..at + 7)
            .and_then(|t| t.strip_suffix('_'))
            .filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|t| u32::from_str_radix(t, 16).ok())
            .and_then(char::from_u32);
        let (kept, taken) = match code {
            Some(c) => {
                out.push_str(&rest[..at]);
                out.push(c);
                (at, 7)
            }
            None => {
                out.push_str(&rest[..at + 2]);
                (at, 2)
            }
        };
        rest = &rest[kept + taken..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &[u8]) -> String {
        let mut xml = Xml::new(text, "a part");
        let mut out = String::new();
        loop {
            match xml.next() {
                Ok(Node::Start(e)) => out += &format!("<{}>", e.name()),
                Ok(Node::End(e)) => out += &format!("</{}>", e.name()),
                Ok(Node::Text(text)) => out += &text,
                Ok(Node::Eof) => return out,
                Err(fault) => return format!("{}: {}", fault.rule, fault.reason),
            }
        }
    }

    #[test]
    fn elements_and_texts() {
        assert_eq!(
            told(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><x:a><b/>1&lt;2&#x20AC;<![CDATA[<&]]><!-- c --></x:a>"),
            "<a><b></b>1<2\u{20AC}<&</a>"
        );
        assert_eq!(told(b"\xEF\xBB\xBF<a>x\r\ny</a>"), "<a>x\ny</a>");
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for text in [
            b"<a>".as_slice(),
            b"",
            b"<a></b>",
            b"<a>&unknown;</a>",
            b"<a>\xFF</a>",
            b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            b"<?xml version=\"1.0\" encoding=\"windows-1252\"?><a/>",
            b"\xFF\xFE<\0a\0/\0>\0",
        ] {
            assert!(told(text).starts_with("xlsx.xml: a part"), "{text:?}: {}", told(text));
        }
        let deep = "<a>".repeat(100_000);
        assert!(told(deep.as_bytes()).contains("too deep"));
    }

    #[test]
    fn characters_by_number_in_strings() {
        assert_eq!(unescaped("a_x000D_b_x005F_x0041_"), "a\rb_x0041_");
        assert_eq!(unescaped("_x_xD800__x00e9_x"), "_x_xD800_éx");
        assert_eq!(unescaped("plain_text"), "plain_text");
        assert_eq!(unescaped("_x12"), "_x12");
    }
}
