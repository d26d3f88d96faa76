//! Service level: the share of deliveries completed by the time they were due.
//!
//! Duty: raw = completed by due_at / due, of the deliveries that fell due in the period; knots. Not its duty: which
//! deliveries fall due (the measure says).

use super::facts::Due;
use super::fields::Read;
use super::knots;
use super::metric::{Metric, MetricState, Step};
use super::own::bare;
use crate::domain::Ratio;
use crate::rules::{MetricId, RuleBook, ServiceLevelRules};

/// The metric of one partner × domain × period.
pub fn measure(book: &RuleBook, rules: &ServiceLevelRules, due: Due) -> Read<Metric> {
    let raw = Ratio::new(due.on_time, due.due);
    let steps = vec![
        Step::new("due in the period", "", due.due.to_string()),
        Step::new("completed by due_at", "", due.on_time.to_string()),
    ];
    let (least, full) = (rules.insufficient_below_deliveries, rules.provisional_below_deliveries);
    let seen = || format!("deliveries due: {}", due.due);
    let (state, reason) = if due.due == 0 {
        (MetricState::NotApplicable, Some("no delivery due".to_owned()))
    } else if due.due < least {
        (
            MetricState::Insufficient,
            Some(format!("{}, at least {least} needed", seen())),
        )
    } else if due.due < full {
        (
            MetricState::Provisional,
            Some(format!("{}, {full} needed to be rated in full", seen())),
        )
    } else {
        (MetricState::Rated, None)
    };
    let adjusted = raw.clone().filter(|_| state.counts());
    let on_knots = knots::read(book, MetricId::ServiceLevel, &rules.knots, adjusted.as_ref())?;
    Ok(Metric {
        raw,
        adjusted,
        normalised: on_knots.map(|v| v.value),
        ..bare(MetricId::ServiceLevel, state, due.due, reason, steps)
    })
}
