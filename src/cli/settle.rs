//! `settle`, `approve`, `close`: a posting period, from what would be settled to the decision that closes it.
//!
//! Duty: show a settlement and write what people decide on it. Must not: settle; the next run does.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::person::{PersonArgs, act_json, print_delivered};
use super::query::current;
use super::settlements::{list, row_json, statement};
use super::{CommandResult, Session};
use crate::domain::{Currency, Digest, Money, RowRef, Table, Value};
use crate::pipeline::acts::settlements::{self, Settlement, Step};
use crate::pipeline::{PipelineError, config};

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
const SUMMED: [&str; 10] = [
    "carried_in",
    "earned",
    "adjusted",
    "hold_released",
    "manual_adjustment",
    "claim",
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
