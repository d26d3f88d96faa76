//! The published rows.
//!
//! Duty: columns of the four tables, and rows from derivations; sorted by key. Not its duty: any value that a
//! derivation does not already hold.

use super::composite::{Share, change, hundredths};
use super::derivation::{Card, Derivations, DomainScore};
use super::key_events::{JudgedEvent, KeyEvents};
use super::metric::Metric;
use crate::domain::ids::DomainId;
use crate::domain::{Grade, Ratio, Rounding, Row, Score, Table, Value};

/// Key: `partner_id`, `domain`, `period`, `metric`.
pub const METRICS: [&str; 20] = [
    "partner_id",
    "domain",
    "period",
    "metric",
    "state",
    "reason",
    "n",
    "n_eff",
    "raw",
    "interval_low",
    "interval_high",
    "peer_value",
    "peer_basis",
    "adjusted",
    "normalised",
    "band",
    "nominal_weight",
    "effective_weight",
    "points",
    "note",
];

/// Key: `partner_id`, `domain`, `period`.
pub const SCORES: [&str; 18] = [
    "partner_id",
    "domain",
    "period",
    "region",
    "state",
    "reason",
    "coverage",
    "base",
    "event_points",
    "clamp",
    "final",
    "grade",
    "score_grade",
    "previous_final",
    "change",
    "completed_deliveries",
    "card_share",
    "rules_hash",
];

/// Key: `partner_id`, `period`.
pub const PARTNER_SCORES: [&str; 18] = [
    "partner_id",
    "period",
    "region",
    "state",
    "reason",
    "domains_rated",
    "completed_deliveries",
    "base",
    "event_points",
    "clamp",
    "final",
    "grade",
    "score_grade",
    "previous_final",
    "change",
    "red_line_state",
    "red_line_until",
    "rules_hash",
];

/// Key: `event_id`.
pub const KEY_EVENT_POINTS: [&str; 12] = [
    "event_id",
    "partner_id",
    "domain",
    "period",
    "code",
    "level",
    "direction",
    "red_line",
    "status",
    "points",
    "confirmed_on",
    "reason",
];

/// Decimals of a published ratio, and the digits that its column holds.
const RATIO_PLACES: u8 = 12;
const RATIO_DIGITS: u32 = 18;
/// Digits of the columns whose unit a programme's own formula decides.
const WIDE_DIGITS: u32 = 38;

/// A metric for each score.
#[must_use]
pub fn metrics(derivations: &Derivations) -> Table {
    let mut table = Table::new("metrics", &METRICS);
    for (card, score) in scores_of(derivations) {
        for (metric, share) in score.metrics.iter().zip(&score.composite.shares) {
            table.push(metric_row(card, score, metric, share));
        }
    }
    sorted(table, 4)
}

#[must_use]
pub fn scores(derivations: &Derivations) -> Table {
    let mut table = Table::new("scores", &SCORES);
    for (card, score) in scores_of(derivations) {
        table.push(score_row(card, score));
    }
    sorted(table, 3)
}

#[must_use]
pub fn partner_scores(derivations: &Derivations) -> Table {
    let mut table = Table::new("partner_scores", &PARTNER_SCORES);
    for card in derivations.cards.values() {
        table.push(card_row(card));
    }
    sorted(table, 2)
}

/// Every event; those of closed periods as they were published.
#[must_use]
pub fn key_event_points(events: &KeyEvents) -> Table {
    let mut table = Table::new("key_event_points", &KEY_EVENT_POINTS);
    for judged in events
        .judged
        .values()
        .filter(|judged| !events.sealed.contains(&judged.event.event_id))
    {
        table.push(event_row(judged));
    }
    for sealed in events.sealed.rows() {
        table.push(sealed.row.clone());
    }
    sorted(table, 1)
}

fn scores_of(derivations: &Derivations) -> impl Iterator<Item = (&Card, &DomainScore)> {
    derivations
        .cards
        .values()
        .flat_map(|card| card.domains.iter().map(move |score| (card, score)))
}

