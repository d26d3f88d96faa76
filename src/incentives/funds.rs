//! Funds: what is set aside, what is claimed on it, what lapses.
//!
//! Duty: what becomes of each claim, what a fund can pay of it, what nobody claimed in time. Not its duty: what is set
//! aside (`target`), postings (ledger), who may rule (the caller).
//!
//! | derived | from | step |
//! |---|---|---|
//! | state and approved amount of a claim | claim, its last ruling, the fund | [`judge`] |
//! | what lapses of a fund | set aside, approved and open claims, the day | [`lapse`] |
//! | what is payable on a claim | approved claims in the order of their rulings, what is in the fund | [`payable`] |

use std::collections::BTreeMap;

use super::table::{self, AMOUNT, BASIS, published, row};
use super::target::Component;
use super::{IncentiveError, Incentives, Target};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Date, Instant, Money, Period, Row, Value};

/// Component of `rebates`: what nobody claimed in time.
pub const LAPSED: &str = "fund:lapsed";

/// A claim of a partner on a fund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub id: String,
    pub partner: PartnerId,
    pub scheme: SchemeId,
    /// Earning period that is drawn on.
    pub period: Period,
    /// Not below zero.
    pub amount: Money,
    pub claimed_on: Date,
}

/// What a person decided on a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    pub at: Instant,
    pub decision_id: String,
    pub by: String,
    pub verdict: Verdict,
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Of so much; none: all that is claimed.
    Approved(Option<Money>),
    Rejected,
    /// An earlier ruling no longer stands.
    Withdrawn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// The earning period is not over: there is no fund yet.
    Waiting,
    /// Nobody has ruled on it.
    Open,
    Approved,
    Rejected,
    /// It cannot be paid, whatever is ruled.
    Refused,
}

impl ClaimState {
    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ClaimState::Waiting => "waiting",
            ClaimState::Open => "open",
            ClaimState::Approved => "approved",
            ClaimState::Rejected => "rejected",
            ClaimState::Refused => "refused",
        }
    }
}

/// A claim, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub claim: Claim,
    pub state: ClaimState,
    /// At most what is claimed; zero in every state but `Approved`.
    pub approved: Money,
    /// Why it is in its state, where a ruling does not say it.
    pub why: Option<String>,
    /// The last one, if it stands.
    pub ruling: Option<Ruling>,
}

impl Judged {
    /// What it keeps from lapsing: what was approved, or what may still be.
    fn reserves(&self) -> Money {
        match self.state {
            ClaimState::Open => self.claim.amount,
            _ => self.approved,
        }
    }
}

/// Judges the claims, in their order; `rulings` by claim, `ended` the earning periods that are over.
#[must_use]
pub fn judge(
    claims: Vec<Claim>,
    rulings: &BTreeMap<String, Vec<Ruling>>,
    targets: &[Target],
    ended: &dyn Fn(Period) -> bool,
) -> Vec<Judged> {
    let mut funds: BTreeMap<(&PartnerId, &SchemeId, Period), (&Target, Date)> = BTreeMap::new();
    for target in targets {
        if let Some(until) = target.claims_until_on {
            funds.insert(
                (&target.partner, &target.scheme, target.earning_period),
                (target, until),
            );
        }
    }
    claims
        .into_iter()
        .map(|claim| {
            let fund = funds.get(&(&claim.partner, &claim.scheme, claim.period));
            let last = rulings.get(&claim.id).into_iter().flatten();
            let last = last.max_by(|a, b| (a.at, &a.decision_id).cmp(&(b.at, &b.decision_id)));
            let ruling = last.filter(|r| r.verdict != Verdict::Withdrawn).cloned();
            let zero = Money::zero(claim.amount.currency());
            let (state, approved, why) = match fund {
                None if !ended(claim.period) => {
                    (ClaimState::Waiting, zero, Some(format!("{} is not over", claim.period)))
                }
                None => {
                    let why = format!("{} has no fund {} of {}", claim.partner, claim.scheme, claim.period);
                    (ClaimState::Refused, zero, Some(why))
                }
                Some((target, _)) if target.amount.currency() != claim.amount.currency() => {
                    let why = format!(
                        "it is in {}, and the fund in {}",
                        claim.amount.currency(),
                        target.amount.currency()
                    );
                    (ClaimState::Refused, zero, Some(why))
                }
                Some((_, until)) if claim.claimed_on > *until => {
                    let why = format!("claimed on {}, after {until}", claim.claimed_on);
                    (ClaimState::Refused, zero, Some(why))
                }
                Some(_) => ruled(&claim, ruling.as_ref()),
            };
            Judged {
                claim,
                state,
                approved,
                why,
                ruling,
            }
        })
        .collect()
}

