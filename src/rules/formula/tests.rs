//! Formulas good and bad.

use super::{Formula, Use};

fn problem(text: &str) -> String {
    Formula::parse(text).unwrap_err().to_string()
}

#[test]
fn columns_have_a_use_and_denominators_are_known() {
    let formula = Formula::parse("100 * sum(if(kind = 'a', on_time, 0)) / sum(due) - count(late = true) / 4").unwrap();
    let uses: Vec<(&str, Use)> = formula
        .uses()
        .iter()
        .map(|(name, used)| (name.as_str(), *used))
        .collect();
    let expected = [
        ("due", Use::Number),
        ("kind", Use::Text),
        ("late", Use::Flag),
        ("on_time", Use::Number),
    ];
    assert_eq!(uses, expected);
    assert_eq!(formula.denominators, ["sum(due)"]);
    assert!(
        Formula::parse("sum(days(actual_on) - days(planned_on)) / 20 * 100")
            .unwrap()
            .denominators
            .is_empty()
    );
}

#[test]
fn what_is_no_formula_says_where_and_why() {
    let cases = [
        (
            "on_time / total",
            "character 1: the column on_time stands outside an aggregate",
        ),
        (
            "sum(a) sum(b)",
            "character 8: something follows where the formula should end",
        ),
        ("sum(a) / 0", "character 11: a division by zero"),
        ("sum(a", "character 6: ')' is missing"),
        ("sum(sum(a))", "character 5: sum stands within sum"),
        (
            "sum(a = 1)",
            "character 10: sum needs a number and was given a condition",
        ),
        ("avg(a)", "character 1: there is no function avg"),
        ("sum(a) + ", "character 10: the formula ends too early"),
        (
            "sum(a) + count(a = 'x')",
            "character 23: the column a is used as a number and as a text",
        ),
        ("1 ? 2", "character 3: '?' has no meaning here"),
        ("min(1)", "character 6: min does not take 1 values"),
        ("", "character 1: the formula ends too early"),
        ("1.2.3", "character 1: \"1.2.3\" is not a number of the form -123.45"),
    ];
    for (text, expected) in cases {
        assert_eq!(problem(text), expected, "{text}");
    }
    assert!(problem(&"(".repeat(5000)).contains("nested too deeply"));
    assert!(problem(&"-".repeat(5000)).contains("nested too deeply"));
}
