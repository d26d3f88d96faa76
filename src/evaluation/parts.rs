//! Overdue unreturned spare parts.
//!
//! Duty: raw = 1 − (quantity overdue at the end) / (quantity that fell due in the period + opening quantity). Mode
//! rate: knots, less the points of parts long overdue. Mode count: 100 less points for each overdue part. Not its
//! duty: due dates and what counts as returned (the measure says).

use super::facts::Parts;
use super::fields::Read;
use super::knots::{self, OnKnots};
use super::metric::{Metric, MetricState, Working, counted};
use crate::domain::Ratio;
use crate::rules::{MetricId, PartsMode, RuleBook};

/// The values on the way to the metric.
#[derive(Clone, Debug)]
pub struct PartsWorking {
    pub quantities: Parts,
    /// Due in the period and overdue at its start.
    pub denominator: i64,
    pub mode: PartsMode,
    /// Mode rate.
    pub on_knots: Option<OnKnots>,
    /// Points off: for parts long overdue (mode rate), or for each overdue part (mode count).
    pub points_each: Ratio,
    pub points_off: Ratio,
    /// At most so many points off; none in mode count.
    pub points_cap: Option<Ratio>,
}

/// The metric of one partner × domain × period.
pub fn measure(book: &RuleBook, quantities: Parts) -> Read<Metric> {
    let rules = &book.parts;
    let denominator = quantities.due.saturating_add(quantities.opening);
    let overdue = Ratio::int(quantities.overdue);
    let raw = overdue
        .checked_div(&Ratio::int(denominator))
        .map(|share| &Ratio::one() - &share);
    let applies = raw.is_some();
    let (points_each, points_off, points_cap) = match rules.mode {
        PartsMode::Rate => {
            let points = &rules.long_overdue_points * &Ratio::int(quantities.long_overdue);
            let held = points.min(rules.long_overdue_points_cap.clone());
            (
                rules.long_overdue_points.clone(),
                held,
                Some(rules.long_overdue_points_cap.clone()),
            )
        }
        PartsMode::Count => (
            rules.count_points_each.clone(),
            &rules.count_points_each * &overdue,
            None,
        ),
    };
    let adjusted = raw.clone().filter(|_| rules.mode == PartsMode::Rate);
    let on_knots = knots::read(book, MetricId::Parts, &rules.knots, adjusted.as_ref())?;
    let before = on_knots.as_ref().map_or_else(|| Ratio::int(100), |v| v.value.clone());
    let normalised = applies.then(|| (&before - &points_off).max(Ratio::zero()));
    let days = rules.long_overdue_days;
    let long = quantities.long_overdue;
    let note = (long > 0).then(|| format!("{} overdue for more than {days} days", counted(long, "part")));
    let (state, reason) = if applies {
        (MetricState::Rated, None)
    } else {
        (MetricState::NotApplicable, Some("no part due or overdue".to_owned()))
    };
    let working = PartsWorking {
        quantities,
        denominator,
        mode: rules.mode,
        on_knots,
        points_each,
        points_off,
        points_cap,
    };
    Ok(Metric {
        id: MetricId::Parts,
        state,
        reason,
        n: denominator,
        n_eff: None,
        raw,
        interval: None,
        peers: None,
        adjusted,
        normalised,
        band: None,
        note,
        working: Working::Parts(Box::new(working)),
    })
}
