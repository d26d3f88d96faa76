//! The source rows behind what an evaluation rests on.
//!
//! Duty: run the traced statement of a measure over the facts of a release, and say whether its rows add up to the
//! measure; find the rows of key events and of the decisions on them. Works on any measure that has a partner and a
//! period among its columns. Not its duty: which measures a metric rests on, printing.

use std::collections::BTreeMap;

use super::super::PipelineError;
use super::super::config::Config;
use crate::contracts::ColumnRole;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Period, Ratio, RowRef, Table, Value};
use crate::measures::Measure;
use crate::measures::engine::{Engine, Sources};
use crate::measures::polars::Polars;
use crate::measures::trace::{Trace, trace};
use crate::store::release::Release;

/// One record of a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceRecord {
    /// The feed.
    pub table: String,
    /// Its key: columns and values.
    pub key: Vec<(String, String)>,
    /// Relative to the workspace, as it arrived.
    pub file: String,
    /// From 1.
    pub line: i64,
    /// Sequence of the arrival.
    pub arrival: i64,
}

/// Records that went into a measure together, and what they brought.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceRow {
    pub records: Vec<SourceRecord>,
    /// Columns of the measure's grain beyond partner, domain and period.
    pub grain: Vec<(String, Value)>,
    /// What the row adds to each sum of the measure, and what went into its other aggregates.
    pub values: Vec<(String, Value)>,
}

/// The rows behind a measure of a partner in a domain and period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasureRows {
    pub measure: String,
    /// Where the statement stands.
    pub file: String,
    /// The release whose facts these are.
    pub release: String,
    pub period: Period,
    /// `None` for a measure without domains.
    pub domain: Option<DomainId>,
    /// Sorted by records.
    pub rows: Vec<SourceRow>,
    /// What the rows add up to, by column.
    pub totals: Vec<(String, Ratio)>,
    /// The same as the measure of the release.
    pub adds_up: bool,
}

/// The rows behind a measure, by domain. None where the measure has no partner or no period to look for.
pub fn behind(
    release: &Release,
    config: &Config,
    measure: &Measure,
    partner: &PartnerId,
    period: Period,
) -> Result<Vec<MeasureRows>, PipelineError> {
    let output = measure.output();
    let contract = config.contract(&output);
    let has = |column: &str| contract.columns.iter().any(|c| c.name == column);
    if !has("partner_id") || !has("period") {
        return Ok(Vec::new());
    }
    let name = period.to_string();
    let Some(sources) = sources(release, measure, &name)? else {
        return Ok(Vec::new());
    };
    let only = [("partner_id", partner.as_str()), ("period", name.as_str())];
    let trace = trace(&measure.sql, &only, &|table| keys_of(config, table)).map_err(|detail| PipelineError::Stage {
        what: "the rows behind a measure",
        detail: format!("{}: {detail}", measure.file),
    })?;
    let found = Polars {
        in_memory: true,
        ..Polars::default()
    }
    .run(&output, &trace.sql, &sources)?;
    let mut by_domain: BTreeMap<Option<DomainId>, Vec<SourceRow>> = BTreeMap::new();
    for row in found.iter() {
        by_domain
            .entry(domain_of(row)?)
            .or_default()
            .push(source_row(&trace, row)?);
    }
    let measured = measured(&release.read_table(&output)?, &trace, &only)?;
    for domain in measured.keys() {
        by_domain.entry(domain.clone()).or_default();
    }
    let rows = |(domain, mut rows): (Option<DomainId>, Vec<SourceRow>)| {
        rows.sort();
        let totals = totals(&trace, &rows);
        MeasureRows {
            measure: measure.name.clone(),
            file: measure.file.clone(),
            release: release.name().to_owned(),
            period,
            adds_up: measured.get(&domain).unwrap_or(&self::totals(&trace, &[])) == &totals,
            domain,
            rows,
            totals,
        }
    };
    Ok(by_domain.into_iter().map(rows).collect())
}

/// Key columns of a feed, whose rows know their file.
fn keys_of(config: &Config, table: &str) -> Option<Vec<String>> {
    let contract = config.catalogue.get(table)?;
    let known = contract.columns.iter().any(|c| c.role == ColumnRole::Lineage);
    known.then(|| contract.key.iter().map(|i| contract.columns[*i].name.clone()).collect())
}

/// Files of the tables that a measure reads; of those by period only the period's. None where one has nothing of it.
fn sources(release: &Release, measure: &Measure, period: &str) -> Result<Option<Sources>, PipelineError> {
    let mut sources = Sources::new();
    let partition = format!("period={period}");
    for table in &measure.tables {
        let files: Vec<_> = release.files_of(table).collect();
        let of_period = |f: &&&crate::store::manifest::ReleaseFile| f.partition == partition;
        let by_period = files.iter().any(|f| f.partition.starts_with("period="));
        let wanted: Vec<_> = if by_period {
            files.iter().filter(of_period).collect()
        } else {
            files.iter().collect()
        };
        if wanted.is_empty() {
            return Ok(None);
        }
        for file in wanted {
            release.check_file(file)?;
            sources.entry(table.clone()).or_default().push(release.path_of(file));
        }
    }
    Ok(Some(sources))
}

