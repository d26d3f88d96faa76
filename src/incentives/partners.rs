//! Versions of partners.
//!
//! Duty: region and settlement currency on a day. Not its duty: rule books.

use std::collections::BTreeMap;

use crate::domain::{Currency, Date, Finding, Findings, Place, Table, TableError};

/// A partner from `valid_from` until its next version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a> {
    pub region: &'a str,
    /// `None` when the code is not one of ISO 4217: reported when read.
    pub currency: Option<Currency>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Partners<'a>(BTreeMap<&'a str, BTreeMap<Date, Version<'a>>>);

impl<'a> Partners<'a> {
    pub fn read(table: &'a Table, findings: &mut Findings) -> Result<Partners<'a>, TableError> {
        let mut partners = Partners::default();
        for row in table.iter() {
            let (partner, from, code) = (row.text("partner_id")?, row.date("valid_from")?, row.text("currency")?);
            let currency = Currency::parse(code);
            if currency.is_none() {
                findings.push(Finding::error(
                    Place::file("partners").column("currency"),
                    "unknown-currency",
                    format!("partner {partner}, valid from {from}: '{code}' is no currency of ISO 4217, so that nothing can be earned"),
                    "deliver the version again with a code such as EUR",
                ));
            }
            let version = Version {
                region: row.text("region")?,
                currency,
            };
            partners.0.entry(partner).or_default().insert(from, version);
        }
        Ok(partners)
    }

    /// The version valid on a day: the latest that had begun.
    pub fn on(&self, partner: &str, day: Date) -> Option<Version<'a>> {
        self.0
            .get(partner)?
            .range(..=day)
            .next_back()
            .map(|(_, version)| *version)
    }
}
