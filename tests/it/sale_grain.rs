//! The measure of sales adds up what every scheme treats alike, and nothing else: what is earned on it is what is earned
//! on sales by line and by everything a product has, to the last digit and reason.

use std::collections::BTreeMap;
use std::fs;

use starledger::contracts::conform;
use starledger::domain::ids::PartnerId;
use starledger::domain::time::parse_date;
use starledger::domain::{Grade, Period, PeriodKind, Table};
use starledger::incentives::{self, Freeze, GradeRow, GradeState, Inputs};
use starledger::measures::engine::{Engine, Sources};
use starledger::measures::polars::Polars;
use starledger::measures::sale_days::{Cuts, Frozen, Sold};
use starledger::measures::sale_products::sale_products;
use starledger::pipeline::config::{self, Config};
use starledger::pipeline::explain::sales::SALES_BY_LINE;
use starledger::rules::{Books, Rules, Scheme};
use starledger::store::commit::Staging;
use starledger::store::layout::Layout;
use starledger::store::release::Release;

use crate::support::ran_sample;
use crate::support::workspace::repository;

/// Schemes beside those of the sample: months, families in and out, categories, service models, quantities, growth, gates
/// on other lines and on payment, kept progress, a stack, old rates, single products, tiers, stars, inverse and cross rates.
const MORE: &str = r#"
[schemes.family-bonus]
title = "Family bonus"
earning_period = "month"
date = "invoiced_on"
amount = "net"
paid_in_full = false
scope = { line_kinds = ["product"], families_out = ["rs-core"] }
method = "whole"
bands = [{ from = "0", rate = "0.5 %" }, { from = "20000", rate = "1 %" }]
modifiers = []
rounding = "half_away_from_zero"
fx_max_age_days = 0
returns = { recover = "50 %", progress = "kept" }
stacking = { group = "deals", order = 1, basis = "gross", reduces_others = true }
gates = { volume = { scope = { categories = ["C"], service_models = ["vendor"] }, of = "quantity", at_least = "3" } }

[schemes.rest-bonus]
title = "What is left"
earning_period = "month"
date = "invoiced_on"
amount = "net"
paid_in_full = true
scope = { categories = ["B", "C"] }
method = "flat"
rate = "3 %"
modifiers = []
rounding = "half_even"
fx_max_age_days = 30
stacking = { group = "deals", order = 2, basis = "net_of_earlier", reduces_others = true }

[schemes.volume-growth]
title = "Growth of volume"
earning_period = "quarter"
date = "ordered_on"
amount = "list"
decision = { on = "quantity" }
paid_in_full = false
scope = { domains = ["networking"] }
method = "growth"
modifiers = []
rounding = "down"
fx_max_age_days = 7
gates = { collected = "30 %" }
[schemes.volume-growth.growth]
on = "total"
over = "period_before"
no_prior = "first_band"
bands = [{ from = "0 %", rate = "1 %" }, { from = "10 %", rate = "2 %" }]

[schemes.picked]
title = "Single products of some tiers"
earning_period = "quarter"
date = "invoiced_on"
amount = "net"
paid_in_full = false
scope = { products = ["RS-B-100", "RS-B-200"], tiers = ["silver", "gold"] }
method = "flat"
rate = "2 %"
modifiers = []
rounding = "half_even"
fx_max_age_days = 7

[schemes.starred]
title = "Certified products but one"
earning_period = "quarter"
date = "ordered_on"
amount = "net"
paid_in_full = false
scope = { line_kinds = ["product"], products_out = ["RS-B-100"], stars_at_least = 4 }
method = "flat"
rate = "1 %"
modifiers = []
rounding = "half_even"
fx_max_age_days = 7
fx_inverse = true
fx_through = "EUR"
"#;

struct World {
    config: Config,
    release: Release,
    _workspace: crate::support::Workspace,
}

fn world() -> World {
    let workspace = ran_sample();
    let layout = Layout::new(workspace.path());
    let release = Release::current(&layout).expect("readable").expect("a release");
    let (config, _) = config::load(workspace.path()).expect("a configuration");
    World {
        config,
        release,
        _workspace: workspace,
    }
}

