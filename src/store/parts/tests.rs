//! Parts from rows to disk and back.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use super::fixture::{add, contract, facts, files_below, many, names, reference, rows_of, staging};
use super::route::Router;
use super::*;
use crate::contracts::ColumnType;
use crate::domain::{Batch, Cell, Value};

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
        assert_eq!(hit.content, batch.hashes(&contract.key)[hit.query % 1_000].content);
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
fn full_parts_and_too_many_open_ones_are_completed_on_the_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, staging) = staging(folder.path(), 1);
    let contract = contract();
    let mut router = Router::new(&contract);
    (router.most_open, router.part_rows) = (3, 5_000);
    let mut writer = FeedWriter::routed(&staging, &contract, router).expect("a writer");
    let (mut all, mut places) = (Vec::new(), Vec::new());
    for i in 0..10 {
        let batch = many(i * 9_000, 9_000);
        let hashes = batch.hashes(&contract.key);
        all.push(batch.clone());
        places.extend(writer.write(batch, &hashes, 1, &"a.csv".into()).expect("written"));
    }
    let parts = writer.finish().expect("parts");
    assert!(parts.len() > 24, "{}", parts.len());
    assert!(parts.iter().all(|p| p.file.rows <= 5_000));
    for (number, part) in (0_u32..).zip(&parts) {
        let read = rows_of(&staging.folder().join(&part.file.path), &contract);
        let here = (0..).zip(&places).filter(|(_, place)| place.part == number);
        let ids: Vec<String> = here.map(|(i, _)| format!("L{i:07}")).collect();
        assert_eq!(read.into_iter().map(|row| row.0).collect::<Vec<_>>(), ids);
    }
    let files: Vec<ReleaseFile> = parts.into_iter().map(|p| p.file).collect();
    let keys: Vec<u128> = all
        .iter()
        .flat_map(|b| b.hashes(&contract.key))
        .map(|h| h.key)
        .collect();
    let mut hits = staging.key_index().lookup(&contract, &files, &keys).expect("hits");
    hits.sort_by_key(|hit| hit.query);
    let found: Vec<RowPlace> = hits
        .iter()
        .map(|h| RowPlace {
            part: h.part,
            row: h.row,
        })
        .collect();
    assert_eq!(found, places);
}
