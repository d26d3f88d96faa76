//! Which partner × domain rows a period has.
//!
//! Duty: a row exists when the period has a fact, an event, a part due or overdue, or an active certification. A
//! certification in a domain that spans others covers those and has no row of its own. Not its duty: what the row
//! says.

use std::collections::BTreeSet;

use super::facts::{Answers, Certification, Facts, PartnerPeriod};
use super::key_events::KeyEvents;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Date, Finding, Findings, Period, Place};

/// The domains of a partner in a period, and a finding for facts that can have no row.
pub fn domains(facts: &Facts, events: &KeyEvents, at: &PartnerPeriod, findings: &mut Findings) -> BTreeSet<DomainId> {
    let mut domains = found(facts, &at.partner, at.period);
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

/// The domains in which a partner has facts of a period.
fn found(facts: &Facts, partner: &PartnerId, period: Period) -> BTreeSet<DomainId> {
    let any = |counts: &[i64]| counts.iter().any(|n| *n > 0);
    let mut found = BTreeSet::new();
    let mut note = |domain: &DomainId, of: Period, there: bool| {
        if there && of == period && !found.contains(domain) {
            found.insert(domain.clone());
        }
    };
    for (domain, of, rows) in facts.satisfaction.of(partner) {
        let answered = |r: &Answers| any(&[r.answers, r.vendor_fault_answers, r.zero_share_answers]);
        note(domain, of, rows.iter().any(answered));
    }
    for (domain, of, rows) in facts.quality.of(partner) {
        note(domain, of, rows.iter().any(|r| r.inspections > 0));
    }
    for (domain, of, parts) in facts.parts.of(partner) {
        note(domain, of, any(&[parts.due, parts.opening, parts.overdue]));
    }
    for (domain, of, due) in facts.due.of(partner) {
        note(domain, of, due.due > 0);
    }
    for (domain, of, rows) in facts.own.values().flat_map(|measure| measure.rows.of(partner)) {
        note(domain, of, !rows.is_empty());
    }
    for (domain, of, completed) in facts.deliveries.of(partner) {
        note(domain, of, *completed > 0);
    }
    found
}

/// Partners with facts in a period and no region in it, sorted.
pub fn without_region(facts: &Facts, period: Period) -> Vec<&PartnerId> {
    let mut partners: BTreeSet<&PartnerId> = BTreeSet::new();
    partners.extend(facts.satisfaction.partners().map(|(partner, _)| partner));
    partners.extend(facts.quality.partners().map(|(partner, _)| partner));
    partners.extend(facts.parts.partners().map(|(partner, _)| partner));
    partners.extend(facts.due.partners().map(|(partner, _)| partner));
    partners.extend(facts.deliveries.partners().map(|(partner, _)| partner));
    let own = facts.own.values().flat_map(|measure| measure.rows.partners());
    partners.extend(own.map(|(partner, _)| partner));
    partners.retain(|partner| facts.partner_in(partner, period).is_none() && !found(facts, partner, period).is_empty());
    partners.into_iter().collect()
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
