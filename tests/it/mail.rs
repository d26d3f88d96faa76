//! The mail edge against a real SMTP server, and one suite for every route.
//!
//! Duty: what a server can do to a message (faults 87 to 92), seen from both ends: the delivery log here, the copies
//! taken over there. Not its duty: the state machine itself, which has unit tests.

mod desk;
mod isolated;
pub mod isolated_documents;
mod kills;
mod postfix;
mod server;
mod signed;
mod tls;
mod whole_run;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use starledger::delivery::dispatch::{Content, Item};
use starledger::delivery::log;
use starledger::delivery::message::{Cause, Outcome, Parcel, Recipient, Refusal};
use starledger::delivery::outbox::{DeliveryRecord, DeliveryState, RecipientState};
use starledger::delivery::{Composed, Limits, Outgoing, Report, RetryPolicy, compose, dispatch};
use starledger::domain::Instant;
use starledger::edges::mail::fake::{FakeRoute, Script};
use starledger::edges::mail::{FolderRoute, MailRoute, MailSettings, open};

use server::Server;

fn message(number: usize, to: &[&str]) -> Composed {
    let recipients: Vec<Recipient> = to.iter().map(|a| Recipient::new(Some("Ana Díaz"), a)).collect();
    compose(&Outgoing {
        from: &Recipient::new(Some("Partner Programme"), "scorecards@programme.example"),
        reply_to: Some(&Recipient::new(None, "desk@programme.example")),
        recipients: &recipients,
        subject: "Scorecard 2026-Q3: grade B, 85.06 (−3.15)",
        text: "Grade: B\n.\n..two dots\nΔ = −3.15\n",
        html: "<p>Grade: <b>B</b> − 85.06</p>\n",
        inline: &[],
        attachments: &[],
        message_key: &format!("scorecard-2026-q3-p-{number:04}-0123456789abcdef"),
        date: Instant::parse("2026-10-12T06:00:00Z").unwrap(),
    })
    .unwrap()
}

fn parcel(sequence: u64, message: &Composed) -> Parcel<'_> {
    let key = message.message_id.trim_start_matches('<').split('@').next().unwrap();
    Parcel {
        sequence,
        message_key: key,
        message_id: &message.message_id,
        envelope: &message.envelope,
        bytes: &message.bytes,
    }
}

/// What every route does: it takes messages over as they are, and the same one again without harm.
fn suite(route: &dyn MailRoute, taken: &dyn Fn() -> Vec<Vec<u8>>) {
    let (first, second) = (
        message(1, &["a@one.example", "b@one.example"]),
        message(2, &["c@two.example"]),
    );
    let accepted = Outcome::Accepted { refused: vec![] };
    assert_eq!(route.deliver(&parcel(1, &first)), accepted);
    assert_eq!(route.deliver(&parcel(2, &second)), accepted);
    assert_eq!(taken(), [first.bytes.clone(), second.bytes.clone()]);
    assert_eq!(route.deliver(&parcel(1, &first)), accepted);
    let mut distinct = taken();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 2, "the same parcel is the same bytes");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn every_route_passes_the_same_suite() {
    let fake = FakeRoute::default();
    suite(&fake, &|| fake.taken().into_iter().map(|t| t.bytes).collect());

    let workspace = tempfile::tempdir().unwrap();
    let settings = MailSettings::read(
        "mail.toml",
        "mode = \"folder\"\nfrom = \"a@b.example\"\nfolder = \"out/mail\"",
    )
    .unwrap();
    let folder = open(&settings, workspace.path(), &|_| None).unwrap();
    suite(folder.as_ref(), &|| {
        files(&workspace.path().join("out/mail"))
            .iter()
            .map(|f| fs::read(f).unwrap())
            .collect()
    });

    let server = Server::start(json!({}));
    suite(&server.route(""), &|| {
        server.copies().into_iter().map(|c| c.bytes).collect()
    });
    // one connection serves the whole run
    assert_eq!(server.commands().iter().filter(|c| c.starts_with("EHLO")).count(), 1);
}

