//! The change of a score against the period before, taken apart so that the parts add up exactly.
//!
//! Duty: parts by metric (value and weight), events, clamp, a change of rules, facts that came after a close; in
//! hundredths that add up to the published change. Not its duty: any score (`domain_score`, `card`).
//!
//! | part | exact amount |
//! |---|---|
//! | `rules` | the final of the period before under the rules of this one, less that under its own rules |
//! | `late_facts` | the same final under its own rules with what is known now, less the published one; only beside `rules` |
//! | `value:<metric>`, of a card `value:<domain>` | mean of both weights × change of the value |
//! | `weight:<metric>`, of a card `weight:<domain>` | mean of both values × change of the weight; one that comes or goes is all weight |
//! | `events`, `clamp` | this period's less those of the period before |
//!
//! The period before stands under the rules of this one where they changed, else as it was published.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::derivation::{Card, ChangePart, DomainScore};
use super::fields::{Read, each};
use super::inputs::Inputs;
use super::tables::by_partner;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Dec, Digest, Period, Ratio, Rounding, Table, Value};

/// Key: `partner_id`, `domain`, `period`, `part`.
pub const SCORE_CHANGES: [&str; 5] = ["partner_id", "domain", "period", "part", "points"];

/// In the column `domain`: the partner's card.
pub const CARD: &str = "*";

/// What a score is made of.
#[derive(Clone, Debug, Default)]
pub struct Made<'a> {
    /// Weight (a share of 1) and value (0…100) by metric, of a card by domain.
    terms: BTreeMap<Cow<'a, str>, (Ratio, Ratio)>,
    events: Option<Ratio>,
    clamp: Option<Ratio>,
    /// Exact, or as published where it is sealed.
    total: Option<Ratio>,
    /// Of the rules it was made with.
    rules: Option<Digest>,
}

