//! What happens to files before they arrive.
//!
//! Duty: one damage each, and which rows it touches: those that a reader must hold or name, and those of which no reader
//! can know what was meant. Where the damage is a valid edit, what is meant is edited with it. Not its duty: judging.

use super::dialect::{CHARSETS, Form};
use super::random::Random;
use super::table::Kind;
use super::write::{Draft, Touch};
use super::{bytes, cells, lines};

/// When a damage is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The file is written otherwise than declared.
    Declared,
    Cells,
    Lines,
    Bytes,
    Archive,
}

/// Does the damage; `false` where the file has nothing that it could be done to.
type Damage = fn(&mut Draft<'_>, &mut Random) -> bool;

pub const KINDS: &[(&str, Stage, Damage)] = &[
    ("another encoding", Stage::Declared, another_encoding),
    ("another delimiter", Stage::Declared, another_delimiter),
    ("preamble missing", Stage::Declared, preamble_missing),
    ("preamble undeclared", Stage::Declared, preamble_undeclared),
    ("day and month ambiguous", Stage::Declared, day_and_month_ambiguous),
    ("marks swapped", Stage::Cells, cells::marks_swapped),
    ("thousands separator", Stage::Cells, cells::thousands_separator),
    ("sign or exponent", Stage::Cells, cells::sign_or_exponent),
    ("too many decimals", Stage::Cells, cells::too_many_decimals),
    ("zeros behind the last decimal", Stage::Cells, cells::zeros_behind),
    ("date in another format", Stage::Cells, cells::date_in_another_format),
    ("impossible date", Stage::Cells, cells::impossible_date),
    ("implausible date", Stage::Cells, cells::implausible_date),
    ("impossible time", Stage::Cells, cells::impossible_time),
    ("time of no clock", Stage::Cells, cells::time_of_no_clock),
    ("time shown twice", Stage::Cells, cells::time_shown_twice),
    ("time beyond the zones", Stage::Cells, cells::time_beyond_zones),
    ("full-width digits", Stage::Cells, cells::full_width_digits),
    ("blank within a number", Stage::Cells, cells::blank_within_number),
    ("blanks around a value", Stage::Cells, cells::blanks_around),
    ("undeclared null", Stage::Cells, cells::undeclared_null),
    ("null in other case", Stage::Cells, cells::null_in_other_case),
    ("out of range", Stage::Cells, cells::out_of_range),
    ("blank value", Stage::Cells, cells::blank_value),
    ("shifted columns", Stage::Cells, cells::shifted_columns),
    ("two values swapped", Stage::Cells, cells::two_values_swapped),
    ("unknown code", Stage::Cells, cells::unknown_code),
    ("other truth", Stage::Cells, cells::other_truth),
    ("minor units", Stage::Cells, cells::minor_units),
    ("invisible character", Stage::Cells, cells::invisible_character),
    ("look-alike letter", Stage::Cells, cells::look_alike_letter),
    ("look-alike minus", Stage::Cells, cells::look_alike_minus),
    ("leading zeros", Stage::Cells, cells::leading_zeros),
    ("very long text", Stage::Cells, cells::very_long_text),
    ("column missing", Stage::Cells, cells::column_missing),
    ("column more", Stage::Cells, cells::column_more),
    ("extra delimiter", Stage::Lines, lines::extra_delimiter),
    ("missing delimiter", Stage::Lines, lines::missing_delimiter),
    ("stray quote", Stage::Lines, lines::stray_quote),
    ("missing quote", Stage::Lines, lines::missing_quote),
    ("opening quote", Stage::Lines, lines::opening_quote),
    (
        "other delimiter in a row",
        Stage::Lines,
        lines::other_delimiter_in_a_row,
    ),
    ("repeated header", Stage::Lines, lines::repeated_header),
    ("totals", Stage::Lines, lines::totals),
    ("footer", Stage::Lines, lines::footer),
    ("bare delimiters", Stage::Lines, lines::bare_delimiters),
    ("blank lines", Stage::Lines, lines::blank_lines),
    ("line of blanks", Stage::Lines, lines::line_of_blanks),
    ("another table behind", Stage::Lines, lines::another_table),
    ("the table twice", Stage::Lines, lines::table_twice),
    ("line duplicated", Stage::Lines, lines::line_duplicated),
    ("line removed", Stage::Lines, lines::line_removed),
    ("lines joined", Stage::Lines, lines::lines_joined),
    ("line split", Stage::Lines, lines::line_split),
    ("lines swapped", Stage::Lines, lines::lines_swapped),
    (
        "trailing delimiter everywhere",
        Stage::Lines,
        lines::trailing_delimiter_everywhere,
    ),
    (
        "trailing delimiter in rows",
        Stage::Lines,
        lines::trailing_delimiter_in_rows,
    ),
    ("trailing blanks", Stage::Lines, lines::trailing_blanks),
    ("mixed line ends", Stage::Lines, lines::mixed_line_ends),
    ("other line ends", Stage::Lines, lines::other_line_ends),
    ("control character", Stage::Lines, lines::control_character),
    ("NUL", Stage::Lines, lines::nul),
    ("NUL as an escape", Stage::Cells, cells::nul_as_escape),
    ("member twice", Stage::Lines, lines::member_twice),
    ("no plain object", Stage::Lines, lines::no_plain_object),
    ("byte-order mark within", Stage::Lines, lines::mark_within),
    ("header name twice", Stage::Lines, lines::header_name_twice),
    ("header name missing", Stage::Lines, lines::header_name_missing),
    ("header renamed", Stage::Lines, lines::header_renamed),
    ("header names swapped", Stage::Lines, lines::header_names_swapped),
    ("header in other case", Stage::Lines, lines::header_in_other_case),
    ("header missing", Stage::Lines, lines::header_missing),
    ("no rows", Stage::Lines, lines::no_rows),
    ("another kind of file", Stage::Bytes, bytes::another_kind),
    ("truncated", Stage::Bytes, bytes::truncated),
    ("bit flipped", Stage::Bytes, bytes::bit_flipped),
    ("byte replaced", Stage::Bytes, bytes::byte_replaced),
    ("byte inserted", Stage::Bytes, bytes::byte_inserted),
    ("byte removed", Stage::Bytes, bytes::byte_removed),
    ("bytes exchanged", Stage::Bytes, bytes::bytes_exchanged),
    ("bytes of no character", Stage::Bytes, bytes::bytes_of_no_character),
    ("block of zeros", Stage::Bytes, bytes::block_of_zeros),
    ("archive truncated", Stage::Archive, bytes::archive_truncated),
    ("archive bit flipped", Stage::Archive, bytes::archive_bit_flipped),
    ("archive with a tail", Stage::Archive, bytes::archive_with_tail),
    ("archive in an archive", Stage::Archive, bytes::archive_in_archive),
    ("archive of two files", Stage::Archive, bytes::archive_of_two),
    ("not packed", Stage::Archive, bytes::not_packed),
];

fn another_encoding(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let other = random.pick(&CHARSETS).0;
    if other == draft.written.charset || draft.written.has_mark || draft.written.form == Form::Xlsx {
        return false;
    }
    // what the file says is what was meant, under its own encoding
    draft.declared.charset = other;
    draft.touch_all(Touch::Other);
    draft.texts_only = true;
    true
}

fn another_delimiter(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let other = *random.pick(&[',', ';', '\t', '|']);
    if draft.written.form != Form::Csv || other == draft.written.delimiter || draft.written.quote.is_none() {
        return false;
    }
    draft.written.delimiter = other;
    draft.touch_all(Touch::Held);
    true
}

fn preamble_missing(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if draft.written.form != Form::Csv {
        return false;
    }
    draft.declared.preamble = draft.written.preamble + 1 + random.below(2);
    draft.touch_all(Touch::Held);
    true
}

fn preamble_undeclared(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if draft.written.form != Form::Csv {
        return false;
    }
    draft.written.preamble = draft.declared.preamble + 1 + random.below(2);
    draft.touch_all(Touch::Held);
    true
}

/// The source declares the format in which days and months have changed places beside that of the file.
fn day_and_month_ambiguous(draft: &mut Draft<'_>, _: &mut Random) -> bool {
    let other = match draft.written.date_formats.first() {
        Some(&"%d/%m/%Y") => "%m/%d/%Y",
        Some(&"%m/%d/%Y") => "%d/%m/%Y",
        _ => return false,
    };
    let has_date = |place| matches!(draft.kind(place), Some(Kind::Date { .. }));
    if draft.declared.date_formats.contains(&other) || !(0..draft.header.len()).any(has_date) {
        return false;
    }
    draft.declared.date_formats.push(other);
    draft.touch_all(Touch::Held);
    true
}
