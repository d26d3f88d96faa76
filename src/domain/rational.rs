//! A rational number that is small as long as it can be.
//!
//! Duty: one canonical form for each number (two 64-bit integers where they hold it, else big ones), its arithmetic and
//! its order. Not its duty: rounding, and anything with a unit (`ratio`).

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

/// In lowest terms, the denominator above 0; `Small` whenever both fit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Rational {
    Small(i64, i64),
    Big(Box<BigRational>),
}

use Rational::{Big, Small};

impl Rational {
    /// `numerator / denominator`; the denominator is not 0.
    pub(super) fn of(numerator: i128, denominator: i128) -> Rational {
        // most numbers fit in 64 bits, where division is many times faster
        if let (Ok(top), Ok(bottom)) = (i64::try_from(numerator), i64::try_from(denominator))
            && bottom > 0
        {
            let divisor = gcd_64(top.unsigned_abs(), bottom.unsigned_abs());
            // it divides a number below 2^63, so it is one
            if let Ok(divisor) = i64::try_from(divisor) {
                return Small(top / divisor, bottom / divisor);
            }
        }
        let sign = if denominator < 0 { -1 } else { 1 };
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs());
        // i128::MIN is its own absolute value only as unsigned: such numbers go the big way
        let (Ok(divisor), Some(top), Some(bottom)) = (
            i128::try_from(divisor),
            numerator.checked_mul(sign),
            denominator.checked_mul(sign),
        ) else {
            return Rational::from_big(BigRational::new(numerator.into(), denominator.into()));
        };
        let (top, bottom) = (top / divisor, bottom / divisor);
        match (i64::try_from(top), i64::try_from(bottom)) {
            (Ok(top), Ok(bottom)) => Small(top, bottom),
            _ => Big(Box::new(BigRational::new_raw(top.into(), bottom.into()))),
        }
    }

    /// From a big number in lowest terms.
    pub(super) fn from_big(big: BigRational) -> Rational {
        match (big.numer().to_i64(), big.denom().to_i64()) {
            (Some(top), Some(bottom)) => Small(top, bottom),
            _ => Big(Box::new(big)),
        }
    }

    pub(super) fn big(&self) -> BigRational {
        match self {
            Small(top, bottom) => BigRational::new_raw(BigInt::from(*top), BigInt::from(*bottom)),
            Big(big) => big.as_ref().clone(),
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        match self {
            Small(top, _) => *top == 0,
            Big(big) => big.is_zero(),
        }
    }

    pub(super) fn is_negative(&self) -> bool {
        match self {
            Small(top, _) => *top < 0,
            Big(big) => big.is_negative(),
        }
    }

    pub(super) fn neg(&self) -> Rational {
        match self {
            Small(top, bottom) => Rational::of(-i128::from(*top), i128::from(*bottom)),
            Big(big) => Rational::from_big(-big.as_ref()),
        }
    }

    pub(super) fn add(&self, other: &Rational) -> Rational {
        if let (Small(a, 1), Small(c, 1)) = (self, other)
            && let Some(sum) = a.checked_add(*c)
        {
            return Small(sum, 1);
        }
        if let (Small(a, b), Small(c, d)) = (self, other) {
            let (a, b, c, d) = (i128::from(*a), i128::from(*b), i128::from(*c), i128::from(*d));
            // each product is below 2^126 in size, so their sum fits
            let (top, bottom) = if b == d { (a + c, b) } else { (a * d + c * b, b * d) };
            return Rational::of(top, bottom);
        }
        Rational::from_big(self.big() + other.big())
    }

    pub(super) fn mul(&self, other: &Rational) -> Rational {
        if let (Small(a, 1), Small(c, 1)) = (self, other)
            && let Some(product) = a.checked_mul(*c)
        {
            return Small(product, 1);
        }
        if let (Small(a, b), Small(c, d)) = (self, other) {
            return Rational::of(i128::from(*a) * i128::from(*c), i128::from(*b) * i128::from(*d));
        }
        Rational::from_big(self.big() * other.big())
    }

    /// The other is not 0.
    pub(super) fn div(&self, other: &Rational) -> Rational {
        if let (Small(a, b), Small(c, d)) = (self, other) {
            return Rational::of(i128::from(*a) * i128::from(*d), i128::from(*b) * i128::from(*c));
        }
        Rational::from_big(self.big() / other.big())
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Rational) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Rational) -> Ordering {
        match (self, other) {
            (Small(a, b), Small(c, d)) if b == d => a.cmp(c),
            (Small(a, b), Small(c, d)) => (i128::from(*a) * i128::from(*d)).cmp(&(i128::from(*c) * i128::from(*b))),
            _ => self.big().cmp(&other.big()),
        }
    }
}

/// Greatest common divisor; of 0 and n it is n, of 0 and 0 it is 1.
fn gcd(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        // once both fit, the division of 64 bits is many times faster
        if let (Ok(x), Ok(y)) = (u64::try_from(a), u64::try_from(b)) {
            return u128::from(gcd_64(x, y));
        }
        (a, b) = (b, a % b);
    }
    a.max(1)
}

fn gcd_64(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_each_number() {
        assert_eq!(Rational::of(6, -4), Small(-3, 2));
        assert_eq!(Rational::of(0, 5), Small(0, 1));
        let edge = i128::from(i64::MAX);
        assert_eq!(Rational::of(edge, 1), Small(i64::MAX, 1));
        assert!(matches!(Rational::of(edge + 1, 1), Big(_)));
        assert!(matches!(Rational::of(i128::MIN, 3), Big(_)));
        assert_eq!(Rational::of(i128::MIN, i128::MIN), Small(1, 1));
        // it becomes small again as soon as it can be
        let big = Rational::of(edge, 1).mul(&Rational::of(4, 1));
        assert_eq!(big.div(&Rational::of(8, 1)), Rational::of(edge, 2));
    }

    #[test]
    fn small_and_big_agree() {
        let numbers = [0, 1, -1, 3, -7, 1000, i64::MAX, i64::MIN, 4_611_686_018_427_387_904];
        let rationals: Vec<Rational> = numbers
            .iter()
            .flat_map(|a| {
                numbers
                    .iter()
                    .filter(|b| **b != 0)
                    .map(|b| Rational::of((*a).into(), (*b).into()))
            })
            .collect();
        for a in &rationals {
            for b in &rationals {
                assert_eq!(a.add(b).big(), a.big() + b.big());
                assert_eq!(a.mul(b).big(), a.big() * b.big());
                assert_eq!(a.cmp(b), a.big().cmp(&b.big()));
                if !b.is_zero() {
                    assert_eq!(a.div(b).big(), a.big() / b.big());
                }
                assert_eq!(a == b, a.big() == b.big());
            }
        }
    }
}
