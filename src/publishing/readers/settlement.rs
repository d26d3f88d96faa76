//! The summary of a posting period that was closed, for finance.
//!
//! Duty: documents with their sums, by currency, by scheme and by region; who prepared and approved, and what. Not its
//! duty: an amount that is on no document.

use std::collections::{BTreeMap, BTreeSet};

use super::{Seen, add, money};
use crate::domain::{Date, Money, Period, RowRef};
use crate::publishing::inputs::PublishingError;
use crate::publishing::letter::{Letter, LetterLine, LetterSection};
use crate::publishing::texts::Texts;

/// Documents that are listed; all of them are in the tables.
const DOCUMENTS: usize = 60;
/// Sums of a document, in the order in which they add up; the names are those of the catalogue.
const SUMS: [(&str, &str); 8] = [
    ("carried_in", "carried_in_amount"),
    ("earned", "earned_amount"),
    ("adjusted", "adjusted_amount"),
    ("manual", "manual_amount"),
    ("total", "total_amount"),
    ("due", "due_amount"),
    ("carried_out", "carried_out_amount"),
    ("held", "held_amount"),
];

/// The summary of the documents of a period; `titles` are those of the schemes, by id.
pub fn settlement(
    seen: &Seen<'_>,
    programme: &str,
    (period, closed_on): (Period, Date),
    titles: &BTreeMap<String, String>,
    texts: &Texts,
) -> Result<Letter, PublishingError> {
    let name = period.to_string();
    let mut documents = Vec::new();
    for row in seen.rows("settlements")? {
        if row.text("period")? == name {
            documents.push(row);
        }
    }
    let mut numbers = BTreeSet::new();
    for row in &documents {
        numbers.insert(row.text("settlement_no")?);
    }
    let count = i64::try_from(documents.len()).unwrap_or(i64::MAX);
    let subject = texts.counted_with(
        "subject",
        "settlement",
        count,
        &[
            ("programme", programme),
            ("period", &name),
            ("documents", &texts.count(count)),
        ],
    );
    let sections = vec![
        by_currency(&documents, texts)?,
        by_scheme(seen, &numbers, titles, texts)?,
        by_region(seen, &documents, texts)?,
        list(seen, &documents, texts)?,
    ];
    Ok(Letter {
        subject,
        programme: programme.to_owned(),
        heading: format!("{} {name}", texts.get("settlement", "title")),
        facts: facts(seen, &documents, (count, closed_on), texts)?,
        sections,
        closing: vec![texts.get("statement", "tax_note").to_owned()],
    })
}

