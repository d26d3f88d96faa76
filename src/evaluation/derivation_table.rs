//! The explanation of every number as rows.
//!
//! Duty: the lines of `explain` in the order in which they are read, one row each. Not its duty: words and values
//! (`explain`, `explain_metric`).

use std::collections::BTreeMap;

use super::derivation::{Card, Derivations};
use super::explain::{self, Line};
use super::lanes;
use crate::domain::ids::DomainId;
use crate::domain::{Period, Row, Table, Value};

/// Columns of `derivations`. Key: partner, period, domain (empty for the card), metric (empty for a score), step.
pub const COLUMNS: [&str; 9] = [
    "partner_id",
    "period",
    "domain",
    "metric",
    "step",
    "depth",
    "label",
    "value",
    "formula",
];

/// Steps of all cards of a period, sorted by key; step 1 of a score or metric is its result, and a step rests on those below it
/// that are deeper.
pub fn table(derivations: &Derivations, period: Period) -> Table {
    let mut out = Table::new("derivations", &COLUMNS);
    let of_period = derivations.cards.values().filter(|card| card.period == period);
    let cards: Vec<&Card> = of_period.collect();
    for rows in lanes::each_of(&cards, |card| rows_of(card)) {
        out.rows.extend(rows);
    }
    out
}

/// The steps of one card.
fn rows_of(card: &Card) -> Vec<Row> {
    let mut out = Table::new("derivations", &COLUMNS);
    let (partner, period) = (Value::text(card.partner.as_str()), Value::text(card.period.to_string()));
    let parts = explain::parts(card);
    let mut words = Words::default();
    for part in &parts {
        let domain = Value::text(part.domain.map_or("", DomainId::as_str));
        let metric = part
            .metric
            .map_or(Value::text(""), |metric| Value::text(metric.as_str()));
        let head = [partner.clone(), period.clone(), domain, metric];
        let mut step = 0;
        push(&mut out, &head, &part.line, (0, &mut step), &mut words);
    }
    out.rows
}

/// Texts of a card, each kept once: labels and many values are the same in every domain.
#[derive(Default)]
struct Words<'a>(BTreeMap<&'a str, Value>);

impl<'a> Words<'a> {
    fn of(&mut self, text: &'a str) -> Value {
        self.0.entry(text).or_insert_with(|| Value::text(text)).clone()
    }

    fn or_null(&mut self, text: &'a str) -> Value {
        if text.is_empty() { Value::Null } else { self.of(text) }
    }
}

fn push<'a>(out: &mut Table, head: &[Value; 4], line: &'a Line, (depth, step): (i64, &mut i64), words: &mut Words<'a>) {
    *step += 1;
    let mut row = Vec::with_capacity(COLUMNS.len());
    row.extend_from_slice(head);
    row.extend([
        Value::Int(*step),
        Value::Int(depth),
        words.of(&line.label),
        words.or_null(&line.value),
        words.or_null(&line.formula),
    ]);
    out.push(row);
    for child in &line.children {
        push(out, head, child, (depth + 1, step), words);
    }
}
