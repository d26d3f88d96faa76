//! The evaluation of the open periods.
//!
//! Duty: gather measures, feeds and sealed results, hand them over, stage the tables. Not its duty: a single number.

use std::collections::{BTreeMap, BTreeSet};

use super::{Evaluated, PipelineError, Refresh, Timeline};
use crate::domain::{Grade, Period, Table};
use crate::evaluation::authorisation::with_findings;
use crate::evaluation::derivation_table::COLUMNS as DERIVATIONS;
use crate::evaluation::{self, Freeze, Hold, Inputs};

/// Tables of the evaluation that are frozen with their period.
pub(super) const SEALED_WITH_PERIOD: [&str; 8] = [
    "metrics",
    "scores",
    "partner_scores",
    "figures",
    "score_changes",
    "peer_figures",
    "derivations",
    "next_steps",
];

/// What red lines do to money.
pub(super) struct RedLines {
    pub freezes: Vec<Freeze>,
    pub holds: Vec<Hold>,
}

impl Refresh<'_> {
    /// Stages metrics, scores, cards, key events and derivations; returns the red lines, which money needs.
    pub(super) fn evaluate(&mut self, timeline: &Timeline) -> Result<RedLines, PipelineError> {
        for table in SEALED_WITH_PERIOD {
            self.carry_sealed(table, timeline)?;
        }
        let inputs = self.evaluation_inputs(timeline.open.clone(), timeline)?;
        let books = &self.task.config.rules;
        // a period that is told of, or is told of next
        let ahead = timeline
            .ended
            .iter()
            .filter(|p| timeline.open.contains(p))
            .copied()
            .collect();
        let (evaluated, next_steps) =
            evaluation::evaluate_and_look_ahead(&inputs, books, &ahead).map_err(|e| PipelineError::Stage {
                what: "the evaluation",
                detail: e.to_string(),
            })?;
        self.summary.findings.extend(evaluated.findings.clone());
        if let Some(latest) = timeline.open.last() {
            self.summary.evaluated = Some(counts(*latest, &evaluated.partner_scores)?);
        }
        // a period at a time: they are by far the most rows
        let explained: BTreeSet<Period> = evaluated.derivations.cards.keys().map(|(_, period)| *period).collect();
        if explained.is_empty() {
            self.put(Table::new("derivations", &DERIVATIONS))?;
        }
        for period in explained {
            self.put(evaluated.derivation_steps(period))?;
        }
        for table in [
            evaluated.metrics,
            evaluated.scores,
            evaluated.partner_scores,
            evaluated.key_event_points,
            evaluated.figures,
            evaluated.score_changes,
            evaluated.peer_figures,
            next_steps,
        ] {
            self.put(table)?;
        }
        Ok(RedLines {
            freezes: evaluated.freezes,
            holds: evaluated.holds,
        })
    }

    /// Everything that an evaluation of some periods rests on.
    fn evaluation_inputs(&self, periods: Vec<Period>, timeline: &Timeline) -> Result<Inputs, PipelineError> {
        let programme = self.task.config.rules.programme();
        let sealed: BTreeSet<String> = timeline
            .ended
            .iter()
            .filter(|p| timeline.is_sealed(programme, **p))
            .map(ToString::to_string)
            .collect();
        let decisions = self.table("decisions")?;
        let findings = self.table("authorisation_findings")?;
        let mut key_event_points = self.parent_table("key_event_points")?;
        if let Some(column) = key_event_points.column("period") {
            key_event_points
                .rows
                .retain(|row| sealed.contains(&row[column].to_string()));
        }
        Ok(Inputs {
            periods,
            partner_periods: self.table("calendar_partner_periods")?,
            satisfaction: self.table("measures_satisfaction")?,
            quality: self.table("measures_quality")?,
            critical: self.table("measures_critical")?,
            parts: self.table("measures_parts")?,
            deliveries: self.table("measures_deliveries")?,
            service_level: self.optional("measures_service_level")?,
            ratings: self.optional("measures_ratings")?,
            responses: self.optional("measures_responses")?,
            own: self.own_measures()?,
            engineers: self.table("engineers")?,
            enablement: self.table("enablement")?,
            certifications: self.table("effective_certifications")?,
            domains: self.table("domains")?,
            key_events: with_findings(self.table("key_events")?, &findings, &decisions),
            decisions,
            // staged so far are the carried, that is the sealed ones
            sealed_scores: self.table("scores")?,
            sealed_partner_scores: self.table("partner_scores")?,
            sealed_metrics: self.table("metrics")?,
            sealed_key_event_points: key_event_points,
            incomplete: self.incomplete(timeline)?,
        })
    }
}

impl Refresh<'_> {
    /// A measure that a workspace need not have; empty where it has none.
    fn optional(&self, table: &str) -> Result<Table, PipelineError> {
        match self.task.config.catalogue.get(table) {
            Some(_) => self.table(table),
            None => Ok(Table::new(table, &[])),
        }
    }

    /// The measures of the programme's own metrics, by name.
    fn own_measures(&self) -> Result<BTreeMap<String, Table>, PipelineError> {
        let names = self.task.config.own_measures().into_iter();
        names
            .map(|name| Ok((name.clone(), self.table(&format!("measures_{name}"))?)))
            .collect()
    }
}

fn counts(period: Period, cards: &Table) -> Result<Evaluated, PipelineError> {
    let mut out = Evaluated {
        period,
        rated: 0,
        provisional: 0,
        not_rated: 0,
        grades: [0; 5],
    };
    for row in cards
        .iter()
        .filter(|r| r.text("period").is_ok_and(|p| p == period.to_string()))
    {
        match row.text("state")? {
            "rated" => out.rated += 1,
            "provisional" => out.provisional += 1,
            _ => out.not_rated += 1,
        }
        if let Some(grade) = row.opt_text("grade")?.and_then(Grade::parse)
            && let Some(i) = Grade::ALL.iter().position(|g| *g == grade)
        {
            out.grades[i] += 1;
        }
    }
    Ok(out)
}
