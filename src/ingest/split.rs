//! One rejected record as texts of the contract's columns, for the person who corrects it.
//!
//! Duty: split a raw record as its source reads it; a value that can be read takes the contract's own form, one that
//! cannot stays as delivered. Must not: accept or reject, open files.

use std::io::Cursor;

use super::csv::{self, Dialect, Next};
use super::decode::{self, Compression, Encoding};
use super::fault::Fault;
use super::file::Input;
use super::foreign_rows;
use super::frames;
use super::head;
use super::header::{Header, Names};
use super::json_lines;
use super::parse::Reading;
use super::plain::DIALECT;
use super::source::{Format, Source, data_columns};
use super::window::Window;
use crate::contracts::Contract;
use crate::domain::Value;

/// How the records of one file are split.
pub struct Splitter<'a> {
    source: &'a Source,
    contract: &'a Contract,
    /// The source as it reads cells that know their type; of files whose records had no bytes of their own.
    native: Option<Source>,
    /// None of JSON Lines.
    header: Option<(Header, Dialect)>,
}

impl<'a> Splitter<'a> {
    /// Reads the file as far as its header. `None`: it has none that can be read.
    pub fn new(source: &'a Source, contract: &'a Contract, input: Input<'_>) -> Option<Splitter<'a>> {
        let native = matches!(input, Input::Frames(_)).then(|| foreign_rows::native(source));
        let header = match input {
            Input::Bytes(_) if source.format == Format::JsonLines => None,
            Input::Bytes(bytes) => Some((text_header(source, contract, bytes).ok()?, source.dialect)),
            // their raw text is a line of CSV
            Input::Frames(frames) => Some((frame_header(source, contract, frames).ok()?, DIALECT)),
        };
        Some(Splitter {
            source,
            contract,
            native,
            header,
        })
    }

    /// The texts of the delivered columns; `None` when the record cannot be split into fields, or a field can be read
    /// in two ways.
    pub fn split(&self, raw: &[u8]) -> Option<Vec<String>> {
        let delivered = match &self.header {
            Some((header, dialect)) => fields(header, *dialect, raw)?,
            None => self.members(raw)?,
        };
        let reading = Reading::new(self.source, self.contract);
        let native = self.native.as_ref().map(|native| Reading::new(native, self.contract));
        let columns = data_columns(self.contract);
        let text = |(i, (column, text)): (usize, (&crate::contracts::Column, Option<String>))| {
            let constant = self.source.constants.get(&column.name).cloned();
            let text = constant.or(text).unwrap_or_default();
            let read = |reading: &Reading<'_>| reading.cell(i, &text).ok().map(|(cell, _)| plainly(&cell.value()));
            match (read(&reading), native.as_ref().and_then(read)) {
                // the raw text does not tell whether the cell knew its type
                (Some(one), Some(other)) if one != other => None,
                (Some(value), _) | (None, Some(value)) => Some(value),
                (None, None) => Some(text),
            }
        };
        columns.iter().zip(delivered).enumerate().map(text).collect()
    }

    fn members(&self, raw: &[u8]) -> Option<Vec<Option<String>>> {
        let names = Names::new(self.source, self.contract);
        let text = in_memory(raw)?;
        let malformed = text.malformed();
        let mut reader = json_lines::Reader::new(Window::new(text), malformed);
        let Next::Record(record) = reader.next_record().ok()? else {
            return None;
        };
        if record.raw.len() != raw.len() {
            return None;
        }
        let mut texts: Vec<Option<String>> = vec![None; data_columns(self.contract).len()];
        let mut taken = vec![false; texts.len()];
        for (name, text) in record.fields() {
            if let Some((column, _)) = names.find(name) {
                if std::mem::replace(&mut taken[column], true) {
                    return None;
                }
                texts[column] = text.map(str::to_owned);
            }
        }
        Some(texts)
    }
}

/// A raw text as it is read; `None`: it is empty.
fn in_memory(raw: &[u8]) -> Option<decode::Text<'_>> {
    decode::text(Box::new(Cursor::new(raw)), Compression::None, Encoding::Utf8).ok()
}

fn fields(header: &Header, dialect: Dialect, raw: &[u8]) -> Option<Vec<Option<String>>> {
    let text = in_memory(raw)?;
    let malformed = text.malformed();
    let mut reader = csv::Reader::new(Window::new(text), dialect, malformed);
    let Next::Record(record) = reader.next_record().ok()? else {
        return None;
    };
    // a raw text that was cut, or that is more than one record, has another width or something behind it
    let whole = record.raw.len() == raw.len() && record.width() == header.width();
    let text = |at: &Option<usize>| record.get((*at)?).map(str::to_owned);
    whole.then(|| header.positions.iter().map(text).collect())
}

