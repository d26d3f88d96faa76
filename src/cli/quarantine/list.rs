//! `quarantine list`: what is open, counted.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::super::Session;
use super::counted;
use crate::domain::{Table, Value};
use crate::pipeline::desk::records::{Desk, FileEntry, Filter, RecordId, Rejected, Waiting};

/// Records by feed, file and rule: how many, the first of them, and what to do.
fn grouped<'a>(records: impl Iterator<Item = &'a Rejected>) -> Table {
    let mut groups: BTreeMap<(&str, &str, &str), (i64, RecordId, &str)> = BTreeMap::new();
    for record in records {
        let mut counted: Vec<&str> = Vec::new();
        for found in &record.findings {
            if counted.contains(&found.rule.as_str()) {
                continue;
            }
            counted.push(&found.rule);
            let key = (record.feed.as_str(), record.file_name.as_str(), found.rule.as_str());
            // in the order of ids: the first stays
            groups.entry(key).or_insert((0, record.id, &found.remedy)).0 += 1;
        }
    }
    let mut table = Table::new("quarantine", &["feed", "file", "rule", "records", "first", "remedy"]);
    for ((feed, file, rule), (records, first, remedy)) in groups {
        table.push(vec![
            feed.into(),
            file.into(),
            rule.into(),
            records.into(),
            first.to_string().into(),
            remedy.into(),
        ]);
    }
    table
}

fn waiting_table<'a>(waiting: impl Iterator<Item = &'a Waiting>) -> Table {
    let mut groups: BTreeMap<(&str, &str, &str, &str), (i64, RecordId)> = BTreeMap::new();
    for row in waiting {
        let key = (
            row.feed.as_str(),
            row.file_name.as_str(),
            row.missing_table.as_str(),
            row.missing_value.as_str(),
        );
        groups.entry(key).or_insert((0, row.id)).0 += 1;
    }
    let columns = ["feed", "file", "waits_for", "value", "records", "first"];
    let mut table = Table::new("held", &columns);
    for ((feed, file, missing_table, value), (records, first)) in groups {
        table.push(vec![
            feed.into(),
            file.into(),
            missing_table.into(),
            value.into(),
            records.into(),
            first.to_string().into(),
        ]);
    }
    table
}

fn aside_table<'a>(aside: impl Iterator<Item = &'a (i64, &'a FileEntry)>) -> Table {
    let mut table = Table::new("set_aside", &["arrival", "feed", "file", "reason"]);
    for (arrival, file) in aside {
        table.push(vec![
            (*arrival).into(),
            file.feed.as_str().into(),
            file.file_name.as_str().into(),
            file.aside.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}

pub(super) fn list(session: &Session, desk: &Desk, filter: &Filter, held: bool, all: bool) {
    let open = desk.select(filter, false).count();
    let resolved = desk.select(filter, true).count() - open;
    let rejected = grouped(desk.select(filter, all));
    let waiting: Vec<&Waiting> = desk
        .waiting
        .iter()
        .filter(|w| held && filter.rule.is_none() && filter.means_file(&w.feed, &w.file_name, w.id.arrival))
        .collect();
    let aside: Vec<(i64, &FileEntry)> = desk
        .aside()
        .into_iter()
        .filter(|(arrival, f)| filter.rule.is_none() && filter.means_file(&f.feed, &f.file_name, *arrival))
        .collect();
    let (waiting_rows, aside_rows) = (waiting_table(waiting.iter().copied()), aside_table(aside.iter()));
    let output = session.output;
    if output.json {
        let mut value = json!({
            "open": open, "corrected": resolved,
            "quarantined": rows_json(&rejected),
            "set_aside": rows_json(&aside_rows),
        });
        if held {
            value["held"] = rows_json(&waiting_rows);
        }
        output.value(&value);
        return;
    }
    let corrected = if resolved == 0 {
        String::new()
    } else {
        format!("; {resolved} more were corrected")
    };
    output.line(&format!(
        "{} rejected{corrected}",
        counted(open, "record is", "records are")
    ));
    if !rejected.rows.is_empty() {
        output.line("");
        output.table(&rejected);
    }
    if held {
        output.line(&format!(
            "\n{} for what they refer to",
            counted(waiting.len(), "record waits", "records wait")
        ));
        if !waiting.is_empty() {
            output.table(&waiting_rows);
        }
    }
    if !aside.is_empty() {
        output.line(&format!(
            "\n{} set aside whole",
            counted(aside.len(), "file is", "files are")
        ));
        output.table(&aside_rows);
    }
    if open > 0 {
        output.line("\n`starledger quarantine show <first>` shows a record, `starledger quarantine export` writes a sheet to correct them in");
    }
}

fn rows_json(table: &Table) -> Json {
    let value = |value: &Value| match value {
        Value::Int(i) => json!(i),
        other => json!(other.to_string()),
    };
    let row = |row: &Vec<Value>| -> Json {
        let fields = table.columns().iter().cloned().zip(row.iter().map(value));
        Json::Object(fields.collect())
    };
    Json::Array(table.rows.iter().map(row).collect())
}
