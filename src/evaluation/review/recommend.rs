//! The recommendation: the first row of the table that applies, and the state of every criterion.
//!
//! Duty: conditions over a case, by the rules of its region. Not its duty: what a condition asks about (`case`).
//!
//! | recommendation | when |
//! |---|---|
//! | suspend | black |
//! | downgrade one star | below the edge in so many last periods, each on sufficient evidence; a probation failed; criteria unmet so long after a notice |
//! | probation | a mean below the edge, the grade in a period, a gap in the criteria of the present star |
//! | upgrade one star | all of its conditions |
//! | keep | otherwise |
//!
//! The edges move in favour of the present star: down for a downgrade and a probation, up for an upgrade. Between
//! regular reviews low scores of several periods lead to a probation, and nothing leads to an upgrade.

use super::case::{Case, answers, mean};
use super::evidence::Seen;
use super::plans::Outcome;
use crate::domain::time::add_days;
use crate::domain::{Grade, Ratio, Rounding};
use crate::evaluation::certifications::{HIGHEST_STARS, LOWEST_STARS};
use crate::evaluation::criteria::Criterion;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recommendation {
    Suspend,
    Downgrade,
    Probation,
    Upgrade,
    Keep,
}

impl Recommendation {
    pub fn as_str(self) -> &'static str {
        match self {
            Recommendation::Suspend => "suspend",
            Recommendation::Downgrade => "downgrade",
            Recommendation::Probation => "probation",
            Recommendation::Upgrade => "upgrade",
            Recommendation::Keep => "keep",
        }
    }
}

/// One line of `review_criteria`. `holds`: none where the data does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub group: &'static str,
    pub name: &'static str,
    pub needed: String,
    pub found: String,
    pub holds: Option<bool>,
}

/// The recommendation with everything it rests on.
#[derive(Clone, Debug)]
pub(super) struct Recommended {
    pub recommendation: Recommendation,
    /// None where no star is left.
    pub stars_after: Option<i64>,
    /// Codes and words.
    pub reasons: Vec<(&'static str, String)>,
    pub score: Option<Ratio>,
    pub rated_periods: usize,
    pub criteria: Vec<Line>,
}

impl Case<'_> {
    pub fn recommend(&self) -> Recommended {
        let rules = &self.book.review;
        let seen = self.seen(rules.score_periods);
        let (score, rated_periods) = mean(&seen);
        let score = score.filter(|_| rated_periods >= rules.score_minimum_periods);
        let stars = self.version.stars;
        let counted = self.counted();
        let of_stars = |stars: i64| counted.as_ref().and_then(|c| self.criteria(c, stars));
        let (present, next) = (of_stars(stars), of_stars(stars + 1));
        let gap = present.as_ref().and_then(|c| self.are_met(c)).map(|met| !met);

        let mut lines = vec![self.black()];
        lines.extend(self.downgrade(gap));
        lines.extend(self.probation_lines(&seen, score.as_ref(), present.as_deref(), gap));
        lines.extend(self.star_lines("present_star", present.as_deref()));
        if stars < HIGHEST_STARS {
            lines.extend(self.star_lines("next_star", next.as_deref()));
            lines.extend(self.upgrade(&seen, score.as_ref(), next.as_deref()));
        }
        let (recommendation, reasons) = self.first(&lines);
        let stars_after = match recommendation {
            Recommendation::Upgrade => Some(stars + 1),
            Recommendation::Downgrade => Some(stars - 1).filter(|s| *s >= LOWEST_STARS),
            _ => Some(stars),
        };
        Recommended {
            recommendation,
            stars_after,
            reasons,
            score,
            rated_periods,
            criteria: lines,
        }
    }

