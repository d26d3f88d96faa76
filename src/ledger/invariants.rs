//! What must hold of the books.
//!
//! Duty: named checks as a list of values; running order and report follow from the list. Not its duty: stopping a
//! commit (the caller does, when any finding is there).

use std::collections::{BTreeMap, BTreeSet};

use super::LedgerError;
use super::balance::{booked, by_account, by_partner, sums, trial_balance};
use super::chain::{Head, verify_chain, verify_continues};
use super::documents::{Document, last_standing, standing};
use super::entry::{Account, Entry, Key, Reason};
use super::post::{Hold, PostingDay, Target, post};
use crate::domain::{Currency, Finding, Findings, Money, Period, Place};

/// A book and what it should agree with.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// By number.
    pub entries: &'a [Entry],
    /// Those that were posted last.
    pub targets: &'a [Target],
    pub posting: &'a dyn Fn(Period) -> PostingDay,
    pub holds: &'a [Hold],
    /// Head of the book as it was before this run, or as it was issued.
    pub earlier: Option<Head>,
    /// All that were issued, by number.
    pub documents: &'a [Document],
}

/// One thing that must hold.
pub struct Invariant {
    /// Stable code: the rule of its findings.
    pub name: &'static str,
    /// The sentence that is true of a book in order.
    pub says: &'static str,
    /// What is not in order; empty when it holds.
    pub check: fn(&View<'_>) -> Result<Vec<String>, LedgerError>,
}

/// In the order in which they are checked and reported.
pub const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "chain-intact",
        says: "every entry is the one that was posted",
        check: chain_intact,
    },
    Invariant {
        name: "book-continued",
        says: "the earlier book is the beginning of this one",
        check: book_continued,
    },
    Invariant {
        name: "no-gaps",
        says: "entries and transactions are numbered from 1 without gaps",
        check: no_gaps,
    },
    Invariant {
        name: "transactions-whole",
        says: "a transaction is of one key and one day",
        check: transactions_whole,
    },
    Invariant {
        name: "transactions-balance",
        says: "every transaction adds up to zero",
        check: transactions_balance,
    },
    Invariant {
        name: "trial-balance",
        says: "all accounts add up to zero in each currency",
        check: trial_balance_zero,
    },
    Invariant {
        name: "sub-ledger",
        says: "partners and keys add up to the accounts",
        check: sub_ledger,
    },
    Invariant {
        name: "booked-is-target",
        says: "on every key its target is booked",
        check: booked_is_target,
    },
    Invariant {
        name: "final-accrual-zero",
        says: "nothing is accrued on an earning period that was settled finally",
        check: final_accrual_zero,
    },
    Invariant {
        name: "funds-not-overdrawn",
        says: "claims took no more out of a fund than was set aside in it",
        check: funds_not_overdrawn,
    },
    Invariant {
        name: "documents-in-order",
        says: "documents are numbered from 1 without gaps, add up, and name a head of the book",
        check: documents_in_order,
    },
    Invariant {
        name: "documents-agree",
        says: "what partners are owed is what documents say, less what was paid, and what no document says yet",
        check: documents_agree,
    },
    Invariant {
        name: "replay",
        says: "posting the same targets again posts nothing",
        check: replay,
    },
];

/// Checks all of them; no finding means that the books are in order.
#[must_use]
pub fn check_all(view: &View<'_>) -> Findings {
    let run = |invariant: &Invariant| {
        let problems = (invariant.check)(view).unwrap_or_else(|error| vec![error.to_string()]);
        let finding = |problem| {
            let remedy = format!(
                "nothing was published; {} must hold: {}",
                invariant.name, invariant.says
            );
            Finding::error(Place::file("ledger"), invariant.name, problem, remedy)
        };
        problems.into_iter().map(finding).collect::<Findings>()
    };
    INVARIANTS.iter().flat_map(run).collect()
}

