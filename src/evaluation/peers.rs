//! What the others achieved: the group that a small sample is drawn towards.
//!
//! Duty: sums by region and by region × domain over the look-back, without the partner's own in any domain; the
//! domain's group if it is large enough, else the region's, else a default. Not its duty: weights.

use std::collections::BTreeMap;

use super::weighted::Weighted;
use crate::domain::Ratio;
use crate::domain::ids::{DomainId, PartnerId, RegionId};

/// Which group the value is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerBasis {
    Domain,
    Region,
    Default,
}

impl PeerBasis {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PeerBasis::Domain => "domain",
            PeerBasis::Region => "region",
            PeerBasis::Default => "default",
        }
    }
}

/// The value of the peers, and how it was come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peers {
    pub value: Ratio,
    pub basis: PeerBasis,
    /// Observations of others in the same region and domain, and in the same region.
    pub n_domain: i64,
    pub n_region: i64,
    /// Observations that a group needs.
    pub minimum: i64,
}

/// Sums over the look-back of one period, uncapped.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    all: Sums,
    own: BTreeMap<PartnerId, Sums>,
}

/// Sums by region, and by region and domain.
#[derive(Clone, Debug, Default)]
pub struct Sums(BTreeMap<RegionId, (Weighted, BTreeMap<DomainId, Weighted>)>);

impl Sums {
    pub fn add(&mut self, region: &RegionId, domain: &DomainId, sums: &Weighted) {
        let (of_region, domains) = at(&mut self.0, region);
        of_region.add(sums);
        at(domains, domain).add(sums);
    }

    fn add_all(&mut self, other: &Sums) {
        for (region, (sums, domains)) in &other.0 {
            let (of_region, of_domains) = at(&mut self.0, region);
            of_region.add(sums);
            for (domain, sums) in domains {
                at(of_domains, domain).add(sums);
            }
        }
    }

    fn of(&self, region: &RegionId, domain: &DomainId) -> (Option<&Weighted>, Option<&Weighted>) {
        let found = self.0.get(region);
        (
            found.and_then(|(_, domains)| domains.get(domain)),
            found.map(|(sums, _)| sums),
        )
    }
}

/// The value of a key, which is copied only where it is new.
fn at<'a, K: Ord + Clone, V: Default>(map: &'a mut BTreeMap<K, V>, key: &K) -> &'a mut V {
    if !map.contains_key(key) {
        map.insert(key.clone(), V::default());
    }
    map.get_mut(key).expect("a key that is there")
}

impl Pool {
    /// The pool of the partners' own sums.
    #[must_use]
    pub fn of(own: BTreeMap<PartnerId, Sums>) -> Pool {
        let mut all = Sums::default();
        own.values().for_each(|sums| all.add_all(sums));
        Pool { all, own }
    }

    /// The peers of a partner in a region and domain.
    #[must_use]
    pub fn peers(
        &self,
        partner: &PartnerId,
        region: &RegionId,
        domain: &DomainId,
        minimum: i64,
        default: &Ratio,
    ) -> Peers {
        let (all_domain, all_region) = self.all.of(region, domain);
        let own = self.own.get(partner).map(|own| own.of(region, domain));
        let (own_domain, own_region) = own.unwrap_or_default();
        let (of_domain, of_region) = (others(all_domain, own_domain), others(all_region, own_region));
        let enough = |sums: &Weighted| if sums.n >= minimum { sums.mean() } else { None };
        let (value, basis) = match (enough(&of_domain), enough(&of_region)) {
            (Some(value), _) => (value, PeerBasis::Domain),
            (None, Some(value)) => (value, PeerBasis::Region),
            (None, None) => (default.clone(), PeerBasis::Default),
        };
        Peers {
            value,
            basis,
            n_domain: of_domain.n,
            n_region: of_region.n,
            minimum,
        }
    }
}

fn others(all: Option<&Weighted>, own: Option<&Weighted>) -> Weighted {
    let all = all.cloned().unwrap_or_default();
    own.map_or(all.clone(), |own| all.without(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::testing::{dec, domain, partner, region};

    fn sums(n: i64, mean: &str) -> Weighted {
        let weight = Ratio::int(n);
        Weighted {
            n,
            total: &weight * &dec(mean),
            squares: weight.clone(),
            weight,
        }
    }

    fn pool(rows: &[(&str, &str, &str, i64, &str)]) -> Pool {
        let mut own: BTreeMap<PartnerId, Sums> = BTreeMap::new();
        for (p, r, d, n, mean) in rows {
            own.entry(partner(p))
                .or_default()
                .add(&region(r), &domain(d), &sums(*n, mean));
        }
        Pool::of(own)
    }

    fn peers(pool: &Pool, p: &str) -> (Ratio, PeerBasis, i64, i64) {
        let peers = pool.peers(&partner(p), &region("emea"), &domain("cloud"), 30, &dec("0.85"));
        (peers.value, peers.basis, peers.n_domain, peers.n_region)
    }

    #[test]
    fn the_domain_needs_thirty_of_others() {
        let thirty = pool(&[("P1", "emea", "cloud", 50, "1"), ("P2", "emea", "cloud", 30, "0.8")]);
        assert_eq!(peers(&thirty, "P1"), (dec("0.8"), PeerBasis::Domain, 30, 30));
        let fewer = pool(&[("P1", "emea", "cloud", 50, "1"), ("P2", "emea", "cloud", 29, "0.8")]);
        assert_eq!(peers(&fewer, "P1"), (dec("0.85"), PeerBasis::Default, 29, 29));
    }

    #[test]
    fn the_region_is_next_and_leaves_out_own_answers_in_any_domain() {
        let pool = pool(&[
            ("P1", "emea", "cloud", 5, "1"),
            ("P1", "emea", "ups", 500, "1"),
            ("P2", "emea", "cloud", 10, "0.8"),
            ("P2", "emea", "ups", 30, "0.6"),
            ("P3", "apac", "cloud", 900, "0.1"),
        ]);
        // (10·0.8 + 30·0.6) / 40 = 26/40
        assert_eq!(peers(&pool, "P1"), (dec("0.65"), PeerBasis::Region, 10, 40));
    }
}
