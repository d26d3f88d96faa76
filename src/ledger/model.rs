//! An independent little model of the books, compared with them over random histories.
//!
//! The model knows last targets and nothing else: no entries, no chain, no balances of the ledger's own making.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::chain::entry_hash;
use super::fixture::{at, hold, target};
use super::{Account, Entry, Hold, Target, View, check_all, post, table, verify_chain};
use crate::domain::time::add_days;
use crate::domain::{Digest, Money};

const PARTNERS: [&str; 3] = ["P1", "P2", "P%3"];
const SCHEMES: [&str; 2] = ["bonus", "sales-rebate"];
const PERIODS: [&str; 3] = ["2026-Q2", "2026-Q3", "2026-FY"];
/// Codes and decimals, written again here rather than asked of the program.
const CURRENCIES: [(&str, usize); 3] = [("EUR", 2), ("JPY", 0), ("KWD", 3)];

/// One run: targets in minor units by key, and the day it posts on (after 2026-10-01).
type Run = (BTreeMap<(usize, usize, usize, usize), i64>, u32);

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let key = (
        0..PARTNERS.len(),
        0..SCHEMES.len(),
        0..PERIODS.len(),
        0..CURRENCIES.len(),
    );
    let amount = prop_oneof![Just(0_i64), -5_i64..5, -2_000_000_i64..2_000_000];
    vec((proptest::collection::btree_map(key, amount, 0..8), 0_u32..120), 1..7)
}

fn row((partner, scheme, period, currency): (usize, usize, usize, usize), minor: i64) -> Target {
    let (code, places) = CURRENCIES[currency];
    let digits = format!("{:0>width$}", minor.abs(), width = places + 1);
    let (whole, cents) = digits.split_at(digits.len() - places);
    let (sign, point) = (if minor < 0 { "-" } else { "" }, if places > 0 { "." } else { "" });
    target(&format!(
        "{} {} {} {sign}{whole}{point}{cents} {code}",
        PARTNERS[partner], SCHEMES[scheme], PERIODS[period]
    ))
}

fn holds() -> [Hold; 2] {
    [hold("P1 2026-10-10 2026-11-09"), hold("P2 2026-10-20 2026-12-19")]
}

/// Posts all runs; after each of them the books are in order.
fn play(runs: &[Run]) -> Vec<Entry> {
    let holds = holds();
    let mut entries: Vec<Entry> = Vec::new();
    for (targets, day) in runs {
        let targets: Vec<Target> = targets.iter().map(|(key, minor)| row(*key, *minor)).collect();
        let day = add_days(at("2026-Q4", "2026-10-01").day, *day);
        let posting = |_| super::PostingDay {
            day,
            ..at("2026-Q4", "2026-10-01")
        };
        let earlier = super::chain::head(&entries).ok();
        let posted = post(&entries, &targets, &posting, &holds).unwrap();
        entries.extend(posted.entries);
        let view = View {
            entries: &entries,
            targets: &targets,
            posting: &posting,
            holds: &holds,
            earlier,
            documents: &[],
        };
        assert_eq!(check_all(&view), []);
    }
    entries
}

/// Minor units by account, partner, scheme, period and currency, added up the plain way.
fn plain_balances(entries: &[Entry]) -> BTreeMap<[String; 5], i128> {
    let mut balances = BTreeMap::new();
    for e in entries {
        let key = [
            e.account.to_string(),
            e.partner.to_string(),
            e.scheme.to_string(),
            e.earning_period.to_string(),
        ];
        let [a, b, c, d] = key;
        *balances
            .entry([a, b, c, d, e.amount.currency().to_string()])
            .or_insert(0) += e.amount.minor_units();
    }
    balances.retain(|_, sum| *sum != 0);
    balances
}

type Edit = fn(&mut Entry);

