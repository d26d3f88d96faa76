//! One cell of a sheet.
//!
//! Duty: what its XML says to a kind and a text. Not its duty: where it stands.

use super::number;
use super::serial;
use super::strings::{Strings, Text};
use super::styles::{Look, Styles};
use super::xml::{Element, is_true, unescaped};
use crate::ingest::frames::{Fault, Kind};
use crate::ingest::limits::MAX_FIELD_BYTES;

/// What cells are read with.
pub struct Context {
    pub strings: Strings,
    pub styles: Styles,
    pub is_1904: bool,
}

/// The type that the file gives a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Type {
    #[default]
    Number,
    Shared,
    Inline,
    Formula,
    Bool,
    Error,
    Iso,
    Unknown,
}

/// A cell being read; reused from cell to cell.
#[derive(Debug, Default)]
pub struct Cell {
    kind: Type,
    style: usize,
    /// Text of its value.
    value: String,
    inline: Text,
    in_value: bool,
    has_value: bool,
    pub has_formula: bool,
}

impl Cell {
    /// Begins a cell; returns its column, from 0, where the file names it.
    pub fn begin(&mut self, element: &Element<'_>) -> Result<Option<Place>, Fault> {
        self.value.clear();
        self.inline = Text::default();
        (self.kind, self.style) = (Type::Number, 0);
        (self.in_value, self.has_value, self.has_formula) = (false, false, false);
        let mut place = None;
        element.each_attribute(|name, value| match name {
            "r" => place = Some(Place::parse(value)),
            "s" => self.style = value.parse().unwrap_or(usize::MAX),
            "t" => {
                self.kind = match value {
                    "n" => Type::Number,
                    "s" => Type::Shared,
                    "inlineStr" => Type::Inline,
                    "str" => Type::Formula,
                    "b" => Type::Bool,
                    "e" => Type::Error,
                    "d" => Type::Iso,
                    _ => Type::Unknown,
                }
            }
            _ => {}
        })?;
        // a reference that is none is told apart from one that is not there
        Ok(place.map(|place| place.unwrap_or(Place { row: 0, column: 0 })))
    }

    pub fn start(&mut self, name: &str) {
        match name {
            "v" => (self.in_value, self.has_value) = (true, true),
            "f" => self.has_formula = true,
            "is" => self.has_value = true,
            _ => self.inline.start(name),
        }
    }

    pub fn end(&mut self, name: &str) {
        match name {
            "v" => self.in_value = false,
            _ => self.inline.end(name),
        }
    }

    pub fn push(&mut self, text: &str) {
        // what is longer is unreadable anyway, and need not be held
        if self.in_value && self.value.len() <= MAX_FIELD_BYTES {
            self.value.push_str(text);
        } else if self.inline.joined.len() <= MAX_FIELD_BYTES {
            self.inline.push(text);
        }
    }

    /// What the cell is; the text is handed over at once, since it may be borrowed from the shared ones.
    pub fn finish<T>(&self, context: &Context, take: impl FnOnce(Kind, &str) -> T) -> T {
        if self.kind == Type::Inline {
            return text(&unescaped(&self.inline.joined), take);
        }
        let value = match self.kind {
            Type::Formula => self.value.as_str(),
            _ => self.value.trim(),
        };
        if !self.has_value || value.is_empty() && self.kind != Type::Formula {
            return take(if self.has_formula { Kind::NoResult } else { Kind::Empty }, "");
        }
        match self.kind {
            Type::Number => self.number(context, take),
            Type::Shared => match value.parse().ok().and_then(|i| context.strings.get(i)) {
                Some(shared) => text(shared, take),
                None => take(Kind::Unreadable, ""),
            },
            Type::Formula => text(&unescaped(value), take),
            Type::Bool if is_true(value) => take(Kind::Bool, "true"),
            Type::Bool if value == "0" || value == "false" => take(Kind::Bool, "false"),
            Type::Error => take(Kind::Error, value.get(..40).unwrap_or(value)),
            Type::Iso => match serial::iso(value) {
                Some((kind, date)) => take(kind, &date),
                None => take(Kind::Unreadable, ""),
            },
            Type::Bool | Type::Inline | Type::Unknown => take(Kind::Unreadable, ""),
        }
    }

    fn number<T>(&self, context: &Context, take: impl FnOnce(Kind, &str) -> T) -> T {
        let (Some(number), Some(look)) = (number::read(self.value.trim()), context.styles.look(self.style)) else {
            return take(Kind::Unreadable, "");
        };
        if let Look::Date | Look::Time = look {
            return match serial::read(&number.text, context.is_1904, look == Look::Time) {
                Some((kind, date)) => take(kind, &date),
                None => take(Kind::BadDate, &number.text),
            };
        }
        if number.is_damaged || look == Look::Padded {
            take(Kind::Damaged, &number.text)
        } else {
            take(Kind::Number, &number.text)
        }
    }
}

fn text<T>(text: &str, take: impl FnOnce(Kind, &str) -> T) -> T {
    if text.is_empty() {
        take(Kind::Empty, "")
    } else if text.len() > MAX_FIELD_BYTES {
        take(Kind::Unreadable, "")
    } else {
        take(Kind::Text, text)
    }
}

/// A reference such as `B7`: row from 1, column from 0. Row 0 stands for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub row: u64,
    pub column: usize,
}

impl Place {
    pub fn parse(text: &str) -> Option<Place> {
        let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
        let (name, row) = text.split_at(letters);
        if name.is_empty() || name.len() > 3 || row.len() > 7 || !row.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let column = name.bytes().fold(0, |n, b| n * 26 + usize::from(b - b'A') + 1);
        Some(Place {
            row: row.parse().ok()?,
            column: column - 1,
        })
    }
}

/// Name of a column, from 0, as workbooks show it.
pub fn column_name(mut column: usize) -> String {
    let mut name = String::new();
    loop {
        name.insert(0, char::from(b'A' + u8::try_from(column % 26).unwrap_or_default()));
        match (column / 26).checked_sub(1) {
            Some(next) => column = next,
            None => return name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let place = |row, column| Some(Place { row, column });
        assert_eq!(Place::parse("A1"), place(1, 0));
        assert_eq!(Place::parse("AA10"), place(10, 26));
        assert_eq!(Place::parse("XFD1048576"), place(1_048_576, 16_383));
        for text in ["", "A", "1", "a1", "A-1", "ABCD1", "A12345678", "Ä1", "A1:B2"] {
            assert_eq!(Place::parse(text).filter(|p| p.row > 0), None, "{text}");
        }
        for column in [0, 25, 26, 51, 701, 702, 16_383] {
            assert_eq!(Place::parse(&format!("{}1", column_name(column))), place(1, column));
        }
    }
}
