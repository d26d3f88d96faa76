//! Whether a source delivers: silence and volume, told from the business dates of its current rows.
//!
//! Duty: the state of one source of one feed in each period, with the day from which it holds. Must not: know when a
//! file arrived (no clock decides a result), which feed it is, and what rests on it.
//!
//! What is expected on a day, by the contract: rows of all days up to `within_days` before it. A source begins with
//! the first row of the first period that has a tenth of the rows of its largest one: the few rows of earlier days that
//! a first delivery brings along are no beginning. From then on it is silent in a period
//!
//! * that lies in a stretch of expected days without a row, where a delivery is due at least that often;
//! * one of whose calendar months does, where a delivery is due at least monthly;
//! * in which such a stretch grows over `every_days`, or has more than `every_days` days.
//!
//! It is thin in a period of which all rows are expected when there are fewer than `share` of the median of its last
//! periods, up to [`HISTORY`] and at least [`LEAST_HISTORY`], and that median is `minimum_rows` or more. Periods that
//! were silent, and the first one if it began late in it, say nothing of the volume and are no part of the median. Of
//! two values in the middle the lower one is the median.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike as _, Months};

use crate::domain::time::{add_days, sub_days};
use crate::domain::{Date, Dec, Period};

/// Most periods that a volume is compared with: two years of quarters, so that old volumes are forgotten.
pub const HISTORY: usize = 8;
/// Fewest: the median of two is either one's chance.
pub const LEAST_HISTORY: usize = 3;
/// The part of its largest period with which a source begins, as a divisor.
const BEGINNING: i64 = 10;
/// Days of the shortest and the longest calendar month.
const MONTH: (u32, u32) = (28, 31);

/// Current rows by business date.
pub type Days = BTreeMap<Date, i64>;

/// What the contract promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// A delivery is expected at least every so many days.
    pub every_days: u32,
    /// A row is expected within so many days of its date.
    pub within_days: u32,
    /// Share of the median below which a volume is thin, 0…1.
    pub share: Dec,
    /// Median below which no volume is thin.
    pub minimum_rows: i64,
}

/// A period and its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub period: Period,
    pub first: Date,
    /// Exclusive.
    pub end: Date,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    OnTime,
    Silent,
    Thin,
    /// Not all rows are expected yet, and there is no silence so far.
    Early,
    /// The source had not begun.
    NotExpected,
}

impl State {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::OnTime => "on_time",
            State::Silent => "silent",
            State::Thin => "thin",
            State::Early => "early",
            State::NotExpected => "not_expected",
        }
    }

    /// Whether what rests on the rows of the period cannot be trusted.
    #[must_use]
    pub fn is_incomplete(self) -> bool {
        matches!(self, State::Silent | State::Thin)
    }
}

/// What is to be said of a source in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub period: Period,
    pub rows: i64,
    /// What the rows are compared with, where there is enough history.
    pub median: Option<i64>,
    pub state: State,
    /// The day from which the state holds; while it is early, the day on which it is judged if nothing comes.
    pub deadline: Date,
    pub reason: Option<String>,
}

/// Judges a source in each of some adjacent periods, oldest first; `today` is the day of the run.
#[must_use]
pub fn judge(terms: &Terms, days: &Days, spans: &[Span], today: Date) -> Vec<Judgement> {
    let source = Source::of(terms, days, spans);
    // rows of the days before the horizon are expected
    let horizon = sub_days(today, terms.within_days);
    let mut volumes: Vec<i64> = Vec::new();
    let mut out = Vec::new();
    for span in spans {
        let rows = rows_in(days, span);
        let median = source.median(&volumes);
        let (state, reason) = source.state(span, horizon, rows, median, volumes.len());
        if source.tells_of_volume(span) && horizon >= span.end && state != State::Silent {
            volumes.push(rows);
        }
        out.push(Judgement {
            period: span.period,
            rows,
            median,
            state,
            deadline: source.deadline(span, horizon, state),
            reason,
        });
    }
    out
}

fn rows_in(days: &Days, span: &Span) -> i64 {
    days.range(span.first..span.end).map(|(_, rows)| rows).sum()
}

/// Adjacent days without a row, from the first one to before `until`; the last stretch goes on for ever.
#[derive(Clone, Copy)]
struct Stretch {
    from: Date,
    until: Date,
}

struct Source<'a> {
    terms: &'a Terms,
    begin: Option<Date>,
    /// Those that are over the frequency or may hold a month, oldest first.
    stretches: Vec<Stretch>,
}

