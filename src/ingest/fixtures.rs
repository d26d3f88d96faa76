//! Small contracts, sources and files for the tests of this room.

use super::file::read_file;
use super::outcome::{FileOrigin, FileOutcome, Verdict};
use super::source::Source;
use crate::contracts::Contract;
use crate::contracts::model::{Column, ColumnRole, ColumnType, ContractKind, Reference};
use crate::domain::{Dec, Digest};

/// A nullable column without further rules.
pub fn column(name: &str, kind: ColumnType) -> Column {
    Column {
        name: name.to_owned(),
        kind,
        role: ColumnRole::Data,
        required: false,
        allowed: Vec::new(),
        minimum: None,
        maximum: None,
        pattern: None,
        format: None,
        reference: None,
        personal: false,
        money: None,
        line: 1,
    }
}

pub fn decimal(name: &str) -> Column {
    column(
        name,
        ColumnType::Decimal {
            precision: 18,
            scale: 4,
        },
    )
}

pub fn date(name: &str) -> Column {
    column(name, ColumnType::Date)
}

pub fn required(column: Column) -> Column {
    Column {
        required: true,
        ..column
    }
}

/// A column that holds values of `table.column`.
pub fn refers(name: &str, table: &str, column_name: &str) -> Column {
    let reference = Some(Reference {
        table: table.to_owned(),
        column: column_name.to_owned(),
    });
    Column {
        reference,
        ..column(name, ColumnType::Text)
    }
}

/// A fact with these delivered columns, the lineage columns behind them, and a threshold of 5 %.
pub fn contract(name: &str, columns: &[Column], key: &[usize]) -> Contract {
    let lineage = [
        ("arrival", ColumnType::Int),
        ("source_file", ColumnType::Text),
        ("source_line", ColumnType::Int),
    ];
    let lineage = lineage.map(|(name, kind)| Column {
        role: ColumnRole::Lineage,
        ..column(name, kind)
    });
    Contract {
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        kind: ContractKind::Fact,
        file: format!("schemas/{name}.odcs.yaml"),
        columns: columns.iter().cloned().chain(lineage).collect(),
        key: key.to_vec(),
        checks: Vec::new(),
        partition: None,
        business_date: None,
        reject_threshold: Dec::new(5, 2),
        digest: Digest::of(name.as_bytes()),
    }
}

/// A CSV source with further keys; they begin on line 6 of the file, or replace the default of the same name.
pub fn source(keys: &str) -> Source {
    let default = |key: &str, line: &str| {
        if keys.contains(&format!("{key} =")) {
            "#".to_owned()
        } else {
            line.to_owned()
        }
    };
    let text = format!(
        "\n[[source]]\nname = 'test'\n{}\n{}\n{keys}",
        default("format", "format = 'csv'"),
        default("files", "files = ['in/*.csv']")
    );
    match Source::read("pipelines/sources/test.toml", &text) {
        Ok(mut sources) => sources.remove(0),
        Err(findings) => panic!("{findings:#?}\n{text}"),
    }
}

/// Reads a text as the file of an arrival.
pub fn read(source: &Source, contract: &Contract, arrival: i64, text: &[u8]) -> FileOutcome {
    let origin = FileOrigin {
        arrival,
        file_name: format!("f{arrival}.csv"),
        file_hash: Digest::of(text),
        bytes: text.len() as u64,
    };
    read_file(source, contract, &origin, text)
}

/// `sales(id, amount, ordered_on, note?)`, key `id`.
pub fn sales() -> Contract {
    let id = required(column("id", ColumnType::Text));
    let note = column("note", ColumnType::Text);
    contract(
        "sales",
        &[id, required(decimal("amount")), required(date("ordered_on")), note],
        &[0],
    )
}

pub fn outcome(keys: &str, text: &str) -> FileOutcome {
    read(
        &source(&format!("feed = 'sales'\n{keys}")),
        &sales(),
        7,
        text.as_bytes(),
    )
}

/// Each record: `line: values`, `line! rule column`, `line - rule`; or why the file is set aside.
pub fn told(outcome: &FileOutcome) -> Vec<String> {
    if let Verdict::SetAside { reason } = &outcome.verdict {
        assert!(outcome.rows.is_empty() && outcome.rejects.is_empty() && outcome.records == 0);
        return vec![format!("set aside: {reason}")];
    }
    let rows = outcome.rows.iter().map(|r| {
        let values: Vec<String> = r.values.iter().map(ToString::to_string).collect();
        (r.line, format!("{}: {}", r.line, values.join("|")))
    });
    let rejects = outcome.rejects.iter().map(|r| {
        let column = r.column.as_deref().map(|c| format!(" {c}")).unwrap_or_default();
        (r.line, format!("{}! {}{column}", r.line, r.rule))
    });
    let skipped = outcome
        .skipped
        .iter()
        .map(|s| (s.line, format!("{} - {}", s.line, s.rule)));
    let mut all: Vec<(i64, String)> = rows.chain(rejects).chain(skipped).collect();
    all.sort();
    all.into_iter().map(|(_, text)| text).collect()
}

pub fn told_of(keys: &str, text: &str) -> Vec<String> {
    told(&outcome(keys, text))
}

pub fn notes(outcome: &FileOutcome) -> Vec<String> {
    outcome
        .notes
        .iter()
        .map(|n| format!("{} {}", n.rule, n.message))
        .collect()
}

/// A header, `good` good records and these.
pub fn with_good(good: usize, rest: &str) -> String {
    use std::fmt::Write as _;
    let mut text = "id,amount,ordered_on,note\n".to_owned();
    for i in 0..good {
        writeln!(text, "G{i},1,2026-07-01,").unwrap();
    }
    text + rest
}
