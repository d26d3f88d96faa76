//! What a foreign file may cost, with the reasons.
//!
//! Duty: the numbers, in one place. Not its duty: enforcing them (the readers and the edge that starts them do).

/// Memory that reading one file may take: what a workbook within the budgets below needs, with room.
pub const MEMORY_BYTES: u64 = 768 << 20;

/// Processor time that reading one file may take: ten times what a workbook within the budgets needs.
pub const CPU_SECONDS: u64 = 300;

/// Sum of the sizes that an archive states of its parts: a sheet of a million rows and twenty columns has half of it.
pub const MAX_UNPACKED_BYTES: u64 = 1 << 30;

/// Most that an archive may grow by when unpacked, as a factor: repetitive sheets reach forty.
pub const MAX_GROWTH: u64 = 200;

/// Growth means nothing below this size.
pub const MIN_GROWN_BYTES: u64 = 64 << 20;

/// Entries of an archive: a workbook of a hundred sheets with pictures has five hundred.
pub const MAX_ENTRIES: usize = 4096;

/// A packed file is unpacked into memory, so that it can be read from its end.
pub const MAX_PACKED_FILE_BYTES: u64 = 256 << 20;

/// Texts that the sheets share, all together; they are held in memory.
pub const MAX_STRING_BYTES: usize = 256 << 20;

/// Number of shared texts: each costs four bytes beside its text.
pub const MAX_STRINGS: usize = 16 << 20;

/// Elements within one another: a sheet needs ten.
pub const MAX_DEPTH: usize = 64;

/// Sheets of a workbook, formats of its numbers: Excel allows 64,000 formats.
pub const MAX_SHEETS: usize = 1024;
pub const MAX_FORMATS: usize = 1 << 16;

/// Cells that one sheet may hold: a million rows of sixteen columns.
pub const MAX_CELLS: u64 = 16 << 20;

/// Rows of a sheet, as in Excel.
pub const MAX_ROWS: u64 = 1 << 20;

/// Columns of a sheet, as in Excel.
pub const MAX_SHEET_COLUMNS: usize = 1 << 14;

/// Blank rows between two rows of a table: more of them, and the lower row is a stray cell rather than a record.
pub const MAX_GAP_ROWS: u64 = 10_000;

/// Columns of a Parquet file beside those of `MAX_COLUMNS`: leaves of nested ones.
pub const MAX_LEAVES: usize = 4096;

/// Rows of a Parquet file decoded at a time.
pub const BATCH_ROWS: usize = 1024;
