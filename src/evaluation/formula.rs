//! The value of a formula over the rows of a measure.
//!
//! Duty: exact rationals from rows and a checked tree. Not its duty: reading formulas (`rules::formula`), what a missing
//! value means for the metric (`own`).

use crate::domain::{Ratio, Row, Value};
use crate::rules::formula::{Aggregate, Arithmetic, Compare, Expr, Function};

/// The rows of one partner × domain × period, with the names of their columns.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    pub columns: &'a [String],
    pub rows: &'a [Row],
}

/// Why a formula has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoValue {
    /// A denominator is zero.
    Denominator,
    /// The largest or smallest of no rows.
    NoRows,
}

/// The number that a formula gives.
pub fn number(expr: &Expr, rows: Rows) -> Result<Ratio, NoValue> {
    let found = value(expr, rows, None)?;
    match found {
        Found::Number(number) => Ok(number),
        // the checked tree gives a number; null only where no row had one
        _ => Err(NoValue::NoRows),
    }
}

/// The value of each aggregate of a formula, in the order of its text.
#[must_use]
pub fn aggregates<'e>(expr: &'e Expr, rows: Rows) -> Vec<(&'e Expr, Option<Ratio>)> {
    let mut found = Vec::new();
    walk(expr, &mut |part| {
        if matches!(part, Expr::Aggregate(..)) {
            found.push((part, number(part, rows).ok()));
        }
    });
    found
}

fn walk<'e>(expr: &'e Expr, visit: &mut impl FnMut(&'e Expr)) {
    visit(expr);
    match expr {
        Expr::Negative(a) | Expr::Not(a) => walk(a, visit),
        Expr::Arithmetic(_, a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) => {
            walk(a, visit);
            walk(b, visit);
        }
        Expr::If(a, b, c) => [a, b, c].into_iter().for_each(|part| walk(part, visit)),
        Expr::Call(_, parts) => parts.iter().for_each(|part| walk(part, visit)),
        Expr::Aggregate(..) | Expr::Number(_) | Expr::Text(_) | Expr::Flag(_) | Expr::Column(_) => {}
    }
}

#[derive(Clone, Debug)]
enum Found {
    Number(Ratio),
    Text(String),
    Flag(bool),
    Null,
}

/// A part over one row, or over all of them; null where a column is.
fn value(expr: &Expr, rows: Rows, row: Option<&Row>) -> Result<Found, NoValue> {
    let at = |part: &Expr| value(part, rows, row);
    Ok(match expr {
        Expr::Number(number) => Found::Number(number.clone()),
        Expr::Text(text) => Found::Text(text.clone()),
        Expr::Flag(flag) => Found::Flag(*flag),
        Expr::Column(name) => column(rows, row, name),
        Expr::Negative(inner) => match at(inner)? {
            Found::Number(number) => Found::Number(-number),
            other => other,
        },
        Expr::Arithmetic(op, a, b) => arithmetic(*op, &at(a)?, &at(b)?)?,
        Expr::Compare(op, a, b) => compare(*op, &at(a)?, &at(b)?),
        Expr::And(a, b) => match (at(a)?, at(b)?) {
            (Found::Flag(false), _) | (_, Found::Flag(false)) => Found::Flag(false),
            (Found::Flag(true), Found::Flag(true)) => Found::Flag(true),
            _ => Found::Null,
        },
        Expr::Or(a, b) => match (at(a)?, at(b)?) {
            (Found::Flag(true), _) | (_, Found::Flag(true)) => Found::Flag(true),
            (Found::Flag(false), Found::Flag(false)) => Found::Flag(false),
            _ => Found::Null,
        },
        Expr::Not(inner) => match at(inner)? {
            Found::Flag(flag) => Found::Flag(!flag),
            other => other,
        },
        // only the branch taken is computed: it may guard a division
        Expr::If(condition, yes, no) => match at(condition)? {
            Found::Flag(true) => at(yes)?,
            Found::Flag(false) => at(no)?,
            _ => Found::Null,
        },
        Expr::Call(function, parts) => call(*function, parts.iter().map(at).collect::<Result<Vec<_>, _>>()?),
        Expr::Aggregate(aggregate, inner) => Found::Number(over_rows(*aggregate, inner, rows)?),
    })
}

fn column(rows: Rows, row: Option<&Row>, name: &str) -> Found {
    let place = rows.columns.iter().position(|column| column == name);
    match place.and_then(|i| row?.get(i)) {
        Some(Value::Int(number)) => Found::Number(Ratio::int(*number)),
        Some(Value::Dec(number)) => Found::Number(number.ratio()),
        Some(Value::Bool(flag)) => Found::Flag(*flag),
        Some(Value::Null) | None => Found::Null,
        Some(Value::Date(day)) => {
            let epoch = chrono::NaiveDate::default();
            Found::Number(Ratio::int(day.signed_duration_since(epoch).num_days()))
        }
        Some(other) => Found::Text(other.to_string()),
    }
}

