//! Reads the columns of a contract.
//!
//! Duty: one `properties` entry as a [`Column`], and what must hold within it and between columns (a key is required,
//! an amount has its currency). Not its duty: what must hold of the table (`read`).

use super::fields::{At, Fields, Reader};
use super::keys::{COLUMN_KEYS, COLUMN_PROPERTIES};
use super::model::{Column, ColumnRole, ColumnType, Drift, Format, Reference};
use super::read::is_word;
use super::rules::{allowed, check_format, options};
use super::yaml::{Content, Node};

/// Digits that a 128-bit decimal can always hold.
const MAX_PRECISION: u8 = 38;

/// A column together with what only the reading of the table needs.
pub(super) struct RawColumn {
    pub column: Column,
    /// 1, 2, … in the primary key.
    pub key_position: Option<i64>,
    pub partitioned: bool,
    /// Name and line of the currency column of an amount, not yet looked up.
    money: Option<(String, u64)>,
}

pub(super) fn read_columns<'a>(reader: &mut Reader<'a>, table: Fields<'a>) -> Vec<RawColumn> {
    let mut columns: Vec<RawColumn> = Vec::new();
    for node in reader.list(table, "properties") {
        let Some(raw) = read_column(reader, node) else { continue };
        if let Some(first) = columns.iter().find(|c| c.column.name == raw.column.name) {
            let message = format!(
                "the column '{}' stands twice; the first is on line {}",
                raw.column.name, first.column.line
            );
            reader.error(raw.column.line, "contract.name", message, "keep one of the two");
            continue;
        }
        columns.push(raw);
    }
    if columns.is_empty() {
        reader.error(
            table.line,
            "contract.missing",
            "the table has no columns",
            "list them under 'properties:'",
        );
    }
    link_money(reader, &mut columns);
    columns
}

fn read_column<'a>(reader: &mut Reader<'a>, node: &'a Node) -> Option<RawColumn> {
    let fields = reader.fields(node, &called(node), COLUMN_KEYS)?;
    let name = reader.need(fields, "a column", "name", "name it: name: partner_id")?;
    if !is_word(name.text) {
        let message = format!("the column name '{}' is no plain word", name.text);
        reader.error(
            name.line,
            "contract.name",
            message,
            "use small letters, digits and '_', a letter first",
        );
    }
    let what = called(node);
    reader.need(fields, &what, "description", "say what it holds, with its unit");
    let kind = kind(reader, fields, &what);
    let mut column = Column {
        name: name.text.to_owned(),
        // a stand-in after a finding, so that the rest of the column is looked at as well
        kind: kind.unwrap_or(ColumnType::Text),
        role: ColumnRole::Data,
        required: reader.flag(fields, "required"),
        allowed: Vec::new(),
        minimum: None,
        maximum: None,
        pattern: None,
        format: None,
        reference: reference(reader, fields, &what),
        personal: personal(reader, fields),
        money: None,
        drift: Drift::DiscardRow,
        line: fields.line,
    };
    let money = custom(reader, fields, &what, &mut column);
    if kind.is_some() {
        options(reader, fields, &what, &mut column);
        allowed(reader, fields, &what, &mut column);
        check_format(reader, fields, &what, &column);
        check_drift(reader, fields, &what, &column);
    }
    let key_position = key_position(reader, fields, &what, &column);
    let partitioned = reader.flag(fields, "partitioned");
    Some(RawColumn {
        column,
        key_position,
        partitioned,
        money,
    })
}

/// "the column 'x'", as far as it has a name.
fn called(node: &Node) -> String {
    let Content::Map(entries) = &node.content else {
        return "a column".into();
    };
    match entries.iter().find(|e| e.key == "name").map(|e| &e.value.content) {
        Some(Content::Scalar { text, .. }) => format!("the column '{text}'"),
        _ => "a column".into(),
    }
}

