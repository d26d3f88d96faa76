//! How the fields of a delimited text are kept apart, and where its header stands.
//!
//! Duty: try every delimiter, quote and escape with the real reader and compare how regular the records come out.
//! Not its duty: what the fields mean.

use super::super::csv::Dialect;
use super::guess::{Confidence, Guess, Setting, of, per_mille};
use super::records::Row;
use super::split;

/// Records by which dialects are compared.
const COMPARED: usize = 400;

/// Bytes of the sample by which dialects are compared.
const COMPARED_BYTES: usize = 256 << 10;

/// Share of records with one width, per thousand, from which a delimiter fits.
const REGULAR: u64 = 900;

const DELIMITERS: [(u8, &str); 8] = [
    (b',', "comma"),
    (b';', "semicolon"),
    (b'\t', "tab"),
    (b'|', "bar"),
    (b':', "colon"),
    (b'^', "caret"),
    (b'~', "tilde"),
    (b' ', "space"),
];

/// A dialect and what it makes of the text.
#[derive(Clone, Debug)]
pub struct Shape {
    pub dialect: Dialect,
    /// Fields of most records.
    pub width: usize,
    /// Physical line of the first record of that width.
    pub header_line: u64,
    /// Records behind the header, and those of the width.
    records: u64,
    regular: u64,
    /// Records that are not well-formed.
    faults: u64,
    /// Fields of the header that look like columns of a contract.
    pub known: usize,
}

impl Shape {
    fn share(&self) -> u64 {
        per_mille(self.regular, self.records)
    }

    fn fits(&self) -> bool {
        self.share() >= REGULAR
    }

    /// Better shapes are greater.
    fn rank(&self) -> (bool, usize, std::cmp::Reverse<u64>, u64, usize) {
        (
            self.fits(),
            self.known,
            std::cmp::Reverse(self.header_line),
            self.share(),
            self.width,
        )
    }
}

/// The best dialect of a text and the guesses about it; `is_known` says whether a name looks like a column of a
/// contract. `None`: the text has no record.
pub fn find(text: &str, is_known: &dyn Fn(&str) -> bool) -> Option<(Shape, Vec<Guess>)> {
    let part = beginning(text);
    let mut shapes: Vec<(Shape, &str)> = DELIMITERS
        .iter()
        .filter_map(|(delimiter, name)| Some((shape(part, plain(*delimiter), is_known)?, *name)))
        .collect();
    // a stable sort: of equal ones the first of the list wins
    shapes.sort_by_key(|s| std::cmp::Reverse(s.0.rank()));
    let Some((best, name)) = shapes.first().cloned() else {
        return single_column(part);
    };
    let mut guesses = vec![delimiter(&best, name, &shapes[1..])];
    let (shape, more) = quotes(part, best, is_known);
    guesses.extend(more);
    Some((shape, guesses))
}

fn plain(delimiter: u8) -> Dialect {
    Dialect {
        delimiter,
        quote: Some(b'"'),
        escape: None,
    }
}

/// Whole lines from the front.
fn beginning(text: &str) -> &str {
    if text.len() <= COMPARED_BYTES {
        return text;
    }
    let end = (0..=COMPARED_BYTES).rev().find(|at| text.is_char_boundary(*at));
    let part = &text[..end.unwrap_or(0)];
    part.rfind('\n').map_or(part, |at| &part[..=at])
}

/// What a dialect makes of a text; `None` when it keeps nothing apart.
fn shape(text: &str, dialect: Dialect, is_known: &dyn Fn(&str) -> bool) -> Option<Shape> {
    let rows = split::csv(text, dialect, COMPARED);
    let count = |width: usize| rows.iter().filter(|r| r.cells.len() == width).count();
    let widths: std::collections::BTreeSet<usize> = rows.iter().map(|r| r.cells.len()).filter(|w| *w > 1).collect();
    let width = widths.into_iter().max_by_key(|w| (count(*w), *w))?;
    let header = rows.iter().position(|r| r.cells.len() == width)?;
    let behind = &rows[header..];
    Some(Shape {
        dialect,
        width,
        header_line: rows[header].line,
        records: behind.len() as u64,
        regular: behind.iter().filter(|r| r.cells.len() == width).count() as u64,
        faults: behind.iter().filter(|r| r.fault.is_some()).count() as u64,
        known: rows[header].cells.iter().filter(|c| is_known(&c.text)).count(),
    })
}

