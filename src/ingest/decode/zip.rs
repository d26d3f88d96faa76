//! The directory of a zip archive, and the one file in it.
//!
//! Duty: which bytes of the archive are the file; limits before anything is held. Not its duty: inflating. Names are
//! only looked at to leave out what is no delivery; they are never paths.
//!
//! Strict where readers differ: one directory that ends where its end record begins, no bytes behind that record, no
//! parts on other disks, the header of the file like its entry in the directory. Two readings of one archive are none.

use std::io::{Read, SeekFrom};

use memchr::memmem;

use super::unpack::damaged;
use super::{Bytes, Fault, caps, fault_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflate,
}

/// The file in the archive.
#[derive(Debug)]
pub(super) struct Entry {
    pub method: Method,
    pub crc: u32,
    /// Its packed bytes: from where, and how many.
    pub start: u64,
    pub packed: u64,
    /// What the directory says, which may be a lie.
    pub unpacked: u64,
}

/// The only file of an archive of `length` bytes, and the archive itself back.
pub(super) fn only_file<'a>(
    mut input: Box<dyn Bytes + 'a>,
    length: u64,
) -> Result<(Box<dyn Bytes + 'a>, Entry), Fault> {
    let end = find_end(input.as_mut(), length)?;
    let item = only_item(directory(input.as_mut(), &end)?)?;
    let entry = open(input.as_mut(), &item, end.start)?;
    Ok((input, entry))
}

/// What the end record says of the directory.
struct End {
    /// Number of this disk, of the directory's, and entries on this one: 0, 0 and all where there is but one.
    disks: [u64; 3],
    count: u64,
    start: u64,
    bytes: u64,
}

/// One line of the directory.
struct Item {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
    /// Where its header stands.
    header: u64,
}

const END: &[u8] = b"PK\x05\x06";
const END_BYTES: u64 = 22;
const MAX_COMMENT_BYTES: u64 = u16::MAX as u64;
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_BYTES: u64 = 20;
const END64: &[u8] = b"PK\x06\x06";
const END64_BYTES: u64 = 56;
const ITEM: &[u8] = b"PK\x01\x02";
const ITEM_BYTES: usize = 46;
const HEADER: &[u8] = b"PK\x03\x04";
const HEADER_BYTES: u64 = 30;

/// In a field of 16 or 32 bits: the number stands in the record of 64 bits.
const WIDE_16: u64 = u16::MAX as u64;
const WIDE_32: u64 = u32::MAX as u64;

const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// Sizes and sum stand behind the packed bytes, not in the header.
const DESCRIPTOR: u16 = 1 << 3;
const AES: u16 = 99;

fn broken(how: &str) -> Fault {
    damaged("zip", how)
}

fn unsupported(how: &str) -> Fault {
    Fault::new(
        "archive.unsupported",
        format!("the zip archive {how}"),
        "pack the one file as a plain zip (Deflate), or with gzip",
    )
}

