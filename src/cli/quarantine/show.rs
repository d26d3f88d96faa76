//! `quarantine show`: one record or file in full, and what to do about it.

use serde_json::json;

use super::super::{CommandResult, Session};
use super::parse;
use crate::pipeline::desk::pending::stands_for;
use crate::pipeline::desk::records::{Desk, Rejected, Waiting};
use crate::pipeline::desk::texts::{Delivered, Texts, raw_text};
use crate::pipeline::{PipelineError, config};

pub(super) fn show(session: &Session, desk: &Desk, id: &str) -> CommandResult {
    if let Some(number) = id.trim().parse::<i64>().ok().filter(|_| !id.contains(':')) {
        return show_file(session, desk, number);
    }
    let id = parse(id)?;
    if let Some(record) = desk.rejected.get(&id) {
        return show_record(session, desk, record);
    }
    if let Some(waiting) = desk.waiting.iter().find(|w| w.id == id) {
        show_waiting(session, waiting);
        return Ok(());
    }
    if desk.files.get(&id.arrival).is_some_and(|f| f.aside.is_some()) {
        return show_file(session, desk, id.arrival);
    }
    Err(PipelineError::Usage(format!(
        "{id} is neither rejected nor waiting; `starledger quarantine list --all --held` lists what is"
    )))
}

fn show_record(session: &Session, desk: &Desk, record: &Rejected) -> CommandResult {
    let layout = &session.layout;
    // a record can be looked at while the configuration is not in order
    let (delivered, values) = match config::load(layout.workspace()) {
        Ok((config, _)) => {
            let delivered = Texts::new(layout, &config, desk).of(record)?;
            let values = values_of(&config, record, &delivered);
            (delivered, values)
        }
        Err(_) => {
            let raw = raw_text(layout, record)?;
            (Delivered { raw, cells: None }, Vec::new())
        }
    };
    let correction = record.resolved_by.as_ref().and_then(|by| desk.corrections.get(by));
    let instead = match correction {
        Some(correction) => stands_for(layout, desk, record, correction)?,
        None => None,
    };
    let source = desk.files.get(&record.id.arrival).map_or("", |f| f.source.as_str());
    let output = session.output;
    if output.json {
        output.value(&json!({
            "id": record.id.to_string(), "feed": record.feed, "file": record.file_name, "line": record.id.line,
            "arrival": record.id.arrival, "source": source, "raw_hash": record.raw_hash, "raw": delivered.raw,
            "values": values.iter().map(|(n, v)| (n.clone(), json!(v))).collect::<serde_json::Map<_, _>>(),
            "findings": record.findings.iter().map(|f| json!({
                "column": f.column, "rule": f.rule, "reason": f.reason, "remedy": f.remedy,
            })).collect::<Vec<_>>(),
            "resolved_by": record.resolved_by,
            "correction": correction.map(|c| json!({
                "by": c.by, "role": c.role, "reason": c.reason, "decided_at": c.decided_at.to_string(),
                "record": instead.as_ref().map(|(id, _)| id.to_string()),
                "file": instead.as_ref().map(|(_, file)| file),
            })),
        }));
        return Ok(());
    }
    output.line(&format!("{}  a rejected record of {}", record.id, record.feed));
    output.line(&format!(
        "file       {} line {} (arrival {}, source {source})",
        record.file_name, record.id.line, record.id.arrival
    ));
    for found in &record.findings {
        let column = found.column.as_ref().map_or(String::new(), |c| format!(" [{c}]"));
        output.line(&format!(
            "found      {}{column}: {}",
            found.rule,
            visible(&found.reason)
        ));
        output.line(&format!("           help: {}", found.remedy));
    }
    match &delivered.raw {
        Some(raw) => output.line(&format!("raw text   {}", visible(raw))),
        None => output.line("raw text   is no longer kept; the original is in landing"),
    }
    for (name, value) in &values {
        output.line(&format!("           {name} = {}", visible(value)));
    }
    match (&record.resolved_by, correction) {
        (None, _) => {
            output.line(
                "to do      correct it where it came from and have it delivered again under a key of its own, or",
            );
            output.line("           `starledger quarantine export`, correct the row, `starledger quarantine replay`");
            output.line(
                "           (if the source should have read it, correct its file in pipelines/sources/ first: the",
            );
            output.line("           export then holds it as it is read now)");
        }
        (Some(by), None) => output.line(&format!("corrected  by the decision {by}")),
        (Some(by), Some(c)) => {
            output.line(&format!(
                "corrected  by {} ({}) at {}: {}",
                c.by,
                c.role,
                c.decided_at,
                visible(&c.reason)
            ));
            let place = instead.map_or(String::new(), |(id, file)| format!(", as {id} of {file}"));
            output.line(&format!("           decision {by}{place}"));
        }
    }
    Ok(())
}

/// The columns of a record that can be split, with their texts.
fn values_of(config: &config::Config, record: &Rejected, delivered: &Delivered) -> Vec<(String, String)> {
    let names = config.catalogue.get(&record.feed).into_iter().flat_map(|c| &c.columns);
    let texts = delivered.cells.iter().flatten().cloned();
    names.map(|c| c.name.clone()).zip(texts).collect()
}

/// A text on one line of a terminal: what would move the cursor or hide is escaped.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || crate::domain::ids::is_invisible(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

fn show_waiting(session: &Session, waiting: &Waiting) {
    let output = session.output;
    if output.json {
        output.value(&json!({
            "id": waiting.id.to_string(), "feed": waiting.feed, "file": waiting.file_name, "line": waiting.id.line,
            "arrival": waiting.id.arrival, "waits_for": waiting.missing_table, "value": waiting.missing_value,
        }));
        return;
    }
    output.line(&format!("{}  a waiting record of {}", waiting.id, waiting.feed));
    output.line(&format!("file       {} line {}", waiting.file_name, waiting.id.line));
    output.line(&format!(
        "waits for  {} '{}'",
        waiting.missing_table,
        visible(&waiting.missing_value)
    ));
    output.line(&format!(
        "to do      have {} delivered with it: the run that takes it in takes this record up by itself",
        waiting.missing_table
    ));
}

fn show_file(session: &Session, desk: &Desk, arrival: i64) -> CommandResult {
    let Some(file) = desk.files.get(&arrival) else {
        return Err(PipelineError::Usage(format!(
            "there is no arrival {arrival} in the release"
        )));
    };
    let Some(reason) = &file.aside else {
        return Err(PipelineError::Usage(format!(
            "arrival {arrival} ({}) was read; name one of its records, such as {arrival}:2",
            file.file_name
        )));
    };
    let open = desk.aside().iter().any(|(number, _)| *number == arrival);
    let output = session.output;
    if output.json {
        output.value(&json!({
            "arrival": arrival, "feed": file.feed, "file": file.file_name, "source": file.source,
            "file_hash": file.file_hash, "reason": reason, "open": open,
        }));
        return Ok(());
    }
    output.line(&format!("{arrival}  a file of {} that was set aside whole", file.feed));
    output.line(&format!("file       {} (source {})", file.file_name, file.source));
    output.line(&format!("because    {}", visible(reason)));
    if open {
        output.line("to do      if its source reads it wrongly: correct pipelines/sources/ (or the contract) and run; what lies");
        output.line(
            "           aside is read again whenever the configuration changes, and nothing needs to be delivered;",
        );
        output.line("           if the file is wrong: have it delivered again under its name, or decide to waive it");
    } else {
        output.line("           it was delivered again under its name, or waived");
    }
    Ok(())
}
