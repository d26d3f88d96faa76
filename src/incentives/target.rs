//! One target: partner, scheme, earning period, settlement currency.
//!
//! Duty: run the steps in their order, round once, and hand out the rows that explain the amount. Not its duty: which
//! targets there are.

use std::collections::BTreeMap;

use super::basis::{self, Aside, AsideSum, Sum};
use super::facts::Facts;
use super::lines::Line;
use super::modifiers::{self, Amounts};
use super::table::{AMOUNT, BASIS, published, row, table};
use super::{Incentives, Target, Waiting, gates, method};
use crate::domain::ids::PartnerId;
use crate::domain::time::sub_days;
use crate::domain::{Currency, Date, Finding, Findings, Money, Period, Place, Ratio, Row};
use crate::rules::Scheme;

/// What a target is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub facts: &'a Facts<'a>,
    pub partner: &'a str,
    pub scheme: &'a Scheme,
    /// Earning period.
    pub period: Period,
    pub first: Date,
    /// Exclusive.
    pub end: Date,
    /// Settlement currency.
    pub currency: Currency,
    pub calendar: crate::domain::FiscalCalendar,
}

/// One step towards a target's amount, exact. Grain: target × domain × component.
#[derive(Clone, Debug)]
pub(super) struct Component {
    /// Empty when it concerns the whole target.
    pub domain: String,
    pub name: String,
    /// What it is computed from, in the settlement currency.
    pub basis: Ratio,
    pub rate: Option<Ratio>,
    pub factor: Option<Ratio>,
    /// What it adds to the amount.
    pub amount: Ratio,
    /// Source lines in `basis`, where it is made of whole lines.
    pub lines: i64,
    pub reason: Option<String>,
}

impl Component {
    pub fn new(domain: &str, name: &str) -> Component {
        Component {
            domain: domain.to_owned(),
            name: name.to_owned(),
            basis: Ratio::zero(),
            rate: None,
            factor: None,
            amount: Ratio::zero(),
            lines: 0,
            reason: None,
        }
    }
}

/// Rows, targets and waiting lines of all cases so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    rows: Vec<Row>,
    targets: Vec<Target>,
    waiting: Vec<Waiting>,
}

