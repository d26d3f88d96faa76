//! What a scorecard says, and what it must not.
//!
//! Duty: subject, text and HTML of a fixture, in every language. Not its duty: figures (other rooms compute them).

use super::brand::Look;
use super::fixture::{OTHER, World, table};
use super::frame::{Earlier, PartnerFrame};
use super::inputs::PublishingError;
use super::scorecard::{MAX_HTML_BYTES, Scorecard, render};
use super::texts::Texts;
use crate::domain::Value;

fn scorecard(world: &World) -> Scorecard {
    in_language(world, "en-GB")
}

fn in_language(world: &World, language: &str) -> Scorecard {
    render(
        &world.frame().unwrap(),
        None,
        &Texts::for_language(language),
        &Look::default(),
    )
    .unwrap()
}

/// What a reader of the HTML sees: the text between tags, entities decoded.
fn visible(html: &str) -> String {
    let body = html.split_once("</style>").unwrap().1;
    let mut text = String::new();
    for piece in body.split('<') {
        text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
        text.push(' ');
    }
    [
        ("&#x2f;", "/"),
        ("&#x27;", "'"),
        ("&quot;", "\""),
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text, |text, (entity, plain)| text.replace(entity, plain))
}

#[test]
fn subject_and_first_lines() {
    let card = scorecard(&World::full());
    assert_eq!(
        card.subject,
        "Northwind Service Partners: scorecard 2026-Q3: grade B, 85.06 (+3.15)"
    );
    let lines: Vec<&str> = card.text.lines().filter(|l| !l.is_empty()).take(8).collect();
    assert_eq!(
        lines,
        [
            "Northwind Service Partners — Service scorecard",
            "Nordlicht Netze GmbH (P-0017)",
            "2026-Q3 · 1 July 2026 to 30 September 2026",
            "Preliminary: the period is open, and late data may still change the result.",
            "Data known by 12 October 2026, 06:00 UTC.",
            "Grade: B",
            "Score: 85.06 of 100",
            "▲ +3.15 since 2026-Q2 (81.91)",
        ]
    );
    // 90.00 − 85.06
    assert!(card.text.contains("4.94 points to grade A"), "{}", card.text);
}

#[test]
fn metrics_events_and_money_stand_in_the_text() {
    let text = scorecard(&World::full()).text.replace('\u{a0}', " ");
    for expected in [
        "Customer satisfaction: 95.31 % satisfied",
        "Score 87.00 · Weight 40.00 · Points 34.80",
        "64 answers · peers 90.60 % (your region and domain) · 95 % interval 87.12 % to 98.39 %",
        "weight 40.00 before redistribution · provisional: few data",
        "* −2.00  LATE-ESCALATION (E-31)",
        "* 0.00  UNTRAINED-DELIVERY (E-44)",
        "waiting for confirmation, no points",
        "* Uninterruptible power: not rated. The metrics with a result weigh 0.00, at least 60.00 needed.",
        "* Uninterruptible power, Customer satisfaction: not rated: too few data. 3 answers, at least 5 needed.",
        "On sales of: EUR 142,317.55",
        "Earned to date: EUR 1,661.72",
        "Band 2 · EUR 42,317.55 · at 2 %: EUR 846.35",
        "Grade factor · EUR 1,846.35 · factor 0.9 · grade B: EUR −184.64",
        "Not counted: not paid in full yet · 4 sales lines · EUR 20,500.00",
        "Not counted yet: no exchange rate · 1 sales line · no rate KWD→EUR at most 7 days old for 2026-08-14 · KWD 1,500.125",
        "Condition not met · Uninterruptible power · EUR 8,000.00 · no certification for ups was active throughout 2026-Q3: EUR 0.00",
        "late data for 2026-Q2",
        "Write to partner-desk@example.com by 11 November 2026.",
    ] {
        assert!(text.contains(expected), "no '{expected}' in\n{text}");
    }
    // opening 900.00 + (1661.72 − 12.50) − 0 = 2549.22
    assert!(
        text.contains("Opening: EUR 900.00\n  Earned: EUR 1,649.22\n  Paid: EUR 0.00\n  Closing: EUR 2,549.22"),
        "{text}"
    );
    for absent in [
        "RIVAL",
        "Rival",
        OTHER,
        "777",
        "OLD",
        "Renamed Later",
        "{",
        "}}",
        "Rounding",
    ] {
        assert!(!text.contains(absent), "'{absent}' in\n{text}");
    }
}

