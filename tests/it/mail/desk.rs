//! The outbox as people work it: list, show, approve, hold, send, resend, returned mail.
//!
//! Duty: commands against a real server, and that a rebuild comes to the same. Not its duty: states by themselves.

use std::fs;

use serde_json::{Value, json};

use super::server::Server;
use super::whole_run::{CONTACTS, message_id, send_to};
use crate::support::Workspace;

const PERSON: [&str; 4] = ["--by", "m.keller", "--reason", "asked by the partner"];

fn with(workspace: &Workspace, server: &Server, more: &str) {
    send_to(workspace, server);
    let path = workspace.path().join("pipelines/mail.toml");
    let text = fs::read_to_string(&path).expect("the settings");
    fs::write(path, format!("{text}{more}")).expect("the settings");
}

fn json_of(workspace: &Workspace, arguments: &[&str]) -> Value {
    let mut all = vec!["--json", "outbox"];
    all.extend(arguments);
    serde_json::from_str(&workspace.ok(&all).stdout).expect("JSON")
}

fn outbox(workspace: &Workspace, arguments: &[&str]) -> Value {
    let mut all = arguments.to_vec();
    all.extend(PERSON);
    json_of(workspace, &all)
}

fn refused(workspace: &Workspace, arguments: &[&str], why: &str) {
    let mut all = vec!["outbox"];
    all.extend(arguments);
    let ran = workspace.run(&all);
    assert_eq!(ran.code, 2, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(why), "{arguments:?}: {}", ran.stderr);
}

fn keys(list: &Value) -> Vec<String> {
    let rows = list.as_array().expect("rows").iter();
    rows.map(|m| m["message_key"].as_str().expect("a key").to_owned())
        .collect()
}

fn rebuild(workspace: &Workspace) {
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.ok(&["run"]);
}

#[test]
fn nothing_of_a_kind_that_needs_it_goes_without_approval() {
    let server = Server::start(json!({}));
    let workspace = Workspace::of_partners();
    with(&workspace, &server, "approve = [\"scorecard\"]\n");
    let ran = workspace.ok(&["run"]);
    assert!(ran.stdout.contains("awaiting approval"), "{}", ran.stdout);
    assert!(server.copies().is_empty());
    let waiting = keys(&json_of(&workspace, &["list", "--state", "awaiting_approval"]));
    assert!(waiting.len() >= 30);
    assert!(
        workspace
            .ok(&["status"])
            .stdout
            .contains(&format!("{} awaiting_approval", waiting.len()))
    );
    // neither another run nor an explicit send is an approval
    workspace.ok(&["run"]);
    workspace.ok(&["outbox", "send"]);
    assert!(server.copies().is_empty());

    let first = waiting[0].as_str();
    outbox(&workspace, &["approve", first]);
    refused(
        &workspace,
        &[&["approve", first][..], &PERSON].concat(),
        "nothing to approve",
    );
    let sent = json_of(&workspace, &["send"]);
    assert_eq!((sent["sent"].as_u64(), server.copies().len()), (Some(1), 1), "{sent}");

    // all of a kind at once, in one file; one of them a person holds
    let held = waiting[1].as_str();
    outbox(&workspace, &["hold", held]);
    let approved = outbox(
        &workspace,
        &["approve", "--kind", "scorecard", "--state", "awaiting_approval"],
    );
    assert_eq!(approved.as_array().expect("rows").len(), waiting.len() - 2);
    workspace.ok(&["run"]);
    assert_eq!(server.copies().len(), waiting.len() - 1);
    let shown = json_of(&workspace, &["show", held]);
    assert_eq!(
        (shown["state"].as_str(), shown["attempts"].as_u64()),
        (Some("held"), Some(0))
    );
    assert_eq!(shown["reason"], "by m.keller: asked by the partner");

    // decisions are inputs: a rebuild comes to the same, and sends nothing
    rebuild(&workspace);
    assert_eq!(server.copies().len(), waiting.len() - 1);
    assert_eq!(keys(&json_of(&workspace, &["list", "--state", "held"])), [held]);
    outbox(&workspace, &["approve", held]);
    workspace.ok(&["outbox", "send"]);
    assert_eq!(server.copies().len(), waiting.len());
    refused(&workspace, &[&["hold", held][..], &PERSON].concat(), "has left");
}

