//! One decision as a file of the corrections folder.
//!
//! Duty: identifier, instant, row, and a trial by the source that will read it. Must not: ask whether it may follow.

use super::known::Act;
use super::{Delivered, Person};
use crate::contracts::Contract;
use crate::domain::hash::Hasher;
use crate::domain::{Date, Digest, Instant, Money, Zone};
use crate::edges::files;
use crate::ingest::plain;
use crate::ingest::source::data_columns;
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::pipeline::desk::{DECISIONS, FOLDER, delivery, trial};
use crate::store::StoreError;
use crate::store::layout::Layout;

/// Seconds of a day until noon: an act that was taken on another day than today stands at noon there.
const NOON_MICROS: i64 = 12 * 3600 * 1_000_000;
const SECOND_MICROS: i64 = 1_000_000;

/// What is decided on.
pub(super) struct Decided<'a> {
    pub kind: &'a str,
    pub subject: &'a str,
    pub outcome: &'a str,
    pub effective_on: Option<Date>,
    /// What was decided on as it stood.
    pub subject_hash: Option<Digest>,
    pub amount: Option<Money>,
}

/// The instant of an act: now, or noon of the day named, in the zone; after all acts on the same subject, so that their
/// order is that in which they were taken.
pub(super) fn instant(person: &Person, zone: Zone, earlier: &[&Act]) -> Result<Instant, PipelineError> {
    let at = match person.on {
        None => Instant::from_micros(person.now.micros().div_euclid(SECOND_MICROS) * SECOND_MICROS),
        Some(day) => Instant::from_micros(zone.start_of(day).micros() + NOON_MICROS),
    };
    let Some(last) = earlier.iter().map(|act| act.decided_at).max() else {
        return Ok(at);
    };
    if at > last {
        return Ok(at);
    }
    let next = Instant::from_micros(last.micros() + SECOND_MICROS);
    let (day, last_day) = (zone.date_of(at), zone.date_of(next));
    if day == last_day {
        return Ok(next);
    }
    Err(PipelineError::Usage(format!(
        "the last decision on it was taken on {last_day}, after {day}: decisions follow one another; name that day or a \
         later one with --on"
    )))
}

/// Writes the decision; the same one twice is one file.
pub(super) fn deliver(
    layout: &Layout,
    config: &Config,
    person: &Person,
    decided: &Decided,
    decided_at: Instant,
) -> Result<Delivered, PipelineError> {
    let mut delivered = deliver_all(layout, config, person, std::slice::from_ref(decided), decided_at)?;
    delivered
        .pop()
        .ok_or_else(|| PipelineError::stage("the decision")("nothing was written".to_owned()))
}

/// Writes decisions of one person at one instant as one file.
pub(super) fn deliver_all(
    layout: &Layout,
    config: &Config,
    person: &Person,
    decided: &[Decided],
    decided_at: Instant,
) -> Result<Vec<Delivered>, PipelineError> {
    let contract = config.contract(DECISIONS);
    let source = trial::source_of(&config.sources, DECISIONS)?;
    let header = delivery::header_of(contract);
    let mut text = format!("{header}\n");
    let mut identifiers = Vec::with_capacity(decided.len());
    for (i, one) in decided.iter().enumerate() {
        let (decision_id, line) = record(contract, person, one, decided_at);
        // they differ in subject and outcome, which the program chose: what a person typed is the same in all
        if i == 0 {
            let wrong = trial::try_record(source, contract, &header, &line);
            if !wrong.is_empty() {
                let said: Vec<String> = wrong.iter().map(delivery::said_of).collect();
                return Err(PipelineError::Usage(format!(
                    "the decision would be rejected: {}; give other words for --by, --role or --reason",
                    said.join("; ")
                )));
            }
        }
        text.push_str(&line);
        text.push('\n');
        identifiers.push(decision_id);
    }
    let name = format!("{DECISIONS}-{}.csv", Digest::of(text.as_bytes()).short());
    let folder = layout.workspace().join(FOLDER);
    files::create_private_dir_all(&folder).map_err(StoreError::from)?;
    delivery::deliver(&folder.join(&name), &text)?;
    let delivered = identifiers
        .into_iter()
        .zip(decided)
        .map(|(decision_id, one)| Delivered {
            decision_id,
            file: format!("{FOLDER}/{name}"),
            decided_at,
            effective_on: one.effective_on,
        });
    Ok(delivered.collect())
}

/// Identifier and row of a decision.
fn record(contract: &Contract, person: &Person, decided: &Decided, decided_at: Instant) -> (String, String) {
    let mut hasher = Hasher::new();
    let (at, effective_on) = (
        decided_at.to_string(),
        decided.effective_on.map_or_else(String::new, |day| day.to_string()),
    );
    let subject_hash = decided.subject_hash.map_or_else(String::new, |hash| hash.to_string());
    for part in [
        decided.kind,
        decided.subject,
        decided.outcome,
        &effective_on,
        person.by,
        &at,
    ] {
        hasher.field(part.as_bytes());
    }
    if decided.subject_hash.is_some() {
        hasher.field(subject_hash.as_bytes());
    }
    let amount = decided.amount.map_or_else(String::new, |m| m.dec().to_string());
    let currency = decided.amount.map_or_else(String::new, |m| m.currency().to_string());
    if decided.amount.is_some() {
        hasher.field(amount.as_bytes()).field(currency.as_bytes());
    }
    let decision_id = format!("{}-{}", decided.kind.to_uppercase(), hasher.finish().short());
    let value = |name: &str| match name {
        "decision_id" => decision_id.as_str(),
        "kind" => decided.kind,
        "subject" => decided.subject,
        "outcome" => decided.outcome,
        "subject_hash" => subject_hash.as_str(),
        "amount" => amount.as_str(),
        "currency" => currency.as_str(),
        "effective_on" => effective_on.as_str(),
        "reason" => person.reason,
        "by" => person.by,
        "role" => person.role,
        "decided_at" => at.as_str(),
        _ => "",
    };
    let line = plain::line(data_columns(contract).iter().map(|c| value(&c.name)));
    (decision_id, line)
}
