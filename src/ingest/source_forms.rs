//! Reads how the texts of a source are written.
//!
//! Duty: packing, encoding, dialect, marks, formats, zone and overlap of one `[[source]]`, with a finding for each that
//! is wrong, and for each that the format of the files does not have. Not its duty: the other keys.

use super::csv::Dialect;
use super::decode::{Compression, Encoding};
use super::formats::Pattern;
use super::source::{Format, HiddenRows, Overlap};
use super::toml_walk::{Document, Table};
use crate::domain::Zone;

/// Keys that not every format has, each with those that have it and why the others have not.
const KEYS_OF: [(&str, &[Format], &str); 11] = [
    ("encoding", &[Format::Csv, Format::JsonLines], BINARY),
    ("delimiter", &[Format::Csv], NO_FIELDS),
    ("quote", &[Format::Csv], NO_FIELDS),
    ("escape", &[Format::Csv], NO_FIELDS),
    ("decimal_mark", &[Format::Csv, Format::Xlsx], TYPED),
    ("grouping_mark", &[Format::Csv, Format::Xlsx], TYPED),
    ("sheet", &[Format::Xlsx], NO_SHEETS),
    ("header_row", &[Format::Xlsx], NO_SHEETS),
    ("hidden_rows", &[Format::Xlsx], NO_SHEETS),
    ("skip.preamble_lines", &[Format::Csv], NO_LINES),
    ("skip.repeated_header", &[Format::Csv, Format::Xlsx], NO_HEADER),
];

const BINARY: &str = "its texts have one encoding";
const NO_FIELDS: &str = "nothing has to keep its fields apart";
const TYPED: &str = "it says itself how its numbers are written";
const NO_SHEETS: &str = "only a workbook has sheets";
const NO_LINES: &str = "its header is no line of text (a workbook has header_row)";
const NO_HEADER: &str = "its header is no row";

/// A finding for each key that has no meaning for a format.
pub fn only_own_keys(doc: &mut Document, table: &Table, format: Format) {
    let skip = doc.table(table, "skip");
    for (path, formats, why) in KEYS_OF {
        let (of, key) = match path.strip_prefix("skip.") {
            Some(key) => (skip.as_ref(), key),
            None => (Some(table), path),
        };
        if let Some(of) = of.filter(|t| t.has(key) && !formats.contains(&format)) {
            let message = format!("'{key}' has no meaning for {}", format.name());
            doc.error(of, key, "source.value", message, format!("remove the key: {why}"));
        }
    }
}

pub fn read_compression(doc: &mut Document, table: &Table) -> Compression {
    match doc.text(table, "compression").as_deref() {
        None => Compression::None,
        Some("gzip") => Compression::Gzip,
        Some("zip") => Compression::Zip,
        Some(other) => {
            let message = format!("'{other}' is no compression");
            let remedy = "write gzip or zip; without the key the files are not packed";
            doc.error(table, "compression", "source.value", message, remedy);
            Compression::None
        }
    }
}

pub fn read_encoding(doc: &mut Document, table: &Table) -> Encoding {
    let Some(name) = doc.text(table, "encoding") else {
        return Encoding::default();
    };
    Encoding::parse(&name.to_ascii_lowercase()).unwrap_or_else(|| {
        let names: Vec<&str> = Encoding::NAMES.iter().map(|(name, _)| *name).collect();
        let message = format!("'{name}' is no encoding that is read");
        doc.error(
            table,
            "encoding",
            "source.value",
            message,
            format!("write one of {}", names.join(", ")),
        );
        Encoding::default()
    })
}

pub fn read_hidden_rows(doc: &mut Document, table: &Table) -> HiddenRows {
    match doc.text(table, "hidden_rows").as_deref() {
        None | Some("read") => HiddenRows::Read,
        Some("reject") => HiddenRows::Reject,
        Some(other) => {
            let message = format!("'{other}' is neither read nor reject");
            let remedy = "write read or reject: what becomes of rows that the workbook hides";
            doc.error(table, "hidden_rows", "source.value", message, remedy);
            HiddenRows::Read
        }
    }
}

