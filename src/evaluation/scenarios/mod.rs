//! Tests of the whole room: rows in, rows out. Every figure was worked out by hand; the arithmetic stands beside it.

mod events;
mod metrics;
mod properties;
mod regressions;
mod scores;
mod what_if;
mod whole;
