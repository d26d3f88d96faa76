//! Values: numbers, identifiers, dates, times, blanks, free text, JSON.

use std::collections::BTreeMap;
use std::io::Cursor;

use starledger::contracts::Contract;
use starledger::domain::{Date, FiscalCalendar, Instant, PeriodKind, Zone};
use starledger::ingest::Input;

use super::{Found, lines, of_schema, one, orders, read, read_input, source, told, value, values};

const GERMAN: &str = "decimal_mark = ','\ngrouping_mark = '.'";
const SWISS: &str = "grouping_mark = \"'\"";
const AMERICAN: &str = "grouping_mark = ','";

fn amount() -> Contract {
    one("number", "DECIMAL(9,2)")
}

fn instant() -> Contract {
    one("timestamp", "TIMESTAMP")
}

/// Reason and remedy of the one thing wrong with a value.
fn why(contract: &Contract, keys: &str, text: &str) -> String {
    let found = read(contract, keys, format!("id,value\nA,\"{text}\"\n").as_bytes());
    let mut why = found.why();
    assert_eq!(why.len(), 1, "{why:?}");
    why.remove(0)
}

const NOT_A_NUMBER: &str = "2! decimal.grammar value";

#[test]
fn fault_61_marks_are_declared_and_another_style_is_rejected() {
    let styles = ["1.50", "1,50", "1.234,50", "1'234.50", "1,234.50", "1,234"];
    let no = NOT_A_NUMBER;
    for (keys, expected) in [
        ("", ["1.50", no, no, no, no, no]),
        (GERMAN, [no, "1.50", "1234.50", no, no, no]),
        (SWISS, ["1.50", no, no, "1234.50", no, no]),
        (AMERICAN, ["1.50", no, no, no, "1234.50", "1234.00"]),
    ] {
        // with a decimal comma 1,234 has three decimals, which is told as that
        let mut expected = expected;
        if keys == GERMAN {
            expected[5] = "2! decimal.scale value";
        }
        assert_eq!(values(&amount(), keys, &styles), expected, "{keys}");
    }
    assert_eq!(
        why(&amount(), "", "1,234"),
        "'1,234' is not a number (numbers of this source look like -1234.5); correct the value, or declare \
         decimal_mark and grouping_mark in the source"
    );
    assert_eq!(
        why(&amount(), GERMAN, "1,234.50"),
        "'1,234.50' is not a number (numbers of this source look like -1.234,5 or -1234,5); correct the value, or \
         declare decimal_mark and grouping_mark in the source"
    );
}

#[test]
fn fault_62_numbers_have_one_grammar() {
    for text in [
        "$1.00", "(1.00)", "1.00-", "+1", "1e3", "1E3", "0x10", "1_000", "1.", ".5", "--1", "- 1", "1 000", "1.0.0",
        "USD 1",
    ] {
        let found = read(&amount(), "", format!("id,value\nA,{text}\n").as_bytes());
        assert_eq!(found.told(), [NOT_A_NUMBER], "{text}");
        assert!(
            found.why()[0].starts_with(&format!("'{text}' is not a number")),
            "{:?}",
            found.why()
        );
    }
    let whole = one("integer", "BIGINT");
    assert_eq!(
        values(&whole, "", &["7", "-7", "7.0", "+7", "7e0"]),
        [
            "7",
            "-7",
            "2! integer.grammar value",
            "2! integer.grammar value",
            "2! integer.grammar value"
        ]
    );
    // blanks around a value are no part of it, and counted
    let found = read(&amount(), "", b"id,value\nA, 1 \n");
    assert_eq!(found.told(), ["2: A|1.00"]);
    assert_eq!(
        found.notes(),
        ["value.trimmed [value]: blanks around values were removed; values: 1; deliver values without"]
    );
    assert_eq!(
        values(&amount(), "", &["001.50", "-1.5", "0"]),
        ["1.50", "-1.50", "0.00"]
    );
}

