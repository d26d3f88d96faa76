//! The model: plain maps and whole minor units. Shares no code with the program.

use std::collections::{BTreeMap, BTreeSet};

use super::{Claimed, Facts, GRADES, MINIMUM, PARTNERS};

/// What the model keeps of a document that stands, to take it back.
#[derive(Clone)]
pub(super) struct Standing {
    quarter: usize,
    carried_in: i128,
    /// By how much it changed what is claimed back.
    claims: i128,
    due: i128,
    settled: BTreeMap<(usize, usize), i128>,
    fresh: BTreeMap<Fresh, i128>,
}

/// What is owed or claimed by partner and quarter that it posts in: what for (changed, released, by people), scheme, quarter.
pub(super) type Fresh = (usize, usize, Line, usize, usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Line {
    Changed,
    Released,
    ByPeople,
    Drawn,
}

/// The model.
#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) closed: usize,
    /// By partner, scheme, quarter.
    booked: BTreeMap<(usize, usize, usize), i128>,
    accrued: BTreeMap<(usize, usize, usize), i128>,
    on_hold: BTreeMap<(usize, usize, usize), i128>,
    /// Set aside and not on hold, by partner and quarter; what claims drew is not taken off.
    funds: BTreeMap<(usize, usize), i128>,
    /// What claims drew, by id.
    drawn: BTreeMap<String, i128>,
    /// Its settlement was taken back, and it was not settled since.
    reopened: BTreeSet<(usize, usize, usize)>,
    /// In no standing document.
    fresh: BTreeMap<Fresh, i128>,
    carried: [i128; 3],
    /// Claimed back and not yet set off against what is owed, by partner and quarter that it posts in.
    claimed: BTreeMap<(usize, usize), i128>,
    paid: [i128; 3],
    adjusted: BTreeMap<String, i128>,
    /// By partner, oldest first.
    standing: [Vec<Standing>; 3],
}

/// What is claimed back of an amount.
pub(super) fn claim(amount: i128) -> i128 {
    (-amount).max(0)
}

/// Half of the divisor away from zero.
pub(super) fn rounded(numerator: i128, divisor: i128) -> i128 {
    let magnitude = (numerator.abs() * 2 + divisor) / (divisor * 2);
    if numerator < 0 { -magnitude } else { magnitude }
}

/// The scheme that sets aside.
pub(super) const FUND: usize = 2;

/// What a scheme earns on a basis in minor units, from scratch.
pub(super) fn earns(scheme: usize, basis: i128, unit: i128, factor: i128) -> i128 {
    if scheme == FUND {
        return rounded(basis * 5, 100).max(0);
    }
    if scheme == 1 {
        return rounded(basis * 7, 100);
    }
    // slices times tenths of a per cent; the first band reaches below zero
    let edges = [0, 1000 * unit, 5000 * unit];
    let rates = [10, 20, 35];
    let mut sum = 0;
    for at in 0..3 {
        let low = if at == 0 { i128::MIN } else { edges[at] };
        let high = edges.get(at + 1).copied().unwrap_or(i128::MAX);
        if basis > low {
            sum += (basis.min(high) - edges[at].min(basis.max(edges[at]))) * rates[at];
        }
    }
    rounded(sum * factor, 1000 * 100)
}

impl Model {
    /// Where money of a quarter posts.
    pub(super) fn posts_in(&self, quarter: usize) -> usize {
        quarter.max(self.closed)
    }

