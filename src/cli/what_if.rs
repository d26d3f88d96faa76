//! `what-if`: what a partner could do, and what it would bring.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::explain::parse;
use super::query::current;
use super::{CommandResult, Session};
use crate::domain::ids::DomainId;
use crate::domain::{Currency, Dec, Grade, Score};
use crate::evaluation::explain::number;
use crate::evaluation::what_if::{Change, Stand};
use crate::pipeline::PipelineError;
use crate::pipeline::what_if::{Answer, WorthDoing, ask};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    partner: String,
    /// Evaluation period, such as 2026-Q3.
    period: String,
    /// List actions without any effect too.
    #[arg(long)]
    all: bool,
}

pub(super) fn what_if(session: &Session, args: &Args) -> CommandResult {
    let (partner, period) = parse(&args.partner, &args.period)?;
    let Some(answer) = ask(&session.layout, &current(session)?, &partner, period)? else {
        return Err(PipelineError::Usage(format!("{partner} was not evaluated in {period}")));
    };
    if session.output.json {
        session.output.value(&json(&answer));
        return Ok(());
    }
    let output = session.output;
    let mut earned = money(&answer.earned, false);
    if earned.is_empty() {
        "nothing".clone_into(&mut earned);
    }
    output.line(&format!("{partner} in {period}, by {}", answer.release));
    output.wrapped(
        0,
        &format!("present: {}; earned in the period: {earned}", stand(answer.present)),
    );
    if answer.closed {
        output.line("the period is closed: this is what would have been");
    }
    output.line("");
    let telling = |option: &&WorthDoing| args.all || has_effect(option);
    let shown: Vec<&WorthDoing> = answer.options.iter().filter(telling).collect();
    for (i, option) in shown.iter().enumerate() {
        let place = option.effect.action.domain.as_ref().map_or("card", DomainId::as_str);
        output.wrapped(0, &format!("{:>2}. {place}: {}", i + 1, option.effect.action.words));
        output.wrapped(4, &effect(option));
    }
    if shown.is_empty() {
        output.line("nothing of what was tried changes anything");
    }
    let silent = answer.options.len() - shown.len();
    output.line("");
    if silent > 0 {
        output.line(&format!("{silent} more without effect: --all"));
    }
    output.wrapped(
        0,
        "each action was evaluated by itself, by the engine and rules of the release; effects do not add up. Facts of \
         others, and with them the partner's peers, are left as they are",
    );
    Ok(())
}

fn has_effect(option: &WorthDoing) -> bool {
    let [before, after] = option.effect.card;
    let [a, b] = option.effect.domain;
    before != after || a != b || !option.money.is_empty()
}

fn stand(stand: Stand) -> String {
    match (stand.score, stand.grade) {
        (Some(score), Some(grade)) => format!("{score} {grade}"),
        (Some(score), None) => score.to_string(),
        (None, Some(grade)) => format!("not rated, {grade}"),
        (None, None) => "not rated".to_owned(),
    }
}

fn effect(option: &WorthDoing) -> String {
    let [before, after] = &option.effect.card;
    let mut parts = vec![match option.effect.points() {
        Some(points) if points.is_zero() => "card unchanged".to_owned(),
        Some(points) => format!("card {} → {} ({})", stand(*before), stand(*after), signed(points)),
        None if before == after => "card unchanged".to_owned(),
        None => format!("card {} → {}", stand(*before), stand(*after)),
    }];
    if let ([Some(a), Some(b)], Some(_)) = (&option.effect.domain, &option.effect.action.domain)
        && a != b
    {
        parts.push(format!("domain {} → {}", stand(*a), stand(*b)));
    }
    if !option.money.is_empty() {
        parts.push(money(&option.money, true));
    }
    parts.join(";  ")
}

fn signed(number: Dec) -> String {
    if number.units() > 0 {
        format!("+{number}")
    } else {
        number.to_string()
    }
}

fn money(amounts: &BTreeMap<Currency, Dec>, sign: bool) -> String {
    let one = |(currency, amount): (&Currency, &Dec)| {
        let amount = if sign { signed(*amount) } else { amount.to_string() };
        format!("{currency} {amount}")
    };
    amounts.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn json(answer: &Answer) -> Json {
    let stand = |s: &Stand| {
        json!({
            "score": s.score.map(|s| Score::dec(s).to_string()), "grade": s.grade.map(Grade::as_str),
            "state": s.standing.as_str(),
        })
    };
    let amounts = |amounts: &BTreeMap<Currency, Dec>| -> Map<String, Json> {
        amounts
            .iter()
            .map(|(c, a)| (c.to_string(), Json::String(a.to_string())))
            .collect()
    };
    let option = |(i, o): (usize, &WorthDoing)| {
        let action = &o.effect.action;
        let (quantity, score, event) = match &action.change {
            Change::ReturnParts { quantity } => (Some(*quantity), None, None),
            Change::SatisfiedAnswers { answers } => (Some(*answers), None, None),
            Change::Inspections { inspections, score } => (Some(*inspections), Some(score.to_string()), None),
            Change::Certify { stars, .. } => (Some(*stars), None, None),
            Change::UpholdAppeal { event_id } => (None, None, Some(event_id.to_string())),
            Change::OnTime { deliveries } => (Some(*deliveries), None, None),
            Change::CloseCritical | Change::Value { .. } => (None, None, None),
        };
        let presumed = match &action.change {
            Change::Value { metric, value } => Some((metric.as_str(), number(value))),
            _ => None,
        };
        json!({
            "rank": i + 1, "kind": action.kind(), "domain": action.domain.as_ref().map(DomainId::as_str),
            "words": action.words, "quantity": quantity, "inspection_score": score, "event_id": event,
            "metric": presumed.as_ref().map(|(metric, _)| metric), "metric_value": presumed.as_ref().map(|(_, value)| value),
            "points": o.effect.points().map(|p| p.to_string()),
            "domain_points": o.effect.domain_points().map(|p| p.to_string()),
            "card_before": stand(&o.effect.card[0]), "card_after": stand(&o.effect.card[1]),
            "domain_before": o.effect.domain[0].as_ref().map(stand),
            "domain_after": o.effect.domain[1].as_ref().map(stand),
            "money": amounts(&o.money),
        })
    };
    json!({
        "release": answer.release, "closed": answer.closed, "present": stand(&answer.present),
        "earned": amounts(&answer.earned),
        "peers": "left as they are",
        "actions": answer.options.iter().enumerate().map(option).collect::<Vec<_>>(),
    })
}
