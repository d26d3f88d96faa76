//! What the evaluation periods say of a certification.
//!
//! Duty: final, grade, coverage, answers of each period and certification, from published scores and metrics; of a
//! certification that spans domains, of its members together. Not its duty: thresholds.
//!
//! Members are joined like the domains of a card: by completed deliveries, equal parts where there are none, none above
//! the card's largest share. Coverage is the least of those joined; quality is rated where it is in one of them; their
//! answers are put together.

use std::collections::{BTreeMap, BTreeSet};

use super::ReviewInputs;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Dec, Grade, Period, Ratio};
use crate::evaluation::cap;
use crate::evaluation::fields::{Read, each};
use crate::evaluation::wilson;
use crate::rules::RuleBook;

/// Answers with their effective number and satisfied share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answers {
    pub n: i64,
    n_eff: Ratio,
    /// n_eff × the share satisfied.
    satisfied: Ratio,
}

impl Default for Answers {
    fn default() -> Answers {
        Answers {
            n: 0,
            n_eff: Ratio::zero(),
            satisfied: Ratio::zero(),
        }
    }
}

impl Answers {
    fn new(n: i64, n_eff: Option<Dec>, share: Option<Dec>) -> Answers {
        let (n_eff, share) = (
            n_eff.map_or_else(Ratio::zero, Dec::ratio),
            share.map_or_else(Ratio::zero, Dec::ratio),
        );
        Answers {
            n,
            satisfied: &n_eff * &share,
            n_eff,
        }
    }

    pub fn add(&mut self, more: &Answers) {
        self.n = self.n.saturating_add(more.n);
        self.n_eff = &self.n_eff + &more.n_eff;
        self.satisfied = &self.satisfied + &more.satisfied;
    }

    /// The Wilson interval of the share satisfied; none without answers.
    pub fn interval(&self) -> Option<(Ratio, Ratio)> {
        let share = self.satisfied.checked_div(&self.n_eff)?;
        wilson::interval(&share, &self.n_eff)
    }
}

/// One period of a certification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// None: not rated.
    pub score: Option<Ratio>,
    pub grade: Option<Grade>,
    pub coverage: Ratio,
    pub quality_rated: bool,
    pub answers: Answers,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen {
            score: None,
            grade: None,
            coverage: Ratio::zero(),
            quality_rated: false,
            answers: Answers::default(),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct DomainSeen {
    seen: Seen,
    completed: i64,
}

type Key = (PartnerId, DomainId, Period);

/// All periods of all domains.
pub(super) struct Evidence {
    domains: BTreeMap<Key, DomainSeen>,
    members: BTreeMap<DomainId, BTreeSet<DomainId>>,
}

impl Evidence {
    pub fn read(inputs: &ReviewInputs, members: &BTreeMap<DomainId, BTreeSet<DomainId>>) -> Read<Evidence> {
        let mut domains: BTreeMap<Key, DomainSeen> = BTreeMap::new();
        each(inputs.scores, |row| {
            let seen = &mut domains.entry(row.key()?).or_default().seen;
            seen.score = row.opt_dec("final")?.map(Dec::ratio);
            seen.grade = row.opt_text("grade")?.and_then(Grade::parse);
            seen.coverage = row.dec("coverage")?.ratio();
            Ok(())
        })?;
        each(inputs.metrics, |row| {
            let key = row.key()?;
            match row.text("metric")? {
                "satisfaction" => {
                    let answers = Answers::new(row.count("n")?, row.opt_dec("n_eff")?, row.opt_dec("raw")?);
                    domains.entry(key).or_default().seen.answers = answers;
                }
                "quality" => {
                    let rated = matches!(row.text("state")?, "rated" | "provisional");
                    domains.entry(key).or_default().seen.quality_rated = rated;
                }
                _ => {}
            }
            Ok(())
        })?;
        each(inputs.deliveries, |row| {
            let of = domains.entry(row.key()?).or_default();
            of.completed = of.completed.saturating_add(row.count("completed")?);
            Ok(())
        })?;
        Ok(Evidence {
            domains,
            members: members.clone(),
        })
    }

    /// What a period says of a certification.
    pub fn of(&self, book: &RuleBook, partner: &PartnerId, domain: &DomainId, period: Period) -> Seen {
        let one = |domain: &DomainId| self.domains.get(&(partner.clone(), domain.clone(), period));
        let Some(members) = self.members.get(domain) else {
            return one(domain).map(|d| d.seen.clone()).unwrap_or_default();
        };
        joined(book, &members.iter().filter_map(one).collect::<Vec<_>>())
    }
}

fn joined(book: &RuleBook, members: &[&DomainSeen]) -> Seen {
    let mut out = Seen::default();
    for member in members {
        out.answers.add(&member.seen.answers);
        out.quality_rated |= member.seen.quality_rated;
    }
    let rated: Vec<(&DomainSeen, &Ratio)> = members
        .iter()
        .filter_map(|m| Some((*m, m.seen.score.as_ref()?)))
        .collect();
    let none_completed = rated.iter().all(|(m, _)| m.completed == 0);
    let weight = |m: &DomainSeen| Ratio::int(if none_completed { 1 } else { m.completed });
    let mut weights: Vec<Ratio> = rated.iter().map(|(m, _)| weight(m)).collect();
    if rated.len() >= book.card.domain_cap_from_domains {
        weights = cap::hold(&weights, &book.card.domain_cap).weights;
    }
    let parts: Vec<Ratio> = rated.iter().zip(&weights).map(|((_, score), w)| *score * w).collect();
    out.score = Ratio::sum(&parts).checked_div(&Ratio::sum(&weights));
    let black = rated.iter().all(|(m, _)| m.seen.grade == Some(Grade::E)) && !rated.is_empty();
    let by_score = out.score.as_ref().and_then(|score| {
        let band = book.grades.0.iter().find(|(_, edge)| score >= edge);
        band.map(|(grade, _)| *grade)
    });
    out.grade = if black { Some(Grade::E) } else { by_score };
    out.coverage = rated
        .iter()
        .map(|(m, _)| m.seen.coverage.clone())
        .min()
        .unwrap_or_else(Ratio::zero);
    out
}
