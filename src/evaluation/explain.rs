//! How a score came about, line by line.
//!
//! Duty: put the derivation of a score into words: label, formula, value. Every value is one that the computation
//! left behind; nothing is computed here a second time. Not its duty: printing, and the source rows behind a measure.

use std::fmt;

use super::composite::{self, Finish, Share, Standing};
use super::derivation::{Card, CardPart, ChangePart, DomainScore};
use super::explain_metric;
use super::inputs::Evaluated;
use super::key_events::EventSum;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Dec, Grade, Period, Ratio, Rounding};
use crate::rules::MetricId;

/// One step: what, how, how much; and the steps that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub label: String,
    /// The formula in words and numbers; empty where the value is an input.
    pub formula: String,
    pub value: String,
    pub children: Vec<Line>,
}

/// The derivation of a partner's scores in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub title: String,
    /// The rules used: region, edition, hash.
    pub rules: String,
    pub lines: Vec<Line>,
}

/// The derivation of a partner's card with its domains, of one domain, or of one metric in each of them. `None` when
/// the partner was not evaluated in the period.
#[must_use]
pub fn explain(
    evaluated: &Evaluated,
    partner: &PartnerId,
    period: Period,
    metric: Option<MetricId>,
    domain: Option<&DomainId>,
) -> Option<Explanation> {
    let card = evaluated.derivations.cards.get(&(partner.clone(), period))?;
    let edition = &card.edition;
    let wanted = card
        .domains
        .iter()
        .filter(|score| domain.is_none_or(|d| *d == score.domain));
    let lines = match (metric, domain) {
        (Some(id), _) => wanted.map(|score| one_metric(score, id)).collect(),
        (None, Some(_)) => wanted.map(domain_line).collect(),
        (None, None) => vec![card_line(card)],
    };
    Some(Explanation {
        title: format!("{partner} in {period}"),
        rules: format!(
            "region {}, edition of {}, hash {}",
            edition.region, edition.effective_from, edition.hash
        ),
        lines,
    })
}

impl Line {
    #[must_use]
    pub fn new(label: impl Into<String>, formula: impl Into<String>, value: impl Into<String>) -> Line {
        Line {
            label: label.into(),
            formula: formula.into(),
            value: value.into(),
            children: Vec::new(),
        }
    }

    #[must_use]
    pub fn with(self, children: Vec<Line>) -> Line {
        Line { children, ..self }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        write!(f, "{:indent$}{}", "", self.label, indent = 2 * depth)?;
        if !self.value.is_empty() {
            write!(f, ": {}", self.value)?;
        }
        if !self.formula.is_empty() {
            write!(f, "  [{}]", self.formula)?;
        }
        writeln!(f)?;
        self.children.iter().try_for_each(|child| child.write(f, depth + 1))
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\nrules: {}", self.title, self.rules)?;
        self.lines.iter().try_for_each(|line| line.write(f, 0))
    }
}

/// A number to 12 decimals, without trailing zeros.
#[must_use]
pub fn number(exact: &Ratio) -> String {
    let Some(dec) = exact.round(12, Rounding::HalfAwayFromZero) else {
        return exact.to_string();
    };
    let text = dec.to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The same where there may be none.
#[must_use]
pub fn number_or_none(exact: Option<&Ratio>) -> String {
    exact.map_or_else(|| "none".to_owned(), number)
}

fn one_metric(score: &DomainScore, id: MetricId) -> Line {
    let metrics = score.metrics.iter().filter(|m| m.id == id).map(explain_metric::line);
    Line::new(format!("domain {}", score.domain), "", "").with(metrics.collect())
}

/// One score or metric with its own steps, without those of the scores and metrics that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// `None`: the partner's card.
    pub domain: Option<&'a DomainId>,
    /// `None`: the score itself.
    pub metric: Option<MetricId>,
    pub line: Line,
}

/// The derivation of a card in parts: the card, then each domain followed by its metrics.
#[must_use]
pub fn parts(card: &Card) -> Vec<Part<'_>> {
    let mut out = vec![Part {
        domain: None,
        metric: None,
        line: card_alone(card),
    }];
    for score in &card.domains {
        out.push(Part {
            domain: Some(&score.domain),
            metric: None,
            line: domain_alone(score),
        });
        out.extend(score.metrics.iter().map(|metric| Part {
            domain: Some(&score.domain),
            metric: Some(metric.id),
            line: explain_metric::line(metric),
        }));
    }
    out
}

fn card_line(card: &Card) -> Line {
    let mut line = card_alone(card);
    line.children.extend(card.domains.iter().map(domain_line));
    line
}

fn card_alone(card: &Card) -> Line {
    let mut children = Vec::new();
    if card.finish.base.is_some() {
        children.push(card_base(card));
    }
    children.extend(steps(&card.events, "events without a domain", &card.finish, card.grade));
    children.push(change(&card.finish, card.previous_final, &card.change));
    if let Some(until) = card.red.until() {
        children.push(Line::new(
            "red lines",
            format!("{}, until before {until}", card.red.as_str()),
            card.red.as_str(),
        ));
    }
    headline("card", &card.finish, card.standing, card.grade, card.reason.as_deref()).with(children)
}