    pub(super) fn run(&mut self, facts: &Facts) {
        for (partner, (_, _, places)) in PARTNERS.iter().enumerate() {
            let unit = 10_i128.pow(*places);
            let is_held = facts.held.contains(&partner);
            for scheme in 0..3 {
                for quarter in 0..facts.ended {
                    let key = (partner, scheme, quarter);
                    let basis = facts
                        .lines
                        .iter()
                        .filter(|l| l.0 == partner && l.1 == quarter)
                        .map(|l| l.2)
                        .sum();
                    let factor = facts.grades.get(&(partner, quarter)).map_or(75, |g| GRADES[*g].1);
                    let mut target = earns(scheme, basis, unit, factor);
                    if scheme == FUND && facts.ended > quarter + 1 {
                        // what nobody claimed in time lapses
                        target -= (target - reserved(facts, partner, quarter)).max(0);
                    }
                    let is_final = quarter < self.closed && !self.reopened.contains(&key);
                    let held = self.on_hold.entry(key).or_insert(0);
                    let released = if is_held { 0 } else { std::mem::take(held) };
                    let mut owe = released;
                    let delta = target - self.booked.insert(key, target).unwrap_or(0);
                    if is_held && delta > 0 {
                        *held += delta;
                    } else if is_held {
                        let from_hold = delta.max(-*held);
                        *held += from_hold;
                        owe += delta - from_hold;
                    } else {
                        owe += delta;
                    }
                    if scheme == FUND {
                        *self.funds.entry((partner, quarter)).or_insert(0) += owe;
                    } else if is_final {
                        let at = self.posts_in(quarter);
                        for (line, amount) in [(Line::Changed, owe - released), (Line::Released, released)] {
                            *self.fresh.entry((partner, at, line, scheme, quarter)).or_insert(0) += amount;
                        }
                        *self.claimed.entry((partner, at)).or_insert(0) += claim(owe - released) + claim(released);
                    } else {
                        *self.accrued.entry(key).or_insert(0) += owe;
                    }
                }
            }
        }
        for (id, &(partner, quarter, amount)) in &facts.adjustments {
            let earlier = self.adjusted.insert(id.clone(), amount).unwrap_or(0);
            let at = self.posts_in(quarter);
            *self.fresh.entry((partner, at, Line::ByPeople, 0, quarter)).or_insert(0) += amount - earlier;
            if amount != earlier {
                *self.claimed.entry((partner, at)).or_insert(0) += claim(amount) - claim(earlier);
            }
        }
        self.draw(facts);
        self.paid = [0; 3];
        for payment in facts.payments.values() {
            self.paid[payment.0] += payment.2;
        }
    }

    /// Claims in the order of their rulings, as far as each fund goes.
    fn draw(&mut self, facts: &Facts) {
        let mut order: Vec<(i64, &String)> = facts
            .claims
            .iter()
            .filter_map(|(id, claim)| Some((claim.ruling?.0, id)))
            .collect();
        order.sort_unstable();
        let mut left = self.funds.clone();
        for (_, id) in order {
            let claim = &facts.claims[id];
            let key = (claim.partner, claim.quarter);
            let left = left.entry(key).or_insert(0);
            let now = approved(facts, claim).min((*left).max(0));
            *left -= now;
            self.draws(id, claim, now);
        }
        for (id, claim) in facts.claims.iter().filter(|(_, claim)| claim.ruling.is_none()) {
            self.draws(id, claim, 0);
        }
    }

    fn draws(&mut self, id: &str, claim: &Claimed, now: i128) {
        let earlier = self.drawn.insert(id.to_owned(), now).unwrap_or(0);
        let key = (
            claim.partner,
            self.posts_in(claim.quarter),
            Line::Drawn,
            FUND,
            claim.quarter,
        );
        *self.fresh.entry(key).or_insert(0) += now - earlier;
    }

    pub(super) fn close(&mut self) {
        let quarter = self.closed;
        for (partner, (_, _, places)) in PARTNERS.iter().enumerate() {
            let unit = 10_i128.pow(*places);
            let mut settled = BTreeMap::new();
            for (key, amount) in self.accrued.range_mut((partner, 0, 0)..(partner + 1, 0, 0)) {
                if key.2 <= quarter && *amount != 0 {
                    settled.insert((key.1, key.2), std::mem::take(amount));
                    self.reopened.remove(key);
                }
            }
            let is_in = |key: &Fresh| key.0 == partner && key.1 <= quarter;
            let fresh: BTreeMap<Fresh, i128> = self
                .fresh
                .iter()
                .filter(|f| is_in(f.0))
                .map(|(k, v)| (*k, *v))
                .collect();
            self.fresh.retain(|key, _| !is_in(key));
            // what cancels within a line is nothing; lines that cancel one another are a document
            let mut lines: BTreeMap<(Line, usize, usize), i128> = BTreeMap::new();
            for ((_, _, line, scheme, of), amount) in &fresh {
                *lines.entry((*line, *scheme, *of)).or_insert(0) += amount;
            }
            let carried_in = self.carried[partner];
            let total = carried_in + settled.values().sum::<i128>() + fresh.values().sum::<i128>();
            let due = if total > 0 && total >= MINIMUM * unit { total } else { 0 };
            self.carried[partner] = total - due;
            let stays = claim(self.carried[partner]);
            // a quarter without anything new has no document, and sets nothing off
            let is_new = !settled.is_empty() || lines.values().any(|amount| *amount != 0);
            let claimed: i128 = self
                .claimed
                .range((partner, 0)..=(partner, quarter))
                .map(|(_, v)| *v)
                .sum();
            let claims = if is_new { stays - claimed } else { 0 };
            *self.claimed.entry((partner, quarter)).or_insert(0) += claims;
            self.standing[partner].push(Standing {
                quarter,
                carried_in,
                claims,
                due,
                settled,
                fresh,
            });
        }
        self.closed += 1;
    }

