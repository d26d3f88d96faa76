//! Spare parts on loan, and what became of them.
//!
//! Duty: rows of `spare_parts`. Not its duty: when a part is overdue; the rules say that.

use std::io;

use super::calendar::{Quarter, day, last_known, plus};
use super::draw::{Draw, Topic, even_roll};
use super::partners::{Persona, Region, Size};
use super::table::TableFile;
use super::world::{Partner, World};
use crate::domain::Date;

/// What became of a part.
#[derive(Default)]
struct Fate {
    returned_on: Option<Date>,
    returned_quantity: Option<i64>,
    other_serial: bool,
    disposition: &'static str,
    disposition_on: Option<Date>,
    evidence: &'static str,
}

/// How a loan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    InTime,
    /// Back late, but a few weeks at most.
    Late,
    /// Still out at the end of its quarter, back in the next.
    Overdue,
    /// Never settled, one way or another.
    Gone(Loss),
    /// Shipped before the first quarter and overdue when it begins; back within it.
    Opening,
    /// Shipped by parcel on a Saturday without a word of its arrival, and still out at the end of the last quarter:
    /// whether it is due by then hangs on how days of transit and business days are added.
    Silent,
}

/// The ways in which a loan is never settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    Open,
    Lost,
    Charged,
    /// One piece of two comes back.
    Short,
    /// Another piece comes back.
    OtherSerial,
}

const LOSSES: [Loss; 5] = [Loss::Open, Loss::Lost, Loss::Charged, Loss::Short, Loss::OtherSerial];

/// The part that goes astray without a word.
const SILENT_SHIPPED: (i32, u32, u32) = (2026, 9, 12);

pub(super) fn write_parts(
    world: &World,
    region: Region,
    quarter: &Quarter,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    let count = |p: &Partner| world.count(p, quarter, p.volume().parts);
    world.each(region, count, |partner, k| write_part(world, partner, quarter, k, file))
}

fn write_part(world: &World, partner: &Partner, quarter: &Quarter, k: u64, file: &mut TableFile<'_>) -> io::Result<()> {
    write_part_under(world, partner, quarter, k, "RL", false, file)
}

/// The `k`-th part of a partner in a quarter, under a prefix of its identifier; a damaged one has a date that cannot be.
pub(super) fn write_part_under(
    world: &World,
    partner: &Partner,
    quarter: &Quarter,
    k: u64,
    prefix: &str,
    damaged: bool,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    let count = world.count(partner, quarter, partner.volume().parts);
    let mut draw = Draw::new(world.seed, Topic::Part, [partner.number, u64::from(quarter.index), k]);
    let course = course(world, partner, quarter, k, count);
    let (domain, stars) = partner.served_domain(k, &mut draw);
    let product = world.product(&mut draw, domain, stars > 0);
    let in_quarter = partner.day_of(quarter, k, count, &mut draw);
    let shipped_on = match course {
        Course::Opening => plus(quarter.first(), -draw.between(30, 45)),
        Course::Silent => day(SILENT_SHIPPED.0, SILENT_SHIPPED.1, SILENT_SHIPPED.2),
        _ => in_quarter,
    };
    let arrived_on = plus(shipped_on, draw.between(1, 4));
    let told = draw.chance(if region_tells(partner) { 950 } else { 880 });
    let received_on = (told && course != Course::Silent && arrived_on <= last_known()).then_some(arrived_on);
    let agreed_on = plus(arrived_on, draw.between(9, 14));
    let due_on = (draw.chance(550) && course != Course::Silent).then_some(agreed_on);
    let extended_to = (due_on.is_some() && matches!(course, Course::InTime | Course::Late) && draw.chance(110))
        .then(|| plus(agreed_on, draw.between(7, 20)));
    let quantity = quantity(partner, course, &mut draw);
    let price = partner.currency.of_cents(draw.between(15_000, 480_000));
    let serial = draw.below(900_000) + 100_000;
    let fate = fate(quarter, course, (arrived_on, agreed_on), quantity, &mut draw);
    let back = fate.returned_on.is_some();
    file.push(|row| {
        row.code(format_args!("{prefix}-{:04}-{}-{k:05}", partner.number, quarter.short));
        // two lines at most share one return order
        row.code(format_args!("RMA-{:04}-{}-{:05}", partner.number, quarter.short, k / 2));
        row.word(&partner.id)
            .word(&product.id)
            .code(format_args!("PN-{}-{:02}", product.id, serial % 17));
        row.int(quantity)
            .amount(price, partner.currency.digits)
            .word(partner.currency.code);
        if damaged {
            row.word("45/45/2026")
        } else {
            row.date(shipped_on)
        };
        row.date_or_null(received_on)
            .date_or_null(due_on)
            .date_or_null(extended_to);
        row.date_or_null(fate.returned_on);
        match fate.returned_quantity {
            Some(n) => row.int(n),
            None => row.null(),
        };
        row.code(format_args!("SN{serial}"));
        match (back, fate.other_serial) {
            (true, true) => row.code(format_args!("SN{}", serial + 7)),
            (true, false) if !serial.is_multiple_of(9) => row.code(format_args!("SN{serial}")),
            _ => row.null(),
        };
        row.word(fate.disposition)
            .date_or_null(fate.disposition_on)
            .text(fate.evidence);
    })
}

