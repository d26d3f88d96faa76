//! Explanations down to the source rows: every row is where it is said to be, and the rows add up to the measure.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value as Json;

use crate::support::Workspace;
use crate::support::workspace::ran_sample;

fn json(workspace: &Workspace, arguments: &[&str]) -> Json {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&workspace.ok(&arguments).stdout).expect("JSON")
}

fn list(value: &Json) -> &[Json] {
    value.as_array().expect("a list")
}

fn text(value: &Json) -> &str {
    value.as_str().expect("a text")
}

/// Lines of the files that are plain UTF-8, by name.
fn lines_of(
    workspace: &Workspace,
    files: &mut BTreeMap<String, Option<Vec<String>>>,
    name: &str,
) -> Option<Vec<String>> {
    let read = || {
        let text = String::from_utf8(fs::read(workspace.path().join(name)).expect("the source file")).ok()?;
        name.ends_with(".csv")
            .then(|| text.lines().map(str::to_owned).collect())
    };
    files.entry(name.to_owned()).or_insert_with(read).clone()
}

#[test]
fn the_rows_of_every_measure_add_up_and_lie_where_they_are_said_to() {
    let workspace = ran_sample();
    let mut files = BTreeMap::new();
    let (mut rows, mut found, mut feeds) = (0, 0, BTreeSet::new());
    for partner in ["EM-0004", "LA-0030", "AP-0018"] {
        for period in ["2025-Q4", "2026-Q3"] {
            let explained = json(&workspace, &["explain", "score", partner, period]);
            for measure in list(&explained["measures"]) {
                assert_eq!(measure["adds_up"], true, "{partner} {period} {measure:#}");
                assert_eq!(measure["row_count"], list(&measure["rows"]).len(), "{measure:#}");
                for record in list(&measure["rows"]).iter().flat_map(|row| list(&row["records"])) {
                    rows += 1;
                    feeds.insert(text(&record["feed"]).to_owned());
                    let Some(lines) = lines_of(&workspace, &mut files, text(&record["file"])) else {
                        continue;
                    };
                    let number = usize::try_from(record["line"].as_u64().expect("a line")).expect("a line");
                    let line = &lines[number - 1];
                    let keys = record["key"].as_object().expect("a key");
                    assert!(keys.values().all(|key| line.contains(text(key))), "{record:#}: {line}");
                    found += 1;
                }
            }
        }
    }
    assert!(rows > 500 && found > 300, "{rows} rows, {found} of them looked up");
    let expected = ["deliveries", "inspections", "spare_parts", "surveys"];
    assert_eq!(feeds, expected.map(str::to_owned).into());
}

#[test]
fn an_explanation_names_rules_and_events_with_their_lines() {
    let workspace = ran_sample();
    let events = "SELECT partner_id, event_id, domain FROM key_event_points WHERE status = 'counted' \
                  AND period = '2026-Q3' AND points <> 0 ORDER BY event_id";
    let counted = json(&workspace, &["query", events]);
    let event = &list(&counted)[0];
    let explained = json(&workspace, &["explain", "score", text(&event["partner_id"]), "2026-Q3"]);
    let records = list(&explained["events"]);
    let of = |feed: &str| records.iter().filter(|r| r["feed"] == feed).count();
    assert!(
        records.iter().any(|r| r["key"]["event_id"] == event["event_id"]),
        "{records:#?}"
    );
    assert!(
        of("decisions") >= 2 * of("key_events"),
        "two persons confirm: {records:#?}"
    );

    let one = json(
        &workspace,
        &["explain", "score", "EM-0004", "2026-Q3", "--metric", "parts"],
    );
    let rules = list(&one["rule_values"]);
    let due = rules.iter().find(|r| r["key"] == "parts.due_days").expect("the rule");
    let file = fs::read_to_string(workspace.path().join(text(&due["file"]))).expect("the rule file");
    let line = file
        .lines()
        .nth(usize::try_from(due["line"].as_u64().expect("a line")).expect("a line") - 1);
    assert!(line.expect("the line").contains("due_days"), "{line:?}");
    assert!(
        rules.iter().all(|r| text(&r["key"]).starts_with("parts.")),
        "{rules:#?}"
    );
    assert!(list(&one["measures"]).iter().all(|m| m["measure"] == "parts"));
}

