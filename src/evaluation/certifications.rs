//! Certifications as they hold: what the feed says, with what people decided in reviews from its date on.
//!
//! Duty: read the decisions of kind `review`; lay those that change a certification over the feed. Not its duty: what
//! is recommended (`review`), which region's rules hold.
//!
//! | a decision | becomes a version from its day to the end of the certification it changes |
//! |---|---|
//! | `upgrade`, `downgrade` | one star more, one less; below the lowest it is revoked |
//! | `suspend`, `reinstate` | suspended; active again with the stars it had |
//! | all others | none: the certification stays |
//!
//! Of versions that overlap the one that began last holds, a decision before a delivered row of the same day. So a row
//! that the feed delivers later with a later first day holds from there on, whatever was decided before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fields::{Read, each};
use super::homes::Homes;
use super::inputs::Books;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Date, Finding, Findings, Instant, Place, Table, Value};

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

/// What a person decided on a certification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Keep,
    Upgrade,
    /// The upgrade that was recommended is refused.
    RefuseUpgrade,
    Probation,
    Downgrade,
    Suspend,
    Reinstate,
    /// The partner was told that it does not meet the criteria of its star.
    Notice,
    /// The improvement plan of a probation was handed in.
    PlanReceived,
    ProbationPassed,
    ProbationFailed,
}

impl Verdict {
    pub const ALL: [Verdict; 11] = [
        Verdict::Keep,
        Verdict::Upgrade,
        Verdict::RefuseUpgrade,
        Verdict::Probation,
        Verdict::Downgrade,
        Verdict::Suspend,
        Verdict::Reinstate,
        Verdict::Notice,
        Verdict::PlanReceived,
        Verdict::ProbationPassed,
        Verdict::ProbationFailed,
    ];

    /// The outcome of the decision.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Keep => "keep",
            Verdict::Upgrade => "upgrade",
            Verdict::RefuseUpgrade => "refuse_upgrade",
            Verdict::Probation => "probation",
            Verdict::Downgrade => "downgrade",
            Verdict::Suspend => "suspend",
            Verdict::Reinstate => "reinstate",
            Verdict::Notice => "notice",
            Verdict::PlanReceived => "plan_received",
            Verdict::ProbationPassed => "probation_passed",
            Verdict::ProbationFailed => "probation_failed",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|v| v.as_str() == name)
    }

    /// Whether it answers a recommendation (the others accompany a probation or a notice).
    #[must_use]
    pub fn decides(self) -> bool {
        !matches!(
            self,
            Verdict::Notice | Verdict::PlanReceived | Verdict::ProbationPassed | Verdict::ProbationFailed
        )
    }

    /// Whether a certification changes by it.
    #[must_use]
    pub fn changes(self) -> bool {
        matches!(
            self,
            Verdict::Upgrade | Verdict::Downgrade | Verdict::Suspend | Verdict::Reinstate
        )
    }
}

/// A decision of kind `review`. Ordered by the day from which it holds, then by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReviewAct {
    /// First day on which it holds: the later of `effective_on` and the local day on which it was taken.
    pub from: Date,
    pub decided_at: Instant,
    pub decision_id: Arc<str>,
    pub partner: PartnerId,
    pub domain: DomainId,
    pub verdict: Verdict,
    pub by: Arc<str>,
    pub reason: Arc<str>,
}

/// The subject of a review decision: `EM-0003:routing-switching`.
#[must_use]
pub fn subject(partner: &PartnerId, domain: &DomainId) -> String {
    format!("{partner}:{domain}")
}

fn parse_subject(text: &str) -> Option<(PartnerId, DomainId)> {
    let (partner, domain) = text.rsplit_once(':')?;
    Some((PartnerId::new(partner).ok()?, DomainId::new(domain).ok()?))
}

