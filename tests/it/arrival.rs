//! The arrival of files: what is taken in, what waits, what is refused. Tests bear the number of their fault in the
//! list of faults.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use starledger::domain::Digest;

use crate::support::workspace::{Ran, hashes};
use crate::support::{Workspace, ran_sample};

/// Longest that any run of these tests may take, whatever stands in the inbox.
const PATIENCE: Duration = Duration::from_mins(2);

/// A programme without data, and one more source: payments from `inbox/`.
fn with_inbox(keys: &str) -> Workspace {
    let workspace = Workspace::sample();
    fs::remove_dir_all(workspace.path().join("sample_data")).expect("the sample's inbox goes");
    declare(&workspace, keys);
    fs::create_dir_all(workspace.path().join("inbox")).expect("the inbox");
    workspace
}

fn declare(workspace: &Workspace, keys: &str) {
    let source = format!(
        "[[source]]\nname = \"inbox\"\nfeed = \"payments\"\nfiles = [\"inbox/*\", \"inbox/sub/*.csv\"]\nformat = \"csv\"\n{keys}\n"
    );
    workspace.write("pipelines/sources/inbox.toml", &source);
}

fn payments(amount: &str, ids: &[&str]) -> String {
    let mut text = "payment_id,order_line_id,settlement_no,paid_on,amount,currency\n".to_owned();
    for id in ids {
        text.push_str(&format!("PAY-{id},,S-1,2026-10-11,{amount},EUR\n"));
    }
    text
}

fn rows(workspace: &Workspace, sql: &str) -> Vec<serde_json::Value> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

/// Ids and amounts of what came from the inbox, as far as it is current.
fn current(workspace: &Workspace) -> Vec<String> {
    let sql = "SELECT payment_id, amount FROM payments WHERE source_file LIKE 'inbox/%' ORDER BY payment_id";
    let show = |row: &serde_json::Value| {
        format!(
            "{} {}",
            row["payment_id"].as_str().unwrap_or("?").trim_start_matches("PAY-"),
            row["amount"].as_str().unwrap_or("?")
        )
    };
    rows(workspace, sql).iter().map(show).collect()
}

/// Names, under `inbox/`, of what has arrived, in order.
fn arrived(workspace: &Workspace) -> Vec<String> {
    arrivals(workspace)
        .iter()
        .map(|a| a["file_name"].as_str().expect("a name").to_owned())
        .filter_map(|name| name.strip_prefix("inbox/").map(str::to_owned))
        .collect()
}

fn arrivals(workspace: &Workspace) -> Vec<serde_json::Value> {
    let folder = workspace.path().join("landing/arrivals");
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|p| serde_json::from_str(&fs::read_to_string(p).expect("an arrival")).expect("JSON"))
        .collect()
}

/// Findings of a `--json` answer with a rule, as `file: message`.
fn told(ran: &Ran, rule: &str) -> Vec<String> {
    let answer: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let findings = answer.get("findings").or_else(|| answer.get("inbox"));
    findings
        .and_then(serde_json::Value::as_array)
        .expect("findings")
        .iter()
        .filter(|f| f["rule"] == rule)
        .map(|f| {
            format!(
                "{}: {}",
                f["file"].as_str().unwrap_or_default(),
                f["message"].as_str().unwrap_or_default()
            )
        })
        .collect()
}

fn inbox(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.path().join("inbox").join(name)
}

fn age(path: &Path, seconds: u64) {
    let then = SystemTime::now() - Duration::from_secs(seconds);
    let file = File::options().write(true).open(path).expect("the file");
    file.set_modified(then).expect("its time");
}

