//! Enablement and the vendor's support.
//!
//! Duty: rows of `enablement` and `support`. Not its duty: engineers themselves (`reference`).

use std::io;

use super::calendar::{Moment, Quarter, plus};
use super::draw::{Draw, Topic};
use super::partners::Region;
use super::reference::engineers_of;
use super::table::TableFile;
use super::world::{Partner, World};

const TRAININGS: [&str; 7] = [
    "career",
    "specialist",
    "product",
    "process",
    "service_sales",
    "project_management",
    "first_order_support",
];
const PROVIDERS: [&str; 4] = ["vendor", "vendor", "authorised learning partner", "e-learning"];
const SUPPORTS: [&str; 5] = [
    "bid_review",
    "solution_review",
    "first_node",
    "cutover_assurance",
    "technical_assistance",
];

pub(super) fn write_enablement(
    world: &World,
    region: Region,
    quarter: &Quarter,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    let count = |p: &Partner| world.count(p, quarter, p.volume().trainings);
    world.each(region, count, |partner, k| {
        let mut draw = Draw::new(
            world.seed,
            Topic::Enablement,
            [partner.number, u64::from(quarter.index), k],
        );
        let completed_on = partner.day_of(quarter, k, count(partner), &mut draw);
        let (domain, _) = partner.domain(&mut draw);
        let kind = draw.word(&TRAININGS);
        let general = matches!(kind, "process" | "service_sales" | "project_management");
        let engineers = engineers_of(partner);
        let hours = draw.between(4, 80) * 50;
        file.push(|row| {
            row.code(format_args!("EN-{:04}-{}-{k:05}", partner.number, quarter.short))
                .word(&partner.id);
            if engineers == 0 || draw.chance(80) {
                row.null();
            } else {
                row.code(format_args!(
                    "EG-{:04}-{:03}",
                    partner.number,
                    draw.below(engineers) + 1
                ));
            }
            row.word(kind)
                .text(draw.word(&PROVIDERS))
                .word(if general { "" } else { domain });
            row.decimal(hours, 2).decimal(hours * 5, 2).date(completed_on);
        })
    })
}

pub(super) fn write_support(
    world: &World,
    region: Region,
    quarter: &Quarter,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    let count = |p: &Partner| world.count(p, quarter, p.volume().supports);
    world.each(region, count, |partner, k| {
        let mut draw = Draw::new(
            world.seed,
            Topic::Support,
            [partner.number, u64::from(quarter.index), k],
        );
        let requested_on = partner.day_of(quarter, k, count(partner), &mut draw);
        let requested = Moment::new(requested_on, 8 * 60 + draw.between(0, 540));
        let provided = Moment::new(plus(requested_on, draw.between(1, 9)), 9 * 60 + draw.between(0, 480));
        let (domain, stars) = partner.domain(&mut draw);
        let kind = draw.word(&SUPPORTS);
        file.push(|row| {
            row.code(format_args!("SU-{:04}-{}-{k:05}", partner.number, quarter.short))
                .word(&partner.id);
            row.word(if kind == "bid_review" {
                ""
            } else {
                &world.product(&mut draw, domain, stars > 0).id
            });
            row.word(kind)
                .instant(requested)
                .instant_or_null(draw.chance(880).then_some(provided));
        })
    })
}
