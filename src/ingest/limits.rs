//! Every limit of reading untrusted files, with its reason.
//!
//! Duty: the numbers, in one place. Not its duty: enforcing them (the readers do).

/// Longest field in bytes: a comment or a piece of evidence of 1 MiB is no longer data of this kind. It also bounds
/// what an unclosed quote may hold before it is called unclosed.
pub const MAX_FIELD_BYTES: usize = 1 << 20;

/// Longest record in bytes: the most that the readers hold of a file at a time.
pub const MAX_RECORD_BYTES: usize = 4 << 20;

/// Longest raw text kept of a rejected record: enough to correct it; the whole of it is in landing.
pub const MAX_RAW_BYTES: usize = 64 << 10;

/// Raw text kept of all rejected records of a file together. What is rejected beyond it is known by its first mistake
/// and [`SHORT_RAW_BYTES`].
pub const REJECTS_BYTES: usize = 64 << 20;

/// Raw text kept of a record rejected beyond [`REJECTS_BYTES`].
pub const SHORT_RAW_BYTES: usize = 1 << 10;

/// Most rejected records of a file that is read on: nobody corrects more by hand.
pub const MAX_REJECTED: i64 = 1_000_000;

/// Rows handed on at a time: enough that a batch costs nothing beside its rows, few enough to stay near the processor.
pub const BATCH_ROWS: usize = 16_384;

/// Bytes of records after which a batch is handed on whatever its rows: fields may be long.
pub const BATCH_BYTES: usize = 8 << 20;

/// Texts of a column that are remembered as right, so that patterns and lists are not gone through again.
pub const MEMO_TEXTS: usize = 512;

/// Longest text that is remembered as right.
pub const MEMO_TEXT_BYTES: usize = 64;

/// Bytes of a name that is not in the contract, as it is counted.
pub const NAME_BYTES: usize = 256;

/// Values outside an allowed list that a note shows.
pub const SHOWN_VALUES: usize = 5;

/// Most columns of a file: ten times the widest feed, and few enough that a header can be shown to a person.
pub const MAX_COLUMNS: usize = 512;

/// Bytes of the beginning of a file by which its kind is told: longer than every signature, short enough for one read.
pub const HEAD_BYTES: usize = 1024;

/// Bytes asked of the input at a time.
pub const CHUNK_BYTES: usize = 128 << 10;

/// A share of rejects says nothing about a file with fewer records than this: one bad row of three is no broken file,
/// so such a file may have [`SMALL_FILE_REJECTS`] rejected record whatever its share.
pub const SMALL_FILE_RECORDS: i64 = 20;

/// Rejected records that a file below [`SMALL_FILE_RECORDS`] may have.
pub const SMALL_FILE_REJECTS: i64 = 1;

/// Characters of a value that a message shows: enough to find it, too few to flood a report.
pub const SHOWN_CHARS: usize = 40;

/// Rejects of a file set aside that its notes show: the first ones tell what is wrong with all of them.
pub const SHOWN_REJECTS: usize = 10;

/// First and last year of a plausible date: before the oldest contract and far after the last due date. Year 1, 1899,
/// 1970 and 2999 are what broken software writes instead of a blank.
pub const PLAUSIBLE_YEARS: (i32, i32) = (1990, 2100);

/// Last year of which it is known when clocks change: the tables of zones end with it, and a local time behind it would
/// be read as if summer never came.
pub const LAST_ZONED_YEAR: i32 = 2099;
