//! Typed access to the keys of a node, with a finding for each thing that is not as it must be.
//!
//! Duty: the wording of "missing", "unknown", "not a …" in one place. Not its duty: which keys there are (`read`,
//! `column`).

use super::yaml::{Content, Entry, Node};
use crate::domain::{Finding, Findings, Place};

/// The keys under a node.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub line: u64,
    entries: &'a [Entry],
}

/// A text and the line on which it stands.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub text: &'a str,
    pub line: u64,
}

impl<'a> Fields<'a> {
    /// The entry of a key; one whose value is null counts as not written.
    pub(super) fn get(self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|e| e.key == key && !e.value.is_null())
    }
}

/// Collects the findings of one file.
pub(super) struct Reader<'a> {
    pub file: &'a str,
    pub findings: Findings,
}

impl<'a> Reader<'a> {
    pub(super) fn error(&mut self, line: u64, rule: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.findings
            .push(Finding::error(Place::line(self.file, line), rule, message, remedy));
    }

    /// The keys of a node, each of them one of `known`.
    pub(super) fn fields(&mut self, node: &'a Node, what: &str, known: &[&str]) -> Option<Fields<'a>> {
        let Content::Map(entries) = &node.content else {
            let message = format!("{what} is {}, not a group of keys", node.describe());
            self.error(
                node.line,
                "contract.type",
                message,
                format!("write keys such as '{}:' here", known[0]),
            );
            return None;
        };
        for entry in entries.iter().filter(|e| !known.contains(&e.key.as_str())) {
            let message = format!("{what} has the unknown key '{}'", entry.key);
            self.error(entry.line, "contract.unknown-key", message, suggest(&entry.key, known));
        }
        Some(Fields {
            line: node.line,
            entries,
        })
    }

    pub(super) fn text(&mut self, fields: Fields<'a>, key: &str) -> Option<At<'a>> {
        let entry = fields.get(key)?;
        if let Content::Scalar { text, .. } = &entry.value.content {
            return Some(At {
                text,
                line: entry.value.line,
            });
        }
        let message = format!("'{key}' is {}, not a single value", entry.value.describe());
        self.error(
            entry.line,
            "contract.type",
            message,
            format!("write one value after '{key}:'"),
        );
        None
    }

    /// A text that must be there.
    pub(super) fn need(&mut self, fields: Fields<'a>, what: &str, key: &str, remedy: &str) -> Option<At<'a>> {
        if fields.get(key).is_none() {
            self.error(
                fields.line,
                "contract.missing",
                format!("{what} has no '{key}'"),
                remedy,
            );
        }
        self.text(fields, key)
    }

    /// `true` or `false`; false when not written.
    pub(super) fn flag(&mut self, fields: Fields<'a>, key: &str) -> bool {
        let Some(at) = self.text(fields, key) else { return false };
        self.choice(at, key, &[("true", true), ("false", false)])
            .unwrap_or(false)
    }

    /// One of the named values.
    pub(super) fn choice<T: Copy>(&mut self, at: At<'_>, what: &str, options: &[(&str, T)]) -> Option<T> {
        let found = options
            .iter()
            .find(|(name, _)| *name == at.text)
            .map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
            let message = format!("'{what}' is '{}'", at.text);
            self.error(
                at.line,
                "contract.value",
                message,
                format!("write one of: {}", names.join(", ")),
            );
        }
        found
    }

    pub(super) fn list(&mut self, fields: Fields<'a>, key: &str) -> &'a [Node] {
        let Some(entry) = fields.get(key) else { return &[] };
        let Content::List(items) = &entry.value.content else {
            let message = format!("'{key}' is {}, not a list", entry.value.describe());
            self.error(entry.line, "contract.type", message, "begin each item with '- '");
            return &[];
        };
        items
    }

    /// The texts of a list of values. A plain word that YAML 1.1 readers take for a truth value or null must be quoted.
    pub(super) fn texts(&mut self, items: &'a [Node], what: &str) -> Vec<String> {
        const AMBIGUOUS: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "~"];
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            let Content::Scalar { text, quoted } = &item.content else {
                let message = format!("{what} holds {}, not a single value", item.describe());
                self.error(item.line, "contract.type", message, "write plain values");
                continue;
            };
            if !quoted && AMBIGUOUS.contains(&text.to_lowercase().as_str()) {
                let message = format!("{what} holds the bare word '{text}', which some readers take for a truth value");
                self.error(item.line, "contract.value", message, format!("quote it: \"{text}\""));
            } else if texts.contains(text) {
                self.error(
                    item.line,
                    "contract.value",
                    format!("{what} holds '{text}' twice"),
                    "keep one of the two",
                );
            } else {
                texts.push(text.clone());
            }
        }
        texts
    }

    /// The `customProperties` of a table or a column, each of them one of `known`.
    pub(super) fn custom(&mut self, fields: Fields<'a>, what: &str, known: &[&str]) -> Vec<(At<'a>, &'a Node)> {
        let mut found: Vec<(At<'a>, &'a Node)> = Vec::new();
        for item in self.list(fields, "customProperties") {
            let Some(property) = self.fields(item, "a custom property", &["property", "value", "id", "description"])
            else {
                continue;
            };
            let name = self.need(property, "a custom property", "property", "name it: property: kind");
            let (Some(name), Some(value)) = (name, property.get("value")) else {
                if property.get("value").is_none() {
                    self.error(
                        property.line,
                        "contract.missing",
                        "a custom property has no 'value'",
                        "give it a value",
                    );
                }
                continue;
            };
            if !known.contains(&name.text) {
                let message = format!("{what} has the unknown custom property '{}'", name.text);
                self.error(name.line, "contract.unknown-key", message, suggest(name.text, known));
            } else if found.iter().any(|(n, _)| n.text == name.text) {
                let message = format!("{what} has the custom property '{}' twice", name.text);
                self.error(name.line, "contract.value", message, "keep one of the two");
            } else {
                found.push((name, &value.value));
            }
        }
        found
    }

    /// The single value of a custom property.
    pub(super) fn scalar(&mut self, name: At<'_>, node: &'a Node) -> Option<At<'a>> {
        if let Content::Scalar { text, .. } = &node.content {
            return Some(At { text, line: node.line });
        }
        let message = format!(
            "the custom property '{}' is {}, not a single value",
            name.text,
            node.describe()
        );
        self.error(node.line, "contract.type", message, "write one value after 'value:'");
        None
    }
}

/// "did you mean", or what there is.
pub(super) fn suggest(found: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|k| (strsim::levenshtein(&found.to_lowercase(), &k.to_lowercase()), *k))
        .min()
        .filter(|(d, k)| *d <= 2.max(k.len() / 4));
    match near {
        Some((_, key)) => format!("did you mean '{key}'?"),
        None => format!("remove it, or write one of: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_key() {
        assert_eq!(suggest("requierd", &["required", "name"]), "did you mean 'required'?");
        assert_eq!(
            suggest("logicaltype", &["logicalType", "name"]),
            "did you mean 'logicalType'?"
        );
        assert_eq!(
            suggest("colour", &["name", "kind"]),
            "remove it, or write one of: name, kind"
        );
    }
}