    /// What the next close would settle.
    pub(super) fn next_total(&self, partner: usize) -> i128 {
        let accrued = self
            .accrued
            .iter()
            .filter(|(key, _)| key.0 == partner && key.2 <= self.closed);
        let fresh = self
            .fresh
            .iter()
            .filter(|(key, _)| key.0 == partner && key.1 <= self.closed);
        self.carried[partner] + accrued.map(|(_, v)| *v).sum::<i128>() + fresh.map(|(_, v)| *v).sum::<i128>()
    }

    /// Takes the document of a partner in a quarter back; those above it say nothing.
    pub(super) fn reverse(&mut self, partner: usize, quarter: usize) {
        while let Some(standing) = self.standing[partner].pop() {
            self.carried[partner] = standing.carried_in;
            *self.claimed.entry((partner, self.closed)).or_insert(0) -= standing.claims;
            for (key, amount) in standing.fresh {
                *self.fresh.entry(key).or_insert(0) += amount;
            }
            for ((scheme, of), amount) in standing.settled {
                *self.accrued.entry((partner, scheme, of)).or_insert(0) += amount;
                self.reopened.insert((partner, scheme, of));
            }
            if standing.quarter == quarter {
                return;
            }
        }
        panic!("no document of {quarter} stands");
    }

    /// Expense, accrual, hold, owed, clearing, due, carried, claimed, in funds of a partner.
    pub(super) fn balances(&self, partner: usize, facts: &Facts) -> [i128; 9] {
        let of = |map: &BTreeMap<(usize, usize, usize), i128>| -> i128 {
            map.iter().filter(|(key, _)| key.0 == partner).map(|(_, v)| *v).sum()
        };
        let adjusted: i128 = facts.adjustments.values().filter(|a| a.0 == partner).map(|a| a.2).sum();
        let fresh: i128 = self
            .fresh
            .iter()
            .filter(|(key, _)| key.0 == partner)
            .map(|(_, v)| *v)
            .sum();
        let due = self.standing[partner].iter().map(|s| s.due).sum::<i128>();
        [
            of(&self.booked) + adjusted,
            of(&self.accrued),
            of(&self.on_hold),
            due - self.paid[partner] + self.carried[partner] + fresh,
            self.paid[partner],
            due,
            self.carried[partner],
            self.claimed
                .iter()
                .filter(|(key, _)| key.0 == partner)
                .map(|(_, v)| *v)
                .sum(),
            self.in_funds(partner, facts),
        ]
    }

    fn in_funds(&self, partner: usize, facts: &Facts) -> i128 {
        let set_aside = self.funds.iter().filter(|(key, _)| key.0 == partner).map(|(_, v)| *v);
        let of_partner = |id: &&String| facts.claims.get(*id).is_some_and(|c| c.partner == partner);
        let drawn = self.drawn.keys().filter(of_partner).map(|id| self.drawn[id]);
        set_aside.sum::<i128>() - drawn.sum::<i128>()
    }
}

/// Whether a partner sold anything in a quarter that has ended: else it has no fund of it.
fn has_fund(facts: &Facts, partner: usize, quarter: usize) -> bool {
    quarter < facts.ended && facts.lines.iter().any(|l| l.0 == partner && l.1 == quarter)
}

/// What was approved of a claim that can be paid, and no more than was claimed.
fn approved(facts: &Facts, claim: &Claimed) -> i128 {
    let ruled = claim.ruling.and_then(|(_, approved)| approved).unwrap_or(0);
    let counts = has_fund(facts, claim.partner, claim.quarter);
    if counts { ruled.min(claim.amount) } else { 0 }
}

/// What claims keep from lapsing: approved, or not yet ruled on.
fn reserved(facts: &Facts, partner: usize, quarter: usize) -> i128 {
    let on_it = facts
        .claims
        .values()
        .filter(|c| c.partner == partner && c.quarter == quarter);
    on_it
        .map(|claim| match claim.ruling {
            None if has_fund(facts, partner, quarter) => claim.amount,
            _ => approved(facts, claim),
        })
        .sum()
}
