//! The inbox: which files wait to be taken in.
//!
//! Duty: what becomes of every file that a source claims, and that it is told:
//!
//! | a file | becomes | in |
//! |---|---|---|
//! | that is no plain file, or has a hostile name | refused, left alone, in every run until it is gone | `names`, `listing` |
//! | seen before in the same state, and arrived | nothing | `listing`, the store's `seen` |
//! | whose source declares what it must wait for | waits | `ready` |
//! | that changes while it is copied | waits for the next run | landing |
//! | with content that has arrived | nothing is loaded twice | landing |
//! | with new content | an arrival, in the order of names; under a known name a correction | landing |
//!
//! Not its duty: reading what is inside.

mod listing;
mod names;
mod reach;
mod ready;
mod told;

use std::path::PathBuf;

use crate::domain::{Findings, Instant};
use crate::edges::outside::{self, Reading};
use crate::ingest::Source;
use crate::store::StoreError;
use crate::store::landing::{self, Arrival, Candidate, Earlier, Index, Registered, Registrar};
use crate::store::layout::Layout;
use crate::store::seen::Seen;

use super::PipelineError;
use super::config::Config;
use super::refresh::Progress;
use told::Told;

/// A file with its place in the order of arrivals, and where its bytes are.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub arrival: Arrival,
    pub path: PathBuf,
}

/// What looking into the inbox is given.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    pub layout: &'a Layout,
    pub config: &'a Config,
    /// By the clock: how long a file has stood still.
    pub now: Instant,
    pub progress: &'a dyn Progress,
}

/// Takes in what is new and whole; returns what is to be told of the others.
pub fn take_in(look: &Look<'_>) -> Result<Findings, PipelineError> {
    let (layout, mut told) = (look.layout, Told::default());
    let mut index = Index::load(layout)?;
    let mut seen = Seen::open(layout);
    let listed = listing::list(look, &index, &mut seen, &mut told)?;
    if !listed.candidates.is_empty() {
        look.progress.step("taking in what arrived");
    }
    let mut intake = Intake {
        look,
        seen,
        told,
        copied: 0,
        total: listed.candidates.iter().map(|c| c.stamp.bytes).sum(),
    };
    let all = landing::register(layout, &mut index, &listed.candidates, &mut intake);
    // what was read need not be read again, also when the run ends here
    intake.seen.save(Some(listed.files))?;
    if !all? {
        return Err(PipelineError::Interrupted);
    }
    Ok(intake.told.finish())
}

/// What [`take_in`] would do, without doing it: what would arrive, and what is to be told.
pub fn preview(look: &Look<'_>) -> Result<(Vec<Incoming>, Findings), PipelineError> {
    let (layout, mut told) = (look.layout, Told::default());
    let mut index = Index::load(layout)?;
    let listed = listing::list(look, &index, &mut Seen::open(layout), &mut told)?;
    let mut incoming = Vec::new();
    for candidate in &listed.candidates {
        let (file_name, feed) = (&candidate.file_name, &candidate.feed);
        let reading = outside::hash(layout.workspace(), file_name, &candidate.stamp, &mut |_| {
            !look.progress.interrupted()
        })
        .map_err(StoreError::from)?;
        let (content, bytes) = match reading {
            Reading::Whole(content, stamp) => (content, stamp.bytes),
            Reading::Changing(how) => {
                told.push(told::changing(file_name, how));
                continue;
            }
            Reading::NotPlain(what) => {
                told.push(told::refused(file_name.clone(), &format!("it is {what}")));
                continue;
            }
            Reading::Failed(e) => {
                told.push(told::unreadable(file_name.clone(), &e.to_string()));
                continue;
            }
            Reading::Stopped => return Err(PipelineError::Interrupted),
        };
        if let Some(earlier) = index.known(feed, file_name, content, candidate.by_turn) {
            tell_known(&mut told, candidate, &first_of(layout, &incoming, earlier)?, earlier);
            continue;
        }
        tell_new(
            &mut told,
            look.config,
            candidate,
            index.name(feed, file_name),
            index.content(feed, content),
        );
        let arrival = Arrival {
            arrival: index.last() + 1,
            file_name: file_name.clone(),
            source: candidate.source.to_string(),
            feed: feed.to_string(),
            sha256: content,
            bytes,
        };
        index.add(&arrival);
        let path = layout.workspace().join(file_name);
        incoming.push(Incoming { arrival, path });
    }
    Ok((incoming, told.finish()))
}

/// What stands in the inbox and is not taken in, as far as it shows without reading a file.
pub fn waiting(look: &Look<'_>) -> Result<Findings, PipelineError> {
    let mut told = Told::default();
    let index = Index::load(look.layout)?;
    listing::list(look, &index, &mut Seen::open(look.layout), &mut told)?;
    let mut findings = told.finish();
    findings.retain(|f| f.rule != "inbox.known");
    Ok(findings)
}

/// An arrival of landing, or one that a preview has numbered.
fn first_of(layout: &Layout, incoming: &[Incoming], earlier: Earlier) -> Result<Arrival, StoreError> {
    match incoming.binary_search_by_key(&earlier.arrival, |i| i.arrival.arrival) {
        Ok(found) => Ok(incoming[found].arrival.clone()),
        Err(_) => landing::arrival(layout, earlier.arrival),
    }
}

/// The same name again is not worth a word.
fn tell_known(told: &mut Told, candidate: &Candidate, first: &Arrival, earlier: Earlier) {
    if !earlier.is_named(&candidate.feed, &candidate.file_name) {
        told.push(told::known(&candidate.file_name, first));
    }
}

fn tell_new(
    told: &mut Told,
    config: &Config,
    candidate: &Candidate,
    under_name: Option<Earlier>,
    with_content: Option<Earlier>,
) {
    let source: Option<&Source> = config.sources.iter().find(|s| s.name == *candidate.source);
    if let Some(earlier) = under_name {
        told.push(told::correction(source, &candidate.file_name, earlier.arrival));
    }
    if let Some(first) = with_content {
        told.push(told::again(&candidate.file_name, first.arrival));
    }
}

/// Files being taken in: what is remembered and told of each.
struct Intake<'a> {
    look: &'a Look<'a>,
    seen: Seen,
    told: Told,
    copied: u64,
    total: u64,
}

impl Registrar for Intake<'_> {
    fn copied(&mut self, bytes: u64) -> bool {
        self.copied += bytes;
        self.look.progress.bytes(self.copied, self.total);
        !self.look.progress.interrupted()
    }

    fn registered(&mut self, candidate: &Candidate, what: Registered) -> Result<(), StoreError> {
        let file_name = &candidate.file_name;
        match what {
            Registered::New {
                arrival,
                under_name,
                with_content,
            } => {
                tell_new(&mut self.told, self.look.config, candidate, under_name, with_content);
                self.seen.learn(file_name, candidate.stamp, arrival.sha256)?;
            }
            Registered::Known {
                earlier,
                content,
                restored,
            } => {
                let first = landing::arrival(self.look.layout, earlier.arrival)?;
                tell_known(&mut self.told, candidate, &first, earlier);
                if restored {
                    self.told.push(told::restored(file_name, earlier.arrival));
                }
                self.seen.learn(file_name, candidate.stamp, content)?;
            }
            Registered::Changing(how) => self.told.push(told::changing(file_name, how)),
            Registered::NotPlain(what) => {
                let why = format!("it is {what}");
                self.told.push(told::refused(file_name.clone(), &why));
            }
            Registered::Unreadable(detail) => self.told.push(told::unreadable(file_name.clone(), &detail)),
        }
        Ok(())
    }
}
