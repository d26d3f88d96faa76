//! Damage to bytes and archives.

use super::dialect::{Charset, Packing};
use super::lines::{line, places, touch_line};
use super::random::Random;
use super::write::{Draft, Touch, What, pack, zip};

/// What a change at a byte may do.
fn touch_byte(draft: &mut Draft<'_>, at: usize) {
    let mut is_next = false;
    for item in &mut draft.items {
        let end = item.span.1 + item.end.len() * 4;
        // a line end that is none any more makes one line of two
        if is_next || (item.span.0..end).contains(&at) || (item.span.0..=item.span.1).contains(&at) {
            is_next = !is_next && at + 4 > item.span.1;
            item.touch = Touch::Other;
            if matches!(item.what, What::Header | What::Preamble) {
                draft.all = Touch::Other;
            }
        }
    }
    if draft.items.first().is_none_or(|first| at < first.span.0) {
        // the byte-order mark
        draft.all = Touch::Other;
    }
}

/// Bytes were put in or taken out: lines behind move, and in UTF-16 every character.
fn move_bytes(draft: &mut Draft<'_>, at: usize, by: isize) {
    let is_wide = matches!(draft.written.charset, Charset::Utf16Le | Charset::Utf16Be) && by % 2 != 0;
    for item in &mut draft.items {
        if item.span.1 >= at {
            item.span.1 = item.span.1.saturating_add_signed(by);
            if is_wide {
                item.touch = Touch::Other;
            }
        }
        if item.span.0 > at {
            item.span.0 = item.span.0.saturating_add_signed(by);
        }
    }
}

fn byte(draft: &Draft<'_>, random: &mut Random) -> Option<usize> {
    (!draft.bytes.is_empty()).then(|| random.below(draft.bytes.len()))
}

pub fn another_kind(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let page = *random.pick(&[
        b"<!DOCTYPE html><html><body>Log in</body></html>".as_slice(),
        b"%PDF-1.7\n%\xE2\xE3",
        b"PK\x03\x04....",
        b"",
        b"\n\n",
        b"\0\0\0\0\0\0",
        b"{\"error\":\"no data\"}",
    ]);
    if !random.percent(20) {
        return false;
    }
    draft.bytes = page.to_vec();
    draft.items.clear();
    draft.touch_all(Touch::Held);
    true
}

pub fn truncated(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = byte(draft, random) else { return false };
    draft.bytes.truncate(at);
    // what is cut off is gone; the line that is cut may be whole by chance
    draft.items.retain(|item| item.span.0 < at);
    for item in &mut draft.items {
        if item.span.1 + 4 > at {
            item.touch = Touch::Other;
            item.span.1 = item.span.1.min(at);
            if item.what == What::Header {
                draft.all = Touch::Other;
            }
        }
    }
    true
}

pub fn bit_flipped(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = byte(draft, random) else { return false };
    draft.bytes[at] ^= 1 << random.below(8);
    touch_byte(draft, at);
    true
}

fn any_byte(draft: &Draft<'_>, random: &mut Random) -> u8 {
    let quote = draft.written.quote.unwrap_or('"');
    let ascii = |c: char| u8::try_from(c).unwrap_or(b'x');
    match random.below(4) {
        0 => *random.pick(&[ascii(draft.written.delimiter), ascii(quote), b'\n', b'\r', b'\\']),
        1 => *random.pick(b"0123456789-+.,eE"),
        _ => u8::try_from(random.below(256)).unwrap_or_default(),
    }
}

pub fn byte_replaced(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = byte(draft, random) else { return false };
    draft.bytes[at] = any_byte(draft, random);
    touch_byte(draft, at);
    true
}

pub fn byte_inserted(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = byte(draft, random) else { return false };
    let byte = any_byte(draft, random);
    touch_byte(draft, at);
    draft.bytes.insert(at, byte);
    move_bytes(draft, at, 1);
    true
}

pub fn byte_removed(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = byte(draft, random) else { return false };
    touch_byte(draft, at);
    draft.bytes.remove(at);
    move_bytes(draft, at, -1);
    true
}

pub fn bytes_exchanged(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = byte(draft, random) else { return false };
    if at + 1 >= draft.bytes.len() {
        return false;
    }
    draft.bytes.swap(at, at + 1);
    touch_byte(draft, at);
    touch_byte(draft, at + 1);
    true
}

pub fn bytes_of_no_character(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random) else { return false };
    if draft.declared.charset != draft.written.charset {
        return false;
    }
    let charset = draft.written.charset;
    let item = &mut draft.items[at];
    let places = places(&item.text, |_| true);
    if places.is_empty() {
        return false;
    }
    let before: usize = item.text[..*random.pick(&places)]
        .chars()
        .filter_map(|c| charset.encode(c))
        .map(|b| b.len())
        .sum();
    touch_line(item, Touch::Held);
    // a bad byte at a damaged place is another damage
    let is_clean = item.touch == Touch::Held;
    let place = item.span.0 + before;
    if !is_clean || place > draft.bytes.len() {
        return false;
    }
    let bad = charset.bad();
    draft.bytes.splice(place..place, bad.iter().copied());
    let by = isize::try_from(bad.len()).unwrap_or_default();
    move_bytes(draft, place, by);
    true
}

pub fn block_of_zeros(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = byte(draft, random) else { return false };
    let end = (at + 1 + random.below(300)).min(draft.bytes.len());
    draft.bytes[at..end].fill(0);
    for place in at..end {
        touch_byte(draft, place);
    }
    true
}

// -- archives ------------------------------------------------------------------------------------

fn is_packed(draft: &Draft<'_>) -> bool {
    draft.written.packing != Packing::None && !draft.packed.is_empty()
}

fn touch_archive(draft: &mut Draft<'_>) -> bool {
    draft.archive_is_touched = true;
    draft.touch_all(Touch::Held);
    true
}

pub fn archive_truncated(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if !is_packed(draft) {
        return false;
    }
    let length = random.below(draft.packed.len());
    draft.packed.truncate(length);
    touch_archive(draft)
}

pub fn archive_bit_flipped(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if !is_packed(draft) {
        return false;
    }
    let at = random.below(draft.packed.len());
    draft.packed[at] ^= 1 << random.below(8);
    touch_archive(draft)
}

pub fn archive_with_tail(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if !is_packed(draft) {
        return false;
    }
    let tail = *random.pick(&[b"\0".as_slice(), b"\0\0\0\0", b"tail", b"\x1F\x8B"]);
    draft.packed.extend_from_slice(tail);
    touch_archive(draft)
}

pub fn archive_in_archive(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if !is_packed(draft) {
        return false;
    }
    let inner = *random.pick(&[Packing::Gzip, Packing::Zip]);
    draft.packed = pack(draft.written.packing, &pack(inner, &draft.bytes));
    touch_archive(draft)
}

pub fn archive_of_two(draft: &mut Draft<'_>, _: &mut Random) -> bool {
    if draft.written.packing != Packing::Zip {
        return false;
    }
    draft.packed = zip(&[("a.csv", &draft.bytes), ("b.csv", &draft.bytes)]);
    touch_archive(draft)
}

pub fn not_packed(draft: &mut Draft<'_>, _: &mut Random) -> bool {
    if !is_packed(draft) {
        return false;
    }
    draft.packed = draft.bytes.clone();
    touch_archive(draft)
}