fn card_base(card: &Card) -> Line {
    let part = |part: &CardPart| {
        let held = if part.held {
            ", held at the largest share of one domain"
        } else {
            ""
        };
        let formula = format!("share × exact final, by {} completed deliveries{held}", part.completed);
        Line::new(
            part.domain.as_str(),
            formula,
            format!("{} × {}", number(&part.share), number(&part.exact)),
        )
    };
    let total: i64 = card
        .parts
        .iter()
        .fold(0, |sum, part| sum.saturating_add(part.completed));
    let by = if total == 0 {
        "equal parts: no completed deliveries"
    } else {
        "shares by completed deliveries"
    };
    let value = number_or_none(card.finish.base.as_ref());
    Line::new(
        "base",
        format!("Σ share × exact final of the rated domains; {by}"),
        value,
    )
    .with(card.parts.iter().map(part).collect())
}

fn domain_line(score: &DomainScore) -> Line {
    let mut line = domain_alone(score);
    line.children.extend(score.metrics.iter().map(explain_metric::line));
    line
}

fn domain_alone(score: &DomainScore) -> Line {
    let composite = &score.composite;
    let mut children = vec![Line::new(
        "coverage",
        "weight of the metrics with a result",
        number(&composite.coverage),
    )];
    if let Some(base) = &composite.base {
        let parts = composite
            .shares
            .iter()
            .filter(|share| share.effective.is_positive())
            .map(weight_line);
        let formula = "Σ effective weight × metric / 100";
        children.push(Line::new("base", formula, number(base)).with(parts.collect()));
    }
    children.extend(steps(&score.events, "events", &score.finish, score.grade));
    children.push(change(&score.finish, score.previous_final, &score.change));
    let label = format!("domain {}", score.domain);
    headline(
        &label,
        &score.finish,
        composite.standing,
        score.grade,
        composite.reason.as_deref(),
    )
    .with(children)
}

fn weight_line(share: &Share) -> Line {
    let weight = format!(
        "weight {}, effective {}",
        number(&share.nominal),
        number(&share.effective)
    );
    let shown = format!(
        "published weight {}, points {}",
        share.effective_shown, share.points_shown
    );
    Line::new(share.id.as_str(), format!("{weight}; {shown}"), number(&share.points))
}

fn headline(label: &str, finish: &Finish, standing: Standing, grade: Option<Grade>, reason: Option<&str>) -> Line {
    let score = finish
        .score
        .map_or_else(|| "no score".to_owned(), |score| score.to_string());
    let grade = grade.map(|grade| format!(", grade {grade}")).unwrap_or_default();
    Line::new(
        label,
        reason.unwrap_or_default(),
        format!("{score}{grade}, {}", standing.as_str()),
    )
}

/// Events, clamp, rounding and grade.
fn steps(events: &EventSum, label: &str, finish: &Finish, grade: Option<Grade>) -> Vec<Line> {
    let caps = format!(
        "positive {} (at most {}) and negative {} (at most -{})",
        number(&events.positive),
        number(&events.positive_cap),
        number(&events.negative),
        number(&events.negative_cap)
    );
    let items = events
        .items
        .iter()
        .map(|(id, points)| Line::new(format!("event {id}"), "before caps", number(points)));
    let mut lines = vec![Line::new(label, caps, number(&events.total)).with(items.collect())];
    let (Some(exact), Some(score)) = (&finish.exact, finish.score) else {
        return lines;
    };
    if !finish.clamp_shown.is_zero() {
        lines.push(Line::new("clamp", "held in 0…100", finish.clamp_shown.to_string()));
    }
    lines.push(Line::new(
        "final",
        format!(
            "base + events, held in 0…100: {}, rounded half away from zero to 0.01",
            number(exact)
        ),
        score.to_string(),
    ));
    let from_score = finish.grade.map_or("none", Grade::as_str);
    let why = if grade == finish.grade {
        "band of the final".to_owned()
    } else {
        format!("black; from the score: {from_score}")
    };
    lines.push(Line::new("grade", why, grade.map_or("none", Grade::as_str)));
    lines
}

fn change(finish: &Finish, previous: Option<Dec>, parts: &[ChangePart]) -> Line {
    let part = |part: &ChangePart| {
        let formula = format!("exactly {}", number(&part.exact.ratio()));
        Line::new(part.part.clone(), formula, part.points.to_string())
    };
    let line = match (finish.score.zip(previous), composite::change(finish.score, previous)) {
        (Some((score, previous)), Some(change)) => Line::new(
            "change",
            format!("final {score} − previous final {previous}"),
            change.to_string(),
        ),
        _ => Line::new("change", "needs a final in both periods", "none"),
    };
    line.with(parts.iter().map(part).collect())
}
