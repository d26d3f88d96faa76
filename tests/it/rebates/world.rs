//! An example computed: rules read, targets computed, differences posted.

use std::collections::BTreeMap;
use std::fs;

use starledger::domain::ids::RegionId;
use starledger::domain::time::parse_date;
use starledger::domain::{Date, Dec, Finding, Money, Period, PeriodKind, Ratio, Table, Value};
use starledger::incentives::{self, Inputs};
use starledger::ledger::settle::Terms;
use starledger::ledger::{self, Account, Books, Document, Entry, PostingDay};
use starledger::rules::Rules;

use super::sheet::{Example, Run};
use crate::support::workspace::repository;

/// Everything that the runs of an example left.
pub(super) struct Outcome {
    runs: Vec<Ran>,
    book: Vec<Entry>,
}

struct Ran {
    rebates: Table,
    targets: Vec<incentives::Target>,
    posted: Vec<Entry>,
    /// Open accrual before anything was settled.
    accrued: Ratio,
    /// What documents of this run made due.
    settled: Ratio,
    /// Partners whose documents were reversed by this run, and those whose were not.
    reversed: Vec<String>,
    refused: Vec<String>,
}

/// The rules were refused.
pub(super) struct Refused(Vec<String>);

impl Refused {
    /// The finding that contains a text, or all of them.
    pub fn matching(&self, text: &str) -> String {
        let is_wanted = |wanted: &str| self.0.iter().any(|f| f.contains(wanted));
        if text.strip_prefix("refused: ").is_some_and(is_wanted) {
            text.to_owned()
        } else {
            format!("refused: {}", self.0.join("; "))
        }
    }
}

pub(super) fn run(example: &Example) -> Result<Outcome, Refused> {
    let (mut runs, mut book, mut documents) = (Vec::new(), Vec::new(), Vec::new());
    for (number, facts) in example.runs.iter().enumerate() {
        let later = example.later.iter().rev().find(|(from, _)| *from <= number);
        let rules = rules(later.map_or(&example.schemes, |(_, schemes)| schemes))?;
        let mut ran = run_once(&rules, facts, &example.partners, &mut book)?;
        settle(&rules, facts, number, &mut book, &mut documents, &mut ran);
        runs.push(ran);
    }
    Ok(Outcome { runs, book })
}

/// The sample's global edition, from the beginning of a year so that terms are whole, and the example's schemes as a region's edition on top of it.
fn rules(schemes: &toml::Table) -> Result<Rules, Refused> {
    let global = repository().join("pipelines/rules/global/2025-10-01.toml");
    let global = fs::read_to_string(global).expect("the global edition");
    let global = global.replace("effective_from = \"2025-10-01\"", "effective_from = \"2025-01-01\"");
    let mut all = schemes.clone();
    for name in [
        "sales-rebate",
        "certification-incentive",
        "growth-bonus",
        "market-development-fund",
    ] {
        all.insert(
            name.to_owned(),
            toml::Table::from_iter([("active".to_owned(), false.into())]).into(),
        );
    }
    let edition = toml::Table::from_iter([
        ("effective_from".to_owned(), "2025-01-01".into()),
        ("schemes".to_owned(), all.into()),
    ]);
    let files = [
        ("global/2025-01-01.toml".to_owned(), global),
        ("test/2025-01-01.toml".to_owned(), edition.to_string()),
    ];
    Rules::read(&files).map_err(|findings| Refused(findings.iter().map(Finding::to_string).collect()))
}