#[test]
fn every_figure_of_the_html_is_in_the_text() {
    let card = scorecard(&World::full());
    let figures = |text: &str| -> std::collections::BTreeSet<String> {
        text.split(|c: char| c.is_whitespace() || c == '\u{a0}')
            .map(|t| {
                t.trim_matches(|c: char| !c.is_alphanumeric() && !"+−".contains(c))
                    .to_owned()
            })
            .filter(|t| t.chars().any(|c| c.is_ascii_digit()))
            .collect()
    };
    let (html, text) = (figures(&visible(&card.html)), figures(&card.text));
    assert!(html.len() > 60, "{html:?}");
    assert_eq!(html.difference(&text).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn data_is_escaped_and_never_a_template() {
    let mut world = World::full();
    let hostile = "<script>alert('x')</script>{{7*7}}{% include 'x' %} & \"co\"";
    world.partners.rows[0][2] = Value::text(hostile);
    world.events.rows[0][11] = Value::text("<img src=https://x.example/a.png onerror=1>");
    let card = scorecard(&world);
    assert!(
        !card.html.contains("<script") && !card.html.contains("<img src=https"),
        "{}",
        card.html
    );
    assert!(visible(&card.html).contains(hostile));
    assert!(card.text.contains(hostile));
}

#[test]
fn nothing_remote_and_under_the_limit() {
    let card = scorecard(&World::full());
    for remote in ["http:", "https:", "url(", "@import", "<script", "<link"] {
        assert!(!card.html.contains(remote), "{remote}");
    }
    for source in card.html.split("src=\"").skip(1) {
        assert!(source.starts_with("cid:"), "{}", &source[..30]);
    }
    assert!(card.html.contains("<html lang=\"en\"") && card.html.contains("prefers-color-scheme: dark"));
    assert!(card.html.len() < 60_000, "{}", card.html.len());
}

#[test]
fn very_many_events_shorten_the_html_and_not_the_text() {
    let mut world = World::full();
    let columns = world.events.columns().join(" ");
    let rows: Vec<String> = (0..400)
        .map(|i| format!("X-{i} | P-0017 | ups | 2026-Q3 | SOMETHING-RATHER-LONG | minor | positive | none | counted | 1.00 | d:2026-09-02 | A reason of some length, as people write them"))
        .collect();
    world.events = table(
        "key_event_points",
        &columns,
        &rows.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let card = scorecard(&world);
    assert!(card.html.len() < MAX_HTML_BYTES, "{}", card.html.len());
    assert!(card.html.contains("More lines stand in the text part"));
    assert!(card.text.contains("(X-399)"));
}

#[test]
fn not_rated_shows_no_score_and_says_why() {
    let mut world = World::full();
    let row = &mut world.partner_scores.rows[0];
    row[3] = Value::text("not_rated");
    row[4] = Value::text("no domain is rated");
    for i in [7, 10, 11, 13] {
        row[i] = Value::Null;
    }
    let card = scorecard(&world);
    assert_eq!(card.subject, "Northwind Service Partners: scorecard 2026-Q3: not rated");
    assert!(
        card.text.contains("Grade: –\nNot rated\nNo domain is rated.\n"),
        "{}",
        card.text
    );
}

#[test]
fn a_black_red_line_is_told_and_promises_no_next_grade() {
    let mut world = World::full();
    let row = &mut world.partner_scores.rows[0];
    row[11] = Value::text("E");
    row[14] = Value::text("black");
    row[15] = Value::Date(crate::domain::time::parse_date("2026-12-01").unwrap());
    let card = scorecard(&world);
    assert!(
        card.text.contains("!! Black red line until 30 November 2026: grade E"),
        "{}",
        card.text
    );
    assert!(!card.text.contains("points to grade"));
    assert!(card.subject.contains("grade E, 85.06"));
}

#[test]
fn order_of_rows_does_not_matter_and_data_does() {
    let (world, mut shuffled) = (World::full(), World::full());
    for t in [
        &mut shuffled.metrics,
        &mut shuffled.scores,
        &mut shuffled.events,
        &mut shuffled.rebates,
        &mut shuffled.ledger,
    ] {
        t.rows.reverse();
    }
    assert_eq!(scorecard(&world), scorecard(&shuffled));
    shuffled.metrics.rows[8][18] = Value::text("a note");
    assert_ne!(scorecard(&world).data_hash, scorecard(&shuffled).data_hash);
}

#[test]
fn another_partners_rows_change_nothing() {
    let (world, mut changed) = (World::full(), World::full());
    for t in [
        &mut changed.metrics,
        &mut changed.scores,
        &mut changed.events,
        &mut changed.rebates,
    ] {
        t.rows.retain(|row| !row.contains(&Value::text(OTHER)));
    }
    assert_eq!(scorecard(&world), scorecard(&changed));
}

#[test]
fn closing_the_period_makes_it_final_and_new() {
    let (open, mut closed) = (World::full(), World::full());
    closed.closed_on = crate::domain::time::parse_date("2026-10-20");
    let card = scorecard(&closed);
    assert!(card.text.contains("Final: the period was closed on 20 October 2026."));
    assert_ne!(card.data_hash, scorecard(&open).data_hash);
}

#[test]
fn broken_books_are_refused() {
    let mut world = World::full();
    world.ledger.rows[5][3] = Value::Dec(crate::domain::Dec::parse("-1661.7100").unwrap());
    assert!(matches!(world.frame(), Err(PublishingError::Unbalanced { .. })));
    world.ledger.rows.remove(5);
    assert!(matches!(world.frame(), Err(PublishingError::Unbalanced { .. })));
}

#[test]
fn all_nine_sections_stand_in_the_text() {
    let text = scorecard(&World::full()).text.replace('\u{a0}', " ");
    for expected in [
        "★★★★☆ Routing and switching: 4 stars, valid until 30 June 2027",
        "★★★☆☆ Server and storage: 3 stars, valid until 30 November 2026",
        "Next review: 1 October 2027.",
        "WHAT CHANGED\nScore in 2026-Q2: 81.91\n* Routing and switching: result: +4.20\n* Server and storage: weight: −2.05\n* Key events: +1.00\nScore in 2026-Q3: 85.06",
        "Since 2026-Q2: Customer satisfaction: result +5.63 · Key events −2.00",
        "What is done by 31 December 2026 counts in 2026-Q4.",
        "* Routing and switching: return the 6 parts that are overdue\n  +6.20 points · +3.84 points in the domain · grade A",
        "* Uninterruptible power: 5 more satisfied answers, each of another customer\n  would be rated",
        "! Renew the certification for Server and storage: it ends on 30 November 2026.",
        "! Routing and switching: 2 certificates of engineers end by 28 December 2026, the first on 1 November 2026.",
        "can be contested until 11 November 2026",
        "* Routing and switching: from 4 to 5 stars\n  ✗ Certified engineers: 4 of 6 · not met\n  ✓ Training credits: 1,237.5 of 600 · met\n  ✗ Mean score: 84.3; asked for: a mean of 87 or more · not met",
        // 200,000.00 − 142,317.55
        "EUR 57,682.45 more reaches the next band, at 3 %",
        // 1,846.351 × (1 − 0.9)
        "With grade A it would have been EUR 184.64 more, before caps.",
        "To grade A: 85.06 of 90.00 (94 %)",
    ] {
        assert!(text.contains(expected), "no '{expected}' in\n{text}");
    }
    assert!(!text.contains("777"), "{text}");
}

#[test]
fn a_correction_shows_old_and_new() {
    let (old, mut world) = (World::full(), World::full());
    let row = &mut world.partner_scores.rows[0];
    row[10] = Value::Dec(crate::domain::Dec::parse("90.06").unwrap());
    row[11] = Value::text("A");
    world.events.rows.remove(0);
    let texts = Texts::for_language("en");
    let (before, now) = (old.frame().unwrap(), world.frame().unwrap());
    let earlier = |frame: &PartnerFrame| Earlier {
        frame: Some(frame.clone()),
    };
    let card = render(&now, Some(&earlier(&before)), &texts, &Look::default()).unwrap();
    assert!(card.subject.starts_with("Correction: Northwind"), "{}", card.subject);
    for expected in [
        "* Grade: B · 85.06 → A · 90.06\n",
        "* LATE-ESCALATION (E-31): −2.00 → –\n",
    ] {
        assert!(card.text.contains(expected), "no '{expected}' in\n{}", card.text);
    }
    assert!(visible(&card.html).contains("B · 85.06 → A · 90.06"));
    let same = render(&before, Some(&earlier(&before)), &texts, &Look::default()).unwrap();
    assert!(same.text.contains("none of the figures above"), "{}", same.text);
    let mut closed = World::full();
    closed.closed_on = crate::domain::time::parse_date("2026-10-20");
    let closing = render(
        &closed.frame().unwrap(),
        Some(&earlier(&before)),
        &texts,
        &Look::default(),
    )
    .unwrap();
    assert!(!closing.subject.starts_with("Correction"), "{}", closing.subject);
    assert!(!closing.text.contains("CORRECTS"), "{}", closing.text);
    let unknown = render(&before, Some(&Earlier::default()), &texts, &Look::default()).unwrap();
    assert!(unknown.text.contains("It takes the place of") && !unknown.text.contains("none of the figures"));
}

#[test]
fn every_language_says_the_same_figures() {
    let world = World::full();
    let digits = |text: &str| -> Vec<String> {
        let mut found: Vec<String> = text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|d| d.len() >= 2)
            .map(str::to_owned)
            .collect();
        found.sort();
        found.dedup();
        found
    };
    let english: Vec<String> = digits(&in_language(&world, "en").text);
    for language in ["de", "es", "fr", "pt", "zh"] {
        let card = in_language(&world, language);
        assert!(card.html.contains(&format!("<html lang=\"{language}\"")), "{language}");
        let figures = |t: &str| -> std::collections::BTreeSet<String> { digits(t).into_iter().collect() };
        let missing: Vec<String> = figures(&visible(&card.html))
            .difference(&figures(&card.text))
            .cloned()
            .collect();
        assert_eq!(missing, Vec::<String>::new(), "{language}");
        let text = card.text.replace(['.', ',', '\u{202f}'], "");
        let lost: Vec<&String> = english
            .iter()
            .filter(|d| d.len() >= 5 && !text.contains(d.as_str()))
            .collect();
        assert_eq!(lost, Vec::<&String>::new(), "{language}");
        for left in [
            "{",
            "needed to be rated",
            "Not rated",
            "overdue",
            "sales line",
            "Earned",
        ] {
            assert!(!card.text.contains(left), "{language}: '{left}' in\n{}", card.text);
        }
    }
    assert!(in_language(&world, "de").text.contains("1.661,72\u{a0}EUR"));
    assert!(
        in_language(&world, "zh")
            .text
            .contains("1. Routing and switching：结果: +4.20")
    );
}

#[test]
fn pictures_are_small_and_named_in_the_html() {
    let card = scorecard(&World::full());
    let names: Vec<&str> = card.pictures.iter().map(|(_, p)| p.name.as_str()).collect();
    assert_eq!(names, ["changes", "progress"], "one period is no trend");
    for (cid, picture) in &card.pictures {
        assert!(card.html.contains(&format!("src=\"cid:{cid}\"")), "{cid}");
        assert!(
            picture.png.len() < 40_000 && picture.alt.len() > 20,
            "{}",
            picture.png.len()
        );
    }
}

#[test]
fn entries_that_move_nothing_shown_are_no_other_scorecard() {
    let (world, mut settled) = (World::full(), World::full());
    for (no, account, amount) in [(9, "accrued_rebates", "900.0000"), (10, "partner_payable", "-900.0000")] {
        let mut row = settled.ledger.rows[1].clone();
        row[0] = Value::Int(no);
        row[2] = Value::text(account);
        row[3] = Value::Dec(crate::domain::Dec::parse(amount).unwrap());
        settled.ledger.push(row);
    }
    assert_eq!(world.frame().unwrap().data_hash, settled.frame().unwrap().data_hash);
    settled.ledger.rows[2][3] = Value::Dec(crate::domain::Dec::parse("-13.5000").unwrap());
    settled.ledger.rows[3][3] = Value::Dec(crate::domain::Dec::parse("13.5000").unwrap());
    assert_ne!(world.frame().unwrap().data_hash, settled.frame().unwrap().data_hash);
}
