//! Deliveries, and the surveys and inspections that follow from them.
//!
//! Duty: one function from counters to a delivery, and the rows of three feeds. Not its duty: files.

use std::io;

use super::calendar::{Moment, Quarter, day, last_known, plus};
use super::draw::{Draw, Topic, even_roll};
use super::partners::{Persona, Region};
use super::table::TableFile;
use super::world::{Partner, Product, World};
use crate::domain::Date;

/// One delivery, as its counters make it.
pub(super) struct Delivery<'w> {
    pub(super) id: String,
    partner: &'w Partner,
    customer: u64,
    class: &'static str,
    kind: &'static str,
    model: &'static str,
    pub(super) product: &'w Product,
    severity: &'static str,
    opened: Moment,
    due: Option<Moment>,
    pub(super) completed: Option<Moment>,
    first_of_product: bool,
    sites: i64,
    status: &'static str,
}

const HOUR: i64 = 60;

impl World {
    pub(super) fn deliveries_of(&self, partner: &Partner, quarter: &Quarter) -> u64 {
        self.count(partner, quarter, partner.volume().deliveries)
    }

    /// The `k`-th delivery of a partner in a quarter.
    pub(super) fn delivery<'w>(&'w self, partner: &'w Partner, quarter: &Quarter, k: u64) -> Delivery<'w> {
        let count = self.deliveries_of(partner, quarter);
        let mut draw = Draw::new(
            self.seed,
            Topic::Delivery,
            [partner.number, u64::from(quarter.index), k],
        );
        let (domain, stars) = partner.served_domain(k, &mut draw);
        let mut product = self.product(&mut draw, domain, stars > 0);
        if partner.persona() == Persona::Average && domain == "server-storage" && draw.chance(150) {
            product = self.moved_product();
        }
        let kind = draw.word(&[
            "engineering",
            "engineering",
            "maintenance",
            "maintenance",
            "maintenance",
            "training",
        ]);
        let model = if draw.chance(930) { "collaborative" } else { "vendor" };
        let customer = self.customer(partner, &mut draw);
        let closing = partner.day_of(quarter, k, count, &mut draw);
        let opening = plus(closing, -draw.between(0, 12)).max(partner.joined_on);
        let opened = Moment::new(opening, 8 * HOUR + draw.between(0, 4 * HOUR - 1));
        let closed = Moment::new(closing, 13 * HOUR + draw.between(0, 5 * HOUR - 1));
        let due = draw
            .chance(900)
            .then(|| Moment::new(plus(opening, draw.between(5, 15)), 17 * HOUR));
        let still_open = quarter.index == 3 && k > 4 && k * 100 >= count * 96;
        let status = match () {
            () if still_open => "open",
            () if draw.chance(12) => "cancelled",
            () => "completed",
        };
        Delivery {
            id: delivery_id(partner, quarter, k),
            partner,
            customer,
            class: self.customer_class(partner, customer),
            kind,
            model,
            product,
            severity: if kind == "maintenance" {
                draw.word(&["critical", "major", "minor", "minor"])
            } else {
                ""
            },
            opened,
            due,
            completed: (status == "completed").then_some(closed),
            first_of_product: draw.chance(35),
            sites: draw.between(1, 6),
            status,
        }
    }

    fn customer(&self, partner: &Partner, draw: &mut Draw) -> u64 {
        let customers = self.scaled(partner.volume().customers);
        if partner.persona() == Persona::Dominant && draw.chance(700) {
            0
        } else {
            draw.below(customers)
        }
    }

    fn customer_class(&self, partner: &Partner, customer: u64) -> &'static str {
        let mut draw = Draw::new(self.seed, Topic::Customer, [partner.number, customer, 0]);
        match draw.below(10) {
            0 => "key",
            1 | 2 => "large",
            _ => "ordinary",
        }
    }
}

fn delivery_id(partner: &Partner, quarter: &Quarter, k: u64) -> String {
    format!("DL-{:04}-{}-{k:06}", partner.number, quarter.short)
}

