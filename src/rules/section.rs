//! Typed reading of one table of a rule tree.
//!
//! Duty: each key becomes a number, a choice, a list or a table, or a finding with its line; a key nobody asked for is
//! unknown. Not its duty: what the keys mean (`read`, `metrics`, `schemes`).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::leaf::{Out, Within, decimal, suggestion, unknown_word};
use super::tree::{Entries, Item, Node, Origin, join};
use crate::domain::ids::check_id;
use crate::domain::{Currency, Ratio};

/// A table that is being read. Every key must be asked for before `finish`, which reports the others.
pub(super) struct Section<'a> {
    pub(super) path: String,
    pub(super) origin: &'a Origin,
    entries: &'a Entries,
    asked: Vec<String>,
}

impl<'a> Section<'a> {
    /// The item as a table, or a finding.
    pub(super) fn open(out: &mut Out, path: String, item: &'a Item) -> Option<Section<'a>> {
        let Some(entries) = item.entries() else {
            out.wrong_type(item, &path, "a table", &format!("write a table: [{path}]"));
            return None;
        };
        Some(Section {
            path,
            origin: &item.origin,
            entries,
            asked: Vec::new(),
        })
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'a String> + use<'a> {
        self.entries.keys()
    }

    pub(super) fn at(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Where a key is written, or where it should be.
    pub(super) fn origin_of(&self, key: &str) -> &'a Origin {
        self.entries.get(key).map_or(self.origin, |item| &item.origin)
    }

    /// The value of a key that may be absent.
    pub(super) fn get(&mut self, key: &str) -> Option<&'a Item> {
        self.asked.push(key.to_owned());
        self.entries.get(key)
    }

    /// The value of a mandatory key, or a finding that says what to add.
    pub(super) fn need(&mut self, out: &mut Out, key: &str, example: &str) -> Option<&'a Item> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("the mandatory key `{key}` is missing");
            let place = if self.path.is_empty() {
                "at the top".to_owned()
            } else {
                format!("to [{}]", self.path)
            };
            let remedy = format!("add {place}: {key} = {example}");
            out.error(self.origin, &self.at(key), "rules.missing_key", message, &remedy);
        }
        found
    }

    pub(super) fn section(&mut self, out: &mut Out, key: &str) -> Option<Section<'a>> {
        let path = self.at(key);
        let Some(item) = self.get(key) else {
            let message = format!("the mandatory table [{path}] is missing");
            out.error(
                self.origin,
                &path,
                "rules.missing_key",
                message,
                &format!("add the table [{path}]"),
            );
            return None;
        };
        Section::open(out, path, item)
    }

    pub(super) fn ratio(&mut self, out: &mut Out, key: &str, within: Within) -> Option<Ratio> {
        let item = self.need(out, key, "\"…\" (a decimal in quotes)")?;
        decimal(out, &self.at(key), item, within)
    }

    /// A whole number in a range.
    pub(super) fn count<T: TryFrom<i64>>(&mut self, out: &mut Out, key: &str, range: RangeInclusive<i64>) -> Option<T> {
        let item = self.need(out, key, "… (a whole number)")?;
        let path = self.at(key);
        let Node::Int(number) = item.node else {
            let remedy = match &item.node {
                Node::Text(text) if text.parse::<i64>().is_ok() => format!("write it without quotes: {text}"),
                _ => "write a whole number without quotes".to_owned(),
            };
            out.wrong_type(item, &path, "a whole number", &remedy);
            return None;
        };
        let value = T::try_from(number).ok().filter(|_| range.contains(&number));
        if value.is_none() {
            let (low, high) = range.into_inner();
            let message = format!("{number} is out of range: it must be between {low} and {high}");
            out.error(
                &item.origin,
                &path,
                "rules.range",
                message,
                &format!("write a whole number from {low} to {high}"),
            );
        } else {
            out.note(&path, item, number.to_string(), number.to_string());
        }
        value
    }

    /// `true` or `false`; `None` with a finding when it is neither. An absent key is `default`.
    pub(super) fn flag_or(&mut self, out: &mut Out, key: &str, default: bool) -> Option<bool> {
        let Some(item) = self.get(key) else {
            return Some(default);
        };
        let flag = self.flag_of(out, key, item)?;
        if flag == default {
            out.last_says_nothing();
        }
        Some(flag)
    }

    pub(super) fn flag(&mut self, out: &mut Out, key: &str) -> Option<bool> {
        let item = self.need(out, key, "true or false")?;
        self.flag_of(out, key, item)
    }

    fn flag_of(&self, out: &mut Out, key: &str, item: &Item) -> Option<bool> {
        let path = self.at(key);
        if let Node::Bool(flag) = item.node {
            out.note(&path, item, flag.to_string(), flag.to_string());
            return Some(flag);
        }
        out.wrong_type(item, &path, "true or false", "write true or false without quotes");
        None
    }

    /// Text that is not blank.
    pub(super) fn text(&mut self, out: &mut Out, key: &str, example: &str) -> Option<&'a str> {
        let item = self.need(out, key, example)?;
        let path = self.at(key);
        match &item.node {
            Node::Text(text) if text.trim().is_empty() => {
                out.error(
                    &item.origin,
                    &path,
                    "rules.value",
                    "the text is blank".into(),
                    &format!("write {example}"),
                );
                None
            }
            Node::Text(text) => {
                out.note(&path, item, text.clone(), text.clone());
                Some(text)
            }
            _ => {
                out.wrong_type(item, &path, "text in quotes", &format!("write {example}"));
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, out: &mut Out, key: &str, words: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let item = self.need(
            out,
            key,
            &names
                .iter()
                .map(|n| format!("\"{n}\""))
                .collect::<Vec<_>>()
                .join(" or "),
        )?;
        let path = self.at(key);
        let Node::Text(text) = &item.node else {
            out.wrong_type(
                item,
                &path,
                "text in quotes",
                &format!("write one of: {}", names.join(", ")),
            );
            return None;
        };
        let found = words.iter().find(|(word, _)| word == text).map(|(_, value)| *value);
        if found.is_some() {
            out.note(&path, item, text.clone(), text.clone());
        } else {
            unknown_word(out, item, &path, text, &names);
        }
        found
    }

    /// A set of texts; `allowed` empty means any text that can be an id. Absent is empty.
    pub(super) fn words(&mut self, out: &mut Out, key: &str, allowed: &[&str]) -> Option<Vec<String>> {
        let Some(item) = self.get(key) else {
            return Some(Vec::new());
        };
        let words = self.sequence(out, key, item, allowed)?;
        // the order of a set says nothing, and an empty one is as good as none
        let mut sorted = words.clone();
        sorted.sort();
        out.note(&self.at(key), item, words.join(", "), format!("{sorted:?}"));
        if words.is_empty() {
            out.last_says_nothing();
        }
        Some(words)
    }

    /// A list of texts without repetition, not noted.
    pub(super) fn sequence(&self, out: &mut Out, key: &str, item: &Item, allowed: &[&str]) -> Option<Vec<String>> {
        let path = self.at(key);
        let Node::List(items) = &item.node else {
            out.wrong_type(
                item,
                &path,
                "a list of texts",
                &format!("write a list: {key} = [\"…\"]"),
            );
            return None;
        };
        let mut words: Vec<String> = Vec::new();
        let mut whole = true;
        for (i, entry) in items.iter().enumerate() {
            let at = format!("{path}[{i}]");
            let Node::Text(text) = &entry.node else {
                out.wrong_type(entry, &at, "text in quotes", "write each entry in quotes");
                whole = false;
                continue;
            };
            if let Err(error) = check_id(text) {
                out.error(
                    &entry.origin,
                    &at,
                    "rules.value",
                    format!("\"{text}\" {error}"),
                    "correct the name",
                );
            } else if !allowed.is_empty() && !allowed.contains(&text.as_str()) {
                unknown_word(out, entry, &at, text, allowed);
            } else if words.contains(text) {
                out.error(
                    &entry.origin,
                    &at,
                    "rules.value",
                    format!("\"{text}\" stands twice"),
                    "remove one of the two",
                );
            } else {
                words.push(text.clone());
                continue;
            }
            whole = false;
        }
        whole.then_some(words)
    }

    /// A table with exactly these keys, each a decimal.
    pub(super) fn ratios(
        &mut self,
        out: &mut Out,
        key: &str,
        keys: &[&str],
        within: Within,
    ) -> Option<BTreeMap<String, Ratio>> {
        let mut section = self.section(out, key)?;
        let values: Vec<_> = keys
            .iter()
            .map(|k| Some(((*k).to_owned(), section.ratio(out, k, within)?)))
            .collect();
        section.finish(out);
        values.into_iter().collect()
    }

    /// A value of its own per settlement currency, `{ default = …, JPY = … }`, or one for all.
    pub(super) fn by_currency<T>(
        &mut self,
        out: &mut Out,
        key: &str,
        item: &'a Item,
        read: impl Fn(&mut Out, &str, &'a Item) -> Option<T>,
    ) -> Option<(T, BTreeMap<String, T>)> {
        // one path for both ways of writing it, so that they resolve to the same rule book
        let path = self.at(key);
        if item.entries().is_none() {
            return Some((read(out, &join(&path, "default"), item)?, BTreeMap::new()));
        }
        let mut section = Section::open(out, path, item)?;
        let default = section.need(out, "default", "… (for every currency that is not listed)");
        let default = default.and_then(|d| read(out, &section.at("default"), d));
        let mut whole = true;
        let mut currencies = BTreeMap::new();
        for code in section.keys().filter(|k| *k != "default") {
            let Some(item) = section.get(code) else { continue };
            if Currency::parse(code).is_none() {
                let message = format!("`{code}` is no currency of ISO 4217");
                out.error(
                    &item.origin,
                    &section.at(code),
                    "rules.currency",
                    message,
                    "write a code in capitals, such as JPY",
                );
                whole = false;
            } else if let Some(value) = read(out, &section.at(code), item) {
                currencies.insert(code.clone(), value);
            } else {
                whole = false;
            }
        }
        default.filter(|_| whole).map(|d| (d, currencies))
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(self, out: &mut Out) {
        for (key, item) in self.entries {
            if !self.asked.contains(key) {
                let known: Vec<&str> = self.asked.iter().map(String::as_str).collect();
                let remedy = suggestion(key, &known);
                out.error(
                    &item.origin,
                    &self.at(key),
                    "rules.unknown_key",
                    format!("unknown key `{key}`"),
                    &remedy,
                );
            }
        }
    }
}
