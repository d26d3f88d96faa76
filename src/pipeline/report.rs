//! The report of a period as a folder.
//!
//! Duty: the tables of a release that a report reads, its pages into a folder of the user's choice, whole or not at all. Not
//! its duty: what a page shows (`report`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::PipelineError;
use super::config::Config;
use crate::domain::{Period, Table, Value};
use crate::edges::files;
use crate::report::{self, ASSETS, About, Data, READS, ReportError, catalogue};
use crate::store::release::Release;
use crate::store::{StoreError, parquet};

/// Stands in every folder that a report wrote: only such a folder is replaced.
const MARK: &str = ".starledger-report";

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    pub folder: PathBuf,
    pub pages: usize,
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn failed(e: ReportError) -> PipelineError {
    PipelineError::stage("the report")(e.to_string())
}

/// Writes the report of an evaluation period. A folder that a report wrote is replaced, any other that is not empty is
/// refused.
pub fn write(release: &Release, config: &Config, period: &str, folder: &Path) -> Result<Written, PipelineError> {
    let period = Period::parse(period).map_err(|e| PipelineError::Usage(format!("'{period}' {e}")))?;
    let name = period.to_string();
    let mut tables = report::Tables::new();
    for (table, by_period) in READS {
        tables.insert(table, read(release, table, by_period.then_some(name.as_str()))?);
    }
    let data = Data::new(&name, tables).map_err(failed)?;
    let partners = data.partners().map_err(|e| failed(e.into()))?;
    if partners.is_empty() {
        let known: std::collections::BTreeSet<String> = data
            .rows("partner_scores")
            .filter_map(|row| row.text("period").ok().map(str::to_owned))
            .collect();
        let known: Vec<String> = known.into_iter().collect();
        return Err(PipelineError::Usage(format!(
            "the release has no evaluation of {name}; it has {}",
            known.join(", ")
        )));
    }
    // of the posting period in which it ends, which may be of another length
    let programme = config.rules.programme();
    let last = programme.calendar.last_day(period);
    let posting = programme.calendar.period_of(last, programme.posting_period);
    let posting = posting.map(|p| p.to_string());
    let is_final = data
        .rows("periods")
        .any(|row| row.text("period").ok() == posting.as_deref() && row.text("status") == Ok("closed"));
    let about = About {
        programme: programme.name.clone(),
        period: name,
        is_final,
        release: release.name().to_owned(),
        as_of: release.manifest.as_of.clone(),
    };
    let entries = entries(config)?;
    into_folder(folder, |fresh| {
        let mut pages = 2;
        put(fresh, "index.html", &report::overview(&about, &data).map_err(failed)?)?;
        let lead = format!("Release {}, as of {}", about.release, about.as_of);
        let page = report::catalogue(&lead, &entries, Some("index.html")).map_err(failed)?;
        put(fresh, "catalogue.html", &page)?;
        files::create_dir_all(&fresh.join("partners")).map_err(StoreError::from)?;
        for partner in &partners {
            let (file, page) = report::partner(&about, &data, partner).map_err(failed)?;
            put(&fresh.join("partners"), &file, &page)?;
            pages += 1;
        }
        Ok(pages)
    })
}

/// Writes the catalogue alone.
pub fn write_catalogue(config: &Config, folder: &Path) -> Result<Written, PipelineError> {
    let entries = entries(config)?;
    into_folder(folder, |fresh| {
        let page =
            report::catalogue("Tables of this workspace, from their contracts", &entries, None).map_err(failed)?;
        put(fresh, "catalogue.html", &page)?;
        Ok(1)
    })
}

fn put(folder: &Path, name: &str, text: &str) -> Result<(), PipelineError> {
    Ok(files::write_new(&folder.join(name), text.as_bytes()).map_err(StoreError::from)?)
}

/// Fills a fresh folder beside, and puts it in place when it is whole.
fn into_folder(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<usize, PipelineError>,
) -> Result<Written, PipelineError> {
    let there = files::exists(folder);
    if there && !files::list(folder).map_err(StoreError::from)?.is_empty() && !files::exists(&folder.join(MARK)) {
        return Err(PipelineError::Usage(format!(
            "{} holds other files: name a new folder, or one that a report was written to",
            folder.display()
        )));
    }
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let Some(name) = name else {
        return Err(PipelineError::Usage(format!(
            "{} is no folder to write to",
            folder.display()
        )));
    };
    let fresh = folder.with_file_name(format!(".{name}.new"));
    files::remove_tree_if_there(&fresh).map_err(StoreError::from)?;
    files::create_dir_all(&fresh).map_err(StoreError::from)?;
    let filled = fill(&fresh).and_then(|pages| {
        for (name, text) in ASSETS {
            put(&fresh, name, text)?;
        }
        put(
            &fresh,
            MARK,
            "a report was written here; it is replaced by the next one\n",
        )?;
        Ok(pages)
    });
    let pages = match filled {
        Ok(pages) => pages,
        Err(e) => {
            files::remove_tree_if_there(&fresh).map_err(StoreError::from)?;
            return Err(e);
        }
    };
    files::remove_tree_if_there(folder).map_err(StoreError::from)?;
    files::rename(&fresh, folder).map_err(StoreError::from)?;
    Ok(Written {
        folder: folder.to_path_buf(),
        pages,
    })
}

/// The rows of a table; of a period only, where it is given: from its partition, else by the column.
fn read(release: &Release, name: &'static str, period: Option<&str>) -> Result<Table, PipelineError> {
    let Some(period) = period else {
        return Ok(release.read_table(name)?);
    };
    let partition = format!("period={period}");
    let mut out: Option<Table> = None;
    for file in release.files_of(name) {
        let path = release.path_of(file);
        let parts: Vec<String> = path
            .components()
            .map(|c| c.as_os_str().to_string_lossy().into_owned())
            .collect();
        let of_other = parts
            .iter()
            .any(|part| part.starts_with("period=") && *part != partition);
        if of_other {
            continue;
        }
        let part = parquet::read(&path, name)?;
        match &mut out {
            None => out = Some(part),
            Some(all) => all.rows.extend(part.rows),
        }
    }
    let mut table = out.unwrap_or_else(|| Table::new(name, &[]));
    if let Some(column) = table.column("period") {
        table
            .rows
            .retain(|row| matches!(&row[column], Value::Text(text) if text.as_ref() == period));
    }
    Ok(table)
}

/// The tables of the workspace, feeds first, each by name.
fn entries(config: &Config) -> Result<Vec<catalogue::Entry>, PipelineError> {
    let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in &config.sources {
        sources
            .entry(source.feed.clone())
            .or_default()
            .push(source.name.clone());
    }
    let order: Vec<String> = config
        .catalogue
        .feeds()
        .chain(config.catalogue.outputs())
        .map(|c| c.name.clone())
        .collect();
    let mut found = BTreeMap::new();
    let contracts = config
        .bundle
        .iter()
        .filter(|(path, _)| path.starts_with("schemas/") && path.ends_with(".yaml"));
    for (file, text) in contracts {
        let mut entry = catalogue::Entry::read(file, text).map_err(|finding| PipelineError::Config(vec![*finding]))?;
        if let Some(measure) = config.measures.iter().find(|m| m.output() == entry.name()) {
            entry.reads = measure.tables.iter().cloned().collect();
            entry.sql = Some(measure.sql.clone());
        }
        entry.sources = sources.get(entry.name()).cloned().unwrap_or_default();
        entry.sources.sort();
        found.insert(entry.name().to_owned(), entry);
    }
    Ok(order.iter().filter_map(|name| found.remove(name)).collect())
}