#[test]
fn fault_63_more_decimals_than_the_column_has_are_never_rounded() {
    assert_eq!(
        values(&amount(), "", &["1.005", "1.0000001", "-0.001"]),
        ["2! decimal.scale value"; 3]
    );
    let why = why(&amount(), "", "1.005");
    assert!(
        why.starts_with("'1.005' ") && why.ends_with("; deliver the exact value: it is never rounded here"),
        "{why}"
    );
    // a nought is a decimal, too: what a column has is what is written
    assert_eq!(
        values(&amount(), "", &["1.500", "1.50", "1.5"]),
        ["2! decimal.scale value", "1.50", "1.50"]
    );
    // nor more than the currency has
    let sale =
        |amount: &str, currency: &str| sale(&[("list_amount", amount), ("net_amount", amount), ("currency", currency)]);
    assert_eq!(
        sale("1.5", "JPY").told(),
        ["2! value.money list_amount", "2! value.money net_amount"]
    );
    assert_eq!(
        sale("1.505", "EUR").why()[0],
        "'1.5050' has more than the 2 decimals of EUR; deliver whole minor units of the currency, or check the currency"
    );
    assert_eq!(sale("1.505", "KWD").outcome.rows, 1);
}

#[test]
fn fault_64_infinite_and_undefined_numbers_are_rejected_and_minus_nought_is_nought() {
    for text in ["1e400", "inf", "-inf", "Infinity", "NaN", "nan", "-NaN", "#NUM!"] {
        assert_eq!(value(&amount(), "", text), NOT_A_NUMBER, "{text}");
        assert_eq!(
            value(&one("integer", "BIGINT"), "", text),
            "2! integer.grammar value",
            "{text}"
        );
    }
    assert_eq!(values(&amount(), "", &["-0", "-0.00", "0"]), ["0.00"; 3]);
    assert_eq!(value(&one("integer", "BIGINT"), "", "-0"), "0");
}

/// One line of a contract of the repository, with some values changed.
fn record(contract: &str, sound: &[(&str, &str)], changed: &[(&str, &str)]) -> Found {
    let mut fields: BTreeMap<&str, &str> = sound.iter().copied().collect();
    fields.extend(changed.iter().copied());
    let names: Vec<&str> = fields.keys().copied().collect();
    let texts: Vec<&str> = fields.values().copied().collect();
    let text = format!("{}\n{}\n", names.join(","), texts.join(","));
    read(&of_schema(contract), "", text.as_bytes())
}

fn sale(changed: &[(&str, &str)]) -> Found {
    let sound = [
        ("order_line_id", "SO-1"),
        ("partner_id", "EM-0001"),
        ("product_id", "00123"),
        ("line_kind", "product"),
        ("list_amount", "10"),
        ("discount_rate", "0.2"),
        ("net_amount", "8"),
        ("quantity", "1"),
        ("currency", "EUR"),
        ("selling_entity", "SL-EMEA"),
        ("ordered_on", "2026-07-01"),
        ("invoiced_on", "2026-07-01"),
    ];
    record("sales", &sound, changed)
}

fn survey(changed: &[(&str, &str)]) -> Found {
    let sound = [
        ("survey_id", "S-1"),
        ("delivery_id", "D-1"),
        ("customer_id", "C-1"),
        ("sent_at", "2026-07-01T08:00:00Z"),
        ("answered_at", "2026-07-02T08:00:00Z"),
        ("rating", "4"),
        ("scale_min", "0"),
        ("scale_max", "10"),
        ("selected_by", "random"),
        ("responsibility_share", "1"),
        ("vendor_fault", "false"),
    ];
    record("surveys", &sound, changed)
}

fn inspection(changed: &[(&str, &str)]) -> Found {
    let sound = [
        ("inspection_id", "I-1"),
        ("delivery_id", "D-1"),
        ("inspected_on", "2026-07-01"),
        ("selected_by", "random"),
        ("score", "8"),
        ("score_max", "10"),
        ("critical", "0"),
        ("major", "0"),
        ("minor", "0"),
    ];
    record("inspections", &sound, changed)
}

