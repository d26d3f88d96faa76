//! The rules of the red lines.
//!
//! Duty: which events of a calendar year make black and yellow, and for how many days. Not its duty: counting events
//! (evaluation).

use std::collections::BTreeMap;

use super::leaf::Out;
use super::read::MAX_DAYS;
use super::section::Section;
use super::tree::{Item, Node};

/// Events of a red line by level (`L1`, `L2`, `L3`) that together are enough.
pub type Combination = BTreeMap<String, u32>;

pub const RED_LEVELS: [&str; 3] = ["L1", "L2", "L3"];

/// More events than a partner survives in a year.
const MAX_EVENTS: i64 = 1000;

#[derive(Clone, Debug)]
pub struct RedLineRules {
    /// Any of these, counted in a calendar year, makes black.
    pub black: Vec<Combination>,
    /// Any of these makes yellow.
    pub yellow: Vec<Combination>,
    /// Black: sales dated in so many days from the decision earn nothing.
    pub black_freeze_days: u32,
    /// Yellow: amounts that become payable in so many days are held.
    pub yellow_hold_days: u32,
}

#[cfg(test)]
impl RedLineRules {
    /// Those of the sample programme.
    #[must_use]
    pub fn sample() -> RedLineRules {
        let combination = |pairs: &[(&str, u32)]| pairs.iter().map(|(l, n)| ((*l).to_owned(), *n)).collect();
        RedLineRules {
            black: vec![combination(&[("L1", 1)]), combination(&[("L2", 3)])],
            yellow: vec![
                combination(&[("L2", 2)]),
                combination(&[("L2", 1), ("L3", 2)]),
                combination(&[("L3", 3)]),
            ],
            black_freeze_days: 90,
            yellow_hold_days: 60,
        }
    }
}

pub(super) fn read_red_lines(out: &mut Out, mut s: Section<'_>) -> Option<RedLineRules> {
    let black = read_combinations(out, &mut s, "black");
    let yellow = read_combinations(out, &mut s, "yellow");
    let black_freeze_days = s.count(out, "black_freeze_days", 0..=MAX_DAYS);
    let yellow_hold_days = s.count(out, "yellow_hold_days", 0..=MAX_DAYS);
    s.finish(out);
    Some(RedLineRules {
        black: black?,
        yellow: yellow?,
        black_freeze_days: black_freeze_days?,
        yellow_hold_days: yellow_hold_days?,
    })
}

/// A list such as `[{ L2 = 1, L3 = 2 }, { L3 = 3 }]`; an empty one switches the state off.
fn read_combinations(out: &mut Out, s: &mut Section<'_>, key: &str) -> Option<Vec<Combination>> {
    const EXAMPLE: &str = "[{ L1 = 1 }, { L2 = 3 }]";
    let item = s.need(out, key, EXAMPLE)?;
    let path = s.at(key);
    let Node::List(items) = &item.node else {
        out.wrong_type(
            item,
            &path,
            "a list of tables",
            &format!("write a list: {key} = {EXAMPLE}"),
        );
        return None;
    };
    let read: Vec<Option<Combination>> = items
        .iter()
        .enumerate()
        .map(|(i, item)| read_combination(out, &format!("{path}[{i}]"), item))
        .collect();
    let read: Vec<Combination> = read.into_iter().collect::<Option<_>>()?;
    let one = |c: &Combination| {
        let parts: Vec<String> = c.iter().map(|(level, n)| format!("{n} {level}")).collect();
        parts.join(" and ")
    };
    let mut shown: Vec<String> = read.iter().map(one).collect();
    let value = shown.join(", or ");
    shown.sort();
    out.note(&path, item, value, format!("{shown:?}"));
    Some(read)
}

fn read_combination(out: &mut Out, path: &str, item: &Item) -> Option<Combination> {
    let mut s = Section::open(out, path.to_owned(), item)?;
    let mut combination = Combination::new();
    let mut whole = true;
    for level in RED_LEVELS {
        if s.get(level).is_none() {
            continue;
        }
        match s.count(out, level, 1..=MAX_EVENTS) {
            Some(events) => drop(combination.insert(level.to_owned(), events)),
            None => whole = false,
        }
    }
    let (origin, said) = (s.origin, s.keys().count());
    s.finish(out);
    if said == 0 {
        let message = "a combination without an event would hold always".to_owned();
        out.error(
            origin,
            path,
            "rules.value",
            message,
            "name a level and a number: { L1 = 1 }",
        );
        return None;
    }
    (whole && !combination.is_empty()).then_some(combination)
}
