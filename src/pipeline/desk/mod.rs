//! The quarantine desk: rejected records on the way to a person and back.
//!
//! Duty: what is open, what it looked like, a sheet to correct it in, and the corrected records as a delivery with one
//! decision each. Must not: change a release or landing; a run reads what the desk wrote like any other delivery.
//!
//! | step | from | to | in |
//! |---|---|---|---|
//! | list, show | `quarantine`, `held`, `files`, `decisions` of the release | records with their findings | `records` |
//! | split | raw texts under private, the header of the original | texts by column | `texts` |
//! | lay out | records, texts | one sheet a feed | `sheet` |
//! | write, read | sheets | workbook, or CSV that no spreadsheet takes for formulas | `workbook`, `guarded` |
//! | choose, try | sheets that came back | corrected records, or what is still wrong with each cell | `returned`, `pending`, `replay`, `trial` |
//! | deliver | corrected records | `corrections/<feed>-<hash>.csv`, `corrections/decisions-<hash>.csv` | `delivery` |
//! | settle | decisions, the register of a run | `resolved_by` | `settle` |

pub(in crate::pipeline) mod delivery;
pub mod export;
pub mod guarded;
pub mod pending;
pub mod records;
pub mod replay;
mod returned;
pub mod settle;
pub mod sheet;
pub mod texts;
pub(in crate::pipeline) mod trial;
pub mod workbook;

/// Folder of the workspace in which corrections wait for the next run: `pipelines/sources/corrections.toml` takes them.
pub const FOLDER: &str = "corrections";

/// The feed of decisions.
pub const DECISIONS: &str = "decisions";

/// Kind and outcome of the decisions that the desk writes.
pub const KIND: &str = "correct";
pub const OUTCOME: &str = "corrected";

/// Most records of one sheet: what a person may still look through, and a tenth of what a sheet can hold.
pub const MAX_SHEET_RECORDS: usize = 100_000;

/// Longest text of a cell, in UTF-16 units: a workbook takes 32 767, a note a little less.
pub const MAX_CELL_UNITS: usize = 32_000;

/// Largest file that is read back, packed, in bytes: a full sheet of rejected records is far below it.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Largest content of a workbook, unpacked, in bytes.
pub const MAX_UNPACKED_BYTES: u64 = 512 << 20;

/// Most columns of a sheet that is read back: those of the widest contract, and as many again.
pub const MAX_SHEET_COLUMNS: u32 = 1_100;
