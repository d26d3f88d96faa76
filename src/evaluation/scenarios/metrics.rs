//! The metrics, from measures to the normalised value.

use crate::evaluation::testing::{World, dec, row, rows};
use crate::rules::PartsMode;

const KEY: &str = "P1 cloud 2026-Q3";

fn world() -> World {
    let mut world = World::new(&["2026-Q3"]);
    world.partner("P1", "emea");
    world
}

fn metric(world: &World, name: &str, columns: &str) -> String {
    row(&world.run().metrics, &format!("{KEY} {name}"), columns)
}

#[test]
fn satisfaction_with_a_dominant_customer() {
    let mut world = world();
    world
        .answers(KEY, "C1", "key", 4, 5)
        .answers(KEY, "C2", "ordinary", 6, 6)
        .answers(KEY, "C3", "ordinary", 2, 4);
    // weights 10, 6, 4; C1 over 0.4·20 = 8; K = {C1}: T = 10/0.6, w = 0.4·T = 20/3, and 6 ≤ 20/3; factor 2/3
    // Σw = 20/3 + 10 = 50/3; satisfied 16/3 + 6 + 2 = 40/3; p = 0.8
    // Σw² = 20·4/9 + 6 + 4 = 170/9; n_eff = (2500/9)/(170/9) = 250/17 = 14.705882…
    // no peers: p* = (250/17·0.8 + 20·0.85)/(250/17 + 20) = (200 + 289)/(250 + 340) = 489/590 = 0.828813559…
    // knots: 60·(489/590 − 0.70)/0.15 = 400·76/590 = 51.525423…
    assert_eq!(
        metric(&world, "satisfaction", "state n n_eff raw"),
        "provisional | 15 | 14.705882352941 | 0.800000000000"
    );
    let peers = "0.850000000000 | default | 0.828813559322 | 51.525423728814";
    assert_eq!(
        metric(&world, "satisfaction", "peer_value peer_basis adjusted normalised"),
        peers
    );
    let interval = "0.545512856368 | 0.930217292785";
    assert_eq!(metric(&world, "satisfaction", "interval_low interval_high"), interval);
    let note = "held to the largest share of one customer: C1";
    assert_eq!(
        metric(&world, "satisfaction", "reason note"),
        format!("15 answers, 30 needed to be rated in full | {note}")
    );
}

#[test]
fn two_customers_are_not_capped() {
    let mut world = world();
    // weights 9 and 1: p = 9/10
    world
        .answers(KEY, "C1", "ordinary", 9, 9)
        .answers(KEY, "C2", "ordinary", 0, 1);
    assert_eq!(
        metric(&world, "satisfaction", "raw n_eff note"),
        "0.900000000000 | 10.000000000000 | -"
    );
}

#[test]
fn satisfaction_states_by_answers() {
    let state = |n| {
        let mut world = world();
        if n > 0 {
            world.answers(KEY, "C1", "ordinary", n, n);
        } else {
            world.completed(KEY, 1);
        }
        metric(&world, "satisfaction", "state n")
    };
    let states = [0, 4, 5, 29, 30].map(state);
    assert_eq!(
        states,
        [
            "insufficient | 0",
            "insufficient | 4",
            "provisional | 5",
            "provisional | 29",
            "rated | 30"
        ]
    );
}

#[test]
fn too_few_answers_show_a_share_and_conclude_nothing() {
    let mut world = world();
    world.answers(KEY, "C1", "ordinary", 3, 4);
    let columns = "state raw adjusted normalised effective_weight points";
    assert_eq!(
        metric(&world, "satisfaction", columns),
        "insufficient | 0.750000000000 | - | - | 0.00 | 0.00"
    );
}

#[test]
fn what_is_excluded_is_shown_as_excluded() {
    let mut world = world();
    world
        .answers(KEY, "C1", "ordinary", 5, 5)
        .answers(KEY, "C2", "ordinary", 0, 7)
        .answers(KEY, "C3", "ordinary", 0, 0);
    let (by, fault, zero) = (5, 11, 12);
    world.inputs.satisfaction.rows[1][by] = "partner_nominated".into();
    world.inputs.satisfaction.rows[2][fault] = 2.into();
    world.inputs.satisfaction.rows[2][zero] = 1.into();
    let note = "not counted, the vendor's fault: 2 answers; not counted, no responsibility of the partner: 1 answer; \
                not counted, customer nominated by the partner: 7 answers";
    assert_eq!(
        metric(&world, "satisfaction", "n raw note"),
        format!("5 | 1.000000000000 | {note}")
    );
}

