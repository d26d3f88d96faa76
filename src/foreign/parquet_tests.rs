//! Parquet in, records out.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array,
    Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{Int32Type, Schema};
use parquet::arrow::ArrowWriter;

use super::fixtures::{PARQUET, fault, told};

pub fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = if columns.is_empty() {
        RecordBatch::new_empty(Arc::new(Schema::empty()))
    } else {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap()
    };
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// One column: its header and its cells, or the fault.
fn column(array: impl arrow::array::Array + 'static) -> Vec<String> {
    told(&file(vec![("c", Arc::new(array))]), &PARQUET)
}

#[test]
fn values_are_exact_texts() {
    assert_eq!(
        column(StringArray::from(vec![Some("00123"), None, Some("")])),
        ["0: c", "1: 00123", "2: ", "3: "]
    );
    assert_eq!(
        column(Int64Array::from(vec![i64::MIN, i64::MAX])),
        ["0: c", "1: #-9223372036854775808", "2: #9223372036854775807"]
    );
    assert_eq!(
        column(UInt64Array::from(vec![u64::MAX])),
        ["0: c", "1: #18446744073709551615"]
    );
    let amounts = Decimal128Array::from(vec![15000, -1, 0, 1_234_567_890_123_456_789]);
    assert_eq!(
        column(amounts.with_precision_and_scale(38, 4).unwrap()),
        ["0: c", "1: #1.5", "2: #-0.0001", "3: #0", "4: #123456789012345.6789"]
    );
    let whole = Decimal128Array::from(vec![100]).with_precision_and_scale(9, 0).unwrap();
    assert_eq!(column(whole), ["0: c", "1: #100"]);
    assert_eq!(
        column(BooleanArray::from(vec![true, false])),
        ["0: c", "1: ?true", "2: ?false"]
    );
    // days: 2024-01-01 is day 19723 since 1970; the second one is in year 12376
    assert_eq!(
        column(Date32Array::from(vec![19_723, 3_800_000])),
        ["0: c", "1: @2024-01-01", "2: cell.unreadable"]
    );
}

#[test]
fn times_have_a_zone_or_none() {
    // 2024-01-01T12:30:00.25 is 1704112200.25 s since 1970
    let micros = || TimestampMicrosecondArray::from(vec![1_704_112_200_250_000, i64::MAX]);
    assert_eq!(
        column(micros()),
        ["0: c", "1: @2024-01-01T12:30:00.250", "2: cell.unreadable"]
    );
    assert_eq!(
        column(micros().with_timezone("UTC"))[1],
        "1: @2024-01-01T12:30:00.250000Z"
    );
    // Parquet keeps instants, not the zone in which they were written
    let millis = TimestampMillisecondArray::from(vec![1_704_112_200_000]).with_timezone("+02:00");
    assert_eq!(column(millis)[1], "1: @2024-01-01T12:30:00Z");
    let nanos = TimestampNanosecondArray::from(vec![1_704_112_200_000_001_000, 1_704_112_200_000_000_001]);
    assert_eq!(
        column(nanos)[1..],
        ["1: @2024-01-01T12:30:00.000001", "2: cell.unreadable"]
    );
}

#[test]
fn dictionaries_are_their_values() {
    let array: DictionaryArray<Int32Type> = vec![Some("a"), None, Some("a")].into_iter().collect();
    assert_eq!(column(array), ["0: c", "1: a", "2: ", "3: a"]);
}

#[test]
fn columns_that_cannot_be_read_say_so_in_the_header_and_stop_nothing() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("a", Arc::new(Float64Array::from(vec![1.5, 2.0]))),
        ("b", Arc::new(StringArray::from(vec!["x", "y"]))),
        ("c", Arc::new(list)),
        ("d", Arc::new(BinaryArray::from_vec(vec![b"1", b"2"]))),
        ("e", Arc::new(Int32Array::from(vec![1, 2]))),
    ];
    assert_eq!(
        told(&file(columns), &PARQUET),
        [
            "0: parquet.float|b|parquet.nested|parquet.type|#1".replace("#1", "e"),
            "1: |x|||#1".into(),
            "2: |y|||#2".into()
        ]
    );
}

#[test]
fn what_is_no_parquet_is_told_by_name() {
    assert_eq!(fault(b"", &PARQUET), "fault file.empty: the file has 0 bytes");
    assert!(fault(b"id,amount\n", &PARQUET).starts_with("fault file.type"));
    assert!(fault(b"PARE0000", &PARQUET).starts_with("fault parquet.encrypted"));
    assert!(fault(b"PAR1", &PARQUET).starts_with("fault parquet.broken"));
    assert!(fault(b"PAR1\0\0\0\0\xFF\xFF\xFF\x7FPAR1", &PARQUET).starts_with("fault parquet.broken"));
}

#[test]
fn a_file_that_is_cut_is_refused_wherever_it_is_cut() {
    let bytes = file(vec![("c", Arc::new(StringArray::from(vec!["a", "b"])))]);
    for length in 0..bytes.len() {
        let found = fault(&bytes[..length], &PARQUET);
        assert!(found.starts_with("fault "), "{length}: {found}");
    }
}

#[test]
fn many_rows_come_in_their_order() {
    let numbers: Vec<i64> = (1..=5000).collect();
    let lines = column(Int64Array::from(numbers));
    assert_eq!(lines.len(), 5001);
    assert!((1..=5000).all(|i| lines[i] == format!("{i}: #{i}")));
}
