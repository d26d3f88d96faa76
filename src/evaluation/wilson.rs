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
    // the formula with top and bottom multiplied by n: (np + z²/2 ± z·√(np(1 − p) + z²/4)) / (n + z²)
    let z = Dec::new(Z.0, Z.1).ratio();
    let half = &z / &Ratio::int(2);
    let np = n * p;
    let root = (&(&np - &(&np * p)) + &half.square()).sqrt(ROOT_PLACES)?;
    let (centre, spread) = (&np + &(&z * &half), &z * &root);
    let scale = n + &z.square();
    let bound = |value: Ratio| {
        let rounded = value.checked_div(&scale)?.round(PLACES, Rounding::HalfAwayFromZero);
        rounded.map(Dec::ratio)
    };
    Some((bound(&centre - &spread)?, bound(&centre + &spread)?))
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
}
