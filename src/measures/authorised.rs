//! The calendars of certification: on which days a partner is certified in a domain, and at all.
//!
//! Duty: certifications as they hold → spans that cover all time, each certified or not, by day and by instant. So a
//! statement joins exactly one span to each delivery or sale, and needs no certification that is missing. Not its duty:
//! facts; what a missing certification means.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{CalendarError, FOR_EVER, PartnerVersions, zone_of};
use crate::domain::{Date, Period, Table, TableError};
use crate::rules::Books;

/// Before any certification.
const EVER_SINCE: Date = Date::from_ymd_opt(1970, 1, 1).unwrap();

struct Version {
    from: Date,
    /// Exclusive.
    to: Date,
    active: bool,
    stars: i64,
}

/// Versions by partner and domain, oldest first; the wider domain by domain.
pub(super) struct Held<'a> {
    versions: BTreeMap<(&'a str, &'a str), Vec<Version>>,
    domains: BTreeSet<&'a str>,
    wider: BTreeMap<&'a str, &'a str>,
}

impl<'a> Held<'a> {
    pub(super) fn read(certifications: &'a Table, domains: &'a Table) -> Result<Held<'a>, TableError> {
        let mut held = Held {
            versions: BTreeMap::new(),
            domains: BTreeSet::new(),
            wider: BTreeMap::new(),
        };
        for row in certifications.iter() {
            let version = Version {
                from: row.date("valid_from")?,
                to: row.date("valid_to")?,
                // one that expired ended on valid_to: what it was before stays true
                active: matches!(row.text("status")?, "active" | "expired"),
                stars: row.int("stars")?,
            };
            held.versions
                .entry((row.text("partner_id")?, row.text("domain")?))
                .or_default()
                .push(version);
        }
        held.versions.values_mut().for_each(|v| v.sort_by_key(|v| v.from));
        for row in domains.iter() {
            held.domains.insert(row.text("domain")?);
            if let Some(wider) = row.opt_text("member_of")? {
                held.wider.insert(row.text("domain")?, wider);
            }
        }
        Ok(held)
    }

    /// The domain and those that span it; one that leads back to itself ends there.
    fn covering(&self, domain: &'a str) -> Vec<&'a str> {
        let mut chain = vec![domain];
        while let Some(wider) = chain.last().and_then(|d| self.wider.get(d)) {
            if chain.contains(wider) {
                break;
            }
            chain.push(wider);
        }
        chain
    }

    pub(super) fn domains(&self) -> impl Iterator<Item = &'a str> + use<'_, 'a> {
        self.domains.iter().copied()
    }

    /// Spans within some days in which an active certification covers a domain: the stars of the narrowest, and its
    /// domain.
    pub(super) fn stars(
        &self,
        partner: &str,
        domain: &'a str,
        (first, end): (Date, Date),
    ) -> Vec<((Date, Date), i64, &'a str)> {
        let covering = self.covering(domain);
        let lists = covering
            .iter()
            .filter_map(|d| Some((*d, self.versions.get(&(partner, *d))?)));
        let lists: Vec<(&str, &Vec<Version>)> = lists.collect();
        let days: BTreeSet<Date> = lists
            .iter()
            .flat_map(|(_, list)| list.iter().flat_map(|v| [v.from, v.to]))
            .filter(|day| first < *day && *day < end)
            .chain([first])
            .collect();
        let ends: Vec<Date> = days.iter().skip(1).copied().chain([end]).collect();
        let mut spans: Vec<((Date, Date), i64, &str)> = Vec::new();
        for (day, to) in days.into_iter().zip(ends) {
            let narrowest = lists.iter().find_map(|(domain, list)| {
                // of versions of one domain that overlap the one that began last holds
                let found = list.iter().rev().find(|v| v.from <= day && day < v.to);
                found.filter(|v| v.active).map(|v| (v.stars, *domain))
            });
            let Some((stars, domain)) = narrowest else { continue };
            match spans.last_mut() {
                Some((span, s, d)) if (*s, *d) == (stars, domain) && span.1 == day => span.1 = to,
                _ => spans.push(((day, to), stars, domain)),
            }
        }
        spans
    }

    /// Spans over all time in which a partner is certified in one of the domains, or is not: first day, end, which.
    fn spans(&self, partner: &str, domains: &[&str]) -> Vec<(Date, Date, bool)> {
        let lists: Vec<&Vec<Version>> = domains
            .iter()
            .filter_map(|d| self.versions.get(&(partner, *d)))
            .collect();
        let changes: BTreeSet<Date> = lists
            .iter()
            .flat_map(|v| v.iter().flat_map(|v| [v.from, v.to]))
            .filter(|day| EVER_SINCE < *day && *day < FOR_EVER)
            .chain([EVER_SINCE])
            .collect();
        // of versions of one domain that overlap the one that began last holds
        let holding = |list: &&Vec<Version>, day: Date| {
            let found = list.iter().rev().find(|v| v.from <= day && day < v.to);
            found.is_some_and(|v| v.active)
        };
        let mut spans: Vec<(Date, Date, bool)> = Vec::new();
        for day in changes {
            let certified = lists.iter().any(|list| holding(list, day));
            match spans.last_mut() {
                Some(last) if last.2 == certified => {}
                last => {
                    if let Some(last) = last {
                        last.1 = day;
                    }
                    spans.push((day, FOR_EVER, certified));
                }
            }
        }
        spans
    }
}

