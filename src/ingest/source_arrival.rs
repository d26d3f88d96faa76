//! How the files of a source arrive, who may speak in them, and how their rows follow one another.
//!
//! Duty: the typed values, reading them from TOML, holding them against the contract. Not its duty: waiting for files,
//! comparing rows.

use std::collections::BTreeSet;

use regex::Regex;

use super::source::{Source, data_columns};
use super::toml_walk::{Document, Table};
use crate::contracts::Contract;
use crate::contracts::model::ColumnType;
use crate::domain::Findings;
use crate::domain::ids::{PartnerId, RegionId, check_id};

/// What a later row with the same key means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// All rows have equal order: another row with the same key and other values is a conflict.
    #[default]
    Append,
    /// The row of the highest order holds.
    Upsert,
    /// As upsert; a key that the file does not name has ended.
    Snapshot,
}

/// By what rows with the same key are ordered.
#[derive(Clone, Debug, Default)]
pub enum Order {
    /// The arrival that landing registered.
    #[default]
    Arrival,
    /// The group `order` of a pattern over the file's name.
    FileName(Regex),
    /// A column of the contract: an integer, a date or an instant.
    Column(String),
}

/// Whom the sender of the files may speak for: rows of others are rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    pub partners: BTreeSet<String>,
    pub regions: BTreeSet<String>,
}

/// When a file is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// Seconds without a change before a file is taken; 0: at once, unless it changes while it is copied.
    pub stable_seconds: u32,
    /// A file is taken once another with this ending behind its name stands beside it.
    pub done_suffix: Option<String>,
}

/// Longest wait for a file to stand still: a day. Who waits longer wants a `.done` file.
const MAX_STABLE_SECONDS: u64 = 86_400;

/// Longest ending of a `.done` file: file names have 255 bytes.
const MAX_SUFFIX_BYTES: usize = 32;

/// The group of a file-name pattern that orders files.
const ORDER_GROUP: &str = "order";

impl Mode {
    /// Whether a row can replace an earlier one.
    #[must_use]
    pub fn supersedes(self) -> bool {
        self != Mode::Append
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Append => "append",
            Mode::Upsert => "upsert",
            Mode::Snapshot => "snapshot",
        }
    }
}

impl Order {
    /// What sources of one feed must agree on, as a person would say it.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Order::Arrival => "arrival".to_owned(),
            Order::FileName(_) => "file name".to_owned(),
            Order::Column(column) => format!("column '{column}'"),
        }
    }

    /// What the pattern captures of a file's name, without its folders; `None` when it does not match, or when the
    /// order is no file-name order.
    #[must_use]
    pub fn captured<'n>(&self, path: &'n str) -> Option<&'n str> {
        let Order::FileName(pattern) = self else { return None };
        let name = path.rsplit('/').next().unwrap_or(path);
        let text = pattern.captures(name)?.name(ORDER_GROUP)?.as_str();
        (!text.is_empty()).then_some(text)
    }
}

impl Sender {
    /// Whether rows of a partner may come from this sender; the region is the partner's.
    #[must_use]
    pub fn may_speak_for(&self, partner: &str, region: Option<&str>) -> bool {
        self.partners.contains(partner) || region.is_some_and(|r| self.regions.contains(r))
    }
}

impl Source {
    /// Sources that are declared beside one another over all source files: names that stand more than once, and orders
    /// that cannot be compared.
    pub fn check_all(sources: &[Source]) -> Findings {
        let mut findings = Source::check_names(sources);
        findings.extend(Source::check_orders(sources));
        findings
    }

    /// Rows of one feed can only follow one another by one order.
    fn check_orders(sources: &[Source]) -> Findings {
        let mut findings = Findings::new();
        for (i, source) in sources.iter().enumerate() {
            let first = sources[..i]
                .iter()
                .find(|s| s.feed == source.feed && s.mode.supersedes());
            let Some(first) = first.filter(|_| source.mode.supersedes()) else {
                continue;
            };
            if first.order.kind() != source.order.kind() {
                let message = format!(
                    "the rows of '{}' are ordered by {} here and by {} at {}",
                    source.feed,
                    source.order.kind(),
                    first.order.kind(),
                    first.place("order")
                );
                let remedy = "order all upsert and snapshot sources of a feed by the same thing";
                findings.push(source.error("order", "source.order", message, remedy));
            }
        }
        findings
    }

    /// What of order and sender does not fit the contract.
    pub(super) fn check_arrival(&self, contract: &Contract, findings: &mut Findings) {
        let columns = data_columns(contract);
        if self.mode == Mode::Snapshot && matches!(self.order, Order::Column(_)) {
            let message = "a key that a snapshot does not name has no row whose column could say when it ended";
            let remedy = "order snapshots by arrival or by file name";
            findings.push(self.error("order", "source.order", message, remedy));
        }
        if let Order::Column(name) = &self.order {
            self.check_column(contract, "order.column", name, findings);
            let column = columns.iter().find(|c| c.name == *name);
            let orders = |kind| matches!(kind, ColumnType::Int | ColumnType::Date | ColumnType::Instant);
            if let Some(column) = column.filter(|c| !orders(c.kind) || !c.required) {
                let message = format!("'{}' cannot order rows", column.name);
                let remedy = "name a required column that is an integer, a date or an instant";
                findings.push(self.error("order.column", "source.order", message, remedy));
            }
        }
        if self.mode.supersedes() && contract.key.is_empty() {
            let message = format!("'{}' has no key by which a row could replace another", contract.name);
            let remedy = "declare a primary key in the contract, or mode = \"append\"";
            findings.push(self.error("mode", "source.mode", message, remedy));
        }
        if self.sender.is_some() && !columns.iter().any(|c| c.name == PARTNER) {
            let message = format!(
                "'{}' has no column {PARTNER}, so nobody can tell whom a row speaks for",
                contract.name
            );
            findings.push(self.error("sender", "source.sender", message, "remove sender"));
        }
    }
}

