//! The rules of the sample programme, as a value.

use std::collections::BTreeMap;

use super::{dec, region};
use crate::domain::ids::RegionId;
use crate::domain::time::parse_date;
use crate::domain::{Date, Digest, Grade, Ratio, Zone};
use crate::evaluation::inputs::Books;
use crate::rules::{
    AuthorisationRules, CardRules, DayKind, EvaluationRules, GradeBands, KeyEventRules, Knots, MetricId, PartsMode,
    PartsRules, ProgrammeRules, QualityRules, RedLineRules, Redistribution, ReviewRules, RuleBook, SatisfactionRules,
};

/// Knots as `0.70 0, 0.85 60`.
pub fn knots(text: &str) -> Knots {
    let knot = |pair: &str| {
        let (x, y) = pair.trim().split_once(' ').unwrap();
        (dec(x), dec(y))
    };
    Knots(text.split(',').map(knot).collect())
}

fn named<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, Ratio> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), dec(value)))
        .collect()
}

/// The rules of the sample programme in a region.
pub fn book(name: &str, zone: &str) -> RuleBook {
    RuleBook {
        discounts: None,
        region: region(name),
        effective_from: parse_date("2025-10-01").unwrap(),
        hash: Digest::of(name.as_bytes()),
        zone: Zone::parse(zone).unwrap(),
        evaluation: EvaluationRules {
            minimum_coverage: dec("60"),
            minimum_metrics: 2,
            requires_one_of: vec![MetricId::Satisfaction, MetricId::Quality],
            redistribution: Redistribution::Proportional,
        },
        satisfaction: SatisfactionRules {
            weight: dec("40"),
            class_weights: named([("key", "2"), ("large", "2"), ("ordinary", "1")]),
            customer_cap: dec("0.4"),
            customer_cap_from_customers: 3,
            shrinkage: dec("20"),
            peer_minimum_answers: 30,
            peer_default: dec("0.85"),
            look_back_periods: 4,
            insufficient_below_answers: 5,
            provisional_below_answers: 30,
            knots: knots("0.70 0, 0.85 60, 0.90 75, 0.95 90, 0.99 100"),
        },
        quality: QualityRules {
            weight: dec("35"),
            selection_weights: named([("random", "1"), ("risk", "0.5"), ("complaint", "0.5")]),
            critical_points: dec("20"),
            major_points: dec("5"),
            minor_points: dec("1"),
            shrinkage: dec("4"),
            peer_minimum_inspections: 30,
            peer_default: dec("85"),
            look_back_periods: 4,
            insufficient_below_inspections: 3,
            critical_open_days: 30,
            critical_cap: dec("59"),
            knots: knots("0 0, 100 100"),
        },
        parts: PartsRules {
            weight: dec("25"),
            mode: PartsMode::Rate,
            due_days: 10,
            due_day_kind: DayKind::Calendar,
            transit_allowance_days: 5,
            long_overdue_days: 90,
            long_overdue_points: dec("2"),
            long_overdue_points_cap: dec("20"),
            count_points_each: dec("5"),
            knots: knots("0.80 0, 0.90 50, 0.95 75, 0.98 90, 1.00 100"),
        },
        service_level: None,
        enablement: None,
        own: BTreeMap::new(),
        key_events: KeyEventRules {
            positive_points: named([("minor", "1"), ("major", "2"), ("severe", "5")]),
            negative_points: named([("minor", "2"), ("major", "5"), ("severe", "10")]),
            positive_cap: dec("5"),
            negative_cap: dec("20"),
            self_reported_factor: dec("0.5"),
            expires_after_days: 180,
            codes: BTreeMap::new(),
        },
        red_lines: RedLineRules::sample(),
        grades: GradeBands(vec![
            (Grade::A, dec("90")),
            (Grade::B, dec("80")),
            (Grade::C, dec("70")),
            (Grade::D, dec("60")),
            (Grade::E, dec("0")),
        ]),
        card: CardRules {
            domain_cap_from_domains: 3,
            domain_cap: dec("0.5"),
        },
        authorisation: AuthorisationRules::default(),
        review: ReviewRules::sample(),
        entitlements: Vec::new(),
        star_criteria: None,
        schemes: BTreeMap::new(),
    }
}

/// Rules by region, one edition each.
pub struct Library {
    pub books: BTreeMap<RegionId, RuleBook>,
    pub programme: ProgrammeRules,
}

impl Books for Library {
    fn book(&self, region: &RegionId, on: Date) -> Result<&RuleBook, String> {
        let book = self.books.get(region).filter(|book| book.effective_from <= on);
        book.ok_or_else(|| "no edition is in force".to_owned())
    }

    fn programme(&self) -> &ProgrammeRules {
        &self.programme
    }

    fn regions(&self) -> Vec<RegionId> {
        self.books.keys().cloned().collect()
    }
}
