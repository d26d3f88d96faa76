//! The delivery log: the record of every message in the operations database.
//!
//! Duty: durable claims and outcomes, one row a message, one row a recipient by its place in the envelope. Not its
//! duty: opening the database, and deciding anything (`outbox`).

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use thiserror::Error;

use crate::domain::Instant;

use super::outbox::{DeliveryRecord, DeliveryState, RecipientState};

#[derive(Debug, Error)]
pub enum LogError {
    #[error("the delivery log cannot be used")]
    Database(#[from] rusqlite::Error),
    #[error(
        "message {key} is in the delivery log with another Message-ID or number of recipients: its content changed under its key"
    )]
    Changed { key: String },
    #[error("message {key} was claimed by another run")]
    Claimed { key: String },
    #[error("message {key} is not in the delivery log")]
    Missing { key: String },
    #[error("message {key} has the unknown state '{state}' in the delivery log: it was written by a newer version")]
    State { key: String, state: String },
}

/// Times are microseconds UTC. `last_error` holds no address.
const SCHEMA: &str = "
create table if not exists deliveries (
  message_key text primary key not null,
  message_id text not null,
  state text not null,
  attempts integer not null,
  refusals integer not null,
  unknown_outcomes integer not null,
  last_error text,
  not_before integer,
  claimed_at integer,
  sent_at integer
) strict;
create table if not exists delivery_recipients (
  message_key text not null references deliveries (message_key),
  position integer not null,
  state text not null,
  code integer,
  primary key (message_key, position)
) strict;
create table if not exists delivery_attempts (
  message_key text not null references deliveries (message_key),
  attempt integer not null,
  claimed_at integer,
  state text not null,
  error text,
  primary key (message_key, attempt)
) strict;";

/// What became of one attempt; of one whose run died, that nothing is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub number: u32,
    pub claimed_at: Option<Instant>,
    /// State that it led to.
    pub state: String,
    pub error: Option<String>,
}

/// Creates the tables where they are missing, and makes every commit of this connection reach the disk: a claim must
/// outlive a power cut.
pub fn prepare(connection: &Connection) -> Result<(), LogError> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(SCHEMA)?;
    Ok(())
}

/// The record of a message, made as `queued` where there is none.
pub fn enqueue(
    connection: &Connection,
    key: &str,
    message_id: &str,
    recipients: usize,
) -> Result<DeliveryRecord, LogError> {
    if let Some(record) = load(connection, key)? {
        if record.message_id != message_id || record.recipients.len() != recipients {
            return Err(LogError::Changed { key: key.to_owned() });
        }
        return Ok(record);
    }
    let record = DeliveryRecord::new(key, message_id, recipients);
    let transaction = connection.unchecked_transaction()?;
    transaction.execute(
        "insert into deliveries (message_key, message_id, state, attempts, refusals, unknown_outcomes) values (?, ?, ?, 0, 0, 0)",
        params![key, message_id, record.state.as_str()],
    )?;
    for position in 0..recipients {
        transaction.execute(
            "insert into delivery_recipients (message_key, position, state) values (?, ?, 'open')",
            params![key, whole(position)],
        )?;
    }
    transaction.commit()?;
    Ok(record)
}

/// The record of a message, if there is one.
pub fn load(connection: &Connection, key: &str) -> Result<Option<DeliveryRecord>, LogError> {
    let mut statement = connection.prepare_cached(
        "select message_id, state, attempts, refusals, unknown_outcomes, last_error, not_before, claimed_at, sent_at
         from deliveries where message_key = ?",
    )?;
    let Some((mut record, state)) = statement.query_row([key], |row| read(key, row)).optional()? else {
        return Ok(None);
    };
    record.state = DeliveryState::parse(&state).ok_or_else(|| LogError::State {
        key: key.to_owned(),
        state,
    })?;
    let mut statement = connection
        .prepare_cached("select state, code from delivery_recipients where message_key = ? order by position")?;
    let states = statement.query_map([key], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, Option<u16>>(1)?))
    })?;
    for state in states {
        record.recipients.push(match state? {
            (open, _) if open == "open" => RecipientState::Open,
            (refused, code) if refused == "refused" => RecipientState::Refused(code.unwrap_or(0)),
            _ => RecipientState::Accepted,
        });
    }
    Ok(Some(record))
}