/// Reads `count` bytes at a place that must lie within the file.
fn read_at(input: &mut dyn Bytes, at: u64, count: u64) -> Result<Vec<u8>, Fault> {
    input.seek(SeekFrom::Start(at)).map_err(fault_of)?;
    let mut bytes = Vec::new();
    let read = Read::take(input, count).read_to_end(&mut bytes).map_err(fault_of)?;
    if read as u64 == count {
        Ok(bytes)
    } else {
        Err(broken("it is cut off before its end"))
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    let mut wide = [0; 8];
    wide[..N].copy_from_slice(&bytes[at..at + N]);
    u64::from_le_bytes(wide)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn find_end(input: &mut dyn Bytes, length: u64) -> Result<End, Fault> {
    let tail_start = length.saturating_sub(END_BYTES + MAX_COMMENT_BYTES);
    let tail = read_at(input, tail_start, length - tail_start)?;
    // the comment may hold what looks like an end record; the true one ends with the file
    let at = memmem::rfind_iter(&tail, END)
        .find(|at| tail.len() >= at + 22 && tail.len() == at + 22 + usize::from(u16_at(&tail, at + 20)))
        .ok_or_else(|| broken("it does not end as a zip does; it is cut off, or something stands behind it"))?;
    let record = &tail[at..];
    let record_start = tail_start + at as u64;
    let narrow = End {
        disks: [number::<2>(record, 4), number::<2>(record, 6), number::<2>(record, 8)],
        count: number::<2>(record, 10),
        bytes: number::<4>(record, 12),
        start: number::<4>(record, 16),
    };
    let (end, end_of_directory) = if narrow.start + narrow.bytes == record_start {
        (narrow, record_start)
    } else {
        find_wide_end(input, record_start, &narrow)?
    };
    if end.disks != [0, 0, end.count] {
        return Err(unsupported("is one part of several"));
    }
    if end.start.checked_add(end.bytes) != Some(end_of_directory) {
        return Err(misplaced());
    }
    Ok(end)
}

/// The end record of 64 bits, which stands before its locator, which stands before the end record; and its place.
fn find_wide_end(input: &mut dyn Bytes, record_start: u64, narrow: &End) -> Result<(End, u64), Fault> {
    let locator_start = record_start.checked_sub(LOCATOR_BYTES).ok_or_else(misplaced)?;
    let locator = read_at(input, locator_start, LOCATOR_BYTES)?;
    if !locator.starts_with(LOCATOR) {
        return Err(misplaced());
    }
    let start = number::<8>(&locator, 8);
    if start.checked_add(END64_BYTES).is_none_or(|end| end > locator_start) {
        return Err(broken("its 64-bit end record does not lie within it"));
    }
    let record = read_at(input, start, END64_BYTES)?;
    if !record.starts_with(END64) {
        return Err(broken("its 64-bit end record is missing"));
    }
    let end = End {
        disks: [
            number::<4>(&record, 16),
            number::<4>(&record, 20),
            number::<8>(&record, 24),
        ],
        count: number::<8>(&record, 32),
        bytes: number::<8>(&record, 40),
        start: number::<8>(&record, 48),
    };
    let agrees = |narrow: u64, wide: u64, none: u64| narrow == wide || narrow == none;
    if agrees(narrow.count, end.count, WIDE_16)
        && agrees(narrow.bytes, end.bytes, WIDE_32)
        && agrees(narrow.start, end.start, WIDE_32)
    {
        Ok((end, start))
    } else {
        Err(broken("its two end records say different things"))
    }
}

fn misplaced() -> Fault {
    broken("its directory does not stand where its end record says")
}

fn directory(input: &mut dyn Bytes, end: &End) -> Result<Vec<Item>, Fault> {
    if end.count > caps::MAX_ENTRIES || end.bytes > caps::MAX_DIRECTORY_BYTES {
        let reason = format!("the zip archive has {} entries; one file is wanted", end.count);
        return Err(Fault::new("archive.entries", reason, ONE_FILE));
    }
    let bytes = read_at(input, end.start, end.bytes)?;
    let mut items = Vec::new();
    let mut rest = bytes.as_slice();
    for _ in 0..end.count {
        let (item, length) = item(rest).ok_or_else(|| broken("its directory is not well-formed"))?;
        items.push(item);
        rest = &rest[length..];
    }
    if !rest.is_empty() {
        return Err(broken("its directory is not as long as its end record says"));
    }
    Ok(items)
}

/// The line that the rest of a directory begins with, and its length.
fn item(rest: &[u8]) -> Option<(Item, usize)> {
    if rest.len() < ITEM_BYTES || !rest.starts_with(ITEM) {
        return None;
    }
    let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(u16_at(rest, at)));
    let length = ITEM_BYTES + name + extra + comment;
    if rest.len() < length {
        return None;
    }
    let mut item = Item {
        name: rest[ITEM_BYTES..ITEM_BYTES + name].to_vec(),
        flags: u16_at(rest, 8),
        method: u16_at(rest, 10),
        crc: u32_at(rest, 16),
        packed: number::<4>(rest, 20),
        unpacked: number::<4>(rest, 24),
        header: number::<4>(rest, 42),
    };
    let extra = &rest[ITEM_BYTES + name..ITEM_BYTES + name + extra];
    let wide = [&mut item.unpacked, &mut item.packed, &mut item.header];
    widen(extra, wide)?;
    Some((item, length))
}

/// Puts the numbers of the 64-bit field, which holds those alone that are too wide for their place, in this order.
fn widen(mut extra: &[u8], numbers: [&mut u64; 3]) -> Option<()> {
    const WIDE_FIELD: u16 = 1;
    if numbers.iter().all(|number| **number != WIDE_32) {
        return Some(());
    }
    while extra.len() >= 4 {
        let (tag, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let mut field = extra.get(4..4 + length)?;
        if tag == WIDE_FIELD {
            for wide in numbers.into_iter().filter(|number| **number == WIDE_32) {
                let (first, rest) = field.split_first_chunk::<8>()?;
                *wide = u64::from_le_bytes(*first);
                field = rest;
            }
            return Some(());
        }
        extra = &extra[4 + length..];
    }
    // a file of exactly 4 GiB less one byte is its own number
    Some(())
}

const ONE_FILE: &str = "pack one file an archive, and deliver each archive by itself";

/// The one file among folders and what desktops leave behind.
fn only_item(items: Vec<Item>) -> Result<Item, Fault> {
    if items.iter().any(|item| item.name == b"[Content_Types].xml") {
        let reason = "the file is a workbook or another Office document, not a zip archive with a file in it";
        let remedy = "declare format = \"xlsx\" without `compression`, or deliver a packed text";
        return Err(Fault::new("file.type", reason, remedy));
    }
    let entries = items.len();
    let mut files: Vec<Item> = items.into_iter().filter(is_delivery).collect();
    match (files.pop(), files.len()) {
        (Some(file), 0) => Ok(file),
        (None, _) => {
            let reason =
                format!("the zip archive has {entries} entries and no file; folders and hidden files do not count");
            Err(Fault::new("archive.entries", reason, ONE_FILE))
        }
        (Some(_), others) => {
            let reason = format!("the zip archive has {} files; one is wanted", others + 1);
            Err(Fault::new("archive.entries", reason, ONE_FILE))
        }
    }
}

/// Whether an entry is a file that somebody meant to deliver.
fn is_delivery(item: &Item) -> bool {
    let mut parts = item.name.rsplit(|b| matches!(b, b'/' | b'\\'));
    let last = parts.next().unwrap_or_default();
    // what is called a folder and has bytes is a file: nothing is lost under a name
    let is_folder = last.is_empty() && item.unpacked == 0 && item.packed == 0;
    let is_hidden = last.starts_with(b".") || item.name.starts_with(b"__MACOSX/");
    !is_folder && !is_hidden
}

/// Where the packed bytes stand, when the header before them says the same as the directory.
fn open(input: &mut dyn Bytes, item: &Item, directory: u64) -> Result<Entry, Fault> {
    let outside = || broken("its file does not lie within it");
    if item.header.checked_add(HEADER_BYTES).is_none_or(|end| end > directory) {
        return Err(outside());
    }
    let header = read_at(input, item.header, HEADER_BYTES)?;
    if !header.starts_with(HEADER) {
        return Err(broken("the header of its file is missing"));
    }
    let (flags, method) = (u16_at(&header, 6), u16_at(&header, 8));
    if (item.flags | flags) & ENCRYPTED != 0 || item.method == AES {
        let remedy = "pack it without a password, and protect the way it takes";
        return Err(Fault::new(
            "archive.protected",
            "the zip archive is protected by a password",
            remedy,
        ));
    }
    let in_header = [
        u64::from(u32_at(&header, 14)),
        number::<4>(&header, 18),
        number::<4>(&header, 22),
    ];
    let in_directory = [u64::from(item.crc), item.packed, item.unpacked];
    // wide sizes stand in a field of the header, which repeats the directory once more
    let differs = |at: usize| in_header[at] != in_directory[at] && (at == 0 || in_header[at] != WIDE_32);
    if method != item.method || (flags & DESCRIPTOR == 0 && (0..3).any(differs)) {
        return Err(broken("the header of its file says other than its directory"));
    }
    let method = match method {
        0 => Method::Stored,
        8 => Method::Deflate,
        other => return Err(unsupported(&format!("is packed by method {other}, which is not read"))),
    };
    let names = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
    let start = item.header + HEADER_BYTES + names;
    if start.checked_add(item.packed).is_none_or(|end| end > directory) {
        return Err(outside());
    }
    Ok(Entry {
        method,
        crc: item.crc,
        start,
        packed: item.packed,
        unpacked: item.unpacked,
    })
}

#[cfg(test)]
#[path = "zip_tests.rs"]
mod tests;
