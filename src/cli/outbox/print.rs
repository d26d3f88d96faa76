//! What `outbox list` and `outbox show` print.
//!
//! Duty: rows, blocks and JSON. Must not: read or decide anything.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::super::person::act_json;
use super::super::{CommandResult, Session};
use crate::domain::{Table, Value};
use crate::pipeline::PipelineError;
use crate::pipeline::outbox::{self, Entry, Filter, Outbox, State, bounces};

pub(super) fn list(session: &Session, found: &Outbox, filter: &Filter) {
    let entries: Vec<&Entry> = found.entries.iter().filter(|e| filter.takes(e)).collect();
    if session.output.json {
        session
            .output
            .value(&Json::Array(entries.iter().map(|e| entry_json(e)).collect()));
        return;
    }
    if entries.is_empty() {
        session.output.line("no message fits");
        return;
    }
    let columns = ["no", "message", "state", "attempts", "again", "note"];
    let mut table = Table::new("outbox", &columns);
    for entry in &entries {
        let note = bounces::told(entry)
            .or_else(|| entry.reason.clone())
            .unwrap_or_default();
        table.push(vec![
            i64::try_from(entry.sequence).unwrap_or(i64::MAX).into(),
            entry.key.as_str().into(),
            entry.state.as_str().into(),
            Value::Int(entry.record.as_ref().map_or(0, |r| r.attempts.into())),
            i64::try_from(entry.again.len()).unwrap_or(i64::MAX).into(),
            short(&note).into(),
        ]);
    }
    session.output.table(&table);
    let counts: Vec<String> = State::ALL
        .into_iter()
        .map(|state| (state, entries.iter().filter(|e| e.state == state).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(state, n)| format!("{n} {}", state.as_str()))
        .collect();
    session.output.line(&format!("\n{}", counts.join(", ")));
}

fn short(text: &str) -> String {
    const MAX: usize = 40;
    if text.chars().count() <= MAX {
        return text.to_owned();
    }
    text.chars().take(MAX - 1).chain(['…']).collect()
}

pub(super) fn entry_json(entry: &Entry) -> Json {
    let record = entry.record.as_ref();
    let time = |at: Option<crate::domain::Instant>| at.map(|t| t.to_string());
    json!({
        "sequence": entry.sequence, "message_key": entry.key, "kind": entry.kind,
        "partner_id": (!entry.partner.is_empty()).then_some(&entry.partner), "reader": entry.reader,
        "period": entry.period, "language": entry.language, "state": entry.state.as_str(), "reason": entry.reason,
        "message_id": entry.message_id, "content_hash": entry.content.map(|h| h.to_string()),
        "attempts": record.map_or(0, |r| r.attempts), "refusals": record.map_or(0, |r| r.refusals),
        "unknown_outcomes": record.map_or(0, |r| r.unknown_outcomes),
        "last_error": record.and_then(|r| r.last_error.clone()),
        "not_before": time(record.and_then(|r| r.not_before)), "sent_at": time(record.and_then(|r| r.sent_at)),
        "recipients": entry.served(),
        "decisions": entry.acts.iter().map(act_json).collect::<Vec<_>>(),
        "again": entry.again.iter().map(|a| json!({
            "message_key": a.key, "state": a.state.as_str(), "reason": a.reason, "to_another_address": a.to.is_some(),
            "attempts": a.record.as_ref().map_or(0, |r| r.attempts),
            "sent_at": time(a.record.as_ref().and_then(|r| r.sent_at)), "by": a.act.by, "why": a.act.reason,
        })).collect::<Vec<_>>(),
        "returned": entry.bounces.iter().flat_map(|b| b.failures.iter().map(|f| json!({
            "taken_at": b.taken_at, "file": b.file_name, "address_sha256": f.address.to_string(),
            "status": f.status, "for_good": f.permanent,
        }))).collect::<Vec<_>>(),
    })
}

pub(super) fn show(session: &Session, entry: &Entry, written: Option<&Path>) -> CommandResult {
    let output = session.output;
    let layout = &session.layout;
    let path = outbox::bytes_path(layout, entry);
    let envelope = entry.envelope.map(|_| outbox::envelope(layout, entry.envelope));
    let head = entry
        .content
        .map(|_| outbox::message_bytes(layout, entry).map(|bytes| (bytes.len(), outbox::head(&bytes))));
    let attempts = outbox::attempts(layout, &entry.key)?;
    if output.json {
        let mut value = entry_json(entry);
        value["headers"] = json!(head.as_ref().and_then(|h| h.as_ref().ok()).map(|(_, lines)| lines));
        value["to"] = json!(envelope.as_ref().and_then(|e| e.as_ref().ok()).map(|e| &e.to));
        value["bytes"] = json!(path.as_ref().map(|p| p.display().to_string()));
        value["history"] = attempts
            .iter()
            .map(|a| {
                json!({
                    "attempt": a.number, "claimed_at": a.claimed_at.map(|t| t.to_string()), "state": a.state,
                    "error": a.error,
                })
            })
            .collect();
        output.value(&value);
        return Ok(());
    }
    let why = entry.reason.as_deref().map_or_else(String::new, |r| format!(": {r}"));
    output.line(&format!("message    {}", entry.key));
    output.line(&format!(
        "about      {} of {} for {}, {}",
        entry.kind,
        entry.of(),
        entry.period,
        entry.language
    ));
    output.line(&format!("state      {}{why}", entry.state.as_str()));
    if let Some(path) = &path {
        let size = match &head {
            Some(Ok((size, _))) => format!("{size} bytes"),
            Some(Err(why)) => why.clone(),
            None => String::new(),
        };
        output.line(&format!("bytes      {} ({size})", path.display()));
    }
    if let Some(file) = written {
        output.line(&format!("wrote      {}", file.display()));
    }
    if let Some(envelope) = &envelope {
        print_recipients(session, entry, envelope);
    }
    if let Some(Ok((_, lines))) = &head {
        output.line("\nheaders");
        lines.iter().for_each(|line| output.line(&format!("  {line}")));
    }
    print_history(session, entry, &attempts)
}

fn print_recipients(session: &Session, entry: &Entry, envelope: &Result<outbox::Envelope, String>) {
    match envelope {
        Err(why) => session.output.line(&format!("to         {why}")),
        Ok(envelope) => {
            let served = entry.served();
            for (i, address) in envelope.to.iter().enumerate() {
                let state = served.get(i).map_or("", String::as_str);
                session.output.line(&format!("to         {address}  {state}"));
            }
        }
    }
}

fn print_history(session: &Session, entry: &Entry, attempts: &[outbox::Attempt]) -> CommandResult {
    let output = session.output;
    if !attempts.is_empty() {
        output.line("\nattempts");
    }
    for attempt in attempts {
        let at = attempt.claimed_at.map_or_else(String::new, |t| t.to_string());
        let error = attempt.error.as_deref().unwrap_or_default();
        output.line(&format!("  {} {at} {}  {error}", attempt.number, attempt.state));
    }
    if let Some(at) = entry.record.as_ref().and_then(|r| r.not_before) {
        output.line(&format!("  the next one not before {at}"));
    }
    if !entry.acts.is_empty() {
        output.line("\ndecisions");
    }
    for act in &entry.acts {
        let waits = if act.pending {
            " (no run has read it yet; it counts)"
        } else {
            ""
        };
        output.line(&format!(
            "  {} {} by {}: {}{waits}",
            act.decided_at, act.outcome, act.by, act.reason
        ));
    }
    for again in &entry.again {
        output.line(&format!("\nonce more  {} ({})", again.key, again.state.as_str()));
        for attempt in outbox::attempts(&session.layout, &again.key)? {
            let error = attempt.error.as_deref().unwrap_or_default();
            output.line(&format!("  {} {}  {error}", attempt.number, attempt.state));
        }
    }
    for bounce in &entry.bounces {
        output.line(&format!(
            "\ncame back  {} (taken in {})",
            bounce.file_name, bounce.taken_at
        ));
        for failure in &bounce.failures {
            let what = if failure.permanent { "for good" } else { "for now" };
            output.line(&format!(
                "  {} {what}, address {}",
                failure.status,
                failure.address.short()
            ));
        }
    }
    Ok::<(), PipelineError>(())
}
