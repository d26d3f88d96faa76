//! `settlements`: documents with their statements, posting periods, and the reversal of a document.
//!
//! Duty: show what was issued and what became of it. Must not: compute a state; tables of the release say it.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::output::json_value;
use super::person::{PersonArgs, print_delivered};
use super::query::current;
use super::{CommandResult, Session};
use crate::domain::{Currency, Dec, RowRef, Table, TableError, Value};
use crate::pipeline::acts::settlements;
use crate::pipeline::{PipelineError, config};
use crate::store::release::Release;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List documents with what became of them.
    List {
        #[arg(long)]
        partner: Option<String>,
        /// Posting period.
        #[arg(long)]
        period: Option<String>,
        /// issued, partly_paid, paid, overpaid, disputed, carried, reversed or reversal.
        #[arg(long)]
        state: Option<String>,
    },
    /// Show a document with every line of its statement.
    Show { settlement_no: String },
    /// List posting periods with who prepared, approved and closed them.
    Periods,
    /// Reverse a document, newest first; what it settled is settled anew by the next close.
    Reverse {
        settlement_no: String,
        #[command(flatten)]
        person: PersonArgs,
    },
}

pub(super) fn settlements(session: &Session, args: &Args) -> CommandResult {
    let release = current(session)?;
    match &args.what {
        What::List { partner, period, state } => list(
            session,
            &release,
            partner.as_deref(),
            period.as_deref(),
            state.as_deref(),
        ),
        What::Show { settlement_no } => show(session, &release, settlement_no),
        What::Periods => {
            let table = release.read_table("periods")?;
            let columns = ["period", "status", "first_on", "last_on", "cut_off_on", "closed_on"];
            let mut shown = Table::new("periods", &columns);
            for row in table.iter() {
                let values: Result<Vec<Value>, TableError> = columns.iter().map(|c| row.get(c).cloned()).collect();
                shown.push(values?);
            }
            if session.output.json {
                let rows: Vec<Json> = table.iter().map(|row| row_json(&table, row)).collect();
                session.output.value(&Json::Array(rows));
            } else {
                session.output.table(&shown);
            }
            Ok(())
        }
        What::Reverse { settlement_no, person } => {
            let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
            let person = person.person()?;
            let delivered = settlements::reverse(&session.layout, &config, &release, settlement_no, &person)?;
            let then = format!("{settlement_no} is reversed, and what it settled is settled by the next close");
            print_delivered(session, &delivered, Some(&then));
            Ok(())
        }
    }
}

pub(super) fn row_json(table: &Table, row: RowRef<'_>) -> Json {
    let fields = table.columns().iter().zip(row.values());
    Json::Object(fields.map(|(name, value)| (name.clone(), json_value(value))).collect())
}

/// State of a document, what is open on it, and why.
type State = (String, Dec, Option<String>);

/// States by document.
fn states(release: &Release) -> Result<BTreeMap<String, State>, PipelineError> {
    let mut states = BTreeMap::new();
    for row in release.read_table("settlement_states")?.iter() {
        let says = match (row.opt_text("reversed_by")?, row.opt_text("reason")?) {
            (Some(by), _) => Some(format!("by {by}")),
            (None, reason) => reason.map(str::to_owned),
        };
        let state = (row.text("state")?.to_owned(), row.dec("open_amount")?, says);
        states.insert(row.text("settlement_no")?.to_owned(), state);
    }
    Ok(states)
}

pub(super) fn list(
    session: &Session,
    release: &Release,
    partner: Option<&str>,
    period: Option<&str>,
    state: Option<&str>,
) -> CommandResult {
    let (documents, states) = (release.read_table("settlements")?, states(release)?);
    let mut table = Table::new(
        "settlements",
        &[
            "document",
            "period",
            "partner",
            "currency",
            "issued_on",
            "due",
            "open",
            "state",
        ],
    );
    let mut rows = Vec::new();
    for row in documents.iter() {
        let name = row.text("settlement_no")?;
        let Some((now, open, _)) = states.get(name) else {
            continue;
        };
        let is_meant = partner.is_none_or(|p| row.text("partner_id") == Ok(p))
            && period.is_none_or(|p| row.text("period") == Ok(p))
            && state.is_none_or(|s| s == now);
        if !is_meant {
            continue;
        }
        let currency = row.text("currency")?;
        let mut object = row_json(&documents, row);
        object["state"] = json!(now);
        object["open_amount"] = json!(open.to_string());
        rows.push((name.to_owned(), object));
        table.push(vec![
            name.into(),
            row.text("period")?.into(),
            row.text("partner_id")?.into(),
            currency.into(),
            row.date("issued_on")?.into(),
            in_minor(row.dec("due_amount")?, currency),
            in_minor(*open, currency),
            now.as_str().into(),
        ]);
    }
    if session.output.json {
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        session
            .output
            .value(&Json::Array(rows.into_iter().map(|(_, object)| object).collect()));
    } else if rows.is_empty() {
        session
            .output
            .line("there are no such documents; closing a period issues them");
    } else {
        table.rows.sort_by_key(|row| row[0].to_string());
        session.output.table(&table);
    }
    Ok(())
}

