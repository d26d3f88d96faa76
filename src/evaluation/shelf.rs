//! Which rules hold: the book of a region on the first day of a period.
//!
//! Duty: the one place that asks the rules for a book, and says which one was missing. Not its duty: editions.

use super::facts::PartnerPeriod;
use super::fields::Read;
use super::inputs::{Books, EvaluationError};
use crate::domain::ids::RegionId;
use crate::domain::{Date, Period};
use crate::rules::{ProgrammeRules, RuleBook};

/// The rules, with errors of this room.
#[derive(Clone, Copy)]
pub struct Shelf<'a>(pub &'a dyn Books);

impl<'a> Shelf<'a> {
    #[must_use]
    pub fn programme(self) -> &'a ProgrammeRules {
        self.0.programme()
    }

    /// The book of the partner's region on the first day of the period.
    pub fn of(self, at: &PartnerPeriod) -> Read<&'a RuleBook> {
        self.book(&at.region, at.first_on)
    }

    /// The book that holds for the partner in a period that may lie after the last one in which its region is known.
    pub fn of_period(self, at: &PartnerPeriod, period: Period) -> Read<&'a RuleBook> {
        if period <= at.period {
            self.of(at)
        } else {
            self.book(&at.region, self.programme().calendar.first_day(period))
        }
    }

    /// The book of a region on a day.
    pub fn book(self, region: &RegionId, on: Date) -> Read<&'a RuleBook> {
        self.0.book(region, on).map_err(|reason| EvaluationError::Rules {
            region: region.clone(),
            on,
            reason,
        })
    }
}