fn text_header(source: &Source, contract: &Contract, input: Box<dyn decode::Bytes + '_>) -> Result<Header, Fault> {
    let text = decode::text(input, source.compression, source.encoding)?;
    head::check(text.head(), text.mark_bytes(), text.encoding())?;
    let malformed = text.malformed();
    let mut window = Window::new(text);
    for _ in 0..source.skip.preamble_lines {
        window.at_least(1).map_err(decode::fault_of)?;
        if !window.bytes().is_empty() {
            window.discard_line().map_err(decode::fault_of)?;
        }
    }
    let mut reader = csv::Reader::new(window, source.dialect, malformed);
    match reader.next_record().map_err(decode::fault_of)? {
        Next::Record(record) => Header::new(record.fields(), source, contract),
        Next::Fault(_, _, fault) => Err(fault),
        Next::End => Err(super::file::no_header()),
    }
}

fn frame_header(source: &Source, contract: &Contract, input: impl std::io::Read) -> Result<Header, Fault> {
    let mut reader = frames::Reader::new(input);
    let mut record = frames::Record::default();
    loop {
        match reader.next(&mut record)? {
            frames::Next::Preamble => {}
            frames::Next::Record => return Header::new(record.fields(), source, contract),
            frames::Next::Fault(fault) => return Err(fault),
            frames::Next::End(_) => return Err(super::file::no_header()),
        }
    }
}

/// A value in the contract's own form; a decimal without zeros that say nothing.
fn plainly(value: &Value) -> String {
    let text = value.to_string();
    match value {
        Value::Dec(_) => without_zeros(&text).to_owned(),
        _ => text,
    }
}

/// A decimal without zeros at its end.
pub fn without_zeros(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{sales, source};
    use super::*;

    fn bytes(text: &str) -> Input<'_> {
        Input::Bytes(Box::new(Cursor::new(text.as_bytes())))
    }

    fn split(keys: &str, head: &str, raw: &str) -> Option<Vec<String>> {
        let source = source(&format!("feed = 'sales'\n{keys}"));
        let contract = sales();
        let splitter = Splitter::new(&source, &contract, bytes(head)).unwrap();
        splitter.split(raw.as_bytes())
    }

    const GERMAN: &str = "delimiter = ';'\ndecimal_mark = ','\ngrouping_mark = '.'\ndate_formats = ['%d.%m.%Y']\n\
                          rename = { Betrag = 'amount' }";

    #[test]
    fn what_can_be_read_takes_the_form_of_the_contract() {
        let head = "note;id;Betrag;ordered_on\n";
        let expected = ["A1", "1234.5", "2026-07-31", "x;y"].map(str::to_owned);
        assert_eq!(
            split(GERMAN, head, "\"x;y\"; A1 ;1.234,5;31.07.2026"),
            Some(expected.to_vec())
        );
        // what is wrong stays as it was delivered
        let wrong = split(GERMAN, head, ";A1; 12x ;31.02.2026").unwrap();
        assert_eq!(wrong, ["A1", " 12x ", "31.02.2026", ""]);
    }

    #[test]
    fn preamble_and_mark_stand_above_the_header() {
        let head = "\u{FEFF}report\nof today\nid,amount,ordered_on\n";
        let texts = split("skip = { preamble_lines = 2 }", head, "A,1,2026-07-01").unwrap();
        assert_eq!(texts, ["A", "1", "2026-07-01", ""]);
    }

    #[test]
    fn a_record_that_cannot_be_split_is_none() {
        let head = "id,amount,ordered_on,note\n";
        for raw in ["A,1", "A,1,2,3,4", "A,\"1,2,3", "A,1,x\"y,4", "", "A,1,2,3\nB,1,2,3"] {
            assert_eq!(split("", head, raw), None, "{raw:?}");
        }
        let source = source("feed = 'sales'");
        assert!(Splitter::new(&source, &sales(), bytes("other\n")).is_none());
    }

    #[test]
    fn json_members_are_split_by_name() {
        let keys = "format = 'json_lines'\nrename = { total = 'amount' }";
        let texts = split(keys, "", r#"{"total":1.50,"id":"A","extra":1,"note":null}"#).unwrap();
        assert_eq!(texts, ["A", "1.5", "", ""]);
        assert_eq!(split(keys, "", r#"{"total":1,"amount":1}"#), None);
        assert_eq!(split(keys, "", r#"{"total":1"#), None);
    }

    #[test]
    fn cells_of_workbooks_that_could_be_read_in_two_ways_are_left_to_a_person() {
        let mut stream = Vec::new();
        let mut writer = frames::Writer::new(&mut stream).unwrap();
        let mut header = frames::Record::default();
        header.clear(1);
        for name in ["id", "amount", "ordered_on"] {
            header.push(frames::Kind::Text, name);
        }
        writer.record(&header).unwrap();
        let source = source("feed = 'sales'\nformat = 'xlsx'\ngrouping_mark = '.'\ndecimal_mark = ','");
        let contract = sales();
        let splitter = Splitter::new(&source, &contract, Input::Frames(Box::new(stream.as_slice()))).unwrap();
        let split = |raw: &str| splitter.split(raw.as_bytes());
        let good = ["A", "1234.5", "2026-07-01", ""].map(str::to_owned).to_vec();
        assert_eq!(split("A,1234.5,2026-07-01"), Some(good.clone()));
        assert_eq!(split("A,\"1.234,5\",2026-07-01"), Some(good));
        assert_eq!(
            split("A,1.234,2026-07-01"),
            None,
            "a thousand and more, or one and a bit"
        );
    }
}
