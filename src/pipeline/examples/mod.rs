//! Worked examples of metrics, which are their tests: `given` rows, `expect` rows.
//!
//! Duty: read the files of `pipelines/metrics/`, compute each example with the engine and the rules of the workspace,
//! and say what differs. Nothing in the workspace is read or written but its configuration. Not its duty: any
//! arithmetic.
//!
//! | given | what happens |
//! |---|---|
//! | rows of feeds | the measures that read them run, in SQL |
//! | rows of measures | they stand as given |
//! | rows of calendars, or none | a partner has the periods of the look-back in its region |
//! | `rules` | laid over the global edition: the rule format, complete or in part |

mod compare;
mod given;
mod read;

use std::collections::BTreeMap;
use std::path::Path;

use super::PipelineError;
use super::config::{self, Config};
use crate::domain::ids::RegionId;
use crate::domain::{Finding, Findings, Period, Place, Table};
use crate::edges::files;
use crate::evaluation::{self, Inputs};
use crate::rules::{GLOBAL, MetricId, RULES_FOLDER, Rules};

pub use compare::Check;
pub use read::{Example, Sheet};

/// Folder of the example files in a workspace.
pub const FOLDER: &str = "pipelines/metrics";

/// Region of an example that names none.
const EXAMPLE: &str = "example";

/// An example that was computed.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub file: String,
    pub line: u64,
    pub metric: String,
    pub name: String,
    pub checks: Vec<Check>,
    /// Why it could not be computed.
    pub problem: Option<String>,
}

impl Outcome {
    #[must_use]
    pub fn passed(&self) -> bool {
        self.problem.is_none() && !self.checks.is_empty() && self.checks.iter().all(|check| check.holds)
    }
}

/// Computes all examples of a workspace; with `only`, those of one metric. A metric with weight or a rule of its own and
/// without an example is a finding.
pub fn run(workspace: &Path, only: Option<&str>) -> Result<(Vec<Outcome>, Findings), PipelineError> {
    let (config, _) = config::load(workspace).map_err(PipelineError::Config)?;
    let mut texts = Vec::new();
    let folder = workspace.join(FOLDER);
    let names = if files::exists(&folder) {
        files::list(&folder)
    } else {
        Ok(Vec::new())
    };
    for name in names.map_err(crate::store::StoreError::from)? {
        if name.ends_with(".toml") {
            let text = files::read_text(&folder.join(&name)).map_err(crate::store::StoreError::from)?;
            texts.push((format!("{FOLDER}/{name}"), text));
        }
    }
    texts.sort();
    let sheets = read_all(&texts)?;
    let wanted = |sheet: &&Sheet| only.is_none_or(|name| name == sheet.metric);
    let mut outcomes = Vec::new();
    for sheet in sheets.iter().filter(wanted) {
        outcomes.extend(run_sheet(&config, sheet)?);
    }
    Ok((outcomes, untested(&config, &sheets, only)))
}

/// Reads example files; all findings of all files.
pub fn read_all(texts: &[(String, String)]) -> Result<Vec<Sheet>, PipelineError> {
    let (mut sheets, mut findings) = (Vec::new(), Findings::new());
    for (file, text) in texts {
        match read::sheet(file, text) {
            Ok(sheet) => sheets.push(sheet),
            Err(found) => findings.extend(found),
        }
    }
    if findings.is_empty() {
        Ok(sheets)
    } else {
        Err(PipelineError::Config(findings))
    }
}

/// Computes the examples of one file.
pub fn run_sheet(config: &Config, sheet: &Sheet) -> Result<Vec<Outcome>, PipelineError> {
    let outcome = |example: &Example| {
        let (checks, problem) = match compute(config, example) {
            Ok(checks) => (checks, None),
            Err(PipelineError::Config(findings)) => expected_findings(example, &findings),
            Err(error @ (PipelineError::Stage { .. } | PipelineError::Usage(_) | PipelineError::Engine(_))) => {
                (Vec::new(), Some(error.to_string()))
            }
            Err(error) => return Err(error),
        };
        Ok(Outcome {
            file: sheet.file.clone(),
            line: example.line,
            metric: sheet.metric.clone(),
            name: example.name.clone(),
            checks,
            problem,
        })
    };
    sheet.examples.iter().map(outcome).collect()
}

/// Metrics that count and have no example.
fn untested(config: &Config, sheets: &[Sheet], only: Option<&str>) -> Findings {
    let mut missing = std::collections::BTreeSet::new();
    for book in config.rules.books() {
        for metric in book.metrics() {
            let counts = matches!(metric, MetricId::Own(_)) || book.weight(metric).is_positive();
            let tested = sheets
                .iter()
                .any(|s| s.metric == metric.as_str() && !s.examples.is_empty());
            if counts && !tested && only.is_none_or(|name| name == metric.as_str()) {
                missing.insert(metric);
            }
        }
    }
    let finding = |metric: MetricId| {
        Finding::error(
            Place::file(format!("{FOLDER}/{metric}.toml")),
            "metric.untested",
            format!("the metric '{metric}' has no worked example"),
            "add the file with formula, source and an [[example]] that has given and expect rows",
        )
    };
    missing.into_iter().map(finding).collect()
}

