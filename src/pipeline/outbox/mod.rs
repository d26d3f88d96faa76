//! The outbox as people see it: every message with its state, what was tried, what was decided, what came back.
//!
//! Duty: lay the messages of a release, the delivery log, decisions and returned mail over one another, and say what
//! stands of each message. One reading for those who look and for the one that sends. Must not: send, decide, change
//! anything.
//!
//! | state | means | leaves it by |
//! |---|---|---|
//! | `held` | held back when it was made, or by a person | what was wrong is put right; `approve` |
//! | `no_recipient` | no contact may get it | a contact arrives |
//! | `awaiting_approval` | its kind goes only after a person has approved it | `approve` |
//! | `queued`, `sending`, `retry`, `unknown` | on its way, as the log says | sending |
//! | `sent` | accepted | `resend` sends it once more |
//! | `failed` | refused for good | `resend`; `hold` takes it off the list of what is wrong |

pub mod bounces;
mod content;

use std::collections::{BTreeMap, BTreeSet};

use crate::delivery::DeliveryState;
use crate::delivery::address::check_allowed;
use crate::delivery::log;
use crate::delivery::outbox::{DeliveryRecord, RecipientState};
use crate::domain::{Date, Digest, RowRef, TableError};
use crate::edges::files;
use crate::edges::mail::{MailMode, MailSettings};
use crate::pipeline::PipelineError;
use crate::pipeline::acts::{self, Act, mails};
use crate::store::landing::{self, BounceRecord};
use crate::store::layout::Layout;
use crate::store::operations::Operations;
use crate::store::release::Release;

pub use crate::delivery::Envelope;
pub use crate::delivery::log::Attempt;
pub use content::{bytes_path, envelope, head, message_bytes};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Held,
    NoRecipient,
    AwaitingApproval,
    Queued,
    Sending,
    Retry,
    Unknown,
    Sent,
    Failed,
}

impl State {
    pub const ALL: [State; 9] = [
        State::Held,
        State::NoRecipient,
        State::AwaitingApproval,
        State::Queued,
        State::Sending,
        State::Retry,
        State::Unknown,
        State::Sent,
        State::Failed,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Held => "held",
            State::NoRecipient => "no_recipient",
            State::AwaitingApproval => "awaiting_approval",
            State::Queued => "queued",
            State::Sending => "sending",
            State::Retry => "retry",
            State::Unknown => "unknown",
            State::Sent => "sent",
            State::Failed => "failed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// One message with everything that is known of it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub sequence: u64,
    pub key: String,
    /// Empty where it is about many.
    pub partner: String,
    /// Who of the programme's own people it goes to.
    pub reader: Option<String>,
    pub period: String,
    pub kind: String,
    pub language: String,
    pub message_id: Option<String>,
    /// Names of its bytes and envelope in the private store.
    pub content: Option<Digest>,
    pub envelope: Option<Digest>,
    pub state: State,
    /// Why it is held or not sent yet, or the last error.
    pub reason: Option<String>,
    pub record: Option<DeliveryRecord>,
    /// Decisions on it, in the order of time.
    pub acts: Vec<Act>,
    pub again: Vec<Again>,
    pub bounces: Vec<BounceRecord>,
}

/// A message that a person had sent once more.
#[derive(Clone, Debug)]
pub struct Again {
    /// Its own key in the log and beside the warehouse.
    pub key: String,
    /// Hash of the address that it goes to instead of its first recipients.
    pub to: Option<Digest>,
    pub state: State,
    pub reason: Option<String>,
    pub record: Option<DeliveryRecord>,
    pub act: Act,
}

impl Entry {
    /// State by place in the envelope; nothing before the first attempt.
    #[must_use]
    pub fn served(&self) -> Vec<String> {
        served(self.record.as_ref())
    }

    /// Whether what was refused for good is nothing to look at any more: a person had it sent once more later, or held
    /// it after that.
    #[must_use]
    pub fn is_settled(&self, again: Option<&Again>) -> bool {
        let Some(again) = again else {
            return self.state == State::Failed && !self.again.is_empty();
        };
        let place = self
            .acts
            .iter()
            .position(|act| act.decision_id == again.act.decision_id);
        let later = self.acts.iter().skip(place.map_or(0, |i| i + 1));
        let word = |act: &Act| mails::resent(act).is_some() || mails::is_hold(act);
        again.state == State::Failed && later.into_iter().any(word)
    }

    /// Partner or reader that it is for.
    #[must_use]
    pub fn of(&self) -> &str {
        self.reader.as_deref().unwrap_or(&self.partner)
    }

