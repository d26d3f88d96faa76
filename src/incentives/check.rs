//! What a scheme's parts ask of one another.
//!
//! Duty: what cannot be computed, each with the place that declares it. Not its duty: what can be seen in one key
//! (rules), computing.

use std::collections::BTreeMap;

use super::method::needs_domains;
use crate::domain::{Grade, PeriodKind, Ratio};
use crate::rules::{Band, BasisAmount, Method, Modifier, Scheme};

/// The problems of one scheme.
pub(super) fn scheme(scheme: &Scheme) -> Vec<String> {
    let mut problems = of_bands(scheme);
    problems.extend(of_amounts(scheme));
    problems.extend(of_terms(scheme));
    problems.extend(of_modifiers(scheme));
    problems.extend(of_fund(scheme));
    let place = |text: &str| format!("{}: scheme {}: {text}", scheme.origin, scheme.id);
    problems.into_iter().map(|text| place(&text)).collect()
}

/// A fund is set aside by earning period and by partner, and is paid by nothing but claims.
fn of_fund(scheme: &Scheme) -> Vec<String> {
    if scheme.fund.is_none() {
        return Vec::new();
    }
    let pays_least = scheme.modifiers.iter().any(|m| matches!(m, Modifier::MinimumPayout(_)));
    let excluded = [
        ("cumulative_over", scheme.cumulative_over.is_some()),
        ("the modifier minimum_payout", pays_least),
        ("beneficiaries", !scheme.beneficiaries.is_empty()),
    ];
    let found = excluded.iter().filter(|(_, is_there)| *is_there);
    found
        .map(|(key, _)| {
            format!("a fund is drawn down by the claims of one partner on one earning period; remove {key}")
        })
        .collect()
}

/// The problems of schemes with one another: a stack is of one kind of period, and its order has no ties.
pub(super) fn stacks<'s>(schemes: impl IntoIterator<Item = &'s Scheme>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut groups: BTreeMap<&str, (PeriodKind, BTreeMap<i64, &Scheme>)> = BTreeMap::new();
    for scheme in schemes {
        let Some(stacking) = &scheme.stacking else { continue };
        let (kind, members) = groups
            .entry(&stacking.group)
            .or_insert_with(|| (scheme.earning_period, BTreeMap::new()));
        let at = format!("{}: scheme {}: ", scheme.origin, scheme.id);
        if *kind != scheme.earning_period {
            let group = &stacking.group;
            problems.push(format!(
                "{at}the stack {group} has earning periods of two kinds; give it those of the others"
            ));
        }
        if let Some(other) = members.insert(stacking.order, scheme) {
            let order = stacking.order;
            problems.push(format!(
                "{at}its place {order} in the stack is that of {} too; give it another",
                other.id
            ));
        }
    }
    problems
}

fn of_bands(scheme: &Scheme) -> Vec<String> {
    let tables: Vec<&Vec<Band>> = match &scheme.method {
        Method::Marginal { bands, .. } | Method::Whole { bands, .. } => bands.all().collect(),
        Method::Growth(growth) => vec![&growth.bands],
        _ => Vec::new(),
    };
    let mut problems = Vec::new();
    for bands in tables {
        let ascend = bands.windows(2).all(|pair| pair[0].from < pair[1].from);
        if !bands.first().is_some_and(|b| b.from.is_zero()) || !ascend {
            problems.push("its bands must begin at 0 and ascend".to_owned());
        }
    }
    if needs_domains(scheme) && !matches!(scheme.method, Method::Flat { .. } | Method::ByStars { .. }) {
        problems.push(
            "its method joins all domains, so that neither the gate on a domain's certification nor the grade factor of \
             a domain can apply; take the method flat or by_stars, or the grade of the card"
                .to_owned(),
        );
    }
    problems
}

/// What pays and what decides.
fn of_amounts(scheme: &Scheme) -> Vec<String> {
    let mut problems = Vec::new();
    let pays_pieces = scheme.amount == BasisAmount::Quantity;
    let decides_otherwise = scheme.decision.on != scheme.amount;
    match &scheme.method {
        Method::Flat { .. } | Method::ByStars { .. } if pays_pieces => {
            problems.push("a rate is a share of money and not of pieces; take amount net or list, or per_unit");
        }
        Method::PerUnit(_) if !pays_pieces => {
            problems.push("per_unit pays pieces; take amount = \"quantity\"");
        }
        Method::Target(goal) if goal.rate.is_some() && pays_pieces => {
            problems.push("a rate is a share of money and not of pieces; take amount net or list, or a fixed amount");
        }
        Method::Target(goal) if goal.on_excess && decides_otherwise => {
            problems.push("the excess over a target is of what decides; let the same amount decide and pay");
        }
        Method::Marginal { .. } if decides_otherwise => {
            problems.push("marginal bands cut what pays; let the same amount decide, or take the method whole");
        }
        _ => {}
    }
    let is_net = scheme.stacking.as_ref().is_some_and(|s| s.net_of_earlier);
    if is_net && (pays_pieces || scheme.decision.on == BasisAmount::Quantity) {
        problems.push("what earlier schemes left of a line is money; take amount net or list");
    }
    problems.into_iter().map(str::to_owned).collect()
}

/// What spans several earning periods.
fn of_terms(scheme: &Scheme) -> Vec<String> {
    let mut problems = Vec::new();
    let is_cumulative = scheme.cumulative_over.is_some();
    let asks_parts = matches!(&scheme.method, Method::Target(goal) if goal.in_parts);
    if !is_cumulative && (asks_parts || scheme.accrual.is_some()) {
        problems.push("parts and accruals are of a longer term; say which in cumulative_over");
    }
    if is_cumulative {
        if matches!(scheme.method, Method::Growth(_)) {
            problems.push("growth compares whole earning periods; remove cumulative_over");
        }
        if scheme.decision.year_to_date {
            problems.push("cumulative_over lets a longer term decide as it is; remove decision.over");
        }
        if scheme.stacking.is_some() {
            problems.push("a stack takes from the lines of one earning period; remove cumulative_over");
        }
        if scheme.modifiers.iter().any(|m| matches!(m, Modifier::Proration { .. })) {
            problems.push("proration is by the days of one earning period; remove cumulative_over");
        }
    }
    problems.into_iter().map(str::to_owned).collect()
}

fn of_modifiers(scheme: &Scheme) -> Vec<String> {
    let mut problems = Vec::new();
    for modifier in &scheme.modifiers {
        match modifier {
            Modifier::Cap { amount, by_currency } => {
                if std::iter::once(amount)
                    .chain(by_currency.values())
                    .any(Ratio::is_negative)
                {
                    problems.push("its cap is below zero".to_owned());
                }
            }
            Modifier::GradeFactor { factors, .. } => {
                for grade in Grade::ALL.iter().filter(|g| !factors.contains_key(g)) {
                    problems.push(format!("it has no grade factor for {grade}"));
                }
            }
            Modifier::Floor(_) | Modifier::Proration { .. } | Modifier::MinimumPayout(_) => {}
        }
    }
    problems
}
