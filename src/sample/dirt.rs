//! The dirt: what is planted where, and what ingestion must make of it.
//!
//! Duty: one table of planted rows, and how a good row is turned into each. Not its duty: dirt that is a whole file
//! (`extra`) and what a region always does (totals, repeated headers, preambles).
//!
//! A planted row carries an identifier of its own that begins with `X-`, or leaves the meaning of its row as it was,
//! so that no partner's result depends on it.

use super::State;
use super::dialect::{Dialect, Row};

/// One planted row.
#[derive(Debug)]
pub(super) struct Plant {
    pub(super) file: &'static str,
    /// Data rows that stand before it.
    pub(super) after: u64,
    pub(super) kind: &'static str,
    pub(super) expected: State,
    pub(super) act: Act,
}

/// Raw values by column, as the file spells them.
type Values = &'static [(&'static str, &'static [u8])];

/// What is done with the good row at that place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// Another row under a key of its own follows it.
    Add(Form, Values),
    /// It is replaced by the same row with these values.
    Replace(Values),
    /// It is replaced by the same row with blanks after each value.
    Pad,
    /// Two rows follow with one key and other values.
    Conflict(Values, Values),
    /// It stands twice.
    Repeat,
    /// It is kept for `RepeatCarried` in a later file.
    Carry,
    RepeatCarried,
    /// A row of delimiters follows it.
    Bare,
}

impl Act {
    pub(super) fn is_instead(self) -> bool {
        matches!(self, Act::Replace(_) | Act::Pad)
    }
}

/// The outer form of an added row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Whole,
    /// A value too many.
    Long,
    /// Two values too few.
    Short,
    /// The last name of a JSON object stands twice.
    DoubleName,
    /// The end of a JSON object is missing.
    CutOff,
}

use Act::{Add, Bare, Carry, Conflict, Pad, Repeat, RepeatCarried, Replace};
use Form::{CutOff, DoubleName, Long, Short, Whole};
use State::{Current, Duplicate, Held, Quarantined};

const fn plant(file: &'static str, after: u64, kind: &'static str, expected: State, act: Act) -> Plant {
    Plant {
        file,
        after,
        kind,
        expected,
        act,
    }
}

/// An unpaid service line of a partner that left on 2026-05-31.
const AFTER_LEAVING: Values = &[
    ("partner_id", b"EM-0014"),
    ("product_id", b"CC-B-100"),
    ("line_kind", b"service"),
    ("service_model", b"vendor"),
    ("list_amount", b"5.000,00"),
    ("discount_rate", b"0,1000"),
    ("net_amount", b"4.500,00"),
    ("currency", b"EUR"),
    ("ordered_on", b"20.07.2026"),
    ("invoiced_on", b"21.07.2026"),
    ("original_order_line_id", b"-"),
];

