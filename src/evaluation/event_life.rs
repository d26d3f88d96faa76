//! The life of a key event: from report to counting, by human acts.
//!
//! Duty: confirmed by two different persons, appealed, withdrawn, and the instant from which it counts. Not its duty:
//! periods, points, red lines.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::facts::Decision;
use crate::domain::Instant;

/// Where an event stands after all acts so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Confirmed by two persons, and no appeal is open.
    Counted,
    /// Not confirmed by two persons yet.
    Candidate,
    /// Confirmed, and an appeal is open.
    Suspended,
    Withdrawn,
    /// A person has refused to confirm it.
    Rejected,
    /// The appeal was upheld: it never counts.
    UpheldAppeal,
    /// Confirmed later than the rules allow: it never counts. Judged with its period.
    Expired,
    /// The rules know no such code, or not with this level. Judged with its period.
    NotInRules,
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Counted => "counted",
            Status::Candidate => "candidate",
            Status::Suspended => "suspended",
            Status::Withdrawn => "withdrawn",
            Status::Rejected => "rejected",
            Status::UpheldAppeal => "upheld_appeal",
            Status::Expired => "expired",
            Status::NotInRules => "not_in_rules",
        }
    }
}

/// The life so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    pub status: Status,
    /// Persons who have confirmed it so far; two are needed.
    pub confirmed_by: usize,
    /// Those persons; after the second one nobody is added.
    pub confirmed_persons: Vec<Arc<str>>,
    /// First confirmation by the second person.
    pub confirmed_at: Option<Instant>,
    /// The last ruling that rejected an appeal.
    pub ruled_at: Option<Instant>,
    /// Acts that are none of those known: decision and what is wrong with it.
    pub unknown: Vec<(String, String)>,
}