    /// What holds later messages: one of the same partner, kind and period must not overtake it.
    #[must_use]
    pub fn line(&self) -> (&str, &str, &str) {
        (self.of(), &self.kind, &self.period)
    }
}

/// State of each recipient by its place in the envelope.
#[must_use]
pub fn served(record: Option<&DeliveryRecord>) -> Vec<String> {
    let name = |state: &RecipientState| match state {
        RecipientState::Open => "open".to_owned(),
        RecipientState::Accepted => "accepted".to_owned(),
        RecipientState::Refused(code) => format!("refused ({code})"),
    };
    record.map_or_else(Vec::new, |r| r.recipients.iter().map(name).collect())
}

/// The messages of a release in the order of sending.
#[derive(Debug)]
pub struct Outbox {
    pub entries: Vec<Entry>,
    /// Keys that were accepted, as remembered beside the warehouse.
    pub remembered: BTreeSet<String>,
    /// All decisions on mails, those on their way included.
    pub acts: Vec<Act>,
}

impl Outbox {
    /// Reads everything; writes nothing and makes no file.
    pub fn open(layout: &Layout, settings: &MailSettings, release: &Release) -> Result<Outbox, PipelineError> {
        let path = layout.operations();
        let records = if files::exists(&path) {
            log::all(Operations::open(&path)?.connection()).map_err(|e| PipelineError::Mail(e.to_string()))?
        } else {
            BTreeMap::new()
        };
        let acts = acts::mails::known(layout, release)?;
        let mut by_subject: BTreeMap<&str, Vec<&Act>> = BTreeMap::new();
        for act in &acts {
            by_subject.entry(&act.subject).or_default().push(act);
        }
        let mut returned: BTreeMap<String, Vec<BounceRecord>> = BTreeMap::new();
        for bounce in landing::bounces(layout)? {
            returned.entry(bounce.message_key.clone()).or_default().push(bounce);
        }
        let remembered = landing::sent_keys(layout)?;
        // files of a folder are made again after a rebuild, so that what is remembered counts for a server only
        let is_server = matches!(settings.mode, MailMode::Smtp(_));
        let known = Known {
            records,
            is_sent: |key: &str| is_server && remembered.contains(key),
            approve: &settings.approve,
        };
        let mut entries = Vec::new();
        for row in release.read_table("messages")?.iter() {
            let key = row.text("message_key")?;
            let hash = |column| Ok::<_, TableError>(row.opt_text(column)?.and_then(Digest::parse));
            let acts: Vec<Act> = by_subject
                .get(key)
                .into_iter()
                .flatten()
                .map(|a| (*a).clone())
                .collect();
            let mut entry = Entry {
                sequence: u64::try_from(row.int("sequence")?).unwrap_or(u64::MAX),
                key: key.to_owned(),
                partner: row.opt_text("partner_id")?.unwrap_or_default().to_owned(),
                reader: row.opt_text("reader")?.map(str::to_owned),
                period: row.text("period")?.to_owned(),
                kind: row.text("kind")?.to_owned(),
                language: row.text("language")?.to_owned(),
                message_id: row.opt_text("message_id")?.map(str::to_owned),
                content: hash("content_hash")?,
                envelope: hash("envelope_hash")?,
                state: State::Queued,
                reason: row.opt_text("reason")?.map(str::to_owned),
                record: known.records.get(key).cloned(),
                again: known.again(key, &acts),
                acts,
                bounces: returned.remove(key).unwrap_or_default(),
            };
            (entry.state, entry.reason) = match row.text("state")? {
                "held" => (State::Held, entry.reason),
                "no_recipient" => (State::NoRecipient, entry.reason),
                _ => known.state(&entry),
            };
            entries.push(entry);
        }
        entries.sort_by_key(|e| e.sequence);
        Ok(Outbox {
            entries,
            remembered,
            acts,
        })
    }

    /// How many messages are in each state; states without any are left out.
    #[must_use]
    pub fn counts(&self) -> Vec<(State, usize)> {
        State::ALL
            .into_iter()
            .map(|state| (state, self.entries.iter().filter(|e| e.state == state).count()))
            .filter(|(_, n)| *n > 0)
            .collect()
    }

    /// A message by its key, by how the key begins where that is enough to tell it, or by its number in the order of sending.
    pub fn entry(&self, key: &str) -> Result<&Entry, PipelineError> {
        let begins = |e: &&Entry| !key.is_empty() && e.key.starts_with(key);
        // a key begins with a kind, so that no key is a number
        let number: Option<u64> = key.parse().ok();
        let exact = self.entries.iter().find(|e| e.key == key || Some(e.sequence) == number);
        let fitting: Vec<&Entry> = self.entries.iter().filter(begins).collect();
        match (exact, fitting.as_slice()) {
            (Some(entry), _) | (None, &[entry]) => Ok(entry),
            (None, []) => Err(PipelineError::Usage(format!(
                "there is no message {key} in the release; `starledger outbox list` shows them"
            ))),
            (None, several) => Err(PipelineError::Usage(format!(
                "{} messages begin with {key}: name more of the key",
                several.len()
            ))),
        }
    }
}

/// What the log, a person and the settings say.
struct Known<'a, F> {
    records: BTreeMap<String, DeliveryRecord>,
    is_sent: F,
    approve: &'a [String],
}

