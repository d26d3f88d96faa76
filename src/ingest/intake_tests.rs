//! Rejects, notes, drift, checks across columns, batches.

use std::sync::Arc;

use super::super::file::{Input, read_file};
use super::super::fixtures::{
    column, contract, decimal, notes, outcome, read, sales, source, told, told_of, with_good,
};
use super::super::outcome::Stopped;
use super::*;
use crate::contracts::model::{CheckSeverity, Column, ColumnType, Op, Operand, RowCheck};

#[test]
fn everything_wrong_with_a_record_is_told_and_counts_once() {
    let found = outcome("", &with_good(19, "A,1e3,01/02/03,x\n"));
    assert_eq!(
        told(&found)[19..],
        ["21! date.grammar ordered_on", "21! decimal.grammar amount"]
    );
    assert_eq!((found.records, found.rejected()), (20, 1));
    assert_eq!(*found.rejects[0].raw, *b"A,1e3,01/02/03,x");
    assert_eq!([found.rejects[0].row_no, found.rejects[1].row_no], [1, 2]);
    assert_eq!(
        found.rejects[0].reason,
        "'1e3' is not a number (numbers of this source look like -1234.5)"
    );
}

#[test]
fn the_threshold_is_a_share_and_small_files_may_have_one() {
    let bad = "A,x,2026-07-01,\n";
    // 1 of 20 is 5 %, which is not over 5 %; 1 of 19 would be, but the file is small
    assert_eq!(outcome("", &with_good(19, bad)).verdict, Verdict::Read);
    assert_eq!(outcome("", &with_good(18, bad)).verdict, Verdict::Read);
    assert_eq!(outcome("", &with_good(0, bad)).verdict, Verdict::Read);
    // 2 of 39 are 5.1 %, 2 of 40 are 5 %
    let two = format!("{bad}B,x,2026-07-01,\n");
    assert_eq!(outcome("", &with_good(38, &two)).verdict, Verdict::Read);
    let aside = outcome("", &with_good(37, &two));
    assert_eq!(
        told(&aside),
        ["set aside: file.rejects: 2 of 39 records are rejected, over the share of 0.05 that the feed allows"]
    );
    assert_eq!(
        aside.notes[1].to_string().lines().next().unwrap(),
        "error: f7.csv:39 [amount]: 'x' is not a number (numbers of this source look like -1234.5) (decimal.grammar)"
    );
    assert!(matches!(
        outcome("", &with_good(2, &two)).verdict,
        Verdict::SetAside { .. }
    ));
}

#[test]
fn unknown_columns_and_trimmed_values_are_counted() {
    let found = outcome(
        "",
        "ID,amount,ordered_on,note,extra\nA , 1,2026-07-01,,x\nB,1,2026-07-01,, \n",
    );
    assert_eq!(told(&found), ["2: A|1.0000|2026-07-01|", "3: B|1.0000|2026-07-01|"]);
    assert_eq!(
        notes(&found),
        [
            "header.normalised the column 'ID' was read as 'id'",
            "header.unknown the column 'extra' is not in the contract; values not read: 1",
            "value.trimmed blanks around values were removed; values: 1",
            "value.trimmed blanks around values were removed; values: 1",
        ]
    );
}

#[test]
fn constants_fill_columns_that_the_file_lacks() {
    let keys = "constants = { ordered_on = '2026-07-01' }";
    assert_eq!(told_of(keys, "id,amount\nA,1\n"), ["2: A|1.0000|2026-07-01|"]);
    let both = outcome(keys, "id,amount,ordered_on,note\nA,1,2020-01-01,\n");
    assert_eq!(told(&both), ["2: A|1.0000|2026-07-01|"]);
    assert!(notes(&both)[0].starts_with("header.constant"));
}

#[test]
fn checks_across_columns_reject_flag_or_count() {
    let with = |severity| {
        let check = |id: &str, severity| RowCheck {
            id: id.to_owned(),
            severity,
            left: 1,
            op: Op::GreaterOrEqual,
            right: Operand::Number(crate::domain::Dec::ZERO),
            description: "amounts are not negative".to_owned(),
        };
        Contract {
            checks: vec![check("positive", severity)],
            ..sales()
        }
    };
    let text = "id,amount,ordered_on,note\nA,-1,2026-07-01,\nB,1,2026-07-01,\n";
    let read_with = |severity| read(&source("feed = 'sales'"), &with(severity), 1, text.as_bytes());
    assert_eq!(
        told(&read_with(CheckSeverity::Reject)),
        ["2! positive", "3: B|1.0000|2026-07-01|"]
    );
    for (severity, level) in [
        (CheckSeverity::Warn, crate::domain::Severity::Warning),
        (CheckSeverity::Count, crate::domain::Severity::Note),
    ] {
        let found = read_with(severity);
        assert_eq!(found.outcome.rows, 2);
        assert_eq!(
            notes(&found),
            ["positive rows kept that do not hold: 1, the first on line 2; the rule: amounts are not negative"]
        );
        assert_eq!(found.notes[0].severity, level);
    }
}

