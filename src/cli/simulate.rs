//! `simulate`: what another rule book would have come to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::query::current;
use super::{CommandResult, Session, rules};
use crate::domain::{Dec, Period, Table, Value};
use crate::pipeline::simulate::{CardMove, Cost, Simulation, Standing, difference, simulate as simulating, write};
use crate::pipeline::{PipelineError, config, rulebooks};

/// Rows that are listed where not all are asked for.
const LISTED: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The other rules: an edition, or a folder of <region>/<first day>.toml, laid over the workspace's.
    #[arg(long, value_name = "FILE|FOLDER")]
    rules: PathBuf,
    /// Whose rules a file holds: global, or a region; its folder says so otherwise.
    #[arg(long = "as", value_name = "REGION")]
    whose: Option<String>,
    /// Evaluation periods that have ended: one, or the first and the last as 2026-Q1..2026-Q3.
    #[arg(long, value_name = "A..B")]
    periods: String,
    /// Write the comparison as CSV and the simulated tables as Parquet into a new folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// List everyone who moves.
    #[arg(long)]
    all: bool,
}

pub(super) fn simulate(session: &Session, args: &Args) -> CommandResult {
    let release = current(session)?;
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let other = rulebooks::other(&config, &args.rules, args.whose.as_deref())?;
    let simulation = simulating(&release, &config, &other, periods(&args.periods)?)?;
    let written = match &args.out {
        Some(folder) => write::write(&simulation, &config, &other, folder)?,
        None => Vec::new(),
    };
    if session.output.json {
        session.output.value(&json(&simulation));
        return Ok(());
    }
    let output = session.output;
    let (first, last) = (simulation.periods.first(), simulation.periods.last());
    let span = [first, last]
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("..");
    output.wrapped(
        0,
        &format!("{span} on {}, with {}", simulation.release, args.rules.display()),
    );
    output.line("");
    let changes = rules::every_change(&config.rules, &other, None);
    if changes.is_empty() {
        output.line("the rules say the same");
    }
    rules::print(output, &changes);
    output.line("");
    moves(session, &simulation, args.all);
    output.line("");
    costs(session, &simulation, args.all);
    for path in written {
        output.line(&format!("wrote {}", path.display()));
    }
    if simulation.unlike_published > 0 {
        output.wrapped(
            0,
            &format!(
                "{} cards of the present rules are not as published: facts came after their period closed, or the rules \
                 changed since the last run; both sides use the same facts",
                simulation.unlike_published
            ),
        );
    }
    output.line("nothing was published, booked or sent");
    Ok(())
}

fn periods(text: &str) -> Result<(Period, Period), PipelineError> {
    let parse = |text: &str| Period::parse(text).map_err(|e| PipelineError::Usage(format!("--periods: {e}")));
    match text.split_once("..") {
        Some((from, until)) => Ok((parse(from)?, parse(until)?)),
        None => Ok((parse(text)?, parse(text)?)),
    }
}

pub(super) fn sign(number: Option<Dec>) -> String {
    match number {
        Some(n) if n.units() > 0 => format!("+{n}"),
        Some(n) => n.to_string(),
        None => String::new(),
    }
}

/// `B`, or `C → B`.
pub(super) fn arrow(before: &str, after: &str) -> String {
    if before == after {
        before.to_owned()
    } else {
        format!("{before} → {after}")
    }
}

/// The grade, or that there is none.
pub(super) fn standing_name(standing: &Standing) -> String {
    standing.grade.clone().unwrap_or_else(|| "none".to_owned())
}

pub(super) fn standing_json(s: &Standing) -> Json {
    json!({
        "score": s.score.map(|d| d.to_string()), "grade": s.grade, "state": s.state,
    })
}

fn moves(session: &Session, simulation: &Simulation, all: bool) {
    let output = session.output;
    let mut moved: Vec<&CardMove> = simulation.cards.iter().filter(|c| c.moved()).collect();
    let up = moved
        .iter()
        .filter(|c| c.change().is_some_and(|d| d.units() > 0))
        .count();
    let down = moved
        .iter()
        .filter(|c| c.change().is_some_and(|d| d.units() < 0))
        .count();
    let count =
        |differs: fn(&Standing, &Standing) -> bool| moved.iter().filter(|c| differs(&c.before, &c.after)).count();
    output.wrapped(
        0,
        &format!(
            "cards      {} of {} move: {up} up, {down} down; {} change grade, {} change state, {} change red line",
            moved.len(),
            simulation.cards.len(),
            count(|a, b| a.grade != b.grade),
            count(|a, b| a.state != b.state),
            count(|a, b| a.red_line != b.red_line)
        ),
    );
    let domains = simulation.domains.iter().filter(|d| d.moved()).count();
    output.line(&format!(
        "domains    {domains} of {} scores move",
        simulation.domains.len()
    ));
    let mut grades: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let name = standing_name;
    for c in &simulation.cards {
        grades.entry(name(&c.before)).or_default()[0] += 1;
        grades.entry(name(&c.after)).or_default()[1] += 1;
    }
    let grades: Vec<String> = grades.iter().map(|(g, [a, b])| format!("{g} {a} → {b}")).collect();
    output.wrapped(0, &format!("grades     {}", grades.join("   ")));
    // the largest first; without a score on both sides before all
    let size = |c: &CardMove| c.change().map(|d| -d.units().abs());
    moved.sort_by(|a, b| (size(a), &a.partner, &a.period).cmp(&(size(b), &b.partner, &b.period)));
    let mut table = Table::new(
        "moves",
        &[
            "partner", "period", "before", "after", "change", "grade", "state", "red line",
        ],
    );
    let score = |s: &Standing| s.score.map_or(Value::Null, Value::Dec);
    let listed = if all { moved.len() } else { LISTED };
    for c in moved.iter().take(listed) {
        table.push(vec![
            c.partner.as_str().into(),
            c.period.as_str().into(),
            score(&c.before),
            score(&c.after),
            sign(c.change()).into(),
            arrow(&name(&c.before), &name(&c.after)).into(),
            arrow(&c.before.state, &c.after.state).into(),
            arrow(&c.before.red_line, &c.after.red_line).into(),
        ]);
    }
    if !table.rows.is_empty() {
        output.line("");
        output.table(&table);
    }
    if moved.len() > listed {
        output.line(&format!("… and {} more: --all, or --out", moved.len() - listed));
    }
}

