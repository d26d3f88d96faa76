//! The tables of an example: what is given, filled up to whole rows, and what follows from it.
//!
//! Duty: typed rows by contract with plain defaults, calendars of the partners, measures run over given feeds. Not its
//! duty: the evaluation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use toml::Value as Toml;

use super::read::Example;
use super::{PipelineError, empty};
use crate::contracts::{Column, ColumnType, Contract, ContractKind, Format};
use crate::domain::ids::RegionId;
use crate::domain::time::parse_date;
use crate::domain::{Dec, Instant, Period, Row, Table, Value};
use crate::edges::files;
use crate::measures::calendar;
use crate::measures::engine::{Engine, Sources};
use crate::measures::polars::Polars;
use crate::pipeline::config::Config;
use crate::rules::Rules;
use crate::store::{StoreError, parquet};

/// The partner and the domain of a row that names none.
pub(super) const PARTNER: &str = "P1";
const DOMAIN: &str = "cloud";

/// Periods before that of an example in which its partners have a region.
const LOOK_BACK: i64 = 3;

/// Folders made by this process, so that two never share one.
static FOLDERS: AtomicU64 = AtomicU64::new(0);

type Tables = BTreeMap<String, Table>;

/// All tables of an example.
pub(super) fn tables(
    config: &Config,
    rules: &Rules,
    region: &RegionId,
    example: &Example,
) -> Result<Tables, PipelineError> {
    let mut tables = Tables::new();
    for (name, rows) in &example.given {
        let table = match config.catalogue.get(name) {
            Some(contract) => contracted(contract, rows, example)?,
            None => free(name, rows, example),
        };
        tables.insert(name.clone(), table);
    }
    // there are no rules before the programme's first period
    let first = Period::parse(&rules.programme().first_period).ok();
    let periods = (0..=LOOK_BACK).rev().map(|back| example.period.plus(-back));
    let periods: Vec<Period> = periods.filter(|period| Some(*period) >= first).collect();
    let read_by_measures = |name: &String| {
        let feed = config
            .catalogue
            .get(name)
            .is_some_and(|c| c.kind != ContractKind::Output);
        feed && config.measures.iter().any(|m| m.tables.contains(name))
    };
    let runs = tables.keys().any(read_by_measures);
    partners(config, region, &mut tables)?;
    if runs {
        references(config, &mut tables)?;
    }
    if !tables.contains_key("calendar_partner_periods") {
        let table = calendar::partner_periods(&tables["partners"], &periods, rules)?;
        tables.insert("calendar_partner_periods".to_owned(), table);
    }
    if runs {
        for table in [
            calendar::due_dates(&or_empty(config, &tables, "holidays"), &periods, rules)?,
            calendar::product_spans(&tables["products"])?,
            calendar::product_instants(&tables["products"], &periods, rules)?,
        ] {
            tables.insert(table.name().to_owned(), table);
        }
        measures(config, &mut tables)?;
    }
    Ok(tables)
}

fn or_empty(config: &Config, tables: &Tables, name: &str) -> Table {
    tables.get(name).cloned().unwrap_or_else(|| empty(config, name))
}

/// A version of every partner that is named, valid always, in the region of the example.
fn partners(config: &Config, region: &RegionId, tables: &mut Tables) -> Result<(), PipelineError> {
    if tables.contains_key("partners") {
        return Ok(());
    }
    let mut ids: BTreeSet<String> = BTreeSet::from([PARTNER.to_owned()]);
    ids.extend(tables.values().flat_map(|table| named(table, "partner_id")));
    let row = |id: &String| {
        let mut row = BTreeMap::from([("partner_id".to_owned(), Toml::String(id.clone()))]);
        row.insert("region".to_owned(), Toml::String(region.to_string()));
        row
    };
    let rows: Vec<BTreeMap<String, Toml>> = ids.iter().map(row).collect();
    let table = whole_rows(config.contract("partners"), &rows)?;
    tables.insert("partners".to_owned(), table);
    Ok(())
}

