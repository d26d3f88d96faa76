//! The certification review: what the program recommends for each certification, and why; a person decides.
//!
//! Duty: for each open evaluation period, the certifications held on its last day, what is known of them, the first
//! recommendation that applies, every criterion with its state, and the decision beside it. Not its duty: changing a
//! certification (`certifications` does, from a decision), scores, red lines.
//!
//! | step | from | in |
//! |---|---|---|
//! | what each period says of a certification | scores, metrics, completed deliveries | `evidence` |
//! | persons and trainings | engineers, enablement | `roster`, `criteria` |
//! | probations and their plans | decisions | `plans` |
//! | conditions, the first that holds, all criteria | the above, rules | `case`, `recommend` |
//! | rows | the above | here |

mod case;
mod evidence;
pub mod plans;
#[cfg(test)]
mod plans_tests;
mod recommend;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::case::Case;
use self::evidence::Evidence;
use self::recommend::{Recommendation, Recommended};
use super::certifications::Certifications;
use super::criteria::Roster;
use super::fields::{Read, each};
use super::inputs::{Books, EvaluationError, Freeze, Hold};
use super::lanes;
use super::review_acts::ReviewAct;
use crate::domain::ids::{DomainId, PartnerId, RegionId};
use crate::domain::{Date, Period, Ratio, Rounding, Row, Table, Value};

/// Key: the first three.
pub const REVIEWS: [&str; 19] = [
    "partner_id",
    "domain",
    "period",
    "region",
    "review_on",
    "occasion",
    "stars",
    "status",
    "recommendation",
    "recommended_stars",
    "reason_codes",
    "reason",
    "score",
    "rated_periods",
    "decision",
    "decision_id",
    "decided_by",
    "effective_on",
    "rules_hash",
];

/// Where the columns of the decision begin in a row, and how many they are.
const DECISION_AT: usize = 14;
const DECISION_COLUMNS: usize = 4;

/// Key: the first four.
pub const REVIEW_CRITERIA: [&str; 9] = [
    "partner_id",
    "domain",
    "period",
    "position",
    "group_name",
    "criterion",
    "needed",
    "found",
    "state",
];

/// What reviews rest on. Scores and metrics are those of all periods, closed ones as sealed.
#[derive(Debug)]
pub struct ReviewInputs<'a> {
    /// Periods whose reviews are computed: ended and not closed.
    pub periods: &'a [Period],
    pub scores: &'a Table,
    pub metrics: &'a Table,
    /// `measures_deliveries`.
    pub deliveries: &'a Table,
    /// `calendar_partner_periods`.
    pub partner_periods: &'a Table,
    /// `effective_certifications`.
    pub certifications: &'a Table,
    pub domains: &'a Table,
    pub engineers: &'a Table,
    pub enablement: &'a Table,
    /// Sorted.
    pub acts: &'a [ReviewAct],
    pub freezes: &'a [Freeze],
    pub holds: &'a [Hold],
    /// `reviews` of closed periods: the recommendation stays, a later decision still stands beside it.
    pub sealed: &'a Table,
}

/// The tables, each sorted by its key.
#[derive(Debug)]
pub struct Reviewed {
    /// Of all periods.
    pub reviews: Table,
    /// Of the periods computed.
    pub criteria: Table,
}

