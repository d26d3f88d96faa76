//! `explain score`, `explain rebate`, `explain entry`: why a number is what it is.

use serde_json::{Map, Value as Json, json};

use super::output::json_value;
use super::query::current;
use super::{CommandResult, Session};
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Period, Ratio, Table, Value};
use crate::evaluation::explain::{Line, number};
use crate::pipeline::explain::rows::{MeasureRows, SourceRecord, SourceRow};
use crate::pipeline::explain::{Explained, Question};
use crate::pipeline::{PipelineError, explain as explaining};
use crate::rules::{MetricId, ResolvedValue};
use crate::store::release::Release;

/// Source rows that are listed of a measure where nothing else is asked for.
const ROWS: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The derivation of a partner's scores in a period, with its rules, down to the rows of the source files.
    Score {
        partner: String,
        /// Evaluation period, such as 2026-Q3.
        period: String,
        /// Only this metric, such as satisfaction.
        #[arg(long)]
        metric: Option<String>,
        /// Only this domain.
        #[arg(long)]
        domain: Option<String>,
        /// Source rows to list of each measure: a number, or `all`.
        #[arg(long, value_name = "N|all", value_parser = rows_wanted)]
        rows: Option<usize>,
    },
    /// The source rows behind a measure of a partner in a period.
    Measure {
        /// File name in pipelines/measures/, without `.sql`.
        measure: String,
        partner: String,
        /// Evaluation period, such as 2026-Q3.
        period: String,
        /// Source rows to list: a number, or `all`.
        #[arg(long, value_name = "N|all", value_parser = rows_wanted)]
        rows: Option<usize>,
    },
    /// An entry of the ledger: its transaction, what asked for it, and the story of its partner, scheme and earning period.
    Entry { entry_no: i64 },
    /// What a partner earned in a period: the components scheme by scheme, or one scheme down to the lines of the source
    /// files, those that count and those that do not.
    Rebate {
        partner: String,
        /// A scheme, such as sales-rebate, for its lines; and the earning period, such as 2026-Q3.
        #[arg(num_args = 1..=2, required = true, value_names = ["[SCHEME] PERIOD"])]
        of: Vec<String>,
        /// Lines to list of those that count and of those that do not: a number, or `all`.
        #[arg(long, value_name = "N|all", value_parser = rows_wanted)]
        rows: Option<usize>,
    },
}

fn rows_wanted(text: &str) -> Result<usize, String> {
    match text {
        "all" => Ok(usize::MAX),
        other => other.parse().map_err(|_| "write a number, or all".to_owned()),
    }
}

pub(super) fn explain(session: &Session, args: &Args) -> CommandResult {
    let release = current(session)?;
    match &args.what {
        What::Score {
            partner,
            period,
            metric,
            domain,
            rows,
        } => {
            let (partner, period) = parse(partner, period)?;
            let metric = metric.as_deref().map(find_metric).transpose()?;
            let domain = domain.as_deref().map(find_domain).transpose()?;
            let question = Question {
                partner,
                period,
                metric,
                domain,
            };
            let Some(found) = explaining::score(&session.layout, &release, &question)? else {
                let within = question.domain.map_or(String::new(), |d| format!(" in {d}"));
                let message = format!("{} was not evaluated{within} in {period}", question.partner);
                return Err(PipelineError::Usage(message));
            };
            if session.output.json {
                session.output.value(&json(&found, rows.unwrap_or(usize::MAX)));
            } else {
                text(session, &found, rows.unwrap_or(ROWS));
            }
        }
        What::Measure {
            measure: name,
            partner,
            period,
            rows,
        } => {
            let (partner, period) = parse(partner, period)?;
            let found = explaining::measure(&session.layout, &release, name, &partner, period)?;
            if session.output.json {
                let rows = rows.unwrap_or(usize::MAX);
                let found = found.iter().map(|m| measure_json(m, rows)).collect();
                session.output.value(&Json::Array(found));
            } else if found.is_empty() {
                session
                    .output
                    .line(&format!("{name} counted nothing of {partner} in {period}"));
            } else {
                found.iter().for_each(|m| measure(session, m, rows.unwrap_or(ROWS)));
            }
        }
        What::Entry { entry_no } => entry(session, &release, *entry_no)?,
        What::Rebate { partner, of, rows } => {
            let (scheme, period) = match of.as_slice() {
                [scheme, period] => (Some(scheme.as_str()), period),
                [period] => (None, period),
                _ => {
                    return Err(PipelineError::Usage(
                        "name an earning period, such as 2026-Q3".to_owned(),
                    ));
                }
            };
            let (partner, period) = parse(partner, period)?;
            super::explain_rebate::explain(session, &release, &partner, scheme, period, *rows)?;
        }
    }
    Ok(())
}

