//! Reads what the values of a column are held to: range, pattern, allowed values, format.
//!
//! Duty: every rule that is written is one that will be applied; any other is a mistake. Not its duty: applying them
//! (`check`).

use regex::Regex;

use super::fields::{Fields, Reader};
use super::keys::{COLUMN_OPTIONS, COLUMN_RULE_KEYS};
use super::model::{Column, ColumnType, Format};
use super::yaml::{Content, Node};
use crate::domain::{Date, Dec, Instant, time};

pub(super) fn check_format(reader: &mut Reader<'_>, fields: Fields<'_>, what: &str, column: &Column) {
    if column.format.is_some() && column.kind != ColumnType::Text {
        let message = format!("{what} has a format and is no text");
        reader.error(
            fields.line,
            "contract.type",
            message,
            "formats are for VARCHAR columns only",
        );
    }
}

/// Range and pattern; options that are not applied are refused rather than ignored.
pub(super) fn options<'a>(reader: &mut Reader<'a>, fields: Fields<'a>, what: &str, column: &mut Column) {
    let Some(entry) = fields.get("logicalTypeOptions") else {
        return;
    };
    let Some(options) = reader.fields(&entry.value, &format!("logicalTypeOptions of {what}"), COLUMN_OPTIONS) else {
        return;
    };
    column.minimum = bound(reader, options, "minimum", column.kind);
    column.maximum = bound(reader, options, "maximum", column.kind);
    if let (Some(low), Some(high)) = (column.minimum, column.maximum)
        && low > high
    {
        let message = format!("{what} has a minimum above its maximum");
        reader.error(options.line, "contract.value", message, "exchange the two");
    }
    let Some(at) = reader.text(options, "pattern") else {
        return;
    };
    if column.kind != ColumnType::Text {
        let message = format!("{what} has a pattern and is no text");
        reader.error(
            at.line,
            "contract.type",
            message,
            "patterns are for VARCHAR columns only",
        );
    }
    // a whole-text pattern, also where its ends are not written
    column.pattern = Regex::new(&format!("^(?:{})$", at.text)).ok();
    if column.pattern.is_none() {
        let message = format!("{what} has a pattern that is no regular expression: {}", at.text);
        reader.error(
            at.line,
            "contract.value",
            message,
            "check brackets and escapes; look-around is not available",
        );
    }
}

/// A bound in the unit of the column: see `Column::minimum`.
fn bound<'a>(reader: &mut Reader<'a>, options: Fields<'a>, key: &str, kind: ColumnType) -> Option<Dec> {
    let at = reader.text(options, key)?;
    let (bound, form) = match kind {
        ColumnType::Int | ColumnType::Decimal { .. } => (Dec::parse(at.text).ok(), "a number such as 0"),
        ColumnType::Date => (time::parse_date(at.text).map(days), "a date such as \"2000-01-01\""),
        ColumnType::Instant => (
            Instant::parse(at.text).ok().map(|i| Dec::from(i.micros())),
            "an instant such as \"2000-01-01T00:00:00Z\"",
        ),
        ColumnType::Text | ColumnType::Bool => (None, "a pattern or allowed values instead: a text has no range"),
    };
    if bound.is_none() {
        let message = format!("'{key}' is '{}'", at.text);
        reader.error(at.line, "contract.value", message, format!("write {form}"));
    }
    bound
}

/// A date as the days since 1970-01-01.
pub(super) fn days(date: Date) -> Dec {
    Dec::from((date - Date::default()).num_days())
}

/// Allowed values, from the rule `metric: invalidValues`.
pub(super) fn allowed<'a>(reader: &mut Reader<'a>, fields: Fields<'a>, what: &str, column: &mut Column) {
    let mut seen = false;
    for item in reader.list(fields, "quality") {
        let Some(rule) = reader.fields(item, "a quality rule", COLUMN_RULE_KEYS) else {
            continue;
        };
        if reader.text(rule, "type").is_some_and(|t| t.text == "text") {
            continue;
        }
        let is_ours = reader.text(rule, "metric").is_some_and(|m| m.text == "invalidValues")
            && reader.text(rule, "mustBe").is_some_and(|m| m.text == "0")
            && rule.get("unit").is_none();
        let arguments = rule.get("arguments").filter(|_| is_ours && !seen);
        let Some(arguments) = arguments else {
            let message = format!("{what} has a quality rule that is never run");
            let remedy =
                "write metric: invalidValues, arguments: validValues, mustBe: 0 (once), or type: text for people";
            reader.error(rule.line, "contract.check", message, remedy);
            continue;
        };
        seen = true;
        let Some(arguments) = reader.fields(&arguments.value, "the arguments", &["validValues"]) else {
            continue;
        };
        let values = reader.list(arguments, "validValues");
        let texts = reader.texts(values, "'validValues'");
        if values.is_empty() {
            reader.error(
                arguments.line,
                "contract.missing",
                format!("{what} allows no value"),
                "list the allowed values",
            );
        }
        if column.format == Some(Format::List) {
            let message = format!("{what} is a list and has 'validValues'");
            reader.error(
                arguments.line,
                "contract.check",
                message,
                "give the items with the custom property 'items'",
            );
            continue;
        }
        check_allowed(reader, values, what, column.kind);
        column.allowed = texts;
    }
}

/// Allowed values are compared as printed, so each must be one as printed.
fn check_allowed(reader: &mut Reader<'_>, values: &[Node], what: &str, kind: ColumnType) {
    for node in values {
        let Content::Scalar { text, .. } = &node.content else {
            continue;
        };
        let fits = match kind {
            ColumnType::Text => true,
            ColumnType::Int => text.parse::<i64>().is_ok_and(|i| i.to_string() == *text),
            ColumnType::Date => time::parse_date(text).is_some(),
            ColumnType::Decimal { .. } | ColumnType::Bool | ColumnType::Instant => false,
        };
        if !fits {
            let message = format!("{what} cannot hold the allowed value '{text}'");
            reader.error(
                node.line,
                "contract.value",
                message,
                "allow values of the column's type; a decimal takes a range",
            );
        }
    }
}
