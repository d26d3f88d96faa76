//! Incentives and the ledger.
//!
//! Duty: what was earned to date against what is booked, the difference appended, the rows of the open posting periods
//! staged. Earlier files of the ledger are carried as they are. Not its duty: amounts, entries, hashes.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::RedLines;
use super::{PipelineError, Refresh, Timeline};
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Date, Dec, Finding, Grade, Money, Period, Place, Ratio, Table, Value};
use crate::incentives::{self, GradeRow, GradeState};
use crate::ledger::{self, Books, Entry, Hold, LedgerError, PostingDay, View};
use crate::store::StoreError;

/// A change of the books, for people.
#[derive(Clone, Debug)]
pub struct Delta {
    pub partner: String,
    pub scheme: String,
    pub earning_period: Period,
    pub booked: Money,
    pub target: Money,
    pub delta: Money,
}

/// The books after this run, and what the invariants compare them with.
pub(super) struct Book {
    pub targets: Vec<ledger::Target>,
    pub posting: BTreeMap<Period, PostingDay>,
    pub holds: Vec<Hold>,
    pub earlier: ledger::Head,
    pub fallback: PostingDay,
    pub documents: Vec<ledger::Document>,
}

impl Refresh<'_> {
    /// Stages `rebates`, `ledger` and what is settled.
    pub(super) fn books(&mut self, timeline: &mut Timeline, red_lines: RedLines) -> Result<Book, PipelineError> {
        let stage = PipelineError::stage;
        let mut earned = self.earned(timeline, red_lines.freezes)?;
        let claims = self.claims(timeline, &mut earned)?;
        self.headroom(timeline, &mut earned.headroom)?;
        let targets: Vec<ledger::Target> = earned
            .targets
            .into_iter()
            .map(|t| ledger::Target {
                partner: t.partner,
                scheme: t.scheme,
                earning_period: t.earning_period,
                amount: t.amount,
                is_fund: t.claims_until_on.is_some(),
            })
            .collect();
        self.step("ledger")?;
        let book =
            ledger::table::from_table(&self.parent_table("ledger")?).map_err(|e| stage("the ledger")(e.to_string()))?;
        let mut books = Books::open(book).map_err(|e| match e {
            LedgerError::Chain(e) => broken(&e),
            other => stage("the ledger")(other.to_string()),
        })?;
        let head = books.head();
        // a hold lasts by the day of the run, not by the day that an earning period posts on: while it lasts it covers
        // whatever is posted, and the first run after it releases all of it
        let holds: Vec<Hold> = red_lines
            .holds
            .into_iter()
            .filter(|h| h.from <= timeline.today && timeline.today < h.until)
            .map(|h| Hold {
                partner: h.partner,
                from: Date::MIN,
                until: Date::MAX,
            })
            .collect();
        let (posting, fallback) = self.posting_days(timeline, &targets, books.entries())?;
        let on = |period: Period| posting.get(&period).copied().unwrap_or(fallback);
        let deltas =
            ledger::post_to(&mut books, &targets, &on, &holds).map_err(|e| stage("the ledger")(e.to_string()))?;
        self.summary.deltas = deltas
            .iter()
            .map(|d| Delta {
                partner: d.key.partner.to_string(),
                scheme: d.key.scheme.to_string(),
                earning_period: d.key.earning_period,
                booked: d.booked,
                target: d.target,
                delta: d.delta,
            })
            .collect();

        self.rebates(timeline, earned.rebates, books.entries())?;
        let documents = self.settle(timeline, &mut books, &claims)?;
        self.staging.carry("ledger", |_| true)?;
        let added = crate::contracts::conform(
            self.task.config.contract("ledger"),
            ledger::table::to_table(books.added()),
        )
        .map_err(StoreError::Contract)?;
        self.staging.put(self.task.config.contract("ledger"), &added)?;
        Ok(Book {
            targets,
            posting,
            holds,
            earlier: head,
            fallback,
            documents,
        })
    }

    /// Stages `headroom` of the earning periods that are not settled.
    fn headroom(&mut self, timeline: &Timeline, ahead: &mut Table) -> Result<(), PipelineError> {
        let programme = self.task.config.rules.programme();
        let mut open: BTreeMap<String, bool> = BTreeMap::new();
        for period in &timeline.earned {
            open.insert(period.to_string(), !timeline.is_sealed(programme, *period));
        }
        let mut table = Table::with_columns("headroom", ahead.columns().to_vec());
        let rows = ahead.rows.drain(..);
        table
            .rows
            .extend(rows.filter(|row| open.get(&row[2].to_string()).copied().unwrap_or(true)));
        self.put(table)
    }

    /// What was earned to date; the tables it is made from are let go.
    fn earned(
        &mut self,
        timeline: &Timeline,
        freezes: Vec<crate::evaluation::Freeze>,
    ) -> Result<incentives::Incentives, PipelineError> {
        let freezes = freezes
            .into_iter()
            .map(|f| incentives::Freeze {
                partner: f.partner,
                from: f.from,
                until: f.until,
            })
            .collect::<Vec<_>>();
        self.step("measure of sales")?;
        self.sales(timeline, &freezes)?;
        self.step("incentives")?;
        let parts = self.table("measures_parts")?;
        let grades = grade_rows(&self.table("scores")?, &self.table("partner_scores")?, &parts)?;
        let (sales, partners) = (self.table("measures_sales")?, self.table("partners")?);
        let (certifications, domains) = (self.table("effective_certifications")?, self.table("domains")?);
        let inputs = incentives::Inputs {
            earning_periods: &timeline.earned,
            sales: &sales,
            partners: &partners,
            certifications: &certifications,
            domains: &domains,
            fx_rates: &self.table("fx_rates")?,
            grades: &grades,
            freezes: &freezes,
        };
        let earned = incentives::compute(&inputs, &self.task.config.rules)
            .map_err(|e| PipelineError::stage("the incentives")(e.to_string()))?;
        self.summary.findings.extend(earned.findings.iter().cloned());
        for waiting in &earned.waiting {
            self.summary.findings.push(Finding::warning(
                Place::file("sales").column(waiting.partner.as_str()),
                "rebate.waiting",
                format!(
                    "{} lines over {} {} wait in {} {}: {}",
                    waiting.lines,
                    waiting.amount,
                    waiting.currency,
                    waiting.scheme,
                    waiting.earning_period,
                    waiting.reason
                ),
                "deliver what is missing; the next run counts them",
            ));
        }
        Ok(earned)
    }

    /// Where each earning period posts: its own posting period while that is open, else the first open one.
    fn posting_days(
        &self,
        timeline: &Timeline,
        targets: &[ledger::Target],
        book: &[Entry],
    ) -> Result<(BTreeMap<Period, PostingDay>, PostingDay), PipelineError> {
        let programme = self.task.config.rules.programme();
        let day = |period: Period| timeline.posting_day(programme, period);
        let earning: BTreeSet<Period> = targets
            .iter()
            .map(|t| t.earning_period)
            .chain(book.iter().map(|e| e.earning_period))
            .collect();
        let mut out = BTreeMap::new();
        for period in earning {
            let posting = timeline
                .posting_of(programme, period)
                .ok_or_else(|| PipelineError::Stage {
                    what: "posting periods",
                    detail: format!("no posting period is open for {period}: every period up to today is closed"),
                })?;
            let is_final = timeline.is_sealed(programme, period);
            out.insert(
                period,
                PostingDay {
                    is_final,
                    ..day(posting)
                },
            );
        }
        let latest = timeline.posting.last().copied();
        let fallback = latest.map(day).ok_or_else(|| PipelineError::Stage {
            what: "posting periods",
            detail: "the programme's first period has not begun".to_owned(),
        })?;
        Ok((out, fallback))
    }

    /// Stages the rebates under their posting period. Those of closed posting periods are carried; of an earning period
    /// that posts later than its own period only the keys that differ from what its closed periods booked.
    fn rebates(&mut self, timeline: &Timeline, mut rebates: Table, book: &[Entry]) -> Result<(), PipelineError> {
        let programme = self.task.config.rules.programme();
        let sealed_partitions: Vec<String> = timeline.sealed.iter().map(|p| format!("period={p}")).collect();
        self.staging
            .carry("rebates", |partition| sealed_partitions.iter().any(|s| s == partition))?;
        let closed: Vec<Entry> = book
            .iter()
            .filter(|e| timeline.sealed.contains(&e.period))
            .cloned()
            .collect();
        let booked = ledger::balance::booked(&closed).map_err(|e| PipelineError::stage("the ledger")(e.to_string()))?;
        let name = |k: &ledger::Key| {
            [
                k.partner.to_string(),
                k.scheme.to_string(),
                k.earning_period.to_string(),
            ]
        };
        let currencies: BTreeMap<[String; 3], String> =
            booked.keys().map(|k| (name(k), k.currency.to_string())).collect();
        let booked: BTreeMap<[String; 3], Dec> = booked
            .into_iter()
            .map(|(k, m)| {
                (
                    [
                        k.partner.to_string(),
                        k.scheme.to_string(),
                        k.earning_period.to_string(),
                    ],
                    m.dec(),
                )
            })
            .collect();
        let key = |row: &[Value]| [row[0].to_string(), row[1].to_string(), row[2].to_string()];
        let (component, amount) = (rebates.column("component"), rebates.column("booked"));
        // earned and booked by key; what is absent is zero
        let mut earned: BTreeMap<[String; 3], Dec> = BTreeMap::new();
        for row in &rebates.rows {
            let (Some(component), Some(amount)) = (component, amount) else {
                break;
            };
            if let (Value::Text(name), Value::Dec(target)) = (&row[component], &row[amount])
                && name.as_ref() == "earned"
            {
                earned.insert(key(row), *target);
            }
        }
        let unchanged = |key: &[String; 3]| {
            earned.get(key).copied().unwrap_or(Dec::ZERO) == booked.get(key).copied().unwrap_or(Dec::ZERO)
        };
        let mut table = Table::with_columns(
            "rebates",
            rebates.columns().iter().cloned().chain(["period".to_owned()]).collect(),
        );
        let columns = table.columns().to_vec();
        // a key that closed periods booked and that no line earns any more is taken back: it says so
        for (key, _) in booked
            .iter()
            .filter(|(key, booked)| !booked.is_zero() && !earned.contains_key(*key))
        {
            let earning = Period::parse(&key[2]).map_err(|e| PipelineError::Stage {
                what: "table rebates",
                detail: e.to_string(),
            })?;
            let posting = timeline.posting_of(programme, earning).map(|p| p.to_string());
            let currency = currencies.get(key).cloned().unwrap_or_default();
            let value = |column: &String| -> Value {
                match column.as_str() {
                    "partner_id" => key[0].as_str().into(),
                    "scheme" => key[1].as_str().into(),
                    "earning_period" => key[2].as_str().into(),
                    "domain" => "".into(),
                    "component" => "earned".into(),
                    "currency" => currency.as_str().into(),
                    "basis" | "amount" | "booked" => Dec::ZERO.into(),
                    "lines" => Value::Int(0),
                    "reason" => "no line counts any more".into(),
                    "period" => posting.clone().into(),
                    _ => Value::Null,
                }
            };
            table.push(columns.iter().map(value).collect());
        }
        // of each earning period, whether it is sealed, and where it posts
        let mut places: BTreeMap<String, (bool, Value)> = BTreeMap::new();
        table.rows.reserve(rebates.rows.len());
        for mut row in rebates.rows.drain(..) {
            let Value::Text(earning) = &row[2] else { continue };
            if !places.contains_key(earning.as_ref()) {
                let period = Period::parse(earning).map_err(|e| PipelineError::Stage {
                    what: "table rebates",
                    detail: e.to_string(),
                })?;
                let posting = timeline.posting_of(programme, period).map(|p| p.to_string());
                let place = (timeline.is_sealed(programme, period), posting.into());
                places.insert(earning.to_string(), place);
            }
            let Some((sealed, posting)) = places.get(earning.as_ref()) else {
                continue;
            };
            if *sealed && unchanged(&key(&row)) {
                continue;
            }
            row.reserve_exact(1);
            row.push(posting.clone());
            table.push(row);
        }
        self.put(table)
    }

    /// The ledger as it stands in staging, against the invariants.
    pub(super) fn ledger_findings(&self, entries: &[Entry], book: &Book) -> Vec<Finding> {
        let on = |period: Period| book.posting.get(&period).copied().unwrap_or(book.fallback);
        let view = View {
            entries,
            targets: &book.targets,
            posting: &on,
            holds: &book.holds,
            earlier: Some(book.earlier),
            documents: &book.documents,
        };
        ledger::check_all(&view)
    }
}

