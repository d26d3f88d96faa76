//! From metrics to one number and a grade.
//!
//! Duty: coverage and who is rated; where the weight of a missing metric goes; the base; events and the clamp; the
//! one rounding; the grade. Published weights and points add up to the last hundredth. Not its duty: the metrics,
//! and which events there are.

use std::collections::BTreeMap;

use super::fields::Read;
use super::inputs::EvaluationError;
use super::metric::{Metric, MetricState, joined};
use crate::domain::money::largest_remainder;
use crate::domain::{Dec, Grade, Ratio, Rounding, Score};
use crate::rules::{MetricId, Redistribution, RuleBook};

/// Whether there is a score, and how firm it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Rated,
    Provisional,
    NotRated,
}

impl Standing {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Rated => "rated",
            Standing::Provisional => "provisional",
            Standing::NotRated => "not_rated",
        }
    }

    #[must_use]
    pub fn has_score(self) -> bool {
        self != Standing::NotRated
    }
}

/// One metric's part in the base.
#[derive(Clone, Debug)]
pub struct Share {
    pub id: MetricId,
    pub nominal: Ratio,
    /// Exact; 0 where the metric does not count.
    pub effective: Ratio,
    /// Exact: effective weight × metric / 100.
    pub points: Ratio,
    /// To 0.01 by largest remainder over the metrics.
    pub effective_shown: Dec,
    pub points_shown: Dec,
}

/// The metrics joined.
#[derive(Clone, Debug)]
pub struct Composite {
    /// Weight of the metrics that count, 0…100.
    pub coverage: Ratio,
    pub shares: Vec<Share>,
    pub standing: Standing,
    /// Begins with `incomplete` exactly when a metric with weight rests on a silent feed.
    pub reason: Option<String>,
    pub incomplete: bool,
    /// Exact; there exactly when there is a score.
    pub base: Option<Ratio>,
}

/// Base, events and clamp, to the published score.
#[derive(Clone, Debug)]
pub struct Finish {
    /// Exact.
    pub base: Option<Ratio>,
    /// Exact, after caps.
    pub events: Ratio,
    /// base + events held in 0…100, not rounded.
    pub exact: Option<Ratio>,
    pub score: Option<Score>,
    /// The grade from the score; red lines do not touch it.
    pub grade: Option<Grade>,
    pub base_shown: Option<Dec>,
    /// base + events + clamp = score, as published.
    pub events_shown: Dec,
    pub clamp_shown: Dec,
}

/// Joins the metrics of one partner × domain × period.
#[must_use]
pub fn compose(book: &RuleBook, metrics: &[Metric]) -> Composite {
    let counting: Vec<&Metric> = metrics
        .iter()
        .filter(|m| m.state.counts() && book.weight(m.id).is_positive())
        .collect();
    let coverage = counting.iter().fold(Ratio::zero(), |sum, m| &sum + &book.weight(m.id));
    let missing = refusals(book, &counting, &coverage);
    let weights = if missing.is_empty() {
        effective_weights(book, metrics, &counting)
    } else {
        BTreeMap::new()
    };
    let hundred = Ratio::int(100);
    let mut shares: Vec<Share> = Vec::with_capacity(metrics.len());
    for metric in metrics {
        let effective = weights.get(&metric.id).cloned().unwrap_or_else(Ratio::zero);
        let points = metric
            .normalised
            .as_ref()
            .map_or_else(Ratio::zero, |x| &(&effective * x) / &hundred);
        let (id, nominal, zero) = (metric.id, book.weight(metric.id), Dec::new(0, 2));
        shares.push(Share {
            id,
            nominal,
            effective,
            points,
            effective_shown: zero,
            points_shown: zero,
        });
    }
    let base = missing.is_empty().then(|| Ratio::sum(shares.iter().map(|s| &s.points)));
    publish(&mut shares);
    let silent: Vec<&str> = metrics
        .iter()
        .filter(|m| is_silent(book, m))
        .map(|m| m.id.as_str())
        .collect();
    let thin = counting.iter().filter(|m| m.state == MetricState::Provisional);
    let standing = match (missing.is_empty(), silent.is_empty() && thin.clone().next().is_none()) {
        (false, _) => Standing::NotRated,
        (true, false) => Standing::Provisional,
        (true, true) => Standing::Rated,
    };
    let incomplete = (!silent.is_empty()).then(|| format!("incomplete: {}", silent.join(", ")));
    let thin = thin.map(|m| m.reason.as_ref().map(|r| format!("{}: {r}", m.id.as_str())));
    let reasons = std::iter::once(incomplete).chain(missing.into_iter().map(Some));
    let reason = if base.is_some() {
        joined(reasons.chain(thin))
    } else {
        joined(reasons)
    };
    Composite {
        coverage,
        shares,
        standing,
        reason,
        incomplete: !silent.is_empty(),
        base,
    }
}

