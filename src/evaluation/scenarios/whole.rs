//! What holds of any evaluation: order, errors, published sums, explanations.

use proptest::prelude::*;

use crate::domain::{Dec, Table, Value};
use crate::evaluation::testing::{World, partner, period, rows};
use crate::evaluation::{EvaluationError, Inputs, evaluate, explain};
use crate::rules::MetricId;

/// Three partners in two regions with something of everything, in four quarters.
fn world() -> World {
    let quarters = ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"];
    let mut world = World::new(&quarters);
    world.partner("P1", "emea").partner("P2", "emea").partner("P3", "apac");
    world
        .member("security", "networking")
        .certified("P2", "networking", "2026-01-01", "2027-01-01");
    for (i, quarter) in quarters.into_iter().enumerate() {
        let i = i64::try_from(i).unwrap();
        for (j, id) in ["P1", "P2", "P3"].into_iter().enumerate() {
            let j = i64::try_from(j).unwrap();
            for (k, domain) in [(0, "cloud"), (1, "ups"), (2, "security")] {
                let key = format!("{id} {domain} {quarter}");
                world
                    .answers(&key, "C1", "key", 3 + i, 4 + i + j)
                    .answers(&key, "C2", "ordinary", 5, 6 + k);
                world
                    .answers(&key, "C3", "large", 7 - j, 7)
                    .scored(&key, &[70 + 3 * i, 80 - j]);
                world
                    .found(&key, "complaint", [k / 2, j, i])
                    .parts(&key, [11 + i, j, j, k / 2])
                    .completed(&key, 5 * k + i);
            }
        }
    }
    world
        .event("E1 P1 cloud major negative none !")
        .confirmed("E1", "2026-02-01T10:00:00Z");
    world
        .event("E2 P1 - minor positive none")
        .confirmed("E2", "2026-08-01T10:00:00Z");
    world
        .event("E3 P3 ups severe negative L1")
        .confirmed("E3", "2026-04-01T10:00:00Z");
    world
}

