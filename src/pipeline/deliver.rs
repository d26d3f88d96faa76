//! Delivery: the queued messages of the current release, in order and once.
//!
//! Duty: open the route and the log, hand over bytes from the private store, remember beside the warehouse what a
//! server accepted. Runs only after a release is committed. Not its duty: retries and states (`delivery`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::PipelineError;
use super::refresh::Progress;
use crate::delivery::dispatch::{Content, Item};
use crate::delivery::{DeliveryState, Envelope, Limits, Outcome, Parcel, Refusal, dispatch, log};
use crate::domain::{Digest, TableError};
use crate::edges::clock::Clock;
use crate::edges::mail::{self, MailMode, MailSettings};
use crate::store::landing;
use crate::store::layout::Layout;
use crate::store::operations::Operations;
use crate::store::private::{self, Class};
use crate::store::release::Release;

/// What became of the outbox.
#[derive(Clone, Debug, Default)]
pub struct Delivered {
    pub sent: usize,
    pub already_sent: usize,
    pub failed: usize,
    pub waiting: usize,
    pub left: usize,
    /// Held back when they were made: something of another partner stood in them.
    pub held: usize,
    /// Held by a person, or not approved yet.
    pub for_people: usize,
    pub unknown_outcomes: u32,
    pub refused_recipients: usize,
    pub stopped: Option<String>,
    pub problems: Vec<(String, String)>,
}

impl Delivered {
    /// Whether nothing was tried and nothing is open.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.sent == 0 && self.failed == 0 && self.waiting == 0 && self.left == 0
    }

    /// Whether something was refused for good, or the server could not be used.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        self.failed > 0 || self.refused_recipients > 0 || self.stopped.is_some()
    }

    /// One line for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut parts = vec![format!("{} sent", self.sent)];
        let counts = [
            (self.already_sent, "sent before"),
            (self.waiting, "waiting for another attempt"),
            (self.left, "left for the next run"),
            (self.failed, "refused for good"),
            (self.held, "held back"),
            (self.for_people, "waiting for a person"),
            (self.refused_recipients, "recipients refused"),
        ];
        parts.extend(
            counts
                .iter()
                .filter(|(n, _)| *n > 0)
                .map(|(n, what)| format!("{n} {what}")),
        );
        if self.unknown_outcomes > 0 {
            parts.push(format!(
                "{} with an unknown outcome, sent again under the same Message-ID",
                self.unknown_outcomes
            ));
        }
        if let Some(why) = &self.stopped {
            parts.push(format!("stopped early: {why}"));
        }
        for (key, why) in self.problems.iter().take(5) {
            parts.push(format!("{key}: {why}"));
        }
        parts.join(", ")
    }

    #[must_use]
    pub fn json(&self) -> Json {
        json!({
            "sent": self.sent, "already_sent": self.already_sent, "failed": self.failed, "waiting": self.waiting,
            "left": self.left, "held": self.held, "waiting_for_a_person": self.for_people, "unknown_outcomes": self.unknown_outcomes,
            "refused_recipients": self.refused_recipients, "stopped": self.stopped,
            "problems": self.problems.iter().map(|(k, w)| json!({ "message": k, "problem": w })).collect::<Vec<_>>(),
        })
    }
}

/// What the current release has for the outbox.
#[derive(Debug, Default)]
struct Outbox {
    items: Vec<Item>,
    /// Where the content of each item is, by message key.
    stored: BTreeMap<String, Hashes>,
    already_sent: usize,
    held: usize,
    for_people: usize,
}

/// Names of stored bytes under `private/`; read when the message goes, not before.
#[derive(Debug)]
struct Hashes {
    envelope: Option<Digest>,
    content: Option<Digest>,
}

