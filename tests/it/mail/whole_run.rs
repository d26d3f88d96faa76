//! The whole program against a real server: every scorecard once, in order, and not again after a rebuild.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::server::Server;
use crate::support::{Workspace, ran_sample};

/// Points the sample's mail settings at a server.
pub fn send_to(workspace: &Workspace, server: &Server) {
    let settings = format!(
        "mode = \"smtp\"\nfrom = \"scorecards@programme.example\"\nreply_to = \"desk@programme.example\"\n\
         host = \"localhost\"\nport = {}\ntls = \"none\"\nhello_name = \"client.example\"\nretry_pauses_seconds = [1]\n",
        server.port
    );
    fs::write(workspace.path().join("pipelines/mail.toml"), settings).expect("the settings");
}

pub fn message_id(bytes: &[u8]) -> String {
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

/// Rows of a query.
fn rows(workspace: &Workspace, sql: &str) -> Vec<Value> {
    let out = workspace.ok(&["query", "--json", sql]).stdout;
    serde_json::from_str(&out).expect("JSON rows")
}

/// The messages by sequence, which has no gap.
fn messages(workspace: &Workspace) -> Vec<Value> {
    let columns = "message_key, sequence, partner_id, period, state, message_id";
    let found = rows(workspace, &format!("SELECT {columns} FROM messages ORDER BY sequence"));
    for (i, row) in found.iter().enumerate() {
        assert_eq!(row["sequence"].to_string(), (i + 1).to_string(), "a gap");
    }
    found
}

fn in_state(messages: &[Value], state: &str) -> usize {
    messages.iter().filter(|m| m["state"] == state).count()
}

pub const CONTACTS: &str = "partner_id,email,role,name,language,wants,valid_from,valid_to\n";

#[test]
fn what_a_folder_got_is_not_mailed_after_a_rebuild_with_a_server() {
    let workspace = ran_sample();
    let made = in_state(&messages(&workspace), "queued");
    let remembered = || fs::read_dir(workspace.path().join("landing/sent")).map_or(0, Iterator::count);
    assert_eq!(remembered(), made);
    // as left by a program that remembered nothing in this mode: the log knows
    fs::remove_dir_all(workspace.path().join("landing/sent")).expect("the marks go");
    workspace.ok(&["run"]);
    assert_eq!(remembered(), made);

    let server = Server::start(json!({}));
    send_to(&workspace, &server);
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.ok(&["run"]);
    assert_eq!(server.copies().len(), 0, "trial cards were mailed");
}

#[test]
fn a_contact_that_arrives_later_gets_the_card_under_its_key() {
    let workspace = Workspace::of_partners();
    let file = "sample_data/reference/contacts.csv";
    let all = fs::read_to_string(workspace.path().join(file)).expect("the contacts");
    let others: Vec<&str> = all.lines().filter(|l| !l.starts_with("EM-0002,")).collect();
    workspace.write(file, &format!("{}\n", others.join("\n")));
    workspace.ok(&["run"]);
    let before = messages(&workspace);
    let of = |messages: &[Value]| {
        let mut found = messages.iter().filter(|m| m["partner_id"] == "EM-0002");
        (found.next().expect("a message").clone(), found.count())
    };
    let (waiting, _) = of(&before);
    assert_eq!(waiting["state"], "no_recipient");

    let unrelated = "EM-0001,one@nordlicht.example,finance,One Person,de,statement,2026-01-01,\n";
    workspace.write(
        "sample_data/reference/contacts-2.csv",
        &format!("{CONTACTS}{unrelated}"),
    );
    let ran = workspace.ok(&["run"]);
    let counts = "0 new, 0 without a recipient, 0 held back";
    assert!(ran.stdout.contains(counts), "counted again:\n{}", ran.stdout);
    assert_eq!(messages(&workspace), before);

    let theirs = "EM-0002,desk@mueller-soehne.example,service_manager,One Person,de,scorecard,2026-01-01,\n";
    workspace.write("sample_data/reference/contacts-3.csv", &format!("{CONTACTS}{theirs}"));
    let ran = workspace.ok(&["run"]);
    assert!(ran.stdout.contains("1 new, 0 without a recipient"), "{}", ran.stdout);
    let after = messages(&workspace);
    let (sent, more) = of(&after);
    assert_eq!((sent["state"].as_str(), more), (Some("queued"), 0));
    assert_eq!(
        (&sent["message_key"], &sent["sequence"]),
        (&waiting["message_key"], &waiting["sequence"])
    );
    assert_eq!(after.len(), before.len());
    let key = sent["message_key"].as_str().expect("a key");
    assert!(workspace.path().join("landing/sent").join(key).exists(), "it went");
}

#[test]
fn every_period_that_ended_since_is_mailed_and_a_late_change_corrects_an_earlier_one() {
    let workspace = Workspace::of_partners();
    workspace.ok(&["run", "--as-of", "2026-01-12T06:00:00Z"]);
    let first = messages(&workspace);
    assert!(
        first.iter().all(|m| m["period"] == "2025-Q4"),
        "the first run mails the latest only"
    );
    workspace.ok(&["run", "--as-of", "2026-10-12T06:00:00Z"]);
    let second = messages(&workspace);
    assert_eq!(second[..first.len()], first);
    let told: Vec<(&str, &str)> = second[first.len()..]
        .iter()
        .map(|m| {
            (
                m["period"].as_str().expect("a period"),
                m["partner_id"].as_str().expect("a partner"),
            )
        })
        .collect();
    assert!(told.is_sorted(), "the oldest first");
    // a partner whose contacts read two languages has two messages
    let told: BTreeSet<(&str, &str)> = told.into_iter().collect();
    for period in ["2026-Q1", "2026-Q2", "2026-Q3"] {
        let cards = rows(
            &workspace,
            &format!("SELECT partner_id FROM partner_scores WHERE period = '{period}'"),
        );
        assert!(!cards.is_empty());
        assert_eq!(
            told.iter().filter(|(p, _)| *p == period).count(),
            cards.len(),
            "{period}"
        );
    }

    workspace.write(
        "sample_data/emea/key_events-2026-Q1-late.csv",
        "event_id;partner_id;domain;occurred_on;code;level;direction;red_line;self_reported;evidence\n\
         KE-LATE-1;EM-0006;security;20.02.2026;late_escalation;minor;negative;none;false;Told late\n",
    );
    workspace.ok(&["run", "--as-of", "2026-10-12T07:00:00Z"]);
    let third = messages(&workspace);
    assert_eq!(third[..second.len()], second);
    let corrected: BTreeSet<&str> = third[second.len()..]
        .iter()
        .map(|m| m["partner_id"].as_str().expect("a partner"))
        .collect();
    assert_eq!(corrected, BTreeSet::from(["EM-0006"]));
    assert!(third[second.len()..].iter().any(|m| m["period"] == "2026-Q1"));
}

/// Removes stored bytes of mails.
fn purge(workspace: &Workspace, hashes: &[String]) {
    for hash in hashes {
        fs::remove_file(workspace.warehouse().join("private/mail").join(hash)).expect("stored bytes");
    }
}

fn stored(workspace: &Workspace, condition: &str) -> Vec<String> {
    let sql = format!("SELECT content_hash, envelope_hash FROM messages WHERE {condition}");
    let mut hashes: BTreeSet<String> = BTreeSet::new();
    for row in rows(workspace, &sql) {
        for column in ["content_hash", "envelope_hash"] {
            hashes.insert(row[column].as_str().expect("a hash").to_owned());
        }
    }
    hashes.into_iter().collect()
}

#[test]
fn mail_that_has_left_may_be_purged() {
    let workspace = ran_sample();
    purge(&workspace, &stored(&workspace, "state = 'queued'"));
    // the log says sent
    workspace.ok(&["run"]);
    // the marks beside the warehouse say sent
    let server = Server::start(json!({}));
    send_to(&workspace, &server);
    workspace.ok(&["run"]);
    assert_eq!(server.copies().len(), 0);
}

#[test]
fn missing_bytes_of_unsent_mail_are_a_problem_of_that_message_only() {
    let workspace = Workspace::sample();
    let gone = Server::start(json!({}));
    send_to(&workspace, &gone);
    drop(gone);
    assert_eq!(workspace.run(&["run"]).code, 6);
    let all = messages(&workspace);
    let queued: Vec<&Value> = all.iter().filter(|m| m["state"] == "queued").collect();
    let lost = queued[3]["message_key"].as_str().expect("a key");
    purge(&workspace, &stored(&workspace, &format!("message_key = '{lost}'")));
    let server = Server::start(json!({}));
    send_to(&workspace, &server);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 6, "{}\n{}", ran.stdout, ran.stderr);
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains(lost), "{}", ran.stdout);
    assert_eq!(server.copies().len(), queued.len() - 1);
}
