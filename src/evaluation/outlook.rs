//! Next steps: what a partner could do, and what it would have brought in a period.
//!
//! Duty: for every card of some periods, the actions that its derivation gives reason for, each evaluated with the same
//! functions as the card itself, over a copy of the partner's own facts. Not its duty: which actions there are
//! (`what_if`), appeals and certificates (their effect reaches beyond a domain's metrics), money.
//!
//! Peers never rest on what one partner changes, so pools, events and red lines are those of the evaluation. That is
//! what makes it cheap enough for every partner of every run.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::derivation::{Card, Derivations, DomainScore};
use super::domain_score::{self, Setting};
use super::facts::Facts;
use super::fields::Read;
use super::inputs::Inputs;
use super::key_events::KeyEvents;
use super::pools::Pools;
use super::sealed::Finals;
use super::shelf::Shelf;
use super::tables::sorted;
use super::what_if::{self, Action, Change};
use super::{card, composite, lanes};
use crate::domain::{Dec, Period, Score, Table, Value};

/// Key: the first four.
pub const NEXT_STEPS: [&str; 9] = [
    "partner_id",
    "domain",
    "period",
    "step",
    "position",
    "quantity",
    "points",
    "domain_points",
    "grade",
];

/// What the evaluation has computed so far.
pub(super) struct Known<'a> {
    pub facts: &'a Facts,
    pub inputs: &'a Inputs,
    pub shelf: Shelf<'a>,
    pub events: &'a KeyEvents,
    pub derivations: &'a Derivations,
}

/// A step with its effect.
struct Step {
    action: Action,
    /// Of the card, then of the domain.
    after: [Option<Score>; 2],
    points: [Option<Dec>; 2],
    grade: Option<crate::domain::Grade>,
}

/// The steps of all cards of the periods.
pub(super) fn next_steps(known: &Known, periods: &BTreeSet<Period>) -> Read<Table> {
    let mut table = Table::new("next_steps", &NEXT_STEPS);
    let finals = Finals::read(known.inputs)?;
    for period in periods {
        let cards: Vec<&Card> = known
            .derivations
            .cards
            .iter()
            .filter(|((_, of), _)| of == period)
            .map(|(_, card)| card)
            .collect();
        if cards.is_empty() {
            continue;
        }
        let pools = Pools::read(known.facts, known.shelf, *period, None)?;
        let of_card = |card: &&Card| steps(known, &pools, &finals, card);
        for (card, steps) in cards.iter().zip(lanes::each_of(&cards, of_card)) {
            for (position, step) in (1i64..).zip(steps?) {
                table.push(row(card, position, &step));
            }
        }
    }
    Ok(sorted(table, 4))
}

/// The steps of one card that help, best first.
fn steps(known: &Known, pools: &Pools<'_>, finals: &Finals, before: &Card) -> Read<Vec<Step>> {
    let (partner, period) = (&before.partner, before.period);
    let (Some(at), mut facts) = (known.facts.partner_in(partner, period), known.facts.of_one(partner)) else {
        return Ok(Vec::new());
    };
    let Some(book) = pools.books.get(&at.region) else {
        return Ok(Vec::new());
    };
    let mut steps = Vec::new();
    for action in what_if::actions_of(before, &facts, book) {
        let Some(domain) = action.domain.clone().filter(|_| is_told(&action.change)) else {
            continue;
        };
        let Some(place) = before.domains.iter().position(|d| d.domain == domain) else {
            continue;
        };
        let saved = what_if::Saved::of(&facts, &action, &(partner.clone(), period));
        action.apply(&mut facts, partner, period);
        let setting = Setting {
            facts: &facts,
            events: known.events,
            pools,
            finals,
            incomplete: &known.inputs.incomplete,
        };
        let changed = domain_score::score(&setting, book, at, &domain, before.red.is_black())?;
        let mut domains: Vec<DomainScore> = before.domains.clone();
        let scores = [before.domains[place].finish.score, changed.finish.score];
        domains[place] = changed;
        let after = card::card(&setting, book, at, domains, before.red)?;
        saved.restore(&mut facts);
        let gain = |before: Option<Score>, after: Option<Score>| composite::change(after, before.map(Score::dec));
        let step = Step {
            points: [
                gain(before.finish.score, after.finish.score),
                gain(scores[0], scores[1]),
            ],
            after: [after.finish.score, scores[1]],
            grade: after.grade,
            action,
        };
        if step.helps() {
            steps.push(step);
        }
    }
    steps.sort_by_key(Step::worth);
    Ok(best_of_a_kind(steps))
}

/// What a partner can set about at once; more of the same is not told twice.
fn is_told(change: &Change) -> bool {
    match change {
        Change::ReturnParts { .. } | Change::CloseCritical => true,
        Change::SatisfiedAnswers { answers } => *answers <= 5,
        Change::Inspections { score, .. } => *score == Dec::new(100, 0),
        // what moves a metric of the programme's own, the card does not know
        Change::UpholdAppeal { .. } | Change::Certify { .. } | Change::OnTime { .. } | Change::Value { .. } => false,
    }
}

/// One step of each kind in a domain: where all parts and the longest overdue are both worth something, all of them.
fn best_of_a_kind(steps: Vec<Step>) -> Vec<Step> {
    let mut seen = BTreeSet::new();
    let first = |step: &Step| seen.insert((step.action.domain.clone(), step.action.kind()));
    let mut first = first;
    steps.into_iter().filter(|step| first(step)).collect()
}

impl Step {
    fn helps(&self) -> bool {
        self.is_first_score() || self.points.iter().flatten().any(|points| *points > Dec::ZERO)
    }

    /// A score where there was none.
    fn is_first_score(&self) -> bool {
        (0..2).any(|i| self.points[i].is_none() && self.after[i].is_some())
    }

    fn worth(&self) -> Reverse<(bool, i128, i128, i64)> {
        let units = |points: Option<Dec>| points.and_then(|p| p.rescale(2)).map_or(0, Dec::units);
        Reverse((
            self.is_first_score(),
            units(self.points[0]),
            units(self.points[1]),
            quantity(&self.action.change),
        ))
    }
}

fn quantity(change: &Change) -> i64 {
    match change {
        Change::ReturnParts { quantity } => *quantity,
        Change::SatisfiedAnswers { answers } => *answers,
        Change::Inspections { inspections, .. } => *inspections,
        Change::OnTime { deliveries } => *deliveries,
        Change::CloseCritical | Change::UpholdAppeal { .. } | Change::Certify { .. } | Change::Value { .. } => 1,
    }
}

fn row(card: &Card, position: i64, step: &Step) -> Vec<Value> {
    let domain = step.action.domain.as_ref().map_or("", |d| d.as_str());
    vec![
        (&card.partner).into(),
        domain.into(),
        card.period.to_string().into(),
        step.action.kind().into(),
        position.into(),
        quantity(&step.action.change).into(),
        step.points[0].map_or(Value::Null, Value::Dec),
        step.points[1].map_or(Value::Null, Value::Dec),
        step.grade.map_or(Value::Null, |g| g.as_str().into()),
    ]
}