/// Rules that cannot be read are what some examples expect.
fn expected_findings(example: &Example, findings: &Findings) -> (Vec<Check>, Option<String>) {
    if example.findings.is_empty() {
        let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
        return (Vec::new(), Some(texts.join("\n       ")));
    }
    let got: Vec<&str> = findings.iter().map(|f| f.rule.as_ref()).collect();
    let check = |rule: &String| Check {
        what: "finding".to_owned(),
        expected: rule.clone(),
        got: got.join(", "),
        holds: got.contains(&rule.as_str()),
    };
    (example.findings.iter().map(check).collect(), None)
}

/// The rules with those of the example, and its region.
fn rules_of(config: &Config, example: &Example) -> Result<(Rules, RegionId), PipelineError> {
    let usage = |detail: String| PipelineError::Usage(detail);
    if let (Some(region), None) = (&example.region, &example.rules) {
        let region = RegionId::new(region).map_err(|e| usage(format!("the region '{region}' {e}")))?;
        return Ok((config.rules.clone(), region));
    }
    let programme = config.rules.programme();
    let first = Period::parse(&programme.first_period).map_err(|e| usage(e.to_string()))?;
    let day = programme.calendar.first_day(first);
    let prefix = format!("{RULES_FOLDER}/{GLOBAL}/");
    let global = config.bundle.iter().filter(|(path, _)| path.starts_with(&prefix));
    let mut texts: Vec<(String, String)> = global
        .map(|(path, text)| (path[RULES_FOLDER.len() + 1..].to_owned(), text.clone()))
        .collect();
    let overlay = example.rules.as_deref().unwrap_or_default();
    let name = format!("{EXAMPLE}/{day}.toml");
    texts.push((name, format!("effective_from = \"{day}\"\n{overlay}")));
    let rules = Rules::read(&texts).map_err(PipelineError::Config)?;
    let region = RegionId::new(EXAMPLE).map_err(|e| usage(e.to_string()))?;
    Ok((rules, region))
}

/// Refuses a period for which the programme evaluates nobody: no row could come out.
fn is_evaluated(rules: &Rules, period: Period) -> Result<(), PipelineError> {
    let programme = rules.programme();
    let first = Period::parse(&programme.first_period).map_err(|e| PipelineError::Usage(e.to_string()))?;
    let why = if period.kind() != programme.evaluation_period {
        format!(
            "{period} is no evaluation period: the programme evaluates each {}",
            first.kind()
        )
    } else if period < first {
        format!("{period} lies before {first}, the programme's first period")
    } else {
        return Ok(());
    };
    Err(PipelineError::Usage(format!(
        "{why}; give the example a period such as {first}"
    )))
}

fn compute(config: &Config, example: &Example) -> Result<Vec<Check>, PipelineError> {
    let (rules, region) = rules_of(config, example)?;
    if !example.findings.is_empty() {
        let check = |rule: &String| Check {
            what: "finding".to_owned(),
            expected: rule.clone(),
            got: "the rules are in order".to_owned(),
            holds: false,
        };
        return Ok(example.findings.iter().map(check).collect());
    }
    is_evaluated(&rules, example.period)?;
    let tables = given::tables(config, &rules, &region, example)?;
    let take = |name: &str| tables.get(name).cloned().unwrap_or_else(|| empty(config, name));
    let own = rules.books().flat_map(|book| book.own.values());
    let own = own
        .map(|metric| (metric.measure.clone(), take(&format!("measures_{}", metric.measure))))
        .collect();
    let inputs = Inputs {
        periods: vec![example.period],
        partner_periods: take("calendar_partner_periods"),
        satisfaction: take("measures_satisfaction"),
        quality: take("measures_quality"),
        critical: take("measures_critical"),
        parts: take("measures_parts"),
        deliveries: take("measures_deliveries"),
        service_level: take("measures_service_level"),
        ratings: take("measures_ratings"),
        responses: take("measures_responses"),
        own,
        engineers: take("engineers"),
        enablement: take("enablement"),
        certifications: take("certifications"),
        domains: take("domains"),
        key_events: take("key_events"),
        decisions: take("decisions"),
        sealed_scores: take("scores"),
        sealed_partner_scores: take("partner_scores"),
        sealed_metrics: take("metrics"),
        sealed_key_event_points: take("key_event_points"),
        incomplete: example.incomplete(),
    };
    let evaluated = evaluation::evaluate(&inputs, &rules).map_err(|e| PipelineError::Stage {
        what: "the evaluation",
        detail: e.to_string(),
    })?;
    let mut results: BTreeMap<String, Table> = tables;
    results.insert("weights".to_owned(), compare::exact_weights(&evaluated));
    for table in [
        evaluated.metrics,
        evaluated.scores,
        evaluated.partner_scores,
        evaluated.key_event_points,
        evaluated.figures,
        evaluated.score_changes,
        evaluated.peer_figures,
    ] {
        results.insert(table.name().to_owned(), table);
    }
    compare::all(example, &results)
}

/// A table without rows; with the columns of its contract, where it has one.
fn empty(config: &Config, name: &str) -> Table {
    let columns = config
        .catalogue
        .get(name)
        .map(|c| c.columns.iter().map(|c| c.name.clone()).collect());
    Table::with_columns(name, columns.unwrap_or_default())
}
