//! Rule files as a tree in which every value knows its line.
//!
//! Duty: TOML text → tree of tables, lists and leaves, each with its origin and its provenance; one tree laid over
//! another. Not its duty: knowing a key of the rule book (`read`), dates and regions (`editions`), opening files.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::{Finding, Findings, Place};

/// Where a value is written: file and line (from 1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    pub(super) file: Arc<str>,
    pub(super) line: u64,
}

impl Origin {
    pub(super) fn place(&self, path: &str) -> Place {
        let place = Place::line(&*self.file, self.line);
        if path.is_empty() { place } else { place.column(path) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

pub(super) type Entries = BTreeMap<String, Item>;

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) origin: Origin,
    /// Source of the number, from the value itself or the nearest table around it in the same file.
    pub(super) provenance: Option<Arc<str>>,
    pub(super) node: Node,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Int(i64),
    Bool(bool),
    List(Vec<Item>),
    Table(Entries),
    /// A value of a kind that rules do not have; its finding is made already.
    Refused,
}

impl Node {
    /// The kind in words, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Node::Text(_) => "text in quotes",
            Node::Int(_) => "a whole number",
            Node::Bool(_) => "true or false",
            Node::List(_) => "a list",
            Node::Table(_) => "a table",
            Node::Refused => "a refused value",
        }
    }
}

impl Item {
    pub(super) fn entries(&self) -> Option<&Entries> {
        match &self.node {
            Node::Table(entries) => Some(entries),
            _ => None,
        }
    }
}

/// Most syntax errors told of one file; one slip can cause many.
const SYNTAX_ERRORS_SHOWN: usize = 5;

/// Parses one file. `None` when it is no TOML at all; values of a wrong kind are findings beside the tree.
pub(super) fn parse(file: &str, text: &str) -> (Option<Item>, Findings) {
    let source = Source {
        file: file.into(),
        line_ends: line_ends(text),
    };
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut findings = Findings::new();
    if !errors.is_empty() {
        let mut errors: Vec<_> = errors.iter().map(|e| (e.span().map_or(0, |s| s.start), e)).collect();
        errors.sort_by_key(|(offset, _)| *offset);
        for (offset, error) in errors.into_iter().take(SYNTAX_ERRORS_SHOWN) {
            let origin = source.origin(offset);
            let message = error.message().lines().collect::<Vec<_>>().join("; ");
            findings.push(Finding::error(
                origin.place(""),
                "rules.syntax",
                message,
                "correct the TOML on this line",
            ));
        }
        return (None, findings);
    }
    let mut reader = TreeReader { source, findings };
    let origin = reader.source.origin(0);
    let item = reader.table(document.get_ref(), origin, "", None);
    (Some(item), reader.findings)
}

/// `over` laid upon `base`: tables merge by key, everything else replaces.
pub(super) fn merge(base: &Item, over: &Item) -> Item {
    let (Node::Table(below), Node::Table(above)) = (&base.node, &over.node) else {
        return over.clone();
    };
    let mut entries = below.clone();
    for (key, item) in above {
        let merged = below.get(key).map_or_else(|| item.clone(), |b| merge(b, item));
        entries.insert(key.clone(), merged);
    }
    Item {
        origin: base.origin.clone(),
        provenance: base.provenance.clone(),
        node: Node::Table(entries),
    }
}

struct Source {
    file: Arc<str>,
    /// Byte offsets of the line feeds.
    line_ends: Vec<usize>,
}

fn line_ends(text: &str) -> Vec<usize> {
    text.bytes()
        .enumerate()
        .filter(|(_, b)| *b == b'\n')
        .map(|(at, _)| at)
        .collect()
}

impl Source {
    fn origin(&self, offset: usize) -> Origin {
        let line = self.line_ends.partition_point(|end| *end < offset) as u64 + 1;
        Origin {
            file: Arc::clone(&self.file),
            line,
        }
    }
}

struct TreeReader {
    source: Source,
    findings: Findings,
}

impl TreeReader {
    fn refuse(&mut self, origin: &Origin, path: &str, message: &str, remedy: String) {
        self.findings
            .push(Finding::error(origin.place(path), "rules.wrong_type", message, remedy));
    }

    fn value(&mut self, value: &DeValue<'_>, origin: Origin, path: &str, provenance: Option<Arc<str>>) -> Item {
        let node = match value {
            DeValue::String(text) => Node::Text(text.to_string()),
            DeValue::Boolean(flag) => Node::Bool(*flag),
            DeValue::Integer(number) => {
                if let Ok(number) = i64::from_str_radix(number.as_str(), number.radix()) {
                    Node::Int(number)
                } else {
                    let remedy = "write a number that fits in 64 bits".to_owned();
                    self.refuse(&origin, path, "the whole number is too large", remedy);
                    Node::Refused
                }
            }
            DeValue::Float(number) => {
                let remedy = format!("write it in quotes: \"{}\"", number.as_str());
                self.refuse(
                    &origin,
                    path,
                    "a number with decimals must be exact, and a bare one is not",
                    remedy,
                );
                Node::Refused
            }
            DeValue::Datetime(date) => {
                self.refuse(
                    &origin,
                    path,
                    "a date stands in quotes",
                    format!("write it in quotes: \"{date}\""),
                );
                Node::Refused
            }
            DeValue::Array(values) => Node::List(
                values
                    .iter()
                    .enumerate()
                    .map(|(i, v)| {
                        let at = self.source.origin(v.span().start);
                        self.value(v.get_ref(), at, &format!("{path}[{i}]"), provenance.clone())
                    })
                    .collect(),
            ),
            DeValue::Table(table) if table.contains_key("value") => {
                return self.wrapped(table, origin, path, provenance);
            }
            DeValue::Table(table) => return self.table(table, origin, path, provenance),
        };
        Item {
            origin,
            provenance,
            node,
        }
    }

