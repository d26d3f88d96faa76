//! Workbooks in, records out.

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

use super::fixtures::{Book, WORKBOOK, book, fault, sheet, sheet_with, told};
use super::*;
use crate::ingest::frames::{Kind, Next, Reader, Record};

const HEADER: &str = "1: id|amount";

/// What is read of a sheet with the header `id, amount`, without the header.
fn rows(rows: &str) -> Vec<String> {
    let mut lines = told(&sheet(rows), &WORKBOOK);
    assert_eq!(lines.remove(0), HEADER);
    lines
}

#[test]
fn values_are_texts_with_their_kinds() {
    let found = rows(
        "<row r='2'><c r='A2' t='s'><v>2</v></c><c r='B2'><v>1.1000000000000001</v></c></row>\
         <row><c t='inlineStr'><is><r><t>x</t></r><r><t xml:space='preserve'> y</t></r></is></c><c t='b'><v>1</v></c></row>\
         <row r='4'><c r='A4' s='1'><v>45292</v></c><c r='B4' s='2'><v>45292.520833333336</v></c></row>\
         <row r='5'><c r='A5' t='d'><v>2024-02-29</v></c><c r='B5' t='d'><v>2024-02-29T12:30:00Z</v></c></row>\
         <row r='6'><c r='A6' t='str'><f>A1&amp;\"\"</f><v>00123_x005F_</v></c><c r='B6' s='4'><v>-0.30</v></c></row>\
         <row r='7'><c r='A7' t='s'><v>2</v></c></row>",
    );
    assert_eq!(
        found,
        [
            "2: a,\"b\"|#1.1",
            "3: x y|?true",
            "4: @2024-01-01|@2024-01-01T12:30:00",
            "5: @2024-02-29|@2024-02-29T12:30:00Z",
            "6: 00123_|#-0.3",
            "7: a,\"b\"|",
            "note xlsx.formulas: cells with formulas: 1; read were the results as they were last calculated",
            "note xlsx.mixed_dates: columns with dates and texts beside one another: 'id'",
        ]
    );
}

#[test]
fn what_is_no_value_is_told_cell_by_cell() {
    let found = rows(
        "<row r='2'><c r='A2' t='e'><v>#REF!</v></c><c r='B2' t='e'><f>1/0</f><v>#DIV/0!</v></c></row>\
         <row r='3'><c r='A3'><f>B3</f></c><c r='B3'><f>A3</f><v></v></c></row>\
         <row r='4'><c r='A4' s='1'><v>60</v></c><c r='B4' s='1'><v>-1</v></c></row>\
         <row r='5'><c r='A5' t='s'><v>99</v></c><c r='B5'><v>12,5</v></c></row>\
         <row r='6'><c r='A6' t='x'><v>1</v></c><c r='B6' t='b'><v>2</v></c></row>\
         <row r='7'><c r='A7' s='99'><v>1</v></c><c r='B7' s='2'><v>0.5</v></c></row>",
    );
    assert_eq!(
        found[..6],
        [
            "2: xlsx.error_cell|xlsx.error_cell",
            "3: xlsx.no_cached_value|xlsx.no_cached_value",
            "4: xlsx.date_serial|xlsx.date_serial",
            "5: cell.unreadable|cell.unreadable",
            "6: cell.unreadable|cell.unreadable",
            "7: cell.unreadable|xlsx.date_serial",
        ]
    );
}

#[test]
fn damaged_ids_are_told_and_texts_stay_texts() {
    let found = rows(
        "<row r='2'><c r='A2'><v>12345678901234567890</v></c><c r='B2'><v>123456789012345</v></c></row>\
         <row r='3'><c r='A3'><v>1.23457E+14</v></c><c r='B3'><v>0.30000000000000004</v></c></row>\
         <row r='4'><c r='A4' s='3'><v>123</v></c><c r='B4' t='str'><v>12345678901234567890</v></c></row>",
    );
    assert_eq!(
        found,
        [
            "2: #!12345678901234567000|#123456789012345",
            "3: #!123457000000000|#!0.30000000000000004",
            "4: #!123|12345678901234567890",
            "note xlsx.mixed_numbers: columns with numbers and numbers stored as text: 'amount'",
        ]
    );
}

#[test]
fn days_of_the_system_of_1904() {
    let rows = "<row r='1'><c r='A1' t='s'><v>0</v></c></row><row r='2'><c r='A2' s='1'><v>43830</v></c></row>";
    let mut book = book(rows, "");
    book.workbook = book.workbook.replace("<workbookPr/>", "<workbookPr date1904='1'/>");
    assert_eq!(told(&book.pack(), &WORKBOOK), ["1: id", "2: @2024-01-01"]);
}

#[test]
fn blank_rows_between_are_records_and_behind_are_none() {
    let styled = "<row r='6'><c r='A6' s='1'/><c r='B6' t='inlineStr'><is><t> </t></is></c></row><row r='1048576'><c r='XFD1048576' s='2'/></row>";
    let found = rows(&format!(
        "<row r='2'><c r='B2'><v>1</v></c></row><row r='5'><c r='A5'><v>2</v></c></row>{styled}"
    ));
    assert_eq!(found, ["2: |#1", "3: |", "4: |", "5: #2|"]);
}

