//! What was expected against what came out.
//!
//! Duty: find the row that an expectation means, compare column by column; decimals at the places in which they are
//! written. Not its duty: computing.

use std::collections::BTreeMap;

use toml::Value as Toml;

use super::PipelineError;
use super::read::Example;
use crate::domain::{Dec, Ratio, Rounding, Table, Value};
use crate::evaluation::Evaluated;

/// Columns by which a row is found, where an expectation names them.
const KEYS: [&str; 13] = [
    "partner_id",
    "domain",
    "period",
    "metric",
    "figure",
    "event_id",
    "customer_id",
    "customer_class",
    "selected_by",
    "scored",
    "score_max",
    "scale_min",
    "scale_max",
];

/// Places of an exact weight.
const PLACES: u8 = 12;

/// One value that was expected.
#[derive(Clone, Debug)]
pub struct Check {
    /// Table, key and column.
    pub what: String,
    pub expected: String,
    pub got: String,
    pub holds: bool,
}

/// All expectations of an example.
pub(super) fn all(example: &Example, results: &BTreeMap<String, Table>) -> Result<Vec<Check>, PipelineError> {
    let mut checks = Vec::new();
    for (name, rows) in &example.expect {
        let table = results.get(name).ok_or_else(|| {
            let known: Vec<&str> = results.keys().map(String::as_str).collect();
            PipelineError::Usage(format!("there is no result '{name}'; there are {}", known.join(", ")))
        })?;
        for row in rows {
            expected_row(table, row, &mut checks)?;
        }
    }
    Ok(checks)
}

fn expected_row(table: &Table, row: &[(String, Toml)], checks: &mut Vec<Check>) -> Result<(), PipelineError> {
    let mut keys = Vec::new();
    let mut columns = Vec::new();
    for (name, value) in row {
        let Some(at) = table.column(name) else {
            return Err(PipelineError::Usage(format!("{} has no column '{name}'", table.name())));
        };
        let text = match value {
            Toml::String(text) => text.clone(),
            other => other.to_string(),
        };
        if KEYS.contains(&name.as_str()) {
            keys.push((at, text));
        } else {
            columns.push((name, at, text));
        }
    }
    let fits = |values: &&Vec<Value>| keys.iter().all(|(at, text)| shows(&values[*at], text));
    let found: Vec<&Vec<Value>> = table.rows.iter().filter(fits).collect();
    let key: Vec<&str> = keys.iter().map(|(_, text)| text.as_str()).collect();
    let key = key.join(" ");
    let [values] = found.as_slice() else {
        let rows: Vec<String> = table
            .rows
            .iter()
            .map(|r| r.iter().take(4).map(ToString::to_string).collect::<Vec<_>>().join(" "))
            .collect();
        checks.push(Check {
            what: format!("{} {key}", table.name()),
            expected: "one row".to_owned(),
            got: format!("{} of {}: {}", found.len(), rows.len(), rows.join(" | ")),
            holds: false,
        });
        return Ok(());
    };
    for (name, at, expected) in columns {
        let value = &values[at];
        checks.push(Check {
            what: format!("{} {key} {name}", table.name()),
            holds: shows(value, &expected),
            got: if value.is_null() {
                "none".to_owned()
            } else {
                value.to_string()
            },
            expected,
        });
    }
    Ok(())
}

/// Whether a value is what was written: a number at the places written, `none` for null, else the same text.
fn shows(value: &Value, expected: &str) -> bool {
    match value {
        Value::Null => expected == "none",
        Value::Dec(found) => Dec::parse(expected).is_ok_and(|expected| {
            let rounded = found.ratio().round(expected.scale(), Rounding::HalfAwayFromZero);
            rounded == Some(expected)
        }),
        other => other.to_string() == expected,
    }
}

/// Effective weights as shares of the whole, to 12 places: the table of metrics shows hundredths.
pub(super) fn exact_weights(evaluated: &Evaluated) -> Table {
    let mut table = Table::new("weights", &["partner_id", "domain", "period", "metric", "effective"]);
    for card in evaluated.derivations.cards.values() {
        for score in &card.domains {
            for share in &score.composite.shares {
                table.push(vec![
                    card.partner.as_str().into(),
                    score.domain.as_str().into(),
                    card.period.to_string().into(),
                    share.id.as_str().into(),
                    places(&share.effective),
                ]);
            }
        }
    }
    table
}

fn places(exact: &Ratio) -> Value {
    exact.round(PLACES, Rounding::HalfAwayFromZero).into()
}
