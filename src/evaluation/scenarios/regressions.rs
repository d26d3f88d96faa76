//! What went wrong in other products, as tests of this one.

use crate::domain::ids::PartnerId;
use crate::domain::time::{add_days, parse_date};
use crate::domain::{FiscalCalendar, PeriodKind, Score};
use crate::evaluation::composite::grade_of;
use crate::evaluation::facts::Parts;
use crate::evaluation::parts;
use crate::evaluation::testing::{World, book, dec, period, row, rows};
use crate::rules::{MetricId, PartsMode};

const KEY: &str = "P1 cloud 2026-Q1";

#[test]
fn a_score_of_exactly_100_has_a_grade() {
    let mut world = World::new(&["2026-Q1"]);
    world
        .partner("P1", "emea")
        .answers(KEY, "C1", "ordinary", 4000, 4000)
        .parts(KEY, [9, 0, 0, 0]);
    assert_eq!(row(&world.run().scores, KEY, "final grade"), "100.00 | A");
    assert_eq!(grade_of(&book("emea", "UTC"), Score::MAX).unwrap().as_str(), "A");
    assert_eq!(grade_of(&book("emea", "UTC"), Score::MIN).unwrap().as_str(), "E");
}

#[test]
fn no_data_is_not_100() {
    let mut world = World::new(&["2026-Q1"]);
    world
        .partner("P1", "emea")
        .certified("P1", "cloud", "2025-01-01", "2027-01-01");
    let done = world.run();
    assert_eq!(row(&done.scores, KEY, "state final grade"), "not_rated | - | -");
    assert_eq!(
        row(&done.partner_scores, "P1 2026-Q1", "state final grade"),
        "not_rated | - | -"
    );
    let states = rows(&done.metrics, KEY, "metric state normalised");
    assert_eq!(
        states,
        [
            "parts | not_applicable | -",
            "quality | insufficient | -",
            "satisfaction | insufficient | -"
        ]
    );
}

#[test]
fn periods_neither_overlap_nor_leave_a_day_out() {
    for month in 1..=12 {
        let calendar = FiscalCalendar::starting_in(month).unwrap();
        for kind in [
            PeriodKind::Month,
            PeriodKind::Quarter,
            PeriodKind::Half,
            PeriodKind::Year,
        ] {
            let mut day = parse_date("2023-11-15").unwrap();
            let mut found = calendar.period_of(day, kind).unwrap();
            while day < parse_date("2029-01-01").unwrap() {
                let here = calendar.period_of(day, kind).unwrap();
                assert!(
                    calendar.first_day(here) <= day && day < calendar.end_day(here),
                    "{day} {here}"
                );
                // the same period, or the next one on its first day
                assert!(
                    here == found || (here == found.next() && calendar.first_day(here) == day),
                    "{day} {here}"
                );
                assert_eq!(calendar.end_day(found), calendar.first_day(found.next()));
                found = here;
                day = add_days(day, 1);
            }
        }
    }
}

#[test]
fn uninspected_work_earns_nothing() {
    let quality = |completed: i64| {
        let mut world = World::new(&["2026-Q1"]);
        world
            .partner("P1", "emea")
            .scored(KEY, &[60, 80, 70])
            .answers(KEY, "C1", "ordinary", 20, 40)
            .completed(KEY, completed);
        let done = world.run();
        (
            row(&done.metrics, "P1 cloud 2026-Q1 quality", "n raw normalised"),
            row(&done.scores, KEY, "base final"),
        )
    };
    assert_eq!(quality(3), quality(3000));
    assert!(quality(3).0.starts_with("3 | 70.000000000000"));
}

#[test]
fn never_returning_a_part_cannot_raise_a_score() {
    for mode in [PartsMode::Rate, PartsMode::Count] {
        let mut rules = book("emea", "UTC");
        rules.parts.mode = mode;
        let value = |due, opening, overdue, long_overdue| {
            let parts = Parts {
                due,
                opening,
                overdue,
                long_overdue,
            };
            parts::measure(&rules, parts).unwrap().normalised
        };
        for (due, opening) in [(1, 0), (7, 3), (40, 10), (0, 9)] {
            for overdue in 0..due + opening {
                for long in 0..=overdue {
                    // the same loans, with one part more that did not come back, new or old
                    assert!(value(due, opening, overdue + 1, long) <= value(due, opening, overdue, long));
                    assert!(value(due, opening, overdue + 1, long + 1) <= value(due, opening, overdue, long));
                }
            }
        }
        // kept for a period more: it comes back in the opening, and as overdue
        for due in 0..20 {
            assert!(
                value(due, 1, 1, 0) <= value(due, 1, 0, 0) && (due == 0 || value(due, 1, 1, 1) <= value(due, 0, 0, 0))
            );
        }
    }
}

#[test]
fn every_band_edge_is_decided_once_rounded() {
    let rules = book("emea", "UTC");
    let grade = |exact: &str| grade_of(&rules, Score::from_exact(&dec(exact))).unwrap().as_str();
    let edges = [
        ("100", "A"),
        ("90", "A"),
        ("89.995", "A"),
        ("89.9949999999", "B"),
        ("89.99", "B"),
        ("80", "B"),
        ("79.995", "B"),
        ("79.9949999999", "C"),
        ("79.99", "C"),
        ("70", "C"),
        ("69.995", "C"),
        ("69.9949999999", "D"),
        ("69.99", "D"),
        ("60", "D"),
        ("59.995", "D"),
        ("59.9949999999", "E"),
        ("59.99", "E"),
        ("0", "E"),
    ];
    for (exact, expected) in edges {
        assert_eq!(grade(exact), expected, "{exact}");
    }
}

#[test]
fn weights_are_decimals() {
    let mut world = World::new(&["2026-Q1"]);
    let rules = world.book("emea");
    (rules.satisfaction.weight, rules.quality.weight, rules.parts.weight) = (dec("33.34"), dec("33.33"), dec("33.33"));
    world
        .partner("P1", "emea")
        .answers(KEY, "C1", "ordinary", 4000, 4000)
        .scored(KEY, &[100; 4])
        .parts(KEY, [9, 0, 0, 0]);
    let shown = rows(
        &world.run().metrics,
        KEY,
        "metric nominal_weight effective_weight points",
    );
    // quality is shrunk: (4·100 + 4·85)/8 = 92.5, and 33.33 % of it is 30.830 25
    let expected = [
        "parts | 33.33 | 33.33 | 33.33",
        "quality | 33.33 | 33.33 | 30.83",
        "satisfaction | 33.34 | 33.34 | 33.34",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_missing_feed_is_not_zero_overdue() {
    let mut world = World::new(&["2026-Q1"]);
    world
        .partner("P1", "emea")
        .answers(KEY, "C1", "ordinary", 4000, 4000)
        .scored(KEY, &[100; 4])
        .parts(KEY, [9, 0, 0, 0]);
    let whole = row(&world.run().scores, KEY, "state coverage");
    world
        .inputs
        .incomplete
        .insert((MetricId::Parts, PartnerId::new("P1").unwrap(), period("2026-Q1")));
    let done = world.run();
    assert_eq!(whole, "rated | 100.00");
    assert_eq!(
        row(
            &done.metrics,
            "P1 cloud 2026-Q1 parts",
            "state raw normalised effective_weight"
        ),
        "incomplete | - | - | 0.00"
    );
    assert_eq!(
        row(&done.scores, KEY, "state coverage reason"),
        "provisional | 75.00 | incomplete: parts"
    );
}
