//! Reference data: who is a partner, what is certified, what things are called and worth.
//!
//! Duty: rows of the nine reference feeds. Not its duty: facts.

use std::io;

use super::calendar::{FULL_QUARTERS, QUARTERS, day, holidays, is_weekend, last_known, plus};
use super::draw::{Draw, Topic};
use super::partners::{DOMAINS, Persona, Region, Size};
use super::table::TableFile;
use super::world::{CURRENCIES, Partner, World};
use crate::domain::Date;

/// One version of a partner.
struct Version<'a> {
    valid_from: Date,
    name: &'a str,
    status: &'static str,
    left_on: Option<Date>,
    merged_into: Option<String>,
}

pub(super) fn write_partners(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    for partner in &world.partners {
        let new_name = partner.name.replace("Clair-Obscur SARL", "Lumière Noire SAS");
        let first = Version {
            valid_from: partner.joined_on,
            name: &partner.name,
            status: "active",
            left_on: None,
            merged_into: None,
        };
        let second = match partner.persona() {
            Persona::Renamed => Some(Version {
                valid_from: day(2026, 4, 1),
                name: &new_name,
                merged_into: None,
                ..first
            }),
            Persona::Merged => Some(Version {
                valid_from: partner.ends_on,
                status: "merged",
                merged_into: partner.sibling(partner.template.parent),
                ..first
            }),
            Persona::Left => Some(Version {
                valid_from: partner.ends_on,
                status: "left",
                left_on: Some(plus(partner.ends_on, -1)),
                merged_into: None,
                ..first
            }),
            _ => None,
        };
        write_partner(partner, &first, file)?;
        if let Some(second) = second {
            write_partner(partner, &second, file)?;
        }
    }
    Ok(())
}

fn write_partner(partner: &Partner, version: &Version<'_>, file: &mut TableFile<'_>) -> io::Result<()> {
    let t = partner.template;
    let parent = if t.persona == Persona::Merged {
        None
    } else {
        partner.sibling(t.parent)
    };
    let tax = if t.country == "KW" {
        ""
    } else if t.region == Region::Emea {
        "reverse_charge"
    } else {
        "standard"
    };
    file.push(|row| {
        row.word(&partner.id)
            .date(version.valid_from)
            .word(parent.as_deref().unwrap_or_default());
        row.text(version.name)
            .code(format_args!("{}-REG-{:06}", t.country, 104_000 + partner.number * 37));
        row.word(t.region.name())
            .word(t.country)
            .word(t.zone)
            .word(t.tier)
            .word(t.language)
            .word(t.currency)
            .word(tax);
        // one group writes from the domain of its parent as well
        if t.mail == "nordlicht-sued" && partner.copy == 0 {
            row.code(format_args!("{}|nordlicht.example", partner.mail));
        } else {
            row.word(&partner.mail);
        }
        row.word(version.status)
            .date(partner.joined_on)
            .date_or_null(version.left_on);
        row.word(version.merged_into.as_deref().unwrap_or_default());
    })
}

/// Given and family names by language.
fn people(language: &str) -> [&'static str; 4] {
    match language {
        "de" => ["Jürgen Weiß", "Änne Krüger", "Sören Böhm", "Ulrike Fuchs"],
        "es" => ["Íñigo Peña", "María José Núñez", "Álvaro Güell", "Belén Ibáñez"],
        "fr" => ["Élodie D'Arcy", "François Lefèvre", "Zoé Müller-Petit", "Hélène Brûlé"],
        "pt" => ["João Conceição", "Inês Magalhães", "Luís Simões", "Conceição Araújo"],
        "zh" => ["王小明", "李静", "张伟", "陈雅婷"],
        _ => ["Aoife O'Neill", "Priya Raman", "Kenji Mori", "Grace \"Gigi\" Tan"],
    }
}

pub(super) fn write_contacts(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    for partner in &world.partners {
        let t = partner.template;
        let mut draw = Draw::new(world.seed, Topic::Contact, [partner.number, 0, 0]);
        let names = people(t.language);
        let start = draw.below(4);
        let mut contact = |n: u64, mailbox: &str, role: &str, language: &str, wants: &str, until: Option<Date>| {
            let name = names[usize::try_from((start + n) % 4).unwrap_or(0)];
            file.push(|row| {
                row.word(&partner.id)
                    .code(format_args!("{mailbox}@{}", partner.mail))
                    .word(role)
                    .text(name);
                row.word(language)
                    .word(wants)
                    .date(partner.joined_on)
                    .date_or_null(until);
            })
        };
        // some say no language of their own: the partner's serves
        let language = if draw.chance(250) { "" } else { t.language };
        contact(0, "service", "service_manager", language, "scorecard|alert", None)?;
        if t.size != Size::Small {
            contact(1, "finance", "finance", t.language, "statement", None)?;
        }
        if t.size == Size::Large {
            contact(2, "board", "executive", "en", "scorecard|statement", None)?;
        }
        if partner.persona() == Persona::Renamed {
            contact(
                3,
                "ancien",
                "service_manager",
                t.language,
                "scorecard",
                Some(day(2026, 4, 1)),
            )?;
        }
    }
    Ok(())
}

pub(super) fn write_domains(_: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    DOMAINS.iter().try_for_each(|(id, _, name, member_of)| {
        file.push(|row| {
            row.word(id).text(name).word(member_of);
        })
    })
}

