//! `quarantine`: rejected records, from the list to their correction.

mod list;
mod show;

use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::json_findings;
use super::query::current;
use super::{CommandResult, Session};
use crate::domain::Instant;
use crate::edges::clock::{Clock, SystemClock};
use crate::pipeline::desk::export;
use crate::pipeline::desk::records::{Desk, Filter, RecordId};
use crate::pipeline::desk::replay::{Order, Replayed, replay};
use crate::pipeline::{PipelineError, config};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Count rejected records by feed, file and rule, with what to do; files set aside too.
    List {
        #[command(flatten)]
        filter: FilterArgs,
        /// Also the records that wait for what they refer to.
        #[arg(long)]
        held: bool,
        /// Also the records that were corrected.
        #[arg(long)]
        all: bool,
    },
    /// Show one rejected or waiting record in full, or a file that was set aside.
    Show {
        /// <arrival>:<line> as listed, such as 31:22; of a file set aside its arrival alone.
        id: String,
    },
    /// Write the open records into a sheet in which they can be corrected.
    Export {
        #[command(flatten)]
        filter: FilterArgs,
        /// File to write; it must not exist. Without it quarantine.xlsx or quarantine.csv in this folder.
        #[arg(long)]
        out: Option<PathBuf>,
        /// A workbook with a sheet for each feed, or CSV of one feed.
        #[arg(long, value_enum, default_value_t = Form::Xlsx)]
        format: Form,
    },
    /// Deliver corrected records of a sheet anew, with a decision for each; the next run takes them in.
    Replay {
        /// The corrected workbook or CSV file.
        file: PathBuf,
        /// Who decided.
        #[arg(long)]
        by: String,
        /// Why the records were corrected so.
        #[arg(long)]
        reason: String,
        /// Role in which the person decided.
        #[arg(long, default_value = "data_steward")]
        role: String,
        /// Deliver what is right although other rows are still wrong.
        #[arg(long)]
        partial: bool,
        /// Only this record, also when it stands as exported; may be given more than once.
        #[arg(long, value_name = "ID")]
        row: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Xlsx,
    Csv,
}

#[derive(Debug, clap::Args)]
struct FilterArgs {
    /// Only this feed.
    #[arg(long)]
    feed: Option<String>,
    /// Only records with a finding of this rule.
    #[arg(long)]
    rule: Option<String>,
    /// Only this file: its name, or the end of it behind a slash.
    #[arg(long)]
    file: Option<String>,
    /// Only this arrival and later ones.
    #[arg(long, value_name = "ARRIVAL")]
    since_arrival: Option<i64>,
}

impl FilterArgs {
    /// What was typed, or that no file of the release can be meant.
    fn filter(&self, desk: &Desk) -> Result<Filter, PipelineError> {
        if let Some(feed) = &self.feed
            && !desk.files.values().any(|f| f.feed == *feed)
        {
            return Err(PipelineError::Usage(format!("no file of a feed '{feed}' was read")));
        }
        let filter = Filter {
            feed: self.feed.clone(),
            rule: self.rule.clone(),
            file: self.file.clone(),
            since_arrival: self.since_arrival,
        };
        let mut files = desk.files.iter();
        if self.file.is_some() && !files.any(|(a, f)| filter.means_file(&f.feed, &f.file_name, *a)) {
            let file = self.file.as_deref().unwrap_or_default();
            return Err(PipelineError::Usage(format!(
                "no file '{file}' was read by what was chosen"
            )));
        }
        Ok(filter)
    }
}

