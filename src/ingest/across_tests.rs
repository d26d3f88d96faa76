//! What holds fast is what the exact check says.

use proptest::prelude::*;

use super::super::fixtures::{column, contract, date, decimal};
use super::*;
use crate::contracts::check;
use crate::contracts::model::CheckSeverity;
use crate::domain::{Batch, Cell, CellKind, Value};

/// Two columns of each kind; the amounts are in the currency of the first text.
fn columns() -> Vec<Column> {
    let money = |name, scale| Column {
        money: Some(0),
        ..column(name, ColumnType::Decimal { precision: 30, scale })
    };
    vec![
        column("t", ColumnType::Text),
        column("u", ColumnType::Text),
        column("i", ColumnType::Int),
        column("j", ColumnType::Int),
        money("m", 4),
        money("n", 1),
        date("d"),
        date("e"),
        column("b", ColumnType::Bool),
        column("at", ColumnType::Instant),
        decimal("x"),
    ]
}

fn cells() -> impl Strategy<Value = Vec<Value>> {
    let text = || prop_oneof![Just(Value::Null), "EUR|JPY|KWD|ABC|E|x".prop_map(Value::from)];
    let int = || prop_oneof![Just(Value::Null), (-2..3_i64).prop_map(Value::Int)];
    let dec = |scale: u8| {
        let units = prop_oneof![-20_000..20_000_i128, Just(i128::from(i64::MAX) * 10), Just(30_000)];
        prop_oneof![
            Just(Value::Null),
            units.prop_map(move |u| Value::Dec(Dec::new(u, scale)))
        ]
    };
    let day = || prop_oneof![Just(Value::Null), (0..3_i32).prop_map(|d| Value::Date(batch::date(d)))];
    let flag = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::Bool)];
    let at = prop_oneof![
        Just(Value::Null),
        (0..3_i64).prop_map(|i| Value::Instant(crate::domain::Instant::from_micros(i)))
    ];
    (
        text(),
        text(),
        int(),
        int(),
        dec(4),
        dec(1),
        day(),
        day(),
        flag,
        at,
        dec(4),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i, j, k)| vec![a, b, c, d, e, f, g, h, i, j, k])
}

fn checks() -> Vec<RowCheck> {
    let all = [
        Op::Less,
        Op::LessOrEqual,
        Op::Greater,
        Op::GreaterOrEqual,
        Op::Equal,
        Op::NotEqual,
        Op::PresentWhen,
        Op::AbsentWhen,
        Op::ExclusiveWith,
    ];
    let sides = [
        (2, Operand::Column(3)),
        (2, Operand::Column(4)),
        (4, Operand::Column(10)),
        (4, Operand::Column(5)),
        (6, Operand::Column(7)),
        (0, Operand::Column(1)),
        (8, Operand::Column(8)),
        (9, Operand::Column(9)),
        (2, Operand::Number(Dec::new(1, 0))),
        (2, Operand::Number(Dec::new(15, 1))),
        (4, Operand::Number(Dec::new(3, 0))),
        (0, Operand::Text("EUR".into())),
        (6, Operand::Text("1970-01-02".into())),
        (2, Operand::ColumnIs(0, "x".into())),
        (0, Operand::ColumnIs(2, "1".into())),
        (6, Operand::ColumnIs(8, "true".into())),
        (0, Operand::Column(12)),
    ];
    let check = |left: usize, right: &Operand, op| RowCheck {
        id: format!("{left} {op:?} {right:?}"),
        severity: CheckSeverity::Reject,
        left,
        op,
        right: right.clone(),
        description: String::new(),
    };
    sides
        .iter()
        .flat_map(|(left, right)| all.map(|op| check(*left, right, op)))
        .collect()
}

proptest! {
    #[test]
    fn fast_and_exact_checks_agree(rows in proptest::collection::vec(cells(), 1..5)) {
        let columns = columns();
        let kinds = [
            CellKind::Text, CellKind::Text, CellKind::Int, CellKind::Int, CellKind::Dec { scale: 4 },
            CellKind::Dec { scale: 1 }, CellKind::Date, CellKind::Date, CellKind::Bool, CellKind::Instant,
            CellKind::Dec { scale: 4 },
        ];
        let mut batch = Batch::new(&kinds);
        for row in &rows {
            batch.push_row(1, row);
        }
        let mut contract = contract("t", &columns, &[0]);
        for check in checks() {
            contract.checks = vec![check];
            let across = Across::new(&contract, &columns);
            for (row, values) in rows.iter().enumerate() {
                let get = |i: usize| batch.columns.get(i).map_or(Cell::Null, |c| c.get(row));
                if across.holds(&batch.columns, row) {
                    let broken = check::row(&contract, get);
                    prop_assert!(broken.is_empty(), "{:?} {:?}", broken, values);
                }
            }
        }
        let mut across = Across::new(&contract, &columns);
        for (row, values) in rows.iter().enumerate() {
            let get = |i: usize| batch.columns.get(i).map_or(Cell::Null, |c| c.get(row));
            if across.money_is_right(&batch.columns, row) {
                let wrong = check::money_decimals(&contract, get);
                prop_assert!(wrong.is_empty(), "{:?} {:?}", wrong, values);
            }
        }
    }
}

#[test]
fn what_is_common_is_known_fast() {
    let columns = columns();
    let mut contract = contract("t", &columns, &[0]);
    contract.checks = checks();
    contract
        .checks
        .retain(|c| c.id == "6 LessOrEqual Column(7)" || c.id == "2 NotEqual Number(Dec { units: 1, scale: 0 })");
    assert_eq!(contract.checks.len(), 2);
    let across = Across::new(&contract, &columns);
    assert!(across.checks.iter().all(|(_, quick)| !matches!(quick, Quick::Exact)));
}
