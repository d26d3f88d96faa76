//! The contract of a measure that has none of its own.
//!
//! Duty: grain and types of the result, as a contract in the standard's form, from the statement. Not its duty: meaning
//! (a file of `schemas/` can say more: descriptions, ranges, checks; it then holds instead).

use std::fmt::Write as _;

use super::Measure;
use super::lint::Linted;
use crate::contracts::ColumnType;
use crate::domain::{Finding, Place};

/// The grain that every measure has at least.
const GRAIN: [&str; 3] = ["partner_id", "domain", "period"];

/// The text of the contract, or what the statement lacks.
pub(super) fn contract(measure: &Measure, linted: &Linted) -> Result<String, Box<Finding>> {
    let missing: Vec<&str> = GRAIN
        .into_iter()
        .filter(|c| !linted.key.iter().any(|k| k == c))
        .collect();
    if !missing.is_empty() {
        return Err(Box::new(Finding::error(
            Place::file(&measure.file),
            "measure.grain",
            format!("the result does not group by {}", missing.join(", ")),
            "select and group by partner_id, domain and period: calendar_partner_periods has the periods, \
             calendar_product_instants and calendar_product_spans the domains; or add a contract to schemas/",
        )));
    }
    let name = measure.output();
    let mut text = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: starledger-{}\nname: \"Measure: {}\"\nversion: 1.0.0\n\
         status: active\ndescription:\n  purpose: Follows from the statement of the measure.\nschema:\n  - name: {name}\n    \
         logicalType: object\n    physicalType: table\n    description: Result of {}.\n    \
         dataGranularityDescription: {}.\n    customProperties:\n      - {{property: kind, value: output}}\n      \
         - {{property: partition, value: period}}\n    properties:\n",
        name.replace('_', "-"),
        measure.name,
        measure.file,
        linted.key.join(", "),
    );
    for (column, kind) in &linted.result {
        column_text(&mut text, linted, column, *kind);
    }
    Ok(text)
}

fn column_text(text: &mut String, linted: &Linted, column: &str, kind: ColumnType) {
    let (logical, physical) = match kind {
        ColumnType::Text => ("string", "VARCHAR".to_owned()),
        ColumnType::Int => ("integer", "BIGINT".to_owned()),
        ColumnType::Decimal { precision, scale } => ("number", format!("DECIMAL({precision},{scale})")),
        ColumnType::Bool => ("boolean", "BOOLEAN".to_owned()),
        ColumnType::Date => ("date", "DATE".to_owned()),
        ColumnType::Instant => ("timestamp", "TIMESTAMPTZ".to_owned()),
    };
    let place = linted.key.iter().position(|key| key == column);
    // writing to a text cannot fail
    let _ = write!(
        text,
        "      - name: {column}\n        description: As the statement says.\n        logicalType: {logical}\n        \
         physicalType: \"{physical}\"\n        required: {}\n",
        place.is_some()
    );
    if let Some(place) = place {
        let _ = write!(
            text,
            "        primaryKey: true\n        primaryKeyPosition: {}\n",
            place + 1
        );
    }
    if column == "period" {
        let _ = write!(text, "        partitioned: true\n        partitionKeyPosition: 1\n");
    }
    let format = match column {
        "partner_id" | "domain" => "id",
        "period" => "period",
        _ => return,
    };
    let _ = write!(
        text,
        "        customProperties:\n          - {{property: format, value: {format}}}\n"
    );
}