/// The physical type, which the logical type must agree with.
fn kind<'a>(reader: &mut Reader<'a>, fields: Fields<'a>, what: &str) -> Option<ColumnType> {
    const REMEDY: &str = "write one of: VARCHAR, BIGINT, DECIMAL(18,4), BOOLEAN, DATE, TIMESTAMP";
    let physical = reader.need(fields, what, "physicalType", REMEDY);
    let logical = reader.need(
        fields,
        what,
        "logicalType",
        "write one of: string, integer, number, boolean, date, timestamp",
    );
    let physical = physical?;
    let Some((kind, expected)) = parse_type(physical.text) else {
        let message = format!("{what} has the physicalType '{}'", physical.text);
        reader.error(physical.line, "contract.type", message, REMEDY);
        return None;
    };
    if let Some(logical) = logical.filter(|l| l.text != expected) {
        let message = format!(
            "{what} is {} and yet of the logicalType '{}'",
            physical.text, logical.text
        );
        reader.error(
            logical.line,
            "contract.type",
            message,
            format!("write logicalType: {expected}"),
        );
    }
    Some(kind)
}

/// The type of a text such as `DECIMAL(18,4)`, and the logical type that goes with it.
fn parse_type(text: &str) -> Option<(ColumnType, &'static str)> {
    Some(match text {
        "VARCHAR" => (ColumnType::Text, "string"),
        "BIGINT" => (ColumnType::Int, "integer"),
        "BOOLEAN" => (ColumnType::Bool, "boolean"),
        "DATE" => (ColumnType::Date, "date"),
        "TIMESTAMP" => (ColumnType::Instant, "timestamp"),
        _ => {
            let (precision, scale) = text.strip_prefix("DECIMAL(")?.strip_suffix(')')?.split_once(',')?;
            let precision: u8 = precision.trim().parse().ok()?;
            let scale: u8 = scale.trim().parse().ok()?;
            if !(1..=MAX_PRECISION).contains(&precision) || scale > precision {
                return None;
            }
            (ColumnType::Decimal { precision, scale }, "number")
        }
    })
}

fn reference<'a>(reader: &mut Reader<'a>, fields: Fields<'a>, what: &str) -> Option<Reference> {
    let items = reader.list(fields, "relationships");
    if let [_, second, ..] = items {
        let message = format!("{what} refers to more than one column");
        reader.error(
            second.line,
            "contract.reference",
            message,
            "keep one: a value is looked up in one place",
        );
    }
    let item = reader.fields(items.first()?, "a relationship", &["to", "type", "customProperties"])?;
    if let Some(kind) = reader.text(item, "type") {
        reader.choice(kind, "type", &[("foreignKey", ())]);
    }
    let to = reader.need(item, "a relationship", "to", "write to: table.column")?;
    match to.text.split_once('.') {
        Some((table, column)) if is_word(table) && is_word(column) => Some(Reference {
            table: table.to_owned(),
            column: column.to_owned(),
        }),
        _ => {
            let message = format!("{what} refers to '{}'", to.text);
            reader.error(
                to.line,
                "contract.reference",
                message,
                "write table.column, such as partners.partner_id",
            );
            None
        }
    }
}

fn personal<'a>(reader: &mut Reader<'a>, fields: Fields<'a>) -> bool {
    let classes = [
        ("personal", true),
        ("public", false),
        ("internal", false),
        ("confidential", false),
    ];
    let class = reader.text(fields, "classification");
    class
        .and_then(|at| reader.choice(at, "classification", &classes))
        .unwrap_or(false)
}

