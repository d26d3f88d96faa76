//! Which forms the dates and times of a file have.
//!
//! Duty: try every pattern on all values, prove day-first or month-first by a value that only one of them reads, and
//! say so when none does. Not its duty: zones; nobody can tell one from a file.

use std::sync::LazyLock;

use chrono::Datelike;

use super::super::formats::Pattern;
use super::super::limits::PLAUSIBLE_YEARS;
use super::column::Column;
use super::guess::{Confidence, Guess, Setting, grouped, of};
use crate::domain::time::parse_date;
use crate::domain::{Date, Instant};

/// Forms of a date; of two that read alike the stricter stands first.
const DATES: [&str; 21] = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%-d.%-m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%-d/%-m/%Y",
    "%-m/%-d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y/%-m/%-d",
    "%Y.%m.%d",
    "%Y-%-m-%-d",
    "%Y%m%d",
    "%d-%b-%Y",
    "%-d-%b-%Y",
    "%d %b %Y",
    "%b %-d, %Y",
    "%Y年%m月%d日",
    "%Y年%-m月%-d日",
    "%-d %b %Y",
];

const TIMES: [&str; 9] = [
    "%H:%M",
    "%H:%M:%S",
    "%H:%M:%S%.f",
    "%-H:%M",
    "%-H:%M:%S",
    "%I:%M %p",
    "%-I:%M %p",
    "%I:%M:%S %p",
    "%-I:%M:%S %p",
];

static DATE_PATTERNS: LazyLock<Vec<Pattern>> =
    LazyLock::new(|| DATES.iter().filter_map(|text| Pattern::date(text).ok()).collect());

static INSTANT_PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let mut texts = Vec::new();
    for date in DATES {
        for between in [" ", "T"] {
            for time in TIMES {
                for offset in ["", "%z", " %z"] {
                    texts.push(format!("{date}{between}{time}{offset}"));
                }
            }
        }
    }
    texts.iter().filter_map(|text| Pattern::instant(text).ok()).collect()
});

/// Days from 1995 to 2050 as a spreadsheet counts them.
const SERIAL_DAYS: std::ops::Range<u32> = 34_700..55_000;

/// Share of values, per hundred, that another form must read before it is a form and not a mistake.
const ANOTHER_FORM: u64 = 5;

fn plausible(date: Date) -> bool {
    let (first, last) = PLAUSIBLE_YEARS;
    (first..=last).contains(&date.year()) || date.year() == 9999
}

fn date_by(pattern: &Pattern, text: &str) -> Option<String> {
    pattern.read_date(text).filter(|d| plausible(*d)).map(|d| d.to_string())
}

fn instant_by(pattern: &Pattern, text: &str) -> Option<String> {
    let stamp = pattern.read(text)?;
    let local = stamp.utc().unwrap_or(stamp.local);
    plausible(local.date()).then(|| local.to_string())
}

/// Whether a text is a date of any form.
pub fn is_date(text: &str) -> bool {
    DATE_PATTERNS.iter().any(|p| date_by(p, text).is_some())
}

/// Whether a text is a date with a time of any form.
pub fn is_instant(text: &str) -> bool {
    if !text.contains(':') || !text.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    is_rfc3339(text) || INSTANT_PATTERNS.iter().any(|p| instant_by(p, text).is_some())
}

fn is_rfc3339(text: &str) -> bool {
    text.is_ascii() && Instant::parse(text).is_ok()
}

/// How values of one kind are read: the name of the key, the patterns there are, and the strict default.
struct Kind {
    key: &'static str,
    what: &'static str,
    default: &'static str,
    patterns: &'static [Pattern],
    by: fn(&Pattern, &str) -> Option<String>,
    by_default: fn(&str) -> bool,
}

/// The forms of all date columns together.
pub fn dates(columns: &[&Column]) -> Vec<Guess> {
    let kind = Kind {
        key: "date_formats",
        what: "dates",
        default: "%Y-%m-%d",
        patterns: &DATE_PATTERNS,
        by: date_by,
        by_default: |text| parse_date(text).is_some_and(plausible),
    };
    let mut guesses = kind.guess(columns);
    guesses.extend(columns.iter().filter_map(|c| unreadable(c)));
    guesses
}

