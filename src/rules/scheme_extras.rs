//! What a scheme says beside its method: what decides, over which time, returns, other schemes, who gets it.
//!
//! Duty: read `cumulative_over`, `decision`, `returns`, `stacking`, `accrual`, `beneficiaries`, `fund`; each may be absent.
//! Not its duty: whether they go together with the method (incentives).

use super::leaf::{Out, Within, decimal, rate};
use super::read::{MAX_DAYS, PERIOD_KINDS};
use super::scheme::{Accrual, BasisAmount, Beneficiary, Decision, Fund, Returns, Share, Stacking};
use super::schemes::{AMOUNTS, choice_or_first};
use super::section::Section;
use super::tree::Node;
use crate::domain::PeriodKind;
use crate::domain::ids::PartnerId;

/// A kind of period that holds several earning periods.
#[expect(clippy::option_option, reason = "the outer one says whether it could be read")]
pub(super) fn read_cumulative(
    out: &mut Out,
    s: &mut Section<'_>,
    earning: Option<PeriodKind>,
) -> Option<Option<PeriodKind>> {
    if s.get("cumulative_over").is_none() {
        return Some(None);
    }
    let over = s.choice(out, "cumulative_over", &PERIOD_KINDS)?;
    if earning.is_some_and(|earning| over <= earning) {
        let message = "it is not longer than the earning period".to_owned();
        let (origin, path) = (s.origin_of("cumulative_over"), s.at("cumulative_over"));
        out.error(
            origin,
            &path,
            "rules.value",
            message,
            "name a longer period, or remove it",
        );
        return None;
    }
    Some(Some(over))
}

/// What decides; by default what pays, of the earning period.
pub(super) fn read_decision(out: &mut Out, s: &mut Section<'_>, amount: Option<BasisAmount>) -> Option<Decision> {
    let Some(item) = s.get("decision") else {
        return Some(Decision {
            on: amount?,
            year_to_date: false,
        });
    };
    let mut table = Section::open(out, s.at("decision"), item)?;
    let on = match table.get("on") {
        None => amount,
        Some(_) => table.choice(out, "on", &AMOUNTS),
    };
    let over = [("period", false), ("year_to_date", true)];
    let year_to_date = choice_or_first(out, &mut table, "over", &over);
    table.finish(out);
    Some(Decision {
        on: on?,
        year_to_date: year_to_date?,
    })
}

pub(super) fn read_returns(out: &mut Out, s: &mut Section<'_>) -> Option<Returns> {
    let Some(item) = s.get("returns") else {
        return Some(Returns::default());
    };
    let mut table = Section::open(out, s.at("returns"), item)?;
    let recover = table
        .need(out, "recover", "\"100 %\"")
        .and_then(|item| rate(out, &table.at("recover"), item));
    let lose = table.choice(out, "progress", &[("lost", true), ("kept", false)]);
    table.finish(out);
    Some(Returns {
        recover: recover?.share().clone(),
        lose_progress: lose?,
    })
}

#[expect(clippy::option_option, reason = "the outer one says whether it could be read")]
pub(super) fn read_stacking(out: &mut Out, s: &mut Section<'_>) -> Option<Option<Stacking>> {
    let Some(item) = s.get("stacking") else {
        return Some(None);
    };
    let mut table = Section::open(out, s.at("stacking"), item)?;
    let group = table
        .text(out, "group", "\"the name that schemes of one stack share\"")
        .map(str::to_owned);
    let order = table.count(out, "order", 1..=1_000);
    let net = table.choice(out, "basis", &[("gross", false), ("net_of_earlier", true)]);
    let reduces_others = table.flag(out, "reduces_others");
    table.finish(out);
    Some(Some(Stacking {
        group: group?,
        order: order?,
        net_of_earlier: net?,
        reduces_others: reduces_others?,
    }))
}

#[expect(clippy::option_option, reason = "the outer one says whether it could be read")]
pub(super) fn read_accrual(out: &mut Out, s: &mut Section<'_>) -> Option<Option<Accrual>> {
    let Some(item) = s.get("accrual") else {
        return Some(None);
    };
    let mut table = Section::open(out, s.at("accrual"), item)?;
    let share = table
        .get("rate")
        .map(|i| rate(out, &table.at("rate"), i).map(Accrual::Rate));
    let forecast = table
        .get("forecast")
        .map(|i| decimal(out, &table.at("forecast"), i, Within::Positive).map(Accrual::Forecast));
    let (origin, path) = (table.origin, table.path.clone());
    table.finish(out);
    match (share, forecast) {
        (Some(one), None) | (None, Some(one)) => Some(Some(one?)),
        _ => {
            let message = "an accrual goes by a rate or by a forecast, one of them".to_owned();
            out.error(
                origin,
                &path,
                "rules.value",
                message,
                "write rate = \"4 %\" or forecast = \"150000\"",
            );
            None
        }
    }
}

#[expect(clippy::option_option, reason = "the outer one says whether it could be read")]
pub(super) fn read_fund(out: &mut Out, s: &mut Section<'_>) -> Option<Option<Fund>> {
    let Some(item) = s.get("fund") else {
        return Some(None);
    };
    let mut table = Section::open(out, s.at("fund"), item)?;
    let days = table.count(out, "claims_until_days", 0..=MAX_DAYS);
    table.finish(out);
    Some(Some(Fund {
        claims_until_days: days?,
    }))
}

/// `[{ to = "partner", weight = "70" }, { to = "parent", weight = "30" }]`
pub(super) fn read_beneficiaries(out: &mut Out, s: &mut Section<'_>) -> Option<Vec<Share>> {
    let Some(item) = s.get("beneficiaries") else {
        return Some(Vec::new());
    };
    let path = s.at("beneficiaries");
    let Node::List(entries) = &item.node else {
        let remedy =
            "write beneficiaries = [{ to = \"partner\", weight = \"70\" }, { to = \"parent\", weight = \"30\" }]";
        out.wrong_type(item, &path, "a list of shares", remedy);
        return None;
    };
    let mut shares: Vec<Share> = Vec::new();
    let mut whole = true;
    for (i, entry) in entries.iter().enumerate() {
        let mut table = Section::open(out, format!("{path}[{i}]"), entry)?;
        let to = table.text(out, "to", "\"partner\", \"parent\" or a partner's id");
        let weight = table.ratio(out, "weight", Within::Positive);
        let origin = table.origin_of("to");
        let at = table.at("to");
        table.finish(out);
        let (Some(to), Some(weight)) = (to, weight) else {
            whole = false;
            continue;
        };
        let to = match to {
            "partner" => Beneficiary::Partner,
            "parent" => Beneficiary::Parent,
            id => match PartnerId::new(id) {
                Ok(id) => Beneficiary::Named(id),
                Err(error) => {
                    out.error(
                        origin,
                        &at,
                        "rules.value",
                        format!("the partner's id {error}"),
                        "correct the id",
                    );
                    whole = false;
                    continue;
                }
            },
        };
        if shares.iter().any(|s| s.to == to) {
            let message = "a beneficiary stands twice".to_owned();
            out.error(origin, &at, "rules.value", message, "add the two weights");
            whole = false;
            continue;
        }
        shares.push(Share { to, weight });
    }
    whole.then_some(shares)
}
