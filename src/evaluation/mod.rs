//! From measures to grades.
//!
//! Duty: every number of a scorecard, in exact rationals, rounded once where it is published; the derivation of each.
//! A pure stage: `(inputs, rules) → (tables, findings)`.
//!
//! | what is derived | from what | where |
//! |---|---|---|
//! | typed rows | the input tables | `facts`, `measured`, `keyed`, `fields` |
//! | certifications as they hold | the feed, decisions of reviews | `homes`, `review_acts`, `certifications` |
//! | findings, and those that people acted on as events | unauthorised deliveries and sales, certifications | `authorisation` |
//! | events that count, period and points | key events, decisions, closed periods | `event_life`, `key_events`, `timeline` |
//! | freezes and holds | red-line events that count | `red_lines` |
//! | peers of each period | answers and inspections of the look-back, by region | `pools`, `peers` |
//! | rows partner × domain | facts, events, certifications | `rows` |
//! | metrics | measures, peers, rules | `satisfaction`, `quality`, `parts`, `service_level`, `enablement`, `own`, `formula`; `cap`, `weighted`, `wilson`, `knots` |
//! | what the star criteria ask for and find | engineers, enablement, rules | `roster`, `criteria` |
//! | base, final, grade | metrics, events, rules | `composite`, `domain_score` |
//! | the partner's card | its domains' exact finals, events without a domain | `card` |
//! | recommendations, criteria, improvement plans | scores, persons, decisions, red lines | `review` |
//! | what is used and left of entitlements | uses, certifications, rules | `entitlements` |
//! | figures that are shown and not scored | measures of surveys | `figures` |
//! | what a change is made of | this period's derivation, that of the period before | `change`, `changes` |
//! | medians and quartiles | the derivations | `peer_figures` |
//! | published rows | the derivations | `tables` |
//! | what a partner could do next, and what it would bring | a derivation, the partner's own facts changed | `outlook` |
//! | what an action would change | the same, with a partner's facts changed | `what_if` |
//! | the explanation, and the table of it | the same derivations | `explain`, `derivation_table` |
//!
//! Absent from this room: the clock, files, printing, floats, SQL, other stages; arithmetic on money (a finding shows
//! amounts as they were delivered). Nothing is computed for a
//! closed period; its rows are only compared with.

pub mod authorisation;
mod cap;
mod card;
pub mod certifications;
pub mod change;
mod changes;
pub mod composite;
pub mod criteria;
pub mod derivation;
pub mod derivation_table;
mod domain_score;
mod enablement;
pub mod entitlements;
pub mod event_life;
pub mod explain;
mod explain_metric;
pub mod facts;
mod fields;
mod figures;
mod formula;
pub mod homes;
pub mod inputs;
pub mod key_events;
pub mod keyed;
pub mod knots;
mod lanes;
pub mod measured;
pub mod metric;
mod outlook;
mod own;
pub mod parts;
pub mod peer_figures;
pub mod peers;
mod pools;
pub mod quality;
pub mod red_lines;
pub mod review;
pub mod review_acts;
mod roster;
mod rows;
pub mod satisfaction;
mod sealed;
mod service_level;
mod shelf;
pub mod tables;
mod timeline;
pub mod weighted;
pub mod what_if;
mod wilson;

#[cfg(test)]
mod certifications_tests;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod testing;

use std::collections::BTreeSet;

pub use explain::{Explanation, Line, explain};
pub use inputs::{Books, Evaluated, EvaluationError, Freeze, Hold, Inputs};

use self::change::SealedMade;
use self::derivation::{Card, Derivations};
use self::domain_score::Setting;
use self::facts::Facts;
use self::fields::Read;
use self::key_events::KeyEvents;
use self::pools::Pools;
use self::red_lines::RedLines;
use self::sealed::{Finals, SealedEvents};
use self::shelf::Shelf;
use self::timeline::Timeline;
use crate::domain::ids::PartnerId;
use crate::domain::{Finding, Findings, Period, Place, Score, Table};

/// Evaluates the periods of the inputs, oldest first.
pub fn evaluate(inputs: &Inputs, rules: &dyn Books) -> Result<Evaluated, EvaluationError> {
    Ok(evaluate_and_look_ahead(inputs, rules, &BTreeSet::new())?.0)
}

/// The same, and what each partner could do next by its cards of some of the periods: `next_steps`.
pub fn evaluate_and_look_ahead(
    inputs: &Inputs,
    rules: &dyn Books,
    ahead: &BTreeSet<Period>,
) -> Result<(Evaluated, Table), EvaluationError> {
    let facts = Facts::read(inputs)?;
    let scored = Scored::of(&facts, inputs, rules, None)?;
    let known = outlook::Known {
        facts: &facts,
        inputs,
        shelf: Shelf(rules),
        events: &scored.events,
        derivations: &scored.derivations,
    };
    let next_steps = outlook::next_steps(&known, ahead)?;
    // to let go of the facts takes time too
    let (evaluated, ()) = lanes::both(|| scored.published(), || drop(facts));
    Ok((evaluated, next_steps))
}

