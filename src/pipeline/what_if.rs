//! What if: the effect of a partner's actions on its scores and on its money.
//!
//! Duty: hand the evaluation what the release knows, add certificates to the actions, work out by the incentives what
//! each action would earn. Not its duty: changing facts and evaluating (`evaluation::what_if`), printing.

use std::collections::BTreeMap;

use super::config::Config;
use super::explain::{answering, inputs_of};
use super::{PipelineError, bench};
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Currency, Dec, Period, Table, Value};
use crate::evaluation::certifications::{HIGHEST_STARS, LOWEST_STARS};
use crate::evaluation::derivation::Card;
use crate::evaluation::what_if::{self, Action, Change, Effect, Stand};
use crate::evaluation::{Evaluated, Inputs};
use crate::incentives::Target;
use crate::store::layout::Layout;
use crate::store::release::Release;

/// What could be done, and what it would bring.
#[derive(Debug)]
pub struct Answer {
    /// The release whose facts were used: for a closed period the one that closed it.
    pub release: String,
    /// The period is closed: nothing that is done now changes it.
    pub closed: bool,
    pub present: Stand,
    /// What the schemes of the period earn as it is, by currency.
    pub earned: BTreeMap<Currency, Dec>,
    pub options: Vec<WorthDoing>,
}

/// An action with its effect.
#[derive(Debug)]
pub struct WorthDoing {
    pub effect: Effect,
    /// What the schemes of the period would earn more or less, by settlement currency; those that stay are left out.
    pub money: BTreeMap<Currency, Dec>,
}

/// Evaluates what a partner could do. `None` when it was not evaluated in the period.
pub fn ask(
    layout: &Layout,
    release: &Release,
    partner: &PartnerId,
    period: Period,
) -> Result<Option<Answer>, PipelineError> {
    let (answering, config) = answering(layout, release, period)?;
    let closed = answering.name() != release.name() || is_closed(&answering, &config, period)?;
    let release = &answering;
    let mut inputs = inputs_of(release, &config, period)?;
    // events of the period are judged again, so that an appeal can be upheld
    let points = &mut inputs.sealed_key_event_points;
    if let Some(column) = points.column("period") {
        let name = period.to_string();
        points.rows.retain(|row| row[column].to_string() != name);
    }
    let certify = certificates(&inputs, release, &config, partner, period)?;
    let found = what_if::what_if(&inputs, &config.rules, partner, period, &certify);
    let found = found.map_err(|e| PipelineError::stage("the evaluation")(e.to_string()))?;
    let Some(found) = found else { return Ok(None) };
    let Some(card) = found.present.derivations.cards.get(&(partner.clone(), period)) else {
        return Ok(None);
    };
    let present = Stand::of(card);
    let purse = Purse::of(release, &config, partner, period)?;
    let earned = purse.earned(&found.present, None)?;
    let mut options = Vec::new();
    for effect in found.effects {
        let after = purse.earned(&effect.evaluated, Some(&effect.action))?;
        let money = differences(&earned, &after);
        options.push(WorthDoing { effect, money });
    }
    Ok(Some(Answer {
        release: release.name().to_owned(),
        closed,
        present,
        earned,
        options,
    }))
}

/// Whether the release itself closed the posting period of an evaluation period.
fn is_closed(release: &Release, config: &Config, period: Period) -> Result<bool, PipelineError> {
    let programme = config.rules.programme();
    let last = programme.calendar.last_day(period);
    let posting = programme
        .calendar
        .period_of(last, programme.posting_period)
        .map(|p| p.to_string());
    let periods = bench::table(release, config, "periods")?;
    let closed = |row: &crate::domain::RowRef| {
        row.text("status") == Ok("closed") && row.text("period").ok() == posting.as_deref()
    };
    Ok(periods.iter().any(|row| closed(&row)))
}

fn differences(before: &BTreeMap<Currency, Dec>, after: &BTreeMap<Currency, Dec>) -> BTreeMap<Currency, Dec> {
    let currencies = before.keys().chain(after.keys());
    let of = |earned: &BTreeMap<Currency, Dec>, c: &Currency| {
        earned.get(c).copied().unwrap_or(Dec::new(0, c.minor_digits()))
    };
    currencies
        .filter_map(|c| {
            Some((
                *c,
                super::simulate::difference(Some(of(before, c)), Some(of(after, c)))?,
            ))
        })
        .filter(|(_, change)| !change.is_zero())
        .collect()
}

/// What a partner's sales earn.
struct Purse<'a> {
    release: &'a Release,
    config: &'a Config,
    partner: &'a PartnerId,
    period: Period,
    sales: Table,
    certifications: Table,
}