#[test]
fn a_message_goes_once_more_by_decision_only_and_is_counted() {
    let server = Server::start(json!({}));
    let workspace = Workspace::sample();
    with(&workspace, &server, "");
    workspace.ok(&["run"]);
    let all = server.copies();
    let list = json_of(&workspace, &["list", "--partner", "EM-0002"]);
    let key = keys(&list).pop().expect("a message");
    let first = all
        .iter()
        .position(|c| message_id(&c.bytes).starts_with(&format!("<{key}@")))
        .expect("its copy");

    outbox(&workspace, &["resend", &key]);
    refused(
        &workspace,
        &[&["resend", &key][..], &PERSON].concat(),
        "once more already",
    );
    assert_eq!(server.copies().len(), all.len(), "a decision alone sends nothing");
    workspace.ok(&["outbox", "send"]);
    let copies = server.copies();
    assert_eq!(copies.len(), all.len() + 1);
    let again = copies.last().expect("a copy");
    assert_eq!(
        (&again.bytes, &again.to),
        (&all[first].bytes, &all[first].to),
        "the same bytes to the same people"
    );

    // to a corrected address: a contact of the partner, nobody else
    let send = |address: &str| -> Vec<String> {
        let mut all = vec!["resend".to_owned(), key.clone(), "--to".to_owned(), address.to_owned()];
        all.extend(PERSON.map(str::to_owned));
        all
    };
    for (address, why) in [
        ("new.desk@mueller-soehne.example", "is no contact of EM-0002"),
        ("someone@elsewhere.example", "not on the partner's list"),
    ] {
        let words = send(address);
        refused(&workspace, &words.iter().map(String::as_str).collect::<Vec<_>>(), why);
    }
    let row = "EM-0002,new.desk@mueller-soehne.example,service_manager,New Desk,de,statement,2026-01-01,\n";
    workspace.write("sample_data/reference/contacts-9.csv", &format!("{CONTACTS}{row}"));
    workspace.ok(&["run"]);
    let before = server.copies().len();
    let words = send("new.desk@mueller-soehne.example");
    json_of(&workspace, &words.iter().map(String::as_str).collect::<Vec<_>>());
    workspace.ok(&["run"]);
    let copies = server.copies();
    assert_eq!(copies.len(), before + 1);
    let last = copies.last().expect("a copy");
    assert_eq!(last.to, ["new.desk@mueller-soehne.example"]);
    assert_eq!(last.bytes, all[first].bytes);

    let shown = json_of(&workspace, &["show", &key]);
    let again = shown["again"].as_array().expect("again");
    assert_eq!(again.len(), 2, "{shown}");
    assert!(again.iter().all(|a| a["state"] == "sent" && a["attempts"] == 1));
    assert_eq!(
        (
            again[0]["to_another_address"].as_bool(),
            again[1]["to_another_address"].as_bool()
        ),
        (Some(false), Some(true))
    );
    let decisions = workspace
        .ok(&["query", "--json", "SELECT outcome FROM decisions WHERE kind = 'mail'"])
        .stdout;
    assert!(decisions.contains("resent to sha256:") && !decisions.contains('@'));
    // what went once more is not sent a third time by a rebuild
    let count = server.copies().len();
    rebuild(&workspace);
    assert_eq!(server.copies().len(), count);
}

