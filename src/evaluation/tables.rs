//! The published rows.
//!
//! Duty: columns of the four tables, and rows from derivations; sorted by key. Not its duty: any value that a
//! derivation does not already hold.

use std::collections::BTreeMap;

use super::composite::{Share, change, hundredths};
use super::derivation::{Card, Derivations, DomainScore};
use super::key_events::{JudgedEvent, KeyEvents};
use super::lanes;
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
    by_partner("metrics", &METRICS, derivations, |heads, words, rows| {
        for (head, score) in scores_of(heads) {
            let domain = words.value(score.domain.as_str());
            let mut metrics: Vec<(&Metric, &Share)> = score.metrics.iter().zip(&score.composite.shares).collect();
            metrics.sort_by_key(|(metric, _)| metric.id.as_str());
            rows.extend(
                metrics
                    .into_iter()
                    .map(|(metric, share)| metric_row(head, &domain, metric, share, words)),
            );
        }
    })
}

#[must_use]
pub fn scores(derivations: &Derivations) -> Table {
    by_partner("scores", &SCORES, derivations, |heads, words, rows| {
        rows.extend(
            scores_of(heads)
                .into_iter()
                .map(|(head, score)| score_row(head, score, words)),
        );
    })
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

/// A card, and what all its rows say.
pub(super) struct Head<'a> {
    pub card: &'a Card,
    pub partner: Value,
    pub period: Value,
    pub region: Value,
    pub rules_hash: Value,
}

impl<'a> Head<'a> {
    fn of(card: &'a Card) -> Head<'a> {
        Head {
            card,
            partner: (&card.partner).into(),
            period: card.period.to_string().into(),
            region: card.edition.region.as_str().into(),
            rules_hash: card.edition.hash.into(),
        }
    }
}

/// A table of the rows that `rows_of` adds for the cards of one partner (periods in order) after the other. The rows of a
/// partner come sorted by key, so the table is.
pub(super) fn by_partner(
    name: &str,
    columns: &[&str],
    derivations: &Derivations,
    rows_of: impl for<'a> Fn(&[Head<'a>], &mut Words<'a>, &mut Vec<Row>) + Sync,
) -> Table {
    let cards: Vec<&Card> = derivations.cards.values().collect();
    let partners: Vec<&[&Card]> = cards.chunk_by(|a, b| a.partner == b.partner).collect();
    let of_partners = lanes::each_of(&partners, |cards| {
        let heads: Vec<Head> = cards.iter().map(|card| Head::of(card)).collect();
        let mut rows = Vec::new();
        rows_of(&heads, &mut Words::default(), &mut rows);
        rows
    });
    let mut table = Table::new(name, columns);
    table.rows.reserve_exact(of_partners.iter().map(Vec::len).sum());
    table.rows.extend(of_partners.into_iter().flatten());
    table
}

/// Texts that many rows of a partner hold: one copy each.
#[derive(Default)]
pub(super) struct Words<'a>(BTreeMap<&'a str, Value>);

impl<'a> Words<'a> {
    pub(super) fn value(&mut self, text: &'a str) -> Value {
        self.0.entry(text).or_insert_with(|| Value::text(text)).clone()
    }

    fn optional(&mut self, text: Option<&'a str>) -> Value {
        text.map_or(Value::Null, |text| self.value(text))
    }
}

/// The scores of one partner, sorted by domain and period.
fn scores_of<'h, 'a>(heads: &'h [Head<'a>]) -> Vec<(&'h Head<'a>, &'a DomainScore)> {
    let of_card = |head: &'h Head<'a>| head.card.domains.iter().map(move |score| (head, score));
    let mut scores: Vec<(&Head, &DomainScore)> = heads.iter().flat_map(of_card).collect();
    scores.sort_by(|(a, x), (b, y)| x.domain.cmp(&y.domain).then(a.period.cmp(&b.period)));
    scores
}

fn metric_row<'a>(head: &Head, domain: &Value, metric: &'a Metric, share: &Share, words: &mut Words<'a>) -> Row {
    let (low, high) = metric.interval.as_ref().map(|(low, high)| (low, high)).unzip();
    let (peer_value, peer_basis) = metric.peers.as_ref().map(|p| (&p.value, p.basis.as_str())).unzip();
    vec![
        head.partner.clone(),
        domain.clone(),
        head.period.clone(),
        words.value(metric.id.as_str()),
        words.value(metric.state.as_str()),
        words.optional(metric.reason.as_deref()),
        metric.n.into(),
        ratio(metric.n_eff.as_ref()),
        within(metric.raw.as_ref(), WIDE_DIGITS),
        ratio(low),
        ratio(high),
        ratio(peer_value),
        words.optional(peer_basis),
        within(metric.adjusted.as_ref(), WIDE_DIGITS),
        ratio(metric.normalised.as_ref()),
        words.optional(metric.band.as_deref()),
        hundredths(&share.nominal).into(),
        share.effective_shown.into(),
        share.points_shown.into(),
        words.optional(metric.note.as_deref()),
    ]
}

fn score_row<'a>(head: &Head, score: &'a DomainScore, words: &mut Words<'a>) -> Row {
    let finish = &score.finish;
    let part = head.card.parts.iter().find(|part| part.domain == score.domain);
    vec![
        head.partner.clone(),
        words.value(score.domain.as_str()),
        head.period.clone(),
        head.region.clone(),
        words.value(score.composite.standing.as_str()),
        words.optional(score.composite.reason.as_deref()),
        hundredths(&score.composite.coverage).into(),
        finish.base_shown.into(),
        finish.events_shown.into(),
        finish.clamp_shown.into(),
        finish.score.map(Score::dec).into(),
        words.optional(score.grade.map(Grade::as_str)),
        words.optional(finish.grade.map(Grade::as_str)),
        score.previous_final.into(),
        change(finish.score, score.previous_final).into(),
        score.completed.into(),
        ratio(part.map(|part| &part.share)),
        head.rules_hash.clone(),
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
