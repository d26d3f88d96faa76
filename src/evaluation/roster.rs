//! Persons and trainings of partners, from the feeds.
//!
//! Duty: rows of `engineers`, `enablement` and `domains` as a roster. Not its duty: counting (`criteria`).

use super::criteria::{Certificate, Members, Roster, Training};
use super::fields::{Fields, Read, each};
use crate::domain::Table;
use crate::domain::ids::DomainId;
use crate::rules::EngineerLevel;

impl Roster {
    /// From the three feeds.
    pub(super) fn read(engineers: &Table, enablement: &Table, domains: &Table) -> Read<Roster> {
        let mut roster = Roster::default();
        each(engineers, |row| roster.engineers_row(row))?;
        each(enablement, |row| roster.enablement_row(row))?;
        each(domains, |row| domains_row(&mut roster.members, row))?;
        roster.sort();
        Ok(roster)
    }

    pub(super) fn engineers_row(&mut self, row: Fields) -> Read<()> {
        let level = row.text("level")?;
        let certificate = Certificate {
            engineer: row.text("engineer_id")?.into(),
            code: row.text("certificate_code")?.into(),
            domain: row.domain()?,
            level: EngineerLevel::parse(level).ok_or_else(|| row.wrong("level", &"is no level of a certificate"))?,
            project_manager: row.one_of("role", &["engineer", "project_manager"])? == "project_manager",
            issued_on: row.date("issued_on")?,
            expires_on: row.opt_date("expires_on")?,
            revoked_on: row.opt_date("revoked_on")?,
        };
        self.certificates.entry(row.partner()?).or_default().push(certificate);
        Ok(())
    }

    pub(super) fn enablement_row(&mut self, row: Fields) -> Read<()> {
        let training = Training {
            event_id: row.text("event_id")?.into(),
            domain: row.opt_text("domain")?.map(|_| row.domain()).transpose()?,
            credits: row.sum("credits")?.ratio(),
            completed_on: row.date("completed_on")?,
        };
        self.trainings.entry(row.partner()?).or_default().push(training);
        Ok(())
    }

    /// So that the order of rows cannot matter.
    pub(super) fn sort(&mut self) {
        self.certificates.values_mut().for_each(|held| held.sort());
        self.trainings.values_mut().for_each(|done| done.sort());
    }
}

pub(super) fn domains_row(members: &mut Members, row: Fields) -> Read<()> {
    if row.opt_text("member_of")?.is_some() {
        let span = row.id("member_of", DomainId::new)?;
        members.entry(span).or_default().insert(row.domain()?);
    }
    Ok(())
}
