//! Messages: the scorecards of the latest ended period, rendered once.
//!
//! Duty: which partner gets one, its bytes into the private store, its row into the release. A scorecard whose data did
//! not change is the message that is there. Not its duty: what it says (`publishing`), sending (`deliver`).

use std::collections::{BTreeMap, BTreeSet};

use super::{PipelineError, Refresh, Timeline};
use crate::delivery::{ComposeError, Directory, Outgoing, compose, message_key, recipients, visible_text};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Date, Finding, Period, Place, Row, Table, Value};
use crate::publishing::inputs::{CardTerms, Programme};
use crate::publishing::{PartnerFrame, PublishingInputs, PublishingTables, Scorecard, Texts, render};
use crate::rules::RuleBook;
use crate::store::private::{self, Class};

/// Kind of the only message there is so far, and what a contact `wants` to get it.
const SCORECARD: &str = "scorecard";

/// Everything about the partner of one message.
struct Addressee<'a> {
    partner: &'a PartnerId,
    region: &'a str,
    mail_domains: Vec<&'a str>,
}

impl Refresh<'_> {
    /// Stages `messages`: those of the parent and the new ones.
    pub(super) fn mails(&mut self, timeline: &Timeline) -> Result<(), PipelineError> {
        let contract = self.task.config.contract("messages");
        let mut messages = self.parent_table("messages")?;
        let names = contract.columns.iter().map(|c| c.name.clone()).collect();
        if let Some(period) = timeline.ended.last().copied() {
            let new = self.new_messages(period, timeline, &messages)?;
            messages.rows.extend(new);
        }
        let mut table = Table::with_columns("messages", names);
        table.rows = messages.rows;
        self.put(table)
    }

    fn new_messages(&mut self, period: Period, timeline: &Timeline, known: &Table) -> Result<Vec<Row>, PipelineError> {
        let partners = self.table("partners")?;
        let tables = [
            "domains",
            "calendar_partner_periods",
            "metrics",
            "scores",
            "partner_scores",
            "key_event_points",
            "rebates",
            "ledger",
        ]
        .into_iter()
        .map(|name| Ok((name, self.table(name)?)))
        .collect::<Result<BTreeMap<&str, Table>, PipelineError>>()?;
        let contacts = self.contacts()?;
        let stage = PipelineError::stage("the scorecards");
        let config = self.task.config;
        let programme = config.rules.programme();
        let mail = &config.mail;
        let contact = mail.reply_to.as_ref().unwrap_or(&mail.from).address.clone();
        let shown = Programme {
            name: &programme.name,
            contact: &contact,
            as_of: self.task.as_of,
            contest_days: programme.contest_days,
            closed_on: timeline.closings.get(&period).map(|c| c.closed_on),
        };
        let inputs = PublishingInputs::new(
            shown,
            &PublishingTables {
                partners: &partners,
                domains: &tables["domains"],
                calendar_partner_periods: &tables["calendar_partner_periods"],
                metrics: &tables["metrics"],
                scores: &tables["scores"],
                partner_scores: &tables["partner_scores"],
                key_event_points: &tables["key_event_points"],
                rebates: &tables["rebates"],
                ledger: &tables["ledger"],
            },
        )
        .map_err(|e| stage(e.to_string()))?;
        let directory = Directory::from_partners(&partners)?;
        let mut keys: BTreeSet<String> = BTreeSet::new();
        for row in known.iter() {
            keys.insert(row.text("message_key")?.to_owned());
        }
        let mut sequence = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        let first_day = programme.calendar.first_day(period);
        let wanted = period.to_string();
        let mut cards: Vec<(PartnerId, String)> = Vec::new();
        for row in tables["partner_scores"]
            .iter()
            .filter(|r| r.text("period").is_ok_and(|p| p == wanted))
        {
            let partner = PartnerId::new(row.text("partner_id")?).map_err(|e| stage(e.to_string()))?;
            cards.push((partner, row.text("region")?.to_owned()));
        }
        cards.sort();
        let mut out = Vec::new();
        for (partner, region) in &cards {
            let region_id = crate::domain::ids::RegionId::new(region).map_err(|e| stage(e.to_string()))?;
            let book = config
                .rules
                .book(&region_id, first_day)
                .map_err(|e| stage(e.to_string()))?;
            let titles = scheme_titles(book);
            let terms = CardTerms {
                grades: &book.grades,
                parts_mode: book.parts.mode,
                scheme_titles: &titles,
            };
            let frame = PartnerFrame::of(partner, period, &inputs, &terms).map_err(|e| stage(e.to_string()))?;
            let key = message_key(SCORECARD, period, partner, frame.data_hash);
            if keys.contains(&key) {
                continue;
            }
            let texts = Texts::for_language(&frame.partner.language);
            let card = render(&frame, &texts).map_err(|e| stage(e.to_string()))?;
            sequence += 1;
            let addressee = Addressee {
                partner,
                region,
                mail_domains: mail_domains(&partners, partner)?,
            };
            out.push(self.message(sequence, &key, &addressee, &card, &texts, &contacts, &directory, period)?);
        }
        Ok(out)
    }

    #[expect(clippy::too_many_arguments, reason = "one message needs all of it once")]
    fn message(
        &mut self,
        sequence: i64,
        key: &str,
        addressee: &Addressee<'_>,
        card: &Scorecard,
        texts: &Texts,
        contacts: &Table,
        directory: &Directory,
        period: Period,
    ) -> Result<Row, PipelineError> {
        let mail = &self.task.config.mail;
        let today = crate::domain::Zone::UTC.date_of(self.task.as_of);
        let (to, findings) = recipients(contacts, addressee.partner, SCORECARD, today, &addressee.mail_domains)?;
        self.summary.findings.extend(findings);
        let html = visible_text(&card.html);
        let leaks = directory.leaks(addressee.partner, &[&card.subject, &card.text, &html]);
        let outgoing = Outgoing {
            from: &mail.from,
            reply_to: mail.reply_to.as_ref(),
            recipients: &to,
            subject: &card.subject,
            text: &card.text,
            html: &card.html,
            message_key: key,
            date: self.task.as_of,
        };
        let (state, reason, composed) = if !leaks.is_empty() {
            (
                "held",
                Some("something of another partner stands in it".to_owned()),
                None,
            )
        } else {
            match compose(&outgoing) {
                Ok(composed) => ("queued", None, Some(composed)),
                Err(ComposeError::NoRecipient { .. }) => (
                    "no_recipient",
                    Some("no valid contact wants scorecards".to_owned()),
                    None,
                ),
                Err(e) => ("held", Some(e.to_string()), None),
            }
        };
        match state {
            "queued" => self.summary.messages += 1,
            "held" => self.summary.held_messages += 1,
            _ => self.summary.without_recipient += 1,
        }
        if state == "held" {
            self.summary.findings.push(Finding::error(
                Place::file("messages").column(key),
                "message.held",
                format!(
                    "the scorecard of partner {} is held back: {}",
                    addressee.partner,
                    reason.as_deref().unwrap_or("")
                ),
                "look at the names and ids in the partners feed; the others were queued",
            ));
        }
        let (mut content, mut envelope, mut message_id) = (Value::Null, Value::Null, Value::Null);
        if let Some(composed) = composed {
            let parts = serde_json::json!({ "from": composed.envelope.from, "to": composed.envelope.to });
            let parts = parts.to_string();
            content = crate::domain::Digest::of(&composed.bytes).into();
            envelope = crate::domain::Digest::of(parts.as_bytes()).into();
            message_id = composed.message_id.as_str().into();
            if !self.task.dry {
                private::put_bytes(self.task.layout, Class::Mail, &composed.bytes)?;
                private::put_bytes(self.task.layout, Class::Mail, parts.as_bytes())?;
            }
        }
        tracing::debug!(key, region = addressee.region, state, "message");
        Ok(vec![
            key.into(),
            sequence.into(),
            addressee.partner.as_str().into(),
            period.to_string().into(),
            SCORECARD.into(),
            texts.language().into(),
            card.data_hash.into(),
            content,
            envelope,
            message_id,
            state.into(),
            reason.into(),
        ])
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

fn scheme_titles(book: &RuleBook) -> BTreeMap<SchemeId, String> {
    book.schemes.values().map(|s| (s.id.clone(), s.title.clone())).collect()
}

/// Allowed mail domains of the latest version of a partner.
fn mail_domains<'a>(partners: &'a Table, partner: &PartnerId) -> Result<Vec<&'a str>, PipelineError> {
    let mut latest: Option<(Date, &str)> = None;
    for row in partners.iter().filter(|r| r.text("partner_id") == Ok(partner.as_str())) {
        let from = row.date("valid_from")?;
        if latest.is_none_or(|(known, _)| known < from) {
            latest = Some((from, row.opt_text("allowed_mail_domains")?.unwrap_or("")));
        }
    }
    Ok(latest.map_or_else(Vec::new, |(_, list)| {
        list.split('|').map(str::trim).filter(|d| !d.is_empty()).collect()
    }))
}