fn tables(inputs: &mut Inputs) -> [&mut Table; 10] {
    [
        &mut inputs.partner_periods,
        &mut inputs.satisfaction,
        &mut inputs.quality,
        &mut inputs.critical,
        &mut inputs.parts,
        &mut inputs.deliveries,
        &mut inputs.certifications,
        &mut inputs.domains,
        &mut inputs.key_events,
        &mut inputs.decisions,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_order_of_rows_does_not_matter(seed in any::<u64>()) {
        let mut world = world();
        let expected = world.run();
        let mut state = seed;
        for table in tables(&mut world.inputs) {
            for i in (1..table.rows.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                table.rows.swap(i, usize::try_from(state >> 33).unwrap() % (i + 1));
            }
        }
        world.inputs.periods.reverse();
        let found = world.run();
        prop_assert_eq!(found.metrics, expected.metrics);
        prop_assert_eq!(found.scores, expected.scores);
        prop_assert_eq!(found.partner_scores, expected.partner_scores);
        prop_assert_eq!(found.key_event_points, expected.key_event_points);
        prop_assert_eq!((found.freezes, found.holds), (expected.freezes, expected.holds));
        prop_assert_eq!(found.findings, expected.findings);
    }
}

#[test]
fn rows_split_over_several_files_are_the_same() {
    let mut world = world();
    let expected = world.run();
    // the same group twice, each with half of the counts, as if a measure had been finer
    let parts = &mut world.inputs.parts;
    let mut halves = parts.rows.clone();
    for (whole, half) in parts.rows.iter_mut().zip(&mut halves) {
        for i in 3..7 {
            let Value::Int(n) = whole[i] else { panic!("a count") };
            (whole[i], half[i]) = ((n - n / 2).into(), (n / 2).into());
        }
    }
    parts.rows.extend(halves);
    assert_eq!(world.run().scores, expected.scores);
}

#[test]
fn what_is_published_adds_up() {
    let out = world().run();
    let hundredths = |text: &str| Dec::parse(text).unwrap().rescale(2).unwrap().units();
    for score in rows(
        &out.scores,
        "",
        "partner_id domain period base event_points clamp final",
    ) {
        let f: Vec<&str> = score.split(" | ").collect();
        let [base, events, clamp, end] = [3, 4, 5, 6].map(|i| hundredths(f[i]));
        assert_eq!(base + events + clamp, end, "{score}");
        let key = format!("{} {} {}", f[0], f[1], f[2]);
        let sum = |column: &str| {
            rows(&out.metrics, &key, column)
                .iter()
                .map(|t| hundredths(t))
                .sum::<i128>()
        };
        assert_eq!((sum("points"), sum("effective_weight")), (base, 10_000), "{score}");
    }
    for card in rows(&out.partner_scores, "", "base event_points clamp final") {
        let [base, events, clamp, end] =
            <[i128; 4]>::try_from(card.split(" | ").map(hundredths).collect::<Vec<_>>()).unwrap();
        assert_eq!(base + events + clamp, end, "{card}");
    }
    assert_eq!(
        (
            out.scores.rows.len(),
            out.partner_scores.rows.len(),
            out.metrics.rows.len()
        ),
        (36, 12, 108)
    );
}

#[test]
fn a_table_that_is_not_what_it_must_be_is_an_error_and_all_are_told() {
    let mut world = world();
    world.inputs.deliveries.rows[0][3] = Value::Int(-1);
    world.inputs.parts.rows[0][2] = "2026-Q9".into();
    let double = world.inputs.partner_periods.rows[0].clone();
    world.inputs.partner_periods.rows.push(double);
    let text = world.try_run().unwrap_err().to_string();
    let expected = [
        "table calendar_partner_periods has two rows for P1 in 2025-Q4; keep one",
        "table measures_parts, column period: '2026-Q9' is no period such as 2026-Q3; correct the row and run again",
        "table measures_deliveries, column completed: '-1' is no count from 0 to 10^12; correct the row and run again",
    ];
    assert_eq!(text, expected.join("\n"));
}

#[test]
fn a_rule_that_is_missing_is_named() {
    let mut world = world();
    world.book("apac").satisfaction.class_weights.remove("key");
    let text =
        "the rules of region apac from 2025-10-01 say nothing of satisfaction.class_weights.key; add it to the edition";
    assert_eq!(world.try_run().unwrap_err().to_string(), text);
    world.library.books.remove(&crate::evaluation::testing::region("apac"));
    let Err(EvaluationError::Rules { region, reason, .. }) = evaluate(&world.inputs, &world.library) else {
        panic!("an error of the rules")
    };
    assert_eq!((region.as_str(), reason.as_str()), ("apac", "no edition is in force"));
}

#[test]
fn an_explanation_shows_the_values_that_were_published() {
    const KEY: &str = "P1 cloud 2026-Q3";
    let mut world = World::new(&["2026-Q3"]);
    world.partner("P1", "emea");
    world
        .answers(KEY, "C1", "key", 4, 5)
        .answers(KEY, "C2", "ordinary", 6, 6)
        .answers(KEY, "C3", "ordinary", 2, 4);
    world
        .scored(KEY, &[90, 80])
        .found(KEY, "risk", [1, 2, 3])
        .parts(KEY, [40, 10, 3, 1])
        .completed(KEY, 4);
    world
        .event("E1 P1 cloud minor negative none !")
        .confirmed("E1", "2026-08-01T10:00:00Z");
    let out = world.run();
    let whole = explain(&out, &partner("P1"), period("2026-Q3"), None, None)
        .unwrap()
        .to_string();
    for line in [
        "card: 65.84, grade D, provisional",
        "p: 0.8  [satisfied weight / weight = 13.333333333333 / 16.666666666667]",
        "n_eff: 14.705882352941",
        "peers: 0.85  [default: others have 0 answers in the domain and 0 in the region, 30 needed]",
        "on knots: 51.525423728814  [between 0.7→0 and 0.85→60]",
        "mean: 81.4  [Σ weight × score / Σ weight = 203.5 / 2.5]",
        "raw: 0.94  [1 − overdue / (due + opening) = 1 − 3 / (40 + 10)]",
        "event E1: -1  [before caps]",
        "base: 66.843776048902",
        "final: 65.84  [base + events, held in 0…100: 65.843776048902, rounded half away from zero to 0.01]",
        "rules: region emea, edition of 2025-10-01, hash ",
    ] {
        assert!(whole.contains(line), "{line}\n{whole}");
    }
    let parts = explain(&out, &partner("P1"), period("2026-Q3"), Some(MetricId::Parts), None).unwrap();
    assert_eq!(
        (parts.lines[0].label.as_str(), parts.lines[0].children[0].value.as_str()),
        ("domain cloud", "68, rated")
    );
    assert_eq!(explain(&out, &partner("P2"), period("2026-Q3"), None, None), None);
}
