//! The whole program against a real server: every scorecard once, in order, and not again after a rebuild.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::server::Server;
use crate::support::Workspace;

/// Points the sample's mail settings at a server.
fn send_to(workspace: &Workspace, server: &Server) {
    let settings = format!(
        "mode = \"smtp\"\nfrom = \"scorecards@programme.example\"\nreply_to = \"desk@programme.example\"\n\
         host = \"localhost\"\nport = {}\ntls = \"none\"\nhello_name = \"client.example\"\nretry_pauses_seconds = [1]\n",
        server.port
    );
    fs::write(workspace.path().join("pipelines/mail.toml"), settings).expect("the settings");
}

fn message_id(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let line = text
        .lines()
        .find(|l| l.to_ascii_lowercase().starts_with("message-id:"))
        .expect("a Message-ID");
    line.split_once(':').expect("a header").1.trim().to_owned()
}

#[test]
fn a_run_sends_every_scorecard_once_and_a_rebuild_sends_none() {
    let server = Server::start(json!({}));
    let workspace = Workspace::sample();
    send_to(&workspace, &server);
    workspace.ok(&["run"]);
    let copies = server.copies();
    let ids: Vec<String> = copies.iter().map(|c| message_id(&c.bytes)).collect();
    let queued: Vec<serde_json::Value> = serde_json::from_str(
        &workspace
            .ok(&[
                "query",
                "--json",
                "SELECT message_id FROM messages WHERE state = 'queued' ORDER BY sequence",
            ])
            .stdout,
    )
    .expect("JSON rows");
    let expected: Vec<String> = queued
        .iter()
        .map(|r| r["message_id"].as_str().expect("an id").to_owned())
        .collect();
    assert!(expected.len() >= 30, "{}", expected.len());
    assert_eq!(ids, expected, "not in order, or not once");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());

    assert!(workspace.ok(&["run"]).stdout.contains("nothing to do"));
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.ok(&["run"]);
    assert_eq!(server.copies().len(), copies.len(), "a rebuild sent a scorecard again");
}

#[test]
fn a_server_out_of_reach_ends_with_code_6_and_the_next_run_sends() {
    let workspace = Workspace::sample();
    let gone = Server::start(json!({}));
    send_to(&workspace, &gone);
    drop(gone);
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 6, "{}\n{}", ran.stdout, ran.stderr);
    assert!(
        workspace.warehouse().join("current").exists(),
        "the release does not wait for the mail"
    );
    let server = Server::start(json!({}));
    send_to(&workspace, &server);
    // the pause after the first attempt
    std::thread::sleep(std::time::Duration::from_millis(1500));
    workspace.ok(&["run"]);
    let ids: BTreeSet<String> = server.copies().iter().map(|c| message_id(&c.bytes)).collect();
    assert_eq!(ids.len(), server.copies().len());
    assert!(ids.len() >= 30);
}
