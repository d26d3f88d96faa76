//! The press: frames and bytes of messages, from values alone.
//!
//! Duty: one partner's frame by the rules of its region, the recipients by language, rendering, the search for others'
//! data, composing. Everything here may run on any core. Not its duty: which messages there are (`mails`), places and
//! keeping of bytes.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::thread;

use chrono::Datelike;

use super::mails::Addresses;
use super::messages::{Card, SCORECARD, Slot};
use super::{PipelineError, Task};
use crate::delivery::{
    ComposeError, Composed, Enclosure, Inline, Leak, List, Outgoing, Recipient, compose, compose_listed, recipients,
    visible_text,
};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Digest, Findings, Period, Row, Table, Value, Zone};
use crate::edges::files;
use crate::edges::mail::Reader;
use crate::publishing::frame::Earlier;
use crate::publishing::inputs::{CardTerms, Programme};
use crate::publishing::readers::Seen;
use crate::publishing::{Look, PartnerFrame, Picture, PublishingInputs, SchemeTerms, render};
use crate::rules::{RuleBook, Rules};
use crate::store::StoreError;

/// Periods within which the next review is looked for.
const PERIODS_AHEAD: i64 = 48;

/// What all messages of a run are made with.
pub(super) struct Press<'a> {
    task: &'a Task<'a>,
    pub(super) look: Look,
}

/// A message as it would be, before anything of it is kept.
pub(super) struct Draft {
    pub(super) row: Row,
    pub(super) state: &'static str,
    pub(super) reason: Option<String>,
    /// Bytes and envelope.
    pub(super) stored: Option<(Vec<u8>, Vec<u8>)>,
}

/// What a message says, and what goes with it.
pub(super) struct Content {
    pub(super) kind: &'static str,
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
    pub(super) inline: Vec<Inline>,
    pub(super) attachments: Vec<Enclosure>,
    /// Words of the attachments, which are searched too.
    pub(super) attached_words: Vec<String>,
    pub(super) data_hash: Digest,
}

impl Content {
    /// What a search finds in all words of the message.
    fn searched(&self, search: impl FnOnce(&[&str]) -> Vec<Leak>) -> Vec<Leak> {
        let html = visible_text(&self.html);
        let mut parts = vec![self.subject.as_str(), &self.text, &html];
        parts.extend(self.attached_words.iter().map(String::as_str));
        search(&parts)
    }
}

/// What a message is about, and whom of the programme's own people it is for.
struct About<'a> {
    partner: Option<&'a PartnerId>,
    reader: Option<&'a str>,
    period: Period,
}

impl Card<'_> {
    fn about(&self) -> About<'_> {
        About {
            partner: Some(self.partner),
            reader: None,
            period: self.period,
        }
    }
}

