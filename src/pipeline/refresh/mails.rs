//! Messages: the scorecards of ended periods, rendered once.
//!
//! Duty: which partner gets one for which period, its bytes into the private store, its row into the release. A
//! scorecard whose data did not change is the message that is there. Not its duty: what it says (`publishing`),
//! sending (`deliver`).

use std::collections::{BTreeMap, BTreeSet};

use super::messages::{Card, Messages, SCORECARD, Slot, due_periods};
use super::periods::ended_periods;
use super::{PipelineError, Refresh, Timeline};
use crate::delivery::{ComposeError, Composed, Directory, Outgoing, compose, recipients, visible_text};
use crate::domain::ids::{PartnerId, RegionId, SchemeId};
use crate::domain::{Date, Digest, Finding, Findings, Instant, Period, Place, Row, Table, Value, Zone};
use crate::publishing::inputs::{CardTerms, Programme};
use crate::publishing::{PartnerFrame, PublishingInputs, PublishingTables, Texts, render};
use crate::rules::RuleBook;
use crate::store::private::{self, Class};

/// Tables that messages are made from, read once.
struct Sources {
    partners: Table,
    domains: Table,
    calendar_partner_periods: Table,
    metrics: Table,
    scores: Table,
    partner_scores: Table,
    key_event_points: Table,
    rebates: Table,
    ledger: Table,
    /// With addresses and names, by partner.
    contacts: BTreeMap<String, Table>,
    /// Allowed mail domains by partner.
    mail_domains: BTreeMap<String, Vec<String>>,
    directory: Directory,
}

/// A message as it would be, before anything of it is kept.
struct Draft {
    row: Row,
    state: &'static str,
    reason: Option<String>,
    /// Bytes and envelope.
    stored: Option<(Vec<u8>, Vec<u8>)>,
    findings: Findings,
}

