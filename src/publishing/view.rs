//! A frame as strings: what the templates place.
//!
//! Duty: every word and number of the scorecard, once, so that text and HTML cannot differ. Not its duty: markup;
//! nothing here is escaped, the templates escape everything.

use serde::Serialize;

use crate::domain::time::sub_days;
use crate::domain::{Dec, Grade, Ratio};

use super::corrections::{Correction, corrections};
use super::frame::{Earlier, Event, Outcome, PartnerFrame, RedLine, ResultState};
use super::texts::Texts;
use super::view_ahead::AheadView;
use super::view_domains::{DomainView, domain_view};
use super::view_money::MoneyView;

#[derive(Debug, Serialize)]
pub(super) struct View {
    pub programme: String,
    pub partner: String,
    pub partner_id: String,
    pub period_line: String,
    pub standing: String,
    pub cut_off: String,
    pub card: OutcomeView,
    pub state_line: String,
    pub reason: String,
    pub next: String,
    pub tiles: Vec<Tile>,
    pub alert: Option<Alert>,
    pub domains: Vec<DomainView>,
    pub events: Vec<EventView>,
    /// Points after caps, where caps changed them.
    pub caps: Vec<String>,
    pub not_counted: Vec<String>,
    pub money: MoneyView,
    pub ahead: AheadView,
    /// Whether this takes the place of a message that was sent.
    pub corrects: bool,
    /// It does, and no figure is another one.
    pub no_figures: bool,
    pub corrections: Vec<Correction>,
    pub pictures: Vec<PictureView>,
    /// Labels in pictures are numbers of the lists below them.
    pub numbered: bool,
    /// Progress in words, where pictures have none.
    pub progress: Vec<String>,
    pub logo: Option<PictureView>,
    pub contest: String,
    pub data_hash: String,
    pub rules_hash: String,
}

#[derive(Debug, Serialize)]
pub(super) struct OutcomeView {
    /// `A` … `E`, or a dash.
    pub grade: String,
    /// Key of the palette: the grade, or `none`.
    pub tone: &'static str,
    pub score: String,
    /// Width of the bar in whole percent; cut, so that only 100 is full.
    pub fill: i128,
    pub change: String,
    /// `up`, `down`, or empty.
    pub trend: &'static str,
    /// How the score came about, for a card or domain that has events or a clamp.
    pub sums: Vec<String>,
    pub state: String,
}

