//! The programme beside the scores: certifications as they hold, and the authorisation check.
//!
//! Duty: hand feeds, decisions and measures over, stage the tables. Not its duty: what a decision changes, what is
//! authorised.

use super::{PipelineError, Refresh, Timeline};
use crate::evaluation::authorisation::{self, Checked};
use crate::evaluation::certifications;
use crate::evaluation::homes::Homes;
use crate::evaluation::review_acts::{self, ReviewAct};

impl Refresh<'_> {
    /// Stages `effective_certifications`; returns the decisions of reviews.
    pub(super) fn certifications(&mut self) -> Result<Vec<ReviewAct>, PipelineError> {
        let stage = |e: crate::evaluation::EvaluationError| PipelineError::stage("the certifications")(e.to_string());
        let (decisions, partners) = (self.table("decisions")?, self.table("partners")?);
        let (feed, domains) = (self.table("certifications")?, self.table("domains")?);
        let homes = Homes::read(&partners).map_err(stage)?;
        let mut findings = Vec::new();
        let acts = review_acts::acts(&decisions, &homes, &self.task.config.rules, &mut findings).map_err(stage)?;
        let effective = certifications::effective(&feed, &domains, &acts, &mut findings).map_err(stage)?;
        self.summary.findings.extend(findings);
        self.put(effective)?;
        Ok(acts)
    }

    /// Stages `authorisation_findings`; those of sealed periods stay as they are.
    pub(super) fn authorisation(&mut self, timeline: &Timeline) -> Result<(), PipelineError> {
        self.carry_sealed("authorisation_findings", timeline)?;
        let checked = Checked {
            periods: &timeline.open,
            deliveries: &self.table("measures_authorisation_deliveries")?,
            first_nodes: &self.table("measures_authorisation_first_nodes")?,
            sales: &self.table("measures_authorisation_sales")?,
            exposure: &self.table("measures_authorisation_exposure")?,
            partner_periods: &self.table("calendar_partner_periods")?,
            certifications: &self.table("effective_certifications")?,
            domains: &self.table("domains")?,
        };
        let found = authorisation::findings(&checked, &self.task.config.rules)
            .map_err(|e| PipelineError::stage("the authorisation check")(e.to_string()))?;
        self.put(found)
    }
}
