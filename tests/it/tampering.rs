//! Every way to tamper with the files of a ledger: bytes changed, removed, exchanged, files cut off.
//!
//! The file is always named, by its hash. Where what is left can still be decoded and an entry differs, the entry is named
//! too. One in many places is tried; `STARLEDGER_TAMPERINGS=11 cargo test --test it tampering` tries the hash at every
//! place and decodes at every 11th.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::catch_unwind;
use std::path::Path;

use starledger::ledger::{Entry, table};
use starledger::pipeline::verify::ledger_findings;
use starledger::store::layout::Layout;
use starledger::store::parquet;
use starledger::store::release::Release;

use crate::support::ran_sample;

/// What was done to a file.
#[derive(Clone, Copy, Debug)]
enum Tampering {
    Flipped(u8),
    Removed,
    Exchanged,
    CutOff,
}

impl Tampering {
    const ALL: [Tampering; 5] = [
        Tampering::Flipped(0x01),
        Tampering::Flipped(0xFF),
        Tampering::Removed,
        Tampering::Exchanged,
        Tampering::CutOff,
    ];

    /// The bytes afterwards; none where nothing changes.
    fn at(self, bytes: &[u8], place: usize) -> Option<Vec<u8>> {
        let mut changed = bytes.to_vec();
        match self {
            Tampering::Flipped(mask) => changed[place] ^= mask,
            Tampering::Removed => drop(changed.remove(place)),
            Tampering::Exchanged if place + 1 < changed.len() => changed.swap(place, place + 1),
            Tampering::Exchanged => return None,
            Tampering::CutOff => changed.truncate(place),
        }
        (changed != bytes).then_some(changed)
    }
}

/// Entries of all files, if they can be decoded.
fn decoded(release: &Release) -> Option<Vec<Entry>> {
    let mut all: Option<starledger::domain::Table> = None;
    for file in release.files_of("ledger") {
        let path = release.path_of(file);
        let part = catch_unwind(|| parquet::read(&path, "ledger")).ok()?.ok()?;
        match &mut all {
            None => all = Some(part),
            Some(all) => all.rows.extend(part.rows),
        }
    }
    table::from_table(&all?).ok()
}

#[test]
fn whatever_is_done_to_a_file_of_the_ledger_is_found() {
    let workspace = ran_sample();
    let layout = Layout::new(workspace.path());
    let release = Release::current(&layout).expect("a release").expect("one");
    let honest = decoded(&release).expect("a ledger");
    assert!(honest.len() > 100 && ledger_findings(&release).is_empty());
    // packages that decode print where they panic
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let every: Option<usize> = std::env::var("STARLEDGER_TAMPERINGS")
        .ok()
        .map(|n| n.parse().expect("a number"));
    let (mut tried, mut named) = (0_usize, 0_usize);
    let files: Vec<_> = release.files_of("ledger").cloned().collect();
    assert!(files.len() > 2);
    let mut failures = Vec::new();
    for file in &files {
        let path = release.path_of(file);
        let bytes = fs::read(&path).expect("the file");
        for (kind, tampering) in Tampering::ALL.into_iter().enumerate() {
            let places = (0..bytes.len()).skip(if every.is_some() { 0 } else { kind * 37 });
            for place in places.step_by(if every.is_some() { 1 } else { 499 }) {
                let Some(changed) = tampering.at(&bytes, place) else {
                    continue;
                };
                tried += 1;
                replace(&path, &changed);
                let by_hash = release
                    .check_file(file)
                    .err()
                    .map(|e| e.to_string())
                    .unwrap_or_default();
                if !by_hash.contains(&file.path) {
                    failures.push(format!("{tampering:?} at {place} of {}: '{by_hash}'", file.path));
                }
                if every.is_some_and(|n| place % n != 0) {
                    continue;
                }
                if let Some(found) = decoded(&release)
                    && found != honest
                {
                    let at = first_difference(&honest, &found);
                    let says: Vec<String> = ledger_findings(&release).iter().map(|f| f.message.clone()).collect();
                    let is_named = |n: i64| says.iter().any(|s| s.contains(&format!("entry {n} ")));
                    if is_named(at) || is_named(at + 1) {
                        named += 1;
                    } else {
                        failures.push(format!(
                            "{tampering:?} at {place} of {}: entry {at}: {says:?}",
                            file.path
                        ));
                    }
                }
            }
        }
        replace(&path, &bytes);
    }
    std::panic::set_hook(hook);
    assert!(
        failures.is_empty(),
        "{} of {tried}: {}",
        failures.len(),
        failures[..failures.len().min(20)].join("\n")
    );
    assert!(tried > 300, "{tried}");
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("{tried} tamperings found, {named} of them by entry as well\n"),
    );
    assert!(ledger_findings(&release).is_empty());
}

fn first_difference(honest: &[Entry], found: &[Entry]) -> i64 {
    let at = honest.iter().zip(found).position(|(a, b)| a != b);
    let at = at.unwrap_or_else(|| honest.len().min(found.len()));
    i64::try_from(at).expect("few") + 1
}

fn replace(path: &Path, bytes: &[u8]) {
    // a file of a release may be a hard link: it is replaced, not written into
    fs::remove_file(path).expect("it goes");
    fs::write(path, bytes).expect("the file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("permissions");
}