/// Every line of an explanation, with those below it.
fn walk(line: &Json, printed: &mut BTreeSet<[String; 3]>) {
    printed.insert(["label", "value", "formula"].map(|field| text(&line[field]).to_owned()));
    list(&line["children"]).iter().for_each(|child| walk(child, printed));
}

#[test]
fn the_table_of_derivations_is_what_explain_prints() {
    let workspace = ran_sample();
    let sql = "SELECT domain, metric, step, depth, label, value, formula FROM derivations \
               WHERE partner_id = 'AP-0022' AND period = '2026-Q3' ORDER BY domain, metric, step";
    let table = json(&workspace, &["query", sql]);
    let mut printed = BTreeSet::new();
    for line in list(&json(&workspace, &["explain", "score", "AP-0022", "2026-Q3"])["lines"]) {
        walk(line, &mut printed);
    }
    let cell = |row: &Json, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let stored: BTreeSet<[String; 3]> = list(&table)
        .iter()
        .map(|row| ["label", "value", "formula"].map(|field| cell(row, field)))
        .collect();
    assert!(stored.len() > 40, "{} steps", stored.len());
    assert_eq!(stored, printed);
}

#[test]
fn the_rows_of_a_users_own_measure_are_found() {
    let workspace = Workspace::sample();
    workspace.write(
        "pipelines/measures/late.sql",
        "-- Deliveries completed after they were due, and the sites they had.\nWITH done AS (\n  SELECT\n    \
         d.partner_id AS partner_id, c.period AS period, d.due_at AS due_at, d.completed_at AS completed_at,\n    \
         d.site_count AS site_count\n  FROM deliveries AS d\n  JOIN calendar_partner_periods AS c ON d.partner_id = \
         c.partner_id\n  WHERE d.completed_at >= c.starts_at AND d.completed_at < c.ends_at\n)\nSELECT partner_id, period, \
         CAST(COUNT(*) AS BIGINT) AS late, CAST(SUM(site_count) AS BIGINT) AS sites, CAST(MAX(site_count) AS BIGINT) AS most\n\
         FROM done WHERE completed_at > due_at GROUP BY partner_id, period\n",
    );
    let column = |name: &str, kind: &str, more: &str| {
        let (logical, physical) = if kind == "text" {
            ("string", "VARCHAR")
        } else {
            ("integer", "BIGINT")
        };
        format!(
            "      - name: {name}\n        description: Column.\n        logicalType: {logical}\n        physicalType: \
             {physical}\n        required: true\n{more}"
        )
    };
    let key = |place: u32| format!("        primaryKey: true\n        primaryKeyPosition: {place}\n");
    let contract =
        fs::read_to_string(workspace.path().join("schemas/measures_deliveries.odcs.yaml")).expect("a contract");
    let head = contract
        .split("    properties:\n")
        .next()
        .expect("a head")
        .replace("deliveries", "late");
    let columns = [
        column("partner_id", "text", &key(1)),
        column(
            "period",
            "text",
            &format!("{}        partitioned: true\n        partitionKeyPosition: 1\n", key(2)),
        ),
        column("late", "number", ""),
        column("sites", "number", ""),
        column("most", "number", ""),
    ];
    workspace.write(
        "schemas/measures_late.odcs.yaml",
        &format!("{head}    properties:\n{}", columns.concat()),
    );
    workspace.ok(&["run"]);
    let sql =
        "SELECT partner_id, late, sites FROM measures_late WHERE period = '2026-Q3' ORDER BY late DESC, partner_id";
    let measured = json(&workspace, &["query", sql]);
    let most = &list(&measured)[0];
    let found = json(
        &workspace,
        &["explain", "measure", "late", text(&most["partner_id"]), "2026-Q3"],
    );
    let [one] = list(&found) else { panic!("{found:#}") };
    assert_eq!(one["adds_up"], true, "{one:#}");
    assert_eq!(one["row_count"], most["late"]);
    assert_eq!(one["totals"]["sites"], most["sites"].to_string());
    assert!(
        list(&one["rows"])
            .iter()
            .all(|row| row["records"][0]["feed"] == "deliveries")
    );
    assert!(list(&one["rows"]).iter().all(|row| row["values"]["most"].is_number()));
}

