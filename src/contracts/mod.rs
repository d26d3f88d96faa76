//! Data contracts: what a feed or an output table is, said once, in files that people and other tools read too.
//!
//! Duty: read `schemas/<table>.odcs.yaml` (Open Data Contract Standard v3.1), hold the contracts against one another,
//! check values, rows and whole tables by them. Everything the program knows about a column it knows from here.
//!
//! | step | from | to | in |
//! |---|---|---|---|
//! | parse | text | nodes with their lines | `yaml` |
//! | read | nodes | a `Contract`, or every mistake at once | `read`, `column`, `rules`, `shape`, `expression` |
//! | catalogue | all contracts | order of feeds, references that exist | `catalogue` |
//! | check | a value, a row | what is wrong with it | `check`, `formats` |
//! | conform | a table | the same table in contract form, or every mistake | `conform` |
//!
//! Must not: open files, know a feed or a column by its name, parse delivered text, decide what becomes of a row.

mod column;
mod expression;
mod fields;
mod formats;
mod keys;
mod rules;
mod shape;
mod yaml;

pub mod catalogue;
pub mod check;
pub mod conform;
pub mod model;
pub mod read;

pub use catalogue::Catalogue;
pub use check::Violation;
pub use conform::conform;
pub use model::*;
pub use read::read;

#[cfg(test)]
mod samples;
