//! Incentives: what each partner has earned under each scheme, as a cumulative target.
//!
//! Duty: one exact amount per partner × scheme × earning period × settlement currency, rounded once, with the
//! components that lead to it. Not its duty: what is booked already and the difference to post (the ledger), grades
//! and red lines (evaluation), sums over sales lines (measures). It keeps no state between runs: late data, returns
//! and corrections are the same computation over other inputs.
//!
//! | what is derived                    | from what                                        | in which step       |
//! |------------------------------------|--------------------------------------------------|---------------------|
//! | typed lines, partner versions      | `measures_sales`, `partners`                     | `lines`, `partners` |
//! | currency and rule book of a target | version on the last day, book of the first day   | `compute`           |
//! | which lines count, in one currency | scope, date, freezes, payment, exchange rates    | `basis`             |
//! | what each target is made of        | the steps below, term, accrual, what is carried  | `steps`             |
//! | whether the basis earns at all     | gates                                            | `gates`             |
//! | the amount before modifiers        | one rate, stars, bands; targets, growth, units   | `method`, `goals`   |
//! | the amount after them              | factors, caps, floors, as the scheme lists them  | `modifiers`         |
//! | the next band, the room under a cap | rules, basis, steps                              | `headroom`          |
//! | target, rounding residue, rows     | all of the above                                 | `target`            |
//! | who gets it                        | the scheme's weights                             | `beneficiaries`     |
//! | what is claimed, what lapses       | claims and rulings on funds                      | `funds`             |
//! | discounts that were not allowed    | measured sales                                   | `discounts`         |
//! | what became of each line           | the verdicts of `basis`                          | `verdicts`          |

mod banding;
mod basis;
mod beneficiaries;
mod certifications;
mod check;
pub mod discounts;
mod facts;
pub mod funds;
mod fx;
mod gates;
mod goals;
mod grades;
pub mod headroom;
mod lines;
mod method;
mod modifiers;
mod partners;
mod steps;
mod table;
mod target;
mod verdicts;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod conditions;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod shelf;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod worked;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::domain::ids::{DomainId, IdError, PartnerId, RegionId, SchemeId};
use crate::domain::{
    Currency, Date, Dec, Finding, Findings, FiscalCalendar, Grade, Money, Period, Place, Ratio, Table, TableError,
};
use crate::rules::Scheme;

use facts::Facts;
pub use verdicts::{Counted, LineSays, LineVerdict};

/// What a computation reads. Tables have the columns of the feeds and measures they are named after.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The earning periods to compute, of any kind; a scheme takes those of its own kind. All that have ended belong
    /// here, closed ones too: late data changes what they earned.
    pub earning_periods: &'a [Period],
    /// `measures_sales`: sums over sales lines. Returns carry the dates, the product and the payment state of the
    /// line they return.
    pub sales: &'a Table,
    /// Feed `partners`: versions by `valid_from`.
    pub partners: &'a Table,
    /// Feed `certifications`: `[valid_from, valid_to)`.
    pub certifications: &'a Table,
    /// Feed `domains`: `member_of` names the domain that covers it.
    pub domains: &'a Table,
    /// Feed `fx_rates`: one unit of `base` is `rate` units of `quote`.
    pub fx_rates: &'a Table,
    /// Grades by score, of the evaluation periods that end with an earning period; order does not matter.
    pub grades: &'a [GradeRow],
    /// Red-line freezes; order does not matter.
    pub freezes: &'a [Freeze],
}

/// The grade that money uses: the one that follows from the score, not from a red line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GradeRow {
    pub partner: PartnerId,
    /// `None` for the partner's card.
    pub domain: Option<DomainId>,
    /// An evaluation period.
    pub period: Period,
    pub state: GradeState,
    /// There for `rated` and `provisional`.
    pub grade: Option<Grade>,
    /// The published score, as `grade`.
    pub score: Option<Dec>,
    /// Of a card: overdue unreturned parts as a share of those due, in all domains together; none where none was due.
    pub overdue_parts: Option<Ratio>,
}

/// State of a score, as far as money cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradeState {
    Rated,
    Provisional,
    NotRated,
    /// A feed under it was silent.
    Incomplete,
}

impl GradeState {
    /// The state by its name in the score tables.
    #[must_use]
    pub fn parse(text: &str) -> Option<GradeState> {
        Some(match text {
            "rated" => GradeState::Rated,
            "provisional" => GradeState::Provisional,
            "not_rated" => GradeState::NotRated,
            "incomplete" => GradeState::Incomplete,
            _ => return None,
        })
    }
}

/// Lines a partner ordered from `from` to before `until` neither earn nor count towards a band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    pub partner: PartnerId,
    pub from: Date,
    /// Exclusive.
    pub until: Date,
}

pub use crate::rules::Books;

/// What has been earned to date on one key. Unique by partner, scheme, earning period and currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub partner: PartnerId,
    pub scheme: SchemeId,
    pub earning_period: Period,
    /// Of a fund: what is set aside; never below zero.
    pub amount: Money,
    /// Of a fund: the last day on which it can be claimed on.
    pub claims_until_on: Option<Date>,
}

