//! How the peers stand: medians and quartiles of those who are evaluated under the same rules.
//!
//! Duty: of a period, by rules, domain and figure: how many there are, lower quartile, median, upper quartile. Fewer than
//! eight are not shown: a quartile of few says who is who. Not its duty: the peers that a small sample is drawn towards
//! (`peers`).
//!
//! A quartile of sorted values x₀ … xₙ₋₁ lies at q·(n − 1), linear between neighbours.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::change::CARD;
use super::derivation::{Card, Derivations};
use super::lanes;
use super::tables::{ratio, sorted};
use crate::domain::ids::{DomainId, RegionId};
use crate::domain::{Digest, Period, Ratio, Rounding, Row, Score, Table, Value};

/// Key: `period`, `region`, `rules_hash`, `domain`, `figure`.
pub const PEER_FIGURES: [&str; 9] = [
    "period",
    "region",
    "rules_hash",
    "domain",
    "figure",
    "partners",
    "lower_quartile",
    "median",
    "upper_quartile",
];

/// Partners that a group needs to be shown.
pub const LEAST_PARTNERS: usize = 8;

/// Figure: the published final.
const FINAL: &str = "final";

/// The cards of a period under the same rules.
type Alike<'a> = ((Period, &'a RegionId, Digest), Vec<&'a Card>);

/// The groups of the periods computed.
#[must_use]
pub fn table(derivations: &Derivations) -> Table {
    let mut alike: BTreeMap<_, Vec<&Card>> = BTreeMap::new();
    for card in derivations.cards.values() {
        let rules = (card.period, &card.edition.region, card.edition.hash);
        alike.entry(rules).or_default().push(card);
    }
    let alike: Vec<Alike> = alike.into_iter().collect();
    let mut groups: Vec<(&Alike, Option<&DomainId>)> = Vec::new();
    for group in &alike {
        let domains = group.1.iter().flat_map(|card| &card.domains).map(|score| &score.domain);
        groups.push((group, None));
        groups.extend(
            domains
                .collect::<BTreeSet<_>>()
                .into_iter()
                .map(|domain| (group, Some(domain))),
        );
    }
    let mut table = Table::new("peer_figures", &PEER_FIGURES);
    for rows in lanes::each_of(&groups, |(alike, domain)| rows_of(alike, *domain)) {
        table.rows.extend(rows);
    }
    sorted(table, 5)
}

/// The figures of a domain, or of the card.
fn rows_of(((period, region, hash), cards): &Alike, domain: Option<&DomainId>) -> Vec<Row> {
    let mut figures: BTreeMap<&str, Vec<Cow<Ratio>>> = BTreeMap::new();
    let published = |score: Option<Score>| score.map(|score| Cow::Owned(score.dec().ratio()));
    for card in cards {
        let Some(domain) = domain else {
            figures.entry(FINAL).or_default().extend(published(card.finish.score));
            continue;
        };
        let Some(score) = card.domains.iter().find(|score| score.domain == *domain) else {
            continue;
        };
        figures.entry(FINAL).or_default().extend(published(score.finish.score));
        for metric in &score.metrics {
            let values = figures.entry(metric.id.as_str()).or_default();
            values.extend(metric.normalised.as_ref().map(Cow::Borrowed));
        }
    }
    let row = |(figure, values): (&str, Vec<Cow<Ratio>>)| -> Row {
        let mut values: Vec<&Ratio> = values.iter().map(AsRef::as_ref).collect();
        values.sort_unstable();
        let shown = values.len() >= LEAST_PARTNERS;
        let at = |quarters: i64| -> Value { ratio(quantile(&values, quarters).filter(|_| shown).as_ref()) };
        vec![
            period.to_string().into(),
            (*region).into(),
            (*hash).into(),
            domain.map_or(CARD, DomainId::as_str).into(),
            figure.into(),
            i64::try_from(values.len()).unwrap_or(i64::MAX).into(),
            at(1),
            at(2),
            at(3),
        ]
    };
    figures.into_iter().map(row).collect()
}

/// The value at so many quarters of the way through sorted values.
fn quantile(sorted: &[&Ratio], quarters: i64) -> Option<Ratio> {
    let last = i64::try_from(sorted.len()).ok()?.checked_sub(1)?;
    let place = Ratio::new(last.checked_mul(quarters)?, 4)?;
    let below = place.round(0, Rounding::Floor)?;
    let i = usize::try_from(below.units()).ok()?;
    let low = *sorted.get(i)?;
    let high = sorted.get(i + 1).copied().unwrap_or(low);
    Some(low + &(&(&place - &below.ratio()) * &(high - low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_neighbours() {
        let values: Vec<Ratio> = [10, 20, 30, 40, 50, 60, 70, 100].into_iter().map(Ratio::int).collect();
        let values: Vec<&Ratio> = values.iter().collect();
        let at = |q| quantile(&values, q).unwrap();
        // 7/4 = 1.75: 20 + 0.75·10; 3.5: 45; 5.25: 60 + 0.25·10
        assert_eq!(
            [at(1), at(2), at(3)],
            [Ratio::new(55, 2), Ratio::new(45, 1), Ratio::new(125, 2)].map(Option::unwrap)
        );
        assert_eq!(quantile(&[], 2), None);
        assert_eq!(quantile(&values[..1], 3), Some(Ratio::int(10)));
    }
}
