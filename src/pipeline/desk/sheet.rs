//! A sheet of rejected records: how it is laid out, and how it is understood when it comes back.
//!
//! Duty: pure rows and texts; which cells are at fault, and why. Must not: know workbooks or CSV, read or write files.
//!
//! Left stand the record and what was found, then every delivered column of the contract, right the raw text. Values
//! that could be read stand in the contract's own form, the others as delivered: what is corrected beside them needs
//! no second form.

use std::collections::BTreeSet;

use super::MAX_CELL_UNITS;
use super::records::{RecordId, Rejected};
use super::texts::Delivered;
use crate::contracts::Contract;
use crate::contracts::model::{Column, ColumnType, Operand};
use crate::domain::{Finding, Findings, Place};
use crate::ingest::source::data_columns;

/// Columns on the left of those of the contract.
pub const BEFORE: [&str; 7] = ["id", "file", "line", "rule", "column", "reason", "remedy"];
/// The column on their right.
pub const RAW: &str = "raw";

/// Rejected records of one feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub feed: String,
    pub header: Vec<Head>,
    pub rows: Vec<Line>,
}

/// One column of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub name: String,
    /// What is to be written in it; empty where nothing is.
    pub form: String,
}

/// One record of a sheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// One for each column of the sheet.
    pub texts: Vec<String>,
    /// Cells at fault: column of the sheet, and what is wrong there.
    pub marks: Vec<(usize, String)>,
}

/// A record that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    pub id: RecordId,
    /// Row of the sheet, from 1.
    pub row: u64,
    /// By delivered column, without blanks around them.
    pub cells: Vec<String>,
}

/// A row of a file that came back: its number from 1, and its texts.
pub type RawRow = (u64, Vec<String>);

/// An empty sheet for a feed.
pub fn empty(contract: &Contract) -> Sheet {
    let plain = |name: &str| Head {
        name: name.to_owned(),
        form: String::new(),
    };
    let columns = data_columns(contract).iter().map(|column| Head {
        name: column.name.clone(),
        form: form(column),
    });
    Sheet {
        feed: contract.name.clone(),
        header: BEFORE
            .map(plain)
            .into_iter()
            .chain(columns)
            .chain([plain(RAW)])
            .collect(),
        rows: Vec::new(),
    }
}

/// How values of a column are written.
fn form(column: &Column) -> String {
    let form = match column.kind {
        ColumnType::Text if !column.allowed.is_empty() => format!("one of {}", column.allowed.join(", ")),
        ColumnType::Text => "text".to_owned(),
        ColumnType::Int => "whole number".to_owned(),
        ColumnType::Decimal { scale, .. } => format!("number such as -1234.5, at most {scale} decimals"),
        ColumnType::Bool => "true or false".to_owned(),
        ColumnType::Date => "date such as 2026-07-31".to_owned(),
        ColumnType::Instant => "time such as 2026-07-31T09:30:00Z".to_owned(),
    };
    let needed = if column.required {
        "must have a value"
    } else {
        "may be empty"
    };
    format!("{form}; {needed}")
}

/// Lays a record out.
pub fn line(contract: &Contract, record: &Rejected, delivered: &Delivered) -> Line {
    let columns = data_columns(contract);
    let joined = |texts: Vec<&str>| {
        let mut seen = BTreeSet::new();
        let distinct: Vec<&str> = texts.into_iter().filter(|t| !t.is_empty() && seen.insert(*t)).collect();
        distinct.join("\n")
    };
    let of = |text: fn(&super::records::Found) -> &str| joined(record.findings.iter().map(text).collect());
    let mut texts = vec![
        record.id.to_string(),
        record.file_name.clone(),
        record.id.line.to_string(),
        of(|f| &f.rule),
        of(|f| f.column.as_deref().unwrap_or_default()),
        of(|f| &f.reason),
        of(|f| &f.remedy),
    ];
    match &delivered.cells {
        Some(cells) => texts.extend(cells.iter().cloned()),
        None => texts.extend(columns.iter().map(|_| String::new())),
    }
    texts.push(delivered.raw.clone().unwrap_or_default());
    let marks = record.findings.iter().flat_map(|found| {
        let note = format!("{}: {}\n{}", found.rule, found.reason, found.remedy);
        let at = places(contract, found.column.as_deref(), &found.rule);
        let raw = BEFORE.len() + columns.len();
        let at = if at.is_empty() {
            vec![raw]
        } else {
            at.iter().map(|i| BEFORE.len() + i).collect()
        };
        at.into_iter().map(move |column| (column, note.clone()))
    });
    let mut line = Line {
        texts,
        marks: Vec::new(),
    };
    for (column, note) in marks {
        match line.marks.iter_mut().find(|(c, _)| *c == column) {
            Some((_, notes)) => *notes = format!("{notes}\n{note}"),
            None => line.marks.push((column, note)),
        }
    }
    line.marks.sort();
    line
}

