//! Periods of different lengths: schemes by month and half in a programme by quarter, an evaluation by month whose
//! posting periods are quarters.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value as Json;

use crate::closing::{close, without_set_aside_files};
use crate::journal::proved_by_hledger;
use crate::support::Workspace;
use crate::support::python::script;
use crate::support::workspace::repository;

/// The same scheme by lengths of its earning period.
fn schemes(lengths: &[&str]) -> String {
    let of = |period: &str| -> String {
        format!(
            "\n[schemes.by-{period}]\ntitle = \"By {period}\"\nearning_period = \"{period}\"\ndate = \"invoiced_on\"\n\
             amount = \"net\"\npaid_in_full = false\nmethod = \"flat\"\nrate = \"1 %\"\nmodifiers = []\n\
             rounding = \"half_even\"\nfx_max_age_days = 7\nscope = {{ line_kinds = [\"product\"] }}\n"
        )
    };
    lengths.iter().map(|length| of(length)).collect()
}

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

fn text<'a>(row: &'a Json, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_else(|| panic!("{column} of {row}"))
}

/// In ten-thousandths.
fn units(row: &Json, column: &str) -> i64 {
    let digits = text(row, column).replace('.', "");
    digits.parse().expect("an amount with four decimals")
}

/// `2026-Q1` of `2026-M02`, `2026-H1` of `2026-Q2`.
fn holds(longer: &str, earning: &str) -> String {
    let (year, rest) = earning.split_once('-').expect("a period");
    let (kind, index) = rest.split_at(1);
    let month: u32 = index.parse::<u32>().expect("a number") * if kind == "Q" { 3 } else { 1 };
    let length = if longer == "Q" { 3 } else { 6 };
    format!("{year}-{longer}{}", month.div_ceil(length))
}

