//! The rules of entitlements: what a level may have of the vendor's support and training in a fiscal year.
//!
//! Duty: names, what counts as use, and how much each level is entitled to. Not its duty: counting what was used
//! (measures), what is left (evaluation).

use std::collections::BTreeMap;

use super::leaf::Out;
use super::read::MAX_COUNT;
use super::section::Section;

/// What counts as use of an entitlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntitlementOf {
    /// Support provided: rows of the feed `support`.
    Support,
    /// Training places taken at the vendor: rows of the feed `enablement`.
    Training,
}

impl EntitlementOf {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EntitlementOf::Support => "support",
            EntitlementOf::Training => "training",
        }
    }
}

/// One entitlement of the programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlement {
    pub name: String,
    pub of: EntitlementOf,
    /// Types of the feed that count; one row is one use.
    pub types: Vec<String>,
    /// Uses a fiscal year by level: 0 (no active certification), 3, 4, 5 stars. Absent level: none.
    pub by_stars: BTreeMap<i64, i64>,
}

const SUPPORT_TYPES: [&str; 5] = [
    "bid_review",
    "solution_review",
    "first_node",
    "cutover_assurance",
    "technical_assistance",
];

const TRAINING_TYPES: [&str; 7] = [
    "career",
    "specialist",
    "product",
    "process",
    "service_sales",
    "project_management",
    "first_order_support",
];

/// Reads `[entitlements]`, which may be absent: no entitlement then.
pub(super) fn read_entitlements(out: &mut Out, mut s: Section<'_>) -> Option<Vec<Entitlement>> {
    let names: Vec<String> = s.keys().cloned().collect();
    let read: Vec<Option<Entitlement>> = names
        .into_iter()
        .map(|name| {
            let section = s.section(out, &name)?;
            read_entitlement(out, name, section)
        })
        .collect();
    s.finish(out);
    read.into_iter().collect()
}

fn read_entitlement(out: &mut Out, name: String, mut s: Section<'_>) -> Option<Entitlement> {
    let of = s.choice(
        out,
        "of",
        &[
            ("support", EntitlementOf::Support),
            ("training", EntitlementOf::Training),
        ],
    );
    let known: &[&str] = match of {
        Some(EntitlementOf::Training) => &TRAINING_TYPES,
        _ => &SUPPORT_TYPES,
    };
    let types = s.words(out, "types", known);
    let (origin, path) = (s.origin, s.at("types"));
    let amounts = s.section(out, "by_stars").and_then(|mut amounts| {
        let read: Vec<_> = [0_i64, 3, 4, 5]
            .into_iter()
            .map(|stars| Some((stars, amounts.count::<i64>(out, &stars.to_string(), 0..=MAX_COUNT)?)))
            .collect();
        amounts.finish(out);
        read.into_iter().collect::<Option<BTreeMap<i64, i64>>>()
    });
    s.finish(out);
    let types = types?;
    if types.is_empty() {
        let message = "no type counts, so nothing would ever be used".to_owned();
        out.error(origin, &path, "rules.value", message, "name the types that count");
        return None;
    }
    Some(Entitlement {
        name,
        of: of?,
        types,
        by_stars: amounts?,
    })
}