/// Lines that will count once something is there that is missing now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub partner: PartnerId,
    pub scheme: SchemeId,
    pub earning_period: Period,
    /// Currency of the lines, as delivered.
    pub currency: String,
    /// Their net or list amount (as the scheme counts) in that currency, to 4 decimals.
    pub amount: Dec,
    pub lines: i64,
    pub reason: String,
}

/// The result: rows to publish, targets to post.
#[derive(Clone, Debug)]
pub struct Incentives {
    /// Table `rebates` without its posting period. Key: partner_id, scheme, earning_period, domain, component;
    /// sorted by it. The amounts of a target's other components add up to that of its component `earned`.
    pub rebates: Table,
    /// Table `headroom`: what lies ahead of each target. Key: partner_id, scheme, earning_period, currency, kind; sorted.
    pub headroom: Table,
    /// Sorted by partner, scheme, earning period, currency.
    pub targets: Vec<Target>,
    /// Sorted like the targets.
    pub waiting: Vec<Waiting>,
    /// Sorted, none twice.
    pub findings: Findings,
}

/// Why nothing could be computed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IncentiveError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("table {table}, column {column}: '{value}' {source}")]
    Id {
        table: &'static str,
        column: &'static str,
        value: String,
        source: IdError,
    },
    #[error("feed fx_rates has two rates {base}→{quote} for {date}; its key is base, quote, date")]
    TwoRates { base: String, quote: String, date: Date },
    /// All problems with rules and amounts, one a line.
    #[error("{}", .0.join("\n"))]
    Problems(Vec<String>),
}

/// Computes every target of the earning periods.
///
/// A target's currency and region are those of the partner version valid on the last day of its earning period, its
/// rule book is that of the period's first day. A key on which no line counts has no target.
pub fn compute(inputs: &Inputs<'_>, books: &dyn Books) -> Result<Incentives, IncentiveError> {
    let facts = Facts::read(inputs, books.programme().evaluation_period)?;
    let periods: BTreeSet<Period> = inputs.earning_periods.iter().copied().collect();
    let partners: BTreeSet<&str> = facts.lines.keys().copied().chain(facts.partners.ids()).collect();
    let partners: Vec<&str> = partners.into_iter().collect();
    // partners do not depend on each other; what comes out is sorted, so that the number of threads does not show
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = partners.len().div_ceil(threads).max(SMALLEST_SHARE);
    let (facts, periods) = (&facts, &periods);
    let runs: Vec<Result<Run<'_>, IncentiveError>> = std::thread::scope(|scope| {
        let started: Vec<_> = partners
            .chunks(share)
            .map(|partners| scope.spawn(move || Run::over(facts, books, partners, periods)))
            .collect();
        let done = started.into_iter().map(std::thread::ScopedJoinHandle::join);
        done.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut whole = Run::new(facts, books);
    for run in runs {
        whole.join(run?);
    }
    whole.finish()
}

/// What a target makes of the partner's lines, and the rows of `rebates` that follow from them. `inputs` has the lines of that
/// partner alone; what it gets of other partners is not in the rows. `None` where the scheme is not computed for it.
pub fn verdicts(
    inputs: &Inputs<'_>,
    books: &dyn Books,
    (partner, scheme, period): (&PartnerId, &SchemeId, Period),
) -> Result<Option<(Table, Vec<LineVerdict>)>, IncentiveError> {
    let facts = Facts::read(inputs, books.programme().evaluation_period)?;
    let mut run = Run::new(&facts, books);
    run.watched = Some((scheme, None));
    let lines = facts.lines.get(partner.as_str()).map_or(&[][..], Vec::as_slice);
    run.partner_period(partner.as_str(), lines, period, &mut Carried::new())?;
    let Some((_, Some(verdicts))) = run.watched.take() else {
        return Ok(None);
    };
    Ok(Some((run.finish()?.rebates, verdicts)))
}

/// Fewer partners than these are not worth a thread.
const SMALLEST_SHARE: usize = 64;

/// What a partner's earlier earning periods did not pay out, by scheme and currency.
type Carried<'a> = BTreeMap<(&'a str, Currency), Ratio>;

/// What is being collected.
struct Run<'a> {
    facts: &'a Facts<'a>,
    books: &'a dyn Books,
    calendar: FiscalCalendar,
    /// Schemes by region and first day; those that cannot be computed are left out and reported.
    found: BTreeMap<(RegionId, Date), Vec<&'a Scheme>>,
    output: target::Output,
    findings: BTreeSet<Finding>,
    problems: BTreeSet<String>,
    /// The scheme whose lines are asked for, and what is made of them.
    watched: Option<(&'a SchemeId, Option<Vec<LineVerdict>>)>,
}