/// Runs with a time limit: a run that waits for a pipe would wait for ever.
fn run_in_time(workspace: &Workspace, arguments: &[&str]) -> Ran {
    let mut child = workspace
        .command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let begun = Instant::now();
    let done = AtomicBool::new(false);
    let id = rustix::process::Pid::from_child(&child);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                if begun.elapsed() > PATIENCE {
                    let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
                    return;
                }
                thread::sleep(Duration::from_millis(50));
            }
        });
        let read = |mut from: Box<dyn std::io::Read + Send>| {
            let mut text = Vec::new();
            from.read_to_end(&mut text).expect("output");
            String::from_utf8_lossy(&text).into_owned()
        };
        let err = child.stderr.take().expect("stderr");
        let errors = scope.spawn(move || read(Box::new(err)));
        let stdout = read(Box::new(child.stdout.take().expect("stdout")));
        let status = child.wait().expect("it ends");
        done.store(true, Ordering::SeqCst);
        assert!(begun.elapsed() < PATIENCE, "the run did not end by itself");
        Ran {
            code: status.code().unwrap_or(-1),
            stdout,
            stderr: errors.join().expect("stderr"),
        }
    })
}

/// Does something over and over while the program runs.
fn run_while(workspace: &Workspace, mut act: impl FnMut() + Send) -> Ran {
    let stop = AtomicBool::new(false);
    let begun = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                act();
                begun.store(true, Ordering::SeqCst);
            }
        });
        while !begun.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        let ran = run_in_time(workspace, &["run", "--json"]);
        stop.store(true, Ordering::SeqCst);
        ran
    })
}

fn pipe(path: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).expect("a pipe");
}

#[test]
fn fault_25_a_file_still_being_written_waits() {
    let workspace = with_inbox("");
    fs::write(inbox(&workspace, "whole.csv"), payments("1.00", &["W"])).expect("a file");
    let path = inbox(&workspace, "slow.csv");
    fs::write(&path, payments("1.00", &[])).expect("a file");
    let mut writer = File::options().append(true).open(&path).expect("the file");
    let mut written = 0;
    // a writer that the machine lets sleep looks like one that is done, so that it may take another run
    let seen_moving = (0..5).any(|_| {
        let ran = run_while(&workspace, || {
            writer
                .write_all(format!("PAY-S{written},,S-1,2026-10-11,1.00,EUR\n").as_bytes())
                .expect("a row");
            written += 1;
            thread::sleep(Duration::from_millis(2));
        });
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let changing = told(&ran, "inbox.changing");
        changing.iter().any(|told| told.starts_with("inbox/slow.csv: "))
    });
    assert!(seen_moving);
    assert!(arrived(&workspace).contains(&"whole.csv".to_owned()));
    // nobody writes any more: every row is there
    workspace.ok(&["run"]);
    assert_eq!(current(&workspace).len(), written + 1);
    workspace.ok(&["verify"]);
}