/// A picture within the message.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PictureView {
    pub name: String,
    /// Content-ID, without its brackets.
    pub cid: String,
    pub alt: String,
    pub width: u32,
    pub height: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Tile {
    pub label: String,
    pub value: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Alert {
    /// Key of the palette.
    pub tone: &'static str,
    pub text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct EventView {
    pub title: String,
    pub points: String,
    pub trend: &'static str,
    pub notes: Vec<String>,
}

impl View {
    pub(super) fn of(frame: &PartnerFrame, earlier: Option<&Earlier>, texts: &Texts) -> View {
        let card = &frame.card;
        let previous = frame.period.previous().to_string();
        let money = MoneyView::of(&frame.money, frame.period, texts);
        let ahead = AheadView::of(frame, &previous, texts);
        let before = earlier.and_then(|e| e.frame.as_ref());
        let changed = before.map(|b| corrections(b, frame, texts)).unwrap_or_default();
        // a period that closes with the same figures makes a card final, and corrects nothing
        let closes = before.is_some_and(|b| b.closed_on != frame.closed_on) && changed.is_empty();
        let corrects = earlier.is_some() && !closes;
        View {
            programme: frame.programme.clone(),
            partner: frame.partner.legal_name.clone(),
            partner_id: frame.partner.id.to_string(),
            period_line: texts.fill(
                "head",
                "period",
                &[
                    ("period", &frame.period.to_string()),
                    ("from", &texts.date(frame.first_on)),
                    ("until", &texts.date(frame.last_on)),
                ],
            ),
            standing: match frame.closed_on {
                Some(on) => texts.fill("head", "final", &[("date", &texts.date(on))]),
                None => texts.get("head", "open").to_owned(),
            },
            cut_off: texts.fill("head", "cut_off", &[("instant", &texts.instant(frame.as_of))]),
            card: outcome_view(&card.outcome, &previous, texts),
            state_line: state_line(&card.outcome, texts),
            // which domains are provisional stands at each domain
            reason: reason(
                card.outcome
                    .reason
                    .as_deref()
                    .filter(|r| !r.starts_with("provisional:")),
                texts,
            ),
            next: next_line(frame, texts),
            tiles: tiles(frame, &money, texts),
            alert: alert(frame, texts),
            domains: frame
                .domains
                .iter()
                .map(|d| domain_view(d, frame, &previous, texts))
                .collect(),
            events: frame.events.iter().map(|e| event_view(e, frame, texts)).collect(),
            caps: caps(frame, texts),
            not_counted: not_counted(frame, texts),
            money,
            ahead,
            corrects,
            no_figures: earlier.is_some_and(|e| e.frame.is_some()) && changed.is_empty(),
            corrections: changed,
            pictures: Vec::new(),
            numbered: false,
            progress: Vec::new(),
            logo: None,
            contest: texts.fill(
                "contest",
                "how",
                &[("contact", &frame.contact), ("until", &texts.date(frame.contest_until))],
            ),
            data_hash: frame.data_hash.to_string(),
            rules_hash: card.rules_hash.clone(),
        }
    }
}

pub(super) fn outcome_view(outcome: &Outcome, previous: &str, texts: &Texts) -> OutcomeView {
    let score = outcome.score.map(|s| texts.number(s.dec()));
    let mut sums = Vec::new();
    if let (Some(base), Some(score)) = (outcome.base, &score)
        && !(outcome.event_points.is_zero() && outcome.clamp.is_zero())
    {
        sums.push(texts.fill("hero", "base", &[("points", &texts.number(base))]));
        for (key, points) in [("events", outcome.event_points), ("clamp", outcome.clamp)] {
            if !points.is_zero() {
                sums.push(texts.fill("hero", key, &[("points", &texts.signed(points))]));
            }
        }
        sums.push(texts.fill("hero", "equals", &[("final", score)]));
    }
    OutcomeView {
        grade: outcome
            .grade
            .map_or_else(|| texts.get("hero", "no_grade").to_owned(), |g| g.to_string()),
        tone: outcome.grade.map_or("none", Grade::as_str),
        fill: outcome.score.map_or(0, |s| s.dec().units() / 100),
        score: score.unwrap_or_default(),
        change: change(outcome, previous, texts),
        trend: trend(outcome.change.unwrap_or(Dec::ZERO)),
        sums,
        state: texts.word("state", state_code(outcome.state)),
    }
}

fn change(outcome: &Outcome, previous: &str, texts: &Texts) -> String {
    match (outcome.score, outcome.previous, outcome.change) {
        (None, ..) => String::new(),
        (Some(_), Some(before), Some(change)) => {
            let key = match trend(change) {
                "up" => "up",
                "down" => "down",
                _ => "same",
            };
            let (points, score) = (texts.signed(change), texts.number(before.dec()));
            texts.fill(
                "hero",
                key,
                &[("points", &points), ("period", previous), ("score", &score)],
            )
        }
        _ => texts.fill("hero", "first", &[("period", previous)]),
    }
}

pub(super) fn trend(change: Dec) -> &'static str {
    match change.cmp(&Dec::ZERO) {
        std::cmp::Ordering::Greater => "up",
        std::cmp::Ordering::Less => "down",
        std::cmp::Ordering::Equal => "",
    }
}

fn state_code(state: ResultState) -> &'static str {
    match state {
        ResultState::Rated => "rated",
        ResultState::Provisional => "provisional",
        ResultState::NotRated => "not_rated",
    }
}

fn state_line(outcome: &Outcome, texts: &Texts) -> String {
    let key = match outcome.state {
        ResultState::Rated => "rated",
        ResultState::Provisional => "provisional_why",
        ResultState::NotRated => "not_rated",
    };
    texts.get("hero", key).to_owned()
}

fn next_line(frame: &PartnerFrame, texts: &Texts) -> String {
    match (&frame.card.next_grade, frame.card.outcome.grade) {
        (Some((grade, points)), _) => texts.fill(
            "hero",
            "next",
            &[("points", &texts.number(*points)), ("grade", grade.as_str())],
        ),
        (None, Some(Grade::A)) => texts.get("hero", "best").to_owned(),
        _ => String::new(),
    }
}

fn tiles(frame: &PartnerFrame, money: &MoneyView, texts: &Texts) -> Vec<Tile> {
    let all = i64::try_from(frame.domains.len()).unwrap_or(i64::MAX);
    let rated = texts.fill(
        "tiles",
        "domains_of",
        &[
            ("rated", &texts.count(frame.card.domains_rated)),
            ("all", &texts.count(all)),
        ],
    );
    let tile = |key: &str, value: String| Tile {
        label: texts.get("tiles", key).to_owned(),
        value,
    };
    let earned = if money.earned_now.is_empty() {
        texts.get("tiles", "nothing").to_owned()
    } else {
        money.earned_now.join(" · ")
    };
    vec![
        tile("domains", rated),
        tile("deliveries", texts.count(frame.card.completed_deliveries)),
        tile("earned", earned),
    ]
}

