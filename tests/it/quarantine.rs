//! Rejected records from the list to their correction: a sheet goes out, comes back, and a run takes it in.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use calamine::{Reader, Xlsx};
use serde_json::Value as Json;

use crate::support::{Workspace, ran_sample};

fn json(workspace: &Workspace, arguments: &[&str]) -> Json {
    serde_json::from_str(&workspace.ok(arguments).stdout).expect("JSON")
}

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    json(workspace, &["query", "--json", sql])
        .as_array()
        .expect("rows")
        .clone()
}

fn text(row: &Json, column: &str) -> String {
    row[column].as_str().unwrap_or_default().to_owned()
}

/// The one record of a rule in a file.
fn record(workspace: &Workspace, file: &str, rule: &str) -> String {
    let sql = format!(
        "SELECT arrival, source_line FROM quarantine WHERE rule = '{rule}' AND source_file = 'sample_data/{file}' \
         ORDER BY arrival, source_line, row_no LIMIT 1"
    );
    let found = rows(workspace, &sql);
    format!("{}:{}", found[0]["arrival"], found[0]["source_line"])
}

type Sheets = BTreeMap<String, Vec<Vec<String>>>;

fn read(path: &Path) -> Sheets {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(fs::read(path).expect("the workbook"))).expect("a workbook");
    workbook
        .worksheets()
        .into_iter()
        .map(|(name, range)| {
            let texts = range.rows().map(|row| row.iter().map(ToString::to_string).collect());
            (name, texts.collect())
        })
        .collect()
}

fn write(path: &Path, sheets: &Sheets) {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    for (name, rows) in sheets {
        let sheet = workbook.add_worksheet();
        sheet.set_name(name).expect("a name");
        for (r, row) in (0..).zip(rows) {
            for (c, text) in (0..).zip(row) {
                sheet.write_string(r, c, text).expect("a cell");
            }
        }
    }
    fs::write(path, workbook.save_to_buffer().expect("bytes")).expect("the workbook is written");
}

/// Writes a text into the cell of a record.
fn correct(sheets: &mut Sheets, feed: &str, id: &str, column: &str, value: &str) {
    let sheet = sheets.get_mut(feed).expect("the feed has a sheet");
    // the delivered columns begin behind seven others
    let at = 7 + sheet[0][7..].iter().position(|name| name == column).expect("a column");
    let row = sheet.iter_mut().find(|row| row[0] == id).expect("the record is there");
    value.clone_into(&mut row[at]);
}

