//! Parts from rows to disk and back, over runs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use super::fixture::{add, contract, facts, many, publish, reference, rows_of, staging};
use super::*;
use crate::contracts::ColumnType;
use crate::domain::{Batch, Cell, Instant, Value};
use crate::store::StoreError;
use crate::store::gc::{Keep, collect};
use crate::store::recover::recover;
use crate::store::release::Release;

fn files_below(folder: &Path) -> Vec<String> {
    files::walk(folder)
        .expect("a listing")
        .into_iter()
        .map(|(path, _)| path)
        .collect()
}

fn names(folder: &Path) -> BTreeSet<String> {
    files::list(folder).expect("a listing").into_iter().collect()
}

#[test]
fn rows_are_where_they_are_said_to_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut staging) = staging(folder.path(), 1);
    let contract = contract();
    let batches: Vec<Batch> = (0..10).map(|i| many(i * 1_000, 1_000)).collect();
    let all: Vec<Batch> = batches.clone();
    let (parts, places) = add(&mut staging, &contract, 7, batches);
    assert_eq!((parts.len(), places.len()), (12, 10_000));
    assert!(
        parts[0].file.path.starts_with("lines/month=2026-"),
        "{}",
        parts[0].file.path
    );
    assert_eq!(parts.iter().map(|p| p.file.rows).sum::<u64>(), 10_000);
    let index = staging.key_index();
    let files: Vec<ReleaseFile> = parts.into_iter().map(|p| p.file).collect();
    let keys: Vec<u128> = all
        .iter()
        .flat_map(|b| b.hashes(&contract.key))
        .map(|h| h.key)
        .collect();
    let mut hits = index.lookup(&contract, &files, &keys).expect("hits");
    hits.sort_by_key(|hit| hit.query);
    let found: Vec<(usize, RowPlace)> = hits
        .iter()
        .map(|h| {
            (
                h.query,
                RowPlace {
                    part: h.part,
                    row: h.row,
                },
            )
        })
        .collect();
    assert_eq!(found, places.iter().copied().enumerate().collect::<Vec<_>>());
    for hit in hits.iter().step_by(977) {
        let batch = &all[hit.query / 1_000];
        assert_eq!(hit.content, batch.content_hash(hit.query % 1_000));
        let mut read = index
            .read(&contract, &files[hit.part as usize], Some(&[hit.row]))
            .expect("a part");
        let one = read.next().expect("a batch").expect("it is whole");
        assert_eq!(one.rows.row(0), batch.row(hit.query % 1_000));
        assert_eq!((one.arrivals[0], one.files[0].as_ref()), (7, "file-7.csv"));
        assert_eq!(one.rows.lines[0], batch.lines[hit.query % 1_000]);
        assert!(read.next().is_none());
    }
    let absent = index.contains(&contract, &files, &[1, keys[3], 2]).expect("an answer");
    assert_eq!(absent.into_iter().collect::<Vec<_>>(), [keys[3]]);
    // the rows of one part, each once, and what a glob over the table reads
    let table = staging.read_back("lines").expect("a table");
    assert_eq!(table.rows.len(), 10_000);
    let months: BTreeSet<String> = table
        .iter()
        .map(|r| r.text("month").expect("a month").to_owned())
        .collect();
    assert_eq!(months.first().map(String::as_str), Some("2026-01"));
    assert_eq!(staging.paths("lines").len(), 12);
    assert_eq!(staging.rows("lines"), 10_000);
}

