//! What lies ahead of a partner, and behind it: certification, next steps, the next star, the trend.
//!
//! Duty: these values from the output tables, read through the frame's reader, so that they are one partner's and go
//! into its hash. Not its duty: computing an effect or a criterion (the evaluation did), words.

use std::collections::BTreeMap;

use crate::domain::time::{add_days, sub_days};
use crate::domain::{Date, Dec, Grade, Period, RowRef, TableError};

use super::inputs::{PublishingError, PublishingInputs};
use super::reader::{Names, Reader};

/// A certificate that ends within so many days after the period is told of.
pub const LAPSE_DAYS: u32 = 90;

/// Periods of the trend, this one included.
const TREND: usize = 8;

/// In the column `domain` of `score_changes`: the partner's card.
const CARD: &str = "*";

#[derive(Clone, Debug, Default)]
pub struct Ahead {
    /// Certifications on the last day of the period, by domain.
    pub stars: Vec<Stars>,
    pub next_review_on: Option<Date>,
    /// Parts of the card's change; they add up to it.
    pub changes: Vec<ChangePart>,
    /// Parts of the change of each domain, by domain id.
    pub domain_changes: BTreeMap<String, Vec<ChangePart>>,
    /// Best first.
    pub steps: Vec<NextStep>,
    /// Last day of the next period.
    pub steps_until: Option<Date>,
    pub lapses: Vec<Lapse>,
    /// By domain.
    pub gaps: Vec<StarGap>,
    /// Oldest first; the last is the period itself.
    pub trend: Vec<TrendPoint>,
}

#[derive(Clone, Debug)]
pub struct Stars {
    pub domain: String,
    pub stars: i64,
    /// `active`, `suspended`, `revoked`, `expired`.
    pub status: String,
    pub last_on: Option<Date>,
    /// A decision of the review after the period, and from when it holds.
    pub decided: Option<(String, Date)>,
}

#[derive(Clone, Debug)]
pub struct ChangePart {
    /// `rules`, `late_facts`, `value:…`, `weight:…`, `events`, `clamp`.
    pub part: String,
    /// Name of the domain, where the part is one's.
    pub domain: Option<String>,
    pub points: Dec,
}

#[derive(Clone, Debug)]
pub struct NextStep {
    pub domain: String,
    pub step: String,
    pub quantity: i64,
    /// Points of the card.
    pub points: Option<Dec>,
    pub domain_points: Option<Dec>,
    /// Grade of the card with it.
    pub grade: Option<Grade>,
}

/// Something that ends soon after the period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lapse {
    Certification {
        domain: String,
        on: Date,
    },
    Engineers {
        domain: String,
        certificates: i64,
        first_on: Date,
        until: Date,
    },
}

#[derive(Clone, Debug)]
pub struct StarGap {
    pub domain: String,
    pub stars: i64,
    pub criteria: Vec<Criterion>,
}

