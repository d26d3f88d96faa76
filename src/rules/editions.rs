//! Editions: which rules hold from which day.
//!
//! Duty: collect the editions of each folder, refuse overlaps, gaps and beginnings in the middle of a period, keep the
//! programme's values one. Not its duty: the dates of one file (`edition`), books (`resolve`).

use std::collections::BTreeMap;

use super::edition::{Edition, read_file};
use super::leaf::{Noted, Out};
use super::model::ProgrammeRules;
use super::read::{begins, read_programme};
use super::resolve::{Chain, check_earning_periods, hash_all, resolve_chain};
use super::section::Section;
use super::{GLOBAL, RULES_FOLDER, Rules};
use crate::domain::ids::RegionId;
use crate::domain::{Finding, Findings, Period, Place};

/// By folder.
type Chains = BTreeMap<RegionId, Chain>;

pub(super) fn read(files: &[(String, String)]) -> Result<Rules, Findings> {
    let mut out = Out::default();
    let chains = read_files(&mut out, files);
    for chain in chains.values() {
        check_order(&mut out, &chain.editions);
    }
    let none = Chain::default();
    let global = chains
        .iter()
        .find(|(folder, _)| folder.as_str() == GLOBAL)
        .map(|(_, chain)| chain);
    if global.is_none() {
        let place = Place::file(format!("{RULES_FOLDER}/{GLOBAL}"));
        let remedy = format!("add {RULES_FOLDER}/{GLOBAL}/<first day>.toml with the rules that every region builds on");
        out.findings.push(Finding::error(
            place,
            "rules.edition",
            "there is no global edition",
            remedy,
        ));
    }
    let global = global.unwrap_or(&none);
    let programme = check_programme(&mut out, &global.editions);
    if let Some(programme) = &programme {
        for edition in chains.values().flat_map(|chain| &chain.editions) {
            check_beginning(&mut out, edition, programme);
        }
    }
    let mut regions = BTreeMap::new();
    for (folder, chain) in &chains {
        let resolved = resolve_chain(&mut out, folder, chain, global);
        if let Some(programme) = &programme {
            check_earning_periods(&mut out, chain, global, &resolved, programme);
        }
        regions.insert(
            folder.clone(),
            resolved.into_iter().map(|r| r.resolution).collect::<Vec<_>>(),
        );
    }
    out.findings.sort();
    out.findings.dedup();
    match programme {
        Some(programme) if out.findings.is_empty() => {
            let hash = hash_all(&regions);
            regions.retain(|region, _| region.as_str() != GLOBAL);
            Ok(Rules {
                programme,
                regions,
                hash,
            })
        }
        _ => Err(out.findings),
    }
}

fn read_files(out: &mut Out, files: &[(String, String)]) -> Chains {
    let mut chains = Chains::new();
    for (path, text) in files {
        let file = format!("{RULES_FOLDER}/{path}");
        let parts = path
            .strip_suffix(".toml")
            .and_then(|p| p.split_once('/'))
            .filter(|(_, stem)| !stem.contains('/'));
        let Some((folder, stem)) = parts else {
            let remedy = "rule files are named <region>/<first day>.toml, such as emea/2026-04-01.toml";
            out.findings.push(Finding::error(
                Place::file(file),
                "rules.file",
                "this is not a rule file's place",
                remedy,
            ));
            continue;
        };
        let folder = match RegionId::new(folder) {
            Ok(folder) => folder,
            Err(error) => {
                let message = format!("the name of the region {error}");
                out.findings.push(Finding::error(
                    Place::file(file),
                    "rules.file",
                    message,
                    "rename the folder",
                ));
                continue;
            }
        };
        let chain = chains.entry(folder.clone()).or_default();
        match read_file(out, &folder, stem, &file, text) {
            (_, Some(edition)) => chain.editions.push(edition),
            (Some(tree), None) => chain.undated.push(tree),
            (None, None) => {}
        }
    }
    for chain in chains.values_mut() {
        chain
            .editions
            .sort_by(|a, b| (a.from, &a.from_origin).cmp(&(b.from, &b.from_origin)));
    }
    chains
}