/// Adds events, holds in 0…100, rounds once, and grades the rounded value.
pub fn finish(book: &RuleBook, base: Option<&Ratio>, events: &Ratio) -> Read<Finish> {
    let sum = base.map(|base| base + events);
    let exact = sum.as_ref().map(|sum| sum.clamp_to(&Ratio::zero(), &Ratio::int(100)));
    let score = exact.as_ref().map(Score::from_exact);
    let base_shown = base.map(hundredths);
    let (events_shown, clamp_shown) = match (base_shown, score) {
        // held: what the clamp took or gave is its own line
        (Some(base), Some(score)) if sum != exact => {
            let events = hundredths(events);
            (events, minus(minus(score.dec(), base), events))
        }
        // not held: the difference is the events, also where a rule gives them more than two decimals
        (Some(base), Some(score)) => (minus(score.dec(), base), Dec::new(0, 2)),
        _ => (hundredths(events), Dec::new(0, 2)),
    };
    let grade = score.map(|score| grade_of(book, score)).transpose()?;
    Ok(Finish {
        base: base.cloned(),
        events: events.clone(),
        exact,
        score,
        grade,
        base_shown,
        events_shown,
        clamp_shown,
    })
}

/// The grade of a published score: the first band whose lower edge it reaches.
pub fn grade_of(book: &RuleBook, score: Score) -> Read<Grade> {
    let value = score.dec().ratio();
    let band = book.grades.0.iter().find(|(_, from)| value >= *from);
    band.map(|(grade, _)| *grade)
        .ok_or_else(|| EvaluationError::missing(book, format!("grades (score {score})")))
}

/// Published final less published previous final; `None` without either.
#[must_use]
pub fn change(score: Option<Score>, previous: Option<Dec>) -> Option<Dec> {
    Some(minus(score?.dec(), previous?.rescale(2)?))
}

/// A number to 0.01, half away from zero.
#[must_use]
pub fn hundredths(exact: &Ratio) -> Dec {
    // scores, weights and points have a few digits; what does not fit in 128 bits cannot arise
    exact.round(2, Rounding::HalfAwayFromZero).unwrap_or(Dec::new(0, 2))
}

fn minus(a: Dec, b: Dec) -> Dec {
    Dec::new(a.units().saturating_sub(b.units()), 2)
}

fn is_silent(book: &RuleBook, metric: &Metric) -> bool {
    metric.state == MetricState::Incomplete && book.weight(metric.id).is_positive()
}

/// Why there is no score; empty when there is one.
fn refusals(book: &RuleBook, counting: &[&Metric], coverage: &Ratio) -> Vec<String> {
    let rules = &book.evaluation;
    let mut reasons = Vec::new();
    if *coverage < rules.minimum_coverage {
        let (found, least) = (hundredths(coverage), hundredths(&rules.minimum_coverage));
        reasons.push(format!(
            "the metrics with a result weigh {found}, at least {least} needed"
        ));
    }
    if counting.len() < rules.minimum_metrics.max(1) {
        reasons.push(format!(
            "metrics with a result: {}, at least {} needed",
            counting.len(),
            rules.minimum_metrics
        ));
    }
    let required = &rules.requires_one_of;
    if !required.is_empty() && !counting.iter().any(|m| required.contains(&m.id)) {
        let names: Vec<&str> = required.iter().map(MetricId::as_str).collect();
        reasons.push(format!("no result for {}", names.join(" or ")));
    }
    reasons
}

/// The weight of each counting metric with that of the missing ones added.
fn effective_weights(book: &RuleBook, metrics: &[Metric], counting: &[&Metric]) -> BTreeMap<MetricId, Ratio> {
    let mut weights: BTreeMap<MetricId, Ratio> = counting.iter().map(|m| (m.id, book.weight(m.id))).collect();
    let covered = Ratio::sum(weights.values());
    let mut pooled = Ratio::zero();
    for metric in metrics
        .iter()
        .filter(|m| !weights.contains_key(&m.id))
        .map(|m| m.id)
        .collect::<Vec<_>>()
    {
        let weight = book.weight(metric);
        let mut left = weight.clone();
        if let Redistribution::Table(table) = &book.evaluation.redistribution {
            for (to, share) in table.get(&metric).into_iter().flatten() {
                if let Some(receiver) = weights.get_mut(to) {
                    let moved = &weight * share;
                    *receiver = &*receiver + &moved;
                    left = &left - &moved;
                }
            }
        }
        pooled = &pooled + &left;
    }
    // what no table places goes to all in proportion to their own weights
    for (id, weight) in &mut weights {
        let share = book.weight(*id).checked_div(&covered).unwrap_or_else(Ratio::zero);
        *weight = &*weight + &(&share * &pooled);
    }
    weights
}

/// Rounds weights and points to 0.01 such that each column adds up to its rounded exact sum.
fn publish(shares: &mut [Share]) {
    let column = |of: fn(&Share) -> &Ratio, shares: &[Share]| {
        let exact: Vec<Ratio> = shares.iter().map(|s| of(s) * &Ratio::int(100)).collect();
        let total = Ratio::sum(&exact)
            .round(0, Rounding::HalfAwayFromZero)
            .map_or(0, Dec::units);
        largest_remainder(&exact, total).unwrap_or_else(|| vec![0; exact.len()])
    };
    let effective = column(|s| &s.effective, shares);
    let points = column(|s| &s.points, shares);
    for (share, (effective, points)) in shares.iter_mut().zip(effective.into_iter().zip(points)) {
        share.effective_shown = Dec::new(effective, 2);
        share.points_shown = Dec::new(points, 2);
    }
}