impl<'a> Run<'a> {
    fn new(facts: &'a Facts<'a>, books: &'a dyn Books) -> Run<'a> {
        Run {
            facts,
            books,
            calendar: books.programme().calendar,
            found: BTreeMap::new(),
            output: target::Output::default(),
            findings: facts.findings.iter().cloned().collect(),
            problems: BTreeSet::new(),
            watched: None,
        }
    }

    /// Computes some partners.
    fn over(
        facts: &'a Facts<'a>,
        books: &'a dyn Books,
        partners: &[&'a str],
        periods: &BTreeSet<Period>,
    ) -> Result<Run<'a>, IncentiveError> {
        let mut run = Run::new(facts, books);
        for partner in partners {
            let lines = facts.lines.get(partner).map_or(&[][..], Vec::as_slice);
            // what is carried goes from one earning period to the next
            let mut carried = Carried::new();
            for period in periods {
                run.partner_period(partner, lines, *period, &mut carried)?;
            }
        }
        Ok(run)
    }

    /// Takes over what was collected of other partners.
    fn join(&mut self, other: Run<'a>) {
        self.output.join(other.output);
        self.findings.extend(other.findings);
        self.problems.extend(other.problems);
    }

    /// The schemes of a region's book on a day.
    fn schemes(&mut self, region: RegionId, on: Date) -> Vec<&'a Scheme> {
        if let Some(found) = self.found.get(&(region.clone(), on)) {
            return found.clone();
        }
        let mut schemes = Vec::new();
        match self.books.book(&region, on) {
            Ok(book) => {
                self.problems.extend(check::stacks(book.schemes.values()));
                for scheme in book.schemes.values() {
                    let problems = check::scheme(scheme);
                    if problems.is_empty() {
                        schemes.push(scheme);
                    }
                    self.problems.extend(problems);
                }
            }
            Err(message) => {
                self.problems.insert(message);
            }
        }
        // those of a stack come one after the other
        schemes.sort_by_key(|s| s.stacking.as_ref().map_or(("", 0), |k| (k.group.as_str(), k.order)));
        self.found.insert((region, on), schemes.clone());
        schemes
    }

    fn partner_period(
        &mut self,
        partner: &'a str,
        lines: &'a [lines::Line<'a>],
        period: Period,
        carried: &mut Carried<'a>,
    ) -> Result<(), IncentiveError> {
        let first = self.calendar.first_day(period);
        let end = self.calendar.end_day(period);
        let has_lines = lines.iter().any(|l| l.falls_in(first, end));
        let last = self.calendar.last_day(period);
        let Some(version) = self.facts.partners.on(partner, last) else {
            if !has_lines {
                return Ok(());
            }
            self.findings.insert(Finding::warning(
                Place::file("partners"),
                "no-partner-version",
                format!("partner {partner} has sales in {period} and no version valid on {last}: they earn nothing"),
                format!("deliver a version with valid_from on or before {last}; the next run counts the sales"),
            ));
            return Ok(());
        };
        let region = RegionId::new(version.region).map_err(|source| IncentiveError::Id {
            table: "partners",
            column: "region",
            value: version.region.to_owned(),
            source,
        })?;
        let Some(currency) = version.currency else {
            return Ok(());
        };
        // whom nothing is due is not asked for rules
        if !has_lines && self.books.book(&region, first).is_err() {
            return Ok(());
        }
        let schemes = self.schemes(region, first);
        let mut stacks: BTreeMap<&str, basis::Reductions> = BTreeMap::new();
        for scheme in schemes.into_iter().filter(|s| s.earning_period == period.kind()) {
            let calendar = self.calendar;
            let term = scheme.cumulative_over.and_then(|kind| calendar.period_of(last, kind));
            let from = term.map_or(first, |term| calendar.first_day(term));
            if !lines.iter().any(|l| l.falls_in(from, end)) && !steps::needs_no_lines(scheme) {
                continue;
            }
            let stack = scheme.stacking.as_ref();
            let reductions = stack
                .filter(|s| s.net_of_earlier)
                .and_then(|s| stacks.get(s.group.as_str()));
            let case = target::Case {
                facts: self.facts,
                partner,
                scheme,
                period,
                first,
                end,
                from,
                is_final: term.is_none_or(|term| calendar.end_day(term) == end),
                lines,
                reductions,
                currency,
                calendar,
            };
            if let Some((_, told)) = self.watched.as_mut().filter(|(id, _)| **id == scheme.id) {
                *told = Some(verdicts::of(&case));
            }
            let carried = carried
                .entry((scheme.id.as_str(), currency))
                .or_insert_with(Ratio::zero);
            match case.run(carried, &mut self.output) {
                Ok(done) => {
                    if let Some(stack) = stack.filter(|s| s.reduces_others) {
                        steps::reduce(stacks.entry(&stack.group).or_default(), &done);
                    }
                    self.findings.extend(done.findings);
                }
                Err(problems) => self.problems.extend(problems),
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Incentives, IncentiveError> {
        if !self.problems.is_empty() {
            return Err(IncentiveError::Problems(self.problems.into_iter().collect()));
        }
        let finished = self.output.finish(self.findings.into_iter().collect());
        finished.map_err(|problem| IncentiveError::Problems(vec![problem]))
    }
}
