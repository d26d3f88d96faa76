//! What kind of file the first bytes belong to, and the bytes inside of an archive.
//!
//! Duty: packing and format by signatures; unpacking as much as a sample needs. Not its duty: encodings, refusing
//! archives that a run would refuse.

use std::borrow::Cow;
use std::io::Read;

use super::super::decode::{Compression, is_workbook, kind};
use super::super::fault::Fault;
use super::super::source::Format;
use super::SAMPLE_BYTES;
use super::guess::{Confidence, Guess, Setting};

/// A sample without its packing.
pub struct Container<'a> {
    pub compression: Compression,
    /// Of binary formats; text is told apart later.
    pub format: Option<Format>,
    pub bytes: Cow<'a, [u8]>,
    /// Whether the bytes reach the end of the file.
    pub whole: bool,
}

const PARQUET: &[u8] = b"PAR1";

/// Files that no source can declare, as a message names them.
const FOREIGN: [(&[u8], &str); 8] = [
    (b"%PDF", "a PDF document"),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook or another Office document"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive"),
    (b"\xFD7zXZ", "an xz archive"),
    (b"\x28\xB5\x2F\xFD", "a zstd archive"),
    (b"Rar!\x1A\x07", "a rar archive"),
    (b"SQLite format 3\0", "an SQLite database"),
];

const MARKUP: [&[u8]; 3] = [b"<!doctype html", b"<html", b"<?xml"];

/// Unpacks a sample; `whole` says that it reaches the end of the file. An error: no source can read such a file.
pub fn open(head: &[u8], whole: bool) -> Result<Container<'_>, Fault> {
    if head.is_empty() {
        let remedy = "name a file with rows: an empty one shows nothing";
        return Err(Fault::new("file.empty", "the file has 0 bytes", remedy));
    }
    let (compression, bytes, whole) = match kind(head) {
        Some(Compression::Gzip) => {
            let (bytes, ended) = inflate(flate2::read::MultiGzDecoder::new(head));
            (Compression::Gzip, Cow::Owned(bytes), whole && ended)
        }
        Some(Compression::Zip) if !is_workbook(head) => {
            let (bytes, ended) = first_entry(head).ok_or_else(|| not_read("a zip archive that is damaged or empty"))?;
            (Compression::Zip, Cow::Owned(bytes), whole && ended)
        }
        _ => (Compression::None, Cow::Borrowed(head), whole),
    };
    if bytes.is_empty() {
        return Err(not_read("an archive that is damaged or holds nothing"));
    }
    let format = if bytes.starts_with(PARQUET) {
        Some(Format::Parquet)
    } else if is_workbook(&bytes) {
        Some(Format::Xlsx)
    } else {
        None
    };
    if let Some((_, what)) = FOREIGN.iter().find(|(signature, _)| bytes.starts_with(signature)) {
        return Err(not_read(what));
    }
    if compression != Compression::None && kind(&bytes).is_some() && format.is_none() {
        return Err(not_read("an archive within an archive"));
    }
    let start = bytes.trim_ascii_start();
    let is_markup = |tag: &&[u8]| start.get(..tag.len()).is_some_and(|t| t.eq_ignore_ascii_case(tag));
    if MARKUP.iter().any(is_markup) {
        return Err(not_read("an HTML or XML page, such as that of a login"));
    }
    Ok(Container {
        compression,
        format,
        bytes,
        whole,
    })
}

fn not_read(what: &str) -> Fault {
    let remedy = "deliver csv, json_lines, xlsx or parquet, as they are or in gzip or zip";
    Fault::new("file.type", format!("the file is {what}"), remedy)
}

/// What can be inflated, and whether it is all: a sample may end anywhere.
fn inflate(mut from: impl Read) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    while out.len() < SAMPLE_BYTES {
        match from.read(&mut buffer) {
            Ok(0) => return (out, true),
            Ok(count) => out.extend_from_slice(&buffer[..count]),
            Err(_) => break,
        }
    }
    (out, false)
}

/// The first entry of a zip archive by its local header: the directory stands at the end of the file, which a sample
/// need not reach.
fn first_entry(head: &[u8]) -> Option<(Vec<u8>, bool)> {
    let short = |at: usize| {
        head.get(at..at + 2)
            .map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])))
    };
    let (method, name, extra) = (short(8)?, short(26)?, short(28)?);
    let data = head.get(30 + name + extra..)?;
    match method {
        8 => Some(inflate(flate2::read::DeflateDecoder::new(data))),
        0 => {
            let size = head.get(22..26)?;
            let size = usize::try_from(u32::from_le_bytes(size.try_into().ok()?)).ok()?;
            let end = size.min(data.len()).min(SAMPLE_BYTES);
            Some((data[..end].to_vec(), end == size))
        }
        _ => None,
    }
}

impl Container<'_> {
    /// What there is to say of the packing.
    pub fn guess(&self) -> Guess {
        let (name, how) = match self.compression {
            Compression::None => {
                let none = Setting::text("none");
                let evidence = "the first bytes are no archive";
                return Guess::default(&["compression"], none, Confidence::Certain, evidence);
            }
            Compression::Gzip => ("gzip", "the first bytes are those of gzip"),
            Compression::Zip => ("zip", "the first bytes are those of zip; its first entry was read"),
        };
        Guess::key(&["compression"], Setting::text(name), Confidence::Certain, how)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn archives_are_opened() {
        let text = b"a,b\n1,2\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text).unwrap();
        let gzip = gzip.finish().unwrap();
        let open_gzip = open(&gzip, true).unwrap();
        assert_eq!((open_gzip.bytes.as_ref(), open_gzip.whole), (text.as_slice(), true));
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("x.csv", zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text).unwrap();
        let zip = zip.finish().unwrap().into_inner();
        let open_zip = open(&zip, true).unwrap();
        assert_eq!(
            (open_zip.bytes.as_ref(), open_zip.compression),
            (text.as_slice(), Compression::Zip)
        );
        // half of an archive still shows its beginning
        assert!(open(&gzip[..gzip.len() - 4], false).is_ok_and(|c| c.bytes.starts_with(b"a,b") && !c.whole));
    }

    #[test]
    fn what_no_source_reads_is_refused() {
        for foreign in [
            b"".as_slice(),
            b"%PDF-1.7",
            b"\xD0\xCF\x11\xE0",
            b" <HTML>",
            b"\x1F\x8B\x08",
            b"PK\x05\x06",
        ] {
            assert!(open(foreign, true).is_err(), "{foreign:?}");
        }
        assert_eq!(open(b"PAR1....", true).unwrap().format, Some(Format::Parquet));
    }
}