#[test]
fn a_part_of_the_responsibility_is_a_part_of_the_weight() {
    let mut world = world();
    world.answers(KEY, "C1", "ordinary", 6, 8);
    // 8 answers of share ½, 6 satisfied: Σw = 4, Σw² = 2, satisfied 3; p = 0.75, n_eff = 16/2 = 8
    let rows = &mut world.inputs.satisfaction.rows;
    for (column, value) in [(7, "4.0000"), (8, "2.00000000"), (10, "3.0000")] {
        rows[0][column] = crate::domain::Dec::parse(value).unwrap().into();
    }
    assert_eq!(
        metric(&world, "satisfaction", "n n_eff raw"),
        "8 | 8.000000000000 | 0.750000000000"
    );
}

#[test]
fn peers_leave_out_the_partner_and_look_back_four_periods() {
    let mut world = world();
    world.partner("P2", "emea").partner("P3", "apac");
    world.answers(KEY, "C1", "ordinary", 5, 5);
    // others in the domain: 20 of 25 three periods back and 7 of 15 now = 27/40; another region does not count
    world
        .answers("P2 cloud 2025-Q4", "C5", "ordinary", 20, 25)
        .answers("P2 cloud 2026-Q3", "C5", "ordinary", 7, 15);
    world.answers("P3 cloud 2026-Q3", "C9", "ordinary", 90, 90);
    assert_eq!(
        metric(&world, "satisfaction", "peer_value peer_basis"),
        "0.675000000000 | domain"
    );
    // (5·1 + 20·0.675)/25 = 18.5/25 = 0.74; knots 60·0.04/0.15 = 16
    assert_eq!(
        metric(&world, "satisfaction", "adjusted normalised"),
        "0.740000000000 | 16.000000000000"
    );
    // P2 finds only 5 answers of others in the region
    let peers = row(
        &world.run().metrics,
        "P2 cloud 2026-Q3 satisfaction",
        "peer_value peer_basis",
    );
    assert_eq!(peers, "0.850000000000 | default");
}

#[test]
fn own_answers_in_another_domain_are_no_peers() {
    let mut world = world();
    world.partner("P2", "emea");
    world
        .answers(KEY, "C1", "ordinary", 5, 5)
        .answers("P1 ups 2026-Q3", "C1", "ordinary", 50, 50);
    world.answers("P2 ups 2026-Q3", "C5", "ordinary", 24, 30);
    assert_eq!(
        metric(&world, "satisfaction", "peer_value peer_basis"),
        "0.800000000000 | region"
    );
}

#[test]
fn quality_by_scores_and_findings() {
    let mut world = world();
    world.scored(KEY, &[90, 80]).found(KEY, "risk", [1, 2, 3]);
    // the third scores 100 − 20 − 10 − 3 = 67 at weight ½
    // mean (90 + 80 + 33.5)/2.5 = 81.4; n_eff = 6.25/2.25 = 25/9
    // (25/9·81.4 + 4·85)/(25/9 + 4) = (2035 + 3060)/61 = 5095/61 = 83.524590…
    let columns = "state n n_eff raw adjusted normalised";
    let figures = "rated | 3 | 2.777777777778 | 81.400000000000 | 83.524590163934 | 83.524590163934";
    assert_eq!(metric(&world, "quality", columns), figures);
}

#[test]
fn findings_never_go_below_nothing_and_none_are_a_hundred() {
    let mut world = world();
    world
        .found(KEY, "random", [6, 0, 0])
        .found(KEY, "random", [0, 0, 0])
        .found(KEY, "random", [0, 1, 0]);
    // 0, 100, 95
    assert_eq!(metric(&world, "quality", "n raw"), "3 | 65.000000000000");
}

#[test]
fn another_scale_is_brought_to_a_hundred() {
    let mut world = world();
    world.scored(KEY, &[4, 3, 5]);
    world.inputs.quality.rows[0][5] = crate::domain::Value::Dec(5.into());
    // 12 of 15
    assert_eq!(metric(&world, "quality", "raw"), "80.000000000000");
}

#[test]
fn work_that_was_not_inspected_counts_for_nothing() {
    let raw = |completed| {
        let mut world = world();
        world.scored(KEY, &[60, 80, 70]).completed(KEY, completed);
        metric(&world, "quality", "n raw normalised")
    };
    assert_eq!(raw(3), raw(500));
    assert!(raw(500).starts_with("3 | 70.000000000000"));
}

#[test]
fn too_few_inspections_look_back_and_are_provisional() {
    let mut world = world();
    world.scored(KEY, &[90, 80]).scored("P1 cloud 2025-Q4", &[70]);
    assert_eq!(
        metric(&world, "quality", "state n raw"),
        "provisional | 3 | 80.000000000000"
    );
    let reason = "2 inspections in the period, so the 3 of 4 periods were used";
    assert_eq!(metric(&world, "quality", "reason"), reason);
    // five periods back is too far
    let mut world = self::world();
    world.scored(KEY, &[90, 80]).scored("P1 cloud 2025-Q3", &[70]);
    assert_eq!(metric(&world, "quality", "state normalised"), "insufficient | -");
}

