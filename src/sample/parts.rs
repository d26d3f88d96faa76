//! Spare parts on loan, and what became of them.
//!
//! Duty: rows of `spare_parts`. Not its duty: when a part is overdue; the rules say that.

use std::io;

use super::calendar::{Quarter, last_known, plus};
use super::draw::{Draw, Topic, even_roll};
use super::partners::{Persona, Region};
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
    let (domain, stars) = partner.domain(&mut draw);
    let product = world.product(&mut draw, domain, stars > 0);
    let shipped_on = partner.day_of(quarter, k, count, &mut draw);
    let arrived_on = plus(shipped_on, draw.between(1, 4));
    let received_on = (draw.chance(940) && arrived_on <= last_known()).then_some(arrived_on);
    let agreed_on = plus(arrived_on, draw.between(9, 14));
    let due_on = draw.chance(550).then_some(agreed_on);
    let extended_to = (due_on.is_some() && draw.chance(100)).then(|| plus(agreed_on, draw.between(7, 20)));
    let quantity = *draw.pick(&[1, 1, 1, 2, 2, 4]);
    let price = partner.currency.of_cents(draw.between(15_000, 480_000));
    let serial = draw.below(900_000) + 100_000;
    let roll = even_roll(world.seed, Topic::Part, [partner.number, u64::from(quarter.index)], k);
    let fate = fate(partner, quarter, roll, arrived_on, agreed_on, quantity, &mut draw);
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

fn fate(
    partner: &Partner,
    quarter: &Quarter,
    roll: u64,
    arrived_on: Date,
    agreed_on: Date,
    quantity: i64,
    draw: &mut Draw,
) -> Fate {
    let behaviour = partner.behaviour(quarter);
    let in_time = plus(arrived_on, draw.between(1, 7));
    let too_late = plus(agreed_on, draw.between(5, 55));
    let rare = if partner.persona() == Persona::Good {
        1000
    } else {
        draw.below(1000)
    };
    let settled = |disposition, on, evidence| Fate {
        disposition,
        disposition_on: Some(on),
        evidence,
        ..open_fate()
    };
    let fate = match rare {
        0..20 => settled(
            "retained",
            in_time,
            "Customer keeps the drive, erasure certificate on file",
        ),
        20..32 => settled("lost", too_late, "Carrier claim opened"),
        32..44 => settled("charged", too_late, "Invoiced at list price; see return order"),
        _ if roll < behaviour.unreturned => open_fate(),
        _ => {
            let on = if roll < behaviour.unreturned + behaviour.late {
                too_late
            } else {
                in_time
            };
            let short = quantity > 1 && (44..94).contains(&rare);
            // a blank quantity says that all came back
            let returned_quantity = if short {
                Some(quantity - 1)
            } else {
                (rare % 8 > 0).then_some(quantity)
            };
            Fate {
                returned_on: Some(on),
                returned_quantity,
                other_serial: (94..110).contains(&rare),
                disposition: "returned",
                disposition_on: Some(on),
                evidence: "",
            }
        }
    };
    // what has not happened yet is not known
    if fate.disposition_on.is_some_and(|on| on > last_known()) {
        open_fate()
    } else {
        fate
    }
}

fn open_fate() -> Fate {
    Fate {
        disposition: "open",
        ..Fate::default()
    }
}