fn corrections(workspace: &Workspace) -> Vec<String> {
    let folder = workspace.path().join("corrections");
    let mut names: Vec<String> = fs::read_dir(folder)
        .map(|entries| {
            let name = |e: std::io::Result<fs::DirEntry>| e.expect("an entry").file_name();
            entries.map(|e| name(e).to_string_lossy().into_owned()).collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn a_corrected_record_comes_in_like_any_other() {
    let workspace = ran_sample();
    let planted = fs::read_to_string(workspace.path().join("sample_data/PLANTED.csv")).expect("planted faults");
    let planted = planted.lines().filter(|l| l.ends_with(",quarantined")).count();
    let listed = json(&workspace, &["quarantine", "list", "--held", "--json"]);
    assert_eq!(listed["open"], planted);
    assert_eq!(listed["corrected"], 0);
    assert_eq!(listed["held"].as_array().expect("rows").len(), 4);
    assert_eq!(listed["set_aside"].as_array().expect("rows").len(), 2);
    let filtered = json(
        &workspace,
        &[
            "quarantine",
            "list",
            "--json",
            "--feed",
            "sales",
            "--file",
            "sales-2026-Q1.csv",
            "--rule",
            "date.grammar",
        ],
    );
    assert_eq!(filtered["open"], 3);

    // out
    let path = workspace.path().join("q.xlsx");
    let file = path.to_str().expect("a path");
    let told = workspace.ok(&["quarantine", "export", "--out", file]).stdout;
    assert!(told.contains("only its owner may read it"), "{told}");
    assert_eq!(
        fs::metadata(&path).expect("the file").permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        workspace.run(&["quarantine", "export", "--out", file]).code,
        2,
        "it is not overwritten"
    );
    let replay = |more: &[&str]| {
        let arguments = [
            "quarantine",
            "replay",
            file,
            "--by",
            "d.steward",
            "--reason",
            "asked the partner",
        ];
        workspace.run(&[&arguments, more].concat())
    };
    let untouched = replay(&[]);
    assert_eq!(
        (untouched.code, untouched.stdout.contains("nothing to do")),
        (0, true),
        "{}",
        untouched.stderr
    );

    // corrected: a date, a number, bytes that were no text, a record that could not be split; one is still wrong
    let serial = record(&workspace, "apac/sales-2026-Q1.csv", "date.grammar");
    let digits = record(&workspace, "apac/sales-2025-Q4.csv", "number.character");
    let wide = record(&workspace, "emea/sales-2025-Q4.csv", "record.width");
    let bytes = record(&workspace, "apac/surveys-2026-Q1.csv", "record.encoding");
    let marks = record(&workspace, "finance/payments.csv", "decimal.grammar");
    let mut sheets = read(&path);
    correct(&mut sheets, "sales", &serial, "ordered_on", "2026-01-01");
    correct(&mut sheets, "sales", &digits, "quantity", "2x");
    correct(&mut sheets, "surveys", &bytes, "comment", "café visit");
    correct(&mut sheets, "payments", &marks, "amount", "1234.5");
    let filled = [
        ("order_line_id", "X-WIDE"),
        ("partner_id", "EM-0005"),
        ("product_id", "CL-C-300"),
        ("line_kind", "service"),
        ("service_model", "collaborative"),
        ("list_amount", "16812.14"),
        ("discount_rate", "0.2"),
        ("net_amount", "13449.71"),
        ("quantity", "6"),
        ("currency", "GBP"),
        ("selling_entity", "SL-EMEA"),
        ("ordered_on", "2025-09-24"),
        ("invoiced_on", "2025-10-04"),
    ];
    for (column, value) in filled {
        correct(&mut sheets, "sales", &wide, column, value);
    }
    write(&path, &sheets);
    let refused = replay(&[]);
    assert_eq!(refused.code, 3, "{}", refused.stdout);
    assert!(
        refused.stderr.contains("[quantity]") && refused.stderr.contains("integer.grammar"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("sheet sales:"), "{}", refused.stderr);
    assert_eq!(
        corrections(&workspace),
        Vec::<String>::new(),
        "nothing is written while something is wrong"
    );
    let partly = replay(&["--partial"]);
    assert_eq!(partly.code, 3);
    assert!(partly.stdout.contains("4 decisions"), "{}", partly.stdout);
    let first = corrections(&workspace);
    assert_eq!(first.len(), 4, "{first:?}");

    // what was delivered waits for the run, and is not delivered twice; another correction of it is refused
    correct(&mut sheets, "sales", &digits, "quantity", "2");
    write(&path, &sheets);
    let rest = replay(&["--json"]);
    assert_eq!(rest.code, 0, "{}", rest.stderr);
    let rest: Json = serde_json::from_str(&rest.stdout).expect("JSON");
    assert_eq!(
        (&rest["corrected"], &rest["known"]),
        (&Json::from(1), &Json::from(4)),
        "{rest}"
    );
    assert_eq!(corrections(&workspace).len(), 6);
    let mut other = sheets.clone();
    correct(&mut other, "payments", &marks, "amount", "9999.5");
    let elsewhere = workspace.path().join("other.xlsx");
    write(&elsewhere, &other);
    let arguments = [
        "quarantine",
        "replay",
        elsewhere.to_str().expect("a path"),
        "--by",
        "x",
        "--reason",
        "y",
    ];
    let twice = workspace.run(&arguments);
    assert!(
        twice.code == 3 && twice.stderr.contains("correct.pending"),
        "{}",
        twice.stderr
    );

    // in
    let files_before = rows(&workspace, "SELECT * FROM files ORDER BY arrival");
    workspace.ok(&["plan"]);
    workspace.ok(&["run"]);
    let resolved = rows(
        &workspace,
        "SELECT arrival, source_line, resolved_by FROM quarantine WHERE resolved_by IS NOT NULL",
    );
    let mut ids: Vec<String> = resolved
        .iter()
        .map(|r| format!("{}:{}", r["arrival"], r["source_line"]))
        .collect();
    ids.dedup();
    let mut expected = vec![serial.clone(), digits, wide.clone(), bytes.clone(), marks];
    expected.sort();
    ids.sort();
    assert_eq!(ids, expected);
    let current = rows(
        &workspace,
        "SELECT quantity, source_file FROM sales WHERE order_line_id = 'X-WIDE'",
    );
    assert!(
        text(&current[0], "source_file").starts_with("corrections/sales-"),
        "{current:?}"
    );
    assert_eq!(
        rows(
            &workspace,
            "SELECT survey_id FROM surveys WHERE survey_id = 'X-invalid-UTF-8-60'"
        )
        .len(),
        1
    );
    let listed = json(&workspace, &["quarantine", "list", "--json"]);
    assert_eq!(listed["open"], planted - 5);
    assert_eq!(listed["corrected"], 5);
    let shown = workspace.ok(&["quarantine", "show", &wide]).stdout;
    assert!(
        shown.contains("by d.steward (data_steward)") && shown.contains("corrections/sales-"),
        "{shown}"
    );
    // nothing is lost: the counts of the files that were there stay as they are, and the sums hold
    let files_after = rows(&workspace, "SELECT * FROM files ORDER BY arrival");
    assert_eq!(files_after[..files_before.len()], files_before);
    let broken = rows(
        &workspace,
        "SELECT arrival FROM files WHERE records <> current + superseded + duplicate + quarantined + held + skipped",
    );
    assert_eq!(broken, Vec::<Json>::new());

    // again: known, and a run has nothing to do
    let again = replay(&["--json"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    let again: Json = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(
        (&again["corrected"], &again["known"]),
        (&Json::from(0), &Json::from(5)),
        "{again}"
    );
    assert_eq!(corrections(&workspace).len(), 6);
    assert!(workspace.ok(&["run"]).stdout.contains("nothing to do"));
    let otherwise = workspace.run(&arguments);
    assert!(otherwise.stderr.contains("correct.resolved"), "{}", otherwise.stderr);

    // and the whole of it is rebuilt from landing
    workspace.ok(&["verify"]);
    let release = workspace.release_hashes();
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    fs::remove_dir_all(workspace.path().join("corrections")).expect("the folder goes");
    workspace.ok(&["run"]);
    assert_eq!(workspace.release_hashes(), release);
}

#[test]
fn csv_for_people_holds_no_formula_and_comes_back() {
    let workspace = ran_sample();
    let reason = "=cmd|' /C calc'!A0";
    workspace.write(
        "sample_data/finance/disputes-hostile.csv",
        &format!("dispute_id,settlement_no,line,raised_on,reason,resolution,resolved_on\nD-HOSTILE,S-1,,2026-02-31,{reason},,\n"),
    );
    workspace.ok(&["run"]);
    let path = workspace.path().join("q.csv");
    let file = path.to_str().expect("a path");
    let several = workspace.run(&["quarantine", "export", "--format", "csv", "--out", file]);
    assert!(
        several.code == 2 && several.stderr.contains("disputes, payments"),
        "{}",
        several.stderr
    );
    workspace.ok(&[
        "quarantine",
        "export",
        "--format",
        "csv",
        "--feed",
        "disputes",
        "--out",
        file,
    ]);
    let text = fs::read_to_string(&path).expect("the CSV");
    assert!(
        text.contains(&format!("\"'{reason}\"")) && !text.contains("\"="),
        "{text}"
    );
    fs::write(&path, text.replacen("\"2026-02-31\"", "\"2026-02-28\"", 1)).expect("corrected");
    workspace.ok(&[
        "quarantine",
        "replay",
        file,
        "--by",
        "d.steward",
        "--reason",
        "a day that is",
    ]);
    workspace.ok(&["run"]);
    let found = rows(&workspace, "SELECT reason FROM disputes WHERE dispute_id = 'D-HOSTILE'");
    assert_eq!(found[0]["reason"], reason);
    assert_eq!(
        json(&workspace, &["quarantine", "list", "--json", "--feed", "disputes"])["open"],
        0
    );
}

#[test]
fn a_mapping_that_was_corrected_makes_records_of_rejected_ones() {
    let workspace = ran_sample();
    let path = workspace.path().join("q.xlsx");
    let file = path.to_str().expect("a path");
    // thousands separators that the source did not declare
    let source = "feed = \"payments\"\nfiles = [\"sample_data/finance/payments.csv\", \"sample_data/finance/payments-*.csv\"]\nformat = \"csv\"";
    workspace.edit(
        "pipelines/sources/finance.toml",
        source,
        &format!("{source}\ngrouping_mark = \",\""),
    );
    workspace.ok(&["quarantine", "export", "--feed", "payments", "--out", file]);
    let told = workspace.ok(&[
        "quarantine",
        "replay",
        file,
        "--by",
        "d.steward",
        "--reason",
        "the source was corrected",
    ]);
    assert!(told.stdout.contains("1 decision"), "{}", told.stdout);
    workspace.ok(&["run"]);
    assert_eq!(
        json(&workspace, &["quarantine", "list", "--json", "--feed", "payments"])["open"],
        0
    );
}

#[test]
fn what_cannot_be_replayed_is_told() {
    let workspace = ran_sample();
    let path = workspace.path().join("q.xlsx");
    let file = path.to_str().expect("a path");
    workspace.ok(&["quarantine", "export", "--out", file]);
    let replay = |more: &[&str]| {
        let arguments = ["quarantine", "replay", file, "--by", "d.steward", "--reason", "because"];
        workspace.run(&[&arguments, more].concat())
    };
    // a conflict stays one while its key is the same, unless the corrections supersede
    let conflicts = "name = \"corrections-surveys\"\nfeed = \"surveys\"\nfiles = [\"corrections/surveys-*.csv\"]\nformat = \"csv\"\n";
    workspace.edit(
        "pipelines/sources/corrections.toml",
        &format!("{conflicts}mode = \"upsert\"\n"),
        conflicts,
    );
    let conflict = record(&workspace, "apac/surveys-2025-Q4.csv", "key.conflict");
    let named = replay(&["--row", &conflict]);
    assert!(
        named.code == 3 && named.stderr.contains("correct.conflict"),
        "{}",
        named.stderr
    );
    assert_eq!(replay(&["--row", "1:1"]).code, 2);
    // two records of one key
    let mut sheets = read(&path);
    let sales: Vec<String> = sheets["sales"][1..].iter().map(|r| r[0].clone()).collect();
    let dates: Vec<&String> = sales
        .iter()
        .filter(|id| sheets["sales"].iter().any(|r| r[0] == **id && r[3] == "date.grammar"))
        .take(2)
        .collect();
    for id in &dates {
        correct(&mut sheets, "sales", id, "ordered_on", "2026-01-02");
        correct(&mut sheets, "sales", id, "order_line_id", "X-SAME");
        correct(&mut sheets, "sales", id, "invoiced_on", "2026-01-05");
    }
    write(&path, &sheets);
    let twins = replay(&[]);
    assert!(
        twins.code == 3 && twins.stderr.contains("correct.key"),
        "{}",
        twins.stderr
    );
    // a sheet whose columns were moved
    sheets.get_mut("sales").expect("sales")[0].swap(8, 9);
    write(&path, &sheets);
    let moved = replay(&[]);
    assert!(
        moved.code == 3 && moved.stderr.contains("sheet.header"),
        "{}",
        moved.stderr
    );
    assert_eq!(corrections(&workspace), Vec::<String>::new());

    // a decision about nothing is a finding of the run, and stops nothing
    let hash = "ab".repeat(32);
    workspace.write(
        "corrections/decisions-by-hand.csv",
        &format!(
            "decision_id,kind,subject,subject_hash,outcome,amount,currency,effective_on,reason,by,role,decided_at\n\
             C-1,correct,99999:1:{hash},{hash},corrected,,,,x,d.steward,data_steward,2026-10-01T10:00:00Z\n"
        ),
    );
    let ran = workspace.ok(&["run", "--json"]);
    assert!(ran.stdout.contains("correct.subject"), "{}", ran.stdout);

    // files set aside say how they are taken up
    let listed = json(&workspace, &["quarantine", "list", "--json"]);
    let arrival = listed["set_aside"][0]["arrival"].to_string();
    let shown = workspace.ok(&["quarantine", "show", &arrival]).stdout;
    assert!(
        shown.contains("read again whenever the configuration changes"),
        "{shown}"
    );
}
