//! The books of a release in the forms of other tools.
//!
//! Duty: which tables an export is made of. Not its duty: the forms (`exports`), writing files.

use std::collections::BTreeMap;

use super::PipelineError;
use super::config::Config;
use super::verify::ledger_findings;
use crate::domain::{Currency, Date, Instant, Money, Period, RowRef, Table, Value, Zone};
pub use crate::exports::erp::Chart as ErpChart;
use crate::exports::ubl::{CreditNote, Line, Party};
use crate::exports::workbook::{MAX_ROWS, Sheet};
use crate::exports::{beancount, erp, hledger, ubl, workbook};
use crate::ledger::documents::{Document, DocumentKind, from_table, name_of};
use crate::ledger::{Account, Entry, INVARIANTS, LedgerError, Reason, table};
use crate::store::release::Release;

/// A form of the journal.
#[derive(Clone, Debug)]
pub enum Form {
    Hledger,
    Beancount,
    /// For an ERP: account codes of a chart, entries of one posting period or of all.
    Csv(Box<ErpChart>, Option<Period>),
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn stage(e: impl ToString) -> PipelineError {
    PipelineError::stage("the ledger")(e.to_string())
}

fn entries(release: &Release) -> Result<Vec<Entry>, PipelineError> {
    table::from_table(&release.read_table("ledger")?).map_err(stage)
}

/// The ledger as a journal.
pub fn journal(release: &Release, form: &Form) -> Result<String, PipelineError> {
    let entries = entries(release)?;
    match form {
        Form::Hledger => hledger::export(&entries),
        Form::Beancount => beancount::export(&entries),
        Form::Csv(chart, period) => erp::export(&entries, chart, *period),
    }
    .map_err(stage)
}

/// Which documents become credit notes.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    Document(&'a str),
    Period(Period),
}

/// Credit notes of documents on which something is due, by number: name of the document and XML.
pub fn credit_notes(
    release: &Release,
    config: &Config,
    which: Which<'_>,
) -> Result<Vec<(String, String)>, PipelineError> {
    let settlements = release.read_table("settlements")?;
    let documents = from_table(&settlements).map_err(stage)?;
    let is_meant = |d: &&Document| match which {
        Which::Document(name) => d.name() == name,
        Which::Period(period) => d.period == period,
    };
    let meant: Vec<&Document> = documents.iter().filter(is_meant).collect();
    if let (Which::Document(name), None) = (which, meant.first()) {
        return Err(PipelineError::Usage(format!(
            "there is no document '{name}'; `starledger settlements list` shows them"
        )));
    }
    if let (Which::Document(name), Some(document)) = (which, meant.first())
        && document.due.is_zero()
    {
        return Err(PipelineError::Usage(format!(
            "nothing is due on {name}: there is nothing to credit"
        )));
    }
    let statements = release.read_table("statements")?;
    let mut lines: BTreeMap<String, Vec<(i64, Line)>> = BTreeMap::new();
    for row in statements.iter() {
        if let Some(line) = line_of(row)? {
            lines
                .entry(row.text("settlement_no")?.to_owned())
                .or_default()
                .push(line);
        }
    }
    let extras = extras(&settlements)?;
    let parties = parties(&release.read_table("partners")?)?;
    let calendar = config.rules.programme().calendar;
    let mut notes = Vec::new();
    for document in meant.into_iter().filter(|d| !d.due.is_zero()) {
        let name = document.name();
        let (legal_entity, tax_category) = extras.get(&name).cloned().unwrap_or_default();
        let (reverses, of) = match document.kind {
            DocumentKind::Settlement => (None, name.clone()),
            DocumentKind::Reversal { of } => (Some(name_of(of)), name_of(of)),
        };
        let mut its: Vec<(i64, Line)> = lines.get(&of).cloned().unwrap_or_default();
        its.sort_by_key(|(number, _)| *number);
        let mut its: Vec<Line> = its.into_iter().map(|(_, line)| line).collect();
        if reverses.is_some() {
            its.iter_mut().for_each(|line| line.amount = line.amount.negated());
        }
        let mut texts = vec![format!(
            "Ledger head {} of {} entries",
            document.head.hash, document.head.entries
        )];
        if let Some(category) = tax_category {
            texts.push(format!("Tax category {category}"));
        }
        let (partner_name, country) = parties
            .get(document.partner.as_str())
            .cloned()
            .unwrap_or_else(|| (document.partner.to_string(), None));
        let vendor = legal_entity.unwrap_or_else(|| config.rules.programme().name.clone());
        let note = CreditNote {
            id: name.clone(),
            issued_on: document.issued_on,
            period: (calendar.first_day(document.period), calendar.last_day(document.period)),
            notes: texts,
            vendor: Party {
                id: vendor.clone(),
                name: vendor,
                country: None,
            },
            partner: Party {
                id: document.partner.to_string(),
                name: partner_name,
                country,
            },
            reverses,
            lines: its,
            due: document.due,
        };
        notes.push((name, ubl::credit_note(&note)));
    }
    Ok(notes)
}

