//! Objects of JSON Lines by the columns of a contract.
//!
//! Duty: members to columns, and the rules that an object meets, in their order. Not its duty: JSON, types.

use std::borrow::Cow;

use super::fault::Fault;
use super::file::{blank, position};
use super::header::Names;
use super::intake::{Given, Intake};
use super::json_lines;
use super::source::{Totals, data_columns};

/// The members of objects by the columns of the contract.
pub(super) struct Members {
    names: Names,
    /// By place in the object: the name that stood there last, and its column.
    last: Vec<(String, Option<usize>)>,
    /// By column: place in the object at hand.
    places: Vec<Option<usize>>,
    /// Column by which totals are told.
    totals: Option<usize>,
}

/// An object by the columns of the contract.
struct ByMember<'a> {
    record: json_lines::Record<'a>,
    places: &'a [Option<usize>],
}

impl Given for ByMember<'_> {
    fn line(&self) -> u64 {
        self.record.line
    }

    fn raw(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.record.raw.as_bytes())
    }

    fn size(&self) -> usize {
        self.record.raw.len()
    }

    fn text(&self, column: usize) -> Option<&str> {
        self.record.get(self.places[column]?)?.1
    }
}

impl Members {
    pub(super) fn new(intake: &Intake) -> Members {
        let totals = intake.source.skip.totals.as_ref();
        Members {
            names: Names::new(intake.source, intake.contract),
            last: Vec::new(),
            places: vec![None; data_columns(intake.contract).len()],
            totals: totals.and_then(|t| position(intake, t)),
        }
    }

    /// The column of a member; `None` where there is none. An error refuses the file.
    fn find(&mut self, intake: &mut Intake, place: usize, name: &str) -> Result<Option<usize>, Fault> {
        if let Some((_, column)) = self.last.get(place).filter(|(last, _)| last == name) {
            return Ok(*column);
        }
        let column = match self.names.find(name) {
            Some((column, declared)) => {
                if let Some(declared) = declared {
                    intake.note_normalised(name, declared);
                }
                Some(column)
            }
            None => {
                intake.check_frozen(&[name])?;
                intake.count_unknown(name, 0);
                None
            }
        };
        // objects mostly have the same members in the same order
        self.last.resize_with(self.last.len().max(place + 1), Default::default);
        self.last[place] = (name.to_owned(), column);
        Ok(column)
    }

    /// Takes, skips or rejects an object; an error refuses the file.
    pub(super) fn take(&mut self, intake: &mut Intake, record: json_lines::Record<'_>) -> Result<(), Fault> {
        self.places.fill(None);
        let mut unknown = Vec::new();
        for (place, (name, text)) in record.fields().enumerate() {
            let Some(column) = self.find(intake, place, name)? else {
                let text = text.unwrap_or_default().trim();
                if !text.is_empty() {
                    intake.count_unknown(name, 1);
                    unknown.push((name.trim(), text));
                }
                continue;
            };
            if self.places[column].replace(place).is_some() {
                let reason = format!("two members stand for '{}'", data_columns(intake.contract)[column].name);
                let fault = Fault::new("json.duplicate_key", reason, "give each member once, under one name");
                return intake.reject(record.line, record.raw.as_bytes(), fault);
            }
        }
        let given = ByMember {
            record,
            places: &self.places,
        };
        let skip = &intake.source.skip;
        let text_of = |column: usize| given.text(column).unwrap_or_default().trim();
        let is_total = |totals: &Totals| {
            self.totals
                .is_some_and(|column| text_of(column).starts_with(&totals.starts_with))
        };
        if (0..self.places.len()).all(|column| text_of(column).is_empty()) {
            let raw = record.raw.as_bytes();
            return intake.skip_or_reject(skip.blank_rows, "skip.blank", record.line, raw, blank());
        }
        if skip.totals.as_ref().is_some_and(is_total) {
            intake.skip("skip.totals");
            return Ok(());
        }
        intake.take(&given, &unknown)
    }
}
