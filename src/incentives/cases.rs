//! Single rules of the stage: rows in, rows out.

use super::fixture::{World, cap, flat, grade_factor, marginal, scheme, whole};
use crate::domain::ids::SchemeId;
use crate::domain::{Period, PeriodKind};
use crate::rules::{GradeOf, Scheme, SchemeDate, Scope};

#[test]
fn lines_without_a_rate_wait_and_say_so() {
    let mut world = World::new([scheme(flat("10 %"))]);
    world.rate("USD EUR 2026-07-01 0.9");
    world
        .sale("P1 ups USD 100 2026-07-08")
        .sale("P1 ups USD 40 2026-07-09 lines=2")
        .sale("P1 ups USD 2 2026-07-11");
    let expected = [
        "basis 90 - - 0 1",
        "earned 90 - - 9 1",
        "flat 90 0.1 - 9 1",
        "rounding 9 - - 0 0",
        "waiting:USD 42 - - 0 3 (no rate USD→EUR at most 7 days old for 2 days from 2026-07-09 to 2026-07-11)",
    ];
    assert_eq!(world.rows(), expected);
    let result = world.compute().unwrap();
    assert_eq!(
        (result.findings.len(), result.findings[0].rule.as_str()),
        (1, "fx-rate-missing")
    );
    let waiting = &result.waiting[0];
    assert_eq!(
        (
            waiting.currency.as_str(),
            waiting.lines,
            waiting.amount.to_string().as_str()
        ),
        ("USD", 3, "42.0000")
    );
    // nothing is lost: with the rate they count
    world.rate("USD EUR 2026-07-09 0.5");
    assert_eq!(world.amount(), "11.10");
}

#[test]
fn frozen_lines_neither_earn_nor_count_and_a_return_follows_its_line() {
    let mut world = World::new([scheme(whole("0: 1 %, 1000: 2 %"))]);
    world.freeze("P1 2026-07-10 2026-07-20");
    world
        .sale("P1 ups EUR 900 2026-07-09")
        .sale("P1 ups EUR 500 2026-07-10")
        .sale("P1 ups EUR 500 2026-07-19");
    world.sale("P1 ups EUR -100 2026-07-10 invoiced=2026-09-01");
    let expected = [
        "band:1 900 0.01 - 9 1",
        "basis 900 - - 0 1",
        "earned 900 - - 9 1",
        "frozen:EUR 900 - - 0 3 (ordered within a freeze)",
        "rounding 9 - - 0 0",
    ];
    assert_eq!(world.rows(), expected);
    world.sale("P1 ups EUR 100 2026-07-20"); // the end is exclusive: 1,000 at 2 %
    assert_eq!(world.amount(), "20.00");
    // the day of the order decides, whatever date the scheme goes by
    let mut world = World::new([Scheme {
        date: SchemeDate::InvoicedOn,
        ..scheme(flat("1 %"))
    }]);
    world
        .freeze("P1 2026-07-10 2026-07-20")
        .sale("P1 ups EUR 900 2026-07-10 invoiced=2026-07-20");
    assert!(world.targets().is_empty());
    assert_eq!(
        world.sale("P1 ups EUR 100 2026-07-09 invoiced=2026-07-10").amount(),
        "1.00"
    );
}

#[test]
fn modifiers_apply_in_the_order_of_the_scheme() {
    let earned = |modifiers: Vec<_>| {
        let mut world = World::new([Scheme {
            modifiers,
            ..scheme(flat("10 %"))
        }]);
        world.grade("P1 card D").grade("P1 ups D").grade("P1 security A");
        world
            .sale("P1 ups EUR 1000 2026-07-05")
            .sale("P1 security EUR 3000 2026-07-05");
        world
    };
    // 400: × 0.5 = 200, capped at 150; or capped at 150, then × 0.5
    assert_eq!(earned(vec![grade_factor(GradeOf::Card), cap("150")]).amount(), "150.00");
    assert_eq!(earned(vec![cap("150"), grade_factor(GradeOf::Card)]).amount(), "75.00");
    // by domain: 100 × 0.5 + 300 × 1 = 350; capped first, 350/400 of the 150 that are left = 131.25
    assert_eq!(earned(vec![grade_factor(GradeOf::Domain)]).amount(), "350.00");
    assert_eq!(
        earned(vec![cap("150"), grade_factor(GradeOf::Domain)]).amount(),
        "131.25"
    );
    // twice is twice, and the second has a name of its own
    let twice = earned(vec![grade_factor(GradeOf::Card), grade_factor(GradeOf::Card)]);
    assert_eq!(twice.amount(), "100.00");
    assert!(
        twice
            .rows()
            .iter()
            .any(|r| r.starts_with("modifier:grade_factor:2 200 - 0.5 -100"))
    );
}

