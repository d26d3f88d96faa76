//! The rules of the authorisation check.
//!
//! Duty: which checks there are, whether a region makes them, and what key event each finding is a candidate for. Not
//! its duty: looking at a delivery or a sale (measures, evaluation).

use std::collections::BTreeMap;

use super::leaf::Out;
use super::red_lines::RED_LEVELS;
use super::section::Section;

/// What a delivery or a sale is checked for; the name is also the code of the candidate key event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// A partner delivered the service of a product of category A, which is the vendor's alone.
    UnauthorisedDelivery,
    /// Category B, delivered without an active certification in the product's domain on the day of completion.
    UncertifiedDelivery,
    /// Collaborative services sold to a partner that held no active certification on the day of the order.
    UncertifiedSale,
    /// The first delivery of a product, without first-node support provided before its completion.
    MissingFirstNode,
}

impl Check {
    pub const ALL: [Check; 4] = [
        Check::UnauthorisedDelivery,
        Check::UncertifiedDelivery,
        Check::UncertifiedSale,
        Check::MissingFirstNode,
    ];

    /// The name in rule files and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Check::UnauthorisedDelivery => "unauthorised_delivery",
            Check::UncertifiedDelivery => "uncertified_delivery",
            Check::UncertifiedSale => "uncertified_sale",
            Check::MissingFirstNode => "missing_first_node",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Check> {
        Check::ALL.into_iter().find(|check| check.as_str() == name)
    }
}

/// The key event that a finding is a candidate for; always against the partner, and only a person makes it count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Whether the region makes this check.
    pub active: bool,
    /// minor, major, severe.
    pub level: String,
    /// none, L1, L2, L3.
    pub red_line: String,
}

/// The checks of a region: one candidate each.
#[derive(Clone, Debug, Default)]
pub struct AuthorisationRules(pub BTreeMap<Check, Candidate>);

pub(super) fn read_authorisation(out: &mut Out, mut s: Section<'_>) -> Option<AuthorisationRules> {
    let read: Vec<_> = Check::ALL
        .into_iter()
        .map(|check| {
            let section = s.section(out, check.as_str())?;
            Some((check, read_candidate(out, section)?))
        })
        .collect();
    s.finish(out);
    Some(AuthorisationRules(read.into_iter().collect::<Option<_>>()?))
}

fn read_candidate(out: &mut Out, mut s: Section<'_>) -> Option<Candidate> {
    let levels = ["minor", "major", "severe"].map(|level| (level, level));
    let mut lines = vec![("none", "none")];
    lines.extend(RED_LEVELS.map(|level| (level, level)));
    let active = s.flag_or(out, "active", true);
    let level = s.choice(out, "level", &levels);
    let red_line = s.choice(out, "red_line", &lines);
    s.finish(out);
    Some(Candidate {
        active: active?,
        level: level?.to_owned(),
        red_line: red_line?.to_owned(),
    })
}