#[test]
fn the_same_rows_give_the_same_bytes_in_whatever_batches() {
    let contract = contract();
    let hashes = |batches: Vec<Batch>| {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, mut staging) = staging(folder.path(), 1);
        let (parts, places) = add(&mut staging, &contract, 1, batches);
        (parts.into_iter().map(|p| p.file).collect::<Vec<_>>(), places)
    };
    let whole = hashes(vec![many(0, 60_000)]);
    assert_eq!(hashes((0..60).map(|i| many(i * 1_000, 1_000)).collect()), whole);
    assert_eq!(hashes(vec![many(0, 1), many(1, 33_333), many(33_334, 26_666)]), whole);
    assert_ne!(hashes(vec![many(0, 59_999)]).0, whole.0);
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut staging) = staging(folder.path(), 1);
    let mut contract = contract();
    let before = files_below(staging.folder());
    for close in [false, true] {
        let mut writer = FeedWriter::new(&staging, &contract).expect("a writer");
        let name: Arc<str> = "a.csv".into();
        // enough for open files, and for hashes that were put aside
        let batch = many(0, 400_000);
        let hashes = batch.hashes(&contract.key);
        writer.write(batch, &hashes, 1, &name).expect("written");
        if close {
            // parts that were complete go too
            for part in writer.finish().expect("parts") {
                staging.discard(part).expect("removed");
            }
        } else {
            drop(writer);
        }
        assert_eq!(files_below(staging.folder()), before);
    }
    // a table without a key has no index
    contract.key.clear();
    let mut writer = FeedWriter::new(&staging, &contract).expect("a writer");
    writer.write(many(0, 10), &[], 1, &"a.csv".into()).expect("written");
    assert_eq!(writer.finish().expect("parts").len(), 10);
    assert_eq!(names(&fresh_indexes(staging.folder())).len(), 0);
    assert!(FeedWriter::closed().finish().expect("nothing").is_empty());
    assert!(FeedWriter::closed().write(many(0, 1), &[], 1, &"a.csv".into()).is_err());
}

#[test]
fn an_error_of_the_other_thread_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, staging) = staging(folder.path(), 1);
    let contract = contract();
    // where the folder of the table should be stands a file
    fs::write(staging.folder().join("lines"), b"x").expect("written");
    let name: Arc<str> = "a.csv".into();
    let mut writer = FeedWriter::new(&staging, &contract).expect("a writer");
    let mut told = None;
    for _ in 0..100 {
        let batch = many(0, 10);
        let hashes = batch.hashes(&contract.key);
        if let Err(e) = writer.write(batch, &hashes, 1, &name) {
            told = Some(e.to_string());
            break;
        }
    }
    assert!(told.expect("an error").contains("lines"));
    assert!(writer.finish().expect("it was told").is_empty());
    let mut writer = FeedWriter::new(&staging, &contract).expect("a writer");
    let hashes = many(0, 1).hashes(&contract.key);
    writer.write(many(0, 1), &hashes, 1, &name).expect("it waits");
    assert!(writer.finish().is_err());
}

#[test]
fn a_part_is_written_anew_without_some_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut staging) = staging(folder.path(), 1);
    let contract = contract();
    let batch = facts(&[
        ("a", Some("2026-07-01"), "1.00"),
        ("b", Some("2026-07-02"), "2.00"),
        ("c", Some("2026-07-03"), "3.00"),
    ]);
    let (parts, _) = add(&mut staging, &contract, 1, vec![batch.clone()]);
    let path = staging.folder().join(&parts[0].file.path);
    let (kept, removed) = staging.rewrite_without(&contract, &path, &[0, 2]).expect("written");
    assert_eq!(kept.iter().map(|p| p.file.rows).collect::<Vec<_>>(), [1]);
    assert_eq!(
        rows_of(&staging.folder().join(&kept[0].file.path), &contract),
        [("b".into(), "2.0000".into(), 1, 3)]
    );
    let ids: Vec<Value> = removed
        .iter()
        .flat_map(|b| (0..b.rows.rows()).map(|r| b.rows.row(r)[0].clone()))
        .collect();
    assert_eq!(ids, [Value::text("a"), Value::text("c")]);
    assert_eq!(
        (
            removed[0].arrivals[1],
            removed[0].files[1].as_ref(),
            removed[0].rows.lines[1]
        ),
        (1, "file-1.csv", 4)
    );
    // its index is of its own rows
    let keys: Vec<u128> = batch.hashes(&contract.key).iter().map(|h| h.key).collect();
    let hits = staging
        .key_index()
        .lookup(&contract, &[kept[0].file.clone()], &keys)
        .expect("hits");
    assert_eq!(hits.iter().map(|h| (h.query, h.row)).collect::<Vec<_>>(), [(1, 0)]);
    let (none, removed) = staging.rewrite_without(&contract, &path, &[0, 1, 2]).expect("written");
    assert_eq!((none.len(), removed[0].rows.rows()), (0, 3));
    let (same, removed) = staging.rewrite_without(&contract, &path, &[]).expect("written");
    assert_eq!((&same[0].file, removed.len()), (&parts[0].file, 0));
}

