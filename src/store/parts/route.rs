//! Which part a row goes into.
//!
//! Duty: rows by the month of their business date; when a part begins and when it is complete, from numbers of rows
//! alone, so that the same rows always come to the same parts. Not its duty: writing them.

use std::collections::{BTreeMap, BTreeSet};

use crate::contracts::Contract;
use crate::domain::Batch;
use crate::domain::batch::{self, Cells, Column};

/// Rows that are encoded together. The same rows give the same bytes in whatever batches they came, as a part is always
/// made of pieces of this size.
pub(super) const CHUNK_ROWS: usize = 2_048;

/// Rows of a part at most: bounds what one removed row costs.
pub(super) const PART_ROWS: u32 = 1 << 20;

/// Parts that are encoded at the same time: eight years of months. Each takes about seven megabytes.
const MOST_OPEN: usize = 96;

/// Chunks after which a part that got none of them is completed: a file in the order of its dates does not come back to
/// a month, and what is complete takes no memory.
const IDLE_CHUNKS: u64 = 256;

/// Where a row was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowPlace {
    /// Number of the part among those of the writer.
    pub part: u32,
    pub row: u32,
}

/// Rows of a batch that go into one part, in their order; `None`: all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) part: u32,
    pub(super) rows: Option<Vec<u32>>,
}

/// What becomes of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Routes {
    /// Partitions of the parts that begin, in the order of their numbers.
    pub(super) begun: Vec<String>,
    pub(super) taken: Vec<Route>,
    /// Parts that are complete with this batch.
    pub(super) closed: Vec<u32>,
}

struct Part {
    month: i32,
    rows: u32,
    /// When a chunk of it was complete last; 0: none was.
    used: u64,
}

/// Routes the rows of one table in one run.
pub(super) struct Router {
    /// Column of the partition by name, column of the date by number.
    partition: Option<(String, Option<usize>)>,
    parts: Vec<Part>,
    /// The part that takes rows of a month.
    current: BTreeMap<i32, u32>,
    /// Parts that have complete chunks, by their last use.
    encoding: BTreeSet<(u64, u32)>,
    used: u64,
    pub(super) most_open: usize,
    pub(super) part_rows: u32,
    pub(super) idle_chunks: u64,
}

/// The partition of rows without a business date.
const NO_MONTH: i32 = i32::MIN;

impl Router {
    pub(super) fn new(contract: &Contract) -> Router {
        Router {
            partition: contract
                .partition
                .map(|i| (contract.columns[i].name.clone(), contract.business_date)),
            parts: Vec::new(),
            current: BTreeMap::new(),
            encoding: BTreeSet::new(),
            used: 0,
            most_open: MOST_OPEN,
            part_rows: PART_ROWS,
            idle_chunks: IDLE_CHUNKS,
        }
    }

    /// Routes a batch without the rows of `skip` (ascending); the places are those of the other rows, in their order.
    pub(super) fn route(&mut self, batch: &Batch, skip: &[u32]) -> (Vec<RowPlace>, Routes) {
        let months = self.months(batch);
        let mut out = Routes::default();
        let mut places = Vec::with_capacity(batch.rows() - skip.len());
        let mut skip = skip.iter().copied().peekable();
        let mut at: BTreeMap<u32, usize> = BTreeMap::new();
        let mut last: Option<(i32, u32, usize)> = None;
        for row in 0..u32::try_from(batch.rows()).unwrap_or(u32::MAX) {
            if skip.next_if_eq(&row).is_some() {
                continue;
            }
            let month = months.get(row as usize).copied().unwrap_or(NO_MONTH);
            let (part, route) = match last {
                Some((same, part, route)) if same == month => (part, route),
                _ => {
                    let part = self.part_of(month, &mut out.begun);
                    let route = *at.entry(part).or_insert_with(|| {
                        out.taken.push(Route {
                            part,
                            rows: Some(Vec::new()),
                        });
                        out.taken.len() - 1
                    });
                    (part, route)
                }
            };
            places.push(RowPlace {
                part,
                row: self.parts[part as usize].rows,
            });
            out.taken[route].rows.get_or_insert_default().push(row);
            last = Some((month, part, route));
            let before = self.used;
            if self.add_row(part) {
                self.close(part, &mut out.closed);
                last = None;
            }
            if self.used > before
                && let Some((used, idle)) = self.encoding.first().copied()
                && used + self.idle_chunks < self.used
            {
                self.close(idle, &mut out.closed);
            }
        }
        while self.encoding.len() > self.most_open {
            if let Some((_, part)) = self.encoding.first().copied() {
                self.close(part, &mut out.closed);
            }
        }
        if let [only] = &mut out.taken[..]
            && places.len() == batch.rows()
        {
            only.rows = None;
        }
        (places, out)
    }

