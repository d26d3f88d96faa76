//! Delivery: the queued messages of the current release, in order and once.
//!
//! Duty: open the route and the log, hand over bytes from the private store, remember beside the warehouse what a
//! server accepted. Runs only after a release is committed. Not its duty: retries and states (`delivery`).

use serde_json::{Value as Json, json};

use super::PipelineError;
use super::refresh::Progress;
use crate::delivery::dispatch::Item;
use crate::delivery::{Envelope, Limits, Outcome, Refusal, dispatch, log};
use crate::domain::Digest;
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
            "left": self.left, "held": self.held, "unknown_outcomes": self.unknown_outcomes,
            "refused_recipients": self.refused_recipients, "stopped": self.stopped,
            "problems": self.problems.iter().map(|(k, w)| json!({ "message": k, "problem": w })).collect::<Vec<_>>(),
        })
    }
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
    let sends = matches!(settings.mode, MailMode::Smtp(_));
    // what a server accepted before the warehouse was rebuilt is not sent again; files of a folder are made again
    let sent_before = if sends {
        landing::sent_keys(layout)?
    } else {
        std::collections::BTreeSet::default()
    };
    let mut delivered = Delivered::default();
    let mut items = Vec::new();
    for row in release.read_table("messages")?.iter() {
        match row.text("state")? {
            "queued" => {}
            "held" => {
                delivered.held += 1;
                continue;
            }
            _ => continue,
        }
        let key = row.text("message_key")?;
        if sent_before.contains(key) {
            delivered.already_sent += 1;
            continue;
        }
        let envelope = envelope(layout, row.text("envelope_hash")?)?;
        let item = Item {
            sequence: u64::try_from(row.int("sequence")?).unwrap_or(u64::MAX),
            partner_id: row.text("partner_id")?.to_owned(),
            message_key: key.to_owned(),
            message_id: row.text("message_id")?.to_owned(),
            envelope,
        };
        items.push((item, row.text("content_hash")?.to_owned()));
    }
    if items.is_empty() {
        return Ok(delivered);
    }
    let mail_error = |e: String| PipelineError::Mail(e);
    let operations = Operations::open(&layout.operations())?;
    log::prepare(operations.connection()).map_err(|e| mail_error(e.to_string()))?;
    let route = mail::open(settings, layout.workspace(), &|name| std::env::var(name).ok())
        .map_err(|e| mail_error(e.to_string()))?;
    let limits = Limits {
        policy: settings.retry.clone(),
        max_per_run: settings.max_per_run,
    };
    let contents: std::collections::BTreeMap<String, String> = items
        .iter()
        .map(|(item, hash)| (item.message_key.clone(), hash.clone()))
        .collect();
    let items: Vec<Item> = items.into_iter().map(|(item, _)| item).collect();
    let load = |item: &Item| -> Result<Vec<u8>, String> {
        let hash = contents
            .get(&item.message_key)
            .and_then(|h| Digest::parse(h))
            .ok_or("its content hash is no digest")?;
        private::bytes(layout, Class::Mail, hash).map_err(|e| e.to_string())
    };
    let report = dispatch(operations.connection(), &items, &limits, &|| clock.now(), &load, &mut |parcel| {
        let outcome = route.deliver(parcel);
        // whoever was refused for good gets no second try, so this message is done
        let done = matches!(&outcome, Outcome::Accepted { refused } if refused.iter().all(Refusal::is_permanent));
        if sends && done {
            // a copy of the log that outlives the warehouse; without it a rebuild would send again
            if let Err(e) = landing::record_sent(layout, parcel.message_key, parcel.message_id) {
                tracing::warn!(error = %e, key = parcel.message_key, "accepted, and not remembered beside the warehouse");
            }
        }
        outcome
    })
    .map_err(|e| mail_error(e.to_string()))?;
    Ok(Delivered {
        sent: report.sent,
        already_sent: delivered.already_sent + report.already_sent,
        failed: report.failed,
        waiting: report.waiting,
        left: report.left,
        held: delivered.held,
        unknown_outcomes: report.unknown_outcomes,
        refused_recipients: report.refused_recipients,
        stopped: report.stopped,
        problems: report.problems,
    })
}

fn envelope(layout: &Layout, hash: &str) -> Result<Envelope, PipelineError> {
    let stage = PipelineError::stage("the envelope of a message");
    let hash = Digest::parse(hash).ok_or_else(|| stage("its hash is no digest".to_owned()))?;
    let bytes = private::bytes(layout, Class::Mail, hash)?;
    let json: Json = serde_json::from_slice(&bytes).map_err(|e| stage(e.to_string()))?;
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    Ok(Envelope {
        from: text(&json["from"]),
        to: json["to"]
            .as_array()
            .map(|list| list.iter().map(text).collect())
            .unwrap_or_default(),
    })
}
