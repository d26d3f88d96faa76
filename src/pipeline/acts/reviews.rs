//! Certification reviews for those who decide: recommendations, decisions, improvement plans.
//!
//! Duty: reviews of the release with what is on its way; whether a decision may follow, by laying it over the
//! certifications as a run will. Must not: recommend.

use super::deliver::{Decided, deliver, instant};
use super::known::{Act, acts};
use super::{Delivered, Person};
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Date, Findings, Instant, Table};
use crate::evaluation::certifications::{Certifications, effective};
use crate::evaluation::homes::Homes;
use crate::evaluation::review::plans::{Probation, probations};
use crate::evaluation::review_acts::{self, ReviewAct, Verdict, subject};
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::store::layout::Layout;
use crate::store::release::Release;

const KINDS: [&str; 1] = ["review"];

/// Reviews, criteria and plans of a release, and all decisions of reviews, those on their way included.
#[derive(Debug)]
pub struct Reviews {
    pub reviews: Table,
    pub criteria: Table,
    pub plans: Table,
    pub acts: Vec<Act>,
}

pub fn open(layout: &Layout, release: &Release) -> Result<Reviews, PipelineError> {
    Ok(Reviews {
        reviews: release.read_table("reviews")?,
        criteria: release.read_table("review_criteria")?,
        plans: release.read_table("improvement_plans")?,
        acts: acts(layout, release, &KINDS)?,
    })
}

/// What someone decides on a certification.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    pub partner: &'a str,
    pub domain: &'a str,
    pub verdict: Verdict,
    /// First day on which it holds, where that is not the day on which it was taken.
    pub from: Option<Date>,
}

/// Delivers a decision on a certification, or says why it cannot follow.
pub fn decide(
    layout: &Layout,
    config: &Config,
    release: &Release,
    order: &Order,
    person: &Person,
) -> Result<Delivered, PipelineError> {
    let usage = |message: String| PipelineError::Usage(message);
    let stage = |e: crate::evaluation::EvaluationError| PipelineError::stage("the certifications")(e.to_string());
    let partner = PartnerId::new(order.partner).map_err(|e| usage(format!("'{}' {e}", order.partner)))?;
    let domain = DomainId::new(order.domain).map_err(|e| usage(format!("'{}' {e}", order.domain)))?;
    let subject = subject(&partner, &domain);
    let homes = Homes::read(&release.read_table("partners")?).map_err(stage)?;
    if homes.region_on(&partner, Date::MAX).is_none() {
        return Err(usage(format!("there is no partner {partner} in the release")));
    }
    let zone = homes.zone_at(&config.rules, &partner, person.now).map_err(stage)?;
    let known = acts(layout, release, &KINDS)?;
    let earlier: Vec<&Act> = known.iter().filter(|act| act.subject == subject).collect();
    let at = instant(person, zone, &earlier)?;
    let decided_on = zone.date_of(at);
    let from = order.from.unwrap_or(decided_on);
    if from < decided_on {
        return Err(usage(format!(
            "it was decided on {decided_on} and cannot hold from {from}: a decision counts from its date"
        )));
    }
    let tried = Tried {
        config,
        release,
        homes: &homes,
        known: &known,
    };
    tried.check(&partner, &domain, order.verdict, from, at)?;
    let decided = Decided {
        kind: "review",
        subject: &subject,
        outcome: order.verdict.as_str(),
        effective_on: Some(from),
        subject_hash: None,
        amount: None,
    };
    deliver(layout, config, person, &decided, at)
}

/// A decision before it is delivered.
struct Tried<'a> {
    config: &'a Config,
    release: &'a Release,
    homes: &'a Homes,
    known: &'a [Act],
}