#[test]
fn a_long_part_written_anew_is_the_one_that_never_had_the_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut staging) = staging(folder.path(), 1);
    let contract = reference();
    let gone: Vec<u32> = (0..150_000).filter(|i| i % 1_009 == 5).collect();
    let without = many(0, 150_000).select(
        &(0..150_000_u32)
            .filter(|i| i % 1_009 != 5)
            .map(|i| i as usize)
            .collect::<Vec<_>>(),
    );
    let (parts, _) = add(&mut staging, &contract, 1, vec![many(0, 150_000)]);
    let path = staging.folder().join(&parts[0].file.path);
    let (kept, removed) = staging.rewrite_without(&contract, &path, &gone).expect("written");
    assert_eq!(removed.iter().map(|b| b.rows.rows()).sum::<usize>(), gone.len());
    let (expected, _) = add(&mut staging, &contract, 1, vec![without]);
    assert_eq!(kept[0].file, expected[0].file);
    assert_eq!(kept[0].file.partition, "");
}

#[test]
fn an_index_that_cannot_be_used_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (layout, mut first) = staging(folder.path(), 1);
    let contract = contract();
    add(&mut first, &contract, 1, vec![many(0, 3_000)]);
    let release = publish(first, 1);
    let parts: Vec<ReleaseFile> = release.manifest.files.clone();
    let indexes = layout.key_indexes();
    assert_eq!(names(&indexes), parts.iter().map(|p| index_name(p.sha256)).collect());
    assert!(files_below(release.folder()).iter().all(|f| f.ends_with(".parquet")));
    let keys: Vec<u128> = many(0, 3_000).hashes(&contract.key).iter().map(|h| h.key).collect();
    let expected = {
        let (_, staging) = staging(folder.path(), 2);
        staging.key_index().lookup(&contract, &parts, &keys).expect("hits")
    };
    assert_eq!(expected.len(), 3_000);
    let index = indexes.join(index_name(parts[4].sha256));
    let bytes = fs::read(&index).expect("an index");
    let mut damaged = bytes.clone();
    damaged[bytes.len() - 3] ^= 1;
    for state in [Some(&damaged[..]), Some(&bytes[..100]), Some(b""), None] {
        match state {
            Some(bytes) => fs::write(&index, bytes).expect("written"),
            None => files::remove_if_there(&index).expect("removed"),
        }
        let (_, second) = staging(folder.path(), 2);
        assert_eq!(
            second.key_index().lookup(&contract, &parts, &keys).expect("hits"),
            expected
        );
        let again = fresh_indexes(second.folder()).join(index_name(parts[4].sha256));
        assert_eq!(fs::read(again).expect("made again"), bytes);
    }
    // the index of another part, and no indexes at all
    fs::copy(indexes.join(index_name(parts[5].sha256)), &index).expect("copied");
    let (_, mut second) = staging(folder.path(), 2);
    assert_eq!(
        second.key_index().lookup(&contract, &parts, &keys).expect("hits").len(),
        expected.len()
    );
    files::remove_tree_if_there(&indexes).expect("removed");
    assert_eq!(
        second.key_index().lookup(&contract, &parts, &keys).expect("hits"),
        expected
    );
    // what was made again is there for the next run
    second.carry("lines", |_| true).expect("carried");
    add(&mut second, &contract, 2, vec![many(9_000, 1)]);
    publish(second, 2);
    assert_eq!(names(&indexes).len(), 13);
    assert_eq!(fs::read(&index).expect("an index"), bytes);
    // a changed part is not taken for an index
    files::remove_tree_if_there(&indexes).expect("removed");
    spoil(&release.path_of(&parts[0]));
    let (_, third) = staging(folder.path(), 3);
    let error = third
        .key_index()
        .lookup(&contract, &parts, &keys)
        .expect_err("it is changed");
    assert!(matches!(error, StoreError::Integrity(_)), "{error}");
}