fn broken(error: &ledger::ChainBroken) -> PipelineError {
    PipelineError::Integrity(vec![Finding::error(
        Place::file("ledger"),
        "chain-intact",
        error.to_string(),
        "nothing was published; delete the warehouse folder and run again: it is rebuilt from landing",
    )])
}

/// Grades as money uses them: those of the score, of the domains and of the cards; with each card its overdue parts, from
/// `measures_parts`.
pub(in crate::pipeline) fn grade_rows(
    scores: &Table,
    cards: &Table,
    parts: &Table,
) -> Result<Vec<GradeRow>, PipelineError> {
    // overdue and due (in the period, and overdue at its start) by partner and period
    let mut overdue: BTreeMap<(&str, &str), (i64, i64)> = BTreeMap::new();
    for row in parts.iter() {
        let sums = overdue
            .entry((row.text("partner_id")?, row.text("period")?))
            .or_default();
        sums.0 = sums.0.saturating_add(row.int("overdue_quantity")?);
        let due = row.int("due_quantity")?.saturating_add(row.int("opening_quantity")?);
        sums.1 = sums.1.saturating_add(due);
    }
    let id = |e: crate::domain::ids::IdError| PipelineError::Stage {
        what: "table scores",
        detail: e.to_string(),
    };
    let mut out = Vec::new();
    for (table, by_domain) in [(scores, true), (cards, false)] {
        for row in table.iter() {
            // the evaluation says of a score that it rests on a silent feed in its reason
            let incomplete = row
                .opt_text("reason")?
                .is_some_and(|reason| reason.starts_with("incomplete"));
            let state = if incomplete { "incomplete" } else { row.text("state")? };
            out.push(GradeRow {
                partner: PartnerId::new(row.text("partner_id")?).map_err(id)?,
                domain: if by_domain {
                    Some(DomainId::new(row.text("domain")?).map_err(id)?)
                } else {
                    None
                },
                period: Period::parse(row.text("period")?).map_err(|e| PipelineError::Stage {
                    what: "table scores",
                    detail: e.to_string(),
                })?,
                state: GradeState::parse(state).ok_or_else(|| PipelineError::Stage {
                    what: "table scores",
                    detail: format!("state '{state}' is none that money knows"),
                })?,
                grade: row.opt_text("score_grade")?.and_then(Grade::parse),
                score: row.opt_dec("final")?,
                overdue_parts: overdue
                    .get(&(row.text("partner_id")?, row.text("period")?))
                    .filter(|_| !by_domain)
                    .and_then(|(overdue, due)| Ratio::new(*overdue, *due)),
            });
        }
    }
    Ok(out)
}
