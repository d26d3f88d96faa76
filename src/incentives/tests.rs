//! The two schemes of a usual programme: rows in, rows out.

use std::collections::BTreeMap;

use super::fixture::{World, bands, by_stars, cap, flat, grade_factor, marginal, number, scheme};
use crate::domain::Rounding;
use crate::domain::ids::SchemeId;
use crate::rules::{Gate, GradeOf, Method, Scheme, SchemeDate, Scope};

/// Services by invoice date, paid in full, three bands, minimum 10,000, grade factor of the card.
fn sales_rebate() -> Scheme {
    Scheme {
        id: SchemeId::new("sales-rebate").unwrap(),
        date: SchemeDate::InvoicedOn,
        paid_in_full: true,
        gates: vec![Gate::MinimumSales {
            amount: number("10000"),
            by_currency: BTreeMap::new(),
        }],
        modifiers: vec![grade_factor(GradeOf::Card)],
        ..scheme(marginal("0: 1 %, 100000: 2 %, 250000: 3 %"))
    }
}

/// Eligible products by order date, rate by stars, certified throughout, grade factor of the domain.
fn certification_incentive() -> Scheme {
    Scheme {
        id: SchemeId::new("certification-incentive").unwrap(),
        scope: Scope {
            line_kinds: vec!["product".to_owned()],
            incentive_eligible_only: true,
            ..Scope::default()
        },
        gates: vec![Gate::CertifiedThroughout],
        modifiers: vec![grade_factor(GradeOf::Domain)],
        ..scheme(by_stars(["1 %", "1.5 %", "2 %"]))
    }
}

#[test]
fn a_sales_rebate_explains_itself() {
    let mut world = World::new([sales_rebate()]);
    world
        .sale("P1 ups EUR 200000.10 2026-06-30 invoiced=2026-07-01 lines=3")
        .grade("P1 card B");
    world.sale("P1 security EUR 100000 2026-07-02 invoiced=2026-09-30");
    world.sale("P1 ups EUR 7000 2026-09-30 invoiced=2026-10-01");
    world.sale("P1 ups EUR 500 2026-07-02 unpaid");
    // basis 300,000.10: 100,000 at 1 % = 1,000; 150,000 at 2 % = 3,000; 50,000.10 at 3 % = 1,500.003
    // gross 5,500.003; × 0.9 = 4,950.0027, rounded 4,950.00
    let expected = [
        "band:1 100000 0.01 - 1000 0",
        "band:2 150000 0.02 - 3000 0",
        "band:3 50000.1 0.03 - 1500.003 0",
        "basis 300000.1 - - 0 4",
        "earned 300000.1 - - 4950 4",
        "modifier:grade_factor 5500.003 - 0.9 -550.0003 0 (grade B)",
        "rounding 4950.0027 - - -0.0027 0",
        "unpaid:EUR 500 - - 0 1 (not paid in full)",
    ];
    assert_eq!(world.rows(), expected);
    assert_eq!(world.targets(), ["P1 sales-rebate 2026-Q3 4950.00 EUR"]);
}

#[test]
fn minimum_sales_is_reached_on_the_edge_and_does_not_keep_money_back() {
    let earned = |basis: &str| {
        let mut world = World::new([sales_rebate()]);
        world.grade("P1 card A").sale(&format!("P1 ups EUR {basis} 2026-07-05"));
        world
    };
    assert_eq!(earned("10000").amount(), "100.00");
    assert_eq!(earned("9999.99").amount(), "0.00");
    let expected = [
        "basis 9999.99 - - 0 1",
        "earned 9999.99 - - 0 1",
        "gate:minimum_sales 9999.99 - - 0 0 (the basis of 9999.99 EUR is under the minimum sales of 10000 EUR)",
        "rounding 0 - - 0 0",
    ];
    assert_eq!(earned("9999.99").rows(), expected);
    // a negative basis earns at the first band's rate: −5,000 at 1 %
    assert_eq!(earned("-5000").amount(), "-50.00");
    assert_eq!(earned("-5000").rows()[0], "band:1 -5000 0.01 - -50 0");
}

