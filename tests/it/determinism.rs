//! Same inputs, same bytes: whatever the threads, the locale, the zone, the order of rows and files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use starledger::domain::Digest;

use crate::support::workspace::ran;
use crate::support::{Workspace, ran_sample};

#[test]
fn a_rebuild_from_landing_gives_the_same_bytes() {
    let workspace = ran_sample();
    let before = workspace.release_hashes();
    let name = fs::read_link(workspace.warehouse().join("current")).expect("the pointer");
    for (threads, zone, locale) in [("1", "Asia/Tokyo", "C"), ("2", "America/Santiago", "de_DE.UTF-8")] {
        fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
        let output = workspace
            .command(&["run"])
            .env("POLARS_MAX_THREADS", threads)
            .env("TZ", zone)
            .env("LC_ALL", locale)
            .output()
            .expect("the program starts");
        let again = ran(&output);
        assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
        assert_eq!(
            workspace.release_hashes(),
            before,
            "{threads} threads, {zone}, {locale}"
        );
        assert_eq!(
            fs::read_link(workspace.warehouse().join("current")).expect("the pointer"),
            name
        );
    }
}

#[test]
fn several_runs_are_rebuilt_one_by_one() {
    let workspace = ran_sample();
    workspace.write("sample_data/finance/payments-late.csv", LATE_PAYMENT);
    workspace.ok(&["run"]);
    let before = workspace.release_hashes();
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    let again = workspace.ok(&["run"]);
    assert!(
        again.stdout.contains("2 recorded runs were done again"),
        "{}",
        again.stdout
    );
    assert_eq!(workspace.release_hashes(), before);
}

const LATE_PAYMENT: &str =
    "payment_id,order_line_id,settlement_no,paid_on,amount,currency\nPAY-LATE-1,,S-1,2026-10-11,1.00,EUR\n";

/// Scores and ledger do not cite lines: with rows shuffled and files split they are the same.
#[test]
fn order_of_rows_and_cut_of_files_do_not_matter() {
    let workspace = Workspace::sample();
    let mut changed = 0;
    for folder in ["reference", "finance", "emea", "apac", "latam"] {
        for entry in fs::read_dir(workspace.path().join("sample_data").join(folder)).expect("the inbox") {
            changed += usize::from(shuffle_and_split(&entry.expect("an entry").path()));
        }
    }
    assert!(changed > 30, "only {changed} files could be shuffled");
    workspace.ok(&["run"]);
    let plain = ran_sample();
    for table in [
        "scores",
        "partner_scores",
        "metrics",
        "key_event_points",
        "rebates",
        "ledger",
    ] {
        let of = |w: &Workspace| -> BTreeMap<String, _> {
            w.release_hashes()
                .into_iter()
                .filter(|(path, _)| path.starts_with(&format!("{table}/")))
                .collect()
        };
        assert!(!of(&plain).is_empty());
        assert_eq!(of(&workspace), of(&plain), "{table}");
    }
}

/// Reverses the rows of a delivery whose records are one line each and cuts it in two. Files with planted faults that
/// hang on lines (quotes, preambles, totals) stay as they are.
fn shuffle_and_split(path: &Path) -> bool {
    let Ok(text) = fs::read_to_string(path) else {
        return false;
    };
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    let plain = name.ends_with(".csv") && !text.contains('"') && !text.starts_with('#') && !text.contains('\r');
    let lines: Vec<&str> = text.lines().collect();
    let header = lines.first().copied().unwrap_or_default();
    let dirty = lines.iter().filter(|l| **l == header).count() != 1
        || lines.iter().any(|l| l.starts_with("TOTAL"))
        || name.contains("inspections")
        || name.contains("_again");
    if !plain || dirty || lines.len() < 8 {
        return false;
    }
    let mut rows: Vec<&str> = lines[1..].to_vec();
    rows.reverse();
    let (first, second) = rows.split_at(rows.len() / 3);
    let file = |rows: &[&str]| format!("{header}\n{}\n", rows.join("\n"));
    fs::write(path, file(first)).expect("the first part");
    fs::write(path.with_file_name(name.replace(".csv", "-part2.csv")), file(second)).expect("the second part");
    true
}

/// A rebuild is held to what the record says; another version may come to something else.
#[test]
fn a_rebuild_is_compared_with_its_record() {
    let workspace = ran_sample();
    let record = "landing/runs/00000001.json";
    let original = fs::read_to_string(workspace.path().join(record)).expect("the record");
    let wrong = |text: &str| {
        let (head, tail) = text.split_once("\"manifest_sha256\": \"").expect("the hash");
        let text = format!("{head}\"manifest_sha256\": \"{}{}", "0".repeat(64), &tail[64..]);
        let (head, tail) = text.split_once("\"ledger\": \"").expect("a table");
        format!("{head}\"ledger\": \"{}{}", "0".repeat(64), &tail[64..])
    };
    let replace = |text: &str| {
        fs::remove_file(workspace.path().join(record)).expect("it goes");
        workspace.write(record, text);
        fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    };
    replace(&wrong(&original));
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 7, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("differs is ledger"), "{}", ran.stderr);
    assert!(!workspace.warehouse().join("current").exists());

    let version = format!("\"code_version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    fs::create_dir_all(workspace.warehouse()).expect("the warehouse");
    replace(&wrong(&original).replace(&version, "\"code_version\": \"0.0.0\""));
    workspace.ok(&["run"]);
    assert_eq!(
        fs::read_to_string(workspace.path().join(record)).expect("the record"),
        original
    );
    workspace.ok(&["verify"]);

    // a configuration that this version does not read
    let bundle = "{}\n";
    let hash = Digest::of(bundle.as_bytes()).to_string();
    workspace.write(&format!("landing/configurations/{hash}.json"), bundle);
    let (head, tail) = original.split_once("\"configuration\": \"").expect("the hash");
    replace(&format!("{head}\"configuration\": \"{hash}{}", &tail[64..]));
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("run 1 is to be done again"), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("{hash}.json")), "{}", ran.stderr);
}

#[test]
fn the_present_does_not_go_back() {
    let workspace = ran_sample();
    workspace.write("sample_data/finance/payments-late.csv", LATE_PAYMENT);
    let arrivals = || {
        fs::read_dir(workspace.path().join("landing/arrivals"))
            .expect("arrivals")
            .count()
    };
    let before = arrivals();
    let ran = workspace.run(&["run", "--as-of", "2025-02-01T00:00:00Z"]);
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("present of the current release"), "{}", ran.stderr);
    assert_eq!(arrivals(), before);
}
