//! Reads one contract file.
//!
//! Duty: an ODCS v3.1 document as a [`Contract`], or every mistake in it at once, each with file, line and remedy.
//! A key of the standard that the program does not act on is let through; a key that nobody knows, or a rule that
//! would silently not be applied, is a mistake. Not its duty: other contracts (`catalogue`), single columns (`column`).

use super::column::{DRIFTS, RawColumn, read_columns};
use super::expression;
use super::fields::{At, Fields, Reader};
use super::keys::{DOCUMENT_KEYS, QUALITY_KEYS, TABLE_KEYS, TABLE_PROPERTIES};
use super::model::{CheckSeverity, Contract, ContractKind, Drift, Freshness, RowCheck, Thin};
use super::shape::{Shape, check_partition, check_shape, key};
use super::yaml;
use crate::domain::{Dec, Digest, Findings};

/// Engine of the cross-column checks that this program runs; checks of other engines are not ours.
const ENGINE: &str = "starledger";

const NAME_ENDING: &str = ".odcs.yaml";

/// Reads `schemas/<table>.odcs.yaml`: `file` is its name as messages are to show it, `text` its content.
pub fn read(file: &str, text: &str) -> Result<Contract, Findings> {
    let root = yaml::parse(file, text)?;
    let mut reader = Reader {
        file,
        findings: Findings::new(),
    };
    let contract = document(&mut reader, &root, Digest::of(text.as_bytes()));
    match contract {
        Some(contract) if reader.findings.is_empty() => Ok(contract),
        _ => {
            reader.findings.sort_by_key(|f| f.place.line);
            Err(reader.findings)
        }
    }
}

fn document<'a>(reader: &mut Reader<'a>, root: &'a yaml::Node, digest: Digest) -> Option<Contract> {
    let fields = reader.fields(root, "the contract", DOCUMENT_KEYS)?;
    let api = reader.need(fields, "the contract", "apiVersion", "write apiVersion: v3.1.0");
    if let Some(api) = api.filter(|a| a.text != "v3.1.0") {
        let message = format!("'apiVersion' is '{}'", api.text);
        reader.error(
            api.line,
            "contract.value",
            message,
            "write v3.1.0: the edition of the standard that is read",
        );
    }
    if let Some(kind) = reader.need(fields, "the contract", "kind", "write kind: DataContract") {
        reader.choice(kind, "kind", &[("DataContract", ())]);
    }
    reader.need(fields, "the contract", "id", "give it a name that never changes");
    reader.need(fields, "the contract", "status", "write status: active");
    let version = reader.need(fields, "the contract", "version", "write a version such as 1.0.0");
    if let Some(at) = version.filter(|v| !is_version(v.text)) {
        let message = format!("'version' is '{}', not of the form 1.0.0", at.text);
        reader.error(
            at.line,
            "contract.value",
            message,
            "write major.minor.patch, each a number",
        );
    }
    let freshness = service_levels(reader, fields);
    let tables = reader.list(fields, "schema");
    let [table] = tables else {
        let message = format!("the contract describes {} tables", tables.len());
        let line = fields.get("schema").map_or(fields.line, |e| e.line);
        reader.error(
            line,
            "contract.missing",
            message,
            "describe exactly one table under 'schema:'",
        );
        return None;
    };
    let mut contract = self::table(reader, table, freshness)?;
    version?.text.clone_into(&mut contract.version);
    contract.freshness = freshness;
    contract.digest = digest;
    Some(contract)
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts
            .iter()
            .all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// The service levels that are held: how often a file comes, and how late a row may be.
fn service_levels<'a>(reader: &mut Reader<'a>, fields: Fields<'a>) -> Option<Freshness> {
    const KEYS: &[&str] = &[
        "property",
        "value",
        "id",
        "valueExt",
        "unit",
        "element",
        "driver",
        "description",
        "scheduler",
        "schedule",
    ];
    let (mut every_days, mut within_days) = (None, None);
    for item in reader.list(fields, "slaProperties") {
        let Some(level) = reader.fields(item, "a service level", KEYS) else {
            continue;
        };
        let remedy = "name it, such as property: latency";
        let property = reader.need(level, "a service level", "property", remedy);
        let value = reader.need(level, "a service level", "value", "give it a value and a unit");
        let days = match property.map(|at| at.text) {
            Some("frequency") => &mut every_days,
            Some("latency") => &mut within_days,
            _ => continue,
        };
        if days.is_some() {
            let message = format!("the service level '{}' stands twice", property?.text);
            reader.error(level.line, "contract.value", message, "keep one of the two");
        }
        *days = value.and_then(|at| whole_days(reader, level, at));
    }
    Some(Freshness {
        every_days: every_days?,
        within_days: within_days.unwrap_or(0),
    })
}

