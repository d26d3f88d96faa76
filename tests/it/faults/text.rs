//! Delimited text and its archives: delimiters, quotes, lines, headers, encodings, sizes, ends.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use starledger::contracts::Contract;
use starledger::domain::{Batch, Digest};
use starledger::ingest::detect::{self, Known, Sample};
use starledger::ingest::limits::{BATCH_BYTES, BATCH_ROWS, MAX_RAW_BYTES, MAX_RECORD_BYTES};
use starledger::ingest::{FileOrigin, Input, Sink, Source, Stopped, Verdict, read_file};

use super::{Found, lines, orders, orders_with_threshold, read, read_input, source, told, value};

const HEADER: &str = "id,amount,paid_on,note\n";
const A: &str = "A,1.50,2026-07-01,x\n";
const C: &str = "C,3,2026-07-03,z\n";
const ROW_A: &str = "2: A|1.50|2026-07-01|x";
const ROW_C: &str = "4: C|3.00|2026-07-03|z";
const WIDTH: &str = "put fields that hold the delimiter into quotes, and deliver every field";
const QUOTING: &str = "put the whole field into quotes and double the quotes inside it";

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .expect("an entry");
        zip.write_all(bytes).expect("bytes");
    }
    zip.finish().expect("an archive").into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).expect("bytes");
    packed.finish().expect("an archive")
}

/// Code and words of a file that is set aside: `reason; remedy`.
fn aside(found: &Found) -> String {
    assert!(
        matches!(found.outcome.verdict, Verdict::SetAside { .. }),
        "{:?}",
        found.told()
    );
    let first = &found.outcome.notes[0];
    assert_eq!(first.place.file, "in/a");
    format!("{}: {}; {}", first.rule, first.message, first.remedy)
}

#[test]
fn fault_34_nothing_a_blank_page_and_a_header_alone_are_told_apart() {
    let of = |text: &str| read(&orders(), "", text.as_bytes());
    assert_eq!(
        aside(&of("")),
        "file.empty: the file has 0 bytes; deliver the file again; where there is nothing to report, deliver the \
         header alone"
    );
    for blank in ["\n", "\r\n\r\n\n", "\u{FEFF}"] {
        assert_eq!(
            aside(&of(blank)),
            "file.no_header: the file has bytes and no header; deliver the header alone where there is nothing to report"
        );
    }
    for header in [HEADER, HEADER.trim_end()] {
        let found = of(header);
        assert_eq!(found.outcome.verdict, Verdict::Read);
        assert_eq!((found.told().len(), found.outcome.records), (0, 0));
        assert_eq!(
            found.notes(),
            ["file.no_rows: the file has no records; nothing to do, if there was nothing to report"]
        );
    }
}

#[test]
fn fault_40_bombs_nested_archives_and_entries_that_lead_elsewhere() {
    let table = format!("{HEADER}{A}");
    let of = |packing: &str, bytes: &[u8]| read(&orders(), &format!("compression = '{packing}'"), bytes);
    // 20 MiB in 20 KiB: a thousand times; held back at the cap, and no row of it is used
    let bomb = [table.as_bytes(), &vec![b' '; 20 << 20]].concat();
    for (packing, bytes) in [("gzip", gzip(&bomb)), ("zip", zip_of(&[("a.csv", &bomb)]))] {
        assert!(bytes.len() < 40_000);
        let found = aside(&of(packing, &bytes));
        assert!(
            found.starts_with("archive.bomb: ") && found.contains("10485760 bytes"),
            "{found}"
        );
    }
    // sizes that lie: the inflated bytes are counted
    let honest = zip_of(&[("a.csv", &bomb)]);
    let mut lying = honest.clone();
    let directory = lying.windows(4).position(|w| w == b"PK\x01\x02").expect("a directory");
    for at in [22, directory + 24] {
        lying[at..at + 4].copy_from_slice(&100_u32.to_le_bytes());
    }
    let found = aside(&of("zip", &lying));
    assert!(
        found.starts_with("archive.damaged: ") && found.contains("100 bytes"),
        "{found}"
    );
    // an archive in the archive, at any depth the same
    for inner in [zip_of(&[("b.csv", table.as_bytes())]), gzip(table.as_bytes())] {
        for (packing, bytes) in [("zip", zip_of(&[("a.zip", &inner)])), ("gzip", gzip(&inner))] {
            let found = aside(&of(packing, &bytes));
            assert!(found.starts_with("archive.nested: "), "{found}");
        }
    }
    // more than one file, and more entries than anybody packs
    let two = aside(&of("zip", &zip_of(&[("a.csv", table.as_bytes()), ("b.csv", b"x")])));
    assert_eq!(
        two,
        "archive.entries: the zip archive has 2 files; one is wanted; pack one file an archive, and deliver each \
         archive by itself"
    );
    let names: Vec<String> = (0..1001).map(|i| format!("{i}/")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), b"".as_slice())).collect();
    let found = aside(&of("zip", &zip_of(&many)));
    assert!(
        found.starts_with("archive.entries: the zip archive has 1001 entries"),
        "{found}"
    );
    // names of entries are labels
    for name in ["../../etc/passwd", "/etc/passwd", "C:\\a.csv", "..\\a.csv"] {
        assert_eq!(
            of("zip", &zip_of(&[(name, table.as_bytes())])).told(),
            [ROW_A],
            "{name}"
        );
    }
}

