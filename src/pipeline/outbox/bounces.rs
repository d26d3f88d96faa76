//! Returned mail: taken in once, and which addresses get nothing for it.
//!
//! Duty: reports of the bounce folder → records in landing; records, contacts and decisions → addresses that are
//! suppressed. Must not: read a report (`delivery::bounce` does), or show an address.
//!
//! An address is suppressed by a failure for good (5.x.x) of a message that was sent to it. It is free again when a
//! person lifts that, or when a row of the contacts names it that arrived later. Failures that may pass are counted.

use std::collections::{BTreeMap, BTreeSet};

use super::{Entry, Outbox, envelope};
use crate::delivery::bounce::{self, Fate, Returned};
use crate::delivery::{Envelope, Outcome, Refusal};
use crate::domain::{Digest, Instant, Table};
use crate::edges::files::{self, FileKind};
use crate::pipeline::PipelineError;
use crate::pipeline::acts::{Act, mails};
use crate::store::landing::{self, BounceRecord, Failure};
use crate::store::layout::Layout;
use crate::store::release::Release;
use crate::store::{StoreError, private};

/// Largest report that is read; a server returns the message with it, or its headers.
const MAX_REPORT_BYTES: u64 = 32 << 20;

/// What a look into the bounce folder came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Recipients that were refused for good, in reports taken in now.
    pub permanent: usize,
    /// Recipients that were not reached for now.
    pub temporary: usize,
    /// Files that are no report about a message of this outbox, and why; they are looked at again each time.
    pub ignored: Vec<(String, String)>,
}

/// Takes in what is new in the folder. Files stay where they are: a mailbox belongs to whoever reads it.
pub fn take_in(layout: &Layout, folder: &str, outbox: &mut Outbox, now: Instant) -> Result<Taken, PipelineError> {
    let mut known = landing::bounces(layout)?;
    let mut hashes = BounceRecord::hashes(&known);
    let by_id: BTreeMap<&str, usize> = outbox
        .entries
        .iter()
        .enumerate()
        .filter_map(|(i, e)| Some((e.message_id.as_deref()?, i)))
        .collect();
    let base = layout.workspace().join(folder);
    let mut taken = Taken::default();
    let mut found: Vec<(usize, BounceRecord)> = Vec::new();
    for (name, kind) in files::walk(&base).map_err(StoreError::from)? {
        // what a maildir still writes stands under tmp/
        if name.starts_with("tmp/") || name.split('/').any(|part| part.starts_with('.')) {
            continue;
        }
        let path = base.join(&name);
        let label = format!("{folder}/{name}");
        let mut ignore = |why: &str| taken.ignored.push((label.clone(), why.to_owned()));
        if kind != FileKind::File {
            ignore("is no plain file");
            continue;
        }
        if files::identity(&path).map_err(StoreError::from)?.0 > MAX_REPORT_BYTES {
            ignore("is larger than any delivery report");
            continue;
        }
        let bytes = files::read(&path).map_err(StoreError::from)?;
        let sha256 = Digest::of(&bytes);
        if hashes.contains(&sha256) {
            continue;
        }
        let report = match bounce::read(&bytes) {
            Returned::Report(report) => report,
            Returned::Other(why) => {
                ignore(why);
                continue;
            }
        };
        let Some(index) = by_id.get(report.message_id.as_str()) else {
            ignore("is about a message that this outbox does not know");
            continue;
        };
        let envelope = match envelope(layout, outbox.entries[*index].envelope) {
            Ok(envelope) => envelope,
            Err(why) => {
                ignore(&format!("is about a message of which {why}"));
                continue;
            }
        };
        let failures = failures(&report, &envelope);
        let Some(failures) = failures else {
            ignore("is about an address that the message was not sent to");
            continue;
        };
        taken.permanent += failures.iter().filter(|f| f.permanent).count();
        taken.temporary += failures.iter().filter(|f| !f.permanent).count();
        let record = BounceRecord {
            bounce: u64::try_from(known.len()).unwrap_or(u64::MAX) + 1,
            sha256,
            file_name: label,
            taken_at: now.to_string(),
            last_arrival: landing::last_arrival(layout)?,
            message_key: outbox.entries[*index].key.clone(),
            failures,
        };
        landing::record_bounce(layout, &record, &bytes)?;
        hashes.insert(sha256);
        known.push(record.clone());
        found.push((*index, record));
    }
    for (index, record) in found {
        outbox.entries[index].bounces.push(record);
    }
    Ok(taken)
}

