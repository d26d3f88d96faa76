//! A small feed for the tests of this room.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{FeedWriter, FreshPart, RowPlace, StoredBatch, read_part};
use crate::contracts::{self, Contract};
use crate::domain::{Batch, Date, Dec, Digest, Value, batch};
use crate::edges::files;
use crate::store::commit::{Provenance, Published, Staging};
use crate::store::layout::Layout;
use crate::store::release::Release;

const LINEAGE: &str = "
      - {name: arrival, description: L., logicalType: integer, physicalType: BIGINT, required: true, customProperties: [{property: role, value: lineage}]}
      - {name: source_file, description: L., logicalType: string, physicalType: VARCHAR, required: true, customProperties: [{property: role, value: lineage}]}
      - {name: source_line, description: L., logicalType: integer, physicalType: BIGINT, required: true, customProperties: [{property: role, value: lineage}]}";

/// A feed of facts with the delivered columns `id` (key), `ordered_on` (date), `amount`.
pub(in crate::store) fn contract() -> Contract {
    let text = format!(
        "apiVersion: v3.1.0
kind: DataContract
id: lines
version: 1.0.0
status: active
schema:
  - name: lines
    description: Lines.
    customProperties:
      - {{property: kind, value: fact}}
      - {{property: businessDate, value: ordered_on}}
      - {{property: partition, value: month}}
    properties:
      - {{name: id, description: Key., logicalType: string, physicalType: VARCHAR, required: true, primaryKey: true, primaryKeyPosition: 1}}
      - {{name: ordered_on, description: Day., logicalType: date, physicalType: DATE, required: true}}
      - {{name: amount, description: Amount., logicalType: number, physicalType: \"DECIMAL(18,4)\"}}{LINEAGE}
      - {{name: month, description: M., logicalType: string, physicalType: VARCHAR, required: true, partitioned: true, customProperties: [{{property: role, value: partition}}]}}
"
    );
    let mut contract = contracts::read("schemas/lines.odcs.yaml", &text).expect("a contract");
    // a writer knows what to do without a date
    contract.columns[1].required = false;
    contract
}

/// The same contract of a table without partitions.
pub(in crate::store) fn reference() -> Contract {
    let mut contract = contract();
    contract.name = "things".to_owned();
    contract.kind = contracts::ContractKind::Reference;
    contract.partition = None;
    contract.business_date = None;
    contract.columns.pop();
    contract
}

pub(in crate::store) fn day(text: &str) -> i32 {
    batch::days(text.parse::<Date>().expect("a day"))
}

/// Rows as `(id, day, amount)`, from line 2 on.
pub(in crate::store) fn facts(rows: &[(&str, Option<&str>, &str)]) -> Batch {
    let kinds: Vec<_> = contract().columns[..3]
        .iter()
        .map(|c| super::cell_kind(c.kind))
        .collect();
    let mut out = Batch::new(&kinds);
    for (line, (id, day, amount)) in (2..).zip(rows) {
        let day = day.map(|d| d.parse::<Date>().expect("a day"));
        let amount = Dec::parse(amount).expect("an amount");
        out.push_row(line, &[Value::text(id), day.into(), amount.into()]);
    }
    out
}

/// So many rows spread over the months of a year, from a number on.
pub(in crate::store) fn many(first: u32, count: u32) -> Batch {
    let kinds: Vec<_> = contract().columns[..3]
        .iter()
        .map(|c| super::cell_kind(c.kind))
        .collect();
    let mut out = Batch::new(&kinds);
    for i in first..first + count {
        let day = Date::from_ymd_opt(2026, 1 + i.wrapping_mul(7) % 12, 1 + i % 28);
        let amount = Dec::new(i128::from(i), 2);
        out.push_row(
            i64::from(i) + 2,
            &[Value::text(format!("L{i:07}")), day.into(), amount.into()],
        );
    }
    out
}

pub(in crate::store) fn staging(folder: &Path, run: u64) -> (Layout, Staging) {
    let layout = Layout::new(folder);
    let parent = Release::current(&layout).expect("a pointer");
    let staging = Staging::begin(&layout, run, parent, Digest::of(b"rules")).expect("staging");
    (layout, staging)
}

/// Writes batches as of one file and adopts the parts.
pub(in crate::store) fn add(
    staging: &mut Staging,
    contract: &Contract,
    arrival: i64,
    batches: Vec<Batch>,
) -> (Vec<FreshPart>, Vec<RowPlace>) {
    let mut writer = FeedWriter::new(staging, contract).expect("a writer");
    let name: Arc<str> = format!("file-{arrival}.csv").into();
    let mut places = Vec::new();
    for batch in batches {
        let hashes = batch.hashes(&contract.key);
        places.extend(writer.write(batch, &hashes, arrival, &name).expect("written"));
    }
    let parts = writer.finish().expect("parts");
    for part in parts.clone() {
        staging.adopt(part).expect("adopted");
    }
    (parts, places)
}

pub(in crate::store) fn publish(staging: Staging, run: u64) -> Release {
    let hash = Digest::of(b"x");
    let provenance = Provenance {
        run,
        as_of: "2026-10-12T06:00:00Z".to_owned(),
        last_arrival: run,
        configuration: hash,
        rules_hash: hash,
        contracts_hash: hash,
        measures_hash: hash,
        ledger_head: String::new(),
        ledger_entries: 0,
        checks: Vec::new(),
    };
    match staging.publish(provenance, None).expect("published") {
        Published::Release(release) => *release,
        Published::Unchanged => panic!("nothing changed"),
    }
}

/// All rows of a file: id, amount, arrival, line.
pub(in crate::store) fn rows_of(path: &Path, contract: &Contract) -> Vec<(String, String, i64, i64)> {
    let batches: Vec<StoredBatch> = read_part(path, contract, None)
        .expect("a part")
        .map(|b| b.expect("a batch"))
        .collect();
    let mut out = Vec::new();
    for batch in batches {
        for row in 0..batch.rows.rows() {
            let values = batch.rows.row(row);
            out.push((
                values[0].to_string(),
                values[2].to_string(),
                batch.arrivals[row],
                batch.rows.lines[row],
            ));
        }
    }
    out
}

pub(in crate::store) fn files_below(folder: &Path) -> Vec<String> {
    let found = files::walk(folder).expect("a listing");
    found.into_iter().map(|(path, _)| path).collect()
}

pub(in crate::store) fn names(folder: &Path) -> BTreeSet<String> {
    files::list(folder).expect("a listing").into_iter().collect()
}