#[test]
fn fault_41_an_extra_delimiter_is_rejected_and_nothing_shifts() {
    let found = lines("", &format!("{A}B,2,2026-07-02,y,more\n{C}"));
    assert_eq!(found.told(), [ROW_A, "3! record.width", ROW_C]);
    assert_eq!(found.why(), [format!("has 5 fields where the header has 4; {WIDTH}")]);
    assert_eq!(found.raw(), ["B,2,2026-07-02,y,more"]);
    // in the middle, where a shift would fit the types
    assert_eq!(told("", "B,,2,2026-07-02,y\n"), ["2! record.width"]);
}

#[test]
fn fault_42_a_missing_delimiter_is_rejected_and_nothing_becomes_null() {
    let found = lines("", &format!("{A}B,2,2026-07-02\n{C}"));
    assert_eq!(found.told(), [ROW_A, "3! record.width", ROW_C]);
    assert_eq!(found.why(), [format!("has 3 fields where the header has 4; {WIDTH}")]);
    assert_eq!(found.raw(), ["B,2,2026-07-02"]);
}

#[test]
fn fault_43_a_quote_that_does_not_close_swallows_no_later_row() {
    let found = lines("", &format!("{A}B,2,2026-07-02,\"y\n{C}D,4,2026-07-04,w\n"));
    assert_eq!(
        found.told(),
        [ROW_A, "3! record.quote_open", ROW_C, "5: D|4.00|2026-07-04|w"]
    );
    assert_eq!(
        found.why(),
        [
            "the quote that opened on line 3 is not closed within 1048576 bytes or the file; close the quote; reading \
          went on with the line after it"
        ]
    );
    // a quote of a later row would close it: what follows gives it away
    let found = lines("", &format!("{A}B,2,2026-07-02,\"y\n{C}D,4,2026-07-04,\"w\"\n"));
    assert_eq!(
        found.told(),
        [ROW_A, "3! record.quote", ROW_C, "5: D|4.00|2026-07-04|w"]
    );
    assert_eq!(
        found.why(),
        [format!(
            "the quote that opened on line 3 is followed, where it closes, by more text; {QUOTING}"
        )]
    );
    // inside a field that does not begin with one
    let found = lines("", &format!("{A}B,2,2026-07-02,5\" disk\n{C}"));
    assert_eq!(found.told(), [ROW_A, "3! record.quote", ROW_C]);
    assert_eq!(
        found.why(),
        [format!(
            "a quote stands inside a field that does not begin with one (line 3); {QUOTING}"
        )]
    );
    // a closed quote around a field over the cap, on a line of its own
    let long = format!("{A}B,2,2026-07-02,\"y\n{}\n{C}", "z".repeat((1 << 20) + 1));
    let found = lines("", &long);
    assert_eq!(
        found.told(),
        [
            ROW_A,
            "3! record.quote_open",
            "4! record.field_size",
            "5: C|3.00|2026-07-03|z"
        ]
    );
    assert!(
        found.why()[0].starts_with("the quote that opened on line 3"),
        "{:?}",
        found.why()
    );
}

#[test]
fn fault_44_one_row_with_another_delimiter_is_rejected() {
    for delimiter in [";", "\t", "|"] {
        let row = "B,2,2026-07-02,y\n".replace(',', delimiter);
        let found = lines("", &format!("{A}{row}{C}"));
        assert_eq!(found.told(), [ROW_A, "3! record.width", ROW_C]);
        assert_eq!(found.why(), [format!("has 1 fields where the header has 4; {WIDTH}")]);
    }
}

fn proposed(text: &str) -> String {
    let contract = orders();
    let known = Known {
        contracts: &[&contract],
        feed: Some("orders"),
        name: None,
        taken: &[],
        in_workspace: true,
    };
    let sample = Sample {
        file: "in/a.csv",
        head: text.as_bytes(),
        tail: b"",
        bytes: text.len() as u64,
    };
    detect::text(sample, known).expect("a proposal").toml()
}

