//! Settlements between proposal and close, and documents after it, for those who decide.
//!
//! Duty: the settlement that the current release proposes, who has prepared and approved it, and whether an act may
//! follow. Must not: settle anything (a run does, and asks all of this again).

use super::deliver::{Decided, deliver, instant};
use super::known::{Act, acts};
use super::{Delivered, Person};
use crate::domain::{Date, Digest, Instant, Money, Period, Zone};
use crate::ledger::documents::{find, from_table, number_of};
use crate::ledger::settle::may_reverse;
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::pipeline::refresh::settlement::approvals::{self, ActKind};
use crate::store::layout::Layout;
use crate::store::release::Release;

/// Kinds of acts on posting periods.
const KINDS: [&str; 4] = ["settle", "approve", "withdraw_approval", "close"];

/// A posting period and its settlement as a release has it.
#[derive(Clone, Debug)]
pub struct Settlement {
    pub period: Period,
    pub is_closed: bool,
    /// First day on which it can be settled.
    pub cut_off_on: Date,
    /// None of an open period that is not the first.
    pub hash: Option<Digest>,
    /// In the order of time; those on their way included.
    pub acts: Vec<Act>,
}

impl Settlement {
    fn sanctions(&self) -> Vec<approvals::Act> {
        let act = |act: &Act| {
            Some(approvals::Act {
                at: act.decided_at,
                id: act.decision_id.clone(),
                by: act.by.clone(),
                role: act.role.clone(),
                hash: act.subject_hash,
                kind: ActKind::of(&act.kind, &act.outcome)?,
            })
        };
        self.acts.iter().filter_map(act).collect()
    }

    /// Why it cannot close as it stands, and what to do; none if only the decision to close is missing.
    #[must_use]
    pub fn obstacle(&self, role: Option<&str>) -> Option<(String, String)> {
        let Some(hash) = self.hash else {
            let why = "a period before it is open".to_owned();
            return Some((why, "close that one first".to_owned()));
        };
        approvals::sanction(&self.sanctions(), hash, role).err()
    }
}

/// What someone wants to do with a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Prepare,
    /// The settlement with this hash, as it was looked at.
    Approve(Digest),
    WithdrawApproval,
    Close,
}

/// A posting period of a release, or why there is none.
pub fn settlement(layout: &Layout, release: &Release, period: &str) -> Result<Settlement, PipelineError> {
    let usage = PipelineError::Usage;
    let period = Period::parse(period).map_err(|e| usage(format!("'{period}' {e}")))?;
    let table = release.read_table("periods")?;
    let row = table
        .iter()
        .find(|row| row.text("period") == Ok(&period.to_string()))
        .ok_or_else(|| {
            usage(format!(
                "{period} is no posting period of the release; `starledger settlements periods` shows them"
            ))
        })?;
    let mut acts = acts(layout, release, &KINDS)?;
    acts.retain(|act| act.subject == period.to_string());
    Ok(Settlement {
        period,
        is_closed: row.text("status")? == "closed",
        cut_off_on: row.date("cut_off_on")?,
        hash: row.opt_text("settlement_hash")?.and_then(Digest::parse),
        acts,
    })
}

