//! Figures of public programmes and products, computed by the engine from rules in the rule format.
//!
//! Each is an example of `tests/it/scores/`: the format of `pipelines/metrics/`. The page docs/examples.md shows them
//! and is checked here; STARLEDGER_WRITE_DOCS=1 writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use starledger::pipeline::config;
use starledger::pipeline::examples::{self, Outcome};

use crate::support::workspace::repository;

/// The figures that must come out, and those that must not.
const MUST: [&str; 53] = [
    "hp-repair-eff-970",
    "hp-repair-eff-920",
    "hp-repair-eff-900",
    "hp-repair-eff-500",
    "sap-stdvar-20",
    "sap-stdvar-60",
    "sap-qty-variance",
    "sap-main-weights",
    "sap-sub-weights",
    "sap-gr-uninspected",
    "s4-price-variance",
    "s4-price-average",
    "cisco-round-up",
    "cisco-tier-69.95",
    "cisco-tier-70.0",
    "erpnext-criterion",
    "erpnext-criterion-nodata",
    "erpnext-zero-weights",
    "erpnext-div-zero",
    "erpnext-standing-30",
    "erpnext-standing-99.9",
    "erpnext-standing-100",
    "erpnext-no-periods",
    "ariba-pregrade",
    "servicenow-tier",
    "ms-csat-org-cap",
    "cisco-min-gold-29",
    "cisco-min-premier-19",
    "cisco-min-premier-20",
    "driv-ppm-0",
    "driv-ppm-26",
    "driv-ppm-50",
    "driv-ppm-100",
    "driv-ppm-501",
    "driv-scar-1",
    "driv-scar-4",
    "driv-scar-5",
    "bell-otd",
    "sbs-na-reweight",
    "cms-missing-group",
    "huawei-list-1xL1",
    "huawei-list-3xL2",
    "huawei-list-3xL3",
    "huawei-list-1xL2+1xL3",
    "cisco-rma-31",
    "wilson-4-5",
    "wilson-2-2",
    "wilson-100-101",
    "wilson-9-10",
    "wilson-27-30",
    "wilson-45-50",
    "shrink-5-5",
    "shrink-90-100",
];

fn outcomes() -> Vec<(String, Outcome)> {
    let (config, _) = config::load(repository()).expect("the sample configuration");
    let folder = repository().join("tests/it/scores");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the examples")
        .map(|e| e.expect("one").path())
        .collect();
    files.sort();
    let text = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("a text"))
    };
    let texts: Vec<(String, String)> = files.iter().map(text).collect();
    let sheets = examples::read_all(&texts).expect("examples in order");
    let mut all = Vec::new();
    for sheet in &sheets {
        let sources = sheet.examples.iter().map(|e| e.source.clone().unwrap_or_default());
        all.extend(sources.zip(examples::run_sheet(&config, sheet).expect("computed")));
    }
    all
}

#[test]
fn every_public_figure_is_computed() {
    let outcomes = outcomes();
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|(_, o)| !o.passed())
        .map(|(_, o)| format!("{}: {:?} {:?}", o.name, o.problem, o.checks))
        .collect();
    assert_eq!(failed, Vec::<String>::new());
    let computed: BTreeSet<&str> = outcomes.iter().filter_map(|(_, o)| o.name.split(' ').next()).collect();
    let missing: Vec<&str> = MUST.into_iter().filter(|id| !computed.contains(id)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    assert_docs(&page(&outcomes));
}

fn page(outcomes: &[(String, Outcome)]) -> String {
    let mut page = String::from(
        "# Figures of public programmes and products\n\nEach figure is published, or follows from a rule that is; here it \
         is what the engine computes from rules in the\nrule format (`tests/it/scores/`, run by `cargo test --test it \
         scores::`, which also checks this page).\n\n| example | what | expected | got |\n|---|---|---|---|\n",
    );
    for (_, outcome) in outcomes {
        for check in &outcome.checks {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} |",
                outcome.name, check.what, check.expected, check.got
            );
        }
    }
    page.push_str("\n## Sources\n\n");
    let mut sources: Vec<&String> = outcomes
        .iter()
        .map(|(source, _)| source)
        .filter(|s| s.len() > 5)
        .collect();
    sources.sort();
    sources.dedup();
    for source in sources {
        let _ = writeln!(page, "* {source}");
    }
    page
}

fn assert_docs(page: &str) {
    let path = repository().join("docs/examples.md");
    if std::env::var_os("STARLEDGER_WRITE_DOCS").is_some() {
        fs::write(&path, page).expect("the page");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/examples.md is out of date: run with STARLEDGER_WRITE_DOCS=1"
    );
}
