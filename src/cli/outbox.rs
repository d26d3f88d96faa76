//! `outbox` and `check-mail`: messages, what became of them, and the way they go.
//!
//! Duty: show them; hand over holds, approvals and the wish to send now. Must not: decide on a state, or print an address
//! but where one message is shown.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::person::{PersonArgs, act_json, print_delivered};
use super::progress::Bar;
use super::query::current;
use super::run::{as_of, find_job};
use super::{CommandResult, Session};
use crate::domain::Table;
use crate::edges::clock::SystemClock;
use crate::edges::files;
use crate::pipeline::jobs::{Job, Step};
use crate::pipeline::outbox::{self, Decision, Message};
use crate::pipeline::run::{Context, run as run_job};
use crate::pipeline::{PipelineError, config};
use crate::store::StoreError;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the messages that have not left.
    List {
        /// Also those that have.
        #[arg(long)]
        all: bool,
        /// queued, held, no_recipient, held_by_person, awaiting_approval, sending, retry, unknown, sent or failed.
        #[arg(long)]
        state: Option<String>,
        #[arg(long)]
        partner: Option<String>,
        #[arg(long)]
        period: Option<String>,
        #[arg(long)]
        kind: Option<String>,
    },
    /// Show one message: its recipients, its story; with --eml its bytes go to a file.
    Show {
        /// The key, or as much of it as no other one begins with.
        key: String,
        #[arg(long, value_name = "FILE")]
        eml: Option<PathBuf>,
    },
    /// Keep a message back until it is approved.
    Hold {
        key: String,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Let a message go that is held or waits for approval.
    Approve {
        key: String,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Send what is due now, without taking in or computing anything.
    Send {
        /// Job whose present counts.
        #[arg(long, default_value = "daily")]
        job: String,
    },
}

pub(super) fn outbox(session: &Session, args: &Args) -> CommandResult {
    let (config, jobs) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let release = current(session)?;
    let layout = &session.layout;
    let (key, decision, person) = match &args.what {
        What::List {
            all,
            state,
            partner,
            period,
            kind,
        } => {
            let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|w| w == value);
            let mut found = outbox::messages(layout, &config, &release)?;
            found.retain(|m| {
                (*all || state.is_some() || m.state != "sent")
                    && is(state, &m.state)
                    && is(partner, &m.partner)
                    && is(period, &m.period)
                    && is(kind, &m.kind)
            });
            list(session, &found);
            return Ok(());
        }
        What::Show { key, eml } => {
            let all = outbox::messages(layout, &config, &release)?;
            let message = outbox::find(&all, key)?;
            if let Some(file) = eml {
                let bytes = outbox::bytes(layout, message)?;
                files::write_private_new(file, &bytes).map_err(StoreError::from)?;
            }
            let to = outbox::recipients(layout, message)?;
            show(session, message, &to);
            return Ok(());
        }
        What::Send { job } => return send(session, &config, find_job(&jobs, job)?),
        What::Hold { key, person } => (key, Decision::Held, person),
        What::Approve { key, person } => (key, Decision::Approved, person),
    };
    let person = person.person()?;
    let (key, delivered) = outbox::act(layout, &config, &release, key, decision, &person)?;
    let then = match decision {
        Decision::Held => format!("{key} does not leave until it is approved"),
        Decision::Approved => format!("{key} goes with the next mail; `starledger outbox send` sends it now"),
    };
    print_delivered(session, &delivered, Some(&then));
    Ok(())
}

/// The job without its other steps.
fn send(session: &Session, config: &config::Config, job: &Job) -> CommandResult {
    let job = Job {
        steps: vec![Step::Deliver],
        ..job.clone()
    };
    let bar = Bar::new();
    let report = run_job(&Context {
        layout: &session.layout,
        config,
        as_of: as_of(None, &job, &SystemClock)?,
        job: &job,
        clock: &SystemClock,
        progress: &bar,
    });
    bar.clear();
    let report = report?;
    if session.output.json {
        session.output.value(&report.delivered.json());
    } else {
        session.output.line(&report.delivered.describe());
    }
    report.verdict.map_or(Ok(()), Err)
}

pub(super) fn check_mail(session: &Session) -> CommandResult {
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let found = outbox::check_route(&session.layout, &config.mail)?;
    if session.output.json {
        session.output.value(&json!({ "route": found }));
    } else {
        for line in found {
            session.output.line(&line);
        }
        session.output.line("the route can be used; nothing was sent");
    }
    Ok(())
}

fn list(session: &Session, messages: &[Message]) {
    let output = session.output;
    if output.json {
        output.value(&Json::Array(messages.iter().map(|m| message_json(m, None)).collect()));
        return;
    }
    if messages.is_empty() {
        output.line("there are no such messages; --all shows those that have left");
        return;
    }
    let columns = [
        "no", "message", "kind", "partner", "period", "language", "state", "attempts", "why",
    ];
    let mut table = Table::new("messages", &columns);
    for m in messages {
        table.push(vec![
            m.sequence.into(),
            m.key.chars().take(12).collect::<String>().into(),
            m.kind.as_str().into(),
            m.partner.as_str().into(),
            m.period.as_str().into(),
            m.language.as_str().into(),
            m.state.replace('_', " ").into(),
            m.record.as_ref().map_or(0, |r| i64::from(r.attempts)).into(),
            m.reason.as_deref().into(),
        ]);
    }
    output.table(&table);
}

fn show(session: &Session, m: &Message, to: &[String]) {
    let output = session.output;
    if output.json {
        output.value(&message_json(m, Some(to)));
        return;
    }
    output.line(&format!("message    {} (no {})", m.key, m.sequence));
    output.line(&format!(
        "what       {} of {} for {}, in {}",
        m.kind, m.period, m.partner, m.language
    ));
    output.line(&format!("Message-ID {}", m.message_id));
    output.line(&format!("to         {}", to.join(", ")));
    let why = m.reason.as_deref().map_or_else(String::new, |why| format!(": {why}"));
    output.line(&format!("state      {}{why}", m.state.replace('_', " ")));
    if let Some(r) = &m.record {
        let at = |instant: Option<crate::domain::Instant>| instant.map_or("–".to_owned(), |i| i.to_string());
        output.line(&format!(
            "attempts   {}, refused for now {}, unknown outcomes {}",
            r.attempts, r.refusals, r.unknown_outcomes
        ));
        output.line(&format!(
            "claimed    {}; sent {}; not before {}",
            at(r.claimed_at),
            at(r.sent_at),
            at(r.not_before)
        ));
    }
    for act in &m.acts {
        let waits = if act.pending {
            " (counts already; the next run records it)"
        } else {
            ""
        };
        output.line(&format!(
            "decided    {} {} by {} ({}): {}{waits}",
            act.decided_at, act.outcome, act.by, act.role, act.reason
        ));
    }
}

fn message_json(m: &Message, to: Option<&[String]>) -> Json {
    json!({
        "message_key": m.key, "sequence": m.sequence, "kind": m.kind, "partner_id": m.partner, "period": m.period,
        "language": m.language, "message_id": m.message_id, "state": m.state, "reason": m.reason,
        "attempts": m.record.as_ref().map_or(0, |r| r.attempts),
        "unknown_outcomes": m.record.as_ref().map_or(0, |r| r.unknown_outcomes),
        "sent_at": m.record.as_ref().and_then(|r| r.sent_at).map(|i| i.to_string()),
        "to": to, "decisions": m.acts.iter().map(act_json).collect::<Vec<_>>(),
    })
}
