//! Posting, worked: targets in, entries out.

use super::fixture::{at, book, hold, post_more, posting_in, shown, targets};
use super::post;

#[test]
fn only_the_difference_is_posted() {
    // cumulative 100, then 120, then 120 again, then 70
    let mut entries = Vec::new();
    let mut deltas = Vec::new();
    for amount in ["100.00", "120.00", "120.00", "70.00"] {
        let posting = post_more(
            &mut entries,
            &targets(&[&format!("P1 bonus 2026-Q3 {amount} EUR")]),
            &[],
        );
        deltas.push(posting.deltas.iter().map(|d| d.delta.to_string()).collect::<Vec<_>>());
    }
    assert_eq!(
        deltas,
        [vec!["100.00 EUR"], vec!["20.00 EUR"], vec![], vec!["-50.00 EUR"]]
    );
    let expected = [
        "1 1 rebate_expense 100.00 EUR accrual - target 100.00 EUR",
        "2 1 accrued_rebates -100.00 EUR accrual - target 100.00 EUR",
        "3 2 rebate_expense 20.00 EUR adjustment 1 target 120.00 EUR",
        "4 2 accrued_rebates -20.00 EUR adjustment 1 target 120.00 EUR",
        "5 3 rebate_expense -50.00 EUR adjustment 2 target 70.00 EUR",
        "6 3 accrued_rebates 50.00 EUR adjustment 2 target 70.00 EUR",
    ];
    assert_eq!(shown(&entries), expected);
}

#[test]
fn worked_sequences_of_cumulative_targets() {
    let deltas = |cumulative: &[&str]| {
        let mut entries = Vec::new();
        let rows = cumulative
            .iter()
            .map(|c| targets(&[&format!("P1 bonus 2026-Q3 {c} EUR")]));
        let deltas = rows.map(|t| {
            post_more(&mut entries, &t, &[])
                .deltas
                .first()
                .map_or("0".to_owned(), |d| d.delta.dec().to_string())
        });
        deltas.collect::<Vec<_>>()
    };
    // a band reached that pays less on all, and a third run without news
    assert_eq!(deltas(&["150", "80", "80"]), ["150.00", "-70.00", "0"]);
    // the fall comes late
    assert_eq!(deltas(&["150", "150", "80"]), ["150.00", "0", "-70.00"]);
    assert_eq!(deltas(&["120", "140"]), ["120.00", "20.00"]);
    assert_eq!(deltas(&["100", "80"]), ["100.00", "-20.00"]); // capped first
    assert_eq!(deltas(&["3", "9"]), ["3.00", "6.00"]);
    assert_eq!(deltas(&["9", "3"]), ["9.00", "-6.00"]); // a return
    assert_eq!(deltas(&["30", "50", "50"]), ["30.00", "20.00", "0"]);
    assert_eq!(deltas(&["120", "60"]), ["120.00", "-60.00"]); // all of the highest band goes back
    assert_eq!(deltas(&["120", "40"]), ["120.00", "-80.00"]);
    assert_eq!(deltas(&["0", "140", "1080"]), ["0", "140.00", "940.00"]);
    assert_eq!(deltas(&["0.33", "0.67"]), ["0.33", "0.34"]); // rounded on the total: no cent is lost
    assert_eq!(deltas(&["0.10", "0.10"]), ["0.10", "0"]);
    assert_eq!(deltas(&["100", "0"]), ["100.00", "-100.00"]); // a refund of everything
    // single claims of 800 and 2,400, then 4,000 on all of it
    assert_eq!(deltas(&["800", "3200", "4000"]), ["800.00", "2400.00", "800.00"]);
    assert_eq!(deltas(&["252", "630", "0"]), ["252.00", "378.00", "-630.00"]);
}

