//! The programme beside the scores: certifications as they hold, the authorisation and discount checks, reviews, entitlements.
//!
//! Duty: hand feeds, decisions and measures over, stage the tables. Not its duty: what a decision changes, what is
//! authorised or recommended.

use super::evaluate::RedLines;
use super::{PipelineError, Refresh, Timeline};
use crate::evaluation::authorisation::{self, Checked};
use crate::evaluation::certifications;
use crate::evaluation::entitlements::{self, Uses};
use crate::evaluation::homes::Homes;
use crate::evaluation::review::{self, ReviewInputs};
use crate::evaluation::review_acts::{self, ReviewAct};
use crate::incentives::discounts;

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

    /// Stages `discount_checks`; those of sealed periods stay as they are.
    pub(super) fn discounts(&mut self, timeline: &Timeline) -> Result<(), PipelineError> {
        self.carry_sealed("discount_checks", timeline)?;
        let measured = ["vendor", "collaborative"].map(|model| self.table(&format!("measures_discounts_{model}")));
        let [vendor, collaborative] = measured;
        let open: Vec<String> = timeline.open.iter().map(ToString::to_string).collect();
        let mut found = discounts::checks([&vendor?, &collaborative?])
            .map_err(|e| PipelineError::stage("the discount check")(e.to_string()))?;
        if let Some(column) = found.column("period") {
            found.rows.retain(|row| open.contains(&row[column].to_string()));
        }
        self.put(found)
    }

    /// Stages `reviews`, `review_criteria`, `improvement_plans` and `entitlements`.
    pub(super) fn reviews(
        &mut self,
        timeline: &Timeline,
        acts: &[ReviewAct],
        red_lines: &RedLines,
    ) -> Result<(), PipelineError> {
        let stage = |e: crate::evaluation::EvaluationError| PipelineError::stage("the reviews")(e.to_string());
        let books = &self.task.config.rules;
        let mut sealed = self.parent_table("reviews")?;
        if let Some(column) = sealed.column("period") {
            let open: Vec<String> = timeline.open.iter().map(ToString::to_string).collect();
            sealed.rows.retain(|row| !open.contains(&row[column].to_string()));
        }
        self.carry_sealed("review_criteria", timeline)?;
        let (certifications, domains) = (self.table("effective_certifications")?, self.table("domains")?);
        let inputs = ReviewInputs {
            periods: &timeline.open,
            scores: &self.table("scores")?,
            metrics: &self.table("metrics")?,
            deliveries: &self.table("measures_deliveries")?,
            partner_periods: &self.table("calendar_partner_periods")?,
            certifications: &certifications,
            domains: &domains,
            engineers: &self.table("engineers")?,
            enablement: &self.table("enablement")?,
            acts,
            freezes: &red_lines.freezes,
            holds: &red_lines.holds,
            sealed: &sealed,
        };
        let reviewed = review::review(&inputs, books).map_err(stage)?;
        let homes = Homes::read(&self.table("partners")?).map_err(stage)?;
        let plans = review::plans::table(acts, &homes, books, self.task.as_of).map_err(stage)?;
        let uses = Uses {
            years: &self.table("calendar_partner_years")?,
            support: &self.table("measures_support_used")?,
            training: &self.table("measures_training_used")?,
            certifications: &certifications,
            domains: &domains,
            today: timeline.today,
        };
        let entitled = entitlements::entitlements(&uses, books).map_err(stage)?;
        for table in [reviewed.reviews, reviewed.criteria, plans, entitled] {
            self.put(table)?;
        }
        Ok(())
    }
}