fn read(key: &str, row: &Row<'_>) -> rusqlite::Result<(DeliveryRecord, String)> {
    let instant = |i: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(i)?.map(Instant::from_micros));
    let mut record = DeliveryRecord::new(key, &row.get::<_, String>(0)?, 0);
    record.attempts = row.get(2)?;
    record.refusals = row.get(3)?;
    record.unknown_outcomes = row.get(4)?;
    record.last_error = row.get(5)?;
    record.not_before = instant(6)?;
    record.claimed_at = instant(7)?;
    record.sent_at = instant(8)?;
    Ok((record, row.get(1)?))
}

/// Replaces `before` by `after` in one commit; refused when the log no longer holds `before`.
pub fn advance(connection: &Connection, before: &DeliveryRecord, after: &DeliveryRecord) -> Result<(), LogError> {
    let key = &after.message_key;
    let micros = |instant: Option<Instant>| instant.map(Instant::micros);
    let transaction = connection.unchecked_transaction()?;
    let changed = transaction.execute(
        "update deliveries set state = ?, attempts = ?, refusals = ?, unknown_outcomes = ?, last_error = ?,
         not_before = ?, claimed_at = ?, sent_at = ? where message_key = ? and state = ? and attempts = ?",
        params![
            after.state.as_str(),
            after.attempts,
            after.refusals,
            after.unknown_outcomes,
            after.last_error,
            micros(after.not_before),
            micros(after.claimed_at),
            micros(after.sent_at),
            key,
            before.state.as_str(),
            before.attempts,
        ],
    )?;
    if changed != 1 {
        let known = load(&transaction, key)?.is_some();
        let key = key.clone();
        return Err(if known {
            LogError::Claimed { key }
        } else {
            LogError::Missing { key }
        });
    }
    for (position, state) in after.recipients.iter().enumerate() {
        if before.recipients.get(position) != Some(state) {
            let (name, code) = match state {
                RecipientState::Open => ("open", None),
                RecipientState::Accepted => ("accepted", None),
                RecipientState::Refused(code) => ("refused", Some(*code)),
            };
            transaction.execute(
                "update delivery_recipients set state = ?, code = ? where message_key = ? and position = ?",
                params![name, code, key, whole(position)],
            )?;
        }
    }
    note_attempt(&transaction, before, after)?;
    transaction.commit()?;
    Ok(())
}

/// Writes an attempt into the history once it is over: by its outcome, or by the next claim if its run died.
fn note_attempt(connection: &Connection, before: &DeliveryRecord, after: &DeliveryRecord) -> Result<(), LogError> {
    let (state, error) = match (before.state, after.state) {
        (DeliveryState::Sending, DeliveryState::Sending) => ("unknown", Some("the run that tried it died")),
        (_, DeliveryState::Sending) => return Ok(()),
        (_, state) => (state.as_str(), after.last_error.as_deref()),
    };
    connection.execute(
        "insert or ignore into delivery_attempts (message_key, attempt, claimed_at, state, error) values (?, ?, ?, ?, ?)",
        params![
            before.message_key,
            before.attempts,
            before.claimed_at.map(Instant::micros),
            state,
            error
        ],
    )?;
    Ok(())
}

