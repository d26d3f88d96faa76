//! Duplicates, conflicts, references, counts.

use proptest::prelude::*;

use super::super::fixtures::{column, contract, refers};
use super::super::outcome::{FileOrigin, Skipped, TypedRow, Verdict};
use super::super::states::conservation;
use super::*;
use crate::contracts::model::ColumnType;

/// `sales(id, partner → partners.id, original → sales.id, note)`, key `id`.
fn sales() -> Contract {
    let text = |name| column(name, ColumnType::Text);
    let columns = [
        text("id"),
        refers("partner", "partners", "id"),
        refers("original", "sales", "id"),
        text("note"),
    ];
    contract("sales", &columns, &[0])
}

/// A row as `id partner original note`; `-` is null.
fn row(text: &str) -> Row {
    text.split(' ')
        .map(|t| if t == "-" { Value::Null } else { Value::text(t) })
        .collect()
}

/// A file whose rows begin on line 2.
fn file(arrival: i64, rows: &[&str]) -> FileOutcome {
    let typed = |(line, text): (i64, &&str)| {
        let values = row(text);
        TypedRow {
            line,
            key: vec![values[0].clone()],
            hash: row_hash(&values),
            values,
        }
    };
    FileOutcome {
        origin: FileOrigin {
            arrival,
            file_name: format!("f{arrival}"),
            file_hash: Digest::of(b""),
            bytes: 0,
        },
        feed: "sales".into(),
        source: "test".into(),
        verdict: Verdict::Read,
        records: count(rows.len()),
        rows: (2..).zip(rows).map(typed).collect(),
        rejects: Vec::new(),
        skipped: Vec::new(),
        notes: Vec::new(),
        again: false,
    }
}

/// Partner P is known, others are not.
fn known(reference: &Reference, value: &Value) -> bool {
    assert_eq!(reference.table, "partners");
    value.to_string() == "P"
}

fn run(current: Vec<StoredRow>, incoming: Vec<FileOutcome>) -> Resolution {
    let resolution = resolve(&sales(), current, incoming, &known, &BTreeSet::new());
    let changes: Vec<FileCounts> = resolution.changes.values().copied().collect();
    assert!(changes.iter().all(|c| c.records == c.states()), "{changes:?}");
    resolution
}

/// `id@arrival:line` of the current rows, then `!` quarantined and `?` held ones.
fn told(resolution: &Resolution) -> Vec<String> {
    let current = resolution
        .current
        .iter()
        .map(|r| format!("{}@{}:{}", r.values[0], r.arrival, r.line));
    let bad = resolution
        .quarantined
        .iter()
        .map(|q| format!("!{}:{} {}", q.arrival, q.line, q.rule));
    let held = resolution
        .held
        .iter()
        .map(|h| format!("?{}:{} {}={}", h.arrival, h.line, h.missing_table, h.missing_value));
    current.chain(bad).chain(held).collect()
}

/// (records, current, duplicate, quarantined, held, skipped)
fn change(resolution: &Resolution, arrival: i64) -> [i64; 6] {
    let c = resolution.changes[&arrival];
    [c.records, c.current, c.duplicate, c.quarantined, c.held, c.skipped]
}

#[test]
fn new_keys_become_current_in_the_order_of_keys() {
    let found = run(vec![], vec![file(1, &["B P - x", "A P - x"])]);
    assert_eq!(told(&found), ["A@1:3", "B@1:2"]);
    assert_eq!(change(&found, 1), [2, 2, 0, 0, 0, 0]);
}

#[test]
fn the_same_row_again_is_a_duplicate_of_the_earliest() {
    let found = run(
        vec![],
        vec![file(2, &["A P - x"]), file(1, &["B P - x", "A P - x", "A P - x"])],
    );
    assert_eq!(told(&found), ["A@1:3", "B@1:2"]);
    assert_eq!(change(&found, 1), [3, 2, 1, 0, 0, 0]);
    assert_eq!(change(&found, 2), [1, 0, 1, 0, 0, 0]);
    let next = run(found.current.clone(), vec![file(3, &["A P - x", "C P - x"])]);
    assert_eq!(told(&next), ["A@1:3", "B@1:2", "C@3:3"]);
    assert_eq!((change(&next, 1), change(&next, 3)), ([0; 6], [2, 1, 1, 0, 0, 0]));
}

