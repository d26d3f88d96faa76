//! A source: where the files of a feed come from, and how they differ from its contract.
//!
//! Duty: the typed value and its check against the contract. Not its duty: reading TOML (`source_toml`), opening
//! files, guessing. What a source does not declare is the strict default: UTF-8, comma, ISO dates, decimal point.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobSet;

use super::csv::Dialect;
use super::decode::{Compression, Encoding};
use super::formats::Pattern;
use super::parse::Reading;
use crate::contracts::Contract;
use crate::contracts::model::{Column, ColumnRole, ContractKind};
use crate::domain::{Finding, Findings, Place, Zone};

pub use super::source_arrival::{Mode, Order, Ready, Sender};

/// One `[[source]]` of `pipelines/sources/*.toml`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Unique in the workspace.
    pub name: String,
    /// Name of the contract.
    pub feed: String,
    /// Globs relative to the workspace, with `/` between folders; `*` stays within one folder, `**` does not.
    pub files: Vec<String>,
    pub format: Format,
    pub compression: Compression,
    /// Of CSV and JSON Lines; a byte-order mark in the file wins.
    pub encoding: Encoding,
    /// Of CSV.
    pub dialect: Dialect,
    /// Of a workbook; `None`: its only sheet.
    pub sheet: Option<String>,
    /// Of a workbook: the row of the header, from 1; rows above it are preamble.
    pub header_row: u64,
    /// Of a workbook.
    pub hidden_rows: HiddenRows,
    pub decimal_mark: char,
    /// Between groups of three digits; `None`: there is none.
    pub grouping_mark: Option<char>,
    /// Empty: ISO only.
    pub date_formats: Vec<Pattern>,
    /// Empty: RFC 3339 with an offset only.
    pub instant_formats: Vec<Pattern>,
    /// Zone of instants written without an offset.
    pub time_zone: Option<Zone>,
    /// Which of the two instants a local time means that a clock shows twice; `None`: such a time is rejected.
    pub overlap: Option<Overlap>,
    /// Texts that mean null, after trimming; a blank always does.
    pub null_tokens: BTreeSet<String>,
    /// Column of the file to column of the contract.
    pub rename: BTreeMap<String, String>,
    /// By column of the contract: text of the file to text of the contract.
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// By column of the contract: its text in every row.
    pub constants: BTreeMap<String, String>,
    pub skip: Skip,
    pub mode: Mode,
    pub order: Order,
    /// `None`: anybody may speak for every partner.
    pub sender: Option<Sender>,
    pub ready: Ready,
    /// Nothing is expected of it at any time, such as of corrections: it is never silent.
    pub irregular: bool,
    pub(super) globs: GlobSet,
    /// File of the declaration.
    pub(super) declared_in: String,
    /// Line of each key, such as `rename.Partner`; the empty key is the source itself.
    pub(super) lines: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    JsonLines,
    Xlsx,
    Parquet,
}

impl Format {
    /// As a source declares it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::JsonLines => "json_lines",
            Format::Xlsx => "xlsx",
            Format::Parquet => "parquet",
        }
    }
}

/// What becomes of rows that a workbook hides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HiddenRows {
    /// They are read, counted and told.
    #[default]
    Read,
    Reject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    First,
    Last,
}

/// Records that are not data. What is not declared here is rejected, not skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skip {
    /// Physical lines above the header.
    pub preamble_lines: u64,
    /// Records equal to the header.
    pub repeated_header: bool,
    /// Records whose fields are all blank.
    pub blank_rows: bool,
    pub totals: Option<Totals>,
}

/// Totals are told by how the text of one column begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Column of the contract.
    pub column: String,
    pub starts_with: String,
}

impl Source {
    /// Whether a file of the workspace belongs to this source; `path` is relative to it, with `/` between folders.
    pub fn matches(&self, path: &str) -> bool {
        // what says that a file is whole is no file of the feed itself
        let says_done = self
            .ready
            .done_suffix
            .as_ref()
            .is_some_and(|s| path.ends_with(s.as_str()));
        !says_done && self.globs.is_match(path)
    }

