//! The rule book as typed values: what a region's programme decides on a day.
//!
//! Duty: shapes only, with units in types or last in names. Not its duty: reading files (`read`), resolving editions
//! and regions (`editions`).

use std::collections::BTreeMap;

use super::authorisation::AuthorisationRules;
use super::discounts::DiscountRules;
use super::entitlements::Entitlement;
use super::formula::Formula;
use super::key_events::KeyEventRules;
pub use super::metric_id::{MetricId, MetricName};
use super::red_lines::RedLineRules;
use super::review::ReviewRules;
use super::scheme::Scheme;
use super::settlement::SettlementRules;
use crate::domain::ids::{RegionId, SchemeId};
use crate::domain::{Date, Digest, FiscalCalendar, Grade, PeriodKind, Place, Ratio, Zone};

/// One resolved set of rules: a region's edition laid over the global one.
#[derive(Clone, Debug)]
pub struct RuleBook {
    pub region: RegionId,
    /// First day of the younger of the two editions it was resolved from.
    pub effective_from: Date,
    /// SHA-256 of the resolved values (not of comments, order or file names).
    pub hash: Digest,
    pub zone: Zone,
    pub evaluation: EvaluationRules,
    pub satisfaction: SatisfactionRules,
    pub quality: QualityRules,
    pub parts: PartsRules,
    /// `None` where a region says nothing of it: then there is no such metric.
    pub service_level: Option<ServiceLevelRules>,
    /// As above.
    pub enablement: Option<EnablementRules>,
    /// The programme's own.
    pub own: BTreeMap<MetricName, OwnMetric>,
    pub key_events: KeyEventRules,
    pub red_lines: RedLineRules,
    pub grades: GradeBands,
    pub card: CardRules,
    pub authorisation: AuthorisationRules,
    pub review: ReviewRules,
    /// Sorted by name.
    pub entitlements: Vec<Entitlement>,
    /// What is allowed on services; `None` where a region says nothing of it: then nothing is checked.
    pub discounts: Option<DiscountRules>,
    /// What the star grades ask for; `None` where a region says nothing of it.
    pub star_criteria: Option<StarCriteria>,
    pub schemes: BTreeMap<SchemeId, Scheme>,
}

impl RuleBook {
    /// The metrics that there are, in their order.
    #[must_use]
    pub fn metrics(&self) -> Vec<MetricId> {
        let optional = [
            self.service_level.as_ref().map(|_| MetricId::ServiceLevel),
            self.enablement.as_ref().map(|_| MetricId::Enablement),
        ];
        [MetricId::Satisfaction, MetricId::Quality, MetricId::Parts]
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain(self.own.keys().copied().map(MetricId::Own))
            .collect()
    }

    /// The weight of a metric, 0…100; 0 for one that there is not.
    #[must_use]
    pub fn weight(&self, metric: MetricId) -> Ratio {
        let weight = match metric {
            MetricId::Satisfaction => Some(&self.satisfaction.weight),
            MetricId::Quality => Some(&self.quality.weight),
            MetricId::Parts => Some(&self.parts.weight),
            MetricId::ServiceLevel => self.service_level.as_ref().map(|rules| &rules.weight),
            MetricId::Enablement => self.enablement.as_ref().map(|rules| &rules.weight),
            MetricId::Own(name) => self.own.get(&name).map(|rules| &rules.weight),
        };
        weight.cloned().unwrap_or_else(Ratio::zero)
    }
}

/// What holds for the whole programme and must be the same in every region; from the global edition only.
#[derive(Clone, Debug)]
pub struct ProgrammeRules {
    pub name: String,
    /// Name of the calendar, as in `settled/<calendar>/`.
    pub calendar_name: String,
    pub calendar: FiscalCalendar,
    pub evaluation_period: PeriodKind,
    pub posting_period: PeriodKind,
    /// First period that is evaluated and posted, such as `2025-Q4`.
    pub first_period: String,
    /// Days, from the day a result is sent, within which a partner can contest it.
    pub contest_days: u32,
    pub settlement: SettlementRules,
}

