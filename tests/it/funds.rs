//! Claims on funds as finance lives them: approved, paid once, taken back, lapsed, proved by an outside tool.

use serde_json::Value as Json;

use crate::closing::{close, without_set_aside_files};
use crate::journal::proved_by_hledger;
use crate::support::Workspace;

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

fn text<'a>(row: &'a Json, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_else(|| panic!("{column} of {row}"))
}

/// In ten-thousandths.
fn amount(row: &Json, column: &str) -> i64 {
    text(row, column)
        .replace('.', "")
        .parse()
        .expect("an amount with four decimals")
}

fn rule(workspace: &Workspace, words: &[&str]) {
    let mut all = vec!["claims"];
    all.extend(words);
    all.extend(["--by", "m.manager", "--reason", "invoice seen", "--on", "2025-12-20"]);
    workspace.ok(&all);
}

fn claim(workspace: &Workspace, id: &str) -> Json {
    serde_json::from_str(&workspace.ok(&["claims", "show", id, "--json"]).stdout).expect("JSON")
}

/// A claim of a partner on its fund of 2025-Q4, as a delivery.
fn deliver(workspace: &Workspace, id: &str, partner: &str, money: &str, on: &str) {
    workspace.write(
        &format!("sample_data/finance/claims-{id}.csv"),
        &format!(
            "claim_id,partner_id,scheme,period,amount,currency,claimed_on,proof\n\
             {id},{partner},market-development-fund,2025-Q4,{money},{on},invoice-{id}.pdf\n"
        ),
    );
}

/// What funds say against the ledger, added up here: in the fund = set aside − lapsed − held, less what claims drew.
fn funds_agree(workspace: &Workspace) -> usize {
    let ledger = rows(
        workspace,
        "SELECT partner_id, earning_period, currency, SUM(amount) AS amount FROM ledger \
         WHERE account = 'partner_funds' GROUP BY partner_id, earning_period, currency",
    );
    let funds = rows(workspace, "SELECT * FROM funds");
    let key = |row: &Json| ["partner_id", "earning_period", "currency"].map(|c| text(row, c).to_owned());
    let booked: std::collections::BTreeMap<_, _> =
        ledger.iter().map(|row| (key(row), -amount(row, "amount"))).collect();
    for fund in &funds {
        let left = amount(fund, "available_amount");
        assert_eq!(booked.get(&key(fund)).copied().unwrap_or(0), left, "{fund}");
        let parts = amount(fund, "set_aside_amount")
            - amount(fund, "lapsed_amount")
            - amount(fund, "held_amount")
            - amount(fund, "payable_amount");
        assert_eq!(parts, left, "{fund}");
        assert!(left >= 0, "{fund}");
    }
    assert!(
        ledger
            .iter()
            .all(|row| amount(row, "amount") == 0 || funds.iter().any(|f| key(f) == key(row)))
    );
    funds.len()
}

