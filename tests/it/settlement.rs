//! The end of a period as finance lives it: prepared, approved, closed, paid, disputed, reversed, and settled again.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value as Json;

use crate::closing::{close, without_set_aside_files};
use crate::support::Workspace;
use crate::support::workspace::hashes;

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

fn text<'a>(row: &'a Json, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_else(|| panic!("{column} of {row}"))
}

/// A decimal as thousandths.
fn milli(row: &Json, column: &str) -> i64 {
    let text = text(row, column);
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_negative = whole.starts_with('-');
    let decimals = format!("{:0<3}", &decimals[..decimals.len().min(3)]);
    let amount =
        whole.trim_start_matches('-').parse::<i64>().expect("digits") * 1000 + decimals.parse::<i64>().expect("digits");
    if is_negative { -amount } else { amount }
}

fn person<'a>(words: &[&'a str], by: &'a str) -> Vec<&'a str> {
    let mut all = words.to_vec();
    all.extend(["--by", by, "--reason", "period end", "--on", "2026-10-12"]);
    all
}

fn refused(workspace: &Workspace, words: &[&str], by: &str, says: &str) {
    let ran = workspace.run(&person(words, by));
    assert_eq!(ran.code, 2, "{words:?}: {} {}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(says), "{words:?}: {}", ran.stderr);
}

fn hash_of(workspace: &Workspace, period: &str) -> String {
    let shown: Json = serde_json::from_str(&workspace.ok(&["settle", period, "--json"]).stdout).expect("JSON");
    text(&shown, "settlement_hash").to_owned()
}

fn adjust(workspace: &Workspace, id: &str, partner: &str, amount: &str) {
    workspace.write(
        &format!("sample_data/finance/manual_adjustments-{id}.csv"),
        &format!(
            "adjustment_id,partner_id,period,scheme,amount,currency,reason,requested_by,approved_by,approved_on\n\
             {id},{partner},2025-Q4,,{amount},EUR,Agreed in writing,r.asks,s.signs,2026-10-10\n"
        ),
    );
}

/// What documents say against what the ledger holds, by partner and currency, with the ledger added up here.
fn documents_agree(workspace: &Workspace) {
    let key = |row: &Json| (text(row, "partner_id").to_owned(), text(row, "currency").to_owned());
    let mut owed: BTreeMap<(String, String), i64> = BTreeMap::new();
    let open = rows(
        workspace,
        "SELECT MIN(period) AS period FROM periods WHERE status = 'open'",
    );
    let posted = format!(
        "SELECT partner_id, currency, SUM(amount) AS amount FROM ledger \
         WHERE account IN ('partner_payable', 'partner_receivable') AND (period <= '{}' OR reason = 'payment') GROUP BY partner_id, currency",
        text(&open[0], "period")
    );
    for row in rows(workspace, &posted) {
        *owed.entry(key(&row)).or_default() -= milli(&row, "amount");
    }
    for row in rows(
        workspace,
        "SELECT s.partner_id AS partner_id, s.currency AS currency, t.open_amount AS amount FROM settlements AS s \
         INNER JOIN settlement_states AS t ON s.settlement_no = t.settlement_no",
    ) {
        *owed.entry(key(&row)).or_default() -= milli(&row, "amount");
    }
    // what is carried, and what no document says yet, stands in the proposal of the open period
    for row in rows(
        workspace,
        "SELECT partner_id, currency, amount FROM settlement_proposals \
         WHERE kind IN ('carried_in', 'adjusted', 'hold_released', 'manual_adjustment', 'claim')",
    ) {
        *owed.entry(key(&row)).or_default() -= milli(&row, "amount");
    }
    owed.retain(|_, rest| *rest != 0);
    assert!(owed.is_empty(), "{owed:?}");
}

#[test]
fn a_settlement_is_closed_only_as_it_was_approved_by_a_second_person() {
    let workspace = without_set_aside_files();
    let period = "2025-Q4";
    refused(
        &workspace,
        &["close", period],
        "c.closer",
        "nobody has prepared settlement",
    );
    refused(
        &workspace,
        &["settle", "2026-Q1", "--prepare"],
        "p.preparer",
        "a period before it is open",
    );
    refused(
        &workspace,
        &["settle", "2031-Q1", "--prepare"],
        "p.preparer",
        "no posting period",
    );
    let hash = hash_of(&workspace, period);
    refused(
        &workspace,
        &["approve", period, "--hash", &hash],
        "a.approver",
        "nobody has prepared",
    );
    workspace.ok(&person(&["settle", period, "--prepare"], "p.preparer"));
    refused(
        &workspace,
        &["settle", period, "--prepare"],
        "p.preparer",
        "is prepared already",
    );
    refused(
        &workspace,
        &["close", period],
        "c.closer",
        "nobody has approved settlement",
    );
    refused(
        &workspace,
        &["approve", period, "--hash", &hash],
        "p.preparer",
        "cannot approve it",
    );
    refused(
        &workspace,
        &["approve", period, "--hash", "0123456789abcdef"],
        "a.approver",
        "something has changed",
    );
    refused(
        &workspace,
        &["approve", period, "--hash", "12"],
        "a.approver",
        "no hash of a settlement",
    );
    workspace.ok(&person(&["approve", period, "--hash", &hash[..12]], "a.approver"));
    workspace.ok(&person(&["close", period], "c.closer"));

    // an adjustment comes in with the decisions: the settlement is another one, and nothing closes
    adjust(&workspace, "ADJ-1", "EM-0001", "12.34");
    let ran = workspace.ok(&["run", "--json"]);
    assert!(ran.stdout.contains("something has changed since"), "{}", ran.stdout);
    assert!(rows(&workspace, "SELECT settlement_no FROM settlements").is_empty());
    let changed = hash_of(&workspace, period);
    assert_ne!(changed, hash);
    refused(
        &workspace,
        &["close", period],
        "c.closer",
        "something has changed since",
    );

    // prepared and approved anew: the earlier decision to close does not do
    workspace.ok(&person(&["settle", period, "--prepare"], "p.preparer"));
    workspace.ok(&person(&["approve", period, "--hash", &changed], "a.approver"));
    let ran = workspace.ok(&["run", "--json"]);
    assert!(
        ran.stdout.contains("nobody has decided to close it with settlement"),
        "{}",
        ran.stdout
    );

    // withdrawn in time, and approved again
    workspace.ok(&person(&["approve", period, "--withdraw"], "a.approver"));
    refused(
        &workspace,
        &["close", period],
        "c.closer",
        "was withdrawn by a.approver",
    );
    workspace.ok(&person(&["approve", period, "--hash", &changed], "b.approver"));
    workspace.ok(&person(&["close", period], "p.preparer"));
    let ran = workspace.ok(&["run", "--json"]);
    let report: Json = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        report["summary"]["closed"],
        serde_json::json!([period]),
        "{}",
        ran.stdout
    );
    refused(
        &workspace,
        &["settle", period, "--prepare"],
        "p.preparer",
        "never opens again",
    );
    let documents = rows(&workspace, "SELECT * FROM settlements ORDER BY settlement_no");
    assert!(documents.len() > 20);
    for (document, number) in documents.iter().zip(1..) {
        assert_eq!(text(document, "settlement_no"), format!("S-{number:06}"));
        assert_eq!(text(document, "settlement_hash"), changed);
        assert!(text(document, "prepared_by").starts_with("SETTLE-"));
        assert!(text(document, "approved_by").starts_with("APPROVE-"));
    }
    assert_eq!(
        rows(
            &workspace,
            "SELECT settlement_hash FROM periods WHERE period = '2025-Q4'"
        )[0]["settlement_hash"],
        changed.as_str()
    );
    documents_agree(&workspace);
    workspace.ok(&["verify"]);
}