impl<'a> Press<'a> {
    pub(super) fn new(task: &'a Task<'a>) -> Result<Press<'a>, PipelineError> {
        let brand = &task.config.brand;
        let fonts = match &brand.fonts {
            Some(folder) => fonts(&task.layout.workspace().join("pipelines").join(folder))?,
            None => Vec::new(),
        };
        let look = Look::new(brand, &fonts);
        let mut look = look.map_err(|e| PipelineError::stage("the look of messages")(e.to_string()))?;
        look.catalogues.name_metrics(&metric_titles(&task.config.rules));
        Ok(Press { task, look })
    }

    /// What all cards of a run show.
    pub(super) fn programme(&self) -> Programme<'_> {
        let mail = &self.task.config.mail;
        let programme = self.task.config.rules.programme();
        Programme {
            name: &programme.name,
            contact: &mail.reply_to.as_ref().unwrap_or(&mail.from).address,
            as_of: self.task.as_of,
            contest_days: programme.contest_days,
            closed_on: None,
        }
    }

    /// One partner's frame of one period.
    pub(super) fn frame(&self, card: &Card<'_>, inputs: &PublishingInputs<'_>) -> Result<PartnerFrame, PipelineError> {
        let stage = PipelineError::stage("the scorecards");
        let rules = &self.task.config.rules;
        let calendar = rules.programme().calendar;
        let first_day = calendar.first_day(card.period);
        let book = rules.book(card.region, first_day).map_err(|e| stage(e.to_string()))?;
        let schemes = scheme_terms(book);
        let reviewed = |period: &Period| {
            let month = calendar.end_day(*period).month();
            book.review.held_in_months.contains(&month)
        };
        let later = (1..=PERIODS_AHEAD).map(|n| card.period.plus(n));
        let terms = CardTerms {
            grades: &book.grades,
            parts_mode: book.parts.mode,
            schemes: &schemes,
            next_ends_on: calendar.last_day(card.period.next()),
            next_review_on: later.into_iter().find(reviewed).map(|p| calendar.end_day(p)),
        };
        PartnerFrame::of(card.partner, card.period, inputs, &terms).map_err(|e| stage(e.to_string()))
    }

    /// Who gets a kind of message, by the language of the catalogue that they are written to in. Where nobody does, the
    /// partner's language with nobody.
    pub(super) fn recipients(
        &self,
        partner: &PartnerId,
        kind: &str,
        partners_language: &str,
        addresses: &Addresses,
    ) -> Result<(BTreeMap<String, Vec<Recipient>>, Findings), PipelineError> {
        let today = Zone::UTC.date_of(self.task.as_of);
        let domains = addresses.mail_domains.get(partner.as_str());
        let domains: Vec<&str> = domains.into_iter().flatten().map(String::as_str).collect();
        let none = Table::new("contacts", &["partner_id"]);
        let contacts = addresses.contacts.get(partner.as_str()).unwrap_or(&none);
        let (to, findings) = recipients(contacts, partner, kind, today, &domains)?;
        let catalogues = &self.look.catalogues;
        let mut groups: BTreeMap<String, Vec<Recipient>> = BTreeMap::new();
        for recipient in to {
            let tag = recipient.language.as_deref().unwrap_or(partners_language);
            let language = catalogues.of(tag).language().to_owned();
            groups.entry(language).or_default().push(recipient);
        }
        if groups.is_empty() {
            groups.insert(catalogues.of(partners_language).language().to_owned(), Vec::new());
        }
        Ok((groups, findings))
    }

    /// Renders, searches and composes a scorecard.
    pub(super) fn scorecard(
        &self,
        card: &Card<'_>,
        (frame, earlier): (&PartnerFrame, Option<&Earlier>),
        (slot, language): (&Slot, &str),
        (to, addresses): (&[Recipient], &Addresses),
    ) -> Result<Draft, PipelineError> {
        if to.is_empty() {
            return Ok(self.unsent(card, (SCORECARD, frame.data_hash), (slot, language)));
        }
        let texts = self.look.catalogues.of(language);
        let rendered = render(frame, earlier, texts, &self.look)
            .map_err(|e| PipelineError::stage("the scorecards")(e.to_string()))?;
        let content = Content {
            kind: SCORECARD,
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            inline: inline(rendered.pictures),
            attachments: Vec::new(),
            attached_words: Vec::new(),
            data_hash: rendered.data_hash,
        };
        Ok(self.draft(card, &content, (slot, language), (to, addresses)))
    }

    /// Searches and composes a message to a partner.
    pub(super) fn draft(
        &self,
        card: &Card<'_>,
        content: &Content,
        (slot, language): (&Slot, &str),
        (to, addresses): (&[Recipient], &Addresses),
    ) -> Draft {
        let leaks = content.searched(|parts| addresses.directory.leaks(card.partner, parts));
        let leak = (!leaks.is_empty()).then_some("something of another partner stands in it");
        let fate = fate(content.kind, leak, self.composed(content, &slot.key, to, None));
        drafted(&card.about(), (content.kind, content.data_hash), (slot, language), fate)
    }

    /// Composes a letter to one of the programme's own people, of a list; searched for partners outside of what a limited
    /// reader sees.
    pub(super) fn letter(
        &self,
        (reader, period): (&Reader, Period),
        content: &Content,
        (slot, language): (&Slot, &str),
        (limits, addresses): (Option<&Seen<'_>>, &Addresses),
    ) -> Draft {
        let mail = &self.task.config.mail;
        let list = List {
            name: self.look.catalogues.of(language).get(content.kind, "title"),
            id: &format!("{}-{}", content.kind, reader.id),
            leave: mail.reply_to.as_ref().unwrap_or(&mail.from),
        };
        let leaks = limits.map_or_else(Vec::new, |seen| {
            let takes = |partner: &PartnerId| seen.takes(partner.as_str());
            content.searched(|parts| addresses.directory.leaks_beyond(&takes, parts))
        });
        let leak = (!leaks.is_empty()).then_some("something that the reader may not see stands in it");
        let to = std::slice::from_ref(&reader.to);
        let fate = fate(content.kind, leak, self.composed(content, &slot.key, to, Some(&list)));
        let about = About {
            partner: None,
            reader: Some(&reader.id),
            period,
        };
        drafted(&about, (content.kind, content.data_hash), (slot, language), fate)
    }

    fn composed(
        &self,
        content: &Content,
        key: &str,
        to: &[Recipient],
        list: Option<&List<'_>>,
    ) -> Result<Composed, ComposeError> {
        let mail = &self.task.config.mail;
        let outgoing = Outgoing {
            from: &mail.from,
            reply_to: mail.reply_to.as_ref(),
            recipients: to,
            subject: &content.subject,
            text: &content.text,
            html: &content.html,
            inline: &content.inline,
            attachments: &content.attachments,
            message_key: key,
            date: self.task.as_of,
        };
        match list {
            None => compose(&outgoing),
            Some(list) => compose_listed(&outgoing, list),
        }
    }

    /// A message that nobody gets: nothing of it is rendered.
    pub(super) fn unsent(
        &self,
        card: &Card<'_>,
        (kind, data_hash): (&'static str, Digest),
        (slot, language): (&Slot, &str),
    ) -> Draft {
        let key = slot.key.clone();
        let fate = fate(kind, None, Err(ComposeError::NoRecipient { key }));
        drafted(&card.about(), (kind, data_hash), (slot, language), fate)
    }
}

/// A message by what becomes of it.
fn drafted(
    about: &About<'_>,
    (kind, data_hash): (&'static str, Digest),
    (slot, language): (&Slot, &str),
    (state, reason, composed): Fate,
) -> Draft {
    let message_id: Value = composed.as_ref().map(|c| c.message_id.as_str()).into();
    let stored = composed.map(|composed| {
        let envelope = serde_json::json!({ "from": composed.envelope.from, "to": composed.envelope.to });
        (composed.bytes, envelope.to_string().into_bytes())
    });
    let row = vec![
        slot.key.as_str().into(),
        slot.sequence.into(),
        about.partner.map(PartnerId::as_str).into(),
        about.period.to_string().into(),
        kind.into(),
        language.into(),
        data_hash.into(),
        stored.as_ref().map(|(bytes, _)| Digest::of(bytes)).into(),
        stored.as_ref().map(|(_, envelope)| Digest::of(envelope)).into(),
        message_id,
        state.into(),
        reason.clone().into(),
        about.reader.into(),
    ];
    Draft {
        row,
        state,
        reason,
        stored,
    }
}

/// Pictures as parts of a message.
pub(super) fn inline(pictures: Vec<(String, Picture)>) -> Vec<Inline> {
    let parts = pictures.into_iter();
    parts.map(|(cid, picture)| Inline { cid, png: picture.png }).collect()
}

/// State of a message, why it is not sent, and what is sent.
type Fate = (&'static str, Option<String>, Option<Composed>);

/// A leak holds a message, whatever else is right with it.
fn fate(kind: &str, leak: Option<&str>, composed: Result<Composed, ComposeError>) -> Fate {
    if let Some(leak) = leak {
        return ("held", Some(leak.to_owned()), None);
    }
    match composed {
        Ok(composed) => ("queued", None, Some(composed)),
        Err(ComposeError::NoRecipient { .. }) => {
            ("no_recipient", Some(format!("no valid contact wants {kind}s")), None)
        }
        Err(e) => ("held", Some(e.to_string()), None),
    }
}

/// Titles of the programme's own metrics, by the last book that has them.
fn metric_titles(rules: &Rules) -> BTreeMap<String, String> {
    let own = rules.books().flat_map(|book| &book.own);
    own.map(|(name, metric)| (name.as_str().to_owned(), metric.title.clone()))
        .collect()
}

fn scheme_terms(book: &RuleBook) -> BTreeMap<SchemeId, SchemeTerms> {
    book.schemes
        .values()
        .map(|scheme| (scheme.id.clone(), SchemeTerms::of(scheme)))
        .collect()
}

/// The font files of a folder, by name.
fn fonts(folder: &Path) -> Result<Vec<Vec<u8>>, PipelineError> {
    let mut out = Vec::new();
    for (name, kind) in files::walk(folder).map_err(StoreError::from)? {
        let is_font = [".ttf", ".otf", ".ttc"].iter().any(|ending| name.ends_with(ending));
        if kind == files::FileKind::File && is_font {
            out.push(files::read(&folder.join(name)).map_err(StoreError::from)?);
        }
    }
    Ok(out)
}

/// Does work on items on all cores; results in the order of the items.
pub(super) fn in_lanes<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let lanes = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(items.len().max(1));
    if lanes == 1 {
        return items.iter().map(work).collect();
    }
    // every lane takes each so-many-th item, so that a heavy stretch is shared
    let lane = |first: usize| -> Vec<R> { items.iter().skip(first).step_by(lanes).map(&work).collect() };
    let mut done: Vec<std::vec::IntoIter<R>> = thread::scope(|scope| {
        let lane = &lane;
        let threads: Vec<_> = (0..lanes).map(|first| scope.spawn(move || lane(first))).collect();
        let joined = threads
            .into_iter()
            .map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.map(Vec::into_iter).collect()
    });
    (0..items.len()).filter_map(|i| done[i % lanes].next()).collect()
}
