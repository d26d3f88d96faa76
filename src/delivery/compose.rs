//! The bytes of a message.
//!
//! Duty: headers and envelope around a body, the same bytes for the same input: date and Message-ID come from the input.
//! Control characters are refused before the library sees them: it panics on a line break in a name and loses a recipient
//! on NUL. Not its duty: the parts of a body (`body`), sending, and deciding who gets it.

use std::time::{Duration, SystemTime};

use lettre::message::Mailbox;
use lettre::message::header::{Date, HeaderName, HeaderValue, MessageId};
use thiserror::Error;

use crate::domain::hash::Hasher;
use crate::domain::ids::PartnerId;
use crate::domain::{Digest, Instant, Period};

use super::address::{AddressError, check_address, is_clean_name};
use super::body::{self, Enclosure, Inline};
use super::headers;
use super::message::{Envelope, Recipient};

/// Longest subject in characters.
const MAX_SUBJECT: usize = 300;

/// What a message is made of; one message is for one partner.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    pub from: &'a Recipient,
    pub reply_to: Option<&'a Recipient>,
    pub recipients: &'a [Recipient],
    pub subject: &'a str,
    pub text: &'a str,
    pub html: &'a str,
    /// Pictures that the HTML names by Content-ID.
    pub inline: &'a [Inline],
    pub attachments: &'a [Enclosure],
    /// See [`message_key`].
    pub message_key: &'a str,
    /// What the message is dated: the run's `as_of`.
    pub date: Instant,
}

/// A list that a message is one of, such as the digests of a region: readers sort by it and can leave it.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    /// Words for the list.
    pub name: &'a str,
    /// Letters, digits and hyphens; the domain of the sender follows.
    pub id: &'a str,
    /// Where a reader asks to be left out: a person reads there.
    pub leave: &'a Recipient,
}

/// A message as it goes out, at every attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// With its angle brackets.
    pub message_id: String,
    pub envelope: Envelope,
    pub bytes: Vec<u8>,
}

/// A message that cannot be composed. Texts hold no address and no name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ComposeError {
    #[error("message {key}: no recipient")]
    NoRecipient { key: String },
    #[error("message {key}: the address of {who} {why}")]
    Address {
        key: String,
        who: String,
        why: AddressError,
    },
    #[error("message {key}: the name of {who} holds a control or invisible character")]
    Name { key: String, who: String },
    #[error("message {key}: the subject is empty, over {MAX_SUBJECT} characters, or holds a control character")]
    Subject { key: String },
    #[error("message {key}: the {part} part is empty or holds a control character")]
    Body { key: String, part: &'static str },
    #[error("message {key}: '{name}' is no name of an attachment or a picture")]
    FileName { key: String, name: String },
    #[error("'{key}' is no message key: it has 1 to 120 letters, digits, points and hyphens")]
    Key { key: String },
    #[error("message {key}: '{id}' is no name of a list: it has 1 to 60 letters, digits and hyphens")]
    List { key: String, id: String },
    #[error("message {key}: its date {date} is not of the years 1970 to 9999")]
    Date { key: String, date: Instant },
    #[error("message {key}: {what}")]
    Mail { key: String, what: String },
}

/// The key of a message: what it is about, readable, and a hash over partner, period, kind and content. The same
/// content for the same partner is the same message, however often it is rendered.
#[must_use]
pub fn message_key(kind: &str, period: Period, partner: &PartnerId, content: Digest) -> String {
    key_of(kind, period, partner.as_str(), content)
}

/// The key of a message that goes to a reader among the programme's own people.
#[must_use]
pub fn reader_key(kind: &str, period: Period, reader: &str, content: Digest) -> String {
    // an id of a partner never has a colon
    key_of(kind, period, &format!("reader:{reader}"), content)
}

fn key_of(kind: &str, period: Period, about: &str, content: Digest) -> String {
    let mut hasher = Hasher::new();
    for field in [about, &period.to_string(), kind, &content.to_string()] {
        hasher.field(field.as_bytes());
    }
    let slug = |text: &str| -> String {
        let safe = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        };
        text.chars().take(40).map(safe).collect()
    };
    let hash = hasher.finish().to_string();
    format!(
        "{}-{}-{}-{}",
        slug(kind),
        period.to_string().to_ascii_lowercase(),
        slug(about.trim_start_matches("reader:")),
        &hash[..16]
    )
}

