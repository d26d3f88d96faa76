//! What stands in the inbox.
//!
//! Duty: each file that a source claims is known, waits, is refused, or is a candidate. Entries are judged one by one as
//! the folders give them, and what is known is not kept: memory grows with what is new. Not its duty: reading files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::told::{self, Told};
use super::{Look, names, reach::Reach, ready};
use crate::domain::Finding;
use crate::edges::outside::{self, Entry, Kind, Stamp, Then};
use crate::ingest::Source;
use crate::ingest::source::{Mode, Order};
use crate::pipeline::PipelineError;
use crate::store::StoreError;
use crate::store::landing::{self, Candidate, Index};
use crate::store::seen::Seen;

/// Entries between two words about progress.
const STRIDE: u64 = 1 << 16;

/// What was found.
#[derive(Debug, Default)]
pub struct Listed {
    /// By name, so that the same inbox gives the same arrivals.
    pub candidates: Vec<Candidate>,
    /// Files that sources claim, known ones included.
    pub files: u64,
}

/// The listing under way.
struct Listing<'a> {
    look: &'a Look<'a>,
    reach: Reach,
    index: &'a Index,
    seen: &'a mut Seen,
    told: &'a mut Told,
    /// Names that candidates share, by source.
    shared: BTreeMap<String, (Arc<str>, Arc<str>)>,
    out: Listed,
    entries: u64,
    looks: Vec<u64>,
    /// What ended it early.
    error: Option<PipelineError>,
}

/// Lists the inbox.
pub fn list(look: &Look<'_>, index: &Index, seen: &mut Seen, told: &mut Told) -> Result<Listed, PipelineError> {
    let sources = &look.config.sources;
    let mut listing = Listing {
        look,
        reach: Reach::of(sources.iter().flat_map(|s| &s.files)),
        index,
        seen,
        told,
        shared: sources
            .iter()
            .map(|s| (s.name.clone(), (s.name.as_str().into(), s.feed.as_str().into())))
            .collect(),
        out: Listed::default(),
        entries: 0,
        looks: Vec::new(),
        error: None,
    };
    let workspace = look.layout.workspace();
    for base in listing.reach.bases().to_vec() {
        outside::visit(workspace, &base, &mut |entry| listing.entry(entry)).map_err(StoreError::from)?;
        if let Some(error) = listing.error.take() {
            return Err(error);
        }
    }
    listing.lookalikes()?;
    let mut out = listing.out;
    out.candidates.sort_by(|a, b| a.file_name.cmp(&b.file_name));
    Ok(out)
}

