//! The engine over the facts of a release, beside the release.
//!
//! Duty: calendars, measures, evaluation and incentives of some periods, by any rule book, by the same stages that a run
//! has; everything lies in a scratch folder or in memory. Not its duty: publishing, booking, comparing.

use std::collections::{BTreeMap, BTreeSet};

use super::PipelineError;
use super::config::Config;
use super::explain::incomplete;
use super::refresh::grade_rows;
use super::refresh::periods::ended_earning_periods;
use super::sales;
use crate::domain::{Instant, Period, Table, Zone};
use crate::edges::scratch::Scratch;
use crate::evaluation::authorisation::{self, Checked};
use crate::evaluation::metric::Working;
use crate::evaluation::{self, Evaluated, Inputs};
use crate::incentives::{self, Target};
use crate::measures::engine::{Engine, Sources};
use crate::measures::polars::Polars;
use crate::measures::{authorised, calendar, years};
use crate::rules::Rules;
use crate::store::commit::Staging;
use crate::store::layout::Layout;
use crate::store::release::Release;

/// What the engine came to.
#[derive(Debug)]
pub struct Outcome {
    pub evaluated: Evaluated,
    /// What was earned to date, of the periods computed.
    pub targets: Vec<Target>,
}

/// The calendar whose rows are the periods to measure.
const PARTNER_PERIODS: &str = "calendar_partner_periods";

/// Evaluates consecutive periods over the current rows of a release. What lies before the first of them is taken as it
/// was published; what was published of the periods themselves, and after them, is not looked at. Contracts and measures
/// are those of `config`.
pub fn compute(
    release: &Release,
    config: &Config,
    rules: &Rules,
    periods: &[Period],
    ended: &[Period],
) -> Result<Outcome, PipelineError> {
    let (Some(first), Some(last)) = (periods.first(), periods.last()) else {
        return Err(PipelineError::Usage("no period is to be computed".to_owned()));
    };
    let bench = Bench {
        release,
        config,
        rules,
        periods,
        first: *first,
    };
    let scratch = Scratch::new(None).map_err(crate::store::StoreError::from)?;
    let mut staging = Staging::begin(&Layout::new(scratch.path()), 1, None, rules.hash())?;
    let until: Vec<Period> = ended.iter().copied().filter(|p| p <= last).collect();
    bench.calendars(&mut staging, &until)?;
    let inputs = bench.inputs(&staging)?;
    let evaluated = evaluation::evaluate(&inputs, rules).map_err(|e| PipelineError::Stage {
        what: "the evaluation",
        detail: e.to_string(),
    })?;
    let certifications = &inputs.certifications;
    let freezes = freezes(&evaluated);
    let given = sales::Given {
        partners: &bench.table("partners")?,
        products: &bench.table("products")?,
        domains: &inputs.domains,
        certifications,
        fx_rates: &bench.table("fx_rates")?,
        freezes: &freezes,
        rules,
    };
    let feed = release.files_of("sales").map(|file| release.path_of(file)).collect();
    let (calendars, _) = sales::calendars(given, feed)?;
    for table in calendars {
        bench.stage(&mut staging, table)?;
    }
    let sales = bench.measure(&staging, "sales")?;
    let targets = money(release, config, rules, periods, &sales, certifications, &evaluated)?;
    Ok(Outcome { evaluated, targets })
}

/// Parts due and overdue as an evaluation counted them, with the columns of the measure that money reads.
fn parts(evaluated: &Evaluated) -> Table {
    let columns = [
        "partner_id",
        "period",
        "due_quantity",
        "opening_quantity",
        "overdue_quantity",
    ];
    let mut out = Table::new("measures_parts", &columns);
    for card in evaluated.derivations.cards.values() {
        for metric in card.domains.iter().flat_map(|score| &score.metrics) {
            if let Working::Parts(parts) = &metric.working {
                let q = &parts.quantities;
                out.push(vec![
                    card.partner.as_str().into(),
                    card.period.to_string().into(),
                    q.due.into(),
                    q.opening.into(),
                    q.overdue.into(),
                ]);
            }
        }
    }
    out
}

