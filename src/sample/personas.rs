//! Behaviour in numbers: what a persona does in a quarter.
//!
//! Duty: one table of rates by persona and quarter. Not its duty: making rows.

use super::partners::{Persona, Size};

/// Rates of one partner in one quarter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behaviour {
    /// Satisfied answers in a thousand.
    pub(super) satisfied: u64,
    /// Inspection scores, of 100.
    pub(super) scores: (i64, i64),
    /// Parts that never come back, in a thousand.
    pub(super) unreturned: u64,
    /// Parts that come back late, in a thousand.
    pub(super) late: u64,
    /// Sales volume in a thousand of the size's usual.
    pub(super) sales: u64,
}

const fn rates(satisfied: u64, scores: (i64, i64), unreturned: u64, late: u64, sales: u64) -> Behaviour {
    Behaviour {
        satisfied,
        scores,
        unreturned,
        late,
        sales,
    }
}

const GOOD: [Behaviour; 4] = [
    rates(970, (91, 99), 0, 10, 1000),
    rates(972, (92, 99), 0, 10, 1050),
    rates(975, (92, 99), 0, 10, 1100),
    rates(978, (93, 100), 0, 10, 1150),
];
const AVERAGE: [Behaviour; 4] = [rates(910, (80, 94), 15, 60, 1000); 4];
const DECLINING: [Behaviour; 4] = [
    rates(965, (90, 98), 0, 20, 1100),
    rates(920, (84, 94), 20, 60, 1000),
    rates(840, (72, 86), 60, 120, 850),
    rates(730, (58, 76), 140, 160, 700),
];
const IMPROVING: [Behaviour; 4] = [
    rates(780, (62, 80), 90, 160, 800),
    rates(860, (74, 88), 50, 100, 900),
    rates(930, (84, 94), 10, 50, 1050),
    rates(970, (90, 99), 0, 10, 1200),
];
const UNCERTIFIED: [Behaviour; 4] = [rates(850, (66, 84), 40, 100, 700); 4];
const OVERDUE: [Behaviour; 4] = [
    rates(930, (84, 95), 40, 100, 1000),
    rates(930, (84, 95), 180, 200, 1000),
    rates(930, (84, 95), 300, 250, 1000),
    rates(930, (84, 95), 420, 250, 1000),
];

/// The behaviour of a persona in quarter 0 to 3.
pub(super) fn behaviour(persona: Persona, quarter: u8) -> Behaviour {
    let table = match persona {
        Persona::Good | Persona::Lapsing | Persona::Renamed => &GOOD,
        Persona::Declining => &DECLINING,
        Persona::Improving => &IMPROVING,
        Persona::Uncertified => &UNCERTIFIED,
        Persona::Overdue => &OVERDUE,
        _ => &AVERAGE,
    };
    table[usize::from(quarter.min(3))]
}

/// Rows of a partner in a full quarter at scale 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Volume {
    pub(super) customers: u64,
    pub(super) deliveries: u64,
    pub(super) sales: u64,
    pub(super) inspections: u64,
    pub(super) parts: u64,
    pub(super) trainings: u64,
    pub(super) supports: u64,
}

pub(super) fn volume(size: Size, persona: Persona) -> Volume {
    if persona == Persona::Tiny {
        return Volume {
            customers: 2,
            deliveries: 1,
            sales: 2,
            inspections: 0,
            parts: 1,
            trainings: 1,
            supports: 1,
        };
    }
    match size {
        Size::Large => {
            // one of the good ones has enough answers in one domain to be fully rated
            let deliveries = if persona == Persona::Good { 58 } else { 34 };
            Volume {
                customers: 14,
                deliveries,
                sales: 38,
                inspections: 7,
                parts: 9,
                trainings: 3,
                supports: 2,
            }
        }
        Size::Medium => Volume {
            customers: 8,
            deliveries: 16,
            sales: 17,
            inspections: 4,
            parts: 5,
            trainings: 2,
            supports: 2,
        },
        Size::Small => Volume {
            customers: 5,
            deliveries: 9,
            sales: 9,
            inspections: 3,
            parts: 2,
            trainings: 1,
            supports: 1,
        },
    }
}

/// List amounts of one sales line in euro cents, from and to.
pub(super) fn line_amounts(size: Size, persona: Persona) -> (i64, i64) {
    if persona == Persona::Tiny {
        return (20_000, 90_000);
    }
    match size {
        Size::Large => (500_000, 2_600_000),
        Size::Medium => (300_000, 1_500_000),
        Size::Small => (80_000, 520_000),
    }
}
