//! No single one may dominate: weights held to a share of their total.
//!
//! Duty: the smallest set K of the largest weights such that, each set to w = c·T with T = (sum of all others) /
//! (1 − c·|K|), none outside K exceeds w. Serves the customers of a satisfaction and the domains of a card. Not its
//! duty: deciding from how many members on the cap applies.

use crate::domain::Ratio;

/// Weights after the cap, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capped {
    pub weights: Vec<Ratio>,
    /// Whether each one was held.
    pub held: Vec<bool>,
    /// w, where one was held.
    pub limit: Option<Ratio>,
}

/// Holds each weight (none negative) to the share `cap` of the total after holding.
///
/// Where all weight lies with those that are held, the share they leave goes to the others in equal parts. With so
/// few members that the cap cannot be met, all count the same: nothing comes nearer to it.
#[must_use]
pub fn hold(weights: &[Ratio], cap: &Ratio) -> Capped {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| weights[*b].cmp(&weights[*a]).then(a.cmp(b)));
    for k in 0..=order.len() {
        let (inside, outside) = order.split_at(k);
        let room = &Ratio::one() - &(cap * &count(k));
        if !room.is_positive() || outside.is_empty() {
            break;
        }
        let others = Ratio::sum(outside.iter().map(|i| &weights[*i]));
        let limit = &(cap * &others) / &room;
        if weights[outside[0]] > limit {
            continue;
        }
        return match (k, others.is_positive()) {
            (0, _) => Capped {
                weights: weights.to_vec(),
                held: vec![false; weights.len()],
                limit: None,
            },
            (_, true) => assemble(weights, inside, &limit, None),
            (_, false) => assemble(weights, inside, cap, Some(&(&room / &count(outside.len())))),
        };
    }
    Capped {
        weights: vec![Ratio::one(); weights.len()],
        held: vec![true; weights.len()],
        limit: Some(Ratio::one()),
    }
}

fn assemble(weights: &[Ratio], inside: &[usize], limit: &Ratio, outside: Option<&Ratio>) -> Capped {
    let mut capped: Vec<Ratio> = weights.iter().map(|w| outside.unwrap_or(w).clone()).collect();
    let mut held = vec![false; weights.len()];
    for i in inside {
        capped[*i] = limit.clone();
        held[*i] = true;
    }
    Capped {
        weights: capped,
        held,
        limit: Some(limit.clone()),
    }
}

fn count(n: usize) -> Ratio {
    Ratio::int(i64::try_from(n).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::testing::{dec, shown};

    fn capped(weights: &[&str], cap: &str) -> Vec<String> {
        let weights: Vec<Ratio> = weights.iter().map(|w| dec(w)).collect();
        hold(&weights, &dec(cap)).weights.iter().map(shown).collect()
    }

    #[test]
    fn nobody_is_held_below_the_cap() {
        assert_eq!(
            capped(&["4", "3", "3"], "0.4"),
            ["4.000000000000", "3.000000000000", "3.000000000000"]
        );
    }

    #[test]
    fn one_dominant_member() {
        // others 3 + 2 = 5, T = 5 / 0.6 = 25/3, w = 0.4·25/3 = 10/3; 3 ≤ 10/3, so K = {first}
        assert_eq!(
            capped(&["20", "3", "2"], "0.4"),
            ["3.333333333333", "3.000000000000", "2.000000000000"]
        );
    }

    #[test]
    fn two_dominant_members() {
        // K = {first}: w = 0.4·(9+1)/0.6 = 6.67 < 9. K = {first, second}: T = 1/0.2 = 5, w = 2
        assert_eq!(
            capped(&["20", "9", "1"], "0.4"),
            ["2.000000000000", "2.000000000000", "1.000000000000"]
        );
        // the order of members does not matter
        assert_eq!(
            capped(&["1", "20", "9"], "0.4"),
            ["1.000000000000", "2.000000000000", "2.000000000000"]
        );
    }

    #[test]
    fn shares_left_by_weightless_others_are_equal() {
        assert_eq!(
            capped(&["10", "0", "0"], "0.5"),
            ["0.500000000000", "0.250000000000", "0.250000000000"]
        );
        assert_eq!(
            capped(&["10", "5", "0"], "0.5"),
            ["5.000000000000", "5.000000000000", "0.000000000000"]
        );
    }

    #[test]
    fn a_cap_that_cannot_be_met_makes_all_equal() {
        assert_eq!(capped(&["10", "5", "1"], "0.2"), ["1.000000000000"; 3]);
        assert_eq!(capped(&["7"], "0.5"), ["1.000000000000"]);
    }

    proptest::proptest! {
        #[test]
        fn held_weights_keep_the_share(raw in proptest::collection::vec(1i64..10_000, 3..12)) {
            let weights: Vec<Ratio> = raw.into_iter().map(Ratio::int).collect();
            let capped = hold(&weights, &dec("0.4"));
            let limit = &dec("0.4") * &Ratio::sum(&capped.weights);
            for ((before, after), held) in weights.iter().zip(&capped.weights).zip(&capped.held) {
                proptest::prop_assert!(*after <= limit);
                let right = if *held { after == &limit && before > after } else { before == after };
                proptest::prop_assert!(right);
            }
        }
    }
}