impl Tried<'_> {
    /// Lays all decisions and this one over the certifications, as the next run will.
    fn check(
        &self,
        partner: &PartnerId,
        domain: &DomainId,
        verdict: Verdict,
        from: Date,
        at: Instant,
    ) -> Result<(), PipelineError> {
        const PROPOSED: &str = "this decision";
        let usage = |message: String| Err(PipelineError::Usage(message));
        let stage = |e: crate::evaluation::EvaluationError| PipelineError::stage("the certifications")(e.to_string());
        let mut findings = Findings::new();
        let mut acts =
            review_acts::acts(&table(self.known), self.homes, &self.config.rules, &mut findings).map_err(stage)?;
        let of_subject = |act: &&ReviewAct| act.partner == *partner && act.domain == *domain;
        let probation = probations(acts.iter().filter(of_subject)).pop();
        let decided_on = self.homes.day_at(&self.config.rules, partner, at).map_err(stage)?;
        acts.push(ReviewAct {
            from,
            decided_at: at,
            decided_on,
            decision_id: PROPOSED.into(),
            partner: partner.clone(),
            domain: domain.clone(),
            verdict,
            by: "".into(),
            reason: "".into(),
        });
        acts.sort();
        let (feed, domains) = (
            self.release.read_table("certifications")?,
            self.release.read_table("domains")?,
        );
        findings.clear();
        let held = effective(&feed, &domains, &acts, &mut findings).map_err(stage)?;
        if let Some(finding) = findings.iter().find(|f| f.place.column.as_deref() == Some(PROPOSED)) {
            return usage(finding.message.clone());
        }
        let certifications = Certifications::read(&held, &domains).map_err(stage)?;
        if certifications.on(partner, domain, from).is_none() {
            return usage(format!("{partner} holds no certification in {domain} on {from}"));
        }
        match obstacle(verdict, probation.as_ref(), from) {
            Some(obstacle) => usage(format!("{partner} in {domain}: {obstacle}")),
            None if verdict == Verdict::RefuseUpgrade && !self.upgrade_is_recommended(partner, domain)? => usage(
                format!("no upgrade of {partner} in {domain} is recommended, so there is none to refuse"),
            ),
            None => Ok(()),
        }
    }

    /// Whether the last review of a certification recommends an upgrade.
    fn upgrade_is_recommended(&self, partner: &PartnerId, domain: &DomainId) -> Result<bool, PipelineError> {
        let reviews = self.release.read_table("reviews")?;
        let mut last: Option<(Date, bool)> = None;
        for row in reviews.iter() {
            if row.text("partner_id")? == partner.as_str() && row.text("domain")? == domain.as_str() {
                let found = (row.date("review_on")?, row.text("recommendation")? == "upgrade");
                last = last.max(Some(found));
            }
        }
        Ok(last.is_some_and(|(_, upgrade)| upgrade))
    }
}

/// Why a decision about a probation cannot follow.
fn obstacle(verdict: Verdict, last: Option<&Probation>, from: Date) -> Option<String> {
    let running = last.filter(|p| p.ended.is_none());
    match (verdict, running) {
        (Verdict::Probation, Some(p)) => Some(format!("a probation runs since {}: decide on that one first", p.from)),
        (Verdict::PlanReceived, Some(p)) if p.plan_received_on.is_some() => {
            Some("its improvement plan was received already".to_owned())
        }
        (Verdict::PlanReceived | Verdict::ProbationPassed | Verdict::ProbationFailed, Some(p)) if from < p.from => {
            Some(format!("its probation begins on {}", p.from))
        }
        (Verdict::PlanReceived | Verdict::ProbationPassed | Verdict::ProbationFailed, None) => {
            Some("no probation is running".to_owned())
        }
        _ => None,
    }
}

/// Acts as rows of `decisions`.
fn table(acts: &[Act]) -> Table {
    let columns = [
        "decision_id",
        "kind",
        "subject",
        "outcome",
        "effective_on",
        "reason",
        "by",
        "decided_at",
    ];
    let mut table = Table::new("decisions", &columns);
    for act in acts {
        table.push(vec![
            act.decision_id.as_str().into(),
            act.kind.as_str().into(),
            act.subject.as_str().into(),
            act.outcome.as_str().into(),
            act.effective_on.into(),
            act.reason.as_str().into(),
            act.by.as_str().into(),
            act.decided_at.into(),
        ]);
    }
    table
}