pub(super) fn write_certifications(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    for partner in &world.partners {
        let mut put = |domain: &str, from: Date, to: Date, stars: u8, status: &str| {
            file.push(|row| {
                row.word(&partner.id)
                    .word(domain)
                    .date(from)
                    .int(i64::from(stars))
                    .word("2024");
                row.date(to).word(status);
            })
        };
        let begin = if partner.persona() == Persona::New {
            partner.joined_on
        } else {
            day(2025, 1, 1)
        };
        for (domain, stars) in partner.template.domains.iter().filter(|(_, stars)| *stars > 0) {
            match partner.persona() {
                Persona::Lapsing => put(domain, begin, day(2026, 5, 15), *stars, "active")?,
                Persona::Improving => {
                    put(domain, begin, day(2026, 4, 1), stars - 1, "active")?;
                    put(domain, day(2026, 4, 1), day(2028, 4, 1), *stars, "active")?;
                }
                // renewed in turn without a gap
                Persona::Good => {
                    put(domain, begin, day(2026, 2, 1), *stars, "active")?;
                    put(domain, day(2026, 2, 1), day(2028, 2, 1), *stars, "active")?;
                }
                Persona::Left | Persona::Merged => put(domain, begin, partner.ends_on, *stars, "expired")?,
                _ => put(domain, begin, day(2027, 7, 1), *stars, "active")?,
            }
        }
        match partner.persona() {
            Persona::BlackLine => put("security", begin, day(2027, 7, 1), 3, "suspended")?,
            Persona::Declining if partner.template.region == Region::Latam => {
                put("cloud", begin, day(2026, 1, 1), 3, "revoked")?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// How many engineers a partner has.
pub(super) fn engineers_of(partner: &Partner) -> u64 {
    partner
        .template
        .domains
        .iter()
        .filter(|(_, stars)| *stars > 0)
        .map(|(_, stars)| u64::from(*stars))
        .sum()
}

pub(super) fn write_engineers(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    for partner in &world.partners {
        let mut n = 0;
        for (domain, stars) in partner.template.domains.iter().filter(|(_, stars)| *stars > 0) {
            for place in 0..*stars {
                n += 1;
                let mut draw = Draw::new(world.seed, Topic::Engineer, [partner.number, n, 0]);
                let issued_on = plus(day(2024, 1, 8), draw.between(0, 500));
                let manager = place == 3;
                let level = match (place, stars) {
                    (0, 5) => "expert",
                    (0, 4) | (1, 5) => "professional",
                    _ => "associate",
                };
                let role = if manager { "project_manager" } else { "engineer" };
                let revoked = draw.chance(20).then(|| plus(issued_on, 400));
                file.push(|row| {
                    row.code(format_args!("EG-{:04}-{n:03}", partner.number));
                    row.code(format_args!("HC-{}-{}", domain.to_uppercase(), level.to_uppercase()));
                    row.date(issued_on)
                        .word(&partner.id)
                        .word(domain)
                        .word(level)
                        .word(role);
                    row.date(plus(issued_on, 3 * 365)).date_or_null(revoked);
                })?;
            }
        }
    }
    Ok(())
}

pub(super) fn write_products(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    let since = day(2020, 1, 1);
    let moved = &world.moved_product().id;
    let versions = world.products.iter().map(|p| (p, since, p.domain));
    // the last one moves: its second version stands in another domain
    let second = world.products.last().map(|p| (p, day(2026, 4, 1), "cloud"));
    for (product, valid_from, domain) in versions.chain(second) {
        let ends = (product.id == *moved && valid_from == since).then(|| day(2026, 4, 1));
        file.push(|row| {
            row.word(&product.id)
                .date(valid_from)
                .text(&product.name)
                .word(&product.family)
                .word(domain);
            row.code(format_args!("{}", product.category))
                .boolean(product.incentive_eligible)
                .date_or_null(ends);
        })?;
    }
    Ok(())
}

pub(super) fn write_holidays(_: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    for region in Region::ALL {
        for (year, month, date, name) in holidays(region) {
            file.push(|row| {
                row.word(region.name()).date(day(*year, *month, *date)).text(name);
            })?;
        }
    }
    Ok(())
}

/// A rate for every working day; weekends have none.
pub(super) fn write_rates(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    let mut date = day(2025, 9, 1);
    let mut n = 0;
    while date <= last_known() {
        if !is_weekend(date) {
            for (money, at) in CURRENCIES.iter().zip(0_u64..) {
                // a slow swing of two percent up and down, and a little noise
                let swing = 40 - (i64::try_from((n + at * 17) % 160).unwrap_or(0) - 80).abs();
                let mut draw = Draw::new(world.seed, Topic::Rate, [at, n, 0]);
                let parts = 1_000_000 + swing * 500 + draw.between(-1_500, 1_500);
                let rate = money.foreign_rate * parts / 1_000_000;
                file.push(|row| {
                    row.word(money.foreign)
                        .word(money.code)
                        .date(date)
                        .decimal(rate, 6)
                        .word("sample-bank");
                })?;
            }
            n += 1;
        }
        date = plus(date, 1);
    }
    Ok(())
}

pub(super) fn write_targets(world: &World, file: &mut TableFile<'_>) -> io::Result<()> {
    for partner in world.partners.iter().filter(|p| p.template.size != Size::Small) {
        for quarter in &QUARTERS[..FULL_QUARTERS] {
            if partner.days_in(quarter).is_none() {
                continue;
            }
            let mut draw = Draw::new(world.seed, Topic::Target, [partner.number, u64::from(quarter.index), 0]);
            let thousands = if partner.template.size == Size::Large {
                (180, 420)
            } else {
                (60, 160)
            };
            let cents = draw.between(thousands.0, thousands.1) * 100_000;
            let kind = if draw.chance(850) { "target" } else { "forecast" };
            file.push(|row| {
                row.word(&partner.id)
                    .word("sales-rebate")
                    .word(quarter.label)
                    .word(kind);
                row.amount(partner.currency.of_cents(cents), partner.currency.digits)
                    .word(partner.currency.code);
            })?;
        }
    }
    Ok(())
}
