//! The stories in the rows: what becomes of parts, who has answers enough, whom a cap binds.

use std::collections::{BTreeMap, BTreeSet};

use super::tests::{Feeds, NOTHING, Row, clean, values};

#[test]
fn everything_that_can_become_of_a_part_does() {
    let parts = &clean()["spare_parts"];
    let all = BTreeSet::from(["open", "returned", "retained", "lost", "charged"]);
    assert_eq!(values(parts, "disposition"), all);
    let some = |test: &dyn Fn(&Row) -> bool| assert!(parts.iter().any(test));
    some(&|p| {
        p["returned_quantity"]
            .parse::<u32>()
            .is_ok_and(|n| n < p["quantity"].parse().unwrap())
    });
    some(&|p| p["serial_in"] != p["serial_out"] && p["serial_in"].starts_with("SN"));
    some(&|p| !NOTHING.contains(&p["extended_to"].as_str()));
    some(&|p| NOTHING.contains(&p["received_on"].as_str()));
}

/// Pieces of the loans of some partners, and how many of them are never settled.
fn pieces(parts: &[Row], of: &dyn Fn(&str) -> bool) -> (u64, u64) {
    let number = |part: &Row, column: &str| part[column].parse::<u64>().ok();
    let still_out = |part: &Row| {
        let lent = number(part, "quantity").unwrap();
        let back = number(part, "returned_quantity").unwrap_or(lent);
        let other = part["serial_in"].starts_with("SN") && part["serial_in"] != part["serial_out"];
        match part["disposition"].as_str() {
            "retained" => 0,
            "returned" if !other => lent - back,
            _ => lent,
        }
    };
    parts
        .iter()
        .filter(|part| of(&part["partner_id"]))
        .fold((0, 0), |(all, out), part| {
            (all + number(part, "quantity").unwrap(), out + still_out(part))
        })
}

#[test]
fn most_parts_come_home() {
    let parts = &clean()["spare_parts"];
    let overdue = |id: &str| id == "AP-0018";
    let declining = |id: &str| ["EM-0003", "AP-0024", "LA-0033"].contains(&id);
    let (all, out) = pieces(parts, &|id| !overdue(id) && !declining(id));
    assert!(out * 100 < all * 3, "{out} of {all} pieces of the others stay out");
    for (who, least) in [(&overdue as &dyn Fn(&str) -> bool, 8), (&declining, 8)] {
        let (all, out) = pieces(parts, who);
        assert!((least..40).contains(&(out * 100 / all)), "{out} of {all}");
    }
}

#[test]
fn some_loans_are_older_than_the_first_quarter() {
    let parts = &clean()["spare_parts"];
    let before = |part: &&Row| {
        let shipped_on = part["shipped_on"].as_str();
        // by region: 2025-09-01, 09/01/2025, 01.09.2025
        ["2025-08", "2025-09", ".08.2025", ".09.2025"]
            .iter()
            .any(|month| shipped_on.contains(month))
            || (shipped_on.starts_with("08/") || shipped_on.starts_with("09/")) && shipped_on.ends_with("/2025")
    };
    let opening: Vec<_> = parts.iter().filter(before).collect();
    assert!((5..20).contains(&opening.len()), "{}", opening.len());
    assert!(opening.iter().all(|part| part["disposition"] != "open"));
}

/// Answers that count, by partner and domain letters, in the quarter of this short name; and those of one customer.
fn answers(feeds: &Feeds, quarter: &str) -> BTreeMap<String, Vec<String>> {
    let deliveries: BTreeMap<&str, &Row> = feeds["deliveries"]
        .iter()
        .filter(|d| d["service_model"] == "collaborative")
        .map(|d| (d["delivery_id"].as_str(), d))
        .collect();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for survey in &feeds["surveys"] {
        let counts = !NOTHING.contains(&survey["rating"].as_str())
            && ["false", "no"].contains(&survey["vendor_fault"].as_str())
            && !survey["responsibility_share"].starts_with("0.0000")
            && survey["selected_by"] != "partner_nominated"
            && survey["delivery_id"].contains(quarter);
        if let Some(delivery) = deliveries.get(survey["delivery_id"].as_str()).filter(|_| counts) {
            let key = format!("{} {}", delivery["partner_id"], &delivery["product_id"][..2]);
            found.entry(key).or_default().push(survey["customer_id"].clone());
        }
    }
    found
}

#[test]
fn a_third_of_the_partners_have_enough_answers() {
    let feeds = clean();
    for quarter in ["25Q4", "26Q1", "26Q2", "26Q3"] {
        let found = answers(&feeds, quarter);
        let enough = found.values().filter(|customers| customers.len() >= 30).count();
        assert!(enough >= 13, "{enough} in {quarter}");
        for domain in ["EM-0001 RS", "EM-0001 WL"] {
            assert!(
                found[domain].len() >= 30,
                "{domain} in {quarter}: {}",
                found[domain].len()
            );
        }
        // a customer counts for four tenths at most; the others may count double
        let of_cloud = &found["EM-0005 CL"];
        let of_first = of_cloud.iter().filter(|customer| *customer == "CU-0005-000").count();
        let others = of_cloud.len() - of_first;
        assert!(
            of_first * 10 > (of_first + 2 * others) * 4,
            "{of_first} of {} in {quarter}",
            of_cloud.len()
        );
    }
}
