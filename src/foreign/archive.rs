//! The parts of the archive that a workbook is, with every size counted.
//!
//! Duty: refuse archives that state or unpack to more than the budgets, that are encrypted or ambiguous. Not its duty:
//! what the parts mean. Names of entries are labels and lead nowhere.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::budget::{MAX_ENTRIES, MAX_GROWTH, MAX_UNPACKED_BYTES, MIN_GROWN_BYTES};
use crate::ingest::frames::{Fault, shown};

pub struct Archive<R> {
    zip: ZipArchive<R>,
    /// Name in lower case with `/`, as names of parts are compared, to entry and stated size.
    parts: BTreeMap<String, (usize, u64)>,
}

impl<R: Read + Seek> Archive<R> {
    pub fn open(input: R) -> Result<Archive<R>, Fault> {
        let zip = ZipArchive::new(input).map_err(|error| broken(&error))?;
        if zip.len() > MAX_ENTRIES {
            let reason = format!("the archive has {} entries, more than {MAX_ENTRIES}", zip.len());
            return Err(Fault::new("xlsx.size", reason, "deliver the table alone"));
        }
        if zip.has_duplicate_names() {
            return Err(twice());
        }
        let mut archive = Archive {
            zip,
            parts: BTreeMap::new(),
        };
        archive.list()?;
        Ok(archive)
    }

    fn list(&mut self) -> Result<(), Fault> {
        let (mut packed, mut unpacked) = (0_u64, 0_u64);
        for index in 0..self.zip.len() {
            let entry = self.zip.by_index_raw(index).map_err(|error| broken(&error))?;
            if entry.encrypted() {
                return Err(Fault::new(
                    "xlsx.protected",
                    "the archive that the workbook is has parts under a password",
                    "deliver it without a password",
                ));
            }
            packed = packed.saturating_add(entry.compressed_size());
            unpacked = unpacked.saturating_add(entry.size());
            let name = String::from_utf8_lossy(entry.name_raw())
                .replace('\\', "/")
                .to_lowercase();
            if entry.is_dir() {
                continue;
            }
            let size = entry.size();
            drop(entry);
            let name = name.trim_start_matches('/').to_owned();
            if self.parts.insert(name, (index, size)).is_some() {
                return Err(twice());
            }
        }
        let is_too_large = unpacked > MAX_UNPACKED_BYTES;
        if is_too_large || unpacked > MIN_GROWN_BYTES && unpacked / MAX_GROWTH > packed {
            let reason = format!(
                "the archive holds {} KiB that unpack to {} MiB; at most {} MiB and {MAX_GROWTH} times its size are read",
                packed >> 10,
                unpacked >> 20,
                MAX_UNPACKED_BYTES >> 20,
            );
            return Err(Fault::new(
                "xlsx.size",
                reason,
                "deliver the table alone, in parts or as csv",
            ));
        }
        Ok(())
    }

    pub fn has(&self, name: &str) -> bool {
        self.parts.contains_key(&name.to_lowercase())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().map(String::as_str)
    }

    /// The bytes of a part, which end with an error when they are more than stated or not what was packed.
    pub fn part(&mut self, name: &str) -> Result<Option<Part<impl Read + '_>>, Fault> {
        let Some((index, size)) = self.parts.get(&name.to_lowercase()) else {
            return Ok(None);
        };
        let bytes = self.zip.by_index(*index).map_err(|error| broken(&error))?;
        Ok(Some(Part { bytes, left: *size }))
    }
}

/// A part being unpacked.
pub struct Part<R> {
    bytes: R,
    left: u64,
}

impl<R: Read> Read for Part<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => Err(io::Error::new(
                ErrorKind::FileTooLarge,
                "a part of the archive is larger than it states",
            )),
        }
    }
}

fn twice() -> Fault {
    let reason = "the archive has two entries of one name";
    Fault::new(
        "archive.damaged",
        reason,
        "open the file where it came from, and save it anew",
    )
}

fn broken(error: &ZipError) -> Fault {
    Fault::new(
        "archive.damaged",
        format!("the archive is damaged or incomplete: {}", shown(&error.to_string())),
        "deliver the file again; if it stays so, save it anew where it came from",
    )
}