/// The delivered columns that a finding is about; none when it is about the record as a whole.
fn places(contract: &Contract, column: Option<&str>, rule: &str) -> Vec<usize> {
    let columns = data_columns(contract);
    if let Some(name) = column {
        return columns.iter().position(|c| c.name == name).into_iter().collect();
    }
    if rule == "key.conflict" {
        return contract.key.clone();
    }
    let Some(check) = contract.checks.iter().find(|c| c.id == rule) else {
        return Vec::new();
    };
    let right = match check.right {
        Operand::Column(i) | Operand::ColumnIs(i, _) => Some(i),
        Operand::Number(_) | Operand::Text(_) => None,
    };
    [Some(check.left), right]
        .into_iter()
        .flatten()
        .filter(|i| *i < columns.len())
        .collect()
}

/// The sheet with texts that fit a cell: a record that has a longer one is shown by its raw text alone, cut.
pub fn fitted(mut sheet: Sheet) -> Sheet {
    let raw = sheet.header.len() - 1;
    for line in &mut sheet.rows {
        let cells = &mut line.texts[BEFORE.len()..raw];
        if cells.iter().any(|text| cut(text).is_some()) {
            cells.iter_mut().for_each(String::clear);
        }
        let notes = line.marks.iter_mut().map(|(_, note)| note);
        for text in line.texts.iter_mut().chain(notes) {
            if let Some(cut) = cut(text) {
                *text = cut;
            }
        }
    }
    sheet
}

/// The beginning of a text that is too long for a cell.
fn cut(text: &str) -> Option<String> {
    // no text has more units than bytes
    if text.len() <= MAX_CELL_UNITS || text.encode_utf16().count() <= MAX_CELL_UNITS {
        return None;
    }
    let mut units = 0;
    let fits = |c: &char| {
        units += c.len_utf16();
        units < MAX_CELL_UNITS
    };
    Some(text.chars().take_while(fits).chain("…".chars()).collect())
}

/// Understands the rows of a sheet that came back, the header first. Rows without any text are left out. Findings name
/// the file or sheet, and the row.
pub fn read_back(contract: &Contract, place: &Place, rows: &[RawRow]) -> Result<Vec<Returned>, Findings> {
    let expected: Vec<String> = empty(contract).header.into_iter().map(|h| h.name).collect();
    let Some((_, header)) = rows.first() else {
        return Ok(Vec::new());
    };
    let given: Vec<&str> = header.iter().map(|name| name.trim()).collect();
    let given = &given[..given
        .iter()
        .rposition(|name| !name.is_empty())
        .map_or(0, |last| last + 1)];
    if given != expected {
        return Err(vec![Finding::error(
            place.clone(),
            "sheet.header",
            format!("the columns are not those of an export of '{}'", contract.name),
            format!(
                "export again, and correct cells only: the columns are {}",
                expected.join(", ")
            ),
        )]);
    }
    let mut findings = Findings::new();
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (row, texts) in &rows[1..] {
        if texts.iter().all(|text| text.trim().is_empty()) {
            continue;
        }
        let mut at = place.clone();
        at.line = Some(*row);
        let mut error = |rule: &str, message: String, remedy: &str| {
            findings.push(Finding::error(at.clone().column("id"), rule, message, remedy));
        };
        let id = texts.first().map_or("", String::as_str);
        let Some(id) = RecordId::parse(id) else {
            let remedy = "restore it from the export, or remove the row: new records are delivered as files";
            error("sheet.id", "the row has no id such as 31:22".to_owned(), remedy);
            continue;
        };
        if !seen.insert(id) {
            error(
                "sheet.twice",
                format!("{id} stands twice"),
                "keep one row of each record",
            );
            continue;
        }
        let cell = |i: usize| texts.get(BEFORE.len() + i).map_or("", |t| t.trim()).to_owned();
        out.push(Returned {
            id,
            row: *row,
            cells: (0..data_columns(contract).len()).map(cell).collect(),
        });
    }
    if findings.is_empty() { Ok(out) } else { Err(findings) }
}

#[cfg(test)]
mod tests {
    use super::super::records::Found;
    use super::*;

    fn surveys() -> Contract {
        let text = include_str!("../../../schemas/surveys.odcs.yaml");
        crate::contracts::read("schemas/surveys.odcs.yaml", text).unwrap()
    }

    fn rejected(findings: &[(Option<&str>, &str)]) -> Rejected {
        let found = |(column, rule): &(Option<&str>, &str)| Found {
            column: column.map(str::to_owned),
            rule: (*rule).to_owned(),
            reason: format!("{rule} is broken"),
            remedy: "correct it".to_owned(),
        };
        Rejected {
            id: RecordId { arrival: 3, line: 7 },
            feed: "surveys".to_owned(),
            file_name: "in/surveys.csv".to_owned(),
            findings: findings.iter().map(found).collect(),
            raw_hash: String::new(),
            typed: false,
            resolved_by: None,
        }
    }

    fn delivered(contract: &Contract) -> Delivered {
        Delivered {
            raw: Some("S1;x".to_owned()),
            cells: Some(data_columns(contract).iter().map(|c| format!("<{}>", c.name)).collect()),
        }
    }

