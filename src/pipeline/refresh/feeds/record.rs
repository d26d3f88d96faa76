//! One row outside a batch: personal values hidden, typed values as JSON and back.
//!
//! Duty: forms in which a row waits or is kept for people. Not its duty: which row.

use std::collections::BTreeMap;

use crate::contracts::{Column, ColumnRole, ColumnType, Contract};
use crate::domain::batch::{Cells, Column as CellColumn};
use crate::domain::table::named_row_hash;
use crate::domain::{Batch, Cell, CellKind, Dec, Digest, Instant, Row, Value, time};
use crate::store::parts::cell_kind;
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

/// The columns that files deliver.
pub(super) fn data_columns(contract: &Contract) -> &[Column] {
    let count = contract.columns.iter().take_while(|c| c.role == ColumnRole::Data);
    &contract.columns[..count.count()]
}

/// Cells of a stored contract's delivered columns.
pub(super) fn cell_kinds(stored: &Contract) -> Vec<CellKind> {
    data_columns(stored).iter().map(|c| cell_kind(c.kind)).collect()
}

/// Replaces personal values by tokens and collects their texts.
pub(super) fn hide_personal(contract: &Contract, batch: &mut Batch, texts: &mut BTreeMap<String, String>) {
    for (column, declared) in batch.columns.iter_mut().zip(&contract.columns) {
        if !declared.personal {
            continue;
        }
        let mut hidden = CellColumn::new(CellKind::Text);
        for row in 0..column.len() {
            match column.get(row) {
                Cell::Null => hidden.push_null(),
                cell => {
                    let text = cell.value().to_string();
                    let token = private::token(&text);
                    hidden.push(Cell::Text(&token));
                    texts.insert(token, text);
                }
            }
        }
        *column = hidden;
    }
}

/// SHA-256 of a row by the names of its columns.
pub(super) fn row_digest(contract: &Contract, row: &Row) -> Digest {
    named_row_hash(data_columns(contract).iter().map(|c| c.name.as_str()).zip(row))
}

/// The row as a JSON object of texts, in the order of the contract; what is null is not there.
pub(super) fn to_json(contract: &Contract, row: &Row) -> String {
    let fields = data_columns(contract).iter().zip(row).filter(|(_, v)| !v.is_null());
    let object: serde_json::Map<String, serde_json::Value> = fields
        .map(|(c, v)| (c.name.clone(), serde_json::Value::String(v.to_string())))
        .collect();
    serde_json::Value::Object(object).to_string()
}

/// The row of such an object, as the contract is now: a column that it lacks is null. `None` when a text is no value of
/// its column any more.
pub(super) fn from_json(stored: &Contract, text: &str) -> Option<Row> {
    let object: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    let value = |column: &Column| match object.get(&column.name) {
        None => Some(Value::Null),
        Some(text) => typed(column.kind, text),
    };
    data_columns(stored).iter().map(value).collect()
}

/// A value from its printed form.
fn typed(kind: ColumnType, text: &str) -> Option<Value> {
    Some(match kind {
        ColumnType::Text => Value::text(text),
        ColumnType::Int => Value::Int(text.parse().ok()?),
        ColumnType::Decimal { precision, scale } => Value::Dec(Dec::parse_scaled(text, precision, scale).ok()?),
        ColumnType::Bool => Value::Bool(text.parse().ok()?),
        ColumnType::Date => Value::Date(time::parse_date(text)?),
        ColumnType::Instant => Value::Instant(Instant::parse(text).ok()?),
    })
}

/// Text of a cell as people read it.
pub(super) fn shown(cell: Cell<'_>) -> String {
    cell.value().to_string()
}

/// Whether a column of text holds a text, without making one.
pub(super) fn text_of(batch: &Batch, row: usize, column: usize) -> Option<&str> {
    match &batch.columns[column].cells {
        Cells::Text { .. } => batch.cell(row, column).text(),
        _ => None,
    }
}
