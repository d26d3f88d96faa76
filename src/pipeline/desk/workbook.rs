//! Sheets as a workbook, and back.
//!
//! Duty: cells that are texts and never formulas, marks and notes at those at fault; reading back within limits. Must
//! not: know records, open files.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, Xlsx};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Note, Workbook, Worksheet, XlsxError};

use super::sheet::{BEFORE, RawRow, Sheet};
use super::{MAX_CELL_UNITS, MAX_SHEET_COLUMNS, MAX_SHEET_RECORDS, MAX_UNPACKED_BYTES};
use crate::domain::{Finding, Findings, Place};

/// Sheet that says what to do; it is not read back.
const HELP: &str = "read me";

/// Longest name of a sheet, in characters.
const MAX_NAME_CHARS: usize = 31;

/// What the sheet [`HELP`] says.
const HELP_LINES: [&str; 9] = [
    "These records were rejected when their files were read. One sheet for each feed; one row for each record.",
    "Coloured cells are at fault; their notes say why. A coloured last cell: the record as a whole is.",
    "Correct the cells of the feed's own columns, and nothing else. The notes of the header say how a value is written.",
    "Values stand in the contract's form (2026-07-31, -1234.5, true); what could not be read stands as delivered.",
    "Where the columns are empty the record could not be split: fill them from the raw text in the last column.",
    "Rows that you leave as they are stay rejected. Rows may be removed, sorted and filtered; columns may not be moved.",
    "Write values, not formulas. All cells are texts: leave them so, or leading zeros and dates change.",
    "Then: starledger quarantine replay <this file> --by <you> --reason <why>",
    "The texts may be personal data: hand this file on to nobody who need not see them, and remove it afterwards.",
];

/// Name of the sheet of a feed.
pub fn sheet_name(feed: &str) -> String {
    feed.chars().take(MAX_NAME_CHARS).collect()
}

/// A workbook of these sheets; equal sheets give equal bytes.
pub fn write(sheets: &[Sheet]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // not the time of writing
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    for sheet in sheets {
        write_sheet(workbook.add_worksheet(), sheet)?;
    }
    let help = workbook.add_worksheet();
    help.set_name(HELP)?.set_column_width(0, 120)?;
    for (row, line) in (0..).zip(HELP_LINES) {
        help.write_string(row, 0, line)?;
    }
    workbook.save_to_buffer()
}

fn write_sheet(out: &mut Worksheet, sheet: &Sheet) -> Result<(), XlsxError> {
    // "@": what is typed into the cell stays a text
    let text = Format::new().set_num_format("@").set_align(FormatAlign::Top);
    let reasons = text.clone().set_text_wrap();
    let fault = text.clone().set_background_color(0x00FF_C7CE);
    let head = Format::new().set_bold().set_background_color(0x00D9_E1F2);
    out.set_name(sheet_name(&sheet.feed))?;
    let last = u16::try_from(sheet.header.len().saturating_sub(1)).unwrap_or(u16::MAX);
    for (column, h) in (0..=last).zip(&sheet.header) {
        out.write_string_with_format(0, column, &h.name, &head)?;
        if !h.form.is_empty() {
            out.insert_note(0, column, &note(&h.form))?;
        }
        let width = match h.name.as_str() {
            "reason" | "remedy" | "raw" => 50,
            "file" => 36,
            _ => 18,
        };
        out.set_column_width(column, width)?;
    }
    for (row, line) in (1_u32..).zip(&sheet.rows) {
        for (column, value) in (0_u16..).zip(&line.texts) {
            let marked = line.marks.iter().find(|(at, _)| *at == usize::from(column));
            let is_finding = usize::from(column) < BEFORE.len();
            let format = match marked {
                Some(_) => &fault,
                None if is_finding => &reasons,
                None => &text,
            };
            if value.is_empty() {
                out.write_blank(row, column, format)?;
            } else {
                out.write_string_with_format(row, column, value, format)?;
            }
            if let Some((_, why)) = marked {
                out.insert_note(row, column, &note(why))?;
            }
        }
    }
    out.set_freeze_panes(1, 1)?;
    let last_row = u32::try_from(sheet.rows.len()).unwrap_or(u32::MAX);
    out.autofilter(0, 0, last_row, last)?;
    Ok(())
}

fn note(text: &str) -> Note {
    Note::new(text).add_author_prefix(false).set_width(320).set_height(110)
}