#[test]
fn fault_45_the_delimiter_is_the_declared_one_and_an_ambiguous_one_is_asked() {
    let text = format!("{HEADER}{A}");
    let rows = [ROW_A];
    for (delimiter, keys) in [
        (";", "delimiter = ';'"),
        ("\t", "delimiter = \"\\t\""),
        (" ", "delimiter = ' '"),
        ("|", "delimiter = '|'"),
    ] {
        let other = text.replace(',', delimiter);
        assert_eq!(read(&orders(), keys, other.as_bytes()).told(), rows, "{delimiter}");
        // undeclared: the file is set aside, and the remedy names the key
        let found = aside(&read(&orders(), "", other.as_bytes()));
        assert!(
            found.starts_with("header.missing: the header lacks id, amount, paid_on; it has the unknown"),
            "{found}"
        );
        assert!(
            found.ends_with("or declare rename, delimiter or skip.preamble_lines in the source"),
            "{found}"
        );
        // what a person is offered to confirm
        let toml = proposed(&format!(
            "{other}{}{}",
            A.replace(',', delimiter),
            C.replace(',', delimiter)
        ));
        let (key, _) = keys.split_once(" = ").expect("a key");
        let written = if delimiter == "\t" { "\\t" } else { delimiter };
        assert!(toml.contains(&format!("{key} = \"{written}\"  # certain")), "{toml}");
        assert!(toml.contains("proposed = true"), "{toml}");
    }
    // blanks behind the comma belong to no value, and are told
    let found = read(&orders(), "", text.replace(',', ", ").as_bytes());
    assert_eq!(found.told(), rows);
    assert!(found.note("value.trimmed [amount]").contains("values: 1"));
    assert!(
        found
            .note("header.normalised [amount]")
            .contains("' amount' was read as 'amount'")
    );
    // two delimiters that part every record alike are asked, never chosen
    let toml = proposed("a;b,c\n1;2,3\n4;5,6\n7;8,9\n");
    let open: Vec<&str> = toml.lines().filter(|l| l.starts_with("# decide: delimiter")).collect();
    assert_eq!(open.len(), 2, "{toml}");
    assert!(!toml.lines().any(|l| l.starts_with("delimiter")), "{toml}");
}

#[test]
fn fault_46_other_quotes_and_escapes_are_declared_or_rejected() {
    let row = "B,2,2026-07-02,'y, z'\n";
    assert_eq!(told("quote = \"'\"", row), ["2: B|2.00|2026-07-02|y, z"]);
    assert_eq!(told("", row), ["2! record.width"]);
    assert_eq!(told("", "B,'2',2026-07-02,y\n"), ["2! decimal.grammar amount"]);
    let row = "B,2,2026-07-02,\"a \\\"b\\\", c\"\n";
    assert_eq!(told("escape = \"\\\\\"", row), ["2: B|2.00|2026-07-02|a \"b\", c"]);
    let found = lines("", &format!("{row}{C}"));
    assert_eq!(found.told(), ["2! record.quote", "3: C|3.00|2026-07-03|z"]);
    assert_eq!(
        found.why(),
        [format!(
            "the quote that opened on line 2 is followed, where it closes, by more text; {QUOTING}"
        )]
    );
}

#[test]
fn fault_47_lines_that_end_in_cr_alone_are_lines() {
    let text = format!("{HEADER}{A}B,2,2026-07-02\n{C}").replace('\n', "\r");
    let found = read(&orders(), "", text.as_bytes());
    assert_eq!(found.told(), [ROW_A, "3! record.width", ROW_C]);
}

#[test]
fn fault_48_mixed_ends_and_empty_lines_give_the_same_rows() {
    let values = |found: &Found| -> Vec<String> {
        let told = found.told();
        told.iter()
            .map(|t| t.split_once(": ").expect("a row").1.to_owned())
            .collect()
    };
    let expected = ["A|1.50|2026-07-01|x", "C|3.00|2026-07-03|z"];
    let (a, c) = (A.trim_end(), C.trim_end());
    for rows in [
        format!("{a}\n{c}\n"),
        format!("{a}\r\n{c}\n"),
        format!("{a}\r{c}\r\n"),
        format!("{a}\n{c}"),
        format!("{a}\n{c}\n\n"),
        format!("\n{a}\n\n\r\n{c}\n\n\n"),
    ] {
        let found = lines("", &rows);
        assert_eq!(values(&found), expected, "{rows:?}");
        assert_eq!(found.outcome.records, 2);
    }
    // lines are counted where they stand
    assert_eq!(
        told("", &format!("\n{a}\n\n{c}")),
        ["3: A|1.50|2026-07-01|x", "5: C|3.00|2026-07-03|z"]
    );
    // a record of blank fields is no empty line, and never a row of nulls
    let found = lines("", &format!("{A},,,\n{C}"));
    assert_eq!(found.told(), [ROW_A, "3! record.blank", ROW_C]);
    assert_eq!(
        found.why(),
        ["every field is blank; declare skip.blank_rows in the source, or remove the record"]
    );
    assert_eq!(
        told("skip = { blank_rows = true }", &format!("{A},,,\n{C}")),
        [ROW_A, ROW_C, "skip.blank: 1"]
    );
}

