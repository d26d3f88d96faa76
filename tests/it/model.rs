//! A small model of the incentives and the books, in plain maps and whole minor units, against the program over random
//! histories: sales, returns, corrections, late lines, grades, holds, adjustments, payments, closes, reversals.
//!
//! The model shares no code with the program: it adds lines up, takes slices of bands in integers, and keeps what is
//! accrued, held, owed and carried as numbers. After every step of a history balances and documents are equal and every
//! invariant of the ledger holds. `STARLEDGER_HISTORIES=100000 cargo test --test it model::` is the campaign (docs/testing.md);
//! `STARLEDGER_SEED` does one history.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use starledger::domain::ids::{PartnerId, SchemeId};
use starledger::domain::time::add_days;
use starledger::domain::{Currency, Date, Dec, Digest, Grade, Money, Period, Table, Value};
use starledger::incentives::{self, GradeRow, GradeState, Inputs};
use starledger::ledger::settle::{NO_SCHEME, NO_SCHEME_ADJUSTED, Terms, issue, may_reverse, propose, reverse};
use starledger::ledger::{
    Account, Books, Document, Hold, Key, Keyed, PostingDay, Reason, Target, View, check_all, post_keyed, post_to,
};
use starledger::rules::Rules;

use crate::support::workspace::repository;

/// Partner, settlement currency, decimals of it.
const PARTNERS: [(&str, &str, u32); 3] = [("P1", "EUR", 2), ("P2", "JPY", 0), ("P3", "KWD", 3)];
const QUARTERS: [&str; 6] = ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4", "2027-Q1"];
const GRADES: [(Grade, i128); 5] = [
    (Grade::A, 100),
    (Grade::B, 90),
    (Grade::C, 75),
    (Grade::D, 50),
    (Grade::E, 0),
];
/// Least amount that is paid, in whole units of the currency.
const MINIMUM: i128 = 20;

const RULES: &str = r#"
effective_from = "2025-10-01"
[schemes.sales-rebate]
active = false
[schemes.certification-incentive]
active = false
[schemes.bands]
title = "Bands"
earning_period = "quarter"
date = "ordered_on"
amount = "net"
paid_in_full = false
scope = { line_kinds = ["product"] }
rounding = "half_away_from_zero"
fx_max_age_days = 7
method = "marginal"
bands = [{ from = "0", rate = "1 %" }, { from = "1000", rate = "2 %" }, { from = "5000", rate = "3.5 %" }]
modifiers = ["grade_factor"]
grade_factor = { of = "card", A = "1", B = "0.9", C = "0.75", D = "0.5", E = "0", not_rated = "0.75", incomplete = "0.75" }
[schemes.share]
title = "Share"
earning_period = "quarter"
date = "ordered_on"
amount = "net"
paid_in_full = false
scope = { line_kinds = ["product"] }
rounding = "half_away_from_zero"
fx_max_age_days = 7
method = "flat"
rate = "7 %"
modifiers = []
"#;

/// Numbers that follow from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).expect("small")
    }

    fn minor(&mut self, low: i128, high: i128) -> i128 {
        low + i128::from(self.next()) % (high - low)
    }
}

/// What is known of the world at a moment: the facts that both sides are given.
#[derive(Clone, Default)]
struct Facts {
    /// Partner, quarter, minor units; a return where negative.
    lines: Vec<(usize, usize, i128)>,
    /// By partner and quarter.
    grades: BTreeMap<(usize, usize), usize>,
    held: BTreeSet<usize>,
    /// Partner, quarter, minor units, by id.
    adjustments: BTreeMap<String, (usize, usize, i128)>,
    /// Partner, document, minor units, by id.
    payments: BTreeMap<String, (usize, i64, i128)>,
    /// Quarters that have ended.
    ended: usize,
}

/// What the model keeps of a document that stands, to take it back.
#[derive(Clone)]
struct Standing {
    quarter: usize,
    carried_in: i128,
    /// By how much it changed what is claimed back.
    claims: i128,
    due: i128,
    settled: BTreeMap<(usize, usize), i128>,
    fresh: BTreeMap<Fresh, i128>,
}

