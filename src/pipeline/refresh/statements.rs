//! Statements: a message for every settlement document when it is issued.
//!
//! Duty: the documents that are new in this run, or whose message could not go, each rendered with its PDF and workbook
//! for those who want statements. Not its duty: what a document says (`settlement`), what a statement shows
//! (`publishing`).

use std::collections::{BTreeMap, BTreeSet};

use super::mails::Addresses;
use super::messages::{Card, Messages, STATEMENT, Slot};
use super::press::{Content, Draft, Press, in_lanes, inline};
use super::{PipelineError, Refresh};
use crate::delivery::{Enclosure, Recipient};
use crate::domain::ids::{PartnerId, RegionId};
use crate::domain::{Period, Table};
use crate::exports::workbook::{self, Sheet};
use crate::publishing::{PublishingError, StatementFrame, StatementInputs, render_statement};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A statement that is to be made.
struct Wanted {
    frame: StatementFrame,
    region: RegionId,
    language: String,
    to: Vec<Recipient>,
    slot: Slot,
}

impl Refresh<'_> {
    /// Adds the statements of documents that partners were not told of.
    pub(super) fn statements(
        &mut self,
        (press, addresses): (&Press<'_>, &Addresses),
        messages: &mut Messages,
    ) -> Result<(), PipelineError> {
        let stage = PipelineError::stage("the statements");
        let failed = |e: PublishingError| PipelineError::stage("the statements")(e.to_string());
        let settlements = self.table("settlements")?;
        let earlier: BTreeSet<String> = numbers(&self.parent_table("settlements")?)?.into_iter().collect();
        let open = messages.unsent(STATEMENT);
        // a document that was there before and is not among the messages is from before there were statements
        if numbers(&settlements)?.iter().all(|number| earlier.contains(number)) && !open {
            return Ok(());
        }
        let (partners, domains) = (self.table("partners")?, self.table("domains")?);
        let lines = self.table("statements")?;
        let shown = press.programme();
        let inputs = StatementInputs::new((shown.name, shown.contact), (&partners, &domains), &settlements, &lines)
            .map_err(failed)?;
        let mut wanted = Vec::new();
        for row in settlements.iter() {
            let number = row.text("settlement_no")?;
            let partner = PartnerId::new(row.text("partner_id")?).map_err(|e| stage(e.to_string()))?;
            let period = Period::parse(row.text("period")?).map_err(|e| stage(e.to_string()))?;
            let is_new = !earlier.contains(number);
            if !is_new && !open {
                continue;
            }
            let frame = StatementFrame::of(&partner, period, number, &inputs).map_err(failed)?;
            let (groups, findings) = press.recipients(&partner, STATEMENT, &frame.partner.language, addresses)?;
            let region = RegionId::new(&frame.partner.region).map_err(|e| stage(e.to_string()))?;
            let mut findings = Some(findings);
            let read: BTreeSet<String> = groups.keys().cloned().collect();
            for (language, to) in groups {
                let card = Card {
                    partner: &partner,
                    region: &region,
                    period,
                };
                let read = (language.as_str(), &read);
                let Some(slot) = messages.slot_of_data(STATEMENT, &card, read, frame.data_hash, is_new) else {
                    continue;
                };
                self.summary.findings.extend(findings.take().unwrap_or_default());
                wanted.push(Wanted {
                    frame: frame.clone(),
                    region: region.clone(),
                    language,
                    to,
                    slot,
                });
            }
        }
        let titles = self.scheme_titles();
        for batch in wanted.chunks(super::mails::BATCH) {
            let drafts = in_lanes(batch, |wanted| statement(press, wanted, &titles, addresses));
            for (wanted, draft) in batch.iter().zip(drafts) {
                let card = wanted.card();
                self.settle_draft(STATEMENT, &card.whose(), &wanted.slot, draft?, messages)?;
            }
        }
        Ok(())
    }

    /// Titles of schemes by their id, by the newest rules that name them.
    pub(super) fn scheme_titles(&self) -> BTreeMap<String, String> {
        let schemes = self.task.config.rules.books().flat_map(|book| book.schemes.values());
        schemes.map(|s| (s.id.to_string(), s.title.clone())).collect()
    }
}

impl Wanted {
    fn card(&self) -> Card<'_> {
        Card {
            partner: &self.frame.partner.id,
            region: &self.region,
            period: self.frame.period,
        }
    }
}

fn statement(
    press: &Press<'_>,
    wanted: &Wanted,
    titles: &BTreeMap<String, String>,
    addresses: &Addresses,
) -> Result<Draft, PipelineError> {
    let stage = PipelineError::stage("the statements");
    let texts = press.look.catalogues.of(&wanted.language);
    let frame = &wanted.frame;
    if wanted.to.is_empty() {
        let slot = (&wanted.slot, wanted.language.as_str());
        return Ok(press.unsent(&wanted.card(), (STATEMENT, frame.data_hash), slot));
    }
    let rendered = render_statement(frame, titles, texts, &press.look).map_err(|e| stage(e.to_string()))?;
    let words = rendered.attached_words();
    let sheets: Vec<Sheet> = rendered
        .sheets
        .into_iter()
        .map(|(name, table)| Sheet { name, table })
        .collect();
    let xlsx = workbook::write(&sheets).map_err(|e| stage(e.to_string()))?;
    let content = Content {
        kind: STATEMENT,
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        inline: inline(rendered.pictures),
        attachments: vec![
            Enclosure {
                file_name: format!("{}.pdf", frame.number),
                media_type: "application/pdf",
                bytes: rendered.pdf,
            },
            Enclosure {
                file_name: format!("{}.xlsx", frame.number),
                media_type: XLSX,
                bytes: xlsx,
            },
        ],
        attached_words: vec![words],
        data_hash: frame.data_hash,
    };
    let slot = (&wanted.slot, wanted.language.as_str());
    Ok(press.draft(&wanted.card(), &content, slot, (&wanted.to, addresses)))
}

fn numbers(settlements: &Table) -> Result<Vec<String>, PipelineError> {
    let rows = settlements.iter();
    Ok(rows
        .map(|row| row.text("settlement_no").map(str::to_owned))
        .collect::<Result<_, _>>()?)
}