/// A line of a statement that is in the total, with its number.
fn line_of(row: RowRef<'_>) -> Result<Option<(i64, Line)>, PipelineError> {
    let kind = row.text("kind")?;
    let is_line = ["carried_in", "earned", "adjusted", "hold_released", "manual_adjustment"].contains(&kind);
    let (Some(amount), true) = (row.opt_dec("amount")?, is_line) else {
        return Ok(None);
    };
    let code = row.text("currency")?;
    let currency = Currency::parse(code).ok_or_else(|| stage(format!("'{code}' is no currency")))?;
    let kind = kind.replace('_', " ");
    let name = match (row.opt_text("scheme")?, row.opt_text("earning_period")?) {
        (Some(scheme), Some(period)) => format!("{scheme} {period}, {kind}"),
        _ => kind,
    };
    let amount = Money::exact(amount, currency).map_err(stage)?;
    Ok(Some((row.int("line_no")?, Line { name, amount })))
}

type Extras = (Option<String>, Option<String>);

/// Legal entity and tax category by document.
fn extras(settlements: &Table) -> Result<BTreeMap<String, Extras>, PipelineError> {
    let mut out = BTreeMap::new();
    for row in settlements.iter() {
        let text = |column| Ok::<_, PipelineError>(row.opt_text(column)?.map(str::to_owned));
        out.insert(
            row.text("settlement_no")?.to_owned(),
            (text("legal_entity")?, text("tax_category")?),
        );
    }
    Ok(out)
}

/// Name and country of every partner, by its latest version.
fn parties(partners: &Table) -> Result<BTreeMap<String, (String, Option<String>)>, PipelineError> {
    let mut latest: BTreeMap<String, (Date, (String, Option<String>))> = BTreeMap::new();
    for row in partners.iter() {
        let from = row.date("valid_from")?;
        let id = row.text("partner_id")?;
        let party = (
            row.text("legal_name")?.to_owned(),
            row.opt_text("country")?.map(str::to_owned),
        );
        if latest.get(id).is_none_or(|(known, _)| *known < from) {
            latest.insert(id.to_owned(), (from, party));
        }
    }
    Ok(latest.into_iter().map(|(id, (_, party))| (id, party)).collect())
}

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

const AMOUNTS: [&str; 9] = [
    "carried_in_amount",
    "earned_amount",
    "adjusted_amount",
    "manual_amount",
    "total_amount",
    "due_amount",
    "carried_out_amount",
    "held_amount",
    "minimum_amount",
];

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
    columns.extend(AMOUNTS);
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
        for column in AMOUNTS {
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
    const SUMMED: [&str; 9] = [
        "carried_in_amount",
        "earned_amount",
        "adjusted_amount",
        "manual_amount",
        "total_amount",
        "due_amount",
        "carried_out_amount",
        "paid_amount",
        "open_amount",
    ];
    let mut sums: BTreeMap<Currency, (i64, Vec<Money>)> = BTreeMap::new();
    for row in documents.iter() {
        let Some(currency) = Currency::parse(row.text("currency")?) else {
            continue;
        };
        let (count, sum) = sums
            .entry(currency)
            .or_insert_with(|| (0, vec![Money::zero(currency); SUMMED.len()]));
        *count += 1;
        for (sum, column) in sum.iter_mut().zip(SUMMED) {
            if let Some(amount) = row.opt_dec(column)? {
                let amount = Money::exact(amount, currency).map_err(stage)?;
                *sum = sum.checked_add(amount).map_err(stage)?;
            }
        }
    }
    let mut columns = vec!["currency", "documents"];
    columns.extend(SUMMED);
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

/// What was earned of every scheme and earning period, what of it is accrued, on hold and settled, and how old it is.
fn accruals(entries: &[Entry], config: &Config, today: Date) -> Result<Table, LedgerError> {
    let mut sums: BTreeMap<(String, Period, Currency), [Money; 4]> = BTreeMap::new();
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
            Account::SettlementClearing => continue,
        };
        let sums = sums
            .entry((e.scheme.to_string(), e.earning_period, currency))
            .or_insert([Money::zero(currency); 4]);
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
