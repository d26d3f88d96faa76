//! Tests of `zip`.

use std::io::{Cursor, Write};

use super::super::tests::{input, rule, table, unpacked, zip_of};
use super::super::{Compression, unpack};
use super::*;

/// A place of the directory's first line, by its offset in it.
fn in_directory(archive: &[u8], offset: usize) -> usize {
    memmem::find(archive, ITEM).unwrap() + offset
}

fn put(archive: &mut [u8], at: usize, bytes: &[u8]) {
    archive[at..at + bytes.len()].copy_from_slice(bytes);
}

fn entries(entries: &[(&str, &[u8])]) -> Result<Vec<u8>, Fault> {
    unpacked(&zip_of(entries), Compression::Zip)
}

#[test]
fn folders_and_what_desktops_leave_do_not_count() {
    let file = b"a,b\n".as_slice();
    for others in [
        [("f/", b"".as_slice()), ("f/sales.csv", file)].as_slice(),
        &[("sales.csv", file), ("__MACOSX/._sales.csv", b"x")],
        &[("x/sales.csv", file), ("x/.DS_Store", b"x"), (".hidden", b"y")],
        // names are labels
        &[("../../etc/passwd", file)],
        &[("C:\\sales.csv", file)],
    ] {
        assert_eq!(entries(others), Ok(file.to_vec()), "{others:?}");
    }
}

#[test]
fn other_than_one_file_is_told_with_their_number() {
    let reason = |result: Result<Vec<u8>, Fault>| result.map_err(|f| (f.rule.into_owned(), f.reason)).unwrap_err();
    assert_eq!(
        reason(entries(&[
            ("a.csv", b"1"),
            ("b.csv", b"2"),
            ("f/", b""),
            ("c.csv", b"")
        ])),
        (
            "archive.entries".into(),
            "the zip archive has 3 files; one is wanted".into()
        )
    );
    assert_eq!(
        reason(entries(&[("f/", b""), ("f/.a", b"1")])).1,
        "the zip archive has 2 entries and no file; folders and hidden files do not count"
    );
    // the same name twice is two files, too
    let mut twice = zip_of(&[("a.csv", b"1"), ("b.csv", b"2")]);
    while let Some(at) = memmem::find(&twice, b"b.csv") {
        put(&mut twice, at, b"a.csv");
    }
    assert_eq!(rule(unpacked(&twice, Compression::Zip)), "archive.entries");
    let empty = zip_of(&[]);
    assert_eq!(rule(unpack(input(&empty), Compression::Zip)), "archive.entries");
}

