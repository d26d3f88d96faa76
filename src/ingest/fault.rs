//! What is wrong with one record, field or file, before its place is known.
//!
//! Duty: rule, reason and remedy together, and how a value is shown in a reason. Not its duty: where it stands.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::limits::SHOWN_CHARS;

/// A broken rule: its stable code, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub rule: Cow<'static, str>,
    pub reason: String,
    pub remedy: String,
}

impl Fault {
    pub fn new(rule: &'static str, reason: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault {
            rule: Cow::Borrowed(rule),
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
}

/// A value as a message shows it: quoted, control and invisible characters escaped, cut when long.
pub fn shown(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars().take(SHOWN_CHARS) {
        if c.is_control() || crate::domain::ids::is_invisible(c) || (c.is_whitespace() && c != ' ') {
            // writing to a String cannot fail
            let _ = write!(out, "\\u{{{:04X}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out.push_str(if text.chars().nth(SHOWN_CHARS).is_some() {
        "…'"
    } else {
        "'"
    });
    out
}

/// A character by its code point, for those that look like another.
pub fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_on_one_line_and_cut() {
        assert_eq!(shown("a\nb\u{202E}c\u{A0}d e"), "'a\\u{000A}b\\u{202E}c\\u{00A0}d e'");
        assert_eq!(shown(&"x".repeat(41)), format!("'{}…'", "x".repeat(40)));
        assert_eq!(code_point('１'), "U+FF11");
    }
}
