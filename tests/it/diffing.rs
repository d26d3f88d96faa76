//! Two releases side by side: what is said to have changed is what changed.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value as Json;

use crate::support::{Workspace, ran_sample};

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

/// Amounts of two decimals, in hundredths.
fn cents(value: &Json) -> i64 {
    let text = text(value);
    let (whole, rest) = text.split_once('.').expect("decimals");
    assert_eq!(rest.len(), 2, "{text}");
    format!("{whole}{rest}").parse().expect("a number")
}

#[test]
fn late_sales_and_a_rule_are_told_in_money_and_words() {
    let workspace = ran_sample();
    let first = text(&json(&workspace, &["status"])["release"]["name"]).to_owned();
    // every line of a file once more, under other numbers
    let sold = fs::read_to_string(workspace.path().join("sample_data/emea/sales-2026-Q3.csv")).expect("sales");
    workspace.write("sample_data/emea/sales-2026-Q3-late.csv", &sold.replace("SO-", "SL-"));
    let rules = "pipelines/rules/global/2026-07-01.toml";
    let text_of = fs::read_to_string(workspace.path().join(rules)).expect("rules");
    let (before, factors) = text_of
        .split_once("[schemes.sales-rebate.grade_factor]")
        .expect("factors");
    let changed = factors.replacen("E = \"0\"", "E = \"0.1\"", 1);
    assert_ne!(factors, changed, "the rule is written otherwise now");
    workspace.write(rules, &format!("{before}[schemes.sales-rebate.grade_factor]{changed}"));
    workspace.ok(&["run"]);

    let found = json(&workspace, &["diff", &first]);
    assert_eq!(text(&found["before"]["release"]), first);
    let arrived: Vec<&str> = list(&found["arrived"]).iter().map(|f| text(&f["file_name"])).collect();
    assert!(
        arrived.iter().any(|name| name.ends_with("sales-2026-Q3-late.csv")),
        "{arrived:?}"
    );
    assert!(!list(&found["rules"]).is_empty());

    // what was earned more is what was posted as expense
    let mut earned: BTreeMap<&str, i64> = BTreeMap::new();
    for moved in list(&found["earned"]) {
        assert_ne!(moved["why"].as_array().map(Vec::len), Some(0), "{moved}");
        if moved["currency"] == "EUR" {
            *earned.entry("EUR").or_default() += cents(&moved["change"]);
        }
    }
    let expense: i64 = list(&found["posted"])
        .iter()
        .filter(|p| p["account"] == "rebate_expense" && p["currency"] == "EUR")
        .map(|p| cents(&p["amount"]))
        .sum();
    assert!(expense > 0);
    assert_eq!(earned["EUR"], expense);
    let all = serde_json::to_string(&found["earned"]).expect("JSON");
    for words in ["basis ", "lines ", "factor 0 → 0.1"] {
        assert!(all.contains(words), "{words}");
    }

    // the order of the two does not matter, a number names a release, and it is readable
    assert_eq!(json(&workspace, &["diff", "2", "1"]), found);
    let printed = workspace.ok(&["diff", "1", "2"]).stdout;
    for part in [
        "files that arrived",
        "earned, by scheme",
        "posted",
        "why",
        "rules",
        "more: --all",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let same = workspace.ok(&["diff", "2"]).stdout;
    assert!(same.contains("nothing that people see changed"), "{same}");
    let refused = workspace.run(&["diff", "r000009-000000000000"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("landing has no run that made"),
        "{}",
        refused.stderr
    );
}