fn domain_of(row: RowRef) -> Result<Option<DomainId>, PipelineError> {
    match row.get("domain") {
        Ok(Value::Text(domain)) => DomainId::new(domain).map(Some).map_err(|e| PipelineError::Stage {
            what: "the rows behind a measure",
            detail: format!("domain '{domain}' {e}"),
        }),
        _ => Ok(None),
    }
}

fn source_row(trace: &Trace, row: RowRef) -> Result<SourceRow, PipelineError> {
    let values = |columns: &mut dyn Iterator<Item = &String>| -> Result<Vec<(String, Value)>, PipelineError> {
        columns.map(|c| Ok((c.clone(), row.get(c)?.clone()))).collect()
    };
    let mut records = Vec::new();
    for traced in &trace.records {
        // a LEFT JOIN that found nothing
        let Some(file) = row.opt_text(&traced.file)? else {
            continue;
        };
        records.push(SourceRecord {
            table: traced.table.clone(),
            key: traced
                .key
                .iter()
                .map(|(column, at)| Ok((column.clone(), row.get(at)?.to_string())))
                .collect::<Result<_, PipelineError>>()?,
            file: file.to_owned(),
            line: row.int(&traced.line)?,
            arrival: row.int(&traced.arrival)?,
        });
    }
    let known = ["partner_id", "domain", "period"];
    Ok(SourceRow {
        records,
        grain: values(&mut trace.groups.iter().filter(|c| !known.contains(&c.as_str())))?,
        values: values(&mut trace.sums.iter().chain(&trace.others))?,
    })
}

fn number(value: &Value) -> Ratio {
    match value {
        Value::Int(i) => Ratio::int(*i),
        Value::Dec(d) => d.ratio(),
        _ => Ratio::zero(),
    }
}

fn totals(trace: &Trace, rows: &[SourceRow]) -> Vec<(String, Ratio)> {
    let total = |column: &String| {
        let values = rows.iter().flat_map(|r| &r.values).filter(|(name, _)| name == column);
        let values: Vec<Ratio> = values.map(|(_, value)| number(value)).collect();
        (column.clone(), Ratio::sum(&values))
    };
    trace.sums.iter().map(total).collect()
}

/// Each column that a measure sums, with the sum.
type Sums = Vec<(String, Ratio)>;

/// The sums of the measure itself, by domain.
fn measured(
    table: &Table,
    trace: &Trace,
    only: &[(&str, &str)],
) -> Result<BTreeMap<Option<DomainId>, Sums>, PipelineError> {
    let mut out: BTreeMap<Option<DomainId>, Sums> = BTreeMap::new();
    for row in table
        .iter()
        .filter(|r| only.iter().all(|(column, value)| r.text(column) == Ok(value)))
    {
        let sums = out
            .entry(domain_of(row)?)
            .or_insert_with(|| trace.sums.iter().map(|c| (c.clone(), Ratio::zero())).collect());
        for (column, sum) in sums {
            *sum = &*sum + &number(row.get(column)?);
        }
    }
    Ok(out)
}

/// The records of key events (or of the deliveries and sales that findings are about) and of the decisions on them, in
/// the order of the events.
pub fn of_events(release: &Release, config: &Config, events: &[&str]) -> Result<Vec<SourceRecord>, PipelineError> {
    let mut out = Vec::new();
    let subjects = [
        ("key_events", "event_id"),
        ("authorisation_findings", "finding_id"),
        ("decisions", "subject"),
    ];
    for (table, column) in subjects {
        let contract = config.contract(table);
        let key: Vec<&str> = contract
            .key
            .iter()
            .map(|i| contract.columns[*i].name.as_str())
            .collect();
        for row in release.read_table(table)?.iter() {
            let Some(place) = row
                .opt_text(column)?
                .and_then(|id| events.iter().position(|e| *e == id))
            else {
                continue;
            };
            let record = SourceRecord {
                table: table.to_owned(),
                key: key
                    .iter()
                    .map(|c| Ok(((*c).to_owned(), row.get(c)?.to_string())))
                    .collect::<Result<_, PipelineError>>()?,
                file: row.text("source_file")?.to_owned(),
                line: row.int("source_line")?,
                arrival: row.int("arrival")?,
            };
            out.push((place, table == "decisions", record));
        }
    }
    out.sort();
    Ok(out.into_iter().map(|(_, _, record)| record).collect())
}
