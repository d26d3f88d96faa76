//! Tests of the whole room: archives, marks and encodings together.

use std::io::{Cursor, Write};

use flate2::write::GzEncoder;

use super::*;

/// An archive of one member.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive with entries by name; names that end in a slash are folders.
pub(super) fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = ::zip::write::SimpleFileOptions::default();
    for (name, bytes) in entries {
        if name.ends_with('/') {
            writer.add_directory(*name, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

pub(super) fn input(bytes: &[u8]) -> Box<dyn Bytes> {
    Box::new(Cursor::new(bytes.to_vec()))
}

/// What an archive unpacks to, or the fault at its beginning or its end. Whoever tries again gets the fault again.
pub(super) fn unpacked(bytes: &[u8], compression: Compression) -> Result<Vec<u8>, Fault> {
    let mut reader = unpack(input(bytes), compression)?;
    let mut out = Vec::new();
    match reader.read_to_end(&mut out) {
        Ok(_) => {
            assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0);
            Ok(out)
        }
        Err(error) => {
            let fault = fault_of(error);
            assert_eq!(fault_of(reader.read(&mut [0; 8]).unwrap_err()), fault);
            Err(fault)
        }
    }
}

/// The rule of the fault.
pub(super) fn rule<T>(result: Result<T, Fault>) -> String {
    result
        .err()
        .map_or_else(|| "none".to_owned(), |fault| fault.rule.into_owned())
}

/// A table that no compression makes much smaller.
pub(super) fn table(rows: u32) -> Vec<u8> {
    let row = |n: u32| format!("{n},{:08x}\n", n.wrapping_mul(2_654_435_761).rotate_left(n % 31));
    (0..rows).flat_map(|n| row(n).into_bytes()).collect()
}

/// A file that fails in the middle, as a disk does.
pub(super) struct Failing {
    pub bytes: Cursor<Vec<u8>>,
    pub at: u64,
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.position() >= self.at {
            return Err(io::Error::from_raw_os_error(5));
        }
        let left = usize::try_from(self.at - self.bytes.position()).unwrap();
        let length = buffer.len().min(left);
        self.bytes.read(&mut buffer[..length])
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[test]
fn an_error_carries_its_fault_or_is_one_of_the_disk() {
    let fault = Fault::new("archive.bomb", "too big", "smaller");
    assert_eq!(fault_of(carried(fault.clone())), fault);
    let disk = fault_of(io::Error::from_raw_os_error(5));
    assert_eq!(disk.rule, "file.unreadable");
}

#[test]
fn names_of_encodings_are_those_of_sources() {
    for (name, encoding) in Encoding::NAMES {
        assert_eq!((Encoding::parse(name), encoding.name()), (Some(encoding), name));
    }
    assert_eq!(Encoding::parse("latin1"), None);
}
