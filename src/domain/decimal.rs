//! Fixed-point decimals as they stand in files: an integer of units and a scale.
//!
//! Duty: parse a strict grammar, print, compare, rescale without loss. Not its duty: arithmetic beyond that; sums
//! come from the measures, and ratios, rates and money have types of their own.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

use super::ratio::Ratio;

/// Largest scale a decimal may have: that of the engines' 128-bit decimals.
pub const MAX_SCALE: u8 = 38;

/// A fixed-point decimal: `units · 10^-scale`. Equality is of the value: `1.50 == 1.5`.
#[derive(Clone, Copy)]
pub struct Dec {
    /// An `i128` as bytes: without its alignment a value of a table takes half the room.
    units: [u8; 16],
    scale: u8,
}

impl fmt::Debug for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dec")
            .field("units", &self.units())
            .field("scale", &self.scale)
            .finish()
    }
}

/// Why a text is no decimal, or a decimal does not fit a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecError {
    #[error("is not a number of the form -123.45")]
    Grammar,
    #[error("has {found} decimals where {allowed} are allowed")]
    TooManyDecimals { found: usize, allowed: u8 },
    #[error("has more than {allowed} digits")]
    TooManyDigits { allowed: u8 },
    #[error("does not fit in 128 bits")]
    Overflow,
}

impl Dec {
    pub const ZERO: Dec = Dec {
        units: [0; 16],
        scale: 0,
    };

    /// A decimal from its units and scale (at most [`MAX_SCALE`]).
    ///
    /// # Panics
    /// When the scale is over [`MAX_SCALE`]: scales come from contracts, which are checked when read.
    #[must_use]
    pub fn new(units: i128, scale: u8) -> Dec {
        assert!(scale <= MAX_SCALE, "scale {scale} is over {MAX_SCALE}");
        Dec {
            units: units.to_ne_bytes(),
            scale,
        }
    }

    #[must_use]
    pub fn units(self) -> i128 {
        i128::from_ne_bytes(self.units)
    }

    #[must_use]
    pub fn scale(self) -> u8 {
        self.scale
    }

    #[must_use]
    pub fn is_zero(self) -> bool {
        self.units() == 0
    }

    /// Parses `-?digits(.digits)?`; nothing else is a number: no sign `+`, no exponent, no bare point, no blank.
    /// The scale is the number of decimals written. `-0` is 0.
    pub fn parse(text: &str) -> Result<Dec, DecError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let negative = digits.len() != text.len();
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(DecError::Grammar),
            None => (digits, ""),
        };
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(DecError::Grammar);
        }
        let scale = u8::try_from(fraction.len())
            .ok()
            .filter(|s| *s <= MAX_SCALE)
            .ok_or(DecError::Overflow)?;
        let mut units: i128 = 0;
        for b in whole.bytes().chain(fraction.bytes()) {
            units = units
                .checked_mul(10)
                .and_then(|u| u.checked_add(i128::from(b - b'0')))
                .ok_or(DecError::Overflow)?;
        }
        Ok(Dec::new(if negative { -units } else { units }, scale))
    }

    /// Parses into exactly `scale` decimals and at most `precision` digits; more decimals are an error, never a rounding.
    pub fn parse_scaled(text: &str, precision: u8, scale: u8) -> Result<Dec, DecError> {
        let dec = Dec::parse(text)?;
        if dec.scale > scale {
            return Err(DecError::TooManyDecimals {
                found: usize::from(dec.scale),
                allowed: scale,
            });
        }
        let dec = dec
            .rescale(scale)
            .ok_or(DecError::TooManyDigits { allowed: precision })?;
        if dec.digits() > u32::from(precision) {
            return Err(DecError::TooManyDigits { allowed: precision });
        }
        Ok(dec)
    }

    /// The same value at another scale, or `None` if that would lose a digit or overflow.
    #[must_use]
    pub fn rescale(self, scale: u8) -> Option<Dec> {
        if scale > MAX_SCALE {
            return None;
        }
        let units = if scale >= self.scale {
            self.units()
                .checked_mul(10i128.checked_pow(u32::from(scale - self.scale))?)?
        } else {
            let divisor = 10i128.checked_pow(u32::from(self.scale - scale))?;
            if self.units() % divisor != 0 {
                return None;
            }
            self.units() / divisor
        };
        Some(Dec::new(units, scale))
    }

    /// Number of digits of the units, without leading zeros; 1 for zero.
    #[must_use]
    pub fn digits(self) -> u32 {
        let units = self.units().unsigned_abs();
        // of 64 bits it is found sooner
        let found = match u64::try_from(units) {
            Ok(units) => units.checked_ilog10(),
            Err(_) => units.checked_ilog10(),
        };
        found.unwrap_or(0) + 1
    }

    /// The exact value as a rational.
    #[must_use]
    pub fn ratio(self) -> Ratio {
        Ratio::from_dec(self)
    }
}

impl PartialEq for Dec {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Dec {}

impl PartialOrd for Dec {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Dec {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        match (self.rescale(scale), other.rescale(scale)) {
            (Some(a), Some(b)) => a.units().cmp(&b.units()),
            _ => self.ratio().cmp(&other.ratio()),
        }
    }
}

impl From<i64> for Dec {
    fn from(value: i64) -> Self {
        Dec::new(i128::from(value), 0)
    }
}

impl fmt::Display for Dec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units() < 0 { "-" } else { "" };
        let digits = self.units().unsigned_abs().to_string();
        let scale = usize::from(self.scale);
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_grammar() {
        for good in ["0", "-0", "1.00", "00123", "-12.5"] {
            assert!(Dec::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "", "-", ".5", "5.", "+1", "1e3", "1,5", " 1", "0x10", "1_0", "１", "--1", "NaN",
        ] {
            assert_eq!(Dec::parse(bad), Err(DecError::Grammar), "{bad}");
        }
        assert_eq!(Dec::parse("-0").unwrap().to_string(), "0");
        assert_eq!(Dec::parse("-0.05").unwrap().to_string(), "-0.05");
    }

    #[test]
    fn more_decimals_than_the_scale_are_an_error() {
        assert_eq!(
            Dec::parse_scaled("1.005", 18, 2),
            Err(DecError::TooManyDecimals { found: 3, allowed: 2 })
        );
        assert_eq!(Dec::parse_scaled("1.5", 18, 2).unwrap().units(), 150);
        assert_eq!(
            Dec::parse_scaled("12345", 6, 2),
            Err(DecError::TooManyDigits { allowed: 6 })
        );
    }

    #[test]
    fn compares_by_value_and_rescales_without_loss() {
        let dec = |t| Dec::parse(t).unwrap();
        assert_eq!(dec("1.50"), dec("1.5"));
        assert!(dec("-1.01") < dec("-1"));
        assert_eq!(dec("1.50").rescale(1).unwrap().to_string(), "1.5");
        assert_eq!(dec("1.55").rescale(1), None);
    }
}
