//! Configuration: everything under `pipelines/` and `schemas/`, read and checked as one.
//!
//! Duty: load the texts, parse them into typed values, report every finding of every file at once. A configuration
//! can also come from landing, where runs keep the one they used. Not its duty: what the values mean.

use std::collections::BTreeSet;
use std::path::Path;

use crate::contracts::{Catalogue, ColumnType, Contract};
use crate::domain::{Digest, Finding, Findings, Place, hash};
use crate::edges::files;
use crate::edges::mail::{MailMode, MailSettings, Reader, readers};
use crate::ingest::Source;
use crate::measures::Measure;
use crate::publishing::{Brand, brand};
use crate::rules::formula::Use;
use crate::rules::{OwnMetric, Rules};
use crate::store::landing::{Bundle, configuration_hash};

use super::jobs::Job;

/// A checked configuration.
#[derive(Debug)]
pub struct Config {
    /// The texts it was read from; job files are not among them, as they do not change a result.
    pub bundle: Bundle,
    pub hash: Digest,
    pub catalogue: Catalogue,
    pub rules: Rules,
    pub sources: Vec<Source>,
    pub measures: Vec<Measure>,
    pub measures_hash: Digest,
    pub mail: MailSettings,
    /// The programme's own people who read about many partners, by id.
    pub readers: Vec<Reader>,
    /// The look of messages.
    pub brand: Brand,
}

/// Outputs that the pipeline writes beside the measures, each by its contract.
const WRITTEN: [&str; 44] = [
    "authorisation_findings",
    "calendar_certifications",
    "calendar_certified_partners",
    "calendar_discounts",
    "calendar_due_dates",
    "calendar_partner_periods",
    "calendar_partner_years",
    "calendar_product_instants",
    "calendar_product_spans",
    "calendar_sale_changes",
    "calendar_sale_days",
    "calendar_sale_partners",
    "calendar_sale_products",
    "claim_states",
    "conflicts",
    "derivations",
    "discount_checks",
    "effective_certifications",
    "entitlements",
    "figures",
    "files",
    "freshness",
    "funds",
    "headroom",
    "held",
    "improvement_plans",
    "key_event_points",
    "ledger",
    "messages",
    "metrics",
    "next_steps",
    "partner_scores",
    "peer_figures",
    "periods",
    "quarantine",
    "rebates",
    "review_criteria",
    "reviews",
    "score_changes",
    "scores",
    "settlement_proposals",
    "settlement_states",
    "settlements",
    "statements",
];

/// Measures that the evaluation and the incentives read.
const MEASURED: [&str; 14] = [
    "authorisation_deliveries",
    "authorisation_exposure",
    "authorisation_first_nodes",
    "authorisation_sales",
    "critical",
    "deliveries",
    "discounts_collaborative",
    "discounts_vendor",
    "parts",
    "quality",
    "sales",
    "satisfaction",
    "support_used",
    "training_used",
];

/// Feeds that stages read.
const READ: [&str; 12] = [
    "certifications",
    "contacts",
    "decisions",
    "domains",
    "enablement",
    "engineers",
    "fx_rates",
    "holidays",
    "key_events",
    "partners",
    "products",
    "sales",
];

const MAIL: &str = "pipelines/mail.toml";
const READERS: &str = "pipelines/readers.toml";
const RULES: &str = "pipelines/rules/";
const SOURCES: &str = "pipelines/sources/";
const MEASURES: &str = "pipelines/measures/";
const SCHEMAS: &str = "schemas/";

