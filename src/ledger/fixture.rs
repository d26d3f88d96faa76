//! Books for tests: targets in as words, entries out as words.

use super::{Entry, Hold, Posting, PostingDay, Target, post};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::time::parse_date;
use crate::domain::{Currency, Dec, Money, Period};

/// `P1 bonus 2026-Q3 10.00 EUR`
pub(crate) fn target(row: &str) -> Target {
    let [partner, scheme, period, amount, currency]: [&str; 5] = row.split(' ').collect::<Vec<_>>().try_into().unwrap();
    Target {
        is_fund: false,
        partner: PartnerId::new(partner).unwrap(),
        scheme: SchemeId::new(scheme).unwrap(),
        earning_period: Period::parse(period).unwrap(),
        amount: Money::exact(Dec::parse(amount).unwrap(), Currency::parse(currency).unwrap()).unwrap(),
    }
}

pub(crate) fn targets(rows: &[&str]) -> Vec<Target> {
    rows.iter().map(|row| target(row)).collect()
}

pub(crate) fn at(period: &str, day: &str) -> PostingDay {
    PostingDay {
        period: Period::parse(period).unwrap(),
        day: parse_date(day).unwrap(),
        is_final: false,
    }
}

/// Everything posts on 12 October 2026 in one period.
pub(crate) fn posting_in(period: &str) -> impl Fn(Period) -> PostingDay {
    let at = at(period, "2026-10-12");
    move |_| at
}

/// `P1 2026-10-01 2026-11-30`
pub(crate) fn hold(row: &str) -> Hold {
    let [partner, from, until]: [&str; 3] = row.split(' ').collect::<Vec<_>>().try_into().unwrap();
    Hold {
        partner: PartnerId::new(partner).unwrap(),
        from: parse_date(from).unwrap(),
        until: parse_date(until).unwrap(),
    }
}

/// Posts one set of targets and appends the entries.
pub(crate) fn post_more(entries: &mut Vec<Entry>, targets: &[Target], holds: &[Hold]) -> Posting {
    let posting = post(entries, targets, &posting_in("2026-Q4"), holds).unwrap();
    entries.extend(posting.entries.iter().cloned());
    posting
}

/// The book after posting sets of targets one after the other.
pub(crate) fn book(sets: &[Vec<Target>]) -> Vec<Entry> {
    let mut entries = Vec::new();
    for targets in sets {
        post_more(&mut entries, targets, &[]);
    }
    entries
}

/// Entries as `entry transaction account amount reason corrects source`.
pub(crate) fn shown(entries: &[Entry]) -> Vec<String> {
    let line = |e: &Entry| {
        let corrects = e
            .corrects_transaction_no
            .map_or_else(|| "-".to_owned(), |n| n.to_string());
        format!(
            "{} {} {} {} {} {corrects} {}",
            e.entry_no, e.transaction_no, e.account, e.amount, e.reason, e.source
        )
    };
    entries.iter().map(line).collect()
}
