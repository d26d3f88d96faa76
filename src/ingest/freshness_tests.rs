//! Rows in, states out: quarters of one source by a monthly or a quarterly promise.

use super::*;
use crate::domain::FiscalCalendar;
use crate::domain::time::parse_date;

fn date(text: &str) -> Date {
    parse_date(text).unwrap()
}

/// The quarters from 2025-Q4 on.
fn quarters(n: i64) -> Vec<Span> {
    let calendar = FiscalCalendar::CALENDAR_YEAR;
    let first = Period::parse("2025-Q4").unwrap();
    (0..n)
        .map(|i| first.plus(i))
        .map(|period| Span {
            period,
            first: calendar.first_day(period),
            end: calendar.end_day(period),
        })
        .collect()
}

/// A delivery at least every 31 days, rows within 45 days of their date.
fn monthly() -> Terms {
    Terms {
        every_days: 31,
        within_days: 45,
        share: Dec::new(5, 1),
        minimum_rows: 20,
    }
}

/// So many rows on every day of some stretches, both ends inclusive.
fn rows(stretches: &[(&str, &str, i64)]) -> Days {
    let mut days = Days::new();
    for (from, to, n) in stretches {
        for day in date(from).iter_days().take_while(|day| *day <= date(to)) {
            days.insert(day, *n);
        }
    }
    days
}

/// States of the quarters up to 2026-Q4.
fn states(terms: &Terms, days: &Days, today: &str) -> Vec<&'static str> {
    let judged = judge(terms, days, &quarters(5), date(today));
    judged.iter().map(|j| j.state.as_str()).collect()
}

#[test]
fn silence() {
    let quarterly = Terms {
        every_days: 93,
        ..monthly()
    };
    let until = |last: &str| rows(&[("2025-10-01", last, 1)]);
    let without = |gap: (&str, &str)| rows(&[("2025-10-01", gap.0, 1), (gap.1, "2026-12-31", 1)]);
    let cases: &[(&str, Terms, Days, &str, [&str; 5])] = &[
        (
            "the rows of all days are there",
            monthly(),
            until("2026-12-31"),
            "2027-02-15",
            ["on_time"; 5],
        ),
        (
            // the rows of 30 September are expected by 14 November
            "before the deadline nothing is said of the quarter",
            monthly(),
            until("2026-10-20"),
            "2026-11-14",
            ["on_time", "on_time", "on_time", "early", "early"],
        ),
        (
            "on it it is judged",
            monthly(),
            until("2026-10-20"),
            "2026-11-15",
            ["on_time", "on_time", "on_time", "on_time", "early"],
        ),
        (
            // empty from 1 July; its 31 days are those up to 31 July, which are expected by 14 September
            "a month without a row is silent as soon as it is expected",
            monthly(),
            until("2026-06-30"),
            "2026-09-15",
            ["on_time", "on_time", "on_time", "silent", "early"],
        ),
        (
            "and not before",
            monthly(),
            until("2026-06-30"),
            "2026-09-14",
            ["on_time", "on_time", "on_time", "early", "early"],
        ),
        (
            "a quarterly promise waits for the quarter's deadline",
            quarterly,
            until("2026-06-30"),
            "2026-11-14",
            ["on_time", "on_time", "on_time", "early", "early"],
        ),
        (
            "and then it is silent",
            quarterly,
            until("2026-06-30"),
            "2026-11-15",
            ["on_time", "on_time", "on_time", "silent", "early"],
        ),
        (
            // 28 days
            "February's file is missing, and the next came",
            monthly(),
            without(("2026-01-31", "2026-03-01")),
            "2027-02-15",
            ["on_time", "silent", "on_time", "on_time", "on_time"],
        ),
        (
            // 20 June is the last; 22 July would be the 32nd day without a row
            "a stretch belongs to the quarter in which it grows too long",
            monthly(),
            without(("2026-06-20", "2026-08-01")),
            "2027-02-15",
            ["on_time", "on_time", "on_time", "silent", "on_time"],
        ),
        (
            // 11 April to 31 August: silent since 12 May, and 62 days of the third quarter
            "and to every other that misses as much",
            monthly(),
            without(("2026-04-10", "2026-09-01")),
            "2027-02-15",
            ["on_time", "on_time", "silent", "silent", "on_time"],
        ),
        (
            // 20 May to 1 July: one day of the third quarter is nothing
            "and to no other",
            monthly(),
            without(("2026-05-19", "2026-07-02")),
            "2027-02-15",
            ["on_time", "on_time", "silent", "on_time", "on_time"],
        ),
        (
            "shorter stretches are the way of the business",
            monthly(),
            without(("2026-07-05", "2026-08-06")),
            "2027-02-15",
            ["on_time"; 5],
        ),
        (
            "a row of a day to come does not end the silence",
            monthly(),
            rows(&[("2025-10-01", "2026-06-30", 1), ("2026-12-24", "2026-12-24", 1)]),
            "2026-10-12",
            ["on_time", "on_time", "on_time", "silent", "early"],
        ),
        (
            "a new source owes nothing for the time before it",
            monthly(),
            rows(&[("2026-08-10", "2026-10-01", 5)]),
            "2026-10-12",
            ["not_expected", "not_expected", "not_expected", "early", "early"],
        ),
        (
            // the first delivery holds two rows of January
            "strays are no beginning",
            monthly(),
            rows(&[("2026-01-05", "2026-01-06", 1), ("2026-07-01", "2026-10-01", 1)]),
            "2026-11-15",
            ["not_expected", "not_expected", "not_expected", "on_time", "early"],
        ),
        (
            "a source that never delivered is not silent",
            monthly(),
            Days::new(),
            "2027-06-01",
            ["not_expected"; 5],
        ),
    ];
    for (what, terms, days, today, expected) in cases {
        assert_eq!(states(terms, days, today), expected, "{what}");
    }
}

