//! A rational number on the way to a rounding, not brought to lowest terms.
//!
//! Duty: a short chain of exact arithmetic that ends in one rounding; finding common divisors would cost more than the
//! chain. Not its duty: being kept, compared, or shown (`ratio`).

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive};

use super::decimal::Dec;
use super::ratio::Ratio;

/// `top / bottom`, the bottom above 0.
#[derive(Clone, Debug)]
pub struct Unreduced {
    top: BigInt,
    bottom: BigInt,
}

impl From<&Ratio> for Unreduced {
    fn from(ratio: &Ratio) -> Unreduced {
        let (top, bottom) = ratio.parts();
        Unreduced { top, bottom }
    }
}

impl Unreduced {
    #[must_use]
    pub fn add(&self, other: &Unreduced) -> Unreduced {
        Unreduced {
            top: &self.top * &other.bottom + &other.top * &self.bottom,
            bottom: &self.bottom * &other.bottom,
        }
    }

    #[must_use]
    pub fn sub(&self, other: &Unreduced) -> Unreduced {
        Unreduced {
            top: &self.top * &other.bottom - &other.top * &self.bottom,
            bottom: &self.bottom * &other.bottom,
        }
    }

    #[must_use]
    pub fn mul(&self, other: &Unreduced) -> Unreduced {
        Unreduced {
            top: &self.top * &other.top,
            bottom: &self.bottom * &other.bottom,
        }
    }

    /// `None` unless the other is above 0.
    #[must_use]
    pub fn div(&self, other: &Unreduced) -> Option<Unreduced> {
        other.top.is_positive().then(|| Unreduced {
            top: &self.top * &other.bottom,
            bottom: &self.bottom * &other.top,
        })
    }

    /// √self, rounded half away from zero to `scale` decimals, as [`Ratio::sqrt`]; `None` for a negative number.
    #[must_use]
    pub fn sqrt(&self, scale: u8) -> Option<Unreduced> {
        if self.top.is_negative() {
            return None;
        }
        // one guard digit is kept: see there
        let scaled = (&self.top * BigInt::from(10).pow(2 * u32::from(scale) + 2)).div_floor(&self.bottom);
        Some(Unreduced {
            top: (scaled.sqrt() + BigInt::from(5)).div_floor(&BigInt::from(10)),
            bottom: BigInt::from(10).pow(u32::from(scale)),
        })
    }

    /// The number at `scale` decimals, half away from zero; `None` when it does not fit in 128 bits.
    #[must_use]
    pub fn round(&self, scale: u8) -> Option<Dec> {
        let twice = self.top.abs() * BigInt::from(10).pow(u32::from(scale)) * BigInt::from(2);
        // ⌊|x| + ½⌋, then the sign
        let size = (twice + &self.bottom).div_floor(&(&self.bottom * BigInt::from(2)));
        let units = if self.top.is_negative() { -size } else { size };
        Some(Dec::new(units.to_i128()?, scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Rounding;

    #[test]
    fn agrees_with_exact_arithmetic() {
        let numbers: Vec<Ratio> = [(1, 3), (-7, 5), (0, 1), (9, 8), (1_000_003, 7), (-1, 200), (1, 200)]
            .iter()
            .filter_map(|(a, b)| Ratio::new(*a, *b))
            .collect();
        let rounded = |ratio: Ratio| ratio.round(2, Rounding::HalfAwayFromZero);
        for a in &numbers {
            for b in &numbers {
                let (x, y) = (Unreduced::from(a), Unreduced::from(b));
                assert_eq!(x.add(&y).round(2), rounded(a + b));
                assert_eq!(x.sub(&y).round(2), rounded(a - b));
                assert_eq!(x.mul(&y).round(2), rounded(a * b));
                let quotient = a.checked_div(b).filter(|_| b.is_positive());
                assert_eq!(x.div(&y).and_then(|q| q.round(2)), quotient.and_then(rounded));
            }
            let root = a.sqrt(12).and_then(|r| r.round(12, Rounding::HalfAwayFromZero));
            assert_eq!(Unreduced::from(a).sqrt(12).and_then(|r| r.round(12)), root);
        }
    }
}
