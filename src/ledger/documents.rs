//! Settlement documents as issued.
//!
//! Duty: what a document says, its number, its row; which documents stand. Not its duty: what became of it later
//! (payments, disputes), which is joined and never written into it.

use std::collections::BTreeMap;

use super::LedgerError;
use super::chain::Head;
use super::settle::{LineKind, Proposal};
use crate::domain::ids::PartnerId;
use crate::domain::money::MoneyError;
use crate::domain::{Currency, Date, Digest, Money, Period, RowRef, Table, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    Settlement,
    /// Takes back all of the document with this number.
    Reversal {
        of: i64,
    },
}

/// One document of a partner and currency. Key: `number`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// From 1, without gaps.
    pub number: i64,
    pub kind: DocumentKind,
    pub partner: PartnerId,
    pub currency: Currency,
    /// Posting period.
    pub period: Period,
    pub issued_on: Date,
    pub carried_in: Money,
    /// Of earning periods that are settled for the first time, or anew, and of claims on funds.
    pub earned: Money,
    /// Of earning periods that were settled before, holds that ended included.
    pub adjusted: Money,
    /// By people.
    pub manual: Money,
    pub total: Money,
    pub due: Money,
    pub carried_out: Money,
    /// On hold when it was issued; in no total.
    pub held: Money,
    pub minimum: Money,
    /// Of the books when it was issued.
    pub head: Head,
}

/// The name of a document: `S-000001`.
#[must_use]
pub fn name_of(number: i64) -> String {
    format!("S-{number:06}")
}

/// The number in a document's name.
#[must_use]
pub fn number_of(name: &str) -> Option<i64> {
    let number: i64 = name.strip_prefix("S-")?.parse().ok()?;
    (number > 0 && name_of(number) == name).then_some(number)
}

/// Source of the transactions that a document posted.
#[must_use]
pub fn source_of(number: i64) -> String {
    format!("document {}", name_of(number))
}

impl Document {
    #[must_use]
    pub fn name(&self) -> String {
        name_of(self.number)
    }

    pub(super) fn of_proposal(
        number: i64,
        (period, issued_on): (Period, Date),
        proposal: &Proposal,
        head: Head,
    ) -> Result<Document, LedgerError> {
        let sum = |kinds: &[LineKind]| {
            let lines = proposal.lines.iter().filter(|line| kinds.contains(&line.kind));
            lines
                .map(|line| line.amount)
                .try_fold(Money::zero(proposal.currency), Money::checked_add)
                .map_err(|source| LedgerError::Settled {
                    partner: proposal.partner.clone(),
                    currency: proposal.currency,
                    source,
                })
        };
        Ok(Document {
            number,
            kind: DocumentKind::Settlement,
            partner: proposal.partner.clone(),
            currency: proposal.currency,
            period,
            issued_on,
            head,
            carried_in: proposal.carried_in,
            earned: sum(&[LineKind::Earned, LineKind::Claim])?,
            adjusted: sum(&[LineKind::Adjusted, LineKind::HoldReleased])?,
            manual: sum(&[LineKind::ManualAdjustment])?,
            total: proposal.total,
            due: proposal.due,
            carried_out: proposal.carried_out,
            held: proposal.held,
            minimum: proposal.minimum,
        })
    }

    pub(super) fn reversal(&self, number: i64, (period, issued_on): (Period, Date), head: Head) -> Document {
        Document {
            number,
            kind: DocumentKind::Reversal { of: self.number },
            period,
            issued_on,
            head,
            carried_in: self.carried_in.negated(),
            earned: self.earned.negated(),
            adjusted: self.adjusted.negated(),
            manual: self.manual.negated(),
            total: self.total.negated(),
            due: self.due.negated(),
            carried_out: self.carried_out.negated(),
            held: self.held,
            ..self.clone()
        }
    }

    /// Whether carried in and the sums are the total, and the total is due and carried out.
    pub(super) fn adds_up(&self) -> Result<bool, MoneyError> {
        let in_it = self
            .carried_in
            .checked_add(self.earned)?
            .checked_add(self.adjusted)?
            .checked_add(self.manual)?;
        Ok(in_it == self.total && self.due.checked_add(self.carried_out)? == self.total)
    }
}

/// The document with a number; `documents` are by number.
#[must_use]
pub fn find(documents: &[Document], number: i64) -> Option<&Document> {
    let at = documents.binary_search_by_key(&number, |d| d.number).ok()?;
    documents.get(at)
}

