//! Tables as a workbook for finance.
//!
//! Duty: sheets with frozen headers, filters, real numbers and dates, and totals; texts are texts and never formulas. Must
//! not: compute amounts; numbers leave the exact world here, and only here, as Excel has no other.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::domain::{Dec, Table, Value};

/// Digits that a number of Excel keeps.
const MAX_DIGITS: u32 = 15;
/// Widest column, in characters.
const MAX_WIDTH: f64 = 48.0;
const MIN_WIDTH: f64 = 9.0;
/// Excel's number of the paper.
const A4: u8 = 9;
/// Rows below the header that a sheet takes.
pub const MAX_ROWS: usize = 1_048_575;

/// One sheet: a table under its headings.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// At most 31 characters.
    pub name: String,
    pub table: Table,
}

/// A workbook of these sheets; equal sheets give equal bytes. A sheet of more than [`MAX_ROWS`] rows is an error.
pub fn write(sheets: &[Sheet]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // not the time of writing
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let formats = Formats::new();
    for sheet in sheets {
        write_sheet(workbook.add_worksheet(), sheet, &formats)?;
    }
    workbook.save_to_buffer()
}

struct Formats {
    head: Format,
    date: Format,
    whole: Format,
    /// By number of decimals.
    decimals: Vec<Format>,
}

impl Formats {
    fn new() -> Formats {
        let decimals = (0..=12).map(|places: usize| {
            let pattern = match places {
                0 => "#,##0".to_owned(),
                n => format!("#,##0.{}", "0".repeat(n)),
            };
            Format::new().set_num_format(pattern)
        });
        Formats {
            head: Format::new().set_bold().set_background_color(0x00D9_E1F2),
            date: Format::new().set_num_format("yyyy-mm-dd"),
            whole: Format::new().set_num_format("0"),
            decimals: decimals.collect(),
        }
    }
}

fn write_sheet(out: &mut Worksheet, sheet: &Sheet, formats: &Formats) -> Result<(), XlsxError> {
    out.set_name(&sheet.name)?;
    let columns = sheet.table.columns();
    let mut widths: Vec<usize> = columns.iter().map(String::len).collect();
    for (column, name) in (0_u16..).zip(columns) {
        out.write_string_with_format(0, column, name, &formats.head)?;
    }
    for (row, values) in (1_u32..).zip(&sheet.table.rows) {
        for ((column, value), width) in (0_u16..).zip(values).zip(&mut widths) {
            *width = (*width).max(value.to_string().chars().count());
            write_value(out, (row, column), value, formats)?;
        }
    }
    for (column, width) in (0_u16..).zip(widths) {
        let width = u32::try_from(width + 2).map_or(MAX_WIDTH, f64::from);
        out.set_column_width(column, width.clamp(MIN_WIDTH, MAX_WIDTH))?;
    }
    out.set_freeze_panes(1, 0)?;
    let (rows, last) = (sheet.table.rows.len(), columns.len().saturating_sub(1));
    if let (Ok(rows), Ok(last), false) = (u32::try_from(rows), u16::try_from(last), columns.is_empty()) {
        out.autofilter(0, 0, rows, last)?;
    }
    // on paper: all columns on a page, the header on each of them
    out.set_landscape();
    out.set_paper_size(A4);
    out.set_print_fit_to_pages(1, 0);
    out.set_repeat_rows(0, 0)?;
    out.set_footer("&L&A&R&P / &N");
    Ok(())
}

fn write_value(out: &mut Worksheet, at: (u32, u16), value: &Value, formats: &Formats) -> Result<(), XlsxError> {
    let (row, column) = at;
    match value {
        Value::Null => {}
        Value::Dec(dec) => match number(*dec) {
            Some(number) => {
                let format = formats.decimals.get(usize::from(shown_places(*dec)));
                out.write_number_with_format(row, column, number, format.unwrap_or(&formats.whole))?;
            }
            // more digits than Excel keeps: as a text none is lost
            None => {
                out.write_string(row, column, dec.to_string())?;
            }
        },
        Value::Int(int) => match number(Dec::new(i128::from(*int), 0)) {
            Some(number) => {
                out.write_number_with_format(row, column, number, &formats.whole)?;
            }
            None => {
                out.write_string(row, column, int.to_string())?;
            }
        },
        Value::Date(date) => match ExcelDateTime::parse_from_str(&date.to_string()) {
            Ok(day) => {
                out.write_datetime_with_format(row, column, &day, &formats.date)?;
            }
            // before 1900, which Excel does not know
            Err(_) => {
                out.write_string(row, column, date.to_string())?;
            }
        },
        Value::Bool(flag) => {
            out.write_boolean(row, column, *flag)?;
        }
        other => {
            out.write_string(row, column, other.to_string())?;
        }
    }
    Ok(())
}

/// Places of a decimal without zeros at its end; amounts of money come with the places of their currency, and keep two.
fn shown_places(dec: Dec) -> u8 {
    let text = dec.to_string();
    let decimals = text.split_once('.').map_or("", |(_, decimals)| decimals);
    if decimals.len() <= 4 {
        return u8::try_from(decimals.len()).unwrap_or(0);
    }
    u8::try_from(decimals.trim_end_matches('0').len()).unwrap_or(0).max(2)
}

/// As a number of Excel; none if that would lose digits.
fn number(dec: Dec) -> Option<f64> {
    (dec.digits() <= MAX_DIGITS)
        .then(|| dec.to_string().parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_excel_cannot_hold_stays_a_text() {
        assert_eq!(
            number(Dec::parse("123456789012345").unwrap()),
            Some(123_456_789_012_345.0)
        );
        assert_eq!(number(Dec::parse("1234567890123.456").unwrap()), None);
        assert_eq!(number(Dec::parse("-0.01").unwrap()), Some(-0.01));
    }

    #[test]
    fn equal_tables_give_equal_bytes() {
        let mut table = Table::new("t", &["a", "b"]);
        table.push(vec!["=1+1".into(), Value::Dec(Dec::parse("1.50").unwrap())]);
        let sheets = [Sheet {
            name: "One".to_owned(),
            table,
        }];
        assert_eq!(write(&sheets).unwrap(), write(&sheets).unwrap());
    }
}
