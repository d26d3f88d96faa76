//! What commands by which people decide have in common: who decides, and what was written.
//!
//! Duty: arguments, and what is printed of a decision. Must not: know what is decided on.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::Session;
use crate::edges::clock::{Clock, SystemClock};
use crate::pipeline::PipelineError;
use crate::pipeline::acts::{self, Act, Delivered, Person};

/// Who decides, why, and when.
#[derive(Debug, clap::Args)]
pub(super) struct PersonArgs {
    /// Who decided.
    #[arg(long)]
    by: String,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Role in which the person decided.
    #[arg(long, default_value = "programme_office")]
    role: String,
    /// Day on which it was decided, where that was not today.
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
}

impl PersonArgs {
    pub(super) fn new(by: String, reason: String, role: String, on: Option<String>) -> PersonArgs {
        PersonArgs { by, reason, role, on }
    }

    pub(super) fn person(&self) -> Result<Person<'_>, PipelineError> {
        Ok(Person {
            by: self.by.trim(),
            role: self.role.trim(),
            reason: self.reason.trim(),
            on: self.on.as_deref().map(acts::day).transpose()?,
            now: SystemClock.now(),
        })
    }
}

/// What was written, and what comes next.
pub(super) fn print_delivered(session: &Session, delivered: &Delivered, status: Option<&str>) {
    let output = session.output;
    if output.json {
        output.value(&json!({
            "decision_id": delivered.decision_id, "file": delivered.file,
            "decided_at": delivered.decided_at.to_string(),
            "effective_on": delivered.effective_on.map(|day| day.to_string()),
            "status_after_next_run": status,
        }));
        return;
    }
    let name = Path::new(&delivered.file).display();
    output.line(&format!("wrote      {name} ({})", delivered.decision_id));
    if let Some(status) = status {
        output.line(&format!("then       {status}"));
    }
    output.line("next: `starledger run` takes it in");
}

pub(super) fn act_json(act: &Act) -> Json {
    json!({
        "decision_id": act.decision_id, "kind": act.kind, "outcome": act.outcome, "by": act.by, "role": act.role,
        "reason": act.reason, "decided_at": act.decided_at.to_string(),
        "effective_on": act.effective_on.map(|d| d.to_string()), "amount": act.amount, "pending": act.pending,
    })
}