#[test]
fn months_and_halves_are_earned_booked_settled_and_shown() {
    let workspace = without_set_aside_files();
    // halves and years begin with the year: a scheme cannot begin in the middle of its earning period
    let edition = |on: &str| format!("pipelines/rules/global/{on}.toml");
    let read = |on: &str| fs::read_to_string(workspace.path().join(edition(on))).expect("an edition");
    let (first, later) = (read("2025-10-01"), read("2026-07-01"));
    let second = first.replace("effective_from = \"2025-10-01\"", "effective_from = \"2026-01-01\"");
    assert_ne!(first, second);
    let (short, all) = (
        schemes(&["month", "quarter"]),
        schemes(&["month", "quarter", "half", "year"]),
    );
    workspace.write(&edition("2025-10-01"), &(first + &short));
    workspace.write(&edition("2026-01-01"), &(second + &all));
    workspace.write(&edition("2026-07-01"), &(later + &all));
    workspace.ok(&["run"]);

    // each has every period of its length that began in the programme's time and has ended, and no other
    let periods = |scheme: &str| -> Vec<String> {
        let sql = format!(
            "SELECT DISTINCT earning_period FROM rebates WHERE scheme = '{scheme}' AND component = 'earned' \
             ORDER BY earning_period"
        );
        let of = rows(&workspace, &sql);
        of.iter().map(|r| text(r, "earning_period").to_owned()).collect()
    };
    let months: Vec<String> = (10..=12)
        .map(|m| format!("2025-M{m}"))
        .chain((1..=9).map(|m| format!("2026-M{m:02}")))
        .collect();
    assert_eq!(periods("by-month"), months);
    assert_eq!(periods("by-quarter"), ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"]);
    assert_eq!(periods("by-half"), ["2025-H2", "2026-H1"][1..]);
    assert!(periods("by-year").is_empty(), "no year has ended");

    // shorter ones add up to longer ones, partner by partner
    let basis = |scheme: &str, longer: &str| -> BTreeMap<(String, String), i64> {
        let sql = format!(
            "SELECT partner_id, earning_period, basis FROM rebates WHERE scheme = '{scheme}' AND component = 'basis'"
        );
        let mut sums = BTreeMap::new();
        for row in rows(&workspace, &sql) {
            let earning = text(&row, "earning_period");
            let key = (
                text(&row, "partner_id").to_owned(),
                if longer.is_empty() {
                    earning.to_owned()
                } else {
                    holds(longer, earning)
                },
            );
            *sums.entry(key).or_insert(0) += units(&row, "basis");
        }
        sums
    };
    let close_to = |a: &BTreeMap<(String, String), i64>, b: &BTreeMap<(String, String), i64>| {
        for (key, sum) in a {
            // three roundings of what is published
            let other = b.get(key).copied().unwrap_or(0);
            assert!((sum - other).abs() <= 3, "{key:?}: {sum} {other}");
        }
        assert!(a.len() > 30, "{}", a.len());
    };
    close_to(&basis("by-quarter", ""), &basis("by-month", "Q"));
    close_to(&basis("by-half", ""), &basis("by-quarter", "H"));

    // booked in the posting period that holds their last day
    let booked = rows(
        &workspace,
        "SELECT DISTINCT earning_period, period FROM ledger WHERE account = 'rebate_expense' AND scheme LIKE 'by-%'",
    );
    assert!(booked.len() > 12);
    for row in &booked {
        let earning = text(row, "earning_period");
        let own = if earning == "2026-H1" {
            "2026-Q2".to_owned()
        } else {
            holds("Q", earning)
        };
        assert_eq!(text(row, "period"), own, "{earning}");
    }

    // explained: by its own period, and under a longer one
    let month = workspace
        .ok(&["explain", "rebate", "EM-0001", "by-month", "2026-M08"])
        .stdout;
    assert!(month.contains("the basis of the release"), "{month}");
    let quarter = workspace
        .ok(&["--json", "explain", "rebate", "EM-0001", "2026-Q3"])
        .stdout;
    for name in ["2026-M07", "2026-M08", "2026-M09", "2026-Q3"] {
        assert!(quarter.contains(name), "{name}: {quarter}");
    }
    let none = workspace.run(&["explain", "rebate", "EM-0001", "2027-FY"]);
    assert_eq!(none.code, 2);
    assert!(
        none.stderr.contains("its earning periods are 2025-M10"),
        "{}",
        none.stderr
    );

    // settled: lines of their own, nothing left of the accrual
    close(&workspace, "2025-Q4", "2026-10-12");
    workspace.ok(&["run"]);
    let lines = rows(
        &workspace,
        "SELECT DISTINCT earning_period FROM statements WHERE scheme = 'by-month' AND kind = 'earned' ORDER BY earning_period",
    );
    let lines: Vec<&str> = lines.iter().map(|r| text(r, "earning_period")).collect();
    assert_eq!(lines, ["2025-M10", "2025-M11", "2025-M12"]);
    let left = rows(
        &workspace,
        "SELECT SUM(amount) AS amount FROM ledger WHERE account = 'accrued_rebates' AND period = '2025-Q4' GROUP BY currency",
    );
    assert!(
        !left.is_empty() && left.iter().all(|r| units(r, "amount") == 0),
        "{left:?}"
    );
    proved_by_hledger(&workspace);
    workspace.ok(&["verify"]);

    // shown on the partner's page
    let out = workspace.path().join("report");
    let folder = out.to_str().expect("a path");
    workspace.ok(&["report", "2026-Q3", "--out", folder]);
    let page = fs::read_to_string(out.join("partners/EM-0001.html"))
        .or_else(|_| fs::read_to_string(out.join("partner-EM-0001.html")))
        .expect("a page");
    assert!(page.contains("2026-M08") && page.contains("by-month"));
}

#[test]
fn months_are_evaluated_and_become_final_with_the_quarter_that_is_posted() {
    let workspace = without_set_aside_files();
    for edition in ["2025-10-01", "2026-07-01"] {
        let name = format!("pipelines/rules/global/{edition}.toml");
        workspace.edit(
            &name,
            "evaluation_period = \"quarter\"",
            "evaluation_period = \"month\"",
        );
        workspace.edit(&name, "first_period = \"2025-Q4\"", "first_period = \"2025-M10\"");
    }
    workspace.ok(&["run"]);
    let cards = rows(
        &workspace,
        "SELECT DISTINCT period FROM partner_scores WHERE final IS NOT NULL ORDER BY period",
    );
    let months: Vec<&str> = cards.iter().map(|r| text(r, "period")).collect();
    assert_eq!((months.len(), months[0], months[11]), (12, "2025-M10", "2026-M09"));
    // the schemes of the sample are by quarter all the same
    let earned = rows(
        &workspace,
        "SELECT DISTINCT earning_period FROM rebates WHERE component = 'earned' ORDER BY earning_period",
    );
    let earned: Vec<&str> = earned.iter().map(|r| text(r, "earning_period")).collect();
    assert_eq!(earned, ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"]);

    // every number by another program
    let source = fs::read_to_string(repository().join("tests/recompute.py")).expect("the script");
    let folder = workspace.path().to_str().expect("a path");
    let said = script(&source, &[folder, env!("CARGO_BIN_EXE_starledger")]);
    assert!(said.contains("numbers equal"), "{said}");

    close(&workspace, "2025-Q4", "2026-10-12");
    workspace.ok(&["run"]);
    let lead = |period: &str| {
        let out = workspace.path().join("report");
        workspace.ok(&["report", period, "--out", out.to_str().expect("a path")]);
        fs::read_to_string(out.join("index.html")).expect("a page")
    };
    assert!(lead("2025-M12").contains("final: the period is closed"));
    assert!(lead("2026-M01").contains("provisional: the period is open"));
    // each month that became final is told of once, and no quarter
    let digests = rows(
        &workspace,
        "SELECT DISTINCT period FROM messages WHERE kind = 'digest' AND message_key LIKE 'digest-final-%' ORDER BY period",
    );
    let digests: Vec<&str> = digests.iter().map(|r| text(r, "period")).collect();
    assert_eq!(digests, ["2025-M10", "2025-M11", "2025-M12"]);
}
