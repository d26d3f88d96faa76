//! The authorisation check: from unauthorised deliveries and sales to findings, and from findings to key events.
//!
//! Duty: one finding for each delivery or sale and check, with its evidence, the money at stake, and the key event that
//! it is a candidate for; the findings that people acted on as key events. Not its duty: which deliveries and sales
//! those are (measures), whether an event counts (`event_life`), deducting anything.

use std::collections::{BTreeMap, BTreeSet};

use super::certifications::Certifications;
use super::fields::{Fields, Read, each};
use super::inputs::{Books, EvaluationError};
use crate::domain::ids::{DomainId, PartnerId, RegionId};
use crate::domain::{Date, Dec, Digest, Period, Rounding, Row, Table, Value};
use crate::rules::{Candidate, Check, RuleBook};

/// Key: `finding_id`.
pub const AUTHORISATION_FINDINGS: [&str; 24] = [
    "finding_id",
    "partner_id",
    "period",
    "check",
    "occurred_on",
    "subject_kind",
    "subject_id",
    "product_id",
    "domain",
    "category",
    "certification_domain",
    "certification_from",
    "certification_to",
    "certification_stars",
    "certification_status",
    "amount",
    "discount_amount",
    "currency",
    "level",
    "red_line",
    "reason",
    "arrival",
    "source_file",
    "source_line",
];

/// Longest identifier: longer ones are told by a hash.
const MAX_ID_BYTES: usize = 128;

/// Places of an amount; both it is taken from have no more.
const AMOUNT_PLACES: u8 = 4;

/// What the check rests on. Rows of other periods than `periods` are passed over.
#[derive(Debug)]
pub struct Checked<'a> {
    pub periods: &'a [Period],
    /// `measures_authorisation_deliveries`, `…_first_nodes`, `…_sales`, `…_exposure`.
    pub deliveries: &'a Table,
    pub first_nodes: &'a Table,
    pub sales: &'a Table,
    pub exposure: &'a Table,
    /// `calendar_partner_periods`.
    pub partner_periods: &'a Table,
    /// `effective_certifications`.
    pub certifications: &'a Table,
    pub domains: &'a Table,
}

/// Net amounts by partner, product and period: one amount for each currency.
type Exposure = BTreeMap<(String, String, Period), Vec<(String, Dec)>>;

/// `authorisation_findings` of the periods, sorted by key.
pub fn findings(checked: &Checked, books: &dyn Books) -> Read<Table> {
    let mut check = Checking {
        periods: checked.periods.iter().copied().collect(),
        certifications: Certifications::read(checked.certifications, checked.domains)?,
        regions: BTreeMap::new(),
        exposure: Exposure::new(),
        books,
        out: Table::new("authorisation_findings", &AUTHORISATION_FINDINGS),
    };
    each(checked.partner_periods, |row| {
        let region = row.id("region", RegionId::new)?;
        check.regions.insert((row.partner()?, row.period()?), region);
        Ok(())
    })?;
    each(checked.exposure, |row| {
        let key = (
            row.text("partner_id")?.to_owned(),
            row.text("product_id")?.to_owned(),
            row.period()?,
        );
        let amount = (row.text("currency")?.to_owned(), row.dec("net_amount")?);
        check.exposure.entry(key).or_default().push(amount);
        Ok(())
    })?;
    each(checked.deliveries, |row| {
        let kind = match row.text("category")? {
            "A" => Check::UnauthorisedDelivery,
            _ => Check::UncertifiedDelivery,
        };
        check.delivery(row, kind)
    })?;
    each(checked.first_nodes, |row| check.delivery(row, Check::MissingFirstNode))?;
    each(checked.sales, |row| check.sale(row))?;
    check.out.rows.sort();
    Ok(check.out)
}

struct Checking<'a> {
    periods: BTreeSet<Period>,
    certifications: Certifications,
    regions: BTreeMap<(PartnerId, Period), RegionId>,
    exposure: Exposure,
    books: &'a dyn Books,
    out: Table,
}

/// What differs between a delivery and a sale.
struct Subject<'a> {
    kind: &'static str,
    id: &'a str,
    on: Date,
    amount: Option<Dec>,
    discount: Option<Dec>,
    currency: Option<String>,
}

