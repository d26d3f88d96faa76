//! A statement as strings, as the data of its PDF, and as sheets.
//!
//! Duty: every word and number of a statement once, for text, HTML, PDF and workbook. Not its duty: markup, layout,
//! writing a workbook.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::value::Serde;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::brand::Look;
use super::inputs::PublishingError;
use super::palette::Palette;
use super::pictures::Picture;
use super::scorecard::{FRAME, environment, failed};
use super::statement::{StatementFrame, StatementLine, cell};
use super::texts::{Sections, Texts};
use super::view::PictureView;
use super::view_money::component;
use crate::domain::{Dec, Money, Rounding, Table, Value};

/// Lines that the HTML shows; the text part and the attachments have all.
const MOST_LINES: usize = 60;

const HTML: (&str, &str) = ("statement.html", include_str!("templates/statement.html"));
const TEXT: (&str, &str) = ("statement.txt", include_str!("templates/statement.txt"));

/// The template of the PDF.
pub const PDF_TEMPLATE: &str = include_str!("templates/statement.typ");

static TEMPLATES: LazyLock<Result<minijinja::Environment<'static>, String>> =
    LazyLock::new(|| environment(&[FRAME, HTML, TEXT]));

/// One rendered statement.
#[derive(Debug)]
pub struct Statement {
    pub subject: String,
    pub text: String,
    pub html: String,
    pub pictures: Vec<(String, Picture)>,
    pub pdf: Vec<u8>,
    /// Name of a sheet and its rows, with headings in the reader's language.
    pub sheets: Vec<(String, Table)>,
}

#[derive(Debug, Serialize)]
struct View {
    programme: String,
    heading: String,
    facts: Vec<(String, String)>,
    sums: Vec<SumView>,
    lines: Vec<LineView>,
    /// Lines that only text and attachments have.
    cut: bool,
    notes: Vec<String>,
    proofs: Vec<(String, String)>,
    logo: Option<PictureView>,
}

#[derive(Debug, Serialize)]
struct SumView {
    label: String,
    amount: String,
    strong: bool,
}

#[derive(Debug, Serialize)]
struct LineView {
    number: String,
    text: String,
    period: String,
    amount: String,
    component: bool,
}

#[derive(Serialize)]
struct Context<'a> {
    t: &'a Sections,
    v: &'a View,
    c: Palette<'a>,
    d: Palette<'a>,
    logo: Option<&'a PictureView>,
    most: usize,
}

/// Renders a statement. `titles` are those of the schemes, by their id.
pub fn render_statement(
    frame: &StatementFrame,
    titles: &BTreeMap<String, String>,
    texts: &Texts,
    look: &Look,
) -> Result<Statement, PublishingError> {
    let mut view = view(frame, titles, texts);
    let mut pictures = Vec::new();
    if let Some(logo) = look.logo() {
        let cid = format!("logo.{}@statement", &frame.data_hash.to_string()[..16]);
        view.logo = Some(PictureView {
            name: logo.name.clone(),
            cid: cid.clone(),
            alt: logo.alt.clone(),
            width: logo.width,
            height: logo.height,
        });
        pictures.push((cid, logo.clone()));
    }
    let environment = TEMPLATES.as_ref().map_err(|e| PublishingError::Template(e.clone()))?;
    let fill = |name: &str| -> Result<String, PublishingError> {
        let context = Context {
            t: texts.sections(),
            v: &view,
            c: look.light(),
            d: look.dark(),
            logo: view.logo.as_ref(),
            most: MOST_LINES,
        };
        let template = environment.get_template(name).map_err(|e| failed(&e))?;
        template.render(Serde(&context)).map_err(|e| failed(&e))
    };
    Ok(Statement {
        subject: subject(frame, texts),
        text: fill(TEXT.0)?,
        html: fill(HTML.0)?,
        pdf: pdf(frame, titles, texts, look)?,
        sheets: sheets(frame, titles, texts),
        pictures,
    })
}

fn subject(frame: &StatementFrame, texts: &Texts) -> String {
    let key = match (&frame.reverses, frame.due.is_zero()) {
        (Some(_), _) => "statement_reversal",
        (None, true) => "statement_nothing",
        (None, false) => "statement",
    };
    texts.fill(
        "subject",
        key,
        &[
            ("programme", &frame.programme),
            ("number", &frame.number),
            ("period", &frame.period.to_string()),
            ("amount", &texts.money(frame.due)),
            ("reverses", frame.reverses.as_deref().unwrap_or("")),
        ],
    )
}

fn heading(frame: &StatementFrame, texts: &Texts) -> String {
    let kind = if frame.reverses.is_some() { "reversal" } else { "title" };
    format!("{} {}", texts.get("statement", kind), frame.number)
}

