//! Signatures by DKIM (RFC 6376, RFC 8463).
//!
//! Duty: one `DKIM-Signature` before the bytes of a message, made from its bytes and the key alone. Not its duty: what
//! is sent, and publishing the key.
//!
//! A message is signed when it is handed over and not when it is composed. Its bytes are part of a release and are made
//! again by a rebuild, which must not need a secret, nor come to other bytes when the key has been changed. So that every
//! attempt is the same bytes all the same, the signature says the message's own date and not the time of the attempt,
//! and both algorithms are deterministic. The mail library's signer takes the time of the clock and RSA code that is not
//! safe against timing; the cryptography here is that of the TLS connections.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use thiserror::Error;

use crate::delivery::message::{Cause, Outcome, Parcel};

use super::MailRoute;
use super::settings::DkimSettings;

/// Headers that are signed, where a message has them. Each is named once more than it stands there, so that a second
/// one put in on the way breaks the signature.
const SIGNED: [&str; 13] = [
    "from",
    "to",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "auto-submitted",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
];

/// Longest line of the header.
const MAX_LINE: usize = 76;

/// A key that cannot be used. Nothing of the key is told.
#[derive(Debug, Error)]
pub enum KeyError {
    #[error("the environment variable {name} is not set: mail settings name it for the key of signatures")]
    Variable { name: String },
    #[error("cannot read the key of signatures {path}")]
    File { path: String, source: std::io::Error },
    #[error(
        "the key of signatures is no private key in PEM form, RSA of 2048 bits or more or Ed25519: make one with \
         `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`"
    )]
    Key,
}

enum Key {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Signs messages of one domain.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

/// Without the key.
impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("domain", &self.domain)
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads the key.
    pub fn open(
        settings: &DkimSettings,
        workspace: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Signer, KeyError> {
        let pem = match (&settings.key_env, &settings.key_file) {
            (Some(name), _) => environment(name)
                .filter(|v| !v.is_empty())
                .ok_or_else(|| KeyError::Variable { name: name.clone() })?
                .into_bytes(),
            (None, Some(file)) => fs::read(workspace.join(file)).map_err(|source| KeyError::File {
                path: file.clone(),
                source,
            })?,
            (None, None) => return Err(KeyError::Key),
        };
        Ok(Signer {
            domain: settings.domain.clone(),
            selector: settings.selector.clone(),
            key: key(&pem)?,
        })
    }

    /// The message with its signature before it.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let split = message
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .ok_or("it has no end of its headers")?;
        let head = std::str::from_utf8(&message[..split + 2]).map_err(|_| "its headers are no text")?;
        let headers = fields(head);
        let date = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("date"))
            .and_then(|(_, value)| DateTime::parse_from_rfc2822(value.trim()).ok())
            .ok_or("it has no date")?;
        let body = STANDARD.encode(digest(&SHA256, &relaxed_body(&message[split + 4..])));
        let present = |name: &&str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let names: Vec<&str> = SIGNED.into_iter().filter(present).flat_map(|n| [n, n]).collect();
        let algorithm = match &self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let unsigned = folded(&[
            "v=1;".to_owned(),
            format!("a={algorithm};"),
            "c=relaxed/relaxed;".to_owned(),
            format!("d={};", self.domain),
            format!("s={};", self.selector),
            format!("t={};", date.timestamp()),
            format!("h={};", names.join(":")),
            format!("bh={body};"),
            "b=".to_owned(),
        ]);
        let mut input = String::new();
        for name in SIGNED.iter().filter(|n| present(n)) {
            let found = headers.iter().rfind(|(n, _)| n.eq_ignore_ascii_case(name));
            if let Some((name, value)) = found {
                input.push_str(&relaxed_header(name, value));
                input.push_str("\r\n");
            }
        }
        input.push_str(&relaxed_header("dkim-signature", &unsigned));
        let signature = STANDARD.encode(self.signature(input.as_bytes())?);
        let mut out = format!("DKIM-Signature:{unsigned}").into_bytes();
        for line in signature.as_bytes().chunks(MAX_LINE - 1) {
            out.extend_from_slice(b"\r\n ");
            out.extend_from_slice(line);
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(message);
        Ok(out)
    }

    fn signature(&self, input: &[u8]) -> Result<Vec<u8>, String> {
        match &self.key {
            // by RFC 8463 the hash is signed, not the text
            Key::Ed25519(key) => Ok(key.sign(digest(&SHA256, input).as_ref()).as_ref().to_vec()),
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                // the random numbers only blind the computation: the signature is the same each time
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut signature)
                    .map_err(|_| "the key cannot sign")?;
                Ok(signature)
            }
        }
    }
}

