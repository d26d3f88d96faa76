//! What lies ahead and behind, as strings: stars, changes, next steps, the gap to the next star.
//!
//! Duty: these sections in words and figures of the reader's language. Not its duty: the card, domains, money; markup.

use serde::Serialize;

use super::ahead::{Ahead, ChangePart, Criterion, Lapse, NextStep, StarGap, Stars};
use super::frame::PartnerFrame;
use super::texts::Texts;
use super::view::trend;
use crate::domain::{Dec, Rounding};

/// Steps that are told; those that bring most.
const MOST_STEPS: usize = 5;

#[derive(Debug, Serialize)]
pub(super) struct AheadView {
    pub stars: Vec<StarsView>,
    pub review: String,
    pub changes: Vec<Line>,
    /// Score before and after, with their labels.
    pub change_ends: Vec<Line>,
    /// Instead of changes.
    pub no_change: String,
    pub steps_intro: String,
    pub steps: Vec<StepView>,
    pub lapses: Vec<String>,
    pub gaps: Vec<GapView>,
}

#[derive(Debug, Serialize)]
pub(super) struct StarsView {
    pub domain: String,
    /// `★★★★☆`: beside the number, never instead of it.
    pub signs: String,
    pub text: String,
}

/// A label with its figure.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub label: String,
    pub figure: String,
    /// `up`, `down`, or empty.
    pub trend: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct StepView {
    pub text: String,
    /// What it brings.
    pub gains: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct GapView {
    pub title: String,
    pub criteria: Vec<CriterionView>,
}

#[derive(Debug, Serialize)]
pub(super) struct CriterionView {
    pub text: String,
    pub state: String,
    pub sign: &'static str,
}

/// The most stars there are.
const ALL_STARS: usize = 5;

impl AheadView {
    pub(super) fn of(frame: &PartnerFrame, previous: &str, texts: &Texts) -> AheadView {
        let (ahead, outcome) = (&frame.ahead, &frame.card.outcome);
        let period = frame.period.to_string();
        let ends = match (outcome.previous, outcome.score) {
            (Some(before), Some(now)) => vec![
                end("from", previous, before.dec(), texts),
                end("to", &period, now.dec(), texts),
            ],
            _ => Vec::new(),
        };
        let no_change = match (ends.is_empty(), ahead.changes.is_empty()) {
            (true, _) => texts.fill("changes", "none", &[("period", previous)]),
            (false, true) => texts.fill("changes", "same", &[("period", previous)]),
            (false, false) => String::new(),
        };
        let until = ahead.steps_until.map(|on| texts.date(on)).unwrap_or_default();
        let next_period = frame.period.next().to_string();
        AheadView {
            stars: ahead.stars.iter().map(|s| stars_view(s, texts)).collect(),
            review: ahead.next_review_on.map_or_else(String::new, |on| {
                texts.fill("stars", "review", &[("date", &texts.date(on))])
            }),
            changes: if ends.is_empty() {
                Vec::new()
            } else {
                ahead.changes.iter().map(|c| change_line(c, texts)).collect()
            },
            change_ends: ends,
            no_change,
            steps_intro: texts.fill("next", "intro", &[("until", &until), ("period", &next_period)]),
            steps: ahead
                .steps
                .iter()
                .take(MOST_STEPS)
                .map(|s| step_view(s, frame, texts))
                .collect(),
            lapses: ahead.lapses.iter().map(|l| lapse(l, texts)).collect(),
            gaps: ahead.gaps.iter().map(|g| gap_view(g, texts)).collect(),
        }
    }
}

fn end(key: &str, period: &str, score: Dec, texts: &Texts) -> Line {
    Line {
        label: texts.fill("changes", key, &[("period", period)]),
        figure: texts.number(score),
        trend: "",
    }
}

fn stars_view(stars: &Stars, texts: &Texts) -> StarsView {
    let count = usize::try_from(stars.stars).unwrap_or(0).min(ALL_STARS);
    let n = stars.stars.to_string();
    let mut text = match stars.last_on {
        Some(on) => texts.counted_with(
            "stars",
            "line",
            stars.stars,
            &[("stars", &n), ("until", &texts.date(on))],
        ),
        None => texts.counted_with("stars", "open_end", stars.stars, &[("stars", &n)]),
    };
    if stars.status != "active" {
        text = format!("{text} · {}", texts.word("stars", &stars.status));
    }
    if let Some((decision, on)) = &stars.decided {
        let decision = texts.word("decision", decision);
        let decided = texts.fill(
            "stars",
            "decided",
            &[("decision", &decision), ("date", &texts.date(*on))],
        );
        text = format!("{text} · {decided}");
    }
    StarsView {
        domain: stars.domain.clone(),
        signs: "★".repeat(count) + &"☆".repeat(ALL_STARS - count),
        text,
    }
}

fn change_line(change: &ChangePart, texts: &Texts) -> Line {
    Line {
        label: change_label(change, texts),
        figure: texts.signed(change.points),
        trend: trend(change.points),
    }
}

/// `Routing and switching: result`, `Key events`.
fn change_label(change: &ChangePart, texts: &Texts) -> String {
    match change.part.split_once(':') {
        Some((kind @ ("value" | "weight"), id)) => {
            let name = change.domain.clone().unwrap_or_else(|| texts.word("metric", id));
            texts.fill("changes", kind, &[("name", &name)])
        }
        _ => texts.word("changes", &change.part),
    }
}

/// The change of a domain in one line.
pub(super) fn domain_changes(ahead: &Ahead, domain: &str, previous: &str, texts: &Texts) -> String {
    let parts = ahead.domain_changes.get(domain).map_or(&[][..], Vec::as_slice);
    if parts.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = parts
        .iter()
        .map(|c| format!("{} {}", change_label(c, texts), texts.signed(c.points)))
        .collect();
    let shown = shown.join(" · ");
    texts.fill("changes", "domain", &[("period", previous), ("parts", &shown)])
}

fn step_view(step: &NextStep, frame: &PartnerFrame, texts: &Texts) -> StepView {
    let n = texts.count(step.quantity);
    let text = texts.counted_with(
        "next",
        &step.step,
        step.quantity,
        &[("domain", &step.domain), ("n", &n)],
    );
    let mut gains = Vec::new();
    let mut points = |key: &str, points: Option<Dec>| {
        if let Some(points) = points.filter(|p| !p.is_zero()) {
            gains.push(texts.fill("next", key, &[("points", &texts.signed(points))]));
        }
    };
    points("gain", step.points);
    if step.points != step.domain_points {
        points("gain_domain", step.domain_points);
    }
    if step.domain_points.is_none() || step.points.is_none() {
        gains.push(texts.get("next", "rated").to_owned());
    }
    if let Some(grade) = step.grade.filter(|g| Some(*g) != frame.card.outcome.grade) {
        gains.push(texts.fill("next", "grade", &[("grade", grade.as_str())]));
    }
    StepView { text, gains }
}

fn lapse(lapse: &Lapse, texts: &Texts) -> String {
    match lapse {
        Lapse::Certification { domain, on } => {
            texts.fill("next", "lapse", &[("domain", domain), ("date", &texts.date(*on))])
        }
        Lapse::Engineers {
            domain,
            certificates,
            first_on,
            until,
        } => texts.counted_with(
            "next",
            "lapse_engineers",
            *certificates,
            &[
                ("domain", domain),
                ("n", &texts.count(*certificates)),
                ("date", &texts.date(*first_on)),
                ("until", &texts.date(*until)),
            ],
        ),
    }
}

fn gap_view(gap: &StarGap, texts: &Texts) -> GapView {
    let (stars, next) = (gap.stars.to_string(), (gap.stars + 1).to_string());
    GapView {
        title: texts.fill(
            "gap",
            "domain",
            &[("domain", &gap.domain), ("stars", &stars), ("next", &next)],
        ),
        criteria: gap.criteria.iter().map(|c| criterion_view(c, texts)).collect(),
    }
}

fn criterion_view(criterion: &Criterion, texts: &Texts) -> CriterionView {
    // figures of a table are figures of the language, words are words of it
    let shown = |text: &str| match Dec::parse(text) {
        Ok(dec) => {
            let two = dec.ratio().round(2, Rounding::HalfAwayFromZero).unwrap_or(dec);
            texts.short(&two.ratio())
        }
        Err(_) => texts.reason(text),
    };
    let arguments = [
        ("criterion", texts.word("criterion", &criterion.name)),
        ("found", shown(&criterion.found)),
        ("needed", shown(&criterion.needed)),
    ];
    let arguments: Vec<(&str, &str)> = arguments.iter().map(|(n, v)| (*n, v.as_str())).collect();
    CriterionView {
        text: texts.fill("gap", if criterion.is_star { "asks" } else { "needs" }, &arguments),
        state: texts.word("gap", &criterion.state),
        sign: match criterion.state.as_str() {
            "met" => "✓",
            "unmet" => "✗",
            _ => "?",
        },
    }
}