#[test]
fn fault_65_values_beyond_their_range_are_rejected() {
    for found in [sale(&[]), survey(&[]), inspection(&[])] {
        assert_eq!(
            (found.outcome.rows, found.outcome.rejects.len()),
            (1, 0),
            "{:?}",
            found.why()
        );
    }
    let huge = format!("1{}", "0".repeat(28));
    assert_eq!(sale(&[("list_amount", &huge)]).told(), ["2! decimal.size list_amount"]);
    assert!(sale(&[("list_amount", &huge)]).why()[0].ends_with("; correct the value"));
    assert_eq!(
        sale(&[("quantity", "9223372036854775808")]).told(),
        ["2! integer.size quantity"]
    );
    assert_eq!(
        sale(&[("quantity", "9223372036854775808")]).why(),
        ["'9223372036854775808' does not fit in 64 bits; correct the value"]
    );
    assert_eq!(sale(&[("quantity", "1000000001")]).told(), ["2! value.range quantity"]);
    assert_eq!(
        sale(&[("discount_rate", "1.01")]).told(),
        ["2! value.range discount_rate"]
    );
    assert_eq!(
        sale(&[("discount_rate", "1.01")]).why(),
        [
            "'1.010000' is above the greatest plausible value 1; correct it at the source, or widen the range of the \
          contract"
        ]
    );
    assert_eq!(inspection(&[("score", "-1")]).told(), ["2! value.range score"]);
    assert_eq!(inspection(&[("score", "11")]).told(), ["2! score-within-max"]);
    assert!(inspection(&[("score", "11")]).why()[0].ends_with("; correct the record and deliver it again"));
    assert_eq!(inspection(&[("major", "-1")]).told(), ["2! value.range major"]);
    assert_eq!(survey(&[("rating", "-1")]).told(), ["2! rating-from-scale-min"]);
    assert_eq!(survey(&[("rating", "11")]).told(), ["2! rating-to-scale-max"]);
}

#[test]
fn fault_66_identifiers_are_texts_whatever_they_look_like() {
    let ids = [
        "00123",
        "1E5",
        "TRUE",
        "null",
        "NA",
        "2-1",
        "NaN",
        "+1",
        "0x10",
        "2026-07-01",
    ];
    let rows = ids.map(|id| format!("{id},1,2026-07-01,{id}\n")).concat();
    let expected: Vec<String> = (2..)
        .zip(ids)
        .map(|(line, id)| format!("{line}: {id}|1.00|2026-07-01|{id}"))
        .collect();
    assert_eq!(told("", &rows), expected);
    // in JSON and as a null token, too, only what is declared
    let found = read(
        &orders(),
        "format = 'json_lines'",
        b"{\"id\":\"00123\",\"amount\":1,\"paid_on\":\"2026-07-01\"}\n",
    );
    assert_eq!(found.told(), ["1: 00123|1.00|2026-07-01|"]);
    assert_eq!(
        told("null_tokens = ['NA']", "NA,1,2026-07-01,x\n"),
        ["2! value.required id"]
    );
}

#[test]
fn fault_67_dates_have_the_declared_form_only() {
    let date = one("date", "DATE");
    let texts = ["01/02/03", "13/12/2026", "12/13/2026", "2026-2-3", "2026-02-03"];
    let no = "2! date.grammar value";
    for (keys, expected) in [
        ("", [no, no, no, no, "2026-02-03"]),
        ("date_formats = ['%d/%m/%Y']", [no, "2026-12-13", no, no, no]),
        ("date_formats = ['%m/%d/%Y']", [no, no, "2026-12-13", no, no]),
        ("date_formats = ['%Y-%-m-%-d']", [no, no, no, "2026-02-03", no]),
    ] {
        assert_eq!(values(&date, keys, &texts), expected, "{keys}");
    }
    assert_eq!(
        why(&date, "", "01/02/03"),
        "'01/02/03' is no date of the form %Y-%m-%d; correct the date, or declare date_formats in the source"
    );
    // two forms that read one text as two days
    let both = "date_formats = ['%d/%m/%Y', '%m/%d/%Y']";
    assert_eq!(
        values(&date, both, &["13/12/2026", "02/02/2026", "01/02/2026"]),
        ["2026-12-13", "2026-02-02", "2! date.ambiguous value"]
    );
    assert_eq!(
        why(&date, both, "01/02/2026"),
        "'01/02/2026' means different days by different date formats of the source; declare one format for each source"
    );
    // a year of two digits cannot be declared
    let text = "[[source]]\nname = 's'\nfeed = 'one'\nfiles = ['a']\nformat = 'csv'\ndate_formats = ['%d.%m.%y']\n";
    let findings = starledger::ingest::Source::read("s.toml", text).expect_err("a year of two digits");
    assert!(
        findings[0]
            .message
            .contains("%y is not read: a year of two digits has no century"),
        "{findings:?}"
    );
}

