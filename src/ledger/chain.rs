//! The hash chain.
//!
//! Duty: the canonical bytes of an entry, its hash over them and the hash before, and the first entry at which a book
//! is not what was posted. Not its duty: whether the amounts make sense.

use thiserror::Error;

use super::entry::Entry;
use crate::domain::Digest;
use crate::domain::hash::Hasher;

/// Stands in front of the hashed fields, so that another version of the form can never give the same hash.
const FORM: &[u8] = b"ledger-entry/1";
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What the first entry follows: 64 zeros.
#[must_use]
pub fn genesis() -> Digest {
    Digest::parse(GENESIS).expect("64 zeros are a digest")
}

/// The hash of an entry: SHA-256 over the form, the hash before and every other field but the hash itself, each with
/// its length in front. Amounts are hashed as printed in the decimals of their currency.
#[must_use]
pub fn entry_hash(entry: &Entry) -> Digest {
    let corrects = entry.corrects_transaction_no.map(|n| n.to_string());
    let currency = entry.amount.currency();
    let fields: [&str; 14] = [
        &entry.previous_hash.to_string(),
        &entry.entry_no.to_string(),
        &entry.transaction_no.to_string(),
        entry.account.as_str(),
        &entry.amount.dec().to_string(),
        currency.code(),
        entry.partner.as_str(),
        entry.scheme.as_str(),
        &entry.earning_period.to_string(),
        &entry.period.to_string(),
        &entry.posting_on.to_string(),
        entry.reason.as_str(),
        // there is no transaction without a number, so that nothing else prints as empty
        corrects.as_deref().unwrap_or_default(),
        &entry.source,
    ];
    let mut hasher = Hasher::new();
    hasher.field(FORM);
    for field in fields {
        hasher.field(field.as_bytes());
    }
    hasher.finish()
}

/// How far a book went and what its last hash was: printed on what is issued, so that a book that was rewritten or
/// cut off from some entry on is found as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub entries: i64,
    pub hash: Digest,
}

