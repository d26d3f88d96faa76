//! The outbox for people: messages of the current release, what became of each, and what people decided on them.
//!
//! Duty: the table of messages joined with the log and with decisions; holds and approvals as decisions, which count from
//! the moment they are delivered. Not its duty: sending (`deliver`), bytes (`delivery`).

use std::collections::BTreeMap;

use super::PipelineError;
use super::acts::{self, Act, Delivered, Person};
use super::config::Config;
use crate::delivery::{DeliveryRecord, log};
use crate::domain::Digest;
use crate::edges::mail::{self, MailSettings};
use crate::store::landing;
use crate::store::layout::Layout;
use crate::store::operations::Operations;
use crate::store::private::{self, Class};
use crate::store::release::Release;

/// Kind of the decisions on messages.
pub const KIND: &str = "mail";

/// What people decided on a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Held,
    /// It may go; a hold before it no longer counts.
    Approved,
}

/// A message, and what became of it.
#[derive(Clone, Debug)]
pub struct Message {
    pub key: String,
    pub sequence: i64,
    pub partner: String,
    pub period: String,
    pub kind: String,
    pub language: String,
    pub message_id: String,
    /// queued, held_by_person, awaiting_approval, sending, retry, unknown, sent, failed; held and no_recipient as it was made.
    pub state: String,
    /// Why it was not queued, or the last answer of a server.
    pub reason: Option<String>,
    pub record: Option<DeliveryRecord>,
    pub acts: Vec<Act>,
    content: Option<Digest>,
    envelope: Option<Digest>,
}

/// The last decision on each message, those on their way included.
pub fn decisions(layout: &Layout, release: &Release) -> Result<BTreeMap<String, Decision>, PipelineError> {
    let mut last = BTreeMap::new();
    for act in acts::of_kind(layout, release, KIND)? {
        match act.outcome.as_str() {
            "held" => last.insert(act.subject, Decision::Held),
            "approved" => last.insert(act.subject, Decision::Approved),
            _ => None,
        };
    }
    Ok(last)
}

/// Whether a queued message of a kind has to wait for people, and in which state.
#[must_use]
pub fn waits(settings: &MailSettings, kind: &str, decision: Option<Decision>) -> Option<&'static str> {
    match decision {
        Some(Decision::Held) => Some("held_by_person"),
        Some(Decision::Approved) => None,
        None => settings
            .approve
            .iter()
            .any(|k| k == kind)
            .then_some("awaiting_approval"),
    }
}

/// All messages of a release in the order of sending.
pub fn messages(layout: &Layout, config: &Config, release: &Release) -> Result<Vec<Message>, PipelineError> {
    let failed = |e: &dyn std::fmt::Display| PipelineError::Mail(e.to_string());
    let operations = Operations::open(&layout.operations())?;
    log::prepare(operations.connection()).map_err(|e| failed(&e))?;
    let sent_before = landing::sent_keys(layout)?;
    let decided = decisions(layout, release)?;
    let mut of_message: BTreeMap<String, Vec<Act>> = BTreeMap::new();
    for act in acts::of_kind(layout, release, KIND)? {
        of_message.entry(act.subject.clone()).or_default().push(act);
    }
    let mut messages = Vec::new();
    for row in release.read_table("messages")?.iter() {
        let key = row.text("message_key")?.to_owned();
        let (made, kind) = (row.text("state")?, row.text("kind")?);
        let record = log::load(operations.connection(), &key).map_err(|e| failed(&e))?;
        let left = record.as_ref().map(|r| r.state.as_str());
        let state = match (made, left) {
            ("queued", Some("queued") | None) if sent_before.contains(&key) => "sent",
            ("queued", Some("queued") | None) => {
                waits(&config.mail, kind, decided.get(&key).copied()).unwrap_or("queued")
            }
            ("queued", Some(state)) => state,
            (made, _) => made,
        };
        let hash = |column| Ok::<_, PipelineError>(row.opt_text(column)?.and_then(Digest::parse));
        let said = record.as_ref().and_then(|r| r.last_error.clone());
        messages.push(Message {
            sequence: row.int("sequence")?,
            partner: row.text("partner_id")?.to_owned(),
            period: row.text("period")?.to_owned(),
            kind: kind.to_owned(),
            language: row.text("language")?.to_owned(),
            message_id: row.text("message_id")?.to_owned(),
            state: state.to_owned(),
            reason: row.opt_text("reason")?.map(str::to_owned).or(said),
            acts: of_message.remove(&key).unwrap_or_default(),
            content: hash("content_hash")?,
            envelope: hash("envelope_hash")?,
            key,
            record,
        });
    }
    messages.sort_by_key(|m| m.sequence);
    Ok(messages)
}

