//! A small programme for tests: rows in as words, rows out as words.

use std::collections::BTreeMap;

use super::shelf::Shelf;
use super::{Freeze, GradeRow, GradeState, Incentives, Inputs, compute};
use crate::domain::ids::{DomainId, PartnerId, SchemeId};
use crate::domain::time::parse_date;
use crate::domain::{Date, Dec, FxWays, Grade, Period, PeriodKind, Rate, Ratio, Rounding, Table, Value};
use crate::rules::{
    Band, BasisAmount, ByCurrency, Decision, Edge, FxDate, GradeOf, Method, Modifier, Returns, Scheme, SchemeDate,
    Scope,
};

pub(super) fn day(text: &str) -> Date {
    parse_date(text).unwrap()
}

pub(super) fn number(text: &str) -> Ratio {
    Dec::parse(text).unwrap().ratio()
}

/// Bands written as `0: 1 %, 100000: 2 %`.
pub(super) fn bands(text: &str) -> Vec<Band> {
    let band = |part: &str| {
        let (from, rate) = part.split_once(": ").unwrap();
        Band {
            from: number(from.trim()),
            rate: Rate::parse(rate).unwrap().share().clone(),
            fixed: Ratio::zero(),
        }
    };
    text.split(',').map(band).collect()
}

/// The same in every currency.
pub(super) fn everywhere<T>(default: T) -> ByCurrency<T> {
    ByCurrency {
        default,
        by_currency: BTreeMap::new(),
    }
}

pub(super) fn marginal(text: &str) -> Method {
    Method::Marginal {
        bands: everywhere(bands(text)),
        edge: Edge::Lower,
    }
}

pub(super) fn whole(text: &str) -> Method {
    Method::Whole {
        bands: everywhere(bands(text)),
        edge: Edge::Lower,
    }
}

pub(super) fn flat(rate: &str) -> Method {
    Method::Flat {
        rate: Rate::parse(rate).unwrap(),
    }
}

pub(super) fn by_stars(rates: [&str; 3]) -> Method {
    Method::ByStars {
        rates: (3..).zip(rates.map(|r| Rate::parse(r).unwrap())).collect(),
    }
}

/// Factors 1, 0.9, 0.75, 0.5, 0; 0.75 where there is no grade, 0.6 where a feed was silent.
pub(super) fn grade_factor(of: GradeOf) -> Modifier {
    let factors = Grade::ALL
        .into_iter()
        .zip(["1", "0.9", "0.75", "0.5", "0"].map(number))
        .collect();
    Modifier::GradeFactor {
        of,
        factors,
        not_rated: number("0.75"),
        incomplete: number("0.6"),
    }
}

pub(super) fn cap(amount: &str) -> Modifier {
    Modifier::Cap {
        amount: number(amount),
        by_currency: BTreeMap::new(),
    }
}

/// A scheme `bonus` on all services, by quarter and order date.
pub(super) fn scheme(method: Method) -> Scheme {
    Scheme {
        id: SchemeId::new("bonus").unwrap(),
        title: "Bonus".to_owned(),
        earning_period: PeriodKind::Quarter,
        cumulative_over: None,
        scope: Scope {
            line_kinds: vec!["service".to_owned()],
            ..Scope::default()
        },
        date: SchemeDate::OrderedOn,
        amount: BasisAmount::Net,
        decision: Decision {
            on: BasisAmount::Net,
            year_to_date: false,
        },
        paid_in_full: false,
        method,
        gates: Vec::new(),
        modifiers: Vec::new(),
        returns: Returns::default(),
        stacking: None,
        accrual: None,
        beneficiaries: Vec::new(),
        rounding: Rounding::HalfAwayFromZero,
        fund: None,
        fx_date: FxDate::Transaction,
        fx_max_age_days: 7,
        fx_ways: FxWays::default(),
        origin: "pipelines/rules/global/2025-10-01.toml:10".to_owned(),
    }
}

/// One region `emea`, partner `P1` settling in EUR, quarter 2026-Q3.
pub(super) struct World {
    pub periods: Vec<Period>,
    pub sales: Table,
    pub partners: Table,
    pub certifications: Table,
    pub domains: Table,
    pub fx_rates: Table,
    pub grades: Vec<GradeRow>,
    pub freezes: Vec<Freeze>,
    shelf: Shelf,
}

