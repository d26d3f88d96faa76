//! The calendars that the measure of sales joins.
//!
//! Duty: which tables they are made from; a run and a simulation make them alike. They need the freezes, so that they come
//! after the evaluation, and the measures that read them too. Not its duty: what stands in them
//! (`measures::sale_days`, `measures::sale_products`), where they are put.

use std::path::PathBuf;

use super::PipelineError;
use crate::domain::Table;
use crate::incentives::Freeze;
use crate::measures::Measure;
use crate::measures::engine::{Engine, Sources};
use crate::measures::polars::Polars;
use crate::measures::sale_days::{Cuts, Frozen, Sold};
use crate::measures::sale_products::sale_products;
use crate::rules::{Rules, Scheme};

const CALENDARS: [&str; 4] = [
    "calendar_sale_changes",
    "calendar_sale_days",
    "calendar_sale_partners",
    "calendar_sale_products",
];

const SOLD: &str = "SELECT partner_id AS partner_id, currency AS currency, MIN(ordered_on) AS first_ordered_on, \
    MIN(invoiced_on) AS first_invoiced_on, MAX(ordered_on) AS last_ordered_on, MAX(invoiced_on) AS last_invoiced_on \
    FROM sales GROUP BY partner_id, currency";

/// Whether a measure can only be made after the evaluation.
pub(super) fn is_late(measure: &Measure) -> bool {
    CALENDARS.iter().any(|table| measure.tables.contains(*table))
}

/// What the calendars are made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    pub partners: &'a Table,
    pub products: &'a Table,
    pub domains: &'a Table,
    /// As they hold.
    pub certifications: &'a Table,
    pub fx_rates: &'a Table,
    pub freezes: &'a [Freeze],
    pub rules: &'a Rules,
}

/// The tables of [`CALENDARS`]; `sales` are the files of the feed.
pub(super) fn calendars(given: Given<'_>, sales: Vec<PathBuf>) -> Result<[Table; 4], PipelineError> {
    let of_sales = Sources::from([("sales".to_owned(), sales)]);
    let table = Polars::default().run("the days of sales", SOLD, &of_sales)?;
    let mut sold = Vec::with_capacity(table.rows.len());
    for row in table.iter() {
        sold.push(Sold {
            partner: row.text("partner_id")?,
            currency: row.text("currency")?,
            first_on: row.date("first_ordered_on")?.min(row.date("first_invoiced_on")?),
            last_on: row.date("last_ordered_on")?.max(row.date("last_invoiced_on")?),
        });
    }
    let frozen: Vec<Frozen<'_>> = given
        .freezes
        .iter()
        .map(|f| Frozen {
            partner: f.partner.as_str(),
            from: f.from,
            until: f.until,
        })
        .collect();
    let books = given.rules.books();
    let schemes: Vec<&Scheme> = books.flat_map(|book| book.schemes.values()).collect();
    let cuts = Cuts::read(
        given.partners,
        given.certifications,
        given.fx_rates,
        &frozen,
        schemes.iter().copied(),
        given.rules,
    )?;
    Ok([
        cuts.changes(&sold),
        cuts.days(&sold),
        cuts.partners(&sold),
        sale_products(given.products, given.domains, schemes)?,
    ])
}
