//! Claims on funds, for those who rule on them.
//!
//! Duty: claims as the current release has them with the acts on them, and whether a ruling may follow. Must not: say what
//! is paid (a run does, and asks all of this again).

use super::deliver::{Decided, deliver, instant};
use super::known::{Act, acts};
use super::{Delivered, Person};
use crate::domain::{Currency, Date, Dec, Money, Zone};
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::pipeline::refresh::claims::KIND;
use crate::store::layout::Layout;
use crate::store::release::Release;

/// A claim as a release has it.
#[derive(Clone, Debug)]
pub struct Claim {
    pub id: String,
    pub partner: String,
    pub scheme: String,
    pub earning_period: String,
    pub claimed_on: Date,
    pub claimed: Money,
    pub approved: Money,
    /// What its fund pays of it.
    pub payable: Money,
    pub state: String,
    pub reason: Option<String>,
    pub decided_by: Option<String>,
    /// In the order of time; those on their way included.
    pub acts: Vec<Act>,
}

/// What someone wants to do with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So much of it, in its currency; none: all.
    Approve(Option<Dec>),
    Reject,
    /// The last ruling no longer stands.
    Withdraw,
}

/// All claims of a release, by id.
pub fn claims(layout: &Layout, release: &Release) -> Result<Vec<Claim>, PipelineError> {
    let stage = PipelineError::stage("table claim_states");
    let all = acts(layout, release, &[KIND])?;
    let mut claims = Vec::new();
    for row in release.read_table("claim_states")?.iter() {
        let id = row.text("claim_id")?.to_owned();
        let code = row.text("currency")?;
        let currency = Currency::parse(code).ok_or_else(|| stage(format!("'{code}' is no currency")))?;
        let money = |column| -> Result<Money, PipelineError> {
            Money::exact(row.dec(column)?, currency).map_err(|e| stage(e.to_string()))
        };
        claims.push(Claim {
            partner: row.text("partner_id")?.to_owned(),
            scheme: row.text("scheme")?.to_owned(),
            earning_period: row.text("earning_period")?.to_owned(),
            claimed_on: row.date("claimed_on")?,
            claimed: money("claimed_amount")?,
            approved: money("approved_amount")?,
            payable: money("payable_amount")?,
            state: row.text("state")?.to_owned(),
            reason: row.opt_text("reason")?.map(str::to_owned),
            decided_by: row.opt_text("decided_by")?.map(str::to_owned),
            acts: all.iter().filter(|act| act.subject == id).cloned().collect(),
            id,
        });
    }
    claims.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(claims)
}

/// Delivers a ruling, or says why it cannot follow.
pub fn act(
    layout: &Layout,
    config: &Config,
    release: &Release,
    id: &str,
    step: Step,
    person: &Person,
) -> Result<Delivered, PipelineError> {
    let usage = |message: String| Err(PipelineError::Usage(message));
    let Some(claim) = claims(layout, release)?.into_iter().find(|claim| claim.id == id) else {
        return usage(format!(
            "there is no claim '{id}'; `starledger claims list --all` shows them"
        ));
    };
    let stands = claim.acts.last().filter(|act| act.outcome != "withdrawn");
    let (outcome, amount) = match step {
        Step::Withdraw if stands.is_none() => return usage(format!("nobody has ruled on claim {id}")),
        Step::Withdraw => ("withdrawn", None),
        Step::Reject => ("rejected", None),
        Step::Approve(_) if claim.state == "refused" => {
            let why = claim.reason.unwrap_or_default();
            return usage(format!("claim {id} cannot be paid: {why}"));
        }
        Step::Approve(None) => ("approved", Some(claim.claimed)),
        Step::Approve(Some(amount)) => {
            let currency = claim.claimed.currency();
            let amount = Money::exact(amount, currency)
                .map_err(|e| PipelineError::Usage(format!("'{amount}' is no amount in {currency}: {e}")))?;
            if amount.minor_units() <= 0 || amount.minor_units() > claim.claimed.minor_units() {
                return usage(format!(
                    "{amount} cannot be approved: {} is claimed; name more than 0 and no more than that, or reject it",
                    claim.claimed
                ));
            }
            ("approved", Some(amount))
        }
    };
    let repeats = stands.is_some_and(|act| {
        act.outcome == outcome && act.amount == amount.map(|m| format!("{} {}", m.dec(), m.currency())) && act.pending
    });
    if repeats {
        return usage(format!("claim {id} is {outcome} already, by the next run"));
    }
    let earlier: Vec<&Act> = claim.acts.iter().collect();
    let at = instant(person, Zone::UTC, &earlier)?;
    let decided = Decided {
        kind: KIND,
        subject: id,
        outcome,
        effective_on: None,
        subject_hash: None,
        amount,
    };
    deliver(layout, config, person, &decided, at)
}