/// Documents that others reverse, and by which.
#[must_use]
pub fn reversals(documents: &[Document]) -> BTreeMap<i64, &Document> {
    let reversal = |d| match d {
        &Document {
            kind: DocumentKind::Reversal { of },
            ..
        } => Some((of, d)),
        Document { .. } => None,
    };
    documents.iter().filter_map(reversal).collect()
}

/// Documents that were not reversed, by number.
pub fn standing(documents: &[Document]) -> impl Iterator<Item = &Document> {
    let reversed = reversals(documents);
    documents
        .iter()
        .filter(move |d| d.kind == DocumentKind::Settlement && !reversed.contains_key(&d.number))
}

/// The last standing document of every partner and currency.
#[must_use]
pub fn last_standing(documents: &[Document]) -> BTreeMap<(PartnerId, Currency), &Document> {
    let mut last = BTreeMap::new();
    for document in standing(documents) {
        last.insert((document.partner.clone(), document.currency), document);
    }
    last
}

/// Columns of the table `settlements` that hold a document, in their order.
pub const COLUMNS: [&str; 18] = [
    "settlement_no",
    "kind",
    "reverses_settlement_no",
    "partner_id",
    "currency",
    "period",
    "issued_on",
    "carried_in_amount",
    "earned_amount",
    "adjusted_amount",
    "manual_amount",
    "total_amount",
    "due_amount",
    "carried_out_amount",
    "held_amount",
    "minimum_amount",
    "ledger_entries",
    "ledger_head",
];

/// The values of [`COLUMNS`].
#[must_use]
pub fn to_row(d: &Document) -> Vec<Value> {
    let money = |m: Money| Value::Dec(m.dec().rescale(4).unwrap_or_else(|| m.dec()));
    let reverses = match d.kind {
        DocumentKind::Settlement => None,
        DocumentKind::Reversal { of } => Some(name_of(of)),
    };
    let kind = if reverses.is_none() { "settlement" } else { "reversal" };
    let mut row: Vec<Value> = vec![
        d.name().into(),
        kind.into(),
        reverses.into(),
        d.partner.as_str().into(),
        d.currency.code().into(),
        d.period.to_string().into(),
        d.issued_on.into(),
    ];
    let amounts = [
        d.carried_in,
        d.earned,
        d.adjusted,
        d.manual,
        d.total,
        d.due,
        d.carried_out,
        d.held,
        d.minimum,
    ];
    row.extend(amounts.map(money));
    row.push(d.head.entries.into());
    row.push(d.head.hash.into());
    row
}

/// Documents of the table `settlements`, by number.
pub fn from_table(table: &Table) -> Result<Vec<Document>, LedgerError> {
    let mut documents = table.iter().map(document).collect::<Result<Vec<_>, _>>()?;
    documents.sort_by_key(|d| d.number);
    Ok(documents)
}

fn document(row: RowRef<'_>) -> Result<Document, LedgerError> {
    let name = row.text("settlement_no")?;
    let wrong = |column: &'static str| LedgerError::Document {
        name: name.to_owned(),
        column,
        value: row.get(column).map_or_else(|_| String::new(), ToString::to_string),
    };
    let currency = Currency::parse(row.text("currency")?).ok_or_else(|| wrong("currency"))?;
    let money = |column: &'static str| Money::exact(row.dec(column)?, currency).map_err(|_| wrong(column));
    let kind = match (row.text("kind")?, row.opt_text("reverses_settlement_no")?) {
        ("settlement", None) => DocumentKind::Settlement,
        ("reversal", Some(of)) => DocumentKind::Reversal {
            of: number_of(of).ok_or_else(|| wrong("reverses_settlement_no"))?,
        },
        _ => return Err(wrong("kind")),
    };
    Ok(Document {
        number: number_of(name).ok_or_else(|| wrong("settlement_no"))?,
        kind,
        partner: PartnerId::new(row.text("partner_id")?).map_err(|_| wrong("partner_id"))?,
        currency,
        period: Period::parse(row.text("period")?).map_err(|_| wrong("period"))?,
        issued_on: row.date("issued_on")?,
        carried_in: money("carried_in_amount")?,
        earned: money("earned_amount")?,
        adjusted: money("adjusted_amount")?,
        manual: money("manual_amount")?,
        total: money("total_amount")?,
        due: money("due_amount")?,
        carried_out: money("carried_out_amount")?,
        held: money("held_amount")?,
        minimum: money("minimum_amount")?,
        head: Head {
            entries: row.int("ledger_entries")?,
            hash: Digest::parse(row.text("ledger_head")?).ok_or_else(|| wrong("ledger_head"))?,
        },
    })
}
