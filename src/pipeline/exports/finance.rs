//! The workbook for finance.
//!
//! Duty: its sheets, from ledger, documents, statements and states. Not its duty: cells and formats.

use std::collections::BTreeMap;

use super::{entries, stage};
use crate::domain::{Currency, Date, Instant, Money, Period, RowRef, Table, Value, Zone};
use crate::exports::workbook::{self, MAX_ROWS, Sheet};
use crate::ledger::documents::COLUMNS;
use crate::ledger::{Account, Entry, INVARIANTS, LedgerError, Reason};
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::pipeline::verify::ledger_findings;
use crate::store::release::Release;

/// The workbook for finance: summary, balances, documents, lines, journal, accruals, checks; of one posting period, or of
/// all.
pub fn finance_workbook(release: &Release, config: &Config, period: Option<Period>) -> Result<Vec<u8>, PipelineError> {
    let entries = entries(release)?;
    let as_of = Instant::parse(&release.manifest.as_of).map_err(stage)?;
    let is_meant = |text: &str| period.is_none_or(|p| p.to_string() == text);
    let documents = documents_sheet(release, &is_meant)?;
    let sheets = [
        ("Summary", summary(&documents)?),
        ("Balances", balances(&entries, period).map_err(stage)?),
        ("Documents", documents),
        (
            "Lines",
            of_period(
                &release.read_table("statements")?,
                &is_meant,
                &["settlement_no", "line_no"],
            )?,
        ),
        ("Journal", journal_sheet(&entries, &is_meant)),
        (
            "Accruals",
            accruals(&entries, config, Zone::UTC.date_of(as_of)).map_err(stage)?,
        ),
        ("Checks", checks(release)),
    ];
    if let Some((name, table)) = sheets.iter().find(|(_, table)| table.rows.len() > MAX_ROWS) {
        return Err(PipelineError::Usage(format!(
            "the sheet {name} would have {} rows, and Excel takes {MAX_ROWS}: name one posting period with --period, or use `export journal`",
            table.rows.len()
        )));
    }
    let sheets: Vec<Sheet> = sheets
        .into_iter()
        .map(|(name, table)| Sheet {
            name: name.to_owned(),
            table,
        })
        .collect();
    workbook::write(&sheets).map_err(|e| PipelineError::stage("the workbook")(e.to_string()))
}

/// In the decimals of its currency.
fn in_minor(row: RowRef<'_>, column: &str) -> Result<Value, PipelineError> {
    let currency = Currency::parse(row.text("currency")?);
    let Some(amount) = row.opt_dec(column)? else {
        return Ok(Value::Null);
    };
    let places = currency.map_or(2, Currency::minor_digits);
    Ok(Value::Dec(amount.rescale(places).unwrap_or(amount)))
}

/// Columns of a document that hold amounts.
fn amounts() -> impl Iterator<Item = &'static str> {
    COLUMNS.into_iter().filter(|column| column.ends_with("_amount"))
}

/// Documents with their states.
fn documents_sheet(release: &Release, is_meant: &dyn Fn(&str) -> bool) -> Result<Table, PipelineError> {
    let settlements = release.read_table("settlements")?;
    let mut states: BTreeMap<String, [Value; 3]> = BTreeMap::new();
    for row in release.read_table("settlement_states")?.iter() {
        let state = [
            row.text("state")?.into(),
            in_minor(row, "paid_amount")?,
            in_minor(row, "open_amount")?,
        ];
        states.insert(row.text("settlement_no")?.to_owned(), state);
    }
    let mut columns: Vec<&str> = vec![
        "settlement_no",
        "kind",
        "reverses_settlement_no",
        "period",
        "partner_id",
        "currency",
        "issued_on",
        "dispute_until_on",
        "legal_entity",
        "tax_category",
    ];
    let plain = columns.len();
    columns.extend(amounts());
    columns.extend(["state", "paid_amount", "open_amount", "settlement_hash", "ledger_head"]);
    let mut table = Table::new("documents", &columns);
    for row in settlements.iter() {
        if !is_meant(row.text("period")?) {
            continue;
        }
        let mut values = Vec::with_capacity(columns.len());
        for column in &columns[..plain] {
            values.push(row.get(column)?.clone());
        }
        for column in amounts() {
            values.push(in_minor(row, column)?);
        }
        let state = states.get(row.text("settlement_no")?).cloned();
        values.extend(state.unwrap_or([const { Value::Null }; 3]));
        values.push(row.get("settlement_hash")?.clone());
        values.push(row.get("ledger_head")?.clone());
        table.push(values);
    }
    table.rows.sort_by_key(|row| row[0].to_string());
    Ok(table)
}