#[test]
fn fault_68_days_and_times_are_those_of_the_calendar() {
    let no = "2! date.grammar value";
    assert_eq!(
        values(
            &one("date", "DATE"),
            "",
            &[
                "2023-02-29",
                "2024-02-29",
                "2100-02-29",
                "2000-02-29",
                "2026-04-31",
                "2026-00-10",
                "2026-13-01"
            ]
        ),
        [no, "2024-02-29", no, "2000-02-29", no, no, no]
    );
    let no = "2! instant.grammar value";
    assert_eq!(
        values(
            &instant(),
            "",
            &[
                "2026-07-01T24:00:00Z",
                "2016-12-31T23:59:60Z",
                "2026-07-01T23:60:00Z",
                "2026-07-01T23:59:59Z",
                "2023-02-29T00:00:00Z"
            ]
        ),
        [no, no, no, "2026-07-01T23:59:59Z", no]
    );
    assert!(
        why(&instant(), "", "2026-07-01T24:00:00Z")
            .ends_with("; write an offset or Z, or declare instant_formats and time_zone")
    );
    let declared = "instant_formats = ['%F %T']\ntime_zone = 'UTC'";
    assert_eq!(
        values(&instant(), declared, &["2026-07-01 24:00:00", "2016-12-31 23:59:60"]),
        [no, no]
    );
}

#[test]
fn fault_70_days_outside_of_the_plausible_window_are_rejected() {
    let date = one("date", "DATE");
    let out = "2! date.window value";
    assert_eq!(
        values(
            &date,
            "",
            &[
                "0001-01-01",
                "1899-12-30",
                "1970-01-01",
                "1989-12-31",
                "2101-01-01",
                "9999-12-31"
            ]
        ),
        [out; 6]
    );
    assert_eq!(
        values(&date, "", &["10000-01-01", "0000-00-00"]),
        ["2! date.grammar value"; 2]
    );
    assert_eq!(
        why(&date, "", "1970-01-01"),
        "'1970-01-01' is not from 1990 to 2100; correct the date; leave it blank where there is none"
    );
    assert_eq!(
        values(&date, "", &["1990-01-01", "2038-01-19", "2100-12-31"]),
        ["1990-01-01", "2038-01-19", "2100-12-31"]
    );
    assert_eq!(
        values(&instant(), "", &["1970-01-01T00:00:00Z", "2038-01-19T03:14:08Z"]),
        ["2! instant.window value", "2038-01-19T03:14:08Z"]
    );
    // a contract narrows it
    assert_eq!(
        sale(&[("ordered_on", "1999-12-31")]).told(),
        ["2! value.range ordered_on"]
    );
    assert_eq!(
        sale(&[("ordered_on", "1999-12-31")]).why(),
        [
            "'1999-12-31' is below the least plausible value 2000-01-01; correct it at the source, or widen the range of \
          the contract"
        ]
    );
    assert_eq!(
        sale(&[("invoiced_on", "2100-01-01")]).told(),
        ["2! value.range invoiced_on"]
    );
}

