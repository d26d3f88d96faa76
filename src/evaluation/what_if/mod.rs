//! What if: what an action of a partner would do to its scores.
//!
//! Duty: change the facts of one partner as an action would, evaluate again with the same engine, and say what became of
//! the scores; the actions that help most come first. Not its duty: which actions there are (`actions`), money,
//! printing.
//!
//! Only the partner's own facts change. Peers never rest on them, so they stay as they are; what others do at the same
//! time is not guessed.

mod actions;

use std::cmp::Reverse;
use std::sync::Arc;

pub(super) use actions::of as actions_of;
pub use actions::{Action, Change};

use super::composite::{Finish, Standing};
use super::derivation::Card;
use super::facts::{Answers, Decision, Due, Facts, Inspections, Key, Parts};
use super::inputs::{Evaluated, EvaluationError, Inputs};
use super::shelf::Shelf;
use super::{Books, evaluate_facts};
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Dec, Grade, Period, Score};

/// A score, as far as an action can move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// 0…100, to 0.01.
    pub score: Option<Score>,
    /// E under black, else the grade from the score.
    pub grade: Option<Grade>,
    pub standing: Standing,
}

impl Stand {
    fn new(finish: &Finish, grade: Option<Grade>, standing: Standing) -> Stand {
        Stand {
            score: finish.score,
            grade,
            standing,
        }
    }

    /// The card as it stands.
    #[must_use]
    pub fn of(card: &Card) -> Stand {
        Stand::new(&card.finish, card.grade, card.standing)
    }

    fn in_domain(card: &Card, domain: &DomainId) -> Option<Stand> {
        let score = card.domains.iter().find(|d| d.domain == *domain)?;
        Some(Stand::new(&score.finish, score.grade, score.composite.standing))
    }
}

/// What an action would do.
#[derive(Clone, Debug)]
pub struct Effect {
    pub action: Action,
    pub card: [Stand; 2],
    /// Of the action's domain; `None` for an action on the card, or where the domain has no row.
    pub domain: [Option<Stand>; 2],
    /// The evaluation of the partner alone with the action: grades and red lines for money.
    pub evaluated: Evaluated,
}

impl Effect {
    /// Points of the card, after less before; `None` where one of them has no score.
    #[must_use]
    pub fn points(&self) -> Option<Dec> {
        points(self.card[0].score, self.card[1].score)
    }

    /// The same of the domain.
    #[must_use]
    pub fn domain_points(&self) -> Option<Dec> {
        let [before, after] = self.domain;
        points(before?.score, after?.score)
    }
}

fn points(before: Option<Score>, after: Option<Score>) -> Option<Dec> {
    super::composite::change(after, before.map(Score::dec))
}

/// The partner as it is, and what each action would do.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// The evaluation of the partner alone, as it is.
    pub present: Evaluated,
    /// By effect on the card, then on the domain; what rates a score that is not rated comes first. Ties in the order
    /// of domains and actions.
    pub effects: Vec<Effect>,
}

/// Evaluates a partner in a period as it is and with each action. `None` when it was not evaluated in the period.
///
/// `inputs` name the period alone among those to compute. `more` are actions beside those that the derivation gives
/// reason for.
pub fn what_if(
    inputs: &Inputs,
    rules: &dyn Books,
    partner: &PartnerId,
    period: Period,
    more: &[Action],
) -> Result<Option<WhatIf>, EvaluationError> {
    let mut facts = Facts::read(inputs)?;
    let present = evaluate_facts(&facts, inputs, rules, Some(partner))?;
    let key = (partner.clone(), period);
    let (Some(card), Some(at)) = (present.derivations.cards.get(&key), facts.partner_in(partner, period)) else {
        return Ok(None);
    };
    let book = Shelf(rules).of(at)?;
    let mut effects = Vec::new();
    for action in actions::of(card, &facts, book).into_iter().chain(more.iter().cloned()) {
        let saved = Saved::of(&facts, &action, &key);
        action.apply(&mut facts, partner, period);
        let evaluated = evaluate_facts(&facts, inputs, rules, Some(partner))?;
        saved.restore(&mut facts);
        let Some(after) = evaluated.derivations.cards.get(&key) else {
            continue;
        };
        let in_domain = |card: &Card| action.domain.as_ref().and_then(|d| Stand::in_domain(card, d));
        effects.push(Effect {
            card: [Stand::of(card), Stand::of(after)],
            domain: [in_domain(card), in_domain(after)],
            action,
            evaluated,
        });
    }
    // a score where there was none is worth all its points
    let worth = |before: Option<Score>, after: Option<Score>| -> Reverse<(bool, i128)> {
        let units = |score: Option<Score>| score.map_or(0, |s| s.dec().rescale(2).map_or(0, Dec::units));
        Reverse((before.is_none() && after.is_some(), units(after) - units(before)))
    };
    effects.sort_by_key(|e| {
        let [before, after] = e.domain.map(|stand| stand.and_then(|s| s.score));
        (worth(e.card[0].score, e.card[1].score), worth(before, after))
    });
    Ok(Some(WhatIf { present, effects }))
}

/// What an action may change, to be put back.
pub(super) struct Saved {
    key: Option<Key>,
    satisfaction: Option<Vec<Answers>>,
    quality: Option<Vec<Inspections>>,
    critical: Option<i64>,
    parts: Option<Parts>,
    due: Option<Due>,
    event: Option<Arc<str>>,
    decisions: Option<Vec<Decision>>,
    partner: PartnerId,
    certifications: Option<std::collections::BTreeMap<DomainId, Vec<super::facts::Certification>>>,
}

impl Saved {
    pub(super) fn of(facts: &Facts, action: &Action, (partner, period): &(PartnerId, Period)) -> Saved {
        let key = action.domain.as_ref().map(|d| (partner.clone(), d.clone(), *period));
        let event = action.event();
        Saved {
            satisfaction: key.as_ref().and_then(|k| facts.satisfaction.get(k).cloned()),
            quality: key.as_ref().and_then(|k| facts.quality.get(k).cloned()),
            critical: key.as_ref().and_then(|k| facts.open_critical.get(k).copied()),
            parts: key.as_ref().and_then(|k| facts.parts.get(k).copied()),
            due: key.as_ref().and_then(|k| facts.due.get(k).copied()),
            key,
            decisions: event.as_ref().and_then(|e| facts.decisions.get(e).cloned()),
            event,
            certifications: facts.certifications.get(partner).cloned(),
            partner: partner.clone(),
        }
    }

    pub(super) fn restore(self, facts: &mut Facts) {
        fn put<K: Ord, V>(map: &mut std::collections::BTreeMap<K, V>, key: K, value: Option<V>) {
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
        if let Some(key) = self.key {
            facts.satisfaction.put(key.clone(), self.satisfaction);
            facts.quality.put(key.clone(), self.quality);
            facts.open_critical.put(key.clone(), self.critical);
            facts.parts.put(key.clone(), self.parts);
            facts.due.put(key, self.due);
        }
        facts.presumed.clear();
        if let Some(event) = self.event {
            put(&mut facts.decisions, event, self.decisions);
        }
        put(&mut facts.certifications, self.partner, self.certifications);
    }
}