impl Listing<'_> {
    fn entry(&mut self, entry: Entry<'_>) -> Then {
        self.entries += 1;
        if self.entries.is_multiple_of(STRIDE) {
            let step = format!("looking into the inbox: {} entries", self.entries);
            self.look.progress.step(&step);
        }
        if self.look.progress.interrupted() {
            self.error = Some(PipelineError::Interrupted);
            return Then::Stop;
        }
        match entry.kind {
            Kind::Folder => return self.folder(entry),
            Kind::TooDeep if self.reach.leads_into(entry.path) => {
                let finding = told::refused_folder(entry.shown, "it lies too deep below the inbox");
                self.told.push(finding);
            }
            Kind::Link { to_folder: true } if self.reach.leads_into(entry.path) => {
                let finding = told::refused_folder(entry.shown, "it is a link in place of a folder");
                self.told.push(finding);
            }
            Kind::Link { .. } => self.not_plain(entry, "it is a link"),
            Kind::Special => self.not_plain(entry, "it is a pipe, a socket or a device"),
            Kind::Closed(ref e) if self.reach.leads_into(entry.path) || self.is_claimed(entry.path) => {
                let finding = told::unreadable(entry.shown.clone(), &e.to_string());
                self.told.push(finding);
            }
            Kind::TooDeep | Kind::Closed(_) => {}
            Kind::File(stamp) => {
                if let Err(e) = self.file(entry, stamp) {
                    self.error = Some(e);
                    return Then::Stop;
                }
            }
        }
        Then::Next
    }

    fn folder(&mut self, entry: Entry<'_>) -> Then {
        if !self.reach.leads_into(entry.path) {
            return Then::Next;
        }
        match names::refused(entry.path) {
            None => Then::Enter,
            Some(why) => {
                self.told.push(told::refused_folder(entry.shown, why));
                Then::Next
            }
        }
    }

    fn not_plain(&mut self, entry: Entry<'_>, what: &str) {
        if self.is_claimed(entry.path) {
            self.told.push(told::refused(entry.shown, what));
        }
    }

    fn is_claimed(&self, path: &str) -> bool {
        !matches!(self.source_of(path), Ok(None))
    }

    fn source_of(&self, path: &str) -> Result<Option<&Source>, Box<Finding>> {
        let sources = &self.look.config.sources;
        if ready::is_marker(sources, path) {
            return Ok(None);
        }
        Source::of_file(sources, path)
    }

    fn file(&mut self, entry: Entry<'_>, stamp: Stamp) -> Result<(), PipelineError> {
        let path = entry.path;
        let source = match (self.source_of(path), names::refused(path)) {
            (Ok(None), _) => return Ok(()),
            (_, Some(why)) => {
                self.told.push(told::refused(entry.shown, why));
                return Ok(());
            }
            // whose it is must be decided first: content is taken in once
            (Err(finding), None) => {
                self.told.push(*finding);
                return Ok(());
            }
            (Ok(Some(source)), None) => source,
        };
        let by_turn = by_turn(source);
        let (name, feed) = self.shared[&source.name].clone();
        let ready = source.ready.clone();
        self.out.files += 1;
        self.looks.push(names::look(path));
        if self.is_known(path, &feed, &stamp, by_turn)? {
            return Ok(());
        }
        let layout = self.look.layout;
        let waits = ready::waits(layout.workspace(), &ready, path, &stamp, self.look.now).map_err(StoreError::from)?;
        if let Some(why) = waits {
            self.told.push(told::waiting(path, &why));
            return Ok(());
        }
        self.out.candidates.push(Candidate {
            file_name: path.to_owned(),
            source: name,
            feed,
            by_turn,
            stamp,
        });
        Ok(())
    }

    /// Whether the file is as it was when it was read, and what it held has arrived.
    fn is_known(&mut self, path: &str, feed: &str, stamp: &Stamp, by_turn: bool) -> Result<bool, PipelineError> {
        let layout = self.look.layout;
        let known = self
            .seen
            .content(path, stamp)
            .and_then(|content| self.index.known(feed, path, content, by_turn))
            .filter(|earlier| earlier.is_kept(layout));
        if let Some(earlier) = known.filter(|e| !e.is_named(feed, path)) {
            self.told
                .push(told::known(path, &landing::arrival(layout, earlier.arrival)?));
        }
        Ok(known.is_some())
    }

    /// Names that look alike; the folders are listed once more only if there are any.
    fn lookalikes(&mut self) -> Result<(), PipelineError> {
        self.looks.sort_unstable();
        let twice: BTreeSet<u64> = self.looks.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]).collect();
        if twice.is_empty() {
            return Ok(());
        }
        let mut alike: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for base in self.reach.bases() {
            let mut collect = |entry: Entry<'_>| {
                let path = entry.path;
                match entry.kind {
                    Kind::Folder if self.reach.leads_into(path) && names::refused(path).is_none() => Then::Enter,
                    Kind::File(_) if twice.contains(&names::look(path)) && self.is_claimed(path) => {
                        alike.entry(names::look(path)).or_default().push(path.to_owned());
                        Then::Next
                    }
                    _ => Then::Next,
                }
            };
            outside::visit(self.look.layout.workspace(), base, &mut collect).map_err(StoreError::from)?;
        }
        for mut paths in alike.into_values().filter(|paths| paths.len() > 1) {
            paths.sort();
            self.told.push(told::lookalike(&paths));
        }
        Ok(())
    }
}

/// Whether deliveries of a source replace one another in turn. Where a column of each row says which is later, content
/// that came before says nothing new, as where rows are only added.
fn by_turn(source: &Source) -> bool {
    source.mode != Mode::Append && !matches!(source.order, Order::Column(_))
}