#[test]
fn a_claim_is_paid_out_of_its_fund_once_and_taken_back_when_its_approval_is() {
    let workspace = without_set_aside_files();
    assert!(funds_agree(&workspace) > 100);
    let fund = &rows(
        &workspace,
        "SELECT * FROM funds WHERE earning_period = '2025-Q4' AND currency = 'EUR' AND held_amount = 0 \
         AND open_amount = 0 ORDER BY set_aside_amount DESC LIMIT 1",
    )[0];
    let (partner, set_aside) = (text(fund, "partner_id").to_owned(), amount(fund, "set_aside_amount"));
    assert_eq!(
        amount(fund, "lapsed_amount"),
        set_aside,
        "nobody claimed by {}",
        fund["claims_until_on"]
    );
    assert!(set_aside > 1_000_000, "{fund}");
    // two claims that together are more than the fund, one too late, one in another currency
    deliver(&workspace, "T-1", &partner, "80.00,EUR", "2026-01-10");
    deliver(&workspace, "T-2", &partner, "900000.00,EUR", "2026-01-11");
    deliver(&workspace, "T-3", &partner, "10.00,EUR", "2026-06-30");
    deliver(&workspace, "T-4", &partner, "10.00,USD", "2026-01-10");
    workspace.ok(&["run"]);
    let state = |id: &str| text(&claim(&workspace, id), "state").to_owned();
    assert_eq!(
        ["T-1", "T-2", "T-3", "T-4"].map(state),
        ["open", "open", "refused", "refused"]
    );
    funds_agree(&workspace);

    let refused = |words: &[&str], says: &str| {
        let mut all = vec!["claims"];
        all.extend(words);
        all.extend(["--by", "m.manager", "--reason", "seen"]);
        let ran = workspace.run(&all);
        assert_eq!(ran.code, 2, "{words:?}: {} {}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(says), "{words:?}: {}", ran.stderr);
    };
    refused(
        &["approve", "T-3"],
        "cannot be paid: claimed on 2026-06-30, after 2026-06-29",
    );
    refused(&["approve", "T-1", "--amount", "80.01"], "80.00 EUR is claimed");
    refused(&["approve", "T-1", "--amount", "1.001"], "no amount in EUR");
    refused(&["withdraw", "T-1"], "nobody has ruled");
    refused(&["reject", "T-9"], "there is no claim 'T-9'");

    rule(&workspace, &["approve", "T-1", "--amount", "50.00"]);
    rule(&workspace, &["approve", "T-2"]);
    workspace.ok(&["run"]);
    let (first, second) = (claim(&workspace, "T-1"), claim(&workspace, "T-2"));
    assert_eq!((text(&first, "state"), text(&first, "payable")), ("approved", "50.00"));
    let rest = set_aside / 100 - 5_000;
    assert_eq!(text(&second, "payable").replace('.', ""), rest.to_string());
    funds_agree(&workspace);
    let entries = "SELECT entry_no FROM ledger WHERE reason = 'claim'";
    assert_eq!(rows(&workspace, entries).len(), 4);
    let said = workspace.run(&["run"]);
    assert!(said.stdout.contains("nothing to do"), "{}", said.stdout);
    proved_by_hledger(&workspace);

    // what is paid stands on the document, line by line, and is explained
    close(&workspace, "2025-Q4", "2026-10-12");
    workspace.ok(&["run"]);
    let statement = rows(
        &workspace,
        &format!(
            "SELECT * FROM statements WHERE partner_id = '{partner}' AND scheme = 'market-development-fund' ORDER BY line_no"
        ),
    );
    let shown: Vec<(&str, i64)> = statement
        .iter()
        .map(|row| match text(row, "kind") {
            "component" => (text(row, "component"), amount(row, "component_amount") / 100_000_000),
            kind => (kind, amount(row, "amount")),
        })
        .collect();
    assert_eq!(shown, [("claim", set_aside), ("T-1", 500_000), ("T-2", rest * 100)]);
    let claimed = &rows(
        &workspace,
        "SELECT MIN(entry_no) AS n FROM ledger WHERE reason = 'claim'",
    )[0]["n"];
    let why = workspace.ok(&["explain", "entry", &claimed.to_string()]).stdout;
    assert!(why.contains("an approved claim on a fund, T-1"), "{why}");

    // the approval is taken back after the close: the open period claims it back, and what is free again lapses or pays the rest
    let mut all = vec!["claims", "withdraw", "T-1"];
    all.extend([
        "--by",
        "m.manager",
        "--reason",
        "the proof was of another event",
        "--on",
        "2026-10-13",
    ]);
    workspace.ok(&all);
    rule_again(&workspace);
    workspace.ok(&["run"]);
    assert_eq!(state("T-1"), "rejected");
    let second = claim(&workspace, "T-2");
    assert_eq!(text(&second, "payable").replace('.', ""), (set_aside / 100).to_string());
    funds_agree(&workspace);
    workspace.ok(&["verify"]);
    proved_by_hledger(&workspace);
    let ledger = |workspace: &Workspace| {
        let hashes = workspace.release_hashes().into_iter();
        hashes
            .filter(|(path, _)| path.starts_with("ledger") || path.starts_with("funds"))
            .collect::<Vec<_>>()
    };
    let before = ledger(&workspace);
    std::fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.ok(&["run"]);
    assert_eq!(ledger(&workspace), before);
    assert_eq!(rows(&workspace, entries).len(), 10);
    funds_agree(&workspace);
}

/// The claim is open again; now it is rejected.
fn rule_again(workspace: &Workspace) {
    workspace.ok(&["run"]);
    let words = [
        "claims",
        "reject",
        "T-1",
        "--by",
        "m.manager",
        "--reason",
        "another event",
        "--on",
        "2026-10-14",
    ];
    workspace.ok(&words);
}