/// Sums of documents by currency; those of reversals take back.
fn summary(documents: &Table) -> Result<Table, PipelineError> {
    let not_summed = ["held_amount", "minimum_amount"];
    let mut summed: Vec<&str> = amounts().filter(|column| !not_summed.contains(column)).collect();
    summed.extend(["paid_amount", "open_amount"]);
    let mut sums: BTreeMap<Currency, (i64, Vec<Money>)> = BTreeMap::new();
    for row in documents.iter() {
        let Some(currency) = Currency::parse(row.text("currency")?) else {
            continue;
        };
        let (count, sum) = sums
            .entry(currency)
            .or_insert_with(|| (0, vec![Money::zero(currency); summed.len()]));
        *count += 1;
        for (sum, column) in sum.iter_mut().zip(&summed) {
            if let Some(amount) = row.opt_dec(column)? {
                let amount = Money::exact(amount, currency).map_err(stage)?;
                *sum = sum.checked_add(amount).map_err(stage)?;
            }
        }
    }
    let mut columns = vec!["currency", "documents"];
    columns.extend(&summed);
    let mut table = Table::new("summary", &columns);
    for (currency, (count, sum)) in sums {
        let mut row: Vec<Value> = vec![currency.code().into(), count.into()];
        row.extend(sum.into_iter().map(|m| Value::Dec(m.dec())));
        table.push(row);
    }
    Ok(table)
}

/// Opening, movements and closing of every account and currency; of all periods the opening is nothing.
fn balances(entries: &[Entry], period: Option<Period>) -> Result<Table, LedgerError> {
    let mut sums: BTreeMap<(Account, Currency), [Money; 3]> = BTreeMap::new();
    for e in entries.iter().filter(|e| period.is_none_or(|p| e.period <= p)) {
        let currency = e.amount.currency();
        let sums = sums.entry((e.account, currency)).or_insert([Money::zero(currency); 3]);
        let at = match (period.is_some_and(|p| e.period < p), e.amount.is_negative()) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        };
        sums[at] = sums[at]
            .checked_add(e.amount)
            .map_err(|source| LedgerError::Amount { key: e.key(), source })?;
    }
    let mut table = Table::new(
        "balances",
        &["account", "currency", "opening", "debit", "credit", "closing"],
    );
    for ((account, currency), [opening, debit, credit]) in sums {
        let closing = opening
            .checked_add(debit)
            .and_then(|sum| sum.checked_add(credit))
            .map_or(Value::Null, |m| Value::Dec(m.dec()));
        table.push(vec![
            account.as_str().into(),
            currency.code().into(),
            Value::Dec(opening.dec()),
            Value::Dec(debit.dec()),
            Value::Dec(credit.negated().dec()),
            closing,
        ]);
    }
    Ok(table)
}

/// Rows of a table that belong to a posting period, in the order of some columns.
fn of_period(table: &Table, is_meant: &dyn Fn(&str) -> bool, order: &[&str]) -> Result<Table, PipelineError> {
    let mut out = Table::with_columns(table.name(), table.columns().to_vec());
    for row in table.iter() {
        if is_meant(row.text("period")?) {
            let mut values = row.values().clone();
            if let Some(at) = table.column("amount") {
                values[at] = in_minor(row, "amount")?;
            }
            out.push(values);
        }
    }
    let places: Vec<usize> = order.iter().filter_map(|column| table.column(column)).collect();
    out.rows.sort_by_cached_key(|row| {
        let key = |at: &usize| match &row[*at] {
            Value::Int(n) => format!("{n:020}"),
            other => other.to_string(),
        };
        places.iter().map(key).collect::<Vec<_>>()
    });
    Ok(out)
}

