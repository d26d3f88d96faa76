//! Example files as values.
//!
//! Duty: TOML → examples with their lines, all findings at once. Not its duty: what the columns mean (`given`,
//! `compare`).

use std::collections::BTreeSet;

use toml::Value as Toml;

use crate::domain::ids::PartnerId;
use crate::domain::{Finding, Findings, Period, Place};
use crate::rules::MetricId;

/// One file: a metric with its formula, its source and its examples.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub file: String,
    pub metric: String,
    pub title: String,
    pub formula: String,
    pub source: String,
    pub examples: Vec<Example>,
}

/// Rows by table; each row's columns with their values as written.
pub type Rows = Vec<(String, Vec<Vec<(String, Toml)>>)>;

/// One worked example.
#[derive(Clone, Debug)]
pub struct Example {
    pub name: String,
    /// Of `[[example]]`, from 1.
    pub line: u64,
    pub source: Option<String>,
    pub period: Period,
    pub region: Option<String>,
    /// Rules laid over the global edition.
    pub rules: Option<String>,
    /// Metrics whose feed was silent for `P1`.
    pub silent: Vec<MetricId>,
    pub given: Rows,
    pub expect: Rows,
    /// Rules of the findings that reading the rules must give.
    pub findings: Vec<String>,
}

impl Example {
    pub(super) fn incomplete(&self) -> BTreeSet<(MetricId, PartnerId, Period)> {
        let partner = PartnerId::new(super::given::PARTNER).ok();
        let silent = self
            .silent
            .iter()
            .filter_map(|metric| Some((*metric, partner.clone()?, self.period)));
        silent.collect()
    }
}

/// Reads one file.
pub(super) fn sheet(file: &str, text: &str) -> Result<Sheet, Findings> {
    let mut findings = Findings::new();
    let parsed: Result<toml::Table, _> = text.parse();
    let table = match parsed {
        Ok(table) => table,
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).map_or(1, |before| before.matches('\n').count() + 1);
            return Err(vec![finding(
                file,
                line,
                error.message().to_owned(),
                "correct the TOML",
            )]);
        }
    };
    let lines: Vec<usize> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.trim_end() == "[[example]]")
        .map(|(i, _)| i + 1)
        .collect();
    for key in table
        .keys()
        .filter(|k| !["metric", "title", "formula", "source", "example"].contains(&k.as_str()))
    {
        findings.push(finding(
            file,
            1,
            format!("unknown key `{key}`"),
            "a file has metric, title, formula, source and [[example]]",
        ));
    }
    let mut head = |key: &str| match table.get(key) {
        Some(Toml::String(text)) if !text.trim().is_empty() => text.clone(),
        _ => {
            findings.push(finding(
                file,
                1,
                format!("the mandatory key `{key}` is missing or no text"),
                "add metric, title, formula and source at the top",
            ));
            String::new()
        }
    };
    let (metric, title, formula, source) = (head("metric"), head("title"), head("formula"), head("source"));
    let mut examples = Vec::new();
    for (i, item) in table
        .get("example")
        .and_then(Toml::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let line = lines.get(i).copied().unwrap_or(1);
        match example(item, line) {
            Ok(example) => examples.push(example),
            Err(problems) => {
                findings.extend(
                    problems
                        .into_iter()
                        .map(|p| finding(file, line, p, "docs/metrics.md describes an example")),
                );
            }
        }
    }
    if findings.is_empty() {
        Ok(Sheet {
            file: file.to_owned(),
            metric,
            title,
            formula,
            source,
            examples,
        })
    } else {
        Err(findings)
    }
}

fn finding(file: &str, line: usize, message: String, remedy: &str) -> Finding {
    Finding::error(Place::line(file, line as u64), "example", message, remedy)
}

fn example(item: &Toml, line: usize) -> Result<Example, Vec<String>> {
    const KNOWN: [&str; 9] = [
        "name", "source", "period", "region", "rules", "silent", "given", "expect", "findings",
    ];
    let Some(table) = item.as_table() else {
        return Err(vec!["an example is a table".to_owned()]);
    };
    let mut problems: Vec<String> = table
        .keys()
        .filter(|key| !KNOWN.contains(&key.as_str()))
        .map(|key| format!("unknown key `{key}`; an example has {}", KNOWN.join(", ")))
        .collect();
    let text = |key: &str| table.get(key).and_then(Toml::as_str).map(str::to_owned);
    let mut needed = |key: &str| {
        text(key).unwrap_or_else(|| {
            problems.push(format!("`{key}` is missing or no text"));
            String::new()
        })
    };
    let (name, period) = (needed("name"), needed("period"));
    let period = match Period::parse(&period) {
        Ok(period) => Some(period),
        Err(error) if !period.is_empty() => {
            problems.push(error.to_string());
            None
        }
        Err(_) => None,
    };
    let list = |key: &str| -> Vec<String> {
        let items = table.get(key).and_then(Toml::as_array).into_iter().flatten();
        items.filter_map(Toml::as_str).map(str::to_owned).collect()
    };
    let silent: Vec<MetricId> = list("silent").iter().filter_map(|name| MetricId::parse(name)).collect();
    let given = rows(table, "given", &mut problems);
    let expect = rows(table, "expect", &mut problems);
    let findings = list("findings");
    if expect.is_empty() && findings.is_empty() {
        problems.push("nothing is expected: add [[example.expect.metrics]]".to_owned());
    }
    match (problems.is_empty(), period) {
        (true, Some(period)) => Ok(Example {
            name,
            line: line as u64,
            source: text("source"),
            period,
            region: text("region"),
            rules: text("rules"),
            silent,
            given,
            expect,
            findings,
        }),
        _ => Err(problems),
    }
}

fn rows(table: &toml::Table, key: &str, problems: &mut Vec<String>) -> Rows {
    let Some(found) = table.get(key) else { return Vec::new() };
    let Some(tables) = found.as_table() else {
        problems.push(format!(
            "`{key}` holds tables with rows: [[example.{key}.measures_parts]]"
        ));
        return Vec::new();
    };
    let mut out = Rows::new();
    for (name, rows) in tables {
        let Some(rows) = rows.as_array() else {
            problems.push(format!("`{key}.{name}` is a list of rows"));
            continue;
        };
        let mut read = Vec::new();
        for row in rows {
            match row.as_table() {
                Some(row) => read.push(row.iter().map(|(k, v)| (k.clone(), v.clone())).collect()),
                None => problems.push(format!("a row of `{key}.{name}` is a table of columns")),
            }
        }
        out.push((name.clone(), read));
    }
    out
}
