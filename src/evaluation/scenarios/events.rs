//! Key events and red lines in the scores.

use crate::evaluation::testing::{World, row, rows};

const KEY: &str = "P1 cloud 2026-Q3";

/// A partner whose cloud score of 2026-Q3 is 91.80 (34.8 + 0.35·640/7 + 25) without events.
fn world(periods: &[&str]) -> World {
    let mut world = World::new(periods);
    world.partner("P1", "emea");
    world
        .answers(KEY, "C1", "ordinary", 30, 30)
        .scored(KEY, &[100; 3])
        .parts(KEY, [5, 0, 0, 0]);
    world
}

fn q3() -> World {
    world(&["2026-Q3"])
}

#[test]
fn points_by_level_and_direction() {
    let points = |event: &str| {
        let mut world = q3();
        world
            .event(&format!("E1 P1 cloud {event}"))
            .confirmed("E1", "2026-08-01T10:00:00Z");
        row(&world.run().scores, KEY, "event_points clamp final")
    };
    assert_eq!(points("minor positive none"), "1.00 | 0.00 | 92.80");
    assert_eq!(points("major positive none"), "2.00 | 0.00 | 93.80");
    assert_eq!(points("severe positive none"), "5.00 | 0.00 | 96.80");
    assert_eq!(points("minor negative none"), "-2.00 | 0.00 | 89.80");
    assert_eq!(points("major negative none"), "-5.00 | 0.00 | 86.80");
    assert_eq!(points("severe negative none"), "-10.00 | 0.00 | 81.80");
    // half where the partner reported it first, for negatives only
    assert_eq!(points("severe negative none !"), "-5.00 | 0.00 | 86.80");
    assert_eq!(points("severe positive none !"), "5.00 | 0.00 | 96.80");
    // a red line is a state
    assert_eq!(points("severe negative L3"), "0.00 | 0.00 | 91.80");
}

#[test]
fn each_side_has_its_cap() {
    let mut world = q3();
    for i in 0..3 {
        world
            .event(&format!("N{i} P1 cloud severe negative none"))
            .confirmed(&format!("N{i}"), "2026-08-01T10:00:00Z");
        world
            .event(&format!("P{i} P1 cloud major positive none"))
            .confirmed(&format!("P{i}"), "2026-08-01T10:00:00Z");
    }
    // −30 held at −20, +6 held at +5
    assert_eq!(row(&world.run().scores, KEY, "event_points final"), "-15.00 | 76.80");
    // before caps each event keeps its own points
    assert_eq!(rows(&world.run().key_event_points, "N1", "points"), ["-10.00"]);
}

#[test]
fn an_event_without_a_domain_is_the_cards() {
    let mut world = q3();
    world.member("security", "networking");
    world
        .event("E1 P1 - minor negative none")
        .confirmed("E1", "2026-08-01T10:00:00Z");
    world
        .event("E2 P1 networking minor negative none")
        .confirmed("E2", "2026-08-01T10:00:00Z");
    let out = world.run();
    assert_eq!(row(&out.scores, KEY, "event_points final"), "0.00 | 91.80");
    assert_eq!(
        row(&out.partner_scores, "P1 2026-Q3", "base event_points final grade"),
        "91.80 | -4.00 | 87.80 | B"
    );
    assert_eq!(rows(&out.scores, "P1", "domain"), ["cloud"]);
}

#[test]
fn one_person_twice_is_no_confirmation() {
    let mut world = q3();
    world.event("E1 P1 cloud severe negative none");
    world
        .act("confirm E1 confirmed ann 2026-08-01T10:00:00Z")
        .act("confirm E1 confirmed ann 2026-08-02T10:00:00Z");
    let out = world.run();
    assert_eq!(row(&out.scores, KEY, "event_points"), "0.00");
    let columns = "status period points confirmed_on reason";
    assert_eq!(
        row(&out.key_event_points, "E1", columns),
        "candidate | - | -10.00 | - | confirmed by 1 of two persons"
    );
}

#[test]
fn the_local_day_of_the_second_person_decides_the_period() {
    let mut world = world(&["2026-Q2", "2026-Q3"]);
    world.event("E1 P1 cloud minor negative none");
    world.act("confirm E1 confirmed ann 2026-05-01T10:00:00Z");
    // in Berlin it is already 1 July
    world
        .act("confirm E1 confirmed bob 2026-06-30T22:00:00Z")
        .act("confirm E1 confirmed ann 2026-05-02T10:00:00Z");
    let columns = "status period confirmed_on";
    assert_eq!(
        row(&world.run().key_event_points, "E1", columns),
        "counted | 2026-Q3 | 2026-07-01"
    );
    world.inputs.decisions.rows[1][5] = crate::domain::Instant::parse("2026-06-30T21:59:59Z").unwrap().into();
    assert_eq!(
        row(&world.run().key_event_points, "E1", columns),
        "counted | 2026-Q2 | 2026-06-30"
    );
}

