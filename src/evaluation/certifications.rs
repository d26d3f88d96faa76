//! Certifications as they hold: what the feed says, with what people decided in reviews from its date on.
//!
//! Duty: versions of certifications, which of them holds on a day; decisions that change one laid over the feed. Not its
//! duty: reading decisions (`review_acts`), what is recommended (`review`).
//!
//! | a decision | becomes a version from its day to the end of the certification it changes |
//! |---|---|
//! | `upgrade`, `downgrade` | one star more, one less; below the lowest it is revoked |
//! | `suspend`, `reinstate` | suspended; active again with the stars it had |
//! | all others | none: the certification stays |
//!
//! Of versions that overlap the one that began last holds, a decision before a delivered row of the same day. So a row
//! that the feed delivers later with a later first day holds from there on, whatever was decided before.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fields::{Read, each};
use super::review_acts::{ReviewAct, Verdict};
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Date, Finding, Findings, Place, Table, Value};

/// Columns of `effective_certifications`; key: the first three.
pub const EFFECTIVE: [&str; 8] = [
    "partner_id",
    "domain",
    "valid_from",
    "stars",
    "standard",
    "valid_to",
    "status",
    "decision_id",
];

pub const LOWEST_STARS: i64 = 3;
pub const HIGHEST_STARS: i64 = 5;

/// One version of a certification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub valid_from: Date,
    /// Exclusive.
    pub valid_to: Date,
    pub stars: i64,
    pub standard: Arc<str>,
    pub status: Arc<str>,
    /// The decision that made it; none: the feed.
    pub decision_id: Option<Arc<str>>,
}

impl Version {
    /// Whether it counts; one that expired ended on valid_to: what it was before stays true.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(&*self.status, "active" | "expired")
    }
}

/// Versions by partner and domain, oldest first, none twice on a day; and which domains span others.
#[derive(Clone, Debug, Default)]
pub struct Certifications {
    pub versions: BTreeMap<PartnerId, BTreeMap<DomainId, Vec<Version>>>,
    /// Domain → the one that spans it.
    spanned_by: BTreeMap<DomainId, DomainId>,
}