#[test]
fn fault_71_local_times_that_clocks_skip_or_show_twice() {
    let berlin = "instant_formats = ['%d.%m.%Y %H:%M']\ntime_zone = 'Europe/Berlin'";
    let (gap, twice) = ("29.03.2026 02:30", "25.10.2026 02:30");
    assert_eq!(
        values(
            &instant(),
            berlin,
            &["01.07.2026 08:00", "29.03.2026 03:00", gap, twice]
        ),
        [
            "2026-07-01T06:00:00Z",
            "2026-03-29T01:00:00Z",
            "2! instant.gap value",
            "2! instant.overlap value"
        ]
    );
    let told = why(&instant(), berlin, gap);
    assert!(
        told.starts_with("'29.03.2026 02:30' does not exist in Europe/Berlin"),
        "{told}"
    );
    assert!(
        told.ends_with("; correct the time, or deliver it with its offset"),
        "{told}"
    );
    assert_eq!(
        why(&instant(), berlin, twice),
        "'25.10.2026 02:30' happens twice in Europe/Berlin: clocks go back over it; declare overlap in the source, or \
         deliver the offset"
    );
    for (overlap, expected) in [("first", "2026-10-25T00:30:00Z"), ("last", "2026-10-25T01:30:00Z")] {
        let keys = format!("{berlin}\noverlap = '{overlap}'");
        assert_eq!(value(&instant(), &keys, twice), expected);
        assert_eq!(value(&instant(), &keys, gap), "2! instant.gap value");
    }
    // an offset beside local times, and local times beside offsets
    let no = "2! instant.grammar value";
    assert_eq!(
        values(&instant(), berlin, &["2026-07-01T08:00:00Z", "01.07.2026 08:00Z"]),
        [no, no]
    );
    assert_eq!(
        values(&instant(), "", &["2026-07-01T08:00:00", "01.07.2026 08:00"]),
        [no, no]
    );
    assert_eq!(
        values(
            &instant(),
            "",
            &[
                "2026-07-01T08:00:00+25:00",
                "2026-07-01T08:00:00+02:60",
                "2026-07-01T08:00:00+14:00"
            ]
        ),
        [no, no, "2026-06-30T18:00:00Z"]
    );
    // a form without an offset needs a zone
    let text = "[[source]]\nname = 's'\nfeed = 'one'\nfiles = ['a']\nformat = 'csv'\ninstant_formats = ['%F %T']\n";
    let findings = starledger::ingest::Source::read("s.toml", text).expect_err("no zone");
    assert!(
        findings
            .iter()
            .any(|f| f.remedy.contains("time_zone") || f.message.contains("time_zone")),
        "{findings:?}"
    );
}

#[test]
fn fault_72_every_instant_is_in_one_period_of_its_zone() {
    let zones = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Santiago",
        "Africa/Casablanca",
        "Asia/Tokyo",
    ];
    for name in zones {
        let zone = Zone::parse(name).expect("a zone");
        let period = |instant: Instant| {
            FiscalCalendar::CALENDAR_YEAR
                .period_of(zone.date_of(instant), PeriodKind::Quarter)
                .expect("a period")
                .to_string()
        };
        for year in 2015..2035 {
            for (quarter, month) in [(1, 1), (2, 4), (3, 7), (4, 10)] {
                let first = Date::from_ymd_opt(year, month, 1).expect("a day");
                let start = zone.start_of(first);
                let before = if quarter == 1 {
                    format!("{}-Q4", year - 1)
                } else {
                    format!("{year}-Q{}", quarter - 1)
                };
                // the first instant belongs to the period, and what lies before it to the one before
                assert_eq!(period(start), format!("{year}-Q{quarter}"), "{name}");
                for micros in [1, 1_000, 1_000_000] {
                    assert_eq!(period(Instant::from_micros(start.micros() - micros)), before, "{name}");
                    assert_eq!(
                        period(Instant::from_micros(start.micros() + micros)),
                        format!("{year}-Q{quarter}")
                    );
                }
            }
        }
    }
    // read from a file: one instant, another period in another region
    let read = value(&instant(), "", "2026-06-30T23:59:59.999+02:00");
    assert_eq!(read, "2026-06-30T21:59:59.999000Z");
    let instant = Instant::parse(&read).expect("an instant");
    let day = |zone: &str| Zone::parse(zone).expect("a zone").date_of(instant).to_string();
    assert_eq!(
        (day("Europe/Berlin"), day("Asia/Tokyo")),
        ("2026-06-30".to_owned(), "2026-07-01".to_owned())
    );
}