#[test]
fn a_folder_never_overwrites_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let route = FolderRoute::new(folder.path());
    let message = message(1, &["a@one.example"]);
    let name = "000007-scorecard-2026-q3-p-0001-0123456789abcdef.eml";
    fs::write(folder.path().join(format!(".{name}.part")), "left by a killed run").unwrap();
    assert_eq!(
        route.deliver(&parcel(7, &message)),
        Outcome::Accepted { refused: vec![] }
    );
    assert_eq!(files(folder.path()), [folder.path().join(name)]);
    fs::write(folder.path().join(name), "something else").unwrap();
    assert!(matches!(
        route.deliver(&parcel(7, &message)),
        Outcome::Permanent { code: None, .. }
    ));
    assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"something else");
    let nowhere = FolderRoute::new(folder.path().join(name));
    assert!(matches!(
        nowhere.deliver(&parcel(7, &message)),
        Outcome::Unreachable {
            cause: Cause::Storage,
            ..
        }
    ));
}

/// Passes of the dispatcher an hour apart, until all is done or five are over; the log and the reports.
fn passes(route: &dyn MailRoute, messages: &[Composed]) -> (Vec<DeliveryRecord>, Vec<Report>) {
    let log = Connection::open_in_memory().unwrap();
    log::prepare(&log).unwrap();
    let items: Vec<Item> = messages
        .iter()
        .enumerate()
        .map(|(i, m)| {
            let parcel = parcel(i as u64 + 1, m);
            Item {
                sequence: parcel.sequence,
                partner_id: format!("P-{i}"),
                message_key: parcel.message_key.to_owned(),
                message_id: m.message_id.clone(),
            }
        })
        .collect();
    let limits = Limits {
        policy: RetryPolicy {
            pauses_seconds: vec![60],
            max_refusals: 4,
        },
        max_per_run: 100,
        at_once: false,
    };
    let mut reports = Vec::new();
    for hour in 0..5i64 {
        let now = move || Instant::from_micros(hour * 3_600_000_000);
        let load = |item: &Item| {
            let message = &messages[usize::try_from(item.sequence).unwrap() - 1];
            Ok(Content {
                envelope: message.envelope.clone(),
                bytes: message.bytes.clone(),
            })
        };
        let report = dispatch(&log, &items, &limits, &now, &load, &mut |p| route.deliver(p)).unwrap();
        let done = report.waiting + report.left == 0;
        reports.push(report);
        if done {
            break;
        }
    }
    let records = items
        .iter()
        .map(|i| log::load(&log, &i.message_key).unwrap().unwrap())
        .collect();
    (records, reports)
}

/// One message to one recipient through a scripted server: state, attempts, unknown outcomes, copies taken over.
fn check(script: &[&str], expected: (DeliveryState, u32, u32, usize)) {
    let server = Server::script(script);
    let message = message(1, &["a@one.example"]);
    let (records, reports) = passes(&server.route("timeout_seconds = 1\n"), std::slice::from_ref(&message));
    let (record, copies) = (&records[0], server.copies());
    let seen = (record.state, record.attempts, record.unknown_outcomes, copies.len());
    assert_eq!(seen, expected, "{script:?}: {record:?} {reports:?}");
    assert_eq!(reports.iter().map(|r| r.unknown_outcomes).sum::<u32>(), expected.2);
    for copy in copies {
        assert_eq!(
            copy.bytes, message.bytes,
            "{script:?}: every copy is the same, with the same Message-ID"
        );
    }
    if let Some(error) = &record.last_error {
        assert!(!error.contains("one.example"), "{error}");
    }
}

