//! Key events by command: confirmed by two persons, appealed, withdrawn, recorded in the release.

use serde_json::Value as Json;

use crate::support::{Workspace, ran_sample};

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

fn decide(workspace: &Workspace, step: &[&str], by: &str, on: &str) -> Result<Json, String> {
    let mut arguments = vec!["events", "--json"];
    arguments.extend(step);
    arguments.extend(["--by", by, "--reason", "looked at", "--on", on]);
    let ran = workspace.run(&arguments);
    match ran.code {
        0 => Ok(serde_json::from_str(&ran.stdout).expect("JSON")),
        2 => {
            let error: Json = serde_json::from_str(&ran.stderr).expect("JSON");
            Err(error["error"].as_str().expect("a message").to_owned())
        }
        code => panic!("{code}: {}", ran.stderr),
    }
}

fn status(workspace: &Workspace, event: &str) -> Json {
    let sql = format!("SELECT status, period, points, confirmed_on FROM key_event_points WHERE event_id = '{event}'");
    rows(workspace, &sql).first().cloned().unwrap_or(Json::Null)
}

/// A finding of the authorisation check on EM-0015 in 2026-Q3.
fn finding(workspace: &Workspace) -> String {
    let sql = "SELECT finding_id FROM authorisation_findings WHERE partner_id = 'EM-0015' AND period = '2026-Q3' \
               AND check = 'uncertified_sale' ORDER BY finding_id LIMIT 1";
    rows(workspace, sql)[0]["finding_id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

#[test]
fn two_persons_make_a_finding_count_and_a_rebuild_gives_the_same() {
    let workspace = ran_sample();
    let event = finding(&workspace);
    let listed: Vec<Json> = serde_json::from_str(
        &workspace
            .ok(&["events", "--json", "list", "--findings", "--partner", "EM-0015"])
            .stdout,
    )
    .expect("JSON");
    assert!(
        listed
            .iter()
            .any(|e| e["event_id"] == event.as_str() && e["status"] == "candidate")
    );

    let points = |workspace: &Workspace| {
        rows(
            workspace,
            "SELECT event_points, final FROM partner_scores WHERE partner_id = 'EM-0015' AND period = '2026-Q3'",
        )
    };
    let before = points(&workspace);
    let first = decide(&workspace, &["confirm", &event], "ann", "2026-09-20").expect("it is delivered");
    assert_eq!(first["status_after_next_run"], "candidate");
    // the same person again, while the first act waits and after a run
    let again = decide(&workspace, &["confirm", &event], "ann", "2026-09-21").expect_err("one person is not two");
    assert!(again.contains("a different person's"), "{again}");
    workspace.ok(&["run"]);
    assert_eq!(status(&workspace, &event)["status"], "candidate");
    assert_eq!(points(&workspace), before, "one person changes nothing");
    decide(&workspace, &["confirm", &event], "ann", "2026-09-22").expect_err("one person is not two");
    let second = decide(&workspace, &["confirm", &event], "bob", "2026-09-24").expect("it is delivered");
    assert_eq!(second["status_after_next_run"], "counted");
    workspace.ok(&["run"]);
    assert_eq!(
        status(&workspace, &event),
        serde_json::json!({ "status": "counted", "period": "2026-Q3", "points": "-5.00", "confirmed_on": "2026-09-24" })
    );
    let sql = format!("SELECT kind, outcome, by, reason FROM decisions WHERE subject = '{event}' ORDER BY decided_at");
    let recorded = rows(&workspace, &sql);
    assert_eq!(recorded.len(), 2);
    assert_eq!(recorded[1]["by"], "bob");

    let done = decide(&workspace, &["confirm", &event], "cyd", "2026-09-25").expect_err("two are enough");
    assert!(done.contains("confirmed already, by ann and bob"), "{done}");
    let late = decide(&workspace, &["reject", &event], "cyd", "2026-09-25").expect_err("too late");
    assert!(late.contains("only an appeal or a withdrawal"), "{late}");

    let hashes = workspace.release_hashes();
    std::fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.ok(&["run"]);
    assert_eq!(workspace.release_hashes(), hashes, "decisions are in landing");
}

#[test]
fn appeals_are_ruled_on_by_someone_else_and_an_upheld_one_is_final() {
    let workspace = ran_sample();
    let event = finding(&workspace);
    let refused = |step: &[&str], by: &str, on: &str, told: &str| {
        let error = decide(&workspace, step, by, on).expect_err("it cannot follow");
        assert!(error.contains(told), "{error}");
    };
    refused(
        &["appeal", &event],
        "partner",
        "2026-09-20",
        "nothing to appeal against",
    );
    refused(
        &["appeal", &event, "--outcome", "upheld"],
        "cyd",
        "2026-09-20",
        "no appeal",
    );
    refused(
        &["confirm", "KE-NONE"],
        "ann",
        "2026-09-20",
        "there is no event or finding 'KE-NONE'",
    );
    refused(
        &["confirm", &event],
        "ann",
        "2026-01-01",
        "nobody decides on it before that day",
    );
    refused(
        &["confirm", &event],
        "a\u{7}b",
        "2026-09-20",
        "the decision would be rejected: by",
    );
    decide(&workspace, &["confirm", &event], "ann", "2026-09-20").expect("delivered");
    refused(
        &["confirm", &event],
        "bob",
        "2026-09-19",
        "decisions follow one another",
    );
    // on the same day, after the first
    decide(&workspace, &["confirm", &event], "bob", "2026-09-20").expect("delivered");
    decide(&workspace, &["appeal", &event], "partner", "2026-09-22").expect("delivered");
    refused(&["appeal", &event], "partner", "2026-09-23", "is open already");
    refused(
        &["appeal", &event, "--outcome", "rejected"],
        "ann",
        "2026-09-23",
        "does not rule on the appeal",
    );
    refused(
        &["appeal", &event, "--outcome", "upheld"],
        "partner",
        "2026-09-23",
        "does not rule on it",
    );
    workspace.ok(&["run"]);
    assert_eq!(status(&workspace, &event)["status"], "suspended");
    let ruled = decide(
        &workspace,
        &["appeal", &event, "--outcome", "upheld"],
        "cyd",
        "2026-09-25",
    )
    .expect("delivered");
    assert_eq!(ruled["status_after_next_run"], "upheld_appeal");
    workspace.ok(&["run"]);
    assert_eq!(status(&workspace, &event)["status"], "upheld_appeal");
    refused(&["withdraw", &event], "ann", "2026-09-26", "which is final");
    let shown = workspace.ok(&["events", "show", &event]).stdout;
    assert!(
        shown.lines().filter(|line| line.starts_with("decided")).count() == 4,
        "{shown}"
    );
    for line in workspace.ok(&["events", "list", "--all"]).stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}
