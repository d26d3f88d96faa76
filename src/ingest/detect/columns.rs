//! Which column of the file is which of the contract, and which contract the file fits.
//!
//! Duty: names first, then values; each column once; ties are told. Not its duty: forms of values.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::header::normalise;
use super::super::source::data_columns;
use super::codes::listed;
use super::column::Column;
use super::fit::{Fit, Looks};
use super::guess::{Confidence, Guess, Setting, of};
use super::words::{Name, alike};
use crate::contracts::Contract;
use crate::contracts::model::Column as Wanted;

/// Names from here on mean the same in other words, per thousand.
const SAME: u64 = 850;

/// Names from here on may mean the same.
const SIMILAR: u64 = 600;

/// Values from here on fit, per thousand.
const FITS: u64 = 800;

/// A column of the file beside a column of the contract.
#[derive(Clone, Debug)]
pub struct Match {
    /// Index of the column of the file.
    pub from: usize,
    /// Index of the column of the contract.
    pub to: usize,
    pub confidence: Confidence,
    /// Same name after the normalisation that a run makes: no rename is needed.
    pub literal: bool,
    name: u64,
    fit: Fit,
    /// Columns of the contract that would do as well.
    pub rivals: Vec<usize>,
}

/// A file held against a contract.
#[derive(Clone, Debug)]
pub struct Matching<'a> {
    pub contract: &'a Contract,
    pub matches: Vec<Match>,
    /// Columns of the file that nothing takes.
    pub unknown: Vec<usize>,
    /// How well the whole fits, per thousand.
    pub score: u64,
}

/// Names of the columns of all contracts.
pub struct Vocabulary(BTreeMap<String, Name>);

impl Vocabulary {
    pub fn new(contracts: &[&Contract]) -> Vocabulary {
        let columns = contracts.iter().flat_map(|c| data_columns(c));
        Vocabulary(columns.map(|c| (c.name.clone(), Name::new(&c.name))).collect())
    }

    /// Whether a name looks like a column of one of the contracts.
    pub fn knows(&self, name: &str) -> bool {
        let literal = normalise(name);
        if self.0.contains_key(&literal) {
            return true;
        }
        let parts = Name::new(name);
        self.0.values().any(|known| alike(&parts, known) >= SAME)
    }
}

/// Holds the columns of a file against a contract; `looks` has one entry for each column.
fn matching<'a>(columns: &[Column], looks: &[Looks<'_>], contract: &'a Contract) -> Matching<'a> {
    let wanted = data_columns(contract);
    let names: Vec<Name> = wanted.iter().map(|w| Name::new(&w.name)).collect();
    let mut pairs: Vec<Match> = Vec::new();
    for (from, column) in columns.iter().enumerate() {
        let (literal, parts) = (normalise(&column.name), Name::new(&column.name));
        for (to, want) in wanted.iter().enumerate() {
            let is_literal = literal == want.name;
            let name = if is_literal { 1000 } else { alike(&parts, &names[to]) };
            pairs.extend(pair((from, to), is_literal, name, looks[from].fit(want)));
        }
    }
    pairs.sort_by_key(|m| {
        (
            Reverse(m.literal),
            Reverse(m.confidence),
            Reverse(m.strength()),
            m.from,
            m.to,
        )
    });
    let mut matching = Matching {
        contract,
        matches: Vec::new(),
        unknown: Vec::new(),
        score: 0,
    };
    for pair in &pairs {
        if matching.matches.iter().any(|m| m.from == pair.from || m.to == pair.to) {
            continue;
        }
        let mut chosen = pair.clone();
        let free = |m: &&Match| !matching.matches.iter().any(|n| n.to == m.to || n.from == m.from);
        let as_good = |m: &&Match| m.confidence == pair.confidence && m.strength() + 50 >= pair.strength();
        let same_from = pairs.iter().filter(|m| m.from == pair.from && m.to != pair.to);
        let rivals = same_from
            .filter(|m| !m.literal && !pair.literal)
            .filter(free)
            .filter(as_good);
        chosen.rivals = rivals.map(|m| m.to).collect();
        // another column of the file that would do as well for the same column of the contract
        let contested = pairs
            .iter()
            .filter(|m| m.to == pair.to && m.from != pair.from)
            .filter(free)
            .any(|m| as_good(&m) && !pair.literal);
        if !chosen.rivals.is_empty() || contested {
            chosen.confidence = chosen.confidence.min(Confidence::Guess);
        }
        matching.matches.push(chosen);
    }
    matching.matches.sort_by_key(|m| m.from);
    let taken = |from: &usize| matching.matches.iter().any(|m| m.from == *from);
    matching.unknown = (0..columns.len()).filter(|from| !taken(from)).collect();
    matching.score = score(&matching, columns.len());
    matching
}