#[test]
fn the_day_of_the_next_judgement() {
    let days = rows(&[("2025-10-01", "2026-09-20", 1)]);
    let judged = |today: &str| {
        let all = judge(&monthly(), &days, &quarters(5), date(today));
        let of = |i: usize| (all[i].state.as_str(), all[i].deadline.to_string());
        (of(3), of(4))
    };
    // the third quarter: 1 October + 45. The fourth: 21 September + 31 = 22 October is the 32nd day without a row; its
    // rows are expected up to the day before 23 October + 45
    let third = ("early", "2026-11-15".to_owned());
    assert_eq!(judged("2026-10-12"), (third, ("early", "2026-12-07".to_owned())));
    let third = ("on_time", "2026-11-15".to_owned());
    assert_eq!(judged("2026-12-06").1, ("early", "2026-12-07".to_owned()));
    assert_eq!(judged("2026-12-07"), (third, ("silent", "2026-12-07".to_owned())));
    assert_eq!(judged("2027-03-01").1, ("silent", "2026-12-07".to_owned()));
}

#[test]
fn volume() {
    // quarters of 92, 90, 91, 92 days
    let quarter = ["2025-10-01", "2026-01-01", "2026-04-01", "2026-07-01"];
    let end = ["2025-12-31", "2026-03-31", "2026-06-30", "2026-09-30"];
    // n rows on the first day, one on every other
    let days = |sizes: [i64; 4]| {
        let mut out = Days::new();
        for i in 0..4 {
            out.extend(rows(&[(quarter[i], end[i], 1)]));
            let others = length(date(quarter[i]), date(end[i]));
            out.insert(date(quarter[i]), sizes[i] - others);
        }
        out
    };
    let last = |terms: &Terms, sizes: [i64; 4]| {
        let judged = judge(terms, &days(sizes), &quarters(4), date("2026-11-15"))
            .pop()
            .unwrap();
        (judged.state.as_str(), judged.rows, judged.median)
    };
    // the median of 400, 420, 500 is 420, its half 210
    assert_eq!(last(&monthly(), [420, 400, 500, 210]), ("on_time", 210, Some(420)));
    assert_eq!(last(&monthly(), [420, 400, 500, 209]), ("thin", 209, Some(420)));
    let fifth = Terms {
        share: Dec::new(2, 1),
        ..monthly()
    };
    assert_eq!(last(&fifth, [420, 400, 500, 209]).0, "on_time");
    let large = Terms {
        minimum_rows: 421,
        ..monthly()
    };
    assert_eq!(last(&large, [420, 400, 500, 209]).0, "on_time");
    // before the deadline nothing is thin
    let early = judge(
        &monthly(),
        &days([420, 400, 500, 100]),
        &quarters(4),
        date("2026-11-14"),
    );
    assert_eq!(early[3].state, State::Early);
    // a first quarter of which the source had half says nothing: two are left, which is too few
    let mut late = days([420, 400, 500, 100]);
    late.retain(|day, _| *day >= date("2025-11-15"));
    let judged = judge(&monthly(), &late, &quarters(4), date("2026-11-15"));
    assert_eq!((judged[3].state, judged[3].median), (State::OnTime, None));
    // nor does a silent one
    let mut silent = days([420, 400, 500, 100]);
    silent.retain(|day, _| !(date("2026-02-01")..date("2026-04-01")).contains(day));
    let judged = judge(&monthly(), &silent, &quarters(4), date("2026-11-15"));
    let states: Vec<State> = judged.iter().map(|j| j.state).collect();
    assert_eq!(states, [State::OnTime, State::Silent, State::OnTime, State::OnTime]);
    let reason = judged[1].reason.as_deref().unwrap_or_default();
    assert_eq!(
        reason,
        "no row from 2026-02-01 to 2026-03-31; a delivery is expected at least every 31 days"
    );
}

#[test]
fn the_median_forgets() {
    // ten quarters of 100 rows, then ten of 30: the first four of them are thin, as the median of the last eight is
    // still 100 while five or more of those are old; of four and four the lower one in the middle counts
    let spans = quarters(20);
    let mut days = Days::new();
    for (i, span) in spans.iter().enumerate() {
        for day in span.first.iter_days().take_while(|day| *day < span.end).step_by(9) {
            days.insert(day, 1);
        }
        let others = rows_in(&days, span) - 1;
        days.insert(span.first, if i < 10 { 100 } else { 30 } - others);
    }
    let judged = judge(&monthly(), &days, &spans, date("2032-01-01"));
    let thin: Vec<usize> = (0..20).filter(|i| judged[*i].state == State::Thin).collect();
    assert_eq!(thin, [10, 11, 12, 13]);
}