/// Changes one byte of a file, and the time at which it was changed.
fn spoil(path: &Path) {
    let mut bytes = fs::read(path).expect("the file");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("permissions");
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(path, bytes).expect("changed");
}

#[test]
fn a_key_by_other_columns_is_looked_up_rightly() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut first) = staging(folder.path(), 1);
    let mut contract = contract();
    add(&mut first, &contract, 1, vec![many(0, 100)]);
    let parts = publish(first, 1).manifest.files;
    contract.key = vec![0, 2];
    let (_, second) = staging(folder.path(), 2);
    let hashes = many(0, 100).hashes(&contract.key);
    let keys: Vec<u128> = hashes.iter().map(|h| h.key).collect();
    assert_eq!(
        second.key_index().lookup(&contract, &parts, &keys).expect("hits").len(),
        100
    );
}

#[test]
fn older_parts_are_read_by_the_contract_of_today() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut staging) = staging(folder.path(), 1);
    let old = contract();
    let batch = facts(&[("a", Some("2026-07-01"), "1.50")]);
    let (parts, _) = add(&mut staging, &old, 1, vec![batch.clone()]);
    let mut new = old.clone();
    new.version = "1.1.0".to_owned();
    let mut note = new.columns[0].clone();
    note.name = "note".to_owned();
    note.required = false;
    new.columns.insert(3, note);
    new.partition = new.partition.map(|p| p + 1);
    new.columns[2].kind = ColumnType::Decimal {
        precision: 18,
        scale: 6,
    };
    let path = staging.folder().join(&parts[0].file.path);
    let read = read_part(&path, &new, None)
        .expect("a part")
        .next()
        .expect("a batch")
        .expect("whole");
    assert_eq!(read.rows.row(0)[2].to_string(), "1.500000");
    assert_eq!(read.rows.cell(0, 3), Cell::Null);
    let (anew, _) = staging.rewrite_without(&new, &path, &[]).expect("written");
    for part in anew {
        staging.adopt(part).expect("adopted");
    }
    // rows of both versions in one table
    let table = staging.read_back("lines").expect("a table");
    assert_eq!((table.rows.len(), table.columns().len()), (2, 8));
    assert!(
        table
            .iter()
            .all(|r| r.opt_text("note") == Ok(None) && r.text("month") == Ok("2026-07"))
    );
}

#[test]
fn one_column_is_read_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut staging) = staging(folder.path(), 1);
    let contract = reference();
    let (parts, _) = add(&mut staging, &contract, 1, vec![many(0, 20_000)]);
    let path = staging.folder().join(&parts[0].file.path);
    let mut rows = 0;
    for batch in read_columns(&path, &contract, &[0]).expect("a part") {
        let batch = batch.expect("whole");
        assert_eq!(
            (batch.rows.cell(5, 0).is_null(), batch.rows.cell(5, 2)),
            (false, Cell::Null)
        );
        assert_eq!((batch.arrivals[5], batch.rows.lines[5]), (1, batch.rows.lines[0] + 5));
        rows += batch.rows.rows();
    }
    assert_eq!(rows, 20_000);
    assert_eq!(read_part(&path, &contract, Some(&[])).expect("a part").count(), 0);
    let some: Vec<u32> = vec![0, 1, 2, 9_999, 19_999];
    let lines: Vec<i64> = read_part(&path, &contract, Some(&some))
        .expect("a part")
        .flat_map(|b| b.expect("whole").rows.lines)
        .collect();
    assert_eq!(lines, [2, 3, 4, 10_001, 20_001]);
}

