//! Letters to the programme's own people: digests, settlement summaries, run reports.
//!
//! Duty: which reader is to get which of them in this run, its bytes, its row. Not its duty: what it says
//! (`publishing::readers`), who reads what (`pipelines/readers.toml`).
//!
//! | letter | made |
//! |---|---|
//! | digest | when the latest period that has ended has none, and once more when a period is closed |
//! | settlement | when a posting period is closed, once |
//! | operations | when what is to look at differs from the last one; the last says that nothing is left |

use std::collections::BTreeSet;

use super::mails::Addresses;
use super::messages::{DIGEST, Messages, OPERATIONS, SETTLEMENT};
use super::press::Press;
use super::{PipelineError, Refresh, Timeline};
use crate::delivery::{ComposeError, Inline, List, Outgoing, compose_listed, reader_key, visible_text};
use crate::domain::ids::PartnerId;
use crate::domain::{Digest, Finding, Period, Place, Value, Zone};
use crate::edges::mail::Reader;
use crate::publishing::PublishingError;
use crate::publishing::letter::Letter;
use crate::publishing::readers::{self, Scope, Seen, Tables, Told};
use crate::store::private::{self, Class};

/// What letters are made from.
const TABLES: [&str; 15] = [
    "partners",
    "domains",
    "partner_scores",
    "score_changes",
    "authorisation_findings",
    "reviews",
    "key_event_points",
    "claim_states",
    "settlements",
    "statements",
    "decisions",
    "files",
    "quarantine",
    "freshness",
    "messages",
];

/// A digest once a period is closed has a key that says so.
const FINAL_DIGEST: &str = "digest-final";

/// What is told to a reader in this run.
struct Wanted {
    kind: &'static str,
    period: Period,
    /// What its key begins with.
    key: &'static str,
}

