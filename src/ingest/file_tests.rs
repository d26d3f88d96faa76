//! Whole files: what becomes of each record.

use std::io::{self, Cursor, Seek, SeekFrom};

use super::super::fixtures::{Found, notes, outcome, read, read_input, sales, source, told, told_of, with_good};
use super::*;

#[test]
fn rows_in_contract_order_whatever_the_order_of_the_file() {
    let found = outcome("", "note,ordered_on,amount,id\nhello,2026-07-01,1.50,A\n");
    assert_eq!(told(&found), ["2: A|1.5000|2026-07-01|hello"]);
    assert_eq!((found.records, found.outcome.rows), (1, 1));
}

#[test]
fn a_row_is_the_same_from_every_dialect() {
    let plain = outcome("", "id,amount,ordered_on,note\nA,1234.5,2026-07-01,\n");
    let german = outcome(
        "delimiter = ';'\ndecimal_mark = ','\ngrouping_mark = '.'\ndate_formats = ['%d.%m.%Y']\nnull_tokens = ['-']\nrename = { Betrag = 'amount' }",
        "id;Betrag;ordered_on;note\r\n A ;1.234,50;01.07.2026;-\r\n",
    );
    let json = outcome(
        "format = 'json_lines'",
        "{\"id\":\"A\",\"amount\":1234.50,\"ordered_on\":\"2026-07-01\",\"note\":null}",
    );
    assert_eq!(plain.rows()[0].1, german.rows()[0].1);
    assert_eq!(plain.rows()[0].1, json.rows()[0].1);
    assert_eq!(plain.batches[0].hashes(&[0]), json.batches[0].hashes(&[0]));
}

#[test]
fn widths_are_exact() {
    let found = told_of(
        "",
        &with_good(38, "A,1,2026-07-01\nB,1,2026-07-01,x,y\nC;1;2026-07-01;\n"),
    );
    // three of 41 are over 5 %
    assert!(
        found[0].starts_with("set aside: file.rejects: 3 of 41 records are rejected"),
        "{}",
        found[0]
    );
    let found = told_of(
        "",
        &with_good(60, "A,1,2026-07-01\nB,1,2026-07-01,x,y\nC;1;2026-07-01;\n"),
    );
    assert_eq!(
        found[60..],
        ["62! record.width", "63! record.width", "64! record.width"]
    );
}

#[test]
fn empty_files_are_told_apart() {
    assert_eq!(told_of("", ""), ["set aside: file.empty: the file has 0 bytes"]);
    assert_eq!(
        told_of("", "\n\r\n"),
        ["set aside: file.no_header: the file has bytes and no header"]
    );
    assert_eq!(
        told_of("", "\u{FEFF}"),
        ["set aside: file.no_header: the file has bytes and no header"]
    );
    let header = outcome("", "id,amount,ordered_on,note\n");
    assert_eq!(
        (told(&header), notes(&header)),
        (vec![], vec!["file.no_rows the file has no records".to_owned()])
    );
    assert_eq!(
        notes(&outcome("format = 'json_lines'", "\n")),
        ["file.no_rows the file has no records"]
    );
    assert_eq!(
        told_of("format = 'json_lines'", ""),
        ["set aside: file.empty: the file has 0 bytes"]
    );
}