/// Products that are named and not given: of the domain of a row that names none, valid always.
fn references(config: &Config, tables: &mut Tables) -> Result<(), PipelineError> {
    if tables.contains_key("products") {
        return Ok(());
    }
    let ids: BTreeSet<String> = tables.values().flat_map(|table| named(table, "product_id")).collect();
    let rows: Vec<BTreeMap<String, Toml>> = ids
        .into_iter()
        .map(|id| BTreeMap::from([("product_id".to_owned(), Toml::String(id))]))
        .collect();
    let table = whole_rows(config.contract("products"), &rows)?;
    tables.insert("products".to_owned(), table);
    Ok(())
}

fn named(table: &Table, column: &str) -> Vec<String> {
    let Some(at) = table.column(column) else {
        return Vec::new();
    };
    table
        .rows
        .iter()
        .filter(|row| !row[at].is_null())
        .map(|row| row[at].to_string())
        .collect()
}

/// Runs every measure that is not given itself.
fn measures(config: &Config, tables: &mut Tables) -> Result<(), PipelineError> {
    let folder = std::env::temp_dir().join(format!(
        "starledger-example-{}-{}",
        std::process::id(),
        FOLDERS.fetch_add(1, Ordering::Relaxed)
    ));
    files::create_scratch_dir_all(&folder).map_err(StoreError::from)?;
    let ran = run_measures(config, tables, &folder);
    files::remove_tree_if_there(&folder).map_err(StoreError::from)?;
    tables.extend(ran?);
    Ok(())
}

fn run_measures(config: &Config, tables: &Tables, folder: &Path) -> Result<Tables, PipelineError> {
    let mut written: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut out = Tables::new();
    for measure in config.measures.iter().filter(|m| !tables.contains_key(&m.output())) {
        let mut sources = Sources::new();
        for name in &measure.tables {
            if !written.contains_key(name) {
                let contract = config.contract(name);
                let path = folder.join(format!("{name}.parquet"));
                let table = or_empty(config, tables, name);
                let table = crate::contracts::conform(contract, table).map_err(PipelineError::Data)?;
                let rows: Vec<&Row> = table.rows.iter().collect();
                let bytes = parquet::write(Vec::new(), &path, contract, &rows, "")?;
                files::write_new(&path, &bytes).map_err(StoreError::from)?;
                written.insert(name.clone(), path);
            }
            sources.insert(name.clone(), vec![written[name].clone()]);
        }
        let table = Polars::default().run(&measure.output(), &measure.sql, &sources)?;
        let table =
            crate::contracts::conform(config.contract(&measure.output()), table).map_err(PipelineError::Data)?;
        out.insert(measure.output(), table);
    }
    Ok(out)
}

/// Rows by contract.
fn contracted(contract: &Contract, rows: &[Vec<(String, Toml)>], example: &Example) -> Result<Table, PipelineError> {
    let mut whole = Vec::new();
    for row in rows {
        let mut row: BTreeMap<String, Toml> = row.iter().cloned().collect();
        let unknown = row
            .keys()
            .find(|name| !contract.columns.iter().any(|c| c.name == **name));
        if let Some(name) = unknown {
            return Err(PipelineError::Usage(format!(
                "{} has no column '{name}'",
                contract.name
            )));
        }
        if contract.columns.iter().any(|c| c.name == "period") {
            row.entry("period".to_owned())
                .or_insert_with(|| Toml::String(example.period.to_string()));
        }
        whole.push(row);
    }
    whole_rows(contract, &whole)
}

fn whole_rows(contract: &Contract, rows: &[BTreeMap<String, Toml>]) -> Result<Table, PipelineError> {
    let columns = contract.columns.iter().map(|c| c.name.clone()).collect();
    let mut table = Table::with_columns(&contract.name, columns);
    for (i, row) in rows.iter().enumerate() {
        let value = |column: &Column| match row.get(&column.name) {
            Some(given) => typed(&contract.name, column, given),
            None => Ok(plain(contract, column, i)),
        };
        table.push(contract.columns.iter().map(value).collect::<Result<_, _>>()?);
    }
    Ok(table)
}

