//! Key events between report and counting, for those who decide.
//!
//! Duty: every event and every finding with its acts, those on their way included; whether an act may follow, and why
//! not. Must not: judge points or periods (a run does).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::deliver::{Decided, deliver, instant};
use super::known::{Act, acts};
use super::{Delivered, Person};
use crate::domain::ids::PartnerId;
use crate::domain::{Date, Dec, Table};
use crate::evaluation::event_life::{self, Status};
use crate::evaluation::facts::Decision;
use crate::evaluation::homes::Homes;
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::store::layout::Layout;
use crate::store::release::Release;

/// Kinds of acts on events.
const KINDS: [&str; 3] = ["confirm", "appeal", "withdraw"];

/// An event, or a finding that is a candidate for one.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: String,
    pub partner: PartnerId,
    pub domain: Option<String>,
    pub occurred_on: Option<Date>,
    pub code: String,
    pub level: String,
    pub direction: String,
    pub red_line: String,
    /// What was reported or found.
    pub evidence: String,
    /// It is a finding of the authorisation check.
    pub is_finding: bool,
    /// As of the release: status, period, points, why.
    pub status: String,
    pub period: Option<String>,
    pub points: Option<Dec>,
    pub why: String,
    /// In the order of time.
    pub acts: Vec<Act>,
}

impl Event {
    /// Whether an act on it waits for the next run.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.acts.iter().any(|act| act.pending)
    }

    /// Whether someone may still have to decide.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_pending() || matches!(self.status.as_str(), "candidate" | "suspended")
    }

    /// Persons who have confirmed it so far, and none has refused since.
    #[must_use]
    pub fn confirmed_by(&self) -> Vec<String> {
        let persons = self.life().confirmed_persons;
        persons.iter().map(ToString::to_string).collect()
    }

    /// Where it stands after all acts, those on their way included.
    fn life(&self) -> event_life::Life {
        let decisions: Vec<Decision> = self
            .acts
            .iter()
            .map(|act| Decision {
                decided_at: act.decided_at,
                decision_id: act.decision_id.as_str().into(),
                kind: act.kind.as_str().into(),
                outcome: act.outcome.as_str().into(),
                by: act.by.as_str().into(),
            })
            .collect();
        event_life::of(&decisions)
    }
}

/// What someone wants to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Confirm,
    Reject,
    FileAppeal,
    UpholdAppeal,
    RejectAppeal,
    Withdraw,
}

impl Step {
    /// Kind and outcome of the decision.
    fn decision(self) -> (&'static str, &'static str) {
        match self {
            Step::Confirm => ("confirm", "confirmed"),
            Step::Reject => ("confirm", "rejected"),
            Step::FileAppeal => ("appeal", "filed"),
            Step::UpholdAppeal => ("appeal", "upheld"),
            Step::RejectAppeal => ("appeal", "rejected"),
            Step::Withdraw => ("withdraw", "withdrawn"),
        }
    }

    /// Why it cannot follow; none if it can.
    fn obstacle(self, event: &Event, by: &str) -> Option<String> {
        let life = event.life();
        let id = &event.id;
        match life.status {
            Status::Withdrawn => return Some(format!("{id} was withdrawn, which is final")),
            Status::UpheldAppeal => return Some(format!("the appeal against {id} was upheld, which is final")),
            _ => {}
        }
        let persons = event.confirmed_by();
        let confirmed = life.confirmed_at.is_some();
        let has_confirmed = persons.iter().any(|p| p == by);
        match self {
            Step::Confirm if confirmed => Some(format!("{id} is confirmed already, by {}", persons.join(" and "))),
            Step::Confirm if has_confirmed => Some(format!(
                "{by} has confirmed {id} already: the second confirmation is a different person's"
            )),
            Step::Reject if confirmed => Some(format!(
                "{id} is confirmed already: only an appeal or a withdrawal changes that"
            )),
            Step::Reject if life.status == Status::Rejected => Some(format!("{id} is rejected already")),
            Step::FileAppeal if life.status == Status::Suspended => {
                Some(format!("an appeal against {id} is open already"))
            }
            Step::FileAppeal if !confirmed => Some(format!(
                "{id} does not count yet, so there is nothing to appeal against: `events reject` refuses it"
            )),
            Step::UpholdAppeal | Step::RejectAppeal if life.status != Status::Suspended => {
                Some(format!("no appeal against {id} is open"))
            }
            Step::UpholdAppeal | Step::RejectAppeal if has_confirmed => Some(format!(
                "{by} has confirmed {id}, and does not rule on the appeal against it"
            )),
            Step::UpholdAppeal | Step::RejectAppeal if filed_last(event).is_some_and(|p| p == by) => {
                Some(format!("{by} filed the appeal, and does not rule on it"))
            }
            _ => None,
        }
    }
}

