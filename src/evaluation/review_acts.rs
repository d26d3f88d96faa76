//! Decisions of reviews: what people decided on a certification, and from which day it holds.
//!
//! Duty: read the decisions of kind `review`, in the order of the days from which they hold. Not its duty: what changes
//! by them (`certifications`), what was recommended (`review`).

use std::sync::Arc;

use super::fields::{Read, each};
use super::homes::Homes;
use super::inputs::Books;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Date, Finding, Findings, Instant, Place, Table};

/// What a person decided on a certification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Keep,
    Upgrade,
    /// The upgrade that was recommended is refused.
    RefuseUpgrade,
    Probation,
    Downgrade,
    Suspend,
    Reinstate,
    /// The partner was told that it does not meet the criteria of its star.
    Notice,
    /// The improvement plan of a probation was handed in.
    PlanReceived,
    ProbationPassed,
    ProbationFailed,
}

impl Verdict {
    pub const ALL: [Verdict; 11] = [
        Verdict::Keep,
        Verdict::Upgrade,
        Verdict::RefuseUpgrade,
        Verdict::Probation,
        Verdict::Downgrade,
        Verdict::Suspend,
        Verdict::Reinstate,
        Verdict::Notice,
        Verdict::PlanReceived,
        Verdict::ProbationPassed,
        Verdict::ProbationFailed,
    ];

    /// The outcome of the decision.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Keep => "keep",
            Verdict::Upgrade => "upgrade",
            Verdict::RefuseUpgrade => "refuse_upgrade",
            Verdict::Probation => "probation",
            Verdict::Downgrade => "downgrade",
            Verdict::Suspend => "suspend",
            Verdict::Reinstate => "reinstate",
            Verdict::Notice => "notice",
            Verdict::PlanReceived => "plan_received",
            Verdict::ProbationPassed => "probation_passed",
            Verdict::ProbationFailed => "probation_failed",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|v| v.as_str() == name)
    }

    /// Whether it answers a recommendation (the others accompany a probation or a notice).
    #[must_use]
    pub fn decides(self) -> bool {
        !matches!(
            self,
            Verdict::Notice | Verdict::PlanReceived | Verdict::ProbationPassed | Verdict::ProbationFailed
        )
    }

    /// Whether a certification changes by it.
    #[must_use]
    pub fn changes(self) -> bool {
        matches!(
            self,
            Verdict::Upgrade | Verdict::Downgrade | Verdict::Suspend | Verdict::Reinstate
        )
    }
}

/// A decision of kind `review`. Ordered by the day from which it holds, then by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReviewAct {
    /// First day on which it holds: the later of `effective_on` and the local day on which it was taken.
    pub from: Date,
    pub decided_at: Instant,
    /// The local day of the partner.
    pub decided_on: Date,
    pub decision_id: Arc<str>,
    pub partner: PartnerId,
    pub domain: DomainId,
    pub verdict: Verdict,
    pub by: Arc<str>,
    pub reason: Arc<str>,
}

/// The subject of a review decision: `EM-0003:routing-switching`.
#[must_use]
pub fn subject(partner: &PartnerId, domain: &DomainId) -> String {
    format!("{partner}:{domain}")
}

fn parse_subject(text: &str) -> Option<(PartnerId, DomainId)> {
    let (partner, domain) = text.rsplit_once(':')?;
    Some((PartnerId::new(partner).ok()?, DomainId::new(domain).ok()?))
}

/// The review decisions in their order, and those that cannot be read as findings.
pub fn acts(decisions: &Table, homes: &Homes, books: &dyn Books, findings: &mut Findings) -> Read<Vec<ReviewAct>> {
    let mut acts = Vec::new();
    each(decisions, |row| {
        if row.text("kind")? != "review" {
            return Ok(());
        }
        let decision_id: Arc<str> = row.text("decision_id")?.into();
        let mut refuse = |rule: &str, message: String, remedy: &str| {
            let place = Place::file("decisions").column(&*decision_id);
            findings.push(Finding::warning(place, rule, message, remedy));
        };
        let Some((partner, domain)) = parse_subject(row.text("subject")?) else {
            let message = format!("'{}' names no certification", row.text("subject")?);
            refuse(
                "review.subject",
                message,
                "name partner and domain such as EM-0003:cloud",
            );
            return Ok(());
        };
        let outcome = row.text("outcome")?;
        let Some(verdict) = Verdict::parse(outcome) else {
            let known: Vec<&str> = Verdict::ALL.iter().map(|v| v.as_str()).collect();
            let message = format!("outcome '{outcome}' is none of a review; it was passed over");
            refuse("review.outcome", message, &format!("write one of {}", known.join(", ")));
            return Ok(());
        };
        let decided_at = row.instant("decided_at")?;
        let decided_on = homes.day_at(books, &partner, decided_at)?;
        let effective_on = row.opt_date("effective_on")?.unwrap_or(decided_on);
        if effective_on < decided_on {
            let message =
                format!("it was to hold from {effective_on}, before it was taken: it holds from {decided_on}");
            refuse("review.backdated", message, "a decision counts from its date");
        }
        acts.push(ReviewAct {
            from: effective_on.max(decided_on),
            decided_at,
            decided_on,
            decision_id,
            partner,
            domain,
            verdict,
            by: row.text("by")?.into(),
            reason: row.text("reason")?.into(),
        });
        Ok(())
    })?;
    acts.sort();
    Ok(acts)
}
