//! The world of a sample: partners, products, money.
//!
//! Duty: the only tables that are held in memory, and how many rows a partner has in a quarter. Not its duty: facts.

use super::SampleOptions;
use super::calendar::{Quarter, day, days_between, plus};
use super::draw::{Draw, Topic};
use super::partners::{DOMAINS, Persona, Region, TEMPLATES, Template};
use super::personas::{Behaviour, Volume, behaviour, line_amounts, volume};
use crate::domain::Date;

/// What every writer of rows needs.
#[derive(Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    /// Rows of a partner are multiplied by `scale / spread`, partners by `spread`.
    scale: u64,
    spread: u64,
    pub(super) partners: Vec<Partner>,
    pub(super) products: Vec<Product>,
}

#[derive(Debug)]
pub(super) struct Partner {
    /// From 1, over all regions.
    pub(super) number: u64,
    pub(super) id: String,
    pub(super) name: String,
    /// Mail domain.
    pub(super) mail: String,
    pub(super) template: &'static Template,
    /// 0 in the small set; further copies of the table in larger ones.
    pub(super) copy: u64,
    pub(super) currency: &'static Money,
    pub(super) joined_on: Date,
    /// First day without facts.
    pub(super) ends_on: Date,
    /// Domains of its work with the stars it holds there; `networking` taken apart.
    pub(super) work: Vec<(&'static str, u8)>,
}

#[derive(Debug)]
pub(super) struct Product {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) family: String,
    pub(super) domain: &'static str,
    pub(super) category: char,
    pub(super) incentive_eligible: bool,
}

/// A settlement currency: how euro cents become its minor units, and what else is sold in.
#[derive(Debug)]
pub(super) struct Money {
    pub(super) code: &'static str,
    pub(super) digits: u32,
    /// Minor units for a hundred euro cents.
    per_euro: i64,
    /// Another currency that some of its sales are in …
    pub(super) foreign: &'static str,
    /// … and what one unit of that is worth, in millionths.
    pub(super) foreign_rate: i64,
}

#[rustfmt::skip]
pub(super) const CURRENCIES: [Money; 9] = [
    Money { code: "EUR", digits: 2, per_euro: 100, foreign: "USD", foreign_rate: 908_500 },
    Money { code: "GBP", digits: 2, per_euro: 86, foreign: "EUR", foreign_rate: 861_200 },
    Money { code: "KWD", digits: 3, per_euro: 337, foreign: "USD", foreign_rate: 306_400 },
    Money { code: "SGD", digits: 2, per_euro: 148, foreign: "USD", foreign_rate: 1_345_000 },
    Money { code: "JPY", digits: 0, per_euro: 165, foreign: "USD", foreign_rate: 150_250_000 },
    Money { code: "CNY", digits: 2, per_euro: 787, foreign: "USD", foreign_rate: 7_152_000 },
    Money { code: "USD", digits: 2, per_euro: 110, foreign: "EUR", foreign_rate: 1_100_700 },
    Money { code: "CLP", digits: 0, per_euro: 1007, foreign: "USD", foreign_rate: 915_400_000 },
    Money { code: "BRL", digits: 2, per_euro: 600, foreign: "USD", foreign_rate: 5_452_000 },
];

impl Money {
    pub(super) fn of(code: &str) -> &'static Money {
        CURRENCIES
            .iter()
            .find(|money| money.code == code)
            .unwrap_or(&CURRENCIES[0])
    }

    /// Minor units worth so many euro cents, at a fixed rate of thumb.
    pub(super) fn of_cents(&self, cents: i64) -> i64 {
        cents * self.per_euro / 100
    }
}

impl World {
    pub(super) fn new(options: &SampleOptions) -> World {
        let scale = options.scale.max(1);
        let spread = scale.isqrt();
        let partners = (0..spread)
            .flat_map(|copy| {
                TEMPLATES
                    .iter()
                    .zip(1..)
                    .map(move |(template, at)| (copy, template, at))
            })
            .map(|(copy, template, at)| Partner::new(options.seed, copy, template, at))
            .collect();
        World {
            seed: options.seed,
            scale,
            spread,
            partners,
            products: products(),
        }
    }