/// The sheets of a workbook by name, but for the one that says what to do; `file` is its name for messages. Findings
/// name the sheet, the row and the column.
pub fn read(file: &str, bytes: &[u8]) -> Result<Vec<(String, Vec<RawRow>)>, Findings> {
    let whole = |rule: &str, message: String| {
        let remedy = "save it as .xlsx again, or export anew";
        vec![Finding::error(Place::file(file), rule, message, remedy)]
    };
    unpack(bytes).map_err(|detail| whole("sheet.unreadable", detail))?;
    // the reader is another's code, and the file may be anybody's
    let read = catch_unwind(AssertUnwindSafe(|| read_sheets(file, bytes)));
    match read {
        Ok(Ok(read)) => read,
        Ok(Err(error)) => Err(whole(
            "sheet.unreadable",
            format!("is no workbook that can be read: {error}"),
        )),
        Err(_) => Err(whole("sheet.unreadable", "is no workbook that can be read".to_owned())),
    }
}

/// Unpacks everything once, within limits and without keeping it: sizes that an archive declares may be wrong.
fn unpack(bytes: &[u8]) -> Result<(), String> {
    let no_archive = |e: zip::result::ZipError| format!("is no workbook: {e}");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(no_archive)?;
    let mut left = MAX_UNPACKED_BYTES;
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(no_archive)?;
        let read = io::copy(&mut entry.take(left + 1), &mut io::sink()).map_err(|e| format!("is damaged: {e}"))?;
        left = left
            .checked_sub(read)
            .ok_or_else(|| format!("holds more than {MAX_UNPACKED_BYTES} bytes when unpacked"))?;
    }
    Ok(())
}

type Sheets = Vec<(String, Vec<RawRow>)>;

fn read_sheets(file: &str, bytes: &[u8]) -> Result<Result<Sheets, Findings>, calamine::XlsxError> {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes))?;
    let mut findings = Findings::new();
    let mut sheets = Vec::new();
    for name in workbook.sheet_names() {
        if name == HELP {
            continue;
        }
        let place = Place::file(format!("{file}, sheet {name}"));
        let rows = read_sheet(&mut workbook, &name, &place, &mut findings)?;
        sheets.push((name, rows));
    }
    Ok(if findings.is_empty() { Ok(sheets) } else { Err(findings) })
}

fn read_sheet(
    workbook: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    place: &Place,
    findings: &mut Findings,
) -> Result<Vec<RawRow>, calamine::XlsxError> {
    let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    // one cell at a time: a dense range of a sheet with one cell far down would fill the memory
    let mut cells = workbook.worksheet_cells_reader(name)?;
    while let Some(cell) = cells.next_cell_with_formula()? {
        let (row, column) = cell.pos;
        let text = if cell.formula.is_some() {
            Err("is a formula")
        } else {
            text_of(&cell.value)
        };
        let text = match text {
            Ok(text) if text.is_empty() => continue,
            Ok(text) => text,
            Err(what) => {
                let at = Place::line(&place.file, u64::from(row) + 1).column(column_name(column));
                let remedy = "format the cell as text, and write the value as the note of the header says";
                findings.push(Finding::error(at, "sheet.cell", format!("the cell {what}"), remedy));
                continue;
            }
        };
        if column >= MAX_SHEET_COLUMNS || (rows.len() > MAX_SHEET_RECORDS && !rows.contains_key(&row)) {
            let message = format!("has more than {MAX_SHEET_RECORDS} records or {MAX_SHEET_COLUMNS} columns");
            let remedy = "split the sheet, and remove what was not exported";
            findings.push(Finding::error(place.clone(), "sheet.size", message, remedy));
            return Ok(Vec::new());
        }
        let texts = rows.entry(row).or_default();
        let at = column as usize;
        if texts.len() <= at {
            texts.resize(at + 1, String::new());
        }
        texts[at] = text;
    }
    Ok(rows
        .into_iter()
        .map(|(row, texts)| (u64::from(row) + 1, texts))
        .collect())
}

