//! Which lines count towards a target, in its currency.
//!
//! Duty: scope, date, freezes, payment and exchange, in this order; what is left out for one of the last three is
//! kept aside with its reason. Not its duty: what the basis earns.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use super::lines::Line;
use super::target::Case;
use crate::domain::{Currency, Date, Ratio};
use crate::rules::{SchemeDate, Scope};

/// An amount and the number of source lines in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub amount: Ratio,
    pub lines: i64,
}

impl Default for Sum {
    fn default() -> Sum {
        Sum {
            amount: Ratio::zero(),
            lines: 0,
        }
    }
}

impl Sum {
    pub fn add(&mut self, amount: &Ratio, lines: i64) {
        self.amount = &self.amount + amount;
        self.lines = self.lines.saturating_add(lines);
    }

    pub fn total<'s>(sums: impl IntoIterator<Item = &'s Sum>) -> Sum {
        let mut total = Sum::default();
        for sum in sums {
            total.add(&sum.amount, sum.lines);
        }
        total
    }
}

/// Why a line of the scope is not in the basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Aside {
    /// Ordered within a freeze.
    Frozen,
    /// Not paid in full, where the scheme asks for it.
    Unpaid,
    /// No exchange rate, or no such currency.
    Waiting,
}

impl Aside {
    pub fn as_str(self) -> &'static str {
        match self {
            Aside::Frozen => "frozen",
            Aside::Unpaid => "unpaid",
            Aside::Waiting => "waiting",
        }
    }
}

/// Lines kept aside: their sum in their own currency, and the scheme's dates of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AsideSum {
    pub sum: Sum,
    pub days: BTreeSet<Date>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Basis<'a> {
    /// In the target's currency, by domain of the line and date of the scheme.
    pub parts: BTreeMap<(&'a str, Date), Sum>,
    /// By reason and currency of the line.
    pub aside: BTreeMap<(Aside, &'a str), AsideSum>,
}

/// The basis of a target.
pub(super) fn basis<'a>(case: &Case<'_>, lines: &[Line<'a>]) -> Basis<'a> {
    let scheme = case.scheme;
    let mut basis = Basis::default();
    for line in lines {
        let day = line.date(scheme.date);
        if !(case.first..case.end).contains(&day) || !in_scope(case.facts, case.partner, line, day, &scheme.scope) {
            continue;
        }
        let amount = line.amount(scheme.amount).ratio();
        let rate = || {
            case.facts
                .rates
                .on(line.currency, case.currency, day, scheme.fx_max_age_days)
        };
        let aside = if case.facts.is_frozen(case.partner, line.date(SchemeDate::OrderedOn)) {
            Aside::Frozen
        } else if scheme.paid_in_full && !line.paid {
            Aside::Unpaid
        } else if let Some(rate) = rate().filter(|_| Currency::parse(line.currency).is_some()) {
            basis
                .parts
                .entry((line.domain, day))
                .or_default()
                .add(&(&amount * &rate), line.lines);
            continue;
        } else {
            Aside::Waiting
        };
        let kept = basis.aside.entry((aside, line.currency)).or_default();
        kept.sum.add(&amount, line.lines);
        kept.days.insert(day);
    }
    basis
}

/// An empty list of the scope means any; a domain of the list stands for its members too.
fn in_scope(facts: &Facts<'_>, partner: &str, line: &Line<'_>, day: Date, scope: &Scope) -> bool {
    let any_or = |list: &[String], value: &str| list.is_empty() || list.iter().any(|v| v == value);
    any_or(&scope.line_kinds, line.kind)
        && any_or(&scope.service_models, line.service_model)
        && (scope.domains.is_empty()
            || facts
                .certifications
                .covering(line.domain)
                .iter()
                .any(|d| scope.domains.iter().any(|s| s == d)))
        && any_or(&scope.families, line.family)
        && any_or(&scope.categories, line.category)
        && (!scope.incentive_eligible_only || line.incentive_eligible)
        && (!scope.certified_domain_only || facts.certifications.narrowest_on(partner, line.domain, day).is_some())
}
