//! Sales lines, their returns, and the payments for them.
//!
//! Duty: one function from counters to a line, and the rows of two feeds. Not its duty: what a line earns.

use std::io;

use super::calendar::{FULL_QUARTERS, QUARTERS, Quarter, day, last_known, not_sunday, plus};
use super::draw::{Draw, Topic};
use super::partners::{Persona, Region};
use super::table::TableFile;
use super::world::{Money, Partner, Product, World};
use crate::domain::Date;

/// One line, as its counters make it.
struct Line<'w> {
    id: String,
    partner: &'w Partner,
    product: &'w Product,
    service: bool,
    /// Empty for a product.
    model: &'static str,
    /// Minor units of `currency`.
    list: i64,
    /// Ten-thousandths.
    discount: i64,
    net: i64,
    quantity: i64,
    currency: &'static Money,
    ordered_on: Date,
    invoiced_on: Date,
}

/// Ten-thousandths by tier, on services that the vendor delivers.
fn tier_discount(tier: &str) -> i64 {
    match tier {
        "distributor" => 3_000,
        "vap" => 2_500,
        "gold" => 2_000,
        "silver" => 1_500,
        _ => 1_000,
    }
}

/// Ten-thousandths by stars, on collaborative services.
fn star_discount(stars: u8) -> i64 {
    [0, 0, 0, 1_700, 2_000, 2_300][usize::from(stars.min(5))]
}

/// `list` less a discount in ten-thousandths, rounded half up to the minor unit.
fn net_of(list: i64, discount: i64) -> i64 {
    (list * (10_000 - discount) + 5_000).div_euclid(10_000)
}

impl World {
    fn lines_of(&self, partner: &Partner, quarter: &Quarter) -> u64 {
        self.count(partner, quarter, partner.volume().sales) * partner.behaviour(quarter).sales / 1000
    }

    /// The `k`-th sales line of a partner in a quarter.
    fn line<'w>(&'w self, partner: &'w Partner, quarter: &Quarter, k: u64) -> Line<'w> {
        let count = self.lines_of(partner, quarter);
        let mut draw = Draw::new(self.seed, Topic::Sale, [partner.number, u64::from(quarter.index), k]);
        let (domain, stars) = partner.domain(&mut draw);
        let mut product = self.product(&mut draw, domain, stars > 0);
        if partner.persona() == Persona::Average && domain == "server-storage" && draw.chance(150) {
            product = self.moved_product();
        }
        // two of three lines are services
        let service = draw.chance(660);
        let collaborative = draw.chance(if stars > 0 { 760 } else { 120 });
        let allowed = if service && collaborative {
            star_discount(stars)
        } else {
            tier_discount(partner.template.tier)
        };
        // now and then a discount is not what it should be
        let discount = if draw.chance(60) {
            allowed + draw.between(-2, 2) * 100
        } else {
            allowed
        }
        .max(0);
        let currency = if draw.chance(100) {
            Money::of(partner.currency.foreign)
        } else {
            partner.currency
        };
        let (low, high) = partner.line_amounts();
        let list = currency.of_cents(draw.between(low, high));
        let invoiced_on = not_sunday(partner.day_of(quarter, k, count, &mut draw)).max(quarter.first());
        let ordered_on = not_sunday(plus(invoiced_on, -draw.between(2, 24))).max(partner.joined_on);
        Line {
            id: format!("SO-{:04}-{}-{k:06}", partner.number, quarter.short),
            partner,
            product,
            service,
            model: match (service, collaborative) {
                (false, _) => "",
                (true, true) => "collaborative",
                (true, false) => "vendor",
            },
            list,
            discount,
            net: net_of(list, discount),
            quantity: draw.between(1, 12),
            currency,
            ordered_on,
            invoiced_on,
        }
    }

