//! Worked figures: published examples of rebates, each restated in the words of the rule book and computed by the
//! whole stage.
//!
//! Amounts per unit are written as rates on the number of units: 10 a unit is 1000 %. Where an example's upper edge
//! belongs to the lower band, the next band begins a cent above it.

use super::fixture::{World, cap, flat, marginal, number, scheme, whole};
use crate::domain::{Currency, Money, Rounding};
use crate::rules::{Method, Modifier};

/// Earned on a basis, in EUR.
fn earned_with(method: &Method, modifiers: &[Modifier], basis: &str) -> String {
    let mut scheme = scheme(method.clone());
    scheme.modifiers = modifiers.to_vec();
    World::new([scheme])
        .sale(&format!("P1 ups EUR {basis} 2026-07-05"))
        .amount()
}

fn earned(method: &Method, basis: &str) -> String {
    earned_with(method, &[], basis)
}

#[test]
fn one_table_of_bands_two_methods() {
    // 10 % up to 1,000, 25 % above; on 2,000: 100 + 250, or 25 % of all
    assert_eq!(earned(&marginal("0: 10 %, 1000: 25 %"), "2000"), "350.00");
    assert_eq!(earned(&whole("0: 10 %, 1000: 25 %"), "2000"), "500.00");
    // 12,000,000: 50,000 + 75,000 + 40,000, or 2 % of all
    let bands = "0: 1 %, 5000000: 1.5 %, 10000000: 2 %";
    assert_eq!(earned(&marginal(bands), "12000000"), "165000.00");
    assert_eq!(earned(&whole(bands), "12000000"), "240000.00");
}

#[test]
fn a_filled_middle_band_pays_its_width_and_not_its_upper_edge() {
    // 3,800 over 10 / 20 / 30 %: 10 + 40 + 1,050 = 1,100; paying the middle band on 300 would give 1,120
    assert_eq!(earned(&marginal("0: 10 %, 100: 20 %, 300: 30 %"), "3800"), "1100.00");
    assert_eq!(earned(&whole("0: 10 %, 100: 20 %, 300: 30 %"), "3800"), "1140.00");
    // the top band is open
    assert_eq!(earned(&whole("0: 10 %, 100: 20 %, 300: 30 %"), "6000.01"), "1800.00");
}

#[test]
fn a_contract_of_three_bands_with_a_cap() {
    // 2,000 at 0.25 % is 5, 3,000 at 0.5 % is 15, 5,000 at 1.5 % is 75
    let method = marginal("0: 0.25 %, 2000: 0.50 %, 5000: 1.50 %");
    let world = |basis: &str| {
        let mut scheme = scheme(method.clone());
        scheme.modifiers = vec![cap("1000")];
        let mut world = World::new([scheme]);
        world.sale(&format!("P1 ups EUR {basis} 2026-07-05"));
        world
    };
    let rows = world("10000").rows();
    let bands: Vec<&str> = rows
        .iter()
        .map(String::as_str)
        .filter(|r| r.starts_with("band"))
        .collect();
    assert_eq!(
        bands,
        [
            "band:1 2000 0.0025 - 5 0",
            "band:2 3000 0.005 - 15 0",
            "band:3 5000 0.015 - 75 0"
        ]
    );
    assert_eq!(world("10000").amount(), "95.00");
    // 20 + 0.015·65,333.33 = 999.99995 is under the cap, one cent more of basis is 1,000.0001
    assert_eq!(world("70333.33").amount(), "1000.00");
    assert!(!world("70333.33").rows().iter().any(|r| r.starts_with("modifier:cap")));
    assert!(world("70333.34").rows().iter().any(|r| r.starts_with("modifier:cap")));
}