#[test]
fn documents_are_paid_disputed_reversed_and_settled_again() {
    let workspace = without_set_aside_files();
    close(&workspace, "2025-Q4", "2026-10-12");
    workspace.ok(&["run"]);
    let settled = workspace.warehouse().join("settled/fiscal/2025-Q4");
    let frozen = hashes(&settled);
    let documents = rows(
        &workspace,
        "SELECT settlement_no, partner_id, currency, due_amount FROM settlements WHERE currency = 'EUR' ORDER BY settlement_no",
    );
    let (paid, part, wrong, disputed) = (&documents[0], &documents[1], &documents[2], &documents[3]);
    assert_eq!(text(paid, "partner_id"), "EM-0001");
    let earned = rows(
        &workspace,
        "SELECT SUM(booked) AS booked FROM rebates WHERE partner_id = 'EM-0001' AND earning_period = '2025-Q4' AND component = 'earned'",
    );
    assert_eq!(milli(&earned[0], "booked"), milli(paid, "due_amount"));

    // one paid, one in part, one paid in another currency and on a document that there is not
    let payment = |id: &str, document: &str, amount: &str, currency: &str| {
        format!("{id},,{document},2026-10-11,{amount},{currency}\n")
    };
    let name = |row: &Json| text(row, "settlement_no").to_owned();
    let mut payments = "payment_id,order_line_id,settlement_no,paid_on,amount,currency\n".to_owned();
    payments += &payment("PAY-1", &name(paid), text(paid, "due_amount"), "EUR");
    payments += &payment("PAY-2", &name(part), "100.00", "EUR");
    payments += &payment("PAY-3", &name(wrong), "100", "JPY");
    payments += &payment("PAY-4", "S-009999", "100.00", "EUR");
    workspace.write("sample_data/finance/payments-settled.csv", &payments);
    workspace.write(
        "sample_data/finance/disputes-1.csv",
        &format!(
            "dispute_id,settlement_no,line,raised_on,reason,resolution,resolved_on\n\
             DS-1,{},,2026-10-20,Figures not ours,,\nDS-2,{},,2027-01-20,Too late,,\n",
            name(disputed),
            name(wrong)
        ),
    );
    let ran = workspace.ok(&["run", "--json"]);
    for rule in ["payment.document", "dispute.late"] {
        assert!(ran.stdout.contains(rule), "{rule}: {}", ran.stdout);
    }
    let state = |workspace: &Workspace, row: &Json| -> String {
        let sql = format!(
            "SELECT state FROM settlement_states WHERE settlement_no = '{}'",
            name(row)
        );
        text(&rows(workspace, &sql)[0], "state").to_owned()
    };
    let states = |workspace: &Workspace| [paid, part, wrong, disputed].map(|row| state(workspace, row));
    assert_eq!(states(&workspace), ["paid", "partly_paid", "issued", "disputed"]);
    documents_agree(&workspace);
    // the same again posts nothing; a payment that is corrected is taken back and posted anew
    let count = |workspace: &Workspace| {
        rows(workspace, "SELECT COUNT(*) AS n FROM ledger WHERE reason = 'payment'")[0]["n"].as_i64()
    };
    assert_eq!(count(&workspace), Some(4));
    let corrected = format!(
        "payment_id,order_line_id,settlement_no,paid_on,amount,currency\n{}",
        payment("PAY-2", &name(part), "110.00", "EUR")
    );
    workspace.write("sample_data/finance/payments-settled-2.csv", &corrected);
    workspace.ok(&["run"]);
    let open = rows(
        &workspace,
        &format!(
            "SELECT paid_amount FROM settlement_states WHERE settlement_no = '{}'",
            name(part)
        ),
    );
    if milli(&open[0], "paid_amount") == 110_000 {
        assert_eq!(count(&workspace), Some(8));
    }
    documents_agree(&workspace);

    // what was paid cannot be reversed, what was not can, once
    refused(
        &workspace,
        &["settlements", "reverse", &name(paid)],
        "r.reverser",
        "was paid on it",
    );
    refused(
        &workspace,
        &["settlements", "reverse", "S-009999"],
        "r.reverser",
        "there is no such document",
    );
    workspace.ok(&person(&["settlements", "reverse", &name(disputed)], "r.reverser"));
    refused(
        &workspace,
        &["settlements", "reverse", &name(disputed)],
        "r.reverser",
        "by the next run already",
    );
    workspace.ok(&["run"]);
    assert_eq!(state(&workspace, disputed), "reversed");
    refused(
        &workspace,
        &["settlements", "reverse", &name(disputed)],
        "r.reverser",
        "reversed already",
    );
    documents_agree(&workspace);
    let partner = text(disputed, "partner_id").to_owned();
    let again = rows(
        &workspace,
        &format!(
            "SELECT SUM(amount) AS amount FROM settlement_proposals WHERE partner_id = '{partner}' AND kind = 'earned' AND earning_period = '2025-Q4'"
        ),
    );
    assert_eq!(milli(&again[0], "amount"), milli(disputed, "due_amount"));

    // a partner that owes: nothing is paid, and it is carried forward
    adjust(&workspace, "ADJ-2", "EM-0001", "-900000.00");
    workspace.ok(&["run"]);
    close(&workspace, "2026-Q1", "2026-10-13");
    workspace.ok(&["run"]);
    documents_agree(&workspace);
    let second = rows(
        &workspace,
        "SELECT * FROM settlements WHERE partner_id = 'EM-0001' AND period = '2026-Q1'",
    );
    assert_eq!(milli(&second[0], "due_amount"), 0);
    let carried = milli(&second[0], "carried_out_amount");
    assert_eq!(carried, milli(&second[0], "earned_amount") - 900_000_000);
    assert_eq!(state(&workspace, &second[0]), "carried");
    // the reversed one was settled again, and newest go first
    let resettled = rows(
        &workspace,
        &format!(
            "SELECT settlement_no, earned_amount FROM settlements WHERE partner_id = '{partner}' AND period = '2026-Q1' AND kind = 'settlement'"
        ),
    );
    assert_eq!(resettled.len(), 1);
    assert!(milli(&resettled[0], "earned_amount") > milli(disputed, "due_amount"));
    refused(
        &workspace,
        &["settlements", "reverse", &name(wrong)],
        "r.reverser",
        "newest first",
    );

    // nothing is accrued on what was settled, nothing of the closed period has moved, and all of it is rebuilt
    let accrued = rows(
        &workspace,
        "SELECT partner_id, scheme, SUM(amount) AS open FROM ledger WHERE account = 'accrued_rebates' \
         AND earning_period IN ('2025-Q4', '2026-Q1') GROUP BY partner_id, scheme",
    );
    assert!(accrued.iter().all(|row| milli(row, "open") == 0), "{accrued:?}");
    assert_eq!(hashes(&settled), frozen);
    workspace.ok(&["verify"]);
    every_entry_is_explained(&workspace);
    crate::journal::proved_by_hledger(&workspace);
    let release = workspace.release_hashes();
    fs::remove_dir_all(workspace.warehouse()).expect("the warehouse goes");
    workspace.ok(&["run"]);
    assert_eq!(workspace.release_hashes(), release);
}

