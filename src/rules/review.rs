//! The rules of the certification review.
//!
//! Duty: when reviews are held, and the thresholds, persistence and waiting times of their recommendations. Not its
//! duty: a recommendation (evaluation), the star criteria.

use super::leaf::{Out, Within};
use super::model::ProgrammeRules;
use super::read::{MAX_COUNT, MAX_DAYS};
use super::section::Section;
use super::tree::Node;
use crate::domain::{Grade, Ratio};

/// A review: what it looks at, and from where on it recommends what.
#[derive(Clone, Debug)]
pub struct ReviewRules {
    /// Reviews are held on the first day of these calendar months, over the evaluation periods before it.
    pub held_in_months: Vec<u32>,
    /// Evaluation periods whose finals make the mean …
    pub score_periods: usize,
    /// … and how many of them must be rated.
    pub score_minimum_periods: usize,
    /// Points by which thresholds move in favour of the present star.
    pub hysteresis_points: Ratio,
    /// Downgrade: below this …
    pub downgrade_below: Ratio,
    /// … in so many periods in a row.
    pub downgrade_periods: usize,
    /// Probation: a mean below this.
    pub probation_below: Ratio,
    /// Probation: this grade in one period.
    pub probation_grade: Grade,
    /// Upgrade: a mean from this on …
    pub upgrade_from: Ratio,
    /// … with this grade or better …
    pub upgrade_grade: Grade,
    /// … in so many last periods.
    pub upgrade_periods: usize,
    pub upgrade_minimum_answers: i64,
    /// Least lower Wilson bound of the answers, 0…1.
    pub upgrade_lower_bound: Ratio,
    /// Evidence against a partner suffices from this coverage on with quality rated …
    pub evidence_coverage: Ratio,
    /// … or with an upper Wilson bound below this, 0…1.
    pub evidence_upper_bound: Ratio,
    /// No upgrade for so long after yellow or black; calendar months.
    pub red_line_wait_months: u32,
    /// No upgrade for so long after a refused one; calendar months.
    pub refused_upgrade_wait_months: u32,
    /// Star criteria unmet so long after a notice: downgrade.
    pub criteria_notice_days: u32,
    /// Improvement plan due so long after probation began.
    pub plan_due_days: u32,
    /// Decision due so long after probation began.
    pub probation_days: u32,
}

const MAX_MONTHS: i64 = 120;

#[cfg(test)]
impl ReviewRules {
    /// Those of the sample programme.
    #[must_use]
    pub fn sample() -> ReviewRules {
        let share = |numerator, denominator| Ratio::new(numerator, denominator).unwrap_or_else(Ratio::zero);
        ReviewRules {
            held_in_months: vec![10],
            score_periods: 4,
            score_minimum_periods: 3,
            hysteresis_points: Ratio::int(2),
            downgrade_below: Ratio::int(60),
            downgrade_periods: 2,
            probation_below: Ratio::int(70),
            probation_grade: Grade::E,
            upgrade_from: Ratio::int(85),
            upgrade_grade: Grade::B,
            upgrade_periods: 2,
            upgrade_minimum_answers: 30,
            upgrade_lower_bound: share(3, 4),
            evidence_coverage: Ratio::int(60),
            evidence_upper_bound: share(17, 20),
            red_line_wait_months: 12,
            refused_upgrade_wait_months: 6,
            criteria_notice_days: 90,
            plan_due_days: 15,
            probation_days: 90,
        }
    }
}

