//! Messages: the scorecards of ended periods, rendered once; statements after them.
//!
//! Duty: which partner gets one for which period and in which languages, its bytes into the private store, its row into
//! the release. A scorecard whose data did not change is the message that is there. Not its duty: what it says
//! (`publishing`), bytes of a message (`press`), sending (`deliver`).
//!
//! Frames and bytes are made on all cores, a batch of partners at a time; places in the order of sending are given out
//! between the two, one after the other, so that cores change nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::messages::{Card, Messages, SCORECARD, Slot, due_periods};
use super::periods::ended_periods;
use super::press::{Draft, Press, in_lanes};
use super::{PipelineError, Refresh, Timeline};
use crate::delivery::{Directory, Recipient};
use crate::domain::ids::{PartnerId, RegionId};
use crate::domain::{Date, Finding, Instant, Period, Place, Row, Table, Value};
use crate::publishing::frame::Earlier;
use crate::publishing::inputs::Programme;
use crate::publishing::{PartnerFrame, PublishingInputs, PublishingTables};
use crate::store::private::{self, Class};

/// Cards that are in memory at once.
pub(super) const BATCH: usize = 256;

/// Tables that scorecards are made from, read once.
pub(super) struct Sources {
    partners: Table,
    domains: Table,
    calendar_partner_periods: Table,
    metrics: Table,
    scores: Table,
    partner_scores: Table,
    key_event_points: Table,
    rebates: Table,
    ledger: Table,
    score_changes: Table,
    next_steps: Table,
    effective_certifications: Table,
    engineers: Table,
    reviews: Table,
    review_criteria: Table,
}

/// Whom messages may go to.
pub(super) struct Addresses {
    /// With addresses and names, by partner.
    pub(super) contacts: BTreeMap<String, Table>,
    /// Allowed mail domains by partner.
    pub(super) mail_domains: BTreeMap<String, Vec<String>>,
    pub(super) directory: Directory,
}

/// A card of which a message is to be made.
struct Wanted<'a> {
    card: &'a Card<'a>,
    frame: &'a PartnerFrame,
    language: String,
    to: Vec<Recipient>,
    slot: Slot,
}

