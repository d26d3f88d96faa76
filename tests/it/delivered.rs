//! The same table is the same rows, whether it is delivered as CSV, as a workbook or as Parquet.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Int32Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use starledger::contracts::{self, Contract};
use starledger::domain::{Batch, Date, Dec, Digest, batch};
use starledger::foreign::{self, Options};
use starledger::ingest::{FileOrigin, Input, Source, Verdict, read_file};

const COLUMNS: [&str; 13] = [
    "order_line_id",
    "partner_id",
    "product_id",
    "line_kind",
    "service_model",
    "list_amount",
    "discount_rate",
    "net_amount",
    "quantity",
    "currency",
    "selling_entity",
    "ordered_on",
    "original_order_line_id",
];

/// Columns of amounts, in units of four and six decimals.
const LIST: [i128; 3] = [152_543_800, 67_099_400, 1_999_900];
const RATE: [i128; 3] = [200_000, 123_456, 0];

fn contract() -> Contract {
    contracts::read("sales.odcs.yaml", include_str!("../../schemas/sales.odcs.yaml")).unwrap()
}

/// The rows of a file in the format given; German marks are declared, and must not touch what knows its type.
fn rows(format: &str, bytes: Vec<u8>) -> Vec<Batch> {
    let (marks, day) = if format == "parquet" {
        ("", "2025-10-01")
    } else {
        let marks = "decimal_mark = ','\ngrouping_mark = '.'\ndate_formats = ['%d.%m.%Y']\n";
        (marks, "01.10.2025")
    };
    let text = format!(
        "[[source]]\nname = 's'\nfeed = 'sales'\nfiles = ['in/*']\nformat = '{format}'\n{marks}\
         constants = {{ invoiced_on = '{day}' }}\n"
    );
    let sources = Source::read("s.toml", &text).unwrap_or_else(|findings| panic!("{findings:?}"));
    let source = &sources[0];
    let origin = FileOrigin {
        arrival: 1,
        file_name: format!("a.{format}"),
        file_hash: Digest::of(&bytes),
        bytes: bytes.len() as u64,
    };
    let input = match Options::of(source) {
        Some(options) => {
            let mut frames = Vec::new();
            foreign::read(Cursor::new(bytes), &options, &mut frames).expect("an output in memory");
            Input::Frames(Box::new(Cursor::new(frames)))
        }
        None => Input::Bytes(Box::new(Cursor::new(bytes))),
    };
    let mut batches = Vec::new();
    let outcome = read_file(source, &contract(), &origin, input, &mut batches);
    assert_eq!(outcome.verdict, Verdict::Read, "{format}: {:?}", outcome.notes);
    assert!(outcome.rejects.is_empty(), "{format}: {:?}", outcome.rejects);
    assert_eq!(outcome.rows, 3);
    batches
}

fn csv() -> Vec<u8> {
    let mut text = COLUMNS.join(",");
    text += "\nSO-1,EM-0001,00123,service,collaborative,\"15.254,38\",\"0,2\",\"12.203,50\",12,EUR,SL-EMEA,22.09.2025,";
    text +=
        "\nSO-2,EM-0002,00124,service,collaborative,\"6.709,94\",\"0,123456\",\"5.881,56\",10,EUR,SL-EMEA,29.02.2024,";
    text += "\nSO-3,EM-0003,00125,product,,\"199,99\",0,\"199,99\",1,EUR,SL-EMEA,01.01.2025,\n";
    text.into_bytes()
}

const TEXTS: [(usize, [&str; 3]); 7] = [
    (0, ["SO-1", "SO-2", "SO-3"]),
    (1, ["EM-0001", "EM-0002", "EM-0003"]),
    (2, ["00123", "00124", "00125"]),
    (3, ["service", "service", "product"]),
    (4, ["collaborative", "collaborative", ""]),
    (9, ["EUR"; 3]),
    (10, ["SL-EMEA"; 3]),
];
const NET: [i128; 3] = [122_035_000, 58_815_600, 1_999_900];
const QUANTITY: [i32; 3] = [12, 10, 1];
const ORDERED: [(i32, u32, u32); 3] = [(2025, 9, 22), (2024, 2, 29), (2025, 1, 1)];

fn workbook() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let day = Format::new().set_num_format("dd.mm.yyyy");
    let column = |i: usize| u16::try_from(i).unwrap();
    for (i, name) in COLUMNS.iter().enumerate() {
        sheet.write(0, column(i), *name).unwrap();
    }
    let amount = |units: i128, scale: u8| -> f64 { Dec::new(units, scale).to_string().parse().unwrap() };
    for (i, row) in (0..3).zip(1_u32..) {
        for (at, texts) in TEXTS {
            sheet.write(row, column(at), texts[i]).unwrap();
        }
        sheet.write(row, 5, amount(LIST[i], 4)).unwrap();
        sheet.write(row, 6, amount(RATE[i], 6)).unwrap();
        sheet.write(row, 7, amount(NET[i], 4)).unwrap();
        sheet.write(row, 8, QUANTITY[i]).unwrap();
        let (year, month, of_month) = ORDERED[i];
        let (year, month) = (u16::try_from(year).unwrap(), u8::try_from(month).unwrap());
        let date = ExcelDateTime::from_ymd(year, month, u8::try_from(of_month).unwrap()).unwrap();
        sheet.write_with_format(row, 11, date, &day).unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

fn parquet() -> Vec<u8> {
    let decimals = |units: [i128; 3], scale: i8| -> ArrayRef {
        let array = Decimal128Array::from(units.to_vec()).with_precision_and_scale(38, scale);
        Arc::new(array.unwrap())
    };
    let days = ORDERED.map(|(y, m, d)| batch::days(Date::from_ymd_opt(y, m, d).unwrap()));
    let mut columns: Vec<(&str, ArrayRef)> = TEXTS
        .iter()
        .map(|(at, texts)| (COLUMNS[*at], Arc::new(StringArray::from(texts.to_vec())) as ArrayRef))
        .collect();
    columns.push(("list_amount", decimals(LIST, 4)));
    columns.push(("discount_rate", decimals(RATE, 6)));
    columns.push(("net_amount", decimals(NET, 4)));
    columns.push(("quantity", Arc::new(Int32Array::from(QUANTITY.to_vec()))));
    columns.push(("ordered_on", Arc::new(Date32Array::from(days.to_vec()))));
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn the_rows_are_the_same_however_they_are_delivered() {
    let expected = rows("csv", csv());
    let mut from_workbook = rows("xlsx", workbook());
    let mut from_parquet = rows("parquet", parquet());
    // lines are counted from the header in a sheet, and from the first record in Parquet
    assert_eq!(from_parquet[0].lines, [1, 2, 3]);
    for batches in [&mut from_workbook, &mut from_parquet] {
        batches[0].lines.clone_from(&expected[0].lines);
        assert_eq!(*batches, expected);
    }
}
