//! The values of one column of a sample.
//!
//! Duty: count them, apart from blanks and from texts that look like a null. Not its duty: what they mean.

use std::collections::BTreeMap;

use super::records::Cell;

/// Distinct values kept of a column: enough to prove a form, few enough to compare each with every form.
const MAX_DISTINCT: usize = 4000;

/// Different values by which a column is held against those of a contract.
const LOOKED_AT: usize = 100;

/// Texts by which people say that there is no value. Whether they mean it is for a person to confirm.
const NULLS: [&str; 30] = [
    "N/A", "n/a", "NA", "#N/A", "N.A.", "n.a.", "-", "--", "---", "–", "—", "?", "??", ".", "/", "NULL", "null",
    "Null", "None", "none", "nil", "NaN", "nan", "(null)", "\\N", "k.A.", "k. A.", "s/d", "无", "不明",
];

/// A column of the file.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// As written in the header.
    pub name: String,
    /// Trimmed texts and how often each stands, blanks and null-like texts apart.
    pub values: BTreeMap<String, u64>,
    /// The same for cells that say themselves what they are: marks and formats do not apply to them.
    pub native: BTreeMap<String, u64>,
    /// How many of these are times without a zone.
    pub local: u64,
    /// Null-like texts and how often each stands.
    pub nulls: BTreeMap<String, u64>,
    pub blank: u64,
    /// Records that have the column.
    pub rows: u64,
}

impl Column {
    pub fn new(name: &str) -> Column {
        Column {
            name: name.trim().to_owned(),
            ..Column::default()
        }
    }

    pub fn add(&mut self, cell: &Cell) {
        let text = cell.text.trim();
        self.rows += 1;
        if cell.native {
            self.local += u64::from(cell.local);
            if self.native.len() < MAX_DISTINCT {
                *self.native.entry(text.to_owned()).or_default() += 1;
            }
            return;
        }
        if text.is_empty() {
            self.blank += 1;
        } else if NULLS.contains(&text) {
            *self.nulls.entry(text.to_owned()).or_default() += 1;
        } else if let Some(count) = self.values.get_mut(text) {
            *count += 1;
        } else if self.values.len() < MAX_DISTINCT {
            self.values.insert(text.to_owned(), 1);
        }
    }

    /// Values that were kept.
    pub fn total(&self) -> u64 {
        self.values.values().sum()
    }

    /// Some of the different values, from all over their order.
    pub fn some(&self) -> impl Iterator<Item = &str> {
        let all = self.values.len() + self.native.len();
        let step = all.div_ceil(LOOKED_AT).max(1);
        self.values
            .keys()
            .chain(self.native.keys())
            .step_by(step)
            .map(String::as_str)
    }

    /// How many of the values kept are as wanted.
    pub fn count(&self, is: impl Fn(&str) -> bool) -> u64 {
        self.values.iter().filter(|(text, _)| is(text)).map(|(_, n)| n).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_nulls_and_blanks_are_counted_apart() {
        let mut column = Column::new(" a ");
        ["x", " x ", "", "N/A", "y"]
            .iter()
            .for_each(|t| column.add(&Cell::typed(t)));
        assert_eq!(
            (column.name.as_str(), column.total(), column.blank, column.rows),
            ("a", 3, 1, 5)
        );
        assert_eq!(column.nulls["N/A"], 1);
        assert_eq!(column.count(|t| t == "x"), 2);
    }
}