impl<F: Fn(&str) -> bool> Known<'_, F> {
    /// State of a message that was made to be sent.
    fn state(&self, entry: &Entry) -> (State, Option<String>) {
        let record = entry.record.as_ref();
        let state = self.logged(&entry.key, record);
        if state == State::Sent {
            return (state, record.and_then(|r| r.last_error.clone()));
        }
        let verdict = mails::verdict(&entry.acts, entry.content);
        if let Some(act) = verdict.held {
            return (State::Held, Some(format!("by {}: {}", act.by, act.reason)));
        }
        if state == State::Queued && self.approve.contains(&entry.kind) && !verdict.approved {
            return (State::AwaitingApproval, None);
        }
        (state, record.and_then(|r| r.last_error.clone()))
    }

    fn logged(&self, key: &str, record: Option<&DeliveryRecord>) -> State {
        if (self.is_sent)(key) {
            return State::Sent;
        }
        match record.map(|r| r.state) {
            None | Some(DeliveryState::Queued) => State::Queued,
            Some(DeliveryState::Sending) => State::Sending,
            Some(DeliveryState::Retry) => State::Retry,
            Some(DeliveryState::Unknown) => State::Unknown,
            Some(DeliveryState::Sent) => State::Sent,
            Some(DeliveryState::Failed) => State::Failed,
        }
    }

    fn again(&self, key: &str, acts: &[Act]) -> Vec<Again> {
        let resent = acts.iter().filter_map(|act| Some((act, mails::resent(act)?)));
        let again = resent.map(|(act, to)| {
            let key = mails::again_key(key, act);
            let record = self.records.get(&key).cloned();
            Again {
                to: match to {
                    mails::Resent::Same => None,
                    mails::Resent::To(hash) => Some(hash),
                },
                state: self.logged(&key, record.as_ref()),
                reason: record.as_ref().and_then(|r| r.last_error.clone()),
                record,
                act: act.clone(),
                key,
            }
        });
        again.collect()
    }
}

/// The attempts of a message in their order, by its key in the log.
pub fn attempts(layout: &Layout, key: &str) -> Result<Vec<Attempt>, PipelineError> {
    let path = layout.operations();
    if !files::exists(&path) {
        return Ok(Vec::new());
    }
    log::attempts(Operations::open(&path)?.connection(), key).map_err(|e| PipelineError::Mail(e.to_string()))
}

/// Which messages a command is about; what is not said is any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub state: Option<State>,
    pub partner: Option<String>,
    pub period: Option<String>,
    pub kind: Option<String>,
}

impl Filter {
    #[must_use]
    pub fn takes(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
        self.state.is_none_or(|s| s == entry.state)
            && is(&self.partner, &entry.partner)
            && is(&self.period, &entry.period)
            && is(&self.kind, &entry.kind)
    }
}

/// Envelope of a message that goes once more: its own, or the one address that a person named.
pub(in crate::pipeline) fn again_envelope(own: Envelope, to: Option<String>) -> Envelope {
    match to {
        Some(address) => Envelope {
            to: vec![address],
            ..own
        },
        None => own,
    }
}

/// The hash of an address that a message may go to instead of its first recipients: a contact of the partner that holds
/// on a day, at a domain that is allowed for it. The address itself is kept nowhere.
pub fn contact_hash(release: &Release, partner: &str, address: &str, on: Date) -> Result<Digest, PipelineError> {
    let refuse = |why: String| Err(PipelineError::Usage(why));
    if partner.is_empty() {
        return refuse("a letter goes to its reader only: leave --to out".to_owned());
    }
    let address = address.trim();
    let mut domains: Option<(Date, String)> = None;
    for row in release.read_table("partners")?.iter() {
        let from = row.date("valid_from")?;
        if row.text("partner_id")? == partner && domains.as_ref().is_none_or(|(known, _)| *known < from) {
            domains = Some((from, row.opt_text("allowed_mail_domains")?.unwrap_or("").to_owned()));
        }
    }
    let list = domains.map(|(_, list)| list).unwrap_or_default();
    let allowed: Vec<&str> = list.split('|').map(str::trim).filter(|d| !d.is_empty()).collect();
    if let Err(why) = check_allowed(address, &allowed) {
        return refuse(format!("the address {why}"));
    }
    let Some(hash) = bounces::address_hash(address) else {
        return refuse("the address has no hash".to_owned());
    };
    let token = format!("sha256:{hash}");
    let holds =
        |row: &RowRef<'_>| -> Result<bool, TableError> {
            let ended = row.opt_date("valid_to")?.is_some_and(|end| end <= on);
            Ok(row.text("partner_id")? == partner
                && row.text("email")? == token
                && row.date("valid_from")? <= on
                && !ended)
        };
    for row in release.read_table("contacts")?.iter() {
        if holds(&row)? {
            return Ok(hash);
        }
    }
    refuse(format!(
        "the address is no contact of {partner} that holds on {on}: deliver the corrected contact, run, then resend"
    ))
}
