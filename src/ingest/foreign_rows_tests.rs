//! Records of frames under the rules of this room.

use super::super::file::Input;
use super::super::fixtures::{Found, column, contract, date, decimal, notes, read_input, required, source, told};
use super::super::frames::{Kind, Note, Writer};
use super::*;
use crate::contracts::ColumnType;

/// `t(id, amount, day?, at?, note?)`.
fn rows(keys: &str, fill: impl FnOnce(&mut Writer<&mut Vec<u8>>), bytes: u64) -> Found {
    let mut stream = Vec::new();
    let mut writer = Writer::new(&mut stream).unwrap();
    fill(&mut writer);
    let notes = vec![Note::warning("xlsx.hidden_rows", "hidden rows: 1", "unhide them")];
    writer.end(&End { bytes, notes }).unwrap();
    let columns = [
        required(column("id", ColumnType::Text)),
        required(decimal("amount")),
        date("day"),
        column("at", ColumnType::Instant),
        column("note", ColumnType::Text),
    ];
    let source = source(&format!(
        "feed = 't'\nformat = 'xlsx'\ndate_formats = ['%d.%m.%Y']\ninstant_formats = ['%d.%m.%Y %H:%M']\ntime_zone = 'Europe/Berlin'\n{keys}"
    ));
    let mut contract = contract("t", &columns, &[0]);
    contract.reject_threshold = crate::domain::Dec::from(1);
    read_input(&source, &contract, 1, 77, Input::Frames(Box::new(stream.as_slice())))
}

fn put(writer: &mut Writer<&mut Vec<u8>>, line: u64, cells: &[(Kind, &str)]) {
    let mut record = Record::default();
    record.clear(line);
    for (kind, text) in cells {
        record.push(*kind, text);
    }
    writer.record(&record).unwrap();
}

const HEADER: [(Kind, &str); 5] = [
    (Kind::Text, "ID "),
    (Kind::Text, "amount"),
    (Kind::Text, "day"),
    (Kind::Text, "at"),
    (Kind::Text, "note"),
];

#[test]
fn cells_are_read_as_what_they_are() {
    use Kind::{BadDate, Damaged, Date, Empty, Error, Local, Number, Text};
    let found = rows(
        "",
        |w| {
            w.preamble(1).unwrap();
            put(w, 2, &HEADER);
            put(
                w,
                3,
                &[
                    (Text, "A"),
                    (Number, "1.5"),
                    (Date, "2026-07-01"),
                    (Local, "2026-07-01T08:00:00"),
                    (Number, "7"),
                ],
            );
            put(
                w,
                4,
                &[
                    (Text, "B"),
                    (Text, " 2 "),
                    (Text, "01.07.2026"),
                    (Text, "01.07.2026 08:00"),
                    (Empty, ""),
                ],
            );
            put(
                w,
                5,
                &[
                    (Damaged, "1234567890123456"),
                    (Damaged, "0.1"),
                    (BadDate, "59"),
                    (Empty, ""),
                    (Error, "#N/A"),
                ],
            );
            put(
                w,
                6,
                &[
                    (Text, "C"),
                    (Number, "1"),
                    (Local, "2026-07-01T00:00:00"),
                    (Date, "2026-07-01"),
                    (Empty, ""),
                ],
            );
            put(w, 7, &[(Empty, ""), (Empty, ""), (Empty, ""), (Empty, ""), (Text, " ")]);
            w.rejected(8, &Fault::new("record.size", "is long", "shorten it"))
                .unwrap();
        },
        77,
    );
    assert_eq!(
        told(&found),
        [
            "3: A|1.5000|2026-07-01|2026-07-01T06:00:00Z|7",
            "4: B|2.0000|2026-07-01|2026-07-01T06:00:00Z|",
            "5! xlsx.date_serial day",
            "5! xlsx.error_cell note",
            "5! xlsx.number_damaged id",
            "6! date.grammar day",
            "6! instant.grammar at",
            "7! record.blank",
            "8! record.size",
            "skip.preamble: 1",
        ]
    );
    assert_eq!(&*found.rejects[0].raw, b"1234567890123456,0.1,59,,#N/A");
    assert!(notes(&found).contains(&"xlsx.hidden_rows hidden rows: 1".to_owned()));
}

#[test]
fn hidden_rows_are_read_or_rejected_as_declared() {
    let with = |keys| {
        let fill = |w: &mut Writer<&mut Vec<u8>>| {
            put(w, 1, &HEADER[..2]);
            let mut record = Record::default();
            record.clear(2);
            record.push(Kind::Text, "A");
            record.push(Kind::Number, "1");
            record.hidden = true;
            w.record(&record).unwrap();
        };
        told(&rows(keys, fill, 77))
    };
    assert_eq!(with(""), ["2: A|1.0000|||"]);
    assert_eq!(with("hidden_rows = 'reject'"), ["2! xlsx.hidden_row"]);
}

#[test]
fn what_is_no_table_is_set_aside() {
    let reason = |fill: fn(&mut Writer<&mut Vec<u8>>), bytes| told(&rows("", fill, bytes))[0].clone();
    assert!(reason(|_| (), 77).contains("file.no_header"));
    assert!(reason(|w| put(w, 1, &HEADER), 78).contains("file.changed"));
    assert!(reason(|w| put(w, 1, &HEADER[1..]), 77).contains("header.missing: the header lacks id"));
    let float = |w: &mut Writer<&mut Vec<u8>>| put(w, 0, &[(Kind::Text, "id"), (Kind::Float, "amount")]);
    assert!(reason(float, 77).contains("parquet.float"));
    let unknown = |w: &mut Writer<&mut Vec<u8>>| put(w, 0, &[HEADER[0], HEADER[1], (Kind::Float, "x")]);
    assert_eq!(told(&rows("", unknown, 77)), Vec::<String>::new());
    let cut = read_input(
        &source("feed = 'sales'"),
        &super::super::fixtures::sales(),
        1,
        0,
        Input::Frames(Box::new(&b"SLFR"[..])),
    );
    assert!(told(&cut)[0].contains("foreign.crash"));
}