fn run_once(rules: &Rules, facts: &Run, partners: &[String], book: &mut Vec<Entry>) -> Result<Ran, Refused> {
    let through = day(&facts.through);
    let calendar = rules.programme().calendar;
    let kinds = [
        PeriodKind::Month,
        PeriodKind::Quarter,
        PeriodKind::Half,
        PeriodKind::Year,
    ];
    let firsts = kinds.map(|kind| calendar.period_of(day("2025-10-01"), kind).expect("a period"));
    let ended: Vec<Period> = firsts
        .into_iter()
        .flat_map(|first| (0..40).map(move |n| first.plus(n)))
        .filter(|p| calendar.last_day(*p) <= through)
        .collect();
    let (sales, partners) = (sales(&facts.lines), partners_table(partners));
    let inputs = Inputs {
        earning_periods: &ended,
        sales: &sales,
        partners: &partners,
        certifications: &Table::new(
            "certifications",
            &["partner_id", "domain", "valid_from", "stars", "valid_to", "status"],
        ),
        domains: &Table::new("domains", &["domain", "name", "member_of"]),
        fx_rates: &Table::new("fx_rates", &["base", "quote", "date", "rate", "source"]),
        grades: &[],
        freezes: &[],
    };
    rules
        .book(&RegionId::new("test").expect("an id"), through)
        .expect("a book");
    let earned = incentives::compute(&inputs, rules).map_err(|e| Refused(vec![e.to_string()]))?;
    let targets: Vec<ledger::Target> = earned
        .targets
        .iter()
        .map(|t| ledger::Target {
            is_fund: t.claims_until_on.is_some(),
            partner: t.partner.clone(),
            scheme: t.scheme.clone(),
            earning_period: t.earning_period,
            amount: t.amount,
        })
        .collect();
    let at = PostingDay {
        period: calendar.period_of(through, PeriodKind::Month).expect("a month"),
        day: through,
        is_final: false,
    };
    let posted = ledger::post(book, &targets, &|_| at, &[]).expect("posted").entries;
    book.extend(posted.iter().cloned());
    Ok(Ran {
        rebates: earned.rebates,
        targets: earned.targets,
        posted,
        accrued: open_accrual(book),
        settled: Ratio::zero(),
        reversed: Vec::new(),
        refused: Vec::new(),
    })
}

fn open_accrual(book: &[Entry]) -> Ratio {
    let open = book.iter().filter(|e| e.account == Account::AccruedRebates);
    -Ratio::sum(&open.map(|e| e.amount.dec().ratio()).collect::<Vec<_>>())
}

/// Settles the month of a run, and reverses the documents of another, where the run says so.
fn settle(
    rules: &Rules,
    facts: &Run,
    number: usize,
    book: &mut Vec<Entry>,
    documents: &mut Vec<(usize, Document)>,
    ran: &mut Ran,
) {
    let through = day(&facts.through);
    let calendar = rules.programme().calendar;
    let at = PostingDay {
        period: calendar.period_of(through, PeriodKind::Month).expect("a month"),
        day: through,
        is_final: false,
    };
    let mut books = Books::open(std::mem::take(book)).expect("a chain");
    let all: Vec<Document> = documents.iter().map(|(_, d)| d.clone()).collect();
    let next = i64::try_from(all.len()).expect("few") + 1;
    if facts.settles {
        let terms = Terms {
            period: at.period,
            is_due: &|earning| calendar.last_day(earning) <= through,
            minimum: &Money::zero,
        };
        let proposals = ledger::settle::propose(books.entries(), &all, &terms).expect("proposals");
        let issued = ledger::settle::issue(&mut books, &proposals, next, at, through).expect("documents");
        ran.settled = Ratio::sum(&issued.iter().map(|d| d.due.dec().ratio()).collect::<Vec<_>>());
        documents.extend(issued.into_iter().map(|d| (number, d)));
    } else if let Some(of) = facts.reverses {
        let wanted: Vec<Document> = documents
            .iter()
            .filter(|(run, _)| *run == of)
            .map(|(_, d)| d.clone())
            .collect();
        for document in wanted {
            let all: Vec<Document> = documents.iter().map(|(_, d)| d.clone()).collect();
            let partner = document.partner.to_string();
            if ledger::settle::may_reverse(&all, document.number, None).is_err() {
                ran.refused.push(partner);
                continue;
            }
            let next = i64::try_from(all.len()).expect("few") + 1;
            let reversal = ledger::settle::reverse(&mut books, &document, next, at, through).expect("a reversal");
            documents.push((number, reversal));
            ran.reversed.push(partner);
        }
    }
    *book = books.entries().to_vec();
}

