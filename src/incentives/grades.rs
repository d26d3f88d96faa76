//! Grades by partner, domain and evaluation period.
//!
//! Duty: the factor that a grade gives. Not its duty: how a grade comes about.

use std::collections::BTreeMap;

use super::{GradeRow, GradeState};
use crate::domain::ids::DomainId;
use crate::domain::{Grade, Period, Ratio};

#[derive(Clone, Debug, Default)]
pub(super) struct Grades<'a>(BTreeMap<(&'a str, Option<&'a str>, Period), &'a GradeRow>);

/// A factor and the grade or state that it stands for, such as `grade B`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Factor {
    pub factor: Ratio,
    pub reason: String,
}

impl<'a> Grades<'a> {
    pub fn read(rows: &'a [GradeRow]) -> Grades<'a> {
        let key = |r: &'a GradeRow| (r.partner.as_str(), r.domain.as_ref().map(DomainId::as_str), r.period);
        Grades(rows.iter().map(|row| (key(row), row)).collect())
    }

    /// What money knows of a partner's card.
    pub fn card(&self, partner: &str, period: Period) -> Option<&'a GradeRow> {
        self.0.get(&(partner, None, period)).copied()
    }

    /// The factor of a partner's card (no domain) or of its domain; the error says what is missing. A result that
    /// does not exist is not rated.
    pub fn factor(
        &self,
        (partner, domain, period): (&str, Option<&str>, Period),
        factors: &BTreeMap<Grade, Ratio>,
        not_rated: &Ratio,
        incomplete: &Ratio,
    ) -> Result<Factor, String> {
        let row = self.0.get(&(partner, domain, period));
        match row.map_or(GradeState::NotRated, |r| r.state) {
            GradeState::NotRated => Ok(Factor {
                factor: not_rated.clone(),
                reason: "not rated".to_owned(),
            }),
            GradeState::Incomplete => Ok(Factor {
                factor: incomplete.clone(),
                reason: "incomplete".to_owned(),
            }),
            GradeState::Rated | GradeState::Provisional => {
                let grade = row.and_then(|r| r.grade).ok_or_else(|| {
                    format!(
                        "partner {partner}, {}, {period}: rated without a grade",
                        domain.unwrap_or("card")
                    )
                })?;
                let factor = factors
                    .get(&grade)
                    .cloned()
                    .ok_or_else(|| format!("no grade factor for {grade}"))?;
                Ok(Factor {
                    factor,
                    reason: format!("grade {grade}"),
                })
            }
        }
    }
}