pub fn read_dialect(doc: &mut Document, table: &Table) -> Dialect {
    let default = Dialect {
        delimiter: b',',
        quote: Some(b'"'),
        escape: None,
    };
    let delimiter = doc
        .text(table, "delimiter")
        .map(|text| ascii(doc, table, "delimiter", &text));
    let quote = doc.text(table, "quote").map(|text| {
        if text.is_empty() {
            None
        } else {
            ascii(doc, table, "quote", &text)
        }
    });
    let escape = doc
        .text(table, "escape")
        .and_then(|text| ascii(doc, table, "escape", &text));
    let dialect = Dialect {
        delimiter: delimiter.flatten().unwrap_or(default.delimiter),
        quote: quote.unwrap_or(default.quote),
        escape,
    };
    let mut same = |key: &str, message: &str| doc.error(table, key, "source.value", message, "choose two characters");
    if Some(dialect.delimiter) == dialect.quote {
        same("quote", "quote and delimiter are the same");
    }
    if escape == Some(dialect.delimiter) || (escape.is_some() && escape == dialect.quote) {
        same(
            "escape",
            "escape is the same as delimiter or quote (a doubled quote is read anyway)",
        );
    }
    if escape.is_some() && dialect.quote.is_none() {
        let remedy = "remove escape, or declare quote: an escape is read inside of quotes only";
        doc.error(
            table,
            "escape",
            "source.value",
            "'escape' has no meaning without quotes",
            remedy,
        );
    }
    dialect
}

fn ascii(doc: &mut Document, table: &Table, key: &str, text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] if (byte.is_ascii_punctuation() || matches!(byte, b'\t' | b' ')) => Some(*byte),
        _ => {
            let message = format!(
                "'{}' is not one punctuation mark, tab or space of ASCII",
                text.escape_debug()
            );
            doc.error(
                table,
                key,
                "source.value",
                message,
                "write one character, such as \";\"",
            );
            None
        }
    }
}

pub fn read_marks(doc: &mut Document, table: &Table) -> (char, Option<char>) {
    let decimal = doc.text(table, "decimal_mark").unwrap_or_else(|| ".".to_owned());
    let decimal_mark = match decimal.as_str() {
        "," => ',',
        "." => '.',
        other => {
            let message = format!("'{other}' is no decimal mark");
            doc.error(table, "decimal_mark", "source.value", message, "write \".\" or \",\"");
            '.'
        }
    };
    let mut grouping_mark = None;
    if let Some(grouping) = doc.text(table, "grouping_mark") {
        let mark = grouping.chars().next().filter(|c| c.len_utf8() == grouping.len());
        match mark {
            Some(mark) if mark != decimal_mark && !mark.is_alphanumeric() && mark != '-' => grouping_mark = Some(mark),
            _ => {
                let message = format!("'{grouping}' is no grouping mark beside the decimal mark '{decimal_mark}'");
                let remedy = "write one character such as \".\", \",\", \"'\" or a space, other than the decimal mark";
                doc.error(table, "grouping_mark", "source.value", message, remedy);
            }
        }
    }
    (decimal_mark, grouping_mark)
}

pub fn read_patterns(
    doc: &mut Document,
    table: &Table,
    key: &str,
    compile: fn(&str) -> Result<Pattern, String>,
) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for text in doc.texts(table, key).unwrap_or_default() {
        match compile(&text) {
            Ok(pattern) => patterns.push(pattern),
            Err(message) => doc.error(
                table,
                key,
                "source.format",
                message,
                "write a pattern such as \"%d.%m.%Y %H:%M\"",
            ),
        }
    }
    patterns
}

pub fn read_zone(doc: &mut Document, table: &Table, instants: &[Pattern]) -> Option<Zone> {
    let naive = instants.iter().find(|p| !p.has_offset());
    let Some(name) = doc.text(table, "time_zone") else {
        if let Some(naive) = naive.filter(|_| !table.has("time_zone")) {
            let message = format!("'{}' says no offset, and time_zone is missing", naive.text());
            doc.error(
                table,
                "instant_formats",
                "source.time_zone",
                message,
                "add time_zone = \"Europe/Berlin\" or another zone",
            );
        }
        return None;
    };
    match Zone::parse(&name) {
        Ok(zone) => Some(zone),
        Err(error) => {
            doc.error(
                table,
                "time_zone",
                "source.time_zone",
                error.to_string(),
                "write a name such as Europe/Berlin",
            );
            None
        }
    }
}

pub fn read_overlap(doc: &mut Document, table: &Table) -> Option<Overlap> {
    match doc.text(table, "overlap")?.as_str() {
        "first" => Some(Overlap::First),
        "last" => Some(Overlap::Last),
        other => {
            let message = format!("'{other}' is neither first nor last");
            doc.error(
                table,
                "overlap",
                "source.value",
                message,
                "write first or last: which of the two times is meant",
            );
            None
        }
    }
}
