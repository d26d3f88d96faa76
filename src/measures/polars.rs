//! The default engine: Polars SQL over Parquet on this machine, streaming.
//!
//! Duty: register the files, run the statement, hand the small result over as typed rows. `polars` ends at this door.

use polars::prelude::{
    AnyValue, Column, DataFrame, HiveOptions, IntoLazy, LazyFrame, PlRefPath, PlSmallStr, PolarsResult,
    ScanArgsParquet, SortMultipleOptions, col, lit,
};
use polars::sql::SQLContext;

use super::engine::{Engine, EngineError, Slice, Sources};
use crate::domain::{Dec, Instant, SharedTexts, Table, Value};

/// Polars on this machine.
#[derive(Clone, Debug, Default)]
pub struct Polars {
    /// Small tables in memory that a statement may name too; every column is text.
    pub texts: Vec<Table>,
    /// In memory rather than streaming: for questions to small tables, where the streaming engine knows fewer forms.
    pub in_memory: bool,
    /// Only this part of the result.
    pub slice: Option<Slice>,
}

impl Engine for Polars {
    fn run(&self, what: &str, sql: &str, sources: &Sources) -> Result<Table, EngineError> {
        let error = |detail: String| EngineError {
            engine: "polars",
            what: what.to_owned(),
            detail,
        };
        let mut context = SQLContext::new();
        for (table, paths) in sources {
            if paths.is_empty() {
                continue;
            }
            // the partition column stands in the files: neither names nor folders are to be interpreted
            let args = ScanArgsParquet {
                glob: false,
                hive_options: HiveOptions::new_disabled(),
                ..ScanArgsParquet::default()
            };
            let files = paths.iter().map(|p| PlRefPath::new(p.to_string_lossy())).collect();
            let frame = LazyFrame::scan_parquet_files(files, args).map_err(|e| error(e.to_string()))?;
            context.register(table, frame);
        }
        for table in &self.texts {
            context.register(
                table.name(),
                text_frame(table).map_err(|e| error(e.to_string()))?.lazy(),
            );
        }
        // the engine panics on some overflows; a statement must not take the program down
        let mut run = || {
            let lazy = context.execute(sql)?;
            // `collect` takes the engine in memory whatever was asked for before
            let engine = if self.in_memory {
                polars::prelude::Engine::InMemory
            } else {
                polars::prelude::Engine::Streaming
            };
            let frame = self.sliced(lazy).collect_with_engine(engine)?.unwrap_single();
            if self.slice.is_some() {
                sorted(&frame)
            } else {
                Ok(frame)
            }
        };
        let frame = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&mut run))
            .map_err(|_| error("the engine panicked; a sum may have overflowed".to_owned()))?
            .map_err(|e| error(e.to_string()))?;
        to_table(what, &frame, self.in_memory).map_err(error)
    }
}

impl Polars {
    fn sliced(&self, lazy: LazyFrame) -> LazyFrame {
        let Some(Slice { column, from, until }) = &self.slice else {
            return lazy;
        };
        let lazy = match from {
            Some(from) => lazy.filter(col(*column).gt_eq(lit(from.as_str()))),
            None => lazy,
        };
        match until {
            Some(until) => lazy.filter(col(*column).lt(lit(until.as_str()))),
            None => lazy,
        }
    }
}

/// Rows by the columns before the first amount, as tables have them: equal texts stand together and take room once.
fn sorted(frame: &DataFrame) -> PolarsResult<DataFrame> {
    let is_amount = |c: &&Column| c.dtype().is_decimal();
    let keys = frame.columns().iter().take_while(|c| !is_amount(c));
    let keys: Vec<PlSmallStr> = keys.map(|c| c.name().clone()).collect();
    frame.sort(keys, SortMultipleOptions::default())
}

fn text_frame(table: &Table) -> PolarsResult<DataFrame> {
    let columns = table.columns().iter().enumerate().map(|(i, name)| {
        let values: Vec<Option<String>> = table
            .rows
            .iter()
            .map(|row| (!row[i].is_null()).then(|| row[i].to_string()))
            .collect();
        Column::new(name.as_str().into(), values)
    });
    DataFrame::new(table.rows.len(), columns.collect())
}

/// Rows that are turned from columns at a time: both forms of them are in memory.
const SLICE_ROWS: usize = 1 << 16;

fn to_table(name: &str, frame: &DataFrame, any_type: bool) -> Result<Table, String> {
    let names: Vec<String> = frame.schema().iter_names().map(ToString::to_string).collect();
    let mut shared: Vec<SharedTexts> = names.iter().map(|_| SharedTexts::default()).collect();
    let mut table = Table::with_columns(name, names);
    table.rows.reserve_exact(frame.height());
    for from in (0..frame.height()).step_by(SLICE_ROWS) {
        let slice = frame.slice(i64::try_from(from).map_err(|e| e.to_string())?, SLICE_ROWS);
        let columns: Result<Vec<Vec<Value>>, String> = slice
            .columns()
            .iter()
            .zip(&mut shared)
            .map(|(c, shared)| values(c, shared, any_type).map_err(|e| format!("column {}: {e}", c.name())))
            .collect();
        let mut columns: Vec<_> = columns?.into_iter().map(Vec::into_iter).collect();
        for _ in 0..slice.height() {
            table.push(columns.iter_mut().map(|c| c.next().unwrap_or(Value::Null)).collect());
        }
    }
    Ok(table)
}

fn values(column: &Column, shared: &mut SharedTexts, any_type: bool) -> Result<Vec<Value>, String> {
    if let Ok(texts) = column.str() {
        let value = |text: Option<&str>| text.map_or(Value::Null, |t| shared.value(t));
        return Ok(texts.iter().map(value).collect());
    }
    let series = column.as_materialized_series().rechunk();
    series.iter().map(|any| value(&any, any_type)).collect()
}

/// A typed value. What a measure may not return (floats, lists) is an error, or its text where `any_type` is asked for.
fn value(any: &AnyValue, any_type: bool) -> Result<Value, String> {
    Ok(match any {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(v) => Value::Bool(*v),
        AnyValue::Int64(v) => Value::Int(*v),
        AnyValue::Int32(v) => Value::Int(i64::from(*v)),
        AnyValue::UInt32(v) => Value::Int(i64::from(*v)),
        AnyValue::UInt64(v) => Value::Int(i64::try_from(*v).map_err(|e| e.to_string())?),
        AnyValue::Int128(v) => Value::Int(i64::try_from(*v).map_err(|e| e.to_string())?),
        AnyValue::String(v) => Value::text(v),
        AnyValue::StringOwned(v) => Value::text(v.as_str()),
        AnyValue::Date(days) => {
            Value::Date(chrono::NaiveDate::from_epoch_days(*days).ok_or_else(|| format!("day {days} is no date"))?)
        }
        AnyValue::Datetime(micros, polars::prelude::TimeUnit::Microseconds, _) => {
            Value::Instant(Instant::from_micros(*micros))
        }
        AnyValue::Decimal(units, _, scale) => {
            Value::Dec(Dec::new(*units, u8::try_from(*scale).map_err(|e| e.to_string())?))
        }
        other if any_type => Value::text(other.to_string()),
        other => return Err(format!("type {} is none that a result may have", other.dtype())),
    })
}