pub(super) fn quarantine(session: &Session, args: &Args) -> CommandResult {
    let release = current(session)?;
    let desk = Desk::open(&release)?;
    match &args.what {
        What::List { filter, held, all } => {
            list::list(session, &desk, &filter.filter(&desk)?, *held, *all);
            Ok(())
        }
        What::Show { id } => show::show(session, &desk, id),
        What::Export { filter, out, format } => {
            export_sheets(session, &desk, &filter.filter(&desk)?, out.as_deref(), *format)
        }
        What::Replay {
            file,
            by,
            reason,
            role,
            partial,
            row,
        } => {
            let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
            let only: Vec<RecordId> = row.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
            let order = Order {
                file,
                by,
                role,
                reason,
                partial: *partial,
                only: &only,
                // a decision is taken by people: seconds are enough
                now: Instant::from_micros(SystemClock.now().micros().div_euclid(1_000_000) * 1_000_000),
            };
            let replayed = replay(&session.layout, &config, &release, &order)?;
            print_replayed(session, &replayed);
            if replayed.findings.is_empty() {
                Ok(())
            } else {
                Err(PipelineError::Data(replayed.findings))
            }
        }
    }
}

fn parse(text: &str) -> Result<RecordId, PipelineError> {
    RecordId::parse(text).ok_or_else(|| PipelineError::Usage(format!("'{text}' is no record such as 31:22")))
}

fn counted(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

fn export_sheets(session: &Session, desk: &Desk, filter: &Filter, out: Option<&Path>, format: Form) -> CommandResult {
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let sheets = export::sheets(&session.layout, &config, desk, filter)?;
    let output = session.output;
    let counts: Vec<(String, usize)> = sheets.iter().map(|s| (s.feed.clone(), s.rows.len())).collect();
    let records: usize = counts.iter().map(|(_, n)| n).sum();
    let name = match format {
        Form::Xlsx => "quarantine.xlsx",
        Form::Csv => "quarantine.csv",
    };
    let path = out.unwrap_or(Path::new(name));
    if records > 0 {
        match (format, &sheets[..]) {
            (Form::Xlsx, _) => export::write_workbook(path, sheets)?,
            (Form::Csv, [sheet]) => export::write_csv(path, sheet)?,
            (Form::Csv, _) => {
                let feeds: Vec<&str> = counts.iter().map(|(feed, _)| feed.as_str()).collect();
                return Err(PipelineError::Usage(format!(
                    "a CSV file holds one feed: choose with --feed among {}",
                    feeds.join(", ")
                )));
            }
        }
    }
    if output.json {
        let feeds: serde_json::Map<_, _> = counts.iter().map(|(feed, n)| (feed.clone(), json!(n))).collect();
        let file = (records > 0).then(|| path.display().to_string());
        output.value(&json!({ "file": file, "records": records, "feeds": feeds }));
    } else if records == 0 {
        output.line("no record is open: nothing was written");
    } else {
        output.line(&format!(
            "wrote {}: {} of {}",
            path.display(),
            counted(records, "record", "records"),
            counted(counts.len(), "feed", "feeds")
        ));
        output.line(
            "its texts may be personal data: only its owner may read it (mode 0600); remove it when you are done",
        );
    }
    Ok(())
}

fn print_replayed(session: &Session, replayed: &Replayed) {
    let output = session.output;
    if output.json {
        output.value(&json!({
            "corrected": replayed.corrected, "known": replayed.known, "unchanged": replayed.unchanged,
            "written": replayed.written.iter().map(|(file, feed, n)| json!({ "file": file, "feed": feed, "records": n })).collect::<Vec<_>>(),
            "decisions": replayed.decisions, "findings": json_findings(&replayed.findings),
        }));
        return;
    }
    for (file, feed, records) in &replayed.written {
        let records = counted(*records, "record", "records");
        output.line(&format!("wrote      {file} ({records} of {feed})"));
    }
    if let Some(file) = &replayed.decisions {
        output.line(&format!(
            "wrote      {file} ({})",
            counted(replayed.corrected, "decision", "decisions")
        ));
    }
    if replayed.known > 0 {
        let known = counted(replayed.known, "record was", "records were");
        output.line(&format!("known      {known} corrected so before"));
    }
    if replayed.unchanged > 0 {
        let left = counted(replayed.unchanged, "record", "records");
        output.line(&format!("left       {left} as exported"));
    }
    if replayed.corrected > 0 {
        output.line("next: `starledger run` takes them in");
    } else {
        output.line("nothing to do");
    }
}
