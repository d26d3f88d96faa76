//! Sources that are silent or thin: the table `freshness`, and what rests on them.
//!
//! Duty: count the rows of each source by day, have each judged, say which partners a gap concerns. Periods that are
//! closed keep what was said of them. Not its duty: when a source is silent (`ingest::freshness`), what an incomplete
//! metric is worth.

use std::collections::{BTreeMap, BTreeSet};

use super::{PipelineError, Refresh, Timeline};
use crate::contracts::{Contract, ContractKind};
use crate::domain::ids::PartnerId;
use crate::domain::{Finding, Period, Place, Table};
use crate::ingest::Source;
use crate::ingest::freshness::{Days, Judgement, Span, State, Terms, judge};
use crate::ingest::source::Sender;
use crate::measures::engine::{Engine, Sources};
use crate::measures::polars::Polars;
use crate::rules::MetricId;

const FRESHNESS: &str = "freshness";

const COLUMNS: [&str; 9] = [
    "feed",
    "source",
    "period",
    "rows",
    "median_rows",
    "state",
    "deadline_on",
    "waived_by",
    "reason",
];

/// How the subject of a waiver of a gap begins.
const SUBJECT: &str = "feed:";

/// The measures that each metric is computed from.
const MEASURES_OF: [(MetricId, &[&str]); 4] = [
    (MetricId::Satisfaction, &["satisfaction"]),
    (MetricId::Quality, &["quality", "critical"]),
    (MetricId::Parts, &["parts"]),
    (MetricId::ServiceLevel, &["service_level"]),
];

/// Feeds that the enablement metric counts, without a measure.
const ENABLEMENT: [&str; 3] = ["certifications", "enablement", "engineers"];

/// A source that is silent or thin in a period that is not closed.
#[derive(Clone, Debug)]
pub(super) struct Gap {
    pub(super) feed: String,
    pub(super) source: String,
    pub(super) period: Period,
    pub(super) state: State,
    pub(super) reason: String,
    /// The decision that waives it.
    pub(super) waived_by: Option<String>,
}

impl Gap {
    /// What a waiver names.
    pub(super) fn subject(&self) -> String {
        subject(&self.feed, &self.source, self.period)
    }

    /// Whether what rests on it is incomplete: a waived thin volume is all there is and counts, while nothing can be
    /// said from a silence, waived or not.
    fn is_incomplete(&self) -> bool {
        self.state == State::Silent || self.waived_by.is_none()
    }
}

fn subject(feed: &str, source: &str, period: Period) -> String {
    format!("{SUBJECT}{feed}/{source}/{period}")
}

/// Partners by the source that delivered rows about them.
type PartnersBySource = BTreeMap<String, BTreeSet<String>>;

