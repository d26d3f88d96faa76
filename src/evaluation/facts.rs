//! Tables as typed rows.
//!
//! Duty: read every input table once, by column name, into sorted typed rows; refuse values that no measure can
//! have. Not its duty: rules, and which rows count.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::criteria::{Members, Roster};
use super::fields::{Fields, Read, each, several};
use super::inputs::{EvaluationError, Inputs};
pub use super::keyed::Key;
use super::keyed::Keyed;
use super::lanes;
pub use super::measured::{Answers, Due, Inspections, OwnMeasure, Parts, Ratings, Responses};
use super::roster::domains_row;
use crate::domain::ids::{DomainId, PartnerId, RegionId};
use crate::domain::{Date, Instant, Period, Ratio, Table};
use crate::rules::MetricName;

/// A partner in a period: its region, and the days and instants of the period there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerPeriod {
    pub partner: PartnerId,
    pub period: Period,
    pub region: RegionId,
    pub first_on: Date,
    /// Exclusive.
    pub end_on: Date,
    pub starts_at: Instant,
}

/// One version of a certification; valid until before `valid_to`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Certification {
    pub valid_from: Date,
    pub valid_to: Date,
    pub active: bool,
    pub stars: i64,
}

/// A key event as reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEvent {
    pub event_id: Arc<str>,
    pub partner: PartnerId,
    pub domain: Option<DomainId>,
    pub occurred_on: Date,
    pub code: Arc<str>,
    pub level: Arc<str>,
    pub positive: bool,
    pub red_line: Arc<str>,
    pub self_reported: bool,
}

/// A human act on a key event; ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    pub decided_at: Instant,
    pub decision_id: Arc<str>,
    pub kind: Arc<str>,
    pub outcome: Arc<str>,
    pub by: Arc<str>,
}

/// All inputs, typed; every list sorted, so that the order of rows cannot matter.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub partner_periods: BTreeMap<PartnerId, BTreeMap<Period, PartnerPeriod>>,
    pub satisfaction: Keyed<Vec<Answers>>,
    pub quality: Keyed<Vec<Inspections>>,
    pub open_critical: Keyed<i64>,
    pub parts: Keyed<Parts>,
    pub deliveries: Keyed<i64>,
    pub due: Keyed<Due>,
    pub ratings: Keyed<Vec<Ratings>>,
    pub responses: Keyed<Responses>,
    /// By the name of the measure.
    pub own: BTreeMap<String, OwnMeasure>,
    /// Engineers and trainings; with a copy of `members`.
    pub roster: Roster,
    pub certifications: BTreeMap<PartnerId, BTreeMap<DomainId, Vec<Certification>>>,
    pub members: Members,
    pub key_events: BTreeMap<Arc<str>, KeyEvent>,
    /// Event → its acts by time.
    pub decisions: BTreeMap<Arc<str>, Vec<Decision>>,
    /// Values of own metrics that are presumed in place of those that follow from their rows; empty but in a what-if.
    pub presumed: BTreeMap<(Key, MetricName), Ratio>,
}

impl Facts {
    /// Reads all tables; the first error of each table is reported, all together.
    pub fn read(inputs: &Inputs) -> Read<Facts> {
        let (mut facts, mut answers) = (Facts::default(), Facts::default());
        // the answers are about as many as everything else together
        let (results, of_answers) = lanes::both(
            || {
                [
                    each(&inputs.partner_periods, |row| facts.partner_periods_row(row)),
                    each(&inputs.quality, |row| facts.quality_row(row)),
                    each(&inputs.critical, |row| {
                        add(facts.open_critical.entry(row.key()?), row.count("open_critical")?);
                        Ok(())
                    }),
                    each(&inputs.parts, |row| facts.parts_row(row)),
                    each(&inputs.deliveries, |row| {
                        add(facts.deliveries.entry(row.key()?), row.count("completed")?);
                        Ok(())
                    }),
                    each(&inputs.service_level, |row| facts.due_row(row)),
                    each(&inputs.ratings, |row| facts.ratings_row(row)),
                    each(&inputs.responses, |row| facts.responses_row(row)),
                    each(&inputs.engineers, |row| facts.roster.engineers_row(row)),
                    each(&inputs.enablement, |row| facts.roster.enablement_row(row)),
                    each(&inputs.certifications, |row| facts.certifications_row(row)),
                    each(&inputs.domains, |row| domains_row(&mut facts.members, row)),
                    each(&inputs.key_events, |row| facts.key_events_row(row)),
                    each(&inputs.decisions, |row| facts.decisions_row(row)),
                ]
            },
            || each(&inputs.satisfaction, |row| answers.satisfaction_row(row)),
        );
        facts.satisfaction = answers.satisfaction;
        let [periods, rest @ ..] = results;
        let results = [periods, of_answers].into_iter().chain(rest);
        let own = inputs.own.iter().map(|(name, table)| facts.own_measure(name, table));
        let errors = results.filter_map(Result::err);
        let own: Vec<EvaluationError> = own.filter_map(Result::err).collect();
        several(errors.chain(own).collect())?;
        facts.roster.members.clone_from(&facts.members);
        facts.sort();
        Ok(facts)
    }

