//! Periods: which have ended, which are closed.
//!
//! Duty: the timeline of a run, from the programme's first period to the present, with what people decided to close.
//! A closed period never opens again. Not its duty: what is in a period.

use std::collections::{BTreeMap, BTreeSet};

use super::freshness::Gap;
use super::settlement::cut_off;
use super::{PipelineError, Refresh};
use crate::domain::time::sub_days;
use crate::domain::{Date, Digest, Finding, Findings, Instant, Period, PeriodKind, Place, Table, Value, Zone};
use crate::ledger::PostingDay;
use crate::rules::{ProgrammeRules, Rules};

/// A posting period that is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    pub closed_on: Date,
    pub decision_id: String,
    /// The run that closed it: its release is the one that `settled/` points at.
    pub run: i64,
    /// The settlement that was approved; none of a period that was closed before there were settlements.
    pub settlement_hash: Option<Digest>,
}

/// A posting period that may close, with the decisions to close it that were taken after it had ended.
#[derive(Clone, Debug)]
pub struct ToClose {
    pub period: Period,
    /// In the order of time; never empty.
    pub decisions: Vec<CloseDecision>,
}

/// A decision to close a posting period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CloseDecision {
    pub at: Instant,
    pub id: String,
    /// The settlement that it is to be closed with, where the decision names it.
    pub hash: Option<Digest>,
}

/// The periods of a run.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Evaluation periods that have ended everywhere, oldest first.
    pub ended: Vec<Period>,
    /// Earning periods of the schemes that have ended everywhere, by their last day.
    pub earned: Vec<Period>,
    /// Those of them that are not sealed: to be computed.
    pub open: Vec<Period>,
    /// Posting periods from the first to the one of the present.
    pub posting: Vec<Period>,
    /// Closed before this run: frozen.
    pub sealed: BTreeSet<Period>,
    pub closings: BTreeMap<Period, Closing>,
    /// Decided to be closed by this run, in their order, if their settlements are approved.
    pub to_close: Vec<ToClose>,
    pub today: Date,
}

impl Timeline {
    /// Whether an evaluation or earning period ends in a posting period that is frozen.
    #[must_use]
    pub fn is_sealed(&self, programme: &ProgrammeRules, period: Period) -> bool {
        let last = programme.calendar.last_day(period);
        let posting = programme.calendar.period_of(last, programme.posting_period);
        posting.is_some_and(|p| self.sealed.contains(&p))
    }

    /// The closing of the posting period in which an evaluation or earning period ends; with it the period is final.
    #[must_use]
    pub fn closing_of(&self, programme: &ProgrammeRules, period: Period) -> Option<&Closing> {
        let last = programme.calendar.last_day(period);
        let posting = programme.calendar.period_of(last, programme.posting_period)?;
        self.closings.get(&posting)
    }

    /// Where something posts in a posting period: on its last day, or today while it lasts.
    #[must_use]
    pub fn posting_day(&self, programme: &ProgrammeRules, period: Period) -> PostingDay {
        PostingDay {
            period,
            day: programme.calendar.last_day(period).min(self.today),
            is_final: false,
        }
    }

    /// The first posting period that was open before this run.
    #[must_use]
    pub fn first_open(&self) -> Option<Period> {
        self.posting.iter().find(|p| !self.sealed.contains(p)).copied()
    }

    /// The posting period in which a change to an earning period is booked: its own while that is open, else the
    /// first open one.
    #[must_use]
    pub fn posting_of(&self, programme: &ProgrammeRules, earning: Period) -> Option<Period> {
        let last = programme.calendar.last_day(earning);
        let own = programme.calendar.period_of(last, programme.posting_period)?;
        self.posting
            .iter()
            .copied()
            .find(|p| *p >= own && !self.sealed.contains(p))
    }
}

/// Whether a period has ended in the zones of all regions.
fn has_ended(rules: &Rules, period: Period, as_of: Instant) -> bool {
    let calendar = rules.programme().calendar;
    let (first, end) = (calendar.first_day(period), calendar.end_day(period));
    rules.regions().iter().all(|region| {
        let zone = rules.book(region, first).map_or(Zone::UTC, |b| b.zone);
        zone.start_of(end) <= as_of
    })
}

