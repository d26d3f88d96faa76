//! The messages of a release: which there are, and where a new one belongs.
//!
//! Duty: the latest message of each partner and period, keys that a change back gives anew, places of rows that were not
//! to be sent, which periods are looked at. Not its duty: what a message says, and keeping its bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::PipelineError;
use crate::contracts::Contract;
use crate::delivery::{message_key, reader_key};
use crate::domain::hash::Hasher;
use crate::domain::ids::{PartnerId, RegionId};
use crate::domain::{Digest, Period, Row, Table, Value};

/// Kinds of message, and what a contact `wants` to get them.
pub(super) const SCORECARD: &str = "scorecard";
pub(super) const STATEMENT: &str = "statement";
/// Kinds of message that the programme's own people read.
pub(super) const DIGEST: &str = "digest";
pub(super) const SETTLEMENT: &str = "settlement";
pub(super) const OPERATIONS: &str = "operations";

/// What a message is made of, in the order of [`Draft::row`].
pub(super) const COLUMNS: [&str; 13] = [
    "message_key",
    "sequence",
    "partner_id",
    "period",
    "kind",
    "language",
    "data_hash",
    "content_hash",
    "envelope_hash",
    "message_id",
    "state",
    "reason",
    "reader",
];

/// Partner, period and language of a scorecard.
pub(super) type Place = (String, Period, String);

/// The latest message of a partner, period and language.
#[derive(Clone, Debug)]
pub(super) struct Latest {
    pub(super) key: String,
    pub(super) sequence: i64,
    pub(super) data_hash: String,
    pub(super) queued: bool,
    /// Its row in the table.
    pub(super) row: usize,
}

/// The messages of the parent and those that this run adds.
pub(super) struct Messages {
    pub(super) table: Table,
    pub(super) latest: BTreeMap<Place, Latest>,
    /// Of the other kinds: by kind, hash of the data and language, each of which is told of once.
    by_data: BTreeMap<[String; 3], Latest>,
    /// Those to readers, by kind and reader, in the order of sending.
    to_readers: BTreeMap<[String; 2], Vec<(Period, Latest)>>,
    pub(super) last_sequence: i64,
    /// Whether the period whose cards are looked at was closed before this run.
    pub(super) sealed: bool,
}

/// Where a message belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) key: String,
    pub(super) sequence: i64,
    /// The row that it takes the place of: one that was not to be sent.
    pub(super) instead_of: Option<usize>,
    /// Hash of the data of the message that was sent, where this one takes its place.
    pub(super) corrects: Option<String>,
}

/// One partner's card of one period.
pub(super) struct Card<'a> {
    pub(super) partner: &'a PartnerId,
    pub(super) region: &'a RegionId,
    pub(super) period: Period,
}

impl Card<'_> {
    /// For people.
    pub(super) fn whose(&self) -> String {
        format!("partner {}", self.partner)
    }
}

impl Messages {
    /// The parent's messages, with room for every column of the contract.
    pub(super) fn of(contract: &Contract, parent: &Table) -> Result<Messages, PipelineError> {
        let mut names = COLUMNS.map(str::to_owned).to_vec();
        let more = contract.columns.iter().map(|c| &c.name);
        names.extend(more.filter(|name| !COLUMNS.contains(&name.as_str())).cloned());
        Messages::indexed(by_name(names, parent))
    }

    /// Finds the latest message of each partner and period.
    pub(super) fn indexed(table: Table) -> Result<Messages, PipelineError> {
        let mut latest_of: BTreeMap<Place, Latest> = BTreeMap::new();
        let mut by_data = BTreeMap::new();
        let mut to_readers: BTreeMap<[String; 2], Vec<(Period, Latest)>> = BTreeMap::new();
        let mut last_sequence = 0;
        for (row, message) in table.iter().enumerate() {
            let sequence = message.int("sequence")?;
            last_sequence = last_sequence.max(sequence);
            let period = Period::parse(message.text("period")?)
                .map_err(|e| PipelineError::stage("table messages")(e.to_string()))?;
            let latest = Latest {
                key: message.text("message_key")?.to_owned(),
                sequence,
                data_hash: message.text("data_hash")?.to_owned(),
                queued: message.text("state")? == "queued",
                row,
            };
            let (kind, language) = (message.text("kind")?, message.text("language")?.to_owned());
            if let Some(reader) = message.opt_text("reader")? {
                let known = to_readers.entry([kind.to_owned(), reader.to_owned()]).or_default();
                known.push((period, latest));
                continue;
            }
            if kind != SCORECARD {
                by_data.insert([kind.to_owned(), latest.data_hash.clone(), language], latest);
                continue;
            }
            let place = (message.text("partner_id")?.to_owned(), period, language);
            if latest_of.get(&place).is_none_or(|known| known.sequence < sequence) {
                latest_of.insert(place, latest);
            }
        }
        // rows stand by key
        to_readers
            .values_mut()
            .for_each(|told| told.sort_by_key(|(_, latest)| latest.sequence));
        Ok(Messages {
            table,
            latest: latest_of,
            by_data,
            to_readers,
            last_sequence,
            sealed: false,
        })
    }

