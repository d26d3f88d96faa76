//! Checks values and rows by a contract.
//!
//! Duty: say what is wrong with a typed value or row, and what to do. Pure and cheap: it runs on every field that is
//! read. Not its duty: parsing texts into values, and what becomes of a row that fails (ingestion decides by severity).

use std::cmp::Ordering;

use super::formats::format;
use super::model::{Column, ColumnType, Contract, Format, Op, Operand, RowCheck};
use super::rules::days;
use crate::domain::{Currency, Dec, Instant, Value, time};

/// What is wrong with a value. Never quotes a value of a personal column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Stable code: `required`, `type`, `decimals`, `digits`, `control`, `format`, `allowed`, `range`, `pattern` or
    /// `money`.
    pub rule: &'static str,
    /// What was found, without the name of the column.
    pub message: String,
    pub remedy: String,
}

pub(super) fn violation(rule: &'static str, message: String, remedy: impl Into<String>) -> Result<(), Violation> {
    Err(Violation {
        rule,
        message,
        remedy: remedy.into(),
    })
}

/// Checks one value by its column: required, type and size, format, allowed values, range, pattern.
pub fn value(column: &Column, value: &Value) -> Result<(), Violation> {
    match value {
        Value::Null if column.required => {
            return violation("required", "is empty".into(), "deliver a value: the column is required");
        }
        Value::Null => return Ok(()),
        _ => {}
    }
    kind(column, value)?;
    if let Value::Text(text) = value {
        if text.contains('\0') {
            return violation("control", "holds a NUL character".into(), "remove it");
        }
        format(column, text)?;
    }
    allowed(column, value)?;
    range(column, value)?;
    if let (Some(pattern), Value::Text(text)) = (&column.pattern, value)
        && !pattern.is_match(text)
    {
        // the pattern as it stands in the contract, without the ends that reading added
        let shown = pattern.as_str();
        let shown = shown
            .strip_prefix("^(?:")
            .and_then(|s| s.strip_suffix(")$"))
            .unwrap_or(shown);
        return violation(
            "pattern",
            format!("{} has another form", shown_value(column, value)),
            format!("it must match {shown}"),
        );
    }
    Ok(())
}

/// The value for a message, shortened; that of a personal column is not shown.
pub(super) fn shown_value(column: &Column, value: &Value) -> String {
    const LONGEST: usize = 40;
    if column.personal {
        return "the value".into();
    }
    let text = value.to_string();
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("'{shown}'")
}

fn kind(column: &Column, value: &Value) -> Result<(), Violation> {
    let (fits, expected) = match column.kind {
        ColumnType::Text => (matches!(value, Value::Text(_)), "text"),
        ColumnType::Int => (matches!(value, Value::Int(_)), "integer"),
        ColumnType::Bool => (matches!(value, Value::Bool(_)), "boolean"),
        ColumnType::Date => (matches!(value, Value::Date(_)), "date"),
        ColumnType::Instant => (matches!(value, Value::Instant(_)), "instant"),
        ColumnType::Decimal { precision, scale } => match value {
            Value::Dec(dec) => return size(*dec, precision, scale),
            _ => (false, "decimal"),
        },
    };
    if fits {
        return Ok(());
    }
    violation(
        "type",
        format!("is a value of type {}", value.kind()),
        format!("it must be of type {expected}"),
    )
}

/// At most `scale` decimals that are not zero, and at most `precision` digits at that scale.
fn size(dec: Dec, precision: u8, scale: u8) -> Result<(), Violation> {
    let rescaled = if dec.scale() == scale {
        Some(dec)
    } else {
        dec.rescale(scale)
    };
    match rescaled {
        Some(d) if d.digits() <= u32::from(precision) => Ok(()),
        None if dec.scale() > scale => {
            let message = format!("has more than {scale} decimals");
            violation(
                "decimals",
                message,
                "deliver it unrounded in the unit of the contract, or round it at the source",
            )
        }
        _ => {
            let whole = precision - scale;
            violation(
                "digits",
                format!("has more than {whole} digits before the point"),
                "check the unit of the number",
            )
        }
    }
}

fn allowed(column: &Column, value: &Value) -> Result<(), Violation> {
    if column.allowed.is_empty() || column.format == Some(Format::List) {
        return Ok(());
    }
    let found = match value {
        Value::Text(text) => column.allowed.iter().any(|a| a == text.as_ref()),
        other => column.allowed.contains(&other.to_string()),
    };
    if found {
        return Ok(());
    }
    let message = format!("{} is no allowed value", shown_value(column, value));
    violation("allowed", message, format!("use one of: {}", column.allowed.join(", ")))
}