fn chain_intact(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    verify_chain(view.entries)?;
    Ok(Vec::new())
}

fn book_continued(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    if let Some(earlier) = view.earlier {
        verify_continues(view.entries, earlier)?;
    }
    Ok(Vec::new())
}

#[expect(clippy::unnecessary_wraps, reason = "all checks of the list have one signature")]
fn no_gaps(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    let mut problems = Vec::new();
    let mut transaction_no = 0;
    for (entry, expected) in view.entries.iter().zip(1_i64..) {
        if entry.entry_no != expected {
            problems.push(format!("entry {} stands where entry {expected} should", entry.entry_no));
            break;
        }
        if entry.transaction_no != transaction_no && Some(entry.transaction_no) != transaction_no.checked_add(1) {
            let found = entry.transaction_no;
            problems.push(format!(
                "transaction {found} follows transaction {transaction_no} at entry {expected}"
            ));
            break;
        }
        transaction_no = entry.transaction_no;
    }
    Ok(problems)
}

#[expect(clippy::unnecessary_wraps, reason = "all checks of the list have one signature")]
fn transactions_whole(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    let same = |a: &Entry, b: &Entry| {
        let head = |e: &Entry| (e.period, e.posting_on, e.corrects_transaction_no);
        a.key() == b.key() && head(a) == head(b) && a.reason == b.reason && a.source == b.source
    };
    let mut first: BTreeMap<i64, &Entry> = BTreeMap::new();
    let mut problems = Vec::new();
    for entry in view.entries {
        let known = *first.entry(entry.transaction_no).or_insert(entry);
        if !same(known, entry) {
            let (a, b, t) = (known.entry_no, entry.entry_no, entry.transaction_no);
            problems.push(format!(
                "entries {a} and {b} of transaction {t} differ in what a transaction shares"
            ));
        }
    }
    Ok(problems)
}

fn transactions_balance(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    let by_transaction = sums(view.entries, |e| Some((e.transaction_no, e.amount.currency())))?;
    let open = by_transaction.into_iter().filter(|(_, sum)| !sum.is_zero());
    Ok(open
        .map(|((transaction, _), sum)| format!("transaction {transaction} adds up to {sum}"))
        .collect())
}

fn trial_balance_zero(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    let open = trial_balance(view.entries)?.into_values().filter(|sum| !sum.is_zero());
    Ok(open.map(|sum| format!("all accounts add up to {sum}")).collect())
}

/// Two ways down to the same accounts: over partners, and over keys, each of which balances by itself.
fn sub_ledger(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    let mut over_partners: BTreeMap<(Account, Currency), i128> = BTreeMap::new();
    for ((account, currency, _), balance) in by_partner(view.entries)? {
        let sum = over_partners.entry((account, currency)).or_default();
        *sum = sum.saturating_add(balance.minor_units());
    }
    let accounts = by_account(view.entries)?;
    let differ = accounts
        .iter()
        .filter(|(key, balance)| over_partners.get(key) != Some(&balance.minor_units()));
    let mut problems: Vec<String> = differ
        .map(|((account, currency), _)| format!("partners do not add up to {account} in {currency}"))
        .collect();
    let keys = sums(view.entries, |e| Some(e.key()))?;
    let open = keys.into_iter().filter(|(_, sum)| !sum.is_zero());
    problems.extend(open.map(|(key, sum)| format!("{key}: its accounts add up to {sum}")));
    Ok(problems)
}

fn booked_is_target(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    let booked = booked(view.entries)?;
    let targets: BTreeMap<Key, Money> = view.targets.iter().map(|t| (t.key(), t.amount)).collect();
    let keys: BTreeSet<&Key> = booked.keys().chain(targets.keys()).collect();
    let amount = |of: &BTreeMap<Key, Money>, key: &Key| of.get(key).copied().unwrap_or(Money::zero(key.currency));
    let differ = keys
        .into_iter()
        .filter(|key| amount(&booked, key) != amount(&targets, key));
    Ok(differ
        .map(|k| format!("{k}: booked is {}, target {}", amount(&booked, k), amount(&targets, k)))
        .collect())
}

