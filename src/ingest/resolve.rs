//! Which version of a key is current.
//!
//! Duty: the decision between a version that holds and one that comes, by mode and order. Must not: read files, store
//! rows, know where a version lies.
//!
//! | mode of what comes | same values | other values, later | other values, earlier | other values, equal order |
//! |---|---|---|---|---|
//! | append | duplicate | conflict | conflict | conflict |
//! | upsert, snapshot | duplicate | supersedes | stale | conflict |
//!
//! In append mode all rows have equal order. A key in conflict has no current version: in append mode every later
//! delivery of it is in conflict too, since nobody can say which is right; in the other modes a later one settles it.

use super::source::Mode;

/// What a version is compared by. `order` is the arrival, or what the source declares; `None`: it has none, and is
/// earlier than all that have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Hash of its values.
    pub content: u64,
    pub order: Option<i64>,
}

/// What holds of a key so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Nothing,
    Current(Version),
    /// No version is used; the highest order of those in conflict.
    Conflict(Option<i64>),
}

/// What becomes of the version that comes, and of the one that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is current now; nothing was, or what was stood in a conflict that it settles.
    New,
    /// It says the same; the earlier delivery stays.
    Duplicate,
    /// It says the same and is later by the order of the source: it is current, so that a version in between is
    /// recognised as stale. The earlier delivery is the duplicate.
    Confirms,
    /// It is current, the earlier one goes to the history.
    Supersedes,
    /// A later one is current already: it goes to the history.
    Stale,
    /// Neither is used.
    Conflict,
}

/// Decides about a version that comes from a source of this mode. `moves` says that the order is one that a file or a
/// row states, so that an equal delivery can move it on.
#[must_use]
pub fn decide(mode: Mode, moves: bool, holds: Holds, comes: Version) -> Verdict {
    match (holds, mode) {
        (Holds::Nothing, _) => Verdict::New,
        (Holds::Conflict(_), Mode::Append) => Verdict::Conflict,
        (Holds::Conflict(order), _) if comes.order > order => Verdict::New,
        (Holds::Conflict(_), _) => Verdict::Conflict,
        (Holds::Current(current), Mode::Append) if current.content == comes.content => Verdict::Duplicate,
        (Holds::Current(_), Mode::Append) => Verdict::Conflict,
        (Holds::Current(current), _) if current.content == comes.content => {
            if moves && comes.order > current.order {
                Verdict::Confirms
            } else {
                Verdict::Duplicate
            }
        }
        (Holds::Current(current), _) => match comes.order.cmp(&current.order) {
            std::cmp::Ordering::Greater => Verdict::Supersedes,
            std::cmp::Ordering::Less => Verdict::Stale,
            std::cmp::Ordering::Equal => Verdict::Conflict,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(content: u64, order: i64) -> Version {
        Version {
            content,
            order: Some(order),
        }
    }

    fn all(mode: Mode, moves: bool, holds: Holds) -> [Verdict; 4] {
        // the same; other and later; other and earlier; other and equal
        [(1, 6), (2, 6), (2, 4), (2, 5)].map(|(content, order)| decide(mode, moves, holds, version(content, order)))
    }

    #[test]
    fn the_table_holds() {
        use Verdict::{Confirms, Conflict, Duplicate, New, Stale, Supersedes};
        let current = Holds::Current(version(1, 5));
        assert_eq!(
            all(Mode::Append, false, current),
            [Duplicate, Conflict, Conflict, Conflict]
        );
        for mode in [Mode::Upsert, Mode::Snapshot] {
            assert_eq!(all(mode, false, current), [Duplicate, Supersedes, Stale, Conflict]);
            assert_eq!(all(mode, true, current)[0], Confirms);
            assert_eq!(all(mode, false, Holds::Nothing), [New; 4]);
            assert_eq!(
                all(mode, false, Holds::Conflict(Some(5))),
                [New, New, Conflict, Conflict]
            );
        }
        assert_eq!(all(Mode::Append, false, Holds::Conflict(Some(5))), [Conflict; 4]);
    }

    #[test]
    fn what_has_no_order_is_earliest() {
        let without = Holds::Current(Version {
            content: 1,
            order: None,
        });
        assert_eq!(decide(Mode::Upsert, true, without, version(2, 0)), Verdict::Supersedes);
    }
}
