//! The explanation of every number as rows.
//!
//! Duty: the lines of `explain` in the order in which they are read, one row each. Not its duty: words and values
//! (`explain`, `explain_metric`).

use super::derivation::{Card, Derivations};
use super::explain::{self, Line};
use super::lanes;
use crate::domain::ids::DomainId;
use crate::domain::{Row, Table, Value};

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

/// Steps of all cards, sorted by key; step 1 of a score or metric is its result, and a step rests on those below it
/// that are deeper.
pub fn table(derivations: &Derivations) -> Table {
    let mut out = Table::new("derivations", &COLUMNS);
    let cards: Vec<&Card> = derivations.cards.values().collect();
    for rows in lanes::each_of(&cards, |card| rows_of(card)) {
        out.rows.extend(rows);
    }
    out
}

/// The steps of one card.
fn rows_of(card: &Card) -> Vec<Row> {
    let mut out = Table::new("derivations", &COLUMNS);
    let (partner, period) = (Value::text(card.partner.as_str()), Value::text(card.period.to_string()));
    for part in explain::parts(card) {
        let domain = Value::text(part.domain.map_or("", DomainId::as_str));
        let metric = part
            .metric
            .map_or(Value::text(""), |metric| Value::text(metric.as_str()));
        let head = [partner.clone(), period.clone(), domain, metric];
        let mut step = 0;
        push(&mut out, &head, &part.line, 0, &mut step);
    }
    out.rows
}

fn push(out: &mut Table, head: &[Value; 4], line: &Line, depth: i64, step: &mut i64) {
    *step += 1;
    let text = |text: &str| {
        if text.is_empty() {
            Value::Null
        } else {
            Value::text(text)
        }
    };
    let mut row = head.to_vec();
    row.extend([
        Value::Int(*step),
        Value::Int(depth),
        Value::text(&line.label),
        text(&line.value),
        text(&line.formula),
    ]);
    out.push(row);
    for child in &line.children {
        push(out, head, child, depth + 1, step);
    }
}