#[test]
fn one_copy_whatever_the_server_does() {
    use DeliveryState::{Failed, Sent};
    check(&[], (Sent, 1, 0, 1));
    check(&["mail-4xx"], (Sent, 2, 0, 1));
    check(&["data-4xx", "mail-4xx"], (Sent, 3, 0, 1));
    check(&["close-421"], (Sent, 2, 0, 1));
    // a sender that is not let in is nobody's message: it waits, and goes when that is put right
    check(&["mail-5xx"], (Sent, 2, 0, 1));
    check(&["data-5xx"], (Failed, 1, 0, 0));
    check(&["rcpt-all"], (Failed, 1, 0, 0));
    check(&["drop-before-data"], (Sent, 2, 0, 1));
    for step in ["hang", "hang-rcpt", "hang-data"] {
        check(&[step], (Sent, 2, 0, 1));
    }
    check(&["data-4xx", "data-4xx", "data-4xx", "data-4xx"], (Failed, 4, 0, 0));
}

#[test]
fn a_link_that_drops_after_the_final_dot_is_unknown_and_counted() {
    check(&["drop-after-dot"], (DeliveryState::Sent, 2, 1, 2));
    check(&["hang-after-dot"], (DeliveryState::Sent, 2, 1, 2));
}

#[test]
fn a_link_that_drops_within_the_message_is_retried() {
    let server = Server::script(&["drop-in-data"]);
    let route = server.route("");
    // large enough that it cannot all be on its way when the link drops
    let big = Composed {
        bytes: [
            &message(1, &["a@one.example"]).bytes[..],
            &b"line of some length\r\n".repeat(800_000),
        ]
        .concat(),
        ..message(1, &["a@one.example"])
    };
    let outcome = route.deliver(&parcel(1, &big));
    assert!(matches!(outcome, Outcome::Transient { code: None, .. }), "{outcome:?}");
    // a small one may be out before the break is seen: then it is unknown, never lost
    let server = Server::script(&["drop-in-data"]);
    let (records, _) = passes(&server.route(""), &[message(1, &["a@one.example"])]);
    assert_eq!(
        (records[0].state, records[0].attempts, server.copies().len()),
        (DeliveryState::Sent, 2, 1)
    );
}

#[test]
fn a_message_over_the_size_limit_is_refused_for_good() {
    let server = Server::start(json!({ "size": 600 }));
    let (records, _) = passes(&server.route(""), &[message(1, &["a@one.example"])]);
    assert_eq!((records[0].state, records[0].attempts), (DeliveryState::Failed, 1));
    assert!(
        records[0].last_error.as_ref().unwrap().starts_with("552"),
        "{:?}",
        records[0].last_error
    );
    assert!(server.copies().is_empty());
}

#[test]
fn one_recipient_refused_and_the_others_served() {
    let server = Server::script(&["rcpt-some"]);
    let message = message(
        1,
        &[
            "a@one.example",
            "gone@one.example",
            "later@one.example",
            "b@one.example",
        ],
    );
    let (records, reports) = passes(&server.route(""), &[message]);
    let record = &records[0];
    let accepted = RecipientState::Accepted;
    assert_eq!(
        record.recipients,
        [accepted, RecipientState::Refused(550), accepted, accepted]
    );
    assert_eq!((record.state, record.attempts), (DeliveryState::Sent, 2));
    let to: Vec<Vec<String>> = server.copies().into_iter().map(|c| c.to).collect();
    assert_eq!(to, [vec!["a@one.example", "b@one.example"], vec!["later@one.example"]]);
    assert_eq!(reports[1].refused_recipients, 1);
    let problems = format!("{:?}", reports[0].problems);
    assert!(
        problems.contains("2 of 4 recipients refused: 550 ") && !problems.contains("gone"),
        "{problems}"
    );
}

#[test]
fn a_server_that_is_not_there_is_retried_later() {
    let mut server = Server::start(json!({}));
    server.port = Server::start(json!({})).port;
    let outcome = server.route("").deliver(&parcel(1, &message(1, &["a@one.example"])));
    assert!(
        matches!(
            outcome,
            Outcome::Unreachable {
                cause: Cause::Connection,
                ..
            }
        ),
        "{outcome:?}"
    );
}