/// Hands over what is queued.
pub fn deliver(
    layout: &Layout,
    settings: &MailSettings,
    release: &Release,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<Delivered, PipelineError> {
    progress.step("mail");
    let remembered = landing::sent_keys(layout)?;
    // what left before the warehouse was rebuilt is not sent again; files of a folder are made again
    let nobody = BTreeSet::new();
    let skip = match settings.mode {
        MailMode::Smtp(_) => &remembered,
        MailMode::Folder(_) => &nobody,
    };
    let decided = super::outbox::decisions(layout, release)?;
    let waits = |kind: &str, key: &str| super::outbox::waits(settings, kind, decided.get(key).copied()).is_some();
    let outbox = outbox(release, skip, &waits)?;
    if outbox.items.is_empty() {
        return Ok(Delivered {
            already_sent: outbox.already_sent,
            held: outbox.held,
            for_people: outbox.for_people,
            ..Delivered::default()
        });
    }
    let mail_error = |e: &dyn std::fmt::Display| PipelineError::Mail(e.to_string());
    let operations = Operations::open(&layout.operations())?;
    log::prepare(operations.connection()).map_err(|e| mail_error(&e))?;
    for item in outbox.items.iter().filter(|i| !remembered.contains(&i.message_key)) {
        let record = log::load(operations.connection(), &item.message_key).map_err(|e| mail_error(&e))?;
        if record.is_some_and(|r| r.state == DeliveryState::Sent) {
            remember(layout, &item.message_key, &item.message_id);
        }
    }
    let route =
        mail::open(settings, layout.workspace(), &|name| std::env::var(name).ok()).map_err(|e| mail_error(&e))?;
    let limits = Limits {
        policy: settings.retry.clone(),
        max_per_run: settings.max_per_run,
    };
    let load = |item: &Item| content(layout, outbox.stored.get(&item.message_key));
    let mut send = |parcel: &Parcel<'_>| {
        let outcome = route.deliver(parcel);
        // whoever was refused for good gets no second try, so this message is done
        if matches!(&outcome, Outcome::Accepted { refused } if refused.iter().all(Refusal::is_permanent)) {
            remember(layout, parcel.message_key, parcel.message_id);
        }
        outcome
    };
    let connection = operations.connection();
    let report =
        dispatch(connection, &outbox.items, &limits, &|| clock.now(), &load, &mut send).map_err(|e| mail_error(&e))?;
    Ok(Delivered {
        sent: report.sent,
        already_sent: outbox.already_sent + report.already_sent,
        failed: report.failed,
        waiting: report.waiting,
        left: report.left,
        held: outbox.held,
        for_people: outbox.for_people,
        unknown_outcomes: report.unknown_outcomes,
        refused_recipients: report.refused_recipients,
        stopped: report.stopped,
        problems: report.problems,
    })
}

/// The queued messages of a release but those to skip.
fn outbox(
    release: &Release,
    skip: &BTreeSet<String>,
    waits: &dyn Fn(&str, &str) -> bool,
) -> Result<Outbox, PipelineError> {
    let mut outbox = Outbox::default();
    for row in release.read_table("messages")?.iter() {
        let key = row.text("message_key")?;
        match row.text("state")? {
            "queued" if skip.contains(key) => outbox.already_sent += 1,
            "queued" if waits(row.text("kind")?, key) => outbox.for_people += 1,
            "queued" => {
                let hash = |column| Ok::<_, TableError>(row.opt_text(column)?.and_then(Digest::parse));
                let hashes = Hashes {
                    envelope: hash("envelope_hash")?,
                    content: hash("content_hash")?,
                };
                outbox.stored.insert(key.to_owned(), hashes);
                outbox.items.push(Item {
                    sequence: u64::try_from(row.int("sequence")?).unwrap_or(u64::MAX),
                    partner_id: row.text("partner_id")?.to_owned(),
                    message_key: key.to_owned(),
                    message_id: row.text("message_id")?.to_owned(),
                });
            }
            "held" => outbox.held += 1,
            _ => {}
        }
    }
    Ok(outbox)
}

/// A copy of the log that outlives the warehouse, in every mode: without it a rebuild would send again, and a change
/// from folder to server would send what was tried out.
fn remember(layout: &Layout, message_key: &str, message_id: &str) {
    if let Err(e) = landing::record_sent(layout, message_key, message_id) {
        tracing::warn!(error = %e, key = message_key, "accepted, and not remembered beside the warehouse");
    }
}

/// Envelope and bytes of a message.
fn content(layout: &Layout, hashes: Option<&Hashes>) -> Result<Content, String> {
    let read = |hash: Option<Digest>| {
        let hash = hash.ok_or("a hash of its content is missing")?;
        private::bytes(layout, Class::Mail, hash).map_err(|e| format!("its content cannot be read: {e}"))
    };
    let envelope = envelope(&read(hashes.and_then(|h| h.envelope))?)?;
    let bytes = read(hashes.and_then(|h| h.content))?;
    Ok(Content { envelope, bytes })
}

fn envelope(bytes: &[u8]) -> Result<Envelope, String> {
    let json: Json = serde_json::from_slice(bytes).map_err(|e| format!("its envelope is no JSON: {e}"))?;
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    Ok(Envelope {
        from: text(&json["from"]),
        to: json["to"]
            .as_array()
            .map(|list| list.iter().map(text).collect())
            .unwrap_or_default(),
    })
}
