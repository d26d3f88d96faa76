//! Every key is found, and nothing is believed that is not whole.

use super::super::fixture;
use super::*;

fn rows(count: u32) -> Vec<RowHash> {
    (0..count)
        .map(|i| RowHash {
            key: xxhash_rust::xxh3::xxh3_128(&i.to_le_bytes()),
            content: u64::from(i) * 3,
        })
        .collect()
}

fn written(folder: &Path, rows: &[RowHash]) -> std::path::PathBuf {
    let path = folder.join("x.keys");
    let entries: Vec<Entry> = rows.iter().copied().map(Entry::from).collect();
    write(&path, &fixture::contract(), &entries).expect("written");
    path
}

fn find(path: &Path, rows: u64, keys: &[u128]) -> Result<Vec<Found>, Unusable> {
    let mut found = Sidecar::open(path, rows, &fixture::contract())?.find(&Wanted::new(keys))?;
    found.sort_unstable();
    Ok(found)
}

#[test]
fn every_key_is_found_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    for count in [0_u32, 1, 2, 511, 512, 513, 5_000] {
        let all = rows(count);
        let path = written(folder.path(), &all);
        // also keys that are not there, one twice, and few of many
        let mut keys: Vec<u128> = rows(count + 1_000).iter().map(|r| r.key).collect();
        keys.push(keys[0]);
        let found = find(&path, count.into(), &keys).expect("an index");
        let one = |(query, row): (usize, u32)| Found {
            query,
            row,
            content: u64::from(row) * 3,
        };
        let mut expected: Vec<Found> = (0..).zip(0..count).map(one).collect();
        if count > 0 {
            expected.push(one((keys.len() - 1, 0)));
        }
        assert_eq!(found, expected, "{count}");
        for few in keys.chunks(7).step_by(97) {
            let there = few.iter().filter(|key| all.iter().any(|row| row.key == **key)).count();
            assert_eq!(find(&path, count.into(), few).expect("an index").len(), there);
        }
        assert_eq!(find(&path, count.into(), &[]).expect("an index"), []);
    }
}

#[test]
fn equal_halves_do_not_confuse() {
    let folder = tempfile::tempdir().expect("a folder");
    // 1,500 keys with one high half fill more than two blocks; each low half stands twice
    let all: Vec<RowHash> = (0..1_500_u64)
        .map(|i| RowHash {
            key: (7 << 64) | u128::from(i / 2),
            content: i,
        })
        .chain([
            RowHash { key: 3, content: 1 },
            RowHash {
                key: u128::MAX,
                content: 2,
            },
        ])
        .collect();
    let path = written(folder.path(), &all);
    let keys = [300, 0, 750].map(|low| (7_u128 << 64) | low);
    let found = find(&path, 1_502, &[keys[0], keys[1], u128::MAX, 3, keys[2]]).expect("an index");
    let of = |f: &Found| (f.query, f.row, f.content);
    let expected = [
        (0, 600, 600),
        (0, 601, 601),
        (1, 0, 0),
        (1, 1, 1),
        (2, 1_501, 2),
        (3, 1_500, 1),
    ];
    assert_eq!(found.iter().map(of).collect::<Vec<_>>(), expected);
}

#[test]
fn a_damaged_index_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = rows(1_200);
    let path = written(folder.path(), &all);
    let bytes = std::fs::read(&path).expect("the index");
    let keys: Vec<u128> = all.iter().map(|r| r.key).collect();
    for at in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        std::fs::write(&path, bad).expect("written");
        assert_eq!(find(&path, 1_200, &keys), Err(Unusable), "byte {at}");
    }
    for cut in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..cut]).expect("written");
        assert_eq!(find(&path, 1_200, &keys), Err(Unusable), "{cut} bytes");
    }
    std::fs::write(&path, &bytes).expect("written");
    assert_eq!(find(&path, 1_199, &keys), Err(Unusable), "another part");
    assert_eq!(find(&path, 1_200, &keys).map(|f| f.len()), Ok(1_200));
}

#[test]
fn an_index_of_another_shape_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(folder.path(), &rows(10));
    let usable = |change: &dyn Fn(&mut Contract)| {
        let mut contract = fixture::contract();
        change(&mut contract);
        Sidecar::open(&path, 10, &contract).is_ok()
    };
    assert!(usable(&|_| {}));
    assert!(
        usable(&|c| {
            let mut added = c.columns[2].clone();
            added.name = "note".to_owned();
            c.columns.insert(3, added);
        }),
        "a column at the end of the delivered ones"
    );
    assert!(!usable(&|c| c.columns.swap(1, 2)));
    assert!(!usable(&|c| c.columns[2].name = "net".to_owned()));
    assert!(!usable(&|c| c.key = vec![1]));
    assert!(!usable(&|c| c.key = vec![0, 1]));
}

#[test]
fn galloping_counts() {
    let values: Vec<u64> = (0..20).collect();
    for (limit, expected) in (0..=20).zip(0..) {
        assert_eq!(gallop(&values, |v| *v < limit), expected);
    }
    assert_eq!(gallop(&[], |_| true), 0);
}
