//! A sample as a table: header, data, and the records that are no data.
//!
//! Duty: tell repeated headers, blank records and totals from data; the guesses about them. Not its duty: what columns
//! mean.

use super::super::header::normalise;
use super::column::Column;
use super::guess::{Confidence, Guess, Setting, counted, of};

/// Words with which a record of totals begins.
const TOTALS: [&str; 22] = [
    "total",
    "totals",
    "grand total",
    "sum",
    "summe",
    "gesamt",
    "gesamtsumme",
    "endsumme",
    "zwischensumme",
    "subtotal",
    "suma",
    "soma",
    "totaal",
    "totale",
    "totaux",
    "somme",
    "итого",
    "合计",
    "总计",
    "小计",
    "合計",
    "総計",
];

/// Records of totals stand at most so far from the end.
const LAST: usize = 3;

/// Lines that a message names.
const NAMED: usize = 3;

/// A cell of a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    /// The file itself says what the cell is, in the notation of the strict default: marks and formats do not apply.
    pub native: bool,
    /// A time in the notation of the strict default, without its zone.
    pub local: bool,
}

/// One record of a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Physical line or row, from 1.
    pub line: u64,
    /// Empty for a record that is not well-formed.
    pub cells: Vec<Cell>,
    /// Why the record is not well-formed.
    pub fault: Option<String>,
}

impl Cell {
    /// As a person typed it.
    #[must_use]
    pub fn typed(text: &str) -> Cell {
        Cell {
            text: text.to_owned(),
            ..Cell::default()
        }
    }
}

impl Row {
    #[must_use]
    pub fn faulty(line: u64, reason: String) -> Row {
        Row {
            line,
            cells: Vec::new(),
            fault: Some(reason),
        }
    }
}

/// The records of a sample.
#[derive(Clone, Debug, Default)]
pub struct Records {
    pub header: Vec<String>,
    /// Records behind the header, in order.
    pub rows: Vec<Row>,
    /// Last records of the file where `rows` does not reach its end.
    pub tail: Vec<Row>,
    /// Whether `rows` reaches the end of the file.
    pub whole: bool,
}

/// What the records are.
pub struct Sorted {
    pub columns: Vec<Column>,
    pub guesses: Vec<Guess>,
    /// Index of the field and the word by which totals are told.
    pub totals: Option<(usize, String)>,
    /// Records of data.
    pub data: u64,
}

/// Why the first record is no header, if it is none.
pub fn not_a_header(header: &[String], known: usize) -> Option<String> {
    let is_value = |t: &&String| super::numbers::is_number(t.trim()) || super::dates::is_date(t.trim());
    let values: Vec<&String> = header.iter().filter(is_value).collect();
    (known == 0 && !values.is_empty())
        .then(|| format!("the first record holds {}", super::super::fault::shown(values[0])))
}

/// Parts data from what is no data.
pub fn sort(records: &Records) -> Sorted {
    let width = records.header.len();
    let names: Vec<String> = records.header.iter().map(|n| normalise(n)).collect();
    let mut columns: Vec<Column> = records.header.iter().map(|n| Column::new(n)).collect();
    let (mut repeated, mut blank, mut odd, mut broken) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (totals, last) = find_totals(records);
    let mut data = 0;
    for (i, row) in records.rows.iter().enumerate() {
        let is_total =
            |(at, word): &(usize, String)| row.cells.get(*at).is_some_and(|c| c.text.trim().starts_with(word));
        if row.fault.is_some() {
            broken.push(row.line);
        } else if row.cells.iter().all(|c| c.text.trim().is_empty()) {
            blank.push(row.line);
        } else if row.cells.len() == width && row.cells.iter().zip(&names).all(|(c, n)| normalise(&c.text) == *n) {
            repeated.push(row.line);
        } else if i >= last && totals.as_ref().is_some_and(is_total) {
            // no data
        } else if row.cells.len() != width {
            odd.push(row.line);
        } else {
            data += 1;
            columns
                .iter_mut()
                .zip(&row.cells)
                .for_each(|(column, cell)| column.add(cell));
        }
    }
    let all = records.rows.len() as u64;
    let mut guesses = Vec::new();
    if !repeated.is_empty() {
        let evidence = format!("{} like the header ({})", records_of(&repeated), lines(&repeated));
        let path = ["skip", "repeated_header"];
        guesses.push(Guess::key(&path, Setting::Flag(true), Confidence::Certain, evidence));
    }
    if !blank.is_empty() {
        let evidence = format!(
            "{} of blank fields only ({}); without the key they are rejected, which tells of them",
            records_of(&blank),
            lines(&blank)
        );
        let path = ["skip", "blank_rows"];
        let guess = Guess::key(&path, Setting::Flag(true), Confidence::Guess, evidence);
        guesses.push(guess.or([Setting::Flag(false)]));
    }
    for (bad, what) in [(&odd, "have another number of fields"), (&broken, "are malformed")] {
        if !bad.is_empty() {
            let of = of(bad.len() as u64, all, "records");
            let evidence = format!("{of} {what} ({}); they will be rejected", lines(bad));
            guesses.push(Guess::told("records", what, Confidence::Certain, evidence));
        }
    }
    Sorted {
        columns,
        guesses,
        totals,
        data,
    }
}

