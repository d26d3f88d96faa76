//! Bytes as delivered to UTF-8 text: archives unpacked, encodings decoded.
//!
//! Duty: limits of archives, byte-order marks, bad bytes with their offset. Must not: guess an encoding, put a
//! replacement character, know records.
//!
//! | step | from | to | in |
//! |---|---|---|---|
//! | deliver | a file of known length | its bytes, or that it changed | `delivered` |
//! | unpack | gzip, zip | one file, counted and checked to its last byte | `unpack`, `zip`, within `caps` |
//! | tell | first bytes | kind of archive, byte-order mark, what else the encoding could be | `kind`, `hint` |
//! | decode | bytes of an encoding | UTF-8, and the place of every malformed byte | `text`, `charset`, `malformed` |
//!
//! What is wrong before the first byte is a [`Fault`] at once; what shows only later (a damaged archive, a bomb, a file
//! that changed) is an `io::Error` that carries its fault: [`fault_of`] takes it out. After such an error nothing more is
//! read: a shorter file never passes for a whole one.

mod caps;
mod charset;
mod delivered;
mod hint;
mod kind;
mod malformed;
mod text;
mod unpack;
mod zip;

use std::fmt;
use std::io::{self, Read, Seek};

pub use hint::hint;
pub use kind::{is_workbook, kind};
pub use malformed::{BadBytes, Malformed};
pub use text::{Text, text};
pub use unpack::unpack;

use super::fault::Fault;

/// A file as delivered.
pub trait Bytes: Read + Seek + Send {}

impl<T: Read + Seek + Send + ?Sized> Bytes for T {}

/// How the bytes of a file are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    /// One entry; its name means nothing.
    Zip,
}

/// What the bytes of a text mean, unless a byte-order mark says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    #[default]
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
    Latin1,
    Gbk,
    Gb18030,
    ShiftJis,
}

impl Encoding {
    /// By name in a source: `utf-8`, `utf-16le`, `utf-16be`, `windows-1252`, `iso-8859-1`, `gbk`, `gb18030`, `shift_jis`.
    pub fn parse(name: &str) -> Option<Encoding> {
        Encoding::NAMES.iter().find(|(n, _)| *n == name).map(|(_, e)| *e)
    }

    pub fn name(self) -> &'static str {
        Encoding::NAMES
            .iter()
            .find(|(_, e)| *e == self)
            .map_or("", |(name, _)| name)
    }

    pub const NAMES: [(&'static str, Encoding); 8] = [
        ("utf-8", Encoding::Utf8),
        ("utf-16le", Encoding::Utf16Le),
        ("utf-16be", Encoding::Utf16Be),
        ("windows-1252", Encoding::Windows1252),
        ("iso-8859-1", Encoding::Latin1),
        ("gbk", Encoding::Gbk),
        ("gb18030", Encoding::Gb18030),
        ("shift_jis", Encoding::ShiftJis),
    ];
}

impl Compression {
    /// As in a source.
    pub fn name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zip => "zip",
        }
    }
}

/// Why a whole file cannot be used, as the source of an `io::Error`.
#[derive(Debug)]
struct Carried(Fault);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

impl std::error::Error for Carried {}

/// The fault as an error of reading.
fn carried(fault: Fault) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, Carried(fault))
}

/// What is wrong with the file when reading it failed: the fault that the error carries, or `file.unreadable` where the
/// disk or the network failed.
#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
pub fn fault_of(error: io::Error) -> Fault {
    if let Some(Carried(fault)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return fault.clone();
    }
    let reason = format!("the file could not be read to its end: {error}");
    Fault::new("file.unreadable", reason, "check the disk, and run again")
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
