//! The peers of one period: answers and inspections of the look-back, by region.
//!
//! Duty: add every partner's rows of the window to its region's pool, weighed by the rules of the period computed.
//! The region is the one that the partner had in the period of the row. Not its duty: choosing the group (`peers`).

use std::collections::BTreeMap;

use super::facts::Facts;
use super::fields::Read;
use super::keyed::{Keyed, OfPartner};
use super::lanes;
use super::peers::{Pool, Sums};
use super::shelf::Shelf;
use super::weighted::Weighted;
use super::{quality, satisfaction};
use crate::domain::ids::{PartnerId, RegionId};
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
        let satisfaction = |book: &RuleBook, rows: &Vec<_>| satisfaction::weigh(book, rows);
        let quality = |book: &RuleBook, rows: &Vec<_>| quality::weigh(book, rows);
        let periods = |book: &RuleBook| book.satisfaction.look_back_periods;
        let satisfaction = pool(facts, &books, period, &facts.satisfaction, periods, satisfaction)?;
        let periods = |book: &RuleBook| book.quality.look_back_periods;
        let quality = pool(facts, &books, period, &facts.quality, periods, quality)?;
        Ok(Pools {
            books,
            satisfaction,
            quality,
        })
    }
}

/// The pool of one metric, from the rows of all partners that had a region with rules.
fn pool<T: Sync>(
    facts: &Facts,
    books: &BTreeMap<RegionId, &RuleBook>,
    period: Period,
    rows: &Keyed<T>,
    look_back_periods: impl Fn(&RuleBook) -> usize + Sync,
    weigh: impl Fn(&RuleBook, &T) -> Read<Weighted> + Sync,
) -> Read<Pool> {
    let partners: Vec<(&PartnerId, &OfPartner<T>)> = rows.partners().collect();
    let own = lanes::each_of(&partners, |(partner, rows)| -> Read<(PartnerId, Sums)> {
        let mut sums = Sums::default();
        for ((domain, q), rows) in *rows {
            let region = facts.partner_in(partner, *q).map(|at| &at.region);
            let Some(book) = region.and_then(|region| books.get(region)) else {
                continue;
            };
            if (window_start(period, look_back_periods(book))..=period).contains(q) {
                sums.add(&book.region, domain, &weigh(book, rows)?);
            }
        }
        Ok(((*partner).clone(), sums))
    });
    Ok(Pool::of(own.into_iter().collect::<Read<BTreeMap<_, _>>>()?))
}