fn pair((from, to): (usize, usize), literal: bool, name: u64, fit: Fit) -> Option<Match> {
    let fits = fit.share() >= FITS;
    let confidence = if literal {
        Confidence::Certain
    } else if name >= SAME && fits {
        Confidence::Likely
    } else if (name >= SIMILAR && fits) || (fits && fit.telling && fit.values > 0 && name * 3 >= SIMILAR) {
        Confidence::Guess
    } else {
        return None;
    };
    Some(Match {
        from,
        to,
        confidence,
        literal,
        name,
        fit,
        rivals: Vec::new(),
    })
}

impl Match {
    /// Names say more than values.
    fn strength(&self) -> u64 {
        let telling = if self.fit.telling { self.fit.share() / 5 } else { 0 };
        self.name + telling
    }

    fn evidence(&self, want: &Wanted) -> String {
        let values = if self.fit.values == 0 {
            "it has no values".to_owned()
        } else {
            format!("{} fit", of(self.fit.fitting, self.fit.values, "different values"))
        };
        match self.name {
            1000 if self.literal => values,
            name if name >= SAME => format!("the name says the same as {} in other words; {values}", want.name),
            name => format!("the names are {name} of 1,000 alike; {values}"),
        }
    }
}

/// The share of required columns that were found, surer ones counting more, and of columns of the file that were taken.
fn score(matching: &Matching<'_>, columns: usize) -> u64 {
    let weight = |confidence| match confidence {
        Confidence::Certain => 1000,
        Confidence::Likely => 900,
        Confidence::Guess => 300,
        Confidence::Open => 0,
    };
    let wanted = data_columns(matching.contract);
    let found = |to: usize| matching.matches.iter().find(|m| m.to == to);
    let credit = |m: &Match| weight(m.confidence) * m.fit.share().max(100) / 1000;
    let required: Vec<u64> = (0..wanted.len())
        .filter(|to| wanted[*to].required)
        .map(|to| found(to).map_or(0, credit))
        .collect();
    let taken: u64 = matching.matches.iter().map(credit).sum();
    let of_required = required
        .iter()
        .sum::<u64>()
        .checked_div(required.len() as u64)
        .unwrap_or(0);
    (2 * of_required + taken.checked_div(columns as u64).unwrap_or(0)) / 3
}

/// All contracts by how well the file fits them, the best first.
pub fn rank<'a>(columns: &[Column], contracts: &[&'a Contract]) -> Vec<Matching<'a>> {
    let looks: Vec<Looks<'_>> = columns.iter().map(Looks::new).collect();
    let mut ranked: Vec<Matching<'a>> = contracts.iter().map(|c| matching(columns, &looks, c)).collect();
    ranked.sort_by(|a, b| (Reverse(a.score), &a.contract.name).cmp(&(Reverse(b.score), &b.contract.name)));
    ranked
}

/// A contract and how well a file fits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    pub feed: String,
    /// Per thousand.
    pub points: u64,
}

