//! All inputs, typed and indexed.
//!
//! Duty: read every table once. Not its duty: deciding anything.

use std::collections::BTreeMap;

use super::certifications::Certifications;
use super::fx::Rates;
use super::grades::Grades;
use super::lines::{self, Line};
use super::partners::Partners;
use super::{Freeze, IncentiveError, Inputs};
use crate::domain::{Date, Findings, PeriodKind};

#[derive(Clone, Debug)]
pub(super) struct Facts<'a> {
    /// By partner.
    pub lines: BTreeMap<&'a str, Vec<Line<'a>>>,
    pub partners: Partners<'a>,
    pub certifications: Certifications<'a>,
    pub rates: Rates<'a>,
    pub grades: Grades<'a>,
    pub evaluation_period: PeriodKind,
    pub findings: Findings,
    freezes: BTreeMap<&'a str, Vec<&'a Freeze>>,
}

impl<'a> Facts<'a> {
    pub fn read(inputs: &Inputs<'a>, evaluation_period: PeriodKind) -> Result<Facts<'a>, IncentiveError> {
        let mut findings = Vec::new();
        let mut freezes: BTreeMap<&str, Vec<&Freeze>> = BTreeMap::new();
        for freeze in inputs.freezes {
            freezes.entry(freeze.partner.as_str()).or_default().push(freeze);
        }
        Ok(Facts {
            lines: lines::read(inputs.sales)?,
            partners: Partners::read(inputs.partners, &mut findings)?,
            certifications: Certifications::read(inputs.certifications, inputs.domains, &mut findings)?,
            rates: Rates::read(inputs.fx_rates, &mut findings)?,
            grades: Grades::read(inputs.grades),
            evaluation_period,
            freezes,
            findings,
        })
    }

    /// Whether a line that a partner ordered on a day is frozen.
    pub fn is_frozen(&self, partner: &str, ordered_on: Date) -> bool {
        let freezes = self.freezes.get(partner).map_or(&[][..], Vec::as_slice);
        freezes.iter().any(|f| f.from <= ordered_on && ordered_on < f.until)
    }
}