#[test]
fn many_entries_are_refused_before_they_are_read() {
    let names: Vec<String> = (0..1_001).map(|n| format!("f{n}/")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    let fault = entries(&many).unwrap_err();
    assert_eq!(
        (fault.rule.as_ref(), fault.reason.contains("1001 entries")),
        ("archive.entries", true)
    );
    let most = [&many[..999], &[("t.csv", b"a".as_slice())]].concat();
    assert_eq!(entries(&most), Ok(b"a".to_vec()));
}

#[test]
fn a_folder_with_bytes_is_a_file() {
    let mut archive = zip_of(&[("sales.csv", b"a,b\n")]);
    while let Some(at) = memmem::find(&archive, b"sales.csv") {
        put(&mut archive, at, b"sales.cs/");
    }
    assert_eq!(unpacked(&archive, Compression::Zip), Ok(b"a,b\n".to_vec()));
}

#[test]
fn a_workbook_is_no_archive_of_files() {
    let fault = entries(&[("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>")]).unwrap_err();
    assert_eq!(fault.rule, "file.type");
}

#[test]
fn protected_and_rare_archives_are_told() {
    let archive = zip_of(&[("t.csv", b"a,b\n1,2\n")]);
    for flag in [1_u8, 1 << 6] {
        let mut protected = archive.clone();
        protected[6] |= flag;
        let at = in_directory(&archive, 8);
        protected[at] |= flag;
        assert_eq!(rule(unpacked(&protected, Compression::Zip)), "archive.protected");
    }
    for (method, expected) in [
        (99, "archive.protected"),
        (9, "archive.unsupported"),
        (12, "archive.unsupported"),
    ] {
        let mut rare = archive.clone();
        rare[8] = method;
        let at = in_directory(&archive, 10);
        rare[at] = method;
        assert_eq!(rule(unpacked(&rare, Compression::Zip)), expected, "{method}");
    }
    let mut part = archive.clone();
    let end = memmem::find(&part, END).unwrap();
    part[end + 4] = 1;
    assert_eq!(rule(unpacked(&part, Compression::Zip)), "archive.unsupported");
}

#[test]
fn a_directory_that_lies_is_found() {
    let zeros = vec![b'0'; 11 << 20];
    let archive = zip_of(&[("t.csv", &zeros)]);
    // says 100 bytes in the directory and in the header: the inflated bytes are counted
    let mut small = archive.clone();
    let size = 100_u32.to_le_bytes();
    let at = in_directory(&archive, 24);
    put(&mut small, at, &size);
    put(&mut small, 22, &size);
    let fault = unpacked(&small, Compression::Zip).unwrap_err();
    assert_eq!(fault.rule, "archive.damaged");
    assert!(fault.reason.contains("more than the 100 bytes"), "{}", fault.reason);
    // in the directory alone: the two differ
    let mut other = archive.clone();
    put(&mut other, at, &size);
    assert!(
        unpacked(&other, Compression::Zip)
            .unwrap_err()
            .reason
            .contains("says other than")
    );
    // says that it is a bomb: not even opened
    let mut large = archive.clone();
    let size = u32::MAX.to_le_bytes();
    put(&mut large, at, &size);
    put(&mut large, 22, &size);
    assert_eq!(rule(unpack(input(&large), Compression::Zip)), "archive.bomb");
}

#[test]
fn packed_bytes_behind_the_end_of_the_file_are_found() {
    // a shorter deflate stream in the place of a longer one
    let archive = zip_of(&[("t.csv", &table(100))]);
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(b"a,b\n").unwrap();
    let short = encoder.finish().unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(b"a,b\n");
    let mut forged = archive.clone();
    put(&mut forged, 30 + "t.csv".len(), &short);
    for (header, offset, value) in [(14, 16, crc.sum()), (22, 24, 4)] {
        put(&mut forged, header, &value.to_le_bytes());
        let at = in_directory(&archive, offset);
        put(&mut forged, at, &value.to_le_bytes());
    }
    let fault = unpacked(&forged, Compression::Zip).unwrap_err();
    assert!(fault.reason.contains("behind the end"), "{}", fault.reason);
}

#[test]
fn stored_and_streamed_files_are_read() {
    let text = table(500);
    let stored = ::zip::write::SimpleFileOptions::default().compression_method(::zip::CompressionMethod::Stored);
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("t.csv", stored).unwrap();
    writer.write_all(&text).unwrap();
    let mut archive = writer.finish().unwrap().into_inner();
    assert_eq!(unpacked(&archive, Compression::Zip), Ok(text.clone()));
    let at = memmem::find(&archive, &text).unwrap();
    archive[at] = b'x';
    assert!(
        unpacked(&archive, Compression::Zip)
            .unwrap_err()
            .reason
            .contains("checksum")
    );
    // sizes and sum behind the packed bytes
    let mut writer = ::zip::ZipWriter::new_stream(Vec::new());
    writer
        .start_file("t.csv", ::zip::write::SimpleFileOptions::default())
        .unwrap();
    writer.write_all(&text).unwrap();
    let archive = writer.finish().unwrap().into_inner();
    assert_ne!(u16_at(&archive, 6) & DESCRIPTOR, 0);
    assert_eq!(unpacked(&archive, Compression::Zip), Ok(text));
}

/// The same archive with all its numbers in 64 bits.
fn widened(archive: &[u8]) -> Vec<u8> {
    let directory = memmem::find(archive, ITEM).unwrap();
    let end = memmem::rfind(archive, END).unwrap();
    let mut item = archive[directory..end].to_vec();
    let [packed, unpacked, header] = [20, 24, 42].map(|at| number::<4>(&item, at));
    [20, 24, 42]
        .into_iter()
        .for_each(|at| put(&mut item, at, &u32::MAX.to_le_bytes()));
    let extra_bytes = u16_at(&item, 30);
    put(&mut item, 30, &(extra_bytes + 28).to_le_bytes());
    let name_end = ITEM_BYTES + usize::from(u16_at(&item, 28));
    let wide: Vec<u8> = [unpacked, packed, header]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
    item.splice(name_end..name_end, [[1, 0, 24, 0].to_vec(), wide].concat());
    let mut out = archive[..directory].to_vec();
    out.extend_from_slice(&item);
    let end64 = out.len() as u64;
    out.extend_from_slice(END64);
    let rest: [u64; 1] = [44];
    rest.iter().for_each(|n| out.extend_from_slice(&n.to_le_bytes()));
    out.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for n in [1, 1, item.len() as u64, directory as u64] {
        out.extend_from_slice(&n.to_le_bytes());
    }
    out.extend_from_slice(LOCATOR);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&end64.to_le_bytes());
    out.extend_from_slice(&1_u32.to_le_bytes());
    out.extend_from_slice(END);
    out.extend_from_slice(&[0, 0, 0, 0]);
    out.extend_from_slice(&[0xFF; 12]);
    out.extend_from_slice(&[0, 0]);
    out
}