fn key(pem: &[u8]) -> Result<Key, KeyError> {
    match PrivateKeyDer::from_pem_slice(pem).map_err(|_| KeyError::Key)? {
        PrivateKeyDer::Pkcs1(der) => {
            let pair = RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(|_| KeyError::Key)?;
            Ok(Key::Rsa(pair))
        }
        PrivateKeyDer::Pkcs8(der) => {
            let der = der.secret_pkcs8_der();
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                .map(Key::Ed25519)
                .or_else(|_| RsaKeyPair::from_pkcs8(der).map(Key::Rsa))
                .map_err(|_| KeyError::Key)
        }
        _ => Err(KeyError::Key),
    }
}

/// Names and values of the headers, folded as they are.
fn fields(head: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in head.split_inclusive("\r\n") {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    fields
}

/// A header in the relaxed form: name small, lines joined, blanks single, none at the ends.
fn relaxed_header(name: &str, value: &str) -> String {
    let words: Vec<&str> = value.split([' ', '\t', '\r', '\n']).filter(|w| !w.is_empty()).collect();
    format!("{}:{}", name.trim().to_ascii_lowercase(), words.join(" "))
}

/// A body in the relaxed form: blanks single and none at the end of a line, no empty lines at the end.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    let text = body.strip_suffix(b"\r\n").unwrap_or(body);
    for (i, line) in split_lines(text).enumerate() {
        if i > 0 {
            out.extend_from_slice(b"\r\n");
        }
        let mut blank = false;
        for byte in line {
            if matches!(byte, b' ' | b'\t') {
                blank = true;
                continue;
            }
            if blank {
                out.push(b' ');
                blank = false;
            }
            out.push(*byte);
        }
    }
    while out.ends_with(b"\r\n") {
        out.truncate(out.len() - 2);
    }
    if !out.is_empty() {
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn split_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let now = rest?;
        if let Some(at) = now.windows(2).position(|w| w == b"\r\n") {
            rest = Some(&now[at + 2..]);
            Some(&now[..at])
        } else {
            rest = None;
            Some(now)
        }
    })
}

/// Tags in lines, broken between them, and the list of headers between its names.
fn folded(tags: &[String]) -> String {
    let mut out = String::new();
    let mut line = "DKIM-Signature:".len();
    for tag in tags {
        for (i, piece) in tag.split_inclusive(':').enumerate() {
            let gap = usize::from(i == 0);
            if line + gap + piece.len() > MAX_LINE {
                out.push_str("\r\n ");
                line = 1;
            } else if gap == 1 {
                out.push(' ');
                line += 1;
            }
            out.push_str(piece);
            line += piece.len();
        }
    }
    out
}

/// Another route, whose messages are signed.
pub(super) struct Signed {
    pub(super) signer: Signer,
    pub(super) route: Box<dyn MailRoute>,
}

impl MailRoute for Signed {
    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        match self.signer.sign(parcel.bytes) {
            Ok(bytes) => self.route.deliver(&Parcel {
                bytes: &bytes,
                ..*parcel
            }),
            // the key, not the message, is at fault: nothing goes unsigned by accident
            Err(why) => Outcome::Unreachable {
                cause: Cause::Signature,
                text: format!("the message cannot be signed: {why}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relaxed_forms_of_the_standard() {
        // RFC 6376, 3.4.5
        assert_eq!(relaxed_header("A", " X\r\n"), "a:X");
        assert_eq!(relaxed_header("B ", " Y\t\r\n\tZ  \r\n"), "b:Y Z");
        assert_eq!(relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
        assert_eq!(relaxed_body(b""), b"");
        assert_eq!(relaxed_body(b"\r\n\r\n"), b"");
        assert_eq!(relaxed_body(b"a"), b"a\r\n");
    }

    #[test]
    fn a_key_that_is_none_says_nothing_of_itself() {
        let settings = DkimSettings {
            domain: "x.example".into(),
            selector: "s".into(),
            key_file: None,
            key_env: Some("K".into()),
        };
        let error = Signer::open(&settings, Path::new("."), &|_| Some("hunter2".into())).unwrap_err();
        assert!(matches!(error, KeyError::Key) && !error.to_string().contains("hunter2"));
        assert!(matches!(
            Signer::open(&settings, Path::new("."), &|_| None),
            Err(KeyError::Variable { .. })
        ));
    }
}
