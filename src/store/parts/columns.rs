//! Batches of cells as Arrow columns, and back.
//!
//! Duty: move cells into arrays and out of them, by the types of a contract. Not its duty: files.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type, TimeUnit, TimestampMicrosecondType};

use crate::contracts::ColumnType;
use crate::domain::batch::{Cells, Column, Validity};
use crate::domain::{Cell, CellKind, Dec};

/// The cells of a column as an array; numbers are moved, not copied.
pub(super) fn array(kind: ColumnType, column: Column) -> Result<ArrayRef, String> {
    let nulls = column.validity.flags().map(NullBuffer::from);
    Ok(match (column.cells, kind) {
        (Cells::Text { ends, bytes }, ColumnType::Text) => {
            let mut offsets = Vec::with_capacity(ends.len() + 1);
            offsets.push(0_i32);
            for end in ends {
                offsets.push(i32::try_from(end).map_err(|_| "more than 2 GiB of text in a batch".to_owned())?);
            }
            let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
            Arc::new(StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls).map_err(|e| e.to_string())?)
        }
        (Cells::Int(values), ColumnType::Int) => Arc::new(Int64Array::new(values.into(), nulls)),
        (
            Cells::Dec { scale, units },
            ColumnType::Decimal {
                precision,
                scale: wanted,
            },
        ) if scale == wanted => Arc::new(
            Decimal128Array::new(units.into(), nulls)
                .with_precision_and_scale(precision, scale.cast_signed())
                .map_err(|e| e.to_string())?,
        ),
        (Cells::Bool(values), ColumnType::Bool) => Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls)),
        (Cells::Date(values), ColumnType::Date) => Arc::new(Date32Array::new(values.into(), nulls)),
        (Cells::Instant(values), ColumnType::Instant) => {
            Arc::new(TimestampMicrosecondArray::new(values.into(), nulls).with_timezone("UTC"))
        }
        (cells, wanted) => {
            let validity = Validity::default();
            let found = Column { cells, validity }.kind();
            return Err(format!("{found:?} where {wanted:?} is expected"));
        }
    })
}

/// The cells of an array; those of a column that the file does not have are null.
pub(super) fn column(kind: CellKind, array: Option<&ArrayRef>, rows: usize) -> Result<Column, String> {
    let Some(array) = array else {
        let mut column = Column::new(kind);
        (0..rows).for_each(|_| column.push_null());
        return Ok(column);
    };
    let cells = match (array.data_type(), kind) {
        (DataType::Utf8, CellKind::Text) => return Ok(texts(array.as_string())),
        (DataType::Int64, CellKind::Int) => Cells::Int(array.as_primitive::<Int64Type>().values().to_vec()),
        (DataType::Boolean, CellKind::Bool) => Cells::Bool(array.as_boolean().values().iter().collect()),
        (DataType::Date32, CellKind::Date) => Cells::Date(array.as_primitive::<Date32Type>().values().to_vec()),
        (DataType::Timestamp(TimeUnit::Microsecond, _), CellKind::Instant) => {
            Cells::Instant(array.as_primitive::<TimestampMicrosecondType>().values().to_vec())
        }
        (DataType::Decimal128(_, from), CellKind::Dec { scale }) => {
            let values = array.as_primitive::<Decimal128Type>().values();
            let units = if *from == scale.cast_signed() {
                values.to_vec()
            } else {
                rescaled(values, *from, scale)?
            };
            Cells::Dec { scale, units }
        }
        (found, wanted) => return Err(format!("type {found} where {wanted:?} is expected")),
    };
    Ok(emptied(cells, array))
}

/// Decimals of an older contract at the scale of this one.
fn rescaled(units: &[i128], from: i8, scale: u8) -> Result<Vec<i128>, String> {
    let from = u8::try_from(from).map_err(|_| "a decimal with a negative scale".to_owned())?;
    let one = |units: &i128| {
        let dec = Dec::new(*units, from).rescale(scale);
        dec.map(Dec::units)
            .ok_or_else(|| format!("a decimal does not fit {scale} decimals"))
    };
    units.iter().map(one).collect()
}