/// Whether a text can be a message key: safe in a Message-ID and as a file name.
#[must_use]
pub fn is_message_key(key: &str) -> bool {
    (1..=120).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        && !key.starts_with(['.', '-'])
        && !key.ends_with('.')
        && !key.contains("..")
}

/// Composes one message for one partner.
pub fn compose(outgoing: &Outgoing<'_>) -> Result<Composed, ComposeError> {
    compose_for(outgoing, None)
}

/// Composes one message of a list, with the headers by which a reader sorts and leaves it.
pub fn compose_listed(outgoing: &Outgoing<'_>, list: &List<'_>) -> Result<Composed, ComposeError> {
    compose_for(outgoing, Some(list))
}

fn compose_for(outgoing: &Outgoing<'_>, list: Option<&List<'_>>) -> Result<Composed, ComposeError> {
    check(outgoing)?;
    let key = outgoing.message_key;
    let mail = |what: &dyn std::fmt::Display| ComposeError::Mail {
        key: key.to_owned(),
        what: what.to_string(),
    };
    let plain = |address: &str| address.parse().map(|a| Mailbox::new(None, a)).map_err(|e| mail(&e));
    let domain = outgoing.from.address.rsplit('@').next().unwrap_or_default();
    let message_id = format!("<{key}@{domain}>");
    let mut builder = lettre::Message::builder()
        .header(date(outgoing)?)
        .from(plain(&outgoing.from.address)?)
        .header(MessageId::from(message_id.clone()));
    for recipient in outgoing.recipients {
        builder = builder.to(plain(&recipient.address)?);
    }
    if let Some(reply_to) = outgoing.reply_to {
        builder = builder.reply_to(plain(&reply_to.address)?);
    }
    let mut message = builder
        .subject("")
        .multipart(body::of(outgoing)?)
        .map_err(|e| mail(&e))?;
    // names and subject are encoded by ourselves: see `headers`
    let raw = message.headers_mut();
    let mut set = |name: &'static str, value: String| {
        let name = HeaderName::new_from_ascii_str(name);
        raw.insert_raw(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value));
    };
    let mailbox = |r: &Recipient| headers::mailbox(r.name.as_deref(), &r.address);
    set("From", mailbox(outgoing.from));
    set(
        "To",
        outgoing
            .recipients
            .iter()
            .map(mailbox)
            .collect::<Vec<_>>()
            .join(",\r\n "),
    );
    if let Some(reply_to) = outgoing.reply_to {
        set("Reply-To", mailbox(reply_to));
    }
    set("Subject", headers::unstructured(outgoing.subject, "Subject".len()));
    set("Auto-Submitted", "auto-generated".to_owned());
    // the header above asks programs not to answer; Exchange heeds only its own
    set("X-Auto-Response-Suppress", "OOF, AutoReply".to_owned());
    for (name, value) in list
        .map(|l| list_headers(outgoing, l))
        .transpose()?
        .into_iter()
        .flatten()
    {
        set(name, value);
    }
    let to = outgoing.recipients.iter().map(|r| r.address.clone()).collect();
    let envelope = Envelope {
        from: outgoing.from.address.clone(),
        to,
    };
    Ok(Composed {
        message_id,
        envelope,
        bytes: message.formatted(),
    })
}

