//! Explanations of a release's scores, from its own tables.
//!
//! Duty: run the evaluation of one period again over the measures of the release and hand out its derivation, with the
//! rule values it rests on and the source rows behind its measures. The engine is the one that computed the score;
//! there is no second implementation. Not its duty: printing.

pub mod entry;
pub mod rows;
pub mod sales;

use std::collections::{BTreeMap, BTreeSet};

use self::rows::{MeasureRows, SourceRecord};
use super::PipelineError;
use super::config::Config;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Period, Table};
use crate::evaluation::authorisation::with_findings;
use crate::evaluation::derivation::Card;
use crate::evaluation::metric::Working;
use crate::evaluation::{self, Evaluated, Inputs, explain::Explanation};
use crate::rules::{MetricId, MetricName, ResolvedValue};
use crate::store::landing;
use crate::store::layout::Layout;
use crate::store::release::Release;

/// What is to be explained.
#[derive(Clone, Debug)]
pub struct Question {
    pub partner: PartnerId,
    /// An evaluation period.
    pub period: Period,
    /// Only this metric.
    pub metric: Option<MetricId>,
    /// Only this domain.
    pub domain: Option<DomainId>,
}

/// A score down to the source rows.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The release that answers: for a closed period the one that closed it.
    pub release: String,
    pub derivation: Explanation,
    /// The values of the rule book that the derivation rests on, by path.
    pub rules: Vec<ResolvedValue>,
    /// By domain, metric, measure and period.
    pub rows: Vec<MeasureRows>,
    /// Key events that count in the scores, each followed by the decisions on it.
    pub events: Vec<SourceRecord>,
}

/// Sections of the rule book that say how metrics become a score.
const COMPOSITE_RULES: [&str; 5] = ["card", "evaluation", "grades", "key_events", "red_lines"];

/// Derives the scores of a partner in a period of the current release; `None` when it was not evaluated.
pub fn score(layout: &Layout, release: &Release, question: &Question) -> Result<Option<Explained>, PipelineError> {
    let (partner, period) = (&question.partner, question.period);
    // a closed period is explained by the release that closed it: its measures, its rules
    let (release, config) = &answering(layout, release, period)?;
    let evaluated = again(release, config, period)?;
    let Some(card) = evaluated.derivations.cards.get(&(partner.clone(), period)) else {
        return Ok(None);
    };
    let derivation =
        evaluation::explain::explain(&evaluated, partner, period, question.metric, question.domain.as_ref());
    let Some(derivation) = derivation.filter(|d| !d.lines.is_empty()) else {
        return Ok(None);
    };
    let of_metrics: BTreeSet<MetricId> = card.domains.iter().flat_map(|d| &d.metrics).map(|m| m.id).collect();
    let metrics: Vec<MetricId> = of_metrics
        .into_iter()
        .filter(|id| question.metric.is_none_or(|wanted| wanted == *id))
        .collect();
    let whole = question.metric.is_none();
    let mut rows = Vec::new();
    let first = config.rules.programme().calendar.first_day(card.period);
    let book = config.rules.book(&card.edition.region, first).ok();
    for (name, periods) in measures_of(card, &metrics, whole) {
        // a metric of the programme's own names its measure
        let own = MetricName::new(&name).and_then(|own| book?.own.get(&own));
        let measure = own.map_or(name, |metric| metric.measure.clone());
        let Some(measure) = config.measures.iter().find(|m| m.name == measure) else {
            continue;
        };
        for period in periods {
            // what a closed period holds is behind by the facts of the release that closed it
            let settled = settled_release(layout, release, config, period)?;
            rows.extend(rows::behind(
                settled.as_ref().unwrap_or(release),
                config,
                measure,
                partner,
                period,
            )?);
        }
    }
    rows.retain(|r| {
        question
            .domain
            .as_ref()
            .is_none_or(|wanted| r.domain.as_ref() == Some(wanted))
    });
    let wanted = |domain: &DomainId| question.domain.as_ref().is_none_or(|w| w == domain);
    let of_domains = card.domains.iter().filter(|d| wanted(&d.domain)).map(|d| &d.events);
    let of_card = Some(&card.events).filter(|_| question.domain.is_none());
    let events: Vec<&str> = of_card
        .into_iter()
        .chain(of_domains)
        .flat_map(|e| &e.items)
        .map(|(id, _)| id.as_ref())
        .collect();
    let events = if whole { events } else { Vec::new() };
    Ok(Some(Explained {
        release: release.name().to_owned(),
        derivation,
        rules: rules_of(config, card, &metrics, whole)?,
        events: rows::of_events(release, config, &events)?,
        rows,
    }))
}

