//! Walks a TOML document and remembers lines.
//!
//! Duty: typed values of keys with a finding for each one that is wrong, all of them, each with its line. Not its
//! duty: what the keys mean.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::domain::{Finding, Findings, Place};

/// A map of texts, by key.
pub type TextMap = BTreeMap<String, String>;

/// A parsed file and what was found wrong in it so far.
pub struct Document {
    file: String,
    /// Offsets at which lines begin.
    starts: Vec<usize>,
    root: Table,
    findings: Findings,
}

/// A table: its entries by key, in the order of the file.
#[derive(Clone, Debug)]
pub struct Table {
    line: u64,
    /// Path of the table within its source, such as `skip.totals`.
    path: String,
    entries: Vec<(String, u64, Entry)>,
}

#[derive(Clone, Debug)]
enum Entry {
    Text(String),
    Count(Option<u64>),
    Flag(bool),
    List(Vec<(u64, Entry)>),
    Table(Table),
    Other(&'static str),
}

impl Entry {
    fn kind(&self) -> &'static str {
        match self {
            Entry::Text(_) => "a text",
            Entry::Count(_) => "an integer",
            Entry::Flag(_) => "a boolean",
            Entry::List(_) => "a list",
            Entry::Table(_) => "a table",
            Entry::Other(kind) => kind,
        }
    }
}

impl Table {
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Whether a key is there with a text.
    pub fn is_text(&self, key: &str) -> bool {
        matches!(self.entry(key), Some((_, _, Entry::Text(_))))
    }

    fn entry(&self, key: &str) -> Option<&(String, u64, Entry)> {
        self.entries.iter().find(|(k, _, _)| k == key)
    }

    /// The line of each key below the table, by path; the empty path is the table itself.
    pub fn lines(&self) -> BTreeMap<String, u64> {
        let mut lines = BTreeMap::from([(String::new(), self.line)]);
        collect_lines(self, &mut lines);
        lines
    }

    fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

impl Document {
    /// Parses a text; syntax errors come back all at once.
    pub fn parse(file: &str, text: &str) -> Result<Document, Findings> {
        let starts = std::iter::once(0)
            .chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1))
            .collect();
        let root = Table {
            line: 1,
            path: String::new(),
            entries: Vec::new(),
        };
        let mut document = Document {
            file: file.to_owned(),
            starts,
            root,
            findings: Findings::new(),
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            document.root.entries = document.entries(table.get_ref(), "");
            return Ok(document);
        }
        let finding = |error: &toml::de::Error| {
            let line = error.span().map_or(1, |span| document.line(span.start));
            Finding::error(
                Place::line(file, line),
                "source.syntax",
                error.message(),
                "correct the TOML",
            )
        };
        Err(errors.iter().map(finding).collect())
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    pub fn root(&self) -> Table {
        self.root.clone()
    }

    pub fn into_findings(self) -> Findings {
        self.findings
    }

    fn line(&self, offset: usize) -> u64 {
        self.starts.partition_point(|start| *start <= offset) as u64
    }

