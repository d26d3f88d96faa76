//! Settlement documents as credit notes.
//!
//! Duty: documents, the lines of their statements and the parties, put together. Not its duty: the XML.

use std::collections::BTreeMap;

use super::stage;
use crate::domain::{Currency, Date, Money, Period, RowRef, Table};
use crate::exports::ubl::{self, CreditNote, Line, Party};
use crate::ledger::documents::{Document, DocumentKind, from_table, name_of};
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::store::release::Release;

/// Which documents become credit notes.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    Document(&'a str),
    Period(Period),
}

/// Credit notes of documents on which something is due, by number: name of the document and XML.
pub fn credit_notes(
    release: &Release,
    config: &Config,
    which: Which<'_>,
) -> Result<Vec<(String, String)>, PipelineError> {
    let settlements = release.read_table("settlements")?;
    let documents = from_table(&settlements).map_err(stage)?;
    let is_meant = |d: &&Document| match which {
        Which::Document(name) => d.name() == name,
        Which::Period(period) => d.period == period,
    };
    let meant: Vec<&Document> = documents.iter().filter(is_meant).collect();
    if let (Which::Document(name), None) = (which, meant.first()) {
        return Err(PipelineError::Usage(format!(
            "there is no document '{name}'; `starledger settlements list` shows them"
        )));
    }
    if let (Which::Document(name), Some(document)) = (which, meant.first())
        && document.due.is_zero()
    {
        return Err(PipelineError::Usage(format!(
            "nothing is due on {name}: there is nothing to credit"
        )));
    }
    let statements = release.read_table("statements")?;
    let mut lines: BTreeMap<String, Vec<(i64, Line)>> = BTreeMap::new();
    for row in statements.iter() {
        if let Some(line) = line_of(row)? {
            lines
                .entry(row.text("settlement_no")?.to_owned())
                .or_default()
                .push(line);
        }
    }
    let extras = extras(&settlements)?;
    let parties = parties(&release.read_table("partners")?)?;
    let calendar = config.rules.programme().calendar;
    let mut notes = Vec::new();
    for document in meant.into_iter().filter(|d| !d.due.is_zero()) {
        let name = document.name();
        let (legal_entity, tax_category) = extras.get(&name).cloned().unwrap_or_default();
        let (reverses, of) = match document.kind {
            DocumentKind::Settlement => (None, name.clone()),
            DocumentKind::Reversal { of } => (Some(name_of(of)), name_of(of)),
        };
        let mut its: Vec<(i64, Line)> = lines.get(&of).cloned().unwrap_or_default();
        its.sort_by_key(|(number, _)| *number);
        let mut its: Vec<Line> = its.into_iter().map(|(_, line)| line).collect();
        if reverses.is_some() {
            its.iter_mut().for_each(|line| line.amount = line.amount.negated());
        }
        let mut texts = vec![format!(
            "Ledger head {} of {} entries",
            document.head.hash, document.head.entries
        )];
        if let Some(category) = tax_category {
            texts.push(format!("Tax category {category}"));
        }
        let (partner_name, country) = parties
            .get(document.partner.as_str())
            .cloned()
            .unwrap_or_else(|| (document.partner.to_string(), None));
        let vendor = legal_entity.unwrap_or_else(|| config.rules.programme().name.clone());
        let note = CreditNote {
            id: name.clone(),
            issued_on: document.issued_on,
            period: (calendar.first_day(document.period), calendar.last_day(document.period)),
            notes: texts,
            vendor: Party {
                id: vendor.clone(),
                name: vendor,
                country: None,
            },
            partner: Party {
                id: document.partner.to_string(),
                name: partner_name,
                country,
            },
            reverses,
            lines: its,
            due: document.due,
        };
        notes.push((name, ubl::credit_note(&note)));
    }
    Ok(notes)
}

/// A line of a statement that is in the total, with its number.
fn line_of(row: RowRef<'_>) -> Result<Option<(i64, Line)>, PipelineError> {
    let kind = row.text("kind")?;
    let is_line = [
        "carried_in",
        "earned",
        "adjusted",
        "hold_released",
        "manual_adjustment",
        "claim",
    ]
    .contains(&kind);
    let (Some(amount), true) = (row.opt_dec("amount")?, is_line) else {
        return Ok(None);
    };
    let code = row.text("currency")?;
    let currency = Currency::parse(code).ok_or_else(|| stage(format!("'{code}' is no currency")))?;
    let kind = kind.replace('_', " ");
    let name = match (row.opt_text("scheme")?, row.opt_text("earning_period")?) {
        (Some(scheme), Some(period)) => format!("{scheme} {period}, {kind}"),
        _ => kind,
    };
    let amount = Money::exact(amount, currency).map_err(stage)?;
    Ok(Some((row.int("line_no")?, Line { name, amount })))
}

type Extras = (Option<String>, Option<String>);

/// Legal entity and tax category by document.
fn extras(settlements: &Table) -> Result<BTreeMap<String, Extras>, PipelineError> {
    let mut out = BTreeMap::new();
    for row in settlements.iter() {
        let text = |column| Ok::<_, PipelineError>(row.opt_text(column)?.map(str::to_owned));
        out.insert(
            row.text("settlement_no")?.to_owned(),
            (text("legal_entity")?, text("tax_category")?),
        );
    }
    Ok(out)
}

/// Name and country of every partner, by its latest version.
fn parties(partners: &Table) -> Result<BTreeMap<String, (String, Option<String>)>, PipelineError> {
    let mut latest: BTreeMap<String, (Date, (String, Option<String>))> = BTreeMap::new();
    for row in partners.iter() {
        let from = row.date("valid_from")?;
        let id = row.text("partner_id")?;
        let party = (
            row.text("legal_name")?.to_owned(),
            row.opt_text("country")?.map(str::to_owned),
        );
        if latest.get(id).is_none_or(|(known, _)| *known < from) {
            latest.insert(id.to_owned(), (from, party));
        }
    }
    Ok(latest.into_iter().map(|(id, (_, party))| (id, party)).collect())
}