#[test]
fn amounts_have_no_more_decimals_than_their_currency() {
    let money = Column {
        money: Some(2),
        ..decimal("amount")
    };
    let contract = contract(
        "pay",
        &[
            column("id", ColumnType::Text),
            money,
            column("currency", ColumnType::Text),
        ],
        &[0],
    );
    let text = "id,amount,currency\nA,1.005,KWD\nB,1.00,JPY\nC,1.005,EUR\n";
    assert_eq!(
        told(&read(&source("feed = 'pay'"), &contract, 1, text.as_bytes())),
        ["2: A|1.0050|KWD", "3: B|1.0000|JPY", "4! value.money amount",]
    );
}

/// `sales` in which a column or the table drifts.
fn drifting(table: Drift, column: Option<(usize, Drift)>) -> Contract {
    let mut contract = sales();
    contract.drift = table;
    contract.reject_threshold = crate::domain::Dec::from(1);
    if let Some((i, drift)) = column {
        contract.columns[i].drift = drift;
    }
    contract
}

fn told_as(contract: &Contract, keys: &str, text: &str) -> (Vec<String>, Vec<String>) {
    let found = read(
        &source(&format!("feed = 'sales'\n{keys}")),
        contract,
        1,
        text.as_bytes(),
    );
    (told(&found), notes(&found))
}

const JSON: &str = "format = 'json_lines'";

#[test]
fn new_columns_freeze_a_file_or_discard_their_records() {
    let text = "id,amount,ordered_on,note,Zone,x\nA,1,2026-07-01,,,\nB,1,2026-07-01,, v ,w\n";
    let json = "{\"id\":\"A\",\"amount\":1,\"ordered_on\":\"2026-07-01\"}\n{\"id\":\"B\",\"amount\":1,\"ordered_on\":\"2026-07-01\",\"Zone\":\"v\"}\n";
    let frozen = drifting(Drift::Freeze, None);
    assert_eq!(
        told_as(&frozen, "", text).0,
        ["set aside: drift.frozen: the contract is frozen and does not have the columns 'Zone', 'x'"]
    );
    assert!(
        told_as(&frozen, JSON, json).0[0]
            .contains("drift.frozen: the contract is frozen and does not have the columns 'Zone'")
    );
    assert_eq!(told_as(&frozen, "", &with_good(2, "")).0.len(), 2);
    let strict = drifting(Drift::DiscardRow, None);
    let (records, notes) = told_as(&strict, "", text);
    assert_eq!(records, ["2: A|1.0000|2026-07-01|", "3! drift.unknown_column"]);
    assert_eq!(
        notes[0],
        "header.unknown the column 'Zone' is not in the contract; values for which records were rejected: 1"
    );
    assert_eq!(
        told_as(&strict, JSON, json).0,
        ["1: A|1.0000|2026-07-01|", "2! drift.unknown_column"]
    );
}

