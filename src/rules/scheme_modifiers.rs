//! Gates and modifiers of a scheme.
//!
//! Duty: read `gates`, `modifiers` and the tables they name. Not its duty: applying them (incentives).

use std::collections::BTreeMap;

use super::leaf::{Out, Within, decimal, rate};
use super::scheme::{DayCount, Gate, GradeOf, Modifier, ProrationOf};
use super::schemes::{AMOUNTS, amounts, left_behind, read_scope};
use super::section::Section;
use crate::domain::Grade;

pub(super) fn read_gates(out: &mut Out, s: &mut Section<'_>) -> Option<Vec<Gate>> {
    let Some(item) = s.get("gates") else {
        return Some(Vec::new());
    };
    let mut table = Section::open(out, s.at("gates"), item)?;
    let minimum = table.get("minimum_sales").map(|item| {
        let amounts = table.by_currency(out, "minimum_sales", item, |out, path, i| {
            decimal(out, path, i, Within::NotNegative)
        });
        amounts.map(|(amount, by_currency)| Gate::MinimumSales { amount, by_currency })
    });
    let certified = table.flag_or(out, "certified_throughout", false);
    let volume = table
        .get("volume")
        .map(|item| Section::open(out, table.at("volume"), item).and_then(|s| read_volume(out, s)));
    let grades: Vec<(&str, Grade)> = Grade::ALL.iter().map(|g| (g.as_str(), *g)).collect();
    let grade = table
        .get("minimum_grade")
        .map(|_| table.choice(out, "minimum_grade", &grades).map(Gate::MinimumGrade));
    let score = table
        .get("minimum_score")
        .map(|item| decimal(out, &table.at("minimum_score"), item, Within::Hundred).map(Gate::MinimumScore));
    let overdue = table
        .get("overdue_parts_at_most")
        .map(|item| rate(out, &table.at("overdue_parts_at_most"), item).map(|r| Gate::OverdueParts(r.share().clone())));
    let collected = table
        .get("collected")
        .map(|item| rate(out, &table.at("collected"), item).map(|r| Gate::Collected(r.share().clone())));
    table.finish(out);
    let mut gates = Vec::new();
    for gate in [minimum, volume, grade, score, overdue, collected]
        .into_iter()
        .flatten()
    {
        gates.push(gate?);
    }
    if certified? {
        gates.push(Gate::CertifiedThroughout);
    }
    Some(gates)
}

/// Other lines that must reach a volume.
fn read_volume(out: &mut Out, mut s: Section<'_>) -> Option<Gate> {
    let scope = s.section(out, "scope").and_then(|scope| read_scope(out, scope));
    let of = s.choice(out, "of", &AMOUNTS);
    let at_least = amounts(out, &mut s, "at_least", Within::NotNegative);
    s.finish(out);
    Some(Gate::Volume {
        scope: Box::new(scope?),
        of: of?,
        at_least: at_least?,
    })
}

/// `modifiers` names the order; each has a table or amounts of its own name beside it.
pub(super) fn read_modifiers(out: &mut Out, s: &mut Section<'_>) -> Option<Vec<Modifier>> {
    const NAMES: [&str; 5] = ["grade_factor", "cap", "floor", "proration", "minimum_payout"];
    let listed = s.need(
        out,
        "modifiers",
        "[\"grade_factor\"] (in the order they are applied, or [])",
    );
    let names = listed.and_then(|item| s.sequence(out, "modifiers", item, &NAMES));
    if let (Some(names), Some(item)) = (&names, listed) {
        out.note(&s.at("modifiers"), item, names.join(", "), format!("{names:?}"));
    }
    let mut modifiers = Vec::new();
    let mut whole = true;
    for name in NAMES {
        let (Some(item), Some(list), Some(names)) = (s.get(name), listed, &names) else {
            continue;
        };
        if !names.iter().any(|n| n == name) && !left_behind(s, list, item) {
            let message = format!("`{name}` is not among the modifiers of the scheme, so it would do nothing");
            let remedy = format!("add \"{name}\" to `modifiers`, or remove it");
            out.error(&item.origin, &s.at(name), "rules.modifier", message, &remedy);
            whole = false;
        }
    }
    let names = names?;
    let last = names.iter().position(|n| n == "minimum_payout").map(|at| at + 1);
    if let (Some(list), Some(_)) = (listed, last.filter(|after| *after != names.len())) {
        let message = "what is listed after `minimum_payout` would change what was carried".to_owned();
        let remedy = "put \"minimum_payout\" last";
        out.error(&list.origin, &s.at("modifiers"), "rules.modifier", message, remedy);
        whole = false;
    }
    for name in names {
        let modifier = match name.as_str() {
            "grade_factor" => s
                .section(out, "grade_factor")
                .and_then(|table| read_grade_factor(out, table)),
            "floor" => amounts(out, s, "floor", Within::NotNegative).map(Modifier::Floor),
            "proration" => s.section(out, "proration").and_then(|table| read_proration(out, table)),
            "minimum_payout" => amounts(out, s, "minimum_payout", Within::NotNegative).map(Modifier::MinimumPayout),
            _ => read_cap(out, s),
        };
        match modifier {
            Some(modifier) => modifiers.push(modifier),
            None => whole = false,
        }
    }
    whole.then_some(modifiers)
}

fn read_cap(out: &mut Out, s: &mut Section<'_>) -> Option<Modifier> {
    let item = s.need(out, "cap", "\"…\" (in the settlement currency)")?;
    let (amount, by_currency) = s.by_currency(out, "cap", item, |out, path, i| {
        decimal(out, path, i, Within::NotNegative)
    })?;
    Some(Modifier::Cap { amount, by_currency })
}

/// Every grade has a factor, and so have the states without one.
fn read_grade_factor(out: &mut Out, mut s: Section<'_>) -> Option<Modifier> {
    let of = s.choice(out, "of", &[("card", GradeOf::Card), ("domain", GradeOf::Domain)]);
    let factors: Vec<_> = Grade::ALL
        .into_iter()
        .map(|g| Some((g, s.ratio(out, g.as_str(), Within::NotNegative)?)))
        .collect();
    let not_rated = s.ratio(out, "not_rated", Within::NotNegative);
    let incomplete = s.ratio(out, "incomplete", Within::NotNegative);
    s.finish(out);
    Some(Modifier::GradeFactor {
        of: of?,
        factors: factors.into_iter().collect::<Option<BTreeMap<_, _>>>()?,
        not_rated: not_rated?,
        incomplete: incomplete?,
    })
}

fn read_proration(out: &mut Out, mut s: Section<'_>) -> Option<Modifier> {
    let counts = [
        ("actual/actual", DayCount::ActualActual),
        ("actual/365", DayCount::Actual365),
        ("actual/360", DayCount::Actual360),
    ];
    let days = s.choice(out, "day_count", &counts);
    let of = s.choice(
        out,
        "of",
        &[("amount", ProrationOf::Amount), ("limits", ProrationOf::Limits)],
    );
    s.finish(out);
    Some(Modifier::Proration { days: days?, of: of? })
}
