//! The steps of a target: everything that adds to its amount, exact, in order.
//!
//! Duty: groups, gates, method, modifiers, accrual, what earlier earning periods of the term got, what is carried. Not its
//! duty: each of them as such, rounding the target.

use std::collections::BTreeMap;

use super::basis::{self, Ask, Basis, Reductions, Sum};
use super::goals::days_within;
use super::method::{Around, Piece};
use super::modifiers::{self, Amounts};
use super::table::plain;
use super::target::{Case, Component, Done};
use super::{gates, method};
use crate::domain::{Date, Money, PeriodKind, Ratio};
use crate::rules::{Accrual, Method, Modifier, Scheme};

/// Whether a scheme may earn without a line.
pub(super) fn needs_no_lines(scheme: &Scheme) -> bool {
    matches!(&scheme.method, Method::Fixed(fixed) if fixed.by_day.is_some())
}

/// Spreads what was earned over the lines it was earned on, in proportion to what of each counted.
pub(super) fn reduce(reductions: &mut Reductions, done: &Done) {
    let total = Ratio::sum(done.counted.iter().map(|(_, counted)| counted));
    let Some(share) = done.exact.checked_div(&total) else {
        return;
    };
    for (place, counted) in &done.counted {
        let taken = reductions.entry(*place).or_insert_with(Ratio::zero);
        *taken = &*taken + &(counted * &share);
    }
}

/// With a minimum payout: what was carried comes in, and what is too little to pay goes on to the next earning period.
pub(super) fn paid_out(case: &Case<'_>, exact: &Ratio, carried: &mut Ratio) -> Vec<Component> {
    let minimum = case.scheme.modifiers.iter().find_map(|m| match m {
        Modifier::MinimumPayout(minimum) => Some(minimum.of(case.currency.code())),
        _ => None,
    });
    let Some(minimum) = minimum else {
        return Vec::new();
    };
    let due = exact + &*carried;
    let mut components = Vec::new();
    if !carried.is_zero() {
        components.push(Component {
            amount: carried.clone(),
            reason: Some("not paid in earlier earning periods".to_owned()),
            ..Component::new("", "carried_in")
        });
    }
    *carried = Ratio::zero();
    if due.is_negative() || due < *minimum {
        components.push(Component {
            basis: due.clone(),
            amount: -due.clone(),
            reason: Some(format!(
                "carried to the next earning period: less than {} {}",
                plain(minimum),
                case.currency
            )),
            ..Component::new("", "modifier:minimum_payout")
        });
        *carried = due;
    }
    components
}

impl<'a> Case<'a> {
    /// Whether there is something to say: a line that counts, or a day that earns.
    pub fn has_target(&self, basis: &Basis<'_>) -> bool {
        let by_day = match &self.scheme.method {
            Method::Fixed(fixed) => fixed.by_day,
            _ => None,
        };
        !basis.parts.is_empty() || by_day.is_some_and(|term| days_within((self.from, self.end), term) > 0)
    }

    /// How many earning periods of the term are over with this one, and of how many.
    pub fn part_of_term(&self) -> Result<(i64, i64), String> {
        let kind = self.scheme.cumulative_over.ok_or("no term that has parts")?;
        let term = self
            .calendar
            .period_of(self.first, kind)
            .ok_or_else(|| format!("no term holds {}", self.first))?;
        let parts = self.period.kind().per_year() / kind.per_year();
        let before = (term.index() - 1) * parts;
        Ok((i64::from(self.period.index() - before), i64::from(parts)))
    }

    /// Everything that adds to the amount but for what is carried.
    pub fn components(&self, basis: &Basis<'a>) -> Result<Vec<Component>, String> {
        let mut components = self.so_far(basis)?;
        if self.from < self.first {
            let earlier = self.earlier()?;
            if !earlier.is_zero() {
                components.push(Component {
                    amount: -earlier,
                    reason: Some("earlier earning periods of the term".to_owned()),
                    ..Component::new("", "earlier_periods")
                });
            }
        }
        Ok(components)
    }

    /// What the earlier earning periods of the term got, as booked: rounded.
    fn earlier(&self) -> Result<Ratio, String> {
        let period = self.period.previous();
        let before = Case {
            period,
            first: self.calendar.first_day(period),
            end: self.first,
            is_final: false,
            ..*self
        };
        let basis = basis::basis(&before, self.lines, Ask::of(self.scheme, self.from, self.first));
        if !before.has_target(&basis) {
            return Ok(Ratio::zero());
        }
        let components = before.so_far(&basis)?;
        let exact = components.iter().fold(Ratio::zero(), |sum, c| &sum + &c.amount);
        let booked = Money::rounded(&exact, self.currency, self.scheme.rounding).map_err(|e| e.to_string())?;
        Ok(booked.dec().ratio())
    }

