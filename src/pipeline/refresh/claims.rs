//! Claims on funds: what feeds and decisions say of them, what of it is paid, and how each fund stands.
//!
//! Duty: read claims and rulings; hand what is payable to the books; the tables `claim_states` and `funds`. Not its duty:
//! what becomes of a claim and what lapses (`incentives::funds`), postings (ledger).

use std::collections::{BTreeMap, BTreeSet};

use super::settlement::feeds::{Adjustment, Days, content_of, money, warn};
use super::{PipelineError, Refresh, Timeline};
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::money::MoneyError;
use crate::domain::{Currency, Findings, Instant, Money, Period, RowRef, Table, Value, Zone};
use crate::incentives::Incentives;
use crate::incentives::funds::{self, Claim, ClaimState, Fund, Judged, Ruling, Verdict};
use crate::ledger::{Account, Books, Key, Keyed, Reason, post_keyed};

/// Kind of the decisions on claims.
pub(in crate::pipeline) const KIND: &str = "claim";

/// Claims as judged, and the funds they are on.
pub(super) struct Claims {
    judged: Vec<Judged>,
    /// Hash of the rows of the claims, in their order.
    contents: Vec<crate::domain::Digest>,
    funds: Vec<Fund>,
}

impl Refresh<'_> {
    /// Judges the claims, and takes from what was earned what lapsed.
    pub(super) fn claims(&mut self, timeline: &Timeline, earned: &mut Incentives) -> Result<Claims, PipelineError> {
        let table = self.table("claims")?;
        let (mut claims, mut contents) = (Vec::new(), Vec::new());
        for row in table.iter() {
            claims.push(claim(row)?);
            contents.push(content_of(
                row,
                &[
                    "claim_id",
                    "partner_id",
                    "scheme",
                    "period",
                    "amount",
                    "currency",
                    "claimed_on",
                ],
            )?);
        }
        let rulings = rulings(&self.table("decisions")?)?;
        let known: BTreeSet<&str> = claims.iter().map(|c| c.id.as_str()).collect();
        for (id, rulings) in rulings.iter().filter(|(id, _)| !known.contains(id.as_str())) {
            let by = rulings.last().map_or("", |r| &r.by);
            self.summary.findings.push(warn(
                "decisions",
                id,
                "claim.unknown",
                format!("{by} ruled on claim {id}, which nobody has made"),
                "deliver the claim, or rule on the right one; the next run reads both",
            ));
        }
        let ended: BTreeSet<Period> = timeline.earned.iter().copied().collect();
        let judged = funds::judge(claims, &rulings, &earned.targets, &|period| ended.contains(&period));
        for one in judged.iter().filter(|j| j.state == ClaimState::Refused) {
            let why = one.why.as_deref().unwrap_or_default();
            self.summary.findings.push(warn(
                "claims",
                &one.claim.id,
                "claim.refused",
                format!("claim {} of {} cannot be paid: {why}", one.claim.id, one.claim.amount),
                "deliver the claim corrected, or tell the partner; the next run judges it anew",
            ));
        }
        let stage = PipelineError::stage("the funds");
        let funds = funds::lapse(earned, &judged, timeline.today).map_err(|e| stage(e.to_string()))?;
        Ok(Claims {
            judged,
            contents,
            funds,
        })
    }

    /// Posts what is payable on each claim, and stages `claim_states` and `funds`. Returns what statements show of them.
    pub(super) fn post_claims(
        &mut self,
        books: &mut Books,
        claims: &Claims,
        days: &Days<'_>,
        findings: &mut Findings,
    ) -> Result<Vec<Adjustment>, PipelineError> {
        let stage = PipelineError::stage("the funds");
        let mut in_funds: BTreeMap<Key, Money> = BTreeMap::new();
        for entry in books.entries() {
            if entry.account == Account::PartnerFunds && entry.reason.is_of_target() {
                let sum = in_funds
                    .entry(entry.key())
                    .or_insert(Money::zero(entry.amount.currency()));
                *sum = sum.checked_sub(entry.amount).map_err(|e| stage(e.to_string()))?;
            }
        }
        let in_fund = |claim: &Claim| {
            let found = in_funds.get(&key(claim)).copied();
            found.unwrap_or(Money::zero(claim.amount.currency()))
        };
        let paid = funds::payable(&claims.judged, &in_fund);
        let (mut rows, mut shown) = (Vec::new(), Vec::new());
        for ((one, content), amount) in claims.judged.iter().zip(&claims.contents).zip(&paid) {
            let Some(ruling) = one.ruling.as_ref().filter(|_| one.state == ClaimState::Approved) else {
                continue;
            };
            if amount.minor_units() < one.approved.minor_units() {
                let message = format!(
                    "{} was approved on claim {}, and {amount} of it is paid: there is no more in the fund",
                    one.approved, one.claim.id
                );
                let remedy =
                    "nothing, if the rest is not to be paid; what is set aside later, or is no longer on hold, pays it";
                findings.push(warn("claims", &one.claim.id, "claim.fund-empty", message, remedy));
            }
            let mut hasher = crate::domain::hash::Hasher::new();
            for part in [content.to_string(), ruling.decision_id.clone(), amount.to_string()] {
                hasher.field(part.as_bytes());
            }
            shown.push(Adjustment {
                id: one.claim.id.clone(),
                says: format!(
                    "claimed {} on {}, approved {} by {} on {}: {}",
                    one.claim.amount,
                    one.claim.claimed_on,
                    one.approved,
                    ruling.by,
                    Zone::UTC.date_of(ruling.at),
                    ruling.reason
                ),
            });
            rows.push(Keyed {
                id: one.claim.id.clone(),
                key: key(&one.claim),
                amount: *amount,
                at: days.on(Zone::UTC.date_of(ruling.at)),
                content: hasher.finish(),
            });
        }
        post_keyed(books, Reason::Claim, &rows, days.first).map_err(|e| stage(e.to_string()))?;
        self.put(states(&claims.judged, &paid))?;
        let funds = funds_table(claims, &paid, &in_funds).map_err(|e| stage(e.to_string()))?;
        self.put(funds)?;
        Ok(shown)
    }
}