/// Failures by the address that the message was sent to; nothing when a failed one is not among them.
fn failures(report: &bounce::DeliveryReport, envelope: &Envelope) -> Option<Vec<Failure>> {
    let mut failures = Vec::new();
    for reported in report.recipients.iter().filter(|r| r.fate != Fate::Delivered) {
        let named = envelope
            .to
            .iter()
            .find(|to| reported.addresses.iter().any(|a| a.eq_ignore_ascii_case(to)));
        // a mailbox that passes mail on reports the address behind it: with one recipient there is no doubt
        let only = (envelope.to.len() == 1).then(|| envelope.to.first()).flatten();
        let address = named.or(only)?;
        failures.push(Failure {
            address: Digest::of(address.as_bytes()),
            status: reported.status.clone(),
            permanent: reported.fate == Fate::Permanent,
        });
    }
    Some(failures)
}

/// An address that is in reports, by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    pub address: Digest,
    /// Whether it gets nothing now.
    pub suppressed: bool,
    /// Why it is free again, where it is.
    pub freed: Option<String>,
    pub permanent: usize,
    pub temporary: usize,
    /// Of the last failure.
    pub status: String,
    pub message_key: String,
    pub taken_at: String,
    /// Partners whose contacts name it now.
    pub partners: BTreeSet<String>,
}

/// Every address of a report, by hash.
pub fn suppressions(
    outbox: &Outbox,
    records: &[BounceRecord],
    contacts: &Table,
) -> Result<Vec<Suppression>, PipelineError> {
    let mut found: BTreeMap<Digest, (Suppression, u64)> = BTreeMap::new();
    for record in records {
        for failure in &record.failures {
            let (entry, _) = found.entry(failure.address).or_insert_with(|| {
                let entry = Suppression {
                    address: failure.address,
                    suppressed: false,
                    freed: None,
                    permanent: 0,
                    temporary: 0,
                    status: String::new(),
                    message_key: String::new(),
                    taken_at: String::new(),
                    partners: BTreeSet::new(),
                };
                (entry, 0)
            });
            entry.status.clone_from(&failure.status);
            entry.message_key.clone_from(&record.message_key);
            if failure.permanent {
                entry.permanent += 1;
                entry.suppressed = true;
                entry.freed = None;
                entry.taken_at.clone_from(&record.taken_at);
            } else {
                entry.temporary += 1;
            }
            if failure.permanent
                && let Some((_, last)) = found.get_mut(&failure.address)
            {
                *last = record.last_arrival;
            }
        }
    }
    for (entry, _) in found.values_mut().filter(|(e, _)| e.suppressed) {
        if let Some(act) = lifted_after(&outbox.acts, entry) {
            entry.suppressed = false;
            entry.freed = Some(format!("lifted by {}: {}", act.by, act.reason));
        }
    }
    for row in contacts.iter() {
        let Some(hash) = row.text("email")?.strip_prefix("sha256:").and_then(Digest::parse) else {
            continue;
        };
        let Some((entry, last)) = found.get_mut(&hash) else {
            continue;
        };
        entry.partners.insert(row.text("partner_id")?.to_owned());
        let arrival = u64::try_from(row.int("arrival")?).unwrap_or(0);
        if entry.suppressed && arrival > *last {
            entry.suppressed = false;
            entry.freed = Some("its contact was delivered anew".to_owned());
        }
    }
    Ok(found.into_values().map(|(entry, _)| entry).collect())
}

/// The decision that lifts what was last reported.
fn lifted_after<'a>(acts: &'a [Act], entry: &Suppression) -> Option<&'a Act> {
    let reported = Instant::parse(&entry.taken_at).ok()?;
    // acts stand on whole seconds
    let second = Instant::from_micros(reported.micros().div_euclid(1_000_000) * 1_000_000);
    acts.iter()
        .rev()
        .find(|act| mails::lifted(act) == Some(entry.address) && act.decided_at >= second)
}

/// The addresses that get nothing, and why.
#[derive(Debug, Default)]
pub struct Gate {
    suppressed: BTreeMap<Digest, String>,
}

impl Gate {
    pub fn open(layout: &Layout, release: &Release, outbox: &Outbox) -> Result<Gate, PipelineError> {
        let records = landing::bounces(layout)?;
        if records.is_empty() {
            return Ok(Gate::default());
        }
        let all = suppressions(outbox, &records, &release.read_table("contacts")?)?;
        let suppressed = all.into_iter().filter(|s| s.suppressed).map(|s| (s.address, s.status));
        Ok(Gate {
            suppressed: suppressed.collect(),
        })
    }

