//! What a release leaves to look at, for those who run the program.
//!
//! Duty: files set aside, rejected records, late and thin data, messages that cannot go. Not its duty: what was in
//! order; that is in the tables.

use std::collections::BTreeMap;

use super::Tables;
use crate::domain::Instant;
use crate::publishing::inputs::PublishingError;
use crate::publishing::letter::{Letter, LetterLine, LetterSection};
use crate::publishing::texts::Texts;

const LINES: usize = 25;

/// Whether a run report says that nothing is left to look at.
#[must_use]
pub fn nothing_left(letter: &Letter) -> bool {
    letter.sections.iter().all(|section| section.total == 0)
}

/// The report of a release; `messages` are those of it.
pub fn operations(tables: &Tables, programme: &str, as_of: Instant, texts: &Texts) -> Result<Letter, PublishingError> {
    let sections = vec![
        files(tables, texts)?,
        quarantine(tables, texts)?,
        late(tables, texts)?,
        messages(tables, texts)?,
    ];
    let count: usize = sections.iter().map(|section| section.total).sum();
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let key = if count == 0 { "operations_clear" } else { "operations" };
    let subject = [("programme", programme), ("n", &texts.count(count))];
    Ok(Letter {
        subject: texts.counted_with("subject", key, count, &subject),
        programme: programme.to_owned(),
        heading: texts.get("operations", "title").to_owned(),
        facts: vec![(texts.get("operations", "known").to_owned(), texts.instant(as_of))],
        sections,
        closing: vec![texts.get("operations", "where").to_owned()],
    })
}

fn files(tables: &Tables, texts: &Texts) -> Result<LetterSection, PublishingError> {
    let mut lines = Vec::new();
    for row in tables["files"]
        .iter()
        .filter(|row| row.text("state") == Ok("set_aside"))
    {
        lines.push(LetterLine {
            text: row.text("file_name")?.to_owned(),
            value: row.text("feed")?.to_owned(),
            note: row.opt_text("reason")?.unwrap_or_default().to_owned(),
        });
    }
    lines.sort_by(|a, b| a.text.cmp(&b.text));
    Ok(LetterSection::listed(
        texts.get("operations", "files"),
        lines,
        LINES,
        texts,
    ))
}

/// Rejected records that nothing has resolved, by feed and rule.
fn quarantine(tables: &Tables, texts: &Texts) -> Result<LetterSection, PublishingError> {
    let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in tables["quarantine"].iter() {
        if row.opt_text("resolved_by")?.is_none() {
            let key = (row.text("feed")?.to_owned(), row.text("rule")?.to_owned());
            *counts.entry(key).or_insert(0) += 1;
        }
    }
    let lines = counts
        .into_iter()
        .map(|((feed, rule), n)| LetterLine::new(format!("{feed} · {rule}"), texts.count(n)))
        .collect();
    Ok(LetterSection::listed(
        texts.get("operations", "rejected"),
        lines,
        LINES,
        texts,
    ))
}

fn late(tables: &Tables, texts: &Texts) -> Result<LetterSection, PublishingError> {
    let mut lines = Vec::new();
    for row in tables["freshness"].iter() {
        let state = row.text("state")?;
        if matches!(state, "silent" | "thin") && row.opt_text("waived_by")?.is_none() {
            lines.push(LetterLine {
                text: format!("{} · {}", row.text("source")?, row.text("period")?),
                value: texts.get("operations", state).to_owned(),
                note: row.opt_text("reason")?.unwrap_or_default().to_owned(),
            });
        }
    }
    Ok(LetterSection::listed(
        texts.get("operations", "late"),
        lines,
        LINES,
        texts,
    ))
}

/// Messages that were held back, or that nobody can get.
fn messages(tables: &Tables, texts: &Texts) -> Result<LetterSection, PublishingError> {
    let mut lines = Vec::new();
    for row in tables["messages"]
        .iter()
        .filter(|row| row.text("state") != Ok("queued"))
    {
        lines.push(LetterLine {
            text: row.text("message_key")?.to_owned(),
            value: row.text("period")?.to_owned(),
            note: row.opt_text("reason")?.unwrap_or_default().to_owned(),
        });
    }
    Ok(LetterSection::listed(
        texts.get("operations", "messages"),
        lines,
        LINES,
        texts,
    ))
}
