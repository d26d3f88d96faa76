//! Tests of `text`.

use std::io::Cursor;

use super::super::tests::{Failing, gzip, input, rule, table, zip_of};
use super::*;

/// The whole text, its encoding and the places of what is malformed.
fn read(bytes: &[u8], encoding: Encoding) -> (Vec<u8>, Encoding, Vec<u64>) {
    let mut opened = text(input(bytes), Compression::None, encoding).unwrap();
    let mut out = Vec::new();
    opened.read_to_end(&mut out).unwrap();
    assert_eq!(opened.delivered_bytes(), bytes.len() as u64);
    let log = opened.malformed();
    let places = (0..).map_while(|n| log.nth(n)).map(|bad| bad.file_offset).collect();
    (out, opened.encoding(), places)
}

fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_mark_decides_over_the_declaration_and_is_not_text() {
    let wide = utf16le("a,é\n");
    let big: Vec<u8> = wide.chunks(2).flat_map(|u| [u[1], u[0]]).collect();
    let expected = "a,é\n".as_bytes();
    for (_, declared) in Encoding::NAMES {
        for (file, encoding) in [
            ([b"\xEF\xBB\xBF", expected].concat(), Encoding::Utf8),
            ([b"\xFF\xFE", wide.as_slice()].concat(), Encoding::Utf16Le),
            ([b"\xFE\xFF", big.as_slice()].concat(), Encoding::Utf16Be),
        ] {
            assert_eq!(read(&file, declared), (expected.to_vec(), encoding, vec![]));
        }
    }
    assert_eq!(read(&wide, Encoding::Utf16Le).0, expected);
    assert_eq!(read(&big, Encoding::Utf16Be).0, expected);
    assert_eq!(read(b"\x84\x31\x95\x33\xD6\xD0", Encoding::Gb18030).0, "中".as_bytes());
    // a mark within the text is a character, and one half of a mark is no mark
    assert_eq!(read(&utf16le("a\u{FEFF}"), Encoding::Utf16Le).0, "a\u{FEFF}".as_bytes());
    assert_eq!(read(b"\xEF\xBB", Encoding::Utf8).0, b"\xEF\xBB");
}

#[test]
fn utf8_is_given_as_it_is() {
    let bytes = b"a\0\xFF\xC3(\xED\xA0\x80\xC0\xAF\xEF\xBF\xBD\n";
    assert_eq!(read(bytes, Encoding::Utf8), (bytes.to_vec(), Encoding::Utf8, vec![]));
    assert_eq!(read(b"", Encoding::Utf8).0, b"");
}

#[test]
fn utf32_is_refused() {
    for file in [b"\xFF\xFE\0\0a\0\0\0", b"\0\0\xFE\xFF\0\0\0a"] {
        assert_eq!(
            rule(text(input(file), Compression::None, Encoding::Utf8)),
            "file.encoding"
        );
    }
}

#[test]
fn places_count_the_mark_and_go_over_chunks() {
    // 2 bytes of mark, then one character a chunk and a half into the file that is half a pair
    let before = CHUNK_BYTES * 3 / 4;
    let mut file = [b"\xFF\xFE".to_vec(), utf16le(&"é".repeat(before))].concat();
    file.extend_from_slice(&[0x00, 0xDC]);
    file.extend_from_slice(&utf16le(&"x".repeat(CHUNK_BYTES)));
    file.push(b'y');
    let mut opened = text(input(&file), Compression::None, Encoding::Utf8).unwrap();
    let mut out = Vec::new();
    opened.read_to_end(&mut out).unwrap();
    let bad = opened.malformed().at(before as u64 * 2).unwrap();
    assert_eq!(
        (bad.file_offset, bad.bytes()),
        (2 + before as u64 * 2, [0x00, 0xDC].as_slice())
    );
    assert_eq!(out[before * 2], 0xFF);
    assert_eq!(out.len(), before * 2 + 1 + CHUNK_BYTES + 1);
    assert_eq!(opened.malformed().count(), 2);
    assert_eq!(opened.malformed().nth(1).unwrap().file_offset, file.len() as u64 - 1);
    let fault = opened.malformed().fault(before as u64 * 2, 0xFF);
    assert_eq!(
        fault.reason,
        format!("byte {} of the file (0x00 0xDC) is no utf-16le", 2 + before * 2)
    );
}