/// A service level in whole days.
fn whole_days<'a>(reader: &mut Reader<'a>, level: Fields<'a>, value: At<'a>) -> Option<u32> {
    let unit = reader.need(level, "a service level", "unit", "write unit: d")?;
    reader.choice(unit, "unit", &[("d", ())])?;
    days(reader, value, "value")
}

fn days(reader: &mut Reader<'_>, at: At<'_>, what: &str) -> Option<u32> {
    let days = at.text.parse().ok().filter(|days| *days > 0);
    if days.is_none() {
        let message = format!("'{what}' is '{}', not a number of days from 1", at.text);
        reader.error(at.line, "contract.value", message, "write whole days, such as 31");
    }
    days
}

/// Custom properties of a table, as written.
#[derive(Default)]
struct Settings<'a> {
    kind: Option<ContractKind>,
    business_date: Option<At<'a>>,
    partition: Option<At<'a>>,
    reject_threshold: Option<Dec>,
    held_days: Option<u32>,
    drift: Option<Drift>,
    thin: Option<Thin>,
}

fn table<'a>(reader: &mut Reader<'a>, node: &'a yaml::Node, freshness: Option<Freshness>) -> Option<Contract> {
    let fields = reader.fields(node, "the table", TABLE_KEYS)?;
    let name = reader.need(fields, "the table", "name", "name the table");
    if let Some(name) = name {
        check_name(reader, name);
    }
    reader.need(fields, "the table", "description", "say what one row is");
    let settings = settings(reader, fields);
    let columns = read_columns(reader, fields);
    let key = key(reader, fields, &columns);
    let checks = checks(reader, fields, &columns);
    let partition = settings
        .partition
        .and_then(|at| find_column(reader, &columns, at, "partition"));
    let business_date = settings
        .business_date
        .and_then(|at| find_column(reader, &columns, at, "businessDate"));
    check_partition(reader, &columns, partition);
    if let Some(kind) = settings.kind {
        let shape = Shape {
            line: fields.line,
            kind,
            columns: &columns,
            keyed: !key.is_empty(),
            partition,
            business_date,
            drift: settings.drift,
            held_days: settings.held_days,
        };
        check_shape(reader, &shape);
        if settings.thin.is_some() && (kind != ContractKind::Fact || freshness.is_none()) {
            let message = "the volume of the table is not watched, and it has thinShare or thinMinimum";
            let remedy = "remove them, or declare the service level 'frequency' of the fact";
            reader.error(fields.line, "contract.kind", message, remedy);
        }
    }
    Some(Contract {
        name: name?.text.to_owned(),
        version: String::new(),
        kind: settings.kind?,
        file: reader.file.to_owned(),
        columns: columns.into_iter().map(|c| c.column).collect(),
        key,
        checks,
        partition,
        business_date,
        reject_threshold: settings.reject_threshold.unwrap_or(Dec::new(5, 2)),
        drift: settings.drift.unwrap_or(Drift::DiscardValue),
        held_days: settings.held_days,
        freshness,
        thin: settings.thin.unwrap_or_default(),
        digest: Digest::of(b""),
    })
}

/// The table's name is a plain word, and that of the file.
fn check_name(reader: &mut Reader<'_>, name: At<'_>) {
    if !is_word(name.text) {
        let message = format!("the table name '{}' is no plain word", name.text);
        reader.error(
            name.line,
            "contract.name",
            message,
            "use small letters, digits and '_', a letter first",
        );
    }
    let file = reader.file.rsplit(['/', '\\']).next().unwrap_or_default();
    if file.strip_suffix(NAME_ENDING) != Some(name.text) {
        let message = format!("the file describes the table '{}'", name.text);
        reader.error(
            name.line,
            "contract.name",
            message,
            format!("name the file {}{NAME_ENDING}", name.text),
        );
    }
}

/// Whether a text can stand in SQL unquoted and in a path.
pub(super) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn settings<'a>(reader: &mut Reader<'a>, fields: Fields<'a>) -> Settings<'a> {
    let mut settings = Settings::default();
    for (name, node) in reader.custom(fields, "the table", TABLE_PROPERTIES) {
        let Some(at) = reader.scalar(name, node) else { continue };
        match name.text {
            "kind" => {
                let kinds = [
                    ("reference", ContractKind::Reference),
                    ("fact", ContractKind::Fact),
                    ("output", ContractKind::Output),
                ];
                settings.kind = reader.choice(at, "kind", &kinds);
                if settings.kind.is_none() {
                    return settings;
                }
            }
            "businessDate" => settings.business_date = Some(at),
            "partition" => settings.partition = Some(at),
            "heldDays" => settings.held_days = days(reader, at, "heldDays"),
            "drift" => settings.drift = reader.choice(at, "drift", &DRIFTS),
            "thinShare" | "thinMinimum" => thin(reader, name.text, at, &mut settings),
            _ => settings.reject_threshold = share(reader, at, "rejectThreshold"),
        }
    }
    if settings.kind.is_none() {
        let remedy = "add the custom property kind: reference, fact or output";
        reader.error(
            fields.line,
            "contract.missing",
            "the table has no custom property 'kind'",
            remedy,
        );
    }
    settings
}

