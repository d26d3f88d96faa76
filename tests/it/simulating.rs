//! Simulation: the real engine with other rules, and not a byte of the workspace changed.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value as Json;

use crate::closing::{close, without_set_aside_files};
use crate::support::Workspace;
use crate::support::workspace::{hashes, ran_sample};

const EDITION: &str = "pipelines/rules/global/2026-07-01.toml";

fn json(workspace: &Workspace, arguments: &[&str]) -> Json {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&workspace.ok(&arguments).stdout).expect("JSON")
}

fn list(value: &Json) -> &[Json] {
    value.as_array().expect("a list")
}

/// The sample's latest global edition with other weights and another rate.
fn draft(workspace: &Workspace) -> String {
    let text = fs::read_to_string(workspace.path().join(EDITION)).expect("the edition");
    let text = text.replacen("weight = \"40\"", "weight = \"45\"", 1);
    let text = text.replacen("weight = \"35\"", "weight = \"30\"", 1);
    let changed = text.replacen("due_days = { value = 10", "due_days = { value = 5", 1);
    assert!(text != changed, "the sample's edition reads otherwise");
    changed
}

type Card = (Option<String>, Option<String>, String);

/// Cards of a period by partner: final, grade, state.
fn cards(rows: &[Json], score: &str) -> BTreeMap<String, Card> {
    let text = |row: &Json, field: &str| row[field].as_str().map(str::to_owned);
    let card = |row: &Json| {
        (
            text(row, score),
            text(row, "grade"),
            text(row, "state").expect("a state"),
        )
    };
    rows.iter()
        .map(|row| (text(row, "partner_id").expect("a partner"), card(row)))
        .collect()
}

#[test]
fn a_simulation_is_what_a_run_with_these_rules_would_publish_and_touches_nothing() {
    let workspace = ran_sample();
    let text = draft(&workspace);
    let elsewhere = Workspace::sample();
    elsewhere.write("draft/global/2026-07-01.toml", &text);
    let file = elsewhere
        .path()
        .join("draft/global/2026-07-01.toml")
        .display()
        .to_string();
    let out = elsewhere.path().join("simulated").display().to_string();
    let before = hashes(workspace.path());
    let found = json(
        &workspace,
        &[
            "simulate",
            "--rules",
            &file,
            "--periods",
            "2026-Q2..2026-Q3",
            "--out",
            &out,
        ],
    );
    assert_eq!(hashes(workspace.path()), before, "a file of the workspace changed");
    for file in [
        "cards.csv",
        "domains.csv",
        "money.csv",
        "scores.parquet",
        "metrics.parquet",
        "partner_scores.parquet",
    ] {
        assert!(elsewhere.path().join("simulated").join(file).exists(), "{file}");
    }
    assert_eq!(found["cards_unlike_published"], 0);

    workspace.write(EDITION, &text);
    workspace.ok(&["run"]);
    let mut moved = 0;
    for period in ["2026-Q2", "2026-Q3"] {
        let sql = format!("SELECT partner_id, final, grade, state FROM partner_scores WHERE period = '{period}'");
        let real = cards(list(&json(&workspace, &["query", &sql])), "final");
        let of_period: Vec<&Json> = list(&found["cards"]).iter().filter(|c| c["period"] == period).collect();
        let simulated: Vec<Json> = of_period
            .iter()
            .map(|c| {
                let mut row = c["after"].clone();
                row["partner_id"] = c["partner_id"].clone();
                row
            })
            .collect();
        assert_eq!(cards(&simulated, "score"), real, "{period}");
        moved += of_period.iter().filter(|c| c["moved"] == true).count();
    }
    assert!(moved > 10, "{moved} cards moved");

    let sql = "SELECT partner_id, scheme, earning_period, currency, booked FROM rebates WHERE component = 'earned' \
               AND earning_period IN ('2026-Q2', '2026-Q3')";
    let amount = |row: &Json, field: &str| row[field].as_str().expect("an amount").to_owned();
    let key = |row: &Json| ["partner_id", "scheme", "earning_period", "currency"].map(|field| amount(row, field));
    let money = |rows: &[Json], field: &str| -> BTreeMap<[String; 4], String> {
        // the books print more digits than a currency has
        let digits = |text: String| {
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            }
        };
        rows.iter().map(|row| (key(row), digits(amount(row, field)))).collect()
    };
    let real = money(list(&json(&workspace, &["query", sql])), "booked");
    assert!(real.len() > 50);
    assert_eq!(money(list(&found["money"]), "after"), real);
    assert!(
        list(&found["money"]).iter().any(|row| row["before"] != row["after"]),
        "nobody earns another amount"
    );
}

