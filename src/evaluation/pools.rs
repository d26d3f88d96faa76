//! The peers of one period: answers and inspections of the look-back, by region.
//!
//! Duty: add every partner's rows of the window to its region's pool, weighed by the rules of the period computed.
//! The region is the one that the partner had in the period of the row. Not its duty: choosing the group (`peers`).

use std::collections::BTreeMap;

use super::facts::Facts;
use super::fields::Read;
use super::peers::Pool;
use super::shelf::Shelf;
use super::{quality, satisfaction};
use crate::domain::ids::RegionId;
use crate::domain::{Date, Period};
use crate::rules::RuleBook;

/// The pools of a period, and the rules of its regions.
pub struct Pools<'a> {
    pub books: BTreeMap<RegionId, &'a RuleBook>,
    pub satisfaction: Pool,
    pub quality: Pool,
}

/// The first of so many periods (at least one) that end with `last`.
#[must_use]
pub fn window_start(last: Period, periods: usize) -> Period {
    last.plus(1 - i64::try_from(periods).unwrap_or(1).clamp(1, 1000))
}

impl<'a> Pools<'a> {
    /// The pools of a period; with `rules_of`, by the rules of that day instead of those of the period.
    pub fn read(facts: &Facts, shelf: Shelf<'a>, period: Period, rules_of: Option<Date>) -> Read<Pools<'a>> {
        let mut books: BTreeMap<RegionId, &RuleBook> = BTreeMap::new();
        for at in facts
            .partner_periods
            .values()
            .filter_map(|periods| periods.get(&period))
        {
            if !books.contains_key(&at.region) {
                let book = match rules_of {
                    Some(day) => shelf.book(&at.region, day)?,
                    None => shelf.of(at)?,
                };
                books.insert(at.region.clone(), book);
            }
        }
        let mut pools = Pools {
            books,
            satisfaction: Pool::default(),
            quality: Pool::default(),
        };
        for ((partner, domain, q), rows) in &facts.satisfaction {
            if let Some(book) = pools.book_of(facts.partner_in(partner, *q).map(|at| &at.region))
                && (window_start(period, book.satisfaction.look_back_periods)..=period).contains(q)
            {
                pools
                    .satisfaction
                    .add(partner, &book.region, domain, &satisfaction::weigh(book, rows)?);
            }
        }
        for ((partner, domain, q), rows) in &facts.quality {
            if let Some(book) = pools.book_of(facts.partner_in(partner, *q).map(|at| &at.region))
                && (window_start(period, book.quality.look_back_periods)..=period).contains(q)
            {
                pools
                    .quality
                    .add(partner, &book.region, domain, &quality::weigh(book, rows)?);
            }
        }
        Ok(pools)
    }

    fn book_of(&self, region: Option<&RegionId>) -> Option<&'a RuleBook> {
        self.books.get(region?).copied()
    }
}
