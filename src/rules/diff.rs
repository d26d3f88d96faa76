//! What differs between two rule books, in words.
//!
//! Duty: pair the values of two resolved books by key, leave out those that say the same, name each key in words that a
//! reader of the programme knows. Not its duty: which books are compared, printing.

use std::collections::BTreeMap;

use super::ResolvedValue;
use crate::domain::{Dec, Rate, Ratio};

/// One key that does not say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Keys joined by points.
    pub path: String,
    /// What the key is, in words: `Weight of customer satisfaction`.
    pub words: String,
    /// `None` where only the other book has the key.
    pub before: Option<ResolvedValue>,
    pub after: Option<ResolvedValue>,
}

/// The differences between the values of two books, by path. A value that is only written differently (`"40"`,
/// `"40.0"`; `"1 %"`, `"100 bp"`) is the same.
#[must_use]
pub fn diff(before: &[ResolvedValue], after: &[ResolvedValue]) -> Vec<Change> {
    let mut pairs: BTreeMap<&str, [Option<&ResolvedValue>; 2]> = BTreeMap::new();
    for (side, values) in [before, after].into_iter().enumerate() {
        for value in values {
            pairs.entry(&value.path).or_default()[side] = Some(value);
        }
    }
    let differs = |pair: &[Option<&ResolvedValue>; 2]| match pair {
        [Some(a), Some(b)] => !same(&a.value, &b.value),
        _ => true,
    };
    pairs
        .into_iter()
        .filter(|(_, pair)| differs(pair))
        .map(|(path, [before, after])| Change {
            path: path.to_owned(),
            words: words(path),
            before: before.cloned(),
            after: after.cloned(),
        })
        .collect()
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = |v: &Option<ResolvedValue>| v.as_ref().map_or(String::new(), |v| v.value.clone());
        match (&self.before, &self.after) {
            (Some(_), Some(_)) if value(&self.before).contains('→') || value(&self.after).contains('→') => {
                write!(
                    f,
                    "{}: from ({}) to ({})",
                    self.words,
                    value(&self.before),
                    value(&self.after)
                )
            }
            (Some(before), Some(after)) => write!(f, "{}: {} → {}", self.words, before.value, after.value),
            (None, _) => write!(f, "{}: new, {}", self.words, value(&self.after)),
            (_, None) => write!(f, "{}: no longer said (was {})", self.words, value(&self.before)),
        }
    }
}

fn same(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// A decimal, or a rate with its unit; the two are never the same.
fn number(text: &str) -> Option<(bool, Ratio)> {
    if let Ok(dec) = Dec::parse(text) {
        return Some((false, dec.ratio()));
    }
    Rate::parse(text).ok().map(|rate| (true, rate.share().clone()))
}

/// Sections of a rule book as people call them.
const SECTIONS: [(&str, &str); 8] = [
    ("card", "the partner's card"),
    ("evaluation", "the composite"),
    ("key_events", "key events"),
    ("parts", "overdue spare parts"),
    ("programme", "the programme"),
    ("quality", "engineering quality"),
    ("red_lines", "red lines"),
    ("satisfaction", "customer satisfaction"),
];

/// A key in words: `satisfaction.weight` is `Weight of customer satisfaction`.
#[must_use]
pub fn words(path: &str) -> String {
    let mut keys = path.split('.');
    let section = keys.next().unwrap_or_default();
    let of = match section {
        "grades" => {
            return keys
                .next()
                .map_or("Grades".to_owned(), |grade| format!("Least score of grade {grade}"));
        }
        "schemes" => format!("scheme {}", keys.next().unwrap_or_default()),
        "metrics" => {
            let name = keys.next().unwrap_or_default();
            known(name).map_or_else(|| format!("metric {name}"), str::to_owned)
        }
        other => known(other).map_or_else(|| plain(other), str::to_owned),
    };
    let rest: Vec<String> = keys.map(plain).collect();
    let Some(first) = rest.first() else {
        return capital(&of);
    };
    let mut what = capital(first);
    for more in &rest[1..] {
        what.push_str(", ");
        what.push_str(more);
    }
    format!("{what} of {of}")
}

fn known(section: &str) -> Option<&'static str> {
    SECTIONS
        .iter()
        .find(|(name, _)| *name == section)
        .map(|(_, words)| *words)
}

/// `knots[2]` is `knot 3`, `due_days` is `due days`.
fn plain(key: &str) -> String {
    let Some((list, place)) = key.split_once('[') else {
        return key.replace('_', " ");
    };
    let (place, rest) = place.split_once(']').unwrap_or((place, ""));
    let number = place.parse::<usize>().map_or(place.to_owned(), |i| (i + 1).to_string());
    let one = list.strip_suffix('s').unwrap_or(list).replace('_', " ");
    format!("{one} {number}{}", rest.replace('_', " "))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(path: &str, value: &str) -> ResolvedValue {
        ResolvedValue {
            path: path.to_owned(),
            value: value.to_owned(),
            file: "pipelines/rules/global/2026-01-01.toml".to_owned(),
            line: 1,
            provenance: None,
        }
    }

    #[test]
    fn differences_are_told_in_words_and_spellings_are_none() {
        let before = [
            value("satisfaction.weight", "40"),
            value("satisfaction.knots[1]", "0.85 → 60"),
            value("quality.shrinkage", "4"),
            value("grades.A", "90"),
            value("schemes.sales-rebate.bands.default[0]", "1 %"),
            value("parts.due_days", "10"),
        ];
        let after = [
            value("satisfaction.weight", "45"),
            value("satisfaction.knots[1]", "0.85 → 65"),
            value("quality.shrinkage", "4.0"),
            value("grades.A", "92"),
            value("schemes.sales-rebate.bands.default[0]", "100 bp"),
            value("metrics.speed.weight", "5"),
        ];
        let told: Vec<String> = diff(&before, &after).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "Least score of grade A: 90 → 92",
                "Weight of metric speed: new, 5",
                "Due days of overdue spare parts: no longer said (was 10)",
                "Knot 2 of customer satisfaction: from (0.85 → 60) to (0.85 → 65)",
                "Weight of customer satisfaction: 40 → 45",
            ]
        );
        assert!(diff(&before, &before).is_empty());
    }

    #[test]
    fn a_number_and_a_rate_are_not_the_same() {
        assert!(!same("1", "100 %"));
        assert!(same("1 %", "100 bp"));
    }
}
