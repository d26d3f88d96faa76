//! Improvement plans, day by day.

use super::plans::table;
use crate::domain::time::parse_date;
use crate::domain::{Date, Instant, Table};
use crate::evaluation::homes::Homes;
use crate::evaluation::review_acts::{ReviewAct, Verdict};
use crate::evaluation::testing::{World, domain, partner, rows};

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

/// Plans of P1, at home in Singapore, as of an instant; acts as `day outcome`.
fn plans(acts: &[&str], as_of: &str) -> Vec<String> {
    let world = World::new(&[]);
    let mut partners = Table::new("partners", &["partner_id", "valid_from", "region"]);
    partners.push(vec!["P1".into(), day("2020-01-01").into(), "apac".into()]);
    let act = |(i, text): (usize, &&str)| {
        let (on, outcome) = text.split_once(' ').unwrap();
        ReviewAct {
            from: day(on),
            decided_at: Instant::parse(&format!("{on}T01:00:00Z")).unwrap(),
            decided_on: day(on),
            decision_id: format!("D{i}").into(),
            partner: partner("P1"),
            domain: domain("cloud"),
            verdict: Verdict::parse(outcome).unwrap(),
            by: "ann".into(),
            reason: "checked".into(),
        }
    };
    let acts: Vec<ReviewAct> = acts.iter().enumerate().map(act).collect();
    let homes = Homes::read(&partners).unwrap();
    let table = table(&acts, &homes, &world.library, Instant::parse(as_of).unwrap()).unwrap();
    rows(
        &table,
        "P1 cloud",
        "probation_on plan_due_on plan_received_on outcome_due_on outcome_on state",
    )
}

#[test]
fn a_plan_is_due_after_15_days_and_the_outcome_after_90() {
    let dates = "2026-07-01 | 2026-07-16 | - | 2026-09-29 | - |";
    let at = |as_of| plans(&["2026-07-01 probation"], as_of);
    // the day itself is in time: in Singapore it ends at 16:00 UTC
    assert_eq!(at("2026-07-16T15:59:59Z"), [format!("{dates} plan_awaited")]);
    assert_eq!(at("2026-07-16T16:00:00Z"), [format!("{dates} plan_overdue")]);
    assert_eq!(at("2026-09-29T15:59:59Z"), [format!("{dates} plan_overdue")]);
    assert_eq!(at("2026-09-29T16:00:00Z"), [format!("{dates} outcome_overdue")]);
}

#[test]
fn what_came_of_it() {
    let at = |acts: &[&str]| plans(acts, "2026-12-01T00:00:00Z");
    let state = |acts: &[&str]| {
        at(acts)
            .iter()
            .map(|r| r.rsplit(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (begun, received) = ("2026-10-01 probation", "2026-10-10 plan_received");
    assert_eq!(state(&[begun, received]), ["running"]);
    assert_eq!(state(&[begun, received, "2026-11-20 probation_passed"]), ["passed"]);
    assert_eq!(state(&[begun, "2026-11-20 probation_failed"]), ["failed"]);
    assert_eq!(state(&[begun, "2026-11-20 suspend"]), ["superseded"]);
    assert_eq!(
        state(&[begun, "2026-11-01 probation_failed", "2026-11-20 probation"]),
        ["failed", "plan_awaited"]
    );
    assert_eq!(
        at(&[begun, received, "2026-11-20 probation_passed"]),
        ["2026-10-01 | 2026-10-16 | 2026-10-10 | 2026-12-30 | 2026-11-20 | passed"]
    );
    assert_eq!(state(&[received]), Vec::<String>::new());
}
