//! The calendars that measures join: what rules, holidays and reference data say about days, as small tables.
//!
//! Duty: which period an instant or a day of a partner falls into, when a part received on a day is due, which domain
//! a product belonged to. With these the statements need no time zone and no business-day arithmetic. Not its duty:
//! facts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;
use thiserror::Error;

use crate::domain::ids::RegionId;
use crate::domain::time::{add_days, sub_days};
use crate::domain::{Date, Period, Table, TableError, Value, Zone};
use crate::rules::{Books, DayKind, PartsRules};

/// Days before the first period for which due dates are given: a part shipped earlier than that is long charged.
const DUE_DATES_BEFORE_DAYS: u32 = 3 * 366;

/// End of an interval that has none.
pub(super) const FOR_EVER: Date = Date::from_ymd_opt(9999, 12, 31).unwrap();

#[derive(Debug, Error)]
pub enum CalendarError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("{0}")]
    Rules(String),
}

/// The version of a partner that is valid on a day: the one with the latest `valid_from` on or before it.
pub struct PartnerVersions {
    regions: BTreeMap<String, Vec<(Date, RegionId)>>,
}

impl PartnerVersions {
    /// From the feed `partners`.
    pub fn of(partners: &Table) -> Result<PartnerVersions, CalendarError> {
        let mut regions: BTreeMap<String, Vec<(Date, RegionId)>> = BTreeMap::new();
        for row in partners.iter() {
            let region = RegionId::new(row.text("region")?).map_err(|e| CalendarError::Rules(e.to_string()))?;
            regions
                .entry(row.text("partner_id")?.to_owned())
                .or_default()
                .push((row.date("valid_from")?, region));
        }
        regions.values_mut().for_each(|v| v.sort());
        Ok(PartnerVersions { regions })
    }

    /// Partners with all regions they were ever in, sorted.
    pub fn regions(&self) -> impl Iterator<Item = (&str, BTreeSet<&RegionId>)> {
        self.regions.iter().map(|(partner, versions)| {
            let regions: BTreeSet<&RegionId> = versions.iter().map(|(_, region)| region).collect();
            (partner.as_str(), regions)
        })
    }

    #[must_use]
    pub fn region_on(&self, partner: &str, day: Date) -> Option<&RegionId> {
        self.regions
            .get(partner)?
            .iter()
            .rev()
            .find(|(from, _)| *from <= day)
            .map(|(_, region)| region)
    }
}

/// `calendar_partner_periods`: a row for each partner and period in which the partner has a version on the last day.
/// Half-open, as days and as instants of the region's zone.
pub fn partner_periods(partners: &Table, periods: &[Period], books: &dyn Books) -> Result<Table, CalendarError> {
    let mut out = Table::new(
        "calendar_partner_periods",
        &[
            "partner_id",
            "period",
            "region",
            "first_on",
            "last_on",
            "end_on",
            "starts_at",
            "ends_at",
            "long_overdue_before",
            "critical_open_before",
        ],
    );
    let versions = PartnerVersions::of(partners)?;
    for period in periods {
        let (first, end) = (first_day_of(books, *period), first_day_of(books, period.next()));
        let last = sub_days(end, 1);
        for partner in versions.regions.keys() {
            let Some(region) = versions.region_on(partner, last) else {
                continue;
            };
            let book = books.book(region, first).map_err(CalendarError::Rules)?;
            out.push(vec![
                partner.as_str().into(),
                period.to_string().into(),
                region.as_str().into(),
                first.into(),
                last.into(),
                end.into(),
                book.zone.start_of(first).into(),
                book.zone.start_of(end).into(),
                sub_days(last, book.parts.long_overdue_days).into(),
                sub_days(last, book.quality.critical_open_days).into(),
            ]);
        }
    }
    Ok(out)
}

/// `calendar_due_dates`: for each region and day, when a part received (or, without receipt, shipped) that day is due.
pub fn due_dates(holidays: &Table, periods: &[Period], books: &dyn Books) -> Result<Table, CalendarError> {
    let mut out = Table::new(
        "calendar_due_dates",
        &["region", "start_on", "due_on", "transit_due_on"],
    );
    let (Some(first), Some(last)) = (periods.first(), periods.last()) else {
        return Ok(out);
    };
    let first_day = first_day_of(books, *first);
    let end = first_day_of(books, last.next());
    let mut by_region: BTreeMap<String, BTreeSet<Date>> = BTreeMap::new();
    for row in holidays.iter() {
        by_region
            .entry(row.text("region")?.to_owned())
            .or_default()
            .insert(row.date("date")?);
    }
    let none = BTreeSet::new();
    for region in books.regions() {
        let holidays = by_region.get(region.as_str()).unwrap_or(&none);
        let mut day = sub_days(first_day, DUE_DATES_BEFORE_DAYS);
        while day < end {
            // days before the first edition follow the first edition
            let rules = &books
                .book(&region, day.max(first_day))
                .map_err(CalendarError::Rules)?
                .parts;
            let shipped = add_days(day, rules.transit_allowance_days);
            out.push(vec![
                region.as_str().into(),
                day.into(),
                due_on(day, rules, holidays).into(),
                due_on(shipped, rules, holidays).into(),
            ]);
            day = add_days(day, 1);
        }
    }
    Ok(out)
}

