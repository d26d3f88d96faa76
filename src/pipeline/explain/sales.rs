//! What a scheme made of each sale of a partner, down to the line of the source file.
//!
//! Duty: the engine over single sales instead of the sums that a run computes on; the verdict on each, and whether what
//! counts adds up to the basis that the release has. Must not: decide anything itself, print.

use std::collections::BTreeMap;

use super::super::PipelineError;
use super::super::config::Config;
use super::super::refresh::grade_rows;
use super::rows::SourceRecord;
use super::{again, rebates};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Date, Dec, Period, Ratio, RowRef, Table};
use crate::incentives::{self, Freeze, Inputs};
pub use crate::incentives::{Counted, LineSays};
use crate::measures::engine::{Engine, Sources};
use crate::measures::polars::Polars;
use crate::rules::ResolvedValue;
use crate::store::landing;
use crate::store::layout::Layout;
use crate::store::release::Release;

/// Sales line by line, with everything a scheme may decide by, as the measure of sales has it for groups of them: a
/// return under the dates, the product and the payment of the line that it returns.
pub const SALES_BY_LINE: &str = "
WITH received AS (
  SELECT order_line_id, currency, SUM(amount) AS amount FROM payments
  WHERE order_line_id IS NOT NULL GROUP BY order_line_id, currency
),
returned AS (
  SELECT original_order_line_id AS order_line_id, currency, SUM(net_amount) AS amount FROM sales
  WHERE original_order_line_id IS NOT NULL GROUP BY original_order_line_id, currency
),
originals AS (
  SELECT s.order_line_id AS order_line_id, s.product_id AS product_id, s.ordered_on AS ordered_on,
    s.invoiced_on AS invoiced_on,
    CASE WHEN COALESCE(received.amount, CAST(0 AS DECIMAL(38, 4)))
        >= s.net_amount + COALESCE(returned.amount, CAST(0 AS DECIMAL(38, 4)))
      THEN TRUE ELSE FALSE END AS paid
  FROM sales AS s
  LEFT JOIN received ON s.order_line_id = received.order_line_id AND s.currency = received.currency
  LEFT JOIN returned ON s.order_line_id = returned.order_line_id AND s.currency = returned.currency
)
SELECT s.partner_id AS partner_id, s.line_kind AS line_kind, COALESCE(s.service_model, '') AS service_model,
  p.domain AS domain, p.family AS family, p.category AS category, p.incentive_eligible AS incentive_eligible,
  s.currency AS currency, o.ordered_on AS ordered_on, o.invoiced_on AS invoiced_on, o.paid AS paid,
  CASE WHEN s.original_order_line_id IS NULL THEN FALSE ELSE TRUE END AS is_return,
  CAST(1 AS BIGINT) AS lines, s.net_amount AS net_amount, s.list_amount AS list_amount, s.quantity AS quantity,
  s.order_line_id AS order_line_id, p.product_id AS product_id, s.original_order_line_id AS original_order_line_id,
  s.source_file AS source_file, s.source_line AS source_line, s.arrival AS arrival
FROM sales AS s
JOIN originals AS o ON COALESCE(s.original_order_line_id, s.order_line_id) = o.order_line_id
JOIN calendar_product_spans AS p ON o.product_id = p.product_id
WHERE o.ordered_on >= p.first_on AND o.ordered_on < p.end_on
";

/// A sale, and what became of it.
#[derive(Clone, Debug)]
pub struct Sale {
    pub record: SourceRecord,
    pub product_id: String,
    pub domain: String,
    /// Of the line that a return returns.
    pub ordered_on: Date,
    pub invoiced_on: Date,
    /// In `currency`.
    pub net_amount: Dec,
    pub list_amount: Dec,
    pub quantity: Ratio,
    pub currency: String,
    pub returns: Option<String>,
    pub says: LineSays,
}

/// A rebate down to the sales behind it.
#[derive(Clone, Debug)]
pub struct RebateExplained {
    /// Rows of `rebates`, without partner and period.
    pub components: Table,
    /// Values of the scheme in the rule book of the partner's region, with where they stand.
    pub rules: Vec<ResolvedValue>,
    /// With a date in the period, or in the term where earning periods add up; by key.
    pub sales: Vec<Sale>,
    /// What counts of them.
    pub basis: Ratio,
    /// By domain that is the basis of the release, with as many lines.
    pub adds_up: bool,
}

