//! How good the data is that all of it rests on: files, rejected and waiting records, sources that are late.
//!
//! Duty: counts from the register of files, quarantine and freshness. Not its duty: single records.

use super::ReportError;
use super::data::{Data, counted, text};
use super::view::{Section, TableView, Tile};

pub fn sections(data: &Data) -> Result<Vec<Section>, ReportError> {
    let mut section = Section::new(
        "quality",
        "Data quality",
        "Of all files that were read up to the release.",
    );
    let states = counted(
        data.rows("files")
            .filter_map(|row| row.text("state").ok().map(str::to_owned)),
    );
    for (state, n) in &states {
        section
            .tiles
            .push(Tile::new(&format!("files {}", state.replace('_', " ")), n, ""));
    }
    let mut columns = std::collections::BTreeMap::new();
    for row in data.rows("files") {
        let sums: &mut [i64; 6] = columns.entry(text(row, "feed")?).or_default();
        for (sum, column) in
            sums.iter_mut()
                .zip(["records", "current", "superseded", "duplicate", "quarantined", "held"])
        {
            *sum += row.int(column).unwrap_or(0);
        }
    }
    let mut table = TableView::new(
        "Records by feed",
        &[
            "feed",
            "#records",
            "#current",
            "#superseded",
            "#duplicate",
            "#in quarantine",
            "#waiting",
        ],
    );
    for (feed, [records, current, superseded, duplicate, quarantined, held]) in columns {
        table.push([
            feed.into(),
            records.into(),
            current.into(),
            superseded.into(),
            duplicate.into(),
            quarantined.into(),
            held.into(),
        ]);
    }
    section.tables.push(table);
    let mut table = TableView::new("Files set aside", &["file", "feed", "why"]);
    for row in data.rows("files").filter(|row| row.text("state") == Ok("set_aside")) {
        table.push([
            text(row, "file_name")?.into(),
            text(row, "feed")?.into(),
            text(row, "reason")?.into(),
        ]);
    }
    section.tables.push(table);
    let rules = counted(data.rows("quarantine").filter_map(|row| {
        let is_open = row.opt_text("resolved_by").ok()?.is_none();
        Some((
            row.text("feed").ok()?.to_owned(),
            row.text("rule").ok()?.to_owned(),
            is_open,
        ))
    }));
    let mut table = TableView::new("Rejected records by rule", &["feed", "rule", "state", "#records"]);
    for ((feed, rule, is_open), n) in rules {
        table.push([
            feed.into(),
            rule.into(),
            if is_open { "open" } else { "resolved" }.into(),
            n.into(),
        ]);
    }
    section.tables.push(table);
    let mut table = TableView::new(
        "Sources that were not on time",
        &["feed", "source", "period", "state", "deadline", "waived by", "why"],
    );
    for row in data.rows("freshness").filter(|row| row.text("state") != Ok("on_time")) {
        table.push([
            text(row, "feed")?.into(),
            text(row, "source")?.into(),
            text(row, "period")?.into(),
            text(row, "state")?.replace('_', " ").into(),
            text(row, "deadline_on")?.into(),
            text(row, "waived_by")?.into(),
            text(row, "reason")?.into(),
        ]);
    }
    section.tables.push(table);
    Ok(vec![section])
}
