//! The inbox as it was seen last: which state of which file had which content.
//!
//! Duty: spare a run the reading of files that it has read before. It is a memory and no record: whether content has
//! arrived is landing's to say. Losing it costs the reading of the inbox once, so whatever is wrong with it is
//! answered by doing without it. Not its duty: listing files.

use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::StoreError;
use super::layout::Layout;
use crate::domain::Digest;
use crate::edges::files;
use crate::edges::outside::Stamp;

/// Version of the table; a file of another version is made anew.
const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = "
create table seen (
  path text primary key, device integer not null, inode integer not null, bytes integer not null,
  modified_ns integer not null, changed_ns integer not null, sha256 text not null) without rowid;
";

/// So many files are written down at once.
const BATCH: usize = 1024;

/// A memory of more than twice what the inbox holds, and this, is begun anew.
const FORGOTTEN: u64 = 10_000;

/// What was seen. Reads change no byte; what is learned is written in batches.
#[derive(Debug)]
pub struct Seen {
    path: PathBuf,
    connection: Option<Connection>,
    learned: Vec<(String, Stamp, Digest)>,
}

impl Seen {
    /// Where it lies: beside the releases, gone with the warehouse.
    #[must_use]
    pub fn path(layout: &Layout) -> PathBuf {
        layout.warehouse().join("inbox.db")
    }

    /// Opens it for reading; one that is not there or cannot be read knows nothing.
    #[must_use]
    pub fn open(layout: &Layout) -> Seen {
        let path = Seen::path(layout);
        let connection = files::exists(&path)
            .then(|| {
                let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                let version: i64 = connection.pragma_query_value(None, "user_version", |r| r.get(0))?;
                Ok::<_, rusqlite::Error>((version == SCHEMA_VERSION).then_some(connection))
            })
            .and_then(|opened| opened.unwrap_or_else(|e| forgotten(&e)));
        Seen {
            path,
            connection,
            learned: Vec::new(),
        }
    }

    /// The content a file had when it was in this state.
    pub fn content(&mut self, path: &str, stamp: &Stamp) -> Option<Digest> {
        let connection = self.connection.as_ref()?;
        match lookup(connection, path, stamp) {
            Ok(found) => found,
            Err(e) => {
                self.connection = forgotten(&e);
                None
            }
        }
    }

    /// Remembers what a file held, from the next save on.
    pub fn learn(&mut self, path: &str, stamp: Stamp, content: Digest) -> Result<(), StoreError> {
        self.learned.push((path.to_owned(), stamp, content));
        if self.learned.len() < BATCH {
            return Ok(());
        }
        self.save(None)
    }

    /// Writes down what was learned; nothing, when nothing was. `listed` is how many files the inbox holds: far fewer
    /// than are remembered means that most have left it.
    pub fn save(&mut self, listed: Option<u64>) -> Result<(), StoreError> {
        if self.learned.is_empty() {
            return Ok(());
        }
        if let Some(folder) = self.path.parent() {
            files::create_dir_all(folder)?;
        }
        self.connection = None;
        let learned = std::mem::take(&mut self.learned);
        if let Err(e) = write(&self.path, &learned, listed) {
            // what cannot be written cannot be trusted either
            tracing::warn!(error = %e, "what was seen of the inbox is not remembered: the next run reads it again");
            files::remove_if_there(&self.path)?;
        }
        Ok(())
    }
}

fn forgotten(error: &rusqlite::Error) -> Option<Connection> {
    tracing::warn!(%error, "what was seen of the inbox cannot be read: its files are read again");
    None
}

/// Numbers as the database holds them: the bits of an unsigned one.
fn bits(number: u64) -> i64 {
    i64::from_ne_bytes(number.to_ne_bytes())
}

fn lookup(connection: &Connection, path: &str, stamp: &Stamp) -> Result<Option<Digest>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "select sha256 from seen where path = ? and device = ? and inode = ? and bytes = ? and modified_ns = ? \
         and changed_ns = ?",
    )?;
    let of_state = params![
        path,
        bits(stamp.device),
        bits(stamp.inode),
        bits(stamp.bytes),
        stamp.modified_ns,
        stamp.changed_ns
    ];
    let found: Option<String> = statement.query_row(of_state, |r| r.get(0)).optional()?;
    Ok(found.and_then(|text| Digest::parse(&text)))
}

fn write(
    path: &std::path::Path,
    learned: &[(String, Stamp, Digest)],
    listed: Option<u64>,
) -> Result<(), rusqlite::Error> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "synchronous", "full")?;
    let transaction = connection.transaction()?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |r| r.get(0))?;
    if version != SCHEMA_VERSION {
        transaction.execute_batch("drop table if exists seen")?;
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    if let Some(listed) = listed {
        let held: i64 = transaction.query_row("select count(*) from seen", [], |r| r.get(0))?;
        if u64::try_from(held).unwrap_or(0) > 2 * listed + FORGOTTEN {
            transaction.execute("delete from seen", [])?;
        }
    }
    let mut statement = transaction.prepare(
        "insert or replace into seen (path, device, inode, bytes, modified_ns, changed_ns, sha256) \
         values (?, ?, ?, ?, ?, ?, ?)",
    )?;
    for (path, stamp, content) in learned {
        statement.execute(params![
            path,
            bits(stamp.device),
            bits(stamp.inode),
            bits(stamp.bytes),
            stamp.modified_ns,
            stamp.changed_ns,
            content.to_string()
        ])?;
    }
    drop(statement);
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(changed_ns: i64) -> Stamp {
        Stamp {
            device: u64::MAX,
            inode: 7,
            bytes: 3,
            modified_ns: 1,
            changed_ns,
        }
    }

    #[test]
    fn a_state_is_remembered_and_another_one_is_not_taken_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::new(folder.path());
        let content = Digest::of(b"abc");
        let mut seen = Seen::open(&layout);
        assert_eq!(seen.content("a.csv", &stamp(1)), None);
        seen.save(Some(0)).expect("saved");
        assert!(!Seen::path(&layout).exists(), "nothing was learned");
        seen.learn("a.csv", stamp(1), content).expect("learned");
        seen.save(Some(1)).expect("saved");
        let mut seen = Seen::open(&layout);
        assert_eq!(seen.content("a.csv", &stamp(1)), Some(content));
        assert_eq!(seen.content("a.csv", &stamp(2)), None);
        assert_eq!(seen.content("b.csv", &stamp(1)), None);
    }

    #[test]
    fn a_damaged_memory_is_none_and_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::new(folder.path());
        std::fs::create_dir_all(layout.warehouse()).expect("the warehouse");
        std::fs::write(
            Seen::path(&layout),
            b"this is no database, and longer than a header of one would be",
        )
        .expect("a file");
        let mut seen = Seen::open(&layout);
        assert_eq!(seen.content("a.csv", &stamp(1)), None);
        seen.learn("a.csv", stamp(1), Digest::of(b"abc")).expect("learned");
        // the first save finds it damaged and removes it, the next one makes it
        seen.save(Some(1)).expect("saved");
        seen.learn("a.csv", stamp(1), Digest::of(b"abc")).expect("learned");
        seen.save(Some(1)).expect("saved");
        assert_eq!(
            Seen::open(&layout).content("a.csv", &stamp(1)),
            Some(Digest::of(b"abc"))
        );
    }
}