/// What the last ruling makes of a claim that can be paid.
fn ruled(claim: &Claim, ruling: Option<&Ruling>) -> (ClaimState, Money, Option<String>) {
    let zero = Money::zero(claim.amount.currency());
    match ruling.map(|r| r.verdict) {
        None | Some(Verdict::Withdrawn) => (ClaimState::Open, zero, None),
        Some(Verdict::Rejected) => (ClaimState::Rejected, zero, None),
        Some(Verdict::Approved(None)) => (ClaimState::Approved, claim.amount, None),
        Some(Verdict::Approved(Some(amount))) if amount.currency() != claim.amount.currency() => {
            let why = format!(
                "{amount} was approved, and it is in {}: approve it anew",
                claim.amount.currency()
            );
            (ClaimState::Open, zero, Some(why))
        }
        Some(Verdict::Approved(Some(amount))) if amount.is_negative() => {
            let why = format!("{amount} was approved, which is below zero: approve it anew");
            (ClaimState::Open, zero, Some(why))
        }
        Some(Verdict::Approved(Some(amount))) if amount.minor_units() > claim.amount.minor_units() => {
            let why = format!("{amount} was approved, and no more counts than was claimed");
            (ClaimState::Approved, claim.amount, Some(why))
        }
        Some(Verdict::Approved(Some(amount))) => (ClaimState::Approved, amount, None),
    }
}

/// A fund of a partner in an earning period. Key: partner, scheme, earning period, currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fund {
    pub partner: PartnerId,
    pub scheme: SchemeId,
    pub earning_period: Period,
    /// Before anything lapsed.
    pub set_aside: Money,
    pub approved: Money,
    /// Of claims on which nobody has ruled.
    pub open: Money,
    pub lapsed: Money,
    pub claims_until_on: Date,
}

