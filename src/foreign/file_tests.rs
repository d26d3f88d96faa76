//! Files as a whole: what is no workbook, what is too much, what is cut or packed.

use std::io;

use super::fixtures::{WORKBOOK, archive, book, fault, sheet, told};
use super::*;

#[test]
fn what_is_no_workbook_is_told_by_name() {
    let mut protected = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    protected.resize(100_000, 0);
    protected.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    let mut strict = book("", "");
    strict.links = "http://purl.oclc.org/ooxml/officeDocument/relationships".to_owned();
    let mut strict_only_inside = book("", "");
    strict_only_inside.workbook = "<workbook xmlns='http://purl.oclc.org/ooxml/spreadsheetml/main'/>".to_owned();
    for (bytes, expected) in [
        (b"".to_vec(), "file.empty: the file has 0 bytes"),
        (
            protected.clone(),
            "xlsx.protected: the workbook is protected by a password",
        ),
        (
            protected[..50_000].to_vec(),
            "file.type: the file is an old Excel workbook (.xls)",
        ),
        (b"id,amount\n1,2\n".to_vec(), "file.type: the file is no zip archive"),
        (b"<html>".to_vec(), "file.type: the file is an HTML or XML page"),
        (b"%PDF-1.7".to_vec(), "file.type: the file is a PDF document"),
        (b"PAR1".to_vec(), "file.type: the file is a Parquet file"),
        (
            archive(&[("xl/workbook.bin", b"")]),
            "file.type: the file is a binary Excel workbook (.xlsb)",
        ),
        (
            archive(&[("mimetype", b""), ("content.xml", b"")]),
            "file.type: the file is an OpenDocument file",
        ),
        (
            archive(&[("word/document.xml", b"")]),
            "file.type: the file is a Word document",
        ),
        (
            archive(&[("a.csv", b"")]),
            "file.type: the file is a zip archive without a workbook",
        ),
        (strict.pack(), "xlsx.strict: the workbook is saved as"),
        (strict_only_inside.pack(), "xlsx.strict: the workbook is saved as"),
    ] {
        let found = fault(&bytes, &WORKBOOK);
        assert!(found.starts_with(&format!("fault {expected}")), "{found}");
    }
}

#[test]
fn sizes_are_refused_by_what_the_archive_states_and_by_what_comes() {
    // 100 MB of blanks in 100 KB
    let mut bomb = book("", "");
    bomb.sheet = " ".repeat(100_000_000);
    assert!(fault(&bomb.pack(), &WORKBOOK).starts_with("fault xlsx.size: the archive holds 9"));

    // the directory says one byte less than comes
    let bytes = sheet("<row r='2'><c r='A2'><v>1</v></c></row>");
    let directory = find(&bytes, b"PK\x01\x02", 4);
    let at = directory + 24;
    let mut lying = bytes.clone();
    let stated = u32::from_le_bytes(lying[at..at + 4].try_into().unwrap());
    lying[at..at + 4].copy_from_slice(&(stated - 1).to_le_bytes());
    let found = fault(&lying, &WORKBOOK);
    assert!(
        found.starts_with("fault xlsx.size: ") || found.starts_with("fault archive.damaged: "),
        "{found}"
    );
}

/// Where a pattern stands for the n-th time, from 0.
fn find(bytes: &[u8], pattern: &[u8], n: usize) -> usize {
    let found = bytes.windows(pattern.len()).enumerate().filter(|(_, w)| *w == pattern);
    found.map(|(at, _)| at).nth(n).unwrap()
}

#[test]
fn entities_do_not_expand() {
    let mut laughs = book("<row><c t='s'><v>0</v></c></row>", "");
    let mut entities = "<!ENTITY l0 'lol'>".to_owned();
    for i in 1..10 {
        entities += &format!("<!ENTITY l{i} '{}'>", format!("&l{};", i - 1).repeat(10));
    }
    laughs.strings = format!("<!DOCTYPE sst [{entities}]><sst><si><t>&l9;</t></si></sst>");
    assert_eq!(
        fault(&laughs.pack(), &WORKBOOK),
        "fault xlsx.xml: the shared texts is no well-formed part of a workbook: 'it declares a document type'"
    );
    laughs.strings = "<sst><si><t>&unknown;</t></si></sst>".to_owned();
    assert!(fault(&laughs.pack(), &WORKBOOK).starts_with("fault xlsx.xml"));
}

#[test]
fn a_workbook_that_is_cut_is_refused_wherever_it_is_cut() {
    let bytes = sheet("<row r='2'><c r='A2'><v>1</v></c></row>");
    for length in 0..bytes.len() {
        let found = fault(&bytes[..length], &WORKBOOK);
        assert!(found.starts_with("fault "), "{length}: {found}");
    }
}

#[test]
fn a_packed_workbook_is_unpacked() {
    let plain = sheet("<row r='2'><c r='A2'><v>1</v></c></row>");
    let expected = ["1: id|amount", "2: #1|"];
    let zip = Options {
        compression: Compression::Zip,
        ..WORKBOOK
    };
    assert_eq!(told(&archive(&[("a.xlsx", &plain)]), &zip), expected);
    let two = archive(&[("a.xlsx", &plain), ("b.xlsx", &plain)]);
    assert!(fault(&two, &zip).starts_with("fault archive."), "{}", fault(&two, &zip));
    let gzip = Options {
        compression: Compression::Gzip,
        ..WORKBOOK
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut packed, &plain).unwrap();
    let packed = packed.finish().unwrap();
    assert_eq!(told(&packed, &gzip), expected);
    assert!(fault(&packed[..packed.len() - 9], &gzip).starts_with("fault archive.damaged"));
    assert!(fault(&plain, &gzip).starts_with("fault file.type"));
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..100 {
        io::Write::write_all(&mut bomb, &vec![0; 1 << 20]).unwrap();
    }
    assert!(fault(&bomb.finish().unwrap(), &gzip).starts_with("fault archive.bomb"));
}
