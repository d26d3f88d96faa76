//! What a statement says, as text, HTML, PDF and sheets.
//!
//! Duty: a document of a fixture in several languages, and one of somebody else that must not be seen. Not its duty:
//! amounts (the ledger computes them).

use std::collections::BTreeMap;

use super::brand::Look;
use super::fixture::table;
use super::inputs::PublishingError;
use super::statement::{StatementFrame, StatementInputs};
use super::view_statement::{Statement, render_statement};
use crate::domain::ids::PartnerId;
use crate::domain::{Period, Table, Value};

struct World {
    partners: Table,
    domains: Table,
    settlements: Table,
    statements: Table,
}

fn world() -> World {
    let settlements = "settlement_no reverses_settlement_no partner_id currency period issued_on dispute_until_on \
                       legal_entity tax_category ledger_head settlement_hash carried_in_amount earned_amount \
                       adjusted_amount manual_amount total_amount due_amount carried_out_amount held_amount";
    let statements = "settlement_no partner_id currency period line_no kind scheme earning_period domain component basis \
                      rate factor component_amount lines amount reason";
    World {
        partners: table(
            "partners",
            "partner_id valid_from legal_name region language currency",
            &[
                "P-0017 | d:2025-01-01 | Nordlicht Netze GmbH | emea | t:de | EUR",
                "P-0023 | d:2025-01-01 | Rival Systems Ltd | emea | t:en | EUR",
            ],
        ),
        domains: table("domains", "domain name member_of", &["ups | Uninterruptible power | -"]),
        settlements: table(
            "settlements",
            settlements,
            &[
                "S-000003 | - | P-0017 | EUR | 2026-Q3 | d:2026-10-20 | d:2026-11-19 | Northwind GmbH | standard | t:ab12 | t:cd34 | -30.0000 | 1661.7200 | 0.0000 | 12.5000 | 1644.2200 | 1644.2200 | 0.0000 | 99.0000",
                "S-000004 | - | P-0023 | EUR | 2026-Q3 | d:2026-10-20 | - | - | - | t:ab12 | - | 0.0000 | 77777.0000 | 0.0000 | 0.0000 | 77777.0000 | 77777.0000 | 0.0000 | 0.0000",
                "S-000005 | S-000003 | P-0017 | EUR | 2026-Q4 | d:2027-01-20 | - | - | - | t:ab12 | - | 0.0000 | 0.0000 | 0.0000 | 0.0000 | -1644.2200 | -1644.2200 | 0.0000 | 0.0000",
            ],
        ),
        statements: table(
            "statements",
            statements,
            &[
                "S-000003 | P-0017 | EUR | 2026-Q3 | i:1 | carried_in | - | - | - | - | - | - | - | - | - | -30.0000 | carried forward by the last document",
                "S-000003 | P-0017 | EUR | 2026-Q3 | i:2 | earned | sales-rebate | 2026-Q3 | - | - | - | - | - | - | - | 1661.7200 | earned, settled finally",
                "S-000003 | P-0017 | EUR | 2026-Q3 | i:3 | component | sales-rebate | 2026-Q3 | t: | band:2 | 42317.5500 | 0.020000000000 | - | 846.351000000000 | i:38 | - | -",
                "S-000003 | P-0017 | EUR | 2026-Q3 | i:4 | manual_adjustment | sales-rebate | 2026-Q2 | - | - | - | - | - | - | - | 12.5000 | adjusted by people",
                "S-000003 | P-0017 | EUR | 2026-Q3 | i:5 | component | sales-rebate | 2026-Q2 | - | A-7 | - | - | - | 12.5000 | - | - | =HYPERLINK(\"x\") #eval(1) <b>",
                "S-000004 | P-0023 | EUR | 2026-Q3 | i:1 | earned | sales-rebate | 2026-Q3 | - | - | - | - | - | - | - | 77777.0000 | -",
            ],
        ),
    }
}

fn frame(world: &World, partner: &str, number: &str, period: &str) -> Result<StatementFrame, PublishingError> {
    let inputs = StatementInputs::new(
        ("Northwind Service Partners", "partner-desk@example.com"),
        (&world.partners, &world.domains),
        &world.settlements,
        &world.statements,
    )?;
    StatementFrame::of(
        &PartnerId::new(partner).unwrap(),
        Period::parse(period).unwrap(),
        number,
        &inputs,
    )
}