    /// Periods for which there is a message.
    pub(super) fn periods(&self) -> BTreeSet<Period> {
        self.latest.keys().map(|(_, period, _)| *period).collect()
    }

    /// Languages in which a partner was told of a period.
    pub(super) fn languages(&self, card: &Card<'_>) -> BTreeSet<String> {
        let first = (card.partner.to_string(), card.period, String::new());
        let told = self.latest.range(first..).map(|(place, _)| place);
        let same = told.take_while(|(partner, period, _)| partner == card.partner.as_str() && *period == card.period);
        same.map(|(.., language)| language.clone()).collect()
    }

    /// Whether a message of a kind is there that could not go.
    pub(super) fn unsent(&self, kind: &str) -> bool {
        self.by_data
            .iter()
            .any(|([of, ..], latest)| of == kind && !latest.queued)
    }

    /// Where a statement with these data belongs that is read in a language, among those in which it is read; nowhere when
    /// it is queued already. In a language in which it is not there it takes the place of one that could not go and that
    /// nobody reads now; else only a new document is told of.
    pub(super) fn slot_of_data(
        &mut self,
        kind: &str,
        card: &Card<'_>,
        (language, read): (&str, &BTreeSet<String>),
        data: Digest,
        is_new: bool,
    ) -> Option<Slot> {
        let place = |language: &str| [kind.to_owned(), data.to_string(), language.to_owned()];
        if let Some(known) = self.by_data.get(&place(language)) {
            return (!known.queued).then(|| Slot {
                key: known.key.clone(),
                sequence: known.sequence,
                instead_of: Some(known.row),
                corrects: None,
            });
        }
        let first = place("");
        let of_data = self.by_data.range(first.clone()..);
        let mut of_data = of_data.take_while(|(at, _)| at[..2] == first[..2]);
        let unread = of_data.find(|(at, latest)| !latest.queued && !read.contains(&at[2]));
        let unread = unread.map(|(at, _)| at.clone());
        let taken = unread.and_then(|at| self.by_data.remove(&at));
        if taken.is_none() && !is_new {
            return None;
        }
        let key = message_key(kind, card.period, card.partner, in_language(data, language));
        Some(self.in_place_of(taken, key))
    }

    /// The place of a message that could not go, or a new one.
    fn in_place_of(&mut self, taken: Option<Latest>, key: String) -> Slot {
        let (sequence, instead_of) = match taken {
            Some(taken) => (taken.sequence, Some(taken.row)),
            None => {
                self.last_sequence += 1;
                (self.last_sequence, None)
            }
        };
        Slot {
            key,
            sequence,
            instead_of,
            corrects: None,
        }
    }

    /// Where a scorecard with these data belongs that is read in a language, among those in which it is read; nowhere when
    /// it is queued already. A new place takes the next number, so whatever gets one must be put. In a language in which
    /// there is none yet it takes the place of one that could not go and that nobody reads now.
    pub(super) fn slot(
        &mut self,
        card: &Card<'_>,
        (language, read): (&str, &BTreeSet<String>),
        data: Digest,
    ) -> Option<Slot> {
        let place = |language: &str| (card.partner.to_string(), card.period, language.to_owned());
        if !self.latest.contains_key(&place(language)) {
            let languages = self.languages(card);
            let could_not_go = |language: &&String| self.latest.get(&place(language)).is_some_and(|l| !l.queued);
            let unread = languages
                .iter()
                .filter(|language| !read.contains(*language))
                .find(could_not_go);
            let taken = unread.and_then(|language| self.latest.remove(&place(language)));
            return Some(self.in_place_of(taken, key(card, in_language(data, language), None)));
        }
        let latest = self.latest.get(&place(language));
        match latest {
            // its final card was sent when it closed, and nothing of a closed period moves
            Some(latest) if self.sealed && latest.queued => None,
            Some(latest) if latest.data_hash == data.to_string() => (!latest.queued).then(|| Slot {
                key: latest.key.clone(),
                sequence: latest.sequence,
                instead_of: Some(latest.row),
                corrects: None,
            }),
            _ => {
                self.last_sequence += 1;
                let before = latest.map(|l| l.key.as_str());
                Some(Slot {
                    key: key(card, in_language(data, language), before),
                    sequence: self.last_sequence,
                    instead_of: None,
                    corrects: latest.filter(|l| l.queued).map(|l| l.data_hash.clone()),
                })
            }
        }
    }