/// The forms of all columns of instants together, and the zone that a person has to name.
pub fn instants(columns: &[&Column]) -> Vec<Guess> {
    let kind = Kind {
        key: "instant_formats",
        what: "times",
        default: "RFC 3339",
        patterns: &INSTANT_PATTERNS,
        by: instant_by,
        by_default: is_rfc3339,
    };
    let mut guesses = kind.guess(columns);
    let naive = guesses.iter().find_map(|g| match &g.setting {
        Setting::Texts(texts) if g.role == super::guess::Role::Key => texts.iter().find(|t| !t.contains("%z")).cloned(),
        _ => None,
    });
    let local: u64 = columns.iter().map(|c| c.local).sum();
    let naive = naive.or_else(|| (local > 0).then(|| "those of a workbook".to_owned()));
    if let Some(naive) = naive {
        let evidence = format!("times such as {naive} say no offset, and no file can tell the zone of its clock");
        // a person names it: an example would be taken for an answer
        let zone = Setting::text("");
        guesses.push(Guess::key(&["time_zone"], zone, Confidence::Open, evidence));
        let evidence = "which of the two is meant when clocks go back; without the key such times are rejected";
        guesses.push(Guess::told("overlap", "first or last", Confidence::Open, evidence));
    }
    guesses
}

impl Kind {
    fn guess(&self, columns: &[&Column]) -> Vec<Guess> {
        let total: u64 = columns.iter().map(|c| c.total()).sum();
        if total == 0 {
            return Vec::new();
        }
        let count = |is: &dyn Fn(&str) -> bool| columns.iter().map(|c| c.count(is)).sum::<u64>();
        let by_default = count(&self.by_default);
        if by_default * 100 >= total * (100 - ANOTHER_FORM) {
            let confidence = if by_default == total {
                Confidence::Certain
            } else {
                Confidence::Likely
            };
            let evidence = format!("{} are {}", of(by_default, total, self.what), self.default);
            return vec![Guess::default(
                &[self.key],
                Setting::text(self.default),
                confidence,
                evidence,
            )];
        }
        let mut found: Vec<(u64, &Pattern)> = self
            .likely(columns)
            .into_iter()
            .map(|p| (count(&|text| (self.by)(p, text).is_some()), p))
            .filter(|(n, _)| *n > 0)
            .collect();
        // a stable sort: of equal counts the stricter pattern stays first
        found.sort_by_key(|f| std::cmp::Reverse(f.0));
        let Some((most, best)) = found.first().copied() else {
            let evidence = format!(
                "none of {} {} has a form that can be declared",
                grouped(total),
                self.what
            );
            return vec![Guess::told(self.key, "none", Confidence::Open, evidence)];
        };
        let rivals = self.rivals(columns, best, most, &found);
        if rivals.is_empty() {
            vec![self.clear(columns, best, most, total, &found)]
        } else {
            vec![self.ambiguous(best, most, total, &rivals)]
        }
    }

