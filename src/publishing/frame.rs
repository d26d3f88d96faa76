//! One partner and one period: everything its scorecard shows, and nothing of anybody else.
//!
//! Duty: typed values of the rows of one partner, each selection asserted to hold that partner only; the hash of
//! exactly the values that were read. Not its duty: reading columns (`reader`), words, layout, arithmetic on scores.

use crate::domain::ids::PartnerId;
use crate::domain::{Currency, Date, Dec, Digest, Grade, Instant, Period, Score};
use crate::rules::PartsMode;

use super::ahead::Ahead;
use super::inputs::{CardTerms, PublishingError, PublishingInputs};
use super::money::MoneyFrame;
use super::reader::Reader;

/// Everything a scorecard shows of one partner and one period.
#[derive(Clone, Debug)]
pub struct PartnerFrame {
    pub programme: String,
    pub contact: String,
    pub as_of: Instant,
    /// Last day on which the result can be contested.
    pub contest_until: Date,
    pub closed_on: Option<Date>,
    pub period: Period,
    pub first_on: Date,
    pub last_on: Date,
    pub partner: Partner,
    pub card: Card,
    /// By name; each domain once.
    pub domains: Vec<DomainResult>,
    /// By event id.
    pub events: Vec<Event>,
    pub money: MoneyFrame,
    /// Certification, next steps, the next star, the trend.
    pub ahead: Ahead,
    pub parts_mode: PartsMode,
    /// SHA-256 of every value the frame was read from.
    pub data_hash: Digest,
}

#[derive(Clone, Debug)]
pub struct Partner {
    pub id: PartnerId,
    pub legal_name: String,
    pub region: String,
    pub language: String,
    /// Currency of settlement.
    pub currency: Currency,
}

/// The scorecard that a partner was sent for the same period.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    /// What it showed, where that is still known.
    pub frame: Option<PartnerFrame>,
}

/// `rated`, `provisional` or `not_rated`, for a card or a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResultState {
    Rated,
    Provisional,
    NotRated,
}

/// A score with its grade, how it came about and how it moved.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub state: ResultState,
    pub reason: Option<String>,
    pub base: Option<Dec>,
    /// Points of key events after caps; 0 without events.
    pub event_points: Dec,
    /// What was cut off to stay within 0…100.
    pub clamp: Dec,
    pub score: Option<Score>,
    pub grade: Option<Grade>,
    pub previous: Option<Score>,
    /// Points since the previous period.
    pub change: Option<Dec>,
}

#[derive(Clone, Debug)]
pub struct Card {
    pub outcome: Outcome,
    pub domains_rated: i64,
    pub completed_deliveries: i64,
    /// The next better grade and the points that are missing for it.
    pub next_grade: Option<(Grade, Dec)>,
    pub red_line: RedLine,
    pub red_line_until: Option<Date>,
    pub rules_hash: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedLine {
    None,
    Yellow,
    Black,
}

#[derive(Clone, Debug)]
pub struct DomainResult {
    pub domain: String,
    pub name: String,
    pub outcome: Outcome,
    /// Weight of the metrics with a result, 0…100.
    pub coverage: Dec,
    /// In the order of the metrics.
    pub metrics: Vec<Metric>,
}

#[derive(Clone, Debug)]
pub struct Metric {
    /// `satisfaction`, `quality`, `parts`, …
    pub metric: String,
    /// `rated`, `provisional`, `insufficient`, `not_applicable`, `incomplete`.
    pub state: String,
    pub reason: Option<String>,
    pub n: i64,
    pub raw: Option<Dec>,
    pub interval: Option<(Dec, Dec)>,
    pub peer_value: Option<Dec>,
    pub peer_basis: Option<String>,
    pub normalised: Option<Dec>,
    pub nominal_weight: Dec,
    pub effective_weight: Dec,
    pub points: Dec,
    pub note: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Event {
    pub event_id: String,
    /// `None` for an event of the whole partner.
    pub domain_id: Option<String>,
    /// Name of the domain.
    pub domain: Option<String>,
    pub code: String,
    pub level: String,
    pub direction: String,
    /// `none`, `L1`, `L2`, `L3`.
    pub red_line: String,
    pub status: String,
    /// Before caps.
    pub points: Dec,
    pub confirmed_on: Option<Date>,
    pub reason: Option<String>,
}

impl PartnerFrame {
    /// The frame of one partner and one evaluation period.
    pub fn of(
        partner: &PartnerId,
        period: Period,
        inputs: &PublishingInputs<'_>,
        terms: &CardTerms<'_>,
    ) -> Result<PartnerFrame, PublishingError> {
        let mut reader = Reader::new(partner, period, inputs.programme.closed_on);
        let names = super::reader::domain_names(inputs.domains)?;
        let (first_on, last_on) = reader.calendar(&inputs.calendar)?;
        let identity = reader.identity(&inputs.partners, last_on)?;
        let card = reader.card(&inputs.partner_scores, terms.grades)?;
        let mut domains = reader.domains(&inputs.scores, &names)?;
        reader.metrics(&inputs.metrics, &mut domains)?;
        domains.sort_by(|a, b| (&a.name, &a.domain).cmp(&(&b.name, &b.domain)));
        let events = reader.events(&inputs.events, &names)?;
        let books = (&inputs.rebates, &inputs.ledger);
        let better = card.next_grade.map(|(grade, _)| grade);
        let money = MoneyFrame::read(&mut reader, books, &names, (terms.schemes, better), identity.currency)?;
        let dates = (terms.next_ends_on, terms.next_review_on);
        let ahead = Ahead::read(&mut reader, inputs, &names, last_on, dates)?;
        let shown = inputs.programme;
        Ok(PartnerFrame {
            programme: shown.name.to_owned(),
            contact: shown.contact.to_owned(),
            as_of: shown.as_of,
            contest_until: crate::domain::time::add_days(shown.as_of.utc().date_naive(), shown.contest_days),
            closed_on: shown.closed_on,
            period,
            first_on,
            last_on,
            partner: identity,
            card,
            domains,
            events,
            money,
            ahead,
            parts_mode: terms.parts_mode,
            data_hash: reader.finish(),
        })
    }
}
