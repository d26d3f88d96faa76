//! Header values encoded by ourselves, so that text arrives as the text it is.
//!
//! Duty: encoded words (RFC 2047, Q encoding) and folding, for subjects and names. Needed because a text that looks
//! like an encoded word would otherwise be passed on and decoded by the reader. Not its duty: addresses.

/// Longest line of a header.
const MAX_LINE: usize = 76;

const PREFIX: &str = "=?utf-8?q?";
const SUFFIX: &str = "?=";

/// Plain text can stay as it is: printable ASCII, every word short enough for a line, not looking like an encoded word,
/// and with no blank at an end or twice in a row that folding could lose.
fn is_plain(text: &str, room: usize) -> bool {
    let printable = text.bytes().all(|b| (0x20..0x7f).contains(&b));
    printable && !text.contains("=?") && text.split(' ').all(|word| !word.is_empty() && word.len() <= room)
}

/// Plain text in lines, broken at blanks; `used` bytes of the first line are taken.
fn folded(text: &str, used: usize) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut line = used;
    for word in text.split(' ') {
        if !out.is_empty() {
            if line + 1 + word.len() > MAX_LINE {
                out.push_str("\r\n");
                line = 0;
            }
            out.push(' ');
            line += 1;
        }
        out.push_str(word);
        line += word.len();
    }
    out
}

/// An unstructured value, such as a subject, for a header whose name has `name_bytes` bytes.
#[must_use]
pub fn unstructured(text: &str, name_bytes: usize) -> String {
    let used = name_bytes + ": ".len();
    if is_plain(text, MAX_LINE - used) {
        folded(text, used)
    } else {
        encoded_words(text, used)
    }
}

/// A display name: as it is where it is words, quoted where it has special characters, else encoded.
#[must_use]
pub fn phrase(name: &str) -> String {
    // as much of the first line as the longest header name takes
    let used = "Reply-To: ".len();
    if !is_plain(name, MAX_LINE / 2) {
        return encoded_words(name, used);
    }
    let word = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~ ".contains(c);
    if name.chars().all(word) {
        return folded(name, used);
    }
    let escape = |c: char| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c]);
    folded(
        &format!("\"{}\"", name.chars().flat_map(escape).collect::<String>()),
        used,
    )
}

/// `Name <address>`, or the address alone.
#[must_use]
pub fn mailbox(name: Option<&str>, address: &str) -> String {
    match name.map(str::trim).filter(|n| !n.is_empty()) {
        Some(name) => {
            let phrase = phrase(name);
            let last = phrase.rsplit("\r\n").next().map_or(0, str::len);
            let gap = if last + address.len() + 3 > MAX_LINE - 12 {
                "\r\n "
            } else {
                " "
            };
            format!("{phrase}{gap}<{address}>")
        }
        None => address.to_owned(),
    }
}

/// Encoded words that never split a character, one a line; `used` bytes of the first line are taken.
fn encoded_words(text: &str, used: usize) -> String {
    let mut words = vec![String::new()];
    let mut room = MAX_LINE.saturating_sub(used + PREFIX.len() + SUFFIX.len());
    for c in text.chars() {
        let piece = q_encoded(c);
        if let Some(word) = words.last_mut().filter(|w| w.len() + piece.len() <= room) {
            word.push_str(&piece);
        } else {
            room = MAX_LINE - 1 - PREFIX.len() - SUFFIX.len();
            words.push(piece);
        }
    }
    let wrapped: Vec<String> = words
        .iter()
        .filter(|w| !w.is_empty())
        .map(|w| format!("{PREFIX}{w}{SUFFIX}"))
        .collect();
    wrapped.join("\r\n ")
}

/// Letters and digits as they are, a blank as `_`, every other byte as `=XX`: safe in names too.
fn q_encoded(c: char) -> String {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => c.to_string(),
        ' ' => "_".to_owned(),
        _ => {
            let mut buffer = [0; 4];
            c.encode_utf8(&mut buffer)
                .bytes()
                .fold(String::new(), |out, b| format!("{out}={b:02X}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_and_the_rest_is_encoded() {
        assert_eq!(
            unstructured("Scorecard 2026-Q3: grade B", 7),
            "Scorecard 2026-Q3: grade B"
        );
        let long = format!("Scorecard {} end", "word ".repeat(20).trim_end());
        let value = unstructured(&long, 7);
        assert_eq!(value.replace("\r\n", ""), long);
        assert!(value.contains("\r\n ") && value.split("\r\n").all(|l| l.len() <= MAX_LINE));
        assert_eq!(
            unstructured("=?utf-8?q?x?=", 7),
            "=?utf-8?q?=3D=3Futf=2D8=3Fq=3Fx=3F=3D?="
        );
        assert_eq!(unstructured("−2", 7), "=?utf-8?q?=E2=88=922?=");
    }

    #[test]
    fn long_text_is_folded_between_characters() {
        let value = unstructured(&"ä".repeat(60), 7);
        assert!(value.split("\r\n ").count() > 1);
        for (i, line) in value.split("\r\n").enumerate() {
            let taken = if i == 0 { "Subject: ".len() } else { 0 };
            assert!(line.len() + taken <= MAX_LINE, "{line}");
            assert!(line.trim_start().trim_end_matches("?=").ends_with("=C3=A4"), "{line}");
        }
    }

    #[test]
    fn names() {
        assert_eq!(mailbox(Some("Ana Diaz"), "a@b.example"), "Ana Diaz <a@b.example>");
        assert_eq!(
            mailbox(Some("Diaz, \"Ana\""), "a@b.example"),
            "\"Diaz, \\\"Ana\\\"\" <a@b.example>"
        );
        assert_eq!(
            mailbox(Some("José"), "a@b.example"),
            "=?utf-8?q?Jos=C3=A9?= <a@b.example>"
        );
        assert_eq!(mailbox(Some(" "), "a@b.example"), "a@b.example");
    }
}