fn journal_sheet(entries: &[Entry], is_meant: &dyn Fn(&str) -> bool) -> Table {
    let mut table = Table::new(
        "journal",
        &[
            "entry_no",
            "transaction_no",
            "posting_on",
            "period",
            "account",
            "debit",
            "credit",
            "currency",
            "partner_id",
            "scheme",
            "earning_period",
            "reason",
            "corrects_transaction_no",
            "source",
            "entry_hash",
        ],
    );
    for e in entries.iter().filter(|e| is_meant(&e.period.to_string())) {
        let (debit, credit) = if e.amount.is_negative() {
            (Value::Null, Value::Dec(e.amount.negated().dec()))
        } else {
            (Value::Dec(e.amount.dec()), Value::Null)
        };
        table.push(vec![
            e.entry_no.into(),
            e.transaction_no.into(),
            e.posting_on.into(),
            e.period.to_string().into(),
            e.account.as_str().into(),
            debit,
            credit,
            e.amount.currency().code().into(),
            e.partner.as_str().into(),
            e.scheme.as_str().into(),
            e.earning_period.to_string().into(),
            e.reason.as_str().into(),
            e.corrects_transaction_no.into(),
            e.source.as_str().into(),
            e.entry_hash.into(),
        ]);
    }
    table
}

/// What was earned of every scheme and earning period, what of it is accrued, on hold, settled and in funds, and how old it is.
fn accruals(entries: &[Entry], config: &Config, today: Date) -> Result<Table, LedgerError> {
    let mut sums: BTreeMap<(String, Period, Currency), [Money; 5]> = BTreeMap::new();
    for e in entries
        .iter()
        .filter(|e| e.reason != Reason::Payment && e.reason != Reason::Netting)
    {
        let currency = e.amount.currency();
        let at = match e.account {
            Account::RebateExpense => 0,
            Account::AccruedRebates => 1,
            Account::RebatesOnHold => 2,
            Account::PartnerPayable | Account::PartnerReceivable => 3,
            Account::PartnerFunds => 4,
            Account::SettlementClearing => continue,
        };
        let sums = sums
            .entry((e.scheme.to_string(), e.earning_period, currency))
            .or_insert([Money::zero(currency); 5]);
        let amount = if at == 0 { e.amount } else { e.amount.negated() };
        sums[at] = sums[at]
            .checked_add(amount)
            .map_err(|source| LedgerError::Amount { key: e.key(), source })?;
    }
    let columns = [
        "scheme",
        "earning_period",
        "currency",
        "expense",
        "accrued",
        "on_hold",
        "settled",
        "in_funds",
        "ended_on",
        "age_days",
    ];
    let mut table = Table::new("accruals", &columns);
    let calendar = config.rules.programme().calendar;
    for ((scheme, period, currency), amounts) in sums {
        let ended_on = calendar.last_day(period);
        let mut row: Vec<Value> = vec![scheme.into(), period.to_string().into(), currency.code().into()];
        row.extend(amounts.map(|m| Value::Dec(m.dec())));
        row.push(ended_on.into());
        row.push((today - ended_on).num_days().max(0).into());
        table.push(row);
    }
    Ok(table)
}

/// Every invariant of the ledger with what was found.
fn checks(release: &Release) -> Table {
    let findings = ledger_findings(release);
    let mut table = Table::new("checks", &["check", "says", "result"]);
    let mut row = |check: &str, says: &str, result: String| table.push(vec![check.into(), says.into(), result.into()]);
    for invariant in INVARIANTS {
        let found: Vec<&str> = findings
            .iter()
            .filter(|f| f.rule == invariant.name)
            .map(|f| f.message.as_str())
            .collect();
        let result = match found.as_slice() {
            [] if invariant.name == "replay" => "checked by the run before it published".to_owned(),
            [] => "holds".to_owned(),
            problems => problems.join("; "),
        };
        row(invariant.name, invariant.says, result);
    }
    row(
        "release",
        "the folder of the warehouse that this was made of",
        release.name().to_owned(),
    );
    row(
        "ledger-head",
        "number of entries and hash of the last, as in the manifest",
        format!("{} {}", release.manifest.ledger_entries, release.manifest.ledger_head),
    );
    table
}
