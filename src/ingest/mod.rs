//! Files as received to typed current rows: strict, complete, explained.
//!
//! Duty: read each file of a source by the contract of its feed, put every record into exactly one state, and decide
//! which version of each key is current. Must not: open files, ask the time, guess, round, repair, know a feed by name.
//!
//! | step | from | to | in |
//! |---|---|---|---|
//! | declare | TOML | `Source`, or every mistake at once | `source`, `source_toml`, `source_forms`, `source_arrival`, `toml_walk` |
//! | unpack, decode | bytes as delivered | UTF-8 | `decode` |
//! | propose | a file that nobody declared | a source for a person to confirm | `detect` |
//! | tell | first bytes | text, or why not | `head` |
//! | split | bytes, frames of another process | records with line and raw text | `window`, `csv`, `plain_lines`, `json_lines`, `frames`, `foreign_rows` |
//! | match | names | columns of the contract | `header` |
//! | type | texts | cells of a batch | `parse` says what is right; `quick` takes what is plainly right; `formats`, `fixed`, `memo` |
//! | check across columns | rows | rows that hold | `across`; what is wrong says `contracts::check` |
//! | sort out | records | batches for a sink, rejects, skipped, notes | `file`, `members`, `intake`, `rejects`, `notes`, `outcome` |
//! | watch | current rows by day | silent, thin or on time | `freshness` |
//! | resolve | all versions of all keys | current, duplicate, quarantined, held | `resolve`, `references`, `states` |
//! | correct | a rejected record | texts by column, for a person | `split`, `plain` |
//!
//! | state of a record | when |
//! |---|---|
//! | current | the earliest delivery of its key, all references known |
//! | superseded | replaced by a later version; none while every source appends |
//! | duplicate | same key and same values as an earlier record |
//! | quarantined | rejected, or its key stands with other values elsewhere |
//! | held | refers to a key that is not known yet |
//! | skipped | no data by a rule that the source declares |

mod across;
mod fault;
mod fixed;
mod foreign_rows;
mod formats;
mod head;
mod header;
mod intake;
mod members;
mod memo;
mod notes;
mod parse;
mod plain_lines;
mod quick;
pub mod references;
mod rejects;
mod source_arrival;
mod source_forms;
mod source_toml;
mod toml_walk;
mod window;

pub mod csv;
pub mod decode;
pub mod detect;
pub mod file;
pub mod frames;
pub mod freshness;
pub mod json_lines;
pub mod keys;
pub mod limits;
pub mod outcome;
pub mod plain;
pub mod resolve;
pub mod source;
pub mod split;
pub mod states;

#[cfg(test)]
mod fixtures;

pub use file::{Input, read_file};
pub use outcome::{FileOrigin, FileOutcome, Reject, Sink, Stopped, Verdict};

pub use source::Source;
pub use states::{FileCounts, conservation};