fn final_accrual_zero(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    let accrued = sums(view.entries, |e| {
        (e.account == Account::AccruedRebates).then(|| e.key())
    })?;
    // a key whose settlement was reversed waits for the next one
    let mut is_reopened: BTreeMap<Key, bool> = BTreeMap::new();
    for entry in view.entries.iter().filter(|e| e.account == Account::AccruedRebates) {
        if matches!(entry.reason, Reason::Settlement | Reason::Reversal) {
            is_reopened.insert(entry.key(), entry.reason == Reason::Reversal);
        }
    }
    let open = accrued.into_iter().filter(|(key, balance)| {
        !balance.is_zero()
            && (view.posting)(key.earning_period).is_final
            && !is_reopened.get(key).copied().unwrap_or(false)
    });
    Ok(open
        .map(|(key, balance)| format!("{key}: {} is still accrued", balance.negated()))
        .collect())
}

fn funds_not_overdrawn(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    let funds = sums(view.entries, |e| (e.account == Account::PartnerFunds).then(|| e.key()))?;
    let overdrawn = funds.into_iter().filter(|(_, balance)| balance.minor_units() > 0);
    Ok(overdrawn
        .map(|(key, balance)| format!("{key}: {balance} more was claimed than was set aside"))
        .collect())
}

fn documents_in_order(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    let mut problems = Vec::new();
    for (document, number) in view.documents.iter().zip(1_i64..) {
        if document.number != number {
            problems.push(format!("{} stands where document {number} should", document.name()));
            break;
        }
        let adds_up = document.adds_up().map_err(|source| LedgerError::Settled {
            partner: document.partner.clone(),
            currency: document.currency,
            source,
        })?;
        if !adds_up {
            problems.push(format!("{} does not add up", document.name()));
        }
        let entry = usize::try_from(document.head.entries)
            .ok()
            .and_then(|n| n.checked_sub(1))
            .and_then(|at| view.entries.get(at));
        let is_ours = match entry {
            Some(entry) => entry.entry_hash == document.head.hash,
            None => document.head.entries == 0,
        };
        if !is_ours {
            problems.push(format!(
                "{} was issued with head {} of {} entries, which the book does not have",
                document.name(),
                document.head.hash,
                document.head.entries
            ));
        }
    }
    Ok(problems)
}

fn documents_agree(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    type Whose = (crate::domain::ids::PartnerId, Currency);
    let last = last_standing(view.documents);
    let whose = |e: &Entry| (e.partner.clone(), e.amount.currency());
    // credit positive, in minor units; the book has checked that they fit
    let mut owed: BTreeMap<Whose, i128> = BTreeMap::new();
    let mut says: BTreeMap<Whose, i128> = BTreeMap::new();
    for entry in view.entries {
        if !matches!(entry.account, Account::PartnerPayable | Account::PartnerReceivable) {
            continue;
        }
        let amount = -entry.amount.minor_units();
        *owed.entry(whose(entry)).or_default() += amount;
        let is_in_document = last
            .get(&whose(entry))
            .is_some_and(|document| entry.period <= document.period);
        let counts = match entry.reason {
            Reason::Payment => true,
            Reason::Netting | Reason::Settlement | Reason::Reversal => false,
            _ => !is_in_document,
        };
        if counts {
            *says.entry(whose(entry)).or_default() += amount;
        }
    }
    for document in standing(view.documents) {
        *says.entry((document.partner.clone(), document.currency)).or_default() += document.due.minor_units();
    }
    for (whose, document) in last {
        *says.entry(whose).or_default() += document.carried_out.minor_units();
    }
    let all: BTreeSet<&Whose> = owed.keys().chain(says.keys()).collect();
    let of = |sums: &BTreeMap<Whose, i128>, key: &Whose| sums.get(key).copied().unwrap_or(0);
    let differ = all.into_iter().filter(|key| of(&owed, key) != of(&says, key));
    differ
        .map(|key| {
            let shown = |minor| {
                Money::from_minor(minor, key.1).map_err(|source| LedgerError::Settled {
                    partner: key.0.clone(),
                    currency: key.1,
                    source,
                })
            };
            Ok(format!(
                "partner {}: is owed {} by the accounts, {} by documents, payments and what is new",
                key.0,
                shown(of(&owed, key))?,
                shown(of(&says, key))?
            ))
        })
        .collect()
}

