//! Columns of the output tables into the values of a frame.
//!
//! Duty: a fixed list of columns from each table; every selection is checked to hold one partner and goes into the
//! hash as it is read. Not its duty: what is shown of it.

use std::collections::BTreeMap;

use crate::domain::hash::Hasher;
use crate::domain::ids::PartnerId;
use crate::domain::{Currency, Date, Dec, Digest, Grade, Period, Rounding, RowRef, Score, Table, TableError};
use crate::rules::GradeBands;

use super::frame::{Card, DomainResult, Event, Metric, Outcome, Partner, RedLine, ResultState};
use super::inputs::{Indexed, PublishingError, admit};

/// Reads one partner's rows; whatever it returns has gone into the hash.
pub(super) struct Reader<'a> {
    pub(super) partner: &'a PartnerId,
    pub(super) period: Period,
    hasher: Hasher,
}

const IDENTITY: [&str; 6] = [
    "partner_id",
    "valid_from",
    "legal_name",
    "region",
    "language",
    "currency",
];
const CALENDAR: [&str; 4] = ["partner_id", "period", "first_on", "last_on"];
const OUTCOME: [&str; 10] = [
    "partner_id",
    "state",
    "reason",
    "base",
    "event_points",
    "clamp",
    "final",
    "grade",
    "previous_final",
    "change",
];
const CARD: [&str; 5] = [
    "domains_rated",
    "completed_deliveries",
    "red_line_state",
    "red_line_until",
    "rules_hash",
];
const METRIC: [&str; 16] = [
    "partner_id",
    "domain",
    "metric",
    "state",
    "reason",
    "n",
    "raw",
    "interval_low",
    "interval_high",
    "peer_value",
    "peer_basis",
    "normalised",
    "nominal_weight",
    "effective_weight",
    "points",
    "note",
];
const EVENT: [&str; 11] = [
    "partner_id",
    "event_id",
    "domain",
    "code",
    "level",
    "direction",
    "red_line",
    "status",
    "points",
    "confirmed_on",
    "reason",
];

