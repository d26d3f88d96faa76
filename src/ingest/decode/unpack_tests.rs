//! Tests of `unpack`.

use std::io::{Cursor, Seek, SeekFrom};

use super::super::tests::{Failing, gzip, input, rule, table, unpacked, zip_of};
use super::*;

#[test]
fn archives_are_unpacked() {
    for bytes in [b"".to_vec(), b"a,b\n1,2\n".to_vec(), table(50_000)] {
        assert_eq!(unpacked(&gzip(&bytes), Compression::Gzip), Ok(bytes.clone()));
        assert_eq!(
            unpacked(&zip_of(&[("t.csv", &bytes)]), Compression::Zip),
            Ok(bytes.clone())
        );
        assert_eq!(unpacked(&bytes, Compression::None), Ok(bytes));
    }
}

#[test]
fn members_of_a_gzip_follow_one_another() {
    let archive = [gzip(b"a,b\n"), gzip(b""), gzip(b"1,2\n")].concat();
    assert_eq!(unpacked(&archive, Compression::Gzip), Ok(b"a,b\n1,2\n".to_vec()));
}

#[test]
fn a_file_that_is_not_packed_as_declared_is_told() {
    for (bytes, compression, expected) in [
        (b"a,b\n".to_vec(), Compression::Gzip, "file.type"),
        (b"a,b\n".to_vec(), Compression::Zip, "file.type"),
        (gzip(b"a"), Compression::Zip, "file.type"),
        (b"\x1F".to_vec(), Compression::Gzip, "file.type"),
        (Vec::new(), Compression::Gzip, "file.empty"),
    ] {
        assert_eq!(rule(unpacked(&bytes, compression)), expected);
    }
}

#[test]
fn a_truncated_archive_is_never_a_shorter_file() {
    let text = table(40);
    let archives = [
        (gzip(&text), Compression::Gzip),
        (zip_of(&[("t.csv", &text)]), Compression::Zip),
        (zip_of(&[("f/", b""), ("f/t.csv", &text)]), Compression::Zip),
    ];
    for (archive, compression) in archives {
        assert_eq!(unpacked(&archive, compression), Ok(text.clone()));
        for length in 4..archive.len() {
            let fault = unpacked(&archive[..length], compression).unwrap_err();
            assert_eq!(fault.rule, "archive.damaged", "{compression:?} cut to {length}");
        }
        for length in 0..4 {
            let expected = match (length, compression) {
                (0, _) => "file.empty",
                (2.., Compression::Gzip) => "archive.damaged",
                _ => "file.type",
            };
            assert_eq!(rule(unpacked(&archive[..length], compression)), expected);
        }
    }
}

#[test]
fn a_changed_byte_is_found_or_changes_nothing() {
    let text = table(12);
    let archives = [
        (gzip(&text), Compression::Gzip),
        (zip_of(&[("t.csv", &text)]), Compression::Zip),
    ];
    for (archive, compression) in archives {
        for at in 0..archive.len() {
            for bit in 0..8 {
                let mut changed = archive.clone();
                changed[at] ^= 1 << bit;
                if let Ok(bytes) = unpacked(&changed, compression) {
                    assert_eq!(bytes, text, "{compression:?} bit {bit} of byte {at}");
                }
            }
        }
    }
}

#[test]
fn something_behind_the_end_of_a_gzip_is_told() {
    for behind in [b"\n".as_slice(), b"\0\0\0\0", b"more,text\n", b"\x1F\x8B"] {
        let archive = [gzip(b"a,b\n"), behind.to_vec()].concat();
        assert_eq!(rule(unpacked(&archive, Compression::Gzip)), "archive.damaged");
    }
}

#[test]
fn bombs_stop_at_their_cap() {
    // 20 MiB of zeros are 20 KiB packed: a thousandth
    let zeros = vec![0; 20 << 20];
    for (archive, compression) in [
        (gzip(&zeros), Compression::Gzip),
        (zip_of(&[("t", &zeros)]), Compression::Zip),
    ] {
        assert!(archive.len() < 40_000);
        let fault = unpacked(&archive, compression).unwrap_err();
        assert_eq!(fault.rule, "archive.bomb");
        assert!(fault.reason.contains("10485760 bytes"), "{}", fault.reason);
    }
    // what is no table either, but small
    let few = &zeros[..10 << 20];
    assert_eq!(unpacked(&gzip(few), Compression::Gzip).unwrap().len(), few.len());
}

#[test]
fn caps_follow_the_packed_size() {
    assert_eq!(caps::unpacked_bytes(0), 10 << 20);
    assert_eq!(caps::unpacked_bytes(1 << 20), 100 << 20);
    assert_eq!(caps::unpacked_bytes(1 << 30), 8 << 30);
    assert_eq!(caps::unpacked_bytes(u64::MAX), 8 << 30);
}

#[test]
fn a_disk_that_fails_is_not_a_damaged_archive() {
    let text = table(50_000);
    for (archive, compression) in [(text.clone(), Compression::None), (gzip(&text), Compression::Gzip)] {
        let at = archive.len() as u64 / 2;
        let file = Failing {
            bytes: Cursor::new(archive),
            at,
        };
        let mut reader = unpack(Box::new(file), compression).unwrap();
        let fault = fault_of(reader.read_to_end(&mut Vec::new()).unwrap_err());
        assert_eq!(fault.rule, "file.unreadable", "{compression:?}");
    }
}

/// Says that it has other bytes than it gives; interrupts every second read.
struct Changing {
    bytes: Cursor<Vec<u8>>,
    said: u64,
    interrupt: bool,
}

impl Read for Changing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.bytes.read(buffer)
    }
}

impl Seek for Changing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::End(_) => Ok(self.said),
            _ => self.bytes.seek(to),
        }
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_told() {
    let text = table(20_000);
    for (archive, compression) in [(text.clone(), Compression::None), (gzip(&text), Compression::Gzip)] {
        let length = archive.len() as u64;
        for (said, expected) in [
            (length, "none"),
            (length - 1, "file.changed"),
            (length + 1, "file.changed"),
        ] {
            let file = Changing {
                bytes: Cursor::new(archive.clone()),
                said,
                interrupt: false,
            };
            let mut out = Vec::new();
            let result = unpack(Box::new(file), compression).unwrap().read_to_end(&mut out);
            assert_eq!(
                rule(result.map_err(fault_of)),
                expected,
                "{compression:?} {said} of {length}"
            );
            assert!(expected != "none" || out == text);
        }
    }
}

#[test]
fn an_unpacked_file_is_read_byte_by_byte_too() {
    let text = table(300);
    for archive in [gzip(&text), [gzip(&text[..100]), gzip(&text[100..])].concat()] {
        let mut reader = unpack(input(&archive), Compression::Gzip).unwrap();
        let (mut bytes, mut byte) = (Vec::new(), [0]);
        while reader.read(&mut byte).unwrap() > 0 {
            bytes.push(byte[0]);
        }
        assert_eq!(bytes, text);
    }
}
