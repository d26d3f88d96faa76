//! Open records as sheets, for the person who corrects them.
//!
//! Duty: which records go onto which sheet, and the file for its owner's eyes. Must not: know how a workbook is made.

use std::collections::BTreeMap;
use std::path::Path;

use super::records::{Desk, Filter};
use super::sheet::{self, Sheet};
use super::texts::Texts;
use super::{MAX_SHEET_RECORDS, guarded, workbook};
use crate::edges::files;
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::store::StoreError;
use crate::store::layout::Layout;

/// The sheets of the open records that a filter means, by feed.
pub fn sheets(layout: &Layout, config: &Config, desk: &Desk, filter: &Filter) -> Result<Vec<Sheet>, PipelineError> {
    let mut texts = Texts::new(layout, config, desk);
    let mut sheets: BTreeMap<&str, Sheet> = BTreeMap::new();
    for record in desk.select(filter, false) {
        let Some(contract) = config.catalogue.get(&record.feed) else {
            return Err(PipelineError::Usage(format!(
                "the feed '{}' of the record {} has no contract any more; restore it, or leave the feed out with --feed",
                record.feed, record.id
            )));
        };
        let sheet = sheets.entry(&record.feed).or_insert_with(|| sheet::empty(contract));
        if sheet.rows.len() == MAX_SHEET_RECORDS {
            return Err(PipelineError::Usage(format!(
                "more than {MAX_SHEET_RECORDS} records of '{}' are rejected: choose some with --rule, --file or \
                 --since-arrival; so many mostly have one cause, which the source can be taught",
                record.feed
            )));
        }
        sheet.rows.push(sheet::line(contract, record, &texts.of(record)?));
    }
    Ok(sheets.into_values().collect())
}

/// Writes sheets as a workbook to a new file that only its owner may read.
pub fn write_workbook(path: &Path, sheets: Vec<Sheet>) -> Result<(), PipelineError> {
    let sheets: Vec<Sheet> = sheets.into_iter().map(sheet::fitted).collect();
    let bytes = workbook::write(&sheets).map_err(|e| PipelineError::Stage {
        what: "the workbook",
        detail: e.to_string(),
    })?;
    write(path, &bytes)
}

/// Writes a sheet as CSV to a new file that only its owner may read.
pub fn write_csv(path: &Path, sheet: &Sheet) -> Result<(), PipelineError> {
    write(path, guarded::write(sheet).as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), PipelineError> {
    if files::exists(path) {
        return Err(PipelineError::Usage(format!(
            "{} is there already, perhaps with corrections: name another file with --out",
            path.display()
        )));
    }
    files::write_private_new(path, bytes).map_err(StoreError::from)?;
    Ok(())
}