/// A value as written; `"none"` is null.
fn typed(table: &str, column: &Column, given: &Toml) -> Result<Value, PipelineError> {
    let text = match given {
        Toml::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text == "none" {
        return Ok(Value::Null);
    }
    let value = match column.kind {
        ColumnType::Text => Some(Value::text(&text)),
        ColumnType::Int => text.parse().ok().map(Value::Int),
        ColumnType::Decimal { .. } => Dec::parse(&text).ok().map(Value::Dec),
        ColumnType::Bool => text.parse().ok().map(Value::Bool),
        ColumnType::Date => parse_date(&text).map(Value::Date),
        ColumnType::Instant => Instant::parse(&text).ok().map(Value::Instant),
    };
    value.ok_or_else(|| PipelineError::Usage(format!("{table}.{}: '{text}' does not fit the column", column.name)))
}

/// What stands in a column that an example says nothing of: nothing where that is allowed, else the plainest value.
fn plain(contract: &Contract, column: &Column, row: usize) -> Value {
    let day = || parse_date("2000-01-01").map_or(Value::Null, Value::Date);
    match column.name.as_str() {
        "partner_id" => return Value::text(PARTNER),
        "domain" if column.required => return Value::text(DOMAIN),
        "service_model" => return Value::text("collaborative"),
        "source_line" | "arrival" => return Value::Int(1),
        _ => {}
    }
    if !column.required {
        return Value::Null;
    }
    let is_key = contract.key.iter().any(|k| contract.columns[*k].name == column.name);
    match column.kind {
        ColumnType::Text if column.allowed.is_empty() => match column.format {
            Some(Format::Currency) => Value::text("EUR"),
            Some(Format::Country) => Value::text("DE"),
            Some(Format::Zone) => Value::text("UTC"),
            Some(Format::Language) => Value::text("en"),
            _ if is_key => Value::text(format!("K{row}")),
            _ if column.name == "month" => Value::text("2000-01"),
            _ => Value::text("X"),
        },
        ColumnType::Text => Value::text(&column.allowed[0]),
        ColumnType::Int => Value::Int(
            column
                .minimum
                .map_or(0, |m| i64::try_from(m.units()).unwrap_or(0))
                .max(0),
        ),
        ColumnType::Decimal { .. } => Value::Dec(column.minimum.filter(|m| *m > Dec::ZERO).unwrap_or(Dec::ZERO)),
        ColumnType::Bool => Value::Bool(false),
        ColumnType::Date => day(),
        ColumnType::Instant => Instant::parse("2000-01-01T00:00:00Z").map_or(Value::Null, Value::Instant),
    }
}

/// Rows of a measure without a statement: the columns of the first row, types as written.
fn free(name: &str, rows: &[Vec<(String, Toml)>], example: &Example) -> Table {
    let mut columns: Vec<String> = ["partner_id", "domain", "period"].map(str::to_owned).into();
    for (column, _) in rows.iter().flatten() {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    let mut table = Table::with_columns(name, columns.clone());
    for row in rows {
        let value = |column: &String| match row.iter().find(|(name, _)| name == column).map(|(_, v)| v) {
            Some(given) => free_value(given),
            None => match column.as_str() {
                "partner_id" => Value::text(PARTNER),
                "domain" => Value::text(DOMAIN),
                "period" => Value::text(example.period.to_string()),
                _ => Value::Null,
            },
        };
        table.push(columns.iter().map(value).collect());
    }
    table
}

fn free_value(given: &Toml) -> Value {
    match given {
        Toml::Integer(number) => Value::Int(*number),
        Toml::Boolean(flag) => Value::Bool(*flag),
        Toml::String(text) if text == "none" => Value::Null,
        Toml::String(text) => match (Dec::parse(text), parse_date(text)) {
            (Ok(number), _) => Value::Dec(number),
            (_, Some(day)) => Value::Date(day),
            _ => Value::text(text),
        },
        other => Value::text(other.to_string()),
    }
}
