//! The parts of a message.
//!
//! Duty: text and HTML as `multipart/alternative`, within `related` where the HTML shows pictures, within `mixed` where
//! files are attached; boundaries come from the key. Not its duty: headers, addresses (`compose`).

use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Attachment, Body, MultiPart, SinglePart};

use super::compose::{ComposeError, Outgoing};
use crate::domain::Digest;

/// A picture within a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inline {
    /// Content-ID, without its brackets.
    pub cid: String,
    pub png: Vec<u8>,
}

/// A file that goes with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosure {
    /// ASCII letters, digits, points, hyphens, underscores.
    pub file_name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

/// A name of a file or a picture that could be read as something else.
pub(super) fn odd_name<'a>(outgoing: &Outgoing<'a>) -> Option<&'a str> {
    let is_plain = |name: &str, more: &[char]| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c) || more.contains(&c);
        !name.is_empty() && name.len() <= 120 && name.chars().all(allowed) && !name.starts_with('.')
    };
    let files = outgoing.attachments.iter().map(|file| &file.file_name);
    let pictures = outgoing.inline.iter().map(|picture| &picture.cid);
    let odd_file = files.filter(|name| !is_plain(name, &[])).map(String::as_str).next();
    odd_file.or_else(|| pictures.filter(|cid| !is_plain(cid, &['@'])).map(String::as_str).next())
}

/// Text and HTML, with pictures and files around them.
pub(super) fn of(outgoing: &Outgoing<'_>) -> Result<MultiPart, ComposeError> {
    // quoted-printable escapes every '=', and base64 has no '_', so that a boundary with "=_" cannot occur in a part
    let boundary = |level: &str| {
        let seed = format!("{}{level}", outgoing.message_key);
        format!("=_{}", &Digest::of(seed.as_bytes()).to_string()[..32])
    };
    let part = |kind: ContentType, text: &str| {
        let unreadable = |_| ComposeError::Body {
            key: outgoing.message_key.to_owned(),
            part: "text or html",
        };
        let body =
            Body::new_with_encoding(text.to_owned(), ContentTransferEncoding::QuotedPrintable).map_err(unreadable)?;
        Ok(SinglePart::builder().header(kind).body(body))
    };
    let mut body = MultiPart::alternative()
        .boundary(boundary(""))
        .singlepart(part(ContentType::TEXT_PLAIN, outgoing.text)?)
        .singlepart(part(ContentType::TEXT_HTML, outgoing.html)?);
    let binary = |name: &str, bytes: &[u8]| {
        Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64).map_err(|_| ComposeError::FileName {
            key: outgoing.message_key.to_owned(),
            name: name.to_owned(),
        })
    };
    let media = |name: &str| {
        ContentType::parse(name).map_err(|e| ComposeError::Mail {
            key: outgoing.message_key.to_owned(),
            what: e.to_string(),
        })
    };
    if !outgoing.inline.is_empty() {
        body = MultiPart::related().boundary(boundary("related")).multipart(body);
        for picture in outgoing.inline {
            let content = binary(&picture.cid, &picture.png)?;
            body = body.singlepart(Attachment::new_inline(picture.cid.clone()).body(content, media("image/png")?));
        }
    }
    if !outgoing.attachments.is_empty() {
        body = MultiPart::mixed().boundary(boundary("mixed")).multipart(body);
        for file in outgoing.attachments {
            let content = binary(&file.file_name, &file.bytes)?;
            let attachment = Attachment::new(file.file_name.clone());
            body = body.singlepart(attachment.body(content, media(file.media_type)?));
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Recipient;
    use crate::delivery::compose::{Composed, compose};
    use crate::domain::Instant;

    fn outgoing<'a>(from: &'a Recipient, to: &'a [Recipient]) -> Outgoing<'a> {
        Outgoing {
            from,
            reply_to: None,
            recipients: to,
            subject: "s",
            text: "text\n",
            html: "<p>html</p>\n",
            inline: &[],
            attachments: &[],
            message_key: "statement-2026-q3-p-0017-0123456789abcdef",
            date: Instant::parse("2026-10-12T06:00:00Z").unwrap(),
        }
    }

    fn text(composed: &Composed) -> String {
        String::from_utf8(composed.bytes.clone()).unwrap()
    }

    #[test]
    fn pictures_and_files_stand_around_text_and_html() {
        let from = Recipient::new(Some("Programme"), "scorecards@programme.example");
        let to = [Recipient::new(None, "j@one.example")];
        let inline = [Inline {
            cid: "trend.0011@scorecard".to_owned(),
            png: b"\x89PNG".to_vec(),
        }];
        let attachments = [Enclosure {
            file_name: "statement-S-000001.pdf".to_owned(),
            media_type: "application/pdf",
            bytes: vec![7; 200],
        }];
        let outgoing = Outgoing {
            inline: &inline,
            attachments: &attachments,
            ..outgoing(&from, &to)
        };
        let composed = compose(&outgoing).unwrap();
        assert_eq!(composed, compose(&outgoing).unwrap());
        let text = text(&composed);
        let places: Vec<usize> = [
            "multipart/mixed",
            "multipart/related",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "Content-ID: <trend.0011@scorecard>\r\n",
            "Content-Disposition: attachment; filename=\"statement-S-000001.pdf\"\r\n",
        ]
        .iter()
        .map(|wanted| text.find(wanted).unwrap_or_else(|| panic!("no {wanted} in\n{text}")))
        .collect();
        assert!(places.is_sorted(), "{places:?}");
        assert!(text.is_ascii() && text.lines().all(|l| l.len() <= 78), "{text}");
        for name in ["", "a b.pdf", "a\r\nX: y", "../x", "\u{e4}.pdf", "a\".pdf"] {
            let attachments = [Enclosure {
                file_name: name.to_owned(),
                ..attachments[0].clone()
            }];
            let bad = Outgoing {
                attachments: &attachments,
                ..outgoing.clone()
            };
            assert!(matches!(compose(&bad), Err(ComposeError::FileName { .. })), "{name:?}");
        }
    }
}
