//! The program under the same facts: targets, postings, settlements, invariants.

use std::collections::BTreeMap;

use starledger::domain::ids::{PartnerId, SchemeId};
use starledger::domain::time::add_days;
use starledger::domain::{Currency, Date, Dec, Digest, Instant, Money, Period, Table, Value};
use starledger::incentives::funds::{self, Claim, ClaimState, Judged, Ruling, Verdict};
use starledger::incentives::{self, GradeRow, GradeState, Inputs};
use starledger::ledger::settle::{NO_SCHEME, NO_SCHEME_ADJUSTED, Terms, issue, may_reverse, propose, reverse};
use starledger::ledger::{
    Account, Books, Document, Hold, Key, Keyed, PostingDay, Reason, Target, View, check_all, post_keyed, post_to,
};
use starledger::rules::Rules;

use super::{Facts, GRADES, MINIMUM, PARTNERS, QUARTERS};
use crate::support::workspace::repository;

const RULES: &str = r#"
effective_from = "2025-10-01"
[schemes.sales-rebate]
active = false
[schemes.certification-incentive]
active = false
[schemes.growth-bonus]
active = false
[schemes.market-development-fund]
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
[schemes.fund]
title = "Fund"
earning_period = "quarter"
date = "ordered_on"
amount = "net"
paid_in_full = false
scope = { line_kinds = ["product"] }
rounding = "half_away_from_zero"
fx_max_age_days = 7
method = "flat"
rate = "5 %"
modifiers = []
fund = { claims_until_days = 40 }
"#;

/// The program under the same facts.
#[derive(Default)]
pub(super) struct Program {
    book: Vec<starledger::ledger::Entry>,
    pub(super) documents: Vec<Document>,
    closed: usize,
}

/// What a step does beside the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Run,
    Close,
    Reverse(i64),
}

pub(super) fn currency(partner: usize) -> Currency {
    Currency::parse(PARTNERS[partner].1).expect("a currency")
}

pub(super) fn money(partner: usize, minor: i128) -> Money {
    Money::from_minor(minor, currency(partner)).expect("an amount")
}

pub(super) fn quarter(at: usize) -> Period {
    Period::parse(QUARTERS[at]).expect("a quarter")
}

pub(super) fn partner_id(partner: usize) -> PartnerId {
    PartnerId::new(PARTNERS[partner].0).expect("an id")
}

pub(super) fn rules() -> Rules {
    let global = repository().join("pipelines/rules/global/2025-10-01.toml");
    let global = std::fs::read_to_string(global).expect("the global edition");
    let files = [
        ("global/2025-10-01.toml".to_owned(), global),
        ("test/2025-10-01.toml".to_owned(), RULES.to_owned()),
    ];
    Rules::read(&files).expect("rules in order")
}

/// Tables that no history changes.
pub(super) struct World {
    rules: Rules,
    partners: Table,
    certifications: Table,
    domains: Table,
    rates: Table,
}

impl World {
    pub(super) fn new() -> World {
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

    pub(super) fn first_day(&self, at: usize) -> Date {
        self.rules.programme().calendar.first_day(quarter(at))
    }

    pub(super) fn last_day(&self, at: usize) -> Date {
        self.rules.programme().calendar.last_day(quarter(at))
    }

    fn targets(&self, facts: &Facts) -> (Vec<Target>, Vec<Judged>) {
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
                score: None,
                overdue_parts: None,
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
        let mut earned = incentives::compute(&inputs, &self.rules).expect("targets");
        let judged = self.judged(facts, &earned.targets);
        // five days into the quarter after the last that ended
        let today = add_days(self.last_day(facts.ended - 1), 5);
        funds::lapse(&mut earned, &judged, today).expect("funds");
        let target = |t: incentives::Target| Target {
            is_fund: t.claims_until_on.is_some(),
            partner: t.partner,
            scheme: t.scheme,
            earning_period: t.earning_period,
            amount: t.amount,
        };
        (earned.targets.into_iter().map(target).collect(), judged)
    }

    fn judged(&self, facts: &Facts, targets: &[incentives::Target]) -> Vec<Judged> {
        let claims = facts.claims.iter().map(|(id, claim)| Claim {
            id: id.clone(),
            partner: partner_id(claim.partner),
            scheme: SchemeId::new("fund").expect("a scheme"),
            period: quarter(claim.quarter),
            amount: money(claim.partner, claim.amount),
            claimed_on: self.first_day(claim.quarter),
        });
        let mut rulings = BTreeMap::new();
        for (id, claim) in &facts.claims {
            let Some((at, approved)) = claim.ruling else { continue };
            let verdict = match approved {
                Some(minor) => Verdict::Approved(Some(money(claim.partner, minor))),
                None => Verdict::Rejected,
            };
            let ruling = Ruling {
                at: Instant::from_micros(at),
                decision_id: format!("D-{at}"),
                by: "someone".to_owned(),
                verdict,
                reason: "seen".to_owned(),
            };
            rulings.insert(id.clone(), vec![ruling]);
        }
        let ended = |period: Period| (0..facts.ended).any(|at| quarter(at) == period);
        funds::judge(claims.collect(), &rulings, targets, &ended)
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
    pub(super) fn step(&mut self, world: &World, facts: &Facts, step: Step) -> bool {
        let (targets, judged) = world.targets(facts);
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
        let claims = self.claims(world, &books, &judged);
        post_keyed(&mut books, Reason::Claim, &claims, open).expect("posted");
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

    /// What is paid on claims.
    fn claims(&self, world: &World, books: &Books, judged: &[Judged]) -> Vec<Keyed> {
        let in_fund = |claim: &Claim| {
            let of_fund = books.entries().iter().filter(|e| {
                e.account == Account::PartnerFunds
                    && e.reason.is_of_target()
                    && e.partner == claim.partner
                    && e.earning_period == claim.period
            });
            let minor = of_fund.map(|e| -e.amount.minor_units()).sum();
            Money::from_minor(minor, claim.amount.currency()).expect("an amount")
        };
        let paid = funds::payable(judged, &in_fund);
        let approved = judged
            .iter()
            .zip(paid)
            .filter(|(one, _)| one.state == ClaimState::Approved);
        approved
            .map(|(one, amount)| {
                let of = QUARTERS.iter().position(|q| *q == one.claim.period.to_string());
                let by = one.ruling.as_ref().map_or("", |r| &r.decision_id);
                Keyed {
                    id: one.claim.id.clone(),
                    key: Key {
                        partner: one.claim.partner.clone(),
                        scheme: one.claim.scheme.clone(),
                        earning_period: one.claim.period,
                        currency: amount.currency(),
                    },
                    amount,
                    at: self.at(world, of.expect("a quarter")),
                    content: Digest::of(format!("{} {by} {amount}", one.claim.amount).as_bytes()),
                }
            })
            .collect()
    }

    /// As [`Model::balances`], added up from entries and documents.
    pub(super) fn balances(&self, partner: usize) -> [i128; 9] {
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
            -of(&[Account::PartnerFunds]),
        ]
    }
}
