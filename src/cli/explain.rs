//! `explain score`, `explain rebate`: why a number is what it is.

use serde_json::{Value as Json, json};

use super::query::current;
use super::{CommandResult, Session};
use crate::domain::Period;
use crate::domain::ids::PartnerId;
use crate::evaluation::explain::Line;
use crate::pipeline::{PipelineError, explain as explaining};
use crate::rules::MetricId;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The derivation of a partner's scores in a period, down to the measures.
    Score {
        partner: String,
        /// Evaluation period, such as 2026-Q3.
        period: String,
        /// Only this metric: satisfaction, quality or parts.
        #[arg(long)]
        metric: Option<String>,
    },
    /// The components of what a partner earned in a period, scheme by scheme.
    Rebate {
        partner: String,
        /// Earning period, such as 2026-Q3.
        period: String,
    },
}

pub(super) fn explain(session: &Session, args: &Args) -> CommandResult {
    let release = current(session)?;
    match &args.what {
        What::Score {
            partner,
            period,
            metric,
        } => {
            let (partner, period) = parse(partner, period)?;
            let metric = metric.as_deref().map(find_metric).transpose()?;
            let found = explaining::score(&session.layout, &release, &partner, period, metric)?;
            let Some(explanation) = found else {
                return Err(PipelineError::Usage(format!("{partner} was not evaluated in {period}")));
            };
            if session.output.json {
                session.output.value(&json!({
                    "title": explanation.title, "rules": explanation.rules,
                    "lines": explanation.lines.iter().map(line_json).collect::<Vec<_>>(),
                }));
            } else {
                session.output.line(&explanation.title);
                session.output.line(&explanation.rules);
                explanation.lines.iter().for_each(|line| print(session, line, 0));
            }
        }
        What::Rebate { partner, period } => {
            let (partner, period) = parse(partner, period)?;
            let table = explaining::rebates(&release, &partner, period)?;
            if table.rows.is_empty() {
                let known = release.read_table("partners")?;
                let is_known = known.iter().any(|r| r.text("partner_id") == Ok(partner.as_str()));
                let message = if is_known {
                    format!("no scheme counted a sale of {partner} in {period}")
                } else {
                    format!("there is no partner {partner} in the release")
                };
                return Err(PipelineError::Usage(message));
            }
            session.output.table(&table);
        }
    }
    Ok(())
}

fn parse(partner: &str, period: &str) -> Result<(PartnerId, Period), PipelineError> {
    let partner = PartnerId::new(partner).map_err(|e| PipelineError::Usage(format!("partner '{partner}' {e}")))?;
    let period = Period::parse(period).map_err(|e| PipelineError::Usage(e.to_string()))?;
    Ok((partner, period))
}

fn find_metric(name: &str) -> Result<MetricId, PipelineError> {
    MetricId::ALL.into_iter().find(|m| m.as_str() == name).ok_or_else(|| {
        let names: Vec<&str> = MetricId::ALL.iter().map(|m| m.as_str()).collect();
        PipelineError::Usage(format!("there is no metric '{name}'; there are {}", names.join(", ")))
    })
}

fn print(session: &Session, line: &Line, depth: usize) {
    let indent = "  ".repeat(depth);
    let formula = if line.formula.is_empty() {
        String::new()
    } else {
        format!("   [{}]", line.formula)
    };
    session
        .output
        .line(&format!("{indent}{}: {}{formula}", line.label, line.value));
    line.children.iter().for_each(|child| print(session, child, depth + 1));
}

fn line_json(line: &Line) -> Json {
    json!({
        "label": line.label, "formula": line.formula, "value": line.value,
        "children": line.children.iter().map(line_json).collect::<Vec<_>>(),
    })
}
