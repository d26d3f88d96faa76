//! Texts of one column that need not be looked at again.
//!
//! Duty: the texts that mean null, and those that were found right lately, with their values; both bounded. Not its
//! duty: saying what is right.

use std::collections::BTreeSet;

use super::limits::{MEMO_TEXT_BYTES, MEMO_TEXTS};
use crate::domain::{Cell, Value};

/// The texts that mean null.
pub(super) struct Tokens {
    tokens: Vec<String>,
    /// A bit for each length that a token has.
    lengths: u64,
}

impl Tokens {
    pub(super) fn new(tokens: &BTreeSet<String>) -> Tokens {
        Tokens {
            tokens: tokens.iter().cloned().collect(),
            lengths: tokens.iter().fold(0, |bits, token| bits | Tokens::bit(token)),
        }
    }

    fn bit(text: &str) -> u64 {
        1 << text.len().min(63)
    }

    #[inline]
    pub(super) fn contains(&self, text: &str) -> bool {
        self.lengths & Tokens::bit(text) != 0 && self.tokens.iter().any(|token| token == text)
    }
}

/// Texts that were found right lately, with their values.
pub(super) struct Memo {
    slots: Vec<Slot>,
    asked: u32,
    found: u32,
}

pub(super) struct Slot {
    mark: Mark,
    text: String,
    /// `None`: the text itself.
    pub value: Option<Value>,
    pub trimmed: bool,
}

/// A text by its ends and its length: up to 16 bytes this is the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    ends: (u64, u64),
    length: usize,
}

impl Mark {
    const WHOLE: usize = 16;

    #[inline]
    fn of(text: &str) -> Mark {
        let bytes = text.as_bytes();
        let length = bytes.len();
        let word = |chunk: &[u8; 8]| u64::from_le_bytes(*chunk);
        let half = |chunk: &[u8; 4]| u64::from(u32::from_le_bytes(*chunk));
        let ends = match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => (word(first), word(last)),
            _ => match (bytes.first_chunk(), bytes.last_chunk()) {
                (Some(first), Some(last)) => (half(first), half(last)),
                _ => {
                    let at = |i: usize| bytes.get(i).map_or(0, |byte| u64::from(*byte));
                    (at(0) | at(1) << 8 | at(2) << 16, 0)
                }
            },
        };
        Mark { ends, length }
    }

    fn slot(self) -> usize {
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = (self.ends.0 ^ self.ends.1.rotate_left(29) ^ self.length as u64).wrapping_mul(SPREAD) >> 32;
        usize::try_from(mixed).unwrap_or_default() % MEMO_TEXTS
    }
}

impl Memo {
    pub(super) fn new() -> Memo {
        Memo {
            slots: Vec::new(),
            asked: 0,
            found: 0,
        }
    }

    #[inline]
    pub(super) fn find(&mut self, text: &str) -> Option<&Slot> {
        self.asked = self.asked.wrapping_add(1);
        let mark = Mark::of(text);
        let slot = self.slots.get(mark.slot())?;
        if slot.mark != mark || (mark.length > Mark::WHOLE && slot.text != text) {
            return None;
        }
        self.found = self.found.wrapping_add(1);
        Some(slot)
    }

    /// Nearly every text is new: remembering costs more than it saves.
    pub(super) fn is_useless(&mut self) -> bool {
        const TRIED: u32 = 4096;
        if self.asked < TRIED {
            return false;
        }
        let is_useless = self.found < self.asked / 4;
        (self.asked, self.found) = (0, 0);
        is_useless
    }

    pub(super) fn keep(&mut self, text: &str, cell: Cell<'_>, trimmed: bool) {
        if text.len() > MEMO_TEXT_BYTES {
            return;
        }
        if self.slots.is_empty() {
            let empty = || Slot {
                mark: Mark {
                    ends: (0, 0),
                    length: usize::MAX,
                },
                text: String::new(),
                value: None,
                trimmed: false,
            };
            self.slots.resize_with(MEMO_TEXTS, empty);
        }
        let mark = Mark::of(text);
        let slot = &mut self.slots[mark.slot()];
        slot.mark = mark;
        text.clone_into(&mut slot.text);
        slot.value = (cell != Cell::Text(text)).then(|| cell.value());
        slot.trimmed = trimmed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_is_remembered() {
        let mut memo = Memo::new();
        assert!(memo.find("EUR").is_none());
        memo.keep("EUR", Cell::Text("EUR"), false);
        assert!(
            memo.find("EUR")
                .is_some_and(|slot| slot.value.is_none() && !slot.trimmed)
        );
        memo.keep(" 1", Cell::Int(1), true);
        assert!(
            memo.find(" 1")
                .is_some_and(|slot| slot.value == Some(Value::Int(1)) && slot.trimmed)
        );
        assert!(memo.find("USD").is_none());
        memo.keep(&"x".repeat(MEMO_TEXT_BYTES + 1), Cell::Null, false);
        assert!(memo.find(&"x".repeat(MEMO_TEXT_BYTES + 1)).is_none());
        for i in 0..5000 {
            assert!(memo.find(&i.to_string()).is_none());
        }
        assert!(memo.is_useless() && !memo.is_useless());
    }
}
