//! Letters to the programme's own people: digests, settlement summaries, run reports.
//!
//! Duty: which reader is to get which of them in this run, and from which tables. Not its duty: what it says
//! (`publishing::readers`), bytes (`press`), who reads what (`pipelines/readers.toml`).
//!
//! | letter | made |
//! |---|---|
//! | digest | when the latest period that has ended has none, and once more when a period is closed |
//! | settlement | when a posting period is closed, once |
//! | operations | when what is to look at differs from the last one; the last says that nothing is left |
//!
//! One that could not go is made again in its place until it can.

use std::collections::BTreeSet;

use super::mails::Addresses;
use super::messages::{DIGEST, Messages, OPERATIONS, SETTLEMENT, begins};
use super::press::{Content, Press, inline};
use super::{PipelineError, Refresh, Timeline};
use crate::domain::{Period, Zone};
use crate::edges::mail::Reader;
use crate::publishing::PublishingError;
use crate::publishing::letter::Letter;
use crate::publishing::readers::{self, Scope, Seen, Tables, Told};

/// A digest once a period is closed has a key that says so.
const FINAL_DIGEST: &str = "digest-final";

/// What is told to a reader in this run.
struct Wanted {
    kind: &'static str,
    /// What its key begins with.
    key: &'static str,
    period: Period,
}

/// What a kind of letter is made from, beside the messages themselves.
fn tables_of(kind: &str) -> &'static [&'static str] {
    match kind {
        DIGEST => &[
            "partners",
            "domains",
            "partner_scores",
            "score_changes",
            "authorisation_findings",
            "reviews",
            "key_event_points",
            "claim_states",
        ],
        SETTLEMENT => &["partners", "domains", "settlements", "statements", "decisions"],
        _ => &["files", "quarantine", "freshness"],
    }
}

