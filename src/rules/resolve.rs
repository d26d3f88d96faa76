//! Resolution: a region's tree over the global one, at every date on which one of them changes.
//!
//! Duty: the chain of books of a folder, their hashes, and schemes that change only between their earning periods. Not
//! its duty: which editions there may be (`editions`), what a key means (`read`).

use std::collections::{BTreeMap, BTreeSet};

use super::edition::Edition;
use super::leaf::Out;
use super::model::ProgrammeRules;
use super::read::{begins, read_book};
use super::scheme::Scheme;
use super::tree::{self, Item};
use super::{GLOBAL, RULES_FOLDER, Resolution, ResolvedValue};
use crate::domain::hash::Hasher;
use crate::domain::ids::RegionId;
use crate::domain::{Date, Digest, PeriodKind};

/// The editions of one folder that say when they begin, ascending, and the others.
#[derive(Default)]
pub(super) struct Chain {
    pub(super) editions: Vec<Edition>,
    pub(super) undated: Vec<Item>,
}

/// A resolution with its canonical values by path.
pub(super) struct Resolved {
    pub(super) resolution: Resolution,
    canonical: BTreeMap<String, String>,
}

/// A region's books, one for each date on which its rules or the global ones change.
pub(super) fn resolve_chain(out: &mut Out, region: &RegionId, chain: &Chain, global: &Chain) -> Vec<Resolved> {
    let is_global = region.as_str() == GLOBAL;
    for tree in &chain.undated {
        let merged = global
            .editions
            .last()
            .filter(|_| !is_global)
            .map(|g| tree::merge(&g.tree, tree));
        if merged.is_some() || is_global {
            let mut alone = Out::default();
            let _ = read_book(&mut alone, merged.as_ref().unwrap_or(tree), region, Date::MIN);
            out.findings.append(&mut alone.findings);
        }
    }
    let mut resolved = Vec::new();
    let dates = boundaries(chain, global);
    for (i, from) in dates.iter().enumerate() {
        let Some(own) = in_force(chain, *from) else { continue };
        let Some(base) = in_force(global, *from) else {
            // a global edition that is there but could not be dated has its own finding
            if own.from == *from && global.undated.is_empty() && !global.editions.is_empty() {
                let message = format!("no global edition is in force on {from}");
                let remedy = format!("let this edition begin later, or a file in {RULES_FOLDER}/{GLOBAL} earlier");
                out.error(&own.from_origin, "effective_from", "rules.edition", message, &remedy);
            }
            continue;
        };
        let merged = if is_global {
            own.tree.clone()
        } else {
            tree::merge(&base.tree, &own.tree)
        };
        let to = dates.get(i + 1).copied();
        resolved.extend(resolve(out, region, &merged, (*from, to), own.from.max(base.from)));
    }
    resolved
}

fn in_force(chain: &Chain, on: Date) -> Option<&Edition> {
    chain
        .editions
        .iter()
        .rev()
        .find(|e| e.from <= on)
        .filter(|e| e.to.as_ref().is_none_or(|(to, _)| on < *to))
}

fn boundaries(chain: &Chain, global: &Chain) -> Vec<Date> {
    let Some(first) = chain.editions.first().map(|e| e.from) else {
        return Vec::new();
    };
    let editions = chain.editions.iter().chain(&global.editions);
    let dates: BTreeSet<Date> = editions
        .flat_map(|e| [Some(e.from), e.to.as_ref().map(|(to, _)| *to)])
        .flatten()
        .collect();
    dates.into_iter().filter(|date| *date >= first).collect()
}

