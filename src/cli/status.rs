//! `status`: the current release, its tables, the last runs, and what waits in the inbox.

use serde_json::json;

use super::output::json_findings;
use super::progress::Bar;
use super::{CommandResult, Session};
use crate::domain::{Findings, Table, Value};
use crate::edges::clock::{Clock as _, SystemClock};
use crate::pipeline::PipelineError;
use crate::pipeline::config;
use crate::pipeline::inbox::{self, Look};
use crate::pipeline::outbox::{Outbox, State, bounces};
use crate::store::landing;
use crate::store::operations::Operations;
use crate::store::release::Release;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many runs to show.
    #[arg(long, default_value_t = 5)]
    runs: u32,
}

pub(super) fn status(session: &Session, args: &Args) -> CommandResult {
    let release = Release::current(&session.layout)?;
    let path = session.layout.operations();
    let runs = if crate::edges::files::exists(&path) {
        Operations::open(&path)?.runs(args.runs)?
    } else {
        Vec::new()
    };
    let inbox = inbox_state(session)?;
    let gaps = release.as_ref().map(gaps).transpose()?;
    let mail = release.as_ref().map(|r| mail(session, r)).transpose()?.flatten();
    if session.output.json {
        session.output.value(&json!({
            "inbox": inbox.as_ref().map(json_findings),
            "mail": mail.as_ref().map(|(states, suppressed)| json!({
                "messages": states.iter().map(|(s, n)| (s.as_str().to_owned(), json!(n)))
                    .collect::<serde_json::Map<_, _>>(),
                "suppressed_addresses": suppressed,
            })),
            "release": release.as_ref().map(|r| json!({
                "name": r.name(), "run": r.manifest.run, "as_of": r.manifest.as_of,
                "last_arrival": r.manifest.last_arrival, "rules": r.manifest.rules_hash.to_string(),
                "ledger_head": r.manifest.ledger_head, "ledger_entries": r.manifest.ledger_entries,
                "tables": tables(r).iter().map(|(t, n, f)| json!({ "table": t, "rows": n, "files": f })).collect::<Vec<_>>(),
            })),
            "gaps": gaps.iter().flat_map(|g| g.rows.iter().map(|row| {
                let fields = g.columns().iter().zip(row);
                fields.map(|(name, value)| (name.clone(), json!(value.to_string()))).collect::<serde_json::Map<_, _>>()
            })).collect::<Vec<_>>(),
            "runs": runs.iter().map(|r| json!({
                "id": r.id, "started_at": r.started_at, "finished_at": r.finished_at, "pipeline": r.pipeline,
                "as_of": r.as_of, "why": r.why, "state": r.state, "release": r.release, "error": r.error,
            })).collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    match &release {
        None => session.output.line("no release yet; `starledger run` makes one"),
        Some(r) => {
            let m = &r.manifest;
            session
                .output
                .line(&format!("release    {} (run {}, as of {})", r.name(), m.run, m.as_of));
            session.output.line(&format!("arrivals   up to {}", m.last_arrival));
            session.output.line(&format!(
                "ledger     {} entries, head {}",
                m.ledger_entries, m.ledger_head
            ));
            session
                .output
                .line(&format!("folder     {}\n", session.layout.current().display()));
            let mut table = Table::new("tables", &["table", "rows", "files"]);
            for (name, rows, files) in tables(r) {
                table.push(vec![name.into(), int(rows), int(files)]);
            }
            session.output.table(&table);
        }
    }
    if let Some((states, suppressed)) = &mail {
        let mut told: Vec<String> = states.iter().map(|(s, n)| format!("{n} {}", s.as_str())).collect();
        if *suppressed > 0 {
            told.push(format!("{suppressed} addresses suppressed"));
        }
        session.output.line(&format!("\nmail       {}", told.join(", ")));
    }
    if let Some(gaps) = gaps.filter(|gaps| !gaps.rows.is_empty()) {
        session.output.line("\nsilent and thin sources");
        session.output.table(&gaps);
    }
    if !runs.is_empty() {
        session.output.line("\nruns");
        let mut table = Table::new("runs", &["id", "started_at", "pipeline", "state", "release", "why"]);
        for r in runs {
            let why: String = r.why.chars().take(60).collect();
            table.push(vec![
                r.id.into(),
                r.started_at.into(),
                r.pipeline.into(),
                r.state.into(),
                r.release.into(),
                why.into(),
            ]);
        }
        session.output.table(&table);
    }
    match inbox {
        None => session
            .output
            .line("\ninbox      not looked at: the configuration is not in order, `starledger check` says why"),
        Some(found) if found.is_empty() => {}
        Some(found) => {
            session.output.line("\ninbox");
            session.output.findings(&found);
        }
    }
    Ok(())
}

/// What stands in the inbox and is not taken in; `None` when the sources cannot be read.
fn inbox_state(session: &Session) -> Result<Option<Findings>, PipelineError> {
    let Ok((config, _)) = config::load(session.layout.workspace()) else {
        return Ok(None);
    };
    let bar = Bar::new();
    let found = inbox::waiting(&Look {
        layout: &session.layout,
        config: &config,
        now: SystemClock.now(),
        progress: &bar,
    });
    bar.clear();
    found.map(Some)
}

/// Messages by state, and the number of suppressed addresses.
type Mail = (Vec<(State, usize)>, usize);

/// What stands of the mail; `None` where the settings cannot be read or there is no
/// message.
fn mail(session: &Session, release: &Release) -> Result<Option<Mail>, PipelineError> {
    let Ok((config, _)) = config::load(session.layout.workspace()) else {
        return Ok(None);
    };
    let outbox = Outbox::open(&session.layout, &config.mail, release)?;
    if outbox.entries.is_empty() {
        return Ok(None);
    }
    let records = landing::bounces(&session.layout)?;
    let returned = bounces::suppressions(&outbox, &records, &release.read_table("contacts")?)?;
    let suppressed = returned.iter().filter(|s| s.suppressed).count();
    Ok(Some((outbox.counts(), suppressed)))
}

/// Sources that are silent or thin, in every period.
fn gaps(release: &Release) -> Result<Table, PipelineError> {
    const COLUMNS: [&str; 6] = ["feed", "source", "period", "state", "waived_by", "reason"];
    let mut table = Table::new("gaps", &COLUMNS);
    for row in release.read_table("freshness")?.iter() {
        if matches!(row.text("state")?, "silent" | "thin") {
            table.push(COLUMNS.iter().map(|c| row.get(c).cloned()).collect::<Result<_, _>>()?);
        }
    }
    Ok(table)
}

fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn tables(release: &Release) -> Vec<(String, u64, u64)> {
    let mut out: std::collections::BTreeMap<&str, (u64, u64)> = std::collections::BTreeMap::new();
    for file in &release.manifest.files {
        let entry = out.entry(&file.table).or_default();
        entry.0 += file.rows;
        entry.1 += 1;
    }
    out.into_iter()
        .map(|(name, (rows, files))| (name.to_owned(), rows, files))
        .collect()
}