#[test]
fn bands_gates_and_caps_of_a_currency() {
    let yen = || "JPY".to_owned();
    let mut scheme = sales_rebate();
    scheme.method = Method::Marginal {
        bands: crate::rules::ByCurrency {
            default: bands("0: 1 %, 100000: 2 %"),
            by_currency: BTreeMap::from([(yen(), bands("0: 1 %, 10000000: 2 %"))]),
        },
        edge: crate::rules::Edge::Lower,
    };
    scheme.gates = vec![Gate::MinimumSales {
        amount: number("10000"),
        by_currency: BTreeMap::from([(yen(), number("1000000"))]),
    }];
    let mut world = World::new([scheme]);
    world
        .partner("P2 2025-01-01 emea JPY")
        .partner("P3 2025-01-01 emea JPY")
        .grade("P2 card A");
    world
        .sale("P2 ups JPY 12000000 2026-07-05")
        .sale("P3 ups JPY 999999 2026-07-05");
    // 10,000,000 at 1 % + 2,000,000 at 2 %
    assert_eq!(
        world.targets(),
        ["P2 sales-rebate 2026-Q3 140000 JPY", "P3 sales-rebate 2026-Q3 0 JPY"]
    );
}

#[test]
fn a_certification_incentive_by_domain() {
    let mut world = World::new([certification_incentive()]);
    world.certified("P1 networking 2026-01-01 2027-01-01 3 active");
    world
        .certified("P1 security 2026-01-01 2026-08-15 4 active")
        .certified("P1 security 2026-08-15 2027-01-01 5 active");
    world.certified("P1 ups 2026-07-02 2027-01-01 5 active");
    world
        .grade("P1 security B")
        .grade("P1 networking not_rated")
        .grade("P1 card E");
    world
        .sale("P1 security USD 1000 2026-08-14 product")
        .sale("P1 security USD 1000 2026-08-15 product");
    world
        .sale("P1 networking EUR 300 2026-07-01 product")
        .sale("P1 ups EUR 10000 2026-07-05 product");
    world
        .sale("P1 security EUR 9999 2026-08-01 product ineligible")
        .sale("P1 security EUR 9999 2026-08-01");
    world.rate("USD EUR 2026-08-14 0.9").rate("USD EUR 2026-08-15 0.8");
    // security: 900 at 1.5 % = 13.5 and 800 at 2 % = 16; × 0.9 = 26.55. networking: 300 at 1 % × 0.75 = 2.25
    let expected = [
        "earned 12000 - - 28.8 4",
        "rounding 28.8 - - 0 0",
        "networking basis 300 - - 0 1",
        "networking modifier:grade_factor 3 - 0.75 -0.75 0 (not rated)",
        "networking stars:3 300 0.01 - 3 1",
        "security basis 1700 - - 0 2",
        "security modifier:grade_factor 29.5 - 0.9 -2.95 0 (grade B)",
        "security stars:4 900 0.015 - 13.5 1",
        "security stars:5 800 0.02 - 16 1",
        "ups basis 10000 - - 0 1",
        "ups gate:certified_throughout 10000 - - 0 0 (no certification for ups was active throughout 2026-Q3)",
    ];
    assert_eq!(world.rows(), expected);
    assert_eq!(world.targets(), ["P1 certification-incentive 2026-Q3 28.80 EUR"]);
}

#[test]
fn the_narrowest_certification_is_sought_among_those_that_pass_the_gate() {
    let mut scheme = certification_incentive();
    scheme.modifiers.clear();
    let world = |scheme: Scheme| {
        let mut world = World::new([scheme]);
        world.certified("P1 networking 2026-01-01 2027-01-01 3 active");
        world.certified("P1 security 2026-07-02 2027-01-01 5 active");
        world
            .sale("P1 security EUR 1000 2026-08-01 product")
            .sale("P1 security EUR 100 2026-07-01 product");
        world
    };
    // security began a day late: networking counts, at 1 %
    let rows = world(scheme.clone()).rows();
    assert!(
        rows.contains(&"security stars:3 1100 0.01 - 11 2 (certified for networking)".to_owned()),
        "{rows:?}"
    );
    // without the gate the day decides: 1,000 at 2 % and 100 at 1 %
    scheme.gates.clear();
    assert_eq!(world(scheme.clone()).amount(), "21.00");
    // no certification earns nothing
    let mut none = World::new([scheme]);
    none.sale("P1 ups EUR 1000 2026-08-01 product");
    assert_eq!(none.amount(), "0.00");
    assert!(
        none.rows()
            .contains(&"ups stars:none 1000 0 - 0 1 (no active certification on the day)".to_owned())
    );
}

