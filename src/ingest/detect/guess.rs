//! One guess about a file: what, how sure, why, and what else would fit.
//!
//! Duty: shapes, how a setting is written in TOML, words for counts. Not its duty: guessing.

use std::fmt;

/// How sure a guess is. Only what is certain or likely is written as a key; the rest waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The file cannot tell: a person has to say it.
    Open,
    /// Something else fits as well, or little speaks for it.
    Guess,
    /// Nothing else fits well.
    Likely,
    /// The bytes prove it.
    Certain,
}

/// What becomes of a guess in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A key of the source.
    Key,
    /// What the reader takes without a key.
    Default,
    /// Worth knowing; there is no key for it.
    Told,
}

/// A value of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    Text(String),
    Texts(Vec<String>),
    Count(u64),
    Flag(bool),
    Totals { column: String, starts_with: String },
}

/// A guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// Path of the key within the source: `["rename", "Partner"]`.
    pub path: Vec<String>,
    /// Of an open one: a form to fill in.
    pub setting: Setting,
    pub confidence: Confidence,
    /// In words, with counts.
    pub evidence: String,
    /// Other settings that fit too.
    pub alternatives: Vec<Setting>,
    pub role: Role,
}

impl Confidence {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Open => "open",
            Confidence::Guess => "a guess",
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
    }
}

impl Guess {
    /// A key of the source.
    pub fn key(path: &[&str], setting: Setting, confidence: Confidence, evidence: impl Into<String>) -> Guess {
        Guess {
            path: path.iter().map(ToString::to_string).collect(),
            setting,
            confidence,
            evidence: evidence.into(),
            alternatives: Vec::new(),
            role: Role::Key,
        }
    }

    /// What holds without a key.
    pub fn default(path: &[&str], setting: Setting, confidence: Confidence, evidence: impl Into<String>) -> Guess {
        Guess {
            role: Role::Default,
            ..Guess::key(path, setting, confidence, evidence)
        }
    }

    /// What a person should know.
    pub fn told(topic: &str, text: &str, confidence: Confidence, evidence: impl Into<String>) -> Guess {
        Guess {
            role: Role::Told,
            ..Guess::key(&[topic], Setting::text(text), confidence, evidence)
        }
    }

    /// The same with other settings that fit too.
    #[must_use]
    pub fn or(mut self, alternatives: impl IntoIterator<Item = Setting>) -> Guess {
        self.alternatives.extend(alternatives);
        self
    }

    /// Whether a person has to decide before the source can be read.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.role == Role::Key && self.confidence <= Confidence::Guess
    }

    /// The path as messages show it.
    #[must_use]
    pub fn key_name(&self) -> String {
        self.path.join(".")
    }
}

impl Setting {
    pub fn text(text: &str) -> Setting {
        Setting::Text(text.to_owned())
    }

    pub fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Setting {
        Setting::Texts(texts.into_iter().map(|t| t.as_ref().to_owned()).collect())
    }
}

impl fmt::Display for Setting {
    /// As TOML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Text(text) => f.write_str(&quoted(text)),
            Setting::Texts(texts) => {
                let texts: Vec<String> = texts.iter().map(|t| quoted(t)).collect();
                write!(f, "[{}]", texts.join(", "))
            }
            Setting::Count(count) => write!(f, "{count}"),
            Setting::Flag(flag) => write!(f, "{flag}"),
            Setting::Totals { column, starts_with } => {
                write!(
                    f,
                    "{{ column = {}, starts_with = {} }}",
                    quoted(column),
                    quoted(starts_with)
                )
            }
        }
    }
}

/// A text as a basic string of TOML.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || crate::domain::ids::is_invisible(c) || (c.is_whitespace() && c != ' ') => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `12,345`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `all 1,000 dates`, `987 of 1,000 dates`.
pub fn of(count: u64, total: u64, what: &str) -> String {
    if count == total {
        format!("all {} {what}", grouped(total))
    } else {
        format!("{} of {} {what}", grouped(count), grouped(total))
    }
}

/// `1 letter`, `1,234 letters`.
pub fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count))
}

/// Thousandths; nothing of nothing is nothing.
pub fn per_mille(count: u64, total: u64) -> u64 {
    (count * 1000).checked_div(total).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_toml() {
        let totals = Setting::Totals {
            column: "id".into(),
            starts_with: "Σ \"x\"".into(),
        };
        assert_eq!(totals.to_string(), r#"{ column = "id", starts_with = "Σ \"x\"" }"#);
        assert_eq!(Setting::texts(["\\", "\t\u{A0}"]).to_string(), r#"["\\", "\t\u00A0"]"#);
    }

    #[test]
    fn counts_are_words() {
        assert_eq!(of(987, 1000, "rows"), "987 of 1,000 rows");
        assert_eq!(of(1_234_567, 1_234_567, "rows"), "all 1,234,567 rows");
        assert_eq!(
            (counted(1, "letter"), counted(2, "letter")),
            ("1 letter".into(), "2 letters".into())
        );
        assert_eq!(grouped(100), "100");
        assert_eq!((per_mille(1, 3), per_mille(0, 0)), (333, 0));
    }
}