#[test]
fn one_rate() {
    assert_eq!(earned(&flat("10 %"), "3800"), "380.00");
    assert_eq!(earned(&flat("3 %"), "630000"), "18900.00"); // on the actual amount, not on the edge of 600,000
    assert_eq!(earned(&flat("20 %"), "250"), "50.00"); // 2 for 10 pieces
    assert_eq!(earned(&whole("0: 0 %, 1000000: 5 %"), "1200000"), "60000.00"); // target reached, paid on all
    assert_eq!(earned(&whole("0: 0 %, 1000000: 5 %"), "999999.99"), "0.00");
    // the band follows from the sum: 50 + 75 reach the second one
    let mut world = World::new([scheme(whole("0: 10 %, 100: 15 %"))]);
    world.sale("P1 ups EUR 50 2026-07-05").sale("P1 ups EUR 75 2026-08-05");
    assert_eq!(world.amount(), "18.75");
}

#[test]
fn one_order_in_two_deliveries_earns_once() {
    let mut world = World::new([scheme(flat("10 %"))]);
    world
        .sale("P1 ups EUR 500 2026-07-05")
        .sale("P1 ups EUR 500 2026-07-06");
    assert_eq!(world.amount(), "100.00");
}

#[test]
fn a_cap_is_a_line_of_its_own() {
    let mut capped = scheme(flat("100 %"));
    capped.modifiers = vec![cap("125")];
    let mut world = World::new([capped.clone()]);
    world.sale("P1 ups EUR 150 2026-07-05");
    let expected = [
        "basis 150 - - 0 1",
        "earned 150 - - 125 1",
        "flat 150 1 - 150 1",
        "modifier:cap 150 - - -25 0 (at most 125 EUR)",
        "rounding 125 - - 0 0",
    ];
    assert_eq!(world.rows(), expected);
    let mut exact = World::new([capped]);
    exact.sale("P1 ups EUR 125 2026-07-05"); // reached and not exceeded: nothing is cut
    assert_eq!(exact.rows().len(), 4);
    assert_eq!(earned_with(&flat("5 %"), &[cap("1000")], "30000"), "1000.00"); // 1,500 held at 1,000
}

#[test]
fn who_owns_an_edge() {
    // at most 200 pay 2 a unit, from 201 on 5 a unit, on all of it
    let volume = whole("0: 200 %, 201: 500 %");
    assert_eq!([earned(&volume, "200"), earned(&volume, "201")], ["400.00", "1005.00"]);
    // decimal edges leave no gap: 0.1·10 + 0.4·5 = 3
    assert_eq!(earned(&marginal("0: 1000 %, 0.1: 500 %, 1: 200 %"), "0.5"), "3.00");
    // between two bands that were labelled with whole numbers: the upper one
    let labelled = whole("0: 200 %, 100.01: 100 %, 200.01: 50 %");
    assert_eq!(
        [earned(&labelled, "100.5"), earned(&labelled, "101")],
        ["100.50", "101.00"]
    );
    // exactly on an edge that the lower band owns
    let owned_below = whole("0: 1.75 %, 1500000.01: 2.50 %, 3000000.01: 3.25 %");
    assert_eq!(earned(&owned_below, "1500000"), "26250.00");
    // a unit more can pay less, when the band reached pays on all
    let falling = whole("0: 1000 %, 15.01: 500 %");
    assert_eq!(
        [earned(&falling, "15"), earned(&falling, "16"), earned(&falling, "100")],
        ["150.00", "80.00", "500.00"]
    );
    // the sale that crosses an edge counts towards the band
    let levels = whole("0: 1 %, 10000: 2 %, 20000: 3 %");
    for (basis, rate) in [
        ("25000", "750.00"),
        ("4500", "45.00"),
        ("11000", "220.00"),
        ("21000", "630.00"),
        ("27000", "810.00"),
    ] {
        assert_eq!(earned(&levels, basis), rate);
    }
    let units = marginal("0: 100 %, 100: 200 %");
    assert_eq!(
        ["20", "80", "120"].map(|q| earned(&units, q)),
        ["20.00", "80.00", "140.00"]
    );
}