impl Outcome {
    /// A figure by its name: `target`, `total`, `targets`, `posted`, `entries`, `posted <key words>`, `corrects`,
    /// `posted in`, `open accrual`, `accrued` before and `settled` by each run, `reversed` and `refused` by the last, or `amount|basis|rate|lines|moved <component> [<key words>]`. Key words are parts of
    /// the key, such as a scheme or an earning period.
    pub fn figure(&self, what: &str) -> String {
        let words: Vec<&str> = what.split(' ').collect();
        match words.as_slice() {
            ["target"] => self
                .last()
                .targets
                .iter()
                .map(|t| plain(&t.amount.dec().ratio()))
                .collect::<Vec<_>>()
                .join(", "),
            ["total"] => plain(&Ratio::sum(
                &self
                    .last()
                    .targets
                    .iter()
                    .map(|t| t.amount.dec().ratio())
                    .collect::<Vec<_>>(),
            )),
            ["targets"] => {
                let shown =
                    |t: &incentives::Target| format!("{} {} {} {}", t.partner, t.scheme, t.earning_period, t.amount);
                let all: Vec<String> = self.last().targets.iter().map(shown).collect();
                if all.is_empty() {
                    "none".to_owned()
                } else {
                    all.join(", ")
                }
            }
            ["entries"] => self.each_run(|r| r.posted.len().to_string()),
            ["posted", "in"] => self.each_run(|r| first_or_none(&r.posted, |e| e.period.to_string())),
            ["corrects"] => self.each_run(|r| {
                first_or_none(&r.posted, |e| {
                    e.corrects_transaction_no
                        .map_or_else(|| "-".to_owned(), |n| format!("{} of {}", n, e.earning_period))
                })
            }),
            ["open", "accrual"] => plain(&open_accrual(&self.book)),
            ["accrued"] => self.each_run(|r| plain(&r.accrued)),
            ["settled"] => self.each_run(|r| plain(&r.settled)),
            ["reversed"] => self.last().reversed.join(", "),
            ["refused"] => self.last().refused.join(", "),
            ["posted", key @ ..] => self.each_run(|r| {
                let expense = r.posted.iter().filter(|e| {
                    let at = format!("{} {} {}", e.partner, e.scheme, e.earning_period);
                    e.account == Account::RebateExpense && has(&at, key)
                });
                plain(&Ratio::sum(
                    &expense.map(|e| e.amount.dec().ratio()).collect::<Vec<_>>(),
                ))
            }),
            ["moved", component, key @ ..] => {
                let amounts: Vec<Ratio> = self
                    .runs
                    .iter()
                    .map(|r| Ratio::sum(&r.values("amount", component, key)))
                    .collect();
                let moves = amounts.windows(2).map(|pair| plain(&(&pair[1] - &pair[0])));
                moves.collect::<Vec<_>>().join(", ")
            }
            [column @ ("amount" | "basis" | "rate" | "lines"), component, key @ ..] => {
                let values = self.last().values(column, component, key);
                let shown: Vec<String> = values.iter().map(plain).collect();
                if shown.is_empty() {
                    "none".to_owned()
                } else {
                    shown.join(", ")
                }
            }
            _ => format!("no figure is called {what}"),
        }
    }

    fn last(&self) -> &Ran {
        self.runs.last().expect("a run")
    }

    fn each_run(&self, of: impl Fn(&Ran) -> String) -> String {
        self.runs.iter().map(of).collect::<Vec<_>>().join(", ")
    }
}