/// Delivers a decision on a settlement, or says why it cannot follow.
pub fn act(
    layout: &Layout,
    config: &Config,
    release: &Release,
    period: &str,
    step: Step,
    person: &Person,
) -> Result<Delivered, PipelineError> {
    let usage = |message: String| Err(PipelineError::Usage(message));
    let settlement = settlement(layout, release, period)?;
    let period = settlement.period;
    if settlement.is_closed {
        return usage(format!("{period} is closed, and a closed period never opens again"));
    }
    let Some(hash) = settlement.hash else {
        return usage(format!(
            "{period} cannot be settled yet: a period before it is open; close that one first"
        ));
    };
    // the present of the release: a workspace may be run as of another day
    let as_of =
        Instant::parse(&release.manifest.as_of).map_err(|e| PipelineError::stage("the manifest")(e.to_string()))?;
    let today = Zone::UTC.date_of(as_of);
    if step != Step::WithdrawApproval && today < settlement.cut_off_on {
        return usage(format!(
            "{period} takes late data in until {}, and the release is of {today}; run again from that day on",
            settlement.cut_off_on
        ));
    }
    let mut acts = settlement.sanctions();
    let of_hash = |kind: ActKind| {
        let acts = &acts;
        acts.iter().any(|a| a.kind == kind && a.hash == Some(hash))
    };
    match step {
        Step::Prepare => {
            if of_hash(ActKind::Prepared) {
                return usage(format!("settlement {} of {period} is prepared already", hash.short()));
            }
        }
        Step::Approve(seen) => {
            if seen != hash {
                return usage(format!(
                    "the settlement of {period} is {}, and not {}: something has changed since it was looked at; look at \
                     it again with `starledger settle {period}`",
                    hash.short(),
                    seen.short()
                ));
            }
            acts.push(approvals::Act {
                at: person.now,
                id: String::new(),
                by: person.by.to_owned(),
                role: person.role.to_owned(),
                hash: Some(hash),
                kind: ActKind::Approved,
            });
            // as if the approval came after whatever was withdrawn
            let latest = acts.iter().map(|a| a.at).max().unwrap_or(person.now);
            if let Some(last) = acts.last_mut() {
                last.at = Instant::from_micros(latest.micros().saturating_add(1));
            }
            let role = config.rules.programme().settlement.approving_role.as_deref();
            if let Err((why, remedy)) = approvals::sanction(&acts, hash, role) {
                return usage(format!("{why}; {remedy}"));
            }
        }
        Step::WithdrawApproval => {
            if !acts.iter().any(|a| a.kind == ActKind::Approved) {
                return usage(format!("nobody has approved the settlement of {period}"));
            }
        }
        Step::Close => {
            let role = config.rules.programme().settlement.approving_role.as_deref();
            if let Some((why, remedy)) = settlement.obstacle(role) {
                return usage(format!("{why}; {remedy}"));
            }
        }
    }
    let (kind, outcome) = match step {
        Step::Prepare => ("settle", "prepared"),
        Step::Approve(_) => ("approve", "approved"),
        Step::WithdrawApproval => ("withdraw_approval", "withdrawn"),
        Step::Close => ("close", "closed"),
    };
    let earlier: Vec<&Act> = settlement.acts.iter().collect();
    let at = instant(person, Zone::UTC, &earlier)?;
    let decided = Decided {
        kind,
        subject: &period.to_string(),
        outcome,
        effective_on: None,
        subject_hash: Some(hash),
        amount: None,
    };
    deliver(layout, config, person, &decided, at)
}

/// Delivers the decision to reverse a document, or says why it cannot be reversed.
pub fn reverse(
    layout: &Layout,
    config: &Config,
    release: &Release,
    name: &str,
    person: &Person,
) -> Result<Delivered, PipelineError> {
    let stage = |e: crate::ledger::LedgerError| PipelineError::stage("the settlement")(e.to_string());
    let documents = from_table(&release.read_table("settlements")?).map_err(stage)?;
    let states = release.read_table("settlement_states")?;
    let number = number_of(name).unwrap_or(0);
    let paid = match states.iter().find(|row| row.text("settlement_no") == Ok(name)) {
        Some(row) => Some(row.dec("paid_amount")?),
        None => None,
    };
    let currency = find(&documents, number).map(|d| d.currency);
    let paid = paid
        .zip(currency)
        .and_then(|(paid, currency)| Money::exact(paid, currency).ok());
    let acts = acts(layout, release, &["reverse"])?;
    let earlier: Vec<&Act> = acts.iter().filter(|act| act.subject == name).collect();
    if earlier.iter().any(|act| act.pending) {
        return Err(PipelineError::Usage(format!(
            "{name} is to be reversed by the next run already"
        )));
    }
    let document = may_reverse(&documents, number, paid)
        .map_err(|refusal| PipelineError::Usage(format!("{name} stands: {refusal}")))?;
    let at = instant(person, Zone::UTC, &earlier)?;
    if Zone::UTC.date_of(at) < document.issued_on {
        return Err(PipelineError::Usage(format!(
            "{name} was issued on {}: name that day or a later one with --on",
            document.issued_on
        )));
    }
    let decided = Decided {
        kind: "reverse",
        subject: name,
        outcome: "reversed",
        effective_on: None,
        subject_hash: None,
        amount: None,
    };
    deliver(layout, config, person, &decided, at)
}