    /// The one source that a file belongs to; several are an error.
    pub fn of_file<'a>(sources: &'a [Source], path: &str) -> Result<Option<&'a Source>, Box<Finding>> {
        let mut found = sources.iter().filter(|s| s.matches(path));
        let (first, second) = (found.next(), found.next());
        match (first, second) {
            (Some(a), Some(b)) => Err(Box::new(Finding::error(
                Place::file(path),
                "source.ambiguous",
                format!(
                    "the file matches the sources '{}' ({}) and '{}' ({})",
                    a.name,
                    a.place("files"),
                    b.name,
                    b.place("files")
                ),
                "narrow the globs, so that each file belongs to one source",
            ))),
            (first, _) => Ok(first),
        }
    }

    /// Names that stand more than once over all source files.
    pub fn check_names(sources: &[Source]) -> Findings {
        let mut seen: BTreeMap<&str, &Source> = BTreeMap::new();
        let mut findings = Findings::new();
        for source in sources {
            if let Some(first) = seen.insert(&source.name, source) {
                findings.push(source.error(
                    "name",
                    "source.duplicate_name",
                    format!(
                        "the source '{}' is already declared at {}",
                        source.name,
                        first.place("name")
                    ),
                    "give each source a name of its own",
                ));
            }
        }
        findings
    }

    /// Where a key is declared; the source itself where the key is not.
    pub fn place(&self, key: &str) -> Place {
        let line = self.lines.get(key).or_else(|| self.lines.get("")).copied();
        Place {
            file: self.declared_in.clone(),
            line,
            column: None,
        }
    }

    /// What of the source does not fit the contract of its feed.
    pub fn check(&self, contract: &Contract) -> Findings {
        let mut findings = Findings::new();
        if self.feed != contract.name {
            findings.push(self.error(
                "feed",
                "source.feed",
                format!(
                    "the source is of feed '{}' and is checked against the contract of '{}'",
                    self.feed, contract.name
                ),
                "name the feed by its contract",
            ));
        }
        if contract.kind == ContractKind::Output {
            let message = format!("'{}' is written by the program and has no files", contract.name);
            findings.push(self.error("feed", "source.feed", message, "name a feed: a reference or a fact"));
        }
        self.check_columns(contract, &mut findings);
        self.check_texts(contract, &mut findings);
        self.check_arrival(contract, &mut findings);
        findings
    }

    fn check_columns(&self, contract: &Contract, findings: &mut Findings) {
        let mut targets: BTreeMap<&str, &str> = BTreeMap::new();
        for (from, to) in &self.rename {
            let key = format!("rename.{from}");
            self.check_column(contract, &key, to, findings);
            if let Some(other) = targets.insert(to, from) {
                findings.push(self.error(
                    &key,
                    "source.rename",
                    format!("'{other}' and '{from}' are both renamed to '{to}'"),
                    "rename one column of the file to each column of the contract",
                ));
            }
            if self.constants.contains_key(to) {
                findings.push(self.error(
                    &key,
                    "source.constant",
                    format!("'{to}' is both renamed from '{from}' and a constant"),
                    "keep one of the two",
                ));
            }
        }
        for column in self.values.keys() {
            self.check_column(contract, &format!("values.{column}"), column, findings);
        }
        for column in self.constants.keys() {
            self.check_column(contract, &format!("constants.{column}"), column, findings);
        }
        if let Some(totals) = &self.skip.totals {
            self.check_column(contract, "skip.totals", &totals.column, findings);
        }
    }

    pub(super) fn check_column(&self, contract: &Contract, key: &str, column: &str, findings: &mut Findings) {
        if data_columns(contract).iter().any(|c| c.name == column) {
            return;
        }
        let names: Vec<&str> = data_columns(contract).iter().map(|c| c.name.as_str()).collect();
        findings.push(self.error(
            key,
            "source.unknown_column",
            format!(
                "'{column}' is no delivered column of the contract of '{}'",
                contract.name
            ),
            format!("its columns are {}", names.join(", ")),
        ));
    }

    /// Constants and the texts that values are mapped to must be values of their columns.
    fn check_texts(&self, contract: &Contract, findings: &mut Findings) {
        let reading = Reading::new(self, contract);
        let mut check = |key: String, column: &str, text: &str| {
            let Some(index) = data_columns(contract).iter().position(|c| c.name == column) else {
                return;
            };
            if let Err(fault) = reading.mapped(index, text) {
                let message = format!("'{text}' is no value of '{column}': {}", fault.reason);
                findings.push(self.error(&key, "source.value", message, fault.remedy));
            }
        };
        for (column, map) in &self.values {
            for (from, to) in map {
                check(format!("values.{column}.{from}"), column, to);
            }
        }
        for (column, text) in &self.constants {
            check(format!("constants.{column}"), column, text);
        }
    }

    pub(super) fn error(
        &self,
        key: &str,
        rule: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding::error(
            self.place(key).column(format!("source {}", self.name)),
            rule,
            message,
            remedy,
        )
    }
}

