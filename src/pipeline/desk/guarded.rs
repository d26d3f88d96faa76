//! CSV for people: no spreadsheet takes a text of it for a formula.
//!
//! Duty: a sheet as CSV and back. Must not: be what a run reads; deliveries are written plainly.
//!
//! A text that begins as formulas do (`=`, `+`, `-`, `@`, tab, CR, LF, and their full-width forms, blanks before them
//! or not) gets an apostrophe in front, which reading back takes away. Numbers such as -5 stay as they are.

use std::fmt::Write as _;

use super::sheet::{RawRow, Sheet};
use crate::domain::{Finding, Findings, Place};
use crate::ingest::plain;

const APOSTROPHE: char = '\'';

/// The sheet as CSV, with a byte-order mark: without it spreadsheets do not read UTF-8.
pub fn write(sheet: &Sheet) -> String {
    let mut out = String::from("\u{FEFF}");
    let header: Vec<String> = sheet.header.iter().map(|h| plain::quoted(&h.name)).collect();
    let _ = writeln!(out, "{}", header.join(","));
    for line in &sheet.rows {
        let fields: Vec<String> = line.texts.iter().map(|t| plain::quoted(&guarded(t))).collect();
        let _ = writeln!(out, "{}", fields.join(","));
    }
    out
}

/// The rows of such a file; the number of each is the line on which it begins.
pub fn read(file: &str, text: &[u8]) -> Result<Vec<RawRow>, Findings> {
    let records = plain::records(text).map_err(|m| {
        let place = Place::line(file, m.line);
        vec![Finding::error(place, "sheet.csv", m.reason, m.remedy)]
    })?;
    let row = |record: plain::Record| {
        let texts = record.fields.iter().map(|f| unguarded(f).to_owned()).collect();
        (record.line, texts)
    };
    Ok(records.into_iter().map(row).collect())
}

fn guarded(text: &str) -> String {
    if needs_guard(text) {
        format!("{APOSTROPHE}{text}")
    } else {
        text.to_owned()
    }
}

fn unguarded(text: &str) -> &str {
    match text.strip_prefix(APOSTROPHE) {
        Some(rest) if needs_guard(rest) => rest,
        _ => text,
    }
}

fn needs_guard(text: &str) -> bool {
    // a guard in the text itself is guarded, so that reading back takes away one and no more
    let inner = text
        .trim_start_matches(APOSTROPHE)
        .trim_start_matches([' ', '\u{A0}', '\u{3000}']);
    inner.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) && !is_number(text)
}

fn is_number(text: &str) -> bool {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sheet::{Head, Line};
    use super::*;

    #[test]
    fn no_field_begins_as_a_formula_and_every_text_comes_back() {
        let texts = [
            "=1+1",
            "+1",
            "-5",
            "-5.25",
            "-5-3",
            "-A1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1+1",
            "＋1",
            "－1",
            "＠x",
            "  =1",
            "'=1",
            "''=1",
            "'s-Hertogenbosch",
            "a;=1",
            "a\",\"=1",
            "",
            "é",
        ];
        let head = |name: &str| Head {
            name: name.to_owned(),
            form: String::new(),
        };
        let sheet = Sheet {
            feed: "sales".to_owned(),
            header: texts.iter().map(|_| head("x")).collect(),
            rows: vec![Line {
                texts: texts.map(str::to_owned).to_vec(),
                marks: Vec::new(),
            }],
        };
        let text = write(&sheet);
        let written = plain::records(text.as_bytes()).unwrap();
        for field in &written[1].fields {
            let first = field.trim_start().chars().next().unwrap_or('x');
            let formula = "=+@＝＋－＠\t\r\n".contains(first) || (first == '-' && !is_number(field));
            assert!(!formula, "{field:?}");
        }
        assert!(text.contains("\"-5\"") && text.contains("\"'=1+1\""), "{text}");
        let back = read("q.csv", text.as_bytes()).unwrap();
        assert_eq!(back[1], (2, texts.map(str::to_owned).to_vec()));
    }
}
