//! Gates: whether a basis earns at all.
//!
//! Duty: which gate is failed and why. Not its duty: how much is earned.

use std::collections::BTreeMap;

use super::basis::{self, Ask, Basis};
use super::table::plain;
use super::target::{Case, Component};
use crate::domain::{Dec, Grade, Ratio};
use crate::rules::Gate;

/// The failed gates on the whole target, in the order in which the scheme lists them.
pub(super) fn failed_on_target(case: &Case<'_>, basis: &Basis<'_>) -> Result<Vec<Component>, String> {
    let total = basis.total().amount;
    let mut failed = Vec::new();
    for gate in &case.scheme.gates {
        failed.extend(match gate {
            Gate::MinimumSales { amount, by_currency } => {
                minimum_sales(case, &total, in_currency(amount, by_currency, case))
            }
            Gate::Volume { scope, of, at_least } => {
                let ask = Ask {
                    scope,
                    pays: *of,
                    decides: *of,
                    ..Ask::of(case.scheme, case.from, case.end)
                };
                let volume = basis::basis(case, case.lines, ask).total().amount;
                volume_missed(&volume, at_least.of(case.currency.code()))
            }
            Gate::MinimumGrade(least) => minimum_grade(case, *least)?,
            Gate::MinimumScore(least) => minimum_score(case, least)?,
            Gate::OverdueParts(most) => overdue_parts(case, most)?,
            Gate::Collected(least) => collected(&total, &basis.unpaid, least),
            Gate::CertifiedThroughout => None,
        });
    }
    Ok(failed)
}

/// A minimum is asked before something is earned; a negative basis takes money back and passes.
fn minimum_sales(case: &Case<'_>, basis: &Ratio, minimum: &Ratio) -> Option<Component> {
    (!basis.is_negative() && basis < minimum).then(|| {
        let (has, needs, c) = (plain(basis), plain(minimum), case.currency);
        let reason = format!("the basis of {has} {c} is under the minimum sales of {needs} {c}");
        failed("minimum_sales", basis, reason)
    })
}

fn volume_missed(volume: &Ratio, least: &Ratio) -> Option<Component> {
    (volume < least).then(|| {
        let reason = format!("the volume of {} is under {}", plain(volume), plain(least));
        failed("volume", volume, reason)
    })
}

fn minimum_grade(case: &Case<'_>, least: Grade) -> Result<Option<Component>, String> {
    let passes = |grade: Grade| if grade <= least { Ratio::one() } else { Ratio::zero() };
    let factors = Grade::ALL.into_iter().map(|g| (g, passes(g))).collect();
    let none = Ratio::zero();
    let key = (case.partner, None, case.evaluation_period()?);
    let found = case.facts.grades.factor(key, &factors, &none, &none)?;
    Ok(found.factor.is_zero().then(|| {
        failed(
            "minimum_grade",
            &none,
            format!("{}, and {least} is asked for", found.reason),
        )
    }))
}

fn minimum_score(case: &Case<'_>, least: &Ratio) -> Result<Option<Component>, String> {
    let row = case.facts.grades.card(case.partner, case.evaluation_period()?);
    let score = row.and_then(|row| row.score).map(Dec::ratio);
    Ok(match score {
        Some(score) if score >= *least => None,
        Some(score) => {
            let reason = format!("the score of {} is under {}", plain(&score), plain(least));
            Some(failed("minimum_score", &score, reason))
        }
        None => {
            let reason = format!("not rated, and a score of {} is asked for", plain(least));
            Some(failed("minimum_score", &Ratio::zero(), reason))
        }
    })
}

fn overdue_parts(case: &Case<'_>, most: &Ratio) -> Result<Option<Component>, String> {
    let row = case.facts.grades.card(case.partner, case.evaluation_period()?);
    let share = row
        .and_then(|row| row.overdue_parts.as_ref())
        .filter(|share| *share > most);
    let percent = |share: &Ratio| plain(&(share * &Ratio::int(100)));
    Ok(share.map(|share| {
        let reason = format!(
            "{} % of the parts due are overdue, over {} %",
            percent(share),
            percent(most)
        );
        failed("overdue_parts_at_most", share, reason)
    }))
}

/// What is negative takes money back and passes.
fn collected(basis: &Ratio, unpaid: &Ratio, least: &Ratio) -> Option<Component> {
    let paid = basis - unpaid;
    (basis.is_positive() && paid < basis * least).then(|| {
        let reason = format!("{} of {} is in lines that are paid in full", plain(&paid), plain(basis));
        failed("collected", basis, reason)
    })
}

fn failed(gate: &str, basis: &Ratio, reason: String) -> Component {
    Component {
        basis: basis.clone(),
        reason: Some(reason),
        ..Component::new("", &format!("gate:{gate}"))
    }
}

/// The gate on a domain's certification: the domain whose certification opens it, or the failed gate. `Ok(None)` when
/// the scheme has no such gate.
pub(super) fn certified<'d>(
    case: &Case<'d>,
    domain: &'d str,
    basis: &Ratio,
) -> Result<Option<&'d str>, Box<Component>> {
    if !case.scheme.gates.iter().any(|g| matches!(g, Gate::CertifiedThroughout)) {
        return Ok(None);
    }
    let by = case
        .facts
        .certifications
        .narrowest_throughout(case.partner, domain, case.first, case.end);
    by.map(Some).ok_or_else(|| {
        Box::new(Component {
            basis: basis.clone(),
            reason: Some(format!(
                "no certification for {domain} was active throughout {}",
                case.period
            )),
            ..Component::new(domain, "gate:certified_throughout")
        })
    })
}

/// The amount for the target's currency.
pub(super) fn in_currency<'r>(
    amount: &'r Ratio,
    by_currency: &'r BTreeMap<String, Ratio>,
    case: &Case<'_>,
) -> &'r Ratio {
    by_currency.get(case.currency.code()).unwrap_or(amount)
}
