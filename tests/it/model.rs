//! A small model of the incentives and the books against the program over random histories: sales, returns,
//! corrections, late lines, grades, holds, adjustments, claims on funds and rulings, payments, closes, reversals.
//!
//! The model (`plain`) shares no code with the program: it adds lines up, takes slices of bands in integers, and keeps
//! what is accrued, held, owed and carried as numbers. After every step of a history balances and documents are equal and
//! every invariant of the ledger holds. `STARLEDGER_HISTORIES=100000 cargo test --test it model::` is the campaign
//! (docs/testing.md); `STARLEDGER_SEED` does one history.

mod plain;
mod program;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use starledger::domain::Grade;
use starledger::ledger::Document;

use crate::differential::random::Random;
use plain::Model;
use program::{Program, Step, World};

/// Partner, settlement currency, decimals of it.
const PARTNERS: [(&str, &str, u32); 3] = [("P1", "EUR", 2), ("P2", "JPY", 0), ("P3", "KWD", 3)];
const QUARTERS: [&str; 6] = ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4", "2027-Q1"];
const GRADES: [(Grade, i128); 5] = [
    (Grade::A, 100),
    (Grade::B, 90),
    (Grade::C, 75),
    (Grade::D, 50),
    (Grade::E, 0),
];
/// Least amount that is paid, in whole units of the currency.
const MINIMUM: i128 = 20;

/// An amount in minor units, from `low` to before `high`.
fn minor(random: &mut Random, low: i128, high: i128) -> i128 {
    let small = |n: i128| i64::try_from(n).expect("small");
    random.between(small(low), small(high) - 1).into()
}

/// What is known of the world at a moment: the facts that both sides are given.
#[derive(Clone, Default)]
struct Facts {
    /// Partner, quarter, minor units; a return where negative.
    lines: Vec<(usize, usize, i128)>,
    /// By partner and quarter.
    grades: BTreeMap<(usize, usize), usize>,
    held: BTreeSet<usize>,
    /// Partner, quarter, minor units, by id.
    adjustments: BTreeMap<String, (usize, usize, i128)>,
    /// Partner, document, minor units, by id.
    payments: BTreeMap<String, (usize, i64, i128)>,
    /// By id.
    claims: BTreeMap<String, Claimed>,
    /// Counts the rulings.
    ruled: i64,
    /// Quarters that have ended.
    ended: usize,
}

/// A claim on the fund of a partner and quarter.
#[derive(Clone, Copy)]
struct Claimed {
    partner: usize,
    quarter: usize,
    /// Minor units.
    amount: i128,
    /// When, and how much of it; none of it was rejected.
    ruling: Option<(i64, Option<i128>)>,
}

/// Changes the facts by one thing that happens, and says what the step does.
fn happens(random: &mut Random, facts: &mut Facts, model: &Model, documents: &[Document], says: &mut String) -> Step {
    let partner = random.below(3);
    let unit = 10_i128.pow(PARTNERS[partner].2);
    let any = random.below(facts.ended.min(QUARTERS.len() - 1) + 1);
    let standing: Vec<&Document> = starledger::ledger::documents::standing(documents).collect();
    match random.below(19) {
        0..=2 => {
            for _ in 0..=random.below(3) {
                let (at, minor) = (random.below(any + 1), minor(random, 1, 4000 * unit));
                facts.lines.push((partner, at, minor));
            }
            says.push_str("sales");
        }
        3 => {
            // part of a line, or all of it, or more than was sold
            let minor = -minor(random, 1, 3000 * unit);
            facts.lines.push((partner, any, minor));
            says.push_str("return");
        }
        4 if !facts.lines.is_empty() => {
            let at = random.below(facts.lines.len());
            if random.below(3) == 0 {
                facts.lines.remove(at);
            } else {
                facts.lines[at].2 += minor(random, -50, 50);
            }
            says.push_str("correction");
        }
        5 => {
            // a grade is sealed when its quarter closes
            if any >= model.closed {
                facts.grades.insert((partner, any), random.below(GRADES.len()));
            }
            says.push_str("grade");
        }
        6 if facts.ended + 1 < QUARTERS.len() => {
            facts.ended += 1;
            says.push_str("quarter ends");
        }
        7 => {
            if !facts.held.remove(&partner) {
                facts.held.insert(partner);
            }
            says.push_str("hold");
        }
        8 => {
            let of = random.below(facts.ended.max(1));
            let id = format!("ADJ-{partner}-{of}");
            let minor = minor(random, -300 * unit, 300 * unit);
            facts.adjustments.insert(id, (partner, of, minor));
            says.push_str("adjustment");
        }
        9 if !standing.is_empty() => {
            let document = standing[random.below(standing.len())];
            let partner = PARTNERS
                .iter()
                .position(|p| p.0 == document.partner.as_str())
                .expect("a partner");
            let due = document.due.minor_units();
            if due > 0 {
                let minor = if random.below(2) == 0 {
                    due
                } else {
                    minor(random, 1, due + 1)
                };
                facts
                    .payments
                    .insert(format!("PAY-{}", document.number), (partner, document.number, minor));
            }
            says.push_str("payment");
        }
        13 => {
            // so that the next settlement makes exactly the least amount that is paid
            let id = format!("ADJ-{partner}-least");
            let before = facts.adjustments.get(&id).map_or(0, |a| a.2);
            let next = model.next_total(partner);
            facts
                .adjustments
                .insert(id, (partner, 0, before + MINIMUM * unit - next));
            says.push_str("least");
        }
        14..=15 => {
            let id = format!("CL-{partner}-{any}-{}", random.below(3));
            let amount = minor(random, 1, 150 * unit);
            let ruling = facts.claims.get(&id).and_then(|c| c.ruling);
            let claim = Claimed {
                partner,
                quarter: any,
                amount,
                ruling,
            };
            facts.claims.insert(id, claim);
            says.push_str("claim");
        }
        16..=17 if !facts.claims.is_empty() => {
            let at = random.below(facts.claims.len());
            facts.ruled += 1;
            let ruled = facts.ruled;
            if let Some(claim) = facts.claims.values_mut().nth(at) {
                // none, all, a part, or more than was claimed
                claim.ruling = match random.below(6) {
                    0 => None,
                    1 => Some((ruled, None)),
                    2..=3 => Some((ruled, Some(claim.amount))),
                    _ => Some((ruled, Some(minor(random, 1, 200 * unit)))),
                };
            }
            says.push_str("ruling");
        }
        10..=11 if model.closed < facts.ended => {
            says.push_str("close");
            return Step::Close;
        }
        12 if !documents.is_empty() => {
            let number = documents[random.below(documents.len())].number;
            let _ = write!(says, "reverse {number}");
            return Step::Reverse(number);
        }
        _ => says.push_str("nothing"),
    }
    Step::Run
}