    pub(super) fn of_region(&self, region: Region) -> impl Iterator<Item = &Partner> {
        self.partners
            .iter()
            .filter(move |partner| partner.template.region == region)
    }

    /// `count` at scale 1 as it is at this scale.
    pub(super) fn scaled(&self, count: u64) -> u64 {
        count * self.scale / self.spread
    }

    /// Rows of a partner in a quarter: `count` a full quarter at scale 1, less where the partner was not there.
    pub(super) fn count(&self, partner: &Partner, quarter: &Quarter, count: u64) -> u64 {
        let there = partner
            .days_in(quarter)
            .map_or(0, |(_, days)| u64::try_from(days).unwrap_or(0));
        let all = u64::try_from(quarter.days).unwrap_or(1);
        (self.scaled(count) * there).div_ceil(all)
    }

    /// Calls `each` for every partner of a region and counter below its count, by counter and then by partner, so
    /// that a file runs through its quarter as it would in life.
    pub(super) fn each<'w, E>(
        &'w self,
        region: Region,
        count: impl Fn(&Partner) -> u64,
        mut each: impl FnMut(&'w Partner, u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut counted: Vec<(&Partner, u64)> = self.of_region(region).map(|p| (p, count(p))).collect();
        let mut k = 0;
        while !counted.is_empty() {
            counted.retain(|(_, n)| *n > k);
            for (partner, _) in &counted {
                each(partner, k)?;
            }
            k += 1;
        }
        Ok(())
    }

    /// A product of a domain, mostly one that needs a certified partner to serve it.
    pub(super) fn product(&self, draw: &mut Draw, domain: &str, certified: bool) -> &Product {
        let at = DOMAINS[1..].iter().position(|(id, ..)| *id == domain).unwrap_or(0) * PRODUCTS_PER_DOMAIN;
        let roll = draw.below(1000);
        let nth = match (certified, roll) {
            (true, 0..520) | (false, 500..750) => 1,
            (true, 520..800) | (false, 750..960) => 2,
            (true, 800..920) | (false, 0..350) => 3,
            (true, _) | (false, 350..500) => 4,
            // an uncertified partner now and then does what only the vendor may
            (false, _) => 0,
        };
        &self.products[at + nth]
    }

    /// The product that moved from one domain to another.
    pub(super) fn moved_product(&self) -> &Product {
        &self.products[self.products.len() - 1]
    }
}

const PRODUCTS_PER_DOMAIN: usize = 5;

/// Five products of each domain, then the one that moves.
fn products() -> Vec<Product> {
    let mut products: Vec<Product> = Vec::new();
    for (domain, letters, title, _) in &DOMAINS[1..] {
        let lower = letters.to_lowercase();
        for (suffix, category, family, name) in [
            ("A-900", 'A', "core", "Prime"),
            ("B-100", 'B', "core", "Core 100"),
            ("B-200", 'B', "edge", "Edge 200"),
            ("C-300", 'C', "edge", "Edge 300 Lite"),
            ("D-400", 'D', "device", "Desk 400"),
        ] {
            products.push(Product {
                id: format!("{letters}-{suffix}"),
                name: format!("{title} {name}"),
                family: format!("{lower}-{family}"),
                domain,
                category,
                incentive_eligible: matches!(category, 'B' | 'C'),
            });
        }
    }
    products.push(Product {
        id: "SS-B-250".to_owned(),
        name: "Hyperconverged Node 250".to_owned(),
        family: "ss-node".to_owned(),
        domain: "server-storage",
        category: 'B',
        incentive_eligible: true,
    });
    products
}

