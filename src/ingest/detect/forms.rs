//! How the values of the matched columns are written.
//!
//! Duty: which columns are held against which forms. Not its duty: the forms.

use super::codes::{self, Matched};
use super::column::Column;
use super::columns::Matching;
use super::dates;
use super::guess::{Confidence, Guess, Setting};
use super::numbers::{self, Numbers};
use super::records::Sorted;
use crate::contracts::model::ColumnType;
use crate::ingest::source::{Format, data_columns};

/// Guesses about marks, formats, nulls, value maps and totals.
pub fn guesses(sorted: &Sorted, matching: &Matching<'_>, format: Format) -> Vec<Guess> {
    let wanted = data_columns(matching.contract);
    let matched: Vec<Matched<'_>> = matching
        .matches
        .iter()
        .map(|m| (&sorted.columns[m.from], &wanted[m.to]))
        .collect();
    let of = |kind: ColumnType| -> Vec<&Column> {
        let columns = matched.iter().filter(|(_, w)| w.kind == kind);
        columns.map(|(c, _)| *c).collect()
    };
    let mut guesses = Vec::new();
    // JSON and Parquet say themselves how their numbers are written
    if matches!(format, Format::Csv | Format::Xlsx) {
        let numbers: Vec<Numbers<'_>> = matched.iter().filter_map(|(c, w)| number(c, w.kind)).collect();
        guesses.extend(numbers::guess(&numbers));
    }
    guesses.extend(dates::dates(&of(ColumnType::Date)));
    guesses.extend(dates::instants(&of(ColumnType::Instant)));
    guesses.extend(codes::nulls(&matched));
    for (column, want) in &matched {
        guesses.extend(codes::values(column, want));
    }
    if let Some((at, word)) = &sorted.totals {
        guesses.push(totals(*at, word, matching));
    }
    guesses
}

fn number(column: &Column, kind: ColumnType) -> Option<Numbers<'_>> {
    let scale = match kind {
        ColumnType::Int => 0,
        ColumnType::Decimal { scale, .. } => usize::from(scale),
        _ => return None,
    };
    Some(Numbers { column, scale })
}

/// Totals can only be told by a column of the contract.
fn totals(at: usize, word: &str, matching: &Matching<'_>) -> Guess {
    let wanted = data_columns(matching.contract);
    let column = matching
        .matches
        .iter()
        .find(|m| m.from == at)
        .map(|m| &wanted[m.to].name);
    let evidence = format!("one of the last records begins with '{word}' there, and no other does");
    let (column, confidence) = match column {
        Some(column) => (column.clone(), Confidence::Likely),
        None => (String::new(), Confidence::Open),
    };
    let setting = Setting::Totals {
        column,
        starts_with: word.to_owned(),
    };
    Guess::key(&["skip", "totals"], setting, confidence, evidence)
}