fn view(frame: &StatementFrame, titles: &BTreeMap<String, String>, texts: &Texts) -> View {
    let lines: Vec<LineView> = frame
        .lines
        .iter()
        .filter_map(|l| line_view(l, frame, titles, texts))
        .collect();
    let mut notes = vec![texts.get("statement", "tax_note").to_owned()];
    if let Some(until) = frame.dispute_until_on {
        let until = texts.date(until);
        let arguments = [("contact", frame.contact.as_str()), ("until", until.as_str())];
        notes.push(texts.fill("statement", "dispute_note", &arguments));
    }
    let label = |key: &str| texts.get("statement", key).to_owned();
    let mut proofs = vec![(label("proof"), frame.ledger_head.clone())];
    proofs.extend(frame.settlement_hash.clone().map(|hash| (label("approved"), hash)));
    View {
        programme: frame.programme.clone(),
        heading: heading(frame, texts),
        facts: facts(frame, texts),
        sums: sums(frame, texts),
        cut: lines.len() > MOST_LINES,
        lines,
        notes,
        proofs,
        logo: None,
    }
}

fn facts(frame: &StatementFrame, texts: &Texts) -> Vec<(String, String)> {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let facts = [
        ("number", frame.number.clone()),
        (
            "partner",
            format!("{} ({})", frame.partner.legal_name, frame.partner.id),
        ),
        ("period", frame.period.to_string()),
        ("currency", frame.currency.code().to_owned()),
        ("issued", texts.date(frame.issued_on)),
        (
            "dispute",
            frame.dispute_until_on.map(|on| texts.date(on)).unwrap_or_default(),
        ),
        ("issuer", optional(&frame.legal_entity)),
        ("tax", optional(&frame.tax_category)),
        ("reverses", optional(&frame.reverses)),
    ];
    let shown = facts.into_iter().filter(|(_, value)| !value.is_empty());
    shown
        .map(|(key, value)| (texts.get("statement", key).to_owned(), value))
        .collect()
}

/// The sums that are not nothing; total and due always.
fn sums(frame: &StatementFrame, texts: &Texts) -> Vec<SumView> {
    let always = |name: &str| matches!(name, "total" | "due");
    let shown = frame
        .sums
        .iter()
        .filter(|(name, amount)| always(name) || !amount.is_zero());
    shown
        .map(|(name, amount)| SumView {
            label: texts.get("statement", name).to_owned(),
            amount: texts.money(*amount),
            strong: always(name),
        })
        .collect()
}

/// A line of the table; sums stand above it already.
fn line_view(
    line: &StatementLine,
    frame: &StatementFrame,
    titles: &BTreeMap<String, String>,
    texts: &Texts,
) -> Option<LineView> {
    // what lies ahead stands below its line like a detail
    let is_component = matches!(line.kind.as_str(), "component" | "ahead");
    if !is_component
        && !matches!(
            line.kind.as_str(),
            "earned" | "adjusted" | "hold_released" | "manual_adjustment" | "claim" | "ahead"
        )
    {
        return None;
    }
    // the line before says what was earned; a rounding that cannot be seen says nothing
    let shown = |amount: Dec| Money::rounded(&amount.ratio(), frame.currency, Rounding::HalfAwayFromZero);
    let unseen = line.component_amount.is_none_or(|a| shown(a).is_ok_and(Money::is_zero));
    match line.component.as_deref() {
        Some("earned") => return None,
        Some("rounding") if unseen => return None,
        _ => {}
    }
    let amount = if is_component {
        line.component_amount
            .and_then(|amount| shown(amount).ok().map(|money| texts.money(money)))
    } else {
        line.amount.map(|amount| texts.money(amount))
    };
    Some(LineView {
        number: line.number.to_string(),
        text: if is_component {
            detail(line, frame, texts)
        } else {
            let title = scheme_title(line, titles, texts);
            format!("{title} · {}", texts.get("statement", &line.kind))
        },
        period: line.earning_period.map(|p| p.to_string()).unwrap_or_default(),
        amount: amount.unwrap_or_default(),
        component: is_component,
    })
}

fn scheme_title(line: &StatementLine, titles: &BTreeMap<String, String>, texts: &Texts) -> String {
    let id = line.scheme.as_deref().unwrap_or_default();
    texts.named("scheme", id, titles.get(id).map_or(id, String::as_str))
}