fn single_column(text: &str) -> Option<(Shape, Vec<Guess>)> {
    let dialect = plain(b',');
    let rows: Vec<Row> = split::csv(text, dialect, COMPARED);
    let header = rows.iter().find(|r| r.cells.len() == 1)?;
    let shape = Shape {
        dialect,
        width: 1,
        header_line: header.line,
        records: rows.len() as u64,
        regular: rows.len() as u64,
        faults: 0,
        known: 0,
    };
    let evidence = "no delimiter parts the records: a file of one column";
    let guess = Guess::default(&["delimiter"], Setting::text(","), Confidence::Guess, evidence);
    Some((shape, vec![guess]))
}

fn delimiter(best: &Shape, name: &str, others: &[(Shape, &str)]) -> Guess {
    let rivals: Vec<&(Shape, &str)> = others
        .iter()
        .filter(|(s, _)| s.fits() && s.known >= best.known && s.header_line == best.header_line)
        .collect();
    let confidence = match (best.fits(), rivals.is_empty()) {
        (true, true) if best.share() == 1000 || best.known * 2 > best.width => Confidence::Certain,
        (true, true) => Confidence::Likely,
        _ => Confidence::Guess,
    };
    let records = of(best.regular, best.records, "records");
    let mut evidence = format!("a {name} parts {records} into {} fields", best.width);
    if rivals.is_empty() {
        evidence.push_str("; no other delimiter does as well");
    } else {
        let names: Vec<&str> = rivals.iter().map(|(_, name)| *name).collect();
        evidence.push_str(&format!("; so does {}", names.join(" or ")));
    }
    let setting = |byte: u8| Setting::Text(char::from(byte).to_string());
    let alternatives = rivals.iter().map(|(s, _)| setting(s.dialect.delimiter));
    let value = setting(best.dialect.delimiter);
    let guess = if best.dialect.delimiter == b',' && rivals.is_empty() {
        Guess::default(&["delimiter"], value, confidence, evidence)
    } else {
        Guess::key(&["delimiter"], value, confidence, evidence)
    };
    guess.or(alternatives)
}

/// Whether other quotes than `"` make the records more regular.
fn quotes(text: &str, best: Shape, is_known: &dyn Fn(&str) -> bool) -> (Shape, Vec<Guess>) {
    if let Some(found) = single_quotes(text, &best, is_known) {
        return found;
    }
    let holds = |pattern: &str| text.contains(pattern);
    if best.faults > 0 && holds("\\\"") {
        let escaped = Dialect {
            escape: Some(b'\\'),
            ..best.dialect
        };
        if let Some(shape) = shape(text, escaped, is_known).filter(|s| s.faults < best.faults) {
            let evidence = format!(
                "{} fewer records are malformed when a backslash escapes a quote",
                best.faults - shape.faults
            );
            let guess = Guess::key(&["escape"], Setting::text("\\"), Confidence::Likely, evidence);
            return (shape, vec![guess]);
        }
    }
    let quote = Setting::text("\"");
    if best.faults == 0 {
        let evidence = if holds("\"") {
            "every quoted field is well-formed"
        } else {
            "the sample has no quotes"
        };
        let guess = Guess::default(&["quote"], quote, Confidence::Likely, evidence);
        return (best, vec![guess]);
    }
    let without = Dialect {
        quote: None,
        ..best.dialect
    };
    let records = of(best.faults, best.records, "records");
    let mut evidence = format!("{records} are malformed and will be rejected");
    let plainer = shape(text, without, is_known).filter(|s| s.share() > best.share());
    if let Some(plainer) = &plainer {
        let records = of(plainer.regular, plainer.records, "records");
        evidence.push_str(&format!(
            "; read with quotes as plain characters (quote = \"\"), {records} are regular"
        ));
    }
    let guess = Guess::default(&["quote"], quote, Confidence::Likely, evidence);
    let guess = guess.or(plainer.map(|_| Setting::text("")));
    (best, vec![guess])
}

