//! The rule book: what the programme decides, as data.
//!
//! Duty: rule texts → typed, checked, dated rule books by region, each value with its file and line. Not its duty:
//! opening files (the caller hands over their texts), the clock, applying a rule to a fact.
//!
//! | step | from | to |
//! |---|---|---|
//! | `tree` | text of a file | tables, lists and leaves with their lines |
//! | `edition`, `editions` | trees, dates | one chain of editions per folder |
//! | `resolve` | two chains | a region's tree over the global one, at every date on which one changes |
//! | `read`, `metrics`, `own`, `formula`, `criteria`, `key_events`, `red_lines`, `authorisation`, `review`, `entitlements`, `discounts`, `schemes`, `bands` | a resolved tree | a [`RuleBook`], and every value noted |
//!
//! Every region is resolved at every date on which a rule changes, when the files are read: a book that can be asked
//! for is a book that is sound.

mod authorisation;
mod bands;
mod criteria;
pub mod diff;
mod discounts;
mod edition;
mod editions;
mod entitlements;
pub mod formula;
mod key_events;
mod leaf;
mod metric_id;
mod metrics;
pub mod model;
mod own;
mod read;
mod red_lines;
mod resolve;
mod review;
mod scheme;
mod scheme_extras;
mod scheme_methods;
mod scheme_modifiers;
mod schemes;
mod section;
mod settlement;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use thiserror::Error;

pub use authorisation::{AuthorisationRules, Candidate, Check};
pub use discounts::DiscountRules;
pub use entitlements::{Entitlement, EntitlementOf};
pub use key_events::{EventCode, KeyEventRules};
pub use model::*;
pub use red_lines::{Combination, RedLineRules};
pub use review::ReviewRules;
pub use scheme::*;
pub use settlement::SettlementRules;

use crate::domain::ids::RegionId;
use crate::domain::{Date, Digest, Findings};

/// The folder of rule files in a workspace; in messages, files are named with it.
pub const RULES_FOLDER: &str = "pipelines/rules";

/// Folder of the editions that every region builds on.
pub const GLOBAL: &str = "global";

/// The rules by region and date, as stages ask for them. Errors are messages for people.
pub trait Books: Sync {
    /// The resolved rule book of a region on a day.
    fn book(&self, region: &RegionId, on: Date) -> Result<&RuleBook, String>;

    /// What holds in every region.
    fn programme(&self) -> &ProgrammeRules;

    /// The regions that have rules, sorted.
    fn regions(&self) -> Vec<RegionId>;
}

impl Books for Rules {
    fn book(&self, region: &RegionId, on: Date) -> Result<&RuleBook, String> {
        Rules::book(self, region, on).map_err(|e| e.to_string())
    }

    fn programme(&self) -> &ProgrammeRules {
        Rules::programme(self)
    }

    fn regions(&self) -> Vec<RegionId> {
        Rules::regions(self)
    }
}

/// A value of a resolved rule book and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedValue {
    /// Keys joined by points, such as `satisfaction.weight`.
    pub path: String,
    /// As written.
    pub value: String,
    /// Relative to the workspace.
    pub file: String,
    /// From 1.
    pub line: u64,
    /// Where the number comes from, where its file says so.
    pub provenance: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuleError {
    #[error(
        "region '{region}' has no rules (there are: {known}): add {RULES_FOLDER}/{region}/<first day>.toml, or correct \
         the partner's region"
    )]
    UnknownRegion { region: RegionId, known: String },
    #[error(
        "the rules of region '{region}' begin on {first}, so none are in force on {on}: add an edition that begins \
         earlier, or let `first_period` begin later"
    )]
    NotYet { region: RegionId, on: Date, first: Date },
    #[error(
        "the rules of region '{region}' ended on {ended}, so none are in force on {on}: add an edition from there on"
    )]
    Ended { region: RegionId, on: Date, ended: Date },
}

/// All editions of all regions, read and checked.
#[derive(Clone, Debug)]
pub struct Rules {
    programme: ProgrammeRules,
    /// By region, ascending in `from`, each to where the next one begins.
    regions: BTreeMap<RegionId, Vec<Resolution>>,
    hash: Digest,
}

/// A rule book and the days on which it holds.
#[derive(Clone, Debug)]
struct Resolution {
    from: Date,
    /// Exclusive; set where the rules end or the next ones begin.
    to: Option<Date>,
    book: RuleBook,
    values: Vec<ResolvedValue>,
}

impl Rules {
    /// Reads rule files: pairs of path relative to the rules folder (`emea/2025-10-01.toml`) and text, in any order.
    ///
    /// # Errors
    /// All findings of all files, sorted by place, none twice.
    pub fn read(files: &[(String, String)]) -> Result<Rules, Findings> {
        editions::read(files)
    }

    /// What holds for the whole programme, in every edition alike.
    #[must_use]
    pub fn programme(&self) -> &ProgrammeRules {
        &self.programme
    }

    /// The regions that have rules, sorted.
    #[must_use]
    pub fn regions(&self) -> Vec<RegionId> {
        self.regions.keys().cloned().collect()
    }

    /// Every rule book there is, by region and date.
    pub fn books(&self) -> impl Iterator<Item = &RuleBook> {
        self.regions.values().flatten().map(|r| &r.book)
    }

    /// The rules of a region on a day. For a period, ask for its first day: editions begin with periods.
    pub fn book(&self, region: &RegionId, on: Date) -> Result<&RuleBook, RuleError> {
        self.resolution(region, on).map(|r| &r.book)
    }

    /// The values of a region on a day with their origins, sorted by path.
    pub fn resolved(&self, region: &RegionId, on: Date) -> Result<Vec<ResolvedValue>, RuleError> {
        self.resolution(region, on).map(|r| r.values.clone())
    }

    /// The days on which the rules of a region change, ascending; none for a region without rules.
    #[must_use]
    pub fn changes(&self, region: &RegionId) -> Vec<Date> {
        let resolutions = self.regions.get(region).into_iter().flatten();
        resolutions.map(|r| r.from).collect()
    }

    /// Hash of all editions' resolved values and dates: not of comments, order, layout or file names.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.hash
    }

    fn resolution(&self, region: &RegionId, on: Date) -> Result<&Resolution, RuleError> {
        let Some(resolutions) = self.regions.get(region) else {
            let known = self.regions.keys().map(RegionId::as_str).collect::<Vec<_>>().join(", ");
            return Err(RuleError::UnknownRegion {
                region: region.clone(),
                known,
            });
        };
        let Some(found) = resolutions.iter().rev().find(|r| r.from <= on) else {
            let first = resolutions.first().map_or(Date::MAX, |r| r.from);
            return Err(RuleError::NotYet {
                region: region.clone(),
                on,
                first,
            });
        };
        match found.to {
            Some(ended) if ended <= on => Err(RuleError::Ended {
                region: region.clone(),
                on,
                ended,
            }),
            _ => Ok(found),
        }
    }
}