    /// Names of the columns whose cells are marked.
    fn marked(findings: &[(Option<&str>, &str)]) -> Vec<String> {
        let contract = surveys();
        let line = line(&contract, &rejected(findings), &delivered(&contract));
        let header = empty(&contract).header;
        line.marks.iter().map(|(at, _)| header[*at].name.clone()).collect()
    }

    #[test]
    fn a_record_stands_between_its_findings_and_its_raw_text() {
        let contract = surveys();
        let record = rejected(&[(Some("rating"), "decimal.grammar"), (Some("sent_at"), "value.required")]);
        let line = line(&contract, &record, &delivered(&contract));
        assert_eq!(line.texts.len(), empty(&contract).header.len());
        let before = [
            "3:7",
            "in/surveys.csv",
            "7",
            "decimal.grammar\nvalue.required",
            "rating\nsent_at",
        ];
        assert_eq!(line.texts[..5], before);
        assert_eq!(line.texts[6], "correct it", "what is said twice stands once");
        assert_eq!(line.texts[7], "<survey_id>");
        assert_eq!(line.texts.last().map(String::as_str), Some("S1;x"));
    }

    #[test]
    fn cells_at_fault_are_marked() {
        assert_eq!(marked(&[(Some("rating"), "decimal.grammar")]), ["rating"]);
        assert_eq!(marked(&[(None, "rating-to-scale-max")]), ["rating", "scale_max"]);
        assert_eq!(marked(&[(None, "key.conflict")]), ["survey_id"]);
        assert_eq!(marked(&[(None, "record.width")]), ["raw"]);
    }

    #[test]
    fn a_record_that_cannot_be_split_has_empty_columns() {
        let contract = surveys();
        let raw = Delivered {
            raw: Some("S1;x".to_owned()),
            cells: None,
        };
        let line = line(&contract, &rejected(&[(None, "record.width")]), &raw);
        let columns = &line.texts[BEFORE.len()..line.texts.len() - 1];
        assert!(columns.iter().all(String::is_empty), "{columns:?}");
    }

    #[test]
    fn a_text_too_long_for_a_cell_is_left_to_the_raw_text() {
        let contract = surveys();
        let mut sheet = empty(&contract);
        let mut long = delivered(&contract);
        long.raw = Some("🦀".repeat(MAX_CELL_UNITS));
        long.cells.as_mut().unwrap()[2] = "x".repeat(MAX_CELL_UNITS + 1);
        sheet
            .rows
            .push(line(&contract, &rejected(&[(None, "record.width")]), &long));
        sheet.rows.push(line(
            &contract,
            &rejected(&[(None, "record.width")]),
            &delivered(&contract),
        ));
        let fitted = fitted(sheet.clone());
        assert_eq!(fitted.rows[1], sheet.rows[1]);
        let texts = &fitted.rows[0].texts;
        assert!(texts[BEFORE.len()..texts.len() - 1].iter().all(String::is_empty));
        let raw = texts.last().unwrap();
        assert!(raw.encode_utf16().count() <= MAX_CELL_UNITS && raw.ends_with("🦀…"));
    }

    fn back(rows: &[Vec<&str>]) -> Result<Vec<Returned>, Vec<String>> {
        let rows: Vec<RawRow> = (1..)
            .zip(rows)
            .map(|(n, row)| (n, row.iter().map(|t| (*t).to_owned()).collect()))
            .collect();
        read_back(&surveys(), &Place::file("q.xlsx"), &rows)
            .map_err(|found| found.iter().map(|f| format!("{} {}", f.place, f.rule)).collect())
    }

    #[test]
    fn a_sheet_comes_back_by_id() {
        let contract = surveys();
        let header = empty(&contract).header;
        let mut header: Vec<&str> = header.iter().map(|h| h.name.as_str()).collect();
        let row = |id: &'static str| {
            let mut row = vec![id, "f", "7", "", "", "", ""];
            row.extend([" S1 ", "D1"]);
            row
        };
        let read = back(&[header.clone(), row("3:7"), vec!["", " "], row("4:2")]).unwrap();
        assert_eq!(
            read.iter().map(|r| (r.id.to_string(), r.row)).collect::<Vec<_>>(),
            [("3:7".to_owned(), 2), ("4:2".to_owned(), 4)]
        );
        assert_eq!(read[0].cells[..3], ["S1", "D1", ""]);
        assert_eq!(read[0].cells.len(), data_columns(&contract).len());
        let wrong = back(&[header.clone(), row("3:7"), row("3:7"), row("x"), row("3:7:1")]);
        assert_eq!(
            wrong.unwrap_err(),
            [
                "q.xlsx:3 [id] sheet.twice",
                "q.xlsx:4 [id] sheet.id",
                "q.xlsx:5 [id] sheet.id"
            ]
        );
        header.swap(8, 9);
        assert_eq!(back(&[header, row("3:7")]).unwrap_err(), ["q.xlsx sheet.header"]);
    }
}
