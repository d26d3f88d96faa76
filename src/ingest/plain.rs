//! Small texts in the strict default dialect (UTF-8, comma, double quotes), wholly in memory.
//!
//! Duty: records of what this program wrote itself, and how a record is written. Must not: read what others send
//! (`csv` does, with limits and faults by record), know columns.

use std::io::Cursor;

use super::csv::{self, Dialect, Next};
use super::decode::{self, Compression, Encoding};
use super::window::Window;

/// The default dialect of sources.
pub(super) const DIALECT: Dialect = Dialect {
    delimiter: b',',
    quote: Some(b'"'),
    escape: None,
};

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Physical line, from 1, on which the record begins.
    pub line: u64,
    /// Bytes as they stand, without the line break at the end.
    pub raw: Vec<u8>,
    pub fields: Vec<String>,
}

/// The first record that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub line: u64,
    pub reason: String,
    pub remedy: String,
}

/// All records of a text, the header among them; a byte-order mark is ignored.
pub fn records(text: &[u8]) -> Result<Vec<Record>, Malformed> {
    let malformed = |line: u64, reason: String, remedy: String| Malformed { line, reason, remedy };
    let bytes = Box::new(Cursor::new(text));
    let text = decode::text(bytes, Compression::None, Encoding::Utf8).map_err(|f| malformed(1, f.reason, f.remedy))?;
    let bad_bytes = text.malformed();
    let mut reader = csv::Reader::new(Window::new(text), DIALECT, bad_bytes);
    let mut records = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Next::Record(record)) => records.push(Record {
                line: record.line,
                raw: record.raw.as_bytes().to_vec(),
                fields: record.fields().map(str::to_owned).collect(),
            }),
            Ok(Next::Fault(line, _, fault)) => return Err(malformed(line, fault.reason, fault.remedy)),
            Ok(Next::End) => return Ok(records),
            Err(error) => {
                let fault = decode::fault_of(error);
                return Err(malformed(1, fault.reason, fault.remedy));
            }
        }
    }
}

/// A record as it is written, without a line break at its end. A field stands in quotes where it has to.
pub fn line<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let fields: Vec<&str> = fields.into_iter().collect();
    // a lone empty field would be an empty line, and that is no record
    let alone = fields.len() == 1;
    let written: Vec<String> = fields
        .iter()
        .map(|field| {
            if field.contains([',', '"', '\n', '\r']) || (alone && field.is_empty()) {
                quoted(field)
            } else {
                (*field).to_owned()
            }
        })
        .collect();
    written.join(",")
}

/// A field in quotes.
pub fn quoted(field: &str) -> String {
    format!("\"{}\"", field.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were_written() {
        let rows = [
            vec!["id", "note"],
            vec!["1", "a, \"b\"\nc"],
            vec!["", ""],
            vec!["=1", "\r"],
        ];
        let text: String = rows.iter().map(|r| line(r.iter().copied()) + "\n").collect();
        let read = records(format!("\u{FEFF}{text}").as_bytes()).unwrap();
        let fields: Vec<Vec<&str>> = read
            .iter()
            .map(|r| r.fields.iter().map(String::as_str).collect())
            .collect();
        assert_eq!(fields, rows);
        assert_eq!(read.iter().map(|r| r.line).collect::<Vec<_>>(), [1, 2, 4, 5]);
        assert_eq!(read[1].raw, line(["1", "a, \"b\"\nc"]).as_bytes());
        assert_eq!(records(line([""]).as_bytes()).unwrap()[0].fields, [""]);
    }

    #[test]
    fn a_malformed_text_names_its_line() {
        let found = records(b"id,note\n1,\"open").unwrap_err();
        assert_eq!(found.line, 2);
        assert!(found.reason.contains("not closed"), "{}", found.reason);
    }
}