    /// `{ value = "40", provenance = "cisco" }`: a value that says where it comes from.
    fn wrapped(&mut self, table: &DeTable<'_>, origin: Origin, path: &str, around: Option<Arc<str>>) -> Item {
        let provenance = self.provenance(table, path).or(around);
        let mut node = Node::Refused;
        for (key, value) in table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("provenance", _) => {}
                ("value", DeValue::Table(_)) => {
                    let remedy = "write the table itself, with `provenance` as one of its keys".to_owned();
                    self.refuse(
                        &origin,
                        path,
                        "`value` holds a single value or a list, not a table",
                        remedy,
                    );
                }
                ("value", inner) => node = self.value(inner, origin.clone(), path, provenance.clone()).node,
                (other, _) => {
                    let at = self.source.origin(key.span().start);
                    self.findings.push(Finding::error(
                        at.place(path),
                        "rules.unknown_key",
                        format!("unknown key `{other}` beside `value`"),
                        "beside `value` only `provenance` can stand",
                    ));
                }
            }
        }
        Item {
            origin,
            provenance,
            node,
        }
    }

    fn table(&mut self, table: &DeTable<'_>, origin: Origin, path: &str, around: Option<Arc<str>>) -> Item {
        let provenance = self.provenance(table, path).or(around);
        let mut entries = Entries::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if name != "provenance" {
                let at = self.source.origin(key.span().start);
                let item = self.value(value.get_ref(), at, &join(path, name), provenance.clone());
                entries.insert(name.to_owned(), item);
            }
        }
        Item {
            origin,
            provenance,
            node: Node::Table(entries),
        }
    }

    fn provenance(&mut self, table: &DeTable<'_>, path: &str) -> Option<Arc<str>> {
        let value: &Spanned<DeValue<'_>> = table.get("provenance")?;
        if let DeValue::String(text) = value.get_ref() {
            return Some(text.as_ref().into());
        }
        let origin = self.source.origin(value.span().start);
        let remedy = "write provenance = \"assumption\", or the name of the programme it is borrowed from".to_owned();
        self.refuse(
            &origin,
            &join(path, "provenance"),
            "provenance is text in quotes",
            remedy,
        );
        None
    }
}

/// The path of a key in a table.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf<'a>(item: &'a Item, path: &str) -> &'a Item {
        path.split('.').fold(item, |i, key| &i.entries().unwrap()[key])
    }

    #[test]
    fn every_value_knows_its_line_and_its_provenance() {
        let text = "a = \"1\" # one\n\n[b]\nprovenance = \"cisco\"\nc = 2\nd = { value = [\"x\"], provenance = \"hpe\" }\n[b.e]\nf = true\n";
        let (item, findings) = parse("f.toml", text);
        let item = item.unwrap();
        assert_eq!(findings, []);
        let show = |path| {
            let leaf = leaf(&item, path);
            format!(
                "{} {:?} {:?}",
                leaf.origin,
                leaf.provenance.as_deref(),
                leaf.node.kind()
            )
        };
        assert_eq!(show("a"), "f.toml:1 None \"text in quotes\"");
        assert_eq!(show("b.c"), "f.toml:5 Some(\"cisco\") \"a whole number\"");
        assert_eq!(show("b.d"), "f.toml:6 Some(\"hpe\") \"a list\"");
        assert_eq!(show("b.e.f"), "f.toml:8 Some(\"cisco\") \"true or false\"");
    }

    #[test]
    fn a_region_lies_over_the_base() {
        let (base, _) = parse("g.toml", "[t]\na = 1\nb = [1, 2]\nc = \"x\"\n");
        let (over, _) = parse("r.toml", "\n[t]\nb = [3]\n[t.c]\nd = 4\n");
        let merged = merge(&base.unwrap(), &over.unwrap());
        assert_eq!(leaf(&merged, "t.a").origin.to_string(), "g.toml:2");
        assert_eq!(leaf(&merged, "t.b").origin.to_string(), "r.toml:3");
        assert!(matches!(&leaf(&merged, "t.b").node, Node::List(items) if items.len() == 1));
        assert!(matches!(leaf(&merged, "t.c.d").node, Node::Int(4)));
        assert_eq!(leaf(&merged, "t").origin.to_string(), "g.toml:1");
    }

    #[test]
    fn syntax_errors_have_a_line() {
        let (item, findings) = parse("f.toml", "a = 1\nb = \n[c\nd = 1\n");
        assert!(item.is_none());
        let lines: Vec<_> = findings.iter().map(|f| f.place.line).collect();
        assert_eq!(lines, [Some(2), Some(3)], "{findings:?}");
    }
}