#[test]
fn far_cells_are_refused_before_anything_is_filled_up() {
    for far in [
        "<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
        "<row r='20000'><c r='A20000'><v>1</v></c></row>",
        "<row r='2'><c r='XFD2'><v>1</v></c></row>",
    ] {
        let bytes = sheet(far);
        assert!(bytes.len() < 3000, "{}", bytes.len());
        assert!(fault(&bytes, &WORKBOOK).starts_with("fault xlsx.far_cell: "), "{far}");
    }
}

#[test]
fn cells_out_of_order_are_refused() {
    for wrong in [
        "<row r='1'/>",
        "<row r='1048577'/>",
        "<row r='x'/>",
        "<row r='2'><c r='B2'/><c r='A2'/></row>",
        "<row r='2'><c r='A2'/><c r='A2'/></row>",
        "<row r='2'><c r='A3'/></row>",
        "<row r='2'><c r='A0'/></row>",
        "<row r='2'><c r='XFD2'/><c/></row>",
        "<row r='2'><c r='nonsense'/></row>",
    ] {
        assert!(
            fault(&sheet(wrong), &WORKBOOK).starts_with("fault xlsx.order: "),
            "{wrong}"
        );
    }
}

#[test]
fn hidden_rows_and_columns_are_read_and_counted() {
    let rows = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c></row>\
                <row r='2'><c r='A2'><v>1</v></c></row><row r='3' hidden='1'><c r='A3'><v>2</v></c></row>\
                <row r='4' ht='0' customHeight='1'><c r='A4'><v>3</v></c></row><row r='5' hidden='1'/>";
    let mut book = book(rows, "");
    book.sheet = book.sheet.replace(
        "<sheetData>",
        "<cols><col min='2' max='16384' width='0'/></cols><sheetData>",
    );
    assert_eq!(
        told(&book.pack(), &WORKBOOK),
        [
            "1: id|amount",
            "2: #1|",
            "3~: #2|",
            "4~: #3|",
            "note xlsx.hidden_rows: hidden rows with values: 2, the first is row 3",
            "note xlsx.hidden_columns: hidden columns were read: 'amount'",
        ]
    );
}

#[test]
fn merged_cells_are_told_and_a_merged_header_is_refused() {
    let data = "<row r='2'><c r='A2'><v>1</v></c></row><row r='3'><c r='B3'><v>2</v></c></row>";
    let merged = |range: &str| {
        let behind = format!("<mergeCells count='1'><mergeCell ref='{range}'/></mergeCells>");
        told(&sheet_with(data, &behind), &WORKBOOK).pop().unwrap()
    };
    assert!(merged("A2:A3").starts_with("note xlsx.merged: merged ranges among the records: 1, the first in row 2"));
    assert_eq!(merged("A9:B9"), "3: |#2");
    assert_eq!(merged("D2:E3"), "3: |#2");
    for header in ["A1:B1", "A1:A2"] {
        assert!(merged(header).starts_with("fault xlsx.merged_header: cells of the header are merged, from A1"));
    }
    assert!(merged("nonsense").starts_with("fault xlsx.xml"));
}

#[test]
fn the_header_stands_where_it_is_declared() {
    let rows = "<row r='1'><c r='A1' t='inlineStr'><is><t>Report</t></is></c></row>\
                <row r='3'><c r='A3' t='s'><v>0</v></c></row><row r='4'><c r='A4'><v>1</v></c></row>";
    let options = Options {
        header_row: 3,
        ..WORKBOOK
    };
    assert_eq!(told(&book(rows, "").pack(), &options), ["1 -", "3: id", "4: #1"]);
    let options = Options {
        header_row: 2,
        ..WORKBOOK
    };
    assert!(fault(&book(rows, "").pack(), &options).starts_with("fault file.no_header: row 2"));
    assert!(fault(&book("", "").pack(), &WORKBOOK).starts_with("fault file.no_header: row 1"));
}

#[test]
fn a_record_wider_than_its_header_keeps_its_cells() {
    assert_eq!(rows("<row r='2'><c r='D2'><v>1</v></c></row>"), ["2: |||#1"]);
}

fn two_sheets(first: &str, second: &str) -> Book {
    let mut two = book("<row><c t='s'><v>0</v></c></row>", "");
    let sheets = format!(
        "<sheets><sheet name='Data' sheetId='1' r:id='rId1'{first}/><sheet name='Old' sheetId='2' r:id='rId2'{second}/></sheets>"
    );
    let start = two.workbook.find("<sheets>").unwrap();
    two.workbook = format!("{}{sheets}</workbook>", &two.workbook[..start]);
    let other = book("<row><c t='s'><v>1</v></c></row>", "").sheet;
    two.more.push(("xl/worksheets/sheet2.xml", other.into_bytes()));
    two
}

