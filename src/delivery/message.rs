//! The words that delivery and the mail edge share: an envelope, a parcel, and what became of it.
//!
//! Duty: plain values. Not its duty: anything else; this is all of delivery that the edge may know.

/// A person who gets a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recipient {
    pub address: String,
    pub name: Option<String>,
    /// BCP 47.
    pub language: Option<String>,
}

impl Recipient {
    #[must_use]
    pub fn new(name: Option<&str>, address: &str) -> Recipient {
        Recipient {
            address: address.to_owned(),
            name: name.map(str::to_owned),
            language: None,
        }
    }
}

/// Who a message is handed over for; not part of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub from: String,
    pub to: Vec<String>,
}

/// One message on its way out. The bytes are the same at every attempt.
#[derive(Clone, Copy, Debug)]
pub struct Parcel<'a> {
    /// Place in the order of the outbox.
    pub sequence: u64,
    pub message_key: &'a str,
    /// With its angle brackets.
    pub message_id: &'a str,
    /// The recipients that are still to be served.
    pub envelope: &'a Envelope,
    pub bytes: &'a [u8],
}

/// What became of one attempt. Texts hold no address: see [`redact`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Taken over for every recipient but those named.
    Accepted { refused: Vec<Refusal> },
    /// Every recipient was refused; nothing was taken over.
    Refused { refused: Vec<Refusal> },
    /// The message itself was refused for good (5xx, or another message has its place).
    Permanent { code: Option<u16>, text: String },
    /// Not now (4xx), or the link broke before the message was complete.
    Transient { code: Option<u16>, text: String },
    /// The message was out, and no answer came: it may have been taken over.
    Unknown { text: String },
    /// The server could not be used at all; nothing was said about the message.
    Unreachable { cause: Cause, text: String },
}

/// One recipient that a server does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Place in the envelope of the parcel.
    pub position: usize,
    pub code: u16,
    pub text: String,
}

impl Refusal {
    /// 5xx: asking again is no use.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.code >= 500
    }
}

/// Why a server cannot be used; each is for an operator to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Connection,
    Tls,
    Authentication,
    Storage,
    /// The key of signatures.
    Signature,
    /// The server does not take mail of the sender, whatever the message.
    Sender,
}

impl Cause {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Connection => "connection",
            Cause::Tls => "TLS",
            Cause::Authentication => "authentication",
            Cause::Storage => "storage",
            Cause::Signature => "signature",
            Cause::Sender => "sender",
        }
    }
}

/// Longest text of a server that is kept.
const MAX_TEXT: usize = 300;

/// A server's text fit for logs and tables: addresses and the names before their `@` replaced, control characters
/// made visible, cut at 300 characters. Personal data must not stand in the operations database.
#[must_use]
pub fn redact(text: &str, envelope: &Envelope) -> String {
    let locals: Vec<&str> = envelope
        .to
        .iter()
        .filter_map(|a| a.split_once('@'))
        .map(|(local, _)| local)
        .collect();
    let is_part = |c: char| c.is_alphanumeric() || "@._%+-!#$&'*/=?^`{|}~".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        if end == 0 {
            out.extend(first.escape_debug());
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let word = &rest[..end];
        let named = locals
            .iter()
            .any(|local| word.trim_end_matches(['.', '\'']).eq_ignore_ascii_case(local));
        out.push_str(if word.contains('@') || named { "[address]" } else { word });
        rest = &rest[end..];
    }
    if out.chars().count() > MAX_TEXT {
        out = out.chars().take(MAX_TEXT).collect();
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_servers_lose_addresses_and_control_characters() {
        let envelope = Envelope {
            from: "f@x.example".into(),
            to: vec!["ana.diaz@y.example".into()],
        };
        let check = |text: &str, expected: &str| assert_eq!(redact(text, &envelope), expected);
        check(
            "5.1.1 <ana.diaz@y.example>: no such user",
            "5.1.1 <[address]>: no such user",
        );
        check("Unknown user Ana.Diaz.", "Unknown user [address]");
        check("line\r\nforged \u{1b}[31m", "line\\r\\nforged \\u{1b}[31m");
        assert_eq!(redact(&"x ".repeat(400), &envelope).chars().count(), 301);
    }
}
