//! A small contract for the tests of this room.

use super::{Contract, read};

/// A fact feed with something of everything: key, reference, ranges, allowed values, formats, money, checks.
pub(super) const ORDERS: &str = r#"apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.2.3
status: active
schema:
  - name: orders
    description: Order lines.
    customProperties:
      - {property: kind, value: fact}
      - {property: businessDate, value: ordered_on}
      - {property: partition, value: month}
    properties:
      - {name: order_id, description: Key., logicalType: string, physicalType: VARCHAR, required: true, primaryKey: true, primaryKeyPosition: 2, customProperties: [{property: format, value: id}]}
      - {name: region, description: Key., logicalType: string, physicalType: VARCHAR, required: true, primaryKey: true, primaryKeyPosition: 1}
      - name: partner_id
        description: Partner.
        logicalType: string
        physicalType: VARCHAR
        required: true
        relationships: [{to: partners.partner_id, type: foreignKey}]
      - name: tier
        description: Tier.
        logicalType: string
        physicalType: VARCHAR
        quality: [{metric: invalidValues, arguments: {validValues: [gold, silver]}, mustBe: 0}]
      - name: share
        description: Share from 0 to 1.
        logicalType: number
        physicalType: DECIMAL(5,4)
        logicalTypeOptions: {minimum: 0, maximum: 1}
      - {name: amount, description: Amount., logicalType: number, physicalType: "DECIMAL(18,4)", customProperties: [{property: money, value: currency}]}
      - {name: currency, description: Currency., logicalType: string, physicalType: VARCHAR, customProperties: [{property: format, value: currency}]}
      - {name: ordered_on, description: Day., logicalType: date, physicalType: DATE, required: true, logicalTypeOptions: {minimum: "2000-01-01"}}
      - {name: paid_on, description: Day., logicalType: date, physicalType: DATE}
      - {name: comment, description: Comment., logicalType: string, physicalType: VARCHAR, classification: personal, logicalTypeOptions: {pattern: '^[a-z ]+$'}}
      - {name: arrival, description: Lineage., logicalType: integer, physicalType: BIGINT, required: true, customProperties: [{property: role, value: lineage}]}
      - {name: source_file, description: Lineage., logicalType: string, physicalType: VARCHAR, required: true, customProperties: [{property: role, value: lineage}]}
      - {name: source_line, description: Lineage., logicalType: integer, physicalType: BIGINT, required: true, customProperties: [{property: role, value: lineage}]}
      - {name: month, description: Partition., logicalType: string, physicalType: VARCHAR, required: true, partitioned: true, customProperties: [{property: role, value: partition}]}
    quality:
      - {id: paid-after-ordered, type: custom, engine: starledger, implementation: paid_on >= ordered_on, severity: reject, description: Paid before it was ordered.}
      - {id: amount-has-currency, type: custom, engine: starledger, implementation: currency present with amount, severity: reject, description: No currency.}
      - {id: gold-is-paid, type: custom, engine: starledger, implementation: "paid_on present when tier = 'gold'", severity: warn, description: Gold pays at once.}
"#;

pub(super) const PARTNERS: &str = r"apiVersion: v3.1.0
kind: DataContract
id: partners
version: 1.0.0
status: active
schema:
  - name: partners
    description: Partners.
    customProperties:
      - {property: kind, value: reference}
    properties:
      - {name: partner_id, description: Key., logicalType: string, physicalType: VARCHAR, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: parent_id, description: Parent., logicalType: string, physicalType: VARCHAR, relationships: [{to: partners.partner_id}]}
      - {name: arrival, description: Lineage., logicalType: integer, physicalType: BIGINT, required: true, customProperties: [{property: role, value: lineage}]}
      - {name: source_file, description: Lineage., logicalType: string, physicalType: VARCHAR, required: true, customProperties: [{property: role, value: lineage}]}
      - {name: source_line, description: Lineage., logicalType: integer, physicalType: BIGINT, required: true, customProperties: [{property: role, value: lineage}]}
";

/// An output with a key, a decimal and a list; `more` are further columns, each a line of flow YAML.
pub(super) fn output(name: &str, more: &[&str]) -> String {
    let mut text = format!(
        "apiVersion: v3.1.0
kind: DataContract
id: {name}
version: 1.0.0
status: active
schema:
  - name: {name}
    description: Results.
    customProperties:
      - {{property: kind, value: output}}
    properties:
      - {{name: id, description: Key., logicalType: string, physicalType: VARCHAR, required: true, primaryKey: true, primaryKeyPosition: 1}}
      - {{name: score, description: Score., logicalType: number, physicalType: \"DECIMAL(5,2)\", logicalTypeOptions: {{minimum: 0, maximum: 100}}}}
"
    );
    for column in more {
        text.push_str("      - ");
        text.push_str(column);
        text.push('\n');
    }
    text
}

pub(super) fn orders() -> Contract {
    read("schemas/orders.odcs.yaml", ORDERS).unwrap()
}
