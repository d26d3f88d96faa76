//! Encryption and authentication against a real server.
//!
//! Duty: what may go out in clear is a greeting and nothing else, whatever is wrong. Not its duty: outcomes of
//! messages.

use std::fs;

use serde_json::json;
use starledger::delivery::message::{Cause, Outcome};
use starledger::delivery::outbox::DeliveryState;
use starledger::edges::mail::{MailRoute, SmtpRoute};

use super::server::Server;
use super::{message, parcel, passes};

#[test]
fn tls_with_our_authority() {
    for (mode, tls) in [
        ("starttls", "required"),
        ("starttls", "opportunistic"),
        ("implicit", "implicit"),
    ] {
        let server = Server::start(json!({ "tls": mode }));
        let route = server.route(&format!("tls = \"{tls}\"\nca_file = \"ca.pem\"\n"));
        let (records, _) = passes(
            &route,
            &[message(1, &["a@one.example"]), message(2, &["b@one.example"])],
        );
        assert!(
            records.iter().all(|r| r.state == DeliveryState::Sent),
            "{tls}: {records:?}"
        );
        assert_eq!(server.copies().len(), 2);
        let clear: Vec<String> = server.commands().into_iter().filter(|c| c.ends_with('!')).collect();
        assert!(
            clear.iter().all(|c| c == "EHLO!" || c == "STARTTLS!"),
            "{tls}: {clear:?}"
        );
    }
}

/// Nothing but a greeting may have gone out in clear, and nothing was taken over.
fn check_nothing_in_clear(server: &Server, route: &SmtpRoute, expected: Cause) {
    let (records, reports) = passes(route, &[message(1, &["a@one.example"])]);
    assert_eq!(
        (records[0].state, records[0].refusals),
        (DeliveryState::Retry, 0),
        "{records:?}"
    );
    let stopped = reports[0].stopped.as_ref().unwrap();
    assert!(
        stopped.starts_with(expected.as_str()) && !stopped.contains("canary"),
        "{stopped}"
    );
    let commands = server.commands();
    assert!(
        commands
            .iter()
            .all(|c| ["EHLO!", "STARTTLS!", "EHLO", "AUTH"].contains(&c.as_str())),
        "{commands:?}"
    );
    assert!(server.copies().is_empty());
}

#[test]
fn a_wrong_certificate_is_refused_and_nothing_goes_in_clear() {
    for (mode, tls) in [
        ("starttls", "required"),
        ("starttls", "opportunistic"),
        ("implicit", "implicit"),
    ] {
        // an authority that nobody trusts
        let server = Server::start(json!({ "tls": mode }));
        check_nothing_in_clear(&server, &server.route(&format!("tls = \"{tls}\"\n")), Cause::Tls);
        // another authority than ours
        let other = Server::start(json!({}));
        let ca = fs::read(other.folder.path().join("ca.pem")).unwrap();
        fs::write(server.folder.path().join("other.pem"), ca).unwrap();
        check_nothing_in_clear(
            &server,
            &server.route(&format!("tls = \"{tls}\"\nca_file = \"other.pem\"\n")),
            Cause::Tls,
        );
        // our authority, and another host
        let server = Server::start(json!({ "tls": mode, "name": "elsewhere.example" }));
        check_nothing_in_clear(
            &server,
            &server.route(&format!("tls = \"{tls}\"\nca_file = \"ca.pem\"\n")),
            Cause::Tls,
        );
    }
    // STARTTLS is not offered, or has been stripped on the way
    let server = Server::start(json!({}));
    check_nothing_in_clear(
        &server,
        &server.route("tls = \"required\"\nca_file = \"ca.pem\"\n"),
        Cause::Tls,
    );
}

#[test]
fn authentication() {
    let server = Server::start(json!({ "tls": "starttls", "auth": true }));
    let login = |secret: &str| {
        format!("tls = \"required\"\nca_file = \"ca.pem\"\nusername_env = \"T_USER\"\npassword_env = \"{secret}\"\n")
    };
    check_nothing_in_clear(&server, &server.route(&login("T_WRONG")), Cause::Authentication);
    let (records, _) = passes(&server.route(&login("T_SECRET")), &[message(1, &["a@one.example"])]);
    assert_eq!((records[0].state, server.copies().len()), (DeliveryState::Sent, 1));
    // the password from a file
    fs::write(server.folder.path().join("secret"), "secret\n").unwrap();
    let file = "tls = \"required\"\nca_file = \"ca.pem\"\nusername_env = \"T_USER\"\npassword_file = \"secret\"\n";
    assert_eq!(
        server.route(file).deliver(&parcel(2, &message(2, &["b@one.example"]))),
        Outcome::Accepted { refused: vec![] }
    );
    // no encryption on offer: the password stays here
    let plain = Server::start(json!({ "auth": true }));
    let opportunistic = login("T_SECRET").replace("required", "opportunistic");
    check_nothing_in_clear(&plain, &plain.route(&opportunistic), Cause::Authentication);
    assert!(!plain.commands().contains(&"AUTH!".to_owned()));
}
