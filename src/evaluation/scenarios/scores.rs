//! Composite, missing data, grades, the card.

use std::collections::BTreeMap;

use crate::domain::{Dec, Grade, Ratio, Score};
use crate::evaluation::composite::{compose, finish, grade_of};
use crate::evaluation::metric::{Metric, MetricState};
use crate::evaluation::testing::{World, book, dec, row, rows};
use crate::evaluation::{facts, parts};
use crate::rules::{MetricId, Redistribution};

const KEY: &str = "P1 cloud 2026-Q3";

fn world() -> World {
    let mut world = World::new(&["2026-Q3"]);
    world.partner("P1", "emea");
    world
}

/// Metrics that count, as their normalised values; `-` for one that does not.
fn metrics(values: [&str; 3]) -> Vec<Metric> {
    let blank = parts::measure(&book("emea", "UTC"), facts::Parts::default()).unwrap();
    let metric = |(id, value): (MetricId, &str)| {
        let normalised = (value != "-").then(|| dec(value));
        let state = if normalised.is_some() {
            MetricState::Rated
        } else {
            MetricState::Insufficient
        };
        Metric {
            id,
            state,
            normalised,
            ..blank.clone()
        }
    };
    MetricId::BUILT_IN.into_iter().zip(values).map(metric).collect()
}

fn weights(rules: &crate::rules::RuleBook, values: [&str; 3]) -> Vec<String> {
    compose(rules, &metrics(values))
        .shares
        .iter()
        .map(|s| s.effective_shown.to_string())
        .collect()
}

#[test]
fn all_three_metrics() {
    let mut world = world();
    world
        .answers(KEY, "C1", "key", 4, 5)
        .answers(KEY, "C2", "ordinary", 6, 6)
        .answers(KEY, "C3", "ordinary", 2, 4);
    world
        .scored(KEY, &[90, 80])
        .found(KEY, "risk", [1, 2, 3])
        .parts(KEY, [40, 10, 3, 1]);
    // 0.40·51.525423… + 0.35·83.524590… + 0.25·68 = 20.610169… + 29.233606… + 17 = 66.843776…
    let out = world.run();
    let columns = "nominal_weight effective_weight points";
    assert_eq!(
        row(&out.metrics, &format!("{KEY} satisfaction"), columns),
        "40.00 | 40.00 | 20.61"
    );
    assert_eq!(
        row(&out.metrics, &format!("{KEY} quality"), columns),
        "35.00 | 35.00 | 29.23"
    );
    assert_eq!(
        row(&out.metrics, &format!("{KEY} parts"), columns),
        "25.00 | 25.00 | 17.00"
    );
    let columns = "state coverage base event_points clamp final grade score_grade";
    assert_eq!(
        row(&out.scores, KEY, columns),
        "provisional | 100.00 | 66.84 | 0.00 | 0.00 | 66.84 | D | D"
    );
    assert_eq!(
        row(&out.scores, KEY, "reason"),
        "satisfaction: 15 answers, 30 needed to be rated in full"
    );
    assert_eq!(
        row(&out.partner_scores, "P1 2026-Q3", "state final grade domains_rated"),
        "provisional | 66.84 | D | 1"
    );
}

#[test]
fn missing_weight_goes_to_the_others_in_proportion() {
    let rules = book("emea", "UTC");
    // 40/75 and 35/75 of 100
    assert_eq!(weights(&rules, ["80", "90", "-"]), ["53.33", "46.67", "0.00"]);
    // 40/65 = 61.538…, 25/65 = 38.461…: the larger remainder gets the hundredth
    assert_eq!(weights(&rules, ["80", "-", "90"]), ["61.54", "0.00", "38.46"]);
}

#[test]
fn missing_weight_goes_by_a_table_where_there_is_one() {
    let mut rules = book("apac", "UTC");
    let share = |to: [(MetricId, &str); 2]| to.into_iter().map(|(id, s)| (id, dec(s))).collect::<BTreeMap<_, _>>();
    let table = BTreeMap::from([(
        MetricId::Parts,
        share([(MetricId::Satisfaction, "0.2"), (MetricId::Quality, "0.8")]),
    )]);
    rules.evaluation.redistribution = Redistribution::Table(table);
    // 40 + 0.2·25 and 35 + 0.8·25
    assert_eq!(weights(&rules, ["80", "90", "-"]), ["45.00", "55.00", "0.00"]);
    // no row for quality: in proportion
    assert_eq!(weights(&rules, ["80", "-", "90"]), ["61.54", "0.00", "38.46"]);
}

#[test]
fn largest_remainder_adds_up_with_ties_in_the_order_of_metrics() {
    let mut rules = book("emea", "UTC");
    let third = Ratio::new(100, 3).unwrap();
    (rules.satisfaction.weight, rules.quality.weight, rules.parts.weight) = (third.clone(), third.clone(), third);
    assert_eq!(weights(&rules, ["80", "90", "70"]), ["33.34", "33.33", "33.33"]);
    // points of 100/3 each: base 100
    let shares = compose(&rules, &metrics(["100", "100", "100"])).shares;
    let points: Vec<String> = shares.iter().map(|s| s.points_shown.to_string()).collect();
    assert_eq!(points, ["33.34", "33.33", "33.33"]);
}

