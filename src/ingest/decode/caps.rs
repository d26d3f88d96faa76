//! Limits of archives and of what is kept about bad bytes, with their reasons.
//!
//! Duty: the numbers. Not its duty: enforcing them.

/// Most bytes that an archive of so many packed bytes may unpack to.
pub(super) fn unpacked_bytes(packed: u64) -> u64 {
    packed
        .saturating_mul(MAX_RATIO)
        .clamp(SMALL_UNPACKED_BYTES, MAX_UNPACKED_BYTES)
}

/// Unpacked by packed bytes: tables shrink to a tenth, very repetitive ones to a fiftieth; a bomb to a thousandth.
const MAX_RATIO: u64 = 100;

/// What any archive may unpack to whatever its ratio: a small file of equal rows is no bomb.
const SMALL_UNPACKED_BYTES: u64 = 10 << 20;

/// What no archive may exceed: 80 million rows of 100 bytes, more than a feed delivers in a year.
const MAX_UNPACKED_BYTES: u64 = 8 << 30;

/// Entries of an archive: one file is wanted; folders and what desktops add to it are not counted against a person.
pub(super) const MAX_ENTRIES: u64 = 1_000;

/// Directory of an archive: [`MAX_ENTRIES`] with names of 255 bytes and as much about rights and times, eight times.
pub(super) const MAX_DIRECTORY_BYTES: u64 = 4 << 20;

/// Malformed bytes whose place is kept: more than anyone reads; the records that hold the others are rejected all the same.
pub(super) const MAX_BAD_BYTES: usize = 10_000;
