//! A source that falls silent or delivers too little: an alarm, never a zero.

use std::fs;

use serde_json::Value;

use crate::support::Workspace;

const HEADER: &str =
    "decision_id,kind,subject,subject_hash,outcome,amount,currency,effective_on,reason,by,role,decided_at\n";
const LAST: &str = "sample_data/emea/surveys-2026-Q3.csv";
const SILENT: &str = "feed:surveys/emea-surveys/2026-Q3";

fn rows(workspace: &Workspace, sql: &str) -> Vec<Value> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

fn decide(workspace: &Workspace, id: &str, kind: &str, subject: &str, outcome: &str) {
    let row = format!("{id},{kind},{subject},,{outcome},,,,known,c.closer,finance,2026-10-12T05:00:00Z\n");
    workspace.write(
        &format!("sample_data/finance/decisions-{id}.csv"),
        &format!("{HEADER}{row}"),
    );
}

/// The sample without the files that it sets aside on purpose; runs with what a test took away.
fn sample() -> Workspace {
    let workspace = Workspace::sample();
    let base = crate::support::ran_sample();
    for row in rows(&base, "SELECT file_name FROM files WHERE state = 'set_aside'") {
        let name = row["file_name"].as_str().expect("a name");
        fs::remove_file(workspace.path().join(name)).expect("it goes");
    }
    workspace
}

fn remove(workspace: &Workspace, name: &str) {
    fs::remove_file(workspace.path().join(name)).expect("it goes");
}

/// States other than `on_time`, `early` and `not_expected`.
fn gaps(workspace: &Workspace) -> Vec<(String, String, String, String)> {
    let sql = "SELECT feed, source, period, state FROM freshness WHERE state IN ('silent', 'thin') \
               ORDER BY feed, source, period";
    let text = |row: &Value, name: &str| row[name].as_str().expect("a text").to_owned();
    rows(workspace, sql)
        .iter()
        .map(|r| (text(r, "feed"), text(r, "source"), text(r, "period"), text(r, "state")))
        .collect()
}

fn gap(feed: &str, source: &str, period: &str, state: &str) -> Vec<(String, String, String, String)> {
    let all = [feed, source, period, state].map(ToOwned::to_owned);
    let [feed, source, period, state] = all;
    vec![(feed, source, period, state)]
}

/// Regions whose metric is incomplete, and of which periods.
fn incomplete(workspace: &Workspace) -> Vec<Value> {
    rows(
        workspace,
        "SELECT c.region AS region, m.period AS period, m.metric AS metric, COUNT(DISTINCT m.partner_id) AS partners \
         FROM metrics AS m JOIN calendar_partner_periods AS c ON m.partner_id = c.partner_id AND m.period = c.period \
         WHERE m.state = 'incomplete' GROUP BY c.region, m.period, m.metric ORDER BY region, period, metric",
    )
}

/// All metrics but those of one region and metric in the last period.
fn others(workspace: &Workspace) -> Vec<Value> {
    let sql = "SELECT m.* FROM metrics AS m \
               JOIN calendar_partner_periods AS c ON m.partner_id = c.partner_id AND m.period = c.period \
               WHERE c.region <> 'emea' OR m.period <> '2026-Q3' ORDER BY m.partner_id, m.domain, m.period, m.metric";
    rows(workspace, sql)
}

#[test]
fn the_sample_is_on_time() {
    let workspace = sample();
    let ran = workspace.ok(&["run", "--json"]);
    assert!(
        !ran.stdout.contains("feed.silent") && !ran.stdout.contains("feed.thin"),
        "{}",
        ran.stdout
    );
    assert!(gaps(&workspace).is_empty(), "{:?}", gaps(&workspace));
    let states = rows(&workspace, "SELECT DISTINCT state FROM freshness ORDER BY state");
    let states: Vec<_> = states.iter().map(|r| r["state"].as_str().expect("a state")).collect();
    assert!(states.contains(&"on_time") && states.contains(&"early"), "{states:?}");
}

