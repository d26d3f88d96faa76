//! The smaller feeds of finance: claims, manual adjustments. Disputes are of documents, and the sample closes no period.
//!
//! Duty: their rows. Not its duty: payments (`sales`) and decisions (`events`).

use std::io;

use super::calendar::{FULL_QUARTERS, QUARTERS, plus};
use super::draw::{Draw, Topic};
use super::partners::{Persona, Size};
use super::table::TableFile;
use super::world::World;

/// Claims on market development funds, one in two quarters by each large partner.
pub(super) fn write_claims(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    for quarter in &QUARTERS[..FULL_QUARTERS] {
        for partner in world.partners.iter().filter(|p| p.template.size == Size::Large) {
            let mut draw = Draw::new(world.seed, Topic::Claim, [partner.number, u64::from(quarter.index), 0]);
            if !draw.chance(500) {
                continue;
            }
            let amount = partner.currency.of_cents(draw.between(50_000, 400_000));
            let claimed_on = plus(quarter.first(), draw.between(10, 80));
            file.push(|row| {
                row.code(format_args!("CM-{:04}-{}-1", partner.number, quarter.short))
                    .word(&partner.id);
                row.word("market-development-fund").word(quarter.label);
                row.amount(amount, partner.currency.digits)
                    .word(partner.currency.code)
                    .date(claimed_on);
                row.code(format_args!("invoice-{}.pdf", draw.below(90_000) + 10_000));
            })?;
        }
    }
    Ok(())
}

/// A few corrections by hand, each with a reason and two names.
pub(super) fn write_adjustments(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    let reasons = [
        "Goodwill after a late statement",
        "Rebate of a lost order line, agreed in writing",
    ];
    let chosen = world
        .partners
        .iter()
        .filter(|p| p.template.size == Size::Medium && p.persona() == Persona::Average);
    for (partner, n) in chosen.take(5).zip(0_u8..) {
        let quarter = &QUARTERS[usize::from(n % 4)];
        let cents = if n == 3 { -12_500 } else { 18_000 + i64::from(n) * 3_250 };
        file.push(|row| {
            row.code(format_args!("AD-{:04}-{}-1", partner.number, quarter.short))
                .word(&partner.id);
            row.word(quarter.label).word(if n == 1 { "" } else { "sales-rebate" });
            row.amount(partner.currency.of_cents(cents), partner.currency.digits)
                .word(partner.currency.code);
            row.text(reasons[usize::from(n % 2)])
                .word("f.nakamura")
                .word("c.oyelaran");
            row.date(plus(quarter.first(), 70));
        })?;
    }
    Ok(())
}
