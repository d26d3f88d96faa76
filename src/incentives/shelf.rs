//! One rule book for tests: only its schemes matter here.

use std::collections::BTreeMap;

use super::Books;
use super::fixture::day;
use crate::domain::ids::{RegionId, SchemeId};
use crate::domain::{Date, Digest, FiscalCalendar, PeriodKind, Ratio, Zone};
use crate::rules::{
    AuthorisationRules, CardRules, DayKind, EvaluationRules, GradeBands, KeyEventRules, Knots, PartsMode, PartsRules,
    ProgrammeRules, QualityRules, RedLineRules, Redistribution, ReviewRules, RuleBook, SatisfactionRules, Scheme,
};

/// One book for region `emea`; every other region has none.
pub(super) struct Shelf {
    book: RuleBook,
    programme: ProgrammeRules,
}

impl Books for Shelf {
    fn book(&self, region: &RegionId, _on: Date) -> Result<&RuleBook, String> {
        if *region == self.book.region {
            Ok(&self.book)
        } else {
            Err(format!("region {region} has no rules"))
        }
    }

    fn regions(&self) -> Vec<RegionId> {
        Vec::new()
    }

    fn programme(&self) -> &ProgrammeRules {
        &self.programme
    }
}

impl Shelf {
    pub fn new(schemes: impl IntoIterator<Item = Scheme>) -> Shelf {
        let programme = ProgrammeRules {
            name: "test".to_owned(),
            calendar_name: "fiscal".to_owned(),
            calendar: FiscalCalendar::CALENDAR_YEAR,
            evaluation_period: PeriodKind::Quarter,
            posting_period: PeriodKind::Quarter,
            first_period: "2025-Q4".to_owned(),
            contest_days: 30,
            settlement: crate::rules::SettlementRules::default(),
        };
        Shelf {
            book: book(schemes.into_iter().map(|s| (s.id.clone(), s)).collect()),
            programme,
        }
    }
}

fn book(schemes: BTreeMap<SchemeId, Scheme>) -> RuleBook {
    let zero = Ratio::zero;
    let knots = || Knots(vec![(zero(), zero())]);
    RuleBook {
        discounts: None,
        region: RegionId::new("emea").unwrap(),
        effective_from: day("2025-10-01"),
        hash: Digest::of(b""),
        zone: Zone::UTC,
        evaluation: EvaluationRules {
            minimum_coverage: zero(),
            minimum_metrics: 0,
            requires_one_of: Vec::new(),
            redistribution: Redistribution::Proportional,
        },
        satisfaction: SatisfactionRules {
            weight: zero(),
            class_weights: BTreeMap::new(),
            customer_cap: zero(),
            customer_cap_from_customers: 0,
            shrinkage: zero(),
            peer_minimum_answers: 0,
            peer_default: zero(),
            look_back_periods: 0,
            insufficient_below_answers: 0,
            provisional_below_answers: 0,
            knots: knots(),
        },
        quality: QualityRules {
            weight: zero(),
            selection_weights: BTreeMap::new(),
            critical_points: zero(),
            major_points: zero(),
            minor_points: zero(),
            shrinkage: zero(),
            peer_minimum_inspections: 0,
            peer_default: zero(),
            look_back_periods: 0,
            insufficient_below_inspections: 0,
            critical_open_days: 0,
            critical_cap: zero(),
            knots: knots(),
        },
        parts: PartsRules {
            weight: zero(),
            mode: PartsMode::Rate,
            due_days: 0,
            due_day_kind: DayKind::Calendar,
            transit_allowance_days: 0,
            long_overdue_days: 0,
            long_overdue_points: zero(),
            long_overdue_points_cap: zero(),
            count_points_each: zero(),
            knots: knots(),
        },
        service_level: None,
        enablement: None,
        own: BTreeMap::new(),
        key_events: KeyEventRules {
            positive_points: BTreeMap::new(),
            negative_points: BTreeMap::new(),
            positive_cap: zero(),
            negative_cap: zero(),
            self_reported_factor: zero(),
            expires_after_days: 180,
            codes: BTreeMap::new(),
        },
        red_lines: RedLineRules::sample(),
        grades: GradeBands(Vec::new()),
        card: CardRules {
            domain_cap_from_domains: 0,
            domain_cap: zero(),
        },
        authorisation: AuthorisationRules::default(),
        review: ReviewRules::sample(),
        entitlements: Vec::new(),
        star_criteria: None,
        schemes,
    }
}