#[test]
fn many_parts_become_one_by_arrival_and_line() {
    let contract = reference();
    let made = |order: &[i64]| {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, mut staging) = staging(folder.path(), 1);
        for arrival in order {
            let number = u32::try_from(*arrival).expect("small");
            let mut batch = many(number * 100, 100);
            if arrival % 5 == 0 {
                // rows that had waited come last
                batch = batch.select(&(50..100).chain(0..50).collect::<Vec<_>>());
            }
            add(&mut staging, &contract, *arrival, vec![batch]);
        }
        staging.compact(&contract).expect("compacted");
        let files = staging.files_of("things");
        let rows: Vec<_> = files
            .iter()
            .flat_map(|f| rows_of(&staging.folder().join(&f.path), &contract))
            .collect();
        let keys: Vec<u128> = many(500, 100).hashes(&contract.key).iter().map(|h| h.key).collect();
        assert_eq!(
            staging
                .key_index()
                .lookup(&contract, &files, &keys)
                .expect("hits")
                .len(),
            100
        );
        let parquet = files_below(staging.folder())
            .iter()
            .filter(|f| f.ends_with(".parquet"))
            .count();
        assert_eq!(parquet, files.len(), "nothing else is left");
        (files, rows)
    };
    let (files, _) = made(&(1..=16).collect::<Vec<_>>());
    assert_eq!(files.len(), 16);
    let (files, rows) = made(&(1..=17).collect::<Vec<_>>());
    assert_eq!((files.len(), rows.len()), (1, 1_700));
    assert!(
        rows.windows(2)
            .all(|pair| (pair[0].2, pair[0].3) < (pair[1].2, pair[1].3))
    );
    // whoever was first
    assert_eq!(made(&(1..=17).rev().collect::<Vec<_>>()).0, files);
}

#[test]
fn parts_of_one_arrival_are_interleaved_by_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut staging) = staging(folder.path(), 1);
    let contract = reference();
    for part in 0..17 {
        let rows: Vec<usize> = (0..1_700).filter(|i| i % 17 == part).collect();
        add(&mut staging, &contract, 1, vec![many(0, 1_700).select(&rows)]);
    }
    staging.compact(&contract).expect("compacted");
    let files = staging.files_of("things");
    assert_eq!(files.len(), 1);
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut other) = super::fixture::staging(folder.path(), 1);
    let (whole, _) = add(&mut other, &contract, 1, vec![many(0, 1_700)]);
    assert_eq!(files[0], whole[0].file);
}

#[test]
fn a_run_adds_parts_beside_those_of_its_parent() {
    let folder = tempfile::tempdir().expect("a folder");
    let (layout, mut first) = staging(folder.path(), 1);
    let contract = contract();
    add(
        &mut first,
        &contract,
        1,
        vec![facts(&[("a", Some("2026-07-01"), "1.00")])],
    );
    add(&mut first, &reference(), 1, vec![facts(&[("x", None, "1.00")])]);
    let one = publish(first, 1);
    let (_, mut second) = staging(folder.path(), 2);
    let parents = second.parent_parts("lines");
    assert_eq!(parents.len(), 1);
    second.carry_files("lines", |_| true).expect("carried");
    second.carry("things", |_| true).expect("carried");
    second.carry("things", |_| true).expect("carried twice is carried once");
    add(
        &mut second,
        &contract,
        2,
        vec![facts(&[("b", Some("2026-07-02"), "2.00")])],
    );
    let two = publish(second, 2);
    assert_eq!(two.files_of("lines").count(), 2);
    let table = two.read_table("lines").expect("a table");
    assert_eq!(table.rows.len(), 2);
    let inode = |release: &Release, file: &ReleaseFile| files::identity(&release.path_of(file)).expect("a file").1;
    assert_eq!(inode(&two, &parents[0]), inode(&one, &parents[0]));
    // the same rows again are the parent's file, and change nothing
    let (_, mut third) = staging(folder.path(), 3);
    third.carry("things", |_| true).expect("carried");
    third.carry_files("lines", |f| *f == parents[0]).expect("carried");
    let path = two.path_of(two.files_of("lines").find(|f| **f != parents[0]).expect("the other"));
    let (same, _) = third.rewrite_without(&contract, &path, &[]).expect("written");
    third.adopt(same.into_iter().next().expect("a part")).expect("adopted");
    let hash = crate::domain::Digest::of(b"x");
    let provenance = crate::store::commit::Provenance {
        run: 3,
        as_of: String::new(),
        last_arrival: 3,
        configuration: hash,
        rules_hash: hash,
        contracts_hash: hash,
        measures_hash: hash,
        ledger_head: String::new(),
        ledger_entries: 0,
        checks: Vec::new(),
    };
    let ended = third.publish(provenance, None).expect("ended");
    assert!(matches!(ended, crate::store::commit::Published::Unchanged));
    assert_eq!(names(&layout.staging()).len(), 0);
}