#[test]
fn fault_25_a_file_waits_for_its_time_or_its_marker_and_everybody_says_so() {
    let workspace = with_inbox("ready = { stable_seconds = 3600 }");
    let path = inbox(&workspace, "a.csv");
    fs::write(&path, payments("1.00", &["A"])).expect("a file");
    workspace.ok(&["run"]);
    let waits = |expected: &str| {
        let before = hashes(workspace.path());
        for command in [&["run", "--json"][..], &["plan", "--json"], &["status", "--json"]] {
            let found = told(&workspace.ok(command), "inbox.waiting");
            assert!(
                found.len() == 1 && found[0].contains(expected),
                "{command:?}: {found:?}"
            );
        }
        let text = workspace.ok(&["run"]).stdout;
        assert!(text.contains("inbox.waiting") && text.contains("help: "), "{text}");
        assert!(workspace.ok(&["status"]).stdout.contains("inbox.waiting"));
        assert_eq!(arrived(&workspace), Vec::<String>::new());
        assert_eq!(hashes(workspace.path()), before, "waiting changed a byte");
    };
    waits("has to stand still for 3600");
    let later = SystemTime::now() + Duration::from_hours(24);
    File::options()
        .write(true)
        .open(&path)
        .and_then(|f| f.set_modified(later))
        .expect("its time");
    waits("in the future");
    age(&path, 3700);
    workspace.ok(&["run"]);
    assert_eq!(arrived(&workspace), ["a.csv"]);
    assert_eq!(current(&workspace), ["A 1.0000"]);

    declare(&workspace, "ready = { done_suffix = \".done\" }");
    fs::write(inbox(&workspace, "b.csv"), payments("2.00", &["B"])).expect("a file");
    let found = told(&workspace.ok(&["run", "--json"]), "inbox.waiting");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("inbox/b.csv: ") && found[0].contains("'.done'"),
        "{found:?}"
    );
    let marker = inbox(&workspace, "b.csv.done");
    fs::write(&marker, "").expect("the marker");
    // a marker of before says nothing about what is written now
    age(&marker, 60);
    let found = told(&workspace.ok(&["run", "--json"]), "inbox.waiting");
    assert!(found.len() == 1 && found[0].contains("after the file"), "{found:?}");
    fs::write(&marker, "").expect("the marker");
    workspace.ok(&["run"]);
    assert_eq!(arrived(&workspace), ["a.csv", "b.csv"], "the marker is no delivery");
    assert!(marker.exists(), "the marker is left where it is");
    assert_eq!(current(&workspace), ["A 1.0000", "B 2.0000"]);
}

