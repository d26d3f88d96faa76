//! The report of a period: pages of HTML that open from disk.
//!
//! Duty: pages from output tables and contracts, self-contained, readable without a script; a page of a partner holds that
//! partner's rows and nobody else's. Must not: compute a score or an amount (ledger entries are added up, rows are
//! counted), open files or sockets, load anything from elsewhere.
//!
//! | what is derived | from what | where |
//! |---|---|---|
//! | rows as text, sums and counts | output tables | `data` |
//! | sections of the overview | those | `overview`, `money`, `quality` |
//! | the page of a partner | rows of that partner; quartiles of peers | `partner` |
//! | the catalogue of tables | contracts, measures | `catalogue` |
//! | pictures | published figures | `pictures`, `crate::charts` |
//! | HTML | sections and one template that escapes | this file |

pub mod catalogue;
mod data;
mod money;
mod overview;
mod partner;
mod pictures;
mod quality;
mod view;

use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use thiserror::Error;

use crate::domain::money::MoneyError;
use crate::domain::{Table, TableError};

pub use data::Data;
pub use view::Page;

/// The name matters: what ends in `.html` is escaped.
const PAGE: &str = "page.html";

/// Files that every page links to, by name.
pub const ASSETS: [(&str, &str); 2] = [
    ("report.css", include_str!("templates/report.css")),
    ("report.js", include_str!("templates/report.js")),
];

/// What a report is of.
#[derive(Clone, Debug)]
pub struct About {
    pub programme: String,
    /// Evaluation period.
    pub period: String,
    pub is_final: bool,
    pub release: String,
    pub as_of: String,
}

/// Why a page cannot be made.
#[derive(Debug, Error)]
pub enum ReportError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("{0}")]
    Money(#[from] MoneyError),
    #[error("a page cannot be rendered: {0}")]
    Template(String),
}

/// `index.html`.
pub fn overview(about: &About, data: &Data) -> Result<String, ReportError> {
    let mut sections = overview::sections(data)?;
    sections.extend(money::sections(data)?);
    sections.extend(quality::sections(data)?);
    sections.push(overview::partners(data)?);
    render(&Page {
        title: format!("{} {}", about.programme, about.period),
        lead: lead(about),
        home: None,
        root: String::new(),
        sections,
    })
}

/// The page of one partner, with the name of its file below `partners/`.
pub fn partner(about: &About, data: &Data, partner_id: &str) -> Result<(String, String), ReportError> {
    let page = Page {
        title: format!("{} · {}", data.name_of(partner_id), about.period),
        lead: lead(about),
        home: Some("../index.html".to_owned()),
        root: "../".to_owned(),
        sections: partner::sections(data, partner_id)?,
    };
    Ok((view::file_name(partner_id), render(&page)?))
}

/// `catalogue.html`.
pub fn catalogue(lead: &str, entries: &[catalogue::Entry], home: Option<&str>) -> Result<String, ReportError> {
    render(&Page {
        title: "Data catalogue".to_owned(),
        lead: lead.to_owned(),
        home: home.map(str::to_owned),
        root: String::new(),
        sections: catalogue::sections(entries),
    })
}

fn lead(about: &About) -> String {
    let state = if about.is_final {
        "final: the period is closed"
    } else {
        "provisional: the period is open"
    };
    format!(
        "{}; {state}; release {}; as of {}",
        about.period, about.release, about.as_of
    )
}

#[derive(Serialize)]
struct Context<'a> {
    page: &'a Page,
}

static TEMPLATES: LazyLock<Result<Environment<'static>, String>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_debug(false);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let blocks = environment
        .syntax()
        .to_builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    environment.set_syntax(blocks.map_err(|e| format!("{e}"))?);
    let added = environment.add_template(PAGE, include_str!("templates/page.html"));
    added.map_err(|e| format!("{e}"))?;
    Ok(environment)
});

fn render(page: &Page) -> Result<String, ReportError> {
    let environment = TEMPLATES.as_ref().map_err(|e| ReportError::Template(e.clone()))?;
    let failed = |e: minijinja::Error| ReportError::Template(format!("{e}"));
    let template = environment.get_template(PAGE).map_err(failed)?;
    template.render(Serde(&Context { page })).map_err(failed)
}

/// A table by its name; an empty one where the release has none.
pub type Tables = std::collections::BTreeMap<&'static str, Table>;

/// Tables that a report reads; those with `true` only in the period.
pub const READS: [(&str, bool); 25] = [
    ("partners", false),
    ("domains", false),
    ("partner_scores", false),
    ("scores", true),
    ("metrics", true),
    ("score_changes", true),
    ("peer_figures", true),
    ("key_event_points", true),
    ("authorisation_findings", true),
    ("discount_checks", true),
    ("reviews", true),
    ("review_criteria", true),
    ("rebates", false),
    ("headroom", false),
    ("funds", false),
    ("claim_states", false),
    ("settlements", false),
    ("settlement_states", false),
    ("settlement_proposals", false),
    ("ledger", false),
    ("files", false),
    ("quarantine", false),
    ("freshness", false),
    ("periods", false),
    ("effective_certifications", false),
];