/// Composite and missing data.
#[derive(Clone, Debug)]
pub struct EvaluationRules {
    /// Least weight of rated or provisional metrics, 0…100.
    pub minimum_coverage: Ratio,
    pub minimum_metrics: usize,
    /// One of these must be rated or provisional.
    pub requires_one_of: Vec<MetricId>,
    pub redistribution: Redistribution,
}

/// Where the weight of a missing metric goes.
#[derive(Clone, Debug)]
pub enum Redistribution {
    /// To the others in proportion to their weights.
    Proportional,
    /// By a table of the region: missing metric → shares of its weight that go to the others (each row adds up to 1;
    /// shares that would go to a metric that is missing too are spread in proportion).
    Table(BTreeMap<MetricId, BTreeMap<MetricId, Ratio>>),
}

/// Piecewise-linear map to 0…100, flat outside; knots ascend in `x`.
#[derive(Clone, Debug)]
pub struct Knots(pub Vec<(Ratio, Ratio)>);

#[derive(Clone, Debug)]
pub struct SatisfactionRules {
    /// 0…100; the weights of all metrics add up to 100.
    pub weight: Ratio,
    /// Weight of an answer by customer class: key, large, ordinary.
    pub class_weights: BTreeMap<String, Ratio>,
    /// Largest share one customer may have, such as 0.4.
    pub customer_cap: Ratio,
    /// The cap applies with this many customers of positive weight or more.
    pub customer_cap_from_customers: usize,
    /// m of the shrinkage, in answers.
    pub shrinkage: Ratio,
    /// Answers a peer group needs.
    pub peer_minimum_answers: i64,
    /// p₀ when no group has enough.
    pub peer_default: Ratio,
    /// This period and the ones before it, such as 4.
    pub look_back_periods: usize,
    pub insufficient_below_answers: i64,
    pub provisional_below_answers: i64,
    pub knots: Knots,
}

#[derive(Clone, Debug)]
pub struct QualityRules {
    pub weight: Ratio,
    /// Weight of an inspection by how it was selected: random, risk, complaint.
    pub selection_weights: BTreeMap<String, Ratio>,
    /// Points off per finding where an inspection has no score.
    pub critical_points: Ratio,
    pub major_points: Ratio,
    pub minor_points: Ratio,
    /// m of the shrinkage, in inspections.
    pub shrinkage: Ratio,
    pub peer_minimum_inspections: i64,
    /// Peers' mean when no group has enough, 0…100.
    pub peer_default: Ratio,
    pub look_back_periods: usize,
    pub insufficient_below_inspections: i64,
    /// A critical finding open for more days than this …
    pub critical_open_days: u32,
    /// … holds the metric at this, 0…100.
    pub critical_cap: Ratio,
    pub knots: Knots,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayKind {
    Calendar,
    /// Monday to Friday without the holidays of the region.
    Business,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartsMode {
    Rate,
    Count,
}

#[derive(Clone, Debug)]
pub struct PartsRules {
    pub weight: Ratio,
    pub mode: PartsMode,
    pub due_days: u32,
    pub due_day_kind: DayKind,
    /// Added to shipped_on where received_on is missing; calendar days.
    pub transit_allowance_days: u32,
    /// A part overdue for more days than this …
    pub long_overdue_days: u32,
    /// … costs this many points (rate mode) …
    pub long_overdue_points: Ratio,
    /// … all together at most this many.
    pub long_overdue_points_cap: Ratio,
    /// Count mode: points off for each overdue part.
    pub count_points_each: Ratio,
    pub knots: Knots,
}

/// Share of deliveries completed by due_at, of those due.
#[derive(Clone, Debug)]
pub struct ServiceLevelRules {
    pub weight: Ratio,
    pub insufficient_below_deliveries: i64,
    pub provisional_below_deliveries: i64,
    pub knots: Knots,
}

/// Share of the criteria of the stars held that are met.
#[derive(Clone, Debug)]
pub struct EnablementRules {
    pub weight: Ratio,
    pub knots: Knots,
}

/// A metric of the programme's own: a rule over the columns of a measure.
#[derive(Clone, Debug)]
pub struct OwnMetric {
    pub name: MetricName,
    pub title: String,
    pub weight: Ratio,
    /// File name in `pipelines/measures/`, without `.sql`.
    pub measure: String,
    pub value: Formula,
    /// n: how much evidence there is; cut to a whole number.
    pub observations: Formula,
    pub direction: Direction,
    /// When the measure has no row of the partner × domain × period.
    pub without_rows: Missing,
    /// When a denominator is zero; there exactly where one can be. Never `Zero`.
    pub without_denominator: Option<Missing>,
    pub insufficient_below: i64,
    pub provisional_below: i64,
    /// Decimals to which the value is rounded, half away from zero, before it becomes points.
    pub decimals: Option<u8>,
    pub normalise: Normalise,
    /// Names of bands of the points as published; empty for none.
    pub labels: Vec<Label>,
    /// Where the rule is written.
    pub origin: Place,
}

/// Which way of the value is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Higher,
    Lower,
    /// The best value lies between.
    Target,
}

impl Direction {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Higher => "higher",
            Direction::Lower => "lower",
            Direction::Target => "target",
        }
    }
}

