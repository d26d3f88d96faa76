//! Every intermediate value of every score.
//!
//! Duty: one value from which both the published rows and their explanation are made, so that the two cannot differ.
//! Not its duty: computing (`domain_score`, `card`), words (`explain`), columns (`tables`).

use std::collections::BTreeMap;

use super::composite::{Composite, Finish, Standing};
use super::key_events::EventSum;
use super::metric::Metric;
use super::red_lines::RedState;
use crate::domain::ids::{DomainId, PartnerId, RegionId};
use crate::domain::{Date, Dec, Digest, Grade, Period, Ratio};
use crate::rules::RuleBook;

/// The rules a score was computed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    pub region: RegionId,
    pub effective_from: Date,
    pub hash: Digest,
}

impl Edition {
    #[must_use]
    pub fn of(book: &RuleBook) -> Edition {
        Edition {
            region: book.region.clone(),
            effective_from: book.effective_from,
            hash: book.hash,
        }
    }
}

/// A part of the change against the period before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangePart {
    /// `rules`, `late_facts`, `value:…`, `weight:…`, `events`, `clamp`.
    pub part: String,
    /// To 14 decimals.
    pub exact: Dec,
    /// To 0.01; the parts of a change add up to it.
    pub points: Dec,
}

/// One partner × domain × period.
#[derive(Clone, Debug)]
pub struct DomainScore {
    pub domain: DomainId,
    /// In the order of `RuleBook::metrics`.
    pub metrics: Vec<Metric>,
    pub composite: Composite,
    pub events: EventSum,
    pub finish: Finish,
    /// E under black, else the grade from the score.
    pub grade: Option<Grade>,
    pub previous_final: Option<Dec>,
    /// Parts of the change; empty without one.
    pub change: Vec<ChangePart>,
    /// Collaborative deliveries completed.
    pub completed: i64,
}

/// A domain's part in the card.
#[derive(Clone, Debug)]
pub struct CardPart {
    pub domain: DomainId,
    pub completed: i64,
    /// The domain's final, held in 0…100 and not rounded.
    pub exact: Ratio,
    /// Exact; the shares of a card add up to 1.
    pub share: Ratio,
    /// Held at the largest share of one domain.
    pub held: bool,
}

/// One partner × period, with its domains.
#[derive(Clone, Debug)]
pub struct Card {
    pub partner: PartnerId,
    pub period: Period,
    pub edition: Edition,
    pub domains: Vec<DomainScore>,
    pub parts: Vec<CardPart>,
    pub standing: Standing,
    pub reason: Option<String>,
    /// Collaborative deliveries completed, in all domains.
    pub completed: i64,
    pub events: EventSum,
    pub finish: Finish,
    pub red: RedState,
    /// E under black, else the grade from the score.
    pub grade: Option<Grade>,
    pub previous_final: Option<Dec>,
    /// Parts of the change; empty without one.
    pub change: Vec<ChangePart>,
}

/// All cards that were computed.
#[derive(Clone, Debug, Default)]
pub struct Derivations {
    pub cards: BTreeMap<(PartnerId, Period), Card>,
}
