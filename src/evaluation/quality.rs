//! Engineering quality: the weighted mean of inspections, drawn towards the peers.
//!
//! Duty: an inspection scores 100·score/score_max, or what its findings leave of 100; mean by way of selection;
//! look-back where the period has too few; shrinkage; the cap of a critical finding left open. Work that was not
//! inspected is in no row and so counts for nothing. Not its duty: which findings are open too long (the measure
//! says).

use super::facts::Inspections;
use super::fields::Read;
use super::inputs::EvaluationError;
use super::knots::{self, OnKnots};
use super::metric::{Metric, MetricState, Working, counted};
use super::peers::Peers;
use super::weighted::{Weighted, named, shrink};
use crate::domain::Ratio;
use crate::rules::{MetricId, RuleBook};

/// Inspections alike: one way of selection, one scale or one set of findings.
#[derive(Clone, Debug)]
pub struct InspectionPart {
    pub rows: Inspections,
    /// Weight of one of them.
    pub weight: Ratio,
    /// Mean score of them, 0…100.
    pub score: Ratio,
    pub sums: Weighted,
}

/// The values on the way to the metric.
#[derive(Clone, Debug)]
pub struct QualityWorking {
    pub used: Vec<InspectionPart>,
    pub sums: Weighted,
    /// Inspections of the period itself.
    pub n_period: i64,
    /// Periods that the inspections used come from; 1 without look-back.
    pub periods: usize,
    pub strength: Ratio,
    pub on_knots: Option<OnKnots>,
    /// Critical findings open too long; the metric is then held at `cap`.
    pub open_critical: i64,
    pub cap: Ratio,
    pub capped: bool,
}

/// The inspections of some rows, by weight; total is Σ weight·score.
pub fn weigh(book: &RuleBook, rows: &[Inspections]) -> Read<Weighted> {
    rows.iter().try_fold(Weighted::default(), |mut sums, row| {
        sums.add(&scores_of(book, row)?.2);
        Ok(sums)
    })
}

/// The metric of one partner × domain × period. `window` holds the period's own inspections and those of the
/// look-back periods before it.
pub fn measure<'a>(
    book: &RuleBook,
    own: &[Inspections],
    window: impl Iterator<Item = &'a Inspections>,
    open: i64,
    peers: Peers,
) -> Read<Metric> {
    let rules = &book.quality;
    let mut used = weigh_rows(book, own.iter())?;
    let n_period = used.iter().fold(0i64, |n, part| n.saturating_add(part.sums.n));
    let looked_back = n_period < rules.insufficient_below_inspections;
    if looked_back {
        used = weigh_rows(book, window)?;
    }
    let sums = Weighted::sum(used.iter().map(|part| &part.sums));
    let periods = if looked_back { rules.look_back_periods } else { 1 };
    let (state, reason) = state(book, n_period, sums.n, looked_back);
    let (raw, n_eff) = (sums.mean(), sums.effective());
    let adjusted = match (&raw, &n_eff) {
        (Some(mean), Some(n)) if state.counts() => shrink(mean, n, &peers.value, &rules.shrinkage),
        _ => None,
    };
    let on_knots = knots::read(book, MetricId::Quality, &rules.knots, adjusted.as_ref())?;
    let capped = open > 0 && on_knots.as_ref().is_some_and(|v| v.value > rules.critical_cap);
    let normalised = on_knots.as_ref().map(|v| {
        if capped {
            rules.critical_cap.clone()
        } else {
            v.value.clone()
        }
    });
    let days = rules.critical_open_days;
    let note = (open > 0).then(|| format!("{} open for more than {days} days", counted(open, "critical finding")));
    let (strength, cap) = (rules.shrinkage.clone(), rules.critical_cap.clone());
    let n = sums.n;
    let working = QualityWorking {
        used,
        sums,
        n_period,
        periods,
        strength,
        on_knots,
        open_critical: open,
        cap,
        capped,
    };
    Ok(Metric {
        id: MetricId::Quality,
        state,
        reason,
        n,
        n_eff,
        raw,
        interval: None,
        peers: Some(peers),
        adjusted,
        normalised,
        band: None,
        note,
        working: Working::Quality(Box::new(working)),
    })
}

/// Those of a weight above 0.
fn weigh_rows<'a>(book: &RuleBook, rows: impl Iterator<Item = &'a Inspections>) -> Read<Vec<InspectionPart>> {
    let mut parts = Vec::with_capacity(rows.size_hint().0);
    for row in rows {
        let part = weigh_row(book, row)?;
        if part.sums.n > 0 {
            parts.push(part);
        }
    }
    Ok(parts)
}

fn weigh_row(book: &RuleBook, row: &Inspections) -> Read<InspectionPart> {
    let (weight, score, sums) = scores_of(book, row)?;
    Ok(InspectionPart {
        rows: row.clone(),
        weight,
        score,
        sums,
    })
}

/// Weight of one, mean score of them, and their sums.
fn scores_of(book: &RuleBook, row: &Inspections) -> Read<(Ratio, Ratio, Weighted)> {
    let weight = named(&book.quality.selection_weights, &row.selected_by).cloned();
    let key = || format!("quality.selection_weights.{}", row.selected_by);
    let weight = weight.ok_or_else(|| EvaluationError::missing(book, key()))?;
    let count = if weight.is_positive() { row.inspections } else { 0 };
    let n = Ratio::int(count);
    let scores = if row.scored {
        scored(row)
    } else {
        &by_findings(book, row) * &Ratio::int(row.inspections)
    };
    let score = scores
        .checked_div(&Ratio::int(row.inspections))
        .unwrap_or_else(Ratio::zero);
    let sums = Weighted {
        n: count,
        weight: &weight * &n,
        total: &(&weight * &score) * &n,
        squares: &weight.square() * &n,
    };
    Ok((weight, score, sums))
}

/// Σ 100·score/score_max. A maximum of 0 is refused when the measure is read.
fn scored(row: &Inspections) -> Ratio {
    let share = row.score_sum.ratio().checked_div(&row.score_max.ratio());
    &Ratio::int(100) * &share.unwrap_or_else(Ratio::zero)
}

/// 100 − points of the findings of one inspection, at least 0.
fn by_findings(book: &RuleBook, row: &Inspections) -> Ratio {
    let rules = &book.quality;
    let points = [
        (row.critical, &rules.critical_points),
        (row.major, &rules.major_points),
        (row.minor, &rules.minor_points),
    ];
    let left = points
        .iter()
        .fold(Ratio::int(100), |left, (n, each)| &left - &(&Ratio::int(*n) * *each));
    left.max(Ratio::zero())
}

fn state(book: &RuleBook, n_period: i64, n: i64, looked_back: bool) -> (MetricState, Option<String>) {
    let rules = &book.quality;
    let (least, periods) = (rules.insufficient_below_inspections, rules.look_back_periods);
    if n == 0 || n < least {
        let seen = counted(n, "inspection");
        (
            MetricState::Insufficient,
            Some(format!("{seen} in {periods} periods, at least {least} needed")),
        )
    } else if looked_back {
        let seen = counted(n_period, "inspection");
        (
            MetricState::Provisional,
            Some(format!(
                "{seen} in the period, so the {n} of {periods} periods were used"
            )),
        )
    } else {
        (MetricState::Rated, None)
    }
}
