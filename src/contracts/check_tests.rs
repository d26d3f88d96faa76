//! Checking: golden messages, edges of ranges, operators, money.

use super::*;
use crate::contracts::samples::orders;

fn dec(text: &str) -> Value {
    Value::Dec(Dec::parse(text).unwrap())
}

fn date(text: &str) -> Value {
    Value::from(time::parse_date(text).unwrap())
}

/// "rule: message; remedy", or "ok".
fn told(column: &str, given: &Value) -> String {
    let contract = orders();
    let column = contract.columns.iter().find(|c| c.name == column).unwrap();
    match value(column, given) {
        Ok(()) => "ok".into(),
        Err(v) => format!("{}: {}; {}", v.rule, v.message, v.remedy),
    }
}

#[test]
fn golden_messages() {
    assert_eq!(
        told("order_id", &Value::Null),
        "required: is empty; deliver a value: the column is required"
    );
    assert_eq!(
        told("tier", &"bronze".into()),
        "allowed: 'bronze' is no allowed value; use one of: gold, silver"
    );
    assert_eq!(
        told("share", &dec("1.5")),
        "range: '1.5' is above the greatest plausible value 1; correct it at the source, or widen the range of the contract"
    );
    assert_eq!(
        told("ordered_on", &date("1999-12-31")),
        "range: '1999-12-31' is below the least plausible value 2000-01-01; correct it at the source, or widen the range of the contract"
    );
    assert_eq!(
        told("share", &dec("0.12345")),
        "decimals: has more than 4 decimals; deliver it unrounded in the unit of the contract, or round it at the source"
    );
    assert_eq!(
        told("share", &dec("12")),
        "digits: has more than 1 digits before the point; check the unit of the number"
    );
    assert_eq!(
        told("currency", &"eur".into()),
        "format: 'eur' is no currency; write an active code of ISO 4217, such as EUR"
    );
    assert_eq!(
        told("order_id", &" A".into()),
        "format: is no identifier: it begins or ends with a blank; deliver the identifier as it is kept"
    );
    assert_eq!(
        told("paid_on", &"2026".into()),
        "type: is a value of type text; it must be of type date"
    );
    assert_eq!(
        told("region", &"a\0".into()),
        "control: holds a NUL character; remove it"
    );
}

#[test]
fn edges_of_ranges_are_in() {
    for good in ["0", "1", "1.0000", "0.12340"] {
        assert_eq!(told("share", &dec(good)), "ok", "{good}");
    }
    assert_eq!(told("ordered_on", &date("2000-01-01")), "ok");
    assert_eq!(told("paid_on", &Value::Null), "ok");
}

#[test]
fn personal_values_and_long_texts_are_not_quoted() {
    assert_eq!(
        told("comment", &"Anna 0170".into()),
        "pattern: the value has another form; it must match ^[a-z ]+$"
    );
    let long = "x".repeat(5000);
    assert!(told("tier", &long.into()).len() < 120);
    assert!(told("tier", &"a\nb".into()).contains("'a\\nb'"));
}

/// A row of the sample up to paid_on, with what the checks look at.
fn order(tier: Value, amount: Value, currency: Value, paid_on: Value) -> Vec<Value> {
    let share = Value::Null;
    vec![
        "O1".into(),
        "emea".into(),
        "P1".into(),
        tier,
        share,
        amount,
        currency,
        date("2026-07-02"),
        paid_on,
    ]
}

fn failed(row: &[Value]) -> Vec<String> {
    super::row_values(&orders(), row).iter().map(|c| c.id.clone()).collect()
}

#[test]
fn row_checks_pass_on_null_and_hold_at_the_edge() {
    let null = || Value::Null;
    assert!(failed(&order(null(), null(), null(), null())).is_empty());
    assert!(failed(&order(null(), null(), null(), date("2026-07-02"))).is_empty());
    assert_eq!(
        failed(&order(null(), null(), null(), date("2026-07-01"))),
        ["paid-after-ordered"]
    );
    assert_eq!(
        failed(&order(null(), dec("1"), null(), null())),
        ["amount-has-currency"]
    );
    assert_eq!(failed(&order("gold".into(), null(), null(), null())), ["gold-is-paid"]);
    assert!(failed(&order("silver".into(), null(), null(), null())).is_empty());
}

