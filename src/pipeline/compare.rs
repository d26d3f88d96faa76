//! Two outcomes side by side.
//!
//! Duty: pair results by key, in the order of the key. Not its duty: computing one.

use std::collections::{BTreeMap, BTreeSet};

use super::PipelineError;
use crate::domain::{Currency, Dec, Period, RowRef, Table};
use crate::incentives::Target;

/// A result as published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// 0…100, to 0.01.
    pub score: Option<Dec>,
    pub grade: Option<String>,
    /// `rated`, `provisional`, `not_rated`; empty where there is no row.
    pub state: String,
    /// Of a card: `none`, `yellow`, `black`.
    pub red_line: String,
}

/// A partner's card with both rule books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardMove {
    pub partner: String,
    pub period: String,
    pub before: Standing,
    pub after: Standing,
}

/// A partner's score in a domain with both rule books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainMove {
    pub partner: String,
    pub domain: String,
    pub period: String,
    pub before: Standing,
    pub after: Standing,
}

/// What was earned on one key with both rule books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    pub partner: String,
    pub scheme: String,
    pub earning_period: Period,
    pub currency: Currency,
    pub before: Dec,
    pub after: Dec,
}

/// After less before; `None` where one of them is missing.
#[must_use]
pub fn difference(before: Option<Dec>, after: Option<Dec>) -> Option<Dec> {
    let (before, after) = (before?, after?);
    let scale = before.scale().max(after.scale());
    let units = |d: Dec| d.rescale(scale).map(Dec::units);
    Some(Dec::new(units(after)?.checked_sub(units(before)?)?, scale))
}

impl CardMove {
    #[must_use]
    pub fn moved(&self) -> bool {
        self.before != self.after
    }

    #[must_use]
    pub fn change(&self) -> Option<Dec> {
        difference(self.before.score, self.after.score)
    }
}

impl DomainMove {
    #[must_use]
    pub fn moved(&self) -> bool {
        self.before != self.after
    }

    #[must_use]
    pub fn change(&self) -> Option<Dec> {
        difference(self.before.score, self.after.score)
    }
}

impl Cost {
    /// Positive: it costs more.
    #[must_use]
    pub fn delta(&self) -> Option<Dec> {
        difference(Some(self.before), Some(self.after))
    }
}

fn standing(row: RowRef) -> Result<Standing, PipelineError> {
    let red = row.get("red_line_state").ok().map(ToString::to_string);
    Ok(Standing {
        score: row.opt_dec("final")?,
        grade: row.opt_text("grade")?.map(str::to_owned),
        state: row.text("state")?.to_owned(),
        red_line: red.unwrap_or_default(),
    })
}

type Sides = [Option<Standing>; 2];

/// Rows that both tables have, by their key.
type Pairs<const N: usize> = Vec<([String; N], [Standing; 2])>;

fn pairs<const N: usize>(before: &Table, after: &Table, key: [&str; N]) -> Result<Pairs<N>, PipelineError> {
    let mut out: BTreeMap<[String; N], Sides> = BTreeMap::new();
    for (side, table) in [before, after].into_iter().enumerate() {
        for row in table.iter() {
            let mut name = [(); N].map(|()| String::new());
            for (part, column) in name.iter_mut().zip(key) {
                row.text(column)?.clone_into(part);
            }
            out.entry(name).or_default()[side] = Some(standing(row)?);
        }
    }
    Ok(out
        .into_iter()
        .map(|(name, sides)| (name, sides.map(Option::unwrap_or_default)))
        .collect())
}

pub fn cards(before: &Table, after: &Table) -> Result<Vec<CardMove>, PipelineError> {
    let found = pairs(before, after, ["partner_id", "period"])?;
    let card = |([partner, period], [before, after]): ([String; 2], [Standing; 2])| CardMove {
        partner,
        period,
        before,
        after,
    };
    Ok(found.into_iter().map(card).collect())
}

pub fn domains(before: &Table, after: &Table) -> Result<Vec<DomainMove>, PipelineError> {
    let found = pairs(before, after, ["partner_id", "domain", "period"])?;
    let score = |([partner, domain, period], [before, after]): ([String; 3], [Standing; 2])| DomainMove {
        partner,
        domain,
        period,
        before,
        after,
    };
    Ok(found.into_iter().map(score).collect())
}

/// Cards of the periods that are not as published.
pub fn unlike(published: &Table, computed: &Table, periods: &[Period]) -> Result<usize, PipelineError> {
    let wanted: BTreeSet<String> = periods.iter().map(ToString::to_string).collect();
    let found = cards(published, computed)?;
    Ok(found.iter().filter(|c| wanted.contains(&c.period) && c.moved()).count())
}

/// What was earned on each key; a key that one of them does not have is 0 there.
pub fn costs(before: &[Target], after: &[Target]) -> Vec<Cost> {
    type Key = (String, String, Period, Currency);
    let mut out: BTreeMap<Key, [Dec; 2]> = BTreeMap::new();
    for (side, targets) in [before, after].into_iter().enumerate() {
        for t in targets {
            let currency = t.amount.currency();
            let zero = Dec::new(0, currency.minor_digits());
            let key = (t.partner.to_string(), t.scheme.to_string(), t.earning_period, currency);
            out.entry(key).or_insert([zero; 2])[side] = t.amount.dec();
        }
    }
    let cost = |((partner, scheme, earning_period, currency), [before, after]): (Key, [Dec; 2])| Cost {
        partner,
        scheme,
        earning_period,
        currency,
        before,
        after,
    };
    out.into_iter().map(cost).collect()
}
