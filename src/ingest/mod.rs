//! Files as received to typed current rows: strict, complete, explained.
//!
//! Duty: read each file of a source by the contract of its feed, put every record into exactly one state, and decide
//! which version of each key is current. Must not: open files, ask the time, guess, round, repair, know a feed by name.
//!
//! | step | from | to | in |
//! |---|---|---|---|
//! | declare | TOML | `Source`, or every mistake at once | `source`, `source_toml`, `source_forms`, `toml_walk` |
//! | tell | first bytes | text, or why not | `head` |
//! | split | bytes | records with line and raw text | `window`, `csv`, `json_lines` |
//! | match | names | columns of the contract | `header` |
//! | type | texts | values | `parse`, `formats` |
//! | sort out | records | rows, rejects, skipped | `file`, `intake`, `outcome` |
//! | resolve | all versions of all keys | current, duplicate, quarantined, held | `resolve`, `references`, `states` |
//!
//! | state of a record | when |
//! |---|---|
//! | current | the earliest delivery of its key, all references known |
//! | superseded | replaced by a later version; none while every source appends |
//! | duplicate | same key and same values as an earlier record |
//! | quarantined | rejected, or its key stands with other values elsewhere |
//! | held | refers to a key that is not known yet |
//! | skipped | no data by a rule that the source declares |

mod fault;
mod formats;
mod head;
mod header;
mod intake;
mod parse;
mod references;
mod source_forms;
mod source_toml;
mod toml_walk;
mod window;

pub mod csv;
pub mod decode;
pub mod file;
pub mod json_lines;
pub mod limits;
pub mod outcome;
pub mod resolve;
pub mod source;
pub mod states;

#[cfg(test)]
mod fixtures;

pub use file::read_file;
pub use outcome::{FileOrigin, FileOutcome, Reject, Skipped, TypedRow, Verdict};
pub use resolve::{Resolution, StoredRow, resolve};
pub use source::Source;
pub use states::{FileCounts, conservation};
