//! Taking files in: a copy of the original, then the arrival.
//!
//! Duty: that what is kept is one state of a file, whole, under the hash of the copy. A file is read once: the copy is
//! hashed while it is written and read back by the run before anything is derived from it, so that a copy which the
//! disk spoiled is found before the commit. Not its duty: which files are wanted.

use std::sync::Arc;

use super::{Arrival, Earlier, Index, arrival_path, make_folder, to_json};
use crate::domain::Digest;
use crate::edges::files;
use crate::edges::outside::{self, Reading, Stamp};
use crate::store::StoreError;
use crate::store::layout::Layout;

/// A file that waits to be taken in.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Relative to the workspace.
    pub file_name: String,
    pub source: Arc<str>,
    pub feed: Arc<str>,
    /// Whether deliveries replace one another in turn, so that the same content may be news.
    pub by_turn: bool,
    /// Its state when it was listed: another one is another delivery, and waits.
    pub stamp: Stamp,
}

/// What became of a candidate.
#[derive(Debug)]
pub enum Registered {
    /// Now an arrival.
    New {
        arrival: Arrival,
        /// The latest arrival under the same name, which had other content.
        under_name: Option<Earlier>,
        /// The first arrival with the same content.
        with_content: Option<Earlier>,
    },
    /// Known by an arrival.
    Known {
        earlier: Earlier,
        content: Digest,
        /// Its original was not in landing, and is again.
        restored: bool,
    },
    /// It did not stand still: it has not arrived.
    Changing(&'static str),
    /// Something that is no plain file has its name now.
    NotPlain(&'static str),
    /// It cannot be read: it has not arrived.
    Unreadable(String),
}

/// Is told what happens to each candidate.
pub trait Registrar {
    /// Bytes copied since the last call; says whether to go on.
    fn copied(&mut self, bytes: u64) -> bool;
    fn registered(&mut self, candidate: &Candidate, what: Registered) -> Result<(), StoreError>;
}

/// Takes candidates in, in the order given, and adds them to the index. A candidate that cannot be had is passed over;
/// an error on the side of landing stops. Returns whether all had their turn.
pub fn register(
    layout: &Layout,
    index: &mut Index,
    candidates: &[Candidate],
    registrar: &mut dyn Registrar,
) -> Result<bool, StoreError> {
    if candidates.is_empty() {
        return Ok(true);
    }
    make_folder(layout, &layout.originals())?;
    make_folder(layout, &layout.arrivals())?;
    for candidate in candidates {
        if !registrar.copied(0) {
            return Ok(false);
        }
        let incoming = layout.originals().join("incoming");
        let reading = outside::copy(
            layout.workspace(),
            &candidate.file_name,
            &candidate.stamp,
            &incoming,
            &mut |bytes| registrar.copied(bytes),
        )?;
        let what = match reading {
            Reading::Whole(content, stamp) => keep(layout, index, candidate, content, stamp.bytes)?,
            Reading::Changing(how) => Registered::Changing(how),
            Reading::NotPlain(what) => Registered::NotPlain(what),
            Reading::Failed(e) => Registered::Unreadable(e.to_string()),
            Reading::Stopped => return Ok(false),
        };
        registrar.registered(candidate, what)?;
    }
    Ok(true)
}

/// Decides by the content of a copy, and keeps it where it is wanted.
fn keep(
    layout: &Layout,
    index: &mut Index,
    candidate: &Candidate,
    content: Digest,
    bytes: u64,
) -> Result<Registered, StoreError> {
    let incoming = layout.originals().join("incoming");
    let (feed, file_name) = (&*candidate.feed, candidate.file_name.as_str());
    let known = index.known(feed, file_name, content, candidate.by_turn);
    let kept = known.is_some_and(|earlier| earlier.is_kept(layout));
    if kept {
        files::remove_if_there(&incoming)?;
    } else {
        files::rename(&incoming, &layout.original(content))?;
        files::sync_dir(&layout.originals())?;
    }
    if let Some(earlier) = known {
        return Ok(Registered::Known {
            earlier,
            content,
            restored: !kept,
        });
    }
    let under_name = index.name(feed, file_name);
    let with_content = index.content(feed, content);
    let arrival = Arrival {
        arrival: index.last() + 1,
        file_name: file_name.to_owned(),
        source: candidate.source.to_string(),
        feed: feed.to_owned(),
        sha256: content,
        bytes,
    };
    files::write_atomic(&arrival_path(layout, arrival.arrival), &to_json(&arrival))?;
    index.add(&arrival);
    Ok(Registered::New {
        arrival,
        under_name,
        with_content,
    })
}

#[cfg(test)]
mod tests {
    use super::super::arrivals;
    use super::*;

    /// One letter for each candidate: New, Known, Restored, Changing, Unreadable.
    #[derive(Default)]
    struct Said(String);

    impl Registrar for Said {
        fn copied(&mut self, _bytes: u64) -> bool {
            true
        }

        fn registered(&mut self, _candidate: &Candidate, what: Registered) -> Result<(), StoreError> {
            self.0.push(match what {
                Registered::New { .. } => 'N',
                Registered::Known { restored: false, .. } => 'K',
                Registered::Known { restored: true, .. } => 'R',
                Registered::Changing(_) => 'C',
                Registered::NotPlain(_) => 'P',
                Registered::Unreadable(_) => 'U',
            });
            Ok(())
        }
    }

    struct Inbox {
        folder: tempfile::TempDir,
        layout: Layout,
    }

    impl Inbox {
        fn new() -> Inbox {
            let folder = tempfile::tempdir().expect("a folder");
            let layout = Layout::new(folder.path());
            Inbox { folder, layout }
        }

        fn put(&self, name: &str, text: &str, feed: &str, by_turn: bool) -> Candidate {
            std::fs::write(self.folder.path().join(name), text).expect("a file");
            let stamp = outside::look_at(self.folder.path(), name).expect("looked at");
            Candidate {
                file_name: name.to_owned(),
                source: feed.into(),
                feed: feed.into(),
                by_turn,
                stamp: stamp.expect("a file"),
            }
        }

        fn take(&self, candidates: &[Candidate]) -> String {
            let mut index = Index::load(&self.layout).expect("the index");
            let mut said = Said::default();
            assert!(register(&self.layout, &mut index, candidates, &mut said).expect("registered"));
            said.0
        }
    }

    #[test]
    fn content_is_known_by_feed_and_a_file_that_is_gone_is_passed_over() {
        let inbox = Inbox::new();
        let candidates = [
            inbox.put("a.csv", "", "sales", false),
            inbox.put("gone.csv", "", "sales", false),
            inbox.put("b.csv", "", "deliveries", false),
            inbox.put("c.csv", "", "sales", false),
        ];
        std::fs::remove_file(inbox.folder.path().join("gone.csv")).expect("it goes");
        assert_eq!(inbox.take(&candidates), "NCNK");
        let names: Vec<String> = arrivals(&inbox.layout)
            .expect("arrivals")
            .into_iter()
            .map(|a| a.file_name)
            .collect();
        assert_eq!(names, ["a.csv", "b.csv"]);
    }

    #[test]
    fn content_that_comes_back_is_news_only_where_deliveries_replace_one_another() {
        for (by_turn, expected) in [(false, "NNKK"), (true, "NNNN")] {
            let inbox = Inbox::new();
            let mut said = String::new();
            for (name, text) in [("a.csv", "1"), ("a.csv", "2"), ("a.csv", "1"), ("b.csv", "2")] {
                let candidate = inbox.put(name, text, "stock", by_turn);
                said += &inbox.take(std::slice::from_ref(&candidate));
                assert_eq!(inbox.take(&[inbox.put(name, text, "stock", by_turn)]), "K");
            }
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn an_original_that_was_lost_comes_back_with_its_file() {
        let inbox = Inbox::new();
        let candidate = inbox.put("a.csv", "1", "sales", false);
        assert_eq!(inbox.take(std::slice::from_ref(&candidate)), "N");
        std::fs::remove_file(inbox.layout.original(Digest::of(b"1"))).expect("it goes");
        assert_eq!(inbox.take(std::slice::from_ref(&candidate)), "R");
        assert_eq!(inbox.take(std::slice::from_ref(&candidate)), "K");
    }
}