/// The review decisions in their order, and those that cannot be read as findings.
pub fn acts(decisions: &Table, homes: &Homes, books: &dyn Books, findings: &mut Findings) -> Read<Vec<ReviewAct>> {
    let mut acts = Vec::new();
    each(decisions, |row| {
        if row.text("kind")? != "review" {
            return Ok(());
        }
        let decision_id: Arc<str> = row.text("decision_id")?.into();
        let mut refuse = |rule: &str, message: String, remedy: &str| {
            let place = Place::file("decisions").column(&*decision_id);
            findings.push(Finding::warning(place, rule, message, remedy));
        };
        let Some((partner, domain)) = parse_subject(row.text("subject")?) else {
            let message = format!("'{}' names no certification", row.text("subject")?);
            refuse(
                "review.subject",
                message,
                "name partner and domain such as EM-0003:cloud",
            );
            return Ok(());
        };
        let outcome = row.text("outcome")?;
        let Some(verdict) = Verdict::parse(outcome) else {
            let known: Vec<&str> = Verdict::ALL.iter().map(|v| v.as_str()).collect();
            let message = format!("outcome '{outcome}' is none of a review; it was passed over");
            refuse("review.outcome", message, &format!("write one of {}", known.join(", ")));
            return Ok(());
        };
        let decided_at = row.instant("decided_at")?;
        let decided_on = homes.day_at(books, &partner, decided_at)?;
        let effective_on = row.opt_date("effective_on")?.unwrap_or(decided_on);
        if effective_on < decided_on {
            let message =
                format!("it was to hold from {effective_on}, before it was taken: it holds from {decided_on}");
            refuse("review.backdated", message, "a decision counts from its date");
        }
        acts.push(ReviewAct {
            from: effective_on.max(decided_on),
            decided_at,
            decision_id,
            partner,
            domain,
            verdict,
            by: row.text("by")?.into(),
            reason: row.text("reason")?.into(),
        });
        Ok(())
    })?;
    acts.sort();
    Ok(acts)
}

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
    pub versions: BTreeMap<(PartnerId, DomainId), Vec<Version>>,
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
                decision_id: match decided {
                    true => row.opt_text("decision_id")?.map(Into::into),
                    false => None,
                },
            };
            out.versions
                .entry((row.partner()?, row.domain()?))
                .or_default()
                .push(version);
            Ok(())
        })?;
        out.versions
            .values_mut()
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

    /// The version that holds on a day: of those that overlap the one that began last.
    #[must_use]
    pub fn on(&self, partner: &PartnerId, domain: &DomainId, day: Date) -> Option<&Version> {
        let versions = self.versions.get(&(partner.clone(), domain.clone()))?;
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
            let versions = |d: &'a DomainId| self.versions.get(&(partner.clone(), d.clone())).into_iter().flatten();
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
        let of_partner = self.versions.keys().filter(|(p, _)| p == partner);
        let held = of_partner.filter_map(|(p, d)| self.on(p, d, day));
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
            .entry((act.partner.clone(), act.domain.clone()))
            .or_default();
        versions.retain(|v| v.valid_from != act.from);
        versions.push(version);
        versions.sort_by_key(|v| v.valid_from);
    }

    fn table(&self) -> Table {
        let mut table = Table::new("effective_certifications", &EFFECTIVE);
        for ((partner, domain), versions) in &self.versions {
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

/// Partners and domains that have ever had a certification.
#[must_use]
pub fn subjects(certifications: &Certifications) -> BTreeSet<(PartnerId, DomainId)> {
    certifications.versions.keys().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_date;
    use crate::evaluation::testing::{domain, partner};

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    /// Certifications of P1 as `domain from to stars status`.
    fn feed(rows: &[&str]) -> Table {
        let mut table = Table::new("certifications", &EFFECTIVE[..7]);
        for row in rows {
            let words: Vec<&str> = row.split(' ').collect();
            table.push(vec![
                "P1".into(),
                words[0].into(),
                day(words[1]).into(),
                words[3].parse::<i64>().unwrap().into(),
                "2025".into(),
                day(words[2]).into(),
                words[4].into(),
            ]);
        }
        table
    }

    fn domains() -> Table {
        let mut table = Table::new("domains", &["domain", "member_of"]);
        table.push(vec!["networking".into(), Value::Null]);
        table.push(vec!["wlan".into(), "networking".into()]);
        table.push(vec!["cloud".into(), Value::Null]);
        table
    }

    /// Decisions on P1 as `day domain outcome [effective_on]`, each taken at 02:00 UTC.
    fn decisions(rows: &[&str]) -> Table {
        let columns = [
            "decision_id",
            "kind",
            "subject",
            "outcome",
            "effective_on",
            "reason",
            "by",
            "decided_at",
        ];
        let mut table = Table::new("decisions", &columns);
        for (i, row) in rows.iter().enumerate() {
            let words: Vec<&str> = row.split(' ').collect();
            table.push(vec![
                format!("D{i}").into(),
                "review".into(),
                format!("P1:{}", words[1]).into(),
                words[2].into(),
                words.get(3).map(|d| day(d)).into(),
                "checked".into(),
                "ann".into(),
                Instant::parse(&format!("{}T02:00:00Z", words[0])).unwrap().into(),
            ]);
        }
        table
    }

    /// Versions as `from..to stars status`, and the rules of findings; P1 is at home in a zone.
    fn held(zone: &str, certifications: &[&str], acted: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut programme = crate::evaluation::testing::World::new(&[]);
        programme.book("emea").zone = crate::domain::Zone::parse(zone).unwrap();
        let mut partners = Table::new("partners", &["partner_id", "valid_from", "region"]);
        partners.push(vec!["P1".into(), day("2020-01-01").into(), "emea".into()]);
        let homes = Homes::read(&partners).unwrap();
        let mut findings = Findings::new();
        let acts = acts(&decisions(acted), &homes, &programme.library, &mut findings).unwrap();
        let table = effective(&feed(certifications), &domains(), &acts, &mut findings).unwrap();
        let shown = table.iter().map(|r| {
            format!(
                "{}..{} {} {}",
                r.date("valid_from").unwrap(),
                r.date("valid_to").unwrap(),
                r.int("stars").unwrap(),
                r.text("status").unwrap()
            )
        });
        (shown.collect(), findings.into_iter().map(|f| f.rule).collect())
    }

    const CLOUD: &str = "cloud 2025-01-01 2028-01-01 4 active";

    #[test]
    fn a_decision_counts_from_its_date() {
        let cases: [(&[&str], &[&str]); 6] = [
            (&["2026-10-05 cloud keep"], &["2025-01-01..2028-01-01 4 active"]),
            (
                &["2026-10-05 cloud upgrade 2026-11-01"],
                &["2025-01-01..2028-01-01 4 active", "2026-11-01..2028-01-01 5 active"],
            ),
            (
                &["2026-10-05 cloud downgrade"],
                &["2025-01-01..2028-01-01 4 active", "2026-10-05..2028-01-01 3 active"],
            ),
            // suspended, then active again with the stars it had
            (
                &["2026-10-05 cloud suspend", "2026-12-01 cloud reinstate"],
                &[
                    "2025-01-01..2028-01-01 4 active",
                    "2026-10-05..2028-01-01 4 suspended",
                    "2026-12-01..2028-01-01 4 active",
                ],
            ),
            // below the lowest star there is none
            (
                &["2026-10-05 cloud downgrade", "2027-01-05 cloud downgrade"],
                &[
                    "2025-01-01..2028-01-01 4 active",
                    "2026-10-05..2028-01-01 3 active",
                    "2027-01-05..2028-01-01 3 revoked",
                ],
            ),
            // two on one day: the later one is laid over the earlier one
            (
                &["2026-10-05 cloud downgrade 2026-10-06", "2026-10-06 cloud suspend"],
                &["2025-01-01..2028-01-01 4 active", "2026-10-06..2028-01-01 3 suspended"],
            ),
        ];
        for (acted, expected) in cases {
            let (versions, findings) = held("UTC", &[CLOUD], acted);
            assert_eq!(versions, expected, "{acted:?}");
            assert_eq!(findings, Vec::<String>::new(), "{acted:?}");
        }
    }

    #[test]
    fn a_decision_never_counts_from_before_the_local_day_on_which_it_was_taken() {
        // 02:00 UTC on 5 October is 4 October in Santiago
        let (versions, findings) = held("America/Santiago", &[CLOUD], &["2026-10-05 cloud downgrade"]);
        assert_eq!(versions[1], "2026-10-04..2028-01-01 3 active");
        assert_eq!(findings, Vec::<String>::new());
        let (versions, findings) = held("UTC", &[CLOUD], &["2026-10-05 cloud downgrade 2026-01-01"]);
        assert_eq!(versions[1], "2026-10-05..2028-01-01 3 active");
        assert_eq!(findings, ["review.backdated"]);
    }

    #[test]
    fn what_cannot_follow_is_told_and_changes_nothing() {
        let cases: [(&str, &[&str], &str); 6] = [
            (
                "cloud 2025-01-01 2028-01-01 5 active",
                &["2026-10-05 cloud upgrade"],
                "review.impossible",
            ),
            (CLOUD, &["2026-10-05 cloud reinstate"], "review.impossible"),
            (CLOUD, &["2026-10-05 wlan suspend"], "review.no-certification"),
            // valid_to is exclusive
            (
                "cloud 2025-01-01 2026-10-05 4 active",
                &["2026-10-05 cloud downgrade"],
                "review.no-certification",
            ),
            (CLOUD, &["2026-10-05 cloud promote"], "review.outcome"),
            (
                "cloud 2025-01-01 2028-01-01 4 suspended",
                &["2026-10-05 cloud downgrade"],
                "review.impossible",
            ),
        ];
        for (certification, acted, rule) in cases {
            let (versions, findings) = held("UTC", &[certification], acted);
            assert_eq!(versions.len(), 1, "{acted:?}");
            assert_eq!(findings, [rule], "{acted:?}");
        }
    }

    #[test]
    fn a_row_delivered_later_holds_from_its_first_day() {
        let renewed = "cloud 2027-01-01 2029-01-01 4 active";
        let (versions, _) = held("UTC", &[CLOUD, renewed], &["2026-10-05 cloud suspend"]);
        assert_eq!(
            versions,
            [
                "2025-01-01..2028-01-01 4 active",
                "2026-10-05..2028-01-01 4 suspended",
                "2027-01-01..2029-01-01 4 active"
            ]
        );
    }

    #[test]
    fn a_check_looks_at_the_narrowest_active_certification() {
        let rows = [
            "networking 2025-01-01 2028-01-01 3 active",
            "wlan 2025-01-01 2026-06-01 5 active",
            "wlan 2026-03-01 2026-04-01 5 suspended",
        ];
        let held = Certifications::read(&feed(&rows), &domains()).unwrap();
        let wlan = domain("wlan");
        let at = |on: &str| {
            let found = held.looked_at(&partner("P1"), &wlan, day(on));
            found.map(|(d, v)| format!("{d} {} {}", v.stars, v.status))
        };
        assert_eq!(at("2026-01-01").as_deref(), Some("wlan 5 active"));
        assert_eq!(at("2026-03-15").as_deref(), Some("networking 3 active"));
        assert_eq!(at("2026-04-01").as_deref(), Some("wlan 5 active"));
        assert_eq!(at("2026-06-01").as_deref(), Some("networking 3 active"));
        assert_eq!(at("2028-01-01").as_deref(), Some("networking 3 active"));
        assert_eq!(at("2024-12-31"), None);
        assert_eq!(held.highest_on(&partner("P1"), day("2026-05-31")), Some(5));
        assert_eq!(held.highest_on(&partner("P1"), day("2026-06-01")), Some(3));
        assert_eq!(held.highest_on(&partner("P1"), day("2028-01-01")), None);
    }
}
