//! YAML as nodes that know their line.
//!
//! Duty: turn text into a tree of maps, lists and scalars as written (no guessing of types: `0.10` keeps its zero),
//! and refuse what a contract has no use for: anchors, tags, keys given twice, several documents. Not its duty: what
//! a key means (`read`).

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::domain::{Finding, Findings, Place};

/// A node and the line on which it begins, from 1.
#[derive(Debug)]
pub(super) struct Node {
    pub line: u64,
    pub content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    /// The text as written; `quoted` tells `"no"` from `no`.
    Scalar {
        text: String,
        quoted: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub key: String,
    pub line: u64,
    pub value: Node,
}

impl Node {
    /// Whether nothing was written, or a plain `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, quoted: false } if text.is_empty() || text == "~" || text == "null")
    }

    /// What stands here, for messages.
    pub(super) fn describe(&self) -> &'static str {
        match self.content {
            _ if self.is_null() => "nothing",
            Content::Scalar { .. } => "a single value",
            Content::List(_) => "a list",
            Content::Map(_) => "a group of keys",
        }
    }
}

const SYNTAX: &str = "contract.yaml";

/// The one document of a text.
pub(super) fn parse(file: &str, text: &str) -> Result<Node, Findings> {
    let mut builder = Builder {
        file,
        findings: Findings::new(),
        open: Vec::new(),
        root: None,
    };
    for next in Parser::new_from_str(text) {
        match next {
            Ok((event, span)) => builder.take(event, line_of(span)),
            Err(error) => {
                let line = error.marker().line() as u64;
                let message = format!("is not valid YAML: {}", error.kind());
                builder.find(
                    line,
                    message,
                    "correct the syntax; blocks are indented by spaces, texts with ': ' are quoted",
                );
                break;
            }
        }
    }
    if builder.root.is_none() && builder.findings.is_empty() {
        builder.find(1, "is empty", "write a contract, or remove the file");
    }
    match builder.root {
        Some(root) if builder.findings.is_empty() => Ok(root),
        _ => Err(builder.findings),
    }
}

fn line_of(span: Span) -> u64 {
    span.start.line() as u64
}

/// A collection that has begun and not ended.
enum Open {
    List {
        line: u64,
        items: Vec<Node>,
    },
    Map {
        line: u64,
        entries: Vec<Entry>,
        key: Option<(String, u64)>,
    },
}

struct Builder<'a> {
    file: &'a str,
    findings: Findings,
    open: Vec<Open>,
    root: Option<Node>,
}

impl Builder<'_> {
    fn find(&mut self, line: u64, message: impl Into<String>, remedy: &str) {
        self.findings
            .push(Finding::error(Place::line(self.file, line), SYNTAX, message, remedy));
    }

    fn take(&mut self, event: Event<'_>, line: u64) {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(line, anchor, tag.is_some());
                let quoted = style != ScalarStyle::Plain;
                self.add(Node {
                    line,
                    content: Content::Scalar {
                        text: text.into_owned(),
                        quoted,
                    },
                });
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_extras(line, anchor, tag.is_some());
                self.open.push(Open::List {
                    line,
                    items: Vec::new(),
                });
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_extras(line, anchor, tag.is_some());
                self.open.push(Open::Map {
                    line,
                    entries: Vec::new(),
                    key: None,
                });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.find(
                    line,
                    "uses an alias (*)",
                    "write the value out: a contract is read from top to bottom",
                );
                self.add(Node {
                    line,
                    content: Content::Scalar {
                        text: String::new(),
                        quoted: false,
                    },
                });
            }
            Event::DocumentStart(..) if self.root.is_some() => {
                self.find(line, "begins a second document", "keep one contract in one file");
            }
            _ => {}
        }
    }

    fn refuse_extras(&mut self, line: u64, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.find(line, "uses an anchor (&)", "write the value out where it is used");
        }
        if tagged {
            self.find(line, "uses a tag (!)", "remove the tag: types come from the contract");
        }
    }

    fn close(&mut self) {
        let node = match self.open.pop() {
            Some(Open::List { line, items }) => Node {
                line,
                content: Content::List(items),
            },
            Some(Open::Map { line, entries, .. }) => Node {
                line,
                content: Content::Map(entries),
            },
            None => return,
        };
        self.add(node);
    }

    /// Puts a finished node where it belongs: into the innermost open collection.
    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            None => {
                self.root.get_or_insert(node);
            }
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => {
                let Some((key, line)) = key.take() else {
                    let line = node.line;
                    let text = text_of(node);
                    *key = Some((text.clone().unwrap_or_default(), line));
                    if text.is_none() {
                        self.find(line, "has a key that is no text", "write keys as plain words");
                    }
                    return;
                };
                if let Some(first) = entries.iter().find(|e| e.key == key).map(|e| e.line) {
                    let message = format!("has the key '{key}' twice; the first stands on line {first}");
                    self.find(line, message, "keep one of the two");
                } else {
                    entries.push(Entry { key, line, value: node });
                }
            }
        }
    }
}

fn text_of(node: Node) -> Option<String> {
    match node.content {
        Content::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        parse("a.yaml", text)
            .unwrap_err()
            .iter()
            .map(|f| format!("{}: {}", f.place, f.message))
            .collect()
    }

    #[test]
    fn keeps_texts_as_written_and_knows_their_lines() {
        let root = parse("a.yaml", "a: 0.10\nb:\n  - 'no'\n  - |\n    x\n").unwrap();
        let Content::Map(entries) = root.content else { panic!() };
        assert!(matches!(&entries[0].value.content, Content::Scalar { text, quoted: false } if text == "0.10"));
        let Content::List(items) = &entries[1].value.content else {
            panic!()
        };
        assert!(matches!(&items[0].content, Content::Scalar { text, quoted: true } if text == "no"));
        // a block of text begins where its content does
        assert_eq!((items[0].line, items[1].line), (3, 5));
        assert!(matches!(&items[1].content, Content::Scalar { text, .. } if text == "x\n"));
    }

    #[test]
    fn refuses_what_hides_meaning() {
        assert_eq!(
            messages("a: 1\nb: 2\na: 3\n"),
            ["a.yaml:3: has the key 'a' twice; the first stands on line 1"]
        );
        assert_eq!(
            messages("a: &x 1\nb: *x\n"),
            ["a.yaml:1: uses an anchor (&)", "a.yaml:2: uses an alias (*)"]
        );
        assert_eq!(messages("a: !int 1\n"), ["a.yaml:1: uses a tag (!)"]);
        assert_eq!(messages("a: 1\n---\nb: 1\n"), ["a.yaml:2: begins a second document"]);
        assert_eq!(messages(""), ["a.yaml:1: is empty"]);
        assert_eq!(messages("? [a]\n: 1\n"), ["a.yaml:1: has a key that is no text"]);
    }

    #[test]
    fn a_broken_file_is_a_finding_with_its_line() {
        let found = messages("a:\n  b: 1\n c: 2\n");
        assert!(found[0].starts_with("a.yaml:3: is not valid YAML: "), "{found:?}");
        assert!(messages("a: b: c\n")[0].starts_with("a.yaml:1: is not valid YAML: "));
        assert!(messages(&"[".repeat(100_000))[0].contains("is not valid YAML"));
    }
}