#[test]
fn a_key_without_a_target_goes_back_to_zero_and_others_stay() {
    let mut entries = book(&[targets(&["P1 bonus 2026-Q3 25000 EUR", "P2 bonus 2026-Q3 25000 EUR"])]);
    let posting = post_more(&mut entries, &targets(&["P2 bonus 2026-Q3 40000 EUR"]), &[]);
    let deltas: Vec<String> = posting
        .deltas
        .iter()
        .map(|d| format!("{} {}", d.key.partner, d.delta))
        .collect();
    assert_eq!(deltas, ["P1 -25000.00 EUR", "P2 15000.00 EUR"]);
    // another settlement currency is another key
    let posting = post_more(&mut entries, &targets(&["P2 bonus 2026-Q3 5000 JPY"]), &[]);
    let deltas: Vec<String> = posting.deltas.iter().map(|d| d.delta.to_string()).collect();
    assert_eq!(deltas, ["-40000.00 EUR", "5000 JPY"]);
}

#[test]
fn keys_are_posted_in_order_whatever_the_order_of_targets() {
    let mut rows = targets(&[
        "P2 a 2026-Q3 1 EUR",
        "P1 b 2026-Q2 1 EUR",
        "P1 b 2026-Q1 1 USD",
        "P1 b 2026-Q1 1 EUR",
    ]);
    let forward = book(&[rows.clone()]);
    rows.reverse();
    assert_eq!(forward, book(&[rows]));
    let keys: Vec<String> = forward.iter().step_by(2).map(|e| e.key().to_string()).collect();
    let expected = [
        "partner P1, b, 2026-Q1, EUR",
        "partner P1, b, 2026-Q1, USD",
        "partner P1, b, 2026-Q2, EUR",
        "partner P2, a, 2026-Q3, EUR",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn a_hold_keeps_back_and_releases_by_itself() {
    let holds = [hold("P1 2026-10-01 2026-11-30")];
    let mut entries = Vec::new();
    let mut run = |amount: &str, day: &str| {
        let from = entries.len();
        let rows = targets(&[&format!("P1 bonus 2026-Q3 {amount} EUR")]);
        let posting = post(&entries, &rows, &|_| at("2026-Q4", day), &holds).unwrap();
        entries.extend(posting.entries);
        entries[from..]
            .iter()
            .map(|e| format!("{} {} {}", e.account, e.amount.dec(), e.reason))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        run("100", "2026-09-30"),
        ["rebate_expense 100.00 accrual", "accrued_rebates -100.00 accrual"]
    );
    assert_eq!(
        run("130", "2026-10-01"),
        ["rebate_expense 30.00 adjustment", "rebates_on_hold -30.00 adjustment"]
    );
    // 40 less: 30 from the hold, 10 from the accrual
    let expected = [
        "rebate_expense -40.00 adjustment",
        "accrued_rebates 10.00 adjustment",
        "rebates_on_hold 30.00 adjustment",
    ];
    assert_eq!(run("90", "2026-10-02"), expected);
    assert_eq!(
        run("95", "2026-11-29"),
        ["rebate_expense 5.00 adjustment", "rebates_on_hold -5.00 adjustment"]
    );
    assert_eq!(
        run("95", "2026-11-30"),
        [
            "rebates_on_hold 5.00 hold_released",
            "accrued_rebates -5.00 hold_released"
        ]
    );
    assert!(run("95", "2026-11-30").is_empty());
}

#[test]
fn what_cannot_be_posted_is_refused() {
    let twice = targets(&["P1 a 2026-Q3 1 EUR", "P1 a 2026-Q3 2 EUR"]);
    let error = post(&[], &twice, &posting_in("2026-Q4"), &[]).unwrap_err().to_string();
    assert_eq!(error, "two targets for partner P1, a, 2026-Q3, EUR: a key has one");
    // 25 digits and four decimals are one digit more than the table holds
    let wide = targets(&["P1 a 2026-Q3 1000000000000000000000000 JPY"]);
    let error = post(&[], &wide, &posting_in("2026-Q4"), &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "partner P1, a, 2026-Q3, JPY: the amount does not fit in 28 digits"
    );
    let mut broken = book(&[targets(&["P1 a 2026-Q3 1 EUR"])]);
    broken[1].source.push('!');
    let error = post(&broken, &[], &posting_in("2026-Q4"), &[]).unwrap_err().to_string();
    assert!(
        error.starts_with("ledger entry 2 was changed after it was posted"),
        "{error}"
    );
}
