//! Closing a period: its results are frozen, and late data posts in the open one.

use std::collections::BTreeMap;
use std::fs;

use crate::support::workspace::hashes;
use crate::support::{Workspace, ran_sample};

const HEADER: &str =
    "decision_id,kind,subject,subject_hash,outcome,amount,currency,effective_on,reason,by,role,decided_at\n";

/// Prepared, approved by another person, and decided to be closed on a day; the next run closes it.
pub fn close(workspace: &Workspace, period: &str, day: &str) {
    let person = |by: &str| {
        [
            "--by".to_owned(),
            by.to_owned(),
            "--reason".to_owned(),
            "period end".to_owned(),
        ]
    };
    let on = ["--on".to_owned(), day.to_owned()];
    let call = |words: &[&str], by: &str| {
        let mut all: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        all.extend(person(by));
        all.extend(on.clone());
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        workspace.ok(&all);
    };
    let settlement: serde_json::Value =
        serde_json::from_str(&workspace.ok(&["settle", period, "--json"]).stdout).expect("JSON");
    let hash = settlement["settlement_hash"].as_str().expect("a hash").to_owned();
    call(&["settle", period, "--prepare"], "p.preparer");
    call(&["approve", period, "--hash", &hash], "a.approver");
    call(&["close", period], "c.closer");
}

/// A decision to close and nothing else.
fn decide_to_close(workspace: &Workspace, period: &str, at: &str) {
    let row = format!("CLOSE-{period},close,{period},,closed,,,,period end,c.closer,finance,{at}\n");
    workspace.write(
        &format!("sample_data/finance/decisions-close-{period}.csv"),
        &format!("{HEADER}{row}"),
    );
}

fn rows(workspace: &Workspace, sql: &str) -> Vec<serde_json::Value> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

/// Closing needs every file in order: the files that the sample sets aside on purpose would block it.
pub fn without_set_aside_files() -> Workspace {
    let workspace = Workspace::sample();
    let ran = ran_sample();
    let aside = rows(&ran, "SELECT file_name FROM files WHERE state = 'set_aside'");
    for row in aside {
        fs::remove_file(workspace.path().join(row["file_name"].as_str().expect("a name"))).expect("it goes");
    }
    workspace.ok(&["run"]);
    workspace
}

#[test]
fn a_closed_period_never_moves_and_late_data_posts_in_the_open_one() {
    let workspace = without_set_aside_files();
    close(&workspace, "2025-Q4", "2026-10-12");
    workspace.ok(&["run"]);
    let settled = workspace.warehouse().join("settled/fiscal/2025-Q4");
    let before = hashes(&settled);
    let frozen = |workspace: &Workspace| -> BTreeMap<String, _> {
        workspace
            .release_hashes()
            .into_iter()
            .filter(|(path, _)| path.contains("period=2025-Q4"))
            .collect()
    };
    let partitions = frozen(&workspace);
    assert!(partitions.len() > 8, "{partitions:?}");

    // a payment for a line of the closed quarter that was not paid before
    let unpaid = rows(
        &workspace,
        "SELECT s.order_line_id AS id, s.net_amount AS net, s.currency AS currency FROM sales AS s \
         LEFT JOIN payments AS p ON s.order_line_id = p.order_line_id \
         WHERE s.line_kind = 'service' AND s.invoiced_on < DATE '2026-01-01' AND s.invoiced_on >= DATE '2025-10-01' \
         AND s.net_amount > 0 AND p.payment_id IS NULL ORDER BY net DESC LIMIT 30",
    );
    assert!(!unpaid.is_empty());
    let mut text = "payment_id,order_line_id,settlement_no,paid_on,amount,currency\n".to_owned();
    for (i, line) in unpaid.iter().enumerate() {
        let field = |name: &str| line[name].as_str().expect("a text").to_owned();
        let net = field("net");
        text.push_str(&format!(
            "PAY-LATE-{i},{},,2026-10-11,{net},{}\n",
            field("id"),
            field("currency")
        ));
    }
    workspace.write("sample_data/finance/payments-late.csv", &text);
    workspace.ok(&["run"]);

    assert_eq!(hashes(&settled), before, "the settled release moved");
    assert_eq!(frozen(&workspace), partitions, "a partition of the closed period moved");
    let late = rows(
        &workspace,
        "SELECT period, COUNT(*) AS n FROM ledger WHERE earning_period = '2025-Q4' AND reason = 'adjustment' GROUP BY period",
    );
    assert!(!late.is_empty(), "the late payments earned nothing");
    assert!(late.iter().all(|row| row["period"] == "2026-Q1"), "{late:?}");
    workspace.ok(&["verify"]);
    assert!(workspace.ok(&["run"]).stdout.contains("nothing to do"));

    // a sealed score is explained as it was sealed
    let sealed = rows(
        &workspace,
        "SELECT partner_id, final FROM partner_scores WHERE period = '2025-Q4' AND final IS NOT NULL ORDER BY partner_id",
    );
    for row in sealed.iter().step_by(7) {
        let (partner, score) = (
            row["partner_id"].as_str().expect("an id"),
            row["final"].as_str().expect("a score"),
        );
        let text = workspace.ok(&["explain", "score", partner, "2025-Q4"]).stdout;
        assert!(text.contains(score), "{partner}: {score} is not in\n{text}");
    }

    // the pointer is made again from the period's status
    fs::remove_dir_all(workspace.warehouse().join("settled")).expect("the pointers go");
    workspace.ok(&["run"]);
    assert_eq!(hashes(&settled), before);

    // old releases go, the one that closed a period stays
    let collected = workspace.ok(&["gc", "--ancestors", "0", "--days", "0"]).stdout;
    assert!(
        collected.contains("removed r000001-") && !collected.contains("r000002-"),
        "{collected}"
    );
    assert_eq!(hashes(&settled), before);
    workspace.ok(&["verify"]);

    // and the whole story is rebuilt from landing
    let release = workspace.release_hashes();
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.ok(&["run"]);
    assert_eq!(workspace.release_hashes(), release);
    assert_eq!(hashes(&settled), before);
}