/// Evaluation periods that have ended by an instant, oldest first.
pub fn ended_periods(rules: &Rules, as_of: Instant) -> Result<Vec<Period>, PipelineError> {
    let programme = rules.programme();
    let mut period = Period::parse(&programme.first_period).map_err(|e| PipelineError::Stage {
        what: "programme.first_period",
        detail: e.to_string(),
    })?;
    let mut ended = Vec::new();
    while has_ended(rules, period, as_of) {
        ended.push(period);
        period = period.next();
    }
    Ok(ended)
}

/// Earning periods that have ended by an instant, of every length that a scheme has, by their last day; the first of each
/// length is the first that begins in the programme's time.
pub fn ended_earning_periods(rules: &Rules, as_of: Instant) -> Result<Vec<Period>, PipelineError> {
    let programme = rules.programme();
    let calendar = programme.calendar;
    let first = first_day(programme)?;
    let kinds: BTreeSet<PeriodKind> = rules
        .books()
        .flat_map(|book| book.schemes.values())
        .map(|scheme| scheme.earning_period)
        .collect();
    let mut ended = Vec::new();
    for kind in kinds {
        let Some(mut period) = calendar.period_of(first, kind) else {
            continue;
        };
        if calendar.first_day(period) < first {
            period = period.next();
        }
        while has_ended(rules, period, as_of) {
            ended.push(period);
            period = period.next();
        }
    }
    ended.sort_by(|a, b| a.by_end(*b));
    Ok(ended)
}

/// The first day of the programme.
fn first_day(programme: &ProgrammeRules) -> Result<Date, PipelineError> {
    let first = Period::parse(&programme.first_period).map_err(|e| PipelineError::Stage {
        what: "programme.first_period",
        detail: e.to_string(),
    })?;
    Ok(programme.calendar.first_day(first))
}

