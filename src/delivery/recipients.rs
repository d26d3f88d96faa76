//! Who of a partner's contacts gets a message.
//!
//! Duty: the contacts that are valid on a day and want the kind of message, each at an allowed address. Not its duty:
//! showing an address in a finding: a contact is personal data, its place in the file says enough.

use std::collections::BTreeMap;

use crate::domain::ids::PartnerId;
use crate::domain::{Date, Finding, Findings, Place, RowRef, Table, TableError};

use super::address::{check_allowed, is_clean_name};
use super::message::Recipient;

/// Most recipients of one message: a list of contacts, not a mailing list.
pub const MAX_RECIPIENTS: usize = 50;

/// The recipients of one partner's message of the kind `wants`, by address, each once, and what was refused.
/// `contacts` is the feed (lineage columns, if it has them, give the place of a finding); `allowed_mail_domains` are
/// those of the partner. Validity is half-open: `valid_from ≤ on < valid_to`.
pub fn recipients(
    contacts: &Table,
    partner: &PartnerId,
    wants: &str,
    on: Date,
    allowed_mail_domains: &[&str],
) -> Result<(Vec<Recipient>, Findings), TableError> {
    let mut found: BTreeMap<String, Recipient> = BTreeMap::new();
    let mut findings = Findings::new();
    for row in contacts.iter() {
        if row.text("partner_id")? != partner.as_str() || !is_due(row, wants, on)? {
            continue;
        }
        let address = row.text("email")?;
        let name = row.opt_text("name")?.filter(|n| !n.is_empty());
        if let Err(why) = check_allowed(address, allowed_mail_domains) {
            findings.push(finding(
                row,
                "email",
                "mail-address",
                &format!("the address of a contact of partner {partner} {why}"),
            ));
        } else if name.is_some_and(|n| !is_clean_name(n)) {
            let message = format!("the name of a contact of partner {partner} holds a control or invisible character");
            findings.push(finding(row, "name", "mail-name", &message));
        } else {
            let language = row.opt_text("language")?.filter(|l| !l.is_empty()).map(str::to_owned);
            let recipient = Recipient {
                address: address.to_owned(),
                name: name.map(str::to_owned),
                language,
            };
            // of two rows for one address the smaller one is kept, whatever their order
            let slot = found
                .entry(address.to_ascii_lowercase())
                .or_insert_with(|| recipient.clone());
            if recipient < *slot {
                *slot = recipient;
            }
        }
    }
    if found.len() > MAX_RECIPIENTS {
        let message = format!(
            "partner {partner} has {} contacts for one message; {MAX_RECIPIENTS} are served",
            found.len()
        );
        let remedy = "end the contacts that are no longer needed, or use a distribution address of the partner";
        findings.push(Finding::warning(
            Place::file(contacts.name()),
            "mail-recipients",
            message,
            remedy,
        ));
    }
    findings.sort();
    Ok((found.into_values().take(MAX_RECIPIENTS).collect(), findings))
}

fn is_due(row: RowRef<'_>, wants: &str, on: Date) -> Result<bool, TableError> {
    let listed = row
        .opt_text("wants")?
        .unwrap_or_default()
        .split('|')
        .any(|w| w.trim() == wants);
    let ended = row.opt_date("valid_to")?.is_some_and(|end| end <= on);
    Ok(listed && row.date("valid_from")? <= on && !ended)
}

fn finding(row: RowRef<'_>, column: &str, rule: &str, message: &str) -> Finding {
    let file = row.opt_text("source_file").ok().flatten().unwrap_or("contacts");
    let line = row
        .opt_int("source_line")
        .ok()
        .flatten()
        .and_then(|l| u64::try_from(l).ok());
    let place = Place {
        file: file.to_owned(),
        line,
        column: Some(column.to_owned()),
    };
    Finding::error(
        place,
        rule,
        message,
        "correct the contact, or add its domain to allowed_mail_domains of the partner",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Value;
    use crate::domain::time::parse_date;

    fn contacts(rows: &[[&str; 6]]) -> Table {
        let columns = [
            "partner_id",
            "email",
            "name",
            "language",
            "wants",
            "valid_from",
            "valid_to",
            "source_file",
            "source_line",
        ];
        let mut table = Table::new("contacts", &columns);
        for (i, [partner, email, name, wants, from, to]) in rows.iter().enumerate() {
            let to = parse_date(to).map_or(Value::Null, Value::Date);
            let line = Value::Int(i64::try_from(i).unwrap() + 2);
            table.push(vec![
                (*partner).into(),
                (*email).into(),
                (*name).into(),
                Value::Null,
                (*wants).into(),
                parse_date(from).unwrap().into(),
                to,
                "contacts.csv".into(),
                line,
            ]);
        }
        table
    }

    fn check(rows: &[[&str; 6]], addresses: &[&str], findings: &[&str]) {
        let partner = PartnerId::new("P1").unwrap();
        let on = parse_date("2026-10-12").unwrap();
        let (got, found) = recipients(&contacts(rows), &partner, "scorecard", on, &["one.example"]).unwrap();
        assert_eq!(got.iter().map(|r| r.address.as_str()).collect::<Vec<_>>(), addresses);
        assert_eq!(
            found
                .iter()
                .map(|f| format!("{} {}", f.place, f.rule))
                .collect::<Vec<_>>(),
            findings
        );
        for finding in found {
            assert!(!finding.to_string().contains('@'), "{finding}");
        }
    }

    #[test]
    fn only_valid_contacts_of_the_partner_that_want_it_each_once() {
        check(
            &[
                ["P1", "b@one.example", "B", "statement|scorecard", "2026-01-01", ""],
                ["P1", "a@one.example", "A", "scorecard", "2026-01-01", "2026-10-13"],
                ["P1", "A@ONE.example", "A", "scorecard", "2026-01-01", ""],
                ["P1", "ended@one.example", "", "scorecard", "2026-01-01", "2026-10-12"],
                ["P1", "later@one.example", "", "scorecard", "2026-10-13", ""],
                ["P1", "other@one.example", "", "statement", "2026-01-01", ""],
                ["P2", "rival@one.example", "", "scorecard", "2026-01-01", ""],
            ],
            &["A@ONE.example", "b@one.example"],
            &[],
        );
    }

    #[test]
    fn refused_contacts_are_findings_without_the_address() {
        check(
            &[
                ["P1", "a@two.example", "", "scorecard", "2026-01-01", ""],
                ["P1", "a@on\u{435}.example", "", "scorecard", "2026-01-01", ""],
                ["P1", "a@one.example", "A\r\nBcc: x", "scorecard", "2026-01-01", ""],
                ["P1", "c@one.example", "", "scorecard", "2026-01-01", ""],
            ],
            &["c@one.example"],
            &[
                "contacts.csv:2 [email] mail-address",
                "contacts.csv:3 [email] mail-address",
                "contacts.csv:4 [name] mail-name",
            ],
        );
    }
}
