//! Texts to values, and what is refused.

use super::super::fixtures::{column, contract, date, required, source};
use super::*;
use crate::contracts::model::{ColumnType, Format};

/// The value of a column's text by a source, or the rule it breaks.
fn read_as(keys: &str, column: Column, text: &str) -> String {
    let source = source(&format!("feed = 't'\n{keys}"));
    let contract = contract("t", &[column], &[0]);
    let reading = Reading::new(&source, &contract);
    match reading.cell(0, text) {
        Ok((Cell::Null, _)) => "null".to_owned(),
        Ok((cell, _)) => cell.value().to_string(),
        Err(fault) => format!("! {}", fault.rule),
    }
}

fn fault(keys: &str, column: Column, text: &str) -> Fault {
    let source = source(&format!("feed = 't'\n{keys}"));
    let contract = contract("t", &[column], &[0]);
    Reading::new(&source, &contract).cell(0, text).unwrap_err()
}

fn amount() -> Column {
    column("amount", ColumnType::Decimal { precision: 9, scale: 2 })
}

const GERMAN: &str = "decimal_mark = ','\ngrouping_mark = '.'";

#[test]
fn decimals_by_the_strict_grammar() {
    let read = |text| read_as("", amount(), text);
    assert_eq!(read("1234.5"), "1234.50");
    assert_eq!(read("-0"), "0.00");
    assert_eq!(read(" 1 "), "1.00");
    for bad in [
        "1,50", "1.234,50", "1'234.50", "1,234.50", "$1.00", "(1.00)", "1.00-", "+1", "1e3", "0x10", "1_000", "NaN",
        "inf", ".5", "5.", "--1", "1 000",
    ] {
        assert_eq!(read(bad), "! decimal.grammar", "{bad}");
    }
    assert_eq!(read("1.005"), "! decimal.scale");
    assert_eq!(read("12345678.00"), "! decimal.size");
    assert_eq!(read(&"9".repeat(60)), "! decimal.size");
}

#[test]
fn marks_count_only_where_declared_and_in_threes() {
    let read = |text| read_as(GERMAN, amount(), text);
    assert_eq!(read("1.234,5"), "1234.50");
    assert_eq!(read("-1.234.567,25"), "-1234567.25");
    assert_eq!(read("1234,5"), "1234.50");
    assert_eq!(read("1.234"), "1234.00");
    for bad in [
        "1.23", "12.34,5", "1234.567", ".234", "1..234", "1.234.", "1,234.5", "1.2345", "1,", ",5", "-.123", "1,23,4",
    ] {
        assert_eq!(read(bad), "! decimal.grammar", "{bad}");
    }
    assert_eq!(
        read_as("grouping_mark = \"\\u00A0\"", amount(), "1\u{A0}234.5"),
        "1234.50"
    );
    assert_eq!(read_as("grouping_mark = ' '", amount(), "1 234.5"), "1234.50");
}

#[test]
fn look_alike_digits_are_named_by_code_point() {
    for (text, point) in [
        ("１２", "U+FF11"),
        ("\u{2212}5", "U+2212"),
        ("1\u{A0}000", "U+00A0"),
        ("٣", "U+0663"),
    ] {
        let fault = fault("", amount(), text);
        assert_eq!(fault.rule, "number.character");
        assert!(fault.reason.contains(point), "{}", fault.reason);
    }
}

#[test]
fn integers() {
    let read = |text| read_as(GERMAN, column("quantity", ColumnType::Int), text);
    assert_eq!(read("1.234"), "1234");
    assert_eq!(read("-7"), "-7");
    for bad in ["1,0", "1e3", "1,5", "x"] {
        assert_eq!(read(bad), "! integer.grammar", "{bad}");
    }
    assert_eq!(read("9223372036854775808"), "! integer.size");
}

#[test]
fn identifiers_are_texts() {
    let id = || Column {
        format: Some(Format::Id),
        ..column("id", ColumnType::Text)
    };
    for text in ["00123", "1E5", "TRUE", "null", "NA", "2-1"] {
        assert_eq!(read_as("", id(), text), text);
    }
    assert_eq!(read_as("", id(), "a\u{202E}b"), "! value.format");
}

#[test]
fn only_declared_texts_are_null() {
    let text = || column("t", ColumnType::Text);
    assert_eq!(read_as("", text(), ""), "null");
    assert_eq!(read_as("", text(), "  "), "null");
    assert_eq!(read_as("", text(), "N/A"), "N/A");
    assert_eq!(read_as("null_tokens = ['N/A', '-']", text(), " N/A "), "null");
    assert_eq!(read_as("null_tokens = ['-']", amount(), "-"), "null");
    assert_eq!(read_as("", amount(), "-"), "! decimal.grammar");
    assert_eq!(
        read_as("null_tokens = ['-']", required(amount()), "-"),
        "! value.required"
    );
    assert_eq!(read_as("", required(text()), ""), "! value.required");
}

#[test]
fn booleans_are_true_and_false_unless_mapped() {
    let flag = || column("flag", ColumnType::Bool);
    assert_eq!(read_as("", flag(), "true"), "true");
    for bad in ["TRUE", "1", "yes"] {
        assert_eq!(read_as("", flag(), bad), "! boolean.grammar");
    }
    let map = "values = { flag = { yes = 'true', no = 'false', '?' = '' } }";
    assert_eq!(
        [
            read_as(map, flag(), "yes"),
            read_as(map, flag(), " no"),
            read_as(map, flag(), "?")
        ],
        ["true", "false", "null"]
    );
    assert_eq!(read_as(map, flag(), "Yes"), "! boolean.grammar");
}