/// The rows behind one measure, of the sample or a user's own, by domain; empty where the partner has none.
pub fn measure(
    layout: &Layout,
    release: &Release,
    name: &str,
    partner: &PartnerId,
    period: Period,
) -> Result<Vec<MeasureRows>, PipelineError> {
    let (release, config) = &answering(layout, release, period)?;
    let Some(measure) = config.measures.iter().find(|m| m.name == name) else {
        let names: Vec<&str> = config.measures.iter().map(|m| m.name.as_str()).collect();
        let message = format!("there is no measure '{name}'; there are {}", names.join(", "));
        return Err(PipelineError::Usage(message));
    };
    let columns = &config.contract(&measure.output()).columns;
    if let Some(missing) = ["partner_id", "period"]
        .iter()
        .find(|c| !columns.iter().any(|known| known.name == **c))
    {
        let message = format!("measure '{name}' has no column {missing}: its rows belong to no partner and period");
        return Err(PipelineError::Usage(message));
    }
    rows::behind(release, config, measure, partner, period)
}

/// The values of the rule book that metrics, and the score as a whole, rest on.
fn rules_of(
    config: &Config,
    card: &Card,
    metrics: &[MetricId],
    whole: bool,
) -> Result<Vec<ResolvedValue>, PipelineError> {
    let first = config.rules.programme().calendar.first_day(card.period);
    let values = config.rules.resolved(&card.edition.region, first);
    let mut values = values.map_err(|e| PipelineError::Stage {
        what: "the rules",
        detail: e.to_string(),
    })?;
    values.retain(|v| {
        let path = v.path.strip_prefix("metrics.").unwrap_or(&v.path);
        let section = path.split('.').next().unwrap_or_default();
        metrics.iter().any(|m| m.as_str() == section) || (whole && COMPOSITE_RULES.contains(&section))
    });
    Ok(values)
}

/// The measures that metrics rest on, each with the periods that were looked at.
fn measures_of(card: &Card, metrics: &[MetricId], whole: bool) -> Vec<(String, Vec<Period>)> {
    let mut out = Vec::new();
    for id in metrics {
        // how far the metric looked back, where it had too little
        let looked_back = card.domains.iter().flat_map(|d| &d.metrics).filter(|m| m.id == *id);
        let periods = looked_back
            .map(|m| match &m.working {
                Working::Quality(working) => working.periods,
                _ => 1,
            })
            .max()
            .unwrap_or(1);
        let back = i64::try_from(periods).unwrap_or(1);
        let window: Vec<Period> = (1 - back..=0).map(|n| card.period.plus(n)).collect();
        out.push((id.as_str().to_owned(), window));
        if id.as_str() == "quality" {
            out.push(("critical".to_owned(), vec![card.period]));
        }
    }
    if whole {
        out.push(("deliveries".to_owned(), vec![card.period]));
    }
    out
}

/// The evaluation of one period as the release has it, with all that it left behind.
pub(super) fn again(release: &Release, config: &Config, period: Period) -> Result<Evaluated, PipelineError> {
    let inputs = inputs_of(release, config, period)?;
    evaluation::evaluate(&inputs, &config.rules).map_err(|e| PipelineError::Stage {
        what: "the evaluation",
        detail: e.to_string(),
    })
}

