//! The values every room speaks in: ids, exact numbers, money, periods, scores, findings, typed rows.
//!
//! Duty: a value that exists here is valid; constructors validate and normalise, fields are private where that
//! matters. Not its duty: files, clocks, rules, polars, floats. Nothing here knows a column name of a feed.

pub mod batch;
pub mod calendar;
pub mod currency;
pub mod decimal;
pub mod exchange;
pub mod finding;
pub mod hash;
pub mod ids;
pub mod money;
pub mod period;
pub mod rate;
pub mod ratio;
mod rational;
pub mod score;
pub mod table;
pub mod time;

pub use batch::{Batch, Cell, CellKind, RowHash};
pub use calendar::FiscalCalendar;
pub use currency::Currency;
pub use decimal::Dec;
pub use exchange::{ExchangeRates, FxWays};
pub use finding::{Finding, Findings, Place, Severity};
pub use hash::Digest;
pub use money::Money;
pub use period::{Period, PeriodKind};
pub use rate::Rate;
pub use ratio::{Ratio, Rounding};
pub use score::{Grade, Score};
pub use table::{Row, RowRef, SharedTexts, Table, TableError, Value};
pub use time::{Date, Instant, Zone};
