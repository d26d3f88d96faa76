//! Where the malformed bytes of a file stand.
//!
//! Duty: a bounded log that the decoder writes and the record reader asks, and the words of the fault. Not its duty:
//! finding malformed bytes.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Encoding, Fault, caps};

/// A sequence of bytes that is no character of the encoding; in the text it is one byte 0xFF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadBytes {
    /// Offset of the byte 0xFF in the decoded text.
    pub text_offset: u64,
    /// Offset of the first byte in the unpacked file, the byte-order mark counted.
    pub file_offset: u64,
    bytes: [u8; 4],
    length: u8,
}

impl BadBytes {
    pub(super) fn new(text_offset: u64, file_offset: u64, bytes: &[u8]) -> BadBytes {
        let mut kept = [0; 4];
        let length = bytes.len().min(kept.len());
        kept[..length].copy_from_slice(&bytes[..length]);
        BadBytes {
            text_offset,
            file_offset,
            bytes: kept,
            length: u8::try_from(length).unwrap_or(4),
        }
    }

    /// One to four bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// The log of one file, shared with its [`super::Text`]; cheap to clone.
#[derive(Clone, Debug)]
pub struct Malformed(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    encoding: Encoding,
    /// Bytes of the byte-order mark.
    mark: u64,
    /// Whether the text is the file's own bytes behind the mark.
    as_delivered: bool,
    is_packed: bool,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    first: Vec<BadBytes>,
    count: u64,
}

impl Malformed {
    pub(super) fn new(encoding: Encoding, mark: usize, is_packed: bool) -> Malformed {
        Malformed(Arc::new(Shared {
            encoding,
            mark: mark as u64,
            as_delivered: encoding == Encoding::Utf8,
            is_packed,
            log: Mutex::default(),
        }))
    }

    pub(super) fn push(&self, bad: BadBytes) {
        self.log(|log| {
            log.count += 1;
            if log.first.len() < caps::MAX_BAD_BYTES {
                log.first.push(bad);
            }
        });
    }

    fn log<T>(&self, with: impl FnOnce(&mut Log) -> T) -> T {
        // the log is whole after each push, so that a panic elsewhere spoils nothing
        with(&mut self.0.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Malformed sequences decoded so far. The decoder is a little ahead of who reads the text; UTF-8 is not decoded,
    /// and has none.
    pub fn count(&self) -> u64 {
        self.log(|log| log.count)
    }

    /// The `n`-th of the file, from 0; the first 10,000 are kept.
    pub fn nth(&self, n: usize) -> Option<BadBytes> {
        self.log(|log| log.first.get(n).copied())
    }

    /// The one that stands at an offset of the decoded text.
    pub fn at(&self, text_offset: u64) -> Option<BadBytes> {
        self.log(|log| {
            let found = log.first.binary_search_by_key(&text_offset, |bad| bad.text_offset);
            found.ok().map(|at| log.first[at])
        })
    }

    /// The fault of a record that holds what no text may hold: `byte` at an offset of the decoded text is NUL, 0xFF, or
    /// in UTF-8 the first that is malformed.
    pub fn fault(&self, text_offset: u64, byte: u8) -> Fault {
        let file = if self.0.is_packed {
            "the unpacked file"
        } else {
            "the file"
        };
        if byte == 0 {
            let place = if self.0.as_delivered {
                format!("byte {} of {file} is NUL", self.0.mark + text_offset)
            } else {
                "the record holds U+0000".to_owned()
            };
            return Fault::new("record.nul", place, "remove the NUL; text holds none");
        }
        let name = self.0.encoding.name();
        let bad = if self.0.as_delivered {
            Some(BadBytes::new(text_offset, self.0.mark + text_offset, &[byte]))
        } else {
            self.at(text_offset)
        };
        let reason = match &bad {
            Some(bad) => {
                let shown: Vec<String> = bad.bytes().iter().map(|b| format!("0x{b:02X}")).collect();
                format!("byte {} of {file} ({}) is no {name}", bad.file_offset, shown.join(" "))
            }
            None => format!(
                "a byte of the record is no {name}; the places of the first {} such bytes of a file are kept",
                caps::MAX_BAD_BYTES
            ),
        };
        Fault::new("record.encoding", reason, self.remedy(bad))
    }

    fn remedy(&self, bad: Option<BadBytes>) -> &'static str {
        match self.0.encoding {
            Encoding::Utf8 => "deliver the file as UTF-8, or declare the encoding that it has in the source",
            Encoding::Latin1 => {
                "declare encoding = \"windows-1252\" if a Windows program wrote the file: iso-8859-1 has control codes there"
            }
            Encoding::Utf16Le | Encoding::Utf16Be if bad.is_some_and(|bad| bad.bytes().len() != 2) => {
                "deliver the whole file: a character is cut off at its end"
            }
            _ => "correct the character, or declare the encoding that the file has in the source",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_the_byte_of_the_file() {
        let log = Malformed::new(Encoding::Windows1252, 0, false);
        log.push(BadBytes::new(12, 10, &[0x81]));
        log.push(BadBytes::new(40, 30, &[0x90]));
        let fault = log.fault(12, 0xFF);
        assert_eq!(fault.rule, "record.encoding");
        assert_eq!(fault.reason, "byte 10 of the file (0x81) is no windows-1252");
        assert_eq!(log.nth(1).unwrap().file_offset, 30);
        assert_eq!(log.fault(3, 0).reason, "the record holds U+0000");
    }

    #[test]
    fn utf8_counts_its_mark_and_says_when_the_file_was_packed() {
        let log = Malformed::new(Encoding::Utf8, 3, true);
        assert_eq!(
            log.fault(5, 0xC3).reason,
            "byte 8 of the unpacked file (0xC3) is no utf-8"
        );
        assert_eq!(log.fault(5, 0).reason, "byte 8 of the unpacked file is NUL");
    }

    #[test]
    fn the_log_is_bounded() {
        let log = Malformed::new(Encoding::Gbk, 0, false);
        for at in 0..10_005 {
            log.push(BadBytes::new(at, at, &[0xFF]));
        }
        assert_eq!(
            (log.count(), log.nth(9_999).is_some(), log.nth(10_000)),
            (10_005, true, None)
        );
        assert!(
            log.fault(10_003, 0xFF)
                .reason
                .starts_with("a byte of the record is no gbk")
        );
    }
}