#[test]
fn fault_49_line_breaks_in_quotes_are_text_and_lines_are_still_counted() {
    let found = lines(
        "",
        "A,1,2026-07-01,\"one\ntwo\r\nthree\"\nB,x,2026-07-02,y\nC,3,2026-07-03,\"z\n\nz\nD,4,2026-07-04,w\n",
    );
    assert_eq!(
        found.told(),
        [
            "2: A|1.00|2026-07-01|one\ntwo\r\nthree",
            "5! decimal.grammar amount",
            "6! record.quote_open",
            "8! record.width",
            "9: D|4.00|2026-07-04|w",
        ]
    );
    // the record is the one that begins on the line of the rejection; the reason names the line of the quote
    let found = lines("", "A,1,2026-07-01,\"one\ntwo\",\"three\nB,2,2026-07-02,y\n");
    assert_eq!(found.told(), ["2! record.quote_open", "4: B|2.00|2026-07-02|y"]);
    assert!(
        found.why()[0].starts_with("the quote that opened on line 3 is not closed"),
        "{:?}",
        found.why()
    );
    assert_eq!(found.raw(), ["A,1,2026-07-01,\"one\ntwo\",\"three"]);
}

#[test]
fn fault_50_preambles_second_headers_totals_and_second_tables() {
    let of = |keys: &str, text: &str| read(&orders_with_threshold("0.05"), keys, text.as_bytes());
    // lines above the header
    let preamble = format!("Orders of July\n\"as of 2026-07-31\"\n{HEADER}{A}");
    let found = aside(&of("", &preamble));
    assert!(
        found.starts_with("header.missing: the header lacks id, amount, paid_on"),
        "{found}"
    );
    assert!(found.contains("skip.preamble_lines"), "{found}");
    let found = of("skip = { preamble_lines = 2 }", &preamble);
    assert_eq!(found.told(), ["4: A|1.50|2026-07-01|x", "skip.preamble: 2"]);
    // the header once more, as it was or as people write it
    let twice = format!("{HEADER}{A}ID, Amount,paid_on,note\n{C}");
    let found = of("", &twice);
    assert_eq!(found.told(), [ROW_A, "3! record.repeated_header", ROW_C]);
    assert_eq!(
        found.why(),
        ["the record is the header once more; declare skip.repeated_header in the source, or deliver the header once"]
    );
    assert_eq!(
        of("skip = { repeated_header = true }", &twice).told(),
        [ROW_A, ROW_C, "skip.header: 1"]
    );
    // totals
    let totals = format!("{HEADER}{A}TOTAL,1.50,,\n");
    assert_eq!(of("", &totals).told(), [ROW_A, "3! value.required paid_on"]);
    let keys = "skip = { totals = { column = 'id', starts_with = 'TOTAL' } }";
    assert_eq!(of(keys, &totals).told(), [ROW_A, "skip.totals: 1"]);
    // a second table below the first: each of its records, and so the file
    let tables = format!("{HEADER}{A}{C}\npartner,city\nP1,Ulm\nP2,Bonn\n");
    let found = of("", &tables);
    assert_eq!(
        aside(&found),
        "file.rejects: 3 of 5 records are rejected, over the share of 0.05 that the feed allows; correct the file or \
         its source and deliver it again, or waive it"
    );
    let notes = found.notes();
    assert_eq!(
        notes[1],
        format!("record.width: has 2 fields where the header has 4; {WIDTH}")
    );
    assert_eq!(found.outcome.notes[1].place.line, Some(5));
}

#[test]
fn fault_51_columns_are_matched_by_name() {
    let of = |text: &str| read(&orders(), "", text.as_bytes());
    assert_eq!(of("note,paid_on,id,amount\nx,2026-07-01,A,1.50\n").told(), [ROW_A]);
    // no header: the first record is none
    let found = aside(&of(A));
    assert_eq!(
        found,
        "header.missing: the header lacks id, amount, paid_on; it has the unknown 'A', '1.50', '2026-07-01', 'x'; \
         deliver the columns, or declare rename, delimiter or skip.preamble_lines in the source"
    );
    // a required column is missing, under its own name or under that of the source
    assert!(aside(&of("id,paid_on\nA,2026-07-01\n")).starts_with("header.missing: the header lacks amount;"));
    let found = read(
        &orders(),
        "rename = { Betrag = 'amount' }",
        b"id,paid_on\nA,2026-07-01\n",
    );
    assert!(aside(&found).starts_with("header.missing: the header lacks Betrag (for amount);"));
    // an optional one is missing
    let found = of("id,amount,paid_on\nA,1.50,2026-07-01\n");
    assert_eq!(found.told(), ["2: A|1.50|2026-07-01|"]);
    assert_eq!(
        found.notes(),
        ["header.absent [note]: the file has no column 'note'; it is null in every row; deliver it if it is known"]
    );
    // one more: told with the number of values that were not read
    let found = of("id,amount,paid_on,note,colour\nA,1.50,2026-07-01,x,red\nC,3,2026-07-03,z,\n");
    assert_eq!(found.told(), [ROW_A, "3: C|3.00|2026-07-03|z"]);
    assert_eq!(
        found.notes(),
        [
            "header.unknown: the column 'colour' is not in the contract; values not read: 1; add the column to the \
          contract, rename it in the source, or leave it out"
        ]
    );
}

