//! Calendars and measures of the open periods; those of sealed periods are carried.
//!
//! Duty: which statement runs over which files. Not its duty: what a statement says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::sales;
use super::{PipelineError, Refresh, Timeline};
use crate::domain::{Finding, Place, Ratio};
use crate::incentives::Freeze;
use crate::measures::Measure;
use crate::measures::engine::{Engine, Slice, Sources};
use crate::measures::polars::Polars;
use crate::measures::{authorised, calendar, discounts, years};

/// The calendar whose rows are the periods to measure.
const PARTNER_PERIODS: &str = "calendar_partner_periods";

impl Refresh<'_> {
    /// Stages the calendar tables, then every measure but those of sales.
    pub(super) fn measures(&mut self, timeline: &Timeline) -> Result<(), PipelineError> {
        let books = &self.task.config.rules;
        let partners = self.table("partners")?;
        let holidays = self.table("holidays")?;
        let products = self.table("products")?;
        self.carry_sealed(PARTNER_PERIODS, timeline)?;
        self.put(calendar::partner_periods(&partners, &timeline.open, books)?)?;
        self.put(calendar::due_dates(&holidays, &timeline.ended, books)?)?;
        self.put(calendar::product_spans(&products)?)?;
        self.put(calendar::product_instants(&products, &timeline.ended, books)?)?;
        let (held, domains) = (self.table("effective_certifications")?, self.table("domains")?);
        let spans = authorised::certifications(&held, &domains, &partners, &timeline.ended, books)?;
        self.put(spans)?;
        self.put(authorised::certified_partners(&held, &domains, &partners)?)?;
        let allowed = discounts::discounts(&partners, &held, &domains, &timeline.open, books)?;
        self.put(allowed)?;
        self.put(years::partner_years(&partners, &timeline.ended, timeline.today, books)?)?;
        for measure in &self.task.config.measures {
            if !sales::is_late(measure) {
                self.measure(measure, timeline, None)?;
            }
        }
        Ok(())
    }

    /// Stages the calendars of sales and the measures that join them.
    pub(super) fn sales(&mut self, timeline: &Timeline, freezes: &[Freeze]) -> Result<(), PipelineError> {
        let given = sales::Given {
            partners: &self.table("partners")?,
            products: &self.table("products")?,
            domains: &self.table("domains")?,
            certifications: &self.table("effective_certifications")?,
            fx_rates: &self.table("fx_rates")?,
            freezes,
            rules: &self.task.config.rules,
        };
        let (calendars, slices) = sales::calendars(given, self.staging.paths("sales"))?;
        for table in calendars {
            self.put(table)?;
        }
        for measure in &self.task.config.measures {
            if sales::is_late(measure) && self.is_by_partner(measure) {
                for slice in &slices {
                    self.measure(measure, timeline, Some(slice))?;
                }
            } else if sales::is_late(measure) {
                self.measure(measure, timeline, None)?;
            }
        }
        self.control_totals()
    }

    /// Whether no row of a measure is of two partners.
    fn is_by_partner(&self, measure: &Measure) -> bool {
        let contract = self.task.config.contract(&measure.output());
        contract.key.iter().any(|i| contract.columns[*i].name == "partner_id")
    }

    fn measure(&mut self, measure: &Measure, timeline: &Timeline, slice: Option<&Slice>) -> Result<(), PipelineError> {
        let output = measure.output();
        let by_period = self.task.config.contract(&output).partition.is_some();
        if by_period {
            self.carry_sealed(&output, timeline)?;
        }
        let mut sources = Sources::new();
        for table in &measure.tables {
            sources.insert(table.clone(), self.measured_paths(table, timeline));
        }
        let engine = Polars {
            slice: slice.cloned(),
            ..Polars::default()
        };
        let mut table = engine.run(&output, &measure.sql, &sources)?;
        // a period column limits the result to the open periods, whatever the statement joins
        if let (true, Some(column)) = (by_period, table.column("period")) {
            let open: Vec<String> = timeline.open.iter().map(ToString::to_string).collect();
            table.rows.retain(|row| open.contains(&row[column].to_string()));
        }
        self.put(table)
    }

    /// The sales that the measure counted against the sales that there are, by currency and by another way down: a line
    /// may be missing (its product has no version on the day it was ordered, which is told), none may be there twice.
    fn control_totals(&mut self) -> Result<(), PipelineError> {
        let feed = self.totals("sales", "SELECT currency AS currency, CAST(COUNT(*) AS BIGINT) AS lines, SUM(CAST(net_amount AS DECIMAL(38, 4))) AS net FROM sales GROUP BY currency")?;
        let measure = self.totals("measures_sales", "SELECT currency AS currency, CAST(SUM(lines) AS BIGINT) AS lines, SUM(net_amount) AS net FROM measures_sales GROUP BY currency")?;
        for (currency, (lines, net)) in &feed {
            let (counted, counted_net) = measure.get(currency).cloned().unwrap_or((0, Ratio::zero()));
            let missing = lines - counted;
            if missing < 0 || (missing == 0 && *net != counted_net) {
                return Err(PipelineError::Integrity(vec![Finding::error(
                    Place::file("measures_sales"),
                    "control-total",
                    format!("{counted} lines in {currency} were counted of {lines}, or their sum differs"),
                    "nothing was published; a product has two versions on one day, or an engine added wrongly",
                )]));
            }
            if missing > 0 {
                self.summary.findings.push(Finding::warning(
                    Place::file("sales").column("product_id"),
                    "sales.no-product-version",
                    format!("{missing} lines in {currency} are of products without a version on the day of the order: they count nowhere"),
                    "deliver a version of the product with an earlier valid_from",
                ));
            }
        }
        Ok(())
    }

    /// Lines and net amount by currency.
    fn totals(&self, table: &str, sql: &str) -> Result<BTreeMap<String, (i64, Ratio)>, PipelineError> {
        let sources = Sources::from([(table.to_owned(), self.staging.paths(table))]);
        let mut out = BTreeMap::new();
        for row in Polars::default().run("the control totals", sql, &sources)?.iter() {
            out.insert(row.text("currency")?.to_owned(), (row.int("lines")?, row.ratio("net")?));
        }
        Ok(out)
    }

    /// Carries the partitions of a table whose evaluation period is sealed.
    pub(super) fn carry_sealed(&mut self, table: &str, timeline: &Timeline) -> Result<(), PipelineError> {
        let programme = self.task.config.rules.programme().clone();
        let sealed: Vec<String> = timeline
            .ended
            .iter()
            .filter(|p| timeline.is_sealed(&programme, **p))
            .map(|p| format!("period={p}"))
            .collect();
        Ok(self
            .staging
            .carry(table, |partition| sealed.iter().any(|s| s == partition))?)
    }

    /// Files of a table that a measure reads: of the periods' calendar the open ones only, and where there is none the
    /// file without rows.
    fn measured_paths(&self, table: &str, timeline: &Timeline) -> Vec<PathBuf> {
        let all = self.staging.paths(table);
        if table != PARTNER_PERIODS || timeline.open.is_empty() {
            return all;
        }
        let open: Vec<String> = timeline.open.iter().map(|p| format!("period={p}")).collect();
        let of_open = |path: &&PathBuf| {
            let folder = path
                .parent()
                .and_then(Path::file_name)
                .map(|f| f.to_string_lossy().into_owned());
            folder.is_some_and(|f| open.contains(&f))
        };
        let paths: Vec<PathBuf> = all.iter().filter(of_open).cloned().collect();
        if paths.is_empty() { all } else { paths }
    }
}