impl Life {
    /// The instant from which the event counts: the second confirmation, or the later ruling that rejected an appeal.
    #[must_use]
    pub fn counts_from(&self) -> Option<Instant> {
        (self.status == Status::Counted)
            .then_some(self.confirmed_at.max(self.ruled_at))
            .flatten()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Appeal {
    None,
    Open,
    Upheld,
}

/// Goes through the acts in the order of time.
///
/// A refusal before the second confirmation takes back the confirmations so far. After the second confirmation
/// further ones change nothing; only an appeal or a withdrawal does. An upheld appeal and a withdrawal are final.
#[must_use]
pub fn of(decisions: &[Decision]) -> Life {
    let (mut persons, mut refused, mut withdrawn, mut appeal) = (BTreeSet::new(), false, false, Appeal::None);
    let (mut confirmed_at, mut ruled_at, mut unknown) = (None, None, Vec::new());
    for act in decisions {
        match (&*act.kind, &*act.outcome) {
            ("confirm", "confirmed" | "rejected") if confirmed_at.is_some() => {}
            ("confirm", "confirmed") => {
                persons.insert(&act.by);
                refused = false;
                confirmed_at = (persons.len() >= 2).then_some(act.decided_at);
            }
            ("confirm", "rejected") => {
                persons.clear();
                refused = true;
            }
            ("appeal", "filed" | "upheld" | "rejected") if appeal == Appeal::Upheld => {}
            ("appeal", "filed") => appeal = Appeal::Open,
            ("appeal", "upheld") => appeal = Appeal::Upheld,
            ("appeal", "rejected") => {
                appeal = Appeal::None;
                ruled_at = Some(act.decided_at);
            }
            ("withdraw", _) => withdrawn = true,
            (kind, outcome) => {
                unknown.push((
                    act.decision_id.to_string(),
                    format!("outcome '{outcome}' of kind '{kind}'"),
                ));
            }
        }
    }
    let status = match (withdrawn, appeal, confirmed_at) {
        (true, ..) => Status::Withdrawn,
        (_, Appeal::Upheld, _) => Status::UpheldAppeal,
        (.., None) if refused => Status::Rejected,
        (.., None) => Status::Candidate,
        (_, Appeal::Open, _) => Status::Suspended,
        _ => Status::Counted,
    };
    Life {
        status,
        confirmed_by: persons.len(),
        confirmed_persons: persons.into_iter().cloned().collect(),
        confirmed_at,
        ruled_at,
        unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Acts as `day kind outcome person`, on days of January 2026.
    fn life(acts: &[&str]) -> (Status, Option<String>) {
        let decisions: Vec<Decision> = acts
            .iter()
            .enumerate()
            .map(|(i, act)| {
                let words: Vec<&str> = act.split(' ').collect();
                Decision {
                    decided_at: Instant::parse(&format!("2026-01-{}T12:00:00Z", words[0])).unwrap(),
                    decision_id: format!("D{i}").into(),
                    kind: words[1].into(),
                    outcome: words[2].into(),
                    by: words[3].into(),
                }
            })
            .collect();
        let life = of(&decisions);
        (
            life.status,
            life.counts_from().map(|at| at.to_string()[8..10].to_owned()),
        )
    }

    #[test]
    fn states_and_the_day_from_which_an_event_counts() {
        let day = |d: &str| Some(d.to_owned());
        let cases: [(&[&str], Status, Option<String>); 16] = [
            (&[], Status::Candidate, None),
            (&["01 confirm confirmed ann"], Status::Candidate, None),
            (
                &["01 confirm confirmed ann", "02 confirm confirmed ann"],
                Status::Candidate,
                None,
            ),
            (
                &["01 confirm confirmed ann", "02 confirm confirmed bob"],
                Status::Counted,
                day("02"),
            ),
            (
                &[
                    "01 confirm confirmed ann",
                    "02 confirm confirmed ann",
                    "03 confirm confirmed bob",
                    "04 confirm confirmed cyd",
                ],
                Status::Counted,
                day("03"),
            ),
            (&["01 confirm rejected ann"], Status::Rejected, None),
            (
                &["01 confirm confirmed ann", "02 confirm rejected bob"],
                Status::Rejected,
                None,
            ),
            (
                &[
                    "01 confirm confirmed ann",
                    "02 confirm rejected bob",
                    "03 confirm confirmed bob",
                ],
                Status::Candidate,
                None,
            ),
            (
                &[
                    "01 confirm rejected bob",
                    "02 confirm confirmed ann",
                    "03 confirm confirmed bob",
                ],
                Status::Counted,
                day("03"),
            ),
            (
                &[
                    "01 confirm confirmed ann",
                    "02 confirm confirmed bob",
                    "03 confirm rejected cyd",
                ],
                Status::Counted,
                day("02"),
            ),
            (
                &[
                    "01 confirm confirmed ann",
                    "02 confirm confirmed bob",
                    "05 appeal filed p",
                ],
                Status::Suspended,
                None,
            ),
            (
                &[
                    "01 confirm confirmed ann",
                    "02 confirm confirmed bob",
                    "05 appeal filed p",
                    "09 appeal rejected x",
                ],
                Status::Counted,
                day("09"),
            ),
            (
                &[
                    "01 confirm confirmed ann",
                    "02 confirm confirmed bob",
                    "05 appeal filed p",
                    "09 appeal upheld x",
                ],
                Status::UpheldAppeal,
                None,
            ),
            (
                &[
                    "01 appeal filed p",
                    "02 appeal rejected x",
                    "03 confirm confirmed ann",
                    "04 confirm confirmed bob",
                ],
                Status::Counted,
                day("04"),
            ),
            (
                &[
                    "01 confirm confirmed ann",
                    "02 confirm confirmed bob",
                    "03 appeal upheld x",
                    "04 appeal rejected x",
                ],
                Status::UpheldAppeal,
                None,
            ),
            (
                &[
                    "01 confirm confirmed ann",
                    "02 confirm confirmed bob",
                    "03 withdraw withdrawn ann",
                ],
                Status::Withdrawn,
                None,
            ),
        ];
        for (acts, status, from) in cases {
            assert_eq!(life(acts), (status, from), "{acts:?}");
        }
    }

    #[test]
    fn an_unknown_outcome_is_told() {
        let decision = Decision {
            decided_at: Instant::from_micros(0),
            decision_id: "D1".into(),
            kind: "confirm".into(),
            outcome: "maybe".into(),
            by: "ann".into(),
        };
        let told = of(&[decision]).unknown;
        assert_eq!(
            told,
            [("D1".to_owned(), "outcome 'maybe' of kind 'confirm'".to_owned())]
        );
    }
}