impl Refresh<'_> {
    /// Stages `freshness` and keeps the gaps of the periods that are not closed. `waivers` are decisions by subject.
    pub(super) fn freshness(
        &mut self,
        timeline: &Timeline,
        waivers: &BTreeMap<String, String>,
    ) -> Result<(), PipelineError> {
        self.carry_sealed(FRESHNESS, timeline)?;
        let config = self.task.config;
        let programme = config.rules.programme();
        let spans = self.spans(timeline)?;
        let mut table = Table::new(FRESHNESS, &COLUMNS);
        let sources = self.sources_by_arrival()?;
        let mut subjects = BTreeSet::new();
        for (contract, terms) in config.catalogue.feeds().filter_map(|c| Some((c, terms(c)?))) {
            let days = self.days_by_source(contract, &sources)?;
            for source in config
                .sources
                .iter()
                .filter(|s| s.feed == contract.name && !s.irregular)
            {
                let none = Days::new();
                for judgement in judge(&terms, days.get(&source.name).unwrap_or(&none), &spans, timeline.today) {
                    let subject = subject(&contract.name, &source.name, judgement.period);
                    let waiver = waivers.get(&subject).filter(|_| judgement.state.is_incomplete());
                    subjects.insert(subject);
                    if !timeline.is_sealed(programme, judgement.period) {
                        self.keep_gap(contract, source, &judgement, waiver);
                        push(&mut table, contract, source, &judgement, waiver);
                    }
                }
            }
        }
        for (subject, id) in waivers {
            if subject.starts_with(SUBJECT) && !subjects.contains(subject) {
                self.summary.findings.push(Finding::warning(
                    Place::file("decisions").column(id.clone()),
                    "waive.subject",
                    format!("'{subject}' names no source and period that is expected"),
                    "name it as feed:<feed>/<source>/<period>, as in the tables freshness and periods",
                ));
            }
        }
        self.put(table)
    }

    fn keep_gap(&mut self, contract: &Contract, source: &Source, judgement: &Judgement, waiver: Option<&String>) {
        if !judgement.state.is_incomplete() {
            return;
        }
        let gap = Gap {
            feed: contract.name.clone(),
            source: source.name.clone(),
            period: judgement.period,
            state: judgement.state,
            reason: judgement.reason.clone().unwrap_or_default(),
            waived_by: waiver.cloned(),
        };
        if gap.waived_by.is_none() {
            self.summary.findings.push(Finding::warning(
                Place::file(&gap.source).column(gap.period.to_string()),
                &format!("feed.{}", gap.state.as_str()),
                format!("{} from {}: {}", gap.feed, gap.source, gap.reason),
                format!(
                    "deliver what is missing, or decide to waive {} with a reason",
                    gap.subject()
                ),
            ));
        }
        self.gaps.push(gap);
    }

    /// The periods of the programme up to the one of the present.
    fn spans(&self, timeline: &Timeline) -> Result<Vec<Span>, PipelineError> {
        let programme = self.task.config.rules.programme();
        let first = Period::parse(&programme.first_period).map_err(|e| PipelineError::Stage {
            what: "programme.first_period",
            detail: e.to_string(),
        })?;
        let running = timeline.ended.last().map_or(first, |last| last.next());
        let span = |period: &Period| Span {
            period: *period,
            first: programme.calendar.first_day(*period),
            end: programme.calendar.end_day(*period),
        };
        let all = timeline.ended.iter().chain([&running]).map(span);
        Ok(all.filter(|span| span.first <= timeline.today).collect())
    }

    /// Current rows of a fact by source and business date. Rows of a source that is no longer declared are left out:
    /// nothing is expected of it.
    fn days_by_source(
        &self,
        contract: &Contract,
        sources: &BTreeMap<i64, String>,
    ) -> Result<BTreeMap<String, Days>, PipelineError> {
        let feed = &contract.name;
        let Some(date) = contract.business_date.map(|i| &contract.columns[i].name) else {
            return Ok(BTreeMap::new());
        };
        let sql = format!(
            "SELECT arrival, day, CAST(COUNT(*) AS BIGINT) AS n FROM \
             (SELECT arrival AS arrival, CAST({date} AS DATE) AS day FROM {feed}) AS t GROUP BY arrival, day"
        );
        let counts = self.ask(&sql, &[feed])?;
        let mut out: BTreeMap<String, Days> = BTreeMap::new();
        for row in counts.iter() {
            if let Some(source) = sources.get(&row.int("arrival")?) {
                let days = out.entry(source.clone()).or_default();
                *days.entry(row.date("day")?).or_default() += row.int("n")?;
            }
        }
        Ok(out)
    }

    /// The declared source of each arrival; one that was renamed since is found by its files.
    fn sources_by_arrival(&self) -> Result<BTreeMap<i64, String>, PipelineError> {
        let sources = &self.task.config.sources;
        let mut out = BTreeMap::new();
        for row in self.table("files")?.iter() {
            let (feed, name, file) = (row.text("feed")?, row.text("source")?, row.text("file_name")?);
            let of_feed = || sources.iter().filter(|s| s.feed == feed);
            let named = of_feed().find(|s| s.name == name);
            if let Some(source) = named.or_else(|| of_feed().find(|s| s.matches(file))) {
                out.insert(row.int("arrival")?, source.name.clone());
            }
        }
        Ok(out)
    }

    /// The metrics that rest on a gap, with the partners concerned. Only evaluated periods have any.
    pub(super) fn incomplete(
        &self,
        timeline: &Timeline,
    ) -> Result<BTreeSet<(MetricId, PartnerId, Period)>, PipelineError> {
        let mut out = BTreeSet::new();
        let counts = |gap: &&Gap| gap.is_incomplete() && timeline.open.contains(&gap.period);
        for gap in self.gaps.iter().filter(counts) {
            let metrics: Vec<MetricId> = self.metrics_of(&gap.feed);
            if metrics.is_empty() {
                continue;
            }
            for partner in self.partners_concerned(gap)? {
                let partner = PartnerId::new(&partner).map_err(|e| PipelineError::Stage {
                    what: "partner_id of a feed",
                    detail: e.to_string(),
                })?;
                out.extend(metrics.iter().map(|metric| (*metric, partner.clone(), gap.period)));
            }
        }
        Ok(out)
    }

    /// The metrics whose measures read a feed.
    fn metrics_of(&self, feed: &str) -> Vec<MetricId> {
        let reads = |name: &&str| {
            let mut measures = self.task.config.measures.iter();
            measures.any(|m| m.name == **name && m.tables.contains(feed))
        };
        let rests = MEASURES_OF.iter().filter(|(_, measures)| measures.iter().any(reads));
        let own = self.task.config.rules.books().flat_map(|book| book.own.values());
        let own = own.filter(|metric| reads(&metric.measure.as_str()));
        let own: BTreeSet<MetricId> = own.map(|metric| MetricId::Own(metric.name)).collect();
        let counted = ENABLEMENT.contains(&feed).then_some(MetricId::Enablement);
        rests.map(|(metric, _)| *metric).chain(counted).chain(own).collect()
    }

    /// The partners whose rows are missing.
    fn partners_concerned(&self, gap: &Gap) -> Result<BTreeSet<String>, PipelineError> {
        let by_source = self.partners_by_source(self.task.config.contract(&gap.feed))?;
        let mut regions: BTreeMap<String, String> = BTreeMap::new();
        let period = gap.period.to_string();
        let calendar = self.table("calendar_partner_periods")?;
        for row in calendar.iter().filter(|r| r.text("period") == Ok(&period)) {
            regions.insert(row.text("partner_id")?.to_owned(), row.text("region")?.to_owned());
        }
        let source = self.task.config.sources.iter().find(|s| s.name == gap.source);
        let out = match source.and_then(|s| s.sender.as_ref()) {
            Some(sender) => declared(sender, &regions),
            None => concerned(&by_source, &gap.source, &regions),
        };
        Ok(out)
    }

    /// The partners of a feed's rows: of its own column, or of the row that a reference of it names.
    fn partners_by_source(&self, contract: &Contract) -> Result<PartnersBySource, PipelineError> {
        let feed = contract.name.as_str();
        let has_partner = |contract: &Contract| contract.columns.iter().any(|c| c.name == "partner_id");
        let reference = contract.columns.iter().find_map(|column| {
            let reference = column.reference.as_ref()?;
            let target = self.task.config.catalogue.get(&reference.table)?;
            has_partner(target).then_some((column.name.as_str(), reference))
        });
        let (rows, tables) = match reference {
            _ if has_partner(contract) => (
                format!("SELECT f.arrival AS arrival, f.partner_id AS partner_id FROM {feed} AS f"),
                vec![feed],
            ),
            Some((column, to)) => (
                format!(
                    "SELECT f.arrival AS arrival, r.partner_id AS partner_id FROM {feed} AS f \
                     JOIN {} AS r ON f.{column} = r.{}",
                    to.table, to.column
                ),
                vec![feed, to.table.as_str()],
            ),
            None => return Ok(BTreeMap::new()),
        };
        let sql = format!("SELECT arrival, partner_id FROM ({rows}) AS t GROUP BY arrival, partner_id");
        let found = self.ask(&sql, &tables)?;
        let sources = self.sources_by_arrival()?;
        let mut out = BTreeMap::new();
        for row in found.iter() {
            let source = sources.get(&row.int("arrival")?);
            if let (Some(source), Some(partner)) = (source, row.opt_text("partner_id")?) {
                let partners: &mut BTreeSet<String> = out.entry(source.clone()).or_default();
                partners.insert(partner.to_owned());
            }
        }
        Ok(out)
    }

    fn ask(&self, sql: &str, tables: &[&str]) -> Result<Table, PipelineError> {
        let sources: Sources = tables
            .iter()
            .map(|t| ((*t).to_owned(), self.staging.paths(t)))
            .collect();
        Ok(Polars::default().run(FRESHNESS, sql, &sources)?)
    }
}

