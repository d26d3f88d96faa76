//! What is taken fast is what the exact reading gives.

use proptest::prelude::*;

use super::super::fixtures::{column, contract, source};
use super::super::parse::Reading;
use super::*;
use crate::domain::CellKind;

/// Notations of sources.
const SOURCES: [&str; 7] = [
    "",
    "decimal_mark = ','\ngrouping_mark = '.'\ndate_formats = ['%d.%m.%Y']\nnull_tokens = ['-', '0', 'N/A']",
    "grouping_mark = \"'\"\ndate_formats = ['%m/%d/%Y', '%d/%m/%Y']",
    "grouping_mark = \"\\u00A0\"\ndate_formats = ['%-d.%-m.%Y']",
    "instant_formats = ['%d.%m.%Y %H:%M']\ntime_zone = 'Europe/Berlin'\noverlap = 'last'",
    "instant_formats = ['%Y-%m-%d %H:%M:%S']\ntime_zone = 'America/Santiago'\ngrouping_mark = ' '",
    "values = { c = { '1' = '2026-07-01', ' x' = 'true', yes = 'true', A = '17', no = '' } }",
];

/// Columns of every form that is taken fast, and of some that are not.
fn columns() -> Vec<Column> {
    let decimal = |precision, scale| column("c", ColumnType::Decimal { precision, scale });
    let with = |kind, least: i64, greatest: i64| Column {
        minimum: Some(Dec::from(least)),
        maximum: Some(Dec::from(greatest)),
        ..column("c", kind)
    };
    let text = || column("c", ColumnType::Text);
    let of_format = |format| Column {
        format: Some(format),
        ..text()
    };
    vec![
        text(),
        Column {
            required: true,
            ..text()
        },
        of_format(Format::Id),
        of_format(Format::Currency),
        Column {
            allowed: vec!["A".into(), "2026-07-01".into()],
            ..text()
        },
        Column {
            pattern: regex::Regex::new("^(?:[0-9A-Z.,-]+)$").ok(),
            ..text()
        },
        column("c", ColumnType::Bool),
        column("c", ColumnType::Int),
        with(ColumnType::Int, -5, 1000),
        decimal(18, 4),
        decimal(5, 2),
        decimal(38, 30),
        with(ColumnType::Decimal { precision: 9, scale: 2 }, 0, 17),
        column("c", ColumnType::Date),
        column("valid_to", ColumnType::Date),
        with(ColumnType::Date, 0, 20_000),
        column("c", ColumnType::Instant),
        with(ColumnType::Instant, 0, 1_700_000_000_000_000),
    ]
}

/// Reads texts one after the other, fast where that is possible; each must be what the exact reading says.
fn check(source: &Source, column: &Column, texts: &[String]) -> Result<usize, TestCaseError> {
    let contract = contract("t", std::slice::from_ref(column), &[0]);
    let reading = Reading::new(source, &contract);
    let mut quick = Quick::new(source, column, reading.is_mapped(0));
    let kind = match column.kind {
        ColumnType::Text => CellKind::Text,
        ColumnType::Int => CellKind::Int,
        ColumnType::Decimal { scale, .. } => CellKind::Dec { scale },
        ColumnType::Bool => CellKind::Bool,
        ColumnType::Date => CellKind::Date,
        ColumnType::Instant => CellKind::Instant,
    };
    let mut taken = 0;
    for text in texts {
        // the second time it may be remembered
        for _ in 0..2 {
            let mut cells = batch::Column::new(kind);
            let exact = reading.cell(0, text);
            match quick.push(text, &mut cells) {
                Some(trimmed) => {
                    taken += 1;
                    prop_assert_eq!(cells.len(), 1);
                    prop_assert_eq!(Ok((cells.get(0), trimmed)), exact, "{:?} {:?}", text, column);
                }
                None => {
                    prop_assert!(cells.is_empty());
                    if let Ok((cell, trimmed)) = exact {
                        quick.remember(text, cell, trimmed);
                    }
                }
            }
        }
    }
    Ok(taken)
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    let number = "-?[0-9]{1,4}([.,' \u{A0}][0-9]{1,3}){0,3}";
    let date = "(19[6-9][0-9]|20[0-9][0-9]|2[012]00|9999)-[01][0-9]-[0-3][0-9]";
    let german = "[0-3][0-9]\\.[01][0-9]\\.20[0-9][0-9]( [0-2][0-9]:[0-6][0-9])?";
    let american = "[01][0-9]/[0-3][0-9]/20[0-9][0-9]";
    let instant = "20[0-9][0-9]-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,7})?(Z|z|[+-][0-2][0-9]:[0-6][0-9])?";
    let changes = "(29\\.03|25\\.10)\\.2026 0[0-4]:[0-5][0-9]|(31\\.12\\.2099|01\\.0[17]\\.2100) [02]3:[0-5][0-9]|2026-(04-0[45]|09-0[56]) (2[23]|0[01]):[0-5][0-9]:00";
    let word = "[ \u{A0}]?(true|false|A|EUR|JPY|N/A|-|0|1|yes|no|x|9999-12-31|[\\PC]{0,6}|[ -~]{0,12})[ \t]?";
    let one = prop_oneof![
        number,
        date,
        german,
        american,
        instant,
        changes,
        word,
        "-?[0-9]{15,40}(\\.[0-9]{1,5})?"
    ];
    proptest::collection::vec(one, 1..20)
}

fn source_of(keys: &str) -> Source {
    source(&format!("feed = 't'\n{keys}"))
}

thread_local! {
    static SETTING: (Vec<Source>, Vec<Column>) = (SOURCES.map(source_of).into(), columns());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn fast_and_exact_reading_agree(texts in texts()) {
        SETTING.with(|(sources, columns)| {
            for source in sources {
                for column in columns {
                    check(source, column, &texts)?;
                }
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}

#[test]
fn what_is_common_is_taken_fast() {
    let all = |keys: &str, column: usize, texts: &[&str]| {
        let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
        assert_eq!(
            check(&source_of(keys), &columns()[column], &texts).unwrap(),
            2 * texts.len(),
            "{texts:?}"
        );
    };
    all("", 2, &["A-1", " 00123 ", "SO-0001-25Q4", ""]);
    all("", 9, &["0", "-1234.5", "12345678901234.1234", "1.50", ""]);
    all(SOURCES[1], 9, &["1.234,5", "-1.234.567,25", "1234,5", "-", "N/A"]);
    all("", 13, &["2024-02-29", "1990-01-01", "2100-12-31"]);
    all(SOURCES[1], 13, &["29.02.2024"]);
    all("", 16, &["2026-07-01T08:00:00+02:00", "2026-07-01T08:00:00.123456Z"]);
    all(SOURCES[4], 16, &["01.07.2026 08:00", "01.01.2026 23:59"]);
    all("", 7, &["7", "-7"]);
}
