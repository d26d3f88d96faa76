//! What a page shows: sections of tiles, pictures and tables.
//!
//! Duty: shapes that the template fills, and names of files. Not its duty: which data.

use serde::Serialize;

use crate::charts::{self, Paint};
use crate::domain::{Dec, Digest};

/// The colours of the style sheet, so that pictures follow light and dark.
pub const PAINT: Paint<'static> = Paint {
    tile: "var(--tile)",
    line: "var(--line)",
    ink: "var(--ink)",
    muted: "var(--muted)",
    bar: "var(--bar)",
    bar_rest: "var(--line)",
    up: "var(--up)",
    down: "var(--down)",
    font: "system-ui, -apple-system, Segoe UI, Roboto, Arial, sans-serif",
};

#[derive(Clone, Debug, Serialize)]
pub struct Page {
    pub title: String,
    pub lead: String,
    /// Where the page of the whole lies.
    pub home: Option<String>,
    /// Path to the assets.
    pub root: String,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Section {
    pub id: String,
    pub title: String,
    pub intro: String,
    pub tiles: Vec<Tile>,
    pub charts: Vec<Chart>,
    pub tables: Vec<TableView>,
    /// Texts to be copied, with a title each.
    pub code: Vec<(String, String)>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Tile {
    pub label: String,
    pub value: String,
    pub note: String,
}

/// A picture: SVG whose texts were escaped when it was made.
#[derive(Clone, Debug, Serialize)]
pub struct Chart {
    pub svg: String,
    /// Whether its numbers stand in a table beside it.
    pub caption: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct TableView {
    pub caption: String,
    pub columns: Vec<Head>,
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Head {
    pub name: String,
    pub is_number: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Cell {
    pub text: String,
    pub href: Option<String>,
}

impl Chart {
    pub fn new(svg: &str, caption: impl Into<String>) -> Chart {
        Chart {
            svg: charts::inline(svg),
            caption: caption.into(),
        }
    }
}

impl Section {
    pub fn new(id: &str, title: &str, intro: &str) -> Section {
        Section {
            id: id.to_owned(),
            title: title.to_owned(),
            intro: intro.to_owned(),
            ..Section::default()
        }
    }
}

impl Tile {
    pub fn new(label: &str, value: impl Into<Cell>, note: impl Into<String>) -> Tile {
        Tile {
            label: label.to_owned(),
            value: value.into().text,
            note: note.into(),
        }
    }
}

impl TableView {
    /// Columns that begin with `#` hold numbers.
    pub fn new(caption: &str, columns: &[&str]) -> TableView {
        let head = |name: &&str| Head {
            name: name.trim_start_matches('#').to_owned(),
            is_number: name.starts_with('#'),
        };
        TableView {
            caption: caption.to_owned(),
            columns: columns.iter().map(head).collect(),
            rows: Vec::new(),
        }
    }

    pub fn push<const N: usize>(&mut self, row: [Cell; N]) {
        debug_assert_eq!(N, self.columns.len(), "{}", self.caption);
        self.rows.push(row.into());
    }
}

impl<T: ToString> From<T> for Cell {
    fn from(value: T) -> Cell {
        Cell {
            text: value.to_string(),
            href: None,
        }
    }
}

/// The cell of a partner, which leads to its page.
pub fn partner_cell(id: &str) -> Cell {
    Cell {
        text: id.to_owned(),
        href: Some(format!("partners/{}", file_name(id))),
    }
}

/// The file of a partner's page: its id, and a part of its hash where the id has other characters than a file's name may.
#[must_use]
pub fn file_name(partner_id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if partner_id.chars().all(is_plain) && !partner_id.is_empty() && partner_id.len() <= 80 {
        return format!("{partner_id}.html");
    }
    let plain: String = partner_id.chars().filter(|c| is_plain(*c)).take(60).collect();
    format!("{plain}.{}.html", Digest::of(partner_id.as_bytes()).short())
}

/// Without zeros at the end; `places` at most.
pub fn trimmed(value: Dec, places: u8) -> String {
    let rounded = value
        .ratio()
        .round(places, crate::domain::Rounding::HalfAwayFromZero)
        .unwrap_or(value);
    let text = rounded.to_string();
    match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text,
    }
}

/// A share as per cent with one decimal.
pub fn percent(share: Dec) -> String {
    let hundredfold = Dec::new(share.units().saturating_mul(100), share.scale());
    format!("{} %", trimmed(hundredfold, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_plain_and_differ() {
        assert_eq!(file_name("EM-0001"), "EM-0001.html");
        let odd = [
            file_name("a/b"),
            file_name("ab"),
            file_name("../x"),
            file_name("ä"),
            file_name(""),
        ];
        for (i, name) in odd.iter().enumerate() {
            assert!(
                !name.contains('/') && !name.starts_with("..") && !odd[..i].contains(name),
                "{name}"
            );
        }
    }

    #[test]
    fn numbers_lose_zeros_and_nothing_else() {
        let dec = |text: &str| Dec::parse(text).unwrap();
        assert_eq!(
            ["10.00", "0.5000", "100", "-1.250"].map(|t| trimmed(dec(t), 2)),
            ["10", "0.5", "100", "-1.25"]
        );
        assert_eq!(percent(dec("0.912345")), "91.2 %");
    }
}
