//! Questions to the current release, in SQL.
//!
//! Duty: every table of the release under its name, and the run history as `runs`. Not its duty: the portable subset;
//! here people may ask anything that Polars understands.

use super::PipelineError;
use crate::domain::Table;
use crate::edges::files;
use crate::measures::engine::{Engine, Sources};
use crate::measures::polars::Polars;
use crate::store::layout::Layout;
use crate::store::operations::Operations;
use crate::store::release::Release;

/// Most runs that a question sees.
const RUNS: u32 = 10_000;

/// Runs a statement over the tables of a release.
pub fn query(layout: &Layout, release: &Release, sql: &str) -> Result<Table, PipelineError> {
    let mut sources = Sources::new();
    let words = sql.to_lowercase();
    let first = words.split_whitespace().next().unwrap_or_default();
    if !["select", "with"].contains(&first) {
        return Err(PipelineError::Usage(
            "a question begins with SELECT or WITH: a release does not change".to_owned(),
        ));
    }
    for file in &release.manifest.files {
        // a changed byte is told before it gives an answer
        if words.contains(&file.table) {
            release.check_file(file)?;
        }
        sources
            .entry(file.table.clone())
            .or_default()
            .push(release.path_of(file));
    }
    let columns = [
        "id",
        "started_at",
        "finished_at",
        "pipeline",
        "as_of",
        "why",
        "state",
        "release",
        "error",
    ];
    let mut runs = Table::new("runs", &columns);
    let path = layout.operations();
    if files::exists(&path) {
        for run in Operations::open(&path)?.runs(RUNS)? {
            runs.push(vec![
                run.id.to_string().into(),
                run.started_at.into(),
                run.finished_at.into(),
                run.pipeline.into(),
                run.as_of.into(),
                run.why.into(),
                run.state.into(),
                run.release.into(),
                run.error.into(),
            ]);
        }
    }
    Polars {
        texts: vec![runs],
        in_memory: true,
        slice: None,
    }
    .run("the query", sql, &sources)
    .map_err(|e| PipelineError::Usage(format!("{}; `starledger status` lists the tables", e.detail)))
}
