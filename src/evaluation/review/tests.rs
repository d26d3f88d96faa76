//! Recommendations, row by row of the table, with each edge; the review is that of 2026-Q3, on 1 October 2026.

use std::collections::BTreeMap;

use super::*;
use crate::domain::Instant;
use crate::domain::time::parse_date;
use crate::evaluation::review_acts::Verdict;
use crate::evaluation::tables;
use crate::evaluation::testing::{World, dec, domain, partner};
use crate::rules::{EngineerLevel, StarCriteria, StarNeeds};

const QUARTERS: [&str; 4] = ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"];

fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

/// One certification of P1 in cloud, and what is known of it.
struct World4 {
    stars: i64,
    status: &'static str,
    /// Final and grade of the four quarters, such as `88 B`; `-`: not rated.
    finals: [&'static str; 4],
    /// Answers of each quarter, and the share satisfied.
    answers: (i64, &'static str),
    coverage: &'static str,
    quality: &'static str,
    engineers: usize,
    /// `day outcome [effective_on]`.
    acts: Vec<&'static str>,
    /// First day and end of a freeze and of a hold.
    black: Option<(&'static str, &'static str)>,
    yellow: Option<(&'static str, &'static str)>,
    months: Vec<u32>,
    periods: Vec<&'static str>,
}

/// Four stars, good enough for nothing but to keep them.
fn steady() -> World4 {
    World4 {
        stars: 4,
        status: "active",
        finals: ["80 B", "80 B", "80 B", "80 B"],
        answers: (20, "0.9"),
        coverage: "100",
        quality: "rated",
        engineers: 2,
        acts: Vec::new(),
        black: None,
        yellow: None,
        months: vec![10],
        periods: vec!["2026-Q3"],
    }
}

/// What an upgrade asks for: 87 with the hysteresis, three engineers, 80 answers.
fn excellent() -> World4 {
    World4 {
        finals: ["87 B", "87 B", "87 B", "87 B"],
        engineers: 3,
        ..steady()
    }
}

impl World4 {
    /// Rows of `reviews` as `period occasion recommendation→stars codes`, and the tables.
    fn run(&self) -> (Vec<String>, Reviewed) {
        let mut world = World::new(&self.periods);
        world.partner("P1", "emea");
        world.book("emea").review.held_in_months = self.months.clone();
        let needs = |engineers| StarNeeds {
            engineers,
            senior_engineers: 0,
            project_managers: 0,
            trainings: 0,
            credits: dec("0"),
        };
        world.book("emea").star_criteria = Some(StarCriteria {
            certificate_outlasts_days: 90,
            training_days: 365,
            senior_level: EngineerLevel::Professional,
            stars: BTreeMap::from([(3, needs(1)), (4, needs(2)), (5, needs(3))]),
        });
        let text = |columns: &str| -> Vec<String> { columns.split_whitespace().map(str::to_owned).collect() };
        let table = |name: &str, columns: &str| Table::with_columns(name, text(columns));
        let mut scores = Table::new("scores", &tables::SCORES);
        let mut metrics = Table::new("metrics", &tables::METRICS);
        let fill = |columns: &[&str], named: &[(&str, Value)]| -> Row {
            let value = |column: &&str| {
                named
                    .iter()
                    .find(|(n, _)| n == column)
                    .map_or(Value::Null, |(_, v)| v.clone())
            };
            columns.iter().map(value).collect()
        };
        let number = |text: &str| Value::Dec(crate::domain::Dec::parse(text).unwrap());
        for (quarter, seen) in QUARTERS.iter().zip(self.finals) {
            let (score, grade) = seen.split_once(' ').unzip();
            let key = [
                ("partner_id", "P1".into()),
                ("domain", "cloud".into()),
                ("period", (*quarter).into()),
            ];
            let mut row = key.to_vec();
            row.push(("final", score.map_or(Value::Null, number)));
            row.push(("grade", grade.into()));
            row.push(("coverage", number(self.coverage)));
            scores.push(fill(&tables::SCORES, &row));
            let mut row = key.to_vec();
            row.extend([
                ("metric", "satisfaction".into()),
                ("state", "rated".into()),
                ("n", self.answers.0.into()),
                ("n_eff", number(&self.answers.0.to_string())),
                ("raw", number(self.answers.1)),
            ]);
            metrics.push(fill(&tables::METRICS, &row));
            let mut row = key.to_vec();
            row.extend([
                ("metric", "quality".into()),
                ("state", self.quality.into()),
                ("n", 3.into()),
            ]);
            metrics.push(fill(&tables::METRICS, &row));
        }
        let mut engineers = table(
            "engineers",
            "engineer_id certificate_code partner_id domain level role issued_on expires_on revoked_on",
        );
        for i in 0..self.engineers {
            engineers.push(vec![
                format!("E{i}").into(),
                "HC".into(),
                "P1".into(),
                "cloud".into(),
                "associate".into(),
                "engineer".into(),
                day("2024-01-01").into(),
                Value::Null,
                Value::Null,
            ]);
        }
        let mut certifications = table(
            "effective_certifications",
            "partner_id domain valid_from stars standard valid_to status decision_id",
        );
        certifications.push(vec![
            "P1".into(),
            "cloud".into(),
            day("2025-01-01").into(),
            self.stars.into(),
            "2025".into(),
            day("2028-01-01").into(),
            self.status.into(),
            Value::Null,
        ]);
        let act = |(i, text): (usize, &&str)| {
            let words: Vec<&str> = text.split(' ').collect();
            let decided_on = day(words[0]);
            ReviewAct {
                from: words.get(2).map_or(decided_on, |d| day(d)),
                decided_at: Instant::parse(&format!("{}T10:00:00Z", words[0])).unwrap(),
                decided_on,
                decision_id: format!("D{i}").into(),
                partner: partner("P1"),
                domain: domain("cloud"),
                verdict: Verdict::parse(words[1]).unwrap(),
                by: "ann".into(),
                reason: "checked".into(),
            }
        };
        let mut acts: Vec<ReviewAct> = self.acts.iter().enumerate().map(act).collect();
        acts.sort();
        let span = |s: Option<(&str, &str)>| s.map(|(from, until)| (day(from), day(until)));
        let freezes: Vec<Freeze> = span(self.black)
            .map(|(from, until)| Freeze {
                partner: partner("P1"),
                from,
                until,
            })
            .into_iter()
            .collect();
        let holds: Vec<Hold> = span(self.yellow)
            .map(|(from, until)| Hold {
                partner: partner("P1"),
                from,
                until,
            })
            .into_iter()
            .collect();
        let inputs = ReviewInputs {
            periods: &world.inputs.periods,
            scores: &scores,
            metrics: &metrics,
            deliveries: &table("measures_deliveries", "partner_id domain period completed"),
            partner_periods: &world.inputs.partner_periods,
            certifications: &certifications,
            domains: &table("domains", "domain member_of"),
            engineers: &engineers,
            enablement: &table("enablement", "event_id partner_id domain credits completed_on"),
            acts: &acts,
            freezes: &freezes,
            holds: &holds,
            sealed: &table("reviews", ""),
        };
        let reviewed = review(&inputs, &world.library).unwrap();
        let shown = |row: RowShown| {
            let to = if row.3.is_empty() { "-" } else { &row.3 };
            format!("{} {} {}→{to} {}", row.0, row.1, row.2, row.4)
        };
        let rows = reviewed.reviews.iter().map(|r| {
            let text = |c: &str| r.get(c).unwrap().to_string();
            shown((
                text("period"),
                text("occasion"),
                text("recommendation"),
                text("recommended_stars"),
                text("reason_codes"),
            ))
        });
        (rows.collect(), reviewed)
    }

    /// The one regular review.
    fn one(&self) -> String {
        let (rows, _) = self.run();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows[0].strip_prefix("2026-Q3 regular ").unwrap().to_owned()
    }
}

type RowShown = (String, String, String, String, String);

#[test]
fn keep_is_what_is_left() {
    assert_eq!(steady().one(), "keep→4 keep");
    // not rated: keep, no upgrade
    let unrated = World4 {
        finals: ["-"; 4],
        ..excellent()
    };
    assert_eq!(unrated.one(), "keep→4 keep");
    let suspended = World4 {
        status: "suspended",
        ..excellent()
    };
    assert_eq!(suspended.one(), "keep→4 suspended");
    // what is revoked is not reviewed
    assert_eq!(
        World4 {
            status: "revoked",
            ..excellent()
        }
        .run()
        .0,
        Vec::<String>::new()
    );
}

#[test]
fn black_recommends_suspension_before_all_else() {
    let black = |from, until| World4 {
        black: Some((from, until)),
        finals: ["50 E"; 4],
        ..steady()
    };
    assert_eq!(black("2026-09-30", "2026-12-29").one(), "suspend→4 black");
    // the end is exclusive: the last day of this freeze was 30 June
    assert_eq!(black("2026-04-02", "2026-07-01").one(), "downgrade→3 low_scores");
    assert_eq!(black("2026-04-02", "2026-07-02").one(), "suspend→4 black");
    // a freeze that begins after the period is not of this review
    assert_eq!(black("2026-10-01", "2026-12-30").one(), "downgrade→3 low_scores");
}

#[test]
fn a_downgrade_asks_for_two_low_quarters_on_sufficient_evidence() {
    let of = |finals| World4 { finals, ..steady() };
    // 60, two points in favour of the present star
    assert_eq!(
        of(["80 B", "80 B", "57.99 E", "57.99 E"]).one(),
        "downgrade→3 low_scores"
    );
    assert_eq!(
        of(["80 B", "80 B", "57.99 E", "58.00 E"]).one(),
        "probation→4 low_grade"
    );
    assert_eq!(
        of(["80 B", "57 E", "-", "57 E"]).one(),
        "probation→4 low_score low_grade"
    );
    let three = World4 {
        stars: 3,
        ..of(["80 B", "80 B", "50 E", "50 E"])
    };
    assert_eq!(three.one(), "downgrade→- low_scores");
    // coverage and quality, or answers that are bad for sure: of 20 with 60 % the upper bound is 0.781
    let weak = |coverage, quality, share| World4 {
        coverage,
        quality,
        answers: (20, share),
        ..of(["80 B", "80 B", "50 E", "50 E"])
    };
    assert_eq!(weak("60", "rated", "0.9").one(), "downgrade→3 low_scores");
    assert_eq!(weak("59.99", "rated", "0.9").one(), "probation→4 low_score low_grade");
    assert_eq!(
        weak("100", "insufficient", "0.9").one(),
        "probation→4 low_score low_grade"
    );
    assert_eq!(weak("59.99", "insufficient", "0.6").one(), "downgrade→3 low_scores");
}

#[test]
fn a_mean_below_68_one_e_or_a_gap_leads_to_probation() {
    let of = |finals| World4 { finals, ..steady() };
    assert_eq!(of(["68 D", "68 D", "68 D", "68 D"]).one(), "keep→4 keep");
    assert_eq!(of(["67.99 D", "68 D", "68 D", "68 D"]).one(), "probation→4 low_score");
    // three rated quarters are enough, two are not
    assert_eq!(of(["-", "65 D", "65 D", "65 D"]).one(), "probation→4 low_score");
    assert_eq!(of(["-", "-", "65 D", "65 D"]).one(), "keep→4 keep");
    assert_eq!(of(["59 E", "80 B", "80 B", "80 B"]).one(), "probation→4 low_grade");
    let gap = World4 {
        engineers: 1,
        ..steady()
    };
    assert_eq!(gap.one(), "probation→4 criteria_gap");
}

#[test]
fn an_upgrade_asks_for_everything() {
    assert_eq!(
        excellent().one(),
        "upgrade→5 score last_grades next_star_criteria answers lower_bound no_red_line no_refused_upgrade"
    );
    let kept = |world: World4, why: &str| {
        let (rows, reviewed) = world.run();
        assert_eq!(rows, ["2026-Q3 regular keep→4 keep"]);
        let reason = reviewed
            .reviews
            .iter()
            .next()
            .unwrap()
            .text("reason")
            .unwrap()
            .to_owned();
        assert_eq!(reason, format!("no upgrade: {why}"));
    };
    // 85, two points more: 86.99 is not enough
    kept(
        World4 {
            finals: ["87 B", "87 B", "87 B", "86.96 B"],
            ..excellent()
        },
        "score",
    );
    kept(
        World4 {
            finals: ["95 A", "95 A", "90 A", "79 C"],
            ..excellent()
        },
        "last grades",
    );
    kept(
        World4 {
            finals: ["95 A", "95 A", "95 A", "-"],
            ..excellent()
        },
        "last grades",
    );
    kept(
        World4 {
            engineers: 2,
            ..excellent()
        },
        "next star criteria",
    );
    // 28 answers of 0.93: too few, and a lower bound of 0.774
    kept(
        World4 {
            answers: (7, "0.93"),
            ..excellent()
        },
        "answers",
    );
    // 80 answers of 0.83: a lower bound of 0.733
    kept(
        World4 {
            answers: (20, "0.83"),
            ..excellent()
        },
        "lower bound",
    );
    // the twelve months begin on 1 October 2025; the end of a hold is exclusive
    kept(
        World4 {
            yellow: Some(("2025-08-03", "2025-10-02")),
            ..excellent()
        },
        "no red line",
    );
    assert!(
        World4 {
            yellow: Some(("2025-08-02", "2025-10-01")),
            ..excellent()
        }
        .one()
        .starts_with("upgrade")
    );
    // six months begin on 1 April 2026
    kept(
        World4 {
            acts: vec!["2026-04-02 refuse_upgrade"],
            ..excellent()
        },
        "no refused upgrade",
    );
    assert!(
        World4 {
            acts: vec!["2026-04-01 refuse_upgrade"],
            ..excellent()
        }
        .one()
        .starts_with("upgrade")
    );
    assert_eq!(
        World4 {
            stars: 5,
            engineers: 3,
            ..excellent()
        }
        .one(),
        "keep→5 keep"
    );
}

#[test]
fn a_failed_probation_and_an_old_notice_feed_the_review() {
    let acted = |acts: &[&'static str]| World4 {
        acts: acts.to_vec(),
        ..steady()
    };
    let failed = [
        "2026-05-01 probation",
        "2026-05-10 plan_received",
        "2026-07-30 probation_failed",
    ];
    assert_eq!(acted(&failed).one(), "downgrade→3 probation_failed");
    assert_eq!(
        acted(&["2026-05-01 probation", "2026-07-30 probation_passed"]).one(),
        "keep→4 keep"
    );
    // a decision after it has dealt with it; one that holds only from the day of the review on has not
    assert_eq!(acted(&[failed[0], failed[2], "2026-08-01 keep"]).one(), "keep→4 keep");
    assert_eq!(
        acted(&[failed[0], failed[2], "2026-10-01 keep"]).one(),
        "downgrade→3 probation_failed"
    );
    // while a probation runs there is no second one
    let running = World4 {
        finals: ["60 D"; 4],
        ..acted(&["2026-08-01 probation"])
    };
    assert_eq!(running.one(), "keep→4 probation_running");
    // 90 days after 3 July are 1 October
    let gap = |acts: &[&'static str]| {
        World4 {
            engineers: 1,
            ..acted(acts)
        }
        .one()
    };
    assert_eq!(gap(&["2026-07-03 notice"]), "downgrade→3 criteria_after_notice");
    assert_eq!(gap(&["2026-07-04 notice"]), "probation→4 criteria_gap");
    assert_eq!(
        gap(&["2026-06-01 notice", "2026-06-15 keep"]),
        "probation→4 criteria_gap"
    );
    assert_eq!(acted(&["2026-07-03 notice"]).one(), "keep→4 keep");
}

#[test]
fn between_regular_reviews_only_what_cannot_wait_is_told() {
    let between = |world: World4| {
        World4 {
            months: vec![4],
            ..world
        }
        .run()
        .0
    };
    assert_eq!(between(excellent()), Vec::<String>::new());
    // two low quarters are a downgrade at the regular review, and a probation between
    let low = World4 {
        finals: ["80 B", "80 B", "50 E", "50 E"],
        ..steady()
    };
    assert_eq!(between(low), ["2026-Q3 between probation→4 low_score low_grade"]);
    // an E of an earlier quarter was told then
    let earlier = World4 {
        finals: ["80 B", "80 B", "55 E", "80 B"],
        ..steady()
    };
    assert_eq!(between(earlier), Vec::<String>::new());
    let black = World4 {
        black: Some(("2026-09-01", "2026-11-30")),
        ..steady()
    };
    assert_eq!(between(black), ["2026-Q3 between suspend→4 black"]);
    let failed = World4 {
        acts: vec!["2026-05-01 probation", "2026-07-30 probation_failed"],
        ..steady()
    };
    assert_eq!(between(failed), ["2026-Q3 between downgrade→3 probation_failed"]);
}

#[test]
fn the_decision_stands_beside_its_review() {
    let world = World4 {
        months: vec![1, 4, 7, 10],
        periods: vec!["2026-Q2", "2026-Q3"],
        acts: vec![
            "2026-06-30 keep",
            "2026-09-30 probation",
            "2026-10-01 downgrade 2026-11-01",
            "2026-10-05 notice",
        ],
        ..steady()
    };
    let (_, reviewed) = world.run();
    let beside: Vec<String> = reviewed
        .reviews
        .iter()
        .map(|r| {
            let text = |c: &str| r.get(c).unwrap().to_string();
            format!("{} {} {}", text("period"), text("decision"), text("effective_on"))
        })
        .collect();
    assert_eq!(beside, ["2026-Q2 probation 2026-09-30", "2026-Q3 downgrade 2026-11-01"]);
}

/// Trainings of the year before a review can only be missing where the feeds reach back so far.
#[test]
fn what_may_lie_before_the_first_day_is_unknown() {
    let mut world = World::new(&["2026-Q3"]);
    let needs = StarNeeds {
        engineers: 0,
        senior_engineers: 0,
        project_managers: 0,
        trainings: 1,
        credits: dec("0"),
    };
    world.book("emea").star_criteria = Some(StarCriteria {
        certificate_outlasts_days: 90,
        training_days: 365,
        senior_level: EngineerLevel::Professional,
        stars: BTreeMap::from([(4, needs)]),
    });
    let version = crate::evaluation::certifications::Version {
        valid_from: day("2025-01-01"),
        valid_to: day("2028-01-01"),
        stars: 4,
        standard: "2025".into(),
        status: "active".into(),
        decision_id: None,
    };
    let roster = crate::evaluation::criteria::Roster::default();
    let empty = Table::new("empty", &[]);
    let scores = Table::new("scores", &tables::SCORES);
    let inputs = ReviewInputs {
        periods: &[],
        scores: &scores,
        metrics: &empty,
        deliveries: &empty,
        partner_periods: &empty,
        certifications: &empty,
        domains: &empty,
        engineers: &empty,
        enablement: &empty,
        acts: &[],
        freezes: &[],
        holds: &[],
        sealed: &empty,
    };
    let evidence = Evidence::read(&inputs, &roster.members).unwrap();
    let (who, what) = (partner("P1"), domain("cloud"));
    let met = |review_on: &str| {
        let book = &world.library.books[&crate::evaluation::testing::region("emea")];
        let case = Case {
            book,
            partner: &who,
            domain: &what,
            period: crate::evaluation::testing::period("2026-Q3"),
            first_on: day("2026-07-01"),
            review_on: day(review_on),
            version: &version,
            known_from: day("2025-10-01"),
            acts: &[],
            red_lines: &[],
            roster: &roster,
            evidence: &evidence,
        };
        let criteria = case.criteria(&case.counted().unwrap(), 4).unwrap();
        case.are_met(&criteria)
    };
    assert_eq!(met("2026-09-30"), None);
    assert_eq!(met("2026-10-01"), Some(false));
}
