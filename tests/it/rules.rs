//! The sample's rule files: read, resolved for every region and quarter, hashed by what they say only.

use std::fs;
use std::path::Path;

use starledger::domain::ids::RegionId;
use starledger::domain::time::parse_date;
use starledger::domain::{Period, Ratio};
use starledger::rules::{DayKind, Method, PartsMode, Redistribution, Rules};

/// Path relative to the rules folder, and text.
fn sample_files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/rules");
    let mut files = Vec::new();
    for folder in fs::read_dir(&root).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            files.push((relative, fs::read_to_string(&path).unwrap()));
        }
    }
    files
}

fn read(files: &[(String, String)]) -> Rules {
    Rules::read(files).unwrap_or_else(|findings| {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

fn region(name: &str) -> RegionId {
    RegionId::new(name).unwrap()
}

#[test]
fn every_region_resolves_on_each_quarter_start() {
    let rules = read(&sample_files());
    let names: Vec<String> = rules.regions().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["apac", "emea", "latam"]);
    for quarter in ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"] {
        let day = rules.programme().calendar.first_day(Period::parse(quarter).unwrap());
        for name in rules.regions() {
            let book = rules.book(&name, day).unwrap();
            assert_eq!(book.schemes.len(), 4, "{name} {quarter}");
            // weights 40 + 35 + 25
            let weights = [&book.satisfaction.weight, &book.quality.weight, &book.parts.weight];
            assert_eq!(Ratio::sum(weights), Ratio::int(100), "{name} {quarter}");
        }
    }
}

#[test]
fn regions_differ_where_they_say_so() {
    let rules = read(&sample_files());
    let day = parse_date("2026-01-01").unwrap();
    let [emea, apac, latam] = ["emea", "apac", "latam"].map(|name| rules.book(&region(name), day).unwrap());
    assert_eq!(
        [emea, apac, latam].map(|b| b.zone.name()),
        ["Europe/Berlin", "Asia/Singapore", "America/Santiago"]
    );
    assert_eq!(
        [emea, apac].map(|b| b.parts.due_day_kind),
        [DayKind::Calendar, DayKind::Business]
    );
    assert_eq!([emea, apac].map(|b| b.red_lines.black_freeze_days), [90, 180]);
    assert_eq!([emea, latam].map(|b| b.parts.mode), [PartsMode::Rate, PartsMode::Count]);
    assert!(matches!(emea.evaluation.redistribution, Redistribution::Proportional));
    assert!(matches!(apac.evaluation.redistribution, Redistribution::Table(_)));
    let Method::Marginal { bands, .. } = &latam
        .schemes
        .values()
        .find(|s| s.id.as_str() == "sales-rebate")
        .unwrap()
        .method
    else {
        panic!("the sales rebate is marginal")
    };
    assert_eq!(bands.default[1].from, Ratio::int(50_000));
    assert_eq!(bands.by_currency["CLP"][1].from, Ratio::int(50_000_000));
}

#[test]
fn editions_follow_one_another() {
    let rules = read(&sample_files());
    let on = |name: &str, day: &str| rules.book(&region(name), parse_date(day).unwrap()).unwrap();
    assert_eq!(on("emea", "2026-03-31").quality.critical_open_days, 30);
    assert_eq!(on("emea", "2026-04-01").quality.critical_open_days, 21);
    assert_eq!(on("emea", "2026-04-01").effective_from.to_string(), "2026-04-01");
    assert_eq!(on("emea", "2026-07-01").quality.critical_open_days, 21);
    assert_eq!(on("emea", "2026-06-30").satisfaction.provisional_below_answers, 30);
    assert_eq!(on("emea", "2026-07-01").satisfaction.provisional_below_answers, 25);
    assert_ne!(on("apac", "2026-06-30").hash, on("apac", "2026-07-01").hash);
    assert_eq!(on("apac", "2025-10-01").hash, on("apac", "2026-06-30").hash);
}

#[test]
fn the_hash_is_of_what_the_rules_say() {
    let files = sample_files();
    let before = read(&files).hash();
    let rewritten: Vec<(String, String)> = files
        .iter()
        .rev()
        .map(|(path, text)| {
            let text = text
                .replace(
                    "minimum_coverage = \"60\"\nminimum_metrics = 2\n",
                    "# swapped\nminimum_metrics = 2\nminimum_coverage = \"60.0\"\n",
                )
                .replace(
                    "weight = \"35\"",
                    "weight = { value = \"35\", provenance = \"elsewhere\" }",
                )
                .replace("rate = \"1 %\"", "rate = \"100 bp\"");
            (path.clone(), format!("# one more line\n{text}\n"))
        })
        .collect();
    assert_eq!(read(&rewritten).hash(), before);
    let changed: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| {
            (
                path.clone(),
                text.replace("due_days = { value = 10,", "due_days = { value = 11,"),
            )
        })
        .collect();
    assert_ne!(read(&changed).hash(), before);
}

