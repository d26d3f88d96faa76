//! Where a partner is at home on a day: its region, and the zone in which its days begin.
//!
//! Duty: the version of a partner that is valid on a day, and the local day of an instant. Not its duty: the partner's
//! region in a period (that is a calendar's).

use std::collections::BTreeMap;

use super::fields::{Read, each};
use super::inputs::{Books, EvaluationError};
use crate::domain::ids::{PartnerId, RegionId};
use crate::domain::{Date, Instant, Period, Table, Zone};

/// Versions of partners: from which day which region.
#[derive(Clone, Debug, Default)]
pub struct Homes(BTreeMap<PartnerId, Vec<(Date, RegionId)>>);

impl Homes {
    /// From the feed `partners`.
    pub fn read(partners: &Table) -> Read<Homes> {
        let mut homes = Homes::default();
        each(partners, |row| {
            let version = (row.date("valid_from")?, row.id("region", RegionId::new)?);
            homes.0.entry(row.partner()?).or_default().push(version);
            Ok(())
        })?;
        homes.0.values_mut().for_each(|versions| versions.sort());
        Ok(homes)
    }

    pub fn partners(&self) -> impl Iterator<Item = &PartnerId> {
        self.0.keys()
    }

    /// The region of the version that is valid on a day; before the first one, that of the first.
    #[must_use]
    pub fn region_on(&self, partner: &PartnerId, day: Date) -> Option<&RegionId> {
        let versions = self.0.get(partner)?;
        let valid = versions.iter().rev().find(|(from, _)| *from <= day);
        valid.or(versions.first()).map(|(_, region)| region)
    }

    /// The zone of the partner at an instant; UTC for a partner that nobody knows.
    pub fn zone_at(&self, books: &dyn Books, partner: &PartnerId, at: Instant) -> Read<Zone> {
        let day = Zone::UTC.date_of(at);
        let Some(region) = self.region_on(partner, day) else {
            return Ok(Zone::UTC);
        };
        let programme = books.programme();
        let first =
            Period::parse(&programme.first_period).map_err(|error| EvaluationError::FirstPeriod(error.to_string()))?;
        // days before the programme follow its first rules
        let on = day.max(programme.calendar.first_day(first));
        let book = books.book(region, on).map_err(|reason| EvaluationError::Rules {
            region: region.clone(),
            on,
            reason,
        })?;
        Ok(book.zone)
    }

    /// The local day of the partner at an instant.
    pub fn day_at(&self, books: &dyn Books, partner: &PartnerId, at: Instant) -> Read<Date> {
        Ok(self.zone_at(books, partner, at)?.date_of(at))
    }
}
