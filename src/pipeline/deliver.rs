//! Delivery: the queued messages of the current release, in order and once.
//!
//! Duty: take in returned mail, choose what may go, open the route and the log, hand over bytes from the private store,
//! remember beside the warehouse what a server accepted. Runs only after a release is committed. Not its duty: retries
//! and states (`delivery`), what stands of a message (`outbox`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::PipelineError;
use super::outbox::bounces::{self, Gate};
use super::outbox::{self, Again, Entry, Outbox, State};
use super::refresh::Progress;
use crate::delivery::dispatch::{Content, Item};
use crate::delivery::{DeliveryState, Envelope, Limits, Outcome, Parcel, Refusal, dispatch, log};
use crate::domain::Digest;
use crate::edges::clock::Clock;
use crate::edges::files;
use crate::edges::mail::{self, MailMode, MailSettings};
use crate::store::layout::Layout;
use crate::store::lock::WriterLock;
use crate::store::operations::Operations;
use crate::store::private::{self, Class};
use crate::store::release::Release;
use crate::store::{StoreError, landing};

/// What became of the outbox.
#[derive(Clone, Debug, Default)]
pub struct Delivered {
    pub sent: usize,
    pub already_sent: usize,
    pub failed: usize,
    pub waiting: usize,
    pub left: usize,
    /// Held back when they were made, or by a person.
    pub held: usize,
    /// Of a kind that goes only after a person has approved it.
    pub awaiting_approval: usize,
    /// Recipients of reports taken in now: refused for good, and not reached for now.
    pub bounced: usize,
    pub delayed: usize,
    /// Files of the bounce folder that are no report about a message, and why.
    pub ignored: Vec<(String, String)>,
    pub unknown_outcomes: u32,
    pub refused_recipients: usize,
    pub stopped: Option<String>,
    pub problems: Vec<(String, String)>,
}

impl Delivered {
    /// Whether nothing was tried and nothing is open.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let open = self.failed + self.waiting + self.left + self.awaiting_approval;
        self.sent == 0 && open == 0 && self.bounced + self.delayed == 0 && self.ignored.is_empty()
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
            (self.awaiting_approval, "awaiting approval"),
            (self.held, "held back"),
            (self.bounced, "came back, their addresses suppressed"),
            (self.delayed, "delayed on their way"),
            (
                self.ignored.len(),
                "files among returned mail that are no delivery report",
            ),
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
        for (key, why) in self.problems.iter().chain(&self.ignored).take(5) {
            parts.push(format!("{key}: {why}"));
        }
        parts.join(", ")
    }

    #[must_use]
    pub fn json(&self) -> Json {
        json!({
            "sent": self.sent, "already_sent": self.already_sent, "failed": self.failed, "waiting": self.waiting,
            "left": self.left, "held": self.held, "awaiting_approval": self.awaiting_approval,
            "bounced": self.bounced, "delayed": self.delayed,
            "ignored": self.ignored.iter().map(|(f, w)| json!({ "file": f, "problem": w })).collect::<Vec<_>>(),
            "unknown_outcomes": self.unknown_outcomes,
            "refused_recipients": self.refused_recipients, "stopped": self.stopped,
            "problems": self.problems.iter().map(|(k, w)| json!({ "message": k, "problem": w })).collect::<Vec<_>>(),
        })
    }
}

/// Which messages are sent, and whether pauses count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    /// Those of one partner only.
    pub partner: Option<&'a str>,
    /// Also those that wait for another attempt.
    pub at_once: bool,
}

/// Sends what may go without running a job: takes the lock, and reads the release that is current.
pub fn send_now(
    layout: &Layout,
    settings: &MailSettings,
    choice: Choice<'_>,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<Delivered, PipelineError> {
    let _lock = WriterLock::take(layout, clock.now())?;
    let release = Release::current(layout)?
        .ok_or_else(|| PipelineError::Usage("there is no release yet; `starledger run` makes one".to_owned()))?;
    deliver(layout, settings, &release, choice, clock, progress)
}