#[test]
fn fault_73_only_declared_texts_are_null_and_nothing_is_nought() {
    let text = one("string", "VARCHAR");
    assert_eq!(
        values(&text, "", &["", "  ", "N/A", "-", "0", "NULL"]),
        ["", "", "N/A", "-", "0", "NULL"]
    );
    let keys = "null_tokens = ['N/A', '-']";
    assert_eq!(
        values(&text, keys, &["", "N/A", " - ", "n/a", "0"]),
        ["", "", "", "n/a", "0"]
    );
    assert_eq!(
        values(&amount(), "", &["", "N/A", "-", "0"]),
        ["", NOT_A_NUMBER, NOT_A_NUMBER, "0.00"]
    );
    assert_eq!(values(&amount(), keys, &["", "N/A", "-", "0"]), ["", "", "", "0.00"]);
    // a required value that is null is told as what stood there
    let found = lines(keys, "A,N/A,,x\n");
    assert_eq!(found.told(), ["2! value.required amount", "2! value.required paid_on"]);
    assert_eq!(
        found.why(),
        [
            "is the null 'N/A'; deliver a value: the column must have one",
            "is blank; deliver a value: the column must have one"
        ]
    );
    // null and the empty text are one thing, in JSON as well
    let found = read(
        &text,
        "format = 'json_lines'",
        b"{\"id\":\"A\",\"value\":null}\n{\"id\":\"B\",\"value\":\"\"}\n{\"id\":\"C\"}\n",
    );
    assert_eq!(found.told(), ["1: A|", "2: B|", "3: C|"]);
}

#[test]
fn fault_75_free_text_is_stored_as_it_is() {
    let texts = [
        "=HYPERLINK(\"http://x.example\",\"y\")",
        "+1+1",
        "-2+3",
        "@SUM(A1:A9)",
        "\u{FF1D}1+1",
        "a\tb",
        "<script>alert(1)</script><b>&amp;",
        "one\r\ntwo\nthree",
        "{{7*7}} {% include 'x' %} ${x} %s",
        "=?utf-8?q?x?=",
        "\u{202E}abc",
        "Robert'); DROP TABLE orders;--",
        "\u{1F600} é 中",
    ];
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let rows = texts.map(|text| format!("A,1,2026-07-01,{}\n", quoted(text))).concat();
    let found = lines("", &rows);
    assert_eq!(found.texts(3), texts);
    // as JSON, the same
    let json: String = texts
        .iter()
        .map(|text| {
            serde_json::json!({"id": "A", "amount": 1, "paid_on": "2026-07-01", "note": text}).to_string() + "\n"
        })
        .collect();
    let found = read(&orders(), "format = 'json_lines'", json.as_bytes());
    assert_eq!(found.outcome.rejects.len(), 0, "{:?}", found.why());
    assert_eq!(found.texts(3), texts);
}

const GOOD: &str = "{\"id\":\"Z\",\"amount\":9,\"paid_on\":\"2026-07-09\"}\n";

fn json(line: &str) -> Found {
    read(&orders(), "format = 'json_lines'", format!("{line}\n{GOOD}").as_bytes())
}

