//! Rows of closed periods: read, never computed again.
//!
//! Duty: published finals by partner, domain and period; events that counted in a closed period. Not its duty:
//! checking that they are still what was published (the store does).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event_life::Status;
use super::fields::{Read, each};
use super::inputs::Inputs;
use super::tables;
use crate::domain::ids::{DomainId, PartnerId};
use crate::domain::{Dec, Period, Ratio, Row};

/// An event that counted in a closed period, with its row as published.
#[derive(Clone, Debug)]
pub struct SealedEvent {
    pub event_id: Arc<str>,
    pub partner: PartnerId,
    pub domain: Option<DomainId>,
    pub period: Period,
    pub points: Ratio,
    pub row: Row,
}

/// Those events by id.
#[derive(Clone, Debug, Default)]
pub struct SealedEvents(BTreeMap<Arc<str>, SealedEvent>);

impl SealedEvents {
    /// Reads `sealed_key_event_points`; rows without a period, or that did not count, hold nothing and are judged anew.
    pub fn read(inputs: &Inputs) -> Read<SealedEvents> {
        let mut events = BTreeMap::new();
        each(&inputs.sealed_key_event_points, |row| {
            if row.opt_text("period")?.is_none() || row.text("status")? != Status::Counted.as_str() {
                return Ok(());
            }
            let columns = tables::KEY_EVENT_POINTS
                .iter()
                .map(|column| Ok(row.get(column)?.clone()));
            let event = SealedEvent {
                event_id: row.text("event_id")?.into(),
                partner: row.partner()?,
                domain: row.opt_text("domain")?.map(|_| row.domain()).transpose()?,
                period: row.period()?,
                points: row.dec("points")?.ratio(),
                row: columns.collect::<Read<Row>>()?,
            };
            match events.insert(event.event_id.clone(), event) {
                None => Ok(()),
                Some(known) => Err(row.twice(&format!("event {}", known.event_id))),
            }
        })?;
        Ok(SealedEvents(events))
    }

    #[must_use]
    pub fn contains(&self, event_id: &str) -> bool {
        self.0.contains_key(event_id)
    }

    pub fn rows(&self) -> impl Iterator<Item = &SealedEvent> {
        self.0.values()
    }
}

/// Published final scores, to compare with.
#[derive(Clone, Debug, Default)]
pub struct Finals(BTreeMap<(PartnerId, Option<DomainId>, Period), Dec>);

impl Finals {
    /// Reads those of closed periods.
    pub fn read(inputs: &Inputs) -> Read<Finals> {
        let mut finals = Finals::default();
        each(&inputs.sealed_scores, |row| {
            finals.set(
                row.partner()?,
                Some(row.domain()?),
                row.period()?,
                row.opt_dec("final")?,
            );
            Ok(())
        })?;
        each(&inputs.sealed_partner_scores, |row| {
            finals.set(row.partner()?, None, row.period()?, row.opt_dec("final")?);
            Ok(())
        })?;
        Ok(finals)
    }

    pub fn set(&mut self, partner: PartnerId, domain: Option<DomainId>, period: Period, value: Option<Dec>) {
        if let Some(value) = value {
            self.0.insert((partner, domain, period), value);
        }
    }

    /// The final of the period before.
    #[must_use]
    pub fn previous(&self, partner: &PartnerId, domain: Option<&DomainId>, period: Period) -> Option<Dec> {
        self.0
            .get(&(partner.clone(), domain.cloned(), period.previous()))
            .copied()
    }
}