fn alert(frame: &PartnerFrame, texts: &Texts) -> Option<Alert> {
    let (key, tone) = match frame.card.red_line {
        RedLine::None => return None,
        RedLine::Yellow => ("yellow", "C"),
        RedLine::Black => ("black", "E"),
    };
    // the column is exclusive; people read "until" with its day
    let until = frame.card.red_line_until.map(|d| texts.date(sub_days(d, 1)));
    let until = until.as_deref().unwrap_or_else(|| texts.get("red_line", "open_end"));
    Some(Alert {
        tone,
        text: texts.fill("red_line", key, &[("until", until)]),
    })
}

fn event_view(event: &Event, frame: &PartnerFrame, texts: &Texts) -> EventView {
    let mut notes = vec![texts.word("event_status", &event.status)];
    notes.push(
        event
            .domain
            .clone()
            .unwrap_or_else(|| texts.get("events", "whole").to_owned()),
    );
    notes.push(texts.word("level", &event.level));
    if event.red_line != "none" {
        notes.push(texts.fill("events", "red_line", &[("level", &event.red_line)]));
    }
    // the reason of a confirmed event names the day as well
    if let (Some(on), None) = (event.confirmed_on, &event.reason) {
        notes.push(texts.fill("events", "confirmed", &[("date", &texts.date(on))]));
    }
    notes.extend(event.reason.as_deref().map(|r| texts.reason(r)));
    if event.status == "counted" && event.direction == "negative" {
        let until = texts.date(frame.contest_until);
        notes.push(texts.fill("events", "contest", &[("date", &until)]));
    }
    // what has not counted shows no points, whatever it would have been worth
    let points = if event.status == "counted" {
        event.points
    } else {
        Dec::new(0, 2)
    };
    EventView {
        title: format!("{} ({})", event.code, event.event_id),
        points: texts.signed(points),
        trend: trend(points),
        notes,
    }
}

/// A line for the card and for each domain where caps changed the sum of the events that counted.
fn caps(frame: &PartnerFrame, texts: &Texts) -> Vec<String> {
    let before = |domain: Option<&str>| {
        let counted = frame
            .events
            .iter()
            .filter(|e| e.status == "counted" && e.domain_id.as_deref() == domain);
        Ratio::sum(&counted.map(|e| e.points.ratio()).collect::<Vec<_>>())
    };
    let mut lines = Vec::new();
    let mut line = |domain: Option<&str>, name: &str, after: Dec| {
        if before(domain) != after.ratio() {
            let points = texts.signed(after);
            lines.push(texts.fill("events", "cap", &[("name", name), ("points", &points)]));
        }
    };
    line(None, texts.get("events", "whole"), frame.card.outcome.event_points);
    for domain in &frame.domains {
        line(Some(&domain.domain), &domain.name, domain.outcome.event_points);
    }
    lines
}

pub(super) fn reason(reason: Option<&str>, texts: &Texts) -> String {
    reason.map(|r| texts.reason_sentence(r)).unwrap_or_default()
}

/// Domains and metrics without a result, each with its reason.
fn not_counted(frame: &PartnerFrame, texts: &Texts) -> Vec<String> {
    let (colon, stop) = (texts.get("form", "colon"), texts.get("form", "stop"));
    let mut lines = Vec::new();
    for domain in &frame.domains {
        if domain.outcome.state == ResultState::NotRated {
            let why = reason(domain.outcome.reason.as_deref(), texts);
            lines.push(
                format!("{}{colon}{}{stop} {why}", domain.name, texts.get("state", "not_rated"))
                    .trim_end()
                    .to_owned(),
            );
        }
        for metric in &domain.metrics {
            if matches!(metric.state.as_str(), "rated" | "provisional") {
                continue;
            }
            let state = texts.word("state", &metric.state);
            let why = metric
                .reason
                .as_deref()
                .map_or(String::new(), |r| format!("{stop} {}", texts.reason_sentence(r)));
            lines.push(format!(
                "{}, {}{colon}{state}{why}",
                domain.name,
                texts.word("metric", &metric.metric)
            ));
        }
    }
    lines
}