fn arithmetic(op: Arithmetic, a: &Found, b: &Found) -> Result<Found, NoValue> {
    let (Found::Number(a), Found::Number(b)) = (a, b) else {
        return Ok(Found::Null);
    };
    Ok(Found::Number(match op {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a.checked_div(b).ok_or(NoValue::Denominator)?,
    }))
}

fn compare(op: Compare, a: &Found, b: &Found) -> Found {
    let ordering = match (a, b) {
        (Found::Number(a), Found::Number(b)) => a.cmp(b),
        (Found::Text(a), Found::Text(b)) => a.cmp(b),
        (Found::Flag(a), Found::Flag(b)) => a.cmp(b),
        _ => return Found::Null,
    };
    Found::Flag(match op {
        Compare::Equal => ordering.is_eq(),
        Compare::NotEqual => ordering.is_ne(),
        Compare::Less => ordering.is_lt(),
        Compare::LessOrEqual => ordering.is_le(),
        Compare::Greater => ordering.is_gt(),
        Compare::GreaterOrEqual => ordering.is_ge(),
    })
}

fn call(function: Function, values: Vec<Found>) -> Found {
    let mut numbers = Vec::new();
    for value in values {
        match value {
            Found::Number(number) => numbers.push(number),
            _ => return Found::Null,
        }
    }
    let found = match function {
        Function::Min => numbers.into_iter().min(),
        Function::Max => numbers.into_iter().max(),
        Function::Abs => numbers.first().map(Ratio::abs),
        Function::Days => numbers.into_iter().next(),
    };
    found.map_or(Found::Null, Found::Number)
}

/// An aggregate; rows in which the part is null are passed over.
fn over_rows(aggregate: Aggregate, inner: &Expr, rows: Rows) -> Result<Ratio, NoValue> {
    let (mut sum, mut count) = (Ratio::zero(), 0i64);
    let (mut largest, mut smallest): (Option<Ratio>, Option<Ratio>) = (None, None);
    for row in rows.rows {
        match value(inner, rows, Some(row))? {
            Found::Flag(true) => count = count.saturating_add(1),
            Found::Number(number) => {
                sum = &sum + &number;
                largest = Some(largest.map_or_else(|| number.clone(), |l| l.max(number.clone())));
                smallest = Some(smallest.map_or_else(|| number.clone(), |s| s.min(number.clone())));
            }
            _ => {}
        }
    }
    match aggregate {
        Aggregate::Sum => Ok(sum),
        Aggregate::Count => Ok(Ratio::int(count)),
        Aggregate::Largest => largest.ok_or(NoValue::NoRows),
        Aggregate::Smallest => smallest.ok_or(NoValue::NoRows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Dec;
    use crate::domain::time::parse_date;
    use crate::evaluation::testing::dec;
    use crate::rules::formula::Formula;

    fn of(text: &str) -> Result<Ratio, NoValue> {
        let day = |t: &str| Value::Date(parse_date(t).unwrap());
        let columns: Vec<String> = ["kind", "n", "x", "late", "on"].map(str::to_owned).into();
        let rows: Vec<Row> = vec![
            vec![
                "a".into(),
                3.into(),
                Value::Dec(Dec::parse("1.5").unwrap()),
                true.into(),
                day("2026-11-27"),
            ],
            vec!["b".into(), 9.into(), Value::Null, false.into(), day("2026-11-15")],
        ];
        let rows = Rows {
            columns: &columns,
            rows: &rows,
        };
        number(&Formula::parse(text).unwrap().expr, rows)
    }

    #[test]
    fn over_rows_and_their_sums() {
        let cases = [
            ("sum(n)", "12"),
            // the row without x is passed over
            ("sum(n * x)", "4.5"),
            ("sum(min(n, 8))", "11"),
            ("sum(if(kind = 'a', n, 0)) / sum(n)", "0.25"),
            ("count(late = true or n > 8)", "2"),
            ("count(not late = true)", "1"),
            ("largest(days(on)) - smallest(days(on))", "12"),
            ("-sum(n) + 2 * (3 - abs(-4)) - max(1, 2, 3)", "-17"),
            ("if(sum(n) = 12 and sum(x) < 2, 1, 1 / sum(x))", "1"),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text), Ok(dec(expected)), "{text}");
        }
    }

    #[test]
    fn nothing_to_compute_with_is_told() {
        assert_eq!(of("sum(n) / (sum(n) - 12)"), Err(NoValue::Denominator));
        assert_eq!(of("smallest(if(kind = 'c', n, x - x / 0.5))").map(|_| ()), Ok(()));
        assert!(of("largest(x + days(on) * x)").is_ok());
    }
}