#[test]
fn an_appeal_suspends_and_its_ruling_decides() {
    let after = |acts: &[&str]| {
        let mut world = world(&["2026-Q2", "2026-Q3"]);
        world
            .event("E1 P1 cloud major negative none")
            .confirmed("E1", "2026-06-01T10:00:00Z");
        for act in acts {
            world.act(act);
        }
        let out = world.run();
        let score = row(&out.scores, KEY, "event_points");
        format!(
            "{} | {score}",
            row(&out.key_event_points, "E1", "status period confirmed_on")
        )
    };
    assert_eq!(after(&[]), "counted | 2026-Q2 | 2026-06-01 | 0.00");
    let filed = "appeal E1 filed p 2026-06-20T10:00:00Z";
    assert_eq!(after(&[filed]), "suspended | - | 2026-06-01 | 0.00");
    assert_eq!(
        after(&[filed, "appeal E1 upheld x 2026-07-20T10:00:00Z"]),
        "upheld_appeal | - | 2026-06-01 | 0.00"
    );
    // rejected: counts once, in the period of the ruling
    assert_eq!(
        after(&[filed, "appeal E1 rejected x 2026-07-20T10:00:00Z"]),
        "counted | 2026-Q3 | 2026-06-01 | -5.00"
    );
    assert_eq!(
        after(&["withdraw E1 withdrawn ann 2026-06-21T10:00:00Z"]),
        "withdrawn | - | 2026-06-01 | 0.00"
    );
}

#[test]
fn a_decision_for_a_closed_period_counts_in_the_first_open_one() {
    let mut world = q3();
    world.inputs.sealed_partner_scores = {
        let mut before = self::world(&["2026-Q2"]);
        before.partner("P9", "emea");
        before.run().partner_scores
    };
    world
        .event("E1 P1 cloud minor negative none")
        .confirmed("E1", "2026-06-01T10:00:00Z");
    let out = world.run();
    let columns = "status period confirmed_on reason";
    let reason = "confirmed by two persons, the second on 2026-06-01; \
                  2026-Q2 is closed, so it counts in the first period that is not";
    assert_eq!(
        row(&out.key_event_points, "E1", columns),
        format!("counted | 2026-Q3 | 2026-06-01 | {reason}")
    );
    assert_eq!(row(&out.scores, KEY, "event_points"), "-2.00");
}

#[test]
fn an_event_of_a_closed_period_stays_where_it_counted() {
    let mut before = world(&["2026-Q2"]);
    before
        .event("E1 P1 cloud minor negative none")
        .confirmed("E1", "2026-06-01T10:00:00Z");
    let closed = before.run();
    let mut world = q3();
    world.inputs.sealed_key_event_points = closed.key_event_points.clone();
    world.inputs.sealed_partner_scores = closed.partner_scores;
    world
        .event("E1 P1 cloud minor negative none")
        .confirmed("E1", "2026-06-01T10:00:00Z");
    world.act("withdraw E1 withdrawn ann 2026-07-15T10:00:00Z");
    let out = world.run();
    assert_eq!(out.key_event_points, closed.key_event_points);
    assert_eq!(row(&out.scores, KEY, "event_points"), "0.00");
    assert_eq!(out.findings[0].rule, "event-changed-after-close");
}

#[test]
fn black_is_grade_e_and_the_score_stays() {
    let mut world = world(&["2026-Q1", "2026-Q2", "2026-Q3"]);
    world
        .event("E1 P1 cloud severe negative L1")
        .confirmed("E1", "2026-06-01T10:00:00Z");
    world.certified("P1", "ups", "2026-01-01", "2027-01-01");
    let out = world.run();
    // 90 days from 1 June end before 30 August
    let freezes: Vec<String> = out
        .freezes
        .iter()
        .map(|f| format!("{} {} {}", f.partner, f.from, f.until))
        .collect();
    assert_eq!(freezes, ["P1 2026-06-01 2026-08-30"]);
    assert_eq!(row(&out.scores, KEY, "final grade score_grade"), "91.80 | E | A");
    // also where there is no score
    assert_eq!(
        row(&out.scores, "P1 ups 2026-Q2", "state final grade score_grade"),
        "not_rated | - | E | -"
    );
    assert_eq!(row(&out.scores, "P1 ups 2026-Q1", "grade"), "-");
    let columns = "final grade score_grade red_line_state red_line_until";
    assert_eq!(
        row(&out.partner_scores, "P1 2026-Q3", columns),
        "91.80 | E | A | black | 2026-08-30"
    );
    assert_eq!(row(&out.partner_scores, "P1 2026-Q1", columns), "- | - | - | none | -");
}

