//! Records of one line, as most are: many bytes at a time.
//!
//! Duty: fields as long as nothing is unusual. Not its duty: what is unusual: a quote that is not just around a field,
//! an escape, a record that goes on behind its line or what is held, any limit: `csv` looks at such records byte by
//! byte, and says what a record is.

use super::csv::{Dialect, Span};
use super::limits::{MAX_COLUMNS, MAX_FIELD_BYTES};

/// The bytes that matter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    delimiter: u8,
    quote: u8,
    /// Fields may stand in quotes, and there a quote always closes.
    quoting: bool,
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
            quoting: dialect.quote.is_some() && dialect.escape.is_none(),
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
    let mut quotes = Quotes::None;
    for (number, block) in bytes.as_chunks::<BLOCK>().0.iter().enumerate() {
        let mut found = marks.find(block);
        while found != 0 {
            let within = found.trailing_zeros() as usize;
            let at = number * BLOCK + within;
            found &= found - 1;
            let byte = block[within % BLOCK];
            if let Quotes::Open = quotes {
                if byte == marks.quote {
                    // what follows is the next mark
                    let next = *bytes.get(at + 1)?;
                    if next != marks.delimiter && next != b'\n' && next != b'\r' {
                        return None;
                    }
                    quotes = Quotes::Closed;
                } else if byte != marks.delimiter {
                    return None;
                }
                continue;
            }
            let is_break = byte == b'\n' || byte == b'\r';
            if is_break || byte == marks.delimiter {
                spans.push(match quotes {
                    Quotes::Closed => Span::new(start + 1, at - 1),
                    Quotes::None | Quotes::Open => Span::new(start, at),
                });
                quotes = Quotes::None;
                start = at + 1;
                if is_break {
                    let is_pair = byte == b'\r' && *bytes.get(at + 1)? == b'\n';
                    let fits = spans.len() <= MAX_COLUMNS;
                    return fits.then_some((at, at + 1 + usize::from(is_pair)));
                }
            } else if at == start && marks.quoting {
                quotes = Quotes::Open;
            } else {
                return None;
            }
        }
    }
    None
}

/// Quotes around the field that begins at `start`.
enum Quotes {
    None,
    Open,
    Closed,
}