impl<'a> Made<'a> {
    /// A domain's score; nothing without one.
    #[must_use]
    pub fn of_domain(score: &'a DomainScore, rules: Digest) -> Option<Made<'a>> {
        let hundred = Ratio::int(100);
        let metrics = score.metrics.iter().zip(&score.composite.shares);
        let terms = metrics.filter(|(_, share)| share.effective.is_positive());
        let terms = terms.filter_map(|(metric, share)| {
            let value = metric.normalised.clone()?;
            Some((Cow::from(metric.id.as_str()), (&share.effective / &hundred, value)))
        });
        Made::finished(terms, &score.finish, rules)
    }

    /// A partner's card; nothing without a score.
    #[must_use]
    pub fn of_card(card: &'a Card, rules: Digest) -> Option<Made<'a>> {
        let terms = card.parts.iter();
        let terms = terms.map(|part| {
            (
                Cow::from(part.domain.as_str()),
                (part.share.clone(), part.exact.clone()),
            )
        });
        Made::finished(terms, &card.finish, rules)
    }

    fn finished(
        terms: impl Iterator<Item = (Cow<'a, str>, (Ratio, Ratio))>,
        finish: &super::composite::Finish,
        rules: Digest,
    ) -> Option<Made<'a>> {
        let (base, exact) = (finish.base.as_ref()?, finish.exact.clone()?);
        let sum = base + &finish.events;
        Some(Made {
            terms: terms.collect(),
            clamp: Some(&exact - &sum),
            events: Some(finish.events.clone()),
            total: Some(exact),
            rules: Some(rules),
        })
    }

    /// Whether the rules changed between the two.
    #[must_use]
    pub fn rules_differ(&self, other: &Made) -> bool {
        self.rules != other.rules
    }
}

/// Scores of closed periods as they were published, for the comparison.
#[derive(Clone, Debug, Default)]
pub struct SealedMade(BTreeMap<(PartnerId, Option<DomainId>, Period), Made<'static>>);

impl SealedMade {
    /// Reads those of some periods.
    pub fn read(inputs: &Inputs, periods: &BTreeSet<Period>) -> Read<SealedMade> {
        let mut made: BTreeMap<(PartnerId, Option<DomainId>, Period), Made<'static>> = BTreeMap::new();
        let (zero, hundred) = (Ratio::zero, Ratio::int(100));
        let ratio = |found: Option<Dec>| found.map_or_else(zero, Dec::ratio);
        each(&inputs.sealed_scores, |row| {
            let period = row.period()?;
            let (Some(total), true) = (row.opt_dec("final")?, periods.contains(&period)) else {
                return Ok(());
            };
            let (partner, domain) = (row.partner()?, row.domain()?);
            if let Some(share) = row.opt_dec("card_share")? {
                let card = made.entry((partner.clone(), None, period)).or_default();
                card.terms
                    .insert(domain.to_string().into(), (share.ratio(), total.ratio()));
            }
            let entry = made.entry((partner, Some(domain), period)).or_default();
            entry.events = Some(ratio(row.opt_dec("event_points")?));
            entry.clamp = Some(ratio(row.opt_dec("clamp")?));
            entry.total = Some(total.ratio());
            entry.rules = Digest::parse(row.text("rules_hash")?);
            Ok(())
        })?;
        each(&inputs.sealed_partner_scores, |row| {
            let key = (row.partner()?, None, row.period()?);
            if let (Some(total), Some(entry)) = (row.opt_dec("final")?, made.get_mut(&key)) {
                entry.events = Some(ratio(row.opt_dec("event_points")?));
                entry.clamp = Some(ratio(row.opt_dec("clamp")?));
                entry.total = Some(total.ratio());
                entry.rules = Digest::parse(row.text("rules_hash")?);
            }
            Ok(())
        })?;
        each(&inputs.sealed_metrics, |row| {
            let weight = row.dec("effective_weight")?.ratio();
            let key = (row.partner()?, Some(row.domain()?), row.period()?);
            if let (true, Some(value), Some(entry)) =
                (weight.is_positive(), row.opt_dec("normalised")?, made.get_mut(&key))
            {
                let term = (&weight / &hundred, value.ratio());
                entry.terms.insert(row.text("metric")?.to_owned().into(), term);
            }
            Ok(())
        })?;
        made.retain(|_, made| made.total.is_some());
        Ok(SealedMade(made))
    }

    #[must_use]
    pub fn get(&self, partner: &PartnerId, domain: Option<&DomainId>, period: Period) -> Option<&Made<'static>> {
        self.0.get(&(partner.clone(), domain.cloned(), period))
    }
}

/// The period before: as published, and where the rules changed, under both rules with what is known now.
#[derive(Clone, Debug)]
pub struct Before<'a> {
    pub published: &'a Made<'a>,
    /// Under its own rules, and under those of this period.
    pub again: Option<(Made<'a>, Made<'a>)>,
}

/// The parts of a published change, in order; those of 0.00 are left out.
#[must_use]
pub fn parts(before: &Before, now: &Made, change: Dec) -> Vec<ChangePart> {
    // what kind of part, of which metric or domain
    let mut exact: Vec<(&str, &str, Ratio)> = Vec::new();
    let zero = Ratio::zero();
    let amount = |found: &Option<Ratio>| found.clone().unwrap_or_else(Ratio::zero);
    let from = match &before.again {
        Some((own, shifted)) => {
            let (own_total, published) = (amount(&own.total), amount(&before.published.total));
            exact.push(("rules", "", &amount(&shifted.total) - &own_total));
            exact.push(("late_facts", "", &own_total - &published));
            shifted
        }
        None => before.published,
    };
    let two = Ratio::int(2);
    let mean = |a: &Ratio, b: &Ratio| &(a + b) / &two;
    let names: BTreeSet<&str> = from.terms.keys().chain(now.terms.keys()).map(AsRef::as_ref).collect();
    for name in names {
        // one that comes or goes has the same value before and after, and no weight where it is not
        let (old, new) = (from.terms.get(name), now.terms.get(name));
        let value = |here: Option<&'_ (Ratio, Ratio)>, there: Option<&'_ (Ratio, Ratio)>| {
            here.or(there).map_or_else(Ratio::zero, |(_, value)| value.clone())
        };
        let (v0, v1) = (value(old, new), value(new, old));
        let (w0, w1) = (
            old.map_or(&zero, |(weight, _)| weight),
            new.map_or(&zero, |(weight, _)| weight),
        );
        exact.push(("value:", name, &mean(w0, w1) * &(&v1 - &v0)));
        exact.push(("weight:", name, &mean(&v0, &v1) * &(w1 - w0)));
    }
    exact.push(("events", "", &amount(&now.events) - &amount(&from.events)));
    exact.push(("clamp", "", &amount(&now.clamp) - &amount(&from.clamp)));
    let shown = |part: &Ratio| part.round(PLACES, Rounding::HalfAwayFromZero).unwrap_or(Dec::ZERO);
    let shown: Vec<Dec> = exact.iter().map(|(_, _, part)| shown(part)).collect();
    let hundredths: Vec<i128> = shown.iter().map(|part| part.units()).collect();
    let units = apportion(&hundredths, change.rescale(2).map_or(0, Dec::units));
    exact
        .into_iter()
        .zip(shown)
        .zip(units)
        .filter(|(_, units)| *units != 0)
        .map(|(((kind, name, _), exact), units)| ChangePart {
            part: format!("{kind}{name}"),
            exact,
            points: Dec::new(units, 2),
        })
        .collect()
}

/// Decimals to which the parts are known when they are apportioned.
const PLACES: u8 = 14;
/// A hundredth in units of those.
const HUNDREDTH: i128 = 1_000_000_000_000;

/// Hundredths near the parts that add up to `total`: each rounded down, what is missing goes to the largest remainders,
/// ties to the earlier; what is too much (sealed numbers are rounded) comes off the smallest.
fn apportion(parts: &[i128], total: i128) -> Vec<i128> {
    let mut units: Vec<i128> = parts.iter().map(|part| part.div_euclid(HUNDREDTH)).collect();
    // parts that are nothing take nothing
    let mut order: Vec<usize> = (0..parts.len()).filter(|i| parts[*i] != 0).collect();
    order.sort_by_key(|i| (std::cmp::Reverse(parts[*i].rem_euclid(HUNDREDTH)), *i));
    if order.is_empty() {
        return units;
    }
    let mut left = total - units.iter().sum::<i128>();
    let mut forward = order.iter().cycle();
    while left > 0 {
        if let Some(i) = forward.next() {
            units[*i] += 1;
            left -= 1;
        }
    }
    let mut backward = order.iter().rev().cycle();
    while left < 0 {
        if let Some(i) = backward.next() {
            units[*i] -= 1;
            left += 1;
        }
    }
    units
}

/// Every part of every change.
#[must_use]
pub fn table(derivations: &super::derivation::Derivations) -> Table {
    by_partner("score_changes", &SCORE_CHANGES, derivations, |heads, words, rows| {
        let mut changes: Vec<(&Value, Value, &Value, &[ChangePart])> = Vec::new();
        for head in heads {
            changes.push((&head.partner, words.value(CARD), &head.period, &head.card.change));
            for score in &head.card.domains {
                changes.push((&head.partner, (&score.domain).into(), &head.period, &score.change));
            }
        }
        changes.sort_by(|(_, a, p, _), (_, b, q, _)| a.cmp(b).then(p.cmp(q)));
        for (partner, domain, period, parts) in changes {
            let mut parts: Vec<&ChangePart> = parts.iter().collect();
            parts.sort_by(|a, b| a.part.cmp(&b.part));
            rows.extend(parts.into_iter().map(|part| {
                vec![
                    partner.clone(),
                    domain.clone(),
                    period.clone(),
                    words.value(&part.part),
                    part.points.into(),
                ]
            }));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::testing::dec;

    fn made(terms: &[(&str, &str, &str)], events: &str, clamp: &str) -> Made<'static> {
        let terms: BTreeMap<Cow<str>, (Ratio, Ratio)> = terms
            .iter()
            .map(|(name, w, v)| ((*name).to_owned().into(), (dec(w), dec(v))))
            .collect();
        let base = Ratio::sum(&terms.values().map(|(w, v)| w * v).collect::<Vec<_>>());
        Made {
            total: Some(&(&base + &dec(events)) + &dec(clamp)),
            terms,
            events: Some(dec(events)),
            clamp: Some(dec(clamp)),
            rules: None,
        }
    }

    fn shown(before: &Made, now: &Made, change: &str) -> Vec<String> {
        let before = Before {
            published: before,
            again: None,
        };
        let parts = parts(&before, now, Dec::parse(change).unwrap());
        parts.iter().map(|p| format!("{} {}", p.part, p.points)).collect()
    }

    #[test]
    fn parts_add_up_and_a_metric_that_comes_is_all_weight() {
        // 0.5·80 + 0.5·90 = 85 → 0.4·80 + 0.35·92 + 0.25·60 − 2 = 77.2
        let before = made(&[("a", "0.5", "80"), ("b", "0.5", "90")], "0", "0");
        let now = made(
            &[("a", "0.4", "80"), ("b", "0.35", "92"), ("c", "0.25", "60")],
            "-2",
            "0",
        );
        // b: value 0.425·2, weight 91·(−0.15)
        let expected = [
            "weight:a -8.00",
            "value:b 0.85",
            "weight:b -13.65",
            "weight:c 15.00",
            "events -2.00",
        ];
        assert_eq!(shown(&before, &now, "-7.80"), expected);
    }

    #[test]
    fn rounding_is_placed_and_nothing_is_lost() {
        let third = HUNDREDTH / 3;
        assert_eq!(apportion(&[third, third, third], 1), [1, 0, 0]);
        assert_eq!(apportion(&[-7 * HUNDREDTH / 10, 4 * HUNDREDTH / 10, 0], 0), [-1, 1, 0]);
        assert_eq!(apportion(&[12 * HUNDREDTH / 10, -12 * HUNDREDTH / 10], -1), [1, -2]);
        // sealed numbers are rounded: what is published may be a hundredth off their sum
        assert_eq!(apportion(&[HUNDREDTH, 0, 2 * HUNDREDTH], 2), [1, 0, 1]);
        assert_eq!(apportion(&[0, 0], 1), [0, 0]);
    }
}
