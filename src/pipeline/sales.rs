//! The calendars that the measure of sales joins.
//!
//! Duty: which tables they are made from; a run and a simulation make them alike. They need the freezes, so that they come
//! after the evaluation, and the measures that read them too. Not its duty: what stands in them
//! (`measures::sale_days`, `measures::sale_products`), where they are put.
//!
//! What reads all sales is made by slices of partners, so that memory does not grow with the sales.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::PipelineError;
use crate::domain::Table;
use crate::incentives::Freeze;
use crate::measures::Measure;
use crate::measures::engine::{Engine, Slice, Sources};
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
    MIN(invoiced_on) AS first_invoiced_on, MAX(ordered_on) AS last_ordered_on, MAX(invoiced_on) AS last_invoiced_on, \
    CAST(COUNT(*) AS BIGINT) AS lines FROM sales GROUP BY partner_id, currency";

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

/// Sales that are measured at a time, about.
const SLICE_LINES: i64 = 3_000_000;

/// Slices of partners that share the sales evenly, as far as partners can be parted.
fn slices<'a>(sold: impl Iterator<Item = (&'a str, i64)>) -> Vec<Slice> {
    let mut lines: BTreeMap<&str, i64> = BTreeMap::new();
    for (partner, more) in sold {
        *lines.entry(partner).or_default() += more;
    }
    let slice = |from: Option<&str>, until: Option<&str>| Slice {
        column: "partner_id",
        from: from.map(str::to_owned),
        until: until.map(str::to_owned),
    };
    let (mut slices, mut first, mut sum) = (Vec::new(), None, 0);
    for (partner, lines) in lines {
        if sum > 0 && sum + lines > SLICE_LINES {
            slices.push(slice(first, Some(partner)));
            (first, sum) = (Some(partner), 0);
        }
        sum += lines;
    }
    slices.push(slice(first, None));
    slices
}

/// The tables of [`CALENDARS`], and the slices of partners in which to measure; `sales` are the files of the feed.
pub(super) fn calendars(given: Given<'_>, sales: Vec<PathBuf>) -> Result<([Table; 4], Vec<Slice>), PipelineError> {
    let of_sales = Sources::from([("sales".to_owned(), sales)]);
    let table = Polars::default().run("the days of sales", SOLD, &of_sales)?;
    let (mut sold, mut lines) = (
        Vec::with_capacity(table.rows.len()),
        Vec::with_capacity(table.rows.len()),
    );
    for row in table.iter() {
        lines.push((row.text("partner_id")?, row.int("lines")?));
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
    let tables = [
        cuts.changes(&sold),
        cuts.days(&sold),
        cuts.partners(&sold),
        sale_products(given.products, given.domains, schemes)?,
    ];
    Ok((tables, slices(lines.into_iter())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_follow_one_another_and_hold_every_partner() {
        let half = SLICE_LINES / 2;
        let sold = [
            ("P3", half),
            ("P1", half),
            ("P1", half),
            ("P2", 1),
            ("P4", half),
            ("P5", SLICE_LINES * 2),
        ];
        let shown: Vec<String> = slices(sold.into_iter())
            .iter()
            .map(|s| {
                format!(
                    "{}..{}",
                    s.from.as_deref().unwrap_or(""),
                    s.until.as_deref().unwrap_or("")
                )
            })
            .collect();
        assert_eq!(shown, ["..P2", "P2..P4", "P4..P5", "P5.."]);
        assert_eq!(slices(std::iter::empty()).len(), 1);
    }
}