/// Fields that stand between single quotes, for most values of some column.
fn single_quotes(text: &str, best: &Shape, is_known: &dyn Fn(&str) -> bool) -> Option<(Shape, Vec<Guess>)> {
    let with = Dialect {
        quote: Some(b'\''),
        ..best.dialect
    };
    let bare = Dialect {
        quote: None,
        ..best.dialect
    };
    let rows = split::csv(text, bare, COMPARED);
    let column = (0..best.width).find(|at| {
        let cells = rows.iter().skip(1).filter_map(|r| r.cells.get(*at));
        let filled: Vec<&str> = cells.map(|c| c.text.as_str()).filter(|t| !t.is_empty()).collect();
        filled.len() > 2 && filled.iter().filter(|t| t.starts_with('\'')).count() * 2 >= filled.len()
    })?;
    let shape = shape(text, with, is_known).filter(|s| s.faults == 0 && s.share() >= best.share())?;
    let evidence = format!(
        "field {} stands between single quotes, and every record is well-formed with them",
        column + 1
    );
    let guess = Guess::key(&["quote"], Setting::text("'"), Confidence::Likely, evidence);
    Some((shape, vec![guess]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let is_known = |name: &str| ["id", "amount", "note"].contains(&name);
        let (shape, guesses) = find(text, &is_known).unwrap();
        let mut out = vec![format!("{} fields from line {}", shape.width, shape.header_line)];
        out.extend(guesses.iter().map(|g| {
            let alternatives: Vec<String> = g.alternatives.iter().map(ToString::to_string).collect();
            format!(
                "{} {} {} {}",
                g.key_name(),
                g.setting,
                g.confidence.name(),
                alternatives.join(" ")
            )
            .trim_end()
            .to_owned()
        }));
        out
    }

    #[test]
    fn delimiters_are_told_by_regular_records() {
        let no_quotes = "quote \"\\\"\" likely";
        assert_eq!(
            told("id;amount\nA;1,5\nB;2,5\nC;3,0\n"),
            ["2 fields from line 1", "delimiter \";\" certain", no_quotes]
        );
        assert_eq!(
            told("id\tamount\nA\t1\nB\t2\n"),
            ["2 fields from line 1", "delimiter \"\\t\" certain", no_quotes]
        );
        assert_eq!(
            told("id|amount\nA|1\n"),
            ["2 fields from line 1", "delimiter \"|\" certain", no_quotes]
        );
        assert_eq!(
            told("id,amount\nA,1\n"),
            ["2 fields from line 1", "delimiter \",\" certain", no_quotes]
        );
    }

    #[test]
    fn two_delimiters_that_fit_alike_are_ambiguous() {
        assert_eq!(
            told("x;y,z\n1;2,3\n4;5,6\n"),
            [
                "2 fields from line 1",
                "delimiter \",\" a guess \";\"",
                "quote \"\\\"\" likely"
            ]
        );
    }

    #[test]
    fn a_preamble_is_no_header() {
        let text = "Report of sales\nExported by: somebody\n\nid,amount\nA,1\nB,2\nC,3\nD,4\n";
        assert_eq!(told(text)[..2], ["2 fields from line 4", "delimiter \",\" certain"]);
    }

    #[test]
    fn quotes_other_than_the_default() {
        let text = "id,note\nA,'x,y'\nB,'z'\nC,'u'\n";
        assert!(
            told(text).contains(&"quote \"'\" likely".to_owned()),
            "{:?}",
            told(text)
        );
        let inches = "id,note\nA,5\" disk\nB,3\nC,2\nD,1\nE,1\nF,1\nG,1\nH,1\nI,1\nJ,1\nK,1\n";
        assert!(
            told(inches).contains(&"quote \"\\\"\" likely \"\"".to_owned()),
            "{:?}",
            told(inches)
        );
    }
}