impl Output {
    pub fn finish(mut self, findings: Findings) -> Incentives {
        let key = |t: &Target| {
            (
                t.partner.clone(),
                t.scheme.clone(),
                t.earning_period,
                t.amount.currency(),
            )
        };
        self.targets.sort_by_key(key);
        self.waiting.sort_by(|a, b| {
            let key = |w: &Waiting| {
                (
                    w.partner.clone(),
                    w.scheme.clone(),
                    w.earning_period,
                    w.currency.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        Incentives {
            rebates: table(self.rows),
            targets: self.targets,
            waiting: self.waiting,
            findings,
        }
    }
}

impl<'a> Case<'a> {
    /// Computes the target into `output`; findings for people, or problems that no row can stand for.
    pub fn run(&self, lines: &[Line<'a>], output: &mut Output) -> Result<Findings, Vec<String>> {
        let basis = basis::basis(self, lines);
        let about = |e: String| {
            vec![format!(
                "partner {}, {}, {}: {e}",
                self.partner, self.scheme.id, self.period
            )]
        };
        let partner = PartnerId::new(self.partner).map_err(|e| about(format!("the partner's id {e}")))?;
        let mut findings = Vec::new();
        for ((aside, currency), kept) in &basis.aside {
            let component = self.aside_component(*aside, currency, kept);
            output
                .rows
                .push(row(self.key(&self.period.to_string()), currency, &component, None).map_err(about)?);
            if *aside == Aside::Waiting {
                findings.push(self.waiting_finding(currency, kept));
                let reason = component.reason.unwrap_or_default();
                output
                    .waiting
                    .push(self.waiting(&partner, currency, kept, reason).map_err(about)?);
            }
        }
        if !basis.parts.is_empty() {
            let components = self.components(&basis.parts).map_err(about)?;
            let amount = self.close(&components, output).map_err(about)?;
            output.targets.push(Target {
                partner,
                scheme: self.scheme.id.clone(),
                earning_period: self.period,
                amount,
            });
        }
        Ok(findings)
    }

    fn key<'k>(&'k self, period: &'k str) -> [&'k str; 3] {
        [self.partner, self.scheme.id.as_str(), period]
    }

    /// The evaluation period that holds the last day of the earning period.
    pub fn evaluation_period(&self) -> Result<Period, String> {
        let last = sub_days(self.end, 1);
        let period = self.calendar.period_of(last, self.facts.evaluation_period);
        period.ok_or_else(|| format!("no evaluation period holds {last}"))
    }

    /// Everything that adds to the amount, exact, in the order of the steps.
    fn components(&self, parts: &BTreeMap<(&'a str, Date), Sum>) -> Result<Vec<Component>, String> {
        let mut groups: BTreeMap<&'a str, BTreeMap<Date, Sum>> = BTreeMap::new();
        for ((domain, day), sum) in parts {
            let group = if method::is_by_domain(self.scheme) { *domain } else { "" };
            groups
                .entry(group)
                .or_default()
                .entry(*day)
                .or_default()
                .add(&sum.amount, sum.lines);
        }
        let mut components = Vec::new();
        for (group, by_date) in &groups {
            let Sum { amount, lines } = Sum::total(by_date.values());
            components.push(Component {
                basis: amount,
                lines,
                ..Component::new(group, "basis")
            });
        }
        let failed = gates::failed_on_target(self, &Sum::total(parts.values()).amount);
        if !failed.is_empty() {
            components.extend(failed);
            return Ok(components);
        }
        let mut amounts = Amounts::new();
        for (group, by_date) in &groups {
            match gates::certified(self, group, &Sum::total(by_date.values()).amount) {
                Err(failed) => components.push(*failed),
                Ok(certified_by) => {
                    let pieces = method::pieces(self, group, by_date, certified_by)?;
                    let amount = pieces.iter().fold(Ratio::zero(), |sum, p| &sum + &p.amount());
                    amounts.insert((*group).to_owned(), amount);
                    components.extend(pieces.into_iter().map(|piece| Component {
                        amount: piece.amount(),
                        basis: piece.basis,
                        rate: Some(piece.rate),
                        lines: piece.lines,
                        reason: piece.reason,
                        ..Component::new(group, &piece.name)
                    }));
                }
            }
        }
        components.extend(modifiers::apply(self, &mut amounts)?);
        Ok(components)
    }

    /// Rounds the target once, and adds the rows `rounding` (which also takes what the published decimals of the
    /// other components lost) and `earned`.
    fn close(&self, components: &[Component], output: &mut Output) -> Result<Money, String> {
        let period = self.period.to_string();
        let exact = components.iter().fold(Ratio::zero(), |sum, c| &sum + &c.amount);
        let amount = Money::rounded(&exact, self.currency, self.scheme.rounding).map_err(|e| e.to_string())?;
        let earned = amount.dec().ratio();
        let mut shown = Ratio::zero();
        for component in components {
            shown = &shown + &published(&component.amount, AMOUNT, &component.name)?.ratio();
        }
        let (mut basis, mut lines) = (Ratio::zero(), 0_i64);
        for component in components.iter().filter(|c| c.name == "basis") {
            basis = &basis + &component.basis;
            lines = lines.saturating_add(component.lines);
        }
        let rounding = Component {
            basis: exact,
            amount: &earned - &shown,
            ..Component::new("", "rounding")
        };
        let total = Component {
            basis,
            amount: earned,
            lines,
            ..Component::new("", "earned")
        };
        let booked = amount.dec().rescale(4).ok_or("the target does not fit in 28 digits")?;
        for component in components.iter().chain([&rounding]) {
            output
                .rows
                .push(row(self.key(&period), self.currency.code(), component, None)?);
        }
        output
            .rows
            .push(row(self.key(&period), self.currency.code(), &total, Some(booked))?);
        Ok(amount)
    }

    /// The row for lines that do not count; amounts in the currency of the lines.
    fn aside_component(&self, aside: Aside, currency: &str, kept: &AsideSum) -> Component {
        let reason = match aside {
            Aside::Frozen => "ordered within a freeze".to_owned(),
            Aside::Unpaid => "not paid in full".to_owned(),
            Aside::Waiting if Currency::parse(currency).is_none() => format!("'{currency}' is no currency of ISO 4217"),
            Aside::Waiting => format!(
                "no rate {currency}→{} at most {} days old for {}",
                self.currency,
                self.scheme.fx_max_age_days,
                days_text(kept)
            ),
        };
        Component {
            basis: kept.sum.amount.clone(),
            lines: kept.sum.lines,
            reason: Some(reason),
            ..Component::new("", &format!("{}:{currency}", aside.as_str()))
        }
    }

    fn waiting(&self, partner: &PartnerId, currency: &str, kept: &AsideSum, reason: String) -> Result<Waiting, String> {
        Ok(Waiting {
            partner: partner.clone(),
            scheme: self.scheme.id.clone(),
            earning_period: self.period,
            currency: currency.to_owned(),
            amount: published(&kept.sum.amount, BASIS, "waiting")?,
            lines: kept.sum.lines,
            reason,
        })
    }

    fn waiting_finding(&self, currency: &str, kept: &AsideSum) -> Finding {
        let message = format!(
            "{} sales lines of partner {} in {currency} wait to count for {} {}: no usable rate {currency}→{} for {}",
            kept.sum.lines,
            self.partner,
            self.scheme.id,
            self.period,
            self.currency,
            days_text(kept)
        );
        let remedy = format!(
            "deliver the rate base {currency}, quote {}, of these days or of one of the {} days before; the next run \
             counts the lines",
            self.currency, self.scheme.fx_max_age_days
        );
        Finding::warning(
            Place::file("fx_rates").column("date"),
            "fx-rate-missing",
            message,
            remedy,
        )
    }
}

/// `2026-07-01` or `5 days from 2026-07-01 to 2026-08-02`.
fn days_text(kept: &AsideSum) -> String {
    match (kept.days.first(), kept.days.last(), kept.days.len()) {
        (Some(first), Some(last), count) if count > 1 => format!("{count} days from {first} to {last}"),
        (Some(first), ..) => first.to_string(),
        _ => "no day".to_owned(),
    }
}
