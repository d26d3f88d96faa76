//! What type an expression has, and which types may meet.
//!
//! Duty: the types of the portable subset and the rules of comparison, sum, product, choice and CAST. Not its duty:
//! walking statements and expressions (`shape`, `expression`), finding columns (`scope`).

use sqlparser::ast::{DataType, ExactNumberInfo};

use super::Refusal;
use crate::contracts::ColumnType;
use crate::domain::Date;

/// Precision of every decimal that is computed with: the widest all engines have.
const WIDEST: u64 = 38;

/// Largest scale of a widened decimal: any integer and any amount of a contract still fits before the point.
const MAX_SCALE: i64 = 18;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    Int,
    /// An integer literal: engines give it different types.
    Literal,
    /// A bare COUNT: engines give it different types.
    Count,
    /// A bare SUM of integers: engines give it different types.
    Total,
    /// `digits` of the `scale` places can be other than zero: widening by CAST adds places, no digits.
    Decimal {
        scale: u8,
        digits: u8,
    },
    Bool,
    Date,
    Instant,
    Null,
    /// Refused already: nothing more is said about it.
    Unknown,
}

impl From<ColumnType> for Type {
    fn from(kind: ColumnType) -> Type {
        match kind {
            ColumnType::Text => Type::Text,
            ColumnType::Int => Type::Int,
            ColumnType::Decimal { scale, .. } => Type::Decimal { scale, digits: scale },
            ColumnType::Bool => Type::Bool,
            ColumnType::Date => Type::Date,
            ColumnType::Instant => Type::Instant,
        }
    }
}

impl Type {
    /// The type of a column of the result; none for what may not stand there.
    pub fn column(self) -> Option<ColumnType> {
        Some(match self {
            Type::Text => ColumnType::Text,
            Type::Int | Type::Count | Type::Total => ColumnType::Int,
            Type::Decimal { scale, .. } => ColumnType::Decimal { precision: 38, scale },
            Type::Bool => ColumnType::Bool,
            Type::Date => ColumnType::Date,
            Type::Instant => ColumnType::Instant,
            Type::Literal | Type::Null | Type::Unknown => return None,
        })
    }

    pub fn name(self) -> String {
        match self {
            Type::Text => "a text".to_owned(),
            Type::Int | Type::Count | Type::Total => "an integer".to_owned(),
            Type::Literal => "an integer literal".to_owned(),
            Type::Decimal { scale, .. } => format!("a decimal of scale {scale}"),
            Type::Bool => "a boolean".to_owned(),
            Type::Date => "a date".to_owned(),
            Type::Instant => "an instant".to_owned(),
            Type::Null => "NULL".to_owned(),
            Type::Unknown => "unknown".to_owned(),
        }
    }
}

type Outcome = Result<Type, Refusal>;

fn mixed(what: &str, left: Type, right: Type) -> Refusal {
    Refusal::new(
        "measure.type",
        format!("{what} {} and {}", left.name(), right.name()),
        match (left, right) {
            (Type::Decimal { .. }, _) | (_, Type::Decimal { .. }) => "CAST both sides to the same DECIMAL(38, s)",
            (Type::Literal, _) | (_, Type::Literal) => "write CAST(n AS BIGINT)",
            (Type::Date, _) | (_, Type::Date) => "write a date as CAST('2026-01-31' AS DATE)",
            _ => "bring both sides to one type",
        },
    )
}

/// `ordered`: less or greater, not only equal.
pub fn compare(left: Type, right: Type, ordered: bool) -> Outcome {
    use Type::{Bool, Date, Decimal, Instant, Int, Literal, Null, Text, Unknown};
    match (left, right) {
        (Unknown, _) | (_, Unknown) => Ok(Bool),
        (Null, _) | (_, Null) => Err(Refusal::new(
            "measure.null",
            "nothing is equal to NULL",
            "write IS NULL or IS NOT NULL",
        )),
        (Text, Text) | (Date, Date) | (Instant, Instant) | (Int | Literal, Int | Literal) => Ok(Bool),
        (Bool, Bool) if !ordered => Ok(Bool),
        (Decimal { .. }, Literal) | (Literal, Decimal { .. }) => Ok(Bool),
        (Decimal { scale: a, .. }, Decimal { scale: b, .. }) if a == b => Ok(Bool),
        _ => Err(mixed("engines do not compare alike", left, right)),
    }
}

/// `+` and `-`.
pub fn add(left: Type, right: Type) -> Outcome {
    use Type::{Decimal, Int, Literal, Unknown};
    match (left, right) {
        (Unknown, _) | (_, Unknown) => Ok(Unknown),
        (Literal, Literal) => Err(computed_literal()),
        (Int, Int | Literal) | (Literal, Int) => Ok(Int),
        (Decimal { scale: a, digits: c }, Decimal { scale: b, digits: d }) => Ok(Decimal {
            scale: a.max(b),
            digits: c.max(d),
        }),
        _ => Err(mixed("engines do not add or subtract alike", left, right)),
    }
}

/// `*`; whether each side is itself a CAST to a decimal.
pub fn multiply(left: (Type, bool), right: (Type, bool)) -> Outcome {
    use Type::{Decimal, Int, Literal, Unknown};
    match (left, right) {
        ((Unknown, _), _) | (_, (Unknown, _)) => Ok(Unknown),
        ((Literal, _), (Literal, _)) => Err(computed_literal()),
        ((Literal, _), (other @ (Int | Decimal { .. }), _)) | ((other @ (Int | Decimal { .. }), _), (Literal, _)) => {
            Ok(other)
        }
        ((Decimal { scale: a, digits: c }, true), (Decimal { scale: b, digits: d }, true))
            if a == b && u16::from(a) >= u16::from(c) + u16::from(d) =>
        {
            Ok(Decimal {
                scale: a,
                digits: c + d,
            })
        }
        _ => Err(Refusal::new(
            "measure.product",
            "engines round a product of decimals to different scales, and a product of integers may not fit",
            "widen both operands first: CAST(a AS DECIMAL(38, s)) * CAST(b AS DECIMAL(38, s)), s the sum of their scales",
        )),
    }
}

