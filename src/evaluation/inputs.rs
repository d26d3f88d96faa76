//! What the evaluation takes and what it gives.
//!
//! Duty: the shapes at the door of the room. Not its duty: reading tables into typed rows (`facts`), computing.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::derivation::Derivations;
use super::derivation_table;
use crate::domain::ids::{PartnerId, RegionId};
use crate::domain::{Date, Findings, Period, Table, TableError};
pub use crate::rules::Books;
use crate::rules::{MetricId, RuleBook};

/// Everything that an evaluation rests on. Tables are read by column name; the order of rows does not matter.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The periods to compute: ended and not closed. To explain a closed period, name that one alone and give all
    /// its rows of `key_event_points` in `sealed_key_event_points`.
    pub periods: Vec<Period>,
    /// `calendar_partner_periods`: one row per partner × period with its region and bounds. Like the measures it
    /// covers the periods to compute and the look-back periods before them.
    pub partner_periods: Table,
    /// `measures_satisfaction`.
    pub satisfaction: Table,
    /// `measures_quality`.
    pub quality: Table,
    /// `measures_critical`.
    pub critical: Table,
    /// `measures_parts`.
    pub parts: Table,
    /// `measures_deliveries`.
    pub deliveries: Table,
    /// `measures_service_level`; empty where no rule asks for it.
    pub service_level: Table,
    /// `measures_ratings`: for figures that are shown and not scored.
    pub ratings: Table,
    /// `measures_responses`: as above.
    pub responses: Table,
    /// Measures of the programme's own metrics, by the name of the measure.
    pub own: BTreeMap<String, Table>,
    /// The feed, current rows.
    pub engineers: Table,
    /// The feed, current rows.
    pub enablement: Table,
    /// The feed, current rows.
    pub certifications: Table,
    /// The feed, current rows.
    pub domains: Table,
    /// The feed, current rows.
    pub key_events: Table,
    /// The feed, current rows; other kinds than `confirm`, `appeal` and `withdraw` are passed over.
    pub decisions: Table,
    /// `scores` of closed periods: for the change against the previous period; never computed again.
    pub sealed_scores: Table,
    /// `partner_scores` of closed periods.
    pub sealed_partner_scores: Table,
    /// `metrics` of closed periods.
    pub sealed_metrics: Table,
    /// `key_event_points` whose period is closed: such an event stays where it counted.
    pub sealed_key_event_points: Table,
    /// What rests on a feed that was silent or thin, for whom.
    pub incomplete: BTreeSet<(MetricId, PartnerId, Period)>,
}

/// The result. Tables have the columns of their constants in `tables` and are sorted by key.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// Partner × domain × period × metric, of the periods computed.
    pub metrics: Table,
    /// Partner × domain × period, of the periods computed.
    pub scores: Table,
    /// Partner × period, of the periods computed.
    pub partner_scores: Table,
    /// Partner × domain × period × part, of the periods computed: what each change is made of.
    pub score_changes: Table,
    /// Medians and quartiles by period, rules, domain and figure.
    pub peer_figures: Table,
    /// Partner × domain × period × figure, of the periods computed; shown, never scored.
    pub figures: Table,
    /// One row per event, whatever its period; those of closed periods unchanged.
    pub key_event_points: Table,
    /// Black: by partner and day, disjoint.
    pub freezes: Vec<Freeze>,
    /// Yellow: by partner and day, disjoint.
    pub holds: Vec<Hold>,
    /// Every intermediate value of every score: what `explain` prints.
    pub derivations: Derivations,
    pub findings: Findings,
}

impl Evaluated {
    /// The explanation of every number of a period, as rows of `derivations`: what `explain` prints. A period at a time,
    /// for there are some hundred rows to a card.
    #[must_use]
    pub fn derivation_steps(&self, period: Period) -> Table {
        derivation_table::table(&self.derivations, period)
    }
}

/// Black: sales dated from `from` to before `until` earn nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Freeze {
    pub partner: PartnerId,
    pub from: Date,
    /// Exclusive.
    pub until: Date,
}

/// Yellow: amounts that become payable from `from` to before `until` are held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hold {
    pub partner: PartnerId,
    pub from: Date,
    /// Exclusive.
    pub until: Date,
}

/// Why nothing can be evaluated: a table, or the rule book, is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EvaluationError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("table {table}, column {column}: '{value}' {problem}; correct the row and run again")]
    Value {
        table: String,
        column: String,
        value: String,
        problem: String,
    },
    #[error("table {table} has two rows for {key}; keep one")]
    Duplicate { table: String, key: String },
    #[error("no rules for region {region} on {on}: {reason}")]
    Rules { region: RegionId, on: Date, reason: String },
    #[error("the rules of region {region} from {from} say nothing of {key}; add it to the edition")]
    MissingRule { region: RegionId, from: Date, key: String },
    #[error("programme.first_period: {0}")]
    FirstPeriod(String),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<EvaluationError>),
}

impl EvaluationError {
    /// A key that a rule book lacks.
    #[must_use]
    pub fn missing(book: &RuleBook, key: impl Into<String>) -> EvaluationError {
        EvaluationError::MissingRule {
            region: book.region.clone(),
            from: book.effective_from,
            key: key.into(),
        }
    }
}