/// The zone of a region's edition on the first day of a period.
pub(super) fn zone_of(books: &dyn Books, region: &RegionId, period: Period) -> Result<Zone, CalendarError> {
    let book = books.book(region, first_day_of(books, period));
    Ok(book.map_err(CalendarError::Rules)?.zone)
}

pub(super) fn first_day_of(books: &dyn Books, period: Period) -> Date {
    books.programme().calendar.first_day(period)
}

fn due_on(start: Date, rules: &PartsRules, holidays: &BTreeSet<Date>) -> Date {
    match rules.due_day_kind {
        DayKind::Calendar => add_days(start, rules.due_days),
        DayKind::Business => {
            let mut day = start;
            for _ in 0..rules.due_days {
                day = add_days(day, 1);
                while day.weekday().number_from_monday() > 5 || holidays.contains(&day) {
                    day = add_days(day, 1);
                }
            }
            day
        }
    }
}

/// One version of a product with the days on which it holds.
pub(super) struct Span<'a> {
    pub product: &'a str,
    pub first_on: Date,
    /// Exclusive.
    pub end_on: Date,
    /// Domain, family, category, incentive_eligible.
    pub values: Vec<Value>,
}

/// By product and first day; a version ends where the next one begins.
pub(super) fn spans(products: &Table) -> Result<Vec<Span<'_>>, CalendarError> {
    let mut spans = Vec::new();
    for row in products.iter() {
        spans.push(Span {
            product: row.text("product_id")?,
            first_on: row.date("valid_from")?,
            end_on: row.opt_date("valid_to")?.unwrap_or(FOR_EVER),
            values: ["domain", "family", "category", "incentive_eligible"]
                .iter()
                .map(|c| row.get(c).cloned())
                .collect::<Result<_, _>>()?,
        });
    }
    spans.sort_by(|a, b| (a.product, a.first_on).cmp(&(b.product, b.first_on)));
    for i in 1..spans.len() {
        let next = spans[i].first_on;
        if spans[i - 1].product == spans[i].product && spans[i - 1].end_on > next {
            spans[i - 1].end_on = next;
        }
    }
    Ok(spans)
}

/// `calendar_product_spans`: versions of products by day; a version ends where the next one begins.
pub fn product_spans(products: &Table) -> Result<Table, CalendarError> {
    let mut out = Table::new(
        "calendar_product_spans",
        &[
            "product_id",
            "first_on",
            "end_on",
            "domain",
            "family",
            "category",
            "incentive_eligible",
        ],
    );
    for span in spans(products)? {
        let mut row = vec![span.product.into(), span.first_on.into(), span.end_on.into()];
        row.extend(span.values);
        out.push(row);
    }
    Ok(out)
}

/// `calendar_product_instants`: the same by instant, for each region's zone (that of its edition on the first day of
/// the last period).
pub fn product_instants(products: &Table, periods: &[Period], books: &dyn Books) -> Result<Table, CalendarError> {
    let mut out = Table::new(
        "calendar_product_instants",
        &[
            "region",
            "product_id",
            "first_on",
            "starts_at",
            "ends_at",
            "domain",
            "category",
        ],
    );
    let Some(last) = periods.last() else { return Ok(out) };
    let spans = spans(products)?;
    for region in books.regions() {
        let zone = zone_of(books, &region, *last)?;
        for span in &spans {
            out.push(vec![
                region.as_str().into(),
                span.product.into(),
                span.first_on.into(),
                zone.start_of(span.first_on).into(),
                zone.start_of(span.end_on).into(),
                span.values[0].clone(),
                span.values[2].clone(),
            ]);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Ratio;
    use crate::domain::time::parse_date;
    use crate::rules::{Knots, PartsMode};

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    #[test]
    fn a_product_version_ends_where_the_next_begins() {
        let columns = [
            "product_id",
            "valid_from",
            "valid_to",
            "domain",
            "family",
            "category",
            "incentive_eligible",
        ];
        let mut products = Table::new("products", &columns);
        for (from, domain) in [("2026-01-01", "cloud"), ("2020-01-01", "security")] {
            products.push(vec![
                "X".into(),
                day(from).into(),
                Value::Null,
                domain.into(),
                "F".into(),
                "B".into(),
                true.into(),
            ]);
        }
        let rows: Vec<String> = product_spans(&products)
            .unwrap()
            .rows
            .iter()
            .map(|r| format!("{} {} {}", r[1], r[2], r[3]))
            .collect();
        assert_eq!(rows, ["2020-01-01 2026-01-01 security", "2026-01-01 9999-12-31 cloud"]);
    }

    #[test]
    fn business_days_skip_weekends_and_holidays() {
        // Friday 2026-10-02 + 3 business days, Monday 5th a holiday: 6, 7, 8
        let holidays = BTreeSet::from([day("2026-10-05")]);
        let mut rules = PartsRules {
            weight: Ratio::int(25),
            mode: PartsMode::Rate,
            due_days: 3,
            due_day_kind: DayKind::Business,
            transit_allowance_days: 5,
            long_overdue_days: 90,
            long_overdue_points: Ratio::int(2),
            long_overdue_points_cap: Ratio::int(20),
            count_points_each: Ratio::int(5),
            knots: Knots(vec![]),
        };
        assert_eq!(due_on(day("2026-10-02"), &rules, &holidays), day("2026-10-08"));
        rules.due_day_kind = DayKind::Calendar;
        assert_eq!(due_on(day("2026-10-02"), &rules, &holidays), day("2026-10-05"));
    }
}
