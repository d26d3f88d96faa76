//! The calendar of fiscal years by partner.
//!
//! Duty: from the first fiscal year of the programme to the present one, the days and instants of each year in the zone
//! of the partner. Not its duty: facts; what a year is for.

use super::calendar::{CalendarError, PartnerVersions};
use crate::domain::{Date, Period, PeriodKind, Table};
use crate::rules::Books;

/// `calendar_partner_years`: a row for each partner and year in which the partner has a version on the last day, or
/// `today` where that comes first. Half-open, as days and as instants of the region's zone.
pub fn partner_years(
    partners: &Table,
    periods: &[Period],
    today: Date,
    books: &dyn Books,
) -> Result<Table, CalendarError> {
    let columns = [
        "partner_id",
        "fiscal_year",
        "region",
        "first_on",
        "end_on",
        "starts_at",
        "ends_at",
    ];
    let mut out = Table::new("calendar_partner_years", &columns);
    let calendar = books.programme().calendar;
    let Some(first_period) = periods.first() else {
        return Ok(out);
    };
    let programme_begins = calendar.first_day(*first_period);
    let year_of = |day| calendar.period_of(day, PeriodKind::Year);
    let (Some(mut year), Some(last)) = (year_of(programme_begins), year_of(today)) else {
        return Ok(out);
    };
    let versions = PartnerVersions::of(partners)?;
    while year <= last {
        let (first, end) = (calendar.first_day(year), calendar.end_day(year));
        let day = calendar.last_day(year).min(today);
        for (partner, _) in versions.regions() {
            let Some(region) = versions.region_on(partner, day) else {
                continue;
            };
            let on = first.max(programme_begins);
            let zone = books.book(region, on).map_err(CalendarError::Rules)?.zone;
            out.push(vec![
                partner.into(),
                i64::from(year.fiscal_year()).into(),
                region.as_str().into(),
                first.into(),
                end.into(),
                zone.start_of(first).into(),
                zone.start_of(end).into(),
            ]);
        }
        year = year.next();
    }
    out.rows.sort();
    Ok(out)
}