/// The one message whose key begins so.
pub fn find<'m>(messages: &'m [Message], key: &str) -> Result<&'m Message, PipelineError> {
    let found: Vec<&Message> = messages
        .iter()
        .filter(|m| !key.is_empty() && m.key.starts_with(key))
        .collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(PipelineError::Usage(format!(
            "there is no message '{key}'; `starledger outbox list --all` shows them"
        ))),
        more => Err(PipelineError::Usage(format!(
            "{} messages begin with '{key}': name more of the key",
            more.len()
        ))),
    }
}

/// The bytes of a message as they leave.
pub fn bytes(layout: &Layout, message: &Message) -> Result<Vec<u8>, PipelineError> {
    let hash = message.content.ok_or_else(|| {
        PipelineError::Usage(format!(
            "message {} has no content: {}",
            message.key,
            message.reason.as_deref().unwrap_or("")
        ))
    })?;
    private::bytes(layout, Class::Mail, hash)
        .map_err(|e| PipelineError::Mail(format!("its content cannot be read: {e}")))
}

/// The addresses of its envelope: for the owner of the workspace, who may read them.
pub fn recipients(layout: &Layout, message: &Message) -> Result<Vec<String>, PipelineError> {
    let Some(hash) = message.envelope else {
        return Ok(Vec::new());
    };
    let text = private::bytes(layout, Class::Mail, hash);
    let text = text.map_err(|e| PipelineError::Mail(format!("its envelope cannot be read: {e}")))?;
    let envelope: serde_json::Value =
        serde_json::from_slice(&text).map_err(|e| PipelineError::Mail(format!("its envelope is no JSON: {e}")))?;
    let to = envelope["to"].as_array().into_iter().flatten();
    Ok(to.filter_map(|address| address.as_str().map(str::to_owned)).collect())
}

/// Delivers a decision on a message, or says why it cannot follow.
pub fn act(
    layout: &Layout,
    config: &Config,
    release: &Release,
    key: &str,
    decision: Decision,
    person: &Person<'_>,
) -> Result<(String, Delivered), PipelineError> {
    let all = messages(layout, config, release)?;
    let message = find(&all, key)?;
    let refused = match (decision, message.state.as_str()) {
        (_, "sent") => Some("has left already".to_owned()),
        (Decision::Held, "held_by_person") => Some("is held already".to_owned()),
        (Decision::Approved, "held" | "no_recipient") => Some(format!(
            "cannot go: {}; correct the data, and the next run makes it again",
            message.reason.as_deref().unwrap_or("it was held back when it was made")
        )),
        (Decision::Approved, "held_by_person" | "awaiting_approval") | (Decision::Held, _) => None,
        (Decision::Approved, state) => Some(format!("waits for nobody: it is {state}")),
    };
    if let Some(why) = refused {
        return Err(PipelineError::Usage(format!("message {} {why}", message.key)));
    }
    let outcome = match decision {
        Decision::Held => "held",
        Decision::Approved => "approved",
    };
    let delivered = acts::decide(layout, config, person, (KIND, &message.key, outcome), &message.acts)?;
    Ok((message.key.clone(), delivered))
}

/// Whether the route that the settings name can be used, without sending anything: what was found, line by line.
pub fn check_route(layout: &Layout, settings: &MailSettings) -> Result<Vec<String>, PipelineError> {
    let failed = |e: &dyn std::fmt::Display| PipelineError::Mail(e.to_string());
    let route = mail::open(settings, layout.workspace(), &|name| std::env::var(name).ok()).map_err(|e| failed(&e))?;
    route.check().map_err(PipelineError::Mail)
}
