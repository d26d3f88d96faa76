//! Small contracts, sources and files for the tests of this room.

use std::io::Cursor;
use std::ops::Deref;

use super::file::{Input, read_file};
use super::limits::BATCH_ROWS;
use super::outcome::{FileOrigin, FileOutcome, Verdict};
use super::source::Source;
use crate::contracts::Contract;
use crate::contracts::model::{Column, ColumnRole, ColumnType, ContractKind, Drift, Thin};
use crate::domain::{Batch, Dec, Digest, Row};

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
        drift: Drift::DiscardRow,
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
        drift: Drift::DiscardValue,
        held_days: None,
        freshness: None,
        thin: Thin::default(),
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

/// An outcome together with the rows that the sink took.
#[derive(Debug)]
pub struct Found {
    pub outcome: FileOutcome,
    pub batches: Vec<Batch>,
}

impl Deref for Found {
    type Target = FileOutcome;

    fn deref(&self) -> &FileOutcome {
        &self.outcome
    }
}

impl Found {
    /// Line and values of each row.
    pub fn rows(&self) -> Vec<(i64, Row)> {
        let rows =
            |batch: &Batch| -> Vec<(i64, Row)> { (0..batch.rows()).map(|i| (batch.lines[i], batch.row(i))).collect() };
        self.batches.iter().flat_map(rows).collect()
    }
}

/// Reads a file that was landed with so many bytes.
pub fn read_input(source: &Source, contract: &Contract, arrival: i64, bytes: u64, input: Input<'_>) -> Found {
    let origin = FileOrigin {
        arrival,
        file_name: format!("f{arrival}.csv"),
        file_hash: Digest::of(b""),
        bytes,
    };
    let mut batches: Vec<Batch> = Vec::new();
    let outcome = read_file(source, contract, &origin, input, &mut batches);
    let rows: usize = batches.iter().map(Batch::rows).sum();
    assert!(outcome.verdict != Verdict::Read || i64::try_from(rows) == Ok(outcome.rows));
    assert!(batches.iter().all(|b| !b.is_empty() && b.rows() <= BATCH_ROWS));
    Found { outcome, batches }
}

/// Reads a text as the file of an arrival.
pub fn read(source: &Source, contract: &Contract, arrival: i64, text: &[u8]) -> Found {
    let input = Input::Bytes(Box::new(Cursor::new(text)));
    read_input(source, contract, arrival, text.len() as u64, input)
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

pub fn outcome(keys: &str, text: &str) -> Found {
    read(
        &source(&format!("feed = 'sales'\n{keys}")),
        &sales(),
        7,
        text.as_bytes(),
    )
}

/// Each record: `line: values`, `line! rule column`, and `rule: count` of what was skipped; or why the file is set aside.
pub fn told(found: &Found) -> Vec<String> {
    if let Verdict::SetAside { reason } = &found.verdict {
        assert!(found.outcome.rows == 0 && found.rejects.is_empty() && found.records == 0);
        return vec![format!("set aside: {reason}")];
    }
    let rows = found.rows().into_iter().map(|(line, row)| {
        let values: Vec<String> = row.iter().map(ToString::to_string).collect();
        (line, format!("{line}: {}", values.join("|")))
    });
    let rejects = found.rejects.iter().map(|r| {
        let column = r.column.as_deref().map(|c| format!(" {c}")).unwrap_or_default();
        (r.line, format!("{}! {}{column}", r.line, r.rule))
    });
    let mut all: Vec<(i64, String)> = rows.chain(rejects).collect();
    all.sort();
    let skipped = found.skipped.iter().map(|(rule, count)| format!("{rule}: {count}"));
    all.into_iter().map(|(_, text)| text).chain(skipped).collect()
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