impl<'a> Purse<'a> {
    fn of(
        release: &'a Release,
        config: &'a Config,
        partner: &'a PartnerId,
        period: Period,
    ) -> Result<Purse<'a>, PipelineError> {
        let mut sales = bench::table(release, config, "measures_sales")?;
        if let Some(column) = sales.column("partner_id") {
            sales.rows.retain(|row| row[column].to_string() == partner.as_str());
        }
        Ok(Purse {
            certifications: bench::table(release, config, "effective_certifications")?,
            release,
            config,
            partner,
            period,
            sales,
        })
    }

    /// By currency, of all schemes of the period.
    fn earned(&self, evaluated: &Evaluated, action: Option<&Action>) -> Result<BTreeMap<Currency, Dec>, PipelineError> {
        let changed;
        let certifications = match action.map(|a| (&a.change, &a.domain)) {
            Some((change @ Change::Certify { .. }, Some(domain))) => {
                changed = certified(&self.certifications, self.partner, domain, change);
                &changed
            }
            _ => &self.certifications,
        };
        let rules = &self.config.rules;
        let targets = bench::money(
            self.release,
            self.config,
            rules,
            &[self.period],
            &self.sales,
            certifications,
            evaluated,
        )?;
        let mut out: BTreeMap<Currency, Dec> = BTreeMap::new();
        for Target { amount, .. } in targets {
            let digits = amount.currency().minor_digits();
            let sum = out.entry(amount.currency()).or_insert(Dec::new(0, digits));
            *sum = Dec::new(sum.units().saturating_add(amount.dec().units()), digits);
        }
        Ok(out)
    }
}

/// The certifications with one more that holds throughout the period; versions that would begin within it go.
fn certified(table: &Table, partner: &PartnerId, domain: &DomainId, change: &Change) -> Table {
    let Change::Certify {
        stars,
        first_on,
        end_on,
    } = change
    else {
        return table.clone();
    };
    let mut out = Table::with_columns(table.name(), table.columns().to_vec());
    for row in table.iter() {
        let begins_within = row
            .date("valid_from")
            .is_ok_and(|day| (*first_on..*end_on).contains(&day));
        let same = row.text("partner_id") == Ok(partner.as_str()) && row.text("domain") == Ok(domain.as_str());
        if !(same && begins_within) {
            out.push(row.values().clone());
        }
    }
    let value = |column: &String| match column.as_str() {
        "partner_id" => partner.as_str().into(),
        "domain" => domain.as_str().into(),
        "valid_from" => (*first_on).into(),
        "valid_to" => (*end_on).into(),
        "stars" => Value::Int(*stars),
        "status" => "active".into(),
        _ => Value::Null,
    };
    let row = table.columns().iter().map(value).collect();
    out.push(row);
    out
}

/// One star more in each domain of the partner, or the first stars where it has none.
fn certificates(
    inputs: &Inputs,
    release: &Release,
    config: &Config,
    partner: &PartnerId,
    period: Period,
) -> Result<Vec<Action>, PipelineError> {
    let evaluated = super::explain::again(release, config, period)?;
    let Some(card) = evaluated.derivations.cards.get(&(partner.clone(), period)) else {
        return Ok(Vec::new());
    };
    let calendar = config.rules.programme().calendar;
    let (first_on, end_on) = (calendar.first_day(period), calendar.end_day(period));
    let one = |domain: &DomainId| -> Result<Option<Action>, PipelineError> {
        let mut held = None;
        for row in inputs.certifications.iter() {
            let same = row.text("partner_id")? == partner.as_str() && row.text("domain")? == domain.as_str();
            let from = row.date("valid_from")?;
            let until = row.opt_date("valid_to")?;
            let last = calendar.last_day(period);
            if same && from <= last && until.is_none_or(|until| last < until) {
                let active = matches!(row.text("status")?, "active" | "expired");
                held = held.max(Some((from, if active { row.int("stars")? } else { 0 })));
            }
        }
        let held = held.map_or(0, |(_, stars)| stars);
        let stars = if held == 0 { LOWEST_STARS } else { held + 1 };
        let words = match held {
            0 => format!("be certified throughout the period, with {stars} stars"),
            _ => format!("hold {stars} stars instead of {held} throughout the period"),
        };
        Ok((stars <= HIGHEST_STARS).then(|| Action {
            domain: Some(domain.clone()),
            words,
            change: Change::Certify {
                stars,
                first_on,
                end_on,
            },
        }))
    };
    domains(card).filter_map(|domain| one(domain).transpose()).collect()
}

fn domains(card: &Card) -> impl Iterator<Item = &DomainId> {
    card.domains.iter().map(|d| &d.domain)
}