impl World {
    pub fn new(schemes: impl IntoIterator<Item = Scheme>) -> World {
        let mut world = World {
            periods: vec![Period::parse("2026-Q3").unwrap()],
            sales: Table::new("measures_sales", &SALES),
            partners: Table::new("partners", &["partner_id", "valid_from", "region", "currency", "tier"]),
            certifications: Table::new(
                "certifications",
                &["partner_id", "domain", "valid_from", "stars", "valid_to", "status"],
            ),
            domains: Table::new("domains", &["domain", "name", "member_of"]),
            fx_rates: Table::new("fx_rates", &["base", "quote", "date", "rate", "source"]),
            grades: Vec::new(),
            freezes: Vec::new(),
            shelf: Shelf::new(schemes),
        };
        world.partner("P1 2025-01-01 emea EUR");
        for (domain, wider) in [("networking", None), ("security", Some("networking")), ("ups", None)] {
            world.domains.push(vec![domain.into(), domain.into(), wider.into()]);
        }
        world
    }

    /// `P1 2025-01-01 emea EUR`
    pub fn partner(&mut self, row: &str) -> &mut World {
        self.partner_of_tier(&format!("{row} gold"))
    }

    /// `P1 2025-01-01 emea EUR silver`
    pub fn partner_of_tier(&mut self, row: &str) -> &mut World {
        let [id, from, region, currency, tier] = words(row);
        self.partners.push(vec![
            id.into(),
            day(from).into(),
            region.into(),
            currency.into(),
            tier.into(),
        ]);
        self
    }

    /// `P1 security EUR 1000.00 2026-07-05`, and options: `product`, `unpaid`, `ineligible`, `invoiced=DATE`,
    /// `list=N`, `lines=N`, `family=X`, `category=X`, `model=X`, `product=X`.
    pub fn sale(&mut self, row: &str) -> &mut World {
        let mut options = row.split(' ').skip(5);
        let option = |name: &str| {
            let key = format!("{name}=");
            row.split(' ')
                .find_map(|w| w.strip_prefix(key.as_str()))
                .map(str::to_owned)
        };
        let has = |word: &str| options.clone().any(|w| w == word);
        let [id, domain, currency, amount, on] =
            words(&row.split(' ').take(5).collect::<Vec<_>>().join(" ")).map(str::to_owned);
        let dec = |text: &str| Value::Dec(Dec::parse(text).unwrap());
        let invoiced = option("invoiced").unwrap_or_else(|| on.clone());
        let values = vec![
            id.into(),
            if has("product") { "product" } else { "service" }.into(),
            option("model").unwrap_or_default().into(),
            option("product").unwrap_or_default().into(),
            domain.into(),
            option("family").unwrap_or_default().into(),
            option("category").unwrap_or_default().into(),
            (!has("ineligible")).into(),
            currency.into(),
            day(&on).into(),
            day(&invoiced).into(),
            (!has("unpaid")).into(),
            amount.starts_with('-').into(),
            Value::Int(option("lines").map_or(1, |n| n.parse().unwrap())),
            dec(&amount),
            dec(&option("list").unwrap_or_else(|| amount.clone())),
            Value::Int(1),
        ];
        assert!(
            options.all(|w| w.contains('=') || ["product", "unpaid", "ineligible"].contains(&w)),
            "{row}"
        );
        self.sales.push(values);
        self
    }

    /// `P1 security 2026-01-01 2027-01-01 4 active`
    pub fn certified(&mut self, row: &str) -> &mut World {
        let [id, domain, from, to, stars, status] = words(row);
        let stars: i64 = stars.parse().unwrap();
        let row = vec![
            id.into(),
            domain.into(),
            day(from).into(),
            stars.into(),
            day(to).into(),
            status.into(),
        ];
        self.certifications.push(row);
        self
    }

    /// `USD EUR 2026-07-01 0.9`
    pub fn rate(&mut self, row: &str) -> &mut World {
        let [base, quote, date, rate] = words(row);
        let rate = Dec::parse(rate).unwrap();
        self.fx_rates.push(vec![
            base.into(),
            quote.into(),
            day(date).into(),
            rate.into(),
            "bank".into(),
        ]);
        self
    }

    /// `P1 card B` or `P1 security not_rated`, of 2026-Q3.
    pub fn grade(&mut self, row: &str) -> &mut World {
        let [partner, domain, result] = words(row);
        let grade = Grade::parse(result);
        let state = if grade.is_some() {
            GradeState::Rated
        } else {
            GradeState::parse(result).unwrap()
        };
        self.grades.push(GradeRow {
            partner: PartnerId::new(partner).unwrap(),
            domain: (domain != "card").then(|| DomainId::new(domain).unwrap()),
            period: Period::parse("2026-Q3").unwrap(),
            state,
            grade,
            score: None,
            overdue_parts: None,
        });
        self
    }

    /// The score of the card that was given last.
    pub fn score(&mut self, score: &str) -> &mut World {
        self.grades.last_mut().unwrap().score = Dec::parse(score).ok();
        self
    }

