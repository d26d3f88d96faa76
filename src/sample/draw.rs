//! Random numbers by counter: the same key gives the same numbers on every machine.
//!
//! Duty: SplitMix64 over a key of seed, topic and counters, so that any row can be made without the rows before it.
//! Not its duty: floats, global state, secrecy.

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// A short stream of draws for one row.
#[derive(Clone, Debug)]
pub(super) struct Draw(u64);

impl Draw {
    /// The stream of a key: seed, topic and up to three counters.
    pub(super) fn new(seed: u64, topic: Topic, counters: [u64; 3]) -> Draw {
        let mut state = mix(seed ^ GAMMA).wrapping_add(mix(topic as u64 + 1));
        for counter in counters {
            state = mix(state ^ counter.wrapping_mul(GAMMA));
        }
        Draw(state)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A number from 0 to `n` − 1; 0 when `n` is 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        // the high half of the product is spread evenly enough for any n that a sample uses
        u64::try_from((u128::from(self.next()) * u128::from(n)) >> 64).unwrap_or(0)
    }

    /// A number of days, items or points from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low + 1).unwrap_or(1);
        low + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// True in `permille` of a thousand cases.
    pub(super) fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    pub(super) fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.index(words.len())]
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }
}

/// The `k`-th of many rolls from 0 to 999 that fall evenly: a share of a few rows comes out close to what it should be.
pub(super) fn even_roll(seed: u64, topic: Topic, counters: [u64; 2], k: u64) -> u64 {
    let start = Draw::new(seed, topic, [counters[0], counters[1], u64::MAX]).below(1000);
    // steps near the golden section, without a common divisor with 1000
    (start + k % 1000 * 617) % 1000
}

/// What a stream is for; each topic has its own numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Topic {
    Partner,
    Contact,
    Engineer,
    Rate,
    Target,
    Customer,
    Delivery,
    Survey,
    Inspection,
    Part,
    Event,
    Enablement,
    Support,
    Sale,
    Return,
    Payment,
    Claim,
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_always_gives_the_same_numbers() {
        let numbers = |seed, row| {
            let mut draw = Draw::new(seed, Topic::Sale, [1, 2, row]);
            [draw.next(), draw.next()]
        };
        assert_eq!(numbers(1, 1), numbers(1, 1));
        assert_ne!(numbers(1, 1), numbers(2, 1));
        assert_ne!(numbers(1, 1), numbers(1, 2));
    }

    #[test]
    fn draws_stay_in_their_range_and_reach_its_ends() {
        let mut draw = Draw::new(7, Topic::Part, [0; 3]);
        let drawn: Vec<i64> = (0..500).map(|_| draw.between(-2, 3)).collect();
        assert!(drawn.iter().all(|n| (-2..=3).contains(n)) && drawn.contains(&-2) && drawn.contains(&3));
        assert_eq!(draw.below(0), 0);
        let hits = (0..10_000).filter(|_| draw.chance(250)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
    }

    #[test]
    fn even_rolls_keep_shares_in_few_rows() {
        for start in 0..50 {
            let hits = (0..10)
                .filter(|k| even_roll(start, Topic::Part, [3, 1], *k) < 300)
                .count();
            assert!((2..=4).contains(&hits), "{hits} of 10 for three tenths");
        }
    }
}