#[test]
fn the_sheet_is_the_named_or_the_only_visible_one() {
    let named = |name: &str| Options {
        sheet: Some(name.to_owned()),
        ..WORKBOOK
    };
    let both = two_sheets("", "").pack();
    assert_eq!(
        fault(&both, &WORKBOOK),
        "fault xlsx.sheet: the workbook has not one visible sheet; it has 'Data', 'Old'"
    );
    let sheets = "note xlsx.sheets: of 'Data', 'Old' only";
    assert_eq!(
        told(&both, &named("Old")),
        ["1: amount", &format!("{sheets} 'Old' was read")]
    );
    assert_eq!(
        fault(&both, &named("data")),
        "fault xlsx.sheet: the workbook has no sheet 'data'; it has 'Data', 'Old'"
    );
    let hidden = two_sheets("", " state='veryHidden'").pack();
    assert_eq!(told(&hidden, &WORKBOOK)[0], "1: id");
    assert!(told(&hidden, &named("Old"))[1].starts_with("note xlsx.hidden_sheet"));
}

#[test]
fn macros_are_not_run_and_told() {
    let mut book = book("<row><c t='s'><v>0</v></c></row>", "");
    book.more.push(("xl/vbaProject.bin", Vec::new()));
    assert_eq!(
        told(&book.pack(), &WORKBOOK),
        ["1: id", "note xlsx.macros: the workbook has macros; they were not run"]
    );
}

#[test]
fn a_workbook_of_a_program_reads_as_a_peer_reads_it() {
    use calamine::{Data, Reader as _};
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let time = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000");
    for (column, name) in ["id", "amount", "day", "time", "paid", "sum"].iter().enumerate() {
        sheet.write(0, u16::try_from(column).unwrap(), *name).unwrap();
    }
    for row in 1..200_u32 {
        let cents = i64::from(row) * 7919;
        let amount: f64 = format!("{}.{:02}", cents / 100, cents % 100).parse().unwrap();
        let date = ExcelDateTime::from_ymd(2024, 1 + u8::try_from(row % 12).unwrap(), 28).unwrap();
        let at = date
            .clone()
            .and_hms_milli(u16::try_from(row % 24).unwrap(), 59, 1, u16::try_from(row).unwrap());
        sheet.write(row, 0, format!("A-{row:05} <&> é_x000D_")).unwrap();
        sheet.write(row, 1, amount).unwrap();
        sheet.write_with_format(row, 2, &date, &day).unwrap();
        sheet.write_with_format(row, 3, at.unwrap(), &time).unwrap();
        sheet.write(row, 4, row % 2 == 0).unwrap();
        sheet.write(row, 5, Formula::new("=1+1").set_result("2")).unwrap();
    }
    let bytes = workbook.save_to_buffer().unwrap();

    let mut peer: calamine::Xlsx<_> = calamine::open_workbook_from_rs(io::Cursor::new(&bytes)).unwrap();
    let range = peer.worksheet_range_at(0).unwrap().unwrap();
    let frames = super::fixtures::frames(&bytes, &WORKBOOK);
    let mut reader = Reader::new(frames.as_slice());
    let mut record = Record::default();
    let mut records = 0;
    let end = loop {
        match reader.next(&mut record).unwrap() {
            Next::Record => {}
            Next::End(end) => break end,
            other => panic!("{other:?}"),
        }
        for (cell, theirs) in record.cells().zip(&range[records]) {
            let expected = match theirs {
                Data::DateTime(at) => {
                    let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
                    let fraction = if milli == 0 {
                        String::new()
                    } else {
                        format!(".{milli:03}")
                    };
                    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}")
                }
                other => other.to_string(),
            };
            let ours = cell.text.to_owned() + if cell.kind == Kind::Date { "T00:00:00" } else { "" };
            assert_eq!(ours, expected, "row {}", record.line);
        }
        records += 1;
    };
    assert_eq!(records, 200);
    assert_eq!(end.notes.len(), 1, "{:?}", end.notes);
    assert!(end.notes[0].is_warning && end.notes[0].rule == "xlsx.formulas");
}

#[test]
fn options_are_those_of_the_source_and_become_arguments() {
    let text = "[[source]]\nname = 's'\nfeed = 'f'\nfiles = ['in/*.xlsx']\nformat = 'xlsx'\nsheet = '-Data 1'\n\
                header_row = 3\ncompression = 'gzip'\n";
    let sources = crate::ingest::Source::read("pipelines/sources/s.toml", text).unwrap();
    let options = Options::of(&sources[0]).unwrap();
    assert_eq!(
        options.arguments(),
        [
            "read-foreign",
            "--format=xlsx",
            "--compression=gzip",
            "--sheet=-Data 1",
            "--header-row=3",
            "--"
        ]
    );
    assert_eq!(super::compression("gzip"), Some(options.compression));
    assert_eq!(super::Format::parse("xlsx"), Some(options.format));
    let csv = text
        .replace("xlsx", "csv")
        .replace("sheet = '-Data 1'\n", "")
        .replace("header_row = 3\n", "");
    let sources = crate::ingest::Source::read("pipelines/sources/s.toml", &csv).unwrap();
    assert_eq!(Options::of(&sources[0]), None);
}
