//! `show rules`, `show path`: what holds, and where it comes from.

use super::query::current;
use super::{CommandResult, Session};
use crate::domain::ids::RegionId;
use crate::domain::{Table, Value, time};
use crate::pipeline::{PipelineError, config};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The resolved rules of a region on a day, each with its file and line.
    Rules {
        /// Region: a folder of pipelines/rules/.
        #[arg(long)]
        region: String,
        /// Day, such as 2026-07-01.
        #[arg(long)]
        on: String,
    },
    /// The folder of the current release, resolved: for long reads that must not move with `current`.
    Path,
}

pub(super) fn show(session: &Session, args: &Args) -> CommandResult {
    match &args.what {
        What::Path => {
            let release = current(session)?;
            session.output.line(&release.folder().display().to_string());
        }
        What::Rules { region, on } => {
            let usage = PipelineError::Usage;
            let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
            let region = RegionId::new(region).map_err(|e| usage(format!("--region {e}")))?;
            let day =
                time::parse_date(on).ok_or_else(|| usage(format!("--on '{on}' is no date such as 2026-07-01")))?;
            let values = config.rules.resolved(&region, day).map_err(|e| usage(e.to_string()))?;
            let mut table = Table::new("rules", &["key", "value", "from", "provenance"]);
            for v in values {
                let from = format!("{}:{}", v.file, v.line);
                table.push(vec![
                    v.path.into(),
                    v.value.into(),
                    from.into(),
                    v.provenance.map_or(Value::Null, Into::into),
                ]);
            }
            session.output.table(&table);
        }
    }
    Ok(())
}
