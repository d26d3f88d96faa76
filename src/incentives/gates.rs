//! Gates: whether a basis earns at all.
//!
//! Duty: which gate is failed and why. Not its duty: how much is earned.

use std::collections::BTreeMap;

use super::table::plain;
use super::target::{Case, Component};
use crate::domain::Ratio;
use crate::rules::Gate;

/// The failed gates on the whole target.
///
/// A minimum is asked before something is earned; a negative basis takes money back and passes.
pub(super) fn failed_on_target(case: &Case<'_>, basis: &Ratio) -> Vec<Component> {
    let failed = case.scheme.gates.iter().filter_map(|gate| {
        let Gate::MinimumSales { amount, by_currency } = gate else {
            return None;
        };
        let minimum = in_currency(amount, by_currency, case);
        (!basis.is_negative() && basis < minimum).then(|| {
            let reason = format!(
                "the basis of {} {c} is under the minimum sales of {} {c}",
                plain(basis),
                plain(minimum),
                c = case.currency
            );
            Component {
                basis: basis.clone(),
                reason: Some(reason),
                ..Component::new("", "gate:minimum_sales")
            }
        })
    });
    failed.collect()
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
