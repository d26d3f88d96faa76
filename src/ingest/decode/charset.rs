//! Bytes of a declared encoding to UTF-8.
//!
//! Duty: each malformed sequence becomes the one byte 0xFF, which no UTF-8 text holds, and its place goes into the log;
//! characters across two calls are whole. Not its duty: which encoding it is; reading.

use encoding_rs::{DecoderResult, mem};

use super::Encoding;
use super::malformed::{BadBytes, Malformed};

/// What stands for a malformed sequence.
const MALFORMED: u8 = 0xFF;

/// Most bytes of earlier calls that a malformed sequence, and what was read behind it, can reach back to.
const RECENT_BYTES: usize = 8;

/// Bytes that one byte of any encoding becomes at most.
const MAX_GROWTH: usize = 3;

/// Decodes one file.
pub(super) struct Decoder {
    kind: Kind,
    /// Offset in the file of the first byte of the present call.
    file_offset: u64,
    /// Offset in the decoded text of what the present call gives.
    text_offset: u64,
    log: Malformed,
    out: Out,
}

enum Kind {
    Windows1252(encoding_rs::Decoder),
    Latin1,
    Sequences {
        decoder: encoding_rs::Decoder,
        /// The last bytes of the calls before.
        recent: Vec<u8>,
    },
}

/// Text in a buffer that is cleared once and never shrinks.
#[derive(Default)]
struct Out {
    buffer: Vec<u8>,
    filled: usize,
}

impl Out {
    /// At least so many bytes to write to.
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.buffer.len() < self.filled + bytes {
            self.buffer.resize(self.filled + bytes, 0);
        }
        &mut self.buffer[self.filled..]
    }

    fn push(&mut self, byte: u8) {
        self.room(1)[0] = byte;
        self.filled += 1;
    }
}

impl Decoder {
    /// `None` for UTF-8, which is not decoded. `mark` is the length of the byte-order mark, which is not given again.
    pub(super) fn new(encoding: Encoding, mark: usize, log: Malformed) -> Option<Decoder> {
        let sequences = |encoding: &'static encoding_rs::Encoding| Kind::Sequences {
            decoder: encoding.new_decoder_without_bom_handling(),
            recent: Vec::new(),
        };
        let kind = match encoding {
            Encoding::Utf8 => return None,
            Encoding::Utf16Le => sequences(encoding_rs::UTF_16LE),
            Encoding::Utf16Be => sequences(encoding_rs::UTF_16BE),
            Encoding::Gbk => sequences(encoding_rs::GBK),
            Encoding::Gb18030 => sequences(encoding_rs::GB18030),
            Encoding::ShiftJis => sequences(encoding_rs::SHIFT_JIS),
            Encoding::Windows1252 => Kind::Windows1252(encoding_rs::WINDOWS_1252.new_decoder_without_bom_handling()),
            Encoding::Latin1 => Kind::Latin1,
        };
        Some(Decoder {
            kind,
            file_offset: mark as u64,
            text_offset: 0,
            log,
            out: Out::default(),
        })
    }

    /// Decodes the next bytes; `last` says that the file ends with them.
    pub(super) fn decode(&mut self, bytes: &[u8], last: bool) {
        self.text_offset += self.out.filled as u64;
        self.out.filled = 0;
        match &self.kind {
            // the web reads these five as control codes; Windows has no character there
            Kind::Windows1252(_) => {
                self.decode_bytes(bytes, |byte| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D));
            }
            Kind::Latin1 => self.decode_bytes(bytes, |byte| matches!(byte, 0x80..=0x9F)),
            Kind::Sequences { .. } => self.decode_sequences(bytes, last),
        }
        self.file_offset += bytes.len() as u64;
    }

    /// What the last call decoded.
    pub(super) fn text(&self) -> &[u8] {
        &self.out.buffer[..self.out.filled]
    }

    fn mark(&mut self, file_offset: u64, bad: &[u8]) {
        let text_offset = self.text_offset + self.out.filled as u64;
        self.log.push(BadBytes::new(text_offset, file_offset, bad));
        self.out.push(MALFORMED);
    }

    fn decode_bytes(&mut self, bytes: &[u8], is_malformed: impl Fn(u8) -> bool + Copy) {
        let mut from = 0;
        while let Some(length) = find(&bytes[from..], is_malformed) {
            let at = from + length;
            self.append(&bytes[from..at]);
            self.mark(self.file_offset + at as u64, &bytes[at..=at]);
            from = at + 1;
        }
        self.append(&bytes[from..]);
    }

    /// Bytes that are all characters.
    fn append(&mut self, bytes: &[u8]) {
        let room = self.out.room(bytes.len() * MAX_GROWTH + 1);
        self.out.filled += match &mut self.kind {
            Kind::Windows1252(decoder) => decoder.decode_to_utf8_without_replacement(bytes, room, false).2,
            _ => mem::convert_latin1_to_utf8(bytes, room),
        };
    }

    fn decode_sequences(&mut self, bytes: &[u8], last: bool) {
        let mut at = 0;
        loop {
            let Kind::Sequences { decoder, recent } = &mut self.kind else {
                return;
            };
            let room = self.out.room((bytes.len() - at + RECENT_BYTES) * MAX_GROWTH);
            let (result, read, written) = decoder.decode_to_utf8_without_replacement(&bytes[at..], room, last);
            at += read;
            self.out.filled += written;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, behind) => {
                    let (length, behind) = (usize::from(length), usize::from(behind));
                    let held = recent.len();
                    let end = held + at - behind;
                    let bad: Vec<u8> = (end - length..end)
                        .map(|i| if i < held { recent[i] } else { bytes[i - held] })
                        .collect();
                    self.mark(self.file_offset + (end - length) as u64 - held as u64, &bad);
                }
            }
        }
        if let Kind::Sequences { recent, .. } = &mut self.kind {
            recent.extend_from_slice(&bytes[bytes.len().saturating_sub(RECENT_BYTES)..]);
            recent.drain(..recent.len().saturating_sub(RECENT_BYTES));
        }
    }
}

/// Position of the first byte that is so, looked for in blocks that a processor compares at once.
fn find(bytes: &[u8], is: impl Fn(u8) -> bool + Copy) -> Option<usize> {
    const BLOCK: usize = 64;
    let mut from = 0;
    for block in bytes.chunks(BLOCK) {
        if block.iter().fold(false, |any, byte| any | is(*byte)) {
            return block.iter().position(|byte| is(*byte)).map(|at| from + at);
        }
        from += block.len();
    }
    None
}

#[cfg(test)]
#[path = "charset_tests.rs"]
mod tests;
