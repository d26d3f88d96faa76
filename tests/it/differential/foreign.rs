//! The same rows as workbooks and Parquet files.
//!
//! Duty: write them by the libraries of others, damage their cells and their bytes, judge what comes. Not its duty: how
//! the program takes such files apart.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook};
use starledger::foreign::{self, Options};
use starledger::ingest::{Input, read_file};

use super::dialect::Form;
use super::judge::{Read, agrees, judge};
use super::pollute::{KINDS, Stage};
use super::random::Random;
use super::table::{Kind, Value, civil};
use super::write::{Draft, Item, Touch, What, pack};
use super::{Case, origin, reference, source};

/// Writes, damages, reads and judges a workbook or a Parquet file.
pub fn case(draft: &mut Draft<'_>, random: &mut Random) -> Result<Case, String> {
    let is_workbook = draft.written.form == Form::Xlsx;
    if is_workbook && random.percent(70) {
        let (name, stage, damage) = *random.pick(KINDS);
        // a cell of a workbook holds 32,767 characters
        if stage == Stage::Cells && name != "very long text" && (0..4).any(|_| damage(draft, random)) {
            draft.kinds.push(name);
        }
    }
    for row in 0..draft.rows.len() {
        draft.items.push(Item {
            rows: vec![row],
            ..Item::new(What::Row, "", "", draft.touches[row])
        });
    }
    let cells_are_clean = draft.kinds.is_empty();
    draft.bytes = if is_workbook {
        workbook(draft, random)?
    } else {
        parquet(draft)?
    };
    if random.percent(30) {
        damage_bytes(draft, random);
    }
    draft.packed = pack(draft.written.packing, &draft.bytes);
    let text = draft.declared.source(draft.table);
    let source = source(&text, &draft.table.contract);
    let wrong = |what: String| {
        format!(
            "{:?}: {what}\n{text}\n{:?}\n{:?}",
            draft.kinds, draft.header, draft.cells
        )
    };
    let read = || {
        let options = Options::of(&source).ok_or("no options")?;
        let mut frames = Vec::new();
        foreign::read(Cursor::new(draft.packed.clone()), &options, &mut frames).map_err(|e| e.to_string())?;
        let mut batches = Vec::new();
        let input = Input::Frames(Box::new(Cursor::new(frames)));
        let outcome = read_file(
            &source,
            &draft.table.contract,
            &origin(&draft.packed),
            input,
            &mut batches,
        );
        Read::new(&outcome, &batches)
    };
    let found = read().map_err(wrong)?;
    if read().map_err(wrong)? != found {
        return Err(wrong("read twice, and found two things".to_owned()));
    }
    if is_workbook && !draft.archive_is_touched {
        let reference = reference::cells(draft.table, &draft.declared, &draft.header, &draft.cells);
        agrees(&found, &reference).map_err(wrong)?;
    }
    debug_assert!(is_workbook || cells_are_clean);
    // rows begin below the header of a sheet, and with the first record of Parquet
    let first = if is_workbook { 2 } else { 1 };
    draft.bytes = b"\n".repeat(draft.rows.len() + first);
    for (row, item) in draft.items.iter_mut().enumerate() {
        item.span = (row + first - 1, row + first - 1);
    }
    let class = judge(draft, &found, &found.as_records()).map_err(|what| format!("{:?}: {what}", draft.kinds))?;
    Ok(Case {
        class,
        kinds: draft.kinds.clone(),
        rows: draft.rows.len(),
    })
}

fn damage_bytes(draft: &mut Draft<'_>, random: &mut Random) {
    let at = random.below(draft.bytes.len());
    draft.archive_is_touched = true;
    if random.percent(50) {
        draft.bytes.truncate(at);
        draft.kinds.push("truncated");
        draft.touch_all(Touch::Held);
        return;
    }
    draft.bytes[at] ^= 1 << random.below(8);
    draft.kinds.push("bit flipped");
    // the parts of a workbook have checksums, the pages of Parquet have none
    let touch = if draft.written.form == Form::Xlsx {
        Touch::Held
    } else {
        Touch::Other
    };
    draft.touch_all(touch);
}