#[test]
fn a_server_that_never_speaks_costs_one_time_out() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut server = Server::start(json!({}));
    server.port = silent.local_addr().unwrap().port().into();
    let started = std::time::Instant::now();
    let outcome = server
        .route("timeout_seconds = 1\n")
        .deliver(&parcel(1, &message(1, &["a@one.example"])));
    assert!(
        matches!(
            outcome,
            Outcome::Unreachable {
                cause: Cause::Connection,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[test]
fn python_finds_no_defect_in_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("smtp_server.py");
    fs::write(&program, server::PROGRAM).unwrap();
    let parse = |message: &Composed| -> Value {
        let file = folder.path().join("message.eml");
        fs::write(&file, &message.bytes).unwrap();
        let output = Command::new(crate::support::python())
            .arg(&program)
            .arg("parse")
            .arg(&file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let read = parse(&message(1, &["a@one.example", "b@one.example"]));
    assert_eq!(read["defects"], json!([]));
    assert_eq!(read["type"], "multipart/alternative");
    assert_eq!(read["subject"], "Scorecard 2026-Q3: grade B, 85.06 (−3.15)");
    assert_eq!(
        read["from"],
        json!([["Partner Programme", "scorecards@programme.example"]])
    );
    assert_eq!(
        read["to"],
        json!([["Ana Díaz", "a@one.example"], ["Ana Díaz", "b@one.example"]])
    );
    assert_eq!(read["reply_to"], json!([["", "desk@programme.example"]]));
    assert_eq!(
        read["message_id"],
        "<scorecard-2026-q3-p-0001-0123456789abcdef@programme.example>"
    );
    assert_eq!(read["date"], "2026-10-12T06:00:00+00:00");
    assert_eq!(read["auto"], "auto-generated");
    assert_eq!(read["text"], "Grade: B\n.\n..two dots\nΔ = −3.15\n");
    assert_eq!(read["html"], "<p>Grade: <b>B</b> − 85.06</p>\n");
    assert!(read["longest_line"].as_u64().unwrap() <= 78);

    // names and subjects that look like syntax come out as they went in
    for text in [
        "=?utf-8?q?x?=",
        "a, b <c@d.example>",
        "\"quoted\" \\ (comment)",
        "ä=?",
        &"long word ".repeat(20),
        &"Ü".repeat(120),
    ] {
        let text = text.trim();
        let from = Recipient::new(Some("Programme"), "scorecards@programme.example");
        let to = [Recipient::new(Some(text), "a@one.example")];
        let date = Instant::parse("2026-10-12T06:00:00Z").unwrap();
        let outgoing = Outgoing {
            from: &from,
            reply_to: None,
            recipients: &to,
            subject: text,
            text: "t\n",
            html: "<p>h</p>\n",
            inline: &[],
            attachments: &[],
            message_key: "k",
            date,
        };
        let read = parse(&compose(&outgoing).unwrap());
        assert_eq!(read["subject"].as_str(), Some(text));
        // Python keeps the blank between two encoded words of a name, which the standard says to drop
        let name = read["to"][0][0].as_str().unwrap();
        assert!(
            name == text || name.replace(' ', "") == text && !text.is_ascii(),
            "{name}"
        );
        assert_eq!(read["defects"], json!([]));
    }
}

#[test]
fn the_fake_tells_the_same_outcomes() {
    let refused = vec![Refusal {
        position: 0,
        code: 450,
        text: "later".into(),
    }];
    let fake = FakeRoute::new([
        Script::Answer(Outcome::Transient {
            code: Some(451),
            text: "busy".into(),
        }),
        Script::TakeAndAnswer(Outcome::Unknown { text: "dropped".into() }),
        Script::TakeAndAnswer(Outcome::Accepted { refused }),
    ]);
    let (records, reports) = passes(&fake, &[message(1, &["a@one.example", "b@one.example"])]);
    assert_eq!(
        (records[0].state, records[0].attempts, records[0].unknown_outcomes),
        (DeliveryState::Sent, 4, 1)
    );
    assert_eq!(reports.len(), 4);
    let to: Vec<usize> = fake.taken().iter().map(|t| t.to.len()).collect();
    assert_eq!(to, [2, 1, 1]);
}