/// What was earned in the earning periods that end in some evaluation periods, by certifications and by the grades and red lines of an evaluation.
pub(super) fn money(
    release: &Release,
    config: &Config,
    rules: &Rules,
    periods: &[Period],
    sales: &Table,
    certifications: &Table,
    evaluated: &Evaluated,
) -> Result<Vec<Target>, PipelineError> {
    let freezes = freezes(evaluated);
    let as_of = Instant::parse(&release.manifest.as_of).map_err(|e| PipelineError::Stage {
        what: "as_of of the manifest",
        detail: e.to_string(),
    })?;
    let mut earning_periods = ended_earning_periods(rules, as_of)?;
    earning_periods.retain(|earning| periods.iter().any(|period| earning.ends_in(*period)));
    let inputs = incentives::Inputs {
        earning_periods: &earning_periods,
        sales,
        partners: &table(release, config, "partners")?,
        certifications,
        domains: &table(release, config, "domains")?,
        fx_rates: &table(release, config, "fx_rates")?,
        grades: &grade_rows(&evaluated.scores, &evaluated.partner_scores, &parts(evaluated))?,
        freezes: &freezes,
    };
    let earned = incentives::compute(&inputs, rules);
    Ok(earned
        .map_err(|e| PipelineError::stage("the incentives")(e.to_string()))?
        .targets)
}

/// The red lines that keep sales from earning.
fn freezes(evaluated: &Evaluated) -> Vec<incentives::Freeze> {
    let freeze = |f: &evaluation::Freeze| incentives::Freeze {
        partner: f.partner.clone(),
        from: f.from,
        until: f.until,
    };
    evaluated.freezes.iter().map(freeze).collect()
}

/// A table of a release; one that it does not have is empty.
pub(super) fn table(release: &Release, config: &Config, name: &str) -> Result<Table, PipelineError> {
    let read = release.read_table(name)?;
    if read.columns().is_empty() {
        let columns = config.contract(name).columns.iter().map(|c| c.name.clone()).collect();
        return Ok(Table::with_columns(name, columns));
    }
    Ok(read)
}

struct Bench<'a> {
    release: &'a Release,
    config: &'a Config,
    rules: &'a Rules,
    periods: &'a [Period],
    first: Period,
}

