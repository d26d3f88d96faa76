//! Verification of everything: bytes, and what the ledger says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::PipelineError;
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Currency, Finding, Findings, Money, Period, Place, Table};
use crate::ledger::{self, Entry, PostingDay, Reason, Target, View};
use crate::store::layout::Layout;
use crate::store::release::Release;
use crate::store::verify::Looked;
use crate::store::{self, parquet};

/// Checks every release and the originals, then the ledger of the current release: its chain, its invariants, and that
/// it books what the rebates say was earned.
pub fn verify(layout: &Layout) -> Result<(Looked, Findings), PipelineError> {
    let (looked, mut findings) = store::verify::verify(layout)?;
    if let Some(release) = Release::current(layout)? {
        findings.extend(ledger_findings(&release));
    }
    Ok((looked, findings))
}

/// What is not in order in the ledger of a release: its chain, its invariants, its head.
pub fn ledger_findings(release: &Release) -> Findings {
    let unreadable = |detail: String| {
        vec![Finding::error(
            Place::file(release.folder().join("ledger").display().to_string()),
            "ledger.unreadable",
            detail,
            "delete the warehouse folder and run again: it is rebuilt from landing, byte for byte",
        )]
    };
    // read past the file hashes, so that the chain names the entry that was edited
    let read = |table: &str| -> Result<Table, String> {
        let mut out: Option<Table> = None;
        for file in release.files_of(table) {
            let path = release.path_of(file);
            // the package that decodes Parquet panics at some damages; the file is named by its hash then
            let part = catch_unwind(AssertUnwindSafe(|| parquet::read(&path, table)))
                .map_err(|_| format!("{} cannot be decoded", path.display()))?
                .map_err(|e| e.to_string())?;
            match &mut out {
                None => out = Some(part),
                Some(all) => all.rows.extend(part.rows),
            }
        }
        Ok(out.unwrap_or_else(|| Table::new(table, &[])))
    };
    let entries = match read("ledger").and_then(|t| ledger::table::from_table(&t).map_err(|e| e.to_string())) {
        Ok(entries) => entries,
        Err(detail) => return unreadable(detail),
    };
    let targets = match read("rebates").and_then(|t| targets_of(&t)) {
        Ok(targets) => targets,
        Err(detail) => return unreadable(detail),
    };
    let documents = read("settlements").and_then(|t| {
        if t.columns().is_empty() {
            return Ok(Vec::new());
        }
        ledger::documents::from_table(&t).map_err(|e| e.to_string())
    });
    let documents = match documents {
        Ok(documents) => documents,
        Err(detail) => return unreadable(detail),
    };
    // which posting periods are closed the rules of then would say; what was settled the ledger says itself
    let settled: BTreeSet<Period> = entries
        .iter()
        .filter(|e| e.reason == Reason::Settlement)
        .map(|e| e.earning_period)
        .collect();
    let at = |e: &Entry| PostingDay {
        period: e.period,
        day: e.posting_on,
        is_final: settled.contains(&e.earning_period),
    };
    let days: BTreeMap<Period, PostingDay> = entries.iter().map(|e| (e.earning_period, at(e))).collect();
    let fallback = entries.last().map(at);
    let posting = |period: Period| {
        days.get(&period).copied().or(fallback).unwrap_or(PostingDay {
            period,
            day: crate::domain::Date::MIN,
            is_final: false,
        })
    };
    let view = View {
        entries: &entries,
        targets: &targets,
        posting: &posting,
        holds: &[],
        earlier: None,
        documents: &documents,
    };
    let mut findings: Findings = ledger::INVARIANTS
        .iter()
        // what a replay posts depends on the holds of the run, which only a run knows
        .filter(|i| i.name != "replay")
        .flat_map(|i| {
            (i.check)(&view)
                .unwrap_or_else(|e| vec![e.to_string()])
                .into_iter()
                .map(|problem| {
                    Finding::error(
                        Place::file("ledger"),
                        i.name,
                        problem,
                        "delete the warehouse folder and run again: it is rebuilt from landing, byte for byte",
                    )
                })
        })
        .collect();
    let head = entries
        .last()
        .map_or_else(|| ledger::chain::genesis().to_string(), |e| e.entry_hash.to_string());
    if head != release.manifest.ledger_head && findings.is_empty() {
        findings.push(Finding::error(
            Place::file("ledger"),
            "ledger.head",
            format!(
                "the ledger ends in {head}, the manifest says {}",
                release.manifest.ledger_head
            ),
            "the whole chain was written anew; delete the warehouse folder and run again",
        ));
    }
    findings
}

/// What was earned to date by key: the component `earned` of the latest posting period.
fn targets_of(rebates: &Table) -> Result<Vec<Target>, String> {
    let mut latest: BTreeMap<(String, String, Period), (Period, Money)> = BTreeMap::new();
    for row in rebates.iter() {
        if row.text("component").map_err(|e| e.to_string())? != "earned" {
            continue;
        }
        let text = |column| row.text(column).map_err(|e| e.to_string());
        let period = |column| text(column).and_then(|t| Period::parse(t).map_err(|e| e.to_string()));
        let currency = text("currency")?;
        let currency = Currency::parse(currency).ok_or_else(|| format!("'{currency}' is no currency"))?;
        let amount = row.dec("booked").map_err(|e| e.to_string())?;
        let money = Money::exact(amount, currency).map_err(|e| e.to_string())?;
        let key = (
            text("partner_id")?.to_owned(),
            text("scheme")?.to_owned(),
            period("earning_period")?,
        );
        let posting = period("period")?;
        if latest.get(&key).is_none_or(|(known, _)| *known < posting) {
            latest.insert(key, (posting, money));
        }
    }
    latest
        .into_iter()
        .map(|((partner, scheme, earning_period), (_, amount))| {
            Ok(Target {
                partner: PartnerId::new(&partner).map_err(|e| e.to_string())?,
                scheme: SchemeId::new(&scheme).map_err(|e| e.to_string())?,
                earning_period,
                amount,
                // what was set aside the ledger says itself
                is_fund: false,
            })
        })
        .collect()
}