    /// The partner in a period, if it has a region there.
    #[must_use]
    pub fn partner_in(&self, partner: &PartnerId, period: Period) -> Option<&PartnerPeriod> {
        self.partner_periods.get(partner)?.get(&period)
    }

    /// A copy of what a score of one partner rests on, without key events and what was decided on them.
    #[must_use]
    pub fn of_one(&self, partner: &PartnerId) -> Facts {
        fn one<V: Clone>(map: &BTreeMap<PartnerId, V>, partner: &PartnerId) -> BTreeMap<PartnerId, V> {
            let found = map.get(partner).cloned();
            found.into_iter().map(|value| (partner.clone(), value)).collect()
        }
        let own = self.own.iter().map(|(name, measure)| {
            let rows = measure.rows.of_one(partner);
            let columns = measure.columns.clone();
            (name.clone(), OwnMeasure { columns, rows })
        });
        Facts {
            partner_periods: one(&self.partner_periods, partner),
            satisfaction: self.satisfaction.of_one(partner),
            quality: self.quality.of_one(partner),
            open_critical: self.open_critical.of_one(partner),
            parts: self.parts.of_one(partner),
            deliveries: self.deliveries.of_one(partner),
            due: self.due.of_one(partner),
            ratings: Keyed::default(),
            responses: Keyed::default(),
            presumed: BTreeMap::new(),
            own: own.collect(),
            roster: Roster {
                certificates: one(&self.roster.certificates, partner),
                trainings: one(&self.roster.trainings, partner),
                members: self.roster.members.clone(),
            },
            certifications: one(&self.certifications, partner),
            members: self.members.clone(),
            key_events: BTreeMap::new(),
            decisions: BTreeMap::new(),
        }
    }

    /// The partner in the nearest of the periods from `first` on: the latest that is not after `period`, else the
    /// earliest.
    #[must_use]
    pub fn partner_near(&self, partner: &PartnerId, period: Period, first: Period) -> Option<&PartnerPeriod> {
        let mut periods = self
            .partner_periods
            .get(partner)?
            .range(first..)
            .map(|(_, found)| found);
        periods
            .clone()
            .rev()
            .find(|found| found.period <= period)
            .or_else(|| periods.next())
    }

    /// The partner in the last period from `first` on that had begun for it at an instant, else in the earliest.
    #[must_use]
    pub fn partner_at(&self, partner: &PartnerId, at: Instant, first: Period) -> Option<&PartnerPeriod> {
        let mut periods = self
            .partner_periods
            .get(partner)?
            .range(first..)
            .map(|(_, found)| found);
        periods
            .clone()
            .rev()
            .find(|found| found.starts_at <= at)
            .or_else(|| periods.next())
    }

    fn sort(&mut self) {
        self.satisfaction.values_mut().for_each(|rows| rows.sort());
        self.quality.values_mut().for_each(|rows| rows.sort());
        self.certifications
            .values_mut()
            .flat_map(BTreeMap::values_mut)
            .for_each(|rows| rows.sort());
        self.ratings.values_mut().for_each(|rows| rows.sort());
        self.roster.sort();
        self.decisions.values_mut().for_each(|rows| rows.sort());
    }

    fn partner_periods_row(&mut self, row: Fields) -> Read<()> {
        let found = PartnerPeriod {
            partner: row.partner()?,
            period: row.period()?,
            region: row.id("region", RegionId::new)?,
            first_on: row.date("first_on")?,
            end_on: row.date("end_on")?,
            starts_at: row.instant("starts_at")?,
        };
        match self
            .partner_periods
            .entry(found.partner.clone())
            .or_default()
            .insert(found.period, found)
        {
            None => Ok(()),
            Some(known) => Err(row.twice(&format!("{} in {}", known.partner, known.period))),
        }
    }

    fn satisfaction_row(&mut self, row: Fields) -> Read<()> {
        let key = row.key()?;
        let answers = Answers {
            customer: row.shared("customer_id")?,
            class: row.name("customer_class")?,
            selected_by: row.name("selected_by")?,
            answers: row.count("answers")?,
            share_sum: row.sum("share_sum")?,
            share_square_sum: row.sum("share_square_sum")?,
            satisfied_share_sum: row.sum("satisfied_share_sum")?,
            vendor_fault_answers: row.count("vendor_fault_answers")?,
            zero_share_answers: row.count("zero_share_answers")?,
        };
        if answers.satisfied_share_sum > answers.share_sum {
            return Err(row.wrong("satisfied_share_sum", &"is more than share_sum"));
        }
        self.satisfaction.entry(key).push(answers);
        Ok(())
    }

