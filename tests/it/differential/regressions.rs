//! What was found, small and by name.

use starledger::contracts::Contract;

use super::judge::Read;
use super::table::{Column, Drift, Kind, Table};
use super::{once, source};

/// A contract of the key and one more column, which is required.
fn contract(kind: Kind) -> Contract {
    let column = |name: &str, kind| Column {
        name: name.to_owned(),
        kind,
        required: true,
    };
    let columns = vec![column("row_id", Kind::Id), column("given", kind)];
    Table::of(columns, Vec::new(), 100, Drift::DiscardValue).contract
}

/// What is read of a file with a header and one row.
fn read(kind: Kind, keys: &str, value: &str) -> Read {
    let contract = contract(kind);
    let text = format!("[[source]]\nname = 'rows'\nfeed = 'rows'\nfiles = ['in/*']\nformat = 'csv'\n{keys}");
    let file = format!("row_id,given\nR-1,{value}\n");
    once(&source(&text, &contract), &contract, file.as_bytes(), false).expect("conserved")
}

fn rules(read: &Read) -> Vec<&str> {
    read.rejects.iter().map(|(_, _, rule)| rule.as_str()).collect()
}

#[test]
fn an_offset_with_a_typographic_minus_is_no_offset() {
    let found = read(Kind::Instant, "", "2026-10-12T06:00:00\u{2212}05:00");
    assert_eq!(rules(&found), ["instant.grammar"]);
}

#[test]
fn digits_finer_than_a_nanosecond_are_not_dropped() {
    let found = read(Kind::Instant, "", "2026-10-12T06:00:00.1234560000001Z");
    assert_eq!(rules(&found), ["instant.grammar"]);
    // zeros are
    let found = read(Kind::Instant, "", "2026-10-12T06:00:00.1234560000000Z");
    assert_eq!(found.rows.len(), 1);
}

#[test]
fn a_local_time_behind_the_tables_of_zones_is_not_read_as_winter() {
    let keys = "instant_formats = ['%F %T']\ntime_zone = 'Europe/Berlin'\n";
    let found = read(Kind::Instant, keys, "2100-07-15 12:00:00");
    assert_eq!(rules(&found), ["instant.window"]);
    let found = read(Kind::Instant, keys, "2099-07-15 12:00:00");
    assert_eq!(found.rows.len(), 1);
}