/// In the order of files and places.
#[rustfmt::skip]
static PLANTS: &[Plant] = &[
    plant("emea/deliveries-2025-Q4.csv", 300, "time in a daylight-saving overlap", Current, Replace(&[("opened_at", b"26.10.2025 02:30")])),
    plant("emea/deliveries-2026-Q1.csv", 50, "time in a daylight-saving gap", Quarantined, Add(Whole, &[("opened_at", b"29.03.2026 02:30"), ("completed_at", b"30.03.2026 14:00")])),
    plant("emea/deliveries-2026-Q2.csv", 30, "unclosed quote", Quarantined, Add(Whole, &[("status", b"\"completed")])),
    plant("emea/sales-2025-Q4.csv", 20, "extra column", Quarantined, Add(Long, &[])),
    plant("emea/sales-2025-Q4.csv", 60, "short row", Quarantined, Add(Short, &[])),
    plant("emea/sales-2025-Q4.csv", 100, "same row twice in a file", Duplicate, Repeat),
    plant("emea/sales-2025-Q4.csv", 140, "trailing spaces", Current, Pad),
    plant("emea/sales-2025-Q4.csv", 180, "unknown partner", Held, Add(Whole, &[("partner_id", b"EM-9999")])),
    plant("emea/sales-2026-Q1.csv", 40, "date that does not exist", Quarantined, Add(Whole, &[("ordered_on", b"30.02.2026")])),
    plant("emea/sales-2026-Q3.csv", 40, "fact after the partner left", Current, Add(Whole, AFTER_LEAVING)),
    plant("emea/spare_parts-2026-Q1.csv", 10, "negative quantity", Quarantined, Add(Whole, &[("quantity", b"-3")])),
    plant("apac/deliveries-2026-Q1.jsonl", 30, "duplicate JSON name", Quarantined, Add(DoubleName, &[])),
    plant("apac/deliveries-2026-Q1.jsonl", 60, "malformed JSON", Quarantined, Add(CutOff, &[])),
    plant("apac/sales-2025-Q4.csv", 30, "more decimals than the column has", Quarantined, Add(Whole, &[("net_amount", b"1234.56789")])),
    plant("apac/sales-2025-Q4.csv", 60, "more decimals than the currency has", Quarantined, Add(Whole, &[("list_amount", b"120.50"), ("net_amount", b"100.50"), ("currency", b"JPY")])),
    plant("apac/sales-2025-Q4.csv", 90, "full-width digits", Quarantined, Add(Whole, &[("quantity", "１２".as_bytes())])),
    plant("apac/sales-2025-Q4.csv", 120, "row of bare delimiters", Quarantined, Bare),
    plant("apac/sales-2025-Q4.csv", 150, "unknown product", Held, Add(Whole, &[("product_id", b"ZZ-B-999")])),
    plant("apac/sales-2026-Q1.csv", 40, "serial number for a date", Quarantined, Add(Whole, &[("ordered_on", b"46023")])),
    plant("apac/sales-2026-Q1.csv", 80, "date that does not exist", Quarantined, Add(Whole, &[("invoiced_on", b"2026-02-30")])),
    plant("apac/surveys-2025-Q4.csv", 20, "stray quote", Quarantined, Add(Whole, &[("comment", b"quick \"and\" tidy")])),
    plant("apac/surveys-2025-Q4.csv", 50, "unknown value of a list", Quarantined, Add(Whole, &[("selected_by", b"sometimes")])),
    plant("apac/surveys-2025-Q4.csv", 80, "same key with other values in a file", Quarantined, Conflict(&[("selected_by", b"random")], &[("selected_by", b"all")])),
    plant("apac/surveys-2026-Q1.csv", 20, "line break in quotes", Current, Replace(&[("comment", b"\"Call back agreed,\r\nnothing else open\"")])),
    plant("apac/surveys-2026-Q1.csv", 60, "invalid UTF-8", Quarantined, Add(Whole, &[("comment", b"caf\xE9 visit")])),
    plant("latam/deliveries-2026-Q1.csv", 40, "completed before opened", Quarantined, Add(Whole, &[("opened_at", b"2026-02-10T10:00:00-03:00"), ("completed_at", b"2026-02-01T10:00:00-03:00")])),
    plant("latam/sales-2025-Q4.csv", 10, "", Current, Carry),
    plant("latam/sales-2025-Q4.csv", 30, "bad number", Quarantined, Add(Whole, &[("net_amount", b"12x4.50")])),
    plant("latam/sales-2025-Q4.csv", 60, "empty key", Quarantined, Add(Whole, &[("order_line_id", b"")])),
    plant("latam/sales-2025-Q4.csv", 90, "day first where the month is", Quarantined, Add(Whole, &[("invoiced_on", b"25/12/2025")])),
    plant("latam/sales-2026-Q1.csv", 30, "same row in two files", Duplicate, RepeatCarried),
    plant("latam/surveys-2025-Q4.csv", 20, "unknown delivery", Held, Add(Whole, &[("delivery_id", b"DL-0099-25Q4-000001")])),
    plant("latam/surveys-2025-Q4.csv", 50, "rating outside its scale", Quarantined, Add(Whole, &[("answered_at", b"2025-12-20T10:00:00-03:00"), ("rating", b"11"), ("scale_min", b"1"), ("scale_max", b"5")])),
    plant("latam/surveys-2026-Q1.csv", 30, "NUL byte", Quarantined, Add(Whole, &[("comment", b"todo\0bien")])),
    plant("finance/payments.csv", 100, "unknown order line", Held, Add(Whole, &[("order_line_id", b"SO-0099-25Q4-000001")])),
    plant("finance/payments.csv", 200, "thousands separators where none are declared", Quarantined, Add(Whole, &[("amount", b"\"1,234.50\"")])),
];

