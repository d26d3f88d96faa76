//! The operations database: what can be rebuilt, or what comes after the commit.
//!
//! Duty: run history, schedule slots, fingerprints of runs that changed nothing, hashes of files by what they looked
//! like. Not its duty: any state that a release holds; deleting this file loses history and nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::StoreError;
use super::trust::Identity;
use crate::domain::Digest;
use crate::edges::files;

/// What to do about an error of the database.
pub(super) fn remedy(error: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
    match error.sqlite_error_code() {
        Some(DiskFull) => "the disk is full: free space and run again",
        Some(DatabaseBusy | DatabaseLocked) => "another program has it open: close that and run again",
        _ => "warehouse/operations.db holds history only: remove it and run again",
    }
}

/// Version of the tables; a newer file is refused.
const SCHEMA_VERSION: i64 = 2;

const SCHEMA: &str = "
create table if not exists runs (
  id integer primary key, started_at text not null, finished_at text, pipeline text not null, as_of text not null,
  why text not null, state text not null, release text, summary text, error text);
create table if not exists slots (
  pipeline text not null, due_at text not null, state text not null, primary key (pipeline, due_at));
create table if not exists unchanged (fingerprint text primary key, release text not null);
create table if not exists hashed_files (
  inode integer not null, bytes integer not null, modified integer not null, sha256 text not null,
  primary key (inode, bytes, modified)) without rowid;
";

/// The open database.
#[derive(Debug)]
pub struct Operations {
    connection: Connection,
}

/// One line of the run history.
#[derive(Clone, Debug)]
pub struct RunLine {
    pub id: i64,
    pub started_at: String,
    pub finished_at: Option<String>,
    pub pipeline: String,
    pub as_of: String,
    pub why: String,
    pub state: String,
    pub release: Option<String>,
    pub error: Option<String>,
}

impl Operations {
    pub fn open(path: &Path) -> Result<Operations, StoreError> {
        if let Some(folder) = path.parent() {
            files::create_dir_all(folder)?;
        }
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "synchronous", "full")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |r| r.get(0))?;
        if version > SCHEMA_VERSION {
            return Err(StoreError::Format {
                action: "open",
                path: path.display().to_string(),
                detail: format!(
                    "it has version {version}, this program knows {SCHEMA_VERSION}; use a newer starledger"
                ),
            });
        }
        // a run with nothing to do must not change a byte, so nothing is written to a database that is up to date
        if version < SCHEMA_VERSION {
            connection.execute_batch(SCHEMA)?;
            connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        Ok(Operations { connection })
    }

    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    pub fn begin_run(&self, started_at: &str, pipeline: &str, as_of: &str, why: &str) -> Result<i64, StoreError> {
        // whoever holds the lock is the only run: what still says so died
        self.connection
            .execute("update runs set state = 'died' where state = 'running'", [])?;
        self.connection.execute(
            "insert into runs (started_at, pipeline, as_of, why, state) values (?, ?, ?, ?, 'running')",
            params![started_at, pipeline, as_of, why],
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    pub fn end_run(
        &self,
        id: i64,
        finished_at: &str,
        state: &str,
        release: Option<&str>,
        summary: Option<&str>,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        self.connection.execute(
            "update runs set finished_at = ?, state = ?, release = ?, summary = ?, error = ? where id = ?",
            params![finished_at, state, release, summary, error, id],
        )?;
        Ok(())
    }

    /// The latest runs, newest first.
    pub fn runs(&self, limit: u32) -> Result<Vec<RunLine>, StoreError> {
        let mut statement = self.connection.prepare(
            "select id, started_at, finished_at, pipeline, as_of, why, state, release, error from runs order by id desc limit ?",
        )?;
        let rows = statement.query_map([limit], |r| {
            Ok(RunLine {
                id: r.get(0)?,
                started_at: r.get(1)?,
                finished_at: r.get(2)?,
                pipeline: r.get(3)?,
                as_of: r.get(4)?,
                why: r.get(5)?,
                state: r.get(6)?,
                release: r.get(7)?,
                error: r.get(8)?,
            })
        })?;
        rows.collect::<Result<_, _>>().map_err(Into::into)
    }

    /// Last completed slot of a pipeline.
    pub fn last_slot(&self, pipeline: &str) -> Result<Option<String>, StoreError> {
        Ok(self
            .connection
            .query_row(
                "select max(due_at) from slots where pipeline = ? and state = 'done'",
                [pipeline],
                |r| r.get(0),
            )
            .optional()?
            .flatten())
    }

    pub fn complete_slot(&self, pipeline: &str, due_at: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "insert or replace into slots (pipeline, due_at, state) values (?, ?, 'done')",
            params![pipeline, due_at],
        )?;
        Ok(())
    }

    /// Whether a run with these inputs was found to change nothing in this release.
    pub fn known_unchanged(&self, fingerprint: &str, release: &str) -> Result<bool, StoreError> {
        Ok(self
            .connection
            .query_row(
                "select 1 from unchanged where fingerprint = ? and release = ?",
                params![fingerprint, release],
                |_| Ok(()),
            )
            .optional()?
            .is_some())
    }

    pub fn remember_unchanged(&self, fingerprint: &str, release: &str) -> Result<(), StoreError> {
        self.connection.execute(
            "insert or replace into unchanged (fingerprint, release) values (?, ?)",
            params![fingerprint, release],
        )?;
        Ok(())
    }

    /// Hashes of files that an earlier run read; nothing is made where there is no database.
    pub(super) fn hashed_files(path: &Path) -> Result<BTreeMap<Identity, Digest>, StoreError> {
        if !files::exists(path) {
            return Ok(BTreeMap::new());
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut statement = connection.prepare("select inode, bytes, modified, sha256 from hashed_files")?;
        let rows = statement.query_map([], |r| {
            let seen = Identity {
                inode: r.get::<_, i64>(0)?.cast_unsigned(),
                bytes: r.get::<_, i64>(1)?.cast_unsigned(),
                modified: r.get(2)?,
            };
            Ok((seen, r.get::<_, String>(3)?))
        })?;
        let mut out = BTreeMap::new();
        for row in rows {
            let (seen, text) = row?;
            out.extend(Digest::parse(&text).map(|hash| (seen, hash)));
        }
        Ok(out)
    }

    /// Keeps these hashes and no others.
    pub(super) fn keep_hashed_files(&mut self, hashes: &BTreeMap<Identity, Digest>) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        transaction.execute("delete from hashed_files", [])?;
        {
            let mut insert =
                transaction.prepare("insert into hashed_files (inode, bytes, modified, sha256) values (?, ?, ?, ?)")?;
            for (seen, hash) in hashes {
                let (inode, bytes) = (seen.inode.cast_signed(), seen.bytes.cast_signed());
                insert.execute(params![inode, bytes, seen.modified, hash.to_string()])?;
            }
        }
        Ok(transaction.commit()?)
    }
}
