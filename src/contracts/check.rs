//! Checks values and rows by a contract.
//!
//! Duty: say what is wrong with a typed value or row, and what to do. Pure and cheap: it runs on every field that is
//! read. Not its duty: parsing texts into values, and what becomes of a row that fails (ingestion decides by severity).

use std::cmp::Ordering;

use super::formats::format;
use super::model::{Column, ColumnType, Contract, Drift, Format, Op, Operand, RowCheck};
use super::rules::days;
use crate::domain::{Cell, Currency, Dec, Instant, Value, time};

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
    cell(column, Cell::from(value))
}

/// As [`value`], of a cell.
pub fn cell(column: &Column, cell: Cell<'_>) -> Result<(), Violation> {
    match cell {
        Cell::Null if column.required => {
            return violation("required", "is empty".into(), "deliver a value: the column is required");
        }
        Cell::Null => return Ok(()),
        _ => {}
    }
    kind(column, cell)?;
    if let Cell::Text(text) = cell {
        if text.contains('\0') {
            return violation("control", "holds a NUL character".into(), "remove it");
        }
        format(column, text)?;
    }
    allowed(column, cell)?;
    range(column, cell)?;
    if let (Some(pattern), Cell::Text(text)) = (&column.pattern, cell)
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
            format!("{} has another form", shown_cell(column, cell)),
            format!("it must match {shown}"),
        );
    }
    Ok(())
}

/// The value for a message, shortened; that of a personal column is not shown.
pub(super) fn shown_cell(column: &Column, cell: Cell<'_>) -> String {
    const LONGEST: usize = 40;
    if column.personal {
        return "the value".into();
    }
    let text = cell.value().to_string();
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("'{shown}'")
}

fn kind(column: &Column, cell: Cell<'_>) -> Result<(), Violation> {
    let (fits, expected) = match column.kind {
        ColumnType::Text => (matches!(cell, Cell::Text(_)), "text"),
        ColumnType::Int => (matches!(cell, Cell::Int(_)), "integer"),
        ColumnType::Bool => (matches!(cell, Cell::Bool(_)), "boolean"),
        ColumnType::Date => (matches!(cell, Cell::Date(_)), "date"),
        ColumnType::Instant => (matches!(cell, Cell::Instant(_)), "instant"),
        ColumnType::Decimal { precision, scale } => match cell {
            Cell::Dec(dec) => return size(dec, precision, scale),
            _ => (false, "decimal"),
        },
    };
    if fits {
        return Ok(());
    }
    violation(
        "type",
        format!("is a value of type {}", cell.value().kind()),
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

fn allowed(column: &Column, cell: Cell<'_>) -> Result<(), Violation> {
    if column.drift == Drift::Evolve || is_listed(column, cell) {
        return Ok(());
    }
    let message = format!("{} is no allowed value", shown_cell(column, cell));
    violation("allowed", message, format!("use one of: {}", column.allowed.join(", ")))
}

/// Whether a value is among the allowed ones, of a list every item. A column whose drift is `evolve` holds others too.
pub fn is_listed(column: &Column, cell: Cell<'_>) -> bool {
    let among = |text: &str| column.allowed.iter().any(|a| a == text);
    match cell {
        _ if column.allowed.is_empty() => true,
        Cell::Null => true,
        Cell::Text(text) if column.format == Some(Format::List) => text.split('|').all(among),
        Cell::Text(text) => among(text),
        other => among(&other.value().to_string()),
    }
}

fn range(column: &Column, cell: Cell<'_>) -> Result<(), Violation> {
    if column.minimum.is_none() && column.maximum.is_none() {
        return Ok(());
    }
    let Some(number) = number(cell) else { return Ok(()) };
    let (side, bound) = match (column.minimum, column.maximum) {
        (Some(minimum), _) if number < minimum => ("below the least", minimum),
        (_, Some(maximum)) if number > maximum => ("above the greatest", maximum),
        _ => return Ok(()),
    };
    let bound = shown_bound(column.kind, bound);
    let message = format!("{} is {side} plausible value {bound}", shown_cell(column, cell));
    violation(
        "range",
        message,
        "correct it at the source, or widen the range of the contract",
    )
}

/// A value in the unit of the bounds of its column: see `Column::minimum`.
fn number(cell: Cell<'_>) -> Option<Dec> {
    match cell {
        Cell::Int(i) => Some(Dec::from(i)),
        Cell::Dec(d) => Some(d),
        Cell::Date(d) => Some(days(d)),
        Cell::Instant(i) => Some(Dec::from(i.micros())),
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

/// The cross-column checks that a row fails; `get` gives the cell of a column by its index in the contract, null where
/// there is none.
pub fn row<'a, 'v>(contract: &'a Contract, get: impl Fn(usize) -> Cell<'v>) -> Vec<&'a RowCheck> {
    contract.checks.iter().filter(|check| !holds(check, &get)).collect()
}

/// As [`row`]; `values` in the order of the contract's columns (data columns first, the others may be missing).
pub fn row_values<'a>(contract: &'a Contract, values: &[Value]) -> Vec<&'a RowCheck> {
    row(contract, |i| values.get(i).map_or(Cell::Null, Cell::from))
}

/// Whether one check holds.
pub fn holds<'v>(check: &RowCheck, get: &impl Fn(usize) -> Cell<'v>) -> bool {
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

fn is_printed_as(cell: Cell<'_>, text: &str) -> bool {
    match cell {
        Cell::Null => false,
        Cell::Text(cell) => cell == text,
        other => other.value().to_string() == text,
    }
}

/// The order of the two sides; `None` when either is null.
fn compare<'v>(left: Cell<'v>, right: &Operand, get: &impl Fn(usize) -> Cell<'v>) -> Option<Ordering> {
    if left.is_null() {
        return None;
    }
    match right {
        Operand::Column(i) => order(left, get(*i)),
        Operand::Number(dec) => order(left, Cell::Dec(*dec)),
        Operand::Text(text) => match left {
            Cell::Date(_) => order(left, time::parse_date(text).map_or(Cell::Null, Cell::Date)),
            Cell::Instant(_) => order(left, Instant::parse(text).map_or(Cell::Null, Cell::Instant)),
            _ => order(left, Cell::Text(text)),
        },
        Operand::ColumnIs(..) => None,
    }
}

