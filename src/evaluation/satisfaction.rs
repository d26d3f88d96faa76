//! Customer satisfaction: the share of satisfied answers, weighted, capped, drawn towards the peers.
//!
//! Duty: weight of an answer = customer class × the partner's responsibility share; one customer held to its share;
//! p, n_eff, Wilson interval; p* = (n_eff·p + m·p₀) / (n_eff + m); knots. Not its duty: which answers are satisfied
//! or the vendor's fault (the measure says), and the weight of the metric.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cap;
use super::facts::Answers;
use super::fields::Read;
use super::inputs::EvaluationError;
use super::knots::{self, OnKnots};
use super::metric::{Metric, MetricState, Working, counted, joined};
use super::peers::Peers;
use super::weighted::{Weighted, named, shrink};
use super::wilson;
use crate::domain::Ratio;
use crate::rules::{MetricId, RuleBook};

/// Answers of customers whom the partner chose are shown and not scored.
const NOMINATED: &str = "partner_nominated";

/// One customer's part of the share.
#[derive(Clone, Debug)]
pub struct CustomerPart {
    pub customer: Arc<str>,
    /// Weighted by class and responsibility, and held by the cap.
    pub counted: Weighted,
    /// The weight before the cap, of a customer that it holds.
    pub held_from: Option<Ratio>,
}

/// The values on the way to the metric.
#[derive(Clone, Debug)]
pub struct SatisfactionWorking {
    pub customers: Vec<CustomerPart>,
    /// The weight that a held customer was set to.
    pub limit: Option<Ratio>,
    pub sums: Weighted,
    pub vendor_fault: i64,
    pub zero_share: i64,
    pub nominated: i64,
    pub strength: Ratio,
    pub on_knots: Option<OnKnots>,
}

/// The scored answers of some rows, by weight; total is that of the satisfied ones.
pub fn weigh(book: &RuleBook, rows: &[Answers]) -> Read<Weighted> {
    rows.iter().try_fold(Weighted::default(), |mut sums, row| {
        sums.add(&weigh_row(book, row)?);
        Ok(sums)
    })
}

/// The metric of one partner × domain × period.
pub fn measure(book: &RuleBook, rows: &[Answers], peers: Peers) -> Read<Metric> {
    let rules = &book.satisfaction;
    let (customers, limit) = customers(book, rows)?;
    let sums = Weighted::sum(customers.iter().map(|c| &c.counted));
    let (raw, n_eff) = (sums.mean(), sums.effective());
    let (state, reason) = state(book, sums.n);
    let adjusted = match (&raw, &n_eff) {
        (Some(p), Some(n)) if state.counts() => shrink(p, n, &peers.value, &rules.shrinkage),
        _ => None,
    };
    let on_knots = knots::read(book, MetricId::Satisfaction, &rules.knots, adjusted.as_ref())?;
    let excluded = |count: fn(&Answers) -> i64| rows.iter().fold(0i64, |n, row| n.saturating_add(count(row)));
    let working = SatisfactionWorking {
        limit,
        vendor_fault: excluded(|row| row.vendor_fault_answers),
        zero_share: excluded(|row| row.zero_share_answers),
        nominated: excluded(|row| if &*row.selected_by == NOMINATED { row.answers } else { 0 }),
        strength: rules.shrinkage.clone(),
        on_knots,
        customers,
        sums,
    };
    Ok(Metric {
        id: MetricId::Satisfaction,
        state,
        reason,
        n: working.sums.n,
        interval: raw
            .as_ref()
            .zip(n_eff.as_ref())
            .and_then(|(p, n)| wilson::interval(p, n)),
        n_eff,
        raw,
        peers: Some(peers),
        adjusted,
        normalised: working.on_knots.as_ref().map(|v| v.value.clone()),
        band: None,
        note: note(&working),
        working: Working::Satisfaction(Box::new(working)),
    })
}

fn weigh_row(book: &RuleBook, row: &Answers) -> Read<Weighted> {
    let class = named(&book.satisfaction.class_weights, &row.class);
    let class =
        class.ok_or_else(|| EvaluationError::missing(book, format!("satisfaction.class_weights.{}", row.class)))?;
    if &*row.selected_by == NOMINATED || !class.is_positive() {
        return Ok(Weighted::default());
    }
    let shares = Weighted {
        n: row.answers,
        weight: row.share_sum.ratio(),
        total: row.satisfied_share_sum.ratio(),
        squares: row.share_square_sum.ratio(),
    };
    Ok(shares.scaled(class))
}

/// Each customer of positive weight, and the weight that the cap holds the largest to.
fn customers(book: &RuleBook, rows: &[Answers]) -> Read<(Vec<CustomerPart>, Option<Ratio>)> {
    let mut by_customer: BTreeMap<&Arc<str>, Weighted> = BTreeMap::new();
    for row in rows {
        by_customer
            .entry(&row.customer)
            .or_default()
            .add(&weigh_row(book, row)?);
    }
    by_customer.retain(|_, sums| sums.weight.is_positive());
    let weights: Vec<Ratio> = by_customer.values().map(|sums| sums.weight.clone()).collect();
    let rules = &book.satisfaction;
    let capped = (weights.len() >= rules.customer_cap_from_customers).then(|| cap::hold(&weights, &rules.customer_cap));
    let parts = by_customer.into_iter().enumerate().map(|(i, (customer, uncapped))| {
        let held = capped.as_ref().is_some_and(|c| c.held[i]);
        let factor = capped.as_ref().and_then(|c| c.weights[i].checked_div(&uncapped.weight));
        let counted = factor.filter(|_| held).map(|f| uncapped.scaled(&f));
        CustomerPart {
            customer: customer.clone(),
            held_from: held.then(|| uncapped.weight.clone()),
            counted: counted.unwrap_or(uncapped),
        }
    });
    Ok((parts.collect(), capped.and_then(|c| c.limit)))
}

fn state(book: &RuleBook, n: i64) -> (MetricState, Option<String>) {
    let rules = &book.satisfaction;
    let (least, full) = (rules.insufficient_below_answers, rules.provisional_below_answers);
    // without any answer there is no share, whatever the rules ask for
    if n < least || n == 0 {
        (
            MetricState::Insufficient,
            Some(format!("{}, at least {least} needed", counted(n, "answer"))),
        )
    } else if n < full {
        (
            MetricState::Provisional,
            Some(format!("{}, {full} needed to be rated in full", counted(n, "answer"))),
        )
    } else {
        (MetricState::Rated, None)
    }
}

fn note(working: &SatisfactionWorking) -> Option<String> {
    let not_counted = |n: i64, why: &str| (n > 0).then(|| format!("not counted, {why}: {}", counted(n, "answer")));
    let held: Vec<&str> = working
        .customers
        .iter()
        .filter(|c| c.held_from.is_some())
        .map(|c| &*c.customer)
        .collect();
    joined([
        not_counted(working.vendor_fault, "the vendor's fault"),
        not_counted(working.zero_share, "no responsibility of the partner"),
        not_counted(working.nominated, "customer nominated by the partner"),
        (!held.is_empty()).then(|| format!("held to the largest share of one customer: {}", held.join(", "))),
    ])
}
