//! Versions of partners.
//!
//! Duty: region, settlement currency and tier on a day. Not its duty: rule books.

use std::collections::BTreeMap;

use crate::domain::{Currency, Date, Finding, Findings, Place, Table, TableError};

/// A partner from `valid_from` until its next version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version<'a> {
    pub region: &'a str,
    /// In the sales programme.
    pub tier: &'a str,
    /// `None` when the code is not one of ISO 4217: reported when read.
    pub currency: Option<Currency>,
    pub parent: Option<&'a str>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Partners<'a> {
    versions: BTreeMap<&'a str, BTreeMap<Date, Version<'a>>>,
    /// `[joined, left)`, as far as known.
    there: BTreeMap<&'a str, (Date, Date)>,
}

impl<'a> Partners<'a> {
    pub fn read(table: &'a Table, findings: &mut Findings) -> Result<Partners<'a>, TableError> {
        let mut partners = Partners::default();
        let has = |column: &str| table.column(column).is_some();
        let (has_parent, has_joined, has_left) = (has("parent_partner_id"), has("joined_on"), has("left_on"));
        let has_tier = has("tier");
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
                tier: if has_tier {
                    row.opt_text("tier")?.unwrap_or_default()
                } else {
                    ""
                },
                currency,
                parent: if has_parent {
                    row.opt_text("parent_partner_id")?.filter(|p| !p.is_empty())
                } else {
                    None
                },
            };
            // the latest version says when the partner joined and left; without, it is there from its first version on
            let joined = if has_joined { row.opt_date("joined_on")? } else { None };
            let left = if has_left { row.opt_date("left_on")? } else { None };
            let latest = partners.versions.get(partner).and_then(|v| v.keys().next_back());
            let is_latest = latest.is_none_or(|latest| *latest < from);
            let first = partners.there.get(partner).map_or(from, |(first, _)| from.min(*first));
            let span = partners.there.entry(partner).or_insert((first, Date::MAX));
            if is_latest {
                // left_on is the last day
                *span = (
                    joined.unwrap_or(first),
                    left.and_then(|l| l.succ_opt()).unwrap_or(Date::MAX),
                );
            } else if joined.is_none() {
                span.0 = span.0.min(first);
            }
            partners.versions.entry(partner).or_default().insert(from, version);
        }
        Ok(partners)
    }

    /// The version valid on a day: the latest that had begun.
    pub fn on(&self, partner: &str, day: Date) -> Option<Version<'a>> {
        self.versions
            .get(partner)?
            .range(..=day)
            .next_back()
            .map(|(_, version)| *version)
    }

    /// Every partner, in order.
    pub fn ids(&self) -> impl Iterator<Item = &'a str> {
        self.versions.keys().copied()
    }

    /// Days of `[first, end)` on which the partner was there.
    pub fn days_there(&self, partner: &str, first: Date, end: Date) -> i64 {
        self.there.get(partner).map_or(0, |(joined, left)| {
            (end.min(*left) - first.max(*joined)).num_days().max(0)
        })
    }
}
