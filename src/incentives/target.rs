//! One target: partner, scheme, earning period, settlement currency.
//!
//! Duty: run the steps in their order, round once, and hand out the rows that explain the amount. Not its duty: which
//! targets there are.

use super::basis::{self, Aside, AsideSum, Ask, Reductions};
use super::beneficiaries::{Gift, receive, split};
use super::facts::Facts;
use super::headroom;
use super::lines::Line;
use super::steps;
use super::table::{AMOUNT, BASIS, published, row, table};
use super::{Incentives, Target, Waiting};
use crate::domain::ids::PartnerId;
use crate::domain::time::{add_days, sub_days};
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
    /// First day of the term that adds up; `first` where every earning period is for itself.
    pub from: Date,
    /// Whether the term ends with this earning period.
    pub is_final: bool,
    /// All of the partner's.
    pub lines: &'a [Line<'a>],
    /// What earlier schemes of the stack earned on them.
    pub reductions: Option<&'a Reductions>,
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

/// What a case leaves for those after it.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub findings: Findings,
    /// Earned, before what is carried and before rounding.
    pub exact: Ratio,
    /// What counted of each line, by its place among the partner's lines.
    pub counted: Vec<(usize, Ratio)>,
}

/// Rows, targets and waiting lines of all cases so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    rows: Vec<Row>,
    ahead: Vec<Row>,
    targets: Vec<Target>,
    waiting: Vec<Waiting>,
    gifts: Vec<Gift>,
}

impl Output {
    /// Takes over what other partners left.
    pub fn join(&mut self, other: Output) {
        self.rows.extend(other.rows);
        self.ahead.extend(other.ahead);
        self.targets.extend(other.targets);
        self.waiting.extend(other.waiting);
        self.gifts.extend(other.gifts);
    }

    pub fn finish(mut self, findings: Findings) -> Result<Incentives, String> {
        receive(&mut self.rows, &mut self.targets, self.gifts)?;
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
        Ok(Incentives {
            rebates: table(self.rows),
            headroom: headroom::table(self.ahead),
            targets: self.targets,
            waiting: self.waiting,
            findings,
        })
    }
}

impl Case<'_> {
    /// The lines of the whole term, less what earlier schemes took.
    pub fn ask(&self) -> Ask<'_> {
        Ask {
            reductions: self.reductions,
            ..Ask::of(self.scheme, self.from, self.end)
        }
    }

    /// Computes the target into `output`; problems are those that no row can stand for. `carried` is what earlier earning
    /// periods did not pay out.
    pub fn run(&self, carried: &mut Ratio, output: &mut Output) -> Result<Done, Vec<String>> {
        let basis = basis::basis(self, self.lines, self.ask());
        let about = |e: String| {
            vec![format!(
                "partner {}, scheme {}, {}: {e}",
                self.partner, self.scheme.id, self.period
            )]
        };
        let partner = PartnerId::new(self.partner).map_err(|e| about(format!("the partner's id {e}")))?;
        let mut done = Done {
            findings: Vec::new(),
            exact: Ratio::zero(),
            counted: basis.counted.clone(),
        };
        for ((aside, currency), kept) in &basis.aside {
            let component = self.aside_component(*aside, currency, kept);
            output
                .rows
                .push(row(self.key(&self.period.to_string()), currency, &component, None).map_err(about)?);
            if *aside == Aside::Waiting {
                done.findings.push(self.waiting_finding(currency, kept));
                let reason = component.reason.unwrap_or_default();
                output
                    .waiting
                    .push(self.waiting(&partner, currency, kept, reason).map_err(about)?);
            }
        }
        if self.has_target(&basis) {
            let mut components = self.components(&basis).map_err(about)?;
            let period = self.period.to_string();
            for ahead in headroom::of(self, &basis, &components).map_err(about)? {
                let row = headroom::row(self.key(&period), self.currency.code(), &ahead);
                output.ahead.push(row.map_err(about)?);
            }
            done.exact = components.iter().fold(Ratio::zero(), |sum, c| &sum + &c.amount);
            components.extend(steps::paid_out(self, &done.exact, carried));
            let target = Target {
                partner,
                scheme: self.scheme.id.clone(),
                earning_period: self.period,
                amount: Money::zero(self.currency),
                claims_until_on: self
                    .scheme
                    .fund
                    .map(|fund| add_days(sub_days(self.end, 1), fund.claims_until_days)),
            };
            self.close(components, target, output).map_err(about)?;
        }
        Ok(done)
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

    /// Rounds the target once, and adds the rows `rounding` (which also takes what the published decimals of the
    /// other components lost), `to:<partner>` for what others get of it, and `earned`.
    fn close(&self, mut components: Vec<Component>, target: Target, output: &mut Output) -> Result<(), String> {
        let period = self.period.to_string();
        let mut exact = components.iter().fold(Ratio::zero(), |sum, c| &sum + &c.amount);
        if self.scheme.fund.is_some() && exact.is_negative() {
            components.push(Component {
                basis: exact.clone(),
                amount: -exact.clone(),
                reason: Some("a fund is never below zero".to_owned()),
                ..Component::new("", "fund:floor")
            });
            exact = Ratio::zero();
        }
        let amount = Money::rounded(&exact, self.currency, self.scheme.rounding).map_err(|e| e.to_string())?;
        let mut shown = Ratio::zero();
        for component in &components {
            shown = &shown + &published(&component.amount, AMOUNT, &component.name)?.ratio();
        }
        let (mut basis, mut lines) = (Ratio::zero(), 0_i64);
        for component in components.iter().filter(|c| c.name == "basis") {
            basis = &basis + &component.basis;
            lines = lines.saturating_add(component.lines);
        }
        components.push(Component {
            basis: exact,
            amount: &amount.dec().ratio() - &shown,
            ..Component::new("", "rounding")
        });
        let mut own = Money::zero(self.currency);
        for (to, part) in split(self, &target.partner, amount)? {
            if to == target.partner {
                own = own.checked_add(part).map_err(|e| e.to_string())?;
                continue;
            }
            components.push(Component {
                basis: amount.dec().ratio(),
                amount: part.negated().dec().ratio(),
                reason: Some(format!("share of {to}")),
                ..Component::new("", &format!("to:{to}"))
            });
            let from = Target {
                amount: part,
                ..target.clone()
            };
            output.gifts.push(Gift { to, from });
        }
        let total = Component {
            basis,
            amount: own.dec().ratio(),
            lines,
            ..Component::new("", "earned")
        };
        let booked = own.dec().rescale(4).ok_or("the target does not fit in 28 digits")?;
        let (key, currency) = (self.key(&period), self.currency.code());
        for component in &components {
            output.rows.push(row(key, currency, component, None)?);
        }
        output.rows.push(row(key, currency, &total, Some(booked))?);
        output.targets.push(Target { amount: own, ..target });
        Ok(())
    }

    /// The row for lines that do not count; amounts in the currency of the lines.
    fn aside_component(&self, aside: Aside, currency: &str, kept: &AsideSum) -> Component {
        let reason = match aside {
            Aside::Frozen => "ordered within a freeze".to_owned(),
            Aside::Unpaid => "not paid in full".to_owned(),
            Aside::Waiting if Currency::parse(currency).is_none() => format!("'{currency}' is no currency of ISO 4217"),
            Aside::Waiting => basis::no_rate(self, currency, &days_text(kept)),
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