impl Refresh<'_> {
    /// Stages `messages`: those of the parent and the new ones.
    pub(super) fn mails(&mut self, timeline: &Timeline) -> Result<(), PipelineError> {
        let parent = self.parent_table("messages")?;
        let mut messages = Messages::of(self.task.config.contract("messages"), &parent)?;
        let periods = due_periods(&timeline.ended, self.ended_before()?.as_deref(), &messages.periods());
        if !periods.is_empty() {
            self.scorecards(&periods, timeline, &mut messages)?;
        }
        self.put(messages.table)
    }

    /// Periods that had ended by the present of the parent; without a parent, nothing was before.
    fn ended_before(&self) -> Result<Option<Vec<Period>>, PipelineError> {
        let Some(parent) = self.staging.parent() else {
            return Ok(None);
        };
        let then = Instant::parse(&parent.manifest.as_of)
            .map_err(|e| PipelineError::stage("as_of of the manifest")(e.to_string()))?;
        ended_periods(&self.task.config.rules, then).map(Some)
    }

    /// Adds the scorecards of some periods that are not there as they are now.
    fn scorecards(
        &mut self,
        periods: &[Period],
        timeline: &Timeline,
        messages: &mut Messages,
    ) -> Result<(), PipelineError> {
        let stage = PipelineError::stage("the scorecards");
        let config = self.task.config;
        let sources = self.sources()?;
        let contact = config.mail.reply_to.as_ref().unwrap_or(&config.mail.from);
        let programme = config.rules.programme();
        let shown = Programme {
            name: &programme.name,
            contact: &contact.address,
            as_of: self.task.as_of,
            contest_days: programme.contest_days,
            closed_on: None,
        };
        let mut inputs = sources.inputs(shown).map_err(|e| stage(e.to_string()))?;
        for period in periods.iter().copied() {
            messages.sealed = timeline.is_sealed(programme, period);
            inputs.programme.closed_on = timeline.closings.get(&period).map(|c| c.closed_on);
            for (partner, region) in cards(&sources.partner_scores, period)? {
                let card = Card {
                    partner: &partner,
                    region: &region,
                    period,
                };
                self.scorecard(&card, &inputs, &sources, messages)?;
            }
        }
        Ok(())
    }

    fn sources(&self) -> Result<Sources, PipelineError> {
        let partners = self.table("partners")?;
        Ok(Sources {
            domains: self.table("domains")?,
            calendar_partner_periods: self.table("calendar_partner_periods")?,
            metrics: self.table("metrics")?,
            scores: self.table("scores")?,
            partner_scores: self.table("partner_scores")?,
            key_event_points: self.table("key_event_points")?,
            rebates: self.table("rebates")?,
            ledger: self.table("ledger")?,
            contacts: by_partner(self.contacts()?),
            mail_domains: mail_domains(&partners)?,
            directory: Directory::from_partners(&partners)?,
            partners,
        })
    }

    /// One partner's scorecard: nothing, a new message, or the one that could not be sent made again.
    fn scorecard(
        &mut self,
        card: &Card<'_>,
        inputs: &PublishingInputs<'_>,
        sources: &Sources,
        messages: &mut Messages,
    ) -> Result<(), PipelineError> {
        let stage = PipelineError::stage("the scorecards");
        let rules = &self.task.config.rules;
        let first_day = rules.programme().calendar.first_day(card.period);
        let book = rules.book(card.region, first_day).map_err(|e| stage(e.to_string()))?;
        let titles = scheme_titles(book);
        let terms = CardTerms {
            grades: &book.grades,
            parts_mode: book.parts.mode,
            scheme_titles: &titles,
        };
        let frame = PartnerFrame::of(card.partner, card.period, inputs, &terms).map_err(|e| stage(e.to_string()))?;
        let Some(slot) = messages.slot(card, frame.data_hash) else {
            return Ok(());
        };
        let draft = self.draft(card, &frame, &slot, sources)?;
        if slot
            .instead_of
            .is_some_and(|row| messages.table.rows[row].starts_with(&draft.row))
        {
            return Ok(());
        }
        tracing::debug!(key = slot.key, region = %card.region, state = draft.state, "message");
        let row = self.keep(card, &slot, draft)?;
        messages.put(&slot, row);
        Ok(())
    }

    /// Renders, addresses and searches a scorecard.
    fn draft(
        &self,
        card: &Card<'_>,
        frame: &PartnerFrame,
        slot: &Slot,
        sources: &Sources,
    ) -> Result<Draft, PipelineError> {
        let texts = Texts::for_language(&frame.partner.language);
        let rendered = render(frame, &texts).map_err(|e| PipelineError::stage("the scorecards")(e.to_string()))?;
        let mail = &self.task.config.mail;
        let today = Zone::UTC.date_of(self.task.as_of);
        let domains = sources
            .mail_domains
            .get(card.partner.as_str())
            .map_or(&[][..], Vec::as_slice);
        let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
        let none = Table::new("contacts", &["partner_id"]);
        let contacts = sources.contacts.get(card.partner.as_str()).unwrap_or(&none);
        let (to, findings) = recipients(contacts, card.partner, SCORECARD, today, &domains)?;
        let html = visible_text(&rendered.html);
        let leaks = sources
            .directory
            .leaks(card.partner, &[&rendered.subject, &rendered.text, &html]);
        let composed = compose(&Outgoing {
            from: &mail.from,
            reply_to: mail.reply_to.as_ref(),
            recipients: &to,
            subject: &rendered.subject,
            text: &rendered.text,
            html: &rendered.html,
            message_key: &slot.key,
            date: self.task.as_of,
        });
        let (state, reason, composed) = fate(!leaks.is_empty(), composed);
        let message_id: Value = composed.as_ref().map(|c| c.message_id.as_str()).into();
        let stored = composed.map(|composed| {
            let envelope = serde_json::json!({ "from": composed.envelope.from, "to": composed.envelope.to });
            (composed.bytes, envelope.to_string().into_bytes())
        });
        let row = vec![
            slot.key.as_str().into(),
            slot.sequence.into(),
            card.partner.as_str().into(),
            card.period.to_string().into(),
            SCORECARD.into(),
            texts.language().into(),
            rendered.data_hash.into(),
            stored.as_ref().map(|(bytes, _)| Digest::of(bytes)).into(),
            stored.as_ref().map(|(_, envelope)| Digest::of(envelope)).into(),
            message_id,
            state.into(),
            reason.clone().into(),
        ];
        Ok(Draft {
            row,
            state,
            reason,
            stored,
            findings,
        })
    }

    /// Keeps the bytes of a message, counts it, and tells what is wrong with it.
    fn keep(&mut self, card: &Card<'_>, slot: &Slot, draft: Draft) -> Result<Row, PipelineError> {
        self.summary.findings.extend(draft.findings);
        match draft.state {
            "queued" => self.summary.messages += 1,
            "held" => self.summary.held_messages += 1,
            _ => self.summary.without_recipient += 1,
        }
        if draft.state == "held" {
            self.summary.findings.push(Finding::error(
                Place::file("messages").column(&slot.key),
                "message.held",
                format!(
                    "the scorecard of partner {} is held back: {}",
                    card.partner,
                    draft.reason.as_deref().unwrap_or("")
                ),
                "look at the names and ids in the partners feed; the others were queued",
            ));
        }
        if let Some((bytes, envelope)) = draft.stored
            && !self.task.dry
        {
            private::put_bytes(self.task.layout, Class::Mail, &bytes)?;
            private::put_bytes(self.task.layout, Class::Mail, &envelope)?;
        }
        Ok(draft.row)
    }

    /// The contacts feed with its personal values, for this moment only.
    fn contacts(&self) -> Result<Table, PipelineError> {
        let mut contacts = self.table("contacts")?;
        let arrivals: BTreeSet<i64> = contacts.iter().map(|r| r.int("arrival")).collect::<Result<_, _>>()?;
        let mut texts = self.personal.clone();
        texts.extend(private::texts(self.task.layout, Class::Personal, arrivals)?);
        let contract = self.task.config.contract("contacts");
        let personal: Vec<usize> = contract
            .columns
            .iter()
            .filter(|c| c.personal)
            .filter_map(|c| contacts.column(&c.name))
            .collect();
        // a text past its retention is gone: such a contact gets nothing
        contacts.rows.retain_mut(|row| {
            personal.iter().all(|i| match &row[*i] {
                Value::Text(token) => match texts.get(token.as_ref()) {
                    Some(text) => {
                        row[*i] = Value::text(text);
                        true
                    }
                    None => false,
                },
                _ => true,
            })
        });
        Ok(contacts)
    }
}