#[test]
fn other_values_under_the_same_key_put_all_versions_into_quarantine() {
    let before = run(vec![], vec![file(1, &["A P - x", "B P - x"])]);
    let found = run(before.current, vec![file(2, &["A P - y", "A P - x"])]);
    assert_eq!(
        told(&found),
        ["B@1:3", "!1:2 key.conflict", "!2:2 key.conflict", "!2:3 key.conflict"]
    );
    assert_eq!(
        found.quarantined[0].reason,
        "the same key (id) stands with other values in f2 line 2 (arrival 2)"
    );
    assert_eq!(
        found.quarantined[1].reason,
        "the same key (id) stands with other values in f1 line 2 (arrival 1), which was current before and 1 more"
    );
    assert_eq!(found.quarantined[1].raw, b"A|P||y");
    assert_eq!(found.removed, [vec![Value::text("A")]]);
    assert_eq!(
        (change(&found, 1), change(&found, 2)),
        ([0, -1, 0, 1, 0, 0], [2, 0, 0, 2, 0, 0])
    );
}

#[test]
fn a_key_once_in_conflict_stays_in_conflict() {
    let first = run(vec![], vec![file(1, &["A P - x", "A P - y"])]);
    let found = resolve(&sales(), vec![], vec![file(2, &["A P - x"])], &known, &first.conflicted);
    assert_eq!(told(&found), ["!2:2 key.conflict"]);
    assert_eq!(
        found.quarantined[0].reason,
        "the same key (id) stands with other values in files read earlier"
    );
    assert_eq!(found.conflicted, first.conflicted);
}

#[test]
fn unknown_references_hold_a_row_until_they_are_known() {
    let found = run(vec![], vec![file(1, &["A Q - x", "B P - x", "C - - x"])]);
    assert_eq!(told(&found), ["B@1:3", "C@1:4", "?1:2 partners=Q"]);
    assert_eq!(change(&found, 1), [3, 2, 0, 0, 1, 0]);
    // the file is read again for the row held
    let mut again = file(1, &["A Q - x", "B P - x", "C - - x"]);
    again.retain_lines(&found.held.iter().map(|h| h.line).collect());
    let later = resolve(&sales(), found.current, vec![again], &|_, _| true, &BTreeSet::new());
    assert_eq!(told(&later), ["A@1:2", "B@1:3", "C@1:4"]);
    assert_eq!(change(&later, 1), [0, 1, 0, 0, -1, 0]);
    let mut counts = found.changes[&1];
    counts += later.changes[&1];
    assert_eq!((conservation(&[counts]), counts.current), (vec![], 3));
}

#[test]
fn references_within_the_feed_cascade() {
    let found = run(
        vec![],
        vec![file(1, &["A P B x", "B P C x", "C P - x", "D P Z x", "E P D x"])],
    );
    assert_eq!(
        told(&found),
        ["A@1:2", "B@1:3", "C@1:4", "?1:5 sales=Z", "?1:6 sales=D"]
    );
    // C falls into conflict: what stood on it is current no more
    let next = run(found.current, vec![file(2, &["C P - y"])]);
    assert_eq!(
        told(&next),
        ["!1:4 key.conflict", "!2:2 key.conflict", "?1:2 sales=B", "?1:3 sales=C"]
    );
    assert_eq!(next.removed.len(), 3);
    assert_eq!(
        (change(&next, 1), change(&next, 2)),
        ([0, -3, 0, 1, 2, 0], [1, 0, 0, 1, 0, 0])
    );
}