#[test]
fn show_tells_everything_and_writes_the_bytes() {
    let server = Server::script(&["mail-4xx"]);
    let workspace = Workspace::sample();
    with(&workspace, &server, "");
    workspace.ok(&["run"]);
    let retry = json_of(&workspace, &["list", "--state", "retry"]);
    let key = keys(&retry).pop().expect("one waits");
    let file = workspace.path().join("out.eml");
    let shown = workspace
        .ok(&["outbox", "show", &key, "--eml", file.to_str().expect("a path")])
        .stdout;
    for part in [
        "state      retry: 451",
        "Message-ID: <",
        "Auto-Submitted: auto-generated",
        "  1 2",
        "not before",
        "to  ",
    ] {
        assert!(shown.contains(part), "no {part:?} in\n{shown}");
    }
    let detail = json_of(&workspace, &["show", &key]);
    // by the number that the list shows, too
    let number = detail["sequence"].to_string();
    assert_eq!(json_of(&workspace, &["show", &number])["message_key"], key.as_str());
    assert_eq!(
        fs::read(&file).expect("the file"),
        fs::read(detail["bytes"].as_str().expect("a path")).expect("bytes")
    );
    assert_eq!(detail["history"].as_array().expect("attempts").len(), 1);
    // pauses are left out when a person says so
    let before = server.copies().len();
    // the one that waits, and what it holds: another language of the same partner
    let waiting =
        retry.as_array().expect("rows").len() + keys(&json_of(&workspace, &["list", "--state", "queued"])).len();
    workspace.ok(&["outbox", "send", "--now"]);
    assert_eq!(server.copies().len(), before + waiting);
    assert!(waiting < 3, "{waiting}");
    // how a key begins is enough, where it tells it
    assert_eq!(
        json_of(&workspace, &["show", &key[..key.len() - 2]]),
        json_of(&workspace, &["show", &key])
    );
    refused(&workspace, &["show", "scorecard"], "name more of the key");
    refused(&workspace, &["show", "nothing"], "no message nothing");
    refused(&workspace, &["list", "--state", "lost"], "awaiting_approval");
}

/// A report of a mail server about a message that did not reach an address.
fn report(id: &str, address: &str, status: &str, action: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example\r\nTo: scorecards@programme.example\r\nSubject: Undelivered Mail\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"B\"\r\n\r\n\
         --B\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\
         --B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n\
         --B\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {id}\r\n\r\n--B--\r\n"
    )
}