    /// The part that takes rows of a month; begins one where there is none.
    fn part_of(&mut self, month: i32, begun: &mut Vec<String>) -> u32 {
        if let Some(part) = self.current.get(&month) {
            return *part;
        }
        let part = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        self.parts.push(Part {
            month,
            rows: 0,
            used: 0,
        });
        self.current.insert(month, part);
        begun.push(match &self.partition {
            None => String::new(),
            Some((column, _)) if month == NO_MONTH => format!("{column}=none"),
            Some((column, _)) => {
                format!("{column}={:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
            }
        });
        part
    }

    /// Counts a row; `true`: the part is full.
    fn add_row(&mut self, number: u32) -> bool {
        let part = &mut self.parts[number as usize];
        part.rows += 1;
        if (part.rows as usize).is_multiple_of(CHUNK_ROWS) {
            self.encoding.remove(&(part.used, number));
            self.used += 1;
            part.used = self.used;
            self.encoding.insert((part.used, number));
        }
        part.rows >= self.part_rows
    }

    fn close(&mut self, number: u32, closed: &mut Vec<u32>) {
        let part = &self.parts[number as usize];
        self.encoding.remove(&(part.used, number));
        self.current.remove(&part.month);
        closed.push(number);
    }

    /// By row the month as years times twelve and months; empty: all rows have the same.
    fn months(&self, rows: &Batch) -> Vec<i32> {
        let Some((_, Some(date))) = self.partition else {
            return Vec::new();
        };
        let column = &rows.columns[date];
        let mut last = (i32::MIN, NO_MONTH);
        let month = |row: usize| {
            let Some(day) = day_of(column, row) else {
                return NO_MONTH;
            };
            if last.0 != day {
                last = (day, month_of(day));
            }
            last.1
        };
        (0..rows.rows()).map(month).collect()
    }
}

/// The day of a date, or that of an instant in UTC.
fn day_of(column: &Column, row: usize) -> Option<i32> {
    if !column.validity.is_valid(row) {
        return None;
    }
    match &column.cells {
        Cells::Date(days) => Some(days[row]),
        Cells::Instant(micros) => i32::try_from(micros[row].div_euclid(86_400_000_000)).ok(),
        _ => None,
    }
}

/// Years times twelve and months of a day.
fn month_of(day: i32) -> i32 {
    use chrono::Datelike;
    let date = batch::date(day);
    date.year() * 12 + i32::try_from(date.month0()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{self, day};
    use super::*;

    fn rows(days: &[Option<&str>]) -> Batch {
        let rows: Vec<(String, Option<&str>)> = days.iter().enumerate().map(|(i, d)| (i.to_string(), *d)).collect();
        fixture::facts(&rows.iter().map(|(id, d)| (id.as_str(), *d, "1.00")).collect::<Vec<_>>())
    }

    #[test]
    fn rows_go_by_the_month_of_their_date() {
        let mut router = Router::new(&fixture::contract());
        let (places, routes) = router.route(
            &rows(&[Some("2026-07-31"), Some("2026-08-01"), None, Some("2026-07-01")]),
            &[],
        );
        assert_eq!(routes.begun, ["month=2026-07", "month=2026-08", "month=none"]);
        let of = |p: &RowPlace| (p.part, p.row);
        assert_eq!(
            places.iter().map(of).collect::<Vec<_>>(),
            [(0, 0), (1, 0), (2, 0), (0, 1)]
        );
        assert_eq!(
            routes.taken[0],
            Route {
                part: 0,
                rows: Some(vec![0, 3])
            }
        );
        let (places, routes) = router.route(&rows(&[Some("2026-08-09"); 3]), &[]);
        assert_eq!(
            (routes.begun.len(), &routes.taken[..]),
            (0, &[Route { part: 1, rows: None }][..])
        );
        assert_eq!(places[2], RowPlace { part: 1, row: 3 });
        let (places, routes) = router.route(&rows(&[Some("2026-08-09"); 3]), &[1]);
        assert_eq!(routes.taken[0].rows, Some(vec![0, 2]));
        assert_eq!(places.iter().map(of).collect::<Vec<_>>(), [(1, 4), (1, 5)]);
    }

    #[test]
    fn an_instant_has_its_month_in_utc() {
        let column = |micros: i64| Column {
            cells: Cells::Instant(vec![micros]),
            ..Column::new(crate::domain::CellKind::Instant)
        };
        let midnight = i64::from(day("2026-08-01")) * 86_400_000_000;
        assert_eq!(day_of(&column(midnight), 0), Some(day("2026-08-01")));
        assert_eq!(day_of(&column(midnight - 1), 0), Some(day("2026-07-31")));
        assert_eq!(day_of(&column(-1), 0), Some(-1));
        assert_eq!(month_of(day("2026-07-31")), 2026 * 12 + 6);
        assert_eq!(month_of(-1), 1969 * 12 + 11);
    }

    #[test]
    fn a_full_part_is_followed_by_another() {
        let mut router = Router::new(&fixture::contract());
        router.part_rows = 3;
        router.route(&rows(&[Some("2026-07-31")]), &[]);
        let (places, routes) = router.route(&rows(&[Some("2026-07-01"); 5]), &[]);
        assert_eq!(routes.closed, [0, 1]);
        assert_eq!(routes.begun, ["month=2026-07"]);
        let of = |p: &RowPlace| (p.part, p.row);
        let expected = [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2)];
        assert_eq!(places.iter().map(of).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_part_that_gets_nothing_for_long_is_completed() {
        let mut router = Router::new(&fixture::contract());
        router.idle_chunks = 2;
        router.route(&rows(&vec![Some("2026-01-01"); CHUNK_ROWS + 1]), &[]);
        let (_, routes) = router.route(&rows(&vec![Some("2026-02-01"); 2 * CHUNK_ROWS]), &[]);
        assert!(routes.closed.is_empty());
        let (places, routes) = router.route(
            &rows(&[&vec![Some("2026-02-01"); CHUNK_ROWS][..], &[Some("2026-01-31")]].concat()),
            &[],
        );
        assert_eq!(routes.closed, [0]);
        assert_eq!(places.last(), Some(&RowPlace { part: 2, row: 0 }));
    }

    #[test]
    fn of_too_many_parts_the_one_used_longest_ago_is_completed() {
        let mut router = Router::new(&fixture::contract());
        router.most_open = 2;
        let month = |m: &'static str, count: usize| rows(&vec![Some(m); count]);
        // a part without a complete chunk is only rows in memory: it does not count
        let mut closed = Vec::new();
        for (month, count) in [
            (month("2026-01-01", CHUNK_ROWS), 0),
            (month("2026-02-01", CHUNK_ROWS - 1), 0),
            (month("2026-03-01", CHUNK_ROWS), 0),
            (month("2026-01-01", CHUNK_ROWS), 0),
            (month("2026-02-01", 1), 1),
        ] {
            let (_, routes) = router.route(&month, &[]);
            closed.extend(routes.closed.clone());
            assert_eq!(routes.closed.len(), count);
        }
        assert_eq!(closed, [2], "that of March");
        let (places, routes) = router.route(&month("2026-03-01", 1), &[]);
        assert_eq!(
            (places[0], &routes.begun[..]),
            (RowPlace { part: 3, row: 0 }, &["month=2026-03".to_owned()][..])
        );
    }
}
