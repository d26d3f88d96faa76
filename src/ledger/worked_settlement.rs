//! Settlements, worked: what is accrued, what documents say, what stands on the accounts.

use super::books::Books;
use super::fixture::{at, shown, targets};
use super::settle::{NO_SCHEME_ADJUSTED, Terms, issue, propose};
use super::{Document, Key, Keyed, PostingDay, Reason, post_keyed, post_to};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Currency, Dec, Digest, Money, Period};

fn euros(text: &str) -> Money {
    Money::exact(Dec::parse(text).unwrap(), Currency::parse("EUR").unwrap()).unwrap()
}

/// Closes a quarter: earning periods up to it are due.
fn close(books: &mut Books, documents: &mut Vec<Document>, quarter: &str, day: &str) {
    let at = at(quarter, day);
    let terms = Terms {
        period: at.period,
        is_due: &|earning| earning <= at.period,
        minimum: &Money::zero,
    };
    let proposals = propose(books.entries(), documents, &terms).unwrap();
    let first_no = i64::try_from(documents.len()).unwrap() + 1;
    documents.extend(issue(books, &proposals, first_no, at, at.day).unwrap());
}

fn post(books: &mut Books, rows: &[&str], closed: &str, now: PostingDay) {
    let closed = Period::parse(closed).unwrap();
    let posting = |earning: Period| PostingDay {
        is_final: earning <= closed,
        ..now
    };
    post_to(books, &targets(rows), &posting, &[]).unwrap();
}

#[test]
fn a_return_after_the_settlement_is_carried_forward() {
    let mut books = Books::open(Vec::new()).unwrap();
    let mut documents = Vec::new();
    post(
        &mut books,
        &["P1 a 2026-Q1 100.00 EUR"],
        "2025-Q4",
        at("2026-Q1", "2026-03-31"),
    );
    close(&mut books, &mut documents, "2026-Q1", "2026-03-31");
    let both = ["P1 a 2026-Q1 70.00 EUR", "P1 a 2026-Q2 20.00 EUR"];
    post(&mut books, &both, "2026-Q1", at("2026-Q2", "2026-06-30"));
    close(&mut books, &mut documents, "2026-Q2", "2026-06-30");
    let expected = [
        "1 1 rebate_expense 100.00 EUR accrual - target 100.00 EUR",
        "2 1 accrued_rebates -100.00 EUR accrual - target 100.00 EUR",
        "3 2 accrued_rebates 100.00 EUR settlement - document S-000001",
        "4 2 partner_payable -100.00 EUR settlement - document S-000001",
        "5 3 rebate_expense -30.00 EUR adjustment 1 target 70.00 EUR",
        "6 3 partner_receivable 30.00 EUR adjustment 1 target 70.00 EUR",
        "7 4 rebate_expense 20.00 EUR accrual - target 20.00 EUR",
        "8 4 accrued_rebates -20.00 EUR accrual - target 20.00 EUR",
        "9 5 accrued_rebates 20.00 EUR settlement - document S-000002",
        "10 5 partner_payable -20.00 EUR settlement - document S-000002",
        "11 6 partner_payable 20.00 EUR netting - document S-000002",
        "12 6 partner_receivable -20.00 EUR netting - document S-000002",
    ];
    assert_eq!(shown(books.entries()), expected);
    let says =
        |d: &Document| [d.carried_in, d.earned, d.adjusted, d.total, d.due, d.carried_out].map(|m| m.dec().to_string());
    assert_eq!(
        says(&documents[0]),
        ["0.00", "100.00", "0.00", "100.00", "100.00", "0.00"]
    );
    assert_eq!(
        says(&documents[1]),
        ["0.00", "20.00", "-30.00", "-10.00", "0.00", "-10.00"]
    );
}

#[test]
fn a_claim_of_a_later_period_is_not_set_off_before_its_document() {
    let mut books = Books::open(Vec::new()).unwrap();
    let mut documents = Vec::new();
    post(
        &mut books,
        &["P1 a 2026-Q1 100.00 EUR"],
        "2025-Q4",
        at("2026-Q1", "2026-03-31"),
    );
    let later = Keyed {
        id: "ADJ-1".to_owned(),
        key: Key {
            partner: PartnerId::new("P1").unwrap(),
            scheme: SchemeId::new(NO_SCHEME_ADJUSTED).unwrap(),
            earning_period: Period::parse("2026-Q2").unwrap(),
            currency: Currency::parse("EUR").unwrap(),
        },
        amount: euros("-40.00"),
        at: at("2026-Q2", "2026-04-02"),
        content: Digest::of(b"ADJ-1"),
    };
    post_keyed(
        &mut books,
        Reason::ManualAdjustment,
        &[later],
        at("2026-Q1", "2026-03-31"),
    )
    .unwrap();
    close(&mut books, &mut documents, "2026-Q1", "2026-03-31");
    assert_eq!(documents[0].due, euros("100.00"));
    assert!(books.entries().iter().all(|e| e.reason != Reason::Netting));
    close(&mut books, &mut documents, "2026-Q2", "2026-06-30");
    assert_eq!(
        (documents[1].manual, documents[1].carried_out),
        (euros("-40.00"), euros("-40.00"))
    );
}
