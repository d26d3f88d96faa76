//! The partners of a release, many times over.
//!
//! Duty: rows of a table under ids of their own, amounts of the books times an odd factor, so that they still balance.
//! Not its duty: what else is to differ, which the caller says. The benchmark of messages takes this file too.

use starledger::domain::{Dec, Table, Value};
use starledger::store::release::Release;

/// Tables whose rows belong to a partner, as scorecards and statements read them.
pub const PER_PARTNER: [&str; 16] = [
    "partners",
    "calendar_partner_periods",
    "metrics",
    "scores",
    "partner_scores",
    "key_event_points",
    "rebates",
    "ledger",
    "score_changes",
    "next_steps",
    "effective_certifications",
    "engineers",
    "reviews",
    "review_criteria",
    "settlements",
    "statements",
];

/// Tables with amounts.
const MONEY: [&str; 4] = ["ledger", "rebates", "settlements", "statements"];

/// What a text becomes: column, text, the new id of the row's partner, place of the row in all copies.
pub type Reworded<'a> = &'a dyn Fn(&str, &str, &str, usize) -> Option<String>;

/// Copies of a table's rows; `reworded` gives texts of columns that name nobody.
pub fn copied(release: &Release, name: &str, copies: usize, reworded: Reworded<'_>) -> Table {
    let table = release.read_table(name).expect("a table");
    let owner = table.column("partner_id").expect("a column");
    let ids: Vec<usize> = ["partner_id", "parent_partner_id", "merged_into", "settlement_no"]
        .iter()
        .filter_map(|column| table.column(column))
        .collect();
    let mut out = Table::with_columns(name, table.columns().to_vec());
    for copy in 0..copies {
        let factor = i128::try_from(copy).expect("small") * 2 + 1;
        for (line, row) in table.rows.iter().enumerate() {
            let partner = format!("{}-{copy:04}", row[owner]);
            let value = |(i, value): (usize, &Value)| match value {
                Value::Text(text) if ids.contains(&i) => Value::text(format!("{text}-{copy:04}")),
                Value::Text(text) => {
                    let text = reworded(&table.columns()[i], text, &partner, copy + line);
                    text.map_or_else(|| value.clone(), Value::text)
                }
                Value::Dec(amount) if MONEY.contains(&name) => {
                    Value::Dec(Dec::new(amount.units() * factor, amount.scale()))
                }
                other => other.clone(),
            };
            out.push(row.iter().enumerate().map(value).collect());
        }
    }
    out
}
