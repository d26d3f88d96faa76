//! Source files good and bad.

use super::super::csv::Dialect;
use super::super::source::Overlap;
use super::*;
use crate::domain::Zone;

const FULL: &str = r#"
[[source]]
name = "sales-emea"
feed = "sales"
files = ["sample/emea/sales-*.csv"]
format = "csv"
delimiter = ";"
quote = "'"
encoding = "UTF-8"
decimal_mark = ","
grouping_mark = "."
date_formats = ["%d.%m.%Y"]
instant_formats = ["%d.%m.%Y %H:%M"]
time_zone = "Europe/Berlin"
overlap = "first"
null_tokens = ["N/A", "-"]
constants = { selling_entity = "Alpha" }
mode = "append"

[source.rename]
Auftragsposition = "order_line_id"
"Währung" = "currency"

[source.values]
paid = { ja = "true" }

[source.skip]
preamble_lines = 2
repeated_header = true
blank_rows = true
totals = { column = "order_line_id", starts_with = "TOTAL" }

[[source]]
name = "deliveries-apac"
feed = "deliveries"
files = ["sample/apac/deliveries-*.jsonl"]
format = "json_lines"
"#;

fn findings(text: &str) -> Vec<String> {
    let findings = Source::read("s.toml", text).unwrap_err();
    findings
        .iter()
        .map(|f| format!("{} {}", f.place.line.unwrap_or(0), f.rule))
        .collect()
}

#[test]
fn every_key_is_read() {
    let sources = Source::read("s.toml", FULL).unwrap();
    let [sales, deliveries] = sources.as_slice() else {
        panic!("{}", sources.len())
    };
    assert_eq!(
        (sales.name.as_str(), sales.feed.as_str(), sales.format),
        ("sales-emea", "sales", Format::Csv)
    );
    assert_eq!(
        sales.dialect,
        Dialect {
            delimiter: b';',
            quote: Some(b'\''),
            escape: None
        }
    );
    assert_eq!((sales.decimal_mark, sales.grouping_mark), (',', Some('.')));
    assert_eq!(sales.date_formats[0].text(), "%d.%m.%Y");
    assert_eq!(
        (sales.time_zone.map(Zone::name), sales.overlap),
        (Some("Europe/Berlin"), Some(Overlap::First))
    );
    assert!(sales.null_tokens.contains("N/A") && sales.null_tokens.contains("-"));
    assert_eq!(sales.rename["Währung"], "currency");
    assert_eq!(sales.values["paid"]["ja"], "true");
    assert_eq!(sales.constants["selling_entity"], "Alpha");
    let totals = Some(Totals {
        column: "order_line_id".into(),
        starts_with: "TOTAL".into(),
    });
    assert_eq!(
        sales.skip,
        Skip {
            preamble_lines: 2,
            repeated_header: true,
            blank_rows: true,
            totals
        }
    );
    assert_eq!(deliveries.format, Format::JsonLines);
    assert_eq!(
        deliveries.dialect,
        Dialect {
            delimiter: b',',
            quote: Some(b'"'),
            escape: None
        }
    );
    assert_eq!(deliveries.skip, Skip::default());
    assert_eq!(sales.place("rename.Auftragsposition").line, Some(21));
    assert_eq!(deliveries.place("feed").line, Some(35));
    assert_eq!(deliveries.place("quote").line, Some(33));
}

#[test]
fn all_mistakes_are_found_at_once() {
    let text = r#"
[[source]]
name = ""
feed = 3
files = ["/etc/passwd", "../x", "a[", "ok/*.csv"]
format = "csv"
delimiter = ";;"
quote = 'x'
encoding = "latin-1"
decimal_mark = "'"
grouping_mark = "."
date_formats = ["%d.%m.%y"]
instant_formats = ["%F %H:%M"]
overlap = "both"
null_tokens = [1]
mode = "upsert"
colour = "red"
[source.rename]
A = 1
[source.skip]
preamble_lines = -1
repeated_header = "yes"
totals = { column = "id", starts = "T" }
"#;
    assert_eq!(
        findings(text),
        [
            "3 source.value",
            "4 source.type",
            "5 source.glob",
            "5 source.glob",
            "5 source.glob",
            "7 source.value",
            "8 source.value",
            "9 source.value",
            "10 source.value",
            "11 source.value",
            "12 source.format",
            "13 source.time_zone",
            "14 source.value",
            "15 source.type",
            "17 source.unknown_key",
            "19 source.type",
            "21 source.value",
            "22 source.type",
            "23 source.unknown_key",
            "23 source.missing_key",
        ]
    );
}

