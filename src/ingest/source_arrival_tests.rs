//! How files arrive and rows follow one another: declared well and badly.

use super::super::decode::{Compression, Encoding};
use super::super::fixtures::{column, contract, decimal, required, source};
use super::super::source::{Format, HiddenRows};
use super::*;

fn findings(text: &str) -> Vec<String> {
    let findings = Source::read("s.toml", text).unwrap_err();
    findings
        .iter()
        .map(|f| format!("{} {}", f.place.line.unwrap_or(0), f.rule))
        .collect()
}

#[test]
fn arrival_and_workbook_keys_are_read() {
    let text = r#"
[[source]]
name = "a"
feed = "sales"
files = ["in/*.gz"]
format = "csv"
compression = "gzip"
encoding = "gb18030"
escape = "\\"
mode = "upsert"
order = { file_name = '-(?P<order>[0-9]{8})\.csv' }
sender = { partners = ["P001", "P002"], regions = ["emea"] }
ready = { stable_seconds = 60, done_suffix = ".done" }

[[source]]
name = "b"
feed = "stock"
files = ["in/*.xlsx"]
format = "xlsx"
sheet = "Daten"
header_row = 3
hidden_rows = "reject"
mode = "snapshot"
order = { column = "version" }

[[source]]
name = "c"
feed = "other"
files = ["in/*.parquet"]
format = "parquet"
"#;
    let sources = Source::read("s.toml", text).unwrap();
    let [a, b, c] = sources.as_slice() else {
        panic!("{}", sources.len())
    };
    assert_eq!(
        (a.compression, a.encoding, a.dialect.escape),
        (Compression::Gzip, Encoding::Gb18030, Some(b'\\'))
    );
    assert_eq!(a.mode, Mode::Upsert);
    assert_eq!(a.order.captured("in/x-1/sales-20260731.csv.gz"), Some("20260731"));
    assert_eq!(a.order.captured("in/sales-1.csv.gz"), None);
    let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
    let sender = Sender {
        partners: ids(&["P001", "P002"]),
        regions: ids(&["emea"]),
    };
    assert!(sender.may_speak_for("P001", None) && sender.may_speak_for("P9", Some("emea")));
    assert!(!sender.may_speak_for("P9", Some("apac")) && !sender.may_speak_for("P9", None));
    assert_eq!(a.sender, Some(sender));
    let ready = Ready {
        stable_seconds: 60,
        done_suffix: Some(".done".into()),
    };
    assert_eq!(a.ready, ready);
    assert_eq!(a.place("order.file_name").line, Some(11));
    assert_eq!(
        (b.format, b.sheet.as_deref(), b.header_row, b.hidden_rows),
        (Format::Xlsx, Some("Daten"), 3, HiddenRows::Reject)
    );
    assert_eq!((b.mode, b.order.kind().as_str()), (Mode::Snapshot, "column 'version'"));
    assert_eq!(
        (c.format, c.mode, c.order.kind().as_str(), c.header_row),
        (Format::Parquet, Mode::Append, "arrival", 1)
    );
    assert_eq!(
        (c.compression, c.encoding, c.ready.clone(), c.sender.clone()),
        (Compression::None, Encoding::Utf8, Ready::default(), None)
    );
}

#[test]
fn mistakes_of_arrival_are_found_at_once() {
    let text = r#"
[[source]]
name = "a"
feed = "sales"
files = ["in/*.csv"]
format = "parquet"
compression = 3
mode = "snapshot"
order = { column = "", by = "x" }
quote = "'"
sheet = ""
sender = { partner = "P1" }
ready = { seconds = 1, stable_seconds = "1" }
"#;
    assert_eq!(
        findings(text),
        [
            "7 source.type",
            "9 source.unknown_key",
            "9 source.value",
            "10 source.value",
            "11 source.value",
            "11 source.value",
            "12 source.sender",
            "12 source.unknown_key",
            "13 source.unknown_key",
            "13 source.type",
        ]
    );
}

#[test]
fn rows_of_a_feed_follow_one_another_by_one_order() {
    let source = |name: &str, feed: &str, keys: &str| {
        format!("[[source]]\nname = '{name}'\nfeed = '{feed}'\nfiles = ['{name}']\nformat = 'csv'\n{keys}\n")
    };
    let text = [
        source("a", "sales", ""),
        source("b", "sales", "mode = 'upsert'\norder = { column = 'version' }"),
        source("c", "sales", "mode = 'upsert'"),
        source("d", "sales", "mode = 'snapshot'\norder = { column = 'version' }"),
        source("e", "stock", "mode = 'snapshot'"),
    ];
    assert_eq!(findings(&text.concat()), ["14 source.order"]);
    let right = [&text[0], &text[1], &text[3], &text[4]].map(String::as_str).concat();
    assert_eq!(Source::read("s.toml", &right).unwrap().len(), 4);
}

fn found(keys: &str, contract: &Contract) -> Vec<String> {
    let source = source(&format!("feed = '{}'\n{keys}", contract.name));
    let findings = source.check(contract);
    findings.iter().map(|f| format!("{} {}", f.rule, f.message)).collect()
}

#[test]
fn order_and_sender_are_held_against_the_contract() {
    let id = required(column("id", ColumnType::Text));
    let version = required(column("version", ColumnType::Int));
    let stock = contract(
        "stock",
        &[
            id,
            version,
            required(decimal("amount")),
            column("seen_at", ColumnType::Instant),
        ],
        &[0],
    );
    let ordered = |by: &str| format!("mode = 'upsert'\norder = {{ column = '{by}' }}");
    assert_eq!(found(&ordered("version"), &stock), Vec::<String>::new());
    for by in ["id", "amount", "seen_at"] {
        assert_eq!(
            found(&ordered(by), &stock),
            [format!("source.order '{by}' cannot order rows")]
        );
    }
    assert_eq!(
        found(&ordered("nope"), &stock),
        ["source.unknown_column 'nope' is no delivered column of the contract of 'stock'"]
    );
    assert_eq!(
        found("sender = { regions = ['emea'] }", &stock),
        ["source.sender 'stock' has no column partner_id, so nobody can tell whom a row speaks for"]
    );
}

#[test]
fn a_row_without_a_key_replaces_none() {
    let log = contract("log", &[column("partner_id", ColumnType::Text)], &[]);
    assert_eq!(
        found("mode = 'snapshot'\nsender = { partners = ['P1'] }", &log),
        ["source.mode 'log' has no key by which a row could replace another"]
    );
}