impl Checking<'_> {
    /// The rules of the partner's region in the period; none for a row of another period.
    fn book(&self, row: Fields) -> Read<Option<&RuleBook>> {
        let (partner, period) = (row.partner()?, row.period()?);
        if !self.periods.contains(&period) {
            return Ok(None);
        }
        let Some(region) = self.regions.get(&(partner, period)) else {
            return Ok(None);
        };
        let on = self.books.programme().calendar.first_day(period);
        let book = self.books.book(region, on).map_err(|reason| EvaluationError::Rules {
            region: region.clone(),
            on,
            reason,
        })?;
        Ok(Some(book))
    }

    fn delivery(&mut self, row: Fields, check: Check) -> Read<()> {
        let Some(book) = self.book(row)? else { return Ok(()) };
        let Some(candidate) = active(book, check) else {
            return Ok(());
        };
        let on = book.zone.date_of(row.instant("completed_at")?);
        let behind = (check != Check::MissingFirstNode)
            .then(|| {
                let key = (
                    row.text("partner_id").ok()?.to_owned(),
                    row.text("product_id").ok()?.to_owned(),
                    row.period().ok()?,
                );
                self.exposure.get(&key)
            })
            .flatten();
        // amounts of several currencies are no amount
        let (amount, currency) = match behind.map(Vec::as_slice) {
            Some([(currency, amount)]) => (Some(*amount), Some(currency.clone())),
            _ => (None, None),
        };
        let subject = Subject {
            kind: "delivery",
            id: row.text("delivery_id")?,
            on,
            amount,
            discount: None,
            currency,
        };
        let found = self.row(row, check, &candidate, &subject)?;
        self.out.push(found);
        Ok(())
    }

    fn sale(&mut self, row: Fields) -> Read<()> {
        let Some(book) = self.book(row)? else { return Ok(()) };
        let Some(candidate) = active(book, Check::UncertifiedSale) else {
            return Ok(());
        };
        let (net, list) = (row.dec("net_amount")?, row.dec("list_amount")?);
        let subject = Subject {
            kind: "sale",
            id: row.text("order_line_id")?,
            on: row.date("ordered_on")?,
            amount: Some(net),
            discount: (&list.ratio() - &net.ratio()).round(AMOUNT_PLACES, Rounding::HalfAwayFromZero),
            currency: Some(row.text("currency")?.to_owned()),
        };
        let found = self.row(row, Check::UncertifiedSale, &candidate, &subject)?;
        self.out.push(found);
        Ok(())
    }

    fn row(&self, row: Fields, check: Check, candidate: &Candidate, subject: &Subject) -> Read<Row> {
        let (partner, domain) = (row.partner()?, row.domain()?);
        let seen = self.certifications.looked_at(&partner, &domain, subject.on);
        let held = match seen {
            None => "it never held a certification that covers the domain".to_owned(),
            Some((d, v)) if v.valid_from <= subject.on && subject.on < v.valid_to => {
                format!("its certification in {d} ({} stars) was {}", v.stars, v.status)
            }
            Some((d, v)) => format!("its certification in {d} ended before {}", v.valid_to),
        };
        let (product, on) = (row.text("product_id")?, subject.on);
        let reason = match check {
            Check::UnauthorisedDelivery => {
                format!("{product} was of category A on {on}: its service is the vendor's alone to deliver")
            }
            Check::UncertifiedDelivery => {
                format!("{product} was of category B in {domain} on {on}, and {held}")
            }
            Check::UncertifiedSale => {
                format!(
                    "collaborative services were sold on {on} to a partner without any active certification; {held}"
                )
            }
            Check::MissingFirstNode => {
                format!("first delivery of {product}, completed on {on}, without first-node support before it")
            }
        };
        Ok(vec![
            finding_id(check, subject.id).into(),
            partner.as_str().into(),
            row.period()?.to_string().into(),
            check.as_str().into(),
            on.into(),
            subject.kind.into(),
            subject.id.into(),
            product.into(),
            domain.as_str().into(),
            row.text("category")?.into(),
            seen.map(|(d, _)| d.as_str()).into(),
            seen.map(|(_, v)| v.valid_from).into(),
            seen.map(|(_, v)| v.valid_to).into(),
            seen.map(|(_, v)| v.stars).into(),
            seen.map(|(_, v)| v.status.clone()).into(),
            subject.amount.into(),
            subject.discount.into(),
            subject.currency.clone().into(),
            candidate.level.as_str().into(),
            candidate.red_line.as_str().into(),
            reason.into(),
            row.int("arrival")?.into(),
            row.text("source_file")?.into(),
            row.int("source_line")?.into(),
        ])
    }
}

fn active(book: &RuleBook, check: Check) -> Option<Candidate> {
    book.authorisation.0.get(&check).filter(|c| c.active).cloned()
}

/// The same delivery and check have the same finding in every run: `AF-<check>-<subject>`.
#[must_use]
pub fn finding_id(check: Check, subject: &str) -> String {
    let plain = format!("AF-{}-{subject}", check.as_str());
    if plain.len() <= MAX_ID_BYTES {
        return plain;
    }
    format!("AF-{}-{}", check.as_str(), Digest::of(subject.as_bytes()))
}

/// The reported key events, and as further ones the findings that someone has confirmed, refused, appealed against or
/// withdrawn: against the partner, with the finding's identifier, day and level.
#[must_use]
pub fn with_findings(mut key_events: Table, findings: &Table, decisions: &Table) -> Table {
    let acted: BTreeSet<&str> = decisions
        .iter()
        .filter(|row| matches!(row.text("kind"), Ok("confirm" | "appeal" | "withdraw")))
        .filter_map(|row| row.text("subject").ok())
        .collect();
    let columns = key_events.columns().to_vec();
    for row in findings.iter() {
        let Ok(id) = row.text("finding_id") else { continue };
        if !acted.contains(id) {
            continue;
        }
        let value = |column: &String| -> Value {
            match column.as_str() {
                "event_id" => id.into(),
                "code" => row.get("check").cloned().unwrap_or(Value::Null),
                "direction" => "negative".into(),
                "self_reported" => false.into(),
                "evidence" => row.get("reason").cloned().unwrap_or(Value::Null),
                "partner_id" | "domain" | "occurred_on" | "level" | "red_line" | "arrival" | "source_file"
                | "source_line" => row.get(column).cloned().unwrap_or(Value::Null),
                _ => Value::Null,
            }
        };
        key_events.push(columns.iter().map(value).collect());
    }
    key_events
}

/// The partner and domain of a finding, for those who decide on it.
#[must_use]
pub fn concerns(findings: &Table, finding_id: &str) -> Option<(PartnerId, DomainId)> {
    let row = findings.iter().find(|row| row.text("finding_id") == Ok(finding_id))?;
    Some((
        PartnerId::new(row.text("partner_id").ok()?).ok()?,
        DomainId::new(row.text("domain").ok()?).ok()?,
    ))
}
