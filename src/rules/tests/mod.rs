//! Rule files good and bad: a short complete edition, and helpers that read it with changes.

mod books;
mod editions;
mod messages;
mod programme;

use super::{RuleBook, RuleError, Rules};
use crate::domain::Findings;
use crate::domain::ids::RegionId;
use crate::domain::time::parse_date;

/// A complete global edition, as short as can be.
const GOOD: &str = r#"effective_from = "2026-01-01"
time_zone = "UTC"
[programme]
name = "Test"
calendar_name = "fiscal"
fiscal_year_starts_in_month = 1
evaluation_period = "quarter"
posting_period = "quarter"
first_period = "2026-Q1"
contest_days = 30
[evaluation]
minimum_coverage = "60"
minimum_metrics = 2
requires_one_of = ["satisfaction", "quality"]
redistribution = "proportional"
[satisfaction]
weight = "40"
class_weights = { key = "2", large = "2", ordinary = "1" }
customer_cap = "0.4"
customer_cap_from_customers = 3
shrinkage = "20"
peer_minimum_answers = 30
peer_default = "0.85"
look_back_periods = 4
insufficient_below_answers = 5
provisional_below_answers = 30
knots = [["0.70", "0"], ["0.99", "100"]]
[quality]
weight = "35"
selection_weights = { random = "1", risk = "0.5", complaint = "0.5" }
critical_points = "20"
major_points = "5"
minor_points = "1"
shrinkage = "4"
peer_minimum_inspections = 30
peer_default = "85"
look_back_periods = 4
insufficient_below_inspections = 3
critical_open_days = 30
critical_cap = "59"
knots = [["0", "0"], ["100", "100"]]
[parts]
weight = "25"
mode = "rate"
due_days = 10
due_day_kind = "calendar"
transit_allowance_days = 5
long_overdue_days = 90
long_overdue_points = "2"
long_overdue_points_cap = "20"
count_points_each = "5"
knots = [["0.80", "0"], ["1.00", "100"]]
[key_events]
positive_points = { minor = "1", major = "2", severe = "5" }
negative_points = { minor = "2", major = "5", severe = "10" }
positive_cap = "5"
negative_cap = "20"
self_reported_factor = "0.5"
expires_after_days = 180
# red lines, authorisation and review stand at the end:
# findings name lines, and these tables grow
[grades]
A = "90"
B = "80"
C = "70"
D = "60"
E = "0"
[card]
domain_cap_from_domains = 3
domain_cap = "0.5"
[schemes.rebate]
title = "Rebate"
earning_period = "quarter"
date = "invoiced_on"
amount = "net"
paid_in_full = true
method = "marginal"
modifiers = ["grade_factor"]
rounding = "half_away_from_zero"
fx_max_age_days = 7
scope = { line_kinds = ["service"] }
bands = [{ from = "0", to = "100", rate = "1 %" }, { from = "100", rate = "2 %" }]
gates = { minimum_sales = { default = "10", JPY = "1000" } }
grade_factor = { of = "card", A = "1", B = "0.9", C = "0.75", D = "0.5", E = "0", not_rated = "0.75", incomplete = "0.75" }
[red_lines]
black = [{ L1 = 1 }, { L2 = 3 }]
yellow = [{ L2 = 2 }, { L2 = 1, L3 = 2 }, { L3 = 3 }]
black_freeze_days = 90
yellow_hold_days = 60
[authorisation]
unauthorised_delivery = { level = "severe", red_line = "none" }
uncertified_delivery = { level = "major", red_line = "none" }
uncertified_sale = { level = "major", red_line = "none" }
missing_first_node = { level = "minor", red_line = "none" }
[review]
held_in_months = [1]
score_periods = 4
score_minimum_periods = 3
hysteresis_points = "2"
downgrade_below = "60"
downgrade_periods = 2
probation_below = "70"
probation_grade = "E"
upgrade_from = "85"
upgrade_grade = "B"
upgrade_periods = 2
upgrade_minimum_answers = 30
upgrade_lower_bound = "0.75"
evidence_coverage = "60"
evidence_upper_bound = "0.85"
red_line_wait_months = 12
refused_upgrade_wait_months = 6
criteria_notice_days = 90
plan_due_days = 15
probation_days = 90
"#;

const REGION: &str = "effective_from = \"2026-01-01\"\ntime_zone = \"Europe/Berlin\"\n";

fn files(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

fn read(pairs: &[(&str, &str)]) -> Result<Rules, String> {
    Rules::read(&files(pairs)).map_err(|findings| shown(&findings))
}

/// Findings one below the other, without the folder that all files share.
fn shown(findings: &Findings) -> String {
    findings
        .iter()
        .map(|f| f.to_string().replace("pipelines/rules/", ""))
        .collect::<Vec<_>>()
        .join("\n")
}

fn good(pairs: &[(&str, &str)]) -> Rules {
    read(pairs).unwrap_or_else(|findings| panic!("{findings}"))
}

fn book<'a>(rules: &'a Rules, region: &str, day: &str) -> Result<&'a RuleBook, RuleError> {
    rules.book(&RegionId::new(region).unwrap(), parse_date(day).unwrap())
}