#[derive(Clone, Debug)]
pub struct Criterion {
    /// Of the star itself, and not of an upgrade.
    pub is_star: bool,
    pub name: String,
    pub needed: String,
    pub found: String,
    /// `met`, `unmet`, `unknown`.
    pub state: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrendPoint {
    pub period: Period,
    pub score: Option<Dec>,
    pub grade: Option<Grade>,
}

impl Ahead {
    pub(super) fn read(
        reader: &mut Reader<'_>,
        inputs: &PublishingInputs<'_>,
        names: &Names,
        last_on: Date,
        (next_ends_on, next_review_on): (Date, Option<Date>),
    ) -> Result<Ahead, PublishingError> {
        let (changes, domain_changes) = changes(reader, inputs, names)?;
        let reviews = reader.of_period(&inputs.reviews, &REVIEW)?;
        let mut held = BTreeMap::new();
        let mut decisions = BTreeMap::new();
        for row in reviews.iter() {
            held.insert(row.text("domain")?.to_owned(), row.int("stars")?);
            if let (Some(decision), Some(on)) = (row.opt_text("decision")?, row.opt_date("effective_on")?) {
                decisions.insert(row.text("domain")?.to_owned(), (decision.to_owned(), on));
            }
        }
        let shown = |date: Option<Date>| date.map_or_else(String::new, |d| d.to_string());
        reader.note(&shown(next_review_on));
        Ok(Ahead {
            stars: stars(reader, inputs, names, last_on, &decisions)?,
            next_review_on,
            changes,
            domain_changes,
            steps: steps(reader, inputs, names)?,
            steps_until: Some(next_ends_on),
            lapses: lapses(reader, inputs, names, last_on)?,
            gaps: gaps(reader, inputs, names, &held)?,
            trend: trend(reader, inputs)?,
        })
    }
}

const REVIEW: [&str; 5] = ["partner_id", "domain", "stars", "decision", "effective_on"];
const CERTIFICATION: [&str; 6] = ["partner_id", "domain", "valid_from", "valid_to", "stars", "status"];
const CHANGE: [&str; 4] = ["partner_id", "domain", "part", "points"];
const STEP: [&str; 8] = [
    "partner_id",
    "position",
    "domain",
    "step",
    "quantity",
    "points",
    "domain_points",
    "grade",
];
const ENGINEER: [&str; 5] = ["partner_id", "domain", "engineer_id", "certificate_code", "expires_on"];
const CRITERION: [&str; 8] = [
    "partner_id",
    "domain",
    "position",
    "group_name",
    "criterion",
    "needed",
    "found",
    "state",
];
const TREND_COLUMNS: [&str; 4] = ["partner_id", "period", "final", "grade"];

/// Parts of the card, and by domain those of each.
type Changes = (Vec<ChangePart>, BTreeMap<String, Vec<ChangePart>>);

fn changes(reader: &mut Reader<'_>, inputs: &PublishingInputs<'_>, names: &Names) -> Result<Changes, PublishingError> {
    let rows = reader.of_period(&inputs.score_changes, &CHANGE)?;
    let mut card = Vec::new();
    let mut by_domain: BTreeMap<String, Vec<ChangePart>> = BTreeMap::new();
    for row in rows.iter() {
        let (domain, part) = (row.text("domain")?, row.text("part")?.to_owned());
        let of_card = domain == CARD;
        let change = ChangePart {
            // of a card a value or a weight is a domain's, of a domain a metric's
            domain: part.split_once(':').filter(|_| of_card).map(|(_, id)| names.of(id)),
            points: row.dec("points")?,
            part,
        };
        if of_card {
            card.push(change);
        } else {
            by_domain.entry(domain.to_owned()).or_default().push(change);
        }
    }
    for parts in std::iter::once(&mut card).chain(by_domain.values_mut()) {
        let size = |c: &ChangePart| std::cmp::Reverse(c.points.ratio().abs());
        parts.sort_by(|a, b| (size(a), &a.part).cmp(&(size(b), &b.part)));
    }
    Ok((card, by_domain))
}

fn stars(
    reader: &mut Reader<'_>,
    inputs: &PublishingInputs<'_>,
    names: &Names,
    last_on: Date,
    decisions: &BTreeMap<String, (String, Date)>,
) -> Result<Vec<Stars>, PublishingError> {
    let rows = reader.rows(&inputs.certifications, &CERTIFICATION, |row| holds_on(row, last_on))?;
    let read = |row: RowRef<'_>| -> Result<Stars, TableError> {
        let domain = row.text("domain")?;
        Ok(Stars {
            domain: names.of(domain),
            stars: row.int("stars")?,
            status: row.text("status")?.to_owned(),
            last_on: row.opt_date("valid_to")?.map(|end| sub_days(end, 1)),
            decided: decisions.get(domain).cloned(),
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

fn holds_on(row: RowRef<'_>, day: Date) -> Result<bool, TableError> {
    Ok(row.date("valid_from")? <= day && row.opt_date("valid_to")?.is_none_or(|end| day < end))
}

fn steps(
    reader: &mut Reader<'_>,
    inputs: &PublishingInputs<'_>,
    names: &Names,
) -> Result<Vec<NextStep>, PublishingError> {
    let rows = reader.of_period(&inputs.next_steps, &STEP)?;
    let read = |row: RowRef<'_>| -> Result<NextStep, TableError> {
        Ok(NextStep {
            domain: names.of(row.text("domain")?),
            step: row.text("step")?.to_owned(),
            quantity: row.int("quantity")?,
            points: row.opt_dec("points")?,
            domain_points: row.opt_dec("domain_points")?,
            grade: row.opt_text("grade")?.and_then(Grade::parse),
        })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

/// Certifications that end without a next one, and certificates of engineers, within [`LAPSE_DAYS`] after the period.
fn lapses(
    reader: &mut Reader<'_>,
    inputs: &PublishingInputs<'_>,
    names: &Names,
    last_on: Date,
) -> Result<Vec<Lapse>, PublishingError> {
    let horizon = add_days(last_on, LAPSE_DAYS);
    // the first day without it
    let soon = move |end: Date| last_on < end && end <= horizon;
    let later = reader.rows(&inputs.certifications, &CERTIFICATION, |row| {
        Ok(row.opt_date("valid_to")?.is_some_and(soon) || row.date("valid_from")? > last_on)
    })?;
    let mut lapses = Vec::new();
    for row in later.iter() {
        let Some(end) = row.opt_date("valid_to")?.filter(|end| soon(*end)) else {
            continue;
        };
        let domain = row.text("domain")?;
        let mut renewed = false;
        for next in later.iter() {
            renewed |= next.text("domain")? == domain && next.date("valid_from")? == end;
        }
        if row.text("status")? == "active" && !renewed {
            let domain = names.of(domain);
            lapses.push(Lapse::Certification {
                domain,
                on: sub_days(end, 1),
            });
        }
    }
    let engineers = reader.rows(&inputs.engineers, &ENGINEER, |row| {
        let revoked = row.opt_date("revoked_on")?.is_some_and(|on| on <= last_on);
        Ok(!revoked && row.opt_date("expires_on")?.is_some_and(soon))
    })?;
    let mut by_domain: BTreeMap<String, (i64, Date)> = BTreeMap::new();
    for row in engineers.iter() {
        if let Some(end) = row.opt_date("expires_on")? {
            let of = by_domain.entry(names.of(row.text("domain")?)).or_insert((0, end));
            *of = (of.0 + 1, of.1.min(end));
        }
    }
    lapses.extend(
        by_domain
            .into_iter()
            .map(|(domain, (certificates, end))| Lapse::Engineers {
                domain,
                certificates,
                first_on: sub_days(end, 1),
                until: sub_days(horizon, 1),
            }),
    );
    lapses.sort();
    Ok(lapses)
}

fn gaps(
    reader: &mut Reader<'_>,
    inputs: &PublishingInputs<'_>,
    names: &Names,
    held: &BTreeMap<String, i64>,
) -> Result<Vec<StarGap>, PublishingError> {
    let period = reader.period.to_string();
    let rows = reader.rows(&inputs.review_criteria, &CRITERION, |row| {
        Ok(row.text("period")? == period && matches!(row.text("group_name")?, "next_star" | "upgrade"))
    })?;
    let mut gaps: BTreeMap<String, StarGap> = BTreeMap::new();
    for row in rows.iter() {
        let domain = row.text("domain")?;
        let Some(stars) = held.get(domain) else { continue };
        let gap = gaps.entry(domain.to_owned()).or_insert_with(|| StarGap {
            domain: names.of(domain),
            stars: *stars,
            criteria: Vec::new(),
        });
        let criterion = row.text("criterion")?;
        // the criteria of the star stand one by one
        if criterion != "next_star_criteria" {
            gap.criteria.push(Criterion {
                is_star: row.text("group_name")? == "next_star",
                name: criterion.to_owned(),
                needed: row.text("needed")?.to_owned(),
                found: row.text("found")?.to_owned(),
                state: row.text("state")?.to_owned(),
            });
        }
    }
    let mut gaps: Vec<StarGap> = gaps.into_values().filter(|g| !g.criteria.is_empty()).collect();
    gaps.sort_by(|a, b| a.domain.cmp(&b.domain));
    Ok(gaps)
}

/// The card's scores of the last periods up to this one.
fn trend(reader: &mut Reader<'_>, inputs: &PublishingInputs<'_>) -> Result<Vec<TrendPoint>, PublishingError> {
    let now = reader.period;
    let first = now.plus(1 - i64::try_from(TREND).unwrap_or(1));
    let rows = reader.rows(&inputs.partner_scores, &TREND_COLUMNS, |row| {
        Ok(Period::parse(row.text("period")?).is_ok_and(|p| p.kind() == now.kind() && first <= p && p <= now))
    })?;
    let mut points = Vec::new();
    for row in rows.iter() {
        if let Ok(period) = Period::parse(row.text("period")?) {
            points.push(TrendPoint {
                period,
                score: row.opt_dec("final")?,
                grade: row.opt_text("grade")?.and_then(Grade::parse),
            });
        }
    }
    points.sort_by_key(|p| p.period);
    Ok(points)
}