/// Every way to change one field of an entry.
fn edits() -> Vec<(&'static str, Edit)> {
    fn other(digest: Digest) -> Digest {
        Digest::of(digest.to_string().as_bytes())
    }
    vec![
        ("entry_no", |e| e.entry_no += 1),
        ("transaction_no", |e| e.transaction_no += 1),
        ("account", |e| {
            let is_expense = e.account == Account::RebateExpense;
            e.account = if is_expense {
                Account::PartnerPayable
            } else {
                Account::RebateExpense
            };
        }),
        ("amount", |e| {
            e.amount = Money::from_minor(e.amount.minor_units() + 1, e.amount.currency()).unwrap();
        }),
        ("sign", |e| e.amount = e.amount.negated()),
        ("currency", |e| {
            let code = if e.amount.currency().code() == "EUR" {
                "USD"
            } else {
                "EUR"
            };
            e.amount =
                Money::from_minor(e.amount.minor_units(), crate::domain::Currency::parse(code).unwrap()).unwrap();
        }),
        ("partner", |e| {
            e.partner = crate::domain::ids::PartnerId::new("P9").unwrap();
        }),
        ("scheme", |e| {
            e.scheme = crate::domain::ids::SchemeId::new("other").unwrap();
        }),
        ("earning_period", |e| e.earning_period = e.earning_period.next()),
        ("period", |e| e.period = e.period.previous()),
        ("posting_on", |e| e.posting_on = add_days(e.posting_on, 1)),
        ("reason", |e| {
            e.reason = if e.reason == super::Reason::Payment {
                super::Reason::Netting
            } else {
                super::Reason::Payment
            };
        }),
        ("corrects", |e| {
            e.corrects_transaction_no = e.corrects_transaction_no.map_or(Some(1), |_| None);
        }),
        ("source", |e| e.source.push(' ')),
        ("previous_hash", |e| e.previous_hash = other(e.previous_hash)),
        ("entry_hash", |e| e.entry_hash = other(e.entry_hash)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn balances_are_those_of_the_last_targets(runs in runs()) {
        let entries = play(&runs);
        let (last, day) = runs.last().unwrap();
        let mut model: BTreeMap<[String; 4], i128> = BTreeMap::new();
        for (key, minor) in last.iter().filter(|(_, minor)| **minor != 0) {
            let t = row(*key, *minor);
            let key = [t.partner.to_string(), t.scheme.to_string(), t.earning_period.to_string(), t.amount.currency().to_string()];
            model.insert(key, i128::from(*minor));
        }
        let (mut expense, mut owed) = (BTreeMap::new(), BTreeMap::new());
        for ([account, a, b, c, d], sum) in plain_balances(&entries) {
            let side: &mut BTreeMap<[String; 4], i128> = if account == "rebate_expense" { &mut expense } else { &mut owed };
            *side.entry([a.clone(), b, c, d]).or_insert(0) -= if account == "rebate_expense" { -sum } else { sum };
            // what is on hold belongs to a partner that is held on the last day
            let held = (a == "P1" && (9..39).contains(day)) || (a == "P2" && (19..79).contains(day));
            prop_assert!(account != "rebates_on_hold" || held, "{} {} on hold on day {}", a, sum, day);
        }
        owed.retain(|_, sum| *sum != 0);
        prop_assert_eq!(&expense, &model);
        prop_assert_eq!(&owed, &model);
    }

    #[test]
    fn a_book_survives_its_table(runs in runs()) {
        let entries = play(&runs);
        prop_assert_eq!(table::from_table(&table::to_table(&entries)).unwrap(), entries);
    }

    #[test]
    fn any_edit_of_one_field_is_found_and_named(runs in runs(), at in any::<prop::sample::Index>()) {
        let entries = play(&runs);
        prop_assume!(!entries.is_empty());
        let at = at.index(entries.len());
        for (field, edit) in edits() {
            let mut edited = entries.clone();
            edit(&mut edited[at]);
            let broken = verify_chain(&edited).unwrap_err();
            prop_assert_eq!(broken.entry_no, entries[at].entry_no, "{}", field);
            // with its own hash mended, the next entry no longer follows
            if !["entry_no", "entry_hash", "previous_hash"].contains(&field) && at + 1 < entries.len() {
                edited[at].entry_hash = entry_hash(&edited[at]);
                prop_assert_eq!(verify_chain(&edited).unwrap_err().entry_no, entries[at].entry_no + 1, "{}", field);
            }
        }
    }
}
