//! Reads how the texts of a source are written.
//!
//! Duty: dialect, marks, formats, zone and overlap of one `[[source]]`, with a finding for each that is wrong. Not its
//! duty: the other keys.

use super::csv::Dialect;
use super::formats::Pattern;
use super::source::Overlap;
use super::toml_walk::{Document, Table};
use crate::domain::Zone;

pub fn read_dialect(doc: &mut Document, table: &Table) -> Dialect {
    let default = Dialect {
        delimiter: b',',
        quote: Some(b'"'),
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
    let dialect = Dialect {
        delimiter: delimiter.flatten().unwrap_or(default.delimiter),
        quote: quote.unwrap_or(default.quote),
    };
    if Some(dialect.delimiter) == dialect.quote {
        doc.error(
            table,
            "quote",
            "source.value",
            "quote and delimiter are the same",
            "choose two characters",
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