impl Refresh<'_> {
    /// Builds the timeline.
    pub(super) fn periods(&mut self) -> Result<Timeline, PipelineError> {
        let rules = &self.task.config.rules;
        let programme = rules.programme();
        let ended = ended_periods(rules, self.task.as_of)?;
        let today = Zone::UTC.date_of(self.task.as_of);
        let mut timeline = Timeline {
            ended,
            earned: ended_earning_periods(rules, self.task.as_of)?,
            open: Vec::new(),
            posting: posting_periods(programme, today)?,
            sealed: BTreeSet::new(),
            closings: BTreeMap::new(),
            to_close: Vec::new(),
            today,
        };
        let known = self.parent_table("periods")?;
        let table_has_hash = known.column("settlement_hash").is_some();
        for row in known.iter().filter(|r| r.text("status") == Ok("closed")) {
            let period = Period::parse(row.text("period")?).map_err(|e| PipelineError::Stage {
                what: "table periods",
                detail: e.to_string(),
            })?;
            timeline.sealed.insert(period);
            let closing = Closing {
                closed_on: row.date("closed_on")?,
                decision_id: row.text("decision_id")?.to_owned(),
                run: row.int("closed_run")?,
                settlement_hash: if table_has_hash {
                    row.opt_text("settlement_hash")?.and_then(Digest::parse)
                } else {
                    None
                },
            };
            let moved = !timeline.posting.contains(&period)
                || row.text("calendar")? != programme.calendar_name
                || row.date("first_on")? != programme.calendar.first_day(period)
                || row.date("last_on")? != programme.calendar.last_day(period);
            if moved {
                return Err(reopened(period));
            }
            timeline.closings.insert(period, closing);
        }
        let decisions = self.table("decisions")?;
        let waivers = waivers(&decisions)?;
        self.freshness(&timeline, &waivers)?;
        self.close(&mut timeline, &decisions, &waivers)?;
        timeline.open = timeline
            .ended
            .iter()
            .copied()
            .filter(|p| !timeline.is_sealed(programme, *p))
            .collect();
        Ok(timeline)
    }

    /// Stages the table `periods`, once it is known which have closed.
    /// `proposed` is what the first open one would settle.
    pub(super) fn put_periods(
        &mut self,
        timeline: &Timeline,
        proposed: Option<(Period, Digest)>,
    ) -> Result<(), PipelineError> {
        let table = periods_table(self.task.config.rules.programme(), timeline, proposed);
        self.put(table)
    }

    /// Applies decisions of kind `close`, in the order of the periods: a period may close by the first decision that was
    /// taken after it had ended, when all periods before it are closed and, but for waivers, no file lies aside and no
    /// source that it rests on is silent or thin. It does if its settlement is approved, which is found out later.
    fn close(
        &mut self,
        timeline: &mut Timeline,
        decisions: &Table,
        waivers: &BTreeMap<String, String>,
    ) -> Result<(), PipelineError> {
        let rules = &self.task.config.rules;
        let programme = rules.programme();
        let wanted = close_decisions(decisions, programme, &mut self.summary.findings)?;
        let aside = files_aside(&self.table("files")?, waivers)?;
        for period in timeline.posting.clone() {
            if timeline.closings.contains_key(&period) {
                continue;
            }
            let Some(taken) = wanted.get(&period) else { break };
            let decisions: Vec<CloseDecision> = taken
                .iter()
                .filter(|decision| has_ended(rules, period, self.task.as_of.min(decision.at)))
                .cloned()
                .collect();
            let refused = match decisions.first().or(taken.first()) {
                None => break,
                Some(taken) if decisions.is_empty() => Some((
                    taken.id.clone(),
                    format!("it had not ended on {}", taken.at),
                    "decide to close again once the period has ended".to_owned(),
                )),
                Some(taken) => aside
                    .first()
                    .map(file_aside)
                    .or_else(|| self.gap_in(period))
                    .map(|(reason, remedy)| (taken.id.clone(), reason, remedy)),
            };
            if let Some((id, reason, remedy)) = refused {
                self.refuse_to_close(period, &id, &reason, remedy);
                break;
            }
            timeline.to_close.push(ToClose { period, decisions });
        }
        Ok(())
    }

    pub(super) fn refuse_to_close(&mut self, period: Period, decision_id: &str, reason: &str, remedy: String) {
        self.summary.findings.push(Finding::warning(
            Place::file("decisions").column(decision_id),
            "close.refused",
            format!("{period} stays open: {reason}"),
            remedy,
        ));
    }

    /// Why a posting period cannot close, and what to do, where a source that it rests on is silent or thin in it.
    fn gap_in(&self, posting: Period) -> Option<(String, String)> {
        let config = self.task.config;
        let calendar = config.rules.programme().calendar;
        let overlaps = |period: Period| {
            calendar.first_day(period) < calendar.end_day(posting)
                && calendar.first_day(posting) < calendar.end_day(period)
        };
        let open = |gap: &&Gap| gap.waived_by.is_none() && overlaps(gap.period) && config.rests_on(&gap.feed);
        self.gaps.iter().find(open).map(|gap| {
            let (feed, source, state) = (&gap.feed, &gap.source, gap.state.as_str());
            let reason = format!(
                "{feed} from {source} is {state} in {}, and neither delivered nor waived: {}",
                gap.period, gap.reason
            );
            let remedy = format!(
                "deliver what is missing, or decide to waive {} with a reason",
                gap.subject()
            );
            (reason, remedy)
        })
    }
}

fn file_aside(file: &String) -> (String, String) {
    (
        format!("{file} was set aside, and neither delivered anew nor waived"),
        "deliver the file anew, or decide to waive it by its name".to_owned(),
    )
}

/// The rules would take a closed period away or move its days.
fn reopened(period: Period) -> PipelineError {
    PipelineError::Config(vec![Finding::error(
        Place::file(crate::rules::RULES_FOLDER).column("programme"),
        "period.closed",
        format!("{period} is closed, and with these rules it would not be a posting period with the same days"),
        "restore posting_period, first_period, calendar_name and fiscal_year_starts_in_month: a closed period never moves",
    )])
}