/// The partners that a source may deliver rows about, as it declares them.
fn declared(sender: &Sender, regions: &BTreeMap<String, String>) -> BTreeSet<String> {
    let of_region = regions.iter().filter(|(_, region)| sender.regions.contains(*region));
    let of_region = of_region.map(|(partner, _)| partner);
    sender.partners.iter().chain(of_region).cloned().collect()
}

/// The partners that a source delivered rows about, and all partners of a region that no other source of the feed
/// serves: a partner that is new in the region would have come with it. `regions` are those of the period, by partner.
fn concerned(by_source: &PartnersBySource, source: &str, regions: &BTreeMap<String, String>) -> BTreeSet<String> {
    let served = |source: &str| -> BTreeSet<&String> {
        let partners = by_source.get(source).into_iter().flatten();
        partners.filter_map(|partner| regions.get(partner)).collect()
    };
    let others = by_source.keys().filter(|name| *name != source);
    let others: BTreeSet<&String> = others.flat_map(|name| served(name)).collect();
    let alone: BTreeSet<&String> = served(source).difference(&others).copied().collect();
    let own = by_source.get(source).into_iter().flatten();
    let of_region = regions.iter().filter(|(_, region)| alone.contains(region));
    own.chain(of_region.map(|(partner, _)| partner)).cloned().collect()
}

