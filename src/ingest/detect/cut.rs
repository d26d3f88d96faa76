//! Where a sample is cut.
//!
//! Duty: whole lines and whole records of a beginning and an end; line ends. Not its duty: what the lines are.

use std::borrow::Cow;

use super::super::decode::{Compression, Encoding};
use super::Sample;
use super::container::Container;
use super::guess::{Confidence, Guess, grouped, per_mille};
use super::letters::decode;

/// The text up to its last line break, unless it is all there is.
pub fn whole_lines(text: &str, whole: bool) -> &str {
    match text.rfind(['\n', '\r']) {
        Some(at) if !whole => &text[..=at],
        _ => text,
    }
}

/// Control characters in a thousand from which a text is none.
const BINARY: u64 = 5;

/// Whether a text is full of what no text holds.
pub fn is_binary(text: &str) -> bool {
    let (mut all, mut control) = (0, 0);
    for c in text.chars().take(1 << 16) {
        all += 1;
        control += u64::from(c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{C}' | '\u{1A}'));
    }
    per_mille(control, all) >= BINARY
}

/// The text of the end of the file, where the sample does not reach it.
pub fn end_of(sample: Sample<'_>, container: &Container<'_>, encoding: Encoding) -> String {
    if container.compression != Compression::None || container.whole || sample.tail.is_empty() {
        return String::new();
    }
    // a tail of UTF-16 begins with a whole letter when an even number of bytes stands before it
    let wide = matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be);
    let odd = (sample.bytes - sample.tail.len() as u64) % 2 == 1;
    let tail = &sample.tail[usize::from(wide && odd).min(sample.tail.len())..];
    let text = decode(encoding, tail);
    // the first line is a part of one
    text.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned())
}

/// The lines above a line, counted as the reader counts them.
pub fn above(text: &str, line: u64) -> &str {
    let mut at = 0;
    let bytes = text.as_bytes();
    for _ in 1..line {
        let Some(found) = memchr::memchr2(b'\n', b'\r', &bytes[at..]) else {
            break;
        };
        at += found + 1;
        at += usize::from(bytes[at - 1] == b'\r' && bytes.get(at) == Some(&b'\n'));
    }
    &text[..at]
}

pub fn line_ends(text: &str) -> Guess {
    let pairs = text.matches("\r\n").count();
    let (feeds, returns) = (text.matches('\n').count() - pairs, text.matches('\r').count() - pairs);
    let kinds: Vec<String> = [("CRLF", pairs), ("LF", feeds), ("CR", returns)]
        .iter()
        .filter(|(_, n)| *n > 0)
        .map(|(name, n)| format!("{} {name}", grouped(*n as u64)))
        .collect();
    Guess::told(
        "line ends",
        &kinds.join(", "),
        Confidence::Certain,
        "each of them ends a record",
    )
}

/// The bytes that a trial reads: those inside of the archive, up to the last whole record.
pub fn for_trial<'c>(container: &'c Container<'_>, encoding: Encoding, size: u64) -> Cow<'c, [u8]> {
    let bytes: &[u8] = &container.bytes;
    if container.whole && (bytes.len() as u64 == size || container.compression != Compression::None) {
        return Cow::Borrowed(bytes);
    }
    let end = match encoding {
        Encoding::Utf16Le => last_break(bytes, &[b'\n', 0]),
        Encoding::Utf16Be => last_break(bytes, &[0, b'\n']),
        _ => last_break(bytes, b"\n").or_else(|| last_break(bytes, b"\r")),
    };
    Cow::Borrowed(&bytes[..end.unwrap_or(bytes.len())])
}

/// Where the last line break ends.
fn last_break(bytes: &[u8], code: &[u8]) -> Option<usize> {
    let width = code.len();
    let chunks = bytes.chunks_exact(width).enumerate();
    chunks.rev().find(|(_, c)| *c == code).map(|(i, _)| (i + 1) * width)
}
