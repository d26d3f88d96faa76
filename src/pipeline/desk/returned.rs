//! A sheet that came back, from its file.
//!
//! Duty: workbook or CSV, within limits; which feed each sheet is of. Must not: judge a row.

use std::path::Path;

use super::records::{Desk, RecordId};
use super::sheet::{self, RawRow, Returned};
use super::{MAX_FILE_BYTES, guarded, workbook};
use crate::contracts::Contract;
use crate::domain::{Finding, Findings, Place};
use crate::edges::files;
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::store::StoreError;

/// Rows by feed, with the place that findings name.
pub type Sheets<'a> = Vec<(&'a Contract, Place, Vec<Returned>)>;

/// The rows of a workbook or a CSV file, by feed.
pub fn returned<'a>(config: &'a Config, desk: &Desk, path: &Path) -> Result<Sheets<'a>, PipelineError> {
    let file = path.display().to_string();
    let size = files::identity(path).map_err(StoreError::from)?.0;
    if size > MAX_FILE_BYTES {
        return Err(PipelineError::Usage(format!(
            "{file} has {size} bytes, and a sheet of rejected records at most {MAX_FILE_BYTES}"
        )));
    }
    let bytes = files::read(path).map_err(StoreError::from)?;
    let is_csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let named = if is_csv {
        let rows = guarded::read(&file, &bytes).map_err(PipelineError::Data)?;
        vec![(feed_of(config, desk, &rows), Place::file(&file), rows)]
    } else {
        let sheets = workbook::read(&file, &bytes).map_err(PipelineError::Data)?;
        let contract = |name: &str| config.catalogue.feeds().find(|c| workbook::sheet_name(&c.name) == name);
        let named =
            |(name, rows): (String, Vec<RawRow>)| (contract(&name), Place::file(format!("{file}, sheet {name}")), rows);
        sheets.into_iter().map(named).collect()
    };
    let mut findings = Findings::new();
    let mut sheets = Vec::new();
    for (contract, place, rows) in named.into_iter().filter(|(.., rows)| !rows.is_empty()) {
        let Some(contract) = contract else {
            findings.push(if is_csv {
                let remedy = "give a file that `starledger quarantine export` wrote";
                Finding::error(place, "sheet.id", "no row has the id of a rejected record", remedy)
            } else {
                let remedy = "restore its name, or remove the sheet";
                Finding::error(place, "sheet.name", "the sheet has the name of no feed", remedy)
            });
            continue;
        };
        match sheet::read_back(contract, &place, &rows) {
            Ok(rows) => sheets.push((contract, place, rows)),
            Err(found) => findings.extend(found),
        }
    }
    if findings.is_empty() {
        Ok(sheets)
    } else {
        Err(PipelineError::Data(findings))
    }
}

/// The feed of a CSV file: that of its first known record.
fn feed_of<'a>(config: &'a Config, desk: &Desk, rows: &[RawRow]) -> Option<&'a Contract> {
    let record = |(_, texts): &RawRow| desk.rejected.get(&RecordId::parse(texts.first()?)?);
    let feed = &rows.iter().find_map(record)?.feed;
    config.catalogue.get(feed)
}