/// A message to hand over, where its content is, and who gets it instead of its envelope.
struct Stored {
    content: Option<Digest>,
    envelope: Option<Digest>,
    to: Option<Digest>,
}

/// What may go, in the order of sending.
#[derive(Default)]
struct Due {
    items: Vec<Item>,
    /// By key in the log.
    stored: BTreeMap<String, Stored>,
    delivered: Delivered,
}

/// Hands over what may go.
pub fn deliver(
    layout: &Layout,
    settings: &MailSettings,
    release: &Release,
    choice: Choice<'_>,
    clock: &dyn Clock,
    progress: &dyn Progress,
) -> Result<Delivered, PipelineError> {
    progress.step("mail");
    let mut outbox = Outbox::open(layout, settings, release)?;
    let returned = match &settings.bounces {
        Some(folder) => bounces::take_in(layout, folder, &mut outbox, clock.now())?,
        None => bounces::Taken::default(),
    };
    let mut due = due(&outbox, settings, choice);
    due.delivered.bounced = returned.permanent;
    due.delivered.delayed = returned.temporary;
    due.delivered.ignored = returned.ignored;
    if due.items.is_empty() {
        return Ok(due.delivered);
    }
    make_outbox(layout, settings)?;
    let mail_error = |e: &dyn std::fmt::Display| PipelineError::Mail(e.to_string());
    let operations = Operations::open(&layout.operations())?;
    log::prepare(operations.connection()).map_err(|e| mail_error(&e))?;
    remember_logged(layout, &outbox);
    let gate = Gate::open(layout, release, &outbox)?;
    let route =
        mail::open(settings, layout.workspace(), &|name| std::env::var(name).ok()).map_err(|e| mail_error(&e))?;
    let limits = Limits {
        policy: settings.retry.clone(),
        max_per_run: settings.max_per_run,
        at_once: choice.at_once,
    };
    let load = |item: &Item| content(layout, release, due.stored.get(&item.message_key));
    let mut send = |parcel: &Parcel<'_>| {
        let outcome = gate.pass(parcel.envelope, &mut |envelope| {
            route.deliver(&Parcel { envelope, ..*parcel })
        });
        // whoever was refused for good gets no second try, so this message is done
        if matches!(&outcome, Outcome::Accepted { refused } if refused.iter().all(Refusal::is_permanent)) {
            remember(layout, parcel.message_key, parcel.message_id);
        }
        outcome
    };
    let connection = operations.connection();
    let report =
        dispatch(connection, &due.items, &limits, &|| clock.now(), &load, &mut send).map_err(|e| mail_error(&e))?;
    Ok(Delivered {
        sent: report.sent,
        already_sent: due.delivered.already_sent + report.already_sent,
        failed: report.failed,
        waiting: due.delivered.waiting + report.waiting,
        left: report.left,
        unknown_outcomes: report.unknown_outcomes,
        refused_recipients: report.refused_recipients,
        stopped: report.stopped,
        problems: report.problems,
        ..due.delivered
    })
}

/// What may go. A message that waits for a person holds later ones of its partner, kind and period: a correction never
/// overtakes what it corrects.
fn due(outbox: &Outbox, settings: &MailSettings, choice: Choice<'_>) -> Due {
    let mut due = Due::default();
    let mut waits: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    // files of a folder are made again, also those that are remembered
    let is_server = matches!(settings.mode, MailMode::Smtp(_));
    let wanted = |e: &&Entry| choice.partner.is_none_or(|p| p == e.partner);
    for entry in outbox.entries.iter().filter(wanted) {
        match entry.state {
            State::NoRecipient => {}
            State::Held => {
                due.delivered.held += 1;
                // one that was refused for good holds nothing, and one held back when it was made is made again
                if entry.content.is_some() && entry.record.as_ref().is_none_or(|r| !r.state.is_final()) {
                    waits.insert(entry.line());
                }
            }
            State::AwaitingApproval => {
                due.delivered.awaiting_approval += 1;
                waits.insert(entry.line());
            }
            State::Sent if is_server && outbox.remembered.contains(&entry.key) => due.delivered.already_sent += 1,
            _ if entry.is_settled(None) => {}
            _ if waits.contains(&entry.line()) => due.delivered.waiting += 1,
            _ => due.push(entry, None),
        }
        for again in &entry.again {
            let is_done = is_server && outbox.remembered.contains(&again.key);
            if !is_done && !entry.is_settled(Some(again)) {
                due.push(entry, Some(again));
            }
        }
    }
    due
}