pub(super) fn write_deliveries(
    world: &World,
    region: Region,
    quarter: &Quarter,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    world.each(
        region,
        |p| world.deliveries_of(p, quarter),
        |partner, k| {
            let d = world.delivery(partner, quarter, k);
            file.push(|row| {
                row.word(&d.id).word(&d.partner.id);
                row.code(format_args!("CU-{:04}-{:03}", partner.number, d.customer));
                row.word(d.class)
                    .word(d.kind)
                    .word(d.model)
                    .word(&d.product.id)
                    .word(d.severity);
                row.instant(d.opened)
                    .instant_or_null(d.due)
                    .instant_or_null(d.completed);
                row.boolean(d.first_of_product).int(d.sites).word(d.status);
            })
        },
    )
}

/// What customers write, by language.
fn comments(language: &str) -> &'static [&'static str] {
    match language {
        "de" => &[
            "Pünktlich und sauber gearbeitet",
            "Techniker sagte \"kommt morgen\"; kam nicht",
            "Gerne wieder",
        ],
        "es" => &["Trabajo limpio, gracias", "Llegaron tarde; nadie avisó", "Todo bien"],
        "fr" => &["Très bonne équipe", "Câblage à refaire, étage 2", "Rien à redire"],
        "pt" => &[
            "Equipe atenciosa",
            "Demorou; faltou documentação",
            "Instalação impecável, parabéns",
        ],
        "zh" => &["服务很好", "工程师迟到了一小时，但态度很好", "文档不完整"],
        _ => &[
            "Quick and tidy, thank you",
            "Engineer said \"tomorrow\" and never came",
            "Handover notes < expected",
            "All fine",
        ],
    }
}

/// Whether nearly every customer of a partner is asked and answers.
fn answers_well(partner: &Partner) -> bool {
    partner.persona() == Persona::Good || partner.volume().main_domains > 0
}

pub(super) fn write_surveys(
    world: &World,
    region: Region,
    quarter: &Quarter,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    world.each(
        region,
        |p| world.deliveries_of(p, quarter),
        |partner, k| {
            let delivery = world.delivery(partner, quarter, k);
            let mut draw = Draw::new(world.seed, Topic::Survey, [partner.number, u64::from(quarter.index), k]);
            let asked = if answers_well(partner) { 950 } else { 720 };
            match delivery.completed {
                Some(completed) if draw.chance(asked) => {
                    survey(world, partner, quarter, k, (&delivery, completed), draw, file)
                }
                _ => Ok(()),
            }
        },
    )
}