/// Who filed the appeal that is open.
fn filed_last(event: &Event) -> Option<&str> {
    let filed = event
        .acts
        .iter()
        .rev()
        .find(|a| a.kind == "appeal" && a.outcome == "filed");
    filed.map(|act| act.by.as_str())
}

/// All events and findings of a release, by id.
pub fn events(layout: &Layout, release: &Release) -> Result<BTreeMap<String, Event>, PipelineError> {
    let mut events = BTreeMap::new();
    let reported = Reported::read(&release.read_table("key_events")?)?;
    for row in release.read_table("authorisation_findings")?.iter() {
        let event = Event {
            id: row.text("finding_id")?.to_owned(),
            partner: partner(row.text("partner_id")?)?,
            domain: row.opt_text("domain")?.map(str::to_owned),
            occurred_on: Some(row.date("occurred_on")?),
            code: row.text("check")?.to_owned(),
            level: row.text("level")?.to_owned(),
            direction: "negative".to_owned(),
            red_line: row.text("red_line")?.to_owned(),
            evidence: row.text("reason")?.to_owned(),
            is_finding: true,
            status: Status::Candidate.as_str().to_owned(),
            period: None,
            points: None,
            why: "a finding that nobody has acted on".to_owned(),
            acts: Vec::new(),
        };
        events.insert(event.id.clone(), event);
    }
    for row in release.read_table("key_event_points")?.iter() {
        let id = row.text("event_id")?.to_owned();
        let found: Option<Event> = events.remove(&id);
        let told = reported.0.get(&id);
        let event = Event {
            partner: partner(row.text("partner_id")?)?,
            domain: row.opt_text("domain")?.map(str::to_owned),
            occurred_on: told.map(|t| t.0).or(found.as_ref().and_then(|f| f.occurred_on)),
            code: row.text("code")?.to_owned(),
            level: row.text("level")?.to_owned(),
            direction: row.text("direction")?.to_owned(),
            red_line: row.text("red_line")?.to_owned(),
            evidence: told
                .map(|t| t.1.clone())
                .or(found.as_ref().map(|f| f.evidence.clone()))
                .unwrap_or_default(),
            is_finding: found.is_some(),
            status: row.text("status")?.to_owned(),
            period: row.opt_text("period")?.map(str::to_owned),
            points: row.opt_dec("points")?,
            why: row.opt_text("reason")?.unwrap_or_default().to_owned(),
            acts: Vec::new(),
            id: id.clone(),
        };
        events.insert(id, event);
    }
    for act in acts(layout, release, &KINDS)? {
        if let Some(event) = events.get_mut(&act.subject) {
            event.acts.push(act);
        }
    }
    Ok(events)
}

/// Day and evidence of reported events.
struct Reported(BTreeMap<String, (Date, String)>);

impl Reported {
    fn read(key_events: &Table) -> Result<Reported, PipelineError> {
        let mut out = BTreeMap::new();
        for row in key_events.iter() {
            let told = (
                row.date("occurred_on")?,
                row.opt_text("evidence")?.unwrap_or_default().to_owned(),
            );
            out.insert(row.text("event_id")?.to_owned(), told);
        }
        Ok(Reported(out))
    }
}

fn partner(text: &str) -> Result<PartnerId, PipelineError> {
    PartnerId::new(text).map_err(|e| PipelineError::Stage {
        what: "table key_event_points",
        detail: e.to_string(),
    })
}

/// Delivers an act on an event, or says why it cannot follow.
pub fn act(
    layout: &Layout,
    config: &Config,
    release: &Release,
    id: &str,
    step: Step,
    person: &Person,
) -> Result<Delivered, PipelineError> {
    let events = events(layout, release)?;
    let Some(event) = events.get(id) else {
        return Err(PipelineError::Usage(format!(
            "there is no event or finding '{id}'; `starledger events list --all` shows them"
        )));
    };
    if let Some(obstacle) = step.obstacle(event, person.by) {
        return Err(PipelineError::Usage(obstacle));
    }
    let homes = Homes::read(&release.read_table("partners")?);
    let zone = homes
        .and_then(|homes| homes.zone_at(&config.rules, &event.partner, person.now))
        .map_err(|e| PipelineError::stage("the partner's zone")(e.to_string()))?;
    let earlier: Vec<&Act> = event.acts.iter().collect();
    let at = instant(person, zone, &earlier)?;
    if let Some(occurred_on) = event.occurred_on
        && zone.date_of(at) < occurred_on
    {
        return Err(PipelineError::Usage(format!(
            "{id} occurred on {occurred_on}: nobody decides on it before that day"
        )));
    }
    let (kind, outcome) = step.decision();
    let decided = Decided {
        kind,
        subject: id,
        outcome,
        effective_on: None,
        subject_hash: None,
        amount: None,
    };
    deliver(layout, config, person, &decided, at)
}

/// The status after all acts, those on their way included.
#[must_use]
pub fn status_with_pending(event: &Event) -> Arc<str> {
    event.life().status.as_str().into()
}
