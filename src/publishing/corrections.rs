//! Corrections: what a scorecard says otherwise than the one it takes the place of.
//!
//! Duty: old and new of every figure at the head of a card, its domains, its events and its money, where they differ.
//! Not its duty: finding the earlier frame, deciding whether to send.

use std::collections::BTreeMap;

use serde::Serialize;

use super::frame::{Outcome, PartnerFrame};
use super::texts::Texts;

/// A figure that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Correction {
    pub label: String,
    pub old: String,
    pub new: String,
}

/// What changed from the earlier frame, in the order of the scorecard.
pub(super) fn corrections(old: &PartnerFrame, new: &PartnerFrame, texts: &Texts) -> Vec<Correction> {
    let (before, now) = (figures(old, texts), figures(new, texts));
    let none = || texts.get("corrections", "none").to_owned();
    let find = |figures: &[(String, String)], label: &str| {
        let found = figures.iter().find(|(l, _)| l == label);
        found.map_or_else(none, |(_, figure)| figure.clone())
    };
    let gone = before.iter().filter(|(label, _)| !now.iter().any(|(l, _)| l == label));
    let labels = now.iter().chain(gone).map(|(label, _)| label);
    let mut out = Vec::new();
    for label in labels {
        let (old, new) = (find(&before, label), find(&now, label));
        if old != new {
            out.push(Correction {
                label: label.clone(),
                old,
                new,
            });
        }
    }
    out
}

/// Label and figure, each label once.
fn figures(frame: &PartnerFrame, texts: &Texts) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let colon = texts.get("form", "colon");
    let of_outcome = |outcome: &Outcome| {
        let score = outcome.score.map(|s| texts.number(s.dec()));
        let grade = outcome.grade.map(|g| g.to_string());
        match (grade, score) {
            (Some(grade), Some(score)) => format!("{grade} · {score}"),
            (Some(grade), None) => grade,
            _ => texts.get("state", "not_rated").to_owned(),
        }
    };
    out.push((texts.get("hero", "grade").to_owned(), of_outcome(&frame.card.outcome)));
    for domain in &frame.domains {
        out.push((domain.name.clone(), of_outcome(&domain.outcome)));
        for metric in &domain.metrics {
            let label = format!("{}, {}", domain.name, texts.word("metric", &metric.metric));
            out.push((label, texts.number(metric.points)));
        }
    }
    for event in frame.events.iter().filter(|e| e.status == "counted") {
        out.push((
            format!("{} ({})", event.code, event.event_id),
            texts.signed(event.points),
        ));
    }
    for line in &frame.money.schemes {
        let title = texts.named("scheme", &line.scheme, &line.title);
        let label = format!(
            "{title} · {}{colon}{}",
            line.earning_period,
            texts.get("money", "earned")
        );
        out.push((label, texts.money(line.earned)));
    }
    for account in &frame.money.accounts {
        let title = texts.fill("money", "account", &[("currency", account.currency.code())]);
        for (key, amount) in [("account_earned", account.earned), ("closing", account.closing)] {
            out.push((
                format!("{title}{colon}{}", texts.get("money", key)),
                texts.money(amount),
            ));
        }
    }
    // two schemes of one title in one period are told apart by their place
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for (label, _) in &mut out {
        let times = seen.entry(label.clone()).or_default();
        *times += 1;
        if *times > 1 {
            *label = format!("{label} ({times})");
        }
    }
    out
}