impl<'a> Reader<'a> {
    /// A reader of one partner and period. `as_of` stays out of the hash on purpose: the same data read a day later is
    /// the same scorecard; closing the period makes it a new one.
    pub(super) fn new(partner: &'a PartnerId, period: Period, closed_on: Option<Date>) -> Reader<'a> {
        let mut hasher = Hasher::new();
        let closed = closed_on.map_or_else(String::new, |d| d.to_string());
        for field in [partner.as_str(), &period.to_string(), &closed] {
            hasher.field(field.as_bytes());
        }
        Reader {
            partner,
            period,
            hasher,
        }
    }

    pub(super) fn finish(&self) -> Digest {
        self.hasher.finish()
    }

    /// The partner's rows for which `keep` holds: checked, hashed, sorted.
    pub(super) fn rows(
        &mut self,
        from: &Indexed<'_>,
        columns: &[&str],
        keep: impl Fn(RowRef<'_>) -> Result<bool, TableError>,
    ) -> Result<Table, PublishingError> {
        let selection = from.select(self.partner, columns, keep)?;
        admit(&mut self.hasher, self.partner, &selection)?;
        Ok(selection)
    }

    /// As [`Reader::rows`], but not hashed: of what is shown of them the reader takes note.
    pub(super) fn rows_to_add_up(
        &mut self,
        from: &Indexed<'_>,
        columns: &[&str],
        keep: impl Fn(RowRef<'_>) -> Result<bool, TableError>,
    ) -> Result<Table, PublishingError> {
        let selection = from.select(self.partner, columns, keep)?;
        admit(&mut Hasher::new(), self.partner, &selection)?;
        Ok(selection)
    }

    /// Adds a value of the rules that is shown to the hash.
    pub(super) fn note(&mut self, value: &str) {
        self.hasher.field(value.as_bytes());
    }

    pub(super) fn of_period(&mut self, from: &Indexed<'_>, columns: &[&str]) -> Result<Table, PublishingError> {
        let period = self.period.to_string();
        self.rows(from, columns, |row| Ok(row.text("period")? == period))
    }

    pub(super) fn calendar(&mut self, from: &Indexed<'_>) -> Result<(Date, Date), PublishingError> {
        let rows = self.of_period(from, &CALENDAR)?;
        let no_calendar = || PublishingError::NoCalendar {
            partner: self.partner.clone(),
            period: self.period,
        };
        let row = rows.iter().next().ok_or_else(no_calendar)?;
        Ok((row.date("first_on")?, row.date("last_on")?))
    }

    /// The version valid on the last day of the period; a partner that came later has its first version.
    pub(super) fn identity(&mut self, from: &Indexed<'_>, last_on: Date) -> Result<Partner, PublishingError> {
        let versions = from.select(self.partner, &IDENTITY, |_| Ok(true))?;
        let mut valid = None;
        for version in versions.iter() {
            if valid.is_none() || version.date("valid_from")? <= last_on {
                valid = Some(version);
            }
        }
        let row = valid.ok_or_else(|| PublishingError::NoPartner {
            partner: self.partner.clone(),
        })?;
        let mut shown = Table::new(versions.name(), &IDENTITY);
        shown.push(row.values().clone());
        admit(&mut self.hasher, self.partner, &shown)?;
        Ok(Partner {
            id: self.partner.clone(),
            legal_name: row.text("legal_name")?.to_owned(),
            region: row.text("region")?.to_owned(),
            language: row.text("language")?.to_owned(),
            currency: Currency::parse(row.text("currency")?).ok_or_else(|| {
                value(
                    "partners",
                    "currency",
                    row.text("currency").unwrap_or(""),
                    "a currency of ISO 4217",
                )
            })?,
        })
    }

    pub(super) fn card(&mut self, from: &Indexed<'_>, grades: &GradeBands) -> Result<Card, PublishingError> {
        let rows = self.of_period(from, &[&OUTCOME[..], &CARD[..]].concat())?;
        let no_card = || PublishingError::NoCard {
            partner: self.partner.clone(),
            period: self.period,
        };
        let row = rows.iter().next().ok_or_else(no_card)?;
        let outcome = outcome(row, "partner_scores")?;
        let red_line = match row.text("red_line_state")? {
            "none" => RedLine::None,
            "yellow" => RedLine::Yellow,
            "black" => RedLine::Black,
            found => {
                return Err(value(
                    "partner_scores",
                    "red_line_state",
                    found,
                    "none, yellow or black",
                ));
            }
        };
        let next_grade = next_grade(&outcome, grades);
        for (grade, from) in &grades.0 {
            self.hasher
                .field(grade.as_str().as_bytes())
                .field(from.to_string().as_bytes());
        }
        Ok(Card {
            next_grade,
            outcome,
            domains_rated: row.int("domains_rated")?,
            completed_deliveries: row.int("completed_deliveries")?,
            red_line,
            red_line_until: row.opt_date("red_line_until")?,
            rules_hash: row.text("rules_hash")?.to_owned(),
        })
    }

    pub(super) fn domains(&mut self, from: &Indexed<'_>, names: &Names) -> Result<Vec<DomainResult>, PublishingError> {
        let rows = self.of_period(from, &[&OUTCOME[..], &["domain", "coverage"]].concat())?;
        let read = |row: RowRef<'_>| {
            let domain = row.text("domain")?;
            Ok(DomainResult {
                domain: domain.to_owned(),
                name: names.of(domain),
                outcome: outcome(row, "scores")?,
                coverage: row.dec("coverage")?,
                metrics: Vec::new(),
            })
        };
        rows.iter().map(read).collect()
    }

    pub(super) fn metrics(&mut self, from: &Indexed<'_>, domains: &mut [DomainResult]) -> Result<(), PublishingError> {
        let rows = self.of_period(from, &METRIC)?;
        let mut by_domain: BTreeMap<&str, Vec<Metric>> = BTreeMap::new();
        for row in rows.iter() {
            by_domain.entry(row.text("domain")?).or_default().push(metric(row)?);
        }
        for domain in domains {
            domain.metrics = by_domain.remove(domain.domain.as_str()).unwrap_or_default();
            domain
                .metrics
                .sort_by_key(|m| (metric_order(&m.metric), m.metric.clone()));
        }
        Ok(())
    }

    /// Events that count in the period, and those that wait for a person.
    pub(super) fn events(&mut self, from: &Indexed<'_>, names: &Names) -> Result<Vec<Event>, PublishingError> {
        let period = self.period.to_string();
        let rows = self.rows(from, &EVENT, |row| {
            Ok(match row.opt_text("period")? {
                Some(counted_in) => counted_in == period,
                None => matches!(row.text("status")?, "candidate" | "suspended"),
            })
        })?;
        rows.iter().map(|row| Ok(event(row, names)?)).collect()
    }
}

fn outcome(row: RowRef<'_>, table: &'static str) -> Result<Outcome, PublishingError> {
    let score = |column: &'static str| -> Result<Option<Score>, PublishingError> {
        let Some(dec) = row.opt_dec(column)? else {
            return Ok(None);
        };
        Score::from_dec(dec)
            .map(Some)
            .ok_or_else(|| value(table, column, &dec.to_string(), "a score of 0 to 100"))
    };
    let state = match row.text("state")? {
        "rated" => ResultState::Rated,
        "provisional" => ResultState::Provisional,
        "not_rated" => ResultState::NotRated,
        found => return Err(value(table, "state", found, "rated, provisional or not_rated")),
    };
    let grade = match row.opt_text("grade")? {
        None => None,
        Some(text) => Some(Grade::parse(text).ok_or_else(|| value(table, "grade", text, "a grade from A to E"))?),
    };
    Ok(Outcome {
        state,
        reason: owned(row.opt_text("reason")?),
        base: row.opt_dec("base")?,
        event_points: row.dec("event_points")?,
        clamp: row.dec("clamp")?,
        score: score("final")?,
        grade,
        previous: score("previous_final")?,
        change: row.opt_dec("change")?,
    })
}

fn metric(row: RowRef<'_>) -> Result<Metric, TableError> {
    Ok(Metric {
        metric: row.text("metric")?.to_owned(),
        state: row.text("state")?.to_owned(),
        reason: owned(row.opt_text("reason")?),
        n: row.int("n")?,
        raw: row.opt_dec("raw")?,
        interval: row.opt_dec("interval_low")?.zip(row.opt_dec("interval_high")?),
        peer_value: row.opt_dec("peer_value")?,
        peer_basis: owned(row.opt_text("peer_basis")?),
        normalised: row.opt_dec("normalised")?,
        nominal_weight: row.dec("nominal_weight")?,
        effective_weight: row.dec("effective_weight")?,
        points: row.dec("points")?,
        note: owned(row.opt_text("note")?),
    })
}

fn event(row: RowRef<'_>, names: &Names) -> Result<Event, TableError> {
    let domain_id = owned(row.opt_text("domain")?);
    Ok(Event {
        event_id: row.text("event_id")?.to_owned(),
        domain: domain_id.as_deref().map(|d| names.of(d)),
        domain_id,
        code: row.text("code")?.to_owned(),
        level: row.text("level")?.to_owned(),
        direction: row.text("direction")?.to_owned(),
        red_line: row.text("red_line")?.to_owned(),
        status: row.text("status")?.to_owned(),
        points: row.dec("points")?,
        confirmed_on: row.opt_date("confirmed_on")?,
        reason: owned(row.opt_text("reason")?),
    })
}

/// The next better grade and how many points its lower edge is away; none for A, and none where there is no score or
/// the grade does not follow from it (a red line).
fn next_grade(outcome: &Outcome, grades: &GradeBands) -> Option<(Grade, Dec)> {
    let score = outcome.score?.dec().ratio();
    let at = grades.0.iter().position(|(_, from)| &score >= from)?;
    if Some(grades.0[at].0) != outcome.grade {
        return None;
    }
    let (grade, from) = &grades.0[at.checked_sub(1)?];
    Some((*grade, (from - &score).round(2, Rounding::Up)?))
}

/// The built-in ones in their order, then the programme's own by name.
fn metric_order(metric: &str) -> usize {
    crate::rules::MetricId::BUILT_IN
        .iter()
        .position(|m| m.as_str() == metric)
        .unwrap_or(usize::MAX)
}

fn owned(text: Option<&str>) -> Option<String> {
    text.filter(|t| !t.is_empty()).map(str::to_owned)
}

pub(super) fn value(table: &'static str, column: &'static str, found: &str, expected: &'static str) -> PublishingError {
    PublishingError::Value {
        table,
        column,
        found: found.to_owned(),
        expected,
    }
}

/// Names of domains by id.
#[derive(Debug)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// The name, or the id where the reference has none.
    pub(super) fn of(&self, domain: &str) -> String {
        self.0.get(domain).map_or_else(|| domain.to_owned(), Clone::clone)
    }
}

pub(super) fn domain_names(domains: &Table) -> Result<Names, TableError> {
    let mut names = BTreeMap::new();
    for row in domains.iter() {
        names.insert(row.text("domain")?.to_owned(), row.text("name")?.to_owned());
    }
    Ok(Names(names))
}