impl Certifications {
    /// Reads `certifications` or `effective_certifications`, and `domains`.
    pub fn read(certifications: &Table, domains: &Table) -> Read<Certifications> {
        let mut out = Certifications::default();
        let decided = certifications.column("decision_id").is_some();
        each(certifications, |row| {
            let version = Version {
                valid_from: row.date("valid_from")?,
                valid_to: row.date("valid_to")?,
                stars: row.int("stars")?,
                standard: row.text("standard")?.into(),
                status: row.text("status")?.into(),
                decision_id: if decided {
                    row.opt_text("decision_id")?.map(Into::into)
                } else {
                    None
                },
            };
            let of_partner = out.versions.entry(row.partner()?).or_default();
            of_partner.entry(row.domain()?).or_default().push(version);
            Ok(())
        })?;
        out.versions
            .values_mut()
            .flat_map(BTreeMap::values_mut)
            .for_each(|versions| versions.sort_by_key(|v| v.valid_from));
        each(domains, |row| {
            if row.opt_text("member_of")?.is_some() {
                let span = row.id("member_of", DomainId::new)?;
                out.spanned_by.insert(row.domain()?, span);
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// Partners and domains with their versions, sorted.
    pub fn held(&self) -> impl Iterator<Item = (&PartnerId, &DomainId, &Vec<Version>)> {
        self.versions
            .iter()
            .flat_map(|(partner, domains)| domains.iter().map(move |(domain, v)| (partner, domain, v)))
    }

    /// The version that holds on a day: of those that overlap the one that began last.
    #[must_use]
    pub fn on(&self, partner: &PartnerId, domain: &DomainId, day: Date) -> Option<&Version> {
        let versions = self.versions.get(partner)?.get(domain)?;
        versions.iter().rev().find(|v| v.valid_from <= day && day < v.valid_to)
    }

    /// The domain and those that span it, narrowest first.
    #[must_use]
    pub fn covering<'a>(&'a self, domain: &'a DomainId) -> Vec<&'a DomainId> {
        let mut chain = vec![domain];
        while let Some(wider) = chain.last().and_then(|d| self.spanned_by.get(*d)) {
            if chain.contains(&wider) {
                break;
            }
            chain.push(wider);
        }
        chain
    }

    /// What a check of a domain on a day looks at: the narrowest active certification that covers it, else the
    /// narrowest that holds, else the one that ended last.
    #[must_use]
    pub fn looked_at<'a>(
        &'a self,
        partner: &PartnerId,
        domain: &'a DomainId,
        day: Date,
    ) -> Option<(&'a DomainId, &'a Version)> {
        let covering = self.covering(domain);
        let holding = || covering.iter().filter_map(|d| Some((*d, self.on(partner, d, day)?)));
        let ended = || {
            let held = self.versions.get(partner);
            let versions = move |d: &DomainId| held.and_then(|held| held.get(d)).into_iter().flatten();
            let all = covering.iter().flat_map(move |d| versions(d).map(move |v| (*d, v)));
            all.filter(|(_, v)| v.valid_to <= day).max_by_key(|(_, v)| v.valid_to)
        };
        holding()
            .find(|(_, v)| v.is_active())
            .or_else(|| holding().next())
            .or_else(ended)
    }

    /// The most stars that are active on a day, over all domains; none: no certified partner.
    #[must_use]
    pub fn highest_on(&self, partner: &PartnerId, day: Date) -> Option<i64> {
        let domains = self.versions.get(partner)?.keys();
        let held = domains.filter_map(|domain| self.on(partner, domain, day));
        held.filter(|v| v.is_active()).map(|v| v.stars).max()
    }

    /// Lays a decision over the versions; what it cannot change is a finding.
    fn apply(&mut self, act: &ReviewAct, findings: &mut Findings) {
        let mut refuse = |rule: &str, message: String, remedy: &str| {
            let place = Place::file("decisions").column(&*act.decision_id);
            findings.push(Finding::warning(place, rule, message, remedy));
        };
        let Some(held) = self.on(&act.partner, &act.domain, act.from).cloned() else {
            let message = format!(
                "{} holds no certification in {} on {}: nothing changes",
                act.partner, act.domain, act.from
            );
            let remedy = "deliver the certification, or decide on one that the partner holds";
            refuse("review.no-certification", message, remedy);
            return;
        };
        let changed = match (act.verdict, held.is_active(), &*held.status) {
            (Verdict::Upgrade, true, _) if held.stars < HIGHEST_STARS => (held.stars + 1, "active"),
            (Verdict::Downgrade, true, _) if held.stars > LOWEST_STARS => (held.stars - 1, "active"),
            (Verdict::Downgrade, true, _) => (held.stars, "revoked"),
            (Verdict::Suspend, true, _) => (held.stars, "suspended"),
            (Verdict::Reinstate, false, "suspended") => (held.stars, "active"),
            (verdict, ..) => {
                let message = format!(
                    "{} of {} in {} changes nothing: it has {} stars and is {} on {}",
                    verdict.as_str(),
                    act.partner,
                    act.domain,
                    held.stars,
                    held.status,
                    act.from
                );
                refuse("review.impossible", message, "decide what can follow from that state");
                return;
            }
        };
        let version = Version {
            valid_from: act.from,
            stars: changed.0,
            status: changed.1.into(),
            decision_id: Some(act.decision_id.clone()),
            ..held
        };
        let versions = self
            .versions
            .entry(act.partner.clone())
            .or_default()
            .entry(act.domain.clone())
            .or_default();
        versions.retain(|v| v.valid_from != act.from);
        versions.push(version);
        versions.sort_by_key(|v| v.valid_from);
    }

    fn table(&self) -> Table {
        let mut table = Table::new("effective_certifications", &EFFECTIVE);
        for (partner, domain, versions) in self.held() {
            for v in versions {
                table.push(vec![
                    partner.as_str().into(),
                    domain.as_str().into(),
                    v.valid_from.into(),
                    v.stars.into(),
                    v.standard.clone().into(),
                    v.valid_to.into(),
                    v.status.clone().into(),
                    v.decision_id.clone().map_or(Value::Null, Value::Text),
                ]);
            }
        }
        table
    }
}

/// `effective_certifications`: the feed with the decisions laid over it, in the order of the days they hold from.
pub fn effective(certifications: &Table, domains: &Table, acts: &[ReviewAct], findings: &mut Findings) -> Read<Table> {
    let mut held = Certifications::read(certifications, domains)?;
    for act in acts.iter().filter(|act| act.verdict.changes()) {
        held.apply(act, findings);
    }
    Ok(held.table())
}