/// What is owed or claimed by partner and quarter that it posts in: what for (changed, released, by people), scheme, quarter.
type Fresh = (usize, usize, Line, usize, usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    Changed,
    Released,
    ByPeople,
}

/// The model.
#[derive(Clone, Default)]
struct Model {
    closed: usize,
    /// By partner, scheme, quarter.
    booked: BTreeMap<(usize, usize, usize), i128>,
    accrued: BTreeMap<(usize, usize, usize), i128>,
    on_hold: BTreeMap<(usize, usize, usize), i128>,
    /// Its settlement was taken back, and it was not settled since.
    reopened: BTreeSet<(usize, usize, usize)>,
    /// In no standing document.
    fresh: BTreeMap<Fresh, i128>,
    carried: [i128; 3],
    /// Claimed back, not yet set off against what is owed.
    claimed: [i128; 3],
    paid: [i128; 3],
    adjusted: BTreeMap<String, i128>,
    /// By partner, oldest first.
    standing: [Vec<Standing>; 3],
}

/// What is claimed back of an amount.
fn claim(amount: i128) -> i128 {
    (-amount).max(0)
}

/// Half of the divisor away from zero.
fn rounded(numerator: i128, divisor: i128) -> i128 {
    let magnitude = (numerator.abs() * 2 + divisor) / (divisor * 2);
    if numerator < 0 { -magnitude } else { magnitude }
}

/// What a scheme earns on a basis in minor units, from scratch.
fn earns(scheme: usize, basis: i128, unit: i128, factor: i128) -> i128 {
    if scheme == 1 {
        return rounded(basis * 7, 100);
    }
    // slices times tenths of a per cent; the first band reaches below zero
    let edges = [0, 1000 * unit, 5000 * unit];
    let rates = [10, 20, 35];
    let mut sum = 0;
    for at in 0..3 {
        let low = if at == 0 { i128::MIN } else { edges[at] };
        let high = edges.get(at + 1).copied().unwrap_or(i128::MAX);
        if basis > low {
            sum += (basis.min(high) - edges[at].min(basis.max(edges[at]))) * rates[at];
        }
    }
    rounded(sum * factor, 1000 * 100)
}

impl Model {
    /// Where money of a quarter posts.
    fn posts_in(&self, quarter: usize) -> usize {
        quarter.max(self.closed)
    }

    fn run(&mut self, facts: &Facts) {
        for (partner, (_, _, places)) in PARTNERS.iter().enumerate() {
            let unit = 10_i128.pow(*places);
            let is_held = facts.held.contains(&partner);
            for scheme in 0..2 {
                for quarter in 0..facts.ended {
                    let key = (partner, scheme, quarter);
                    let basis = facts
                        .lines
                        .iter()
                        .filter(|l| l.0 == partner && l.1 == quarter)
                        .map(|l| l.2)
                        .sum();
                    let factor = facts.grades.get(&(partner, quarter)).map_or(75, |g| GRADES[*g].1);
                    let target = earns(scheme, basis, unit, factor);
                    let is_final = quarter < self.closed && !self.reopened.contains(&key);
                    let held = self.on_hold.entry(key).or_insert(0);
                    let released = if is_held { 0 } else { std::mem::take(held) };
                    let mut owe = released;
                    let delta = target - self.booked.insert(key, target).unwrap_or(0);
                    if is_held && delta > 0 {
                        *held += delta;
                    } else if is_held {
                        let from_hold = delta.max(-*held);
                        *held += from_hold;
                        owe += delta - from_hold;
                    } else {
                        owe += delta;
                    }
                    if is_final {
                        let at = self.posts_in(quarter);
                        for (line, amount) in [(Line::Changed, owe - released), (Line::Released, released)] {
                            *self.fresh.entry((partner, at, line, scheme, quarter)).or_insert(0) += amount;
                        }
                        self.claimed[partner] += claim(owe - released) + claim(released);
                    } else {
                        *self.accrued.entry(key).or_insert(0) += owe;
                    }
                }
            }
        }
        for (id, &(partner, quarter, amount)) in &facts.adjustments {
            let earlier = self.adjusted.insert(id.clone(), amount).unwrap_or(0);
            let at = self.posts_in(quarter);
            *self.fresh.entry((partner, at, Line::ByPeople, 0, quarter)).or_insert(0) += amount - earlier;
            if amount != earlier {
                self.claimed[partner] += claim(amount) - claim(earlier);
            }
        }
        self.paid = [0; 3];
        for payment in facts.payments.values() {
            self.paid[payment.0] += payment.2;
        }
    }