/// What is planted in a file, in the order of places.
pub(super) fn plants_of(file: &str) -> Vec<&'static Plant> {
    PLANTS.iter().filter(|plant| plant.file == file).collect()
}

/// How many lines the table plants when every file is long enough.
#[cfg(test)]
pub(super) fn planted_lines() -> usize {
    let lines = |act: &Act| match act {
        Carry => 0,
        Conflict(..) => 2,
        _ => 1,
    };
    PLANTS.iter().map(|plant| lines(&plant.act)).sum()
}

/// The lines that a plant makes of a good row.
pub(super) fn mangle(plant: &Plant, row: &Row, dialect: Dialect) -> Vec<Vec<u8>> {
    let good = row.raw_values();
    let set = |values: Values, own_key: bool| {
        let mut cells = good.clone();
        if own_key {
            let id = format!("X-{}-{}", plant.kind.replace(' ', "-"), plant.after);
            cells[0] = if dialect.is_json() { format!("\"{id}\"") } else { id }.into_bytes();
        }
        for (name, value) in values {
            if let Some(at) = row.header().iter().position(|column| column == name) {
                cells[at] = value.to_vec();
            }
        }
        cells
    };
    match plant.act {
        Add(form, values) => vec![formed(form, set(values, true), row, dialect)],
        Replace(values) => vec![joined(&set(values, false), row, dialect)],
        Pad => {
            let mut cells = set(&[], false);
            for cell in &mut cells {
                cell.extend_from_slice(b"  ");
            }
            vec![joined(&cells, row, dialect)]
        }
        Conflict(first, second) => [first, second]
            .map(|values| joined(&set(values, true), row, dialect))
            .to_vec(),
        Bare => vec![vec![dialect.delimiter(); row.header().len() - 1]],
        Repeat | Carry | RepeatCarried => Vec::new(),
    }
}

fn formed(form: Form, mut cells: Vec<Vec<u8>>, row: &Row, dialect: Dialect) -> Vec<u8> {
    match form {
        Whole => joined(&cells, row, dialect),
        Long => {
            cells.push(b"surplus".to_vec());
            joined(&cells, row, dialect)
        }
        Short => {
            cells.truncate(cells.len() - 2);
            joined(&cells, row, dialect)
        }
        DoubleName => {
            let mut line = joined(&cells, row, dialect);
            line.pop();
            line.extend_from_slice(b",\"status\":\"open\"}");
            line
        }
        CutOff => {
            let mut line = joined(&cells, row, dialect);
            line.truncate(line.len() * 2 / 3);
            line
        }
    }
}

fn joined(cells: &[Vec<u8>], row: &Row, dialect: Dialect) -> Vec<u8> {
    if !dialect.is_json() {
        return cells.join(&dialect.delimiter());
    }
    let members: Vec<Vec<u8>> = row
        .header()
        .iter()
        .zip(cells)
        .map(|(name, value)| [format!("\"{name}\":").as_bytes(), value].concat())
        .collect();
    [b"{".as_slice(), &members.join(&b','), b"}"].concat()
}