#[test]
fn an_address_that_does_not_exist_gets_nothing_more_until_a_person_or_a_new_contact_says_so() {
    let server = Server::start(json!({}));
    let workspace = Workspace::sample();
    with(&workspace, &server, "bounces = \"bounces\"\n");
    workspace.ok(&["run"]);
    let copies = server.copies();
    let copy = copies.iter().find(|c| c.to.len() == 1).expect("a message to one");
    let (id, address) = (message_id(&copy.bytes), copy.to[0].clone());
    let key = id.trim_start_matches('<').split('@').next().expect("a key").to_owned();
    workspace.write(
        "bounces/new/1.eml",
        &report(&id, &address.to_uppercase(), "5.1.1", "failed"),
    );
    workspace.write(
        "bounces/new/2.eml",
        &report("<not-ours@x.example>", &address, "5.1.1", "failed"),
    );
    workspace.write("bounces/cur/3", "Subject: failure\r\n\r\n550 5.1.1 unknown user\r\n");
    workspace.write("bounces/tmp/4", "half");
    let ran = workspace.ok(&["run"]);
    assert!(ran.stdout.contains("1 came back"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 files among returned mail"), "{}", ran.stdout);
    assert!(workspace.ok(&["status"]).stdout.contains("1 addresses suppressed"));
    let listed = json_of(&workspace, &["suppressions"]);
    assert_eq!(listed[0]["suppressed"], true);
    assert_eq!(listed[0]["message_key"], key.as_str());
    assert!(!listed.to_string().contains('@'), "an address is shown: {listed}");
    assert!(workspace.ok(&["outbox", "list"]).stdout.contains("came back (5.1.1)"));

    // once more would go to the same address: it does not
    outbox(&workspace, &["resend", &key]);
    let ran = workspace.run(&["outbox", "send"]);
    assert_eq!(ran.code, 6, "{}", ran.stdout);
    assert_eq!(server.copies().len(), copies.len());
    // reports are inputs: a rebuild knows them, though the folder is gone
    fs::remove_dir_all(workspace.path().join("bounces")).expect("the folder goes");
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.run(&["run"]);
    assert_eq!(json_of(&workspace, &["suppressions"])[0]["suppressed"], true);
    assert_eq!(server.copies().len(), copies.len());

    outbox(&workspace, &["lift", &address]);
    let listed = json_of(&workspace, &["suppressions"]);
    assert_eq!(
        (listed[0]["suppressed"].as_bool(), listed[0]["permanent"].as_u64()),
        (Some(false), Some(1))
    );
    outbox(&workspace, &["resend", &key]);
    workspace.ok(&["outbox", "send"]);
    assert_eq!(server.copies().len(), copies.len() + 1);

    // it comes back again; now the contact is delivered anew
    workspace.write("bounces/5.eml", &report(&id, &address, "5.7.1", "failed"));
    workspace.ok(&["outbox", "send"]);
    assert_eq!(json_of(&workspace, &["suppressions"])[0]["suppressed"], true);
    let partner = listed[0]["partners"][0].as_str().expect("a partner");
    let row = format!("{partner},{address},owner,New Name,en,scorecard,2026-02-01,\n");
    workspace.write("sample_data/reference/contacts-9.csv", &format!("{CONTACTS}{row}"));
    workspace.ok(&["run"]);
    let listed = json_of(&workspace, &["suppressions"]);
    assert_eq!(listed[0]["freed"], "its contact was delivered anew", "{listed}");
    // what may pass is counted and nothing else
    workspace.write("bounces/6.eml", &report(&id, &address, "4.4.7", "failed"));
    workspace.ok(&["outbox", "send"]);
    let listed = json_of(&workspace, &["suppressions"]);
    assert_eq!(
        (listed[0]["suppressed"].as_bool(), listed[0]["temporary"].as_u64()),
        (Some(false), Some(1))
    );
    workspace.ok(&["verify"]);
}

#[test]
fn check_mail_tells_each_step_and_sends_nothing() {
    let server = Server::start(json!({ "tls": "starttls", "auth": true }));
    let workspace = Workspace::sample();
    let settings = |more: &str| {
        let text = format!(
            "mode = \"smtp\"\nfrom = \"scorecards@programme.example\"\nhost = \"localhost\"\nport = {}\n\
             hello_name = \"client.example\"\ntimeout_seconds = 2\n{more}",
            server.port
        );
        workspace.write("pipelines/mail.toml", &text);
    };
    let check = |arguments: &[&str]| {
        let mut command = workspace.command(&[&["--json", "check-mail"][..], arguments].concat());
        command
            .env("T_USER", "user")
            .env("T_SECRET", "secret")
            .env("T_WRONG", "wrong-canary");
        let ran = crate::support::workspace::ran(&command.output().expect("it runs"));
        let steps: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let told: Vec<String> = steps
            .as_array()
            .expect("steps")
            .iter()
            .map(|s| format!("{} {}", s["step"].as_str().expect("a step"), s["good"]))
            .collect();
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("canary"));
        (ran.code, told)
    };
    let trusted = format!(
        "ca_file = \"{}\"\nusername_env = \"T_USER\"\n",
        server.folder.path().join("ca.pem").display()
    );
    settings(&format!("{trusted}password_env = \"T_SECRET\"\n"));
    let good = [
        "name true",
        "connection true",
        "TLS true",
        "authentication true",
        "limits true",
        "sender true",
    ];
    assert_eq!(check(&[]), (0, good.map(str::to_owned).to_vec()));
    let (code, told) = check(&["--to", "someone@one.example"]);
    assert_eq!((code, told.last().map(String::as_str)), (0, Some("recipient true")));
    settings(&format!("{trusted}password_env = \"T_WRONG\"\n"));
    assert_eq!(
        check(&[]),
        (6, vec!["name true".to_owned(), "authentication false".to_owned()])
    );
    settings("username_env = \"T_USER\"\npassword_env = \"T_SECRET\"\n");
    assert_eq!(check(&[]), (6, vec!["name true".to_owned(), "TLS false".to_owned()]));
    settings("username_env = \"T_USER\"\npassword_env = \"T_NONE\"\n");
    assert_eq!(
        check(&[]),
        (6, vec!["name true".to_owned(), "secrets false".to_owned()])
    );
    workspace.write("pipelines/mail.toml", "mode = \"folder\"\nfrom = \"a@b.example\"\n");
    assert_eq!(check(&[]), (0, vec!["folder true".to_owned()]));
    assert!(server.copies().is_empty());
}