#[test]
fn a_close_out_of_order_or_too_early_is_refused() {
    let workspace = without_set_aside_files();
    decide_to_close(&workspace, "2026-Q1", "2026-10-12T05:00:00Z");
    decide_to_close(&workspace, "2025-Q4", "2025-12-30T05:00:00Z");
    let ran = workspace.ok(&["run", "--json"]);
    assert!(ran.stdout.contains("2025-Q4 stays open"), "{}", ran.stdout);
    let closed = || rows(&workspace, "SELECT period FROM periods WHERE status = 'closed'");
    assert!(closed().is_empty(), "{:?}", closed());
    // decided again, after the period has ended, but nobody has approved what it settles
    let row = "CLOSE-AGAIN,close,2025-Q4,,closed,,,,period end,c.closer,finance,2026-10-12T05:30:00Z\n";
    workspace.write("sample_data/finance/decisions-again.csv", &format!("{HEADER}{row}"));
    let ran = workspace.ok(&["run", "--json"]);
    assert!(
        ran.stdout
            .contains("2025-Q4 stays open: nobody has prepared settlement"),
        "{}",
        ran.stdout
    );
    let periods = || -> Vec<String> {
        closed()
            .iter()
            .map(|r| r["period"].as_str().expect("a period").to_owned())
            .collect()
    };
    close(&workspace, "2025-Q4", "2026-10-12");
    let ran = workspace.ok(&["run", "--json"]);
    assert_eq!(periods(), ["2025-Q4"]);
    assert!(
        ran.stdout
            .contains("2026-Q1 stays open: nobody has prepared settlement"),
        "{}",
        ran.stdout
    );
    close(&workspace, "2026-Q1", "2026-10-13");
    workspace.ok(&["run"]);
    assert_eq!(periods(), ["2025-Q4", "2026-Q1"]);
}

#[test]
fn a_file_set_aside_blocks_the_close_until_it_is_waived() {
    let workspace = ran_sample();
    close(&workspace, "2025-Q4", "2026-10-12");
    let ran = workspace.ok(&["run", "--json"]);
    assert!(
        ran.stdout.contains("neither delivered anew nor waived"),
        "{}",
        ran.stdout
    );
    let mut text = HEADER.to_owned();
    for (i, row) in rows(&workspace, "SELECT file_name FROM files WHERE state = 'set_aside'")
        .iter()
        .enumerate()
    {
        let name = row["file_name"].as_str().expect("a name");
        text.push_str(&format!(
            "WAIVE-{i},waive,{name},,waived,,,,known,c.closer,finance,2026-10-12T05:10:00Z\n"
        ));
    }
    workspace.write("sample_data/finance/decisions-waive.csv", &text);
    workspace.ok(&["run"]);
    let closed = rows(&workspace, "SELECT period FROM periods WHERE status = 'closed'");
    assert_eq!(closed.len(), 1, "{closed:?}");

    // rules that would take a closed period away are refused
    for edition in ["2025-10-01", "2026-07-01"] {
        let file = format!("pipelines/rules/global/{edition}.toml");
        workspace.edit(&file, "posting_period = \"quarter\"", "posting_period = \"month\"");
    }
    let ran = workspace.run(&["run"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("2025-Q4 is closed"), "{}", ran.stderr);
}
