//! The form that every metric has, whatever it measures.
//!
//! Duty: raw → adjusted → normalised with n, effective n, interval, peers and state, and the working behind them.
//! Not its duty: computing any of them, and weights.

use std::borrow::Cow;

use super::parts::PartsWorking;
use super::peers::Peers;
use super::quality::QualityWorking;
use super::satisfaction::SatisfactionWorking;
use crate::domain::Ratio;
use crate::rules::MetricId;

/// What a metric's value is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricState {
    Rated,
    /// Counts, on thin evidence.
    Provisional,
    /// Too little to say anything.
    Insufficient,
    /// There is nothing that it could measure.
    NotApplicable,
    /// A feed it rests on was silent or thin.
    Incomplete,
}

impl MetricState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MetricState::Rated => "rated",
            MetricState::Provisional => "provisional",
            MetricState::Insufficient => "insufficient",
            MetricState::NotApplicable => "not_applicable",
            MetricState::Incomplete => "incomplete",
        }
    }

    /// Whether a metric in this state enters the composite.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, MetricState::Rated | MetricState::Provisional)
    }
}

/// One metric of a partner × domain × period. `normalised` is there exactly when the state counts.
#[derive(Clone, Debug)]
pub struct Metric {
    pub id: MetricId,
    pub state: MetricState,
    /// Why the state is not `rated`.
    pub reason: Option<String>,
    /// Answers, inspections, quantity of parts, deliveries due, criteria asked, or the observations of an own metric.
    pub n: i64,
    pub n_eff: Option<Ratio>,
    /// Satisfaction, parts, service level, enablement: a share, 0…1. Quality: 0…100. Own: as its formula says.
    pub raw: Option<Ratio>,
    /// Wilson 95 %, of satisfaction.
    pub interval: Option<(Ratio, Ratio)>,
    pub peers: Option<Peers>,
    /// In the unit of `raw`: after shrinkage.
    pub adjusted: Option<Ratio>,
    /// 0…100.
    pub normalised: Option<Ratio>,
    /// Name of the band in which the published points lie; of own metrics with labels.
    pub band: Option<String>,
    /// What was left out or held, in words.
    pub note: Option<String>,
    pub working: Working,
}

/// The intermediate values of a metric. Boxed: there are many metrics, they stay, and most have the shorter ones.
#[derive(Clone, Debug)]
pub enum Working {
    Satisfaction(Box<SatisfactionWorking>),
    Quality(Box<QualityWorking>),
    Parts(Box<PartsWorking>),
    /// Of a metric without a form of its own.
    Steps(Vec<Step>),
}

/// One step on the way to a metric.
#[derive(Clone, Debug)]
pub struct Step {
    pub label: Cow<'static, str>,
    /// Empty where the value is an input.
    pub formula: Cow<'static, str>,
    pub value: String,
}

impl Step {
    #[must_use]
    pub fn new(
        label: impl Into<Cow<'static, str>>,
        formula: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Step {
        Step {
            label: label.into(),
            formula: formula.into(),
            value: value.into(),
        }
    }
}

impl Metric {
    /// The same metric where a feed it rests on was silent or thin: what was counted is shown, and nothing is concluded from it.
    #[must_use]
    pub fn of_an_incomplete_feed(self) -> Metric {
        Metric {
            state: MetricState::Incomplete,
            reason: Some("a feed it rests on was silent or thin in the period".to_owned()),
            n_eff: None,
            raw: None,
            interval: None,
            peers: None,
            adjusted: None,
            normalised: None,
            band: None,
            ..self
        }
    }
}

/// Joins what there is to say; `None` when there is nothing.
#[must_use]
pub fn joined(parts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// `1 answer`, `2 answers`.
#[must_use]
pub fn counted(n: i64, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}