#[test]
fn what_is_no_text_is_set_aside() {
    let aside = |bytes: &[u8]| told(&read(&source("feed = 'sales'"), &sales(), 1, bytes))[0].clone();
    assert!(aside(b"PK\x03\x04").contains("file.type"));
    assert!(aside(b"i\0d\0,\0").contains("file.encoding"));
    assert!(aside(b"<!DOCTYPE html><html>").contains("file.type"));
    assert!(aside(b"id,am\xFCount,ordered_on\n").contains("header.unreadable: byte 5 of the file (0xFC) is no utf-8"));
    assert!(aside(b"\"id,amount\n").contains("header.unreadable"));
    assert!(aside(b"id,amount\n").contains("header.missing: the header lacks ordered_on"));
    assert!(aside(b"id;amount;ordered_on\n").contains("it has the unknown 'id;amount;ordered_on'"));
    assert!(aside(b"id,id,amount,ordered_on\n").contains("header.duplicate"));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_name() {
    let found = outcome("", "\u{FEFF}id,amount,ordered_on\nA,1,2026-07-01\n");
    assert_eq!(told(&found), ["2: A|1.0000|2026-07-01|"]);
    assert_eq!(
        notes(&found),
        ["header.absent the file has no column 'note'; it is null in every row"]
    );
}

#[test]
fn preamble_totals_repeated_headers_and_blanks_need_a_rule() {
    let text =
        "id,amount,ordered_on,note\nA,1,2026-07-01,\nid,amount,ordered_on,note\n,,,\nB,2,2026-07-01,\nTOTAL,3,,\n";
    let strict = outcome("", &format!("{text}{}", &with_good(80, "")[26..]));
    assert_eq!(
        told(&strict)[..5],
        [
            "2: A|1.0000|2026-07-01|",
            "3! record.repeated_header",
            "4! record.blank",
            "5: B|2.0000|2026-07-01|",
            "6! value.required ordered_on",
        ]
    );
    let rules = "skip = { preamble_lines = 2, repeated_header = true, blank_rows = true, totals = { column = 'id', starts_with = 'TOTAL' } }";
    let skipped = outcome(rules, &format!("Report of \"July\n\n{text}"));
    assert_eq!(
        told(&skipped),
        [
            "4: A|1.0000|2026-07-01|",
            "7: B|2.0000|2026-07-01|",
            "skip.blank: 1",
            "skip.header: 1",
            "skip.preamble: 2",
            "skip.totals: 1",
        ]
    );
    assert_eq!(skipped.records, 7);
    // a total has often fewer fields than a row
    assert_eq!(
        told_of(rules, "x\ny\nid,amount,ordered_on\nTOTAL;3\nTOTAL,3\n"),
        ["skip.preamble: 2", "skip.totals: 2"]
    );
}

#[test]
fn preamble_without_a_rule_is_a_wrong_header() {
    assert!(told_of("", "Report of July\nid,amount,ordered_on\n")[0].contains("header.missing"));
    assert!(told_of("skip = { preamble_lines = 5 }", "id,amount,ordered_on\n")[0].contains("file.no_header"));
}

#[test]
fn json_lines_by_the_same_rules() {
    let keys = "format = 'json_lines'\nskip = { totals = { column = 'id', starts_with = 'TOTAL' } }\nrename = { Betrag = 'amount' }";
    let lines = [
        r#"{"id":"A","Betrag":1.50,"ordered_on":"2026-07-01","extra":1}"#,
        r#"{"ordered_on":"2026-07-01","AMOUNT":"2","id":7}"#,
        r#"{"id":"TOTAL","amount":3.5}"#,
    ];
    let good = outcome(keys, &lines.join("\n"));
    assert_eq!(
        told(&good),
        ["1: A|1.5000|2026-07-01|", "2: 7|2.0000|2026-07-01|", "skip.totals: 1"]
    );
    assert_eq!(
        notes(&good),
        [
            "header.normalised the member 'AMOUNT' was read as 'amount'",
            "header.unknown the column 'extra' is not in the contract; values not read: 1",
        ]
    );
    for (bad, expected) in [
        (
            r#"{"id":"A","amount":1e3,"ordered_on":"2026-07-01"}"#,
            "1! decimal.grammar amount",
        ),
        (
            r#"{"id":"A","amount":1,"Betrag":1,"ordered_on":"2026-07-01"}"#,
            "1! json.duplicate_key",
        ),
        (r#"{"id":"A","amount":1}"#, "1! value.required ordered_on"),
        (
            r#"{"id":"\u0000","amount":1,"ordered_on":"2026-07-01"}"#,
            "1! value.control id",
        ),
        (r#"{"note":null}"#, "1! record.blank"),
        ("{}", "1! record.blank"),
        ("{", "1! json.syntax"),
    ] {
        assert_eq!(told_of(keys, bad), [expected], "{bad}");
    }
    assert_eq!(
        told_of(
            keys,
            "\u{FEFF}{\"id\":\"A\",\"amount\":1,\"ordered_on\":\"2026-07-01\"}"
        ),
        ["1: A|1.0000|2026-07-01|"]
    );
}

/// A file whose last bytes cannot be read.
struct Failing(Cursor<&'static [u8]>);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk says no")),
            read => Ok(read),
        }
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::End(_) => Ok(40),
            to => self.0.seek(to),
        }
    }
}

#[test]
fn a_failing_disk_or_another_size_sets_the_file_aside() {
    let text = b"id,amount,ordered_on\nA,1,2026-07-01\n".as_slice();
    let read = |input| {
        told(&read_input(
            &source("feed = 'sales'"),
            &sales(),
            1,
            40,
            Input::Bytes(input),
        ))
    };
    assert_eq!(
        read(Box::new(Failing(Cursor::new(text)))),
        ["set aside: file.unreadable: the file could not be read to its end: the disk says no"]
    );
    assert_eq!(
        read(Box::new(Cursor::new(text))),
        ["set aside: file.changed: 36 bytes were read where 40 were landed"]
    );
}

#[test]
fn dirt_does_not_move_its_neighbours() {
    let bad = [
        "x\"y,1,2026-07-01,",
        "\"open,1,2026-07-01,",
        "\u{0},1,2026-07-01,",
        "１,１,2026-07-01,",
        ",1,2026-07-01,",
    ];
    let clean = outcome("", &with_good(200, ""));
    for dirt in bad {
        let mut lines: Vec<String> = with_good(200, "").lines().map(str::to_owned).collect();
        lines.insert(100, dirt.to_owned());
        let found = outcome("", &lines.join("\r\n"));
        assert_eq!((found.rejected(), found.rejects[0].line), (1, 101), "{dirt}");
        let rows = |f: &Found| f.rows().into_iter().map(|(_, row)| row).collect::<Vec<_>>();
        assert_eq!(rows(&found), rows(&clean), "{dirt}");
    }
}

#[test]
fn packed_and_encoded_texts_are_read_as_declared() {
    let good = ["2: A|1.0000|2026-07-01|Zürich"];
    let read = |keys: &str, bytes: &[u8]| told(&read(&source(&format!("feed = 'sales'\n{keys}")), &sales(), 1, bytes));
    let text = "id,amount,ordered_on,note\nA,1,2026-07-01,Zürich\n";
    let wide: Vec<u8> = format!("\u{FEFF}{text}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read("", &wide), good);
    let western: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert_eq!(read("encoding = 'windows-1252'", &western), good);
    let found = read("", &western);
    assert_eq!(found, ["2! record.encoding"]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(read("compression = 'gzip'", &gzip), good);
    assert!(read("compression = 'gzip'", &gzip[..gzip.len() - 3])[0].contains("archive.damaged"));
}

#[test]
fn an_undecodable_byte_is_named_by_its_place_in_the_file() {
    let found = read(
        &source("feed = 'sales'\nencoding = 'gbk'"),
        &sales(),
        1,
        b"id,amount,ordered_on,note\nA,1,2026-07-01,\xD6\xD0\xFF\n",
    );
    assert_eq!(told(&found), ["2! record.encoding"]);
    assert!(
        found.rejects[0].reason.contains("byte 43"),
        "{}",
        found.rejects[0].reason
    );
}