/// Reviews all certifications of the periods.
pub fn review(inputs: &ReviewInputs, books: &dyn Books) -> Read<Reviewed> {
    let certifications = Certifications::read(inputs.certifications, inputs.domains)?;
    let roster = Roster::read(inputs.engineers, inputs.enablement, inputs.domains)?;
    let evidence = Evidence::read(inputs, &roster.members)?;
    let mut regions: BTreeMap<(PartnerId, Period), RegionId> = BTreeMap::new();
    each(inputs.partner_periods, |row| {
        regions.insert((row.partner()?, row.period()?), row.id("region", RegionId::new)?);
        Ok(())
    })?;
    let mut reviews: Vec<Row> = Vec::new();
    each(inputs.sealed, |row| {
        let values = REVIEWS.iter().map(|column| Ok(row.get(column)?.clone()));
        reviews.push(values.collect::<Read<Row>>()?);
        Ok(())
    })?;
    let mut criteria = Table::new("review_criteria", &REVIEW_CRITERIA);
    let calendar = books.programme().calendar;
    let first = Period::parse(&books.programme().first_period);
    let first = first.map_err(|error| EvaluationError::FirstPeriod(error.to_string()))?;
    let known_from = calendar.first_day(first);
    let acts = Acts::of(inputs.acts);
    let red_lines = RedDays::of(inputs);
    let mut cases: Vec<Case> = Vec::new();
    for period in inputs.periods {
        let (first, last, review_on) = (
            calendar.first_day(*period),
            calendar.last_day(*period),
            calendar.end_day(*period),
        );
        for (partner, domain, _) in certifications.held() {
            let (Some(version), Some(region)) = (
                certifications.on(partner, domain, last),
                regions.get(&(partner.clone(), *period)),
            ) else {
                continue;
            };
            // nothing is reviewed of what is no certification any more
            if !matches!(&*version.status, "active" | "suspended") {
                continue;
            }
            let book = books.book(region, first).map_err(|reason| EvaluationError::Rules {
                region: region.clone(),
                on: first,
                reason,
            })?;
            cases.push(Case {
                book,
                partner,
                domain,
                period: *period,
                first_on: first,
                review_on,
                version,
                known_from,
                acts: acts.get(partner, domain),
                red_lines: red_lines.get(partner),
                roster: &roster,
                evidence: &evidence,
            });
        }
    }
    for (review, of_review) in lanes::each_of(&cases, rows_of).into_iter().flatten() {
        reviews.push(review);
        criteria.rows.extend(of_review);
    }
    reviews.sort();
    decide(&mut reviews, inputs.acts);
    let mut table = Table::new("reviews", &REVIEWS);
    table.rows = reviews;
    criteria.rows.sort();
    Ok(Reviewed {
        reviews: table,
        criteria,
    })
}

/// The review of a certification and its criteria; none between regular reviews while nothing is to change.
fn rows_of(case: &Case) -> Option<(Row, Vec<Row>)> {
    let regular = case.is_regular();
    let found = case.recommend();
    if !regular && found.recommendation == Recommendation::Keep {
        return None;
    }
    let key: [Value; 3] = [
        case.partner.as_str().into(),
        case.domain.as_str().into(),
        case.period.to_string().into(),
    ];
    Some((review_row(&key, case, regular, &found), criteria_rows(&key, &found)))
}

fn review_row(key: &[Value; 3], case: &Case, regular: bool, found: &Recommended) -> Row {
    let codes: Vec<&str> = found.reasons.iter().map(|(code, _)| *code).collect();
    let reasons: Vec<&str> = found.reasons.iter().map(|(_, reason)| reason.as_str()).collect();
    let mut row: Row = key.to_vec();
    row.extend([
        case.book.region.as_str().into(),
        case.review_on.into(),
        if regular { "regular" } else { "between" }.into(),
        case.version.stars.into(),
        case.version.status.clone().into(),
        found.recommendation.as_str().into(),
        found.stars_after.into(),
        codes.join(" ").into(),
        reasons.join("; ").into(),
        ratio(found.score.as_ref()),
        i64::try_from(found.rated_periods).unwrap_or(i64::MAX).into(),
    ]);
    row.extend(vec![Value::Null; DECISION_COLUMNS]);
    row.push(case.book.hash.into());
    row
}

