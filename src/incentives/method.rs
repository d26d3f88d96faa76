//! From a basis to an amount.
//!
//! Duty: bands, one rate, rates by stars, each as pieces that explain themselves; and what a scheme's parts ask of one
//! another. Not its duty: gates, modifiers, rounding.

use std::collections::{BTreeMap, BTreeSet};

use super::basis::Sum;
use super::target::Case;
use crate::domain::{Currency, Date, Grade, Ratio};
use crate::rules::{Band, Gate, GradeOf, Method, Modifier, Scheme};

/// A slice of the basis and the rate it earns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// `band:2`, `stars:4`, `stars:none`, `flat`.
    pub name: String,
    pub basis: Ratio,
    pub rate: Ratio,
    /// Source lines; 0 for the slices of marginal bands, which cut through lines.
    pub lines: i64,
    pub reason: Option<String>,
}

impl Piece {
    pub fn amount(&self) -> Ratio {
        &self.basis * &self.rate
    }
}

/// Whether a scheme computes domain by domain: its components name the domain of the lines.
pub(super) fn is_by_domain(scheme: &Scheme) -> bool {
    match scheme.method {
        Method::ByStars { .. } => true,
        Method::Flat { .. } => needs_domains(scheme),
        Method::Marginal { .. } | Method::Whole { .. } => false,
    }
}

fn needs_domains(scheme: &Scheme) -> bool {
    scheme.gates.iter().any(|g| matches!(g, Gate::CertifiedThroughout))
        || scheme.modifiers.iter().any(|m| {
            matches!(
                m,
                Modifier::GradeFactor {
                    of: GradeOf::Domain,
                    ..
                }
            )
        })
}

/// What cannot be computed about a scheme, each with the place that declares it.
pub(super) fn check(scheme: &Scheme) -> Vec<String> {
    let mut problems = Vec::new();
    let mut problem = |text: &str| problems.push(format!("{}: scheme {}: {text}", scheme.origin, scheme.id));
    if let Method::Marginal { bands, by_currency } | Method::Whole { bands, by_currency } = &scheme.method {
        for bands in std::iter::once(bands).chain(by_currency.values()) {
            let ascend = bands.windows(2).all(|pair| pair[0].from < pair[1].from);
            if !bands.first().is_some_and(|b| b.from.is_zero()) || !ascend {
                problem("its bands must begin at 0 and ascend");
            }
        }
        if needs_domains(scheme) {
            problem(
                "bands join all domains, so that neither the gate on a domain's certification nor the grade factor \
                 of a domain can apply; take the method flat or by_stars, or the grade of the card",
            );
        }
    }
    for modifier in &scheme.modifiers {
        match modifier {
            Modifier::Cap { amount, by_currency } => {
                if std::iter::once(amount)
                    .chain(by_currency.values())
                    .any(Ratio::is_negative)
                {
                    problem("its cap is below zero");
                }
            }
            Modifier::GradeFactor { factors, .. } => {
                for grade in Grade::ALL.iter().filter(|g| !factors.contains_key(g)) {
                    problem(&format!("it has no grade factor for {grade}"));
                }
            }
        }
    }
    problems
}

/// The pieces of one group: all lines, or those of one domain. `by_date` are its sums by date of the scheme;
/// `certified_by` the domain whose certification counts, where a gate decided on one.
pub(super) fn pieces(
    case: &Case<'_>,
    domain: &str,
    by_date: &BTreeMap<Date, Sum>,
    certified_by: Option<&str>,
) -> Result<Vec<Piece>, String> {
    let total = Sum::total(by_date.values());
    Ok(match &case.scheme.method {
        Method::Marginal { bands, by_currency } => marginal(bands_of(bands, by_currency, case.currency), &total.amount),
        Method::Whole { bands, by_currency } => {
            let bands = bands_of(bands, by_currency, case.currency);
            let index = reached(bands, &total.amount);
            bands
                .get(index)
                .map(|band| whole(index, band, total))
                .into_iter()
                .collect()
        }
        Method::Flat { rate } => vec![Piece {
            name: "flat".to_owned(),
            basis: total.amount,
            rate: rate.share().clone(),
            lines: total.lines,
            reason: None,
        }],
        Method::ByStars { .. } => by_stars(case, domain, by_date, certified_by)?,
    })
}

fn bands_of<'b>(bands: &'b [Band], by_currency: &'b BTreeMap<String, Vec<Band>>, currency: Currency) -> &'b [Band] {
    by_currency.get(currency.code()).map_or(bands, Vec::as_slice)
}

/// The band that holds an amount: the last one that begins at or below it, the first one for a negative amount.
fn reached(bands: &[Band], amount: &Ratio) -> usize {
    bands.iter().rposition(|b| b.from <= *amount).unwrap_or(0)
}

fn whole(index: usize, band: &Band, total: Sum) -> Piece {
    Piece {
        name: format!("band:{}", index + 1),
        basis: total.amount,
        rate: band.rate.share().clone(),
        lines: total.lines,
        reason: None,
    }
}

/// Each band with its own slice; all of a negative amount lies in the first.
fn marginal(bands: &[Band], amount: &Ratio) -> Vec<Piece> {
    let slice = |index: usize, band: &Band| {
        if amount.is_negative() {
            return if index == 0 { amount.clone() } else { Ratio::zero() };
        }
        let end = bands.get(index + 1).map_or(amount, |next| amount.min(&next.from));
        if *end > band.from {
            end - &band.from
        } else {
            Ratio::zero()
        }
    };
    let pieces = bands.iter().enumerate().map(|(index, band)| Piece {
        name: format!("band:{}", index + 1),
        basis: slice(index, band),
        rate: band.rate.share().clone(),
        lines: 0,
        reason: None,
    });
    pieces.filter(|piece| !piece.basis.is_zero()).collect()
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
        group.add(&sum.amount, sum.lines);
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
            name,
            basis: sum.amount,
            rate,
            lines: sum.lines,
            reason,
        })
    };
    by_stars.into_iter().map(piece).collect()
}