/// The delivered columns of a contract: they stand first.
pub fn data_columns(contract: &Contract) -> &[Column] {
    let count = contract
        .columns
        .iter()
        .take_while(|c| c.role == ColumnRole::Data)
        .count();
    &contract.columns[..count]
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{column, contract, date, decimal, source};
    use super::*;
    use crate::contracts::model::ColumnType;

    fn rules(findings: &[Finding]) -> Vec<String> {
        findings
            .iter()
            .map(|f| format!("{} {}", f.place.line.unwrap_or(0), f.rule))
            .collect()
    }

    fn sales() -> Contract {
        let id = column("order_line_id", ColumnType::Text);
        contract(
            "sales",
            &[
                id,
                decimal("net_amount"),
                date("ordered_on"),
                column("paid", ColumnType::Bool),
            ],
            &[0],
        )
    }

    #[test]
    fn a_fitting_source_has_no_findings() {
        let fits = source(
            "feed = 'sales'\nrename = { Zeile = 'order_line_id' }\nvalues = { paid = { ja = 'true', '?' = '' } }",
        );
        assert_eq!(fits.check(&sales()), []);
    }

    #[test]
    fn everything_that_does_not_fit_is_found_at_its_line() {
        let wrong = source(
            "feed = 'sales'
            constants = { net_amount = '1,5', ordered_on = '2026-01-01' }
            skip = { totals = { column = 'nope', starts_with = 'T' } }
            [source.rename]
            A = 'order_line_id'
            B = 'order_line_id'
            C = 'nope'
            D = 'ordered_on'
            [source.values.paid]
            ja = 'yes'
            [source.values.nope]
            a = 'b'",
        );
        let mut found = rules(&wrong.check(&sales()));
        found.sort();
        assert_eq!(
            found,
            [
                "11 source.rename",
                "12 source.unknown_column",
                "13 source.constant",
                "15 source.value",
                "16 source.unknown_column",
                "7 source.value",
                "8 source.unknown_column",
            ]
        );
    }

    #[test]
    fn a_file_belongs_to_one_source() {
        let a = source("feed = 'sales'\nfiles = ['in/a-*.csv']");
        let b = source("feed = 'sales'\nfiles = ['in/*-b.csv']");
        assert!(a.matches("in/a-1.csv") && !a.matches("in/x/a-1.csv") && !a.matches("in/a-1.csv.tmp"));
        let both = [a, b];
        assert_eq!(
            Source::of_file(&both, "in/a-1.csv").unwrap().unwrap().files,
            ["in/a-*.csv"]
        );
        assert!(Source::of_file(&both, "in/c.csv").unwrap().is_none());
        assert_eq!(
            Source::of_file(&both, "in/a-b.csv").unwrap_err().rule,
            "source.ambiguous"
        );
        assert_eq!(rules(&Source::check_all(&both)), ["3 source.duplicate_name"]);
        let done = source("feed = 'sales'\nfiles = ['in/*']\nready = { done_suffix = '.done' }");
        assert!(done.matches("in/a.csv") && !done.matches("in/a.csv.done"));
    }
}