#[test]
fn every_mistake_has_a_clear_word() {
    let with = |line: &str| format!("[[source]]\nname = 'a'\nfeed = 'b'\nfiles = ['c']\n{line}\n");
    for (line, word) in [
        (
            "format = 'csv'\nencoding = 'latin1'",
            "'latin1' is no encoding that is read",
        ),
        ("format = 'csv'\ncompression = 'rar'", "'rar' is no compression"),
        (
            "format = 'csv'\nproposed = false",
            "the source is proposed by `source detect` and not confirmed",
        ),
        (
            "format = 'xlsx'\ndelimiter = ';'",
            "'delimiter' has no meaning for xlsx",
        ),
        (
            "format = 'parquet'\nencoding = 'utf-8'",
            "'encoding' has no meaning for parquet",
        ),
        (
            "format = 'xlsx'\nskip = { preamble_lines = 2 }",
            "'preamble_lines' has no meaning for xlsx",
        ),
        ("format = 'csv'\nsheet = 'Data'", "'sheet' has no meaning for csv"),
        ("format = 'xlsx'\nheader_row = 0", "'header_row' is not from 1 to 1000"),
        (
            "format = 'xlsx'\nhidden_rows = 'skip'",
            "'skip' is neither read nor reject",
        ),
        (
            "format = 'csv'\nescape = ','",
            "escape is the same as delimiter or quote (a doubled quote is read anyway)",
        ),
        (
            "format = 'csv'\nquote = ''\nescape = '\\'",
            "'escape' has no meaning without quotes",
        ),
        (
            "format = 'csv'\norder = 'arrival'",
            "'order' has no meaning while rows are only appended",
        ),
        (
            "format = 'csv'\nmode = 'upsert'\norder = 'newest'",
            "'newest' is no order",
        ),
        (
            "format = 'csv'\nmode = 'upsert'\norder = {}",
            "'order' names neither file_name nor column, or both",
        ),
        (
            "format = 'csv'\nmode = 'upsert'\norder = { file_name = '-(\\d+)' }",
            "'-(\\d+)' has not the one named group order",
        ),
        (
            "format = 'csv'\nmode = 'upsert'\norder = { file_name = '-(?P<order>' }",
            "'-(?P<order>' is no pattern: unclosed group",
        ),
        (
            "format = 'csv'\nsender = {}",
            "'sender' names nobody, so that every row would be rejected",
        ),
        ("format = 'csv'\nsender = { partners = [] }", "'partners' is empty"),
        (
            "format = 'csv'\nsender = { regions = [' emea'] }",
            "' emea' begins or ends with a blank",
        ),
        (
            "format = 'csv'\nready = { stable_seconds = 100000 }",
            "'stable_seconds' is not from 0 to 86400",
        ),
        (
            "format = 'csv'\nready = { done_suffix = '/x' }",
            "'/x' is no ending of a file's name",
        ),
        ("format = 'csv'\nmode = 'merge'", "'merge' is no mode"),
        ("format = 'xml'", "'xml' is no format"),
        (
            "format = 'json_lines'\ndelimiter = ','",
            "'delimiter' has no meaning for json_lines",
        ),
        (
            "format = 'csv'\ntime_zone = 'Mars/Olympus'",
            "'Mars/Olympus' is no IANA time zone",
        ),
    ] {
        let found = Source::read("s.toml", &with(line)).unwrap_err();
        assert_eq!(found.iter().map(|f| f.message.as_str()).collect::<Vec<_>>(), [word]);
    }
}

#[test]
fn broken_toml_and_wrong_shapes() {
    assert_eq!(findings("[[source]]\nname = \n"), ["2 source.syntax"]);
    assert_eq!(findings("a = 1\n"), ["1 source.unknown_key", "1 source.missing_key"]);
    assert_eq!(findings("[source]\nname = 'a'\n"), ["1 source.type"]);
    assert_eq!(findings("[[source]]\n"), ["1 source.missing_key"; 4]);
    let twice = "[[source]]\nname = 'a'\nfeed = 'b'\nfiles = ['c']\nformat = 'csv'\n";
    assert_eq!(findings(&twice.repeat(2)), ["7 source.duplicate_name"]);
}

#[test]
fn the_sources_of_the_sample_are_in_order() {
    let files = [
        ("apac.toml", include_str!("../../pipelines/sources/apac.toml"), 8),
        ("emea.toml", include_str!("../../pipelines/sources/emea.toml"), 8),
        ("finance.toml", include_str!("../../pipelines/sources/finance.toml"), 5),
        ("latam.toml", include_str!("../../pipelines/sources/latam.toml"), 8),
        (
            "reference.toml",
            include_str!("../../pipelines/sources/reference.toml"),
            9,
        ),
    ];
    let mut all = Vec::new();
    for (file, text, count) in files {
        let sources = Source::read(file, text).unwrap();
        assert_eq!(sources.len(), count, "{file}");
        all.extend(sources);
    }
    assert_eq!(Source::check_names(&all), []);
    let source = |path| Source::of_file(&all, path).unwrap().map(|s| s.name.as_str());
    assert_eq!(source("sample_data/emea/sales-2026-Q1.csv"), Some("emea-sales"));
    assert_eq!(
        source("sample_data/apac/deliveries-2026-Q1.jsonl"),
        Some("apac-deliveries")
    );
    assert_eq!(
        source("sample_data/finance/decisions-0001.csv"),
        Some("finance-decisions")
    );
    assert_eq!(source("sample_data/PLANTED.csv"), None);
}