fn order(left: Cell<'_>, right: Cell<'_>) -> Option<Ordering> {
    match (left, right) {
        (_, Cell::Null) => None,
        (Cell::Text(a), Cell::Text(b)) => Some(a.cmp(b)),
        (Cell::Int(a), Cell::Int(b)) => Some(a.cmp(&b)),
        (Cell::Date(a), Cell::Date(b)) => Some(a.cmp(&b)),
        (Cell::Instant(a), Cell::Instant(b)) => Some(a.cmp(&b)),
        (Cell::Int(_) | Cell::Dec(_), Cell::Int(_) | Cell::Dec(_)) => Some(number(left)?.cmp(&number(right)?)),
        _ => Some(left.value().cmp(&right.value())),
    }
}

/// Amounts with more decimals than their currency has: index of the column, and what is wrong. `get` as in [`row`].
/// An amount whose currency is missing or unknown is not judged here: the currency column is.
pub fn money_decimals<'v>(contract: &Contract, get: impl Fn(usize) -> Cell<'v>) -> Vec<(usize, Violation)> {
    let mut found = Vec::new();
    for (i, column) in contract.columns.iter().enumerate() {
        let Some(currency_column) = column.money else { continue };
        let (Cell::Dec(amount), Cell::Text(code)) = (get(i), get(currency_column)) else {
            continue;
        };
        let Some(currency) = Currency::parse(code) else {
            continue;
        };
        if amount.rescale(currency.minor_digits()).is_none() {
            let message = format!(
                "{} has more than the {} decimals of {currency}",
                shown_cell(column, Cell::Dec(amount)),
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

/// As [`money_decimals`]; `values` as in [`row_values`].
pub fn money_decimals_values(contract: &Contract, values: &[Value]) -> Vec<(usize, Violation)> {
    money_decimals(contract, |i| values.get(i).map_or(Cell::Null, Cell::from))
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