/// One entry of every reason, with what it rests on and the story of its key.
fn every_entry_is_explained(workspace: &Workspace) {
    let firsts = rows(
        workspace,
        "SELECT reason, MIN(entry_no) AS entry_no FROM ledger GROUP BY reason",
    );
    let reasons: Vec<&str> = firsts.iter().map(|row| text(row, "reason")).collect();
    for reason in [
        "accrual",
        "manual_adjustment",
        "netting",
        "payment",
        "reversal",
        "settlement",
    ] {
        assert!(reasons.contains(&reason), "{reasons:?}");
    }
    for row in &firsts {
        let number = row["entry_no"].to_string();
        let explained: Json =
            serde_json::from_str(&workspace.ok(&["explain", "entry", &number, "--json"]).stdout).expect("JSON");
        let reason = text(row, "reason");
        assert_eq!(text(&explained, "reason"), reason);
        let table = match reason {
            "accrual" | "adjustment" | "hold_released" => "rebates",
            "manual_adjustment" => "manual_adjustments",
            "payment" => "payments",
            _ => "settlements",
        };
        assert_eq!(explained["rests_on"]["table"], table);
        let list = |value: &Json| value.as_array().expect("a list").clone();
        assert!(!list(&explained["rests_on"]["rows"]).is_empty(), "{explained}");
        let sum: i64 = list(&explained["transaction"]).iter().map(|e| milli(e, "amount")).sum();
        assert_eq!(sum, 0, "{explained}");
        // the story ends where the ledger stands
        let sql = format!(
            "SELECT SUM(amount) AS amount FROM ledger WHERE account = 'rebate_expense' AND partner_id = '{}' \
             AND scheme = '{}' AND earning_period = '{}' AND currency = '{}'",
            text(&explained, "partner_id"),
            text(&explained, "scheme"),
            text(&explained, "earning_period"),
            text(&explained, "currency")
        );
        let expense = rows(workspace, &sql);
        let expense = expense
            .first()
            .and_then(|row| row["amount"].as_str())
            .map_or(0, |_| milli(&expense[0], "amount"));
        assert_eq!(
            milli(list(&explained["story"]).last().expect("a move"), "earned"),
            expense
        );
        assert!(
            workspace
                .ok(&["explain", "entry", &number])
                .stdout
                .contains("the story of its key")
        );
    }
    let ran = workspace.run(&["explain", "entry", "999999"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("there is no entry 999999"),
        "{}",
        ran.stderr
    );
}