/// `calendar_certifications`: for each partner, domain and region the partner was ever in, spans of instants of that
/// region's zone (of its edition on the first day of the last period).
pub fn certifications(
    certifications: &Table,
    domains: &Table,
    partners: &Table,
    periods: &[Period],
    books: &dyn Books,
) -> Result<Table, CalendarError> {
    let columns = [
        "region",
        "partner_id",
        "domain",
        "first_on",
        "end_on",
        "starts_at",
        "ends_at",
        "certified",
    ];
    let mut out = Table::new("calendar_certifications", &columns);
    let Some(last) = periods.last() else { return Ok(out) };
    let held = Held::read(certifications, domains)?;
    for (partner, regions) in PartnerVersions::of(partners)?.regions() {
        for region in regions {
            let zone = zone_of(books, region, *last)?;
            for domain in &held.domains {
                for (first, end, certified) in held.spans(partner, &held.covering(domain)) {
                    out.push(vec![
                        region.as_str().into(),
                        partner.into(),
                        (*domain).into(),
                        first.into(),
                        end.into(),
                        zone.start_of(first).into(),
                        zone.start_of(end).into(),
                        certified.into(),
                    ]);
                }
            }
        }
    }
    out.rows.sort();
    Ok(out)
}

/// `calendar_certified_partners`: spans of days on which a partner holds any active certification, or none.
pub fn certified_partners(certifications: &Table, domains: &Table, partners: &Table) -> Result<Table, CalendarError> {
    let columns = ["partner_id", "first_on", "end_on", "certified"];
    let mut out = Table::new("calendar_certified_partners", &columns);
    let held = Held::read(certifications, domains)?;
    let mut of_partner: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (partner, domain) in held.versions.keys() {
        of_partner.entry(partner).or_default().push(domain);
    }
    for (partner, _) in PartnerVersions::of(partners)?.regions() {
        let domains = of_partner.get(partner).map_or(&[][..], Vec::as_slice);
        for (first, end, certified) in held.spans(partner, domains) {
            out.push(vec![partner.into(), first.into(), end.into(), certified.into()]);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_date;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn tables(rows: &[(&str, &str, &str, &str)]) -> (Table, Table) {
        let columns = ["partner_id", "domain", "valid_from", "valid_to", "status", "stars"];
        let mut certifications = Table::new("certifications", &columns);
        for (domain, from, to, status) in rows {
            certifications.push(vec![
                "P1".into(),
                (*domain).into(),
                day(from).into(),
                day(to).into(),
                (*status).into(),
                3_i64.into(),
            ]);
        }
        let mut domains = Table::new("domains", &["domain", "member_of"]);
        domains.push(vec!["networking".into(), crate::domain::Value::Null]);
        domains.push(vec!["wireless-lan".into(), "networking".into()]);
        (certifications, domains)
    }

    /// Spans as `first..end yes`, without the unlimited ends.
    fn spans(rows: &[(&str, &str, &str, &str)]) -> Vec<String> {
        let (certifications, domains) = tables(rows);
        let held = Held::read(&certifications, &domains).unwrap();
        let shown = |day: Date| match day {
            EVER_SINCE | FOR_EVER => String::new(),
            day => day.to_string(),
        };
        held.spans("P1", &held.covering("wireless-lan"))
            .into_iter()
            .map(|(first, end, yes)| format!("{}..{} {}", shown(first), shown(end), if yes { "yes" } else { "no" }))
            .collect()
    }

    #[test]
    fn spans_cover_all_time_without_gap_or_overlap() {
        assert_eq!(spans(&[]), [".. no"]);
        // valid_to is exclusive; a renewal without a gap is one span
        assert_eq!(
            spans(&[
                ("wireless-lan", "2025-01-01", "2026-01-01", "active"),
                ("wireless-lan", "2026-01-01", "2027-01-01", "active"),
            ]),
            ["..2025-01-01 no", "2025-01-01..2027-01-01 yes", "2027-01-01.. no"]
        );
        // a later suspension holds while it lasts, and the older version again after it
        assert_eq!(
            spans(&[
                ("wireless-lan", "2025-01-01", "2027-01-01", "active"),
                ("wireless-lan", "2026-03-01", "2026-04-01", "suspended"),
            ]),
            [
                "..2025-01-01 no",
                "2025-01-01..2026-03-01 yes",
                "2026-03-01..2026-04-01 no",
                "2026-04-01..2027-01-01 yes",
                "2027-01-01.. no"
            ]
        );
        // a certification that spans domains covers its members, also while the narrower one is suspended
        assert_eq!(
            spans(&[
                ("networking", "2025-01-01", "2027-01-01", "active"),
                ("wireless-lan", "2026-03-01", "2028-04-01", "suspended"),
            ]),
            ["..2025-01-01 no", "2025-01-01..2027-01-01 yes", "2027-01-01.. no"]
        );
    }
}
