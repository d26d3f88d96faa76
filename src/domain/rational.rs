//! A rational number that is small as long as it can be.
//!
//! Duty: two 64-bit integers in lowest terms where they hold the number, else big ones; its arithmetic and its order.
//! Not its duty: rounding, and anything with a unit (`ratio`).
//!
//! Big numbers are brought to lowest terms only when they have grown long: common divisors cost more than everything else
//! that is done with them, and most are rounded after a few steps. So one number can have several big forms; equality and
//! order are those of the value.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::num::NonZero;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

#[derive(Clone, Debug)]
pub(super) enum Rational {
    /// In lowest terms; the denominator is above 0 (not being 0, it leaves room to tell the two forms apart).
    Small(i64, NonZero<i64>),
    Big(Box<Fraction>),
}

use Rational::{Big, Small};

/// The bottom is above 0; perhaps not in lowest terms.
#[derive(Clone, Debug)]
pub(super) struct Fraction {
    top: BigInt,
    bottom: BigInt,
}

/// A denominator that is longer is brought to lowest terms.
const LONG_BITS: u64 = 8192;

const ONE: NonZero<i64> = match NonZero::new(1) {
    Some(one) => one,
    None => unreachable!(),
};

impl Rational {
    pub(super) const fn whole(value: i64) -> Rational {
        Small(value, ONE)
    }

    /// `numerator / denominator`; the denominator is not 0.
    pub(super) fn of(numerator: i128, denominator: i128) -> Rational {
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs());
        let sign = if denominator < 0 { -1 } else { 1 };
        // i128::MIN is its own absolute value only as unsigned: such numbers go the big way
        match (
            i128::try_from(divisor),
            numerator.checked_mul(sign),
            denominator.checked_mul(sign),
        ) {
            (Ok(1), Some(top), Some(bottom)) => Rational::lowest(top, bottom),
            (Ok(divisor), Some(top), Some(bottom)) => Rational::lowest(top / divisor, bottom / divisor),
            _ => Rational::from_big(BigRational::new(numerator.into(), denominator.into())),
        }
    }

    /// From lowest terms, the bottom above 0.
    fn lowest(top: i128, bottom: i128) -> Rational {
        match (i64::try_from(top), i64::try_from(bottom).ok().and_then(NonZero::new)) {
            (Ok(top), Some(bottom)) => Small(top, bottom),
            _ => Rational::fraction(top.into(), bottom.into()),
        }
    }

    /// From a big number in lowest terms.
    pub(super) fn from_big(big: BigRational) -> Rational {
        match (big.numer().to_i64(), big.denom().to_i64().and_then(NonZero::new)) {
            (Some(top), Some(bottom)) => Small(top, bottom),
            _ => {
                let (top, bottom) = big.into_raw();
                Rational::fraction(top, bottom)
            }
        }
    }

    fn fraction(top: BigInt, bottom: BigInt) -> Rational {
        Big(Box::new(Fraction { top, bottom }))
    }

    /// From the result of a step of arithmetic, the bottom above 0.
    pub(super) fn step(top: BigInt, bottom: BigInt) -> Rational {
        if top.is_zero() {
            Rational::whole(0)
        } else if bottom.bits() > LONG_BITS {
            Rational::from_big(BigRational::new(top, bottom))
        } else {
            Rational::fraction(top, bottom)
        }
    }

    /// Top and bottom.
    pub(super) fn parts(&self) -> (Cow<'_, BigInt>, Cow<'_, BigInt>) {
        match self {
            Small(top, bottom) => (Cow::Owned(BigInt::from(*top)), Cow::Owned(BigInt::from(bottom.get()))),
            Big(fraction) => (Cow::Borrowed(&fraction.top), Cow::Borrowed(&fraction.bottom)),
        }
    }

    /// In lowest terms.
    pub(super) fn big(&self) -> BigRational {
        let (top, bottom) = self.parts();
        BigRational::new(top.into_owned(), bottom.into_owned())
    }

    pub(super) fn is_zero(&self) -> bool {
        match self {
            Small(top, _) => *top == 0,
            Big(fraction) => fraction.top.is_zero(),
        }
    }

    pub(super) fn is_negative(&self) -> bool {
        match self {
            Small(top, _) => *top < 0,
            Big(fraction) => fraction.top.is_negative(),
        }
    }

    pub(super) fn neg(&self) -> Rational {
        match self {
            Small(top, bottom) => Rational::lowest(-i128::from(*top), bottom.get().into()),
            Big(fraction) => Rational::fraction(-&fraction.top, fraction.bottom.clone()),
        }
    }

    pub(super) fn add(&self, other: &Rational) -> Rational {
        match (self, other) {
            (Small(a, b), Small(c, d)) => add_small((*a, b.get()), (*c, d.get())),
            _ if self.is_zero() => other.clone(),
            _ if other.is_zero() => self.clone(),
            (Small(a, b), Big(big)) | (Big(big), Small(a, b)) => {
                let top = &big.top * b.get() + &big.bottom * *a;
                Rational::step(top, &big.bottom * b.get())
            }
            (Big(x), Big(y)) if x.bottom == y.bottom => Rational::step(&x.top + &y.top, x.bottom.clone()),
            (Big(x), Big(y)) => Rational::step(&x.top * &y.bottom + &y.top * &x.bottom, &x.bottom * &y.bottom),
        }
    }

    pub(super) fn mul(&self, other: &Rational) -> Rational {
        match (self, other) {
            (Small(a, b), Small(c, d)) => mul_small((*a, b.get()), (*c, d.get())),
            (Small(a, b), Big(big)) | (Big(big), Small(a, b)) => Rational::step(&big.top * *a, &big.bottom * b.get()),
            (Big(x), Big(y)) => Rational::step(&x.top * &y.top, &x.bottom * &y.bottom),
        }
    }

    /// The other is not 0.
    pub(super) fn div(&self, other: &Rational) -> Rational {
        if let (Small(a, b), Small(c, d)) = (self, other) {
            let (b, c, d) = (b.get(), *c, d.get());
            return match (c > 0, c.checked_neg()) {
                (true, _) => mul_small((*a, b), (d, c)),
                (false, Some(c)) => mul_small((*a, b), (-d, c)),
                (false, None) => Rational::of(i128::from(*a) * i128::from(d), i128::from(b) * i128::from(c)),
            };
        }
        let ((a, b), (c, d)) = (self.parts(), other.parts());
        let (top, bottom) = (a.as_ref() * d.as_ref(), b.as_ref() * c.as_ref());
        if bottom.is_negative() {
            Rational::step(-top, -bottom)
        } else {
            Rational::step(top, bottom)
        }
    }
}