#[test]
fn fault_32_a_missing_file_makes_its_metric_incomplete_for_its_region_and_blocks_the_close() {
    let whole = sample();
    whole.ok(&["run"]);
    let workspace = sample();
    let kept = fs::read_to_string(workspace.path().join(LAST)).expect("the file");
    remove(&workspace, LAST);
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 3, "{}\n{}", ran.stdout, ran.stderr);
    let told = "surveys from emea-surveys: no row from 2026-07-";
    assert!(
        ran.stderr.contains(told) && ran.stderr.contains(SILENT),
        "{}",
        ran.stderr
    );
    assert_eq!(gaps(&workspace), gap("surveys", "emea-surveys", "2026-Q3", "silent"));

    // published all the same: satisfaction is incomplete for every partner of the region, and all else is as it was
    let found = incomplete(&workspace);
    assert_eq!(found.len(), 1, "{found:?}");
    let all = rows(
        &workspace,
        "SELECT COUNT(DISTINCT m.partner_id) AS n FROM metrics AS m JOIN calendar_partner_periods AS c \
         ON m.partner_id = c.partner_id AND m.period = c.period WHERE c.region = 'emea' AND m.period = '2026-Q3'",
    );
    assert_eq!(
        (
            &found[0]["region"],
            &found[0]["period"],
            &found[0]["metric"],
            &found[0]["partners"]
        ),
        (&"emea".into(), &"2026-Q3".into(), &"satisfaction".into(), &all[0]["n"])
    );
    assert_eq!(others(&workspace), others(&whole));
    let counted = rows(
        &workspace,
        "SELECT partner_id FROM metrics WHERE state = 'incomplete' AND (normalised IS NOT NULL OR points <> 0)",
    );
    assert!(counted.is_empty(), "{counted:?}");
    let partner = rows(
        &workspace,
        "SELECT MIN(partner_id) AS p FROM metrics WHERE state = 'incomplete'",
    );
    let partner = partner[0]["p"].as_str().expect("an id");
    let text = workspace.ok(&["explain", "score", partner, "2026-Q3"]).stdout;
    assert!(text.contains("incomplete"), "{text}");

    // every later run alarms, also one with nothing else to do, and status shows it
    assert_eq!(workspace.run(&["run"]).code, 3);
    assert!(workspace.ok(&["status"]).stdout.contains("emea-surveys"));
    workspace.edit(
        "pipelines/daily.toml",
        "on_set_aside",
        "on_silent = \"report\"\non_set_aside",
    );
    workspace.ok(&["run"]);

    // the period stays open until someone waives the silence, and what is said of it stays
    let mut ran = workspace.ok(&["run", "--json"]);
    for period in ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"] {
        crate::closing::close(&workspace, period, "2026-10-12");
        ran = workspace.ok(&["run", "--json"]);
    }
    assert!(
        ran.stdout
            .contains("2026-Q3 stays open: surveys from emea-surveys is silent"),
        "{}",
        ran.stdout
    );
    let closed = || {
        rows(
            &workspace,
            "SELECT period FROM periods WHERE status = 'closed' ORDER BY period",
        )
        .len()
    };
    assert_eq!(closed(), 3);
    workspace.edit("pipelines/daily.toml", "on_silent = \"report\"", "on_silent = \"fail\"");
    decide(&workspace, "WAIVE-1", "waive", SILENT, "waived");
    decide(
        &workspace,
        "WAIVE-2",
        "waive",
        "feed:surveys/emea-survey/2026-Q3",
        "waived",
    );
    let ran = workspace.ok(&["run", "--json"]);
    assert!(
        ran.stdout.contains("waive.subject") && !ran.stdout.contains("feed.silent"),
        "{}",
        ran.stdout
    );
    assert_eq!(closed(), 4);
    let waived = rows(&workspace, "SELECT waived_by FROM freshness WHERE state = 'silent'");
    assert_eq!(waived.len(), 1);
    assert_eq!(waived[0]["waived_by"], "WAIVE-1");
    assert_eq!(incomplete(&workspace).len(), 1);

    // what comes now comes late: the closed period keeps what was said of it
    workspace.write(LAST, &kept);
    workspace.ok(&["run"]);
    assert_eq!(gaps(&workspace), gap("surveys", "emea-surveys", "2026-Q3", "silent"));
    workspace.ok(&["verify"]);

    // and it is rebuilt from landing
    let release = workspace.release_hashes();
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.ok(&["run"]);
    assert_eq!(workspace.release_hashes(), release);
}