    fn close(&mut self) {
        let quarter = self.closed;
        for (partner, (_, _, places)) in PARTNERS.iter().enumerate() {
            let unit = 10_i128.pow(*places);
            let mut settled = BTreeMap::new();
            for (key, amount) in self.accrued.range_mut((partner, 0, 0)..(partner + 1, 0, 0)) {
                if key.2 <= quarter && *amount != 0 {
                    settled.insert((key.1, key.2), std::mem::take(amount));
                    self.reopened.remove(key);
                }
            }
            let is_in = |key: &Fresh| key.0 == partner && key.1 <= quarter;
            let fresh: BTreeMap<Fresh, i128> = self
                .fresh
                .iter()
                .filter(|f| is_in(f.0))
                .map(|(k, v)| (*k, *v))
                .collect();
            self.fresh.retain(|key, _| !is_in(key));
            // what cancels within a line is nothing; lines that cancel one another are a document
            let mut lines: BTreeMap<(Line, usize, usize), i128> = BTreeMap::new();
            for ((_, _, line, scheme, of), amount) in &fresh {
                *lines.entry((*line, *scheme, *of)).or_insert(0) += amount;
            }
            let carried_in = self.carried[partner];
            let total = carried_in + settled.values().sum::<i128>() + fresh.values().sum::<i128>();
            let due = if total > 0 && total >= MINIMUM * unit { total } else { 0 };
            self.carried[partner] = total - due;
            let stays = claim(self.carried[partner]);
            // a quarter without anything new has no document, and sets nothing off
            let is_new = !settled.is_empty() || lines.values().any(|amount| *amount != 0);
            let claims = if is_new { stays - self.claimed[partner] } else { 0 };
            self.claimed[partner] += claims;
            self.standing[partner].push(Standing {
                quarter,
                carried_in,
                claims,
                due,
                settled,
                fresh,
            });
        }
        self.closed += 1;
    }

    /// What the next close would settle.
    fn next_total(&self, partner: usize) -> i128 {
        let accrued = self
            .accrued
            .iter()
            .filter(|(key, _)| key.0 == partner && key.2 <= self.closed);
        let fresh = self
            .fresh
            .iter()
            .filter(|(key, _)| key.0 == partner && key.1 <= self.closed);
        self.carried[partner] + accrued.map(|(_, v)| *v).sum::<i128>() + fresh.map(|(_, v)| *v).sum::<i128>()
    }

    /// Takes the document of a partner in a quarter back; those above it say nothing.
    fn reverse(&mut self, partner: usize, quarter: usize) {
        while let Some(standing) = self.standing[partner].pop() {
            self.carried[partner] = standing.carried_in;
            self.claimed[partner] -= standing.claims;
            for (key, amount) in standing.fresh {
                *self.fresh.entry(key).or_insert(0) += amount;
            }
            for ((scheme, of), amount) in standing.settled {
                *self.accrued.entry((partner, scheme, of)).or_insert(0) += amount;
                self.reopened.insert((partner, scheme, of));
            }
            if standing.quarter == quarter {
                return;
            }
        }
        panic!("no document of {quarter} stands");
    }