#[test]
fn rejected_and_skipped_records_are_counted() {
    let mut read = file(4, &["A P - x"]);
    let reject = |row_no| Reject {
        line: 9,
        row_no,
        column: Some("note".into()),
        rule: "value.required".into(),
        reason: String::new(),
        remedy: String::new(),
        raw: b"raw".to_vec(),
    };
    read.rejects = vec![reject(1), reject(2)];
    read.skipped = vec![Skipped {
        line: 10,
        rule: "skip.totals",
    }];
    read.records = 3;
    read.assert_conserved();
    let found = run(vec![], vec![read]);
    assert_eq!(change(&found, 4), [3, 1, 0, 1, 0, 1]);
    assert_eq!(
        found.quarantined.iter().map(|q| (q.line, q.row_no)).collect::<Vec<_>>(),
        [(9, 1), (9, 2)]
    );
}

#[test]
fn a_file_set_aside_changes_nothing() {
    let aside = FileOutcome {
        verdict: Verdict::SetAside {
            reason: "file.type".into(),
        },
        ..file(1, &[])
    };
    let found = run(vec![], vec![aside]);
    assert_eq!((told(&found), change(&found, 1)), (vec![], [0; 6]));
}

/// What must not depend on order: values of the current rows, and how many rows are in each state.
fn essence(resolution: &Resolution) -> (Vec<Row>, [i64; 4]) {
    let rows = resolution.current.iter().map(|r| r.values.clone()).collect();
    let mut sums = [0; 4];
    for c in resolution.changes.values() {
        for (sum, part) in sums.iter_mut().zip([c.current, c.duplicate, c.quarantined, c.held]) {
            *sum += part;
        }
    }
    (rows, sums)
}

fn any_row() -> impl Strategy<Value = String> {
    ("[A-F]", "[PPPQ-]", "[A-F---]", "[xxy]")
        .prop_map(|(id, partner, original, note)| format!("{id} {partner} {original} {note}"))
}

proptest! {
    #[test]
    fn order_does_not_show(
        rows in proptest::collection::vec((any_row(), 0..3usize, any::<u32>()), 0..14),
    ) {
        let split = |rows: &[(String, usize, u32)]| -> Vec<FileOutcome> {
            (0..3usize).map(|i| {
                let texts: Vec<&str> = rows.iter().filter(|r| r.1 == i).map(|r| r.0.as_str()).collect();
                file(count(i) + 1, &texts)
            }).collect()
        };
        let one = run(vec![], split(&rows));
        let mut shuffled = rows.clone();
        shuffled.sort_by_key(|r| r.2);
        for (i, r) in shuffled.iter_mut().enumerate() {
            r.1 = i % 3;
        }
        let mut files = split(&shuffled);
        files.reverse();
        prop_assert_eq!(essence(&one), essence(&run(vec![], files)));
    }

    #[test]
    fn one_file_after_the_other_leads_to_the_same_rows(
        rows in proptest::collection::vec((any_row(), 0..3usize), 0..14),
    ) {
        let texts = |i: usize| rows.iter().filter(|r| r.1 == i).map(|r| r.0.as_str()).collect::<Vec<_>>();
        let all: Vec<FileOutcome> = (0..3).map(|i| file(count(i) + 1, &texts(i))).collect();
        let once = run(vec![], all.clone());
        let mut state = Resolution::default();
        let mut counts: BTreeMap<i64, FileCounts> = BTreeMap::new();
        for next in &all {
            let mut incoming = vec![next.clone()];
            for earlier in &all {
                let lines: BTreeSet<i64> =
                    state.held.iter().filter(|h| h.arrival == earlier.origin.arrival).map(|h| h.line).collect();
                if !lines.is_empty() {
                    let mut again = earlier.clone();
                    again.retain_lines(&lines);
                    incoming.push(again);
                }
            }
            state = resolve(&sales(), state.current, incoming, &known, &state.conflicted);
            for (arrival, change) in &state.changes {
                *counts.entry(*arrival).or_insert_with(|| FileCounts::of_arrival(*arrival)) += *change;
            }
        }
        prop_assert_eq!(state.current, once.current);
        prop_assert_eq!(state.held, once.held);
        let counts: Vec<FileCounts> = counts.into_values().collect();
        prop_assert_eq!(conservation(&counts), vec![]);
        prop_assert_eq!(counts.iter().map(|c| c.records).sum::<i64>(), count(rows.len()));
    }
}