fn texts(array: &StringArray) -> Column {
    let first = array.value_offsets()[0];
    let end = |offset: &i32| (offset - first).cast_unsigned();
    let last = array.value_offsets()[array.len()];
    let column = Column {
        cells: Cells::Text {
            ends: array.value_offsets()[1..].iter().map(end).collect(),
            bytes: array.value_data()[first.cast_unsigned() as usize..last.cast_unsigned() as usize].to_vec(),
        },
        validity: Validity::default(),
    };
    if array.null_count() == 0 {
        return column;
    }
    // what stands under a null is anyone's guess: a cell without value holds an empty text
    let mut out = Column::new(CellKind::Text);
    array.iter().for_each(|text| match text {
        Some(text) => out.push(Cell::Text(text)),
        None => out.push_null(),
    });
    out
}

/// The column of these cells without those that the array does not have.
fn emptied(mut cells: Cells, array: &ArrayRef) -> Column {
    let Some(nulls) = array.logical_nulls().filter(|n| n.null_count() > 0) else {
        return Column {
            cells,
            validity: Validity::default(),
        };
    };
    let mut flags = Column::new(CellKind::Bool);
    for (row, valid) in nulls.iter().enumerate() {
        if valid {
            flags.push(Cell::Bool(true));
            continue;
        }
        flags.push_null();
        match &mut cells {
            Cells::Int(v) | Cells::Instant(v) => v[row] = 0,
            Cells::Dec { units, .. } => units[row] = 0,
            Cells::Bool(v) => v[row] = false,
            Cells::Date(v) => v[row] = 0,
            Cells::Text { .. } => {}
        }
    }
    Column {
        cells,
        validity: flags.validity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Batch, Date, Instant, Value};

    const KINDS: [ColumnType; 6] = [
        ColumnType::Text,
        ColumnType::Int,
        ColumnType::Decimal {
            precision: 18,
            scale: 4,
        },
        ColumnType::Bool,
        ColumnType::Date,
        ColumnType::Instant,
    ];

    fn batch() -> Batch {
        let kinds = KINDS.map(super::super::cell_kind);
        let mut batch = Batch::new(&kinds);
        let full: [Value; 6] = [
            "äb".into(),
            Value::Int(-7),
            Dec::new(-12_345, 4).into(),
            true.into(),
            Date::from_ymd_opt(9999, 12, 31).into(),
            Instant::from_micros(-1).into(),
        ];
        batch.push_row(2, &full);
        batch.push_row(3, &std::array::from_fn::<Value, 6, _>(|_| Value::Null));
        batch.push_row(
            4,
            &[
                "".into(),
                Value::Int(0),
                Dec::new(1, 0).into(),
                false.into(),
                Value::Null,
                Value::Null,
            ],
        );
        batch
    }

    #[test]
    fn cells_come_back_as_they_went_in() {
        for rows in [&[0, 1, 2][..], &[0, 2], &[2, 0], &[1], &[]] {
            let batch = batch().select(rows);
            for (declared, cells) in KINDS.iter().zip(&batch.columns) {
                let array = array(*declared, cells.clone()).expect("an array");
                let back = column(cells.kind(), Some(&array), rows.len()).expect("cells");
                assert_eq!(back, *cells);
                // a slice of a longer array
                if rows.len() > 1 {
                    let slice = array.slice(1, rows.len() - 1);
                    let tail = batch.select(&(1..rows.len()).collect::<Vec<_>>());
                    let number = KINDS.iter().position(|k| k == declared).expect("it is there");
                    let back = column(cells.kind(), Some(&slice), rows.len() - 1).expect("cells");
                    assert_eq!((0..back.len()).map(|r| back.get(r)).collect::<Vec<_>>(), {
                        (0..tail.rows()).map(|r| tail.cell(r, number)).collect::<Vec<_>>()
                    });
                }
            }
        }
    }

    #[test]
    fn an_older_column_is_read_by_the_contract_of_today() {
        let kind = ColumnType::Decimal { precision: 9, scale: 2 };
        let old = array(
            kind,
            Column {
                cells: Cells::Dec {
                    scale: 2,
                    units: vec![150],
                },
                validity: Validity::default(),
            },
        );
        let old = old.expect("an array");
        let now = column(CellKind::Dec { scale: 4 }, Some(&old), 1).expect("cells");
        assert_eq!(
            now.cells,
            Cells::Dec {
                scale: 4,
                units: vec![15_000]
            }
        );
        let missing = column(CellKind::Text, None, 2).expect("cells");
        assert_eq!((missing.len(), missing.get(1)), (2, Cell::Null));
        assert!(column(CellKind::Int, Some(&old), 1).is_err());
        assert!(array(ColumnType::Int, Column::new(CellKind::Text)).is_err());
    }
}