/// Reads the configuration and the jobs of a workspace; all findings of all files at once.
pub fn load(workspace: &Path) -> Result<(Config, Vec<Job>), Findings> {
    let texts = read_texts(workspace)?;
    let mut findings = Vec::new();
    let is_job = |path: &str| {
        ![MAIL, READERS].contains(&path)
            && path
                .strip_prefix("pipelines/")
                .is_some_and(|p| !p.contains('/') && p.ends_with(".toml"))
    };
    let (jobs, mut bundle): (Bundle, Bundle) = texts.into_iter().partition(|(path, _)| is_job(path));
    // worked examples are tests: like jobs they change no result
    bundle.retain(|path, _| !path.starts_with(super::examples::FOLDER));
    let mut parsed_jobs = Vec::new();
    for (path, text) in &jobs {
        match Job::read(path, text) {
            Ok(job) => parsed_jobs.push(job),
            Err(mut found) => findings.append(&mut found),
        }
    }
    match Config::parse(bundle) {
        Ok(config) if findings.is_empty() => Ok((config, parsed_jobs)),
        Ok(_) => Err(findings),
        Err(mut found) => {
            findings.append(&mut found);
            Err(findings)
        }
    }
}

fn read_texts(workspace: &Path) -> Result<Bundle, Findings> {
    let mut bundle = Bundle::new();
    let mut findings = Vec::new();
    let problem = |place: &Path, detail: String| {
        Finding::error(
            Place::file(place.display().to_string()),
            "workspace.read",
            detail,
            "a workspace holds pipelines/ and schemas/; `starledger init` makes one",
        )
    };
    for folder in ["pipelines", "schemas"] {
        let path = workspace.join(folder);
        if !path.is_dir() {
            findings.push(problem(&path, format!("there is no folder {folder}/ here")));
            continue;
        }
        let names = files::walk(&path).map_err(|e| vec![problem(&path, e.to_string())])?;
        for (name, kind) in names {
            let wanted = [".toml", ".sql", ".yaml", ".yml", ".svg"]
                .iter()
                .any(|ending| name.ends_with(ending));
            if kind != files::FileKind::File || !wanted {
                continue;
            }
            let full = path.join(&name);
            match files::read_text(&full) {
                Ok(text) if text.trim().is_empty() => findings.push(Finding::error(
                    Place::file(format!("{folder}/{name}")),
                    "workspace.empty",
                    "the file is empty",
                    "restore its content, or remove it if it is not wanted",
                )),
                Ok(text) => {
                    bundle.insert(format!("{folder}/{name}"), text);
                }
                Err(e) => findings.push(problem(&full, format!("{e}: {}", e.source))),
            }
        }
    }
    if findings.is_empty() { Ok(bundle) } else { Err(findings) }
}

