//! Returned mail: what a report of a failed delivery says.
//!
//! Duty: reports by RFC 3464 (`multipart/report` with a part for machines) → which message, which recipient, for good
//! or for now. Not its duty: mail that only says so in words, which is told apart and not guessed at; where reports
//! lie, and what follows from one.

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

/// What a mail turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returned {
    Report(DeliveryReport),
    /// Something else, and why it is none.
    Other(&'static str),
}

/// A report about one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Of the message that came back, with angle brackets.
    pub message_id: String,
    pub recipients: Vec<Reported>,
}

/// What a report says of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Addresses by which it may be known, the one that the message was sent to first.
    pub addresses: Vec<String>,
    pub fate: Fate,
    /// Status of RFC 3463, such as 5.1.1.
    pub status: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Refused for good (5.x.x).
    Permanent,
    /// Not delivered yet, or given up for a reason that may pass (4.x.x).
    Temporary,
    /// Delivered, relayed or expanded: nothing is wrong.
    Delivered,
}

/// Most recipients of one report that are read: a message has 50 at most.
const MAX_RECIPIENTS: usize = 200;

/// Reads a mail as a report.
#[must_use]
pub fn read(bytes: &[u8]) -> Returned {
    let Some(mail) = MessageParser::default().parse(bytes) else {
        return Returned::Other("is no mail");
    };
    let Some(status) = part(&mail, &["delivery-status", "global-delivery-status"]) else {
        return Returned::Other("is no delivery report that a program can read");
    };
    let Some(message_id) = returned_id(&mail) else {
        return Returned::Other("does not bring back the message that it is about");
    };
    let recipients = recipients(&String::from_utf8_lossy(status));
    if recipients.is_empty() {
        return Returned::Other("is a delivery report without a recipient");
    }
    Returned::Report(DeliveryReport { message_id, recipients })
}

/// The content of the first part of one of these subtypes of `message`.
fn part<'a>(mail: &'a Message<'_>, subtypes: &[&str]) -> Option<&'a [u8]> {
    let is_it = |kind: &mail_parser::ContentType<'_>| {
        kind.c_type.eq_ignore_ascii_case("message")
            && kind
                .c_subtype
                .as_deref()
                .is_some_and(|s| subtypes.iter().any(|wanted| s.eq_ignore_ascii_case(wanted)))
    };
    let found = mail.parts.iter().find(|p| p.content_type().is_some_and(is_it))?;
    Some(found.contents())
}