#[test]
fn the_same_rules_move_nobody_also_in_closed_periods() {
    let workspace = without_set_aside_files();
    close(&workspace, "2025-Q4", "2026-10-12");
    workspace.ok(&["run"]);
    let periods = json(
        &workspace,
        &["query", "SELECT period FROM periods WHERE status = 'closed'"],
    );
    assert_eq!(list(&periods).len(), 1, "{periods}");
    let rules = workspace.path().join("pipelines/rules").display().to_string();
    let found = json(
        &workspace,
        &["simulate", "--rules", &rules, "--periods", "2025-Q4..2026-Q3"],
    );
    assert!(list(&found["cards"]).iter().all(|c| c["moved"] == false));
    assert!(list(&found["domains"]).iter().all(|d| d["moved"] == false));
    assert!(list(&found["money"]).iter().all(|m| m["before"] == m["after"]));
    assert_eq!(found["cards_unlike_published"], 0);

    // the first edition by itself is laid over the others: the regions keep their rules
    let first = workspace.path().join("pipelines/rules/global/2025-10-01.toml");
    let text = fs::read_to_string(&first).expect("the edition");
    let other = text.replacen("rate = { value = \"0.5 %\"", "rate = { value = \"1 %\"", 1);
    assert_ne!(text, other, "the sample's edition reads otherwise");
    workspace.write("draft/global/2025-10-01.toml", &other);
    let draft = workspace
        .path()
        .join("draft/global/2025-10-01.toml")
        .display()
        .to_string();
    let found = json(
        &workspace,
        &["simulate", "--rules", &draft, "--periods", "2025-Q4..2026-Q3"],
    );
    assert!(list(&found["cards"]).iter().all(|c| c["moved"] == false));
    let moved = |scheme: &str| {
        let of = list(&found["money"]).iter().filter(|m| m["scheme"] == scheme);
        of.filter(|m| m["before"] != m["after"]).count()
    };
    assert!(moved("market-development-fund") > 0 && moved("sales-rebate") == 0);
}

#[test]
fn what_cannot_be_simulated_is_told() {
    let workspace = ran_sample();
    let rules = workspace.path().join("pipelines/rules").display().to_string();
    let later = workspace.run(&["simulate", "--rules", &rules, "--periods", "2026-Q3..2026-Q4"]);
    assert_eq!(later.code, 2);
    assert!(later.stderr.contains("there are 2025-Q4..2026-Q3"), "{}", later.stderr);

    let other = Workspace::sample();
    for edition in ["2025-10-01", "2026-07-01"] {
        let name = format!("pipelines/rules/global/{edition}.toml");
        other.edit(&name, "first_period = \"2025-Q4\"", "first_period = \"2026-Q1\"");
    }
    let rules = other.path().join("pipelines/rules").display().to_string();
    let refused = workspace.run(&["simulate", "--rules", &rules, "--periods", "2026-Q3"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("leave [programme] as it is"),
        "{}",
        refused.stderr
    );
    let missing = workspace.run(&["simulate", "--rules", "nowhere.toml", "--periods", "2026-Q3"]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("nowhere.toml"), "{}", missing.stderr);
}

#[test]
fn what_if_is_what_a_run_after_the_action_publishes() {
    let workspace = ran_sample();
    let sql = "SELECT partner_id, event_id FROM key_event_points WHERE period = '2026-Q3' AND status = 'counted' \
               AND points < 0 AND domain IS NOT NULL ORDER BY event_id";
    let counted = json(&workspace, &["query", sql]);
    let (partner, event) = {
        let field = |name: &str| list(&counted)[0][name].as_str().expect("a text").to_owned();
        (field("partner_id"), field("event_id"))
    };
    let before = hashes(workspace.path());
    let answer = json(&workspace, &["what-if", &partner, "2026-Q3"]);
    assert_eq!(hashes(workspace.path()), before, "a file of the workspace changed");
    let appeal = list(&answer["actions"])
        .iter()
        .find(|a| a["event_id"] == event.as_str())
        .expect("the appeal");
    assert!(
        appeal["points"]
            .as_str()
            .is_some_and(|p| !p.starts_with('-') && p != "0.00"),
        "{appeal:#}"
    );

    let earned = || -> BTreeMap<String, i128> {
        let sql = format!(
            "SELECT currency, booked FROM rebates WHERE component = 'earned' AND earning_period = '2026-Q3' \
             AND partner_id = '{partner}'"
        );
        let mut sums = BTreeMap::new();
        for row in list(&json(&workspace, &["query", &sql])) {
            let amount = starledger::domain::Dec::parse(row["booked"].as_str().expect("an amount")).expect("a decimal");
            *sums
                .entry(row["currency"].as_str().expect("a currency").to_owned())
                .or_insert(0) += amount.rescale(4).expect("four decimals").units();
        }
        sums
    };
    let earned_before = earned();
    let header =
        "decision_id,kind,subject,subject_hash,outcome,amount,currency,effective_on,reason,by,role,decided_at\n";
    let row = format!("APPEAL-1,appeal,{event},,upheld,,,,proved,c.judge,programme,2026-10-12T05:00:00Z\n");
    workspace.write("sample_data/finance/decisions-appeal.csv", &format!("{header}{row}"));
    workspace.ok(&["run"]);
    let sql = format!("SELECT final, grade FROM partner_scores WHERE period = '2026-Q3' AND partner_id = '{partner}'");
    let real = json(&workspace, &["query", &sql]);
    assert_eq!(appeal["card_after"]["score"], list(&real)[0]["final"]);
    assert_eq!(appeal["card_after"]["grade"], list(&real)[0]["grade"]);
    let mut told = BTreeMap::new();
    for (currency, amount) in appeal["money"].as_object().expect("amounts") {
        let amount = starledger::domain::Dec::parse(amount.as_str().expect("an amount")).expect("a decimal");
        told.insert(currency.clone(), amount.rescale(4).expect("four decimals").units());
    }
    let mut changed = earned();
    for (currency, units) in &earned_before {
        *changed.entry(currency.clone()).or_insert(0) -= units;
    }
    changed.retain(|_, units| *units != 0);
    assert_eq!(told, changed);
}