fn workbook(draft: &Draft<'_>, random: &mut Random) -> Result<Vec<u8>, String> {
    let said = |error: rust_xlsxwriter::XlsxError| error.to_string();
    let mut workbook = Workbook::new();
    // the clock would stand in it, and a file could not be made again
    let written = ExcelDateTime::from_ymd(2026, 7, 31).map_err(said)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&written));
    let sheet = workbook.add_worksheet();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    for (place, name) in (0_u16..).zip(&draft.header) {
        sheet.write_string(0, place, name).map_err(said)?;
    }
    for (row, (line, cells)) in (1_u32..).zip(&draft.cells).enumerate() {
        for (place, cell) in (0_u16..).zip(cells) {
            let column = draft.column(usize::from(place));
            let meant = column.map(|column| &draft.rows[row][column]);
            // what is clean may know its type
            let is_native = draft.touches[row] == Touch::Clean && draft.all == Touch::Clean && random.percent(60);
            match meant.filter(|_| is_native) {
                Some(Value::Int(int)) if int.unsigned_abs() < 1_000_000_000_000_000 => {
                    sheet
                        .write_number(line, place, number(&int.to_string()))
                        .map_err(said)?;
                }
                Some(Value::Dec(units)) if units.unsigned_abs() < 1_000_000_000_000_000 => {
                    let scale = match draft.kind(usize::from(place)) {
                        Some(Kind::Dec { scale, .. }) => *scale,
                        _ => 0,
                    };
                    sheet
                        .write_number(line, place, number(&format!("{units}e-{scale}")))
                        .map_err(said)?;
                }
                Some(Value::Bool(value)) => {
                    sheet.write_boolean(line, place, *value).map_err(said)?;
                }
                Some(Value::Date(at)) => {
                    let (year, month, of_month) = civil(*at);
                    let part = |n: i64| u8::try_from(n).unwrap_or_default();
                    let year = u16::try_from(year).unwrap_or_default();
                    let date = ExcelDateTime::from_ymd(year, part(month), part(of_month)).map_err(said)?;
                    sheet.write_with_format(line, place, date, &day).map_err(said)?;
                }
                _ if cell.is_empty() => {}
                _ => {
                    sheet.write_string(line, place, cell).map_err(said)?;
                }
            }
        }
    }
    workbook.save_to_buffer().map_err(said)
}

/// A number of at most 15 digits, as a sheet keeps it.
fn number(text: &str) -> f64 {
    text.parse().unwrap_or_default()
}

fn parquet(draft: &Draft<'_>) -> Result<Vec<u8>, String> {
    let mut columns: Vec<(&str, ArrayRef, bool)> = Vec::new();
    for (place, name) in draft.header.iter().enumerate() {
        columns.push((name, array(draft, place)?, true));
    }
    let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).map_err(|e| e.to_string())?;
    writer.write(&batch).map_err(|e| e.to_string())?;
    writer.close().map_err(|e| e.to_string())?;
    Ok(bytes)
}

fn array(draft: &Draft<'_>, place: usize) -> Result<ArrayRef, String> {
    let Some(column) = draft.column(place) else {
        return Ok(Arc::new(StringArray::from(vec!["more"; draft.rows.len()])));
    };
    let values: Vec<&Value> = draft.rows.iter().map(|row| &row[column]).collect();
    macro_rules! of {
        ($array:ident, $kind:ident, $as:expr) => {
            values
                .iter()
                .map(|value| match value {
                    Value::$kind(value) => Some($as(value)),
                    _ => None,
                })
                .collect::<$array>()
        };
    }
    Ok(match &draft.table.columns[column].kind {
        Kind::Int { .. } => Arc::new(of!(Int64Array, Int, |v: &i64| *v)),
        Kind::Dec { precision, scale, .. } => {
            let array = of!(Decimal128Array, Dec, |v: &i128| *v);
            let scale = i8::try_from(*scale).unwrap_or_default();
            Arc::new(
                array
                    .with_precision_and_scale(*precision, scale)
                    .map_err(|e| e.to_string())?,
            )
        }
        Kind::Bool => Arc::new(of!(BooleanArray, Bool, |v: &bool| *v)),
        Kind::Date { .. } => Arc::new(of!(Date32Array, Date, |v: &i64| i32::try_from(*v).unwrap_or_default())),
        Kind::Instant => Arc::new(of!(TimestampMicrosecondArray, Instant, |v: &i64| *v).with_timezone("UTC")),
        _ => Arc::new(of!(StringArray, Text, |v: &String| v.clone())),
    })
}
