//! Simulation: real periods with another rule book.
//!
//! Duty: the engine twice over the same facts, with the rules of the workspace and with others, and what differs: who
//! moves, what it costs. Not its duty: the engine (`bench`), reading the other rules (`rulebooks`). Nothing of it is
//! published, booked or sent, and no file of the workspace is touched.

pub mod write;

pub use super::compare::{CardMove, Cost, DomainMove, Standing, difference};

use super::PipelineError;
use super::bench;
use super::compare;
use super::config::Config;
use super::refresh::periods::ended_periods;
use crate::domain::{Instant, Period, Table};
use crate::rules::Rules;
use crate::store::release::Release;

/// What another rule book would have come to.
#[derive(Debug)]
pub struct Simulation {
    /// The release whose facts were used.
    pub release: String,
    pub periods: Vec<Period>,
    /// Cards of both, by partner and period.
    pub cards: Vec<CardMove>,
    /// Scores of domains, by partner, domain and period.
    pub domains: Vec<DomainMove>,
    /// By partner, scheme, earning period and currency; those that are the same too.
    pub costs: Vec<Cost>,
    /// Cards whose result with the workspace's rules is not the one that was published: later facts, or rules that no
    /// run has used yet.
    pub unlike_published: usize,
    /// The simulated tables, with the columns of the release's tables of these names.
    pub tables: Vec<Table>,
}

/// Runs the engine over periods `from` to `until` of a release with the workspace's rules and with others.
pub fn simulate(
    release: &Release,
    config: &Config,
    other: &Rules,
    (from, until): (Period, Period),
) -> Result<Simulation, PipelineError> {
    let as_of = Instant::parse(&release.manifest.as_of).map_err(|e| PipelineError::Stage {
        what: "as_of of the manifest",
        detail: e.to_string(),
    })?;
    let ended = ended_periods(&config.rules, as_of)?;
    let periods: Vec<Period> = ended.iter().copied().filter(|p| (from..=until).contains(p)).collect();
    if periods.first() != Some(&from) || periods.last() != Some(&until) {
        let known = match (ended.first(), ended.last()) {
            (Some(first), Some(last)) => format!("{first}..{last}"),
            _ => "none".to_owned(),
        };
        return Err(PipelineError::Usage(format!(
            "{from}..{until} are no evaluation periods that have ended; there are {known}"
        )));
    }
    let before = bench::compute(release, config, &config.rules, &periods, &ended)?;
    let after = bench::compute(release, config, other, &periods, &ended)?;
    let cards = compare::cards(&before.evaluated.partner_scores, &after.evaluated.partner_scores)?;
    let published = bench::table(release, config, "partner_scores")?;
    Ok(Simulation {
        release: release.name().to_owned(),
        unlike_published: compare::unlike(&published, &before.evaluated.partner_scores, &periods)?,
        domains: compare::domains(&before.evaluated.scores, &after.evaluated.scores)?,
        costs: compare::costs(&before.targets, &after.targets),
        cards,
        tables: vec![
            after.evaluated.metrics,
            after.evaluated.scores,
            after.evaluated.partner_scores,
        ],
        periods,
    })
}
