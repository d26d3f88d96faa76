//! Values by partner × domain × period.
//!
//! Duty: one value for each key, in the order of the keys, with those of a partner together. Not its duty: what they are.

use std::collections::BTreeMap;

use crate::domain::Period;
use crate::domain::ids::{DomainId, PartnerId};

/// Partner × domain × period.
pub type Key = (PartnerId, DomainId, Period);

/// What one partner has, by domain and period.
pub type OfPartner<T> = BTreeMap<(DomainId, Period), T>;

/// Of a partner there is either something or no entry.
#[derive(Clone, Debug)]
pub struct Keyed<T>(BTreeMap<PartnerId, OfPartner<T>>);

impl<T> Default for Keyed<T> {
    fn default() -> Keyed<T> {
        Keyed(BTreeMap::new())
    }
}

impl<T> Keyed<T> {
    #[must_use]
    pub fn get(&self, (partner, domain, period): &Key) -> Option<&T> {
        self.0.get(partner)?.get(&(domain.clone(), *period))
    }

    /// Sets the value of a key, or takes it away.
    pub fn put(&mut self, (partner, domain, period): Key, value: Option<T>) {
        if let Some(value) = value {
            self.0.entry(partner).or_default().insert((domain, period), value);
        } else if let Some(of_partner) = self.0.get_mut(&partner) {
            of_partner.remove(&(domain, period));
            if of_partner.is_empty() {
                self.0.remove(&partner);
            }
        }
    }

    pub fn partners(&self) -> impl Iterator<Item = (&PartnerId, &OfPartner<T>)> {
        self.0.iter()
    }

    pub fn of(&self, partner: &PartnerId) -> impl Iterator<Item = (&DomainId, Period, &T)> {
        let found = self.0.get(partner).into_iter().flatten();
        found.map(|((domain, period), value)| (domain, *period, value))
    }

    /// The values of a partner and domain from a period to another, both included.
    pub fn between(
        &self,
        partner: &PartnerId,
        domain: &DomainId,
        from: Period,
        to: Period,
    ) -> impl Iterator<Item = &T> {
        let range = (domain.clone(), from)..=(domain.clone(), to);
        let found = self.0.get(partner).into_iter();
        found.flat_map(move |of_partner| of_partner.range(range.clone()).map(|(_, value)| value))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&PartnerId, &DomainId, Period, &T)> {
        self.0.iter().flat_map(|(partner, of_partner)| {
            let found = of_partner.iter();
            found.map(move |((domain, period), value)| (partner, domain, *period, value))
        })
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.values_mut().flat_map(BTreeMap::values_mut)
    }
}

impl<T: Clone> Keyed<T> {
    /// What one partner has, and nobody else.
    #[must_use]
    pub fn of_one(&self, partner: &PartnerId) -> Keyed<T> {
        let found = self.0.get(partner).cloned();
        Keyed(
            found
                .into_iter()
                .map(|of_partner| (partner.clone(), of_partner))
                .collect(),
        )
    }
}

impl<T: Default> Keyed<T> {
    /// The value of a key; there is one from now on.
    pub fn entry(&mut self, (partner, domain, period): Key) -> &mut T {
        let of_partner = self.0.entry(partner).or_default();
        of_partner.entry((domain, period)).or_default()
    }
}