#[test]
fn dates_by_the_declared_formats_only() {
    let read = |keys, text| read_as(keys, date("d"), text);
    assert_eq!(read("", "2024-02-29"), "2024-02-29");
    for bad in [
        "01/02/2003",
        "2026-2-3",
        "2023-02-29",
        "2026-13-01",
        "45123",
        "2026-02-03T00:00:00Z",
    ] {
        assert_eq!(read("", bad), "! date.grammar", "{bad}");
    }
    assert_eq!(read("date_formats = ['%d.%m.%Y']", "03.02.2026"), "2026-02-03");
    assert_eq!(read("date_formats = ['%m/%d/%Y']", "02/03/2026"), "2026-02-03");
    assert_eq!(read("date_formats = ['%m/%d/%Y']", "2026-02-03"), "! date.grammar");
    let both = "date_formats = ['%d/%m/%Y', '%m/%d/%Y']";
    assert_eq!(read(both, "13/12/2026"), "2026-12-13");
    assert_eq!(read(both, "01/02/2026"), "! date.ambiguous");
    assert_eq!(read(both, "02/02/2026"), "2026-02-02");
}

#[test]
fn implausible_dates_are_rejected() {
    for bad in ["0001-01-01", "1970-01-01", "1989-12-31", "2101-01-01", "9999-12-31"] {
        assert_eq!(read_as("", date("ordered_on"), bad), "! date.window", "{bad}");
    }
    for good in ["1990-01-01", "2100-12-31"] {
        assert_eq!(read_as("", date("ordered_on"), good), good);
    }
    for name in ["valid_to", "expires_on"] {
        assert_eq!(read_as("", date(name), "9999-12-31"), "9999-12-31");
        assert_eq!(read_as("", date(name), "9999-12-30"), "! date.window");
    }
}

#[test]
fn instants_with_an_offset() {
    let at = || column("at", ColumnType::Instant);
    assert_eq!(read_as("", at(), "2026-07-01T08:00:00+02:00"), "2026-07-01T06:00:00Z");
    for bad in [
        "2026-07-01T08:00:00",
        "2026-07-01",
        "2026-07-01T24:00:00Z",
        "2026-07-01T08:00:00+25:00",
        "2016-12-31T23:59:60Z",
    ] {
        assert_eq!(read_as("", at(), bad), "! instant.grammar", "{bad}");
    }
    assert_eq!(read_as("", at(), "1970-01-01T00:00:00Z"), "! instant.window");
}

#[test]
fn instants_of_a_zone() {
    const BERLIN: &str = "instant_formats = ['%d.%m.%Y %H:%M']\ntime_zone = 'Europe/Berlin'";
    let at = || column("at", ColumnType::Instant);
    assert_eq!(read_as(BERLIN, at(), "01.07.2026 08:00"), "2026-07-01T06:00:00Z");
    // a source of local times does not read offsets beside them
    assert_eq!(read_as(BERLIN, at(), "2026-07-01T08:00:00Z"), "! instant.grammar");
    assert_eq!(read_as(BERLIN, at(), "29.03.2026 02:30"), "! instant.gap");
    // where the tables of zones end, summer would not come any more
    assert_eq!(read_as(BERLIN, at(), "31.12.2099 23:59"), "2099-12-31T22:59:00Z");
    assert_eq!(read_as(BERLIN, at(), "01.07.2100 12:00"), "! instant.window");
    assert_eq!(read_as(BERLIN, at(), "25.10.2026 02:30"), "! instant.overlap");
    assert_eq!(
        read_as(&format!("{BERLIN}\noverlap = 'first'"), at(), "25.10.2026 02:30"),
        "2026-10-25T00:30:00Z"
    );
    assert_eq!(
        read_as(&format!("{BERLIN}\noverlap = 'last'"), at(), "25.10.2026 02:30"),
        "2026-10-25T01:30:00Z"
    );
    let offset = "instant_formats = ['%Y-%m-%d %H:%M %z']";
    assert_eq!(read_as(offset, at(), "2026-07-01 08:00 -0300"), "2026-07-01T11:00:00Z");
}

#[test]
fn a_reason_of_a_personal_feed_shows_no_text() {
    let source = source("feed = 't'");
    let personal = Column {
        personal: true,
        ..column("comment", ColumnType::Text)
    };
    let contract = contract("t", &[personal, column("rating", ColumnType::Int)], &[]);
    let reading = Reading::new(&source, &contract);
    let reason = |text| reading.cell(1, text).unwrap_err().reason;
    assert!(reason("call me, Ann").starts_with("the value is not a whole number"));
    assert!(reason("1.5").starts_with("'1.5' is not a whole number"));
}

#[test]
fn the_contract_has_the_last_word() {
    let maximum = Column {
        maximum: Some(Dec::from(10)),
        ..column("rating", ColumnType::Int)
    };
    assert_eq!(read_as("", maximum, "11"), "! value.range");
    let allowed = Column {
        allowed: vec!["key".into()],
        ..column("class", ColumnType::Text)
    };
    assert_eq!(read_as("", allowed, "vip"), "! value.allowed");
}
