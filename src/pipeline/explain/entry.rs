//! One entry of the ledger: its transaction, what asked for it, and the story of its key.
//!
//! Duty: find them in the tables of a release. Must not: compute anything anew.

use crate::domain::{Money, Table, Value};
pub use crate::ledger::Entry;
use crate::ledger::documents::number_of;
use crate::ledger::{Account, Reason, table};
use crate::pipeline::PipelineError;
use crate::store::release::Release;

/// Why an entry stands in the ledger.
#[derive(Clone, Debug)]
pub struct EntryExplained {
    pub entry: Entry,
    /// All entries of its transaction.
    pub transaction: Vec<Entry>,
    /// What asked for it, in words.
    pub why: String,
    /// Rows that it rests on, of the table that they are named after: components of the target, the payment, the
    /// adjustment, the document.
    pub rests_on: Option<Table>,
    /// Transactions of the same partner, scheme, earning period and currency, in their order.
    pub story: Vec<Move>,
}

/// One transaction of a key.
#[derive(Clone, Debug)]
pub struct Move {
    pub first: Entry,
    /// What it moved on `rebate_expense`.
    pub expense: Money,
    /// That account's balance for the key behind it.
    pub earned: Money,
    /// What the partner is owed, accrued and held included, for the key behind it.
    pub owed: Money,
}

/// Explains an entry by its number; `None` if there is none.
pub fn entry(release: &Release, entry_no: i64) -> Result<Option<EntryExplained>, PipelineError> {
    let stage = |e: String| PipelineError::stage("the ledger")(e);
    let book = table::from_table(&release.read_table("ledger")?).map_err(|e| stage(e.to_string()))?;
    let Some(entry) = book.iter().find(|e| e.entry_no == entry_no).cloned() else {
        return Ok(None);
    };
    let transaction: Vec<Entry> = book
        .iter()
        .filter(|e| e.transaction_no == entry.transaction_no)
        .cloned()
        .collect();
    let key = entry.key();
    let of_key: Vec<&Entry> = book.iter().filter(|e| e.key() == key).collect();
    let zero = Money::zero(key.currency);
    let (mut earned, mut owed) = (zero, zero);
    let mut story = Vec::new();
    for moved in of_key.chunk_by(|a, b| a.transaction_no == b.transaction_no) {
        let mut expense = zero;
        for e in moved {
            let sum = match e.account {
                Account::RebateExpense => {
                    expense = expense.checked_add(e.amount).map_err(|e| stage(e.to_string()))?;
                    &mut earned
                }
                Account::SettlementClearing => continue,
                _ => &mut owed,
            };
            let amount = if e.account == Account::RebateExpense {
                e.amount
            } else {
                e.amount.negated()
            };
            *sum = sum.checked_add(amount).map_err(|e| stage(e.to_string()))?;
        }
        if let Some(first) = moved.first() {
            story.push(Move {
                first: (*first).clone(),
                expense,
                earned,
                owed,
            });
        }
    }
    let (why, rests_on) = source(release, &entry)?;
    Ok(Some(EntryExplained {
        entry,
        transaction,
        why,
        rests_on,
        story,
    }))
}

/// What asked for an entry, and the rows of it.
fn source(release: &Release, entry: &Entry) -> Result<(String, Option<Table>), PipelineError> {
    let mut words = entry.source.splitn(3, ' ');
    let (_, id) = (words.next(), words.next().unwrap_or_default());
    let corrects = entry
        .corrects_transaction_no
        .map_or_else(String::new, |n| format!("; it changes transaction {n}"));
    let rows = |name: &str, column: &str, value: &str| -> Result<Option<Table>, PipelineError> {
        Ok(Some(of(&release.read_table(name)?, column, value)))
    };
    Ok(match entry.reason {
        Reason::Accrual | Reason::Adjustment | Reason::HoldReleased => {
            let components = super::rebates(release, &entry.partner, entry.earning_period)?;
            let components = of(&components, "scheme", entry.scheme.as_str());
            let what = match entry.reason {
                Reason::HoldReleased => "what was on hold no longer is",
                _ => "the difference between what should have been earned to date and what was booked",
            };
            (format!("{what} ({}){corrects}", entry.source), Some(components))
        }
        Reason::Settlement | Reason::Netting => {
            let what = if entry.reason == Reason::Settlement {
                "what was accrued is owed"
            } else {
                "what is owed and what is claimed back are set off"
            };
            (format!("{what} by {id}"), rows("settlements", "settlement_no", id)?)
        }
        Reason::Reversal => {
            let of = entry.source.rsplit(' ').next().unwrap_or_default();
            let named = number_of(of).map_or_else(String::new, |_| of.to_owned());
            (
                format!("{named} was reversed: this turns the sign of what it posted{corrects}"),
                rows("settlements", "settlement_no", &named)?,
            )
        }
        Reason::ManualAdjustment => (
            format!("an adjustment by people, {id}{}{corrects}", taken_back(entry)),
            rows("manual_adjustments", "adjustment_id", id)?,
        ),
        Reason::Claim => (
            format!("an approved claim on a fund, {id}{}{corrects}", taken_back(entry)),
            rows("claim_states", "claim_id", id)?,
        ),
        Reason::Payment => (
            format!("a payment, {id}{}{corrects}", taken_back(entry)),
            rows("payments", "payment_id", id)?,
        ),
    })
}

fn taken_back(entry: &Entry) -> &'static str {
    if entry.source.ends_with("taken back") {
        ", taken back: its row was corrected or removed"
    } else {
        ""
    }
}

/// Rows of a table with a value, without columns that are empty in all of them.
fn of(table: &Table, column: &str, value: &str) -> Table {
    let rows: Vec<_> = table
        .iter()
        .filter(|row| row.text(column) == Ok(value))
        .map(|row| row.values().clone())
        .collect();
    let is_shown = |at: &usize| rows.iter().any(|row: &Vec<Value>| !row[*at].is_null());
    let places: Vec<usize> = (0..table.columns().len()).filter(is_shown).collect();
    let names = places.iter().map(|at| table.columns()[*at].clone()).collect();
    let mut out = Table::with_columns(table.name(), names);
    for row in rows {
        out.push(places.iter().map(|at| row[*at].clone()).collect());
    }
    out
}
