//! One settlement document of one partner: what its statement shows.
//!
//! Duty: typed values of the rows of one document, each selection asserted to hold that partner only; their hash. Not
//! its duty: amounts (they are as issued), words, layout.

use crate::domain::ids::PartnerId;
use crate::domain::{Currency, Date, Dec, Digest, Money, Period, RowRef, Table, Value};

use super::frame::Partner;
use super::inputs::{Indexed, PublishingError};
use super::reader::{Names, Reader, domain_names, value};

/// What statements are made from, with the rows of each partner found once.
#[derive(Debug)]
pub struct StatementInputs<'a> {
    pub programme: &'a str,
    pub contact: &'a str,
    partners: Indexed<'a>,
    settlements: Indexed<'a>,
    statements: Indexed<'a>,
    names: Names,
}

impl<'a> StatementInputs<'a> {
    /// `partners` and `domains` are the feeds, the others as in their contracts.
    pub fn new(
        (programme, contact): (&'a str, &'a str),
        (partners, domains): (&'a Table, &'a Table),
        settlements: &'a Table,
        statements: &'a Table,
    ) -> Result<StatementInputs<'a>, PublishingError> {
        Ok(StatementInputs {
            programme,
            contact,
            partners: Indexed::new(partners)?,
            settlements: Indexed::new(settlements)?,
            statements: Indexed::new(statements)?,
            names: domain_names(domains)?,
        })
    }
}

/// Everything that a statement shows.
#[derive(Clone, Debug)]
pub struct StatementFrame {
    pub programme: String,
    pub contact: String,
    pub partner: Partner,
    pub number: String,
    /// The document that it takes back.
    pub reverses: Option<String>,
    pub period: Period,
    pub currency: Currency,
    pub issued_on: Date,
    pub dispute_until_on: Option<Date>,
    pub legal_entity: Option<String>,
    pub tax_category: Option<String>,
    pub ledger_head: String,
    pub settlement_hash: Option<String>,
    /// By the name of a text: `carried_in`, `earned`, … `carried_out`, `held`; in the order in which they add up.
    pub sums: Vec<(&'static str, Money)>,
    pub due: Money,
    /// In their order.
    pub lines: Vec<StatementLine>,
    pub data_hash: Digest,
}

#[derive(Clone, Debug)]
pub struct StatementLine {
    pub number: i64,
    pub kind: String,
    pub scheme: Option<String>,
    pub earning_period: Option<Period>,
    /// Name of the domain.
    pub domain: Option<String>,
    pub component: Option<String>,
    pub basis: Option<Dec>,
    pub rate: Option<Dec>,
    pub factor: Option<Dec>,
    pub component_amount: Option<Dec>,
    pub lines: Option<i64>,
    pub amount: Option<Money>,
    pub reason: Option<String>,
}

const DOCUMENT: [&str; 19] = [
    "partner_id",
    "settlement_no",
    "reverses_settlement_no",
    "currency",
    "period",
    "issued_on",
    "dispute_until_on",
    "legal_entity",
    "tax_category",
    "ledger_head",
    "settlement_hash",
    "carried_in_amount",
    "earned_amount",
    "adjusted_amount",
    "manual_amount",
    "total_amount",
    "due_amount",
    "carried_out_amount",
    "held_amount",
];

const LINE: [&str; 14] = [
    "partner_id",
    "line_no",
    "kind",
    "scheme",
    "earning_period",
    "domain",
    "component",
    "basis",
    "rate",
    "factor",
    "component_amount",
    "lines",
    "amount",
    "reason",
];

/// Sums by the name of their text, and the column that each stands in.
const SUMS: [(&str, &str); 8] = [
    ("carried_in", "carried_in_amount"),
    ("earned", "earned_amount"),
    ("adjusted", "adjusted_amount"),
    ("manual", "manual_amount"),
    ("total", "total_amount"),
    ("due", "due_amount"),
    ("carried_out", "carried_out_amount"),
    ("held", "held_amount"),
];

impl StatementFrame {
    /// The frame of one document of a partner.
    pub fn of(
        partner: &PartnerId,
        period: Period,
        number: &str,
        inputs: &StatementInputs<'_>,
    ) -> Result<StatementFrame, PublishingError> {
        let mut reader = Reader::new(partner, period, None);
        let is_of = |row: RowRef<'_>| Ok(row.text("settlement_no")? == number);
        let documents = reader.rows(&inputs.settlements, &DOCUMENT, is_of)?;
        let row = documents.iter().next().ok_or_else(|| PublishingError::NoDocument {
            number: number.to_owned(),
            partner: partner.clone(),
        })?;
        let issued_on = row.date("issued_on")?;
        let code = row.text("currency")?;
        let currency =
            Currency::parse(code).ok_or_else(|| value("settlements", "currency", code, "a currency of ISO 4217"))?;
        let money = |column: &str| Ok::<_, PublishingError>(Money::exact(row.dec(column)?, currency)?);
        let mut sums = Vec::new();
        for (name, column) in SUMS {
            sums.push((name, money(column)?));
        }
        let text = |column: &str| {
            let text = row.opt_text(column)?;
            Ok::<_, PublishingError>(text.filter(|t| !t.is_empty()).map(str::to_owned))
        };
        let rows = reader.rows(&inputs.statements, &LINE, is_of)?;
        let lines = rows.iter().map(|row| line(row, currency, &inputs.names));
        let mut lines = lines.collect::<Result<Vec<_>, _>>()?;
        lines.sort_by_key(|line| line.number);
        let identity = reader.identity(&inputs.partners, issued_on)?;
        Ok(StatementFrame {
            programme: inputs.programme.to_owned(),
            contact: inputs.contact.to_owned(),
            number: number.to_owned(),
            reverses: text("reverses_settlement_no")?,
            period,
            currency,
            issued_on,
            dispute_until_on: row.opt_date("dispute_until_on")?,
            legal_entity: text("legal_entity")?,
            tax_category: text("tax_category")?,
            ledger_head: row.text("ledger_head")?.to_owned(),
            settlement_hash: text("settlement_hash")?,
            due: money("due_amount")?,
            sums,
            lines,
            partner: identity,
            data_hash: reader.finish(),
        })
    }
}

fn line(row: RowRef<'_>, currency: Currency, names: &Names) -> Result<StatementLine, PublishingError> {
    let text = |column: &str| {
        let text = row.opt_text(column)?;
        Ok::<_, PublishingError>(text.filter(|t| !t.is_empty()).map(str::to_owned))
    };
    let earning = text("earning_period")?;
    let amount = row.opt_dec("amount")?;
    Ok(StatementLine {
        number: row.int("line_no")?,
        kind: row.text("kind")?.to_owned(),
        scheme: text("scheme")?,
        earning_period: earning
            .map(|p| Period::parse(&p).map_err(|_| value("statements", "earning_period", &p, "a period")))
            .transpose()?,
        domain: text("domain")?.map(|d| names.of(&d)),
        component: text("component")?,
        basis: row.opt_dec("basis")?,
        rate: row.opt_dec("rate")?,
        factor: row.opt_dec("factor")?,
        component_amount: row.opt_dec("component_amount")?,
        lines: row.opt_int("lines")?,
        amount: amount.map(|a| Money::exact(a, currency)).transpose()?,
        reason: text("reason")?,
    })
}

/// A cell of a sheet.
pub(super) fn cell(dec: Option<Dec>) -> Value {
    dec.map_or(Value::Null, Value::Dec)
}
