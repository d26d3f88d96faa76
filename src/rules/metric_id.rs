//! What a metric is called.
//!
//! Duty: the built-in metrics in their order, and names of a programme's own. Not its duty: what a metric measures.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Longest name of a metric in bytes; the names of columns and files are made of it.
const MAX_BYTES: usize = 40;

/// Name of a programme's own metric: a small letter, then small letters, digits and underscores, 40 bytes at most.
///
/// Every name is kept once for as long as the program runs: metrics are many, and names are as few as rule files have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricName(&'static str);

/// The names met so far.
static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

impl MetricName {
    #[must_use]
    pub fn new(name: &str) -> Option<MetricName> {
        let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let sound = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(rest);
        let taken = MetricId::BUILT_IN.iter().any(|id| id.as_str() == name);
        if !sound || taken || name.len() > MAX_BYTES {
            return None;
        }
        // a set of names is whole whatever happened to who held it
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = names.get(name) {
            return Some(MetricName(known));
        }
        let kept: &'static str = Box::leak(Box::from(name));
        names.insert(kept);
        Some(MetricName(kept))
    }

    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0
    }
}

impl fmt::Debug for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MetricName({})", self.as_str())
    }
}

/// A metric. The order is that in which metrics are shown and ties are broken: the built-in ones, then a programme's
/// own by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricId {
    Satisfaction,
    Quality,
    Parts,
    ServiceLevel,
    Enablement,
    Own(MetricName),
}

impl MetricId {
    pub const BUILT_IN: [MetricId; 5] = [
        MetricId::Satisfaction,
        MetricId::Quality,
        MetricId::Parts,
        MetricId::ServiceLevel,
        MetricId::Enablement,
    ];

    /// The name in rule files and tables.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            MetricId::Satisfaction => "satisfaction",
            MetricId::Quality => "quality",
            MetricId::Parts => "parts",
            MetricId::ServiceLevel => "service_level",
            MetricId::Enablement => "enablement",
            MetricId::Own(name) => name.as_str(),
        }
    }

    /// The metric of that name; `None` where nothing can be called so.
    #[must_use]
    pub fn parse(name: &str) -> Option<MetricId> {
        let built_in = MetricId::BUILT_IN.into_iter().find(|id| id.as_str() == name);
        built_in.or_else(|| MetricName::new(name).map(MetricId::Own))
    }
}

impl fmt::Display for MetricId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_ordered() {
        let own = |name: &str| MetricId::parse(name);
        assert_eq!(own("parts"), Some(MetricId::Parts));
        assert!(own("b_2") > own("b") && own("b") > own("enablement"));
        for bad in ["", "A", "2a", "a-b", "a b", &"x".repeat(41)] {
            assert_eq!(own(bad), None, "{bad}");
        }
        assert_eq!(MetricName::new("parts"), None);
        assert_eq!(own(&"x".repeat(40)).unwrap().as_str(), "x".repeat(40));
    }
}