#[test]
fn states_without_a_grade_have_their_factor() {
    for (row, expected) in [
        ("P1 card not_rated", "75.00"),
        ("P1 card incomplete", "60.00"),
        ("P1 card E", "0.00"),
    ] {
        let mut world = World::new([Scheme {
            modifiers: vec![grade_factor(GradeOf::Card)],
            ..scheme(flat("10 %"))
        }]);
        world.grade(row).sale("P1 ups EUR 1000 2026-07-05");
        assert_eq!(world.amount(), expected, "{row}");
    }
    let mut world = World::new([Scheme {
        modifiers: vec![grade_factor(GradeOf::Card)],
        ..scheme(flat("10 %"))
    }]);
    assert_eq!(world.sale("P1 ups EUR 1000 2026-07-05").amount(), "75.00"); // no score at all
    world.grade("P1 card A").grades[0].grade = None;
    let error = world.compute().unwrap_err().to_string();
    assert!(
        error.contains("partner P1, card, 2026-Q3: rated without a grade"),
        "{error}"
    );
}

#[test]
fn the_last_day_decides_the_currency_and_the_scope_the_lines() {
    let mut picky = scheme(flat("10 %"));
    picky.scope = Scope {
        service_models: vec!["collaborative".to_owned()],
        domains: vec!["networking".to_owned()],
        categories: vec!["A".to_owned()],
        ..Scope::default()
    };
    let mut world = World::new([picky]);
    world
        .partner("P1 2026-09-30 emea KWD")
        .partner("P1 2026-10-01 emea USD")
        .rate("EUR KWD 2026-07-05 0.36");
    world.sale("P1 security EUR 1000 2026-07-05 model=collaborative category=A");
    world.sale("P1 security EUR 1000 2026-07-05 model=vendor category=A");
    world.sale("P1 security EUR 1000 2026-07-05 model=collaborative category=B");
    world.sale("P1 ups EUR 1000 2026-07-05 model=collaborative category=A");
    assert_eq!(world.targets(), ["P1 bonus 2026-Q3 36.000 KWD"]);
    let mut certified = scheme(flat("10 %"));
    certified.scope.certified_domain_only = true;
    let mut world = World::new([certified]);
    world.certified("P1 networking 2026-08-01 2026-08-02 3 active");
    for on in ["2026-07-31", "2026-08-01", "2026-08-02"] {
        world.sale(&format!("P1 security EUR 100 {on}"));
    }
    assert_eq!(world.amount(), "10.00");
}

#[test]
fn periods_of_each_kind_go_to_their_schemes() {
    let yearly = Scheme {
        id: SchemeId::new("yearly").unwrap(),
        earning_period: PeriodKind::Year,
        ..scheme(flat("1 %"))
    };
    let mut world = World::new([scheme(flat("10 %")), yearly]);
    world.periods = ["2026-FY", "2026-Q3", "2026-Q2", "2026-Q3"]
        .map(|p| Period::parse(p).unwrap())
        .to_vec();
    world
        .sale("P1 ups EUR 100 2026-06-30")
        .sale("P1 ups EUR 200 2026-07-01")
        .sale("P1 ups EUR 50 2026-10-01");
    let expected = [
        "P1 bonus 2026-Q2 10.00 EUR",
        "P1 bonus 2026-Q3 20.00 EUR",
        "P1 yearly 2026-FY 3.50 EUR",
    ];
    assert_eq!(world.targets(), expected);
}

/// Half away from zero in whole numbers: `units / divisor`.
fn rounded(units: i128, divisor: i128) -> i128 {
    let magnitude = (2 * units.abs() + divisor) / (2 * divisor);
    if units < 0 { -magnitude } else { magnitude }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 96, ..Default::default() })]

    /// A second computation, in whole cents and basis points.
    #[test]
    fn bands_agree_with_a_computation_in_cents(
        cents in proptest::collection::vec(-3_000_000_i64..9_000_000, 1..6),
        widths in proptest::collection::vec(1_i64..4_000_000, 0..4),
        rates in proptest::collection::vec(0_i64..2_000, 5),
        is_whole in proptest::bool::ANY,
    ) {
        let mut edges = vec![0_i64];
        edges.extend(widths.iter().scan(0, |edge, width| { *edge += width; Some(*edge) }));
        let text: Vec<String> =
            edges.iter().zip(&rates).map(|(e, r)| format!("{}.{:02}: {r} bp", e / 100, e % 100)).collect();
        let method = if is_whole { whole(&text.join(", ")) } else { marginal(&text.join(", ")) };
        let mut world = World::new([scheme(method)]);
        for c in &cents {
            let sign = if *c < 0 { "-" } else { "" };
            world.sale(&format!("P1 ups EUR {sign}{}.{:02} 2026-07-05", c.abs() / 100, c.abs() % 100));
        }
        let basis: i64 = cents.iter().sum();
        let reached = edges.iter().filter(|e| **e <= basis).count().max(1) - 1;
        let units: i128 = if is_whole || basis < 0 {
            i128::from(basis) * i128::from(rates[reached])
        } else {
            let ends = edges.iter().skip(1).copied().chain([i64::MAX]);
            let slices = edges.iter().zip(ends).map(|(from, end)| (basis.min(end) - from).max(0));
            slices.zip(&rates).map(|(slice, rate)| i128::from(slice) * i128::from(*rate)).sum()
        };
        let target = &world.compute().unwrap().targets[0];
        proptest::prop_assert_eq!(target.amount.minor_units(), rounded(units, 10_000));
    }
}
