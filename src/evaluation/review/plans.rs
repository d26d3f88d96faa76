//! Improvement plans: each probation with its dates and what came of it.
//!
//! Duty: probations, plans and outcomes from the decisions; which is open or has failed on a day. Not its duty: what
//! follows for the certification.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::time::add_days;
use crate::domain::{Date, Instant, Table, Value};
use crate::evaluation::fields::Read;
use crate::evaluation::homes::Homes;
use crate::evaluation::inputs::{Books, EvaluationError};
use crate::evaluation::review_acts::{ReviewAct, Verdict};

/// Key: `partner_id`, `domain`, `probation_on`.
pub const IMPROVEMENT_PLANS: [&str; 10] = [
    "partner_id",
    "domain",
    "probation_on",
    "decision_id",
    "plan_due_on",
    "plan_received_on",
    "outcome_due_on",
    "outcome_on",
    "outcome_decision_id",
    "state",
];

/// What ended a probation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed,
    /// The certification changed, or was kept, before anyone decided on the probation.
    Superseded,
}

/// One probation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probation {
    pub from: Date,
    pub decision_id: Arc<str>,
    pub plan_received_on: Option<Date>,
    /// What ended it, from which day, by which decision.
    pub ended: Option<(Outcome, Date, Arc<str>)>,
}

/// The probations of one certification, oldest first, from its acts in their order.
#[must_use]
pub fn probations<'a>(acts: impl Iterator<Item = &'a ReviewAct>) -> Vec<Probation> {
    let mut probations: Vec<Probation> = Vec::new();
    for act in acts {
        let open = probations.last_mut().filter(|p| p.ended.is_none());
        let end = |outcome: Outcome| Some((outcome, act.from, act.decision_id.clone()));
        match (act.verdict, open) {
            (Verdict::Probation, None) => probations.push(Probation {
                from: act.from,
                decision_id: act.decision_id.clone(),
                plan_received_on: None,
                ended: None,
            }),
            (Verdict::PlanReceived, Some(open)) if open.plan_received_on.is_none() => {
                open.plan_received_on = Some(act.from);
            }
            (Verdict::ProbationPassed, Some(open)) => open.ended = end(Outcome::Passed),
            (Verdict::ProbationFailed, Some(open)) => open.ended = end(Outcome::Failed),
            (Verdict::Upgrade | Verdict::Downgrade | Verdict::Suspend | Verdict::Keep, Some(open)) => {
                open.ended = end(Outcome::Superseded);
            }
            _ => {}
        }
    }
    probations
}

/// `improvement_plans`: every probation, as it stands at an instant.
pub fn table(acts: &[ReviewAct], homes: &Homes, books: &dyn Books, as_of: Instant) -> Read<Table> {
    let mut of: BTreeMap<(&PartnerId, &DomainId), Vec<&ReviewAct>> = BTreeMap::new();
    for act in acts {
        of.entry((&act.partner, &act.domain)).or_default().push(act);
    }
    let mut table = Table::new("improvement_plans", &IMPROVEMENT_PLANS);
    for ((partner, domain), acts) in of {
        let probations = probations(acts.into_iter());
        if probations.is_empty() {
            continue;
        }
        let today = homes.day_at(books, partner, as_of)?;
        for probation in probations {
            let Some(region) = homes.region_on(partner, probation.from) else {
                continue;
            };
            let rules = &books
                .book(region, probation.from)
                .map_err(|reason| EvaluationError::Rules {
                    region: region.clone(),
                    on: probation.from,
                    reason,
                })?
                .review;
            let plan_due_on = add_days(probation.from, rules.plan_due_days);
            let outcome_due_on = add_days(probation.from, rules.probation_days);
            let state = match (&probation.ended, probation.plan_received_on) {
                (Some((Outcome::Passed, ..)), _) => "passed",
                (Some((Outcome::Failed, ..)), _) => "failed",
                (Some((Outcome::Superseded, ..)), _) => "superseded",
                (None, _) if today > outcome_due_on => "outcome_overdue",
                (None, Some(_)) => "running",
                (None, None) if today > plan_due_on => "plan_overdue",
                (None, None) => "plan_awaited",
            };
            let (ended_on, ended_by) = match &probation.ended {
                Some((_, on, by)) => (Some(*on), Value::Text(by.clone())),
                None => (None, Value::Null),
            };
            table.push(vec![
                partner.as_str().into(),
                domain.as_str().into(),
                probation.from.into(),
                probation.decision_id.into(),
                plan_due_on.into(),
                probation.plan_received_on.into(),
                outcome_due_on.into(),
                ended_on.into(),
                ended_by,
                state.into(),
            ]);
        }
    }
    Ok(table)
}