#[test]
fn a_delivery_ends_the_silence() {
    let workspace = sample();
    let kept = fs::read_to_string(workspace.path().join(LAST)).expect("the file");
    remove(&workspace, LAST);
    assert_eq!(workspace.run(&["run"]).code, 3);
    workspace.write(LAST, &kept);
    workspace.ok(&["run"]);
    assert!(gaps(&workspace).is_empty() && incomplete(&workspace).is_empty());
}

#[test]
fn before_the_deadline_nothing_is_said_and_on_it_a_run_has_something_to_do() {
    let workspace = sample();
    let contract = "schemas/surveys.odcs.yaml";
    // the last row of the other files is of 1 July; 2 August is the 32nd day without one: expected by 3 August + 71 days
    workspace.edit(contract, "    value: 45", "    value: 71");
    remove(&workspace, LAST);
    workspace.ok(&["run"]);
    assert!(gaps(&workspace).is_empty() && incomplete(&workspace).is_empty());
    let due = rows(
        &workspace,
        "SELECT state, CAST(deadline_on AS VARCHAR) AS on_day FROM freshness \
         WHERE source = 'emea-surveys' AND period = '2026-Q3'",
    );
    assert_eq!(due[0]["state"], "early");
    let day = due[0]["on_day"].as_str().expect("a day").to_owned();
    assert!(
        workspace
            .ok(&["run", "--as-of", "2026-10-12T23:00:00Z"])
            .stdout
            .contains("nothing to do")
    );
    assert_eq!(day, "2026-10-13");
    let ran = workspace.run(&["run", "--json", "--as-of", "2026-10-13T00:00:00Z"]);
    assert_eq!(ran.code, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout
            .contains("rows of surveys from emea-surveys are due for 2026-Q3"),
        "{}",
        ran.stdout
    );
    assert_eq!(gaps(&workspace), gap("surveys", "emea-surveys", "2026-Q3", "silent"));
}

#[test]
fn half_the_rows_are_thin_until_someone_says_that_they_are_all() {
    let workspace = sample();
    // the deadline of the last quarter is 1 October + 10
    workspace.edit("schemas/surveys.odcs.yaml", "    value: 45", "    value: 10");
    let text = fs::read_to_string(workspace.path().join(LAST)).expect("the file");
    let mut lines = text.lines();
    let header = lines.next().expect("a header");
    let fewer: Vec<&str> = lines.step_by(3).collect();
    workspace.write(LAST, &format!("{header}\n{}\n", fewer.join("\n")));
    // a warning, no alarm
    let ran = workspace.ok(&["run", "--json"]);
    assert!(ran.stdout.contains("feed.thin"), "{}", ran.stdout);
    assert_eq!(gaps(&workspace), gap("surveys", "emea-surveys", "2026-Q3", "thin"));
    let found = incomplete(&workspace);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["region"], &found[0]["metric"]),
        (&"emea".into(), &"satisfaction".into())
    );
    decide(&workspace, "WAIVE-1", "waive", SILENT, "waived");
    workspace.ok(&["run"]);
    assert_eq!(gaps(&workspace), gap("surveys", "emea-surveys", "2026-Q3", "thin"));
    assert!(incomplete(&workspace).is_empty());
}
