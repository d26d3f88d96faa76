//! Persons and trainings of partners, from the feeds.
//!
//! Duty: `engineers`, `enablement` and `domains` as a roster. Not its duty: counting (`criteria`).

use crate::domain::Table;
use crate::domain::ids::DomainId;
use crate::evaluation::criteria::{Certificate, Roster, Training};
use crate::evaluation::fields::{Read, each};
use crate::rules::EngineerLevel;

pub(super) fn read(engineers: &Table, enablement: &Table, domains: &Table) -> Read<Roster> {
    let mut roster = Roster::default();
    each(engineers, |row| {
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
        roster.certificates.entry(row.partner()?).or_default().push(certificate);
        Ok(())
    })?;
    each(enablement, |row| {
        let training = Training {
            event_id: row.text("event_id")?.into(),
            domain: row.opt_text("domain")?.map(|_| row.domain()).transpose()?,
            credits: row.sum("credits")?.ratio(),
            completed_on: row.date("completed_on")?,
        };
        roster.trainings.entry(row.partner()?).or_default().push(training);
        Ok(())
    })?;
    each(domains, |row| {
        if row.opt_text("member_of")?.is_some() {
            let span = row.id("member_of", DomainId::new)?;
            roster.members.entry(span).or_default().insert(row.domain()?);
        }
        Ok(())
    })?;
    roster.certificates.values_mut().for_each(|held| held.sort());
    roster.trainings.values_mut().for_each(|done| done.sort());
    Ok(roster)
}