fn costs(session: &Session, simulation: &Simulation, all: bool) {
    let output = session.output;
    let mut table = Table::new("costs", &["scheme", "currency", "before", "after", "change"]);
    for ((scheme, currency), [before, after]) in totals(&simulation.costs, |c| c.scheme.clone()) {
        let change = sign(difference(Some(before), Some(after)));
        table.push(vec![
            scheme.into(),
            currency.into(),
            before.into(),
            after.into(),
            change.into(),
        ]);
    }
    output.table(&table);
    let columns = ["partner", "scheme", "period", "currency", "before", "after", "change"];
    let mut table = Table::new("costs", &columns);
    let changed: Vec<&Cost> = simulation.costs.iter().filter(|c| c.before != c.after).collect();
    let listed = if all { changed.len() } else { LISTED };
    for c in changed.iter().take(listed) {
        table.push(vec![
            c.partner.as_str().into(),
            c.scheme.as_str().into(),
            c.earning_period.to_string().into(),
            c.currency.to_string().into(),
            c.before.into(),
            c.after.into(),
            sign(c.delta()).into(),
        ]);
    }
    output.line("");
    if table.rows.is_empty() {
        output.line("nobody earns more or less");
        return;
    }
    output.table(&table);
    if changed.len() > listed {
        output.line(&format!("… and {} more: --all, or --out", changed.len() - listed));
    }
}

/// Sums by a name and the currency.
fn totals(costs: &[Cost], of: impl Fn(&Cost) -> String) -> BTreeMap<(String, String), [Dec; 2]> {
    let mut out: BTreeMap<(String, String), [Dec; 2]> = BTreeMap::new();
    for c in costs {
        let digits = c.currency.minor_digits();
        let sums = out
            .entry((of(c), c.currency.to_string()))
            .or_insert([Dec::new(0, digits); 2]);
        for (sum, amount) in sums.iter_mut().zip([c.before, c.after]) {
            *sum = Dec::new(sum.units().saturating_add(amount.units()), digits);
        }
    }
    out
}

fn json(simulation: &Simulation) -> Json {
    let standing = standing_json;
    let card = |c: &CardMove| {
        json!({
            "partner_id": c.partner, "period": c.period, "moved": c.moved(),
            "before": standing(&c.before), "after": standing(&c.after),
            "change": c.change().map(|d| d.to_string()),
            "red_line_before": c.before.red_line, "red_line_after": c.after.red_line,
        })
    };
    let cost = |c: &Cost| {
        json!({
            "partner_id": c.partner, "scheme": c.scheme, "earning_period": c.earning_period.to_string(),
            "currency": c.currency.to_string(), "before": c.before.to_string(), "after": c.after.to_string(),
            "change": c.delta().map(|d| d.to_string()),
        })
    };
    let total = |((scheme, currency), [before, after]): ((String, String), [Dec; 2])| {
        json!({
            "scheme": scheme, "currency": currency, "before": before.to_string(), "after": after.to_string(),
            "change": difference(Some(before), Some(after)).map(|d| d.to_string()),
        })
    };
    json!({
        "release": simulation.release,
        "periods": simulation.periods.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "cards": simulation.cards.iter().map(card).collect::<Vec<_>>(),
        "domains": simulation.domains.iter().map(|d| json!({
            "partner_id": d.partner, "domain": d.domain, "period": d.period, "moved": d.moved(),
            "before": standing(&d.before), "after": standing(&d.after), "change": d.change().map(|c| c.to_string()),
        })).collect::<Vec<_>>(),
        "money": simulation.costs.iter().map(cost).collect::<Vec<_>>(),
        "money_by_scheme": totals(&simulation.costs, |c| c.scheme.clone()).into_iter().map(total).collect::<Vec<_>>(),
        "cards_unlike_published": simulation.unlike_published,
    })
}