    fn entries(&self, table: &DeTable<'_>, path: &str) -> Vec<(String, u64, Entry)> {
        let mut entries = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let line = self.line(key.span().start);
            let inner = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            // each source counts its paths from itself
            let inner = if inner == "source" { String::new() } else { inner };
            let entry = self.walk(value.get_ref(), line, &inner);
            entries.push((name, line, entry));
        }
        entries
    }

    fn walk(&self, value: &DeValue<'_>, line: u64, path: &str) -> Entry {
        match value {
            DeValue::String(text) => Entry::Text(text.to_string()),
            DeValue::Integer(number) => Entry::Count(u64::from_str_radix(number.as_str(), number.radix()).ok()),
            DeValue::Boolean(flag) => Entry::Flag(*flag),
            DeValue::Array(items) => Entry::List(
                items
                    .iter()
                    .map(|item| {
                        let line = self.line(item.span().start);
                        (line, self.walk(item.get_ref(), line, path))
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Entry::Table(Table {
                line,
                path: path.to_owned(),
                entries: self.entries(table, path),
            }),
            DeValue::Float(_) => Entry::Other("a float"),
            DeValue::Datetime(_) => Entry::Other("a date"),
        }
    }

    /// Adds an error at the line of a key, or of the table where the key is missing.
    pub fn error(
        &mut self,
        table: &Table,
        key: &str,
        rule: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let line = table.entry(key).map_or(table.line, |(_, line, _)| *line);
        let place = Place::line(&self.file, line).column(table.path(key));
        self.findings.push(Finding::error(place, rule, message, remedy));
    }

    pub fn missing(&mut self, table: &Table, key: &str) {
        self.error(
            table,
            key,
            "source.missing_key",
            format!("'{key}' is missing"),
            format!("add {key} = …"),
        );
    }

    fn wrong(&mut self, table: &Table, key: &str, expected: &str, found: &str) {
        let message = format!("'{key}' is {found} where {expected} is due");
        self.error(table, key, "source.type", message, format!("write {expected}"));
    }

    /// Every key that is not known is an error: a misspelt key must not be a silent default.
    pub fn known_keys(&mut self, table: &Table, known: &[&str]) {
        for (key, _, _) in &table.entries {
            if !known.contains(&key.as_str()) {
                let message = format!("'{key}' is no key here");
                self.error(
                    table,
                    key,
                    "source.unknown_key",
                    message,
                    format!("known are {}", known.join(", ")),
                );
            }
        }
    }

    /// The tables of `[[key]]`.
    pub fn tables(&mut self, table: &Table, key: &str) -> Vec<Table> {
        let Some((_, _, entry)) = table.entry(key) else {
            self.missing(table, key);
            return Vec::new();
        };
        let mut tables = Vec::new();
        if let Entry::List(items) = entry {
            for (_, item) in items {
                match item {
                    Entry::Table(inner) => tables.push(inner.clone()),
                    other => self.wrong(table, key, "a list of tables", other.kind()),
                }
            }
        } else {
            self.wrong(table, key, "a list of tables ([[source]])", entry.kind());
        }
        tables
    }

    pub fn table(&mut self, table: &Table, key: &str) -> Option<Table> {
        match &table.entry(key)?.2 {
            Entry::Table(inner) => Some(inner.clone()),
            other => {
                self.wrong(table, key, "a table", other.kind());
                None
            }
        }
    }

    pub fn text(&mut self, table: &Table, key: &str) -> Option<String> {
        match &table.entry(key)?.2 {
            Entry::Text(text) => Some(text.clone()),
            other => {
                self.wrong(table, key, "a text in quotes", other.kind());
                None
            }
        }
    }

    /// A text that must be there and must not be empty.
    pub fn required_text(&mut self, table: &Table, key: &str) -> Option<String> {
        if !table.has(key) {
            self.missing(table, key);
            return None;
        }
        let text = self.text(table, key)?;
        if text.trim().is_empty() {
            self.error(table, key, "source.value", format!("'{key}' is empty"), "write a value");
            return None;
        }
        Some(text)
    }

    /// A text that may be missing and must not be empty.
    pub fn filled_text(&mut self, table: &Table, key: &str) -> Option<String> {
        if table.has(key) {
            self.required_text(table, key)
        } else {
            None
        }
    }

    pub fn texts(&mut self, table: &Table, key: &str) -> Option<Vec<String>> {
        let entry = &table.entry(key)?.2;
        let Entry::List(items) = entry else {
            self.wrong(table, key, "a list of texts", entry.kind());
            return None;
        };
        let mut texts = Vec::new();
        for (_, item) in items {
            match item {
                Entry::Text(text) => texts.push(text.clone()),
                other => self.wrong(table, key, "a list of texts", other.kind()),
            }
        }
        Some(texts)
    }

    pub fn text_map(&mut self, table: &Table, key: &str) -> TextMap {
        let Some(inner) = self.table(table, key) else {
            return TextMap::new();
        };
        let mut map = TextMap::new();
        for (name, _, _) in &inner.entries {
            if let Some(text) = self.text(&inner, name) {
                map.insert(name.clone(), text);
            }
        }
        map
    }

    pub fn map_of_maps(&mut self, table: &Table, key: &str) -> BTreeMap<String, TextMap> {
        let Some(inner) = self.table(table, key) else {
            return BTreeMap::new();
        };
        inner
            .entries
            .iter()
            .map(|(name, _, _)| (name.clone(), self.text_map(&inner, name)))
            .collect()
    }

    pub fn flag(&mut self, table: &Table, key: &str) -> Option<bool> {
        match &table.entry(key)?.2 {
            Entry::Flag(flag) => Some(*flag),
            other => {
                self.wrong(table, key, "true or false", other.kind());
                None
            }
        }
    }

    /// An integer from `least` to `most`; `what` says what to write.
    pub fn number(&mut self, table: &Table, key: &str, least: u64, most: u64, what: &str) -> Option<u64> {
        match &table.entry(key)?.2 {
            Entry::Count(Some(count)) if (least..=most).contains(count) => Some(*count),
            Entry::Count(_) => {
                let message = format!("'{key}' is not from {least} to {most}");
                self.error(table, key, "source.value", message, format!("write {what}"));
                None
            }
            other => {
                self.wrong(table, key, "an integer", other.kind());
                None
            }
        }
    }
}

fn collect_lines(table: &Table, lines: &mut BTreeMap<String, u64>) {
    for (key, line, entry) in &table.entries {
        lines.insert(table.path(key), *line);
        if let Entry::Table(inner) = entry {
            collect_lines(inner, lines);
        }
    }
}
