//! `review`: certification reviews, from the recommendation to a decision, and improvement plans.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::person::{PersonArgs, act_json, print_delivered};
use super::query::current;
use super::{CommandResult, Session};
use crate::domain::{RowRef, Table};
use crate::evaluation::review_acts::Verdict;
use crate::pipeline::acts::reviews::{self, Order, Reviews};
use crate::pipeline::acts::{self};
use crate::pipeline::{PipelineError, config};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the last recommendation for each certification on which nobody has decided.
    List {
        /// Also those that were decided, and those that change nothing.
        #[arg(long)]
        all: bool,
        /// Reviews of this evaluation period, such as 2026-Q3.
        #[arg(long)]
        period: Option<String>,
    },
    /// Show a partner's last reviews with every criterion, its decisions and improvement plans.
    Show {
        partner: String,
        /// Only the certification in this domain.
        domain: Option<String>,
        /// The review of this evaluation period.
        #[arg(long)]
        period: Option<String>,
    },
    /// Decide on a certification; only then does it change, from the day of the decision or a later one.
    Decide {
        partner: String,
        domain: String,
        #[arg(long, value_enum)]
        decision: Decision,
        /// First day on which it holds, where that is later than the day on which it was decided.
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Record that the improvement plan of a probation was received, or how the probation ended.
    Plan {
        partner: String,
        domain: String,
        #[arg(long, value_enum)]
        outcome: PlanOutcome,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// List improvement plans with what is due when.
    Plans {
        /// Also those that have ended.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Decision {
    Keep,
    Upgrade,
    /// The upgrade that was recommended is refused; none is recommended for some months.
    RefuseUpgrade,
    Probation,
    Downgrade,
    Suspend,
    /// End a suspension.
    Reinstate,
    /// The partner was told that it does not meet the criteria of its star.
    Notice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum PlanOutcome {
    Received,
    Passed,
    Failed,
}

pub(super) fn review(session: &Session, args: &Args) -> CommandResult {
    match &args.what {
        What::List { all, period } => list(session, *all, period.as_deref()),
        What::Show {
            partner,
            domain,
            period,
        } => show(session, partner, domain.as_deref(), period.as_deref()),
        What::Decide {
            partner,
            domain,
            decision,
            from,
            person,
        } => {
            let verdict = match decision {
                Decision::Keep => Verdict::Keep,
                Decision::Upgrade => Verdict::Upgrade,
                Decision::RefuseUpgrade => Verdict::RefuseUpgrade,
                Decision::Probation => Verdict::Probation,
                Decision::Downgrade => Verdict::Downgrade,
                Decision::Suspend => Verdict::Suspend,
                Decision::Reinstate => Verdict::Reinstate,
                Decision::Notice => Verdict::Notice,
            };
            let from = from.as_deref().map(acts::day).transpose()?;
            decide(session, (partner, domain), verdict, from, person)
        }
        What::Plan {
            partner,
            domain,
            outcome,
            person,
        } => {
            let verdict = match outcome {
                PlanOutcome::Received => Verdict::PlanReceived,
                PlanOutcome::Passed => Verdict::ProbationPassed,
                PlanOutcome::Failed => Verdict::ProbationFailed,
            };
            decide(session, (partner, domain), verdict, None, person)
        }
        What::Plans { all } => plans(session, *all),
    }
}

fn decide(
    session: &Session,
    of: (&str, &str),
    verdict: Verdict,
    from: Option<crate::domain::Date>,
    person: &PersonArgs,
) -> CommandResult {
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    let order = Order {
        partner: of.0,
        domain: of.1,
        verdict,
        from,
    };
    let release = current(session)?;
    let delivered = reviews::decide(&session.layout, &config, &release, &order, &person.person()?)?;
    print_delivered(session, &delivered, None);
    Ok(())
}

/// Rows of `reviews`: of a period, or the last of each certification.
fn chosen<'a>(reviews: &'a Table, period: Option<&str>) -> Result<Vec<RowRef<'a>>, PipelineError> {
    let mut last: BTreeMap<(String, String), RowRef<'a>> = BTreeMap::new();
    for row in reviews.iter() {
        if period.is_some_and(|p| row.text("period") != Ok(p)) {
            continue;
        }
        let key = (row.text("partner_id")?.to_owned(), row.text("domain")?.to_owned());
        let newer = match last.get(&key) {
            Some(known) => known.date("review_on")? < row.date("review_on")?,
            None => true,
        };
        if newer {
            last.insert(key, row);
        }
    }
    Ok(last.into_values().collect())
}

fn is_pending(reviews: &Reviews, row: RowRef) -> Result<bool, PipelineError> {
    let subject = format!("{}:{}", row.text("partner_id")?, row.text("domain")?);
    Ok(reviews.acts.iter().any(|act| act.pending && act.subject == subject))
}

fn list(session: &Session, all: bool, period: Option<&str>) -> CommandResult {
    let found = reviews::open(&session.layout, &current(session)?)?;
    let columns = [
        "partner",
        "domain",
        "period",
        "stars",
        "recommendation",
        "decision",
        "reasons",
    ];
    let mut table = Table::new("reviews", &columns);
    let mut waits = false;
    for row in chosen(&found.reviews, period)? {
        let decided = row.opt_text("decision")?;
        let open = decided.is_none() && row.text("recommendation")? != "keep";
        let pending = is_pending(&found, row)?;
        if !all && !open && !pending {
            continue;
        }
        waits |= pending;
        let text = |column: &str| row.text(column).map(str::to_owned);
        table.push(vec![
            text("partner_id")?.into(),
            text("domain")?.into(),
            text("period")?.into(),
            row.int("stars")?.into(),
            text("recommendation")?.into(),
            format!("{}{}", decided.unwrap_or("-"), if pending { " +" } else { "" }).into(),
            text("reason_codes")?.into(),
        ]);
    }
    if session.output.json {
        session.output.table(&table);
        return Ok(());
    }
    if table.rows.is_empty() {
        session
            .output
            .line("nothing is to be decided; --all lists every certification");
        return Ok(());
    }
    // the reasons do not fit into a line of 100: `show` tells them
    let mut shown = Table::new("reviews", &columns[..6]);
    shown.rows = table.rows.iter().map(|row| row[..6].to_vec()).collect();
    session.output.table(&shown);
    if waits {
        session.output.line("\n+ a decision on it waits for the next run");
    }
    session
        .output
        .line("\n`starledger review show PARTNER` shows every criterion; `review decide` decides");
    Ok(())
}

/// Characters of what is needed and found, so that a line of criteria has at most 100.
const MAX_NEEDED: usize = 30;
const MAX_FOUND: usize = 22;

fn short(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

fn show(session: &Session, partner: &str, domain: Option<&str>, period: Option<&str>) -> CommandResult {
    let found = reviews::open(&session.layout, &current(session)?)?;
    let mut rows = chosen(&found.reviews, period)?;
    rows.retain(|row| {
        row.text("partner_id") == Ok(partner) && domain.is_none_or(|domain| row.text("domain") == Ok(domain))
    });
    if rows.is_empty() {
        let what = domain.map_or_else(String::new, |domain| format!(" in {domain}"));
        let when = period.map_or_else(String::new, |period| format!(" of {period}"));
        return Err(PipelineError::Usage(format!(
            "there is no review{when} of {partner}{what}; `starledger review list --all` shows them"
        )));
    }
    if session.output.json {
        let reviews: Result<Vec<Json>, PipelineError> = rows.iter().map(|row| review_json(&found, *row)).collect();
        session.output.value(&Json::Array(reviews?));
        return Ok(());
    }
    for row in rows {
        print_review(session, &found, row)?;
    }
    Ok(())
}

fn print_review(session: &Session, found: &Reviews, row: RowRef) -> CommandResult {
    let output = session.output;
    let (partner, domain, period) = (row.text("partner_id")?, row.text("domain")?, row.text("period")?);
    output.line(&format!(
        "{partner} in {domain}: {} stars, {}; review of {period} on {} ({})",
        row.int("stars")?,
        row.text("status")?,
        row.date("review_on")?,
        row.text("occasion")?
    ));
    let stars = row.get("recommended_stars")?;
    let to = if stars.is_null() {
        "no certification".to_owned()
    } else {
        format!("{stars} stars")
    };
    output.line(&format!("recommended  {} → {to}", row.text("recommendation")?));
    for reason in row.text("reason")?.split("; ") {
        output.line(&format!("  because    {reason}"));
    }
    match row.opt_text("decision")? {
        None => output.line("decided      nothing yet"),
        Some(decision) => output.line(&format!(
            "decided      {decision} by {} from {}",
            row.opt_text("decided_by")?.unwrap_or_default(),
            row.get("effective_on")?
        )),
    }
    let mut table = Table::new("criteria", &["part", "criterion", "needed", "found", "state"]);
    for line in criteria_of(found, row)? {
        let text = |column: &str| line.text(column).map(str::to_owned);
        table.push(vec![
            text("group_name")?.into(),
            text("criterion")?.into(),
            short(&text("needed")?, MAX_NEEDED).into(),
            short(&text("found")?, MAX_FOUND).into(),
            text("state")?.into(),
        ]);
    }
    output.line("");
    output.table(&table);
    let subject = format!("{partner}:{domain}");
    let acts: Vec<_> = found.acts.iter().filter(|act| act.subject == subject).collect();
    if !acts.is_empty() {
        output.line("");
    }
    for act in acts {
        let waits = if act.pending { " (waits for the next run)" } else { "" };
        let from = act.effective_on.map_or_else(String::new, |d| format!(" from {d}"));
        output.line(&format!(
            "{} {}{from} by {}: {}{waits}",
            act.decided_at, act.outcome, act.by, act.reason
        ));
    }
    output.line("");
    Ok(())
}

fn criteria_of<'a>(found: &'a Reviews, row: RowRef) -> Result<Vec<RowRef<'a>>, PipelineError> {
    let key = (row.text("partner_id")?, row.text("domain")?, row.text("period")?);
    let of = |line: &RowRef| {
        (line.text("partner_id"), line.text("domain"), line.text("period")) == (Ok(key.0), Ok(key.1), Ok(key.2))
    };
    let mut lines: Vec<RowRef> = found.criteria.iter().filter(of).collect();
    lines.sort_by_key(|line| line.int("position").unwrap_or(0));
    Ok(lines)
}

