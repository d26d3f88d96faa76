//! Scores and grades.
//!
//! Duty: a score is 0.00 to 100.00 with two decimals, rounded once from an exact number. Not its duty: how it is
//! composed, and where the bands of the grades lie (rules).

use std::fmt;

use super::decimal::Dec;
use super::ratio::{Ratio, Rounding};

/// A score from 0.00 to 100.00, in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score {
    hundredths: u16,
}

impl Score {
    pub const MIN: Score = Score { hundredths: 0 };
    pub const MAX: Score = Score { hundredths: 10_000 };

    /// The exact value held in 0…100 and rounded half away from zero to 0.01: the one rounding of a score.
    #[must_use]
    pub fn from_exact(exact: &Ratio) -> Score {
        let held = exact.clamp_to(&Ratio::zero(), &Ratio::int(100));
        let units = held.round(2, Rounding::HalfAwayFromZero).map_or(0, Dec::units);
        Score {
            hundredths: u16::try_from(units).unwrap_or(10_000),
        }
    }

    /// A decimal that already is a score; `None` outside 0…100 or with more than two decimals.
    #[must_use]
    pub fn from_dec(dec: Dec) -> Option<Score> {
        let hundredths = u16::try_from(dec.rescale(2)?.units()).ok()?;
        (hundredths <= 10_000).then_some(Score { hundredths })
    }

    #[must_use]
    pub fn dec(self) -> Dec {
        Dec::new(i128::from(self.hundredths), 2)
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dec().fmt(f)
    }
}

/// A grade, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    A,
    B,
    C,
    D,
    E,
}

impl Grade {
    pub const ALL: [Grade; 5] = [Grade::A, Grade::B, Grade::C, Grade::D, Grade::E];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::A => "A",
            Grade::B => "B",
            Grade::C => "C",
            Grade::D => "D",
            Grade::E => "E",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Grade> {
        Grade::ALL.into_iter().find(|g| g.as_str() == text)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_once_and_holds_the_range() {
        let score = |t: &str| Score::from_exact(&Dec::parse(t).unwrap().ratio()).to_string();
        assert_eq!(score("89.995"), "90.00");
        assert_eq!(score("89.99499999"), "89.99");
        assert_eq!(score("-3"), "0.00");
        assert_eq!(score("100.004"), "100.00");
    }
}