impl Matching<'_> {
    pub fn ranked(&self) -> Ranked {
        Ranked {
            feed: self.contract.name.clone(),
            points: self.score,
        }
    }

    /// What there is to say of the columns: renames, columns that nothing takes, columns that the file lacks.
    pub fn guesses(&self, columns: &[Column]) -> Vec<Guess> {
        let wanted = data_columns(self.contract);
        let literal: Vec<&Match> = self.matches.iter().filter(|m| m.literal).collect();
        let mut guesses = Vec::new();
        if !literal.is_empty() {
            let evidence = format!(
                "{} have a name of the contract",
                of(literal.len() as u64, columns.len() as u64, "columns")
            );
            guesses.push(Guess::told("columns", "by name", Confidence::Certain, evidence));
        }
        for m in literal.iter().filter(|m| m.fit.share() < FITS) {
            let evidence = format!("it has the name, but only {}", m.evidence(&wanted[m.to]));
            let name = format!("column {}", wanted[m.to].name);
            guesses.push(Guess::told(&name, "values do not fit", Confidence::Open, evidence));
        }
        for m in self.matches.iter().filter(|m| !m.literal) {
            let want = &wanted[m.to];
            let path = ["rename", columns[m.from].name.as_str()];
            let rivals = m.rivals.iter().map(|to| Setting::text(&wanted[*to].name));
            let guess = Guess::key(&path, Setting::text(&want.name), m.confidence, m.evidence(want));
            guesses.push(guess.or(rivals));
        }
        let unknown: Vec<&str> = self.unknown.iter().map(|i| columns[*i].name.as_str()).collect();
        guesses.extend(self.missing(&unknown));
        if !unknown.is_empty() {
            let evidence = "no column of the contract resembles them: they are not read, only counted";
            guesses.push(Guess::told(
                "unknown columns",
                &unknown.join(", "),
                Confidence::Likely,
                evidence,
            ));
        }
        guesses
    }

    /// Columns of the contract that the file lacks.
    fn missing(&self, unknown: &[&str]) -> Vec<Guess> {
        let wanted = data_columns(self.contract);
        let lacks = |to: &usize| !self.matches.iter().any(|m| m.to == *to);
        let missing: Vec<&Wanted> = (0..wanted.len()).filter(lacks).map(|to| &wanted[to]).collect();
        let required = missing.iter().filter(|w| w.required).map(|want| {
            let path = ["constants", want.name.as_str()];
            let mut evidence = "required, and the file has no column for it: name its value, or the column".to_owned();
            if !unknown.is_empty() {
                evidence.push_str(&format!("; nothing takes {}", listed(unknown)));
            }
            if !want.allowed.is_empty() {
                evidence.push_str(&format!(" (allowed are {})", want.allowed.join(", ")));
            }
            Guess::key(&path, Setting::text(""), Confidence::Open, evidence)
        });
        let mut guesses: Vec<Guess> = required.collect();
        let nullable: Vec<&str> = missing
            .iter()
            .filter(|w| !w.required)
            .map(|w| w.name.as_str())
            .collect();
        if !nullable.is_empty() {
            let evidence = "the file has no column for them: they will be null in every row";
            guesses.push(Guess::told(
                "absent columns",
                &nullable.join(", "),
                Confidence::Likely,
                evidence,
            ));
        }
        guesses
    }
}

/// How far the best feed must be ahead of the second, per thousand.
const AHEAD: u64 = 150;

/// Points, per thousand, below which a file belongs to no feed that there is.
const FITS_AT_ALL: u64 = 200;

/// Which feed the file belongs to, if nobody said so.
pub fn feed(ranked: &[Matching<'_>]) -> Option<Guess> {
    let best = ranked.first()?;
    let wanted = data_columns(best.contract);
    let required = wanted.iter().filter(|w| w.required).count() as u64;
    let found = best.matches.iter().filter(|m| wanted[m.to].required).count() as u64;
    let mut evidence = format!(
        "{} found, {} of 1,000 points",
        of(found, required, "required columns"),
        best.score
    );
    let near: Vec<&Matching<'_>> = ranked[1..]
        .iter()
        .filter(|m| m.score + AHEAD > best.score)
        .take(3)
        .collect();
    if let Some(second) = ranked.get(1) {
        evidence.push_str(&format!("; next is {} with {}", second.contract.name, second.score));
    }
    if best.score < FITS_AT_ALL {
        let evidence = format!(
            "the names and values fit no contract; the best is {} ({evidence})",
            best.contract.name
        );
        return Some(Guess::key(&["feed"], Setting::text(""), Confidence::Open, evidence));
    }
    let clear = near.is_empty() && best.score >= 700;
    let confidence = if clear { Confidence::Likely } else { Confidence::Guess };
    let others: Vec<Setting> = near.iter().map(|m| Setting::text(&m.contract.name)).collect();
    Some(Guess::key(&["feed"], Setting::text(&best.contract.name), confidence, evidence).or(others))
}
