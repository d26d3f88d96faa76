//! The scorecard: subject, text and HTML from one frame.
//!
//! Duty: rendering the embedded templates; data is only ever a value in them, escaped wherever it stands in HTML. Not
//! its duty: choosing words (`texts`) or figures (`view`).

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::domain::Digest;

use super::brand::Look;
use super::frame::{Earlier, PartnerFrame};
use super::inputs::PublishingError;
use super::palette::{LIGHT, Palette};
use super::pictures::Picture;
use super::texts::{Sections, Texts};
use super::view::{PictureView, View};
use super::view_charts;

/// Readers of mail clip a message over 102 KB; what is longer than this is shortened in the HTML, never in the text.
pub const MAX_HTML_BYTES: usize = 100_000;

/// Rows of events and of scheme parts that the HTML shows when it would otherwise be clipped.
const SHORT_ROWS: u32 = 25;

/// The names matter: what ends in `.html` is escaped.
/// The frame that the HTML of every message stands in.
pub(super) const FRAME: (&str, &str) = ("mail.html", include_str!("templates/mail.html"));
const HTML: (&str, &str) = ("scorecard.html", include_str!("templates/scorecard.html"));
const TEXT: (&str, &str) = ("scorecard.txt", include_str!("templates/scorecard.txt"));

/// One rendered scorecard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scorecard {
    pub subject: String,
    /// Complete: every figure of the HTML.
    pub text: String,
    pub html: String,
    /// What the HTML shows by Content-ID, with that.
    pub pictures: Vec<(String, Picture)>,
    /// Hash of the data shown; the same data is the same scorecard.
    pub data_hash: Digest,
}

#[derive(Serialize)]
struct Context<'a> {
    t: &'a Sections,
    v: &'a View,
    c: Palette<'a>,
    d: Palette<'a>,
    logo: Option<&'a PictureView>,
    /// Most rows of a list in the HTML.
    rows: u32,
}

/// Renders a frame in the language of the catalogue; `earlier` is the card that this one takes the place of.
pub fn render(
    frame: &PartnerFrame,
    earlier: Option<&Earlier>,
    texts: &Texts,
    look: &Look,
) -> Result<Scorecard, PublishingError> {
    let mut view = View::of(frame, earlier, texts);
    let pictures = pictures(frame, &mut view, texts, look)?;
    let environment = TEMPLATES.as_ref().map_err(|e| PublishingError::Template(e.clone()))?;
    let fill = |name: &str, rows: u32| -> Result<String, PublishingError> {
        let context = Context {
            t: texts.sections(),
            v: &view,
            c: look.light(),
            d: look.dark(),
            logo: view.logo.as_ref(),
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
        subject: subject(frame, view.corrects, texts),
        text: fill(TEXT.0, u32::MAX)?,
        html,
        pictures,
        data_hash: frame.data_hash,
    })
}

/// Both templates, compiled once.
static TEMPLATES: LazyLock<Result<Environment<'static>, String>> = LazyLock::new(|| environment(&[FRAME, HTML, TEXT]));

/// Templates of this program, compiled; those of HTML escape everything.
pub(super) fn environment(sources: &[(&'static str, &'static str)]) -> Result<Environment<'static>, String> {
    compiled(sources).map_err(|e| format!("{e}"))
}

fn compiled(sources: &[(&'static str, &'static str)]) -> Result<Environment<'static>, minijinja::Error> {
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
    for (name, source) in sources {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

pub(super) fn failed(error: &minijinja::Error) -> PublishingError {
    // the alternate form would print the variables, and with them a partner's data
    PublishingError::Template(format!("{error}"))
}

/// Draws what the message shows, and tells the view where.
fn pictures(
    frame: &PartnerFrame,
    view: &mut View,
    texts: &Texts,
    look: &Look,
) -> Result<Vec<(String, Picture)>, PublishingError> {
    let can_draw = |text: &str| look.painter.can_draw(text);
    // charts have the colours of this program: what a programme sets is checked against text, not against charts
    let charts = view_charts::of_card(frame, &view.ahead, texts, &LIGHT.paint(), &can_draw);
    let mut out = Vec::with_capacity(charts.len() + 1);
    let hash = frame.data_hash.to_string();
    let mut add = |picture: Picture| {
        let cid = format!("{}.{}@scorecard", picture.name, &hash[..16]);
        let shown = PictureView {
            name: picture.name.clone(),
            cid: cid.clone(),
            alt: picture.alt.clone(),
            width: picture.width,
            height: picture.height,
        };
        out.push((cid, picture));
        shown
    };
    view.numbered = !can_draw(texts.get("charts", "progress"));
    if view.numbered {
        let lines = (1..).zip(view_charts::bars(frame, texts));
        view.progress = lines.map(|(n, (text, _))| format!("{n}. {text}")).collect();
    }
    for chart in &charts {
        let shown = add(look.painter.draw(chart)?);
        view.pictures.push(shown);
    }
    view.logo = look.logo().cloned().map(add);
    Ok(out)
}

fn subject(frame: &PartnerFrame, corrects: bool, texts: &Texts) -> String {
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
    let subject = texts.fill(
        "subject",
        key,
        &[
            ("programme", &frame.programme),
            ("period", &period),
            ("grade", &grade),
            ("score", &score),
            ("change", &change),
        ],
    );
    if corrects {
        return texts.fill("subject", "correction", &[("subject", &subject)]);
    }
    subject
}
