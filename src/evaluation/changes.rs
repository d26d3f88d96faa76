//! The period before of every score, and the parts of its change.
//!
//! Duty: find what a score is compared with; where the rules changed between the two, compute the period before under
//! both. Not its duty: the parts (`change`).

use std::borrow::Cow;

use super::card;
use super::change::{self, Before, Made, SealedMade};
use super::composite;
use super::derivation::{Card, ChangePart, Derivations, DomainScore};
use super::domain_score::{self, Setting};
use super::fields::Read;
use super::lanes;
use super::pools::Pools;
use super::red_lines::RedState;
use super::rows;
use super::shelf::Shelf;
use crate::domain::ids::DomainId;
use crate::domain::{Date, Dec, Findings, Period};
use crate::rules::RuleBook;

/// Adds the parts of their changes to the cards of a period.
pub fn explain(
    setting: &Setting,
    shelf: Shelf,
    sealed: &SealedMade,
    derivations: &Derivations,
    period: Period,
    cards: &mut [Card],
) -> Read<()> {
    let before = period.previous();
    let items: Vec<&Card> = cards.iter().collect();
    let pairs: Vec<Pairs> = lanes::each_of(&items, |card| Pairs::of(card, sealed, derivations));
    // with the same rules the published numbers are compared: nothing has to be computed again
    let mut again = None;
    if pairs.iter().any(Pairs::rules_differ) {
        let now_from = shelf.programme().calendar.first_day(period);
        again = Some(Again::read(setting, shelf, derivations, before, now_from)?);
    }
    let items: Vec<(&Card, &Pairs)> = cards.iter().zip(&pairs).collect();
    let found = lanes::each_of(&items, |(card, pairs)| parts_of(setting, again.as_ref(), card, pairs));
    for (card, found) in cards.iter_mut().zip(found) {
        let (domains, whole) = found?;
        card.change = whole;
        for (score, parts) in card.domains.iter_mut().zip(domains) {
            score.change = parts;
        }
    }
    Ok(())
}

/// The parts of the changes of a card's domains, and of its own.
fn parts_of(
    setting: &Setting,
    again: Option<&Again>,
    card: &Card,
    pairs: &Pairs,
) -> Read<(Vec<Vec<ChangePart>>, Vec<ChangePart>)> {
    let both = match again.filter(|_| pairs.rules_differ()) {
        Some(again) => again.cards(setting, card)?,
        None => None,
    };
    let parts = |pair: &Option<(Made, Made)>, change: Option<Dec>, again: Option<(Made, Made)>| match (pair, change) {
        (Some((published, now)), Some(change)) => change::parts(&Before { published, again }, now, change),
        _ => Vec::new(),
    };
    let both = both.as_ref().map(|(own, now)| (own.as_ref(), now));
    let domain = |(score, pair): (&DomainScore, &Option<(Made, Made)>)| {
        let again = both.and_then(|(own, now)| made_of(own, &score.domain).zip(made_of(now, &score.domain)));
        parts(pair, composite::change(score.finish.score, score.previous_final), again)
    };
    let domains = card.domains.iter().zip(&pairs.domains).map(domain).collect();
    let made = Made::of_card;
    let again = both.and_then(|(own, now)| made(own, own.edition.hash).zip(made(now, now.edition.hash)));
    let whole = parts(
        &pairs.card,
        composite::change(card.finish.score, card.previous_final),
        again,
    );
    Ok((domains, whole))
}

/// The score of a card in a domain.
fn made_of<'a>(card: &'a Card, domain: &DomainId) -> Option<Made<'a>> {
    let found = card.domains.iter().find(|score| score.domain == *domain)?;
    Made::of_domain(found, card.edition.hash)
}

/// What each score of a card is compared with: that of the period before, and its own.
struct Pairs<'a> {
    domains: Vec<Option<(Made<'a>, Made<'a>)>>,
    card: Option<(Made<'a>, Made<'a>)>,
}

impl<'a> Pairs<'a> {
    fn of(card: &'a Card, sealed: &'a SealedMade, derivations: &'a Derivations) -> Pairs<'a> {
        let before = card.period.previous();
        let known = derivations.cards.get(&(card.partner.clone(), before));
        let domain = |score: &'a DomainScore| {
            let published = match known {
                Some(old) => made_of(old, &score.domain),
                None => sealed.get(&card.partner, Some(&score.domain), before).cloned(),
            };
            published.zip(Made::of_domain(score, card.edition.hash))
        };
        let published = match known {
            Some(old) => Made::of_card(old, old.edition.hash),
            None => sealed.get(&card.partner, None, before).cloned(),
        };
        Pairs {
            domains: card.domains.iter().map(domain).collect(),
            card: published.zip(Made::of_card(card, card.edition.hash)),
        }
    }

    fn rules_differ(&self) -> bool {
        let mut all = self.domains.iter().flatten().chain(&self.card);
        all.any(|(old, now)| old.rules_differ(now))
    }
}

/// The period before, to be computed under its own rules and under those of this period.
struct Again<'a> {
    derivations: &'a Derivations,
    /// Nothing where this run has computed the period before: those cards are the ones under its own rules.
    own: Option<Pools<'a>>,
    now: Pools<'a>,
}

impl<'a> Again<'a> {
    fn read(
        setting: &Setting,
        shelf: Shelf<'a>,
        derivations: &'a Derivations,
        before: Period,
        now_from: Date,
    ) -> Read<Again<'a>> {
        let computed = derivations.cards.keys().any(|(_, period)| *period == before);
        let own = (!computed).then(|| Pools::read(setting.facts, shelf, before, None));
        Ok(Again {
            derivations,
            own: own.transpose()?,
            now: Pools::read(setting.facts, shelf, before, Some(now_from))?,
        })
    }

    /// The partner's card of the period before, under both rules; nothing where it had no region then.
    fn cards(&self, setting: &Setting, card: &Card) -> Read<Option<(Cow<'a, Card>, Card)>> {
        let before = card.period.previous();
        let Some(at) = setting.facts.partner_in(&card.partner, before) else {
            return Ok(None);
        };
        let domains = rows::domains(setting.facts, setting.events, at, &mut Findings::new());
        let compute = |pools: &Pools<'a>, book: Option<&RuleBook>| -> Read<Option<Card>> {
            let Some(book) = book else { return Ok(None) };
            let setting = Setting { pools, ..*setting };
            let mut scores = Vec::with_capacity(domains.len());
            for domain in &domains {
                scores.push(domain_score::score(&setting, book, at, domain, false)?);
            }
            card::card(&setting, book, at, scores, RedState::None).map(Some)
        };
        let own = match &self.own {
            Some(pools) => compute(pools, pools.books.get(&at.region).copied())?.map(Cow::Owned),
            None => self
                .derivations
                .cards
                .get(&(card.partner.clone(), before))
                .map(Cow::Borrowed),
        };
        // under the rules of this period's region, also where the partner has moved
        let now_book = setting.pools.books.get(&card.edition.region).copied();
        Ok(own.zip(compute(&self.now, now_book)?))
    }
}