fn criteria_rows(key: &[Value; 3], found: &Recommended) -> Vec<Row> {
    let rows = (1_i64..).zip(&found.criteria).map(|(position, criterion)| {
        let mut row: Row = Vec::with_capacity(REVIEW_CRITERIA.len());
        row.extend_from_slice(key);
        row.extend([
            position.into(),
            criterion.group.into(),
            criterion.name.into(),
            criterion.needed.as_str().into(),
            criterion.found.as_str().into(),
            match criterion.holds {
                Some(true) => "met",
                Some(false) => "unmet",
                None => "unknown",
            }
            .into(),
        ]);
        row
    });
    rows.collect()
}

/// To 12 decimals, half away from zero.
fn ratio(exact: Option<&Ratio>) -> Value {
    const PLACES: u8 = 12;
    exact.and_then(|r| r.round(PLACES, Rounding::HalfAwayFromZero)).into()
}

/// Review decisions by certification, each list in the order of the days they hold from.
struct Acts<'a>(BTreeMap<&'a PartnerId, BTreeMap<&'a DomainId, Vec<&'a ReviewAct>>>);

impl<'a> Acts<'a> {
    fn of(acts: &'a [ReviewAct]) -> Acts<'a> {
        let mut out: BTreeMap<&PartnerId, BTreeMap<&DomainId, Vec<&ReviewAct>>> = BTreeMap::new();
        for act in acts {
            out.entry(&act.partner)
                .or_default()
                .entry(&act.domain)
                .or_default()
                .push(act);
        }
        Acts(out)
    }

    fn get(&self, partner: &PartnerId, domain: &DomainId) -> &[&'a ReviewAct] {
        let of = self.0.get(partner).and_then(|of| of.get(domain));
        of.map_or(&[], Vec::as_slice)
    }
}

/// Days of red lines by partner: first day, end, whether black.
struct RedDays<'a>(BTreeMap<&'a PartnerId, Vec<(Date, Date, bool)>>);

impl<'a> RedDays<'a> {
    fn of(inputs: &'a ReviewInputs) -> RedDays<'a> {
        let mut out: BTreeMap<&PartnerId, Vec<(Date, Date, bool)>> = BTreeMap::new();
        for f in inputs.freezes {
            out.entry(&f.partner).or_default().push((f.from, f.until, true));
        }
        for h in inputs.holds {
            out.entry(&h.partner).or_default().push((h.from, h.until, false));
        }
        RedDays(out)
    }

    fn get(&self, partner: &PartnerId) -> &[(Date, Date, bool)] {
        self.0.get(partner).map_or(&[], Vec::as_slice)
    }
}

/// Writes the decision beside each review: the last one taken on or after its day and before the next review of the
/// same certification. `reviews` is sorted by key, so that the next one stands next.
fn decide(reviews: &mut [Row], acts: &[ReviewAct]) {
    let acts = Acts::of(acts);
    let day = |row: &Row| match &row[4] {
        Value::Date(day) => *day,
        _ => Date::MAX,
    };
    for i in 0..reviews.len() {
        let row = &reviews[i];
        let following = reviews.get(i + 1).filter(|next| next[..2] == row[..2]);
        let (review_on, next) = (day(row), following.map(day));
        let (Ok(partner), Ok(domain)) = (PartnerId::new(&row[0].to_string()), DomainId::new(&row[1].to_string()))
        else {
            continue;
        };
        let within = |act: &&&ReviewAct| {
            act.verdict.decides() && act.decided_on >= review_on && next.is_none_or(|next| act.decided_on < next)
        };
        let taken = acts.get(&partner, &domain).iter().filter(within);
        let values: [Value; DECISION_COLUMNS] =
            match taken.max_by(|a, b| (a.decided_at, &a.decision_id).cmp(&(b.decided_at, &b.decision_id))) {
                None => std::array::from_fn(|_| Value::Null),
                Some(act) => [
                    act.verdict.as_str().into(),
                    act.decision_id.clone().into(),
                    act.by.clone().into(),
                    act.from.into(),
                ],
            };
        reviews[i][DECISION_AT..DECISION_AT + DECISION_COLUMNS].clone_from_slice(&values);
    }
}
