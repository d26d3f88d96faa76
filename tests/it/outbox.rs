//! The outbox as people use it: what waits for them goes when they say so, once, and never before.

use std::fs;

use serde_json::Value as Json;

use crate::support::Workspace;

fn list(workspace: &Workspace, words: &[&str]) -> Vec<Json> {
    let mut all = vec!["outbox", "list", "--json"];
    all.extend(words);
    serde_json::from_str(&workspace.ok(&all).stdout).expect("JSON")
}

fn key(message: &Json) -> String {
    message["message_key"].as_str().expect("a key").to_owned()
}

fn state(workspace: &Workspace, key: &str) -> String {
    let shown: Json = serde_json::from_str(&workspace.ok(&["outbox", "show", key, "--json"]).stdout).expect("JSON");
    shown["state"].as_str().expect("a state").to_owned()
}

/// Files that have left.
fn left(workspace: &Workspace) -> usize {
    fs::read_dir(workspace.path().join("warehouse/outbox/mail")).map_or(0, |files| {
        files
            .filter(|f| {
                f.as_ref()
                    .is_ok_and(|f| f.file_name().to_string_lossy().ends_with(".eml"))
            })
            .count()
    })
}

fn decide(workspace: &Workspace, what: &str, key: &str) {
    workspace.ok(&["outbox", what, key, "--by", "m.manager", "--reason", "looked at"]);
}

#[test]
fn what_waits_for_a_person_goes_when_it_is_approved_and_once() {
    let workspace = Workspace::sample();
    workspace.edit(
        "pipelines/mail.toml",
        "max_per_run = 10000",
        "max_per_run = 10000\napprove = [\"scorecard\"]",
    );
    workspace.run(&["run"]);
    let waiting = list(&workspace, &["--state", "awaiting_approval"]);
    assert!(
        waiting.len() >= 40 && left(&workspace) == 0,
        "{} {}",
        waiting.len(),
        left(&workspace)
    );
    let (first, second, third) = (key(&waiting[0]), key(&waiting[1]), key(&waiting[2]));
    decide(&workspace, "approve", &first);
    decide(&workspace, "approve", &second);
    // a hold counts at once, before any run has taken it in
    decide(&workspace, "hold", &second);
    let sent = workspace.ok(&["outbox", "send"]).stdout;
    assert!(
        sent.contains("1 sent") && sent.contains("waiting for a person"),
        "{sent}"
    );
    assert_eq!(left(&workspace), 1);
    assert_eq!(
        [
            state(&workspace, &first),
            state(&workspace, &second),
            state(&workspace, &third)
        ],
        ["sent", "held_by_person", "awaiting_approval"]
    );
    // taken in by a run, and repeated by a rebuild, which fills the folder again with what may go
    workspace.run(&["run"]);
    assert_eq!(left(&workspace), 1);
    decide(&workspace, "approve", &second);
    workspace.ok(&["outbox", "send"]);
    workspace.ok(&["outbox", "send"]);
    assert_eq!(left(&workspace), 2);
    let shown = workspace.ok(&["outbox", "show", &second]).stdout;
    assert!(
        shown.matches("decided").count() == 3 && shown.contains("to         "),
        "{shown}"
    );
    let refused = |words: &[&str], says: &str| {
        let mut all = vec!["outbox"];
        all.extend(words);
        all.extend(["--by", "m.manager", "--reason", "seen"]);
        let ran = workspace.run(&all);
        assert_eq!(ran.code, 2, "{words:?} {} {}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(says), "{words:?} {}", ran.stderr);
    };
    refused(&["hold", &first], "has left already");
    refused(&["approve", "nothing"], "there is no message");
    refused(&["hold", ""], "there is no message");
    let file = workspace.path().join("one.eml");
    workspace.ok(&["outbox", "show", &third, "--eml", &file.display().to_string()]);
    assert!(fs::read(&file).expect("the bytes").starts_with(b"From:") || file.metadata().expect("a file").len() > 1000);
}

#[test]
fn the_way_is_tried_without_sending() {
    let workspace = Workspace::sample();
    let said = workspace.ok(&["check-mail"]).stdout;
    assert!(
        said.contains("one .eml file") && said.contains("nothing was sent"),
        "{said}"
    );
    assert_eq!(left(&workspace), 0);
    // a port that nobody listens on
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port")
        .port();
    workspace.edit(
        "pipelines/mail.toml",
        "mode = \"folder\"",
        &format!("mode = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntimeout_seconds = 5"),
    );
    let failed = workspace.run(&["check-mail"]);
    assert_eq!(failed.code, 6, "{} {}", failed.stdout, failed.stderr);
    assert!(
        failed.stderr.contains("look at host, port and the network"),
        "{}",
        failed.stderr
    );
}
