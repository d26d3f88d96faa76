//! `diff`: what changed from one release to another, in money and words.
//!
//! Duty: print it. Must not: compare; `pipeline::difference` does.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::explain::table_json;
use super::simulate::{arrow, sign, standing_json, standing_name};
use super::{CommandResult, Session, rules};
use crate::domain::{Currency, Dec, Ratio, Rounding, Table, Value};
use crate::pipeline::difference::{Difference, EarnedMove, difference_of};
use crate::pipeline::simulate::CardMove;

/// Rows that are listed where not all are asked for.
const LISTED: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Release, or the number of its run.
    a: String,
    /// Another one; the current release by default.
    b: Option<String>,
    /// List everything that changed.
    #[arg(long)]
    all: bool,
}

pub(super) fn diff(session: &Session, args: &Args) -> CommandResult {
    let found = difference_of(&session.layout, &args.a, args.b.as_deref())?;
    if session.output.json {
        session.output.value(&json(&found));
        return Ok(());
    }
    let output = session.output;
    let listed = if args.all { usize::MAX } else { LISTED };
    for (word, release) in [("from", &found.before), ("to", &found.after)] {
        output.line(&format!(
            "{word:<10} {} as of {}",
            release.name(),
            release.manifest.as_of
        ));
    }
    let mut said = false;
    let mut section = |title: &str, table: &Table| {
        if table.rows.is_empty() {
            return;
        }
        said = true;
        output.line(&format!("\n{title}"));
        let mut shown = table.clone();
        shown.rows.truncate(listed);
        output.table(&shown);
        if table.rows.len() > listed {
            output.line(&format!("… and {} more: --all", table.rows.len() - listed));
        }
    };
    section(
        "files that arrived",
        &picked(
            &found.arrived,
            &["file_name", "feed", "state", "records", "current", "quarantined"],
        ),
    );
    section("periods", &periods(&found));
    section("cards", &cards(&found.cards));
    section("earned, by scheme", &by_scheme(&found.earned));
    section("earned", &earned(&found.earned));
    section("posted", &posted(&found));
    section(
        "documents",
        &picked(
            &found.documents,
            &[
                "settlement_no",
                "kind",
                "partner_id",
                "period",
                "currency",
                "due_amount",
            ],
        ),
    );
    let why: Vec<&EarnedMove> = found.earned.iter().filter(|e| !e.why.is_empty()).collect();
    if !why.is_empty() {
        output.line("\nwhy");
    }
    for moved in why.iter().take(listed) {
        output.wrapped(
            2,
            &format!("{} {} {}", moved.partner, moved.scheme, moved.earning_period),
        );
        moved.why.iter().for_each(|line| output.wrapped(6, line));
    }
    if why.len() > listed {
        output.line(&format!("… and {} more: --all", why.len() - listed));
    }
    let changes = rules::every_change(&found.configs[0].rules, &found.configs[1].rules, None);
    if !changes.is_empty() {
        said = true;
        output.line("\nrules");
        rules::print(output, &changes);
    }
    if !found.domains.is_empty() {
        output.line(&format!("\n{} scores of domains moved", found.domains.len()));
    }
    if !said {
        output.line("nothing that people see changed");
    }
    Ok(())
}

/// Some columns of a table that are in it.
fn picked(table: &Table, columns: &[&str]) -> Table {
    let known: Vec<&str> = columns.iter().copied().filter(|c| table.column(c).is_some()).collect();
    let mut out = Table::new(table.name(), &known);
    for row in table.iter() {
        out.push(
            known
                .iter()
                .map(|c| row.get(c).cloned().unwrap_or(Value::Null))
                .collect(),
        );
    }
    out
}

fn periods(found: &Difference) -> Table {
    let mut table = Table::new("periods", &["period", "status"]);
    for (period, before, after) in &found.periods {
        table.push(vec![period.as_str().into(), arrow(before, after).into()]);
    }
    table
}

fn cards(moved: &[CardMove]) -> Table {
    let columns = [
        "partner", "period", "before", "after", "change", "grade", "state", "red line",
    ];
    let mut table = Table::new("cards", &columns);
    for c in moved {
        let score = |d: Option<Dec>| d.map_or(Value::Null, Value::Dec);
        table.push(vec![
            c.partner.as_str().into(),
            c.period.as_str().into(),
            score(c.before.score),
            score(c.after.score),
            sign(c.change()).into(),
            arrow(&standing_name(&c.before), &standing_name(&c.after)).into(),
            arrow(&c.before.state, &c.after.state).into(),
            arrow(&c.before.red_line, &c.after.red_line).into(),
        ]);
    }
    table
}