fn resolve(
    out: &mut Out,
    region: &RegionId,
    merged: &Item,
    (from, to): (Date, Option<Date>),
    effective_from: Date,
) -> Option<Resolved> {
    let mut own = Out::default();
    let read = read_book(&mut own, merged, region, effective_from);
    out.findings.append(&mut own.findings);
    let (_, mut book) = read?;
    own.values.sort_by(|a, b| a.resolved.path.cmp(&b.resolved.path));
    let canonical = own
        .values
        .iter()
        .filter_map(|v| Some((v.resolved.path.clone(), v.canonical.clone()?)));
    let canonical: BTreeMap<String, String> = canonical.collect();
    book.hash = hash_values(&canonical);
    let values: Vec<ResolvedValue> = own.values.into_iter().map(|v| v.resolved).collect();
    Some(Resolved {
        resolution: Resolution { from, to, book, values },
        canonical,
    })
}

/// A scheme changes, begins or ends only where its earning periods begin.
pub(super) fn check_earning_periods(
    out: &mut Out,
    chain: &Chain,
    global: &Chain,
    resolved: &[Resolved],
    programme: &ProgrammeRules,
) {
    let mut before: Option<&Resolved> = None;
    for now in resolved {
        let day = now.resolution.from;
        let schemes_before = before.map(|b| &b.resolution.book.schemes);
        let ids: BTreeSet<_> = now
            .resolution
            .book
            .schemes
            .keys()
            .chain(schemes_before.into_iter().flat_map(BTreeMap::keys))
            .collect();
        for id in ids {
            let (old, new) = (
                schemes_before.and_then(|s| s.get(id)),
                now.resolution.book.schemes.get(id),
            );
            let prefix = format!("schemes.{id}.");
            if old.is_some() && new.is_some() && before.is_some_and(|b| same_under(&prefix, b, now)) {
                continue;
            }
            let kinds: BTreeSet<PeriodKind> = [old, new]
                .into_iter()
                .flatten()
                .map(|s: &Scheme| s.earning_period)
                .collect();
            // a beginning that is wrong for every scheme is told once, for the edition
            let governed = [programme.evaluation_period, programme.posting_period];
            let sound = governed.into_iter().all(|kind| begins(programme, day, kind));
            for kind in kinds.into_iter().filter(|kind| sound && !begins(programme, day, *kind)) {
                let (Some(period), Some(edition)) =
                    (programme.calendar.period_of(day, kind), younger(chain, global, day))
                else {
                    continue;
                };
                let message =
                    format!("scheme '{id}' would change on {day}, in the middle of its earning period {period}");
                let (first, next) = (programme.calendar.first_day(period), programme.calendar.end_day(period));
                let remedy = format!("let the edition begin on {first} or {next}, or leave the scheme as it is");
                out.error(
                    &edition.from_origin,
                    "effective_from",
                    "rules.edition",
                    message,
                    &remedy,
                );
            }
        }
        before = Some(now);
    }
}

fn same_under(prefix: &str, a: &Resolved, b: &Resolved) -> bool {
    let under = |r: &Resolved| -> Vec<(String, String)> {
        r.canonical
            .iter()
            .filter(|(path, _)| path.starts_with(prefix))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    under(a) == under(b)
}

/// The edition that changed on a day, the region's own first.
fn younger<'a>(chain: &'a Chain, global: &'a Chain, on: Date) -> Option<&'a Edition> {
    let (own, base) = (in_force(chain, on), in_force(global, on));
    own.filter(|e| e.from == on).or(base.filter(|e| e.from == on)).or(own)
}

fn hash_values(canonical: &BTreeMap<String, String>) -> Digest {
    let mut hasher = Hasher::new();
    for (path, value) in canonical {
        hasher.field(path.as_bytes()).field(value.as_bytes());
    }
    hasher.finish()
}

/// One hash over all books and their dates.
pub(super) fn hash_all(regions: &BTreeMap<RegionId, Vec<Resolution>>) -> Digest {
    let mut hasher = Hasher::new();
    for (region, resolutions) in regions {
        for r in resolutions {
            let to = r.to.map_or(String::new(), |to| to.to_string());
            for field in [region.as_str(), &r.from.to_string(), &to, &r.book.hash.to_string()] {
                hasher.field(field.as_bytes());
            }
        }
    }
    hasher.finish()
}
