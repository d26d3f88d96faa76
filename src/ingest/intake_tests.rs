//! Skip rules, repeated headers and totals.

use super::super::fixtures::{
    column, contract, decimal, notes, outcome, read, sales, source, told, told_of, with_good,
};
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
    assert_eq!(found.rejects[0].raw, b"A,1e3,01/02/03,x");
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
        assert_eq!(found.rows.len(), 2);
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