/// Whether the warehouse of a region nearly always tells when a part arrived.
fn region_tells(partner: &Partner) -> bool {
    partner.template.region == Region::Emea
}

/// Personas whose story is told by their parts.
fn is_about_parts(partner: &Partner) -> bool {
    matches!(
        partner.persona(),
        Persona::Declining | Persona::Improving | Persona::Overdue
    )
}

/// Pieces of a loan. Those that stay out are single pieces unless they are the story.
fn quantity(partner: &Partner, course: Course, draw: &mut Draw) -> i64 {
    match course {
        Course::Gone(Loss::Short) => 2,
        Course::Overdue | Course::Gone(_) if is_about_parts(partner) => *draw.pick(&[1, 1, 2]),
        Course::Late | Course::Overdue | Course::Gone(_) | Course::Opening => 1,
        _ => *draw.pick(&[1, 1, 2, 2, 3, 4]),
    }
}

/// The course of the `k`-th of `count` loans. Loans that stay out are the odd ones from the quarter's beginning, those
/// that are never settled the even ones, so that both are due before the quarter ends.
fn course(world: &World, partner: &Partner, quarter: &Quarter, k: u64, count: u64) -> Course {
    let counters = [partner.number, u64::from(quarter.index)];
    let loans = partner.behaviour(quarter).loans;
    let from_before = matches!(partner.persona(), Persona::Improving | Persona::Overdue) || partner.number % 4 == 2;
    if quarter.index == 0 && k == 0 && from_before && partner.persona() != Persona::Tiny {
        return Course::Opening;
    }
    let silent = (Persona::Average, Region::Apac, Size::Large);
    let who = (partner.persona(), partner.template.region, partner.template.size);
    if who == silent && quarter.index == 3 && k == count * 4 / 5 {
        return Course::Silent;
    }
    // a share of a loan is a chance of one
    let mut draw = Draw::new(world.seed, Topic::Part, [counters[0], counters[1], u64::MAX - 1]);
    let mut of_all = |permille: u64| (count * permille + draw.below(1000)) / 1000;
    let (overdue, gone) = (of_all(loans.overdue), of_all(loans.gone));
    match k {
        _ if k % 2 == 1 && k / 2 < overdue => Course::Overdue,
        2.. if k.is_multiple_of(2) && k / 2 <= gone => {
            // each way in turn
            let turn = (counters[0] + counters[1] + k) % LOSSES.len() as u64;
            Course::Gone(LOSSES[usize::try_from(turn).unwrap_or(0)])
        }
        _ if even_roll(world.seed, Topic::Part, counters, k) < loans.late => Course::Late,
        _ => Course::InTime,
    }
}

fn fate(
    quarter: &Quarter,
    course: Course,
    (arrived_on, agreed_on): (Date, Date),
    quantity: i64,
    draw: &mut Draw,
) -> Fate {
    let returned = |on| Fate {
        returned_on: Some(on),
        disposition: "returned",
        disposition_on: Some(on),
        ..Fate::default()
    };
    let fate = match course {
        Course::InTime | Course::Late => {
            let on = if course == Course::Late {
                plus(agreed_on, draw.between(4, 18))
            } else {
                plus(arrived_on, draw.between(1, 7))
            };
            match draw.below(1000) {
                0..35 => Fate {
                    returned_on: None,
                    disposition: "retained",
                    evidence: "Customer keeps the drive, erasure certificate on file",
                    ..returned(on)
                },
                // a blank quantity says that all came back
                35..160 => returned(on),
                _ => Fate {
                    returned_quantity: Some(quantity),
                    ..returned(on)
                },
            }
        }
        Course::Overdue => returned(plus(quarter.end(), draw.between(6, 45))),
        Course::Opening => returned(plus(quarter.first(), draw.between(6, 45))),
        Course::Silent => returned(plus(quarter.end(), draw.between(1, 6))),
        Course::Gone(loss) => lost(loss, plus(agreed_on, draw.between(5, 40)), quantity),
    };
    // what has not happened yet is not known
    if fate.disposition_on.is_some_and(|on| on > last_known()) {
        open_fate()
    } else {
        fate
    }
}

fn lost(loss: Loss, on: Date, quantity: i64) -> Fate {
    let written_off = |disposition, evidence| Fate {
        disposition,
        disposition_on: Some(on),
        evidence,
        ..Fate::default()
    };
    let came_back = |returned_quantity, other_serial| Fate {
        returned_on: Some(on),
        returned_quantity: Some(returned_quantity),
        other_serial,
        ..written_off("returned", "")
    };
    match loss {
        Loss::Open => open_fate(),
        Loss::Lost => written_off("lost", "Carrier claim opened"),
        Loss::Charged => written_off("charged", "Invoiced at list price; see return order"),
        Loss::Short => came_back(quantity - 1, false),
        Loss::OtherSerial => came_back(quantity, true),
    }
}

fn open_fate() -> Fate {
    Fate {
        disposition: "open",
        ..Fate::default()
    }
}