#[test]
fn one_rounding_for_all_domains_together() {
    let mut world = World::new([Scheme {
        gates: Vec::new(),
        modifiers: Vec::new(),
        ..certification_incentive()
    }]);
    world
        .certified("P1 networking 2026-01-01 2027-01-01 3 active")
        .certified("P1 ups 2026-01-01 2027-01-01 3 active");
    world
        .sale("P1 security EUR 0.40 2026-08-01 product")
        .sale("P1 ups EUR 0.40 2026-08-01 product");
    // 0.004 + 0.004 = 0.008; each rounded alone would be 0.00
    assert_eq!(world.amount(), "0.01");
}

#[test]
fn what_cannot_be_computed_is_said_all_at_once() {
    let mut bad = sales_rebate();
    bad.gates.push(Gate::CertifiedThroughout);
    bad.modifiers.push(cap("-1"));
    let mut world = World::new([bad]);
    world
        .partner("P2 2025-01-01 mars EUR")
        .partner("P3 2026-10-01 emea EUR")
        .partner("P4 2025-01-01 emea XXX");
    for partner in ["P1", "P2", "P3", "P4"] {
        world.sale(&format!("{partner} ups EUR 1000 2026-07-05"));
    }
    let error = world.compute().unwrap_err().to_string();
    assert_eq!(error.lines().count(), 3, "{error}");
    assert!(
        error.contains("2025-10-01.toml:10: scheme sales-rebate: its method joins all domains"),
        "{error}"
    );
    assert!(
        error.contains("its cap is below zero") && error.contains("region mars has no rules"),
        "{error}"
    );
    // unknown partners and currencies are findings; the others go on
    let mut world = World::new([scheme(flat("10 %"))]);
    world
        .partner("P3 2026-10-01 emea EUR")
        .partner("P4 2025-01-01 emea XXX");
    for partner in ["P1", "P3", "P4", "P5"] {
        world.sale(&format!("{partner} ups EUR 1000 2026-07-05"));
    }
    let result = world.compute().unwrap();
    let rules: Vec<&str> = result.findings.iter().map(|f| f.rule.as_str()).collect();
    assert_eq!(rules, ["no-partner-version", "no-partner-version", "unknown-currency"]);
    assert_eq!(world.targets(), ["P1 bonus 2026-Q3 100.00 EUR"]);
}

#[test]
fn published_decimals_add_up_whatever_is_cut_off() {
    // three rates with 8 decimals and amounts with 4 leave more than 12 decimals behind
    let mut world = World::new([Scheme {
        modifiers: vec![grade_factor(GradeOf::Card)],
        ..scheme(marginal("0: 0.3333333 %, 0.5: 1.7777777 %"))
    }]);
    world.rate("USD EUR 2026-07-05 0.87654321").grade("P1 card B");
    world
        .sale("P1 ups USD 1234.5678 2026-07-05")
        .sale("P1 ups USD -0.0001 2026-07-06");
    // 1,234.5677 × 0.87654321 = 1,082.151956…; 0.5·0.003333333 + 1,081.651956…·0.017777777 = 19.231034…; × 0.9 = 17.3079…
    assert_eq!(world.amount(), "17.31");
    let mut floor = scheme(flat("1 %"));
    floor.rounding = Rounding::Floor;
    assert_eq!(
        World::new([floor]).sale("P1 ups EUR -0.10 2026-07-05").amount(),
        "-0.01"
    );
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let mut world = World::new([sales_rebate(), certification_incentive()]);
    world
        .partner("P2 2025-01-01 emea JPY")
        .rate("USD EUR 2026-07-05 0.9")
        .rate("USD JPY 2026-07-05 155.5");
    world
        .certified("P1 ups 2026-01-01 2027-01-01 4 active")
        .certified("P1 ups 2026-02-01 2027-01-01 5 active");
    for row in [
        "P1 ups USD 12000.33 2026-07-05",
        "P2 ups USD 9.07 2026-07-06 product",
        "P1 ups EUR 1 2026-07-07 product",
    ] {
        world.sale(row).sale(&format!("{row} lines=2"));
    }
    let forward = world.compute().unwrap();
    for table in [
        &mut world.sales,
        &mut world.partners,
        &mut world.certifications,
        &mut world.fx_rates,
    ] {
        table.rows.reverse();
    }
    let backward = world.compute().unwrap();
    assert_eq!((forward.rebates, forward.targets), (backward.rebates, backward.targets));
}
