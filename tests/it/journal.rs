//! The exported journal, proved by hledger.

use std::collections::BTreeMap;
use std::process::Command;

use crate::support::{Workspace, has_tool, ran_sample};

#[test]
fn hledger_accepts_the_journal_and_finds_the_same_balances() {
    proved_by_hledger(&ran_sample());
}

/// The journal of a workspace, accepted by hledger with the balances of the ledger.
pub fn proved_by_hledger(workspace: &Workspace) {
    if !has_tool("hledger", "hledger", "the journal was not proved") {
        return;
    }
    let path = workspace.path().join("books.journal");
    let file = path.to_string_lossy().into_owned();
    workspace.ok(&["export", "journal", "--out", &file]);
    let check = Command::new("hledger")
        .args(["-f", &file, "check", "-s"])
        .output()
        .expect("hledger runs");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));

    let balances = Command::new("hledger")
        .args([
            "-f",
            &file,
            "balance",
            "--flat",
            "--depth",
            "2",
            "--no-total",
            "--output-format",
            "csv",
            "--layout",
            "bare",
        ])
        .output()
        .expect("hledger runs");
    assert!(
        balances.status.success(),
        "{}",
        String::from_utf8_lossy(&balances.stderr)
    );
    let mut outside: BTreeMap<(String, String), String> = BTreeMap::new();
    for line in String::from_utf8_lossy(&balances.stdout).lines().skip(1) {
        let fields: Vec<&str> = line.split(',').map(|f| f.trim_matches('"')).collect();
        let account = fields[0].rsplit(':').next().unwrap_or_default().replace('-', "_");
        let account = if account == "rebates" {
            "rebate_expense".to_owned()
        } else {
            account
        };
        outside.insert((account, fields[1].to_owned()), normal(fields[2]));
    }
    let sql = "SELECT account, currency, SUM(amount) AS amount FROM ledger GROUP BY account, currency";
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows");
    let mut ours = BTreeMap::new();
    for row in rows {
        let text = |name: &str| row[name].as_str().expect("a text").to_owned();
        ours.insert((text("account"), text("currency")), normal(&text("amount")));
    }
    // hledger leaves out what is nothing
    ours.retain(|_, amount| amount != "0");
    outside.retain(|_, amount| amount != "0");
    assert!(ours.len() >= 8, "{ours:?}");
    assert_eq!(outside, ours);
}

/// A decimal without trailing zeros.
fn normal(text: &str) -> String {
    let text = text.replace([',', ' '], "");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}
