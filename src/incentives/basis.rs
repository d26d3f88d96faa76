//! Which lines count towards a target, in its currency.
//!
//! Duty: scope, date, freezes, payment and exchange, in this order; what is left out for one of the last three is
//! kept aside with its reason. Not its duty: what the basis earns.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Facts;
use super::lines::Line;
use super::target::Case;
use crate::domain::{Currency, Date, Ratio};
use crate::rules::{BasisAmount, FxDate, Scheme, SchemeDate, Scope, Scoped};

/// What pays, what decides, and the number of source lines in it. Money in one currency, or pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    /// What pays.
    pub amount: Ratio,
    /// What decides on bands and targets.
    pub decides: Ratio,
    pub lines: i64,
}

impl Default for Sum {
    fn default() -> Sum {
        Sum {
            amount: Ratio::zero(),
            decides: Ratio::zero(),
            lines: 0,
        }
    }
}

impl Sum {
    pub fn add(&mut self, more: &Sum) {
        self.amount = &self.amount + &more.amount;
        self.decides = &self.decides + &more.decides;
        self.lines = self.lines.saturating_add(more.lines);
    }

    pub fn total<'s>(sums: impl IntoIterator<Item = &'s Sum>) -> Sum {
        let mut total = Sum::default();
        for sum in sums {
            total.add(sum);
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

#[derive(Clone, Debug)]
pub(super) struct Basis<'a> {
    /// In the target's currency, by domain of the line and date of the scheme.
    pub parts: BTreeMap<(&'a str, Date), Sum>,
    /// By reason and currency of the line.
    pub aside: BTreeMap<(Aside, &'a str), AsideSum>,
    /// What counted of each line, by its place among the partner's lines.
    pub counted: Vec<(usize, Ratio)>,
    /// What of it is not paid in full.
    pub unpaid: Ratio,
    /// What earlier schemes of the stack took from it.
    pub reduced: Ratio,
}

impl Default for Basis<'_> {
    fn default() -> Self {
        Basis {
            parts: BTreeMap::new(),
            aside: BTreeMap::new(),
            counted: Vec::new(),
            unpaid: Ratio::zero(),
            reduced: Ratio::zero(),
        }
    }
}

impl Basis<'_> {
    pub fn total(&self) -> Sum {
        Sum::total(self.parts.values())
    }
}

/// What earlier schemes of a stack earned on each line, by its place among the partner's lines.
pub(super) type Reductions = BTreeMap<usize, Ratio>;

/// Which lines are asked for, and what of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'s> {
    pub scope: &'s Scope,
    pub pays: BasisAmount,
    pub decides: BasisAmount,
    pub from: Date,
    /// Exclusive.
    pub end: Date,
    pub reductions: Option<&'s Reductions>,
}

impl<'s> Ask<'s> {
    /// What the scheme counts over a time.
    pub fn of(scheme: &'s Scheme, from: Date, end: Date) -> Ask<'s> {
        Ask {
            scope: &scheme.scope,
            pays: scheme.amount,
            decides: scheme.decision.on,
            from,
            end,
            reductions: None,
        }
    }
}

/// What is made of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The scheme's date of it lies outside.
    Elsewhen,
    /// The key of the scope that leaves it out.
    OutOfScope(&'static str),
    Aside(Aside),
    /// What it counts, before a stack takes from it, and the exchange rate of that.
    Counts {
        sum: Sum,
        rate: Ratio,
    },
}

/// Scope, date, freezes, payment and exchange, in this order.
pub(super) fn verdict(case: &Case<'_>, line: &Line<'_>, ask: Ask<'_>) -> Verdict {
    let scheme = case.scheme;
    let day = line.date(scheme.date);
    if !(ask.from..ask.end).contains(&day) {
        return Verdict::Elsewhen;
    }
    if let Some(key) = left_out(case.facts, case.partner, line, day, ask.scope) {
        return Verdict::OutOfScope(key);
    }
    if case.facts.is_frozen(case.partner, line.date(SchemeDate::OrderedOn)) {
        return Verdict::Aside(Aside::Frozen);
    }
    if scheme.paid_in_full && !line.paid {
        return Verdict::Aside(Aside::Unpaid);
    }
    match worth(case, line, day, ask) {
        Some((sum, rate)) => Verdict::Counts { sum, rate },
        None => Verdict::Aside(Aside::Waiting),
    }
}

/// The lines asked for, for a target.
pub(super) fn basis<'a>(case: &Case<'_>, lines: &[Line<'a>], ask: Ask<'_>) -> Basis<'a> {
    let mut basis = Basis::default();
    for (place, line) in lines.iter().enumerate() {
        let day = line.date(case.scheme.date);
        let aside = match verdict(case, line, ask) {
            Verdict::Elsewhen | Verdict::OutOfScope(_) => continue,
            Verdict::Counts { sum, .. } => {
                basis.count(place, line, day, sum, ask.reductions);
                continue;
            }
            Verdict::Aside(aside) => aside,
        };
        // what is kept aside is told in the period of its date
        if day >= case.first {
            let kept = basis.aside.entry((aside, line.currency)).or_default();
            kept.sum.amount = &kept.sum.amount + &line.amount(ask.pays);
            kept.sum.lines = kept.sum.lines.saturating_add(line.lines);
            kept.days.insert(day);
        }
    }
    basis
}