/// Role, format, drift and list items into the column; returns the currency column of an amount.
fn custom<'a>(reader: &mut Reader<'a>, fields: Fields<'a>, what: &str, column: &mut Column) -> Option<(String, u64)> {
    let mut money = None;
    let mut items = None;
    for (name, node) in reader.custom(fields, what, COLUMN_PROPERTIES) {
        if name.text == "items" {
            let Content::List(nodes) = &node.content else {
                reader.error(node.line, "contract.type", "'items' is not a list", "write [one, two]");
                continue;
            };
            items = Some((reader.texts(nodes, "'items'"), node.line));
            continue;
        }
        let Some(at) = reader.scalar(name, node) else { continue };
        match name.text {
            "role" => {
                let roles = [("lineage", ColumnRole::Lineage), ("partition", ColumnRole::Partition)];
                column.role = reader.choice(at, "role", &roles).unwrap_or(ColumnRole::Data);
            }
            "format" => column.format = reader.choice(at, "format", &FORMATS),
            "drift" => column.drift = reader.choice(at, "drift", &DRIFTS).unwrap_or(Drift::DiscardRow),
            _ => money = Some((at.text.to_owned(), at.line)),
        }
    }
    if let Some((texts, line)) = items {
        if column.format != Some(Format::List) {
            let message = format!("{what} has 'items' and is no list");
            reader.error(line, "contract.value", message, "add the custom property format: list");
        }
        column.allowed = texts;
    }
    money
}

pub(super) const DRIFTS: [(&str, Drift); 4] = [
    ("evolve", Drift::Evolve),
    ("freeze", Drift::Freeze),
    ("discard_row", Drift::DiscardRow),
    ("discard_value", Drift::DiscardValue),
];

/// A drift that could never be followed is a mistake.
fn check_drift(reader: &mut Reader<'_>, fields: Fields<'_>, what: &str, column: &Column) {
    let (message, remedy) = match column.drift {
        Drift::DiscardValue if column.required => (
            format!("{what} is required, and its drift is discard_value"),
            "let it be null, or write discard_row: a required value cannot be left out",
        ),
        Drift::Evolve if column.allowed.is_empty() => (
            format!("{what} has no allowed values, and its drift is evolve"),
            "evolve lets in what is not among validValues or items: list those, or write discard_row",
        ),
        drift if drift != Drift::DiscardRow && column.role != ColumnRole::Data => (
            format!("{what} is not delivered, and has a drift"),
            "remove the custom property drift",
        ),
        _ => return,
    };
    reader.error(fields.line, "contract.drift", message, remedy);
}

const FORMATS: [(&str, Format); 8] = [
    ("id", Format::Id),
    ("currency", Format::Currency),
    ("country", Format::Country),
    ("zone", Format::Zone),
    ("language", Format::Language),
    ("email", Format::Email),
    ("period", Format::Period),
    ("list", Format::List),
];

fn key_position<'a>(reader: &mut Reader<'a>, fields: Fields<'a>, what: &str, column: &Column) -> Option<i64> {
    let is_key = reader.flag(fields, "primaryKey");
    let position = reader.text(fields, "primaryKeyPosition");
    if is_key != position.is_some() {
        let message = format!("{what} has only one of 'primaryKey' and 'primaryKeyPosition'");
        reader.error(
            fields.line,
            "contract.key",
            message,
            "write primaryKey: true and its position, or neither",
        );
    }
    if is_key && !column.required {
        let message = format!("{what} is part of the key and not required");
        reader.error(fields.line, "contract.key", message, "write required: true");
    }
    let at = position.filter(|_| is_key)?;
    let number: Option<i64> = at.text.parse().ok();
    if number.is_none() {
        let message = format!("'primaryKeyPosition' is '{}'", at.text);
        reader.error(at.line, "contract.value", message, "write a number: 1, 2, …");
    }
    number
}

/// Finds the currency column of every amount.
fn link_money(reader: &mut Reader<'_>, columns: &mut [RawColumn]) {
    for i in 0..columns.len() {
        let Some((name, line)) = columns[i].money.take() else {
            continue;
        };
        let at = At { text: &name, line };
        let currency = columns.iter().position(|c| c.column.name == at.text);
        let is_currency = currency.is_some_and(|c| columns[c].column.format == Some(Format::Currency));
        if is_currency && matches!(columns[i].column.kind, ColumnType::Decimal { .. }) {
            columns[i].column.money = currency;
        } else {
            let message = format!("the amount '{}' names '{name}' as its currency", columns[i].column.name);
            let remedy = "name a column with format: currency; the amount itself is a DECIMAL";
            reader.error(at.line, "contract.money", message, remedy);
        }
    }
}