/// `List-Id` (RFC 2919) and `List-Unsubscribe` (RFC 2369) of a list.
fn list_headers(outgoing: &Outgoing<'_>, list: &List<'_>) -> Result<[(&'static str, String); 2], ComposeError> {
    let key = || outgoing.message_key.to_owned();
    let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if !(1..=60).contains(&list.id.len()) || !list.id.bytes().all(letters) {
        let id = list.id.escape_debug().to_string();
        return Err(ComposeError::List { key: key(), id });
    }
    if !is_clean_name(list.name) {
        return Err(ComposeError::Name {
            key: key(),
            who: "the list".to_owned(),
        });
    }
    check_address(&list.leave.address).map_err(|why| ComposeError::Address {
        key: key(),
        who: "who takes readers off the list".to_owned(),
        why,
    })?;
    let domain = outgoing.from.address.rsplit('@').next().unwrap_or_default();
    let id = headers::mailbox(Some(list.name), &format!("{}.{domain}", list.id));
    Ok([
        ("List-Id", id),
        (
            "List-Unsubscribe",
            format!("\r\n <mailto:{}?subject=unsubscribe%20{}>", list.leave.address, list.id),
        ),
    ])
}

fn check(outgoing: &Outgoing<'_>) -> Result<(), ComposeError> {
    let key = outgoing.message_key.to_owned();
    if !is_message_key(&key) {
        return Err(ComposeError::Key { key });
    }
    if outgoing.recipients.is_empty() {
        return Err(ComposeError::NoRecipient { key });
    }
    let numbered = outgoing
        .recipients
        .iter()
        .enumerate()
        .map(|(i, r)| (format!("recipient {}", i + 1), r));
    let ours = [
        ("the sender".to_owned(), Some(outgoing.from)),
        ("the reply address".to_owned(), outgoing.reply_to),
    ];
    for (who, person) in ours.into_iter().filter_map(|(who, p)| Some((who, p?))).chain(numbered) {
        if let Err(why) = check_address(&person.address) {
            return Err(ComposeError::Address { key, who, why });
        }
        if person.name.as_deref().is_some_and(|n| !is_clean_name(n)) {
            return Err(ComposeError::Name { key, who });
        }
    }
    let subject = outgoing.subject;
    if subject.trim().is_empty() || subject.chars().count() > MAX_SUBJECT || !is_clean_name(subject) {
        return Err(ComposeError::Subject { key });
    }
    for (part, body) in [("text", outgoing.text), ("html", outgoing.html)] {
        // a line break and a tabulator are all that a part may hold
        let control = |c: char| c.is_control() && c != '\n' && c != '\t';
        if body.trim().is_empty() || body.chars().any(control) {
            return Err(ComposeError::Body { key, part });
        }
    }
    if let Some(name) = body::odd_name(outgoing) {
        let name = name.to_owned();
        return Err(ComposeError::FileName { key, name });
    }
    Ok(())
}

fn date(outgoing: &Outgoing<'_>) -> Result<Date, ComposeError> {
    let year = chrono::Datelike::year(&outgoing.date.utc());
    let micros = u64::try_from(outgoing.date.micros()).ok().filter(|_| year <= 9999);
    let micros = micros.ok_or_else(|| ComposeError::Date {
        key: outgoing.message_key.to_owned(),
        date: outgoing.date,
    })?;
    Ok(Date::new(SystemTime::UNIX_EPOCH + Duration::from_micros(micros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing<'a>(from: &'a Recipient, to: &'a [Recipient], subject: &'a str) -> Outgoing<'a> {
        Outgoing {
            from,
            reply_to: None,
            recipients: to,
            subject,
            text: "Grade: B\n.\nline\n",
            html: "<p>Grade: B = \u{e4}</p>\n",
            inline: &[],
            attachments: &[],
            message_key: "scorecard-2026-q3-p-0017-0123456789abcdef",
            date: Instant::parse("2026-10-12T06:00:00Z").unwrap(),
        }
    }

    fn sender() -> Recipient {
        Recipient::new(Some("Starledger"), "scorecards@programme.example")
    }

    fn text(composed: &Composed) -> String {
        String::from_utf8(composed.bytes.clone()).unwrap()
    }

    #[test]
    fn the_same_input_is_the_same_bytes() {
        let (from, to) = (
            sender(),
            [
                Recipient::new(Some("Jos\u{e9}"), "j@one.example"),
                Recipient::new(None, "k@one.example"),
            ],
        );
        let first = compose(&outgoing(&from, &to, "Grade B \u{2212}2")).unwrap();
        assert_eq!(first, compose(&outgoing(&from, &to, "Grade B \u{2212}2")).unwrap());
        let text = text(&first);
        for line in [
            "Date: Mon, 12 Oct 2026 06:00:00 +0000\r\n",
            "From: Starledger <scorecards@programme.example>\r\n",
            "To: =?utf-8?q?Jos=C3=A9?= <j@one.example>,\r\n k@one.example\r\n",
            "Subject: =?utf-8?q?Grade_B_=E2=88=922?=\r\n",
            "Message-ID: <scorecard-2026-q3-p-0017-0123456789abcdef@programme.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "X-Auto-Response-Suppress: OOF, AutoReply\r\n",
        ] {
            assert!(text.contains(line), "no {line:?} in\n{text}");
        }
        assert!(text.is_ascii() && !text.replace("\r\n", "").contains(['\r', '\n']));
        assert!(text.lines().all(|l| l.len() <= 78), "{text}");
        assert_eq!(first.envelope.to, ["j@one.example", "k@one.example"]);
    }

    #[test]
    fn a_list_can_be_sorted_by_and_left() {
        let (from, to) = (sender(), [Recipient::new(None, "k@one.example")]);
        let leave = Recipient::new(None, "desk@programme.example");
        let list = |id, name| List {
            id,
            name,
            leave: &leave,
        };
        let composed = compose_listed(&outgoing(&from, &to, "Digest"), &list("digest-emea", "Digest, EMEA")).unwrap();
        let text = text(&composed);
        for line in [
            "List-Id: \"Digest, EMEA\" <digest-emea.programme.example>\r\n",
            "List-Unsubscribe: \r\n <mailto:desk@programme.example?subject=unsubscribe%20digest-emea>\r\n",
        ] {
            assert!(text.contains(line), "no {line:?} in\n{text}");
        }
        for (id, name) in [("", "D"), ("a b", "D"), ("a>\r\nX: y", "D"), ("a", "D\r\nX: y")] {
            assert!(
                compose_listed(&outgoing(&from, &to, "Digest"), &list(id, name)).is_err(),
                "{id:?} {name:?}"
            );
        }
    }

    #[test]
    fn what_could_forge_a_header_is_refused() {
        let good = [Recipient::new(None, "a@one.example")];
        for name in ["A\r\nBcc: x@y.example", "A\0", "A\u{202e}B", "A\nB"] {
            let to = [Recipient::new(Some(name), "a@one.example")];
            assert!(
                matches!(compose(&outgoing(&sender(), &to, "s")), Err(ComposeError::Name { .. })),
                "{name:?}"
            );
        }
        for address in ["a@one.example\r\n", "a@\u{43e}ne.example", "a", "<a@one.example>"] {
            let to = [Recipient::new(None, address)];
            let error = compose(&outgoing(&sender(), &to, "s")).unwrap_err();
            assert!(
                matches!(error, ComposeError::Address { .. }) && !error.to_string().contains("one.example"),
                "{error}"
            );
        }
        for subject in ["", "a\r\nX: y", "a\0", "a\u{200b}"] {
            assert!(
                matches!(
                    compose(&outgoing(&sender(), &good, subject)),
                    Err(ComposeError::Subject { .. })
                ),
                "{subject:?}"
            );
        }
        assert!(matches!(
            compose(&outgoing(&sender(), &[], "s")),
            Err(ComposeError::NoRecipient { .. })
        ));
        let from = sender();
        let bell = Outgoing {
            text: "a\u{7}",
            ..outgoing(&from, &good, "s")
        };
        assert!(matches!(compose(&bell), Err(ComposeError::Body { .. })));
        for key in ["", "../x", "a b", "a/b", "a@b", ".x", "x."] {
            let bad = Outgoing {
                message_key: key,
                ..outgoing(&from, &good, "s")
            };
            assert!(matches!(compose(&bad), Err(ComposeError::Key { .. })), "{key}");
        }
    }

    #[test]
    fn keys_are_readable_safe_and_tell_contents_apart() {
        let period = Period::parse("2026-Q3").unwrap();
        let key = |partner: &str, content: &[u8]| {
            message_key(
                "scorecard",
                period,
                &PartnerId::new(partner).unwrap(),
                Digest::of(content),
            )
        };
        assert!(key("P/0017", b"x").starts_with("scorecard-2026-q3-p-0017-"));
        assert!(is_message_key(&key("P/0017", b"x")) && is_message_key(&key(&"\u{e4}".repeat(64), b"x")));
        assert_ne!(key("P/0017", b"x"), key("P-0017", b"x"));
        assert_ne!(key("P-0017", b"x"), key("P-0017", b"y"));
    }
}