/// Takes from every target what lapsed of its fund, with a row that says so, and tells of each fund.
pub fn lapse(earned: &mut Incentives, claims: &[Judged], today: Date) -> Result<Vec<Fund>, IncentiveError> {
    let problem = |about: &Target, e: String| {
        IncentiveError::Problems(vec![format!(
            "partner {}, scheme {}, {}: {e}",
            about.partner, about.scheme, about.earning_period
        )])
    };
    let mut of_fund: BTreeMap<(&PartnerId, &SchemeId, Period), Vec<&Judged>> = BTreeMap::new();
    for judged in claims {
        if matches!(judged.state, ClaimState::Open | ClaimState::Approved) {
            let claim = &judged.claim;
            of_fund
                .entry((&claim.partner, &claim.scheme, claim.period))
                .or_default()
                .push(judged);
        }
    }
    let mut funds = Vec::new();
    let mut lapses: BTreeMap<[String; 3], (Money, Row)> = BTreeMap::new();
    for target in &mut earned.targets {
        let Some(until) = target.claims_until_on else { continue };
        let on_it = of_fund.get(&(&target.partner, &target.scheme, target.earning_period));
        let on_it = || on_it.into_iter().flatten();
        let zero = Money::zero(target.amount.currency());
        let add = |sum: Money, amount: Money| sum.checked_add(amount).map_err(|e| problem(target, e.to_string()));
        let open = on_it().filter(|j| j.state == ClaimState::Open);
        let open = open.map(|j| j.claim.amount).try_fold(zero, add)?;
        let approved = on_it().map(|j| j.approved).try_fold(zero, add)?;
        let reserved = on_it().map(|j| j.reserves()).try_fold(zero, add)?;
        let free = target
            .amount
            .checked_sub(reserved)
            .map_err(|e| problem(target, e.to_string()))?;
        let lapsed = if today > until && free.minor_units() > 0 {
            free
        } else {
            zero
        };
        funds.push(Fund {
            partner: target.partner.clone(),
            scheme: target.scheme.clone(),
            earning_period: target.earning_period,
            set_aside: target.amount,
            approved,
            open,
            lapsed,
            claims_until_on: until,
        });
        if lapsed.is_zero() {
            continue;
        }
        let component = Component {
            basis: target.amount.dec().ratio(),
            amount: lapsed.negated().dec().ratio(),
            reason: Some(format!("not claimed by {until}")),
            ..Component::new("", LAPSED)
        };
        let key = [
            target.partner.to_string(),
            target.scheme.to_string(),
            target.earning_period.to_string(),
        ];
        let names = [key[0].as_str(), key[1].as_str(), key[2].as_str()];
        let new = row(names, lapsed.currency().code(), &component, None).map_err(|e| problem(target, e))?;
        lapses.insert(key, (lapsed, new));
        target.amount = target
            .amount
            .checked_sub(lapsed)
            .map_err(|e| problem(target, e.to_string()))?;
    }
    if lapses.is_empty() {
        return Ok(funds);
    }
    let columns = earned.rebates.columns().to_vec();
    let mut rows = std::mem::replace(
        &mut earned.rebates,
        crate::domain::Table::with_columns("rebates", columns),
    )
    .rows;
    for row in &mut rows {
        let is_total = matches!(&row[table::COMPONENT_AT], Value::Text(name) if name.as_ref() == "earned");
        if !is_total {
            continue;
        }
        let key = [0, 1, 2].map(|column| row[column].to_string());
        let Some((lapsed, _)) = lapses.get(&key) else { continue };
        let lapsed = lapsed.dec().ratio();
        for (at, form) in [(table::AMOUNT_AT, AMOUNT), (table::BOOKED_AT, BASIS)] {
            if let Value::Dec(amount) = &row[at] {
                let left = published(&(&amount.ratio() - &lapsed), form, "earned");
                row[at] = left.map_err(|e| IncentiveError::Problems(vec![e]))?.into();
            }
        }
    }
    rows.extend(lapses.into_values().map(|(_, row)| row));
    earned.rebates = table::table(rows);
    Ok(funds)
}

