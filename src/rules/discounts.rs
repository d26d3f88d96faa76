//! The discounts that a region allows on services.
//!
//! Duty: read `[discounts]`: by tier on vendor services, by stars on collaborative ones. Not its duty: which discount a
//! sale had (measures), what the difference amounts to (incentives).

use std::collections::BTreeMap;

use super::leaf::{Out, rate};
use super::section::Section;
use crate::domain::Rate;

/// Shares of the list amount. What is not named is allowed no discount.
#[derive(Clone, Debug, Default)]
pub struct DiscountRules {
    /// On vendor services, by the partner's tier on the day of the order.
    pub by_tier: BTreeMap<String, Rate>,
    /// On collaborative services, by the stars of the narrowest active certification that covers the product's domain on
    /// that day.
    pub by_stars: BTreeMap<i64, Rate>,
}

/// Tiers that the feed of partners knows.
pub(super) const TIERS: [&str; 5] = ["distributor", "vap", "gold", "silver", "authorized"];
const STARS: [i64; 3] = [3, 4, 5];

/// Reads `[discounts]`.
pub(super) fn read_discounts(out: &mut Out, mut s: Section<'_>) -> Option<DiscountRules> {
    let by_tier = s.section(out, "by_tier").and_then(|mut table| {
        let rates = TIERS.map(|tier| Some((tier.to_owned(), needed(out, &mut table, tier)?)));
        table.finish(out);
        rates.into_iter().collect::<Option<_>>()
    });
    let by_stars = s.section(out, "by_stars").and_then(|mut table| {
        let rates = STARS.map(|stars| Some((stars, needed(out, &mut table, &stars.to_string())?)));
        table.finish(out);
        rates.into_iter().collect::<Option<_>>()
    });
    s.finish(out);
    Some(DiscountRules {
        by_tier: by_tier?,
        by_stars: by_stars?,
    })
}

fn needed(out: &mut Out, table: &mut Section<'_>, key: &str) -> Option<Rate> {
    let item = table.need(out, key, "\"20 %\" (\"0 %\" where no discount is allowed)")?;
    rate(out, &table.at(key), item)
}
