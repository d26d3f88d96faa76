//! `claims`: claims on funds, from the list to a ruling, and the funds themselves.
//!
//! Duty: show what was claimed and what became of it. Must not: compute a state; tables of the release say it.

use serde_json::{Value as Json, json};

use super::person::{PersonArgs, act_json, print_delivered};
use super::query::current;
use super::settlements::{in_minor, row_json};
use super::{CommandResult, Session};
use crate::domain::{Dec, Table, Value};
use crate::pipeline::acts::claims::{self, Claim, Step};
use crate::pipeline::{PipelineError, config};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the claims on which someone has to rule.
    List {
        /// Also those on which someone has ruled, and those that cannot be paid.
        #[arg(long)]
        all: bool,
        #[arg(long)]
        partner: Option<String>,
        /// waiting, open, approved, rejected or refused.
        #[arg(long)]
        state: Option<String>,
    },
    /// Show one claim with every ruling on it.
    Show { claim: String },
    /// Approve all of a claim, or a part.
    Approve {
        claim: String,
        /// In the currency of the claim; all of it where absent.
        #[arg(long)]
        amount: Option<String>,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Reject a claim; an earlier approval no longer counts.
    Reject {
        claim: String,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Take the last ruling back: the claim is open again.
    Withdraw {
        claim: String,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Show the funds: set aside, drawn, lapsed, left, and until when they can be claimed on.
    Funds {
        #[arg(long)]
        partner: Option<String>,
    },
}

pub(super) fn claims(session: &Session, args: &Args) -> CommandResult {
    let (claim, step, person) = match &args.what {
        What::List { all, partner, state } => {
            let means = |c: &Claim| {
                let is_open = matches!(c.state.as_str(), "open" | "waiting");
                (*all || state.is_some() || is_open)
                    && partner.as_ref().is_none_or(|p| c.partner == *p)
                    && state.as_ref().is_none_or(|s| c.state == *s)
            };
            let mut found = claims::claims(&session.layout, &current(session)?)?;
            found.retain(means);
            list(session, &found);
            return Ok(());
        }
        What::Show { claim } => return show(session, claim),
        What::Funds { partner } => return funds(session, partner.as_deref()),
        What::Approve { claim, amount, person } => {
            let parsed = amount.as_deref().map(|text| {
                Dec::parse(text).map_err(|e| PipelineError::Usage(format!("'{text}' is no amount such as 350.00: {e}")))
            });
            (claim, Step::Approve(parsed.transpose()?), person)
        }
        What::Reject { claim, person } => (claim, Step::Reject, person),
        What::Withdraw { claim, person } => (claim, Step::Withdraw, person),
    };
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let person = person.person()?;
    let delivered = claims::act(&session.layout, &config, &current(session)?, claim, step, &person)?;
    let then = match step {
        Step::Approve(_) => "what is approved is paid out of the fund, and is on the next settlement document",
        Step::Reject => "nothing is paid on it",
        Step::Withdraw => "the claim is open again",
    };
    print_delivered(session, &delivered, Some(then));
    Ok(())
}

fn list(session: &Session, claims: &[Claim]) {
    let output = session.output;
    if output.json {
        output.value(&Json::Array(claims.iter().map(claim_json).collect()));
        return;
    }
    if claims.is_empty() {
        output.line("there are no such claims; --all shows those on which someone has ruled");
        return;
    }
    let columns = [
        "claim",
        "partner",
        "scheme",
        "period",
        "claimed_on",
        "claimed",
        "approved",
        "payable",
        "currency",
        "state",
    ];
    let mut table = Table::new("claims", &columns);
    for c in claims {
        table.push(vec![
            c.id.as_str().into(),
            c.partner.as_str().into(),
            c.scheme.as_str().into(),
            c.earning_period.as_str().into(),
            c.claimed_on.into(),
            Value::Dec(c.claimed.dec()),
            Value::Dec(c.approved.dec()),
            Value::Dec(c.payable.dec()),
            c.claimed.currency().code().into(),
            state(c).into(),
        ]);
    }
    output.table(&table);
}

/// The state, and the ruling that waits.
fn state(claim: &Claim) -> String {
    match claim.acts.last().filter(|act| act.pending) {
        Some(act) => format!("{}, {} by the next run", claim.state, act.outcome),
        None => claim.state.clone(),
    }
}

fn show(session: &Session, id: &str) -> CommandResult {
    let found = claims::claims(&session.layout, &current(session)?)?;
    let Some(claim) = found.iter().find(|c| c.id == id) else {
        return Err(PipelineError::Usage(format!(
            "there is no claim '{id}'; `starledger claims list --all` shows them"
        )));
    };
    let output = session.output;
    if output.json {
        output.value(&claim_json(claim));
        return Ok(());
    }
    output.line(&format!(
        "{id}: {} of {} on {} of {}, claimed on {}",
        claim.claimed, claim.partner, claim.scheme, claim.earning_period, claim.claimed_on
    ));
    let why = claim
        .reason
        .as_deref()
        .map_or_else(String::new, |why| format!(": {why}"));
    output.line(&format!("state      {}{why}", state(claim)));
    if claim.approved.minor_units() != 0 {
        output.line(&format!(
            "approved   {}, of which the fund pays {}",
            claim.approved, claim.payable
        ));
    }
    for act in &claim.acts {
        let waits = if act.pending { " (waits for the next run)" } else { "" };
        let amount = act
            .amount
            .as_deref()
            .map_or_else(String::new, |amount| format!(" {amount}"));
        output.line(&format!(
            "decided    {} {}{amount} by {} ({}): {}{waits}",
            act.decided_at, act.outcome, act.by, act.role, act.reason
        ));
    }
    Ok(())
}

fn funds(session: &Session, partner: Option<&str>) -> CommandResult {
    let table = current(session)?.read_table("funds")?;
    let mut rows: Vec<_> = table
        .iter()
        .filter(|row| partner.is_none_or(|p| row.text("partner_id") == Ok(p)))
        .collect();
    rows.sort_by_key(|row| row.values()[..4].iter().map(ToString::to_string).collect::<Vec<_>>());
    if session.output.json {
        let rows = rows.into_iter().map(|row| row_json(&table, row)).collect();
        session.output.value(&Json::Array(rows));
        return Ok(());
    }
    let columns = [
        "partner",
        "scheme",
        "period",
        "currency",
        "set_aside",
        "paid",
        "open",
        "lapsed",
        "held",
        "left",
        "until",
    ];
    let mut shown = Table::new("funds", &columns);
    for row in rows {
        let currency = row.text("currency")?;
        let amount = |column| Ok::<_, crate::domain::TableError>(in_minor(row.dec(column)?, currency));
        shown.push(vec![
            row.text("partner_id")?.into(),
            row.text("scheme")?.into(),
            row.text("earning_period")?.into(),
            currency.into(),
            amount("set_aside_amount")?,
            amount("payable_amount")?,
            amount("open_amount")?,
            amount("lapsed_amount")?,
            amount("held_amount")?,
            amount("available_amount")?,
            row.date("claims_until_on")?.into(),
        ]);
    }
    if shown.rows.is_empty() {
        session
            .output
            .line("there are no such funds; a scheme with a table `fund` sets money aside");
    } else {
        session.output.table(&shown);
    }
    Ok(())
}

fn claim_json(claim: &Claim) -> Json {
    json!({
        "claim_id": claim.id, "partner_id": claim.partner, "scheme": claim.scheme,
        "earning_period": claim.earning_period, "claimed_on": claim.claimed_on.to_string(),
        "currency": claim.claimed.currency().code(), "claimed": claim.claimed.dec().to_string(),
        "approved": claim.approved.dec().to_string(), "payable": claim.payable.dec().to_string(),
        "state": claim.state, "reason": claim.reason, "decided_by": claim.decided_by,
        "decisions": claim.acts.iter().map(act_json).collect::<Vec<_>>(),
    })
}
