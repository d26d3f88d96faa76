//! Exact rationals, and the one place where a number is rounded.
//!
//! Duty: arithmetic without loss between the measures and the published number; named rounding; the square root
//! of the Wilson bound to a stated number of places. Not its duty: deciding where to round (the caller names it).

use std::borrow::Cow;
use std::fmt;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::LazyLock;

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, ToPrimitive, Zero};

use super::decimal::Dec;
use super::rational::Rational;

/// How a number between two representable ones is rounded. Named at every place that rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Ties go away from zero: 0.005 → 0.01, −0.005 → −0.01. Symmetric in sign.
    HalfAwayFromZero,
    /// Ties go to the even digit: 0.005 → 0.00, 0.015 → 0.02.
    HalfEven,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
    /// Towards minus infinity.
    Floor,
    /// Towards plus infinity.
    Ceiling,
}

impl Rounding {
    /// The name used in rule files.
    #[must_use]
    pub fn parse(name: &str) -> Option<Rounding> {
        Some(match name {
            "half_away_from_zero" => Rounding::HalfAwayFromZero,
            "half_even" => Rounding::HalfEven,
            "down" => Rounding::Down,
            "up" => Rounding::Up,
            "floor" => Rounding::Floor,
            "ceiling" => Rounding::Ceiling,
            _ => return None,
        })
    }
}

/// An exact rational number of any size.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(Rational);

impl Ratio {
    #[must_use]
    pub fn zero() -> Ratio {
        Ratio(Rational::whole(0))
    }

    #[must_use]
    pub fn one() -> Ratio {
        Ratio(Rational::whole(1))
    }

    #[must_use]
    pub fn int(value: i64) -> Ratio {
        Ratio(Rational::whole(value))
    }

    /// `numerator / denominator`; `None` when the denominator is zero.
    #[must_use]
    pub fn new(numerator: i64, denominator: i64) -> Option<Ratio> {
        (denominator != 0).then(|| Ratio(Rational::of(numerator.into(), denominator.into())))
    }

    #[must_use]
    pub fn from_dec(dec: Dec) -> Ratio {
        match 10i128.checked_pow(u32::from(dec.scale())) {
            Some(bottom) => Ratio(Rational::of(dec.units(), bottom)),
            None => Ratio(Rational::from_big(BigRational::new(
                dec.units().into(),
                BigInt::from(10).pow(u32::from(dec.scale())),
            ))),
        }
    }

    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    #[must_use]
    pub fn is_positive(&self) -> bool {
        !self.0.is_negative() && !self.0.is_zero()
    }

    #[must_use]
    pub fn abs(&self) -> Ratio {
        if self.is_negative() {
            -self.clone()
        } else {
            self.clone()
        }
    }

    #[must_use]
    pub fn square(&self) -> Ratio {
        Ratio(self.0.mul(&self.0))
    }

    /// Division; `None` by zero.
    #[must_use]
    pub fn checked_div(&self, other: &Ratio) -> Option<Ratio> {
        (!other.is_zero()).then(|| Ratio(self.0.div(&other.0)))
    }

    #[must_use]
    pub fn clamp_to(&self, low: &Ratio, high: &Ratio) -> Ratio {
        self.max(low).min(high).clone()
    }

    /// The number at `scale` decimals, rounded as named; `None` when it does not fit in 128 bits.
    #[must_use]
    pub fn round(&self, scale: u8, rounding: Rounding) -> Option<Dec> {
        if let Rational::Small(top, bottom) = &self.0
            && let Some(top) = 10i128
                .checked_pow(u32::from(scale))
                .and_then(|factor| factor.checked_mul(i128::from(*top)))
        {
            let whole = match bottom.get() {
                1 => top,
                bottom => round_small(top, i128::from(bottom), rounding),
            };
            return Some(Dec::new(whole, scale));
        }
        // not brought to lowest terms: what is rounded need not be
        let (top, bottom) = self.0.parts();
        round_to_int(&(top.as_ref() * power_of_ten(scale.into()).as_ref()), &bottom, rounding)
            .to_i128()
            .map(|units| Dec::new(units, scale))
    }

    /// √self, rounded half away from zero to `scale` decimals; `None` for a negative number or one out of range.
    #[must_use]
    pub fn sqrt(&self, scale: u8) -> Option<Ratio> {
        if self.is_negative() {
            return None;
        }
        // floor(√(x·10^(2s+2))) keeps one guard digit; what lies beyond it can only matter at a tie, and a guard
        // digit of exactly 5 with a remainder is above the tie, which half-away rounds up as well.
        let (top, bottom) = self.0.parts();
        let scaled = (top.as_ref() * power_of_ten(2 * usize::from(scale) + 2).as_ref()).div_floor(&bottom);
        let rounded = (scaled.sqrt() + BigInt::from(5)).div_floor(&BigInt::from(10));
        Some(Ratio(Rational::step(rounded, power_of_ten(scale.into()).into_owned())))
    }

    #[must_use]
    pub fn sum<'a>(items: impl IntoIterator<Item = &'a Ratio>) -> Ratio {
        items.into_iter().fold(Ratio::zero(), |a, b| &a + b)
    }
}

