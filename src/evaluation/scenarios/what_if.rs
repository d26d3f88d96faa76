//! What-if: each effect is what evaluating the changed rows gives.

use crate::domain::Value;
use crate::evaluation::testing::{World, domain, partner, period, row};
use crate::evaluation::what_if::{Action, Change, Effect, WhatIf, what_if};

const KEY: &str = "P1 cloud 2026-Q3";

/// P1 with 3 of 40 parts overdue, one for long, a critical finding open for too long and an event against it; P2 is
/// its peer.
fn world(parts: [i64; 4], critical: i64) -> World {
    let mut world = World::new(&["2026-Q3"]);
    world.partner("P1", "emea").partner("P2", "emea");
    world
        .answers(KEY, "C1", "key", 4, 5)
        .answers(KEY, "C2", "ordinary", 6, 6)
        .answers(KEY, "C3", "ordinary", 2, 4)
        .scored(KEY, &[90, 80, 85])
        .parts(KEY, parts)
        .open_critical(KEY, critical)
        .completed(KEY, 4);
    world
        .answers("P2 cloud 2026-Q3", "C9", "ordinary", 30, 40)
        .scored("P2 cloud 2026-Q3", &[70; 40]);
    world
        .event("E1 P1 cloud major negative none")
        .confirmed("E1", "2026-08-01T10:00:00Z");
    world
}

const PARTS: [i64; 4] = [40, 10, 3, 1];

fn ask(world: &World, more: &[Action]) -> WhatIf {
    let found = what_if(&world.inputs, &world.library, &partner("P1"), period("2026-Q3"), more);
    found.unwrap().unwrap()
}

fn of_kind<'a>(found: &'a WhatIf, kind: &str) -> Vec<&'a Effect> {
    found.effects.iter().filter(|e| e.action.kind() == kind).collect()
}

/// Final and grade of P1's card and of its domain, evaluated as a whole.
fn evaluated(world: &World) -> [String; 2] {
    let out = world.run();
    [
        row(&out.partner_scores, "P1 2026-Q3", "final grade"),
        row(&out.scores, KEY, "final grade"),
    ]
}

fn told(effect: &Effect) -> [String; 2] {
    [Some(effect.card[1]), effect.domain[1]].map(|stand| {
        let stand = stand.unwrap();
        format!("{} | {}", stand.score.unwrap(), stand.grade.unwrap())
    })
}

#[test]
fn each_effect_is_the_evaluation_of_the_changed_rows() {
    let present = world(PARTS, 1);
    let found = ask(&present, &[]);
    let out = present.run();
    assert_eq!(
        row(&found.present.partner_scores, "P1 2026-Q3", "final grade reason"),
        row(&out.partner_scores, "P1 2026-Q3", "final grade reason")
    );

    let parts = of_kind(&found, "return_parts");
    assert_eq!(
        told(parts[0]),
        evaluated(&world([40, 10, 0, 0], 1)),
        "{}",
        parts[0].action.words
    );
    assert_eq!(
        told(parts[1]),
        evaluated(&world([40, 10, 2, 0], 1)),
        "{}",
        parts[1].action.words
    );
    assert_eq!(told(of_kind(&found, "close_critical")[0]), evaluated(&world(PARTS, 0)));

    let mut answered = world(PARTS, 1);
    for i in 0..5 {
        answered.answers(KEY, &format!("N{i}"), "ordinary", 1, 1);
    }
    let answers = of_kind(&found, "satisfied_answers");
    let five = answers
        .iter()
        .find(|e| e.action.change == Change::SatisfiedAnswers { answers: 5 });
    assert_eq!(told(five.unwrap()), evaluated(&answered));

    let mut inspected = world(PARTS, 1);
    inspected.scored(KEY, &[100, 100, 100]);
    let inspections = of_kind(&found, "inspections");
    let best = inspections.iter().find(|e| e.action.words.ends_with("at 100")).unwrap();
    assert_eq!(told(best), evaluated(&inspected));

    let mut heard = world(PARTS, 1);
    heard.act("appeal E1 upheld cyd 2026-08-02T10:00:00Z");
    assert_eq!(told(of_kind(&found, "uphold_appeal")[0]), evaluated(&heard));
}

#[test]
fn actions_are_ranked_by_what_they_bring_and_the_same_each_time() {
    let found = ask(&world(PARTS, 1), &[]);
    let list = |found: &WhatIf| -> Vec<String> {
        let line = |e: &Effect| format!("{} {}", e.action.words, e.points().unwrap());
        found.effects.iter().map(line).collect()
    };
    let points: Vec<_> = found.effects.iter().map(|e| e.points().unwrap()).collect();
    assert!(points.windows(2).all(|pair| pair[0] >= pair[1]), "{points:?}");
    assert!(points[0].units() > 0);
    let mut shuffled = world(PARTS, 1);
    shuffled.inputs.satisfaction.rows.reverse();
    shuffled.inputs.quality.rows.reverse();
    shuffled.inputs.decisions.rows.reverse();
    assert_eq!(list(&ask(&shuffled, &[])), list(&found));
}

#[test]
fn a_score_that_becomes_rated_comes_first_and_a_certificate_moves_no_score() {
    let mut world = World::new(&["2026-Q3"]);
    world.partner("P1", "emea");
    world.scored(KEY, &[90, 80, 85]).completed(KEY, 4);
    let (first_on, end_on) = match (
        &world.inputs.partner_periods.rows[3][3],
        &world.inputs.partner_periods.rows[3][4],
    ) {
        (Value::Date(first), Value::Date(end)) => (*first, *end),
        other => panic!("{other:?}"),
    };
    let certify = Action {
        domain: Some(domain("security")),
        words: "be certified".to_owned(),
        change: Change::Certify {
            stars: 3,
            first_on,
            end_on,
        },
    };
    let found = ask(&world, &[certify]);
    let first = &found.effects[0];
    assert_eq!(first.action.kind(), "satisfied_answers");
    assert_eq!(first.points(), None);
    assert!(first.card[0].score.is_none() && first.card[1].score.is_some());
    let certified = of_kind(&found, "certify")[0];
    assert_eq!(certified.card[0], certified.card[1]);
    assert!(
        certified.domain[0].is_none() && certified.domain[1].is_some(),
        "it has a row now"
    );
    let stranger = what_if(&world.inputs, &world.library, &partner("P9"), period("2026-Q3"), &[]);
    assert!(stranger.unwrap().is_none());
}

#[test]
fn what_rests_on_a_silent_feed_has_no_actions() {
    let mut world = world(PARTS, 0);
    let key = (crate::rules::MetricId::Parts, partner("P1"), period("2026-Q3"));
    world.inputs.incomplete.insert(key);
    assert!(of_kind(&ask(&world, &[]), "return_parts").is_empty());
}