/// The rules of the sample with more schemes in every edition.
fn rules(more: &str) -> Rules {
    let folder = repository().join("pipelines/rules");
    let mut files = Vec::new();
    for region in fs::read_dir(&folder).expect("regions") {
        let region = region.expect("a region").path();
        for file in fs::read_dir(&region).expect("editions") {
            let path = file.expect("an edition").path();
            let name = path
                .strip_prefix(&folder)
                .expect("below")
                .to_string_lossy()
                .into_owned();
            let added = if name.starts_with("global") { more } else { "" };
            files.push((name, fs::read_to_string(&path).expect("a text") + "\n" + added));
        }
    }
    Rules::read(&files).expect("rules in order")
}

impl World {
    fn table(&self, name: &str) -> Table {
        self.release.read_table(name).expect("a table")
    }

    /// Those of the release; two change their tier within a quarter.
    fn partners(&self) -> Table {
        let mut table = self.table("partners");
        let column = |name: &str| table.column(name).expect("a column");
        let (id, from, tier) = (column("partner_id"), column("valid_from"), column("tier"));
        for (partner, day, to) in [
            ("EM-0001", "2026-02-20", "silver"),
            ("AP-0016", "2026-05-05", "authorized"),
        ] {
            let version = table.rows.iter().rfind(|row| row[id].to_string() == partner);
            let mut row = version.unwrap_or_else(|| panic!("no {partner}")).clone();
            assert_ne!(row[tier].to_string(), to, "{partner}");
            row[from] = parse_date(day).expect("a day").into();
            row[tier] = to.into();
            table.rows.push(row);
        }
        table.rows.sort_by(|a, b| (&a[id], &a[from]).cmp(&(&b[id], &b[from])));
        table
    }

    fn sources(&self, names: &[&str]) -> Sources {
        let paths = |name: &str| self.release.files_of(name).map(|f| self.release.path_of(f)).collect();
        names.iter().map(|name| ((*name).to_owned(), paths(name))).collect()
    }

    /// Sales as the measure has them, by some rules and freezes.
    fn measured(&self, rules: &Rules, freezes: &[Freeze]) -> Table {
        let scratch = tempfile::tempdir().expect("a folder");
        let mut staging = Staging::begin(&Layout::new(scratch.path()), 1, None, rules.hash()).expect("staging");
        let sales = self.table("sales");
        let mut sold = BTreeMap::new();
        for row in sales.iter() {
            let days = [row.date("ordered_on"), row.date("invoiced_on")].map(|day| day.expect("a day"));
            let key = (
                row.text("partner_id").expect("a partner"),
                row.text("currency").expect("a currency"),
            );
            let span = sold.entry(key).or_insert((days[0], days[1]));
            *span = (span.0.min(days[0]).min(days[1]), span.1.max(days[0]).max(days[1]));
        }
        let sold: Vec<Sold<'_>> = sold
            .into_iter()
            .map(|((partner, currency), (first_on, last_on))| Sold {
                partner,
                currency,
                first_on,
                last_on,
            })
            .collect();
        let frozen: Vec<Frozen<'_>> = freezes
            .iter()
            .map(|f| Frozen {
                partner: f.partner.as_str(),
                from: f.from,
                until: f.until,
            })
            .collect();
        let schemes: Vec<&Scheme> = rules.books().flat_map(|book| book.schemes.values()).collect();
        let (partners, certifications) = (self.partners(), self.table("effective_certifications"));
        let rates = self.table("fx_rates");
        let cuts = Cuts::read(
            &partners,
            &certifications,
            &rates,
            &frozen,
            schemes.iter().copied(),
            rules,
        );
        let cuts = cuts.expect("cuts");
        let products = sale_products(&self.table("products"), &self.table("domains"), schemes).expect("products");
        for table in [cuts.changes(&sold), cuts.days(&sold), cuts.partners(&sold), products] {
            let contract = self.config.contract(table.name());
            let table = conform(contract, table).expect("conforming");
            staging.put(contract, &table).expect("staged");
        }
        let measure = self
            .config
            .measures
            .iter()
            .find(|m| m.name == "sales")
            .expect("the measure");
        let mut sources = self.sources(&["sales", "payments"]);
        for table in &measure.tables {
            sources.entry(table.clone()).or_insert_with(|| staging.paths(table));
        }
        let table = Polars::default()
            .run("measures_sales", &measure.sql, &sources)
            .expect("measured");
        conform(self.config.contract("measures_sales"), table).expect("conforming")
    }