    /// The share of overdue parts of the card that was given last.
    pub fn overdue_parts(&mut self, share: &str) -> &mut World {
        self.grades.last_mut().unwrap().overdue_parts = Some(number(share));
        self
    }

    /// The parent of all versions of a partner.
    pub fn parent(&mut self, partner: &str, parent: &str) -> &mut World {
        let mut columns: Vec<String> = self.partners.columns().to_vec();
        columns.push("parent_partner_id".to_owned());
        let mut partners = Table::with_columns("partners", columns);
        for mut row in std::mem::take(&mut self.partners.rows) {
            let own = (row[0] == Value::text(partner)).then_some(parent);
            row.push(own.into());
            partners.push(row);
        }
        self.partners = partners;
        self
    }

    pub fn freeze(&mut self, row: &str) -> &mut World {
        let [partner, from, until] = words(row);
        self.freezes.push(Freeze {
            partner: PartnerId::new(partner).unwrap(),
            from: day(from),
            until: day(until),
        });
        self
    }

    pub fn compute(&self) -> Result<Incentives, super::IncentiveError> {
        let inputs = Inputs {
            earning_periods: &self.periods,
            sales: &self.sales,
            partners: &self.partners,
            certifications: &self.certifications,
            domains: &self.domains,
            fx_rates: &self.fx_rates,
            grades: &self.grades,
            freezes: &self.freezes,
        };
        let incentives = compute(&inputs, &self.shelf)?;
        adds_up(&incentives);
        Ok(incentives)
    }

    /// Targets as `P1 bonus 2026-Q3 120.00 EUR`.
    pub fn targets(&self) -> Vec<String> {
        let targets = self.compute().unwrap().targets;
        targets
            .iter()
            .map(|t| format!("{} {} {} {}", t.partner, t.scheme, t.earning_period, t.amount))
            .collect()
    }

    /// The amount of the only target, without its currency.
    pub fn amount(&self) -> String {
        let targets = self.compute().unwrap().targets;
        assert_eq!(targets.len(), 1);
        targets[0].amount.dec().to_string()
    }

    /// Rows as `domain component basis rate factor amount lines (reason)`, numbers without zeros at the end, `-` for
    /// null.
    pub fn rows(&self) -> Vec<String> {
        let table = self.compute().unwrap().rebates;
        let shown = |row: crate::domain::RowRef<'_>, column: &str| match row.get(column).unwrap() {
            Value::Null => "-".to_owned(),
            Value::Dec(d) => super::table::plain(&d.ratio()),
            other => other.to_string(),
        };
        let line = |row| {
            let columns = ["domain", "component", "basis", "rate", "factor", "amount", "lines"];
            let values: Vec<String> = columns.iter().map(|c| shown(row, c)).collect();
            let reason = row
                .opt_text("reason")
                .unwrap()
                .map(|r| format!(" ({r})"))
                .unwrap_or_default();
            format!("{}{reason}", values.join(" ")).trim_start().to_owned()
        };
        table.iter().map(line).collect()
    }
}

fn words<const N: usize>(row: &str) -> [&str; N] {
    row.split(' ').collect::<Vec<_>>().try_into().unwrap()
}

const SALES: [&str; 17] = [
    "partner_id",
    "line_kind",
    "service_model",
    "product_id",
    "domain",
    "family",
    "category",
    "incentive_eligible",
    "currency",
    "ordered_on",
    "invoiced_on",
    "paid",
    "is_return",
    "lines",
    "net_amount",
    "list_amount",
    "quantity",
];

/// Holds in every test: the components of a target add up to what it earned, to the last published decimal, and that
/// is the target.
pub(super) fn adds_up(incentives: &Incentives) {
    let mut sums: BTreeMap<String, (Ratio, Option<Ratio>)> = BTreeMap::new();
    for row in incentives.rebates.iter() {
        let [p, s, e] = ["partner_id", "scheme", "earning_period"].map(|c| row.text(c).unwrap());
        let (sum, earned) = sums.entry(format!("{p} {s} {e}")).or_insert((Ratio::zero(), None));
        let amount = row.ratio("amount").unwrap();
        if row.text("component").unwrap() == "earned" {
            assert_eq!(row.ratio("booked").unwrap(), amount);
            *earned = Some(amount);
        } else {
            assert!(row.get("booked").unwrap().is_null());
            *sum = &*sum + &amount;
        }
    }
    for target in &incentives.targets {
        let key = format!("{} {} {}", target.partner, target.scheme, target.earning_period);
        assert_eq!(
            sums[&key],
            (target.amount.dec().ratio(), Some(target.amount.dec().ratio())),
            "{key}"
        );
    }
}