impl Ran {
    /// A column of the rows of a component, in the order of their keys.
    fn values(&self, column: &str, component: &str, key: &[&str]) -> Vec<Ratio> {
        let of = |row: starledger::domain::RowRef<'_>| {
            let text = |c: &str| row.text(c).expect("a text").to_owned();
            let at = ["partner_id", "scheme", "earning_period", "domain"].map(text).join(" ");
            (text("component") == component && has(&at, key))
                .then(|| row.ratio(column).unwrap_or_else(|_| Ratio::zero()))
        };
        self.rebates.iter().filter_map(of).collect()
    }
}

fn has(key: &str, words: &[&str]) -> bool {
    words.iter().all(|w| key.split(' ').any(|part| part == *w))
}

fn first_or_none(entries: &[Entry], of: impl Fn(&Entry) -> String) -> String {
    entries.first().map_or_else(|| "-".to_owned(), of)
}

fn plain(value: &Ratio) -> String {
    let shown = value
        .round(6, starledger::domain::Rounding::HalfAwayFromZero)
        .expect("a number")
        .to_string();
    if shown.contains('.') {
        shown.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        shown
    }
}

fn day(text: &str) -> Date {
    parse_date(text).expect("a date")
}

/// Partners as `P1 EUR`, with the day they joined and their parent where that matters: `P1 EUR 2026-12-02 P0`.
fn partners_table(rows: &[String]) -> Table {
    let mut table = Table::new(
        "partners",
        &["partner_id", "valid_from", "region", "currency", "parent_partner_id"],
    );
    let defaults = ["P1 EUR".to_owned()];
    for row in if rows.is_empty() { &defaults[..] } else { rows } {
        let mut words = row.split(' ');
        let (id, currency) = (words.next().expect("an id"), words.next().expect("a currency"));
        let from = day(words.next().unwrap_or("2025-01-01"));
        table.push(vec![
            id.into(),
            from.into(),
            "test".into(),
            currency.into(),
            words.next().into(),
        ]);
    }
    table
}

/// Lines as `1000`, the net amount, and options: `qty=`, `on=`, `by=` the partner, `in=` the currency, `family=`, `unpaid`.
/// What is negative is a return. Pieces are the amount where `qty` is absent.
pub(crate) fn sales(lines: &[String]) -> Table {
    let columns = [
        "partner_id",
        "line_kind",
        "service_model",
        "product_id",
        "domain",
        "family",
        "category",
        "incentive_eligible",
        "currency",
        "ordered_on",
        "invoiced_on",
        "paid",
        "is_return",
        "lines",
        "net_amount",
        "list_amount",
        "quantity",
    ];
    let mut table = Table::new("measures_sales", &columns);
    for line in lines {
        let mut words = line.split(' ');
        let net = words.next().expect("an amount");
        let mut paid = true;
        let mut options: BTreeMap<&str, &str> = BTreeMap::new();
        for word in words {
            match word.split_once('=') {
                Some((key, value)) => assert!(options.insert(key, value).is_none(), "{line}"),
                None => {
                    assert_eq!(word, "unpaid", "{line}");
                    paid = false;
                }
            }
        }
        let mut option =
            |key: &str, default: &'static str| options.remove(key).map_or(default.to_owned(), str::to_owned);
        let on = day(&option("on", "2026-07-05"));
        let dec = |text: &str| Value::Dec(Dec::parse(text).expect("a decimal"));
        let (qty, by, currency, family) = (
            option("qty", ""),
            option("by", "P1"),
            option("in", "EUR"),
            option("family", "a"),
        );
        assert!(options.is_empty(), "{line}");
        table.push(vec![
            by.into(),
            "product".into(),
            "".into(),
            "".into(),
            "ups".into(),
            family.into(),
            "A".into(),
            true.into(),
            currency.into(),
            on.into(),
            on.into(),
            paid.into(),
            net.starts_with('-').into(),
            Value::Int(1),
            dec(net),
            dec(net),
            dec(if qty.is_empty() { net } else { &qty }),
        ]);
    }
    table
}
