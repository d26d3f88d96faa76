//! `source detect`: a proposal for a file that no source declares yet.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::{CommandResult, Session};
use crate::domain::{Table, Value};
use crate::edges::files;
use crate::ingest::detect::{Guess, Proposal, Role, Setting};
use crate::pipeline::PipelineError;
use crate::pipeline::detect::{Request, detect};
use crate::store::StoreError;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Propose a source for a file, with how sure each guess is and why, for a person to confirm.
    Detect {
        /// The file to look at: its beginning, and its end for totals.
        file: PathBuf,
        /// The feed it belongs to; without it the contracts are ranked by how well the file fits them.
        #[arg(long)]
        feed: Option<String>,
        /// Name of the new source.
        #[arg(long)]
        name: Option<String>,
        /// Sheet of a workbook; without it the only visible one.
        #[arg(long)]
        sheet: Option<String>,
        /// File to write the proposal to, such as pipelines/sources/new.toml; it must not exist.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

pub(super) fn source(session: &Session, args: &Args) -> CommandResult {
    let What::Detect {
        file,
        feed,
        name,
        sheet,
        out,
    } = &args.what;
    if let Some(out) = out
        && files::exists(out)
    {
        return Err(PipelineError::Usage(format!(
            "{} is there already; name a new file, or remove that one",
            out.display()
        )));
    }
    let request = Request {
        file: file.clone(),
        feed: feed.clone(),
        name: name.clone(),
        sheet: sheet.clone(),
    };
    let proposal = detect(session.layout.workspace(), &request)?;
    let toml = proposal.toml();
    if let Some(out) = out {
        files::write_new(out, toml.as_bytes()).map_err(StoreError::from)?;
    }
    if session.output.json {
        session.output.value(&json_of(&proposal, &toml));
        return Ok(());
    }
    print(session, &proposal);
    match out {
        None => session.output.text(&format!("\n{toml}")),
        Some(out) => session.output.line(&format!(
            "\nwrote {}; a run refuses it until a person has confirmed it",
            out.display()
        )),
    }
    Ok(())
}

fn print(session: &Session, proposal: &Proposal) {
    let output = session.output;
    let mut table = Table::new("proposal", &["key", "value", "sure", "why", "also fits"]);
    for guess in &proposal.guesses {
        let also: Vec<String> = guess.alternatives.iter().map(Setting::to_string).collect();
        table.push(vec![
            guess.key_name().into(),
            shown(guess).into(),
            guess.confidence.name().into(),
            guess.evidence.clone().into(),
            Value::text(also.join(", ")),
        ]);
    }
    output.table(&table);
    if !proposal.ranking.is_empty() {
        let best: Vec<String> = proposal
            .ranking
            .iter()
            .take(3)
            .map(|r| format!("{} {}", r.feed, r.points))
            .collect();
        output.line(&format!("\nfeeds by points of 1,000: {}", best.join(", ")));
    }
    let open: Vec<String> = proposal.open().map(Guess::key_name).collect();
    if open.is_empty() {
        output.line("open: nothing; confirm each line all the same");
    } else {
        output.line(&format!("open: {}", open.join(", ")));
    }
    if let Some(trial) = &proposal.trial {
        output.line(&format!("test read, every guess taken as right: {}", trial.summary()));
        for reject in &trial.rejects {
            let column = reject.column.as_deref().map(|c| format!(" [{c}]")).unwrap_or_default();
            output.line(&format!(
                "  line {}{column}: {} ({})",
                reject.line, reject.reason, reject.rule
            ));
        }
    }
}

fn shown(guess: &Guess) -> String {
    match (&guess.role, &guess.setting) {
        (Role::Told, Setting::Text(text)) => text.clone(),
        (Role::Default, setting) => format!("{setting} (default)"),
        (_, setting) => setting.to_string(),
    }
}

fn json_of(proposal: &Proposal, toml: &str) -> Json {
    let guess = |g: &Guess| {
        json!({
            "key": g.key_name(), "value": value(&g.setting), "confidence": g.confidence.name(), "evidence": g.evidence,
            "alternatives": g.alternatives.iter().map(value).collect::<Vec<_>>(),
            "role": match g.role { Role::Key => "key", Role::Default => "default", Role::Told => "told" },
            "open": g.is_open(),
        })
    };
    json!({
        "file": proposal.file, "feed": proposal.feed,
        "guesses": proposal.guesses.iter().map(guess).collect::<Vec<_>>(),
        "ranking": proposal.ranking.iter().map(|r| json!({ "feed": r.feed, "points": r.points })).collect::<Vec<_>>(),
        "trial": proposal.trial.as_ref().map(|t| json!({
            "records": t.records, "accepted": t.accepted, "skipped": t.skipped, "rejected": t.rejected,
            "set_aside": t.set_aside,
            "rejects": t.rejects.iter().map(|r| json!({
                "line": r.line, "column": r.column, "rule": r.rule, "reason": r.reason,
            })).collect::<Vec<_>>(),
        })),
        "toml": toml,
    })
}

fn value(setting: &Setting) -> Json {
    match setting {
        Setting::Text(text) => json!(text),
        Setting::Texts(texts) => json!(texts),
        Setting::Count(count) => json!(count),
        Setting::Flag(flag) => json!(flag),
        Setting::Totals { column, starts_with } => json!({ "column": column, "starts_with": starts_with }),
    }
}
