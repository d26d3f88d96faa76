//! The star criteria of a domain: what they ask for, what the partner has.
//!
//! Duty: count engineers, senior engineers, project managers, trainings and credits of a partner in a domain on a day,
//! and compare them with what a star grade asks for, criterion by criterion, with the evidence. The review and the
//! enablement metric both count here. Not its duty: whether an unmet criterion costs a star (review), points (metric).
//!
//! | counted | how |
//! |---|---|
//! | a certificate | held on the day: issued on or before it, not revoked, and it outlasts the day by the days of the rules |
//! | engineers | persons with such a certificate of the role engineer, of any level; a person counts once |
//! | senior engineers | those of them whose highest level reaches the rules' senior level: a higher level stands in for a lower |
//! | project managers | persons with such a certificate of that role, of any level |
//! | trainings, credits | records completed in the days before the day, the day itself included |
//! | the domain | the domain itself, one that spans it, and, of one that spans others, those; a training without a domain counts in every one |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Date, Ratio};
use crate::rules::{EngineerLevel, StarCriteria, StarNeeds};

/// One certificate of one person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Certificate {
    pub engineer: Arc<str>,
    pub code: Arc<str>,
    pub domain: DomainId,
    pub level: EngineerLevel,
    pub project_manager: bool,
    pub issued_on: Date,
    /// Exclusive; none: it does not expire.
    pub expires_on: Option<Date>,
    pub revoked_on: Option<Date>,
}

/// One training completed by people of a partner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Training {
    pub event_id: Arc<str>,
    /// None: it belongs to no domain.
    pub domain: Option<DomainId>,
    pub credits: Ratio,
    pub completed_on: Date,
}

/// Domain that spans others → those.
pub type Members = BTreeMap<DomainId, BTreeSet<DomainId>>;

/// Certificates and trainings by partner, each list sorted; and which domains span others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    pub certificates: BTreeMap<PartnerId, Vec<Certificate>>,
    pub trainings: BTreeMap<PartnerId, Vec<Training>>,
    pub members: Members,
}

/// What a partner has in a domain on a day; persons by id, trainings by record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub engineers: BTreeSet<Arc<str>>,
    pub senior_engineers: BTreeSet<Arc<str>>,
    pub project_managers: BTreeSet<Arc<str>>,
    pub trainings: BTreeSet<Arc<str>>,
    pub credits: Ratio,
    /// Certificates held on the day that end too soon after it: code of the certificate, person, first day without.
    pub ending: BTreeSet<(Arc<str>, Arc<str>, Date)>,
}

impl Default for Counted {
    fn default() -> Counted {
        Counted {
            engineers: BTreeSet::new(),
            senior_engineers: BTreeSet::new(),
            project_managers: BTreeSet::new(),
            trainings: BTreeSet::new(),
            credits: Ratio::zero(),
            ending: BTreeSet::new(),
        }
    }
}

/// What is counted, in the order in which it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CriterionId {
    Engineers,
    SeniorEngineers,
    ProjectManagers,
    Trainings,
    Credits,
}

impl CriterionId {
    pub const ALL: [CriterionId; 5] = [
        CriterionId::Engineers,
        CriterionId::SeniorEngineers,
        CriterionId::ProjectManagers,
        CriterionId::Trainings,
        CriterionId::Credits,
    ];

    /// The name in rule files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CriterionId::Engineers => "engineers",
            CriterionId::SeniorEngineers => "senior_engineers",
            CriterionId::ProjectManagers => "project_managers",
            CriterionId::Trainings => "trainings",
            CriterionId::Credits => "credits",
        }
    }
}

/// One criterion: asked for, found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    pub id: CriterionId,
    pub needed: Ratio,
    pub found: Ratio,
}

impl Criterion {
    #[must_use]
    pub fn met(&self) -> bool {
        self.found >= self.needed
    }

