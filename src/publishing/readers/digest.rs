//! The digest of an evaluation period, for those who look after many partners.
//!
//! Duty: counts, grades against the period before, who moved and why, who was not rated, red lines, findings with the
//! money at stake, what waits for a decision. Not its duty: a single figure of a partner's card that is not in a table.

use std::collections::BTreeMap;

use super::{Seen, add, money};
use crate::charts::card::{self, Bar};
use crate::domain::{Date, Dec, Instant, Money, Period, RowRef};
use crate::publishing::inputs::PublishingError;
use crate::publishing::letter::{Letter, LetterLine, LetterSection};
use crate::publishing::palette::LIGHT;
use crate::publishing::texts::Texts;

const GRADES: [&str; 5] = ["A", "B", "C", "D", "E"];
/// Partners that rose or fell most, on each side.
const MOVERS: usize = 8;
/// Lines of any other list.
const LINES: usize = 20;

/// What a digest is told beside the tables.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub programme: &'a str,
    pub period: Period,
    /// First and last day.
    pub days: (Date, Date),
    pub closed_on: Option<Date>,
    pub as_of: Instant,
    /// Words for what the reader sees: names of regions, or nothing for all.
    pub regions: &'a str,
}

/// The digest in the language of the catalogue; `can_draw`: whether fonts have a word.
pub fn digest(
    seen: &Seen<'_>,
    told: &Told<'_>,
    texts: &Texts,
    can_draw: &dyn Fn(&str) -> bool,
) -> Result<Letter, PublishingError> {
    let name = told.period.to_string();
    let mut cards = Vec::new();
    let mut before = Vec::new();
    let previous = told.period.previous().to_string();
    for row in seen.rows("partner_scores")? {
        match row.text("period")? {
            period if period == name => cards.push(row),
            period if period == previous => before.push(row),
            _ => {}
        }
    }
    let mut states: BTreeMap<&str, i64> = BTreeMap::new();
    for row in &cards {
        *states.entry(row.text("state")?).or_insert(0) += 1;
    }
    let of = |state: &str| states.get(state).copied().unwrap_or(0);
    let all = i64::try_from(cards.len()).unwrap_or(i64::MAX);
    let counts = [
        ("rated", texts.count(of("rated"))),
        ("provisional", texts.count(of("provisional"))),
        ("not_rated", texts.count(of("not_rated"))),
    ];
    let counts: Vec<(&str, &str)> = counts.iter().map(|(key, n)| (*key, n.as_str())).collect();
    let region = if told.regions.is_empty() {
        texts.get("digest", "all")
    } else {
        told.regions
    };
    let rated = texts.count(of("rated") + of("provisional"));
    let subject = [
        ("programme", told.programme),
        ("period", name.as_str()),
        ("region", region),
        ("rated", rated.as_str()),
        ("all", &texts.count(all)),
    ];
    let sections = vec![
        grades(&cards, &before, told, texts, can_draw)?,
        movers(seen, &cards, told, texts, true)?,
        movers(seen, &cards, told, texts, false)?,
        not_rated(seen, &cards, texts)?,
        red_lines(seen, &cards, texts)?,
        findings(seen, &name, texts)?,
        reviews(seen, &name, texts)?,
        waiting(seen, texts)?,
    ];
    Ok(Letter {
        subject: texts.fill("subject", "digest", &subject),
        programme: told.programme.to_owned(),
        heading: format!("{} {name}", texts.get("digest", "title")),
        facts: facts(told, region, &texts.fill("digest", "counts", &counts), texts),
        sections,
        closing: vec![texts.get("digest", "why").to_owned()],
    })
}

fn facts(told: &Told<'_>, region: &str, counts: &str, texts: &Texts) -> Vec<(String, String)> {
    let (from, until) = (texts.date(told.days.0), texts.date(told.days.1));
    let closed = told.closed_on.map(|on| texts.date(on));
    let state = match &closed {
        Some(on) => texts.fill("head", "final", &[("date", on)]),
        None => texts.get("head", "open").to_owned(),
    };
    let label = |key: &str| texts.get("digest", key).to_owned();
    vec![
        (label("period"), format!("{from} – {until}")),
        (label("scope"), region.to_owned()),
        (label("state"), state),
        (label("known"), texts.instant(told.as_of)),
        (label("partners"), counts.to_owned()),
    ]
}

