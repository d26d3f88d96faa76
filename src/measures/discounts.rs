//! The calendar of discounts: what a partner's tier or stars allow on each day of the periods measured.
//!
//! Duty: tiers, certifications and rules → spans of days with the rate allowed and what allows it. Not its duty: sales.

use std::collections::{BTreeMap, BTreeSet};

use super::authorised::Held;
use super::calendar::{CalendarError, PartnerVersions, first_day_of};
use crate::domain::time::sub_days;
use crate::domain::{Date, Dec, Period, Rate, Rounding, Table, Value};
use crate::rules::Books;

/// Decimals of a discount in the feed of sales.
const PLACES: u8 = 6;

/// Stands for every domain: the discount on vendor services does not depend on it.
pub const ANY_DOMAIN: &str = "*";

/// `calendar_discounts`: spans within the periods, half-open, by partner, service model and domain. `vendor`: every day on
/// which the partner has a version, domain `*`. `collaborative`: the days on which an active certification covers the
/// domain. A region without `[discounts]` has no row.
pub fn discounts(
    partners: &Table,
    certifications: &Table,
    domains: &Table,
    periods: &[Period],
    books: &dyn Books,
) -> Result<Table, CalendarError> {
    let columns = [
        "partner_id",
        "service_model",
        "domain",
        "first_on",
        "end_on",
        "allowed_rate",
        "allowed_by",
    ];
    let mut out = Table::new("calendar_discounts", &columns);
    let held = Held::read(certifications, domains)?;
    let versions = PartnerVersions::of(partners)?;
    let mut tiers: BTreeMap<&str, BTreeMap<Date, &str>> = BTreeMap::new();
    for row in partners.iter() {
        let of = tiers.entry(row.text("partner_id")?).or_default();
        of.insert(row.date("valid_from")?, row.text("tier")?);
    }
    for period in periods {
        let (first, end) = (first_day_of(books, *period), first_day_of(books, period.next()));
        for (partner, tiers) in &tiers {
            let Some(region) = versions.region_on(partner, sub_days(end, 1)) else {
                continue;
            };
            let book = books.book(region, first).map_err(CalendarError::Rules)?;
            let Some(rules) = &book.discounts else { continue };
            let mut push = |model: &str, domain: &str, span: (Date, Date), rate: Dec, by: String| {
                out.push(vec![
                    (*partner).into(),
                    model.into(),
                    domain.into(),
                    span.0.into(),
                    span.1.into(),
                    Value::Dec(rate),
                    by.into(),
                ]);
            };
            for (span, tier) in within(tiers, first, end) {
                let rate = rate_of(rules.by_tier.get(tier))?;
                push("vendor", ANY_DOMAIN, span, rate, format!("tier {tier}"));
            }
            for domain in held.domains() {
                for (span, stars, covering) in held.stars(partner, domain, (first, end)) {
                    let rate = rate_of(rules.by_stars.get(&stars))?;
                    push(
                        "collaborative",
                        domain,
                        span,
                        rate,
                        format!("{stars} stars in {covering}"),
                    );
                }
            }
        }
    }
    out.rows.sort();
    Ok(out)
}

/// What holds on the days from `first` to before `end`, from the first that there is.
fn within<'v>(versions: &BTreeMap<Date, &'v str>, first: Date, end: Date) -> Vec<((Date, Date), &'v str)> {
    let changes: BTreeSet<Date> = versions
        .range(first..end)
        .map(|(from, _)| *from)
        .chain([first])
        .collect();
    let days: Vec<Date> = changes.into_iter().collect();
    let ends = days.iter().skip(1).copied().chain([end]);
    let mut spans: Vec<((Date, Date), &str)> = Vec::new();
    for (from, to) in days.iter().copied().zip(ends) {
        let Some((_, value)) = versions.range(..=from).next_back() else {
            continue;
        };
        match spans.last_mut() {
            Some((span, known)) if known == value && span.1 == from => span.1 = to,
            _ => spans.push(((from, to), *value)),
        }
    }
    spans
}

/// The rate as the feed writes one; nothing where the rules name none.
fn rate_of(rate: Option<&Rate>) -> Result<Dec, CalendarError> {
    let Some(rate) = rate else {
        return Ok(Dec::new(0, PLACES));
    };
    let exact = rate.share().round(PLACES, Rounding::HalfAwayFromZero);
    let exact = exact.filter(|dec| dec.ratio() == *rate.share());
    exact.ok_or_else(|| {
        CalendarError::Rules(format!(
            "discounts: {} has more than {PLACES} decimals as a share, and no sale can have it",
            rate.share()
        ))
    })
}
