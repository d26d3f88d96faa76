//! The report of a period as a reader has it: whole, from disk, nobody else's data, in a real browser.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::support::python::{self, python};
use crate::support::tool::has_tool;
use crate::support::workspace::hashes;
use crate::support::{Workspace, ran_sample};

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

fn text<'a>(row: &'a Json, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_else(|| panic!("{column} of {row}"))
}

/// A page, with the one escape undone that links have.
fn page(folder: &Path, name: &str) -> String {
    let text = fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    text.replace("&#x2f;", "/")
}

#[test]
fn a_report_is_whole_loads_nothing_and_is_the_same_again() {
    let workspace = ran_sample();
    workspace.ok(&["report", "2026-Q3"]);
    let folder = workspace.path().join("report-2026-Q3");
    let partners = rows(
        &workspace,
        "SELECT partner_id, final FROM partner_scores WHERE period = '2026-Q3'",
    );
    let index = page(&folder, "index.html");
    for row in &partners {
        let id = text(row, "partner_id");
        assert!(index.contains(&format!("href=\"partners/{id}.html\"")), "{id}");
        let own = page(&folder, &format!("partners/{id}.html"));
        if let Some(score) = row["final"].as_str() {
            assert!(own.contains(score), "{id} {score}");
        }
    }
    // earned by scheme and currency, added up here from the rows that were posted
    let earned = rows(
        &workspace,
        "SELECT currency, SUM(booked) AS booked FROM rebates WHERE component = 'earned' AND earning_period = '2026-Q3' GROUP BY currency",
    );
    for row in &earned {
        let amount = text(row, "booked");
        let digits = match text(row, "currency") {
            "JPY" | "CLP" => 0,
            "KWD" => 3,
            _ => 2,
        };
        let (whole, decimals) = amount.split_once('.').expect("decimals");
        let shown = if digits == 0 {
            whole.to_owned()
        } else {
            format!("{whole}.{}", &decimals[..digits])
        };
        assert!(index.contains(&format!("<strong>{shown}</strong>")), "{row} {shown}");
    }
    // every link leads somewhere, and nothing is loaded from elsewhere
    for (file, _) in hashes(&folder) {
        if !file.ends_with(".html") {
            continue;
        }
        let html = page(&folder, &file);
        assert!(
            !html.contains("http://") && !html.contains("https://") && !html.contains("url("),
            "{file}"
        );
        let at = folder.join(&file);
        for link in html.split("href=\"").skip(1).chain(html.split(" src=\"").skip(1)) {
            let target = link.split('"').next().expect("a link");
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() {
                at.clone()
            } else {
                at.parent().expect("a folder").join(path)
            };
            assert!(path.exists(), "{file}: {target}");
            if !anchor.is_empty() {
                let there = fs::read_to_string(&path).expect("a page");
                assert!(there.contains(&format!("id=\"{anchor}\"")), "{file}: {target}");
            }
        }
    }
    // the same bytes over the folder that is there; other folders are let be
    let before = hashes(&folder);
    workspace.ok(&["report", "2026-Q3"]);
    assert_eq!(hashes(&folder), before);
    let own = workspace.run(&[
        "report",
        "2026-Q3",
        "--out",
        &workspace.path().join("pipelines").display().to_string(),
    ]);
    assert_eq!(own.code, 2, "{} {}", own.stdout, own.stderr);
    assert!(own.stderr.contains("holds other files"), "{}", own.stderr);
    let unknown = workspace.run(&["report", "2031-Q1"]);
    assert!(
        unknown.code == 2 && unknown.stderr.contains("it has 2025-Q4"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn the_page_of_a_partner_names_nobody_else_and_hostile_names_break_nothing() {
    let workspace = Workspace::sample();
    let file = workspace.path().join("sample_data/reference/partners.csv");
    let names = fs::read_to_string(&file).expect("the partners");
    let hostile = names.replacen(
        "Nordlicht Netzwerke GmbH",
        "<script>alert(1)</script> & “Söhne’’ \u{202e}",
        1,
    );
    assert_ne!(names, hostile);
    fs::write(&file, hostile).expect("written");
    workspace.run(&["run"]);
    workspace.ok(&["report", "2026-Q2"]);
    let folder = workspace.path().join("report-2026-Q2");
    let partners = rows(&workspace, "SELECT partner_id, legal_name FROM partners");
    let known: BTreeSet<(String, String)> = partners
        .iter()
        .map(|row| (text(row, "partner_id").to_owned(), text(row, "legal_name").to_owned()))
        .collect();
    let mut pages = 0;
    for (own, _) in &known {
        let Ok(html) = fs::read_to_string(folder.join(format!("partners/{own}.html"))) else {
            continue;
        };
        pages += 1;
        assert!(!html.contains("<script>alert"), "{own}");
        for (other, name) in known.iter().filter(|(other, _)| other != own) {
            assert!(!html.contains(other.as_str()), "{own} names {other}");
            let is_shared = known.iter().any(|(id, same)| id == own && same == name);
            assert!(is_shared || !html.contains(name.as_str()), "{own} names {name}");
        }
    }
    assert!(pages > 30, "{pages}");
    assert!(page(&folder, "index.html").contains("&lt;script&gt;alert(1)"));
}

#[test]
fn the_pages_are_accessible_and_work_without_a_network() {
    if !has_tool(
        "chromium",
        "chromium",
        "accessibility and offline use of the report are not proved",
    ) {
        return;
    }
    let workspace = ran_sample();
    workspace.ok(&["report", "2026-Q3"]);
    let folder = workspace.path().join("report-2026-Q3");
    let script = include_str!("support/browser.py");
    let pictures = std::env::var("STARLEDGER_PICTURES").unwrap_or_else(|_| "-".to_owned());
    let found = python::script(
        script,
        &[
            &folder.display().to_string(),
            &pictures,
            "index.html",
            "partners/EM-0001.html",
            "catalogue.html",
        ],
    );
    assert!(found.is_empty(), "{found}");
}

#[test]
fn the_queries_of_the_catalogue_run_for_every_table() {
    let workspace = ran_sample();
    workspace.ok(&[
        "report",
        "--catalogue-only",
        "--out",
        &workspace.path().join("catalogue").display().to_string(),
    ]);
    let _ = python();
    let ran = python::script(
        r#"
import html, os, re, sys
import duckdb, pandas, polars
os.chdir(sys.argv[1])
page = open("catalogue/catalogue.html", encoding="utf-8").read()
count = 0
for name, rest in re.findall(r'<h2 id="([a-z_0-9]+)">.*?</h2>(.*?)</section>', page, re.S):
    code = {title: html.unescape(text) for title, text in re.findall(r"<h3>(.*?)</h3>\s*<pre[^>]*><code>(.*?)</code>", rest, re.S)}
    if not code:
        continue
    if not os.path.isdir(f"warehouse/current/{name}"):
        sys.exit(f"no folder of {name}")
    first = duckdb.sql(code["DuckDB"]).fetchall()
    scope = {}
    lines = code["Polars"].split("\n")
    exec(lines[0], scope)
    second = eval(lines[1], scope)
    lines = code["pandas"].split("\n")
    exec(lines[0], scope)
    third = eval(lines[1], scope)
    assert len(first) == second.height == len(third), (name, len(first), second.height, len(third))
    count += 1
print(count)
"#,
        &[&workspace.path().display().to_string()],
    );
    let count: usize = ran.trim().parse().expect("a number");
    assert!(count > 70, "{count}");
}
