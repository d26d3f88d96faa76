//! Printing.
//!
//! Duty: text for people, JSON for programs; a reader that goes away ends the program quietly. Not its duty: what is
//! printed.

use std::error::Error as _;
use std::io::{self, IsTerminal, Write};

use serde_json::{Map, Value as Json, json};

use crate::domain::{Finding, Findings, Severity, Table, Value};
use crate::pipeline::PipelineError;
use crate::pipeline::error::ExitCode;

/// Most findings that are listed in text; the rest is counted.
const MAX_LISTED: usize = 200;

/// Where and how a command prints.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) json: bool,
}

impl Output {
    /// Prints a line of text.
    pub(super) fn line(self, text: &str) {
        write(&format!("{text}\n"));
    }

    /// Prints a text within [`WIDTH`] columns, broken between words; what goes on stands four columns further in.
    pub(super) fn wrapped(self, indent: usize, text: &str) {
        wrap(indent, text).iter().for_each(|line| self.line(line));
    }

    /// Prints a text as it is.
    pub(super) fn text(self, text: &str) {
        write(text);
    }

    /// Prints a JSON value.
    pub(super) fn value(self, value: &Json) {
        let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
        text.push('\n');
        write(&text);
    }

    /// Prints rows: aligned columns, or a JSON array of objects. Decimals are strings in JSON, to stay exact.
    pub(super) fn table(self, table: &Table) {
        if self.json {
            let rows: Vec<Json> = table
                .rows
                .iter()
                .map(|row| {
                    Json::Object(
                        table
                            .columns()
                            .iter()
                            .cloned()
                            .zip(row.iter().map(json_value))
                            .collect::<Map<_, _>>(),
                    )
                })
                .collect();
            self.value(&Json::Array(rows));
        } else {
            write(&aligned(table));
        }
    }

    /// Prints findings as text.
    pub(super) fn findings(self, findings: &[Finding]) {
        for finding in findings.iter().take(MAX_LISTED) {
            self.line(&finding.to_string());
        }
        if findings.len() > MAX_LISTED {
            self.line(&format!("… and {} more", findings.len() - MAX_LISTED));
        }
    }

    /// Prints an error on standard error: what, the findings, the cause, what to do.
    pub(super) fn error(self, error: &PipelineError) {
        let findings = error.findings();
        let causes = causes(error);
        if self.json {
            let value = json!({
                "error": error.to_string(),
                "causes": causes,
                "exit_code": error.exit_code() as u8,
                "remedy": error.remedy(),
                "findings": json_findings(&findings),
            });
            let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
            text.push('\n');
            let _ = io::stderr().lock().write_all(text.as_bytes());
            return;
        }
        let mut text = String::new();
        for finding in findings.iter().take(MAX_LISTED) {
            text.push_str(&format!("{finding}\n"));
        }
        if findings.len() > MAX_LISTED {
            text.push_str(&format!("… and {} more\n", findings.len() - MAX_LISTED));
        }
        text.push_str(&format!("error: {error}\n"));
        for cause in causes {
            text.push_str(&format!("  because: {cause}\n"));
        }
        if let Some(remedy) = error.remedy() {
            text.push_str(&format!("  help: {remedy}\n"));
        }
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

fn causes(error: &PipelineError) -> Vec<String> {
    let mut out = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        out.push(cause.to_string());
        source = cause.source();
    }
    out
}

/// Findings as JSON.
pub(super) fn json_findings(findings: &Findings) -> Json {
    let one = |f: &Finding| {
        json!({
            "severity": match f.severity { Severity::Note => "note", Severity::Warning => "warning", Severity::Error => "error" },
            "file": f.place.file, "line": f.place.line, "column": f.place.column,
            "rule": f.rule, "message": f.message, "remedy": f.remedy,
        })
    };
    Json::Array(findings.iter().map(one).collect())
}

pub(super) fn json_value(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(i) => Json::from(*i),
        other => Json::String(other.to_string()),
    }
}

/// Columns of a terminal that text is made for.
pub(super) const WIDTH: usize = 100;

fn wrap(indent: usize, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = " ".repeat(indent);
    let mut is_empty = true;
    for word in text.split(' ') {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent + 4)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

fn aligned(table: &Table) -> String {
    let printable = |v: &Value| {
        v.to_string()
            .chars()
            .map(|c| if c.is_control() { '·' } else { c })
            .collect::<String>()
    };
    let cells: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| row.iter().map(printable).collect())
        .collect();
    let right: Vec<bool> = (0..table.columns().len())
        .map(|i| {
            let mut values = table.rows.iter().map(|r| &r[i]).filter(|v| !v.is_null()).peekable();
            values.peek().is_some() && values.all(|v| matches!(v, Value::Int(_) | Value::Dec(_)))
        })
        .collect();
    let width = |i: usize| {
        let header = table.columns()[i].chars().count();
        cells
            .iter()
            .map(|row| row[i].chars().count())
            .max()
            .unwrap_or(0)
            .max(header)
    };
    let widths: Vec<usize> = (0..table.columns().len()).map(width).collect();
    let line = |row: &[String]| {
        let parts: Vec<String> = row
            .iter()
            .zip(&widths)
            .zip(&right)
            .map(|((cell, width), right)| {
                if *right {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        format!("{}\n", parts.join("  ").trim_end())
    };
    let mut out = line(table.columns());
    out.push_str(&line(&widths.iter().map(|w| "-".repeat(*w)).collect::<Vec<_>>()));
    cells.iter().for_each(|row| out.push_str(&line(row)));
    out
}

fn write(text: &str) {
    let mut out = io::stdout().lock();
    let Err(e) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) else {
        return;
    };
    if e.kind() == io::ErrorKind::BrokenPipe {
        // whoever read us has gone: there is nobody to tell
        std::process::exit(i32::from(ExitCode::Done as u8));
    }
    let _ = writeln!(io::stderr().lock(), "error: cannot write to standard output: {e}");
    std::process::exit(i32::from(ExitCode::Storage as u8));
}

/// Whether standard error is a terminal: progress is drawn there and nowhere else.
pub(super) fn draws_progress() -> bool {
    io::stderr().is_terminal()
}