    /// Expense, accrual, hold, owed, clearing, due, carried, claimed of a partner.
    fn balances(&self, partner: usize, facts: &Facts) -> [i128; 8] {
        let of = |map: &BTreeMap<(usize, usize, usize), i128>| -> i128 {
            map.iter().filter(|(key, _)| key.0 == partner).map(|(_, v)| *v).sum()
        };
        let adjusted: i128 = facts.adjustments.values().filter(|a| a.0 == partner).map(|a| a.2).sum();
        let fresh: i128 = self
            .fresh
            .iter()
            .filter(|(key, _)| key.0 == partner)
            .map(|(_, v)| *v)
            .sum();
        let due = self.standing[partner].iter().map(|s| s.due).sum::<i128>();
        [
            of(&self.booked) + adjusted,
            of(&self.accrued),
            of(&self.on_hold),
            due - self.paid[partner] + self.carried[partner] + fresh,
            self.paid[partner],
            due,
            self.carried[partner],
            self.claimed[partner],
        ]
    }
}

/// The program under the same facts.
#[derive(Default)]
struct Program {
    book: Vec<starledger::ledger::Entry>,
    documents: Vec<Document>,
    closed: usize,
}

/// What a step does beside the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Run,
    Close,
    Reverse(i64),
}

fn currency(partner: usize) -> Currency {
    Currency::parse(PARTNERS[partner].1).expect("a currency")
}

fn money(partner: usize, minor: i128) -> Money {
    Money::from_minor(minor, currency(partner)).expect("an amount")
}

fn quarter(at: usize) -> Period {
    Period::parse(QUARTERS[at]).expect("a quarter")
}

fn partner_id(partner: usize) -> PartnerId {
    PartnerId::new(PARTNERS[partner].0).expect("an id")
}

fn rules() -> Rules {
    let global = repository().join("pipelines/rules/global/2025-10-01.toml");
    let global = std::fs::read_to_string(global).expect("the global edition");
    let files = [
        ("global/2025-10-01.toml".to_owned(), global),
        ("test/2025-10-01.toml".to_owned(), RULES.to_owned()),
    ];
    Rules::read(&files).expect("rules in order")
}

/// Tables that no history changes.
struct World {
    rules: Rules,
    partners: Table,
    certifications: Table,
    domains: Table,
    rates: Table,
}

impl World {
    fn new() -> World {
        let mut partners = Table::new(
            "partners",
            &["partner_id", "valid_from", "region", "currency", "parent_partner_id"],
        );
        for (id, currency, _) in PARTNERS {
            let from = starledger::domain::time::parse_date("2025-01-01").expect("a day");
            partners.push(vec![
                id.into(),
                from.into(),
                "test".into(),
                currency.into(),
                Value::Null,
            ]);
        }
        let certifications = ["partner_id", "domain", "valid_from", "stars", "valid_to", "status"];
        World {
            rules: rules(),
            partners,
            certifications: Table::new("certifications", &certifications),
            domains: Table::new("domains", &["domain", "name", "member_of"]),
            rates: Table::new("fx_rates", &["base", "quote", "date", "rate", "source"]),
        }
    }

    fn first_day(&self, at: usize) -> Date {
        self.rules.programme().calendar.first_day(quarter(at))
    }

    fn last_day(&self, at: usize) -> Date {
        self.rules.programme().calendar.last_day(quarter(at))
    }

    fn targets(&self, facts: &Facts) -> Vec<Target> {
        let lines = facts.lines.iter().map(|(partner, at, minor)| {
            let (id, code, places) = PARTNERS[*partner];
            let amount = Dec::new(*minor, u8::try_from(places).expect("few"));
            let on = add_days(self.first_day(*at), 17);
            format!("{amount} by={id} in={code} on={on}")
        });
        let sales = crate::rebates::sales(&lines.collect::<Vec<_>>());
        let grades: Vec<GradeRow> = facts
            .grades
            .iter()
            .map(|((partner, at), grade)| GradeRow {
                partner: partner_id(*partner),
                domain: None,
                period: quarter(*at),
                state: GradeState::Rated,
                grade: Some(GRADES[*grade].0),
            })
            .collect();
        let ended: Vec<Period> = (0..facts.ended).map(quarter).collect();
        let inputs = Inputs {
            earning_periods: &ended,
            sales: &sales,
            partners: &self.partners,
            certifications: &self.certifications,
            domains: &self.domains,
            fx_rates: &self.rates,
            grades: &grades,
            freezes: &[],
        };
        let earned = incentives::compute(&inputs, &self.rules).expect("targets");
        let target = |t: incentives::Target| Target {
            partner: t.partner,
            scheme: t.scheme,
            earning_period: t.earning_period,
            amount: t.amount,
        };
        earned.targets.into_iter().map(target).collect()
    }
}