    fn earned(&self, rules: &Rules, freezes: &[Freeze], sales: &Table) -> Table {
        let mut periods = Vec::new();
        for kind in [PeriodKind::Month, PeriodKind::Quarter] {
            let first = parse_date("2025-10-01").expect("a day");
            let mut period = rules.programme().calendar.period_of(first, kind).expect("a period");
            while rules.programme().calendar.first_day(period) < parse_date("2026-10-01").expect("a day") {
                periods.push(period);
                period = period.next();
            }
        }
        let partners = self.partners();
        let inputs = Inputs {
            earning_periods: &periods,
            sales,
            partners: &partners,
            certifications: &self.table("effective_certifications"),
            domains: &self.table("domains"),
            fx_rates: &self.table("fx_rates"),
            grades: &grades(&partners, &periods),
            freezes,
        };
        incentives::compute(&inputs, rules as &dyn Books)
            .expect("computed")
            .rebates
    }
}

/// Every card a B; so that factors are at work.
fn grades(partners: &Table, periods: &[Period]) -> Vec<GradeRow> {
    let quarters = periods.iter().filter(|p| p.kind() == PeriodKind::Quarter);
    let of = |period: &Period| -> Vec<GradeRow> {
        let row = |row: starledger::domain::RowRef<'_>| GradeRow {
            partner: PartnerId::new(row.text("partner_id").expect("an id")).expect("an id"),
            domain: None,
            period: *period,
            state: GradeState::Rated,
            grade: Some(Grade::B),
            score: None,
            overdue_parts: None,
        };
        partners.iter().map(row).collect()
    };
    let mut rows: Vec<GradeRow> = quarters.flat_map(of).collect();
    rows.dedup();
    rows
}

/// Two partners frozen from and until days within quarters.
fn freezes() -> Vec<Freeze> {
    let freeze = |partner: &str, from: &str, until: &str| Freeze {
        partner: PartnerId::new(partner).expect("an id"),
        from: parse_date(from).expect("a day"),
        until: parse_date(until).expect("a day"),
    };
    vec![
        freeze("EM-0001", "2026-02-11", "2026-05-12"),
        freeze("LA-0030", "2026-08-20", "2026-11-18"),
    ]
}

#[test]
fn what_is_earned_does_not_depend_on_the_grain() {
    let world = world();
    let by_line = Polars::default()
        .run(
            "sales by line",
            SALES_BY_LINE,
            &world.sources(&["sales", "payments", "calendar_product_spans"]),
        )
        .expect("sales");
    for (what, more) in [("the sample's schemes", ""), ("more schemes", MORE)] {
        let rules = rules(more);
        for freezes in [Vec::new(), freezes()] {
            let measured = world.measured(&rules, &freezes);
            assert!(measured.rows.len() < by_line.rows.len(), "{what}");
            let (fine, coarse) = (
                world.earned(&rules, &freezes, &by_line),
                world.earned(&rules, &freezes, &measured),
            );
            assert!(fine.rows.len() > 100, "{what}: {}", fine.rows.len());
            for (a, b) in fine.rows.iter().zip(&coarse.rows) {
                assert_eq!(a, b, "{what}, {} freezes", freezes.len());
            }
            assert_eq!(fine.rows.len(), coarse.rows.len(), "{what}");
            if !more.is_empty() {
                for scheme in ["picked", "starred"] {
                    let pays = |row: &starledger::domain::RowRef<'_>| {
                        row.text("scheme").is_ok_and(|s| s == scheme)
                            && row.text("component").is_ok_and(|c| c == "earned")
                            && row.ratio("amount").is_ok_and(|a| a.is_positive())
                    };
                    assert!(fine.iter().any(|row| pays(&row)), "{scheme} earns nothing");
                }
            }
            if !freezes.is_empty() {
                let is_frozen =
                    |row: &starledger::domain::RowRef<'_>| row.text("component").is_ok_and(|c| c.starts_with("frozen"));
                assert!(fine.iter().any(|row| is_frozen(&row)), "{what}: nothing is frozen");
            }
        }
    }
}