fn grades(
    cards: &[RowRef<'_>],
    before: &[RowRef<'_>],
    told: &Told<'_>,
    texts: &Texts,
    can_draw: &dyn Fn(&str) -> bool,
) -> Result<LetterSection, PublishingError> {
    let counted = |rows: &[RowRef<'_>]| -> Result<BTreeMap<String, i64>, PublishingError> {
        let mut counts = BTreeMap::new();
        for row in rows {
            let grade = row.opt_text("grade")?.unwrap_or_default().to_owned();
            *counts.entry(grade).or_insert(0) += 1;
        }
        Ok(counts)
    };
    let (now, then) = (counted(cards)?, counted(before)?);
    let all = i64::try_from(cards.len()).unwrap_or(i64::MAX).max(1);
    let previous = told.period.previous().to_string();
    let mut lines = Vec::new();
    let mut bars = Vec::new();
    for grade in GRADES.into_iter().chain([""]) {
        let label = if grade.is_empty() {
            texts.get("digest", "not_rated")
        } else {
            grade
        };
        let n = now.get(grade).copied().unwrap_or(0);
        let mut line = LetterLine::new(label, texts.count(n));
        if !before.is_empty() {
            let was = texts.count(then.get(grade).copied().unwrap_or(0));
            line.note = texts.fill("digest", "was", &[("period", &previous), ("n", &was)]);
        }
        // a word that no font has is left out of the picture; the list below says it
        let label = if can_draw(label) { label } else { "–" };
        bars.push(Bar {
            label: label.to_owned(),
            percent: n * 100 / all,
            text: texts.count(n),
        });
        lines.push(line);
    }
    let title = texts.get("digest", "grades");
    let shown_title = if can_draw(title) { title } else { "A – E" };
    let alt: Vec<String> = lines
        .iter()
        .map(|line| format!("{}: {}", line.text, line.value))
        .collect();
    let chart = card::progress(
        shown_title,
        &bars,
        format!("{title}: {}", alt.join("; ")),
        &LIGHT.paint(),
    );
    Ok(LetterSection {
        chart,
        ..LetterSection::listed(title, lines, usize::MAX, texts)
    })
}

/// Those whose score rose, or fell, most against the period before.
fn movers(
    seen: &Seen<'_>,
    cards: &[RowRef<'_>],
    told: &Told<'_>,
    texts: &Texts,
    up: bool,
) -> Result<LetterSection, PublishingError> {
    let mut moved: Vec<(Dec, &str, RowRef<'_>)> = Vec::new();
    for row in cards {
        let Some(change) = row.opt_dec("change")? else { continue };
        if (up && change > Dec::ZERO) || (!up && change < Dec::ZERO) {
            moved.push((change, row.text("partner_id")?, *row));
        }
    }
    moved.sort_by(|a, b| {
        let order = if up { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) };
        order.then_with(|| a.1.cmp(b.1))
    });
    let mut parts: BTreeMap<&str, (Dec, &str)> = BTreeMap::new();
    let name = told.period.to_string();
    let shown: Vec<&str> = moved.iter().take(MOVERS).map(|(_, id, _)| *id).collect();
    for row in seen.rows("score_changes")? {
        let (id, points) = (row.text("partner_id")?, row.dec("points")?);
        let is_of = row.text("period")? == name && row.text("domain")? == "*" && shown.contains(&id);
        let is_alike = if up { points > Dec::ZERO } else { points < Dec::ZERO };
        let is_more = |known: &Dec| if up { points > *known } else { points < *known };
        if is_of && is_alike && parts.get(id).is_none_or(|(known, _)| is_more(known)) {
            parts.insert(id, (points, row.text("part")?));
        }
    }
    let mut lines = Vec::new();
    for (change, id, row) in &moved {
        let score = row.opt_dec("final")?.map(|s| texts.number(s)).unwrap_or_default();
        let grade = row.opt_text("grade")?.unwrap_or_default();
        let mut line = LetterLine::new(seen.name(id), format!("{} → {score} {grade}", texts.signed(*change)));
        if let Some((points, part)) = parts.get(id) {
            let part = match part.split_once(':') {
                Some((kind @ ("value" | "weight"), domain)) => {
                    texts.fill("changes", kind, &[("name", &seen.domain(domain))])
                }
                _ => texts.word("changes", part),
            };
            line.note = texts.fill("digest", "most", &[("part", &part), ("points", &texts.signed(*points))]);
        }
        lines.push(line);
    }
    let title = texts.get("digest", if up { "risers" } else { "fallers" });
    Ok(LetterSection::listed(title, lines, MOVERS, texts))
}

fn not_rated(seen: &Seen<'_>, cards: &[RowRef<'_>], texts: &Texts) -> Result<LetterSection, PublishingError> {
    let mut lines = Vec::new();
    for row in cards.iter().filter(|row| row.text("state") == Ok("not_rated")) {
        lines.push(LetterLine {
            text: seen.name(row.text("partner_id")?),
            value: String::new(),
            note: texts.reason_sentence(row.opt_text("reason")?.unwrap_or_default()),
        });
    }
    Ok(LetterSection::listed(
        texts.get("digest", "not_rated"),
        lines,
        LINES,
        texts,
    ))
}

fn red_lines(seen: &Seen<'_>, cards: &[RowRef<'_>], texts: &Texts) -> Result<LetterSection, PublishingError> {
    let mut lines = Vec::new();
    for row in cards {
        let state = row.text("red_line_state")?;
        if state == "none" {
            continue;
        }
        let until = row.opt_date("red_line_until")?;
        let until = until.map_or_else(|| texts.get("red_line", "open_end").to_owned(), |on| texts.date(on));
        let value = texts.fill(
            "digest",
            "until",
            &[("state", texts.get("digest", state)), ("until", &until)],
        );
        lines.push(LetterLine::new(seen.name(row.text("partner_id")?), value));
    }
    Ok(LetterSection::listed(
        texts.get("digest", "red_lines"),
        lines,
        LINES,
        texts,
    ))
}

/// Findings on authorisation by partner, domain and check, those with most of them first.
fn findings(seen: &Seen<'_>, period: &str, texts: &Texts) -> Result<LetterSection, PublishingError> {
    type Key<'k> = (&'k str, &'k str, &'k str);
    let mut counts: BTreeMap<Key<'_>, i64> = BTreeMap::new();
    let mut stakes: BTreeMap<(Key<'_>, String), Money> = BTreeMap::new();
    for row in seen.rows("authorisation_findings")? {
        if row.text("period")? != period {
            continue;
        }
        let key = (
            row.text("partner_id")?,
            row.opt_text("domain")?.unwrap_or_default(),
            row.text("check")?,
        );
        *counts.entry(key).or_insert(0) += 1;
        if let Some(amount) = money(row, "authorisation_findings", "amount")? {
            add(&mut stakes, (key, amount.currency().to_string()), amount)?;
        }
    }
    let mut counts: Vec<(Key<'_>, i64)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut lines = Vec::new();
    for (key, n) in counts {
        let (partner, domain, check) = key;
        let amounts: Vec<String> = stakes
            .range((key, String::new())..)
            .take_while(|((of, _), _)| *of == key)
            .map(|(_, amount)| texts.money(*amount))
            .collect();
        let mut note = format!("{} · {}", seen.domain(domain), texts.word("check", check));
        if !amounts.is_empty() {
            note.push_str(" · ");
            note.push_str(&texts.fill("digest", "at_stake", &[("amount", &amounts.join(", "))]));
        }
        lines.push(LetterLine {
            text: seen.name(partner),
            value: format!("{} ×", texts.count(n)),
            note,
        });
    }
    Ok(LetterSection::listed(
        texts.get("digest", "findings"),
        lines,
        LINES,
        texts,
    ))
}

/// Recommendations that would change something, with the decision where there is one.
fn reviews(seen: &Seen<'_>, period: &str, texts: &Texts) -> Result<LetterSection, PublishingError> {
    let mut lines = Vec::new();
    for row in seen.rows("reviews")? {
        let recommendation = row.text("recommendation")?;
        if row.text("period")? != period || recommendation == "keep" {
            continue;
        }
        let decided = match row.opt_text("decision")? {
            Some(decision) => texts.fill("digest", "decided", &[("decision", &texts.word("decision", decision))]),
            None => texts.get("digest", "undecided").to_owned(),
        };
        lines.push(LetterLine {
            text: format!(
                "{}, {}",
                seen.name(row.text("partner_id")?),
                seen.domain(row.text("domain")?)
            ),
            value: texts.word("recommendation", recommendation),
            note: decided,
        });
    }
    Ok(LetterSection::listed(
        texts.get("digest", "reviews"),
        lines,
        LINES,
        texts,
    ))
}

/// How many things wait for somebody, of any period.
fn waiting(seen: &Seen<'_>, texts: &Texts) -> Result<LetterSection, PublishingError> {
    let count = |table: &str, column: &str, wanted: &str| -> Result<i64, PublishingError> {
        let mut n = 0;
        for row in seen.rows(table)? {
            n += i64::from(row.text(column)? == wanted);
        }
        Ok(n)
    };
    let undecided = seen.rows("reviews")?.iter().try_fold(0, |n, row| {
        let waits = row.text("recommendation")? != "keep" && row.opt_text("decision")?.is_none();
        Ok::<i64, PublishingError>(n + i64::from(waits))
    })?;
    let counts = [
        ("events", count("key_event_points", "status", "candidate")?),
        ("claims", count("claim_states", "state", "open")?),
        ("decisions", undecided),
    ];
    let lines = counts.into_iter().filter(|(_, n)| *n > 0);
    let lines = lines
        .map(|(key, n)| LetterLine::new(texts.get("digest", key), texts.count(n)))
        .collect();
    Ok(LetterSection::listed(
        texts.get("digest", "waiting"),
        lines,
        LINES,
        texts,
    ))
}
