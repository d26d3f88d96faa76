//! Many small parts made one.
//!
//! Duty: keep the number of parts of a partition small, at a cost that grows with what was added and not with what is
//! there. A function of the parts' content alone. Must not: change, add or lose a row.

use std::collections::BTreeMap;

use super::FeedWriter;
use super::read::{PartReader, StoredBatch, read_part};
use super::route::PART_ROWS;
use crate::contracts::Contract;
use crate::store::StoreError;
use crate::store::manifest::ReleaseFile;
use crate::store::staging::Staging;

/// Parts of a partition that may be there before some become one.
const MOST_PARTS: usize = 16;

/// Rows below which a part is small.
const SMALL_ROWS: u64 = 250_000;

/// Rows from which a part stays as it is and is not counted: half of the most that one has.
const LARGE_ROWS: u64 = PART_ROWS as u64 / 2;

/// Which parts of a partition become one: the small ones where there are too many, and all that are not large where
/// there still would be. Every row is written anew a few times at most, however many runs add to its month.
fn chosen(files: &[ReleaseFile]) -> Vec<ReleaseFile> {
    let below = |rows: u64| files.iter().filter(move |f| f.rows < rows).cloned().collect::<Vec<_>>();
    let counted = below(LARGE_ROWS);
    if counted.len() <= MOST_PARTS {
        return Vec::new();
    }
    let small = below(SMALL_ROWS);
    if small.len() > 1 && counted.len() - small.len() < MOST_PARTS {
        small
    } else {
        counted
    }
}

impl Staging {
    /// Makes some of the staged parts of a table one, in every partition that has more than 16. Rows stand by arrival and
    /// line in it.
    pub fn compact(&mut self, contract: &Contract) -> Result<(), StoreError> {
        let mut partitions: BTreeMap<String, Vec<ReleaseFile>> = BTreeMap::new();
        for file in self.files_of(&contract.name) {
            partitions.entry(file.partition.clone()).or_default().push(file);
        }
        for files in partitions.into_values() {
            let merged = chosen(&files);
            if merged.is_empty() {
                continue;
            }
            let mut writer = FeedWriter::new(self, contract)?;
            let sources: Result<Vec<Source>, StoreError> =
                merged.iter().map(|file| Source::open(self, contract, file)).collect();
            merge(sources?, &mut |rows| {
                let hashes = rows.rows.hashes(&contract.key);
                writer.write_stored(rows, hashes, &[])
            })?;
            let parts = writer.finish()?;
            for file in &merged {
                self.withdraw(file)?;
            }
            for part in parts {
                self.adopt(part)?;
            }
        }
        Ok(())
    }
}

/// Arrival and line of a row, by which rows stand.
type At = (i64, i64);

/// The rows of one part, ascending.
struct Source {
    rest: Rest,
    batch: StoredBatch,
    /// Rows of the batch that are taken.
    taken: usize,
}

enum Rest {
    /// The part ascends: it is read on.
    Read(PartReader),
    /// It does not, as rows waited for others: it was read whole and sorted.
    Sorted,
}

fn at(batch: &StoredBatch, row: usize) -> At {
    (batch.arrivals[row], batch.rows.lines[row])
}

impl Source {
    fn open(staging: &Staging, contract: &Contract, file: &ReleaseFile) -> Result<Source, StoreError> {
        let path = staging.folder().join(&file.path);
        let mut last = None;
        let mut ascends = true;
        for batch in super::read_columns(&path, contract, &[])? {
            let batch = batch?;
            for row in 0..batch.arrivals.len() {
                let this = Some(at(&batch, row));
                ascends &= last <= this;
                last = this;
            }
        }
        let mut reader = read_part(&path, contract, None)?;
        if ascends {
            let batch = reader.next().transpose()?.unwrap_or_default();
            return Ok(Source {
                rest: Rest::Read(reader),
                batch,
                taken: 0,
            });
        }
        let mut all: Option<StoredBatch> = None;
        for batch in reader {
            let batch = batch?;
            match &mut all {
                None => all = Some(batch),
                Some(all) => append(all, &batch),
            }
        }
        let all = all.unwrap_or_default();
        let mut order: Vec<usize> = (0..all.arrivals.len()).collect();
        order.sort_by_key(|row| at(&all, *row));
        Ok(Source {
            rest: Rest::Sorted,
            batch: all.select(&order),
            taken: 0,
        })
    }

    fn next(&self) -> Option<At> {
        (self.taken < self.batch.arrivals.len()).then(|| at(&self.batch, self.taken))
    }

    /// Takes the rows up to a place, as far as the batch has them.
    fn take(&mut self, up_to: Option<At>) -> Result<StoredBatch, StoreError> {
        let rows = self.batch.arrivals.len();
        let end = match up_to {
            Some(up_to) => (self.taken..rows)
                .find(|row| at(&self.batch, *row) > up_to)
                .unwrap_or(rows),
            None => rows,
        };
        let from = std::mem::replace(&mut self.taken, end);
        if end < rows {
            return Ok(self.batch.select(&(from..end).collect::<Vec<_>>()));
        }
        let next = match &mut self.rest {
            Rest::Read(reader) => reader.next().transpose()?.unwrap_or_default(),
            Rest::Sorted => StoredBatch::default(),
        };
        self.taken = 0;
        let batch = std::mem::replace(&mut self.batch, next);
        Ok(if from == 0 {
            batch
        } else {
            batch.select(&(from..rows).collect::<Vec<_>>())
        })
    }
}

fn append(all: &mut StoredBatch, more: &StoredBatch) {
    let rows: Vec<usize> = (0..more.rows.rows()).collect();
    all.rows.extend(&more.rows, &rows);
    all.arrivals.extend_from_slice(&more.arrivals);
    all.files.extend(more.files.iter().cloned());
}

/// Gives the rows of all sources by arrival and line; of equal ones those of the first source first.
fn merge(
    mut sources: Vec<Source>,
    write: &mut impl FnMut(StoredBatch) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    loop {
        let mut heads: Vec<(At, usize)> = sources
            .iter()
            .enumerate()
            .filter_map(|(i, s)| s.next().map(|at| (at, i)))
            .collect();
        heads.sort_unstable();
        let Some((_, first)) = heads.first().copied() else {
            return Ok(());
        };
        let limit = heads.get(1).map(|(at, _)| *at);
        write(sources[first].take(limit)?)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Digest;

    fn part(rows: u64) -> ReleaseFile {
        ReleaseFile {
            table: "t".to_owned(),
            path: format!("t/{rows}"),
            partition: String::new(),
            bytes: 0,
            rows,
            sha256: Digest::of(b""),
        }
    }

    #[test]
    fn parts_become_one_where_there_are_too_many() {
        let rows = |counts: &[(usize, u64)]| -> Vec<u64> {
            let files: Vec<ReleaseFile> = counts.iter().flat_map(|(n, rows)| vec![part(*rows); *n]).collect();
            chosen(&files).iter().map(|f| f.rows).collect()
        };
        let (large, middle, small) = (LARGE_ROWS, SMALL_ROWS, 10);
        assert_eq!(rows(&[(16, small), (40, large)]), [0_u64; 0]);
        assert_eq!(rows(&[(17, small), (1, large)]), [small; 17]);
        assert_eq!(rows(&[(15, middle), (2, small)]), [small; 2]);
        // one for the small ones would be the seventeenth
        assert_eq!(rows(&[(16, middle), (2, small)]).len(), 18);
        assert_eq!(rows(&[(17, middle)]).len(), 17);
        assert_eq!(rows(&[(16, middle), (1, small), (3, large)]).len(), 17);
    }
}