    fn quality_row(&mut self, row: Fields) -> Read<()> {
        let key = row.key()?;
        let inspections = Inspections {
            selected_by: row.name("selected_by")?,
            scored: row.bool("scored")?,
            score_max: row.sum("score_max")?,
            critical: row.count("critical")?,
            major: row.count("major")?,
            minor: row.count("minor")?,
            inspections: row.count("inspections")?,
            score_sum: row.sum("score_sum")?,
        };
        if inspections.scored && inspections.score_max.is_zero() {
            return Err(row.wrong("score_max", &"must be above 0 where there is a score"));
        }
        self.quality.entry(key).push(inspections);
        Ok(())
    }

    fn parts_row(&mut self, row: Fields) -> Read<()> {
        let parts = self.parts.entry(row.key()?);
        add(&mut parts.due, row.count("due_quantity")?);
        add(&mut parts.opening, row.count("opening_quantity")?);
        add(&mut parts.overdue, row.count("overdue_quantity")?);
        add(&mut parts.long_overdue, row.count("long_overdue_quantity")?);
        if parts.overdue > parts.due.saturating_add(parts.opening) {
            return Err(row.wrong(
                "overdue_quantity",
                &"is more than due_quantity and opening_quantity together",
            ));
        }
        Ok(())
    }

    fn certifications_row(&mut self, row: Fields) -> Read<()> {
        let version = Certification {
            valid_from: row.date("valid_from")?,
            valid_to: row.date("valid_to")?,
            // one that expired ended on valid_to: what it was before stays true
            active: matches!(row.text("status")?, "active" | "expired"),
            stars: row.int("stars")?,
        };
        let of_partner = self.certifications.entry(row.partner()?).or_default();
        of_partner.entry(row.domain()?).or_default().push(version);
        Ok(())
    }

    fn due_row(&mut self, row: Fields) -> Read<()> {
        let due = self.due.entry(row.key()?);
        add(&mut due.due, row.count("due")?);
        add(&mut due.on_time, row.count("on_time")?);
        if due.on_time > due.due {
            return Err(row.wrong("on_time", &"is more than due"));
        }
        Ok(())
    }

    fn ratings_row(&mut self, row: Fields) -> Read<()> {
        let ratings = Ratings {
            scale_min: row.dec("scale_min")?,
            scale_max: row.dec("scale_max")?,
            answers: row.count("answers")?,
            rating_sum: row.dec("rating_sum")?,
            top: row.count("top")?,
            promoters: row.count("promoters")?,
            detractors: row.count("detractors")?,
        };
        if ratings.scale_max <= ratings.scale_min {
            return Err(row.wrong("scale_max", &"must be above scale_min"));
        }
        self.ratings.entry(row.key()?).push(ratings);
        Ok(())
    }

    fn responses_row(&mut self, row: Fields) -> Read<()> {
        let responses = self.responses.entry(row.key()?);
        add(&mut responses.sent, row.count("sent")?);
        add(&mut responses.answered, row.count("answered")?);
        if responses.answered > responses.sent {
            return Err(row.wrong("answered", &"is more than sent"));
        }
        Ok(())
    }

    fn own_measure(&mut self, name: &str, table: &Table) -> Read<()> {
        let mut measure = OwnMeasure {
            columns: table.columns().to_vec(),
            ..OwnMeasure::default()
        };
        let mut rows = table.rows.iter();
        each(table, |row| {
            measure.rows.entry(row.key()?).extend(rows.next().cloned());
            Ok(())
        })?;
        measure.rows.values_mut().for_each(|rows| rows.sort());
        self.own.insert(name.to_owned(), measure);
        Ok(())
    }

    fn key_events_row(&mut self, row: Fields) -> Read<()> {
        let event = KeyEvent {
            event_id: row.text("event_id")?.into(),
            partner: row.partner()?,
            domain: row.opt_text("domain")?.map(|_| row.domain()).transpose()?,
            occurred_on: row.date("occurred_on")?,
            code: row.text("code")?.into(),
            level: row.text("level")?.into(),
            positive: row.one_of("direction", &["positive", "negative"])? == "positive",
            red_line: row.one_of("red_line", &["none", "L1", "L2", "L3"])?.into(),
            self_reported: row.bool("self_reported")?,
        };
        match self.key_events.insert(event.event_id.clone(), event) {
            None => Ok(()),
            Some(known) => Err(row.twice(&format!("event {}", known.event_id))),
        }
    }

    fn decisions_row(&mut self, row: Fields) -> Read<()> {
        let kind = row.text("kind")?;
        if !matches!(kind, "confirm" | "appeal" | "withdraw") {
            return Ok(());
        }
        let decision = Decision {
            decided_at: row.instant("decided_at")?,
            decision_id: row.text("decision_id")?.into(),
            kind: kind.into(),
            outcome: row.opt_text("outcome")?.unwrap_or_default().into(),
            by: row.text("by")?.into(),
        };
        self.decisions
            .entry(row.text("subject")?.into())
            .or_default()
            .push(decision);
        Ok(())
    }
}

fn add(to: &mut i64, more: i64) {
    *to = to.saturating_add(more);
}
