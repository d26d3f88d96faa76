//! Reads the sample with the proposal, through the reader that a run uses.
//!
//! Duty: how many records would be accepted, and the first that would not. Not its duty: correcting the proposal.

use std::io::Cursor;

use super::guess::{grouped, of};
use super::write::{Form, write};
use super::{Known, Proposal};
use crate::contracts::Contract;
use crate::domain::{Batch, Dec, Digest, Ratio};
use crate::ingest::decode::Compression;
use crate::ingest::limits::{SMALL_FILE_RECORDS, SMALL_FILE_REJECTS};
use crate::ingest::outcome::Sink;
use crate::ingest::{FileOrigin, FileOutcome, Input, Source, Stopped, Verdict, read_file};

/// Rejects that a trial shows.
const SHOWN: usize = 5;

/// What came of reading the sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    pub records: u64,
    pub accepted: u64,
    pub skipped: u64,
    pub rejected: u64,
    /// Line, column, rule and reason of the first ones.
    pub rejects: Vec<Rejected>,
    /// Why nothing could be read, or why a run would set the file aside.
    pub set_aside: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub line: i64,
    pub column: Option<String>,
    pub rule: String,
    pub reason: String,
}

impl Trial {
    #[must_use]
    pub fn summary(&self) -> String {
        let mut words = of(self.accepted, self.records, "records");
        words.push_str(" would be accepted");
        if self.skipped > 0 {
            words.push_str(&format!(", {} skipped", grouped(self.skipped)));
        }
        if self.rejected > 0 {
            words.push_str(&format!(", {} rejected", grouped(self.rejected)));
        }
        if let Some(reason) = &self.set_aside {
            words.push_str(&format!("; the file would be set aside: {reason}"));
        }
        words
    }

    fn refused(reason: String) -> Trial {
        Trial {
            records: 0,
            accepted: 0,
            skipped: 0,
            rejected: 0,
            rejects: Vec::new(),
            set_aside: Some(reason),
        }
    }
}

/// A sink for rows that are only counted.
struct Counted;

impl Sink for Counted {
    fn take(&mut self, _: Batch) -> Result<(), Stopped> {
        Ok(())
    }
}

impl Proposal {
    /// The source that a trial reads with: every guess as if it were right.
    pub fn trial_source(&self) -> Result<Source, String> {
        match Source::read("proposal", &write(self, Form::Trial)) {
            Ok(sources) => sources
                .into_iter()
                .next()
                .ok_or_else(|| "the proposal holds no source".to_owned()),
            Err(findings) => Err(findings
                .iter()
                .map(|f| f.message.as_str())
                .collect::<Vec<_>>()
                .join("; ")),
        }
    }

    /// Reads an input of so many bytes with the proposal, and keeps what came of it.
    pub fn try_read(&mut self, source: &Source, contract: &Contract, input: Input<'_>, bytes: u64) {
        let origin = FileOrigin {
            arrival: 1,
            file_name: self.file.clone(),
            file_hash: Digest::of(self.file.as_bytes()),
            bytes,
        };
        let outcome = read_file(source, &lenient(self, contract), &origin, input, &mut Counted);
        self.trial = Some(told(&outcome, contract));
    }

    /// The same for a text: unpacked bytes that end with a record, or the file itself where all of it is there.
    pub(super) fn try_text(&mut self, bytes: &[u8], packed: Compression, whole: bool, head: &[u8], known: Known<'_>) {
        let Some(contract) = known.contracts.iter().find(|c| c.name == self.feed) else {
            return;
        };
        let mut source = match self.trial_source() {
            Ok(source) => source,
            Err(reason) => {
                self.trial = Some(Trial::refused(reason));
                return;
            }
        };
        let bytes = if whole && packed != Compression::None {
            head
        } else {
            source.compression = Compression::None;
            bytes
        };
        let input = Input::Bytes(Box::new(Cursor::new(bytes)));
        self.try_read(&source, contract, input, bytes.len() as u64);
    }
}

/// The contract without what the trial is not about: columns that a person has still to supply, and the share of
/// rejects over which a file is set aside, so that every reject is seen.
fn lenient(proposal: &Proposal, contract: &Contract) -> Contract {
    let mut contract = contract.clone();
    contract.reject_threshold = Dec::new(1, 0);
    for column in &mut contract.columns {
        let is_open = |path: &[String]| path.len() == 2 && path[0] == "constants" && path[1] == column.name;
        if proposal.guesses.iter().any(|g| is_open(&g.path)) {
            column.required = false;
        }
    }
    contract
}

fn told(outcome: &FileOutcome, contract: &Contract) -> Trial {
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let rejected = count(outcome.rejected());
    let records = count(outcome.records);
    let spared = outcome.records < SMALL_FILE_RECORDS && outcome.rejected() <= SMALL_FILE_REJECTS;
    let allowed = contract.reject_threshold.ratio() * Ratio::int(outcome.records);
    let over = !spared && Ratio::int(outcome.rejected()) > allowed;
    let set_aside = match &outcome.verdict {
        Verdict::SetAside { reason } => Some(reason.clone()),
        Verdict::Read if over => Some(format!("its share of rejects is over {}", contract.reject_threshold)),
        Verdict::Read => None,
    };
    let rejects = outcome.rejects.iter().take(SHOWN).map(|r| Rejected {
        line: r.line,
        column: r.column.clone(),
        rule: r.rule.clone(),
        reason: r.reason.clone(),
    });
    Trial {
        records,
        accepted: count(outcome.rows),
        skipped: count(outcome.skipped_records()),
        rejected,
        rejects: rejects.collect(),
        set_aside,
    }
}
