//! Checks across the columns of one row, fast.
//!
//! Duty: tell of most rows that nothing is wrong, from the columns as they are held. Not its duty: saying what is wrong:
//! `contracts::check` says what holds, and is asked about every other row.

use std::cmp::Ordering;

use crate::contracts::Contract;
use crate::contracts::model::{Column, ColumnType, Op, Operand, RowCheck};
use crate::domain::batch::{self, Cells};
use crate::domain::{Currency, Dec};

/// The checks of a contract, prepared.
pub(super) struct Across<'a> {
    money: Vec<Money>,
    checks: Vec<(&'a RowCheck, Quick)>,
    /// Minor digits of the currencies met so far.
    currencies: Vec<([u8; 3], u8)>,
}

struct Money {
    amount: usize,
    currency: usize,
    scale: u8,
}

const POWERS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// How a check is done on the columns.
enum Quick {
    /// Only the exact check knows.
    Exact,
    /// Whole numbers, dates and instants, or decimals of one scale.
    Columns(usize),
    /// In units of the left column.
    Number(i64),
    Texts(usize),
    Text(Box<[u8]>),
    Present(usize),
    /// The column holds this text.
    PresentText(usize, Box<[u8]>),
}

impl<'a> Across<'a> {
    /// `columns` are the delivered ones: what a check says of others is left to the exact one.
    pub(super) fn new(contract: &'a Contract, columns: &[Column]) -> Across<'a> {
        let money = columns.iter().enumerate().filter_map(|(amount, column)| {
            let ColumnType::Decimal { scale, .. } = column.kind else {
                return None;
            };
            let currency = column.money?;
            Some(Money {
                amount,
                currency,
                scale,
            })
        });
        let checks = contract.checks.iter().map(|check| (check, quick(check, columns)));
        Across {
            money: money.collect(),
            checks: checks.collect(),
            currencies: Vec::new(),
        }
    }

    /// Whether no amount of the row can have more decimals than its currency; `false`: ask the exact check.
    pub(super) fn money_is_right(&mut self, columns: &[batch::Column], row: usize) -> bool {
        let Across { money, currencies, .. } = self;
        // amounts of a row mostly share their currency
        let mut last = (usize::MAX, 0);
        money.iter().all(|money| {
            let column = &columns[money.amount];
            let Cells::Dec { units, .. } = &column.cells else {
                return false;
            };
            if last.0 != money.currency {
                let Some(code) = columns[money.currency].text_bytes(row) else {
                    return true;
                };
                let Some(digits) = minor_digits(currencies, code) else {
                    return false;
                };
                last = (money.currency, digits);
            }
            let more = usize::from(money.scale.saturating_sub(last.1));
            match (POWERS.get(more), u64::try_from(units[row].unsigned_abs())) {
                (Some(power), Ok(units)) => units % power == 0 || !column.validity.is_valid(row),
                _ => false,
            }
        })
    }

    /// Whether all checks of the contract hold; `false`: ask the exact one.
    pub(super) fn holds(&self, columns: &[batch::Column], row: usize) -> bool {
        self.checks
            .iter()
            .all(|(check, quick)| holds(check, quick, columns, row))
    }
}

fn minor_digits(known: &mut Vec<([u8; 3], u8)>, code: &[u8]) -> Option<u8> {
    /// More currencies than a file has.
    const MOST: usize = 32;
    let code: [u8; 3] = code.try_into().ok()?;
    if let Some((_, digits)) = known.iter().find(|(c, _)| *c == code) {
        return Some(*digits);
    }
    let digits = Currency::parse(std::str::from_utf8(&code).ok()?)?.minor_digits();
    if known.len() < MOST {
        known.push((code, digits));
    }
    Some(digits)
}

fn quick(check: &RowCheck, columns: &[Column]) -> Quick {
    let Some(left) = columns.get(check.left) else {
        return Quick::Exact;
    };
    match (check.op, &check.right) {
        (Op::PresentWhen | Op::AbsentWhen | Op::ExclusiveWith, Operand::Column(right)) if *right < columns.len() => {
            Quick::Present(*right)
        }
        (Op::PresentWhen | Op::AbsentWhen, Operand::ColumnIs(right, text)) => match columns.get(*right) {
            Some(column) if column.kind == ColumnType::Text => Quick::PresentText(*right, text.as_bytes().into()),
            _ => Quick::Exact,
        },
        (Op::PresentWhen | Op::AbsentWhen | Op::ExclusiveWith, _) => Quick::Exact,
        (_, Operand::Column(right)) => match columns.get(*right) {
            Some(column) if column.kind == ColumnType::Text && left.kind == ColumnType::Text => Quick::Texts(*right),
            Some(column) if is_counted(left.kind) && same_unit(left.kind, column.kind) => Quick::Columns(*right),
            _ => Quick::Exact,
        },
        (_, Operand::Number(number)) => match units(left.kind, *number) {
            Some(units) => Quick::Number(units),
            None => Quick::Exact,
        },
        (_, Operand::Text(text)) if left.kind == ColumnType::Text => Quick::Text(text.as_bytes().into()),
        _ => Quick::Exact,
    }
}

fn is_counted(kind: ColumnType) -> bool {
    !matches!(kind, ColumnType::Text | ColumnType::Bool)
}

fn same_unit(a: ColumnType, b: ColumnType) -> bool {
    match (a, b) {
        (ColumnType::Decimal { scale: a, .. }, ColumnType::Decimal { scale: b, .. }) => a == b,
        _ => a == b,
    }
}

fn units(kind: ColumnType, number: Dec) -> Option<i64> {
    let scale = match kind {
        ColumnType::Int => 0,
        ColumnType::Decimal { scale, .. } => scale,
        _ => return None,
    };
    i64::try_from(number.rescale(scale)?.units()).ok()
}

fn holds(check: &RowCheck, quick: &Quick, columns: &[batch::Column], row: usize) -> bool {
    let has = |column: usize| columns[column].validity.is_valid(row);
    let order = match quick {
        Quick::Exact => return false,
        Quick::Present(right) => return holds_of_presence(check.op, has(check.left), has(*right)),
        Quick::PresentText(right, text) => {
            let is_text = columns[*right].text_bytes(row) == Some(text);
            return holds_of_presence(check.op, has(check.left), is_text);
        }
        Quick::Columns(right) if has(check.left) && has(*right) => order(&columns[check.left], &columns[*right], row),
        Quick::Number(number) if has(check.left) => {
            number_at(&columns[check.left], row).map(|n| n.cmp(&(*number).into()))
        }
        Quick::Texts(right) => match (columns[check.left].text_bytes(row), columns[*right].text_bytes(row)) {
            (Some(left), Some(right)) => Some(left.cmp(right)),
            _ => return true,
        },
        Quick::Text(text) => match columns[check.left].text_bytes(row) {
            Some(left) => Some(left.cmp(text)),
            None => return true,
        },
        // a comparison with null holds
        _ => return true,
    };
    order.is_some_and(|order| match check.op {
        Op::Less => order.is_lt(),
        Op::LessOrEqual => order.is_le(),
        Op::Greater => order.is_gt(),
        Op::GreaterOrEqual => order.is_ge(),
        Op::Equal => order.is_eq(),
        Op::NotEqual => order.is_ne(),
        Op::PresentWhen | Op::AbsentWhen | Op::ExclusiveWith => false,
    })
}

fn holds_of_presence(op: Op, left: bool, condition: bool) -> bool {
    match op {
        Op::PresentWhen => left || !condition,
        Op::AbsentWhen => !left || !condition,
        _ => left != condition,
    }
}

fn number_at(column: &batch::Column, row: usize) -> Option<i128> {
    match &column.cells {
        Cells::Int(v) | Cells::Instant(v) => Some(v[row].into()),
        Cells::Dec { units, .. } => Some(units[row]),
        Cells::Date(v) => Some(v[row].into()),
        Cells::Text { .. } | Cells::Bool(_) => None,
    }
}

fn order(left: &batch::Column, right: &batch::Column, row: usize) -> Option<Ordering> {
    Some(number_at(left, row)?.cmp(&number_at(right, row)?))
}

#[cfg(test)]
#[path = "across_tests.rs"]
mod tests;