fn key(claim: &Claim) -> Key {
    Key {
        partner: claim.partner.clone(),
        scheme: claim.scheme.clone(),
        earning_period: claim.period,
        currency: claim.amount.currency(),
    }
}

fn claim(row: RowRef<'_>) -> Result<Claim, PipelineError> {
    let stage = PipelineError::stage("the claims");
    let text = |column| row.text(column);
    Ok(Claim {
        id: text("claim_id")?.to_owned(),
        partner: PartnerId::new(text("partner_id")?).map_err(|e| stage(e.to_string()))?,
        scheme: SchemeId::new(text("scheme")?).map_err(|e| stage(e.to_string()))?,
        period: Period::parse(text("period")?).map_err(|e| stage(e.to_string()))?,
        amount: money(row)?,
        claimed_on: row.date("claimed_on")?,
    })
}

/// Decisions on claims, by claim.
fn rulings(decisions: &Table) -> Result<BTreeMap<String, Vec<Ruling>>, PipelineError> {
    let mut rulings: BTreeMap<String, Vec<Ruling>> = BTreeMap::new();
    for row in decisions.iter() {
        if row.text("kind")? != KIND {
            continue;
        }
        let verdict = match row.text("outcome")? {
            "approved" => Verdict::Approved(row.opt_dec("amount")?.map(|_| money(row)).transpose()?),
            "rejected" => Verdict::Rejected,
            "withdrawn" => Verdict::Withdrawn,
            _ => continue,
        };
        rulings
            .entry(row.text("subject")?.to_owned())
            .or_default()
            .push(Ruling {
                at: row.instant("decided_at")?,
                decision_id: row.text("decision_id")?.to_owned(),
                by: row.text("by")?.to_owned(),
                verdict,
                reason: row.text("reason")?.to_owned(),
            });
    }
    Ok(rulings)
}

fn decimals(amount: Money) -> Value {
    Value::Dec(amount.dec().rescale(4).unwrap_or_else(|| amount.dec()))
}

/// Key: `claim_id`.
fn states(judged: &[Judged], paid: &[Money]) -> Table {
    let columns = [
        "claim_id",
        "partner_id",
        "scheme",
        "earning_period",
        "currency",
        "claimed_on",
        "claimed_amount",
        "approved_amount",
        "payable_amount",
        "state",
        "reason",
        "decided_on",
        "decided_by",
        "decision_id",
    ];
    let mut table = Table::new("claim_states", &columns);
    for (one, paid) in judged.iter().zip(paid) {
        let (claim, ruling) = (&one.claim, one.ruling.as_ref());
        let day = |at: Instant| Zone::UTC.date_of(at);
        table.push(vec![
            claim.id.as_str().into(),
            claim.partner.as_str().into(),
            claim.scheme.as_str().into(),
            claim.period.to_string().into(),
            claim.amount.currency().code().into(),
            claim.claimed_on.into(),
            decimals(claim.amount),
            decimals(one.approved),
            decimals(*paid),
            one.state.as_str().into(),
            one.why.as_deref().or(ruling.map(|r| r.reason.as_str())).into(),
            ruling.map(|r| day(r.at)).into(),
            ruling.map(|r| r.by.as_str()).into(),
            ruling.map(|r| r.decision_id.as_str()).into(),
        ]);
    }
    table.rows.sort_by(|a, b| a[0].cmp(&b[0]));
    table
}

/// Key: `partner_id`, `scheme`, `earning_period`, `currency`.
fn funds_table(claims: &Claims, paid: &[Money], in_funds: &BTreeMap<Key, Money>) -> Result<Table, MoneyError> {
    let columns = [
        "partner_id",
        "scheme",
        "earning_period",
        "currency",
        "set_aside_amount",
        "approved_amount",
        "open_amount",
        "payable_amount",
        "lapsed_amount",
        "held_amount",
        "available_amount",
        "claims_until_on",
    ];
    let mut drawn: BTreeMap<Key, Money> = BTreeMap::new();
    for (one, paid) in claims.judged.iter().zip(paid) {
        let key = key(&one.claim);
        let sum = drawn.entry(key).or_insert(Money::zero(paid.currency()));
        *sum = sum.checked_add(*paid)?;
    }
    let mut table = Table::new("funds", &columns);
    for fund in &claims.funds {
        let currency: Currency = fund.set_aside.currency();
        let key = Key {
            partner: fund.partner.clone(),
            scheme: fund.scheme.clone(),
            earning_period: fund.earning_period,
            currency,
        };
        let of = |sums: &BTreeMap<Key, Money>| sums.get(&key).copied().unwrap_or(Money::zero(currency));
        let (drawn, in_fund) = (of(&drawn), of(in_funds));
        let held = fund.set_aside.checked_sub(fund.lapsed)?.checked_sub(in_fund)?;
        table.push(vec![
            fund.partner.as_str().into(),
            fund.scheme.as_str().into(),
            fund.earning_period.to_string().into(),
            currency.code().into(),
            decimals(fund.set_aside),
            decimals(fund.approved),
            decimals(fund.open),
            decimals(drawn),
            decimals(fund.lapsed),
            decimals(held),
            decimals(in_fund.checked_sub(drawn)?),
            fund.claims_until_on.into(),
        ]);
    }
    Ok(table)
}
