//! Which partner × domain rows a period has.
//!
//! Duty: a row exists when the period has a fact, an event, a part due or overdue, or an active certification. A
//! certification in a domain that spans others covers those and has no row of its own. Not its duty: what the row
//! says.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Certification, Facts, Key, PartnerPeriod};
use super::key_events::KeyEvents;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Date, Finding, Findings, Period, Place};

/// The domains of a partner in a period, and a finding for facts that can have no row.
pub fn domains(
    facts: &Facts,
    events: &KeyEvents,
    at: &PartnerPeriod,
    found: &Found,
    findings: &mut Findings,
) -> BTreeSet<DomainId> {
    let mut domains: BTreeSet<DomainId> = found.of(&at.partner).cloned().collect();
    for spanning in domains.iter().filter(|d| facts.members.contains_key(*d)) {
        findings.push(Finding::warning(
            Place::file("domains").column(spanning.as_str()),
            "facts-of-spanning-domain",
            format!(
                "{} has facts of {spanning} in {}, which spans other domains and is not scored",
                at.partner, at.period
            ),
            "give the products one of the domains that it spans",
        ));
    }
    domains.extend(events.domains(&at.partner, at.period).cloned());
    domains.extend(certified(facts, at));
    domains.retain(|d| !facts.members.contains_key(d));
    domains
}

/// Domains with facts in one period, by partner.
#[derive(Clone, Debug, Default)]
pub struct Found(BTreeMap<PartnerId, BTreeSet<DomainId>>);

impl Found {
    /// Goes through all measures once for a period.
    #[must_use]
    pub fn read(facts: &Facts, period: Period) -> Found {
        let mut found = Found::default();
        let any = |counts: &[i64]| counts.iter().any(|n| *n > 0);
        for (key, rows) in &facts.satisfaction {
            let answered = rows
                .iter()
                .any(|r| any(&[r.answers, r.vendor_fault_answers, r.zero_share_answers]));
            found.note(key, period, answered);
        }
        for (key, rows) in &facts.quality {
            found.note(key, period, rows.iter().any(|r| r.inspections > 0));
        }
        for (key, p) in &facts.parts {
            found.note(key, period, any(&[p.due, p.opening, p.overdue]));
        }
        for (key, due) in &facts.due {
            found.note(key, period, due.due > 0);
        }
        for (key, rows) in facts.own.values().flat_map(|measure| &measure.rows) {
            found.note(key, period, !rows.is_empty());
        }
        for (key, completed) in &facts.deliveries {
            found.note(key, period, *completed > 0);
        }
        found
    }

    fn note(&mut self, key: &Key, period: Period, there: bool) {
        if there && key.2 == period {
            self.0.entry(key.0.clone()).or_default().insert(key.1.clone());
        }
    }

    fn of(&self, partner: &PartnerId) -> impl Iterator<Item = &DomainId> {
        self.0.get(partner).into_iter().flatten()
    }

    /// Partners with facts.
    pub fn partners(&self) -> impl Iterator<Item = &PartnerId> {
        self.0.keys()
    }
}

/// Domains covered by a certification that is active on a day of the period.
fn certified(facts: &Facts, at: &PartnerPeriod) -> BTreeSet<DomainId> {
    let mut covered = BTreeSet::new();
    for (domain, versions) in facts.certifications.get(&at.partner).into_iter().flatten() {
        if is_active(versions, at.first_on, at.end_on) {
            match facts.members.get(domain) {
                Some(members) => covered.extend(members.iter().cloned()),
                None => drop(covered.insert(domain.clone())),
            }
        }
    }
    covered
}

/// Whether the version that holds on some day from `first` to before `end` is active; of versions that overlap the
/// one with the latest valid_from holds.
fn is_active(versions: &[Certification], first: Date, end: Date) -> bool {
    let starts = versions.iter().flat_map(|v| [v.valid_from, v.valid_to]);
    // what holds can change only on these days
    let days = std::iter::once(first).chain(starts.filter(|day| *day > first && *day < end));
    days.into_iter().any(|day| {
        let holding = versions
            .iter()
            .filter(|v| v.valid_from <= day && day < v.valid_to)
            .max_by_key(|v| v.valid_from);
        holding.is_some_and(|v| v.active)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_date;

    #[test]
    fn the_version_that_holds_decides() {
        let day = |t: &str| parse_date(t).unwrap();
        let version = |from: &str, to: &str, active| Certification {
            valid_from: day(from),
            valid_to: day(to),
            active,
            stars: 3,
        };
        let in_q3 = |versions: &[Certification]| is_active(versions, day("2026-07-01"), day("2026-10-01"));
        assert!(in_q3(&[version("2026-01-01", "2027-01-01", true)]));
        // valid_to is exclusive, valid_from inclusive
        assert!(!in_q3(&[version("2026-01-01", "2026-07-01", true)]));
        assert!(in_q3(&[version("2026-01-01", "2026-07-02", true)]));
        assert!(in_q3(&[version("2026-09-30", "2027-01-01", true)]));
        assert!(!in_q3(&[version("2026-10-01", "2027-01-01", true)]));
        // suspended throughout by a later version; suspended from August on
        assert!(!in_q3(&[
            version("2026-01-01", "2027-01-01", true),
            version("2026-05-01", "2026-12-01", false)
        ]));
        assert!(in_q3(&[
            version("2026-01-01", "2027-01-01", true),
            version("2026-08-01", "2026-12-01", false)
        ]));
        // the suspension ends within the period and the older version holds again
        assert!(in_q3(&[
            version("2026-01-01", "2027-01-01", true),
            version("2026-05-01", "2026-09-01", false)
        ]));
    }
}