/// What holds where there is nothing to compute with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is nothing that it could measure.
    NotApplicable,
    /// Too little to say anything.
    Insufficient,
    /// No rows say that every sum is 0.
    Zero,
}

/// How a value becomes points; the result is held in 0…100.
#[derive(Clone, Debug)]
pub enum Normalise {
    Knots(Knots),
    /// A step owns its lower edge (`from_below`) or its upper one; the step without an edge holds for all others.
    Steps {
        from_below: bool,
        steps: Vec<Step>,
    },
    /// slope × value + offset.
    Linear {
        slope: Ratio,
        offset: Ratio,
    },
    /// start − each × value, at most so many points off, never more than start.
    Penalty {
        start: Ratio,
        each: Ratio,
        at_most: Ratio,
    },
    /// By exact value.
    LookUp {
        points: BTreeMap<Ratio, Ratio>,
        otherwise: Ratio,
    },
}

#[derive(Clone, Debug)]
pub struct Step {
    pub edge: Option<Ratio>,
    pub points: Ratio,
}

/// The name of a band; edges as in `Normalise::Steps`.
#[derive(Clone, Debug)]
pub struct Label {
    pub from_below: bool,
    pub edge: Option<Ratio>,
    pub label: String,
}

/// Lower edges by grade, descending: A from 90, … E from 0. Every score from 0 to 100 has exactly one grade.
#[derive(Clone, Debug)]
pub struct GradeBands(pub Vec<(Grade, Ratio)>);

#[derive(Clone, Debug)]
pub struct CardRules {
    /// With this many rated domains or more …
    pub domain_cap_from_domains: usize,
    /// … one counts for at most this share.
    pub domain_cap: Ratio,
}

/// Level of a certificate, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EngineerLevel {
    Associate,
    Professional,
    Expert,
}

impl EngineerLevel {
    pub const ALL: [(&'static str, EngineerLevel); 3] = [
        ("associate", EngineerLevel::Associate),
        ("professional", EngineerLevel::Professional),
        ("expert", EngineerLevel::Expert),
    ];

    /// The level by its name in the feed and in rule files.
    #[must_use]
    pub fn parse(name: &str) -> Option<EngineerLevel> {
        EngineerLevel::ALL
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, level)| level)
    }
}

/// What the star grades ask for, per domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarCriteria {
    /// A certificate counts when it still holds so many days after the day asked.
    pub certificate_outlasts_days: u32,
    /// Trainings and credits are those of so many days up to the day asked.
    pub training_days: u32,
    /// An engineer of this level or a higher one is a senior engineer.
    pub senior_level: EngineerLevel,
    /// By stars: 3, 4, 5.
    pub stars: BTreeMap<i64, StarNeeds>,
}

/// What one star grade asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarNeeds {
    /// Persons, senior ones among them.
    pub engineers: i64,
    pub senior_engineers: i64,
    pub project_managers: i64,
    pub trainings: i64,
    pub credits: Ratio,
}