    /// The term up to the last day.
    fn so_far(&self, basis: &Basis<'a>) -> Result<Vec<Component>, String> {
        let mut groups: BTreeMap<&'a str, BTreeMap<Date, Sum>> = BTreeMap::new();
        for ((domain, day), sum) in &basis.parts {
            let group = if method::is_by_domain(self.scheme) { *domain } else { "" };
            groups.entry(group).or_default().entry(*day).or_default().add(sum);
        }
        if groups.is_empty() {
            groups.insert("", BTreeMap::new());
        }
        let mut components = self.heads(basis, &groups);
        let failed = gates::failed_on_target(self, basis)?;
        if !failed.is_empty() {
            components.extend(failed);
            return Ok(components);
        }
        let (before, prior) = (self.before()?, self.prior());
        let mut amounts = Amounts::new();
        for (group, by_date) in &groups {
            match gates::certified(self, group, &Sum::total(by_date.values()).amount) {
                Err(failed) => components.push(*failed),
                Ok(certified_by) => {
                    let around = Around {
                        before: before.clone(),
                        prior: prior.clone(),
                        certified_by,
                    };
                    let pieces = method::pieces(self, group, by_date, &around)?;
                    amounts.insert((*group).to_owned(), earned(&pieces));
                    components.extend(pieces.into_iter().map(|piece| Component {
                        amount: piece.amount,
                        basis: piece.basis,
                        rate: piece.rate,
                        lines: piece.lines,
                        reason: piece.reason,
                        ..Component::new(group, &piece.name)
                    }));
                }
            }
        }
        components.extend(modifiers::apply(self, &mut amounts)?);
        components.extend(self.accrued(&basis.total(), &Ratio::sum(amounts.values()))?);
        Ok(components)
    }

    /// What the amount is computed from.
    fn heads(&self, basis: &Basis<'_>, groups: &BTreeMap<&str, BTreeMap<Date, Sum>>) -> Vec<Component> {
        let mut heads = Vec::new();
        for (group, by_date) in groups {
            let Sum { amount, decides, lines } = Sum::total(by_date.values());
            heads.push(Component {
                basis: amount,
                lines,
                ..Component::new(group, "basis")
            });
            if self.scheme.decision.on != self.scheme.amount {
                heads.push(Component {
                    basis: decides,
                    ..Component::new(group, "decides")
                });
            }
        }
        if !basis.reduced.is_zero() {
            heads.push(Component {
                basis: -basis.reduced.clone(),
                reason: Some("earned by earlier schemes of the stack, and not in the basis".to_owned()),
                ..Component::new("", "net_of_earlier")
            });
        }
        heads
    }

    /// The fiscal year before the basis begins, where that decides.
    pub fn before(&self) -> Result<Sum, String> {
        if !self.scheme.decision.year_to_date {
            return Ok(Sum::default());
        }
        let year = self.calendar.period_of(self.first, PeriodKind::Year);
        let year = year.ok_or_else(|| format!("no fiscal year holds {}", self.first))?;
        let ask = Ask::of(self.scheme, self.calendar.first_day(year), self.from);
        Ok(basis::basis(self, self.lines, ask).total())
    }

    /// The period that growth is over.
    fn prior(&self) -> Sum {
        let Method::Growth(growth) = &self.scheme.method else {
            return Sum::default();
        };
        let back = if growth.over_year_before {
            i64::from(self.period.kind().per_year())
        } else {
            1
        };
        let prior = self.period.plus(-back);
        let ask = Ask::of(
            self.scheme,
            self.calendar.first_day(prior),
            self.calendar.end_day(prior),
        );
        basis::basis(self, self.lines, ask).total()
    }

    /// Until the term is over an accrual is booked in place of what was earned.
    fn accrued(&self, total: &Sum, so_far: &Ratio) -> Result<Option<Component>, String> {
        let Some(accrual) = self.scheme.accrual.as_ref().filter(|_| !self.is_final) else {
            return Ok(None);
        };
        let rate = match accrual {
            Accrual::Rate(rate) => rate.share().clone(),
            Accrual::Forecast(forecast) => {
                let whole_term = Sum {
                    amount: forecast.clone(),
                    decides: forecast.clone(),
                    lines: 1,
                };
                let by_date = BTreeMap::from([(self.first, whole_term)]);
                let pieces = method::pieces(self, "", &by_date, &Around::default())?;
                let rate = earned(&pieces).checked_div(forecast);
                rate.ok_or("a forecast of nothing")?
            }
        };
        Ok(Some(Component {
            basis: total.amount.clone(),
            amount: &(&total.amount * &rate) - so_far,
            rate: Some(rate),
            reason: Some("accrued until the term is over, in place of what was earned so far".to_owned()),
            ..Component::new("", "accrual")
        }))
    }
}

fn earned(pieces: &[Piece]) -> Ratio {
    Ratio::sum(pieces.iter().map(|piece| &piece.amount))
}