fn entry(session: &Session, release: &Release, entry_no: i64) -> CommandResult {
    let Some(found) = explaining::entry::entry(release, entry_no)? else {
        return Err(PipelineError::Usage(format!(
            "there is no entry {entry_no}: the ledger has {}",
            release.manifest.ledger_entries
        )));
    };
    let e = &found.entry;
    let output = session.output;
    if output.json {
        let shown = |e: &explaining::entry::Entry| {
            json!({
                "entry_no": e.entry_no, "account": e.account.as_str(), "amount": e.amount.dec().to_string(),
                "entry_hash": e.entry_hash.to_string(),
            })
        };
        output.value(&json!({
            "entry": shown(e), "transaction_no": e.transaction_no, "partner_id": e.partner.as_str(),
            "scheme": e.scheme.as_str(), "earning_period": e.earning_period.to_string(),
            "currency": e.amount.currency().code(), "period": e.period.to_string(),
            "posting_on": e.posting_on.to_string(), "reason": e.reason.as_str(), "source": e.source,
            "why": found.why,
            "transaction": found.transaction.iter().map(shown).collect::<Vec<_>>(),
            "rests_on": found.rests_on.as_ref().map(|t| json!({ "table": t.name(), "rows": table_json(t) })),
            "story": found.story.iter().map(|m| json!({
                "transaction_no": m.first.transaction_no, "posting_on": m.first.posting_on.to_string(),
                "period": m.first.period.to_string(), "reason": m.first.reason.as_str(), "source": m.first.source,
                "expense": m.expense.dec().to_string(), "earned": m.earned.dec().to_string(),
                "owed": m.owed.dec().to_string(),
            })).collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    output.line(&format!(
        "entry      {} of transaction {}, {}",
        e.entry_no, e.transaction_no, e.reason
    ));
    output.line(&format!("key        {}", e.key()));
    output.line(&format!("posted     in {} on {}", e.period, e.posting_on));
    output.line(&format!("hash       {}", e.entry_hash));
    output.wrapped(0, &format!("why        {}", found.why));
    let mut table = Table::new("transaction", &["entry", "account", "debit", "credit"]);
    for e in &found.transaction {
        let (debit, credit) = if e.amount.is_negative() {
            (Value::Null, Value::Dec(e.amount.negated().dec()))
        } else {
            (Value::Dec(e.amount.dec()), Value::Null)
        };
        table.push(vec![e.entry_no.into(), e.account.as_str().into(), debit, credit]);
    }
    output.line("");
    output.table(&table);
    if let Some(rests_on) = found.rests_on.as_ref().filter(|t| !t.rows.is_empty()) {
        output.line(&format!("\nit rests on {}, as they stand now", rests_on.name()));
        output.table(rests_on);
    }
    let mut table = Table::new(
        "story",
        &[
            "transaction",
            "posting_on",
            "period",
            "reason",
            "expense",
            "earned",
            "owed",
            "source",
        ],
    );
    for m in &found.story {
        let source: String = m.first.source.chars().take(40).collect();
        table.push(vec![
            m.first.transaction_no.into(),
            m.first.posting_on.into(),
            m.first.period.to_string().into(),
            m.first.reason.as_str().into(),
            Value::Dec(m.expense.dec()),
            Value::Dec(m.earned.dec()),
            Value::Dec(m.owed.dec()),
            source.into(),
        ]);
    }
    output.line("\nthe story of its key");
    output.table(&table);
    Ok(())
}

pub(super) fn table_json(table: &Table) -> Json {
    let row = |row: crate::domain::RowRef<'_>| {
        let fields = table.columns().iter().zip(row.values());
        Json::Object(fields.map(|(name, value)| (name.clone(), json_value(value))).collect())
    };
    Json::Array(table.iter().map(row).collect())
}

pub(super) fn parse(partner: &str, period: &str) -> Result<(PartnerId, Period), PipelineError> {
    let partner = PartnerId::new(partner).map_err(|e| PipelineError::Usage(format!("partner '{partner}' {e}")))?;
    let period = Period::parse(period).map_err(|e| PipelineError::Usage(e.to_string()))?;
    Ok((partner, period))
}

fn find_metric(name: &str) -> Result<MetricId, PipelineError> {
    MetricId::parse(name).ok_or_else(|| {
        let names: Vec<&str> = MetricId::BUILT_IN.iter().map(MetricId::as_str).collect();
        let own = "or one of the programme's own: small letters, digits and underscores";
        PipelineError::Usage(format!(
            "there is no metric '{name}'; there are {}, {own}",
            names.join(", ")
        ))
    })
}

fn find_domain(name: &str) -> Result<DomainId, PipelineError> {
    DomainId::new(name).map_err(|e| PipelineError::Usage(format!("domain '{name}' {e}")))
}

fn text(session: &Session, found: &Explained, rows: usize) {
    let output = session.output;
    output.line(&format!("{}, by {}", found.derivation.title, found.release));
    output.wrapped(0, &format!("rules: {}", found.derivation.rules));
    found.derivation.lines.iter().for_each(|line| print(session, line, 0));
    if !found.events.is_empty() {
        output.line("");
        output.line("key events, and the decisions on them");
        found.events.iter().for_each(|record| output.wrapped(2, &place(record)));
    }
    output.line("");
    rule_values(session, &found.rules);
    for behind in &found.rows {
        output.line("");
        measure(session, behind, rows);
    }
}

/// Values of the rule book with where they stand.
pub(super) fn rule_values(session: &Session, rules: &[ResolvedValue]) {
    session.output.line("rule values");
    let widest = rules.iter().map(|v| v.path.chars().count()).max().unwrap_or(0);
    for v in rules {
        let provenance = v.provenance.as_ref().map_or(String::new(), |p| format!(" ({p})"));
        session.output.wrapped(
            2,
            &format!("{:widest$} = {}  {}:{}{provenance}", v.path, v.value, v.file, v.line),
        );
    }
}

pub(super) fn rule_json(v: &ResolvedValue) -> Json {
    json!({ "key": v.path, "value": v.value, "file": v.file, "line": v.line, "provenance": v.provenance })
}

fn measure(session: &Session, behind: &MeasureRows, rows: usize) {
    let output = session.output;
    let domain = behind.domain.as_ref().map_or(String::new(), |d| format!(", {d}"));
    output.wrapped(
        0,
        &format!(
            "rows behind {}{domain}, {}: {}",
            behind.measure, behind.period, behind.file
        ),
    );
    for row in behind.rows.iter().take(rows) {
        source_row(session, row);
    }
    if behind.rows.len() > rows {
        output.line(&format!("  … and {} more: --rows all", behind.rows.len() - rows));
    }
    let says = if behind.adds_up {
        "as the measure says"
    } else {
        "which is not what the measure says: run `starledger verify`"
    };
    let count = behind.rows.len();
    let totals = named(behind.totals.iter().map(|(column, total)| (column, number(total))));
    output.wrapped(2, &format!("{count} rows add up to {totals}; {says}"));
}

fn source_row(session: &Session, row: &SourceRow) {
    let mut records = row.records.iter();
    let Some(first) = records.next() else { return };
    session.output.wrapped(2, &place(first));
    let grain = row.grain.iter().map(|(column, value)| (column, shown(value)));
    let zero = |value: &Value| match value {
        Value::Int(i) => *i == 0,
        Value::Dec(d) => d.is_zero(),
        other => other.is_null(),
    };
    let values = row
        .values
        .iter()
        .filter(|(_, v)| !zero(v))
        .map(|(column, value)| (column, value.to_string()));
    let values = named(values);
    let values = if values.is_empty() {
        "adds nothing".to_owned()
    } else {
        format!("adds {values}")
    };
    let grain = named(grain);
    let grain = if grain.is_empty() {
        grain
    } else {
        format!(" under {grain}")
    };
    session.output.wrapped(6, &format!("{values}{grain}"));
    records.for_each(|record| session.output.wrapped(6, &format!("with {}", place(record))));
}

/// A value without trailing zeros.
fn shown(value: &Value) -> String {
    match value {
        Value::Dec(d) => number(&d.ratio()),
        other => other.to_string(),
    }
}

fn named<'a>(values: impl Iterator<Item = (&'a String, String)>) -> String {
    values
        .map(|(column, value)| format!("{column} {value}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Where a record stands: feed, key, file, line, arrival.
pub(super) fn place(record: &SourceRecord) -> String {
    let key: Vec<&str> = record.key.iter().map(|(_, value)| value.as_str()).collect();
    let (table, file, line, arrival) = (&record.table, &record.file, record.line, record.arrival);
    format!("{table} {}  {file}:{line}, arrival {arrival}", key.join(" "))
}

fn print(session: &Session, line: &Line, depth: usize) {
    let head = if line.value.is_empty() {
        line.label.clone()
    } else {
        format!("{}: {}", line.label, line.value)
    };
    let formula = if line.formula.is_empty() {
        String::new()
    } else {
        format!("   [{}]", line.formula)
    };
    session.output.wrapped(2 * depth, &format!("{head}{formula}"));
    line.children.iter().for_each(|child| print(session, child, depth + 1));
}

fn json(found: &Explained, rows: usize) -> Json {
    json!({
        "title": found.derivation.title,
        "rules": found.derivation.rules,
        "release": found.release,
        "lines": found.derivation.lines.iter().map(line_json).collect::<Vec<_>>(),
        "rule_values": found.rules.iter().map(rule_json).collect::<Vec<_>>(),
        "events": found.events.iter().map(record_json).collect::<Vec<_>>(),
        "measures": found.rows.iter().map(|m| measure_json(m, rows)).collect::<Vec<_>>(),
    })
}

fn measure_json(m: &MeasureRows, rows: usize) -> Json {
    let total = |(column, total): &(String, Ratio)| (column.clone(), Json::String(number(total)));
    json!({
        "measure": m.measure, "statement": m.file, "release": m.release,
        "period": m.period.to_string(), "domain": m.domain.as_ref().map(DomainId::as_str),
        "row_count": m.rows.len(), "adds_up": m.adds_up,
        "totals": m.totals.iter().map(total).collect::<Map<_, _>>(),
        "rows": m.rows.iter().take(rows).map(row_json).collect::<Vec<_>>(),
    })
}

fn row_json(row: &SourceRow) -> Json {
    let values = |values: &[(String, Value)]| -> Map<String, Json> {
        values
            .iter()
            .map(|(column, value)| (column.clone(), super::output::json_value(value)))
            .collect()
    };
    json!({
        "records": row.records.iter().map(record_json).collect::<Vec<_>>(),
        "grain": values(&row.grain), "values": values(&row.values),
    })
}

pub(super) fn record_json(record: &SourceRecord) -> Json {
    let key: Map<String, Json> = record
        .key
        .iter()
        .map(|(c, v)| (c.clone(), Json::String(v.clone())))
        .collect();
    json!({
        "feed": record.table, "key": key, "file": record.file, "line": record.line, "arrival": record.arrival,
    })
}

fn line_json(line: &Line) -> Json {
    json!({
        "label": line.label, "formula": line.formula, "value": line.value,
        "children": line.children.iter().map(line_json).collect::<Vec<_>>(),
    })
}