#[test]
fn red_lines_are_counted_across_domains() {
    let mut world = world(&["2026-Q2", "2026-Q3"]);
    world
        .event("E1 P1 cloud major negative L2")
        .confirmed("E1", "2026-05-01T10:00:00Z");
    world
        .event("E2 P1 ups major negative L2")
        .confirmed("E2", "2026-05-10T10:00:00Z");
    let out = world.run();
    assert!(out.freezes.is_empty());
    // 60 days from 10 May end before 9 July
    assert_eq!(
        (out.holds[0].from.to_string(), out.holds[0].until.to_string()),
        ("2026-05-10".into(), "2026-07-09".into())
    );
    let columns = "grade red_line_state red_line_until";
    assert_eq!(
        row(&out.partner_scores, "P1 2026-Q3", columns),
        "A | yellow | 2026-07-09"
    );
    // a third one, without any domain, makes black from its day on
    world
        .event("E3 P1 - minor negative L2")
        .confirmed("E3", "2026-09-30T21:59:00Z");
    let out = world.run();
    assert_eq!(
        (out.freezes[0].from.to_string(), out.freezes[0].until.to_string()),
        ("2026-09-30".into(), "2026-12-29".into())
    );
    assert_eq!(
        row(&out.partner_scores, "P1 2026-Q3", columns),
        "E | black | 2026-12-29"
    );
    // an open appeal suspends the state
    world.act("appeal E3 filed p 2026-10-01T10:00:00Z");
    assert!(world.run().freezes.is_empty());
    // another region may freeze for longer
    world.inputs.decisions.rows.pop();
    world.book("emea").red_lines.black_freeze_days = 180;
    assert_eq!(world.run().freezes[0].until.to_string(), "2027-03-29");
}

#[test]
fn nothing_is_asked_of_the_rules_before_the_programme_began() {
    let mut world = q3();
    // the look-back may reach into periods for which no edition holds
    let mut early = world.inputs.partner_periods.rows[0].clone();
    let day = |t| crate::domain::time::parse_date(t).unwrap();
    early[1] = "2025-Q3".into();
    early[3] = day("2025-07-01").into();
    early[4] = day("2025-10-01").into();
    early[5] = crate::domain::Instant::parse("2025-06-30T22:00:00Z").unwrap().into();
    world.inputs.partner_periods.push(early);
    world
        .event("E1 P1 cloud minor negative none")
        .confirmed("E1", "2025-08-01T10:00:00Z");
    let columns = "status period points confirmed_on";
    assert_eq!(
        row(&world.run().key_event_points, "E1", columns),
        "counted | 2025-Q3 | -2.00 | 2025-08-01"
    );
    assert_eq!(row(&world.run().scores, KEY, "event_points"), "0.00");
}

#[test]
fn acts_on_unknown_events_are_told() {
    let mut world = q3();
    world.act("confirm E404 confirmed ann 2026-08-01T10:00:00Z");
    world
        .event("E1 PX cloud minor negative none")
        .confirmed("E1", "2026-08-01T10:00:00Z");
    let out = world.run();
    let told: Vec<&str> = out.findings.iter().map(|f| f.rule.as_str()).collect();
    assert_eq!(told, ["event-without-region", "decision-subject"]);
    assert_eq!(
        row(&out.key_event_points, "E1", "status period points"),
        "candidate | - | 0.00"
    );
}

/// Events occur on 1 July; the rules give them 180 days.
#[test]
fn an_event_that_is_confirmed_too_late_never_counts() {
    let status = |zone: &str, second: &str| {
        let mut world = q3();
        world.book("emea").zone = crate::domain::Zone::parse(zone).unwrap();
        world
            .event("E1 P1 cloud minor negative none")
            .act("confirm E1 confirmed ann 2026-07-02T10:00:00Z")
            .act(&format!("confirm E1 confirmed bob {second}"));
        row(&world.run().key_event_points, "E1", "status points")
    };
    // 180 days after 1 July is 28 December, in the zone of the partner
    assert_eq!(status("UTC", "2026-12-28T23:30:00Z"), "counted | -2.00");
    assert_eq!(status("UTC", "2026-12-29T00:00:00Z"), "expired | -2.00");
    assert_eq!(status("Europe/Berlin", "2026-12-28T23:30:00Z"), "expired | -2.00");
}

#[test]
fn codes_and_their_levels_are_the_rules() {
    let status = |event: &str| {
        let mut world = q3();
        let code = crate::rules::EventCode {
            positive: false,
            levels: vec!["minor".to_owned()],
            red_lines: vec!["none".to_owned(), "L3".to_owned()],
        };
        world.book("emea").key_events.codes = [("K".to_owned(), code)].into();
        world
            .event(&format!("E1 P1 cloud {event}"))
            .confirmed("E1", "2026-08-01T10:00:00Z");
        let out = world.run();
        let rules: Vec<String> = out.findings.iter().map(|f| f.rule.clone()).collect();
        let score = row(&out.scores, KEY, "event_points");
        (row(&out.key_event_points, "E1", "status reason"), score, rules)
    };
    assert!(status("minor negative none").0.starts_with("counted | "));
    assert!(status("minor negative L3").0.starts_with("counted | "));
    let refused = |event: &str, reason: &str| {
        let (told, score, rules) = status(event);
        assert_eq!(told, format!("not_in_rules | {reason}"));
        assert_eq!((score.as_str(), rules), ("0.00", vec!["event-not-in-rules".to_owned()]));
    };
    refused("major negative none", "K may be minor, not major");
    refused("minor positive none", "K is negative, not positive");
    refused("minor negative L1", "the red line of K may be none or L3, not L1");
}
