//! A metric of the programme's own: a measure in SQL, a rule in TOML, examples; from `check` to the release, without a
//! line of Rust. And the whole evaluation recomputed by a program that shares nothing with this one.

use std::path::Path;

use crate::support::python::script;
use crate::support::ran_sample;
use crate::support::workspace::{Workspace, repository};

const MEASURE: &str = "-- Maintenance visits completed, and those of them completed within the time agreed.
SELECT
  d.partner_id AS partner_id,
  p.domain AS domain,
  c.period AS period,
  d.severity AS severity,
  CAST(COUNT(*) AS BIGINT) AS visits,
  CAST(SUM(CASE WHEN d.completed_at <= d.due_at THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS BIGINT) AS in_time
FROM deliveries AS d
JOIN calendar_partner_periods AS c ON d.partner_id = c.partner_id
JOIN calendar_product_instants AS p ON d.product_id = p.product_id AND c.region = p.region
WHERE d.kind = 'maintenance'
  AND d.service_model = 'collaborative'
  AND d.completed_at >= c.starts_at AND d.completed_at < c.ends_at
  AND d.completed_at >= p.starts_at AND d.completed_at < p.ends_at
GROUP BY d.partner_id, p.domain, c.period, d.severity
";

const RULE: &str = "
[satisfaction]
weight = \"30\"

[metrics.prompt_maintenance]
title = \"Prompt maintenance\"
weight = \"10\"
measure = \"maintenance\"
formula = \"sum(in_time) / sum(visits)\"
observations = \"sum(visits)\"
better = \"higher\"
without_rows = \"not_applicable\"
without_denominator = \"not_applicable\"
insufficient_below = 1
provisional_below = 3
knots = [[\"0.5\", \"0\"], [\"1\", \"100\"]]
labels = [{ label = \"slow\" }, { from = \"80\", label = \"prompt\" }]
";

const SHEET: &str = "metric = \"prompt_maintenance\"
title = \"Prompt maintenance\"
formula = \"in time / visits\"
source = \"assumption\"

[[example]]
name = \"nine of ten\"
period = \"2026-Q1\"
region = \"latam\"
given.measures_maintenance = [{ severity = \"high\", visits = 10, in_time = 9 }]
expect.metrics = [{ metric = \"prompt_maintenance\", state = \"rated\", n = 10, raw = \"0.9\", normalised = \"80\", band = \"prompt\" }]

[[example]]
name = \"from the deliveries\"
period = \"2026-Q1\"
region = \"latam\"
given.deliveries = [
  { delivery_id = \"D1\", kind = \"maintenance\", severity = \"high\", product_id = \"PR1\", opened_at = \"2026-01-05T08:00:00Z\", due_at = \"2026-01-07T08:00:00Z\", completed_at = \"2026-01-06T08:00:00Z\" },
  { delivery_id = \"D2\", kind = \"maintenance\", severity = \"high\", product_id = \"PR1\", opened_at = \"2026-01-05T08:00:00Z\", due_at = \"2026-01-07T08:00:00Z\", completed_at = \"2026-01-09T08:00:00Z\" },
]
expect.measures_maintenance = [{ visits = 2, in_time = 1 }]
expect.metrics = [{ metric = \"prompt_maintenance\", state = \"provisional\", n = 2, raw = \"0.5\", normalised = \"0\", band = \"slow\" }]
";

const LATAM: &str = "pipelines/rules/latam/2025-10-01.toml";

fn with_metric(rule: &str) -> Workspace {
    let workspace = Workspace::sample();
    let path = workspace.path().join(LATAM);
    let text = std::fs::read_to_string(&path).expect("the rules of the region");
    workspace.write(LATAM, &format!("{text}{rule}"));
    workspace.write("pipelines/measures/maintenance.sql", MEASURE);
    workspace.write("pipelines/metrics/prompt_maintenance.toml", SHEET);
    workspace
}

#[test]
fn a_metric_from_sql_and_toml_counts_in_the_region_that_has_it() {
    let workspace = with_metric(RULE);
    workspace.ok(&["check"]);
    let tested = workspace.ok(&["test"]);
    assert!(
        tested.stdout.contains("prompt_maintenance: from the deliveries"),
        "{}",
        tested.stdout
    );
    assert!(tested.stdout.contains("14 of 14 examples hold"), "{}", tested.stdout);
    workspace.run(&["run"]);
    let asked = "SELECT partner_id, state, band, nominal_weight FROM metrics WHERE metric = 'prompt_maintenance'";
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&workspace.ok(&["--json", "query", asked]).stdout).expect("rows");
    assert!(rows.iter().any(|row| row["state"] == "rated"), "{rows:?}");
    assert!(
        rows.iter()
            .all(|row| row["partner_id"].as_str().is_some_and(|id| id.starts_with("LA-"))),
        "{rows:?}"
    );
    assert!(rows.iter().all(|row| row["nominal_weight"] == "10.00"), "{rows:?}");
    let partner = rows.iter().find(|row| row["state"] == "rated").expect("one")["partner_id"]
        .as_str()
        .expect("an id");
    let told = workspace.ok(&["explain", "score", partner, "2026-Q2", "--metric", "prompt_maintenance"]);
    assert!(told.stdout.contains("sum(in_time)"), "{}", told.stdout);
    let measured = workspace.ok(&["query", "SELECT severity, visits FROM measures_maintenance LIMIT 1"]);
    assert!(measured.stdout.contains("visits"), "{}", measured.stdout);
    what_if_is_what_comes_of_it(&workspace);
}

/// A better value is presumed, then made true in the measure: the same score of the domain.
fn what_if_is_what_comes_of_it(workspace: &Workspace) {
    let rows = |sql: &str| -> Vec<serde_json::Value> {
        serde_json::from_str(&workspace.ok(&["--json", "query", sql]).stdout).expect("rows")
    };
    let slow = "SELECT partner_id, domain FROM metrics WHERE metric = 'prompt_maintenance' AND period = '2026-Q3' \
                AND state = 'rated' AND normalised < 60 ORDER BY partner_id, domain LIMIT 1";
    let slow = rows(slow).pop().expect("a partner that is slow");
    let (partner, domain) = (
        slow["partner_id"].as_str().expect("an id"),
        slow["domain"].as_str().expect("a name"),
    );
    let answer = workspace.ok(&["--json", "what-if", partner, "2026-Q3"]).stdout;
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    let actions = answer["actions"].as_array().expect("actions");
    let best = actions.iter().find(|a| {
        a["kind"] == "metric_value"
            && a["domain"] == domain
            && a["metric"] == "prompt_maintenance"
            && a["metric_value"] == "1"
    });
    let best = best.unwrap_or_else(|| panic!("{answer:#}"));
    let words = best["words"].as_str().expect("words");
    assert!(words.starts_with("Prompt maintenance at 1 instead of 0."), "{words}");
    assert_ne!(best["domain_after"]["score"], best["domain_before"]["score"]);
    workspace.edit(
        "pipelines/measures/maintenance.sql",
        "WHEN d.completed_at <= d.due_at",
        &format!("WHEN d.partner_id = '{partner}' OR d.completed_at <= d.due_at"),
    );
    workspace.run(&["run"]);
    let sql = format!(
        "SELECT final FROM scores WHERE partner_id = '{partner}' AND domain = '{domain}' AND period = '2026-Q3'"
    );
    assert_eq!(rows(&sql)[0]["final"], best["domain_after"]["score"]);
}

#[test]
fn what_is_wrong_with_a_metric_is_told_with_its_line() {
    let line = std::fs::read_to_string(repository().join(LATAM))
        .expect("rules")
        .lines()
        .count()
        + 5;
    let place = format!("{LATAM}:{line} [metrics.prompt_maintenance");
    let cases = [
        (
            "sum(in_time) / sum(visits)",
            "sum(on_time) / sum(visits)",
            "has no column 'on_time'",
        ),
        (
            "sum(in_time) / sum(visits)",
            "sum(severity) / sum(visits)",
            "'severity' of measure 'maintenance' is not a number",
        ),
        (
            "measure = \"maintenance\"",
            "measure = \"upkeep\"",
            "there is no pipelines/measures/upkeep.sql",
        ),
    ];
    for (from, to, expected) in cases {
        let told = with_metric(&RULE.replace(from, to)).run(&["check"]);
        assert_eq!(told.code, 2);
        assert!(
            told.stderr.contains(expected) && told.stderr.contains(&place),
            "{}",
            told.stderr
        );
    }
    let without = RULE.replace("without_denominator = \"not_applicable\"\n", "");
    let told = with_metric(&without).run(&["check"]);
    assert!(
        told.stderr.contains("the division by sum(visits) can be by zero"),
        "{}",
        told.stderr
    );
    let workspace = with_metric(RULE);
    workspace.edit(
        "pipelines/measures/maintenance.sql",
        "GROUP BY d.partner_id, p.domain, c.period,",
        "GROUP BY d.partner_id, p.domain,",
    );
    let told = workspace.run(&["check"]);
    assert!(
        told.code == 2 && told.stderr.contains("pipelines/measures/maintenance.sql"),
        "{}",
        told.stderr
    );
}

#[test]
fn a_metric_without_an_example_and_an_example_that_fails_are_told() {
    let workspace = with_metric(RULE);
    workspace.write(
        "pipelines/metrics/prompt_maintenance.toml",
        &SHEET.replace("\"0.9\"", "\"0.8\""),
    );
    let told = workspace.run(&["test", "--metric", "prompt_maintenance"]);
    assert_eq!(told.code, 1);
    assert!(
        told.stdout
            .contains("metrics prompt_maintenance raw: 0.900000000000 not 0.8"),
        "{}",
        told.stdout
    );
    assert!(
        told.stdout.contains("pipelines/metrics/prompt_maintenance.toml:6"),
        "{}",
        told.stdout
    );
    std::fs::remove_file(workspace.path().join("pipelines/metrics/prompt_maintenance.toml")).expect("removed");
    let told = workspace.run(&["test"]);
    assert!(
        told.code == 1 && told.stdout.contains("(metric.untested)"),
        "{}",
        told.stdout
    );
}

#[test]
fn every_ratio_and_score_is_recomputed_by_another_program() {
    let workspace = ran_sample();
    let source = std::fs::read_to_string(repository().join("tests/recompute.py")).expect("the script");
    let program = Path::new(env!("CARGO_BIN_EXE_starledger"))
        .to_string_lossy()
        .into_owned();
    let printed = script(&source, &[&workspace.path().to_string_lossy(), &program]);
    let numbers: Vec<u64> = printed
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    // scores, cards, numbers compared
    assert!(
        matches!(numbers[..], [scores, cards, equal] if scores > 200 && cards > 100 && equal > 10_000),
        "{printed}"
    );
}