    /// Hands an envelope on without its suppressed addresses, and puts those among the refused ones.
    pub fn pass(&self, whole: &Envelope, deliver: &mut dyn FnMut(&Envelope) -> Outcome) -> Outcome {
        let why = |address: &String| self.suppressed.get(&Digest::of(address.as_bytes()));
        let mut stopped: Vec<Refusal> = Vec::new();
        let mut served: Vec<usize> = Vec::new();
        for (position, address) in whole.to.iter().enumerate() {
            match why(address) {
                None => served.push(position),
                Some(status) => stopped.push(Refusal {
                    position,
                    code: 550,
                    text: format!("suppressed: a message to this address came back with {status}"),
                }),
            }
        }
        if stopped.is_empty() {
            return deliver(whole);
        }
        if served.is_empty() {
            return Outcome::Refused { refused: stopped };
        }
        let envelope = Envelope {
            from: whole.from.clone(),
            to: served.iter().map(|i| whole.to[*i].clone()).collect(),
        };
        let mut all = |refused: Vec<Refusal>| {
            let inner = refused.into_iter().filter_map(|r| {
                let position = *served.get(r.position)?;
                Some(Refusal { position, ..r })
            });
            let mut all: Vec<Refusal> = inner.chain(stopped.drain(..)).collect();
            all.sort_by_key(|r| r.position);
            all
        };
        match deliver(&envelope) {
            Outcome::Accepted { refused } => Outcome::Accepted { refused: all(refused) },
            Outcome::Refused { refused } => Outcome::Refused { refused: all(refused) },
            other => other,
        }
    }
}

/// Short text of what came back of a message; nothing when nothing did.
#[must_use]
pub fn told(entry: &Entry) -> Option<String> {
    let failures: Vec<&Failure> = entry.bounces.iter().flat_map(|b| &b.failures).collect();
    let last = failures.last()?;
    let permanent = failures.iter().filter(|f| f.permanent).count();
    Some(if permanent > 0 {
        format!("{permanent} came back ({})", last.status)
    } else {
        format!("{} delayed or not reached ({})", failures.len(), last.status)
    })
}

/// Hash of an address, as the contacts of a release hold it.
#[must_use]
pub fn address_hash(address: &str) -> Option<Digest> {
    private::token(address).strip_prefix("sha256:").and_then(Digest::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(to: &[&str]) -> Envelope {
        Envelope {
            from: "f@x.example".into(),
            to: to.iter().map(|t| (*t).to_owned()).collect(),
        }
    }

    #[test]
    fn suppressed_addresses_are_refused_in_their_places_and_the_others_served() {
        let gate = Gate {
            suppressed: ["b@x.example", "d@x.example"]
                .iter()
                .map(|a| (Digest::of(a.as_bytes()), "5.1.1".to_owned()))
                .collect(),
        };
        let whole = envelope(&["a@x.example", "b@x.example", "c@x.example", "d@x.example"]);
        let mut seen = Vec::new();
        let outcome = gate.pass(&whole, &mut |inner| {
            seen.clone_from(&inner.to);
            let refused = vec![Refusal {
                position: 1,
                code: 450,
                text: "later".into(),
            }];
            Outcome::Accepted { refused }
        });
        assert_eq!(seen, ["a@x.example", "c@x.example"]);
        let Outcome::Accepted { refused } = outcome else {
            panic!("{outcome:?}")
        };
        let places: Vec<(usize, u16)> = refused.iter().map(|r| (r.position, r.code)).collect();
        assert_eq!(places, [(1, 550), (2, 450), (3, 550)]);
        assert!(refused.iter().all(|r| !r.text.contains('@')));

        let nobody = gate.pass(&envelope(&["d@x.example"]), &mut |_| panic!("nothing goes out"));
        assert!(matches!(nobody, Outcome::Refused { refused } if refused.len() == 1));
        let free = envelope(&["a@x.example"]);
        assert_eq!(
            gate.pass(&free, &mut |_| Outcome::Accepted { refused: vec![] }),
            Outcome::Accepted { refused: vec![] }
        );
    }

    #[test]
    fn a_failed_address_is_one_of_the_message() {
        let reported = |addresses: &[&str]| bounce::DeliveryReport {
            message_id: "<k@x>".into(),
            recipients: vec![bounce::Reported {
                addresses: addresses.iter().map(|a| (*a).to_owned()).collect(),
                fate: Fate::Permanent,
                status: "5.1.1".into(),
            }],
        };
        let two = envelope(&["a@x.example", "b@x.example"]);
        let of_b = failures(&reported(&["B@X.example"]), &two).unwrap();
        assert_eq!(of_b[0].address, Digest::of(b"b@x.example"));
        assert_eq!(failures(&reported(&["else@y.example"]), &two), None);
        let behind = failures(&reported(&["else@y.example"]), &envelope(&["a@x.example"])).unwrap();
        assert_eq!(behind[0].address, Digest::of(b"a@x.example"));
    }
}