#[test]
fn what_is_printed_fits_a_terminal() {
    let workspace = ran_sample();
    for arguments in [
        &["explain", "score", "EM-0004", "2026-Q3", "--rows", "all"][..],
        &["rules", "show", "--region", "emea", "--on", "2026-07-01"],
        &[
            "rules",
            "diff",
            "--region",
            "emea",
            "--to-region",
            "apac",
            "--on",
            "2026-07-01",
        ],
    ] {
        let printed = workspace.ok(arguments).stdout;
        let wide: Vec<&str> = printed.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "{arguments:?}\n{}", wide.join("\n"));
    }
}

#[test]
fn a_rebate_is_explained_down_to_the_lines_of_the_sales() {
    let workspace = ran_sample();
    let keys = json(
        &workspace,
        &[
            "query",
            "SELECT partner_id, scheme, earning_period, SUM(lines) AS lines FROM rebates WHERE component = 'basis' \
           AND earning_period >= '2026-Q1' AND scheme <> 'market-development-fund' GROUP BY partner_id, scheme, earning_period ORDER BY lines DESC, partner_id, scheme LIMIT 12",
        ],
    );
    let mut files = BTreeMap::new();
    let (mut counted, mut left, mut found) = (0, BTreeSet::new(), 0);
    for key in list(&keys) {
        let [partner, scheme, period] = ["partner_id", "scheme", "earning_period"].map(|column| text(&key[column]));
        let explained = json(&workspace, &["explain", "rebate", partner, scheme, period]);
        assert_eq!(explained["adds_up"], true, "{key} {explained:#}");
        let lines = list(&explained["lines"]);
        let counts = lines.iter().filter(|line| line.get("counts").is_some()).count();
        assert_eq!(counts as u64, key["lines"].as_u64().expect("a count"), "{key}");
        counted += counts;
        for line in lines {
            if let Some(why) = line.get("left_out") {
                left.insert(text(why).split_whitespace().next().expect("a word").to_owned());
            }
            let record = &line["record"];
            let Some(source) = lines_of(&workspace, &mut files, text(&record["file"])) else {
                continue;
            };
            let number = usize::try_from(record["line"].as_u64().expect("a line")).expect("a line");
            assert!(
                source[number - 1].contains(text(&record["key"]["order_line_id"])),
                "{record:#}"
            );
            found += 1;
        }
        assert!(
            list(&explained["rule_values"])
                .iter()
                .all(|v| text(&v["key"]).starts_with(&format!("schemes.{scheme}.")))
        );
        assert!(!list(&explained["rule_values"]).is_empty() && !list(&explained["components"]).is_empty());
    }
    assert!(
        counted > 100 && found > 100,
        "{counted} lines count, {found} were looked up"
    );
    assert!(left.contains("scope.line_kinds") && left.contains("not"), "{left:?}");

    // what is printed says the same
    let [partner, scheme, period] =
        ["partner_id", "scheme", "earning_period"].map(|column| text(&keys[0][column]).to_owned());
    let printed = workspace
        .ok(&["explain", "rebate", &partner, &scheme, &period, "--rows", "3"])
        .stdout;
    for part in [
        "lines that count",
        "more: --rows all",
        "the basis of the release",
        "lines that do not",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    for (arguments, says) in [
        (
            vec!["explain", "rebate", &partner, "no-scheme", &period],
            "is not computed for",
        ),
        (
            vec!["explain", "rebate", "NOBODY", &scheme, &period],
            "there is no partner NOBODY",
        ),
        (
            vec!["explain", "rebate", &partner, &scheme, "2031-Q1"],
            "no scheme counted a sale",
        ),
    ] {
        let refused = workspace.run(&arguments);
        assert_eq!(refused.code, 2, "{arguments:?}");
        assert!(refused.stderr.contains(says), "{arguments:?}: {}", refused.stderr);
    }
}