#[test]
fn fault_52_a_header_that_stands_twice_refuses_the_file() {
    for (keys, header, name) in [
        ("", "id,amount,paid_on,amount", "amount"),
        ("", "id,amount,paid_on,AMOUNT ", "AMOUNT "),
        ("", "id,amount,paid_on,x,x", "x"),
        ("rename = { Betrag = 'amount' }", "id,amount,paid_on,Betrag", "amount"),
    ] {
        let found = read(&orders(), keys, format!("{header}\nA,1,2026-07-01,2,3\n").as_bytes());
        assert_eq!(
            aside(&found),
            format!(
                "header.duplicate: the header has the column '{name}' twice; deliver each column once, under one name"
            )
        );
    }
}

#[test]
fn fault_53_names_are_normalised_by_one_rule_and_that_is_told() {
    let header = "\u{FEFF}ID,\u{A0}Amount ,PAID_ON\u{200B}, note\n";
    let found = read(&orders(), "", format!("{header}{A}").as_bytes());
    assert_eq!(found.told(), [ROW_A]);
    // the mark in front of a file is none of the name
    let told = |written: &str, name: &str| {
        format!("header.normalised [{name}]: the column '{written}' was read as '{name}'; write the name as declared")
    };
    assert_eq!(
        found.notes(),
        [
            told("ID", "id"),
            told("\\u{00A0}Amount ", "amount"),
            told("PAID_ON\\u{200B}", "paid_on"),
            told(" note", "note"),
        ]
    );
    // what is more than that is another name
    assert!(aside(&read(&orders(), "", b"id,amount,paid-on\nA,1,2026-07-01\n")).starts_with("header.missing: "));
}

#[test]
fn fault_54_a_byte_order_mark_is_no_text() {
    let found = read(&orders(), "", format!("\u{FEFF}{HEADER}{A}").as_bytes());
    assert_eq!((found.told(), found.notes()), (vec![ROW_A.to_owned()], Vec::new()));
}

fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn fault_55_utf16_is_read_by_its_mark_or_its_declaration_and_else_refused() {
    let text = format!("{HEADER}A,1.50,2026-07-01,é中\n");
    let row = ["2: A|1.50|2026-07-01|é中"];
    for (name, bytes) in [
        ("utf-16le", u16::to_le_bytes as fn(u16) -> [u8; 2]),
        ("utf-16be", u16::to_be_bytes),
    ] {
        let marked = wide(&format!("\u{FEFF}{text}"), bytes);
        assert_eq!(read(&orders(), "", &marked).told(), row);
        let plain = wide(&text, bytes);
        assert_eq!(read(&orders(), &format!("encoding = '{name}'"), &plain).told(), row);
        let found = aside(&read(&orders(), "", &plain));
        assert_eq!(
            found,
            format!(
                "file.encoding: the file has NUL in every few bytes, and is read as utf-8; the first bytes have NUL in \
                 every second place, as UTF-16 without a byte-order mark has; if the sender writes it so, declare \
                 encoding = \"{name}\" in the source"
            )
        );
        // half a pair is no character
        let mut half = wide(HEADER, bytes);
        half.extend(
            [
                wide("A,1,2026-07-01,", bytes),
                bytes(0xD800).to_vec(),
                wide("\nB,2,2026-07-02,y\n", bytes),
            ]
            .concat(),
        );
        let found = read(&orders(), &format!("encoding = '{name}'"), &half);
        assert_eq!(found.told(), ["2! record.encoding", "3: B|2.00|2026-07-02|y"]);
    }
}

#[test]
fn fault_56_other_encodings_only_where_declared_and_never_a_replacement_character() {
    let cases: [(&str, &str, &[u8]); 5] = [
        ("windows-1252", "Zürich €", b"Z\xFCrich \x80"),
        ("iso-8859-1", "Zürich", b"Z\xFCrich"),
        ("gbk", "中文", b"\xD6\xD0\xCE\xC4"),
        ("gb18030", "中文", b"\xD6\xD0\xCE\xC4"),
        ("shift_jis", "日本", b"\x93\xFA\x96\x7B"),
    ];
    let begin = format!("{HEADER}A,1.50,2026-07-01,");
    for (name, text, bytes) in cases {
        let file = [begin.as_bytes(), bytes, b"\n", C.as_bytes()].concat();
        let found = read(&orders(), &format!("encoding = '{name}'"), &file);
        assert_eq!(
            found.told(),
            [
                format!("2: A|1.50|2026-07-01|{text}"),
                "3: C|3.00|2026-07-03|z".to_owned()
            ],
            "{name}"
        );
        let found = read(&orders(), "", &file);
        assert_eq!(found.told(), ["2! record.encoding", "3: C|3.00|2026-07-03|z"], "{name}");
        let at = begin.len() + bytes.iter().position(|b| !b.is_ascii()).expect("a bad byte");
        let bad = bytes.iter().find(|b| !b.is_ascii()).expect("a bad byte");
        let why = &found.why()[0];
        assert!(
            why.starts_with(&format!("byte {at} of the file (0x{bad:02X})")),
            "{why}"
        );
    }
    // what the declared encoding does not have either
    let file = [begin.as_bytes(), b"\x81\xFF\n", C.as_bytes()].concat();
    for name in ["gbk", "shift_jis", "windows-1252"] {
        let found = read(&orders(), &format!("encoding = '{name}'"), &file);
        assert!(
            found.told().iter().all(|line| !line.contains('\u{FFFD}')),
            "{:?}",
            found.told()
        );
        if name != "windows-1252" {
            assert_eq!(found.told(), ["2! record.encoding", "3: C|3.00|2026-07-03|z"], "{name}");
        }
    }
    // a header that nobody can read: the remedy is the encoding
    let found = aside(&read(
        &orders(),
        "",
        b"id,amount,paid_on,gr\xF6\xDFe\nA,1,2026-07-01,x\n",
    ));
    assert!(
        found.starts_with("header.unreadable: byte 20 of the file (0xF6)"),
        "{found}"
    );
    assert!(
        found.contains("declare encoding = \"windows-1252\" or \"gb18030\""),
        "{found}"
    );
}

