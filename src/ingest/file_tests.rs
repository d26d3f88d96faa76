//! Whole files: what becomes of each record.

use std::io::{self, BufReader, Read};

use super::super::fixtures::{notes, outcome, read, sales, source, told, told_of, with_good};
use super::*;
use crate::domain::Digest;

#[test]
fn rows_in_contract_order_whatever_the_order_of_the_file() {
    let found = outcome("", "note,ordered_on,amount,id\nhello,2026-07-01,1.50,A\n");
    assert_eq!(told(&found), ["2: A|1.5000|2026-07-01|hello"]);
    let row = &found.rows[0];
    assert_eq!(row.key, [crate::domain::Value::text("A")]);
    let names = ["id", "amount", "ordered_on", "note"];
    assert_eq!(
        row.hash,
        crate::domain::table::named_row_hash(names.into_iter().zip(&row.values))
    );
}

#[test]
fn a_row_has_the_same_hash_from_every_dialect() {
    let plain = outcome("", "id,amount,ordered_on,note\nA,1234.5,2026-07-01,\n");
    let german = outcome(
        "delimiter = ';'\ndecimal_mark = ','\ngrouping_mark = '.'\ndate_formats = ['%d.%m.%Y']\nnull_tokens = ['-']\nrename = { Betrag = 'amount' }",
        "id;Betrag;ordered_on;note\r\n A ;1.234,50;01.07.2026;-\r\n",
    );
    let json = outcome(
        "format = 'json_lines'",
        "{\"id\":\"A\",\"amount\":1234.50,\"ordered_on\":\"2026-07-01\",\"note\":null}",
    );
    assert_eq!(plain.rows[0].hash, german.rows[0].hash);
    assert_eq!(plain.rows[0].hash, json.rows[0].hash);
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
    assert!(aside(b"\xFF\xFEi\0d\0").contains("file.encoding"));
    assert!(aside(b"<!DOCTYPE html><html>").contains("file.type"));
    assert!(aside(b"id,am\xFCount,ordered_on\n").contains("header.unreadable: byte 5 of the file (0xFC) is not UTF-8"));
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
            "1 - skip.preamble",
            "2 - skip.preamble",
            "4: A|1.0000|2026-07-01|",
            "5 - skip.header",
            "6 - skip.blank",
            "7: B|2.0000|2026-07-01|",
            "8 - skip.totals",
        ]
    );
    assert_eq!(skipped.records, 7);
    // a total has often fewer fields than a row
    assert_eq!(
        told_of(rules, "x\ny\nid,amount,ordered_on\nTOTAL;3\nTOTAL,3\n")[2..],
        ["4 - skip.totals", "5 - skip.totals"]
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
        ["1: A|1.5000|2026-07-01|", "2: 7|2.0000|2026-07-01|", "3 - skip.totals"]
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

#[test]
fn a_failing_disk_or_another_size_sets_the_file_aside() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk says no"))
        }
    }
    let text = b"id,amount,ordered_on\nA,1,2026-07-01\n".as_slice();
    let origin = |bytes| FileOrigin {
        arrival: 1,
        file_name: "a.csv".into(),
        file_hash: Digest::of(text),
        bytes,
    };
    let failing = read_file(
        &source("feed = 'sales'"),
        &sales(),
        &origin(40),
        BufReader::new(text.chain(Failing)),
    );
    assert_eq!(
        told(&failing),
        ["set aside: file.unreadable: the file could not be read to its end: the disk says no"]
    );
    let shorter = read_file(&source("feed = 'sales'"), &sales(), &origin(40), text);
    assert_eq!(
        told(&shorter),
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
        let hashes = |o: &FileOutcome| o.rows.iter().map(|r| r.hash).collect::<Vec<_>>();
        assert_eq!(hashes(&found), hashes(&clean), "{dirt}");
    }
}