/// The terms of a feed that is watched: a fact with a frequency.
fn terms(contract: &Contract) -> Option<Terms> {
    let freshness = contract.freshness.filter(|_| contract.kind == ContractKind::Fact)?;
    Some(Terms {
        every_days: freshness.every_days,
        within_days: freshness.within_days,
        share: contract.thin.share,
        minimum_rows: i64::from(contract.thin.minimum_rows),
    })
}

fn push(table: &mut Table, contract: &Contract, source: &Source, judgement: &Judgement, waiver: Option<&String>) {
    table.push(vec![
        contract.name.as_str().into(),
        source.name.as_str().into(),
        judgement.period.to_string().into(),
        judgement.rows.into(),
        judgement.median.into(),
        judgement.state.as_str().into(),
        judgement.deadline.into(),
        waiver.map(String::as_str).into(),
        judgement.reason.as_deref().into(),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_concerns_its_partners_and_the_regions_that_it_serves_alone() {
        let text = |t: &str| t.to_owned();
        let regions = [
            ("P1", "emea"),
            ("P2", "emea"),
            ("P3", "apac"),
            ("P4", "apac"),
            ("P5", "apac"),
        ];
        let regions = regions.map(|(partner, region)| (text(partner), text(region))).into();
        let by_source: PartnersBySource = [
            // P9 has left: it has no region in the period
            (text("emea"), [text("P1"), text("P9")].into()),
            (text("sent-by-p3"), [text("P3")].into()),
            (text("sent-by-p4"), [text("P4")].into()),
        ]
        .into();
        let of = |source: &str| {
            let found = concerned(&by_source, source, &regions);
            found.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("emea"), "P1 P2 P9");
        assert_eq!(of("sent-by-p3"), "P3");
        assert_eq!(of("new"), "");
        let sender = Sender {
            partners: [text("P7")].into(),
            regions: [text("apac")].into(),
        };
        let found: Vec<String> = declared(&sender, &regions).into_iter().collect();
        assert_eq!(found.join(" "), "P3 P4 P5 P7");
    }
}