impl Refresh<'_> {
    /// Adds the letters that readers have not had.
    pub(super) fn letters(
        &mut self,
        timeline: &Timeline,
        (press, addresses): (&Press<'_>, &Addresses),
        messages: &mut Messages,
    ) -> Result<(), PipelineError> {
        let mut tables = Tables::new();
        for reader in &self.task.config.readers {
            for wanted in self.wanted_letters(reader, timeline, messages)? {
                for name in tables_of(wanted.kind) {
                    if !tables.contains_key(name) {
                        tables.insert(name, self.table(name)?);
                    }
                }
                if wanted.kind == OPERATIONS {
                    tables.insert("messages", messages.table.clone());
                }
                self.letter(reader, &wanted, (timeline, &tables), (press, addresses), messages)?;
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
        let was_told = |wanted: &Wanted| {
            messages.letters(wanted.kind, &reader.id).any(|(period, latest)| {
                latest.queued && *period == wanted.period && begins(&latest.key, wanted.key, wanted.period)
            })
        };
        let programme = self.task.config.rules.programme();
        // closed in this run, or before and not told of since
        let closed = |kind: &str, key: &str, now: &[Period]| -> BTreeSet<Period> {
            let unsent = messages.unsent_letters(kind, &reader.id);
            let unsent = unsent.filter(|(known, period, _)| begins(known, key, *period));
            now.iter().copied().chain(unsent.map(|(_, period, _)| period)).collect()
        };
        let mut wanted = Vec::new();
        if wants(DIGEST) {
            // somebody new is told of the latest period, and from then on of every one that is closed
            let is_final_now = |period: &&Period| self.summary.closed.iter().any(|closed| period.ends_in(*closed));
            let now: Vec<Period> = timeline.ended.iter().filter(is_final_now).copied().collect();
            let (mut finals, latest) = (closed(DIGEST, FINAL_DIGEST, &now), timeline.ended.last().copied());
            match latest {
                Some(period) if timeline.closing_of(programme, period).is_some() => _ = finals.insert(period),
                latest => wanted.extend(latest.map(|period| Wanted {
                    kind: DIGEST,
                    key: DIGEST,
                    period,
                })),
            }
            wanted.extend(finals.into_iter().map(|period| Wanted {
                kind: DIGEST,
                key: FINAL_DIGEST,
                period,
            }));
        }
        if wants(SETTLEMENT) {
            let now = &self.summary.closed;
            wanted.extend(closed(SETTLEMENT, SETTLEMENT, now).into_iter().map(|period| Wanted {
                kind: SETTLEMENT,
                key: SETTLEMENT,
                period,
            }));
        }
        wanted.retain(|wanted| !was_told(wanted));
        // whether there is something new to look at shows when it is written
        if wants(OPERATIONS) {
            let first = Period::parse(&programme.first_period);
            let first = first.map_err(|e| PipelineError::stage("the first period")(e.to_string()))?;
            let today = Zone::UTC.date_of(self.task.as_of);
            let period = programme.calendar.period_of(today, first.kind());
            wanted.extend(period.map(|period| Wanted {
                kind: OPERATIONS,
                key: OPERATIONS,
                period,
            }));
        }
        Ok(wanted)
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
        let seen = match wanted.kind {
            OPERATIONS => None,
            _ => Some(Seen::new(tables, &scope).map_err(failed)?),
        };
        let written = self.written(seen.as_ref(), (reader, wanted), timeline, (tables, press));
        let Some(letter) = written.map_err(failed)? else {
            return Ok(());
        };
        let data_hash = letter.hash();
        if wanted.kind == OPERATIONS {
            let is_same = match messages.letters(OPERATIONS, &reader.id).next_back() {
                Some((_, latest)) => latest.queued && latest.data_hash == data_hash.to_string(),
                None => readers::nothing_left(&letter),
            };
            if is_same {
                return Ok(());
            }
        }
        let slot = messages.letter_slot(wanted.kind, &reader.id, (wanted.key, wanted.period), data_hash);
        let texts = press.look.catalogues.of(&reader.language);
        let rendered = letter.render(wanted.kind, texts, &press.look).map_err(failed)?;
        let content = Content {
            kind: wanted.kind,
            subject: letter.subject,
            text: rendered.text,
            html: rendered.html,
            inline: inline(rendered.pictures),
            attachments: Vec::new(),
            attached_words: Vec::new(),
            data_hash,
        };
        let limits = seen.as_ref().filter(|_| !scope.is_all());
        let about = (reader, wanted.period);
        let draft = press.letter(about, &content, (&slot, texts.language()), (limits, addresses));
        self.settle_draft(wanted.kind, &format!("reader {}", reader.id), &slot, draft, messages)
    }

    /// What is told; nothing where there is nothing of a period.
    fn written(
        &self,
        seen: Option<&Seen<'_>>,
        (reader, wanted): (&Reader, &Wanted),
        timeline: &Timeline,
        (tables, press): (&Tables, &Press<'_>),
    ) -> Result<Option<Letter>, PublishingError> {
        let texts = press.look.catalogues.of(&reader.language);
        let programme = self.task.config.rules.programme();
        let closed_on = timeline.closing_of(programme, wanted.period).map(|c| c.closed_on);
        let Some(seen) = seen else {
            return readers::operations(tables, &programme.name, self.task.as_of, texts).map(Some);
        };
        if wanted.kind == SETTLEMENT {
            let Some(closed_on) = closed_on else { return Ok(None) };
            let period = (wanted.period, closed_on);
            return readers::settlement(seen, &programme.name, period, &self.scheme_titles(), texts).map(Some);
        }
        let seen_of: BTreeSet<&str> = reader
            .regions
            .iter()
            .chain(&reader.partners)
            .map(String::as_str)
            .collect();
        let told = Told {
            programme: &programme.name,
            period: wanted.period,
            days: (
                programme.calendar.first_day(wanted.period),
                programme.calendar.last_day(wanted.period),
            ),
            closed_on,
            as_of: self.task.as_of,
            regions: &seen_of.into_iter().collect::<Vec<_>>().join(", "),
        };
        let can_draw = |text: &str| press.look.painter.can_draw(text);
        readers::digest(seen, &told, texts, &can_draw).map(Some)
    }
}
