//! Raw texts of rejected records, and those texts by column.
//!
//! Duty: what was kept under private, and the header of the original that says which text is which column. Must not:
//! decide, write.

use std::collections::BTreeMap;

use super::records::{Desk, FileEntry, Rejected};
use crate::contracts::Contract;
use crate::contracts::model::{Column, ColumnType};
use crate::domain::Digest;
use crate::edges::files;
use crate::ingest::Source;
use crate::ingest::source::data_columns;
use crate::ingest::split::{Splitter, without_zeros};
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::pipeline::refresh::input::{self, Reading};
use crate::store::layout::Layout;
use crate::store::private::{self, Class};

/// A record as it was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// `None`: it is no longer kept.
    pub raw: Option<String>,
    /// By delivered column of the contract; `None`: the record cannot be split.
    pub cells: Option<Vec<String>>,
}

/// Reads the texts of records; best asked in the order of arrivals, as those of one arrival are held.
pub struct Texts<'a> {
    layout: &'a Layout,
    config: &'a Config,
    desk: &'a Desk,
    arrival: Option<Arrival<'a>>,
}

struct Arrival<'a> {
    number: i64,
    raw: BTreeMap<String, String>,
    personal: BTreeMap<String, String>,
    /// Whether a splitter was sought; a record that needs one is waited for, as a file may have to be unpacked for it.
    is_sought: bool,
    splitter: Option<Splitter<'a>>,
}

impl<'a> Texts<'a> {
    pub fn new(layout: &'a Layout, config: &'a Config, desk: &'a Desk) -> Texts<'a> {
        Texts {
            layout,
            config,
            desk,
            arrival: None,
        }
    }

    pub fn of(&mut self, record: &Rejected) -> Result<Delivered, PipelineError> {
        let Some(contract) = self.config.catalogue.get(&record.feed) else {
            return Ok(Delivered {
                raw: raw_text(self.layout, record)?,
                cells: None,
            });
        };
        let number = record.id.arrival;
        if self.arrival.as_ref().is_none_or(|a| a.number != number) {
            let class = |class| private::texts(self.layout, class, [number]);
            self.arrival = Some(Arrival {
                number,
                raw: class(Class::Raw)?,
                personal: class(Class::Personal)?,
                is_sought: false,
                splitter: None,
            });
        }
        if !record.typed && self.arrival.as_ref().is_some_and(|a| !a.is_sought) {
            let splitter = self.splitter(contract, number)?;
            if let Some(arrival) = &mut self.arrival {
                arrival.is_sought = true;
                arrival.splitter = splitter;
            }
        }
        let Some(arrival) = &self.arrival else {
            return Ok(Delivered::default());
        };
        let raw = arrival.raw.get(&record.raw_hash).cloned();
        let cells = raw.as_deref().and_then(|raw| {
            if record.typed {
                values_of_row(contract, raw, &arrival.personal)
            } else {
                arrival.splitter.as_ref()?.split(raw.as_bytes())
            }
        });
        Ok(Delivered { raw, cells })
    }

    fn splitter(&self, contract: &'a Contract, number: i64) -> Result<Option<Splitter<'a>>, PipelineError> {
        let Some(file) = self.desk.files.get(&number) else {
            return Ok(None);
        };
        let (Some(source), Some(hash)) = (source_of(&self.config.sources, file), Digest::parse(&file.file_hash)) else {
            return Ok(None);
        };
        let path = self.layout.original(hash);
        if !files::exists(&path) {
            return Ok(None);
        }
        let reading = Reading::default();
        let input = input::open(source, &path, &reading)?;
        // an original that cannot be read is told by `verify` and by the run; here the raw text is enough
        Ok(Splitter::new(source, contract, input))
    }
}

/// The raw text of a record, if it is still kept.
pub fn raw_text(layout: &Layout, record: &Rejected) -> Result<Option<String>, PipelineError> {
    let mut texts = private::texts(layout, Class::Raw, [record.id.arrival])?;
    Ok(texts.remove(&record.raw_hash))
}

/// The source that reads a file now; one that was renamed since is found by its files.
fn source_of<'a>(sources: &'a [Source], file: &FileEntry) -> Option<&'a Source> {
    let of_feed = || sources.iter().filter(|s| s.feed == file.feed);
    of_feed()
        .find(|s| s.name == file.source)
        .or_else(|| of_feed().find(|s| s.matches(&file.file_name)))
}

/// The values of a record that was a row: a JSON object of texts by column. What is personal stands there by its token.
fn values_of_row(contract: &Contract, raw: &str, personal: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let columns = data_columns(contract);
    let object: BTreeMap<String, String> = serde_json::from_str(raw).ok()?;
    let values = columns.iter().map(|c| object.get(&c.name).map_or("", String::as_str));
    let text = |(value, column): (&str, &Column)| match column.kind {
        ColumnType::Decimal { .. } => without_zeros(value).to_owned(),
        _ => personal.get(value).map_or(value, String::as_str).to_owned(),
    };
    Some(values.zip(columns).map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_taken_back_with_its_personal_texts() {
        let text = include_str!("../../../schemas/holidays.odcs.yaml");
        let contract = crate::contracts::read("schemas/holidays.odcs.yaml", text).unwrap();
        let personal = BTreeMap::from([("sha256:1".to_owned(), "Epiphany".to_owned())]);
        let expected = ["emea", "2026-01-06", "Epiphany"].map(str::to_owned).to_vec();
        let raw = r#"{"region":"emea","date":"2026-01-06","name":"sha256:1"}"#;
        assert_eq!(values_of_row(&contract, raw, &personal), Some(expected));
        assert_eq!(values_of_row(&contract, "no object", &personal), None);
        let blank = values_of_row(&contract, r#"{"region":"emea"}"#, &personal);
        assert_eq!(blank, Some(vec!["emea".to_owned(), String::new(), String::new()]));
    }
}