/// The attempts of a message in their order; none in a log of an earlier version.
pub fn attempts(connection: &Connection, key: &str) -> Result<Vec<Attempt>, LogError> {
    if !has_table(connection, "delivery_attempts")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "select attempt, claimed_at, state, error from delivery_attempts where message_key = ? order by attempt",
    )?;
    let rows = statement.query_map([key], |row| {
        Ok(Attempt {
            number: row.get(0)?,
            claimed_at: row.get::<_, Option<i64>>(1)?.map(Instant::from_micros),
            state: row.get(2)?,
            error: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Every record by message key; none where nothing was ever sent. Reads only.
pub fn all(connection: &Connection) -> Result<BTreeMap<String, DeliveryRecord>, LogError> {
    if !has_table(connection, "deliveries")? {
        return Ok(BTreeMap::new());
    }
    let mut statement = connection.prepare("select message_key from deliveries order by message_key")?;
    let keys = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut records = BTreeMap::new();
    for key in keys {
        let key = key?;
        if let Some(record) = load(connection, &key)? {
            records.insert(key, record);
        }
    }
    Ok(records)
}

fn has_table(connection: &Connection, name: &str) -> Result<bool, LogError> {
    let mut statement = connection.prepare("select 1 from sqlite_master where type = 'table' and name = ?")?;
    Ok(statement.exists([name])?)
}

/// Number of messages by state, for a report.
pub fn counts(connection: &Connection) -> Result<BTreeMap<String, i64>, LogError> {
    let mut statement = connection.prepare("select state, count(*) from deliveries group by state")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn whole(position: usize) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::message::{Outcome, Refusal};
    use super::super::outbox::{RetryPolicy, apply, claim};
    use super::*;

    fn open() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        prepare(&connection).unwrap();
        prepare(&connection).unwrap();
        connection
    }

    #[test]
    fn a_record_comes_back_as_it_was_written() {
        let log = open();
        let queued = enqueue(&log, "k", "<k@x>", 2).unwrap();
        assert_eq!(enqueue(&log, "k", "<k@x>", 2).unwrap(), queued);
        let now = Instant::parse("2026-10-12T06:00:00Z").unwrap();
        let claimed = claim(&queued, now);
        advance(&log, &queued, &claimed).unwrap();
        let refused = vec![
            Refusal {
                position: 0,
                code: 550,
                text: "no".into(),
            },
            Refusal {
                position: 1,
                code: 450,
                text: "later".into(),
            },
        ];
        let policy = RetryPolicy {
            pauses_seconds: vec![60],
            max_refusals: 5,
        };
        let after = apply(&claimed, &Outcome::Refused { refused }, &policy, now);
        advance(&log, &claimed, &after).unwrap();
        assert_eq!(load(&log, "k").unwrap().unwrap(), after);
        assert_eq!(counts(&log).unwrap(), [("retry".to_owned(), 1)].into());
        assert_eq!(all(&log).unwrap(), [("k".to_owned(), after.clone())].into());
        // a run dies in the second attempt: its claim is found by the third
        let second = claim(&after, now);
        advance(&log, &after, &second).unwrap();
        advance(&log, &second, &claim(&second, now)).unwrap();
        let history: Vec<(u32, String)> = attempts(&log, "k")
            .unwrap()
            .into_iter()
            .map(|a| (a.number, a.state))
            .collect();
        assert_eq!(history, [(1, "retry".to_owned()), (2, "unknown".to_owned())]);
        let empty = Connection::open_in_memory().unwrap();
        assert!(all(&empty).unwrap().is_empty() && attempts(&empty, "k").unwrap().is_empty());
    }

    #[test]
    fn a_claim_is_won_once() {
        let log = open();
        let queued = enqueue(&log, "k", "<k@x>", 1).unwrap();
        let claimed = claim(&queued, Instant::from_micros(1));
        advance(&log, &queued, &claimed).unwrap();
        assert!(matches!(
            advance(&log, &queued, &claimed),
            Err(LogError::Claimed { .. })
        ));
        let unknown = DeliveryRecord::new("other", "<o@x>", 1);
        assert!(matches!(
            advance(&log, &unknown, &unknown),
            Err(LogError::Missing { .. })
        ));
    }

    #[test]
    fn a_key_never_means_two_messages() {
        let log = open();
        enqueue(&log, "k", "<k@x>", 1).unwrap();
        assert!(matches!(enqueue(&log, "k", "<k@y>", 1), Err(LogError::Changed { .. })));
        assert!(matches!(enqueue(&log, "k", "<k@x>", 2), Err(LogError::Changed { .. })));
    }
}
