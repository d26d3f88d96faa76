//! What goes in comes out; whatever else comes is a fault.

use std::io::{self, ErrorKind, Read};

use super::super::limits::MAX_RECORD_BYTES;
use super::*;
use crate::domain::Place;

fn record(line: u64, cells: &[(Kind, &str)]) -> Record {
    let mut record = Record::default();
    record.clear(line);
    for (kind, text) in cells {
        record.push(*kind, text);
    }
    record
}

fn stream() -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out).unwrap();
    writer.preamble(1).unwrap();
    writer
        .record(&record(2, &[(Kind::Text, "id"), (Kind::Text, "größe")]))
        .unwrap();
    let mut hidden = record(3, &[(Kind::Damaged, "1234567890123456"), (Kind::Empty, "")]);
    hidden.hidden = true;
    writer.record(&hidden).unwrap();
    writer.rejected(4, &Fault::new("a.b", "why", "what to do")).unwrap();
    let notes = vec![
        Note::warning("x.hidden", "2 rows", "unhide"),
        Note::plain("x.y", "z", ""),
    ];
    writer.end(&End { bytes: 77, notes }).unwrap();
    out
}

/// Reads to the end or the fault.
fn read(bytes: &[u8]) -> (Vec<Record>, Result<End, Fault>) {
    let mut reader = Reader::new(bytes);
    let mut record = Record::default();
    let mut records = Vec::new();
    loop {
        match reader.next(&mut record) {
            Ok(Next::End(end)) => return (records, Ok(end)),
            Ok(_) => records.push(record.clone()),
            Err(fault) => return (records, Err(fault)),
        }
    }
}

#[test]
fn records_come_back_as_they_went_in() {
    let bytes = stream();
    let mut reader = Reader::new(bytes.as_slice());
    let mut record = Record::default();
    assert_eq!(reader.next(&mut record), Ok(Next::Preamble));
    assert_eq!(record.line, 1);
    assert_eq!(reader.next(&mut record), Ok(Next::Record));
    assert_eq!(record.fields().collect::<Vec<_>>(), ["id", "größe"]);
    assert_eq!(reader.next(&mut record), Ok(Next::Record));
    assert!(record.hidden && record.line == 3);
    assert_eq!(record.cell(0).unwrap().damage().unwrap().rule, "xlsx.number_damaged");
    assert_eq!(
        record.cell(1),
        Some(Cell {
            kind: Kind::Empty,
            text: ""
        })
    );
    assert_eq!(
        reader.next(&mut record),
        Ok(Next::Fault(Fault::new("a.b", "why", "what to do")))
    );
    assert_eq!((record.line, record.width()), (4, 0));
    let Ok(Next::End(end)) = reader.next(&mut record) else {
        panic!("the end");
    };
    assert_eq!((end.bytes, end.notes.len()), (77, 2));
    let shown: Vec<String> = end
        .notes
        .into_iter()
        .map(|n| n.finding(Place::file("a.xlsx")).to_string())
        .collect();
    assert_eq!(shown[0], "warning: a.xlsx: 2 rows (x.hidden)\n  help: unhide");
}

#[test]
fn a_stream_cut_anywhere_is_a_death_and_never_a_shorter_file() {
    let bytes = stream();
    assert!(read(&bytes).1.is_ok());
    for length in 0..bytes.len() {
        let fault = read(&bytes[..length]).1.unwrap_err();
        assert_eq!(fault.rule, "foreign.crash", "cut at {length}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(read(&longer).1.unwrap_err().rule, "foreign.protocol");
}

#[test]
fn no_mutation_panics_and_no_length_is_trusted() {
    let bytes = stream();
    for at in 0..bytes.len() {
        for value in [0, 1, 0x7F, 0x80, 0xFF, b'R', b'E'] {
            let mut mutant = bytes.clone();
            mutant[at] = value;
            let _ = read(&mutant);
        }
    }
    let mut huge = bytes[..9].to_vec();
    huge.extend_from_slice(&[RECORD, 0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(read(&huge).1.unwrap_err().rule, "foreign.protocol");
}

#[test]
fn a_missing_record_is_noticed() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out).unwrap();
    writer.record(&record(1, &[(Kind::Text, "id")])).unwrap();
    writer.records += 1;
    writer.end(&End::default()).unwrap();
    assert_eq!(read(&out).1.unwrap_err().rule, "foreign.protocol");
}

#[test]
fn records_over_a_limit_are_rejected_by_the_writer() {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out).unwrap();
    writer
        .record(&record(1, &[(Kind::Text, &"x".repeat(MAX_RECORD_BYTES + 1))]))
        .unwrap();
    writer.record(&record(2, &vec![(Kind::Empty, ""); 513])).unwrap();
    writer.record(&record(3, &vec![(Kind::Text, "y"); 512])).unwrap();
    writer
        .record(&record(4, &[(Kind::Text, &"x".repeat(MAX_RECORD_BYTES))]))
        .unwrap();
    writer.end(&End::default()).unwrap();
    let mut reader = Reader::new(out.as_slice());
    let mut record = Record::default();
    let mut told = Vec::new();
    loop {
        match reader.next(&mut record).unwrap() {
            Next::Record => told.push(record.width().to_string()),
            Next::Fault(fault) => told.push(fault.rule.to_string()),
            _ => break,
        }
    }
    assert_eq!(told, ["record.size", "record.columns", "512", "1"]);
}

#[test]
fn the_reason_of_a_death_is_told() {
    struct Dead(ErrorKind);
    impl Read for Dead {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(self.0, "it needs more than 768 MiB"))
        }
    }
    let rule = |kind| {
        let fault = Reader::new(Dead(kind)).next(&mut Record::default()).unwrap_err();
        assert!(fault.reason.ends_with("it needs more than 768 MiB"), "{}", fault.reason);
        fault.rule.into_owned()
    };
    assert_eq!(rule(ErrorKind::OutOfMemory), "foreign.memory");
    assert_eq!(rule(ErrorKind::TimedOut), "foreign.time");
    assert_eq!(rule(ErrorKind::Other), "foreign.crash");
}

#[test]
fn a_record_stands_for_its_raw_text_as_csv() {
    let record = record(1, &[(Kind::Text, "a,\"b\""), (Kind::Empty, ""), (Kind::Number, "1.5")]);
    assert_eq!(record.raw(), b"\"a,\"\"b\"\"\",,1.5");
    assert!(!record.is_blank());
}

#[test]
fn faults_of_cells_say_what_to_do() {
    for kind in Kind::ALL {
        let cell = Cell { kind, text: "x" };
        let has_value = kind.is_native() || matches!(kind, Kind::Empty | Kind::Text);
        assert_eq!(cell.fault().is_none(), has_value, "{kind:?}");
        assert!(
            cell.fault()
                .is_none_or(|f| !f.reason.is_empty() && !f.remedy.is_empty())
        );
    }
}
