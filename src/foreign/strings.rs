//! The texts that the sheets of a workbook share.
//!
//! Duty: hold them in one piece, within a budget. Not its duty: cells.

use std::io::Read;

use super::budget::{MAX_STRING_BYTES, MAX_STRINGS};
use super::xml::{Node, Xml, unescaped};
use crate::ingest::frames::Fault;

/// Text i is `text[ends[i - 1]..ends[i]]`.
#[derive(Debug, Default)]
pub struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some(&self.text[start..end])
    }

    pub fn read<R: Read>(mut xml: Xml<R>) -> Result<Strings, Fault> {
        let mut strings = Strings::default();
        let mut string = Text::default();
        loop {
            match xml.next()? {
                Node::Start(element) if element.name() == "si" => string = Text::default(),
                Node::Start(element) => string.start(element.name()),
                Node::Text(text) => string.push(&text),
                Node::End(element) if element.name() == "si" => strings.add(&string.joined)?,
                Node::End(element) => string.end(element.name()),
                Node::Eof => return Ok(strings),
            }
            if string.joined.len() > MAX_STRING_BYTES {
                return Err(too_large());
            }
        }
    }

    fn add(&mut self, text: &str) -> Result<(), Fault> {
        self.text.push_str(&unescaped(text));
        if self.text.len() > MAX_STRING_BYTES || self.ends.len() >= MAX_STRINGS {
            return Err(too_large());
        }
        self.ends.push(u32::try_from(self.text.len()).map_err(|_| too_large())?);
        Ok(())
    }
}

/// A text of a string being read: its runs one behind the other, without their pronunciation.
#[derive(Debug, Default)]
pub struct Text {
    pub joined: String,
    in_run: bool,
    in_phonetic: bool,
}

impl Text {
    pub fn start(&mut self, name: &str) {
        self.in_run |= name == "t";
        self.in_phonetic |= name == "rPh";
    }

    pub fn end(&mut self, name: &str) {
        self.in_run &= name != "t";
        self.in_phonetic &= name != "rPh";
    }

    pub fn push(&mut self, text: &str) {
        if self.in_run && !self.in_phonetic {
            self.joined.push_str(text);
        }
    }
}

fn too_large() -> Fault {
    let reason = format!(
        "the texts of the workbook are more than {MAX_STRINGS}, or larger than {} MiB",
        MAX_STRING_BYTES >> 20
    );
    Fault::new("xlsx.strings", reason, "deliver the table in parts, or as csv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_joined_and_pronunciation_is_left_out() {
        let xml = "<sst><si><t>a</t></si><si/><si><r><rPr><b/></rPr><t xml:space=\"preserve\">b </t></r>\
                   <r><t>&amp;_x000D_</t></r><rPh sb=\"0\" eb=\"1\"><t>no</t></rPh></si></sst>";
        let strings = Strings::read(Xml::new(xml.as_bytes(), "strings")).unwrap();
        let all: Vec<_> = (0..4).map(|i| strings.get(i)).collect();
        assert_eq!(all, [Some("a"), Some(""), Some("b &\r"), None]);
    }
}
