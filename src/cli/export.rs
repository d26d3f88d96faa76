//! `export`: the books for other tools.

use std::path::{Path, PathBuf};

use super::query::current;
use super::{CommandResult, Session};
use crate::domain::Period;
use crate::edges::files;
use crate::pipeline::exports::credit_notes::{Which, credit_notes};
use crate::pipeline::exports::finance::finance_workbook;
use crate::pipeline::exports::{self, ErpChart, Form};
use crate::pipeline::{PipelineError, config};
use crate::store::StoreError;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The ledger of the current release as a journal.
    Journal {
        /// For hledger, for beancount, or as CSV for an ERP.
        #[arg(long, value_enum, default_value = "hledger")]
        format: Format,
        /// With csv: TOML file that names account codes, cost centres and partner numbers.
        #[arg(long, value_name = "FILE")]
        chart: Option<PathBuf>,
        /// With csv: entries of one posting period, such as 2026-Q3. The other forms prove the whole book.
        #[arg(long)]
        period: Option<String>,
        /// File to write; without it the journal is printed.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// The workbook for finance: summary, balances, documents, lines, journal, accruals, checks.
    Workbook {
        /// One posting period, such as 2026-Q3; else all.
        #[arg(long)]
        period: Option<String>,
        #[arg(long)]
        out: PathBuf,
    },
    /// Settlement documents as credit notes, UBL 2.1: one of them, or all of a posting period.
    Ubl {
        /// Number of the document, such as S-000001.
        #[arg(required_unless_present = "period", conflicts_with = "period")]
        settlement_no: Option<String>,
        #[arg(long)]
        period: Option<String>,
        /// Folder to write to, a file for each document; without it one document is printed.
        #[arg(long, required_unless_present = "settlement_no")]
        out: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Hledger,
    Beancount,
    Csv,
}

pub(super) fn export(session: &Session, args: &Args) -> CommandResult {
    match &args.what {
        What::Journal {
            format,
            chart,
            period,
            out,
        } => {
            if *format != Format::Csv && (chart.is_some() || period.is_some()) {
                return Err(PipelineError::Usage(
                    "--chart and --period are of --format csv: the other forms prove the whole book".to_owned(),
                ));
            }
            let form = match format {
                Format::Hledger => Form::Hledger,
                Format::Beancount => Form::Beancount,
                Format::Csv => Form::Csv(Box::new(read_chart(chart.as_deref())?), parse(period.as_deref())?),
            };
            let text = exports::journal(&current(session)?, &form)?;
            match out {
                None => session.output.text(&text),
                Some(path) => write(session, path, text.as_bytes())?,
            }
        }
        What::Workbook { period, out } => {
            let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
            let bytes = finance_workbook(&current(session)?, &config, parse(period.as_deref())?)?;
            write(session, out, &bytes)?;
        }
        What::Ubl {
            settlement_no,
            period,
            out,
        } => {
            let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
            let period = parse(period.as_deref())?;
            let which = match (settlement_no, period) {
                (Some(name), _) => Which::Document(name),
                (None, Some(period)) => Which::Period(period),
                (None, None) => return Err(PipelineError::Usage("name a document, or --period".to_owned())),
            };
            let notes = credit_notes(&current(session)?, &config, which)?;
            match out {
                None => notes.iter().for_each(|(_, xml)| session.output.text(xml)),
                Some(folder) => {
                    files::create_dir_all(folder).map_err(StoreError::from)?;
                    for (name, xml) in &notes {
                        write(session, &folder.join(format!("{name}.xml")), xml.as_bytes())?;
                    }
                    if notes.is_empty() {
                        session.output.line("there is no document on which something is due");
                    }
                }
            }
        }
    }
    Ok(())
}

fn parse(period: Option<&str>) -> Result<Option<Period>, PipelineError> {
    let parse = |text| Period::parse(text).map_err(|e| PipelineError::Usage(format!("--period '{text}' {e}")));
    period.map(parse).transpose()
}

fn read_chart(path: Option<&Path>) -> Result<ErpChart, PipelineError> {
    let Some(path) = path else {
        return Ok(ErpChart::default());
    };
    let bytes = files::read(path).map_err(StoreError::from)?;
    let wrong = |problem: String| PipelineError::Usage(format!("{}: {problem}", path.display()));
    let text = String::from_utf8(bytes).map_err(|e| wrong(e.to_string()))?;
    ErpChart::read(&text).map_err(wrong)
}

fn write(session: &Session, path: &Path, bytes: &[u8]) -> CommandResult {
    files::write_atomic(path, bytes).map_err(StoreError::from)?;
    session.output.line(&format!("wrote {}", path.display()));
    Ok(())
}
