//! The program killed at every stage of sending: nothing lost, nothing doubled but in the one window.
//!
//! Duty: SIGKILL while the server stands at a stage, and at random moments, with `STARLEDGER_KILLS` kills each; what the
//! mailbox has in the end. Not its duty: kills of other stages of a run (`kill`).

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::server::Server;
use super::whole_run::message_id;
use crate::support::Workspace;

/// Kills for each stage; one slice of them in every run of the tests.
fn kills() -> usize {
    let wanted = std::env::var("STARLEDGER_KILLS").ok().and_then(|n| n.parse().ok());
    wanted.unwrap_or(2)
}

/// A workspace with a release whose messages have not been tried: each waits for approval.
fn queued() -> Workspace {
    let workspace = Workspace::of_partners();
    let text = "mode = \"smtp\"\nfrom = \"scorecards@programme.example\"\nhost = \"localhost\"\nport = 1\n\
                tls = \"none\"\napprove = [\"scorecard\"]\n";
    workspace.write("pipelines/mail.toml", text);
    workspace.ok(&["run"]);
    workspace
}

fn send_to(workspace: &Workspace, server: &Server, more: &str) {
    let text = format!(
        "mode = \"smtp\"\nfrom = \"scorecards@programme.example\"\nhost = \"localhost\"\nport = {}\ntls = \"none\"\n\
         hello_name = \"client.example\"\nretry_pauses_seconds = [1]\n{more}",
        server.port
    );
    workspace.write("pipelines/mail.toml", &text);
}

fn send(workspace: &Workspace) -> Child {
    workspace
        .command(&["outbox", "send", "--now"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// Every message of the outbox as the program shows it.
fn listed(workspace: &Workspace) -> Vec<Value> {
    let text = workspace.ok(&["--json", "outbox", "list"]).stdout;
    let all: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    all.into_iter().filter(|m| m["state"] != "no_recipient").collect()
}

/// Copies by Message-ID; those of one message are the same to the last byte.
fn copies(server: &Server) -> BTreeMap<String, usize> {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let mut first: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for copy in server.copies() {
        let id = message_id(&copy.bytes);
        let known = first.entry(id.clone()).or_insert_with(|| copy.bytes.clone());
        assert_eq!(*known, copy.bytes, "{id}: two copies differ");
        *count.entry(id).or_default() += 1;
    }
    count
}

/// Kills at a stage, message after message; `expected` copies of each message that was being sent.
fn kill_at(stage: &str, expected: usize) {
    let mut left = kills();
    while left > 0 {
        let workspace = queued();
        let in_this = left.min(30);
        let turns: Vec<&str> = (0..in_this).flat_map(|_| [stage, "take"]).collect();
        let server = match stage {
            "hang-hello" => {
                let hello: Vec<&str> = (0..in_this).flat_map(|_| ["hang", "take"]).collect();
                Server::start(json!({ "hello": hello }))
            }
            _ => Server::start(json!({ "script": turns })),
        };
        send_to(&workspace, &server, "max_per_run = 1\n");
        for kill in 1..=in_this {
            let mut child = send(&workspace);
            let begin = Instant::now();
            while server.hung() < kill {
                assert!(begin.elapsed() < Duration::from_mins(1), "{stage}: not reached");
                thread::sleep(Duration::from_millis(5));
            }
            child.kill().expect("SIGKILL");
            child.wait().expect("it ends");
            workspace.ok(&["outbox", "send", "--now"]);
        }
        send_to(&workspace, &server, "");
        workspace.ok(&["outbox", "send"]);
        let (copies, messages) = (copies(&server), listed(&workspace));
        assert_eq!(copies.len(), messages.len(), "{stage}: lost");
        for (i, message) in messages.iter().enumerate() {
            let found = copies[message["message_id"].as_str().expect("an id")];
            let wanted = if i < in_this { expected } else { 1 };
            assert_eq!(
                (message["state"].as_str(), found),
                (Some("sent"), wanted),
                "{stage}: {message}"
            );
            let unknown = message["unknown_outcomes"].as_u64();
            assert_eq!(unknown, Some(u64::from(i < in_this)), "{stage}: not counted: {message}");
        }
        left -= in_this;
    }
}

#[test]
fn killed_at_every_stage() {
    for stage in ["hang-hello", "hang", "hang-rcpt", "hang-data", "hang-in-data"] {
        kill_at(stage, 1);
    }
    // the one window: taken over, and nobody heard of it
    kill_at("hang-after-dot", 2);
}

#[test]
fn killed_at_random_moments() {
    // a simple sequence of numbers, the same in every run
    let mut state: u64 = 7;
    let mut below = |limit: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit.max(1)
    };
    let mut left = kills();
    while left > 0 {
        let workspace = queued();
        let server = Server::start(json!({}));
        send_to(&workspace, &server, "");
        let mut killed = 0;
        while left > 0 && killed < 10 {
            let mut child = send(&workspace);
            thread::sleep(Duration::from_millis(below(700)));
            child.kill().expect("SIGKILL");
            let done = child.wait().expect("it ends").success();
            killed += 1;
            left -= 1;
            if done {
                break;
            }
        }
        workspace.ok(&["outbox", "send", "--now"]);
        let copies = copies(&server);
        let messages = listed(&workspace);
        assert_eq!(copies.len(), messages.len(), "lost");
        for message in &messages {
            let found = copies[message["message_id"].as_str().expect("an id")];
            let unknown = message["unknown_outcomes"].as_u64().expect("a number");
            assert_eq!(message["state"], "sent", "{message}");
            assert!(found as u64 <= 1 + unknown, "doubled without being counted: {message}");
        }
        let remembered = fs::read_dir(workspace.path().join("landing/sent"))
            .expect("the marks")
            .count();
        assert_eq!(remembered, messages.len());
    }
}