#[test]
fn an_open_critical_finding_holds_the_metric() {
    let mut world = world();
    world.scored(KEY, &[95, 95, 95]).open_critical(KEY, 1);
    // (3·95 + 4·85)/7 = 625/7 = 89.285714…, held at 59
    assert_eq!(
        metric(&world, "quality", "adjusted normalised"),
        "89.285714285714 | 59.000000000000"
    );
    assert_eq!(
        metric(&world, "quality", "note"),
        "1 critical finding open for more than 30 days"
    );
    // what is below the cap stays
    let mut world = self::world();
    world.scored(KEY, &[10, 10, 10]).open_critical(KEY, 1);
    // (30 + 340)/7
    assert_eq!(metric(&world, "quality", "normalised"), "52.857142857143");
}

#[test]
fn parts_by_rate() {
    let parts = |quantities| {
        let mut world = world();
        world.parts(KEY, quantities);
        metric(&world, "parts", "state n raw normalised")
    };
    // 1 − 3/50 = 0.94: 50 + 25·4/5 = 70, less 2 for one part long overdue
    assert_eq!(parts([40, 10, 3, 1]), "rated | 50 | 0.940000000000 | 68.000000000000");
    // at most 20 off: 1 − 20/1000 = 0.98 gives 90, less min(20, 2·15)
    assert_eq!(
        parts([1000, 0, 20, 15]),
        "rated | 1000 | 0.980000000000 | 70.000000000000"
    );
    // at least 0
    assert_eq!(parts([0, 5, 5, 5]), "rated | 5 | 0.000000000000 | 0.000000000000");
    assert_eq!(parts([7, 0, 0, 0]), "rated | 7 | 1.000000000000 | 100.000000000000");
}

#[test]
fn parts_by_count() {
    let mut world = world();
    world.parts(KEY, [40, 10, 3, 1]).book("emea").parts.mode = PartsMode::Count;
    // 100 − 5·3
    assert_eq!(
        metric(&world, "parts", "raw adjusted normalised"),
        "0.940000000000 | - | 85.000000000000"
    );
    world.inputs.parts.rows.clear();
    world.parts(KEY, [40, 10, 21, 1]);
    assert_eq!(metric(&world, "parts", "normalised"), "0.000000000000");
}

#[test]
fn no_part_due_or_overdue_is_not_applicable() {
    let mut world = world();
    world.completed(KEY, 1).parts(KEY, [0, 0, 0, 0]);
    assert_eq!(
        metric(&world, "parts", "state reason normalised"),
        "not_applicable | no part due or overdue | -"
    );
}

#[test]
fn returning_a_part_always_helps_and_never_returning_one_always_hurts() {
    for mode in [PartsMode::Rate, PartsMode::Count] {
        let points = |quantities| {
            let mut world = world();
            world.parts(KEY, quantities).book("emea").parts.mode = mode;
            dec(&metric(&world, "parts", "normalised"))
        };
        for overdue in 1..=19 {
            // one of them returned; the denominator stays
            let (kept, returned) = (points([90, 10, overdue, 0]), points([90, 10, overdue - 1, 0]));
            assert!(returned > kept, "{mode:?} {overdue}");
        }
        // a part kept for ever stays in the opening and in what is overdue, so it never falls out of the count
        let (first, later) = (points([100, 0, 1, 0]), points([100, 1, 1, 1]));
        assert!(
            first < points([100, 0, 0, 0]) && later < points([100, 0, 0, 0]),
            "{mode:?}"
        );
        assert!(points([100, 1, 0, 0]) > later, "{mode:?}");
    }
}

#[test]
fn a_silent_feed_is_not_zero_overdue() {
    let mut world = world();
    world
        .answers(KEY, "C1", "ordinary", 30, 30)
        .scored(KEY, &[90, 90, 90])
        .parts(KEY, [10, 0, 0, 0]);
    let silent = (
        crate::rules::MetricId::Parts,
        crate::evaluation::testing::partner("P1"),
        crate::evaluation::testing::period("2026-Q3"),
    );
    world.inputs.incomplete.insert(silent);
    let columns = "state raw normalised effective_weight";
    assert_eq!(metric(&world, "parts", columns), "incomplete | - | - | 0.00");
    // without any row it is the same, and not "not applicable"
    world.inputs.parts.rows.clear();
    assert_eq!(metric(&world, "parts", columns), "incomplete | - | - | 0.00");
    let score = row(&world.run().scores, KEY, "state reason coverage");
    assert_eq!(score, "provisional | incomplete: parts | 75.00");
    assert_eq!(rows(&world.run().partner_scores, "P1 2026-Q3", "state reason").len(), 1);
}
