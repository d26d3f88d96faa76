//! From a basis to an amount.
//!
//! Duty: one rate, rates by stars, bands; each as pieces that explain themselves. Not its duty: bands as such (`banding`),
//! targets, growth and fixed amounts (`goals`), gates, modifiers, rounding, what cannot be computed (`check`).

use std::collections::{BTreeMap, BTreeSet};

use super::banding::{self, Stretch};
use super::basis::Sum;
use super::goals;
use super::target::Case;
use crate::domain::{Date, Ratio};
use crate::rules::{Gate, GradeOf, Method, Modifier, Scheme};

/// A slice of the basis and what it earns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// `band:2`, `stars:4`, `stars:none`, `flat`, `fixed`.
    pub name: String,
    pub basis: Ratio,
    pub rate: Option<Ratio>,
    pub amount: Ratio,
    /// Source lines; 0 for the slices of marginal bands, which cut through lines.
    pub lines: i64,
    pub reason: Option<String>,
}

impl Piece {
    /// A basis at a rate.
    pub fn at(name: &str, basis: Ratio, rate: Ratio, lines: i64) -> Piece {
        Piece {
            name: name.to_owned(),
            amount: &basis * &rate,
            basis,
            rate: Some(rate),
            lines,
            reason: None,
        }
    }

    /// An amount that no rate makes.
    pub fn of(name: &str, amount: Ratio) -> Piece {
        Piece {
            name: name.to_owned(),
            basis: Ratio::zero(),
            rate: None,
            amount,
            lines: 0,
            reason: None,
        }
    }
}

/// What a method looks at beside the lines of its basis.
#[derive(Clone, Debug, Default)]
pub(super) struct Around<'d> {
    /// What the year to date holds before the basis begins, where that decides.
    pub before: Sum,
    /// The prior period, where growth is asked.
    pub prior: Sum,
    /// The domain whose certification counts, where a gate decided on one.
    pub certified_by: Option<&'d str>,
}

/// Whether a scheme computes domain by domain: its components name the domain of the lines.
pub(super) fn is_by_domain(scheme: &Scheme) -> bool {
    match scheme.method {
        Method::ByStars { .. } => true,
        Method::Flat { .. } => needs_domains(scheme),
        _ => false,
    }
}

pub(super) fn needs_domains(scheme: &Scheme) -> bool {
    let by_domain = |m: &Modifier| {
        matches!(
            m,
            Modifier::GradeFactor {
                of: GradeOf::Domain,
                ..
            }
        )
    };
    scheme.gates.iter().any(|g| matches!(g, Gate::CertifiedThroughout)) || scheme.modifiers.iter().any(by_domain)
}

/// The pieces of one group: all lines, or those of one domain. `by_date` are its sums by date of the scheme.
pub(super) fn pieces(
    case: &Case<'_>,
    domain: &str,
    by_date: &BTreeMap<Date, Sum>,
    around: &Around<'_>,
) -> Result<Vec<Piece>, String> {
    let total = Sum::total(by_date.values());
    let currency = case.currency.code();
    let stretch = Stretch {
        before: &around.before,
        sum: &total,
    };
    Ok(match &case.scheme.method {
        Method::Marginal { bands, edge } => banding::marginal(bands.of(currency), *edge, stretch),
        Method::Whole { bands, edge } => banding::whole(bands.of(currency), *edge, stretch),
        Method::Flat { rate } => vec![Piece::at("flat", total.amount, rate.share().clone(), total.lines)],
        Method::ByStars { .. } => by_stars(case, domain, by_date, around.certified_by)?,
        Method::PerUnit(per_unit) => goals::per_unit(per_unit, currency, &total)?,
        Method::Target(goal) => goals::target(case, goal, stretch)?,
        Method::Growth(growth) => goals::growth(growth, &around.prior, &total),
        Method::Fixed(fixed) => goals::fixed(case, fixed, &total)?,
    })
}

fn by_stars(
    case: &Case<'_>,
    domain: &str,
    by_date: &BTreeMap<Date, Sum>,
    certified_by: Option<&str>,
) -> Result<Vec<Piece>, String> {
    let Method::ByStars { rates } = &case.scheme.method else {
        return Ok(Vec::new());
    };
    let certifications = &case.facts.certifications;
    let mut by_stars: BTreeMap<Option<i64>, (Sum, BTreeSet<&str>)> = BTreeMap::new();
    for (day, sum) in by_date {
        let narrowest = match certified_by {
            Some(by) => certifications.stars_on(case.partner, by, *day).map(|stars| (by, stars)),
            None => certifications.narrowest_on(case.partner, domain, *day),
        };
        let (group, through) = by_stars.entry(narrowest.map(|(_, stars)| stars)).or_default();
        group.add(sum);
        through.extend(narrowest.map(|(by, _)| by).filter(|by| *by != domain));
    }
    let piece = |(stars, (sum, through)): (Option<i64>, (Sum, BTreeSet<&str>))| {
        let name = stars.map_or_else(|| "stars:none".to_owned(), |s| format!("stars:{s}"));
        let rate = match stars {
            None => Ratio::zero(),
            Some(stars) => rates.get(&stars).map(|r| r.share().clone()).ok_or_else(|| {
                format!(
                    "{}: scheme {}: no rate for {stars} stars",
                    case.scheme.origin, case.scheme.id
                )
            })?,
        };
        let reason = if stars.is_none() {
            Some("no active certification on the day".to_owned())
        } else if through.is_empty() {
            None
        } else {
            Some(format!(
                "certified for {}",
                through.into_iter().collect::<Vec<_>>().join(", ")
            ))
        };
        Ok(Piece {
            reason,
            ..Piece::at(&name, sum.amount, rate, sum.lines)
        })
    };
    by_stars.into_iter().map(piece).collect()
}
