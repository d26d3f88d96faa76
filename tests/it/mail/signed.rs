//! Signatures, as a receiver verifies them.
//!
//! Duty: DKIM by a foreign verifier, over a real connection, attempt after attempt. Not its duty: forms of keys.

use std::fs;

use serde_json::{Value, json};
use starledger::delivery::message::{Cause, Outcome};
use starledger::edges::mail::{MailSettings, open};

use super::server::Server;
use super::{message, parcel};
use crate::support::python::script;

/// Makes a private key and prints what its owner publishes.
const MAKE: &str = "
import base64, pathlib, sys
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
kind, path = sys.argv[1:]
key = ed25519.Ed25519PrivateKey.generate() if kind == 'ed25519' else rsa.generate_private_key(65537, 2048)
form = s.PrivateFormat.TraditionalOpenSSL if kind == 'pkcs1' else s.PrivateFormat.PKCS8
pathlib.Path(path).write_bytes(key.private_bytes(s.Encoding.PEM, form, s.NoEncryption()))
if kind == 'ed25519':
    raw = key.public_key().public_bytes(s.Encoding.Raw, s.PublicFormat.Raw)
else:
    raw = key.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
print('v=DKIM1; k=' + ('ed25519' if kind == 'ed25519' else 'rsa') + '; p=' + base64.b64encode(raw).decode())
";

/// Verifies a file with dkimpy against a published key, as it is and with changes that must break it.
const VERIFY: &str = "
import json, sys, dkim
raw, record = open(sys.argv[1], 'rb').read(), sys.argv[2].encode()
asked = []
def dns(name, timeout=5):
    asked.append(name.decode())
    return record
def good(message):
    try:
        return dkim.verify(message, dnsfunc=dns)
    except dkim.DKIMException:
        return False
changes = {
    'subject': raw.replace(b'Subject: ', b'Subject: x', 1),
    'body': raw.replace(b'Grade', b'Grada', 1),
    'second_from': raw.replace(b'From: ', b'From: other@x.example\\r\\nFrom: ', 1),
    'second_to': b'To: other@x.example\\r\\n' + raw,
    'unsubscribe': raw.replace(b'MIME-Version', b'Reply-To: evil@x.example\\r\\nMIME-Version', 1),
}
folded = raw.replace(b'Subject: ', b'Subject:   ', 1).rstrip(b'\\r\\n') + b'\\r\\n\\r\\n\\r\\n'
print(json.dumps({
    'good': good(raw), 'passed_on': good(folded), 'asked': asked[0],
    'broken': {k: good(v) for k, v in changes.items() if v != raw},
    'longest': max(len(l) for l in raw.split(b'\\r\\n')),
}))
";

#[test]
fn a_receiver_verifies_the_signature_and_every_attempt_is_the_same() {
    for kind in ["pkcs8", "pkcs1", "ed25519"] {
        let server = Server::script(&["take", "drop-after-dot", "take"]);
        let folder = server.folder.path();
        let record = script(MAKE, &[kind, folder.join("dkim.pem").to_str().unwrap()]);
        let text = format!(
            "mode = \"smtp\"\nfrom = \"scorecards@programme.example\"\nhost = \"localhost\"\nport = {}\ntls = \"none\"\n\
             hello_name = \"client.example\"\ndkim_selector = \"s2026\"\ndkim_key_file = \"dkim.pem\"\n",
            server.port
        );
        let settings = MailSettings::read("mail.toml", &text).unwrap();
        let route = open(&settings, folder, &|_| None).unwrap();
        let message = message(1, &["a@one.example"]);
        assert!(matches!(route.deliver(&parcel(1, &message)), Outcome::Accepted { .. }));
        assert!(matches!(route.deliver(&parcel(1, &message)), Outcome::Unknown { .. }));
        assert!(matches!(route.deliver(&parcel(1, &message)), Outcome::Accepted { .. }));
        let copies = server.copies();
        assert_eq!(copies.len(), 3);
        assert!(
            copies.iter().all(|c| c.bytes == copies[0].bytes),
            "{kind}: attempts differ"
        );
        assert!(
            copies[0].bytes.ends_with(&message.bytes),
            "{kind}: more than a header was added"
        );

        let file = folder.join("signed.eml");
        fs::write(&file, &copies[0].bytes).unwrap();
        let said = script(VERIFY, &[file.to_str().unwrap(), record.trim()]);
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["good"], true, "{kind}: {said}");
        assert_eq!(said["passed_on"], true, "{kind}: {said}");
        assert_eq!(said["asked"], "s2026._domainkey.programme.example.");
        let broken = said["broken"].as_object().unwrap();
        assert!(
            broken.len() == 5 && broken.values().all(|v| v == false),
            "{kind}: {said}"
        );
        assert!(said["longest"].as_u64().unwrap() <= 78, "{said}");
    }
}

#[test]
fn nothing_goes_unsigned_by_accident() {
    let server = Server::start(json!({}));
    let folder = server.folder.path();
    fs::write(
        folder.join("dkim.pem"),
        "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n",
    )
    .unwrap();
    let text = format!(
        "mode = \"smtp\"\nfrom = \"scorecards@programme.example\"\nhost = \"localhost\"\nport = {}\ntls = \"none\"\n\
         dkim_selector = \"s2026\"\ndkim_key_file = \"dkim.pem\"\n",
        server.port
    );
    let settings = MailSettings::read("mail.toml", &text).unwrap();
    let error = open(&settings, folder, &|_| None)
        .err()
        .expect("no route without a key")
        .to_string();
    assert!(error.contains("no private key") && !error.contains("canary"), "{error}");

    // a message without a date cannot be signed: it waits, and the pass ends
    script(MAKE, &["ed25519", folder.join("dkim.pem").to_str().unwrap()]);
    let route = open(&settings, folder, &|_| None).unwrap();
    let mut message = message(1, &["a@one.example"]);
    message.bytes = b"Subject: x\r\n\r\nbody\r\n".to_vec();
    let outcome = route.deliver(&parcel(1, &message));
    assert!(
        matches!(
            outcome,
            Outcome::Unreachable {
                cause: Cause::Signature,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert!(server.copies().is_empty());
}