/// The column by which a row is its partner's.
const PARTNER: &str = "partner_id";

pub fn read_mode(doc: &mut Document, table: &Table) -> Mode {
    match doc.text(table, "mode").as_deref() {
        None | Some("append") => Mode::Append,
        Some("upsert") => Mode::Upsert,
        Some("snapshot") => Mode::Snapshot,
        Some(other) => {
            let message = format!("'{other}' is no mode");
            let remedy = "write append, upsert or snapshot";
            doc.error(table, "mode", "source.value", message, remedy);
            // a wrong mode must not make order look wrong too
            Mode::Upsert
        }
    }
}

pub fn read_order(doc: &mut Document, table: &Table, mode: Mode) -> Order {
    if !table.has("order") {
        return Order::Arrival;
    }
    if !mode.supersedes() {
        let message = "'order' has no meaning while rows are only appended";
        let remedy = "declare mode = \"upsert\" or \"snapshot\", or remove order";
        doc.error(table, "order", "source.order", message, remedy);
    }
    if table.is_text("order") {
        let text = doc.text(table, "order").unwrap_or_default();
        if text != "arrival" {
            let message = format!("'{text}' is no order");
            let remedy = "write \"arrival\", { file_name = '…(?P<order>…)…' } or { column = \"…\" }";
            doc.error(table, "order", "source.value", message, remedy);
        }
        return Order::Arrival;
    }
    let Some(order) = doc.table(table, "order") else {
        return Order::Arrival;
    };
    doc.known_keys(&order, &["file_name", "column"]);
    let has = (order.has("file_name"), order.has("column"));
    if has.0 == has.1 {
        let message = "'order' names neither file_name nor column, or both";
        doc.error(table, "order", "source.value", message, "name one of the two");
        return Order::Arrival;
    }
    if has.1 {
        return doc
            .required_text(&order, "column")
            .map_or(Order::Arrival, Order::Column);
    }
    read_pattern(doc, &order).map_or(Order::Arrival, Order::FileName)
}

/// A pattern with the one named group `order`.
fn read_pattern(doc: &mut Document, order: &Table) -> Option<Regex> {
    let text = doc.required_text(order, "file_name")?;
    let pattern = match Regex::new(&text) {
        Ok(pattern) => pattern,
        Err(error) => {
            // the last line says what is wrong; those above it draw where
            let error = error.to_string();
            let what = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let message = format!("'{text}' is no pattern: {what}");
            let remedy = "write one such as '-(?P<order>[0-9]{8})\\.csv$'";
            doc.error(order, "file_name", "source.pattern", message, remedy);
            return None;
        }
    };
    let groups: Vec<&str> = pattern.capture_names().flatten().collect();
    if groups == [ORDER_GROUP] {
        return Some(pattern);
    }
    let message = format!("'{text}' has not the one named group {ORDER_GROUP}");
    let remedy = "put (?P<order>…) around what orders the files, such as the date in the name";
    doc.error(order, "file_name", "source.pattern", message, remedy);
    None
}

pub fn read_sender(doc: &mut Document, table: &Table) -> Option<Sender> {
    let inner = doc.table(table, "sender")?;
    doc.known_keys(&inner, &["partners", "regions"]);
    let is_partner = |id: &str| PartnerId::new(id).map(|_| ());
    let is_region = |id: &str| RegionId::new(id).map(|_| ());
    let sender = Sender {
        partners: read_ids(doc, &inner, "partners", is_partner),
        regions: read_ids(doc, &inner, "regions", is_region),
    };
    if !inner.has("partners") && !inner.has("regions") {
        let message = "'sender' names nobody, so that every row would be rejected";
        let remedy = "name partners, regions or both, or remove sender";
        doc.error(table, "sender", "source.sender", message, remedy);
    }
    Some(sender)
}

fn read_ids<E: std::fmt::Display>(
    doc: &mut Document,
    table: &Table,
    key: &str,
    check: impl Fn(&str) -> Result<(), E>,
) -> BTreeSet<String> {
    let ids = doc.texts(table, key).unwrap_or_default();
    if table.has(key) && ids.is_empty() {
        doc.error(
            table,
            key,
            "source.sender",
            format!("'{key}' is empty"),
            "name at least one",
        );
    }
    for id in &ids {
        if let Err(error) = check(id) {
            let message = format!("'{}' {error}", id.escape_debug());
            doc.error(
                table,
                key,
                "source.sender",
                message,
                "write the id as it stands in the data",
            );
        }
    }
    ids.into_iter().collect()
}

pub fn read_ready(doc: &mut Document, table: &Table) -> Ready {
    let Some(inner) = doc.table(table, "ready") else {
        return Ready::default();
    };
    doc.known_keys(&inner, &["stable_seconds", "done_suffix"]);
    let seconds = doc.number(&inner, "stable_seconds", 0, MAX_STABLE_SECONDS, "a number of seconds");
    let done_suffix = doc.filled_text(&inner, "done_suffix");
    if let Some(suffix) = &done_suffix
        && (suffix.contains('/') || suffix.len() > MAX_SUFFIX_BYTES || check_id(suffix).is_err())
    {
        let message = format!("'{}' is no ending of a file's name", suffix.escape_debug());
        let remedy = "write a short one such as \".done\"";
        doc.error(&inner, "done_suffix", "source.value", message, remedy);
    }
    Ready {
        stable_seconds: seconds.and_then(|s| u32::try_from(s).ok()).unwrap_or_default(),
        done_suffix,
    }
}

#[cfg(test)]
#[path = "source_arrival_tests.rs"]
mod tests;
