//! The domains of a frame as strings: metrics with result, score, weight and points.
//!
//! Duty: each metric in its unit, with what stands below its figures. Not its duty: the card, events, money.

use serde::Serialize;

use crate::domain::Dec;
use crate::rules::PartsMode;

use super::frame::{DomainResult, Metric, PartnerFrame};
use super::texts::Texts;
use super::view::{OutcomeView, outcome_view, reason};
use super::view_ahead::domain_changes;

#[derive(Debug, Serialize)]
pub(super) struct DomainView {
    pub name: String,
    pub outcome: OutcomeView,
    pub reason: String,
    pub coverage: String,
    pub metrics: Vec<MetricView>,
    pub base: String,
    pub event_points: String,
    pub clamp: String,
    /// What moved it since the period before.
    pub changes: String,
}

#[derive(Debug, Serialize)]
pub(super) struct MetricView {
    pub name: String,
    /// Empty where there is none.
    pub result: String,
    pub score: String,
    pub weight: String,
    pub points: String,
    /// n, peers, interval, state, and whatever else stands below the figures.
    pub notes: Vec<String>,
}

pub(super) fn domain_view(domain: &DomainResult, frame: &PartnerFrame, previous: &str, texts: &Texts) -> DomainView {
    let mode = frame.parts_mode;
    let outcome = &domain.outcome;
    let optional = |points: Dec| {
        if points.is_zero() {
            String::new()
        } else {
            texts.signed(points)
        }
    };
    let full = domain.coverage == Dec::from(100);
    DomainView {
        changes: domain_changes(&frame.ahead, &domain.domain, previous, texts),
        name: domain.name.clone(),
        reason: reason(outcome.reason.as_deref(), texts),
        coverage: if full {
            String::new()
        } else {
            texts.fill("domains", "coverage", &[("coverage", &texts.number(domain.coverage))])
        },
        metrics: domain.metrics.iter().map(|m| metric_view(m, mode, texts)).collect(),
        base: outcome.base.map(|b| texts.number(b)).unwrap_or_default(),
        event_points: optional(outcome.event_points),
        clamp: optional(outcome.clamp),
        outcome: outcome_view(outcome, previous, texts),
    }
}

fn metric_view(metric: &Metric, mode: PartsMode, texts: &Texts) -> MetricView {
    let dash = || texts.get("hero", "no_grade").to_owned();
    let counts = matches!(metric.state.as_str(), "rated" | "provisional");
    let shown = |dec: Option<Dec>| {
        dec.filter(|_| counts)
            .map_or_else(dash, |d| texts.rounded(&d.ratio(), 2))
    };
    let name = texts.word("metric", &metric.metric);
    MetricView {
        result: metric
            .raw
            .map(|raw| raw_text(&metric.metric, raw, texts))
            .unwrap_or_default(),
        score: shown(metric.normalised),
        weight: if counts {
            texts.number(metric.effective_weight)
        } else {
            dash()
        },
        points: if counts { texts.number(metric.points) } else { dash() },
        notes: metric_notes(metric, mode, texts),
        name,
    }
}

fn metric_notes(metric: &Metric, mode: PartsMode, texts: &Texts) -> Vec<String> {
    let mut notes = Vec::new();
    let known = texts
        .sections()
        .get("n_unit")
        .is_some_and(|s| s.contains_key(&metric.metric));
    let (section, key) = if known {
        ("n_unit", metric.metric.as_str())
    } else {
        ("domains", "n")
    };
    notes.push(texts.counted(section, key, "n", metric.n));
    if let Some(peer) = metric.peer_value {
        let basis = metric
            .peer_basis
            .as_deref()
            .map(|b| texts.word("peer_basis", b))
            .unwrap_or_default();
        let value = unit(&metric.metric, peer, texts);
        notes.push(texts.fill("domains", "peers", &[("value", &value), ("basis", &basis)]));
    }
    if let Some((low, high)) = metric.interval {
        let (low, high) = (unit(&metric.metric, low, texts), unit(&metric.metric, high, texts));
        notes.push(texts.fill("domains", "interval", &[("low", &low), ("high", &high)]));
    }
    if matches!(metric.state.as_str(), "rated" | "provisional") && metric.nominal_weight != metric.effective_weight {
        notes.push(texts.fill(
            "domains",
            "nominal",
            &[("weight", &texts.number(metric.nominal_weight))],
        ));
    }
    if metric.state != "rated" {
        notes.push(texts.word("state", &metric.state));
    }
    if metric.metric == "parts" && mode == PartsMode::Count && metric.normalised.is_some() {
        notes.push(texts.get("domains", "counted").to_owned());
    }
    notes.extend(metric.note.as_deref().map(|note| texts.reason(note)));
    notes
}

/// A figure of a metric in its unit: shares as percentages, the rest out of 100.
fn unit(metric: &str, value: Dec, texts: &Texts) -> String {
    match metric {
        "satisfaction" | "parts" | "service_level" | "enablement" => texts.percent(value),
        _ => texts.rounded(&value.ratio(), 2),
    }
}

fn raw_text(metric: &str, raw: Dec, texts: &Texts) -> String {
    let value = unit(metric, raw, texts);
    if texts.sections().get("raw").is_some_and(|s| s.contains_key(metric)) {
        texts.fill("raw", metric, &[("value", &value)])
    } else {
        value
    }
}