/// a/b + c/d, both in lowest terms.
fn add_small((a, b): (i64, i64), (c, d): (i64, i64)) -> Rational {
    let wide = |x: i64, y: i64| i128::from(x) * i128::from(y);
    if b == d {
        let top = i128::from(a) + i128::from(c);
        return if b == 1 {
            Rational::lowest(top, 1)
        } else {
            Rational::of(top, b.into())
        };
    }
    // only what both bottoms share can divide the sum (Knuth, 4.5.1); each product is below 2^126 in size
    let shared = divisor(b, d);
    let (rest, top) = (b / shared, wide(a, d / shared) + wide(c, b / shared));
    if shared == 1 {
        return Rational::lowest(top, wide(b, d));
    }
    let common = match i64::try_from(top) {
        Ok(top) => divisor(top, shared),
        Err(_) => divisor(i64::try_from(top % i128::from(shared)).unwrap_or(0), shared),
    };
    let top = if common == 1 { top } else { top / i128::from(common) };
    Rational::lowest(top, wide(rest, d / common))
}

/// a/b · c/d, both in lowest terms.
fn mul_small((a, b): (i64, i64), (c, d): (i64, i64)) -> Rational {
    if a == 0 || c == 0 {
        return Rational::whole(0);
    }
    let (across, back) = (divisor(a, d), divisor(c, b));
    let wide = |x: i64, y: i64| i128::from(x) * i128::from(y);
    Rational::lowest(wide(a / across, c / back), wide(b / back, d / across))
}

/// The greatest common divisor of a number and one above 0.
fn divisor(a: i64, above_zero: i64) -> i64 {
    if above_zero == 1 {
        return 1;
    }
    // it divides a number below 2^63, so it is one
    i64::try_from(gcd_64(a.unsigned_abs(), above_zero.unsigned_abs())).unwrap_or(1)
}

impl PartialEq for Rational {
    fn eq(&self, other: &Rational) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Rational {}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Rational) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Rational) -> Ordering {
        match (self, other) {
            (Small(a, b), Small(c, d)) if b == d => a.cmp(c),
            (Small(a, b), Small(c, d)) => {
                (i128::from(*a) * i128::from(d.get())).cmp(&(i128::from(*c) * i128::from(b.get())))
            }
            _ => {
                let ((a, b), (c, d)) = (self.parts(), other.parts());
                (a.as_ref() * d.as_ref()).cmp(&(c.as_ref() * b.as_ref()))
            }
        }
    }
}

/// Greatest common divisor; of 0 and n it is n, of 0 and 0 it is 1.
fn gcd(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        // once both fit, 64 bits are many times faster
        if let (Ok(x), Ok(y)) = (u64::try_from(a), u64::try_from(b)) {
            return u128::from(gcd_64(x, y));
        }
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// As [`gcd`]: one division, then Stein's shifts and subtractions.
fn gcd_64(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a.max(b), a.min(b));
    if b == 0 {
        return a.max(1);
    }
    a %= b;
    if a == 0 {
        return b;
    }
    let twos = (a | b).trailing_zeros();
    a >>= a.trailing_zeros();
    while b != 0 {
        b >>= b.trailing_zeros();
        (a, b) = (a.min(b), a.abs_diff(b));
    }
    a << twos
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(top: i64, bottom: i64) -> Rational {
        Small(top, NonZero::new(bottom).unwrap())
    }

    fn is_small(rational: &Rational) -> bool {
        matches!(rational, Small(..))
    }

    #[test]
    fn what_fits_is_small() {
        assert!(is_small(&Rational::of(6, -4)) && is_small(&Rational::of(i128::MIN, i128::MIN)));
        assert_eq!(Rational::of(6, -4), small(-3, 2));
        assert_eq!(Rational::of(0, 5), small(0, 1));
        let edge = i128::from(i64::MAX);
        assert_eq!(Rational::of(edge, 1), small(i64::MAX, 1));
        assert!(matches!(Rational::of(edge + 1, 1), Big(_)));
        assert!(matches!(Rational::of(i128::MIN, 3), Big(_)));
        assert_eq!(Rational::of(i128::MIN, i128::MIN), small(1, 1));
        // a long way to a short number
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