fn history(world: &World, seed: u64) {
    let mut random = Random::new(seed);
    let (mut facts, mut model, mut program) = (Facts::default(), Model::default(), Program::default());
    facts.ended = 1;
    let mut story = Vec::new();
    for _ in 0..6 + random.below(14) {
        let mut says = String::new();
        let step = happens(&mut random, &mut facts, &model, &program.documents, &mut says);
        story.push(says);
        // newest first, unpaid, once: found by looking at numbers alone
        let reverses = match step {
            Step::Reverse(number) => may(&program.documents, &facts, number),
            _ => None,
        };
        model.run(&facts);
        match (step, reverses) {
            (Step::Close, _) => model.close(),
            (_, Some((partner, at))) => model.reverse(partner, at),
            _ => {}
        }
        let refused = program.step(world, &facts, step);
        if let Step::Reverse(number) = step {
            assert_eq!(refused, reverses.is_none(), "seed {seed}, {story:?}: document {number}");
        }
        for (partner, (name, _, _)) in PARTNERS.iter().enumerate() {
            assert_eq!(
                program.balances(partner),
                model.balances(partner, &facts),
                "seed {seed}, partner {name}: expense, accrual, hold, owed, clearing, due, carried, claimed, in funds after {story:?}"
            );
        }
    }
}

/// Partner and quarter of a document that may be reversed.
fn may(documents: &[Document], facts: &Facts, number: i64) -> Option<(usize, usize)> {
    let of = |d: &Document| match d.kind {
        starledger::ledger::DocumentKind::Settlement => None,
        starledger::ledger::DocumentKind::Reversal { of } => Some(of),
    };
    let reversed: BTreeSet<i64> = documents.iter().filter_map(of).collect();
    let document = documents.iter().find(|d| d.number == number)?;
    let is_last = documents
        .iter()
        .filter(|d| of(d).is_none() && !reversed.contains(&d.number) && d.partner == document.partner)
        .all(|d| d.number <= number);
    let is_paid = facts.payments.values().any(|p| p.1 == number && p.2 != 0);
    if of(document).is_some() || reversed.contains(&number) || !is_last || is_paid {
        return None;
    }
    Some((
        PARTNERS.iter().position(|p| p.0 == document.partner.as_str())?,
        QUARTERS.iter().position(|q| *q == document.period.to_string())?,
    ))
}

#[test]
fn books_and_model_agree_after_every_step_of_random_histories() {
    let world = World::new();
    if let Ok(seed) = std::env::var("STARLEDGER_SEED") {
        history(&world, seed.parse().expect("a number"));
        return;
    }
    let histories: u64 = std::env::var("STARLEDGER_HISTORIES").map_or(150, |n| n.parse().expect("a number"));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let world = &world;
            scope.spawn(move || {
                for seed in (0..histories).skip(thread).step_by(threads) {
                    history(world, seed);
                }
            });
        }
    });
}
