//! `discounts`: sales whose discount is not the one that was allowed.
//!
//! Duty: list them, or add them up by partner and currency. Must not: judge a sale; the table of the release says it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::query::current;
use super::settlements::{in_minor, row_json};
use super::{CommandResult, Session};
use crate::domain::{Dec, Rounding, RowRef, Table, Value};
use crate::pipeline::PipelineError;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Evaluation period; all where absent.
    period: Option<String>,
    #[arg(long)]
    partner: Option<String>,
    /// over, under or rate_only.
    #[arg(long)]
    verdict: Option<String>,
    /// Each sale with file and line, and not only the sums.
    #[arg(long)]
    sales: bool,
}

pub(super) fn discounts(session: &Session, args: &Args) -> CommandResult {
    let table = current(session)?.read_table("discount_checks")?;
    let is = |row: &RowRef<'_>, column: &str, wanted: &Option<String>| {
        wanted.as_ref().is_none_or(|wanted| row.text(column) == Ok(wanted))
    };
    let mut rows: Vec<RowRef<'_>> = table
        .iter()
        .filter(|row| {
            is(row, "period", &args.period) && is(row, "partner_id", &args.partner) && is(row, "verdict", &args.verdict)
        })
        .collect();
    rows.sort_by_key(|row| {
        (
            row.text("partner_id").unwrap_or_default(),
            row.text("order_line_id").unwrap_or_default(),
        )
    });
    let output = session.output;
    if output.json {
        output.value(&Json::Array(
            rows.into_iter().map(|row| row_json(&table, row)).collect(),
        ));
    } else if rows.is_empty() {
        output.line("no sale had another discount than the one that was allowed");
    } else if args.sales {
        output.table(&sales(&rows)?);
    } else {
        output.table(&sums(&rows)?);
        output.line("leakage: given away beyond what was allowed; below zero: paid too much. --sales shows each sale");
    }
    Ok(())
}

fn sales(rows: &[RowRef<'_>]) -> Result<Table, PipelineError> {
    let columns = [
        "sale",
        "partner",
        "ordered_on",
        "allowed_by",
        "allowed",
        "given",
        "list",
        "net",
        "leakage",
        "currency",
        "file",
    ];
    let mut shown = Table::new("sales", &columns);
    for row in rows {
        let currency = row.text("currency")?;
        shown.push(vec![
            row.text("order_line_id")?.into(),
            row.text("partner_id")?.into(),
            row.date("ordered_on")?.into(),
            row.text("allowed_by")?.into(),
            percent(row.dec("allowed_rate")?).into(),
            percent(row.dec("discount_rate")?).into(),
            in_minor(row.dec("list_amount")?, currency),
            in_minor(row.dec("net_amount")?, currency),
            in_minor(row.dec("leakage_amount")?, currency),
            currency.into(),
            format!("{}:{}", row.text("source_file")?, row.int("source_line")?).into(),
        ]);
    }
    Ok(shown)
}

/// Sales over and under, and their money, by partner and currency.
fn sums(rows: &[RowRef<'_>]) -> Result<Table, PipelineError> {
    let mut sums: BTreeMap<(&str, &str), [(i64, Dec); 2]> = BTreeMap::new();
    for row in rows {
        let leakage = row.dec("leakage_amount")?;
        let sums = sums
            .entry((row.text("partner_id")?, row.text("currency")?))
            .or_insert([(0, Dec::ZERO); 2]);
        let side = &mut sums[usize::from(leakage < Dec::ZERO)];
        let added = (&side.1.ratio() + &leakage.ratio()).round(4, Rounding::HalfAwayFromZero);
        *side = (
            side.0 + i64::from(leakage != Dec::ZERO),
            added.ok_or_else(|| PipelineError::stage("the discounts")("a sum does not fit".to_owned()))?,
        );
    }
    let columns = [
        "partner",
        "currency",
        "sales_over",
        "leakage",
        "sales_under",
        "paid_too_much",
    ];
    let mut shown = Table::new("discounts", &columns);
    for ((partner, currency), [(over, leakage), (under, paid)]) in sums {
        let paid = match in_minor(paid, currency) {
            Value::Dec(dec) => Value::Dec(Dec::new(-dec.units(), dec.scale())),
            other => other,
        };
        shown.push(vec![
            partner.into(),
            currency.into(),
            over.into(),
            in_minor(leakage, currency),
            under.into(),
            paid,
        ]);
    }
    Ok(shown)
}

/// `0.2` as `20 %`.
fn percent(rate: Dec) -> String {
    let hundredfold = Dec::new(rate.units() * 100, rate.scale()).to_string();
    match hundredfold.split_once('.') {
        Some((whole, decimals)) if decimals.trim_end_matches('0').is_empty() => format!("{whole} %"),
        Some((whole, decimals)) => format!("{whole}.{} %", decimals.trim_end_matches('0')),
        None => format!("{hundredfold} %"),
    }
}