impl Refresh<'_> {
    /// Stages `messages`: those of the parent and the new ones.
    pub(super) fn mails(&mut self, timeline: &Timeline) -> Result<(), PipelineError> {
        let parent = self.parent_table("messages")?;
        let mut messages = Messages::of(self.task.config.contract("messages"), &parent)?;
        let addresses = self.addresses()?;
        let press = Press::new(self.task)?;
        let periods = due_periods(&timeline.ended, self.ended_before()?.as_deref(), &messages.periods());
        if !periods.is_empty() {
            self.scorecards(&periods, timeline, (&press, &addresses), &mut messages)?;
        }
        self.statements((&press, &addresses), &mut messages)?;
        self.letters(timeline, (&press, &addresses), &mut messages)?;
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
        (press, addresses): (&Press<'_>, &Addresses),
        messages: &mut Messages,
    ) -> Result<(), PipelineError> {
        let stage = PipelineError::stage("the scorecards");
        let programme = self.task.config.rules.programme();
        let sources = Sources::read(&|name| self.table(name))?;
        let mut inputs = sources.inputs(press.programme()).map_err(|e| stage(e.to_string()))?;
        // what partners were told, by the release before: read when something is to be corrected
        let mut earlier: Option<Sources> = None;
        for period in periods.iter().copied() {
            messages.sealed = timeline.is_sealed(programme, period);
            inputs.programme.closed_on = timeline.closing_of(programme, period).map(|c| c.closed_on);
            let latest = periods.last() == Some(&period);
            let partners = cards(&sources.partner_scores, period)?;
            for batch in partners.chunks(BATCH) {
                let cards: Vec<Card<'_>> = batch
                    .iter()
                    .map(|(partner, region)| Card {
                        partner,
                        region,
                        period,
                    })
                    .collect();
                let frames = in_lanes(&cards, |card| press.frame(card, &inputs));
                let frames = frames.into_iter().collect::<Result<Vec<_>, _>>()?;
                let mut wanted = Vec::new();
                for (card, frame) in cards.iter().zip(&frames) {
                    self.wanted(card, frame, latest, (press, addresses), messages, &mut wanted)?;
                }
                if earlier.is_none() && wanted.iter().any(|w| w.slot.corrects.is_some()) {
                    earlier = Some(Sources::read(&|name| self.parent_table(name))?);
                }
                let before = match &earlier {
                    Some(sources) => self.inputs_before(sources, press, period),
                    None => None,
                };
                let draft = |wanted: &Wanted<'_>| {
                    let earlier = wanted.slot.corrects.as_ref().map(|hash| Earlier {
                        frame: before
                            .as_ref()
                            .and_then(|inputs| press.frame(wanted.card, inputs).ok())
                            // what is not what was sent is not shown as that
                            .filter(|frame| frame.data_hash.to_string() == *hash),
                    });
                    let slot = (&wanted.slot, wanted.language.as_str());
                    press.scorecard(
                        wanted.card,
                        (wanted.frame, earlier.as_ref()),
                        slot,
                        (&wanted.to, addresses),
                    )
                };
                for (wanted, draft) in wanted.iter().zip(in_lanes(&wanted, draft)) {
                    self.settle_draft(SCORECARD, &wanted.card.whose(), &wanted.slot, draft?, messages)?;
                }
            }
        }
        Ok(())
    }

    /// The messages of a card that are not there, one for each language of those who get it.
    fn wanted<'a>(
        &mut self,
        card: &'a Card<'a>,
        frame: &'a PartnerFrame,
        latest: bool,
        (press, addresses): (&Press<'_>, &Addresses),
        messages: &mut Messages,
        out: &mut Vec<Wanted<'a>>,
    ) -> Result<(), PipelineError> {
        let (mut groups, findings) = press.recipients(card.partner, SCORECARD, &frame.partner.language, addresses)?;
        // somebody new is not sent the cards of the past
        let told = messages.languages(card);
        if !latest && groups.keys().any(|language| told.contains(language)) {
            groups.retain(|language, _| told.contains(language));
        }
        let mut findings = Some(findings);
        let read: BTreeSet<String> = groups.keys().cloned().collect();
        for (language, to) in groups {
            let Some(slot) = messages.slot(card, (&language, &read), frame.data_hash) else {
                continue;
            };
            // of a partner's contacts once
            self.summary.findings.extend(findings.take().unwrap_or_default());
            out.push(Wanted {
                card,
                frame,
                language,
                to,
                slot,
            });
        }
        Ok(())
    }

    /// The inputs that scorecards were made from in the release before; none where that was made by another version.
    fn inputs_before<'s>(
        &self,
        sources: &'s Sources,
        press: &'s Press<'_>,
        period: Period,
    ) -> Option<PublishingInputs<'s>> {
        let periods = self.parent_table("periods").ok()?;
        let name = period.to_string();
        let closed = periods.iter().find(|row| row.text("period") == Ok(name.as_str()));
        let closed_on = closed.and_then(|row| row.opt_date("closed_on").ok().flatten());
        let programme = Programme {
            closed_on,
            ..press.programme()
        };
        sources.inputs(programme).ok()
    }

    /// Puts a draft into its place, unless it is what is there.
    pub(super) fn settle_draft(
        &mut self,
        kind: &str,
        whose: &str,
        slot: &Slot,
        draft: Draft,
        messages: &mut Messages,
    ) -> Result<(), PipelineError> {
        let same = |row: usize| messages.table.rows[row].starts_with(&draft.row);
        if slot.instead_of.is_some_and(same) {
            return Ok(());
        }
        tracing::debug!(key = slot.key, state = draft.state, "message");
        let row = self.keep(kind, whose, slot, draft)?;
        messages.put(slot, row);
        Ok(())
    }

    /// Keeps the bytes of a message, counts it, and tells what is wrong with it.
    fn keep(&mut self, kind: &str, whose: &str, slot: &Slot, draft: Draft) -> Result<Row, PipelineError> {
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
                    "the {kind} of {whose} is held back: {}",
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

    fn addresses(&self) -> Result<Addresses, PipelineError> {
        let partners = self.table("partners")?;
        Ok(Addresses {
            contacts: by_partner(self.contacts()?),
            mail_domains: mail_domains(&partners)?,
            directory: Directory::from_partners(&partners)?,
        })
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
    fn read(table: &dyn Fn(&str) -> Result<Table, PipelineError>) -> Result<Sources, PipelineError> {
        Ok(Sources {
            partners: table("partners")?,
            domains: table("domains")?,
            calendar_partner_periods: table("calendar_partner_periods")?,
            metrics: table("metrics")?,
            scores: table("scores")?,
            partner_scores: table("partner_scores")?,
            key_event_points: table("key_event_points")?,
            rebates: table("rebates")?,
            ledger: table("ledger")?,
            score_changes: table("score_changes")?,
            next_steps: table("next_steps")?,
            effective_certifications: table("effective_certifications")?,
            engineers: table("engineers")?,
            reviews: table("reviews")?,
            review_criteria: table("review_criteria")?,
        })
    }

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
                score_changes: &self.score_changes,
                next_steps: &self.next_steps,
                effective_certifications: &self.effective_certifications,
                engineers: &self.engineers,
                reviews: &self.reviews,
                review_criteria: &self.review_criteria,
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