fn review_json(found: &Reviews, row: RowRef) -> Result<Json, PipelineError> {
    let mut value = serde_json::Map::new();
    for column in found.reviews.columns() {
        let field = row.get(column)?;
        let json = match field {
            crate::domain::Value::Null => Json::Null,
            crate::domain::Value::Int(n) => json!(n),
            other => json!(other.to_string()),
        };
        value.insert(column.clone(), json);
    }
    let line = |line: RowRef| -> Result<Json, PipelineError> {
        Ok(json!({
            "part": line.text("group_name")?, "criterion": line.text("criterion")?, "needed": line.text("needed")?,
            "found": line.text("found")?, "state": line.text("state")?,
        }))
    };
    let criteria: Result<Vec<Json>, PipelineError> = criteria_of(found, row)?.into_iter().map(line).collect();
    value.insert("criteria".to_owned(), Json::Array(criteria?));
    let subject = format!("{}:{}", row.text("partner_id")?, row.text("domain")?);
    let acts = found.acts.iter().filter(|act| act.subject == subject).map(act_json);
    value.insert("decisions".to_owned(), Json::Array(acts.collect()));
    Ok(Json::Object(value))
}

fn plans(session: &Session, all: bool) -> CommandResult {
    let found = reviews::open(&session.layout, &current(session)?)?;
    let columns = [
        "partner_id",
        "domain",
        "probation_on",
        "plan_due_on",
        "plan_received_on",
        "outcome_due_on",
        "state",
    ];
    let mut table = Table::new("improvement_plans", &columns);
    for row in found.plans.iter() {
        let ended = matches!(row.text("state")?, "passed" | "failed" | "superseded");
        if all || !ended {
            table.push(columns.iter().map(|c| row.get(c).cloned()).collect::<Result<_, _>>()?);
        }
    }
    if session.output.json || !table.rows.is_empty() {
        session.output.table(&table);
    } else {
        session
            .output
            .line("no improvement plan is open; --all lists those that have ended");
    }
    Ok(())
}
