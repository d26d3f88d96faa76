//! `events`: key events and findings, from the list to a decision.

use serde_json::{Value as Json, json};

use super::person::{PersonArgs, act_json, print_delivered};
use super::query::current;
use super::{CommandResult, Session};
use crate::domain::Table;
use crate::pipeline::acts::events::{self, Event, Step};
use crate::pipeline::{PipelineError, config};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the events and findings on which someone has to decide.
    List {
        /// Also those on which nothing is to be decided any more.
        #[arg(long)]
        all: bool,
        /// Only this partner's.
        #[arg(long)]
        partner: Option<String>,
        /// Only those with this status: candidate, counted, suspended, rejected, withdrawn, …
        #[arg(long)]
        status: Option<String>,
        /// Only findings of the authorisation check.
        #[arg(long)]
        findings: bool,
    },
    /// Show one event or finding with everything that was decided on it.
    Show { event: String },
    /// Confirm it: from the second, different person on it counts.
    Confirm {
        event: String,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Refuse to confirm it; that takes back the confirmations so far.
    Reject {
        event: String,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// File an appeal against it, or rule on the one that is open.
    Appeal {
        event: String,
        /// What happens to the appeal.
        #[arg(long, value_enum, default_value_t = Outcome::Filed)]
        outcome: Outcome,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Withdraw it for good, such as one that was recorded for the wrong partner.
    Withdraw {
        event: String,
        #[command(flatten)]
        person: PersonArgs,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Outcome {
    /// The partner contests the event: it is suspended.
    Filed,
    /// The partner is right: it never counts.
    Upheld,
    /// The partner is not right: it counts in the period of this ruling.
    Rejected,
}

pub(super) fn events(session: &Session, args: &Args) -> CommandResult {
    let (event, step, person) = match &args.what {
        What::List {
            all,
            partner,
            status,
            findings,
        } => {
            let means = |e: &&Event| {
                (*all || status.is_some() || e.is_open())
                    && partner.as_ref().is_none_or(|p| e.partner.as_str() == p)
                    && status.as_ref().is_none_or(|s| e.status == *s)
                    && (!findings || e.is_finding)
            };
            let events = events::events(&session.layout, &current(session)?)?;
            list(session, &events.values().filter(means).collect::<Vec<_>>());
            return Ok(());
        }
        What::Show { event } => return show(session, event),
        What::Confirm { event, person } => (event, Step::Confirm, person),
        What::Reject { event, person } => (event, Step::Reject, person),
        What::Appeal { event, outcome, person } => {
            let step = match outcome {
                Outcome::Filed => Step::FileAppeal,
                Outcome::Upheld => Step::UpholdAppeal,
                Outcome::Rejected => Step::RejectAppeal,
            };
            (event, step, person)
        }
        What::Withdraw { event, person } => (event, Step::Withdraw, person),
    };
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let release = current(session)?;
    let person = person.person()?;
    let delivered = events::act(&session.layout, &config, &release, event, step, &person)?;
    let after = events::events(&session.layout, &release)?;
    let status = after.get(event).map(events::status_with_pending);
    print_delivered(session, &delivered, status.as_deref());
    Ok(())
}

fn list(session: &Session, events: &[&Event]) {
    let output = session.output;
    if output.json {
        output.value(&Json::Array(events.iter().map(|e| event_json(e)).collect()));
        return;
    }
    if events.is_empty() {
        output.line("nothing is to be decided; --all lists every event");
        return;
    }
    let columns = ["event", "partner", "occurred_on", "level", "status", "confirmed"];
    let mut table = Table::new("events", &columns);
    for event in events {
        let pending = if event.is_pending() { " +" } else { "" };
        table.push(vec![
            event.id.as_str().into(),
            event.partner.as_str().into(),
            event.occurred_on.into(),
            event.level.as_str().into(),
            format!("{}{pending}", event.status).into(),
            format!("{} of 2", event.confirmed_by().len().min(2)).into(),
        ]);
    }
    output.table(&table);
    if events.iter().any(|e| e.is_pending()) {
        output.line("\n+ a decision on it waits for the next run");
    }
    output.line("\n`starledger events show <event>` shows one; confirm, reject, appeal and withdraw decide");
}

fn show(session: &Session, id: &str) -> CommandResult {
    let events = events::events(&session.layout, &current(session)?)?;
    let Some(event) = events.get(id) else {
        return Err(PipelineError::Usage(format!(
            "there is no event or finding '{id}'; `starledger events list --all` shows them"
        )));
    };
    let output = session.output;
    if output.json {
        output.value(&event_json(event));
        return Ok(());
    }
    let domain = event.domain.as_deref().unwrap_or("all domains");
    let day = event.occurred_on.map_or_else(String::new, |d| format!(" on {d}"));
    output.line(&format!("{id}: {} of {} in {domain}{day}", event.code, event.partner));
    output.line(&format!("what       {}", event.evidence));
    let red = match event.red_line.as_str() {
        "none" => String::new(),
        line => format!(", red line {line}"),
    };
    output.line(&format!("weight     {} {}{red}", event.level, event.direction));
    let period = event.period.as_deref().map_or_else(String::new, |p| format!(" in {p}"));
    let points = event.points.map_or_else(String::new, |p| format!(", worth {p} points"));
    output.line(&format!("status     {}{period}{points}: {}", event.status, event.why));
    for act in &event.acts {
        let waits = if act.pending { " (waits for the next run)" } else { "" };
        output.line(&format!(
            "decided    {} {} {} by {} ({}): {}{waits}",
            act.decided_at, act.kind, act.outcome, act.by, act.role, act.reason
        ));
    }
    Ok(())
}

fn event_json(event: &Event) -> Json {
    json!({
        "event_id": event.id, "partner_id": event.partner.as_str(), "domain": event.domain,
        "occurred_on": event.occurred_on.map(|d| d.to_string()), "code": event.code, "level": event.level,
        "direction": event.direction, "red_line": event.red_line, "evidence": event.evidence,
        "is_finding": event.is_finding, "status": event.status, "period": event.period,
        "points": event.points.map(|p| p.to_string()), "reason": event.why,
        "confirmed_by": event.confirmed_by(),
        "decisions": event.acts.iter().map(act_json).collect::<Vec<_>>(),
    })
}
