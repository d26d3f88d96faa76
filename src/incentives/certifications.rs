//! Certifications and the domains they cover.
//!
//! Duty: the stars of a partner's domain on a day; whether a certification was active throughout; which domain's
//! certification is the narrowest that covers a line. Not its duty: what stars are worth.

use std::collections::BTreeMap;

use crate::domain::{Date, Finding, Findings, Place, Table, TableError};

#[derive(Clone, Copy, Debug)]
struct Certification {
    from: Date,
    /// Exclusive.
    to: Date,
    stars: i64,
    active: bool,
}

/// Certifications by partner and domain; the wider domain by domain.
#[derive(Clone, Debug, Default)]
pub(super) struct Certifications<'a> {
    rows: BTreeMap<(&'a str, &'a str), Vec<Certification>>,
    member_of: BTreeMap<&'a str, &'a str>,
}

impl<'a> Certifications<'a> {
    pub fn read(
        certifications: &'a Table,
        domains: &'a Table,
        findings: &mut Findings,
    ) -> Result<Certifications<'a>, TableError> {
        let mut read = Certifications::default();
        for row in certifications.iter() {
            read.rows
                .entry((row.text("partner_id")?, row.text("domain")?))
                .or_default()
                .push(Certification {
                    from: row.date("valid_from")?,
                    to: row.opt_date("valid_to")?.unwrap_or(Date::MAX),
                    stars: row.int("stars")?,
                    // one that expired ended on valid_to: what it was before stays true
                    active: matches!(row.text("status")?, "active" | "expired"),
                });
        }
        for rows in read.rows.values_mut() {
            // latest first: of overlapping rows the one that began last wins
            rows.sort_by_key(|c| std::cmp::Reverse(c.from));
        }
        for row in domains.iter() {
            if let Some(wider) = row.opt_text("member_of")?.filter(|w| !w.is_empty()) {
                read.member_of.insert(row.text("domain")?, wider);
            }
        }
        let circular: Vec<&str> = read.member_of.keys().copied().filter(|d| read.is_circular(d)).collect();
        findings.extend(circular.into_iter().map(|domain| {
            Finding::warning(
                Place::file("domains").column("member_of"),
                "circular-domain",
                format!("domain {domain} is, over others, a member of itself"),
                "correct member_of: a domain may not lead back to itself",
            )
        }));
        Ok(read)
    }

    fn is_circular(&self, domain: &str) -> bool {
        let chain = self.covering(domain);
        chain
            .last()
            .and_then(|widest| self.member_of.get(widest))
            .is_some_and(|next| *next == domain)
    }

    /// The domain and those it is a member of, narrowest first.
    pub fn covering<'d>(&'d self, domain: &'d str) -> Vec<&'d str> {
        let mut chain = vec![domain];
        while let Some(wider) = chain.last().and_then(|d| self.member_of.get(d)) {
            if chain.contains(wider) {
                break;
            }
            chain.push(wider);
        }
        chain
    }

    /// Stars of the certification for exactly this domain that is active on a day.
    pub fn stars_on(&self, partner: &str, domain: &str, day: Date) -> Option<i64> {
        let rows = self.rows.get(&(partner, domain))?;
        rows.iter()
            .find(|c| c.from <= day && day < c.to)
            .filter(|c| c.active)
            .map(|c| c.stars)
    }

    /// The narrowest certification that covers a domain and is active on a day: its domain and stars.
    pub fn narrowest_on<'d>(&'d self, partner: &str, domain: &'d str, day: Date) -> Option<(&'d str, i64)> {
        self.covering(domain)
            .into_iter()
            .find_map(|d| self.stars_on(partner, d, day).map(|stars| (d, stars)))
    }

    /// The narrowest domain covering this one whose certification is active on every day of `[first, end)`; several
    /// in turn without a gap will do.
    pub fn narrowest_throughout<'d>(
        &'d self,
        partner: &str,
        domain: &'d str,
        first: Date,
        end: Date,
    ) -> Option<&'d str> {
        self.covering(domain)
            .into_iter()
            .find(|d| self.is_active_throughout(partner, d, first, end))
    }

    fn is_active_throughout(&self, partner: &str, domain: &str, first: Date, end: Date) -> bool {
        let Some(rows) = self.rows.get(&(partner, domain)) else {
            return false;
        };
        // the state changes only where a row begins or ends
        let changes = rows
            .iter()
            .flat_map(|c| [c.from, c.to])
            .filter(|day| first < *day && *day < end);
        std::iter::once(first)
            .chain(changes)
            .all(|day| self.stars_on(partner, domain, day).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_date;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn tables(rows: &[(&str, &str, &str, i64, &str)]) -> (Table, Table) {
        let columns = [
            "partner_id",
            "domain",
            "valid_from",
            "stars",
            "standard",
            "valid_to",
            "status",
        ];
        let mut certifications = Table::new("certifications", &columns);
        for (domain, from, to, stars, status) in rows {
            let row = [
                "P1".into(),
                (*domain).into(),
                day(from).into(),
                (*stars).into(),
                "2025".into(),
                day(to).into(),
            ];
            certifications.push(row.into_iter().chain([(*status).into()]).collect());
        }
        let mut domains = Table::new("domains", &["domain", "name", "member_of"]);
        for (domain, wider) in [("security", Some("networking")), ("networking", None), ("ups", None)] {
            domains.push(vec![domain.into(), domain.into(), wider.into()]);
        }
        (certifications, domains)
    }

    fn read(tables: &(Table, Table)) -> Certifications<'_> {
        Certifications::read(&tables.0, &tables.1, &mut Vec::new()).unwrap()
    }

    #[test]
    fn intervals_are_half_open_and_the_latest_row_wins() {
        let tables = tables(&[
            ("ups", "2026-01-01", "2026-07-01", 3, "active"),
            ("ups", "2026-04-01", "2026-05-01", 4, "active"),
            ("ups", "2026-06-01", "2026-06-11", 5, "suspended"),
        ]);
        let read = read(&tables);
        let stars = |on| read.stars_on("P1", "ups", day(on));
        assert_eq!(
            [stars("2025-12-31"), stars("2026-01-01"), stars("2026-03-31")],
            [None, Some(3), Some(3)]
        );
        assert_eq!(
            [stars("2026-04-01"), stars("2026-04-30"), stars("2026-05-01")],
            [Some(4), Some(4), Some(3)]
        );
        // a suspension that began later hides the older certification
        assert_eq!(
            [stars("2026-06-05"), stars("2026-06-11"), stars("2026-07-01")],
            [None, Some(3), None]
        );
    }

    #[test]
    fn networking_covers_its_members_and_the_narrowest_wins() {
        let tables = tables(&[
            ("networking", "2026-01-01", "2027-01-01", 3, "active"),
            ("security", "2026-04-01", "2026-07-01", 5, "active"),
        ]);
        let read = read(&tables);
        let narrowest = |domain, on| read.narrowest_on("P1", domain, day(on));
        assert_eq!(narrowest("security", "2026-03-31"), Some(("networking", 3)));
        assert_eq!(narrowest("security", "2026-04-01"), Some(("security", 5)));
        assert_eq!(narrowest("networking", "2026-04-01"), Some(("networking", 3)));
        assert_eq!(narrowest("ups", "2026-04-01"), None);
        let throughout = |first, end| read.narrowest_throughout("P1", "security", day(first), day(end));
        assert_eq!(throughout("2026-04-01", "2026-07-01"), Some("security"));
        assert_eq!(throughout("2026-04-01", "2026-07-02"), Some("networking"));
        assert_eq!(throughout("2025-12-31", "2026-07-02"), None);
    }

    #[test]
    fn several_in_turn_cover_a_period_only_without_a_gap() {
        let joined = tables(&[
            ("ups", "2026-01-01", "2026-02-15", 3, "active"),
            ("ups", "2026-02-15", "2026-04-01", 4, "active"),
        ]);
        let gap = tables(&[
            ("ups", "2026-01-01", "2026-02-15", 3, "active"),
            ("ups", "2026-02-16", "2026-04-01", 4, "active"),
        ]);
        let throughout = |t| {
            read(t)
                .narrowest_throughout("P1", "ups", day("2026-01-01"), day("2026-04-01"))
                .is_some()
        };
        assert!(throughout(&joined));
        assert!(!throughout(&gap));
    }

    #[test]
    fn a_circle_of_domains_is_reported_and_ends() {
        let (certifications, mut domains) = tables(&[]);
        domains.rows.clear();
        domains.push(vec!["a".into(), "a".into(), "b".into()]);
        domains.push(vec!["b".into(), "b".into(), "a".into()]);
        let mut findings = Vec::new();
        let read = Certifications::read(&certifications, &domains, &mut findings).unwrap();
        assert_eq!(read.covering("a"), ["a", "b"]);
        assert_eq!(findings.len(), 2);
    }
}
