//! The partner's card: its domains as one score.
//!
//! Duty: exact finals of the rated domains joined by completed deliveries, none above its largest share; events
//! without a domain; one clamp and one rounding. Not its duty: the domains' scores.

use super::cap;
use super::composite::{self, Standing};
use super::derivation::{Card, CardPart, DomainScore, Edition};
use super::domain_score::Setting;
use super::facts::PartnerPeriod;
use super::fields::Read;
use super::metric::joined;
use super::red_lines::RedState;
use crate::domain::{Grade, Ratio};
use crate::rules::RuleBook;

/// Joins the domains of one partner × period.
pub fn card(
    setting: &Setting,
    book: &RuleBook,
    at: &PartnerPeriod,
    domains: Vec<DomainScore>,
    red: RedState,
) -> Read<Card> {
    let parts = parts(book, &domains);
    let weighted = |part: &CardPart| &part.share * &part.exact;
    let base = (!parts.is_empty()).then(|| Ratio::sum(&parts.iter().map(weighted).collect::<Vec<_>>()));
    let events = setting.events.sum(book, &at.partner, None, at.period);
    let finish = composite::finish(book, base.as_ref(), &events.total)?;
    let (standing, reason) = standing(&domains, base.is_some());
    Ok(Card {
        partner: at.partner.clone(),
        period: at.period,
        edition: Edition::of(book),
        completed: domains.iter().fold(0i64, |sum, d| sum.saturating_add(d.completed)),
        previous_final: setting.finals.previous(&at.partner, None, at.period),
        change: Vec::new(),
        grade: if red.is_black() { Some(Grade::E) } else { finish.grade },
        domains,
        parts,
        standing,
        reason,
        events,
        finish,
        red,
    })
}

/// The rated domains with their shares: by completed deliveries, equal where there are none.
fn parts(book: &RuleBook, domains: &[DomainScore]) -> Vec<CardPart> {
    let rated: Vec<(&DomainScore, &Ratio)> = domains
        .iter()
        .filter_map(|d| Some((d, d.finish.exact.as_ref()?)))
        .collect();
    let none_completed = rated.iter().all(|(d, _)| d.completed == 0);
    let weight = |d: &DomainScore| {
        if none_completed {
            Ratio::one()
        } else {
            Ratio::int(d.completed)
        }
    };
    let mut weights: Vec<Ratio> = rated.iter().map(|(d, _)| weight(d)).collect();
    let mut held = vec![false; rated.len()];
    if rated.len() >= book.card.domain_cap_from_domains {
        let capped = cap::hold(&weights, &book.card.domain_cap);
        (weights, held) = (capped.weights, capped.held);
    }
    let total = Ratio::sum(&weights);
    let share = |weight: &Ratio| weight.checked_div(&total).unwrap_or_else(Ratio::zero);
    let part = |(i, (d, exact)): (usize, (&DomainScore, &Ratio))| CardPart {
        domain: d.domain.clone(),
        completed: d.completed,
        exact: exact.clone(),
        share: share(&weights[i]),
        held: held[i],
    };
    rated.into_iter().enumerate().map(part).collect()
}

/// Provisional when a domain that it joins is, or when a silent feed kept one out of it.
fn standing(domains: &[DomainScore], has_score: bool) -> (Standing, Option<String>) {
    let names = |which: fn(&DomainScore) -> bool| {
        let names: Vec<&str> = domains.iter().filter(|d| which(d)).map(|d| d.domain.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let incomplete = names(|d| d.composite.incomplete).map(|names| format!("incomplete: {names}"));
    let provisional =
        names(|d| d.composite.standing == Standing::Provisional).map(|names| format!("provisional: {names}"));
    match (has_score, incomplete.is_none() && provisional.is_none()) {
        (false, _) => (
            Standing::NotRated,
            joined([incomplete, Some("no domain is rated".to_owned())]),
        ),
        (true, false) => (Standing::Provisional, joined([incomplete, provisional])),
        (true, true) => (Standing::Rated, None),
    }
}