fn range(column: &Column, value: &Value) -> Result<(), Violation> {
    if column.minimum.is_none() && column.maximum.is_none() {
        return Ok(());
    }
    let Some(number) = number(value) else { return Ok(()) };
    let (side, bound) = match (column.minimum, column.maximum) {
        (Some(minimum), _) if number < minimum => ("below the least", minimum),
        (_, Some(maximum)) if number > maximum => ("above the greatest", maximum),
        _ => return Ok(()),
    };
    let bound = shown_bound(column.kind, bound);
    let message = format!("{} is {side} plausible value {bound}", shown_value(column, value));
    violation(
        "range",
        message,
        "correct it at the source, or widen the range of the contract",
    )
}

/// A value in the unit of the bounds of its column: see `Column::minimum`.
fn number(value: &Value) -> Option<Dec> {
    match value {
        Value::Int(i) => Some(Dec::from(*i)),
        Value::Dec(d) => Some(*d),
        Value::Date(d) => Some(days(*d)),
        Value::Instant(i) => Some(Dec::from(i.micros())),
        _ => None,
    }
}

fn shown_bound(kind: ColumnType, bound: Dec) -> String {
    let units = i64::try_from(bound.units()).unwrap_or_default();
    match kind {
        ColumnType::Date => {
            let date = chrono::TimeDelta::try_days(units).and_then(|d| time::Date::default().checked_add_signed(d));
            date.unwrap_or_default().to_string()
        }
        ColumnType::Instant => Instant::from_micros(units).to_string(),
        _ => bound.to_string(),
    }
}

/// The cross-column checks that a row fails; `values` in the order of the contract's columns (data columns first, the
/// others may be missing: a value that is not there is null).
pub fn row<'a>(contract: &'a Contract, values: &[Value]) -> Vec<&'a RowCheck> {
    contract.checks.iter().filter(|check| !holds(check, values)).collect()
}

fn holds(check: &RowCheck, values: &[Value]) -> bool {
    let get = |i: usize| values.get(i).unwrap_or(&Value::Null);
    let left = get(check.left);
    let condition = || match &check.right {
        Operand::Column(i) => !get(*i).is_null(),
        Operand::ColumnIs(i, text) => is_printed_as(get(*i), text),
        Operand::Number(_) | Operand::Text(_) => false,
    };
    match check.op {
        Op::PresentWhen => !left.is_null() || !condition(),
        Op::AbsentWhen => left.is_null() || !condition(),
        Op::ExclusiveWith => left.is_null() == condition(),
        _ => match compare(left, &check.right, get) {
            None => true,
            Some(order) => match check.op {
                Op::Less => order.is_lt(),
                Op::LessOrEqual => order.is_le(),
                Op::Greater => order.is_gt(),
                Op::GreaterOrEqual => order.is_ge(),
                Op::Equal => order.is_eq(),
                _ => order.is_ne(),
            },
        },
    }
}

fn is_printed_as(value: &Value, text: &str) -> bool {
    match value {
        Value::Null => false,
        Value::Text(value) => value.as_ref() == text,
        other => other.to_string() == text,
    }
}

/// The order of the two sides; `None` when either is null.
fn compare<'v>(left: &Value, right: &Operand, get: impl Fn(usize) -> &'v Value) -> Option<Ordering> {
    if left.is_null() {
        return None;
    }
    let right = match right {
        Operand::Column(i) => get(*i).clone(),
        Operand::Number(dec) => Value::Dec(*dec),
        Operand::Text(text) => match left {
            Value::Date(_) => Value::from(time::parse_date(text)),
            Value::Instant(_) => Value::from(Instant::parse(text).ok()),
            _ => Value::text(text),
        },
        Operand::ColumnIs(..) => Value::Null,
    };
    match (left, &right) {
        (_, Value::Null) => None,
        (Value::Int(_) | Value::Dec(_), Value::Int(_) | Value::Dec(_)) => Some(number(left)?.cmp(&number(&right)?)),
        _ => Some(left.cmp(&right)),
    }
}

/// Amounts with more decimals than their currency has: index of the column, and what is wrong. `values` as in [`row`].
/// An amount whose currency is missing or unknown is not judged here: the currency column is.
#[must_use]
pub fn money_decimals(contract: &Contract, values: &[Value]) -> Vec<(usize, Violation)> {
    let mut found = Vec::new();
    for (i, column) in contract.columns.iter().enumerate() {
        let Some(currency_column) = column.money else { continue };
        let (Some(Value::Dec(amount)), Some(Value::Text(code))) = (values.get(i), values.get(currency_column)) else {
            continue;
        };
        let Some(currency) = Currency::parse(code) else {
            continue;
        };
        if amount.rescale(currency.minor_digits()).is_none() {
            let message = format!(
                "{} has more than the {} decimals of {currency}",
                shown_value(column, &Value::Dec(*amount)),
                currency.minor_digits()
            );
            let remedy = "deliver whole minor units of the currency, or check the currency".to_owned();
            found.push((
                i,
                Violation {
                    rule: "money",
                    message,
                    remedy,
                },
            ));
        }
    }
    found
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