impl<'a> Basis<'a> {
    fn count(&mut self, place: usize, line: &Line<'a>, day: Date, mut sum: Sum, reductions: Option<&Reductions>) {
        if let Some(taken) = reductions.and_then(|r| r.get(&place)) {
            sum.amount = &sum.amount - taken;
            sum.decides = &sum.decides - taken;
            self.reduced = &self.reduced + taken;
        }
        if !line.paid {
            self.unpaid = &self.unpaid + &sum.amount;
        }
        self.counted.push((place, sum.amount.clone()));
        self.parts.entry((line.domain, day)).or_default().add(&sum);
    }
}

/// What a line counts, in the target's currency or in pieces, as the scheme has it for returns, and the exchange rate;
/// `None` where that is missing.
fn worth(case: &Case<'_>, line: &Line<'_>, day: Date, ask: Ask<'_>) -> Option<(Sum, Ratio)> {
    let in_pieces = ask.pays == BasisAmount::Quantity && ask.decides == BasisAmount::Quantity;
    let rate = if in_pieces {
        Ratio::one()
    } else {
        let rate = fx_rate(case, line.currency, day)?;
        Currency::parse(line.currency)?;
        rate
    };
    let of = |amount: BasisAmount| match amount {
        BasisAmount::Quantity => line.amount(amount),
        BasisAmount::Net | BasisAmount::List => &line.amount(amount) * &rate,
    };
    let (mut amount, mut decides) = (of(ask.pays), of(ask.decides));
    if line.is_return {
        let returns = &case.scheme.returns;
        amount = &amount * &returns.recover;
        if !returns.lose_progress {
            decides = Ratio::zero();
        }
    }
    let sum = Sum {
        amount,
        decides,
        lines: line.lines,
    };
    Some((sum, rate))
}

/// The exchange rate of a line that the scheme's date puts on a day.
fn fx_rate(case: &Case<'_>, base: &str, day: Date) -> Option<Ratio> {
    let (rates, quote, max_age_days) = (&case.facts.rates, case.currency, case.scheme.fx_max_age_days);
    let span = || {
        let period = case.calendar.period_of(day, case.scheme.earning_period)?;
        Some((case.calendar.first_day(period), case.calendar.last_day(period)))
    };
    let ways = case.scheme.fx_ways;
    match case.scheme.fx_date {
        FxDate::Transaction => rates.on(base, quote, ways, day, max_age_days),
        FxDate::PeriodEnd => rates.on(base, quote, ways, span()?.1, max_age_days),
        FxDate::Average => rates.mean(base, quote, ways, span()?),
    }
}

/// Which exchange rate is missing; `days` are those of the lines that wait.
pub(super) fn no_rate(case: &Case<'_>, base: &str, days: &str) -> String {
    let (quote, age) = (case.currency, case.scheme.fx_max_age_days);
    let ways = case.scheme.fx_ways;
    let mut which = format!("no rate {base}→{quote}");
    if ways.inverse {
        which.push_str(" nor its inverse");
    }
    if let Some(middle) = ways.through {
        which.push_str(&format!(" nor one through {middle}"));
    }
    match case.scheme.fx_date {
        FxDate::Transaction => format!("{which} at most {age} days old for {days}"),
        FxDate::PeriodEnd => format!("{which} at most {age} days old at the end of the period of {days}"),
        FxDate::Average => format!("{which} for any day of the period of {days}"),
    }
}

/// The key of the scope that leaves a line out. An empty list means any; a domain of the list stands for its members too.
fn left_out(facts: &Facts<'_>, partner: &str, line: &Line<'_>, day: Date, scope: &Scope) -> Option<&'static str> {
    let scoped = Scoped {
        line_kind: line.kind,
        service_model: line.service_model,
        product: line.product,
        family: line.family,
        category: line.category,
        incentive_eligible: line.incentive_eligible,
    };
    let certifications = &facts.certifications;
    let is_within = |domains: &[String]| {
        let covering = certifications.covering(line.domain);
        covering.iter().any(|d| domains.iter().any(|s| s == d))
    };
    if let Some(key) = scope.left_out(&scoped, is_within) {
        return Some(key);
    }
    if !scope.tiers.is_empty() {
        let tier = facts.partners.on(partner, day).map_or("", |version| version.tier);
        if !scope.tiers.iter().any(|t| t == tier) {
            return Some("tiers");
        }
    }
    if !scope.asks_for_certification() {
        return None;
    }
    let stars = certifications
        .narrowest_on(partner, line.domain, day)
        .map(|(_, stars)| stars);
    match (stars, scope.stars_at_least) {
        (None, None) => Some("certified_domain_only"),
        (stars, Some(least)) if stars.is_none_or(|stars| stars < least) => Some("stars_at_least"),
        _ => None,
    }
}