fn computed_literal() -> Refusal {
    Refusal::new(
        "measure.literal",
        "engines compute with literals in different types",
        "write the result",
    )
}

/// The one type of the branches of a CASE or the arguments of COALESCE.
pub fn choice(what: &str, branches: &[Type]) -> Outcome {
    let mut chosen = Type::Null;
    for branch in branches {
        chosen = match (chosen, *branch) {
            (Type::Unknown, _) | (_, Type::Unknown) => return Ok(Type::Unknown),
            (_, Type::Literal) => {
                return Err(Refusal::new(
                    "measure.type",
                    format!("engines give a bare integer in {what} different types"),
                    "write CAST(n AS BIGINT), or CAST(n AS DECIMAL(38, s)) beside decimals of scale s",
                ));
            }
            (Type::Null, other) | (other, Type::Null) => other,
            (Type::Decimal { scale: a, digits: c }, Type::Decimal { scale: b, digits: d }) if a == b => Type::Decimal {
                scale: a,
                digits: c.max(d),
            },
            (a, b) if a == b => a,
            (a, b) => return Err(mixed(&format!("{what} yields"), a, b)),
        };
    }
    Ok(chosen)
}

/// The column types that a join can equate: exactly one type, decimals of one scale.
pub fn joinable(left: Type, right: Type) -> Outcome {
    if left == Type::Literal || right == Type::Literal || matches!((left, right), (Type::Bool, _) | (_, Type::Bool)) {
        return Err(mixed("a join does not equate", left, right));
    }
    compare(left, right, false)
}

/// What stands in a CAST.
pub enum Operand<'a> {
    Text(&'a str),
    Boolean,
    Other(Type),
}

/// CAST of an operand.
pub fn cast(operand: &Operand, to: &DataType) -> Outcome {
    let refused = |remedy: &str| {
        Refusal::new(
            "measure.cast",
            format!("this CAST to {to} may round, cut or differ"),
            remedy,
        )
    };
    if matches!(operand, Operand::Other(Type::Count | Type::Total)) && !matches!(to, DataType::BigInt(None)) {
        return Err(match operand {
            Operand::Other(Type::Count) => bare_count(),
            _ => bare_total(),
        });
    }
    match (to, operand) {
        (DataType::BigInt(None), Operand::Other(from)) => match from {
            Type::Count | Type::Total | Type::Literal | Type::Int | Type::Null | Type::Unknown => Ok(Type::Int),
            _ => Err(refused("cast to BIGINT only COUNT, a SUM of integers or an integer")),
        },
        (DataType::Varchar(None), Operand::Text(_) | Operand::Other(Type::Null)) => Ok(Type::Text),
        (DataType::Boolean, Operand::Boolean | Operand::Other(Type::Null)) => Ok(Type::Bool),
        (DataType::Date, Operand::Other(Type::Null)) => Ok(Type::Date),
        (DataType::Date, Operand::Text(text)) if is_date(text) => Ok(Type::Date),
        (DataType::Decimal(ExactNumberInfo::PrecisionAndScale(WIDEST, scale)), operand)
            if (0..=MAX_SCALE).contains(scale) =>
        {
            let scale = u8::try_from(*scale).unwrap_or_default();
            let digits = match operand {
                Operand::Text(text) => places(text),
                Operand::Other(Type::Int | Type::Literal | Type::Null) => Some(0),
                Operand::Other(Type::Unknown) => return Ok(Type::Unknown),
                Operand::Other(Type::Decimal { scale: from, digits }) if *from <= scale => Some(*digits),
                _ => None,
            };
            match digits {
                Some(digits) if digits <= scale => Ok(Type::Decimal { scale, digits }),
                _ => Err(refused(
                    "cast an integer, a decimal of no larger scale, or a literal with no more places",
                )),
            }
        }
        (_, Operand::Other(Type::Unknown)) => Ok(Type::Unknown),
        (DataType::Varchar(_) | DataType::Boolean | DataType::Date, _) => {
            Err(refused("cast a literal only: a text, TRUE or FALSE, or 'YYYY-MM-DD'"))
        }
        _ => Err(refused("cast to BIGINT or to DECIMAL(38, s) with s from 0 to 18")),
    }
}

pub fn bare_count() -> Refusal {
    Refusal::new(
        "measure.count",
        "engines type COUNT differently",
        "CAST(COUNT(*) AS BIGINT)",
    )
}

pub fn bare_total() -> Refusal {
    Refusal::new(
        "measure.sum-integer",
        "engines type a SUM of integers differently",
        "CAST(SUM(…) AS BIGINT)",
    )
}

/// Whether this is `YYYY-MM-DD` and a day of the calendar.
fn is_date(text: &str) -> bool {
    let shaped = |(at, b): (usize, u8)| {
        if matches!(at, 4 | 7) {
            b == b'-'
        } else {
            b.is_ascii_digit()
        }
    };
    text.len() == 10 && text.bytes().enumerate().all(shaped) && text.parse::<Date>().is_ok()
}

/// Places after the point of a plain number that every engine reads alike; none if it is something else.
fn places(text: &str) -> Option<u8> {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    if !digits(whole) || !digits(fraction) || whole.len() > 18 {
        return None;
    }
    if unsigned.contains('.') {
        u8::try_from(fraction.len()).ok()
    } else {
        Some(0)
    }
}
