//! `source detect`: proposes, tells how sure it is, writes once, and nothing of it is used before it is confirmed.

use std::fs;

use serde_json::Value as Json;

use crate::support::workspace::Workspace;

const FILE: &str = "sample_data/emea/support-2026-Q1.csv";

fn in_workspace(workspace: &Workspace, name: &str) -> String {
    workspace.path().join(name).display().to_string()
}

#[test]
fn a_proposal_is_printed_with_its_evidence() {
    let workspace = Workspace::sample();
    let ran = workspace.ok(&["source", "detect", &in_workspace(&workspace, FILE)]);
    for part in [
        "all 47 times fit %d.%m.%Y %H:%M",
        "open: time_zone",
        "every guess taken as right: all 27 records would be accepted",
        "# decide: time_zone = \"\"",
        "feeds by points of 1,000: support 1000",
        "pipelines/sources/emea.toml",
    ] {
        assert!(ran.stdout.contains(part), "{part}\n{}", ran.stdout);
    }
    let json = workspace.ok(&[
        "--json",
        "source",
        "detect",
        &in_workspace(&workspace, FILE),
        "--feed",
        "support",
    ]);
    let json: Json = serde_json::from_str(&json.stdout).expect("JSON");
    let zone = json["guesses"]
        .as_array()
        .expect("guesses")
        .iter()
        .find(|g| g["key"] == "time_zone");
    assert_eq!(zone.expect("the zone")["open"], true);
    assert_eq!(
        (&json["feed"], &json["trial"]["accepted"]),
        (&Json::from("support"), &Json::from(27))
    );
}

#[test]
fn a_proposal_is_used_only_after_a_person_has_confirmed_it() {
    let workspace = Workspace::sample();
    // the region's own declaration goes, and a proposal takes its place
    let declared = workspace.path().join("pipelines/sources/emea.toml");
    let text = fs::read_to_string(&declared).expect("the sources");
    let (before, behind) = text
        .split_once("[[source]]\nname = \"emea-support\"")
        .expect("the source");
    let (_, after) = behind.split_once("[[source]]").expect("the next source");
    fs::write(&declared, format!("{before}[[source]]{after}")).expect("the sources");

    let out = in_workspace(&workspace, "pipelines/sources/new.toml");
    let file = in_workspace(&workspace, FILE);
    workspace.ok(&["source", "detect", &file, "--out", &out]);
    let again = workspace.run(&["source", "detect", &file, "--out", &out]);
    assert_eq!(again.code, 2, "{}", again.stderr);

    let refused = workspace.run(&["check"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("source.proposed"), "{}", refused.stderr);
    let text = fs::read_to_string(&out).expect("the proposal");
    let confirmed: String = text
        .lines()
        .filter(|line| !line.starts_with("proposed"))
        .map(|line| line.replace("# decide: time_zone = \"\"", "time_zone = \"Europe/Berlin\"") + "\n")
        .collect();
    fs::write(&out, confirmed).expect("the confirmed source");
    workspace.ok(&["check"]);
}

#[test]
fn what_cannot_be_read_ends_with_3() {
    let workspace = Workspace::sample();
    workspace.write("empty.csv", "");
    workspace.write("page.csv", "<!DOCTYPE html><html></html>");
    std::os::unix::fs::symlink("empty.csv", workspace.path().join("link.csv")).expect("a link");
    for name in ["empty.csv", "page.csv", "link.csv", "missing.csv", "sample_data"] {
        let ran = workspace.run(&["source", "detect", &in_workspace(&workspace, name)]);
        assert_eq!(ran.code, 3, "{name}\n{}\n{}", ran.stdout, ran.stderr);
        assert!(
            ran.stderr.contains(name) && ran.stderr.contains("help: "),
            "{}",
            ran.stderr
        );
    }
    let ran = workspace.run(&["source", "detect", &in_workspace(&workspace, FILE), "--feed", "nope"]);
    assert_eq!(ran.code, 2);
}
