//! Findings: what is not in order, where, and what to do.
//!
//! Duty: one form for everything a person must be told, so that errors can be collected and shown all at once. Not
//! its duty: printing (the CLI does) and stopping (the caller decides).

use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is held back.
    Note,
    /// Kept, and flagged.
    Warning,
    /// Refused.
    Error,
}

/// Where: a file, and where known the line and the column (both from 1) or the key in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub file: String,
    pub line: Option<u64>,
    pub column: Option<String>,
}

impl Place {
    #[must_use]
    pub fn file(file: impl Into<String>) -> Place {
        Place {
            file: file.into(),
            line: None,
            column: None,
        }
    }

    #[must_use]
    pub fn line(file: impl Into<String>, line: u64) -> Place {
        Place {
            file: file.into(),
            line: Some(line),
            column: None,
        }
    }

    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Place {
        self.column = Some(column.into());
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, " [{column}]")?;
        }
        Ok(())
    }
}

/// One thing not in order: what (`rule` is a stable code), where, why, and one remedy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub place: Place,
    pub severity: Severity,
    pub rule: String,
    pub message: String,
    pub remedy: String,
}

/// Findings in the order they were made.
pub type Findings = Vec<Finding>;

impl Finding {
    #[must_use]
    pub fn error(place: Place, rule: &str, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding {
            place,
            severity: Severity::Error,
            rule: rule.to_owned(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    #[must_use]
    pub fn warning(place: Place, rule: &str, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Warning,
            ..Finding::error(place, rule, message, remedy)
        }
    }

    #[must_use]
    pub fn note(place: Place, rule: &str, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Note,
            ..Finding::error(place, rule, message, remedy)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{word}: {}: {} ({})", self.place, self.message, self.rule)?;
        if !self.remedy.is_empty() {
            write!(f, "\n  help: {}", self.remedy)?;
        }
        Ok(())
    }
}