    /// What was made for a reader of a kind, in the order of sending.
    pub(super) fn letters(&self, kind: &str, reader: &str) -> impl DoubleEndedIterator<Item = &(Period, Latest)> {
        let of = self.to_readers.get(&[kind.to_owned(), reader.to_owned()]);
        of.into_iter().flatten()
    }

    /// Those of them that could not go: key, period, and where they are.
    pub(super) fn unsent_letters(&self, kind: &str, reader: &str) -> impl Iterator<Item = (&str, Period, &Latest)> {
        let unsent = self.letters(kind, reader).filter(|(_, latest)| !latest.queued);
        unsent.map(|(period, latest)| (latest.key.as_str(), *period, latest))
    }

    /// Where a letter belongs whose key begins so: in the place of one that could not go, else behind all others. What is
    /// as it was some letters ago is a new one.
    pub(super) fn letter_slot(
        &mut self,
        kind: &str,
        reader: &str,
        (begin, period): (&str, Period),
        data: Digest,
    ) -> Slot {
        let unsent = self
            .unsent_letters(kind, reader)
            .find(|(key, of, _)| *of == period && begins(key, begin, period));
        if let Some((key, _, latest)) = unsent {
            return Slot {
                key: key.to_owned(),
                sequence: latest.sequence,
                instead_of: Some(latest.row),
                corrects: None,
            };
        }
        let last = self.letters(kind, reader).next_back();
        let before = last.map_or("", |(_, latest)| latest.key.as_str());
        let content = Digest::of(format!("{data}{before}").as_bytes());
        let key = reader_key(begin, period, reader, content);
        self.last_sequence += 1;
        Slot {
            key,
            sequence: self.last_sequence,
            instead_of: None,
            corrects: None,
        }
    }

    pub(super) fn put(&mut self, slot: &Slot, mut row: Row) {
        row.resize(self.table.columns().len(), Value::Null);
        if let Some(place) = slot.instead_of {
            self.table.rows[place] = row;
        } else {
            self.table.push(row);
        }
    }
}

/// Whether a key begins with this kind and period.
pub(super) fn begins(key: &str, begin: &str, period: Period) -> bool {
    let rest = key.strip_prefix(begin).and_then(|rest| rest.strip_prefix('-'));
    rest.is_some_and(|rest| rest.starts_with(&period.to_string().to_ascii_lowercase()))
}

/// The content of a message: its data, in a language.
pub(super) fn in_language(data: Digest, language: &str) -> Digest {
    let mut hasher = Hasher::new();
    hasher.field(data.to_string().as_bytes()).field(language.as_bytes());
    hasher.finish()
}

/// A table's rows under other columns, by name: a column that the table does not have is null.
pub(super) fn by_name(columns: Vec<String>, table: &Table) -> Table {
    let places: Vec<Option<usize>> = columns.iter().map(|name| table.column(name)).collect();
    let mut named = Table::with_columns(table.name(), columns);
    for row in &table.rows {
        let value = |place: &Option<usize>| place.map_or(Value::Null, |i| row[i].clone());
        named.push(places.iter().map(value).collect());
    }
    named
}

/// The key of a message. One that comes after another of the same partner and period covers the key of that one:
/// data that go back to what they were are a new message.
pub(super) fn key(card: &Card<'_>, data: Digest, previous: Option<&str>) -> String {
    let content = previous.map_or(data, |previous| {
        let mut hasher = Hasher::new();
        hasher.field(data.to_string().as_bytes()).field(previous.as_bytes());
        hasher.finish()
    });
    message_key(SCORECARD, card.period, card.partner, content)
}

/// Periods whose scorecards are looked at, oldest first: the latest that has ended, those that have ended since the
/// parent, and those of which a partner has been told. Without a parent, the latest only.
pub(super) fn due_periods(ended: &[Period], before: Option<&[Period]>, told: &BTreeSet<Period>) -> Vec<Period> {
    let latest = ended.last();
    let is_new = |period: &Period| before.is_some_and(|before| !before.contains(period));
    ended
        .iter()
        .filter(|p| Some(*p) == latest || told.contains(p) || is_new(p))
        .copied()
        .collect()
}
