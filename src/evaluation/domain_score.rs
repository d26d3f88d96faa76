//! The score of one partner × domain × period.
//!
//! Duty: bring the facts of the domain to the metrics, and the metrics to a score with its events. Not its duty: the
//! formulas of either.

use std::collections::BTreeSet;

use super::composite;
use super::derivation::DomainScore;
use super::facts::{Facts, Inspections, Key, PartnerPeriod};
use super::fields::Read;
use super::formula::Rows;
use super::inputs::EvaluationError;
use super::key_events::KeyEvents;
use super::metric::Metric;
use super::pools::{Pools, window_start};
use super::sealed::Finals;
use super::{enablement, own, parts, quality, satisfaction, service_level};
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Grade, Period};
use crate::rules::{MetricId, RuleBook};

/// What all scores of a period share.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    pub facts: &'a Facts,
    pub events: &'a KeyEvents,
    pub pools: &'a Pools<'a>,
    pub finals: &'a Finals,
    pub incomplete: &'a BTreeSet<(MetricId, PartnerId, Period)>,
}

/// Computes the score; `black` makes its grade E.
pub fn score(
    setting: &Setting,
    book: &RuleBook,
    at: &PartnerPeriod,
    domain: &DomainId,
    black: bool,
) -> Read<DomainScore> {
    let key: Key = (at.partner.clone(), domain.clone(), at.period);
    let metrics = metrics(setting, book, at, &key)?;
    let composite = composite::compose(book, &metrics);
    let events = setting.events.sum(book, &at.partner, Some(domain), at.period);
    let finish = composite::finish(book, composite.base.as_ref(), &events.total)?;
    Ok(DomainScore {
        domain: domain.clone(),
        metrics,
        composite,
        grade: if black { Some(Grade::E) } else { finish.grade },
        events,
        finish,
        previous_final: setting.finals.previous(&at.partner, Some(domain), at.period),
        change: Vec::new(),
        completed: setting.facts.deliveries.get(&key).copied().unwrap_or(0),
    })
}

/// All metrics, in their order.
fn metrics(setting: &Setting, book: &RuleBook, at: &PartnerPeriod, key: &Key) -> Read<Vec<Metric>> {
    let no_rules = |id: MetricId| EvaluationError::missing(book, id.as_str());
    let compute = |id: MetricId| -> Read<Metric> {
        let metric = match id {
            MetricId::Satisfaction => satisfaction_of(setting, book, at, key),
            MetricId::Quality => quality_of(setting, book, at, key),
            MetricId::Parts => parts::measure(book, setting.facts.parts.get(key).copied().unwrap_or_default()),
            MetricId::ServiceLevel => {
                let rules = book.service_level.as_ref().ok_or_else(|| no_rules(id))?;
                service_level::measure(book, rules, setting.facts.due.get(key).copied().unwrap_or_default())
            }
            MetricId::Enablement => {
                let rules = book.enablement.as_ref().ok_or_else(|| no_rules(id))?;
                enablement::measure(book, rules, setting.facts, (&key.0, &key.1), at.end_on)
            }
            MetricId::Own(name) => {
                let rules = book.own.get(&name).ok_or_else(|| no_rules(id))?;
                let measure = setting.facts.own.get(&rules.measure);
                let rows = Rows {
                    columns: measure.map_or(&[], |m| &m.columns),
                    rows: measure.and_then(|m| m.rows.get(key)).map_or(&[], Vec::as_slice),
                };
                let presumed = &setting.facts.presumed;
                let presumed = if presumed.is_empty() {
                    None
                } else {
                    presumed.get(&(key.clone(), name))
                };
                own::measure(book, rules, rows, presumed)
            }
        }?;
        let incomplete = setting.incomplete.contains(&(id, at.partner.clone(), at.period));
        Ok(if incomplete {
            metric.of_an_incomplete_feed()
        } else {
            metric
        })
    };
    let ids = book.metrics();
    // of just the length: there are many of them, and they stay
    let mut metrics = Vec::with_capacity(ids.len());
    for id in ids {
        metrics.push(compute(id)?);
    }
    Ok(metrics)
}

fn satisfaction_of(setting: &Setting, book: &RuleBook, at: &PartnerPeriod, key: &Key) -> Read<Metric> {
    let rules = &book.satisfaction;
    let (minimum, default) = (rules.peer_minimum_answers, &rules.peer_default);
    let peers = setting
        .pools
        .satisfaction
        .peers(&at.partner, &at.region, &key.1, minimum, default);
    satisfaction::measure(
        book,
        setting.facts.satisfaction.get(key).map_or(&[], Vec::as_slice),
        peers,
    )
}

fn quality_of(setting: &Setting, book: &RuleBook, at: &PartnerPeriod, key: &Key) -> Read<Metric> {
    let (facts, rules) = (setting.facts, &book.quality);
    let (minimum, default) = (rules.peer_minimum_inspections, &rules.peer_default);
    let peers = setting
        .pools
        .quality
        .peers(&at.partner, &at.region, &key.1, minimum, default);
    let own: &[Inspections] = facts.quality.get(key).map_or(&[], Vec::as_slice);
    let from = window_start(at.period, rules.look_back_periods);
    let window = facts.quality.between(&key.0, &key.1, from, at.period);
    let open = facts.open_critical.get(key).copied().unwrap_or(0);
    quality::measure(book, own, window.flatten(), open, peers)
}