#[test]
fn operators() {
    let check = |left, op, right| RowCheck {
        id: String::new(),
        severity: crate::contracts::model::CheckSeverity::Reject,
        left,
        op,
        right,
        description: String::new(),
    };
    // 0: 2, 1: 2.00, 2: null, 3: text, 4: instant
    let at = Value::from(Instant::parse("2026-10-12T06:00:00Z").unwrap());
    let row = [Value::Int(2), dec("2.00"), Value::Null, "x".into(), at];
    let passes = |left, op, right| holds(&check(left, op, right), &|i: usize| Cell::from(&row[i]));
    assert!(passes(0, Op::Equal, Operand::Column(1)) && passes(1, Op::GreaterOrEqual, Operand::Column(0)));
    assert!(!passes(0, Op::Less, Operand::Column(1)) && !passes(0, Op::NotEqual, Operand::Number(Dec::new(20, 1))));
    assert!(passes(0, Op::Less, Operand::Column(2)) && passes(2, Op::NotEqual, Operand::Column(2)));
    assert!(passes(3, Op::Equal, Operand::Text("x".into())) && !passes(3, Op::NotEqual, Operand::Text("x".into())));
    assert!(passes(
        4,
        Op::LessOrEqual,
        Operand::Text("2026-10-12T08:00:00+02:00".into())
    ));
    assert!(!passes(4, Op::Greater, Operand::Text("2026-10-12T06:00:00Z".into())));
    assert!(!passes(2, Op::PresentWhen, Operand::ColumnIs(0, "2".into())));
    assert!(!passes(3, Op::AbsentWhen, Operand::ColumnIs(0, "2".into())));
    assert!(passes(3, Op::AbsentWhen, Operand::ColumnIs(0, "3".into())));
    assert!(passes(3, Op::ExclusiveWith, Operand::Column(2)) && !passes(3, Op::ExclusiveWith, Operand::Column(0)));
    assert!(!passes(2, Op::ExclusiveWith, Operand::Column(2)));
}

#[test]
fn amounts_have_the_decimals_of_their_currency() {
    let told = |amount: &str, currency: &str| -> Vec<String> {
        let row = order(Value::Null, dec(amount), currency.into(), Value::Null);
        money_decimals_values(&orders(), &row)
            .into_iter()
            .map(|(i, v)| format!("{i} {}: {}", v.rule, v.message))
            .collect()
    };
    assert!(told("1.2500", "EUR").is_empty() && told("1.125", "KWD").is_empty() && told("100.0", "JPY").is_empty());
    assert_eq!(
        told("1.255", "EUR"),
        ["5 money: '1.255' has more than the 2 decimals of EUR"]
    );
    assert_eq!(
        told("0.5", "JPY"),
        ["5 money: '0.5' has more than the 0 decimals of JPY"]
    );
    assert!(told("0.5", "???").is_empty());
}

#[test]
fn a_column_that_evolves_holds_other_values_of_its_form() {
    let evolves = |format, allowed: &[&str]| Column {
        drift: Drift::Evolve,
        format,
        allowed: allowed.iter().map(|a| (*a).to_owned()).collect(),
        ..orders().columns.remove(2)
    };
    let tier = evolves(None, &["gold", "silver"]);
    assert_eq!(value(&tier, &"bronze".into()), Ok(()));
    assert!(!is_listed(&tier, Cell::Text("bronze")) && is_listed(&tier, Cell::Text("gold")));
    let list = evolves(Some(Format::List), &["a", "b"]);
    assert_eq!(value(&list, &"a|c".into()), Ok(()));
    assert!(!is_listed(&list, Cell::Text("a|c")) && is_listed(&list, Cell::Text("b|a")));
    assert_eq!(value(&list, &"a||c".into()).unwrap_err().rule, "format");
}
