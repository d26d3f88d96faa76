//! The scorecard: subject, text and HTML from one frame.
//!
//! Duty: rendering the embedded templates; data is only ever a value in them, escaped wherever it stands in HTML. Not
//! its duty: choosing words (`texts`) or figures (`view`).

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::domain::Digest;

use super::frame::PartnerFrame;
use super::inputs::PublishingError;
use super::palette::{DARK, LIGHT, Palette};
use super::texts::{Sections, Texts};
use super::view::View;

/// Readers of mail clip a message over 102 KB; what is longer than this is shortened in the HTML, never in the text.
pub const MAX_HTML_BYTES: usize = 100_000;

/// Rows of events and of scheme parts that the HTML shows when it would otherwise be clipped.
const SHORT_ROWS: u32 = 25;

/// The names matter: what ends in `.html` is escaped.
const HTML: (&str, &str) = ("scorecard.html", include_str!("templates/scorecard.html"));
const TEXT: (&str, &str) = ("scorecard.txt", include_str!("templates/scorecard.txt"));

/// One rendered scorecard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scorecard {
    pub subject: String,
    /// Complete: every figure of the HTML.
    pub text: String,
    pub html: String,
    /// Hash of the data shown; the same data is the same scorecard.
    pub data_hash: Digest,
}

#[derive(Serialize)]
struct Context<'a> {
    t: &'a Sections,
    v: &'a View,
    c: Palette,
    d: Palette,
    /// Most rows of a list in the HTML.
    rows: u32,
}

/// Renders a frame in the language of the catalogue.
pub fn render(frame: &PartnerFrame, texts: &Texts) -> Result<Scorecard, PublishingError> {
    let view = View::of(frame, texts);
    let environment = TEMPLATES.as_ref().map_err(|e| PublishingError::Template(e.clone()))?;
    let fill = |name: &str, rows: u32| -> Result<String, PublishingError> {
        let context = Context {
            t: texts.sections(),
            v: &view,
            c: LIGHT,
            d: DARK,
            rows,
        };
        let template = environment.get_template(name).map_err(|e| failed(&e))?;
        template.render(Serde(&context)).map_err(|e| failed(&e))
    };
    let mut html = fill(HTML.0, u32::MAX)?;
    if html.len() > MAX_HTML_BYTES {
        html = fill(HTML.0, SHORT_ROWS)?;
    }
    Ok(Scorecard {
        subject: subject(frame, texts),
        text: fill(TEXT.0, u32::MAX)?,
        html,
        data_hash: frame.data_hash,
    })
}

/// Both templates, compiled once.
static TEMPLATES: LazyLock<Result<Environment<'static>, String>> =
    LazyLock::new(|| compiled().map_err(|e| format!("{e}")));

fn compiled() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_debug(false);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let blocks = environment
        .syntax()
        .to_builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(blocks?);
    for (name, source) in [HTML, TEXT] {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

fn failed(error: &minijinja::Error) -> PublishingError {
    // the alternate form would print the variables, and with them a partner's data
    PublishingError::Template(format!("{error}"))
}

fn subject(frame: &PartnerFrame, texts: &Texts) -> String {
    let outcome = &frame.card.outcome;
    let period = frame.period.to_string();
    let grade = outcome.grade.map(|g| g.to_string()).unwrap_or_default();
    let score = outcome.score.map(|s| texts.number(s.dec())).unwrap_or_default();
    let change = outcome.change.map(|c| texts.signed(c)).unwrap_or_default();
    let key = match (outcome.grade, outcome.score, outcome.change) {
        (None, ..) => "not_rated",
        (Some(_), None, _) => "graded_only",
        (Some(_), Some(_), None) => "rated",
        (Some(_), Some(_), Some(_)) => "changed",
    };
    texts.fill(
        "subject",
        key,
        &[
            ("programme", &frame.programme),
            ("period", &period),
            ("grade", &grade),
            ("score", &score),
            ("change", &change),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{OTHER, World, table};
    use super::*;
    use crate::domain::Value;

    fn scorecard(world: &World) -> Scorecard {
        render(&world.frame().unwrap(), &Texts::for_language("de-DE")).unwrap()
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
            !card.html.contains("<script") && !card.html.contains("<img"),
            "{}",
            card.html
        );
        assert!(visible(&card.html).contains(hostile));
        assert!(card.text.contains(hostile));
    }

    #[test]
    fn nothing_remote_and_under_the_limit() {
        let card = scorecard(&World::full());
        for remote in ["http:", "https:", "src=", "url(", "@import", "<script", "<link"] {
            assert!(!card.html.contains(remote), "{remote}");
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
}
