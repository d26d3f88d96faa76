//! Messages over SMTP.
//!
//! Duty: one connection that is kept for a run, TLS before anything that matters, every step under a time-out, and an
//! outcome that says what is known: in particular whether the whole message was out before the link broke. Not its
//! duty: trying again, order, bytes.
//!
//! The library's own `send` stops at the first refused recipient and cannot tell a link that broke within the message
//! from one that broke after it, so the steps are made here, one by one.

use std::cell::Cell;
use std::error::Error as _;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, CertificateStore, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use thiserror::Error;

use crate::delivery::message::{Cause, Envelope, Outcome, Parcel, Refusal, redact};

use super::MailRoute;
use super::check::Checked;
use super::settings::{SmtpSettings, TlsMode};

/// Bytes handed to the socket at once: small enough that a broken link is seen before the end of a message.
const CHUNK_BYTES: usize = 8 * 1024;

/// The route cannot be opened: settings that only turn out wrong with files and variables at hand.
#[derive(Debug, Error)]
pub enum RouteError {
    #[error("cannot read {what} {path}")]
    File {
        what: &'static str,
        path: String,
        source: std::io::Error,
    },
    #[error("{path} is no certificate in PEM form")]
    Certificate { path: String },
    #[error("the environment variable {name} is not set: mail settings name it for the {what}")]
    Variable { name: String, what: &'static str },
    #[error("TLS cannot be set up for {host}: {reason}")]
    Tls { host: String, reason: String },
    #[error(transparent)]
    Key(#[from] super::KeyError),
}

/// A connection to one server, made when the first message comes and kept until it fails.
pub struct SmtpRoute {
    settings: SmtpSettings,
    tls: TlsParameters,
    credentials: Option<Credentials>,
    hello: ClientId,
    connection: Mutex<Option<SmtpConnection>>,
}

/// Without credentials and connection.
impl std::fmt::Debug for SmtpRoute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpRoute")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl SmtpRoute {
    /// Reads secrets and certificates; connects to nothing yet.
    pub fn open(
        settings: &SmtpSettings,
        workspace: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<SmtpRoute, RouteError> {
        Ok(SmtpRoute {
            tls: tls_parameters(settings, workspace)?,
            credentials: credentials(settings, workspace, environment)?,
            hello: settings
                .hello_name
                .clone()
                .map_or_else(ClientId::default, ClientId::Domain),
            settings: settings.clone(),
            connection: Mutex::new(None),
        })
    }

    /// Connects, encrypts and authenticates. Credentials never go over a link that is not encrypted.
    fn connect(&self) -> Result<SmtpConnection, (Cause, String)> {
        let settings = &self.settings;
        let timeout = Some(Duration::from_secs(settings.timeout_seconds.into()));
        let wrapped = (settings.tls == TlsMode::Implicit).then_some(&self.tls);
        let server = (settings.host.as_str(), settings.port);
        let mut connection = SmtpConnection::connect(server, timeout, &self.hello, wrapped, None).map_err(|e| {
            (
                if wrapped.is_some() && is_tls(&e) {
                    Cause::Tls
                } else {
                    Cause::Connection
                },
                words(&e),
            )
        })?;
        let offered = connection.can_starttls();
        match settings.tls {
            TlsMode::Required if !offered => {
                let _ = connection.quit();
                return Err((
                    Cause::Tls,
                    "the server does not offer STARTTLS, and the settings require it".to_owned(),
                ));
            }
            TlsMode::Required | TlsMode::Opportunistic if offered => {
                // a failed handshake is never answered by going on in clear
                connection
                    .starttls(&self.tls, &self.hello)
                    .map_err(|e| (Cause::Tls, words(&e)))?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            if !connection.is_encrypted() {
                let _ = connection.quit();
                return Err((
                    Cause::Authentication,
                    "the link is not encrypted: credentials are not sent".to_owned(),
                ));
            }
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection
                .auth(&mechanisms, credentials)
                .map_err(|e| (Cause::Authentication, words(&e)))?;
        }
        Ok(connection)
    }
}

impl SmtpRoute {
    /// Goes the whole way of a message up to where it would begin, and tells each step.
    pub(super) fn check(&self, from: &str, to: Option<&str>) -> Vec<Checked> {
        let settings = &self.settings;
        let place = format!("{}:{}", settings.host, settings.port);
        let mut connection = match self.connect() {
            Ok(connection) => connection,
            Err((cause, text)) => {
                let remedy = match cause {
                    Cause::Tls => {
                        "the certificate must be of a known authority (or of 'ca_file') and name the host; see 'tls'"
                    }
                    Cause::Authentication => "see 'username_env' and the password in pipelines/mail.toml",
                    _ => "see 'host', 'port' and 'tls' in pipelines/mail.toml, and whether a firewall is in between",
                };
                return vec![Checked::wrong(cause.as_str(), format!("{place}: {text}"), remedy)];
            }
        };
        let mut steps = vec![Checked::good("connection", format!("{place} answers"))];
        steps.push(if connection.is_encrypted() {
            Checked::good("TLS", "encrypted, and the certificate is right")
        } else {
            Checked::good("TLS", "in clear, as the settings allow")
        });
        if self.credentials.is_some() {
            steps.push(Checked::good("authentication", "accepted"));
        }
        let said = connection.command(Ehlo::new(self.hello.clone()));
        let lines: Vec<String> = said
            .map(|r| r.message().map(str::to_owned).collect())
            .unwrap_or_default();
        let size = lines.iter().find_map(|l| l.strip_prefix("SIZE "));
        steps.push(Checked::good(
            "limits",
            size.map_or_else(
                || "the server names no limit of size".to_owned(),
                |size| format!("messages of up to {size} bytes"),
            ),
        ));
        let envelope = Envelope {
            from: from.to_owned(),
            to: to.iter().map(|t| (*t).to_owned()).collect(),
        };
        steps.extend(ask(&mut connection, &envelope));
        let _ = connection.command("RSET\r\n");
        let _ = connection.quit();
        steps
    }
}

/// Asks for the sender, and for a recipient if there is one; nothing follows.
fn ask(connection: &mut SmtpConnection, envelope: &Envelope) -> Vec<Checked> {
    let mut steps = Vec::new();
    let said = |error: &Error| redact(&words(error), envelope);
    if let Ok(from) = envelope.from.parse::<Address>() {
        match connection.command(Mail::new(Some(from), Vec::new())) {
            Ok(_) => steps.push(Checked::good("sender", "accepted")),
            Err(e) => {
                let remedy = "the server must take mail of 'from': authenticate, or have the sender allowed";
                steps.push(Checked::wrong("sender", said(&e), remedy));
                return steps;
            }
        }
    }
    for address in &envelope.to {
        let asked = address
            .parse::<Address>()
            .map(|to| connection.command(Rcpt::new(to, Vec::new())));
        steps.push(match asked {
            Ok(Ok(_)) => Checked::good("recipient", "accepted"),
            Ok(Err(e)) => Checked::wrong(
                "recipient",
                said(&e),
                "correct the address, or have the server relay for it",
            ),
            Err(_) => Checked::wrong("recipient", "this is no address", "write it as name@domain.example"),
        });
    }
    steps
}

impl MailRoute for SmtpRoute {
    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        let clean = |text: String| redact(&text, parcel.envelope);
        let mut slot = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // a kept connection may have been closed by the server in the meantime, which says nothing about the message
        let kept = slot
            .take()
            .filter(|c| !c.has_broken())
            .and_then(|mut c| c.test_connected().then_some(c));
        let mut connection = match kept.map_or_else(|| self.connect(), Ok) {
            Ok(connection) => connection,
            Err((cause, text)) => {
                return Outcome::Unreachable {
                    cause,
                    text: clean(text),
                };
            }
        };
        let (outcome, usable) = transact(&mut connection, parcel);
        // one that broke or hangs is dropped without a farewell, which would only wait for another time-out
        if usable {
            *slot = Some(connection);
        }
        outcome
    }
}

impl Drop for SmtpRoute {
    fn drop(&mut self) {
        let slot = self.connection.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = slot {
            let _ = connection.quit();
        }
    }
}

/// One mail transaction; and whether the connection can serve another one.
fn transact(connection: &mut SmtpConnection, parcel: &Parcel<'_>) -> (Outcome, bool) {
    let envelope = parcel.envelope;
    let Ok(from) = envelope.from.parse::<Address>() else {
        return (
            Outcome::Permanent {
                code: None,
                text: "the sender is no address".to_owned(),
            },
            true,
        );
    };
    if let Err(error) = connection.command(Mail::new(Some(from), Vec::new())) {
        return match status(&error) {
            // whoever is not let in, or may not send as this sender, gets the same answer for every message
            Some(code) if code >= 500 && code != 552 => (
                Outcome::Unreachable {
                    cause: Cause::Sender,
                    text: redact(&words(&error), envelope),
                },
                reset(connection),
            ),
            _ => before_the_message(connection, envelope, &error),
        };
    }
    let mut refused = Vec::new();
    for (position, address) in envelope.to.iter().enumerate() {
        let refusal = |code, text: &str| Refusal {
            position,
            code,
            text: redact(text, envelope),
        };
        let Ok(to) = address.parse::<Address>() else {
            refused.push(refusal(553, "this is no address"));
            continue;
        };
        if let Err(error) = connection.command(Rcpt::new(to, Vec::new())) {
            match status(&error) {
                // 421: the server closes the connection, whatever it was asked
                Some(code) if code != 421 => refused.push(refusal(code, &words(&error))),
                _ => return before_the_message(connection, envelope, &error),
            }
        }
    }
    if refused.len() == envelope.to.len() {
        let usable = reset(connection);
        return (Outcome::Refused { refused }, usable);
    }
    if let Err(error) = connection.command(Data) {
        return before_the_message(connection, envelope, &error);
    }
    message(connection, parcel, refused)
}

/// The message itself. Once the last chunk has been asked for, only the final dot and the answer remain: what breaks
/// from there on leaves the outcome unknown.
fn message(connection: &mut SmtpConnection, parcel: &Parcel<'_>, refused: Vec<Refusal>) -> (Outcome, bool) {
    let complete = Cell::new(false);
    // the library ends the message with a line break of its own
    let bytes = parcel.bytes.strip_suffix(b"\r\n").unwrap_or(parcel.bytes);
    let chunks = bytes.chunks(CHUNK_BYTES).map(Some).chain([None]).map_while(|chunk| {
        complete.set(chunk.is_none());
        chunk
    });
    let Err(error) = connection.message_iter(chunks) else {
        return (Outcome::Accepted { refused }, true);
    };
    let text = redact(&words(&error), parcel.envelope);
    match status(&error) {
        Some(code) if code >= 500 => (Outcome::Permanent { code: Some(code), text }, true),
        Some(code) => (Outcome::Transient { code: Some(code), text }, code != 421),
        None if complete.get() => (Outcome::Unknown { text }, false),
        None => (Outcome::Transient { code: None, text }, false),
    }
}

/// An answer or a break before any byte of the message: it was not taken over.
fn before_the_message(connection: &mut SmtpConnection, envelope: &Envelope, error: &Error) -> (Outcome, bool) {
    let text = redact(&words(error), envelope);
    match status(error) {
        Some(code) if code >= 500 => (Outcome::Permanent { code: Some(code), text }, reset(connection)),
        Some(421) => (Outcome::Transient { code: Some(421), text }, false),
        Some(code) => (Outcome::Transient { code: Some(code), text }, reset(connection)),
        None => (Outcome::Transient { code: None, text }, false),
    }
}

/// Takes the server back to where a transaction begins; whether it went there.
fn reset(connection: &mut SmtpConnection) -> bool {
    connection.command("RSET\r\n").is_ok()
}

/// The code of a refusal; `None` when no answer came.
fn status(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

/// An error with its causes, once each.
fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Whether an error comes from the handshake: the library reports those of a wrapped connection as network errors.
fn is_tls(error: &Error) -> bool {
    let text = words(error).to_ascii_lowercase();
    error.is_tls()
        || ["certificate", "handshake", "tls", "alert", "corrupt message"]
            .iter()
            .any(|w| text.contains(w))
}

fn tls_parameters(settings: &SmtpSettings, workspace: &Path) -> Result<TlsParameters, RouteError> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.ca_file {
        let pem = read(workspace, file, "the certificate authority file")?;
        let certificate = Certificate::from_pem(&pem).map_err(|_| RouteError::Certificate { path: file.clone() })?;
        // exactly this authority is trusted, not the bundled ones as well
        builder = builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(certificate);
    }
    builder.build().map_err(|e| RouteError::Tls {
        host: settings.host.clone(),
        reason: words(&e),
    })
}

fn credentials(
    settings: &SmtpSettings,
    workspace: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Credentials>, RouteError> {
    let Some(name) = &settings.username_env else {
        return Ok(None);
    };
    let variable = |name: &str, what| {
        environment(name)
            .filter(|v| !v.is_empty())
            .ok_or_else(|| RouteError::Variable {
                name: name.to_owned(),
                what,
            })
    };
    let username = variable(name, "user name")?;
    let password = match (&settings.password_env, &settings.password_file) {
        (Some(name), _) => variable(name, "password")?,
        (None, Some(file)) => {
            let bytes = read(workspace, file, "the password file")?;
            String::from_utf8_lossy(&bytes)
                .trim_end_matches(['\r', '\n'])
                .to_owned()
        }
        (None, None) => String::new(),
    };
    Ok(Some(Credentials::new(username, password)))
}

fn read(workspace: &Path, file: &str, what: &'static str) -> Result<Vec<u8>, RouteError> {
    fs::read(workspace.join(file)).map_err(|source| RouteError::File {
        what,
        path: file.to_owned(),
        source,
    })
}