#[test]
fn a_public_scheme_redistributes_the_same_way() {
    // weights 22·4 and 12 with one 22 missing: 22/78 = 28.2051 and 12/78 = 15.3846; here as 66 together and 12
    let mut rules = book("emea", "UTC");
    (rules.satisfaction.weight, rules.quality.weight, rules.parts.weight) = (dec("66"), dec("12"), dec("22"));
    assert_eq!(weights(&rules, ["1", "1", "-"]), ["84.62", "15.38", "0.00"]);
}

#[test]
fn no_result_is_neither_nought_nor_a_hundred() {
    let not_rated = |values, reason: &str| {
        let composite = compose(&book("emea", "UTC"), &metrics(values));
        assert_eq!(
            (composite.standing.as_str(), composite.base.is_none()),
            ("not_rated", true),
            "{values:?}"
        );
        assert_eq!(composite.reason.as_deref(), Some(reason));
    };
    let one = "metrics with a result: 1, at least 2 needed";
    not_rated(
        ["100", "-", "-"],
        &format!("the metrics with a result weigh 40.00, at least 60.00 needed; {one}"),
    );
    let neither = "no result for satisfaction or quality";
    not_rated(
        ["-", "-", "100"],
        &format!("the metrics with a result weigh 25.00, at least 60.00 needed; {one}; {neither}"),
    );
    let mut world = world();
    world.completed(KEY, 4);
    let columns = "state base final grade score_grade change";
    assert_eq!(row(&world.run().scores, KEY, columns), "not_rated | - | - | - | - | -");
    assert_eq!(
        row(&world.run().partner_scores, "P1 2026-Q3", "state final grade"),
        "not_rated | - | -"
    );
    // quality and parts weigh exactly 60
    assert_eq!(
        compose(&book("emea", "UTC"), &metrics(["-", "80", "90"]))
            .standing
            .as_str(),
        "rated"
    );
}

#[test]
fn a_metric_of_weight_nought_is_no_metric() {
    let mut rules = book("emea", "UTC");
    (rules.satisfaction.weight, rules.quality.weight, rules.parts.weight) = (dec("60"), dec("40"), dec("0"));
    let composite = compose(&rules, &metrics(["80", "-", "90"]));
    let reason = "metrics with a result: 1, at least 2 needed";
    assert_eq!(
        (composite.standing.as_str(), composite.reason.as_deref()),
        ("not_rated", Some(reason))
    );
}

#[test]
fn every_value_has_exactly_one_grade() {
    let rules = book("emea", "UTC");
    let grade = |text: &str| grade_of(&rules, Score::from_dec(Dec::parse(text).unwrap()).unwrap()).unwrap();
    let edges = [
        ("100.00", Grade::A),
        ("99.99", Grade::A),
        ("90.00", Grade::A),
        ("89.99", Grade::B),
        ("80.00", Grade::B),
        ("79.99", Grade::C),
        ("70.00", Grade::C),
        ("69.99", Grade::D),
        ("60.00", Grade::D),
        ("59.99", Grade::E),
        ("0.00", Grade::E),
    ];
    for (score, expected) in edges {
        assert_eq!(grade(score), expected, "{score}");
    }
    for hundredths in 0..=10_000 {
        assert!(grade_of(&rules, Score::from_dec(Dec::new(hundredths, 2)).unwrap()).is_ok());
    }
}

#[test]
fn grades_are_of_the_rounded_value() {
    let final_of = |base: &str, events: &str| {
        let end = finish(&book("emea", "UTC"), Some(&dec(base)), &dec(events)).unwrap();
        let base = end.base_shown.unwrap();
        format!(
            "{base} {} {} = {} {}",
            end.events_shown,
            end.clamp_shown,
            end.score.unwrap(),
            end.grade.unwrap()
        )
    };
    assert_eq!(final_of("89.995", "0"), "90.00 0.00 0.00 = 90.00 A");
    assert_eq!(final_of("89.994999999", "0"), "89.99 0.00 0.00 = 89.99 B");
    assert_eq!(final_of("90.495", "-0.5"), "90.50 -0.50 0.00 = 90.00 A");
    assert_eq!(final_of("100", "0"), "100.00 0.00 0.00 = 100.00 A");
    // the clamp is a line of its own, and the lines add up
    assert_eq!(final_of("97.5", "5"), "97.50 5.00 -2.50 = 100.00 A");
    assert_eq!(final_of("5.005", "-10"), "5.01 -10.00 4.99 = 0.00 E");
}