/// Sums by scheme and currency.
fn by_scheme(moved: &[EarnedMove]) -> Table {
    let mut sums: BTreeMap<(&str, &str), (i64, Ratio)> = BTreeMap::new();
    let exact = |d: Option<Dec>| d.map_or_else(Ratio::zero, Dec::ratio);
    for e in moved.iter().filter(|e| e.before != e.after) {
        let (targets, sum) = sums.entry((&e.scheme, &e.currency)).or_insert((0, Ratio::zero()));
        *targets += 1;
        *sum = &*sum + &(&exact(e.after) - &exact(e.before));
    }
    let mut table = Table::new("earned", &["scheme", "currency", "targets", "change"]);
    for ((scheme, currency), (targets, sum)) in sums {
        // sums of amounts in minor units: nothing is rounded
        let minor = Currency::parse(currency).map_or(2, Currency::minor_digits);
        let change = sum.round(minor, Rounding::HalfAwayFromZero);
        table.push(vec![
            scheme.into(),
            currency.into(),
            targets.into(),
            sign(change).into(),
        ]);
    }
    table
}

fn earned(moved: &[EarnedMove]) -> Table {
    let columns = ["partner", "scheme", "period", "currency", "before", "after", "change"];
    let mut table = Table::new("earned", &columns);
    for e in moved.iter().filter(|e| e.before != e.after) {
        let amount = |d: Option<Dec>| d.map_or(Value::Null, Value::Dec);
        table.push(vec![
            e.partner.as_str().into(),
            e.scheme.as_str().into(),
            e.earning_period.as_str().into(),
            e.currency.as_str().into(),
            amount(e.before),
            amount(e.after),
            sign(e.change()).into(),
        ]);
    }
    table
}

fn posted(found: &Difference) -> Table {
    let columns = ["period", "reason", "account", "currency", "debit", "credit", "entries"];
    let mut table = Table::new("posted", &columns);
    for p in &found.posted {
        let (debit, credit) = if p.amount.is_negative() {
            (Value::Null, Value::Dec(p.amount.negated().dec()))
        } else {
            (Value::Dec(p.amount.dec()), Value::Null)
        };
        table.push(vec![
            p.period.as_str().into(),
            p.reason.as_str().into(),
            p.account.as_str().into(),
            p.amount.currency().code().into(),
            debit,
            credit,
            i64::try_from(p.entries).unwrap_or(i64::MAX).into(),
        ]);
    }
    table
}

fn json(found: &Difference) -> Json {
    let side = |release: &crate::store::release::Release| {
        json!({
            "release": release.name(), "as_of": release.manifest.as_of, "ledger_entries": release.manifest.ledger_entries,
        })
    };
    let dec = |d: Option<Dec>| d.map(|d| d.to_string());
    json!({
        "before": side(&found.before), "after": side(&found.after),
        "arrived": table_json(&found.arrived),
        "periods": found.periods.iter().map(|(period, before, after)| json!({
            "period": period, "before": before, "after": after,
        })).collect::<Vec<_>>(),
        "cards": found.cards.iter().map(|c| json!({
            "partner_id": c.partner, "period": c.period, "before": standing_json(&c.before),
            "after": standing_json(&c.after), "change": dec(c.change()),
        })).collect::<Vec<_>>(),
        "domains": found.domains.iter().map(|d| json!({
            "partner_id": d.partner, "domain": d.domain, "period": d.period, "before": standing_json(&d.before),
            "after": standing_json(&d.after), "change": dec(d.change()),
        })).collect::<Vec<_>>(),
        "earned": found.earned.iter().map(|e| json!({
            "partner_id": e.partner, "scheme": e.scheme, "earning_period": e.earning_period, "currency": e.currency,
            "before": dec(e.before), "after": dec(e.after), "change": dec(e.change()), "why": e.why,
        })).collect::<Vec<_>>(),
        "posted": found.posted.iter().map(|p| json!({
            "period": p.period, "reason": p.reason.as_str(), "account": p.account.as_str(),
            "currency": p.amount.currency().code(), "amount": p.amount.dec().to_string(), "entries": p.entries,
        })).collect::<Vec<_>>(),
        "documents": table_json(&found.documents),
        "rules": rules::every_change(&found.configs[0].rules, &found.configs[1].rules, None)
            .iter().map(rules::pair_json).collect::<Vec<_>>(),
    })
}
