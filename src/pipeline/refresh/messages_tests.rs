//! Places and keys of messages.

use std::collections::BTreeSet;

use super::messages::{
    COLUMNS, Card, Messages, OPERATIONS, SCORECARD, STATEMENT, Slot, by_name, due_periods, in_language,
};
use crate::delivery::message_key;
use crate::domain::ids::{PartnerId, RegionId};
use crate::domain::{Digest, Period, Row, Table, Value};

fn period(text: &str) -> Period {
    Period::parse(text).unwrap()
}

fn table(names: &[&str], rows: Vec<Row>) -> Table {
    let mut table = Table::new("messages", names);
    for row in rows {
        table.push(row);
    }
    table
}

fn read(languages: &[&str]) -> BTreeSet<String> {
    languages.iter().map(|language| (*language).to_owned()).collect()
}

/// A row of a partner's message of 2026-Q3.
fn message(kind: &str, key: &str, sequence: i64, language: &str, (data, state): (&str, &str)) -> Row {
    let mut row: Row = vec![Value::Null; COLUMNS.len()];
    let cells: [(usize, Value); 8] = [
        (0, key.into()),
        (1, sequence.into()),
        (2, "P1".into()),
        (3, "2026-Q3".into()),
        (4, kind.into()),
        (5, language.into()),
        (6, Digest::of(data.as_bytes()).into()),
        (10, state.into()),
    ];
    for (place, value) in cells {
        row[place] = value;
    }
    row
}

#[test]
fn who_reads_another_language_gets_what_nobody_got() {
    let (partner, region) = (PartnerId::new("P1").unwrap(), RegionId::new("emea").unwrap());
    let card = Card {
        partner: &partner,
        region: &region,
        period: period("2026-Q3"),
    };
    let data = Digest::of(b"a");
    let none = ("a", "no_recipient");
    let shown = |slot: Option<Slot>| slot.map(|s| (s.sequence, s.instead_of));

    // a scorecard that was made in English for nobody: the first who reads it takes its place, the second one of their own
    let mut messages = indexed(vec![message(SCORECARD, "a", 7, "en", none)]);
    let readers = read(&["de", "pt"]);
    assert_eq!(shown(messages.slot(&card, ("de", &readers), data)), Some((7, Some(0))));
    assert_eq!(shown(messages.slot(&card, ("pt", &readers), data)), Some((8, None)));
    // one that somebody reads in English is made again there, and one that went stays
    for (state, readers) in [("no_recipient", &["en", "pt"][..]), ("queued", &["pt"])] {
        let mut messages = indexed(vec![message(SCORECARD, "a", 7, "en", ("a", state))]);
        assert_eq!(
            shown(messages.slot(&card, ("pt", &read(readers)), data)),
            Some((8, None))
        );
    }

    // a statement likewise; one that went is not sent to who comes later, and a new document to everybody
    let statement = |state: &str, readers: &[&str], language: &str, is_new: bool| {
        let mut messages = indexed(vec![message(STATEMENT, "a", 7, "en", ("a", state))]);
        shown(messages.slot_of_data(STATEMENT, &card, (language, &read(readers)), data, is_new))
    };
    assert_eq!(statement("no_recipient", &["pt"], "pt", false), Some((7, Some(0))));
    assert_eq!(
        statement("no_recipient", &["en", "pt"], "en", false),
        Some((7, Some(0)))
    );
    assert_eq!(statement("no_recipient", &["en", "pt"], "pt", false), None);
    assert_eq!(statement("queued", &["pt"], "pt", false), None);
    assert_eq!(statement("queued", &["pt"], "pt", true), Some((8, None)));
    assert_eq!(statement("queued", &["en"], "en", true), None);
}

/// Messages after the partner's data were these, one after the other, each in a state.
fn after(history: &[(&str, &str)]) -> (Messages, Vec<String>) {
    let (partner, region) = (PartnerId::new("P1").unwrap(), RegionId::new("emea").unwrap());
    let card = Card {
        partner: &partner,
        region: &region,
        period: period("2026-Q3"),
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut keys = Vec::new();
    for (data, state) in history {
        let mut known = indexed(rows.clone());
        let data = Digest::of(data.as_bytes());
        let Some(slot) = known.slot(&card, ("en", &read(&["en"])), data) else {
            continue;
        };
        let row = vec![
            slot.key.as_str().into(),
            slot.sequence.into(),
            "P1".into(),
            "2026-Q3".into(),
            SCORECARD.into(),
            "en".into(),
            data.into(),
            Value::Null,
            Value::Null,
            Value::Null,
            (*state).into(),
            Value::Null,
            Value::Null,
        ];
        keys.push(slot.key.clone());
        known.put(&slot, row);
        rows = known.table.rows;
    }
    (indexed(rows), keys)
}

fn indexed(rows: Vec<Row>) -> Messages {
    Messages::indexed(table(&COLUMNS, rows)).unwrap()
}

#[test]
fn data_that_go_back_are_a_third_message() {
    let (messages, keys) = after(&[("a", "queued"), ("b", "queued"), ("b", "queued"), ("a", "queued")]);
    assert_eq!(keys.len(), 3);
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(messages.last_sequence, 3);
    let first = message_key(
        SCORECARD,
        period("2026-Q3"),
        &PartnerId::new("P1").unwrap(),
        in_language(Digest::of(b"a"), "en"),
    );
    assert_eq!(keys[0], first, "the first message is known by its data alone");
    assert_eq!(after(&[("a", "queued"), ("b", "queued"), ("a", "queued")]).1, keys);
}

#[test]
fn what_was_not_to_be_sent_is_made_again_in_its_place() {
    let (messages, keys) = after(&[("a", "held"), ("a", "no_recipient"), ("a", "queued"), ("a", "queued")]);
    assert_eq!(keys.len(), 3);
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 1);
    assert_eq!((messages.table.rows.len(), messages.last_sequence), (1, 1));
    assert!(messages.latest.values().all(|l| l.queued));
}