impl Partner {
    fn new(seed: u64, copy: u64, template: &'static Template, at: u64) -> Partner {
        let number = copy * TEMPLATES.len() as u64 + at;
        let mut draw = Draw::new(seed, Topic::Partner, [number, 0, 0]);
        let joined_on = match (template.persona, template.region) {
            (Persona::New, Region::Latam) => day(2026, 5, 4),
            (Persona::New, _) => day(2026, 2, 16),
            _ => plus(day(2018, 1, 15), draw.between(0, 2200)),
        };
        let ends_on = match template.persona {
            Persona::Merged => day(2026, 7, 1),
            Persona::Left => day(2026, 6, 1),
            _ => day(2026, 10, 1),
        };
        let of_copy = |text: &str, gap: &str| {
            if copy == 0 {
                text.to_owned()
            } else {
                format!("{text}{gap}{copy}")
            }
        };
        let mut work: Vec<(&'static str, u8)> = Vec::new();
        for (domain, stars) in template.domains {
            let spanned = DOMAINS
                .iter()
                .filter(|(id, .., spanning)| spanning == domain || id == domain);
            for (id, ..) in spanned.filter(|(id, ..)| *id != "networking") {
                // of two certifications for a domain the narrower comes first in the table
                if work.iter().all(|(known, _)| known != id) {
                    work.push((id, *stars));
                }
            }
        }
        Partner {
            number,
            id: format!("{}-{number:04}", template.region.prefix()),
            name: of_copy(template.name, " "),
            mail: format!("{}.example", of_copy(template.mail, "-")),
            template,
            copy,
            currency: Money::of(template.currency),
            joined_on,
            ends_on,
            work,
        }
    }

    pub(super) fn persona(&self) -> Persona {
        self.template.persona
    }

    pub(super) fn volume(&self) -> Volume {
        volume(self.template.size, self.template.persona, self.work.len())
    }

    pub(super) fn behaviour(&self, quarter: &Quarter) -> Behaviour {
        behaviour(self.template.persona, quarter.index)
    }

    /// List amounts of a sales line in euro cents, from and to.
    pub(super) fn line_amounts(&self) -> (i64, i64) {
        line_amounts(self.template.size, self.template.persona)
    }

    /// The id of the partner with this number of the table in the same copy of it.
    pub(super) fn sibling(&self, at: u64) -> Option<String> {
        let template = TEMPLATES.get(usize::try_from(at).ok()?.checked_sub(1)?)?;
        let number = self.copy * TEMPLATES.len() as u64 + at;
        Some(format!("{}-{number:04}", template.region.prefix()))
    }

    /// First day and number of days that a partner took part in a quarter.
    pub(super) fn days_in(&self, quarter: &Quarter) -> Option<(Date, i64)> {
        let first = quarter.first().max(self.joined_on);
        let days = days_between(first, quarter.end().min(self.ends_on));
        (days > 0).then_some((first, days))
    }

    /// The day of the `k`-th of `count` facts, spread over the partner's days in a quarter.
    pub(super) fn day_of(&self, quarter: &Quarter, k: u64, count: u64, draw: &mut Draw) -> Date {
        let (first, days) = self.days_in(quarter).unwrap_or((quarter.first(), quarter.days));
        let slots = u64::try_from(days).unwrap_or(1) * 1000;
        let jitter = draw.below(1000);
        let at =
            (u128::from(k) * 1000 + u128::from(jitter)) * u128::from(slots) / (u128::from(count.max(1)) * 1_000_000);
        plus(first, i64::try_from(at).unwrap_or(0).min(days - 1))
    }

    /// The domain of the `k`-th delivery or part: nearly always the next of its main domains in turn, if it has such.
    pub(super) fn served_domain(&self, k: u64, draw: &mut Draw) -> (&'static str, u8) {
        let mains = self.volume().main_domains;
        if mains == 0 || draw.chance(if mains < self.work.len() { 40 } else { 0 }) {
            return self.domain(draw);
        }
        self.work[usize::try_from(k).unwrap_or(0) % mains]
    }

    /// A domain of its work and the stars held there; the first domain gets about half.
    pub(super) fn domain(&self, draw: &mut Draw) -> (&'static str, u8) {
        let at = draw.below(self.work.len() as u64 * 2);
        *self.work.get(usize::try_from(at).unwrap_or(0)).unwrap_or(&self.work[0])
    }
}
