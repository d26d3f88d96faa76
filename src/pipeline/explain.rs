//! Explanations of a release's scores, from its own tables.
//!
//! Duty: run the evaluation of one period again over the measures of the release and hand out its derivation. The
//! engine is the one that computed the score; there is no second implementation. Not its duty: printing.

use std::collections::BTreeSet;

use super::PipelineError;
use super::config::Config;
use crate::domain::ids::PartnerId;
use crate::domain::{Period, Table};
use crate::evaluation::authorisation::with_findings;
use crate::evaluation::{self, Inputs, explain::Explanation};
use crate::rules::MetricId;
use crate::store::landing;
use crate::store::layout::Layout;
use crate::store::release::Release;

/// Derives the scores of a partner in a period of the current release; `None` when it was not evaluated.
pub fn score(
    layout: &Layout,
    release: &Release,
    partner: &PartnerId,
    period: Period,
    metric: Option<MetricId>,
) -> Result<Option<Explanation>, PipelineError> {
    // a closed period is explained by the release that closed it: its measures, its rules
    let settled = settled_release(layout, release, period)?;
    let release = settled.as_ref().unwrap_or(release);
    let bundle = landing::configuration(layout, release.manifest.configuration)?;
    let config = Config::parse(bundle).map_err(PipelineError::Config)?;
    let kind = config.rules.programme().evaluation_period;
    if period.kind() != kind {
        return Err(PipelineError::Usage(format!(
            "{period} is no evaluation period: partners are evaluated by {kind:?}"
        )));
    }
    let name = period.to_string();
    let read = |table: &str| -> Result<Table, PipelineError> {
        let read = release.read_table(table)?;
        if read.columns().is_empty() {
            return Ok(Table::with_columns(
                table,
                config.contract(table).columns.iter().map(|c| c.name.clone()).collect(),
            ));
        }
        Ok(read)
    };
    // what other periods say is sealed for this one
    let others = |table: &str| -> Result<Table, PipelineError> {
        let mut all = read(table)?;
        if let Some(column) = all.column("period") {
            all.rows.retain(|row| row[column].to_string() != name);
        }
        Ok(all)
    };
    let inputs = Inputs {
        periods: vec![period],
        partner_periods: read("calendar_partner_periods")?,
        satisfaction: read("measures_satisfaction")?,
        quality: read("measures_quality")?,
        critical: read("measures_critical")?,
        parts: read("measures_parts")?,
        deliveries: read("measures_deliveries")?,
        certifications: read("effective_certifications")?,
        domains: read("domains")?,
        key_events: with_findings(
            read("key_events")?,
            &read("authorisation_findings")?,
            &read("decisions")?,
        ),
        decisions: read("decisions")?,
        sealed_scores: others("scores")?,
        sealed_partner_scores: others("partner_scores")?,
        sealed_metrics: others("metrics")?,
        sealed_key_event_points: read("key_event_points")?,
        incomplete: incomplete(&read("metrics")?)?,
    };
    let evaluated = evaluation::evaluate(&inputs, &config.rules).map_err(|e| PipelineError::Stage {
        what: "the evaluation",
        detail: e.to_string(),
    })?;
    Ok(evaluation::explain::explain(&evaluated, partner, period, metric))
}

/// What the release says rests on a silent or thin feed.
fn incomplete(metrics: &Table) -> Result<BTreeSet<(MetricId, PartnerId, Period)>, PipelineError> {
    let bad = |detail: String| PipelineError::Stage {
        what: "table metrics",
        detail,
    };
    let mut out = BTreeSet::new();
    for row in metrics.iter().filter(|r| r.text("state") == Ok("incomplete")) {
        let name = row.text("metric")?;
        let metric = MetricId::ALL.into_iter().find(|id| id.as_str() == name);
        out.insert((
            metric.ok_or_else(|| bad(format!("metric '{name}' is none that is known")))?,
            PartnerId::new(row.text("partner_id")?).map_err(|e| bad(e.to_string()))?,
            Period::parse(row.text("period")?).map_err(|e| bad(e.to_string()))?,
        ));
    }
    Ok(out)
}

/// The release that closed the posting period in which an evaluation period ends; `None` while that is open.
fn settled_release(layout: &Layout, release: &Release, period: Period) -> Result<Option<Release>, PipelineError> {
    let bundle = landing::configuration(layout, release.manifest.configuration)?;
    let config = Config::parse(bundle).map_err(PipelineError::Config)?;
    let programme = config.rules.programme();
    let posting = programme
        .calendar
        .period_of(programme.calendar.last_day(period), programme.posting_period);
    let Some(posting) = posting.map(|p| p.to_string()) else {
        return Ok(None);
    };
    for row in release.read_table("periods")?.iter() {
        if row.text("period")? == posting && row.text("status")? == "closed" {
            let prefix = format!("r{:06}-", row.int("closed_run")?);
            let names = crate::store::recover::reachable(layout)?;
            let name = names.into_iter().find(|name| name.starts_with(&prefix));
            return Ok(name.map(|name| Release::open(layout, &name)).transpose()?);
        }
    }
    Ok(None)
}

/// The components of what a partner earned in an earning period: rows of `rebates` of the latest posting period.
pub fn rebates(release: &Release, partner: &PartnerId, period: Period) -> Result<Table, PipelineError> {
    let all = release.read_table("rebates")?;
    let columns = [
        "scheme",
        "domain",
        "component",
        "currency",
        "basis",
        "rate",
        "factor",
        "amount",
        "booked",
        "lines",
        "reason",
    ];
    let mut out = Table::new("rebates", &columns);
    let mut latest: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    let (wanted, name) = (partner.as_str(), period.to_string());
    for row in all
        .iter()
        .filter(|r| r.text("partner_id") == Ok(wanted) && r.text("earning_period") == Ok(&name))
    {
        let (scheme, posting) = (row.text("scheme")?.to_owned(), row.text("period")?.to_owned());
        let entry = latest.entry(scheme).or_default();
        if *entry < posting {
            *entry = posting;
        }
    }
    for row in all
        .iter()
        .filter(|r| r.text("partner_id") == Ok(wanted) && r.text("earning_period") == Ok(&name))
    {
        if latest.get(row.text("scheme")?).map(String::as_str) == Some(row.text("period")?) {
            out.push(columns.iter().map(|c| row.get(c).cloned()).collect::<Result<_, _>>()?);
        }
    }
    out.rows.sort_by_key(|row| {
        (
            row[0].to_string(),
            row[1].to_string().is_empty(),
            row[1].to_string(),
            rank(&row[2].to_string()),
        )
    });
    Ok(out)
}

/// Components in the order in which an amount is derived.
fn rank(component: &str) -> (usize, String) {
    const ORDER: [&str; 10] = [
        "basis", "waiting", "frozen", "unpaid", "gate", "band", "stars", "flat", "modifier", "rounding",
    ];
    let kind = component.split(':').next().unwrap_or_default();
    (
        ORDER.iter().position(|o| *o == kind).unwrap_or(ORDER.len()),
        component.to_owned(),
    )
}
