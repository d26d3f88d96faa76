//! `verify` names the file whose byte changed, and the chain the entry that was edited.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::python::script;
use crate::support::ran_sample;
use crate::support::workspace::Ran;

fn parquet_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            parquet_files(&path, out);
        } else {
            out.push(path);
        }
    }
    out.sort();
}

fn writable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("permissions");
}

#[test]
fn one_byte_changed_anywhere_names_the_file() {
    let workspace = ran_sample();
    workspace.ok(&["verify"]);
    let release = fs::canonicalize(workspace.warehouse().join("current")).expect("the release");
    let mut files = Vec::new();
    parquet_files(&release, &mut files);
    assert!(files.len() > 100);
    // first, middle and last byte of files spread over the release
    for (i, path) in files.iter().enumerate().step_by(23) {
        let bytes = fs::read(path).expect("the file");
        writable(path);
        let at = [0, bytes.len() / 2, bytes.len() - 1][i % 3];
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(path, &changed).expect("the changed file");
        let ran = workspace.run(&["verify"]);
        assert_eq!(ran.code, 7, "{} byte {at}\n{}", path.display(), ran.stdout);
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(ran.stderr.contains(&name), "{name} is not named:\n{}", ran.stderr);
        fs::write(path, &bytes).expect("the file as it was");
    }
    let manifests = workspace.warehouse().join("store/manifests");
    let manifest = fs::read_dir(manifests)
        .expect("manifests")
        .next()
        .expect("one")
        .expect("it")
        .path();
    writable(&manifest);
    let text = fs::read_to_string(&manifest).expect("the manifest");
    fs::write(&manifest, text.replacen("\"bytes\": 1", "\"bytes\": 2", 1)).expect("the changed manifest");
    let ran = workspace.run(&["verify"]);
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    fs::write(&manifest, text).expect("the manifest as it was");
    workspace.ok(&["verify"]);
}

#[test]
fn a_foreign_file_and_a_missing_original_are_named() {
    let workspace = ran_sample();
    let foreign = workspace.warehouse().join("current/sales/extra.parquet");
    fs::write(&foreign, b"x").expect("a foreign file");
    let original = fs::read_dir(workspace.path().join("landing/originals"))
        .expect("originals")
        .next()
        .expect("one")
        .expect("it");
    fs::remove_file(original.path()).expect("it goes");
    let ran = workspace.run(&["verify"]);
    assert_eq!(ran.code, 7);
    assert!(ran.stderr.contains("extra.parquet"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(&*original.file_name().to_string_lossy()),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_edited_ledger_entry_is_named_by_the_chain() {
    let workspace = ran_sample();
    let edit = r#"
import sys, glob, os, pyarrow as pa, pyarrow.parquet as pq, decimal
path = sorted(glob.glob(sys.argv[1] + "/warehouse/current/ledger/**/*.parquet", recursive=True))[0]
path = os.path.realpath(path)
table = pq.read_table(path, partitioning=None)
rows = table.to_pylist()
entry = rows[3]["entry_no"]
rows[3]["amount"] += decimal.Decimal("0.0100")
os.chmod(path, 0o644)
pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
print(entry)
"#;
    let entry = script(edit, &[&workspace.path().to_string_lossy()]);
    let ran = workspace.run(&["verify"]);
    assert_eq!(ran.code, 7, "{}", ran.stdout);
    let named = format!("ledger entry {}", entry.trim());
    assert!(ran.stderr.contains(&named), "{named} is not named:\n{}", ran.stderr);
}

#[test]
fn a_carried_file_that_was_changed_is_not_computed_on() {
    let workspace = ran_sample();
    let current = workspace.warehouse().join("current");
    let before = fs::read_link(&current).expect("the pointer");
    let mut files = Vec::new();
    parquet_files(&current.join("sales"), &mut files);
    let path = &files[0];
    let mut bytes = fs::read(path).expect("the file");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    writable(path);
    fs::write(path, bytes).expect("the changed file");
    workspace.write("sample_data/finance/payments-late.csv", LATE_PAYMENT);
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 7, "{}{}", ran.stdout, ran.stderr);
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(ran.stderr.contains(&name), "{name} is not named:\n{}", ran.stderr);
    assert_eq!(fs::read_link(&current).expect("the pointer"), before);
    // what the failed run staged is gone, and it has left no record
    let left = |folder: &str| fs::read_dir(workspace.path().join(folder)).map_or(0, Iterator::count);
    assert_eq!(left("warehouse/store/staging"), 0);
    assert_eq!(left("landing/runs"), 1);
}

const LATE_PAYMENT: &str =
    "payment_id,order_line_id,settlement_no,paid_on,amount,currency\nPAY-LATE-1,,S-1,2026-10-11,1.00,EUR\n";

fn only_file(folder: &Path) -> PathBuf {
    let mut files = Vec::new();
    parquet_files(folder, &mut files);
    files.remove(0)
}

#[test]
fn records_manifests_and_configurations_are_verified() {
    let workspace = ran_sample();
    let landing = workspace.path().join("landing");
    let manifest = only_file(&workspace.warehouse().join("store/manifests"));
    let edits = [
        (manifest, "\"code_version\": \"0", "\"code_version\": \"9"),
        (landing.join("runs/00000001.json"), "\"as_of\": \"2", "\"as_of\": \"1"),
        (only_file(&landing.join("configurations")), "enabled", "disabled"),
        (
            landing.join("arrivals/00000003.json"),
            "\"arrival\": 3",
            "\"arrival\": 4",
        ),
        (landing.join("arrivals/00000003.json"), "{", ""),
    ];
    for (path, from, to) in edits {
        let bytes = fs::read_to_string(&path).expect("the file");
        writable(&path);
        let changed = if bytes.contains(from) {
            bytes.replacen(from, to, 1)
        } else {
            format!("{bytes} ")
        };
        fs::write(&path, changed).expect("the changed file");
        named(&workspace.run(&["verify"]), &path);
        fs::write(&path, bytes).expect("the file as it was");
    }
    for name in ["runs/00000001.json", "arrivals/00000002.json"] {
        let path = landing.join(name);
        let aside = workspace.path().join("aside");
        fs::rename(&path, &aside).expect("it goes");
        let ran = workspace.run(&["verify"]);
        assert_eq!(ran.code, 7, "{name}: {}", ran.stdout);
        fs::rename(&aside, &path).expect("it comes back");
    }
    workspace.ok(&["verify"]);
}

fn named(ran: &Ran, path: &Path) {
    assert_eq!(ran.code, 7, "{}: {}{}", path.display(), ran.stdout, ran.stderr);
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(ran.stderr.contains(&name), "{name} is not named:\n{}", ran.stderr);
}

#[test]
fn personal_data_is_for_its_owner_only() {
    let workspace = ran_sample();
    for folder in ["landing", "warehouse/private", "warehouse/outbox"] {
        let mode = fs::metadata(workspace.path().join(folder))
            .expect(folder)
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
}

#[test]
fn a_damaged_operations_database_says_what_to_do() {
    let workspace = ran_sample();
    let database = workspace.warehouse().join("operations.db");
    fs::write(&database, "no database ".repeat(1000)).expect("damage");
    workspace.write("sample_data/finance/payments-late.csv", LATE_PAYMENT);
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains("history only: remove it and run again"),
        "{}",
        ran.stderr
    );
    fs::remove_file(&database).expect("it goes");
    workspace.ok(&["run"]);
}
