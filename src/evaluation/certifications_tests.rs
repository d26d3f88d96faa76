//! Certifications as they hold, by day.

use super::certifications::*;
use super::homes::Homes;
use super::review_acts::acts;
use crate::domain::time::parse_date;
use crate::domain::{Date, Findings, Instant, Table, Value};
use crate::evaluation::testing::{domain, partner};

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

/// Certifications of P1 as `domain from to stars status`.
fn feed(rows: &[&str]) -> Table {
    let mut table = Table::new("certifications", &EFFECTIVE[..7]);
    for row in rows {
        let words: Vec<&str> = row.split(' ').collect();
        table.push(vec![
            "P1".into(),
            words[0].into(),
            day(words[1]).into(),
            words[3].parse::<i64>().unwrap().into(),
            "2025".into(),
            day(words[2]).into(),
            words[4].into(),
        ]);
    }
    table
}

fn domains() -> Table {
    let mut table = Table::new("domains", &["domain", "member_of"]);
    table.push(vec!["networking".into(), Value::Null]);
    table.push(vec!["wlan".into(), "networking".into()]);
    table.push(vec!["cloud".into(), Value::Null]);
    table
}

/// Decisions on P1 as `day domain outcome [effective_on]`, each taken at 02:00 UTC.
fn decisions(rows: &[&str]) -> Table {
    let columns = [
        "decision_id",
        "kind",
        "subject",
        "outcome",
        "effective_on",
        "reason",
        "by",
        "decided_at",
    ];
    let mut table = Table::new("decisions", &columns);
    for (i, row) in rows.iter().enumerate() {
        let words: Vec<&str> = row.split(' ').collect();
        table.push(vec![
            format!("D{i}").into(),
            "review".into(),
            format!("P1:{}", words[1]).into(),
            words[2].into(),
            words.get(3).map(|d| day(d)).into(),
            "checked".into(),
            "ann".into(),
            Instant::parse(&format!("{}T02:00:00Z", words[0])).unwrap().into(),
        ]);
    }
    table
}

/// Versions as `from..to stars status`, and the rules of findings; P1 is at home in a zone.
fn held(zone: &str, certifications: &[&str], acted: &[&str]) -> (Vec<String>, Vec<String>) {
    let mut programme = crate::evaluation::testing::World::new(&[]);
    programme.book("emea").zone = crate::domain::Zone::parse(zone).unwrap();
    let mut partners = Table::new("partners", &["partner_id", "valid_from", "region"]);
    partners.push(vec!["P1".into(), day("2020-01-01").into(), "emea".into()]);
    let homes = Homes::read(&partners).unwrap();
    let mut findings = Findings::new();
    let acts = acts(&decisions(acted), &homes, &programme.library, &mut findings).unwrap();
    let table = effective(&feed(certifications), &domains(), &acts, &mut findings).unwrap();
    let shown = table.iter().map(|r| {
        format!(
            "{}..{} {} {}",
            r.date("valid_from").unwrap(),
            r.date("valid_to").unwrap(),
            r.int("stars").unwrap(),
            r.text("status").unwrap()
        )
    });
    (shown.collect(), findings.into_iter().map(|f| f.rule).collect())
}

const CLOUD: &str = "cloud 2025-01-01 2028-01-01 4 active";

#[test]
fn a_decision_counts_from_its_date() {
    let cases: [(&[&str], &[&str]); 6] = [
        (&["2026-10-05 cloud keep"], &["2025-01-01..2028-01-01 4 active"]),
        (
            &["2026-10-05 cloud upgrade 2026-11-01"],
            &["2025-01-01..2028-01-01 4 active", "2026-11-01..2028-01-01 5 active"],
        ),
        (
            &["2026-10-05 cloud downgrade"],
            &["2025-01-01..2028-01-01 4 active", "2026-10-05..2028-01-01 3 active"],
        ),
        // suspended, then active again with the stars it had
        (
            &["2026-10-05 cloud suspend", "2026-12-01 cloud reinstate"],
            &[
                "2025-01-01..2028-01-01 4 active",
                "2026-10-05..2028-01-01 4 suspended",
                "2026-12-01..2028-01-01 4 active",
            ],
        ),
        // below the lowest star there is none
        (
            &["2026-10-05 cloud downgrade", "2027-01-05 cloud downgrade"],
            &[
                "2025-01-01..2028-01-01 4 active",
                "2026-10-05..2028-01-01 3 active",
                "2027-01-05..2028-01-01 3 revoked",
            ],
        ),
        // two on one day: the later one is laid over the earlier one
        (
            &["2026-10-05 cloud downgrade 2026-10-06", "2026-10-06 cloud suspend"],
            &["2025-01-01..2028-01-01 4 active", "2026-10-06..2028-01-01 3 suspended"],
        ),
    ];
    for (acted, expected) in cases {
        let (versions, findings) = held("UTC", &[CLOUD], acted);
        assert_eq!(versions, expected, "{acted:?}");
        assert_eq!(findings, Vec::<String>::new(), "{acted:?}");
    }
}