/// One edition follows the other: no day has two, none in between has none.
fn check_order(out: &mut Out, editions: &[Edition]) {
    for pair in editions.windows(2) {
        let [before, next] = pair else { continue };
        if before.from == next.from {
            let message = format!(
                "two editions begin on {}: this one and {}",
                next.from, before.from_origin
            );
            let remedy = "give one of them another first day, or remove it";
            out.error(&next.from_origin, "effective_from", "rules.overlap", message, remedy);
        }
        let Some((to, at)) = &before.to else { continue };
        let (word, rule) = if *to > next.from {
            ("overlap", "rules.overlap")
        } else {
            ("gap", "rules.gap")
        };
        if *to != next.from {
            let message = format!(
                "an {word}: this edition ends on {to}, the next one begins on {} ({})",
                next.from, next.from_origin
            );
            let message = if word == "gap" {
                message.replacen("an ", "a ", 1)
            } else {
                message
            };
            let remedy = "leave `effective_to` out: an edition ends where the next one begins";
            out.error(at, "effective_to", rule, message, remedy);
        }
    }
}

/// The programme's values, the same in every global edition. Their own findings come with the whole book.
fn check_programme(out: &mut Out, globals: &[Edition]) -> Option<ProgrammeRules> {
    let mut first: Option<(ProgrammeRules, Vec<Noted>)> = None;
    for edition in globals {
        let mut scratch = Out::default();
        let item = edition.tree.entries()?.get("programme");
        let section = item.and_then(|item| Section::open(&mut scratch, "programme".into(), item));
        let Some(programme) = section.and_then(|s| read_programme(&mut scratch, s)) else {
            continue;
        };
        let Some((_, values)) = &first else {
            check_first_edition(out, edition, &programme, &scratch.values);
            first = Some((programme, scratch.values));
            continue;
        };
        for (before, now) in values
            .iter()
            .zip(&scratch.values)
            .filter(|(a, b)| a.canonical != b.canonical)
        {
            let (a, b) = (&before.resolved, &now.resolved);
            let message = format!(
                "a value of the programme changes from {} ({}:{}) to {}, but it must be the same in every edition",
                a.value, a.file, a.line, b.value
            );
            let place = Place::line(&b.file, b.line).column(&b.path);
            out.findings.push(Finding::error(
                place,
                "rules.programme",
                message,
                format!("write \"{}\"", a.value),
            ));
        }
    }
    first.map(|(programme, _)| programme)
}

fn check_first_edition(out: &mut Out, edition: &Edition, programme: &ProgrammeRules, values: &[Noted]) {
    let Some(day) = Period::parse(&programme.first_period)
        .ok()
        .map(|p| programme.calendar.first_day(p))
    else {
        return;
    };
    if edition.from <= day {
        return;
    }
    let Some(at) = values
        .iter()
        .map(|v| &v.resolved)
        .find(|v| v.path == "programme.first_period")
    else {
        return;
    };
    let message = format!(
        "the first period begins on {day}, before the first edition ({})",
        edition.from
    );
    let place = Place::line(&at.file, at.line).column(&at.path);
    let remedy = "let the first edition begin no later than the first period";
    out.findings
        .push(Finding::error(place, "rules.edition", message, remedy));
}

/// An edition begins (and ends) where evaluation and posting periods begin, so that one period has one set of rules.
fn check_beginning(out: &mut Out, edition: &Edition, programme: &ProgrammeRules) {
    let ends = edition.to.as_ref().map(|(to, origin)| (*to, origin, "effective_to"));
    for (day, origin, key) in [(edition.from, &edition.from_origin, "effective_from")]
        .into_iter()
        .chain(ends)
    {
        let kinds = [
            ("evaluation", programme.evaluation_period),
            ("posting", programme.posting_period),
        ];
        let Some((word, kind)) = kinds.into_iter().find(|(_, kind)| !begins(programme, day, *kind)) else {
            continue;
        };
        let Some(period) = programme.calendar.period_of(day, kind) else {
            continue;
        };
        let message =
            format!("{day} is in the middle of the {word} period {period}, which would have two sets of rules");
        let (first, next) = (programme.calendar.first_day(period), programme.calendar.end_day(period));
        out.error(
            origin,
            key,
            "rules.edition",
            message,
            &format!("write \"{first}\" or \"{next}\""),
        );
    }
}