#[test]
fn fault_57_bytes_that_are_no_text_reject_their_record() {
    let begin = format!("{HEADER}{A}B,2,2026-07-02,");
    for (bytes, rule, which) in [
        (b"\xFF".as_slice(), "record.encoding", 0),
        (b"a\xC3", "record.encoding", 1),
        // overlong, half a pair as three bytes, beyond the last character
        (b"\xC0\xAF", "record.encoding", 0),
        (b"\xED\xA0\x80", "record.encoding", 0),
        (b"\xF4\x90\x80\x80", "record.encoding", 0),
        (b"a\0b", "record.nul", 1),
        (b"\"a\0b\"", "record.nul", 2),
    ] {
        let file = [begin.as_bytes(), bytes, b"\n", C.as_bytes()].concat();
        let found = read(&orders(), "", &file);
        assert_eq!(found.told(), [ROW_A, &format!("3! {rule}"), ROW_C], "{bytes:?}");
        let why = &found.why()[0];
        let at = begin.len() + which;
        assert!(why.contains(&format!("byte {at} of the file")), "{why}");
        assert!(why.contains("; "), "{why}");
    }
    // in JSON, where a NUL can be written
    let found = read(
        &orders(),
        "format = 'json_lines'",
        b"{\"id\":\"A\",\"amount\":1,\"paid_on\":\"2026-07-01\",\"note\":\"a\\u0000b\"}\n",
    );
    assert_eq!(found.told(), ["1! value.control note"]);
}

/// A file that is made while it is read: a beginning, a filling, an end.
pub struct Made {
    begin: Vec<u8>,
    /// Repeated up to `filled` bytes.
    filling: Vec<u8>,
    filled: u64,
    end: Vec<u8>,
    at: u64,
    /// How far anybody has read.
    read: Arc<AtomicU64>,
}

impl Made {
    pub fn new(begin: &str, filling: &str, filled: u64, end: &str) -> Made {
        // long pieces, so that making them costs nothing
        let times = (1 << 16) / filling.len() + 1;
        Made {
            begin: begin.into(),
            filling: filling.repeat(times).into(),
            filled: filled / filling.len() as u64 * filling.len() as u64,
            end: end.into(),
            at: 0,
            read: Arc::default(),
        }
    }

    pub fn len(&self) -> u64 {
        self.begin.len() as u64 + self.filled + self.end.len() as u64
    }
}

impl Read for Made {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = |n: u64| usize::try_from(n).expect("a small number");
        let begin = self.begin.len() as u64;
        let (piece, left) = if self.at < begin {
            (&self.begin[size(self.at)..], begin - self.at)
        } else if self.at < begin + self.filled {
            let inside = self.at - begin;
            (
                &self.filling[size(inside % self.filling.len() as u64)..],
                self.filled - inside,
            )
        } else {
            let rest = &self.end[size(self.at - begin - self.filled).min(self.end.len())..];
            (rest, rest.len() as u64)
        };
        let count = piece
            .len()
            .min(buffer.len())
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        buffer[..count].copy_from_slice(&piece[..count]);
        self.at += count as u64;
        self.read.fetch_max(self.at, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Made {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let moved = |from: u64, by: i64| from.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput);
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => moved(self.len(), by)?,
            SeekFrom::Current(by) => moved(self.at, by)?,
        };
        Ok(self.at)
    }
}

fn made(contract: &Contract, keys: &str, file: Made) -> Found {
    let bytes = file.len();
    read_input(
        contract,
        &source(&contract.name, keys),
        bytes,
        Input::Bytes(Box::new(file)),
    )
}

const GIB: u64 = 1 << 30;

#[test]
fn fault_58_a_field_of_a_gibibyte_costs_one_record() {
    let begin = format!("{HEADER}{A}B,2,2026-07-02,");
    let found = made(&orders(), "", Made::new(&begin, "x", GIB, &format!("\n{C}")));
    assert_eq!(found.told(), [ROW_A, "3! record.field_size", ROW_C]);
    assert_eq!(
        found.why(),
        ["a field on line 3 is longer than 1048576 bytes; shorten the field, or check the delimiter and the line ends"]
    );
    assert_eq!(found.raw()[0].len(), MAX_RAW_BYTES);
    // a quote that is closed a gibibyte later
    let found = made(
        &orders(),
        "",
        Made::new(&format!("{begin}\""), "x", GIB, &format!("\"\n{C}")),
    );
    assert_eq!(found.told(), [ROW_A, "3! record.quote_open", ROW_C]);
}