    /// The first row of the table that applies.
    fn first(&self, lines: &[Line]) -> (Recommendation, Vec<(&'static str, String)>) {
        let holding = |group: &str| -> Vec<(&'static str, String)> {
            let of = lines.iter().filter(|l| l.group == group && l.holds == Some(true));
            of.map(|l| (l.name, format!("{}: {}", l.name.replace('_', " "), l.found)))
                .collect()
        };
        if &*self.version.status == "suspended" {
            let reason = "it is suspended: only a decision to reinstate it ends that".to_owned();
            return (Recommendation::Keep, vec![("suspended", reason)]);
        }
        let suspend = holding("suspend");
        if !suspend.is_empty() {
            return (Recommendation::Suspend, suspend);
        }
        let mut downgrade = holding("downgrade");
        if !self.is_regular() {
            downgrade.retain(|(code, _)| *code != LOW_SCORES);
        }
        if !downgrade.is_empty() {
            return (Recommendation::Downgrade, downgrade);
        }
        let mut probation = holding("probation");
        if !self.is_regular() {
            // told at the regular review already, unless the period itself says so
            probation.retain(|(code, _)| *code != LOW_GRADE || self.low_now());
        }
        if !probation.is_empty() {
            if self.probation().is_some_and(|p| p.ended.is_none()) {
                let reason = "a probation is running: its outcome is still to be decided".to_owned();
                return (Recommendation::Keep, vec![("probation_running", reason)]);
            }
            return (Recommendation::Probation, probation);
        }
        let conditions: Vec<&Line> = lines.iter().filter(|l| l.group == "upgrade").collect();
        let unmet: Vec<&&Line> = conditions.iter().filter(|l| l.holds != Some(true)).collect();
        if !conditions.is_empty() && unmet.is_empty() && self.is_regular() {
            return (Recommendation::Upgrade, holding("upgrade"));
        }
        let reason = match unmet.as_slice() {
            _ if conditions.is_empty() => "it has the most stars there are".to_owned(),
            [] => "nothing speaks against it".to_owned(),
            unmet => {
                let names: Vec<String> = unmet.iter().map(|l| l.name.replace('_', " ")).collect();
                format!("no upgrade: {}", names.join(", "))
            }
        };
        (Recommendation::Keep, vec![("keep", reason)])
    }

    /// Whether the period itself has the grade that leads to a probation.
    fn low_now(&self) -> bool {
        let now = self.seen(1);
        now.iter().any(|s| {
            s.grade
                .is_some_and(|g| worse_or_same(g, self.book.review.probation_grade))
        })
    }

    fn black(&self) -> Line {
        let until = self.black_until();
        Line {
            group: "suspend",
            name: "black",
            needed: format!("black on a day of {}", self.period),
            found: until.map_or_else(|| "not black".to_owned(), |day| format!("black until {day}")),
            holds: Some(until.is_some()),
        }
    }

    fn downgrade(&self, gap: Option<bool>) -> [Line; 3] {
        let rules = &self.book.review;
        let edge = &rules.downgrade_below - &rules.hysteresis_points;
        let last = self.seen(rules.downgrade_periods);
        let low = last
            .iter()
            .all(|s| s.score.as_ref().is_some_and(|score| *score < edge) && self.suffices(s));
        let weak = last.iter().any(|s| s.score.is_some() && !self.suffices(s));
        let probation = self.probation().filter(|p| p.from < self.review_on);
        let failed = probation.and_then(|p| p.ended).filter(|(o, ..)| *o == Outcome::Failed);
        // a decision after it has dealt with it
        let failed = failed.filter(|(_, on, _)| !self.acts().any(|a| a.verdict.decides() && a.from >= *on));
        let noticed = self.noticed_on();
        let overdue = noticed.is_some_and(|day| add_days(day, rules.criteria_notice_days) <= self.review_on);
        [
            Line {
                group: "downgrade",
                name: LOW_SCORES,
                needed: format!(
                    "below {} in each of the last {} periods, on sufficient evidence",
                    shown(&edge),
                    rules.downgrade_periods
                ),
                found: format!(
                    "{}{}",
                    scores(&last),
                    if weak { "; evidence does not suffice" } else { "" }
                ),
                holds: Some(low),
            },
            Line {
                group: "downgrade",
                name: "probation_failed",
                needed: "a probation that failed".to_owned(),
                found: failed
                    .as_ref()
                    .map_or_else(|| "none".to_owned(), |(_, on, by)| format!("failed on {on} ({by})")),
                holds: Some(failed.is_some()),
            },
            Line {
                group: "downgrade",
                name: "criteria_after_notice",
                needed: format!("star criteria unmet {} days after a notice", rules.criteria_notice_days),
                found: match (noticed, gap) {
                    (None, _) => "no notice".to_owned(),
                    (Some(day), Some(true)) => format!("noticed on {day}, and still unmet"),
                    (Some(day), _) => format!("noticed on {day}"),
                },
                holds: gap
                    .map(|gap| gap && overdue)
                    .or(Some(false).filter(|_| noticed.is_none())),
            },
        ]
    }

    fn probation_lines(
        &self,
        seen: &[Seen],
        score: Option<&Ratio>,
        present: Option<&[Criterion]>,
        gap: Option<bool>,
    ) -> [Line; 3] {
        let rules = &self.book.review;
        let edge = &rules.probation_below - &rules.hysteresis_points;
        let grades: Vec<Grade> = seen.iter().filter_map(|s| s.grade).collect();
        let low = grades.iter().any(|g| worse_or_same(*g, rules.probation_grade));
        let unmet = present.map(unmet);
        [
            Line {
                group: "probation",
                name: "low_score",
                needed: format!("a mean below {}", shown(&edge)),
                found: score.map_or_else(|| "too few rated periods".to_owned(), shown),
                holds: score.map(|score| *score < edge),
            },
            Line {
                group: "probation",
                name: LOW_GRADE,
                needed: format!("grade {} in a period", rules.probation_grade),
                found: listed(grades.iter().map(Grade::to_string)),
                holds: Some(low),
            },
            Line {
                group: "probation",
                name: "criteria_gap",
                needed: format!("criteria of {} stars unmet", self.version.stars),
                found: unmet
                    .clone()
                    .unwrap_or_else(|| "no star criteria in the rules".to_owned()),
                holds: gap,
            },
        ]
    }

    /// The criteria of a star grade, line by line.
    fn star_lines(&self, group: &'static str, criteria: Option<&[Criterion]>) -> Vec<Line> {
        let line = |c: &Criterion| Line {
            group,
            name: c.id.as_str(),
            needed: shown(&c.needed),
            found: shown(&c.found),
            holds: self.is_met(c),
        };
        criteria.unwrap_or_default().iter().map(line).collect()
    }

    fn upgrade(&self, seen: &[Seen], score: Option<&Ratio>, next: Option<&[Criterion]>) -> Vec<Line> {
        let rules = &self.book.review;
        let edge = &rules.upgrade_from + &rules.hysteresis_points;
        let line = |name, needed, found, holds| Line {
            group: "upgrade",
            name,
            needed,
            found,
            holds,
        };
        let last = self.seen(rules.upgrade_periods);
        let good = |s: &Seen| s.grade.is_some_and(|g| better_or_same(g, rules.upgrade_grade));
        let answers = answers(seen);
        let lower = answers.interval().map(|(lower, _)| lower);
        let (red, refused) = (self.red_line_of_late(), self.refused_upgrade_on());
        vec![
            line(
                "score",
                format!("a mean of {} or more", shown(&edge)),
                score.map_or_else(|| "too few rated periods".to_owned(), shown),
                score.map(|score| *score >= edge),
            ),
            line(
                "last_grades",
                format!(
                    "{} or better in the last {} periods",
                    rules.upgrade_grade, rules.upgrade_periods
                ),
                listed(
                    last.iter()
                        .map(|s| s.grade.map_or_else(|| "none".to_owned(), |g| g.to_string())),
                ),
                Some(last.iter().all(good)),
            ),
            line(
                "next_star_criteria",
                format!("criteria of {} stars met", self.version.stars + 1),
                next.map_or_else(|| "no star criteria in the rules".to_owned(), unmet),
                next.and_then(|c| self.are_met(c)),
            ),
            line(
                "answers",
                format!("{} answers or more", rules.upgrade_minimum_answers),
                answers.n.to_string(),
                Some(answers.n >= rules.upgrade_minimum_answers),
            ),
            line(
                "lower_bound",
                format!("a lower Wilson bound of {} or more", shown(&rules.upgrade_lower_bound)),
                lower.as_ref().map_or_else(|| "no answers".to_owned(), shown),
                lower.map(|lower| lower >= rules.upgrade_lower_bound),
            ),
            line(
                "no_red_line",
                format!("neither black nor yellow in {} months", rules.red_line_wait_months),
                if red { "black or yellow" } else { "neither" }.to_owned(),
                Some(!red),
            ),
            line(
                "no_refused_upgrade",
                format!("no refused upgrade in {} months", rules.refused_upgrade_wait_months),
                refused.map_or_else(|| "none".to_owned(), |day| format!("refused on {day}")),
                Some(refused.is_none()),
            ),
        ]
    }
}

const LOW_SCORES: &str = "low_scores";
const LOW_GRADE: &str = "low_grade";

fn unmet(criteria: &[Criterion]) -> String {
    let of = criteria.iter().filter(|c| !c.met());
    let each = of.map(|c| {
        format!(
            "{} of {} {}",
            shown(&c.found),
            shown(&c.needed),
            c.id.as_str().replace('_', " ")
        )
    });
    let all = listed(each);
    if all == "none" { "all met".to_owned() } else { all }
}

fn scores(seen: &[Seen]) -> String {
    listed(
        seen.iter()
            .map(|s| s.score.as_ref().map_or_else(|| "not rated".to_owned(), shown)),
    )
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

/// For people: at most four decimals, without trailing zeros.
fn shown(ratio: &Ratio) -> String {
    let text = ratio
        .round(4, Rounding::HalfAwayFromZero)
        .map_or_else(|| ratio.to_string(), |dec| dec.to_string());
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

fn rank(grade: Grade) -> usize {
    Grade::ALL.iter().position(|g| *g == grade).unwrap_or(Grade::ALL.len())
}

fn worse_or_same(grade: Grade, edge: Grade) -> bool {
    rank(grade) >= rank(edge)
}

fn better_or_same(grade: Grade, edge: Grade) -> bool {
    rank(grade) <= rank(edge)
}