impl Refresh<'_> {
    /// Adds the letters that readers have not had.
    pub(super) fn letters(
        &mut self,
        timeline: &Timeline,
        (press, addresses): (&Press<'_>, &Addresses),
        messages: &mut Messages,
    ) -> Result<(), PipelineError> {
        let config = self.task.config;
        if config.readers.is_empty() {
            return Ok(());
        }
        let mut tables: Option<Tables> = None;
        for reader in &config.readers {
            for wanted in self.wanted_letters(reader, timeline, messages)? {
                if tables.is_none() {
                    tables = Some(self.letter_tables(messages)?);
                }
                if let Some(tables) = &tables {
                    self.letter(reader, &wanted, (timeline, tables), (press, addresses), messages)?;
                }
            }
        }
        Ok(())
    }

    fn wanted_letters(
        &self,
        reader: &Reader,
        timeline: &Timeline,
        messages: &Messages,
    ) -> Result<Vec<Wanted>, PipelineError> {
        let wants = |kind: &str| reader.wants.iter().any(|wanted| wanted == kind);
        let told = |kind: &str, period: Period, key: &str| {
            let begin = format!("{key}-{}", period.to_string().to_ascii_lowercase());
            messages
                .told(kind, &reader.id)
                .any(|(of, known, _)| of == period && known.starts_with(&begin))
        };
        let mut wanted = Vec::new();
        if wants(DIGEST) {
            // somebody new is told of the latest period, and from then on of every one that is closed
            let latest = timeline.ended.last().copied();
            for period in self.summary.closed.iter().copied().filter(|p| Some(*p) != latest) {
                if !told(DIGEST, period, FINAL_DIGEST) {
                    wanted.push(Wanted {
                        kind: DIGEST,
                        period,
                        key: FINAL_DIGEST,
                    });
                }
            }
            if let Some(period) = latest {
                let key = if timeline.closings.contains_key(&period) {
                    FINAL_DIGEST
                } else {
                    DIGEST
                };
                if !told(DIGEST, period, key) {
                    wanted.push(Wanted {
                        kind: DIGEST,
                        period,
                        key,
                    });
                }
            }
        }
        if wants(SETTLEMENT) {
            for period in self.summary.closed.iter().copied() {
                if !told(SETTLEMENT, period, SETTLEMENT) {
                    wanted.push(Wanted {
                        kind: SETTLEMENT,
                        period,
                        key: SETTLEMENT,
                    });
                }
            }
        }
        if wants(OPERATIONS) {
            let programme = self.task.config.rules.programme();
            let first = Period::parse(&programme.first_period);
            let first = first.map_err(|e| PipelineError::stage("the first period")(e.to_string()))?;
            let today = Zone::UTC.date_of(self.task.as_of);
            let period = programme.calendar.period_of(today, first.kind());
            wanted.extend(period.map(|period| Wanted {
                kind: OPERATIONS,
                period,
                key: OPERATIONS,
            }));
        }
        Ok(wanted)
    }

    /// The tables as they are so far in this run.
    fn letter_tables(&self, messages: &Messages) -> Result<Tables, PipelineError> {
        let mut tables = Tables::new();
        for name in TABLES {
            let table = if name == "messages" {
                messages.table.clone()
            } else {
                self.table(name)?
            };
            tables.insert(name, table);
        }
        Ok(tables)
    }

    fn letter(
        &mut self,
        reader: &Reader,
        wanted: &Wanted,
        (timeline, tables): (&Timeline, &Tables),
        (press, addresses): (&Press<'_>, &Addresses),
        messages: &mut Messages,
    ) -> Result<(), PipelineError> {
        let failed = |e: PublishingError| PipelineError::stage("the letters to readers")(e.to_string());
        let scope = Scope {
            regions: reader.regions.clone(),
            partners: reader.partners.clone(),
        };
        let seen = Seen::new(tables, &scope).map_err(failed)?;
        let texts = press.look.catalogues.of(&reader.language);
        let Some(letter) = self
            .written(&seen, (reader, wanted), timeline, (tables, press))
            .map_err(failed)?
        else {
            return Ok(());
        };
        let data_hash = letter.hash();
        if wanted.kind == OPERATIONS {
            let last = messages.told(OPERATIONS, &reader.id).last();
            let is_same = match last {
                Some((.., known)) => known == data_hash.to_string(),
                None => readers::nothing_left(&letter),
            };
            if is_same {
                return Ok(());
            }
        }
        // what was to look at may come back: then it is told of again
        let before = messages
            .told(wanted.kind, &reader.id)
            .last()
            .map(|(_, key, _)| key.to_owned());
        let content = Digest::of(format!("{data_hash}{}", before.unwrap_or_default()).as_bytes());
        let slot = messages.next_slot(reader_key(wanted.key, wanted.period, &reader.id, content));
        let rendered = letter.render(wanted.kind, texts, &press.look).map_err(failed)?;
        let visible = visible_text(&rendered.html);
        let may_see = |partner: &PartnerId| seen.takes(partner.as_str());
        let leaks = if scope.is_all() {
            Vec::new()
        } else {
            addresses
                .directory
                .leaks_beyond(&may_see, &[&letter.subject, &rendered.text, &visible])
        };
        let mail = &self.task.config.mail;
        let inline: Vec<Inline> = rendered
            .pictures
            .into_iter()
            .map(|(cid, picture)| Inline { cid, png: picture.png })
            .collect();
        let outgoing = Outgoing {
            from: &mail.from,
            reply_to: mail.reply_to.as_ref(),
            recipients: std::slice::from_ref(&reader.to),
            subject: &letter.subject,
            text: &rendered.text,
            html: &rendered.html,
            inline: &inline,
            attachments: &[],
            message_key: &slot.key,
            date: self.task.as_of,
        };
        let list = List {
            name: &letter.heading,
            id: &format!("{}-{}", wanted.kind, reader.id),
            leave: mail.reply_to.as_ref().unwrap_or(&mail.from),
        };
        let composed = compose_listed(&outgoing, &list);
        let (state, reason, stored) = match composed {
            _ if !leaks.is_empty() => (
                "held",
                Some("something that the reader may not see stands in it".to_owned()),
                None,
            ),
            Ok(composed) => {
                let envelope = serde_json::json!({ "from": composed.envelope.from, "to": composed.envelope.to });
                (
                    "queued",
                    None,
                    Some((composed.bytes, envelope.to_string().into_bytes(), composed.message_id)),
                )
            }
            Err(ComposeError::NoRecipient { .. }) => {
                ("no_recipient", Some("the reader has no address".to_owned()), None)
            }
            Err(e) => ("held", Some(e.to_string()), None),
        };
        if state == "queued" {
            self.summary.messages += 1;
        } else {
            self.summary.held_messages += 1;
            self.summary.findings.push(Finding::error(
                Place::file("messages").column(&slot.key),
                "message.held",
                format!(
                    "the {} to reader {} is held back: {}",
                    wanted.kind,
                    reader.id,
                    reason.as_deref().unwrap_or("")
                ),
                "look at the names and ids in the partners feed, and at pipelines/readers.toml",
            ));
        }
        if let Some((bytes, envelope, _)) = &stored
            && !self.task.dry
        {
            private::put_bytes(self.task.layout, Class::Mail, bytes)?;
            private::put_bytes(self.task.layout, Class::Mail, envelope)?;
        }
        let row = vec![
            slot.key.as_str().into(),
            slot.sequence.into(),
            Value::Null,
            wanted.period.to_string().into(),
            wanted.kind.into(),
            texts.language().into(),
            data_hash.into(),
            stored.as_ref().map(|(bytes, ..)| Digest::of(bytes)).into(),
            stored.as_ref().map(|(_, envelope, _)| Digest::of(envelope)).into(),
            stored.as_ref().map(|(.., id)| id.as_str()).into(),
            state.into(),
            reason.into(),
            reader.id.as_str().into(),
        ];
        messages.put(&slot, row);
        Ok(())
    }

    /// What is told; nothing where there is nothing of a period.
    fn written(
        &self,
        seen: &Seen<'_>,
        (reader, wanted): (&Reader, &Wanted),
        timeline: &Timeline,
        (tables, press): (&Tables, &Press<'_>),
    ) -> Result<Option<Letter>, PublishingError> {
        let texts = press.look.catalogues.of(&reader.language);
        let programme = self.task.config.rules.programme();
        let closed_on = timeline.closings.get(&wanted.period).map(|c| c.closed_on);
        Ok(match (wanted.kind, closed_on) {
            (OPERATIONS, _) => Some(readers::operations(tables, &programme.name, self.task.as_of, texts)?),
            (SETTLEMENT, Some(closed_on)) => Some(readers::settlement(
                seen,
                &programme.name,
                (wanted.period, closed_on),
                &self.scheme_titles(),
                texts,
            )?),
            (DIGEST, closed_on) => {
                let calendar = programme.calendar;
                let regions: Vec<&str> = reader
                    .regions
                    .iter()
                    .chain(&reader.partners)
                    .map(String::as_str)
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect();
                let told = Told {
                    programme: &programme.name,
                    period: wanted.period,
                    days: (calendar.first_day(wanted.period), calendar.last_day(wanted.period)),
                    closed_on,
                    as_of: self.task.as_of,
                    regions: &regions.join(", "),
                };
                let can_draw = |text: &str| press.look.painter.can_draw(text);
                Some(readers::digest(seen, &told, texts, &can_draw)?)
            }
            _ => None,
        })
    }
}