fn metric_row(card: &Card, score: &DomainScore, metric: &Metric, share: &Share) -> Row {
    let (low, high) = metric.interval.clone().unzip();
    let (peer_value, peer_basis) = metric.peers.as_ref().map(|p| (&p.value, p.basis.as_str())).unzip();
    vec![
        card.partner.as_str().into(),
        score.domain.as_str().into(),
        card.period.to_string().into(),
        metric.id.as_str().into(),
        metric.state.as_str().into(),
        metric.reason.clone().into(),
        metric.n.into(),
        ratio(metric.n_eff.as_ref()),
        within(metric.raw.as_ref(), WIDE_DIGITS),
        ratio(low.as_ref()),
        ratio(high.as_ref()),
        ratio(peer_value),
        peer_basis.into(),
        within(metric.adjusted.as_ref(), WIDE_DIGITS),
        ratio(metric.normalised.as_ref()),
        metric.band.clone().into(),
        hundredths(&share.nominal).into(),
        share.effective_shown.into(),
        share.points_shown.into(),
        metric.note.clone().into(),
    ]
}

fn score_row(card: &Card, score: &DomainScore) -> Row {
    let finish = &score.finish;
    let part = card.parts.iter().find(|part| part.domain == score.domain);
    vec![
        card.partner.as_str().into(),
        score.domain.as_str().into(),
        card.period.to_string().into(),
        card.edition.region.as_str().into(),
        score.composite.standing.as_str().into(),
        score.composite.reason.clone().into(),
        hundredths(&score.composite.coverage).into(),
        finish.base_shown.into(),
        finish.events_shown.into(),
        finish.clamp_shown.into(),
        finish.score.map(Score::dec).into(),
        grade(score.grade),
        grade(finish.grade),
        score.previous_final.into(),
        change(finish.score, score.previous_final).into(),
        score.completed.into(),
        ratio(part.map(|part| &part.share)),
        card.edition.hash.into(),
    ]
}

fn card_row(card: &Card) -> Row {
    let finish = &card.finish;
    vec![
        card.partner.as_str().into(),
        card.period.to_string().into(),
        card.edition.region.as_str().into(),
        card.standing.as_str().into(),
        card.reason.clone().into(),
        i64::try_from(card.parts.len()).unwrap_or(i64::MAX).into(),
        card.completed.into(),
        finish.base_shown.into(),
        finish.events_shown.into(),
        finish.clamp_shown.into(),
        finish.score.map(Score::dec).into(),
        grade(card.grade),
        grade(finish.grade),
        card.previous_final.into(),
        change(finish.score, card.previous_final).into(),
        card.red.as_str().into(),
        card.red.until().into(),
        card.edition.hash.into(),
    ]
}

fn event_row(judged: &JudgedEvent) -> Row {
    let event = &judged.event;
    vec![
        event.event_id.clone().into(),
        event.partner.as_str().into(),
        event.domain.as_ref().map(DomainId::as_str).into(),
        judged.period.map(|p| p.to_string()).into(),
        event.code.clone().into(),
        event.level.clone().into(),
        if event.positive { "positive" } else { "negative" }.into(),
        event.red_line.clone().into(),
        judged.status.as_str().into(),
        hundredths(&judged.points).into(),
        judged.confirmed_on.into(),
        judged.reason.clone().into(),
    ]
}

fn grade(grade: Option<Grade>) -> Value {
    grade.map(Grade::as_str).into()
}

/// To 12 decimals, half away from zero; null where there is none, or where it has more digits than its column.
pub(super) fn ratio(exact: Option<&Ratio>) -> Value {
    within(exact, RATIO_DIGITS)
}

fn within(exact: Option<&Ratio>, digits: u32) -> Value {
    let shown = exact.and_then(|exact| exact.round(RATIO_PLACES, Rounding::HalfAwayFromZero));
    shown.filter(|dec| dec.digits() <= digits).into()
}

/// Sorted by the first columns, which are the key.
pub(super) fn sorted(mut table: Table, key: usize) -> Table {
    table.rows.sort_by(|a, b| a[..key].cmp(&b[..key]));
    table
}
