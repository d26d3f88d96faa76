//! Reviews: a recommendation changes nothing; a decision changes the certification from its date.

use serde_json::Value as Json;

use crate::support::{Workspace, ran_sample};

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

fn review(workspace: &Workspace, arguments: &[&str]) -> Result<Json, String> {
    let mut all = vec!["review", "--json"];
    all.extend(arguments);
    let ran = workspace.run(&all);
    match ran.code {
        0 => Ok(serde_json::from_str(&ran.stdout).expect("JSON")),
        2 => {
            let error: Json = serde_json::from_str(&ran.stderr).expect("JSON");
            Err(error["error"].as_str().expect("a message").to_owned())
        }
        code => panic!("{code}: {}", ran.stderr),
    }
}

fn decide(workspace: &Workspace, decision: &str, on: &str) -> Result<Json, String> {
    let of = ["decide", "EM-0003", "routing-switching", "--decision", decision];
    review(
        workspace,
        &[&of[..], &["--by", "dana", "--reason", "reviewed", "--on", on]].concat(),
    )
}

const VERSIONS: &str = "SELECT stars, status, valid_from, decision_id FROM effective_certifications \
                        WHERE partner_id = 'EM-0003' ORDER BY valid_from";

#[test]
fn a_decision_changes_the_certification_from_its_date_and_is_recorded_beside_the_recommendation() {
    let workspace = ran_sample();
    let sql = "SELECT recommendation, recommended_stars, reason_codes, decision, stars FROM reviews \
               WHERE partner_id = 'EM-0003' AND period = '2026-Q3'";
    let before = rows(&workspace, sql);
    assert_eq!(before[0]["recommendation"], "downgrade");
    assert_eq!(before[0]["reason_codes"], "low_scores");
    assert_eq!(before[0]["decision"], Json::Null);
    let versions = rows(&workspace, VERSIONS);
    let stars = before[0]["stars"].as_i64().expect("stars");

    let early = decide(&workspace, "downgrade", "2024-01-01").expect_err("before the certification");
    assert!(
        early.contains("holds no certification in routing-switching on 2024-01-01"),
        "{early}"
    );
    let none = decide(&workspace, "refuse-upgrade", "2026-10-06").expect_err("none was recommended");
    assert!(none.contains("no upgrade of EM-0003"), "{none}");
    let impossible = decide(&workspace, "reinstate", "2026-10-06").expect_err("it is not suspended");
    assert!(
        impossible.contains("reinstate of EM-0003 in routing-switching changes nothing"),
        "{impossible}"
    );
    decide(&workspace, "downgrade", "2026-10-06").expect("it is delivered");
    // nothing changes before a run
    assert_eq!(rows(&workspace, VERSIONS), versions);
    let shown = workspace.ok(&["review", "show", "EM-0003", "routing-switching"]).stdout;
    assert!(shown.contains("(waits for the next run)"), "{shown}");
    workspace.ok(&["run"]);
    let after = rows(&workspace, VERSIONS);
    let last = after.last().expect("a version");
    assert_eq!(
        (last["stars"].as_i64(), last["valid_from"].as_str()),
        (Some(stars - 1), Some("2026-10-06"))
    );
    assert_eq!(last["status"], "active");
    let now = rows(&workspace, sql);
    assert_eq!(
        (&now[0]["recommendation"], &now[0]["stars"]),
        (&before[0]["recommendation"], &before[0]["stars"]),
        "the review looks at what was held before it"
    );
    assert_eq!(now[0]["decision"], "downgrade");
    // what was earned before that day stays: no target moved
    let ran = workspace.run(&["plan", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let hashes = workspace.release_hashes();
    std::fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.ok(&["run"]);
    assert_eq!(workspace.release_hashes(), hashes, "decisions are in landing");
}

#[test]
fn a_suspension_takes_effect_where_certifications_are_read() {
    let workspace = ran_sample();
    let of = ["decide", "EM-0001", "routing-switching", "--decision", "suspend"];
    // decided in July, while the third quarter runs: deliveries of category B after it are findings
    let person = ["--by", "dana", "--reason", "safety", "--on", "2026-07-15"];
    review(&workspace, &[&of[..], &person[..]].concat()).expect("it is delivered");
    let found = |workspace: &Workspace| {
        rows(
            workspace,
            "SELECT occurred_on AS on_day, certification_status AS status FROM authorisation_findings \
             WHERE partner_id = 'EM-0001' AND check = 'uncertified_delivery' AND domain = 'routing-switching' \
             ORDER BY occurred_on",
        )
    };
    assert_eq!(found(&workspace), Vec::<Json>::new());
    workspace.ok(&["run"]);
    let after = found(&workspace);
    assert!(after.len() > 10, "{}", after.len());
    assert!(after.iter().all(|r| r["status"] == "suspended"));
    assert!(
        after.iter().all(|r| r["on_day"].as_str() >= Some("2026-07-15")),
        "{after:?}"
    );
    // the incentive asks for a certification throughout the quarter
    let gate = rows(
        &workspace,
        "SELECT component, amount FROM rebates WHERE partner_id = 'EM-0001' AND earning_period = '2026-Q3' \
         AND scheme = 'certification-incentive' AND domain = 'routing-switching' AND component = 'earned'",
    );
    assert!(gate.iter().all(|r| r["amount"] == "0.00"), "{gate:?}");
}

#[test]
fn a_probation_has_a_plan_and_an_outcome() {
    let workspace = ran_sample();
    let step = |outcome: &str, on: &str| {
        let of = ["plan", "EM-0003", "routing-switching", "--outcome", outcome];
        review(
            &workspace,
            &[&of[..], &["--by", "dana", "--reason", "looked at", "--on", on]].concat(),
        )
    };
    let none = step("received", "2026-06-20").expect_err("no probation");
    assert!(none.contains("no probation is running"), "{none}");
    decide(&workspace, "probation", "2026-06-01").expect("delivered");
    let twice = decide(&workspace, "probation", "2026-06-02").expect_err("one runs");
    assert!(twice.contains("a probation runs since 2026-06-01"), "{twice}");
    step("received", "2026-06-12").expect("delivered");
    let again = step("received", "2026-06-13").expect_err("received");
    assert!(again.contains("received already"), "{again}");
    workspace.ok(&["run"]);
    let plan = review(&workspace, &["plans"]).expect("a table");
    assert_eq!(plan[0]["plan_due_on"], "2026-06-16");
    assert_eq!(plan[0]["plan_received_on"], "2026-06-12");
    assert_eq!(plan[0]["outcome_due_on"], "2026-08-30");
    assert_eq!(plan[0]["state"], "outcome_overdue");
    step("failed", "2026-09-01").expect("delivered");
    workspace.ok(&["run"]);
    assert_eq!(review(&workspace, &["plans"]).expect("a table"), serde_json::json!([]));
    let codes = rows(
        &workspace,
        "SELECT recommendation, reason_codes FROM reviews WHERE partner_id = 'EM-0003' AND period = '2026-Q3'",
    );
    assert_eq!(codes[0]["reason_codes"], "low_scores probation_failed");
}

#[test]
fn every_recommendation_of_the_sample_tells_its_criteria() {
    let workspace = ran_sample();
    let kinds = rows(
        &workspace,
        "SELECT recommendation, CAST(COUNT(*) AS BIGINT) AS n FROM reviews WHERE occasion = 'regular' \
         GROUP BY recommendation ORDER BY recommendation",
    );
    let names: Vec<&str> = kinds.iter().filter_map(|r| r["recommendation"].as_str()).collect();
    assert_eq!(names, ["downgrade", "keep", "probation", "suspend", "upgrade"]);
    // each code that led to a recommendation is a criterion that holds, and the other way round
    let reviews = rows(
        &workspace,
        "SELECT partner_id, domain, period, recommendation, reason_codes FROM reviews \
         WHERE recommendation <> 'keep'",
    );
    assert!(reviews.len() > 5);
    for r in reviews {
        let (partner, domain, period) = (&r["partner_id"], &r["domain"], &r["period"]);
        let sql = format!(
            "SELECT criterion FROM review_criteria WHERE partner_id = '{}' AND domain = '{}' AND period = '{}' \
             AND group_name = '{}' AND state = 'met'",
            partner.as_str().expect("an id"),
            domain.as_str().expect("an id"),
            period.as_str().expect("a period"),
            r["recommendation"].as_str().expect("a word"),
        );
        let held: Vec<String> = rows(&workspace, &sql)
            .iter()
            .filter_map(|c| c["criterion"].as_str().map(str::to_owned))
            .collect();
        for code in r["reason_codes"].as_str().expect("codes").split(' ') {
            assert!(held.iter().any(|c| c == code), "{r}: {code} in {held:?}");
        }
    }
    for arguments in [
        &["review", "list"][..],
        &["review", "list", "--all"],
        &["review", "show", "EM-0004"],
    ] {
        for line in workspace.ok(arguments).stdout.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[test]
fn entitlements_add_up() {
    let workspace = ran_sample();
    let sum = |sql: &str| rows(&workspace, sql)[0]["n"].as_i64().expect("a number");
    let used =
        sum("SELECT CAST(SUM(used) AS BIGINT) AS n FROM entitlements WHERE source = 'support' AND fiscal_year = 2026");
    let provided = sum("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM support WHERE provided_at >= '2026-01-01'");
    assert!(used > 50 && used <= provided, "{used} of {provided}");
    let wrong = sum(
        "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM entitlements WHERE entitled + over <> used + left OR over * left > 0",
    );
    assert_eq!(wrong, 0);
}