#[test]
fn fault_76_one_json_object_a_line_strictly() {
    let good = "2: Z|9.00|2026-07-09|";
    let syntax = "write one JSON object a line";
    for (line, rule, reason, remedy) in [
        (
            "{\"id\":\"A\",\"amount\":x}",
            "json.syntax",
            "is no JSON: expected value (column 20 of the line)",
            syntax,
        ),
        (
            "{\"id\":\"A\",}",
            "json.syntax",
            "is no JSON: trailing comma (column 11 of the line)",
            syntax,
        ),
        (
            "{\"id\":\"A\"",
            "json.syntax",
            "is no JSON: EOF while parsing an object (column 9 of the line)",
            syntax,
        ),
        (
            "{\"id\":\"A\"}{\"id\":\"B\"}",
            "json.syntax",
            "is no JSON: trailing characters (column 11 of the line)",
            syntax,
        ),
        (
            "[{\"id\":\"A\"}]",
            "json.syntax",
            "is no object (column 0 of the line)",
            syntax,
        ),
        (
            "{\"id\":\"A\",\"id\":\"B\"}",
            "json.duplicate_key",
            "the member 'id' stands twice",
            "give each member once",
        ),
        (
            "{\"id\":{\"a\":1}}",
            "json.nested",
            "the member 'id' is an object or a list",
            "write one flat object a line",
        ),
        (
            "{\"id\":\"\\ud800\"}",
            "json.string",
            "the member 'id' is no text: it holds half a surrogate pair",
            "write characters above U+FFFF as pairs, or as UTF-8",
        ),
    ] {
        let found = json(line);
        assert_eq!(found.told(), [&format!("1! {rule}"), good], "{line}");
        assert_eq!(found.why(), [format!("{reason}; {remedy}")], "{line}");
    }
    // the same column under two names
    assert_eq!(
        json("{\"id\":\"A\",\"ID\":\"B\",\"amount\":1,\"paid_on\":\"2026-07-01\"}").told(),
        ["1! json.duplicate_key", good]
    );
    // objects within one another, a hundred thousand deep: no depth is read
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{{\"id\":{}1{}}}", open.repeat(100_000), close.repeat(100_000));
        let told = json(&deep).told();
        assert!(
            ["1! json.nested", "1! json.syntax"].contains(&told[0].as_str()),
            "{told:?}"
        );
        assert_eq!(told[1..], [good]);
    }
}

#[test]
fn fault_76_numbers_in_json_keep_their_digits() {
    let of = |number: &str| {
        let found = json(&format!(
            "{{\"id\":\"A\",\"amount\":{number},\"paid_on\":\"2026-07-01\"}}"
        ));
        assert_eq!(found.told()[1], "2: Z|9.00|2026-07-09|");
        found.told().remove(0)
    };
    assert_eq!(of("0.1"), "1: A|0.10|2026-07-01|");
    assert_eq!(of("1234567.89"), "1: A|1234567.89|2026-07-01|");
    assert_eq!(of("-0.0"), "1: A|0.00|2026-07-01|");
    assert_eq!(of("0.1000000000000000055511151231257827"), "1! decimal.scale amount");
    assert_eq!(of("1e400"), "1! decimal.grammar amount");
    assert_eq!(of("1e2"), "1! decimal.grammar amount");
    assert_eq!(of("12345678901234567890"), "1! decimal.size amount");
    assert_eq!(of("\"1.50\""), "1: A|1.50|2026-07-01|");
    // a mark in front of the file
    let found = read(&orders(), "format = 'json_lines'", format!("\u{FEFF}{GOOD}").as_bytes());
    assert_eq!(found.told(), ["1: Z|9.00|2026-07-09|"]);
}

#[test]
fn fault_76_a_line_of_a_gibibyte_costs_one_record() {
    let file = super::text::Made::new("{\"id\":\"", "x", 1 << 30, &format!("\"}}\n{GOOD}"));
    let bytes = file.len();
    let source = source("orders", "format = 'json_lines'");
    let found = read_input(&orders(), &source, bytes, Input::Bytes(Box::new(file)));
    assert_eq!(found.told(), ["1! record.size", "2: Z|9.00|2026-07-09|"]);
    assert_eq!(found.why(), ["is longer than 4194304 bytes; write one object a line"]);
    assert_eq!(found.raw()[0].len(), starledger::ingest::limits::MAX_RAW_BYTES);
    let field = format!("{{\"id\":\"A\",\"note\":\"{}\"}}\n{GOOD}", "x".repeat(1 << 20));
    let found = read_input(
        &orders(),
        &source,
        field.len() as u64,
        Input::Bytes(Box::new(Cursor::new(field))),
    );
    assert_eq!(found.told(), ["1! record.field_size", "2: Z|9.00|2026-07-09|"]);
}
