//! Sales lines, typed.
//!
//! Duty: the rows of `measures_sales` by partner, borrowed. Not its duty: whether a line counts.

use std::collections::BTreeMap;

use crate::domain::{Date, Dec, Ratio, Table, TableError};
use crate::rules::{BasisAmount, SchemeDate};

/// One row of `measures_sales`: a sum over lines that are alike in all that follows.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    /// `product` or `service`.
    pub kind: &'a str,
    /// Empty on a product line.
    pub service_model: &'a str,
    pub domain: &'a str,
    /// Of the line that a return returns, where a scheme asks; else empty.
    pub product: &'a str,
    pub family: &'a str,
    pub category: &'a str,
    pub incentive_eligible: bool,
    pub currency: &'a str,
    ordered_on: Date,
    invoiced_on: Date,
    /// In full.
    pub paid: bool,
    pub is_return: bool,
    pub lines: i64,
    net_amount: Dec,
    list_amount: Dec,
    /// Pieces.
    quantity: Ratio,
}

impl Line<'_> {
    pub fn date(&self, of: SchemeDate) -> Date {
        match of {
            SchemeDate::OrderedOn => self.ordered_on,
            SchemeDate::InvoicedOn => self.invoiced_on,
        }
    }

    /// In the line's currency, or pieces.
    pub fn amount(&self, of: BasisAmount) -> Ratio {
        match of {
            BasisAmount::Net => self.net_amount.ratio(),
            BasisAmount::List => self.list_amount.ratio(),
            BasisAmount::Quantity => self.quantity.clone(),
        }
    }

    /// Whether either date lies in `[first, end)`.
    pub fn falls_in(&self, first: Date, end: Date) -> bool {
        (first..end).contains(&self.ordered_on) || (first..end).contains(&self.invoiced_on)
    }
}

/// Lines by partner.
pub(super) fn read(sales: &Table) -> Result<BTreeMap<&str, Vec<Line<'_>>>, TableError> {
    let mut lines: BTreeMap<&str, Vec<Line<'_>>> = BTreeMap::new();
    // the rows of a partner stand together
    let mut of_partner: Option<(&str, Vec<Line<'_>>)> = None;
    for row in sales.iter() {
        let text = |column| row.opt_text(column).map(Option::unwrap_or_default);
        let partner = row.text("partner_id")?;
        let line = Line {
            kind: row.text("line_kind")?,
            service_model: text("service_model")?,
            domain: text("domain")?,
            product: text("product_id")?,
            family: text("family")?,
            category: text("category")?,
            incentive_eligible: row.bool("incentive_eligible")?,
            currency: row.text("currency")?,
            ordered_on: row.date("ordered_on")?,
            invoiced_on: row.date("invoiced_on")?,
            paid: row.bool("paid")?,
            is_return: row.bool("is_return")?,
            lines: row.int("lines")?,
            net_amount: row.dec("net_amount")?,
            list_amount: row.dec("list_amount")?,
            quantity: row.ratio("quantity")?,
        };
        match &mut of_partner {
            Some((same, list)) if *same == partner => list.push(line),
            other => {
                if let Some((done, list)) = other.replace((partner, vec![line])) {
                    lines.entry(done).or_default().extend(list);
                }
            }
        }
    }
    if let Some((done, list)) = of_partner {
        lines.entry(done).or_default().extend(list);
    }
    Ok(lines)
}