#[test]
fn the_head_is_that_of_the_file_before_decoding() {
    let pdf = [b"%PDF-1.7\n\x81".to_vec(), vec![b' '; 2 * HEAD_BYTES]].concat();
    let opened = text(input(&gzip(&pdf)), Compression::Gzip, Encoding::Windows1252).unwrap();
    assert_eq!(opened.head(), &pdf[..HEAD_BYTES]);
    let marked = text(input(b"\xFF\xFEa\0"), Compression::None, Encoding::Utf8).unwrap();
    assert_eq!((marked.head(), marked.mark_bytes()), (b"\xFF\xFEa\0".as_slice(), 2));
}

#[test]
fn packed_texts_are_unpacked_and_decoded() {
    let file = [b"\xFF\xFE".to_vec(), utf16le("id,name\n1,Ž\n")].concat();
    for (archive, compression) in [
        (gzip(&file), Compression::Gzip),
        (zip_of(&[("t.csv", &file)]), Compression::Zip),
    ] {
        let mut opened = text(input(&archive), compression, Encoding::Utf8).unwrap();
        let mut out = String::new();
        opened.read_to_string(&mut out).unwrap();
        assert_eq!(out, "id,name\n1,Ž\n");
        assert_eq!(opened.delivered_bytes(), archive.len() as u64);
    }
}

#[test]
fn archives_within_archives_are_refused() {
    let tar = [vec![b'x'; 257], b"ustar\0".to_vec(), vec![0; 249]].concat();
    for (archive, compression, what) in [
        (gzip(&gzip(b"a")), Compression::Gzip, "a gzip archive"),
        (gzip(&tar), Compression::Gzip, "a tar archive"),
        (gzip(&zip_of(&[("a", b"a")])), Compression::Gzip, "a zip archive"),
        (zip_of(&[("a.csv.gz", &gzip(b"a"))]), Compression::Zip, "a gzip archive"),
    ] {
        let fault = text(input(&archive), compression, Encoding::Utf8)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(fault.rule, "archive.nested");
        assert!(fault.reason.contains(what), "{}", fault.reason);
    }
}

#[test]
fn what_fails_late_fails_while_it_is_read() {
    let whole = table(50_000);
    let archive = gzip(&whole);
    for encoding in [Encoding::Utf8, Encoding::Windows1252] {
        let cut = &archive[..archive.len() - 3];
        let mut opened = text(input(cut), Compression::Gzip, encoding).unwrap();
        let mut out = Vec::new();
        let fault = fault_of(opened.read_to_end(&mut out).unwrap_err());
        assert_eq!(fault.rule, "archive.damaged");
        assert_eq!(fault_of(opened.read(&mut [0; 9]).unwrap_err()).rule, "archive.damaged");
        let file = Failing {
            bytes: Cursor::new(whole.clone()),
            at: 200_000,
        };
        let mut opened = text(Box::new(file), Compression::None, encoding).unwrap();
        assert_eq!(
            fault_of(opened.read_to_end(&mut out).unwrap_err()).rule,
            "file.unreadable"
        );
    }
}

#[test]
fn buffers_of_any_size_get_the_same_text() {
    let file = [b"a\x81".to_vec(), table(20), b"\x80\x9D".to_vec()].concat();
    let whole = read(&file, Encoding::Windows1252).0;
    for size in [1, 2, 3, 7, 100] {
        let mut opened = text(input(&file), Compression::None, Encoding::Windows1252).unwrap();
        let (mut out, mut buffer) = (Vec::new(), vec![0; size]);
        assert_eq!(opened.read(&mut []).unwrap(), 0);
        loop {
            let read = opened.read(&mut buffer).unwrap();
            if read == 0 {
                break;
            }
            out.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(out, whole);
    }
}