#[test]
fn numbers_of_64_bits_are_read_and_every_cut_of_them_is_found() {
    let text = table(30);
    let archive = widened(&zip_of(&[("t.csv", &text)]));
    assert_eq!(unpacked(&archive, Compression::Zip), Ok(text.clone()));
    // some writers give the numbers of 32 bits too
    let mut both = archive.clone();
    let (end, directory) = (both.len() - 22, in_directory(&both, 0));
    let end64 = memmem::rfind(&both, END64).unwrap();
    put(&mut both, end + 8, &[1, 0, 1, 0]);
    put(
        &mut both,
        end + 12,
        &u32::try_from(end64 - directory).unwrap().to_le_bytes(),
    );
    put(&mut both, end + 16, &u32::try_from(directory).unwrap().to_le_bytes());
    assert_eq!(unpacked(&both, Compression::Zip), Ok(text.clone()));
    both[end + 10] = 2;
    assert!(
        unpacked(&both, Compression::Zip)
            .unwrap_err()
            .reason
            .contains("two end records")
    );
    // another reader agrees that this is such an archive
    let mut peer = ::zip::ZipArchive::new(Cursor::new(archive.clone())).unwrap();
    let mut read = Vec::new();
    peer.by_index(0).unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, text);
    for length in 4..archive.len() {
        assert_eq!(
            rule(unpacked(&archive[..length], Compression::Zip)),
            "archive.damaged",
            "cut to {length}"
        );
    }
    for at in 0..archive.len() {
        for bit in 0..8 {
            let mut changed = archive.clone();
            changed[at] ^= 1 << bit;
            if let Ok(bytes) = unpacked(&changed, Compression::Zip) {
                assert_eq!(bytes, text, "bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn comments_are_read_over_and_what_stands_behind_the_end_is_not() {
    let mut archive = zip_of(&[("t.csv", b"a,b\n")]);
    let trailing = [archive.clone(), b"\n".to_vec()].concat();
    assert_eq!(rule(unpacked(&trailing, Compression::Zip)), "archive.damaged");
    // a comment that holds an end record of its own, which does not end with the file
    let comment = [END.to_vec(), vec![0; 30]].concat();
    let at = archive.len() - 2;
    put(&mut archive, at, &u16::try_from(comment.len()).unwrap().to_le_bytes());
    archive.extend_from_slice(&comment);
    assert_eq!(unpacked(&archive, Compression::Zip), Ok(b"a,b\n".to_vec()));
}
