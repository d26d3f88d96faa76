//! Which periods are computed, closed or still open.
//!
//! Duty: the periods in order, and the first period not closed from one on. Not its duty: which days they have.

use std::collections::BTreeSet;

use super::fields::{Read, each};
use super::inputs::{EvaluationError, Inputs};
use crate::domain::Period;
use crate::rules::ProgrammeRules;

#[derive(Clone, Debug)]
pub struct Timeline {
    /// To compute, oldest first.
    pub periods: BTreeSet<Period>,
    /// The first of the programme: no rules are asked for before it.
    pub first: Period,
    last_sealed: Option<Period>,
}

impl Timeline {
    pub fn read(inputs: &Inputs, programme: &ProgrammeRules) -> Read<Timeline> {
        let first = Period::parse(&programme.first_period);
        let first = first.map_err(|error| EvaluationError::FirstPeriod(error.to_string()))?;
        let mut last_sealed: Option<Period> = None;
        for table in [
            &inputs.sealed_scores,
            &inputs.sealed_partner_scores,
            &inputs.sealed_metrics,
        ] {
            each(table, |row| {
                last_sealed = last_sealed.max(Some(row.period()?));
                Ok(())
            })?;
        }
        Ok(Timeline {
            periods: inputs.periods.iter().copied().collect(),
            first,
            last_sealed,
        })
    }

    /// The period itself, or where it is closed the first after it that is not. Periods before the programme began
    /// are never closed and never computed.
    #[must_use]
    pub fn open_from(&self, period: Period) -> Period {
        let mut open = period;
        while self.is_closed(open) {
            open = open.next();
        }
        open
    }

    /// Ended periods are either computed or closed.
    fn is_closed(&self, period: Period) -> bool {
        let last = self.last_sealed.max(self.periods.last().copied());
        period.kind() == self.first.kind()
            && period >= self.first
            && Some(period) <= last
            && !self.periods.contains(&period)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_decisions_move_to_the_first_open_period() {
        let p = |t: &str| Period::parse(t).unwrap();
        let line = |periods: &[&str], sealed: Option<&str>| Timeline {
            periods: periods.iter().map(|t| p(t)).collect(),
            first: p("2025-Q4"),
            last_sealed: sealed.map(&p),
        };
        let some_open = line(&["2026-Q2", "2026-Q3"], Some("2026-Q1"));
        assert_eq!(some_open.open_from(p("2025-Q4")), p("2026-Q2"));
        assert_eq!(some_open.open_from(p("2026-Q3")), p("2026-Q3"));
        assert_eq!(some_open.open_from(p("2026-Q4")), p("2026-Q4"));
        assert_eq!(some_open.open_from(p("2025-Q3")), p("2025-Q3"));
        let all_closed = line(&[], Some("2026-Q1"));
        assert_eq!(all_closed.open_from(p("2026-Q1")), p("2026-Q2"));
        let none_closed = line(&["2025-Q4", "2026-Q1"], None);
        assert_eq!(none_closed.open_from(p("2025-Q4")), p("2025-Q4"));
    }
}