fn records_of(lines: &[u64]) -> String {
    counted(lines.len() as u64, "record")
}

/// `line 3`, `lines 3, 7, 9 and 4 more`.
fn lines(lines: &[u64]) -> String {
    let named: Vec<String> = lines.iter().take(NAMED).map(ToString::to_string).collect();
    let word = if lines.len() == 1 { "line" } else { "lines" };
    let more = if lines.len() > NAMED {
        format!(" and {} more", lines.len() - NAMED)
    } else {
        String::new()
    };
    format!("{word} {}{more}", named.join(", "))
}

/// The field and the word by which totals at the end are told, and the index of the first of `rows` that may be one.
fn find_totals(records: &Records) -> (Option<(usize, String)>, usize) {
    let last = records.rows.len().saturating_sub(LAST);
    let ends: &[Row] = if records.whole {
        &records.rows[last..]
    } else {
        &records.tail[records.tail.len().saturating_sub(LAST)..]
    };
    let found = ends.iter().rev().find_map(|row| {
        row.cells.iter().enumerate().find_map(|(at, cell)| {
            let word = first_word(&cell.text)?;
            Some((at, word))
        })
    });
    // a word that data begins with as well tells nothing
    let is_data = |(at, word): &(usize, String)| {
        let begins = |r: &Row| {
            r.cells
                .get(*at)
                .is_some_and(|c| c.text.trim().starts_with(word.as_str()))
        };
        records.rows[..last].iter().any(begins)
    };
    (found.filter(|f| !is_data(f)), last)
}

/// The word for totals with which a text begins, as written.
fn first_word(cell: &str) -> Option<String> {
    let text = cell.trim();
    let mut words: Vec<&str> = TOTALS.to_vec();
    words.sort_by_key(|w| std::cmp::Reverse(w.len()));
    words.iter().find_map(|word| {
        let length = word.chars().count();
        let begin: String = text.chars().take(length).collect();
        let ends = text.chars().nth(length).is_none_or(|c| !c.is_alphanumeric());
        (begin.to_lowercase() == **word && ends).then_some(begin)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(rows: &[&str], whole: bool) -> Sorted {
        let row = |(i, text): (usize, &&str)| Row {
            line: i as u64 + 2,
            cells: text.split(',').map(Cell::typed).collect(),
            fault: None,
        };
        sort(&Records {
            header: vec!["id".into(), "amount".into()],
            rows: rows.iter().enumerate().map(row).collect(),
            tail: Vec::new(),
            whole,
        })
    }

    fn told(sorted: &Sorted) -> Vec<String> {
        let told = |g: &Guess| format!("{} {} {}", g.key_name(), g.confidence.name(), g.evidence);
        sorted.guesses.iter().map(told).collect()
    }

    #[test]
    fn what_is_no_data_is_told() {
        let found = sorted(&["A,1", "ID , amount", "B,2", ",", "C", "TOTAL,3"], true);
        assert_eq!(found.totals, Some((0, "TOTAL".to_owned())));
        assert_eq!(
            told(&found),
            [
                "skip.repeated_header certain 1 record like the header (line 3)",
                "skip.blank_rows a guess 1 record of blank fields only (line 5); without the key they are rejected, \
                 which tells of them",
                "records certain 1 of 6 records have another number of fields (line 6); they will be rejected",
            ]
        );
        assert_eq!((found.data, found.columns[1].total()), (2, 2));
    }

    #[test]
    fn totals_stand_at_the_end_and_nowhere_else() {
        assert_eq!(sorted(&["TOTAL,3", "A,1", "B,1", "C,1", "D,1"], true).totals, None);
        assert_eq!(
            sorted(&["Total 1,1", "A,1", "B,1", "C,1", "Total,1"], true).totals,
            None
        );
        assert_eq!(sorted(&["A,1", "Totally,1"], true).totals, None);
        assert_eq!(sorted(&["A,1", "总计,1"], true).totals, Some((0, "总计".to_owned())));
        assert_eq!(sorted(&["A,1", "TOTAL,1"], false).totals, None);
    }

    #[test]
    fn data_is_no_header() {
        let header = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(not_a_header(&header(&["A1", "2026-01-02"]), 0).is_some());
        assert!(not_a_header(&header(&["x", "y"]), 0).is_none());
        assert!(not_a_header(&header(&["id", "2025"]), 1).is_none());
    }
}
