//! Modifiers: grade factors, caps, floors and proration, in the order the scheme lists them.
//!
//! Duty: each as a component of its own, never hidden in a rate. Not its duty: rounding.

use std::collections::BTreeMap;

use super::gates::in_currency;
use super::grades::Factor;
use super::table::plain;
use super::target::{Case, Component};
use crate::domain::Ratio;
use crate::rules::{DayCount, GradeOf, Modifier, ProrationOf};

/// Amounts by domain of the components; what concerns the whole target stands under no domain (`""`).
pub(super) type Amounts = BTreeMap<String, Ratio>;

/// Applies the modifiers to `amounts` and says what each of them did.
pub(super) fn apply(case: &Case<'_>, amounts: &mut Amounts) -> Result<Vec<Component>, String> {
    let mut components = Vec::new();
    let (mut factors, mut caps, mut floors, mut prorations) = (0, 0, 0, 0);
    let mut limits = Ratio::one();
    for modifier in &case.scheme.modifiers {
        match modifier {
            Modifier::GradeFactor { .. } => {
                factors += 1;
                components.extend(grade_factor(
                    case,
                    modifier,
                    &numbered("modifier:grade_factor", factors),
                    amounts,
                )?);
            }
            Modifier::Cap { amount, by_currency } => {
                caps += 1;
                let cap = in_currency(amount, by_currency, case) * &limits;
                components.extend(apply_cap(case, &cap, &numbered("modifier:cap", caps), amounts));
            }
            Modifier::Floor(floor) => {
                floors += 1;
                let floor = floor.of(case.currency.code()) * &limits;
                components.extend(apply_floor(case, &floor, &numbered("modifier:floor", floors), amounts));
            }
            Modifier::Proration { days, of } => {
                let there = days_there(case, *days)?;
                if *of == ProrationOf::Limits {
                    limits = &limits * &there.factor;
                } else {
                    prorations += 1;
                    let name = numbered("modifier:proration", prorations);
                    let prorated = amounts
                        .iter_mut()
                        .map(|(group, amount)| factored(&name, group, amount, &there));
                    components.extend(prorated);
                }
            }
            // asked last of all, with what was carried (`target`)
            Modifier::MinimumPayout(_) => {}
        }
    }
    Ok(components)
}

/// A name that is still unique when a scheme lists a modifier twice.
fn numbered(name: &str, nth: usize) -> String {
    if nth == 1 {
        name.to_owned()
    } else {
        format!("{name}:{nth}")
    }
}

fn grade_factor(
    case: &Case<'_>,
    modifier: &Modifier,
    name: &str,
    amounts: &mut Amounts,
) -> Result<Vec<Component>, String> {
    let Modifier::GradeFactor {
        of,
        factors,
        not_rated,
        incomplete,
    } = modifier
    else {
        return Ok(Vec::new());
    };
    let period = case.evaluation_period()?;
    let of_domain = |domain: Option<&str>| {
        case.facts
            .grades
            .factor((case.partner, domain, period), factors, not_rated, incomplete)
            .map_err(|e| format!("{}: scheme {}: {e}", case.scheme.origin, case.scheme.id))
    };
    let by_group: BTreeMap<String, Factor> = match of {
        GradeOf::Card => {
            let factor = of_domain(None)?;
            amounts.keys().map(|group| (group.clone(), factor.clone())).collect()
        }
        GradeOf::Domain => {
            let domains = amounts.keys().filter(|group| !group.is_empty());
            let mut by_group = domains
                .map(|domain| Ok((domain.clone(), of_domain(Some(domain))?)))
                .collect::<Result<BTreeMap<_, _>, String>>()?;
            if amounts.contains_key("") {
                by_group.insert(String::new(), mean_factor(amounts, &by_group));
            }
            by_group
        }
    };
    Ok(amounts
        .iter_mut()
        .map(|(group, amount)| factored(name, group, amount, &by_group[group]))
        .collect())
}

fn factored(name: &str, group: &str, amount: &mut Ratio, factor: &Factor) -> Component {
    let before = amount.clone();
    *amount = &before * &factor.factor;
    Component {
        basis: before.clone(),
        factor: Some(factor.factor.clone()),
        amount: &*amount - &before,
        reason: Some(factor.reason.clone()),
        ..Component::new(group, name)
    }
}

/// What a cap took off before is shared by the domains in proportion to their amounts, so it takes the mean of their
/// factors.
fn mean_factor(amounts: &Amounts, by_group: &BTreeMap<String, Factor>) -> Factor {
    let (mut total, mut weighted) = (Ratio::zero(), Ratio::zero());
    for (domain, factor) in by_group {
        let amount = &amounts[domain];
        total = &total + amount;
        weighted = &weighted + &(amount * &factor.factor);
    }
    let factor = weighted.checked_div(&total).unwrap_or_else(Ratio::zero);
    Factor {
        factor,
        reason: "mean of the domains".to_owned(),
    }
}

fn apply_cap(case: &Case<'_>, cap: &Ratio, name: &str, amounts: &mut Amounts) -> Option<Component> {
    let total = Ratio::sum(amounts.values());
    if total <= *cap {
        return None;
    }
    let over = cap - &total;
    let whole = amounts.entry(String::new()).or_insert_with(Ratio::zero);
    *whole = &*whole + &over;
    Some(Component {
        basis: total.clone(),
        amount: over,
        reason: Some(format!("at most {} {}", plain(cap), case.currency)),
        ..Component::new("", name)
    })
}

/// A floor is asked once the term is over.
fn apply_floor(case: &Case<'_>, floor: &Ratio, name: &str, amounts: &mut Amounts) -> Option<Component> {
    let total = Ratio::sum(amounts.values());
    if !case.is_final || total >= *floor {
        return None;
    }
    let missing = floor - &total;
    let whole = amounts.entry(String::new()).or_insert_with(Ratio::zero);
    *whole = &*whole + &missing;
    Some(Component {
        basis: total,
        amount: missing,
        reason: Some(format!("at least {} {}", plain(floor), case.currency)),
        ..Component::new("", name)
    })
}

/// The share of the earning period on which the partner was there, by the declared count of days.
fn days_there(case: &Case<'_>, count: DayCount) -> Result<Factor, String> {
    let there = case.facts.partners.days_there(case.partner, case.first, case.end);
    let parts_of_year = i64::from(case.period.kind().per_year());
    let (days, parts) = match count {
        DayCount::ActualActual => ((case.end - case.first).num_days(), 1),
        DayCount::Actual365 => (365, parts_of_year),
        DayCount::Actual360 => (360, parts_of_year),
    };
    let share = Ratio::new(there, days).ok_or("an earning period of no days")? * Ratio::int(parts);
    Ok(Factor {
        factor: share.min(Ratio::one()),
        reason: format!("{there} days"),
    })
}