    /// Whether it asks for anything: a need of 0 is always met and says nothing about a partner.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.needed.is_positive()
    }
}

/// Counts what a partner has in a domain on a day.
#[must_use]
pub fn count(roster: &Roster, rules: &StarCriteria, partner: &PartnerId, domain: &DomainId, on: Date) -> Counted {
    let serves = |of: &DomainId| serves_in(roster, of, domain);
    let mut counted = Counted::default();
    let outlasts = on.checked_add_days(chrono::Days::new(u64::from(rules.certificate_outlasts_days)));
    for held in roster.certificates.get(partner).into_iter().flatten() {
        let revoked = held.revoked_on.is_some_and(|day| day <= on);
        if !serves(&held.domain) || held.issued_on > on || revoked || held.expires_on.is_some_and(|day| day <= on) {
            continue;
        }
        // valid on the last of those days: it ends after it
        if let Some(end) = held.expires_on.filter(|end| outlasts.is_none_or(|last| *end <= last)) {
            counted.ending.insert((held.code.clone(), held.engineer.clone(), end));
            continue;
        }
        let person = held.engineer.clone();
        if held.project_manager {
            counted.project_managers.insert(person);
        } else {
            if held.level >= rules.senior_level {
                counted.senior_engineers.insert(person.clone());
            }
            counted.engineers.insert(person);
        }
    }
    let since = on.checked_sub_days(chrono::Days::new(u64::from(rules.training_days)));
    for training in roster.trainings.get(partner).into_iter().flatten() {
        let within = training.completed_on <= on && since.is_none_or(|since| training.completed_on > since);
        if within && training.domain.as_ref().is_none_or(serves) {
            counted.trainings.insert(training.event_id.clone());
            counted.credits = &counted.credits + &training.credits;
        }
    }
    counted
}

/// What a star grade asks for, beside what was counted, in the order of [`CriterionId::ALL`].
#[must_use]
pub fn compare(counted: &Counted, needs: &StarNeeds) -> Vec<Criterion> {
    let persons = |found: &BTreeSet<Arc<str>>| Ratio::int(i64::try_from(found.len()).unwrap_or(i64::MAX));
    let criterion = |id: CriterionId| {
        let (needed, found) = match id {
            CriterionId::Engineers => (Ratio::int(needs.engineers), persons(&counted.engineers)),
            CriterionId::SeniorEngineers => (Ratio::int(needs.senior_engineers), persons(&counted.senior_engineers)),
            CriterionId::ProjectManagers => (Ratio::int(needs.project_managers), persons(&counted.project_managers)),
            CriterionId::Trainings => (Ratio::int(needs.trainings), persons(&counted.trainings)),
            CriterionId::Credits => (needs.credits.clone(), counted.credits.clone()),
        };
        Criterion { id, needed, found }
    };
    CriterionId::ALL.into_iter().map(criterion).collect()
}

/// The highest star grade whose criteria are all met; `None` below the lowest.
#[must_use]
pub fn stars_met(counted: &Counted, rules: &StarCriteria) -> Option<i64> {
    let met = |needs: &StarNeeds| compare(counted, needs).iter().all(Criterion::met);
    rules
        .stars
        .iter()
        .rev()
        .find(|(_, needs)| met(needs))
        .map(|(stars, _)| *stars)
}