#[test]
fn new_columns_are_kept_in_one() {
    let evolving = || {
        let mut contract = drifting(Drift::Evolve, None);
        contract.columns.insert(4, column("extra", ColumnType::Text));
        contract
    };
    let text = "extra,id,amount,ordered_on,note,Zone,\n,A,1,2026-07-01,,,\ne,B,1,2026-07-01,, vw ,t\n";
    let (records, notes) = told_as(&evolving(), "", text);
    assert_eq!(
        records,
        [
            "2: A|1.0000|2026-07-01||",
            r#"3: B|1.0000|2026-07-01||{"":"t","Zone":"vw","extra":"e"}"#,
        ]
    );
    assert_eq!(notes.len(), 3);
    assert_eq!(
        notes[2],
        "header.unknown the column 'extra' is not in the contract; values kept in 'extra': 1"
    );
    let json = "{\"id\":\"A\",\"amount\":1,\"ordered_on\":\"2026-07-01\",\"b\":\"q\\\"\",\"a\":2,\"c\":null}";
    assert_eq!(
        told_as(&evolving(), JSON, json).0,
        [r#"1: A|1.0000|2026-07-01||{"a":"2","b":"q\""}"#]
    );
}

#[test]
fn values_that_do_not_fit_freeze_the_file_or_are_left_out() {
    let text = "id,amount,ordered_on,note\nA,1,2026-07-01,n\nB,x,2026-07-01,\nC,2,2026-07-01,\nD,1.23456,2026-07-01,\n";
    let frozen = drifting(Drift::DiscardValue, Some((1, Drift::Freeze)));
    assert_eq!(
        told_as(&frozen, "", text).0,
        [
            "set aside: drift.frozen: the column 'amount' is frozen, and its value on line 3 does not fit: 'x' is not a number (numbers of this source look like -1234.5) (decimal.grammar)"
        ]
    );
    let mut lenient = drifting(Drift::DiscardValue, Some((1, Drift::DiscardValue)));
    lenient.columns[1].required = false;
    let (records, notes) = told_as(&lenient, "", &format!("{text}E,y,never,\n"));
    assert_eq!(
        records,
        [
            "2: A|1.0000|2026-07-01|n",
            "3: B||2026-07-01|",
            "4: C|2.0000|2026-07-01|",
            "5: D||2026-07-01|",
            "6! date.grammar ordered_on",
        ]
    );
    assert_eq!(notes.len(), 1);
    assert!(
        notes[0].starts_with("drift.value_discarded values that do not fit were left out: 2, the first on line 3: '1.23456' has 5 decimals"),
        "{notes:?}"
    );
}

#[test]
fn an_amount_over_the_decimals_of_its_currency_drifts_as_its_column_says() {
    let money = Column {
        money: Some(2),
        drift: Drift::DiscardValue,
        ..decimal("amount")
    };
    let columns = [
        column("id", ColumnType::Text),
        money,
        column("currency", ColumnType::Text),
    ];
    let text = "id,amount,currency\nA,1.005,EUR\nB,1.00,EUR\n";
    let found = read(
        &source("feed = 'pay'"),
        &contract("pay", &columns, &[0]),
        1,
        text.as_bytes(),
    );
    assert_eq!(told(&found), ["2: A||EUR", "3: B|1.0000|EUR"]);
    assert!(notes(&found)[0].contains("(value.money)"));
}

#[test]
fn a_column_that_evolves_keeps_new_values() {
    let mut contract = drifting(Drift::DiscardValue, Some((3, Drift::Evolve)));
    contract.columns[3].allowed = vec!["a".into(), "b".into()];
    contract.columns[3].pattern = regex::Regex::new("^(?:[a-z]+)$").ok();
    let row = |id: &str, note: &str| format!("{id},1,2026-07-01,{note}\n");
    let text: String = [("A", "a"), ("B", "z"), ("C", "z"), ("D", "new"), ("E", "7")]
        .map(|(id, note)| row(id, note))
        .concat();
    let (records, notes) = told_as(&contract, "", &format!("id,amount,ordered_on,note\n{text}"));
    assert_eq!(records[3..], ["5: D|1.0000|2026-07-01|new", "6! value.pattern note"]);
    assert_eq!(
        notes,
        ["drift.new_value values that are not among the allowed ones were kept: 3, the first on line 3: 'new', 'z'"]
    );
}

/// Takes nothing.
struct Full;
impl Sink for Full {
    fn take(&mut self, _: Batch) -> Result<(), Stopped> {
        Err(Stopped)
    }
}

#[test]
fn rows_are_handed_on_in_batches_and_a_sink_may_stop() {
    let text = with_good(2 * BATCH_ROWS + 3, "");
    let found = outcome("", &text);
    let sizes: Vec<usize> = found.batches.iter().map(Batch::rows).collect();
    assert_eq!(sizes, [BATCH_ROWS, BATCH_ROWS, 3]);
    assert_eq!(found.outcome.rows, i64::try_from(2 * BATCH_ROWS + 3).unwrap());
    assert_eq!(found.batches[2].lines, [32_770, 32_771, 32_772]);

    let origin = found.origin.clone();
    let input = Input::Bytes(Box::new(std::io::Cursor::new(text.as_bytes())));
    let stopped = read_file(&source("feed = 'sales'"), &sales(), &origin, input, &mut Full);
    let reason = "file.stopped: no more rows are taken".to_owned();
    assert_eq!(stopped.verdict, Verdict::SetAside { reason });
}

#[test]
fn long_fields_make_small_batches() {
    // a little short of 1 MiB: the ninth record reaches 8 MiB
    let row = format!("A,1,2026-07-01,{}\n", "x".repeat((1 << 20) - 32));
    let found = outcome("", &with_good(0, &row.repeat(40)));
    let sizes: Vec<usize> = found.batches.iter().map(Batch::rows).collect();
    assert_eq!(sizes, [9, 9, 9, 9, 4]);
}

#[test]
fn raw_text_of_rejects_is_bounded() {
    // 64 KiB are kept of each: 1024 records have all, those after them 1 KiB and their first mistake
    let long = "y".repeat(70_000);
    let rows = format!("A,x,z,{long}\n").repeat(1030);
    let contract = drifting(Drift::DiscardValue, None);
    let text = format!("id,amount,ordered_on,note\n{rows}");
    let found = read(&source("feed = 'sales'"), &contract, 1, text.as_bytes());
    assert_eq!(
        (found.records, found.rejected(), found.rejects.len()),
        (1030, 1030, 2 * 1024 + 6)
    );
    let lengths = [0, 2047, 2048, 2053].map(|i| found.rejects[i].raw.len());
    assert_eq!(lengths, [65_536, 65_536, 1024, 1024]);
    assert!(Arc::ptr_eq(&found.rejects[0].raw, &found.rejects[1].raw));
}
