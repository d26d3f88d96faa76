//! The history of a feed: versions that a later delivery replaced.
//!
//! Duty: the shape of `<feed>_history`, which follows from the feed's contract. Grain: one version of one key that is
//! not current. Columns: those of the feed; `until_arrival`, the arrival that replaced it (its own where it never was
//! current); `outcome`: `superseded`, `ended` (a snapshot came without the key), `stale` (a later one was there first).

use crate::contracts::{Column, ColumnRole, ColumnType, Contract, ContractKind};
use crate::domain::batch::{Batch, Column as CellColumn};
use crate::domain::{Cell, CellKind};

use super::record::data_columns;

pub(super) const SUPERSEDED: &str = "superseded";
pub(super) const ENDED: &str = "ended";
pub(super) const STALE: &str = "stale";

/// Name of the history of a feed.
pub(in crate::pipeline) fn history_name(feed: &str) -> String {
    format!("{feed}_history")
}

/// The contract of a feed's history, from the contract as its rows are stored.
pub(super) fn history_contract(stored: &Contract) -> Contract {
    let data = data_columns(stored).len();
    let mut contract = stored.clone();
    contract.name = history_name(&stored.name);
    contract.kind = ContractKind::Output;
    contract.key.clear();
    contract.checks.clear();
    let like = contract.columns[0].clone();
    let added = |name: &str, kind: ColumnType| Column {
        name: name.to_owned(),
        kind,
        role: ColumnRole::Data,
        required: true,
        allowed: Vec::new(),
        minimum: None,
        maximum: None,
        pattern: None,
        format: None,
        reference: None,
        personal: false,
        money: None,
        ..like.clone()
    };
    contract.columns.insert(data, added("until_arrival", ColumnType::Int));
    contract.columns.insert(data + 1, added("outcome", ColumnType::Text));
    contract.partition = contract.partition.map(|p| p + 2);
    contract
}

/// The rows of a feed as rows of its history.
pub(super) fn history_rows(mut rows: Batch, until: &[i64], outcome: &[&str]) -> Batch {
    let mut arrivals = CellColumn::new(CellKind::Int);
    let mut outcomes = CellColumn::new(CellKind::Text);
    for (until, outcome) in until.iter().zip(outcome) {
        arrivals.push(Cell::Int(*until));
        outcomes.push(Cell::Text(outcome));
    }
    rows.columns.extend([arrivals, outcomes]);
    rows
}
