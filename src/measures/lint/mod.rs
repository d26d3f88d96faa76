//! The portable subset of SQL, enforced by parsing: what is not allowed is refused.
//!
//! Duty: let only those statements pass that Polars, DuckDB, DataFusion and Spark answer alike, to the last digit.
//! Not its duty: whether the result is what its contract says (`contracts` says that of the table).
//!
//! | in | what |
//! |---|---|
//! | `shape` | statement, WITH, SELECT, WHERE, GROUP BY |
//! | `tables` | tables and joins |
//! | `expression` | the forms of an expression |
//! | `function` | COALESCE and aggregates |
//! | `types` | the type of an expression, which types may meet |
//! | `scope` | which column a name means |

mod expression;
mod function;
mod scope;
mod shape;
mod tables;
mod types;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use sqlparser::ast::{Ident, Spanned};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use types::Type;

use crate::contracts::ColumnType;
use crate::domain::{Finding, Findings, Place};

/// Columns of a table by its name; none if there is no such table.
pub type Columns<'a> = dyn Fn(&str) -> Option<Vec<(String, ColumnType)>> + 'a;

/// What is known of a measure once it is parsed.
#[derive(Clone, Debug, Default)]
pub struct Linted {
    /// Tables with a contract that it reads.
    pub tables: BTreeSet<String>,
    /// Columns of the result with their types; empty where the statement was refused.
    pub result: Vec<(String, ColumnType)>,
    /// Columns of the result that the statement groups by: the grain.
    pub key: Vec<String>,
    /// Everything in it that is outside the subset.
    pub findings: Findings,
}

/// Parses a measure.
#[must_use]
pub fn lint(file: &str, sql: &str, columns: &Columns) -> Linted {
    let mut linter = Linter {
        file,
        columns,
        findings: Vec::new(),
        tables: BTreeSet::new(),
        line: 1,
    };
    let (mut result, mut key) = (None, Vec::new());
    match Parser::parse_sql(&GenericDialect {}, sql) {
        Ok(statements) => {
            result = shape::statements(&mut linter, &statements);
            key = shape::grain(&statements);
        }
        Err(e) => linter.refuse(Refusal::new(
            "measure.syntax",
            format!("this is no SQL: {e}"),
            "write one SELECT statement",
        )),
    }
    linter.findings.sort();
    linter.findings.dedup();
    let typed = |(name, kind): (String, Type)| Some((name, kind.column()?));
    Linted {
        tables: linter.tables,
        result: result.into_iter().flatten().filter_map(typed).collect(),
        key,
        findings: linter.findings,
    }
}

/// What is outside the subset, still without its place.
#[derive(Debug)]
struct Refusal {
    rule: &'static str,
    message: String,
    remedy: String,
}

impl Refusal {
    fn new(rule: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Refusal {
        Refusal {
            rule,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

struct Linter<'a> {
    file: &'a str,
    columns: &'a Columns<'a>,
    findings: Findings,
    /// Tables with a contract that the statement reads.
    tables: BTreeSet<String>,
    /// Line of the innermost node that has one.
    line: u64,
}

impl Linter<'_> {
    fn refuse(&mut self, refusal: Refusal) {
        let place = Place::line(self.file, self.line);
        self.findings
            .push(Finding::error(place, refusal.rule, refusal.message, refusal.remedy));
    }

    fn find(&mut self, rule: &'static str, message: impl Into<String>, remedy: &str) {
        self.refuse(Refusal::new(rule, message, remedy));
    }

    /// Remembers where the walk is.
    fn at(&mut self, node: &impl Spanned) {
        let line = node.span().start.line;
        if line > 0 {
            self.line = line;
        }
    }

    /// A quoted name is a text in some engines and keeps its case in others.
    fn check_name(&mut self, name: &Ident) {
        if name.quote_style.is_some() {
            self.find(
                "measure.name",
                format!("engines read the quoted name {name} differently"),
                "write names without quotes",
            );
        }
    }
}