fn rendered(number: &str, period: &str, language: &str, look: &Look) -> Statement {
    let frame = frame(&world(), "P-0017", number, period).unwrap();
    let titles = BTreeMap::from([("sales-rebate".to_owned(), "Service sales rebate".to_owned())]);
    render_statement(&frame, &titles, look.catalogues.of(language), look).unwrap()
}

#[test]
fn a_statement_says_what_was_settled_and_why() {
    let look = Look::default();
    let english = rendered("S-000003", "2026-Q3", "en", &look);
    assert_eq!(
        english.subject.replace('\u{a0}', " "),
        "Northwind Service Partners: statement S-000003 for 2026-Q3: EUR 1,644.22 due"
    );
    let text = english.text.replace('\u{a0}', " ");
    for expected in [
        "Partner: Nordlicht Netze GmbH (P-0017)",
        "Carried in: EUR −30.00\nEarned: EUR 1,661.72\nAdjusted by people: EUR 12.50\nTotal: EUR 1,644.22\nDue: EUR 1,644.22",
        "On hold, in no total: EUR 99.00",
        "2. Service sales rebate · Earned · 2026-Q3: EUR 1,661.72",
        "  - Band 2 · EUR 42,317.55 · at 2 % · 38 sales lines: EUR 846.35",
        "Write to partner-desk@example.com by 19 November 2026",
    ] {
        assert!(text.contains(expected), "no '{expected}' in\n{text}");
    }
    for absent in ["Rival", "77,777", "77777"] {
        assert!(!text.contains(absent) && !english.html.contains(absent), "{absent}");
        assert!(!english.attached_words().contains(absent), "{absent}");
    }
    assert!(english.html.contains("&lt;b&gt;") && !english.html.contains("<b>"));
    assert!(english.html.len() < 60_000 && !english.html.contains("http"));
}

#[test]
fn languages_and_reversals() {
    let look = Look::default();
    let german = rendered("S-000003", "2026-Q3", "de", &look);
    assert!(german.text.contains("Fällig: 1.644,22\u{a0}EUR"), "{}", german.text);
    assert!(
        german
            .text
            .contains("Staffel 2 · 42.317,55\u{a0}EUR · zu 2\u{a0}% · 38 Umsatzzeilen")
    );
    let reversal = rendered("S-000005", "2026-Q4", "fr", &look);
    assert!(reversal.subject.contains("annule S-000003"), "{}", reversal.subject);
}

#[test]
fn the_pdf_is_tagged_dated_and_the_same_every_time() {
    let look = Look::default();
    let first = rendered("S-000003", "2026-Q3", "de", &look).pdf;
    assert!(first.starts_with(b"%PDF-1."));
    assert_eq!(first, rendered("S-000003", "2026-Q3", "de", &look).pdf);
    assert_eq!(first, rendered("S-000003", "2026-Q3", "de", &Look::default()).pdf);
    let raw = String::from_utf8_lossy(&first);
    for wanted in ["/StructTreeRoot", "/Lang", "/FontFile", "20261020"] {
        assert!(raw.contains(wanted), "no {wanted}");
    }
    assert!(raw.contains("pdfuaid:part"), "accessible");
    // without a font for it, Chinese is set in English rather than in boxes
    let chinese = rendered("S-000003", "2026-Q3", "zh", &look);
    assert!(chinese.text.contains("结算单"));
    assert_eq!(chinese.pdf, rendered("S-000003", "2026-Q3", "en", &look).pdf);
    assert_ne!(chinese.pdf, first);
}

#[test]
fn sheets_hold_figures_as_figures() {
    let sheets = rendered("S-000003", "2026-Q3", "en", &Look::default()).sheets;
    let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Summary", "Line"]);
    let lines = &sheets[1].1;
    assert_eq!(lines.rows.len(), 5);
    assert_eq!(lines.columns()[..3], ["Line", "What", "Scheme"]);
    let band = &lines.rows[2];
    assert_eq!(band[5], Value::text("Band 2"));
    assert!(
        matches!(&band[9], Value::Dec(d) if d.to_string() == "846.351000000000"),
        "{band:?}"
    );
    assert_eq!(band[10], Value::Int(38));
}

#[test]
fn a_document_of_somebody_else_is_none_of_mine() {
    let error = frame(&world(), "P-0017", "S-000004", "2026-Q3").unwrap_err();
    assert!(matches!(error, PublishingError::NoDocument { .. }), "{error}");
}