fn thin<'a>(reader: &mut Reader<'a>, name: &str, at: At<'a>, settings: &mut Settings<'a>) {
    let thin = settings.thin.get_or_insert_default();
    if name == "thinShare" {
        thin.share = share(reader, at, name).unwrap_or(thin.share);
        return;
    }
    match at.text.parse() {
        Ok(rows) => thin.minimum_rows = rows,
        Err(_) => {
            let message = format!("'{name}' is '{}', not a number of rows", at.text);
            reader.error(at.line, "contract.value", message, "write a whole number such as 20");
        }
    }
}

fn share(reader: &mut Reader<'_>, at: At<'_>, what: &str) -> Option<Dec> {
    let share = Dec::parse(at.text)
        .ok()
        .filter(|d| (Dec::ZERO..=Dec::from(1)).contains(d));
    if share.is_none() {
        let message = format!("'{what}' is '{}', not a share from 0 to 1", at.text);
        reader.error(at.line, "contract.value", message, "write a share such as 0.05 for 5 %");
    }
    share
}

fn find_column(reader: &mut Reader<'_>, columns: &[RawColumn], at: At<'_>, what: &str) -> Option<usize> {
    let found = columns.iter().position(|c| c.column.name == at.text);
    if found.is_none() {
        let names: Vec<&str> = columns.iter().map(|c| c.column.name.as_str()).collect();
        let message = format!("'{what}' names the unknown column '{}'", at.text);
        reader.error(
            at.line,
            "contract.unknown-column",
            message,
            super::fields::suggest(at.text, &names),
        );
    }
    found
}

fn checks<'a>(reader: &mut Reader<'a>, fields: Fields<'a>, columns: &[RawColumn]) -> Vec<RowCheck> {
    let mut checks: Vec<RowCheck> = Vec::new();
    for item in reader.list(fields, "quality") {
        let Some(rule) = reader.fields(item, "a quality rule", QUALITY_KEYS) else {
            continue;
        };
        let kind = reader.text(rule, "type").map_or("library", |at| at.text);
        let engine = reader.text(rule, "engine").map(|at| at.text);
        match (kind, engine) {
            ("custom", Some(ENGINE)) => {}
            // documentation, and rules that other programs run
            ("text", _) | ("custom", Some(_)) => continue,
            _ => {
                let message = format!("the rule of type '{kind}' on the table is never run");
                let remedy = format!("write it as type: custom, engine: {ENGINE}, or as type: text for people");
                reader.error(rule.line, "contract.check", message, remedy);
                continue;
            }
        }
        let Some(check) = check(reader, rule, columns) else {
            continue;
        };
        if checks.iter().any(|c| c.id == check.id) {
            let message = format!("the check '{}' stands twice", check.id);
            reader.error(rule.line, "contract.check", message, "give each check an id of its own");
        }
        checks.push(check);
    }
    checks
}

fn check<'a>(reader: &mut Reader<'a>, rule: Fields<'a>, columns: &[RawColumn]) -> Option<RowCheck> {
    let id = reader.need(
        rule,
        "a check",
        "id",
        "give it a short name such as completed-after-opened",
    );
    let severity = reader
        .need(rule, "a check", "severity", "write severity: reject, warn or count")
        .and_then(|at| {
            let severities = [
                ("reject", CheckSeverity::Reject),
                ("warn", CheckSeverity::Warn),
                ("count", CheckSeverity::Count),
            ];
            reader.choice(at, "severity", &severities)
        });
    let description = reader.need(
        rule,
        "a check",
        "description",
        "say what is wrong with a row that fails",
    );
    let implementation = reader.need(
        rule,
        "a check",
        "implementation",
        "write what must hold, such as a <= b",
    );
    let (left, op, right) = implementation.and_then(|at| expression::read(reader, at, columns))?;
    Some(RowCheck {
        id: id?.text.to_owned(),
        severity: severity?,
        left,
        op,
        right,
        description: description?.text.to_owned(),
    })
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
