//! `explain rebate`: what was earned, component by component, and the lines behind it.
//!
//! Duty: print it. Must not: compute; `pipeline::explain::sales` asks the engine.

use serde_json::{Value as Json, json};

use super::explain::{place, record_json, rule_json, rule_values, table_json};
use super::{CommandResult, Session};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Period, Table, Value};
use crate::evaluation::explain::number;

use crate::pipeline::explain::sales::{Counted, LineSays, RebateExplained, Sale, rebate};
use crate::pipeline::{PipelineError, explain as explaining};
use crate::store::release::Release;

/// Lines that are listed where nothing else is asked for.
const ROWS: usize = 10;

pub(super) fn explain(
    session: &Session,
    release: &Release,
    partner: &PartnerId,
    scheme: Option<&str>,
    period: Period,
    rows: Option<usize>,
) -> CommandResult {
    let Some(name) = scheme else {
        let table = explaining::rebates_within(release, partner, period)?;
        if table.rows.is_empty() {
            return Err(nothing(release, partner, period)?);
        }
        session.output.table(&table);
        return Ok(());
    };
    let scheme =
        SchemeId::new(name).map_err(|e| PipelineError::Usage(format!("scheme '{name}' {e}; see `rules show`")))?;
    let Some(found) = rebate(&session.layout, release, partner, &scheme, period)? else {
        let earned = explaining::rebates(release, partner, period)?;
        let mut schemes: Vec<String> = earned
            .iter()
            .map(|r| Ok(r.text("scheme")?.to_owned()))
            .collect::<Result<_, PipelineError>>()?;
        schemes.dedup();
        if schemes.is_empty() {
            return Err(nothing(release, partner, period)?);
        }
        return Err(PipelineError::Usage(format!(
            "scheme {scheme} is not computed for {partner} in {period}; there are {}",
            schemes.join(", ")
        )));
    };
    if session.output.json {
        session.output.value(&json(&found, rows.unwrap_or(usize::MAX)));
    } else {
        text(
            session,
            &found,
            &format!("{scheme} of {partner} in {period}, by {}", release.name()),
            rows.unwrap_or(ROWS),
        );
    }
    Ok(())
}

/// Why there is nothing to explain.
fn nothing(release: &Release, partner: &PartnerId, period: Period) -> Result<PipelineError, PipelineError> {
    let known = release.read_table("partners")?;
    let is_known = known.iter().any(|r| r.text("partner_id") == Ok(partner.as_str()));
    Ok(PipelineError::Usage(if is_known {
        let mut message = format!("no scheme counted a sale of {partner} in {period}");
        let periods = explaining::earning_periods(release, partner)?;
        if !periods.is_empty() {
            let names: Vec<String> = periods.iter().map(ToString::to_string).collect();
            message.push_str(&format!("; its earning periods are {}", names.join(", ")));
        }
        message
    } else {
        format!("there is no partner {partner} in the release")
    }))
}

fn text(session: &Session, found: &RebateExplained, title: &str, rows: usize) {
    let output = session.output;
    output.line(title);
    output.line("");
    output.table(&components(&found.components));
    let (counted, left): (Vec<&Sale>, Vec<&Sale>) = found
        .sales
        .iter()
        .partition(|sale| matches!(sale.says, LineSays::Counts(_)));
    output.line("\nlines that count");
    let mut table = Table::new(
        "lines",
        &[
            "line", "ordered", "invoiced", "product", "domain", "net", "currency", "fx rate", "counts",
        ],
    );
    for sale in counted.iter().take(rows) {
        let LineSays::Counts(says) = &sale.says else { continue };
        table.push(vec![
            key(sale).into(),
            sale.ordered_on.into(),
            sale.invoiced_on.into(),
            sale.product_id.as_str().into(),
            sale.domain.as_str().into(),
            Value::Dec(sale.net_amount),
            sale.currency.as_str().into(),
            number(&says.fx_rate).into(),
            counts(says).into(),
        ]);
    }
    output.table(&table);
    more(session, counted.len(), rows);
    for sale in counted.iter().take(rows) {
        output.wrapped(2, &place(&sale.record));
    }
    let says = if found.adds_up {
        "the basis of the release"
    } else {
        "which is not the basis of the release: the measure of sales in pipelines/measures counts otherwise, or run `starledger verify`"
    };
    output.wrapped(
        2,
        &format!("{} lines add up to {}; {says}", counted.len(), number(&found.basis)),
    );
    output.line("\nlines that do not");
    for sale in left.iter().take(rows) {
        let LineSays::Left(why) = &sale.says else { continue };
        output.wrapped(2, &place(&sale.record));
        output.wrapped(6, &format!("{} {}: {why}", sale.net_amount, sale.currency));
    }
    more(session, left.len(), rows);
    if left.is_empty() {
        output.line("  none");
    }
    output.line("");
    rule_values(session, &found.rules);
}

/// What a line counts, where what decides or what a stack took is another figure with that.
fn counts(says: &Counted) -> String {
    let mut text = number(&says.pays);
    if says.decides != says.pays {
        text = format!("{text}, decides {}", number(&says.decides));
    }
    if !says.taken.is_zero() {
        text = format!("{text}, less {} of the stack", number(&says.taken));
    }
    text
}

fn more(session: &Session, all: usize, rows: usize) {
    if all > rows {
        session.output.line(&format!("  … and {} more: --rows all", all - rows));
    }
}

fn key(sale: &Sale) -> String {
    let key: Vec<&str> = sale.record.key.iter().map(|(_, value)| value.as_str()).collect();
    match &sale.returns {
        Some(original) => format!("{} returns {original}", key.join(" ")),
        None => key.join(" "),
    }
}

/// Components for a terminal: without the columns that are the same in each row, without zeros at the end.
fn components(table: &Table) -> Table {
    let columns = [
        "domain",
        "component",
        "basis",
        "rate",
        "factor",
        "amount",
        "booked",
        "lines",
        "reason",
    ];
    let mut out = Table::new("components", &columns);
    for row in table.iter() {
        let value = |column: &&str| match row.get(column) {
            Ok(Value::Dec(d)) => number(&d.ratio()).into(),
            Ok(value) => value.clone(),
            Err(_) => Value::Null,
        };
        out.push(columns.iter().map(value).collect());
    }
    out
}

fn json(found: &RebateExplained, rows: usize) -> Json {
    json!({
        "components": table_json(&found.components),
        "rule_values": found.rules.iter().map(rule_json).collect::<Vec<_>>(),
        "lines": found.sales.iter().take(rows).map(sale_json).collect::<Vec<_>>(),
        "line_count": found.sales.len(),
        "basis": number(&found.basis),
        "adds_up": found.adds_up,
    })
}

fn sale_json(sale: &Sale) -> Json {
    let mut out = json!({
        "record": record_json(&sale.record),
        "product_id": sale.product_id, "domain": sale.domain,
        "ordered_on": sale.ordered_on.to_string(), "invoiced_on": sale.invoiced_on.to_string(),
        "net_amount": sale.net_amount.to_string(), "list_amount": sale.list_amount.to_string(),
        "quantity": number(&sale.quantity), "currency": sale.currency,
        "returns": sale.returns,
    });
    match &sale.says {
        LineSays::Counts(says) => {
            out["counts"] = json!(number(&says.pays));
            out["decides"] = json!(number(&says.decides));
            out["taken_by_stack"] = json!(number(&says.taken));
            out["fx_rate"] = json!(number(&says.fx_rate));
        }
        LineSays::Left(why) => out["left_out"] = json!(why),
    }
    out
}
