//! Parts over runs: indexes, compaction, what is carried, what goes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::fixture::{add, contract, facts, files_below, many, names, publish, reference, rows_of, staging};
use super::*;
use crate::domain::Instant;
use crate::store::StoreError;
use crate::store::gc::{Keep, collect};
use crate::store::recover::recover;
use crate::store::release::Release;

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
    let all = many(0, 36_000);
    for part in 0..17 {
        // the first is read in more than one batch
        let rows = (0..36_000).filter(|i| if *i < 34_000 { part == 0 } else { i % 17 == part });
        add(&mut staging, &contract, 1, vec![all.select(&rows.collect::<Vec<_>>())]);
    }
    staging.compact(&contract).expect("compacted");
    let files = staging.files_of("things");
    assert_eq!(files.len(), 1);
    let folder = tempfile::tempdir().expect("a folder");
    let (_, mut other) = super::fixture::staging(folder.path(), 1);
    let (whole, _) = add(&mut other, &contract, 1, vec![all]);
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
    // every file of the release is known: a change that does not show is for `verify` to find
    let good = fs::read(&path).expect("the part");
    let time = fs::metadata(&path).and_then(|m| m.modified()).expect("its time");
    spoil(&path);
    fs::File::options()
        .write(true)
        .open(&path)
        .and_then(|f| f.set_modified(time))
        .expect("its time");
    carry(2).expect("carried");
    let (_, findings) = crate::store::verify::verify(&layout).expect("verified");
    assert!(findings.iter().any(|f| f.rule == "release.changed"), "{findings:?}");
    fs::write(&path, good).expect("as it was");
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