impl Due {
    fn push(&mut self, entry: &Entry, again: Option<&Again>) {
        let key = again.map_or(&entry.key, |a| &a.key);
        self.items.push(Item {
            sequence: entry.sequence,
            partner_id: entry.of().to_owned(),
            message_key: key.clone(),
            message_id: entry.message_id.clone().unwrap_or_default(),
        });
        let stored = Stored {
            content: entry.content,
            envelope: entry.envelope,
            to: again.and_then(|a| a.to),
        };
        self.stored.insert(key.clone(), stored);
    }
}

/// Mails hold personal data: the outbox is made for its owner only, before a mail is written into it.
fn make_outbox(layout: &Layout, settings: &MailSettings) -> Result<(), StoreError> {
    let outbox = layout.outbox();
    if let MailMode::Folder(folder) = &settings.mode
        && layout.workspace().join(folder).starts_with(&outbox)
    {
        files::create_private_dir_all(&outbox)?;
    }
    Ok(())
}

/// What the log knows as sent, by a run that died before it could remember it.
fn remember_logged(layout: &Layout, outbox: &Outbox) {
    for entry in &outbox.entries {
        let records = entry.again.iter().filter_map(|a| a.record.as_ref());
        for record in records.chain(entry.record.as_ref()) {
            if record.state == DeliveryState::Sent && !outbox.remembered.contains(&record.message_key) {
                remember(layout, &record.message_key, &record.message_id);
            }
        }
    }
}

/// A copy of the log that outlives the warehouse, in every mode: without it a rebuild would send again, and a change
/// from folder to server would send what was tried out.
fn remember(layout: &Layout, message_key: &str, message_id: &str) {
    if let Err(e) = landing::record_sent(layout, message_key, message_id) {
        tracing::warn!(error = %e, key = message_key, "accepted, and not remembered beside the warehouse");
    }
}

/// Envelope and bytes of a message.
fn content(layout: &Layout, release: &Release, stored: Option<&Stored>) -> Result<Content, String> {
    let stored = stored.ok_or("nothing is known of it")?;
    let own = outbox::envelope(layout, stored.envelope)?;
    let to = stored.to.map(|hash| address(layout, release, hash)).transpose()?;
    let hash = stored.content.ok_or("a hash of its content is missing")?;
    let bytes = private::bytes(layout, Class::Mail, hash).map_err(|e| format!("its content cannot be read: {e}"))?;
    let envelope: Envelope = outbox::again_envelope(own, to);
    Ok(Content { envelope, bytes })
}

/// The address of a hash, from the contacts.
fn address(layout: &Layout, release: &Release, hash: Digest) -> Result<String, String> {
    let error = |e: &dyn std::fmt::Display| format!("its new address cannot be read: {e}");
    let token = format!("sha256:{hash}");
    let contacts = release.read_table("contacts").map_err(|e| error(&e))?;
    for row in contacts.iter().filter(|row| row.text("email") == Ok(token.as_str())) {
        let arrival = row.int("arrival").map_err(|e| error(&e))?;
        let texts = private::texts(layout, Class::Personal, [arrival]).map_err(|e| error(&e))?;
        if let Some(address) = texts.get(&token) {
            return Ok(address.clone());
        }
    }
    Err("its new address is no contact any more".to_owned())
}