#[test]
fn periods_that_ended_since_and_those_told_of() {
    let ended = ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"].map(period);
    let due = |before: Option<&[Period]>, told: &[&str]| {
        let told = told.iter().map(|p| period(p)).collect();
        due_periods(&ended, before, &told)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(due(None, &[]), ["2026-Q3"]);
    assert_eq!(due(Some(&ended), &[]), ["2026-Q3"]);
    assert_eq!(due(Some(&ended[..2]), &[]), ["2026-Q2", "2026-Q3"]);
    assert_eq!(due(Some(&ended), &["2026-Q1", "2027-Q1"]), ["2026-Q1", "2026-Q3"]);
    assert!(due_periods(&[], Some(&[]), &BTreeSet::new()).is_empty());
}

#[test]
fn the_languages_of_a_card_are_those_of_its_messages_only() {
    let row = |key: &str, partner: &str, of: &str, language: &str| -> Row {
        let mut row: Row = vec![Value::Null; COLUMNS.len()];
        let hash = Digest::of(key.as_bytes());
        for (place, text) in [
            (0, key),
            (2, partner),
            (3, of),
            (4, SCORECARD),
            (5, language),
            (10, "queued"),
        ] {
            row[place] = text.into();
        }
        (row[1], row[6]) = (1.into(), hash.into());
        row
    };
    let messages = indexed(vec![
        row("a", "P0", "2026-Q3", "zh"),
        row("b", "P1", "2026-Q2", "fr"),
        row("c", "P1", "2026-Q3", "en"),
        row("d", "P1", "2026-Q3", "de"),
        row("e", "P1", "2026-Q4", "es"),
        row("f", "P10", "2026-Q3", "pt"),
    ]);
    let (partner, region) = (PartnerId::new("P1").unwrap(), RegionId::new("emea").unwrap());
    let card = Card {
        partner: &partner,
        region: &region,
        period: period("2026-Q3"),
    };
    assert_eq!(messages.languages(&card), ["de", "en"].map(str::to_owned).into());
}

#[test]
fn what_a_reader_was_told_is_in_the_order_of_sending() {
    let row = |key: &str, sequence: i64, state: &str| -> Row {
        let mut row: Row = vec![Value::Null; COLUMNS.len()];
        let hash = Digest::of(key.as_bytes());
        let cells: [(usize, Value); 8] = [
            (0, key.into()),
            (1, sequence.into()),
            (3, "2026-Q4".into()),
            (4, OPERATIONS.into()),
            (5, "en".into()),
            (6, hash.into()),
            (10, state.into()),
            (12, "office".into()),
        ];
        for (place, value) in cells {
            row[place] = value;
        }
        row
    };
    // the table of a release is sorted by key
    let messages = indexed(vec![
        row("a", 9, "queued"),
        row("b", 2, "queued"),
        row("c", 5, "queued"),
    ]);
    let told = messages.letters(OPERATIONS, "office");
    let told: Vec<&str> = told.map(|(_, latest)| latest.key.as_str()).collect();
    assert_eq!(told, ["b", "c", "a"]);
    assert_eq!(messages.letters(OPERATIONS, "nobody").count(), 0);
    assert_eq!(messages.last_sequence, 9);

    // one that could not go is made again in its place; the next one has a place of its own
    let held = "operations-2026-q4-office-1";
    let mut messages = indexed(vec![row(held, 3, "held")]);
    let data = Digest::of(b"x");
    let slot = messages.letter_slot(OPERATIONS, "office", (OPERATIONS, period("2026-Q4")), data);
    assert_eq!((slot.key.as_str(), slot.sequence, slot.instead_of), (held, 3, Some(0)));
    let slot = messages.letter_slot(OPERATIONS, "office", (OPERATIONS, period("2027-Q1")), data);
    assert_eq!((slot.sequence, slot.instead_of), (4, None));
    assert!(slot.key.starts_with("operations-2027-q1-office-"), "{}", slot.key);
}

#[test]
fn rows_of_the_parent_are_taken_by_name() {
    let parent = table(&["state", "message_key"], vec![vec!["held".into(), "k".into()]]);
    let named = by_name(["message_key", "later", "state"].map(str::to_owned).to_vec(), &parent);
    assert_eq!(named.rows, [vec!["k".into(), Value::Null, "held".into()]]);
}
