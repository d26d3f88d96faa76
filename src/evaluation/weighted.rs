//! Weighted sums: the one form in which answers and inspections are added up.
//!
//! Duty: Σw, Σw·x, Σw² and n, their mean and their effective number. Not its duty: knowing what a weight stands for.

use std::collections::BTreeMap;

use crate::domain::Ratio;

/// Sums over observations x of weight w. Counts were checked when they were read, so that n cannot overflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighted {
    /// Observations of weight above 0.
    pub n: i64,
    /// Σw.
    pub weight: Ratio,
    /// Σw·x.
    pub total: Ratio,
    /// Σw².
    pub squares: Ratio,
}

impl Default for Weighted {
    fn default() -> Weighted {
        Weighted {
            n: 0,
            weight: Ratio::zero(),
            total: Ratio::zero(),
            squares: Ratio::zero(),
        }
    }
}

impl Weighted {
    pub fn add(&mut self, other: &Weighted) {
        self.n = self.n.saturating_add(other.n);
        self.weight = &self.weight + &other.weight;
        self.total = &self.total + &other.total;
        self.squares = &self.squares + &other.squares;
    }

    /// The sums without a part of them.
    #[must_use]
    pub fn without(&self, part: &Weighted) -> Weighted {
        Weighted {
            n: self.n.saturating_sub(part.n),
            weight: &self.weight - &part.weight,
            total: &self.total - &part.total,
            squares: &self.squares - &part.squares,
        }
    }

    /// The sums with every weight multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: &Ratio) -> Weighted {
        if *factor == Ratio::one() {
            return self.clone();
        }
        Weighted {
            n: self.n,
            weight: &self.weight * factor,
            total: &self.total * factor,
            squares: &self.squares * &factor.square(),
        }
    }

    /// Σw·x / Σw; `None` without weight.
    #[must_use]
    pub fn mean(&self) -> Option<Ratio> {
        self.total.checked_div(&self.weight)
    }

    /// n_eff = (Σw)² / Σw²; `None` without weight.
    #[must_use]
    pub fn effective(&self) -> Option<Ratio> {
        self.weight.square().checked_div(&self.squares)
    }

    #[must_use]
    pub fn sum<'a>(parts: impl IntoIterator<Item = &'a Weighted>) -> Weighted {
        parts.into_iter().fold(Weighted::default(), |mut sum, part| {
            sum.add(part);
            sum
        })
    }
}

/// The weight of a name. There are few, and most differ in length: one after the other finds it sooner than their order.
#[must_use]
pub fn named<'a>(weights: &'a BTreeMap<String, Ratio>, name: &str) -> Option<&'a Ratio> {
    weights
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, weight)| weight)
}

/// (n_eff·mean + m·prior) / (n_eff + m): what was seen, drawn towards the peers by m observations.
#[must_use]
pub fn shrink(mean: &Ratio, n_eff: &Ratio, prior: &Ratio, strength: &Ratio) -> Option<Ratio> {
    (&(n_eff * mean) + &(strength * prior)).checked_div(&(n_eff + strength))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::testing::{dec, shown};

    fn single(weight: &str, x: &str) -> Weighted {
        let (weight, x) = (dec(weight), dec(x));
        Weighted {
            n: 1,
            total: &weight * &x,
            squares: weight.square(),
            weight,
        }
    }

    #[test]
    fn weighted_means() {
        // (3·80 + 1·90) / 4 = 330/4; (20·50 + 10·100) / 30 = 2000/30 = 66.66…
        let mean = |parts: &[Weighted]| shown(&Weighted::sum(parts).mean().unwrap());
        assert_eq!(mean(&[single("3", "80"), single("1", "90")]), "82.500000000000");
        assert_eq!(mean(&[single("20", "50"), single("10", "100")]), "66.666666666667");
        // price level 2, price history 1: shares 2/3 and 1/3
        assert_eq!(mean(&[single("2", "1"), single("1", "0")]), "0.666666666667");
        assert_eq!(Weighted::default().mean(), None);
    }

    #[test]
    fn effective_number() {
        // equal weights: n; weights 2, 1, 1: 16 / 6
        let n_eff = |parts: &[Weighted]| Weighted::sum(parts).effective().unwrap();
        assert_eq!(n_eff(&[single("2", "1"), single("2", "0"), single("2", "1")]), dec("3"));
        assert_eq!(
            shown(&n_eff(&[single("2", "1"), single("1", "0"), single("1", "1")])),
            "2.666666666667"
        );
    }

    #[test]
    fn shrinkage() {
        // 5 of 5 with 20 at 0.85: (5 + 17) / 25; 90 of 100: (90 + 17) / 120
        let shrunk = |mean, n| shown(&shrink(&dec(mean), &dec(n), &dec("0.85"), &dec("20")).unwrap());
        assert_eq!(shrunk("1", "5"), "0.880000000000");
        assert_eq!(shrunk("0.9", "100"), "0.891666666667");
    }
}