#[test]
fn fault_58_a_million_columns_cost_one_record_or_the_file() {
    let begin = format!("{HEADER}{A}B,2,2026-07-02");
    let found = made(&orders(), "", Made::new(&begin, ",", 1_000_000, &format!("\n{C}")));
    assert_eq!(found.told(), [ROW_A, "3! record.columns", ROW_C]);
    assert_eq!(
        found.why(),
        ["line 3 has more than 512 fields; check the delimiter and the line ends"]
    );
    let found = made(
        &orders(),
        "",
        Made::new("id,amount,paid_on", ",c", 2_000_000, &format!("\n{A}")),
    );
    assert_eq!(
        aside(&found),
        "header.unreadable: line 1 has more than 512 fields; check the delimiter and the line ends"
    );
}

/// Counts rows, and holds no more than a batch.
struct Count {
    read: Arc<AtomicU64>,
    /// Bytes of a row in the file, and of what stands above.
    row: u64,
    above: u64,
    rows: u64,
}

impl Sink for Count {
    fn take(&mut self, batch: Batch) -> Result<(), Stopped> {
        assert!(batch.rows() <= BATCH_ROWS);
        self.rows += batch.rows() as u64;
        // what is held of the file at a time: a batch, and what the reader has before it
        let ahead = self.read.load(Ordering::Relaxed) - self.above - self.rows * self.row;
        assert!(ahead <= (MAX_RECORD_BYTES + (1 << 20)) as u64, "{ahead} bytes ahead");
        // line ends are not counted
        assert!(batch.rows() as u64 * (self.row - 1) <= BATCH_BYTES as u64 + self.row);
        Ok(())
    }
}

#[test]
fn fault_58_rows_are_handed_on_while_the_file_is_read() {
    let row = format!("A,1,2026-07-01,{}\n", "x".repeat(4000));
    for (row, bytes) in [(row.as_str(), 256 << 20), (A, 4 << 20)] {
        let file = Made::new(HEADER, row, bytes, "");
        let mut count = Count {
            read: file.read.clone(),
            row: row.len() as u64,
            above: HEADER.len() as u64,
            rows: 0,
        };
        let (rows, bytes) = (file.filled / count.row, file.len());
        let (source, contract) = (source("orders", ""), orders());
        let origin = FileOrigin {
            arrival: 1,
            file_name: "in/a".to_owned(),
            file_hash: Digest::of(b""),
            bytes,
        };
        let outcome = read_file(&source, &contract, &origin, Input::Bytes(Box::new(file)), &mut count);
        assert_eq!(outcome.verdict, Verdict::Read);
        assert_eq!(
            (count.rows, outcome.rows),
            (rows, i64::try_from(rows).expect("a count"))
        );
    }
}

/// `orders` with its note in the middle, so that the last column says whether a record is whole.
const ENDS_IN_A_DATE: &str = "id,note,amount,paid_on\n";

#[test]
fn fault_59_a_file_cut_at_any_byte_keeps_its_whole_records_and_rejects_the_last() {
    let rows = [
        "A,\"x\ny\",1.50,2026-07-01\r\n",
        "B,é,2.00,2026-07-02\r\n",
        "C,,3.00,2026-07-03",
    ];
    let told_of = [
        "2: A|1.50|2026-07-01|x\ny",
        "4: B|2.00|2026-07-02|é",
        "5: C|3.00|2026-07-03|",
    ];
    let whole = format!("{ENDS_IN_A_DATE}{}", rows.concat());
    // where each record has all its bytes
    let mut ends = Vec::new();
    let mut at = ENDS_IN_A_DATE.len();
    for row in rows {
        ends.push((at, at + row.trim_end().len()));
        at += row.len();
    }
    for length in ENDS_IN_A_DATE.len()..=whole.len() {
        let found = read(&orders(), "", &whole.as_bytes()[..length]);
        let told = found.told();
        let full = ends.iter().filter(|(_, end)| *end <= length).count();
        let whole: Vec<&str> = told.iter().filter(|t| t.contains(": ")).map(String::as_str).collect();
        assert_eq!(whole, told_of[..full], "cut to {length}");
        let is_partial = ends.iter().any(|(start, end)| (start + 1..*end).contains(&length));
        let rejected = found.outcome.rejected();
        assert!(
            if is_partial { rejected >= 1 } else { rejected == 0 },
            "cut to {length}: {told:?}"
        );
    }
    for length in 0..ENDS_IN_A_DATE.len() - 1 {
        let found = read(&orders(), "", &whole.as_bytes()[..length]);
        let rule = aside(&found);
        let rule = rule.split(':').next().expect("a rule");
        assert!(
            ["file.empty", "header.missing"].contains(&rule),
            "cut to {length}: {rule}"
        );
    }
}

