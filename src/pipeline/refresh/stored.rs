//! Rows as they are stored: personal values hidden, lineage and month added.
//!
//! Duty: from resolved rows to a feed's table and back. Not its duty: which rows are current.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PipelineError;
use crate::contracts::{ColumnRole, ColumnType, Contract};
use crate::domain::{Date, Digest, Row, RowRef, Table, Value, Zone};
use crate::ingest::StoredRow;
use crate::store::StoreError;
use crate::store::private;

/// The contract as rows are stored: a personal column holds a token instead of its text.
pub(super) fn stored_contract(contract: &Contract) -> Contract {
    let mut stored = contract.clone();
    for column in stored.columns.iter_mut().filter(|c| c.personal) {
        column.kind = ColumnType::Text;
        column.format = None;
        column.pattern = None;
        column.minimum = None;
        column.maximum = None;
        column.allowed.clear();
    }
    stored
}

/// Replaces personal values by tokens and collects their texts.
pub(super) fn hide_personal(contract: &Contract, values: &mut Row, texts: &mut BTreeMap<String, String>) {
    for (value, column) in values.iter_mut().zip(&contract.columns) {
        if column.personal && !value.is_null() {
            let text = value.to_string();
            let token = private::token(&text);
            *value = Value::text(&token);
            texts.insert(token, text);
        }
    }
}

/// Rows of a stored table.
pub(super) fn stored_rows(contract: &Contract, table: &Table) -> Result<Vec<StoredRow>, PipelineError> {
    let data: Vec<&str> = contract
        .columns
        .iter()
        .filter(|c| c.role == ColumnRole::Data)
        .map(|c| c.name.as_str())
        .collect();
    // a column that a newer contract added is null in older rows
    let places: Vec<Option<usize>> = data.iter().map(|name| table.column(name)).collect();
    let mut names: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let read = |row: RowRef<'_>| -> Result<StoredRow, PipelineError> {
        let name = row.text("source_file")?;
        let file_name = names.entry(name.to_owned()).or_insert_with(|| name.into()).clone();
        let hash = Digest::parse(row.text("row_hash")?).ok_or_else(|| PipelineError::Stage {
            what: "row_hash",
            detail: "is no digest".to_owned(),
        })?;
        let values = places
            .iter()
            .map(|p| p.map_or(Value::Null, |i| row.values()[i].clone()))
            .collect();
        Ok(StoredRow {
            arrival: row.int("arrival")?,
            file_name,
            line: row.int("source_line")?,
            hash,
            values,
        })
    };
    table.iter().map(read).collect()
}

/// Current rows as the table that is stored: data, lineage, and the month for facts.
pub(super) fn feed_table(stored: &Contract, rows: Vec<StoredRow>) -> Result<Table, PipelineError> {
    let mut table = Table::with_columns(&stored.name, stored.columns.iter().map(|c| c.name.clone()).collect());
    for row in rows {
        let month = stored.business_date.map(|i| month_of(&row.values[i]));
        let mut values = row.values;
        values.extend([
            row.arrival.into(),
            Value::Text(row.file_name),
            row.line.into(),
            row.hash.into(),
        ]);
        values.extend(month);
        table.push(values);
    }
    crate::contracts::conform(stored, table).map_err(|f| StoreError::Contract(f).into())
}

fn month_of(value: &Value) -> Value {
    let month = |date: Date| Value::text(date.format("%Y-%m").to_string());
    match value {
        Value::Date(date) => month(*date),
        Value::Instant(at) => month(Zone::UTC.date_of(*at)),
        _ => Value::text("none"),
    }
}
