//! Reads what a cross-column check says.
//!
//! Duty: the small language of `implementation`, with every column in it looked up and the types on both sides equal.
//!
//! ```text
//! left < right     also <= > >= = !=      right: a column, a number, or a 'text' (also a date or an instant)
//! a present when b = 'text'               a is not null in rows where b holds the text (or number, or true)
//! a absent when b = 'text'
//! a present with b                        a is not null in rows where b is not null
//! a xor b                                 exactly one of the two is not null
//! ```
//!
//! Not its duty: applying it to rows (`check`).

use super::column::RawColumn;
use super::fields::{At, Reader, suggest};
use super::model::{ColumnType, Op, Operand};
use crate::domain::{Dec, Instant, time};

const OPERATORS: [(&str, Op); 6] = [
    ("<", Op::Less),
    ("<=", Op::LessOrEqual),
    (">", Op::Greater),
    (">=", Op::GreaterOrEqual),
    ("=", Op::Equal),
    ("!=", Op::NotEqual),
];

pub(super) fn read(reader: &mut Reader<'_>, at: At<'_>, columns: &[RawColumn]) -> Option<(usize, Op, Operand)> {
    let words = words(at.text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut scope = Scope {
        reader,
        line: at.line,
        columns,
    };
    match words.as_slice() {
        [left, "present", "with", right] => scope.both(left, Op::PresentWhen, right),
        [left, "xor", right] => scope.both(left, Op::ExclusiveWith, right),
        [left, state @ ("present" | "absent"), "when", column, "=", value] => {
            let op = if *state == "present" {
                Op::PresentWhen
            } else {
                Op::AbsentWhen
            };
            let (left, condition) = (scope.column(left), scope.column(column));
            let value = quoted(value).unwrap_or(value);
            let condition = scope.can_hold(condition?, value)?;
            Some((left?, op, Operand::ColumnIs(condition, value.to_owned())))
        }
        [left, op, right] if OPERATORS.iter().any(|(name, _)| name == op) => {
            let op = OPERATORS.iter().find(|(name, _)| name == op).map(|(_, op)| *op)?;
            scope.comparison(left, op, right)
        }
        _ => {
            let message = format!("the check '{}' is in no form that is known", at.text);
            let remedy =
                "write 'a <= b', 'a present when b = 'x'', 'a absent when b = 'x'', 'a present with b' or 'a xor b'";
            scope.reader.error(at.line, "contract.check", message, remedy);
            None
        }
    }
}

/// Splits at blanks, and keeps a quoted text together with its quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut in_quotes = false;
    for c in text.chars() {
        in_quotes ^= c == '\'';
        if c.is_whitespace() && !in_quotes {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

fn quoted(word: &str) -> Option<&str> {
    word.strip_prefix('\'')?.strip_suffix('\'')
}

struct Scope<'r, 'a, 'c> {
    reader: &'r mut Reader<'a>,
    line: u64,
    columns: &'c [RawColumn],
}

impl Scope<'_, '_, '_> {
    fn column(&mut self, name: &str) -> Option<usize> {
        let found = self.columns.iter().position(|c| c.column.name == name);
        if found.is_none() {
            let names: Vec<&str> = self.columns.iter().map(|c| c.column.name.as_str()).collect();
            let message = format!("a check names the unknown column '{name}'");
            self.reader
                .error(self.line, "contract.unknown-column", message, suggest(name, &names));
        }
        found
    }

    /// The column again, if it can ever hold the value: a condition that never comes true would check nothing.
    fn can_hold(&mut self, index: usize, value: &str) -> Option<usize> {
        let column = &self.columns[index].column;
        let fits = match column.kind {
            ColumnType::Text => column.allowed.is_empty() || column.allowed.iter().any(|a| a == value),
            ColumnType::Int => value.parse::<i64>().is_ok_and(|i| i.to_string() == value),
            ColumnType::Bool => matches!(value, "true" | "false"),
            ColumnType::Date => time::parse_date(value).is_some(),
            ColumnType::Decimal { .. } | ColumnType::Instant => false,
        };
        if !fits {
            let message = format!(
                "a check compares '{}' with '{value}', which it never holds",
                column.name
            );
            let remedy = "compare with an allowed value, a whole number, a date, true or false";
            self.reader.error(self.line, "contract.check", message, remedy);
            return None;
        }
        Some(index)
    }

    fn both(&mut self, left: &str, op: Op, right: &str) -> Option<(usize, Op, Operand)> {
        let (left, right) = (self.column(left), self.column(right));
        Some((left?, op, Operand::Column(right?)))
    }

    fn comparison(&mut self, left: &str, op: Op, right: &str) -> Option<(usize, Op, Operand)> {
        let left = self.column(left);
        let operand = if let Some(text) = quoted(right) {
            Operand::Text(text.to_owned())
        } else if let Ok(number) = Dec::parse(right) {
            Operand::Number(number)
        } else {
            Operand::Column(self.column(right)?)
        };
        let left = left?;
        let kind = self.columns[left].column.kind;
        let ordered = !matches!(op, Op::Equal | Op::NotEqual);
        let fits = match &operand {
            Operand::Column(right) => same_kind(kind, self.columns[*right].column.kind),
            Operand::Number(_) => is_number(kind),
            Operand::Text(text) => match kind {
                ColumnType::Text => true,
                ColumnType::Date => time::parse_date(text).is_some(),
                ColumnType::Instant => Instant::parse(text).is_ok(),
                _ => false,
            },
            Operand::ColumnIs(..) => false,
        };
        if !fits || (ordered && matches!(kind, ColumnType::Text | ColumnType::Bool)) {
            let message = format!(
                "'{}' and {right} cannot be compared in this way",
                self.columns[left].column.name
            );
            let remedy = "compare numbers with numbers and dates with dates; of texts only = and != are known";
            self.reader.error(self.line, "contract.check", message, remedy);
            return None;
        }
        if let (Operand::Text(text), ColumnType::Text) = (&operand, kind) {
            self.can_hold(left, text)?;
        }
        Some((left, op, operand))
    }
}

fn is_number(kind: ColumnType) -> bool {
    matches!(kind, ColumnType::Int | ColumnType::Decimal { .. })
}

fn same_kind(a: ColumnType, b: ColumnType) -> bool {
    a == b || (is_number(a) && is_number(b))
}