/// Whether what was done in one domain counts in another.
fn serves_in(roster: &Roster, of: &DomainId, domain: &DomainId) -> bool {
    let spans = |whole: &DomainId, part: &DomainId| roster.members.get(whole).is_some_and(|m| m.contains(part));
    of == domain || spans(of, domain) || spans(domain, of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_date;
    use crate::evaluation::testing::{dec, domain, partner};

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn rules() -> StarCriteria {
        let needs = |engineers, senior_engineers, project_managers, trainings, credits: &str| StarNeeds {
            engineers,
            senior_engineers,
            project_managers,
            trainings,
            credits: dec(credits),
        };
        StarCriteria {
            certificate_outlasts_days: 90,
            training_days: 365,
            senior_level: EngineerLevel::Professional,
            stars: BTreeMap::from([
                (3, needs(2, 0, 0, 1, "200")),
                (4, needs(3, 1, 1, 2, "450")),
                (5, needs(4, 2, 1, 3, "600")),
            ]),
        }
    }

    fn certificate(engineer: &str, of: &str, level: EngineerLevel, expires_on: &str) -> Certificate {
        Certificate {
            engineer: engineer.into(),
            code: "HC".into(),
            domain: domain(of),
            level,
            project_manager: engineer.starts_with("PM"),
            issued_on: day("2025-01-01"),
            expires_on: Some(day(expires_on)),
            revoked_on: None,
        }
    }

    fn roster() -> Roster {
        use EngineerLevel::{Associate, Expert};
        let training = |id: &str, of: Option<&str>, credits: &str, on: &str| Training {
            event_id: id.into(),
            domain: of.map(domain),
            credits: dec(credits),
            completed_on: day(on),
        };
        Roster {
            certificates: BTreeMap::from([(
                partner("P1"),
                vec![
                    certificate("E1", "wlan", Expert, "2028-01-01"),
                    // a second certificate of the same person, and one in a domain that spans this one
                    certificate("E1", "wlan", Associate, "2028-01-01"),
                    certificate("E2", "networking", Associate, "2028-01-01"),
                    certificate("E3", "ups", Associate, "2028-01-01"),
                    certificate("PM1", "wlan", Associate, "2028-01-01"),
                ],
            )]),
            trainings: BTreeMap::from([(
                partner("P1"),
                vec![
                    training("T1", Some("wlan"), "150", "2026-09-30"),
                    training("T2", None, "50.5", "2025-10-01"),
                    training("T3", Some("ups"), "900", "2026-01-01"),
                    training("T4", Some("wlan"), "900", "2025-09-30"),
                ],
            )]),
            members: BTreeMap::from([(domain("networking"), BTreeSet::from([domain("wlan")]))]),
        }
    }

    fn counts(roster: &Roster) -> (usize, usize, usize, usize, Ratio) {
        let c = count(roster, &rules(), &partner("P1"), &domain("wlan"), day("2026-09-30"));
        let n = |set: &BTreeSet<Arc<str>>| set.len();
        (
            n(&c.engineers),
            n(&c.senior_engineers),
            n(&c.project_managers),
            n(&c.trainings),
            c.credits,
        )
    }

    #[test]
    fn persons_count_once_and_a_higher_level_stands_in_for_a_lower() {
        // the expert stands in for a senior (professional) engineer; T2 is on the first of the 365 days, T4 a day before
        assert_eq!(counts(&roster()), (2, 1, 1, 2, dec("200.5")));
    }

    #[test]
    fn a_certificate_must_outlast_the_day() {
        let at = |expires_on: &str| {
            let mut roster = roster();
            let held = vec![certificate("E1", "wlan", EngineerLevel::Expert, expires_on)];
            roster.certificates.insert(partner("P1"), held);
            counts(&roster).0
        };
        // 90 days after 30 September is 29 December: it must still hold on that day
        assert_eq!((at("2026-12-29"), at("2026-12-30")), (0, 1));
    }

    #[test]
    fn stars_follow_from_the_criteria() {
        let counted = |roster: &Roster| count(roster, &rules(), &partner("P1"), &domain("wlan"), day("2026-09-30"));
        assert_eq!(stars_met(&counted(&roster()), &rules()), Some(3));
        let unmet: Vec<&str> = compare(&counted(&roster()), &rules().stars[&4])
            .iter()
            .filter(|c| !c.met())
            .map(|c| c.id.as_str())
            .collect();
        assert_eq!(unmet, ["engineers", "credits"]);
        assert_eq!(stars_met(&Counted::default(), &rules()), None);
    }
}
