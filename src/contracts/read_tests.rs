//! Reading: what is read, and golden messages of typical mistakes.

use super::*;
use crate::contracts::model::{ColumnRole, ColumnType, Format, Op, Operand};
use crate::contracts::samples::{ORDERS, orders};

const FILE: &str = "schemas/orders.odcs.yaml";

/// Findings of the sample after replacing one text by another.
fn after(from: &str, to: &str) -> Vec<String> {
    assert!(ORDERS.contains(from), "{from}");
    read(FILE, &ORDERS.replacen(from, to, 1))
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn reads_everything() {
    let contract = orders();
    assert_eq!(
        (contract.name.as_str(), contract.version.as_str(), contract.kind),
        ("orders", "1.2.3", ContractKind::Fact)
    );
    assert_eq!(
        (contract.key.as_slice(), contract.partition, contract.business_date),
        ([1, 0].as_slice(), Some(13), Some(7))
    );
    assert_eq!(
        (contract.reject_threshold, contract.digest),
        (Dec::new(5, 2), Digest::of(ORDERS.as_bytes()))
    );
    let column = |name: &str| contract.columns.iter().find(|c| c.name == name).unwrap();
    assert_eq!(column("share").kind, ColumnType::Decimal { precision: 5, scale: 4 });
    assert_eq!(
        (column("share").minimum, column("share").maximum),
        (Some(Dec::ZERO), Some(Dec::from(1)))
    );
    assert_eq!(
        (column("tier").allowed.join(" "), column("tier").required),
        ("gold silver".into(), false)
    );
    assert_eq!(
        (column("order_id").format, column("amount").money),
        (Some(Format::Id), Some(6))
    );
    // 2000-01-01 is 10957 days after 1970-01-01: 30 years of 365 days and 7 leap days
    assert_eq!(column("ordered_on").minimum, Some(Dec::from(10957)));
    assert_eq!(
        column("partner_id").reference.as_ref().map(|r| r.table.as_str()),
        Some("partners")
    );
    assert!(column("comment").personal && column("arrival").role == ColumnRole::Lineage);
    assert_eq!(column("partner_id").line, 16);
    assert!(matches!(
        contract.checks[0],
        RowCheck {
            left: 8,
            op: Op::GreaterOrEqual,
            right: Operand::Column(7),
            ..
        }
    ));
    assert!(matches!(&contract.checks[2].right, Operand::ColumnIs(3, tier) if tier == "gold"));
}

#[test]
fn golden_messages_of_typical_mistakes() {
    let golden = [
        (
            "DECIMAL(5,4)",
            "DOUBLE",
            "error: schemas/orders.odcs.yaml:30: the column 'share' has the physicalType 'DOUBLE' (contract.type)\n  \
             help: write one of: VARCHAR, BIGINT, DECIMAL(18,4), BOOLEAN, DATE, TIMESTAMP",
        ),
        (
            "        required: true\n        relationships",
            "        requierd: true\n        relationships",
            "error: schemas/orders.odcs.yaml:20: the column 'partner_id' has the unknown key 'requierd' (contract.unknown-key)\n  \
             help: did you mean 'required'?",
        ),
        (
            "paid_on >= ordered_on",
            "payed_on >= ordered_on",
            "error: schemas/orders.odcs.yaml:42: a check names the unknown column 'payed_on' (contract.unknown-column)\n  \
             help: did you mean 'paid_on'?",
        ),
        (
            "property: businessDate",
            "property: busnessDate",
            "error: schemas/orders.odcs.yaml:11: the table has the unknown custom property 'busnessDate' (contract.unknown-key)\n  \
             help: did you mean 'businessDate'?",
        ),
        (
            "to: partners.partner_id",
            "to: partners",
            "error: schemas/orders.odcs.yaml:21: the column 'partner_id' refers to 'partners' (contract.reference)\n  \
             help: write table.column, such as partners.partner_id",
        ),
        (
            "validValues: [gold, silver]",
            "validValues: [gold, no]",
            "error: schemas/orders.odcs.yaml:26: 'validValues' holds the bare word 'no', which some readers take for a truth value (contract.value)\n  \
             help: quote it: \"no\"",
        ),
        (
            "value: currency}]",
            "value: tier}]",
            "error: schemas/orders.odcs.yaml:32: the amount 'amount' names 'tier' as its currency (contract.money)\n  \
             help: name a column with format: currency; the amount itself is a DECIMAL",
        ),
        (
            "severity: warn",
            "severity: warning",
            "error: schemas/orders.odcs.yaml:44: 'severity' is 'warning' (contract.value)\n  help: write one of: reject, warn, count",
        ),
        (
            "apiVersion: v3.1.0\n",
            "",
            "error: schemas/orders.odcs.yaml:1: the contract has no 'apiVersion' (contract.missing)\n  help: write apiVersion: v3.1.0",
        ),
    ];
    for (from, to, expected) in golden {
        let found = after(from, to);
        assert!(
            found.iter().any(|f| f == expected),
            "{expected}\nis not among\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn a_rule_that_would_not_be_applied_is_a_mistake() {
    for (from, to, part) in [
        (
            "minimum: 0, maximum: 1",
            "exclusiveMinimum: 0",
            "unknown key 'exclusiveMinimum'",
        ),
        ("mustBe: 0", "mustBe: 1", "a quality rule that is never run"),
        (
            "metric: invalidValues",
            "metric: nullValues",
            "a quality rule that is never run",
        ),
        (
            "engine: starledger, implementation: paid_on",
            "implementation: paid_on",
            "rule of type 'custom' on the table is never run",
        ),
        ("paid_on >= ordered_on", "paid_on >= amount", "cannot be compared"),
        (
            "paid_on >= ordered_on",
            "paid_on after ordered_on",
            "in no form that is known",
        ),
        ("paid_on >= ordered_on", "tier < 'gold'", "cannot be compared"),
        (
            "tier = 'gold'",
            "tier = 'bronze'",
            "compares 'tier' with 'bronze', which it never holds",
        ),
        ("paid_on >= ordered_on", "paid_on >= '2020-13-01'", "cannot be compared"),
        (
            "classification: personal",
            "classification: personel",
            "'classification' is 'personel'",
        ),
        ("pattern: '^[a-z ]+$'", "pattern: '['", "no regular expression"),
        (
            "minimum: \"2000-01-01\"",
            "minimum: \"1.1.2000\"",
            "'minimum' is '1.1.2000'",
        ),
        (
            "minimum: 0, maximum: 1",
            "minimum: 2, maximum: 1",
            "a minimum above its maximum",
        ),
    ] {
        let found = after(from, to);
        assert!(found[0].contains(part), "{part}: {found:?}");
    }
}

#[test]
fn the_shape_of_a_feed_is_held() {
    for (from, to, part) in [
        ("primaryKeyPosition: 2", "primaryKeyPosition: 3", "the positions 1, 3"),
        (
            "required: true, primaryKey: true, primaryKeyPosition: 1",
            "primaryKey: true, primaryKeyPosition: 1",
            "part of the key and not required",
        ),
        ("partitioned: true, ", "", "is not marked 'partitioned'"),
        (
            "value: ordered_on",
            "value: paid_on",
            "no business date that is a required DATE",
        ),
        (
            "{property: kind, value: fact}",
            "{property: kind, value: table}",
            "'kind' is 'table'",
        ),
        ("name: source_line", "name: line", "the lineage columns of a feed are"),
        ("name: comment", "name: tier", "the column 'tier' stands twice"),
        ("name: comment", "name: Comment", "is no plain word"),
        (
            "- name: orders",
            "- name: order",
            "the file describes the table 'order'",
        ),
        ("version: 1.2.3", "version: 1.2", "not of the form 1.0.0"),
    ] {
        let found = after(from, to);
        assert!(found.iter().any(|f| f.contains(part)), "{part}: {found:?}");
    }
}

#[test]
fn all_mistakes_are_found_at_once_in_the_order_of_the_file() {
    let text = ORDERS
        .replace("status: active", "stauts: active")
        .replace("DECIMAL(5,4)", "FLOAT")
        .replace("severity: warn", "severity: never");
    let lines: Vec<_> = read(FILE, &text)
        .unwrap_err()
        .iter()
        .map(|f| f.place.line.unwrap())
        .collect();
    assert_eq!(lines, [1, 5, 30, 44]);
}

#[test]
fn drift_held_days_and_service_levels() {
    let plain = orders();
    assert_eq!(
        (plain.drift, plain.held_days, plain.freshness),
        (Drift::DiscardValue, None, None)
    );
    assert_eq!(plain.columns[3].drift, Drift::DiscardRow);
    let levels = "status: active\nslaProperties:\n  - {property: frequency, value: 31, unit: d}\n  - {property: latency, value: 45, unit: d}\n";
    let text = ORDERS
        .replace("status: active\n", levels)
        .replace(
            "{property: partition, value: month}",
            "{property: partition, value: month}\n      - {property: heldDays, value: 90}\n      - {property: drift, value: freeze}",
        )
        .replace("mustBe: 0}]", "mustBe: 0}]\n        customProperties: [{property: drift, value: evolve}]");
    let contract = read(FILE, &text).unwrap();
    assert_eq!((contract.drift, contract.held_days), (Drift::Freeze, Some(90)));
    assert_eq!(contract.columns[3].drift, Drift::Evolve);
    let freshness = Freshness {
        every_days: 31,
        within_days: 45,
    };
    assert_eq!(contract.freshness, Some(freshness));
}

#[test]
fn a_drift_that_cannot_be_followed_is_a_mistake() {
    let of_table = |value| format!("{{property: partition, value: month}}\n      - {value}");
    let of_column = |value| format!("value: currency}}, {{property: drift, value: {value}}}]");
    for (from, to, part) in [
        (
            "{property: partition, value: month}",
            of_table("{property: drift, value: evolve}"),
            "there is no column 'extra'",
        ),
        (
            "{property: partition, value: month}",
            of_table("{property: heldDays, value: 0}"),
            "'heldDays' is '0', not a number of days from 1",
        ),
        (
            "value: currency}]",
            of_column("evolve"),
            "has no allowed values, and its drift is evolve",
        ),
        ("value: currency}]", of_column("ignore"), "'drift' is 'ignore'"),
        (
            "value: id}]",
            "value: id}, {property: drift, value: discard_value}]".to_owned(),
            "is required, and its drift is discard_value",
        ),
        (
            "value: lineage}]",
            "value: lineage}, {property: drift, value: freeze}]".to_owned(),
            "is not delivered, and has a drift",
        ),
        (
            "status: active\n",
            "status: active\nslaProperties: [{property: frequency, value: 1, unit: mo}]\n".to_owned(),
            "'unit' is 'mo'",
        ),
    ] {
        let found = after(from, &to);
        assert!(found.iter().any(|f| f.contains(part)), "{part}: {found:?}");
    }
    let extra =
        "      - {name: extra, description: New., logicalType: string, physicalType: VARCHAR}\n      - {name: arrival";
    let text = ORDERS
        .replace(
            "{property: partition, value: month}",
            &of_table("{property: drift, value: evolve}"),
        )
        .replacen("      - {name: arrival", extra, 1);
    assert_eq!(
        read(FILE, &text).map(|c| c.drift).map_err(|f| f[0].to_string()),
        Ok(Drift::Evolve)
    );
}

#[test]
fn thin_volumes() {
    let watched = |frequency: &str, properties: &str| {
        let text = ORDERS
            .replacen("schema:\n", &format!("{frequency}schema:\n"), 1)
            .replacen(
                "    customProperties:\n",
                &format!("    customProperties:\n{properties}"),
                1,
            );
        read(FILE, &text)
            .map(|c| c.thin)
            .map_err(|found| found[0].message.clone())
    };
    let frequency = "slaProperties: [{property: frequency, value: 31, unit: d}]\n";
    let own = "      - {property: thinShare, value: 0.25}\n      - {property: thinMinimum, value: 100}\n";
    assert_eq!(watched(frequency, ""), Ok(Thin::default()));
    let thin = Thin {
        share: Dec::new(25, 2),
        minimum_rows: 100,
    };
    assert_eq!(watched(frequency, own), Ok(thin));
    let message = "the volume of the table is not watched, and it has thinShare or thinMinimum";
    assert_eq!(watched("", own), Err(message.to_owned()));
    for (key, value, message) in [
        ("thinShare", "1.5", "'thinShare' is '1.5', not a share from 0 to 1"),
        ("thinMinimum", "-1", "'thinMinimum' is '-1', not a number of rows"),
    ] {
        let line = format!("      - {{property: {key}, value: {value}}}\n");
        assert_eq!(watched(frequency, &line), Err(message.to_owned()));
    }
}
