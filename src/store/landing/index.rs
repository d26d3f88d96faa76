//! What has arrived, by content and by name.
//!
//! Duty: whether a file's content is known, and what came under its name before. Read from landing at the start of
//! every run, so that no memory of it can be wrong. Not its duty: which files there are, what a mode means.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use super::{Arrival, listing, one};
use crate::domain::Digest;
use crate::edges::files;
use crate::store::StoreError;
use crate::store::layout::Layout;

/// An arrival, as far as the index knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    pub arrival: u64,
    pub content: Digest,
    bytes: u64,
    /// Hash of feed and name: names may be long and many.
    name: u64,
}

/// All arrivals; some 200 bytes each.
#[derive(Debug, Default)]
pub struct Index {
    feeds: BTreeMap<String, u32>,
    /// The first arrival of a content in a feed: the same bytes in two feeds are two deliveries.
    contents: BTreeMap<(Digest, u32), Earlier>,
    /// The latest arrival under a name in a feed.
    names: BTreeMap<u64, Earlier>,
    last: u64,
}

fn name_hash(feed: &str, file_name: &str) -> u64 {
    xxh3_64(format!("{feed}\n{file_name}").as_bytes())
}

impl Index {
    /// Reads landing.
    pub fn load(layout: &Layout) -> Result<Index, StoreError> {
        let mut index = Index::default();
        for name in listing(&layout.arrivals())? {
            index.add(&one(&layout.arrivals().join(name))?);
        }
        Ok(index)
    }

    pub fn add(&mut self, arrival: &Arrival) {
        let count = u32::try_from(self.feeds.len()).unwrap_or(u32::MAX);
        let feed = *self.feeds.entry(arrival.feed.clone()).or_insert(count);
        let name = name_hash(&arrival.feed, &arrival.file_name);
        let earlier = Earlier {
            arrival: arrival.arrival,
            content: arrival.sha256,
            bytes: arrival.bytes,
            name,
        };
        self.contents.entry((arrival.sha256, feed)).or_insert(earlier);
        self.names.insert(name, earlier);
        self.last = self.last.max(arrival.arrival);
    }

    /// Number of the last arrival; 0 when nothing has arrived.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The first arrival with a content.
    #[must_use]
    pub fn content(&self, feed: &str, content: Digest) -> Option<Earlier> {
        self.contents.get(&(content, *self.feeds.get(feed)?)).copied()
    }

    /// The latest arrival under a name.
    #[must_use]
    pub fn name(&self, feed: &str, file_name: &str) -> Option<Earlier> {
        self.names.get(&name_hash(feed, file_name)).copied()
    }

    /// The arrival by which a file is known, so that nothing of it is taken in. Content that came before says nothing
    /// new where rows are only added. Where a later delivery replaces an earlier one (`by_turn`), it does: there a
    /// file is known only while the latest delivery under its name has its content.
    #[must_use]
    pub fn known(&self, feed: &str, file_name: &str, content: Digest, by_turn: bool) -> Option<Earlier> {
        if by_turn {
            self.name(feed, file_name).filter(|e| e.content == content)
        } else {
            self.content(feed, content)
        }
    }
}

impl Earlier {
    /// Whether the file that is known by it has the same name.
    #[must_use]
    pub fn is_named(&self, feed: &str, file_name: &str) -> bool {
        self.name == name_hash(feed, file_name)
    }

    /// Whether its original lies in landing with its length; what is in it is checked when it is read.
    #[must_use]
    pub fn is_kept(&self, layout: &Layout) -> bool {
        files::identity(&layout.original(self.content)).is_ok_and(|(bytes, _)| bytes == self.bytes)
    }
}
