//! A simulation as files.
//!
//! Duty: the comparison as CSV, the simulated tables as Parquet by the contracts of the release's tables, into an empty
//! folder of the user's choice. Not its duty: comparing.

use std::path::{Path, PathBuf};

use super::super::PipelineError;
use super::super::compare::{self, Standing};
use super::super::config::Config;
use super::Simulation;
use crate::domain::{Dec, Row};
use crate::edges::files;
use crate::rules::Rules;
use crate::store::{StoreError, parquet};

/// Writes `cards.csv`, `domains.csv`, `money.csv`, and `metrics`, `scores` and `partner_scores` as Parquet; returns what
/// was written.
pub fn write(
    simulation: &Simulation,
    config: &Config,
    rules: &Rules,
    folder: &Path,
) -> Result<Vec<PathBuf>, PipelineError> {
    let there = if files::exists(folder) {
        files::list(folder).map_err(StoreError::from)?
    } else {
        Vec::new()
    };
    if !there.is_empty() {
        return Err(PipelineError::Usage(format!(
            "{} is not empty: name a new folder",
            folder.display()
        )));
    }
    files::create_dir_all(folder).map_err(StoreError::from)?;
    let mut written = Vec::new();
    for (name, text) in [
        ("cards.csv", cards(simulation)),
        ("domains.csv", domains(simulation)),
        ("money.csv", money(simulation)),
    ] {
        let path = folder.join(name);
        files::write_new(&path, text.as_bytes()).map_err(StoreError::from)?;
        written.push(path);
    }
    for table in &simulation.tables {
        let contract = config.contract(table.name());
        let table = crate::contracts::conform(contract, table.clone()).map_err(StoreError::Contract)?;
        let path = folder.join(format!("{}.parquet", table.name()));
        let rows: Vec<&Row> = table.rows.iter().collect();
        let bytes = parquet::write(Vec::new(), &path, contract, &rows, &rules.hash().to_string())?;
        files::write_new(&path, &bytes).map_err(StoreError::from)?;
        written.push(path);
    }
    Ok(written)
}

const SIDES: &str = "score_before,score_after,change,grade_before,grade_after,state_before,state_after";

fn cards(simulation: &Simulation) -> String {
    let mut out = format!("partner_id,period,{SIDES},red_line_before,red_line_after\n");
    for c in &simulation.cards {
        let red = [c.before.red_line.clone(), c.after.red_line.clone()];
        line(
            &mut out,
            &[
                vec![c.partner.clone(), c.period.clone()],
                sides(&c.before, &c.after),
                red.to_vec(),
            ]
            .concat(),
        );
    }
    out
}

fn domains(simulation: &Simulation) -> String {
    let mut out = format!("partner_id,domain,period,{SIDES}\n");
    for d in &simulation.domains {
        let key = vec![d.partner.clone(), d.domain.clone(), d.period.clone()];
        line(&mut out, &[key, sides(&d.before, &d.after)].concat());
    }
    out
}

fn money(simulation: &Simulation) -> String {
    let mut out = "partner_id,scheme,earning_period,currency,before,after,change\n".to_owned();
    for c in &simulation.costs {
        let key = [
            c.partner.clone(),
            c.scheme.clone(),
            c.earning_period.to_string(),
            c.currency.to_string(),
        ];
        let amounts = [c.before.to_string(), c.after.to_string(), shown(c.delta())];
        line(&mut out, &[key.to_vec(), amounts.to_vec()].concat());
    }
    out
}

fn sides(before: &Standing, after: &Standing) -> Vec<String> {
    vec![
        shown(before.score),
        shown(after.score),
        shown(compare::difference(before.score, after.score)),
        before.grade.clone().unwrap_or_default(),
        after.grade.clone().unwrap_or_default(),
        before.state.clone(),
        after.state.clone(),
    ]
}

fn shown(number: Option<Dec>) -> String {
    number.map_or(String::new(), |n| n.to_string())
}

fn line(out: &mut String, fields: &[String]) {
    let quoted = |field: &String| {
        if field.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.clone()
        }
    };
    let fields: Vec<String> = fields.iter().map(quoted).collect();
    out.push_str(&fields.join(","));
    out.push('\n');
}