/// What a scheme made of the sales of a partner; `None` where it is not computed for it in that period.
pub fn rebate(
    layout: &Layout,
    release: &Release,
    partner: &PartnerId,
    scheme: &SchemeId,
    period: Period,
) -> Result<Option<RebateExplained>, PipelineError> {
    let stage = PipelineError::stage;
    let bundle = landing::configuration(layout, release.manifest.configuration)?;
    let config = Config::parse(bundle).map_err(PipelineError::Config)?;
    let sales = by_line(release, partner)?;
    let mut partners = release.read_table("partners")?;
    let id = partners.column("partner_id").unwrap_or(0);
    partners.rows.retain(|row| row[id].to_string() == partner.as_str());
    let freezes = freezes(release, &config, period)?;
    let inputs = Inputs {
        earning_periods: &[period],
        sales: &sales,
        partners: &partners,
        certifications: &release.read_table("effective_certifications")?,
        domains: &release.read_table("domains")?,
        fx_rates: &release.read_table("fx_rates")?,
        grades: &grade_rows(
            &release.read_table("scores")?,
            &release.read_table("partner_scores")?,
            &release.read_table("measures_parts")?,
        )?,
        freezes: &freezes,
    };
    let told = incentives::verdicts(&inputs, &config.rules, (partner, scheme, period));
    let Some((again, verdicts)) = told.map_err(|e| stage("the incentives")(e.to_string()))? else {
        return Ok(None);
    };
    let mut told = Vec::with_capacity(verdicts.len());
    let mut basis = Ratio::zero();
    let rows: Vec<RowRef<'_>> = sales.iter().collect();
    for verdict in verdicts {
        let Some(row) = rows.get(verdict.place).copied() else {
            continue;
        };
        if let LineSays::Counts(counted) = &verdict.verdict {
            basis = &basis + &counted.pays;
        }
        told.push(sale(row, verdict.verdict)?);
    }
    told.sort_by(|a, b| a.record.key.cmp(&b.record.key));
    let mut components = rebates(release, partner, period)?;
    components.rows.retain(|row| row[0].to_string() == scheme.as_str());
    Ok(Some(RebateExplained {
        adds_up: bases(&again, scheme)? == bases(&components, scheme)?,
        rules: rules(&config, &partners, scheme, period)?,
        components,
        sales: told,
        basis,
    }))
}

/// Basis and number of lines by domain.
fn bases(rebates: &Table, scheme: &SchemeId) -> Result<BTreeMap<String, (Dec, i64)>, PipelineError> {
    let mut out = BTreeMap::new();
    for row in rebates.iter() {
        if row.text("scheme")? == scheme.as_str() && row.text("component")? == "basis" {
            let domain = row.opt_text("domain")?.unwrap_or_default();
            out.insert(domain.to_owned(), (row.dec("basis")?, row.int("lines")?));
        }
    }
    Ok(out)
}

fn by_line(release: &Release, partner: &PartnerId) -> Result<Table, PipelineError> {
    let mut sources = Sources::new();
    for name in ["sales", "payments", "calendar_product_spans"] {
        for file in release.files_of(name) {
            release.check_file(file)?;
            sources.entry(name.to_owned()).or_default().push(release.path_of(file));
        }
    }
    let sql = format!(
        "{SALES_BY_LINE} AND s.partner_id = '{}'",
        partner.as_str().replace('\'', "''")
    );
    let engine = Polars {
        in_memory: true,
        ..Polars::default()
    };
    let mut sales = engine.run("the sales of a partner", &sql, &sources)?;
    let key = sales.column("order_line_id").unwrap_or(0);
    sales.rows.sort_by(|a, b| a[key].cmp(&b[key]));
    Ok(sales)
}

/// The red lines as they stand.
fn freezes(release: &Release, config: &Config, period: Period) -> Result<Vec<Freeze>, PipelineError> {
    let programme = config.rules.programme();
    let last = programme.calendar.last_day(period);
    let Some(evaluated) = programme.calendar.period_of(last, programme.evaluation_period) else {
        return Ok(Vec::new());
    };
    let freeze = |f: crate::evaluation::Freeze| Freeze {
        partner: f.partner,
        from: f.from,
        until: f.until,
    };
    Ok(again(release, config, evaluated)?
        .freezes
        .into_iter()
        .map(freeze)
        .collect())
}

fn sale(row: RowRef<'_>, says: LineSays) -> Result<Sale, PipelineError> {
    Ok(Sale {
        record: SourceRecord {
            table: "sales".to_owned(),
            key: vec![("order_line_id".to_owned(), row.text("order_line_id")?.to_owned())],
            file: row.text("source_file")?.to_owned(),
            line: row.int("source_line")?,
            arrival: row.int("arrival")?,
        },
        product_id: row.text("product_id")?.to_owned(),
        domain: row.text("domain")?.to_owned(),
        ordered_on: row.date("ordered_on")?,
        invoiced_on: row.date("invoiced_on")?,
        net_amount: row.dec("net_amount")?,
        list_amount: row.dec("list_amount")?,
        quantity: row.ratio("quantity")?,
        currency: row.text("currency")?.to_owned(),
        returns: row.opt_text("original_order_line_id")?.map(str::to_owned),
        says,
    })
}

/// The values of the scheme, by the region of the partner on the period's last day and the edition of its first.
fn rules(
    config: &Config,
    partners: &Table,
    scheme: &SchemeId,
    period: Period,
) -> Result<Vec<ResolvedValue>, PipelineError> {
    let calendar = config.rules.programme().calendar;
    let (first, last) = (calendar.first_day(period), calendar.last_day(period));
    let mut region: Option<(Date, &str)> = None;
    for row in partners.iter() {
        let from = row.date("valid_from")?;
        if from <= last && region.is_none_or(|(known, _)| known < from) {
            region = Some((from, row.text("region")?));
        }
    }
    let Some(region) = region.and_then(|(_, region)| crate::domain::ids::RegionId::new(region).ok()) else {
        return Ok(Vec::new());
    };
    let stage = |e: String| PipelineError::stage("the rules")(e);
    let mut values = config
        .rules
        .resolved(&region, first)
        .map_err(|e| stage(e.to_string()))?;
    let prefix = format!("schemes.{scheme}.");
    values.retain(|v| v.path.starts_with(&prefix));
    Ok(values)
}
