//! What more sales or a better grade would have earned.
//!
//! Duty: from a scheme's terms and the figures of its line, the distance to the next band and what the next grade would
//! have been worth before caps, exactly. Not its duty: what was earned (the incentives did), anything about schemes whose
//! band does not follow from the basis shown.

use std::collections::BTreeMap;

use super::money::SchemeLine;
use crate::domain::money::MoneyError;
use crate::domain::{Currency, Grade, Money, Ratio, Rounding};
use crate::rules::{Band, BasisAmount, ByCurrency, GradeOf, Method, Modifier, Scheme};

/// What a scorecard says of a scheme beside its amounts.
#[derive(Clone, Debug, Default)]
pub struct SchemeTerms {
    pub title: String,
    bands: Option<ByCurrency<Vec<Band>>>,
    /// Factors of the card's grade.
    factors: Option<BTreeMap<Grade, Ratio>>,
}

/// The band above the one reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextBand {
    pub missing: Money,
    /// Basis at which it begins.
    pub from: Money,
    /// A share of one.
    pub rate: Ratio,
}

impl SchemeTerms {
    #[must_use]
    pub fn of(scheme: &Scheme) -> SchemeTerms {
        // only where what pays in the earning period decides as well
        let plain = scheme.amount != BasisAmount::Quantity
            && scheme.decision.on == scheme.amount
            && !scheme.decision.year_to_date
            && scheme.cumulative_over.is_none();
        let bands = match &scheme.method {
            Method::Marginal { bands, .. } | Method::Whole { bands, .. } if plain => Some(bands.clone()),
            _ => None,
        };
        let factors = scheme.modifiers.iter().find_map(|m| match m {
            Modifier::GradeFactor {
                of: GradeOf::Card,
                factors,
                ..
            } => Some(factors.clone()),
            _ => None,
        });
        SchemeTerms {
            title: scheme.title.clone(),
            bands,
            factors,
        }
    }

    /// Terms of a title alone, and bands if there are any.
    #[cfg(test)]
    pub fn sample(title: &str, bands: &[(i64, i64)], factors: &[(Grade, i64)]) -> SchemeTerms {
        let percent = |n: i64| Ratio::new(n, 100).unwrap();
        let bands: Vec<Band> = bands
            .iter()
            .map(|(from, rate)| Band {
                from: Ratio::int(*from),
                rate: percent(*rate),
                fixed: Ratio::zero(),
            })
            .collect();
        SchemeTerms {
            title: title.to_owned(),
            bands: (!bands.is_empty()).then(|| ByCurrency {
                default: bands,
                by_currency: BTreeMap::new(),
            }),
            factors: (!factors.is_empty()).then(|| factors.iter().map(|(g, n)| (*g, percent(*n))).collect()),
        }
    }

    /// The next band from a basis; none above the last, and none where the basis does not decide.
    pub(super) fn next_band(&self, basis: &Ratio, currency: Currency) -> Result<Option<NextBand>, MoneyError> {
        let Some(bands) = &self.bands else { return Ok(None) };
        let Some(band) = bands.of(currency.code()).iter().find(|band| band.from > *basis) else {
            return Ok(None);
        };
        let missing = &band.from - basis;
        Ok(Some(NextBand {
            missing: Money::rounded(&missing, currency, Rounding::Up)?,
            from: Money::rounded(&band.from, currency, Rounding::HalfAwayFromZero)?,
            rate: band.rate.clone(),
        }))
    }

    /// What a better grade of the card would have added, before whatever follows the factor.
    pub(super) fn worth(&self, line: &SchemeLine, better: Grade) -> Result<Option<Money>, MoneyError> {
        let Some(factor) = self.factors.as_ref().and_then(|f| f.get(&better)) else {
            return Ok(None);
        };
        let mut more = Ratio::zero();
        for part in line.parts.iter().filter(|p| p.component == "modifier:grade_factor") {
            if let Some(now) = part.factor {
                more = &more + &(&part.exact_basis * &(factor - &now.ratio()));
            }
        }
        let more = Money::rounded(&more, line.currency, Rounding::HalfAwayFromZero)?;
        Ok(Some(more).filter(|m| !m.is_zero() && !m.is_negative()))
    }
}