#[test]
fn cumulative_amounts_whose_differences_are_posted() {
    let marginal = marginal("0: 100 %, 5: 200 %, 10: 300 %");
    // 3; 5 + 2·2; 5 + 10 + 2·3
    assert_eq!(
        ["3", "7", "12"].map(|q| earned(&marginal, q)),
        ["3.00", "9.00", "21.00"]
    );
    let step = whole("0: 0 %, 5000: 2 %, 20000: 4 %");
    assert_eq!(
        ["3000", "7000", "27000"].map(|q| earned(&step, q)),
        ["0.00", "140.00", "1080.00"]
    );
    let thousandth = flat("0.1 %");
    assert_eq!(
        ["333", "666", "100", "102"].map(|q| earned(&thousandth, q)),
        ["0.33", "0.67", "0.10", "0.10"]
    );
    let capped = |q| earned_with(&flat("1000 %"), &[cap("50")], q);
    assert_eq!(["3", "6", "4", "7"].map(capped), ["30.00", "50.00", "40.00", "50.00"]);
    let falling = |q| earned_with(&whole("0: 1000 %, 15.01: 500 %"), &[cap("100")], q);
    assert_eq!(["15", "16"].map(falling), ["100.00", "80.00"]);
}

#[test]
fn no_lines_make_no_target_and_a_sale_with_its_refund_makes_one_of_zero() {
    let mut world = World::new([scheme(flat("10 %"))]);
    assert!(world.targets().is_empty());
    world.sale("P1 ups EUR 1000 2026-07-05");
    assert_eq!(world.targets(), ["P1 bonus 2026-Q3 100.00 EUR"]);
    world.sale("P1 ups EUR -1000 2026-07-05");
    assert_eq!(world.targets(), ["P1 bonus 2026-Q3 0.00 EUR"]);
}

#[test]
fn earned_only_when_paid() {
    let mut scheme = scheme(flat("10 %"));
    scheme.paid_in_full = true;
    let mut world = World::new([scheme.clone()]);
    world.sale("P1 ups EUR 100 2026-07-05 unpaid");
    assert!(world.targets().is_empty());
    assert_eq!(world.rows(), ["unpaid:EUR 100 - - 0 1 (not paid in full)"]);
    assert_eq!(World::new([scheme]).sale("P1 ups EUR 100 2026-07-05").amount(), "10.00");
}

#[test]
fn rounding_is_symmetric_in_sign_and_never_of_a_rate() {
    assert_eq!(earned(&flat("1 %"), "1234.5"), "12.35"); // 12.345
    assert_eq!(earned(&flat("1 %"), "-1234.5"), "-12.35");
    // 4.3 % on 100,000: 4,300; with a rate rounded to 4 % it would be 4,000
    assert_eq!(earned(&flat("4.3 %"), "100000"), "4300.00");
    let euro = Currency::parse("EUR").unwrap();
    let rounded = |t| {
        Money::rounded(&number(t), euro, Rounding::HalfAwayFromZero)
            .unwrap()
            .to_string()
    };
    assert_eq!([rounded("12.345"), rounded("-12.345")], ["12.35 EUR", "-12.35 EUR"]);
}

#[test]
fn allocations_add_up() {
    let split = |cents, weights: &[i64]| {
        let weights: Vec<_> = weights.iter().map(|w| number(&w.to_string())).collect();
        let parts = Money::from_minor(cents, Currency::parse("EUR").unwrap())
            .unwrap()
            .allocate(&weights)
            .unwrap();
        parts.iter().map(|p| p.minor_units()).collect::<Vec<_>>()
    };
    assert_eq!(split(5, &[70, 30]), [4, 1]);
    assert_eq!(split(5, &[30, 70]), [2, 3]);
    assert_eq!(split(800, &[1, 1, 1]), [267, 267, 266]);
}
