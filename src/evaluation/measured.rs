//! What the measures say of a partner × domain × period.
//!
//! Duty: the rows of each measure, typed. Not its duty: reading them (`facts`), what follows from them (the metrics).

use std::sync::Arc;

use super::keyed::Keyed;
use crate::domain::{Dec, Row};

/// Answers of one customer, class and way of selection. Shares are of the partner's responsibility.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answers {
    pub customer: Arc<str>,
    pub class: Arc<str>,
    pub selected_by: Arc<str>,
    pub answers: i64,
    pub share_sum: Dec,
    pub share_square_sum: Dec,
    pub satisfied_share_sum: Dec,
    pub vendor_fault_answers: i64,
    pub zero_share_answers: i64,
}

/// Inspections of one way of selection and one scale, or of one set of findings where there is no score.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inspections {
    pub selected_by: Arc<str>,
    pub scored: bool,
    pub score_max: Dec,
    pub critical: i64,
    pub major: i64,
    pub minor: i64,
    pub inspections: i64,
    pub score_sum: Dec,
}

/// Quantities of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    pub due: i64,
    pub opening: i64,
    pub overdue: i64,
    pub long_overdue: i64,
}

/// Deliveries that fell due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    pub due: i64,
    pub on_time: i64,
}

/// Answers on one scale, for figures that are shown and not scored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratings {
    pub scale_min: Dec,
    pub scale_max: Dec,
    pub answers: i64,
    pub rating_sum: Dec,
    /// Rated at the top of the scale.
    pub top: i64,
    pub promoters: i64,
    pub detractors: i64,
}

/// Surveys sent in the period, and those of them that were answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Responses {
    pub sent: i64,
    pub answered: i64,
}

/// A measure of the programme's own.
#[derive(Clone, Debug, Default)]
pub struct OwnMeasure {
    pub columns: Vec<String>,
    /// Sorted.
    pub rows: Keyed<Vec<Row>>,
}
