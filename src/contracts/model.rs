//! A contract as typed values: what a table's columns are and what must hold of a row.
//!
//! Duty: shapes only. Not its duty: reading YAML (`read`), checking values (`check`).

use regex::Regex;

use crate::domain::{Dec, Digest};

/// One table's contract, read from `schemas/<name>.odcs.yaml`.
#[derive(Clone, Debug)]
pub struct Contract {
    /// Table name: that of the feed or the output.
    pub name: String,
    /// Semantic version of the contract.
    pub version: String,
    pub kind: ContractKind,
    /// File name, for messages.
    pub file: String,
    /// In the order of the file: delivered columns first, then those that the program adds.
    pub columns: Vec<Column>,
    /// Indices of the primary key's columns, in key order; empty for a table without a key.
    pub key: Vec<usize>,
    pub checks: Vec<RowCheck>,
    /// Column whose value partitions the stored table (`month` or `period`), if any.
    pub partition: Option<usize>,
    /// Column whose month partitions a fact.
    pub business_date: Option<usize>,
    /// Share of rejected rows over which a file is set aside whole, such as 0.05. Feeds only.
    pub reject_threshold: Dec,
    /// What becomes of columns of a file that the contract does not have. Feeds only.
    pub drift: Drift,
    /// Days that a row waits for what it refers to; `None`: for ever. Feeds only.
    pub held_days: Option<u32>,
    /// When files and rows are due, where the contract says so.
    pub freshness: Option<Freshness>,
    /// When so few rows of a fact came that something is missing.
    pub thin: Thin,
    /// SHA-256 of the contract file's bytes.
    pub digest: Digest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContractKind {
    /// A feed of reference data: not partitioned.
    Reference,
    /// A feed of facts: partitioned by the month of its business date.
    Fact,
    /// Written by the program.
    Output,
}

/// The column that keeps what the contract does not have, when the table's drift is `evolve`: a JSON object by name.
pub const EXTRA: &str = "extra";

/// The answer to a delivery that differs from the contract. Of a table: columns that the contract does not have. Of a
/// column: values that do not fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// Table: the values are kept in the column `extra`. Column: a value outside the allowed ones is kept and told.
    Evolve,
    /// The file is set aside.
    Freeze,
    /// The record goes to quarantine: the default of a column.
    DiscardRow,
    /// Table: the values are not read, and counted: the default. Column: null instead, counted.
    DiscardValue,
}

/// Service levels of a feed, from `slaProperties`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// `frequency`: a file is expected at least every so many days.
    pub every_days: u32,
    /// `latency`: a row is expected within so many days of its date; 0 where the contract does not say.
    pub within_days: u32,
}

/// When the volume of a period is thin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thin {
    /// `thinShare`: share of the median of earlier periods below which it is, 0…1.
    pub share: Dec,
    /// `thinMinimum`: median from which on that can be told, in rows.
    pub minimum_rows: u32,
}

impl Default for Thin {
    /// Half of a median of 20 rows or more.
    fn default() -> Thin {
        Thin {
            share: Dec::new(5, 1),
            minimum_rows: 20,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub kind: ColumnType,
    pub role: ColumnRole,
    pub required: bool,
    /// Allowed values; empty means any.
    pub allowed: Vec<String>,
    /// Least value, inclusive. Of a date: its days since 1970-01-01; of an instant: its microseconds since then.
    pub minimum: Option<Dec>,
    /// Greatest value, inclusive; units as in `minimum`.
    pub maximum: Option<Dec>,
    /// Whole-text pattern.
    pub pattern: Option<Regex>,
    pub format: Option<Format>,
    /// The column of another feed that must hold this value.
    pub reference: Option<Reference>,
    /// Personal data: never stored in a release. A feed with such columns keeps them under `private/`.
    pub personal: bool,
    /// Of an amount of money: index of the column with its currency.
    pub money: Option<usize>,
    /// What becomes of values that do not fit.
    pub drift: Drift,
    /// Where the column is declared.
    pub line: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    Text,
    Int,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Bool,
    Date,
    /// Microseconds, UTC.
    Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnRole {
    /// Delivered in files, or computed for an output.
    Data,
    /// Added by ingestion: `arrival`, `source_file`, `source_line`.
    Lineage,
    /// Added by the store: `month`.
    Partition,
}

/// What a text must be beyond being a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An identifier: see `domain::ids::check_id`.
    Id,
    Currency,
    /// Two capital letters of ISO 3166.
    Country,
    Zone,
    /// BCP 47.
    Language,
    Email,
    /// `2026-Q3`, `2026-M07`, …
    Period,
    /// Items separated by `|`, each one of `allowed`.
    List,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub table: String,
    pub column: String,
}

/// A check across the columns of one row: `left op right`. A comparison passes when either side is null; what each of
/// the other operators does with nulls stands beside it.
#[derive(Clone, Debug)]
pub struct RowCheck {
    /// Stable name, such as `completed-after-opened`.
    pub id: String,
    pub severity: CheckSeverity,
    /// Index of a column.
    pub left: usize,
    pub op: Op,
    pub right: Operand,
    pub description: String,
}

#[derive(Clone, Debug)]
pub enum Operand {
    Column(usize),
    Number(Dec),
    /// Of a text column: the text. Of a date or an instant: its printed form.
    Text(String),
    /// A condition: this column holds this value, as printed. Only after `PresentWhen` and `AbsentWhen`.
    ColumnIs(usize, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    /// The left column is not null when the condition holds: `Column` for not null, or `ColumnIs`.
    PresentWhen,
    /// The left column is null when the condition holds.
    AbsentWhen,
    /// Exactly one of the two columns is not null.
    ExclusiveWith,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckSeverity {
    /// The row goes to quarantine.
    Reject,
    /// The row stays and is flagged.
    Warn,
    /// The row stays and is counted.
    Count,
}