/// What can be paid on each claim out of what is in its fund (`in_fund`, what was paid on claims included): approved
/// claims in the order of their rulings, then by id, until the fund is empty. In the order of the claims.
#[must_use]
pub fn payable(claims: &[Judged], in_fund: &dyn Fn(&Claim) -> Money) -> Vec<Money> {
    let mut order: Vec<usize> = (0..claims.len())
        .filter(|i| claims[*i].state == ClaimState::Approved)
        .collect();
    order.sort_by_key(|i| (claims[*i].ruling.as_ref().map(|r| r.at), &claims[*i].claim.id));
    let mut left: BTreeMap<(&PartnerId, &SchemeId, Period), i128> = BTreeMap::new();
    let mut paid: Vec<Money> = claims.iter().map(|j| Money::zero(j.claim.amount.currency())).collect();
    for i in order {
        let (claim, approved) = (&claims[i].claim, claims[i].approved);
        let left = left
            .entry((&claim.partner, &claim.scheme, claim.period))
            .or_insert_with(|| in_fund(claim).minor_units().max(0));
        let now = approved.minor_units().min(*left);
        *left -= now;
        // no more than was approved, which is money
        paid[i] = Money::from_minor(now, approved.currency()).unwrap_or(paid[i]);
    }
    paid
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{World, day, flat, scheme};
    use super::*;
    use crate::domain::{Currency, Dec};
    use crate::rules::{Fund as FundRules, Scheme};

    /// 5 % of sales, to be claimed within 90 days of the quarter's end.
    fn fund() -> Scheme {
        Scheme {
            id: SchemeId::new("fund").unwrap(),
            fund: Some(FundRules { claims_until_days: 90 }),
            ..scheme(flat("5 %"))
        }
    }

    fn eur(text: &str) -> Money {
        Money::exact(Dec::parse(text).unwrap(), Currency::parse("EUR").unwrap()).unwrap()
    }

    fn claim(id: &str, amount: &str, on: &str) -> Claim {
        Claim {
            id: id.to_owned(),
            partner: PartnerId::new("P1").unwrap(),
            scheme: SchemeId::new("fund").unwrap(),
            period: Period::parse("2026-Q3").unwrap(),
            amount: eur(amount),
            claimed_on: day(on),
        }
    }

    fn ruling(second: i64, verdict: Verdict) -> Ruling {
        Ruling {
            at: Instant::from_micros(second * 1_000_000),
            decision_id: format!("D{second}"),
            by: "someone".to_owned(),
            verdict,
            reason: "seen".to_owned(),
        }
    }

    fn earned(sales: &[&str]) -> Incentives {
        let mut world = World::new([fund()]);
        for sale in sales {
            world.sale(sale);
        }
        world.compute().unwrap()
    }

    fn judged(earned: &Incentives, claims: Vec<Claim>, rulings: &[(&str, Ruling)]) -> Vec<Judged> {
        let mut by_claim: BTreeMap<String, Vec<Ruling>> = BTreeMap::new();
        for (id, ruling) in rulings {
            by_claim.entry((*id).to_owned()).or_default().push(ruling.clone());
        }
        judge(claims, &by_claim, &earned.targets, &|period| {
            period <= Period::parse("2026-Q3").unwrap()
        })
    }

    fn states(judged: &[Judged]) -> Vec<String> {
        let state = |j: &Judged| format!("{} {} {}", j.claim.id, j.state.as_str(), j.approved.dec());
        judged.iter().map(state).collect()
    }

    #[test]
    fn claims_are_judged_by_their_last_ruling_and_their_fund() {
        let earned = earned(&["P1 ups EUR 20000 2026-07-02"]);
        assert_eq!(earned.targets[0].amount, eur("1000.00"));
        assert_eq!(earned.targets[0].claims_until_on, Some(day("2026-12-29")));
        let usd = Money::exact(Dec::parse("5.00").unwrap(), Currency::parse("USD").unwrap()).unwrap();
        let claims = vec![
            claim("C1", "400.00", "2026-08-01"),
            claim("C2", "300.00", "2026-12-29"),
            claim("C3", "300.00", "2026-12-30"),
            claim("C4", "50.00", "2026-08-01"),
            Claim {
                amount: usd,
                ..claim("C5", "0.00", "2026-08-01")
            },
            Claim {
                period: Period::parse("2026-Q4").unwrap(),
                ..claim("C6", "1.00", "2026-08-01")
            },
            Claim {
                scheme: SchemeId::new("bonus").unwrap(),
                ..claim("C7", "1.00", "2026-08-01")
            },
            claim("C8", "60.00", "2026-08-01"),
            claim("C9", "70.00", "2026-08-01"),
        ];
        let rulings = [
            ("C1", ruling(2, Verdict::Approved(Some(eur("350.00"))))),
            ("C1", ruling(1, Verdict::Rejected)),
            ("C3", ruling(1, Verdict::Approved(None))),
            ("C4", ruling(1, Verdict::Approved(Some(eur("99.00"))))),
            ("C8", ruling(1, Verdict::Approved(None))),
            ("C8", ruling(2, Verdict::Withdrawn)),
            ("C9", ruling(1, Verdict::Approved(Some(usd)))),
        ];
        let judged = judged(&earned, claims, &rulings);
        let expected = [
            "C1 approved 350.00",
            "C2 open 0.00",
            "C3 refused 0.00",
            "C4 approved 50.00",
            "C5 refused 0.00",
            "C6 waiting 0.00",
            "C7 refused 0.00",
            "C8 open 0.00",
            "C9 open 0.00",
        ];
        assert_eq!(states(&judged), expected);
        let why: Vec<&str> = judged.iter().filter_map(|j| j.why.as_deref()).collect();
        assert_eq!(
            why,
            [
                "claimed on 2026-12-30, after 2026-12-29",
                "99.00 EUR was approved, and no more counts than was claimed",
                "it is in USD, and the fund in EUR",
                "2026-Q4 is not over",
                "P1 has no fund bonus of 2026-Q3",
                "5.00 USD was approved, and it is in EUR: approve it anew",
            ]
        );
    }

    #[test]
    fn a_fund_pays_in_the_order_of_rulings_until_it_is_empty() {
        let earned = earned(&["P1 ups EUR 20000 2026-07-02"]);
        let claims = ["C1", "C2", "C3"].map(|id| claim(id, "600.00", "2026-08-01")).to_vec();
        let rulings = [
            ("C1", ruling(3, Verdict::Approved(None))),
            ("C2", ruling(1, Verdict::Approved(None))),
            ("C3", ruling(3, Verdict::Approved(Some(eur("10.00"))))),
        ];
        let judged = judged(&earned, claims, &rulings);
        let paid = |in_fund: &str| -> Vec<String> {
            let fund = eur(in_fund);
            payable(&judged, &|_| fund)
                .iter()
                .map(|m| m.dec().to_string())
                .collect()
        };
        assert_eq!(paid("1000.00"), ["400.00", "600.00", "0.00"]);
        assert_eq!(paid("2000.00"), ["600.00", "600.00", "10.00"]);
        assert_eq!(paid("0.00"), ["0.00", "0.00", "0.00"]);
        // returns took more than was set aside
        assert_eq!(paid("-5.00"), ["0.00", "0.00", "0.00"]);
    }

    #[test]
    fn what_nobody_claims_in_time_lapses_and_open_claims_keep_their_part() {
        let lapsed = |today: &str, rulings: &[(&str, Ruling)]| {
            let mut earned = earned(&["P1 ups EUR 20000 2026-07-02"]);
            let claims = vec![claim("C1", "400.00", "2026-08-01"), claim("C2", "100.00", "2026-08-01")];
            let judged = judged(&earned, claims, rulings);
            let funds = lapse(&mut earned, &judged, day(today)).unwrap();
            super::super::fixture::adds_up(&earned);
            (
                funds[0].lapsed.dec().to_string(),
                earned.targets[0].amount.dec().to_string(),
            )
        };
        let both = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(lapsed("2026-12-29", &[]), both("0.00", "1000.00"));
        assert_eq!(lapsed("2026-12-30", &[]), both("500.00", "500.00"));
        let approved = ruling(1, Verdict::Approved(Some(eur("250.00"))));
        assert_eq!(lapsed("2026-12-30", &[("C1", approved)]), both("650.00", "350.00"));
        let rejected = [
            ("C1", ruling(1, Verdict::Rejected)),
            ("C2", ruling(1, Verdict::Rejected)),
        ];
        assert_eq!(lapsed("2026-12-30", &rejected), both("1000.00", "0.00"));
    }

    #[test]
    fn a_fund_is_never_below_zero() {
        let earned = earned(&["P1 ups EUR 100 2026-07-02", "P1 ups EUR -300 2026-08-02"]);
        assert_eq!(earned.targets[0].amount, eur("0.00"));
        let says = |row: &Row| (row[table::COMPONENT_AT].to_string(), row[table::AMOUNT_AT].to_string());
        let floor: Vec<_> = earned
            .rebates
            .rows
            .iter()
            .map(says)
            .filter(|(name, _)| name == "fund:floor")
            .collect();
        assert_eq!(floor, [("fund:floor".to_owned(), "10.000000000000".to_owned())]);
    }
}