/// Where a chain breaks first.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("ledger entry {entry_no} {fault}; restore the ledger from the last release that verifies")]
pub struct ChainBroken {
    /// The number that the entry has or should have.
    pub entry_no: i64,
    pub fault: ChainFault,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChainFault {
    #[error("is missing or out of order: number {found} stands in its place")]
    Number { found: i64 },
    #[error("was changed after it was posted: its hash is not that of its fields")]
    Changed,
    #[error("does not follow the entry before it, which is not the one that was posted")]
    Link,
    #[error("is not the one that was issued: its hash is {found}, issued was {issued}")]
    Rewritten { found: Digest, issued: Digest },
    #[error("was issued and is not there: the book ends at entry {last}")]
    CutOff { last: i64 },
}

/// Verifies numbers, hashes and links of the whole book, in the order of its entries, and returns the last hash.
pub fn verify_chain(entries: &[Entry]) -> Result<Digest, ChainBroken> {
    let mut head = genesis();
    for (entry, entry_no) in entries.iter().zip(1_i64..) {
        let broken = |fault| ChainBroken { entry_no, fault };
        if entry.entry_no != entry_no {
            return Err(broken(ChainFault::Number { found: entry.entry_no }));
        }
        if entry_hash(entry) != entry.entry_hash {
            return Err(broken(ChainFault::Changed));
        }
        if entry.previous_hash != head {
            return Err(broken(ChainFault::Link));
        }
        head = entry.entry_hash;
    }
    Ok(head)
}

/// The head of a book whose chain is intact.
pub fn head(entries: &[Entry]) -> Result<Head, ChainBroken> {
    let hash = verify_chain(entries)?;
    Ok(Head {
        entries: entries.last().map_or(0, |e| e.entry_no),
        hash,
    })
}

/// Verifies that a book continues the one that had this head.
pub fn verify_continues(entries: &[Entry], issued: Head) -> Result<(), ChainBroken> {
    let now = head(entries)?;
    if issued.entries == 0 {
        return Ok(());
    }
    let broken = |fault| ChainBroken {
        entry_no: issued.entries,
        fault,
    };
    let position = usize::try_from(issued.entries - 1).ok();
    let Some(entry) = position.and_then(|at| entries.get(at)) else {
        return Err(broken(ChainFault::CutOff { last: now.entries }));
    };
    if entry.entry_hash == issued.hash {
        Ok(())
    } else {
        Err(broken(ChainFault::Rewritten {
            found: entry.entry_hash,
            issued: issued.hash,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{book, targets};
    use super::*;
    use crate::domain::Money;

    fn sample() -> Vec<Entry> {
        book(&[
            targets(&["P1 a 2026-Q3 10.00 EUR", "P2 a 2026-Q3 20 JPY"]),
            targets(&["P1 a 2026-Q3 12.00 EUR"]),
        ])
    }

    fn first_bad(entries: &[Entry]) -> (i64, ChainFault) {
        let broken = verify_chain(entries).unwrap_err();
        (broken.entry_no, broken.fault)
    }

    #[test]
    fn an_empty_book_ends_in_zeros() {
        assert_eq!(verify_chain(&[]).unwrap().to_string(), "0".repeat(64));
        assert_eq!(sample()[0].previous_hash, genesis());
    }

    #[test]
    fn missing_doubled_and_swapped_entries_are_named() {
        let whole = sample();
        assert_eq!(whole.len(), 8);
        let mut missing = whole.clone();
        missing.remove(2);
        assert_eq!(first_bad(&missing), (3, ChainFault::Number { found: 4 }));
        let mut doubled = whole.clone();
        doubled.insert(3, whole[2].clone());
        assert_eq!(first_bad(&doubled), (4, ChainFault::Number { found: 3 }));
        let mut swapped = whole.clone();
        swapped.swap(4, 5);
        assert_eq!(first_bad(&swapped), (5, ChainFault::Number { found: 6 }));
        // swapped and renumbered, even with hashes made anew: the links tell
        let (four, five) = (swapped[4].entry_no, swapped[5].entry_no);
        (swapped[4].entry_no, swapped[5].entry_no) = (five, four);
        assert_eq!(first_bad(&swapped), (5, ChainFault::Changed));
        swapped[4].entry_hash = entry_hash(&swapped[4]);
        assert_eq!(first_bad(&swapped), (5, ChainFault::Link));
    }

    #[test]
    fn an_edit_that_mends_its_own_hash_breaks_the_next_link() {
        let mut edited = sample();
        edited[1].amount = Money::zero(edited[1].amount.currency());
        assert_eq!(first_bad(&edited), (2, ChainFault::Changed));
        edited[1].entry_hash = entry_hash(&edited[1]);
        assert_eq!(first_bad(&edited), (3, ChainFault::Link));
        let text = verify_chain(&edited).unwrap_err().to_string();
        assert!(
            text.starts_with("ledger entry 3 does not follow the entry before it"),
            "{text}"
        );
    }

    #[test]
    fn a_head_that_was_issued_finds_a_rewritten_and_a_shorter_book() {
        let whole = sample();
        let issued = head(&whole[..6]).unwrap();
        assert_eq!(issued.entries, 6);
        assert_eq!(verify_continues(&whole, issued), Ok(()));
        assert_eq!(
            verify_continues(
                &whole,
                Head {
                    entries: 0,
                    hash: genesis()
                }
            ),
            Ok(())
        );
        let cut = verify_continues(&whole[..4], issued).unwrap_err();
        assert_eq!((cut.entry_no, cut.fault), (6, ChainFault::CutOff { last: 4 }));
        let other = book(&[targets(&[
            "P1 a 2026-Q3 11.00 EUR",
            "P2 a 2026-Q3 20 JPY",
            "P3 a 2026-Q3 20 JPY",
        ])]);
        let broken = verify_continues(&other, issued).unwrap_err();
        assert!(matches!(
            broken,
            ChainBroken {
                entry_no: 6,
                fault: ChainFault::Rewritten { .. }
            }
        ));
    }

    #[test]
    fn the_form_is_settled() {
        // a change of this hash is a change of the format: every book on disk would read as edited
        assert_eq!(
            sample()[0].entry_hash.to_string(),
            "e9a4a2ccd8f68bc58214f2b4ccfc2c0767e64a1ef90ad4dfdc03a1bd2ad5fedb"
        );
    }
}