/// The same over facts that have been read, and have perhaps been changed since; with the cards of one partner only
/// where it is named. The others are its peers all the same.
fn evaluate_facts(
    facts: &Facts,
    inputs: &Inputs,
    rules: &dyn Books,
    only: Option<&PartnerId>,
) -> Result<Evaluated, EvaluationError> {
    Ok(Scored::of(facts, inputs, rules, only)?.published())
}

/// Everything computed, not yet as rows.
struct Scored {
    derivations: Derivations,
    events: KeyEvents,
    red_lines: RedLines,
    figures: Table,
    findings: Findings,
}

impl Scored {
    fn of(facts: &Facts, inputs: &Inputs, rules: &dyn Books, only: Option<&PartnerId>) -> Read<Scored> {
        let (shelf, mut findings) = (Shelf(rules), Findings::new());
        let timeline = Timeline::read(inputs, rules.programme())?;
        let events = KeyEvents::judge(facts, SealedEvents::read(inputs)?, &timeline, shelf, &mut findings)?;
        let red_lines = RedLines::of(events.red());
        let mut finals = Finals::read(inputs)?;
        let mut derivations = Derivations::default();
        let sealed = SealedMade::read(inputs, &timeline.periods.iter().map(|p| p.previous()).collect())?;
        for period in &timeline.periods {
            let pools = Pools::read(facts, shelf, *period, None)?;
            let setting = Setting {
                facts,
                events: &events,
                pools: &pools,
                finals: &finals,
                incomplete: &inputs.incomplete,
            };
            let mut cards = cards(&setting, &red_lines, *period, only, &mut findings)?;
            changes::explain(&setting, shelf, &sealed, &derivations, *period, &mut cards)?;
            for card in cards {
                publish(&mut finals, &card);
                derivations.cards.insert((card.partner.clone(), card.period), card);
            }
        }
        Ok(Scored {
            figures: figures::table(facts, |period| timeline.periods.contains(&period)),
            derivations,
            events,
            red_lines,
            findings,
        })
    }

    fn published(self) -> Evaluated {
        let derivations = self.derivations;
        Evaluated {
            metrics: tables::metrics(&derivations),
            scores: tables::scores(&derivations),
            partner_scores: tables::partner_scores(&derivations),
            score_changes: change::table(&derivations),
            peer_figures: peer_figures::table(&derivations),
            figures: self.figures,
            key_event_points: tables::key_event_points(&self.events),
            freezes: self.red_lines.freezes,
            holds: self.red_lines.holds,
            derivations,
            findings: self.findings,
        }
    }
}

/// The cards of all partners that have a region in the period, or of one of them.
fn cards(
    setting: &Setting,
    red_lines: &RedLines,
    period: Period,
    only: Option<&PartnerId>,
    findings: &mut Findings,
) -> Read<Vec<Card>> {
    let facts = setting.facts;
    for partner in rows::without_region(facts, period) {
        findings.push(Finding::warning(
            Place::file("calendar_partner_periods").column(partner.as_str()),
            "facts-without-region",
            format!("{partner} has facts in {period} but no region: no version of it is valid on the last day"),
            "add a version of the partner that is valid on that day",
        ));
    }
    let here = facts
        .partner_periods
        .values()
        .filter_map(|periods| periods.get(&period))
        .filter(|at| only.is_none_or(|partner| *partner == at.partner));
    let here: Vec<&facts::PartnerPeriod> = here.collect();
    let card = |at: &&facts::PartnerPeriod| -> Read<Option<(Card, Findings)>> {
        // the pools hold a book for every region that a partner has in the period
        let Some(book) = setting.pools.books.get(&at.region) else {
            return Ok(None);
        };
        let mut findings = Findings::new();
        let red = red_lines.state(&at.partner, at.first_on, at.end_on);
        let domains = rows::domains(facts, setting.events, at, &mut findings);
        let mut scores = Vec::with_capacity(domains.len());
        for domain in &domains {
            scores.push(domain_score::score(setting, book, at, domain, red.is_black())?);
        }
        let card = card::card(setting, book, at, scores, red)?;
        Ok(Some((card, findings)))
    };
    let mut cards = Vec::with_capacity(here.len());
    for done in lanes::each_of(&here, card) {
        if let Some((card, found)) = done? {
            findings.extend(found);
            cards.push(card);
        }
    }
    Ok(cards)
}

/// Makes the finals of a card known to the next period.
fn publish(finals: &mut Finals, card: &Card) {
    let (partner, period) = (&card.partner, card.period);
    for score in &card.domains {
        finals.set(
            partner.clone(),
            Some(score.domain.clone()),
            period,
            score.finish.score.map(Score::dec),
        );
    }
    finals.set(partner.clone(), None, period, card.finish.score.map(Score::dec));
}