/// What the evaluation of one period rested on in a release.
pub(super) fn inputs_of(release: &Release, config: &Config, period: Period) -> Result<Inputs, PipelineError> {
    let kind = config.rules.programme().evaluation_period;
    if period.kind() != kind {
        return Err(PipelineError::Usage(format!(
            "{period} is no evaluation period: partners are evaluated each {kind}"
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
    // measures that a workspace need not have
    let optional = |table: &str| match config.catalogue.get(table) {
        Some(_) => read(table),
        None => Ok(Table::new(table, &[])),
    };
    Ok(Inputs {
        periods: vec![period],
        partner_periods: read("calendar_partner_periods")?,
        satisfaction: read("measures_satisfaction")?,
        quality: read("measures_quality")?,
        critical: read("measures_critical")?,
        parts: read("measures_parts")?,
        deliveries: read("measures_deliveries")?,
        service_level: optional("measures_service_level")?,
        ratings: optional("measures_ratings")?,
        responses: optional("measures_responses")?,
        own: own_measures(config, &optional)?,
        engineers: read("engineers")?,
        enablement: read("enablement")?,
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
    })
}

/// The tables of the programme's own metrics, by the name of their measure.
fn own_measures(
    config: &Config,
    read: &dyn Fn(&str) -> Result<Table, PipelineError>,
) -> Result<BTreeMap<String, Table>, PipelineError> {
    let names = config.own_measures().into_iter();
    names
        .map(|name| Ok((name.clone(), read(&format!("measures_{name}"))?)))
        .collect()
}

/// What the release says rests on a silent or thin feed.
pub(super) fn incomplete(metrics: &Table) -> Result<BTreeSet<(MetricId, PartnerId, Period)>, PipelineError> {
    let bad = |detail: String| PipelineError::Stage {
        what: "table metrics",
        detail,
    };
    let mut out = BTreeSet::new();
    for row in metrics.iter().filter(|r| r.text("state") == Ok("incomplete")) {
        let name = row.text("metric")?;
        let metric = MetricId::parse(name);
        out.insert((
            metric.ok_or_else(|| bad(format!("metric '{name}' is none that is known")))?,
            PartnerId::new(row.text("partner_id")?).map_err(|e| bad(e.to_string()))?,
            Period::parse(row.text("period")?).map_err(|e| bad(e.to_string()))?,
        ));
    }
    Ok(out)
}

/// The release that says what a period came to, with the configuration it was made with.
pub(super) fn answering(
    layout: &Layout,
    release: &Release,
    period: Period,
) -> Result<(Release, Config), PipelineError> {
    let parse = |release: &Release| {
        let bundle = landing::configuration(layout, release.manifest.configuration)?;
        Config::parse(bundle).map_err(PipelineError::Config)
    };
    let config = parse(release)?;
    match settled_release(layout, release, &config, period)? {
        Some(settled) if settled.manifest.configuration != release.manifest.configuration => {
            let config = parse(&settled)?;
            Ok((settled, config))
        }
        Some(settled) => Ok((settled, config)),
        None => Ok((release.clone(), config)),
    }
}

/// The release that closed the posting period in which an evaluation period ends; `None` while that is open.
pub(super) fn settled_release(
    layout: &Layout,
    release: &Release,
    config: &Config,
    period: Period,
) -> Result<Option<Release>, PipelineError> {
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
    let mut out = components(release, partner, &|earning| earning == period)?;
    let column = out.column("earning_period").unwrap_or(0);
    for row in &mut out.rows {
        row.remove(column);
    }
    let columns = out.columns().iter().filter(|c| *c != "earning_period");
    let mut exact = Table::with_columns("rebates", columns.cloned().collect());
    exact.rows = out.rows;
    Ok(exact)
}

/// Those of every earning period that ends in a period, which may be a longer one; with the column `earning_period`.
pub fn rebates_within(release: &Release, partner: &PartnerId, period: Period) -> Result<Table, PipelineError> {
    components(release, partner, &|earning| earning.ends_in(period))
}

/// The earning periods in which a scheme counted a sale of a partner, those that end first in front.
pub fn earning_periods(release: &Release, partner: &PartnerId) -> Result<Vec<Period>, PipelineError> {
    let all = release.read_table("rebates")?;
    let own = all.iter().filter(|r| r.text("partner_id") == Ok(partner.as_str()));
    let periods = own.filter_map(|row| Period::parse(row.text("earning_period").ok()?).ok());
    let mut periods: Vec<Period> = periods.collect::<BTreeSet<_>>().into_iter().collect();
    periods.sort_by(|a, b| a.by_end(*b));
    Ok(periods)
}

/// By scheme, then by earning period, then in the order of computation.
fn components(
    release: &Release,
    partner: &PartnerId,
    is_asked: &dyn Fn(Period) -> bool,
) -> Result<Table, PipelineError> {
    let all = release.read_table("rebates")?;
    let columns = [
        "scheme",
        "earning_period",
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
    let mut latest: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut asked = Vec::new();
    for row in all.iter().filter(|r| r.text("partner_id") == Ok(partner.as_str())) {
        let earning = row.text("earning_period")?;
        if Period::parse(earning).is_ok_and(is_asked) {
            let (key, posting) = (
                (row.text("scheme")?.to_owned(), earning.to_owned()),
                row.text("period")?,
            );
            let entry = latest.entry(key.clone()).or_default();
            if entry.as_str() < posting {
                posting.clone_into(entry);
            }
            asked.push((key, row));
        }
    }
    for (key, row) in asked {
        if latest.get(&key).map(String::as_str) == Some(row.text("period")?) {
            out.push(columns.iter().map(|c| row.get(c).cloned()).collect::<Result<_, _>>()?);
        }
    }
    out.rows.sort_by_key(|row| {
        (
            row[0].to_string(),
            row[1].to_string(),
            row[2].to_string().is_empty(),
            row[2].to_string(),
            rank(&row[3].to_string()),
        )
    });
    Ok(out)
}

/// Components in the order in which an amount is derived.
pub(in crate::pipeline) fn rank(component: &str) -> (usize, String) {
    const ORDER: [&str; 11] = [
        "basis", "waiting", "frozen", "unpaid", "gate", "band", "stars", "flat", "modifier", "rounding", "fund",
    ];
    let kind = component.split(':').next().unwrap_or_default();
    (
        ORDER.iter().position(|o| *o == kind).unwrap_or(ORDER.len()),
        component.to_owned(),
    )
}
