//! The rules of key events.
//!
//! Duty: points by level, caps, self-reporting, expiry, and which codes there are with the levels and red lines that
//! each may have. Not its duty: judging an event (evaluation).

use std::collections::BTreeMap;

use super::leaf::{Out, Within};
use super::read::MAX_DAYS;
use super::red_lines::RED_LEVELS;
use super::section::Section;
use crate::domain::Ratio;

pub(super) const LEVELS: [&str; 3] = ["minor", "major", "severe"];

#[derive(Clone, Debug)]
pub struct KeyEventRules {
    /// Points by level (minor, major, severe); positive numbers.
    pub positive_points: BTreeMap<String, Ratio>,
    pub negative_points: BTreeMap<String, Ratio>,
    /// At most this much a period, each a positive number.
    pub positive_cap: Ratio,
    pub negative_cap: Ratio,
    /// Factor on a negative event that the partner reported first, such as 0.5.
    pub self_reported_factor: Ratio,
    /// An event that is not confirmed so long after it occurred never counts.
    pub expires_after_days: u32,
    /// By code; empty: any code counts, with any level.
    pub codes: BTreeMap<String, EventCode>,
}

/// What an event of a code may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCode {
    pub positive: bool,
    /// Of minor, major, severe.
    pub levels: Vec<String>,
    /// Of none, L1, L2, L3.
    pub red_lines: Vec<String>,
}

impl KeyEventRules {
    /// Why the rules do not know such an event; none where they do.
    #[must_use]
    pub fn refusal(&self, code: &str, positive: bool, level: &str, red_line: &str) -> Option<String> {
        if self.codes.is_empty() {
            return None;
        }
        let Some(known) = self.codes.get(code) else {
            return Some(format!("the rules know no code {code}"));
        };
        let direction = |positive: bool| if positive { "positive" } else { "negative" };
        let among = |list: &[String], value: &str| list.iter().any(|v| v == value);
        if known.positive != positive {
            Some(format!(
                "{code} is {}, not {}",
                direction(known.positive),
                direction(positive)
            ))
        } else if !among(&known.levels, level) {
            Some(format!("{code} may be {}, not {level}", known.levels.join(" or ")))
        } else if !among(&known.red_lines, red_line) {
            Some(format!(
                "the red line of {code} may be {}, not {red_line}",
                known.red_lines.join(" or ")
            ))
        } else {
            None
        }
    }
}

pub(super) fn read_key_events(out: &mut Out, mut s: Section<'_>) -> Option<KeyEventRules> {
    let positive_points = s.ratios(out, "positive_points", &LEVELS, Within::NotNegative);
    let negative_points = s.ratios(out, "negative_points", &LEVELS, Within::NotNegative);
    let positive_cap = s.ratio(out, "positive_cap", Within::NotNegative);
    let negative_cap = s.ratio(out, "negative_cap", Within::NotNegative);
    let self_reported_factor = s.ratio(out, "self_reported_factor", Within::Share);
    let expires_after_days = s.count(out, "expires_after_days", 1..=MAX_DAYS);
    let codes = match s.get("codes") {
        None => Some(BTreeMap::new()),
        Some(item) => Section::open(out, s.at("codes"), item).and_then(|codes| read_codes(out, codes)),
    };
    s.finish(out);
    Some(KeyEventRules {
        positive_points: positive_points?,
        negative_points: negative_points?,
        positive_cap: positive_cap?,
        negative_cap: negative_cap?,
        self_reported_factor: self_reported_factor?,
        expires_after_days: expires_after_days?,
        codes: codes?,
    })
}

fn read_codes(out: &mut Out, mut s: Section<'_>) -> Option<BTreeMap<String, EventCode>> {
    let names: Vec<String> = s.keys().cloned().collect();
    let read: Vec<_> = names
        .into_iter()
        .map(|name| {
            let section = s.section(out, &name)?;
            Some((name, read_code(out, section)?))
        })
        .collect();
    s.finish(out);
    read.into_iter().collect()
}

fn read_code(out: &mut Out, mut s: Section<'_>) -> Option<EventCode> {
    let mut lines = vec!["none"];
    lines.extend(RED_LEVELS);
    let positive = s.choice(out, "direction", &[("positive", true), ("negative", false)]);
    let levels = s.words(out, "levels", &LEVELS);
    let red_lines = s.words(out, "red_lines", &lines);
    let (origin, path) = (s.origin, s.at("levels"));
    s.finish(out);
    let (levels, mut red_lines) = (levels?, red_lines?);
    if levels.is_empty() {
        let message = "no level is allowed, so no such event would ever count".to_owned();
        out.error(
            origin,
            &path,
            "rules.value",
            message,
            "name the levels it may have: [\"minor\"]",
        );
        return None;
    }
    if red_lines.is_empty() {
        red_lines.push("none".to_owned());
    }
    Some(EventCode {
        positive: positive?,
        levels,
        red_lines,
    })
}