#[test]
fn fault_26_a_file_that_is_swapped_during_a_run_is_one_of_both() {
    let workspace = with_inbox("");
    let ids: Vec<String> = (0..4000).map(|i| i.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (one, other) = (payments("1.00", &ids), payments("2.00", &ids[..3000]));
    let whole = [one.as_bytes(), other.as_bytes()].map(|bytes| Digest::of(bytes).to_string());
    let (path, next) = (inbox(&workspace, "a.csv"), workspace.path().join("next"));
    let mut turn = false;
    let ran = run_while(&workspace, || {
        turn = !turn;
        fs::write(&next, if turn { &one } else { &other }).expect("a version");
        fs::rename(&next, &path).expect("swapped");
        thread::sleep(Duration::from_millis(30));
    });
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let taken = |w: &Workspace| -> Vec<String> {
        let all = arrivals(w);
        let mine = all.iter().filter(|a| a["file_name"] == "inbox/a.csv");
        mine.map(|a| a["sha256"].as_str().expect("a hash").to_owned()).collect()
    };
    for hash in taken(&workspace) {
        assert!(whole.contains(&hash), "half of each: {hash}");
    }
    // left alone, the version that stands there is the last word
    workspace.ok(&["run"]);
    let last = Digest::of(&fs::read(&path).expect("the file")).to_string();
    assert!(taken(&workspace).contains(&last));
    workspace.ok(&["verify"]);

    // written to with its size and its time put back: the kernel's own time of change tells
    let before = fs::metadata(&path).expect("metadata").modified().expect("a time");
    let text = fs::read_to_string(&path).expect("the file").replace("PAY-7,", "PAY-X,");
    fs::write(&path, &text).expect("the file");
    File::options()
        .write(true)
        .open(&path)
        .and_then(|f| f.set_modified(before))
        .expect("its time");
    workspace.ok(&["run"]);
    assert!(taken(&workspace).contains(&Digest::of(text.as_bytes()).to_string()));
}

#[test]
fn fault_27_the_same_bytes_under_another_name_load_nothing() {
    let workspace = with_inbox("");
    let text = payments("1.00", &["A", "B"]);
    for name in ["a.csv", "a (1).csv"] {
        fs::write(inbox(&workspace, name), &text).expect("a file");
    }
    let ran = workspace.ok(&["run", "--json"]);
    assert_eq!(arrived(&workspace), ["a (1).csv"]);
    let known = told(&ran, "inbox.known");
    assert!(
        known
            .iter()
            .any(|k| k.starts_with("inbox/a.csv: ") && k.contains("inbox/a (1).csv")),
        "{known:?}"
    );
    fs::write(inbox(&workspace, "copy.csv"), &text).expect("a file");
    let planned = told(&workspace.ok(&["plan", "--json"]), "inbox.known");
    let before = workspace.release_hashes();
    let ran = workspace.ok(&["run", "--json"]);
    let known = told(&ran, "inbox.known");
    assert!(known.iter().any(|k| k.starts_with("inbox/copy.csv: ")), "{known:?}");
    assert_eq!(planned, known, "the plan tells what the run tells");
    assert!(ran.stdout.contains("\"nothing_to_do\": true"), "{}", ran.stdout);
    assert_eq!(workspace.release_hashes(), before);
    // without its memory of the inbox, too, and with a damaged one
    let memory = workspace.warehouse().join("inbox.db");
    for damage in [
        None,
        Some("no database at all, but longer than the header of one would have to be ........"),
    ] {
        fs::remove_file(&memory).expect("it goes");
        if let Some(text) = damage {
            fs::write(&memory, text).expect("a damaged file");
        }
        assert!(workspace.ok(&["run"]).stdout.contains("nothing to do"));
        assert_eq!(workspace.release_hashes(), before);
        assert_eq!(arrived(&workspace), ["a (1).csv"]);
        workspace.ok(&["run"]);
    }
    // and a run that has nothing to learn writes nothing
    let all = hashes(workspace.path());
    workspace.ok(&["run"]);
    assert_eq!(hashes(workspace.path()), all);
}

#[test]
fn fault_28_the_same_name_with_other_bytes_is_a_correction() {
    let workspace = with_inbox("");
    let put = |name: &str, text: String| fs::write(inbox(&workspace, name), text).expect("a file");
    put("a.csv", payments("1.00", &["A", "B"]));
    workspace.ok(&["run"]);
    let first = arrivals(&workspace).len();
    put("a.csv", payments("1.00", &["A", "B", "C"]));
    let planned = told(&workspace.ok(&["plan", "--json"]), "inbox.correction");
    let ran = workspace.ok(&["run", "--json"]);
    let found = told(&ran, "inbox.correction");
    assert_eq!(planned, found, "the plan tells what the run tells");
    assert!(
        found.len() == 1 && found[0].contains(&format!("arrival {first} ")) && found[0].contains("its source appends"),
        "{found:?}"
    );
    assert_eq!(current(&workspace), ["A 1.0000", "B 1.0000", "C 1.0000"]);
    // other values for a key: nobody can say which is right
    put("a.csv", payments("2.00", &["A"]));
    let text = workspace.ok(&["run"]).stdout;
    assert!(text.contains("inbox.correction"), "{text}");
    assert_eq!(current(&workspace), ["B 1.0000", "C 1.0000"]);

    // where deliveries replace one another, what was said before may be said again, and once
    for (mode, what) in [("upsert", "supersede"), ("snapshot", "have ended")] {
        declare(&workspace, &format!("mode = \"{mode}\""));
        let name = format!("{mode}.csv");
        let mut taken = Vec::new();
        for (amount, news) in [("1.00", true), ("2.00", true), ("1.00", true), ("1.00", false)] {
            let before = arrivals(&workspace).len();
            put(&name, payments(amount, &[mode]));
            let ran = workspace.ok(&["run", "--json"]);
            assert_eq!(arrivals(&workspace).len() > before, news, "{mode} {amount}");
            taken.push((told(&ran, "inbox.correction").len(), told(&ran, "inbox.again").len()));
            if let Some(told) = told(&ran, "inbox.correction").first() {
                assert!(told.contains(what), "{told}");
            }
        }
        assert_eq!(taken, [(0, 0), (1, 0), (1, 1), (0, 0)], "{mode}");
    }
    workspace.ok(&["verify"]);
}

#[test]
fn fault_29_the_same_record_in_two_files() {
    let workspace = with_inbox("");
    fs::write(inbox(&workspace, "a.csv"), payments("1.00", &["SAME", "OTHER"])).expect("a file");
    let second = payments("1.00", &["SAME"]) + "PAY-OTHER,,S-1,2026-10-11,9.00,EUR\n";
    fs::write(inbox(&workspace, "b.csv"), second).expect("a file");
    workspace.ok(&["run"]);
    assert_eq!(current(&workspace), ["SAME 1.0000"]);
    let counted = rows(
        &workspace,
        "SELECT SUM(duplicate) AS duplicate, SUM(quarantined) AS quarantined FROM files WHERE file_name LIKE 'inbox/%'",
    );
    assert_eq!(
        (&counted[0]["duplicate"], &counted[0]["quarantined"]),
        (&1.into(), &2.into()),
        "{counted:?}"
    );
    let sides = rows(
        &workspace,
        "SELECT source_file, reason FROM quarantine WHERE rule = 'key.conflict' AND source_file LIKE 'inbox/%' \
         ORDER BY source_file",
    );
    let names = |row: &serde_json::Value, other: &str| row["reason"].as_str().is_some_and(|r| r.contains(other));
    assert_eq!(sides.len(), 2, "{sides:?}");
    assert!(
        names(&sides[0], "inbox/b.csv") && names(&sides[1], "inbox/a.csv"),
        "{sides:?}"
    );
}

#[test]
fn fault_30_a_file_after_the_close_posts_in_the_open_period() {
    let workspace = Workspace::sample();
    let aside = rows(&ran_sample(), "SELECT file_name FROM files WHERE state = 'set_aside'");
    for row in aside {
        // what lies aside would block the close
        fs::remove_file(workspace.path().join(row["file_name"].as_str().expect("a name"))).expect("it goes");
    }
    let late = "sample_data/finance/payments.csv";
    let text = fs::read_to_string(workspace.path().join(late)).expect("payments");
    let (header, lines) = text.split_once('\n').expect("a header");
    let (before, after): (Vec<&str>, Vec<&str>) = lines.lines().partition(|l| !l.contains("-25Q4-00001"));
    assert!(!after.is_empty());
    workspace.write(late, &format!("{header}\n{}\n", before.join("\n")));
    workspace.ok(&["run"]);
    crate::closing::close(&workspace, "2025-Q4", "2026-10-12");
    workspace.ok(&["run"]);
    let settled = workspace.warehouse().join("settled/fiscal/2025-Q4");
    let closed = hashes(&settled);
    let frozen = |w: &Workspace| -> Vec<_> {
        let all = w.release_hashes().into_iter();
        all.filter(|(path, _)| path.contains("period=2025-Q4")).collect()
    };
    let partitions = frozen(&workspace);
    assert!(partitions.len() > 8, "{partitions:?}");
    workspace.write(
        "sample_data/finance/payments-late.csv",
        &format!("{header}\n{}\n", after.join("\n")),
    );
    workspace.ok(&["run"]);
    assert_eq!(hashes(&settled), closed, "the settled release moved");
    assert_eq!(frozen(&workspace), partitions, "a partition of the closed period moved");
    let posted = "SELECT DISTINCT period FROM ledger WHERE earning_period = '2025-Q4' AND reason = 'adjustment'";
    let posted = rows(&workspace, posted);
    assert!(posted.len() == 1 && posted[0]["period"] == "2026-Q1", "{posted:?}");
    workspace.ok(&["verify"]);
}

#[test]
fn fault_31_files_out_of_order_give_the_same_result() {
    let later = [
        "sample_data/latam/sales-2026-Q1.csv",
        "sample_data/apac/surveys-2026-Q2.csv",
        "sample_data/emea/deliveries-2026-Q1.csv",
        "sample_data/reference/products.csv",
    ];
    let workspace = Workspace::sample();
    // a file that comes late is missing until then
    workspace.edit(
        "pipelines/daily.toml",
        "on_set_aside = \"report\"",
        "on_set_aside = \"report\"\non_silent = \"report\"",
    );
    let aside = workspace.path().join("aside");
    fs::create_dir(&aside).expect("a folder");
    for (i, name) in later.iter().enumerate() {
        fs::rename(workspace.path().join(name), aside.join(i.to_string())).expect("it waits");
    }
    workspace.ok(&["run"]);
    for (i, name) in later.iter().enumerate() {
        fs::rename(aside.join(i.to_string()), workspace.path().join(name)).expect("it comes late");
        if i > 1 {
            workspace.ok(&["run"]);
        }
    }
    let in_order = ran_sample();
    for table in ["scores", "partner_scores", "metrics", "key_event_points"] {
        let of = |w: &Workspace| -> Vec<_> {
            let all = w.release_hashes().into_iter();
            all.filter(|(path, _)| path.starts_with(&format!("{table}/"))).collect()
        };
        assert!(!of(&in_order).is_empty());
        assert_eq!(of(&workspace), of(&in_order), "{table}");
    }
    let balances = "SELECT partner_id, account, currency, SUM(amount) AS amount FROM ledger \
                    GROUP BY partner_id, account, currency HAVING SUM(amount) <> 0 \
                    ORDER BY partner_id, account, currency";
    assert_eq!(rows(&workspace, balances), rows(&in_order, balances));
    workspace.ok(&["verify"]);
}

#[test]
fn fault_35_a_wrong_extension_is_told_by_the_first_bytes() {
    let workspace = with_inbox("");
    let foreign: [(&str, &[u8]); 5] = [
        ("workbook.csv", b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00"),
        ("packed.csv", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x00"),
        (
            "login.csv",
            b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n",
        ),
        ("paper.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"),
        ("columns.csv", b"PAR1\x15\x04\x15\x00PAR1"),
    ];
    for (name, bytes) in foreign {
        fs::write(inbox(&workspace, name), bytes).expect("a file");
    }
    fs::write(inbox(&workspace, "right.csv"), payments("1.00", &["A"])).expect("a file");
    workspace.ok(&["run"]);
    let aside = rows(
        &workspace,
        "SELECT file_name, reason FROM files WHERE state = 'set_aside' AND file_name LIKE 'inbox/%' ORDER BY file_name",
    );
    assert_eq!(aside.len(), foreign.len(), "{aside:?}");
    for row in &aside {
        let reason = row["reason"].as_str().expect("a reason");
        assert!(reason.starts_with("file."), "{row}");
    }
    assert_eq!(current(&workspace), ["A 1.0000"]);
    // read once: what fails by its content is not tried again by itself
    assert!(workspace.ok(&["run"]).stdout.contains("nothing to do"));
    let kept = |name: &str| {
        let hash = Digest::of(&fs::read(inbox(&workspace, name)).expect("the file")).to_string();
        workspace.path().join("landing/originals").join(hash).exists()
    };
    assert!(foreign.iter().all(|(name, _)| kept(name)));
}

#[test]
fn fault_36_names_that_lead_elsewhere_or_deceive_are_refused() {
    let workspace = with_inbox("");
    let hostile = [
        ("..\\..\\etc\\passwd.csv", "..\\\\..\\\\etc\\\\passwd.csv"),
        ("C:\\reports\\a.csv", "C:\\\\reports\\\\a.csv"),
        ("gpj\u{202E}vsc.csv", "gpj\\u{202e}vsc.csv"),
        ("zero\u{200B}width.csv", "zero\\u{200b}width.csv"),
        ("bell\u{7}.csv", "bell\\u{7}.csv"),
        ("dot.csv.", "dot.csv."),
        ("blank.csv ", "blank.csv "),
        (" blank.csv", " blank.csv"),
        ("...", "..."),
    ];
    for (i, (name, _)) in hostile.iter().enumerate() {
        fs::write(inbox(&workspace, name), payments("1.00", &[&format!("H{i}")])).expect("a file");
    }
    let long = format!("{}.csv", "x".repeat(251));
    fs::write(inbox(&workspace, &long), payments("1.00", &["LONG"])).expect("a name of 255 bytes");
    // said in every run until it is gone, after everything else was published
    for round in 0..2 {
        let ran = workspace.run(&["run"]);
        assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
        for (name, shown) in hostile {
            let place = format!("error: inbox/{shown}: ");
            assert!(
                ran.stderr.contains(&place),
                "{name:?} in round {round}:\n{}",
                ran.stderr
            );
            assert!(inbox(&workspace, name).exists(), "{name:?} is left alone");
        }
        assert_eq!(ran.stderr.matches("inbox.refused").count(), hostile.len());
        assert!(!ran.stderr.contains('\u{202E}') && !ran.stderr.contains('\u{7}'));
        assert_eq!(arrived(&workspace), [long.as_str()]);
        assert_eq!(current(&workspace), ["LONG 1.0000"]);
    }
    let status = workspace.ok(&["status"]).stdout;
    assert!(status.contains("inbox.refused"), "{status}");
    for (name, _) in hostile {
        fs::remove_file(inbox(&workspace, name)).expect("it goes");
    }
    workspace.ok(&["run"]);
    workspace.ok(&["verify"]);
}

#[test]
fn fault_37_links_pipes_and_sockets_are_left_alone_and_nothing_waits() {
    let workspace = with_inbox("");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let secret = elsewhere.path().join("secret.csv");
    fs::write(&secret, payments("1.00", &["SECRET"])).expect("a file");
    symlink(&secret, inbox(&workspace, "link.csv")).expect("a link");
    symlink("/nowhere", inbox(&workspace, "dangling.csv")).expect("a link");
    symlink(elsewhere.path(), inbox(&workspace, "sub")).expect("a link to a folder");
    pipe(&inbox(&workspace, "pipe.csv"));
    let _socket = UnixListener::bind(inbox(&workspace, "socket.csv")).expect("a socket");
    let other = workspace.path().join("other.csv");
    fs::write(&other, payments("1.00", &["HARD"])).expect("a file");
    fs::hard_link(&other, inbox(&workspace, "hard.csv")).expect("a hard link");
    let ran = run_in_time(&workspace, &["run"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    for name in ["link.csv", "dangling.csv", "sub", "pipe.csv", "socket.csv"] {
        let place = format!("error: inbox/{name}: ");
        assert!(ran.stderr.contains(&place), "{name} is not named:\n{}", ran.stderr);
    }
    assert_eq!(arrived(&workspace), ["hard.csv"], "a hard link is a plain file");
    assert_eq!(current(&workspace), ["HARD 1.0000"]);
    // what is written through another name later is a new delivery, and what was taken stays what it was
    fs::write(&other, payments("1.00", &["HARD", "MORE"])).expect("written to");
    let ran = run_in_time(&workspace, &["run"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert_eq!(current(&workspace), ["HARD 1.0000", "MORE 1.0000"]);
    for name in ["link.csv", "dangling.csv", "sub", "pipe.csv", "socket.csv"] {
        fs::remove_file(inbox(&workspace, name)).expect("it goes");
    }
    run_in_time(&workspace, &["verify"]);

    // an inbox that is a link altogether
    fs::rename(workspace.path().join("inbox"), elsewhere.path().join("inbox")).expect("it moves");
    symlink(elsewhere.path().join("inbox"), workspace.path().join("inbox")).expect("a link");
    let ran = run_in_time(&workspace, &["run"]);
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    assert!(ran.stderr.contains("error: inbox: it is a link"), "{}", ran.stderr);
}

#[test]
fn fault_37_a_file_swapped_for_a_link_or_a_pipe_is_not_followed() {
    let workspace = with_inbox("");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let secret = elsewhere.path().join("secret.csv");
    fs::write(&secret, payments("1.00", &["SECRET"])).expect("a file");
    fs::create_dir(inbox(&workspace, "sub")).expect("a folder");
    fs::write(elsewhere.path().join("b.csv"), payments("1.00", &["SECRET"])).expect("a file");
    let (path, sub) = (inbox(&workspace, "a.csv"), inbox(&workspace, "sub"));
    let text = payments("1.00", &["A"]);
    let mut turn = 0;
    let swapped = || {
        turn += 1;
        let next = workspace.path().join("next");
        match turn % 3 {
            0 => symlink(&secret, &next).expect("a link"),
            1 => pipe(&next),
            _ => fs::write(&next, &text).expect("a file"),
        }
        fs::rename(&next, &path).expect("swapped");
        // a folder and a link to another in turn
        let _ = fs::remove_file(&sub);
        let _ = fs::remove_dir_all(&sub);
        if turn % 2 == 0 {
            let _ = symlink(elsewhere.path(), &sub);
        } else if fs::create_dir(&sub).is_ok() {
            let _ = fs::write(sub.join("b.csv"), payments("1.00", &["B"]));
        }
    };
    let ran = run_while(&workspace, swapped);
    assert!([0, 3].contains(&ran.code), "{} {}", ran.code, ran.stderr);
    let hash = |text: &str| Digest::of(text.as_bytes()).to_string();
    for arrival in arrivals(&workspace) {
        assert_ne!(arrival["sha256"], hash(&payments("1.00", &["SECRET"])), "{arrival}");
    }
}

#[test]
fn fault_38_a_name_that_is_not_utf8_or_holds_a_line_break() {
    let workspace = with_inbox("");
    let folder = workspace.path().join("inbox");
    let bytes: [&[u8]; 2] = [b"a\nerror: forged.csv", b"b\xff\x1b[2J.csv"];
    for (i, name) in bytes.iter().enumerate() {
        fs::write(
            folder.join(OsStr::from_bytes(name)),
            payments("1.00", &[&i.to_string()]),
        )
        .expect("a file");
    }
    fs::write(inbox(&workspace, "right.csv"), payments("1.00", &["A"])).expect("a file");
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    for shown in ["inbox/a\\nerror: forged.csv", "inbox/b\\xff\\x1b[2J.csv"] {
        assert!(ran.stderr.contains(shown), "{shown} is not named:\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains('\u{1b}'));
    assert!(
        !ran.stderr.lines().any(|l| l.starts_with("error: forged")),
        "{}",
        ran.stderr
    );
    assert_eq!(current(&workspace), ["A 1.0000"]);
    assert_eq!(arrived(&workspace), ["right.csv"]);
}

#[test]
fn fault_39_names_that_look_alike_are_different_files_and_told() {
    let workspace = with_inbox("");
    for (i, name) in ["A.csv", "a.csv", "caf\u{e9}.csv", "cafe\u{301}.csv", "other.csv"]
        .iter()
        .enumerate()
    {
        fs::write(inbox(&workspace, name), payments("1.00", &[&i.to_string()])).expect("a file");
    }
    let ran = workspace.ok(&["run", "--json"]);
    let found = told(&ran, "inbox.lookalike");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("inbox/A.csv: ") && found[0].contains("'inbox/a.csv'"),
        "{found:?}"
    );
    let [composed, decomposed] = ["'inbox/caf\\u{e9}.csv'", "inbox/cafe\\u{301}.csv: "];
    assert!(
        found[1].starts_with(decomposed) && found[1].contains(composed),
        "{found:?}"
    );
    assert_eq!(arrived(&workspace).len(), 5);
    assert_eq!(current(&workspace).len(), 5);
}
