//! Records without quotes, as most are: many bytes at a time.
//!
//! Duty: fields of one line as long as nothing is unusual. Not its duty: what is unusual: a quote, a record that goes
//! on behind what is held, any limit: `csv` looks at such records byte by byte, and says what a record is.

use super::csv::{Dialect, Span};
use super::limits::{MAX_COLUMNS, MAX_FIELD_BYTES};

/// The bytes that matter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    delimiter: u8,
    quote: u8,
}

/// Bytes looked at together: as many as a word has bits.
const BLOCK: usize = 64;

/// A product with this has the lowest bit of byte i at bit 56 + i.
const GATHER: u64 = 0x0102_0408_1020_4080;

impl Marks {
    pub(super) fn new(dialect: Dialect) -> Marks {
        Marks {
            delimiter: dialect.delimiter,
            quote: dialect.quote.unwrap_or(dialect.delimiter),
        }
    }

    /// A bit for each byte that matters.
    #[inline]
    fn find(self, block: &[u8; BLOCK]) -> u64 {
        // comparing first and gathering bits then lets the compiler compare many bytes at once
        let flags = block.map(|byte| {
            u8::from(byte == self.delimiter)
                | u8::from(byte == b'\n')
                | u8::from(byte == b'\r')
                | u8::from(byte == self.quote)
        });
        let words = flags.as_chunks::<8>().0.iter();
        words.rev().fold(0, |bits, word| {
            bits << 8 | u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56
        })
    }
}

/// Fields of the line that `bytes` begin with; its length without and with the line break. `None`: look closer.
pub(super) fn plain_line(bytes: &[u8], marks: Marks, spans: &mut Vec<Span>) -> Option<(usize, usize)> {
    let bytes = &bytes[..bytes.len().min(MAX_FIELD_BYTES)];
    let mut start = 0;
    for (number, block) in bytes.as_chunks::<BLOCK>().0.iter().enumerate() {
        let mut found = marks.find(block);
        while found != 0 {
            let within = found.trailing_zeros() as usize;
            let at = number * BLOCK + within;
            found &= found - 1;
            let byte = block[within % BLOCK];
            if byte == marks.delimiter {
                spans.push(Span::new(start, at));
                start = at + 1;
            } else if byte == b'\n' || byte == b'\r' {
                spans.push(Span::new(start, at));
                let is_pair = byte == b'\r' && *bytes.get(at + 1)? == b'\n';
                let fits = spans.len() <= MAX_COLUMNS;
                return fits.then_some((at, at + 1 + usize::from(is_pair)));
            } else {
                return None;
            }
        }
    }
    None
}