/// Message-ID of the message that came back: whole, or its headers only.
fn returned_id(mail: &Message<'_>) -> Option<String> {
    let bracketed = |id: &str| format!("<{id}>");
    for part in &mail.parts {
        let kind = part.content_type();
        let is = |c_type: &str, c_subtype: &str| {
            kind.is_some_and(|k| {
                k.c_type.eq_ignore_ascii_case(c_type)
                    && k.c_subtype
                        .as_deref()
                        .is_some_and(|s| s.eq_ignore_ascii_case(c_subtype))
            })
        };
        let found = match &part.body {
            PartType::Message(inner) => inner.message_id().map(bracketed),
            _ if is("text", "rfc822-headers") || is("message", "global-headers") || is("message", "rfc822") => {
                let inner = MessageParser::default().parse(part.contents());
                inner.as_ref().and_then(Message::message_id).map(bracketed)
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The groups of fields behind the first one, which is about the message as a whole.
fn recipients(text: &str) -> Vec<Reported> {
    let mut found = Vec::new();
    for group in groups(text).into_iter().take(MAX_RECIPIENTS + 1) {
        let field = |name: &str| {
            let field = group.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            field.map(|(_, value)| value.as_str())
        };
        // "rfc822; name@domain", and some servers leave the type out
        let address = |name: &str| {
            let value = field(name)?;
            let address = value.split_once(';').map_or(value, |(_, address)| address).trim();
            let address = address.trim_start_matches('<').trim_end_matches('>');
            address.contains('@').then(|| address.to_owned())
        };
        let addresses: Vec<String> = ["Original-Recipient", "Final-Recipient"]
            .into_iter()
            .filter_map(address)
            .collect();
        let Some(action) = field("Action").filter(|_| !addresses.is_empty()) else {
            continue;
        };
        let status = status(field("Status").unwrap_or_default());
        let action = action
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let fate = match action.as_str() {
            "failed" if status.starts_with('5') => Fate::Permanent,
            "failed" | "delayed" => Fate::Temporary,
            _ => Fate::Delivered,
        };
        found.push(Reported {
            addresses,
            fate,
            status,
        });
    }
    found
}

/// Fields of each group, folded lines joined.
fn groups(text: &str) -> Vec<Vec<(String, String)>> {
    let mut groups: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            groups.push(Vec::new());
        } else if let Some(group) = groups.last_mut() {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = group.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                group.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
    }
    groups
}

/// Three numbers with points; anything else is "unknown", so that no text of a stranger gets into a record.
fn status(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    let parts: Vec<&str> = first.split('.').collect();
    let is_number = |p: &&str| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
    if parts.len() == 3 && parts.iter().all(is_number) {
        first.to_owned()
    } else {
        "unknown".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTFIX: &str = "From: MAILER-DAEMON@mx.example\r\nTo: s@programme.example\r\nSubject: Undelivered\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"B\"\r\n\r\n\
        --B\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n\
        --B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\
        X-Postfix-Sender: rfc822; s@programme.example\r\n\r\n\
        Final-Recipient: rfc822; gone@one.example\r\nOriginal-Recipient: rfc822;Old@one.example\r\n\
        Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n    no such user\r\n\r\n\
        Final-Recipient: rfc822; late@one.example\r\nAction: delayed\r\nStatus: 4.4.1 (no answer)\r\n\r\n\
        Final-Recipient: full@one.example\r\nAction: failed\r\nStatus: 4.4.7\r\n\r\n\
        Final-Recipient: rfc822; fine@one.example\r\nAction: delivered\r\nStatus: 2.0.0\r\n\r\n\
        --B\r\nRETURNED\r\n\r\nMessage-ID: <key@programme.example>\r\nSubject: Scorecard\r\n\r\n--B--\r\n";

    fn report(kind: &str) -> Returned {
        read(POSTFIX.replace("RETURNED", &format!("Content-Type: {kind}")).as_bytes())
    }

    #[test]
    fn a_report_tells_message_recipients_and_fate() {
        for kind in ["message/rfc822", "text/rfc822-headers", "message/global-headers"] {
            let Returned::Report(report) = report(kind) else {
                panic!("{kind}: {:?}", report(kind))
            };
            assert_eq!(report.message_id, "<key@programme.example>", "{kind}");
            let told: Vec<(&str, Fate, &str)> = report
                .recipients
                .iter()
                .map(|r| (r.addresses[0].as_str(), r.fate, r.status.as_str()))
                .collect();
            assert_eq!(
                told,
                [
                    ("Old@one.example", Fate::Permanent, "5.1.1"),
                    ("late@one.example", Fate::Temporary, "4.4.1"),
                    ("full@one.example", Fate::Temporary, "4.4.7"),
                    ("fine@one.example", Fate::Delivered, "2.0.0"),
                ]
            );
            assert_eq!(report.recipients[0].addresses[1], "gone@one.example");
        }
    }

    #[test]
    fn what_is_no_report_is_not_guessed_at() {
        let plain = "From: a@b.example\r\nSubject: failure notice\r\n\r\n550 5.1.1 <x@one.example> unknown user\r\n";
        assert_eq!(
            read(plain.as_bytes()),
            Returned::Other("is no delivery report that a program can read")
        );
        assert_eq!(
            report("text/plain"),
            Returned::Other("does not bring back the message that it is about")
        );
        assert!(matches!(read(b""), Returned::Other(_)));
        assert!(matches!(read(&[0xff; 4000]), Returned::Other(_)));
        assert_eq!(status("5.1.1\u{1b}[31m"), "unknown");
    }
}
