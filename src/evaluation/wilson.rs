//! The Wilson score interval of a share.
//!
//! Duty: (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n) with z = 1.959964, to 12 places. Not its duty: which p
//! and n; they are the weighted share and the effective number of answers.

use crate::domain::{Dec, Ratio, Rounding};

/// 97.5 % point of the normal distribution, as published.
const Z: (i128, u8) = (1_959_964, 6);
/// Places of the root: enough that the bound's 12 are those of the exact bound.
const ROOT_PLACES: u8 = 30;
const PLACES: u8 = 12;

/// Lower and upper bound; `None` when n is not positive or p lies outside 0…1.
#[must_use]
pub fn interval(p: &Ratio, n: &Ratio) -> Option<(Ratio, Ratio)> {
    if !n.is_positive() || p.is_negative() || *p > Ratio::one() {
        return None;
    }
    let np = n * p;
    let spread = &np - &(&np * p);
    let (low, high) = enclosed(n, &np, &spread).or_else(|| by_a_long_root(n, &np, &spread))?;
    Some((low.ratio(), high.ratio()))
}

/// The formula with top and bottom multiplied by n, (np + z²/2 ± z·√(np(1 − p) + z²/4)) / (n + z²), with a root of many
/// places.
fn by_a_long_root(n: &Ratio, np: &Ratio, spread: &Ratio) -> Option<(Dec, Dec)> {
    let z = Dec::new(Z.0, Z.1).ratio();
    let half = &z / &Ratio::int(2);
    let root = (spread + &half.square()).sqrt(ROOT_PLACES)?;
    let (centre, spread) = (np + &(&z * &half), &z * &root);
    let scale = n + &z.square();
    let bound = |value: Ratio| value.checked_div(&scale)?.round(PLACES, Rounding::HalfAwayFromZero);
    Some((bound(&centre - &spread)?, bound(&centre + &spread)?))
}

/// The same with whole numbers of 10^-18: each quantity is known to lie between two neighbours, so the bound lies between
/// two numbers. Where both round to the same 12 places, those are the bound's. `None` where they do not, which is seldom, or
/// where a number does not fit: then the long root is needed.
fn enclosed(n: &Ratio, np: &Ratio, spread: &Ratio) -> Option<(Dec, Dec)> {
    const UNIT: i128 = 1_000_000_000_000_000_000;
    // of 10^-12 to 10^-18
    let z_squared = Z.0 * Z.0 * 1_000_000;
    let floor = |value: &Ratio| Some(value.round(18, Rounding::Floor)?.units());
    // each at most 1 below the exact value
    let centre = floor(np)? + z_squared / 2;
    let under_root = floor(spread)? + z_squared / 4;
    let scale = floor(n)? + z_squared;
    // under the root is more than 0.96, so 1 more there is less than 0.6 here: less than 2 below with the root's own 1
    let root = i128::try_from(u128::try_from(under_root.checked_mul(UNIT)?).ok()?.isqrt()).ok()?;
    // z·2 + 1: less than 5 below
    let spread = root.checked_mul(Z.0)? / 1_000_000;
    let bound = |least: i128, most: i128| {
        let rounded = half_up(least, scale + 1)?;
        (rounded == half_up(most, scale)?).then(|| Dec::new(rounded, PLACES))
    };
    Some((
        bound(centre - spread - 5, centre + 1 - spread)?,
        bound(centre + spread, centre + 1 + spread + 5)?,
    ))
}

/// top / bottom in units of 10^-12; `None` where that is below 0, or does not fit.
fn half_up(top: i128, bottom: i128) -> Option<i128> {
    let twice = top.checked_mul(2_000_000_000_000)?.checked_add(bottom)?;
    (twice >= 0).then(|| twice / (2 * bottom))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::testing::{dec, shown};

    #[test]
    fn published_figures() {
        // x of n; bounds to 6 places as they stand in tables of the interval
        let cases = [
            (4, 5, "0.375535", "0.963776"),
            (2, 2, "0.342380", "1.000000"),
            (100, 101, "0.946033", "0.998250"),
            (9, 10, "0.595850", "0.982124"),
            (27, 30, "0.743789", "0.965400"),
            (45, 50, "0.786398", "0.956524"),
        ];
        for (x, n, low, high) in cases {
            let (l, h) = interval(&Ratio::new(x, n).unwrap(), &Ratio::int(n)).unwrap();
            let six = |r: &Ratio| r.round(6, Rounding::HalfAwayFromZero).unwrap().to_string();
            assert_eq!((six(&l).as_str(), six(&h).as_str()), (low, high), "{x} of {n}");
        }
    }

    #[test]
    fn twelve_places() {
        // z² = 3.841458881296; n = 5, p = 0.8: z²/n = 0.7682917762592
        // centre 0.8 + 0.3841458881296 = 1.1841458881296; root √(0.032 + 0.0384145888…) = 0.265357473633…
        let (low, high) = interval(&dec("0.8"), &dec("5")).unwrap();
        assert_eq!(
            (shown(&low).as_str(), shown(&high).as_str()),
            ("0.375534627030", "0.963775891774")
        );
    }

    #[test]
    fn all_and_none_reach_the_ends_exactly() {
        assert_eq!(interval(&Ratio::one(), &dec("7")).unwrap().1, Ratio::one());
        assert_eq!(interval(&Ratio::zero(), &dec("7")).unwrap().0, Ratio::zero());
        assert_eq!(interval(&dec("0.5"), &Ratio::zero()), None);
    }

    #[test]
    fn whole_numbers_and_the_long_root_agree() {
        let mut enclosed_ones = 0;
        for n in 1..60i64 {
            for parts in 1..8i64 {
                for good in 0..=n * parts {
                    let (n, p) = (Ratio::new(n * 7, parts).unwrap(), Ratio::new(good, n * parts).unwrap());
                    let np = &n * &p;
                    let spread = &np - &(&np * &p);
                    let exact = by_a_long_root(&n, &np, &spread).unwrap();
                    let quick = enclosed(&n, &np, &spread);
                    assert!(quick.is_none_or(|quick| quick == exact), "{p} of {n}");
                    enclosed_ones += i64::from(quick.is_some());
                }
            }
        }
        assert!(enclosed_ones > 40_000, "{enclosed_ones}");
    }
}
