//! `settle`, `approve`, `close`, `settlements`: the end of a posting period, from what would be settled to its documents.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::events::{PersonArgs, act_json, print_delivered};
use super::output::json_value;
use super::query::current;
use super::{CommandResult, Session};
use crate::domain::{Currency, Dec, Digest, Money, RowRef, Table, TableError, Value};
use crate::pipeline::acts::settlements::{self, Settlement, Step};
use crate::pipeline::{PipelineError, config};
use crate::store::release::Release;

#[derive(Debug, clap::Args)]
pub(super) struct SettleArgs {
    /// Posting period, such as 2026-Q3.
    period: String,
    /// Show the lines of one partner.
    #[arg(long, value_name = "PARTNER")]
    partner: Option<String>,
    /// Record that the settlement was looked at and is ready to be approved by another person.
    #[arg(long, requires = "by", requires = "reason")]
    prepare: bool,
    /// With --prepare: who prepared it.
    #[arg(long, requires = "prepare")]
    by: Option<String>,
    /// With --prepare: why, such as "month-end".
    #[arg(long, requires = "prepare")]
    reason: Option<String>,
    /// With --prepare: role in which it was prepared.
    #[arg(long, default_value = "finance")]
    role: String,
    /// With --prepare: day on which it was prepared, where that was not today.
    #[arg(long, value_name = "DATE", requires = "prepare")]
    on: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ApproveArgs {
    /// Posting period, such as 2026-Q3.
    period: String,
    /// Hash of the settlement that was looked at, as `settle` prints it; its first 12 digits will do.
    #[arg(long, required_unless_present = "withdraw", conflicts_with = "withdraw")]
    hash: Option<String>,
    /// Withdraw the approval.
    #[arg(long)]
    withdraw: bool,
    #[command(flatten)]
    person: PersonArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct CloseArgs {
    /// Posting period, such as 2026-Q3.
    period: String,
    #[command(flatten)]
    person: PersonArgs,
}

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

/// Least digits of a hash that are taken for it.
const SHORT: usize = 12;

pub(super) fn settle(session: &Session, args: &SettleArgs) -> CommandResult {
    if args.prepare {
        let person = PersonArgs::new(
            args.by.clone().unwrap_or_default(),
            args.reason.clone().unwrap_or_default(),
            args.role.clone(),
            args.on.clone(),
        );
        return act(session, &args.period, |_| Ok(Step::Prepare), &person);
    }
    let release = current(session)?;
    let settlement = settlements::settlement(&session.layout, &release, &args.period)?;
    if settlement.is_closed {
        return list(session, &release, None, Some(&args.period), None);
    }
    let proposals = release.read_table("settlement_proposals")?;
    let is_meant = |row: &RowRef<'_>| {
        row.text("period") == Ok(&args.period)
            && args.partner.as_deref().is_none_or(|p| row.text("partner_id") == Ok(p))
    };
    let rows: Vec<RowRef<'_>> = proposals.iter().filter(is_meant).collect();
    if session.output.json {
        let lines: Vec<Json> = rows.iter().map(|row| row_json(&proposals, *row)).collect();
        session.output.value(&json!({
            "period": settlement.period.to_string(),
            "cut_off_on": settlement.cut_off_on.to_string(),
            "settlement_hash": settlement.hash.map(|h| h.to_string()),
            "obstacle": obstacle(session, &settlement)?,
            "decisions": settlement.acts.iter().map(act_json).collect::<Vec<_>>(),
            "lines": lines,
        }));
        return Ok(());
    }
    let output = session.output;
    output.line(&format!(
        "period     {}, open; settled from {} on",
        settlement.period, settlement.cut_off_on
    ));
    let Some(hash) = settlement.hash else {
        output.line("settlement none yet: a period before it is open");
        return Ok(());
    };
    output.line(&format!("settlement {hash}"));
    print_acts(session, &settlement);
    output.line("");
    if args.partner.is_some() {
        output.table(&statement(&rows)?);
    } else {
        print_summary(session, &rows)?;
    }
    match obstacle(session, &settlement)? {
        Some(why) => output.line(&format!("\nto close   {why}")),
        None => output.line(&format!(
            "\nto close   approved: `starledger close {}` closes it",
            settlement.period
        )),
    }
    Ok(())
}

fn obstacle(session: &Session, settlement: &Settlement) -> Result<Option<String>, PipelineError> {
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let role = config.rules.programme().settlement.approving_role.clone();
    Ok(settlement
        .obstacle(role.as_deref())
        .map(|(why, remedy)| format!("{why}; {remedy}")))
}

fn print_acts(session: &Session, settlement: &Settlement) {
    for act in &settlement.acts {
        let waits = if act.pending { " (waits for the next run)" } else { "" };
        let hash = act.subject_hash.map_or_else(String::new, |h| format!(" {}", h.short()));
        session.output.line(&format!(
            "decided    {} {}{hash} by {} ({}): {}{waits}",
            act.decided_at, act.outcome, act.by, act.role, act.reason
        ));
    }
}

/// Kinds of lines that the summary shows, in their order.
const SUMMED: [&str; 9] = [
    "carried_in",
    "earned",
    "adjusted",
    "hold_released",
    "manual_adjustment",
    "total",
    "held",
    "due",
    "carried_out",
];

fn print_summary(session: &Session, rows: &[RowRef<'_>]) -> CommandResult {
    let mut sums: BTreeMap<(Currency, String), BTreeMap<&str, Money>> = BTreeMap::new();
    let mut all: BTreeMap<Currency, BTreeMap<&str, Money>> = BTreeMap::new();
    for row in rows {
        let Some(kind) = SUMMED.into_iter().find(|k| row.text("kind") == Ok(k)) else {
            continue;
        };
        let Some(currency) = Currency::parse(row.text("currency")?) else {
            continue;
        };
        let (partner, amount) = (row.text("partner_id")?, Money::exact(row.dec("amount")?, currency));
        let whose = sums.entry((currency, partner.to_owned())).or_default();
        let of_all = all.entry(currency).or_default();
        for sums in [whose, of_all] {
            let sum = sums.entry(kind).or_insert(Money::zero(currency));
            *sum = amount
                .and_then(|amount| sum.checked_add(amount))
                .map_err(|e| PipelineError::stage("the settlement")(e.to_string()))?;
        }
    }
    if sums.is_empty() {
        session.output.line("nothing is settled");
        return Ok(());
    }
    let kinds: Vec<&str> = SUMMED
        .into_iter()
        .filter(|kind| all.values().any(|sums| sums.contains_key(kind)))
        .collect();
    let mut columns = vec!["currency", "partner"];
    columns.extend(&kinds);
    let mut table = Table::new("settlement", &columns);
    for (currency, total) in &all {
        let shown = |sums: &BTreeMap<&str, Money>, kind: &str| -> Value {
            sums.get(kind).map_or(Value::Null, |m| Value::Dec(m.dec()))
        };
        for ((_, partner), of_partner) in sums.iter().filter(|((c, _), _)| c == currency) {
            let mut row: Vec<Value> = vec![currency.code().into(), partner.as_str().into()];
            row.extend(kinds.iter().map(|kind| shown(of_partner, kind)));
            table.push(row);
        }
        let mut row: Vec<Value> = vec![currency.code().into(), "all".into()];
        row.extend(kinds.iter().map(|kind| shown(total, kind)));
        table.push(row);
    }
    session.output.table(&table);
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
fn in_minor(amount: Dec, currency: &str) -> Value {
    let minor = Currency::parse(currency).map_or(2, Currency::minor_digits);
    Value::Dec(amount.rescale(minor).unwrap_or(amount))
}

/// Lines of a statement for a person.
fn statement(rows: &[RowRef<'_>]) -> Result<Table, TableError> {
    let mut table = Table::new("statement", &["line", "basis", "rate", "exact", "amount", "why"]);
    for row in rows {
        let kind = row.text("kind")?;
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

pub(super) fn approve(session: &Session, args: &ApproveArgs) -> CommandResult {
    let step = |settlement: &Settlement| {
        let Some(typed) = &args.hash else {
            return Ok(Step::WithdrawApproval);
        };
        let typed = typed.trim().to_lowercase();
        if let Some(whole) = Digest::parse(&typed) {
            return Ok(Step::Approve(whole));
        }
        let is_hash = typed.len() >= SHORT && typed.bytes().all(|b| b.is_ascii_hexdigit());
        match settlement.hash.filter(|h| is_hash && h.to_string().starts_with(&typed)) {
            Some(hash) => Ok(Step::Approve(hash)),
            None if is_hash => Err(PipelineError::Usage(format!(
                "the settlement of {} is {}, and not {typed}: something has changed since it was looked at; look at it again with `starledger settle {}`",
                settlement.period,
                settlement
                    .hash
                    .map_or_else(|| "not there yet".to_owned(), Digest::short),
                settlement.period
            ))),
            None => Err(PipelineError::Usage(format!(
                "'{typed}' is no hash of a settlement: give at least its first {SHORT} digits, as `starledger settle {}` prints them",
                settlement.period
            ))),
        }
    };
    act(session, &args.period, step, &args.person)
}

pub(super) fn close(session: &Session, args: &CloseArgs) -> CommandResult {
    act(session, &args.period, |_| Ok(Step::Close), &args.person)
}

fn act(
    session: &Session,
    period: &str,
    step: impl Fn(&Settlement) -> Result<Step, PipelineError>,
    person: &PersonArgs,
) -> CommandResult {
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let release = current(session)?;
    let settlement = settlements::settlement(&session.layout, &release, period)?;
    let step = step(&settlement)?;
    let person = person.person()?;
    let delivered = settlements::act(&session.layout, &config, &release, period, step, &person)?;
    let then = match step {
        Step::Prepare => format!(
            "`starledger approve {period} --hash {}` by another person",
            settlement.hash.map_or_else(String::new, Digest::short)
        ),
        Step::Approve(_) => format!("`starledger close {period}`"),
        Step::WithdrawApproval => "it is not closed until it is approved again".to_owned(),
        Step::Close => "the next run closes it and issues its documents, if nothing has changed until then".to_owned(),
    };
    print_delivered(session, &delivered, Some(&then));
    Ok(())
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

fn row_json(table: &Table, row: RowRef<'_>) -> Json {
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

fn list(
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