/// Decisions to close by period, in the order in which they were taken.
fn close_decisions(
    decisions: &Table,
    programme: &ProgrammeRules,
    findings: &mut Findings,
) -> Result<BTreeMap<Period, Vec<CloseDecision>>, PipelineError> {
    let mut wanted: BTreeMap<Period, Vec<CloseDecision>> = BTreeMap::new();
    for row in decisions.iter() {
        if row.text("kind")? != "close" || row.text("outcome")? != "closed" {
            continue;
        }
        let decision = CloseDecision {
            at: row.instant("decided_at")?,
            id: row.text("decision_id")?.to_owned(),
            hash: row.opt_text("subject_hash")?.and_then(Digest::parse),
        };
        match Period::parse(row.text("subject")?) {
            Ok(period) if period.kind() == programme.posting_period => {
                wanted.entry(period).or_default().push(decision);
            }
            _ => findings.push(Finding::warning(
                Place::file("decisions").column(decision.id),
                "close.subject",
                "the subject of a close is no posting period",
                "name a period such as 2026-Q3",
            )),
        }
    }
    wanted.values_mut().for_each(|taken| taken.sort());
    Ok(wanted)
}

/// The first decision of kind `waive` by its subject: a file's name or hash, or a source in a period.
fn waivers(decisions: &Table) -> Result<BTreeMap<String, String>, PipelineError> {
    let mut taken = Vec::new();
    for row in decisions.iter() {
        if row.text("kind")? == "waive" && row.text("outcome")? == "waived" {
            taken.push((
                row.instant("decided_at")?,
                row.text("decision_id")?,
                row.text("subject")?,
            ));
        }
    }
    taken.sort_unstable();
    let latest_first = taken.into_iter().rev();
    Ok(latest_first
        .map(|(_, id, subject)| (subject.to_owned(), id.to_owned()))
        .collect())
}

/// Files that were set aside whole and neither delivered anew under their name nor waived by their name or hash.
fn files_aside(files: &Table, waived: &BTreeMap<String, String>) -> Result<Vec<String>, PipelineError> {
    // by name: the latest delivery decides
    let mut latest: BTreeMap<&str, (i64, bool)> = BTreeMap::new();
    for row in files.iter() {
        let name = row.text("file_name")?;
        let is_waived = waived.contains_key(name) || waived.contains_key(row.text("file_hash")?);
        let open = row.text("state")? == "set_aside" && !is_waived;
        let entry = latest.entry(name).or_insert((0, false));
        if row.int("arrival")? > entry.0 {
            *entry = (row.int("arrival")?, open);
        }
    }
    Ok(latest
        .into_iter()
        .filter(|(_, (_, open))| *open)
        .map(|(name, _)| name.to_owned())
        .collect())
}

fn posting_periods(programme: &ProgrammeRules, today: Date) -> Result<Vec<Period>, PipelineError> {
    let calendar = programme.calendar;
    let mut period = calendar
        .period_of(first_day(programme)?, programme.posting_period)
        .ok_or_else(|| PipelineError::Stage {
            what: "programme.first_period",
            detail: "is outside the calendar".to_owned(),
        })?;
    let mut out = Vec::new();
    while calendar.first_day(period) <= today {
        out.push(period);
        period = period.next();
    }
    Ok(out)
}

fn periods_table(programme: &ProgrammeRules, timeline: &Timeline, proposed: Option<(Period, Digest)>) -> Table {
    let columns = [
        "calendar",
        "period",
        "status",
        "first_on",
        "last_on",
        "closed_on",
        "closed_run",
        "decision_id",
        "cut_off_on",
        "settlement_hash",
    ];
    let mut table = Table::new("periods", &columns);
    for period in &timeline.posting {
        let closing = timeline.closings.get(period);
        table.push(vec![
            programme.calendar_name.as_str().into(),
            period.to_string().into(),
            if closing.is_some() { "closed" } else { "open" }.into(),
            programme.calendar.first_day(*period).into(),
            sub_days(programme.calendar.end_day(*period), 1).into(),
            closing.map(|c| c.closed_on).into(),
            closing.map_or(Value::Null, |c| Value::Int(c.run)),
            closing.map_or(Value::Null, |c| c.decision_id.as_str().into()),
            cut_off(programme, *period).into(),
            closing
                .and_then(|c| c.settlement_hash)
                .or(proposed.filter(|(p, _)| p == period).map(|(_, hash)| hash))
                .map_or(Value::Null, Value::from),
        ]);
    }
    table
}