fn show(session: &Session, release: &Release, name: &str) -> CommandResult {
    let (documents, states) = (release.read_table("settlements")?, states(release)?);
    let statements = release.read_table("statements")?;
    let Some(document) = documents.iter().find(|row| row.text("settlement_no") == Ok(name)) else {
        return Err(PipelineError::Usage(format!(
            "there is no document '{name}'; `starledger settlements list` shows them"
        )));
    };
    let mut rows: Vec<RowRef<'_>> = statements
        .iter()
        .filter(|row| row.text("settlement_no") == Ok(name))
        .collect();
    rows.sort_by_key(|row| row.int("line_no").unwrap_or(0));
    let (state, open, says) = states.get(name).cloned().unwrap_or((String::new(), Dec::ZERO, None));
    let output = session.output;
    if output.json {
        let mut object = row_json(&documents, document);
        object["state"] = json!(state);
        object["open_amount"] = json!(open.to_string());
        object["state_reason"] = json!(says);
        object["lines"] = rows.iter().map(|row| row_json(&statements, *row)).collect();
        output.value(&object);
        return Ok(());
    }
    let text = |column: &str| document.opt_text(column).map(Option::unwrap_or_default);
    output.line(&format!(
        "document   {name}, {} of {} in {}, {}, issued on {}",
        text("kind")?,
        text("partner_id")?,
        text("currency")?,
        text("period")?,
        document.date("issued_on")?
    ));
    output.line(&format!(
        "issued by  {} (tax category {})",
        text("legal_entity")?,
        text("tax_category")?
    ));
    let says = says.map_or_else(String::new, |s| format!(": {s}"));
    let open = in_minor(open, text("currency")?);
    output.line(&format!("state      {state}, {open} open{says}"));
    if let Some(until) = document.opt_date("dispute_until_on")? {
        output.line(&format!("disputes   until {until}"));
    }
    if let Some(of) = document.opt_text("reverses_settlement_no")? {
        output.line(&format!("reverses   {of}"));
    }
    output.line(&format!(
        "ledger     {} entries, head {}",
        document.int("ledger_entries")?,
        text("ledger_head")?
    ));
    output.line("");
    output.table(&statement(&rows)?);
    Ok(())
}

/// Without zeros at the end of the decimals.
fn trimmed_text(number: &str) -> String {
    match number.split_once('.') {
        None => number.to_owned(),
        Some((whole, decimals)) => match decimals.trim_end_matches('0') {
            "" => whole.to_owned(),
            rest => format!("{whole}.{rest}"),
        },
    }
}

/// In the decimals of its currency.
pub(super) fn in_minor(amount: Dec, currency: &str) -> Value {
    let minor = Currency::parse(currency).map_or(2, Currency::minor_digits);
    Value::Dec(amount.rescale(minor).unwrap_or(amount))
}

/// Lines of a statement for a person.
pub(super) fn statement(rows: &[RowRef<'_>]) -> Result<Table, TableError> {
    let mut table = Table::new("statement", &["line", "basis", "rate", "exact", "amount", "why"]);
    for row in rows {
        let kind = row.text("kind")?;
        if kind == "ahead" {
            let none = [const { Value::Null }; 4];
            let mut line: Vec<Value> = vec!["    ahead".into()];
            line.extend(none);
            line.push(row.opt_text("reason")?.into());
            table.push(line);
            continue;
        }
        let is_detail = kind == "component";
        let name = match (is_detail, row.opt_text("scheme")?, row.opt_text("earning_period")?) {
            (true, _, _) => {
                let domain = row.opt_text("domain")?.filter(|d| !d.is_empty());
                let domain = domain.map_or_else(String::new, |d| format!("{d} "));
                format!("    {domain}{}", row.opt_text("component")?.unwrap_or_default())
            }
            (false, Some(scheme), Some(period)) => format!("{kind} {scheme} {period}"),
            _ => kind.to_owned(),
        };
        let trimmed = |column: &str| -> Result<Value, TableError> {
            Ok(row
                .opt_dec(column)?
                .map_or(Value::Null, |d| trimmed_text(&d.to_string()).into()))
        };
        let amount = match row.opt_dec("amount")? {
            Some(amount) => in_minor(amount, row.text("currency")?),
            None => Value::Null,
        };
        table.push(vec![
            name.into(),
            trimmed("basis")?,
            trimmed("rate")?,
            trimmed("component_amount")?,
            amount,
            row.opt_text("reason")?.into(),
        ]);
    }
    Ok(table)
}
