//! Entitlements: what support and training a partner may have in a fiscal year, what it used, what is left.
//!
//! Duty: uses of a year against what the partner's level is entitled to. Not its duty: counting uses (measures);
//! refusing support (nothing here is enforced).

use std::collections::BTreeMap;

use super::certifications::Certifications;
use super::fields::{Read, each};
use super::inputs::{Books, EvaluationError};
use crate::domain::ids::{PartnerId, RegionId};
use crate::domain::time::sub_days;
use crate::domain::{Date, Period, Table};
use crate::rules::EntitlementOf;

/// Key: the first three.
pub const ENTITLEMENTS: [&str; 9] = [
    "partner_id",
    "fiscal_year",
    "entitlement",
    "source",
    "stars",
    "entitled",
    "used",
    "left",
    "over",
];

/// What entitlements rest on.
#[derive(Debug)]
pub struct Uses<'a> {
    /// `calendar_partner_years`.
    pub years: &'a Table,
    /// `measures_support_used`.
    pub support: &'a Table,
    /// `measures_training_used`.
    pub training: &'a Table,
    /// `effective_certifications`.
    pub certifications: &'a Table,
    pub domains: &'a Table,
    pub today: Date,
}

/// `entitlements`: of every partner and year, by the most stars it holds, and the rules of its region, on the last day of
/// the year, or today where that comes first.
pub fn entitlements(uses: &Uses, books: &dyn Books) -> Read<Table> {
    let certifications = Certifications::read(uses.certifications, uses.domains)?;
    let mut used: BTreeMap<(EntitlementOf, PartnerId, i64, String), i64> = BTreeMap::new();
    for (of, table) in [
        (EntitlementOf::Support, uses.support),
        (EntitlementOf::Training, uses.training),
    ] {
        each(table, |row| {
            let key = (
                of,
                row.partner()?,
                row.int("fiscal_year")?,
                row.text("type")?.to_owned(),
            );
            let sum = used.entry(key).or_default();
            *sum = sum.saturating_add(row.count("used")?);
            Ok(())
        })?;
    }
    let programme = books.programme();
    let first =
        Period::parse(&programme.first_period).map_err(|error| EvaluationError::FirstPeriod(error.to_string()))?;
    let begins = programme.calendar.first_day(first);
    let mut table = Table::new("entitlements", &ENTITLEMENTS);
    each(uses.years, |row| {
        let (partner, year) = (row.partner()?, row.int("fiscal_year")?);
        let day = sub_days(row.date("end_on")?, 1).min(uses.today);
        let (region, on) = (row.id("region", RegionId::new)?, day.max(begins));
        let book = books.book(&region, on).map_err(|reason| EvaluationError::Rules {
            region: region.clone(),
            on,
            reason,
        })?;
        let stars = certifications.highest_on(&partner, day).unwrap_or(0);
        for entitlement in &book.entitlements {
            let entitled = entitlement.by_stars.get(&stars).copied().unwrap_or(0);
            let of_type = |kind: &String| {
                let key = (entitlement.of, partner.clone(), year, kind.clone());
                used.get(&key).copied().unwrap_or(0)
            };
            let taken: i64 = entitlement.types.iter().map(of_type).sum();
            table.push(vec![
                partner.as_str().into(),
                year.into(),
                entitlement.name.as_str().into(),
                entitlement.of.as_str().into(),
                stars.into(),
                entitled.into(),
                taken.into(),
                entitled.saturating_sub(taken).max(0).into(),
                taken.saturating_sub(entitled).max(0).into(),
            ]);
        }
        Ok(())
    })?;
    table.rows.sort();
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_date;
    use crate::evaluation::testing::{World, rows};
    use crate::rules::Entitlement;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    /// Rows of P1 in 2026 as `stars entitled used left over`, looked at on a day.
    fn of(today: &str, uses: &[(&str, i64)]) -> Vec<String> {
        let mut world = World::new(&["2026-Q3"]);
        world.book("emea").entitlements = vec![Entitlement {
            name: "reviews".to_owned(),
            of: EntitlementOf::Support,
            types: vec!["bid_review".to_owned(), "solution_review".to_owned()],
            by_stars: BTreeMap::from([(0, 1), (3, 2), (4, 4), (5, 6)]),
        }];
        let mut years = Table::new(
            "calendar_partner_years",
            &["partner_id", "fiscal_year", "region", "end_on"],
        );
        years.push(vec!["P1".into(), 2026.into(), "emea".into(), day("2027-01-01").into()]);
        let mut support = Table::new("measures_support_used", &["partner_id", "fiscal_year", "type", "used"]);
        for (kind, used) in uses {
            support.push(vec!["P1".into(), 2026.into(), (*kind).into(), (*used).into()]);
        }
        let columns = [
            "partner_id",
            "domain",
            "valid_from",
            "stars",
            "standard",
            "valid_to",
            "status",
        ];
        let mut certifications = Table::new("effective_certifications", &columns);
        for (domain, stars, to, status) in [
            ("cloud", 3, "2026-10-01", "active"),
            ("ups", 4, "2026-07-01", "active"),
            ("wlan", 5, "2028-01-01", "suspended"),
        ] {
            certifications.push(vec![
                "P1".into(),
                domain.into(),
                day("2025-01-01").into(),
                stars.into(),
                "2025".into(),
                day(to).into(),
                status.into(),
            ]);
        }
        let uses = Uses {
            years: &years,
            support: &support,
            training: &Table::new("measures_training_used", &["partner_id", "fiscal_year", "type", "used"]),
            certifications: &certifications,
            domains: &Table::new("domains", &["domain", "member_of"]),
            today: day(today),
        };
        rows(
            &entitlements(&uses, &world.library).unwrap(),
            "P1 2026 reviews",
            "stars entitled used left over",
        )
    }

    #[test]
    fn uses_of_several_types_stand_against_the_level_of_the_day() {
        let uses = [("bid_review", 2), ("solution_review", 1), ("first_node", 9)];
        assert_eq!(of("2026-06-30", &uses), ["4 | 4 | 3 | 1 | 0"]);
        // valid_to is exclusive: three stars are left, and more was used
        assert_eq!(of("2026-07-01", &uses), ["3 | 2 | 3 | 0 | 1"]);
        // a suspended certification is no level
        assert_eq!(of("2026-10-01", &uses), ["0 | 1 | 3 | 0 | 2"]);
        assert_eq!(of("2026-10-01", &[]), ["0 | 1 | 0 | 1 | 0"]);
    }
}