/// Those that roundings and roots ask for again and again are computed once.
fn power_of_ten(exponent: usize) -> Cow<'static, BigInt> {
    static POWERS: LazyLock<Vec<BigInt>> = LazyLock::new(|| (0..80u32).map(|n| BigInt::from(10).pow(n)).collect());
    match POWERS.get(exponent) {
        Some(power) => Cow::Borrowed(power),
        None => Cow::Owned(BigInt::from(10).pow(exponent)),
    }
}

/// `top / bottom` as a whole number; `bottom` is above 0 and below 2^63, so that twice a remainder fits.
fn round_small(top: i128, bottom: i128, rounding: Rounding) -> i128 {
    // one division: of 128 bits it is the dearest step of all
    let towards_zero = top / bottom;
    let rest = top - towards_zero * bottom;
    let (floor, remainder) = if rest < 0 {
        (towards_zero - 1, rest + bottom)
    } else {
        (towards_zero, rest)
    };
    if remainder == 0 {
        return floor;
    }
    let half = (2 * remainder).cmp(&bottom);
    let up = match rounding {
        Rounding::Floor => false,
        Rounding::Ceiling => true,
        Rounding::Down => top < 0,
        Rounding::Up => top >= 0,
        Rounding::HalfAwayFromZero => half.is_gt() || (half.is_eq() && top >= 0),
        Rounding::HalfEven => half.is_gt() || (half.is_eq() && floor % 2 != 0),
    };
    floor + i128::from(up)
}

/// `top / bottom` as a whole number; `bottom` is above 0.
fn round_to_int(top: &BigInt, bottom: &BigInt, rounding: Rounding) -> BigInt {
    let (floor, remainder) = top.div_mod_floor(bottom);
    if remainder.is_zero() {
        return floor;
    }
    let twice = &remainder * BigInt::from(2);
    let up = match rounding {
        Rounding::Floor => false,
        Rounding::Ceiling => true,
        Rounding::Down => top.is_negative(),
        Rounding::Up => !top.is_negative(),
        Rounding::HalfAwayFromZero => match twice.cmp(bottom) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => !top.is_negative(),
        },
        Rounding::HalfEven => match twice.cmp(bottom) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => floor.is_odd(),
        },
    };
    if up { floor + BigInt::one() } else { floor }
}

macro_rules! ops {
    ($($trait:ident $method:ident |$a:ident, $b:ident| $result:expr),* $(,)?) => {$(
        impl $trait<&Ratio> for &Ratio {
            type Output = Ratio;
            fn $method(self, other: &Ratio) -> Ratio { let ($a, $b) = (&self.0, &other.0); Ratio($result) }
        }
        impl $trait<Ratio> for Ratio {
            type Output = Ratio;
            fn $method(self, other: Ratio) -> Ratio { (&self).$method(&other) }
        }
        impl $trait<&Ratio> for Ratio {
            type Output = Ratio;
            fn $method(self, other: &Ratio) -> Ratio { (&self).$method(other) }
        }
        impl $trait<Ratio> for &Ratio {
            type Output = Ratio;
            fn $method(self, other: Ratio) -> Ratio { self.$method(&other) }
        }
    )*};
}
ops!(
    Add add |a, b| a.add(b),
    Sub sub |a, b| a.add(&b.neg()),
    Mul mul |a, b| a.mul(b),
    Div div |a, b| a.div(b),
);

impl Neg for Ratio {
    type Output = Ratio;
    fn neg(self) -> Ratio {
        Ratio(self.0.neg())
    }
}

impl From<Dec> for Ratio {
    fn from(dec: Dec) -> Ratio {
        Ratio::from_dec(dec)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.big().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    #[test]
    fn rounding_at_ties_in_both_signs() {
        let cases = [
            ("0.005", ["0.01", "0.00", "0.00", "0.01", "0.00", "0.01"]),
            ("0.015", ["0.02", "0.02", "0.01", "0.02", "0.01", "0.02"]),
            ("-0.005", ["-0.01", "0.00", "0.00", "-0.01", "-0.01", "0.00"]),
            ("-0.015", ["-0.02", "-0.02", "-0.01", "-0.02", "-0.02", "-0.01"]),
            ("89.995", ["90.00", "90.00", "89.99", "90.00", "89.99", "90.00"]),
            ("2.00", ["2.00", "2.00", "2.00", "2.00", "2.00", "2.00"]),
        ];
        let modes = [
            Rounding::HalfAwayFromZero,
            Rounding::HalfEven,
            Rounding::Down,
            Rounding::Up,
            Rounding::Floor,
            Rounding::Ceiling,
        ];
        for (value, expected) in cases {
            for (mode, want) in modes.into_iter().zip(expected) {
                assert_eq!(
                    dec(value).ratio().round(2, mode).unwrap().to_string(),
                    want,
                    "{value} {mode:?}"
                );
            }
        }
    }

    #[test]
    fn roots() {
        assert_eq!(
            Ratio::int(2)
                .sqrt(12)
                .unwrap()
                .round(12, Rounding::Down)
                .unwrap()
                .to_string(),
            "1.414213562373"
        );
        assert_eq!(Ratio::int(144).sqrt(12).unwrap(), Ratio::int(12));
        assert_eq!(Ratio::int(-1).sqrt(2), None);
    }

    #[test]
    fn division_by_zero_is_none() {
        assert_eq!(Ratio::one().checked_div(&Ratio::zero()), None);
        assert_eq!(Ratio::new(1, 0), None);
    }
}
