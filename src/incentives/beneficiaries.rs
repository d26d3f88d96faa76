//! Who gets a target.
//!
//! Duty: split a rounded target by weight, so that the parts add up; give the parts of others to their keys. Not its duty:
//! the amount.

use std::collections::BTreeMap;

use super::Target;
use super::table::{self, AMOUNT, BASIS, published, row};
use super::target::{Case, Component};
use crate::domain::ids::PartnerId;
use crate::domain::{Money, Ratio, Row, Value};
use crate::rules::Beneficiary;

/// A part of a target for another partner.
#[derive(Clone, Debug)]
pub(super) struct Gift {
    pub to: PartnerId,
    /// The target it is a part of; its amount is the part.
    pub from: Target,
}

/// The parts of a target by partner, in the order the scheme lists them; all of it for the partner where it lists none.
pub(super) fn split(case: &Case<'_>, partner: &PartnerId, amount: Money) -> Result<Vec<(PartnerId, Money)>, String> {
    let shares = &case.scheme.beneficiaries;
    if shares.is_empty() {
        return Ok(vec![(partner.clone(), amount)]);
    }
    let weights: Vec<Ratio> = shares.iter().map(|s| s.weight.clone()).collect();
    let amounts = amount.allocate(&weights).map_err(|e| e.to_string())?;
    let last = crate::domain::time::sub_days(case.end, 1);
    let parent = case.facts.partners.on(case.partner, last).and_then(|v| v.parent);
    let to = |to: &Beneficiary| match (to, parent) {
        (Beneficiary::Named(id), _) => Ok(id.clone()),
        (Beneficiary::Parent, Some(parent)) => PartnerId::new(parent).map_err(|e| format!("the parent's id {e}")),
        (Beneficiary::Partner, _) | (Beneficiary::Parent, None) => Ok(partner.clone()),
    };
    shares
        .iter()
        .zip(amounts)
        .map(|(share, part)| Ok((to(&share.to)?, part)))
        .collect()
}

/// Adds what others gave to rows and targets: a row `from:<partner>` each, and the total of the key.
pub(super) fn receive(rows: &mut Vec<Row>, targets: &mut Vec<Target>, gifts: Vec<Gift>) -> Result<(), String> {
    let mut sums: BTreeMap<(PartnerId, String, String), Money> = BTreeMap::new();
    let mut from_rows: BTreeMap<[String; 4], (Money, Target)> = BTreeMap::new();
    if gifts.is_empty() {
        return Ok(());
    }
    let key_of = |t: &Target| (t.partner.clone(), t.scheme.clone(), t.earning_period);
    let mut places: BTreeMap<_, usize> = targets.iter().enumerate().map(|(i, t)| (key_of(t), i)).collect();
    let totals: BTreeMap<[String; 3], usize> = rows.iter().enumerate().filter_map(total_of).collect();
    for Gift { to, from } in gifts {
        let (scheme, period) = (from.scheme.to_string(), from.earning_period.to_string());
        let about = |e: String| format!("partner {to}, scheme {scheme}, {period}: {e}");
        let key = (to.clone(), scheme.clone(), period.clone());
        let sum = sums
            .get(&key)
            .copied()
            .unwrap_or_else(|| Money::zero(from.amount.currency()));
        let sum = sum.checked_add(from.amount).map_err(|e| about(e.to_string()))?;
        sums.insert(key, sum);
        let entry = from_rows
            .entry([to.to_string(), scheme.clone(), period.clone(), from.partner.to_string()])
            .or_insert_with(|| {
                (
                    Money::zero(from.amount.currency()),
                    Target {
                        partner: to.clone(),
                        ..from.clone()
                    },
                )
            });
        entry.0 = entry.0.checked_add(from.amount).map_err(|e| about(e.to_string()))?;
        let gift = Target {
            partner: to.clone(),
            ..from.clone()
        };
        let place = places.entry(key_of(&gift)).or_insert(targets.len());
        match targets.get_mut(*place) {
            Some(own) => own.amount = own.amount.checked_add(from.amount).map_err(|e| about(e.to_string()))?,
            None => targets.push(gift),
        }
    }
    for ([to, scheme, period, from], (amount, target)) in from_rows {
        let component = Component {
            basis: amount.dec().ratio(),
            amount: amount.dec().ratio(),
            reason: Some(format!("share of what {from} earned")),
            ..Component::new("", &format!("from:{from}"))
        };
        let key = [to.as_str(), scheme.as_str(), period.as_str()];
        rows.push(row(key, target.amount.currency().code(), &component, None)?);
    }
    for ((to, scheme, period), sum) in sums {
        let key = [to.as_str(), scheme.as_str(), period.as_str()];
        let (currency, sum) = (sum.currency(), sum.dec().ratio());
        let add = |value: &Value, form| match value {
            Value::Dec(own) => published(&(&own.ratio() + &sum), form, "earned").map(Value::Dec),
            _ => Err("a total without an amount".to_owned()),
        };
        let own = totals.get(&key.map(str::to_owned));
        if let Some(own) = own.and_then(|place| rows.get_mut(*place)) {
            own[table::AMOUNT_AT] = add(&own[table::AMOUNT_AT], AMOUNT)?;
            own[table::BOOKED_AT] = add(&own[table::BOOKED_AT], BASIS)?;
            continue;
        }
        let earned = Component {
            amount: sum.clone(),
            ..Component::new("", "earned")
        };
        let booked = published(&sum, BASIS, "earned")?;
        rows.push(row(key, currency.code(), &earned, Some(booked))?);
    }
    Ok(())
}

/// The key of a row that is a total, and its place.
fn total_of((place, row): (usize, &Row)) -> Option<([String; 3], usize)> {
    let is_total = matches!(&row[table::COMPONENT_AT], Value::Text(name) if name.as_ref() == "earned");
    is_total.then(|| ([0, 1, 2].map(|column| row[column].to_string()), place))
}
