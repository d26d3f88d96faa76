//! One certification at one review.
//!
//! Duty: what the conditions of a recommendation ask about: periods, decisions so far, red lines, persons. Not its
//! duty: the conditions themselves (`recommend`).

use chrono::{Datelike, Months};

use super::evidence::{Answers, Evidence, Seen};
use super::plans::{Probation, probations};
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::time::sub_days;
use crate::domain::{Date, Period, Ratio};
use crate::evaluation::certifications::Version;
use crate::evaluation::criteria::{self, Counted, Criterion, CriterionId, Roster};
use crate::evaluation::review_acts::{ReviewAct, Verdict};
use crate::rules::RuleBook;

pub(super) struct Case<'a> {
    pub book: &'a RuleBook,
    pub partner: &'a PartnerId,
    pub domain: &'a DomainId,
    pub period: Period,
    pub first_on: Date,
    /// The first day after the period.
    pub review_on: Date,
    /// What holds on the last day of the period.
    pub version: &'a Version,
    /// The first day from which the feeds say everything.
    pub known_from: Date,
    /// Decisions on the certification, in the order of the days they hold from.
    pub acts: &'a [&'a ReviewAct],
    /// Days of red lines of the partner: first day, end, whether black.
    pub red_lines: &'a [(Date, Date, bool)],
    pub roster: &'a Roster,
    pub evidence: &'a Evidence,
}

impl Case<'_> {
    /// Whether the region holds its reviews on that day.
    pub fn is_regular(&self) -> bool {
        self.book.review.held_in_months.contains(&self.review_on.month())
    }

    /// What the last `n` periods say, newest first.
    pub fn seen(&self, n: usize) -> Vec<Seen> {
        let mut period = self.period;
        let mut seen = Vec::with_capacity(n);
        for _ in 0..n {
            seen.push(self.evidence.of(self.book, self.partner, self.domain, period));
            period = period.previous();
        }
        seen
    }

    /// Decisions on the certification that held before the day of the review, oldest first.
    pub fn acts(&self) -> impl DoubleEndedIterator<Item = &ReviewAct> {
        let before = |act: &&ReviewAct| act.from < self.review_on;
        self.acts.iter().copied().filter(before)
    }

    /// The latest probation that began before the review.
    pub fn probation(&self) -> Option<Probation> {
        probations(self.acts()).pop()
    }

    /// The day of the last notice that the criteria of the star are not met: a probation is one too. A decision that
    /// settles the certification ends it.
    pub fn noticed_on(&self) -> Option<Date> {
        let mut noticed = None;
        for act in self.acts() {
            match act.verdict {
                Verdict::Notice | Verdict::Probation => noticed = noticed.or(Some(act.from)),
                Verdict::Keep | Verdict::Upgrade | Verdict::Downgrade | Verdict::ProbationPassed => noticed = None,
                _ => {}
            }
        }
        noticed
    }

    /// The last refusal of an upgrade within the months before the review.
    pub fn refused_upgrade_on(&self) -> Option<Date> {
        let since = months_before(self.review_on, self.book.review.refused_upgrade_wait_months);
        let mut refused = self.acts().rev().filter(|act| act.verdict == Verdict::RefuseUpgrade);
        refused.next().map(|act| act.from).filter(|day| *day > since)
    }

    /// The day after the last of a freeze that touches the period.
    pub fn black_until(&self) -> Option<Date> {
        let freezes = self.red_lines.iter().filter(|(.., black)| *black);
        let touching = freezes.filter(|(from, until, _)| *from < self.review_on && *until > self.first_on);
        touching.map(|(_, until, _)| *until).max()
    }

    /// Whether the partner was black or yellow on a day of the months before the review.
    pub fn red_line_of_late(&self) -> bool {
        let since = months_before(self.review_on, self.book.review.red_line_wait_months);
        let touches = |(from, until, _): &(Date, Date, bool)| *from < self.review_on && *until > since;
        self.red_lines.iter().any(touches)
    }

    /// What the partner has in the domain on the day of the review; none where the rules have no star criteria.
    pub fn counted(&self) -> Option<Counted> {
        let rules = self.book.star_criteria.as_ref()?;
        Some(criteria::count(
            self.roster,
            rules,
            self.partner,
            self.domain,
            self.review_on,
        ))
    }

    /// The criteria of a star grade against that; none where the rules do not know the grade.
    pub fn criteria(&self, counted: &Counted, stars: i64) -> Option<Vec<Criterion>> {
        let needs = self.book.star_criteria.as_ref()?.stars.get(&stars)?;
        Some(criteria::compare(counted, needs))
    }

    /// Whether a criterion is met; none where what is missing may lie before the programme's first day.
    pub fn is_met(&self, criterion: &Criterion) -> Option<bool> {
        let over_days = matches!(criterion.id, CriterionId::Trainings | CriterionId::Credits);
        let days = self.book.star_criteria.as_ref().map_or(0, |c| c.training_days);
        let cut = over_days && sub_days(self.review_on, days) < self.known_from;
        match (criterion.met(), cut) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        }
    }

    /// Whether all are met; none where one may be and none is not.
    pub fn are_met(&self, criteria: &[Criterion]) -> Option<bool> {
        let states: Vec<Option<bool>> = criteria.iter().map(|c| self.is_met(c)).collect();
        if states.contains(&Some(false)) {
            Some(false)
        } else {
            states.into_iter().collect::<Option<Vec<bool>>>().map(|_| true)
        }
    }

    /// Whether what a period says suffices against the partner.
    pub fn suffices(&self, seen: &Seen) -> bool {
        let rules = &self.book.review;
        let upper = || seen.answers.interval().map(|(_, upper)| upper);
        (seen.coverage >= rules.evidence_coverage && seen.quality_rated)
            || upper().is_some_and(|upper| upper < rules.evidence_upper_bound)
    }
}

/// Mean of the rated finals; how many there are.
pub(super) fn mean(seen: &[Seen]) -> (Option<Ratio>, usize) {
    let rated: Vec<&Ratio> = seen.iter().filter_map(|s| s.score.as_ref()).collect();
    let n = rated.len();
    let count = Ratio::int(i64::try_from(n).unwrap_or(i64::MAX));
    (Ratio::sum(rated).checked_div(&count), n)
}

/// The answers of several periods.
pub(super) fn answers(seen: &[Seen]) -> Answers {
    let mut all = Answers::default();
    seen.iter().for_each(|s| all.add(&s.answers));
    all
}

/// The same day so many months earlier, or the last day of a shorter month.
fn months_before(day: Date, months: u32) -> Date {
    day.checked_sub_months(Months::new(months)).unwrap_or(Date::MIN)
}