#[test]
fn fault_59_a_cut_that_no_row_shows_is_told_by_what_says_how_long_the_file_is() {
    let table = format!("{HEADER}{A}{C}");
    // by its archive
    for (packing, bytes) in [
        ("gzip", gzip(table.as_bytes())),
        ("zip", zip_of(&[("a.csv", table.as_bytes())])),
    ] {
        for length in 0..bytes.len() {
            let found = aside(&read(
                &orders(),
                &format!("compression = '{packing}'"),
                &bytes[..length],
            ));
            let rule = found.split(':').next().expect("a rule").to_owned();
            let expected: &[&str] = match length {
                0 => &["file.empty"],
                1..4 => &["file.type", "archive.damaged"],
                _ => &["archive.damaged"],
            };
            assert!(expected.contains(&rule.as_str()), "{packing} cut to {length}: {found}");
        }
    }
    // by its size when it was landed
    for length in HEADER.len()..table.len() {
        let cut = Cursor::new(&table.as_bytes()[..length]);
        let found = read_input(
            &orders(),
            &source("orders", ""),
            table.len() as u64,
            Input::Bytes(Box::new(cut)),
        );
        assert_eq!(
            aside(&found),
            format!(
                "file.changed: {length} bytes were read where {} were landed; restore the file in landing from where \
                 it came",
                table.len()
            )
        );
    }
}

#[test]
fn fault_60_only_ascii_digits_are_numbers() {
    let amount = super::one("number", "DECIMAL(9,2)");
    for (text, point) in [
        ("１２３", "U+FF11 '１'"),
        ("١٢٣", "U+0661 '١'"),
        ("\u{2212}5", "U+2212 '\u{2212}'"),
        ("1\u{A0}000", "U+00A0 '\u{A0}'"),
        ("1\u{202F}000", "U+202F '\u{202F}'"),
        ("5\u{301}", "U+0301 '\u{301}'"),
        ("\u{202E}12", "U+202E '\u{202E}'"),
    ] {
        let found = read(&amount, "", format!("id,value\nA,{text}\n").as_bytes());
        assert_eq!(found.told(), ["2! number.character value"], "{text}");
        assert_eq!(
            found.why(),
            [format!(
                "holds {point} where only ASCII digits, minus and marks count; write the number in ASCII"
            )]
        );
    }
    // a no-break space between thousands, where it is declared
    assert_eq!(value(&amount, "grouping_mark = \"\\u00A0\"", "1\u{A0}000"), "1000.00");
    assert_eq!(
        value(&super::one("date", "DATE"), "", "２０２６-07-01"),
        "2! date.grammar value"
    );
}

#[test]
fn fault_60_identifiers_are_compared_composed_and_hide_nothing() {
    // é as one character and as two
    let found = lines("", "caf\u{E9},1,2026-07-01,x\ncafe\u{301},2,2026-07-02,cafe\u{301}\n");
    assert_eq!(
        found.told(),
        [
            "2: caf\u{E9}|1.00|2026-07-01|x",
            "3: caf\u{E9}|2.00|2026-07-02|cafe\u{301}"
        ]
    );
    assert_eq!(
        found.notes(),
        [
            "value.composed [id]: letters and their marks were joined (Unicode NFC); values: 1; deliver identifiers in \
          composed form"
        ]
    );
    for (id, point) in [
        ("A\u{202E}B", "U+202E"),
        ("A\u{200B}", "U+200B"),
        ("A\u{AD}B", "U+00AD"),
        ("A\u{7}", "U+0007"),
    ] {
        let found = lines("", &format!("{id},1,2026-07-01,x\n"));
        assert_eq!(found.told(), ["2! value.format id"], "{point}");
        let why = &found.why()[0];
        assert!(
            why.contains(&format!("the control or invisible character {point}")),
            "{why}"
        );
        assert!(why.ends_with("; deliver the identifier as it is kept"), "{why}");
    }
    // letters of another alphabet are another identifier, never the one they look like
    let found = lines(
        "",
        "EM-1,1,2026-07-01,\n\u{395}M-1,2,2026-07-02,\nＥM-1,3,2026-07-03,\n",
    );
    assert_eq!(
        found.told(),
        [
            "2: EM-1|1.00|2026-07-01|",
            "3: \u{395}M-1|2.00|2026-07-02|",
            "4: ＥM-1|3.00|2026-07-03|"
        ]
    );
}

#[test]
fn fault_45_a_delimiter_that_is_none_is_refused_at_the_source() {
    for wrong in [
        "delimiter = 'ab'",
        "delimiter = 'a'",
        "delimiter = ''",
        "delimiter = ', '",
    ] {
        let text = format!("[[source]]\nname = 's'\nfeed = 'orders'\nfiles = ['in/*']\nformat = 'csv'\n{wrong}\n");
        let findings = Source::read("s.toml", &text).expect_err(wrong);
        assert_eq!(
            (findings.len(), findings[0].rule.as_ref()),
            (1, "source.value"),
            "{wrong}: {findings:?}"
        );
        assert_eq!(findings[0].place.line, Some(6));
    }
}
