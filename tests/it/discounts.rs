//! The discount check of the sample, found again by plain whole numbers.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::support::{Workspace, ran_sample};

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

fn text<'a>(row: &'a Json, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_else(|| panic!("{column} of {row}"))
}

/// A decimal in units of its published places.
fn units(row: &Json, column: &str) -> i128 {
    text(row, column).replace('.', "").parse().expect("digits")
}

/// Per cent by tier and by stars, of the global edition.
const TIERS: [(&str, i128); 5] = [
    ("distributor", 30),
    ("vap", 25),
    ("gold", 20),
    ("silver", 15),
    ("authorized", 10),
];
const STARS: [(i64, i128); 3] = [(3, 17), (4, 20), (5, 23)];

/// What was current on a day: the row with the latest first day that is not behind it.
fn on<'r>(rows: &[&'r Json], day: &str) -> Option<&'r Json> {
    let begun = rows.iter().filter(|row| text(row, "valid_from") <= day);
    begun.max_by_key(|row| text(row, "valid_from").to_owned()).copied()
}

#[test]
fn every_sale_with_another_discount_than_allowed_is_found_with_its_leakage() {
    let workspace = ran_sample();
    let (partners, products) = (
        rows(&workspace, "SELECT * FROM partners"),
        rows(&workspace, "SELECT * FROM products"),
    );
    let held = rows(&workspace, "SELECT * FROM effective_certifications");
    let wider: BTreeMap<String, String> = rows(
        &workspace,
        "SELECT domain, member_of FROM domains WHERE member_of IS NOT NULL",
    )
    .iter()
    .map(|row| (text(row, "domain").to_owned(), text(row, "member_of").to_owned()))
    .collect();
    let of = |all: &'static str, rows: &[Json], id: &str| -> Vec<usize> {
        (0..rows.len()).filter(|i| text(&rows[*i], all) == id).collect()
    };
    let sales = rows(
        &workspace,
        "SELECT s.order_line_id AS order_line_id, s.partner_id AS partner_id, s.product_id AS product_id, s.service_model AS service_model, \
         s.list_amount AS list_amount, s.net_amount AS net_amount, s.currency AS currency, s.ordered_on AS ordered_on \
         FROM sales AS s WHERE s.line_kind = 'service' AND s.original_order_line_id IS NULL \
         AND s.ordered_on >= CAST('2025-10-01' AS DATE) AND s.ordered_on < CAST('2026-10-01' AS DATE)",
    );
    assert!(sales.len() > 1500, "{}", sales.len());
    let mut expected: BTreeMap<String, i128> = BTreeMap::new();
    for sale in &sales {
        let (partner, day) = (text(sale, "partner_id"), text(sale, "ordered_on"));
        let percent = if text(sale, "service_model") == "vendor" {
            let versions: Vec<&Json> = of("partner_id", &partners, partner)
                .iter()
                .map(|i| &partners[*i])
                .collect();
            let Some(version) = on(&versions, day) else { continue };
            TIERS
                .iter()
                .find(|(tier, _)| *tier == text(version, "tier"))
                .expect("a tier")
                .1
        } else {
            let versions: Vec<&Json> = of("product_id", &products, text(sale, "product_id"))
                .iter()
                .map(|i| &products[*i])
                .collect();
            let Some(version) = on(&versions, day) else { continue };
            let own = text(version, "domain").to_owned();
            let covering = [Some(own.clone()), wider.get(&own).cloned()];
            let stars = covering.iter().flatten().find_map(|domain| {
                let of_domain: Vec<&Json> = held
                    .iter()
                    .filter(|row| text(row, "partner_id") == partner && text(row, "domain") == domain)
                    .filter(|row| text(row, "valid_from") <= day && day < text(row, "valid_to"))
                    .collect();
                let found = on(&of_domain, day).filter(|row| matches!(text(row, "status"), "active" | "expired"));
                found.map(|row| row["stars"].as_i64().expect("stars"))
            });
            let Some(stars) = stars else { continue };
            STARS.iter().find(|(known, _)| *known == stars).expect("stars").1
        };
        // ten-thousandths; a hundredfold of a unit is what the currency rounds to
        let unit: i128 = match text(sale, "currency") {
            "JPY" | "CLP" => 10_000,
            "KWD" => 10,
            _ => 100,
        };
        let exact = units(sale, "list_amount") * (100 - percent);
        let allowed = (exact * 2 + unit * 100).div_euclid(unit * 200) * unit;
        let leakage = allowed - units(sale, "net_amount");
        if leakage != 0 {
            expected.insert(text(sale, "order_line_id").to_owned(), leakage);
        }
    }
    let found: BTreeMap<String, i128> = rows(&workspace, "SELECT order_line_id, leakage_amount FROM discount_checks")
        .iter()
        .map(|row| (text(row, "order_line_id").to_owned(), units(row, "leakage_amount")))
        .collect();
    assert!(found.len() > 100, "{}", found.len());
    assert_eq!(found, expected);
    let shown = workspace.ok(&["discounts", "2026-Q3", "--verdict", "over"]).stdout;
    assert!(shown.contains("leakage"), "{shown}");
}