impl Config {
    /// Parses a bundle; all findings of all files at once.
    pub fn parse(bundle: Bundle) -> Result<Config, Findings> {
        let mut findings = Vec::new();
        let under = |prefix: &str, ending: &str| -> Vec<(String, String)> {
            bundle
                .iter()
                .filter(|(path, _)| path.starts_with(prefix) && path.ends_with(ending))
                .map(|(path, text)| (path.clone(), text.clone()))
                .collect()
        };
        let schemas = under(SCHEMAS, ".yaml");
        let mut catalogue = keep(Catalogue::read(&schemas), &mut findings);
        let rule_files: Vec<(String, String)> = under(RULES, ".toml")
            .into_iter()
            .map(|(p, t)| (p[RULES.len()..].to_owned(), t))
            .collect();
        let rules = keep(Rules::read(&rule_files), &mut findings);
        let mut sources = Vec::new();
        for (path, text) in under(SOURCES, ".toml") {
            sources.extend(keep(Source::read(&path, &text), &mut findings).unwrap_or_default());
        }
        findings.extend(Source::check_all(&sources));
        if sources.is_empty() && findings.is_empty() {
            findings.push(Finding::error(
                Place::file(SOURCES),
                "workspace.sources",
                "no source says where files come from",
                "add pipelines/sources/<name>.toml; see docs/ingestion.md",
            ));
        }
        let (mut measures, mut derived) = (Vec::new(), Vec::new());
        if let Some(catalogue) = &catalogue {
            let columns = |table: &str| {
                let contract = catalogue.get(table)?;
                Some(contract.columns.iter().map(|c| (c.name.clone(), c.kind)).collect())
            };
            for (path, text) in under(MEASURES, ".sql") {
                if let Some((measure, contract)) = keep(Measure::read(&path, &text, &columns), &mut findings) {
                    let file = format!("{SCHEMAS}{}.odcs.yaml", measure.output());
                    derived.extend(contract.map(|text| (file, text)));
                    measures.push(measure);
                }
            }
            for source in &sources {
                match catalogue.get(&source.feed) {
                    Some(contract) => findings.extend(source.check(contract)),
                    None => findings.push(unknown_feed(source)),
                }
            }
        }
        if !derived.is_empty() && catalogue.is_some() {
            catalogue = keep(Catalogue::read(&[schemas, derived].concat()), &mut findings);
        }
        if let (Some(catalogue), Some(rules)) = (&catalogue, &rules) {
            findings.extend(metrics_rest(catalogue, rules, &measures, findings.is_empty()));
        }
        if let Some(catalogue) = &catalogue {
            findings.extend(missing_tables(catalogue, &measures, findings.is_empty()));
        }
        let mail = match bundle.get(MAIL) {
            Some(text) => keep(MailSettings::read(MAIL, text), &mut findings),
            None => {
                findings.push(Finding::error(
                    Place::file(MAIL),
                    "workspace.mail",
                    "there is no pipelines/mail.toml",
                    "add one with mode = \"folder\", from and reply_to; see docs/mail.md",
                ));
                None
            }
        };
        let brand = match bundle.get(MAIL) {
            Some(text) => keep(brand::read(MAIL, text, &bundle), &mut findings),
            None => None,
        };
        let readers = match (bundle.get(READERS), &rules) {
            (Some(text), Some(rules)) => {
                let regions = rules.books().map(|book| book.region.to_string()).collect();
                keep(readers::read(READERS, text, &regions), &mut findings).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        if let Some(MailMode::Folder(folder)) = mail.as_ref().map(|m| &m.mode)
            && !is_mail_folder(folder)
        {
            findings.push(Finding::error(
                Place::file(MAIL).column("folder"),
                "workspace.mail-folder",
                format!("'{folder}' is no place for mail: it would stand among data that must not change"),
                "name a folder of the workspace outside landing/, such as warehouse/outbox/mail",
            ));
        }
        let (Some(catalogue), Some(rules), Some(mail), Some(brand), true) =
            (catalogue, rules, mail, brand, findings.is_empty())
        else {
            return Err(findings);
        };
        let mut hasher = hash::Hasher::new();
        for measure in &measures {
            hasher.field(measure.name.as_bytes()).field(measure.sql.as_bytes());
        }
        let hash = configuration_hash(&bundle);
        Ok(Config {
            bundle,
            hash,
            catalogue,
            rules,
            sources,
            measures,
            measures_hash: hasher.finish(),
            mail,
            readers,
            brand,
        })
    }

    /// The measures of the programme's own metrics, in any edition of any region.
    #[must_use]
    pub fn own_measures(&self) -> BTreeSet<String> {
        let own = self.rules.books().flat_map(|book| book.own.values());
        own.map(|metric| metric.measure.clone()).collect()
    }

    /// Whether a result rests on a feed: a measure or a stage reads it.
    #[must_use]
    pub fn rests_on(&self, feed: &str) -> bool {
        READ.contains(&feed) || self.measures.iter().any(|m| m.tables.contains(feed))
    }

    /// The contract of a table.
    ///
    /// # Panics
    /// When there is none: `check` makes sure that every table the program writes has one.
    #[must_use]
    pub fn contract(&self, table: &str) -> &Contract {
        self.catalogue
            .get(table)
            .unwrap_or_else(|| panic!("table {table} has no contract"))
    }
}

/// What the metrics of all rule books rest on: measures that are there, with the columns that the formulas name.
fn metrics_rest(catalogue: &Catalogue, rules: &Rules, measures: &[Measure], all_read: bool) -> Findings {
    let mut findings = Findings::new();
    let has = |name: &str| measures.iter().any(|m| m.name == name);
    for book in rules.books() {
        if book.service_level.is_some() && all_read && !has("service_level") {
            findings.push(no_measure(&Place::file(RULES).column("service_level"), "service_level"));
        }
        for metric in book.own.values() {
            if !has(&metric.measure) {
                // a measure that could not be read has its own finding
                findings.extend(all_read.then(|| no_measure(&metric.origin, &metric.measure)));
                continue;
            }
            let Some(contract) = catalogue.get(&format!("measures_{}", metric.measure)) else {
                continue;
            };
            for (column, used) in metric.value.uses().iter().chain(metric.observations.uses()) {
                findings.extend(column_problem(contract, metric, column, *used));
            }
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

fn no_measure(place: &Place, name: &str) -> Finding {
    Finding::error(
        place.clone(),
        "metric.measure",
        format!("the metric rests on the measure '{name}', and there is no {MEASURES}{name}.sql"),
        "add the statement, or name a measure that there is",
    )
}

/// A column that a formula names and the measure does not have, or has with another type.
fn column_problem(contract: &Contract, metric: &OwnMetric, name: &str, used: Use) -> Option<Finding> {
    let known = || {
        contract
            .columns
            .iter()
            .map(|c| c.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (problem, remedy) = match contract.columns.iter().find(|c| c.name == name) {
        None => (
            format!("the measure '{}' has no column '{name}'", metric.measure),
            format!("name one of: {}", known()),
        ),
        Some(column) => {
            let fits = match column.kind {
                ColumnType::Int | ColumnType::Decimal { .. } => used == Use::Number,
                ColumnType::Date => used == Use::Date,
                ColumnType::Text => used == Use::Text,
                ColumnType::Bool => used == Use::Flag,
                ColumnType::Instant => false,
            };
            if fits {
                return None;
            }
            (
                format!(
                    "the column '{name}' of measure '{}' is not {}",
                    metric.measure,
                    used.name()
                ),
                "use it as what it is, or CAST it in the measure".to_owned(),
            )
        }
    };
    Some(Finding::error(metric.origin.clone(), "metric.column", problem, remedy))
}

/// Whether mail may be written to a folder of the workspace.
fn is_mail_folder(folder: &str) -> bool {
    let path = Path::new(folder);
    let plain = path.components().all(|c| matches!(c, std::path::Component::Normal(_)));
    let reserved = ["landing", "pipelines", "schemas"].iter().any(|r| path.starts_with(r));
    plain && !reserved && (!path.starts_with("warehouse") || path.starts_with("warehouse/outbox"))
}

/// Tables that the program writes or reads and that have no contract, and measures without a file.
fn missing_tables(catalogue: &Catalogue, measures: &[Measure], all_read: bool) -> Findings {
    let no_contract = |table: &&str| catalogue.get(table).is_none();
    let tables = WRITTEN.iter().chain(&READ).copied().filter(no_contract).map(|table| {
        Finding::error(
            Place::file(format!("{SCHEMAS}{table}.odcs.yaml")),
            "workspace.contract",
            format!("the program needs the table '{table}', and it has no contract"),
            "restore the file; `starledger init` in an empty folder makes one to copy from",
        )
    });
    // a measure that could not be read has its own finding
    let files = MEASURED
        .iter()
        .filter(|name| all_read && !measures.iter().any(|m| m.name == **name))
        .map(|name| {
            Finding::error(
                Place::file(format!("{MEASURES}{name}.sql")),
                "workspace.measure",
                format!("the evaluation needs the measure '{name}', and it has no file"),
                "restore the file; `starledger init` in an empty folder makes one to copy from",
            )
        });
    tables.chain(files).collect()
}

fn keep<T>(result: Result<T, Findings>, findings: &mut Findings) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(mut found) => {
            findings.append(&mut found);
            None
        }
    }
}

fn unknown_feed(source: &Source) -> Finding {
    Finding::error(
        Place::file(SOURCES),
        "source.feed",
        format!(
            "source '{}' names feed '{}', which has no contract",
            source.name, source.feed
        ),
        "name a feed of schemas/, or add a contract for it",
    )
}
