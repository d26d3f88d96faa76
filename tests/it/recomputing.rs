//! As known then: every past release comes out of landing again, byte for byte, whatever happened since.

use std::fs;

use serde_json::Value as Json;

use crate::support::Workspace;
use crate::support::workspace::hashes;

fn json(workspace: &Workspace, arguments: &[&str]) -> Json {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&workspace.ok(&arguments).stdout).expect("JSON")
}

/// Three runs: without the surveys of a quarter; with them, late; with other rules.
fn three_runs() -> (Workspace, Vec<String>) {
    const LATE: &str = "sample_data/emea/surveys-2026-Q3.csv";
    let workspace = Workspace::sample();
    let late = fs::read_to_string(workspace.path().join(LATE)).expect("the late file");
    fs::remove_file(workspace.path().join(LATE)).expect("it is held back");
    let mut releases = Vec::new();
    let mut run = |as_of: &str| {
        workspace.run(&["run", "--as-of", as_of]);
        let name = fs::read_link(workspace.warehouse().join("current")).expect("a release");
        releases.push(name.file_name().expect("a name").to_string_lossy().into_owned());
    };
    run("2026-10-03T06:00:00Z");
    workspace.write(LATE, &late);
    run("2026-10-08T06:00:00Z");
    workspace.edit("pipelines/rules/global/2026-07-01.toml", "A = \"90\"", "A = \"92\"");
    run("2026-10-12T06:00:00Z");
    releases.dedup();
    assert_eq!(releases.len(), 3, "{releases:?}");
    (workspace, releases)
}

#[test]
fn a_past_release_is_made_again_as_known_then() {
    let (workspace, releases) = three_runs();
    // what the workspace holds by now plays no part
    workspace.edit("pipelines/rules/global/2026-07-01.toml", "A = \"92\"", "A = \"95\"");
    let before = hashes(workspace.path());
    for (i, arguments) in [(1, &["recompute", &releases[1]][..]), (2, &["recompute"])] {
        let made = json(&workspace, arguments);
        assert_eq!(
            (&made["same"], &made["compared_with_files"]),
            (&true.into(), &true.into()),
            "{made}"
        );
        assert_eq!(made["runs"], i + 1);
        assert_eq!(made["release"], releases[i].as_str());
    }
    assert_eq!(hashes(workspace.path()), before, "a file of the workspace changed");

    // a release that was collected is compared with the record of its run
    fs::remove_dir_all(workspace.warehouse().join("store/releases").join(&releases[0])).expect("it goes");
    let made = json(&workspace, &["recompute", "1"]);
    assert_eq!(
        (&made["same"], &made["compared_with_files"]),
        (&true.into(), &false.into()),
        "{made}"
    );
    let unknown = workspace.run(&["recompute", "r000009-000000000000"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains(&releases[2]), "{}", unknown.stderr);
}

#[test]
fn what_was_changed_afterwards_is_found_out() {
    let (workspace, releases) = three_runs();
    let folder = workspace
        .warehouse()
        .join("store/releases")
        .join(&releases[2])
        .join("partner_scores/period=2026-Q3");
    let file = fs::read_dir(&folder)
        .expect("the partition")
        .next()
        .expect("a file")
        .expect("a file")
        .path();
    let mut bytes = fs::read(&file).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // another file in its place, so that releases that share it are as they were
    fs::remove_file(&file).expect("it goes");
    fs::write(&file, bytes).expect("the changed file");
    let found = workspace.run(&["recompute"]);
    assert_eq!(found.code, 7, "{}", found.stderr);
    assert!(found.stderr.contains("partner_scores"), "{}", found.stderr);

    // landing says another present for a run than it had
    let record = workspace.path().join("landing/runs/00000002.json");
    let text = fs::read_to_string(&record).expect("the record");
    fs::write(&record, text.replace("2026-10-08T06:00:00Z", "2026-10-09T06:00:00Z")).expect("the changed record");
    let found = workspace.run(&["recompute", &releases[1]]);
    assert_eq!(found.code, 7, "{}", found.stderr);
    assert!(found.stderr.contains("landing/runs/00000002.json"), "{}", found.stderr);
}