    /// The return of a line, if it has one: the line that takes it back, and its id.
    fn return_of<'w>(&self, line: &Line<'w>, quarter: &Quarter, k: u64) -> Option<Line<'w>> {
        let mut draw = Draw::new(
            self.seed,
            Topic::Return,
            [line.partner.number, u64::from(quarter.index), k],
        );
        // the last weeks have more, so that some come back after the end of the last quarter
        let permille = if line.invoiced_on >= day(2026, 9, 10) { 150 } else { 45 };
        if !draw.chance(permille) {
            return None;
        }
        let whole = draw.chance(500) || line.quantity == 1;
        let quantity = if whole { line.quantity } else { line.quantity / 2 };
        let list = line.list * quantity / line.quantity;
        let net = if whole { line.net } else { net_of(list, line.discount) };
        let taken_on = not_sunday(plus(line.invoiced_on, draw.between(6, 40)));
        (taken_on <= last_known()).then(|| Line {
            id: format!("SR-{:04}-{}-{k:06}", line.partner.number, quarter.short),
            list: -list,
            net: -net,
            quantity: -quantity,
            ordered_on: not_sunday(plus(taken_on, -2)),
            invoiced_on: taken_on,
            ..*line
        })
    }
}

/// The lines invoiced in a quarter, then the returns taken back in it, of its own lines and of the quarter before.
pub(super) fn write_sales(
    world: &World,
    region: Region,
    quarter: &Quarter,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    world.each(
        region,
        |p| world.lines_of(p, quarter),
        |partner, k| write_line(&world.line(partner, quarter, k), "", region, file),
    )?;
    let at = usize::from(quarter.index);
    for sold_in in &QUARTERS[at.saturating_sub(1)..=at] {
        world.each(
            region,
            |p| world.lines_of(p, sold_in),
            |partner, k| {
                let line = world.line(partner, sold_in, k);
                match world.return_of(&line, sold_in, k) {
                    Some(taken) if (quarter.first()..quarter.end()).contains(&taken.invoiced_on) => {
                        write_line(&taken, &line.id, region, file)
                    }
                    _ => Ok(()),
                }
            },
        )?;
    }
    Ok(())
}

fn write_line(line: &Line<'_>, original: &str, region: Region, file: &mut TableFile<'_>) -> io::Result<()> {
    let digits = line.currency.digits;
    file.push(|row| {
        row.word(&line.id).word(&line.partner.id).word(&line.product.id);
        row.word(if line.service { "service" } else { "product" })
            .word(line.model);
        row.amount(line.list, digits)
            .decimal(line.discount, 4)
            .net(line.net, digits)
            .int(line.quantity);
        row.word(line.currency.code).word(region.selling_entity());
        row.date(line.ordered_on).date(line.invoiced_on).word(original);
    })
}

/// Payments for service lines: most in full, some in two parts, some in part, some not at all.
pub(super) fn write_payments(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    for quarter in &QUARTERS[..FULL_QUARTERS] {
        for region in Region::ALL {
            world.each(
                region,
                |p| world.lines_of(p, quarter),
                |partner, k| {
                    let line = world.line(partner, quarter, k);
                    if line.service {
                        pay(world, &line, quarter, k, file)
                    } else {
                        Ok(())
                    }
                },
            )?;
        }
    }
    Ok(())
}

fn pay(world: &World, line: &Line<'_>, quarter: &Quarter, k: u64, file: &mut TableFile<'_>) -> io::Result<()> {
    let mut draw = Draw::new(
        world.seed,
        Topic::Payment,
        [line.partner.number, u64::from(quarter.index), k],
    );
    let first_on = plus(line.invoiced_on, draw.between(4, 32));
    let second_on = plus(first_on, draw.between(5, 20));
    let part = line.net * draw.between(30, 70) / 100;
    let parts = match draw.below(1000) {
        0..50 => vec![],
        50..95 => vec![(first_on, part)],
        95..170 => vec![(first_on, part), (second_on, line.net - part)],
        _ => vec![(first_on, line.net)],
    };
    for (n, (paid_on, amount)) in parts.into_iter().enumerate().filter(|(_, (on, _))| *on <= last_known()) {
        file.push(|row| {
            row.code(format_args!(
                "PY-{:04}-{}-{k:06}-{}",
                line.partner.number,
                quarter.short,
                n + 1
            ));
            row.word(&line.id)
                .null()
                .date(paid_on)
                .amount(amount, line.currency.digits)
                .word(line.currency.code);
        })?;
    }
    Ok(())
}
