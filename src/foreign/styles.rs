//! How numbers of a workbook are shown.
//!
//! Duty: tell by its format whether a number is a date, a time or an id with leading zeros. Not its duty: the numbers.

use std::collections::BTreeMap;
use std::io::Read;

use super::budget::MAX_FORMATS;
use super::xml::{Node, Xml, ill_formed};
use crate::ingest::frames::Fault;

/// What a number is shown as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    #[default]
    Number,
    /// With leading zeros that the number does not have.
    Padded,
    Date,
    /// With or without its date.
    Time,
}

/// By style of a cell.
#[derive(Debug, Default)]
pub struct Styles {
    looks: Vec<Look>,
}

impl Styles {
    /// `None`: there is no such style.
    pub fn look(&self, style: usize) -> Option<Look> {
        let look = self.looks.get(style).copied();
        // a workbook need not have styles
        look.or((style == 0).then_some(Look::Number))
    }

    pub fn read<R: Read>(mut xml: Xml<R>) -> Result<Styles, Fault> {
        let mut formats = BTreeMap::new();
        let mut styles = Styles::default();
        let mut in_cells = false;
        loop {
            match xml.next()? {
                Node::Start(element) => match element.name() {
                    "numFmt" => {
                        if let (Some(id), Some(code)) =
                            (element.attribute("numFmtId")?, element.attribute("formatCode")?)
                        {
                            formats.insert(id, look_of(&code));
                        }
                    }
                    "cellXfs" => in_cells = true,
                    "xf" if in_cells => {
                        let id = element.attribute("numFmtId")?.unwrap_or_default();
                        let look = formats.get(&id).copied().unwrap_or_else(|| built_in(&id));
                        styles.looks.push(look);
                    }
                    _ => {}
                },
                Node::End(element) if element.name() == "cellXfs" => in_cells = false,
                Node::Eof => return Ok(styles),
                Node::Text(_) | Node::End(_) => {}
            }
            if styles.looks.len().max(formats.len()) > MAX_FORMATS {
                return Err(ill_formed("the styles", "it has too many formats"));
            }
        }
    }
}

/// Formats that have a number and no code; those from 27 to 36 and 50 to 58 are dates of East Asia.
fn built_in(id: &str) -> Look {
    match id.parse::<u32>() {
        Ok(14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58) => Look::Date,
        Ok(18..=22 | 32..=35 | 45 | 47 | 55 | 56) => Look::Time,
        _ => Look::Number,
    }
}

/// By the code's first section, without texts in quotes, escaped characters, colours and conditions.
fn look_of(code: &str) -> Look {
    let mut letters = String::new();
    let mut zeros = 0;
    let mut in_whole = true;
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            ';' => break,
            '"' => {
                let _ = chars.by_ref().find(|c| *c == '"');
            }
            '\\' | '_' | '*' => {
                chars.next();
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                // hours, minutes or seconds that run on: an amount of time, and so a number
                if !inside.is_empty() && inside.chars().all(|c| "hHmMsS".contains(c)) {
                    return Look::Number;
                }
            }
            '0' => zeros += u32::from(in_whole),
            '.' => in_whole = false,
            _ => letters.push(c.to_ascii_lowercase()),
        }
    }
    let letters = letters.replace("general", "").replace("am/pm", "h").replace("a/p", "h");
    if letters.contains(['h', 's']) {
        Look::Time
    } else if letters.contains(['y', 'd', 'm']) {
        Look::Date
    } else if zeros > 1 && !letters.contains('e') {
        Look::Padded
    } else {
        Look::Number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_formats() {
        for (code, look) in [
            ("General", Look::Number),
            ("0", Look::Number),
            ("0.00", Look::Number),
            ("#,##0.00 \"EUR per day\"", Look::Number),
            ("#,##0.00\\ [$kr-41D];[Red]-#,##0.00", Look::Number),
            ("0.00E+00", Look::Number),
            ("000E+00", Look::Number),
            ("[h]:mm:ss", Look::Number),
            ("@", Look::Number),
            ("00000", Look::Padded),
            ("000-00-0000", Look::Padded),
            ("\"P\"000", Look::Padded),
            ("yyyy-mm-dd", Look::Date),
            ("[$-407]d. mmmm yyyy", Look::Date),
            ("[$-F800]dddd", Look::Date),
            ("mmm", Look::Date),
            ("yyyy\\-mm\\-dd\\ hh:mm", Look::Time),
            ("h:mm AM/PM", Look::Time),
            ("mm:ss.0", Look::Time),
            ("[Red]0;yyyy", Look::Number),
        ] {
            assert_eq!(look_of(code), look, "{code}");
        }
    }

    #[test]
    fn only_styles_of_cells_count() {
        let xml = "<styleSheet><numFmts count='1'><numFmt numFmtId='164' formatCode='yyyy'/></numFmts>\
                   <cellStyleXfs><xf numFmtId='14'/></cellStyleXfs>\
                   <cellXfs><xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='22'/><xf/></cellXfs></styleSheet>";
        let styles = Styles::read(Xml::new(xml.as_bytes(), "styles")).unwrap();
        let looks: Vec<_> = (0..5).map(|i| styles.look(i)).collect();
        let some = [Look::Number, Look::Date, Look::Time, Look::Number].map(Some);
        assert_eq!(looks[..4], some);
        assert_eq!(looks[4], None);
        assert_eq!(Styles::default().look(0), Some(Look::Number));
    }
}