impl Program {
    fn at(&self, world: &World, of: usize) -> PostingDay {
        let posts_in = of.max(self.closed);
        PostingDay {
            period: quarter(posts_in),
            day: world.last_day(posts_in),
            is_final: of < self.closed,
        }
    }

    /// One step; every invariant holds after it. Returns whether a reversal was refused.
    fn step(&mut self, world: &World, facts: &Facts, step: Step) -> bool {
        let targets = world.targets(facts);
        let holds: Vec<Hold> = facts
            .held
            .iter()
            .map(|partner| Hold {
                partner: partner_id(*partner),
                from: Date::MIN,
                until: Date::MAX,
            })
            .collect();
        let earlier = starledger::ledger::chain::head(&self.book).expect("a chain");
        let mut books = Books::open(std::mem::take(&mut self.book)).expect("a chain");
        let index = |period: Period| {
            QUARTERS
                .iter()
                .position(|q| *q == period.to_string())
                .expect("a quarter")
        };
        let posting = |period: Period| self.at(world, index(period));
        post_to(&mut books, &targets, &posting, &holds).expect("posted");
        let (payments, adjustments) = self.feeds(world, facts);
        let open = self.at(world, self.closed);
        post_keyed(&mut books, Reason::Payment, &payments, open).expect("posted");
        post_keyed(&mut books, Reason::ManualAdjustment, &adjustments, open).expect("posted");
        let next = i64::try_from(self.documents.len()).expect("few") + 1;
        let mut refused = false;
        match step {
            Step::Run => {}
            Step::Close => {
                let last = world.last_day(self.closed);
                let terms = Terms {
                    period: quarter(self.closed),
                    is_due: &|earning| world.rules.programme().calendar.last_day(earning) <= last,
                    minimum: &|currency| {
                        let unit = 10_i128.pow(u32::from(currency.minor_digits()));
                        Money::from_minor(MINIMUM * unit, currency).expect("an amount")
                    },
                };
                let proposals = propose(books.entries(), &self.documents, &terms).expect("proposals");
                let at = PostingDay {
                    is_final: false,
                    ..open
                };
                let issued = issue(&mut books, &proposals, next, at, at.day).expect("documents");
                self.documents.extend(issued);
            }
            Step::Reverse(number) => {
                let paid: i128 = facts.payments.values().filter(|p| p.1 == number).map(|p| p.2).sum();
                let found = self.documents.iter().find(|d| d.number == number);
                let paid = found.map(|d| Money::from_minor(paid, d.currency).expect("an amount"));
                match may_reverse(&self.documents, number, paid).cloned() {
                    Ok(document) => {
                        let at = PostingDay {
                            is_final: false,
                            ..open
                        };
                        let reversal = reverse(&mut books, &document, next, at, at.day).expect("a reversal");
                        self.documents.push(reversal);
                    }
                    Err(_) => refused = true,
                }
            }
        }
        self.book = books.entries().to_vec();
        if step == Step::Close {
            self.closed += 1;
        }
        let posting = |period: Period| self.at(world, index(period));
        let view = View {
            entries: &self.book,
            targets: &targets,
            posting: &posting,
            holds: &holds,
            earlier: Some(earlier),
            documents: &self.documents,
        };
        let findings: Vec<String> = check_all(&view).iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{}", findings.join("\n"));
        refused
    }

