//! Rates with their unit: a share of an amount.
//!
//! Duty: `1.5 %` and `150 bp` are the same rate; a bare `1.5` is none. Not its duty: applying it to money.

use std::fmt;

use thiserror::Error;

use super::decimal::Dec;
use super::ratio::Ratio;

/// A rate as a share: 1 % is 0.01. Keeps the text it was written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    share: Ratio,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RateError {
    #[error("a rate needs its unit: \"1.5 %\" or \"150 bp\"")]
    NoUnit,
    #[error("a rate is a number and a unit: \"1.5 %\" or \"150 bp\"")]
    Grammar,
}

impl Rate {
    pub fn parse(text: &str) -> Result<Rate, RateError> {
        let (number, divisor) = if let Some(number) = text.strip_suffix('%') {
            (number, 100)
        } else if let Some(number) = text.strip_suffix("bp") {
            (number, 10_000)
        } else {
            return Err(if Dec::parse(text.trim()).is_ok() {
                RateError::NoUnit
            } else {
                RateError::Grammar
            });
        };
        let number = Dec::parse(number.trim_end()).map_err(|_| RateError::Grammar)?;
        Ok(Rate {
            share: &number.ratio() / &Ratio::int(divisor),
            text: text.to_owned(),
        })
    }

    /// The rate as a share of one.
    #[must_use]
    pub fn share(&self) -> &Ratio {
        &self.share
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_needs_its_unit() {
        assert_eq!(
            Rate::parse("1.5 %").unwrap().share(),
            Rate::parse("150bp").unwrap().share()
        );
        assert_eq!(Rate::parse("1.5"), Err(RateError::NoUnit));
        assert_eq!(Rate::parse("one %"), Err(RateError::Grammar));
    }
}