pub(super) fn read_review(
    out: &mut Out,
    mut s: Section<'_>,
    programme: Option<&ProgrammeRules>,
) -> Option<ReviewRules> {
    let held_in_months = read_months(out, &mut s, programme);
    let score_periods = s.count(out, "score_periods", 1..=MAX_MONTHS);
    let score_minimum_periods = s.count(out, "score_minimum_periods", 1..=MAX_MONTHS);
    let hysteresis_points = s.ratio(out, "hysteresis_points", Within::Hundred);
    let downgrade_below = s.ratio(out, "downgrade_below", Within::Hundred);
    let downgrade_periods = s.count(out, "downgrade_periods", 1..=MAX_MONTHS);
    let probation_below = s.ratio(out, "probation_below", Within::Hundred);
    let grades = Grade::ALL.map(|g| (g.as_str(), g));
    let probation_grade = s.choice(out, "probation_grade", &grades);
    let upgrade_from = s.ratio(out, "upgrade_from", Within::Hundred);
    let upgrade_grade = s.choice(out, "upgrade_grade", &grades);
    let upgrade_periods = s.count(out, "upgrade_periods", 1..=MAX_MONTHS);
    let upgrade_minimum_answers = s.count(out, "upgrade_minimum_answers", 0..=MAX_COUNT);
    let upgrade_lower_bound = s.ratio(out, "upgrade_lower_bound", Within::Share);
    let evidence_coverage = s.ratio(out, "evidence_coverage", Within::Hundred);
    let evidence_upper_bound = s.ratio(out, "evidence_upper_bound", Within::Share);
    let red_line_wait_months = s.count(out, "red_line_wait_months", 0..=MAX_MONTHS);
    let refused_upgrade_wait_months = s.count(out, "refused_upgrade_wait_months", 0..=MAX_MONTHS);
    let criteria_notice_days = s.count(out, "criteria_notice_days", 0..=MAX_DAYS);
    let plan_due_days = s.count(out, "plan_due_days", 0..=MAX_DAYS);
    let probation_days = s.count(out, "probation_days", 0..=MAX_DAYS);
    let rules = (|| {
        Some(ReviewRules {
            held_in_months: held_in_months?,
            score_periods: score_periods?,
            score_minimum_periods: score_minimum_periods?,
            hysteresis_points: hysteresis_points?,
            downgrade_below: downgrade_below?,
            downgrade_periods: downgrade_periods?,
            probation_below: probation_below?,
            probation_grade: probation_grade?,
            upgrade_from: upgrade_from?,
            upgrade_grade: upgrade_grade?,
            upgrade_periods: upgrade_periods?,
            upgrade_minimum_answers: upgrade_minimum_answers?,
            upgrade_lower_bound: upgrade_lower_bound?,
            evidence_coverage: evidence_coverage?,
            evidence_upper_bound: evidence_upper_bound?,
            red_line_wait_months: red_line_wait_months?,
            refused_upgrade_wait_months: refused_upgrade_wait_months?,
            criteria_notice_days: criteria_notice_days?,
            plan_due_days: plan_due_days?,
            probation_days: probation_days?,
        })
    })();
    let rules = rules.filter(|rules| check(out, &s, rules));
    s.finish(out);
    rules
}

/// What must hold between the values.
fn check(out: &mut Out, s: &Section<'_>, rules: &ReviewRules) -> bool {
    let mut wrong = |key: &str, message: String, remedy: &str| {
        out.error(s.origin_of(key), &s.at(key), "rules.value", message, remedy);
        false
    };
    let mut sound = true;
    if rules.score_minimum_periods > rules.score_periods {
        let message = format!(
            "{} periods must be rated, but only {} are looked at",
            rules.score_minimum_periods, rules.score_periods
        );
        sound = wrong(
            "score_minimum_periods",
            message,
            "let score_minimum_periods be no more than score_periods",
        );
    }
    if rules.downgrade_below > rules.probation_below || rules.probation_below > rules.upgrade_from {
        let message = "the thresholds do not rise from downgrade_below over probation_below to upgrade_from".to_owned();
        sound = wrong("probation_below", message, "correct the three thresholds");
    }
    if rules.plan_due_days > rules.probation_days {
        let message = format!(
            "the plan is due after {} days, when probation is over after {}",
            rules.plan_due_days, rules.probation_days
        );
        sound = wrong("plan_due_days", message, "let the plan be due before the decision");
    }
    sound
}

/// Months on whose first day an evaluation period begins, so that a review looks at whole periods.
fn read_months(out: &mut Out, s: &mut Section<'_>, programme: Option<&ProgrammeRules>) -> Option<Vec<u32>> {
    const KEY: &str = "held_in_months";
    let item = s.need(out, KEY, "[10]")?;
    let path = s.at(KEY);
    let Node::List(items) = &item.node else {
        out.wrong_type(
            item,
            &path,
            "a list of months",
            "write a list of months, 1 to 12: [4, 10]",
        );
        return None;
    };
    let mut months: Vec<u32> = Vec::new();
    let mut whole = true;
    for (i, entry) in items.iter().enumerate() {
        let at = format!("{path}[{i}]");
        let month = match entry.node {
            Node::Int(n) => u32::try_from(n).ok().filter(|n| (1..=12).contains(n)),
            _ => None,
        };
        let problem = match month {
            None => Some("a month is a whole number from 1 to 12".to_owned()),
            Some(month) if months.contains(&month) => Some(format!("month {month} stands twice")),
            Some(month) => programme.filter(|p| !begins_in(p, month)).map(|_| {
                format!("no evaluation period begins in month {month}, so a review then would cut one in two")
            }),
        };
        match (problem, month) {
            (None, Some(month)) => months.push(month),
            (problem, _) => {
                let message = problem.unwrap_or_default();
                out.error(
                    &entry.origin,
                    &at,
                    "rules.value",
                    message,
                    "name months in which a period begins",
                );
                whole = false;
            }
        }
    }
    months.sort_unstable();
    let shown: Vec<String> = months.iter().map(ToString::to_string).collect();
    out.note(&path, item, shown.join(", "), format!("{months:?}"));
    whole.then_some(months)
}

/// Whether an evaluation period begins in a calendar month.
fn begins_in(programme: &ProgrammeRules, month: u32) -> bool {
    use chrono::Datelike;
    let first = crate::domain::Date::from_ymd_opt(2026, month, 1);
    first.is_some_and(|day| day.day() == 1 && super::read::begins(programme, day, programme.evaluation_period))
}