fn survey(
    world: &World,
    partner: &Partner,
    quarter: &Quarter,
    k: u64,
    (delivery, completed): (&Delivery<'_>, Moment),
    mut draw: Draw,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    let sent = Moment::new(plus(completed.day, 1), 9 * HOUR);
    let answered = Moment::new(
        plus(sent.day, draw.between(0, 9)),
        10 * HOUR + draw.between(0, 7 * HOUR),
    );
    let answers = draw.chance(if answers_well(partner) { 920 } else { 850 }) && answered.day <= last_known();
    let roll = even_roll(world.seed, Topic::Survey, [partner.number, u64::from(quarter.index)], k);
    let satisfied = roll < partner.behaviour(quarter).satisfied;
    let top = draw.chance(600);
    // on a scale from 0 to 10, 8 is where satisfaction begins; from 1 to 5, 4
    let (scale, rating) = match (draw.chance(100), satisfied) {
        (true, true) => ((0, 10), if top { 100 } else { draw.between(16, 19) * 5 }),
        (true, false) => ((0, 10), draw.between(2, 7) * 10),
        (false, true) => ((1, 5), if top { 50 } else { draw.between(8, 9) * 5 }),
        (false, false) => ((1, 5), draw.between(2, 7) * 5),
    };
    let selected_by = match draw.below(100) {
        0..=2 => "partner_nominated",
        3..=29 => "all",
        _ => "random",
    };
    let share = match draw.below(100) {
        0..=2 => 0,
        3..=13 => 5_000,
        _ => 10_000,
    };
    let vendor_fault = draw.chance(25);
    let comment = if answers && draw.chance(120) {
        draw.word(comments(partner.template.language))
    } else {
        ""
    };
    file.push(|row| {
        row.code(format_args!("SV-{:04}-{}-{k:06}", partner.number, quarter.short))
            .word(&delivery.id);
        row.code(format_args!("CU-{:04}-{:03}", partner.number, delivery.customer));
        row.instant(sent).instant_or_null(answers.then_some(answered));
        if answers {
            row.decimal(rating, 1)
        } else {
            row.null()
        };
        row.int(scale.0)
            .int(scale.1)
            .word(selected_by)
            .decimal(share, 4)
            .boolean(vendor_fault)
            .text(comment);
    })
}

pub(super) fn write_inspections(
    world: &World,
    region: Region,
    quarter: &Quarter,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    let count = |p: &Partner| {
        let tiny = p.persona() == Persona::Tiny && quarter.index == 1;
        if tiny {
            1
        } else {
            world
                .count(p, quarter, p.volume().inspections)
                .min(world.deliveries_of(p, quarter))
        }
    };
    world.each(region, count, |partner, k| {
        let deliveries = world.deliveries_of(partner, quarter);
        // spread over the deliveries; one that was not completed gives way to the one before it
        let at = k * deliveries / count(partner).max(1);
        let found = (0..=at)
            .rev()
            .map(|i| world.delivery(partner, quarter, i))
            .find(|d| d.completed.is_some());
        match found {
            Some(delivery) => inspection(world, partner, quarter, k, &delivery, file),
            None => Ok(()),
        }
    })
}

/// What an inspector found.
struct Found {
    score: Option<i64>,
    score_max: i64,
    counts: [i64; 3],
    closed_on: Option<Date>,
}

fn inspection(
    world: &World,
    partner: &Partner,
    quarter: &Quarter,
    k: u64,
    delivery: &Delivery<'_>,
    file: &mut TableFile<'_>,
) -> io::Result<()> {
    let mut draw = Draw::new(
        world.seed,
        Topic::Inspection,
        [partner.number, u64::from(quarter.index), k],
    );
    let completed = delivery.completed.map_or(quarter.first(), |at| at.day);
    let inspected_on = plus(completed, draw.between(1, 12)).min(last_known());
    let selected_by = match draw.below(10) {
        0 => "complaint",
        1 | 2 => "risk",
        _ => "random",
    };
    let found = findings(partner, quarter, k, inspected_on, &mut draw);
    file.push(|row| {
        row.code(format_args!("IN-{:04}-{}-{k:05}", partner.number, quarter.short))
            .word(&delivery.id);
        row.date(inspected_on).word(selected_by);
        match found.score {
            Some(score) => row.decimal(score, 1),
            None => row.null(),
        };
        row.int(found.score_max);
        found.counts.iter().for_each(|n| {
            row.int(*n);
        });
        row.date_or_null(found.closed_on);
    })
}

fn findings(partner: &Partner, quarter: &Quarter, k: u64, inspected_on: Date, draw: &mut Draw) -> Found {
    let (low, high) = partner.behaviour(quarter).scores;
    let percent = draw.between(low, high);
    let score_max = *draw.pick(&[100, 100, 100, 100, 50, 20]);
    let unscored = draw.chance(100);
    let open_for_ever = partner.persona() == Persona::CriticalOpen && quarter.index == 2 && k == 0;
    let critical = i64::from(open_for_ever || (percent < 75 && draw.chance(120)));
    let closed = plus(inspected_on, draw.between(7, 24));
    Found {
        // tenths of a point: percent of the maximum
        score: (!unscored).then_some(percent * score_max / 10),
        score_max,
        counts: [critical, (96 - percent).max(0) / 8, (100 - percent) % 5],
        closed_on: (critical > 0 && !open_for_ever && closed <= day(2026, 10, 9)).then_some(closed),
    }
}