    /// Patterns that read at least one of some values of each column: trying all of them on all values takes long.
    fn likely(&self, columns: &[&Column]) -> Vec<&'static Pattern> {
        let texts: Vec<&String> = columns
            .iter()
            .flat_map(|c| {
                let step = (c.values.len() / 50).max(1);
                c.values.keys().step_by(step)
            })
            .collect();
        let reads = |p: &&Pattern| texts.iter().any(|t| (self.by)(p, t).is_some());
        self.patterns.iter().filter(reads).collect()
    }

    /// Patterns that read as much and mean other days, one for each meaning.
    fn rivals<'p>(
        &self,
        columns: &[&Column],
        best: &Pattern,
        most: u64,
        found: &[(u64, &'p Pattern)],
    ) -> Vec<(&'p Pattern, String)> {
        let mut rivals: Vec<(&Pattern, String)> = Vec::new();
        for (_, pattern) in found.iter().filter(|(n, p)| *n == most && p.text() != best.text()) {
            let mut texts = columns.iter().flat_map(|c| c.values.keys());
            let differs = texts.find_map(|t| {
                let (a, b) = ((self.by)(best, t)?, (self.by)(pattern, t)?);
                (a != b).then(|| format!("'{t}' could be {a} or {b}"))
            });
            if let Some(differs) = differs
                && rivals.is_empty()
            {
                rivals.push((pattern, differs));
            }
        }
        rivals
    }

    fn ambiguous(&self, best: &Pattern, most: u64, total: u64, rivals: &[(&Pattern, String)]) -> Guess {
        let words: Vec<&str> = rivals.iter().map(|(_, words)| words.as_str()).collect();
        let evidence = format!(
            "{} fit {} and {} alike: {}; ask the sender which it is",
            of(most, total, self.what),
            best.text(),
            rivals[0].0.text(),
            words.join("; ")
        );
        let others: Vec<Setting> = rivals.iter().map(|(p, _)| Setting::texts([p.text()])).collect();
        Guess::key(&[self.key], Setting::texts([best.text()]), Confidence::Guess, evidence).or(others)
    }

    fn clear(&self, columns: &[&Column], best: &Pattern, most: u64, total: u64, found: &[(u64, &Pattern)]) -> Guess {
        let mut texts = vec![best.text().to_owned()];
        let mut read = most;
        // another form that a good part of the rest has, and that no value of the first form contradicts
        for (_, pattern) in found {
            let by = |p: &Pattern, t: &str| (self.by)(p, t);
            let more: u64 = columns
                .iter()
                .map(|c| c.count(|t| by(best, t).is_none() && by(pattern, t).is_some()))
                .sum();
            let contradicts = columns
                .iter()
                .flat_map(|c| c.values.keys())
                .any(|t| by(best, t).zip(by(pattern, t)).is_some_and(|(a, b)| a != b));
            if texts.len() == 1 && more * 100 >= total * ANOTHER_FORM && !contradicts {
                texts.push(pattern.text().to_owned());
                read += more;
            }
        }
        let mut evidence = format!("{} fit {}", of(read, total, self.what), texts.join(" or "));
        if let Some(proof) = self.proof(columns, best, found) {
            evidence.push_str(&proof);
        }
        let confidence = match read {
            read if read == total && texts.len() == 1 => Confidence::Certain,
            read if read * 20 >= total * 19 => Confidence::Likely,
            _ => Confidence::Guess,
        };
        Guess::key(&[self.key], Setting::texts(texts), confidence, evidence)
    }

    /// The form with other meanings that comes nearest, and the columns that do not speak against it.
    fn proof(&self, columns: &[&Column], best: &Pattern, found: &[(u64, &Pattern)]) -> Option<String> {
        let by = |p: &Pattern, t: &str| (self.by)(p, t);
        let (_, other) = found.iter().find(|(_, p)| {
            let mut texts = columns.iter().flat_map(|c| c.values.keys());
            texts.any(|t| by(best, t).zip(by(p, t)).is_some_and(|(a, b)| a != b))
        })?;
        let proving: u64 = columns
            .iter()
            .map(|c| c.count(|t| by(best, t).is_some() && by(other, t).is_none()))
            .sum();
        let silent = |c: &&&Column| {
            let mut both = c.values.keys().filter(|t| by(best, t).is_some()).peekable();
            both.peek().is_some() && both.all(|t| by(other, t).is_some())
        };
        let silent: Vec<&str> = columns.iter().filter(silent).map(|c| c.name.as_str()).collect();
        let mut words = format!("; {} of them cannot be {}", grouped(proving), other.text());
        if !silent.is_empty() {
            words.push_str(&format!(" (in {} alone all could)", silent.join(", ")));
        }
        Some(words)
    }
}

/// Dates that no pattern reads, and what they seem to be.
fn unreadable(column: &Column) -> Option<Guess> {
    let total = column.total();
    let serial = column.count(|t| t.len() == 5 && t.parse().is_ok_and(|n: u32| SERIAL_DAYS.contains(&n)));
    if total > 0 && serial * 2 > total {
        let evidence = format!(
            "{} of '{}' are numbers such as a spreadsheet counts days by; no pattern reads them: deliver dates, or the workbook itself",
            of(serial, total, "values"),
            column.name
        );
        return Some(Guess::told("serial days", &column.name, Confidence::Open, evidence));
    }
    let short = column.count(is_short_year);
    (short > 0).then(|| {
        let evidence = format!(
            "{} of '{}' have a year of two digits, which has no century; no pattern reads them: deliver four",
            of(short, total, "values"),
            column.name
        );
        Guess::told("short years", &column.name, Confidence::Open, evidence)
    })
}

/// Three numbers of one or two digits with the same mark between them.
fn is_short_year(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['.', '/', '-']).collect();
    let is_part = |p: &&str| (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_part)
}

#[cfg(test)]
#[path = "dates_tests.rs"]
mod tests;