/// `Band 2 · EUR 42,317.55 · at 2 %`.
fn detail(line: &StatementLine, frame: &StatementFrame, texts: &Texts) -> String {
    let mut words = Vec::new();
    words.extend(line.component.as_deref().map(|c| component(c, texts)));
    words.extend(line.domain.clone());
    if let Some(basis) = line.basis.filter(|b| !b.is_zero()) {
        let shown = Money::rounded(&basis.ratio(), frame.currency, Rounding::HalfAwayFromZero);
        words.push(shown.map_or_else(
            |_| texts.amount(frame.currency.code(), basis),
            |money| texts.money(money),
        ));
    }
    if let Some(rate) = line.rate {
        words.push(texts.fill("money", "rate", &[("rate", &texts.rate(&rate.ratio()))]));
    }
    if let Some(factor) = line.factor {
        words.push(texts.fill("money", "factor", &[("factor", &texts.short(&factor.ratio()))]));
    }
    if let Some(lines) = line.lines.filter(|n| *n > 0) {
        words.push(texts.counted("money", "lines", "lines", lines));
    }
    words.extend(line.reason.as_deref().map(|r| texts.reason(r)));
    words.join(" · ")
}

/// The PDF, in the reader's language where the fonts have its letters, else in English.
fn pdf(
    frame: &StatementFrame,
    titles: &BTreeMap<String, String>,
    texts: &Texts,
    look: &Look,
) -> Result<Vec<u8>, PublishingError> {
    let drawable = look.painter.can_draw(texts.get("statement", "title"));
    let texts = if drawable { texts } else { look.catalogues.of("en") };
    let data = pdf_data(frame, &view(frame, titles, texts), texts);
    look.typesetter()?.pdf(&data, &frame.number, frame.issued_on)
}

fn pdf_data(frame: &StatementFrame, view: &View, texts: &Texts) -> Json {
    let label = |key: &'static str| texts.get("statement", key);
    json!({
        "language": texts.language(),
        "title": format!("{}, {}", view.heading, frame.partner.legal_name),
        "author": frame.legal_entity.as_deref().unwrap_or(&frame.programme),
        "programme": view.programme,
        "heading": view.heading,
        "facts": view.facts,
        "sums_title": label("sums"),
        "sums": view.sums,
        "lines_title": label("detail"),
        "columns": [label("line"), label("detail"), label("earning"), label("amount")],
        "lines": view.lines,
        "notes": view.notes,
        "proofs": view.proofs,
        "footer": format!("{} · {}", view.heading, frame.partner.legal_name),
        "page": label("page"),
    })
}

/// The lines as they are in the table, typed; and the document's sums.
fn sheets(frame: &StatementFrame, titles: &BTreeMap<String, String>, texts: &Texts) -> Vec<(String, Table)> {
    const COLUMNS: [&str; 13] = [
        "line",
        "kind",
        "scheme",
        "earning",
        "domain",
        "component",
        "basis",
        "rate",
        "factor",
        "amount",
        "lines",
        "total",
        "reason",
    ];
    let label = |key: &str| texts.get("statement", key).to_owned();
    let name = |text: &str| -> String { text.chars().filter(|c| !"[]:*?/\\'".contains(*c)).take(31).collect() };
    let mut lines = Table::with_columns("lines", COLUMNS.iter().map(|c| label(c)).collect());
    for line in &frame.lines {
        let text = |t: &Option<String>| t.as_deref().map_or(Value::Null, Value::text);
        let kind = match line.kind.as_str() {
            "component" => label("detail"),
            kind => texts.word("statement", kind),
        };
        lines.push(vec![
            Value::Int(line.number),
            Value::text(kind),
            line.scheme
                .as_ref()
                .map_or(Value::Null, |_| Value::text(scheme_title(line, titles, texts))),
            line.earning_period.map_or(Value::Null, |p| Value::text(p.to_string())),
            text(&line.domain),
            line.component
                .as_deref()
                .map_or(Value::Null, |c| Value::text(component(c, texts))),
            cell(line.basis),
            cell(line.rate),
            cell(line.factor),
            cell(line.component_amount),
            line.lines.map_or(Value::Null, Value::Int),
            cell(line.amount.map(Money::dec)),
            line.reason
                .as_deref()
                .map_or(Value::Null, |r| Value::text(texts.reason(r))),
        ]);
    }
    let mut summary = Table::with_columns("summary", vec![label("sums"), label("amount")]);
    for (key, value) in facts(frame, texts) {
        summary.push(vec![Value::text(key), Value::text(value)]);
    }
    for (key, amount) in &frame.sums {
        summary.push(vec![Value::text(label(key)), Value::Dec(amount.dec())]);
    }
    vec![(name(&label("sums")), summary), (name(&label("line")), lines)]
}

impl Statement {
    /// Every word of the attachments, for the search for others' data.
    #[must_use]
    pub fn attached_words(&self) -> String {
        let mut words = String::new();
        for (name, table) in &self.sheets {
            words.push_str(name);
            for value in table.rows.iter().flatten() {
                words.push('\n');
                words.push_str(&value.to_string());
            }
        }
        // what the PDF says beyond the sheets stands in the text part as well
        words
    }
}