impl Bench<'_> {
    fn table(&self, name: &str) -> Result<Table, PipelineError> {
        table(self.release, self.config, name)
    }

    /// The rows of periods before the first one computed, as published.
    fn before(&self, name: &str) -> Result<Table, PipelineError> {
        let mut table = self.table(name)?;
        let Some(column) = table.column("period") else {
            return Ok(table);
        };
        let earlier = |text: &str| Period::parse(text).is_ok_and(|p| p < self.first);
        table.rows.retain(|row| earlier(&row[column].to_string()));
        Ok(table)
    }

    fn calendars(&self, staging: &mut Staging, ended: &[Period]) -> Result<(), PipelineError> {
        let (products, partners) = (self.table("products")?, self.table("partners")?);
        let (held, domains) = (self.table("effective_certifications")?, self.table("domains")?);
        let as_of = crate::domain::Instant::parse(&self.release.manifest.as_of);
        let as_of = as_of.map_err(|e| PipelineError::stage("as_of of the manifest")(e.to_string()))?;
        let today = Zone::UTC.date_of(as_of);
        for table in [
            calendar::partner_periods(&partners, self.periods, self.rules)?,
            calendar::due_dates(&self.table("holidays")?, ended, self.rules)?,
            calendar::product_spans(&products)?,
            calendar::product_instants(&products, ended, self.rules)?,
            authorised::certifications(&held, &domains, &partners, ended, self.rules)?,
            authorised::certified_partners(&held, &domains, &partners)?,
            years::partner_years(&partners, ended, today, self.rules)?,
        ] {
            self.stage(staging, table)?;
        }
        Ok(())
    }

    fn stage(&self, staging: &mut Staging, table: Table) -> Result<(), PipelineError> {
        let contract = self.config.contract(table.name());
        let table = crate::contracts::conform(contract, table).map_err(crate::store::StoreError::Contract)?;
        Ok(staging.put(contract, &table)?)
    }

    /// A measure over the release's facts and the calendars at hand; earlier periods as published.
    fn measure(&self, staging: &Staging, name: &str) -> Result<Table, PipelineError> {
        let measure = self.config.measures.iter().find(|m| m.name == name);
        let measure = measure.ok_or_else(|| PipelineError::Stage {
            what: "measures",
            detail: format!("there is no measure '{name}'"),
        })?;
        let mut sources = Sources::new();
        for table in &measure.tables {
            let staged = staging.paths(table);
            if !staged.is_empty() {
                sources.insert(table.clone(), staged);
                continue;
            }
            for file in self.release.files_of(table) {
                self.release.check_file(file)?;
                sources
                    .entry(table.clone())
                    .or_default()
                    .push(self.release.path_of(file));
            }
        }
        let output = measure.output();
        let mut table = Polars::default().run(&output, &measure.sql, &sources)?;
        if let Some(column) = table.column("period") {
            let wanted: Vec<String> = self.periods.iter().map(ToString::to_string).collect();
            table.rows.retain(|row| wanted.contains(&row[column].to_string()));
            let contract = self.config.contract(&output);
            let table = crate::contracts::conform(contract, table).map_err(crate::store::StoreError::Contract)?;
            return self.after(&output, table);
        }
        Ok(table)
    }

    /// A measure that a workspace need not have; empty where it has none.
    fn optional(&self, staging: &Staging, name: &str) -> Result<Table, PipelineError> {
        if self.config.measures.iter().any(|m| m.name == name) {
            self.measure(staging, name)
        } else {
            Ok(Table::new(&format!("measures_{name}"), &[]))
        }
    }

    /// The measures of the programme's own metrics, by name: of the rules that are tried.
    fn own_measures(&self, staging: &Staging) -> Result<BTreeMap<String, Table>, PipelineError> {
        let own = self.rules.books().flat_map(|book| book.own.values());
        let names: BTreeSet<&String> = own.map(|metric| &metric.measure).collect();
        names
            .into_iter()
            .map(|name| Ok((name.clone(), self.measure(staging, name)?)))
            .collect()
    }

    /// Rows of the periods computed, after those of earlier periods.
    fn after(&self, name: &str, table: Table) -> Result<Table, PipelineError> {
        let mut all = self.before(name)?;
        let places: Vec<Option<usize>> = all.columns().iter().map(|c| table.column(c)).collect();
        for row in table.rows {
            let value = |place: &Option<usize>| place.map_or(crate::domain::Value::Null, |i| row[i].clone());
            all.push(places.iter().map(value).collect());
        }
        Ok(all)
    }

    /// What the evaluation rests on.
    fn inputs(&self, staging: &Staging) -> Result<Inputs, PipelineError> {
        let partner_periods = self.after(PARTNER_PERIODS, staging.read_back(PARTNER_PERIODS)?)?;
        let (certifications, domains) = (self.table("effective_certifications")?, self.table("domains")?);
        let decisions = self.table("decisions")?;
        let checked = Checked {
            periods: self.periods,
            deliveries: &self.measure(staging, "authorisation_deliveries")?,
            first_nodes: &self.measure(staging, "authorisation_first_nodes")?,
            sales: &self.measure(staging, "authorisation_sales")?,
            exposure: &self.measure(staging, "authorisation_exposure")?,
            partner_periods: &partner_periods,
            certifications: &certifications,
            domains: &domains,
        };
        let found = authorisation::findings(&checked, self.rules);
        let found = found.map_err(|e| PipelineError::stage("the authorisation check")(e.to_string()))?;
        let found = self.after("authorisation_findings", found)?;
        Ok(Inputs {
            periods: self.periods.to_vec(),
            partner_periods,
            satisfaction: self.measure(staging, "satisfaction")?,
            quality: self.measure(staging, "quality")?,
            critical: self.measure(staging, "critical")?,
            parts: self.measure(staging, "parts")?,
            deliveries: self.measure(staging, "deliveries")?,
            service_level: self.optional(staging, "service_level")?,
            ratings: self.optional(staging, "ratings")?,
            responses: self.optional(staging, "responses")?,
            own: self.own_measures(staging)?,
            engineers: self.table("engineers")?,
            enablement: self.table("enablement")?,
            certifications,
            domains,
            key_events: authorisation::with_findings(self.table("key_events")?, &found, &decisions),
            decisions,
            sealed_scores: self.before("scores")?,
            sealed_partner_scores: self.before("partner_scores")?,
            sealed_metrics: self.before("metrics")?,
            sealed_key_event_points: self.before("key_event_points")?,
            incomplete: incomplete(&self.table("metrics")?)?,
        })
    }
}
