//! What a person should know about a file that was read.
//!
//! Duty: the words of notes. Not its duty: when there is one (`intake`).

use std::collections::{BTreeMap, BTreeSet};

use super::fault::shown;
use crate::contracts::model::{CheckSeverity, Column, Drift, EXTRA, RowCheck};
use crate::domain::{Finding, Place};

/// A check that does not hold in rows that are kept.
pub(super) struct Flagged<'a> {
    pub check: &'a RowCheck,
    pub count: u64,
    /// The first.
    pub line: u64,
}

impl Flagged<'_> {
    pub(super) fn note(&self, whole: &Place) -> Finding {
        let Flagged { check, count, line } = self;
        let message = format!(
            "rows kept that do not hold: {count}, the first on line {line}; the rule: {}",
            check.description
        );
        let finding = match check.severity {
            CheckSeverity::Warn => Finding::warning,
            _ => Finding::note,
        };
        finding(whole.clone(), &check.id, message, "look at these rows".to_owned())
    }
}

/// Values of a column that do not fit, in rows that are kept.
pub(super) struct Drifted {
    pub count: u64,
    line: u64,
    pub examples: BTreeSet<String>,
}

impl Drifted {
    /// `line` is the first.
    pub(super) fn new(line: u64) -> Drifted {
        Drifted {
            count: 0,
            line,
            examples: BTreeSet::new(),
        }
    }

    pub(super) fn note(&self, whole: &Place, column: &Column) -> Finding {
        let Drifted { count, line, examples } = self;
        let examples = examples.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let (rule, message, remedy) = if column.drift == Drift::Evolve {
            (
                "drift.new_value",
                format!(
                    "values that are not among the allowed ones were kept: {count}, the first on line {line}: {examples}"
                ),
                "add them to the contract, or correct them at the source",
            )
        } else {
            (
                "drift.value_discarded",
                format!("values that do not fit were left out: {count}, the first on line {line}: {examples}"),
                "correct them at the source",
            )
        };
        Finding::warning(whole.clone().column(&column.name), rule, message, remedy)
    }
}

pub(super) fn constant(header: &Place, column: &str) -> Finding {
    let message = format!("the column '{column}' is constant in the source; the file's own values are not read");
    let remedy = "remove the constant from the source, or the column from the file";
    Finding::warning(header.clone().column(column), "header.constant", message, remedy)
}

pub(super) fn no_rows(whole: &Place) -> Finding {
    let remedy = "nothing to do, if there was nothing to report";
    Finding::warning(whole.clone(), "file.no_rows", "the file has no records", remedy)
}

/// Of a member of an object.
pub(super) fn normalised(whole: &Place, written: &str, declared: &str) -> Finding {
    let message = format!("the member {} was read as '{declared}'", shown(written));
    let place = whole.clone().column(declared);
    Finding::note(place, "header.normalised", message, "write the name as declared")
}

pub(super) fn unknown(whole: &Place, drift: Drift, name: &str, values: u64) -> Finding {
    let became = match drift {
        Drift::Evolve => format!("values kept in '{EXTRA}'"),
        Drift::DiscardRow => "values for which records were rejected".to_owned(),
        Drift::Freeze | Drift::DiscardValue => "values not read".to_owned(),
    };
    let message = format!("the column {} is not in the contract; {became}: {values}", shown(name));
    let remedy = "add the column to the contract, rename it in the source, or leave it out";
    Finding::warning(whole.clone(), "header.unknown", message, remedy)
}

pub(super) fn trimmed(whole: &Place, column: &str, values: u64) -> Finding {
    let message = format!("blanks around values were removed; values: {values}");
    let place = whole.clone().column(column);
    Finding::note(place, "value.trimmed", message, "deliver values without")
}

pub(super) fn composed(whole: &Place, column: &str, values: u64) -> Finding {
    let message = format!("letters and their marks were joined (Unicode NFC); values: {values}");
    let place = whole.clone().column(column);
    Finding::note(place, "value.composed", message, "deliver identifiers in composed form")
}

/// Names and values as a JSON object, sorted by name; `None` without any.
pub(super) fn to_json(values: &[(&str, &str)]) -> Option<String> {
    let sorted: BTreeMap<&str, &str> = values.iter().copied().collect();
    // texts under texts are always JSON
    (!sorted.is_empty()).then(|| serde_json::to_string(&sorted).unwrap_or_default())
}
