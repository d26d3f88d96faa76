//! Unattended running: locks, due jobs, plans, exit codes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::workspace::hashes;
use crate::support::{Workspace, ran_sample};

#[test]
fn a_plan_changes_nothing_and_says_what_a_run_would_book() {
    let workspace = Workspace::sample();
    let planned = workspace.ok(&["plan", "--json"]);
    let planned: serde_json::Value = serde_json::from_str(&planned.stdout).expect("JSON");
    assert!(!workspace.warehouse().join("current").exists() && !workspace.path().join("landing/arrivals").exists());
    let ran = workspace.ok(&["run", "--json"]);
    let ran: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(planned["summary"], ran["summary"], "the plan is not what the run did");
    let after: serde_json::Value = serde_json::from_str(&workspace.ok(&["plan", "--json"]).stdout).expect("JSON");
    assert_eq!(after["nothing_to_do"], true);
}

#[test]
fn the_second_of_two_runs_leaves_at_once() {
    let workspace = ran_sample();
    let lock = workspace.path().join("landing/lock");
    let held = fs::OpenOptions::new().write(true).open(&lock).expect("the lock");
    held.lock().expect("the lock is taken");
    fs::write(&lock, "process 4711 since 2026-10-12T06:00:00Z\n").expect("the holder");
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(ran.stderr.contains("process 4711"), "{}", ran.stderr);
    drop(held);
    workspace.ok(&["run"]);
}

#[test]
fn due_jobs_run_once() {
    let workspace = Workspace::sample();
    let first = workspace.ok(&["run", "--due"]);
    // the sample's slot is of this morning or yesterday's: within its 48 hours there is always one
    assert!(first.stdout.contains("job daily, due "), "{}", first.stdout);
    assert!(workspace.warehouse().join("current").exists());
    assert!(workspace.ok(&["run", "--due"]).stdout.contains("no job is due"));
}

#[test]
fn serve_runs_what_is_due_and_stops_on_request() {
    let workspace = Workspace::sample();
    let mut child = workspace
        .command(&["serve"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let seen = lines
        .by_ref()
        .map(|l| l.expect("a line"))
        .find(|l| l.starts_with("daily due "));
    assert!(seen.is_some_and(|l| l.contains("done, release r000001")));
    let pid = rustix_pid(child.id());
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("SIGTERM");
    assert!(child.wait().expect("it ends").success());
}

fn rustix_pid(id: u32) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(i32::try_from(id).expect("a process id")).expect("a process id")
}

#[test]
fn a_file_set_aside_fails_the_run_unless_the_job_says_otherwise() {
    let workspace = Workspace::sample();
    workspace.edit(
        "pipelines/daily.toml",
        "on_set_aside = \"report\"",
        "on_set_aside = \"fail\"",
    );
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("file.set-aside") && ran.stderr.contains("help:"),
        "{}",
        ran.stderr
    );
    assert!(
        workspace.warehouse().join("current").exists(),
        "everything else is published"
    );
}

#[test]
fn a_new_workspace_checks_and_runs() {
    let workspace = Workspace::sample();
    let folder = workspace.path().join("new").to_string_lossy().into_owned();
    workspace.ok(&["init", &folder]);
    workspace.ok(&["--workspace", &folder, "check"]);
    let inbox = format!("{folder}/sample_data");
    workspace.ok(&["sample", "--seed", "7", "--dirt", "false", "--out", &inbox]);
    workspace.ok(&["--workspace", &folder, "run"]);
    workspace.ok(&["--workspace", &folder, "verify"]);
    let ran = workspace.run(&["init", &folder]);
    assert_eq!(ran.code, 2, "{}", ran.stdout);
}

#[test]
fn explanations_end_in_the_published_numbers() {
    let workspace = ran_sample();
    let sql = "SELECT partner_id, final FROM partner_scores WHERE period = '2026-Q3' AND state = 'rated' ORDER BY partner_id LIMIT 3";
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows");
    assert!(!rows.is_empty());
    for row in rows {
        let (partner, score) = (
            row["partner_id"].as_str().expect("an id"),
            row["final"].as_str().expect("a score"),
        );
        let text = workspace.ok(&["explain", "score", partner, "2026-Q3"]).stdout;
        assert!(text.contains(score), "{partner}: {score} is not in\n{text}");
        assert!(text.contains("edition of"), "{text}");
    }
    assert_eq!(workspace.run(&["explain", "score", "NOBODY", "2026-Q3"]).code, 2);
    let before = hashes(workspace.path());
    workspace.ok(&["status"]);
    workspace.ok(&["show", "rules", "--region", "apac", "--on", "2026-07-01"]);
    assert_eq!(hashes(workspace.path()), before, "a question changed a byte");
}