/// The text of a cell, or what it is instead.
fn text_of(value: &DataRef<'_>) -> Result<String, &'static str> {
    let text = match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(flag) => flag.to_string(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => {
            let text = number.to_string();
            if text.bytes().filter(u8::is_ascii_digit).count() > 15 {
                return Err("is a number of more digits than a spreadsheet keeps");
            }
            text
        }
        DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => {
            return Err("is a date of the spreadsheet, and not the text of one");
        }
        DataRef::Error(_) => return Err("holds an error of the spreadsheet"),
    };
    if text.len() > 4 * MAX_CELL_UNITS {
        return Err("is longer than a cell may be");
    }
    Ok(text)
}

/// A, B, … Z, AA, …
fn column_name(column: u32) -> String {
    let mut name = Vec::new();
    let mut left = column;
    loop {
        name.push(char::from(b'A' + u8::try_from(left % 26).unwrap_or(0)));
        match left / 26 {
            0 => return name.into_iter().rev().collect(),
            more => left = more - 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sheet::{Head, Line, RAW};
    use super::*;

    const HOSTILE: [&str; 14] = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "a\r\nb",
        "＝1+1",
        "＋1",
        "_x000D_",
        "_x005F_",
        "\u{1}",
        "https://example.org",
        " x ",
    ];

    fn sheet(texts: &[&str]) -> Sheet {
        let head = |name: &str| Head {
            name: name.to_owned(),
            form: "text".to_owned(),
        };
        let own: Vec<String> = (0..texts.len()).map(|i| format!("c{i}")).collect();
        let names = BEFORE
            .iter()
            .copied()
            .chain(own.iter().map(String::as_str))
            .chain([RAW]);
        let before = ["1:2", "in/a.csv", "2", "r", "c0", "why", "what"];
        let line = Line {
            texts: before
                .iter()
                .chain(texts)
                .chain(&["raw"])
                .map(|t| (*t).to_owned())
                .collect(),
            marks: vec![(BEFORE.len(), "r: why\nwhat".to_owned())],
        };
        Sheet {
            feed: "sales".to_owned(),
            header: names.map(head).collect(),
            rows: vec![line],
        }
    }

    #[test]
    fn every_text_comes_back_and_none_is_a_formula() {
        let sheet = sheet(&HOSTILE);
        let bytes = write(std::slice::from_ref(&sheet)).unwrap();
        assert_eq!(
            bytes,
            write(std::slice::from_ref(&sheet)).unwrap(),
            "equal sheets, equal bytes"
        );
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes.as_slice())).unwrap();
        let mut xml = String::new();
        archive
            .by_name("xl/worksheets/sheet1.xml")
            .unwrap()
            .read_to_string(&mut xml)
            .unwrap();
        assert!(!xml.contains("<f>") && !xml.contains("<hyperlink"), "{xml}");
        assert!(xml.contains("<pane") && xml.contains("<autoFilter"), "{xml}");
        let read = read("q.xlsx", &bytes).unwrap();
        let [(name, rows)] = &read[..] else { panic!("{read:?}") };
        assert_eq!(name, "sales");
        let header: Vec<&str> = sheet.header.iter().map(|h| h.name.as_str()).collect();
        assert_eq!(rows[0].1, header);
        assert_eq!(rows[1], (2, sheet.rows[0].texts.clone()));
    }

    #[test]
    fn what_is_no_text_is_told_by_its_cell() {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        sheet.write_string(0, 0, "id").unwrap();
        sheet.write_number(1, 0, 5).unwrap();
        sheet.write_number(1, 1, 1.234_567_890_123_456_7).unwrap();
        sheet.write_formula(1, 2, "=1+1").unwrap();
        let date = Format::new().set_num_format("yyyy-mm-dd");
        sheet
            .write_datetime_with_format(1, 27, ExcelDateTime::from_ymd(2026, 7, 1).unwrap(), &date)
            .unwrap();
        let found = read("q.xlsx", &workbook.save_to_buffer().unwrap()).unwrap_err();
        let found: Vec<String> = found.iter().map(|f| format!("{}: {}", f.place, f.message)).collect();
        assert_eq!(
            found,
            [
                "q.xlsx, sheet Sheet1:2 [B]: the cell is a number of more digits than a spreadsheet keeps",
                "q.xlsx, sheet Sheet1:2 [C]: the cell is a formula",
                "q.xlsx, sheet Sheet1:2 [AB]: the cell is a date of the spreadsheet, and not the text of one",
            ]
        );
    }

    #[test]
    fn what_is_no_workbook_is_refused() {
        let bytes = write(&[sheet(&["x"])]).unwrap();
        for bad in [&b""[..], b"id,file\n", &bytes[..bytes.len() / 2], b"PK\x03\x04"] {
            assert_eq!(read("q.xlsx", bad).unwrap_err()[0].rule, "sheet.unreadable");
        }
        // one byte after the other damaged: an error or a reading, and never a panic
        for at in (0..bytes.len()).step_by(97) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            let _ = read("q.xlsx", &damaged);
        }
    }

    #[test]
    fn a_cell_far_away_takes_no_memory() {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        sheet.write_string(1_048_575, 3, "x").unwrap();
        let read = read("q.xlsx", &workbook.save_to_buffer().unwrap()).unwrap();
        assert_eq!(read[0].1, [(1_048_576, ["", "", "", "x"].map(str::to_owned).to_vec())]);
    }
}
