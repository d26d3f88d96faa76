//! What must hold of a table as a whole.
//!
//! Duty: the primary key, the columns that ingestion adds to a feed, the partition of a fact. Not its duty: single
//! columns (`column`), other tables (`catalogue`).

use super::column::RawColumn;
use super::fields::{Fields, Reader};
use super::model::{ColumnRole, ColumnType, ContractKind, Drift, EXTRA};

/// The columns that ingestion adds to every feed, in this order.
const LINEAGE: [(&str, ColumnType); 3] = [
    ("arrival", ColumnType::Int),
    ("source_file", ColumnType::Text),
    ("source_line", ColumnType::Int),
];

/// Columns of the primary key in the order of their positions, which must be 1, 2, … without a gap.
pub(super) fn key(reader: &mut Reader<'_>, fields: Fields<'_>, columns: &[RawColumn]) -> Vec<usize> {
    let mut positions: Vec<(i64, usize)> = columns
        .iter()
        .enumerate()
        .filter_map(|(i, c)| Some((c.key_position?, i)))
        .collect();
    positions.sort_unstable();
    if positions
        .iter()
        .zip(1..)
        .any(|((position, _), expected)| *position != expected)
    {
        let found: Vec<String> = positions.iter().map(|(position, _)| position.to_string()).collect();
        let message = format!("the columns of the primary key have the positions {}", found.join(", "));
        let remedy = "number them 1, 2, … with 'primaryKeyPosition', each once";
        reader.error(fields.line, "contract.key", message, remedy);
    }
    positions.into_iter().map(|(_, column)| column).collect()
}

/// What must hold of a table as a whole.
pub(super) struct Shape<'a> {
    pub line: u64,
    pub kind: ContractKind,
    pub columns: &'a [RawColumn],
    pub keyed: bool,
    pub partition: Option<usize>,
    pub business_date: Option<usize>,
    pub drift: Option<Drift>,
    pub held_days: Option<u32>,
}

pub(super) fn check_shape(reader: &mut Reader<'_>, shape: &Shape<'_>) {
    if shape.kind == ContractKind::Output {
        if shape.business_date.is_some() || shape.columns.iter().any(|c| c.column.role != ColumnRole::Data) {
            let message = "an output has no business date and no lineage or partition columns";
            reader.error(
                shape.line,
                "contract.kind",
                message,
                "remove them, or set kind to fact or reference",
            );
        }
        if shape.drift.is_some() || shape.held_days.is_some() {
            let message = "an output has drift or heldDays, and is not delivered";
            reader.error(shape.line, "contract.kind", message, "remove them: they are for feeds");
        }
        return;
    }
    if shape.drift == Some(Drift::Evolve) && !shape.columns.iter().any(keeps_extra) {
        let message = format!("drift is evolve, and there is no column '{EXTRA}' that could keep what is new");
        let remedy = format!("add a delivered column {EXTRA} VARCHAR, not required and without further rules");
        reader.error(shape.line, "contract.drift", message, remedy);
    }
    if !shape.keyed {
        let message = "a feed has no primary key";
        reader.error(
            shape.line,
            "contract.key",
            message,
            "mark its key columns with 'primaryKey: true'",
        );
    }
    let of_role = |role| shape.columns.iter().filter(move |c| c.column.role == role);
    let lineage: Vec<_> = of_role(ColumnRole::Lineage)
        .map(|c| (c.column.name.as_str(), c.column.kind))
        .collect();
    if lineage != LINEAGE {
        let message = "the lineage columns of a feed are arrival BIGINT, source_file VARCHAR, source_line BIGINT";
        let remedy = "declare these three, in this order, each with the custom property role: lineage";
        reader.error(shape.line, "contract.lineage", message, remedy);
    }
    if !shape.columns.is_sorted_by_key(|c| c.column.role as u8) {
        let remedy = "put delivered columns first, then lineage, then the partition column";
        reader.error(
            shape.line,
            "contract.lineage",
            "the columns of the feed are out of order",
            remedy,
        );
    }
    let partitions = of_role(ColumnRole::Partition).count();
    if shape.kind == ContractKind::Reference {
        if shape.business_date.is_some() || shape.partition.is_some() || partitions > 0 {
            let message = "a reference feed has a business date or a partition";
            reader.error(shape.line, "contract.kind", message, "remove them, or set kind to fact");
        }
        return;
    }
    let date = shape.business_date.map(|i| &shape.columns[i].column);
    if !date.is_some_and(|c| c.required && matches!(c.kind, ColumnType::Date | ColumnType::Instant)) {
        let message = "a fact has no business date that is a required DATE or TIMESTAMP";
        reader.error(
            shape.line,
            "contract.kind",
            message,
            "name one with the custom property businessDate",
        );
    }
    let own = shape
        .partition
        .is_some_and(|i| shape.columns[i].column.role == ColumnRole::Partition);
    if partitions != 1 || !own {
        let remedy = "declare a last column month VARCHAR with role: partition, and name it as the table's partition";
        reader.error(
            shape.line,
            "contract.kind",
            "a fact is partitioned by one column with the role partition",
            remedy,
        );
    }
}

fn keeps_extra(raw: &RawColumn) -> bool {
    let column = &raw.column;
    let is_plain = column.format.is_none() && column.pattern.is_none() && column.allowed.is_empty();
    let is_free = !column.required && column.reference.is_none() && is_plain;
    column.name == EXTRA && column.role == ColumnRole::Data && column.kind == ColumnType::Text && is_free
}

/// `partitioned: true` stands at the partition column and nowhere else, so that other tools see the same layout.
pub(super) fn check_partition(reader: &mut Reader<'_>, columns: &[RawColumn], partition: Option<usize>) {
    for (i, raw) in columns.iter().enumerate() {
        let column = &raw.column;
        if raw.partitioned != (partition == Some(i)) {
            let (is, should) = if raw.partitioned {
                ("is", "is not")
            } else {
                ("is not", "is")
            };
            let message = format!(
                "the column '{}' {is} marked 'partitioned', but {should} the table's partition",
                column.name
            );
            let remedy = "make 'partitioned: true' and the custom property 'partition' name the same column";
            reader.error(column.line, "contract.partition", message, remedy);
        } else if raw.partitioned && !(column.required && column.kind == ColumnType::Text) {
            let message = format!("the partition column '{}' is no required VARCHAR", column.name);
            reader.error(
                column.line,
                "contract.partition",
                message,
                "folders are named by it: make it a required text",
            );
        }
    }
}
