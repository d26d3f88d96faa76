//! A configuration that is not in order: every finding with place and remedy, all at once, exit code 2.

use crate::support::Workspace;

#[test]
fn all_findings_of_all_files_at_once() {
    let workspace = Workspace::sample();
    let global = "pipelines/rules/global/2025-10-01.toml";
    workspace.edit(global, "[satisfaction]", "[satisfaction]\nwieght = \"1\"");
    workspace.edit(global, "weight = \"25\"", "weight = \"26\"");
    workspace.write(
        "pipelines/rules/emea/2026-04-01-again.toml",
        "effective_from = \"2026-04-01\"\n",
    );
    workspace.edit(
        "schemas/sales.odcs.yaml",
        "physicalType: BIGINT",
        "physicalType: BIGINTEGER",
    );
    workspace.write("pipelines/measures/extra.sql", "SELECT a / b AS c FROM sales");
    workspace.write("pipelines/sources/empty.toml", "");
    let ran = workspace.run(&["check"]);
    assert_eq!(ran.code, 2, "{}\n{}", ran.stdout, ran.stderr);
    // an empty file is told first, since nothing can be read before it has content
    assert!(
        ran.stderr.contains("pipelines/sources/empty.toml: the file is empty"),
        "{}",
        ran.stderr
    );
    std::fs::remove_file(workspace.path().join("pipelines/sources/empty.toml")).expect("it goes");
    let ran = workspace.run(&["check"]);
    assert_eq!(ran.code, 2, "{}\n{}", ran.stdout, ran.stderr);
    for place in [
        global,
        "wieght",
        "emea/2026-04-01",
        "schemas/sales.odcs.yaml:",
        "BIGINTEGER",
    ] {
        assert!(ran.stderr.contains(place), "{place} is not named:\n{}", ran.stderr);
    }
    let helps = ran.stderr.matches("help:").count();
    assert!(helps >= 4, "{helps} remedies:\n{}", ran.stderr);
    assert!(!workspace.warehouse().exists(), "a check that failed wrote something");
    assert_eq!(workspace.run(&["run"]).code, 2);
}

#[test]
fn measures_outside_the_subset_are_refused() {
    let workspace = Workspace::sample();
    workspace.write("pipelines/measures/extra.sql", "SELECT net_amount / 2 AS c FROM sales");
    let ran = workspace.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("pipelines/measures/extra.sql:1") && ran.stderr.contains("measure.division"),
        "{}",
        ran.stderr
    );
}

#[test]
fn weights_that_do_not_add_up_and_bands_with_a_gap_point_at_their_lines() {
    let workspace = Workspace::sample();
    let global = "pipelines/rules/global/2025-10-01.toml";
    workspace.edit(global, "weight = \"25\"", "weight = \"26\"");
    let ran = workspace.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("add up to 101"), "{}", ran.stderr);
    let line = ran
        .stderr
        .lines()
        .find(|l| l.contains("add up to 101"))
        .unwrap_or_default();
    assert!(line.contains(&format!("{global}:")), "{line}");
}

#[test]
fn a_folder_that_is_no_workspace_and_commands_without_a_release() {
    let workspace = Workspace::sample();
    let folder = workspace.path().join("nothing");
    std::fs::create_dir(&folder).expect("a folder");
    let elsewhere = folder.to_string_lossy().into_owned();
    let ran = workspace.run(&["--workspace", &elsewhere, "run"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("starledger init"), "{}", ran.stderr);
    let ran = workspace.run(&["query", "SELECT 1 AS one"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("starledger run"), "{}", ran.stderr);
    assert_eq!(workspace.run(&["run", "weekly"]).code, 2);
    assert_eq!(workspace.run(&["frobnicate"]).code, 2);
}
