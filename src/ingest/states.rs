//! How many records of each file are in which state.
//!
//! Duty: the counts, their sum, and the check of that sum. Not its duty: deciding a state.

use std::ops::AddAssign;

use crate::domain::{Finding, Findings, Place};

/// Records of one file by state; as a change, what to add to the counts so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileCounts {
    pub arrival: i64,
    pub records: i64,
    pub current: i64,
    pub superseded: i64,
    pub duplicate: i64,
    pub quarantined: i64,
    pub held: i64,
    pub skipped: i64,
}

impl FileCounts {
    pub fn of_arrival(arrival: i64) -> FileCounts {
        FileCounts {
            arrival,
            ..FileCounts::default()
        }
    }

    /// Sum over the states.
    pub fn states(&self) -> i64 {
        self.current + self.superseded + self.duplicate + self.quarantined + self.held + self.skipped
    }
}

impl AddAssign for FileCounts {
    /// Adds a change to the counts of the same arrival.
    fn add_assign(&mut self, change: FileCounts) {
        self.records += change.records;
        self.current += change.current;
        self.superseded += change.superseded;
        self.duplicate += change.duplicate;
        self.quarantined += change.quarantined;
        self.held += change.held;
        self.skipped += change.skipped;
    }
}

/// A count as it is stored.
pub(super) fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Files whose records are not each in exactly one state; a run that finds one does not publish.
pub fn conservation(files: &[FileCounts]) -> Findings {
    let mut findings = Findings::new();
    for file in files {
        let parts = [
            file.current,
            file.superseded,
            file.duplicate,
            file.quarantined,
            file.held,
            file.skipped,
        ];
        if file.records == file.states() && parts.iter().all(|count| *count >= 0) {
            continue;
        }
        let message = format!(
            "{} records, but {} current + {} superseded + {} duplicate + {} quarantined + {} held + {} skipped = {}",
            file.records,
            file.current,
            file.superseded,
            file.duplicate,
            file.quarantined,
            file.held,
            file.skipped,
            file.states()
        );
        findings.push(Finding::error(
            Place::file(format!("arrival {}", file.arrival)),
            "file.conservation",
            message,
            "do not publish; rebuild from landing, and report the mistake if it stays",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_or_doubled_record_is_found() {
        let good = FileCounts {
            arrival: 1,
            records: 6,
            current: 1,
            superseded: 1,
            duplicate: 1,
            quarantined: 1,
            held: 1,
            skipped: 1,
        };
        assert_eq!(conservation(&[good]), []);
        let lost = FileCounts {
            arrival: 2,
            held: 0,
            ..good
        };
        let negative = FileCounts {
            arrival: 3,
            held: -1,
            current: 3,
            ..good
        };
        let found = conservation(&[good, lost, negative]);
        assert_eq!(
            found.iter().map(|f| f.place.file.as_str()).collect::<Vec<_>>(),
            ["arrival 2", "arrival 3"]
        );
        assert!(
            found[0].message.starts_with("6 records, but 1 current"),
            "{}",
            found[0].message
        );
    }
}
