//! What a metric is called.
//!
//! Duty: the built-in metrics in their order, and names of a programme's own. Not its duty: what a metric measures.

use std::fmt;

/// Longest name of a metric in bytes; the names of columns and files are made of it.
const MAX_BYTES: usize = 40;

/// Name of a programme's own metric: a small letter, then small letters, digits and underscores, 40 bytes at most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricName([u8; MAX_BYTES]);

impl MetricName {
    #[must_use]
    pub fn new(name: &str) -> Option<MetricName> {
        let bytes = name.as_bytes();
        let rest = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_';
        let sound = bytes.first().is_some_and(u8::is_ascii_lowercase) && bytes.iter().all(rest);
        let taken = MetricId::BUILT_IN.iter().any(|id| id.as_str() == name);
        if !sound || taken || bytes.len() > MAX_BYTES {
            return None;
        }
        let mut held = [0; MAX_BYTES];
        held[..bytes.len()].copy_from_slice(bytes);
        Some(MetricName(held))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(MAX_BYTES);
        // only small letters, digits and underscores are let in
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
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