impl Sources {
    fn inputs<'a>(
        &'a self,
        programme: Programme<'a>,
    ) -> Result<PublishingInputs<'a>, crate::publishing::PublishingError> {
        PublishingInputs::new(
            programme,
            &PublishingTables {
                partners: &self.partners,
                domains: &self.domains,
                calendar_partner_periods: &self.calendar_partner_periods,
                metrics: &self.metrics,
                scores: &self.scores,
                partner_scores: &self.partner_scores,
                key_event_points: &self.key_event_points,
                rebates: &self.rebates,
                ledger: &self.ledger,
            },
        )
    }
}

/// Partners with a card for a period, with their region, sorted.
fn cards(partner_scores: &Table, period: Period) -> Result<Vec<(PartnerId, RegionId)>, PipelineError> {
    let stage = PipelineError::stage("the scorecards");
    let wanted = period.to_string();
    let mut cards = Vec::new();
    for row in partner_scores.iter() {
        if row.text("period")? == wanted {
            let partner = PartnerId::new(row.text("partner_id")?).map_err(|e| stage(e.to_string()))?;
            let region = RegionId::new(row.text("region")?).map_err(|e| stage(e.to_string()))?;
            cards.push((partner, region));
        }
    }
    cards.sort();
    Ok(cards)
}

/// State of a message, why it is not sent, and what is sent.
fn fate(leaks: bool, composed: Result<Composed, ComposeError>) -> (&'static str, Option<String>, Option<Composed>) {
    match composed {
        _ if leaks => (
            "held",
            Some("something of another partner stands in it".to_owned()),
            None,
        ),
        Ok(composed) => ("queued", None, Some(composed)),
        Err(ComposeError::NoRecipient { .. }) => (
            "no_recipient",
            Some("no valid contact wants scorecards".to_owned()),
            None,
        ),
        Err(e) => ("held", Some(e.to_string()), None),
    }
}

fn scheme_titles(book: &RuleBook) -> BTreeMap<SchemeId, String> {
    book.schemes.values().map(|s| (s.id.clone(), s.title.clone())).collect()
}

/// Allowed mail domains of the latest version of each partner.
fn mail_domains(partners: &Table) -> Result<BTreeMap<String, Vec<String>>, PipelineError> {
    let mut latest: BTreeMap<&str, (Date, &str)> = BTreeMap::new();
    for row in partners.iter() {
        let (partner, from) = (row.text("partner_id")?, row.date("valid_from")?);
        if latest.get(partner).is_none_or(|(known, _)| *known < from) {
            latest.insert(partner, (from, row.opt_text("allowed_mail_domains")?.unwrap_or("")));
        }
    }
    let listed = |list: &str| -> Vec<String> {
        let domains = list.split('|').map(str::trim).filter(|d| !d.is_empty());
        domains.map(str::to_owned).collect()
    };
    Ok(latest
        .into_iter()
        .map(|(partner, (_, list))| (partner.to_owned(), listed(list)))
        .collect())
}

/// The rows of each partner, in their order.
fn by_partner(table: Table) -> BTreeMap<String, Table> {
    let mut out = BTreeMap::new();
    let Some(column) = table.column("partner_id") else {
        return out;
    };
    let columns = table.columns().to_vec();
    let name = table.name().to_owned();
    for row in table.rows {
        let of = out.entry(row[column].to_string());
        of.or_insert_with(|| Table::with_columns(&name, columns.clone()))
            .push(row);
    }
    out
}