#[test]
fn the_card_joins_exact_finals_by_completed_deliveries() {
    let mut world = world();
    // 30 of 30 satisfied: p* = (30 + 17)/50 = 0.94 → 75 + 15·4/5 = 87; parts all returned → 100; quality see below
    for (domain, scores, completed) in [("cloud", [100, 100, 100], 3), ("ups", [40, 40, 40], 1)] {
        let key = format!("P1 {domain} 2026-Q3");
        world
            .answers(&key, "C1", "ordinary", 30, 30)
            .scored(&key, &scores)
            .parts(&key, [5, 0, 0, 0]);
        world.completed(&key, completed);
    }
    // cloud quality (300 + 340)/7 = 640/7; ups (120 + 340)/7 = 460/7
    // cloud 34.8 + 0.35·640/7 + 25 = 91.8; ups 34.8 + 23 + 25 = 82.8; card (3·91.8 + 82.8)/4 = 89.55
    let out = world.run();
    assert_eq!(
        rows(&out.scores, "P1", "domain final grade"),
        ["cloud | 91.80 | A", "ups | 82.80 | B"]
    );
    let columns = "domains_rated completed_deliveries base final grade";
    assert_eq!(
        row(&out.partner_scores, "P1 2026-Q3", columns),
        "2 | 4 | 89.55 | 89.55 | B"
    );
}

#[test]
fn of_three_domains_one_counts_for_at_most_half() {
    let card = |completed: [i64; 3]| {
        let mut world = world();
        let scores = [[100, 100, 100], [40, 40, 40], [40, 40, 40]];
        for ((domain, scores), completed) in ["cloud", "ups", "security"].into_iter().zip(scores).zip(completed) {
            let key = format!("P1 {domain} 2026-Q3");
            world
                .answers(&key, "C1", "ordinary", 30, 30)
                .scored(&key, &scores)
                .parts(&key, [5, 0, 0, 0]);
            world.completed(&key, completed);
        }
        row(&world.run().partner_scores, "P1 2026-Q3", "final")
    };
    // 91.8, 82.8, 82.8; shares ½ and ½ together: 87.3
    assert_eq!(card([90, 5, 5]), "87.30");
    // also when the others completed nothing
    assert_eq!(card([90, 0, 0]), "87.30");
    // equal parts where nobody did: (91.8 + 82.8 + 82.8)/3 = 85.8
    assert_eq!(card([0, 0, 0]), "85.80");
    // under the cap: 0.2·91.8 + 0.8·82.8 = 84.6
    assert_eq!(card([2, 4, 4]), "84.60");
}

#[test]
fn rows_exist_for_facts_events_parts_and_certifications() {
    let mut world = world();
    world
        .member("wireless-lan", "networking")
        .member("security", "networking");
    world
        .certified("P1", "networking", "2026-01-01", "2027-01-01")
        .certified("P1", "ups", "2025-01-01", "2026-07-01");
    world
        .parts("P1 transmission 2026-Q3", [0, 2, 0, 0])
        .parts("P1 server-storage 2026-Q3", [0, 0, 0, 0]);
    world
        .event("E1 P1 call-center minor positive none")
        .confirmed("E1", "2026-08-01T10:00:00Z");
    world.event("E2 P1 video-conferencing minor positive none");
    let domains = rows(&world.run().scores, "P1", "domain");
    assert_eq!(domains, ["call-center", "security", "transmission", "wireless-lan"]);
}

#[test]
fn facts_of_a_spanning_domain_are_told_and_not_scored() {
    let mut world = world();
    world
        .member("security", "networking")
        .completed("P1 networking 2026-Q3", 2)
        .completed("PX cloud 2026-Q3", 1);
    let out = world.run();
    assert!(out.scores.rows.is_empty());
    let told: Vec<&str> = out.findings.iter().map(|f| f.rule.as_str()).collect();
    assert_eq!(told, ["facts-without-region", "facts-of-spanning-domain"]);
}

#[test]
fn change_is_against_the_published_final_of_the_period_before() {
    let mut world = World::new(&["2026-Q2", "2026-Q3"]);
    world.partner("P1", "emea");
    for (quarter, score) in [("2026-Q2", 40), ("2026-Q3", 100)] {
        let key = format!("P1 cloud {quarter}");
        world
            .answers(&key, "C1", "ordinary", 30, 30)
            .scored(&key, &[score; 3])
            .parts(&key, [5, 0, 0, 0]);
    }
    let out = world.run();
    let columns = "period final previous_final change";
    assert_eq!(
        rows(&out.scores, "P1", columns),
        ["2026-Q2 | 82.80 | - | -", "2026-Q3 | 91.80 | 82.80 | 9.00"]
    );
    // with the earlier period closed, its published rows are what is compared with, and it is not computed again
    let (mut scores, mut cards) = (out.scores.clone(), out.partner_scores.clone());
    scores.rows.truncate(1);
    cards.rows.truncate(1);
    world.inputs.periods.remove(0);
    (world.inputs.sealed_scores, world.inputs.sealed_partner_scores) = (scores, cards);
    let closed = world.run();
    assert_eq!(rows(&closed.scores, "P1", columns), ["2026-Q3 | 91.80 | 82.80 | 9.00"]);
    assert_eq!(closed.partner_scores.rows, out.partner_scores.rows[1..]);
}