#[test]
fn a_carried_file_is_hashed_until_it_is_known_and_when_it_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (layout, mut first) = staging(folder.path(), 1);
    let contract = contract();
    add(&mut first, &contract, 1, vec![many(0, 100)]);
    let one = publish(first, 1);
    let path = one.path_of(&one.manifest.files[0]);
    let carry = |run| {
        let (_, mut next) = staging(folder.path(), run);
        next.carry("lines", |_| true)
    };
    carry(2).expect("carried");
    spoil(&path);
    assert!(matches!(carry(2), Err(StoreError::Integrity(_))));
    // also where it is read or written anew
    let (_, next) = staging(folder.path(), 2);
    let part = &one.manifest.files[0];
    assert!(matches!(
        next.rewrite_without(&contract, &path, &[0]),
        Err(StoreError::Integrity(_))
    ));
    assert!(matches!(
        next.key_index().read(&contract, part, None).map(|_| ()),
        Err(StoreError::Integrity(_))
    ));
    spoil(&path);
    carry(2).expect("it is as it was");
    files::remove_if_there(&layout.operations()).expect("removed");
    carry(2).expect("it is hashed again");
}

#[test]
fn indexes_go_with_their_parts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (layout, mut first) = staging(folder.path(), 1);
    let contract = contract();
    add(
        &mut first,
        &contract,
        1,
        vec![facts(&[
            ("a", Some("2026-07-01"), "1.00"),
            ("b", Some("2026-08-01"), "2.00"),
        ])],
    );
    let one = publish(first, 1);
    let (_, mut second) = staging(folder.path(), 2);
    second
        .carry("lines", |partition| partition == "month=2026-08")
        .expect("carried");
    put_periods(&mut second);
    publish(second, 2);
    assert_eq!(names(&layout.key_indexes()).len(), 2);
    // a run that was killed: what it left goes, indexes of parts that no release has too
    let (_, mut third) = staging(folder.path(), 3);
    add(
        &mut third,
        &contract,
        3,
        vec![facts(&[("c", Some("2026-07-01"), "1.00")])],
    );
    fs::write(layout.key_indexes().join("left.keys"), b"x").expect("written");
    drop(third);
    let recovered = recover(&layout).expect("recovered");
    assert_eq!(recovered.removed, ["staging/run-000003"]);
    assert_eq!(names(&layout.key_indexes()).len(), 2);
    // the release with July goes, and with it its index
    let keep = Keep { ancestors: 0, days: 0 };
    let removed = collect(&layout, keep, Instant::from_micros(4_000_000_000_000_000)).expect("collected");
    assert_eq!(removed, [one.name()]);
    let august = one
        .manifest
        .files
        .iter()
        .find(|f| f.partition == "month=2026-08")
        .expect("it is there");
    assert_eq!(
        names(&layout.key_indexes()),
        BTreeSet::from([index_name(august.sha256)])
    );
}

/// The table that says which releases closed a period: none.
fn put_periods(staging: &mut crate::store::commit::Staging) {
    let mut periods = reference();
    periods.name = "periods".to_owned();
    staging.put_empty(&periods).expect("written");
}

#[test]
fn a_table_without_rows_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut first) = staging(folder.path(), 1);
    let contract = contract();
    let writer = FeedWriter::new(&first, &contract).expect("a writer");
    assert!(writer.finish().expect("nothing").is_empty());
    first.put_empty(&contract).expect("written");
    assert_eq!((first.paths("lines").len(), first.files_of("lines").len()), (1, 0));
    publish(first, 1);
    let (_, mut second) = staging(folder.path(), 2);
    assert!(second.parent_parts("lines").is_empty());
    second.carry_files("lines", |_| true).expect("carried");
    assert!(second.paths("lines").is_empty(), "it would stand beside partitions");
    let hits = second.key_index().lookup(&contract, &[], &[1]).expect("nothing");
    assert!(hits.is_empty());
    second.compact(&contract).expect("nothing to do");
}