    fn feeds(&self, world: &World, facts: &Facts) -> (Vec<Keyed>, Vec<Keyed>) {
        let keyed = |id: &String, partner: usize, scheme: &str, of: usize, minor: i128, at: PostingDay| Keyed {
            id: id.clone(),
            key: Key {
                partner: partner_id(partner),
                scheme: SchemeId::new(scheme).expect("a scheme"),
                earning_period: quarter(of),
                currency: currency(partner),
            },
            amount: money(partner, minor),
            at,
            content: Digest::of(format!("{id} {partner} {of} {minor}").as_bytes()),
        };
        let payments = facts.payments.iter().map(|(id, (partner, document, minor))| {
            let of = self
                .documents
                .iter()
                .find(|d| d.number == *document)
                .expect("a document");
            let of = QUARTERS
                .iter()
                .position(|q| *q == of.period.to_string())
                .expect("a quarter");
            keyed(id, *partner, NO_SCHEME, of, *minor, self.at(world, self.closed))
        });
        let adjustments = facts.adjustments.iter().map(|(id, (partner, of, minor))| {
            keyed(id, *partner, NO_SCHEME_ADJUSTED, *of, *minor, self.at(world, *of))
        });
        (payments.collect(), adjustments.collect())
    }

    /// As [`Model::balances`], added up from entries and documents.
    fn balances(&self, partner: usize) -> [i128; 8] {
        let id = partner_id(partner);
        let of = |accounts: &[Account]| -> i128 {
            self.book
                .iter()
                .filter(|e| e.partner == id && accounts.contains(&e.account))
                .map(|e| e.amount.minor_units())
                .sum()
        };
        let standing: Vec<&Document> = starledger::ledger::documents::standing(&self.documents)
            .filter(|d| d.partner == id)
            .collect();
        [
            of(&[Account::RebateExpense]),
            -of(&[Account::AccruedRebates]),
            -of(&[Account::RebatesOnHold]),
            -of(&[Account::PartnerPayable, Account::PartnerReceivable]),
            -of(&[Account::SettlementClearing]),
            standing.iter().map(|d| d.due.minor_units()).sum(),
            standing.last().map_or(0, |d| d.carried_out.minor_units()),
            of(&[Account::PartnerReceivable]),
        ]
    }
}

/// Changes the facts by one thing that happens, and says what the step does.
fn happens(random: &mut Random, facts: &mut Facts, model: &Model, documents: &[Document], says: &mut String) -> Step {
    let partner = random.below(3);
    let unit = 10_i128.pow(PARTNERS[partner].2);
    let any = random.below(facts.ended.min(QUARTERS.len() - 1) + 1);
    let standing: Vec<&Document> = starledger::ledger::documents::standing(documents).collect();
    match random.below(15) {
        0..=2 => {
            for _ in 0..=random.below(3) {
                let (at, minor) = (random.below(any + 1), random.minor(1, 4000 * unit));
                facts.lines.push((partner, at, minor));
            }
            says.push_str("sales");
        }
        3 => {
            // part of a line, or all of it, or more than was sold
            let minor = -random.minor(1, 3000 * unit);
            facts.lines.push((partner, any, minor));
            says.push_str("return");
        }
        4 if !facts.lines.is_empty() => {
            let at = random.below(facts.lines.len());
            if random.below(3) == 0 {
                facts.lines.remove(at);
            } else {
                facts.lines[at].2 += random.minor(-50, 50);
            }
            says.push_str("correction");
        }
        5 => {
            // a grade is sealed when its quarter closes
            if any >= model.closed {
                facts.grades.insert((partner, any), random.below(GRADES.len()));
            }
            says.push_str("grade");
        }
        6 if facts.ended + 1 < QUARTERS.len() => {
            facts.ended += 1;
            says.push_str("quarter ends");
        }
        7 => {
            if !facts.held.remove(&partner) {
                facts.held.insert(partner);
            }
            says.push_str("hold");
        }
        8 => {
            let of = random.below(facts.ended.max(1));
            let id = format!("ADJ-{partner}-{of}");
            let minor = random.minor(-300 * unit, 300 * unit);
            facts.adjustments.insert(id, (partner, of, minor));
            says.push_str("adjustment");
        }
        9 if !standing.is_empty() => {
            let document = standing[random.below(standing.len())];
            let partner = PARTNERS
                .iter()
                .position(|p| p.0 == document.partner.as_str())
                .expect("a partner");
            let due = document.due.minor_units();
            if due > 0 {
                let minor = if random.below(2) == 0 {
                    due
                } else {
                    random.minor(1, due + 1)
                };
                facts
                    .payments
                    .insert(format!("PAY-{}", document.number), (partner, document.number, minor));
            }
            says.push_str("payment");
        }
        13 => {
            // so that the next settlement makes exactly the least amount that is paid
            let id = format!("ADJ-{partner}-least");
            let before = facts.adjustments.get(&id).map_or(0, |a| a.2);
            let next = model.next_total(partner);
            facts
                .adjustments
                .insert(id, (partner, 0, before + MINIMUM * unit - next));
            says.push_str("least");
        }
        10..=11 if model.closed < facts.ended => {
            says.push_str("close");
            return Step::Close;
        }
        12 if !documents.is_empty() => {
            let number = documents[random.below(documents.len())].number;
            let _ = write!(says, "reverse {number}");
            return Step::Reverse(number);
        }
        _ => says.push_str("nothing"),
    }
    Step::Run
}