#[test]
fn every_value_says_where_it_is_written() {
    let rules = read(&sample_files());
    let values = rules
        .resolved(&region("apac"), parse_date("2026-07-01").unwrap())
        .unwrap();
    let of = |path: &str| values.iter().find(|v| v.path == path).unwrap();
    let freeze = of("red_lines.black_freeze_days");
    assert_eq!(
        (freeze.value.as_str(), freeze.file.as_str()),
        ("180", "pipelines/rules/apac/2025-10-01.toml")
    );
    assert_eq!(freeze.provenance.as_deref(), Some("huawei"));
    assert_eq!(of("satisfaction.weight").file, "pipelines/rules/global/2026-07-01.toml");
    assert!(values.iter().all(|v| v.line > 0));
}

#[test]
fn a_draft_is_compared_in_words_and_its_faults_are_told_at_its_own_lines() {
    let workspace = crate::support::Workspace::sample();
    let text = fs::read_to_string(workspace.path().join("pipelines/rules/global/2026-07-01.toml")).unwrap();
    let draft = text.replace("weight = \"40\"", "weight = \"45\"");
    workspace.write("draft/global/next.toml", &draft);
    let path = workspace.path().join("draft/global/next.toml").display().to_string();
    let refused = workspace.run(&["rules", "diff", "--with", &path]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("draft/global/next.toml:37"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("105, not 100"), "{}", refused.stderr);

    let draft = draft.replacen("weight = \"35\"", "weight = \"30\"", 1);
    workspace.write("draft/global/next.toml", &draft);
    let told = workspace.ok(&["rules", "diff", "--with", &path]).stdout;
    assert_eq!(
        told.matches("Weight of customer satisfaction: 40 → 45").count(),
        3,
        "{told}"
    );
    assert_eq!(
        told.matches("Weight of engineering quality: 35 → 30").count(),
        3,
        "{told}"
    );
    let one = workspace
        .ok(&[
            "rules",
            "diff",
            "--with",
            &path,
            "--region",
            "emea",
            "--on",
            "2026-01-01",
        ])
        .stdout;
    assert_eq!(one, "the rules say the same\n");

    // the same text under another folder needs to be told whose it is
    workspace.write("elsewhere.toml", &draft);
    let path = workspace.path().join("elsewhere.toml").display().to_string();
    let refused = workspace.run(&["rules", "diff", "--with", &path]);
    assert!(refused.stderr.contains("--as"), "{}", refused.stderr);
    workspace.ok(&["rules", "diff", "--with", &path, "--as", "global"]);
}

#[test]
fn editions_differ_in_words() {
    let workspace = crate::support::Workspace::sample();
    let told = workspace
        .ok(&[
            "rules",
            "diff",
            "--region",
            "emea",
            "--on",
            "2025-10-01",
            "--to",
            "2026-07-01",
        ])
        .stdout;
    assert!(
        told.contains("Provisional below answers of customer satisfaction: 30 → 25"),
        "{told}"
    );
    assert!(
        told.contains("quality.critical_open_days  global/2025-10-01.toml:"),
        "{told}"
    );
    let shown = workspace
        .ok(&["rules", "show", "--region", "emea", "--on", "2026-07-01"])
        .stdout;
    assert_eq!(
        shown,
        workspace
            .ok(&["show", "rules", "--region", "emea", "--on", "2026-07-01"])
            .stdout
    );
    assert!(shown.contains("quality.critical_open_days"), "{shown}");
}
