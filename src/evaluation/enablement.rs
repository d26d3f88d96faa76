//! Enablement: the share of the star criteria that the partner meets for the stars it holds.
//!
//! Duty: raw = criteria met / criteria asked, on the last day of the period, for the stars of the narrowest active
//! certification that covers the domain; knots. A criterion that asks for nothing is no criterion. Not its duty:
//! counting (`criteria`), what follows for the stars (review).

use super::criteria::{self, Criterion};
use super::explain::number;
use super::facts::Facts;
use super::fields::Read;
use super::inputs::EvaluationError;
use super::knots;
use super::metric::{Metric, MetricState, Step, joined};
use super::own::bare;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Date, Ratio};
use crate::rules::{EnablementRules, MetricId, RuleBook};

/// The metric of one partner × domain × period that ends before `end_on`.
pub fn measure(
    book: &RuleBook,
    rules: &EnablementRules,
    facts: &Facts,
    (partner, domain): (&PartnerId, &DomainId),
    end_on: Date,
) -> Read<Metric> {
    let id = MetricId::Enablement;
    let on = end_on.pred_opt().unwrap_or(end_on);
    let Some(stars) = stars(facts, partner, domain, on) else {
        let reason = Some(format!("no active certification on {on}"));
        return Ok(bare(id, MetricState::NotApplicable, 0, reason, Vec::new()));
    };
    let star_rules = book.star_criteria.as_ref();
    let star_rules = star_rules.ok_or_else(|| EvaluationError::missing(book, "star_criteria"))?;
    let needs = star_rules.stars.get(&stars);
    let needs = needs.ok_or_else(|| EvaluationError::missing(book, format!("star_criteria.{stars}")))?;
    let counted = criteria::count(&facts.roster, star_rules, partner, domain, on);
    let asked: Vec<Criterion> = criteria::compare(&counted, needs)
        .into_iter()
        .filter(Criterion::asks)
        .collect();
    let met = asked.iter().filter(|criterion| criterion.met()).count();
    let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let steps = asked.iter().map(|criterion| {
        let found = format!("{} of {}", number(&criterion.found), number(&criterion.needed));
        Step::new(criterion.id.as_str(), format!("asked for {stars} stars on {on}"), found)
    });
    let steps = steps.collect();
    let Some(raw) = Ratio::new(whole(met), whole(asked.len())) else {
        let reason = Some(format!("{stars} stars ask for nothing"));
        return Ok(bare(id, MetricState::NotApplicable, 0, reason, steps));
    };
    let unmet: Vec<&str> = asked.iter().filter(|c| !c.met()).map(|c| c.id.as_str()).collect();
    let on_knots = knots::read(book, id, &rules.knots, Some(&raw))?;
    Ok(Metric {
        raw: Some(raw.clone()),
        adjusted: Some(raw),
        normalised: on_knots.map(|v| v.value),
        note: joined([(!unmet.is_empty()).then(|| format!("not met for {stars} stars: {}", unmet.join(", ")))]),
        ..bare(id, MetricState::Rated, whole(asked.len()), None, steps)
    })
}

/// The stars held in a domain on a day: of its own certification, else of one of a domain that spans it.
fn stars(facts: &Facts, partner: &PartnerId, domain: &DomainId, on: Date) -> Option<i64> {
    let held = facts.certifications.get(partner)?;
    let in_force = |of: &DomainId| {
        let versions = held.get(of)?.iter().filter(|v| v.valid_from <= on && on < v.valid_to);
        versions
            .max_by_key(|v| v.valid_from)
            .filter(|v| v.active)
            .map(|v| v.stars)
    };
    in_force(domain).or_else(|| {
        let spanning = facts.members.iter().filter(|(_, members)| members.contains(domain));
        spanning.filter_map(|(whole, _)| in_force(whole)).max()
    })
}