fn history(world: &World, seed: u64) {
    let mut random = Random(seed);
    let (mut facts, mut model, mut program) = (Facts::default(), Model::default(), Program::default());
    facts.ended = 1;
    let mut story = Vec::new();
    for _ in 0..6 + random.below(14) {
        let mut says = String::new();
        let step = happens(&mut random, &mut facts, &model, &program.documents, &mut says);
        story.push(says);
        // newest first, unpaid, once: found by looking at numbers alone
        let reverses = match step {
            Step::Reverse(number) => may(&program.documents, &facts, number),
            _ => None,
        };
        model.run(&facts);
        match (step, reverses) {
            (Step::Close, _) => model.close(),
            (_, Some((partner, at))) => model.reverse(partner, at),
            _ => {}
        }
        let refused = program.step(world, &facts, step);
        if let Step::Reverse(number) = step {
            assert_eq!(refused, reverses.is_none(), "seed {seed}, {story:?}: document {number}");
        }
        for (partner, (name, _, _)) in PARTNERS.iter().enumerate() {
            assert_eq!(
                program.balances(partner),
                model.balances(partner, &facts),
                "seed {seed}, partner {name}: expense, accrual, hold, owed, clearing, due, carried, claimed after {story:?}"
            );
        }
    }
}

/// Partner and quarter of a document that may be reversed.
fn may(documents: &[Document], facts: &Facts, number: i64) -> Option<(usize, usize)> {
    let of = |d: &Document| match d.kind {
        starledger::ledger::DocumentKind::Settlement => None,
        starledger::ledger::DocumentKind::Reversal { of } => Some(of),
    };
    let reversed: BTreeSet<i64> = documents.iter().filter_map(of).collect();
    let document = documents.iter().find(|d| d.number == number)?;
    let is_last = documents
        .iter()
        .filter(|d| of(d).is_none() && !reversed.contains(&d.number) && d.partner == document.partner)
        .all(|d| d.number <= number);
    let is_paid = facts.payments.values().any(|p| p.1 == number && p.2 != 0);
    if of(document).is_some() || reversed.contains(&number) || !is_last || is_paid {
        return None;
    }
    Some((
        PARTNERS.iter().position(|p| p.0 == document.partner.as_str())?,
        QUARTERS.iter().position(|q| *q == document.period.to_string())?,
    ))
}

#[test]
fn books_and_model_agree_after_every_step_of_random_histories() {
    let world = World::new();
    if let Ok(seed) = std::env::var("STARLEDGER_SEED") {
        history(&world, seed.parse().expect("a number"));
        return;
    }
    let histories: u64 = std::env::var("STARLEDGER_HISTORIES").map_or(150, |n| n.parse().expect("a number"));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let world = &world;
            scope.spawn(move || {
                for seed in (0..histories).skip(thread).step_by(threads) {
                    history(world, seed);
                }
            });
        }
    });
}
