//! Formulas of a programme's own metrics: exact expressions over the rows of a measure.
//!
//! Duty: text → a checked tree: columns stand within aggregates only, every part has a type, a division that could be
//! by zero is known. Not its duty: values (evaluation computes), which columns a measure has (`Formula::uses` says what
//! must be there).
//!
//! | form | meaning |
//! |---|---|
//! | `12.5`, `'text'`, `true` | literals |
//! | `+ - * /`, `( )`, unary `-` | exact arithmetic |
//! | `= <> < <= > >=`, `and or not` | conditions |
//! | `if(condition, a, b)` | a choice |
//! | `min(a, b, …)`, `max(a, b, …)`, `abs(a)`, `days(date)` | numbers; `days` of a date counts from 1970-01-01 |
//! | `sum(a)`, `count(condition)`, `largest(a)`, `smallest(a)` | over the rows; a row in which `a` is null is passed over |

mod lexer;
mod parser;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::Ratio;

/// A checked formula, with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    pub text: String,
    pub expr: Expr,
    /// What each column is used as.
    uses: BTreeMap<String, Use>,
    /// The denominators that could be zero, as text; empty where no division can be by zero.
    pub denominators: Vec<String>,
}

/// A part of a formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    Number(Ratio),
    Text(String),
    Flag(bool),
    /// A column of the row; within aggregates only.
    Column(String),
    Negative(Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    Compare(Compare, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(Function, Vec<Expr>),
    Aggregate(Aggregate, Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Min,
    Max,
    Abs,
    /// Days of a date since 1970-01-01.
    Days,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Of no rows: 0.
    Sum,
    /// Rows in which the condition holds.
    Count,
    /// Of no rows: nothing.
    Largest,
    Smallest,
}

/// What a column is used as, and so which types it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// An integer or a decimal.
    Number,
    Date,
    Text,
    Flag,
}

impl Use {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Use::Number => "a number",
            Use::Date => "a date",
            Use::Text => "a text",
            Use::Flag => "true or false",
        }
    }
}

/// Why a text is no formula; `at` is the character, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormulaError {
    pub at: usize,
    pub problem: String,
    pub remedy: String,
}

impl fmt::Display for FormulaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}: {}", self.at, self.problem)
    }
}

impl Formula {
    /// Reads a formula that gives a number.
    pub fn parse(text: &str) -> Result<Formula, FormulaError> {
        parser::parse(text)
    }

    /// The columns that the measure must have, and as what.
    #[must_use]
    pub fn uses(&self) -> &BTreeMap<String, Use> {
        &self.uses
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, name: &str, parts: &[&Expr]| {
            write!(f, "{name}(")?;
            for (i, part) in parts.iter().enumerate() {
                write!(f, "{}{part}", if i == 0 { "" } else { ", " })?;
            }
            f.write_str(")")
        };
        match self {
            Expr::Number(number) => f.write_str(&super::read::plain(number)),
            Expr::Text(text) => write!(f, "'{text}'"),
            Expr::Flag(flag) => write!(f, "{flag}"),
            Expr::Column(name) => f.write_str(name),
            Expr::Negative(inner) => write!(f, "-{inner}"),
            Expr::Not(inner) => write!(f, "not {inner}"),
            Expr::Arithmetic(op, a, b) => write!(f, "({a} {} {b})", op.sign()),
            Expr::Compare(op, a, b) => write!(f, "{a} {} {b}", op.sign()),
            Expr::And(a, b) => write!(f, "({a} and {b})"),
            Expr::Or(a, b) => write!(f, "({a} or {b})"),
            Expr::If(condition, yes, no) => list(f, "if", &[condition, yes, no]),
            Expr::Call(function, parts) => list(f, function.name(), &parts.iter().collect::<Vec<_>>()),
            Expr::Aggregate(aggregate, inner) => list(f, aggregate.name(), &[inner]),
        }
    }
}

impl Arithmetic {
    fn sign(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
        }
    }
}

impl Compare {
    fn sign(self) -> &'static str {
        match self {
            Compare::Equal => "=",
            Compare::NotEqual => "<>",
            Compare::Less => "<",
            Compare::LessOrEqual => "<=",
            Compare::Greater => ">",
            Compare::GreaterOrEqual => ">=",
        }
    }
}

impl Function {
    fn name(self) -> &'static str {
        match self {
            Function::Min => "min",
            Function::Max => "max",
            Function::Abs => "abs",
            Function::Days => "days",
        }
    }
}

impl Aggregate {
    fn name(self) -> &'static str {
        match self {
            Aggregate::Sum => "sum",
            Aggregate::Count => "count",
            Aggregate::Largest => "largest",
            Aggregate::Smallest => "smallest",
        }
    }
}