fn replay(view: &View<'_>) -> Result<Vec<String>, LedgerError> {
    let posting = post(view.entries, view.targets, view.posting, view.holds)?;
    Ok(posting
        .entries
        .iter()
        .map(|e| format!("{}: {} {} would be posted again", e.key(), e.account, e.amount))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::books::{Books, Draft};
    use super::super::chain::{entry_hash, genesis, head};
    use super::super::fixture::{self, book, posting_in, targets};
    use super::super::post::post_to;
    use super::super::settle::{Terms, issue, propose};
    use super::*;

    /// Names of the invariants that a changed book breaks; its chain is made anew, as a forger would.
    fn broken(change: impl Fn(&mut Vec<Entry>)) -> Vec<String> {
        let last = targets(&["P1 a 2026-Q3 12.00 EUR", "P2 a 2026-Q3 20 JPY"]);
        let mut entries = book(&[targets(&["P1 a 2026-Q3 10.00 EUR"]), last.clone()]);
        let earlier = head(&entries[..2]).ok();
        change(&mut entries);
        let mut previous = genesis();
        for entry in &mut entries {
            entry.previous_hash = previous;
            entry.entry_hash = entry_hash(entry);
            previous = entry.entry_hash;
        }
        let view = View {
            entries: &entries,
            targets: &last,
            posting: &posting_in("2026-Q4"),
            holds: &[],
            earlier,
            documents: &[],
        };
        let mut names: Vec<String> = check_all(&view).into_iter().map(|f| f.rule).collect();
        names.dedup();
        names
    }

    fn money(minor: i128) -> Money {
        Money::from_minor(minor, crate::domain::Currency::parse("EUR").unwrap()).unwrap()
    }

    #[test]
    fn a_book_in_order_has_no_findings() {
        assert!(broken(|_| {}).is_empty());
        let empty = View {
            entries: &[],
            targets: &[],
            posting: &posting_in("2026-Q4"),
            holds: &[],
            earlier: None,
            documents: &[],
        };
        assert!(check_all(&empty).is_empty());
    }

    #[test]
    fn each_invariant_finds_its_own() {
        assert_eq!(
            broken(|b| b[0].reason = Reason::HoldReleased),
            ["book-continued", "transactions-whole"]
        );
        let unbalanced = ["transactions-balance", "trial-balance", "sub-ledger"];
        assert_eq!(broken(|b| b[3].amount = money(-201)), unbalanced);
        assert_eq!(broken(|b| b.truncate(4)), ["booked-is-target", "replay"]);
        assert_eq!(
            broken(|b| b[5].partner = b[0].partner.clone()),
            ["transactions-whole", "sub-ledger"]
        );
        assert_eq!(
            broken(|b| b[4..].iter_mut().for_each(|e| e.transaction_no = 9)),
            ["no-gaps"]
        );
        // both sides of a transaction changed alike: the trial balance cannot see it, the target can
        let both = |b: &mut Vec<Entry>| (b[2].amount, b[3].amount) = (money(300), money(-300));
        assert_eq!(broken(both), ["booked-is-target", "replay"]);
        let renumbered = broken(|b| b[5].entry_no = 7);
        assert_eq!(renumbered, ["chain-intact", "book-continued", "no-gaps", "replay"]);
    }

    /// A settled book with its document, and one late target more; changed, and with the names of the invariants that the
    /// change breaks.
    fn broken_settlement(change: impl Fn(&mut Books, &mut Vec<Document>)) -> Vec<String> {
        let last = targets(&["P1 a 2026-Q3 13.00 EUR"]);
        let mut books = Books::open(book(&[targets(&["P1 a 2026-Q3 10.00 EUR"])])).unwrap();
        let terms = Terms {
            period: Period::parse("2026-Q4").unwrap(),
            is_due: &|_| true,
            minimum: &Money::zero,
        };
        let proposals = propose(books.entries(), &[], &terms).unwrap();
        let at = fixture::at("2026-Q4", "2026-12-31");
        let mut documents = issue(&mut books, &proposals, 1, at, at.day).unwrap();
        let later = PostingDay {
            is_final: true,
            ..fixture::at("2027-Q1", "2027-01-10")
        };
        post_to(&mut books, &last, &|_| later, &[]).unwrap();
        change(&mut books, &mut documents);
        let view = View {
            entries: books.entries(),
            targets: &last,
            posting: &|_| later,
            holds: &[],
            earlier: None,
            documents: &documents,
        };
        let mut names: Vec<String> = check_all(&view).into_iter().map(|f| f.rule).collect();
        names.dedup();
        names
    }

    #[test]
    fn each_invariant_of_settlements_finds_its_own() {
        assert!(broken_settlement(|_, _| {}).is_empty());
        let key = |books: &Books| books.entries()[0].key();
        let accrue = |books: &mut Books, _: &mut Vec<Document>| {
            let draft = Draft {
                key: &key(books),
                at: fixture::at("2027-Q1", "2027-01-10"),
                reason: Reason::Netting,
                corrects: None,
                source: "by hand".to_owned(),
            };
            let postings = [
                (Account::AccruedRebates, money(-100)),
                (Account::RebatesOnHold, money(100)),
            ];
            books.transaction(&draft, &postings).unwrap();
        };
        assert_eq!(broken_settlement(accrue), ["final-accrual-zero"]);
        let in_order = ["documents-in-order"];
        assert_eq!(broken_settlement(|_, d| d[0].number = 2), in_order);
        assert_eq!(broken_settlement(|_, d| d[0].earned = money(1)), in_order);
        assert_eq!(broken_settlement(|_, d| d[0].head.entries = 2), in_order);
        let agree = ["documents-agree"];
        assert_eq!(broken_settlement(|_, d| d.clear()), agree);
        let other = |_: &mut Books, d: &mut Vec<Document>| {
            (d[0].earned, d[0].total, d[0].due) = (money(1001), money(1001), money(1001));
        };
        assert_eq!(broken_settlement(other), agree);
    }

    #[test]
    fn a_finding_says_which_key_and_what_was_expected() {
        let (entries, other) = (
            book(&[targets(&["P1 a 2026-Q3 10.00 EUR"])]),
            targets(&["P2 a 2026-Q3 5 JPY"]),
        );
        let view = View {
            entries: &entries,
            targets: &other,
            posting: &posting_in("2026-Q4"),
            holds: &[],
            earlier: None,
            documents: &[],
        };
        let findings = check_all(&view);
        let booked: Vec<&str> = findings
            .iter()
            .filter(|f| f.rule == "booked-is-target")
            .map(|f| f.message.as_str())
            .collect();
        let expected = [
            "partner P1, a, 2026-Q3, EUR: booked is 10.00 EUR, target 0.00 EUR",
            "partner P2, a, 2026-Q3, JPY: booked is 0 JPY, target 5 JPY",
        ];
        assert_eq!(booked, expected);
        assert!(
            findings[0]
                .remedy
                .ends_with("booked-is-target must hold: on every key its target is booked")
        );
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = INVARIANTS.iter().map(|i| i.name).collect();
        assert_eq!(names.len(), INVARIANTS.len());
    }
}