#[test]
fn a_decision_never_counts_from_before_the_local_day_on_which_it_was_taken() {
    // 02:00 UTC on 5 October is 4 October in Santiago
    let (versions, findings) = held("America/Santiago", &[CLOUD], &["2026-10-05 cloud downgrade"]);
    assert_eq!(versions[1], "2026-10-04..2028-01-01 3 active");
    assert_eq!(findings, Vec::<String>::new());
    let (versions, findings) = held("UTC", &[CLOUD], &["2026-10-05 cloud downgrade 2026-01-01"]);
    assert_eq!(versions[1], "2026-10-05..2028-01-01 3 active");
    assert_eq!(findings, ["review.backdated"]);
}

#[test]
fn what_cannot_follow_is_told_and_changes_nothing() {
    let cases: [(&str, &[&str], &str); 6] = [
        (
            "cloud 2025-01-01 2028-01-01 5 active",
            &["2026-10-05 cloud upgrade"],
            "review.impossible",
        ),
        (CLOUD, &["2026-10-05 cloud reinstate"], "review.impossible"),
        (CLOUD, &["2026-10-05 wlan suspend"], "review.no-certification"),
        // valid_to is exclusive
        (
            "cloud 2025-01-01 2026-10-05 4 active",
            &["2026-10-05 cloud downgrade"],
            "review.no-certification",
        ),
        (CLOUD, &["2026-10-05 cloud promote"], "review.outcome"),
        (
            "cloud 2025-01-01 2028-01-01 4 suspended",
            &["2026-10-05 cloud downgrade"],
            "review.impossible",
        ),
    ];
    for (certification, acted, rule) in cases {
        let (versions, findings) = held("UTC", &[certification], acted);
        assert_eq!(versions.len(), 1, "{acted:?}");
        assert_eq!(findings, [rule], "{acted:?}");
    }
}

#[test]
fn a_row_delivered_later_holds_from_its_first_day() {
    let renewed = "cloud 2027-01-01 2029-01-01 4 active";
    let (versions, _) = held("UTC", &[CLOUD, renewed], &["2026-10-05 cloud suspend"]);
    assert_eq!(
        versions,
        [
            "2025-01-01..2028-01-01 4 active",
            "2026-10-05..2028-01-01 4 suspended",
            "2027-01-01..2029-01-01 4 active"
        ]
    );
}

#[test]
fn a_check_looks_at_the_narrowest_active_certification() {
    let rows = [
        "networking 2025-01-01 2028-01-01 3 active",
        "wlan 2025-01-01 2026-06-01 5 active",
        "wlan 2026-03-01 2026-04-01 5 suspended",
    ];
    let held = Certifications::read(&feed(&rows), &domains()).unwrap();
    let wlan = domain("wlan");
    let at = |on: &str| {
        let found = held.looked_at(&partner("P1"), &wlan, day(on));
        found.map(|(d, v)| format!("{d} {} {}", v.stars, v.status))
    };
    assert_eq!(at("2026-01-01").as_deref(), Some("wlan 5 active"));
    assert_eq!(at("2026-03-15").as_deref(), Some("networking 3 active"));
    assert_eq!(at("2026-04-01").as_deref(), Some("wlan 5 active"));
    assert_eq!(at("2026-06-01").as_deref(), Some("networking 3 active"));
    assert_eq!(at("2028-01-01").as_deref(), Some("networking 3 active"));
    assert_eq!(at("2024-12-31"), None);
    assert_eq!(held.highest_on(&partner("P1"), day("2026-05-31")), Some(5));
    assert_eq!(held.highest_on(&partner("P1"), day("2026-06-01")), Some(3));
    assert_eq!(held.highest_on(&partner("P1"), day("2028-01-01")), None);
}
