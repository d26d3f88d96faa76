//! Whether rows of the sample replace one another.
//!
//! Duty: keys that stand more than once. Not its duty: which row is right; a file alone does not say.

use std::collections::BTreeMap;

use super::columns::Matching;
use super::guess::{Confidence, Guess, Setting, grouped};
use super::records::Records;

/// A proposal for `mode` where a key stands with other values too.
pub fn mode(records: &Records, matching: &Matching<'_>) -> Option<Guess> {
    let contract = matching.contract;
    let fields: Option<Vec<usize>> = contract
        .key
        .iter()
        .map(|to| matching.matches.iter().find(|m| m.to == *to).map(|m| m.from))
        .collect();
    let fields = fields.filter(|f| !f.is_empty())?;
    let mut seen: BTreeMap<Vec<&str>, (usize, bool)> = BTreeMap::new();
    let width = records.header.len();
    for (i, row) in records.rows.iter().enumerate().filter(|(_, r)| r.cells.len() == width) {
        let key: Vec<&str> = fields.iter().map(|f| row.cells[*f].text.trim()).collect();
        let is_header = fields
            .iter()
            .all(|f| row.cells[*f].text.trim() == records.header[*f].trim());
        if is_header || key.iter().all(|k| k.is_empty()) {
            continue;
        }
        let first = seen.entry(key).or_insert((i, false));
        first.1 |= records.rows[first.0].cells != row.cells;
    }
    let other = seen.values().filter(|(_, differs)| *differs).count() as u64;
    (other > 0).then(|| {
        let keys = if other == 1 {
            "1 key stands".to_owned()
        } else {
            format!("{} keys stand", grouped(other))
        };
        let evidence = format!(
            "{keys} more than once with other values: with append all rows of such a key are quarantined, with upsert \
             the one of the highest order holds"
        );
        let upsert = Setting::text("upsert");
        Guess::key(&["mode"], Setting::text("append"), Confidence::Guess, evidence).or([upsert])
    })
}