impl<'a> Source<'a> {
    fn of(terms: &'a Terms, days: &Days, spans: &[Span]) -> Source<'a> {
        let largest = spans.iter().map(|span| rows_in(days, span)).max().unwrap_or(0);
        let begins = |span: &&Span| {
            let rows = rows_in(days, span);
            rows > 0 && rows.saturating_mul(BEGINNING) >= largest
        };
        let begin = spans
            .iter()
            .find(begins)
            .and_then(|span| days.range(span.first..span.end).next())
            .map(|(day, _)| *day);
        let mut stretches = Vec::new();
        let mut known = begin.map(|begin| days.range(begin..).map(|(day, _)| *day).peekable());
        while let Some(day) = known.as_mut().and_then(Iterator::next) {
            let next = known.as_mut().and_then(|k| k.peek().copied()).unwrap_or(Date::MAX);
            let from = add_days(day, 1);
            if length(from, next) > i64::from(terms.every_days.min(MONTH.0 - 1)) {
                stretches.push(Stretch { from, until: next });
            }
        }
        Source {
            terms,
            begin,
            stretches,
        }
    }

    /// The median of the last volumes, if there are enough of them.
    fn median(&self, volumes: &[i64]) -> Option<i64> {
        if volumes.len() < LEAST_HISTORY || self.begin.is_none() {
            return None;
        }
        let mut last = volumes[volumes.len().saturating_sub(HISTORY)..].to_vec();
        last.sort_unstable();
        Some(last[(last.len() - 1) / 2])
    }

    /// Whether the volume of a whole period can be told: the source had begun, or began early in it.
    fn tells_of_volume(&self, span: &Span) -> bool {
        self.begin
            .is_some_and(|begin| begin < span.end && length(span.first, begin) <= i64::from(self.terms.every_days))
    }

    fn state(
        &self,
        span: &Span,
        horizon: Date,
        rows: i64,
        median: Option<i64>,
        history: usize,
    ) -> (State, Option<String>) {
        let Some(begin) = self.begin else {
            return (State::NotExpected, Some("nothing was delivered so far".to_owned()));
        };
        if span.end <= begin {
            return (State::NotExpected, Some(format!("the source begins on {begin}")));
        }
        if let Some(silence) = self.silence(span, horizon) {
            let last = sub_days(silence.until, 1);
            let every = self.terms.every_days;
            let reason = format!(
                "no row from {} to {last}; a delivery is expected at least every {every} days",
                silence.from
            );
            return (State::Silent, Some(reason));
        }
        if horizon < span.end {
            return (State::Early, None);
        }
        match median {
            Some(median) if self.is_thin(rows, median) => {
                let share = self.terms.share;
                let periods = history.min(HISTORY);
                let reason =
                    format!("{rows} rows, less than {share} of {median}, the median of the {periods} periods before");
                (State::Thin, Some(reason))
            }
            _ => (State::OnTime, None),
        }
    }

    fn is_thin(&self, rows: i64, median: i64) -> bool {
        let share = self.terms.share;
        median >= self.terms.minimum_rows && Dec::from(rows).ratio() < &share.ratio() * &Dec::from(median).ratio()
    }

    /// The stretch, cut at the horizon, that makes the source silent in a period.
    fn silence(&self, span: &Span, horizon: Date) -> Option<Stretch> {
        let every = i64::from(self.terms.every_days);
        self.stretches.iter().find_map(|stretch| {
            let cut = Stretch {
                from: stretch.from,
                until: stretch.until.min(horizon),
            };
            let from = cut.from.max(span.first);
            let until = cut.until.min(span.end);
            let too_long = add_days(cut.from, self.terms.every_days);
            let grows = (span.first..span.end).contains(&too_long) && too_long < cut.until;
            let whole = |first: Date, end: Date| from <= first && end <= until;
            let a_month = self.terms.every_days <= MONTH.1 && months(span).any(|(first, end)| whole(first, end));
            let months = span.period.kind().months();
            let all = self.terms.every_days <= MONTH.1 * months && whole(span.first, span.end);
            (grows || length(from, until) > every || a_month || all).then_some(cut)
        })
    }

    /// The first horizon on which the state would be another than early, as the day of a run.
    fn deadline(&self, span: &Span, horizon: Date, state: State) -> Date {
        let day = |horizon: Date| add_days(horizon, self.terms.within_days);
        if matches!(state, State::OnTime | State::Thin | State::NotExpected) {
            return day(span.end);
        }
        let every = self.terms.every_days;
        let mut horizons: BTreeSet<Date> = months(span).map(|(_, end)| end).collect();
        horizons.insert(span.end);
        horizons.insert(add_days(span.first, every.saturating_add(1)));
        horizons.extend(self.stretches.iter().map(|s| add_days(s.from, every.saturating_add(1))));
        let decided = |at: &Date| match state {
            State::Silent => self.silence(span, *at).is_some(),
            _ => *at > horizon && (*at >= span.end || self.silence(span, *at).is_some()),
        };
        day(horizons.into_iter().find(decided).unwrap_or(span.end))
    }
}

/// Days from one to before another; negative when it is later.
fn length(from: Date, until: Date) -> i64 {
    (until - from).num_days()
}

/// Calendar months that lie in a period as a whole, with their ends (exclusive).
fn months(span: &Span) -> impl Iterator<Item = (Date, Date)> {
    let end = span.end;
    let next = |first: Date| first.checked_add_months(Months::new(1));
    let first = span.first.with_day(1).filter(|day| *day == span.first);
    let first = first.or_else(|| span.first.with_day(1).and_then(next));
    std::iter::successors(first, move |day| next(*day))
        .filter_map(move |first| Some((first, next(first)?)))
        .take_while(move |(_, month_end)| *month_end <= end)
}

#[cfg(test)]
#[path = "freshness_tests.rs"]
mod tests;
