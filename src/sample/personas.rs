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
    pub(super) loans: Loans,
    /// Sales volume in a thousand of the size's usual.
    pub(super) sales: u64,
}

/// What becomes of the spare parts of a quarter, in a thousand; the rest come back in time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loans {
    /// Come back late, but a few weeks at most.
    pub(super) late: u64,
    /// Still out when the quarter ends; they come back in the next.
    pub(super) overdue: u64,
    /// Never settled: open, lost, charged, short, or another piece came back.
    pub(super) gone: u64,
}

const fn rates(satisfied: u64, scores: (i64, i64), late_overdue_gone: [u64; 3], sales: u64) -> Behaviour {
    let [late, overdue, gone] = late_overdue_gone;
    Behaviour {
        satisfied,
        scores,
        loans: Loans { late, overdue, gone },
        sales,
    }
}

const GOOD: [Behaviour; 4] = [
    rates(970, (91, 99), [20, 0, 0], 1000),
    rates(972, (92, 99), [20, 0, 0], 1050),
    rates(975, (92, 99), [20, 0, 0], 1100),
    rates(978, (93, 100), [20, 0, 0], 1150),
];
const AVERAGE: [Behaviour; 4] = [rates(890, (76, 91), [120, 45, 6], 1000); 4];
/// Average, with nothing beside its story that could hide it.
const STEADY: [Behaviour; 4] = [rates(915, (83, 94), [100, 0, 0], 1000); 4];
const DECLINING: [Behaviour; 4] = [
    rates(965, (90, 98), [20, 0, 0], 1100),
    rates(915, (83, 93), [120, 125, 0], 1000),
    rates(850, (73, 86), [200, 125, 125], 850),
    rates(710, (60, 77), [250, 375, 125], 700),
];
const IMPROVING: [Behaviour; 4] = [
    rates(785, (62, 78), [250, 375, 0], 800),
    rates(875, (78, 89), [200, 125, 0], 900),
    rates(905, (82, 92), [100, 125, 0], 1050),
    rates(970, (91, 99), [20, 0, 0], 1200),
];
const UNCERTIFIED: [Behaviour; 4] = [rates(860, (68, 84), [150, 100, 20], 700); 4];
const OVERDUE: [Behaviour; 4] = [
    rates(930, (84, 95), [120, 75, 0], 1000),
    rates(930, (84, 95), [180, 145, 75], 1000),
    rates(930, (84, 95), [200, 145, 75], 1000),
    rates(930, (84, 95), [200, 220, 75], 1000),
];

/// The behaviour of a persona in quarter 0 to 3.
pub(super) fn behaviour(persona: Persona, quarter: u8) -> Behaviour {
    let table = match persona {
        Persona::Good | Persona::Lapsing | Persona::Renamed => &GOOD,
        Persona::Declining => &DECLINING,
        Persona::Improving => &IMPROVING,
        Persona::Uncertified => &UNCERTIFIED,
        Persona::Overdue => &OVERDUE,
        Persona::BlackLine
        | Persona::YellowLine
        | Persona::Dominant
        | Persona::CriticalOpen
        | Persona::SelfReports
        | Persona::Appeals
        | Persona::Merged
        | Persona::Left
        | Persona::New => &STEADY,
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
    /// How many domains, the first of its work, get nearly all it delivers, with answers enough to be rated in full;
    /// 0: its work is spread over all, and the answers are few.
    pub(super) main_domains: usize,
}

/// The volume of a partner whose work is in so many domains.
pub(super) fn volume(size: Size, persona: Persona, domains: usize) -> Volume {
    if persona == Persona::Tiny {
        return Volume {
            customers: 2,
            deliveries: 1,
            sales: 2,
            inspections: 0,
            parts: 1,
            trainings: 1,
            supports: 1,
            main_domains: 0,
        };
    }
    let usual = match size {
        Size::Large => Volume {
            customers: 14,
            deliveries: 58,
            sales: 38,
            inspections: 7,
            parts: 14,
            trainings: 3,
            supports: 2,
            main_domains: 0,
        },
        Size::Medium => Volume {
            customers: 8,
            deliveries: 16,
            sales: 17,
            inspections: 4,
            parts: 8,
            trainings: 2,
            supports: 2,
            main_domains: 0,
        },
        Size::Small => Volume {
            customers: 5,
            deliveries: 9,
            sales: 9,
            inspections: 3,
            parts: 3,
            trainings: 1,
            supports: 1,
            main_domains: 0,
        },
    };
    let main_domains = main_domains(size, persona, domains);
    if main_domains == 0 {
        return usual;
    }
    // the answers of one domain have to be enough in every quarter, also in the first, which has none of before
    let each = if persona == Persona::Good { 56 } else { 50 };
    Volume {
        deliveries: each * main_domains as u64,
        inspections: 6 * main_domains as u64,
        main_domains,
        ..usual
    }
}

fn main_domains(size: Size, persona: Persona, domains: usize) -> usize {
    match (persona, size) {
        (Persona::Good, Size::Large) if domains <= 2 => domains,
        // good in many domains: none of them alone has many answers
        (Persona::Good, _) => 0,
        (Persona::Declining | Persona::Improving | Persona::CriticalOpen | Persona::SelfReports, _)
        | (_, Size::Large) => 1,
        _ => 0,
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