fn facts(
    seen: &Seen<'_>,
    documents: &[RowRef<'_>],
    (count, closed_on): (i64, Date),
    texts: &Texts,
) -> Result<Vec<(String, String)>, PublishingError> {
    let closed = texts.date(closed_on);
    let label = |key: &str| texts.get("settlement", key).to_owned();
    let mut facts = vec![
        (
            label("state"),
            texts.fill("settlement", "standing", &[("date", &closed)]),
        ),
        (label("documents"), texts.count(count)),
    ];
    if let Some(row) = documents.first() {
        for (key, column) in [
            ("prepared", "prepared_by"),
            ("approved", "approved_by"),
            ("closed", "closed_by"),
            ("hash", "settlement_hash"),
        ] {
            if let Some(value) = row.opt_text(column)?.filter(|v| !v.is_empty()) {
                facts.push((label(key), who(seen, value)?));
            }
        }
    }
    Ok(facts)
}

/// Who took a decision, with its id; anything else as it is.
fn who(seen: &Seen<'_>, value: &str) -> Result<String, PublishingError> {
    for row in seen.tables["decisions"].iter() {
        if row.text("decision_id")? == value {
            return Ok(format!("{} ({value})", row.text("by")?));
        }
    }
    Ok(value.to_owned())
}

fn by_currency(documents: &[RowRef<'_>], texts: &Texts) -> Result<LetterSection, PublishingError> {
    let mut sums: BTreeMap<(String, usize), Money> = BTreeMap::new();
    for row in documents {
        for (place, (_, column)) in SUMS.into_iter().enumerate() {
            if let Some(amount) = money(*row, "settlements", column)? {
                add(&mut sums, (amount.currency().to_string(), place), amount)?;
            }
        }
    }
    let always = |place: usize| matches!(SUMS[place].0, "total" | "due");
    let shown = sums
        .into_iter()
        .filter(|((_, place), amount)| always(*place) || !amount.is_zero());
    let lines = shown
        .map(|((currency, place), amount)| {
            let label = texts.get("statement", SUMS[place].0);
            LetterLine::new(format!("{currency} · {label}"), texts.money(amount))
        })
        .collect();
    Ok(LetterSection::listed(
        texts.get("settlement", "by_currency"),
        lines,
        usize::MAX,
        texts,
    ))
}

/// What was earned, by scheme and currency, and adjustments.
fn by_scheme(
    seen: &Seen<'_>,
    numbers: &BTreeSet<&str>,
    titles: &BTreeMap<String, String>,
    texts: &Texts,
) -> Result<LetterSection, PublishingError> {
    let mut sums: BTreeMap<(String, String), Money> = BTreeMap::new();
    for row in seen.rows("statements")? {
        let (Some(scheme), Some(amount)) = (row.opt_text("scheme")?, money(row, "statements", "amount")?) else {
            continue;
        };
        let counts = !matches!(row.text("kind")?, "component" | "ahead");
        if counts && numbers.contains(row.text("settlement_no")?) {
            add(&mut sums, (scheme.to_owned(), amount.currency().to_string()), amount)?;
        }
    }
    let lines = sums
        .into_iter()
        .map(|((scheme, _), amount)| {
            let title = titles.get(&scheme).map_or(scheme.as_str(), String::as_str);
            LetterLine::new(texts.named("scheme", &scheme, title), texts.money(amount))
        })
        .collect();
    Ok(LetterSection::listed(
        texts.get("settlement", "by_scheme"),
        lines,
        usize::MAX,
        texts,
    ))
}

fn by_region(seen: &Seen<'_>, documents: &[RowRef<'_>], texts: &Texts) -> Result<LetterSection, PublishingError> {
    let mut sums: BTreeMap<(String, String), Money> = BTreeMap::new();
    let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in documents {
        let region = seen.region(row.text("partner_id")?).to_owned();
        if let Some(due) = money(*row, "settlements", "due_amount")? {
            let key = (region, due.currency().to_string());
            *counts.entry(key.clone()).or_insert(0) += 1;
            add(&mut sums, key, due)?;
        }
    }
    let due = texts.get("statement", "due");
    let lines = sums
        .into_iter()
        .map(|(key, amount)| LetterLine {
            text: format!("{} · {due}", key.0),
            value: texts.money(amount),
            note: texts.counted("settlement", "count", "n", counts.get(&key).copied().unwrap_or(0)),
        })
        .collect();
    Ok(LetterSection::listed(
        texts.get("settlement", "by_region"),
        lines,
        usize::MAX,
        texts,
    ))
}

/// The documents with what is due, the largest of each currency first.
fn list(seen: &Seen<'_>, documents: &[RowRef<'_>], texts: &Texts) -> Result<LetterSection, PublishingError> {
    let mut rows = Vec::new();
    for row in documents {
        if let Some(due) = money(*row, "settlements", "due_amount")? {
            rows.push((due, row.text("settlement_no")?, row.text("partner_id")?));
        }
    }
    rows.sort_by(|a, b| {
        let currency = a.0.currency().to_string().cmp(&b.0.currency().to_string());
        currency
            .then(b.0.minor_units().cmp(&a.0.minor_units()))
            .then(a.1.cmp(b.1))
    });
    let lines = rows
        .into_iter()
        .map(|(due, number, partner)| LetterLine {
            text: seen.name(partner),
            value: texts.money(due),
            note: number.to_owned(),
        })
        .collect();
    Ok(LetterSection::listed(
        texts.get("settlement", "documents"),
        lines,
        DOCUMENTS,
        texts,
    ))
}
