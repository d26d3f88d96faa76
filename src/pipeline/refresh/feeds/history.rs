//! The history of a feed: versions that a later delivery replaced.
//!
//! Duty: rows that are current no more, and which of them it keeps; the shape of `<feed>_history`, which follows from the feed's contract. Grain: one version of one key that is
//! not current. Columns: those of the feed; `until_arrival`, the arrival that replaced it (its own where it never was
//! current); `outcome`: `superseded`, `ended` (a snapshot came without the key), `stale` (a later one was there first).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::record::data_columns;
use super::state::Fate;
use crate::contracts::{Column, ColumnRole, ColumnType, Contract, ContractKind};
use crate::domain::batch::{Batch, Column as CellColumn};
use crate::domain::{Cell, CellKind, Row};
use crate::store::StoreError;
use crate::store::commit::Staging;
use crate::store::parts::{FeedWriter, StoredBatch};

const SUPERSEDED: &str = "superseded";
const ENDED: &str = "ended";
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
fn history_rows(mut rows: Batch, until: &[i64], outcome: &[&str]) -> Batch {
    let mut arrivals = CellColumn::new(CellKind::Int);
    let mut outcomes = CellColumn::new(CellKind::Text);
    for (until, outcome) in until.iter().zip(outcome) {
        arrivals.push(Cell::Int(*until));
        outcomes.push(Cell::Text(outcome));
    }
    rows.columns.extend([arrivals, outcomes]);
    rows
}

/// A row that is current no more, as it was stored.
pub(super) struct Removed {
    pub(super) fate: Fate,
    pub(super) arrival: i64,
    pub(super) file_name: Arc<str>,
    pub(super) line: i64,
    pub(super) row: Row,
}

/// Rows that are current no more.
#[derive(Default)]
pub(super) struct Gone {
    /// Those that go to the history.
    pub(super) versions: Vec<Versions>,
    pub(super) others: Vec<Removed>,
}

/// Rows of one batch for the history, each with the arrival until which it was current and what ended it.
pub(super) struct Versions {
    pub(super) rows: StoredBatch,
    pub(super) until: Vec<i64>,
    pub(super) outcome: Vec<&'static str>,
}

pub(super) fn write_history(
    writer: &mut Option<FeedWriter>,
    staging: &Staging,
    history: &Contract,
    versions: Versions,
) -> Result<(), StoreError> {
    let mut stored = versions.rows;
    stored.rows = history_rows(stored.rows, &versions.until, &versions.outcome);
    let writer = match writer {
        Some(writer) => writer,
        None => writer.insert(FeedWriter::new(staging, history)?),
    };
    // the history has no key
    writer.write_stored(stored, Vec::new(), &[])
}

/// Rows that were taken out of a part, each with its fate; both in the order of the part.
pub(super) fn collect(into: &mut Gone, gone: Vec<StoredBatch>, fates: BTreeMap<u32, Fate>) {
    let mut fates = fates.into_values();
    for batch in gone {
        let (mut numbers, mut until, mut outcome) = (Vec::new(), Vec::new(), Vec::new());
        for (row, fate) in (0..batch.rows.rows()).zip(&mut fates) {
            let (ended, by) = match fate {
                Fate::Superseded { until } => (until, SUPERSEDED),
                Fate::Ended { until } => (until, ENDED),
                fate => {
                    into.others.push(Removed {
                        fate,
                        arrival: batch.arrivals[row],
                        file_name: Arc::clone(&batch.files[row]),
                        line: batch.rows.lines[row],
                        row: batch.rows.row(row),
                    });
                    continue;
                }
            };
            numbers.push(row);
            until.push(ended);
            outcome.push(by);
        }
        if !numbers.is_empty() {
            let rows = batch.select(&numbers);
            into.versions.push(Versions { rows, until, outcome });
        }
    }
}
